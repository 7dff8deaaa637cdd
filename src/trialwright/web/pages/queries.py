"""Queries: all of them with their age and state, and one with everything that was said of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from trialwright.core.partial_date import partial_date
from trialwright.ledger.envelope import VOIDED, Event
from trialwright.ledger.history import effective, ordered
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.commands import Command
from trialwright.trial.queries import threads_of
from trialwright.trial.state import Thread
from trialwright.web.desk import Desk
from trialwright.web.guard import allowed, desk, hers, within
from trialwright.web.order_choices import label_of
from trialwright.web.pages.order import link_to
from trialwright.web.summary import visit_label
from trialwright.web.words import label

_PER_PAGE = 40
#: Ages that may be asked for, in days.
_AGES = ("7", "14", "30")


@dataclass(frozen=True, slots=True)
class Row:
    """A query in the list: about whom, how it stands, and for how many days it has waited for its next step."""

    participant: str
    site: str
    thread: Thread
    age: int

    @property
    def about(self) -> str:
        """What it asks about, as the protocol calls it."""
        return called(desk().protocol(self.site), self.thread)

    @property
    def address(self) -> str:
        """Its page."""
        return f"/participants/{self.participant}/queries/{self.thread.identity}/"


def queries(request: HttpRequest) -> HttpResponse:
    """The queries that may be seen, those first that have waited longest."""
    everything = list(rows(request.acting.site))
    state, mine = request.GET.get("state", "open"), request.GET.get("mine") == "yes"
    site, older, wanted = request.GET.get("site", ""), request.GET.get("older", ""), request.GET.get("q", "").strip()
    found = [one for one in everything if not mine or is_mine(request, one.thread)]
    found = [one for one in found if not site or one.site == site]
    found = [one for one in found if not older.isdecimal() or one.age >= int(older)]
    found = [one for one in found if _says(one, wanted.lower())]
    counts = Counter(one.thread.state for one in found)
    shown = [one for one in found if state in ("all", one.thread.state)]
    shown.sort(key=lambda one: (one.thread.state == "closed", -one.age, one.participant, one.thread.identity))
    told = {"mine": "yes" if mine else "", "site": site, "older": older, "q": wanted}
    context = {
        "page": Paginator(shown, _PER_PAGE).get_page(request.GET.get("page")),
        "state": state,
        "told": told,
        "asked": urlencode({name: value for name, value in told.items() if value}),
        "states": [
            ("open", _("Open"), counts["open"]),
            ("answered", _("Answered"), counts["answered"]),
            ("closed", _("Closed"), counts["closed"]),
            ("all", _("All"), counts.total()),
        ],
        "ages": _AGES,
        "sites": [one for one in desk().protocol().document.sites if within(request, one)],
        "asks": allowed(request, c.RaiseQuery),
        "waiting": waiting(everything, request.acting.role),
    }
    return render(request, "web/queries_rows.html" if request.htmx else "web/queries.html", context)


def query(request: HttpRequest, identity: str, number: str) -> HttpResponse:
    """One query: what it asks about, its thread, and what may be done about it."""
    woman = hers(request, identity)
    thread = woman.threads.get(number)
    if thread is None:
        raise Http404
    here = f"/participants/{identity}/queries/{number}/"
    context = {
        "woman": woman,
        "thread": thread,
        "age": _age(thread, desk().today()),
        "about": _about(woman.identity, thread),
        "called": called(desk().protocol(woman.site), thread),
        "actions": list(_actions(request, identity, thread, here)),
    }
    return render(request, "web/query.html", context)


def rows(site: str) -> Iterator[Row]:
    """Every query of a site, or of every site: of the ledger, only what is new about queries is read."""
    trial, today, known = desk().trial(), desk().today(), _KNOWN.setdefault(desk(), _Known())
    with known.lock:
        last = desk().ledger.last()
        for event in desk().ledger.events(types=e.OF_QUERIES | {VOIDED}, after=known.last, upto=last):
            if event.stream.startswith("participant/"):
                known.events.setdefault(event.stream.removeprefix("participant/"), []).append(event)
        known.last = last
        told = {identity: list(events) for identity, events in known.events.items()}
    for identity, events in told.items():
        at = trial.sites.get(identity, "")
        if site in ("", at):
            for thread in threads_of(identity, ordered(effective(events))):
                yield Row(identity, at, thread, _age(thread, today))


@dataclass(slots=True)
class _Known:
    """What one process remembers of a ledger: the events about queries, by participant, and how far it has looked."""

    last: int = 0
    events: dict[str, list[Event]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


_KNOWN: WeakKeyDictionary[Desk, _Known] = WeakKeyDictionary()


def called(protocol: Protocol, thread: Thread) -> str:
    """What a query asks about, as the protocol calls it; nothing where it is all of her."""
    if thread.encounter:
        return visit_label(protocol, thread.encounter)
    kind, _dot, name = thread.item.partition(".")
    if name and kind in protocol.document.records:
        return f"{label(protocol, kind)}: {label_of(protocol, kind, name)}"
    name, _blank, record = thread.item.partition(" ")
    return f"{label(protocol, name)} {record}".strip() if name else ""


def waiting(found: Iterable[Row], role: str) -> tuple[int, int]:
    """How many queries wait for the site's answer, and how many answers wait for those who raised it in a role."""
    threads = [one.thread for one in found]
    return sum(one.state == "open" for one in threads), sum(
        one.state == "answered" and one.role == role for one in threads
    )


def is_mine(request: HttpRequest, thread: Thread) -> bool:
    """Whether the one who asks has raised it, answered it, or asked it again."""
    return any(one.user == request.user.username for one in thread.steps)


def _age(thread: Thread, today: date) -> int:
    """Days since the last step; of one that is closed, from the first step to the last."""
    last = partial_date(thread.steps[-1].on).earliest.date()
    if thread.state == "closed":
        return (last - partial_date(thread.steps[0].on).earliest.date()).days
    return (today - last).days


def _says(row: Row, wanted: str) -> bool:
    thread = row.thread
    parts = [row.participant, thread.identity, row.about, *(one.says for one in thread.steps)]
    return wanted in " ".join(parts).lower()


def _about(who: str, thread: Thread) -> str:
    """Where what it asks about is shown."""
    if thread.event:
        return f"/participants/{who}/entries/{thread.event}/"
    if thread.encounter:
        return f"/participants/{who}/visits/{thread.encounter}/?{urlencode({'record': thread.record})}"
    return f"/participants/{who}/"


def _actions(request: HttpRequest, who: str, thread: Thread, here: str) -> Iterator[tuple[str, str]]:
    """What the one who asks may do about it now."""

    def may(command: type[Command], order: str, words: str) -> Iterator[tuple[str, str]]:
        if allowed(request, command):
            yield words, link_to(order, participant=who, query=thread.identity, back=here)

    raised_by_hers = thread.role == request.acting.role
    if thread.state == "open" and thread.role:
        yield from may(c.AnswerQuery, "answer-query", _("Answer"))
    if thread.state == "open" and not thread.role:
        yield from may(c.CloseQuery, "close-query", _("Answer and close"))
    if thread.state != "closed" and raised_by_hers:
        yield from may(c.ResolveQuery, "resolve-query", _("Close") if thread.state == "answered" else _("Take back"))
    if thread.state != "open" and raised_by_hers:
        yield from may(c.ReopenQuery, "reopen-query", _("Ask again"))
