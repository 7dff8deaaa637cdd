# ruff: noqa: E501  a row of the table stays on its line
"""Whoever tries to get past the chain of identity and custody is refused: one row for each hard stop.

Each row: what is tried, how far the trial is, the command, who acts, and the refusal.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.custody_desk import (
    CHAIN,
    EARLY,
    TODAY,
    Told,
    allocated,
    banks,
    before,
    course,
    donor,
    given,
    lot,
    origin,
    started,
)
from tests.unit.desk import Desk, protocol_at
from trialwright.core.finding import Refused
from trialwright.trial import commands as c
from trialwright.trial.commands import Command

Row = tuple[str, Callable[[], Iterable[Told]], Command, str, str]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, protocol=protocol_at(CHAIN))


def _step(name: str, **changed: Any) -> Command:
    told = course()[name]
    return replace(told[0] if isinstance(told, tuple) else told, **changed)


def _upto(step: str, instead: dict[str, Told] | None = None, skip: str = "") -> Callable[[], Iterator[Told]]:
    """The trial and the course of her unit up to a step, with some of the steps changed or left out."""

    def stage() -> Iterator[Told]:
        yield from (*origin(), *allocated())
        for name, one in course().items():
            if name == step:
                return
            if name != skip:
                yield (instead or {}).get(name, one)

    return stage


def _and(stage: Callable[[], Iterable[Told]], *more: Told) -> Callable[[], Iterable[Told]]:
    return lambda: [*stage(), *more]


def _hold(hours: str, *more: Told) -> Callable[[], Iterable[Told]]:
    """The same origin with other hours, and her unit up to its start."""
    return lambda: [*started(hours), *donor(), *banks(), *lot(), *allocated(), *before("start"), *more]


def _lot(*told: Told, growth: str = "negative", released: bool = True) -> Callable[[], Iterable[Told]]:
    return lambda: [*started(), *donor(), *banks(), *lot(growth=growth, released=released), *told]


def _interrupted(at: str = "10:10", instead: dict[str, Told] | None = None) -> Callable[[], Iterable[Told]]:
    return _and(_upto("end", instead), c.InterruptInfusion("P-1", "U-P-1", "10 mL", "pain", f"{TODAY}T{at}"))


def _event(grade: str, at: str = f"{TODAY}T10:12") -> Command:
    return c.AddRecord("P-1", "adverse_event", "ae-1", at, {"grade": grade} if grade else {})


def _two_women(*, until: str = "start") -> Callable[[], Iterable[Told]]:
    """Another woman beside her, each with her own unit."""
    return lambda: [*origin(), *allocated(), *allocated("P-2"), *before(until), *before(until, who="P-2")]


def _death() -> Iterable[Told]:
    return [
        *given("P-2", day="2026-03-10"),
        c.AddRecord("P-2", "adverse_event", "ae-1", "2026-03-12", {"death": "yes"}),
    ]


def _paused(*more: Told) -> Callable[[], Iterable[Told]]:
    return lambda: [*origin(), *allocated(), *_death(), *more]


def _registered(name: str = "D-1") -> Iterable[Told]:
    return [*started(), c.RegisterDonor(name, "cells", "2025-01-10")]


_RELEASE, _START, _BOARD = _step("release"), _step("start"), "safety board"
_LOW = _step("prepare", total="67499999")  # 53 999 999.2 of 60 000 000 living cells
_AT_LIMIT = _step("prepare", total="67500000")
_HIGH = _step("prepare", total="82500001")
_RESUME = c.ResumeInfusion("P-1", "U-P-1", f"{TODAY}T10:20")
_CHECK = c.VerifyUnit("U-P-1", "P-1", "1990-03-02", f"{TODAY}T09:45")

# fmt: off
ROWS: list[Row] = [
    # where cells come from
    ("a forged donor", started, c.RegisterDonor("D 1", "cells", "2025-01-10"), "", "identifier_wrong"),
    ("a name as a donor", started, c.RegisterDonor("王芳", "cells", "2025-01-10"), "", "identifier_wrong"),
    ("a donor of no product", started, c.RegisterDonor("D-1", "cell", "2025-01-10"), "", "fact_unknown"),
    ("her own cells of nobody", started, c.RegisterDonor("D-1", "cells", "2025-01-10", "P-9"), "", "participant_unknown"),
    ("a test of no donor", started, c.TestDonor("D-1", {"hiv": "negative"}, "2025-01-10"), "", "donor_unknown"),
    ("a test without a result", _registered, c.TestDonor("D-1", {}, "2025-01-10"), "", "results_missing"),
    ("a result that the donor has not", _registered, c.TestDonor("D-1", {"hcv": "negative"}, "2025-01-10"), "", "fact_unknown"),
    ("an untested donor", _registered, c.AcceptDonor("D-1", "2025-01-12"), "", "requirement_fails"),
    ("a donor with HIV", lambda: [*_registered(), c.TestDonor("D-1", {"hiv": "positive"}, "2025-01-11")], c.AcceptDonor("D-1", "2025-01-12"), "", "requirement_fails"),
    ("a donor tested later than accepted", lambda: [*_registered(), c.TestDonor("D-1", {"hiv": "negative"}, "2025-01-13")], c.AcceptDonor("D-1", "2025-01-12"), "", "requirement_fails"),
    ("a donor accepted by the investigator", lambda: [*_registered(), c.TestDonor("D-1", {"hiv": "negative"}, "2025-01-11")], c.AcceptDonor("D-1", "2025-01-12"), "investigator", "role_wrong"),
    ("a donor accepted twice", lambda: [*started(), *donor()], c.AcceptDonor("D-1", "2025-05-01"), "", "donor_state"),
    ("a rejected donor accepted", lambda: [*_registered(), c.RejectDonor("D-1", "fever", "2025-01-11")], c.AcceptDonor("D-1", "2025-01-12"), "", "donor_state"),
    ("a donor rejected twice", lambda: [*_registered(), c.RejectDonor("D-1", "fever", "2025-01-11")], c.RejectDonor("D-1", "fever", "2025-01-12"), "", "donor_state"),
    ("a donor rejected without a reason", _registered, c.RejectDonor("D-1", " ", "2025-01-12"), "", "reason_missing"),
    ("a donor of what needs none", lambda: [*started(), c.RegisterDonor("D-1", "saline", "2025-01-10")], c.AcceptDonor("D-1", "2025-01-12"), "", "donor_not_needed"),
    ("a forged bank", lambda: [*started(), *donor()], c.RegisterMaterial("M'1", "tissue", "D-1", "2025-02-01"), "", "identifier_wrong"),
    ("material of another kind", lambda: [*started(), *donor()], c.RegisterMaterial("M-1", "clone", "D-1", "2025-02-01"), "", "material_kind"),
    ("tissue of no donor", started, c.RegisterMaterial("T-1", "tissue", "D-1", "2025-02-01"), "", "parent_unknown"),
    ("a bank of a donor herself", lambda: [*started(), *donor()], c.RegisterMaterial("B-1", "bank", "D-1", "2025-02-01"), "", "parent_unknown"),
    ("a bank of a lot", _lot(), c.RegisterMaterial("B-9", "bank", "L-1", "2026-03-01", 9), "", "parent_unknown"),
    ("a bank of itself", lambda: [*started(), *donor()], c.RegisterMaterial("B-1", "bank", "B-1", "2025-02-01"), "", "parent_unknown"),
    ("tissue before its donor", lambda: [*started(), *donor()], c.RegisterMaterial("T-1", "tissue", "D-1", "2025-01-09"), "", "before_origin"),
    ("a bank before its tissue", lambda: [*started(), *donor(), *banks()], c.RegisterMaterial("B-9", "bank", "T-1", "2025-01-12"), "", "before_origin"),
    ("a bank of a lower passage", lambda: [*started(), *donor(), *banks()], c.RegisterMaterial("B-9", "bank", "WB-1", "2025-04-01", 3), "", "passage_wrong"),
    ("a passage below none", lambda: [*started(), *donor()], c.RegisterMaterial("T-1", "tissue", "D-1", "2025-02-01", -1), "", "passage_wrong"),
    ("hours that the laboratory says itself", started, c.ValidateHold("cells", "6", "report", TODAY), "laboratory", "role_wrong"),
    ("no hours", started, c.ValidateHold("cells", "0", "report", TODAY), "", "fact_unreadable"),
    ("hours without a report", started, c.ValidateHold("cells", "6", " ", TODAY), "", "reason_missing"),
    # lots
    ("a lot of unknown cells", started, c.RegisterLot("L-1", "cells", "2026-02-18"), "", "parent_unknown"),
    ("a lot of a forged bank", lambda: [*started(), *donor(), *banks()], c.RegisterLot("L-1", "cells", "2026-02-18", "WB-2"), "", "parent_unknown"),
    ("a lot of a lot", _lot(), c.RegisterLot("L-2", "cells", "2026-02-19", "L-1", 5), "", "parent_unknown"),
    ("a lot of another product's donor", lambda: [*started(), *donor("D-9", product="plasma")], c.RegisterLot("L-1", "cells", "2026-02-18", "D-9"), "", "donor_wrong_product"),
    ("a lot before its bank", lambda: [*started(), *donor(), *banks()], c.RegisterLot("L-1", "cells", "2025-02-28", "WB-1", 5), "", "before_origin"),
    ("a lot of a lower passage than its bank", lambda: [*started(), *donor(), *banks()], c.RegisterLot("L-1", "cells", "2026-02-18", "WB-1", 3), "", "passage_wrong"),
    ("a lot of a donor whom nobody accepted", lambda: [*_registered(), *banks(), *lot(released=False)], c.ReleaseLot("L-1", "2026-02-20"), "", "donor_state"),
    ("a lot in quarantine until the retest", lambda: [*started(), *donor(later=""), *banks(), *lot(released=False)], c.ReleaseLot("L-1", "2026-02-20"), "", "requirement_fails"),
    ("a lot of a donor with a positive retest", lambda: [*started(), *donor(later="positive"), *banks(), *lot(released=False)], c.ReleaseLot("L-1", "2026-02-20"), "", "donor_state"),
    ("a lot of a donor rejected before it was made", lambda: [*started(), *donor(), *banks(), c.RejectDonor("D-1", "fever", "2026-01-01"), *lot(released=False)], c.ReleaseLot("L-1", "2026-02-20"), "", "donor_state"),
    ("a lot with mycoplasma", _lot(c.TestLot("L-1", {"mycoplasma": "positive"}, "2026-02-19"), released=False), c.ReleaseLot("L-1", "2026-02-20"), "", "requirement_fails"),
    ("a lot with growth", _lot(growth="positive", released=False), c.ReleaseLot("L-1", "2026-02-20"), "", "requirement_fails"),
    ("a lot with growth and none on one day", _lot(c.TestLot("L-1", {"sterility": "positive"}, "2026-02-19"), released=False), c.ReleaseLot("L-1", "2026-02-20"), "", "requirement_fails"),
    ("a lot released before it was made", _lot(released=False), c.ReleaseLot("L-1", "2026-02-17"), "", "before_origin"),
    ("a conditional lot released on nothing new", _lot(growth=""), c.ReleaseLot("L-1", "2026-03-05"), "", "still_outstanding"),
    ("a recalled lot released", _lot(c.RecallLot("L-1", "a crack", "2026-02-21")), c.ReleaseLot("L-1", "2026-02-22"), "", "lot_state"),
    ("a lot recalled twice", _lot(c.RecallLot("L-1", "a crack", "2026-02-21")), c.RecallLot("L-1", "a crack", "2026-02-22"), "", "lot_state"),
    ("a recall without a reason", _lot(), c.RecallLot("L-1", "", "2026-02-22"), "", "reason_missing"),
    ("a lot rejected of which something was given", _upto("account"), c.RejectLot("L-1", "a crack", "2026-03-21"), "", "lot_given"),
    # a unit is ordered and prepared
    ("a forged unit", _upto("order"), _step("order", unit="U 1"), "", "identifier_wrong"),
    ("a unit for nobody", _upto("order"), _step("order", participant="P-9"), "", "participant_unknown"),
    ("a unit for what gives no product", lambda: [*_upto("order")()], _step("order", intervention="surgery"), "", "intervention_unknown"),
    ("a unit before her arm", lambda: [*origin(), *list(allocated())[:-1]], _step("order"), "", "not_allocated"),
    ("a unit before the consent", lambda: [*origin(), c.Screen("P-1", "S01", "2026-03-02")], _step("order"), "", "consent_missing"),
    ("a unit for a woman who left", _and(_upto("order"), c.Withdraw("P-1", "moved", "2026-03-19")), _step("order"), "", "has_left"),
    ("a second open unit", _upto("prepare"), _step("order", unit="U-2", on=f"{TODAY}T08:20"), "", "unit_open"),
    ("a unit that nobody ordered", _upto("order"), _step("prepare"), "", "unit_not_ordered"),
    ("a unit of a lot of another product", _and(_upto("prepare"), c.RegisterLot("L-9", "saline", "2026-02-18")), _step("prepare", lot="L-9"), "", "lot_wrong_product"),
    ("a unit of a recalled lot", _and(_upto("prepare"), c.RecallLot("L-1", "a crack", "2026-03-19")), _step("prepare"), "", "lot_state"),
    ("a unit of a rejected lot", _and(_upto("prepare"), c.RejectLot("L-1", "a crack", "2026-03-19")), _step("prepare"), "", "lot_state"),
    ("a unit prepared before its lot was made", _and(_upto("prepare"), c.RegisterLot("L-9", "cells", "2026-03-21", "WB-1", 5)), _step("prepare", lot="L-9"), "", "before_origin"),
    ("her sister's own cells", lambda: [*started(), *allocated(), *allocated("P-2"), *donor(own="P-2"), *banks(), *lot(), *before("prepare")], _step("prepare"), "", "not_her_own"),
    ("cells thawed after they were prepared", _upto("prepare"), _step("prepare", thawed=f"{TODAY}T08:46"), "", "thawed_later"),
    ("cells thawed on some minute of the day", _upto("prepare"), _step("prepare", thawed=TODAY), "", "time_needed"),
    ("cells thawed at 25 o'clock", _upto("prepare"), _step("prepare", thawed=f"{TODAY}T25:00"), "", "time_needed"),
    ("more volume than the protocol fixes", _upto("prepare"), _step("prepare", volume="16 mL"), "", "volume_wrong"),
    ("less volume than the protocol fixes", _upto("prepare"), _step("prepare", volume="14.9 mL"), "", "volume_wrong"),
    ("a volume that is a weight", _upto("prepare"), _step("prepare", volume="15 g"), "", "fact_unit"),
    ("a viability of nothing", _upto("prepare"), _step("prepare", viability="0 %"), "", "value_impossible"),
    ("more living cells than cells", _upto("prepare"), _step("prepare", viability="101 %"), "", "value_impossible"),
    ("a viability of at most something", _upto("prepare"), _step("prepare", viability="<80 %"), "", "fact_unreadable"),
    ("more cells than the lot holds", _upto("prepare"), _step("prepare", total="625000001"), "", "lot_short"),
    ("a result of the lot entered for the unit", _upto("measure"), c.TestUnit("U-P-1", {"mycoplasma": "negative"}, f"{TODAY}T08:50"), "", "result_of_the_lot"),
    ("a result that a unit has not", _upto("measure"), c.TestUnit("U-P-1", {"colour": "red"}, f"{TODAY}T08:50"), "", "fact_unknown"),
    # a unit is released
    ("a unit released by the laboratory", _upto("release"), _RELEASE, "laboratory", "role_wrong"),
    ("a unit that nobody measured", _upto("release", skip="measure"), _RELEASE, "", "requirement_fails"),
    ("a unit with too much endotoxin", _upto("release", {"measure": c.TestUnit("U-P-1", {"endotoxin": "20.1 [EU]/mL"}, f"{TODAY}T08:50")}), _RELEASE, "", "requirement_fails"),
    ("a unit with growth", _upto("release", {"measure": c.TestUnit("U-P-1", {"endotoxin": "0.5 [EU]/mL", "growth": "growth"}, f"{TODAY}T08:50")}), _RELEASE, "", "requirement_fails"),
    ("a unit with growth and none on one minute", _and(_upto("release"), c.TestUnit("U-P-1", {"growth": "growth"}, f"{TODAY}T08:50")), _RELEASE, "", "requirement_fails"),
    ("a unit of which too few cells live", _upto("release", {"prepare": _step("prepare", total="85714286", viability="69.9 %")}), _RELEASE, "", "requirement_fails"),
    ("a unit of a lot that is not released", lambda: [*started(), *donor(), *banks(), *lot(released=False), *allocated(), *before("release")], _RELEASE, "", "lot_state"),
    ("a unit of a lot recalled meanwhile", _and(_upto("release"), c.RecallLot("L-1", "a crack", f"{TODAY}T09:00")), _RELEASE, "", "lot_state"),
    ("a dose just below nine tenths", _upto("release", {"prepare": _LOW}), _RELEASE, "", "dose_outside"),
    ("a dose below nine tenths, approved by nobody", _upto("release", {"prepare": _LOW}), _step("release", approved_by=" ", reason="few cells"), "", "dose_outside"),
    ("a dose below nine tenths, approved for no reason", _upto("release", {"prepare": _LOW}), _step("release", approved_by="Dr Li"), "", "reason_missing"),
    ("a dose just above eleven tenths", _upto("release", {"prepare": _HIGH}), _RELEASE, "", "dose_outside"),
    ("a dose just above eleven tenths, approved", _upto("release", {"prepare": _HIGH}), _step("release", approved_by="Dr Li", reason="many cells"), "", "dose_outside"),
    ("a unit of cells that nobody validated", lambda: [*started(""), *donor(), *banks(), *lot(), *allocated(), *before("release")], _RELEASE, "", "hold_not_validated"),
    ("hours validated after the unit was prepared", lambda: [*started(""), *donor(), *banks(), *lot(), *allocated(), *before("release"), c.ValidateHold("cells", "4", "report", f"{TODAY}T09:00")], _RELEASE, "", "hold_not_validated"),
    ("a unit released after it expired", _upto("release"), _step("release", on=f"{TODAY}T12:41"), "", "unit_expired"),
    ("a unit released on some minute of its day", _upto("release"), _step("release", on=TODAY), "", "time_needed"),
    ("a unit rejected without a reason", _upto("release"), c.RejectUnit("U-P-1", " ", f"{TODAY}T09:00"), "", "reason_missing"),
    # on its way
    ("a unit issued after its lot was recalled", _and(_upto("issue"), c.RecallLot("L-1", "a crack", f"{TODAY}T09:25")), _step("issue"), "", "lot_state"),
    ("a unit issued after it expired", _upto("issue"), _step("issue", on=f"{TODAY}T12:41"), "", "unit_expired"),
    ("a unit received without its temperatures", _upto("receive"), _step("receive", coldest="", warmest=""), "", "fact_unreadable"),
    ("a unit that was too warm, checked", _upto("check", {"receive": _step("receive", warmest="8.1 Cel")}), _CHECK, "", "unit_state"),
    ("a unit that was too cold, checked", _upto("check", {"receive": _step("receive", coldest="1.9 Cel")}), _CHECK, "", "unit_state"),
    ("a unit whose temperatures are in the wrong boxes, checked", _upto("check", {"receive": _step("receive", coldest="9 Cel", warmest="1 Cel")}), _CHECK, "", "unit_state"),
    ("a damaged unit, checked", _upto("check", {"receive": _step("receive", intact=False)}), _CHECK, "", "unit_state"),
    # at the bedside
    ("another woman's unit, checked", _two_women(until="check"), c.VerifyUnit("U-P-2", "P-1", "1990-03-02", f"{TODAY}T09:45"), "", "identity_mismatch"),
    ("another woman's unit, given", _two_women(), _step("start", unit="U-P-2"), "", "identity_mismatch"),
    ("the wrong day of birth", _upto("check"), c.VerifyUnit("U-P-1", "P-1", "1990-03-03", f"{TODAY}T09:45"), "", "second_identifier"),
    ("the year of birth alone", _upto("check"), c.VerifyUnit("U-P-1", "P-1", "1990", f"{TODAY}T09:45"), "", "second_identifier"),
    ("no day of birth", _upto("check"), c.VerifyUnit("U-P-1", "P-1", "", f"{TODAY}T09:45"), "", "second_identifier"),
    ("a day of birth that nobody knows", lambda: [*origin(), *allocated(born="1990-03"), *before("check")], _CHECK, "", "second_identifier"),
    ("a month of birth where nobody knows the day", lambda: [*origin(), *allocated(born="1990-03"), *before("check")], c.VerifyUnit("U-P-1", "P-1", "1990-03", f"{TODAY}T09:45"), "", "second_identifier"),
    ("a day of birth corrected meanwhile", _and(_upto("check"), c.Observe("P-1", "birth_date", "1990-03-20", "2026-03-19")), _CHECK, "", "second_identifier"),
    ("a day of birth that was never recorded", _and(_upto("check"), c.Observe("P-1", "birth_date", "", "2026-03-19", not_done="refused")), _CHECK, "", "second_identifier"),
    ("the same person twice", _upto("check again"), _step("check again"), "investigator", "verified_by_same"),
    ("one check alone", _upto("start", skip="check again"), _START, "", "unit_state"),
    ("a check without a consent", lambda: [*origin(), c.Screen("P-9", "S01", "2026-03-02")], c.VerifyUnit("U-P-1", "P-9", "1990-03-02", f"{TODAY}T09:45"), "", "consent_missing"),
    ("a unit of which the lot was recalled, checked", _and(_upto("check"), c.RecallLot("L-1", "a crack", f"{TODAY}T09:42")), _CHECK, "", "lot_state"),
    ("a unit of which the donor was rejected, checked", _and(_upto("check"), c.RejectDonor("D-1", "hepatitis", f"{TODAY}T09:42")), _CHECK, "", "lot_state"),
    # it is given
    ("no test", _upto("start", skip="test"), _START, "", "requirement_fails"),
    ("a positive test", _upto("start", {"test": _step("test", value="120 [IU]/L")}), _START, "", "requirement_fails"),
    ("a test at the limit", _upto("start", {"test": _step("test", value="5 [IU]/L")}), _START, "", "requirement_fails"),
    ("a test that may lie above the limit", _upto("start", {"test": _step("test", value="<10 [IU]/L")}), _START, "", "requirement_fails"),
    ("a test that was lost", _upto("start", {"test": _step("test", value="", not_done="sample lost")}), _START, "", "requirement_fails"),
    ("an old test", _upto("start", {"test": _step("test", on="2026-03-18T08:00")}), _START, "", "requirement_fails"),
    ("a negative test before a positive one", _and(_upto("start"), c.Observe("P-1", "hcg", "90 [IU]/L", f"{TODAY}T09:30")), _START, "", "requirement_fails"),
    ("a test of the same day that may come later", _upto("start", {"test": _step("test", on=TODAY)}), _START, "", "requirement_fails"),
    ("a unit that was rejected", _and(_upto("start"), c.RejectUnit("U-P-1", "dropped", f"{TODAY}T09:50")), _START, "", "unit_state"),
    ("a unit of a recalled lot, given", _and(_upto("start"), c.RecallLot("L-1", "a crack", f"{TODAY}T09:50"), c.ReviewTrigger("A1", "continue", "one lot alone", f"{TODAY}T09:55")), _START, "", "lot_state"),
    ("a unit of a rejected donor, given", _and(_upto("start"), c.TestDonor("D-1", {"hiv_later": "positive"}, f"{TODAY}T09:50"), c.ReviewTrigger("A1", "continue", "others are safe", f"{TODAY}T09:55")), _START, "", "lot_state"),
    ("a unit of a lot recalled this minute", _and(_upto("start"), c.RecallLot("L-1", "a crack", f"{TODAY}T09:50")), _START, "", "lot_state"),
    ("a unit after a recall of what another woman had", lambda: [*origin(), *given("P-2", day="2026-03-10"), *allocated(), *before("start"), c.RecallLot("L-1", "a crack", f"{TODAY}T09:50")], _START, "", "trial_paused"),
    ("a unit that has expired", _upto("start"), _step("start", on=f"{TODAY}T12:41"), "", "unit_expired"),
    ("a unit that expires during the infusion", _hold("1.8"), _START, "", "unit_expired"),
    ("a unit given on some minute of the day", _upto("start"), _step("start", on=TODAY), "", "time_needed"),
    ("a unit of another intervention", _upto("start"), c.Perform("P-1", "instillation", "i-1", f"{TODAY}T10:00", unit="U-P-1"), "", "unit_wrong"),
    ("a weight that has risen", _and(_upto("start"), c.Observe("P-1", "weight", "66.7 kg", f"{TODAY}T09:30")), _START, "", "dose_outside"),
    ("a weight that has fallen", _and(_upto("start"), c.Observe("P-1", "weight", "54.5 kg", f"{TODAY}T09:30")), _START, "", "dose_outside"),
    ("a weight that is not known any more", _and(_upto("start"), c.Observe("P-1", "weight", "", f"{TODAY}T09:30", not_done="scales broken")), _START, "", "dose_unknown"),
    ("a unit of hers after she left", _and(_upto("start"), c.Withdraw("P-1", "moved", f"{TODAY}T09:50")), _START, "", "has_left"),
    ("a unit given a second time", _upto("account"), _step("start", record="infusion-2", on=f"{TODAY}T10:40"), "", "unit_state"),
    ("an interrupted unit begun again", _interrupted(), _step("start", record="infusion-2", on=f"{TODAY}T11:00"), "", "unit_state"),
    ("the second of the first two, two days later", lambda: [*origin(), *given("P-2", day="2026-03-18"), *allocated(), *before("start")], _START, "", "sentinel"),
    ("the second of the first two, on the same day", lambda: [*origin(), *given("P-2"), *allocated(), *before("start")], _START, "", "sentinel"),
    ("the second of the first two, entered first", lambda: [*origin(), *given("P-2", day="2026-03-21"), *allocated(), *before("start")], _START, "", "sentinel"),
    # the trial is paused
    ("an infusion in a paused trial", _paused(*before("start")), _START, "", "trial_paused"),
    ("a place in a paused trial", _paused(*list(allocated("P-3"))[:-2]), c.Enrol("P-3", "2026-03-14"), "", "trial_paused"),
    ("going on in a paused trial", _and(_interrupted(), c.AddRecord("P-1", "adverse_event", "ae-1", f"{TODAY}T10:12", {"life_threatening": "yes", "grade": "1"})), _RESUME, "", "trial_paused"),
    ("an infusion after a decision to stop", _paused(*before("start"), c.ReviewTrigger("A1", "stop", "grave", "2026-03-15")), _START, "", "trial_paused"),
    ("a pause lifted by the investigator", _paused(), c.ReviewTrigger("A1", "continue", "not related", "2026-03-15"), "investigator", "role_wrong"),
    ("a pause lifted by the sponsor", _paused(), c.ReviewTrigger("A1", "continue", "not related", "2026-03-15"), "sponsor", "role_wrong"),
    ("a pause lifted without a reason", _paused(), c.ReviewTrigger("A1", "continue", "", "2026-03-15"), "", "reason_missing"),
    ("a pause lifted before it began", _paused(), c.ReviewTrigger("A1", "continue", "not related", "2026-03-11"), "", "before_origin"),
    ("a pause lifted by a word", _paused(), c.ReviewTrigger("A1", "lift", "not related", "2026-03-15"), "", "decision_unknown"),
    ("a review of no alert", _paused(), c.ReviewTrigger("A7", "continue", "not related", "2026-03-15"), "", "alert_unknown"),
    ("a second review", _paused(c.ReviewTrigger("A1", "continue", "not related", "2026-03-15")), c.ReviewTrigger("A1", "stop", "related", "2026-03-16"), "", "alert_reviewed"),
    # it is interrupted, taken up again, ended
    ("another woman's infusion interrupted", _and(_upto("end"), *allocated("P-2")), c.InterruptInfusion("P-2", "U-P-1", "10 mL", "pain", f"{TODAY}T10:10"), "", "identity_mismatch"),
    ("an interruption for no reason", _upto("end"), c.InterruptInfusion("P-1", "U-P-1", "10 mL", " ", f"{TODAY}T10:10"), "", "reason_missing"),
    ("an interruption on some minute", _upto("end"), c.InterruptInfusion("P-1", "U-P-1", "10 mL", "pain", TODAY), "", "time_needed"),
    ("more left than there was", _upto("end"), c.InterruptInfusion("P-1", "U-P-1", "15.1 mL", "pain", f"{TODAY}T10:10"), "", "volume_infused"),
    ("nothing left", _upto("end"), c.InterruptInfusion("P-1", "U-P-1", "0 mL", "pain", f"{TODAY}T10:10"), "", "volume_infused"),
    ("more left than at the interruption before", _and(_interrupted(), _RESUME), c.InterruptInfusion("P-1", "U-P-1", "11 mL", "pain", f"{TODAY}T10:22"), "", "volume_infused"),
    ("another woman's infusion taken up", _and(_interrupted(), *allocated("P-2")), c.ResumeInfusion("P-2", "U-P-1", f"{TODAY}T10:20"), "", "identity_mismatch"),
    ("taken up after 31 minutes", _interrupted(), c.ResumeInfusion("P-1", "U-P-1", f"{TODAY}T10:41"), "", "restart_late"),
    ("taken up after it expired", _hold("1.85", _step("start", on=f"{TODAY}T10:01"), c.InterruptInfusion("P-1", "U-P-1", "10 mL", "pain", f"{TODAY}T10:20")), c.ResumeInfusion("P-1", "U-P-1", f"{TODAY}T10:32"), "", "unit_expired"),
    ("taken up after the lot was recalled", _and(_interrupted(), c.RecallLot("L-1", "a crack", f"{TODAY}T10:15"), c.ReviewTrigger("A1", "continue", "one lot alone", f"{TODAY}T10:16")), _RESUME, "", "lot_state"),
    ("taken up after a reaction of grade 2", _and(_interrupted(), _event("2")), _RESUME, "", "restart_after_reaction"),
    ("taken up after a reaction that nobody graded", _and(_interrupted(), _event("")), _RESUME, "", "restart_after_reaction"),
    ("taken up after a reaction that may be of grade 2", _and(_interrupted(), _event(">=1")), _RESUME, "", "restart_after_reaction"),
    ("taken up after a reaction on some minute of the day", _and(_interrupted(), _event("3", TODAY)), _RESUME, "", "restart_after_reaction"),
    ("more given than there was", _upto("end"), _step("end", infused="15.1 mL"), "", "volume_infused"),
    ("less given than nothing", _upto("end"), _step("end", infused="-1 mL"), "", "volume_infused"),
    ("a flush of less than nothing", _upto("end"), _step("end", flush="-1 mL"), "", "volume_infused"),
    ("more given than had gone in when it was interrupted", _interrupted(), _step("end", infused="6 mL", reason="pain"), "", "volume_infused"),
    ("less given than had gone in when it was interrupted", _and(_interrupted(), _RESUME), _step("end", infused="4 mL", reason="pain"), "", "volume_infused"),
    ("nothing given of what had gone in", _interrupted(), _step("end", infused="0 mL", reason="pain"), "", "volume_infused"),
    ("not all given, for no reason", _upto("end"), _step("end", infused="14.9 mL"), "", "reason_missing"),
    ("an end on some minute", _upto("end"), _step("end", on=TODAY), "", "time_needed"),
    ("another woman's infusion ended", _and(_upto("end"), *allocated("P-2")), _step("end", participant="P-2"), "", "identity_mismatch"),
    ("an end in the future", _upto("end"), _step("end", on="2027-01-01T10:00"), "", "in_the_future"),
    ("the rest accounted for with no word", _upto("account"), _step("account", disposal=" "), "", "reason_missing"),
    ("the delivered dose entered by hand, as a record", _upto("start"), c.AddRecord("P-1", "infusion", "i-1", f"{TODAY}T10:00", {"delivered_cells": "60000000"}), "", "record_performed"),
]
# fmt: on


@pytest.mark.parametrize(("tried", "stage", "command", "role", "code"), ROWS, ids=[row[0] for row in ROWS])
def test_the_chain_refuses(
    desk: Desk, tried: str, stage: Callable[[], Iterable[Told]], command: Command, role: str, code: str
) -> None:
    desk.do(*stage())
    assert set(desk.refused(command, role)) == {code}


@pytest.mark.parametrize("name", ["D-1", "T-1", "WB-1", "L-1", "U-P-1"])
@pytest.mark.parametrize("kind", ["donor", "tissue", "lot", "unit"])
def test_no_identifier_is_given_twice_whatever_it_is_given_to(desk: Desk, kind: str, name: str) -> None:
    desk.do(*origin(), *allocated(), *allocated("P-2"), *before("prepare"))
    commands: dict[str, Command] = {
        "donor": c.RegisterDonor(name, "cells", TODAY),
        "tissue": c.RegisterMaterial(name, "tissue", "D-1", TODAY),
        "lot": c.RegisterLot(name, "cells", TODAY, "WB-1", 5),
        "unit": c.OrderUnit(name, "P-2", "infusion", TODAY),
    }
    assert desk.refused(commands[kind]) == ["product_exists"]


@pytest.mark.parametrize(
    "command",
    [
        c.ManufactureUnit("U-9", "L-1", "75000000", "80 %", "15 mL", f"{TODAY}T08:40", f"{TODAY}T08:45"),
        c.TestUnit("U-9", {"growth": "none"}, TODAY),
        c.ReleaseUnit("U-9", TODAY),
        c.RejectUnit("U-9", "a crack", TODAY),
        c.IssueUnit("U-9", TODAY),
        c.ReceiveUnit("U-9", TODAY),
        c.VerifyUnit("U-9", "P-1", "1990-03-02", TODAY),
        c.InterruptInfusion("P-1", "U-9", "1 mL", "pain", TODAY),
        c.ResumeInfusion("P-1", "U-9", TODAY),
        c.EndInfusion("P-1", "U-9", "15 mL", TODAY),
        c.ReconcileUnit("U-9", "destroyed", TODAY),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_forged_unit_is_found_out_at_every_step(desk: Desk, command: Command) -> None:
    desk.do(*origin(), *allocated())
    assert desk.refused(command) == ["unit_not_ordered"]


@pytest.mark.parametrize(
    "command",
    [c.TestLot("L-9", EARLY, TODAY), c.ReleaseLot("L-9", TODAY), c.RejectLot("L-9", "x", TODAY),
     c.RecallLot("L-9", "x", TODAY)],
    ids=lambda command: type(command).__name__,
)  # fmt: skip
def test_a_forged_lot_is_found_out_at_every_step(desk: Desk, command: Command) -> None:
    desk.do(*origin())
    assert desk.refused(command) == ["lot_unknown"]


@pytest.mark.parametrize(
    ("old", "new", "stage", "command", "code"),
    [
        ("    identifier: birth_date\n", "", _upto("check"), _CHECK, "identifier_missing"),
        ("    restart: 30 min\n", "", _interrupted(), _RESUME, "restart_not_foreseen"),
        (
            "since yesterday.}",
            "since yesterday., later: true}",
            _upto("start", skip="test"),
            _START,
            "requirement_fails",
        ),
        (
            "gives: [infusion, instillation]",
            "gives: [infusion]",
            _upto("order"),
            _step("order", intervention="instillation"),
            "not_in_arm",
        ),
        (
            '    product: cells\n    dose: "5e5',
            '    dose: "5e5',
            _upto("order"),
            _step("order", intervention="instillation"),
            "no_product",
        ),
    ],
    ids=["no second identifier", "no restart", "a test that may come later", "not in her arm", "no product"],
)
def test_what_the_protocol_does_not_foresee_is_refused(
    tmp_path: Path, old: str, new: str, stage: Callable[[], Iterable[Told]], command: Command, code: str
) -> None:
    protocol = protocol_at(CHAIN, old, new)
    desk = Desk(tmp_path, protocol=protocol)
    for one in stage():
        if isinstance(one, c.ActivateProtocol):
            desk.do(replace(one, digest=protocol.digest))
        else:
            desk.do(one)
    assert desk.refused(command) == [code]


def test_every_pause_is_named_and_each_must_be_lifted(desk: Desk) -> None:
    desk.do(*_paused(*before("start"))(), c.RecallLot("L-1", "a crack", "2026-03-19"))
    with pytest.raises(Refused) as refused:
        desk.do(_START)
    assert [one.values["alert"] for one in refused.value.findings] == ["A1", "A2"]


#: Refusals of product.toml that other tests provoke.
ELSEWHERE = {
    "giving_taken_back", "tablets_wrong", "query_open", "rule_unknown", "given_enough", "field_of_the_unit",
    "product_in_doubt",
}  # fmt: skip


def test_every_refusal_of_the_chain_is_tried_here() -> None:
    file = Path(__file__).parent.parent.parent / "src" / "trialwright" / "core" / "messages" / "product.toml"
    tried = {row[-1] for row in ROWS} | {"product_exists", "identifier_missing", "restart_not_foreseen", "no_product"}
    assert set(tomllib.loads(file.read_text("utf-8"))) - tried - ELSEWHERE == set()
