"""Facts as formulas: a participant who is exactly these facts, as far as they are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import permutations
from typing import TypeVar

from trialwright.core.interval import Interval
from trialwright.core.partial_date import PartialDate, on_day
from trialwright.core.truth import Truth
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.solving import smt
from trialwright.language.solving.bounds import day_of, last_day
from trialwright.language.solving.participant import Participant, Slot, among_codes
from trialwright.language.solving.smt import Term
from trialwright.language.time import at_or_before
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value

_T = TypeVar("_T", Observation, RecordEntry)


def exactly(facts: Facts, her: Participant) -> Term:
    """That she is these facts, every observation with a result, and no others, by the reference day.

    What the facts leave open (an interval, a month, a missing field) stays free. Only the names that some rule
    asked for are constrained. More observations than slots are impossible.
    """
    terms: list[Term] = []
    for (person, name), slots in her.observations.items():
        own = facts.relatives.get(person, Facts()) if person else facts
        terms.append(_in_some_order(slots, _in_bounds(own.observations.get(name, ()), her), her))
    for kind, slots in her.records.items():
        terms.append(_in_some_order(slots, _in_bounds(facts.records.get(kind, ()), her), her))
        parent = her.vocabulary.records[kind].parent
        if parent:
            terms += _links(kind, parent, facts, her)
    for name, slot in her.anchors.items():
        told = facts.anchors.get(name, ())
        terms.append(smt.all_of([slot.used, _on(slot, told[0], her)]) if told else smt.negate(slot.used))
    return smt.all_of(terms)


def _in_some_order(slots: Sequence[Slot], told: Sequence[_T], her: Participant) -> Term:
    """In every order that the dates allow; the last slots are the ones in use."""
    if len(told) > len(slots):
        return False
    free: int = len(slots) - len(told)
    used: list[Slot] = list(slots[free:])
    orders = [
        smt.all_of(
            smt.all_of([_is(slot, told[place], her), _place(slot) == place])
            for slot, place in zip(used, order, strict=True)
        )
        for order in permutations(range(len(told)))
        if all(_may_precede(told[x], told[y]) for place, x in enumerate(order) for y in order[place:])
    ]
    return smt.all_of([*(smt.negate(x.used) for x in slots[:free]), *(x.used for x in used), smt.any_of(orders)])


def _may_precede(one: Observation | RecordEntry, other: Observation | RecordEntry) -> bool:
    earliest = one.date.earliest if one.date else datetime.min
    return earliest <= (other.date.latest if other.date else datetime.max)


def _is(slot: Slot, told: Observation | RecordEntry, her: Participant) -> Term:
    terms = [_on(slot, told.date, her)] if told.date else []
    if isinstance(told, RecordEntry):
        terms += [_equals(slot.fields[name], x.value, her) for name, x in told.fields.items() if name in slot.fields]
        return smt.all_of(terms)
    terms.append(_equals(slot.value, told.value, her))
    terms += [_equals(slot.fields[name], x, her) for name, x in told.attributes.items() if name in slot.fields]
    if slot.normal is not None and told.normal is not None:
        low, high = smt.constant(told.normal.low), smt.constant(told.normal.high)
        terms += [slot.normal[0] == low, slot.normal[1] == high]
    return smt.all_of(terms)


def _on(slot: Slot, date: PartialDate, her: Participant) -> Term:
    first, last = day_of(date.earliest.date(), her.bounds), day_of(date.latest.date(), her.bounds)
    return smt.all_of([slot.day >= first, slot.day <= last])


def _equals(term: Term, value: Value | None, her: Participant) -> Term:
    match value:
        case Amount(interval):
            return smt.all_of(_inside(term, interval))
        case Kinds(possible):
            return among_codes(term, sorted(possible), her)
        case Answer(found):
            return True if found is Truth.UNKNOWN else smt.same(found is Truth.YES, term)
        case Moment(earliest, latest):
            ends = [day_of(x.date(), her.bounds) if x else None for x in (earliest, latest)]
            return True if None in ends else smt.all_of([term >= ends[0], term <= ends[1]])
        case None:  # pragma: no branch - the last of them
            return True


def _inside(term: Term, interval: Interval) -> Iterator[Term]:
    if interval.low.is_finite():
        low = smt.constant(interval.low)
        yield term > low if interval.low_open else term >= low
    if interval.high.is_finite():
        high = smt.constant(interval.high)
        yield term < high if interval.high_open else term <= high


def _links(kind: str, parent: str, facts: Facts, her: Participant) -> Iterator[Term]:
    """Each record belongs to the slot that is its parent; one whose parent was not recorded may have any."""
    places = {x.identity: place for place, x in enumerate(_in_bounds(facts.records.get(parent, ()), her))}
    for slot in her.records[kind]:
        for place, told in enumerate(_in_bounds(facts.records.get(kind, ()), her)):
            if told.parent in places:
                theirs = [
                    smt.all_of([slot.parent == j, _place(x) == places[told.parent]])
                    for j, x in enumerate(her.records[parent])
                ]
                yield smt.implies(smt.all_of([slot.used, _place(slot) == place]), smt.any_of(theirs))


def _place(slot: Slot) -> Term:
    """Which of the told records a slot holds."""
    return smt.variable(f"{slot.name}~", "int")


def _in_bounds(told: Sequence[_T], her: Participant) -> list[_T]:
    """Without what happened after the last day: no rule that is asked by then looks at it."""
    last = on_day(her.bounds.today + timedelta(days=last_day(her.bounds)))
    return [x for x in told if at_or_before(x.date, last) is not Truth.NO]
