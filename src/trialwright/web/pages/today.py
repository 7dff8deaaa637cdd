"""Today: what is due, late, waiting or running, for whoever is signed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial.custody import OPEN
from trialwright.trial.state import TrialState
from trialwright.web.guard import allowed, choose, desk, within
from trialwright.web.orders import ORDERS
from trialwright.web.pages.order import link_to
from trialwright.web.summary import Running, Summary

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

_SHOWN = 12


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
    """A list of work with its heading; what does not fit is counted."""

    name: str
    title: str
    empty: str
    tasks: list[Task]
    more: int = 0


def today(request: HttpRequest) -> HttpResponse:
    """The page of the day."""
    acting = request.acting
    seen = {name for name, roles in SECTIONS.items() if acting.role in roles}
    women = desk().summaries(acting.site) if seen & {"clocks", "visits", "queries", "expiring"} else []
    trial, protocol = desk().trial(), desk().protocol(acting.site)
    everything = request.GET.get("all", "")
    found = [
        _section("clocks", "Clocks that run", "No report is due.", list(_clocks(request, women)), everything),
        _section("alerts", "Alerts", "Nothing holds the trial up.", list(_alerts(request, trial)), everything),
        _section("visits", "Visits", "No visit is due or late.", list(_visits(women)), everything),
        _section("queries", "Queries", "No query is open.", list(_queries(request, women)), everything),
        _section(
            "expiring",
            "Results that expire within 14 days",
            "No result expires within 14 days.",
            list(_expiring(women)),
            everything,
        ),
        _section("units", "Units under way", "No unit is under way.", list(_units(request, trial)), everything),
        _section("lots", "Lots that wait", "No lot waits.", list(_lots(trial)), everything),
        _section(
            "questions",
            "Open questions of the protocol",
            "Every question of the protocol is answered.",
            list(_questions(protocol, trial)),
            everything,
        ),
    ]
    shown = [one for one in found if one.name in seen]
    quiet = [one.empty for one in shown if not one.tasks]
    shown = [one for one in shown if one.tasks]
    context = {
        "sections": shown,
        "quiet": quiet,
        "tally": _tally(seen, women),
        "paused": [a for a in trial.alerts.values() if a.pauses],
        "may_report": allowed(request, c.AddRecord),
    }
    return render(request, "web/today.html", context)


def act_as(request: HttpRequest) -> HttpResponse:
    """Act in another one of one's own roles."""
    if request.method == "POST":
        choose(request, request.POST.get("delegation", ""))
    return redirect("today")


def _section(name: str, title: str, empty: str, tasks: list[Task], everything: str) -> Section:
    shown = tasks if everything == name else tasks[:_SHOWN]
    return Section(name, title, empty, shown, len(tasks) - len(shown))


def _tally(names: set[str], women: list[Summary]) -> list[tuple[str, int, str]]:
    """The figures at the top of the page."""
    figures: list[tuple[str, int, str]] = []
    if "visits" in names:
        standings = [visit.standing for one in women for visit in one.visits]
        figures += [("late", standings.count("late"), "bad"), ("due", standings.count("due"), "open")]
        figures += [("undecided", standings.count("undecided"), "quiet")]
    if "queries" in names:
        figures.append(("queries", sum(len(one.queries) for one in women), "quiet"))
    if "clocks" in names:
        pressing = [clock for one in women for clock in one.clocks if clock.due.standing != "unknown"]
        figures.append(("clocks", len(pressing), "bad"))
    return figures


def _clocks(request: HttpRequest, women: list[Summary]) -> Iterator[Task]:
    """Reports that are due, the most pressing first; of those that wait for somebody's judgement one line per event."""
    rows: list[Running] = [clock for one in women for clock in one.clocks]
    order = {"overdue": 0, "at once": 1, "running": 2}
    known = [row for row in rows if row.due.standing in order]
    for row in sorted(known, key=lambda row: (order[row.due.standing], row.due.due_local or "~", row.participant)):
        tone = "bad" if row.due.standing in ("overdue", "at once") else "open"
        duty = "sponsor" if "sponsor" in row.due.who.lower() else "investigator"
        link, action = "/safety", "Look"
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
            action = "Mark sent"
        what = f"{row.term.replace('_', ' ')}: {row.due.what} to {row.due.to_whom}"
        yield Task(
            row.participant,
            what,
            row.due.due_local,
            row.due.standing,
            tone,
            link,
            action,
            f"by the {duty}",
            row.due.left,
        )
    waiting = Counter((row.participant, row.record, row.term) for row in rows if row.due.standing not in order)
    for (who, record, term), number in waiting.items():
        reports = "1 report waits" if number == 1 else f"{number} reports wait"
        what = f"{term.replace('_', ' ')}: {reports} for a judgement of this event"
        yield Task(who, what, "", "to judge", "quiet", "/safety", "Look", record)


