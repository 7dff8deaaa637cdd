"""One row of the table, and the ways to fill it: a clock around a call, a process or a passage of work."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """What was promised: the median stays below a number, or reaches it."""

    says: Literal["<", ">="]
    number: float


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured: a value per run, in a unit. Without values, `note` says why there are none."""

    name: str
    unit: str
    values: tuple[float, ...]
    target: Target | None = None
    note: str = ""

    @property
    def median(self) -> float:
        """The value that the target is held against."""
        return median(self.values)

    @property
    def verdict(self) -> str:
        """Whether the median meets the target."""
        if not self.values:
            return "not measured"
        if self.target is None:
            return ""
        met = self.median < self.target.number if self.target.says == "<" else self.median >= self.target.number
        return "met" if met else "missed"


def below(number: float) -> Target:
    """The target of a time or a size."""
    return Target("<", number)


def at_least(number: float) -> Target:
    """The target of a rate."""
    return Target(">=", number)


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def cpu_seconds(work: Callable[[], object]) -> float:
    """The CPU seconds of one call, all threads together: what else runs on the machine hardly counts."""
    started = time.process_time()
    work()
    return time.process_time() - started


def each(
    runs: int,
    work: Callable[[], object],
    warm_up: bool = True,
    clock: Callable[[Callable[[], object]], float] = seconds,
) -> tuple[float, ...]:
    """How long a call takes by a clock, run by run, after one that does not count."""
    if warm_up:
        work()
    return tuple(clock(work) for _ in range(runs))


def output_of(words: Sequence[str | Path]) -> str:
    """What a process prints; `CalledProcessError` where it fails."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def child(module: str, *words: str | Path) -> list[float]:
    """The numbers that a module of this folder prints when it is run in a fresh process."""
    return [float(word) for word in output_of([sys.executable, "-m", f"bench.{module}", *words]).split()]


def why(failed: subprocess.CalledProcessError) -> str:
    """Why a process failed, by the last line that it said."""
    lines = str(failed.stderr).strip().splitlines() or [f"exit code {failed.returncode}"]
    return f"it failed: {lines[-1]}"
