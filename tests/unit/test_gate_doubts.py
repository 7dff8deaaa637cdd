"""What stands in doubt, was given already, or is told by the unit does not get past the gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.desk import (
    BLINDED,
    SMALL,
    Desk,
    allocated,
    infused,
    infusion,
    lot,
    opened,
    protocol_at,
    ready,
    second_check,
)
from trialwright.protocol.load import load_files
from trialwright.trial import commands as c


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.do(*opened(), *lot(millions=300))
    return desk


def test_a_dose_waits_for_the_answer_to_a_query_about_the_weight(desk: Desk) -> None:
    desk.do(*allocated(), c.Observe("P-1", "weight", "120 kg", "2026-03-19"))
    order = c.OrderUnit("U-1", "P-1", "infusion", "2026-03-20T08:00")
    assert set(desk.refused(order)) == {"query_open"}
    weighed = next(e.seq for e in desk.ledger.events("participant/P-1") if "120 kg" in str(e.payload))
    desk.do(c.Correct("P-1", weighed, {"value": "60 kg"}, "entered in jin", "2026-03-19"))
    assert set(desk.refused(order)) == {"query_open"}, "a correction alone does not answer what was asked"
    for query in list(desk.office.participant("P-1").queries):
        desk.do(c.CloseQuery("P-1", query, "60 kg; it was jin", "2026-03-19"))
    assert desk.refused(order) == []


def test_a_weight_asked_about_after_the_order_stops_the_infusion_too(desk: Desk) -> None:
    desk.do(*allocated(), *ready())
    desk.do(c.Observe("P-1", "weight", "121 kg", "2026-03-20T09:50"))
    assert desk.refused(infusion()) == ["query_open", "query_open"], "out of its range, and a jump"


def test_a_product_is_given_no_oftener_than_the_protocol_says(tmp_path: Path) -> None:
    files = dict(protocol_at(SMALL).files)
    files["protocol.yaml"] = files["protocol.yaml"].replace(
        b"    restart: 30 min\n", b"    restart: 30 min\n    most: 1\n"
    )
    protocol, _ = load_files(files)
    assert protocol is not None
    desk = Desk(tmp_path, protocol=protocol)
    activation, *others = opened()
    assert isinstance(activation, c.ActivateProtocol)
    desk.do(c.ActivateProtocol("S01", protocol.digest, "ethics", "2026-01-02"), *others, *lot(millions=300), *infused())
    assert desk.refused(c.OrderUnit("U-2", "P-1", "infusion", "2026-03-25")) == ["given_enough"]


def test_an_act_far_outside_its_window_is_decided_on_before(desk: Desk) -> None:
    desk.do(*allocated())
    late = c.Perform("P-1", "embryo_transfer", "t-1", "2026-07-30")
    assert desk.refused(late) == ["window_major"]
    assert desk.refused(c.Perform("P-1", "embryo_transfer", "t-1", "2026-07-30", decided_by="Dr Li")) == [
        "window_major"
    ]
    reason = "the clinic was closed"
    (performed,) = desk.do(
        c.Perform("P-1", "embryo_transfer", "t-1", "2026-07-30", decided_by="Dr Li, Dr Wu", reason=reason)
    )
    assert performed.payload["outside_window"] == 73
    assert (performed.payload["decided_by"], performed.reason) == ("Dr Li, Dr Wu", reason)


def test_nobody_else_checks_the_unit_of_another_woman(desk: Desk) -> None:
    desk.do(*allocated(), *ready(), *allocated("P-2"))
    assert desk.refused(c.EndInfusion("P-2", "U-P-1", "50 mL", "2026-03-20T10:30")) == ["identity_mismatch"]
    assert desk.refused(second_check("P-2", unit="U-P-1"), role="coordinator")[0] in ("unit_state", "identity_mismatch")


def test_a_report_names_a_rule_of_the_packs_and_the_dose_is_told_by_the_unit(tmp_path: Path) -> None:
    files = dict(protocol_at(SMALL).files)
    text = files["protocol.yaml"].decode()
    text = text.replace("collected: every adverse event}", "collected: every adverse event, clocks: [ich]}")
    dose = "fields: {dose_ratio: {is: quantity, unit: '1', label: Ratio}, volume:"
    files["protocol.yaml"] = text.replace("label: Infusion, fields: {volume:", f"label: Infusion, {dose}").encode()
    protocol, found = load_files(files)
    assert protocol is not None, found
    desk = Desk(tmp_path, protocol=protocol)
    others = list(opened())[1:]
    desk.do(c.ActivateProtocol("S01", protocol.digest, "ethics", "2026-01-02"), *others, *lot(), *infused())
    desk.do(c.AddRecord("P-1", "adverse_event", "ae-1", "2026-03-23", {"term": "fever"}))
    wrong = c.SendReport("P-1", "adverse_event", "ae-1", "ich_susar_9", "the authority", "2026-03-24")
    assert desk.refused(wrong) == ["rule_unknown"]
    assert (
        desk.refused(c.SendReport("P-1", "adverse_event", "ae-1", "ich_susar_7", "the authority", "2026-03-24")) == []
    )
    ratio = c.CompleteRecord("P-1", "infusion", "infusion-1", "2026-03-24", {"dose_ratio": "1.0"})
    assert desk.refused(ratio) == ["field_of_the_unit"]


def test_a_transfer_waits_for_the_board_where_what_she_was_given_was_called_back(desk: Desk) -> None:
    desk.do(*infused(), *allocated("P-2"), c.RecallLot("L-1", "growth on day 12", "2026-04-01"))
    transfer = c.Perform("P-1", "embryo_transfer", "t-1", "2026-04-09")
    assert desk.refused(transfer) == ["product_in_doubt"]
    assert desk.refused(c.Perform("P-2", "embryo_transfer", "t-1", "2026-04-09")) == [], "she was given nothing"
    desk.do(c.ReviewTrigger("A1", "modify", "blood cultures negative; the transfer goes on", "2026-04-02"))
    assert desk.refused(transfer) == []


@pytest.mark.parametrize(
    ("left", "codes"), [("2026-04-09", ["has_left"]), ("2026-04-09T12:00", []), ("2026-04-09T09:00", ["has_left"])]
)
def test_on_the_day_on_which_she_left_the_hour_decides_what_may_be_done(
    desk: Desk, left: str, codes: list[str]
) -> None:
    desk.do(*allocated(), c.Withdraw("P-1", "changed her mind", left))
    assert desk.refused(c.Perform("P-1", "embryo_transfer", "t-1", "2026-04-09T10:00")) == codes


def test_what_befell_her_after_she_left_is_still_recorded(desk: Desk) -> None:
    desk.do(*infused(), c.Withdraw("P-1", "moved away", "2026-04-01"))
    assert desk.refused(c.AddRecord("P-1", "adverse_event", "ae-1", "2026-04-09", {"term": "fever"})) == []
    assert desk.refused(c.Observe("P-1", "amh", "1 ng/mL", "2026-04-09")) == ["has_left"]


def test_an_interrupted_infusion_is_not_taken_up_again_after_she_left(desk: Desk) -> None:
    desk.do(*allocated(), *ready(), infusion())
    desk.do(c.InterruptInfusion("P-1", "U-P-1", "20 mL", "she wants to stop", "2026-03-20T10:10"))
    desk.do(c.Withdraw("P-1", "changed her mind", "2026-03-20T10:15"))
    assert desk.refused(c.ResumeInfusion("P-1", "U-P-1", "2026-03-20T10:20")) == ["has_left"]
    end = c.EndInfusion("P-1", "U-P-1", "30 mL", "2026-03-20T10:21", reason="she wanted to stop")
    assert desk.refused(end) == [], "what was given is told all the same"


def test_of_a_woman_whose_arm_is_sealed_everything_is_asked(tmp_path: Path) -> None:
    giving = "{label: Drops or water, kind: procedure, record: drops, "
    asked = "requires: [{rule: afc >= 5, says: Five follicles., arms: [drops]}], "
    protocol = protocol_at(BLINDED, giving, giving + asked)
    desk = Desk(tmp_path, protocol=protocol)
    desk.do(c.ActivateProtocol("S01", protocol.digest, "ethics", "2026-01-02"))
    desk.do(c.Screen("P-1", "S01", "2026-03-02"), c.Consent("P-1", "1", "2026-03-02"))
    desk.do(c.Observe("P-1", "birth_date", "1995-03-02", "2026-03-02"), c.ConfirmEligibility("P-1", "2026-03-05"))
    desk.do(c.Enrol("P-1", "2026-03-05"), c.Allocate("P-1", "2026-03-05"))
    assert desk.refused(c.Perform("P-1", "giving", "d-1", "2026-03-06")) == ["requirement_fails"]
