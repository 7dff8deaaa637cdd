"""The ratio of two independent proportions without covariates."""

import math
from dataclasses import dataclass

from scipy import special

from trialwright.statistics.arguments import require_confidence, require_events


@dataclass(frozen=True, slots=True)
class RiskRatio:
    """The first proportion over the second, with its confidence interval.

    Without events in the second arm the estimate is infinite, and None where the first has none either. An upper
    limit may be infinite: then the counts rule out no ratio above the lower limit.
    """

    estimate: float | None
    lower: float
    upper: float


def miettinen_nurminen_ratio(x1: int, n1: int, x2: int, n2: int, confidence: float = 0.95) -> RiskRatio:
    """The Miettinen-Nurminen interval holds the risk ratios that their score test does not reject.

    The limits solve (p1 - r p2)^2 = z^2 V(r), V(r) = (R1(1-R1)/n1 + r^2 R2(1-R2)/n2) N/(N-1), where R1 = r R2 are
    the proportions of greatest likelihood under that ratio and N = n1 + n2. It exists for every table, those
    with no or only events included. Miettinen and Nurminen 1985, Stat Med 4:213.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1, or a confidence outside 0 to 1.

    >>> result = miettinen_nurminen_ratio(9, 10, 3, 10)
    >>> round(result.estimate or 0, 3), round(result.lower, 3), round(result.upper, 3)
    (3.0, 1.328, 8.692)
    """
    require_events(x1, n1)
    require_events(x2, n2)
    require_confidence(confidence)
    if x1 == x2 == 0:
        return RiskRatio(None, 0.0, math.inf)
    z = float(special.ndtri((1 + confidence) / 2))
    p1, p2, total = x1 / n1, x2 / n2, n1 + n2

    def rejected(share: float) -> bool:
        """Of the ratio share : 1 - share, which runs from 0 to infinity."""
        if share == 1.0:
            return x2 > 0
        ratio = share / (1 - share)
        r1, r2 = proportions_under_ratio(x1, n1, x2, n2, ratio)
        variance = (r1 * (1 - r1) / n1 + ratio**2 * r2 * (1 - r2) / n2) * total / (total - 1)
        return abs(p1 - ratio * p2) > z * math.sqrt(variance)

    def limit(outer: float) -> float:
        inner = p1 / (p1 + p2)
        if not rejected(outer):
            return outer
        for _ in range(60):
            middle = (inner + outer) / 2
            if rejected(middle):
                outer = middle
            else:
                inner = middle
        return outer

    lower, upper = limit(0.0), limit(1.0)
    estimate = p1 / p2 if x2 else math.inf
    return RiskRatio(estimate, lower / (1 - lower), upper / (1 - upper) if upper < 1 else math.inf)


def proportions_under_ratio(x1: int, n1: int, x2: int, n2: int, ratio: float) -> tuple[float, float]:
    """The two proportions of greatest likelihood among those whose ratio is exactly `ratio`.

    The smaller root of the quadratic likelihood equation: Miettinen and Nurminen 1985, Stat Med 4:213, appendix
    I; Gart and Nam 1988, Biometrics 44:323. The ratio is 0 or more and finite, unchecked.

    >>> r1, r2 = proportions_under_ratio(9, 10, 3, 10, 1.0)
    >>> round(r1, 6), round(r2, 6)
    (0.6, 0.6)
    """
    linear = ratio * (n1 + x2) + n2 + x1
    root = math.sqrt(max(linear**2 - 4 * (n1 + n2) * ratio * (x1 + x2), 0.0))
    r2 = min(2 * (x1 + x2) / (linear + root), 1.0)
    return min(ratio * r2, 1.0), r2


def katz(x1: int, n1: int, x2: int, n2: int, confidence: float = 0.95) -> RiskRatio:
    """The Katz interval is normal on the logarithm of the risk ratio.

    exp(log(p1/p2) -+ z sqrt(1/x1 - 1/n1 + 1/x2 - 1/n2)). Katz, Baptista, Azen and Pike 1978, Biometrics 34:469.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1, a confidence outside 0 to 1, an arm without
    events, whose logarithm has no value, or arms where all have the event, which show no variance.

    >>> result = katz(3, 11, 1, 13)
    >>> round(result.estimate or 0, 2), round(result.lower, 2), round(result.upper, 2)
    (3.55, 0.43, 29.42)
    """
    require_events(x1, n1)
    require_events(x2, n2)
    require_confidence(confidence)
    if x1 == 0 or x2 == 0:
        raise ValueError(
            "An arm has no event, so the logarithm of the risk ratio has no value. Use Miettinen-Nurminen, whose "
            "interval exists for every table."
        )
    variance = 1 / x1 - 1 / n1 + 1 / x2 - 1 / n2
    if variance == 0:
        raise ValueError(
            "Everybody in both arms has the event, so the logarithm of the risk ratio shows no variance. Use "
            "Miettinen-Nurminen, whose interval exists for every table."
        )
    estimate = (x1 / n1) / (x2 / n2)
    reach = math.exp(float(special.ndtri((1 + confidence) / 2)) * math.sqrt(variance))
    return RiskRatio(estimate, estimate / reach, estimate * reach)
