"""A child process: the report of a ledger whose participants are replicated under other identities.

python -m bench.large_report LEDGER NUMBER    # prints the seconds from views to the written HTML
"""

from __future__ import annotations

import sys
from dataclasses import replace

from bench.row import seconds
from bench.scaling import replicas
from bench.workplace import read
from trialwright.ledger.store import open_ledger
from trialwright.report import study as studies
from trialwright.report.as_html import report_html
from trialwright.report.board import open_board
from trialwright.report.data_files import data_files
from trialwright.report.figures import figures
from trialwright.trial.fold import fold_participant
from trialwright.views.cutoff import CutOff


def measure(place: str, number: int) -> float:
    """Folding is not counted (`python -m bench fold` does); the trial's own state stays that of the rehearsal."""
    _, streams = read(place)
    with open_ledger(place) as ledger:
        sample = studies.open_study(ledger)
        many = {who: fold_participant(who, events) for who, events in replicas(list(streams.values()), number)}
        cut = CutOff(sample.cut.protocol, sample.cut.trial, many, sample.cut.today)

        def work() -> None:
            study = studies.study_of(replace(sample, cut=cut))
            board = open_board(study, ledger)
            report_html(study, figures(study, board), board)
            data_files(study, board)

        return seconds(work)


if __name__ == "__main__":
    print(measure(sys.argv[1], int(sys.argv[2])))
