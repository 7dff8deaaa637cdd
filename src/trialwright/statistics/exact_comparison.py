"""Boschloo's exact test of two proportions, and the power of Fisher's."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import Floats, require_events, require_share, whole_number
from trialwright.statistics.two_proportions import TIES, chances_of_tables

Region = npt.NDArray[np.bool_]
"""Which of the possible numbers of events in the first arm are rejected."""


def boschloo(x1: int, n1: int, x2: int, n2: int) -> float:
    """Boschloo's exact p fixes only the sizes of the arms, so that each of its sides is never larger than Fisher's.

    The greatest chance, over the common rate, of a table whose Fisher p is no larger than the observed one; twice
    the smaller of the two one-sided p, at most 1. Fisher's two-sided p adds the unlikely tables of the other side
    instead, and can be a little smaller where the arms are unequal. By scipy. Boschloo 1970, Stat Neerl 24:1. A table
    with no events, or only events, tells nothing: its p is 1.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1.

    >>> round(boschloo(5, 11, 1, 13), 4)
    0.0411
    """
    require_events(x1, n1)
    require_events(x2, n2)
    if x1 + x2 in (0, n1 + n2):
        return 1.0
    from scipy import stats  # slow to import

    return min(1.0, float(stats.boschloo_exact([[x1, x2], [n1 - x1, n2 - x2]]).pvalue))


def fisher_power(n1: int, n2: int, p1: float, p2: float, alpha: float = 0.05) -> float:
    """The power of Fisher's exact two-sided test is the chance of a table whose p is alpha or less.

    The sum, over all tables, of their chance under the rates p1 and p2 where `fisher` gives p <= alpha.

    Raises ValueError for an arm without participants, rates outside 0 to 1, or an alpha not between 0 and 1.

    >>> round(fisher_power(30, 30, 0.20, 0.45), 4)
    0.4436
    """

    def rejected(chance: Floats) -> Region:
        order = np.argsort(chance, kind="stable")
        cumulative = np.concatenate([[0.0], np.cumsum(chance[order])])
        p = cumulative[np.searchsorted(chance[order], chance * TIES, side="right")]
        region: Region = p <= alpha * (1 + 1e-12)
        return region

    return _power(n1, n2, p1, p2, alpha, rejected)


def fisher_power_equal_tails(n1: int, n2: int, p1: float, p2: float, alpha: float = 0.05) -> float:
    """The power of Fisher's test with alpha/2 in each tail, which for arms of equal size is `fisher_power`.

    A table is rejected where the chance of its tail, both margins fixed, is alpha/2 or less. So counts the R package
    clinfun; for arms of different size the region, and with it the power, differs from that of `fisher`.

    Raises ValueError for an arm without participants, rates outside 0 to 1, or an alpha not between 0 and 1.

    >>> round(fisher_power_equal_tails(30, 30, 0.20, 0.45), 4)
    0.4436
    """

    def rejected(chance: Floats) -> Region:
        region: Region = np.minimum(np.cumsum(chance), np.cumsum(chance[::-1])[::-1]) <= alpha / 2 * (1 + 1e-12)
        return region

    return _power(n1, n2, p1, p2, alpha, rejected)


def _power(n1: int, n2: int, p1: float, p2: float, alpha: float, rejected: Callable[[Floats], Region]) -> float:
    require_share(alpha, "Alpha")
    for size, name in ((n1, "first"), (n2, "second")):
        whole_number(size, f"The size of the {name} arm")
    for rate, name in ((p1, "first"), (p2, "second")):
        if not 0 <= rate <= 1:
            raise ValueError(f"The rate of the {name} arm is {rate}, but it lies in 0 to 1. Write 0.20 for 20 %.")
    first, second = binomial_chances(n1, p1), binomial_chances(n2, p2)
    power = 0.0
    for events in range(n1 + n2 + 1):
        possible, chance = chances_of_tables(events, n1, n2)
        x = possible[rejected(chance)]
        power += float((first[x] * second[events - x]).sum())
    return min(1.0, power)


def binomial_chances(n: int, p: float) -> Floats:
    """The chance of 0, 1, 2 ... n events among n at the rate p.

    0 <= p <= 1 and n >= 0, unchecked.

    >>> binomial_chances(2, 0.5).tolist()
    [0.25, 0.5, 0.25]
    """
    x = np.arange(n + 1)
    if p in (0, 1):
        return np.asarray(x == n * p, dtype=np.float64)
    log_chance = special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1)
    chances: Floats = np.exp(log_chance + x * math.log(p) + (n - x) * math.log1p(-p))
    return chances
