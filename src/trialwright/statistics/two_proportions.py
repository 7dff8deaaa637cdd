"""Comparison of two independent proportions without covariates."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import Floats, require_confidence, require_events
from trialwright.statistics.binomial import wilson

TIES = 1 + 1e-7
"""Chances that differ by less are equal but for rounding."""


@dataclass(frozen=True, slots=True)
class RiskDifference:
    """The first proportion less the second, with its confidence interval."""

    estimate: float
    lower: float
    upper: float


def miettinen_nurminen(x1: int, n1: int, x2: int, n2: int, confidence: float = 0.95) -> RiskDifference:
    """The Miettinen-Nurminen interval holds the risk differences that their score test does not reject.

    The limits solve (p1 - p2 - d)^2 = z^2 V(d), V(d) = (R1(1-R1)/n1 + R2(1-R2)/n2) N/(N-1), where R1 = R2 + d
    are the proportions of greatest likelihood under that difference and N = n1 + n2.
    Miettinen and Nurminen 1985, Stat Med 4:213.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1, or a confidence outside 0 to 1.

    >>> result = miettinen_nurminen(56, 70, 48, 80)
    >>> round(result.estimate, 4), round(result.lower, 4), round(result.upper, 4)
    (0.2, 0.0528, 0.3382)
    """
    estimate = _difference(x1, n1, x2, n2, confidence)
    z = float(special.ndtri((1 + confidence) / 2))

    def rejected(difference: float) -> bool:
        r1, r2 = proportions_under_difference(x1, n1, x2, n2, difference)
        variance = (r1 * (1 - r1) / n1 + r2 * (1 - r2) / n2) * (n1 + n2) / (n1 + n2 - 1)
        return abs(estimate - difference) > z * math.sqrt(variance)

    def limit(outer: float) -> float:
        inner = estimate
        for _ in range(60):  # halves an interval of at most 2 below the spacing of floats
            middle = (inner + outer) / 2
            if rejected(middle):
                outer = middle
            else:
                inner = middle
        return outer

    return RiskDifference(estimate, limit(-1.0), limit(1.0))


def proportions_under_difference(x1: int, n1: int, x2: int, n2: int, difference: float) -> tuple[float, float]:
    """The two proportions of greatest likelihood among those that differ by exactly `difference`.

    The trigonometric root of the cubic likelihood equation: Miettinen and Nurminen 1985, Stat Med 4:213,
    appendix I; Farrington and Manning 1990, Stat Med 9:1447. The difference lies in -1 to 1, unchecked.

    >>> r1, r2 = proportions_under_difference(9, 10, 3, 10, 0.0)
    >>> round(r1, 6), round(r2, 6)
    (0.6, 0.6)
    """
    total = n1 + n2
    square = ((n1 + 2 * n2) * difference - total - x1 - x2) / total
    linear = ((n2 * difference - total - 2 * x2) * difference + x1 + x2) / total
    constant = x2 * difference * (1 - difference) / total
    q = (square / 3) ** 3 - linear * square / 6 + constant / 2
    p = math.copysign(math.sqrt(max((square / 3) ** 2 - linear / 3, 0.0)), q)
    cosine = q / p**3 if p**3 else 0.0
    angle = (math.pi + math.acos(min(max(cosine, -1.0), 1.0))) / 3
    root = 2 * p * math.cos(angle) - square / 3
    r2 = min(max(root, 0.0, -difference), 1.0, 1.0 - difference)
    return min(max(r2 + difference, 0.0), 1.0), r2


def newcombe(x1: int, n1: int, x2: int, n2: int, confidence: float = 0.95) -> RiskDifference:
    """The Newcombe interval joins the two Wilson intervals in squares, and stays within -1 to 1.

    lower = d - sqrt((p1-l1)^2 + (u2-p2)^2), upper = d + sqrt((u1-p1)^2 + (p2-l2)^2), with the Wilson limits
    l and u of each proportion. Newcombe 1998, Stat Med 17:873, method 10 (no continuity correction).

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1, or a confidence outside 0 to 1.

    >>> result = newcombe(9, 10, 3, 10)
    >>> round(result.lower, 4), round(result.upper, 4)
    (0.1705, 0.809)
    """
    estimate = _difference(x1, n1, x2, n2, confidence)
    p1, p2 = x1 / n1, x2 / n2
    first, second = wilson(x1, n1, confidence), wilson(x2, n2, confidence)
    lower = estimate - math.hypot(p1 - first.lower, second.upper - p2)
    upper = estimate + math.hypot(first.upper - p1, p2 - second.lower)
    return RiskDifference(estimate, max(lower, -1.0), min(upper, 1.0))


def _difference(x1: int, n1: int, x2: int, n2: int, confidence: float) -> float:
    require_events(x1, n1)
    require_events(x2, n2)
    require_confidence(confidence)
    return x1 / n1 - x2 / n2


def fisher(x1: int, n1: int, x2: int, n2: int) -> float:
    """Fisher's exact two-sided p is the chance, both margins fixed, of a table no likelier than this one.

    The sum of the hypergeometric probabilities that do not exceed the observed one (by more than one part in
    10^7, as R's fisher.test counts ties). Fisher 1935, J R Stat Soc 98:39.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1.

    >>> round(fisher(5, 11, 1, 13), 4)
    0.0608
    """
    require_events(x1, n1)
    require_events(x2, n2)
    possible, chance = chances_of_tables(x1 + x2, n1, n2)
    observed = chance[x1 - possible[0]]
    return min(1.0, float(chance[chance <= observed * TIES].sum()))


def chances_of_tables(events: int, n1: int, n2: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """How many of the `events` can lie in the first arm, and the chance of each if the arms do not differ.

    The hypergeometric distribution, both margins fixed. 0 <= events <= n1 + n2, unchecked.

    >>> possible, chance = chances_of_tables(1, 1, 3)
    >>> possible.tolist(), chance.round(6).tolist()
    ([0, 1], [0.75, 0.25])
    """
    possible = np.arange(max(0, events - n2), min(n1, events) + 1)
    log_chance = _log_choose(n1, possible) + _log_choose(n2, events - possible)
    chance = np.exp(log_chance - log_chance.max())
    return possible, chance / chance.sum()


def _log_choose(n: int, k: npt.NDArray[np.int64]) -> Floats:
    result: Floats = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return result
