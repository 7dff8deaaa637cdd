"""The fold: events in the order in which they happened, in; state, out. It is total: whatever is odd is noted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from trialwright.core.partial_date import partial_date
from trialwright.ledger.envelope import CORRECTED, VOIDED, Event
from trialwright.ledger.history import effective, ordered
from trialwright.trial import events as e
from trialwright.trial.casebook import apply_casebook, trace_changes
from trialwright.trial.custody import apply_product
from trialwright.trial.delegations import apply_delegation
from trialwright.trial.holds import apply_freeze, apply_lock
from trialwright.trial.instants import recorded_at
from trialwright.trial.queries import apply_query
from trialwright.trial.state import (
    Alert,
    Allocation,
    Answered,
    BoundaryTable,
    Determination,
    Dose,
    Erasure,
    Participant,
    RegimenChange,
    SentReport,
    Tablets,
    TrialState,
    Visit,
)


def fold_participant(identity: str, events: Iterable[Event]) -> Participant:
    """The state of one participant from the events of her stream, in any order of arrival."""
    participant = Participant(identity)
    told = list(events)
    for event in ordered(effective(told)):
        apply(participant, event)
    # a correction changes another event and is none of its own, and yet what is decided next rests on it
    participant.events = {event.seq for event in told}
    participant.last = max(participant.events, default=0)
    participant.corrected = max((event.seq for event in told if event.type in (CORRECTED, VOIDED)), default=0)
    participant.final = _final(told)
    trace_changes(participant, told)
    return participant


def _final(told: list[Event]) -> set[int]:
    """What took back an infusion, whole: bringing a part of it back would leave half of it."""
    voids = [event for event in told if event.type == VOIDED]
    if not voids:
        return set()
    of_units = {event.seq for event in told if event.type in e.OF_PRODUCTS}
    commands = {event.command for event in voids if event.payload.get("of") in of_units}
    return {event.seq for event in voids if event.command in commands}


def apply(participant: Participant, event: Event) -> None:
    """Take one event into a participant's state; a type this version does not know is noted, not refused."""
    handler = _HANDLERS.get(event.type)
    if handler is None:
        participant.oddities.append(f"event {event.seq} has the unknown type {event.type}")
    else:
        handler(participant, event)
        if event.type not in _NO_FACTS:
            participant.facts += 1
    if event.type in e.CASEBOOK:
        participant.entries[event.seq] = event
        participant.changed = max(participant.changed, event.seq)
    elif event.type in e.OF_REVIEW | e.OF_QUERIES:
        participant.reviews.add(event.seq)
    participant.events.add(event.seq)
    if event.seq > participant.last:
        participant.last = event.seq


def _text(event: Event, name: str) -> str:
    value = event.payload.get(name)
    return "" if value is None else str(value)


def _screened(p: Participant, event: Event) -> None:
    p.site, p.screened = event.site, event.on


def _consented(p: Participant, event: Event) -> None:
    p.consented = p.consented or event.on


def _observed(p: Participant, event: Event) -> None:
    payload = event.payload
    person = payload.get("person")
    item = cast(str, payload["item"])
    log = p.relatives.setdefault(cast(str, person), {}) if person else p.observed
    if item in log:
        log[item].append(event)
    else:
        log[item] = [event]


def _record(p: Participant, event: Event) -> None:
    kind, record = cast(str, event.payload["kind"]), cast(str, event.payload["record"])
    entries = p.records.setdefault(kind, {})
    if record in entries:
        entries[record].append(event)
    else:
        entries[record] = [event, *p.early.pop((kind, record), ())]


def _completed(p: Participant, event: Event) -> None:
    kind, record = cast(str, event.payload["kind"]), cast(str, event.payload["record"])
    entries = p.records.get(kind, {})
    if record in entries:
        entries[record].append(event)
    else:  # dated before its record, or the record was taken back
        p.early.setdefault((kind, record), []).append(event)


def _closed(p: Participant, event: Event) -> None:
    """A list stays complete: closed again at a later visit, it is complete since the first time."""
    name = _text(event, "list")
    p.closed.setdefault(name, partial_date(event.on))
    p.closed_by.setdefault(name, event.seq)


def _determined(p: Participant, event: Event) -> None:
    answers = event.payload.get("answers")
    p.determinations.append(
        Determination(
            event.seq,
            event.on,
            _text(event, "verdict"),
            {str(k): str(v) for k, v in answers.items()} if isinstance(answers, dict) else {},
            int(_text(event, "basis") or 0),
            event.protocol,
            event.software,
        )
    )


