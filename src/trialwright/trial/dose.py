"""The dose: computed by the protocol's expression from what is known, or refused with the question that is open."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trialwright.core import units
from trialwright.core.finding import Finding, Refused, finding
from trialwright.core.interval import ARITHMETIC, is_point
from trialwright.core.partial_date import PartialDate
from trialwright.core.truth import Truth
from trialwright.core.units import COUNT
from trialwright.language.evaluate import Explanation, evaluate
from trialwright.language.facts import NO_FACTS, Facts
from trialwright.language.typed import Typed
from trialwright.language.values import Amount, show
from trialwright.protocol.load import compile_answer
from trialwright.protocol.protocol import Protocol
from trialwright.protocol.uses import names_in
from trialwright.trial.state import TrialState


@dataclass(frozen=True, slots=True)
class PlannedDose:
    """How much is to be given, in the unit of the intervention, and the explanation of the figure."""

    amount: Decimal
    unit: str
    explanation: Explanation


def planned_dose(
    protocol: Protocol, trial: TrialState, intervention: str, facts: Facts, when: PartialDate
) -> PlannedDose:
    """The dose of an intervention for one participant at a time.

    `Refused` where the question of the dose is open, or where what it is computed from is not known.
    """
    document = protocol.document.interventions[intervention]
    rule = _rule(protocol, trial, intervention)
    explained = evaluate(rule, facts, when)
    value = explained.value
    if not isinstance(value, Amount) or value.undefined is not Truth.NO or not is_point(value.interval):
        raise Refused(finding("dose_unknown", intervention=intervention, why=show(value)))
    unit = units.unit(document.dose_unit or "1") or COUNT
    source = rule.type.unit or COUNT
    try:
        amount = units.convert(value.interval.low, source, unit)
    except ValueError as wrong:
        raise Refused(finding("dose_unknown", intervention=intervention, why=wrong)) from wrong
    return PlannedDose(amount, unit.code, explained)


def rests_on(protocol: Protocol, trial: TrialState, intervention: str) -> set[str]:
    """The items that the dose of an intervention is computed from."""
    return names_in(_rule(protocol, trial, intervention))


def _rule(protocol: Protocol, trial: TrialState, intervention: str) -> Typed:
    question = protocol.document.interventions[intervention].dose_question
    if not question:
        return protocol.rules[f"interventions.{intervention}.dose"]
    given = trial.answers.get(question)
    if given is None:
        raise Refused(open_question(protocol, question, intervention))
    return compile_answer(protocol, given.answer)


def certainly_nothing(protocol: Protocol, question: str, answer: str, when: PartialDate) -> Finding | None:
    """The finding that an answer to a question of dose is nothing or less, whoever is asked about."""
    for name, intervention in protocol.document.interventions.items():
        if intervention.dose_question == question:
            value = evaluate(compile_answer(protocol, answer), NO_FACTS, when).value
            if isinstance(value, Amount) and value.undefined is Truth.NO and value.interval.high <= 0:
                return finding("dose_impossible", intervention=name, amount=answer)
    return None


def ratio_to_plan(prepared: Decimal, planned: Decimal) -> Decimal:
    """Prepared over planned, to four places."""
    return ARITHMETIC.divide(prepared, planned).quantize(Decimal("0.0001"))


def open_question(protocol: Protocol, question: str, action: str) -> Finding:
    """The finding that names an open question, what it blocks and who decides."""
    assumption = protocol.document.assumptions[question]
    return finding(
        "question_blocks",
        question=question,
        action=action,
        silent=assumption.silent,
        decides=assumption.decides or "the sponsor",
        options=", ".join(assumption.options) or "an expression",
    )
