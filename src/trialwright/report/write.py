"""Writing a report: into a new folder beside the wanted one, moved into place when it is whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

from trialwright.core.finding import Refused, finding
from trialwright.ledger.store import Ledger
from trialwright.protocol.protocol import Protocol
from trialwright.render.pdf import write_pdf
from trialwright.report.as_html import report_html
from trialwright.report.as_json import report_json
from trialwright.report.board import Board, open_board
from trialwright.report.board_closed import closed_html
from trialwright.report.board_json import board_json
from trialwright.report.board_open import open_html
from trialwright.report.data_files import data_files
from trialwright.report.figures import figures
from trialwright.report.marks import banner, footer
from trialwright.report.study import Study, open_study

#: What a folder must hold to be known as a rehearsal of ours, which a new one may replace.
MARK = ("ledger.db", "report.json", "report.html")
#: What a rehearsal and reports on it write; anything else in a folder is somebody's.
OURS = {
    *MARK, "report.pdf", "figures", "data", "board-open.html", "board-closed.html", "board.json", "sealed.db",
    "ledger.db-shm", "ledger.db-wal",
}  # fmt: skip


def write_report(
    ledger: Ledger,
    folder: Path,
    today: date | None = None,
    known: int | str | None = None,
    protocol: Protocol | None = None,
    *,
    pdf: bool = False,
) -> Study:
    """Write `report.html`, `report.json`, the figures and the data behind them into a folder.

    As true on `today` and as known at `known`, with a protocol at hand, as `open_study` says. With `pdf` the report is
    set as `report.pdf` too.
    """
    study = open_study(ledger, today, known, protocol)
    _write(study, open_board(study, ledger), folder, pdf)
    return study


def write_board(
    ledger: Ledger,
    folder: Path,
    today: date | None = None,
    known: int | str | None = None,
    since: date | None = None,
    *,
    pdf: bool = False,
) -> Board:
    """Write the study report and beside it `board-open.html`, `board-closed.html` and `board.json`.

    `since` is the day of the board's last meeting, by default that of the last alert reviewed. `Refused` where it lies
    after the day of the report.
    """
    study = open_study(ledger, today, known)
    if since is not None and since > study.cut.today:
        expected = f"a day up to that of the report, {study.cut.today}"
        raise Refused(finding("option_wrong", option="--since", given=since, expected=expected))
    board = open_board(study, ledger, since)
    drawn = _write(study, board, folder, pdf)
    (folder / "board-open.html").write_text(open_html(board, drawn["enrolment.svg"]), "utf-8")
    (folder / "board-closed.html").write_text(closed_html(board), "utf-8")
    (folder / "board.json").write_text(board_json(board), "utf-8")
    return board


def _write(study: Study, board: Board, folder: Path, pdf: bool) -> dict[str, str]:
    """The study report, and the figures that were drawn for it."""
    drawn = figures(study, board)
    folder.mkdir(parents=True, exist_ok=True)
    for name, files in (("figures", drawn), ("data", data_files(study, board))):
        (folder / name).mkdir(exist_ok=True)
        for old in (folder / name).glob("*.svg" if name == "figures" else "*.csv"):
            old.unlink()  # of an earlier report, perhaps of another trial
        for file, text in files.items():
            (folder / name / file).write_text(text, "utf-8")
    html = report_html(study, drawn, board)
    (folder / "report.json").write_text(report_json(study), "utf-8")
    (folder / "report.html").write_text(html, "utf-8")
    (folder / "report.pdf").unlink(missing_ok=True)
    if pdf:
        write_pdf(html, folder / "report.pdf", banner(study), footer(study))
    return drawn


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A folder to write into that becomes `folder` at the end; if anything fails, nothing is left of it.

    An earlier rehearsal in that place is replaced; anything else there is a refusal.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise Refused(finding("folder_not_empty", path=folder))
        if folder.is_dir() and not _is_ours(folder):
            raise Refused(finding("folder_not_empty", path=folder))
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as wrong:
        raise Refused(finding("folder_unwritable", path=folder, why=wrong.strerror or wrong)) from wrong
    try:
        yield fresh
        _move(fresh, folder)
    except OSError as wrong:
        raise Refused(finding("folder_unwritable", path=folder, why=wrong.strerror or wrong)) from wrong
    finally:
        if fresh.exists():
            shutil.rmtree(fresh)


def _is_ours(folder: Path) -> bool:
    """Whether a folder is empty, or a rehearsal with nothing of anybody else's beside it."""
    names = {one.name for one in folder.iterdir()}
    return not names or (all((folder / name).is_file() for name in MARK) and names <= OURS)


def _move(fresh: Path, folder: Path) -> None:
    fresh.chmod(0o755)
    if not folder.exists():
        fresh.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    try:
        folder.rename(old / "old")
        try:
            fresh.rename(folder)
        except BaseException:
            (old / "old").rename(folder)
            raise
    except BaseException:
        with suppress(OSError):  # where the earlier rehearsal is still in it, it stays
            old.rmdir()
        raise
    shutil.rmtree(old)
