"""The reference interpreter: one participant's facts in, an explained answer out. Kept plain on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trialwright.core.partial_date import PartialDate
from trialwright.core.truth import Truth
from trialwright.language import combining, over_items, over_records
from trialwright.language import typed as t
from trialwright.language.explanation import Explanation, Use, answer_of
from trialwright.language.facts import Facts, RecordEntry
from trialwright.language.values import scaled
from trialwright.language.world import Ask, World, anchor, asked_at, moment, no_value

__all__ = ["Explanation", "Use", "answer", "evaluate"]


def evaluate(node: t.Typed, facts: Facts, when: PartialDate, record: RecordEntry | None = None) -> Explanation:
    """The answer of a checked expression for one participant at a reference time, with its explanation.

    `record` is the record at hand, where the expression was checked as being about one of its kind.

    >>> from trialwright.core.partial_date import partial_date
    >>> from trialwright.language.check import Checked, check
    >>> from trialwright.language.parse import parse
    >>> from trialwright.language.vocabulary import Item, Vocabulary
    >>> rule = check(parse("afc <= 7"), Checked(Vocabulary({"afc": Item("afc", "count")})))
    >>> evaluate(rule, Facts(), partial_date("2026-03-09")).value
    Answer(truth=<Truth.UNKNOWN: 'unknown'>, why='afc: never recorded')
    """
    return _evaluate(node, World(facts, when, over_records.with_ancestors(record, facts) if record else {}))


def answer(explanation: Explanation) -> Truth:
    """The truth of an explained condition."""
    return answer_of(explanation.value).truth


def _evaluate(node: t.Typed, world: World) -> Explanation:
    return INTERPRETERS[type(node)](node, world, _evaluate)


# ---------------------------------------------------------------- what refers to nothing recorded


def _constant_amount(node: t.ConstantAmount, _world: World, _ask: Ask) -> Explanation:
    return Explanation(node, node.amount)


def _constant_date(node: t.ConstantDate, _world: World, _ask: Ask) -> Explanation:
    return Explanation(node, node.moment)


def _anchor_date(node: t.AnchorDate, world: World, _ask: Ask) -> Explanation:
    return Explanation(node, moment(anchor(node.anchor, world), f"{node.anchor}: not reached"))


def _asked_at(node: t.AskedAt, world: World, ask: Ask) -> Explanation:
    asked = asked_at(node.at, world)
    if asked is None:
        return Explanation(node, no_value(node.type, f"{node.at[0]}: not reached"))
    part = ask(node.operand, asked)
    return Explanation(node, part.value, (), (part,))


def _derived(node: t.Derived, world: World, ask: Ask) -> Explanation:
    """A derivation speaks of the record at hand, never of the observation at hand."""
    part = ask(node.body, world if world.observation is None else World(world.facts, world.when, world.at_hand))
    return Explanation(node, scaled(part.value, node.factor), (), (part,))


#: Who answers each kind of node: handed the node, the world that it is asked in, and the way to ask its parts.
INTERPRETERS: Mapping[type[t.Node], Callable[[Any, World, Ask], Explanation]] = {
    t.Age: over_items.age,
    t.AnchorDate: _anchor_date,
    t.AskedAt: _asked_at,
    t.Attribute: over_items.attribute,
    t.Calculation: combining.calculation,
    t.Comparison: combining.comparison,
    t.ConstantAmount: _constant_amount,
    t.ConstantDate: _constant_date,
    t.Derived: _derived,
    t.FieldOf: over_records.record_field,
    t.IsAmong: combining.is_among,
    t.ItemAggregate: over_items.over_item,
    t.Junction: combining.junction,
    t.Negation: combining.negation,
    t.ObservationDate: over_items.observation_date,
    t.Opposite: combining.opposite,
    t.Raised: combining.raised,
    t.RecordAggregate: over_records.over_records,
    t.SameKind: combining.same_kind,
    t.WithinNormal: over_items.within_normal,
}
