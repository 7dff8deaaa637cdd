"""The chain of identity and custody under random histories (`tests.laws.chain`), and what they found, told briefly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.laws.chain import SOAK, TALLY, Chain
from tests.unit.desk import LATER, Desk, protocol_at
from trialwright.core.finding import Refused
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.commands import Command
from trialwright.trial.office import Office, Sender, whole_state

HISTORIES = settings(
    max_examples=200,
    stateful_step_count=24,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
DAY = "2026-03-20"


def test_no_history_gives_what_must_not_be_given() -> None:
    run_state_machine_as_test(Chain, settings=HISTORIES)
    assert TALLY.histories >= 200
    for label in ("an infusion", "a partial infusion", "a recall after giving", "a pause"):
        share = TALLY.reached[label] / TALLY.histories
        assert share > 0.02, f"{label} is reached by {share:.0%} of histories only"


# ---------------------------------------------------------------- what they found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk of the soak trial, where a woman has her arm, and a lot is released on condition."""
    desk = Desk(tmp_path, protocol=protocol_at(SOAK))
    desk.do(*_ready(desk.protocol.digest))
    return desk


def _ready(digest: str) -> Iterator[Command]:
    on = "2026-03-02"
    yield c.ActivateProtocol("S01", digest, "ethics 2026-1", on)
    yield c.AnswerQuestion("route", "vein", on)
    yield c.ValidateHold("cells", "4", "report 7", on)
    yield c.RegisterDonor("D-1", "cells", on)
    yield c.TestDonor("D-1", {"hiv": "negative", "hbv": "negative", "hbv_at_3_months": "negative"}, on)
    yield c.AcceptDonor("D-1", on)
    yield c.RegisterLot("L-1", "cells", on, "D-1")
    yield c.TestLot("L-1", {"viability": "91 %", "viable_cells": "200 10*6", "endotoxin": "0.1 [EU]/mL"}, on)
    yield c.ReleaseLot("L-1", on)
    yield c.Screen("P-1", "S01", on)
    yield c.Consent("P-1", "1", on)
    for item, value in {
        "birth_date": "1991-03-02",
        "weight": "60 kg",
        "amh": "0.8 ng/mL",
        "fit_for_trial": "yes",
    }.items():
        yield c.Observe("P-1", item, value, on)
    yield c.CloseList("P-1", "medical_history", on)
    yield c.ConfirmEligibility("P-1", on)
    yield c.Enrol("P-1", on)
    yield c.Allocate("P-1", on, "cells", "her wish", "Dr Li")
    yield c.Observe("P-1", "hcg", "1 [IU]/L", f"{DAY}T08:00")
    yield c.OrderUnit("U-1", "P-1", "infusion", f"{DAY}T09:00")


def _made(total: str = "62000000", thawed: str = f"{DAY}T09:05") -> c.ManufactureUnit:
    return c.ManufactureUnit("U-1", "L-1", total, "97 %", "15 mL", thawed, f"{DAY}T09:10")


def _issued() -> Iterator[Command]:
    yield _made()
    yield c.TestUnit("U-1", {"gram_stain": "negative"}, f"{DAY}T09:20")
    yield c.ReleaseUnit("U-1", f"{DAY}T09:30")
    yield c.IssueUnit("U-1", f"{DAY}T09:40")


def _begun() -> Iterator[Command | tuple[Command, str]]:
    yield from _issued()
    yield c.ReceiveUnit("U-1", f"{DAY}T09:50", "3 Cel", "6 Cel")
    yield c.VerifyUnit("U-1", "P-1", "1991-03-02", f"{DAY}T09:55")
    yield c.VerifyUnit("U-1", "P-1", "1991-03-02", f"{DAY}T09:56"), "coordinator"
    yield c.Perform("P-1", "infusion", "infusion-1", f"{DAY}T10:00", unit="U-1")


def test_a_lot_that_was_only_found_to_hold_less_than_a_number_holds_no_more(desk: Desk) -> None:
    desk.do(c.TestLot("L-1", {"viable_cells": "<30 10*6"}, "2026-03-03"))
    assert desk.refused(_made()) == ["lot_short"]


def test_a_unit_stays_rejected_by_a_result_that_is_dated_before_its_last_step(desk: Desk) -> None:
    desk.do(*_issued())
    new = desk.do(c.TestUnit("U-1", {"gram_stain": "positive"}, f"{DAY}T09:35"))
    assert new[-1].type == e.UNIT_REJECTED
    assert desk.refused(c.ReceiveUnit("U-1", f"{DAY}T09:50", "3 Cel", "6 Cel")) == ["unit_state"]
    assert desk.do(c.ReconcileUnit("U-1", "burnt", f"{DAY}T10:00"))


