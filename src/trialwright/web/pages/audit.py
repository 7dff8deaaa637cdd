"""The audit trail of a participant, and of one entry: its corrections, queries, verifications and signatures."""

from __future__ import annotations

import uuid

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from trialwright.ledger.envelope import VOIDED, Event
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.casebook import is_verified, named_hashes
from trialwright.trial.forms import freeze_of, lock_of, place_of
from trialwright.trial.state import Participant, Thread
from trialwright.web.guard import allowed, desk, hers
from trialwright.web.pages.order import link_to
from trialwright.web.permissions import may_open
from trialwright.web.trail import beside, entries, text_of, values_of

_PER_PAGE = 50


def audit(request: HttpRequest, identity: str) -> HttpResponse:
    """Her trail, newest first; a search looks through everything that is shown."""
    woman = hers(request, identity)
    protocol, events = desk().protocol(woman.site), desk().events_of(identity)
    around, correct = beside(events), allowed(request, c.Correct)
    wanted, newest = request.GET.get("q", "").strip().lower(), events[::-1]
    if wanted:
        newest = [one.event for one in entries(protocol, newest, around, correct) if wanted in text_of(one)]
    page = Paginator(newest, _PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = entries(protocol, page.object_list, around, correct)
    context = {"woman": woman, "page": page, "wanted": wanted, "all": len(events)}
    return render(request, "web/audit_rows.html" if request.htmx else "web/audit.html", context)


def entry(request: HttpRequest, identity: str, number: int) -> HttpResponse:
    """Everything about one entry: who made it, each correction with old, new and reason, and what was said of it."""
    woman, events = hers(request, identity), desk().events_of(identity)
    event = next((one for one in events if one.seq == number and one.type in e.CASEBOOK), None)
    if event is None:
        raise Http404
    protocol, here = desk().protocol(woman.site), f"/participants/{identity}/entries/{number}/"
    around, correct = beside(events), allowed(request, c.Correct)
    about = [one for one in events if one.seq == number or woman.bases.get(one.seq) == number]
    (first, *changes) = entries(protocol, about, around, correct, here)
    now = woman.entries.get(number)
    context = {
        "woman": woman,
        "entry": first,
        "changes": changes,
        "says": values_of(protocol, now.type, now.payload) if now is not None else [],
        "gone": now is None,
        "where": place_of(protocol, woman, desk().visits(woman), now or event),
        "held": _held(woman, event),
        "queries": _about(woman, event),
        "verifications": [(one, _stands(woman, event, one)) for one in events if number in _verified_by(one)],
        "verified": is_verified(woman, number),
        "verifiable": now is not None and event.type in e.VERIFIABLE and allowed(request, c.VerifySource),
        "fields": _fields(request, woman, now, here),
        "seen": woman.last,
        "form_id": str(uuid.uuid4()),
        "may_audit": may_open(request.acting.role, "audit"),
    }
    return render(request, "web/entry.html", context)


def _held(woman: Participant, event: Event) -> str:
    """Whether the entry is locked or frozen: then nothing is offered that the gate would refuse."""
    trial, protocol = desk().trial(), desk().protocol(woman.site)
    if lock_of(trial, woman) is not None:
        return "locked"
    place = place_of(protocol, woman, desk().visits(woman), event)
    return "frozen" if freeze_of(woman, *place) is not None else ""


def _about(woman: Participant, event: Event) -> list[Thread]:
    """The queries about an entry: those that name it, and those of edit checks that were raised with it."""
    item = str(event.payload.get("item") or f"{event.payload.get('kind')} {event.payload.get('record')}")
    return [
        one
        for one in woman.threads.values()
        if one.event == event.seq or (not one.role and one.item == item and one.steps[0].on == event.on)
    ]


def _verified_by(event: Event) -> dict[int, str]:
    return named_hashes(event) if event.type == e.SOURCE_VERIFIED else {}


def _stands(woman: Participant, event: Event, verification: Event) -> bool:
    return verification.seq > woman.mended.get(event.seq, 0)


def _fields(request: HttpRequest, woman: Participant, now: Event | None, here: str) -> list[tuple[str, str]]:
    """Where a query is raised: about the entry, and about each field of a record."""
    if now is None or not allowed(request, c.RaiseQuery) or now.type == VOIDED:
        return []
    told = now.payload.get("fields")
    names = ["", *(told if isinstance(told, dict) else ())]
    return [
        (name, link_to("raise-query", participant=woman.identity, event=str(now.seq), field=name, back=here))
        for name in names
    ]
