"""Somebody who may be anybody: for each name a few dated slots, each perhaps empty, in the order of their dates.

Slots are sorted: of two in use the later slot is the later one in time, also within one day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from trialwright.language.solving import smt
from trialwright.language.solving.bounds import Bounds, horizon, last_day, lifetime
from trialwright.language.solving.smt import Term
from trialwright.language.vocabulary import Item, Vocabulary


@dataclass(slots=True)
class Slot:
    """Room for one observation or one record: in use or not, its day, its value or its fields, its parent's slot."""

    name: str
    used: Term
    day: Term
    value: Term = None
    fields: dict[str, Term] = field(default_factory=dict)  # of a record its fields, of an observation its attributes
    normal: tuple[Term, Term] | None = None
    parent: Term = None


@dataclass(slots=True)
class Participant:
    """The slots that the rules asked for, and what holds of them."""

    vocabulary: Vocabulary
    bounds: Bounds
    observations: dict[tuple[str, str], list[Slot]] = field(default_factory=dict)
    records: dict[str, list[Slot]] = field(default_factory=dict)
    anchors: dict[str, Slot] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)  # lists that are closed on the reference day
    codes: dict[str, int] = field(default_factory=dict)  # category -> its number
    axioms: list[Term] = field(default_factory=list)
    unrecorded: int = 0


def observations_of(person: str, item: Item, her: Participant) -> list[Slot]:
    """The slots of an item."""
    key = (person, item.name)
    if key not in her.observations:
        name = f"{person}.{item.name}" if person else item.name
        slots = her.observations[key] = _slots(name, her.bounds.observations, her)
        for slot in slots:
            slot.value = _value(slot.name, item, item.name, her)
    return her.observations[key]


def records_of(kind: str, her: Participant) -> list[Slot]:
    """The slots of a kind of record; each in use belongs to one of its parent kind that is in use."""
    if kind not in her.records:
        slots = her.records[kind] = _slots(kind, her.bounds.more.get(kind, her.bounds.records), her)
        her.lists.add(kind)
        parent = her.vocabulary.records[kind].parent
        if parent:
            owners = records_of(parent, her)
            for slot in slots:
                slot.parent = smt.variable(f"{slot.name}<", "int")
                belongs = smt.any_of([smt.all_of([slot.parent == j, x.used]) for j, x in enumerate(owners)])
                her.axioms += [smt.implies(slot.used, belongs), slot.parent >= 0, slot.parent < len(owners)]
    return her.records[kind]


def field_of(slot: Slot, kind: str, item: Item, her: Participant) -> Term:
    """A field of a record, or an attribute of an observation: always recorded."""
    if item.name not in slot.fields:
        slot.fields[item.name] = _value(f"{slot.name}.{item.name}", item, f"{kind}.{item.name}", her)
    return slot.fields[item.name]


def normal_of(slot: Slot, her: Participant) -> tuple[Term, Term]:
    """The reference range that came with a result: any two ends in order."""
    if slot.normal is None:
        slot.normal = (smt.variable(f"{slot.name}<low", "real"), smt.variable(f"{slot.name}<high", "real"))
        her.axioms.append(slot.normal[0] <= slot.normal[1])
    return slot.normal


def anything(item: Item, limits: str, her: Participant) -> Term:
    """A value that was not recorded: any that the item may have."""
    her.unrecorded += 1
    return _value(f"free#{her.unrecorded}", item, limits, her)


def anchor_of(name: str, her: Participant) -> Slot:
    """An anchor: reached once within the bounds, or not at all."""
    if name not in her.anchors:
        her.anchors[name] = Slot(name, smt.variable(f"{name}?", "bool"), smt.variable(f"{name}@", "int"))
        her.axioms += _in_time(her.anchors[name], her)
    return her.anchors[name]


def code(category: str, her: Participant) -> int:
    """The number of a category."""
    return her.codes.setdefault(category, len(her.codes))


def among_codes(value: Term, categories: Sequence[str], her: Participant) -> Term:
    """Whether a category is one of these."""
    return smt.any_of([value == code(x, her) for x in sorted(categories)])


# ---------------------------------------------------------------- variables


def _slots(name: str, number: int, her: Participant) -> list[Slot]:
    slots = []
    for index in range(number):
        own = f"{name}#{index + 1}"
        slots.append(Slot(own, smt.variable(f"{own}?", "bool"), smt.variable(f"{own}@", "int")))
    for before, after in pairwise(slots):
        her.axioms += [smt.implies(before.used, after.used), before.day <= after.day]
    for slot in slots:
        her.axioms += _in_time(slot, her)
    return slots


def _in_time(slot: Slot, her: Participant) -> list[Term]:
    return [slot.day <= last_day(her.bounds), slot.day >= horizon(her.bounds)]


def _value(name: str, item: Item, limits: str, her: Participant) -> Term:
    """A value that the item may have: of its categories, in its range, whole if it is a count."""
    if item.kind in ("yes_no", "attestation"):
        return smt.variable(name, "bool")
    value = smt.variable(name, "real" if item.kind == "quantity" else "int")
    if item.kind == "category":
        her.axioms.append(among_codes(value, item.categories, her))
    elif item.kind == "date":
        her.axioms += [value >= lifetime(her.bounds), value <= -horizon(her.bounds)]
    elif limits in her.bounds.ranges:
        range_ = her.bounds.ranges[limits]
        her.axioms += [value >= smt.constant(range_.low), value <= smt.constant(range_.high)]
    elif not item.negative:
        her.axioms.append(value >= 0)
    return value
