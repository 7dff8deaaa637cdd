"""Missing outcomes put in several times, and the results joined."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import ROUNDING, Floats, finite_vector, require_confidence, rows, whole_number
from trialwright.statistics.covariates import covariate_matrix


@dataclass(frozen=True, slots=True)
class Pooled:
    """The pooled estimate, its total variance and standard error, degrees of freedom and limits.

    `between` is the variance between imputations; `missing_information` the share of information that is missing.
    """

    estimate: float
    variance: float
    standard_error: float
    freedom: float
    lower: float
    upper: float
    between: float
    missing_information: float


def pool(
    estimates: npt.ArrayLike, variances: npt.ArrayLike, complete_freedom: float = math.inf, confidence: float = 0.95
) -> Pooled:
    """Rubin's rules join the estimates of several imputations, with the degrees of freedom of Barnard and Rubin.

    T = U + (1 + 1/m) B: U the mean of the variances, B the variance of the m estimates. With l = (1 + 1/m) B / T, v the
    degrees of freedom of complete data, old = (m-1)/l^2 and observed = (v+1)/(v+3) v (1-l): freedom = old observed /
    (old + observed), and old where v is infinite. Rubin 1987, Multiple Imputation, chapter 3; Barnard and Rubin 1999,
    Biometrika 86:948.

    Raises ValueError for fewer than two imputations, numbers that do not match, a variance that is not above 0 or is
    lost beside what lies between the estimates, or complete degrees of freedom that are not above 0.

    >>> found = pool([0.12, 0.15, 0.09, 0.14, 0.11], [0.004, 0.0045, 0.0038, 0.0041, 0.0043], complete_freedom=58)
    >>> round(found.estimate, 3), round(found.variance, 6), round(found.freedom, 3)
    (0.122, 0.004824, 38.764)
    """
    require_confidence(confidence)
    q, u = finite_vector(estimates, "The estimate"), finite_vector(variances, "The variance")
    if q.size != u.size:
        raise ValueError(f"{q.size} estimates and {u.size} variances do not describe the same imputations.")
    if q.size < 2:
        raise ValueError(f"{q.size} imputations cannot show how much they differ: two or more are needed.")
    if np.any(u <= 0):
        raise ValueError(f"The variance is not above 0 in {rows(np.flatnonzero(u <= 0))}.")
    if not complete_freedom > 0:
        raise ValueError(f"The degrees of freedom of complete data are {complete_freedom}, but they are above 0.")
    m, between = q.size, float(q.var(ddof=1))
    total = float(u.mean()) + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total
    if share > 1 - ROUNDING:
        raise ValueError(
            "The variances are nothing beside what lies between the estimates, so the imputations say nothing. Are "
            "they squared standard errors of the same unit?"
        )
    freedom = _freedom(m, share, complete_freedom)
    ratio = share / (1 - share)
    missing = (ratio + 2 / (freedom + 3)) / (ratio + 1) if math.isfinite(freedom) else share
    error, estimate = math.sqrt(total), float(q.mean())
    level = (1 + confidence) / 2
    reach = float(special.stdtrit(freedom, level) if math.isfinite(freedom) else special.ndtri(level)) * error
    return Pooled(estimate, total, error, freedom, estimate - reach, estimate + reach, between, missing)


def _freedom(m: int, share: float, complete: float) -> float:
    observed = complete if math.isinf(complete) else (complete + 1) / (complete + 3) * complete * (1 - share)
    if share < 1e-12:
        return observed  # the imputations agree: as many as complete data have
    old = (m - 1) / share**2
    return old if math.isinf(observed) else old * observed / (old + observed)


def impute_binary(
    outcome: npt.ArrayLike, predictors: npt.ArrayLike, imputations: int, chance: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Missing outcomes of 0 and 1 are drawn from what the known ones say of participants with the same predictors.

    A logistic regression with Jeffreys' prior (Firth's penalty), which has an estimate where groups are separated;
    its coefficients are drawn from the normal approximation of their posterior, then each missing outcome at its rate
    (Rubin 1987, Multiple Imputation, example 5.1). The predictors hold the arm and whatever the analysis uses. Outcomes
    are taken as missing at random given them.

    `outcome` is 0, 1 or NaN for n participants, `predictors` has n rows; one row per imputation comes back, nothing
    missing in it. `chance` throws the dice. Raises ValueError for another outcome, known outcomes that are all the
    same, missing or collinear predictors, or fewer than one imputation.

    >>> arm = [[0], [0], [0], [0], [1], [1], [1], [1]]
    >>> made = impute_binary([0, 1, 0, np.nan, 1, 1, 0, np.nan], arm, 3, np.random.default_rng(1))
    >>> made.shape, made[:, 4].tolist()
    ((3, 8), [1.0, 1.0, 1.0])
    """
    count = whole_number(imputations, "The number of imputations")
    y = np.asarray(outcome, dtype=np.float64)
    if y.ndim != 1 or not np.all((y == 0) | (y == 1) | np.isnan(y)):
        raise ValueError("The outcome is 0, 1 or missing (NaN) for each participant.")
    missing = np.isnan(y)
    known = y[~missing]
    if known.size == 0 or np.ptp(known) == 0:
        raise ValueError(
            "The known outcomes are all the same, or there is none: nothing tells how the missing ones vary. Show the "
            "tipping point."
        )
    x = covariate_matrix(predictors, y.size).standardised
    design = np.column_stack([np.ones(y.size), x])
    inside = design[~missing]
    if np.linalg.matrix_rank(inside) < design.shape[1]:
        raise ValueError(
            "Among participants with a known outcome the predictors determine one another, so they cannot say what "
            "the missing ones are. Use fewer predictors."
        )
    coefficients, covariance = _penalised(known, inside)
    draws = chance.multivariate_normal(coefficients, covariance, size=count, method="cholesky")
    rates = special.expit(draws @ design[missing].T)
    made = np.tile(y, (count, 1))
    made[:, missing] = chance.random(rates.shape) < rates
    return made


