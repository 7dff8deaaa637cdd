"""Values as people enter them: read once, normalised once, kept as entered and as used.

`enter` turns what was typed into a value in the item's canonical unit, or says what is wrong with it. `encode` and
`decode` are the value's one form in a ledger: quantities as decimal strings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from trialwright.core import units
from trialwright.core.finding import Finding, finding
from trialwright.core.interval import INFINITY, ZERO, Interval, is_point, number, plain, point
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.core.units import COUNT
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value
from trialwright.language.vocabulary import Item
from trialwright.protocol.naming import nearest

Encoded: TypeAlias = "dict[str, str | bool | list[str]]"

_TYPED = re.compile(r"([<>]=?)?\s*(-?[\d.]+(?:[eE][-+]?\d+)?)\s*(\S.*)?")
_EXAMPLES = {"date": "1994-05", "yes_no": "yes", "attestation": "yes", "count": "7"}


@dataclass(frozen=True, slots=True)
class Entered:
    """A value in the canonical unit of its item, and the text it was entered as."""

    value: Value
    text: str


def enter(item: Item, text: str) -> Entered | Finding:
    """The value that was typed for an item, or a finding that says what was expected.

    >>> from trialwright.core.units import unit
    >>> amh = Item("amh", "quantity", unit("ng/mL") or COUNT, molar_mass=units.Fraction(140000))
    >>> enter(amh, "<0.16 ng/mL").value
    Amount(interval=Interval(low=Decimal('0'), high=Decimal('0.16'), low_open=False, high_open=True), \
undefined=<Truth.NO: 'no'>, why='')
    """
    text = text.strip()
    match item.kind:
        case "quantity" | "count":
            return _amount(item, text)
        case "category":
            if text in item.categories:
                return Entered(Kinds(frozenset({text})), text)
            expected = "one of " + ", ".join(item.categories) + "." + nearest(text, item.categories).rstrip(".")
            return _unreadable(item, text, expected.rstrip("."))
        case "yes_no" | "attestation":
            if text in ("yes", "no"):
                return Entered(Answer(Truth(text)), text)
            return _unreadable(item, text, "yes or no")
        case "date":
            try:
                told = partial_date(text)
            except ValueError:
                return _unreadable(item, text, "a date")
            return Entered(Moment(told.earliest, told.latest), text)
        case "age":
            return _unreadable(item, text, f"entered: it is counted from {item.born}")


def encode(value: Value, text: str) -> Encoded:
    """The form of a value in a ledger's payload; `text` is kept as entered."""
    match value:
        case Amount(interval):
            if is_point(interval):
                return {"entered": text, "value": plain(interval.low)}
            encoded: Encoded = {"entered": text, "low": str(interval.low), "high": str(interval.high)}
            if interval.low_open:
                encoded["low_open"] = True
            if interval.high_open:
                encoded["high_open"] = True
            return encoded
        case Kinds(possible):
            return {"entered": text, "one_of": sorted(possible)}
        case Moment():
            return {"entered": text, "date": text}
        case Answer(found):
            return {"entered": text, "answer": found.value}


def decode(encoded: Mapping[str, object]) -> Value:
    """The value that `encode` wrote."""
    if "value" in encoded:
        return _point(str(encoded["value"]))
    if "one_of" in encoded:
        names = encoded["one_of"]
        return _kinds(tuple(map(str, names)) if isinstance(names, list) else ())
    if "answer" in encoded:
        return _ANSWERS[str(encoded["answer"])]
    if "date" in encoded:
        told = partial_date(str(encoded["date"]))
        return Moment(told.earliest, told.latest)
    low, high = Decimal(str(encoded["low"])), Decimal(str(encoded["high"]))
    return Amount(Interval(low, high, bool(encoded.get("low_open")), bool(encoded.get("high_open"))))


# values never change, so that one stands for all that say the same


@lru_cache(maxsize=65536)
def _point(text: str) -> Amount:
    return Amount(point(Decimal(text)))


@lru_cache(maxsize=4096)
def _kinds(names: tuple[str, ...]) -> Kinds:
    return Kinds(frozenset(names))


_ANSWERS = {found.value: Answer(found) for found in Truth}


def _amount(item: Item, text: str) -> Entered | Finding:
    match = _TYPED.fullmatch(text)
    value = number(match[2]) if match else None
    if match is None or value is None:
        return _unreadable(item, text, "a number" + (f" in {item.unit.code}" if item.unit != COUNT else ""))
    sign, typed_unit = match[1] or "", (match[3] or "").strip()
    if item.unit == COUNT and not typed_unit:
        converted = value
    else:
        unit = units.understood(typed_unit) if typed_unit else None
        if unit is None:
            return _wrong_unit(item, text)
        try:
            converted = units.convert(value, unit, item.unit, item.molar_mass)
        except ValueError:
            return _wrong_unit(item, text)
    if item.kind == "count" and converted != converted.to_integral_value():
        return _unreadable(item, text, "a whole number")
    return Entered(Amount(_span(sign, converted, item)), text)


def _span(sign: str, value: Decimal, item: Item) -> Interval:
    """A result below or above a limit is what may lie behind it; zero bounds what cannot be negative."""
    least = -INFINITY if item.negative or value < 0 or (value == 0 and sign == "<") else ZERO
    match sign:
        case "<":
            return Interval(least, value, high_open=True)
        case "<=":
            return Interval(least, value)
        case ">":
            return Interval(value, INFINITY, low_open=True)
        case ">=":
            return Interval(value, INFINITY)
        case _:
            return point(value)


def _unreadable(item: Item, text: str, expected: str) -> Finding:
    example = _EXAMPLES.get(item.kind) or (item.categories[0] if item.categories else f"1.5 {item.unit.code}")
    return finding("fact_unreadable", name=item.name, value=text, expected=expected, example=example)


def _wrong_unit(item: Item, text: str) -> Finding:
    return finding("fact_unit", name=item.name, value=text, unit=item.unit.code, example=f"1.5 {item.unit.code}")
