"""A quantity is what is known about it: an interval of decimals, each end open or closed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException
from typing import TypeAlias

from trialwright.core.truth import NO, UNKNOWN, YES, Truth

INFINITY = Decimal("Infinity")
ZERO = Decimal(0)

#: Every sum, product and quotient is taken here: 34 digits, the precision of IEEE decimal128.
ARITHMETIC = Context(prec=34, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Interval:
    """All values from `low` to `high`, an end left out where it is open; an infinite end is always open.

    >>> print(Interval(Decimal(0), Decimal("0.16"), high_open=True))
    [0, 0.16)
    """

    low: Decimal
    high: Decimal
    low_open: bool = False
    high_open: bool = False

    def __post_init__(self) -> None:
        if self.low.is_finite() and self.low == self.high and not self.low_open and not self.high_open:
            return  # a point, as nearly all are
        if self.low.is_nan() or self.high.is_nan():
            raise ValueError("an interval has no undefined end")
        if self.low.is_infinite():
            object.__setattr__(self, "low_open", True)
        if self.high.is_infinite():
            object.__setattr__(self, "high_open", True)
        if self.low > self.high or (self.low == self.high and (self.low_open or self.high_open)):
            raise ValueError(f"no value lies between {self.low} and {self.high}")

    def __str__(self) -> str:
        if self.low == self.high:
            return plain(self.low)
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"{left}{plain(self.low)}, {plain(self.high)}{right}"


WHOLE_LINE = Interval(-INFINITY, INFINITY)


def plain(number: Decimal) -> str:
    """The number without exponent and without trailing zeros.

    >>> plain(Decimal("5.80E+7")), plain(Decimal("-Infinity"))
    ('58000000', '-∞')
    """
    if number.is_infinite():
        return "∞" if number > 0 else "-∞"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def point(value: Decimal) -> Interval:
    """The interval that holds one value."""
    return Interval(value, value)


def is_point(x: Interval) -> bool:
    """Whether exactly one value is possible."""
    return x.low == x.high


def hull(x: Interval, y: Interval) -> Interval:
    """The smallest interval that holds both."""
    if x.low == y.low:
        low, low_open = x.low, x.low_open and y.low_open
    else:
        low, low_open = (x.low, x.low_open) if x.low < y.low else (y.low, y.low_open)
    if x.high == y.high:
        high, high_open = x.high, x.high_open and y.high_open
    else:
        high, high_open = (x.high, x.high_open) if x.high > y.high else (y.high, y.high_open)
    return Interval(low, high, low_open, high_open)


def less(x: Interval, y: Interval) -> Truth:
    """Whether x < y for every possible pair (yes), for none (no), or for some (unknown).

    >>> less(Interval(Decimal(0), Decimal(2), high_open=True), point(Decimal(2)))
    <Truth.YES: 'yes'>
    """
    if x.high < y.low or (x.high == y.low and (x.high_open or y.low_open)):
        return YES
    return NO if x.low >= y.high else UNKNOWN


def less_or_equal(x: Interval, y: Interval) -> Truth:
    """Whether x <= y for every possible pair (yes), for none (no), or for some (unknown)."""
    return ~less(y, x)


def between(x: Interval, low: Decimal, high: Decimal) -> Truth:
    """Whether low <= x <= high for every possible value (yes), for none (no), or for some (unknown).

    A bound at infinity, as of a reference range `>= 0.8`, holds for all.

    >>> between(point(Decimal(5)), Decimal(0), INFINITY)
    <Truth.YES: 'yes'>
    """
    if low <= x.low and x.high <= high:
        return YES
    below = x.high < low or (x.high == low and x.high_open)
    above = x.low > high or (x.low == high and x.low_open)
    return NO if below or above else UNKNOWN


def equal(x: Interval, y: Interval) -> Truth:
    """Whether x = y; certain only for two points, or for two intervals that do not meet."""
    if is_point(x) and is_point(y):
        return YES if x.low == y.low else NO
    if less(x, y) is YES or less(y, x) is YES:
        return NO
    return UNKNOWN


def add(x: Interval, y: Interval) -> Interval:
    """Every sum."""
    return Interval(
        ARITHMETIC.add(x.low, y.low),
        ARITHMETIC.add(x.high, y.high),
        x.low_open or y.low_open,
        x.high_open or y.high_open,
    )


def negate(x: Interval) -> Interval:
    """Every negative."""
    return Interval(ARITHMETIC.minus(x.high), ARITHMETIC.minus(x.low), x.high_open, x.low_open)


def multiply(x: Interval, y: Interval) -> Interval:
    """Every product; zero times unbounded is zero."""
    if is_point(x) and is_point(y):
        return point(_product((x.low, False), (y.low, False))[0])
    return _between([_product(a, b) for a in _ends(x) for b in _ends(y)])


_End: TypeAlias = tuple[Decimal, bool]  # a value, and whether it is left out


def _ends(x: Interval) -> tuple[_End, _End]:
    return (x.low, x.low_open), (x.high, x.high_open)


def _between(ends: list[_End]) -> Interval:
    """The interval between the least and the greatest; an end is closed as soon as one attainable pair reaches it."""
    low, high = min(value for value, _ in ends), max(value for value, _ in ends)
    low_open = all(is_open for value, is_open in ends if value == low)
    high_open = all(is_open for value, is_open in ends if value == high)
    if low == high:
        return point(low)
    return Interval(low, high, low_open, high_open)


def _product(a: _End, b: _End) -> _End:
    (x, x_open), (y, y_open) = a, b
    if (x == 0 and not x_open) or (y == 0 and not y_open):
        return ZERO, False
    if x == 0 or y == 0:
        return ZERO, True
    return ARITHMETIC.multiply(x, y), x_open or y_open


def contains(x: Interval, value: Decimal) -> bool:
    """Whether the value is possible."""
    above = value > x.low or (value == x.low and not x.low_open)
    below = value < x.high or (value == x.high and not x.high_open)
    return above and below


def divide(x: Interval, y: Interval) -> Interval | None:
    """Every quotient, or None where the divisor may be zero: then nothing is known but that it may be undefined.

    >>> print(divide(point(Decimal(49)), point(Decimal(7))))
    7
    """
    if contains(y, ZERO):
        return None
    sign = 1 if y.high > 0 else -1
    if is_point(x) and is_point(y):
        return point(_quotient((x.low, False), (y.low, False), sign)[0])
    return _between([_quotient(a, b, sign) for a in _ends(x) for b in _ends(y)])


def _quotient(a: _End, b: _End, sign: int) -> _End:
    (x, x_open), (y, y_open) = a, b
    if x == 0:
        return ZERO, x_open
    if y.is_infinite():
        return ZERO, True
    if y == 0:
        return (INFINITY if (x > 0) == (sign > 0) else -INFINITY), True
    return ARITHMETIC.divide(x, y), x_open or y_open


def number(text: str) -> Decimal | None:
    """The finite decimal that a person typed, or None; nothing that is measured has an exponent beyond ±99.

    >>> number("1e6"), number("about 5"), number("NaN"), number("1e999")
    (Decimal('1E+6'), None, None, None)
    """
    try:
        value = Decimal(text.strip())
    except DecimalException:
        return None
    return value if value.is_finite() and -99 <= value.adjusted() <= 99 else None
