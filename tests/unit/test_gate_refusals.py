# ruff: noqa: E501  a row of the table stays on its line
"""Whoever tries to get past the gate is refused, with the reason that the person who can mend it needs.

Each row: what is tried, how far the trial is, the command, who acts, and the refusal.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.unit.desk import (
    DAY,
    SMALL,
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
    second_check,
    verified,
)
from trialwright.core.finding import Refused
from trialwright.trial import commands as c
from trialwright.trial.commands import Command

Told: TypeAlias = "Command | tuple[Command, str]"
Stage: TypeAlias = "Callable[[], Iterable[Told]]"
Row: TypeAlias = "tuple[str, Stage, Command, str, str]"


def _nothing() -> Iterable[Told]:
    return ()


def _screened() -> Iterable[Told]:
    return [c.Screen("P-1", "S01", DAY)]


def _left() -> Iterable[Told]:
    return [*consented(), c.Withdraw("P-1", "moved away", "2026-03-05")]


def _ended() -> Iterable[Told]:
    return [*confirmed(), c.EndScreening("P-1", "her wish", "2026-03-09")]


def _erased() -> Iterable[Told]:
    yield from (*consented(), c.Note("P-1", "ciphertext", DAY), c.OrderErasure("P-1", "she asked for it", "2026-03-05"))
    yield c.ConfirmErasure("P-1", "2026-03-06"), "administrator"


def _to_be_erased() -> Iterable[Told]:
    return [*consented(), c.OrderErasure("P-1", "she asked for it", "2026-03-05")]


def _full() -> Iterable[Told]:
    return [*enrolled("P-1"), *enrolled("P-2"), *enrolled("P-3"), *confirmed("P-4")]


def _ready() -> Iterable[Told]:
    return [*lot(), *allocated(), *ready()]


def _prepared(cells: str = "60000000", lot_: str = "L-1", released: str = "2026-02-20") -> Iterable[Told]:
    return [*lot(released=released), *allocated(), *prepared(cells=cells, lot=lot_)]


def _ordered() -> Iterable[Told]:
    return [*lot(), *allocated(), c.OrderUnit("U-P-1", "P-1", "infusion", "2026-03-20")]


def _tested_last_week() -> Iterable[Told]:
    yield from (*lot(), *allocated(), c.Observe("P-1", "hcg", "1 [IU]/L", "2026-03-20"))
    yield from (*verified(day="2026-03-28"), (second_check(day="2026-03-28"), "coordinator"))


def _never_tested() -> Iterable[Told]:
    yield from (*lot(), *allocated(), *verified(), (second_check(), "coordinator"))


def _one_given_one_ordered() -> Iterable[Told]:
    yield from (*lot(), *infused("P-1"), *allocated("P-2"))
    yield c.OrderUnit("U-P-2", "P-2", "infusion", "2026-03-20")


def _untested() -> Iterable[Told]:
    return [c.RegisterLot("L-2", "cell_product", "2026-02-18")]


def _of_an_untested_lot() -> Iterable[Told]:
    return [*_untested(), *allocated(), *prepared(lot="L-2")]


def _of_a_rejected_lot() -> Iterable[Told]:
    return [*_ready(), c.RejectLot("L-1", "a crack", DAY)]


def _plasma() -> Iterable[Told]:
    yield from _ordered()
    yield c.RegisterLot("L-9", "plasma", "2026-02-18")
    yield c.TestLot("L-9", {"sterility": "negative"}, "2026-02-19")
    yield c.ReleaseLot("L-9", "2026-02-20")


def _ineligible() -> Iterable[Told]:
    return [*answered(amh="3.0 ng/mL"), c.ConfirmEligibility("P-1", "2026-03-09")]


def _no_weight() -> Iterable[Told]:
    return [one for one in allocated() if not (isinstance(one, c.Observe) and one.item == "weight")]


def _in_control() -> Iterable[Told]:
    return [*lot(), *allocated(arm="control"), c.Observe("P-1", "hcg", "1 [IU]/L", "2026-03-20")]


def _with_transfer() -> Iterable[Told]:
    return [*allocated(), c.Perform("P-1", "embryo_transfer", "transfer-1", "2026-05-08")]


def _transfers_closed() -> Iterable[Told]:
    return [*allocated(), c.CloseList("P-1", "transfer", "2026-06-01")]


def _seen() -> Iterable[Told]:
    return [*consented(), c.HoldVisit("P-1", "screening", DAY)]


def _activate(site: str, digest: str = "", approval: str = "ethics") -> Command:
    return c.ActivateProtocol(site, digest or protocol_at(SMALL).digest, approval, "2026-01-03")


def _preparation(lot_: str = "L-1", total: str = "60000000", unit: str = "U-P-1") -> Command:
    return c.ManufactureUnit(unit, lot_, total, "100 %", "50 mL", "2026-03-20T09:00", "2026-03-20T09:10")


def _release() -> Command:
    return c.ReleaseUnit("U-P-1", "2026-03-20T09:20")


def _course(who: str = "P-1", on: str = "2026-03-11", record: str = "hormones-1") -> Command:
    return c.Perform(who, "course", record, on)


# fmt: off
ROWS: list[Row] = [
    # the trial
    ("a protocol that is not registered", _nothing, _activate("S02", "f" * 64), "", "protocol_unknown"),
    ("a site that the protocol does not name", _nothing, _activate("S99"), "", "site_unknown"),
    ("an activation without an approval", _nothing, _activate("S02", approval=" "), "", "reason_missing"),
    ("a question that nobody asked", _nothing, c.AnswerQuestion("dosis", "1", DAY), "", "question_unknown"),
    ("a question that the protocol itself decided", _nothing, c.AnswerQuestion("any_pregnancy", "1", DAY), "", "question_unknown"),
    ("a second answer", _nothing, c.AnswerQuestion("route", "artery", DAY), "", "question_answered"),
    # coming in
    ("a forged identifier", _nothing, c.Screen("P 1'; DROP", "S01", DAY), "", "identifier_wrong"),
    ("a name as an identifier", _nothing, c.Screen("王芳", "S01", DAY), "", "identifier_wrong"),
    ("an identifier given twice", _screened, c.Screen("P-1", "S01", DAY), "", "participant_exists"),
    ("a site without an approval", _nothing, c.Screen("P-1", "S02", DAY), "", "site_not_active"),
    ("a woman whom nobody screened", _nothing, c.Consent("P-7", "1", DAY), "", "participant_unknown"),
    ("a consent given twice", consented, c.Consent("P-1", "1", "2026-03-03"), "", "already_done"),
    ("a screening in the future", _nothing, c.Screen("P-1", "S01", "2027-01-01"), "", "in_the_future"),
    ("the 31st of February", _nothing, c.Screen("P-1", "S01", "2026-02-31"), "", "fact_unreadable"),
    # before consent, after leaving
    ("a value before any consent", _screened, c.Observe("P-1", "amh", "1 ng/mL", DAY), "", "consent_missing"),
    ("a record before any consent", _screened, c.AddRecord("P-1", "earlier_cycle", "a", "2025"), "", "consent_missing"),
    ("a value dated before the consent", consented, c.Observe("P-1", "amh", "1 ng/mL", "2026-03-01"), "", "before_consent"),
    ("a value after she left", _left, c.Observe("P-1", "amh", "1 ng/mL", "2026-03-06"), "", "has_left"),
    ("a record after she left", _left, c.AddRecord("P-1", "earlier_cycle", "a", "2026-03-06"), "", "has_left"),
    ("a visit after she left", _left, c.HoldVisit("P-1", "screening", "2026-03-06"), "", "has_left"),
    ("a place on the day her screening ended", _ended, c.Enrol("P-1", "2026-03-09"), "", "has_left"),
    ("a place before her screening ended", _ended, c.Enrol("P-1", "2026-03-09T08:00"), "", "has_left"),
    ("leaving twice", _left, c.Withdraw("P-1", "again", "2026-03-06"), "", "already_done"),
    ("ending the screening twice", _ended, c.EndScreening("P-1", "again", "2026-03-09"), "", "already_done"),
    ("ending the screening of an enrolled woman", enrolled, c.EndScreening("P-1", "no", "2026-03-10"), "", "already_done"),
    ("an erasure without a reason", consented, c.OrderErasure("P-1", " ", "2026-03-06"), "", "reason_missing"),
    ("an erasure ordered twice", _to_be_erased, c.OrderErasure("P-1", "again", "2026-03-06"), "", "already_done"),
    ("an erasure that nobody ordered", consented, c.ConfirmErasure("P-1", "2026-03-06"), "administrator", "erasure_not_ordered"),
    ("an erasure confirmed by who ordered it", _to_be_erased, c.ConfirmErasure("P-1", "2026-03-06"), "investigator", "erasure_same_person"),
    ("an erasure confirmed twice", _erased, c.ConfirmErasure("P-1", "2026-03-07"), "administrator", "erased"),
    ("an erasure ordered of who is erased", _erased, c.OrderErasure("P-1", "again", "2026-03-07"), "", "erased"),
    ("a note on who is erased", _erased, c.Note("P-1", "ciphertext", "2026-03-07"), "", "erased"),
    ("leaving without a reason", consented, c.Withdraw("P-1", " ", "2026-03-06"), "", "reason_missing"),
    ("ending a screening without a reason", consented, c.EndScreening("P-1", "", "2026-03-06"), "", "reason_missing"),
    # values
    ("an item that does not exist", consented, c.Observe("P-1", "amhh", "1 ng/mL", DAY), "", "fact_unknown"),
    ("an item of the partner asked of her", consented, c.Observe("P-1", "amh", "1 ng/mL", DAY, person="partner"), "", "fact_unknown"),
    ("a weight of a tonne", consented, c.Observe("P-1", "weight", "1000 kg", DAY), "", "value_impossible"),
    ("a count below zero", consented, c.Observe("P-1", "amh", "-5 ng/mL", DAY), "", "value_impossible"),
    ("a birth after the day of which it is told", consented, c.Observe("P-1", "birth_date", "2030-05", DAY), "", "birth_ahead"),
    ("an impossible field", consented, c.AddRecord("P-1", "adverse_event", "a", DAY, {"grade": "6"}), "", "value_impossible"),
    ("an attestation by the coordinator", consented, c.Observe("P-1", "fit_for_trial", "yes", DAY), "coordinator", "role_wrong"),
    ("an attribute that the item has not", consented, c.Observe("P-1", "amh", "1 ng/mL", DAY, {"cycle_day": "3"}), "", "attribute_unknown"),
    ("a kind of record that does not exist", consented, c.AddRecord("P-1", "cycle", "a", DAY), "", "fact_unknown"),
    ("a field that the record has not", consented, c.AddRecord("P-1", "adverse_event", "a", DAY, {"colour": "red"}), "", "field_unknown"),
    ("a forged record identifier", consented, c.AddRecord("P-1", "adverse_event", "a b", DAY), "", "identifier_wrong"),
    ("a record given twice", answered, c.AddRecord("P-1", "earlier_cycle", "cycle-1", "2026-03-10"), "", "record_exists"),
    ("fields of a record that is not there", consented, c.CompleteRecord("P-1", "adverse_event", "a", DAY, {"grade": "1"}), "", "record_unknown"),
    ("a child of a record that is not there", consented, c.AddRecord("P-1", "embryo", "e", DAY, {}, "transfer-9"), "", "record_unknown"),
    ("a record of a closed list", answered, c.AddRecord("P-1", "earlier_cycle", "cycle-3", "2025-05"), "", "list_closed"),
    ("a list that does not exist", consented, c.CloseList("P-1", "histories", DAY), "", "fact_unknown"),
    ("a visit that the schedule has not", consented, c.HoldVisit("P-1", "visit", DAY), "", "encounter_unknown"),
    ("the month 45 of a visit at 30 and 90", allocated, c.HoldVisit("P-1", "hormone.45", "2026-04-20"), "", "encounter_unknown"),
    ("a number on a visit that does not repeat", consented, c.HoldVisit("P-1", "screening.2", DAY), "", "encounter_unknown"),
    ("a visit for a record that is not there", allocated, c.HoldVisit("P-1", "pregnancy_test", "2026-04-20", "transfer-9"), "", "record_unknown"),
    ("a visit held twice", _seen, c.HoldVisit("P-1", "screening", DAY), "", "already_done"),
    ("a held visit missed", _seen, c.MissVisit("P-1", "screening", DAY, "rain"), "", "already_done"),
    ("a visit missed without a reason", consented, c.MissVisit("P-1", "screening", DAY, ""), "", "reason_missing"),
    ("a query that nobody asked", consented, c.CloseQuery("P-1", "Q1", "yes", DAY), "", "query_unknown"),
    # eligibility, enrolment, allocation
    ("eligibility while something is unknown", consented, c.ConfirmEligibility("P-1", DAY), "", "not_eligible"),
    ("a place without a determination", answered, c.Enrol("P-1", "2026-03-09"), "", "not_determined"),
    ("a place before the determination", confirmed, c.Enrol("P-1", "2026-03-08"), "", "not_determined"),
    ("a place for an ineligible woman", _ineligible, c.Enrol("P-1", "2026-03-09"), "", "not_eligible"),
    ("a place twice", enrolled, c.Enrol("P-1", "2026-03-10"), "", "already_done"),
    ("a fourth place of three", _full, c.Enrol("P-4", "2026-03-09"), "", "trial_full"),
    ("an arm without a place", confirmed, c.Allocate("P-1", "2026-03-09", "cells", "wish", "Li"), "", "not_enrolled"),
    ("an arm before the place", enrolled, c.Allocate("P-1", "2026-03-08", "cells", "wish", "Li"), "", "not_enrolled"),
    ("an arm twice", allocated, c.Allocate("P-1", "2026-03-10", "control", "wish", "Li"), "", "already_done"),
    ("an arm that does not exist", enrolled, c.Allocate("P-1", "2026-03-09", "placebo", "wish", "Li"), "", "arm_unknown"),
    ("no arm named", enrolled, c.Allocate("P-1", "2026-03-09", "", "wish", "Li"), "", "arm_unknown"),
    ("a clinical choice without a reason", enrolled, c.Allocate("P-1", "2026-03-09", "cells", "", "Li"), "", "reason_missing"),
    ("a clinical choice by nobody", enrolled, c.Allocate("P-1", "2026-03-09", "cells", "wish", ""), "", "reason_missing"),
    # product lots
    ("a forged lot number", _nothing, c.RegisterLot("L 1", "cell_product", DAY), "", "identifier_wrong"),
    ("a lot of no product", _nothing, c.RegisterLot("L-1", "cells", DAY), "", "fact_unknown"),
    ("a lot registered twice", lot, c.RegisterLot("L-1", "cell_product", DAY), "", "product_exists"),
    ("a test of no lot", _nothing, c.TestLot("L-1", {"viability": "90 %"}, DAY), "", "lot_unknown"),
    ("a test that the product has not", _untested, c.TestLot("L-2", {"colour": "red"}, DAY), "", "fact_unknown"),
    ("a release by the investigator", _untested, c.ReleaseLot("L-2", DAY), "investigator", "role_wrong"),
    ("a release of an untested lot", _untested, c.ReleaseLot("L-2", DAY), "", "requirement_fails"),
    ("a release before the test", lambda: lot(released=""), c.ReleaseLot("L-1", "2026-02-18"), "", "requirement_fails"),
    ("a release twice", lot, c.ReleaseLot("L-1", DAY), "", "lot_state"),
    ("a rejection without a reason", lot, c.RejectLot("L-1", "", DAY), "", "reason_missing"),
    # what is given
    ("an intervention that does not exist", allocated, c.Perform("P-1", "surgery", "s-1", "2026-03-11"), "", "intervention_unknown"),
    ("hormones without an arm", enrolled, _course(), "", "not_allocated"),
    ("hormones before the arm", allocated, _course(on="2026-03-08"), "", "not_allocated"),
    ("cells in the control arm", _in_control, infusion(), "", "not_in_arm"),
    ("cells prepared for the control arm", _in_control, c.OrderUnit("U-1", "P-1", "infusion", "2026-03-20"), "", "not_in_arm"),
    ("cells as a mere record", _ready, c.AddRecord("P-1", "infusion", "infusion-1", "2026-03-20"), "", "record_performed"),
    ("cells without a pregnancy test", _never_tested, infusion(), "", "requirement_fails"),
    ("cells two months too late, decided by nobody", lambda: [*lot(), *allocated(), *ready(day="2026-05-20")], infusion(on="2026-05-20T10:00"), "", "window_major"),
    ("cells with a test of last week", _tested_last_week, infusion(on="2026-03-28T10:00"), "", "requirement_fails"),
    ("cells of an unknown lot", _ordered, _preparation("L-7"), "", "lot_unknown"),
    ("cells of a lot that was made later", lambda: [*_ordered(), c.RegisterLot("L-2", "cell_product", "2026-03-20T09:30")], _preparation("L-2"), "", "before_origin"),
    ("cells of no lot", _ordered, _preparation(""), "", "lot_unknown"),
    ("cells of no unit", lambda: [*lot(), *allocated(), c.Observe("P-1", "hcg", "1 [IU]/L", "2026-03-20T08:00")], infusion(), "", "unit_not_ordered"),
    ("uncounted cells", _ordered, _preparation(total="many"), "", "prepared_missing"),
    ("fewer cells than none", _ordered, _preparation(total="-60000000"), "", "prepared_missing"),
    ("no cells at all", _ordered, _preparation(total="0"), "", "prepared_missing"),
    ("cells of a lot that is not released", _of_an_untested_lot, _release(), "", "lot_state"),
    ("cells of a lot rejected before the unit was released", lambda: [*_prepared(), c.RejectLot("L-1", "a crack", DAY)], _release(), "", "lot_state"),
    ("cells of a rejected lot", _of_a_rejected_lot, infusion(), "", "lot_state"),
    ("cells before the lot's release", lambda: _prepared(released="2026-03-21"), _release(), "", "lot_state"),
    ("plasma for cells", _plasma, _preparation("L-9"), "", "lot_wrong_product"),
    ("more cells than the lot holds", _one_given_one_ordered, _preparation(unit="U-P-2"), "", "lot_short"),
    ("too small a dose", lambda: _prepared("53999000"), _release(), "", "dose_outside"),
    ("too large a dose", lambda: _prepared("66010000"), _release(), "", "dose_outside"),
    ("a dose per kilogram without a weight", _no_weight, c.OrderUnit("U-1", "P-1", "infusion", "2026-03-20"), "", "dose_unknown"),
    ("a transfer in a closed list", _transfers_closed, c.Perform("P-1", "embryo_transfer", "t", "2026-05-08"), "", "list_closed"),
    ("a record performed twice", _with_transfer, c.Perform("P-1", "embryo_transfer", "transfer-1", "2026-05-09"), "", "record_exists"),
    # corrections
    ("a correction of nothing", consented, c.Correct("P-1", 999, {"value": "1 ng/mL"}, "slip", DAY), "", "event_unknown"),
    ("a correction without a reason", consented, c.Correct("P-1", 5, {"value": "1 ng/mL"}, "", DAY), "", "reason_missing"),
    ("a correction of a determination", confirmed, c.Correct("P-1", 18, {"verdict": "ineligible"}, "x", "2026-03-10"), "", "event_unknown"),
    ("taking back nothing", consented, c.VoidEvent("P-1", 999, "slip", DAY), "", "event_unknown"),
    ("taking back an event of the trial", consented, c.VoidEvent("P-1", 3, "slip", DAY), "", "event_unknown"),
    ("taking back without a reason", consented, c.VoidEvent("P-1", 8, "", DAY), "", "reason_missing"),
]
# fmt: on


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.do(*opened())
    return desk


@pytest.mark.parametrize(("tried", "stage", "command", "role", "code"), ROWS, ids=[row[0] for row in ROWS])
def test_the_gate_refuses(desk: Desk, tried: str, stage: Stage, command: Command, role: str, code: str) -> None:
    desk.do(*stage())
    assert set(desk.refused(command, role)) == {code}


@pytest.mark.parametrize(
    ("answers", "stage", "command", "questions"),
    [
        ({}, answered, c.ConfirmEligibility("P-1", "2026-03-09"), ["consent_form"]),
        ({"consent_form": "long"}, allocated, infusion(), ["dose", "route"]),
        ({"consent_form": "long", "route": "vein"}, allocated, infusion(), ["dose"]),
        ({"consent_form": "long"}, allocated, c.OrderUnit("U-1", "P-1", "infusion", "2026-03-20"), ["dose", "route"]),
    ],
    ids=[
        "eligibility waits for the form",
        "infusion waits for dose and route",
        "infusion waits for the dose",
        "the order of a unit waits for both",
    ],
)
def test_an_open_question_blocks_its_actions_and_is_named(
    tmp_path: Path, answers: dict[str, str], stage: Stage, command: Command, questions: list[str]
) -> None:
    desk = Desk(tmp_path)
    desk.do(*opened(answers), *stage())
    with pytest.raises(Refused) as refused:
        desk.do(command)
    assert [one.code for one in refused.value.findings] == ["question_blocks"] * len(questions)
    assert [one.values["question"] for one in refused.value.findings] == questions
    assert all("ponsor" in str(one) for one in refused.value.findings)


@pytest.mark.parametrize(
    ("question", "answer", "code"),
    [
        ("route", "mouth", "answer_unknown"),
        ("dose", "1e6 /kg * wieght", "name_unknown"),
        ("dose", "1e6 /kg *", "syntax"),
        ("dose", "0", "dose_impossible"),
        ("dose", "-1000000", "dose_impossible"),
        ("dose", "0 /kg * weight", "dose_impossible"),
    ],
)
def test_an_answer_must_be_one(tmp_path: Path, question: str, answer: str, code: str) -> None:
    desk = Desk(tmp_path)
    refused = desk.refused(c.AnswerQuestion(question, answer, DAY))
    assert refused
    if code in ("answer_unknown", "dose_impossible"):
        assert refused == [code]


@pytest.mark.parametrize(("kind", "refusal"), [("real", ["answer_from_file"]), ("virtual", [])])
def test_only_a_rehearsal_takes_an_answer_from_a_file(tmp_path: Path, kind: str, refusal: list[str]) -> None:
    desk = Desk(tmp_path, kind)
    assert desk.refused(c.AnswerQuestion("route", "vein", DAY, from_file=True)) == refusal


#: Codes of trial.toml that the gate does not use: findings of a rehearsal model, and a query's words.
NOT_OF_THE_GATE = ("rehearsal_", "formula_", "query_implausible")
ELSEWHERE = {
    "question_blocks",
    "answer_unknown",
    "answer_from_file",
    "arm_sealed",
    "attachment_missing",
    "dose_impossible",
}
#: Tried in test_delegations.py, and in test_signatures.py.
ELSEWHERE |= {"role_unknown", "delegation_ends_early", "delegation_over", "delegation_unknown"}
ELSEWHERE |= {"signature_broken", "signature_of_nothing", "signature_taken_back"}
#: Tried in test_review.py.
ELSEWHERE |= {"query_of_a_person", "query_of_a_check", "query_state", "review_taken_back", "verification_of_nothing"}
ELSEWHERE |= {"verification_outdated", "casebook_changed", "data_frozen", "data_locked", "hold_unknown"}
ELSEWHERE |= {"lock_query", "lock_form", "lock_unit", "lock_unsigned", "lock_not_all"}


def test_every_refusal_of_the_gate_is_tried_here() -> None:
    file = Path(__file__).parent.parent.parent / "src" / "trialwright" / "core" / "messages" / "trial.toml"
    codes = {code for code in tomllib.loads(file.read_text("utf-8")) if not code.startswith(NOT_OF_THE_GATE)}
    assert codes - {row[-1] for row in ROWS} - ELSEWHERE == set()
