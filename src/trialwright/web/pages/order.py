"""An order: the form of one command, filled from a link, tried at the gate, and sent once."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from trialwright.core.finding import Finding, Refused, finding
from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.trial.events import stream_of
from trialwright.trial.schedule import encounter_of
from trialwright.web.desk import Meant
from trialwright.web.erasures import carry_out
from trialwright.web.fields import Field, typed
from trialwright.web.guard import allowed, desk, hers, name_of, sender, vault, within
from trialwright.web.order_choices import Around
from trialwright.web.orders import ORDERS, PLACES, Ask, Order
from trialwright.web.proof import asked_again, asks_code, asks_passkey, proven
from trialwright.web.reach import in_reach
from trialwright.web.requirements import before
from trialwright.web.summary import visit_label
from trialwright.web.words import label

#: What a link says beside the command's own fields, and the form hands on.
_CARRIED = ("item", "old", "fields")


@dataclass(slots=True)
class Asked:
    """One field of the form as it is shown."""

    ask: Ask
    value: str = ""
    choices: list[tuple[str, str]] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    refused: list[Finding] = field(default_factory=list)

    @property
    def folds(self) -> bool:
        """Whether some of the fields are folded away."""
        return any(one.folded for one in self.fields)


def order(request: HttpRequest, name: str) -> HttpResponse:
    """Show the form of a command, or carry the command out."""
    found = ORDERS.get(name)
    if found is None:
        raise Http404
    if not allowed(request, found.command):
        return render(request, "web/forbidden.html", {"page": found.title}, status=403)
    told = request.POST if request.method == "POST" else request.GET
    link = {key: str(told[key]) for key in told}
    around = _around(request, link, found)
    if around.participant is None and any(one.name == "participant" and one.kind == "hidden" for one in found.asks):
        raise Http404  # as of a woman of another site
    asked = [_asked(one, around, link) for one in found.asks]
    form = link.get("form") or str(uuid.uuid4())
    seen = _seen(around) if found.meaning else 0
    above: list[Finding] = []
    doubted: list[Finding] = []
    if request.method == "POST":
        above, doubted = _carry_out(request, found, asked, link, form, seen)
        if not above and not doubted and not any(one.refused or any(e.refused for e in one.fields) for one in asked):
            return _back(request, link)
    context = {
        "order": found,
        "name": name,
        "asked": asked,
        "form": form,
        "above": above,
        "around": around,
        "back": _place(request, link.get("back", "")),
        "seen": seen,
        "doubted": doubted,
        "password": bool(found.meaning) and asked_again(),
        "code": bool(found.meaning) and asks_code(request),
        "passkey": bool(found.meaning) and asks_passkey(request),
        "refused": above or doubted or any(one.refused for one in asked),
        "requires": before(around, found.command, desk().local()),
        "title_of_order": _title(around, found),
        "carried": [(key, link[key]) for key in _CARRIED if key in link],
    }
    return render(request, "web/order.html", context, status=200)


def link_to(name: str, **values: str) -> str:
    """The address of an order with what is known already."""
    return f"/order/{name}?{urlencode(values)}"


def _around(request: HttpRequest, link: dict[str, str], found: Order) -> Around:
    identity = link.get("participant", "")
    trial = desk().trial()
    participant = hers(request, identity) if identity in trial.sites else None
    unit = trial.custody.units.get(link.get("unit", ""))
    if unit is not None and not within(request, trial.sites.get(unit.participant)):
        raise Http404
    if request.acting.site and link.get("site", request.acting.site) not in ("", request.acting.site):
        raise Http404
    if request.acting.site and found.command in (c.Lock, c.Unlock) and not (participant or link.get("site")):
        raise Http404  # the whole trial, by somebody of one site
    site = participant.site if participant else request.acting.site
    return Around(desk().protocol(site), trial, participant, request.acting.role, link)


def _asked(ask: Ask, around: Around, link: dict[str, str]) -> Asked:
    made = Asked(ask, link.get(ask.name, ""))
    if ask.choices is not None:
        made.choices = ask.choices(around)
    if ask.fields is not None:
        made.fields = ask.fields(around)
        for one in made.fields:
            typed(one, link)
    if not made.value and "form" not in link:
        made.value = _to_begin_with(ask, around)
    return made


def _to_begin_with(ask: Ask, around: Around) -> str:
    """What a field holds before anybody has typed: the day or the minute, and a free name for a record."""
    now = desk().local()
    if ask.name in ("on", "begins", "thawed"):
        return now.strftime("%Y-%m-%dT%H:%M") if ask.kind == "moment" else str(now.date())
    if ask.kind == "count":
        return "0"
    if ask.name == "site" and len(around.protocol.document.sites) == 1:
        return next(iter(around.protocol.document.sites))
    if ask.name == "record" and ask.kind == "text":
        intervention = around.protocol.document.interventions.get(around.link.get("intervention", ""))
        kind = intervention.record if intervention else around.link.get("kind", "")
        number = len(around.participant.records.get(kind, {})) + 1 if around.participant else 1
        return f"{kind}-{number}" if kind else ""
    return ""


def _carry_out(
    request: HttpRequest, found: Order, asked: list[Asked], link: dict[str, str], form: str, seen: int
) -> tuple[list[Finding], list[Finding]]:
    """Submit the command, signed where it is; what was refused is put beside its field, and the rest returned.

    Second comes what speaks against the one who signs: it stands beside the password.
    """
    for one in asked:
        if one.ask.kind not in ("fields", "check") and not one.ask.optional and not one.value.strip():
            one.refused.append(finding("web_field_empty", name=one.ask.label))
    if any(one.refused for one in asked):
        return [], []
    command, name = _command(found, asked, link), found.command.__name__
    try:
        in_reach(desk(), request.acting, command)
    except Refused as refused:
        return [one for one in refused.findings if not _placed(one, asked)], []
    meant: Meant | None = None
    if found.meaning and not desk().sent_before(form, [name]):
        if link.get("seen") != str(seen):
            return [finding("web_signed_changed")], []
        try:
            meant = Meant(found.meaning, name_of(request), proven(request))
        except Refused as refused:
            return [], list(refused.findings)
    try:
        if isinstance(command, c.Note):
            if command.participant not in desk().trial().sites:
                raise Http404
            command = replace(command, ciphertext=vault().seal(command.participant, command.ciphertext))
        desk().submit({name: command}, sender(request), form, meant)
    except Refused as refused:
        return [one for one in refused.findings if not _placed(one, asked)], []
    if isinstance(command, c.ConfirmErasure):
        carry_out(desk().trial(), vault())
    return [], []


def _seen(around: Around) -> int:
    """The last event of what is signed, so that nobody signs what has changed since it was shown."""
    link, last = around.link, around.participant.last if around.participant else 0
    streams = [stream_of(kind, link[kind]) for kind in ("lot", "unit") if kind in link]
    return max([last, *(event.seq for one in streams for event in desk().ledger.events(stream=one))])


def _command(found: Order, asked: list[Asked], link: dict[str, str]) -> Command:
    values: dict[str, Any] = {}
    for one in asked:
        match one.ask.kind:
            case "fields":
                told = {each.name: typed(each, link) for each in one.fields}
                values[one.ask.name] = {name: text for name, text in told.items() if text}
            case "check":
                values[one.ask.name] = one.value == "yes"
            case "count":
                values[one.ask.name] = int(one.value) if one.value.isdecimal() else -1
            case _:
                values[one.ask.name] = one.value.strip()
    if "event" in values:
        values["event"] = int(values["event"]) if values["event"].isdecimal() else 0
    if found.command is c.Perform:
        protocol = desk().protocol(desk().trial().sites.get(values["participant"], ""))
        intervention = protocol.document.interventions.get(values["intervention"])
        values["steps"] = tuple(intervention.steps) if intervention else ()
    if found.command is c.SignCasebook:
        last = desk().events_of(values["participant"])[-1]
        values |= {"last": last.seq, "hash": last.hash}
    known = {one.name for one in fields(found.command)}
    return found.command(**{name: value for name, value in values.items() if name in known})


def _placed(refused: Finding, asked: list[Asked]) -> bool:
    """Put a refusal beside the field that it is about, where there is one."""
    name = refused.values.get("name", "").rpartition(".")[2]
    for one in asked:
        for each in one.fields:
            if each.name == name:
                each.refused.append(refused)
                return True
    for place in PLACES.get(refused.code, (name,)):
        for one in asked:
            if one.ask.name == place and one.ask.kind != "hidden":
                one.refused.append(refused)
                return True
    return False


def _title(around: Around, found: Order) -> str:
    """What the form is for, where its command is for many things: the kind of record, or what is carried out."""
    name = around.link.get("intervention", "") or around.link.get("kind", "")
    if found.command in (c.Lock, c.Unlock, c.Freeze, c.Unfreeze, c.RaiseQuery, c.SignCasebook):
        return f"{_(found.title)}: {_about_what(around)}"
    names_it = found.command in (c.Perform, c.AddRecord, c.CompleteRecord)
    return label(around.protocol, name) if names_it and name else found.title


def _about_what(around: Around) -> str:
    """The visit, the entry, the participant or the site that an order is about, else the whole trial."""
    link = around.link
    who = around.participant.identity if around.participant else ""
    if encounter_of(link.get("encounter", "")) in around.protocol.document.schedule.encounters:
        return f"{who}, {visit_label(around.protocol, link['encounter'])}"
    if link.get("event") and around.participant is not None:
        return str(_("%(who)s, entry %(number)s") % {"who": who, "number": link["event"]})
    return who or link.get("site") or _("the whole trial")


def _place(request: HttpRequest, where: str) -> str:
    """A page of our own to go back to; never another place."""
    hosts = {request.get_host()}
    return where if where.startswith("/") and url_has_allowed_host_and_scheme(where, hosts) else "/"


def _back(request: HttpRequest, link: dict[str, str]) -> HttpResponse:
    where = _place(request, link.get("back", ""))
    return HttpResponseClientRedirect(where) if request.htmx else redirect(where)
