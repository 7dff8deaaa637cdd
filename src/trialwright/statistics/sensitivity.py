"""How far what was not seen would have to go to change a result: unmeasured confounding, missing outcomes."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.statistics.arguments import Floats, whole_number
from trialwright.statistics.two_proportions import miettinen_nurminen


def e_value(risk_ratio: float, true: float = 1.0) -> float:
    """The E-value is the weakest confounding that would move a risk ratio to the true one.

    With q = risk_ratio / true, or its inverse where that is above 1: q + sqrt(q (q - 1)), the risk ratio that an
    unmeasured confounder needs with treatment and with outcome both. For a common outcome (15 % or more) give the
    square root of an odds ratio. VanderWeele and Ding 2017, Ann Intern Med 167:268.

    Raises ValueError for a ratio that is not above 0 and finite.

    >>> round(e_value(1.8), 3), round(e_value(0.5), 3), round(e_value(2.5, true=1.5), 3)
    (3.0, 3.414, 2.721)
    """
    for value, name in ((risk_ratio, "The risk ratio"), (true, "The true risk ratio")):
        if not 0 < value < math.inf:
            raise ValueError(f"{name} is {value}, but it is above 0 and finite.")
    q = max(risk_ratio / true, true / risk_ratio)
    return q + math.sqrt(q * (q - 1))


def e_value_of_interval(risk_ratio: float, lower: float, upper: float, true: float = 1.0) -> float:
    """The E-value of an interval is that of its limit nearest to the true ratio, and 1 where it holds that ratio.

    VanderWeele and Ding 2017, Ann Intern Med 167:268. An infinite upper or a zero lower limit is allowed.

    Raises ValueError for ratios that are not 0 <= lower <= risk_ratio <= upper, or a true one that is not above 0 and
    finite.

    >>> e_value_of_interval(1.4, 0.9, 2.2)
    1.0
    >>> round(e_value_of_interval(10.73, 8.02, 14.36), 4)
    15.5234
    """
    if not 0 <= lower <= risk_ratio <= upper:
        raise ValueError(f"{risk_ratio} ({lower} to {upper}) is not a risk ratio within its limits.")
    if lower <= true <= upper:
        return e_value(true, true)
    return e_value(lower if lower > true else upper, true)


@dataclass(frozen=True, slots=True, eq=False)
class TippingPoint:
    """The risk difference for every number of events among the missing: row i in the first arm, column j in the second.

    `concludes` is 1 where the interval lies above 0, -1 where it lies below, else 0; `observed` is that of the
    outcomes that are known. `tips` are the (i, j) where the conclusion changes.
    """

    estimate: Floats
    lower: Floats
    upper: Floats
    concludes: npt.NDArray[np.int64]
    observed: int
    tips: tuple[tuple[int, int], ...]


def tipping_point(
    x1: int, n1: int, missing1: int, x2: int, n2: int, missing2: int, confidence: float = 0.95
) -> TippingPoint:
    """Which outcomes of the participants who are missing would change the conclusion.

    x of n known outcomes are events, `missing` more are unknown; each possible number of events among them is put in,
    with the interval of Miettinen and Nurminen. Hollis 2002, Stat Med 21:3823; Yan, Lee and Li 2009, J Biopharm
    Stat 19:1085.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1, a negative number of missing, or a confidence
    outside 0 to 1.

    >>> result = tipping_point(11, 28, 2, 3, 28, 2)
    >>> result.observed, result.tips
    (1, ((0, 2),))
    """
    gone1, gone2 = whole_number(missing1, "The number missing", 0), whole_number(missing2, "The number missing", 0)
    known = miettinen_nurminen(x1, n1, x2, n2, confidence)
    observed = _conclusion(known.lower, known.upper)
    shape = (gone1 + 1, gone2 + 1)
    estimate, lower, upper = np.empty(shape), np.empty(shape), np.empty(shape)
    concludes = np.zeros(shape, dtype=np.int64)
    for i, j in np.ndindex(shape):
        found = miettinen_nurminen(x1 + i, n1 + gone1, x2 + j, n2 + gone2, confidence)
        estimate[i, j], lower[i, j], upper[i, j] = found.estimate, found.lower, found.upper
        concludes[i, j] = _conclusion(found.lower, found.upper)
    tips = tuple((int(i), int(j)) for i, j in np.argwhere(concludes != observed))
    return TippingPoint(estimate, lower, upper, concludes, observed, tips)


def _conclusion(lower: float, upper: float) -> int:
    return 1 if lower > 0 else -1 if upper < 0 else 0
