"""Before and after in one arm: how far regression to the mean moves a change where a threshold let women in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.design.scenarios import ChangeDesign, ChangeScenario
from trialwright.statistics.paired import limit_depth

Floats = npt.NDArray[np.float64]
_CONFIDENCE = 0.95
#: Averages of two differences that are held at once.
_AT_ONCE = 4_000_000
#: What the value after may be compared with, and what share of the regression is left in the difference.
BASELINES = {"the value at screening": 1.0, "the mean of both values before": 0.5, "a value measured again": 0.0}


@dataclass(frozen=True, slots=True)
class ChangePerformance:
    """How the Hodges-Lehmann change did from one baseline, in the unit of the endpoint.

    `regression` is what regression to the mean adds, from theory; `bias` what the trials showed. `rejects` is how often
    the limits left 0 out: error where `effect` is 0, else power. `error` is the Monte Carlo error of the coverage.
    """

    scenario: str
    women: int
    baseline: str
    effect: float
    trials: int
    regression: float
    bias: float
    coverage: float
    rejects: float
    width: float
    error: float


def change_performances(design: ChangeDesign, trials: int, seed: int) -> list[ChangePerformance]:
    """Every scenario, size and baseline: one set of simulated women, compared with three values before."""
    return [
        _performance(name, scenario, women, baseline, trials, limits)
        for place, (name, scenario) in enumerate(design.scenarios.items())
        for women in design.women
        for baseline, limits in _limits(scenario, women, trials, (seed, place, women)).items()
    ]


def regression_to_the_mean(scenario: ChangeScenario) -> float:
    """What is expected of the next value less the one at screening, where nothing was done.

    With reliability r, spread s of a measured value and threshold t: (1 - r) s lambda, lambda the mean of a standard
    normal cut off at (t - mean) / s. James 1973, Biometrics 29:121.
    """
    if scenario.enters == "everybody":
        return 0.0
    spread = math.hypot(scenario.sd, scenario.error)
    side = 1.0 if scenario.enters == "below" else -1.0
    cut = side * (scenario.threshold - scenario.mean) / spread
    cut_off = math.exp(-cut * cut / 2) / math.sqrt(2 * math.pi) / float(special.ndtr(cut))
    return side * scenario.error**2 / spread * cut_off


def simulated_values(
    scenario: ChangeScenario, women: int, trials: int, seed: Sequence[int]
) -> tuple[Floats, Floats, Floats]:
    """Values at screening, measured again before treatment, and after it: trials x women who were let in.

    The value at screening is drawn from the part of its distribution that the threshold lets in, and the woman's own
    value from what that leaves open, so that nobody is drawn in vain.
    """
    chance = np.random.default_rng(list(seed))
    spread = math.hypot(scenario.sd, scenario.error)
    share = chance.random((trials, women))
    if scenario.enters != "everybody":
        side = 1.0 if scenario.enters == "below" else -1.0
        inside = float(special.ndtr(side * (scenario.threshold - scenario.mean) / spread))
        score = side * special.ndtri(share * inside)
    else:
        score = special.ndtri(share)
    screened = scenario.mean + spread * score
    reliability = scenario.sd**2 / spread**2
    own = scenario.mean + reliability * (screened - scenario.mean)
    own += scenario.sd * math.sqrt(1 - reliability) * chance.standard_normal(screened.shape)
    again, after = own + scenario.error * chance.standard_normal((2, *screened.shape))
    return screened, again, after + scenario.effect


def hodges_lehmann_limits(differences: Floats) -> tuple[Floats, Floats, Floats]:
    """Estimate, lower and upper limit per trial, as `statistics.paired.hodges_lehmann_signed_rank` gives them."""
    trials, women = differences.shape
    first, second = np.triu_indices(women)
    depth, number = limit_depth(women, _CONFIDENCE), first.size
    places = sorted({depth - 1, (number - 1) // 2, number // 2, number - depth})
    found = np.empty((3, trials))
    step = max(1, _AT_ONCE // number)
    for start in range(0, trials, step):
        some = differences[start : start + step]
        averages = np.partition((some[:, first] + some[:, second]) / 2, places, axis=1)
        middle = (averages[:, (number - 1) // 2] + averages[:, number // 2]) / 2
        found[:, start : start + step] = middle, averages[:, depth - 1], averages[:, number - depth]
    return found[0], found[1], found[2]


def _limits(
    scenario: ChangeScenario, women: int, trials: int, seed: Sequence[int]
) -> dict[str, tuple[Floats, Floats, Floats]]:
    screened, again, after = simulated_values(scenario, women, trials, seed)
    values = (screened, (screened + again) / 2, again)
    return {name: hodges_lehmann_limits(after - before) for name, before in zip(BASELINES, values, strict=True)}


def _performance(
    name: str, scenario: ChangeScenario, women: int, baseline: str, trials: int, limits: tuple[Floats, Floats, Floats]
) -> ChangePerformance:
    estimate, lower, upper = limits
    coverage = float(((lower <= scenario.effect) & (scenario.effect <= upper)).mean())
    return ChangePerformance(
        name, women, baseline, scenario.effect, trials, BASELINES[baseline] * regression_to_the_mean(scenario),
        float(estimate.mean()) - scenario.effect, coverage, float(((lower > 0) | (upper < 0)).mean()),
        float((upper - lower).mean()), math.sqrt(coverage * (1 - coverage) / trials),
    )  # fmt: skip
