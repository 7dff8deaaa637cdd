"""Group-sequential bounds on a normal statistic, and how often they are crossed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import optimize, special

from trialwright.statistics.arguments import Floats, require_share, whole_number

FAR = 8.0
"""Standard deviations beyond which a normal distribution is taken as zero: 10^-15."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The trial stops at look k where z reaches z[k], one-sided, or where |z| does, two-sided.

    `times` are the information fractions of the looks, the last 1; `spent` is the alpha spent up to each.
    """

    times: tuple[float, ...]
    z: tuple[float, ...]
    spent: tuple[float, ...]
    sides: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """`first[k]` is the chance that look k is the first to reach its bound; `reached` is their sum.

    `expected_time` is the mean information fraction at which the trial stops or ends.
    """

    first: tuple[float, ...]
    reached: float
    expected_time: float


def pocock(looks: int, alpha: float, sides: int = 2) -> Bounds:
    """Pocock's bound is the same at every one of equally spaced looks, and is crossed with chance alpha.

    Its value is the Pocock constant, found by root search over `crossing`. Pocock 1977, Biometrika 64:191; Jennison
    and Turnbull 2000, Group Sequential Methods, section 2.4.

    Raises ValueError for less than one look, an alpha not between 0 and 1, or sides other than 1 and 2.

    >>> round(pocock(3, alpha=0.05).z[0], 3)
    2.289
    """
    return _classical(looks, alpha, sides, lambda _time: 1.0)


def obrien_fleming(looks: int, alpha: float, sides: int = 2) -> Bounds:
    """O'Brien and Fleming's bound falls with the root of time, so that early looks hardly spend alpha.

    z_k = C sqrt(K/k) at K equally spaced looks; C, the O'Brien-Fleming constant, is the last bound. O'Brien and
    Fleming 1979, Biometrics 35:549; Jennison and Turnbull 2000, section 2.5.

    Raises ValueError for less than one look, an alpha not between 0 and 1, or sides other than 1 and 2.

    >>> bounds = obrien_fleming(3, alpha=0.05)
    >>> round(bounds.z[0], 3), round(bounds.z[-1], 3)
    (3.471, 2.004)
    """
    return _classical(looks, alpha, sides, lambda time: 1 / math.sqrt(time))


def lan_demets_obrien_fleming(alpha: float, times: Sequence[float], sides: int = 1) -> Bounds:
    """The spending function of Lan and DeMets that comes near O'Brien and Fleming, at looks of any spacing.

    Each side spends 2 - 2 Phi(z / sqrt t) by time t, z the 1 - a/2 normal quantile, a the alpha of the side.
    Lan and DeMets 1983, Biometrika 70:659.

    `times` are the information fractions, ascending to 1. Raises ValueError for other times, an alpha not between 0
    and 1, or sides other than 1 and 2.

    >>> [round(z, 3) for z in lan_demets_obrien_fleming(0.025, [1/3, 2/3, 1]).z]
    [3.71, 2.511, 1.993]
    """
    _require_sides(alpha, sides)
    z = -float(special.ndtri(alpha / sides / 2))
    return _spending(alpha, times, sides, lambda time: sides * 2 * float(special.ndtr(-z / math.sqrt(time))))


def lan_demets_pocock(alpha: float, times: Sequence[float], sides: int = 1) -> Bounds:
    """The spending function of Lan and DeMets that comes near Pocock, at looks of any spacing.

    alpha log(1 + (e - 1) t) is spent by time t. Lan and DeMets 1983, Biometrika 70:659.

    `times` are the information fractions, ascending to 1. Raises ValueError for other times, an alpha not between 0
    and 1, or sides other than 1 and 2.

    >>> [round(z, 3) for z in lan_demets_pocock(0.025, [1/3, 2/3, 1]).z]
    [2.279, 2.295, 2.296]
    """
    _require_sides(alpha, sides)
    return _spending(alpha, times, sides, lambda time: alpha * math.log1p((math.e - 1) * time))


def hwang_shih_decani(alpha: float, gamma: float, times: Sequence[float], sides: int = 1) -> Bounds:
    """The spending functions of Hwang, Shih and DeCani range from late (gamma below 0) to early (above 0).

    alpha (1 - exp(-gamma t)) / (1 - exp(-gamma)) is spent by time t, alpha t where gamma is 0; -4 comes near O'Brien
    and Fleming, 1 near Pocock. Hwang, Shih and DeCani 1990, Stat Med 9:1439.

    `times` are the information fractions, ascending to 1. Raises ValueError for other times, a gamma that is not
    finite, an alpha not between 0 and 1, or sides other than 1 and 2.

    >>> [round(z, 3) for z in hwang_shih_decani(0.025, -4, [1/3, 2/3, 1]).z]
    [3.011, 2.547, 1.999]
    """
    _require_sides(alpha, sides)
    if not -500 <= gamma <= 500:
        raise ValueError(f"Gamma is {gamma}, but it is a number between -500 and 500; usual are -4 to 1.")

    def spent(time: float) -> float:
        return alpha * (time if gamma == 0 else math.expm1(-gamma * time) / math.expm1(-gamma))

    return _spending(alpha, times, sides, spent)


def crossing(z: Sequence[float], times: Sequence[float], drift: float = 0.0, sides: int = 1) -> Crossing:
    """How often the bounds are reached, and when, where the statistic at the end has mean `drift` and variance 1.

    The statistic at time t has mean drift sqrt(t) and, between looks, the correlation of Brownian motion; the density
    of trials that go on is carried from look to look by Gauss-Legendre quadrature. Armitage, McPherson and Rowe
    1969, J R Stat Soc A 132:235; Jennison and Turnbull 2000, chapter 19.

    Raises ValueError for times that do not ascend to 1, bounds that are not one for each or, on two sides, below 0, a
    drift that is not finite, or sides other than 1 and 2.

    >>> result = crossing([2.289, 2.289, 2.289], times=[1/3, 2/3, 1], sides=2)
    >>> round(result.reached, 3), round(result.expected_time, 3)
    (0.05, 0.98)
    """
    _require_sides(0.5, sides)
    at = _ascending(times)
    if len(z) != len(at):
        raise ValueError(f"{len(z)} bounds do not belong to {len(at)} looks: each look has one.")
    if not math.isfinite(drift) or any(math.isnan(bound) for bound in z):
        raise ValueError("The drift and the bounds are numbers, but one of them is missing or infinite.")
    if sides == 2 and min(z) < 0:
        raise ValueError("A bound on both sides is not below 0.")
    first = []
    walk = _Walk(drift, sides)
    for bound, time in zip(z, at, strict=True):
        first.append(walk.reaches(bound, time))
        walk = walk.goes_on(bound, time)
    reached = math.fsum(first)
    expected = math.fsum(chance * time for chance, time in zip(first, at, strict=True)) + 1 - reached
    return Crossing(tuple(first), reached, expected)


def drift_for_power(bounds: Bounds, power: float) -> float:
    """The drift at which the bounds are reached with the chance `power`.

    Its square over (z of alpha + z of power)^2, alpha that of one side, is the inflation factor: how much larger a
    group-sequential trial is than a fixed one. Jennison and Turnbull 2000, section 2.2.

    Raises ValueError for a power that is not above the alpha of the bounds and below 1.

    >>> bounds = hwang_shih_decani(0.025, -4, [1/3, 2/3, 1])
    >>> round((drift_for_power(bounds, 0.8) / (1.959964 + 0.841621)) ** 2, 4)
    1.0165
    """
    if not bounds.spent[-1] < power < 1:
        raise ValueError(f"The power is {power}, but it lies above alpha = {bounds.spent[-1]:g} and below 1.")
    return float(
        optimize.brentq(
            lambda drift: crossing(bounds.z, bounds.times, drift, bounds.sides).reached - power, 0.0, 20.0, xtol=1e-10
        )
    )


@dataclass(frozen=True, slots=True)
class _Walk:
    """The trials that went on after a look: `mass[i]` of them have the score `score[i]` at `time`."""

    drift: float
    sides: int
    time: float = 0.0
    score: Floats | None = None
    mass: Floats | None = None

    def reaches(self, bound: float, time: float) -> float:
        """The chance of reaching z = bound at the next look."""
        score = np.zeros(1) if self.score is None else self.score
        mass = np.ones(1) if self.mass is None else self.mass
        step = math.sqrt(time - self.time)
        mean = score + self.drift * (time - self.time)
        edge = bound * math.sqrt(time)
        above = special.ndtr((mean - edge) / step)
        below = special.ndtr((-edge - mean) / step) if self.sides == 2 else 0.0
        return float((mass * (above + below)).sum())

    def goes_on(self, bound: float, time: float) -> "_Walk":
        """Those that did not reach it."""
        score = np.zeros(1) if self.score is None else self.score
        mass = np.ones(1) if self.mass is None else self.mass
        step = math.sqrt(time - self.time)
        mean = score + self.drift * (time - self.time)
        edge, far = bound * math.sqrt(time), FAR * math.sqrt(time)
        high = min(edge, self.drift * time + far)
        low = max(-edge if self.sides == 2 else -math.inf, self.drift * time - far)
        if high <= low:  # everybody stopped
            return _Walk(self.drift, self.sides, time, np.zeros(1), np.zeros(1))
        nodes, weights = _gauss_legendre(2 + math.ceil(6 * (high - low) / step) // 32)
        at = low + (nodes + 1) * (high - low) / 2
        density = np.exp(-np.square((at[:, None] - mean[None, :]) / step) / 2) / (step * math.sqrt(2 * math.pi))
        return _Walk(self.drift, self.sides, time, at, weights * (high - low) / 2 * (density @ mass))


@cache
def _gauss_legendre(size: int) -> tuple[Floats, Floats]:
    """Nodes and weights of so many times 32 points; 6 points per standard deviation of a step are plenty."""
    nodes, weights = np.polynomial.legendre.leggauss(32 * size)
    return nodes, weights


def _classical(looks: int, alpha: float, sides: int, shape: Callable[[float], float]) -> Bounds:
    _require_sides(alpha, sides)
    count = whole_number(looks, "The number of looks")
    times = tuple(look / count for look in range(1, count + 1))
    shapes = [shape(time) for time in times]

    def excess(constant: float) -> float:
        return crossing([constant * one for one in shapes], times, 0.0, sides).reached - alpha

    least = -float(special.ndtri(alpha / sides))  # that of a single look
    highest = -float(special.ndtri(alpha / sides / count))  # Bonferroni's
    constant = least if count == 1 else float(optimize.brentq(excess, least - 1, highest + 1, xtol=1e-10))
    z = tuple(constant * one for one in shapes)
    spent = np.cumsum(crossing(z, times, 0.0, sides).first)
    return Bounds(times, z, tuple(float(one) for one in spent), sides)


def _spending(alpha: float, times: Sequence[float], sides: int, function: Callable[[float], float]) -> Bounds:
    at = _ascending(times)
    spent = [function(time) for time in at[:-1]] + [alpha]
    walk, z = _Walk(0.0, sides), []
    for before, now, time in zip([0.0, *spent], spent, at, strict=False):
        z.append(_bound(walk, now - before, time))
        walk = walk.goes_on(z[-1], time)
    return Bounds(tuple(at), tuple(z), tuple(spent), sides)


def _bound(walk: _Walk, share: float, time: float) -> float:
    if share <= 0:
        return math.inf  # nothing that a float can tell from zero is spent
    return float(optimize.brentq(lambda z: walk.reaches(z, time) - share, -FAR, 40.0, xtol=1e-11))


def _ascending(times: Sequence[float]) -> list[float]:
    at = [float(time) for time in times]
    if not at or not all(earlier < later for earlier, later in zip([0.0, *at], at, strict=False)):
        raise ValueError(f"The information fractions {at} do not ascend from above 0.")
    if abs(at[-1] - 1) > 1e-9:
        raise ValueError(f"The last information fraction is {at[-1]:g}, but the last look comes at 1.")
    return at


def _require_sides(alpha: float, sides: int) -> None:
    require_share(alpha, "Alpha")
    if sides not in (1, 2):
        raise ValueError(f"A test has 1 or 2 sides, not {sides!r}.")
