"""Conditions and arithmetic over parts that are already answered."""

from __future__ import annotations

from decimal import Decimal

from trialwright.core import interval as iv
from trialwright.core.interval import Interval, point
from trialwright.core.truth import NO, UNKNOWN, YES, Truth, all_of, any_of
from trialwright.language import typed as t
from trialwright.language.explanation import Explanation, amount_of, answer_of
from trialwright.language.time import before_days
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value, unknown_amount


def negation(node: t.Negation, part: Explanation) -> Explanation:
    """Not."""
    value = answer_of(part.value)
    return Explanation(node, Answer(~value.truth, value.why), parts=(part,))


def junction(node: t.Junction, parts: tuple[Explanation, ...]) -> Explanation:
    """Kleene's and, or."""
    answers = [answer_of(part.value) for part in parts]
    found = (all_of if node.operator == "and" else any_of)([x.truth for x in answers])
    why = ""
    if found is UNKNOWN:
        why = "; ".join(dict.fromkeys(x.why for x in answers if x.truth is UNKNOWN and x.why))
    return Explanation(node, Answer(found, why), parts=parts)


# ---------------------------------------------------------------- comparisons


def comparison(node: t.Comparison, left: Explanation, right: Explanation) -> Explanation:
    """Yes where every possible pair satisfies it, no where none does; with the distance from the limit."""
    parts = (left, right)
    if isinstance(left.value, Moment):
        assert isinstance(right.value, Moment)
        answer = Answer(_compare_days(node.operator, left.value, right.value), left.value.why or right.value.why)
        return Explanation(node, answer, parts=parts)
    one, other = amount_of(left.value), amount_of(scaled(right.value, node.factor))
    if one.undefined is not NO or other.undefined is not NO:
        return Explanation(node, Answer(UNKNOWN, _undefined_why(one, other)), parts=parts)
    found = _compare(node.operator, one.interval, other.interval)
    why = (one.why or other.why) if found is UNKNOWN else ""
    distance = _distance(one.interval, other.interval.low) if iv.is_point(other.interval) else None
    return Explanation(node, Answer(found, why), (), parts, distance)


def _undefined_why(*amounts: Amount) -> str:
    return next((x.why for x in amounts if x.undefined is not NO and x.why), "undefined")


def _compare(operator: str, x: Interval, y: Interval) -> Truth:
    match operator:
        case "<":
            return iv.less(x, y)
        case "<=":
            return iv.less_or_equal(x, y)
        case ">":
            return iv.less(y, x)
        case ">=":
            return iv.less_or_equal(y, x)
        case "=":
            return iv.equal(x, y)
        case _:
            return ~iv.equal(x, y)


def _compare_days(operator: str, x: Moment, y: Moment) -> Truth:
    if x.earliest is None or x.latest is None or y.earliest is None or y.latest is None:
        return UNKNOWN
    one = Interval(Decimal(x.earliest.toordinal()), Decimal(x.latest.toordinal()))
    other = Interval(Decimal(y.earliest.toordinal()), Decimal(y.latest.toordinal()))
    return _compare(operator, one, other)


def _distance(x: Interval, *limits: Decimal) -> Decimal | None:
    return min([abs(iv.ARITHMETIC.subtract(x.low, limit)) for limit in limits]) if iv.is_point(x) else None


def is_among(node: t.IsAmong, part: Explanation) -> Explanation:
    """Whether a value is among acceptable ones."""
    value, range_, distance = part.value, node.among.interval, None
    found = among(value, node.among)
    match value:
        case Kinds():
            pass
        case Amount():
            if value.undefined is NO and range_ is not None:
                distance = _distance(value.interval, range_.low, range_.high)
        case _:
            raise AssertionError("the checker lets only amounts and categories be among something")
    found = ~found if node.negated else found
    return Explanation(node, Answer(found, value.why if found is UNKNOWN else ""), (), (part,), distance)


def among(value: Value | None, wanted: t.Among) -> Truth:
    """Whether a value, possibly unknown, is among the wanted ones."""
    match value:
        case Kinds():
            if value.undefined is not NO:
                return UNKNOWN
            if value.possible <= wanted.categories:
                return YES
            return UNKNOWN if value.possible & wanted.categories else NO
        case Amount():
            if value.undefined is not NO:
                return UNKNOWN
            if wanted.interval is not None:
                return iv.between(value.interval, wanted.interval.low, wanted.interval.high)
            return any_of([iv.between(value.interval, number, number) for number in wanted.numbers])
        case _:
            return UNKNOWN


def same_kind(node: t.SameKind, left: Explanation, right: Explanation) -> Explanation:
    """Whether two categories are the same."""
    assert isinstance(left.value, Kinds)
    assert isinstance(right.value, Kinds)
    found = UNKNOWN
    if left.value.undefined is NO and right.value.undefined is NO:
        if not left.value.possible & right.value.possible:
            found = NO
        elif len(left.value.possible) == 1 and left.value.possible == right.value.possible:
            found = YES
    why = (left.value.why or right.value.why) if found is UNKNOWN else ""
    return Explanation(node, Answer(~found if node.negated else found, why), parts=(left, right))


# ---------------------------------------------------------------- arithmetic


def calculation(node: t.Calculation, left: Explanation, right: Explanation) -> Explanation:
    """Sums, products and quotients of what is known; the days between two dates."""
    parts = (left, right)
    if isinstance(left.value, Moment):
        assert isinstance(right.value, Moment)
        days = before_days(right.value, left.value)
        return Explanation(node, Amount(days) if days else unknown_amount(left.value.why or right.value.why), (), parts)
    one, other = amount_of(left.value), amount_of(scaled(right.value, node.factor))
    undefined = one.undefined | other.undefined
    why = one.why or other.why
    match node.operator:
        case "+":
            result: Interval | None = iv.add(one.interval, other.interval)
        case "-":
            result = iv.add(one.interval, iv.negate(other.interval))
        case "*":
            result = iv.multiply(one.interval, other.interval)
        case "/":  # pragma: no branch - the last of them
            result = iv.divide(one.interval, other.interval)
    if result is None:
        nothing = other.interval == point(Decimal(0)) and other.undefined is NO
        undefined = undefined | (YES if nothing else UNKNOWN)
        return Explanation(node, unknown_amount(why or "division by zero", undefined), parts=parts)
    return Explanation(node, Amount(result, undefined, why), parts=parts)


def opposite(node: t.Opposite, part: Explanation) -> Explanation:
    """A changed sign."""
    amount = amount_of(part.value)
    return Explanation(node, Amount(iv.negate(amount.interval), amount.undefined, amount.why), parts=(part,))


def raised(node: t.Raised, part: Explanation) -> Explanation:
    """A whole power; a negative one may be undefined."""
    amount = amount_of(part.value)
    result = point(Decimal(1))
    for _ in range(abs(node.exponent)):
        result = iv.multiply(result, amount.interval)
    if node.exponent % 2 == 0 and result.low < 0:
        result = Interval(Decimal(0), result.high, False, result.high_open)  # an even power is never negative
    over = iv.divide(point(Decimal(1)), result) if node.exponent < 0 else result
    if over is None:
        undefined = amount.undefined | (YES if result == point(Decimal(0)) else UNKNOWN)
        return Explanation(node, unknown_amount(amount.why or "division by zero", undefined), parts=(part,))
    return Explanation(node, Amount(over, amount.undefined, amount.why), parts=(part,))


def scaled(value: Value, factor: Decimal) -> Value:
    """The value in another unit."""
    if factor == 1 or not isinstance(value, Amount):
        return value
    return Amount(iv.multiply(value.interval, point(factor)), value.undefined, value.why)
