"""The forms of a casebook: one per visit and one for what lies between visits, each with the state that it has reached.

No state is written: it follows from what was recorded, verified, signed, frozen and locked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from trialwright.core.partial_date import partial_date
from trialwright.ledger.envelope import Event, Json
from trialwright.protocol.document import Activity
from trialwright.protocol.protocol import Protocol
from trialwright.trial import events as e
from trialwright.trial.casebook import is_signed, is_verified
from trialwright.trial.schedule import Planned, encounter_of, planned
from trialwright.trial.state import Hold, Participant, TrialState

#: In the order in which a form reaches them; `missed` stands for `complete`.
FormState: TypeAlias = Literal[
    "not started", "in progress", "complete", "missed", "verified", "signed", "frozen", "locked"
]
#: The form of what no visit asked for, by its encounter and record.
BETWEEN = ("", "")


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a casebook: its visit, what was entered into it, what it still asks, and how far it is.

    `entered` says how far the site is with it, `state` how far everybody is. `visit` is None for what lies between
    visits; `able` and `verified` are entries that can be, and are, verified against their source.
    """

    encounter: str
    record: str
    visit: Planned | None
    entries: tuple[int, ...]
    missing: tuple[str, ...]
    able: int
    verified: int
    entered: Literal["not started", "in progress", "complete", "missed"]
    state: FormState

    @property
    def owed(self) -> bool:
        """Whether the site still has to do something about it now; nothing is owed where her part has ended before."""
        if self.visit is None or self.visit.standing == "not applicable" or self.entered in ("complete", "missed"):
            return False
        return self.entered == "in progress" or self.visit.standing != "future"


def forms(protocol: Protocol, trial: TrialState, participant: Participant, today: date) -> list[Form]:
    """Every form of her casebook on a day, in the order of the visits; what lies between them comes last."""
    plan = planned(protocol, trial, participant, today)
    placed: dict[tuple[str, str], list[Event]] = {}
    for event in participant.entries.values():
        placed.setdefault(place_of(protocol, participant, plan, event), []).append(event)
    locked, signed = lock_of(trial, participant), is_signed(participant)
    found = []
    for visit in plan:
        told = placed.pop(visit.key, [])
        if visit.standing != "not applicable" or told:
            found.append(_form(protocol, participant, visit, told, signed, locked))
    between = [event for events in placed.values() for event in events]
    if between:
        found.append(_form(protocol, participant, None, between, signed, locked))
    return found


def lock_of(trial: TrialState, participant: Participant) -> Hold | None:
    """The widest lock on her data, or None."""
    return lock_on(trial, participant.site, participant.identity)


def lock_on(trial: TrialState, site: str, identity: str) -> Hold | None:
    """The widest lock on the data of a participant of a site, or None."""
    for scope in ("trial", f"site {site}", f"participant {identity}"):
        hold = trial.locks.get(scope)
        if hold is not None and hold.holds:
            return hold
    return None


def freeze_of(participant: Participant, encounter: str, record: str) -> Hold | None:
    """What freezes a visit: a freeze of all of hers, or its own; None where nothing does."""
    for key in (BETWEEN, (encounter, record)):
        hold = participant.frozen.get(key)
        if hold is not None and hold.holds:
            return hold
    return None


def place_of(protocol: Protocol, participant: Participant, plan: Sequence[Planned], event: Event) -> tuple[str, str]:
    """The form that an entry belongs to: that in which it was told, else of the visits that ask for it the nearest.

    A visit to come, or not for her, has only what lies in its window; what no visit asked for lies between visits.
    """
    if event.type in (e.VISIT_HELD, e.VISIT_MISSED):
        return _named(event.payload)
    at = event.payload.get("visit")
    told = _named(at) if isinstance(at, dict) else BETWEEN
    on = partial_date(event.on)
    nearest: tuple[int, tuple[str, str]] | None = None
    for visit in plan:
        if visit.standing == "missed" or not _asks(protocol, visit, event):
            continue
        if visit.key == told:
            return told
        if visit.standing in ("future", "not applicable") and visit.days_outside(on):
            continue
        held = participant.visits.get(visit.key)
        day = partial_date(held.on).earliest.date() if held is not None else visit.day
        distance = abs((on.earliest.date() - day).days)
        if nearest is None or distance < nearest[0]:
            nearest = (distance, visit.key)
    return nearest[1] if nearest is not None else BETWEEN


