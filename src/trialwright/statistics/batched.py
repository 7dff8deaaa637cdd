"""The overlap-weighted difference of many trials of one size at once, the same numbers as one by one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import Floats, require_confidence
from trialwright.statistics.overlap import overlap_weighted_difference
from trialwright.statistics.weighting import POOR_OVERLAP_SHARE, interval_quantile

BLOCK = 256
"""Trials worked on together: few enough that they stay in the processor's cache."""

MOST_STEPS = 12
"""A trial that Newton's method has not climbed by then is given to `overlap_weighted_difference`."""

OWN = 1e-6
"""A covariate keeps at least this share of its variance beside those before it; else the trial is given there too."""

Trials = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class WeightedDifferences:
    """One number per trial, as in `WeightedDifference`.

    `refused` marks the trials that `overlap_weighted_difference` refuses; `reasons` says why, by the trial's
    position, and their numbers are NaN, so that a mean over them cannot pass unnoticed. `poor_overlap` marks those
    whose overlap is warned of.
    """

    estimate: Floats
    standard_error: Floats
    lower: Floats
    upper: Floats
    risk_treated: Floats
    risk_control: Floats
    effective_n_treated: Floats
    effective_n_control: Floats
    poor_overlap: npt.NDArray[np.bool_]
    refused: npt.NDArray[np.bool_]
    reasons: dict[int, str]


def overlap_weighted_differences(
    outcome: npt.ArrayLike, treated: npt.ArrayLike, covariates: npt.ArrayLike, confidence: float = 0.95
) -> WeightedDifferences:
    """Many trials are overlap-weighted at once, with the correction for small samples, each as if it were alone.

    `outcome` and `treated` (0 or 1) have a row per trial and a column per participant; `covariates` is trials x
    participants x covariates. Newton's method climbs the likelihoods of a block of trials together. A trial that it
    does not climb, or that has an empty arm, a constant or collinear covariate or an outcome without variation, goes
    to `overlap_weighted_difference` alone, which estimates it or says why it cannot be.

    Raises ValueError for shapes that do not match or a missing value. Formula and source: see there.

    >>> chance = np.random.default_rng(1)
    >>> x = chance.normal(size=(3, 60, 2))
    >>> z, y = (chance.random((3, 60)) < special.expit(x[:, :, 0])).astype(float), chance.random((3, 60))
    >>> many, one = overlap_weighted_differences(y, z, x), overlap_weighted_difference(y[2], z[2], x[2])
    >>> round(float(many.lower[2]), 9) == round(one.lower, 9)
    True
    """
    require_confidence(confidence)
    y, z, x = _checked(outcome, treated, covariates)
    trials, n, p = x.shape
    columns = {name: np.full(trials, np.nan) for name in _NUMBERS}
    poor = np.zeros(trials, dtype=np.bool_)
    alone: list[int] = []
    freedom = n - p - 1
    quantile = interval_quantile(confidence, max(freedom, 1))
    if freedom < 1:
        alone.extend(range(trials))
    for block in _blocks(trials) if freedom >= 1 else ():
        done, numbers, outside = _block(y[block], z[block], x[block], quantile)
        for name, values in zip(_NUMBERS, numbers, strict=True):
            columns[name][block[done]] = values
        poor[block[done]] = outside > POOR_OVERLAP_SHARE * n
        alone.extend(int(trial) for trial in np.delete(block, done))
    reasons = {}
    for trial in alone:
        try:
            found = overlap_weighted_difference(y[trial], z[trial], x[trial], confidence)
        except ValueError as refusal:
            reasons[trial] = str(refusal)
            continue
        for name in _NUMBERS:
            columns[name][trial] = getattr(found, name)
        e = found.propensity
        poor[trial] = np.count_nonzero((e < 0.1) | (e > 0.9)) > POOR_OVERLAP_SHARE * n
    refused = np.zeros(trials, dtype=np.bool_)
    refused[list(reasons)] = True
    return WeightedDifferences(**columns, poor_overlap=poor, refused=refused, reasons=reasons)


_NUMBERS = (
    "estimate", "standard_error", "lower", "upper", "risk_treated", "risk_control",
    "effective_n_treated", "effective_n_control",
)  # fmt: skip


def _checked(
    outcome: npt.ArrayLike, treated: npt.ArrayLike, covariates: npt.ArrayLike
) -> tuple[Floats, Floats, Floats]:
    y, z, x = (np.asarray(values, dtype=np.float64) for values in (outcome, treated, covariates))
    if y.ndim != 2 or z.shape != y.shape or x.ndim != 3 or x.shape[:2] != y.shape:
        raise ValueError(
            f"Outcomes {y.shape}, arms {z.shape} and covariates {x.shape} do not describe the same participants of the "
            "same trials."
        )
    for values, name in ((y, "An outcome"), (z, "An arm"), (x, "A covariate")):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} is missing or infinite; decide what stands for it first.")
    if not np.all((z == 0) | (z == 1)):
        raise ValueError("An arm is neither 1 (treated) nor 0 (control).")
    return y, z, x


def _blocks(trials: int) -> Iterator[Trials]:
    for start in range(0, trials, BLOCK):
        yield np.arange(start, min(start + BLOCK, trials))


