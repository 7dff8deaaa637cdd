"""What a ledger keeps, refuses and survives, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from trialwright.core.finding import Refused
from trialwright.ledger.chain import verify
from trialwright.ledger.envelope import Event, NewEvent, Submission, digest
from trialwright.ledger.store import Header, Ledger, create, open_ledger

AT = "2026-03-09T06:05:00Z"
HEADER = Header("virtual", "NCT00000000", "d" * 64, "1.0", 7, "as planned")


def submission(command: str) -> Submission:
    return Submission(command, AT, "u-1", "investigator", "Asia/Shanghai", "d" * 64, "1.0")


def lab(stream: str = "participant/P-001", value: str = "58.0", on: str = "2026-03-09") -> NewEvent:
    return NewEvent(stream, "lab.reported/1", on, {"item": "creatinine", "value": value}, "S1", "as measured")


def write(ledger: Ledger, command: str, *new: NewEvent) -> list[Event]:
    with ledger.writing() as writer:
        return writer.append(submission(command), new)


@pytest.fixture
def ledger(place: str) -> Iterator[Ledger]:
    with create(place, HEADER, AT) as created:
        yield created


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    assert str(refused.value)
    return [finding.code for finding in refused.value.findings]


def test_the_first_event_is_the_header(ledger: Ledger, place: str) -> None:
    (opening,) = ledger.events()
    assert (opening.seq, opening.stream, opening.position) == (1, "ledger", 1)
    assert opening.type == "ledger.opened/1"
    assert opening.payload["kind"] == "virtual"
    with open_ledger(place) as again:
        assert again.header == HEADER


def test_an_appended_event_is_read_back_as_it_was_returned(ledger: Ledger) -> None:
    new = NewEvent("trial", "note.made/1", "2026-03", {"text": "≥ 28 周 \0 'x'", "n": [1, None, True, {}]})
    returned = write(ledger, "c-1", new, lab())
    assert list(ledger.events(after=1)) == returned
    assert [event.part for event in returned] == [1, 2]
    assert returned[0].on == "2026-03"
    assert returned[0].zone == "Asia/Shanghai"


def test_numbers_positions_and_hashes_form_a_chain_per_stream(ledger: Ledger) -> None:
    write(ledger, "c-1", lab("a"), lab("b"), lab("a"))
    write(ledger, "c-2", lab("a"))
    events = list(ledger.events())
    assert [(e.seq, e.stream, e.position) for e in events] == [
        (1, "ledger", 1),
        (2, "a", 1),
        (3, "b", 1),
        (4, "a", 2),
        (5, "a", 3),
    ]
    assert [e.previous for e in events] == ["", "", "", events[1].hash, events[3].hash]
    assert [e.hash for e in events] == [digest(e) for e in events]
    assert ledger.heads() == {
        "ledger": (1, events[0].hash),
        "a": (3, events[4].hash),
        "b": (1, events[2].hash),
    }
    assert ledger.last() == 5
    assert verify(ledger) == []


def test_the_same_submissions_give_the_same_heads_on_both_databases(ledger: Ledger, tmp_path: Path) -> None:
    with create(tmp_path / "twin.ledger", HEADER, AT) as twin:
        for each in (ledger, twin):
            write(each, "c-1", lab("a"), lab("b"))
        assert ledger.heads() == twin.heads()


def test_events_are_chosen_by_stream_type_and_number(ledger: Ledger) -> None:
    write(ledger, "c-1", *(lab(f"participant/P-{n % 3}") for n in range(2500)))
    write(ledger, "c-2", NewEvent("lot/L1", "lot.received/1", "2026", {}))
    assert [e.position for e in ledger.events("participant/P-1")] == list(range(1, 834))
    assert [e.seq for e in ledger.events(types=["lot.received/1"])] == [2502]
    assert [e.seq for e in ledger.events(types=[])] == []
    assert [e.seq for e in ledger.events(after=2499, upto=2501)] == [2500, 2501]
    assert [e.seq for e in ledger.events("participant/P-1", after=2495, upto=2500)] == [2496, 2499]


def test_the_streams_that_were_appended_to_are_told_with_the_last_event_of_each(ledger: Ledger) -> None:
    write(ledger, "c-1", lab("a"), lab("b"), lab("a"))
    write(ledger, "c-2", lab("c"), lab("a"))
    assert ledger.latest(after=2, upto=5) == {"a": 4, "b": 3, "c": 5}
    assert ledger.latest(after=6, upto=6) == {}


def test_streams_are_found_by_the_exact_beginning_of_their_name(ledger: Ledger) -> None:
    write(ledger, "c-1", lab("Lot/2"), lab("lot/1"), lab("lot_1"), lab("lot%"))
    assert ledger.streams("lot/") == ["lot/1"]
    assert ledger.streams() == ["Lot/2", "ledger", "lot%", "lot/1", "lot_1"]


def test_a_writer_sees_what_it_appended(ledger: Ledger) -> None:
    with ledger.writing() as writer:
        appended = writer.append(submission("c-1"), [lab(), lab()])
        assert list(writer.events("participant/P-001")) == appended
        assert list(writer.events(upto=2))[1:] == appended[:1]
        assert writer.outcome("c-1") == appended
        assert writer.outcome("c-2") == []
        assert ledger.last() == 1


def test_the_same_command_again_returns_its_first_outcome(ledger: Ledger) -> None:
    first = write(ledger, "c-1", lab(value="58.0"), lab())
    assert write(ledger, "c-1", lab(value="99.9")) == first
    with ledger.writing() as writer:
        second = writer.append(submission("c-2"), [lab()])
        assert writer.append(submission("c-2"), [lab(), lab()]) == second
    assert ledger.last() == 4


def test_an_exception_inside_a_transaction_leaves_nothing(ledger: Ledger) -> None:
    def fail() -> None:
        with ledger.writing() as writer:
            writer.append(submission("c-1"), [lab() for _ in range(1500)])
            writer.keep(b"consent form")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert ledger.last() == 1
    assert list(ledger.attachments()) == []
    assert [event.seq for event in write(ledger, "c-1", lab())] == [2]


def test_a_submission_with_one_bad_payload_appends_none_of_its_events(ledger: Ledger) -> None:
    bad = NewEvent("participant/P-001", "lab.reported/1", "2026", {"value": 5.8})  # type: ignore[dict-item]
    with ledger.writing() as writer:
        with pytest.raises(TypeError):
            writer.append(submission("c-1"), [lab(), bad])
        writer.append(submission("c-2"), [lab()])
    assert [(event.seq, event.command) for event in ledger.events(after=1)] == [(2, "c-2")]
    assert verify(ledger) == []


def test_an_attachment_is_kept_once_under_its_digest(ledger: Ledger) -> None:
    with ledger.writing() as writer:
        kept = writer.keep(b"\0consent form\xff")
        assert writer.keep(b"\0consent form\xff") == kept
    with ledger.writing() as writer:
        assert writer.keep(b"\0consent form\xff") == kept
    assert ledger.blob(kept) == b"\0consent form\xff"
    with pytest.raises(Refused) as refused:
        ledger.blob("0" * 64)
    assert codes(refused) == ["ledger_no_attachment"]


def test_a_second_ledger_in_the_same_place_is_refused(ledger: Ledger, place: str) -> None:
    with pytest.raises(Refused) as refused:
        create(place, HEADER, AT)
    assert codes(refused) == ["ledger_exists"]
    assert verify(ledger) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET payload = '{}' WHERE seq = 2",
        "DELETE FROM event WHERE seq = 2",
        "UPDATE blob SET digest = 'x'",
        "DELETE FROM blob",
    ],
)
def test_the_database_refuses_to_change_or_delete(ledger: Ledger, statement: str) -> None:
    with ledger.writing() as writer:
        writer.append(submission("c-1"), [lab()])
        writer.keep(b"consent form")
    with pytest.raises(DBAPIError, match="append-only"), ledger._engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert verify(ledger) == []
    assert ledger.last() == 2


@pytest.mark.parametrize("table", ["event", "blob"])
def test_postgresql_refuses_to_truncate(postgresql_place: str, table: str) -> None:
    with create(postgresql_place, HEADER, AT) as ledger:
        with pytest.raises(DBAPIError, match="append-only"), ledger._engine.begin() as connection:
            connection.exec_driver_sql(f"TRUNCATE {table}")
        assert ledger.last() == 1


@pytest.mark.parametrize("recursive", ["ON", "OFF"])
@pytest.mark.parametrize(
    "same",
    [
        "seq, 'other', 9, site, type, \"on\", zone, at, user, role, reason, 'other', 9",
        "9, stream, position, site, type, \"on\", zone, at, user, role, reason, 'other', 9",
        "9, 'other', 9, site, type, \"on\", zone, at, user, role, reason, command, part",
    ],
    ids=["number", "place in the stream", "part of the command"],
)
def test_sqlite_refuses_insert_or_replace(tmp_path: Path, same: str, recursive: str) -> None:
    file = tmp_path / "trial.ledger"
    create(file, HEADER, AT).close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA recursive_triggers = {recursive}")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(
                f"INSERT OR REPLACE INTO event SELECT {same}, protocol, software, '{{}}', previous, hash FROM event"
            )


@pytest.mark.parametrize("shared", [True, False], ids=["one ledger object", "one each"])
def test_writers_in_threads_take_turns_and_leave_no_gap(ledger: Ledger, place: str, shared: bool) -> None:
    def work(name: str) -> None:
        mine = ledger if shared else open_ledger(place)
        for n in range(40):
            with mine.writing() as writer:
                assert len(list(writer.events("count"))) == writer._last - 1  # the count is exact under the lock
                writer.append(submission(f"{name}-{n}"), [lab("count")])
        if not shared:
            mine.close()

    threads = [Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.position for event in ledger.events("count")] == list(range(1, 161))
    assert verify(ledger) == []


_PROCESS = """
import sys
from tests.unit.test_ledger_store import lab, open_ledger, write
with open_ledger(sys.argv[1]) as ledger:
    for n in range(40):
        write(ledger, f"{sys.argv[2]}-{n}", lab("count"))
