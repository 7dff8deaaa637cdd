"""The boundary as it stands now: the view of the report, with only those folded whose events count."""

from __future__ import annotations

from trialwright.ledger.envelope import CORRECTED, VOIDED, Event
from trialwright.report.board import pausing_at
from trialwright.report.figures import boundary_drawing
from trialwright.report.marks import watermark
from trialwright.trial import events as e
from trialwright.trial.fold import fold_participant
from trialwright.trial.state import Participant, TrialState
from trialwright.views.alerts import BoundaryView, boundary
from trialwright.views.cutoff import CutOff
from trialwright.web.desk import Desk
from trialwright.web.permissions import BOARD


def may_see(desk: Desk, role: str) -> bool:
    """Whether a role may see how near the events are: in a masked trial the board alone."""
    return role == BOARD or desk.protocol().document.design.masking == "none"


def boundary_now(desk: Desk) -> tuple[CutOff, BoundaryView | None]:
    """The boundary, and what it is a view of."""
    state = desk.trial()
    cut = CutOff(desk.protocol(), state, _treated(desk, state), desk.today())
    return cut, boundary(cut)


def boundary_svg(desk: Desk) -> str:
    """The drawing of the report; nothing where the protocol has no boundary."""
    cut, told = boundary_now(desk)
    return boundary_drawing(told, pausing_at(cut, told), watermark(desk.ledger.header)) if told else ""


def _treated(desk: Desk, state: TrialState) -> dict[str, Participant]:
    """Whoever was treated, with her doses alone; whole where an event of hers was counted."""
    doses: dict[str, list[Event]] = {}
    known: dict[int, str] = {}
    for event in desk.ledger.events(types=[e.DOSE_DETERMINED, CORRECTED, VOIDED]):
        of = event.payload.get("of")
        who = event.stream.removeprefix("participant/") if event.type == e.DOSE_DETERMINED else ""
        who = who or (known.get(of, "") if isinstance(of, int) else "")
        if who:
            known[event.seq] = who
            doses.setdefault(who, []).append(event)
    found = {who: fold_participant(who, events) for who, events in doses.items()}
    for who, _ in state.counted:
        whole = desk.participant(who)
        if whole is not None:
            found[who] = whole
    return found
