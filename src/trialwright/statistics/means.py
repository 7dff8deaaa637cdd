"""The mean of independent values with its t interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import require_confidence


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """A mean with its limits; limits are None where there is no spread to judge by, and a warning says so."""

    mean: float
    lower: float | None
    upper: float | None
    n: int
    warnings: tuple[str, ...] = ()


def mean_t(values: npt.ArrayLike, confidence: float = 0.95) -> MeanInterval:
    """The mean of independent values with the interval of Student's t on n - 1 degrees of freedom.

    mean ± t(n - 1, (1 + confidence) / 2) * sd / sqrt(n), sd with divisor n - 1 (Student 1908, Biometrika 6:1).
    `values` has one value per independent unit, in any unit of measurement; none at all is a ValueError, and so is a
    confidence that does not lie between 0 and 1.

    >>> found = mean_t([0.2, 0.5, 0.8])
    >>> round(found.mean, 3), round(found.lower, 3), round(found.upper, 3)
    (0.5, -0.245, 1.245)
    """
    require_confidence(confidence)
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or x.size == 0 or not np.all(np.isfinite(x)):
        raise ValueError("a mean needs one or more finite values")
    mean, n = float(x.mean()), int(x.size)
    if n == 1 or np.ptp(x) == 0:
        return MeanInterval(mean, None, None, n, ("All values are the same, or there is one: no interval exists.",))
    half = float(special.stdtrit(n - 1, (1 + confidence) / 2) * x.std(ddof=1) / np.sqrt(n))
    return MeanInterval(mean, mean - half, mean + half, n)
