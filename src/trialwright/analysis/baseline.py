"""The baseline: means and balance at allocation, and the weights of women who could have come into either arm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trialwright.analysis.comparisons import baseline_value, compared, covariates_of, is_compared
from trialwright.analysis.results import BaselineRow, Weights
from trialwright.core.units import COUNT
from trialwright.protocol.protocol import label
from trialwright.statistics.balance import effective_sample_size, mean_sd, standardised_difference
from trialwright.statistics.covariates import covariate_matrix
from trialwright.statistics.propensity import logistic_propensity
from trialwright.trial.state import Participant
from trialwright.views.analysis_sets import members
from trialwright.views.cutoff import CutOff, arm_of, arms_shown, in_arm


def weights_of(cut: CutOff) -> Weights | None:
    """The overlap weights of everybody allocated whose covariates are known; None where none can be made."""
    names = cut.protocol.document.analysis.covariates
    if not is_compared(cut) or not names:
        return None
    experimental, control = compared(cut)
    inside = [
        (one, values)
        for one in _everybody(cut)
        if arm_of(one) in (experimental, control) and (values := covariates_of(cut, one)) is not None
    ]
    treated = np.array([1.0 if arm_of(one) == experimental else 0.0 for one, _ in inside])
    columns = np.array([values for _, values in inside]).reshape(len(inside), len(names))
    try:
        matrix = covariate_matrix(columns, len(inside), [label(cut.protocol, name) for name in names])
        propensity = logistic_propensity(treated, matrix).propensity
    except ValueError:  # the comparison says why, where the outcome stands
        return None
    weights = np.where(treated == 1, 1 - propensity, propensity)
    effective = {
        arm: effective_sample_size(weights[treated == flag]) for arm, flag in ((experimental, 1), (control, 0))
    }
    women = tuple(
        (one.identity, arm_of(one), float(e), float(w))
        for (one, _), e, w in zip(inside, propensity, weights, strict=True)
    )
    return Weights(women, effective)


def baseline(cut: CutOff, weights: Weights | None) -> tuple[BaselineRow, ...]:
    """Every baseline variable: number, mean and standard deviation by arm, imbalance before and after weighting."""
    document = cut.protocol.document
    weighed = {who: weight for who, _, _, weight in weights.women} if weights else {}
    rows = []
    for name in document.analysis.baseline:
        by_arm: dict[str, tuple[int, float | None, float | None]] = {}
        values: dict[str, list[tuple[str, float]]] = {}
        for arm in arms_shown(cut):
            values[arm] = [
                (one.identity, value)
                for one in in_arm(_everybody(cut), arm)
                if (value := baseline_value(cut, one, name)) is not None
            ]
            told = mean_sd(np.array([value for _, value in values[arm]])) if values[arm] else None
            by_arm[arm] = (len(values[arm]), told.mean if told else None, told.sd if told else None)
        plain = adjusted = None
        if is_compared(cut):
            experimental, control = compared(cut)
            plain, adjusted = _imbalance(values[experimental], values[control], weighed)
        rows.append(BaselineRow(name, label(cut.protocol, name), _unit(cut, name), by_arm, plain, adjusted))
    return tuple(rows)


def _everybody(cut: CutOff) -> list[Participant]:
    """The first analysis set: everybody allocated."""
    return members(cut, next(iter(cut.protocol.document.analysis.sets)))


def _imbalance(
    one: Sequence[tuple[str, float]], other: Sequence[tuple[str, float]], weights: dict[str, float]
) -> tuple[float | None, float | None]:
    """Standardised differences before and, for the women who were weighted, after weighting."""
    first, second = (np.array([value for _, value in side]) for side in (one, other))
    if len(first) < 2 or len(second) < 2 or (np.ptp(first) == 0 and np.ptp(second) == 0):
        return None, None
    plain = standardised_difference(first, second)
    if not weights or min(sum(who in weights for who, _ in side) for side in (one, other)) < 2:
        return plain, None
    # whoever has no weight counts for the yardstick, which is one before and after, and not for the means
    by_woman = [np.array([weights.get(who, 0.0) for who, _ in side]) for side in (one, other)]
    return plain, standardised_difference(first, second, *by_woman)


def _unit(cut: CutOff, name: str) -> str:
    if name in cut.protocol.vocabulary.items:
        item = cut.protocol.vocabulary.items[name]
        return "years" if item.kind == "age" else "" if item.unit == COUNT else item.unit.code
    derivation = cut.protocol.vocabulary.derivations[name]
    return derivation.unit.code if derivation.unit else ""
