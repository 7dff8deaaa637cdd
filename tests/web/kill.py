"""Kill the server, and the database, in the middle of saves by four people; then nothing acknowledged may be missing.

    python -m tests.web.kill --times 50                         # SQLite: the server
    python -m tests.web.kill --times 50 --database postgresql   # the server, the database, and both, in turn

After each kill: what was acknowledged is whole, what was not is whole or not there at all, the chain is intact, and
what is sent again counts once.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from random import Random

from bench.postgres import Cluster, cluster
from bench.served import PASSWORD, Served, make_accounts, serve
from bench.visitor import Visitor

from tests.unit.desk import ROLES, SMALL, answered, opened, protocol_at
from trialwright.ledger.chain import verify
from trialwright.ledger.store import Header, create, open_ledger
from trialwright.trial import commands as c
from trialwright.trial.office import Office, Sender, register_protocol

PEOPLE = 4
VISIT = "/participants/P-{}/visits/screening/"
#: What a form fills in, and so the events that it becomes.
FIELDS = ("weight", "amh", "partner.sperm_count")
#: So long may it take until a server, a database or both answer again, in seconds.
_PATIENCE = 60.0


@dataclass
class Person:
    """Somebody who saves one form after the other, and knows which of them were acknowledged."""

    number: int
    visitor: Visitor
    acknowledged: list[str] = field(default_factory=list)
    pending: str = ""  # sent, and no answer came

    def saves(self) -> int:
        """One form, sent under its identity; the status of the answer."""
        self.pending = self.pending or str(uuid.uuid4())
        told = {"form": self.pending, "record": "", "on": "2026-03-02", "weight": "61.5", "weight~unit": "kg"}
        told |= {"amh": "0.9", "partner.sperm_count": "22"}
        status, page = self.visitor.post(VISIT.format(self.number), told)
        if status == 302:
            self.acknowledged.append(self.pending)
            self.pending = ""
        elif status != 503:
            raise AssertionError(f"{status}: {page}")
        return status

    def goes_on(self, stop: threading.Event) -> None:
        """Form after form, until no answer comes."""
        with suppress(OSError, http.client.HTTPException):
            while not stop.is_set() and self.saves() == 302:
                pass

    def sends_again(self) -> None:
        """What was not acknowledged, until it is; over a new connection."""
        until = time.monotonic() + _PATIENCE
        while True:
            self.visitor.leaves()
            with suppress(OSError, http.client.HTTPException):
                if self.saves() == 302:
                    return
            assert time.monotonic() < until, "it does not recover by itself"
            time.sleep(0.05)


class Trial:
    """A served trial, four people who are signed in, and what may be killed."""

    def __init__(self, place: str, database: Cluster | None, running: Served, people: list[Person]) -> None:
        self.place, self.database, self.running, self.people = place, database, running, people
        self.killed: Counter[str] = Counter()
        self.unanswered = 0

    def kills(self, what: str, after: float) -> None:
        """Kill something while everybody saves, begin it again, and hold the ledger against what was acknowledged."""
        stop = threading.Event()
        threads = [threading.Thread(target=one.goes_on, args=(stop,)) for one in self.people]
        before = sum(len(one.acknowledged) for one in self.people)
        for one in threads:
            one.start()
        while sum(len(one.acknowledged) for one in self.people) < before + PEOPLE and any(map(_alive, threads)):
            time.sleep(0.005)
        time.sleep(after)
        if self.database is not None and "database" in what:
            self.database.kill()
        if "server" in what:
            self.running.kill()
        stop.set()
        for one in threads:
            one.join(_PATIENCE)
        self.unanswered += sum(bool(one.pending) for one in self.people)
        if "server" not in what:
            status, page = self._asked("/")
            assert status == 503, f"{status}: {page}"
            assert "does not answer" in page or "cannot be reached" in page, page
        if self.database is not None and "database" in what:
            self.database.begin()
        if "server" in what:
            self.running = serve(self.place, port=self.running.port)
        self.checks(again=False)
        for person in self.people:
            person.sends_again()
        self.checks(again=True)
        self.killed[what] += 1

    def checks(self, again: bool) -> None:
        """Nothing acknowledged is missing, nothing is there by half or twice, and the chain is intact."""
        with open_ledger(self.place) as ledger:
            assert verify(ledger) == []
            there = Counter(
                event.command.partition(" ")[0] for event in ledger.events(types=["observation.recorded/1"])
            )
        for person in self.people:
            for form in person.acknowledged:
                assert there[form] == len(FIELDS), f"an acknowledged form has {there[form]} of {len(FIELDS)} events"
            assert not (again and person.pending)
            if person.pending:
                assert there[person.pending] in (0, len(FIELDS)), "half a form is in the ledger"

    def _asked(self, address: str) -> tuple[int, str]:
        visitor = Visitor(self.running.host, self.running.port, dict(self.people[0].visitor.cookies))
        try:
            return visitor.get(address)
        finally:
            visitor.leaves()


def _alive(thread: threading.Thread) -> bool:
    return thread.is_alive()


@contextmanager
def trial(postgresql: bool) -> Iterator[Trial]:
    """A small real trial on either database, served."""
    with ExitStack() as stack:
        database = stack.enter_context(cluster()) if postgresql else None
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="trialwright-kill-"))
        place = database.place() if database else f"{folder}/trial.ledger"
        _prepare(place)
        names = [f"coordinator-{number}" for number in range(PEOPLE)]
        make_accounts(place if postgresql else f"{place}.accounts", *names)
        made = Trial(place, database, serve(place), [])
        stack.callback(lambda: made.running.stop())
        for number, name in enumerate(names):
            visitor = Visitor(made.running.host, made.running.port)
            visitor.signs_in(name, PASSWORD)
            made.people.append(Person(number, visitor))
        try:
            yield made
        finally:
            for one in made.people:
                one.visitor.leaves()


def _prepare(place: str) -> None:
    """A woman for each person, in screening."""
    protocol, at = protocol_at(SMALL), "2026-03-03T02:00:00Z"
    by = Sender("li", "investigator", at)
    header = Header("real", protocol.document.trial, protocol.digest, "t", None, "")
    with create(place, header, at) as ledger:
        with ledger.writing() as writer:
            register_protocol(writer, protocol, by, "t", "2026-01-01")
        office = Office(ledger, "t")
        with office.writing() as writer:
            told: list[c.Command] = [*opened()]
            for number in range(PEOPLE):
                told += answered(f"P-{number}")
                told.append(
                    c.Delegate(f"coordinator-{number}", "coordinator", "2026-01-01", "GCP", "2026-03-01", "S01")
                )
            for number, command in enumerate(told):
                role = ROLES.get(type(command), "investigator")
                office.submit_within(writer, command, Sender("li", role, at), f"command {number}")


def run(times: int, postgresql: bool, seed: int, say: Callable[[str], object] = lambda _text: None) -> Trial:
    """Kill so many times; an AssertionError says what did not hold."""
    chance, kinds = Random(seed), ("server", "database", "server and database") if postgresql else ("server",)
    with trial(postgresql) as made:
        for number in range(times):
            what = kinds[number % len(kinds)]
            made.kills(what, chance.uniform(0, 0.4))
            saved = sum(len(one.acknowledged) for one in made.people)
            say(f"{number + 1} of {times}: {what} killed, {saved} forms whole, {made.unanswered} were unanswered")
        return made


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run it, and say what became of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    run(options.times, options.database == "postgresql", options.seed, _say)
    _say(f"{options.times} kills, nothing lost, {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
