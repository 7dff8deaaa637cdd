"""Casebooks: how far each is, what of it is verified, signed, frozen and locked; and one, form by form."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from trialwright.core.finding import Finding, Refused, finding
from trialwright.ledger.envelope import Event
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.casebook import is_signed, is_verified, verification
from trialwright.trial.forms import Form, forms, freeze_of, lock_of
from trialwright.trial.state import Hold, Participant
from trialwright.web.casebooks import TONES, lines, share, totals
from trialwright.web.guard import allowed, desk, hers, sender
from trialwright.web.models import Draft
from trialwright.web.pages.order import link_to
from trialwright.web.permissions import may_open
from trialwright.web.trail import WORDS, Value, values_of

_PER_PAGE = 40


@dataclass(slots=True)
class Shown:
    """An entry of a form as it holds now, and whether it was compared with its source."""

    event: Event
    what: list[Value]
    verified: bool
    void: bool  # it was verified, and has changed since
    able: bool
    word: str


@dataclass(slots=True)
class Sheet:
    """A form with its entries and what may be done about it."""

    form: Form
    state: str
    tone: str
    entries: list[Shown] = field(default_factory=list)
    actions: list[tuple[str, str]] = field(default_factory=list)


#: What is told by the labels of the protocol; of anything else it is said what it is.
_BY_LABEL = frozenset({e.OBSERVED, e.RECORD_ADDED, e.RECORD_COMPLETED, e.PERFORMED})


def casebooks(request: HttpRequest) -> HttpResponse:
    """The casebooks that may be seen, with the figures of each site."""
    found = lines(desk(), request.acting.site)
    wanted, show = request.GET.get("q", "").strip().lower(), request.GET.get("show", "")
    kinds = {
        "owed": [one for one in found if one.done < one.due],
        "asked": [one for one in found if one.open or one.answered],
        "unverified": [one for one in found if one.verified < one.able],
        "unsigned": [one for one in found if one.signed != "signed"],
        "held": [one for one in found if one.frozen or one.locked],
    }
    shown = sorted(kinds.get(show, found), key=lambda one: one.identity)
    shown = [one for one in shown if wanted in one.identity.lower()]
    context = {
        "page": Paginator(shown, _PER_PAGE).get_page(request.GET.get("page")),
        "wanted": wanted,
        "show": show,
        "filters": [
            ("", _("All"), len(found)),
            ("owed", _("Forms owed"), len(kinds["owed"])),
            ("asked", _("Queries"), len(kinds["asked"])),
            ("unverified", _("To verify"), len(kinds["unverified"])),
            ("unsigned", _("Not signed"), len(kinds["unsigned"])),
            ("held", _("Frozen or locked"), len(kinds["held"])),
        ],
        "totals": [(one, share(one.verified, one.able), _scope_actions(request, one.site)) for one in totals(found)],
        "trial": _scope_actions(request, "") if not request.acting.site else None,
        "may_trail": may_open(request.acting.role, "trail"),
    }
    return render(request, "web/casebooks_rows.html" if request.htmx else "web/casebooks.html", context)


def casebook(request: HttpRequest, identity: str) -> HttpResponse:
    """One casebook: every form with its entries and its state."""
    return _page(request, hers(request, identity), [])


def verify_source(request: HttpRequest, identity: str) -> HttpResponse:
    """Mark the ticked entries as verified against their source."""
    woman = hers(request, identity)
    if request.method != "POST":
        raise Http404
    told = request.POST
    if told.get("seen") != str(woman.last) and not desk().sent_before(told.get("form", ""), ["VerifySource"]):
        return _page(request, woman, [finding("web_verified_changed", participant=identity)])
    chosen = {int(one) for one in told.getlist("event") if one.isdecimal() and len(one) < 16}
    command = c.VerifySource(
        identity, _bound(woman, chosen), str(desk().today()), told.get("encounter", ""), told.get("record", "")
    )
    try:
        desk().submit({"VerifySource": command}, sender(request), told.get("form", "") or str(uuid.uuid4()))
    except Refused as refused:
        return _page(request, woman, list(refused.findings))
    back = told.get("back", "")
    return redirect(back if back.startswith(f"/participants/{identity}/") else f"/participants/{identity}/casebook/")


def _bound(woman: Participant, chosen: set[int]) -> dict[int, str]:
    """The hash of each chosen entry, and of its last correction."""
    hashes = {event.seq: event.hash for event in desk().events_of(woman.identity)}
    named = chosen | {woman.mended[seq] for seq in chosen if seq in woman.mended}
    return {seq: hashes[seq] for seq in named if seq in hashes}


def _page(request: HttpRequest, woman: Participant, faults: list[Finding]) -> HttpResponse:
    protocol, trial, today = desk().protocol(woman.site), desk().trial(), desk().today()
    drafted = _drafted(woman.identity)
    locked = lock_of(trial, woman)
    sheets = [_sheet(request, protocol, woman, one, drafted, locked) for one in forms(protocol, trial, woman, today)]
    verified, able = verification(woman)
    context = {
        "woman": woman,
        "sheets": sheets,
        "faults": faults,
        "verified": share(verified, able),
        "owed": sum(one.form.owed for one in sheets),
        "queries": [one for one in woman.threads.values() if one.state != "closed"],
        "signed": is_signed(woman),
        "locked": locked,
        "frozen": freeze_of(woman, "", ""),
        "actions": list(_actions(request, woman, locked)),
        "signatures": desk().signatures_on(e.participant_stream(woman.identity)),
        "verifies": allowed(request, c.VerifySource) and locked is None,
        "seen": woman.last,
        "form_id": str(uuid.uuid4()),
        "may_audit": may_open(request.acting.role, "audit"),
    }
    return render(request, "web/casebook.html", context)


def _drafted(identity: str) -> set[tuple[str, str]]:
    """The visits of which somebody keeps a draft."""
    keys = Draft.objects.filter(form__startswith=f"{identity}/").values_list("form", flat=True)
    return {(key.split("/")[1], "/".join(key.split("/")[2:])) for key in keys}


def _sheet(
    request: HttpRequest,
    protocol: Protocol,
    woman: Participant,
    form: Form,
    drafted: set[tuple[str, str]],
    locked: Hold | None,
) -> Sheet:
    is_draft = form.state == "not started" and (form.encounter, form.record) in drafted
    state = "in progress" if is_draft else form.state
    sheet = Sheet(form, state, TONES[state])
    for seq in form.entries:
        event = woman.entries[seq]
        stands, able = is_verified(woman, seq), event.type in e.VERIFIABLE
        void = seq in woman.verified and not stands
        what = values_of(protocol, event.type, event.payload)
        word = "" if event.type in _BY_LABEL else str(WORDS[event.type])
        sheet.entries.append(Shown(event, what, stands, void, able, word))
    if form.visit is not None and locked is None:
        sheet.actions = list(_form_actions(request, woman, form))
    return sheet


def _form_actions(request: HttpRequest, woman: Participant, form: Form) -> Iterator[tuple[str, str]]:
    here = f"/participants/{woman.identity}/casebook/"
    about = {"participant": woman.identity, "encounter": form.encounter, "record": form.record, "back": here}
    if allowed(request, c.RaiseQuery):
        yield _("Raise a query"), link_to("raise-query", **about)
    own = woman.frozen.get((form.encounter, form.record))
    if own is not None and own.holds and allowed(request, c.Unfreeze):
        yield _("Unfreeze"), link_to("unfreeze", **about)
    elif freeze_of(woman, form.encounter, form.record) is None and allowed(request, c.Freeze):
        yield _("Freeze"), link_to("freeze", **about)


def _actions(request: HttpRequest, woman: Participant, locked: Hold | None) -> Iterator[tuple[str, str]]:
    """What the one who asks may do about the casebook as a whole."""
    about = {"participant": woman.identity, "back": f"/participants/{woman.identity}/casebook/"}
    whole = woman.frozen.get(("", ""))
    frozen = whole is not None and whole.holds
    own = desk().trial().locks.get(f"participant {woman.identity}")
    if locked is None and not is_signed(woman) and allowed(request, c.SignCasebook):
        yield _("Sign the casebook"), link_to("sign-casebook", **about)
    if locked is None and allowed(request, c.RaiseQuery):
        yield _("Raise a query"), link_to("raise-query", **about)
    if locked is None and frozen and allowed(request, c.Unfreeze):
        yield _("Unfreeze"), link_to("unfreeze", **about)
    if locked is None and not frozen and allowed(request, c.Freeze):
        yield _("Freeze"), link_to("freeze", **about)
    if own is not None and own.holds and allowed(request, c.Unlock):
        yield _("Unlock"), link_to("unlock", **about)
    elif (own is None or not own.holds) and allowed(request, c.Lock):
        yield _("Lock"), link_to("lock", **about)


def _scope_actions(request: HttpRequest, site: str) -> dict[str, Any]:
    """Whether a site or the trial is locked, and where that is changed."""
    hold = desk().trial().locks.get(f"site {site}" if site else "trial")
    holds = hold is not None and hold.holds
    order, command, words = ("unlock", c.Unlock, _("Unlock")) if holds else ("lock", c.Lock, _("Lock"))
    link = link_to(order, site=site, back="/casebooks") if allowed(request, command) else ""
    return {"hold": hold if holds else None, "words": words, "link": link}
