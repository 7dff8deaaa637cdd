"""The participant flow, as TREND and CONSORT ask: screened, not enrolled and why, allocated, treated, analysed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from trialwright.core.truth import Truth
from trialwright.language.values import Answer
from trialwright.trial.state import Participant
from trialwright.views.analysis_sets import members
from trialwright.views.cutoff import CutOff, arms_shown, in_arm
from trialwright.views.endpoints import endpoint_table
from trialwright.views.screening_log import screening_log


@dataclass(frozen=True, slots=True)
class ArmFlow:
    """One arm: allocated, each intervention it gives and who received it, who left, for whom the result is known."""

    arm: str
    allocated: int
    received: tuple[tuple[str, int], ...]
    left: tuple[tuple[str, int], ...]
    analysed: int
    missing: int


@dataclass(frozen=True, slots=True)
class Flow:
    """The whole flow. Reasons count women by every criterion that spoke against them, so that they may add to more."""

    screened: int
    not_enrolled: int
    not_eligible: int
    criteria: tuple[tuple[str, int], ...]
    other_reasons: tuple[tuple[str, int], ...]
    still_in_screening: int
    enrolled: int
    not_allocated: int
    endpoint: str
    arms: tuple[ArmFlow, ...]


def flow(cut: CutOff) -> Flow:
    """The flow on the day; `analysed` counts those whose primary endpoint is known."""
    log = screening_log(cut)
    ended = [row for row in log if row.ended and not row.enrolled]
    ineligible = [row for row in ended if row.verdict == "ineligible"]
    criteria = Counter(name for row in ineligible for name in row.criteria)
    others = Counter(_reason(row.reason) for row in ended if row.verdict != "ineligible")
    enrolled = [one for one in cut.participants.values() if one.enrolled]
    endpoint = primary_endpoint(cut)
    allocated = members(cut, cut.protocol.document.endpoints[endpoint].set)
    arms = tuple(_arm(cut, arm, in_arm(enrolled, arm), allocated, endpoint) for arm in arms_shown(cut))
    return Flow(
        len(log),
        len(ended),
        len(ineligible),
        tuple(sorted(criteria.items(), key=lambda pair: (-pair[1], pair[0]))),
        tuple(others.most_common()),
        len(log) - len(ended) - len(enrolled),
        len(enrolled),
        sum(1 for one in enrolled if one.allocation is None),
        endpoint,
        arms,
    )


def primary_endpoint(cut: CutOff) -> str:
    """The first endpoint of the first estimand, else of the first primary objective."""
    for estimand in cut.protocol.document.estimands.values():
        return estimand.endpoint
    primary = [one for one in cut.protocol.document.objectives.values() if one.level == "primary"]
    return primary[0].endpoints[0]


def _arm(cut: CutOff, arm: str, women: list[Participant], allocated: list[Participant], endpoint: str) -> ArmFlow:
    interventions = cut.protocol.document.interventions
    gives = cut.protocol.document.arms[arm].gives if arm in cut.protocol.document.arms else tuple(interventions)
    received = tuple((name, sum(1 for one in women if one.records.get(interventions[name].record))) for name in gives)
    left = Counter(one.withdrawal_reason for one in women if one.withdrawn)
    inside = in_arm(allocated, arm)
    names = {one.identity for one in inside}
    values = [row for row in endpoint_table(cut, endpoint) if row.participant in names]
    known = sum(1 for one in values if not _is_missing(cut, endpoint, one.value))
    placed = sum(1 for one in women if one.allocation is not None)
    return ArmFlow(arm, placed, received, tuple(left.most_common()), known, len(inside) - known)


def _is_missing(cut: CutOff, endpoint: str, value: object) -> bool:
    unknown = isinstance(value, Answer) and value.truth is Truth.UNKNOWN
    return unknown and cut.protocol.document.endpoints[endpoint].unknown == "missing"


def _reason(text: str) -> str:
    return text.partition(":")[0] if text.startswith("not decided") else text
