"""What goes wrong at a centre: power cuts, a database away, a full disk, two people at one value, a double click."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from bench.postgres import CannotStart
from bench.served import PASSWORD, serve
from bench.visitor import Visitor
from sqlalchemy import event

from tests.web.conftest import signed_in
from tests.web.kill import FIELDS, VISIT, Person, Trial, run, trial
from trialwright.core.finding import Refused, finding
from trialwright.ledger.chain import verify
from trialwright.ledger.store import open_ledger
from trialwright.trial.office import whole_state
from trialwright.web.desk import Desk

FORM = {
    "record": "",
    "on": "2026-03-19",
    "weight": "61.5",
    "weight~unit": "kg",
    "amh": "0.9",
    "partner.sperm_count": "22",
}
HERE = "/participants/P-2/visits/screening/"


@pytest.fixture(scope="module")
def served() -> Iterator[Trial]:
    """A real server with four people who are signed in."""
    with trial(postgresql=False) as made:
        yield made


def _at_once(served: Trial, forms: list[dict[str, str]], woman: int) -> list[tuple[int, str]]:
    """The answers to forms that are sent at the same moment, each by another person."""
    gate, answers = threading.Barrier(len(forms)), [(0, "")] * len(forms)

    def send(place: int) -> None:
        gate.wait()
        answers[place] = served.people[place].visitor.post(VISIT.format(woman), forms[place])

    threads = [threading.Thread(target=send, args=(place,)) for place in range(len(forms))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return answers


def test_of_two_people_who_save_the_same_value_at_the_same_moment_the_second_is_told(served: Trial) -> None:
    for _ in range(5):
        seen = served.people[0].visitor.hidden(VISIT.format(1), "seen")["seen"]
        forms = [{**FORM, "form": str(uuid.uuid4()), "seen": seen, "weight": weight} for weight in ("61", "62")]
        answers = _at_once(served, forms, 1)
        assert sorted(status for status, _ in answers) == [200, 302]
        told = next(page for status, page in answers if status == 200)
        assert "recorded something for P-1" in told
        assert any(f'value="{form["weight"]}"' in told for form in forms), "what the second one typed is still there"
        with open_ledger(served.place) as ledger:
            there = [sum(one.command.startswith(form["form"]) for one in ledger.events()) for form in forms]
        assert sorted(there) == [0, len(FIELDS)]


def test_a_form_that_is_sent_twice_at_the_same_moment_counts_once(served: Trial) -> None:
    for _ in range(5):
        form = {**FORM, "form": str(uuid.uuid4()), "seen": ""}
        assert [status for status, _ in _at_once(served, [form] * 3, 2)] == [302] * 3
        with open_ledger(served.place) as ledger:
            assert sum(one.command.startswith(form["form"]) for one in ledger.events()) == len(FIELDS)


def test_two_servers_of_one_trial_are_one_to_whoever_works_there(served: Trial) -> None:
    second, visitors = serve(served.place), []
    try:
        here = served.people[3].visitor
        there = Visitor(second.host, second.port, dict(here.cookies))
        visitors.append(there)
        seen = there.hidden(VISIT.format(3), "seen")["seen"]
        theirs = {**FORM, "form": str(uuid.uuid4()), "seen": seen, "weight": "63"}
        assert served.people[0].visitor.post(VISIT.format(3), theirs)[0] == 302, "saved by a colleague at the first"
        hers = {**FORM, "form": str(uuid.uuid4()), "seen": seen, "weight": "64"}
        status, page = there.post(VISIT.format(3), hers)
        assert status == 200
        assert "recorded something for P-3" in page, "she is told at the second"
        assert "63 kg" in there.get(VISIT.format(3))[1]
        assert there.post(VISIT.format(3), theirs)[0] == 302, "what was sent to both counts once"
        saves = [threading.Thread(target=one.saves) for one in served.people[:2]]
        saves.append(threading.Thread(target=Person(2, there).saves))
        for one in saves:
            one.start()
        for one in saves:
            one.join()
        served.checks(again=True)
        leaving = Visitor(served.running.host, served.running.port)
        visitors.append(leaving)
        leaving.signs_in("coordinator-3", PASSWORD)
        gone = Visitor(second.host, second.port, dict(leaving.cookies))
        visitors.append(gone)
        assert gone.get("/")[0] == 200
        assert leaving.post("/sign-out", {})[0] == 302
        status, page = gone.get("/")
        assert (status, "Sign out" in page) == (302, False), "who leaves one has left both"
    finally:
        for visitor in visitors:
            visitor.leaves()
        second.stop()


def test_what_was_acknowledged_outlives_a_server_that_is_killed(served: Trial) -> None:
    for after in (0.0, 0.05, 0.3):
        served.kills("server", after)
    with open_ledger(served.place) as ledger:
        assert verify(ledger) == []


def test_what_was_acknowledged_outlives_a_database_that_is_killed_and_the_server_goes_on_by_itself() -> None:
    try:
        done = run(2, postgresql=True, seed=1)
    except CannotStart as why:
        pytest.skip(str(why))
    assert done.killed == {"server": 1, "database": 1}


def _fill(desk: Desk) -> Any:
    """Let the ledger have no page more than it has; what comes back takes that away again."""
    limits = ["PRAGMA max_page_count = 1"]  # SQLite takes the size that it has where that is more

    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(limits[0])

    event.listen(desk.ledger._engine, "connect", prepare)
    desk.ledger._engine.dispose()

    def empty() -> None:
        limits[0] = "PRAGMA max_page_count = 1000000"
        desk.ledger._engine.dispose()

    return empty


def test_on_a_full_disk_a_form_is_refused_plainly_and_whole_and_saved_where_there_is_space_again(desk: Desk) -> None:
    client, before = signed_in("coordinator"), desk.ledger.last()
    empty = _fill(desk)
    refused: dict[str, str] = {}
    for _ in range(200):  # the pages that it has are filled first
        told = {**FORM, "form": str(uuid.uuid4()), "seen": ""}
        there = desk.ledger.last()
        answer = client.post(HERE, told)
        if answer.status_code != 302:
            refused = told
            break
    assert refused, "the disk was never full"
    page = answer.content.decode()
    assert "No space is left for the ledger" in page
    assert "Free space on its disk" in page
    assert 'value="61.5"' in page, "what was typed is still there"
    assert desk.ledger.last() == there > before, "nothing of it was written"
    assert client.get(HERE).status_code == 200, "reading goes on"
    assert verify(desk.ledger) == []
    empty()
    assert client.post(HERE, refused).status_code == 302
    assert desk.ledger.last() == there + len(FIELDS)
    assert verify(desk.ledger) == []
    assert desk.trial() == whole_state(desk.ledger)[0]
    assert desk.participant("P-2") == whole_state(desk.ledger)[1]["P-2"]


@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        (Refused(finding("ledger_unreachable", place="trial", reason="connection refused")), 503, "cannot be reached"),
        (Refused(finding("ledger_busy", place="trial", reason="locked")), 503, "did not become free in time"),
        ("accounts", 503, "The database of the accounts does not answer: disk I/O error."),
        (KeyError("a bug"), 500, "The fault is ours"),
    ],
    ids=["away", "busy", "accounts", "bug"],
)
def test_a_page_that_cannot_be_made_says_why_and_what_to_do(
    shared_desk: Desk, monkeypatch: pytest.MonkeyPatch, wrong: Any, status: int, says: str
) -> None:
    from django.db import OperationalError

    client = signed_in("coordinator")
    client.raise_request_exception = False
    fault = OperationalError("disk I/O error") if wrong == "accounts" else wrong

    def breaks(*_parts: object) -> None:
        raise fault

    monkeypatch.setattr(shared_desk, "reach", breaks)
    for ask, advice in ((client.get, "Try again"), (client.post, "it counts once")):
        answer = ask(HERE)
        page = answer.content.decode()
        assert answer.status_code == status
        assert says in page
        assert advice in page
        assert "a bug" not in page
        assert answer["Content-Security-Policy"]
