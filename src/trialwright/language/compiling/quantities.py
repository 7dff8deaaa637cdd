"""Numbers as intervals of columns: an end that is NULL is infinite.

What was recorded is compared exactly. What was computed (a product, a quotient, a mean, another unit) is a DOUBLE and
is compared to twelve digits.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TypeAlias

import ibis

from trialwright.core.finding import Refused, finding
from trialwright.language.compiling.engine import (
    FALSE,
    PRECISION,
    SCALE,
    TRUE,
    Column,
    both,
    decided,
    either,
    opposite,
    surely,
    unless,
)

NUMBER = f"decimal({PRECISION}, {SCALE})"
CLOSE = 5e-13  # of the sum of both sizes
ONE = Decimal(1)
_WIDE = Context(prec=100, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Amount:
    """An interval; a point where low and high are the same column. `undefined` is a truth column."""

    low: Column
    high: Column
    low_open: Column = FALSE
    high_open: Column = FALSE
    undefined: Column = FALSE
    computed: bool = False
    constant: Decimal | None = None


def stored(value: Decimal) -> Decimal | None:
    """The finite number as a DECIMAL(38, 18) holds it; None where that would change its first twelve digits."""
    kept = value.quantize(Decimal(1).scaleb(-SCALE), context=_WIDE)
    if abs(kept) >= Decimal(10) ** (PRECISION - SCALE) or abs(kept - value) > abs(value) * Decimal("1e-12"):
        return None
    return kept


def constant(value: Decimal) -> Amount:
    """A number of the protocol."""
    column = _literal(value)
    return Amount(column, column, constant=value)


def _literal(value: Decimal) -> Column:
    kept = stored(value)
    if kept is None:
        raise Refused(finding("compile_number", number=f"{value:g}", digits=PRECISION - SCALE, decimals=SCALE))
    if kept == kept.to_integral_value() and abs(kept) < 2**15:  # engines add plain numbers in 32 bits
        return ibis.literal(int(kept), "int64")
    _, digits, exponent = kept.normalize(_WIDE).as_tuple()
    assert isinstance(exponent, int)
    scale = max(0, -exponent)
    return ibis.literal(kept, f"decimal({max(len(digits) + max(exponent, 0), scale)}, {scale})")


def is_point(x: Amount) -> bool:
    """Whether only one value is possible, by its form; NULL still says that nothing is known."""
    return x.low is x.high


# ---------------------------------------------------------------- comparisons


def less(x: Amount, y: Amount) -> Column:
    """Whether x < y for every possible pair, for none, or for some; nothing is said of what may be undefined."""
    one, other = _alike(x, y)
    close = x.computed or y.computed
    if is_point(one) and is_point(other):
        return _below(one.low, other.low, close)
    touch = either(one.high_open, other.low_open)
    yes = either(_below(one.high, other.low, close), both(_same(one.high, other.low, close), touch))
    return decided(yes, opposite(_below(one.low, other.high, close)))


def equal(x: Amount, y: Amount) -> Column:
    """Whether x = y; certain only for two points, or for two intervals that do not meet."""
    one, other = _alike(x, y)
    close = x.computed or y.computed
    if is_point(one) and is_point(other):
        return _same(one.low, other.low, close)
    points = both(*(TRUE if is_point(each) else _same(each.low, each.high, False) for each in (one, other)))
    apart = either(surely(less(x, y)), surely(less(y, x)))
    same = _same(one.low, other.low, close)  # NULL where one of them is a point of which nothing is known
    return decided(both(points, same), either(both(points, opposite(same)), apart))


def compare(operator: str, x: Amount, y: Amount) -> Column:
    """A comparison, unknown where either side may be undefined."""
    match operator:
        case "<":
            found = less(x, y)
        case "<=":
            found = opposite(less(y, x))
        case ">":
            found = less(y, x)
        case ">=":
            found = opposite(less(x, y))
        case "=":
            found = equal(x, y)
        case _:
            found = opposite(equal(x, y))
    return defined(either(x.undefined, y.undefined), found)


def inside(x: Amount, low: Amount, high: Amount) -> Column:
    """Whether x lies between two bounds, both included."""
    return both(opposite(less(x, low)), opposite(less(high, x)))


def defined(undefined: Column, found: Column) -> Column:
    """The answer where it is certain that the value exists."""
    return found if undefined is FALSE else ibis.cases((~undefined, found))


def _alike(x: Amount, y: Amount) -> tuple[Amount, Amount]:
    return (as_double(x), as_double(y)) if x.computed or y.computed else (x, y)


def as_double(x: Amount) -> Amount:
    """The same with DOUBLE ends."""
    low = _double(x.low, x.constant)
    return replace(x, low=low, high=low if is_point(x) else _double(x.high, x.constant))


def _double(end: Column, value: Decimal | None) -> Column:
    if value is None:
        return end if end.type().is_floating() else end.cast("float64")
    return ibis.literal(float(value), "float64")


def _below(a: Column, b: Column, close: bool) -> Column:
    return (b - a) > _margin(a, b) if close else a < b


def _same(a: Column, b: Column, close: bool) -> Column:
    return (a - b).abs() <= _margin(a, b) if close else a == b


def _margin(a: Column, b: Column) -> Column:
    return (a.abs() + b.abs()) * CLOSE


# ---------------------------------------------------------------- arithmetic


def add(x: Amount, y: Amount) -> Amount:
    """Every sum."""
    computed = x.computed or y.computed
    one, other = _alike(x, y)
    low = one.low + other.low
    high = low if is_point(x) and is_point(y) else one.high + other.high
    opens = either(x.low_open, y.low_open), either(x.high_open, y.high_open)
    return Amount(low, high, *opens, either(x.undefined, y.undefined), computed)


def negate(x: Amount) -> Amount:
    """Every negative."""
    low = -x.high
    high = low if is_point(x) else -x.low
    value = None if x.constant is None else -x.constant
    return Amount(low, high, x.high_open, x.low_open, x.undefined, x.computed, value)


def scaled(x: Amount, factor: Decimal) -> Amount:
    """The value in another unit; zero times unbounded is zero."""
    if factor == 1:
        return x
    if x.constant is not None:
        return replace(constant(x.constant * factor), undefined=x.undefined)
    if factor == 0:
        return replace(constant(Decimal(0)), undefined=x.undefined)
    double = as_double(x if factor > 0 else negate(x))
    size = abs(float(factor))
    low = double.low * size
    high = low if is_point(x) else double.high * size
    return replace(double, low=low, high=high, computed=True, constant=None)


#: Work that yields expressions which it will use more than once, and is sent the same as columns of a table.
Work: TypeAlias = Generator[Sequence[Column], list[Column], "Amount"]


def multiply(x: Amount, y: Amount) -> Work:
    """Every product; zero times unbounded is zero."""
    undefined = either(x.undefined, y.undefined)
    for one, other in ((x, y), (y, x)):
        if other.constant is not None and (one.constant is None or is_point(one)):
            return replace(scaled(one, other.constant), undefined=undefined)
    one, other = as_double(x), as_double(y)
    if is_point(x) and is_point(y):
        product = ibis.cases(((one.low == 0) | (other.low == 0), 0.0), else_=one.low * other.low)
        return Amount(product, product, undefined=undefined, computed=True)
    ends, others = yield from _ends(one, other)
    found = yield from _between([_product(a, b) for a in ends for b in others])
    return replace(found, undefined=undefined)


def divide(x: Amount, y: Amount) -> Work:
    """Every quotient; nothing where the divisor may be zero, but that it is perhaps, or surely, undefined."""
    one, other = as_double(x), as_double(y)
    touches = both(_reaches(other.low, other.low_open, -1), _reaches(other.high, other.high_open, 1))
    nothing = both(_same(other.low, 0, False), TRUE if is_point(other) else _same(other.high, 0, False))
    nothing = both(surely(nothing), surely(opposite(other.undefined)))
    gap = ibis.cases((touches, ibis.cases((nothing, True))), else_=False)
    undefined = either(x.undefined, y.undefined, gap)
    if is_point(x) and is_point(y):
        quotient = unless(touches, as_double(x).low / other.low.nullif(0))
        return Amount(quotient, quotient, undefined=undefined, computed=True)
    ends, others = yield from _ends(one, other)
    positive = others[1][0] > 0
    found = yield from _between([_quotient(a, b, positive) for a in ends for b in others])
    low, high = unless(touches, found.low), unless(touches, found.high)
    return Amount(low, high, found.low_open, found.high_open, undefined, True)


def even(x: Amount) -> Amount:
    """The same, never below zero: an even power."""
    if is_point(x):
        return replace(x, low=x.low.coalesce(0))
    negative = (x.low < 0) | x.low.isnull()
    low = ibis.cases((negative, 0), else_=x.low)
    return replace(x, low=low, low_open=both(opposite(negative), x.low_open), constant=None)


def _reaches(end: Column, is_open: Column, side: int) -> Column:
    """Whether zero lies on the inner side of an end."""
    beyond = end < 0 if side < 0 else end > 0
    return either(beyond, both(end == 0, opposite(is_open)), end.isnull())


_End: TypeAlias = tuple[Column, Column]  # a DOUBLE, and whether it is left out


def _ends(x: Amount, y: Amount) -> Generator[Sequence[Column], list[Column], tuple[list[_End], list[_End]]]:
    """The ends of both, with infinities."""
    ends = [(end, is_open) for z in (x, y) for end, is_open in ((z.low, z.low_open), (z.high, z.high_open))]
    kept = yield [column for (end, is_open), beyond in zip(ends, ("-inf", "inf") * 2, strict=True)
                  for column in _end(end, is_open, beyond)]  # fmt: skip
    return _pairs(kept[:4]), _pairs(kept[4:])


def _pairs(columns: Sequence[Column]) -> list[_End]:
    return list(zip(columns[::2], columns[1::2], strict=True))


def _end(end: Column, is_open: Column, beyond: str) -> _End:
    infinite = ibis.literal(float(beyond), "float64")
    return end.coalesce(infinite), either(is_open, end.isnull())


def _product(a: _End, b: _End) -> _End:
    (x, x_open), (y, y_open) = a, b
    fixed = either(both(x == 0, opposite(x_open)), both(y == 0, opposite(y_open)))
    value = ibis.cases(((x == 0) | (y == 0), 0.0), else_=x * y)
    return value, both(opposite(fixed), either(x_open, y_open))


def _quotient(a: _End, b: _End, positive: Column) -> _End:
    (x, x_open), (y, y_open) = a, b
    infinite = y.abs() == float("inf")
    beyond = ibis.cases(((x > 0) == positive, float("inf")), else_=float("-inf"))
    value = ibis.cases((x == 0, 0.0), (infinite, 0.0), (y == 0, beyond), else_=x / y.nullif(0))
    is_open = ibis.cases((x == 0, x_open), (infinite | (y == 0), True), else_=either(x_open, y_open))
    return value, is_open


def _between(ends: Sequence[_End]) -> Work:
    """The interval between the least and the greatest; an end is closed as soon as one attainable pair reaches it."""
    ends = _pairs((yield [column for end in ends for column in end]))
    values = [value for value, _ in ends]
    low, high = yield [ibis.least(*values), ibis.greatest(*values)]
    low_open = both(*(either(value != low, is_open) for value, is_open in ends))
    high_open = both(*(either(value != high, is_open) for value, is_open in ends))
    apart = low != high
    infinities = low.nullif(float("-inf")), high.nullif(float("inf"))
    return Amount(*infinities, both(apart, low_open), both(apart, high_open), FALSE, True)


def is_nothing(x: Amount) -> Column:
    """Whether nothing is known of the number: the whole line."""
    return x.low.isnull() & x.high.isnull()
