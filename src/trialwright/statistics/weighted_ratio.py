"""The ratio of two propensity-weighted risks, and that of their odds."""

import math
from dataclasses import dataclass

from trialwright.statistics.weighting import WeightedDifference


@dataclass(frozen=True, slots=True)
class WeightedRatio:
    """A ratio of the weighted risks, with its interval; `log_standard_error` is that of its logarithm."""

    estimate: float
    lower: float
    upper: float
    log_standard_error: float


def weighted_risk_ratio(weighted: WeightedDifference) -> WeightedRatio:
    """The ratio of the two weighted risks, its interval on the logarithm by the delta method.

    Var log(p1/p0) = v1/p1^2 - 2c/(p1 p0) + v0/p0^2, with the covariance of the two weighted risks.

    Raises ValueError where a risk is not above 0, so that the ratio has no logarithm.

    >>> import numpy as np
    >>> from trialwright.statistics.populations import ate_weighted_difference
    >>> x = np.array([[0], [0], [0], [0], [1], [1], [1], [1]])
    >>> result = ate_weighted_difference([1, 0, 0, 1, 1, 1, 0, 1], [1, 0, 0, 0, 1, 1, 1, 0], x)
    >>> round(weighted_risk_ratio(result).estimate, 3)
    1.25
    """
    p1, p0 = weighted.risk_treated, weighted.risk_control
    if p1 <= 0 or p0 <= 0:
        raise ValueError("A weighted risk is not above 0, so the ratio of the two has no logarithm.")
    return _ratio(weighted, p1 / p0, 1 / p1, 1 / p0)


def weighted_odds_ratio(weighted: WeightedDifference) -> WeightedRatio:
    """The ratio of the odds of the two weighted risks, its interval on the logarithm by the delta method.

    Var log OR = v1/q1^2 - 2c/(q1 q0) + v0/q0^2, q = p(1-p), with the covariance of the two weighted risks.

    Raises ValueError where a risk is not between 0 and 1.

    >>> import numpy as np
    >>> from trialwright.statistics.populations import ate_weighted_difference
    >>> x = np.array([[0], [0], [0], [0], [1], [1], [1], [1]])
    >>> result = ate_weighted_difference([1, 0, 0, 1, 1, 1, 0, 1], [1, 0, 0, 0, 1, 1, 1, 0], x)
    >>> round(weighted_odds_ratio(result).estimate, 3)
    2.5
    """
    p1, p0 = weighted.risk_treated, weighted.risk_control
    if not (0 < p1 < 1 and 0 < p0 < 1):
        raise ValueError("A weighted risk is not between 0 and 1, so the odds ratio has no logarithm.")
    return _ratio(weighted, p1 / (1 - p1) * (1 - p0) / p0, 1 / (p1 * (1 - p1)), 1 / (p0 * (1 - p0)))


def _ratio(weighted: WeightedDifference, estimate: float, slope1: float, slope0: float) -> WeightedRatio:
    v1, both, v0 = weighted.covariance
    error = math.sqrt(max(slope1**2 * v1 - 2 * slope1 * slope0 * both + slope0**2 * v0, 0.0))
    if error == 0:
        raise ValueError("The weighted risks show no variance, so their ratio has no interval.")
    reach = weighted.quantile * error
    return WeightedRatio(estimate, estimate * math.exp(-reach), estimate * math.exp(reach), error)
