"""Logistic regression with Firth's penalty, which has an estimate where the groups are separated."""

import warnings as python_warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import finite_vector, require_confidence, rows
from trialwright.statistics.covariates import covariate_matrix

FAR = 100.0
"""Where zero lies this many standard deviations from a covariate's mean, an intercept at zero cannot be computed."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A log odds ratio per unit of its covariate, with standard error, limits and a two-sided p."""

    name: str
    estimate: float
    standard_error: float
    lower: float
    upper: float
    p_value: float


@dataclass(frozen=True, slots=True)
class FirthRegression:
    """The coefficients, the intercept first, and the penalised log likelihood of the covariates as scaled inside."""

    coefficients: tuple[Coefficient, ...]
    log_likelihood: float
    warnings: tuple[str, ...]


def firth_logistic(
    event: npt.ArrayLike, covariates: npt.ArrayLike, confidence: float = 0.95, *, names: Sequence[str] = ()
) -> FirthRegression:
    """Firth's logistic regression has finite odds ratios for rare events and separated groups.

    The log likelihood plus half the log determinant of the information is maximised; limits and p are those of the
    profile of the penalised likelihood, standard errors those of the information. By firthmodels. Firth 1993,
    Biometrika 80:27; Heinze and Schemper 2002, Stat Med 21:2409.

    `event` is 0 or 1 for n participants, `covariates` has n rows. Covariates are scaled inside, and coefficients are
    per unit as given. A constant covariate is left out, and an intercept far from the data moved, with a warning.
    Raises ValueError for missing values, an outcome that is the same for everyone, collinear covariates, or a profile
    that does not reach its limits.

    >>> result = firth_logistic([0, 0, 0, 1, 1, 1], [[0], [0], [0], [1], [1], [1]], names=["arm"])
    >>> arm = result.coefficients[1]
    >>> arm.name, round(arm.estimate, 3), round(arm.lower, 3), round(arm.p_value, 3)
    ('arm', 3.892, 0.439, 0.024)
    """
    from firthmodels import FirthLogisticRegression  # brings scikit-learn with it

    require_confidence(confidence)
    y = finite_vector(event, "The outcome")
    if not np.all((y == 0) | (y == 1)):
        raise ValueError(f"The outcome is neither 1 nor 0 in {rows(np.flatnonzero((y != 0) & (y != 1)))}.")
    if y.size == 0 or np.ptp(y) == 0:
        raise ValueError(
            "The outcome is the same for everyone, so covariates cannot tell who has it. Use the limits of a "
            "proportion."
        )
    checked = covariate_matrix(covariates, y.size, names)
    scale = checked.scale
    far = np.abs(checked.centre) > FAR * scale
    x = checked.columns - np.where(far, checked.centre, 0.0)
    if x.shape[1] == 0:
        raise ValueError("No covariate varies, so there is no odds ratio to estimate.")
    model = FirthLogisticRegression(backend="numpy", max_iter=200, gtol=1e-5, xtol=1e-6)
    with python_warnings.catch_warnings(), np.errstate(all="ignore"):
        python_warnings.simplefilter("ignore")  # what they would say is checked below
        model.fit(x / scale, y.astype(np.int64))
        limits = model.conf_int(alpha=1 - confidence, method="pl", max_iter=100, tol=1e-6)
        model.lrt()
    per_unit = np.append(1 / scale, 1.0)
    order = [x.shape[1], *range(x.shape[1])]
    estimates = np.append(model.coef_, model.intercept_) * per_unit
    design = np.column_stack([x / scale, np.ones(y.size)])
    chance = special.expit(design @ np.append(model.coef_, model.intercept_))
    # the library's own errors are those of the data as the penalty augments them, which are smaller
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ (design * (chance * (1 - chance))[:, None]))))
    columns = [estimates, errors * per_unit, limits[:, 0] * per_unit, limits[:, 1] * per_unit, model.lrt_pvalues_]
    table = np.column_stack(columns)[order]
    if not model.converged_ or not np.isfinite(table).all():
        raise ValueError(
            "The penalised likelihood does not reach its limits. Use fewer covariates, or covariates without far "
            "outliers."
        )
    coefficients = tuple(
        Coefficient(name, *(float(value) for value in row))
        for name, row in zip(("intercept", *checked.names), table, strict=True)
    )
    moved = ", ".join(name for name, away in zip(checked.names, far, strict=True) if away)
    told = (f"The intercept is that at the mean of the covariate {moved}, whose zero lies far from its values.",)
    return FirthRegression(coefficients, float(model.loglik_), (*checked.warnings, *(told if moved else ())))
