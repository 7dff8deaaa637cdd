"""Paired differences of a quantity, such as after less before."""

from dataclasses import dataclass
from math import floor, sqrt

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import Floats, finite_vector, require_confidence

MOST_EXACT = 500
"""Pairs up to which the distribution of the statistic is enumerated; the work grows with their third power."""


@dataclass(frozen=True, slots=True)
class Paired:
    """The typical difference (pseudomedian) with its interval and a two-sided p.

    `n` counts all pairs, `zeros` those without a difference. lower and upper are None where so few pairs
    cannot reach the confidence level, and then `warnings` says so. `exact` is whether the distribution of the
    statistic was enumerated; beyond `MOST_EXACT` pairs it is taken as normal.
    """

    estimate: float
    lower: float | None
    upper: float | None
    p_value: float
    n: int
    zeros: int
    warnings: tuple[str, ...]
    exact: bool = True


def hodges_lehmann_signed_rank(differences: npt.ArrayLike, confidence: float = 0.95) -> Paired:
    """The Hodges-Lehmann estimate and the signed-rank test tell a shift without a normal distribution.

    Estimate: median of the n(n+1)/2 averages of two differences (each with itself too). Limits: the c-th
    average from either end, c the number of values w with P(W <= w) <= alpha/2, W the signed-rank statistic
    of n untied differences; with ties the interval covers at least as often. p: twice the smaller tail of the
    exact distribution of the sum of positive midranks, at most 1.
    Hodges and Lehmann 1963, Ann Math Stat 34:598; Hollander and Wolfe 1999, sections 3.1 to 3.3.

    Zero differences carry no sign and leave the test (Wilcoxon 1945, as in R's wilcox.test), but stay in the
    estimate and its interval, which would otherwise be drawn away from zero. Differences that agree to ten
    digits of the largest are ties, so that 0.3 - 0.2 ties with 0.2 - 0.1.

    Beyond `MOST_EXACT` pairs W is taken as normal with its own mean and variance, ties among them, and continuity
    corrected: at 0.95 c is then within three of the exact number, of more than 100,000 averages; at 0.99 and more the
    limits are a little wider than the exact ones.

    Raises ValueError when there is no pair, a difference is missing, or the confidence is outside 0 to 1.

    >>> result = hodges_lehmann_signed_rank([0.952, -0.147, 1.022, 0.43, 0.62, 0.59, 0.49, -0.08, 0.01])
    >>> round(result.estimate, 3), result.lower, result.upper, round(result.p_value, 4)
    (0.46, 0.01, 0.786, 0.0391)
    """
    require_confidence(confidence)
    given = finite_vector(differences, "The difference")
    if given.size == 0:
        raise ValueError("There is no pair, so there is no difference to estimate.")
    d = _rounded_to_ten_digits(given)
    n, zeros = d.size, int((d == 0).sum())
    halves = d / 2
    averages = np.sort(np.concatenate([halves[place:] + half for place, half in enumerate(halves)]))
    lower, upper, warnings = _limits(averages, n, confidence)
    if zeros == n:
        warnings = (*warnings, "No pair differs, so the signed-rank test has nothing to rank and p is 1.")
    estimate = float(np.median(averages))
    return Paired(estimate, lower, upper, _p_value(d[d != 0]), n, zeros, warnings, n <= MOST_EXACT)


def limit_depth(n: int, confidence: float) -> int:
    """Which average from either end is the limit, for n pairs; 0 where none reaches the confidence.

    >>> limit_depth(9, 0.95), limit_depth(5, 0.95)
    (6, 0)
    """
    tail = (1 - confidence) / 2
    if n > MOST_EXACT:
        mean, deviation = _moments(np.arange(1.0, n + 1))
        return floor(mean - 0.5 + deviation * float(special.ndtri(tail))) + 1
    cumulative = np.cumsum(signed_rank_distribution(2 * np.arange(1, n + 1))[::2])
    return int((cumulative <= tail + 1e-12).sum())


def _rounded_to_ten_digits(d: Floats) -> Floats:
    largest = float(np.abs(d).max())
    if largest == 0:
        return np.zeros_like(d)
    digits = 9 - int(np.floor(np.log10(largest)))
    return np.array([round(float(value), digits) for value in d], dtype=np.float64)


def _limits(averages: Floats, n: int, confidence: float) -> tuple[float | None, float | None, tuple[str, ...]]:
    depth = limit_depth(n, confidence)
    if depth == 0:
        return (
            None,
            None,
            (
                f"{n} {'pair' if n == 1 else 'pairs'} cannot give an exact interval at {confidence:.4g}: the "
                f"widest reaches {1 - 2.0 ** (1 - n):.4g}. No interval is given.",
            ),
        )
    return float(averages[depth - 1]), float(averages[-depth]), ()


def _p_value(d: Floats) -> float:
    if d.size == 0:
        return 1.0
    doubled = _doubled_midranks(np.abs(d))
    statistic = int(doubled[d > 0].sum())
    if d.size > MOST_EXACT:
        mean, deviation = _moments(doubled / 2)
        return min(1.0, 2 * float(special.ndtr((0.5 - abs(statistic / 2 - mean)) / deviation)))
    chances = signed_rank_distribution(doubled)
    return min(1.0, 2 * float(min(chances[: statistic + 1].sum(), chances[statistic:].sum())))


def _moments(ranks: Floats) -> tuple[float, float]:
    """Mean and standard deviation of the sum of ranks when each is positive or not with equal chance."""
    return float(ranks.sum()) / 2, sqrt(float(np.square(ranks).sum())) / 2


def _doubled_midranks(sizes: Floats) -> npt.NDArray[np.int64]:
    _, group, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    doubled: npt.NDArray[np.int64] = (2 * last - counts + 1)[group]
    return doubled


def signed_rank_distribution(doubled_ranks: npt.NDArray[np.int64]) -> Floats:
    """The chance of every sum of ranks when each rank is positive or not with equal chance.

    Ranks come doubled, so that midranks are whole; element s is the chance that the positive ranks sum to
    s/2. One convolution per rank, exact to rounding.

    >>> [float(chance) for chance in signed_rank_distribution(np.array([2, 4]))]
    [0.25, 0.0, 0.25, 0.0, 0.25, 0.0, 0.25]
    """
    chances = np.zeros(int(doubled_ranks.sum()) + 1)
    chances[0] = 1.0
    reached = 0
    for rank in doubled_ranks:
        shifted = chances[: reached + 1].copy()
        chances[: reached + 1] = shifted / 2
        chances[int(rank) : int(rank) + reached + 1] += shifted / 2
        reached += int(rank)
    return chances
