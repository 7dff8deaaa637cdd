"""Transfers by every definition side by side, and children with the cells behind them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.desk import SMALL, Desk, allocated, opened, protocol_at
from tests.unit.safety_stages import SAFETY, donor, lot_of_donor, safety_desk, transfer, treated
from trialwright.core.interval import INFINITY, Interval, point
from trialwright.core.truth import Truth
from trialwright.trial import commands as c
from trialwright.views.pregnancies import TransferRow, children, side_by_side, totals, transfers

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN
TWINS = {"pregnant": "yes", "sacs": "2", "heartbeats": "2", "ongoing": "yes"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return safety_desk(tmp_path, protocol_at(SAFETY))


def only(desk: Desk) -> TransferRow:
    (row,) = transfers(desk.cut())
    return row


def child(record: str = "c-1", on: str = "2026-12-20", of: str = "t-1", **fields: str) -> c.AddRecord:
    return c.AddRecord("P-1", "child", record, on, fields or {"alive_at_birth": "yes"}, of)


def label(row: TransferRow, definition: str, name: str) -> Truth:
    return next(one.value for one in row.labels if (one.definition, one.name) == (definition, name))


# ---------------------------------------------------------------- a transfer


@pytest.mark.parametrize(
    ("day", "icmart", "commit", "china"),
    [
        (19 * 7, "miscarriage", "miscarriage", "miscarriage"),
        (20 * 7, "miscarriage", "stillbirth", "miscarriage"),
        (25 * 7, "late fetal loss", "stillbirth", "miscarriage"),
        (28 * 7, "stillbirth", "stillbirth", "stillbirth"),
    ],
)
def test_one_loss_is_called_differently_by_each_definition(
    desk: Desk, day: int, icmart: str, commit: str, china: str
) -> None:
    known = {"pregnant": "yes", "sacs": "1", "heartbeats": "1", "outcome": "miscarriage", "outcome_day": str(day)}
    desk.do(*allocated("P-1"), *transfer("P-1", **known))
    ended = {one.definition: one.name for one in only(desk).labels if one.is_ending and one.value is YES}
    assert ended == {"ICMART 2017": icmart, "COMMIT 2020": commit, "China": china}


def test_a_transfer_of_which_nothing_is_known_yet_leaves_everything_unknown(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *transfer("P-1"))
    assert {one.value for one in only(desk).labels} == {UNKNOWN}
    assert only(desk).counts.embryos == point(Decimal(1))
    assert only(desk).counts.sacs == Interval(Decimal(0), INFINITY)


def test_fields_are_read_by_the_names_that_the_protocol_gives_them(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *transfer("P-1", **TWINS, outcome="termination", outcome_day="90"))
    told = only(desk).pregnancy
    assert (told.hcg_positive, told.sacs, told.heartbeats, told.ongoing_at_12_weeks) == (YES, 2, 2, YES)
    assert (told.embryo_day, told.embryos, told.ending, told.ended_at_days) == (5, 1, "termination", 90)
    assert str(told.transfer) == "2026-05-08"


@pytest.mark.parametrize(
    ("fields", "doubt"),
    [
        ({"outcome": "mole"}, "outcome: mole cannot be read as `ending`."),
        ({"embryo_day": "9"}, "embryo_day: 9 cannot be read as `embryo_day`."),
        ({"pregnant": "no", "heartbeats": "1"}, "The hCG was negative, and heartbeats says otherwise."),
    ],
)
def test_what_cannot_be_taken_as_told_is_a_doubt_and_no_crash(desk: Desk, fields: dict[str, str], doubt: str) -> None:
    desk.do(*allocated("P-1"), *transfer("P-1", **fields))
    assert doubt in only(desk).doubts


def test_a_field_that_is_nothing_of_a_pregnancy_is_said(tmp_path: Path) -> None:
    desk = safety_desk(tmp_path, protocol_at(SAFETY, "fields: {embryo_day: embryo_day,", "fields: {day: embryo_day,"))
    desk.do(*allocated("P-1"), *transfer("P-1"))
    assert only(desk).doubts == ("`day` is nothing that is asked of a pregnancy.",)


def test_a_transfer_rests_on_its_record_and_on_those_of_its_children(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *transfer("P-1", outcome="live_birth"), child())
    recorded = [one.seq for one in desk.ledger.events() if one.payload.get("kind") in ("transfer", "child")]
    assert only(desk).events == tuple(recorded)
    assert only(desk).children == ("c-1",)


# ---------------------------------------------------------------- side by side, and sums


def test_every_label_is_counted_of_all_transfers_with_those_that_are_open(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *allocated("P-2", "control"), *allocated("P-3", "control"))
    desk.do(*transfer("P-1", pregnant="yes", sacs="1"), *transfer("P-2", pregnant="no"), *transfer("P-3"))
    rows = {(one.definition, one.name): one for one in side_by_side(transfers(desk.cut()))}
    clinical = rows["ICMART 2017", "clinical pregnancy"]
    assert (clinical.yes, clinical.no, clinical.unknown, clinical.of) == (1, 1, 1, 3)
    assert clinical.events == transfers(desk.cut())[0].events
    assert all(one.yes + one.no + one.unknown == one.of for one in rows.values())


def test_no_transfer_makes_no_table(desk: Desk) -> None:
    desk.do(*allocated("P-1"))
    assert side_by_side(transfers(desk.cut())) == []


def test_twins_are_one_event_and_two_children(desk: Desk) -> None:
    desk.do(*treated("P-1"), *transfer("P-1", **TWINS, outcome="live_birth", outcome_day="245"))
    desk.do(child("c-1"), child("c-2"))
    rows = transfers(desk.cut())
    sums = {one.what: one.number for one in totals(rows)}
    assert (sums["deliveries"], sums["children"].low, sums["live_born"].low) == (
        point(Decimal(1)), Decimal(2), Decimal(2),
    )  # fmt: skip
    assert sums["children"].high == INFINITY, "nobody said that there is no third"
    assert label(rows[0], "ICMART 2017", "live birth") is YES
    births = next(one for one in side_by_side(rows) if (one.definition, one.name) == ("ICMART 2017", "live birth"))
    assert (births.yes, births.of) == (1, 1)
    assert [(one.child, one.transfer) for one in children(desk.cut())] == [("c-1", "t-1"), ("c-2", "t-1")]
    desk.do(c.CloseList("P-1", "child", "2026-12-31"))
    sums = {one.what: one.number for one in totals(transfers(desk.cut()))}
    assert (sums["children"], sums["live_born"]) == (point(Decimal(2)), point(Decimal(2)))


def test_sums_over_transfers_stay_as_open_as_their_parts(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *allocated("P-2", "control"))
    desk.do(*transfer("P-1", pregnant="no", sacs="0"), *transfer("P-2"))
    sums = {one.what: (one.number, one.transfers) for one in totals(transfers(desk.cut()))}
    assert sums["embryos"] == (point(Decimal(2)), 2)
    assert sums["sacs"] == (Interval(Decimal(0), INFINITY), 2)


# ---------------------------------------------------------------- children


def test_a_child_leads_to_the_unit_the_lot_and_the_donor_that_her_mother_had(desk: Desk) -> None:
    desk.do(*treated("P-1"), *transfer("P-1", outcome="live_birth"))
    desk.do(child(alive_at_birth="yes", alive_at_28_days="yes", birth_weight="2.4 kg"))
    (row,) = children(desk.cut())
    assert (row.units, row.lots, row.donors) == (("U-P-1",), ("L-1",), ("D-1",))
    assert (row.born, row.alive_at_birth, row.alive_at_28_days, row.weight_g) == ("2026-12-20", YES, YES, 2400)
    assert row.recorded == (("alive_at_birth", "yes"), ("alive_at_28_days", "yes"), ("birth_weight", "2.4 kg"))


def test_what_was_given_after_a_birth_is_not_behind_the_child(desk: Desk) -> None:
    desk.do(*treated("P-1"), *transfer("P-1", on="2026-03-10"), child(on="2026-03-15"))
    (row,) = children(desk.cut())
    assert (row.units, row.lots, row.donors) == ((), (), ())


def test_a_woman_of_the_control_arm_has_a_child_with_no_cells_behind_it(desk: Desk) -> None:
    desk.do(*donor("D-2", "2"), *lot_of_donor("L-2", "B-2"))
    desk.do(*allocated("P-1", "control"), *transfer("P-1", outcome="live_birth"), child())
    (row,) = children(desk.cut())
    assert (row.units, row.lots, row.donors) == ((), (), ())


def test_a_protocol_that_maps_no_pregnancies_has_no_rows(tmp_path: Path) -> None:
    desk = Desk(tmp_path, protocol=protocol_at(SMALL))
    desk.do(*opened(), *allocated("P-1"), c.Perform("P-1", "embryo_transfer", "t-1", "2026-05-08"))
    assert transfers(desk.cut()) == []
    assert children(desk.cut()) == []
