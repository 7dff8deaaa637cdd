"""Limits of one proportion."""

import math
from dataclasses import dataclass

from scipy import special

from trialwright.statistics.arguments import require_confidence, require_events


@dataclass(frozen=True, slots=True)
class Limits:
    """A confidence interval, both ends included."""

    lower: float
    upper: float


def clopper_pearson(x: int, n: int, confidence: float = 0.95) -> Limits:
    """The Clopper-Pearson interval covers the proportion at least as often as it says, whatever the truth.

    With alpha = 1 - confidence, the lower limit is the alpha/2 quantile of Beta(x, n-x+1) and the upper limit
    the 1 - alpha/2 quantile of Beta(x+1, n-x); 0 and 1 at the ends. Clopper and Pearson 1934,
    Biometrika 26:404.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1, or a confidence outside 0 to 1.

    >>> limits = clopper_pearson(0, 12)
    >>> round(limits.lower, 4), round(limits.upper, 4)
    (0.0, 0.2646)
    """
    require_events(x, n)
    require_confidence(confidence)
    tail = (1 - confidence) / 2
    lower = 0.0 if x == 0 else float(special.betaincinv(x, n - x + 1, tail))
    return Limits(lower, _upper(x, n, tail))


def clopper_pearson_upper(x: int, n: int, confidence: float = 0.95) -> float:
    """The one-sided Clopper-Pearson limit is passed by the true proportion at most 1 - confidence of times.

    The confidence quantile of Beta(x+1, n-x); 1 when x = n; 1 - (1 - confidence)^(1/n) when x = 0.
    Clopper and Pearson 1934, Biometrika 26:404.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1, or a confidence outside 0 to 1.

    >>> round(clopper_pearson_upper(0, 12), 4)
    0.2209
    """
    require_events(x, n)
    require_confidence(confidence)
    return _upper(x, n, 1 - confidence)


def _upper(x: int, n: int, tail: float) -> float:
    return 1.0 if x == n else float(special.betainccinv(x + 1, n - x, tail))


def wilson(x: int, n: int, confidence: float = 0.95) -> Limits:
    """The Wilson interval holds the proportions that a score test of x among n does not reject.

    (2x + z^2 -+ z sqrt(z^2 + 4x(n-x)/n)) / (2(n + z^2)), z the 1 - alpha/2 normal quantile, without
    continuity correction. Wilson 1927, J Am Stat Assoc 22:209; Newcombe 1998, Stat Med 17:857, method 3.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1, or a confidence outside 0 to 1.

    >>> limits = wilson(81, 263)
    >>> round(limits.lower, 4), round(limits.upper, 4)
    (0.2553, 0.3662)
    """
    require_events(x, n)
    require_confidence(confidence)
    z = float(special.ndtri((1 + confidence) / 2))
    centre = 2 * x + z * z
    reach = z * math.sqrt(z * z + 4 * x * (n - x) / n)
    scale = 2 * (n + z * z)
    lower = 0.0 if x == 0 else (centre - reach) / scale
    upper = 1.0 if x == n else (centre + reach) / scale
    return Limits(lower, upper)
