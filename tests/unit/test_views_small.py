"""The printed sheets of a small ledger, entered by hand: every number can be checked by counting."""

from __future__ import annotations

from datetime import date
from pathlib import Path

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
    protocol_at,
    ready,
)
from trialwright.language.values import Answer
from trialwright.report.study import last_day, open_study
from trialwright.report.write import write_report
from trialwright.trial import commands as c
from trialwright.trial.schedule import planned
from trialwright.views.adverse_events import adverse_events
from trialwright.views.deviations import deviations
from trialwright.views.endpoints import endpoint_table
from trialwright.views.flow import flow
from trialwright.views.screening_log import screening_log
from trialwright.views.worklist import worklist


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.do(*opened(), *lot())
    return desk


# ---------------------------------------------------------------- screening log and flow


def _eight_women(desk: Desk) -> None:
    """Three enrolled (one of them infused, one without an arm), two ineligible, one full, one gone, one waiting."""
    desk.do(*infused("P-1"), *allocated("P-2", "control"), *enrolled("P-3"))
    desk.do(c.Withdraw("P-2", "moved away", "2026-04-01"))
    for who, failed, amh in (("P-4", 1, "0.8 ng/mL"), ("P-5", 1, "3 ng/mL")):
        desk.do(*answered(who, failed=failed, amh=amh), c.ConfirmEligibility(who, "2026-03-09"))
        desk.do(c.EndScreening(who, "not eligible", "2026-03-09"))
    desk.do(*confirmed("P-6"), c.EndScreening("P-6", "all places are taken", "2026-03-09"))
    desk.do(*consented("P-7"), c.Withdraw("P-7", "changed her mind", "2026-03-05"))
    desk.do(*consented("P-8"))


def test_the_screening_log_has_a_line_for_each_woman(desk: Desk) -> None:
    _eight_women(desk)
    lines = [
        (row.participant, row.verdict, row.criteria, row.number, row.ended[:10], row.reason)
        for row in screening_log(desk.cut())
    ]
    assert lines == [
        ("P-1", "eligible", (), 1, "", ""),
        ("P-2", "eligible", (), 2, "", ""),
        ("P-3", "eligible", (), 3, "", ""),
        ("P-4", "ineligible", ("I2",), 0, "2026-03-09", "not eligible"),
        ("P-5", "ineligible", ("I1", "I2"), 0, "2026-03-09", "not eligible"),
        ("P-6", "eligible", (), 0, "2026-03-09", "all places are taken"),
        ("P-7", "not determined", (), 0, "2026-03-05", "changed her mind"),
        ("P-8", "not determined", (), 0, "", ""),
    ]


def test_the_flow_accounts_for_every_woman(desk: Desk) -> None:
    _eight_women(desk)
    seen = flow(desk.cut())
    assert (seen.screened, seen.enrolled, seen.not_enrolled, seen.still_in_screening) == (8, 3, 4, 1)
    assert (seen.not_eligible, seen.criteria) == (2, (("I2", 2), ("I1", 1)))
    assert sorted(seen.other_reasons) == [("all places are taken", 1), ("changed her mind", 1)]
    assert seen.not_allocated == 1
    cells, control = seen.arms
    assert (cells.allocated, cells.received, cells.left) == (
        1,
        (("course", 0), ("infusion", 1), ("embryo_transfer", 0)),
        (),
    )
    assert (control.allocated, control.received, control.left) == (
        1,
        (("course", 0), ("embryo_transfer", 0)),
        (("moved away", 1),),
    )
    assert [(arm.analysed, arm.missing) for arm in seen.arms] == [(0, 1), (0, 1)]


# ---------------------------------------------------------------- schedule and worklist


@pytest.mark.parametrize(
    ("today", "standing"),
    [
        ("2026-03-10", "future"),
        ("2026-03-11", "due"),
        ("2026-03-16", "due"),
        ("2026-03-17", "late"),
    ],
)
def test_a_visit_is_due_in_its_window_and_late_after_it(desk: Desk, today: str, standing: str) -> None:
    desk.do(*allocated())  # on 9 March; hormones start 2 days later, in 0 to 5 days
    cut = desk.cut(today)
    plan = planned(cut.protocol, cut.trial, cut.participants["P-1"], cut.today)
    (start,) = [one for one in plan if one.encounter == "cycle_start"]
    assert (str(start.day), str(start.earliest), str(start.latest)) == ("2026-03-11", "2026-03-11", "2026-03-16")
    assert start.standing == standing
    assert [work.standing for work in worklist(cut) if work.what == "cycle_start"] == (
        [] if standing == "future" else [standing]
    )


