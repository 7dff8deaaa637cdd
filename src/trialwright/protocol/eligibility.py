"""Eligibility: every inclusion yes and every exclusion no; one certain failure suffices; else undetermined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from trialwright.core.partial_date import PartialDate
from trialwright.core.truth import NO, UNKNOWN, YES, Truth
from trialwright.language.evaluate import Explanation, answer, evaluate
from trialwright.language.facts import Facts
from trialwright.protocol.protocol import Criterion, Protocol

Verdict: TypeAlias = Literal["eligible", "ineligible", "undetermined"]


@dataclass(frozen=True, slots=True)
class CriterionAnswer:
    """What one criterion answers, whether that speaks for or against entry, and why."""

    criterion: Criterion
    answer: Truth
    explanation: Explanation

    @property
    def fails(self) -> bool:
        """Whether this criterion alone makes the participant ineligible."""
        return self.answer is (NO if self.criterion.kind == "inclusion" else YES)


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
    if any(one.fails for one in answers):
        return Eligibility("ineligible", tuple(answers))
    undecided = any(one.answer is UNKNOWN for one in answers)
    return Eligibility("undetermined" if undecided else "eligible", tuple(answers))
