"""`trialwright report LEDGER --out DIR`: the study report of a ledger, as it stands."""

from __future__ import annotations

import argparse
from pathlib import Path

from trialwright.cli import output
from trialwright.core.finding import Refused, finding


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("ledger", help="the ledger: a file, or postgresql://...")
    parser.add_argument("--out", metavar="DIR", default="", help="folder for the report (default: beside the ledger)")


def run(options: argparse.Namespace) -> int:
    """Write report.html, report.json and the figures."""
    from trialwright.ledger.store import open_ledger
    from trialwright.report.write import write_report

    out = Path(options.out or (Path(options.ledger).parent if "://" not in options.ledger else "out"))
    with open_ledger(options.ledger) as ledger:
        try:
            out.mkdir(parents=True, exist_ok=True)
            study = write_report(ledger, out)
        except OSError as wrong:
            raise Refused(finding("folder_unwritable", path=out, why=wrong.strerror or wrong)) from wrong
    if options.json:
        output.emit({"out": str(out), "events": study.checkpoint.seq, "checkpoint": study.checkpoint.digest})
    else:
        print(f"{out / 'report.html'} written, {study.checkpoint.seq} events, cut-off {study.cut.today}")
    return 0