def _penalised(y: Floats, design: Floats) -> tuple[Floats, Floats]:
    """The mode of the posterior under Jeffreys' prior, and the inverse information there (Firth 1993)."""

    def posterior(at: Floats) -> tuple[float, Floats, Floats]:
        predictor = design @ at
        rate = special.expit(predictor)
        information = design.T @ (design * (rate * (1 - rate))[:, None])
        inverse = np.linalg.inv(information)
        leverage = rate * (1 - rate) * np.einsum("ia,ab,ib->i", design, inverse, design)
        value = float((y * predictor - np.logaddexp(0, predictor)).sum()) + float(np.linalg.slogdet(information)[1]) / 2
        return value, design.T @ (y - rate + leverage * (0.5 - rate)), inverse

    at = np.zeros(design.shape[1])
    value, score, inverse = posterior(at)
    for _ in range(500):
        step = inverse @ score
        if float(np.abs(design @ step).max()) < 1e-8:
            return at, inverse
        for halved in range(30):
            nearer = at + step / 2**halved
            found = posterior(nearer)
            if found[0] >= value + 0.1 * float(score @ step) / 2**halved - 1e-12:
                break
        at, (value, score, inverse) = nearer, found
    raise ValueError("The model of the missing outcomes could not be fitted. Use fewer predictors.")


def impute_and_pool(
    imputed: npt.NDArray[np.float64],
    analyse: Callable[[Floats], tuple[float, float]],
    complete_freedom: float = math.inf,
    confidence: float = 0.95,
) -> Pooled:
    """Each imputation is analysed as if complete, and the results are pooled.

    `analyse` gives the estimate and its variance for one row of `imputed`; see `pool` for the rest. A ValueError of
    `analyse` is passed on: an imputation is never left out.

    >>> made = np.array([[0.0, 1, 1, 1], [0, 1, 1, 0], [0, 1, 0, 1]])
    >>> round(impute_and_pool(made, lambda y: (float(y.mean()), float(y.var() / 4))).estimate, 3)
    0.583
    """
    found = [analyse(one) for one in imputed]
    return pool([one for one, _ in found], [variance for _, variance in found], complete_freedom, confidence)
