"""Many trials simulated and analysed in batches, beside one by one in statsmodels and R; the exact boundary."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import special

from bench.row import Row, at_least, below, each, output_of, seconds, why
from bench.workplace import Workplace
from trialwright.statistics.batched import WeightedDifferences, overlap_weighted_differences
from trialwright.statistics.boundary import boundary_table, operating_characteristics
from trialwright.statistics.overlap import overlap_weighted_difference

Array = npt.NDArray[np.float64]

_TRIALS, _WOMEN, _COVARIATES, _BATCH = 10_000, 60, 5, 500
_TARGET, _BOUNDARY = at_least(25_000), below(1)
_BY_HAND = 200
_UNIT = "trials/s"
_SCRIPT = Path(__file__).with_name("trials.R")


def rows(at: Workplace) -> list[Row]:
    """Sixty women, two arms, five covariates that drive arm and outcome: the weighted difference with its interval."""
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(batch, range(4)))  # both processes have imported what they need
        two = tuple(_TRIALS / one for one in each(at.runs, lambda: _spread(pool)))
    one = tuple(_TRIALS / taken for taken in each(at.runs, lambda: [batch(seed) for seed in _seeds()]))
    alone = _loop(at.runs)
    beside, beside_r = _statsmodels(at.runs), _in_r(at.runs)
    named = f"{_TRIALS:,} trials of {_WOMEN}, {_COVARIATES} covariates, simulated and weighted"
    return [
        Row(f"{named}, two processes", _UNIT, two, _TARGET),
        Row("  in one process", _UNIT, one),
        Row("  one trial at a time, overlap_weighted_difference", _UNIT, alone),
        beside,
        _times(two, beside, "statsmodels"),
        beside_r,
        _times(two, beside_r, "R"),
        _boundary(at.runs),
    ]


def simulated(seed: int, trials: int) -> tuple[Array, Array, Array]:
    """Outcome, arm and covariates; confounding is moderate."""
    chance = np.random.default_rng(seed)
    covariates = chance.standard_normal((trials, _WOMEN, _COVARIATES))
    score = 0.3 * covariates.sum(axis=2)
    treated = (chance.random(score.shape) < special.expit(score)).astype(np.float64)
    outcome = (chance.random(score.shape) < special.expit(score - 1)).astype(np.float64)
    return outcome, treated, covariates


def batch(seed: int) -> tuple[float, int]:
    """One batch: the sum of its estimates, and how many trials were refused."""
    found: WeightedDifferences = overlap_weighted_differences(*simulated(seed, _BATCH))
    return float(found.estimate[~found.refused].sum()), int(found.refused.sum())


def _seeds() -> range:
    return range(_TRIALS // _BATCH)


def _spread(pool: ProcessPoolExecutor) -> list[tuple[float, int]]:
    return list(pool.map(batch, _seeds()))


def _loop(runs: int) -> tuple[float, ...]:
    def work() -> None:
        for trial in zip(*simulated(0, _BY_HAND), strict=True):
            overlap_weighted_difference(*trial)

    return tuple(_BY_HAND / taken for taken in each(runs, work))


def _statsmodels(runs: int) -> Row:
    """A loop over `Logit`, with the sandwich by hand."""
    name = "  a loop over statsmodels Logit, the sandwich by hand"
    try:
        from statsmodels.discrete.discrete_model import Logit
    except ModuleNotFoundError:
        return Row(name, _UNIT, (), note="statsmodels is not installed")

    def work() -> None:
        for y, z, x in zip(*simulated(0, _BY_HAND), strict=True):
            design = np.column_stack([np.ones(_WOMEN), x])
            fitted = Logit(z, design).fit(disp=0)
            _sandwich(y, z, design, fitted.predict(), fitted.cov_params())

    return Row(name, _UNIT, tuple(_BY_HAND / taken for taken in each(runs, work)))


def _sandwich(y: Array, z: Array, design: Array, e: Array, covariance: Array) -> tuple[float, float]:
    weights1, weights0 = z * (1 - e), (1 - z) * e
    risk1, risk0 = np.average(y, weights=weights1), np.average(y, weights=weights0)
    residual1 = weights1 * (y - risk1) / weights1.sum()
    residual0 = weights0 * (y - risk0) / weights0.sum()
    pull = design.T @ (-e * residual1 - (1 - e) * residual0)
    influence = residual1 - residual0 + (z - e) * (design @ (covariance @ pull))
    n, columns = design.shape
    error = float(np.sqrt(np.square(influence).sum() * n / (n - columns)))
    return float(risk1 - risk0), error * float(special.stdtrit(n - columns, 0.975))


def _in_r(runs: int) -> Row:
    """A loop over `glm.fit`, with the sandwich by hand, where R is installed."""
    name = "  a loop over R glm.fit, the sandwich by hand"
    r = shutil.which("Rscript")
    if r is None:
        return Row(name, _UNIT, (), note="R is not installed")
    try:
        return Row(name, _UNIT, tuple(float(output_of([r, "--vanilla", _SCRIPT])) for _ in range(runs)))
    except subprocess.CalledProcessError as failed:
        return Row(name, _UNIT, (), note=why(failed))


def _times(ours: tuple[float, ...], beside: Row, name: str) -> Row:
    label = f"  two processes, so many times as fast as {name}"
    if not beside.values:
        return Row(label, "×", (), note=beside.note)
    return Row(label, "×", tuple(one / other for one, other in zip(ours, beside.values, strict=True)))


def _boundary(runs: int) -> Row:
    """What a scenario costs: the chances of one true rate for twelve women."""
    table = boundary_table(12, p0=0.2, threshold=0.9, a=0.4, b=1.6)
    rates = [float(rate) for rate in np.linspace(0.01, 0.6, 200)]
    taken = each(runs, lambda: operating_characteristics(table, rates))
    return Row(
        "exact boundary, a scenario of 12 women", "ms", tuple(1000 * one / len(rates) for one in taken), _BOUNDARY
    )


def main() -> int:
    """`python -m bench.trials`: how fast one process is, in processor time, where others use the machine too."""
    started = time.process_time()
    taken = seconds(lambda: [batch(seed) for seed in _seeds()])
    spent = time.process_time() - started
    print(f"{_TRIALS / taken:,.0f} {_UNIT} by the clock, {_TRIALS / spent:,.0f} by processor time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
