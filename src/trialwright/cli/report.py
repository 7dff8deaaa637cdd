"""`trialwright report LEDGER --out DIR`: the study report of a ledger, as it stands."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from trialwright.cli import output
from trialwright.core.finding import Refused, finding
from trialwright.ledger.history import known


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("ledger", help="the ledger: a file, or postgresql://...")
    parser.add_argument("--out", metavar="DIR", default="", help="folder for the report (default: beside the ledger)")
    parser.add_argument("--on", metavar="DATE", default="", help="as true on that day (default: the last recording's)")
    parser.add_argument("--known", metavar="WHEN", default="", help="as known at an event number, a UTC time or a day")


def run(options: argparse.Namespace) -> int:
    """Write report.html, report.json and the figures."""
    from trialwright.ledger.store import open_ledger
    from trialwright.report.write import write_report

    out = Path(options.out or (Path(options.ledger).parent if "://" not in options.ledger else "out"))
    with open_ledger(options.ledger) as ledger:
        try:
            out.mkdir(parents=True, exist_ok=True)
            study = write_report(ledger, out, _day(options.on), _known(options.known))
        except OSError as wrong:
            raise Refused(finding("folder_unwritable", path=out, why=wrong.strerror or wrong)) from wrong
    if options.json:
        output.emit({"out": str(out), "events": study.checkpoint.seq, "checkpoint": study.checkpoint.digest})
    else:
        print(f"{out / 'report.html'} written, {study.checkpoint.seq} events, cut-off {study.cut.today}")
    return 0


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as wrong:
        raise Refused(finding("option_wrong", option="--on", given=text, expected="a day as 2026-03-09")) from wrong


def _known(text: str) -> int | str | None:
    if not text:
        return None
    if text.isdigit():
        return int(text)
    try:
        known([], text)
    except ValueError as wrong:
        expected = "an event number, a UTC time as 2026-03-09T06:05:00Z, or a day"
        raise Refused(finding("option_wrong", option="--known", given=text, expected=expected)) from wrong
    return text
