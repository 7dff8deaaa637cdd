"""Normal models whose covariance is linear in its parameters, by restricted likelihood with Kenward and Roger."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import Floats, require_confidence

MOST_STEPS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One participant: m outcomes, their design (m x p), and the q matrices (q x m x m) that her covariance sums."""

    outcome: Floats
    design: Floats
    parts: Floats


@dataclass(frozen=True, slots=True, eq=False)
class GaussianFit:
    """Coefficients with their covariance, as fitted and adjusted by Kenward and Roger, and the covariance parameters.

    `derivatives[k]` is that of the inverse covariance by parameter k, `uncertainty` the covariance of the parameters.
    `log_likelihood` is the restricted one.
    """

    coefficients: Floats
    covariance: Floats
    adjusted: Floats
    parameters: Floats
    derivatives: Floats
    uncertainty: Floats
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """A combination of coefficients with its adjusted standard error, degrees of freedom, limits and two-sided p."""

    estimate: float
    standard_error: float
    freedom: float
    lower: float
    upper: float
    p_value: float


def fit_linear_covariance(blocks: Sequence[Block], start: npt.ArrayLike) -> GaussianFit:
    """Restricted maximum likelihood of y_i ~ N(X_i b, sum_k t_k G_ik), with the adjusted covariance of b.

    Fisher scoring on t, halved while the likelihood falls or a covariance is not positive definite (Patterson and
    Thompson 1971, Biometrika 58:545). With S = (X'V^-1 X)^-1, P_k = -X'V^-1 G_k V^-1 X, Q_kl = X'V^-1 G_k V^-1 G_l
    V^-1 X and W the inverse expected information of t, the adjusted covariance is S + 2 S (sum W_kl (Q_kl - P_k S P_l))
    S; second derivatives vanish, as V is linear in t. Kenward and Roger 1997, Biometrics 53:983.

    Raises ValueError where the columns of the design determine one another, nothing is left to estimate a variance
    from, or the likelihood has no maximum inside.

    >>> one = [Block(np.array([y]), np.ones((1, 1)), np.ones((1, 1, 1))) for y in (1.0, 2.0, 6.0)]
    >>> fit = fit_linear_covariance(one, [1.0])
    >>> round(float(fit.coefficients[0]), 6), round(float(fit.parameters[0]), 6)
    (3.0, 7.0)
    """
    design = np.concatenate([block.design for block in blocks])
    outcome = np.concatenate([block.outcome for block in blocks])
    n, p = design.shape
    if np.linalg.matrix_rank(design) < p:
        raise ValueError("The columns of the design determine one another, so their effects cannot be told apart.")
    if n - p < len(blocks[0].parts):
        raise ValueError(
            f"{n} values leave too little beside {p} coefficients to estimate {len(blocks[0].parts)} variances and "
            "covariances."
        )
    residual = outcome - design @ np.linalg.lstsq(design, outcome, rcond=None)[0]
    if float(np.square(residual).mean()) <= 1e-20 * max(float(np.square(outcome).mean()), 1e-300):
        raise ValueError("The design explains every value exactly, so nothing is left to estimate a variance from.")
    at = np.asarray(start, dtype=np.float64)
    step = _step(blocks, at)
    if step is None:
        raise AssertionError("the start is positive definite")
    for _ in range(MOST_STEPS):
        information = step.information
        try:
            change = np.linalg.solve(information, step.score)
        except np.linalg.LinAlgError:
            break
        rise = float(step.score @ change)
        if rise < 1e-14:
            return _finished(step, at)
        better = None
        for halved in range(40):
            better = _step(blocks, at + change / 2**halved)
            if better is not None and better.log_likelihood >= step.log_likelihood - 1e-10:
                break
            better = None
        if better is None:
            break
        at, step = at + change / 2**halved, better
    if float(np.abs(step.score @ np.linalg.pinv(step.information) @ step.score)) < 1e-8:
        return _finished(step, at)
    raise ValueError(
        "The restricted likelihood has no maximum with a positive definite covariance: there are too few participants "
        "for so many variances and covariances. Use fewer visits, or a simpler covariance."
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    coefficients: Floats
    covariance: Floats
    score: Floats
    information: Floats
    first: Floats
    second: Floats
    log_likelihood: float


def _step(blocks: Sequence[Block], parameters: Floats) -> _Step | None:
    """Everything at these parameters, or None where a covariance is not positive definite."""
    q, p = parameters.size, blocks[0].design.shape[1]
    cross, product, log_determinant, total = np.zeros((p, p)), np.zeros(p), 0.0, 0
    inverses = []
    for block in blocks:
        v = np.einsum("k,kab->ab", parameters, block.parts)
        try:
            factor = np.linalg.cholesky(v)
        except np.linalg.LinAlgError:
            return None
        log_determinant += 2 * float(np.log(np.diag(factor)).sum())
        inverse = np.linalg.inv(v)
        inverses.append(inverse)
        cross += block.design.T @ inverse @ block.design
        product += block.design.T @ inverse @ block.outcome
        total += block.outcome.size
    covariance: Floats = np.asarray(np.linalg.inv(cross), dtype=np.float64)
    coefficients = covariance @ product
    trace, quadratic, both = np.zeros(q), np.zeros(q), np.zeros((q, q))
    first, second = np.zeros((q, p, p)), np.zeros((q, q, p, p))
    squares = 0.0
    for block, inverse in zip(blocks, inverses, strict=True):
        moved = inverse @ block.parts  # q x m x m
        right = inverse @ block.design
        residual = inverse @ (block.outcome - block.design @ coefficients)
        squares += float((block.outcome - block.design @ coefficients) @ residual)
        trace += np.einsum("kaa->k", moved)
        both += np.einsum("kab,lba->kl", moved, moved)
        quadratic += np.einsum("a,kab,b->k", residual, block.parts, residual)
        weighed = block.parts @ right  # q x m x p
        first -= np.einsum("ac,kad->kcd", right, weighed)
        second += np.einsum("kac,ab,lbd->klcd", weighed, inverse, weighed, optimize=True)
    spread = covariance @ first  # q x p x p
    score = -(trace + np.einsum("kaa->k", spread) - quadratic) / 2
    information = (
        both - 2 * np.einsum("ab,klba->kl", covariance, second) + np.einsum("kab,lba->kl", spread, spread)
    ) / 2
    determinant = float(np.linalg.slogdet(cross)[1])
    log_likelihood = -((total - p) * math.log(2 * math.pi) + log_determinant + determinant + squares) / 2
    return _Step(coefficients, covariance, score, information, first, second, log_likelihood)


def _finished(step: _Step, parameters: Floats) -> GaussianFit:
    uncertainty: Floats = np.asarray(np.linalg.inv(step.information), dtype=np.float64)
    between = np.einsum("kab,bc,lcd->klad", step.first, step.covariance, step.first)
    inside = np.einsum("kl,klab->ab", uncertainty, step.second - between)
    adjusted = step.covariance + 2 * step.covariance @ inside @ step.covariance
    return GaussianFit(
        step.coefficients, step.covariance, adjusted, parameters, step.first, uncertainty, step.log_likelihood
    )


def contrast(fit: GaussianFit, weights: npt.ArrayLike, confidence: float = 0.95) -> Contrast:
    """A combination of coefficients by Student's t with the degrees of freedom of Kenward and Roger.

    For one combination L: standard error from the adjusted covariance, degrees of freedom 2/A, A = sum W_kl a_k a_l,
    a_k = L'S P_k S L / L'S L, and a scale of 1. Kenward and Roger 1997, Biometrics 53:983.

    Raises ValueError for weights that are not one for each coefficient or all zero, or a confidence outside 0 to 1.

    >>> one = [Block(np.array([y]), np.ones((1, 1)), np.ones((1, 1, 1))) for y in (1.0, 2.0, 6.0)]
    >>> result = contrast(fit_linear_covariance(one, [1.0]), [1.0])
    >>> round(result.freedom, 6), round(result.lower, 3), round(result.upper, 3)
    (2.0, -3.572, 9.572)
    """
    require_confidence(confidence)
    combination = np.asarray(weights, dtype=np.float64)
    if combination.shape != fit.coefficients.shape or not np.any(combination) or not np.isfinite(combination).all():
        raise ValueError(f"A contrast weighs each of the {fit.coefficients.size} coefficients, not all by zero.")
    spread = fit.covariance @ combination
    shares = np.einsum("a,kab,b->k", spread, fit.derivatives, spread) / float(combination @ spread)
    freedom = 2 / float(shares @ fit.uncertainty @ shares)
    error = math.sqrt(float(combination @ fit.adjusted @ combination))
    estimate = float(combination @ fit.coefficients)
    reach = float(special.stdtrit(freedom, (1 + confidence) / 2)) * error
    p_value = 2 * float(special.stdtr(freedom, -abs(estimate) / error))
    return Contrast(estimate, error, freedom, estimate - reach, estimate + reach, p_value)
