"""What was planned, prepared and delivered: cell by cell, with the catheter's dead space and the flush."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.custody_desk import CHAIN, TODAY, allocated, before, course, given, origin
from tests.unit.desk import Desk, protocol_at
from trialwright.ledger.envelope import Event
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.decide_procedure import delivered


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, protocol=protocol_at(CHAIN))
    desk.do(*origin())
    return desk


def _prepared(total: str, viability: str = "80 %") -> c.ManufactureUnit:
    return c.ManufactureUnit("U-P-1", "L-1", total, viability, "15 mL", f"{TODAY}T08:40", f"{TODAY}T08:45")


def _ended(desk: Desk) -> Event:
    (event,) = [one for one in desk.ledger.events() if one.type == e.INFUSION_ENDED]
    return event


@pytest.mark.parametrize(
    ("kilograms", "viability", "millions"),
    [
        ("40", "95", "42.105264"),
        ("40", "70", "57.142858"),
        ("60", "90", "66.666667"),
        ("60", "80", "75.000000"),
        ("75", "85", "88.235295"),
        ("90", "95", "94.736843"),
        ("90", "70", "128.571429"),
    ],
)
def test_so_many_cells_in_all_are_a_million_living_ones_per_kilogram(
    desk: Desk, kilograms: str, viability: str, millions: str
) -> None:
    # facts/03, table 1: 42.1, 57.1, 66.7, 75.0, 88.2, 94.7 and 128.6 million in all
    steps = course()
    desk.do(*allocated(weight=f"{kilograms} kg"), steps["test"], steps["order"])
    total = str(int(Decimal(millions) * 1_000_000))
    desk.do(_prepared(total, f"{viability} %"), steps["measure"])
    (released,) = desk.do(steps["release"])
    assert released.payload["ratio"] == "1"
    unit = desk.office.trial().custody.units["U-P-1"]
    assert unit.planned == f"{kilograms}000000"
    assert abs(Decimal(unit.viable) - Decimal(unit.planned)) <= 1, "cells are counted whole"


@pytest.mark.parametrize(
    ("total", "approved", "ratio"),
    [
        ("67500000", "", "0.9"),
        ("82500000", "", "1.1"),
        ("67499999", "Dr Li", "0.9"),
        ("60000000", "Dr Li", "0.8"),
        ("75000000", "", "1"),
    ],
)
def test_a_dose_at_its_limits_is_released_and_one_below_with_an_approval(
    desk: Desk, total: str, approved: str, ratio: str
) -> None:
    steps = course()
    desk.do(*allocated(), steps["test"], steps["order"], _prepared(total), steps["measure"])
    reason = "the lot holds no more" if approved else ""
    (made,) = desk.do(c.ReleaseUnit("U-P-1", f"{TODAY}T09:20", approved, reason))
    assert (made.payload["ratio"], made.payload["approved_by"], made.reason) == (ratio, approved, reason)
    desk.do(*[steps[name] for name in ("issue", "receive", "check", "check again", "start")])
    (dose,) = desk.office.participant("P-1").doses
    assert (dose.ratio, dose.planned, dose.unit) == (ratio, "60000000", "U-P-1")


def test_the_weight_of_the_day_plans_the_dose_again(desk: Desk) -> None:
    desk.do(*allocated(), *before("start"), c.Observe("P-1", "weight", "64 kg", f"{TODAY}T09:50"), course()["start"])
    (dose,) = desk.office.participant("P-1").doses
    assert (dose.planned, dose.prepared, dose.ratio) == ("64000000", "60000000", "0.9375")
    desk.do(course()["end"])
    assert _ended(desk).payload["ratio"] == "0.9375"


def test_a_dose_may_count_all_cells_and_not_the_living_alone(desk: Desk) -> None:
    desk.do(*allocated(), c.OrderUnit("U-9", "P-1", "instillation", f"{TODAY}T08:10"))
    on = f"{TODAY}T08:45"
    desk.do(c.ManufactureUnit("U-9", "L-1", "30000000", "80 %", "7 mL", f"{TODAY}T08:40", on))
    desk.do(c.TestUnit("U-9", {"endotoxin": "0.5 [EU]/mL"}, on))
    (made,) = desk.do(c.ReleaseUnit("U-9", on))
    assert (made.payload["ratio"], desk.office.trial().custody.units["U-9"].viable) == ("1", "24000000")


@pytest.mark.parametrize(
    ("infused", "flush", "viability", "outcome", "cells", "ratio"),
    [
        # 75 million cells in 15 mL, 80 % alive: 4 million living ones in each mL; the catheter keeps 0.5 mL
        ("15 mL", "1 mL", "", "complete", "60000000", "1"),
        ("15 mL", "0.5 mL", "", "complete", "60000000", "1"),
        ("15 mL", "0.3 mL", "", "complete", "59200000", "0.9867"),
        ("15 mL", "0 mL", "", "complete", "58000000", "0.9667"),
        ("15 mL", "1 mL", "70 %", "complete", "52500000", "0.875"),
        ("7.5 mL", "1 mL", "", "partial", "30000000", "0.5"),
        ("7.5 mL", "0 mL", "", "partial", "28000000", "0.4667"),
        ("0.5 mL", "0 mL", "", "partial", "0", "0"),
        ("0.2 mL", "0 mL", "", "partial", "0", "0"),
        ("0 mL", "1 mL", "", "aborted", "0", "0"),
        ("0 mL", "0 mL", "", "aborted", "0", "0"),
    ],
)
def test_what_was_delivered_is_what_left_the_catheter_alive(
    desk: Desk, infused: str, flush: str, viability: str, outcome: str, cells: str, ratio: str
) -> None:
    desk.do(*allocated(), *before("end"))
    desk.do(c.EndInfusion("P-1", "U-P-1", infused, f"{TODAY}T10:30", flush, viability, "resistance"))
    payload = _ended(desk).payload
    assert (payload["outcome"], payload["delivered"], payload["ratio"]) == (outcome, cells, ratio)
    unit = desk.cut().trial.custody.units["U-P-1"]
    assert (unit.state, unit.delivered, unit.ratio) == (outcome, cells, ratio)
    (record,) = desk.office.participant("P-1").records["infusion"].values()
    fields = record[-1].payload["fields"]
    assert isinstance(fields, dict)
    assert {name: value["value"] for name, value in fields.items() if isinstance(value, dict) and "value" in value} == {
        "volume_infused": infused.removesuffix(" mL"),
        "flush_volume": flush.removesuffix(" mL"),
        "delivered_cells": cells,
        "dose_ratio": ratio,
    }
    assert fields["infusion_outcome"] == {"entered": outcome, "one_of": [outcome]}


@pytest.mark.parametrize(
    ("total", "viability", "volume", "through", "cells"),
    [("66000000", "90", "15", "10", "39600000"), ("75000000", "80", "15", "15", "60000000"),
     ("100000000", "70", "15", "14.44", "67386667"), ("1", "50", "3", "1", "0")],
)  # fmt: skip
def test_living_cells_are_counted_whole(total: str, viability: str, volume: str, through: str, cells: str) -> None:
    assert delivered(*(Decimal(one) for one in (total, viability, volume, through))) == Decimal(cells)


@pytest.mark.parametrize(("end", "late"), [("10:30", False), ("12:40", False), ("12:41", True)])
def test_an_infusion_that_outlasted_its_unit_says_so(desk: Desk, end: str, late: bool) -> None:
    desk.do(*allocated(), *before("end"), c.EndInfusion("P-1", "U-P-1", "15 mL", f"{TODAY}T{end}", "1 mL"))
    assert _ended(desk).payload["after_expiry"] is late


def test_an_infusion_may_be_taken_up_again_in_time_and_ends_with_what_went_in(desk: Desk) -> None:
    desk.do(*allocated(), *before("end"))
    desk.do(c.InterruptInfusion("P-1", "U-P-1", "10 mL", "pain", f"{TODAY}T10:10"))
    desk.do(c.AddRecord("P-1", "adverse_event", "ae-1", f"{TODAY}T10:11", {"term": "pain", "grade": "1"}))
    desk.do(c.ResumeInfusion("P-1", "U-P-1", f"{TODAY}T10:40"))
    desk.do(c.InterruptInfusion("P-1", "U-P-1", "5 mL", "pain", f"{TODAY}T10:45"))
    desk.do(c.EndInfusion("P-1", "U-P-1", "10 mL", f"{TODAY}T10:50", "1 mL", reason="pain"))
    custody = desk.cut().trial.custody
    unit = custody.units["U-P-1"]
    assert [one.state for one in unit.moves[-5:]] == ["infusing", "interrupted", "infusing", "interrupted", "partial"]
    assert (unit.delivered, custody.oddities) == ("40000000", [])


def test_an_old_reaction_before_the_infusion_keeps_nobody_from_going_on(desk: Desk) -> None:
    desk.do(*allocated(), c.AddRecord("P-1", "adverse_event", "ae-1", "2026-03-19", {"grade": "2"}), *before("end"))
    desk.do(c.InterruptInfusion("P-1", "U-P-1", "10 mL", "pain", f"{TODAY}T10:10"))
    assert desk.refused(c.ResumeInfusion("P-1", "U-P-1", f"{TODAY}T10:20")) == []


# ---------------------------------------------------------------- taking back


def _performed(desk: Desk) -> int:
    (event,) = [one.seq for one in desk.ledger.events() if one.type == e.PERFORMED]
    return event


def test_an_infusion_taken_back_takes_its_whole_course_with_it(desk: Desk) -> None:
    desk.do(*allocated(), *before("end"), c.InterruptInfusion("P-1", "U-P-1", "10 mL", "pain", f"{TODAY}T10:10"))
    desk.do(c.ResumeInfusion("P-1", "U-P-1", f"{TODAY}T10:20"), course()["end"])
    desk.do(c.VoidEvent("P-1", _performed(desk), "entered for the wrong woman", "2026-03-21"))
    cut = desk.cut()
    unit, hers = cut.trial.custody.units["U-P-1"], cut.participants["P-1"]
    assert (unit.state, unit.was_given, unit.delivered, unit.started) == ("verified", False, "", "")
    assert (hers.doses, hers.performed, hers.records.get("infusion", {}), hers.early) == ([], [], {}, {})
    assert cut.trial.custody.oddities == []
    assert cut.trial.treated.get("infusion", {}) == {}


def test_an_infusion_entered_again_inherits_nothing_of_the_one_that_was_taken_back(desk: Desk) -> None:
    desk.do(*allocated(), *before("end"))
    desk.do(c.EndInfusion("P-1", "U-P-1", "5 mL", f"{TODAY}T10:30", "1 mL", reason="pain"))
    desk.do(c.VoidEvent("P-1", _performed(desk), "entered twice", "2026-03-21"), course()["start"])
    (record,) = desk.cut().participants["P-1"].records["infusion"].values()
    assert [one.payload["fields"] for one in record] == [{}]


def test_half_of_an_infusion_is_never_brought_back(desk: Desk) -> None:
    desk.do(*given())
    voids = desk.do(c.VoidEvent("P-1", _performed(desk), "entered for the wrong woman", "2026-03-21"))
    assert len(voids) == 4, "dose, procedure, end and fields"
    for one in voids:
        assert desk.refused(c.VoidEvent("P-1", one.seq, "it was right", "2026-03-21")) == ["giving_taken_back"]
    again = c.Perform("P-1", "infusion", "infusion-2", f"{TODAY}T10:00", unit="U-P-1")
    assert desk.refused(again) == []


def test_an_end_taken_back_alone_may_be_entered_again(desk: Desk) -> None:
    desk.do(*given())
    (void,) = desk.do(c.VoidEvent("P-1", _ended(desk).seq, "misread", "2026-03-21"))
    assert desk.cut().trial.custody.units["U-P-1"].state == "infusing"
    assert desk.refused(c.VoidEvent("P-1", void.seq, "it was right", "2026-03-21")) == ["giving_taken_back"]
    desk.do(c.EndInfusion("P-1", "U-P-1", "7.5 mL", f"{TODAY}T10:31", "1 mL", reason="resistance"))
    unit = desk.cut().trial.custody.units["U-P-1"]
    assert (unit.state, unit.delivered) == ("partial", "30000000")


def test_a_unit_taken_back_after_it_was_accounted_for_is_given_to_nobody_again(desk: Desk) -> None:
    desk.do(*given(), course()["account"])
    desk.do(c.VoidEvent("P-1", _performed(desk), "entered for the wrong woman", "2026-03-21"))
    assert desk.cut().trial.custody.units["U-P-1"].state == "reconciled"
    again = c.Perform("P-1", "infusion", "infusion-2", f"{TODAY}T11:30", unit="U-P-1")
    assert desk.refused(again) == ["unit_state"]