def _named(payload: Mapping[str, Json]) -> tuple[str, str]:
    return str(payload.get("encounter") or ""), str(payload.get("record") or "")


def _asks(protocol: Protocol, visit: Planned, event: Event) -> bool:
    """Whether a visit asks for what an event says, of the record that the visit is for."""
    payload = event.payload
    if visit.record and visit.record not in (payload.get("record"), payload.get("parent")) and payload.get("kind"):
        return False
    return any(_does(protocol, one, event.type, payload) for one in _activities(protocol, visit.encounter))


def _activities(protocol: Protocol, encounter: str) -> Iterator[Activity]:
    schedule = protocol.document.schedule
    for name in schedule.encounters[encounter_of(encounter)].does:
        yield schedule.activities[name]


def _does(protocol: Protocol, activity: Activity, type: str, payload: Mapping[str, Json]) -> bool:
    match type:
        case e.OBSERVED:
            return payload.get("item") in (activity.partner if payload.get("person") else activity.asks)
        case e.RECORD_ADDED:
            return payload.get("kind") in activity.adds
        case e.RECORD_COMPLETED:
            kind, fields = str(payload.get("kind")), payload.get("fields")
            performed = protocol.document.interventions.get(activity.performs)
            completed = activity.completes.get(kind, ())
            by_name = isinstance(fields, dict) and any(name in completed for name in fields)
            return by_name or (performed is not None and performed.record == kind)
        case e.PERFORMED:
            return payload.get("intervention") == activity.performs
        case e.LIST_CLOSED:
            return payload.get("list") in activity.closes
        case e.ELIGIBILITY_DETERMINED:
            return activity.decides == "eligibility"
        case e.ENROLLED:
            return activity.decides == "enrolment"
        case e.ALLOCATED:
            return activity.decides == "allocation"
        case _:
            return False


def _form(
    protocol: Protocol,
    participant: Participant,
    visit: Planned | None,
    told: Sequence[Event],
    signed: bool,
    locked: Hold | None,
) -> Form:
    able = [event.seq for event in told if event.type in e.VERIFIABLE]
    verified = sum(is_verified(participant, seq) for seq in able)
    encounter, record = visit.key if visit is not None else BETWEEN
    missing: tuple[str, ...] = ()
    entered: Literal["not started", "in progress", "complete", "missed"] = "complete"
    if visit is not None:
        missing = tuple(_missing(protocol, participant, visit, told))
        match visit.standing:
            case "missed":
                entered = "missed"
            case "held":
                entered = "in progress" if missing else "complete"
            case _:
                entered = "in progress" if told else "not started"
    state: FormState = entered
    settled = entered in ("complete", "missed") or (visit is not None and visit.standing == "not applicable")
    if settled:
        if able and verified == len(able):
            state = "verified"
        if signed:
            state = "signed"
    if freeze_of(participant, encounter, record) is not None:
        state = "frozen"
    if locked is not None:
        state = "locked"
    entries = tuple(sorted(event.seq for event in told))
    return Form(encounter, record, visit, entries, missing, len(able), verified, entered, state)


def _missing(protocol: Protocol, participant: Participant, visit: Planned, told: Sequence[Event]) -> Iterator[str]:
    """The items that a visit asks for and that have no answer, no reason for it, and no closed list that means no."""
    answered = {
        (str(event.payload.get("person") or ""), str(event.payload.get("item")))
        for event in told
        if event.type == e.OBSERVED
    }
    for activity in _activities(protocol, visit.encounter):
        for person, items in (("", activity.asks), ("partner", activity.partner)):
            for item in items:
                by_absence = protocol.vocabulary.items[item].absent_no in participant.closed
                if (person, item) not in answered and not by_absence:
                    yield f"{person}.{item}" if person else item
