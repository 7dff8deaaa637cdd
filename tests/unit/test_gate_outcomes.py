"""What the gate lets through has the effect that was meant, once; what was taken back has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.desk import (
    BLINDED,
    DAY,
    LATER,
    Desk,
    allocated,
    answered,
    confirmed,
    consented,
    enrolled,
    infused,
    infusion,
    lot,
    opened,
    prepared,
    protocol_at,
    ready,
)
from trialwright.core.finding import Refused, finding
from trialwright.ledger.history import known
from trialwright.ledger.writer import Writer
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.custody import recipients
from trialwright.trial.fold import fold_participant
from trialwright.trial.office import Office, Sender
from trialwright.views.deviations import deviations

BY = Sender("coordinator 1", "coordinator", LATER)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.do(*opened())
    return desk


# ---------------------------------------------------------------- the same command again


def test_the_same_command_submitted_twice_gives_the_first_outcome(desk: Desk) -> None:
    command = c.Screen("P-1", "S01", DAY)
    first = desk.office.submit(command, BY, "form 17")
    assert desk.office.submit(command, BY, "form 17") == first
    assert desk.office.submit(c.Screen("P-2", "S01", DAY), BY, "form 17") == first, "the id counts, not the content"
    assert list(desk.office.trial().sites) == ["P-1"]


def test_the_first_outcome_is_given_by_another_office_too(desk: Desk) -> None:
    first = desk.office.submit(c.Screen("P-1", "S01", DAY), BY, "form 17")
    assert Office(desk.ledger, "test").submit(c.Screen("P-1", "S01", DAY), BY, "form 17") == first


def test_a_refused_command_may_be_mended_and_sent_again_under_its_id(desk: Desk) -> None:
    with pytest.raises(Refused):
        desk.office.submit(c.Screen("P-1", "S02", DAY), BY, "form 17")
    assert desk.office.submit(c.Screen("P-1", "S01", DAY), BY, "form 17")


def test_what_was_not_written_is_not_remembered(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(writer: Writer) -> None:
        raise Refused(finding("ledger_full", place="here"))

    with monkeypatch.context() as broken:
        broken.setattr(Writer, "flush", full)
        with pytest.raises(Refused):
            desk.office.submit(c.Screen("P-1", "S01", DAY), BY, "form 17")
    assert desk.office.submit(c.Screen("P-1", "S01", DAY), BY, "form 18"), "she was never screened"


# ---------------------------------------------------------------- corrections and taking back


def _event(desk: Desk, type: str, who: str = "P-1", last: bool = False) -> int:
    found = [event.seq for event in desk.ledger.events(f"participant/{who}") if event.type == type]
    return found[-1 if last else 0]


@pytest.mark.parametrize("command", [c.Correct, c.VoidEvent])
def test_nobody_changes_the_event_of_another_woman(desk: Desk, command: Any) -> None:
    desk.do(*answered("P-2"), *answered("P-1"))
    hers = _event(desk, e.OBSERVED, "P-2")
    values = ({"value": "2 ng/mL"},) if command is c.Correct else ()
    assert desk.refused(command("P-1", hers, *values, "slip", DAY)) == ["event_unknown"]


def test_an_attestation_is_corrected_only_by_the_role_that_gives_it(desk: Desk) -> None:
    desk.do(*answered())
    fit = next(event.seq for event in desk.ledger.events() if event.payload.get("item") == "fit_for_trial")
    change = c.Correct("P-1", fit, {"value": "no"}, "misread", DAY)
    assert desk.refused(change, role="data manager") == ["role_wrong"]
    assert desk.refused(change, role="investigator") == []


def test_a_correction_of_the_value_keeps_the_rest_of_what_was_recorded(desk: Desk) -> None:
    desk.do(*answered())
    amh = next(event.seq for event in desk.ledger.events() if event.payload.get("item") == "amh")
    desk.do(c.Correct("P-1", amh, {"value": "0.9 ng/mL"}, "misread", DAY))
    desk.do(c.Correct("P-1", amh, {"value": "1.0 ng/mL"}, "misread again", DAY))
    (seen,) = desk.cut().participants["P-1"].observed["amh"]
    assert (seen.seq, seen.payload["item"], seen.payload["value"]) == (
        amh,
        "amh",
        {"entered": "1.0 ng/mL", "value": "1"},
    )


def test_what_a_determination_rests_on_includes_the_last_correction(desk: Desk) -> None:
    desk.do(*answered(amh="3 ng/mL"))
    amh = next(event.seq for event in desk.ledger.events() if event.payload.get("item") == "amh")
    desk.do(c.Correct("P-1", amh, {"value": "0.9 ng/mL"}, "misread", DAY))
    (made,) = desk.do(c.ConfirmEligibility("P-1", "2026-03-09"))
    basis = made.payload["basis"]
    assert isinstance(basis, int)
    then = fold_participant("P-1", known(desk.ledger.events("participant/P-1"), basis))
    assert then.observed["amh"][0].payload["value"] == {"entered": "0.9 ng/mL", "value": "0.9"}


def test_an_entry_taken_back_no_longer_counts_and_can_be_brought_back(desk: Desk) -> None:
    desk.do(*answered())
    closing = _event(desk, e.LIST_CLOSED)
    (void,) = desk.do(c.VoidEvent("P-1", closing, "not complete", DAY))
    assert desk.refused(c.AddRecord("P-1", "earlier_cycle", "cycle-3", "2025-04", {"outcome": "failed"})) == []
    desk.do(c.VoidEvent("P-1", void.seq, "it was complete", DAY))
    assert desk.refused(c.AddRecord("P-1", "earlier_cycle", "cycle-4", "2025-05")) == ["list_closed"]


def test_a_list_that_is_closed_again_stays_complete_since_the_first_time(desk: Desk) -> None:
    desk.do(*answered())
    desk.do(c.CloseList("P-1", "medical_history", "2026-03-20"))
    (made,) = desk.do(c.ConfirmEligibility("P-1", "2026-03-09"))
    answers = made.payload["answers"]
    assert isinstance(answers, dict)
    assert answers["E1"] == "no", "no allergy by then, as it was before the list was closed again"
    closings = desk.ledger.events("participant/P-1", [e.LIST_CLOSED])
    first = next(one.seq for one in closings if one.payload["list"] == "medical_history")
    desk.do(c.VoidEvent("P-1", first, "not complete", "2026-03-20"))
    assert str(desk.cut().participants["P-1"].closed["medical_history"]) == "2026-03-20", "the second one stands"


def test_a_record_taken_back_takes_its_later_fields_with_it(desk: Desk) -> None:
    desk.do(*consented(), c.AddRecord("P-1", "adverse_event", "ae-1", DAY, {"term": "fever"}))
    desk.do(c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-05", {"serious": "yes"}))
    desk.do(c.VoidEvent("P-1", _event(desk, e.RECORD_ADDED), "of another woman", "2026-03-06"))
    assert not desk.cut().participants["P-1"].records.get("adverse_event")


def test_fields_dated_before_their_record_leave_its_date_and_parent(desk: Desk) -> None:
    desk.do(*allocated(), c.Perform("P-1", "embryo_transfer", "t-1", "2026-05-08"))
    desk.do(c.AddRecord("P-1", "embryo", "embryo-1", "2026-05-08", {}, "t-1"))
    desk.do(c.CompleteRecord("P-1", "embryo", "embryo-1", "2026-05-06", {"good": "yes"}))
    first, second = desk.cut().participants["P-1"].records["embryo"]["embryo-1"]
    assert (first.on, first.payload["parent"], second.on) == ("2026-05-08", "t-1", "2026-05-06")


def test_an_infusion_taken_back_gives_its_cells_back_and_its_dose_with_it(desk: Desk) -> None:
    desk.do(*lot(), *infused())
    performed = _event(desk, e.PERFORMED)
    desk.do(c.VoidEvent("P-1", performed, "entered for the wrong woman", "2026-03-21"))
    unit, hers = desk.office.trial().custody.units["U-P-1"], desk.office.participant("P-1")
    assert (unit.state, unit.was_given, hers.doses, hers.performed) == ("verified", False, [], [])
    assert recipients(desk.office.trial().custody, "L-1") == ()


def test_a_dose_is_not_taken_back_while_its_infusion_stands(desk: Desk) -> None:
    desk.do(*lot(), *infused())
    desk.do(c.VoidEvent("P-1", _event(desk, e.DOSE_DETERMINED), "slip", "2026-03-21"))
    assert not desk.office.participant("P-1").performed


def test_a_place_taken_back_never_gives_one_number_to_two_women(desk: Desk) -> None:
    desk.do(*enrolled("P-1"), *enrolled("P-2"))
    desk.do(c.VoidEvent("P-1", _event(desk, e.ENROLLED, "P-1"), "not hers", "2026-03-10"))
    desk.do(*enrolled("P-3"))
    assert desk.office.trial().enrolled == {"P-2": 2, "P-3": 3}


def test_a_query_is_answered_and_never_taken_back(desk: Desk) -> None:
    desk.do(*consented(), c.Observe("P-1", "amh", "9 ng/mL", DAY), c.Observe("P-1", "amh", "8 ng/mL", DAY))
    assert desk.refused(c.VoidEvent("P-1", _event(desk, e.QUERY_OPENED), "asked twice", DAY)) == ["review_taken_back"]
    desk.do(c.Observe("P-1", "amh", "7 ng/mL", DAY))
    assert sorted(desk.office.participant("P-1").queries) == ["Q1", "Q2", "Q3"]


def test_a_query_answered_on_a_date_before_it_is_answered(desk: Desk) -> None:
    desk.do(*consented(), c.Observe("P-1", "amh", "9 ng/mL", "2026-03-05"))
    desk.do(c.CloseQuery("P-1", "Q1", "it is so", "2026-03-04"))
    assert desk.cut().participants["P-1"].queries == {}


# ---------------------------------------------------------------- lots


def test_tests_dated_before_the_registration_of_a_lot_count(desk: Desk) -> None:
    desk.do(c.RegisterLot("L-1", "cell_product", "2026-02-18"))
    desk.do(c.TestLot("L-1", {"viability": "91 %", "viable_cells": "100 10*6"}, "2026-02-10"))
    assert desk.refused(c.ReleaseLot("L-1", "2026-02-20")) == []
    desk.do(*allocated(), *ready(), infusion())
    custody = desk.cut().trial.custody
    assert custody.lots["L-1"].used == [("U-P-1", "60000000")]
    assert recipients(custody, "L-1") == (("P-1", "U-P-1"),)


def test_a_unit_that_may_be_prepared_before_its_lot_was_registered_counts_as_taken_from_it(desk: Desk) -> None:
    desk.do(c.RegisterLot("L-2", "cell_product", "2026-03-20T09:30"), *allocated())
    desk.do(c.OrderUnit("U-P-1", "P-1", "infusion", "2026-03-20"))
    desk.do(c.ManufactureUnit("U-P-1", "L-2", "60000000", "100 %", "50 mL", "2026-03-20T09:00", "2026-03-20"))
    assert desk.cut().trial.custody.lots["L-2"].used == [("U-P-1", "60000000")]


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ("53999999", ["dose_outside"]),
        ("54000000", []),
        ("66000000", []),
        ("66000001", ["dose_outside"]),
    ],
)
def test_the_limits_of_a_dose_are_exact(desk: Desk, cells: str, codes: list[str]) -> None:
    desk.do(*lot(), *allocated(), *prepared(cells=cells))
    assert desk.refused(c.ReleaseUnit("U-P-1", "2026-03-20T09:20")) == codes


def test_a_dose_of_nothing_is_refused_not_divided_by(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.do(
        *opened({"consent_form": "long", "route": "vein", "dose": "1e6 /kg * (weight - 200 kg)"}), *lot(), *allocated()
    )
    assert desk.refused(c.OrderUnit("U-1", "P-1", "infusion", "2026-03-20")) == ["dose_impossible"]


# ---------------------------------------------------------------- sealed


def test_nobody_names_an_arm_where_the_allocation_is_sealed(tmp_path: Path) -> None:
    protocol = protocol_at(BLINDED)
    desk = Desk(tmp_path, "real", protocol)
    desk.do(c.ActivateProtocol("S01", protocol.digest, "ethics", "2026-01-02"))
    for who in ("P-1", "P-2", "P-3"):
        desk.do(*consented(who), c.Observe(who, "birth_date", "1996", DAY), c.ConfirmEligibility(who, DAY))
        desk.do(c.Enrol(who, DAY))
    assert desk.refused(c.Allocate("P-1", DAY, "drops")) == ["arm_sealed"]
    desk.do(c.Allocate("P-1", DAY), c.Allocate("P-2", DAY))
    desk.do(c.VoidEvent("P-1", _event(desk, e.ALLOCATED), "not hers", DAY), c.Allocate("P-3", DAY))
    assert desk.office.trial().places == {"P-2": 2, "P-3": 3}, "no place of the list is given to two women"


def test_what_one_arm_alone_is_given_cannot_be_given_under_the_seal(tmp_path: Path) -> None:
    protocol = protocol_at(BLINDED, "type: placebo comparator, gives: [giving]", "type: placebo comparator")
    desk = Desk(tmp_path, "real", protocol)
    desk.do(c.ActivateProtocol("S01", protocol.digest, "ethics", "2026-01-02"), *consented())
    desk.do(c.Observe("P-1", "birth_date", "1996", DAY), c.ConfirmEligibility("P-1", DAY))
    desk.do(c.Enrol("P-1", DAY), c.Allocate("P-1", DAY))
    assert desk.refused(c.Perform("P-1", "giving", "drops-1", DAY)) == ["not_in_arm"]


# ---------------------------------------------------------------- decided then, derived now


def test_a_correction_after_enrolment_is_a_major_deviation_and_changes_no_decision(desk: Desk) -> None:
    desk.do(*enrolled())
    amh = next(event.seq for event in desk.ledger.events() if event.payload.get("item") == "amh")
    desk.do(c.Correct("P-1", amh, {"value": "3.0 ng/mL"}, "transcription", "2026-03-12"))
    cut = desk.cut("2026-03-12")
    (made,) = cut.participants["P-1"].determinations
    (found,) = [row for row in deviations(cut) if row.kind == "eligibility"]
    assert (made.verdict, made.answers["I1"]) == ("eligible", "yes")
    assert (found.severity, found.events) == ("major", (made.event,))
    assert "decided as eligible" in found.says
    assert "I1 was yes, is no" in found.says


def test_a_woman_no_longer_eligible_gets_no_arm(desk: Desk) -> None:
    desk.do(*enrolled())
    amh = next(event.seq for event in desk.ledger.events() if event.payload.get("item") == "amh")
    desk.do(c.Correct("P-1", amh, {"value": "3.0 ng/mL"}, "transcription", "2026-03-09"))
    assert desk.refused(c.Allocate("P-1", "2026-03-09", "cells", "wish", "Li")) == ["not_eligible"]


def test_an_ineligible_verdict_may_be_confirmed_and_is_the_end(desk: Desk) -> None:
    desk.do(*answered(failed=1))
    (made,) = desk.do(c.ConfirmEligibility("P-1", "2026-03-09"))
    assert made.payload["verdict"] == "ineligible"
    assert desk.refused(c.Enrol("P-1", "2026-03-09")) == ["not_eligible"]


def test_odd_values_are_kept_and_queried(desk: Desk) -> None:
    desk.do(*confirmed())
    seen, *queries = desk.do(c.Observe("P-1", "weight", "100 kg", "2026-03-10"))
    assert seen.type == e.OBSERVED
    assert [one.payload["says"] for one in queries] == [
        "100 kg lies outside the plausible 40 to 95 kg.",
        "The weight differs by more than a tenth from the first one.",
    ]
