"""From a donor to every recipient and back: releases, recalls, and results that come when it is too late."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.custody_desk import CHAIN, EARLY, TODAY, allocated, banks, before, course, donor, given, lot, started
from tests.unit.desk import Desk, protocol_at
from trialwright.ledger.envelope import Event
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.custody import Custody, Lot, Unit, donor_of, made_from, origin_of, recipients
from trialwright.trial.fold import fold_trial


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, protocol=protocol_at(CHAIN))
    desk.do(*started(), *donor(), *banks(), *lot())
    return desk


def _custody(desk: Desk) -> Custody:
    """The chain as it is remembered, which is the chain as it is folded anew."""
    custody = desk.cut().trial.custody
    assert desk.office.trial().custody == custody
    return custody


def _raised(events: list[Event]) -> list[Event]:
    return [event for event in events if event.type == e.TRIGGER_RAISED]


def _reviewed(desk: Desk, alert: str = "A1") -> None:
    desk.do(c.ReviewTrigger(alert, "continue", "looked at", "2026-12-30"))


# ---------------------------------------------------------------- the two walks


def _two_donors(desk: Desk) -> None:
    """Two donors; of the first two working banks, a third lot from the master bank; three women with units."""
    desk.do(c.RegisterMaterial("WB-1b", "bank", "MB-1", "2025-03-02", 4), *lot("L-2", "WB-1b"))
    desk.do(*lot("L-3", "MB-1"), *donor("D-2"), *banks("D-2", 2), *lot("L-4", "WB-2"), *lot("L-5", "D-2"))
    desk.do(*given("P-1"), *given("P-2", "2026-03-25", "L-2"), *given("P-3", "2026-03-26", "L-4"))
    desk.do(*allocated("P-4"), *before("start", who="P-4", day="2026-03-27", lot="L-3"))


@pytest.mark.parametrize(
    ("identity", "back", "had_it"),
    [
        ("D-1", ("D-1",), {"P-1", "P-2"}),
        ("T-1", ("T-1", "D-1"), {"P-1", "P-2"}),
        ("MB-1", ("MB-1", "T-1", "D-1"), {"P-1", "P-2"}),
        ("WB-1", ("WB-1", "MB-1", "T-1", "D-1"), {"P-1"}),
        ("WB-1b", ("WB-1b", "MB-1", "T-1", "D-1"), {"P-2"}),
        ("L-2", ("L-2", "WB-1b", "MB-1", "T-1", "D-1"), {"P-2"}),
        ("U-P-2", ("U-P-2", "L-2", "WB-1b", "MB-1", "T-1", "D-1"), {"P-2"}),
        ("L-3", ("L-3", "MB-1", "T-1", "D-1"), set()),
        ("D-2", ("D-2",), {"P-3"}),
        ("L-5", ("L-5", "D-2"), set()),
    ],
)
def test_from_anything_back_to_its_donor_and_on_to_everybody_who_had_it(
    desk: Desk, identity: str, back: tuple[str, ...], had_it: set[str]
) -> None:
    _two_donors(desk)
    custody = _custody(desk)
    assert origin_of(custody, identity) == back
    found = donor_of(custody, identity)
    assert found is not None
    assert found.identity == back[-1]
    assert {who for who, _ in recipients(custody, identity)} == had_it
    assert all(origin_of(custody, unit)[-1] == back[-1] for _, unit in recipients(custody, identity))


def test_what_is_made_from_a_donor_is_everything_once(desk: Desk) -> None:
    _two_donors(desk)
    found = list(made_from(_custody(desk), "D-1"))
    assert len(found) == len(set(found))
    assert set(found) == {"D-1", "T-1", "MB-1", "WB-1", "WB-1b", "L-1", "L-2", "L-3", "U-P-1", "U-P-2", "U-P-4"}


def test_a_forged_circle_is_walked_once() -> None:
    custody = Custody(lots={"L-1": Lot("L-1", "cells", "U-1")}, units={"U-1": Unit("U-1", "P-1", "x", "cells", "1")})
    custody.units["U-1"].lot = "L-1"
    assert origin_of(custody, "U-1") == ("U-1", "L-1")
    assert set(made_from(custody, "L-1")) == {"L-1", "U-1"}
    assert donor_of(custody, "U-1") is None


def test_a_unit_that_was_rejected_has_no_recipient_and_takes_its_cells_with_it(desk: Desk) -> None:
    desk.do(*allocated(), *before("issue"), c.RejectUnit("U-P-1", "dropped", f"{TODAY}T09:25"))
    assert recipients(_custody(desk), "D-1") == ()
    assert _custody(desk).lots["L-1"].used == [("U-P-1", "60000000")], "what was thawed does not go back"
    assert desk.refused(c.OrderUnit("U-2", "P-1", "infusion", f"{TODAY}T09:30")) == []


def test_cells_of_her_own_are_given_to_herself(desk: Desk) -> None:
    desk.do(*allocated(), *donor("D-9", own="P-1"), *banks("D-9", 9), *lot("L-9", "WB-9"))
    desk.do(*before("account", lot="L-9"))
    (only,) = recipients(_custody(desk), "D-9")
    assert only == ("P-1", "U-P-1")


# ---------------------------------------------------------------- release in two steps


def test_a_lot_is_released_conditionally_and_then_for_good(desk: Desk) -> None:
    desk.do(*lot("L-2", growth=""))
    assert _custody(desk).lots["L-2"].state == "conditional"
    desk.do(c.TestLot("L-2", {"sterility": "negative"}, "2026-03-05"))
    assert _custody(desk).lots["L-2"].state == "conditional", "a result releases nothing by itself"
    (made,) = desk.do(c.ReleaseLot("L-2", "2026-03-05"))
    assert (made.payload["conditional"], made.payload["outstanding"]) == (False, [])
    assert (_custody(desk).lots["L-2"].state, _custody(desk).lots["L-2"].released) == ("released", "2026-02-20")


def test_a_unit_of_a_conditional_lot_is_conditional_itself_and_may_be_given(desk: Desk) -> None:
    desk.do(*lot("L-2", growth=""), *allocated(), *before("issue", lot="L-2"))
    unit = _custody(desk).units["U-P-1"]
    assert (unit.state, unit.moves[-1].state) == ("conditional", "conditional")
    desk.do(*list(course(lot="L-2").values())[5:11])
    assert _custody(desk).units["U-P-1"].state == "complete"


def test_a_unit_whose_own_growth_is_not_read_yet_is_conditional(desk: Desk) -> None:
    steps = course() | {"measure": c.TestUnit("U-P-1", {"endotoxin": "0.5 [EU]/mL"}, f"{TODAY}T08:50")}
    desk.do(*allocated(), *list(steps.values())[:4])
    (made,) = desk.do(steps["release"])
    assert made.payload["outstanding"] == ["No growth in the rest."]
    assert _custody(desk).units["U-P-1"].state == "conditional"


@pytest.mark.parametrize(
    ("kilograms", "endotoxin", "released"),
    [("40", "13.3", True), ("40", "13.4", False), ("60", "20", True), ("60", "20.01", False), ("90", "30", True)],
)
def test_endotoxin_is_limited_by_weight_and_volume(desk: Desk, kilograms: str, endotoxin: str, released: bool) -> None:
    # facts/03: at most 13.3, 20.0 and 30.0 EU/mL in 15 mL keep 5 EU/kg at 40, 60 and 90 kg
    total = str(int(kilograms) * 1_250_000)
    steps = course()
    desk.do(*allocated(weight=f"{kilograms} kg"), steps["test"], steps["order"])
    desk.do(c.ManufactureUnit("U-P-1", "L-1", total, "80 %", "15 mL", f"{TODAY}T08:40", f"{TODAY}T08:45"))
    desk.do(c.TestUnit("U-P-1", {"endotoxin": f"{endotoxin} [EU]/mL", "growth": "none"}, f"{TODAY}T08:50"))
    assert desk.refused(c.ReleaseUnit("U-P-1", f"{TODAY}T09:20")) == ([] if released else ["requirement_fails"])


# ---------------------------------------------------------------- what comes too late


def test_growth_read_after_the_cells_were_given_calls_the_lot_back_and_names_whoever_had_it(desk: Desk) -> None:
    desk.do(*lot("L-2", growth=""), *given("P-1", lot="L-2"), *given("P-2", "2026-03-25", "L-2"))
    desk.do(*allocated("P-3"), *before("start", who="P-3", day="2026-03-30", lot="L-2"))
    events = desk.do(c.TestLot("L-2", {"sterility": "positive"}, "2026-03-30T09:50"))
    assert [event.type for event in events] == [e.LOT_TESTED, e.LOT_RECALLED, e.TRIGGER_RAISED]
    (alert,) = _raised(events)
    assert alert.payload["recipients"] == ["P-1", "P-2"]
    assert alert.payload["units"] == ["U-P-1", "U-P-2"]
    assert (alert.payload["source"], alert.payload["action"]) == ("L-2", "pause")
    assert "No growth after 14 days." in str(alert.payload["says"])
    assert _custody(desk).lots["L-2"].state == "recalled"
    start = course("P-3", "2026-03-30", lot="L-2")["start"]
    assert isinstance(start, c.Perform)
    assert desk.refused(start) == ["trial_paused"]
    _reviewed(desk)
    assert desk.refused(start) == ["lot_state"], "the pause is lifted, the recall is not"


def test_growth_dated_before_the_release_counts_all_the_same(desk: Desk) -> None:
    desk.do(*given())
    events = desk.do(c.TestLot("L-1", {"sterility": "positive"}, "2026-02-19"))
    assert _raised(events)[0].payload["recipients"] == ["P-1"]
    assert _custody(desk).lots["L-1"].state == "recalled"


def test_a_better_result_of_a_recalled_lot_brings_it_not_back(desk: Desk) -> None:
    desk.do(c.TestLot("L-1", {"sterility": "positive"}, "2026-03-01"))
    desk.do(c.TestLot("L-1", {"sterility": "negative"}, "2026-03-02"))
    _reviewed(desk)
    assert _custody(desk).lots["L-1"].state == "recalled"
    assert desk.refused(c.ReleaseLot("L-1", "2026-03-03")) == ["lot_state"]


@pytest.mark.parametrize("on", ["2026-02-19", "2026-02", "2026", "2026-02-20"])
def test_a_recall_holds_whatever_its_date(desk: Desk, on: str) -> None:
    desk.do(c.RecallLot("L-1", "a crack", on))
    assert _custody(desk).lots["L-1"].state == "recalled"


@pytest.mark.parametrize("on", ["2025-01-12", "2025-01", "2025", "2026-03-30"])
def test_a_donor_who_turns_positive_later_flags_every_recipient_in_one_action(desk: Desk, on: str) -> None:
    _two_donors(desk)
    events = desk.do(c.TestDonor("D-1", {"hiv_later": "positive"}, on))
    assert [event.type for event in events][:2] == [e.DONOR_TESTED, e.DONOR_REJECTED]
    assert {event.payload["lot"] for event in events if event.type == e.LOT_RECALLED} == {"L-1", "L-2", "L-3"}
    (alert,) = _raised(events)
    assert alert.payload["recipients"] == ["P-1", "P-2"]
    custody = _custody(desk)
    assert custody.donors["D-1"].state == "rejected"
    assert {name: one.state for name, one in custody.lots.items()} == {
        "L-1": "recalled", "L-2": "recalled", "L-3": "recalled", "L-4": "released", "L-5": "released",
    }  # fmt: skip
    assert desk.office.trial().alerts["A1"].recipients == ("P-1", "P-2")


def test_a_rejected_donor_gives_no_new_lot_however_it_was_made(desk: Desk) -> None:
    desk.do(c.RejectDonor("D-1", "hepatitis", "2026-03-01"))
    desk.do(*lot("L-2", "MB-1", released=False))
    _reviewed(desk)
    assert desk.refused(c.ReleaseLot("L-2", "2026-03-02")) == ["donor_state"]


def test_a_recipient_of_two_units_is_named_once_with_both(desk: Desk) -> None:
    desk.do(*given("P-1"), *before("account", who="P-1", day="2026-03-27", unit="U-2"))
    (alert,) = _raised(desk.do(c.RecallLot("L-1", "a crack", "2026-03-30")))
    assert (alert.payload["recipients"], alert.payload["units"]) == (["P-1"], ["U-P-1", "U-2"])


def test_growth_in_a_unit_that_was_given_raises_an_alert_about_its_recipient(desk: Desk) -> None:
    desk.do(*given())
    (alert,) = _raised(desk.do(c.TestUnit("U-P-1", {"growth": "growth"}, "2026-04-03")))
    assert (alert.payload["recipients"], alert.payload["action"]) == (["P-1"], "pause")
    assert _custody(desk).units["U-P-1"].state == "complete"


def test_growth_in_a_unit_on_its_way_stops_it(desk: Desk) -> None:
    desk.do(*allocated(), *before("check"))
    events = desk.do(c.TestUnit("U-P-1", {"growth": "growth"}, f"{TODAY}T09:42"))
    assert [event.type for event in events] == [e.UNIT_TESTED, e.UNIT_REJECTED]
    assert _custody(desk).units["U-P-1"].state == "rejected"


def test_growth_in_a_unit_that_nobody_had_frightens_nobody(desk: Desk) -> None:
    desk.do(*allocated(), *before("issue"), c.RejectUnit("U-P-1", "dropped", f"{TODAY}T09:25"))
    desk.do(c.ReconcileUnit("U-P-1", "destroyed", f"{TODAY}T09:40"))
    assert _raised(desk.do(c.TestUnit("U-P-1", {"growth": "growth"}, "2026-04-03"))) == []


# ---------------------------------------------------------------- custody


def test_everywhere_that_a_unit_has_been_is_one_list(desk: Desk) -> None:
    desk.do(*given(), course()["account"])
    moves = [(one.state, one.on[11:], one.by) for one in _custody(desk).units["U-P-1"].moves]
    assert moves == [
        ("ordered", "08:10", "the investigator"),
        ("manufactured", "08:45", "the investigator"),
        ("tested", "08:50", "the investigator"),
        ("released", "09:20", "the quality person"),
        ("issued", "09:30", "the investigator"),
        ("received", "09:40", "the investigator"),
        ("verified once", "09:45", "the investigator"),
        ("verified", "09:46", "the coordinator"),
        ("infusing", "10:00", "the investigator"),
        ("complete", "10:30", "the investigator"),
        ("reconciled", "11:00", "the investigator"),
    ]


@pytest.mark.parametrize(
    ("coldest", "warmest", "intact", "says"),
    [
        ("2 Cel", "8 Cel", True, ""),
        ("1.9 Cel", "6 Cel", True, "temperatures from 1.9 Cel to 6 Cel, outside 2..8 Cel"),
        ("3 Cel", "8.1 Cel", True, "temperatures from 3 Cel to 8.1 Cel, outside 2..8 Cel"),
        ("9 Cel", "1 Cel", True, "temperatures from 9 Cel to 1 Cel, outside 2..8 Cel"),
        ("275.15 K", "281.15 K", True, ""),
        ("3 Cel", "6 Cel", False, "damaged"),
        ("0 Cel", "6 Cel", False, "temperatures from 0 Cel to 6 Cel, outside 2..8 Cel; damaged"),
    ],
)
def test_a_unit_travels_between_its_temperatures_and_whole(
    desk: Desk, coldest: str, warmest: str, intact: bool, says: str
) -> None:
    desk.do(*allocated(), *before("receive"))
    events = desk.do(c.ReceiveUnit("U-P-1", f"{TODAY}T09:40", coldest, warmest, intact))
    assert [event.reason for event in events if event.type == e.UNIT_REJECTED] == ([says] if says else [])
    assert _custody(desk).units["U-P-1"].state == ("rejected" if says else "received")


def test_a_lot_counts_what_was_taken_from_it_to_the_last_cell(desk: Desk) -> None:
    desk.do(c.RegisterLot("L-2", "cells", "2026-02-18", "WB-1", 5))
    desk.do(c.TestLot("L-2", {**EARLY, "viable_cells": "120 10*6", "sterility": "negative"}, "2026-02-19"))
    desk.do(c.ReleaseLot("L-2", "2026-02-20"), *allocated(), *allocated("P-2"), *allocated("P-3"))
    for who in ("P-1", "P-2"):
        desk.do(*before("release", who=who, lot="L-2"))
    desk.do(c.OrderUnit("U-P-3", "P-3", "infusion", f"{TODAY}T08:10"))
    one = c.ManufactureUnit("U-P-3", "L-2", "1", "100 %", "15 mL", f"{TODAY}T08:40", f"{TODAY}T08:45")
    assert desk.refused(one) == ["lot_short"]


def test_an_illegal_history_folds_all_the_same_and_says_so(desk: Desk) -> None:
    desk.do(*given())
    events = [event for event in desk.ledger.events() if event.type != e.UNIT_RELEASED]
    unit = fold_trial(one for one in events if one.type in e.TRIAL_WIDE).custody
    assert unit.units["U-P-1"].state == "complete"
    assert len(unit.oddities) == 1
    assert "from tested to issued" in unit.oddities[0]
