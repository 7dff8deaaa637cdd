"""Name and contacts of a participant, told on a click that is logged; finding her by them; who looked, when and why.

What is typed here goes by POST into the vault alone: never into an address, a session, a draft, a message or a log.
The pages send it by htmx: a browser keeps what a form sends by itself with its windows, on its disk.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseClientRedirect

from trialwright.core.finding import Finding, finding
from trialwright.ledger.identity import Identity, identity_of
from trialwright.trial import commands as c
from trialwright.trial.state import Participant
from trialwright.web.erasures import is_erased
from trialwright.web.guard import allowed, desk, hers, vault, visitor, within
from trialwright.web.pages.order import link_to
from trialwright.web.permissions import may_open
from trialwright.web.summary import standing
from trialwright.web.words import label

#: Why somebody looks: chosen, so that nobody types a name into the log.
PURPOSES = {
    "contact": gettext_lazy("To call or write to her"),
    "visit": gettext_lazy("To know her at a visit or at the bedside"),
    "record": gettext_lazy("To find her record of the hospital"),
    "emergency": gettext_lazy("In an emergency"),
    "correction": gettext_lazy("To correct what is kept"),
}
#: What the access log says, as people read it.
DEEDS = {
    "looked at": gettext_lazy("looked at"),
    "changed": gettext_lazy("changed"),
    "found": gettext_lazy("found by name or number"),
    "erased": gettext_lazy("erased"),
}
#: The fields in the order of the form, what they are called, and what helps to fill them in.
FIELDS = (
    ("name", gettext_lazy("Name"), gettext_lazy("As on her identity card")),
    ("latin", gettext_lazy("Name in Latin letters"), ""),
    ("hospital_number", gettext_lazy("Hospital number"), ""),
    ("telephone", gettext_lazy("Telephone"), ""),
    ("address", gettext_lazy("Address"), ""),
    ("contact", gettext_lazy("Contact person"), gettext_lazy("Who, how related, telephone")),
    ("language", gettext_lazy("Language she prefers"), ""),
)
_LONGEST = 500


def identity(request: HttpRequest, identity: str) -> HttpResponse:
    """Ask why before anything is shown; then show it, and keep what is changed."""
    woman = hers(request, identity)
    erasure, erased = desk().trial().erasures.get(identity), is_erased(desk().trial(), identity)
    known, refused = not erased and vault().holds(identity), ""
    told: Identity | None = None if known or erased else Identity()
    doubted: list[Finding] = []
    if request.method == "POST" and not erased:
        if request.POST.get("what") == "keep":
            told = identity_of({name: _typed(request, name) for name, _label, _help in FIELDS})
            if told.name or told.hospital_number:
                vault().keep(identity, told, visitor(request))
                messages.success(request, _("Kept in the vault, apart from the ledger."))
                return HttpResponseClientRedirect(request.path) if request.htmx else redirect("identity", identity)
            doubted = [finding("web_field_empty", name=str(FIELDS[0][1]))]
        elif request.POST.get("why") in PURPOSES:
            told = vault().look(identity, visitor(request), request.POST["why"])
        else:
            refused = _("Say why you look; it is logged.")
    context = {
        "woman": woman,
        "status": standing(desk().protocol(woman.site), woman),
        "erasure": erasure,
        "erased": erased,
        "known": known,
        "fields": _fields(told) if told is not None else [],
        "birth": _birth(woman),
        "purposes": PURPOSES.items(),
        "doubted": doubted,
        "refused": refused,
        "order": link_to("order-erasure", participant=identity, back=f"/participants/{identity}/identity")
        if allowed(request, c.OrderErasure) and not (erasure and erasure.ordered)
        else "",
        "may_log": may_open(request.acting.role, "identity_log"),
    }
    return render(request, "web/identity.html", context)


def identity_log(request: HttpRequest, identity: str) -> HttpResponse:
    """Who looked at her name, changed it or found her by it, when, and why."""
    woman = hers(request, identity)
    rows = [(one, DEEDS.get(one.what, one.what), PURPOSES.get(one.why, one.why)) for one in vault().accesses(identity)]
    context = {"woman": woman, "rows": rows, "may_identity": may_open(request.acting.role, "identity")}
    return render(request, "web/identity_log.html", context)


def find(request: HttpRequest) -> HttpResponse:
    """Women of one's own site by name or hospital number, typed whole; each find is logged."""
    wanted = request.POST.get("who", "").strip()[:_LONGEST]
    among = [one for one, site in desk().trial().sites.items() if within(request, site)]
    found = vault().find(wanted, among, visitor(request)) if request.method == "POST" and wanted else []
    rows: list[tuple[str, Any, Any]] = []
    for one in found:
        woman = desk().participant(one)
        if woman is not None:
            rows.append((one, *standing(desk().protocol(woman.site), woman)))
    return render(request, "web/find.html", {"wanted": wanted, "rows": rows})


def _typed(request: HttpRequest, name: str) -> str:
    return str(request.POST.get(name, "")).replace("\0", "\N{REPLACEMENT CHARACTER}")[:_LONGEST]


def _fields(told: Identity) -> list[tuple[str, Any, Any, str]]:
    values = asdict(told)
    return [(name, says, helps, values[name]) for name, says, helps in FIELDS]


def _birth(woman: Participant) -> list[tuple[str, str]]:
    """What identifies her at the bedside beside her pseudonym: an item of the protocol, kept in the ledger."""
    protocol = desk().protocol(woman.site)
    items = {one.identifier for one in protocol.document.products.values() if one.identifier}
    rows = []
    for item in sorted(items):
        events = woman.observed.get(item)
        value = events[-1].payload.get("value") if events else None
        rows.append((label(protocol, item), str(value.get("entered", "")) if isinstance(value, dict) else ""))
    return rows
