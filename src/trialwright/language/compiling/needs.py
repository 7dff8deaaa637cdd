"""What must be chosen or counted before an expression can be answered, and on what that depends.

An aggregate that depends on no record at hand is a need of the participant, wherever it stands, and is met once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from trialwright.language import typed as t
from trialwright.language.unparse import unparse
from trialwright.language.vocabulary import Item

#: A reference time: the anchor that `at` names, or '' for each participant's own.
When: TypeAlias = str
Ask: TypeAlias = tuple[t.Typed, When]

#: Stands among record kinds for the observation at hand.
OBSERVATION = "."


@dataclass(frozen=True, slots=True)
class Need:
    """An aggregate at a reference time; `normal` asks whether its choice lies in its reference range."""

    key: str
    node: t.ItemAggregate | t.RecordAggregate | t.Age
    when: When
    normal: bool = False

    @property
    def members(self) -> str:
        """Needs of one name choose among the same members in the same way."""
        return self.key.removeprefix("normal ")


def need_of(node: t.Typed, when: When) -> Need | None:
    """The need that a node is, if it is one."""
    match node:
        case t.Age():
            return Need(f"born {node.person}.{node.born.name}", node, "")
        case t.ItemAggregate() | t.RecordAggregate():
            when = node.at[0] if node.at else when
            of = node.of if isinstance(node, t.RecordAggregate) else ""
            return Need(f"{unparse(node.source)} | {when} | {of}", node, when)
        case t.WithinNormal():
            inner = need_of(node.operand, when)
            assert inner is not None
            return Need(f"normal {inner.key}", inner.node, inner.when, normal=True)
        case _:
            return None


def outer(asks: Iterable[Ask]) -> Iterator[Need]:
    """The aggregates that stand in no other."""
    for node, when in asks:
        found = need_of(node, when)
        if found is not None:
            yield found
        else:
            yield from outer(parts(node, when))


def deep(asks: Iterable[Ask]) -> Iterator[Need]:
    """Every aggregate, however deep."""
    for need in outer(asks):
        yield need
        yield from deep(inner(need))


def inner(need: Need) -> list[Ask]:
    """What is asked of each member."""
    node = need.node
    if isinstance(node, t.Age):
        return []
    asked = [node.where, node.satisfies, node.take if isinstance(node, t.RecordAggregate) else None]
    return [(part, need.when) for part in asked if part is not None]


def parts(node: t.Typed, when: When) -> list[Ask]:
    """The parts of a node that is no aggregate, each with the time at which it is asked."""
    match node:
        case t.AskedAt():
            return [(node.operand, node.at[0])]
        case t.Derived():
            return [(node.body, when)]
        case t.Negation() | t.IsAmong() | t.Opposite() | t.Raised():
            return [(node.operand, when)]
        case t.Junction():
            return [(operand, when) for operand in node.operands]
        case t.Comparison() | t.SameKind() | t.Calculation():
            return [(node.left, when), (node.right, when)]
        case _:
            return []


def nodes(asks: Iterable[Ask]) -> Iterator[Ask]:
    """Every node, through aggregates too."""
    for node, when in asks:
        yield node, when
        if isinstance(node, t.WithinNormal):
            yield from nodes([(node.operand, when)])
            continue
        found = need_of(node, when)
        yield from nodes(inner(found) if found is not None else parts(node, when))


def free(node: t.Typed) -> frozenset[str]:
    """The record kinds that must be at hand for the node to be answered, and whether an observation must."""
    match node:
        case t.FieldOf():
            return frozenset({node.kind})
        case t.Attribute() | t.ObservationDate():
            return frozenset({OBSERVATION})
        case t.WithinNormal():
            return free(node.operand)
    need = need_of(node, "")
    if need is None:
        return frozenset[str]().union(*(free(part) for part, _ in parts(node, "")))
    inside = frozenset[str]().union(*(free(part) for part, _ in inner(need)))
    if isinstance(node, t.RecordAggregate):
        return (inside - set(node.lineage)) | ({node.of} if node.of else frozenset())
    return inside - {OBSERVATION}


def is_of_participant(need: Need) -> bool:
    """Whether the need depends on no record at hand."""
    return not free(need.node)


def level(need: Need) -> int:
    """How many needs of the participant stand inside one another here."""
    inside = [level(one) for one in deep(inner(need)) if is_of_participant(one)]
    return 1 + max(inside) if inside else 0


# ---------------------------------------------------------------- of what a need is


def subject(need: Need) -> str:
    """The kind of the records, or '' for observations."""
    return need.node.kind if isinstance(need.node, t.RecordAggregate) else ""


def mark(need: Need) -> str:
    """What a row must be of: an item of a person, or a record of the kind."""
    return subject(need) or f"{person_of(need)}.{item_of(need).name}"


def item_of(need: Need) -> Item:
    """The item whose observations are meant."""
    assert not isinstance(need.node, t.RecordAggregate)
    return need.node.born if isinstance(need.node, t.Age) else need.node.item


def person_of(need: Need) -> str:
    """Whose observations are meant: a relative's, or ''."""
    assert not isinstance(need.node, t.RecordAggregate)
    return need.node.person


def owner_of(need: Need) -> str:
    """The record kind at hand to whose record the members must belong, or ''."""
    return need.node.of if isinstance(need.node, t.RecordAggregate) else ""


def function_of(need: Need) -> str:
    """What is done with the members."""
    return "latest" if isinstance(need.node, t.Age) else need.node.function


def direction(need: Need) -> str:
    """Which choice is made among the members; '' where all of them count."""
    if function_of(need) == "known":
        return "" if isinstance(need.node, t.RecordAggregate) else "latest"
    return function_of(need) if function_of(need) in ("latest", "earliest") else ""


def asks_absence(need: Need) -> bool:
    """Whether nothing recorded may be a no."""
    node = need.node
    return isinstance(node, t.ItemAggregate) and bool(node.item.absent_no) and node.type.is_a == "truth"
