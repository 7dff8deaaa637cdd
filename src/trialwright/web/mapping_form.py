"""The form of a mapping: a line per column of the file, and what of it fills what."""

from __future__ import annotations

from collections.abc import Mapping as Told
from dataclasses import dataclass, field

from trialwright.exchange.mapping import ANSWERS, SCREENING, Fill, Mapping, Source, target_label, targets, words_of
from trialwright.exchange.sheet import Sheet
from trialwright.language.vocabulary import Item
from trialwright.protocol.protocol import Protocol
from trialwright.web.fields import shown_unit, units_for
from trialwright.web.words import label, language

#: How many lines there are for what no column holds.
CONSTANTS = 2


@dataclass(slots=True)
class Line:
    """One column of the file, or one value for every row, and what it fills."""

    index: int
    column: str
    examples: list[str] = field(default_factory=list)
    target: str = ""
    constant: str = ""
    unit: str = ""
    units: tuple[tuple[str, str], ...] = ()
    words: str = ""
    translates: bool = False

    @property
    def height(self) -> int:
        """How many lines of words its box shows at once."""
        return min(max(2, self.words.count("\n") + 1), 8)


@dataclass(slots=True)
class Role:
    """Who, when, and of what: a column or one value for every row."""

    name: str
    label: str
    source: Source
    help: str = ""


def lines_of(mapping: Mapping, sheet: Sheet, protocol: Protocol) -> list[Line]:
    """A line per column that plays no other part, then some for values that no column holds."""
    may_fill = targets(protocol, mapping.rows)
    by_column = {fill.column: fill for fill in mapping.fills if fill.column}
    constants = [fill for fill in mapping.fills if not fill.column]
    taken = {one.column for one in (mapping.participant, mapping.day, mapping.parent, mapping.number)}
    lines = [
        _line(index, column, by_column.get(column), sheet, may_fill)
        for index, column in enumerate(sheet.columns)
        if column and column not in taken
    ]
    for extra in range(max(CONSTANTS, len(constants))):
        fill = constants[extra] if extra < len(constants) else None
        lines.append(_line(len(sheet.columns) + extra, "", fill, sheet, may_fill))
    return lines


def choices(protocol: Protocol, rows: str) -> list[tuple[str, str]]:
    """What a column may fill, by what people call it."""
    return sorted(
        ((name, target_label(protocol, rows, name, language())) for name in targets(protocol, rows)),
        key=lambda one: one[1],
    )


def kinds(protocol: Protocol, only: list[str] | None) -> list[tuple[str, str]]:
    """What the rows may be; of a laboratory its own kinds alone."""
    performed = {one.record for one in protocol.document.interventions.values()}
    records = [name for name in protocol.document.records if name not in performed and (only is None or name in only)]
    others = [(ANSWERS, ANSWERS), (SCREENING, SCREENING)] if only is None else []
    return others + [(name, label(protocol, name)) for name in records]


def told_of(protocol: Protocol, rows: str, told: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """What a row says, as people read it: label, and value with its unit."""
    return [
        (target_label(protocol, rows, target, language()) if target else "", f"{value} {shown_unit(unit)}".strip())
        for target, value, unit in told
    ]


def mapping_of(told: Told[str, str], sheet: Sheet) -> Mapping:
    """The mapping that a filled form stands for."""
    fills = []
    for index, column in enumerate([*sheet.columns, *[""] * 50]):
        target = told.get(f"target-{index}", "")
        constant = told.get(f"constant-{index}", "").strip()
        if target and (column or constant):
            unit, means = told.get(f"unit-{index}", ""), _means(told.get(f"words-{index}", ""))
            fills.append(Fill(target=target, column=column, constant=constant, unit=unit, means=means))
    roles = {
        name: Source(column=told.get(f"{name}-column", ""), constant=told.get(f"{name}-constant", "").strip())
        for name in ("participant", "day", "parent", "number")
    }
    return Mapping(rows=told.get("rows", ANSWERS), fills=tuple(fills), **roles)


def _line(index: int, column: str, fill: Fill | None, sheet: Sheet, may_fill: Told[str, Item]) -> Line:
    line = Line(index, column, words_of(sheet, column, 3))
    item = may_fill.get(fill.target) if fill is not None else None
    if fill is None or item is None:
        return line
    line.target, line.constant = fill.target, fill.constant
    if item.kind in ("quantity", "count"):
        line.units = units_for(item)
        line.unit = fill.unit or (line.units[0][0] if line.units else "")
    if item.kind in ("yes_no", "attestation", "category"):
        line.translates = True
        understood = item.categories or ("yes", "no")
        words = dict.fromkeys([*fill.means, *(word for word in words_of(sheet, column) if word not in understood)])
        line.words = "\n".join(
            f"{word} = {fill.means[word]}".rstrip() if word in fill.means else word for word in words
        )
    elif fill.means:
        line.translates = True
        line.words = "\n".join(f"{word} = {meaning}".rstrip() for word, meaning in fill.means.items())
    return line


def _means(text: str) -> dict[str, str]:
    """The words of a box, a line each: `是 = yes`; with `未做 =` the word says nothing; alone it stays as it is."""
    found = {}
    for line in text.splitlines():
        word, sign, meaning = line.rpartition("=")
        if sign and word.strip():
            found[word.strip()] = meaning.strip()
    return found
