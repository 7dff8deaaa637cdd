"""`trialwright report LEDGER --out DIR`: the study report of a ledger, as it stands."""

from __future__ import annotations

import argparse
import gc
from datetime import date
from pathlib import Path

from trialwright.analysis.libraries import LIBRARIES
from trialwright.cli import output
from trialwright.core.finding import Refused, finding
from trialwright.core.second_process import second_process
from trialwright.ledger.history import known


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("ledger", help="the ledger: a file, or postgresql://...")
    parser.add_argument(
        "--out",
        metavar="DIR",
        default="",
        help="folder for the report (default: beside the ledger, of another day in a folder there)",
    )
    parser.add_argument("--no-pdf", action="store_true", help="write no report.pdf, which takes a second")
    parser.add_argument("--on", metavar="DATE", default="", help="as true on that day (default: the last recording's)")
    parser.add_argument("--known", metavar="WHEN", default="", help="as known at an event number, a UTC time or a day")
    parser.add_argument(
        "--board", action="store_true", help="write the safety board's report too, open and closed part"
    )
    parser.add_argument(
        "--since", metavar="DATE", default="", help="day of the board's last meeting (default: the last alert reviewed)"
    )


def run(options: argparse.Namespace) -> int:
    """Write report.html, report.pdf, report.json, figures and data; for the board its two parts and board.json."""
    gc.disable()  # what is read stays until the end: the collector would walk through all of it again and again
    try:
        with second_process(*LIBRARIES):
            return _written(options)
    finally:
        gc.enable()


def _written(options: argparse.Namespace) -> int:
    from trialwright.ledger.store import open_ledger
    from trialwright.report.write import write_board, write_report

    board = options.board or bool(options.since)
    out = Path(options.out) if options.out else _beside(options)
    with open_ledger(options.ledger) as ledger:
        try:
            today, upto = _day("--on", options.on), _known(options.known)
            since = _day("--since", options.since)
            pdf = not options.no_pdf
            study = (
                write_board(ledger, out, today, upto, since, pdf=pdf).study
                if board
                else write_report(ledger, out, today, upto, pdf=pdf)
            )
        except OSError as wrong:
            raise Refused(finding("folder_unwritable", path=out, why=wrong.strerror or wrong)) from wrong
    if options.json:
        output.emit({"out": str(out), "events": study.checkpoint.seq, "checkpoint": study.checkpoint.digest})
    else:
        told = out / "report.html" if options.no_pdf else f"{out / 'report.html'} and report.pdf"
        print(f"{told} written, {study.checkpoint.seq} events, cut-off {study.cut.today}")
        if board:
            print(f"{out / 'board-open.html'} and {out / 'board-closed.html'} written")
    return 0


def _beside(options: argparse.Namespace) -> Path:
    """Beside the ledger; in a folder of its own there, where the report is of another day than the ledger's last."""
    beside = Path(options.ledger).parent if "://" not in options.ledger else Path("out")
    names = [f"{word}-{text}" for word, text in (("on", options.on), ("known", options.known)) if text]
    return beside / "-".join(names).replace(":", "") if names else beside


def _day(option: str, text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
        if day is not None and not 1900 <= day.year <= 2200:
            raise ValueError(f"{day} is no day of a trial")
        return day
    except ValueError as wrong:
        raise Refused(finding("option_wrong", option=option, given=text, expected="a day as 2026-03-09")) from wrong


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