def test_a_visit_belongs_to_its_arm_and_repeats_as_the_schedule_says(desk: Desk) -> None:
    desk.do(*allocated("P-1", "cells"), *allocated("P-2", "control"))
    cut = desk.cut("2026-03-10")
    plan = {
        who: {(one.encounter, str(one.day)) for one in planned(cut.protocol, cut.trial, state, cut.today)}
        for who, state in cut.participants.items()
    }
    assert plan["P-1"] - plan["P-2"] == {("infusion", "2026-03-19")}
    assert {("hormone.30", "2026-04-08"), ("hormone.90", "2026-06-07")} <= plan["P-2"]


@pytest.mark.parametrize(
    ("pregnant", "standing"),
    [("yes", "due"), ("no", "not applicable"), ("", "undecided")],
    ids=["yes", "no", "unknown"],
)
def test_a_visit_on_a_condition_waits_for_its_answer(desk: Desk, pregnant: str, standing: str) -> None:
    desk.do(*allocated(), c.Perform("P-1", "embryo_transfer", "t-1", "2026-05-08"))
    if pregnant:
        desk.do(c.CompleteRecord("P-1", "transfer", "t-1", "2026-05-22", {"pregnant": pregnant}))
    cut = desk.cut("2026-06-05")
    plan = planned(cut.protocol, cut.trial, cut.participants["P-1"], cut.today)
    (second,) = [one for one in plan if one.encounter == "second_test"]
    assert (second.record, second.standing) == ("t-1", standing)
    rows = [(work.standing, bool(work.why)) for work in worklist(cut) if work.what == "second_test"]
    assert rows == {"due": [("due", False)], "not applicable": [], "undecided": [("undecided", True)]}[standing]


def test_nothing_waits_for_a_woman_who_left(desk: Desk) -> None:
    desk.do(*allocated(), c.Withdraw("P-1", "moved away", "2026-04-01"))
    assert worklist(desk.cut()) == []


def test_late_comes_before_due_and_open_queries_wait_too(desk: Desk) -> None:
    desk.do(*allocated(), c.Observe("P-1", "amh", "9 ng/mL", "2026-03"))
    work = worklist(desk.cut("2026-03-20"))
    assert [(one.what, one.standing) for one in work] == [
        ("screening", "late"),
        ("cycle_start", "late"),
        ("query Q1", "due"),
        ("entry", "due"),
        ("infusion", "due"),
    ]


# ---------------------------------------------------------------- deviations


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ("2026-03-11", []),
        ("2026-03-16", []),
        ("2026-03-10", [("minor", "Start of hormones: took place 1 day before its window.")]),
        ("2026-03-17", [("minor", "Start of hormones: took place 1 day after its window.")]),
        ("2026-03-21", [("minor", "Start of hormones: took place 5 days after its window.")]),
        ("2026-03-22", [("major", "Start of hormones: took place 6 days after its window.")]),
        ("2026-03-22T09:30", [("major", "Start of hormones: took place 6 days after its window.")]),
        ("2026-03", []),
    ],
)
def test_a_visit_out_of_its_window_is_a_deviation_by_its_distance(
    desk: Desk, held: str, found: list[tuple[str, str]]
) -> None:
    desk.do(*allocated(), c.HoldVisit("P-1", "cycle_start", held))
    rows = [(row.severity, row.says) for row in deviations(desk.cut("2026-03-31")) if row.kind == "visit window"]
    assert rows == found, "the window is 11 to 16 March, five days wide; a month alone may lie inside"


def test_missed_and_overdue_visits_are_deviations(desk: Desk) -> None:
    desk.do(*allocated(), c.MissVisit("P-1", "cycle_start", "2026-03-12", "snow"))
    for name in ("screening", "entry"):
        desk.do(c.HoldVisit("P-1", name, "2026-03-09"))
    rows = [(row.kind, row.severity, row.on, row.says) for row in deviations(desk.cut("2026-03-27"))]
    assert rows == [
        ("missed visit", "minor", "2026-03-12", "Start of hormones: did not take place, snow."),
        ("visit", "major", "2026-03-26", "Infusion: overdue."),
    ]


