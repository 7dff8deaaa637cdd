"""The audit trail of a participant: every entry in the order of recording, old and new values side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from trialwright.ledger.envelope import CORRECTED, VOIDED, Event, Json
from trialwright.ledger.history import corrections
from trialwright.protocol.protocol import Protocol, label
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.schedule import encounter_of
from trialwright.trial.signatures import Signature, signatures
from trialwright.web.guard import allowed, desk, hers
from trialwright.web.order_choices import label_of
from trialwright.web.pages.order import link_to
from trialwright.web.summary import visit_label

_PER_PAGE = 50
_WORDS = {
    e.SCREENED: "Screened",
    e.CONSENTED: "Consent",
    e.OBSERVED: "Recorded",
    e.RECORD_ADDED: "Record added",
    e.RECORD_COMPLETED: "Record completed",
    e.LIST_CLOSED: "List complete",
    e.ELIGIBILITY_DETERMINED: "Eligibility confirmed",
    e.ENROLLED: "Enrolled",
    e.ALLOCATED: "Allocated",
    e.DOSE_DETERMINED: "Dose determined",
    e.PERFORMED: "Carried out",
    e.INFUSION_INTERRUPTED: "Infusion interrupted",
    e.INFUSION_RESUMED: "Infusion taken up again",
    e.INFUSION_ENDED: "Infusion ended",
    e.DRUG_DISPENSED: "Tablets handed out",
    e.DRUG_RETURNED: "Tablets returned",
    e.REGIMEN_CHANGED: "Regimen changed",
    e.REPORT_SENT: "Report sent",
    e.VISIT_HELD: "Visit held",
    e.VISIT_MISSED: "Visit missed",
    e.QUERY_OPENED: "Query opened",
    e.QUERY_CLOSED: "Query answered",
    e.SIGNED: "Signature",
    e.NOTED: "Note (encrypted)",
    e.SCREENING_ENDED: "Screening ended",
    e.WITHDRAWN: "Withdrawn",
    CORRECTED: "Corrected",
    VOIDED: "Taken back",
}


@dataclass(slots=True)
class Value:
    """One value of an entry: what it is called, what was entered, what stood there before, and how to correct it."""

    label: str
    text: str
    before: str = ""
    correct: str = ""


@dataclass(slots=True)
class Entry:
    """One event as the trail shows it."""

    event: Event
    what: str
    values: list[Value] = field(default_factory=list)
    of: int = 0
    void: str = ""
    signature: Signature | None = None
    signed_by: list[Signature] = field(default_factory=list)
    changed_by: list[int] = field(default_factory=list)


def audit(request: HttpRequest, identity: str) -> HttpResponse:
    """Her trail, newest first; a search looks through everything that is shown."""
    woman = hers(request, identity)
    protocol, events = desk().protocol(woman.site), desk().events_of(identity)
    known = {event.seq: event for event in events}
    changed = corrections(events)
    signed = signatures(events)
    correct = allowed(request, c.Correct)

    def shown(some: Iterable[Event]) -> list[Entry]:
        entries = [_entry(protocol, event, known, changed, correct, identity) for event in some]
        for one in entries:
            one.signature = next((each for each in signed if each.event == one.event.seq), None)
            one.signed_by = [each for each in signed if one.event.seq in each.signed]
        return entries

    wanted, newest = request.GET.get("q", "").strip().lower(), events[::-1]
    if wanted:
        newest = [one.event for one in shown(newest) if wanted in _text(one)]
    page = Paginator(newest, _PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = shown(page.object_list)
    context = {"woman": woman, "page": page, "wanted": wanted, "all": len(events)}
    return render(request, "web/audit_rows.html" if request.htmx else "web/audit.html", context)


def _entry(
    protocol: Protocol, event: Event, known: dict[int, Event], changed: dict[int, list[Event]], correct: bool, who: str
) -> Entry:
    entry = Entry(event, _WORDS.get(event.type, event.type))
    entry.changed_by = [one.seq for one in changed.get(event.seq, ())]
    of = event.payload.get("of")
    if event.type in (CORRECTED, VOIDED) and isinstance(of, int) and of in known:
        entry.of = of
        if event.type == CORRECTED:
            earlier = [one for one in changed.get(of, ()) if one.type == CORRECTED and one.seq < event.seq]
            before = earlier[-1].payload.get("payload") if earlier else known[of].payload
            old = {one.label: one.text for one in _values(protocol, known[of].type, _mapping(before))}
            for one in _values(protocol, known[of].type, _mapping(event.payload.get("payload"))):
                if one.text != old.get(one.label):
                    entry.values.append(Value(one.label, one.text, old.get(one.label) or "nothing"))
        return entry
    entry.values = _values(protocol, event.type, event.payload)
    if event.type == e.SIGNED:
        return entry  # a signature is not taken back
    if correct and not any(one.type == VOIDED for one in changed.get(event.seq, ())):
        _offer(protocol, entry, changed, who)
        entry.void = link_to("void", participant=who, event=str(event.seq), back=f"/participants/{who}/audit")
    return entry


def _offer(protocol: Protocol, entry: Entry, changed: dict[int, list[Event]], who: str) -> None:
    """The way to correct each value of an observation or of a record, with what it says now."""
    event, back = entry.event, f"/participants/{who}/audit"
    kind = str(event.payload.get("kind") or "")
    last = [one for one in changed.get(event.seq, ()) if one.type == CORRECTED]
    now = _mapping(last[-1].payload.get("payload")) if last else event.payload
    if event.type == e.OBSERVED:
        item = str(event.payload.get("item"))
        old = _entered(now.get("value")) or "not done"
        entry.values[0].correct = link_to(
            "correct", participant=who, event=str(event.seq), item=item, old=old, back=back
        )
    elif event.type in (e.RECORD_ADDED, e.RECORD_COMPLETED, e.PERFORMED):
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
                    old=_entered(fields[name]),
                    back=back,
                )


def _values(protocol: Protocol, type: str, payload: dict[str, Json]) -> list[Value]:
    """What an event says, as label and text."""
    if type == e.OBSERVED:
        item, person = str(payload.get("item")), str(payload.get("person") or "")
        name = f"{label(protocol, item)}, {person}" if person else label(protocol, item)
        text = _entered(payload.get("value")) or f"not done: {payload.get('not_done', '')}"
        attributes = [
            Value(key.replace("_", " "), _entered(told)) for key, told in _mapping(payload.get("attributes")).items()
        ]
        return [Value(name, text), *attributes]
    if type in (e.RECORD_ADDED, e.RECORD_COMPLETED, e.PERFORMED):
        kind = str(payload.get("kind"))
        head = Value(label(protocol, kind), str(payload.get("record")))
        fields = _mapping(payload.get("fields"))
        return [head, *(Value(label_of(protocol, kind, name), _entered(told)) for name, told in fields.items())]
    left_out = ("basis", "answers", "text", "files")
    return [
        Value(name.replace("_", " "), _called(protocol, name, str(told)))
        for name, told in payload.items()
        if name not in left_out and not isinstance(told, (dict, list)) and told not in ("", None)
    ]


def _called(protocol: Protocol, name: str, told: str) -> str:
    """What an event names, as the protocol calls it."""
    if name == "encounter" and encounter_of(told) in protocol.document.schedule.encounters:
        return visit_label(protocol, told)
    return label(protocol, told) if name in ("intervention", "list", "arm", "product") else told


def _mapping(value: object) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _entered(value: object) -> str:
    return str(value.get("entered", "")) if isinstance(value, dict) else ""


def _text(entry: Entry) -> str:
    parts = [entry.what, entry.event.user, entry.event.role, entry.event.reason, entry.event.on]
    parts += [f"{one.label} {one.text} {one.before}" for one in entry.values]
    return " ".join(parts).lower()
