"""The laboratory: a board of what is due when, and the grid of each retrieval, typed by keyboard and saved whole."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from trialwright.core.finding import Finding, Refused
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial.state import Participant
from trialwright.views.laboratory import Bench, Due, bench, dues, laboratory_kinds
from trialwright.web.always_asked import drop_draft
from trialwright.web.bench_board import board
from trialwright.web.desk import Tried
from trialwright.web.grid import MOST_ROWS, Grid, commands_of, grid_of, say, trials_of
from trialwright.web.guard import allowed, desk, forbidden, hers, seen, sender
from trialwright.web.models import Draft
from trialwright.web.pages.order import link_to
from trialwright.web.permissions import may_open
from trialwright.web.words import label, written

_TONES = {"late": "bad", "due": "open", "to come": "quiet", "done": "good", "not asked": "quiet"}


def laboratory(request: HttpRequest) -> HttpResponse:
    """What is due when, which retrievals are to begin, and those that are done."""
    protocol, work = desk().protocol(request.acting.site), board(desk(), request.acting.site)
    context = {
        "kinds": laboratory_kinds(protocol),
        "tasks": [
            {"bench": one.bench, "link": address(one.bench), **_shown(protocol, one.bench, one.due)}
            for one in work.tasks
        ],
        "begins": [(one.bench, one.visit, address(one.bench)) for one in work.begins],
        "finished": [(one, label(protocol, one.kind), address(one)) for one in work.finished[:40]],
        "may_enter": may_open(request.acting.role, "grid_check"),
        "may_import": may_open(request.acting.role, "import"),
    }
    return render(request, "web/laboratory.html", context)


def grid(request: HttpRequest, identity: str, kind: str) -> HttpResponse:
    """Show the grid of a retrieval, or save what was typed into it."""
    woman, found = _bench(request, identity, kind)
    protocol = desk().protocol(woman.site)
    if request.method != "POST":
        draft = _drafts(request, found).first()
        told = dict(draft.content) if draft else {"rows": request.GET.get("rows", "0")}
        made = grid_of(protocol, found, _now(), told)
        if draft:
            say(made, _tried(request, made))
        return _page(request, woman, protocol, made, {"drafted": bool(draft)})
    if not may_open(request.acting.role, "grid_check"):
        return render(request, "web/forbidden.html", {"page": _("entering data")}, status=403)
    told = _told(request)
    made = grid_of(protocol, found, _now(), told)
    if told.get("do") == "rows":  # more lines, or fewer; nothing is recorded
        _keep(request, found, told)
        say(made, _tried(request, made))
        return _page(request, woman, protocol, made, {"form_id": told.get("form", "")})
    above = _save(request, woman, made, told)
    if above is None:
        drop_draft(request.user, _key(found))
        return redirect(address(found))
    return _page(request, woman, protocol, made, {"above": above, "refused": True, "form_id": told.get("form", "")})


def grid_check(request: HttpRequest, identity: str, kind: str) -> HttpResponse:
    """What the gate says of what is typed so far; the draft is kept."""
    woman, found = _bench(request, identity, kind)
    if request.method != "POST":
        raise Http404
    told = _told(request)
    made = grid_of(desk().protocol(woman.site), found, _now(), told)
    say(made, _tried(request, made))
    _keep(request, found, told)
    if desk().sent_before(told.get("form", ""), [line.record for line in made.lines]):  # saving overtook the check
        drop_draft(request.user, _key(found))
    return render(request, "web/grid_check.html", {"grid": made, "kept": desk().local()})


def address(found: Bench) -> str:
    """Where the grid of a bench is."""
    return f"/participants/{found.participant}/laboratory/{found.kind}/?parent={found.parent}"


def _bench(request: HttpRequest, identity: str, kind: str) -> tuple[Participant, Bench]:
    """The woman and the bench that are asked for; nothing is said of what there is not."""
    woman = hers(request, identity)
    protocol = desk().protocol(woman.site)
    parent = request.POST.get("parent") or request.GET.get("parent", "")
    above = protocol.vocabulary.records[kind].parent if kind in laboratory_kinds(protocol) else None
    if above is None or parent not in (woman.records.get(above, {}) if above else ("",)):
        raise Http404
    return woman, bench(protocol, woman, kind, parent, desk().local())


def _now() -> str:
    return desk().local().strftime("%Y-%m-%dT%H:%M")


def _told(request: HttpRequest) -> dict[str, str]:
    return {name: str(request.POST[name]).replace("\0", "\N{REPLACEMENT CHARACTER}") for name in request.POST}


def _drafts(request: HttpRequest, found: Bench) -> Any:
    return Draft.objects.filter(account=request.user, form=_key(found))


def _keep(request: HttpRequest, found: Bench, told: Mapping[str, str]) -> None:
    kept = {name: text for name, text in told.items() if text and name not in ("csrfmiddlewaretoken", "form", "seen")}
    Draft.objects.update_or_create(
        account=request.user, form=_key(found), defaults={"content": kept, "typed": desk().now()}
    )


def _key(found: Bench) -> str:
    return f"{found.participant}/laboratory/{found.kind}/{found.parent}"


def _tried(request: HttpRequest, made: Grid) -> Tried:
    return desk().try_out(trials_of(made), sender(request))


def _save(request: HttpRequest, woman: Participant, made: Grid, told: Mapping[str, str]) -> list[Finding] | None:
    """Submit every line that changed, all of them or none; None where it is done."""
    commands, identity = commands_of(made), told.get("form") or str(uuid.uuid4())
    if not commands or desk().sent_before(identity, list(commands)):
        return None
    by = sender(request)
    if wrong_role := forbidden(request, commands.values()):
        return wrong_role
    tried = _tried(request, made)
    say(made, tried)
    if tried.refused:
        return []
    try:
        desk().submit(commands, by, identity, seen=seen(woman, told))
    except Refused as refused:  # somebody was quicker, or the disk is full
        return list(refused.findings)
    return None


def _page(
    request: HttpRequest, woman: Participant, protocol: Protocol, made: Grid, more: Mapping[str, Any]
) -> HttpResponse:
    found = made.bench
    here = address(found)
    correct = {}
    for box in made.boxes if allowed(request, c.Correct) else ():
        if box.recorded:
            item = f"{found.kind}.{box.column.name}"
            correct[box.name] = link_to(
                "correct", participant=woman.identity, event=str(box.event), item=item, old=box.recorded, back=here
            )
    context: dict[str, Any] = {
        "woman": woman,
        "grid": made,
        "kind_label": label(protocol, found.kind),
        "parent_kind": label(protocol, protocol.vocabulary.records[found.kind].parent),
        "begun": min((row.added.text for row in found.rows), default=""),
        "dues": [_shown(protocol, found, one) for one in dues(protocol, found, desk().local())],
        "here": here,
        "check": f"/participants/{woman.identity}/laboratory/{found.kind}/check",
        "correct": correct,
        "may_enter": may_open(request.acting.role, "grid_check"),
        "most": MOST_ROWS,
        "seen": woman.last,
        "above": [],
        "refused": False,
        "drafted": False,
        **more,
    }
    context["form_id"] = context.get("form_id") or str(uuid.uuid4())
    return render(request, "web/grid.html", context)


def _shown(protocol: Protocol, found: Bench, due: Due) -> dict[str, Any]:
    """A check as the board shows it."""
    part = protocol.document.records[found.kind].checks[due.check]
    return {
        "due": due,
        "label": written(part.label),
        "hours": part.at,
        "tone": _TONES[due.standing],
        "kind": label(protocol, found.kind),
        "today": due.at is not None and due.at.date() == desk().today(),
    }