def _alerts(request: HttpRequest, trial: TrialState) -> Iterator[Task]:
    for one in trial.alerts.values():
        if one.decision and not one.pauses:
            continue
        if one.participant and not within(request, trial.sites.get(one.participant)):
            continue
        link, action = "/safety", "Look"
        if allowed(request, ORDERS["review-trigger"].command) and not one.decision:
            link, action = link_to("review-trigger", alert=one.identity, back="/"), "Review"
        standing, tone = ("trial paused", "bad") if one.pauses else ("to review", "open")
        yield Task(one.participant, one.says, one.on, standing, tone, link, action, one.identity)


def _visits(women: list[Summary]) -> Iterator[Task]:
    order = {"late": 0, "due": 1, "undecided": 2}
    tones = {"late": "bad", "due": "open", "undecided": "quiet"}
    rows = [(visit, one) for one in women for visit in one.visits]
    rows.sort(key=lambda row: (order[row[0].standing], row[0].latest, row[1].identity))
    for visit, one in rows:
        link = f"/participants/{one.identity}/visits/{visit.encounter}/?record={visit.record}"
        yield Task(
            one.identity,
            visit.encounter,
            f"{visit.earliest} to {visit.latest}",
            visit.standing,
            tones[visit.standing],
            link,
            "Open",
            visit.why,
        )


def _queries(request: HttpRequest, women: list[Summary]) -> Iterator[Task]:
    can = allowed(request, ORDERS["close-query"].command)
    for one in women:
        for number, item, says in one.queries:
            link = f"/participants/{one.identity}/queries/{number}/"
            yield Task(one.identity, says, item.replace("_", " "), number, "quiet", link, "Answer" if can else "Look")


def _expiring(women: list[Summary]) -> Iterator[Task]:
    rows = sorted((row for one in women for row in one.expiring), key=lambda row: (row.day, row.participant))
    for row in rows:
        link = f"/participants/{row.participant}/"
        yield Task(row.participant, row.label, f"valid to {row.day}", "expires", "open", link, "Open")


def _units(request: HttpRequest, trial: TrialState) -> Iterator[Task]:
    for one in trial.custody.units.values():
        if one.state in OPEN and within(request, trial.sites.get(one.participant)):
            when = f"expires {one.expires.replace('T', ' ')}" if one.expires else "not prepared yet"
            yield Task(
                one.participant, one.identity, when, one.state, "open", f"/product/units/{one.identity}/", "Open"
            )
        elif one.state in ("complete", "partial", "aborted", "rejected") and within(
            request, trial.sites.get(one.participant)
        ):
            yield Task(
                one.participant,
                one.identity,
                "the rest is not accounted for",
                one.state,
                "quiet",
                f"/product/units/{one.identity}/",
                "Open",
            )


def _lots(trial: TrialState) -> Iterator[Task]:
    for one in trial.custody.lots.values():
        if one.state in ("registered", "conditional"):
            waits = "waits for release" if one.state == "registered" else "released on condition of a later result"
            yield Task("", one.identity, waits, one.state, "open", f"/product/lots/{one.identity}/", "Open")


def _questions(protocol: Protocol, trial: TrialState) -> Iterator[Task]:
    for name, one in protocol.document.assumptions.items():
        if not one.choice and name not in trial.answers:
            blocks = f"blocks {', '.join(one.blocks)}".replace("_", " ") if one.blocks else ""
            yield Task("", one.silent, f"{one.decides} decides", "open", "open", "/trial", "Look", blocks)
