"""The checked expression: every name resolved, every type known, every limit in the unit it is compared in.

These nodes are the contract between the checker and the interpreters: an ill-typed expression cannot be built
because only `check` builds them. What follows from a node alone, the same for every participant, is worked out once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Literal, TypeAlias

from trialwright.core.interval import Interval, point
from trialwright.core.units import Unit
from trialwright.language import nodes as n
from trialwright.language.unparse import unparse
from trialwright.language.values import Amount, Moment
from trialwright.language.vocabulary import Item

ValueType: TypeAlias = Literal["amount", "category", "truth", "date"]


@dataclass(frozen=True, slots=True)
class Type:
    """What an expression yields: an amount in a unit, one of some categories, a truth or a date."""

    is_a: ValueType
    unit: Unit | None = None
    categories: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of calendar time before, after or around the reference time or an anchor."""

    amount: int
    calendar: str
    side: n.Side = "before"
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Among:
    """A set of acceptable values: an interval, numbers, or categories."""

    interval: Interval | None = None
    numbers: tuple[Decimal, ...] = ()
    categories: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Filter:
    """An attribute and what it must be among."""

    attribute: Item
    among: Among


@dataclass(frozen=True)
class Node:
    """A checked piece: where it came from and what it yields."""

    source: n.Expression
    type: Type

    @cached_property
    def clause(self) -> str:
        """The piece in the protocol's words."""
        return unparse(self.source)


@dataclass(frozen=True, slots=True)
class ConstantAmount(Node):
    """A number, already in the unit it is compared in."""

    value: Decimal

    @cached_property
    def amount(self) -> Amount:
        """The number as a value."""
        return Amount(point(self.value))


@dataclass(frozen=True, slots=True)
class ConstantDate(Node):
    """A full date."""

    value: date

    @cached_property
    def moment(self) -> Moment:
        """The date as a value: where it begins."""
        midnight = datetime(self.value.year, self.value.month, self.value.day)
        return Moment(midnight, midnight)


@dataclass(frozen=True, slots=True)
class Age(Node):
    """Completed years since the date that an item holds, at the reference time."""

    item: Item
    born: Item
    person: str
    at: tuple[str, ...]

    @cached_property
    def name(self) -> str:
        """What it is counted from."""
        return _of(self.person, self.born)


@dataclass(frozen=True, slots=True)
class ItemAggregate(Node):
    """A function over the observations of an item; a bare name is the latest."""

    function: n.Function
    item: Item
    person: str
    windows: tuple[Window, ...]
    filters: tuple[Filter, ...]
    at: tuple[str, ...]
    where: Typed | None = None
    satisfies: Typed | None = None
    take: Literal["value", "date"] = "value"
    bare: bool = False

    @cached_property
    def name(self) -> str:
        """The item, and whose."""
        return _of(self.person, self.item)

    @cached_property
    def looks_back(self) -> tuple[Window, ...]:
        """The windows as written, and how long a result of the item is valid where only the latest counts."""
        valid = self.item.valid
        if valid is None or self.function not in ("latest", "known"):
            return self.windows
        return (*self.windows, Window(valid.amount, valid.calendar))


def _of(person: str, item: Item) -> str:
    return f"{person}.{item.name}" if person else item.name


@dataclass(frozen=True, slots=True)
class RecordAggregate(Node):
    """A function over the records of a kind, perhaps of one field or derivation of them (`take`).

    `lineage` is the kind, its parent, its parent's parent. `of` names the ancestor at hand whose records are
    meant; empty where all of them are.
    """

    function: n.Function
    kind: str
    windows: tuple[Window, ...]
    at: tuple[str, ...]
    where: Typed | None
    satisfies: Typed | None
    take: Typed | None
    lineage: tuple[str, ...] = ()
    of: str = ""


@dataclass(frozen=True, slots=True)
class FieldOf(Node):
    """A field of the record at hand (`kind` names which, itself or an ancestor), or its date."""

    kind: str
    item: Item | None  # None: the record's date

    @cached_property
    def name(self) -> str:
        """The kind and its field."""
        return f"{self.kind}.{self.item.name}" if self.item else self.kind


@dataclass(frozen=True, slots=True)
class Attribute(Node):
    """An attribute of the observation at hand, or its value `itself`."""

    item: Item
    itself: bool = False


@dataclass(frozen=True, slots=True)
class ObservationDate(Node):
    """The date of the observation at hand."""


@dataclass(frozen=True, slots=True)
class AnchorDate(Node):
    """When an anchor was reached."""

    anchor: str


@dataclass(frozen=True, slots=True)
class Derived(Node):
    """A named derivation, with the factor that brings it to its declared unit."""

    name: str
    body: Typed
    factor: Decimal


@dataclass(frozen=True, slots=True)
class AskedAt(Node):
    """An expression asked at another reference time."""

    operand: Typed
    at: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Negation(Node):
    """Not."""

    operand: Typed


@dataclass(frozen=True, slots=True)
class Junction(Node):
    """And, or."""

    operator: Literal["and", "or"]
    operands: tuple[Typed, ...]


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """A comparison of two amounts in one unit, or of two dates; `factor` brings the right side over."""

    operator: n.Comparator
    left: Typed
    right: Typed
    factor: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class IsAmong(Node):
    """Whether a value is among acceptable ones."""

    operand: Typed
    among: Among
    negated: bool


@dataclass(frozen=True, slots=True)
class SameKind(Node):
    """Whether two categories are the same."""

    left: Typed
    right: Typed
    negated: bool


@dataclass(frozen=True, slots=True)
class WithinNormal(Node):
    """Whether the latest result lies within the reference range that came with it."""

    operand: ItemAggregate
    outside: bool


@dataclass(frozen=True, slots=True)
class Calculation(Node):
    """Arithmetic on amounts; `factor` brings the right side to the left side's unit in sums."""

    operator: Literal["+", "-", "*", "/"]
    left: Typed
    right: Typed
    factor: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Opposite(Node):
    """A changed sign."""

    operand: Typed


@dataclass(frozen=True, slots=True)
class Raised(Node):
    """A whole power."""

    operand: Typed
    exponent: int


Typed: TypeAlias = (
    ConstantAmount
    | ConstantDate
    | Age
    | ItemAggregate
    | RecordAggregate
    | FieldOf
    | Attribute
    | ObservationDate
    | AnchorDate
    | Derived
    | AskedAt
    | Negation
    | Junction
    | Comparison
    | IsAmong
    | SameKind
    | WithinNormal
    | Calculation
    | Opposite
    | Raised
)


def parts(node: Typed) -> Iterator[Typed]:
    """The expression and every checked piece inside it."""
    yield node
    for one in fields(node):
        value = getattr(node, one.name)
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, Node):
                yield from parts(inner)  # type: ignore[arg-type]  # every node is one of `Typed`
