"""Limits of one proportion."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

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


def jeffreys(x: int, n: int, confidence: float = 0.95) -> Limits:
    """The Jeffreys interval holds the middle of what a prior without preference for any rate comes to believe.

    The alpha/2 and 1 - alpha/2 quantiles of Beta(x + 1/2, n - x + 1/2), equal tails also at x = 0 and x = n,
    where the interval therefore leaves out the observed 0 or 1. Brown, Cai and DasGupta 2001, Stat Sci 16:101.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1, or a confidence outside 0 to 1.

    >>> limits = jeffreys(3, 12)
    >>> round(limits.lower, 4), round(limits.upper, 4)
    (0.0759, 0.5292)
    """
    require_events(x, n)
    require_confidence(confidence)
    tail = (1 - confidence) / 2
    a, b = x + 0.5, n - x + 0.5
    return Limits(float(special.betaincinv(a, b, tail)), float(special.betainccinv(a, b, tail)))


def mid_p(x: int, n: int, confidence: float = 0.95) -> Limits:
    """The mid-P interval counts half of the observed result in each tail, and is shorter than Clopper-Pearson.

    The lower limit solves P(X > x) + P(X = x)/2 = alpha/2, the upper P(X < x) + P(X = x)/2 = alpha/2, X binomial
    with n; 0 and 1 at the ends. It covers as often as it says on average, not always. Lancaster 1961, J Am Stat
    Assoc 56:223; Berry and Armitage 1995, Statistician 44:417.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1, or a confidence outside 0 to 1.

    >>> limits = mid_p(3, 12)
    >>> round(limits.lower, 4), round(limits.upper, 4)
    (0.0679, 0.5412)
    """
    require_events(x, n)
    require_confidence(confidence)
    lower = _mid_p_lower(x, n, confidence)
    return Limits(lower, 1 - _mid_p_lower(n - x, n, confidence))


def _mid_p_lower(x: int, n: int, confidence: float) -> float:
    tail = (1 - confidence) / 2
    if x == 0:
        return 0.0
    return _first(lambda p: (_at_least(x, n, p) + _at_least(x + 1, n, p)) / 2 >= tail, 0.0, 1.0)


def blaker(x: int, n: int, confidence: float = 0.95) -> Limits:
    """The Blaker interval covers as surely as Clopper-Pearson's and lies within it.

    It runs from the first to the last rate p that is acceptable: the smaller of P(X >= x) and P(X <= x), with the
    largest tail on the other side that does not exceed it, comes to alpha or more, X binomial with n and p. (A
    rate between them may be unacceptable; it is included.) Blaker 2000, Can J Stat 28:783.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1, or a confidence outside 0 to 1.

    >>> limits = blaker(1, 12)
    >>> round(limits.lower, 4), round(limits.upper, 4)
    (0.0043, 0.3658)
    """
    require_events(x, n)
    require_confidence(confidence)
    return Limits(_blaker_lower(x, n, confidence), 1 - _blaker_lower(n - x, n, confidence))


def _blaker_lower(x: int, n: int, confidence: float) -> float:
    """The first acceptable rate, stretch by stretch.

    On a stretch the other tail is P(X <= c) with the same c; there the sum of both tails first falls, then rises,
    so it reaches alpha either where the stretch begins or once on the way.
    """
    if x == 0:
        return 0.0
    alpha = 1 - confidence
    p = clopper_pearson(x, n, confidence).lower  # below it the sum of both tails is below alpha
    stretch = -1
    while stretch < x - 1 and _other_tail_fits(x, n, stretch + 1, p):
        stretch += 1
    for c in range(stretch, x):
        tails = partial(_both_tails, x, n, c)
        end = 1.0 if c == x - 1 else _first(partial(_other_tail_fits, x, n, c + 1), p, 1.0)
        if tails(p) >= alpha:
            return p
        if tails(end) >= alpha:
            return _first(partial(_acceptable, x, n, c, alpha), p, end)
        p = end
    raise AssertionError("on the last stretch both tails together are 1")


def _both_tails(x: int, n: int, c: int, p: float) -> float:
    return _at_least(x, n, p) + 1 - _at_least(c + 1, n, p)


def _acceptable(x: int, n: int, c: int, alpha: float, p: float) -> bool:
    return _both_tails(x, n, c, p) >= alpha


def _other_tail_fits(x: int, n: int, c: int, p: float) -> bool:
    return 1 - _at_least(c + 1, n, p) <= _at_least(x, n, p)


def _at_least(x: int, n: int, p: float) -> float:
    """P(X >= x), X binomial."""
    return 1.0 if x <= 0 else 0.0 if x > n else float(special.betainc(x, n - x + 1, p))


def _first(holds: Callable[[float], bool], without: float, within: float) -> float:
    """Where something begins to hold, between a rate where it does not and one where it does."""
    for _ in range(60):  # halves an interval of 1 below the spacing of floats
        middle = (without + within) / 2
        if holds(middle):
            within = middle
        else:
            without = middle
    return within
