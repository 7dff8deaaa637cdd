"""Today: what is due, late, waiting or running, for whoever is signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial.custody import OPEN
from trialwright.trial.state import TrialState
from trialwright.web.guard import allowed, choose, desk, within
from trialwright.web.lines import CLOCKS, refresh, summary, tally, works
from trialwright.web.models import Work
from trialwright.web.orders import ORDERS
from trialwright.web.pages.order import link_to
from trialwright.web.words import label

#: The sections of the page -> the roles that see them.
SECTIONS: dict[str, frozenset[str]] = {
    "clocks": frozenset(
        {"investigator", "coordinator", "sponsor", "safety board", "monitor", "data manager", "auditor"}
    ),
    "alerts": frozenset(
        {
            "investigator",
            "coordinator",
            "sponsor",
            "safety board",
            "monitor",
            "quality person",
            "cell laboratory",
            "auditor",
        }
    ),
    "visits": frozenset({"investigator", "coordinator", "embryologist", "monitor", "data manager", "auditor"}),
    "queries": frozenset({"investigator", "coordinator", "embryologist", "monitor", "data manager", "auditor"}),
    "expiring": frozenset({"investigator", "coordinator", "monitor"}),
    "units": frozenset(
        {"investigator", "coordinator", "cell laboratory", "quality person", "pharmacist", "monitor", "auditor"}
    ),
    "lots": frozenset({"cell laboratory", "quality person", "pharmacist", "monitor", "auditor"}),
    "questions": frozenset({"investigator", "sponsor", "administrator", "monitor", "auditor"}),
}

_SHOWN, _PER_PAGE = 12, 100


@dataclass(frozen=True, slots=True)
class Task:
    """One line of work: who it is about, what, until when, and where it is done."""

    who: str
    what: str
    when: str
    standing: str
    tone: str
    link: str
    action: str
    note: str = ""
    left: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A list of work with its heading: its first lines, or a page of them where it was asked for alone."""

    name: str
    title: str
    empty: str
    tasks: list[Task]
    more: int = 0
    page: Page | None = None


def today(request: HttpRequest) -> HttpResponse:
    """The page of the day."""
    acting = request.acting
    seen = {name for name, roles in SECTIONS.items() if acting.role in roles}
    progress = refresh(desk()) if seen & {"clocks", "visits", "queries", "expiring"} else None
    trial, protocol = desk().trial(), desk().protocol(acting.site)
    told: dict[str, tuple[Any, Any, Any, Callable[[Any], Task]]] = {
        "clocks": (
            _("Clocks that run"),
            _("No report is due."),
            works(acting.site, "clocks"),
            lambda work: _clock(request, work),
        ),
        "alerts": (_("Alerts"), _("Nothing holds the trial up."), list(_alerts(request, trial)), _itself),
        "visits": (_("Visits"), _("No visit is due or late."), works(acting.site, "visits"), _visit),
        "queries": (
            _("Queries"),
            _("No query is open."),
            works(acting.site, "queries"),
            lambda work: _query(request, work),
        ),
        "expiring": (
            _("Results that expire within 14 days"),
            _("No result expires within 14 days."),
            works(acting.site, "expiring"),
            lambda work: _expiry(protocol, work),
        ),
        "units": (_("Units under way"), _("No unit is under way."), list(_units(request, trial)), _itself),
        "lots": (_("Lots that wait"), _("No lot waits."), list(_lots(trial)), _itself),
        "questions": (
            _("Open questions of the protocol"),
            _("Every question of the protocol is answered."),
            list(_questions(protocol, trial)),
            _itself,
        ),
    }
    found = [_section(request, name, *told[name]) for name in told if name in seen]
    shown = [one for one in found if one.tasks]
    context = {
        "sections": shown,
        "quiet": [one.empty for one in found if not one.tasks] if not progress else [],
        "tally": _tally(seen, acting.site),
        "paused": [a for a in trial.alerts.values() if a.pauses],
        "may_report": allowed(request, c.AddRecord),
        "progress": progress,
    }
    return render(request, "web/today.html", context)


def _section(
    request: HttpRequest, name: str, title: Any, empty: Any, rows: Any, task: Callable[[Any], Task]
) -> Section:
    if request.GET.get("all", "") == name:
        page = Paginator(rows, _PER_PAGE).get_page(request.GET.get("page"))
        return Section(name, title, empty, [task(one) for one in page], page=page)
    first = [task(one) for one in rows[:_SHOWN]]
    number = len(rows) if isinstance(rows, list) else rows.count() if len(first) == _SHOWN else len(first)
    return Section(name, title, empty, first, number - len(first))


def _itself(task: Task) -> Task:
    return task


def act_as(request: HttpRequest) -> HttpResponse:
    """Act in another one of one's own roles."""
    if request.method == "POST":
        choose(request, request.POST.get("delegation", ""))
    return redirect("today")


def _tally(names: set[str], site: str) -> list[tuple[Any, int, str]]:
    """The figures at the top of the page."""
    counts = tally(site)
    figures: list[tuple[Any, int, str]] = []
    if "visits" in names:
        late, due, undecided = (counts.get(("visits", rank), 0) for rank in range(3))
        figures += [(_("late"), late, "bad"), (_("due"), due, "open"), (_("undecided"), undecided, "quiet")]
    if "queries" in names:
        figures.append((_("queries"), counts.get(("queries", 0), 0), "quiet"))
    if "clocks" in names:
        figures.append((_("clocks"), sum(counts.get(("clocks", rank), 0) for rank in range(3)), "bad"))
    return figures


