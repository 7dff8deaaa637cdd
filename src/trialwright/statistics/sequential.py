"""The sequential probability ratio test of a rate, after every participant."""

import math
from dataclasses import dataclass

from trialwright.statistics.arguments import ROUNDING, require_share, whole_number


@dataclass(frozen=True, slots=True)
class Sprt:
    """Two parallel lines over the number treated n: events at or above `upper + slope n` speak for p1, events at or
    below `lower + slope n` for p0; between them the test goes on. Slope per participant, intercepts in events.
    """

    slope: float
    upper: float
    lower: float


def sprt(p0: float, p1: float, alpha: float, beta: float) -> Sprt:
    """Wald's test decides between two rates with the fewest participants on average.

    With D = log(p1/p0) + log((1-p0)/(1-p1)): slope = log((1-p0)/(1-p1)) / D, upper = log((1-beta)/alpha) / D,
    lower = log(beta/(1-alpha)) / D. Wald 1945, Ann Math Stat 16:117.

    Raises ValueError for rates or errors that are not between 0 and 1, p1 <= p0, or errors that sum to 1 or more.

    >>> test = sprt(p0=0.05, p1=0.25, alpha=0.10, beta=0.15)
    >>> round(test.slope, 4), round(test.upper, 4), round(test.lower, 4)
    (0.1281, 1.1594, -0.9707)
    """
    for value, name in ((p0, "p0"), (p1, "p1"), (alpha, "Alpha"), (beta, "Beta")):
        require_share(value, name)
    if p1 <= p0:
        raise ValueError(f"The rate p1 = {p1} is not above p0 = {p0}. Exchange them and their errors.")
    if alpha + beta >= 1:
        raise ValueError(f"Errors of {alpha} and {beta} leave nothing to decide: together they stay below 1.")
    down = math.log1p(-p0) - math.log1p(-p1)
    scale = math.log(p1 / p0) + down
    return Sprt(down / scale, math.log((1 - beta) / alpha) / scale, math.log(beta / (1 - alpha)) / scale)


def sprt_table(test: Sprt, most: int) -> tuple[tuple[int | None, int | None], ...]:
    """For 1 to `most` treated: the most events that speak for p0, and the fewest that speak for p1.

    None where no possible number of events decides; a line that meets a whole number is not missed for its rounding.
    Raises ValueError for fewer than one participant.

    >>> sprt_table(sprt(0.05, 0.25, 0.10, 0.15), 8)[-2:]
    ((None, 3), (0, 3))
    >>> sprt_table(sprt(0.05, 0.95, 0.05, 0.05), 3)
    ((0, 1), (0, 2), (1, 2))
    """
    table = []
    for n in range(1, whole_number(most, "The number treated") + 1):
        accept = math.floor(test.lower + test.slope * n + ROUNDING)
        reject = math.ceil(test.upper + test.slope * n - ROUNDING)
        table.append((accept if accept >= 0 else None, reject if reject <= n else None))
    return tuple(table)
