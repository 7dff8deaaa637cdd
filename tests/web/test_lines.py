"""The lines of Today and Participants: made once, made anew where something changes, and never a day too old."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.rehearsals import DOR, IUA, rehearsed
from tests.web.conftest import NOW, signed_in
from trialwright.ledger.store import open_ledger
from trialwright.trial import commands as c
from trialwright.trial.fold import fold_participant, fold_trial
from trialwright.trial.office import Office, Sender, read_protocol
from trialwright.web.desk import Desk
from trialwright.web.summary import Summary, summarise

BY = Sender("coordinator", "coordinator", "2026-03-20T03:00:00Z")


@pytest.fixture
def made(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whoever a line is made for, one after the other."""
    from trialwright.web import lines

    told: list[str] = []

    def noted(*parts: Any) -> Summary:
        told.append(parts[2].identity)
        return summarise(*parts)

    monkeypatch.setattr(lines, "summarise", noted)
    lines.refresh(desk)
    told.clear()
    return told


def test_only_the_line_of_whoever_something_was_recorded_about_is_made_anew(desk: Desk, made: list[str]) -> None:
    signed_in("coordinator").get("/")
    assert made == []
    desk.submit({"Observe": c.Observe("P-2", "weight", "58 kg", "2026-03-19")}, BY, "changes P-2")
    signed_in("coordinator").get("/screening")
    signed_in("coordinator").get("/")
    assert made == ["P-2"]


def test_what_another_process_wrote_is_on_the_next_page(desk: Desk, made: list[str]) -> None:
    page = signed_in("coordinator").get("/screening").content.decode()
    assert ">P-9<" not in page
    Office(desk.ledger, "test").submit(c.Screen("P-9", "S01", "2026-03-20"), BY, "from elsewhere")
    assert ">P-9<" in signed_in("coordinator").get("/screening").content.decode()
    assert made == ["P-9"]


@pytest.mark.parametrize(
    "change",
    [
        lambda desk: setattr(desk.trial(), "answers", {}),
        lambda desk: setattr(desk, "software", "another"),
        lambda desk: setattr(desk, "_clock", lambda: NOW - timedelta(days=1)),
    ],
    ids=["the answers", "another version", "a clock that was set back"],
)
def test_all_lines_are_made_anew_where_what_they_rest_on_is_another(desk: Desk, made: list[str], change: Any) -> None:
    change(desk)
    signed_in("coordinator").get("/")
    assert sorted(made) == ["P-1", "P-2", "Q-1"]
    made.clear()
    signed_in("coordinator").get("/")
    assert made == []


def test_more_stale_lines_than_anybody_should_wait_for_are_left_to_the_reader_and_the_page_says_how_far_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trialwright.web import lines

    with monkeypatch.context() as few:
        few.setattr(lines, "AT_ONCE", 1)
        page = signed_in("coordinator").get("/").content.decode()
        assert "read 0 of 3 women" in page
        assert signed_in("coordinator").get("/participants/P-1/").status_code == 200
        stop = threading.Event()
        monkeypatch.setattr(lines, "_IDLE", 0.01)
        reader = threading.Thread(target=lines.keep_up, args=(desk, stop))
        reader.start()
        for _ in range(200):
            if "made from the ledger" not in signed_in("coordinator").get("/").content.decode():
                break
            stop.wait(0.02)
        stop.set()
        reader.join()
        page = signed_in("coordinator").get("/").content.decode()
        assert "made from the ledger" not in page
        assert "P-1" in page


def test_while_somebody_records_the_reader_works_a_tenth_of_the_time(
    desk: Desk, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from trialwright.web import lines

    monkeypatch.setattr(desk, "software", "another")  # so that all three lines are stale
    monkeypatch.setattr(lines, "_BATCH", 1)
    clock = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))  # every look takes a second
    rests: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            rests.append(timeout or 0)
            if len(rests) == 1:
                desk.submit({"Observe": c.Observe("P-2", "weight", "59 kg", "2026-03-19")}, BY, "while lines are made")
            if timeout == lines._IDLE:
                self.set()
            return self.is_set()

    reader = threading.Thread(target=lines.keep_up, args=(desk, Stop()))
    reader.start()
    reader.join()
    assert rests[:3] == [0.02, 9.02, 0.02]
    assert rests[-1] == lines._IDLE
    assert {"P-1", "P-2", "Q-1"} == set(made)


@pytest.mark.parametrize("folder", [IUA, DOR], ids=["iua", "dor"])
def test_a_line_stands_until_the_moment_that_it_names(folder: Path) -> None:
    """Walked day by day past the last entry: whenever a line changes, it had said that it would by then."""
    with open_ledger(rehearsed(folder) / "ledger.db") as ledger:
        events = list(ledger.events())
        trial = fold_trial(event for event in events if not event.stream.startswith("participant/"))
        protocol = read_protocol(ledger, next(iter(trial.protocols.values())))
    changed = 0
    for known in ("2026-06-15", "2026-11-02", "2027-03-20"):
        streams: dict[str, list[Any]] = {}
        for event in events:
            if event.at < known and event.stream.startswith("participant/"):
                streams.setdefault(event.stream, []).append(event)
        for stream in sorted(streams)[:: max(1, len(streams) // 6)]:
            participant = fold_participant(stream.removeprefix("participant/"), streams[stream])
            stood: Summary | None = None
            for days in range(0, 120, 1):
                now = datetime.fromisoformat(f"{known}T03:00:00Z") + timedelta(days=days)
                today = now.astimezone(ZoneInfo(protocol.document.zone)).date()
                line = _timeless(summarise(protocol, trial, participant, today, now))
                if stood is not None and replace(line, until=stood.until) != stood:
                    assert stood.until <= now, (stream, today)
                    changed += 1
                if stood is None or stood.until <= now:
                    stood = line
                assert line.until > now
    assert changed > 5, "something did change"


def _timeless(line: Summary) -> Summary:
    """Without what is left of each clock's time, which runs on."""
    rows = tuple(replace(row, due=tuple(replace(due, left=None) for due in row.due)) for row in line.filed)
    return replace(line, filed=rows)


def test_a_line_is_kept_as_text_and_read_as_it_was(desk: Desk) -> None:
    from trialwright.web import lines

    for identity in ("P-1", "P-2", "Q-1"):
        participant = desk.participant(identity)
        assert participant is not None
        told = summarise(desk.protocol("S01"), desk.trial(), participant, desk.today(), desk.now())
        assert lines._SUMMARY.validate_json(lines._SUMMARY.dump_json(told)) == told
