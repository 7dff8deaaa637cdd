"""Covariates are standardised and checked, so that no model depends on their units."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.statistics.arguments import Floats, rows


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """The covariates that vary, standardised (n rows), with their names and what was left out.

    `columns` are the same as given; `centre` and `scale` are their means and standard deviations.
    """

    standardised: Floats
    names: tuple[str, ...]
    warnings: tuple[str, ...]
    columns: Floats
    centre: Floats
    scale: Floats


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
    centre, scale = kept.mean(axis=0), kept.std(axis=0)
    standardised = (kept - centre) / scale
    kept_names = tuple(name for name, keep in zip(called, varies, strict=True) if keep)
    _require_independent(standardised, kept_names)
    return Covariates(standardised, kept_names, tuple(warnings), kept, centre, scale)


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


def per_unit(covariates: Covariates) -> Floats:
    """What turns an intercept and coefficients of the standardised covariates into those of the given ones.

    A square matrix, to be multiplied by the coefficients from the left.

    >>> matrix = per_unit(covariate_matrix([[30], [40]], 2))
    >>> (matrix @ np.array([1.0, 2.0])).tolist()  # 1 + 2 (x - 35)/5
    [-13.0, 0.4]
    """
    matrix = np.eye(covariates.scale.size + 1)
    matrix[1:, 1:] = np.diag(1 / covariates.scale)
    matrix[0, 1:] = -covariates.centre / covariates.scale
    return matrix
