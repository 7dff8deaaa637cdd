"""The web application as it is served: forms saved by four people at once, and pages of a large trial.

Server, people and database share the cores of the machine. Nothing about durability is turned off.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from pathlib import Path
from statistics import median

from bench.postgres import CannotStart, server
from bench.replica import replicate
from bench.row import Row, Target, at_least, below
from bench.served import PASSWORD, Served, make_accounts, serve
from bench.visitor import Visitor
from bench.workplace import Workplace
from trialwright.ledger.store import Ledger
from trialwright.trial import events as e

CLIENTS = 4
#: Seven of the fields of the screening form.
FIELDS = (
    "height",
    "weight",
    "shortest_cycle",
    "longest_cycle",
    "clinical_losses",
    "severe_liver_disease",
    "severe_kidney_disease",
)
PEOPLE = {f"coordinator-{number}": "coordinator" for number in range(CLIENTS)} | {"monitor": "monitor"}
_SECONDS, _WARM = 10.0, 2.0
#: Copies of a rehearsal of 142 women: a trial as it is, and one of ten thousand women and a million events.
_COPIES, _MANY = 4, 90
_ASKED = 60
_UNIT = "forms/s"


def rows(at: Workplace) -> list[Row]:
    """Saves on SQLite and on PostgreSQL; pages of a trial of 500 women, with --long of ten thousand."""
    found = [*_saves(at, at.fresh("saves.ledger"), "SQLite", at_least(50))]
    try:
        with server() as place:
            found += _saves(at, place(), "PostgreSQL", at_least(100))
            found += _saves(at, place(), "PostgreSQL, two processes", at_least(100), processes=2)
    except CannotStart as why:
        found.append(Row("PostgreSQL, forms saved by four people at once", _UNIT, (), note=str(why)))
    return [*found, *_pages(at, _MANY if at.long else _COPIES)]


# ---------------------------------------------------------------- saving


def _saves(at: Workplace, place: str | Path, name: str, target: Target, processes: int = 1) -> list[Row]:
    with _serving(at, place, _COPIES, processes) as (ledger, running):
        women = _women(ledger)
        _settled(running[0]).leaves()
        rates, spent, waits = [], [], []
        for _ in range(at.runs):
            rate, busy, waited = saving(running, women, CLIENTS, _SECONDS)
            rates.append(rate)
            spent.append(1000 * busy)
            waits.append(1000 * waited)
        alone = [saving(running, women, 1, _SECONDS / 2)[0] for _ in range(at.runs)]
    label = f"{name}, forms of seven fields saved over HTTP by four people at once"
    return [
        Row(label, _UNIT, tuple(rates), target),
        Row("  by one person", _UNIT, tuple(alone)),
        Row("  the median of four waits so long", "ms", tuple(waits)),
        Row("  processor time of the server for one form", "ms", tuple(spent)),
    ]


def saving(running: Sequence[Served], women: Sequence[str], people: int, seconds: float) -> tuple[float, float, float]:
    """Forms per second, and of one form the servers' processor time and the median time that it takes, in seconds.

    People are spread over the servers, as a proxy does it.
    """
    begin = threading.Event()
    saved: list[list[float]] = [[] for _ in range(people)]
    faults: list[str] = []

    def person(number: int) -> None:
        server = running[number % len(running)]
        visitor = Visitor(server.host, server.port)
        visitor.signs_in(f"coordinator-{number}", PASSWORD)
        hers = cycle(women[number::people])
        today = datetime.now(UTC) - timedelta(days=1)
        begin.wait()
        until = time.monotonic() + seconds
        for turn in count():
            if time.monotonic() > until or faults:
                break
            told = {
                "form": str(uuid.uuid4()), "record": "", "on": f"{today:%Y-%m-%d}", "height": "164", "weight": "61.5",
                "shortest_cycle": "27", "longest_cycle": str(29 + turn % 3), "clinical_losses": "1",
                "severe_liver_disease": "no", "severe_kidney_disease": "no",
            }  # fmt: skip
            started = time.perf_counter()
            status, page = visitor.post(f"/participants/{next(hers)}/visits/screening/", told)
            if status != 302:
                faults.append(f"{status}: {page}")
            saved[number].append(time.perf_counter() - started)
        visitor.leaves()

    threads = [threading.Thread(target=person, args=(number,)) for number in range(people)]
    for one in threads:
        one.start()
    time.sleep(_WARM)  # everybody is signed in
    before, started = sum(one.seconds() for one in running), time.perf_counter()
    begin.set()
    for one in threads:
        one.join()
    taken, busy = time.perf_counter() - started, sum(one.seconds() for one in running) - before
    if faults:
        raise RuntimeError(f"a form was not saved: {faults[0][:2000]}")
    times = [one for each in saved for one in each]
    return len(times) / taken, busy / len(times), median(times)


def _settled(running: Served) -> Visitor:
    """The monitor, signed in, once the lists of all women are made."""
    visitor = Visitor(running.host, running.port)
    visitor.signs_in("monitor", PASSWORD)
    while "made from the ledger" in visitor.get("/")[1]:
        time.sleep(0.5)
    return visitor


def _women(ledger: Ledger) -> list[str]:
    """Women who are in the trial."""
    left = {event.stream for event in ledger.events(types=[e.WITHDRAWN, e.SCREENING_ENDED])}
    came = [event.stream for event in ledger.events(types=[e.CONSENTED]) if event.stream not in left]
    return [stream.removeprefix("participant/") for stream in came]


# ---------------------------------------------------------------- pages


def _pages(at: Workplace, copies: int) -> list[Row]:
    with _serving(at, at.fresh("pages.ledger"), copies) as (ledger, [running]):
        women, events = len(ledger.streams("participant/")), ledger.last()
        started = time.perf_counter()
        Visitor(running.host, running.port).signs_in("monitor", PASSWORD)
        first = time.perf_counter() - started
        visitor = _settled(running)
        built = time.perf_counter() - started
        who = _women(ledger)
        shown: list[tuple[str, Callable[[int], str]]] = [
            ("Today", lambda _: "/"),
            ("list of participants", lambda turn: f"/screening?page={turn + 1}"),
            ("participant, another one each time", lambda turn: f"/participants/{who[7 * turn % len(who)]}/"),
            (
                "form of a visit, of another one each time",
                lambda turn: f"/participants/{who[11 * turn % len(who)]}/visits/screening/",
            ),
            ("audit trail, of another one each time", lambda turn: f"/participants/{who[13 * turn % len(who)]}/audit"),
            ("Safety", lambda _: "/safety"),
        ]
        found = [
            Row(
                f"a page of {women:,} women and {events:,} events: {name}", "ms", _medians(at, visitor, page), below(50)
            )
            for name, page in shown
        ]
        visitor.leaves()
    return [
        *found,
        Row("  the first page after the start, with signing in", "s", (first,)),
        Row("  until the lists of all women are made, from nothing", "s", (built,)),
    ]


def _medians(at: Workplace, visitor: Visitor, page: Callable[[int], str]) -> tuple[float, ...]:
    found = []
    for _ in range(at.runs):
        times = []
        for turn in range(_ASKED):
            started = time.perf_counter()
            status, told = visitor.get(page(turn))
            times.append(1000 * (time.perf_counter() - started))
            if status != 200:
                raise RuntimeError(f"{page(turn)}: {status} {told[:2000]}")
        found.append(median(times))
    return tuple(found)


@contextmanager
def _serving(
    at: Workplace, place: str | Path, copies: int, processes: int = 1
) -> Iterator[tuple[Ledger, list[Served]]]:
    """A ledger of so many copies, and who serves it."""
    with replicate(at.sample, place, copies, datetime.now(UTC).date(), PEOPLE) as ledger, ExitStack() as running:
        accounts = str(place) if "://" in str(place) else f"{place}.accounts"
        make_accounts(accounts, *PEOPLE)
        servers = []
        for _ in range(processes):
            servers.append(serve(place))
            running.callback(servers[-1].stop)
        yield ledger, servers
