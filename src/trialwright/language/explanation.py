"""An explained answer: the clause, its value, the records it used, and its parts.

Named tuples: an explanation makes hundreds of them, and they are the cheapest frozen values.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from trialwright.language import typed as t
from trialwright.language.facts import Observation
from trialwright.language.values import Amount, Answer, Value


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
    """An answer, the clause it answers, what it used, how far from the limit, and its parts."""

    node: t.Typed
    value: Value
    uses: tuple[Use, ...] = ()
    parts: tuple[Explanation, ...] = ()
    distance: Decimal | None = None


def use(name: str, unit: str, x: Observation) -> Use:
    """The use of one observation."""
    return Use(name, x.value, unit, x.entered, x.date.text if x.date else "", x.event, x.why)


def amount_of(value: Value | None) -> Amount:
    """The value as a number."""
    assert isinstance(value, Amount), "the checker lets only amounts be counted with"
    return value


def answer_of(value: Value) -> Answer:
    """The value as a truth."""
    assert isinstance(value, Answer), "the checker lets only conditions be joined"
    return value
