"""From the document to the names that the language knows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from trialwright.core import units
from trialwright.core.finding import Finding, Grade, finding
from trialwright.core.interval import Interval, number
from trialwright.core.units import COUNT, Unit
from trialwright.language import nodes as n
from trialwright.language.parse import parse
from trialwright.language.vocabulary import Derivation, Duration, Item, Kind, Record, Vocabulary
from trialwright.protocol.document import Document, ItemPart
from trialwright.protocol.marked_yaml import Path
from trialwright.protocol.protocol import where as place

_DURATION = re.compile(r"([0-9]{1,4}) (days?|weeks?|months?|years?)")
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)")
_QUANTITY = re.compile(r"(\S+) (\S+)")


@dataclass(slots=True)
class Reading:
    """What is being read, and what was found on the way."""

    marks: Mapping[Path, tuple[int, int]]
    findings: list[Finding] = field(default_factory=list)

    def add(self, code: str, at: Path, grade: Grade = Grade.ERROR, /, **values: object) -> None:
        """Note a finding at a path of the document."""
        self.findings.append(finding(code, place(self.marks, at), grade, **values))


def vocabulary_of(document: Document, reading: Reading) -> Vocabulary:
    """Every name of the document, typed; what cannot be typed is a finding."""
    items = {name: item_of(name, part, ("items", name), reading) for name, part in document.items.items()}
    for name, part in document.items.items():
        if part.is_ == "age" and document.items.get(part.from_item, part).is_ != "date":
            reading.add(
                "reference_unknown",
                ("items", name),
                path=f"items.{name}",
                name=part.from_item,
                what="date items",
                nearest=nearest(part.from_item, items),
            )
    records = {}
    for name, record in document.records.items():
        fields = {}
        for key in record.items:
            if key not in items:
                reading.add(
                    "reference_unknown",
                    ("records", name, "items"),
                    path=f"records.{name}",
                    name=key,
                    what="items",
                    nearest=nearest(key, items),
                )
            else:
                fields[key] = items[key]
        for key, part in record.fields.items():
            fields[key] = item_of(key, part, ("records", name, "fields", key), reading)
        records[name] = Record(name, fields, record.of)
        if record.of and record.of not in document.records:
            reading.add(
                "reference_unknown",
                ("records", name, "of"),
                path=f"records.{name}.of",
                name=record.of,
                what="records",
                nearest=nearest(record.of, document.records),
            )
        if name in _parents(name, document):
            reading.add(
                "cycle", ("records", name, "of"), name=name, path=" -> ".join((name, *_parents(name, document)))
            )
    for name, shared in document.relatives.items():
        for key in shared:
            if key not in items:
                reading.add(
                    "reference_unknown",
                    ("relatives", name),
                    path=f"relatives.{name}",
                    name=key,
                    what="items",
                    nearest=nearest(key, items),
                )
    derivations = {}
    for name, derived in document.derivations.items():
        expression = parse_at(derived.is_, ("derivations", name, "is"), reading)
        if expression is not None:
            unit = unit_of(derived.unit, ("derivations", name, "unit"), reading) if derived.unit else None
            derivations[name] = Derivation(name, expression, derived.of, unit)
    _distinct(document, reading)
    return Vocabulary(
        items,
        records,
        {name: frozenset(shared) for name, shared in document.relatives.items()},
        frozenset(document.schedule.anchors),
        derivations,
        {name: frozenset(members) for name, members in document.value_sets.items()},
    )


def item_of(name: str, part: ItemPart, path: Path, reading: Reading) -> Item:
    """One item as the language knows it."""
    kind: Kind = "category" if isinstance(part.is_, list) else part.is_
    attributes = {key: _attribute(key, text) for key, text in part.attributes.items()}
    return Item(
        name,
        kind,
        unit_of(part.unit, (*path, "unit"), reading) if part.unit else COUNT,
        tuple(part.is_) if isinstance(part.is_, list) else (),
        _duration(part.valid, (*path, "valid"), reading),
        attributes,
        _absent(part, (*path, "absent"), reading),
        _molar_mass(part.molar_mass, (*path, "molar_mass"), reading),
        part.from_item,
        _may_be_negative(part),
    )


def _may_be_negative(part: ItemPart) -> bool:
    """Whether values below zero are possible: by its range, or by a unit with a zero of its own."""
    match = _RANGE.fullmatch(part.possible)
    unit = units.unit(part.unit)
    return Decimal(match[1]) < 0 if match else unit is not None and bool(unit.offset)


def parse_at(text: str, path: Path, reading: Reading) -> n.Expression | None:
    """The parsed expression, or None and a finding at its place."""
    result = parse(text, place(reading.marks, path))
    if isinstance(result, Finding):
        reading.findings.append(result)
        return None
    return result


def unit_of(code: str, path: Path, reading: Reading) -> Unit:
    """The unit of a UCUM code; an unknown one is a finding, and counts as a plain number."""
    found = units.unit(code)
    if found is None:
        near = units.nearest_unit(code)
        reading.add("unit_unknown", path, unit=code, nearest=f" Did you mean `{near}`?" if near else "")
    return found or COUNT


def quantity_of(text: str, path: Path, reading: Reading) -> tuple[Decimal, Unit]:
    """A number with a unit, as in `15 mL`."""
    match = _QUANTITY.fullmatch(text)
    value, unit = (number(match[1]), units.unit(match[2])) if match else (None, None)
    if value is None or unit is None:
        reading.add("quantity_unreadable", path, path=".".join(map(str, path)), text=text)
        return Decimal(0), COUNT
    return value, unit


def range_of(text: str, path: Path, reading: Reading) -> Interval | None:
    """A range of numbers, as in `0..30`; nothing where nothing is given."""
    if not text:
        return None
    match = _RANGE.fullmatch(text)
    if match is None or Decimal(match[1]) > Decimal(match[2]):
        reading.add("interval_unreadable", path, path=".".join(map(str, path)), text=text)
        return None
    return Interval(Decimal(match[1]), Decimal(match[2]))


def nearest(name: str, names: Iterable[str]) -> str:
    """A sentence with the nearest name that exists, or nothing."""
    near = difflib.get_close_matches(name, list(names), 1)
    return f" Did you mean `{near[0]}`?" if near else ""


def _attribute(name: str, text: str) -> Item:
    if text == "count":
        return Item(name, "count")
    return Item(name, "category", categories=tuple(part.strip() for part in text.split(",")))


def _duration(text: str, path: Path, reading: Reading) -> Duration | None:
    if not text:
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        reading.add("time_unreadable", path, path=".".join(map(str, path)), text=text)
        return None
    return Duration(int(match[1]), match[2].rstrip("s") + "s")


def _absent(part: ItemPart, path: Path, reading: Reading) -> str:
    if part.absent in ("", "unknown"):
        return ""
    match = re.fullmatch(r"no in (\w+)", part.absent)
    if match is not None and part.is_ in ("yes_no", "attestation"):
        return match[1]
    why = f"“{part.absent}” is neither `unknown` nor `no in LIST`"
    if match is not None:
        why = "only an item that is yes or no can be absent"
    reading.add("document_field", path, path=".".join(map(str, path)), why=why)
    return ""


def _parents(name: str, document: Document) -> tuple[str, ...]:
    """The parent of a kind of record, its parent's parent, until one repeats."""
    chain: list[str] = []
    while (part := document.records.get(name)) is not None and part.of and part.of not in chain:
        chain.append(part.of)
        name = part.of
    return tuple(chain)


def _molar_mass(text: str, path: Path, reading: Reading) -> Fraction | None:
    if not text:
        return None
    value, unit = quantity_of(text, path, reading)
    if unit.code != "g/mol":
        reading.add("quantity_unreadable", path, path=".".join(map(str, path)), text=text)
        return None
    return Fraction(value)


def _distinct(document: Document, reading: Reading) -> None:
    groups: dict[str, Iterable[str]] = {
        "items": document.items,
        "records": document.records,
        "derivations": document.derivations,
        "relatives": document.relatives,
    }
    seen: dict[str, str] = {}
    for what, names in groups.items():
        for name in names:
            if name in seen:
                reading.add("name_taken", (what, name), name=name, first=seen[name], second=what)
            seen[name] = what
