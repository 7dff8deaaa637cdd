"""Eligibility: every inclusion yes and every exclusion no; one certain failure suffices; else undetermined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from trialwright.core.partial_date import PartialDate
from trialwright.core.truth import NO, UNKNOWN, YES, Truth
from trialwright.language.evaluate import Explanation, answer, evaluate
from trialwright.language.facts import Facts
from trialwright.protocol.protocol import Criterion, Protocol

Verdict: TypeAlias = Literal["eligible", "ineligible", "undetermined"]


class CriterionAnswer(NamedTuple):
    """What one criterion answers, whether that speaks for or against entry, and why."""

    criterion: Criterion
    answer: Truth
    explanation: Explanation

    @property
    def fails(self) -> bool:
        """Whether this criterion alone makes the participant ineligible."""
        return fails(self.criterion, self.answer)


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The verdict and the answer of every criterion, in the order of the protocol."""

    verdict: Verdict
    answers: tuple[CriterionAnswer, ...]


def determine(protocol: Protocol, facts: Facts, when: PartialDate) -> Eligibility:
    """Who fits, criterion by criterion, for one participant at a reference time."""
    answers = []
    for criterion in protocol.criteria:
        explanation = evaluate(criterion.rule, facts, when)
        answers.append(CriterionAnswer(criterion, answer(explanation), explanation))
    return Eligibility(_verdict([(one.criterion, one.answer) for one in answers]), tuple(answers))


def verdict_of(protocol: Protocol, answers: Mapping[str, Truth]) -> Verdict:
    """The verdict on the answers of every criterion, by name."""
    return _verdict([(one, answers[one.name]) for one in protocol.criteria])


def _verdict(answers: Sequence[tuple[Criterion, Truth]]) -> Verdict:
    if any(fails(criterion, answer) for criterion, answer in answers):
        return "ineligible"
    return "undetermined" if any(answer is UNKNOWN for _, answer in answers) else "eligible"


def fails(criterion: Criterion, answer: Truth) -> bool:
    """Whether an answer to a criterion alone makes the participant ineligible."""
    return answer is (NO if criterion.kind == "inclusion" else YES)
