"""The reference interpreter: one participant's facts in, an explained answer out. Kept plain on purpose."""

from __future__ import annotations

from datetime import datetime

from trialwright.core.interval import point
from trialwright.core.partial_date import PartialDate
from trialwright.core.truth import Truth
from trialwright.language import combining, over_items, over_records
from trialwright.language import typed as t
from trialwright.language.explanation import Explanation, Use, answer_of
from trialwright.language.facts import Facts, RecordEntry
from trialwright.language.values import Amount, Moment
from trialwright.language.world import World, anchor, asked_at, moment, no_value

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
    match node:  # the most frequent first
        case t.ItemAggregate():
            return over_items.over_item(node, world, _evaluate)
        case t.FieldOf():
            return over_records.record_field(node, world)
        case t.IsAmong():
            return combining.is_among(node, _evaluate(node.operand, world))
        case t.Junction():
            return combining.junction(node, tuple([_evaluate(operand, world) for operand in node.operands]))
        case t.Comparison():
            return combining.comparison(node, _evaluate(node.left, world), _evaluate(node.right, world))
        case t.ConstantAmount():
            return Explanation(node, Amount(point(node.value)))
        case t.RecordAggregate():
            return over_records.over_records(node, world, _evaluate)
        case t.Derived():
            part = _evaluate(node.body, World(world.facts, world.when, world.at_hand))
            return Explanation(node, combining.scaled(part.value, node.factor), parts=(part,))
        case t.ConstantDate():
            midnight = datetime(node.value.year, node.value.month, node.value.day)
            return Explanation(node, Moment(midnight, midnight))
        case t.SameKind():
            return combining.same_kind(node, _evaluate(node.left, world), _evaluate(node.right, world))
        case t.WithinNormal():
            return over_items.within_normal(node, world, _evaluate)
        case t.Negation():
            return combining.negation(node, _evaluate(node.operand, world))
        case t.Attribute():
            return over_items.attribute(node, world)
        case t.ObservationDate():
            assert world.observation is not None
            return Explanation(node, moment(world.observation.date))
        case t.AnchorDate():
            return Explanation(node, moment(anchor(node.anchor, world), f"{node.anchor}: not reached"))
        case t.AskedAt():
            return _asked_at(node, world)
        case t.Age():
            return over_items.age(node, world)
        case t.Calculation():
            return combining.calculation(node, _evaluate(node.left, world), _evaluate(node.right, world))
        case t.Opposite():
            return combining.opposite(node, _evaluate(node.operand, world))
        case t.Raised():  # pragma: no branch - the last of them
            return combining.raised(node, _evaluate(node.operand, world))


def _asked_at(node: t.AskedAt, world: World) -> Explanation:
    asked = asked_at(node.at, world)
    if asked is None:
        return Explanation(node, no_value(node.type, f"{node.at[0]}: not reached"))
    part = _evaluate(node.operand, asked)
    return Explanation(node, part.value, parts=(part,))
