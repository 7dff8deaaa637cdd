"""The boundary at which a safety event pauses a trial, and how often it does, without simulation."""

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from trialwright.statistics.arguments import ROUNDING, require_events


@dataclass(frozen=True, slots=True)
class BoundaryTable:
    """The least number of events that pauses a trial, for every number treated.

    `pause_at[n - 1]` belongs to n treated, and is None where not even n of n would pause. The trial pauses
    where the posterior Pr(p > p0), under a Beta(a, b) prior, exceeds the threshold.
    """

    p0: float
    threshold: float
    a: float
    b: float
    pause_at: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Characteristic:
    """What a boundary does where the true rate of the event is `rate`.

    `first_pause[n - 1]` is the chance that the first pause comes when n are treated; together they make
    `pauses`, the chance that the trial ever pauses. The rest, 1 - pauses, treats everybody.
    `expected_n` is the mean number treated at the first pause, or at the end.
    """

    rate: float
    pauses: float
    expected_n: float
    first_pause: tuple[float, ...]


def posterior_above(x: int, n: int, p0: float, a: float, b: float) -> float:
    """The posterior chance that the true rate exceeds p0, once x of n had the event.

    The upper tail at p0 of Beta(a + x, b + n - x): a Beta(a, b) prior is worth a events among a + b earlier
    participants. Thall and Simon 1994, Biometrics 50:337.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1, a p0 that is not between 0 and 1, or a
    prior without positive a and b.

    >>> round(posterior_above(1, 1, p0=0.10, a=0.3, b=1.7), 4)
    0.9092
    """
    require_events(x, n)
    _require_rule(p0, a, b)
    return _posterior(x, n, p0, a, b)


def _posterior(x: int, n: int, p0: float, a: float, b: float) -> float:
    return float(special.betaincc(a + x, b + n - x, p0))


def boundary_table(most: int, p0: float, threshold: float, a: float, b: float) -> BoundaryTable:
    """The boundary is the least number of events, for 1 to `most` treated, whose posterior exceeds the threshold.

    A posterior equal to the threshold does not pause. The posterior is that of `posterior_above`.

    Raises ValueError for fewer than one participant, a p0 or threshold that is not between 0 and 1, or a prior
    without positive a and b.

    >>> boundary_table(6, p0=0.10, threshold=0.90, a=0.3, b=1.7).pause_at
    (1, 2, 2, 2, 2, 2)
    """
    if _whole(most, "The number treated") < 1:
        raise ValueError(f"A boundary for {most} participants has no rows: at least one is treated.")
    _require_rule(p0, a, b)
    if not 0 < threshold < 1:
        raise ValueError(f"The threshold is {threshold}, but it lies between 0 and 1. Write 0.90 for 90 %.")
    pause_at: list[int | None] = []
    least = 0  # never falls as n grows: one more without the event only lowers the posterior
    for n in range(1, most + 1):
        while least <= n and _posterior(least, n, p0, a, b) <= threshold + ROUNDING:
            least += 1
        pause_at.append(least if least <= n else None)
    return BoundaryTable(p0, threshold, a, b, tuple(pause_at))


def crosses(table: BoundaryTable, x: int, n: int) -> bool:
    """The trial pauses where x of n treated had the event and the table says x or fewer.

    Raises ValueError for counts that are not 0 <= x <= n with n >= 1, or more treated than the table has.

    >>> table = boundary_table(12, p0=0.10, threshold=0.90, a=0.3, b=1.7)
    >>> crosses(table, 2, 12), crosses(table, 3, 12)
    (False, True)
    """
    require_events(x, n)
    if n > len(table.pause_at):
        raise ValueError(f"The table ends at {len(table.pause_at)} participants, but {n} were treated.")
    least = table.pause_at[n - 1]
    return least is not None and x >= least


def pause_ranges(pause_at: Sequence[int | None]) -> list[tuple[int, int, int]]:
    """How many women with an event pause the trial, from how many treated to how many.

    >>> pause_ranges([None, 2, 2, 3])
    [(2, 2, 3), (3, 4, 4)]
    """
    ranges: list[tuple[int, int, int]] = []
    for index, least in enumerate(pause_at):
        if least is None:
            continue
        if ranges and ranges[-1][0] == least:
            ranges[-1] = (least, ranges[-1][1], index + 1)
        else:
            ranges.append((least, index + 1, index + 1))
    return ranges


