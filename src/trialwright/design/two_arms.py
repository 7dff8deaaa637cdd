"""Two arms that were not randomised: bias, coverage and power of the primary analysis, by simulated trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.design.scenarios import TwoArmDesign, TwoArmScenario, correlation_matrix
from trialwright.statistics.batched import overlap_weighted_differences

Floats = npt.NDArray[np.float64]

#: Trials that one process works on before it tells how far it is.
BATCH = 2_000
#: Women by whom the true difference in the overlap population is computed, per scenario.
_CROWD = 1_000_000
_Z = float(special.ndtri(0.975))


@dataclass(frozen=True, slots=True)
class Performance:
    """How an estimator did in some trials of one scenario and size.

    `bias` and `width` are in risk differences; `coverage` is how often the interval held the truth, `rejects` how
    often it left 0 out: the two-sided type I error where the truth is 0, else power. Shares are of `estimated` trials;
    `refused` could not be estimated. `error` is the Monte Carlo standard error of the coverage.
    """

    scenario: str
    women: int
    estimator: str
    truth: float
    trials: int
    estimated: int
    refused: int
    bias: float
    coverage: float
    rejects: float
    width: float
    poor_overlap: float | None
    error: float


@dataclass(frozen=True, slots=True)
class _Job:
    names: tuple[str, ...]
    design: TwoArmDesign
    scenario: str
    women: int
    trials: int
    seed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Tally:
    """Sums over some trials of one estimator: estimated, refused, estimate, covers, rejects, width, poor overlap."""

    estimated: int
    refused: int
    estimate: float
    covers: int
    rejects: int
    width: float
    poor: int

    def __add__(self, other: _Tally) -> _Tally:
        return _Tally(
            self.estimated + other.estimated, self.refused + other.refused, self.estimate + other.estimate,
            self.covers + other.covers, self.rejects + other.rejects, self.width + other.width, self.poor + other.poor,
        )  # fmt: skip


NAIVE, WEIGHTED = "unadjusted difference, Wald", "overlap weights, t(n - p - 1)"


def performances(
    names: Sequence[str],
    design: TwoArmDesign,
    trials: int,
    seed: int,
    progress: Callable[[float], None] = lambda _: None,
    pool: Executor | None = None,
) -> list[Performance]:
    """Both estimators in every scenario and size, each trial simulated and analysed.

    `names` are the covariates of the analysis in their order. The same seed gives the same numbers, whatever the
    number of workers in the pool; without one the trials run here. `progress` is told the share that is done.
    """
    truths = {name: true_difference(tuple(names), design, one) for name, one in design.scenarios.items()}
    jobs = [
        _Job(tuple(names), design, name, women, min(BATCH, trials - start), (seed, place, women, start))
        for place, name in enumerate(design.scenarios)
        for women in design.women
        for start in range(0, trials, BATCH)
    ]
    sums: dict[tuple[str, int, str], _Tally] = {}
    arguments = [(job, truths[job.scenario]) for job in jobs]
    results = pool.map(_run, arguments) if pool else map(_run, arguments)
    for done, (job, tallies) in enumerate(zip(jobs, results, strict=True), 1):
        for estimator, tally in tallies.items():
            key = (job.scenario, job.women, estimator)
            sums[key] = sums[key] + tally if key in sums else tally
        progress(done / len(jobs))
    return [_performance(key, tally, truths[key[0]], trials) for key, tally in sums.items()]


def true_difference(names: tuple[str, ...], design: TwoArmDesign, scenario: TwoArmScenario) -> float:
    """The difference of risks in the overlap population, by a crowd of its own: E e(1-e)(p1-p0) / E e(1-e).

    Its Monte Carlo error is below 0.0005. 0 exactly where both odds ratios are 1. Where transfers are modelled, a risk
    is that of coming to one and having the outcome: of every woman, whatever the analysis makes of those without.
    """
    if scenario.odds_ratio == scenario.transfer_odds_ratio == 1:
        return 0.0
    x = _covariates(np.random.default_rng(20_260_101), (_CROWD,), names, design)
    e, p0, p1 = _risks(x, names, design, scenario)
    if scenario.transfer is not None:
        t0, t1 = _transfers(x, names, scenario)
        p0, p1 = t0 * p0, t1 * p1
    overlap = e * (1 - e)
    return float((overlap * (p1 - p0)).sum() / overlap.sum())


def simulated(
    names: tuple[str, ...], design: TwoArmDesign, scenario: TwoArmScenario, women: int, trials: int, seed: Sequence[int]
) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
    """Outcomes, arms, covariates and who is known: trials x women, and x covariates."""
    chance = np.random.default_rng(list(seed))
    x = _covariates(chance, (trials, women), names, design)
    e, p0, p1 = _risks(x, names, design, scenario)
    treated = (chance.random(e.shape) < e).astype(np.float64)
    outcome = (chance.random(e.shape) < np.where(treated == 1, p1, p0)).astype(np.float64)
    unknown = chance.random(e.shape)
    if scenario.transfer is not None:
        t0, t1 = _transfers(x, names, scenario)
        came = chance.random(e.shape) < np.where(treated == 1, t1, t0)
        outcome *= came
    known = unknown >= _missing(x, names, scenario, outcome, treated)
    if scenario.transfer is not None and scenario.without_transfer == "missing":
        known &= came
    return outcome, treated, x, known


def _missing(x: Floats, names: tuple[str, ...], scenario: TwoArmScenario, outcome: Floats, treated: Floats) -> Floats:
    """Each woman's chance that her outcome stays unknown."""
    if not scenario.missing:
        return np.zeros(outcome.shape)
    score = special.logit(scenario.missing) + x @ _slopes(names, scenario.missing_by)
    score = score + scenario.missing_if_outcome * outcome + scenario.missing_if_treated * treated
    chances: Floats = special.expit(score)
    return chances


