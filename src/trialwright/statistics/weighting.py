"""What all propensity-weighted differences share: the checks at the door, the sandwich, the warnings."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import Floats, finite_vector, require_confidence, rows
from trialwright.statistics.balance import effective_sample_size
from trialwright.statistics.covariates import Covariates, covariate_matrix
from trialwright.statistics.propensity import Propensity, logistic_propensity

POOR_OVERLAP_SHARE = 0.2
"""Overlap is called poor when more than this share has a propensity outside 0.1 to 0.9 (bounds of Crump et
al. 2009, Biometrika 96:187; the share is ours)."""


OTHERS = "so the result speaks mainly for the others, who might have been in either arm"
"""What poor overlap means where it is weighed down."""


@dataclass(frozen=True, slots=True, eq=False)
class WeightedDifference:
    """Treated less control in the population that the weights name.

    A risk is the weighted mean of the outcome in an arm. `propensity` and `weights` hold one number per
    participant, in the order given. `covariance` is the variance of the treated risk, the covariance and the
    variance of the control risk; `quantile` is how many standard errors the limits lie away, by t with `freedom` or,
    where that is infinite, by the normal distribution.
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
    covariance: tuple[float, float, float]
    quantile: float
    freedom: float

    @property
    def effective_n(self) -> tuple[float, float]:
        """Of the treated and of the control arm."""
        return self.effective_n_treated, self.effective_n_control


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The weights of each arm at the propensity, and their rates: d log w / d linear predictor.

    `poor` says what poor overlap does to them.
    """

    treated: Floats
    control: Floats
    rate_treated: Floats
    rate_control: Floats
    poor: str


Scheme = Callable[[Floats], Weights]
"""The weights of a population, from the propensity."""


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Outcome, arm and covariates of n participants, checked; `freedom` is n - p - 1."""

    outcome: Floats
    treated: Floats
    covariates: Covariates
    freedom: int


def weighted_difference(given: Compared, scheme: Scheme, confidence: float, small_sample: bool) -> WeightedDifference:
    """The difference of the weighted means under a scheme of weights, with the sandwich for the fitted propensity.

    Each participant's influence on a mean is her weighted residual plus what she moved of the propensity times what
    that moves of the mean; the variance is the sum of squares. See `overlap_weighted_difference`.

    >>> from trialwright.statistics.overlap import overlap_weights
    >>> given = compared([1, 0, 1, 0], [1, 1, 0, 0], np.empty((4, 0)))
    >>> weighted_difference(given, overlap_weights, 0.95, small_sample=True).estimate
    0.0
    """
    require_confidence(confidence)
    y, z, x = given.outcome, given.treated, given.covariates
    fitted = logistic_propensity(z, x)
    e = fitted.propensity
    scheme_weights = scheme(e)
    weights = np.where(z == 1, scheme_weights.treated, scheme_weights.control)
    risk_treated, influence_treated = _weighted_mean(y, weights * z, scheme_weights.rate_treated, fitted)
    risk_control, influence_control = _weighted_mean(y, weights * (1 - z), scheme_weights.rate_control, fitted)
    factor = y.size / given.freedom if small_sample else 1.0
    v1, both, v0 = (
        factor * float((one * other).sum())
        for one, other in (
            (influence_treated, influence_treated),
            (influence_treated, influence_control),
            (influence_control, influence_control),
        )
    )
    variance = factor * float(np.square(influence_treated - influence_control).sum())
    freedom = float(given.freedom) if small_sample else math.inf
    quantile = interval_quantile(confidence, freedom)
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
            *weight_warnings(z, e, effective_treated, effective_control, scheme_weights.poor),
            *outcome_warnings(y, z, lower, upper),
        ),
        covariance=(v1, both, v0),
        quantile=quantile,
        freedom=freedom,
    )  # fmt: skip


def compared(
    outcome: npt.ArrayLike, treated: npt.ArrayLike, covariates: npt.ArrayLike, names: Sequence[str] = ()
) -> Compared:
    """Outcome, arm and covariates, checked at the door; constant covariates are left out, warned of.

    Raises ValueError for missing values, shapes that do not match, an empty arm, collinear covariates, n <= p + 1, or
    an outcome that varies in neither arm.

    >>> compared([1, 0, 1, 0], [1, 1, 0, 0], [[1], [2], [3], [4]]).freedom
    2
    """
    y = finite_vector(outcome, "The outcome")
    z = _arms(treated, y.size)
    _require_variation(y, z)
    x = covariate_matrix(covariates, y.size, names)
    freedom = y.size - x.standardised.shape[1] - 1
    if freedom < 1:
        raise ValueError(
            f"{y.size} participants are too few for {x.standardised.shape[1]} covariates: the variance needs at "
            "least two more participants than covariates."
        )
    return Compared(y, z, x, freedom)


def interval_quantile(confidence: float, freedom: float) -> float:
    """How many standard errors a limit lies away: of Student's t with `freedom`, of the normal where that is infinite.

    >>> round(interval_quantile(0.95, math.inf), 3), round(interval_quantile(0.95, 10), 3)
    (1.96, 2.228)
    """
    level = (1 + confidence) / 2
    return float(special.ndtri(level) if math.isinf(freedom) else special.stdtrit(freedom, level))


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

    The weights change with the linear predictor by `rate` times themselves.
    """
    total = float(arm_weights.sum())
    mean = float((arm_weights * y).sum()) / total
    residual = arm_weights * (y - mean)
    through_propensity = fitted.influence @ (fitted.design.T @ (rate * residual))
    return mean, (residual + through_propensity) / total


def weight_warnings(
    z: Floats, e: Floats, effective_treated: float, effective_control: float, poor: str = OTHERS
) -> tuple[str, ...]:
    """What low effective sample sizes and poor overlap mean; nothing where there is neither.

    >>> weight_warnings(np.array([1.0, 0]), np.array([0.5, 0.5]), 1, 1)
    ()
    """
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
            f"above 0.9, {poor}."
        )
    return tuple(warnings)


def outcome_warnings(y: Floats, z: Floats, lower: float, upper: float) -> tuple[str, ...]:
    """What an arm without variation, and limits that no risk difference can have, mean.

    >>> outcome_warnings(np.array([1.0, 0, 1, 0]), np.array([1.0, 1, 0, 0]), -0.5, 0.5)
    ()
    """
    warnings = [
        f"The outcome is {y[z == arm][0]:g} for every {name} participant, so that arm adds no variance and "
        "the interval is too narrow."
        for name, arm in (("treated", 1), ("control", 0))
        if np.ptp(y[z == arm]) == 0
    ]
    if np.all((y == 0) | (y == 1)) and (lower < -1 or upper > 1):
        warnings.append("The interval goes beyond -1 or 1, which no difference of two risks can: too few events.")
    return tuple(warnings)
