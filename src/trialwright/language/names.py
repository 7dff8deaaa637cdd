"""What a name means: an observation's attribute, a record's field, an item, a derivation, an anchor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import NoReturn

from trialwright.core.finding import Grade, Refused, finding
from trialwright.language import nodes as n
from trialwright.language import typed as t
from trialwright.language.scope import (
    DATE,
    NUMBER,
    TRUTH,
    YEARS,
    Scope,
    condition,
    expect,
    fail,
    nearest,
    place,
    type_of,
    unknown_name,
)
from trialwright.language.thresholds import among, factor, unit_of
from trialwright.language.vocabulary import Derivation, Item, ancestors

_CHOOSES = ("latest", "earliest", "min", "max", "mean", "sum")
_LONGEST = {"years": 200, "months": 2400, "weeks": 10_000, "days": 73_000, "hours": 1_000_000}


def reference(node: n.Ref, scope: Scope) -> t.Typed:
    """A name by itself: the latest observation of an item, a field of the record at hand, a derivation, an anchor."""
    path, windows, filters, at = node.path, *_narrowed(node, scope)
    local = _local(node, scope)
    if local is not None:
        if node.narrowings:
            fail(scope, node, "window_on_derived", name=".".join(path))
        return local
    person, name, rest = _person(node, scope)
    vocabulary = scope.vocabulary
    if name in vocabulary.items and rest in ((), ("date",)):
        item = vocabulary.items[name]
        if item.kind == "age":
            if windows or filters or rest:
                fail(scope, node, "window_on_derived", name=name)
            return _age(node, item, person, at, scope)
        chosen = t.ItemAggregate(
            node, type_of(item), "latest", item, person, windows, _filters(filters, item, scope), at, bare=True
        )
        return replace(chosen, type=DATE, take="date") if rest else chosen
    if name in vocabulary.derivations and not rest and not person:
        if windows or filters:
            fail(scope, node, "window_on_derived", name=name)
        of = vocabulary.derivations[name].of
        if of:
            fail(scope, node, "never_decided", text=name, why=f"it belongs to one `{of}`, and none is at hand here")
        derived = _derived(name, node, scope)
        return t.AskedAt(node, derived.type, derived, at) if at else derived
    if path == (name,) and name in vocabulary.anchors:
        if node.narrowings:
            fail(scope, node, "window_on_derived", name=name)
        return t.AnchorDate(node, DATE, name)
    if name in vocabulary.records:
        fail(scope, node, "type_mismatch", text=".".join(path), found="a list of records", expected="one value")
    unknown_name(node, scope)


def _age(node: n.Ref, item: Item, person: str, at: tuple[str, ...], scope: Scope) -> t.Typed:
    born = scope.vocabulary.items.get(item.born)
    if born is None:
        fail(scope, node, "name_unknown", name=item.born, nearest=nearest(item.born, scope.vocabulary.items))
    return t.Age(node, t.Type("amount", YEARS), item, born, person, at)


def _local(node: n.Ref, scope: Scope) -> t.Typed | None:
    """What the name means for the observation or the record at hand: the innermost meaning wins."""
    path, vocabulary = node.path, scope.vocabulary
    if scope.observed is not None and len(path) == 1:
        if path[0] == "date":
            return t.ObservationDate(node, DATE)
        if path[0] == scope.observed.name:
            return t.Attribute(node, type_of(scope.observed), scope.observed, itself=True)
        if path[0] in scope.observed.attributes:
            attribute = scope.observed.attributes[path[0]]
            _shadowing(node, scope.observed.name, path[0], scope)
            return t.Attribute(node, type_of(attribute), attribute)
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
            if record.fields[name] is not vocabulary.items.get(name):
                _shadowing(node, kind, name, scope)
            return t.FieldOf(node, type_of(record.fields[name]), kind, record.fields[name])
        derivation = vocabulary.derivations.get(name)
        if derivation is not None and derivation.of == kind:
            return _derived(name, node, replace(scope, kinds=ancestors(vocabulary, kind)))
    return None


def _shadowing(node: n.Ref, inside: str, name: str, scope: Scope) -> None:
    if name in scope.vocabulary.items:
        scope.checked.warnings.append(finding("shadowing", place(node, scope), Grade.WARNING, kind=inside, name=name))


def _person(node: n.Ref, scope: Scope) -> tuple[str, str, n.Path]:
    """Splits `partner.karyotype.date` into the relative, the name and the rest."""
    path, relatives = node.path, scope.vocabulary.relatives
    if len(path) > 1 and path[0] in relatives:
        if path[1] not in relatives[path[0]]:
            near = nearest(path[1], relatives[path[0]])
            fail(scope, node, "name_unknown", name=".".join(path), nearest=near)
        return path[0], path[1], path[2:]
    return "", path[0], path[1:]


def _derived(name: str, node: n.Ref, scope: Scope) -> t.Derived:
    checked = scope.checked
    if name in checked.broken:
        raise Refused  # what is wrong with the derivation was found where it is declared
    if name not in checked.derivations:
        if name in scope.open:
            fail(scope, node, "cycle", name=name, path=" -> ".join([*scope.open, name]))
        derivation = checked.vocabulary.derivations[name]
        kinds = ancestors(checked.vocabulary, derivation.of) if derivation.of else ()
        inner = replace(scope, kinds=kinds, observed=None, open=(*scope.open, name))
        try:
            checked.derivations[name] = scope.check(derivation.expression, inner)
        except Refused as refused:
            if any(found.code == "cycle" for found in refused.findings):
                raise
            checked.broken.add(name)
            raise Refused from refused
    body = checked.derivations[name]
    scale, kind = _declared_unit(checked.vocabulary.derivations[name], body, node, scope)
    return t.Derived(node, kind, name, body, scale)


def _declared_unit(derivation: Derivation, body: t.Typed, node: n.Expression, scope: Scope) -> tuple[Decimal, t.Type]:
    if derivation.unit is None or body.type.is_a != "amount":
        return Decimal(1), body.type
    return factor(unit_of(body), derivation.unit, node, body, scope), t.Type("amount", derivation.unit)


# ---------------------------------------------------------------- narrowing


def _narrowed(node: n.Ref, scope: Scope) -> tuple[tuple[t.Window, ...], tuple[n.On, ...], tuple[str, ...]]:
    windows = tuple(_window(part, scope) for part in node.narrowings if isinstance(part, n.Within))
    filters = tuple(part for part in node.narrowings if isinstance(part, n.On))
    return windows, filters, anchors([part for part in node.narrowings if isinstance(part, n.At)], scope)


def _window(part: n.Within, scope: Scope) -> t.Window:
    calendar = part.calendar.rstrip("s") + "s"
    if not part.amount.isdigit() or int(part.amount) > _LONGEST[calendar]:
        whole = part.amount.isdigit()
        found, wanted = ("longer than a life", "a time") if whole else ("not whole", "a whole number of days or months")
        fail(scope, part, "type_mismatch", text=f"{part.amount} {part.calendar}", found=found, expected=wanted)
    return t.Window(int(part.amount), calendar, part.side, _anchor(part.anchor, part, scope) if part.anchor else "")


def anchors(parts: Iterable[n.At], scope: Scope) -> tuple[str, ...]:
    """The anchors of a chain of `at`, innermost first."""
    return tuple(_anchor(part.anchor, part, scope) for part in parts)


def _anchor(path: n.Path, node: n.Node, scope: Scope) -> str:
    name, known = ".".join(path), scope.vocabulary.anchors
    if name not in known:
        listed = ", ".join(sorted(known))
        fail(scope, node, "anchor_unknown", name=name, nearest=nearest(name, known), anchors=listed)
    return name


def _filters(parts: Iterable[n.On], item: Item, scope: Scope) -> tuple[t.Filter, ...]:
    filters = []
    for part in parts:
        attribute = item.attributes.get(part.attribute)
        if attribute is None:
            fail(scope, part, "attribute_unknown", item=item.name, name=part.attribute)
        operand = t.Attribute(n.Ref((part.attribute,)), type_of(attribute), attribute)
        filters.append(t.Filter(attribute, among(part.choice, operand, scope)))
    return tuple(filters)


# ---------------------------------------------------------------- aggregates


def aggregate(node: n.Aggregate, scope: Scope) -> t.Typed:
    """A function over the observations of an item or the records of a kind."""
    if node.source.path[0] in scope.vocabulary.records:
        return _over_records(node, scope)
    return _over_item(node, scope)


def _over_item(node: n.Aggregate, scope: Scope) -> t.Typed:
    person, name, rest = _person(node.source, scope)
    if name not in scope.vocabulary.items or rest:
        if name in scope.vocabulary.derivations:
            fail(scope, node, "aggregate_source", function=node.function, name=name, found="derived")
        unknown_name(node.source, scope)
    item = scope.vocabulary.items[name]
    if item.kind == "age":
        fail(scope, node, "aggregate_source", function=node.function, name=name, found="derived")
    windows, filters, at = _narrowed(node.source, scope)
    inner = replace(scope, observed=item)
    where = condition(node.where, inner) if node.where is not None else None
    satisfies = _satisfies(node, inner)
    if node.field_name and (node.field_name != "date" or node.function not in ("latest", "earliest")):
        fail(scope, node, "field_unknown", kind=name, name=node.field_name, nearest="", fields="date")
    value = t.Attribute(node.source, type_of(item), item, itself=True)
    return t.ItemAggregate(
        node, DATE if node.field_name else _result(node, value, scope), node.function, item, person, windows,
        _filters(filters, item, scope), at + anchors(node.at, scope), where, satisfies,
        "date" if node.field_name else "value",
    )  # fmt: skip


def _over_records(node: n.Aggregate, scope: Scope) -> t.Typed:
    kind, *rest = node.source.path
    record, lineage = scope.vocabulary.records[kind], ancestors(scope.vocabulary, kind)
    windows, filters, at = _narrowed(node.source, scope)
    if filters:
        fail(scope, filters[0], "attribute_unknown", item=kind, name=filters[0].attribute)
    inner = replace(scope, kinds=(*lineage, *scope.kinds), observed=None)
    where = condition(node.where, inner) if node.where is not None else None
    satisfies = _satisfies(node, inner)
    named = ".".join([*rest, *([node.field_name] if node.field_name else [])])
    take = _local(n.Ref((named,), span=node.source.span), inner) if named else None
    if named and take is None:
        _field_unknown(node, kind, named, [*record.fields, "date"], scope)
    if take is None and node.function in (*_CHOOSES, "known"):
        fail(scope, node, "field_missing", function=node.function, kind=kind)
    if take is not None and node.function in ("count", "any", "every", "share", "longest_run"):
        fail(scope, node, "aggregate_source", function=node.function, name=f"{kind}.{named}", found="one field")
    return t.RecordAggregate(
        node, _result(node, take, scope), node.function, kind, windows, at + anchors(node.at, scope), where,
        satisfies, take, lineage, next((parent for parent in lineage[1:] if parent in scope.kinds), ""),
    )  # fmt: skip


def _satisfies(node: n.Aggregate, inner: Scope) -> t.Typed | None:
    if node.satisfies is not None:
        return condition(node.satisfies, inner)
    if node.function in ("every", "share", "longest_run"):
        fail(inner, node, "satisfies_missing", function=node.function)
    return None


def _field_unknown(node: n.Aggregate, kind: str, name: str, fields: list[str], scope: Scope) -> NoReturn:
    near = nearest(name, fields)
    fail(scope, node, "field_unknown", kind=kind, name=name, nearest=near, fields=", ".join(fields))


def _result(node: n.Aggregate, value: t.Typed | None, scope: Scope) -> t.Type:
    match node.function:
        case "latest" | "earliest":
            assert value is not None
            return value.type
        case "min" | "max" | "mean" | "sum":
            assert value is not None
            return expect(value, "amount", place(node, scope)).type
        case "count" | "longest_run" | "share":
            return NUMBER
        case "any" | "every" | "known":  # pragma: no branch - the last of them
            return TRUTH
