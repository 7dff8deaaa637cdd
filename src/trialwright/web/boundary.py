"""The boundary as it stands now: the view of the report, with only those folded whose events count.

Of whoever was treated her doses are read, once, since they are few among the events of a trial; she is folded whole
where an event of hers was counted.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from trialwright.ledger.envelope import CORRECTED, VOIDED, Event
from trialwright.report.board import pausing_at
from trialwright.report.figures import boundary_drawing
from trialwright.report.marks import watermark
from trialwright.trial import events as e
from trialwright.trial.fold import fold_participant
from trialwright.trial.state import Participant
from trialwright.views.alerts import BoundaryView, boundary
from trialwright.views.cutoff import CutOff
from trialwright.web.desk import Desk
from trialwright.web.permissions import BOARD


def may_see(desk: Desk, role: str) -> bool:
    """Whether a role may see how near the events are: in a masked trial the board alone."""
    return role == BOARD or desk.protocol().document.design.masking == "none"


def boundary_now(desk: Desk) -> BoundaryView | None:
    """The boundary; None where the protocol has none. It is looked for anew where something came that may change it."""
    state, upto, _ = desk.reach()
    protocol, today = desk.protocol(), desk.today()
    part = protocol.document.safety.boundary
    if part is None:
        return None
    with _LOCK:
        kept = _KEPT.setdefault(desk, _Kept())
        kept.follow(desk, upto)
        treated = tuple(state.treated.get(part.intervention, {}).items())
        counted = {who: desk.events_of(who)[-1].seq for who, _ in state.counted}
        of = (
            protocol.digest, today, len(kept.known), treated, tuple(state.counted.items()), counted, state.boundary
        )  # fmt: skip
        if of != kept.of:
            whole = {who: woman for who in counted if (woman := desk.participant(who)) is not None}
            kept.of, kept.told = of, boundary(CutOff(protocol, state, kept.women | whole, today))
        return kept.told


def boundary_svg(desk: Desk) -> str:
    """The drawing of the report; nothing where the protocol has no boundary."""
    told = boundary_now(desk)
    if told is None:
        return ""
    rule = CutOff(desk.protocol(), desk.trial(), {}, desk.today())
    return boundary_drawing(told, pausing_at(rule, told), watermark(desk.ledger.header))


@dataclass(slots=True)
class _Kept:
    """What a desk has read of doses, and the boundary that was found last."""

    upto: int = 0
    doses: dict[str, list[Event]] = field(default_factory=dict)
    known: dict[int, str] = field(default_factory=dict)
    women: dict[str, Participant] = field(default_factory=dict)
    of: object = None
    told: BoundaryView | None = None

    def follow(self, desk: Desk, upto: int) -> None:
        """Take in the doses, and what corrected them or took them back, since the last time."""
        if upto <= self.upto:
            return
        changed = set()
        for event in desk.ledger.events(types=[e.DOSE_DETERMINED, CORRECTED, VOIDED], after=self.upto, upto=upto):
            of = event.payload.get("of")
            who = event.stream.removeprefix("participant/") if event.type == e.DOSE_DETERMINED else ""
            who = who or (self.known.get(of, "") if isinstance(of, int) else "")
            if who:
                self.known[event.seq] = who
                self.doses.setdefault(who, []).append(event)
                changed.add(who)
        self.women |= {who: fold_participant(who, self.doses[who]) for who in changed}
        self.upto = upto


_LOCK = threading.Lock()
_KEPT: WeakKeyDictionary[Desk, _Kept] = WeakKeyDictionary()
