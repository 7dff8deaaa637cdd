"""The chance of being treated, given what was measured before treatment."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.statistics.arguments import Floats, rows
from trialwright.statistics.logistic import NoMaximumError, logistic_fit


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """The covariates that vary, standardised (n rows), with their names and what was left out."""

    standardised: Floats
    names: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Propensity:
    """The fitted propensity of n participants, with what a sandwich variance needs to know of the fit.

    `design` has n rows and a column per coefficient of the linear predictor; `influence`, of the same shape,
    is by how much each participant moved each coefficient.
    """

    propensity: Floats
    design: Floats
    influence: Floats


def covariate_matrix(covariates: npt.ArrayLike, size: int, names: Sequence[str] = ()) -> Covariates:
    """The covariates that vary, each with mean 0 and standard deviation 1; constants are left out, warned of.

    `covariates` has `size` rows and a column per covariate. Raises ValueError for another shape, a missing
    value, names that do not match, or a covariate that the others determine.

    >>> covariate_matrix([[30, 1], [40, 1]], 2, ["age", "centre"]).warnings
    ('The covariate centre is 1 for everyone, so it was left out.',)
    """
    x = np.asarray(covariates, dtype=np.float64)
    if x.ndim != 2 or x.shape[0] != size:
        raise ValueError(f"The covariates have the shape {x.shape}, but each of the {size} participants needs a row.")
    if names and len(names) != x.shape[1]:
        raise ValueError(f"{len(names)} names do not fit {x.shape[1]} covariates.")
    called = tuple(names) or tuple(f"in column {column + 1}" for column in range(x.shape[1]))
    for column, name in zip(x.T, called, strict=True):
        missing = np.flatnonzero(~np.isfinite(column))
        if missing.size:
            raise ValueError(
                f"The covariate {name} is missing or infinite in {rows(missing)}; decide what stands for it first."
            )
    varies = [float(np.ptp(column)) > 0 for column in x.T]
    warnings = [
        f"The covariate {name} is {column[0]:g} for everyone, so it was left out."
        for column, name, keep in zip(x.T, called, varies, strict=True)
        if not keep
    ]
    if not any(varies):
        warnings.append("No covariate varies, so the difference is unadjusted.")
    kept = x[:, varies]
    standardised = (kept - kept.mean(axis=0)) / kept.std(axis=0)
    kept_names = tuple(name for name, keep in zip(called, varies, strict=True) if keep)
    _require_independent(standardised, kept_names)
    return Covariates(standardised, kept_names, tuple(warnings))


def _require_independent(standardised: Floats, names: tuple[str, ...]) -> None:
    """Each covariate keeps something of its own beside those before it; the first that does not is named."""
    basis = np.empty((standardised.shape[0], 0))
    for column, name in zip(standardised.T, names, strict=True):
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        length = float(np.linalg.norm(rest))
        if length < 1e-7 * np.linalg.norm(column):
            raise ValueError(
                f"The covariate {name} is determined by the covariates before it, so their effects cannot be "
                "told apart. Leave one of them out."
            )
        basis = np.column_stack([basis, rest / length])


def logistic_propensity(treated: Floats, covariates: Covariates) -> Propensity:
    """The propensity of greatest likelihood under a logistic regression, with an intercept.

    `logistic_fit` in an orthonormal basis of the standardised covariates, which changes no fitted value. `treated`
    holds 0 and 1. McCullagh and Nelder 1989, chapter 4.

    Raises ValueError when the covariates separate the arms: then the likelihood has no maximum.

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
