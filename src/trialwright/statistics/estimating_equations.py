"""Logistic regression of events that come in clusters, such as embryos in women, with robust standard errors."""

import warnings as python_warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.statistics.arguments import finite_vector, require_names, rows
from trialwright.statistics.covariates import covariate_matrix, per_unit
from trialwright.statistics.logistic import NoMaximumError, logistic_fit

FEW_CLUSTERS = 40
"""With fewer clusters robust standard errors are too small; Mancl and DeRouen 2001 correct most of it."""


@dataclass(frozen=True, slots=True)
class ClusteredLogistic:
    """Coefficients on the logit, the intercept first. `robust` are standard errors of the sandwich, `corrected` those
    with Mancl and DeRouen's correction for few clusters; `correlation` is that of two events of one cluster.
    """

    names: tuple[str, ...]
    coefficients: tuple[float, ...]
    robust: tuple[float, ...]
    corrected: tuple[float, ...]
    correlation: float
    clusters: int
    warnings: tuple[str, ...]


def gee_logistic(
    event: npt.ArrayLike, cluster: npt.ArrayLike, covariates: npt.ArrayLike, *, names: Sequence[str] = ()
) -> ClusteredLogistic:
    """Generalised estimating equations give the odds ratio of a population of clustered units.

    logit P(event) = intercept + covariates, exchangeable working correlation, scale 1. By statsmodels. Liang and Zeger
    1986, Biometrika 73:13; Mancl and DeRouen 2001, Biometrics 57:126. Coverage of the robust interval with 12
    clusters is 0.88 to 0.90: with few clusters use the corrected errors, or a ratio with t.

    `event` is 0 or 1 for n units, `cluster` says whose they are, `covariates` has n rows. A constant covariate is left
    out with a warning. Raises ValueError for missing values, fewer than two clusters, an event that is the same for all
    units, collinear covariates, covariates that separate the events, or equations that are not solved.

    >>> woman, arm = [1, 1, 2, 2, 3, 3, 4, 4], [[1], [1], [1], [1], [0], [0], [0], [0]]
    >>> result = gee_logistic([1, 0, 1, 1, 0, 0, 1, 0], woman, arm)
    >>> [round(one, 3) for one in result.coefficients]
    [-1.099, 2.197]
    """
    from statsmodels.genmod.cov_struct import Exchangeable
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    y = finite_vector(event, "The event")
    groups = np.asarray(cluster)
    if groups.shape != y.shape:
        raise ValueError(f"{y.size} events and {groups.size} clusters do not describe the same units.")
    require_names(groups, "The cluster")
    if not np.all((y == 0) | (y == 1)):
        raise ValueError(f"The event is neither 1 nor 0 in {rows(np.flatnonzero((y != 0) & (y != 1)))}.")
    if y.size == 0 or np.ptp(y) == 0:
        raise ValueError("The event is the same for all units, so no odds ratio can be estimated.")
    _, members = np.unique(groups, return_inverse=True)
    clusters = int(members.max()) + 1
    if clusters < 2:
        raise ValueError("There is one cluster only, so the variance between clusters is unknown.")
    checked = covariate_matrix(covariates, y.size, names)
    design = np.column_stack([np.ones(y.size), checked.standardised])
    try:
        logistic_fit(y, np.linalg.qr(design)[0])
    except NoMaximumError:
        raise ValueError(
            "The covariates separate the events, so a coefficient has no estimate. Use fewer or coarser covariates."
        ) from None
    order = np.argsort(members, kind="stable")
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")  # what they would say is checked below
        model = GEE(y[order], design[order], members[order], family=Binomial(), cov_struct=Exchangeable())
        fitted = model.fit(maxiter=500, ctol=1e-10, scale=1.0)
        few = model.fit(maxiter=500, ctol=1e-10, scale=1.0, cov_type="bias_reduced")
    back = per_unit(checked)
    robust, corrected = (np.sqrt(np.diag(back @ one.cov_params() @ back.T)) for one in (fitted, few))
    coefficients = back @ fitted.params
    if not fitted.converged or not np.isfinite([*coefficients, *robust, *corrected]).all():
        raise ValueError("The estimating equations could not be solved. Use fewer covariates.")
    warnings = list(checked.warnings)
    if clusters < FEW_CLUSTERS:
        warnings.append(
            f"There are {clusters} clusters: robust standard errors are too small with so few. Read the corrected ones."
        )
    return ClusteredLogistic(
        ("intercept", *checked.names), _floats(coefficients), _floats(robust), _floats(corrected),
        float(model.cov_struct.dep_params), clusters, tuple(warnings),
    )  # fmt: skip


def _floats(values: npt.ArrayLike) -> tuple[float, ...]:
    return tuple(float(value) for value in np.asarray(values))
