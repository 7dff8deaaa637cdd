"""What an entered value may be, at the gate and in screening: the impossible is refused, the odd is asked about."""

from __future__ import annotations

from trialwright.core import units
from trialwright.core.finding import Finding, Grade, finding
from trialwright.core.interval import INFINITY, ZERO, Interval, contains, is_point, number, plain
from trialwright.core.partial_date import PartialDate
from trialwright.language.values import Amount, Moment, Value
from trialwright.language.vocabulary import Item, Vocabulary
from trialwright.protocol.entry import Entered
from trialwright.protocol.protocol import Limits

_FROM_ZERO = Interval(ZERO, INFINITY)
#: Units in which laboratories report what has a molar mass: a number may belong to another one than was typed.
_REPORTED = ("ng/mL", "ng/dL", "pg/mL", "nmol/L", "pmol/L")


def within(entered: Entered, limits: Interval) -> bool:
    """Whether a value may lie within limits; what is only known to lie below a detection limit may."""
    if not isinstance(entered.value, Amount):
        return True
    interval = entered.value.interval
    if is_point(interval):
        return contains(limits, interval.low)
    return interval.low <= limits.high and interval.high >= limits.low


def impossible(name: str, item: Item, entered: Entered, limits: Limits) -> Finding | None:
    """That a value cannot be: outside its possible range or, where the protocol gives none, below zero."""
    possible = limits.possible or (None if item.negative else _FROM_ZERO)
    if possible is None or within(entered, possible):
        return None
    return finding("value_impossible", name=name, value=entered.text, range=possible, unit=item.unit.code)


def implausible(name: str, item: Item, entered: Entered, limits: Limits) -> Finding | None:
    """That a value is odd: outside its plausible range; and in which other unit it would not be."""
    if limits.plausible is None or within(entered, limits.plausible):
        return None
    span = f"{plain(limits.plausible.low)} to {plain(limits.plausible.high)}"
    other = _other_unit(entered, item, limits)
    return finding(
        "query_implausible", grade=Grade.WARNING,
        name=name, value=entered.text, range=span, unit=item.unit.code, other=other,
    )  # fmt: skip


def born_after(vocabulary: Vocabulary, item: Item, value: Value, text: str, when: PartialDate) -> Finding | None:
    """That somebody would be born after the day of which the birth date is told."""
    born = item.name in {one.born for one in vocabulary.items.values()}
    if not born or not isinstance(value, Moment) or value.earliest is None or value.earliest <= when.latest:
        return None
    return finding("birth_ahead", name=item.name, value=text, day=when)


def _other_unit(entered: Entered, item: Item, limits: Limits) -> str:
    """A sentence where the same number would be plausible in another unit: a question, never a silent change."""
    typed = number(entered.text.split(" ")[0])
    if item.molar_mass is None or typed is None or limits.plausible is None:
        return ""
    for code in _REPORTED:
        other = units.unit(code)
        if other is not None and code not in (item.unit.code, entered.text.partition(" ")[2]):
            meant = units.convert(typed, other, item.unit, item.molar_mass)
            if contains(limits.plausible, meant):
                return f" In {code} it would be plausible; was the unit mistaken?"
    return ""
