"""One participant's facts from a YAML file, as a coordinator writes them down.

date: 2026-03-09
facts:
  birth_date: 1994-05
  fsh: {value: 6.4 [IU]/L, date: 2026-02-20, cycle_day: 3}
  partner.karyotype: normal
records:
  embryo:
    - {date: 2025-11-02, day: 5, expansion: 4, icm: A, te: B, fate: frozen}
closed: [embryo, medical_history]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path as FilePath

from trialwright.core.finding import Finding, Grade, Where, finding, unreadable
from trialwright.core.interval import Interval, plain
from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.values import Amount, Value
from trialwright.language.vocabulary import Item
from trialwright.protocol.entry import enter
from trialwright.protocol.limits import born_after, implausible, impossible
from trialwright.protocol.marked_yaml import Data, Path, read
from trialwright.protocol.naming import nearest
from trialwright.protocol.protocol import NO_LIMITS, Protocol
from trialwright.protocol.protocol import where as place

_KEYS = ("date", "facts", "records", "closed", "anchors", "participant", "expected", "why")


@dataclass(slots=True)
class FactsFile:
    """The facts of a file, the day they are asked for, and what was wrong or odd in the file."""

    facts: Facts = field(default_factory=Facts)
    date: PartialDate | None = None
    findings: list[Finding] = field(default_factory=list)


def read_facts(protocol: Protocol, file: str | FilePath, asked: PartialDate | None = None) -> FactsFile:
    """The facts in a file; every fault is a finding, and a file with errors is not used.

    What cannot be is an error, what is odd a warning, as at the gate. `asked` is the day that they are asked for, where
    it is another than the file's.
    """
    path = FilePath(file)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return FactsFile(findings=[finding("file_missing", path=path)])
    except (OSError, UnicodeDecodeError) as wrong:
        return FactsFile(findings=[finding("file_unreadable", path=path, why=unreadable(wrong))])
    marked = read(text, path.name)
    if marked.findings:
        return FactsFile(findings=list(marked.findings))
    return facts_from(protocol, marked.data, marked.marks, path.name, asked=asked)


def facts_from(
    protocol: Protocol,
    data: Data,
    marks: Mapping[Path, tuple[int, int]],
    file: str,
    base: Path = (),
    asked: PartialDate | None = None,
) -> FactsFile:
    """The facts in a piece of data that was read with its marks."""
    reader = _Reader(protocol, marks, file, base, asked)
    if not isinstance(data, dict):
        reader.problem(
            (), "fact_unreadable", name="The file", value=str(data)[:40], expected="a table of facts", example="facts:"
        )
        return reader.result
    for key in data:
        if key not in _KEYS:
            reader.problem((key,), "fact_unknown", name=key, nearest=nearest(key, _KEYS))
    reader.result.date = reader.date(data.get("date"), ("date",), "date")
    observations: dict[str, list[Observation]] = {}
    relatives: dict[str, dict[str, list[Observation]]] = {}
    for name, one in reader.table(data.get("facts"), ("facts",)).items():
        reader.item(name, one, observations, relatives)
    records = {}
    for kind, entries in reader.table(data.get("records"), ("records",)).items():
        if kind not in protocol.vocabulary.records:
            reader.problem(
                ("records", kind), "fact_unknown", name=kind, nearest=nearest(kind, protocol.vocabulary.records)
            )
            continue
        listed = entries if isinstance(entries, list) else [entries]
        records[kind] = [
            reader.record(kind, reader.table(entry, ("records", kind, index)), index)
            for index, entry in enumerate(listed)
        ]
    reader.links(records)
    day = reader.result.date
    closed = _closed(reader, data.get("closed"), day)
    anchors = {
        name: [told]
        for name, text in reader.table(data.get("anchors"), ("anchors",)).items()
        if reader.known(name, protocol.vocabulary.anchors, ("anchors", name))
        and (told := reader.date(text, ("anchors", name), name))
    }
    persons = {person: Facts(own) for person, own in relatives.items()}
    reader.result.facts = Facts(observations, records, closed, anchors, persons)
    return reader.result


def _closed(reader: _Reader, data: Data, day: PartialDate | None) -> dict[str, PartialDate]:
    vocabulary = reader.protocol.vocabulary
    lists = {*vocabulary.records, *(item.absent_no for item in vocabulary.items.values() if item.absent_no)}
    if isinstance(data, list):
        names = [str(name) for index, name in enumerate(data) if reader.known(str(name), lists, ("closed", index))]
        return {name: day for name in names if day is not None}
    return {
        name: told
        for name, text in reader.table(data, ("closed",)).items()
        if reader.known(name, lists, ("closed", name)) and (told := reader.date(text, ("closed", name), name))
    }


@dataclass(slots=True)
class _Reader:
    protocol: Protocol
    marks: Mapping[Path, tuple[int, int]]
    file: str
    base: Path
    asked: PartialDate | None
    result: FactsFile = field(default_factory=FactsFile)

    def problem(self, path: Path, code: str, **values: object) -> None:
        self.found(path, finding(code, Where(), Grade.ERROR, **values))

    def found(self, path: Path, told: Finding) -> None:
        where: Where = place(self.marks, (*self.base, *path), self.file)
        self.result.findings.append(replace(told, where=where))

    def table(self, data: Data, path: Path) -> dict[str, Data]:
        if isinstance(data, dict):
            return data
        if data is not None:
            name = ".".join(map(str, path))
            expected, example = "a table of names with what is told of each", "date: 2026-03-09"
            self.problem(path, "fact_unreadable", name=name, value=str(data)[:40], expected=expected, example=example)
        return {}

    def known(self, name: str, names: Iterable[str], path: Path) -> bool:
        names = sorted(names)
        if name not in names:
            self.problem(path, "fact_unknown", name=name, nearest=nearest(name, names))
        return name in names

    def links(self, records: Mapping[str, list[RecordEntry]]) -> None:
        """A record names its parent by an identity that exists, and no two of a kind have the same."""
        for kind, entries in records.items():
            parents = [x.identity for x in records.get(self.protocol.vocabulary.records[kind].parent, ())]
            seen: set[str] = set()
            for index, x in enumerate(entries):
                if x.parent:
                    self.known(x.parent, parents, ("records", kind, index, "of"))
                if x.identity in seen:
                    self.problem(("records", kind, index, "id"), "key_repeated", key=x.identity)
                seen.add(x.identity)

    def date(self, data: Data, path: Path, name: str) -> PartialDate | None:
        if data is None:
            return None
        try:
            return partial_date(str(data))
        except ValueError:
            self.problem(path, "fact_unreadable", name=name, value=data, expected="a date", example="2026-03-09")
            return None

    def item(
        self,
        name: str,
        told: Data,
        observations: dict[str, list[Observation]],
        relatives: dict[str, dict[str, list[Observation]]],
    ) -> None:
        vocabulary = self.protocol.vocabulary
        person, _, own_name = name.rpartition(".")
        shared = vocabulary.relatives.get(person, frozenset()) if person else frozenset(vocabulary.items)
        if own_name not in shared:
            known = [*vocabulary.items, *(f"{p}.{i}" for p, items in vocabulary.relatives.items() for i in items)]
            self.problem(("facts", name), "fact_unknown", name=name, nearest=nearest(name, known))
            return
        target = relatives.setdefault(person, {}) if person else observations
        for index, one in enumerate(told if isinstance(told, list) else [told]):
            path: Path = ("facts", name, index) if isinstance(told, list) else ("facts", name)
            observation = self.observation(vocabulary.items[own_name], one, path, own_name)
            if observation is not None:
                target.setdefault(own_name, []).append(observation)

    def observation(self, item: Item, told: Data, path: Path, name: str) -> Observation | None:
        if not isinstance(told, dict):
            value = self.value(item, told, path, name)
            return None if value is None else Observation(value, self.result.date, entered=str(told))
        date = self.date(told.get("date"), (*path, "date"), f"the date of {item.name}") or self.result.date
        if "not_done" in told:
            return Observation(None, date, why=str(told["not_done"]))
        attributes: dict[str, Value] = {}
        for key, data in told.items():
            if key in ("value", "date", "normal"):
                continue
            if key not in item.attributes:
                self.problem((*path, key), "attribute_unknown", item=item.name, name=key)
                continue
            attribute = self.value(item.attributes[key], data, (*path, key))
            if attribute is not None:
                attributes[key] = attribute
        value = self.value(item, told.get("value"), path, name)
        normal = None
        if "normal" in told:
            low, _, high = str(told["normal"]).partition("..")
            unit = high.partition(" ")[2]
            ends = [self.value(item, f"{end.strip()} {unit}".strip(), path) for end in (low, high.partition(" ")[0])]
            if isinstance(ends[0], Amount) and isinstance(ends[1], Amount):
                normal = self.range(ends[0].interval.low, ends[1].interval.high, path)
        return None if value is None else Observation(value, date, attributes, str(told.get("value")), normal=normal)

    def range(self, low: Decimal, high: Decimal, path: Path) -> Interval | None:
        if low <= high:
            return Interval(low, high)
        self.problem(path, "range_empty", low=plain(low), high=plain(high))
        return None

    def record(self, kind: str, told: dict[str, Data], index: int) -> RecordEntry:
        fields = {}
        declared = self.protocol.vocabulary.records[kind].fields
        date = self.date(told.get("date"), ("records", kind, index, "date"), kind)
        for key, data in told.items():
            if key in ("id", "date", "of"):
                continue
            path: Path = ("records", kind, index, key)
            if key not in declared:
                self.problem(
                    path,
                    "field_unknown",
                    kind=kind,
                    name=key,
                    nearest=nearest(key, declared),
                    fields=", ".join(declared),
                )
                continue
            observation = self.observation(declared[key], data, path, f"{kind}.{key}")
            if observation is not None:
                if not (isinstance(data, dict) and "date" in data):
                    observation.date = date or observation.date
                fields[key] = observation
        return RecordEntry(kind, str(told.get("id", f"{kind}-{index + 1}")), date, fields, str(told.get("of") or ""))

    def value(self, item: Item, data: Data, path: Path, name: str = "") -> Value | None:
        """The value, judged by the limits of `name`, as the gate judges it."""
        text = {True: "yes", False: "no"}.get(data, "") if isinstance(data, bool) else str(data)
        entered = enter(item, text)
        if isinstance(entered, Finding):
            self.found(path, entered)
            return None
        limits = self.protocol.limits.get(name, NO_LIMITS)
        name = name or item.name
        if told := impossible(name, item, entered, limits) or implausible(name, item, entered, limits):
            self.found(path, told)
        day = self.asked or self.result.date
        if day and (told := born_after(self.protocol.vocabulary, item, entered.value, text, day)):
            self.found(path, told)
        return entered.value
