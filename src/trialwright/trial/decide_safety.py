"""Decisions about safety: what pauses the trial or asks for a review, the boundary, reviews, and reports sent.

Whatever changes a record is followed by its consequences, in the same transaction and on the same basis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from typing import Any

from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.language.evaluate import answer, evaluate
from trialwright.language.facts import Facts, RecordEntry
from trialwright.ledger.envelope import CORRECTED, VOIDED, Event, NewEvent
from trialwright.protocol.adverse_event import ADVERSE_EVENT
from trialwright.protocol.naming import nearest
from trialwright.protocol.reporting import pack
from trialwright.statistics.boundary import BoundaryTable, boundary_table
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.decoding import decode_record
from trialwright.trial.gate import Gate, refuse

BOARD = "safety board"
DECISIONS = ("continue", "modify", "stop")
BOUNDARY = "boundary"


def computed_boundary(gate: Gate, on: str) -> list[NewEvent]:
    """The table of the boundary, computed when a protocol is activated, and anew only where an amendment changes it."""
    part, table, before = gate.protocol.document.safety.boundary, table_of(gate), gate.trial.boundary
    if part is None or table is None or (before is not None and before.pause_at == table.pause_at):
        return []
    payload: dict[str, Any] = {
        "prior": list(part.prior),
        "p0": part.p0,
        "threshold": part.threshold,
        "pause_at": list(table.pause_at),
    }
    return [NewEvent(e.TRIAL, e.BOUNDARY_COMPUTED, on, payload)]


def table_of(gate: Gate) -> BoundaryTable | None:
    """The boundary of the protocol, for as many participants as it enrols."""
    part = gate.protocol.document.safety.boundary
    if part is None:
        return None
    a, b = (float(one) for one in part.prior)
    return boundary_table(gate.protocol.document.design.enrolment, float(part.p0), float(part.threshold), a, b)


def consequences(gate: Gate, new: Sequence[NewEvent]) -> list[NewEvent]:
    """What follows from new or corrected records: triggers that are met, events that count at the boundary."""
    found: list[NewEvent] = []
    for entry, on in _changed(gate, new):
        found += _triggers(gate, entry, on, found)
        found += _boundary(gate, entry, on, [*new, *found])
    return found


def review_trigger(gate: Gate, command: c.ReviewTrigger) -> list[NewEvent]:
    """The review of an alert by the safety board: a pause ends with `continue` or `modify`, never by itself.

    `stop` holds the trial up whatever the alert asked for, until the board decides otherwise.
    """
    alert = gate.trial.alerts.get(command.alert)
    if alert is None:
        refuse("alert_unknown", alert=command.alert, nearest=nearest(command.alert, gate.trial.alerts))
    gate.role_is(BOARD, "The review of an alert")
    if command.decision not in DECISIONS:
        refuse("decision_unknown", decision=command.decision, decisions=", ".join(DECISIONS))
    if alert.decision in ("continue", "modify"):
        refuse("alert_reviewed", alert=alert.identity, decision=alert.decision, on=alert.reviewed)
    if gate.precedes(command.on, alert.on):
        refuse("before_origin", on=command.on, origin=f"the alert {alert.identity}", since=alert.on)
    if not command.reason.strip():
        refuse("reason_missing", what="A review")
    payload: dict[str, Any] = {"alert": alert.identity, "decision": command.decision, "basis": gate.trial.last}
    return [NewEvent(e.TRIAL, e.TRIGGER_REVIEWED, command.on, payload, reason=command.reason)]


def send_report(gate: Gate, command: c.SendReport) -> list[NewEvent]:
    """A report about a record, as it was sent."""
    participant = gate.present(command.participant)
    if command.record not in participant.records.get(command.kind, {}):
        refuse("record_unknown", participant=command.participant, kind=command.kind, record=command.record)
    known = [rule.id for name in gate.protocol.document.safety.clocks for rule in pack(name).rules]
    if command.rule not in known:
        refuse("rule_unknown", rule=command.rule or "(not named)", nearest=nearest(command.rule, known))
    if not command.to.strip():
        refuse("reason_missing", what="A report (to whom)")
    payload: dict[str, Any] = {
        "kind": command.kind,
        "record": command.record,
        "rule": command.rule,
        "to": command.to,
    }
    return [gate.event(e.REPORT_SENT, command.on, payload)]


def _changed(gate: Gate, new: Sequence[NewEvent]) -> Iterator[tuple[RecordEntry, str]]:
    """The records that events add, complete, correct or partly take back, as they are afterwards, and since when.

    With the first dose at risk come the adverse events that were entered before it and may lie after it.
    """
    gone = {event.payload["of"] for event in new if event.type == VOIDED}
    for event in new:
        told = _told(gate, event, gone)
        if told:
            first, *later = told
            later.sort(key=lambda one: partial_date(one.on).earliest)
            kind, record = str(first.payload["kind"]), str(first.payload["record"])
            yield decode_record(kind, record, [first, *later]), event.on
        if event.type == e.DOSE_DETERMINED:
            for entry in gate.facts().records.get(ADVERSE_EVENT, ()):
                if entry.date is not None and not gate.precedes(entry.date.text, event.on):
                    yield entry, event.on


def _told(gate: Gate, event: NewEvent, gone: Set[object]) -> list[Event]:
    """What is told of the record that an event changes, once it has changed it; nothing where it changes none."""
    records = gate.participant.records if gate.participant is not None else {}
    if event.type in (e.RECORD_ADDED, e.RECORD_COMPLETED, e.PERFORMED):
        kind, record = str(event.payload["kind"]), str(event.payload["record"])
        return [*records.get(kind, {}).get(record, ()), gate.as_recorded(event)]
    if event.type not in (CORRECTED, VOIDED):
        return []
    of, payload = event.payload["of"], event.payload.get("payload")
    for entries in records.values():
        for told in entries.values():
            if any(one.seq == of for one in told) and told[0].seq not in gone:
                return [
                    replace(one, payload=payload) if one.seq == of and isinstance(payload, dict) else one
                    for one in told
                    if one.seq not in gone
                ]
    return []


def _triggers(gate: Gate, entry: RecordEntry, on: str, already: Sequence[NewEvent]) -> Iterator[NewEvent]:
    assert gate.participant is not None, "a record belongs to a participant"
    who, count = gate.participant.identity, len(_raised(already))
    raised = {(one.trigger, one.participant, one.record) for one in gate.trial.alerts.values()}
    raised |= {(str(one.payload["trigger"]), who, str(one.payload.get("record"))) for one in _raised(already)}
    for name, trigger in gate.protocol.document.safety.triggers.items():
        key = (name, who, f"{entry.kind} {entry.identity}")
        if trigger.of != entry.kind or key in raised:
            continue
        path = f"safety.triggers.{name}"
        excused = bool(trigger.unless) and _holds(gate, f"{path}.unless", entry, on)
        if _holds(gate, f"{path}.rule", entry, on) and not excused:
            yield _alert(gate, count, name, trigger.action, f"{who}: {trigger.says}", key[2], on)
            count += 1


def _boundary(gate: Gate, entry: RecordEntry, on: str, already: Sequence[NewEvent]) -> Iterator[NewEvent]:
    """An event that counts is counted once and for good; the boundary is looked up in the table of the activation."""
    assert gate.participant is not None, "a record belongs to a participant"
    part, who, record = gate.protocol.document.safety.boundary, gate.participant.identity, entry.identity
    now = [one.payload for one in already if one.type == e.BOUNDARY_COUNTED]
    counted = {*gate.trial.counted, *((str(one["participant"]), str(one["record"])) for one in now)}
    if part is None or entry.kind != ADVERSE_EVENT or (who, record) in counted:
        return
    treated = set(gate.trial.treated.get(part.intervention, {}))
    for one in already:
        if one.type == e.DOSE_DETERMINED and one.payload["intervention"] == part.intervention:
            treated.add(who)
    if who not in treated or not _holds(gate, "safety.boundary.rule", entry, on):
        return
    earlier = {one for one, _ in counted}
    women = earlier | {who}
    payload: dict[str, Any] = {
        "participant": who,
        "record": record,
        "events": len(women),
        "treated": len(treated),
        "basis": gate.trial.last,
    }
    yield NewEvent(e.TRIAL, e.BOUNDARY_COUNTED, on, payload)
    if who not in earlier and gate.trial.boundary is not None:
        table = gate.trial.boundary.pause_at
        limit = table[min(len(treated), len(table)) - 1]  # more treated than planned are judged by the last row
        if limit is not None and len(women) >= limit:
            says = f"{len(women)} of {len(treated)} treated had an event that counts: the boundary is crossed."
            yield _alert(gate, len(_raised(already)), BOUNDARY, "pause", says, f"{ADVERSE_EVENT} {record}", on)


def _holds(gate: Gate, rule: str, entry: RecordEntry, on: str) -> bool:
    """Whether a rule certainly holds of a record, on its date or by now, with the record among the facts as it is now.

    By now too, because what is entered late is dated before other things that the rule asks for.
    """
    facts = gate.facts()
    others = [one for one in facts.records.get(entry.kind, ()) if one.identity != entry.identity]
    records = {**facts.records, entry.kind: [*others, entry]}
    facts = Facts(facts.observations, records, facts.closed, facts.anchors, facts.relatives)
    moments = (partial_date(on), partial_date(gate.now.strftime("%Y-%m-%dT%H:%M")))
    return any(answer(evaluate(gate.protocol.rules[rule], facts, when, entry)) is Truth.YES for when in moments)


def _raised(events: Sequence[NewEvent]) -> list[NewEvent]:
    return [one for one in events if one.type == e.TRIGGER_RAISED]


def _alert(gate: Gate, already: int, trigger: str, action: str, says: str, record: str, on: str) -> NewEvent:
    assert gate.participant is not None, "a record belongs to a participant"
    payload: dict[str, Any] = {
        "alert": f"A{len(gate.trial.alerts) + already + 1}",
        "trigger": trigger,
        "action": action,
        "says": says,
        "participant": gate.participant.identity,
        "record": record,
        "recipients": [gate.participant.identity],
        "basis": gate.trial.last,
    }
    return NewEvent(e.TRIAL, e.TRIGGER_RAISED, on, payload)