"""


def test_writers_in_processes_take_turns_and_leave_no_gap(ledger: Ledger, place: str) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", _PROCESS, place, name]) for name in "ab"]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert [event.position for event in ledger.events("count")] == list(range(1, 81))
    assert verify(ledger) == []


def test_a_lock_that_does_not_free_is_refused_after_the_patience(ledger: Ledger, place: str) -> None:
    with ledger.writing(), open_ledger(place, patience=0.05) as other:
        with pytest.raises(Refused) as refused:
            write(other, "c-1", lab())
        assert other.last() == 1  # reading does not wait
    assert codes(refused) == ["ledger_busy"]
    assert write(ledger, "c-1", lab())


def test_a_full_disk_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    def fill(ledger: Ledger) -> None:
        with ledger.writing() as writer:
            pages = writer._connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            writer._connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}")
            for n in range(100):
                writer.append(submission(f"c-{n}"), [lab() for _ in range(100)])

    with create(tmp_path / "trial.ledger", HEADER, AT) as ledger:
        with pytest.raises(Refused) as refused:
            fill(ledger)
        assert codes(refused) == ["ledger_full"]
        assert ledger.last() == 1
        assert verify(ledger) == []


def test_a_database_that_may_not_be_written_is_refused(ledger: Ledger, place: str) -> None:
    def fail() -> None:
        with ledger.writing() as writer:
            forbid = "SET TRANSACTION READ ONLY" if "://" in place else "PRAGMA query_only = ON"
            writer._connection.exec_driver_sql(forbid)
            writer.append(submission("c-1"), [lab()])

    with pytest.raises(Refused) as refused:
        fail()
    assert codes(refused) == ["ledger_read_only"]
    assert ledger.last() == 1


def test_a_closed_sqlite_ledger_is_a_single_file(tmp_path: Path) -> None:
    with create(tmp_path / "trial.ledger", HEADER, AT) as ledger:
        write(ledger, "c-1", lab())
        assert next(ledger.events()).seq == 1
    assert [file.name for file in tmp_path.iterdir()] == ["trial.ledger"]


def test_sqlite_reads_a_stream_by_its_index(tmp_path: Path) -> None:
    create(tmp_path / "trial.ledger", HEADER, AT).close()
    engine = create_engine(f"sqlite:///{tmp_path}/trial.ledger")
    query = "EXPLAIN QUERY PLAN SELECT * FROM event WHERE seq > 0 AND stream = 'a' ORDER BY position"
    with engine.connect() as connection:
        (plan,) = connection.exec_driver_sql(query)
    engine.dispose()
    assert "(stream=?" in plan.detail
