"""Results: no rate without numerator, denominator, unit of analysis and analysis set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a report, with everything needed to read it.

    `numerator` and `denominator` count what `counts` names. `missing` are members of the set without a value;
    `still_open` those for whom more may come. `estimate` and limits are None where they do not exist, and then
    a note says why.
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
class Analysis:
    """Everything that was computed on a day."""

    figures: tuple[Figure, ...]
    comparisons: tuple[Figure, ...]
    baseline: tuple[BaselineRow, ...]
    notes: tuple[str, ...]
