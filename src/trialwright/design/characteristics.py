"""What a design promises, computed: every scenario of its file, and the safety boundary of its protocol."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from trialwright.design.before_after import ChangePerformance, change_performances
from trialwright.design.one_arm import (
    ProportionPerformance,
    RatioPerformance,
    proportion_performances,
    ratio_performances,
)
from trialwright.design.scenarios import DesignDocument
from trialwright.design.two_arms import Performance, performances
from trialwright.protocol.protocol import Protocol
from trialwright.statistics.boundary import BoundaryTable, Characteristic, boundary_table, operating_characteristics

#: True rates at which the boundary is described, beside the acceptable one.
RATES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True, slots=True)
class Boundary:
    """The safety boundary: how many with an event pause the trial, and how often it does at a true rate."""

    table: BoundaryTable
    characteristics: tuple[Characteristic, ...]


@dataclass(frozen=True, slots=True)
class Characteristics:
    """Everything that was computed: `trials` per scenario and size, from `seed`."""

    trials: int
    seed: int
    two_arms: tuple[Performance, ...]
    ratio: tuple[RatioPerformance, ...]
    proportion: tuple[ProportionPerformance, ...]
    change: tuple[ChangePerformance, ...]
    boundary: Boundary | None


def characteristics(
    protocol: Protocol,
    design: DesignDocument,
    trials: int,
    seed: int,
    progress: Callable[[float], None] = lambda _: None,
    pool: Executor | None = None,
) -> Characteristics:
    """Every scenario of a design, simulated or exact; the same seed gives the same numbers on any pool, or on none."""
    two = design.two_arms
    covariates = protocol.document.analysis.covariates
    return Characteristics(
        trials,
        seed,
        tuple(performances(covariates, two, trials, seed, progress, pool)) if two else (),
        tuple(ratio_performances(design.ratio, trials, seed)) if design.ratio else (),
        tuple(proportion_performances(design.proportion)) if design.proportion else (),
        tuple(change_performances(design.change, trials, seed)) if design.change else (),
        _boundary(protocol),
    )


def _boundary(protocol: Protocol) -> Boundary | None:
    """The boundary of the protocol over as many participants as it plans, exactly."""
    part = protocol.document.safety.boundary
    if part is None:
        return None
    a, b = (float(one) for one in part.prior)
    table = boundary_table(protocol.document.design.enrolment, float(part.p0), float(part.threshold), a, b)
    rates = sorted({*RATES, float(part.p0)})
    return Boundary(table, tuple(operating_characteristics(table, rates)))
