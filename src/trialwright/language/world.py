"""Whose facts are asked, when, and with which record or observation at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

from trialwright.core import interval as iv
from trialwright.core.partial_date import PartialDate
from trialwright.core.truth import NO, UNKNOWN, YES, Truth, any_of
from trialwright.language import typed as t
from trialwright.language.explanation import Explanation, amount_of
from trialwright.language.facts import NO_FACTS, Facts, Observation, RecordEntry
from trialwright.language.time import at_or_before, in_window
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value, unknown_amount


class World(NamedTuple):
    """One person's facts at a reference time; a record and its ancestors, or an observation, may be at hand."""

    facts: Facts
    when: PartialDate
    at_hand: dict[str, RecordEntry]
    observation: Observation | None = None


#: The interpreter itself, handed to the parts that must ask it about each member.
Ask: TypeAlias = Callable[[t.Typed, World], Explanation]


def reference(at: tuple[str, ...], world: World) -> PartialDate | None:
    """The reference time that `at` names; the innermost counts. None where it was not reached."""
    return anchor(at[0], world) if at else world.when


def anchor(name: str, world: World) -> PartialDate | None:
    """When the anchor was reached; where it was reached more than once, the span of them all."""
    reached = world.facts.anchors.get(name, ())
    if not reached:
        return None
    if len(reached) == 1:
        return reached[0]
    return PartialDate(min(x.earliest for x in reached), max(x.latest for x in reached), f"{name} (repeated)")


def asked_at(at: tuple[str, ...], world: World) -> World | None:
    """The same world at the reference time that `at` names."""
    if not at:
        return world
    when = anchor(at[0], world)
    return None if when is None else World(world.facts, when, world.at_hand, world.observation)


def person(name: str, world: World) -> Facts:
    """The facts of the participant, or of a relative of hers."""
    return world.facts.relatives.get(name, NO_FACTS) if name else world.facts


def is_closed(facts: Facts, name: str, when: PartialDate) -> bool:
    """Whether a list is complete at a reference time."""
    closed = facts.closed.get(name)
    return closed is not None and at_or_before(closed, when) is YES


def in_windows(date: PartialDate | None, windows: Sequence[t.Window], world: World) -> Truth:
    """Whether something happened by the reference time and inside every window."""
    belongs = at_or_before(date, world.when)
    for window in windows:
        if belongs is NO:
            return belongs
        base = anchor(window.anchor, world) if window.anchor else None
        belongs = belongs & in_window(date, window, world.when, base)
    return belongs


_M = TypeVar("_M")


def rivals(
    members: list[tuple[_M, Truth]], date_of: Callable[[_M], PartialDate | None], function: str
) -> list[tuple[_M, Truth]]:
    """The members that could be the chosen one: those that no certain member surely beats."""
    if len(members) < 2:
        return members
    dates = [date for x, belongs in members if belongs is YES and (date := date_of(x)) is not None]
    if not dates:
        return members
    if function == "earliest":
        first = min(date.latest for date in dates)
        return [(x, b) for x, b in members if (d := date_of(x)) is None or d.earliest <= first]
    last = max(date.earliest for date in dates)
    return [(x, b) for x, b in members if (d := date_of(x)) is None or d.latest >= last]


# ---------------------------------------------------------------- values


def moment(date: PartialDate | None, why: str = "no date") -> Moment:
    """The date as a value."""
    return Moment(date.earliest, date.latest) if date else Moment(None, None, why)


def no_value(kind: t.Type, why: str) -> Value:
    """Nothing known, with the reason."""
    match kind.is_a:
        case "amount":
            return unknown_amount(why)
        case "category":
            return Kinds(kind.categories, NO, why)
        case "date":
            return Moment(None, None, why)
        case "truth":  # pragma: no branch - the last of them
            return Answer(UNKNOWN, why)


def hull(kind: t.Type, values: Sequence[Value], undefined: Truth, why: str) -> Value:
    """The smallest value that holds all of them; `undefined` says whether there may be none."""
    if len(values) == 1 and undefined is NO and not why:
        return values[0]
    match kind.is_a:
        case "amount":
            amounts = [amount_of(value) for value in values]
            span = amounts[0].interval
            for amount in amounts[1:]:
                span = iv.hull(span, amount.interval)
            undefined = undefined | any_of(amount.undefined for amount in amounts)
            return Amount(span, undefined, why or next((x.why for x in amounts if x.why), ""))
        case "category":
            kinds = [value for value in values if isinstance(value, Kinds)]
            possible = frozenset[str]().union(*(value.possible for value in kinds))
            undefined = undefined | any_of(value.undefined for value in kinds)
            return Kinds(possible, undefined, why or next((x.why for x in kinds if x.why), ""))
        case "date":
            return hull_moments([value for value in values if isinstance(value, Moment)], undefined, why)
        case "truth":  # pragma: no branch - the last of them
            truths = {value.truth for value in values if isinstance(value, Answer)}
            reason = next((value.why for value in values if isinstance(value, Answer) and value.why), "")
            if len(truths) == 1 and undefined is NO:
                return Answer(truths.pop(), reason)
            return Answer(UNKNOWN, why or reason)


def hull_moments(moments: Sequence[Moment], undefined: Truth, why: str) -> Moment:
    """The span of all of them; nothing where one is not known, or where there may be none."""
    starts = [x.earliest for x in moments if x.earliest is not None]
    ends = [x.latest for x in moments if x.latest is not None]
    if not moments or undefined is not NO or len(starts) < len(moments) or len(ends) < len(moments):
        return Moment(None, None, why or next((x.why for x in moments if x.why), "no date"))
    return Moment(min(starts), max(ends))
