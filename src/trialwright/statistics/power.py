"""Power and size of a comparison of two proportions by the normal approximation, for planning."""

import math

from scipy import special

from trialwright.statistics.arguments import require_share, whole_number


def two_proportions_power(n1: int, n2: int, p1: float, p2: float, alpha: float = 0.05) -> float:
    """The power of Pearson's two-sided test, by the normal approximation with pooled variance under no difference.

    Phi((|p1-p2| - z s0)/s1) with s0^2 = p(1-p)(1/n1+1/n2), p the pooled rate, s1^2 = p1(1-p1)/n1 + p2(1-p2)/n2, z the
    1 - alpha/2 normal quantile; the other tail is left out, as R's power.prop.test leaves it. Fleiss, Levin and Paik
    2003, Statistical Methods for Rates and Proportions, chapter 4. The exact power of Fisher's test is `fisher_power`.

    Raises ValueError for an arm without participants, or rates or an alpha that are not between 0 and 1.

    >>> round(two_proportions_power(30, 30, 0.20, 0.45), 4)
    0.5443
    """
    for size, name in ((n1, "first"), (n2, "second")):
        whole_number(size, f"The size of the {name} arm")
    _require_rates(p1, p2, alpha)
    pooled = (n1 * p1 + n2 * p2) / (n1 + n2)
    without = math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    under = math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
    z = -float(special.ndtri(alpha / 2))
    return float(special.ndtr((abs(p1 - p2) - z * without) / under))


def two_proportions_size(p1: float, p2: float, power: float, alpha: float = 0.05, ratio: float = 1.0) -> float:
    """The total size at which Pearson's two-sided test has the power, unrounded, `ratio` in the first arm to one.

    N = (1+k) (z sqrt(p(1-p)(1+1/k)) + z_b sqrt(p1(1-p1)/k + p2(1-p2)))^2 / (p1-p2)^2, k the ratio, p the pooled rate.
    Fleiss, Levin and Paik 2003, chapter 4. Round each arm up.

    Raises ValueError for rates, a power or an alpha that are not between 0 and 1, equal rates, a power that is not
    above alpha/2, or a ratio that is not above 0.

    >>> round(two_proportions_size(0.45, 0.20, power=0.80), 2)
    107.81
    """
    _require_rates(p1, p2, alpha)
    require_share(power, "The power")
    if p1 == p2:
        raise ValueError(f"Both rates are {p1}: no number of participants shows a difference that is not there.")
    if power <= alpha / 2:
        raise ValueError(f"The power is {power}, which a trial of nobody has already; it lies above {alpha / 2:g}.")
    if not 0 < ratio < math.inf:
        raise ValueError(f"The ratio of the arms is {ratio}, but it is above 0: write 2 for two to one.")
    pooled = (ratio * p1 + p2) / (1 + ratio)
    without = math.sqrt(pooled * (1 - pooled) * (1 + 1 / ratio))
    under = math.sqrt(p1 * (1 - p1) / ratio + p2 * (1 - p2))
    reach = -float(special.ndtri(alpha / 2)) * without + float(special.ndtri(power)) * under
    return (1 + ratio) * (reach / (p1 - p2)) ** 2


def _require_rates(p1: float, p2: float, alpha: float) -> None:
    for value, name in ((p1, "The rate of the first arm"), (p2, "The rate of the second arm"), (alpha, "Alpha")):
        require_share(value, name)
