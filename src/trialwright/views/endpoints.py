"""The endpoint table: for each participant of a set the value of each endpoint, with what it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from trialwright.core.interval import Interval, is_point
from trialwright.core.partial_date import PartialDate
from trialwright.core.truth import Truth
from trialwright.language.evaluate import Explanation, answer, evaluate
from trialwright.language.facts import Facts
from trialwright.language.values import Amount, Answer, Value
from trialwright.trial.facts import anchor_date, facts_of
from trialwright.trial.state import Participant
from trialwright.views.analysis_sets import members
from trialwright.views.cutoff import CutOff, arm_of, once


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One participant's value of one endpoint.

    `value` is a truth for a proportion. A ratio has numerator and denominator, a change has after and before, in
    `first` and `second`; either is None where it is not certain, both where the protocol says that she has none.
    """

    endpoint: str
    participant: str
    arm: str
    value: Value
    first: float | None
    second: float | None
    still_open: bool
    explanations: tuple[Explanation, ...]


def endpoint_table(cut: CutOff, endpoint: str) -> list[EndpointRow]:
    """The rows of an endpoint, one per member of its analysis set."""
    document = cut.protocol.document.endpoints[endpoint]
    asked = f"endpoint {endpoint}"
    return list(once(cut, asked, lambda: [participant_value(cut, endpoint, one) for one in members(cut, document.set)]))


def participant_value(cut: CutOff, endpoint: str, participant: Participant) -> EndpointRow:
    """One participant's value of an endpoint, asked on the day of the cut-off or at the endpoint's anchor."""
    document = cut.protocol.document.endpoints[endpoint]
    when = _reference(cut, participant, document.at)
    facts = facts_of(cut.protocol, participant)
    base = f"endpoints.{endpoint}"
    arm = arm_of(participant)
    left_out = _left_out(cut, base, facts, when)
    if document.proportion:
        explained = evaluate(cut.protocol.rules[f"{base}.proportion"], facts, when)
        value = Answer(Truth.UNKNOWN) if left_out else explained.value
        return EndpointRow(endpoint, participant.identity, arm, value, None, None, False, (*left_out, explained))
    kind = "ratio" if document.ratio else "change"
    parts = tuple(evaluate(cut.protocol.rules[f"{base}.{kind}.{index}"], facts, when) for index in (0, 1))
    amounts = [part.value for part in parts if isinstance(part.value, Amount)]
    if kind == "ratio":
        # what is certain so far counts; whether more may come is said beside it
        first, second = (_certain_so_far(one) for one in amounts)
        still_open = any(not is_point(one.interval) for one in amounts)
    else:
        first, second = (_exact(one) for one in amounts)
        still_open = False
    if left_out:
        first, second, still_open = None, None, False
    return EndpointRow(
        endpoint, participant.identity, arm, parts[0].value, first, second, still_open, (*left_out, *parts)
    )


def _left_out(cut: CutOff, base: str, facts: Facts, when: PartialDate) -> tuple[Explanation, ...]:
    """Why her value is missing though it may be recorded; nothing where it is not."""
    rule = cut.protocol.rules.get(f"{base}.missing")
    explained = evaluate(rule, facts, when) if rule is not None else None
    return (explained,) if explained is not None and answer(explained) is Truth.YES else ()


def _reference(cut: CutOff, participant: Participant, anchor: str) -> PartialDate:
    reached = anchor_date(cut.protocol, participant, anchor) if anchor else None
    return reached or cut.when


def _exact(amount: Amount) -> float | None:
    if amount.undefined is Truth.NO and is_point(amount.interval):
        return float(amount.interval.low)
    return None


def _certain_so_far(amount: Amount) -> float | None:
    interval: Interval = amount.interval
    if amount.undefined is not Truth.NO or not interval.low.is_finite():
        return None
    return float(interval.low)
