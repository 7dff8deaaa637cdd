"""The report as JSON: every figure with numerator, denominator, unit of analysis and analysis set."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from trialwright.report.study import Study


def report_json(study: Study) -> str:
    """The text of `report.json`: keys in a fixed order, numbers to ten digits, so that two runs can be compared."""
    return json.dumps(_rounded(report_data(study)), ensure_ascii=False, indent=2) + "\n"


def report_data(study: Study) -> dict[str, Any]:
    """The report as plain data."""
    document, header = study.cut.protocol.document, study.header
    return {
        "virtual": header.kind == "virtual",
        "trial": header.trial,
        "title": document.title,
        "protocol": {"version": document.version, "digest": study.cut.protocol.digest},
        "software": header.software,
        "scenario": header.scenario,
        "seed": header.seed,
        "cut_off": str(study.cut.today),
        "as_known_at": study.known or None,
        "checkpoint": {"seq": study.checkpoint.seq, "digest": study.checkpoint.digest},
        "answers": {
            question: {"answer": given.answer, "by": given.by, "on": given.on, "event": given.event}
            for question, given in study.cut.trial.answers.items()
        },
        "flow": asdict(study.flow),
        "plan": [asdict(row) for row in study.analysis.plan],
        "analysis_sets": [asdict(row) for row in study.sets],
        "figures": [asdict(one) for one in study.analysis.figures],
        "comparisons": [asdict(one) for one in study.analysis.comparisons],
        "baseline": [asdict(row) for row in study.analysis.baseline],
        "effective_women": dict(study.analysis.weights.effective) if study.analysis.weights else None,
        "funnel": [asdict(row) for row in study.analysis.funnel],
        "core_outcomes": [asdict(row) for row in study.core],
        "screening": [asdict(row) for row in study.screening],
        "deviations": [asdict(row) for row in study.deviations],
        "worklist": [
            {**asdict(row), "day": str(row.day), "earliest": str(row.earliest), "latest": str(row.latest)}
            for row in study.worklist
        ],
        "adverse_events": [asdict(row) for row in study.adverse_events],
        "notes": list(study.analysis.notes),
    }  # fmt: skip


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() else float(f"{value:.10g}")
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return value
