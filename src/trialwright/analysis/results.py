"""Results: no rate without numerator, denominator, unit of analysis and analysis set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

#: On what scale an estimate is read; a `difference` is of risks for a proportion, of means for a change.
Scale: TypeAlias = Literal[
    "proportion", "mean", "difference", "odds ratio", "p value", "E-value", "women", "ratio", "change"
]


#: Between the experimental arm and the control arm of a comparison.
AGAINST = " - "


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a report, with everything needed to read it.

    `numerator` and `denominator` count what `counts` names. `missing` are members of the set without a value;
    `still_open` those for whom more may come. `estimate` and limits are None where they do not exist, and then
    a note says why. `p_value` is two-sided, `adjusted_p` the same among the secondary comparisons.
    """

    id: str
    endpoint: str
    label: str
    arm: str
    set: str
    unit_of_analysis: str
    counts: tuple[str, str]
    numerator: float
    denominator: float
    missing: int
    still_open: int
    estimate: float | None
    lower: float | None
    upper: float | None
    confidence: float
    method: str
    notes: tuple[str, ...] = ()
    scale: Scale = "proportion"
    p_value: float | None = None
    adjusted_p: float | None = None


def is_planned(figure: Figure) -> bool:
    """Whether it is the planned figure of its endpoint in its arm, and not one that stands beside it."""
    return figure.id == f"{figure.endpoint}.{figure.arm}"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an estimator found: None where it does not exist, and then a note says why."""

    estimate: float | None
    lower: float | None
    upper: float | None
    method: str
    notes: tuple[str, ...] = ()
    scale: Scale = "proportion"
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class BaselineRow:
    """One baseline variable: number, mean and standard deviation per arm, and the standardised difference."""

    name: str
    label: str
    unit: str
    by_arm: dict[str, tuple[int, float | None, float | None]]
    difference: float | None
    difference_weighted: float | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """Each weighted woman's arm, propensity and weight; the effective number of women by arm."""

    women: tuple[tuple[str, str, float, float], ...]
    effective: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One line of the estimand plan: what is estimated, in whom, by what, beside which sensitivity analyses."""

    endpoint: str
    label: str
    level: str
    estimand: str
    set: str
    unit_of_analysis: str
    estimator: str
    sensitivity: tuple[str, ...]
    unknown: str


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """One step of the funnel in one arm: the count over the set, and the women for whom it is not certain."""

    step: str
    label: str
    arm: str
    count: float
    women: int
    uncertain: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that was computed on a day."""

    plan: tuple[PlanRow, ...]
    figures: tuple[Figure, ...]
    comparisons: tuple[Figure, ...]
    baseline: tuple[BaselineRow, ...]
    weights: Weights | None
    funnel: tuple[FunnelRow, ...]
    notes: tuple[str, ...]