def operating_characteristics(
    table: BoundaryTable, rates: Sequence[float], looks: Sequence[int] | None = None
) -> tuple[Characteristic, ...]:
    """How often the boundary pauses the trial, and after how many, is exact for each true rate.

    One result for each of `rates`, in their order. `looks` are the numbers treated at which the boundary is
    consulted, ascending: after each participant, where none are given. Participants are taken as independent, a
    trial as over at its first pause. The method is that of `binomial_bounds`.

    Raises ValueError for a rate outside 0 to 1, or looks that do not ascend within the table.

    >>> table = boundary_table(12, p0=0.10, threshold=0.90, a=0.3, b=1.7)
    >>> good, bad = operating_characteristics(table, [0.10, 0.20])
    >>> round(good.pauses, 3), round(bad.pauses, 3), round(bad.expected_n, 2)
    (0.215, 0.549, 8.06)
    """
    most = len(table.pause_at)
    at = range(1, most + 1) if looks is None else looks
    _require_ascending(at, most)
    seen = set(at)
    bars = [least if n in seen else None for n, least in enumerate(table.pause_at, start=1)]
    return tuple(_characteristic(bars, rate) for rate in rates)


def binomial_bounds(bounds: Sequence[int], at: Sequence[int], rates: Sequence[float]) -> tuple[Characteristic, ...]:
    """How often events reach their bound at one of the looks is exact for each true rate.

    At the look after at[i] participants the trial pauses with bounds[i] or more events; it ends at the last
    look. One result for each of `rates`, in their order. The chances of 0, 1, 2... events in a trial not yet
    paused are carried from one participant to the next. Jennison and Turnbull 2000, Group Sequential Methods with
    Applications to Clinical Trials, chapter 12.

    Raises ValueError for bounds that are negative or not one for each look, looks that do not ascend from 1
    or later, or a rate outside 0 to 1.

    >>> (result,) = binomial_bounds([3, 4, 5], at=[4, 8, 12], rates=[0.2])
    >>> round(result.pauses, 4), round(result.expected_n, 3)
    (0.0999, 11.624)
    """
    if len(bounds) != len(at):
        raise ValueError(f"{len(bounds)} bounds do not belong to {len(at)} looks: each look has one.")
    if any(_whole(bound, "A bound") < 0 for bound in bounds):
        raise ValueError("A bound is negative, but it counts events.")
    _require_ascending(at)
    bound_at = dict(zip(at, bounds, strict=True))
    bars = [bound_at.get(n) for n in range(1, at[-1] + 1)]
    return tuple(_characteristic(bars, rate) for rate in rates)


def _characteristic(bars: Sequence[int | None], rate: float) -> Characteristic:
    """What bars[n - 1] after n participants do; None is no look, or nothing to reach."""
    if not 0 <= rate <= 1:
        raise ValueError(f"The true rate is {rate}, but it lies in 0 to 1. Write 0.10 for 10 %.")
    running = np.zeros(len(bars) + 1)  # running[x]: not yet paused, x events so far
    running[0] = 1.0
    first_pause = []
    for bar in bars:
        running[1:] = running[1:] * (1 - rate) + running[:-1] * rate
        running[0] *= 1 - rate
        reached = running[len(bars) + 1 if bar is None else bar :]
        first_pause.append(float(reached.sum()))
        reached[:] = 0.0
    at_pause = math.fsum(n * chance for n, chance in enumerate(first_pause, start=1))
    return Characteristic(
        rate=rate,
        pauses=min(1.0, math.fsum(first_pause)),
        expected_n=at_pause + len(bars) * float(running.sum()),
        first_pause=tuple(first_pause),
    )


def _require_rule(p0: float, a: float, b: float) -> None:
    if not 0 < p0 < 1:
        raise ValueError(f"The acceptable rate p0 is {p0}, but it lies between 0 and 1. Write 0.10 for 10 %.")
    if not (0 < a < math.inf and 0 < b < math.inf):
        raise ValueError(f"Beta({a}, {b}) is not a prior: both its numbers are above 0 and finite.")


def _require_ascending(looks: Sequence[int], most: int | None = None) -> None:
    whole = [_whole(look, "A look") for look in looks]
    if not whole:
        raise ValueError("A boundary that is never consulted pauses nothing: give at least one look.")
    if any(later <= earlier for earlier, later in zip([0, *whole], whole, strict=False)):
        raise ValueError(f"The looks {whole} do not ascend from 1 or later.")
    if most is not None and whole[-1] > most:
        raise ValueError(f"The table ends at {most} participants, but a look comes after {whole[-1]}.")


def _whole(value: int, name: str) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise ValueError(f"{name} is {value!r}, but it is a whole number.") from None
