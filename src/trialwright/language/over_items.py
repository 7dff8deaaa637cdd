"""Choosing and counting among the observations of an item."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from trialwright.core.interval import Interval, between
from trialwright.core.partial_date import PartialDate, completed_years
from trialwright.core.truth import NO, UNKNOWN, YES, Truth
from trialwright.language import typed as t
from trialwright.language.combining import among
from trialwright.language.counting import counted, over_tests, summary
from trialwright.language.explanation import Explanation, amount_of, answer_of
from trialwright.language.facts import Observation
from trialwright.language.time import at_or_before
from trialwright.language.values import Amount, Answer, Moment, Value, unknown_amount
from trialwright.language.world import (
    Ask,
    World,
    asked_at,
    hull,
    hull_moments,
    in_windows,
    is_closed,
    moment,
    no_value,
    person,
    reference,
    rivals,
)


def over_item(node: t.ItemAggregate, world: World, ask: Ask) -> Explanation:
    """The chosen observation, or what the observations amount to."""
    asked = asked_at(node.at, world)
    if asked is None:
        return _not_reached(node)
    members = _members(node, asked, ask)
    if node.function in ("latest", "earliest"):
        return _choice(node, rivals(members, _date, node.function), asked)
    made = [(x, belongs) for x, belongs in members if x.value is not None]
    return Explanation(node, _amounts_to(node, members, made, asked, ask), _observations(members))


def within_normal(node: t.WithinNormal, world: World, ask: Ask) -> Explanation:
    """Whether each result that could be the chosen one lies in the range that came with it."""
    asked = asked_at(node.operand.at, world)
    if asked is None:
        part = _not_reached(node.operand)
        return Explanation(node, Answer(UNKNOWN, amount_of(part.value).why), (), (part,))
    chosen = rivals(_members(node.operand, asked, ask), _date, node.operand.function)
    part = _choice(node.operand, chosen, asked)
    amount = amount_of(part.value)
    answers = {_is_normal(x) for x, _ in chosen}
    found = answers.pop() if len(answers) == 1 and amount.undefined is NO else UNKNOWN
    why = ""
    if found is UNKNOWN:
        lacks = any(x.normal is None for x, _ in chosen)
        why = amount.why or (f"{node.operand.item.name}: no reference range came with the result" if lacks else "")
    return Explanation(node, Answer(~found if node.outside else found, why), (), (part,))


def _is_normal(x: Observation) -> Truth:
    if x.normal is None or not isinstance(x.value, Amount):
        return UNKNOWN
    return between(x.value.interval, x.normal.low, x.normal.high)


def attribute(node: t.Attribute, world: World, _ask: Ask) -> Explanation:
    """An attribute of the observation at hand, or its value."""
    assert world.observation is not None
    own = world.observation.value if node.itself else world.observation.attributes.get(node.item.name)
    return Explanation(node, own if own is not None else no_value(node.type, f"{node.item.name}: not recorded"))


def observation_date(node: t.ObservationDate, world: World, _ask: Ask) -> Explanation:
    """The date of the observation at hand."""
    assert world.observation is not None
    return Explanation(node, moment(world.observation.date))


def age(node: t.Age, world: World, _ask: Ask) -> Explanation:
    """Completed years since birth. When the date of birth was recorded does not matter, only which is the latest."""
    told = [(x, YES) for x in person(node.person, world).observations.get(node.born.name, ())]
    when = reference(node.at, world)
    if when is None:
        return Explanation(node, unknown_amount(f"{' '.join(node.at)}: not reached"))
    if not told:
        return Explanation(node, unknown_amount(f"{node.name}: never recorded"))
    chosen = tuple([x for x, _ in rivals(told, _date, "latest")])
    born = hull_moments([x.value if isinstance(x.value, Moment) else Moment(None, None) for x in chosen], NO, "")
    if born.earliest is None or born.latest is None:
        why = next((x.why for x in chosen if x.why), "no result")
        return Explanation(node, unknown_amount(f"{node.name}: {why}"), chosen)
    youngest = completed_years(born.latest.date(), when.earliest.date())
    oldest = completed_years(born.earliest.date(), when.latest.date())
    return Explanation(node, Amount(Interval(Decimal(youngest), Decimal(oldest))), chosen)


# ---------------------------------------------------------------- members


_Members: TypeAlias = list[tuple[Observation, Truth]]


def _members(node: t.ItemAggregate, world: World, ask: Ask) -> _Members:
    """The observations that may belong, each with whether it does; `world` is already at the reference time."""
    members: _Members = []
    for x in person(node.person, world).observations.get(node.item.name, ()):
        belongs = in_windows(x.date, node.looks_back, world)
        for narrowing in node.filters:
            belongs = belongs & among(x.attributes.get(narrowing.attribute.name), narrowing.among)
        if node.where is not None and belongs is not NO:
            belongs = belongs & _passes(node.where, x, world, ask)
        if belongs is not NO:
            members.append((x, belongs))
    return members


def _date(x: Observation) -> PartialDate | None:
    return x.date


def _not_reached(node: t.ItemAggregate) -> Explanation:
    return Explanation(node, no_value(node.type, f"{node.at[0]}: not reached"))


def _observations(members: _Members) -> tuple[Observation, ...]:
    return tuple([x for x, _ in members])


def _choice(node: t.ItemAggregate, chosen: _Members, world: World) -> Explanation:
    return Explanation(node, _chosen_value(node, chosen, world), _observations(chosen))


def _chosen_value(node: t.ItemAggregate, chosen: _Members, world: World) -> Value:
    if not chosen:
        return _nothing(node, world)
    if len(chosen) == 1 and chosen[0][1] is YES and node.take == "value" and (only := chosen[0][0].value) is not None:
        return only  # as nearly always
    sure = YES in [belongs for _, belongs in chosen]
    undefined = NO if sure else UNKNOWN
    why = "" if sure else f"{node.name}: not certain that it was recorded in time"
    if node.take == "date":
        return hull_moments([moment(x.date, f"{node.name}: no date") for x, _ in chosen], undefined, why)
    values = [x.value for x, _ in chosen if x.value is not None]
    if len(values) < len(chosen):
        without = next(x.why for x, _ in chosen if x.value is None)
        return no_value(node.type, f"{node.name}: {without or 'no result'}")
    return hull(node.type, values, undefined, why)


def _nothing(node: t.ItemAggregate, world: World) -> Value:
    """Why no observation belongs; no, where nothing was recorded by then and the list it hangs on is closed."""
    facts = person(node.person, world)
    told = facts.observations.get(node.item.name, ())
    by_then = [x for x in told if at_or_before(x.date, world.when) is not NO]
    absent_no = node.item.absent_no and node.type.is_a == "truth"
    if absent_no and not by_then and is_closed(facts, node.item.absent_no, world.when):
        return Answer(NO)
    if not told:
        return no_value(node.type, f"{node.name}: never recorded")
    return no_value(node.type, f"{node.name}: recorded, but not in the time or state that is asked for, or expired")


def _amounts_to(node: t.ItemAggregate, members: _Members, made: _Members, world: World, ask: Ask) -> Value:
    """What was recorded of an item is all there is of it, as soon as one of it surely belongs; before, nothing is."""
    sure = any(belongs is YES for _, belongs in made)
    why = f"{node.name}: not certain that it was recorded in time" if made else f"{node.name}: never recorded"
    match node.function:
        case "known":
            return Answer(_is_known(members))
        case "count":
            if not sure:
                return unknown_amount(why)
            passing = [belongs & _passes(node.satisfies, x, world, ask) for x, belongs in made]
            return counted(passing, closed=True, name=node.name)
        case "any" | "every" | "share" | "longest_run":
            tests = [(belongs, _observation_truth(node, x, world, ask), x.date) for x, belongs in made]
            return over_tests(node.function, tests, closed=sure, name=node.name)
        case _:
            if not made or (node.function == "sum" and not sure):
                return unknown_amount(why, UNKNOWN)
            amounts = [(amount_of(x.value), belongs) for x, belongs in made]
            return summary(node.function, amounts, closed=True, name=node.name)


def _is_known(members: _Members) -> Truth:
    """Whether the name by itself has a recorded answer: its latest observation belongs, and has a result."""
    chosen = rivals(members, _date, "latest")
    if not any(x.value is not None for x, _ in chosen):
        return NO
    sure = any(belongs is YES for _, belongs in chosen)
    return YES if sure and all(x.value is not None for x, _ in chosen) else UNKNOWN


def _observation_truth(node: t.ItemAggregate, x: Observation, world: World, ask: Ask) -> Truth:
    if node.satisfies is not None:
        return _passes(node.satisfies, x, world, ask)
    return x.value.truth if isinstance(x.value, Answer) else YES


def _passes(condition: t.Typed | None, x: Observation, world: World, ask: Ask) -> Truth:
    if condition is None:
        return YES
    return answer_of(ask(condition, World(world.facts, world.when, world.at_hand, x)).value).truth