def _clock(request: HttpRequest, work: Work) -> Task:
    """A report that is due, or an event whose reports wait for somebody's judgement."""
    clocks = summary(work.line).clocks
    row = clocks[work.place]
    term = row.term.replace("_", " ")
    if work.rank == CLOCKS["unknown"]:
        number = sum(one.record == row.record and one.due.standing == "unknown" for one in clocks)
        reports = ngettext("1 report waits", "%(number)s reports wait", number) % {"number": number}
        what = _("%(term)s: %(reports)s for a judgement of this event") % {"term": term, "reports": reports}
        return Task(row.participant, what, "", _("to judge"), "quiet", "/safety", _("Look"), row.record)
    tone = "bad" if row.due.standing in ("overdue", "at once") else "open"
    duty = "sponsor" if "sponsor" in row.due.who.lower() else "investigator"
    link, action = "/safety", _("Look")
    if allowed(request, c.SendReport) and request.acting.role == duty:
        link = link_to(
            "send-report",
            participant=row.participant,
            kind=row.kind,
            record=row.record,
            rule=row.due.rule,
            to=row.due.to_whom,
            back="/",
        )
        action = _("Mark sent")
    left = row.due.due - desk().now() if row.due.due else None
    what = _("%(term)s: %(report)s to %(whom)s") % {"term": term, "report": row.due.what, "whom": row.due.to_whom}
    by = _("by the investigator") if duty == "investigator" else _("by the sponsor")
    return Task(row.participant, what, row.due.due_local, _(row.due.standing), tone, link, action, by, left)


def _visit(work: Work) -> Task:
    tones = {"late": "bad", "due": "open", "undecided": "quiet"}
    visit, who = summary(work.line).visits[work.place], work.line.identity
    link = f"/participants/{who}/visits/{visit.encounter}/?record={visit.record}"
    when = _("%(first)s to %(last)s") % {"first": visit.earliest, "last": visit.latest}
    return Task(who, visit.encounter, when, _(visit.standing), tones[visit.standing], link, _("Open"), visit.why)


def _query(request: HttpRequest, work: Work) -> Task:
    (number, item, says), who = summary(work.line).queries[work.place], work.line.identity
    action = _("Answer") if allowed(request, ORDERS["close-query"].command) else _("Look")
    link = f"/participants/{who}/queries/{number}/"
    return Task(who, says, item.replace("_", " "), number, "quiet", link, action)


def _expiry(protocol: Protocol, work: Work) -> Task:
    row, who = summary(work.line).expiring[work.place], work.line.identity
    when = _("valid to %(day)s") % {"day": row.day}
    return Task(who, label(protocol, row.item), when, _("expires"), "open", f"/participants/{who}/", _("Open"))


def _alerts(request: HttpRequest, trial: TrialState) -> Iterator[Task]:
    for one in trial.alerts.values():
        if one.decision and not one.pauses:
            continue
        if one.participant and not within(request, trial.sites.get(one.participant)):
            continue
        link, action = "/safety", _("Look")
        if allowed(request, ORDERS["review-trigger"].command) and not one.decision:
            link, action = link_to("review-trigger", alert=one.identity, back="/"), _("Review")
        standing, tone = (_("trial paused"), "bad") if one.pauses else (_("to review"), "open")
        yield Task(one.participant, one.says, one.on, standing, tone, link, action, one.identity)


def _units(request: HttpRequest, trial: TrialState) -> Iterator[Task]:
    for one in trial.custody.units.values():
        if not within(request, trial.sites.get(one.participant)):
            continue
        link = f"/product/units/{one.identity}/"
        if one.state in OPEN:
            expires = _("expires %(when)s") % {"when": one.expires.replace("T", " ")}
            when = expires if one.expires else _("not prepared yet")
            yield Task(one.participant, one.identity, when, _(one.state), "open", link, _("Open"))
        elif one.state in ("complete", "partial", "aborted", "rejected"):
            when = _("the rest is not accounted for")
            yield Task(one.participant, one.identity, when, _(one.state), "quiet", link, _("Open"))


def _lots(trial: TrialState) -> Iterator[Task]:
    for one in trial.custody.lots.values():
        if one.state in ("registered", "conditional"):
            registered, conditional = _("waits for release"), _("released on condition of a later result")
            waits = registered if one.state == "registered" else conditional
            yield Task("", one.identity, waits, _(one.state), "open", f"/product/lots/{one.identity}/", _("Open"))


def _questions(protocol: Protocol, trial: TrialState) -> Iterator[Task]:
    for name, one in protocol.document.assumptions.items():
        if not one.choice and name not in trial.answers:
            told = {"what": ", ".join(one.blocks).replace("_", " ")}
            blocks = _("blocks %(what)s") % told if one.blocks else ""
            decides = _("%(who)s decides") % {"who": one.decides}
            yield Task("", one.silent, decides, _("open"), "open", "/trial", _("Look"), blocks)