def _block(y: Floats, z: Floats, x: Floats, quantile: float) -> tuple[Trials, tuple[Floats, ...], Floats]:
    """The positions that could be done together, their numbers in order, and how many propensities lie outside."""
    n, p = x.shape[1:]
    kept, design = _standardised(np.flatnonzero(_comparable(y, z)), x)
    e, arrived = _propensities(z[kept], design)
    kept, design, e = kept[arrived], design[arrived], e[arrived]
    y, z = y[kept], z[kept]
    treated_weights, control_weights = z * (1 - e), (1 - z) * e
    total1, total0 = treated_weights.sum(axis=1), control_weights.sum(axis=1)
    risk1, risk0 = (treated_weights * y).sum(axis=1) / total1, (control_weights * y).sum(axis=1) / total0
    residual1 = treated_weights * (y - risk1[:, None]) / total1[:, None]
    residual0 = control_weights * (y - risk0[:, None]) / total0[:, None]
    pull = _product(design, -e * residual1 - (1 - e) * residual0)
    through_propensity = (z - e) * _predictor(design, _solved(_information(design, e), pull))
    influence = residual1 - residual0 + through_propensity
    error = np.sqrt(np.einsum("ti,ti->t", influence, influence) * (n / (n - p - 1)))
    estimate, reach = risk1 - risk0, quantile * error
    effective1 = total1**2 / np.einsum("ti,ti->t", treated_weights, treated_weights)
    effective0 = total0**2 / np.einsum("ti,ti->t", control_weights, control_weights)
    outside = np.count_nonzero((e < 0.1) | (e > 0.9), axis=1)
    numbers = (estimate, error, estimate - reach, estimate + reach, risk1, risk0, effective1, effective0)
    return kept, numbers, outside


def _comparable(y: Floats, z: Floats) -> npt.NDArray[np.bool_]:
    """Both arms hold somebody, and in one of them the outcome varies."""
    size = z.sum(axis=1)
    trials = np.arange(z.shape[0])
    first = np.where(z == 1, y[trials, z.argmax(axis=1)][:, None], y[trials, z.argmin(axis=1)][:, None])
    comparable: npt.NDArray[np.bool_] = (size > 0) & (size < z.shape[1]) & (y != first).any(axis=1)
    return comparable


def _standardised(trials: Trials, x: Floats) -> tuple[Trials, Floats]:
    """Of those trials the ones where each covariate has something of its own, with intercept and standardised
    covariates: trials x coefficients x participants, so that the long axis is the last."""
    n, p = x.shape[1:]
    design = np.empty((trials.size, p + 1, n))
    design[:, 0] = 1.0
    standardised = design[:, 1:]
    standardised[:] = x[trials].transpose(0, 2, 1)
    mean = standardised.mean(axis=2)
    standardised -= mean[:, :, None]
    deviation = np.sqrt(np.einsum("tpi,tpi->tp", standardised, standardised) / n)
    varies = (deviation > 1e-9 * np.abs(mean)).all(axis=1)
    standardised /= np.where(deviation > 0, deviation, 1.0)[:, :, None]
    correlations = np.matmul(standardised, standardised.transpose(0, 2, 1)) / n
    own = np.einsum("tpp->tp", np.linalg.cholesky(correlations + OWN / 10 * np.eye(p))) ** 2
    sound = varies & (own > OWN).all(axis=1)
    return (trials, design) if sound.all() else (trials[sound], design[sound])


def _propensities(z: Floats, design: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The propensities, and which trials arrived at the maximum of their likelihood."""
    e = np.full(z.shape, 0.5)
    arrived = np.zeros(z.shape[0], dtype=np.bool_)
    climbing = np.arange(z.shape[0])
    predictor = np.zeros(z.shape)
    for _ in range(MOST_STEPS):
        if climbing.size == 0:
            break
        chance = special.expit(predictor)
        step = _predictor(design, _solved(_information(design, chance), _product(design, z - chance)))
        predictor += step
        near = np.abs(step).max(axis=1) < 1e-6  # the error that is left is about the square of the last step
        if near.sum() * 2 >= near.size:
            e[climbing[near]] = special.expit(predictor[near])
            arrived[climbing[near]] = True
            climbing, predictor, z, design = climbing[~near], predictor[~near], z[~near], design[~near]
    return e, arrived


def _predictor(design: Floats, coefficients: Floats) -> Floats:
    predictor: Floats = np.matmul(coefficients[:, None, :], design)[:, 0, :]
    return predictor


def _product(design: Floats, values: Floats) -> Floats:
    product: Floats = np.matmul(design, values[:, :, None])[:, :, 0]
    return product


def _information(design: Floats, e: Floats) -> Floats:
    information: Floats = np.matmul(design * (e * (1 - e))[:, None, :], design.transpose(0, 2, 1))
    return information


def _solved(matrices: Floats, vectors: Floats) -> Floats:
    """The solutions, NaN for a singular matrix."""
    try:
        return np.asarray(np.linalg.solve(matrices, vectors[:, :, None])[:, :, 0], dtype=np.float64)
    except np.linalg.LinAlgError:
        solved = np.full(vectors.shape, np.nan)
        for position, (matrix, vector) in enumerate(zip(matrices, vectors, strict=True)):
            if np.linalg.matrix_rank(matrix) == vector.size:
                solved[position] = np.linalg.solve(matrix, vector)
        return solved
