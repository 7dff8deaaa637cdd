"""The interpreters beside the reference: what is proved of a protocol, and its criteria over a whole population.

Each works in a process of its own, so that its libraries burden no other row.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.row import Row, Target, below, child, why
from bench.workplace import PROTOCOLS, Workplace

#: The matrix that is set beside SQL written by hand, and how it grows.
_SIZE, _SMALL, _LONG = 100_000, 10_000, 1_000_000
#: CPU time of a compiled matrix as a multiple of that of SQL written by hand.
_BESIDE = 1.5
#: CPU time per participant, as a multiple of that for the fewest.
_LINEAR = 1.5


def proofs(at: Workplace) -> list[Row]:
    """`prove` for each protocol."""
    return [row for place in PROTOCOLS for row in _child(at, "proving", place, {f"prove {place.name}": below(5)})]


def populations(at: Workplace) -> list[Row]:
    """Criteria compiled for each protocol; a status matrix beside SQL written by hand, and how it grows."""
    compiled = []
    for place in PROTOCOLS:
        names = {f"compile_criteria {place.name}": below(1), "  and its SQL written": None}
        compiled += _child(at, "compiling", place, names)
    try:
        sizes = {size: _measured(size, at.runs) for size in (_SMALL, _SIZE)}
    except subprocess.CalledProcessError as failed:
        return [*compiled, Row(f"six criteria, {_SIZE:,} participants", "CPU s", (), below(_BESIDE), why(failed))]
    rows = [*compiled, *_matrix(sizes[_SIZE])]
    if not at.long:
        return [*rows, *_growth(sizes)]
    try:
        return [*rows, *_growth({**sizes, _LONG: _measured(_LONG, 1)})]
    except subprocess.CalledProcessError as failed:
        return [*rows, *_growth(sizes), Row(f"six criteria, {_LONG:,} participants", "CPU s", (), note=why(failed))]


def _child(at: Workplace, module: str, place: Path, names: dict[str, Target | None]) -> list[Row]:
    """A row for each number that a child prints."""
    try:
        columns = zip(*(child(module, place) for _ in range(at.runs)), strict=True)
    except subprocess.CalledProcessError as failed:
        return [Row(name, "s", (), target, why(failed)) for name, target in names.items()]
    return [Row(name, "s", taken, target) for (name, target), taken in zip(names.items(), columns, strict=True)]


@dataclass(frozen=True, slots=True)
class _Measured:
    """One size of the matrix: peak memory in MB, and CPU seconds of the three ways, run by run."""

    peak: float
    by_hand: tuple[float, ...]
    by_compile: tuple[float, ...]
    end_to_end: tuple[float, ...]


def _measured(size: int, runs: int) -> _Measured:
    peak, *taken = child("population", str(size), str(runs))
    return _Measured(peak, tuple(taken[0::3]), tuple(taken[1::3]), tuple(taken[2::3]))


def _matrix(found: _Measured) -> list[Row]:
    ratio = tuple(ours / theirs for ours, theirs in zip(found.end_to_end, found.by_hand, strict=True))
    return [
        Row(f"six criteria, {_SIZE:,} participants, SQL by hand", "CPU s", found.by_hand),
        Row("  SQL that compile writes", "CPU s", found.by_compile),
        Row("  compile, end to end", "CPU s", found.end_to_end),
        Row("  end to end, so many times as long as by hand", "×", ratio, below(_BESIDE), "the aim is 1.0"),
    ]


def _growth(sizes: dict[int, _Measured]) -> list[Row]:
    fewest = median(sizes[_SMALL].by_compile) / _SMALL * 1e6
    times, peaks = [], []
    for size, found in sizes.items():
        each = tuple(taken / size * 1e6 for taken in found.by_compile)
        slowest = below(_LINEAR * fewest) if size > _SMALL else None
        times.append(Row(f"SQL that compile writes, per participant, {size:,} of them", "CPU µs", each, slowest))
        peaks.append(Row(f"peak memory of the process, {size:,} participants", "MB", (found.peak,)))
    return [*times, *peaks]