def test_a_result_that_is_entered_before_the_end_of_an_infusion_does_not_hold_its_end_up(desk: Desk) -> None:
    desk.do(*_begun())
    desk.do(c.TestUnit("U-1", {"culture": "negative"}, "2026-04-03"))
    assert desk.do(c.EndInfusion("P-1", "U-1", "15 mL", f"{DAY}T10:30"))


def test_an_office_forgets_a_transaction_that_was_undone_even_where_others_wrote_as_much(desk: Desk) -> None:
    by, reader, other = Sender("Dr Li", "investigator", LATER), Office(desk.ledger, "a"), Office(desk.ledger, "b")
    with suppress(InterruptedError), desk.ledger.writing() as writer:
        desk.office.submit_within(writer, c.Screen("P-8", "S01", DAY), by, "undone")
        with suppress(Refused):  # it only looks at what is new
            reader.submit_within(writer, c.Screen("P 8", "S01", DAY), by, "refused")
        raise InterruptedError
    other.submit(c.Screen("P-9", "S01", DAY), by, "instead")
    for number, office in enumerate((desk.office, reader)):
        assert office.submit(c.Screen(f"P-8{number}", "S01", DAY), by, f"later {number}")
        assert office.trial() == whole_state(desk.ledger)[0]


def test_a_unit_is_not_given_again_after_a_late_result_against_it_where_its_giving_was_taken_back(desk: Desk) -> None:
    *_, performed = desk.do(*_begun())
    desk.do(c.TestUnit("U-1", {"culture": "positive"}, f"{DAY}T10:05"))
    desk.do(c.ReviewTrigger("A1", "continue", "looked into", f"{DAY}T10:10"))
    desk.do(c.VoidEvent("P-1", performed.seq, "entered in error", f"{DAY}T10:15"))
    again = c.Perform("P-1", "infusion", "infusion-2", f"{DAY}T10:20", unit="U-1")
    assert desk.refused(again) == ["requirement_fails"]


def test_a_lot_is_not_released_as_of_a_day_before_the_result_that_speaks_against_it(desk: Desk) -> None:
    desk.do(c.RegisterLot("L-2", "cells", "2026-03-03", "D-1"))
    desk.do(c.TestLot("L-2", {"viability": "91 %", "endotoxin": "0.1 [EU]/mL"}, "2026-03-04"))
    desk.do(c.TestLot("L-2", {"sterility": "positive"}, "2026-03-18"))
    assert desk.refused(c.ReleaseLot("L-2", "2026-03-05")) == ["requirement_fails"]


def test_a_donor_is_not_accepted_as_of_a_day_before_the_result_that_speaks_against_her(desk: Desk) -> None:
    desk.do(c.RegisterDonor("D-2", "cells", "2026-03-03"))
    desk.do(c.TestDonor("D-2", {"hiv": "negative", "hbv": "negative"}, "2026-03-04"))
    desk.do(c.TestDonor("D-2", {"hiv": "positive"}, "2026-03-18"))
    assert desk.refused(c.AcceptDonor("D-2", "2026-03-05")) == ["requirement_fails"]


def test_the_identifier_of_a_screening_that_was_taken_back_is_not_given_again(desk: Desk) -> None:
    (screened,) = desk.do(c.Screen("P-2", "S01", "2026-03-03"))
    desk.do(c.VoidEvent("P-2", screened.seq, "another woman", "2026-03-03"))
    assert desk.refused(c.Screen("P-2", "S01", "2026-03-04")) == ["participant_exists"]


@pytest.mark.parametrize("total", ["1e99", "1e16"])
def test_more_cells_than_can_be_are_refused(desk: Desk, total: str) -> None:
    assert desk.refused(_made(total)) == ["value_impossible"]


def test_a_hold_of_ages_is_refused(desk: Desk) -> None:
    assert desk.refused(c.ValidateHold("cells", "1e20", "report 8", DAY)) == ["fact_unreadable"]


def test_a_time_outside_the_calendar_is_refused(desk: Desk) -> None:
    assert desk.refused(_made(thawed="0001-01-01T00:00")) == ["time_needed"]


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_text_that_no_ledger_can_hold_is_refused(desk: Desk, text: str) -> None:
    assert desk.refused(c.Withdraw("P-1", text, DAY)) == ["ledger_text_unwritable"]
    assert desk.refused(c.TestUnit("U-1", {"gram_stain": text}, DAY)) == ["ledger_text_unwritable"]