@pytest.mark.parametrize(("cells", "ratio"), [("63000000", ""), ("63060000", "1.051"), ("55000000", "0.9167")])
def test_a_dose_more_than_a_twentieth_off_plan_is_a_deviation(desk: Desk, cells: str, ratio: str) -> None:
    desk.do(*allocated(), *ready(cells=cells), infusion())
    rows = [row.says for row in deviations(desk.cut("2026-03-20")) if row.kind == "dose"]
    assert rows == ([f"The dose of infusion was {ratio} of plan (lot L-1); noted from 5 % on."] if ratio else [])


def test_women_who_were_not_enrolled_have_no_deviations(desk: Desk) -> None:
    desk.do(*answered(), c.HoldVisit("P-1", "screening", "2026-05-01"))
    assert deviations(desk.cut()) == []


# ---------------------------------------------------------------- endpoints


def _pregnancy(desk: Desk) -> str:
    (row,) = endpoint_table(desk.cut(), "pregnancy")
    assert isinstance(row.value, Answer)
    return str(row.value.truth.value)


def test_no_transfer_is_no_pregnancy_only_once_the_list_is_closed(desk: Desk) -> None:
    desk.do(*allocated())
    assert _pregnancy(desk) == "unknown"
    desk.do(c.CloseList("P-1", "transfer", "2026-09-05"))
    assert _pregnancy(desk) == "no"


def test_a_woman_who_left_before_her_outcome_is_missing_not_no(desk: Desk) -> None:
    desk.do(*allocated(), c.Perform("P-1", "embryo_transfer", "t-1", "2026-05-08"))
    desk.do(c.Withdraw("P-1", "moved away", "2026-05-10"))
    assert _pregnancy(desk) == "unknown"
    arm = flow(desk.cut()).arms[0]
    assert (arm.analysed, arm.missing, arm.left) == (0, 1, (("moved away", 1),))


def test_one_pregnancy_is_a_pregnancy_while_the_list_is_open(desk: Desk) -> None:
    desk.do(*allocated(), c.Perform("P-1", "embryo_transfer", "t-1", "2026-05-08", {"pregnant": "yes"}))
    assert _pregnancy(desk) == "yes"


def test_a_ratio_counts_what_is_certain_so_far_and_says_that_more_may_come(desk: Desk) -> None:
    desk.do(*allocated(), c.Perform("P-1", "embryo_transfer", "t-1", "2026-05-08"))
    for number, good in enumerate(("yes", "no", ""), 1):
        fields = {"good": good} if good else {}
        desk.do(c.AddRecord("P-1", "embryo", f"e-{number}", "2026-05-08", fields, "t-1"))
    (row,) = endpoint_table(desk.cut(), "good_embryos")
    assert (row.first, row.second, row.still_open) == (1.0, 3.0, True)
    desk.do(c.CompleteRecord("P-1", "embryo", "e-3", "2026-05-09", {"good": "yes"}))
    desk.do(c.CloseList("P-1", "embryo", "2026-05-09"))
    (row,) = endpoint_table(desk.cut(), "good_embryos")
    assert (row.first, row.second, row.still_open) == (2.0, 3.0, False)


def test_a_change_needs_both_values(desk: Desk) -> None:
    desk.do(*allocated())
    assert [(row.first, row.second) for row in endpoint_table(desk.cut(), "amh_change")] == [(None, 0.8)]
    desk.do(c.Observe("P-1", "amh", "1.0 ng/mL", "2026-06-07"))
    assert [(row.first, row.second) for row in endpoint_table(desk.cut(), "amh_change")] == [(1.0, 0.8)]


