"""A line on one participant: where she stands, and what of hers is due, late, expiring or running."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from trialwright.core.partial_date import add_months, partial_date
from trialwright.language.vocabulary import Duration
from trialwright.protocol.protocol import Protocol, label
from trialwright.trial.clocks import Due
from trialwright.trial.schedule import Planned, encounter_of, planned
from trialwright.trial.state import Participant, TrialState
from trialwright.views.cutoff import CutOff
from trialwright.views.serious_events import SeriousEvent, serious_events

#: A result that expires within so many days is shown.
_SOON = timedelta(days=14)
_OPEN = ("due", "late", "undecided")
#: Clocks that somebody must act on.
RUNNING = ("overdue", "at once", "running", "unknown")


@dataclass(frozen=True, slots=True)
class Expiring:
    """A result that stops being valid: of what, on which day."""

    participant: str
    item: str
    label: str
    day: date


@dataclass(frozen=True, slots=True)
class Running:
    """A clock of expedited reporting that runs."""

    participant: str
    kind: str
    record: str
    term: str
    due: Due


@dataclass(frozen=True, slots=True)
class Summary:
    """Where one participant stands on a day."""

    identity: str
    site: str
    screened: str
    status: str
    tone: str
    number: int
    arm: str
    last_verdict: str
    ended: str
    visits: tuple[Planned, ...]
    next: Planned | None
    queries: tuple[tuple[str, str, str], ...]  # number, item, what it says
    expiring: tuple[Expiring, ...]
    clocks: tuple[Running, ...]
    filed: bool  # something of hers is or may be serious, or is filed like it
    made: datetime


def summarise(protocol: Protocol, trial: TrialState, participant: Participant, today: date, now: datetime) -> Summary:
    """The line on a participant, as things stand on the day."""
    visits = planned(protocol, trial, participant, today)
    open_ones = tuple(one for one in visits if one.standing in _OPEN)
    following = next((one for one in visits if one.standing == "future"), None)
    status, tone = standing(protocol, participant)
    arm = participant.allocation.arm if participant.allocation else ""
    filed = events_of(protocol, trial, participant, today, now)
    return Summary(
        participant.identity,
        participant.site,
        participant.screened,
        status,
        tone,
        participant.number,
        label(protocol, arm) if arm else "",
        participant.determinations[-1].verdict if participant.determinations else "",
        participant.screening_ended or participant.withdrawn,
        open_ones,
        following,
        tuple((name, one.item, one.says) for name, one in participant.queries.items()),
        tuple(_expiring(protocol, participant, today)),
        tuple(running(filed)),
        bool(filed),
        now,
    )


def standing(protocol: Protocol, participant: Participant) -> tuple[str, str]:
    """Where she is in the trial, in words, and the tone in which it is shown."""
    if participant.withdrawn:
        return "withdrawn", "off"
    if participant.screening_ended:
        return "not enrolled", "off"
    if participant.allocation is not None:
        arm = participant.allocation.arm
        return (f"in arm {arm}" if arm and len(protocol.document.arms) > 1 else "allocated"), "good"
    if participant.enrolled:
        return "enrolled", "good"
    if participant.determinations:
        verdict = participant.determinations[-1].verdict
        return verdict, "good" if verdict == "eligible" else "bad"
    return ("in screening" if participant.consented else "consent awaited"), "open"


def running(events: list[SeriousEvent]) -> list[Running]:
    """The clocks of events that somebody must still act on."""
    return [
        Running(row.participant, row.kind, row.record, row.term, due)
        for row in events
        for due in row.due
        if due.standing in RUNNING and not due.sent_at
    ]


def events_of(
    protocol: Protocol, trial: TrialState, participant: Participant, today: date, now: datetime
) -> list[SeriousEvent]:
    """Her events that are or may be serious, with their clocks."""
    return serious_events(CutOff(protocol, trial, {participant.identity: participant}, today), now)


def _expiring(protocol: Protocol, participant: Participant, today: date) -> list[Expiring]:
    """Results on which her way in rests and that expire soon, while she is screened or waits for a product."""
    if (
        participant.withdrawn
        or participant.screening_ended
        or (participant.performed and _had_product(protocol, participant))
    ):
        return []
    arm = participant.allocation.arm if participant.allocation else ""
    given = {name: one for name, one in protocol.document.interventions.items() if one.product}
    if arm and not set(protocol.document.arms[arm].gives) & set(given):
        return []
    found = []
    for name, item in protocol.vocabulary.items.items():
        told = participant.observed.get(name)
        if item.valid is None or not told:
            continue
        day = _until(partial_date(told[-1].on).earliest.date(), item.valid)
        if today <= day <= today + _SOON:
            found.append(Expiring(participant.identity, name, label(protocol, name), day))
    return found


def _had_product(protocol: Protocol, participant: Participant) -> bool:
    interventions = protocol.document.interventions
    return any(interventions[str(one.payload.get("intervention"))].product for one in participant.performed)


def _until(day: date, valid: Duration) -> date:
    match valid.calendar:
        case "days":
            return day + timedelta(days=valid.amount)
        case "weeks":
            return day + timedelta(weeks=valid.amount)
        case "months":
            return add_months(day, valid.amount)
        case _:
            return add_months(day, 12 * valid.amount)


def visit_label(protocol: Protocol, name: str) -> str:
    """How the protocol calls a visit: `safety.99` is `Safety contact, 99 days`."""
    base, _, repeat = name.partition(".")
    if not repeat or not protocol.document.schedule.encounters[base].each:
        return label(protocol, encounter_of(name))
    return f"{label(protocol, base)}, {repeat} {protocol.timings[base].calendar}"
