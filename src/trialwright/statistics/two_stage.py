"""Single-arm designs of two stages that stop early for want of responses."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trialwright.statistics.arguments import ROUNDING, Floats, require_share, whole_number
from trialwright.statistics.exact_comparison import binomial_chances


@dataclass(frozen=True, slots=True)
class TwoStage:
    """Stop after n1 with r1 or fewer responses; after n, the treatment is of interest with more than r.

    `alpha` and `power` are the chances to find it of interest under p0 and p1; `expected_n` and `stops_early`
    (probability of early termination) are those under p0.
    """

    r1: int
    n1: int
    r: int
    n: int
    expected_n: float
    stops_early: float
    alpha: float
    power: float


def simon_optimal(p0: float, p1: float, alpha: float, beta: float, most: int = 1000) -> TwoStage:
    """Simon's optimal design treats the fewest participants on average where the response rate is p0.

    Among all (r1, n1, r, n) with chance of interest <= alpha under p0 and >= 1 - beta under p1, the least n1 + (1 -
    P(X1 <= r1)) (n - n1) under p0. Every design that could be better is tried, none is sampled: a first stage has
    no more than n1 < expected_n, and leaves the trial with at least the chance that power demands.
    Simon 1989, Control Clin Trials 10:1.

    Raises ValueError for rates or errors that are not between 0 and 1, p1 <= p0, or where no design has
    `most` participants or fewer.

    >>> design = simon_optimal(p0=0.10, p1=0.30, alpha=0.05, beta=0.20)
    >>> design.r1, design.n1, design.r, design.n, round(design.expected_n, 2)
    (1, 10, 5, 29, 15.01)
    """
    _require_design(p0, p1, alpha, beta, most)
    best: TwoStage | None = None
    for n in range(2, most + 1):
        if best is not None and not any(_may_improve(n1, n, p0, p1, beta, best) for n1 in range(1, n)):
            return best
        for n1 in range(1, n):
            if best is None or _may_improve(n1, n, p0, p1, beta, best):
                for design in _feasible(n1, n, p0, p1, alpha, beta):
                    if best is None or design.expected_n < best.expected_n:
                        best = design
    if best is None:
        raise ValueError(_none(p0, p1, alpha, beta, most))
    return best


def simon_minimax(p0: float, p1: float, alpha: float, beta: float, most: int = 1000) -> TwoStage:
    """Simon's minimax design has the smallest greatest number of participants, and of those the least expected.

    As `simon_optimal`, with the least n first. Simon 1989, Control Clin Trials 10:1.

    Raises ValueError for rates or errors that are not between 0 and 1, p1 <= p0, or where no design has
    `most` participants or fewer.

    >>> design = simon_minimax(p0=0.10, p1=0.30, alpha=0.05, beta=0.20)
    >>> design.r1, design.n1, design.r, design.n, round(design.expected_n, 2)
    (1, 15, 5, 25, 19.51)
    """
    _require_design(p0, p1, alpha, beta, most)
    for n in range(2, most + 1):
        feasible = [design for n1 in range(1, n) for design in _feasible(n1, n, p0, p1, alpha, beta)]
        if feasible:
            return min(feasible, key=lambda design: design.expected_n)
    raise ValueError(_none(p0, p1, alpha, beta, most))


def two_stage_characteristics(r1: int, n1: int, r: int, n: int, p: float) -> tuple[float, float, float]:
    """A two-stage design at the true rate p: chance of interest, chance to stop early, expected number.

    P(X1 > r1, X1 + X2 > r); P(X1 <= r1); n1 + (1 - P(X1 <= r1)) (n - n1). Simon 1989, Control Clin Trials 10:1.

    Raises ValueError for p outside 0 to 1, or numbers that are not 0 <= r1 < n1 < n and r1 <= r < n.

    >>> [round(value, 4) for value in two_stage_characteristics(1, 10, 5, 29, p=0.10)]
    [0.0471, 0.7361, 15.0141]
    """
    if not 0 <= p <= 1:
        raise ValueError(f"The true rate is {p}, but it lies in 0 to 1. Write 0.10 for 10 %.")
    if not (0 <= r1 < n1 < n and r1 <= r < n):
        raise ValueError(f"({r1}/{n1}, {r}/{n}) is not a two-stage design: 0 <= r1 < n1 < n and r1 <= r < n.")
    stops = float(binomial_chances(n1, p)[: r1 + 1].sum())
    return float(_interest(n1, n, p)[r1, r]), stops, n1 + (1 - stops) * (n - n1)


def _feasible(n1: int, n: int, p0: float, p1: float, alpha: float, beta: float) -> Iterator[TwoStage]:
    """For each r1 the design with the least r that keeps alpha, where it has the power."""
    first0 = np.cumsum(binomial_chances(n1, p0))
    first1 = np.cumsum(binomial_chances(n1, p1))
    most_r1 = int((first1 <= beta + ROUNDING).sum()) - 1  # a larger r1 stops too often under p1
    if most_r1 < 0:
        return
    interest0, interest1 = _interest(n1, n, p0)[: most_r1 + 1], _interest(n1, n, p1)[: most_r1 + 1]
    least_r = (interest0 > alpha + ROUNDING).sum(axis=1)
    for r1, r in enumerate(least_r):
        power = float(interest1[r1, r])
        if r >= r1 and power >= 1 - beta - ROUNDING:
            stops = float(first0[r1])
            yield TwoStage(r1, n1, int(r), n, n1 + (1 - stops) * (n - n1), stops, float(interest0[r1, r]), power)


def _interest(n1: int, n: int, p: float) -> Floats:
    """P(X1 > r1, X1 + X2 > r) for every r1 from 0 to n1 - 1 (rows) and r from 0 to n (columns)."""
    above = np.cumsum(binomial_chances(n - n1, p)[::-1])[::-1]  # above[k] = P(X2 >= k)
    needed = np.arange(n + 1)[None, :] + 1 - np.arange(1, n1 + 1)[:, None]
    second = np.where(needed <= 0, 1.0, np.where(needed > n - n1, 0.0, above[np.clip(needed, 0, n - n1)]))
    weighted = binomial_chances(n1, p)[1:, None] * second
    result: Floats = np.cumsum(weighted[::-1], axis=0)[::-1]
    return result


def _may_improve(n1: int, n: int, p0: float, p1: float, beta: float, best: TwoStage) -> bool:
    """Whether a design of n1 and n can expect fewer: it goes on at least as often as the power asks under p1."""
    if n1 >= best.expected_n:
        return False
    stops1, stops0 = np.cumsum(binomial_chances(n1, p1)), np.cumsum(binomial_chances(n1, p0))
    most_r1 = int((stops1 <= beta).sum()) - 1
    return most_r1 >= 0 and n1 + (1 - float(stops0[most_r1])) * (n - n1) < best.expected_n


def _require_design(p0: float, p1: float, alpha: float, beta: float, most: int) -> None:
    for value, name in ((p0, "p0"), (p1, "p1"), (alpha, "Alpha"), (beta, "Beta")):
        require_share(value, name)
    if p1 <= p0:
        raise ValueError(f"The response rate of interest p1 = {p1} is not above the uninteresting p0 = {p0}.")
    whole_number(most, "The greatest number of participants", 2)


def _none(p0: float, p1: float, alpha: float, beta: float, most: int) -> str:
    return (
        f"No two-stage design for {p0} against {p1} with errors {alpha} and {beta} has {most} participants or fewer. "
        "Allow more participants or larger errors, or aim at a larger difference."
    )
