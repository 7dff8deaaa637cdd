"""The grid of one retrieval as a form: a line per oocyte or embryo, a box per field, and the commands it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from trialwright.core.finding import Finding
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.core.units import COUNT
from trialwright.language.vocabulary import Item
from trialwright.protocol.protocol import NO_LIMITS, Protocol
from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.views.laboratory import Bench, name_for
from trialwright.web.desk import Tried
from trialwright.web.fields import Field, field_of, shown_unit
from trialwright.web.order_choices import label_of
from trialwright.web.words import label, written

#: How many rows may be added at once: more oocytes than that were never retrieved.
MOST_ROWS = 60
#: Typed in a box: the same as in the box above it.
DITTO = '"'
_YES_NO = {"y": "yes", "n": "no", "是": "yes", "否": "no", "1": "yes", "0": "no"}
_CLOCK = re.compile(r"(\d{1,2})[:：.](\d{2})")


@dataclass(frozen=True, slots=True)
class Column:
    """One field of the kind: what it is called, and the short codes of its categories."""

    name: str
    label: str
    item: Item
    help: str
    codes: tuple[tuple[str, str], ...]

    @property
    def spelt(self) -> list[tuple[str, str]]:
        """Each category as the code that is typed and the rest of the word."""
        return [(code, name[len(code) :].replace("_", " ")) for code, name in self.codes]

    @property
    def wide(self) -> bool:
        """Whether its boxes need more room than a number."""
        return self.item.kind in ("date", "category")


@dataclass(frozen=True, slots=True)
class Head:
    """One check above its columns."""

    name: str
    label: str
    at: str
    columns: tuple[Column, ...]


@dataclass(slots=True)
class Box:
    """One field of one line: recorded already, or to be typed."""

    name: str
    label: str
    column: Column
    recorded: str = ""
    event: int = 0
    typed: str = ""
    meant: str = ""
    idle: bool = False  # its check is not asked of this line
    refused: list[Finding] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The name as the identity of an element."""
        return self.name.replace("~", "-").replace(".", "-")


@dataclass(slots=True)
class Line:
    """One oocyte or embryo."""

    record: str
    title: str
    new: bool
    boxes: list[Box]
    refused: list[Finding] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Grid:
    """Everything that may be typed for one bench."""

    bench: Bench
    on: str
    heads: tuple[Head, ...]
    lines: list[Line]
    more: int = 0  # lines that are not recorded yet
    begins: int = 1  # the number of the first of them, which stays when the form is sent twice

    @property
    def boxes(self) -> Iterator[Box]:
        """Every box of every line."""
        for line in self.lines:
            yield from line.boxes


def grid_of(protocol: Protocol, bench: Bench, on: str, told: Mapping[str, str]) -> Grid:
    """The grid of a bench, with what was typed into it."""
    heads = tuple(_heads(protocol, bench.kind))
    more = min(_whole(told, "rows", 0), MOST_ROWS)
    begins = _whole(told, "begins", 1 + max((row.number for row in bench.rows), default=0))
    grid = Grid(bench, told.get("on", on).strip(), heads, [], more, begins)
    for row in bench.rows:
        line = Line(row.record, str(row.number or row.record), False, [])
        for head in heads:
            idle = bool(head.name) and row.asked[head.name] is Truth.NO
            for column in head.columns:
                box = _box(row.record, line.title, column)
                known = row.fields.get(column.name)
                if known is not None:
                    box.recorded, box.event = known.entered, known.event
                box.idle = idle
                line.boxes.append(box)
        grid.lines.append(line)
    there = {row.record for row in bench.rows}
    for number in range(begins, begins + more):
        record = name_for(bench.kind, bench.parent, number)
        if record in there:
            continue  # recorded since the form was opened: by the form itself, where it is sent twice
        boxes = [_box(record, str(number), column) for head in heads for column in head.columns]
        grid.lines.append(Line(record, str(number), True, boxes))
    _type(grid, told)
    return grid


def commands_of(grid: Grid) -> dict[str, Command]:
    """The commands of a filled grid, one per line that changed; a new line is recorded even where nothing is known."""
    found: dict[str, Command] = {}
    for line in grid.lines:
        fields = {box.column.name: box.meant for box in line.boxes if box.meant}
        if line.new or fields:
            found[line.record] = _command(grid, line, fields)
    return found


def trials_of(grid: Grid) -> dict[str, Command]:
    """The same, a box at a time, so that each refusal finds the box that it is about."""
    found: dict[str, Command] = {}
    for line in grid.lines:
        if line.new:
            found[line.record] = _command(grid, line, {})
        for box in line.boxes:
            if box.meant:
                told = {box.column.name: box.meant}
                found[box.name] = c.CompleteRecord(grid.bench.participant, grid.bench.kind, line.record, grid.on, told)
    return found


