"""What may leave the system as a file: how each export is called, how it is made, and for which women."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from trialwright.ledger.chain import checkpoint
from trialwright.render.pdf import write_pdf
from trialwright.report.as_html import report_html
from trialwright.report.as_json import report_json
from trialwright.report.board import open_board
from trialwright.report.board_closed import closed_html
from trialwright.report.board_open import open_html
from trialwright.report.data_files import data_files, rows_csv
from trialwright.report.figures import figures
from trialwright.report.marks import banner, footer
from trialwright.report.study import open_study
from trialwright.trial.office import whole_state
from trialwright.trial.state import Delegation
from trialwright.views.adverse_events import adverse_events
from trialwright.views.cutoff import CutOff
from trialwright.views.deviations import deviations
from trialwright.views.product import LotRow, accountability
from trialwright.views.screening_log import screening_log
from trialwright.views.worklist import worklist
from trialwright.web.desk import Desk
from trialwright.web.permissions import BOARD, EXPORTS, TRIAL_WIDE
from trialwright.web.workshop import Files, Job, Tell, workshop


@dataclass(frozen=True, slots=True)
class Export:
    """One file: its title, its name, what it holds, and whether it is of the whole trial or of the women at a site."""

    title: str
    file: str
    says: str
    whole: bool = False


#: Name -> export; `permissions.EXPORTS` says who may have it.
OFFERED: dict[str, Export] = {
    "study-report": Export(_("Study report"), "report.html", _("The whole report, one file for any browser"), True),
    "study-report-pdf": Export(_("Study report, PDF"), "report.pdf", _("The same, set in pages"), True),
    "study-report-json": Export(_("Study report, figures"), "report.json", _("The same figures for machines"), True),
    "board-open": Export(
        _("Report to the safety board, open part"), "board-open.html", _("For everybody who runs the trial"), True
    ),
    "board-closed": Export(
        _("Report to the safety board, closed part"), "board-closed.html", _("For the board alone"), True
    ),
    "listings": Export(
        _("All listings"), "listings.zip", _("The data behind every table and figure, as CSV files"), True
    ),
    "screening": Export(_("Screening log"), "screening.csv", _("Every woman who came, and what was decided")),
    "deviations": Export(_("Deviations"), "deviations.csv", _("Of enrolled women, with the events they rest on")),
    "adverse-events": Export(_("Adverse events"), "adverse-events.csv", _("Every event as it is recorded")),
    "worklist": Export(_("Worklist"), "worklist.csv", _("Visits that are due or late, and open queries")),
    "units": Export(_("Product: units"), "units.csv", _("Each unit: planned, prepared, given, accounted for")),
    "lots": Export(_("Product: lots"), "lots.csv", _("Each lot: cells held, taken and left")),
}


def may_have(desk: Desk, acting: Delegation, name: str) -> bool:
    """Whether somebody may have an export.

    What is of the whole trial is for roles that see all of it, at every site; in a masked trial for the board alone,
    but for the open part of its report.
    """
    if acting.role not in EXPORTS[name]:
        return False
    if not OFFERED[name].whole:
        return True
    if acting.site or acting.role not in TRIAL_WIDE:
        return False
    masked = desk.protocol().document.design.masking != "none"
    return not masked or acting.role == BOARD or name == "board-open"


def offered(desk: Desk, acting: Delegation) -> list[tuple[str, Export]]:
    """What somebody may have; PDF only where the package that sets it is installed."""
    pdf = find_spec("plutoprint") is not None
    return [
        (name, one) for name, one in OFFERED.items() if may_have(desk, acting, name) and (pdf or "pdf" not in one.file)
    ]


def head_of(desk: Desk) -> str:
    """What a file was made of: the ledger's checkpoint."""
    point = checkpoint(desk.ledger)
    return f"{point.seq}:{point.digest}"


def made(desk: Desk, acting: Delegation, name: str) -> Job:
    """The job that makes an export as things stand on the day."""
    head = f"{desk.ledger.last()} {desk.today()}"
    shop = workshop(desk)
    if not OFFERED[name].whole:
        site = acting.site
        return shop.ask(f"lists {site}", head, lambda tell: _lists(desk, site, tell))
    if name != "study-report-pdf":
        return shop.ask("trial", head, lambda tell: _trial(desk, tell))
    whole = shop.ask("trial", head, lambda tell: _trial(desk, tell))
    return shop.ask("pdf", head, lambda tell: _pdf(whole, tell))


def _trial(desk: Desk, tell: Tell) -> Files:
    """Every file of the whole trial."""
    tell("folds every woman and computes every figure")
    study = open_study(desk.ledger, desk.today())
    board = open_board(study, desk.ledger)
    tell("draws the figures")
    drawn = figures(study, board)
    tell("writes the reports")
    texts = {
        "report.html": report_html(study, drawn, board),
        "report.json": report_json(study),
        "board-open.html": open_html(board, drawn["enrolment.svg"]),
        "board-closed.html": closed_html(board),
        "banner": banner(study),
        "footer": footer(study),
    }
    tell("writes the listings")
    listed = data_files(study, board) | _products(study.cut)
    return {
        **{name: text.encode() for name, text in texts.items()},
        "listings.zip": _zipped({"README.txt": _about(banner(study), footer(study)), **listed}),
    }


def _pdf(whole: Job, tell: Tell) -> Files:
    """The study report in pages; the one worker has made the other files before."""
    tell("sets the pages")
    files = whole.result.result()
    return {"report.pdf": pdf(files["report.html"].decode(), files["banner"].decode(), files["footer"].decode())}


def pdf(html: str, banner: str, footer: str) -> bytes:
    """A page as PDF, with what stands on every sheet of it."""
    with tempfile.TemporaryDirectory(prefix="trialwright-") as folder:
        to = Path(folder) / "page.pdf"
        write_pdf(html, to, banner, footer)
        return to.read_bytes()


def _lists(desk: Desk, site: str, tell: Tell) -> Files:
    """The listings of the women at one site, or at every site."""
    tell("folds every woman")
    state, everybody = whole_state(desk.ledger, None, desk.today())
    women = {who: one for who, one in everybody.items() if not site or one.site == site}
    cut = CutOff(desk.protocol(site), state, women, desk.today())
    tell("writes the listings")
    made: dict[str, Callable[[], str]] = {
        "screening.csv": lambda: rows_csv(screening_log(cut)),
        "deviations.csv": lambda: rows_csv(deviations(cut)),
        "adverse-events.csv": lambda: rows_csv(adverse_events(cut)),
        "worklist.csv": lambda: rows_csv(worklist(cut)),
    }
    texts = {**{name: make() for name, make in made.items()}, **_products(cut)}
    return {name: text.encode() for name, text in texts.items()}


def _products(cut: CutOff) -> dict[str, str]:
    """Lots, and the units of the women who are shown; of others a lot says nothing."""
    pages, shown = accountability(cut), cut.participants
    units = [row for page in pages for row in page.units if row.participant in shown]
    lots = [_of_these(row, shown) for page in pages for row in page.lots]
    return {"lots.csv": rows_csv(lots), "units.csv": rows_csv(units)}


def _of_these(lot: LotRow, women: Collection[str]) -> LotRow:
    whose = [tuple(who for who in several if who in women) for several in (lot.taken_for, lot.recipients)]
    return replace(lot, taken_for=whose[0], recipients=whose[1])


def _about(mark: str, foot: str) -> str:
    return f"{mark}\n{foot}\n".lstrip()


def _zipped(texts: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            if text:
                archive.writestr(name, text)
    return out.getvalue()
