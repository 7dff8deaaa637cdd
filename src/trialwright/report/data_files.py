"""The data behind every table and figure of the report, as CSV files that a spreadsheet opens safely."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from typing import Any, TypeAlias

from trialwright.core.truth import Truth
from trialwright.report.board import Board
from trialwright.report.study import Study
from trialwright.views.endpoints import endpoint_table

#: A heading, and a row of values for each line.
Table: TypeAlias = tuple[Sequence[str], Iterable[Sequence[object]]]

#: How a spreadsheet would begin a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def data_files(study: Study, board: Board) -> dict[str, str]:
    """Each file's name and its text: what it holds is in its heading, one row per line."""
    analysis = study.analysis
    tables = {
        "plan.csv": _table(analysis.plan),
        "analysis-sets.csv": _table(study.sets),
        "screening.csv": _table(study.screening),
        "baseline.csv": _baseline(study),
        "figures.csv": _table(analysis.figures),
        "comparisons.csv": _table(analysis.comparisons),
        "endpoints.csv": _endpoints(study),
        "funnel.csv": _table(analysis.funnel),
        "core-outcomes.csv": _table(study.core),
        "adverse-events.csv": _table(study.adverse_events),
        "deviations.csv": _table(study.deviations),
        "worklist.csv": _table(study.worklist),
        "infusions.csv": _table(board.infusions),
    }
    if analysis.weights is not None:
        tables["weights.csv"] = ("participant", "arm", "propensity", "weight"), analysis.weights.women
    if board.boundary is not None:
        tables["boundary.csv"] = _table(board.boundary.steps)
    virtual = study.header.kind == "virtual"
    return {name: _text(*(_marked(*table) if virtual else table)) for name, table in tables.items() if table[0]}


def _marked(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """The same with a column that says of every row that it is virtual."""
    return (*heading, "virtual"), ((*row, "yes") for row in rows)


def _baseline(study: Study) -> Table:
    heading = ("variable", "label", "unit", "arm", "n", "mean", "sd", "difference", "difference_weighted")
    return heading, [
        (row.name, row.label, row.unit, arm, *told, row.difference, row.difference_weighted)
        for row in study.analysis.baseline
        for arm, told in row.by_arm.items()
    ]


def _endpoints(study: Study) -> Table:
    """Every participant's value of every endpoint: a truth, or numerator and denominator, or after and before."""
    heading = ("endpoint", "participant", "arm", "answer", "first", "second", "still_open")
    rows = []
    for name, document in study.cut.protocol.document.endpoints.items():
        for row in endpoint_table(study.cut, name):
            answer = getattr(row.value, "truth", None) if document.proportion else None
            rows.append((name, row.participant, row.arm, answer, row.first, row.second, row.still_open))
    return heading, rows


def rows_csv(records: Sequence[Any]) -> str:
    """Frozen records as the lines of a CSV file, a column per field; nothing where there is none."""
    return _text(*_table(records)) if records else ""


def _table(records: Sequence[Any]) -> Table:
    """A column per field; no heading where there is no record."""
    heading = [one.name for one in fields(records[0])] if records else []
    return heading, ([getattr(one, name) for name in heading] for one in records)


def _text(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def cell(value: object) -> object:
    """A value as a cell: no list of Python's, no text that a spreadsheet would run."""
    match value:
        case None:
            return ""
        case bool() | Truth():
            return {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else value.value
        case int() | float():
            return f"{value:.10g}" if isinstance(value, float) else value
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
        case Mapping():
            return cell("; ".join(f"{key}: {cell(inner)}" for key, inner in value.items()))
        case tuple() | list():
            return cell("; ".join(str(cell(inner)) for inner in value))
        case _ if is_dataclass(value) and not isinstance(value, type):
            return cell(asdict(value))
        case _:
            return cell(str(value))
