"""A visit: its form, what the gate says of it while it is typed, eligibility beside it, and saving it whole."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from trialwright.core.finding import Finding, Refused
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.trial.forms import forms, freeze_of, lock_of
from trialwright.trial.schedule import Planned, encounter_of
from trialwright.trial.state import Participant
from trialwright.web.always_asked import drop_draft
from trialwright.web.casebooks import SAYS_MORE, TONES
from trialwright.web.desk import Tried
from trialwright.web.eligibility_panel import panel
from trialwright.web.guard import allowed, desk, forbidden, hers, seen, sender
from trialwright.web.models import Draft
from trialwright.web.pages.order import link_to
from trialwright.web.permissions import may_open
from trialwright.web.visit_form import VisitForm, commands_of, filled, names_of, visit_form
from trialwright.web.words import label

_DECIDES = {
    "eligibility": ("confirm-eligibility", _("Confirm eligibility"), c.ConfirmEligibility),
    "enrolment": ("enrol", _("Enrol"), c.Enrol),
    "allocation": ("allocate", _("Allocate"), c.Allocate),
}


def visit(request: HttpRequest, identity: str, encounter: str) -> HttpResponse:
    """Show the form of a visit, or save what was typed into it."""
    woman, protocol = hers(request, identity), _protocol_with(request, identity, encounter)
    record = request.GET.get("record", "") or request.POST.get("record", "")
    blank = visit_form(protocol, woman, encounter, record, request.acting.role, _now())
    if request.method == "POST":
        if not may_open(request.acting.role, "visit_check"):
            return render(request, "web/forbidden.html", {"page": "entering data"}, status=403)
        told = _told(request)
        form = filled(blank, told)
        above = _save(request, woman, form, told)
        if above is None:
            drop_draft(request.user, _key(woman, form))
            return HttpResponseRedirect(f"/participants/{identity}/" if form.ends else request.get_full_path())
        return _shown(request, woman, protocol, form, told, above)
    draft = _drafts(request, woman, blank).first()
    told = dict(draft.content) if draft else {}
    form = filled(blank, told) if told else blank
    if told:
        _say(form, desk().try_out(commands_of(form, woman), sender(request)))
    return _shown(request, woman, protocol, form, {**told, "form": "", "seen": str(woman.last)}, [], bool(draft))


def visit_check(request: HttpRequest, identity: str, encounter: str) -> HttpResponse:
    """What the gate says of what is typed so far; the draft is kept."""
    woman, protocol = hers(request, identity), _protocol_with(request, identity, encounter)
    if request.method != "POST":
        raise Http404
    told = _told(request)
    form = visit_form(protocol, woman, encounter, told.get("record", ""), request.acting.role, _now())
    form = filled(form, told)
    tried = desk().try_out(commands_of(form, woman), sender(request))
    _say(form, tried)
    kept = {name: text for name, text in told.items() if name not in ("csrfmiddlewaretoken", "form", "seen")}
    Draft.objects.update_or_create(
        account=request.user, form=_key(woman, form), defaults={"content": kept, "typed": desk().now()}
    )
    if desk().sent_before(told.get("form", ""), names_of(form)):  # saving overtook the check
        drop_draft(request.user, _key(woman, form))
    context = _context(request, woman, protocol, form, tried.participant)
    return render(request, "web/visit_check.html", {**context, "kept": desk().local()})


def _protocol_with(request: HttpRequest, identity: str, encounter: str) -> Protocol:
    protocol = desk().protocol(hers(request, identity).site)
    if encounter_of(encounter) not in protocol.document.schedule.encounters:
        raise Http404
    return protocol


def _now() -> str:
    """The minute: what is dated to it can be told to come before what is given the same day."""
    return desk().local().strftime("%Y-%m-%dT%H:%M")


def _told(request: HttpRequest) -> dict[str, str]:
    """What was typed; a character that no database can hold is shown as one that stands for it."""
    return {name: str(request.POST[name]).replace("\0", "\N{REPLACEMENT CHARACTER}") for name in request.POST}


def _key(woman: Participant, form: VisitForm) -> str:
    return f"{woman.identity}/{form.encounter}/{form.record}"


def _drafts(request: HttpRequest, woman: Participant, form: VisitForm) -> Any:
    return Draft.objects.filter(account=request.user, form=_key(woman, form))


def _save(request: HttpRequest, woman: Participant, form: VisitForm, told: Mapping[str, str]) -> list[Finding] | None:
    """Submit the whole form, or say what stands in the way; None where it is done."""
    commands, identity = commands_of(form, woman), told.get("form", "") or str(uuid.uuid4())
    by = sender(request)
    if wrong_role := forbidden(request, commands.values()):
        return wrong_role
    try:
        desk().submit(commands, by, identity, seen=seen(woman, told))
    except Refused as refused:
        if refused.findings[0].code == "web_changed_since":
            return list(refused.findings)
        tried = desk().try_out(commands, by)  # what else is wrong, field by field
        _say(form, tried)
        if not tried.refused:  # it is none of the form's own faults: the disk is full, say
            return list(refused.findings)
        beside = {one.name for one in form.fields}
        return [found for name, several in tried.refused.items() if name not in beside for found in several]
    return None


def _say(form: VisitForm, tried: Tried) -> None:
    """Put what the gate says beside the field that it is about."""
    for one in form.fields:
        one.refused = tried.refused.get(one.name, [])
        one.asked = tried.asked.get(one.name, [])


def _shown(
    request: HttpRequest,
    woman: Participant,
    protocol: Protocol,
    form: VisitForm,
    told: Mapping[str, str],
    above: list[Finding],
    drafted: bool = False,
) -> HttpResponse:
    after = desk().try_out(commands_of(form, woman), sender(request)).participant
    context = _context(request, woman, protocol, form, after)
    refused = bool(above) or any(one.refused for one in form.fields)
    identity = told.get("form") or str(uuid.uuid4())
    context |= {
        "above": above,
        "form_id": identity,
        "seen": woman.last,
        "drafted": drafted,
        "refused": refused and bool(told.get("form")),
    }
    return render(request, "web/visit.html", context)


def _context(
    request: HttpRequest, woman: Participant, protocol: Protocol, form: VisitForm, after: Participant | None
) -> dict[str, Any]:
    here = f"/participants/{woman.identity}/visits/{form.encounter}/?record={form.record}"
    standing = next((one for one in desk().visits(woman) if one.key == (form.encounter, form.record)), None)
    screens = not woman.enrolled and not woman.screening_ended
    hold = lock_of(desk().trial(), woman) or freeze_of(woman, form.encounter, form.record)
    return {
        "woman": woman,
        "form": form,
        "here": here,
        "planned": standing,
        "held": woman.visits.get((form.encounter, form.record)),
        "panel": panel(protocol, after or woman, form.on, desk().today()) if screens else None,
        "kinds": [(kind, _links(request, woman, kind, form, here)) for kind in form.kinds],
        "performs": _performs(request, woman, protocol, form, here),
        "decides": _decides(request, woman, form, here),
        "siblings": _siblings(protocol, woman, standing),
        "may_enter": may_open(request.acting.role, "visit_check") and hold is None,
        "hold": hold,
        "locked": lock_of(desk().trial(), woman) is not None,
        "state": _state(protocol, woman, form),
        "miss": link_to(
            "miss-visit",
            participant=woman.identity,
            encounter=form.encounter,
            record=form.record,
            back=f"/participants/{woman.identity}/",
        ),
    }


def _state(protocol: Protocol, woman: Participant, form: VisitForm) -> tuple[str, str]:
    """The state of the form and how it looks, where it says more than that the visit was held."""
    found = (one for one in forms(protocol, desk().trial(), woman, desk().today()) if one.visit is not None)
    state = next((one.state for one in found if (one.encounter, one.record) == (form.encounter, form.record)), "")
    return (state, TONES[state]) if state in SAYS_MORE else ("", "")


def _links(request: HttpRequest, woman: Participant, kind: Any, form: VisitForm, here: str) -> dict[str, str]:
    links = {}
    if kind.adds and allowed(request, c.AddRecord):
        links["add"] = link_to("add-record", participant=woman.identity, kind=kind.name, parent=form.record, back=here)
    if kind.completes and allowed(request, c.CompleteRecord):
        links["complete"] = ",".join(kind.completes)
    return links


def _performs(
    request: HttpRequest, woman: Participant, protocol: Protocol, form: VisitForm, here: str
) -> list[tuple[str, str, bool]]:
    """What is carried out at the visit: its name, where it is started, and whether it gives a unit."""
    found = []
    for name in form.performs:
        gives = bool(protocol.document.interventions[name].product)
        link = link_to("perform", participant=woman.identity, intervention=name, parent=form.record, back=here)
        if allowed(request, c.Perform):
            found.append((label(protocol, name), "/product" if gives else link, gives))
    return found


def _decides(request: HttpRequest, woman: Participant, form: VisitForm, here: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for one in form.decides:
        order, says, command = _DECIDES[one]
        eligible = bool(woman.determinations) and woman.determinations[-1].verdict == "eligible"
        done = {
            "eligibility": bool(woman.enrolled),
            "enrolment": bool(woman.enrolled) or not eligible,
            "allocation": woman.allocation is not None or not woman.enrolled,
        }[one]
        wanted: type[Command] = command  # type: ignore[assignment]  # the table mixes kinds
        if not done and allowed(request, wanted):
            found.append((says, link_to(order, participant=woman.identity, back=here)))
    return found


def _siblings(protocol: Protocol, woman: Participant, standing: Planned | None) -> list[Planned]:
    """The visits of the same epoch, to step between them."""
    if standing is None:
        return []
    encounters = protocol.document.schedule.encounters
    epoch = encounters[encounter_of(standing.encounter)].epoch
    return [one for one in desk().visits(woman) if encounters[encounter_of(one.encounter)].epoch == epoch][:8]
