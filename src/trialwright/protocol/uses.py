"""What a checked expression asks for: the items and the kinds of record that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trialwright.language import typed as t


def names_in(node: t.Typed) -> set[str]:
    """The items and record kinds that a checked expression asks for; a relative's item as `partner.karyotype`."""
    found: set[str] = set()
    for part in walk(node):
        match part:
            case t.ItemAggregate(item=item, person=person):
                found.add(f"{person}.{item.name}" if person else item.name)
            case t.Age(born=born, person=person):
                found.add(f"{person}.{born.name}" if person else born.name)
            case t.RecordAggregate(kind=kind):
                found.add(kind)
    return found


@dataclass(frozen=True, slots=True)
class Grounds:
    """All that the answer of an expression may rest on: items, kinds of record, lists; and whether anchors count."""

    names: frozenset[str]
    anchored: bool


def grounds_of(node: t.Typed) -> Grounds:
    """What would have to change for a checked expression to answer otherwise at the same reference time."""
    names, anchored = names_in(node), False
    for part in walk(node):
        match part:
            case t.ItemAggregate(item=item, windows=windows, at=at):
                names.add(item.absent_no)
                anchored |= bool(at) or any(window.anchor for window in windows)
            case t.RecordAggregate(lineage=lineage, windows=windows, at=at):
                names.update(lineage)
                anchored |= bool(at) or any(window.anchor for window in windows)
            case t.FieldOf(kind=kind):
                names.add(kind)
            case t.Age(at=at) | t.AskedAt(at=at):
                anchored |= bool(at)
            case t.AnchorDate():
                anchored = True
    return Grounds(frozenset(names - {""}), anchored)


def walk(node: t.Typed) -> Iterator[t.Typed]:
    """The node and every checked piece inside it."""
    yield node
    match node:
        case t.ItemAggregate():
            inner: tuple[t.Typed | None, ...] = (node.where, node.satisfies)
        case t.RecordAggregate():
            inner = (node.where, node.satisfies, node.take)
        case t.Derived():
            inner = (node.body,)
        case t.AskedAt() | t.Negation() | t.IsAmong() | t.WithinNormal() | t.Opposite() | t.Raised():
            inner = (node.operand,)
        case t.Junction():
            inner = node.operands
        case t.Comparison() | t.SameKind() | t.Calculation():
            inner = (node.left, node.right)
        case _:
            inner = ()
    for part in inner:
        if part is not None:
            yield from walk(part)
