"""What is told of an expression: what is so, and whether `evaluate` would know it; the windows it looks through.

Of every expression three things are encoded. `value` is what is so; where nothing was recorded it is free, so that
wherever `evaluate` answers, `value` is that answer. `known` implies that `evaluate` answers, and where `evaluate`
answers, `may` holds. So nobody is answered with yes where `value and may` is impossible, and whoever makes
`value and known` true is. Between the two lies what only `evaluate` can say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from trialwright.language import typed as t
from trialwright.language.solving import smt
from trialwright.language.solving.bounds import edge
from trialwright.language.solving.participant import Participant, Slot, among_codes, anchor_of
from trialwright.language.solving.smt import Term

#: The record at hand as the slots that it may be, each with the condition under which it is that one.
Row: TypeAlias = tuple[tuple[Term, int], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A truth, number, category or day; whether it is known, and whether it may be (else as known)."""

    value: Term
    known: Term = True
    may: Term = None

    def __post_init__(self) -> None:
        if self.may is None:
            object.__setattr__(self, "may", self.known)


@dataclass(frozen=True, slots=True)
class World:
    """The reference day, whether it was reached, and what is at hand."""

    when: Term = 0
    reached: Term = True
    at_hand: Mapping[str, Row] = field(default_factory=dict)
    observation: Slot | None = None


HERE = World()

#: The encoder itself, handed to the parts that must ask it about each member.
Ask: TypeAlias = Callable[[t.Typed, World], Told]


class CannotEncode(Exception):
    """Something that this interpreter does not model; the message says what."""


def conjunction(parts: Iterable[Told]) -> Told:
    """Kleene's and: known where one part is known to be false, or all are known."""
    parts = list(parts)
    refuted = smt.any_of(smt.all_of([x.known, smt.negate(x.value)]) for x in parts)
    perhaps = smt.any_of(smt.all_of([x.may, smt.negate(x.value)]) for x in parts)
    return Told(
        smt.all_of(x.value for x in parts),
        smt.any_of([refuted, smt.all_of(x.known for x in parts)]),
        smt.any_of([perhaps, smt.all_of(x.may for x in parts)]),
    )


def opposite(part: Told) -> Told:
    """Kleene's not."""
    return Told(smt.negate(part.value), part.known, part.may)


def of_all(value: Term, parts: Sequence[Told], also: Term = True) -> Told:
    """A value that is known where all of the parts are, and something else holds."""
    return Told(value, smt.all_of([also, *(x.known for x in parts)]), smt.all_of([also, *(x.may for x in parts)]))


def among(value: Term, wanted: t.Among, her: Participant) -> Term:
    """Whether a value is among the wanted ones."""
    if wanted.interval is not None:
        low, high = smt.constant(wanted.interval.low), smt.constant(wanted.interval.high)
        return smt.all_of([value >= low, value <= high])
    if wanted.numbers:
        return smt.any_of([value == smt.constant(x) for x in wanted.numbers])
    return among_codes(value, sorted(wanted.categories), her)


def asked_at(at: tuple[str, ...], world: World, her: Participant) -> World:
    """The same world at the reference day that `at` names."""
    if not at:
        return world
    anchor = anchor_of(at[0], her)
    return replace(world, when=anchor.day, reached=anchor.used)


def in_window(day: Term, window: t.Window, when: Term, her: Participant) -> Told:
    """Whether a day lies in a window, closed at both ends; the day of an anchor itself is undecided."""
    bounds, parts = her.bounds, [Told(day <= when)]
    anchor = anchor_of(window.anchor, her) if window.anchor else None
    base: Term = when if anchor is None else anchor.day
    if window.calendar == "hours":
        parts += _hours(day, base, window)
    else:
        if window.side in ("before", "around"):
            parts.append(Told(day >= edge(base, window, -1, bounds)))
        if window.side in ("after", "around"):
            parts.append(Told(day <= edge(base, window, 1, bounds)))
    if anchor is not None and window.side != "around":
        beyond = day < base if window.side == "before" else day > base
        either = smt.fresh("bool")  # on the same day, without times
        parts.append(Told(smt.any_of([beyond, smt.all_of([day == base, either])]), smt.negate(day == base)))
    inside = conjunction(parts)
    if anchor is None:
        return inside
    return of_all(smt.choose(anchor.used, inside.value, smt.fresh("bool")), [inside], anchor.used)


def _hours(day: Term, base: Term, window: t.Window) -> list[Told]:
    """Whole days against an edge in hours: undecided where the times would decide."""
    parts, width, last = [], window.amount * 60, 1439
    for side, sign in (("before", 1), ("after", -1)):
        if window.side in (side, "around"):
            apart = sign * (base - day) * 1440  # minutes from one midnight to the other
            inside, outside = apart + last <= width, apart - last > width
            either = smt.fresh("bool")
            value = smt.all_of([smt.negate(outside), smt.any_of([inside, either])])
            parts.append(Told(value, smt.any_of([inside, outside])))
    return parts


def unknown(kind: t.Type, her: Participant) -> Told:
    """A value that nobody recorded: any of its type, and not known."""
    if kind.is_a == "truth":
        return Told(smt.fresh("bool"), False)
    if kind.is_a == "amount":
        return Told(smt.fresh("real"), False)
    value = smt.fresh("int")
    if kind.is_a == "category":
        her.axioms.append(among_codes(value, sorted(kind.categories), her))
    return Told(value, False)
