"""Facts of many participants into the tables of a source: for tests, and for a site's own ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

# pyarrow comes with ibis-framework[duckdb], which hands tables over in no other way
import pyarrow as pa

from trialwright.core.finding import Refused, finding
from trialwright.core.interval import Interval, is_point
from trialwright.core.partial_date import PartialDate
from trialwright.core.truth import Truth
from trialwright.language.compiling.engine import PRECISION, SCALE, loaded
from trialwright.language.compiling.quantities import stored
from trialwright.language.compiling.source import Source, columns_of, mask_of
from trialwright.language.facts import NO_FACTS, Facts, Observation, RecordEntry
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value
from trialwright.language.vocabulary import Item, Record, Vocabulary

Row: TypeAlias = dict[str, Any]

_NUMBER = pa.decimal128(PRECISION, SCALE)
_TYPES = {
    "low": _NUMBER, "high": _NUMBER, "low_open": pa.bool_(), "high_open": pa.bool_(), "mask": pa.int64(),
    "earliest": pa.timestamp("us"), "latest": pa.timestamp("us"), "has_value": pa.bool_(), "observation": pa.int64(),
}  # fmt: skip
#: What a source of points leaves out, and so promises.
_LEFT_OUT = ("high", "low_open", "high_open", "latest", "has_value")
_MASKS = {Truth.NO: 1, Truth.YES: 2, Truth.UNKNOWN: 3}


def source_from_facts(
    connection: Any,
    vocabulary: Vocabulary,
    people: Mapping[str, tuple[Facts, PartialDate]],
    points_only: bool = False,
    prefix: str = "trialwright",
) -> Source:
    """The facts of each participant, and when they are asked, as tables of an Ibis connection.

    `points_only` promises that every value and every date is one, every result is there, every list is closed and
    every anchor reached once; what breaks the promise is refused.
    """
    loading = _Loading(vocabulary, points_only, records={kind: [] for kind in vocabulary.records})
    for participant, (facts, when) in people.items():
        _participant(loading, participant, facts, when)
    _attributes_fit(loading)

    def table(name: str, columns: Sequence[str], rows: list[Row]) -> Any:
        kept = [column for column in columns if not (points_only and _left_out(column))]
        schema = pa.schema([(column, _type(column)) for column in kept])
        told = pa.table({column: [row.get(column) for row in rows] for column in kept}, schema=schema)
        return loaded(connection, f"{prefix}_{name}", told)

    return Source(
        table("participants", ("participant", "earliest", "latest"), loading.participants),
        table("observations", loading.columns, loading.observations),
        {
            kind: table(f"record_{kind}", _record_columns(record, points_only), loading.records[kind])
            for kind, record in vocabulary.records.items()
        },
        None if points_only else table("closings", ("participant", "person", "list", *_DATE), loading.closings),
        table("anchors", ("participant", "anchor", *_DATE), loading.anchors),
    )


_DATE = ("earliest", "latest")


@dataclass(slots=True)
class _Loading:
    """Rows of every table, while they are gathered."""

    vocabulary: Vocabulary
    points_only: bool
    participants: list[Row] = field(default_factory=list)
    observations: list[Row] = field(default_factory=list)
    records: dict[str, list[Row]] = field(default_factory=dict)
    closings: list[Row] = field(default_factory=list)
    anchors: list[Row] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)


def _participant(loading: _Loading, participant: str, facts: Facts, when: PartialDate) -> None:
    vocabulary = loading.vocabulary
    loading.participants.append({"participant": participant} | _date(loading, when))
    for person, items in (("", frozenset(vocabulary.items)), *vocabulary.relatives.items()):
        known = facts.relatives.get(person, NO_FACTS) if person else facts
        for name in sorted(items & vocabulary.items.keys()):
            for x in known.observations.get(name, ()):
                row = _observation(loading, vocabulary.items[name], x)
                own = {"participant": participant, "person": person, "item": name}
                loading.observations.append(own | row | {"observation": len(loading.observations)})
        for name in sorted(_lists(vocabulary)):
            if (closed := known.closed.get(name)) is not None:
                own = {"participant": participant, "person": person, "list": name}
                loading.closings.append(own | _date(loading, closed))
    for anchor in sorted(vocabulary.anchors):
        reached = facts.anchors.get(anchor, ())
        if loading.points_only and len(reached) > 1:
            _refuse(f"{anchor}, reached more than once")
        loading.anchors += [{"participant": participant, "anchor": anchor} | _date(loading, x) for x in reached]
    for kind in vocabulary.records:
        told = facts.records.get(kind, ())
        if len({x.identity for x in told}) < len(told):
            raise Refused(finding("compile_twice", kind=kind, participant=participant))
        loading.records[kind] += [
            {"participant": participant} | _record(loading, vocabulary.records[kind], x) for x in told
        ]


def _observation(loading: _Loading, item: Item, x: Observation) -> Row:
    row: Row = {"has_value": x.value is not None}
    if loading.points_only and x.value is None:
        _refuse(f"{item.name}, without a result")
    row |= _value(loading, "", item, x.value) | _dated(loading, "date_", x.date)
    if x.normal is not None:
        row |= {"normal_low": _number(x.normal.low), "normal_high": _number(x.normal.high)}
    for name, attribute in item.attributes.items():
        if name in x.attributes:
            row |= _value(loading, f"{name}_", attribute, x.attributes[name])
    return row


def _record(loading: _Loading, record: Record, x: RecordEntry) -> Row:
    row: Row = {"identity": x.identity, "parent": x.parent or None} | _dated(loading, "date_", x.date)
    for name, item in record.fields.items():
        told = x.fields.get(name)
        if told is None:
            continue
        row |= _value(loading, f"{name}_", item, told.value)
        if not loading.points_only:
            row |= _dated(loading, f"{name}_date_", told.date or x.date)
        elif told.date is not None and told.date != x.date:
            _refuse(f"{record.name}.{name}, told on a day of its own")
    return row


# ---------------------------------------------------------------- values


def _value(loading: _Loading, prefix: str, item: Item, value: Value | None) -> Row:
    match value:
        case Amount(interval, undefined):
            assert undefined is Truth.NO
            if loading.points_only and not is_point(interval):
                _refuse(f"{item.name}, {interval}")
            return {prefix + name: end for name, end in _interval(interval).items()}
        case Kinds(possible):
            return {prefix + "mask": mask_of(possible, item.categories)}
        case Answer(truth):
            return {prefix + "mask": _MASKS[truth]}
        case Moment(earliest, latest):
            if loading.points_only and not _is_day(earliest, latest):
                _refuse(f"{item.name}, a date that is no whole day")
            return {prefix + "earliest": earliest, prefix + "latest": latest}
    return {}


def _interval(x: Interval) -> Row:
    return {"low": _number(x.low), "high": _number(x.high), "low_open": x.low_open, "high_open": x.high_open}


def _number(value: Decimal) -> Decimal | None:
    if value.is_infinite():
        return None
    kept = stored(value)
    if kept is None:
        raise Refused(finding("compile_number", number=f"{value:g}", digits=PRECISION - SCALE, decimals=SCALE))
    return kept


def _dated(loading: _Loading, prefix: str, date: PartialDate | None) -> Row:
    if date is None:
        if loading.points_only:
            _refuse("something without a date")
        return {}
    return {prefix + name: moment for name, moment in _date(loading, date).items()}


def _date(loading: _Loading, date: PartialDate) -> Row:
    if loading.points_only and not _is_day(date.earliest, date.latest):
        _refuse(f"{date}, which is no whole day")
    return {"earliest": date.earliest, "latest": date.latest}


def _is_day(earliest: Any, latest: Any) -> bool:
    return (
        earliest is not None
        and (earliest.date(), earliest.time().isoformat()) == (latest.date(), "00:00:00")
        and (latest.time().isoformat() == "23:59:00")
    )


def _refuse(what: str) -> None:
    raise Refused(finding("compile_no_point", what=what))


# ---------------------------------------------------------------- columns


def _lists(vocabulary: Vocabulary) -> set[str]:
    return {*vocabulary.records, *(item.absent_no for item in vocabulary.items.values() if item.absent_no)}


def _attributes_fit(loading: _Loading) -> None:
    """The columns of observations: own values, and those of every attribute that an item has."""
    columns = dict.fromkeys(("participant", "person", "item", "observation", "has_value"))
    columns |= dict.fromkeys(("low", "high", "low_open", "high_open", "mask", "earliest", "latest"))
    columns |= dict.fromkeys(("date_earliest", "date_latest", "normal_low", "normal_high"))
    for item in loading.vocabulary.items.values():
        for name, attribute in item.attributes.items():
            columns |= dict.fromkeys(_prefixed(name, attribute))
    loading.columns = list(columns)


def _record_columns(record: Record, points_only: bool) -> list[str]:
    columns = ["participant", "identity", "parent", "date_earliest", "date_latest"]
    for name, item in record.fields.items():
        columns += _prefixed(name, item)
        if not points_only:
            columns += [f"{name}_date_earliest", f"{name}_date_latest"]
    return columns


def _prefixed(name: str, item: Item) -> Iterable[str]:
    return (f"{name}_{column}" for column in columns_of(item))


def _left_out(column: str) -> bool:
    return any(column == name or column.endswith(f"_{name}") for name in _LEFT_OUT) and column != "normal_high"


def _type(column: str) -> Any:
    for name in _endings(column):
        if name in _TYPES:
            return _TYPES[name]
    return pa.string()


def _endings(column: str) -> Iterator[str]:
    words = column.split("_")
    for start in range(len(words)):
        yield "_".join(words[start:])
