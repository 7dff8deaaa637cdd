"""Freezing and locking: who may hold data as they are, what a lock asks for first, and what is refused while it holds.

A freeze is for a time and never stops what safety needs; a lock closes a casebook, and is opened with a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from trialwright.core.finding import Finding, Refused, finding
from trialwright.ledger.envelope import CORRECTED, VOIDED, Event, NewEvent
from trialwright.protocol.naming import nearest
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.casebook import is_signed
from trialwright.trial.custody import OPEN
from trialwright.trial.forms import BETWEEN, forms, freeze_of, place_of
from trialwright.trial.gate import Gate, refuse
from trialwright.trial.schedule import encounter_of, planned
from trialwright.trial.state import Hold, Participant, TrialState

DATA_MANAGER: Final = "data manager"
#: What a lock lets pass: it says something of the casebook, or that somebody was told or erased, and changes no data.
_PASSES_A_LOCK = frozenset(
    {e.SIGNED, e.REPORT_SENT, e.DATA_LOCKED, e.DATA_UNLOCKED, e.ERASURE_ORDERED, e.ERASURE_CONFIRMED}
)
#: What a freeze lets pass beside it: questions and answers, and what cannot wait, as an infusion that runs.
_PASSES_A_FREEZE = (
    _PASSES_A_LOCK
    | e.OF_QUERIES
    | e.OF_REVIEW
    | {e.WITHDRAWN, e.DOSE_DETERMINED, e.INFUSION_INTERRUPTED, e.INFUSION_RESUMED, e.INFUSION_ENDED}
)


def freeze(gate: Gate, command: c.Freeze) -> list[NewEvent]:
    """The data of a participant, or of one visit, held as they are."""
    participant, payload = _to_hold(gate, command, "A freeze")
    hold = freeze_of(participant, command.encounter, command.record)
    if hold is not None:
        raise Refused(_frozen(participant, _called(command.encounter, command.record), hold))
    _after_the_last(gate, participant.frozen.get((command.encounter, command.record)), command.on, "the freeze")
    return [gate.event(e.DATA_FROZEN, command.on, payload, command.reason)]


def unfreeze(gate: Gate, command: c.Unfreeze) -> list[NewEvent]:
    """What was frozen, open again; by the same participant or visit that was frozen."""
    participant, payload = _to_hold(gate, command, "The end of a freeze")
    hold = participant.frozen.get((command.encounter, command.record))
    if hold is None or not hold.holds:
        what = _called(command.encounter, command.record)
        refuse("hold_unknown", what=f"{what} of {participant.identity}", held="frozen")
    _after_the_last(gate, hold, command.on, "the freeze")
    return [gate.event(e.DATA_UNFROZEN, command.on, payload, command.reason)]


def lock(gate: Gate, command: c.Lock) -> list[NewEvent]:
    """Data closed: of a participant whose casebook is whole, of a site or trial whose participants are all locked."""
    gate.role_is(DATA_MANAGER, "A lock")
    scope = _scope(gate, command)
    hold = gate.trial.locks.get(scope)
    if hold is not None and hold.holds:
        raise Refused(_locked(scope, hold))
    _after_the_last(gate, hold, command.on, "the lock")
    found = list(_stands_in_the_way(gate, command))
    if found:
        raise Refused(*found)
    return [_event(gate, e.DATA_LOCKED, command, "")]


def unlock(gate: Gate, command: c.Unlock) -> list[NewEvent]:
    """A lock opened, and why."""
    gate.role_is(DATA_MANAGER, "The end of a lock")
    scope = _scope(gate, command)
    hold = gate.trial.locks.get(scope)
    if hold is None or not hold.holds:
        refuse("hold_unknown", what=scope, held="locked")
    if not command.reason.strip():
        refuse("reason_missing", what="The end of a lock")
    _after_the_last(gate, hold, command.on, "the lock")
    return [_event(gate, e.DATA_UNLOCKED, command, command.reason)]


def not_held(gate: Gate, new: Sequence[NewEvent]) -> None:
    """Refuse what would change locked or frozen data, naming who holds them, since when, and how to mend it."""
    for event in new:
        if event.type in _PASSES_A_LOCK:
            continue
        found = [_locked(scope, hold) for scope, hold in _locks_on(gate.trial, event)]
        if found:
            raise Refused(*found)
        frozen = _freeze_on(gate, event)
        if frozen is not None:
            raise Refused(frozen)


# ---------------------------------------------------------------- what stands in the way of a lock


def _stands_in_the_way(gate: Gate, command: c.Lock) -> Iterator[Finding]:
    if command.participant:
        yield from _not_whole(gate, gate.present(command.participant))
        return
    for identity, site in gate.trial.sites.items():
        if command.site in ("", site) and not _holds(gate.trial, f"participant {identity}"):
            yield finding("lock_not_all", what=command.site or "the trial", participant=identity)


def _not_whole(gate: Gate, participant: Participant) -> Iterator[Finding]:
    """Queries that are not closed, forms that are owed, a unit under way, a casebook not signed as it stands."""
    who = participant.identity
    for thread in participant.threads.values():
        if thread.state != "closed":
            yield finding("lock_query", participant=who, query=thread.identity, state=thread.state)
    for form in forms(gate.protocol, gate.trial, participant, gate.now.date()):
        if form.owed:
            what, missing = _called(form.encounter, form.record), f" ({', '.join(form.missing)} missing)"
            told = form.entered + (missing if form.entered == "in progress" and form.missing else "")
            yield finding("lock_form", participant=who, form=what, state=told)
    for unit in gate.trial.custody.units.values():
        if unit.participant == who and unit.state in OPEN:
            yield finding("lock_unit", participant=who, unit=unit.identity, state=unit.state)
    if not is_signed(participant):
        why = (
            f"signed on {participant.casebook.on}, and changed since by event {participant.changed}"
            if participant.casebook is not None
            else "not signed"
        )
        yield finding("lock_unsigned", participant=who, why=why)


# ---------------------------------------------------------------- what is refused while it holds


def _locks_on(trial: TrialState, event: NewEvent) -> Iterator[tuple[str, Hold]]:
    """Every lock that covers what an event changes, the widest first; what becomes of a product has none."""
    if event.stream.startswith("participant/"):
        scopes = ["trial", f"site {event.site}", f"participant {event.stream.removeprefix('participant/')}"]
    elif event.type == e.PROTOCOL_ACTIVATED:
        scopes = ["trial", f"site {event.site}"]
    elif event.type == e.QUESTION_ANSWERED:
        scopes = ["trial"]
    else:
        return
    for scope in scopes:
        if _holds(trial, scope):
            yield scope, trial.locks[scope]


def _freeze_on(gate: Gate, event: NewEvent) -> Finding | None:
    participant = gate.participant
    if participant is None or event.type in _PASSES_A_FREEZE or not event.stream.startswith("participant/"):
        return None
    if not any(hold.holds for hold in participant.frozen.values()):
        return None
    target = _target(gate, participant, event)
    if event.type != VOIDED and _is_for_safety(gate, target):
        return None
    encounter, record = BETWEEN
    if not _holds_all(participant):
        plan = planned(gate.protocol, gate.trial, participant, gate.now.date())
        encounter, record = place_of(gate.protocol, participant, plan, target)
    hold = freeze_of(participant, encounter, record)
    return None if hold is None else _frozen(participant, _called(encounter, record), hold)


def _target(gate: Gate, participant: Participant, event: NewEvent) -> Event:
    """The entry that an event makes or changes."""
    of = event.payload.get("of")
    if event.type in (CORRECTED, VOIDED) and isinstance(of, int):
        entry = participant.entries.get(participant.bases.get(of, of))
        if entry is not None:
            return entry
    return gate.as_recorded(event)


def _is_for_safety(gate: Gate, entry: Event) -> bool:
    """Whether it is an adverse event, a pregnancy, a child, or how one of these went on."""
    return entry.type in (e.RECORD_ADDED, e.RECORD_COMPLETED) and entry.payload.get("kind") in gate.follow_up


def _holds_all(participant: Participant) -> bool:
    hold = participant.frozen.get(BETWEEN)
    return hold is not None and hold.holds


# ---------------------------------------------------------------- what it is called


def _to_hold(gate: Gate, command: c.Freeze | c.Unfreeze, what: str) -> tuple[Participant, Mapping[str, Any]]:
    participant = gate.present(command.participant)
    gate.role_is(DATA_MANAGER, what)
    encounters = gate.protocol.document.schedule.encounters
    if command.encounter and encounter_of(command.encounter) not in encounters:
        refuse("encounter_unknown", encounter=command.encounter, nearest=nearest(command.encounter, encounters))
    if not command.reason.strip():
        refuse("reason_missing", what=what)
    return participant, {"encounter": command.encounter, "record": command.record}


def _scope(gate: Gate, command: c.Lock | c.Unlock) -> str:
    if command.participant:
        return f"participant {gate.present(command.participant).identity}"
    sites = gate.protocol.document.sites
    if command.site and command.site not in sites:
        refuse("site_unknown", site=command.site, nearest=nearest(command.site, sites))
    return f"site {command.site}" if command.site else "trial"


def _event(gate: Gate, type: str, command: c.Lock | c.Unlock, reason: str) -> NewEvent:
    if command.participant:
        return gate.event(type, command.on, {"scope": "participant"}, reason)
    payload = {"scope": "site" if command.site else "trial"}
    return NewEvent(e.TRIAL, type, command.on, payload, command.site, reason)


def _after_the_last(gate: Gate, hold: Hold | None, on: str, what: str) -> None:
    if hold is not None:
        gate.in_order(what, on, hold.on)


def _holds(trial: TrialState, scope: str) -> bool:
    hold = trial.locks.get(scope)
    return hold is not None and hold.holds


def _called(encounter: str, record: str) -> str:
    return f"{encounter} {record}".strip() or "everything"


def _frozen(participant: Participant, what: str, hold: Hold) -> Finding:
    return finding(
        "data_frozen", participant=participant.identity, what=what, user=hold.user, on=hold.on, reason=hold.reason
    )


def _locked(scope: str, hold: Hold) -> Finding:
    what = "The trial" if scope == "trial" else f"The {scope}"
    return finding("data_locked", what=what, user=hold.user, role=hold.role, on=hold.on)


# ---------------------------------------------------------------- the fold


def apply_freeze(p: Participant, event: Event) -> None:
    """Take a freeze, or its end, into a participant's state."""
    key = (str(event.payload.get("encounter") or ""), str(event.payload.get("record") or ""))
    p.frozen[key] = _hold(event, event.type == e.DATA_FROZEN)


def apply_lock(state: TrialState, event: Event) -> None:
    """Take a lock, or its end, into the trial's state."""
    match event.payload.get("scope"):
        case "participant":
            scope = f"participant {event.stream.removeprefix('participant/')}"
        case "site":
            scope = f"site {event.site}"
        case _:
            scope = "trial"
    state.locks[scope] = _hold(event, event.type == e.DATA_LOCKED)


def _hold(event: Event, holds: bool) -> Hold:
    return Hold(event.seq, event.on, event.user, event.role, event.reason, holds)
