"""The laboratory: checks stand by the hours of their clock, and the protocol says what they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.unit.desk import SMALL, Desk
from tests.unit.laboratory_desk import WITH_A_LABORATORY, laboratory_desk, laboratory_protocol
from trialwright.core.finding import Grade
from trialwright.protocol.check import lint
from trialwright.protocol.load import load, load_files
from trialwright.trial import commands as c
from trialwright.trial.office import whole_state
from trialwright.views.laboratory import bench, benches, dues, number_of, under_way

ICSI = {"maturity": "mii", "insemination": "icsi", "inseminated": "2026-03-18T14:30"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = laboratory_desk(tmp_path)
    yield made
    made.ledger.close()


def _standing(desk: Desk, check: str, now: str) -> tuple[str, int, int]:
    _, participants = whole_state(desk.ledger)
    moment = datetime.fromisoformat(now)
    found = dues(desk.protocol, bench(desk.protocol, participants["P-1"], "oocyte", "cycle-b", moment), moment)
    return next((one.standing, one.open, one.asked) for one in found if one.check == check)


@pytest.mark.parametrize(
    ("now", "standing"),
    [
        ("2026-03-18T15:00", "to come"),
        ("2026-03-19T06:29", "to come"),
        ("2026-03-19T06:30", "due"),  # 16 hours after half past two
        ("2026-03-19T08:30", "due"),
        ("2026-03-19T08:31", "late"),
    ],
)
def test_a_check_is_due_in_its_hours_after_insemination(desk: Desk, now: str, standing: str) -> None:
    desk.do(c.AddRecord("P-1", "oocyte", "cycle-b-1", "2026-03-18T10:00", ICSI, "cycle-b"))
    assert _standing(desk, "fertilisation", now) == (standing, 1, 1)


def test_a_check_is_done_when_every_row_that_it_asks_is_read(desk: Desk) -> None:
    now = "2026-03-20T12:00"
    for number in (1, 2):
        desk.do(c.AddRecord("P-1", "oocyte", f"cycle-b-{number}", "2026-03-18T10:00", ICSI, "cycle-b"))
    desk.do(c.AddRecord("P-1", "oocyte", "cycle-b-3", "2026-03-18T10:00", {"insemination": "none"}, "cycle-b"))
    assert _standing(desk, "fertilisation", now) == ("late", 2, 2), "what was not inseminated is not asked"
    desk.do(c.CompleteRecord("P-1", "oocyte", "cycle-b-1", "2026-03-19T08:00", {"pronuclei": "2"}))
    assert _standing(desk, "fertilisation", now) == ("late", 1, 2)
    desk.do(c.CompleteRecord("P-1", "oocyte", "cycle-b-2", "2026-03-19T08:00", {"pronuclei": "1"}))
    assert _standing(desk, "fertilisation", now) == ("done", 0, 2)
    assert _standing(desk, "day_3", now) == ("to come", 1, 1), "only what has two pronuclei is asked"


def test_a_row_of_which_is_not_known_whether_it_is_asked_waits(desk: Desk) -> None:
    desk.do(c.AddRecord("P-1", "oocyte", "cycle-b-1", "2026-03-18T10:00", {}, "cycle-b"))
    assert _standing(desk, "fertilisation", "2026-03-19T12:00") == ("late", 1, 1), "its clock is the retrieval"


def test_without_an_hour_the_check_is_due_all_day(desk: Desk) -> None:
    told = {**ICSI, "inseminated": "2026-03-18"}
    desk.do(c.AddRecord("P-1", "oocyte", "cycle-b-1", "2026-03-18", told, "cycle-b"))
    assert _standing(desk, "fertilisation", "2026-03-18T15:59") == ("to come", 1, 1)
    assert _standing(desk, "fertilisation", "2026-03-19T17:59") == ("due", 1, 1), "18 hours after the end of the day"
    assert _standing(desk, "fertilisation", "2026-03-19T18:00") == ("late", 1, 1)
    _, participants = whole_state(desk.ledger)
    now = datetime(2026, 3, 19, 8)
    assert not dues(desk.protocol, bench(desk.protocol, participants["P-1"], "oocyte", "cycle-b", now), now)[0].exact


def test_each_retrieval_has_its_own_bench_with_its_rows_by_number(desk: Desk) -> None:
    for record, parent in (("cycle-a-10", "cycle-a"), ("cycle-a-9", "cycle-a"), ("cycle-b-1", "cycle-b")):
        desk.do(c.AddRecord("P-1", "oocyte", record, "2026-03-18", {"insemination": "none"}, parent))
    _, participants = whole_state(desk.ledger)
    now = datetime(2026, 3, 19, 8)
    found = list(benches(desk.protocol, participants["P-1"], now))
    assert [(one.parent, [row.number for row in one.rows]) for one in found] == [("cycle-a", [9, 10]), ("cycle-b", [1])]
    assert not under_way(dues(desk.protocol, found[0], now))


@pytest.mark.parametrize(
    ("record", "number"), [("cycle-2-7", 7), ("oocyte-12", 12), ("unnamed", 0), ("lot-2026031801", 0)]
)
def test_the_number_of_a_row_is_the_end_of_its_name(record: str, number: int) -> None:
    assert number_of(record) == number


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("clock: inseminated", "clock: maturity", "date fields of oocyte"),
        ("clock: inseminated", "clock: insemenated", "Did you mean `inseminated`?"),
        ("fields: pronuclei", "fields: [pronuclei, cells]", "read at the check `fertilisation` already"),
        ("fields: pronuclei", "fields: [nuclei]", "fields of oocyte"),
        ("at: 17 h", "at: 17 hours", "at"),
        ("at: 17 h, ", "", "a window needs an hour"),
        (
            "window: [-1, 1], fields: pronuclei",
            "window: [1, 2], fields: pronuclei",
            "does not hold the hour itself",
        ),
        ("insemination in {ivf, icsi}", "insemination in {ivf, iccsi}", "iccsi"),
    ],
)
def test_a_slip_in_a_check_is_found_where_it_stands(old: str, new: str, says: str) -> None:
    protocol, _ = load(SMALL)
    assert protocol is not None
    assert old in WITH_A_LABORATORY
    files = dict(protocol.files)
    text = files["protocol.yaml"].decode().replace("records:\n", WITH_A_LABORATORY.replace(old, new), 1)
    files["protocol.yaml"] = text.encode()
    found_protocol, found = load_files(files)
    found = [*found, *(lint(found_protocol) if found_protocol else [])]
    assert [one for one in found if one.grade is Grade.ERROR and says in str(one)], [str(one) for one in found]


def test_the_laboratory_of_the_small_trial_has_no_fault_of_its_own() -> None:
    assert not [one for one in lint(laboratory_protocol()) if "checks" in str(one) or "clock" in str(one)]
