"""The chance of being treated, given what was measured before treatment."""

from dataclasses import dataclass

import numpy as np

from trialwright.statistics.arguments import Floats
from trialwright.statistics.covariates import Covariates
from trialwright.statistics.logistic import NoMaximumError, logistic_fit


@dataclass(frozen=True, slots=True, eq=False)
class Propensity:
    """The fitted propensity of n participants, with what a sandwich variance needs to know of the fit.

    `design` has n rows and a column per coefficient of the linear predictor; `influence`, of the same shape,
    is by how much each participant moved each coefficient.
    """

    propensity: Floats
    design: Floats
    influence: Floats


def logistic_propensity(treated: Floats, covariates: Covariates) -> Propensity:
    """The propensity of greatest likelihood under a logistic regression, with an intercept.

    `logistic_fit` in an orthonormal basis of the standardised covariates, which changes no fitted value. `treated`
    holds 0 and 1. McCullagh and Nelder 1989, chapter 4.

    Raises ValueError when the covariates separate the arms: then the likelihood has no maximum.

    >>> from trialwright.statistics.covariates import covariate_matrix
    >>> x = covariate_matrix([[1], [1], [1], [0], [0], [0]], 6)
    >>> fitted = logistic_propensity(np.array([1.0, 1, 0, 1, 0, 0]), x).propensity
    >>> [round(float(e), 3) for e in fitted]
    [0.667, 0.667, 0.667, 0.333, 0.333, 0.333]
    """
    design = np.linalg.qr(np.column_stack([np.ones(treated.size), covariates.standardised]))[0]
    try:
        fitted = logistic_fit(treated, design)
    except NoMaximumError as none:
        raise ValueError(_separation(treated, covariates) if none.separated else _FLAT) from none
    return Propensity(fitted.chance, design, fitted.influence)


_FLAT = (
    "The propensity model could not be fitted: its likelihood is too flat to climb. Use fewer covariates, or "
    "covariates without far outliers."
)


def _separation(treated: Floats, covariates: Covariates) -> str:
    alone = [
        name
        for column, name in zip(covariates.standardised.T, covariates.names, strict=True)
        if column[treated == 1].min() >= column[treated == 0].max()
        or column[treated == 1].max() <= column[treated == 0].min()
    ]
    culprit = f"The covariate {alone[0]}" if alone else "The covariates together"
    verb = "separates" if alone else "separate"
    return (
        f"{culprit} {verb} the arms: for some participants the arm follows with certainty from the "
        "covariates, so nobody in the other arm is comparable and the propensity model has no estimate. Use "
        "fewer or coarser covariates, or compare only participants who might have been in either arm."
    )
