"""The report of a rehearsed ledger, whole and by its parts, and of a trial of ten thousand."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from bench.copied_trial import copied
from bench.row import Row, below, each, output_of, seconds
from bench.workplace import Workplace
from trialwright.ledger.store import open_ledger
from trialwright.report.as_html import report_html
from trialwright.report.as_json import report_json
from trialwright.report.board import open_board
from trialwright.report.figures import figures
from trialwright.report.study import open_study
from trialwright.report.write import write_report

#: How often the rehearsed trial is copied into one ledger: with 142 women screened, 10,082 participants.
_COPIES = 71


def rows(at: Workplace) -> list[Row]:
    """The time from a ledger to the files of its report, in a process that has made one before."""
    with open_ledger(at.sample.place) as ledger:
        folder = at.fresh("report")
        folder.mkdir()
        whole = each(at.runs, lambda: write_report(ledger, folder))
        opened = each(at.runs, lambda: open_study(ledger))
        study = open_study(ledger)
        board = open_board(study, ledger)
    drawn = figures(study, board)
    return [
        Row("report of a rehearsed ledger of 60 women, written", "s", whole, below(5)),
        Row("  of it the study: fold, views, analysis", "s", opened),
        Row("  of it the figures", "s", each(at.runs, lambda: figures(study, board))),
        Row("  of it the HTML", "s", each(at.runs, lambda: report_html(study, drawn, board))),
        Row("  of it the JSON", "s", each(at.runs, lambda: report_json(study))),
        Row(
            "  the verb in a fresh process, PDF included",
            "s",
            each(at.runs, lambda: _verb(at, at.sample.place, True)),
            below(5),
        ),
        *_large(at),
    ]


def _verb(at: Workplace, place: Path, pdf: bool) -> None:
    verb = (sys.executable, "-m", "trialwright", "report", place, "--out", at.fresh("verb"))
    output_of(verb if pdf else (*verb, "--no-pdf"))


def _large(at: Workplace) -> list[Row]:
    """Once: building the ledger takes a minute, and so does its report."""
    place = at.fresh("large.ledger")
    number = copied(at.sample.place, _COPIES, place)
    taken = seconds(lambda: _verb(at, place, False))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # of the largest child, which this one is
    name = f"report of {number:,} participants, the verb in a fresh process"
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return [Row(name, "s", (taken,), below(60), "1 run"), Row("  its peak memory", "MB", (peak / unit,), note="1 run")]
