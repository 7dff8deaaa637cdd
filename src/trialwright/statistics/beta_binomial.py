"""A proportion of units in clusters whose own rates vary, as beta distributions do."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from trialwright.statistics.arguments import Floats, finite_vector, require_confidence, rows
from trialwright.statistics.covariates import covariate_matrix, per_unit
from trialwright.statistics.logistic import NoMaximumError, logistic_fit

SMALLEST = 1e-6
"""A correlation below this is told as 0: the clusters vary no more than independent units do."""


@dataclass(frozen=True, slots=True)
class BetaBinomial:
    """The mean rate of a unit with its interval, and the correlation `rho` of two units of one cluster.

    `log_likelihood` is complete, binomial coefficients included.
    """

    mean: float
    lower: float
    upper: float
    rho: float
    log_likelihood: float
    clusters: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BetaBinomialRegression:
    """Coefficients on the logit of the mean rate, the intercept first, with standard errors; and `rho`."""

    names: tuple[str, ...]
    coefficients: tuple[float, ...]
    standard_errors: tuple[float, ...]
    rho: float
    log_likelihood: float
    clusters: int
    warnings: tuple[str, ...]


def beta_binomial(numerator: npt.ArrayLike, denominator: npt.ArrayLike, confidence: float = 0.95) -> BetaBinomial:
    """The beta-binomial mean is the rate of a typical cluster's unit, by maximum likelihood.

    y ~ Binomial(m, p), p ~ Beta(a, b) over clusters; mean = a/(a+b), rho = 1/(a+b+1). The interval is normal on the
    logit of the mean, from the observed information. Skellam 1948, J R Stat Soc B 10:257; Williams 1975, Biometrics
    31:949. Where clusters vary no more than independent units, rho is 0 and the likelihood binomial, with a warning.

    Whole counts, one per cluster, 0 <= numerator <= denominator; clusters without a denominator are left out. Raises
    ValueError for impossible counts, fewer than two clusters, or units that are all alike.

    >>> result = beta_binomial([1, 5, 0, 4, 0], [4, 5, 2, 4, 3])
    >>> round(result.mean, 3), round(result.rho, 3)
    (0.5, 0.758)
    """
    require_confidence(confidence)
    y, m = _counts(numerator, denominator)
    fit = _fit(y, m, np.ones((y.size, 1)))
    reach = float(special.ndtri((1 + confidence) / 2)) * math.sqrt(fit.covariance[0, 0])
    lower, mean, upper = (float(special.expit(fit.coefficients[0] + side * reach)) for side in (-1, 0, 1))
    return BetaBinomial(mean, lower, upper, fit.rho, fit.log_likelihood, y.size, fit.warnings)


def beta_binomial_regression(
    numerator: npt.ArrayLike, denominator: npt.ArrayLike, covariates: npt.ArrayLike, names: Sequence[str] = ()
) -> BetaBinomialRegression:
    """The beta-binomial regression compares rates between kinds of clusters, with one correlation for all.

    logit(mean) = intercept + covariates, rho as in `beta_binomial`, by maximum likelihood; standard errors from the
    observed information. Williams 1975, Biometrics 31:949.

    `covariates` has a row per cluster. A constant covariate is left out with a warning. Raises ValueError for what
    `beta_binomial` refuses, collinear covariates, or covariates that separate yes from no.

    >>> arm = [[0], [1], [0], [1], [0], [0]]
    >>> result = beta_binomial_regression([1, 5, 0, 3, 0, 3], [4, 5, 2, 4, 3, 4], arm, ["arm"])
    >>> result.names, round(result.coefficients[1], 2)
    (('intercept', 'arm'), 2.8)
    """
    y, m = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    x = np.asarray(covariates, dtype=np.float64)
    if x.ndim == 2 and y.shape == m.shape == (x.shape[0],):
        x = x[m > 0]
    y, m = _counts(numerator, denominator)
    checked = covariate_matrix(x, y.size, names)
    fit = _fit(y, m, np.column_stack([np.ones(y.size), checked.standardised]))
    back = per_unit(checked)
    errors = np.sqrt(np.diag(back @ fit.covariance @ back.T))
    return BetaBinomialRegression(
        ("intercept", *checked.names),
        tuple(float(one) for one in back @ fit.coefficients),
        tuple(float(one) for one in errors),
        fit.rho,
        fit.log_likelihood,
        y.size,
        (*checked.warnings, *fit.warnings),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    coefficients: Floats
    covariance: Floats
    rho: float
    log_likelihood: float
    warnings: tuple[str, ...]


def _counts(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> tuple[Floats, Floats]:
    y, m = finite_vector(numerator, "The numerator"), finite_vector(denominator, "The denominator")
    if y.size != m.size:
        raise ValueError(f"{y.size} numerators and {m.size} denominators do not describe the same clusters.")
    impossible = np.flatnonzero((y < 0) | (y > m) | (y != np.floor(y)) | (m != np.floor(m)))
    if impossible.size:
        raise ValueError(
            f"The counts in {rows(impossible)} are impossible: a numerator is a whole number from 0 to its denominator."
        )
    y, m = y[m > 0], m[m > 0]
    if y.size < 2:
        raise ValueError(f"{y.size} clusters with a denominator: variation between clusters needs two or more.")
    if y.sum() in (0, m.sum()):
        raise ValueError("All units are alike, so the likelihood has no maximum. Use the limits of a proportion.")
    return y, m


def _fit(y: Floats, m: Floats, design: Floats) -> _Fit:
    """Maximum likelihood over the coefficients and the logit of rho, which is kept from where only rounding is left."""
    if m.max() == 1:
        raise ValueError("Every cluster has one unit, so nothing tells how alike two of them are. Use a proportion.")
    _require_overlap(y, m, design)

    def negative(unknown: Floats) -> tuple[float, Floats]:
        value, slope = _log_likelihood(y, m, design, unknown)
        return -value, -slope

    edge = float(special.logit(1 - SMALLEST))
    bounds = [(None, None)] * design.shape[1] + [(-edge, edge)]
    start = np.append(np.zeros(design.shape[1]), -1.0)
    found = optimize.minimize(
        negative, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 2000, "ftol": 0, "gtol": 1e-8}
    )
    unknown = np.asarray(found.x, dtype=np.float64)
    warnings: tuple[str, ...] = ()
    rho, free = float(special.expit(unknown[-1])), unknown.size
    if abs(unknown[-1]) > edge - 0.01:
        rho, free = round(rho), unknown.size - 1
        warnings = (_EDGE[round(rho)],)
    information = -_second_derivatives(lambda point: _log_likelihood(y, m, design, point)[1], unknown, free)
    slope = np.abs(_log_likelihood(y, m, design, unknown)[1][:free]).max()
    if slope > 1e-3 or np.linalg.eigvalsh(information).min() <= 0:
        raise ValueError(
            "The likelihood is too flat to climb. Use fewer covariates, or covariates without far outliers."
        )
    constant = float((special.gammaln(m + 1) - special.gammaln(y + 1) - special.gammaln(m - y + 1)).sum())
    covariance: Floats = np.asarray(np.linalg.inv(information)[: design.shape[1], : design.shape[1]])
    return _Fit(unknown[:-1], covariance, rho, constant - float(found.fun), warnings)


_EDGE = {
    0: "The clusters vary no more than independent units do, so the correlation is 0 and units count as independent.",
    1: "Within each cluster all units are alike, so the correlation is 1 and a cluster counts as one unit.",
}


def _log_likelihood(y: Floats, m: Floats, design: Floats, unknown: Floats) -> tuple[float, Floats]:
    """The log likelihood without its constant, and its slope."""
    mean = special.expit(design @ unknown[:-1])
    size = float(np.exp(-unknown[-1]))  # (1 - rho)/rho = a + b
    a, b = mean * size, (1 - mean) * size
    value = float(
        (
            special.gammaln(a + y) - special.gammaln(a)
            + special.gammaln(b + m - y) - special.gammaln(b)
            - special.gammaln(size + m) + special.gammaln(size)
        ).sum()
    )  # fmt: skip
    by_a = special.digamma(a + y) - special.digamma(a)
    by_b = special.digamma(b + m - y) - special.digamma(b)
    by_size = special.digamma(size) - special.digamma(size + m)
    coefficients = design.T @ ((by_a - by_b) * size * mean * (1 - mean))
    return value, np.append(coefficients, -size * float((by_a * mean + by_b * (1 - mean) + by_size).sum()))


def _second_derivatives(slope: Callable[[Floats], Floats], at: Floats, free: int) -> Floats:
    steps = np.eye(at.size)[:free] * 1e-5
    second = np.array([(slope(at + step) - slope(at - step))[:free] / 2e-5 for step in steps])
    return np.asarray((second + second.T) / 2, dtype=np.float64)


def _require_overlap(y: Floats, m: Floats, design: Floats) -> None:
    """Without overlap of the covariates of yes and no a coefficient runs off, whatever the correlation."""
    event = np.concatenate([np.ones(int((y > 0).sum())), np.zeros(int((y < m).sum()))])
    stacked = np.concatenate([design[y > 0], design[y < m]])
    try:
        logistic_fit(event, np.linalg.qr(stacked)[0])
    except NoMaximumError:
        raise ValueError(
            "The covariates separate yes from no, so a coefficient has no estimate. Use fewer or coarser covariates."
        ) from None