@pytest.mark.parametrize(
    ("pregnant", "change", "outcome"),
    [("yes", (None, None), "unknown"), ("no", (1.0, 0.8), "unknown"), ("", (1.0, 0.8), "unknown")],
)
def test_a_value_is_missing_where_the_protocol_says_so_and_stands_while_that_is_unknown(
    tmp_path: Path, pregnant: str, change: tuple[float | None, float | None], outcome: str
) -> None:
    units = "    units: [{}]\n"
    both = [units.format("ng/mL, women"), units.format("women pregnant, women allocated")]
    for unit, endpoint in zip(both, ("amh_change", "pregnancy"), strict=True):
        protocol = protocol_at(SMALL, unit, f'{unit}    missing: "any(transfer where pregnant)"\n')
        (tmp_path / endpoint).mkdir()
        mine = Desk(tmp_path / endpoint, protocol=protocol)
        mine.do(*opened(protocol=protocol), *allocated(), c.Observe("P-1", "amh", "1.0 ng/mL", "2026-06-07"))
        told = {"pregnant": pregnant} if pregnant else {}
        mine.do(c.Perform("P-1", "embryo_transfer", "t-1", "2026-05-08", told))
        (row,) = endpoint_table(mine.cut(), endpoint)
        if endpoint == "amh_change":
            assert (row.first, row.second) == change
            assert len(row.explanations) == (3 if pregnant == "yes" else 2), "why it is missing can be asked"
        else:
            assert isinstance(row.value, Answer)
            assert row.value.truth.value == outcome


def test_an_adverse_event_is_listed_with_its_day_from_the_cells(desk: Desk) -> None:
    desk.do(*infused("P-1"), *allocated("P-2", "control"))
    told = {"term": "fever", "grade": "2", "serious": "no", "related": "possible"}
    desk.do(c.AddRecord("P-1", "adverse_event", "ae-1", "2026-03-23", told))
    desk.do(c.AddRecord("P-2", "adverse_event", "ae-1", "2026-03-23", {"term": "headache"}))
    rows = [
        (row.participant, row.arm, row.on, row.day, row.term, row.grade, row.serious)
        for row in adverse_events(desk.cut())
    ]
    assert rows == [
        ("P-1", "cells", "2026-03-23", 3, "fever", "2", "no"),
        ("P-2", "control", "2026-03-23", None, "headache", "not recorded", "not recorded"),
    ]


# ---------------------------------------------------------------- the whole sheet


def test_a_report_can_be_written_of_an_empty_trial_and_of_partial_dates(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    desk = Desk(tmp_path, protocol=protocol_at(SMALL))
    assert write_report(desk.ledger, tmp_path / "report").flow.screened == 0
    desk.do(*opened(), *allocated("P-1", on="2026-03"), *consented("P-2", "2026"))
    desk.do(c.HoldVisit("P-1", "entry", "2026"), c.Observe("P-1", "weight", "99 kg", "2026"))
    desk.do(c.AddRecord("P-1", "adverse_event", "ae-1", "2026-04", {"term": "fever"}))
    assert write_report(desk.ledger, tmp_path / "report").flow.screened == 2
    assert "virtual" not in (tmp_path / "report" / "report.json").read_text("utf-8").replace('"virtual": false', "")
    assert "Virtual" not in (tmp_path / "report" / "figures" / "flow.svg").read_text("utf-8")


def test_what_people_wrote_cannot_break_the_page(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    desk = Desk(tmp_path)
    evil = "<script>alert('x')</script> & \"more\""
    desk.do(*opened(), *allocated(), c.Withdraw("P-1", evil, "2026-04-01"), *consented("P-2"))
    desk.do(c.EndScreening("P-2", evil, "2026-04-01"), *consented("P-3"), c.MissVisit("P-3", "screening", DAY, evil))
    write_report(desk.ledger, tmp_path / "report")
    for file in (tmp_path / "report").rglob("*.*ml"):
        assert "<script>alert" not in file.read_text("utf-8"), file.name
    for file in (tmp_path / "report").rglob("*.svg"):
        assert "<script>" not in file.read_text("utf-8"), file.name


def test_the_day_of_a_report_is_the_local_day_of_its_last_entry(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.do(c.ActivateProtocol("S01", desk.protocol.digest, "ethics", "2026-03-10"), at="2026-03-09T23:30:00Z")
    assert last_day(desk.ledger) == date(2026, 3, 10), "it was half past seven in the morning in Shanghai"
    assert open_study(desk.ledger).cut.today == date(2026, 3, 10)
