"""Entries of the audit trail: what each event says in words, what stood there before, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from trialwright.ledger.envelope import CORRECTED, VOIDED, Event, Json
from trialwright.ledger.history import corrections
from trialwright.protocol.protocol import Protocol
from trialwright.trial import events as e
from trialwright.trial.schedule import encounter_of
from trialwright.trial.signatures import Signature, signatures
from trialwright.web.order_choices import label_of
from trialwright.web.pages.order import link_to
from trialwright.web.summary import visit_label
from trialwright.web.words import label

#: What each type of event is called.
WORDS: Final[dict[str, Any]] = {
    e.OPENED: _("Ledger opened"),
    e.PROTOCOL_REGISTERED: _("Protocol registered"),
    e.PROTOCOL_ACTIVATED: _("Protocol activated"),
    e.REHEARSAL_REGISTERED: _("Rehearsal model registered"),
    e.QUESTION_ANSWERED: _("Open question answered"),
    e.BOUNDARY_COMPUTED: _("Boundary computed"),
    e.BOUNDARY_COUNTED: _("Event counted at the boundary"),
    e.TRIGGER_RAISED: _("Alert"),
    e.TRIGGER_REVIEWED: _("Alert reviewed"),
    e.DELEGATED: _("Role delegated"),
    e.DELEGATION_ENDED: _("Delegation ended"),
    e.DONOR_REGISTERED: _("Donor registered"),
    e.DONOR_TESTED: _("Donor tested"),
    e.DONOR_ACCEPTED: _("Donor accepted"),
    e.DONOR_REJECTED: _("Donor rejected"),
    e.MATERIAL_REGISTERED: _("Material registered"),
    e.HOLD_VALIDATED: _("Hold time validated"),
    e.LOT_REGISTERED: _("Lot registered"),
    e.LOT_TESTED: _("Lot tested"),
    e.LOT_RELEASED: _("Lot released"),
    e.LOT_REJECTED: _("Lot rejected"),
    e.LOT_RECALLED: _("Lot recalled"),
    e.UNIT_ORDERED: _("Unit ordered"),
    e.UNIT_MANUFACTURED: _("Unit prepared"),
    e.UNIT_TESTED: _("Unit tested"),
    e.UNIT_RELEASED: _("Unit released"),
    e.UNIT_REJECTED: _("Unit rejected"),
    e.UNIT_ISSUED: _("Unit issued"),
    e.UNIT_RECEIVED: _("Unit received"),
    e.UNIT_VERIFIED: _("Unit checked at the bedside"),
    e.UNIT_RECONCILED: _("Rest accounted for"),
    e.SCREENED: _("Screened"),
    e.CONSENTED: _("Consent"),
    e.OBSERVED: _("Recorded"),
    e.RECORD_ADDED: _("Record added"),
    e.RECORD_COMPLETED: _("Record completed"),
    e.LIST_CLOSED: _("List complete"),
    e.ELIGIBILITY_DETERMINED: _("Eligibility confirmed"),
    e.ENROLLED: _("Enrolled"),
    e.ALLOCATED: _("Allocated"),
    e.DOSE_DETERMINED: _("Dose determined"),
    e.PERFORMED: _("Carried out"),
    e.INFUSION_INTERRUPTED: _("Infusion interrupted"),
    e.INFUSION_RESUMED: _("Infusion taken up again"),
    e.INFUSION_ENDED: _("Infusion ended"),
    e.DRUG_DISPENSED: _("Tablets handed out"),
    e.DRUG_RETURNED: _("Tablets returned"),
    e.REGIMEN_CHANGED: _("Regimen changed"),
    e.REPORT_SENT: _("Report sent"),
    e.VISIT_HELD: _("Visit held"),
    e.VISIT_MISSED: _("Visit missed"),
    e.QUERY_OPENED: _("Query opened"),
    e.QUERY_CLOSED: _("Query answered"),
    e.QUERY_RAISED: _("Query raised"),
    e.QUERY_ANSWERED: _("Query answered"),
    e.QUERY_RESOLVED: _("Query closed"),
    e.QUERY_REOPENED: _("Query asked again"),
    e.SOURCE_VERIFIED: _("Source verified"),
    e.CASEBOOK_SIGNED: _("Casebook reviewed"),
    e.DATA_FROZEN: _("Frozen"),
    e.DATA_UNFROZEN: _("Unfrozen"),
    e.DATA_LOCKED: _("Locked"),
    e.DATA_UNLOCKED: _("Unlocked"),
    e.SIGNED: _("Signature"),
    e.NOTED: _("Note (encrypted)"),
    e.ERASURE_ORDERED: _("Erasure of name and notes ordered"),
    e.ERASURE_CONFIRMED: _("Name and notes erased"),
    e.SCREENING_ENDED: _("Screening ended"),
    e.WITHDRAWN: _("Withdrawn"),
    CORRECTED: _("Corrected"),
    VOIDED: _("Taken back"),
}
_OF_RECORDS = frozenset({e.RECORD_ADDED, e.RECORD_COMPLETED, e.PERFORMED})
#: What is offered to be taken back: entries, not decisions of others about them.
_TAKEN_BACK = e.CASEBOOK | {CORRECTED, VOIDED, e.REPORT_SENT}


@dataclass(slots=True)
class Value:
    """One value of an entry: what it is called, what was entered, what stood there before, and how to correct it."""

    label: str
    text: str
    before: str = ""
    correct: str = ""


@dataclass(slots=True)
class Entry:
    """One event as the trail shows it; `address` is where everything about this entry stands."""

    event: Event
    what: str
    values: list[Value] = field(default_factory=list)
    of: int = 0
    void: str = ""
    address: str = ""
    subject: str = ""
    subject_address: str = ""
    signature: Signature | None = None
    signed_by: list[Signature] = field(default_factory=list)
    changed_by: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is looked up while entries are shown: events by number, what changed each, and the signatures."""

    known: dict[int, Event]
    changed: dict[int, list[Event]]
    signed: list[Signature]


