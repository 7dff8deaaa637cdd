"""The static check: names, types, units and time, before any participant is asked.

`check` turns a parsed expression into a typed one, or raises `Refused` with the first slip: what, where, why and
how to mend it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from trialwright.core import units
from trialwright.core.finding import Grade, Where, finding
from trialwright.core.units import Unit
from trialwright.language import nodes as n
from trialwright.language import typed as t
from trialwright.language.names import aggregate, anchors, reference
from trialwright.language.scope import (
    DATE,
    DAYS,
    TRUTH,
    TYPE_NAMES,
    YEARS,
    Checked,
    Scope,
    amount,
    condition,
    expect,
    fail,
    place,
)
from trialwright.language.thresholds import (
    CALENDAR,
    among,
    category_unknown,
    comparable,
    factor,
    limit,
    literal,
    unit_name,
    unit_of,
)
from trialwright.language.unparse import unparse
from trialwright.language.vocabulary import ancestors

__all__ = ["DAYS", "YEARS", "Checked", "check", "expect"]


def check(
    expression: n.Expression,
    checked: Checked,
    where: Where = Where(),
    of: str = "",
) -> t.Typed:
    """The expression with every name resolved and every limit in the unit it is compared in.

    `of` names the record kind that the expression is about, if any. Raises `Refused` with the first slip.

    >>> from trialwright.language.parse import parse
    >>> from trialwright.language.vocabulary import Item, Vocabulary
    >>> afc = Item("afc", "count")
    >>> check(parse("afc <= 7"), Checked(Vocabulary({"afc": afc}))).type.is_a
    'truth'
    """
    kinds = ancestors(checked.vocabulary, of) if of else ()
    return _check(expression, Scope(checked, where, _check, kinds))


def _check(node: n.Expression, scope: Scope) -> t.Typed:
    match node:
        case n.Number():
            value, unit = literal(node, scope)
            return t.ConstantAmount(node, t.Type("amount", unit), value)
        case n.Text():
            fail(scope, node, "type_mismatch", text=unparse(node), found="a category", expected="a value")
        case n.Date():
            return t.ConstantDate(node, DATE, _date(node, scope))
        case n.Ref():
            return reference(node, scope)
        case n.Aggregate():
            return aggregate(node, scope)
        case n.Asked(operand, at):
            inner = _check(operand, scope)
            return t.AskedAt(node, inner.type, inner, anchors(at, scope))
        case n.Not(operand):
            return t.Negation(node, TRUTH, condition(operand, scope))
        case n.And(operands):
            return t.Junction(node, TRUTH, "and", tuple(condition(part, scope) for part in operands))
        case n.Or(operands):
            return t.Junction(node, TRUTH, "or", tuple(condition(part, scope) for part in operands))
        case n.Compare():
            return _comparison(node, scope)
        case n.Membership(operand, choice, negated):
            left = _check(operand, scope)
            return t.IsAmong(node, TRUTH, left, among(choice, left, scope), negated)
        case n.Normal():
            return _normal(node, scope)
        case n.Arithmetic():
            return _arithmetic(node, scope)
        case n.Negative(operand):
            inner = amount(operand, scope)
            return t.Opposite(node, inner.type, inner)
        case n.Power():  # pragma: no branch - the last of them
            return _power(node, scope)


def _date(node: n.Date, scope: Scope) -> date:
    try:
        return date.fromisoformat(node.text)
    except ValueError:
        expected = "a date like 2026-03-09"
        fail(scope, node, "type_mismatch", text=node.text, found="no day of the calendar", expected=expected)


# ---------------------------------------------------------------- comparisons

_FLIPPED: dict[str, n.Comparator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


def _comparison(node: n.Compare, scope: Scope) -> t.Typed:
    if isinstance(node.left, n.Number) and not isinstance(node.right, n.Number):
        flipped = n.Compare(_FLIPPED[node.operator], node.right, node.left, span=node.span)
        return replace(_comparison(flipped, scope), source=node)
    left = _check(node.left, scope)
    equality = node.operator in ("=", "!=")
    if left.type.is_a == "category" and equality:
        return _same_kind(node, left, scope)
    if left.type.is_a == "truth" and equality and node.right in (n.Ref(("yes",)), n.Ref(("no",))):
        wanted = (node.right == n.Ref(("yes",))) == (node.operator == "=")
        return left if wanted else t.Negation(node, TRUTH, left)
    if left.type.is_a == "date":
        right = expect(_check(node.right, scope), "date", place(node.right, scope))
        return t.Comparison(node, TRUTH, node.operator, left, right)
    if left.type.is_a != "amount":
        expected = "something that has an order" if not equality else "a category, a number or a date"
        found = TYPE_NAMES[left.type.is_a]
        fail(scope, node.left, "type_mismatch", text=unparse(node.left), found=found, expected=expected)
    if isinstance(node.right, n.Number):
        value = limit(node.right.text, node.right.unit, left, node.right, scope)
        return t.Comparison(node, TRUTH, node.operator, left, t.ConstantAmount(node.right, left.type, value))
    right = amount(node.right, scope)
    return t.Comparison(
        node, TRUTH, node.operator, left, right, factor(unit_of(right), unit_of(left), node, left, scope)
    )


def _same_kind(node: n.Compare, left: t.Typed, scope: Scope) -> t.Typed:
    """Right of `=`, a name is a category of the left side; only then something else that has categories."""
    negated = node.operator == "!="
    if isinstance(node.right, n.Text):
        name = node.right.text
    elif isinstance(node.right, n.Ref) and len(node.right.path) == 1 and not node.right.narrowings:
        name = node.right.path[0]
    else:
        return _two_kinds(node, left, expect(_check(node.right, scope), "category", place(node.right, scope)), scope)
    if name in left.type.categories:
        return t.IsAmong(node, TRUTH, left, t.Among(categories=frozenset({name})), negated)
    vocabulary = scope.vocabulary
    if isinstance(node.right, n.Ref) and (name in vocabulary.items or name in vocabulary.derivations):
        right = _check(node.right, scope)
        if right.type.is_a == "category":
            return _two_kinds(node, left, right, scope)
    category_unknown(name, left, node.right, scope)


def _two_kinds(node: n.Compare, left: t.Typed, right: t.Typed, scope: Scope) -> t.Typed:
    if not right.type.categories & left.type.categories:
        fail(scope, node, "never_decided", text=unparse(node), why="the two share no category")
    return t.SameKind(node, TRUTH, left, right, node.operator == "!=")


def _normal(node: n.Normal, scope: Scope) -> t.Typed:
    left = amount(node.operand, scope)
    if not isinstance(left, t.ItemAggregate) or left.function not in ("latest", "earliest"):
        function, name = f"{node.side} normal", unparse(node.operand)
        fail(scope, node, "aggregate_source", function=function, name=name, found="not a result")
    return t.WithinNormal(node, TRUTH, left, node.side == "outside")


# ---------------------------------------------------------------- arithmetic


def _arithmetic(node: n.Arithmetic, scope: Scope) -> t.Typed:
    left, right = _check(node.left, scope), _check(node.right, scope)
    if left.type.is_a == right.type.is_a == "date" and node.operator == "-":
        return t.Calculation(node, t.Type("amount", DAYS), "-", left, right)
    expect(left, "amount", place(node.left, scope))
    expect(right, "amount", place(node.right, scope))
    one, other = unit_of(left), unit_of(right)
    if node.operator in ("+", "-"):
        if not comparable(one, other):
            fail(
                scope, node, "unit_sum",
                left=unparse(node.left), left_unit=unit_name(one),
                right=unparse(node.right), right_unit=unit_name(other),
            )  # fmt: skip
        return t.Calculation(node, left.type, node.operator, left, right, factor(other, one, node, left, scope))
    _propose_share(node, left, right, scope)
    return t.Calculation(node, t.Type("amount", _product(node, one, other, scope)), node.operator, left, right)


def _product(node: n.Arithmetic, one: Unit, other: Unit, scope: Scope) -> Unit:
    if one.code in CALENDAR or other.code in CALENDAR:
        found = "a product with a calendar time"
        fail(scope, node, "type_mismatch", text=unparse(node), found=found, expected="a plain number")
    try:
        return units.product(one, other) if node.operator == "*" else units.quotient(one, other)
    except ValueError as impossible:
        expected = "units that can be multiplied"
        fail(scope, node, "type_mismatch", text=unparse(node), found=str(impossible), expected=expected)


def _power(node: n.Power, scope: Scope) -> t.Typed:
    inner = amount(node.operand, scope)
    unit, expected = unit_of(inner), "a unit that can be multiplied"
    if unit.code in CALENDAR:
        fail(scope, node, "type_mismatch", text=unparse(node), found="a power of a calendar time", expected=expected)
    try:
        raised = units.power(unit, node.exponent)
    except ValueError as impossible:
        fail(scope, node, "type_mismatch", text=unparse(node), found=str(impossible), expected=expected)
    return t.Raised(node, t.Type("amount", raised), inner, node.exponent)


def _propose_share(node: n.Arithmetic, left: t.Typed, right: t.Typed, scope: Scope) -> None:
    counts = [x for x in (left, right) if isinstance(x, t.RecordAggregate) and x.function == "count"]
    if node.operator == "/" and len(counts) == 2 and counts[0].kind == counts[1].kind:
        scope.checked.warnings.append(
            finding("share_proposed", place(node, scope), Grade.WARNING, text=unparse(node), kind=counts[0].kind)
        )
