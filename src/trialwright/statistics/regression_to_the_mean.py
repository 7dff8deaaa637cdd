"""How far a quantity moves by itself, when participants were chosen because it was low or high."""

import math
from dataclasses import dataclass

import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import finite_vector


@dataclass(frozen=True, slots=True)
class SelfMovement:
    """The expected change without any effect, in the unit of the quantity, and the correlation that it rests on."""

    expected_change: float
    correlation: float
    share_selected: float


def expected_regression(
    mean: float, sd: float, correlation: float, cut_off: float, *, below: bool = True
) -> SelfMovement:
    """Participants chosen for a value at or below a cut-off come nearer to the mean by the next measurement.

    In a population with two normal measurements of that mean, sd and correlation: (1 - r) sd phi(c)/Phi(c), c =
    (cut-off - mean)/sd; for values at or above the cut-off the same with the opposite sign. Davis 1976, Am J Epidemiol
    104:493; James 1973, Biometrics 29:121.

    Raises ValueError for an sd that is not above 0, a correlation outside -1 to 1, or a cut-off so far out that nobody
    would be chosen.

    >>> found = expected_regression(mean=10, sd=4, correlation=0.8, cut_off=7)
    >>> round(found.expected_change, 3), round(found.share_selected, 3)
    (1.063, 0.227)
    """
    if not 0 < sd < math.inf or not math.isfinite(mean) or not math.isfinite(cut_off):
        raise ValueError(f"Mean {mean}, standard deviation {sd} and cut-off {cut_off} do not describe a selection.")
    if not -1 <= correlation <= 1:
        raise ValueError(f"The correlation is {correlation}, but it lies in -1 to 1.")
    side = 1.0 if below else -1.0
    c = side * (cut_off - mean) / sd
    share = float(special.ndtr(c))
    if share < 1e-300:
        raise ValueError(f"A cut-off of {cut_off} is so far from the mean {mean} that nobody would be chosen.")
    hazard = math.exp(-c * c / 2 - float(special.log_ndtr(c))) / math.sqrt(2 * math.pi)
    return SelfMovement(side * (1 - correlation) * sd * hazard, correlation, share)


def regression_from_two_baselines(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """What two measurements before treatment moved by themselves is the regression seen so far.

    The mean of second less first, in the unit of the quantity: where the first chose the participants and nothing was
    given between, it is no effect. The second is then the baseline to compare with.

    Raises ValueError for no pair, missing values, or numbers that do not match.

    >>> round(regression_from_two_baselines([5, 6, 7, 4], [6, 6, 8, 6]), 2)
    1.0
    """
    before, again = finite_vector(first, "The first baseline"), finite_vector(second, "The second baseline")
    if before.size != again.size:
        raise ValueError(
            f"{before.size} first and {again.size} second baselines do not describe the same participants."
        )
    if before.size == 0:
        raise ValueError("There is no pair of baselines.")
    return float((again - before).mean())
