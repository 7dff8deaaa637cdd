"""From an assignment to facts, and from odd facts to plain ones that still answer the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

from trialwright.core.interval import WHOLE_LINE, Interval, contains, point
from trialwright.core.partial_date import PartialDate, on_day
from trialwright.core.truth import truth
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.solving import smt
from trialwright.language.solving.participant import Participant, Slot
from trialwright.language.solving.smt import Term
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value
from trialwright.language.vocabulary import Item

_TWELFTH = Decimal("1e-12")


def facts_of(model: Any, her: Participant) -> Facts:
    """Everything that an assignment says of a participant."""
    people: dict[str, dict[str, list[Observation]]] = {"": {}}
    for (person, name), slots in her.observations.items():
        told = [_observation(model, slot, her.vocabulary.items[name], her) for slot in slots if _used(model, slot)]
        if told:
            people.setdefault(person, {})[name] = told
    records = {kind: _records(model, kind, her) for kind in her.records}
    anchors = {name: [_day(model, slot, her)] for name, slot in her.anchors.items() if _used(model, slot)}
    closed = dict.fromkeys(sorted(her.lists), on_day(her.bounds.today))
    relatives = {person: Facts(own) for person, own in people.items() if person}
    return Facts(people[""], records, closed, anchors, relatives)


def _used(model: Any, slot: Slot) -> bool:
    return smt.holds(model, slot.used)


def _day(model: Any, slot: Slot, her: Participant) -> PartialDate:
    return on_day(her.bounds.today + timedelta(days=int(smt.number(model, slot.day))))


def _observation(model: Any, slot: Slot, item: Item, her: Participant) -> Observation:
    attributes = {name: _value(model, slot.fields[name], item.attributes[name], her) for name in slot.fields}
    normal = None
    if slot.normal is not None:
        low, high = (_decimal(smt.number(model, end)) for end in slot.normal)
        normal = Interval(min(low, high), max(low, high))
    return Observation(_value(model, slot.value, item, her), _day(model, slot, her), attributes, normal=normal)


def _records(model: Any, kind: str, her: Participant) -> list[RecordEntry]:
    declared, entries = her.vocabulary.records[kind], []
    for index, slot in enumerate(her.records[kind]):
        if not _used(model, slot):
            continue
        date = _day(model, slot, her)
        fields = {
            name: Observation(_value(model, term, declared.fields[name], her), date)
            for name, term in slot.fields.items()
        }
        parent = "" if slot.parent is None else f"{declared.parent}-{int(smt.number(model, slot.parent)) + 1}"
        entries.append(RecordEntry(kind, f"{kind}-{index + 1}", date, fields, parent))
    return entries


def _value(model: Any, term: Term, item: Item, her: Participant) -> Value:
    if item.kind in ("yes_no", "attestation"):
        return Answer(truth(smt.holds(model, term)))
    number = smt.number(model, term)
    if item.kind == "category":
        return Kinds(frozenset({next(name for name, code in her.codes.items() if code == number)}))
    if item.kind == "date":
        day = on_day(her.bounds.today + timedelta(days=int(number)))
        return Moment(day.earliest, day.latest)
    return Amount(point(_decimal(number)))


def _decimal(number: Fraction) -> Decimal:
    """The number as a decimal: exact where it is one, else to twelve places."""
    value = Decimal(number.numerator) / Decimal(number.denominator)
    return value if Fraction(value) == number else value.quantize(_TWELFTH, ROUND_HALF_EVEN)


# ---------------------------------------------------------------- plainer


def plainer(facts: Facts, holds: Callable[[Facts], bool], ranges: Mapping[str, Interval], today: PartialDate) -> Facts:
    """The facts with less in them, of the reference day, and in round numbers, as far as `holds` still holds."""
    facts = _without(facts, holds)
    told = [(x, _limits(names, ranges)) for names, x in _everything(facts)]
    _change([(x, _typical(x, limits)) for x, limits in told], facts, holds)
    for names, x in _everything(facts):
        if (names[0] in facts.observations or names[0] in facts.relatives) and x.date != today:
            _change([(x, replace(x, date=today))], facts, holds)
    for x, limits in told:
        for other in (_typical(x, limits), *_rounder(x, limits)):
            if _change([(x, other)], facts, holds):
                break
        if x.normal is not None and isinstance(x.value, Amount):
            _change([(x, replace(x, normal=_around(x.value.interval.low)))], facts, holds)
    return facts


def _limits(names: tuple[str, ...], ranges: Mapping[str, Interval]) -> Interval:
    return ranges.get(".".join(names)) or ranges.get(names[-1]) or WHOLE_LINE


def _typical(told: Observation, limits: Interval) -> Observation:
    """In the middle of the range, and of a reference range of its own."""
    if not isinstance(told.value, Amount) or limits == WHOLE_LINE:
        return told
    middle = ((limits.low + limits.high) / 2).quantize(Decimal(1), ROUND_HALF_EVEN)
    if not contains(limits, middle):
        return told
    normal = None if told.normal is None else _around(middle)
    return replace(told, value=Amount(point(middle)), normal=normal)


def _rounder(told: Observation, limits: Interval) -> Iterator[Observation]:
    if isinstance(told.value, Amount):
        for places in ("1", "0.1", "0.01", "0.001", "0.000001"):
            value = told.value.interval.low.quantize(Decimal(places), ROUND_HALF_EVEN)
            if contains(limits, value):
                yield replace(told, value=Amount(point(value)))


def _around(value: Decimal) -> Interval:
    half = (abs(value) / 2).quantize(Decimal("0.1"))
    return Interval(value - half, value + half)


def _change(changes: Sequence[tuple[Observation, Observation]], facts: Facts, holds: Callable[[Facts], bool]) -> bool:
    """Put the others in their places, and keep them if all still holds."""
    before = [(told, replace(told)) for told, _ in changes]
    for pairs in (changes, before):
        for told, other in pairs:
            told.value, told.date, told.normal = other.value, other.date, other.normal
        if pairs is changes and holds(facts):
            return True
    return False


def _everything(facts: Facts) -> Iterator[tuple[tuple[str, ...], Observation]]:
    for name, observations in facts.observations.items():
        for told in observations:
            yield (name,), told
    for person, own in facts.relatives.items():
        for name, observations in own.observations.items():
            for told in observations:
                yield (person, name), told
    for kind, entries in facts.records.items():
        for entry in entries:
            for name, told in entry.fields.items():
                yield (kind, name), told


def _without(facts: Facts, holds: Callable[[Facts], bool]) -> Facts:
    """Without what the answer does not need; a record that another belongs to stays."""
    for name in list(facts.observations):
        for told in list(facts.observations[name]):
            kept = [x for x in facts.observations[name] if x is not told]
            fewer = replace(facts, observations={**facts.observations, name: kept})
            facts = fewer if holds(fewer) else facts
    for kind in list(facts.records):
        for entry in list(facts.records[kind]):
            if any(x.parent == entry.identity for entries in facts.records.values() for x in entries):
                continue
            others = [x for x in facts.records[kind] if x is not entry]
            without = replace(facts, records={**facts.records, kind: others})
            facts = without if holds(without) else facts
    return facts