def beside(events: Iterable[Event]) -> Beside:
    """What entries are shown against: the events of their streams."""
    told = list(events)
    known: dict[int, Event] = {}
    streams: dict[str, list[Event]] = {}
    for event in told:
        known[event.seq] = event
        streams.setdefault(event.stream, []).append(event)
    signed = [one for stream in streams.values() for one in signatures(stream)]
    return Beside(known, corrections(told), signed)


def entries(protocol: Protocol, events: Iterable[Event], around: Beside, correct: bool, back: str = "") -> list[Entry]:
    """Events as the trail shows them; where `correct`, with the way to correct and to take back."""
    shown = []
    for event in events:
        entry = _entry(protocol, event, around, correct, back)
        entry.signature = next((one for one in around.signed if one.event == event.seq), None)
        entry.signed_by = [one for one in around.signed if event.seq in one.signed]
        shown.append(entry)
    return shown


def text_of(entry: Entry) -> str:
    """Everything that an entry shows, in small letters, to be searched."""
    parts = [entry.what, entry.event.user, entry.event.role, entry.event.reason, entry.event.on]
    parts += [f"{one.label} {one.text} {one.before}" for one in entry.values]
    return " ".join(parts).lower()


def in_words(entry: Entry) -> str:
    """The values of an entry in one line: `Weight: 60 kg -> 63 kg`."""
    return "; ".join(
        f"{one.label}: {one.before} -> {one.text}" if one.before else f"{one.label}: {one.text}" for one in entry.values
    )


def _entry(protocol: Protocol, event: Event, around: Beside, correct: bool, back: str) -> Entry:
    entry = Entry(event, str(WORDS.get(event.type, event.type)))
    kind, _slash, identity = event.stream.partition("/")
    entry.subject, entry.subject_address = identity or kind, _address_of(kind, identity)
    entry.changed_by = [one.seq for one in around.changed.get(event.seq, ())]
    who = identity if kind == "participant" else ""
    if who and event.type in e.CASEBOOK:
        entry.address = f"/participants/{who}/entries/{event.seq}/"
    of = event.payload.get("of")
    if event.type in (CORRECTED, VOIDED) and isinstance(of, int):
        entry.of = of
        if event.type == CORRECTED and of in around.known:
            entry.values = list(_changes(protocol, event, around.known[of], around.changed.get(of, ())))
        return entry
    entry.values = values_of(protocol, event.type, event.payload)
    mine = bool(who) and correct and event.type in _TAKEN_BACK
    if mine and not any(one.type == VOIDED for one in around.changed.get(event.seq, ())):
        _offer(protocol, entry, around, who, back or f"/participants/{who}/audit")
        entry.void = link_to("void", participant=who, event=str(event.seq), back=back or f"/participants/{who}/audit")
    return entry


