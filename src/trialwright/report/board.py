"""What the safety board's report is made of: the study, every safety view of it, and what is new since the last review.

An arm stands under its name where the protocol masks nothing, else under a letter; `arm_name` is the only way to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.ledger.history import last_by
from trialwright.ledger.store import Ledger
from trialwright.protocol.protocol import label
from trialwright.report.study import Study
from trialwright.statistics.boundary import boundary_table
from trialwright.views.alerts import AlertRow, BoundaryView, Pause, alerts, boundary, pauses
from trialwright.views.custody_trail import Recipient, recipients_of
from trialwright.views.cutoff import ALL, CutOff, arms_shown
from trialwright.views.graded_events import BEFORE, EventCount, event_counts
from trialwright.views.infusions import InfusionRow, infusions
from trialwright.views.pregnancies import ChildRow, TransferRow, children, transfers
from trialwright.views.product import Accountability, accountability
from trialwright.views.regimen import RegimenRow, regimens
from trialwright.views.serious_events import SeriousEvent, serious_events

NO_ARM = "no arm"


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that both parts print.

    `since` is the day of the last review, empty where there was none; `after` the last event recorded by then. `codes`
    holds the letter of each arm, nothing where arms are named. Clocks are read at `now`, the end of the cut-off day.
    """

    study: Study
    since: str
    since_from: str
    after: int
    now: datetime
    codes: Mapping[str, str]
    alerts: tuple[AlertRow, ...]
    pauses: tuple[Pause, ...]
    boundary: BoundaryView | None
    pause_at: tuple[int | None, ...]
    products: tuple[Accountability, ...]
    recalled: tuple[tuple[str, tuple[Recipient, ...]], ...]
    infusions: tuple[InfusionRow, ...]
    serious: tuple[SeriousEvent, ...]
    counts: tuple[EventCount, ...]
    transfers: tuple[TransferRow, ...]
    children: tuple[ChildRow, ...]
    regimens: tuple[RegimenRow, ...]

    @property
    def cut(self) -> CutOff:
        """What all of it is a view of."""
        return self.study.cut

    @property
    def masked(self) -> bool:
        """Whether the protocol masks anybody, so that arms are coded or pooled."""
        return self.cut.protocol.document.design.masking != "none"

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms to report apart, coded ones in the order of their letters."""
        return tuple(sorted(arms_shown(self.cut), key=lambda arm: self.codes.get(arm, "")))


def open_board(study: Study, ledger: Ledger, since: date | None = None) -> Board:
    """The board's view of a study. `since` is the day of its last meeting, by default of the last alert reviewed."""
    cut = study.cut
    found, told = alerts(cut), boundary(cut)
    reviewed = max((row.reviewed for row in found if row.reviewed), key=lambda on: partial_date(on).latest, default="")
    day = str(since) if since else reviewed[:10]
    asked = "as asked for" if since else "the last review of an alert" if day else "no review is recorded"
    after = last_by(ledger.recorded(), day) if day else 0
    end = datetime.combine(cut.today + timedelta(days=1), time(), ZoneInfo(cut.protocol.document.zone))
    products = tuple(accountability(cut))
    gone = [row.lot for one in products for row in one.lots if row.state == "recalled"]
    return Board(
        study, day, asked, after, end, _codes(cut), tuple(found), tuple(pauses(cut)), told, pausing_at(cut, told),
        products, tuple((lot, tuple(recipients_of(cut, lot))) for lot in gone), tuple(infusions(cut)),
        tuple(serious_events(cut, end)), tuple(event_counts(cut)), tuple(transfers(cut)), tuple(children(cut)),
        tuple(regimens(cut)),
    )  # fmt: skip


def arm_name(board: Board, arm: str) -> str:
    """How an arm is printed; a letter where it is masked."""
    if arm in ("", NO_ARM):
        return "not allocated"
    if arm == BEFORE:
        return "before allocation"
    if arm == ALL:
        return "All women (allocation sealed)"
    return f"Arm {board.codes[arm]}" if arm in board.codes else label(board.cut.protocol, arm)


def _codes(cut: CutOff) -> Mapping[str, str]:
    """Letters by a digest of the arm's name, so that the first arm of the protocol is not always A."""
    document, shown = cut.protocol.document, arms_shown(cut)
    if document.design.masking == "none" or len(shown) < 2:
        return {}
    mixed = sorted(shown, key=lambda arm: hashlib.sha256(f"{cut.protocol.digest} {arm}".encode()).hexdigest())
    return {arm: chr(ord("A") + index) for index, arm in enumerate(mixed)}


def pausing_at(cut: CutOff, told: BoundaryView | None) -> tuple[int | None, ...]:
    """How many women with an event pause the trial, for every number treated."""
    if told is None:
        return ()
    if cut.trial.boundary is not None and cut.trial.boundary.pause_at:
        return cut.trial.boundary.pause_at
    planned = cut.protocol.document.design.enrolment
    return boundary_table(planned, told.p0, told.threshold, *told.prior).pause_at


# ---------------------------------------------------------------- serious events and deaths


