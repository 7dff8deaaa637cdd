"""The overlap-weighted difference, augmented by a model of the outcome in each arm."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.statistics.arguments import Floats, require_confidence
from trialwright.statistics.balance import effective_sample_size
from trialwright.statistics.propensity import logistic_propensity
from trialwright.statistics.weighting import compared, interval_quantile, outcome_warnings, weight_warnings


@dataclass(frozen=True, slots=True)
class AdjustedDifference:
    """Treated less control, with its interval; risks are the means that the method gives each arm.

    `freedom` is that of the t distribution which the limits take, infinite where they are normal. `effective_n` is that
    of the treated and of the control arm under the weights, None where nothing is weighted.
    """

    estimate: float
    standard_error: float
    lower: float
    upper: float
    risk_treated: float
    risk_control: float
    warnings: tuple[str, ...]
    freedom: float = math.inf
    effective_n: tuple[float, float] | None = None


def augmented_overlap_difference(
    outcome: npt.ArrayLike,
    treated: npt.ArrayLike,
    covariates: npt.ArrayLike,
    confidence: float = 0.95,
    *,
    small_sample: bool = True,
    names: Sequence[str] = (),
) -> AdjustedDifference:
    """The augmented estimator predicts in the overlap population, and weights only what the prediction misses.

    With h = e(1-e) and m1, m0 linear regressions of the outcome on the covariates in each arm, the mean of the
    treated is sum(h m1)/sum(h) + sum(z(1-e)(y - m1))/sum(z(1-e)), that of the controls alike with e. The sandwich
    stacks the propensity, both regressions and the means (Mao, Li and Greene 2019, Stat Methods Med Res 28:2439;
    Zhou and others 2022, R Journal 14:282, PSweight). For an outcome of 0 and 1 the regression is a linear model of
    the risk. Correction and interval are those of `overlap_weighted_difference`, and so are arguments and warnings.

    Raises ValueError for what `overlap_weighted_difference` refuses, and for an arm too small or too uniform for its
    regression.

    >>> age = np.array([31, 35, 38, 29, 41, 36, 33, 40, 37, 30, 34, 39])
    >>> stem = np.array([0, 0, 1, 0, 1, 1, 1, 0, 1, 0, 0, 1])
    >>> oocytes = np.array([6, 4, 5, 7, 2, 5, 8, 3, 4, 6, 7, 4])
    >>> result = augmented_overlap_difference(oocytes, stem, age.reshape(-1, 1))
    >>> round(result.estimate, 2), round(result.lower, 2), round(result.upper, 2)
    (1.22, -0.32, 2.76)
    """
    require_confidence(confidence)
    given = compared(outcome, treated, covariates, names)
    y, z, x = given.outcome, given.treated, given.covariates
    design = np.column_stack([np.ones(y.size), x.standardised])
    fitted = logistic_propensity(z, x)
    regressions = [_Regression.of(y, z == arm, design, name) for arm, name in ((1, "treated"), (0, "control"))]
    e = fitted.propensity
    h = e * (1 - e)
    means, influences = [], []
    for regression, member, weight, rate in (
        (regressions[0], z, 1 - e, -e),
        (regressions[1], 1 - z, e, 1 - e),
    ):
        predicted = float((h * regression.predicted).sum() / h.sum())
        centred = h * (regression.predicted - predicted)
        residual = member * weight * (y - regression.predicted)
        total = float((member * weight).sum())
        missed = float(residual.sum()) / total
        deviation = residual - member * weight * missed
        through_propensity = fitted.influence @ (
            fitted.design.T @ ((1 - 2 * e) * centred / h.sum() + rate * deviation / total)
        )
        through_regression = regression.influence @ (design.T @ (h / h.sum()) - design.T @ (member * weight) / total)
        means.append(predicted + missed)
        influences.append(centred / h.sum() + deviation / total + through_propensity + through_regression)
    variance = float(np.square(influences[0] - influences[1]).sum())
    if small_sample:
        variance *= y.size / given.freedom
    estimate, standard_error = means[0] - means[1], math.sqrt(variance)
    freedom = float(given.freedom) if small_sample else math.inf
    reach = interval_quantile(confidence, freedom) * standard_error
    effective_treated, effective_control = (
        effective_sample_size(np.where(z == 1, 1 - e, e)[z == arm]) for arm in (1, 0)
    )
    lower, upper = estimate - reach, estimate + reach
    warnings = (
        *x.warnings,
        *weight_warnings(z, e, effective_treated, effective_control),
        *outcome_warnings(y, z, lower, upper),
        *_risk_warnings(y, means),
    )
    return AdjustedDifference(
        estimate, standard_error, lower, upper, means[0], means[1], warnings, freedom,
        (effective_treated, effective_control),
    )  # fmt: skip


def _risk_warnings(y: Floats, means: Sequence[float]) -> tuple[str, ...]:
    if not np.all((y == 0) | (y == 1)) or all(0 <= one <= 1 for one in means):
        return ()
    return ("A risk of an arm comes out beyond 0 or 1, as a straight line may: too few events for this model.",)


@dataclass(frozen=True, slots=True, eq=False)
class _Regression:
    """What a linear regression within one arm predicts for everybody, and who moved its coefficients by how much."""

    predicted: Floats
    influence: Floats

    @staticmethod
    def of(y: Floats, member: npt.NDArray[np.bool_], design: Floats, name: str) -> "_Regression":
        inside = design[member]
        if inside.shape[0] <= design.shape[1]:
            raise ValueError(
                f"The {name} arm has {inside.shape[0]} participants, too few for a regression on "
                f"{design.shape[1] - 1} covariates. Use fewer covariates, or weights without augmentation."
            )
        if np.linalg.matrix_rank(inside) < design.shape[1]:
            raise ValueError(
                f"Within the {name} arm the covariates determine one another, so the regression has no single "
                "answer. Leave out what is the same for everyone there, or use weights without augmentation."
            )
        inverse = np.linalg.inv(inside.T @ inside)
        coefficients = inverse @ (inside.T @ y[member])
        predicted = design @ coefficients
        influence = (design * (member * (y - predicted))[:, None]) @ inverse
        return _Regression(predicted, influence)
