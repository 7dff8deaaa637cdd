"""Rows of a spreadsheet into commands, by a mapping: what each row stands for, what is known already, what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from trialwright.core.finding import Finding, Refused, finding
from trialwright.core.partial_date import partial_date
from trialwright.core.units import COUNT
from trialwright.exchange.mapping import ANSWERS, SCREENING, Fill, Mapping, Source, targets
from trialwright.exchange.sheet import Sheet, SheetRow
from trialwright.language.facts import Facts, Observation
from trialwright.language.vocabulary import Item
from trialwright.protocol.entry import Entered, enter
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.trial.facts import facts_of
from trialwright.trial.state import Participant
from trialwright.views.laboratory import bench, name_for

_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]+(\d{1,2}):(\d{2})(?::\d{2})?)?")
_PLAIN_DATE = re.compile(r"(19|20)\d{6}")


@dataclass(slots=True)
class ImportRow:
    """One row: whom it is about, the commands it becomes by a name within the file, and what stands in the way.

    `told` is what it says: target, value and the unit that the mapping gives. `known` counts what the file says and the
    ledger holds already: nothing is recorded twice.
    """

    number: int
    participant: str
    commands: dict[str, Command] = field(default_factory=dict)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    found: list[Finding] = field(default_factory=list)
    known: int = 0


def import_rows(
    mapping: Mapping, sheet: Sheet, protocol: Protocol, site: str, look: Callable[[str], Participant | None]
) -> list[ImportRow]:
    """Every row of a sheet as commands. `look` gives a participant of the site; the gate is asked afterwards."""
    around = _Around(mapping, sheet, protocol, site, look)
    return [_row(around, row) for row in sheet.rows]


@dataclass(slots=True)
class _Around:
    mapping: Mapping
    sheet: Sheet
    protocol: Protocol
    site: str
    look: Callable[[str], Participant | None]
    said: dict[tuple[str, ...], int] = field(default_factory=dict)  # what -> the row that said it first
    women: dict[str, tuple[Participant, Facts] | None] = field(default_factory=dict)

    def woman(self, identity: str) -> tuple[Participant, Facts] | None:
        """A participant and what is recorded of her, looked up once."""
        if identity not in self.women:
            found = self.look(identity)
            self.women[identity] = None if found is None else (found, facts_of(self.protocol, found))
        return self.women[identity]

    def cell(self, row: SheetRow, source: Source | Fill) -> str:
        """What a row holds for a source; the one value of every row where there is no column."""
        if not source.column:
            return source.constant.strip()
        return row.cells[self.sheet.columns.index(source.column)]

    def first(self, row: int, *what: str) -> int:
        """The row that said a thing first; this one where none did."""
        return self.said.setdefault(what, row)


def _row(around: _Around, row: SheetRow) -> ImportRow:
    mapping = around.mapping
    made = ImportRow(row.number, around.cell(row, mapping.participant))
    try:
        if not made.participant:
            raise Refused(finding("import_cell_missing", row=row.number, what="the participant"))
        on = day_of(around.cell(row, mapping.day))
        if not on:
            raise Refused(finding("import_cell_missing", row=row.number, what="the day"))
        if mapping.rows == SCREENING:
            _screening(around, made, on)
            return made
        woman = around.woman(made.participant)
        if woman is None:
            raise Refused(finding("import_participant_elsewhere", row=row.number, participant=made.participant))
        values = list(_values(around, row, made))
        if mapping.rows == ANSWERS:
            _answers(around, made, woman[1], values, on)
        else:
            _record(around, row, made, woman, values, on)
    except Refused as refused:
        made.found += refused.findings
    return made


def day_of(text: str) -> str:
    """A day as a ledger writes it, from the ways in which spreadsheets write year, month and day; else as it is.

    >>> day_of("2026/3/2"), day_of("2026年3月2日"), day_of("20260302"), day_of("2026-03-02 9:05"), day_of("2/3/2026")
    ('2026-03-02', '2026-03-02', '2026-03-02', '2026-03-02T09:05', '2/3/2026')
    """
    text = text.strip()
    if _PLAIN_DATE.fullmatch(text):
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    match = _DATE.fullmatch(text)
    if match is None:
        return text
    day = f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}"
    return f"{day}T{int(match[4]):02}:{match[5]}" if match[4] else day


def _screening(around: _Around, made: ImportRow, on: str) -> None:
    first = around.first(made.number, "screen", made.participant)
    if first != made.number:
        made.found.append(finding("import_twice", row=made.number, what=made.participant, first=first))
        return
    made.commands["screen"] = c.Screen(made.participant, around.site, on)
    made.told.append(("", on, ""))


def _values(around: _Around, row: SheetRow, made: ImportRow) -> Iterator[tuple[str, str, Item]]:
    """What a row says, target by target, as the gate reads it; an empty cell says nothing."""
    may_fill = targets(around.protocol, around.mapping.rows)
    for fill in around.mapping.fills:
        typed = around.cell(row, fill)
        text = fill.means.get(typed, typed).strip()
        if text:
            item = may_fill[fill.target]
            if item.kind == "date":
                text = day_of(text)
            unit = fill.unit or item.unit.code if item.unit != COUNT and text[-1].isdigit() else ""
            made.told.append((fill.target, text, unit))
            yield fill.target, f"{text} {unit}".strip(), item


def _answers(around: _Around, made: ImportRow, facts: Facts, values: list[tuple[str, str, Item]], on: str) -> None:
    for target, text, item in values:
        if "~" in target:
            continue
        attributes = {name.partition("~")[2]: told for name, told, _ in values if name.startswith(f"{target}~")}
        person, _, name = target.rpartition(".")
        first = around.first(made.number, "answer", made.participant, target, on)
        if first != made.number:
            made.found.append(finding("import_twice", row=made.number, what=f"{target} of {on}", first=first))
            continue
        log = (facts.relatives[person] if person in facts.relatives else Facts()) if person else facts
        same = [one for one in log.observations.get(name, ()) if one.date is not None and one.date.text == on]
        if any(_says_the_same(item, text, one) for one in same):
            made.known += 1
            continue
        made.commands[target] = c.Observe(made.participant, name, text, on, attributes, person)


def _record(
    around: _Around,
    row: SheetRow,
    made: ImportRow,
    woman: tuple[Participant, Facts],
    values: list[tuple[str, str, Item]],
    on: str,
) -> None:
    kind, (participant, facts) = around.mapping.rows, woman
    parent = _parent(around, row, participant, facts)
    record = _record_name(around, row, participant, parent)
    fields = {target: (text, item) for target, text, item in values}
    known = next((one for one in facts.records.get(kind, ()) if one.identity == record), None)
    first = around.first(made.number, "record", made.participant, kind, record)
    added = known is not None or first != made.number  # an earlier row of the file adds it
    new: dict[str, str] = {}
    for name, (text, item) in fields.items():
        recorded = known.fields.get(name) if known is not None else None
        said = around.first(made.number, "field", made.participant, record, name)
        if said != made.number:
            made.found.append(finding("import_twice", row=made.number, what=f"{name} of {record}", first=said))
        elif recorded is None:
            new[name] = text
        elif _says_the_same(item, text, recorded):
            made.known += 1
        else:
            what = f"{name} of {record}"
            made.found.append(
                finding("import_differs", row=made.number, what=what, recorded=recorded.entered, text=text)
            )
    if not added:
        made.commands["record"] = c.AddRecord(made.participant, kind, record, on, new, parent)
    elif new:
        made.commands["record"] = c.CompleteRecord(made.participant, kind, record, on, new)
    else:
        made.known += not fields


def _parent(around: _Around, row: SheetRow, participant: Participant, facts: Facts) -> str:
    """The record that a row belongs to: by its name, by its number in the order of dates, or the only one there is."""
    kind = around.protocol.vocabulary.records[around.mapping.rows].parent
    if not kind:
        return ""
    text = around.cell(row, around.mapping.parent)
    dated = sorted(facts.records.get(kind, ()), key=lambda one: one.date or partial_date("2000"))
    names = [one.identity for one in dated]
    if text in names:
        return text
    if text.isdecimal() and 1 <= int(text) <= len(names):
        return names[int(text) - 1]
    if not text and len(names) == 1:
        return names[0]
    said, records = text or "(nothing)", ", ".join(names) or "(none recorded)"
    who = participant.identity
    raise Refused(
        finding("import_parent_unclear", row=row.number, participant=who, kind=kind, record=said, records=records)
    )


def _record_name(around: _Around, row: SheetRow, participant: Participant, parent: str) -> str:
    """The name of the record: the row of the grid with that number; without numbers a name of the file's own."""
    kind, number = around.mapping.rows, around.mapping.number
    if not number.column and not number.constant:
        return f"{kind}-{around.sheet.digest[:8]}-{row.number}"
    text = around.cell(row, number)
    if not text.isdecimal() or not 1 <= int(text) <= 9999:
        raise Refused(finding("import_number_wrong", row=row.number, text=text))
    now = partial_date("9999-12-31").latest
    there = bench(around.protocol, participant, kind, parent, now).rows
    return next((one.record for one in there if one.number == int(text)), name_for(kind, parent, int(text)))


def _says_the_same(item: Item, text: str, recorded: Observation) -> bool:
    """Whether a text stands for the value that is recorded; what cannot be read says nothing of the kind."""
    entered = enter(item, text)
    return isinstance(entered, Entered) and entered.value == recorded.value
