"""The static check: names, types, units and time, before any participant is asked.

`check` turns a parsed expression into a typed one, or raises `Refused` with the first slip: what, where, why and
how to mend it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NoReturn

from trialwright.core import units
from trialwright.core.finding import Finding, Grade, Refused, Where, finding
from trialwright.core.interval import Interval
from trialwright.core.units import COUNT, Unit
from trialwright.language import nodes as n
from trialwright.language import typed as t
from trialwright.language.unparse import unparse
from trialwright.language.vocabulary import Derivation, Item, Vocabulary, ancestors

TRUTH = t.Type("truth")
DATE = t.Type("date")
NUMBER = t.Type("amount", COUNT)

#: Calendar words measure ages and stretches between dates; they are not UCUM units and never mix with them.
YEARS = Unit("years", COUNT.dimension, Fraction(1))
DAYS = Unit("days", COUNT.dimension, Fraction(1))
_DAYS_PER = {"day": 1, "days": 1, "week": 7, "weeks": 7}
_CALENDAR = {"year", "years", "month", "months", "week", "weeks", "day", "days", "hour", "hours"}
_CHOOSES = ("latest", "earliest", "min", "max", "mean", "sum")


@dataclass(slots=True)
class Checked:
    """A vocabulary with what has been checked against it: derivations once, warnings collected."""

    vocabulary: Vocabulary
    warnings: list[Finding] = field(default_factory=list)
    derivations: dict[str, t.Typed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Scope:
    checked: Checked
    base: Where
    kinds: tuple[str, ...] = ()  # record kinds at hand, innermost first
    observed: Item | None = None  # the item whose observation is at hand
    open: tuple[str, ...] = ()  # derivations being checked, to find circles

    @property
    def vocabulary(self) -> Vocabulary:
        return self.checked.vocabulary


def check(
    expression: n.Expression,
    checked: Checked,
    where: Where = Where(),
    of: str = "",
) -> t.Typed:
    """The expression with every name resolved and every limit in the unit it is compared in.

    `of` names the record kind that the expression is about, if any. Raises `Refused` with the first slip.

    >>> from trialwright.language.parse import parse
    >>> afc = Item("afc", "count")
    >>> check(parse("afc <= 7"), Checked(Vocabulary({"afc": afc}))).type.is_a
    'truth'
    """
    kinds = ancestors(checked.vocabulary, of) if of else ()
    return _check(expression, _Scope(checked, where, kinds))


def expect(node: t.Typed, is_a: t.ValueType, where: Where = Where()) -> t.Typed:
    """The same node, where it yields what is needed; else a finding."""
    if node.type.is_a != is_a:
        raise Refused(
            finding(
                "type_mismatch",
                where,
                text=unparse(node.source),
                found=_named(node.type),
                expected=_TYPE_NAMES[is_a],
            )
        )
    return node


_TYPE_NAMES = {"amount": "a number", "category": "a category", "truth": "a condition", "date": "a date"}


def _named(kind: t.Type) -> str:
    return _TYPE_NAMES[kind.is_a]


def _check(node: n.Expression, scope: _Scope) -> t.Typed:
    match node:
        case n.Number():
            value, unit = _literal(node, scope)
            return t.ConstantAmount(node, t.Type("amount", unit), value)
        case n.Text():
            return _fail(scope, node, "type_mismatch", text=unparse(node), found="a category", expected="a value")
        case n.Date(text):
            return t.ConstantDate(node, DATE, _date(text, node, scope))
        case n.Ref():
            return _reference(node, scope)
        case n.Aggregate():
            return _aggregate(node, scope)
        case n.Asked(operand, at):
            inner = _check(operand, scope)
            return t.AskedAt(node, inner.type, inner, _anchors(at, scope))
        case n.Not(operand):
            return t.Negation(node, TRUTH, _condition(operand, scope))
        case n.And(operands):
            return t.Junction(node, TRUTH, "and", tuple(_condition(part, scope) for part in operands))
        case n.Or(operands):
            return t.Junction(node, TRUTH, "or", tuple(_condition(part, scope) for part in operands))
        case n.Compare():
            return _comparison(node, scope)
        case n.Membership(operand, choice, negated):
            left = _check(operand, scope)
            return t.IsAmong(node, TRUTH, left, _among(choice, left, scope), negated)
        case n.Normal(operand, side):
            left = _amount(operand, scope)
            if not isinstance(left, t.ItemAggregate) or left.function not in ("latest", "earliest"):
                _fail(
                    scope,
                    node,
                    "aggregate_source",
                    function=f"{side} normal",
                    name=unparse(operand),
                    found="not a result",
                )
            return t.WithinNormal(node, TRUTH, left, side == "outside")
        case n.Arithmetic():
            return _arithmetic(node, scope)
        case n.Negative(operand):
            inner = _amount(operand, scope)
            return t.Opposite(node, inner.type, inner)
        case n.Power(operand, exponent):
            inner = _amount(operand, scope)
            return t.Raised(node, t.Type("amount", units.power(_unit_of(inner), exponent)), inner, exponent)


def _condition(node: n.Expression, scope: _Scope) -> t.Typed:
    return expect(_check(node, scope), "truth", _where(node, scope))


def _amount(node: n.Expression, scope: _Scope) -> t.Typed:
    return expect(_check(node, scope), "amount", _where(node, scope))


# ---------------------------------------------------------------- names


def _reference(node: n.Ref, scope: _Scope) -> t.Typed:
    path, windows, filters, at = node.path, *_narrowed(node, scope)
    local = _local(node, scope)
    if local is not None:
        if node.narrowings:
            _fail(scope, node, "window_on_derived", name=".".join(path))
        return local
    person, name, rest = _person(path, scope)
    vocabulary = scope.vocabulary
    if name in vocabulary.items and rest in ((), ("date",)):
        item = vocabulary.items[name]
        if item.kind == "age":
            if windows or filters or rest:
                _fail(scope, node, "window_on_derived", name=name)
            return t.Age(node, t.Type("amount", YEARS), item, vocabulary.items[item.born], person, at)
        checked_filters = _filters(filters, item, scope)
        if rest:
            return t.ItemAggregate(
                node, DATE, "latest", item, person, windows, checked_filters, at, take="date", bare=True
            )
        return t.ItemAggregate(node, _type(item), "latest", item, person, windows, checked_filters, at, bare=True)
    if name in vocabulary.derivations and not rest and not person:
        if windows or filters:
            _fail(scope, node, "window_on_derived", name=name)
        derived = _derived(name, node, scope)
        return t.AskedAt(node, derived.type, derived, at) if at else derived
    if path == (name,) and name in vocabulary.anchors:
        return t.AnchorDate(node, DATE, name)
    if name in vocabulary.records:
        _fail(scope, node, "type_mismatch", text=".".join(path), found="a list of records", expected="one value")
    _unknown_name(node, ".".join(path), scope)


def _local(node: n.Ref, scope: _Scope) -> t.Typed | None:
    """What the name means for the observation or the record at hand: the innermost meaning wins."""
    path, vocabulary = node.path, scope.vocabulary
    if scope.observed is not None and len(path) == 1:
        if path[0] == "date":
            return t.ObservationDate(node, DATE)
        if path[0] == scope.observed.name:
            return t.Attribute(node, _type(scope.observed), scope.observed)
        if path[0] in scope.observed.attributes:
            attribute = scope.observed.attributes[path[0]]
            return t.Attribute(node, _type(attribute), attribute)
    if not scope.kinds:
        return None
    kinds = scope.kinds
    if len(path) == 2 and path[0] in kinds:
        kinds, path = (path[0],), path[1:]
    if len(path) != 1:
        return None
    name = path[0]
    if name == "date":
        return t.FieldOf(node, DATE, kinds[0], None)
    for kind in kinds:
        record = vocabulary.records[kind]
        if name in record.fields:
            if name in vocabulary.items and record.fields[name] is not vocabulary.items[name]:
                scope.checked.warnings.append(
                    finding("shadowing", _where(node, scope), Grade.WARNING, kind=kind, name=name)
                )
            return t.FieldOf(node, _type(record.fields[name]), kind, record.fields[name])
        derivation = vocabulary.derivations.get(name)
        if derivation is not None and derivation.of == kind:
            return _derived(name, node, replace(scope, kinds=ancestors(vocabulary, kind)))
    return None


def _person(path: n.Path, scope: _Scope) -> tuple[str, str, n.Path]:
    """Splits `partner.karyotype.date` into the relative, the name and the rest."""
    relatives = scope.vocabulary.relatives
    if len(path) > 1 and path[0] in relatives:
        if path[1] not in relatives[path[0]]:
            near = _nearest(path[1], relatives[path[0]])
            raise Refused(finding("name_unknown", scope.base, name=".".join(path), nearest=near))
        return path[0], path[1], path[2:]
    return "", path[0], path[1:]


def _derived(name: str, node: n.Ref, scope: _Scope) -> t.Derived:
    checked = scope.checked
    if name not in checked.derivations:
        if name in scope.open:
            _fail(scope, node, "cycle", name=name, path=" -> ".join([*scope.open, name]))
        derivation = checked.vocabulary.derivations[name]
        kinds = ancestors(checked.vocabulary, derivation.of) if derivation.of else ()
        inner = _Scope(checked, scope.base, kinds, None, (*scope.open, name))
        checked.derivations[name] = _check(derivation.expression, inner)
    body = checked.derivations[name]
    declared = checked.vocabulary.derivations[name]
    factor, kind = _declared_unit(declared, body, node, scope)
    return t.Derived(node, kind, name, body, factor)


def _declared_unit(derivation: Derivation, body: t.Typed, node: n.Expression, scope: _Scope) -> tuple[Decimal, t.Type]:
    if derivation.unit is None or body.type.is_a != "amount":
        return Decimal(1), body.type
    return _factor(_unit_of(body), derivation.unit, node, body, scope), t.Type("amount", derivation.unit)


def _type(item: Item) -> t.Type:
    match item.kind:
        case "quantity" | "count":
            return t.Type("amount", item.unit)
        case "category":
            return t.Type("category", categories=frozenset(item.categories))
        case "yes_no" | "attestation":
            return TRUTH
        case "date":
            return DATE
        case "age":
            return t.Type("amount", YEARS)


# ---------------------------------------------------------------- narrowing


def _narrowed(node: n.Ref, scope: _Scope) -> tuple[tuple[t.Window, ...], tuple[n.On, ...], tuple[str, ...]]:
    windows = tuple(_window(part, scope) for part in node.narrowings if isinstance(part, n.Within))
    filters = tuple(part for part in node.narrowings if isinstance(part, n.On))
    return windows, filters, _anchors([part for part in node.narrowings if isinstance(part, n.At)], scope)


def _window(part: n.Within, scope: _Scope) -> t.Window:
    if not part.amount.isdigit():
        _fail(
            scope,
            part,
            "type_mismatch",
            text=part.amount,
            found="not whole",
            expected="a whole number of days, weeks, months or years",
        )
    calendar = part.calendar.rstrip("s") + "s"
    return t.Window(int(part.amount), calendar, part.side, _anchor(part.anchor, part, scope) if part.anchor else "")


def _anchors(parts: Iterable[n.At], scope: _Scope) -> tuple[str, ...]:
    return tuple(_anchor(part.anchor, part, scope) for part in parts)


def _anchor(path: n.Path, node: n.Node, scope: _Scope) -> str:
    name = ".".join(path)
    anchors = scope.vocabulary.anchors
    if name not in anchors:
        _fail(
            scope,
            node,
            "anchor_unknown",
            name=name,
            nearest=_nearest(name, anchors),
            anchors=", ".join(sorted(anchors)),
        )
    return name


def _filters(parts: Iterable[n.On], item: Item, scope: _Scope) -> tuple[t.Filter, ...]:
    filters = []
    for part in parts:
        attribute = item.attributes.get(part.attribute)
        if attribute is None:
            _fail(scope, part, "attribute_unknown", item=item.name, name=part.attribute)
        operand = t.Attribute(n.Ref((part.attribute,)), _type(attribute), attribute)
        filters.append(t.Filter(attribute, _among(part.choice, operand, scope)))
    return tuple(filters)


# ---------------------------------------------------------------- aggregates


def _aggregate(node: n.Aggregate, scope: _Scope) -> t.Typed:
    path = node.source.path
    if path[0] in scope.vocabulary.records:
        return _over_records(node, scope)
    person, name, rest = _person(path, scope)
    if name not in scope.vocabulary.items or rest:
        if name in scope.vocabulary.derivations:
            _fail(scope, node, "aggregate_source", function=node.function, name=name, found="derived")
        _unknown_name(node.source, ".".join(path), scope)
    item = scope.vocabulary.items[name]
    windows, filters, at = _narrowed(node.source, scope)
    at = at + _anchors(node.at, scope)
    inner = replace(scope, observed=item)
    where = _condition(node.where, inner) if node.where is not None else None
    satisfies = _condition(node.satisfies, inner) if node.satisfies is not None else None
    take: Literal["value", "date"] = "value"
    if node.field_name:
        if node.field_name != "date" or node.function not in ("latest", "earliest"):
            _fail(scope, node, "field_unknown", kind=name, name=node.field_name, nearest="", fields="date")
        take = "date"
    match node.function:
        case "latest" | "earliest":
            kind = DATE if take == "date" else _type(item)
        case "min" | "max" | "mean" | "sum":
            kind = expect(t.Attribute(node.source, _type(item), item), "amount", _where(node, scope)).type
        case "count" | "longest_run" | "share":
            kind = NUMBER
        case "any" | "every" | "known":
            kind = TRUTH
    if node.function in ("every", "share", "longest_run") and satisfies is None:
        _fail(scope, node, "satisfies_missing", function=node.function)
    return t.ItemAggregate(
        node,
        kind,
        node.function,
        item,
        person,
        windows,
        _filters(filters, item, scope),
        at,
        where,
        satisfies,
        take,
    )


def _over_records(node: n.Aggregate, scope: _Scope) -> t.Typed:
    kind, *rest = node.source.path
    record = scope.vocabulary.records[kind]
    windows, filters, at = _narrowed(node.source, scope)
    if filters:
        _fail(scope, filters[0], "attribute_unknown", item=kind, name=filters[0].attribute)
    inner = replace(scope, kinds=(*ancestors(scope.vocabulary, kind), *scope.kinds), observed=None)
    where = _condition(node.where, inner) if node.where is not None else None
    satisfies = _condition(node.satisfies, inner) if node.satisfies is not None else None
    named = ".".join([*rest, *([node.field_name] if node.field_name else [])])
    take = None
    if named:
        take = _local(n.Ref((named,), span=node.source.span), inner)
        if take is None:
            fields = ", ".join([*record.fields, "date"])
            _fail(
                scope,
                node,
                "field_unknown",
                kind=kind,
                name=named,
                nearest=_nearest(named, record.fields),
                fields=fields,
            )
    if node.function in (*_CHOOSES, "known") and take is None:
        _fail(scope, node, "field_missing", function=node.function, kind=kind)
    if node.function in ("every", "share", "longest_run") and satisfies is None:
        _fail(scope, node, "satisfies_missing", function=node.function)
    match node.function:
        case "latest" | "earliest":
            assert take is not None
            result = take.type
        case "min" | "max" | "mean" | "sum":
            assert take is not None
            result = expect(take, "amount", _where(node, scope)).type
        case "count" | "longest_run" | "share":
            result = NUMBER
        case "any" | "every" | "known":
            result = TRUTH
    return t.RecordAggregate(
        node, result, node.function, kind, windows, at + _anchors(node.at, scope), where, satisfies, take
    )


# ---------------------------------------------------------------- comparisons and arithmetic

_FLIPPED: dict[str, n.Comparator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


def _comparison(node: n.Compare, scope: _Scope) -> t.Typed:
    if isinstance(node.left, n.Number) and not isinstance(node.right, n.Number):
        flipped = n.Compare(_FLIPPED[node.operator], node.right, node.left, span=node.span)
        return replace(_comparison(flipped, scope), source=node)
    left = _check(node.left, scope)
    equality = node.operator in ("=", "!=")
    if left.type.is_a == "category" and equality:
        return _same_kind(node, left, scope)
    if (
        left.type.is_a == "truth"
        and equality
        and isinstance(node.right, n.Ref)
        and node.right.path in (("yes",), ("no",))
    ):
        wanted = (node.right.path == ("yes",)) == (node.operator == "=")
        return left if wanted else t.Negation(node, TRUTH, left)
    if left.type.is_a == "date":
        right = expect(_check(node.right, scope), "date", _where(node.right, scope))
        return t.Comparison(node, TRUTH, node.operator, left, right)
    if left.type.is_a != "amount":
        expected = "something that has an order" if not equality else "a category, a number or a date"
        _fail(
            scope,
            node.left,
            "type_mismatch",
            text=unparse(node.left),
            found=_named(left.type),
            expected=expected,
        )
    if isinstance(node.right, n.Number):
        value = _limit(node.right.text, node.right.unit, left, node.right, scope)
        limit = t.ConstantAmount(node.right, left.type, value)
        return t.Comparison(node, TRUTH, node.operator, left, limit)
    right = _amount(node.right, scope)
    factor = _factor(_unit_of(right), _unit_of(left), node, left, scope)
    return t.Comparison(node, TRUTH, node.operator, left, right, factor)


def _same_kind(node: n.Compare, left: t.Typed, scope: _Scope) -> t.Typed:
    negated = node.operator == "!="
    if isinstance(node.right, n.Text):
        name = node.right.text
    elif isinstance(node.right, n.Ref) and len(node.right.path) == 1 and not node.right.narrowings:
        name = node.right.path[0]
    else:
        right = expect(_check(node.right, scope), "category", _where(node.right, scope))
        return t.SameKind(node, TRUTH, left, right, negated)
    if name in left.type.categories:
        return t.IsAmong(node, TRUTH, left, t.Among(categories=frozenset({name})), negated)
    vocabulary = scope.vocabulary
    if isinstance(node.right, n.Ref) and (name in vocabulary.items or name in vocabulary.derivations):
        right = _check(node.right, scope)
        if right.type.is_a == "category":
            if not right.type.categories & left.type.categories:
                _fail(scope, node, "never_decided", text=unparse(node), why="the two share no category")
            return t.SameKind(node, TRUTH, left, right, negated)
    _category_unknown(name, left, node.right, scope)


def _among(choice: n.Choice, left: t.Typed, scope: _Scope) -> t.Among:
    if isinstance(choice, n.ValueSet):
        return _value_set(choice, left, scope)
    if left.type.is_a == "category":
        if isinstance(choice, n.Range):
            _fail(
                scope,
                choice,
                "type_mismatch",
                text=unparse(choice),
                found="a range",
                expected="a set of categories",
            )
        for name in choice.members:
            if name not in left.type.categories:
                _category_unknown(name, left, choice, scope)
        return t.Among(categories=frozenset(choice.members))
    expect(left, "amount", _where(choice, scope))
    if isinstance(choice, n.Members):
        for name, quoted in zip(choice.members, choice.quoted, strict=True):
            if quoted or not _is_number(name):
                _fail(scope, choice, "type_mismatch", text=name, found="a category", expected="a number")
        return t.Among(numbers=tuple(_limit(text, choice.unit, left, choice, scope) for text in choice.members))
    low = _limit(choice.low, choice.unit, left, choice, scope)
    high = _limit(choice.high, choice.unit, left, choice, scope)
    if low > high:
        _fail(scope, choice, "range_empty", low=choice.low, high=choice.high)
    return t.Among(interval=Interval(low, high))


def _value_set(choice: n.ValueSet, left: t.Typed, scope: _Scope) -> t.Among:
    name = ".".join(choice.path)
    sets = scope.vocabulary.value_sets
    if name not in sets:
        _fail(scope, choice, "name_unknown", name=name, nearest=_nearest(name, sets))
    expect(left, "category", _where(choice, scope))
    for category in sorted(sets[name] - left.type.categories):
        _category_unknown(category, left, choice, scope)
    return t.Among(categories=sets[name])


def _arithmetic(node: n.Arithmetic, scope: _Scope) -> t.Typed:
    left, right = _check(node.left, scope), _check(node.right, scope)
    if left.type.is_a == right.type.is_a == "date" and node.operator == "-":
        return t.Calculation(node, t.Type("amount", DAYS), "-", left, right)
    expect(left, "amount", _where(node.left, scope))
    expect(right, "amount", _where(node.right, scope))
    one, other = _unit_of(left), _unit_of(right)
    if node.operator in ("+", "-"):
        if not _comparable(one, other):
            _fail(
                scope, node, "unit_sum",
                left=unparse(node.left), left_unit=_unit_name(one),
                right=unparse(node.right), right_unit=_unit_name(other),
            )  # fmt: skip
        return t.Calculation(node, left.type, node.operator, left, right, _factor(other, one, node, left, scope))
    if one.code in _CALENDAR or other.code in _CALENDAR:
        _fail(
            scope,
            node,
            "type_mismatch",
            text=unparse(node),
            found="a product with a calendar time",
            expected="a plain number",
        )
    _propose_share(node, left, right, scope)
    try:
        unit = units.product(one, other) if node.operator == "*" else units.quotient(one, other)
    except ValueError as impossible:
        _fail(
            scope,
            node,
            "type_mismatch",
            text=unparse(node),
            found=str(impossible),
            expected="units that can be multiplied",
        )
    return t.Calculation(node, t.Type("amount", unit), node.operator, left, right)


def _propose_share(node: n.Arithmetic, left: t.Typed, right: t.Typed, scope: _Scope) -> None:
    counts = [x for x in (left, right) if isinstance(x, t.RecordAggregate) and x.function == "count"]
    if node.operator == "/" and len(counts) == 2 and counts[0].kind == counts[1].kind:
        scope.checked.warnings.append(
            finding("share_proposed", _where(node, scope), Grade.WARNING, text=unparse(node), kind=counts[0].kind)
        )


# ---------------------------------------------------------------- numbers and units


def _literal(node: n.Number, scope: _Scope) -> tuple[Decimal, Unit]:
    if not node.unit:
        return Decimal(node.text), COUNT
    if node.unit in _CALENDAR:
        if node.unit in _DAYS_PER:
            return Decimal(node.text) * _DAYS_PER[node.unit], DAYS
        if node.unit in ("year", "years"):
            return Decimal(node.text), YEARS
        _fail(
            scope,
            node,
            "type_mismatch",
            text=unparse(node),
            found="no fixed length",
            expected="days, weeks or years",
        )
    return Decimal(node.text), _known_unit(node.unit, node, scope)


def _limit(text: str, unit: str, left: t.Typed, node: n.Node, scope: _Scope) -> Decimal:
    """The number of a threshold in the unit of what is compared with it."""
    target = _unit_of(left)
    value, source = _literal(n.Number(text.lstrip("-"), unit, span=node.span), scope)
    value = -value if text.startswith("-") else value
    if (
        not unit
        and target.code != COUNT.code
        and not (target.dimension == COUNT.dimension and target.scale == 1 and target.code not in _CALENDAR)
    ):
        _fail(scope, node, "unit_missing", left=unparse(left.source), left_unit=_unit_name(target))
    if source.code == target.code:
        return value
    if not _comparable(source, target, _molar_mass(left)):
        _mismatch(left, source, node, scope)
    return units.convert(value, source, target, _molar_mass(left))


def _factor(source: Unit, target: Unit, node: n.Expression, left: t.Typed, scope: _Scope) -> Decimal:
    if source.code == target.code:
        return Decimal(1)
    if not _comparable(source, target):
        _mismatch(left, source, node, scope)
    return units.convert(Decimal(1), source, target)


def _comparable(one: Unit, other: Unit, molar_mass: Fraction | None = None) -> bool:
    if one.code in _CALENDAR or other.code in _CALENDAR:
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


def _molar_mass(node: t.Typed) -> Fraction | None:
    return node.item.molar_mass if isinstance(node, t.ItemAggregate | t.FieldOf | t.Attribute) and node.item else None


def _unit_of(node: t.Typed) -> Unit:
    return node.type.unit or COUNT


def _unit_name(unit: Unit) -> str:
    return "a plain number" if unit.code == COUNT.code else unit.code


def _known_unit(code: str, node: n.Node, scope: _Scope) -> Unit:
    unit = units.unit(code)
    if unit is None:
        if code.startswith("/"):
            _fail(scope, node, "operator_blanks", found=code)
        nearest = units.nearest_unit(code)
        _fail(scope, node, "unit_unknown", unit=code, nearest=f" Did you mean `{nearest}`?" if nearest else "")
    return unit


# ---------------------------------------------------------------- findings


def _where(node: n.Node, scope: _Scope) -> Where:
    base = scope.base
    if not base.line:
        return replace(base, line=node.span.line, column=node.span.column)
    column = base.column + node.span.column - 1 if node.span.line == 1 and base.column else base.column
    return replace(base, line=base.line + node.span.line - 1, column=column)


def _fail(scope: _Scope, node: n.Node, code: str, **values: object) -> NoReturn:
    raise Refused(finding(code, _where(node, scope), Grade.ERROR, **values))


def _mismatch(left: t.Typed, source: Unit, node: n.Node, scope: _Scope) -> NoReturn:
    _fail(
        scope, node, "unit_mismatch",
        left=unparse(left.source), left_unit=_unit_name(_unit_of(left)), right_unit=_unit_name(source),
    )  # fmt: skip


def _category_unknown(name: str, left: t.Typed, node: n.Node, scope: _Scope) -> NoReturn:
    categories = left.type.categories
    _fail(
        scope, node, "category_unknown",
        name=name, item=unparse(left.source),
        categories=", ".join(sorted(categories)), nearest=_nearest(name, categories),
    )  # fmt: skip


def _unknown_name(node: n.Ref, name: str, scope: _Scope) -> NoReturn:
    vocabulary = scope.vocabulary
    local = [field for kind in scope.kinds for field in vocabulary.records[kind].fields]
    names = [*vocabulary.items, *vocabulary.derivations, *vocabulary.records, *vocabulary.anchors, *local]
    _fail(scope, node, "name_unknown", name=name, nearest=_nearest(name, names))


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), 1)
    return f" Did you mean `{near[0]}`?" if near else ""


def _is_number(text: str) -> bool:
    return text.lstrip("-")[:1].isdigit()


def _date(text: str, node: n.Node, scope: _Scope) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        _fail(
            scope,
            node,
            "type_mismatch",
            text=text,
            found="no day of the calendar",
            expected="a date like 2026-03-09",
        )