def _enrolled(p: Participant, event: Event) -> None:
    p.enrolled, p.number = event.on, int(_text(event, "number") or 0)


def _allocated(p: Participant, event: Event) -> None:
    if p.allocation is not None:
        p.oddities.append(f"event {event.seq} allocates again")
        return
    p.allocation = Allocation(
        event.seq,
        event.on,
        _text(event, "arm"),
        int(_text(event, "position") or 0),
        event.reason,
        _text(event, "decided_by"),
    )


def _performed(p: Participant, event: Event) -> None:
    p.performed.append(event)
    _record(p, event)


def _dose(p: Participant, event: Event) -> None:
    names = ("intervention", "record", "planned", "prepared", "ratio", "lot", "unit")
    p.doses.append(Dose(event.seq, event.on, *(_text(event, name) for name in names)))


def _tablets(p: Participant, event: Event) -> None:
    count = int(_text(event, "tablets") or 0) * (-1 if event.type == e.DRUG_RETURNED else 1)
    names = ("intervention", "record", "drug", "strength")
    p.tablets.append(Tablets(event.seq, count, event.on, *(_text(event, name) for name in names)))


def _changed(p: Participant, event: Event) -> None:
    names = ("intervention", "record", "drug", "dose", "decided_by")
    p.changes.append(RegimenChange(event.seq, event.reason, event.on, *(_text(event, name) for name in names)))


def _sent(p: Participant, event: Event) -> None:
    names = ("kind", "record", "rule", "to")
    p.reports.append(SentReport(event.seq, event.user, event.on, *(_text(event, name) for name in names)))


def _of_the_trial(_p: Participant, _event: Event) -> None:
    """What happens to a unit, and what is locked, is folded with the trial."""


def _held(p: Participant, event: Event) -> None:
    p.visits[_text(event, "encounter"), _text(event, "record")] = Visit(event.seq, event.on, True, "")


def _missed(p: Participant, event: Event) -> None:
    key = (_text(event, "encounter"), _text(event, "record"))
    if key not in p.visits:
        p.visits[key] = Visit(event.seq, event.on, False, event.reason)


def _signature(p: Participant, event: Event) -> None:
    p.signatures.add(event.seq)


def _noted(p: Participant, _event: Event) -> None:
    p.notes += 1


def _of_the_vault(_participant: Participant, _event: Event) -> None:
    """Whose name and free text are erased is a part of the trial's state."""


def _screening_ended(p: Participant, event: Event) -> None:
    p.screening_ended, p.screening_end_reason = event.on, event.reason


def _withdrawn(p: Participant, event: Event) -> None:
    p.withdrawn, p.withdrawal_reason = event.on, event.reason


#: What changes nothing that a criterion may ask about.
_NO_FACTS = frozenset(
    {
        e.ELIGIBILITY_DETERMINED,
        e.VISIT_HELD,
        e.VISIT_MISSED,
        e.NOTED,
        e.ERASURE_ORDERED,
        e.ERASURE_CONFIRMED,
        e.SIGNED,
        *e.OF_QUERIES,
        *e.OF_REVIEW,
        e.DOSE_DETERMINED,
        e.INFUSION_INTERRUPTED,
        e.INFUSION_RESUMED,
        e.INFUSION_ENDED,
        e.DRUG_DISPENSED,
        e.DRUG_RETURNED,
        e.REGIMEN_CHANGED,
        e.REPORT_SENT,
        e.ENROLLED,
    }
)

_HANDLERS: dict[str, Callable[[Participant, Event], None]] = {
    e.SCREENED: _screened,
    e.CONSENTED: _consented,
    e.OBSERVED: _observed,
    e.RECORD_ADDED: _record,
    e.RECORD_COMPLETED: _completed,
    e.LIST_CLOSED: _closed,
    e.ELIGIBILITY_DETERMINED: _determined,
    e.ENROLLED: _enrolled,
    e.ALLOCATED: _allocated,
    e.DOSE_DETERMINED: _dose,
    e.PERFORMED: _performed,
    e.INFUSION_INTERRUPTED: _of_the_trial,
    e.INFUSION_RESUMED: _of_the_trial,
    e.INFUSION_ENDED: _of_the_trial,
    e.DRUG_DISPENSED: _tablets,
    e.DRUG_RETURNED: _tablets,
    e.REGIMEN_CHANGED: _changed,
    e.REPORT_SENT: _sent,
    e.VISIT_HELD: _held,
    e.VISIT_MISSED: _missed,
    **dict.fromkeys(e.OF_QUERIES, apply_query),
    e.SOURCE_VERIFIED: apply_casebook,
    e.CASEBOOK_SIGNED: apply_casebook,
    e.DATA_FROZEN: apply_freeze,
    e.DATA_UNFROZEN: apply_freeze,
    e.DATA_LOCKED: _of_the_trial,
    e.DATA_UNLOCKED: _of_the_trial,
    e.NOTED: _noted,
    e.ERASURE_ORDERED: _of_the_vault,
    e.ERASURE_CONFIRMED: _of_the_vault,
    e.SIGNED: _signature,
    e.SCREENING_ENDED: _screening_ended,
    e.WITHDRAWN: _withdrawn,
}