def _changes(protocol: Protocol, event: Event, corrected: Event, changes: Iterable[Event]) -> Iterator[Value]:
    """What a correction changed, old beside new."""
    earlier = [one for one in changes if one.type == CORRECTED and one.seq < event.seq]
    before = earlier[-1].payload.get("payload") if earlier else corrected.payload
    old = {one.label: one.text for one in values_of(protocol, corrected.type, _mapping(before))}
    for one in values_of(protocol, corrected.type, _mapping(event.payload.get("payload"))):
        if one.text != old.get(one.label):
            yield Value(one.label, one.text, old.get(one.label) or str(_("nothing")))


def _offer(protocol: Protocol, entry: Entry, around: Beside, who: str, back: str) -> None:
    """The way to correct each value of an observation or of a record, with what it says now."""
    event = entry.event
    kind = str(event.payload.get("kind") or "")
    last = [one for one in around.changed.get(event.seq, ()) if one.type == CORRECTED]
    now = _mapping(last[-1].payload.get("payload")) if last else event.payload
    if event.type == e.OBSERVED:
        item = str(event.payload.get("item"))
        old = entered(now.get("value")) or "not done"
        entry.values[0].correct = link_to(
            "correct", participant=who, event=str(event.seq), item=item, old=old, back=back
        )
    elif event.type in _OF_RECORDS:
        fields = _mapping(now.get("fields"))
        by_label = {label_of(protocol, kind, name): name for name in fields}
        for one in entry.values:
            name = by_label.get(one.label)
            if name is not None:
                one.correct = link_to(
                    "correct",
                    participant=who,
                    event=str(event.seq),
                    item=f"{kind}.{name}",
                    old=entered(fields[name]),
                    back=back,
                )


def values_of(protocol: Protocol, type: str, payload: dict[str, Json]) -> list[Value]:
    """What an event says, as label and text."""
    if type == e.OBSERVED:
        item, person = str(payload.get("item")), str(payload.get("person") or "")
        name = f"{label(protocol, item)}, {person}" if person else label(protocol, item)
        text = entered(payload.get("value")) or f"not done: {payload.get('not_done', '')}"
        attributes = [
            Value(key.replace("_", " "), entered(told)) for key, told in _mapping(payload.get("attributes")).items()
        ]
        return [Value(name, text), *attributes]
    if type in _OF_RECORDS:
        kind = str(payload.get("kind"))
        head = Value(label(protocol, kind), str(payload.get("record")))
        fields = _mapping(payload.get("fields"))
        return [head, *(Value(label_of(protocol, kind, name), entered(told)) for name, told in fields.items())]
    left_out = ("basis", "answers", "text", "files", "hash")
    told = [
        Value(name.replace("_", " "), _called(protocol, name, str(told)))
        for name, told in payload.items()
        if name not in left_out and not isinstance(told, (dict, list)) and told not in ("", None, 0)
    ]
    verified = payload.get("verified")
    if type == e.SOURCE_VERIFIED and isinstance(verified, list):
        names = ", ".join(str(one.get("event")) for one in verified if isinstance(one, dict))
        told.append(Value(str(_("entries")), names))
    return told


def entered(value: object) -> str:
    """What was typed for a value."""
    return str(value.get("entered", "")) if isinstance(value, dict) else ""


def _called(protocol: Protocol, name: str, told: str) -> str:
    """What an event names, as the protocol calls it."""
    if name == "encounter" and encounter_of(told) in protocol.document.schedule.encounters:
        return visit_label(protocol, told)
    return label(protocol, told) if name in ("intervention", "list", "arm", "product") else told


def _address_of(kind: str, identity: str) -> str:
    match kind:
        case "participant":
            return f"/participants/{identity}/"
        case "lot" | "unit":
            return f"/product/{kind}s/{identity}/"
        case _:
            return ""


def _mapping(value: object) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
