"""The laboratory: what was made from each retrieval, row by row, and which check of it is due when."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.core.truth import Truth
from trialwright.language.evaluate import answer, evaluate
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.values import Moment
from trialwright.protocol.document import LaboratoryCheck
from trialwright.protocol.protocol import Protocol
from trialwright.trial.facts import facts_of
from trialwright.trial.state import Participant

Standing: TypeAlias = Literal["to come", "due", "late", "done", "not asked"]


@dataclass(frozen=True, slots=True)
class Row:
    """One oocyte, embryo or vial: what is recorded of it, when its clock started, and which checks it is asked.

    `started` is None where it was dated so vaguely that no hour can be counted; `timed` says that the protocol's own
    clock was read, and not the date of the record in its place.
    """

    record: str
    number: int
    added: PartialDate
    fields: Mapping[str, Observation]
    started: PartialDate | None
    timed: bool
    asked: Mapping[str, Truth]


@dataclass(frozen=True, slots=True)
class Bench:
    """The rows of one kind that belong together: of one retrieval, or of the woman where the kind has no parent."""

    participant: str
    kind: str
    parent: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """One check of one bench: from when to when it is in time, for how many rows it is open, and how it stands.

    `exact` is false where a clock is known to the day alone: then the hours reach over the whole day.
    """

    check: str
    at: datetime | None
    first: datetime | None
    last: datetime | None
    exact: bool
    open: int
    asked: int
    standing: Standing


def laboratory_kinds(protocol: Protocol) -> list[str]:
    """The kinds of record that the laboratory reads: those with checks."""
    return [name for name, kind in protocol.document.records.items() if kind.checks]


def benches(protocol: Protocol, participant: Participant, now: datetime) -> Iterator[Bench]:
    """Every bench of a participant, in the order of its parents; one without rows where nothing was retrieved yet."""
    facts = facts_of(protocol, participant)
    for kind in laboratory_kinds(protocol):
        above = protocol.vocabulary.records[kind].parent
        for parent in participant.records.get(above, {}) if above else ("",):
            yield bench(protocol, participant, kind, parent, now, facts)


def bench(
    protocol: Protocol, participant: Participant, kind: str, parent: str, now: datetime, facts: Facts | None = None
) -> Bench:
    """One bench as it stands now: its rows by number, those that have none after them."""
    facts = facts or facts_of(protocol, participant)
    rows = [_row(protocol, facts, one, now) for one in facts.records.get(kind, ()) if one.parent == parent]
    return Bench(participant.identity, kind, parent, tuple(sorted(rows, key=lambda row: (not row.number, row.number))))


def number_of(record: str) -> int:
    """The number that a record's name ends with, by which the laboratory calls it; 0 where it ends with none.

    >>> number_of("cycle-2-7"), number_of("unnamed")
    (7, 0)
    """
    match = _NUMBER.search(record)
    return int(match[1]) if match else 0


_NUMBER = re.compile(r"(?<!\d)(\d{1,4})$")


def name_for(kind: str, parent: str, number: int) -> str:
    """The name of a row: its parent and its number, so that two people who number alike name alike."""
    return f"{parent or kind}-{number}"


def hours(check: LaboratoryCheck) -> int:
    """At how many hours a check is read."""
    return int(check.at.partition(" ")[0])


def dues(protocol: Protocol, bench: Bench, now: datetime) -> list[Due]:
    """How each check that has its hour stands for a bench, in the order of the protocol."""
    checks = protocol.document.records[bench.kind].checks
    return [_due(name, check, bench.rows, now) for name, check in checks.items() if check.at]


def under_way(found: list[Due]) -> bool:
    """Whether a check of the bench is still to be read."""
    return any(one.open for one in found)


def _row(protocol: Protocol, facts: Facts, entry: RecordEntry, now: datetime) -> Row:
    part = protocol.document.records[entry.kind]
    told = entry.fields.get(part.clock)
    timed = told is not None and isinstance(told.value, Moment)
    added = entry.date or partial_date("2000")
    started = partial_date(told.entered) if told is not None and timed else added
    asked, moment = {}, partial_date(now.strftime("%Y-%m-%dT%H:%M"))
    for name in part.checks:
        rule = protocol.rules.get(f"records.{entry.kind}.checks.{name}.if")
        asked[name] = Truth.YES if rule is None else answer(evaluate(rule, facts, moment, entry))
    known = started if started.earliest.date() == started.latest.date() else None
    return Row(entry.identity, number_of(entry.identity), added, entry.fields, known, timed or not part.clock, asked)


def _due(name: str, check: LaboratoryCheck, rows: tuple[Row, ...], now: datetime) -> Due:
    asked = [row for row in rows if row.asked[name] is not Truth.NO]
    waiting = [row for row in asked if any(field not in row.fields for field in check.fields)]
    counted = waiting or asked
    clocks = [row.started for row in counted if row.started is not None]
    exact = all(row.timed and row.started is not None and row.started.earliest == row.started.latest for row in counted)
    at = first = last = None
    if clocks:
        at = min(one.earliest for one in clocks) + timedelta(hours=hours(check))
        first = at + timedelta(hours=check.window[0])
        last = min(one.latest for one in clocks) + timedelta(hours=hours(check) + check.window[1])
    standing = _standing(len(asked), len(waiting), first, last, now)
    return Due(name, at, first, last, exact, len(waiting), len(asked), standing)


def _standing(asked: int, waiting: int, first: datetime | None, last: datetime | None, now: datetime) -> Standing:
    if not asked:
        return "not asked"
    if not waiting:
        return "done"
    if last is not None and now > last:
        return "late"
    return "due" if first is None or now >= first else "to come"
