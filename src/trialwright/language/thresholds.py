"""Limits: numbers with units, ranges and sets, brought to the unit of what is compared with them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import NoReturn

from trialwright.core import units
from trialwright.core.interval import Interval, number
from trialwright.core.units import COUNT, Unit
from trialwright.language import nodes as n
from trialwright.language import typed as t
from trialwright.language.scope import DAYS, YEARS, Scope, expect, fail, nearest, place
from trialwright.language.unparse import unparse

#: Stretches of time in calendar words; none of them is a UCUM unit.
CALENDAR = {"year", "years", "month", "months", "week", "weeks", "day", "days", "hour", "hours"}
_DAYS_PER = {"day": 1, "days": 1, "week": 7, "weeks": 7}


def literal(node: n.Number, scope: Scope) -> tuple[Decimal, Unit]:
    """The number as written, with its unit; calendar words become days or years."""
    value = number(node.text)
    if value is None:
        fail(scope, node, "type_mismatch", text=unparse(node), found="beyond measure", expected="a number")
    if node.unit in _DAYS_PER:
        return value * _DAYS_PER[node.unit], DAYS
    if node.unit in ("year", "years"):
        return value, YEARS
    if node.unit in CALENDAR:
        wanted = "days, weeks or years"
        fail(scope, node, "type_mismatch", text=unparse(node), found="no fixed length", expected=wanted)
    return value, _known_unit(node.unit, node, scope) if node.unit else COUNT


def _known_unit(code: str, node: n.Node, scope: Scope) -> Unit:
    unit = units.unit(code)
    if unit is None:
        near = units.nearest_unit(code)
        fail(scope, node, "unit_unknown", unit=code, nearest=f" Did you mean `{near}`?" if near else "")
    return unit


def among(choice: n.Choice, left: t.Typed, scope: Scope) -> t.Among:
    """The acceptable values of a range, a set or a named set, in the unit of what is compared with them."""
    if isinstance(choice, n.ValueSet):
        return _value_set(choice, left, scope)
    if left.type.is_a == "category":
        if isinstance(choice, n.Range):
            wanted = "a set of categories"
            fail(scope, choice, "type_mismatch", text=unparse(choice), found="a range", expected=wanted)
        for name in choice.members:
            if name not in left.type.categories:
                category_unknown(name, left, choice, scope)
        return t.Among(categories=frozenset(choice.members))
    expect(left, "amount", place(choice, scope))
    if isinstance(choice, n.Members):
        for name, quoted in zip(choice.members, choice.quoted, strict=True):
            if quoted or not name.lstrip("-")[:1].isdigit():
                fail(scope, choice, "type_mismatch", text=name, found="a category", expected="a number")
        return t.Among(numbers=tuple(limit(text, choice.unit, left, choice, scope) for text in choice.members))
    low = limit(choice.low, choice.unit, left, choice, scope)
    high = limit(choice.high, choice.unit, left, choice, scope)
    if low > high:
        fail(scope, choice, "range_empty", low=choice.low, high=choice.high)
    return t.Among(interval=Interval(low, high))


def _value_set(choice: n.ValueSet, left: t.Typed, scope: Scope) -> t.Among:
    name, sets = ".".join(choice.path), scope.vocabulary.value_sets
    if name not in sets:
        fail(scope, choice, "name_unknown", name=name, nearest=nearest(name, sets))
    expect(left, "category", place(choice, scope))
    for category in sorted(sets[name] - left.type.categories):
        category_unknown(category, left, choice, scope)
    return t.Among(categories=sets[name])


def category_unknown(name: str, left: t.Typed, node: n.Node, scope: Scope) -> NoReturn:
    """Refuse a category that the left side cannot be."""
    categories = left.type.categories
    listed, near = ", ".join(sorted(categories)), nearest(name, categories)
    fail(scope, node, "category_unknown", name=name, item=unparse(left.source), categories=listed, nearest=near)


def limit(text: str, unit: str, left: t.Typed, node: n.Node, scope: Scope) -> Decimal:
    """The number of a threshold in the unit of what is compared with it."""
    target, molar_mass = unit_of(left), _molar_mass(left)
    value, source = literal(n.Number(text.lstrip("-"), unit, span=node.span), scope)
    value = -value if text.startswith("-") else value
    if not unit and not _counts(target):
        fail(scope, node, "unit_missing", left=unparse(left.source), left_unit=unit_name(target))
    if source.code == target.code:
        return value
    if not comparable(source, target, molar_mass):
        _mismatch(left, source, node, scope)
    return units.convert(value, source, target, molar_mass)


def _counts(unit: Unit) -> bool:
    """Whether numbers in this unit are written without one: counts, also of annotated things."""
    return unit.dimension == COUNT.dimension and unit.scale == 1 and unit.code not in CALENDAR


def factor(source: Unit, target: Unit, node: n.Expression, left: t.Typed, scope: Scope) -> Decimal:
    """What brings one expression's unit to another's; only a scale, so units with a zero of their own must agree."""
    if source.code == target.code:
        return Decimal(1)
    if not comparable(source, target) or units.factor(source, target)[1]:
        _mismatch(left, source, node, scope)
    return units.convert(Decimal(1), source, target)


def comparable(one: Unit, other: Unit, molar_mass: Fraction | None = None) -> bool:
    """Whether values in the two units can be compared, through the molar mass where one is named."""
    if one.code in CALENDAR or other.code in CALENDAR:
        return one.code == other.code
    if units.same_dimension(one, other):
        return True
    if molar_mass is None:
        return False
    try:
        units.factor(one, other, molar_mass)
    except ValueError:
        return False
    return True


def _mismatch(left: t.Typed, source: Unit, node: n.Node, scope: Scope) -> NoReturn:
    left_unit, right_unit = unit_name(unit_of(left)), unit_name(source)
    fail(scope, node, "unit_mismatch", left=unparse(left.source), left_unit=left_unit, right_unit=right_unit)


def _molar_mass(node: t.Typed) -> Fraction | None:
    return node.item.molar_mass if isinstance(node, t.ItemAggregate | t.FieldOf | t.Attribute) and node.item else None


def unit_of(node: t.Typed) -> Unit:
    """The unit of an amount."""
    return node.type.unit or COUNT


def unit_name(unit: Unit) -> str:
    """The unit as a finding calls it."""
    return "a plain number" if unit.code == COUNT.code else unit.code
