"""The report of a rehearsed ledger, whole and by its parts."""

from __future__ import annotations

from bench.row import Row, below, child, each
from bench.workplace import Workplace
from trialwright.ledger.store import open_ledger
from trialwright.report.as_html import report_html
from trialwright.report.as_json import report_json
from trialwright.report.board import open_board
from trialwright.report.figures import figures
from trialwright.report.study import open_study
from trialwright.report.write import write_report

#: Participants of a large trial, screened ones among them.
_MANY = 10_000


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
        Row(f"report of {_MANY:,} participants, from views to HTML", "s", _many(at), below(60)),
    ]


def _many(at: Workplace) -> tuple[float, ...]:
    """Once: it takes a minute."""
    return tuple(child("large_report", at.sample.place, str(_MANY)))
