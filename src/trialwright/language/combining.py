"""Conditions and arithmetic: each asks its parts, and joins what they answer."""

from __future__ import annotations

from decimal import Decimal

from trialwright.core import interval as iv
from trialwright.core.interval import Interval, point
from trialwright.core.truth import NO, UNKNOWN, YES, Truth, all_of, any_of
from trialwright.language import typed as t
from trialwright.language.explanation import Explanation, amount_of, answer_of
from trialwright.language.time import before_days
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value, scaled, unknown_amount
from trialwright.language.world import Ask, World


def negation(node: t.Negation, world: World, ask: Ask) -> Explanation:
    """Not."""
    part = ask(node.operand, world)
    value = answer_of(part.value)
    return Explanation(node, Answer(~value.truth, value.why), (), (part,))


def junction(node: t.Junction, world: World, ask: Ask) -> Explanation:
    """Kleene's and, or."""
    parts = tuple([ask(operand, world) for operand in node.operands])
    answers = [answer_of(part.value) for part in parts]
    found = (all_of if node.operator == "and" else any_of)([x.truth for x in answers])
    why = ""
    if found is UNKNOWN:
        why = "; ".join(dict.fromkeys(x.why for x in answers if x.truth is UNKNOWN and x.why))
    return Explanation(node, Answer(found, why), (), parts)


# ---------------------------------------------------------------- comparisons


def comparison(node: t.Comparison, world: World, ask: Ask) -> Explanation:
    """Yes where every possible pair satisfies it, no where none does."""
    parts = ask(node.left, world), ask(node.right, world)
    left, right = parts[0].value, parts[1].value
    if isinstance(left, Moment):
        assert isinstance(right, Moment)
        answer = Answer(_compare_days(node.operator, left, right), left.why or right.why)
        return Explanation(node, answer, (), parts)
    one, other = amount_of(left), amount_of(scaled(right, node.factor))
    if one.undefined is not NO or other.undefined is not NO:
        return Explanation(node, Answer(UNKNOWN, _undefined_why(one, other)), (), parts)
    found = _compare(node.operator, one.interval, other.interval)
    return Explanation(node, Answer(found, (one.why or other.why) if found is UNKNOWN else ""), (), parts)


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


def is_among(node: t.IsAmong, world: World, ask: Ask) -> Explanation:
    """Whether a value is among acceptable ones."""
    part = ask(node.operand, world)
    value = part.value
    assert isinstance(value, Kinds | Amount), "the checker lets only amounts and categories be among something"
    found = among(value, node.among)
    why = value.why if found is UNKNOWN else ""
    return Explanation(node, Answer(~found if node.negated else found, why), (), (part,))


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


def same_kind(node: t.SameKind, world: World, ask: Ask) -> Explanation:
    """Whether two categories are the same."""
    parts = ask(node.left, world), ask(node.right, world)
    left, right = parts[0].value, parts[1].value
    assert isinstance(left, Kinds)
    assert isinstance(right, Kinds)
    found = UNKNOWN
    if left.undefined is NO and right.undefined is NO:
        if not left.possible & right.possible:
            found = NO
        elif len(left.possible) == 1 and left.possible == right.possible:
            found = YES
    why = (left.why or right.why) if found is UNKNOWN else ""
    return Explanation(node, Answer(~found if node.negated else found, why), (), parts)


# ---------------------------------------------------------------- arithmetic


def calculation(node: t.Calculation, world: World, ask: Ask) -> Explanation:
    """Sums, products and quotients of what is known; the days between two dates."""
    parts = ask(node.left, world), ask(node.right, world)
    left, right = parts[0].value, parts[1].value
    if isinstance(left, Moment):
        assert isinstance(right, Moment)
        days = before_days(right, left)
        return Explanation(node, Amount(days) if days else unknown_amount(left.why or right.why), (), parts)
    one, other = amount_of(left), amount_of(scaled(right, node.factor))
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
        return Explanation(node, unknown_amount(why or "division by zero", undefined), (), parts)
    return Explanation(node, Amount(result, undefined, why), (), parts)


def opposite(node: t.Opposite, world: World, ask: Ask) -> Explanation:
    """A changed sign."""
    part = ask(node.operand, world)
    amount = amount_of(part.value)
    return Explanation(node, Amount(iv.negate(amount.interval), amount.undefined, amount.why), (), (part,))


def raised(node: t.Raised, world: World, ask: Ask) -> Explanation:
    """A whole power; a negative one may be undefined."""
    part = ask(node.operand, world)
    amount = amount_of(part.value)
    result = point(Decimal(1))
    for _ in range(abs(node.exponent)):
        result = iv.multiply(result, amount.interval)
    if node.exponent % 2 == 0 and result.low < 0:
        result = Interval(Decimal(0), result.high, False, result.high_open)  # an even power is never negative
    over = iv.divide(point(Decimal(1)), result) if node.exponent < 0 else result
    if over is None:
        undefined = amount.undefined | (YES if result == point(Decimal(0)) else UNKNOWN)
        return Explanation(node, unknown_amount(amount.why or "division by zero", undefined), (), (part,))
    return Explanation(node, Amount(over, amount.undefined, amount.why), (), (part,))
