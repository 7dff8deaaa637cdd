"""A quantity measured at several visits: means, differences and slopes that respect who they come from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.statistics.arguments import Floats, finite_vector, require_confidence, require_names, rows
from trialwright.statistics.covariates import covariate_matrix
from trialwright.statistics.linear_covariance import Block, Contrast, GaussianFit, contrast, fit_linear_covariance


@dataclass(frozen=True, slots=True)
class RepeatedMeasures:
    """One contrast per visit: the mean, or treated less control. `participants` have a value at some visit.

    `log_likelihood` is the restricted one of covariates as standardised inside.
    """

    visits: tuple[Contrast, ...]
    participants: int
    log_likelihood: float
    warnings: tuple[str, ...]


def mixed_model_repeated_measures(
    values: npt.ArrayLike,
    treated: npt.ArrayLike | None = None,
    covariates: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    *,
    names: Sequence[str] = (),
) -> RepeatedMeasures:
    """The mixed model for repeated measures compares the arms at every visit, with all values that there are.

    value = visit + visit x treated + covariates, a free (unstructured) covariance of the visits, restricted
    likelihood, Kenward and Roger's standard errors and degrees of freedom. A value that is missing at random, given
    arm, covariates and the values that were seen, does no harm. Mallinckrodt and others 2008, Drug Inf J 42:303;
    Kenward and Roger 1997, Biometrics 53:983.

    `values` has a row per participant and a column per visit, NaN where nothing was measured; `treated` (0 or 1) is
    left out for a single arm, whose means are then given at the covariates' means. Participants without any value are
    left out with a warning. Raises ValueError for shapes that do not match, a visit at which an arm has no value, an
    empty arm, a missing covariate, collinear covariates, or too few participants.

    >>> nan = np.nan
    >>> fsh = [[9.1, 8.7, 8.0], [10.2, 9.9, 9.1], [8.4, 8.6, nan], [11.0, 10.1, 9.8], [9.7, 9.0, 9.2], [8.9, 8.0, 7.7]]
    >>> result = mixed_model_repeated_measures(fsh)
    >>> [round(visit.estimate, 2) for visit in result.visits], round(result.visits[2].freedom, 2)
    ([9.55, 9.05, 8.54], 4.94)
    """
    require_confidence(confidence)
    y = np.asarray(values, dtype=np.float64)
    if y.ndim != 2 or y.shape[1] < 1:
        raise ValueError(
            f"The values have the shape {y.shape}, but a row per participant and a column per visit is needed."
        )
    if np.isinf(y).any():
        raise ValueError("A value is infinite.")
    seen = ~np.isnan(y)
    somewhere = seen.any(axis=1)
    z = None if treated is None else finite_vector(treated, "The arm")
    if z is not None and z.size != y.shape[0]:
        raise ValueError(f"{y.shape[0]} participants and {z.size} arms do not match.")
    if z is not None and not np.all((z == 0) | (z == 1)):
        raise ValueError(f"The arm is neither 1 nor 0 in {rows(np.flatnonzero((z != 0) & (z != 1)))}.")
    x = np.empty((y.shape[0], 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    if x.ndim != 2 or x.shape[0] != y.shape[0]:
        raise ValueError(f"The covariates have the shape {x.shape}, but each of {y.shape[0]} participants needs a row.")
    y, seen, x = y[somewhere], seen[somewhere], x[somewhere]
    z = None if z is None else z[somewhere]
    for arm in (None,) if z is None else (1, 0):
        members = np.ones(y.shape[0], dtype=np.bool_) if z is None else z == arm
        empty = np.flatnonzero(~seen[members].any(axis=0))
        if empty.size:
            whose = "Nobody" if arm is None else f"Nobody in the {'treated' if arm else 'control'} arm"
            raise ValueError(f"{whose} has a value at visit {int(empty[0]) + 1}. Leave the visit out.")
    checked = covariate_matrix(x, y.shape[0], names)
    m = y.shape[1]
    arms = 0 if z is None else m
    design = np.zeros((*y.shape, m + arms + checked.standardised.shape[1]))
    design[:, :, :m] = np.eye(m)
    if z is not None:
        design[:, :, m : 2 * m] = z[:, None, None] * np.eye(m)
    design[:, :, m + arms :] = checked.standardised[:, None, :]
    fit = unstructured_fit(np.where(seen, y, np.nan), design)
    contrasts = tuple(contrast(fit, np.eye(design.shape[2])[arms + visit], confidence) for visit in range(m))
    warnings = [one for one in checked.warnings if covariates is not None]
    if not somewhere.all():
        warnings.insert(0, f"{int((~somewhere).sum())} participants have no value at any visit and were left out.")
    return RepeatedMeasures(contrasts, y.shape[0], fit.log_likelihood, tuple(warnings))


def unstructured_fit(values: npt.ArrayLike, design: npt.ArrayLike) -> GaussianFit:
    """A linear model of the values at several visits, with a free covariance of the visits.

    `values` is participants x visits, NaN where nothing was measured; `design` is participants x visits x coefficients.
    See `fit_linear_covariance` for method, source and errors; the parameters are the covariances of the visits, row by
    row of the lower triangle. Also refused: two visits that nobody has together, whose covariance is unknown.

    >>> fit = unstructured_fit([[1.0, 2.0], [2.0, 5.0], [4.0, 4.0], [5.0, 7.0]], np.broadcast_to(np.eye(2), (4, 2, 2)))
    >>> fit.coefficients.round(3).tolist(), fit.parameters.round(3).tolist()
    ([3.0, 4.5], [3.333, 3.0, 4.333])
    """
    y, x = np.asarray(values, dtype=np.float64), np.asarray(design, dtype=np.float64)
    if y.ndim != 2 or x.ndim != 3 or x.shape[:2] != y.shape:
        raise ValueError(
            f"The values have the shape {y.shape} and the design {x.shape}, but participants x visits and participants "
            "x visits x coefficients are needed."
        )
    seen = ~np.isnan(y)
    if np.isinf(y).any() or not np.isfinite(x[seen]).all():
        raise ValueError("A value is infinite, or the design is missing where a value was measured.")
    together = seen.T.astype(np.int64) @ seen.astype(np.int64)
    m = y.shape[1]
    pairs = [(a, b) for a in range(m) for b in range(a + 1)]
    for a, b in pairs:
        if together[a, b] < 2:
            raise ValueError(
                f"Fewer than two participants have values at visits {b + 1} and {a + 1} both, so how the visits go "
                "together is unknown. Leave a visit out."
            )
    parts = np.zeros((len(pairs), m, m))
    for k, (a, b) in enumerate(pairs):
        parts[k, a, b] = parts[k, b, a] = 1.0
    scale = _scale(y[seen])
    blocks = [
        Block(one[here] / scale, rows_of[here], parts[:, here][:, :, here])
        for one, rows_of, here in zip(y, x, seen, strict=True)
        if here.any()
    ]
    residual = _residuals(y / scale, x, seen)
    variances = np.nanmean(np.where(seen, residual, np.nan) ** 2, axis=0)
    overall = float(np.nanmean(variances))
    start = [max(float(variances[a]), overall / 100) if a == b else 0.0 for a, b in pairs]
    return _rescaled(fit_linear_covariance(blocks, start), scale, int(seen.sum()))


def random_slope_fit(
    values: npt.ArrayLike, participant: npt.ArrayLike, time: npt.ArrayLike, design: npt.ArrayLike
) -> GaussianFit:
    """A linear model of values over time, in which every participant has a level and a slope of her own.

    One value, participant and time per row, and a row of `design` (n x coefficients). The parameters are the variance
    of the levels, their covariance with the slopes, the variance of the slopes, all at the given time zero, and that of
    the residuals. See `fit_linear_covariance` for method, source and errors. Laird and Ware 1982, Biometrics 38:963.

    >>> day = np.tile([0.0, 1, 2, 3], 4)
    >>> chance = np.random.default_rng(3)
    >>> value = np.repeat([5.0, 8, 6, 9], 4) + np.repeat([1.0, 2, 1.5, 0.2], 4) * day + chance.normal(0, 0.3, 16)
    >>> fit = random_slope_fit(value, np.repeat([1, 2, 3, 4], 4), day, np.column_stack([np.ones(16), day]))
    >>> round(contrast(fit, [0, 1]).freedom, 3)
    3.0
    """
    y, t = finite_vector(values, "The value"), finite_vector(time, "The time")
    who, x = np.asarray(participant), np.asarray(design, dtype=np.float64)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise ValueError(f"The design has the shape {x.shape}, but a row per value without gaps is needed.")
    require_names(who, "The participant")
    if not y.size == t.size == who.size == x.shape[0]:
        raise ValueError("Values, times, participants and the rows of the design do not match.")
    if y.size == 0 or np.ptp(t) == 0:
        raise ValueError("The time is the same for every value, so nobody has a slope.")
    scale, pace = _scale(y), float(t.std())
    blocks = []
    for one in np.unique(who):
        inside = who == one
        effect = np.column_stack([np.ones(int(inside.sum())), t[inside] / pace])
        level, slope = effect.T
        both = np.outer(level, slope)
        parts = np.stack([np.outer(level, level), both + both.T, np.outer(slope, slope), np.eye(level.size)])
        blocks.append(Block(y[inside] / scale, x[inside], parts))
    if len(blocks) < 3:
        raise ValueError(f"{len(blocks)} participants are too few to see how levels and slopes vary.")
    residual = y / scale - x @ np.linalg.lstsq(x, y / scale, rcond=None)[0]
    share = max(float(np.square(residual).mean()), 1e-12) / 3
    fit = fit_linear_covariance(blocks, [share, 0.0, share, share])
    a, b, c, rest = fit.parameters
    if a < -1e-9 or c < -1e-9 or a * c < b * b - 1e-9 or rest <= 0:
        raise ValueError(
            "The levels and slopes vary less than the residuals explain, so their covariance is not one. Use a model "
            "without slopes of participants."
        )
    back = np.array([1, 1 / pace, 1 / pace**2, 1])
    return _rescaled(fit, scale, y.size, back)


def _scale(y: Floats) -> float:
    spread = float(y.std())
    return spread if spread > 0 else 1.0


def _residuals(y: Floats, x: Floats, seen: npt.NDArray[np.bool_]) -> Floats:
    coefficients = np.linalg.lstsq(x[seen], y[seen], rcond=None)[0]
    return np.asarray(y - x @ coefficients, dtype=np.float64)


def _rescaled(fit: GaussianFit, scale: float, size: int, back: npt.ArrayLike = 1.0) -> GaussianFit:
    """The fit of values in their own unit; the derivatives and the uncertainty of the parameters go with each other."""
    units = np.broadcast_to(np.asarray(back, dtype=np.float64) * scale**2, fit.parameters.shape)
    return GaussianFit(
        fit.coefficients * scale,
        fit.covariance * scale**2,
        fit.adjusted * scale**2,
        fit.parameters * units,
        fit.derivatives / scale**2 / units[:, None, None],
        fit.uncertainty * np.outer(units, units),
        fit.log_likelihood - (size - fit.coefficients.size) * math.log(scale),
    )