def say(grid: Grid, tried: Tried) -> None:
    """Put what the gate says beside the box, or beside the line, that it is about."""
    told: list[Finding] = []
    for line in grid.lines:
        refused = tried.refused.get(line.record, [])
        line.refused = [one for one in refused if one not in told]  # said of one line, it is not said of each
        line.asked = tried.asked.get(line.record, [])
        told += line.refused
        for box in line.boxes:
            if not refused:  # what is refused as a whole needs no second word
                box.refused, box.asked = tried.refused.get(box.name, []), tried.asked.get(box.name, [])


def meant(item: Item, text: str, day: str) -> str:
    """What was typed, as the gate reads it: a code for a category, a time of day for a moment, a number with its unit.

    >>> meant(Item("fate", "category", categories=("transferred", "frozen")), "F", "2026-03-09")
    'frozen'
    """
    text = text.strip()
    match item.kind:
        case "category":
            low = text.lower()
            exact = [one for one in item.categories if one.lower() == low]
            begun = exact or [one for one in item.categories if low and one.lower().startswith(low)]
            return begun[0] if len(begun) == 1 else text
        case "yes_no" | "attestation":
            return _YES_NO.get(text.lower(), text.lower())
        case "date":
            clock = _CLOCK.fullmatch(text)
            return f"{day}T{int(clock[1]):02}:{clock[2]}" if clock else text
        case "quantity" | "count" if item.unit != COUNT and text and (text[-1].isdigit() or text[-1] == "."):
            return f"{text} {item.unit.code}"
        case _:
            return text


def codes(item: Item) -> tuple[tuple[str, str], ...]:
    """The shortest text that names each category, and the category.

    >>> codes(Item("maturity", "category", categories=("gv", "mi", "mii", "degenerate")))
    (('g', 'gv'), ('mi', 'mi'), ('mii', 'mii'), ('d', 'degenerate'))
    """
    if item.kind in ("yes_no", "attestation"):
        return (("y", "yes"), ("n", "no"))
    return tuple((_code(one, item.categories), one) for one in item.categories)


def _code(name: str, names: tuple[str, ...]) -> str:
    for length in range(1, len(name)):
        if [one for one in names if one.startswith(name[:length])] == [name]:
            return name[:length]
    return name


def _heads(protocol: Protocol, kind: str) -> Iterator[Head]:
    """The checks of a kind with their columns; what no check reads comes first."""
    checks = protocol.document.records[kind].checks
    declared = protocol.vocabulary.records[kind].fields
    read = {name for one in checks.values() for name in one.fields}
    rest = [name for name in declared if name not in read]
    if rest:
        yield Head("", label(protocol, kind), "", tuple(_column(protocol, kind, name) for name in rest))
    for name, one in checks.items():
        columns = tuple(_column(protocol, kind, field) for field in one.fields)
        yield Head(name, written(one.label), one.at, columns)


def _column(protocol: Protocol, kind: str, name: str) -> Column:
    item = protocol.vocabulary.records[kind].fields[name]
    made: Field = field_of(name, label_of(protocol, kind, name), item, protocol.limits.get(f"{kind}.{name}", NO_LIMITS))
    unit = shown_unit(item.unit.code) if item.kind in ("quantity", "count") else ""
    helps = {"date": "14:30"}.get(item.kind, made.help if made.help else unit)
    return Column(name, made.label, item, helps, codes(item) if made.choices else ())


def _box(record: str, title: str, column: Column) -> Box:
    return Box(f"{record}~{column.name}", f"{title}, {column.label}", column)


def _type(grid: Grid, told: Mapping[str, str]) -> None:
    """Read what was typed, line by line; a ditto mark stands for what is in the box above."""
    above: dict[str, str] = {}
    for line in grid.lines:
        for box in line.boxes:
            if box.recorded:
                above[box.column.name] = box.recorded
                continue
            box.typed = told.get(box.name, "").strip()
            text = above.get(box.column.name, DITTO) if box.typed in (DITTO, "”", "“") else box.typed
            box.meant = meant(box.column.item, text, _day(grid.on)) if text else ""
            if box.meant:
                above[box.column.name] = box.meant


def _whole(told: Mapping[str, str], name: str, otherwise: int) -> int:
    text = told.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= 4 else otherwise


def _day(on: str) -> str:
    """The day of what may be a day or a minute; as it is where it is neither, for the gate to refuse."""
    try:
        return str(partial_date(on).earliest.date())
    except ValueError:
        return on


def _command(grid: Grid, line: Line, fields: Mapping[str, str]) -> Command:
    bench = grid.bench
    if line.new:
        return c.AddRecord(bench.participant, bench.kind, line.record, grid.on, fields, bench.parent)
    return c.CompleteRecord(bench.participant, bench.kind, line.record, grid.on, fields)
