"""Accountability, custody and the record of infusions: every cell and every unit can be found by counting."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.desk import SMALL, Desk, allocated, infused, infusion, opened, prepared, protocol_at, ready, verified
from tests.unit.desk import lot as small_lot
from tests.unit.safety_stages import SAFETY, donor, lot_of_donor, safety_desk, transfer, treated
from trialwright.core.truth import Truth
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.custody import Custody, Lot
from trialwright.trial.state import Dose, Participant, TrialState
from trialwright.views.alerts import alerts
from trialwright.views.custody_trail import custody_trail, origins_of, recipients_of
from trialwright.views.cutoff import CutOff
from trialwright.views.infusions import InfusionRow, infusions
from trialwright.views.product import Accountability, accountability

D = Decimal


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return safety_desk(tmp_path, protocol_at(SAFETY))


def cells(desk: Desk, today: str = "2026-12-31") -> Accountability:
    return next(one for one in accountability(desk.cut(today)) if one.product == "cell_product")


def only(desk: Desk) -> InfusionRow:
    (row,) = infusions(desk.cut())
    return row


def event(desk: Desk, type: str) -> int:
    return next(one.seq for one in desk.ledger.events() if one.type == type)


# ---------------------------------------------------------------- accountability


def test_every_product_of_the_protocol_has_a_page_even_an_empty_one(desk: Desk) -> None:
    assert [(one.product, len(one.lots)) for one in accountability(desk.cut())] == [("cell_product", 1), ("plasma", 0)]


def test_cells_held_are_those_used_and_those_left(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *prepared("P-1"), *allocated("P-2"), *prepared("P-2", "55000000"))
    (row,) = cells(desk).lots
    assert (row.held, row.used, row.left) == (D(200_000_000), D(115_000_000), D(85_000_000))
    assert row.taken_for == ("U-P-1", "U-P-2")
    assert row.recipients == (), "nobody was given any of it yet"
    made = [one.seq for one in desk.ledger.events() if one.type == e.UNIT_MANUFACTURED]
    assert set(made) < set(row.events)


def test_a_lot_that_nobody_counted_has_no_cells_left_that_anybody_knows_of(desk: Desk) -> None:
    desk.do(c.RegisterLot("L-2", "cell_product", "2026-02-18", "B-1", 4))
    row = cells(desk).lots[1]
    assert (row.lot, row.held, row.used, row.left) == ("L-2", None, D(0), None)


def test_the_chain_stands_from_the_donor_to_the_unit(desk: Desk) -> None:
    desk.do(*treated())
    page = cells(desk)
    assert [(one.donor, one.state, one.made, one.recipients) for one in page.donors] == [
        ("D-1", "accepted", ("T-1", "B-1", "L-1", "U-P-1"), ("P-1",))
    ]
    assert [(one.material, one.kind, one.parent, one.donor, one.passage) for one in page.materials] == [
        ("T-1", "tissue", "D-1", "D-1", 0),
        ("B-1", "bank", "T-1", "D-1", 2),
    ]
    assert [(one.lot, one.origin, one.donor) for one in page.lots] == [("L-1", ("B-1", "T-1", "D-1"), "D-1")]
    assert [(one.unit, one.lot, one.donor, one.participant) for one in page.units] == [("U-P-1", "L-1", "D-1", "P-1")]


def test_a_unit_says_who_was_given_what(desk: Desk) -> None:
    desk.do(*treated("P-1", infused="25 mL", reason="chills"), *allocated("P-2"), *prepared("P-2"))
    rows = [
        (one.participant, one.state, one.given, one.prepared, one.delivered, one.ratio) for one in cells(desk).units
    ]
    assert rows == [
        ("P-1", "partial", True, D(60_000_000), D(30_000_000), D("0.5")),
        ("P-2", "manufactured", False, D(60_000_000), None, None),
    ]


def test_the_tally_counts_every_lot_and_unit_once(desk: Desk) -> None:
    desk.do(*treated("P-1"), *allocated("P-2"), *prepared("P-2"), c.RejectUnit("U-P-2", "clumps", "2026-03-20T09:15"))
    assert [(one.what, one.state, one.number, one.of) for one in cells(desk).tally] == [
        ("lot", "conditional", 1, 1),
        ("unit", "complete", 1, 2),
        ("unit", "rejected", 1, 2),
    ]


def test_a_unit_is_unreconciled_until_its_rest_is_accounted_for(desk: Desk) -> None:
    desk.do(*treated("P-1"))
    (row,) = cells(desk).unreconciled
    assert (row.unit, row.state, row.since, row.events) == (
        "U-P-1", "complete", "2026-03-20T10:30", (event(desk, e.INFUSION_ENDED),),
    )  # fmt: skip
    desk.do(c.ReconcileUnit("U-P-1", "burnt", "2026-03-21"))
    assert cells(desk).unreconciled == ()
    assert cells(desk).units[0].disposal == "burnt"


@pytest.mark.parametrize(("today", "found"), [("2026-03-20", 0), ("2026-03-21", 1)])
def test_an_expired_unit_that_nobody_rejected_is_unreconciled(desk: Desk, today: str, found: int) -> None:
    desk.do(*allocated("P-1"), *prepared("P-1"))  # expires at one on 20 March
    assert len(cells(desk, today).unreconciled) == found


def test_a_conditional_release_is_outstanding_until_its_result_is_known(desk: Desk) -> None:
    desk.do(*treated("P-1"))
    rows = [(one.what, one.identity, one.outstanding, one.given_to) for one in cells(desk).outstanding]
    assert rows == [
        ("lot", "L-1", ("No growth in 14 days.",), ("P-1",)),
        ("unit", "U-P-1", ("Gram stain negative.",), ("P-1",)),
    ]
    desk.do(c.TestUnit("U-P-1", {"gram_stain": "negative"}, "2026-03-21"))
    desk.do(c.TestLot("L-1", {"sterility": "negative"}, "2026-04-02"))
    (waiting,) = cells(desk).outstanding
    assert (waiting.identity, waiting.outstanding) == ("L-1", ()), "its final release is still to be signed"
    desk.do(c.ReleaseLot("L-1", "2026-04-03"))
    assert cells(desk).outstanding == ()


# ---------------------------------------------------------------- the trail, and both lookups


def test_the_trail_has_every_step_with_who_and_when(desk: Desk) -> None:
    desk.do(*treated())
    trail = custody_trail(desk.cut(), "U-P-1")
    assert trail is not None
    assert [(one.state, one.on[5:], one.by) for one in trail.steps] == [
        ("ordered", "03-20", "the investigator"),
        ("manufactured", "03-20T09:10", "the investigator"),
        ("conditional", "03-20T09:20", "the quality person"),
        ("issued", "03-20T09:30", "the investigator"),
        ("received", "03-20T09:40", "the investigator"),
        ("verified once", "03-20T09:45", "the investigator"),
        ("verified", "03-20T09:46", "the coordinator"),
        ("infusing", "03-20T10:00", "the investigator"),
        ("complete", "03-20T10:30", "the investigator"),
    ]
    assert [(one.what, one.identity, one.state) for one in trail.origin] == [
        ("lot", "L-1", "conditional"), ("bank", "B-1", ""), ("tissue", "T-1", ""), ("donor", "D-1", "accepted"),
    ]  # fmt: skip
    assert {one.event for one in trail.steps} < set(trail.events)


def test_a_unit_that_there_is_not_has_no_trail(desk: Desk) -> None:
    assert custody_trail(desk.cut(), "U-9") is None


def test_a_child_is_found_from_the_donor_of_the_cells_that_her_mother_was_given(desk: Desk) -> None:
    desk.do(*treated("P-1"), *treated("P-2", "2026-03-27"), *transfer("P-1", "t-1", outcome="live_birth"))
    desk.do(c.AddRecord("P-1", "child", "c-1", "2026-12-01", {}, "t-1"))
    for source in ("D-1", "T-1", "B-1", "L-1"):
        found = [
            (one.participant, one.unit, [(after.kind, after.record) for after in one.afterwards])
            for one in recipients_of(desk.cut(), source)
        ]
        assert found == [("P-1", "U-P-1", [("transfer", "t-1"), ("child", "c-1")]), ("P-2", "U-P-2", [])], source


@pytest.mark.parametrize(
    ("on", "later"),
    [("2026-03-19", None), ("2026-03-20", Truth.UNKNOWN), ("2026-03", Truth.UNKNOWN), ("2026-03-21", Truth.YES)],
)
def test_only_what_may_have_come_after_the_cells_is_shown(desk: Desk, on: str, later: Truth | None) -> None:
    desk.do(*treated("P-1"), *transfer("P-1", "t-1", on))
    (found,) = recipients_of(desk.cut(), "L-1")
    assert [one.later for one in found.afterwards] == ([] if later is None else [later])


def test_another_donor_has_no_recipients(desk: Desk) -> None:
    desk.do(*treated("P-1"), *donor("D-2", "2"), *lot_of_donor("L-2", "B-2"))
    assert recipients_of(desk.cut(), "D-2") == []
    assert recipients_of(desk.cut(), "nothing of that name") == []


def test_a_unit_that_was_prepared_and_not_given_has_no_recipient(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *verified("P-1"))
    assert recipients_of(desk.cut(), "L-1") == []
    assert origins_of(desk.cut(), "P-1") == []


def test_from_a_participant_all_origins_are_found(desk: Desk) -> None:
    desk.do(*treated("P-1"))
    (found,) = origins_of(desk.cut(), "P-1")
    assert (found.unit, found.lot, [one.identity for one in found.origin]) == (
        "U-P-1", "L-1", ["L-1", "B-1", "T-1", "D-1"],
    )  # fmt: skip
    assert event(desk, e.DOSE_DETERMINED) in found.events


def test_without_donors_the_chain_ends_at_the_lot(tmp_path: Path) -> None:
    desk = Desk(tmp_path, protocol=protocol_at(SMALL))
    desk.do(*opened(), *small_lot(), *infused())
    (found,) = origins_of(desk.cut(), "P-1")
    assert [(one.what, one.identity) for one in found.origin] == [("lot", "L-1")]
    assert recipients_of(desk.cut(), "L-1")[0].afterwards == (), "this protocol maps no pregnancies"


def test_a_dose_of_a_lot_alone_as_older_ledgers_have_it_is_found_from_both_ends(desk: Desk) -> None:
    custody = Custody(lots={"L-9": Lot("L-9", "cell_product", "B-9", used=[("P-1", "60000000")])})
    dose = Dose(7, "2026-03-20", "infusion", "infusion-1", "60000000", "60000000", "1", "L-9")
    cut = CutOff(
        desk.protocol, TrialState(custody=custody), {"P-1": Participant("P-1", doses=[dose])}, desk.cut().today
    )
    (found,) = recipients_of(cut, "L-9")
    assert (found.participant, found.unit, found.lot, found.given, found.events) == (
        "P-1",
        "",
        "L-9",
        "2026-03-20",
        (7,),
    )
    (received,) = origins_of(cut, "P-1")
    assert [(one.what, one.identity) for one in received.origin] == [("lot", "L-9"), ("not recorded", "B-9")]
    (row,) = infusions(cut)
    assert (row.outcome, row.delivered, row.verifiers, row.events) == ("not recorded", None, (), (7,))
    assert accountability(cut)[0].lots[0].events == (7,)


def test_a_late_positive_result_calls_the_lot_back_and_names_whoever_had_it(desk: Desk) -> None:
    desk.do(*treated("P-1"), c.TestLot("L-1", {"sterility": "positive"}, "2026-04-02"))
    page = cells(desk)
    assert (page.lots[0].state, page.lots[0].recipients) == ("recalled", ("P-1",))
    assert [one.identity for one in page.outstanding] == ["U-P-1"], "what is known is not outstanding"
    (alert,) = alerts(desk.cut())
    assert (alert.standing, alert.trigger, alert.recipients) == ("paused", "product", ("P-1",))


# ---------------------------------------------------------------- infusions


def test_the_record_of_an_infusion_has_plan_preparation_and_delivery(desk: Desk) -> None:
    desk.do(*treated("P-1"))
    row = only(desk)
    assert (row.planned, row.prepared, row.ratio) == (D(60_000_000), D(60_000_000), D(1))
    assert (row.delivered, row.delivered_ratio, row.outcome, row.deviations) == (D(60_000_000), D(1), "complete", ())
    assert (row.volume, row.infused, row.flush) == (D(50), D(50), D(1))
    assert (row.start, row.end, row.expires) == ("2026-03-20T10:00", "2026-03-20T10:30", "2026-03-20T13:00")
    assert (row.unit, row.lot, row.verifiers) == ("U-P-1", "L-1", ("the investigator", "the coordinator"))
    assert row.after_expiry is Truth.NO
    assert {event(desk, e.DOSE_DETERMINED), event(desk, e.PERFORMED), event(desk, e.INFUSION_ENDED)} < set(row.events)


def test_what_stays_in_the_catheter_was_not_delivered(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *ready("P-1"), infusion("P-1"))
    desk.do(c.EndInfusion("P-1", "U-P-1", "50 mL", "2026-03-20T10:30"))  # dead space of 1 mL, not flushed
    assert (only(desk).delivered, only(desk).delivered_ratio) == (D(58_800_000), D("0.98"))


def test_an_infusion_that_runs_has_not_been_delivered_yet(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *ready("P-1"), infusion("P-1"))
    row = only(desk)
    assert (row.outcome, row.end, row.delivered, row.after_expiry) == ("running", "", None, Truth.UNKNOWN)


def test_interruptions_stand_with_their_reason_and_what_followed(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *ready("P-1"), infusion("P-1"))
    desk.do(c.InterruptInfusion("P-1", "U-P-1", "30 mL", "pain", "2026-03-20T10:10"))
    assert only(desk).outcome == "interrupted"
    desk.do(c.ResumeInfusion("P-1", "U-P-1", "2026-03-20T10:20"))
    desk.do(c.InterruptInfusion("P-1", "U-P-1", "20 mL", "chills", "2026-03-20T10:25"))
    desk.do(c.EndInfusion("P-1", "U-P-1", "30 mL", "2026-03-20T10:40", "1 mL", reason="chills"))
    row = only(desk)
    assert [(one.began[-5:], one.ended[-5:], one.why) for one in row.interruptions] == [
        ("10:10", "10:20", "pain"),
        ("10:25", "", "chills"),
    ]
    assert (row.outcome, row.deviations) == (
        "partial",
        ("It was partial, 30 of 50 mL: chills.", "0.6 of plan was delivered, outside 0.9 to 1.1."),
    )


def test_a_low_dose_names_who_approved_it_and_why(desk: Desk) -> None:
    desk.do(*allocated("P-1"), c.Observe("P-1", "hcg", "1 [IU]/L", "2026-03-20T08:00"), *prepared("P-1", "48000000"))
    desk.do(c.ReleaseUnit("U-P-1", "2026-03-20T09:20", "Dr Wu", "the lot is short"))
    desk.do(c.IssueUnit("U-P-1", "2026-03-20T09:30", "logger 3"), c.ReceiveUnit("U-P-1", "2026-03-20T09:40"))
    check = c.VerifyUnit("U-P-1", "P-1", "1990-03-02", "2026-03-20T09:45")
    desk.do(check, (check, "coordinator"), infusion("P-1"))
    desk.do(c.EndInfusion("P-1", "U-P-1", "50 mL", "2026-03-20T10:30", "1 mL"))
    assert only(desk).deviations == (
        "A dose of 0.8 of plan was approved by Dr Wu: the lot is short.",
        "0.8 of plan was delivered, outside 0.9 to 1.1.",
    )


@pytest.mark.parametrize(("ended", "after"), [("13:00", Truth.NO), ("13:01", Truth.YES)])
def test_an_infusion_that_outlasts_its_unit_is_a_deviation(desk: Desk, ended: str, after: Truth) -> None:
    desk.do(*allocated("P-1"), *ready("P-1"), infusion("P-1", "2026-03-20T12:30"))  # the unit expires at one
    desk.do(c.EndInfusion("P-1", "U-P-1", "50 mL", f"2026-03-20T{ended}", "1 mL"))
    row = only(desk)
    assert (row.after_expiry, bool(row.deviations)) == (after, after is Truth.YES)


def test_an_infusion_of_nothing_was_aborted(desk: Desk) -> None:
    desk.do(*treated("P-1", infused="0 mL", reason="no access"))
    row = only(desk)
    assert (row.outcome, row.delivered, row.deviations[0]) == (
        "aborted",
        D(0),
        "It was aborted, 0 of 50 mL: no access.",
    )


def test_an_infusion_that_was_taken_back_has_no_line(desk: Desk) -> None:
    desk.do(*treated("P-1"))
    performed = event(desk, e.PERFORMED)
    desk.do(c.VoidEvent("P-1", performed, "entered for the wrong woman", "2026-03-21"))
    assert infusions(desk.cut()) == []
