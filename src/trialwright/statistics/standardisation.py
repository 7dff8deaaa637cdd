"""The difference in risk among all participants, standardised over their covariates."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import require_confidence, rows
from trialwright.statistics.augmented import AdjustedDifference
from trialwright.statistics.logistic import NoMaximumError, logistic_fit
from trialwright.statistics.weighting import compared, interval_quantile, outcome_warnings


def g_computation_difference(
    outcome: npt.ArrayLike,
    treated: npt.ArrayLike,
    covariates: npt.ArrayLike,
    confidence: float = 0.95,
    *,
    robust: bool = False,
    names: Sequence[str] = (),
) -> AdjustedDifference:
    """G-computation predicts every participant under both treatments, and compares the mean risks of all.

    A logistic regression of the outcome (0 or 1) on arm and covariates, without interaction, by maximum likelihood;
    the risk of an arm is the mean prediction with everybody in it. The interval is normal with the delta method from
    the covariance of the coefficients: that of the model, or with `robust` the sandwich HC0. Robins 1986, Math Model
    7:1393; Snowden, Rose and Mortimer 2011, Am J Epidemiol 173:731. It speaks of participants with these covariates,
    not of a draw of others.

    `covariates` has n rows and p columns, `names` names them. Raises ValueError for what `compared` refuses, an
    outcome other than 0 and 1, or arm and covariates that separate the outcomes.

    >>> x = np.array([[1], [2], [3], [4], [5], [6], [7], [8]])
    >>> result = g_computation_difference([0, 1, 0, 1, 0, 0, 1, 1], [0, 1, 0, 1, 0, 1, 1, 0], x)
    >>> round(result.estimate, 3)
    0.47
    """
    require_confidence(confidence)
    given = compared(outcome, treated, covariates, names)
    y, z, x = given.outcome, given.treated, given.covariates
    if not np.all((y == 0) | (y == 1)):
        raise ValueError(
            f"The outcome is neither 1 (event) nor 0 (none) in {rows(np.flatnonzero((y != 0) & (y != 1)))}, but this "
            "model is of an event."
        )
    design = np.column_stack([np.ones(y.size), z, x.standardised])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ValueError(
            "The covariates determine the arm, so nobody in the other arm is comparable. Use fewer or coarser "
            "covariates."
        )
    basis, change = np.linalg.qr(design)
    try:
        fitted = logistic_fit(y, basis)
    except NoMaximumError as none:
        raise ValueError(
            "Arm and covariates separate the outcomes: for some participants the outcome follows with certainty, so "
            "the model has no estimate. Use fewer or coarser covariates, or Firth's penalty."
            if none.separated
            else "The model of the outcome could not be fitted: its likelihood is too flat to climb. Use fewer "
            "covariates, or covariates without far outliers."
        ) from none
    risks, slopes = [], []
    for arm in (1.0, 0.0):
        there = design.copy()
        there[:, 1] = arm
        there = np.linalg.solve(change.T, there.T).T
        chance = special.expit(there @ fitted.coefficients)
        risks.append(float(chance.mean()))
        slopes.append(there.T @ (chance * (1 - chance)) / y.size)
    slope = slopes[0] - slopes[1]
    variance = float(np.square(fitted.influence @ slope).sum()) if robust else float(slope @ fitted.covariance @ slope)
    estimate, standard_error = risks[0] - risks[1], math.sqrt(variance)
    reach = interval_quantile(confidence, math.inf) * standard_error
    lower, upper = estimate - reach, estimate + reach
    warnings = (*x.warnings, *outcome_warnings(y, z, lower, upper))
    return AdjustedDifference(estimate, standard_error, lower, upper, risks[0], risks[1], warnings)