@dataclass(frozen=True, slots=True)
class SeriousCount:
    """Of the women at risk in an arm: who died, who had a serious event, for whom that is not known; and events.

    `related` women had one that investigator or sponsor holds related, `unjudged` one that nobody judged.
    """

    arm: str
    deaths: int
    women: int
    unknown: int
    events: int
    related: int
    unjudged: int
    at_risk: int


def serious_counts(board: Board) -> list[SeriousCount]:
    """For each arm since allocation, then for what came before it; serious by the word or by a criterion."""
    at_risk = {row.arm: row.at_risk for row in board.counts}
    return [_serious_count(arm, at_risk.get(arm, 0), serious_in(board, arm)) for arm in (*board.arms, BEFORE)]


def serious_in(board: Board, arm: str) -> list[SeriousEvent]:
    """The events of an arm that are or may be serious; a pregnancy that is filed is none."""
    events = [row for row in board.serious if row.kind != _pregnancies(board)]
    return [row for row in events if _period(board, row) == arm or (arm == ALL and _period(board, row) != BEFORE)]


def _serious_count(arm: str, at_risk: int, rows: Sequence[SeriousEvent]) -> SeriousCount:
    certain = [row for row in rows if row.serious is Truth.YES]
    women = {row.participant for row in certain}
    related = _women(row for row in certain if row.related is Truth.YES)
    return SeriousCount(
        arm, len(_women(row for row in certain if "death" in row.criteria)), len(women),
        len(_women(rows) - women), len(certain), len(related),
        len(_women(row for row in certain if row.related is Truth.UNKNOWN) - related), at_risk,
    )  # fmt: skip


def _women(rows: Iterable[SeriousEvent]) -> set[str]:
    return {row.participant for row in rows}


def _pregnancies(board: Board) -> str:
    part = board.cut.protocol.document.pregnancy
    return part.record if part else ""


def _period(board: Board, row: SeriousEvent) -> str:
    """Her arm, or that it certainly came before she had one: the same split as in the counts of events."""
    allocation = board.cut.participants[row.participant].allocation
    if allocation is None:
        return BEFORE
    early = bool(row.on) and partial_date(row.on).latest < partial_date(allocation.on).earliest
    return BEFORE if early else row.arm or ALL


def first_product_day(board: Board, row: SeriousEvent) -> int | None:
    """Days from her first product to the event; None where she had none, or a day is not known."""
    same = [one for one in board.study.adverse_events if one.participant == row.participant and one.event in row.events]
    return same[0].day if same else None


# ---------------------------------------------------------------- what is new


def is_new(board: Board, events: Sequence[int]) -> bool:
    """Whether something was first recorded after the last review."""
    return bool(events) and min(events) > board.after


def news(board: Board) -> list[tuple[str, int, int]]:
    """What came since the last review, beside what there is in all."""
    cut, study = board.cut, board.study
    serious = [row for row in board.serious if row.kind != _pregnancies(board) and row.serious is Truth.YES]
    deaths = [row for row in serious if "death" in row.criteria]
    grown = [row for row in serious if not is_new(board, row.events) and max(row.events) > board.after]
    first: dict[str, int] = {}
    for dose in (row for row in board.infusions if row.start):
        first.setdefault(dose.participant, _given(board, dose))
    enrolled = [one.enrolled for one in cut.participants.values() if one.enrolled]
    majors = [row for row in study.deviations if row.severity == "major"]
    units = cut.trial.custody.units.values()
    rejected = [move.event for unit in units for move in unit.moves if move.state == "rejected"]
    told = [
        ("women who died (an adverse event with death)", _number(board, deaths), len(deaths)),
        ("serious adverse events", _number(board, serious), len(serious)),
        ("serious adverse events known before, to which something was added", len(grown), len(grown)),
        ("adverse events", sum(row.event > board.after for row in study.adverse_events), len(study.adverse_events)),
        ("alerts", _number(board, board.alerts), len(board.alerts)),
        ("women enrolled", sum(not board.since or on[:10] > board.since for on in enrolled), len(enrolled)),
        ("women given a product for the first time", sum(on > board.after for on in first.values()), len(first)),
        ("units of a product rejected", sum(one > board.after for one in rejected), len(rejected)),
        ("major deviations", sum(_since(board, row.events, row.on) for row in majors), len(majors)),
        ("children born", sum(_recorded(board, row) > board.after for row in board.children), len(board.children)),
    ]
    return [row for row in told if board.since or "known before" not in row[0]]


def _number(board: Board, rows: Iterable[AlertRow | SeriousEvent]) -> int:
    return sum(is_new(board, row.events) for row in rows)


def _recorded(board: Board, row: ChildRow) -> int:
    """The event in which a child was first recorded; its row rests on what its mother was given before, too."""
    part = board.cut.protocol.document.pregnancy
    records = board.cut.participants[row.participant].records.get(part.children if part else "", {})
    return min((event.seq for event in records.get(row.child, ())), default=0)


def _given(board: Board, row: InfusionRow) -> int:
    doses = board.cut.participants[row.participant].doses
    return next((dose.event for dose in doses if dose.record == row.record), min(row.events))


def _since(board: Board, events: Sequence[int], on: str) -> bool:
    return is_new(board, events) if events else not board.since or on[:10] > board.since
