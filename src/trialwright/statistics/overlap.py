"""A difference between two arms that were not randomised, weighted to where the arms overlap."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import Floats, finite_vector, require_confidence, rows
from trialwright.statistics.balance import effective_sample_size
from trialwright.statistics.propensity import Propensity, covariate_matrix, logistic_propensity

POOR_OVERLAP_SHARE = 0.2
"""Overlap is called poor when more than this share has a propensity outside 0.1 to 0.9 (bounds of Crump et
al. 2009, Biometrika 96:187; the share is ours)."""


@dataclass(frozen=True, slots=True, eq=False)
class WeightedDifference:
    """Treated less control in the overlap population.

    A risk is the weighted mean of the outcome in an arm. `propensity` and `weights` hold one number per
    participant, in the order given; weights are 1 - propensity if treated, propensity if not.
    """

    estimate: float
    standard_error: float
    lower: float
    upper: float
    risk_treated: float
    risk_control: float
    effective_n_treated: float
    effective_n_control: float
    propensity: Floats
    weights: Floats
    warnings: tuple[str, ...]


def overlap_weighted_difference(
    outcome: npt.ArrayLike,
    treated: npt.ArrayLike,
    covariates: npt.ArrayLike,
    confidence: float = 0.95,
    *,
    small_sample: bool = True,
    names: Sequence[str] = (),
) -> WeightedDifference:
    """Overlap weighting compares the arms among participants who might have been in either.

    The propensity e is a logistic regression of treated on the covariates by maximum likelihood; a treated
    participant weighs 1-e, a control e, and the estimate is the difference of the weighted means (Li, Morgan
    and Zaslavsky 2018, J Am Stat Assoc 113:390). The variance is the sandwich of the stacked estimating
    equations, so it knows that e was estimated (Lunceford and Davidian 2004, Stat Med 23:2937). With
    `small_sample` it is multiplied by n/(n-p-1), p covariates in use, and the interval is t(n-p-1); without,
    it stays as it is and the interval is normal.

    `outcome` and `treated` (0 or 1) have n values, `covariates` has n rows and p columns, `names` names the
    columns in sentences. A constant covariate is left out with a warning. Low effective sample size, poor
    overlap, an arm without variation and limits that no risk difference can have are warned of.

    Raises ValueError for missing values, shapes that do not match, an empty arm, collinear covariates, arms
    that the covariates separate, n <= p + 1, or an outcome that varies in neither arm.

    >>> age = np.array([31, 35, 38, 29, 41, 36, 33, 40, 37, 30, 34, 39])
    >>> stem = np.array([0, 0, 1, 0, 1, 1, 1, 0, 1, 0, 0, 1])
    >>> oocytes = np.array([6, 4, 5, 7, 2, 5, 8, 3, 4, 6, 7, 4])
    >>> result = overlap_weighted_difference(oocytes, stem, age.reshape(-1, 1))
    >>> round(result.estimate, 3), round(result.lower, 3), round(result.upper, 3)
    (1.037, -0.509, 2.582)
    """
    require_confidence(confidence)
    y = finite_vector(outcome, "The outcome")
    z = _arms(treated, y.size)
    _require_variation(y, z)
    x = covariate_matrix(covariates, y.size, names)
    n, freedom = y.size, y.size - x.standardised.shape[1] - 1
    if freedom < 1:
        raise ValueError(
            f"{n} participants are too few for {x.standardised.shape[1]} covariates: the variance needs at "
            "least two more participants than covariates."
        )
    fitted = logistic_propensity(z, x)
    e = fitted.propensity
    weights = np.where(z == 1, 1 - e, e)
    risk_treated, influence_treated = _weighted_mean(y, weights * z, -e, fitted)
    risk_control, influence_control = _weighted_mean(y, weights * (1 - z), 1 - e, fitted)
    variance = float(np.square(influence_treated - influence_control).sum())
    quantile = float(special.ndtri((1 + confidence) / 2))
    if small_sample:
        variance *= n / freedom
        quantile = float(special.stdtrit(freedom, (1 + confidence) / 2))
    estimate, standard_error = risk_treated - risk_control, math.sqrt(variance)
    lower, upper = estimate - quantile * standard_error, estimate + quantile * standard_error
    effective_treated, effective_control = (effective_sample_size(weights[z == arm]) for arm in (1, 0))
    for array in (e, weights):
        array.setflags(write=False)
    return WeightedDifference(
        estimate, standard_error, lower, upper, risk_treated, risk_control,
        effective_treated, effective_control, e, weights,
        warnings=(
            *x.warnings,
            *_weight_warnings(z, e, effective_treated, effective_control),
            *_outcome_warnings(y, z, lower, upper),
        ),
    )  # fmt: skip


def _arms(treated: npt.ArrayLike, size: int) -> Floats:
    z = finite_vector(treated, "The arm")
    if z.size != size:
        raise ValueError(f"{size} outcomes and {z.size} arms do not describe the same participants.")
    if not np.all((z == 0) | (z == 1)):
        raise ValueError(
            f"The arm is neither 1 (treated) nor 0 (control) in {rows(np.flatnonzero((z != 0) & (z != 1)))}."
        )
    for arm, name in ((1, "treated"), (0, "control")):
        if not np.any(z == arm):
            raise ValueError(f"The {name} arm is empty, so there is nothing to compare.")
    return z


def _require_variation(y: Floats, z: Floats) -> None:
    if all(np.ptp(y[z == arm]) == 0 for arm in (1, 0)):
        raise ValueError(
            f"The outcome is {y[z == 1][0]:g} for all treated and {y[z == 0][0]:g} for all controls, so the "
            "sandwich variance is zero and cannot give an interval. Use an exact unadjusted interval."
        )


def _weighted_mean(y: Floats, arm_weights: Floats, rate: Floats, fitted: Propensity) -> tuple[float, Floats]:
    """The weighted mean of an arm and each participant's influence on it, through the propensity too.

    The weights change with the linear predictor by `rate` times themselves: -e for 1-e, 1-e for e.
    """
    total = float(arm_weights.sum())
    mean = float((arm_weights * y).sum()) / total
    residual = arm_weights * (y - mean)
    through_propensity = fitted.influence @ (fitted.design.T @ (rate * residual))
    return mean, (residual + through_propensity) / total


def _weight_warnings(z: Floats, e: Floats, effective_treated: float, effective_control: float) -> tuple[str, ...]:
    warnings = []
    for name, arm, effective in (("treated", 1, effective_treated), ("control", 0, effective_control)):
        size = int((z == arm).sum())
        if effective < size / 2:
            warnings.append(
                f"The {size} {name} participants weigh as much as {effective:.1f}: less than half, so a few "
                "of them carry the result."
            )
    outside = int(((e < 0.1) | (e > 0.9)).sum())
    if outside > POOR_OVERLAP_SHARE * e.size:
        warnings.append(
            f"The arms overlap poorly: {outside} of {e.size} participants have a propensity below 0.1 or "
            "above 0.9, so the result speaks mainly for the others, who might have been in either arm."
        )
    return tuple(warnings)


def _outcome_warnings(y: Floats, z: Floats, lower: float, upper: float) -> tuple[str, ...]:
    warnings = [
        f"The outcome is {y[z == arm][0]:g} for every {name} participant, so that arm adds no variance and "
        "the interval is too narrow."
        for name, arm in (("treated", 1), ("control", 0))
        if np.ptp(y[z == arm]) == 0
    ]
    if np.all((y == 0) | (y == 1)) and (lower < -1 or upper > 1):
        warnings.append("The interval goes beyond -1 or 1, which no difference of two risks can: too few events.")
    return tuple(warnings)
