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
    groups = _groups(blocks)
    step = _step(groups, at)
    if step is None:
        raise AssertionError("the start is positive definite")
    for _ in range(MOST_STEPS):
        information = step.information
        try:
            change = np.linalg.solve(information, step.score)
        except np.linalg.LinAlgError:
            break
        rise = float(step.score @ change)
        if rise < 1e-12 and _sound(groups, at, step):
            return _finished(step, at)
        better = None
        for halved in range(40):
            better = _step(groups, at + change / 2**halved)
            if better is not None and better.log_likelihood >= step.log_likelihood - 1e-10:
                break
            better = None
        if better is None:
            break
        at, step = at + change / 2**halved, better
    if float(np.abs(step.score @ np.linalg.pinv(step.information) @ step.score)) < 1e-8 and _sound(groups, at, step):
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


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Participants with equally many values, stacked: b x m, b x m x p, b x q x m x m."""

    outcome: Floats
    design: Floats
    parts: Floats


def _groups(blocks: Sequence[Block]) -> list[_Group]:
    sizes = sorted({block.outcome.size for block in blocks})
    alike = [[block for block in blocks if block.outcome.size == size] for size in sizes]
    return [
        _Group(
            np.stack([one.outcome for one in some]),
            np.stack([one.design for one in some]),
            np.stack([one.parts for one in some]),
        )
        for some in alike
    ]


def _step(groups: Sequence[_Group], parameters: Floats) -> _Step | None:
    """Everything at these parameters, or None where a covariance is not positive definite."""
    q, p = parameters.size, groups[0].design.shape[2]
    cross, product, log_determinant, total = np.zeros((p, p)), np.zeros(p), 0.0, 0
    inverses = []
    for group in groups:
        v = np.einsum("k,bkij->bij", parameters, group.parts)
        try:
            factors = np.linalg.cholesky(v)
        except np.linalg.LinAlgError:
            return None
        log_determinant += 2 * float(np.log(np.einsum("bii->bi", factors)).sum())
        inverse = np.linalg.inv(v)
        inverses.append(inverse)
        right = inverse @ group.design
        cross += np.einsum("bic,bid->cd", group.design, right)
        product += np.einsum("bic,bi->c", right, group.outcome)
        total += group.outcome.size
    covariance: Floats = np.asarray(np.linalg.inv(cross), dtype=np.float64)
    coefficients = covariance @ product
    trace, quadratic, both = np.zeros(q), np.zeros(q), np.zeros((q, q))
    first, second = np.zeros((q, p, p)), np.zeros((q * p, q * p))
    squares = 0.0
    for group, inverse in zip(groups, inverses, strict=True):
        left = group.outcome - group.design @ coefficients
        residual = np.einsum("bij,bj->bi", inverse, left)
        squares += float((left * residual).sum())
        moved = inverse[:, None] @ group.parts
        trace += np.einsum("bkii->k", moved)
        flat = moved.transpose(1, 0, 2, 3).reshape(q, -1)
        both += flat @ moved.transpose(1, 0, 3, 2).reshape(q, -1).T
        quadratic += np.einsum("bi,bki->k", residual, np.einsum("bkij,bj->bki", group.parts, residual))
        right = inverse @ group.design
        weighed = group.parts @ right[:, None]  # b x q x m x p
        first -= np.einsum("bic,bkid->kcd", right, weighed)
        again = (inverse[:, None] @ weighed).transpose(1, 3, 0, 2).reshape(q * p, -1)
        second += weighed.transpose(1, 3, 0, 2).reshape(q * p, -1) @ again.T
    squared = second.reshape(q, p, q, p).transpose(0, 2, 1, 3)
    spread = covariance @ first
    score = -(trace + np.einsum("kaa->k", spread) - quadratic) / 2
    information = (
        both - 2 * np.einsum("ab,klba->kl", covariance, squared) + np.einsum("kab,lba->kl", spread, spread)
    ) / 2
    determinant = float(np.linalg.slogdet(cross)[1])
    log_likelihood = -((total - p) * math.log(2 * math.pi) + log_determinant + determinant + squares) / 2
    return _Step(coefficients, covariance, score, information, first, squared, log_likelihood)


def _sound(groups: Sequence[_Group], parameters: Floats, step: _Step) -> bool:
    """A maximum inside: the information is positive definite, and so is every covariance, well away from the edge."""
    values = np.linalg.eigvalsh(step.information)
    if values[0] <= 1e-10 * values[-1]:
        return False
    for group in groups:
        spread = np.linalg.eigvalsh(np.einsum("k,bkij->bij", parameters, group.parts))
        if np.any(spread[:, 0] <= 1e-9 * spread[:, -1]):
            return False
    return True


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
    spent = float(shares @ fit.uncertainty @ shares)
    variance = float(combination @ fit.adjusted @ combination)
    if not (spent > 0 and variance > 0):
        raise ValueError("There are too few participants for the degrees of freedom of Kenward and Roger.")
    freedom, error = 2 / spent, math.sqrt(variance)
    estimate = float(combination @ fit.coefficients)
    reach = float(special.stdtrit(freedom, (1 + confidence) / 2)) * error
    p_value = 2 * float(special.stdtr(freedom, -abs(estimate) / error))
    return Contrast(estimate, error, freedom, estimate - reach, estimate + reach, p_value)
