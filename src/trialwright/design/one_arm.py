"""One arm: coverage of a ratio clustered in women by simulated trials, of a proportion by enumeration."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from trialwright.design.scenarios import LossScenario, ProportionDesign, RatioDesign, RatioScenario
from trialwright.statistics.binomial import clopper_pearson_upper

Floats = npt.NDArray[np.float64]
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class RatioPerformance:
    """How the limits of a ratio did: how often they hold it, how wide they are, and how often there are none.

    `coverage` is of `estimated` trials; `pooled` the same of exact limits that ignore who is whose. `error` is the
    Monte Carlo standard error of the coverage.
    """

    scenario: str
    women: int
    ratio: float
    alike: float
    trials: int
    estimated: int
    without_limits: int
    bias: float
    coverage: float
    pooled: float
    width: float
    error: float


@dataclass(frozen=True, slots=True)
class ProportionPerformance:
    """What a proportion among so many women shows at a true rate, exactly.

    `coverage` of the Clopper-Pearson limits, the chance of seeing nobody, and the expected one-sided upper limit.
    `lost` names the way in which women are lost, empty where nobody is; `bias` is that of the share, and
    `nobody_known` the chance that everybody is lost, which counts for no coverage.
    """

    lost: str
    women: int
    rate: float
    bias: float
    nobody_known: float
    coverage: float
    nobody: float
    upper_if_nobody: float
    expected_width: float


def ratio_performances(design: RatioDesign, trials: int, seed: int) -> list[RatioPerformance]:
    """The ratio of sums with logit limits, t(k - 1), in every scenario and size; beside it the pooled one."""
    return [
        _ratio(name, scenario, women, trials, (seed, place, women))
        for place, (name, scenario) in enumerate(design.scenarios.items())
        for women in design.women
    ]


def simulated_counts(scenario: RatioScenario, women: int, trials: int, seed: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Numerators and denominators, trials x women: Poisson denominators, beta-binomial numerators."""
    chance = np.random.default_rng(list(seed))
    denominators = chance.poisson(scenario.mean, (trials, women))
    if scenario.alike:
        size = 1 / scenario.alike - 1
        shares = chance.beta(scenario.ratio * size, (1 - scenario.ratio) * size, denominators.shape)
    else:
        shares = np.full(denominators.shape, scenario.ratio)
    return chance.binomial(denominators, shares).astype(np.float64), denominators.astype(np.float64)


def logit_limits(numerators: Floats, denominators: Floats) -> tuple[Floats, Floats, Floats]:
    """Estimate, lower and upper limit per trial, as `statistics.clustered.ratio_logit_t`; NaN where it gives none."""
    k = (denominators > 0).sum(axis=1).astype(np.float64)
    total = denominators.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = numerators.sum(axis=1) / total
        squares = np.square(numerators - ratio[:, None] * denominators).sum(axis=1)
        error = np.sqrt(k / (k - 1) * squares) / total
        reach = special.stdtrit(k - 1, (1 + _CONFIDENCE) / 2) * error / (ratio * (1 - ratio))
        centre = special.logit(ratio)
        lower, upper = special.expit(centre - reach), special.expit(centre + reach)
    none = ~(np.isfinite(reach) & (reach > 1e-12))
    lower[none] = upper[none] = np.nan
    return ratio, lower, upper


def _ratio(name: str, scenario: RatioScenario, women: int, trials: int, seed: tuple[int, ...]) -> RatioPerformance:
    numerators, denominators = simulated_counts(scenario, women, trials, seed)
    ratio, lower, upper = logit_limits(numerators, denominators)
    there = np.isfinite(lower)
    if not there.any():
        nan = math.nan
        return RatioPerformance(name, women, scenario.ratio, scenario.alike, trials, 0, trials, nan, nan, nan, nan, nan)
    holds = (lower[there] <= scenario.ratio) & (scenario.ratio <= upper[there])
    x, n = numerators.sum(axis=1)[there], denominators.sum(axis=1)[there]
    tail = (1 - _CONFIDENCE) / 2
    below = np.where(x == 0, 0.0, special.betaincinv(np.maximum(x, 0.5), n - x + 1, tail))
    above = np.where(x == n, 1.0, special.betaincinv(x + 1, np.maximum(n - x, 0.5), 1 - tail))
    pooled = float(((below <= scenario.ratio) & (scenario.ratio <= above)).mean())
    coverage = float(holds.mean())
    return RatioPerformance(
        name, women, scenario.ratio, scenario.alike, trials, int(there.sum()), int((~there).sum()),
        float(ratio[there].mean()) - scenario.ratio, coverage, pooled, float((upper - lower)[there].mean()),
        math.sqrt(coverage * (1 - coverage) / int(there.sum())),
    )  # fmt: skip


def proportion_performances(design: ProportionDesign) -> list[ProportionPerformance]:
    """Every size and rate, by adding up the chance of every number of women; nobody lost first, then each way."""
    return [
        _proportion(name, scenario, women, rate)
        for name, scenario in {"": None, **design.lost}.items()
        for women in design.women
        for rate in design.rates
    ]


def _proportion(name: str, lost: LossScenario | None, women: int, rate: float) -> ProportionPerformance:
    """Whoever is lost and counts as no leaves a binomial of a lower rate; whoever is excluded, one of fewer women."""
    if lost is None:
        shown, known = rate, 1.0
    elif lost.counts == "no":
        shown, known = rate * (1 - lost.with_event), 1.0
    else:
        known = rate * (1 - lost.with_event) + (1 - rate) * (1 - lost.without_event)
        shown = rate * (1 - lost.with_event) / known
    nobody_known = (1 - known) ** women
    seen = coverage = width = none = upper = 0.0
    for left, chance in _likely(women, known):
        chances = chance * stats.binom.pmf(np.arange(left + 1), left, shown)
        lower, upper_limit = _clopper_pearson(left)
        holds = (lower <= rate) & (rate <= upper_limit)
        seen += chance
        coverage += float(chances[holds].sum())
        width += float((chances * (upper_limit - lower)).sum())
        none += float(chances[0])
        upper += chance * clopper_pearson_upper(0, left)
    return ProportionPerformance(
        name, women, rate, shown - rate, nobody_known, coverage / seen, none / seen, upper / seen, width / seen
    )


#: Numbers of women with a known answer less likely than this are passed over.
_UNLIKELY = 1e-12


def _likely(women: int, known: float) -> list[tuple[int, float]]:
    """How many women may be left, at least one, and the chance of it."""
    if known == 1:
        return [(women, 1.0)]
    chances = stats.binom.pmf(np.arange(women + 1), women, known)
    return [(left, float(chance)) for left, chance in enumerate(chances) if left and chance > _UNLIKELY]


def _clopper_pearson(women: int) -> tuple[Floats, Floats]:
    """The limits of `statistics.binomial.clopper_pearson` for every number of women with the event."""
    x, tail = np.arange(women + 1.0), (1 - _CONFIDENCE) / 2
    lower = np.where(x == 0, 0.0, special.betaincinv(np.maximum(x, 0.5), women - x + 1, tail))
    upper = np.where(x == women, 1.0, special.betaincinv(x + 1, np.maximum(women - x, 0.5), 1 - tail))
    return lower, upper
