"""The table as people read it, and as JSON."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.row import Row

_HEAD = ("", "target", "min", "median", "max", "unit", "")


def machine() -> dict[str, object]:
    """What the figures were measured on, and how busy it was when the measurement began."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "temporary files": tempfile.gettempdir(),
        "load": [round(one, 2) for one in os.getloadavg()] if hasattr(os, "getloadavg") else None,
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def text(groups: Mapping[str, Sequence[Row]], measured_on: Mapping[str, object], runs: int) -> str:
    """One table: a heading per group, a line per row."""
    cells = {name: [_cells(row) for row in rows] for name, rows in groups.items()}
    lines = [_HEAD, *(line for group in cells.values() for line in group)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    told = [", ".join(f"{name} {value}" for name, value in measured_on.items()), f"{runs} runs of each", ""]
    told.append(_line(_HEAD, widths))
    for name, group in cells.items():
        told += [name, *(_line(line, widths) for line in group)]
    missed = sum(row.verdict == "missed" for rows in groups.values() for row in rows)
    held = sum(row.target is not None for rows in groups.values() for row in rows)
    return "\n".join([*told, "", f"{missed} of {held} targets missed, by the median"])


def _cells(row: Row) -> tuple[str, ...]:
    target = f"{row.target.says} {_number(row.target.number)}" if row.target else ""
    values = [_number(value) for value in (min(row.values), row.median, max(row.values))] if row.values else [""] * 3
    remark = f"{row.verdict}: {row.note}" if row.verdict and row.note else row.verdict or row.note
    return f"  {row.name}", target, *values, row.unit, remark


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers, unit, remark = cells
    columns = [number.rjust(width) for number, width in zip(numbers, widths[1:5], strict=True)]
    return "  ".join([name.ljust(widths[0]), *columns, unit.ljust(widths[5]), remark]).rstrip()


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def data(groups: Mapping[str, Sequence[Row]], measured_on: Mapping[str, object], runs: int) -> dict[str, object]:
    """The same for machines: every value of every run."""
    return {
        "machine": dict(measured_on),
        "runs": runs,
        "rows": [
            {
                "group": name,
                "name": row.name.strip(),
                "unit": row.unit,
                "target": f"{row.target.says} {row.target.number:g}" if row.target else None,
                "values": list(row.values),
                "median": row.median if row.values else None,
                "verdict": row.verdict or None,
                "note": row.note or None,
            }
            for name, rows in groups.items()
            for row in rows
        ],
    }
