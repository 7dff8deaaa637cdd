"""An explained answer: the clause, its value, what was recorded that it rests on, and its parts.

It holds references alone. What people read of it, uses and distances, is made when it is read: most are not.
Named tuples: an explanation makes hundreds of them, and they are the cheapest frozen values.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from trialwright.core.interval import ARITHMETIC, Interval, is_point
from trialwright.core.truth import NO
from trialwright.language import typed as t
from trialwright.language.facts import Observation, RecordEntry
from trialwright.language.values import Amount, Answer, Value, scaled


class Use(NamedTuple):
    """A recorded value that an answer rests on."""

    item: str
    value: Value | None
    unit: str
    entered: str
    date: str
    event: int
    why: str = ""


class Explanation(NamedTuple):
    """An answer, the clause it answers, the observations or records that it rests on by itself, and its parts."""

    node: t.Typed
    value: Value
    rests_on: tuple[Observation | RecordEntry, ...] = ()
    parts: tuple[Explanation, ...] = ()

    @property
    def uses(self) -> tuple[Use, ...]:
        """What it rests on, as it was recorded."""
        return tuple([_use(self.node, x) for x in self.rests_on])

    @property
    def distance(self) -> Decimal | None:
        """How far a number is from the nearest limit; None where it is held against none, or either is not a point."""
        match self.node:
            case t.Comparison(factor=factor):
                left, right = self.parts
                limit = _known(scaled(right.value, factor))
                return _distance(_known(left.value), limit.low) if limit is not None and is_point(limit) else None
            case t.IsAmong(among=t.Among(interval=Interval(low, high))):
                return _distance(_known(self.parts[0].value), low, high)
            case _:
                return None


def amount_of(value: Value | None) -> Amount:
    """The value as a number."""
    assert isinstance(value, Amount), "the checker lets only amounts be counted with"
    return value


def answer_of(value: Value) -> Answer:
    """The value as a truth."""
    assert isinstance(value, Answer), "the checker lets only conditions be joined"
    return value


def _use(node: t.Typed, x: Observation | RecordEntry) -> Use:
    match node:
        case t.FieldOf(item=item):
            assert isinstance(x, RecordEntry)
            assert item is not None
            return _observed(f"{node.name} [{x.identity}]", item.unit.code, x.fields[item.name])
        case t.Age():
            assert isinstance(x, Observation)
            return _observed(node.name, "", x)
        case t.ItemAggregate():
            assert isinstance(x, Observation)
            return _observed(node.name, node.item.unit.code, x)
        case _:
            assert isinstance(x, RecordEntry)
            return Use(x.kind, None, "", x.identity, x.date.text if x.date else "", x.event)


def _observed(name: str, unit: str, x: Observation) -> Use:
    return Use(name, x.value, unit, x.entered, x.date.text if x.date else "", x.event, x.why)


def _known(value: Value) -> Interval | None:
    return value.interval if isinstance(value, Amount) and value.undefined is NO else None


def _distance(x: Interval | None, *limits: Decimal) -> Decimal | None:
    if x is None or not is_point(x):
        return None
    return min([ARITHMETIC.subtract(x.low, limit).copy_abs() for limit in limits])