def _transfers(x: Floats, names: tuple[str, ...], scenario: TwoArmScenario) -> tuple[Floats, Floats]:
    """Each woman's chance to come to a transfer in time, in the control and in the experimental arm."""
    score = special.logit(scenario.transfer) + x @ _slopes(names, scenario.transfer_by)
    return special.expit(score), special.expit(score + math.log(scenario.transfer_odds_ratio))


def _slopes(names: tuple[str, ...], part: Mapping[str, float]) -> Floats:
    return np.array([part.get(name, 0.0) for name in names])


def _covariates(
    chance: np.random.Generator, shape: tuple[int, ...], names: tuple[str, ...], design: TwoArmDesign
) -> Floats:
    root = np.linalg.cholesky(correlation_matrix(names, design.correlations))
    return chance.standard_normal((*shape, len(names))) @ root.T


def _risks(
    x: Floats, names: tuple[str, ...], design: TwoArmDesign, scenario: TwoArmScenario
) -> tuple[Floats, Floats, Floats]:
    """The chance of the experimental arm, and of the outcome without and with it."""
    e = special.expit(special.logit(design.treated) + x @ _slopes(names, scenario.allocation))
    score = special.logit(scenario.control) + x @ _slopes(names, scenario.outcome)
    return e, special.expit(score), special.expit(score + math.log(scenario.odds_ratio))


def _run(asked: tuple[_Job, float]) -> dict[str, _Tally]:
    job, truth = asked
    scenario = job.design.scenarios[job.scenario]
    outcome, treated, x, known = simulated(job.names, job.design, scenario, job.women, job.trials, job.seed)
    if not known.all():
        return _with_missing(outcome, treated, x, known, truth)
    found = overlap_weighted_differences(outcome, treated, x)
    weighted = _tally(found.estimate, found.lower, found.upper, truth, found.poor_overlap)
    return {NAIVE: _naive(outcome, treated, np.ones_like(outcome), truth), WEIGHTED: weighted}


def _with_missing(
    outcome: Floats, treated: Floats, x: Floats, known: npt.NDArray[np.bool_], truth: float
) -> dict[str, _Tally]:
    """Trials whose women with an outcome are as many are analysed together."""
    weighted: _Tally | None = None
    sizes = known.sum(axis=1)
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        inside = np.argsort(~known[rows], axis=1, kind="stable")[:, :size]
        y, z = (np.take_along_axis(values[rows], inside, axis=1) for values in (outcome, treated))
        covariates = np.take_along_axis(x[rows], inside[:, :, None], axis=1)
        found = overlap_weighted_differences(y, z, covariates)
        tally = _tally(found.estimate, found.lower, found.upper, truth, found.poor_overlap)
        weighted = tally if weighted is None else weighted + tally
    assert weighted is not None, "at least one trial is simulated"
    return {NAIVE: _naive(outcome, treated, known.astype(np.float64), truth), WEIGHTED: weighted}


def _naive(outcome: Floats, treated: Floats, known: Floats, truth: float) -> _Tally:
    """The difference of the arms' shares with Wald limits, as somebody reports who adjusts for nothing."""
    risks, variances = [], []
    with np.errstate(invalid="ignore", divide="ignore"):
        for arm in (treated * known, (1 - treated) * known):
            n = arm.sum(axis=1)
            risk = (arm * outcome).sum(axis=1) / n
            risks.append(risk)
            variances.append(risk * (1 - risk) / n)
    estimate, reach = risks[0] - risks[1], _Z * np.sqrt(variances[0] + variances[1])
    return _tally(estimate, estimate - reach, estimate + reach, truth, np.zeros(estimate.shape, dtype=np.bool_))


def _tally(estimate: Floats, lower: Floats, upper: Floats, truth: float, poor: npt.NDArray[np.bool_]) -> _Tally:
    there = np.isfinite(estimate)
    e, low, high = estimate[there], lower[there], upper[there]
    return _Tally(
        int(there.sum()), int((~there).sum()), float(e.sum()), int(((low <= truth) & (truth <= high)).sum()),
        int(((low > 0) | (high < 0)).sum()), float((high - low).sum()), int(poor[there].sum()),
    )  # fmt: skip


def _performance(key: tuple[str, int, str], tally: _Tally, truth: float, trials: int) -> Performance:
    scenario, women, estimator = key
    n = tally.estimated
    if n == 0:
        nan = math.nan
        return Performance(scenario, women, estimator, truth, trials, 0, tally.refused, nan, nan, nan, nan, None, nan)
    coverage = tally.covers / n
    poor = tally.poor / n if estimator == WEIGHTED else None
    return Performance(
        scenario, women, estimator, truth, trials, n, tally.refused, tally.estimate / n - truth, coverage,
        tally.rejects / n, tally.width / n, poor, math.sqrt(coverage * (1 - coverage) / n),
    )  # fmt: skip
