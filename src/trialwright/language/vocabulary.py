"""What the names of a protocol mean to the language: items, records, relatives, anchors, derivations, value sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias

from trialwright.core.units import COUNT, Unit
from trialwright.language.nodes import Expression

Kind: TypeAlias = Literal["quantity", "count", "category", "yes_no", "attestation", "date", "age"]


@dataclass(frozen=True, slots=True)
class Duration:
    """So many calendar units."""

    amount: int
    calendar: str

    def __str__(self) -> str:
        return f"{self.amount} {self.calendar}"


@dataclass(frozen=True, slots=True)
class Item:
    """A thing that is asked, measured or judged, with everything the language needs to know of it.

    `unit` is the canonical unit in which values are compared. `absent_no` says that with the closing event
    of `closes`, nothing recorded means no. `attributes` are recorded with each observation.
    """

    name: str
    kind: Kind
    unit: Unit = COUNT
    categories: tuple[str, ...] = ()
    valid: Duration | None = None
    attributes: Mapping[str, Item] = field(default_factory=dict)
    absent_no: str = ""
    molar_mass: Fraction | None = None
    born: str = ""  # for an age: the date item it is counted from
    negative: bool = False  # values below zero are possible, so that a result below a limit may be any of them


@dataclass(frozen=True, slots=True)
class Record:
    """A kind of record that repeats: its fields, and the kind it belongs to."""

    name: str
    fields: Mapping[str, Item]
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Derivation:
    """A named expression; of a record kind where `of` names one, else of the participant."""

    name: str
    expression: Expression
    of: str = ""
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every name that an expression of one protocol may use."""

    items: Mapping[str, Item] = field(default_factory=dict)
    records: Mapping[str, Record] = field(default_factory=dict)
    relatives: Mapping[str, frozenset[str]] = field(default_factory=dict)
    anchors: frozenset[str] = frozenset()
    derivations: Mapping[str, Derivation] = field(default_factory=dict)
    value_sets: Mapping[str, frozenset[str]] = field(default_factory=dict)


def ancestors(vocabulary: Vocabulary, kind: str) -> tuple[str, ...]:
    """The kind, its parent, its parent's parent; stops where a parent is unknown or repeats."""
    chain: list[str] = []
    while kind in vocabulary.records and kind not in chain:
        chain.append(kind)
        kind = vocabulary.records[kind].parent
    return tuple(chain)
