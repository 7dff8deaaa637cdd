"""Write the golden summary anew: `python -m tests.golden.regenerate`, then read the diff before it is kept."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.rehearsals import DOR, rehearsed, report

GOLDEN = Path(__file__).parent / "nct04706312-seed-1.json"


def summary() -> dict[str, Any]:
    """What a trialist would compare between two versions: flow, figures, baseline and counts, without any hash."""
    data = report(rehearsed(DOR))
    kept = ("virtual", "trial", "scenario", "seed", "cut_off", "flow", "figures", "comparisons", "baseline", "notes")
    return {
        **{name: data[name] for name in kept},
        "answers": {question: given["answer"] for question, given in data["answers"].items()},
        "verdicts": dict(sorted(Counter(row["verdict"] for row in data["screening"]).items())),
        "deviations": dict(sorted(Counter(f"{row['kind']}, {row['severity']}" for row in data["deviations"]).items())),
        "adverse_events": dict(sorted(Counter(row["term"] for row in data["adverse_events"]).items())),
        "worklist": len(data["worklist"]),
    }


def text() -> str:
    """The summary as it is kept."""
    return json.dumps(summary(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(text(), "utf-8")
