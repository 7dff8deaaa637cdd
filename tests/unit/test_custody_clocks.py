"""Commands out of order, back-dated, or in the hours that the clocks leave out or tell twice (Europe/Berlin)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.custody_desk import CHAIN, TODAY, allocated, banks, before, course, donor, lot, origin, started
from tests.unit.desk import Desk, protocol_at
from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.trial.instants import instants

SPRING, AUTUMN = "2026-03-29", "2026-10-25"  # 02:00 becomes 03:00; 03:00 becomes 02:00
OF_THE_UNIT = [name for name in course() if name not in ("test", "order")]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, protocol=protocol_at(CHAIN))
    desk.do(*origin(), *allocated())
    return desk


def _step(name: str, **changed: Any) -> Command:
    told = course()[name]
    return replace(told[0] if isinstance(told, tuple) else told, **changed)


def _role(name: str) -> str:
    told = course()[name]
    return told[1] if isinstance(told, tuple) else ""


# ---------------------------------------------------------------- order


@pytest.mark.parametrize("name", [one for one in OF_THE_UNIT if one not in ("measure", "start")])
def test_no_step_is_dated_before_the_one_before_it(desk: Desk, name: str) -> None:
    desk.do(*before(name))
    assert desk.refused(_step(name, on="2026-03-19T23:00", **_thawed(name)), _role(name)) == ["before_origin"]


def _thawed(name: str) -> dict[str, str]:
    return {"thawed": "2026-03-19T22:55"} if name == "prepare" else {}


def test_an_infusion_is_not_dated_before_its_last_check(desk: Desk) -> None:
    desk.do(*before("start"))
    assert desk.refused(_step("start", on=f"{TODAY}T09:45")) == ["before_origin"]
    assert desk.refused(_step("start", on=f"{TODAY}T09:46")) == []


@pytest.mark.parametrize("name", ["release", "issue", "receive", "check", "check again", "account"])
def test_a_step_on_some_minute_of_the_day_is_refused_because_it_may_lie_before_the_last_one(
    desk: Desk, name: str
) -> None:
    # the fold would put it at the beginning of the day, before what it follows from
    desk.do(*before(name))
    assert desk.refused(_step(name, on=TODAY), _role(name)) == ["time_needed"]


def test_a_unit_rejected_on_some_minute_of_the_day_does_not_come_back_to_life(desk: Desk) -> None:
    desk.do(*before("check"))
    assert desk.refused(c.RejectUnit("U-P-1", "dropped", TODAY)) == ["time_needed"]
    desk.do(c.RejectUnit("U-P-1", "dropped", f"{TODAY}T09:40"))
    assert desk.cut().trial.custody.units["U-P-1"].state == "rejected"


@pytest.mark.parametrize("name", ["prepare", "release", "issue", "receive", "check", "start", "end", "account"])
def test_no_step_is_taken_in_the_future(desk: Desk, name: str) -> None:
    desk.do(*before(name))
    assert desk.refused(_step(name), _role(name), at="2026-03-20T07:00:00Z") == (["in_the_future"]), (
        "it is eight o'clock in Berlin"
    )


@pytest.mark.parametrize("on", [f"{TODAY}T08:45", TODAY])
def test_cells_are_not_thawed_in_the_future(desk: Desk, on: str) -> None:
    desk.do(c.OrderUnit("U-P-1", "P-1", "infusion", TODAY))
    command = _step("prepare", on=on, thawed=f"{TODAY}T08:44")
    assert desk.refused(command, at="2026-03-20T07:43:00Z") == ["in_the_future"], "it is 08:43 in Berlin"
    assert desk.refused(command, at="2026-03-20T07:45:00Z") == []


def test_steps_entered_late_are_taken_as_they_happened(desk: Desk) -> None:
    for name, one in list(course().items()):
        desk.do(one, at="2026-06-01T12:00:00Z")
        state = desk.cut().trial.custody.units.get("U-P-1")
        assert state == desk.office.trial().custody.units.get("U-P-1"), name
    assert desk.cut().trial.custody.units["U-P-1"].state == "reconciled"
    assert desk.cut().trial.custody.oddities == []


# ---------------------------------------------------------------- the clocks are changed


def _on_its_way(tmp_path: Path, day: str, thawed: str, hours: str = "4") -> Desk:
    """Her unit thawed at a time of the night and checked by two: only its start is still to come."""
    desk = Desk(tmp_path, protocol=protocol_at(CHAIN))
    desk.do(*started(hours), *donor(), *banks(), *lot(), *allocated())
    desk.do(
        c.Observe("P-1", "hcg", "1 [IU]/L", f"{day}T00:00"), c.OrderUnit("U-P-1", "P-1", "infusion", f"{day}T00:01")
    )
    on = f"{day}T{thawed}"
    desk.do(c.ManufactureUnit("U-P-1", "L-1", "75000000", "80 %", "15 mL", on, on))
    desk.do(c.TestUnit("U-P-1", {"endotoxin": "0.5 [EU]/mL", "growth": "none"}, on), c.ReleaseUnit("U-P-1", on))
    desk.do(c.IssueUnit("U-P-1", on), c.ReceiveUnit("U-P-1", on, "3 Cel", "6 Cel"))
    for user in ("nurse", "coordinator"):
        desk.do(c.VerifyUnit("U-P-1", "P-1", "1990-03-02", on), role=user)
    return desk


def _start(day: str, at: str) -> Command:
    return c.Perform("P-1", "infusion", "infusion-1", f"{day}T{at}", unit="U-P-1")


@pytest.mark.parametrize(
    ("day", "thawed", "hours", "expires"),
    [
        (SPRING, "00:30", "4", f"{SPRING}T05:30"),
        (SPRING, "01:59", "0.1", f"{SPRING}T03:05"),
        (AUTUMN, "00:30", "4", f"{AUTUMN}T03:30"),
        (AUTUMN, "00:30", "1", f"{AUTUMN}T01:30"),
        (AUTUMN, "03:00", "4", f"{AUTUMN}T07:00"),
        (TODAY, "08:40", "4", f"{TODAY}T12:40"),
        (TODAY, "08:40", "0.99", f"{TODAY}T09:39"),
        ("2026-04-30", "22:00", "4", "2026-05-01T02:00"),
    ],
)
def test_four_hours_are_four_hours_whatever_the_clocks_say(
    desk: Desk, day: str, thawed: str, hours: str, expires: str
) -> None:
    on = f"{day}T{thawed}"
    desk.do(c.ValidateHold("cells", hours, "report 8", "2026-01-01"), c.OrderUnit("U-P-1", "P-1", "infusion", day))
    (made,) = desk.do(c.ManufactureUnit("U-P-1", "L-1", "75000000", "80 %", "15 mL", on, on))
    assert made.payload["expires"] == expires


@pytest.mark.parametrize(
    ("day", "hours", "at", "codes"),
    [
        # thawed at 00:30; the infusion takes 30 min
        (SPRING, "4", "05:00", []),
        (SPRING, "4", "05:01", ["unit_expired"]),
        (SPRING, "4", "02:30", ["time_needed"]),
        (SPRING, "4", "02:00", ["time_needed"]),
        (SPRING, "4", "03:00", []),
        (AUTUMN, "4", "03:00", []),
        (AUTUMN, "4", "03:01", ["unit_expired"]),
        (AUTUMN, "4", "02:30", []),
        # three hours end at the second 02:30, which may be the first
        (AUTUMN, "3", "01:59", []),
        (AUTUMN, "3", "02:00", ["unit_expired"]),
        # two hours end at the first 02:30, and 02:00 may be the second
        (AUTUMN, "2", "01:59", []),
        (AUTUMN, "2", "02:00", ["unit_expired"]),
    ],
)
def test_an_hour_left_out_is_refused_and_an_hour_told_twice_takes_the_strict_side(
    tmp_path: Path, day: str, hours: str, at: str, codes: list[str]
) -> None:
    assert _on_its_way(tmp_path, day, "00:30", hours).refused(_start(day, at)) == codes


@pytest.mark.parametrize(
    ("day", "started_at", "stopped", "resumed", "codes"),
    [
        (SPRING, "01:30", "01:45", "03:15", []),
        (SPRING, "01:30", "01:45", "03:16", ["restart_late"]),
        (SPRING, "01:30", "01:45", "02:05", ["time_needed"]),
        (AUTUMN, "01:10", "01:20", "01:50", []),
        (AUTUMN, "01:10", "01:50", "02:10", ["restart_late"]),
        (AUTUMN, "01:10", "02:10", "02:20", ["restart_late"]),
        (AUTUMN, "01:10", "02:50", "03:05", ["restart_late"]),
        (AUTUMN, "01:10", "03:05", "03:20", []),
    ],
)
def test_the_minutes_of_an_interruption_are_those_that_passed_at_most(
    tmp_path: Path, day: str, started_at: str, stopped: str, resumed: str, codes: list[str]
) -> None:
    desk = _on_its_way(tmp_path, day, "00:30")
    desk.do(_start(day, started_at), c.InterruptInfusion("P-1", "U-P-1", "10 mL", "pain", f"{day}T{stopped}"))
    assert desk.refused(c.ResumeInfusion("P-1", "U-P-1", f"{day}T{resumed}")) == codes


@pytest.mark.parametrize("thawed", ["02:00", "02:30", "02:59"])
def test_cells_are_not_thawed_in_an_hour_that_did_not_exist(desk: Desk, thawed: str) -> None:
    desk.do(c.OrderUnit("U-P-1", "P-1", "infusion", SPRING))
    command = _step("prepare", on=f"{SPRING}T04:00", thawed=f"{SPRING}T{thawed}")
    assert desk.refused(command) == ["time_needed"]


def test_an_hour_that_is_told_twice_goes_forward_only(tmp_path: Path) -> None:
    # 02:10 after 02:50 may well have happened; whoever was there enters what is certain, after the change
    desk = _on_its_way(tmp_path, AUTUMN, "00:30")
    desk.do(_start(AUTUMN, "01:50"), c.InterruptInfusion("P-1", "U-P-1", "10 mL", "pain", f"{AUTUMN}T02:50"))
    end = c.EndInfusion("P-1", "U-P-1", "5 mL", f"{AUTUMN}T02:10", "1 mL", reason="pain")
    assert desk.refused(end) == ["before_origin"]
    assert desk.refused(replace(end, on=f"{AUTUMN}T03:00")) == []


@pytest.mark.parametrize(
    ("on", "hours"),
    [("2026-10-25T02:30", 1), ("2026-10-25T01:59", 0), ("2026-10-25T03:00", 0), ("2026-03-29T03:00", 0)],
)
def test_only_an_hour_that_is_told_twice_means_two_moments(on: str, hours: int) -> None:
    span = instants(on, "Europe/Berlin")
    assert (span.latest - span.earliest).total_seconds() == hours * 3600