def fold_trial(events: Iterable[Event]) -> TrialState:
    """The state that all decisions share, from the trial-wide events in any order of arrival."""
    state = TrialState()
    for event in ordered(effective(events)):
        apply_trial(state, event)
    return state


def apply_trial(state: TrialState, event: Event) -> None:
    """Take one event into the trial's state; types that concern one participant alone are passed over."""
    if event.seq > state.last:
        state.last = event.seq
    participant = event.stream.removeprefix("participant/")
    match event.type:
        case e.OPENED:
            state.kind = _text(event, "kind")
        case e.PROTOCOL_REGISTERED:
            files = event.payload.get("files")
            state.protocols[_text(event, "digest")] = (
                {str(name): str(blob) for name, blob in files.items()} if isinstance(files, dict) else {}
            )
        case e.PROTOCOL_ACTIVATED:
            state.active[event.site] = _text(event, "digest")
        case e.QUESTION_ANSWERED:
            source = bool(event.payload.get("from_file"))
            state.answers[_text(event, "question")] = Answered(
                _text(event, "answer"), event.user, event.on, event.seq, source
            )
        case e.BOUNDARY_COMPUTED:
            told = event.payload.get("pause_at")
            table = tuple(one if isinstance(one, int) else None for one in told) if isinstance(told, list) else ()
            state.boundary = BoundaryTable(event.seq, table)
        case e.BOUNDARY_COUNTED:
            state.counted.setdefault((_text(event, "participant"), _text(event, "record")), event.seq)
        case e.TRIGGER_RAISED:
            _raised(state, event)
        case e.TRIGGER_REVIEWED:
            _reviewed(state, event)
        case e.SCREENED:
            state.sites[participant] = event.site
        case e.ENROLLED:
            state.enrolled[participant] = int(_text(event, "number") or 0)
        case e.ALLOCATED:
            state.allocated[participant] = _text(event, "arm") or f"place {_text(event, 'position')}"
            state.places[participant] = int(_text(event, "position") or 0)
        case e.DELEGATED | e.DELEGATION_ENDED:
            apply_delegation(state, event)
        case e.DATA_LOCKED | e.DATA_UNLOCKED:
            apply_lock(state, event)
        case e.ERASURE_ORDERED | e.ERASURE_CONFIRMED:
            _erased(state.erasures.setdefault(participant, Erasure()), event)
        case _:
            pass
    if event.type in e.OF_PRODUCTS:
        apply_product(state.custody, event)
        if event.type == e.DOSE_DETERMINED:
            state.treated.setdefault(_text(event, "intervention"), {}).setdefault(participant, event.on)


def _erased(erasure: Erasure, event: Event) -> None:
    erasure.events += (event.seq,)
    if event.type == e.ERASURE_ORDERED:
        erasure.ordered, erasure.ordered_by, erasure.reason = event.on, event.user, event.reason
    else:
        erasure.confirmed, erasure.confirmed_by, erasure.confirmed_at = event.on, event.user, event.at


def _raised(state: TrialState, event: Event) -> None:
    names = ("alert", "trigger", "action", "says", "participant", "record")
    found = event.payload.get("recipients")
    recipients = tuple(map(str, found)) if isinstance(found, list) else ()
    alert = Alert(
        event.seq, recipients, event.on, recorded_at(event.at, event.zone), *(_text(event, name) for name in names)
    )
    state.alerts[alert.identity] = alert
    for review in state.early_reviews.pop(alert.identity, ()):
        _reviewed(state, review)


def _reviewed(state: TrialState, event: Event) -> None:
    alert = state.alerts.get(_text(event, "alert"))
    if alert is None:  # dated before what it reviews
        state.early_reviews.setdefault(_text(event, "alert"), []).append(event)
        return
    alert.decision, alert.reviewed = _text(event, "decision"), event.on
    alert.reviewed_at = recorded_at(event.at, event.zone)
    alert.reviewed_by, alert.reason = event.user, event.reason
