"""A regimen as dated doses and tablets: the figures are those of the schedule's table, worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from tests.unit.desk import SMALL, Desk, allocated, opened, protocol_at
from tests.unit.protocols import HBMSC, changed, protocol_of
from trialwright.ledger.envelope import CORRECTED, VOIDED, Event, Json
from trialwright.protocol.document import Intervention
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.fold import fold_participant
from trialwright.trial.regimen import Course, course, courses, dated_doses
from trialwright.trial.state import Participant, TrialState
from trialwright.trial.tablets import Left, account, as_text, as_written, planned_tablets, splitting
from trialwright.views.cutoff import CutOff
from trialwright.views.regimen import need, regimens, stock

E2, P4 = "oestradiol valerate", "dydrogesterone"
D1 = date(2026, 3, 1)  # D24, the day of a transfer, is 24 March
FAR = date(2027, 12, 31)
ENDED = 'ends: "outcome in {miscarriage, stillbirth}"'


def day(number: int, first: date = D1) -> date:
    """The day of a course."""
    return first + timedelta(days=number - 1)


@cache
def hrt() -> Protocol:
    """The protocol, with the continuation that these tests are about in whatever place it has one."""
    text = protocol_of(HBMSC).files["protocol.yaml"].decode()
    line = next(one for one in text.splitlines() if one.strip().startswith(("after_transfer:", "continues:")))
    going_on = (
        f'    continues: {{record: transfer, positive: hcg_positive, until: 84, age: "14 + embryo_day", {ENDED}}}'
    )
    protocol, found, _ = changed(line, going_on)
    assert protocol is not None, found
    return protocol


def number(count: Fraction | None) -> float | None:
    return None if count is None else float(count)


class Her:
    """One woman's events, written as days of her course."""

    def __init__(self, first: date = D1) -> None:
        self.first = first
        self.told: list[Event] = []

    def event(self, type: str, on: int | str, payload: Mapping[str, Json], reason: str = "") -> int:
        seq = len(self.told) + 1
        told = on if isinstance(on, str) else day(on, self.first).isoformat()
        self.told.append(
            Event(
                seq, "participant/P-1", seq, "S01", type, told, "Asia/Shanghai", "2026-01-01T00:00:00Z", "Dr Li",
                "investigator", reason, f"c{seq}", 0, "", "test", dict(payload), "", "",
            )
        )  # fmt: skip
        return seq

    def begins(self, on: int | str = 1, record: str = "h-1") -> Her:
        self.event(e.PERFORMED, on, {"intervention": "hrt", "kind": "hrt_cycle", "record": record, "fields": {}})
        return self

    def transfer(self, on: int | str = 24, embryo: int | None = 5, record: str = "t-1") -> Her:
        fields: dict[str, Json] = {"embryo_day": {"entered": f"{embryo}", "value": f"{embryo}"}} if embryo else {}
        self.event(e.RECORD_ADDED, on, {"kind": "transfer", "record": record, "fields": fields})
        return self

    def tested(self, answer: str, on: int | str = 36, record: str = "t-1") -> int:
        return self.event(e.RECORD_COMPLETED, on, hcg(answer, record))

    def changed(self, drug: str, dose: str, on: int | str, record: str = "h-1") -> Her:
        told = {"intervention": "hrt", "record": record, "drug": drug, "dose": dose, "decided_by": "Dr Wu"}
        self.event(e.REGIMEN_CHANGED, on, told, "nausea")
        return self

    def tablets(self, count: int, on: int | str, drug: str = E2, strength: str = "1 mg", record: str = "h-1") -> Her:
        told = {"intervention": "hrt", "record": record, "drug": drug, "strength": strength}
        type = e.DRUG_DISPENSED if count > 0 else e.DRUG_RETURNED
        self.event(type, on, {**told, "tablets": abs(count)})
        return self

    @property
    def state(self) -> Participant:
        return fold_participant("P-1", self.told)

    def course(self, today: date = FAR, record: str = "h-1") -> Course:
        return course(hrt(), self.state, "hrt", record, today)

    def ends(self, today: date = FAR, record: str = "h-1") -> list[tuple[int | None, str]]:
        """The last day of each drug's plan, and why."""
        found = self.course(today, record)
        return [((one.end.last - self.first).days + 1 if one.end.last else None, one.end.why) for one in found.lines]


def hcg(answer: str, record: str = "t-1") -> dict[str, Json]:
    return {"kind": "transfer", "record": record, "fields": {"hcg_positive": {"entered": answer, "answer": answer}}}


def outcome(name: str) -> dict[str, Json]:
    return {"kind": "transfer", "record": "t-1", "fields": {"outcome": {"entered": name, "one_of": [name]}}}


# ---------------------------------------------------------------- the table "Tablets per patient"


@pytest.mark.parametrize(
    ("upto", "one_mg", "two_mg", "ten_mg"),
    [
        (28, 168, 84, 20),
        (36, 216, 108, 36),
        (54, 324, 162, 72),
        (75, 450, 225, 114),
        (89, 534, 267, 142),
        (120, 534, 267, 142),
    ],
    ids=["D28", "hCG", "7w0d", "10w0d", "12w0d", "beyond"],
)
def test_the_tablets_of_a_pregnancy_are_those_of_the_table(upto: int, one_mg: int, two_mg: int, ten_mg: int) -> None:
    her = Her().begins().transfer()
    her.tested("yes")
    plan = her.course()
    assert planned_tablets(plan, E2, day(upto)) == one_mg
    assert planned_tablets(plan, E2, day(upto), "2 mg") == two_mg
    assert planned_tablets(plan, P4, day(upto)) == ten_mg
    assert her.ends() == [(89, "12 weeks of gestation on 2026-05-28")] * 2


def test_sixty_women_need_what_is_written() -> None:
    intervention = hrt().document.interventions["hrt"]
    assert [(one.drug, one.strength, number(one.tablets)) for one in as_written(intervention)] == [
        (E2, "1 mg", 168),
        (P4, "10 mg", 20),
    ]
    assert [one.tablets for one in as_written(intervention, 60)] == [10_080, 1_200]
    assert [one.tablets for one in need(CutOff(hrt(), TrialState(), {}, FAR))] == [10_080, 1_200]


def test_the_doses_are_dated_from_day_1() -> None:
    found = dated_doses(Her().begins().course(), FAR)
    assert [
        (str(one.day), one.number, one.drug, one.dose, one.times) for one in found if one.number in (1, 19, 28)
    ] == [
        ("2026-03-01", 1, E2, "3 mg", 2),
        ("2026-03-19", 19, P4, "10 mg", 2),
        ("2026-03-19", 19, E2, "3 mg", 2),
        ("2026-03-28", 28, P4, "10 mg", 2),
        ("2026-03-28", 28, E2, "3 mg", 2),
    ]
    assert len(found) == 28 + 10


@pytest.mark.parametrize(
    ("first", "day_28", "weeks_12"),
    [
        (date(2026, 1, 31), "2026-02-27", "2026-04-29"),
        (date(2026, 2, 15), "2026-03-14", "2026-05-14"),
        (date(2028, 2, 15), "2028-03-13", "2028-05-13"),
        (date(2028, 2, 29), "2028-03-27", "2028-05-27"),
        (date(2026, 12, 10), "2027-01-06", "2027-03-08"),
    ],
    ids=["month end", "February", "leap year", "leap day", "new year"],
)
def test_days_are_counted_over_the_ends_of_months_and_leap_days(first: date, day_28: str, weeks_12: str) -> None:
    her = Her(first).begins()
    assert str(her.course(date(2029, 1, 1)).lines[0].end.last) == day_28
    her.transfer().tested("yes")
    assert str(her.course(date(2029, 1, 1)).lines[0].end.last) == weeks_12


# ---------------------------------------------------------------- when a plan ends


def test_without_a_transfer_the_plan_closes_as_written() -> None:
    assert Her().begins().ends() == [(28, "as written")] * 2


def test_a_plan_is_not_closed_while_the_result_of_a_transfer_is_unknown() -> None:
    her = Her().begins().transfer()
    assert her.ends() == [(None, "goes on: the result is unknown")] * 2
    assert planned_tablets(her.course(), E2, day(36)) == 216
    assert her.course().lines[0].end.at_most == day(89), "a positive test would not go beyond 12 weeks either"
    assert planned_tablets(her.course(), E2, FAR) == 534


@pytest.mark.parametrize("on", [36, 26, 60], ids=["as planned", "before day 28", "late"])
def test_a_negative_test_stops_the_plan_on_its_day(on: int) -> None:
    her = Her().begins().transfer()
    her.tested("no", on)
    assert her.ends() == [(on, f"negative test on {day(on)}")] * 2
    assert planned_tablets(her.course(), E2, FAR) == on * 6


@pytest.mark.parametrize(("embryo", "last"), [(3, 91), (5, 89), (6, 88)])
def test_a_positive_test_goes_on_to_12_weeks_by_the_age_of_the_embryo(embryo: int, last: int) -> None:
    her = Her().begins().transfer(embryo=embryo)
    her.tested("yes")
    assert her.ends() == [(last, f"12 weeks of gestation on {day(last)}")] * 2


def test_with_a_positive_test_and_no_age_the_plan_goes_on() -> None:
    her = Her().begins().transfer(embryo=None)
    her.tested("yes")
    (last, why), _ = her.ends()
    assert last is None
    assert why == "goes on: the gestational age is not known (unknown (transfer.embryo_day: not recorded))"
    assert her.course().lines[0].end.bound is None


def test_a_corrected_result_opens_the_plan_again() -> None:
    her = Her().begins().transfer()
    wrong = her.tested("no")
    assert her.ends()[0] == (36, f"negative test on {day(36)}")
    right = her.event(CORRECTED, 40, {"of": wrong, "payload": hcg("yes")}, "read wrongly")
    assert her.ends()[0] == (89, "12 weeks of gestation on 2026-05-28")
    her.event(VOIDED, 41, {"of": right}, "it was right")
    assert her.ends()[0] == (36, f"negative test on {day(36)}")


def test_a_transfer_taken_back_lets_the_plan_close_as_written() -> None:
    her = Her().begins().transfer()
    her.event(VOIDED, 25, {"of": 2}, "another woman's")
    assert her.ends() == [(28, "as written")] * 2


def test_what_comes_later_is_not_known_on_the_day_of_asking() -> None:
    her = Her().begins().transfer()
    her.tested("no")
    assert her.ends(day(23)) == [(28, "as written")] * 2
    assert her.ends(day(35)) == [(None, "goes on: the result is unknown")] * 2
    assert her.ends(day(36))[0][0] == 36


def test_a_drug_that_had_ended_before_the_transfer_does_not_go_on() -> None:
    assert Her().begins().transfer(29).ends() == [(28, "as written")] * 2
    assert Her().begins().transfer(28).ends()[0][0] is None
    early = Her().begins().transfer(18)
    assert early.ends() == [(None, "goes on: the result is unknown"), (28, "as written")]


def test_of_two_transfers_in_a_course_the_one_that_goes_on_longest_counts() -> None:
    her = Her().begins().transfer().transfer(26, record="t-2")
    her.tested("no")
    assert her.ends()[0][0] is None
    her.tested("no", 38, "t-2")
    assert her.ends()[0] == (38, f"negative test on {day(38)}")


def test_the_end_of_a_pregnancy_before_12_weeks_ends_the_plan() -> None:
    her = Her().begins().transfer()
    her.tested("yes")
    her.event(e.RECORD_COMPLETED, 60, outcome("miscarriage"))
    assert her.ends()[0] == (60, f"end of the pregnancy recorded on {day(60)}")
    late = Her().begins().transfer()
    late.tested("yes")
    late.event(e.RECORD_COMPLETED, 150, outcome("stillbirth"))
    assert late.ends()[0][0] == 89
    born = Her().begins().transfer()
    born.tested("yes")
    born.event(e.RECORD_COMPLETED, 60, outcome("termination"))
    assert born.ends()[0][0] == 89, "not among the outcomes of the condition"


def test_a_pregnancy_of_which_no_test_was_entered_ends_when_its_end_is_recorded() -> None:
    her = Her().begins().transfer()
    her.event(e.RECORD_COMPLETED, f"{day(60)}T10:30", outcome("miscarriage"))
    assert her.ends()[0] == (60, f"end of the pregnancy recorded on {day(60)}")


def test_dates_known_to_the_month_close_nothing_too_early() -> None:
    her = Her().begins().transfer("2026-03")
    assert her.ends()[0] == (None, "goes on: the result is unknown")
    positive = Her().begins().transfer("2026-03")
    positive.tested("yes")
    assert positive.ends()[0] == (None, "goes on: the day of the transfer is not known")
    negative = Her().begins().transfer()
    negative.tested("no", "2026-04")
    assert negative.ends()[0] == (61, "negative test on 2026-04")


def test_a_course_whose_day_1_is_not_known_has_no_dates() -> None:
    her = Her().begins("2026-03")
    assert (her.course().day_1, her.course().lines, dated_doses(her.course(), FAR)) == (None, (), [])
    (row,) = regimens(CutOff(hrt(), TrialState(), {"P-1": her.state}, FAR))
    assert (row.began, row.drug, row.why) == ("2026-03", "", "the day on which it began is not known")


# ---------------------------------------------------------------- two courses, and women who leave


def test_a_cycle_without_transfer_closes_and_the_next_one_is_its_own() -> None:
    her = Her().begins().begins(33, "h-2").transfer(32 + 24)
    her.tested("yes", 32 + 36)
    assert her.ends() == [(28, "as written")] * 2
    assert her.ends(record="h-2")[0] == (32 + 89, f"12 weeks of gestation on {day(32 + 89)}")
    assert [one.record for one in courses(hrt(), her.state, FAR)] == ["h-1", "h-2"]
    assert [one.record for one in courses(hrt(), her.state, day(32))] == ["h-1"]
    assert [len(one.transfers) for one in courses(hrt(), her.state, FAR)] == [0, 1]


def test_a_plan_ends_at_the_latest_where_the_next_course_begins() -> None:
    her = Her().begins().transfer().begins(40, "h-2")
    assert her.ends() == [(39, f"the next course began on {day(40)}")] * 2
    short = Her().begins().begins(20, "h-2")
    assert [last for last, _ in short.ends()] == [19, 19]
    assert short.ends(record="h-2")[0][1] == "as written"


def test_nothing_is_planned_here_for_a_woman_who_left() -> None:
    her = Her().begins().transfer()
    her.event(e.WITHDRAWN, 30, {}, "moved away")
    assert her.ends()[0] == (30, f"she left on {day(30)}: what she goes on with is not planned here")
    assert her.ends(day(29))[0][0] is None


# ---------------------------------------------------------------- medical decisions


def test_a_change_of_dose_counts_from_its_day_and_says_who_decided() -> None:
    her = Her().begins().changed(E2, "4 mg", 11)
    plan = her.course()
    assert planned_tablets(plan, E2, FAR) == 10 * 6 + 18 * 8
    assert planned_tablets(plan, P4, FAR) == 20
    assert [(one.day, one.dose, one.decided_by, one.reason) for one in plan.lines[0].changes] == [
        (day(11), "4 mg", "Dr Wu", "nausea")
    ]
    assert her.ends()[0] == (28, "as written")


def test_a_change_before_a_drug_begins_counts_from_its_first_day() -> None:
    assert planned_tablets(Her().begins().changed(P4, "20 mg", 5).course(), P4, FAR) == 40


def test_of_two_changes_on_a_day_the_later_entry_counts() -> None:
    her = Her().begins().changed(E2, "4 mg", 11).changed(E2, "2 mg", 11)
    assert planned_tablets(her.course(), E2, FAR) == 10 * 6 + 18 * 4


def test_a_stop_ends_the_plan_the_day_before_and_a_dose_takes_it_up_again() -> None:
    her = Her().begins().transfer().changed(P4, "stop", 26)
    assert her.ends() == [
        (None, "goes on: the result is unknown"),
        (25, f"stopped by medical decision on {day(26)} (Dr Wu: nausea)"),
    ]
    assert planned_tablets(her.course(), P4, FAR) == 7 * 2
    her.changed(P4, "10 mg", 30)
    assert her.ends()[1] == (None, "goes on: the result is unknown")
    assert planned_tablets(her.course(), P4, day(36)) == (7 + 7) * 2


def test_a_drug_may_be_stopped_before_it_begins() -> None:
    her = Her().begins().changed(P4, "stop", 5)
    assert planned_tablets(her.course(), P4, FAR) == 0
    assert her.ends()[1][1].startswith("stopped by medical decision")


def test_a_change_after_the_end_is_kept_and_has_no_effect() -> None:
    her = Her().begins().changed(E2, "4 mg", 40)
    assert planned_tablets(her.course(), E2, FAR) == 168
    assert [one.in_force for one in her.course().lines[0].changes] == [False]
    her.transfer().tested("yes")
    assert [one.in_force for one in her.course().lines[0].changes] == [True], "the plan reaches it now"
    her = Her().begins().changed(E2, "4 mg", 10)
    assert her.course(day(9)).lines[0].changes == ()


# ---------------------------------------------------------------- tablets


@pytest.mark.parametrize(
    ("dose", "strength", "says"),
    [
        ("3 mg", "1 mg", ""),
        ("3 mg", "2 mg", "3 mg from 2 mg tablets = 1.5 tablets, needs splitting"),
        ("10 mg", "3 mg", "10 mg from 3 mg tablets = 10/3 tablets, no whole, half or quarter tablets"),
        ("1000 ug", "1 mg", ""),
        ("3 mg", "", ""),
        ("3 mg", "5 mL", ""),
    ],
)
def test_a_dose_that_is_no_whole_number_of_tablets_says_so(dose: str, strength: str, says: str) -> None:
    assert splitting(dose, strength) == says


def test_adherence_is_used_over_planned_with_both_kept() -> None:
    her = Her().begins().tablets(168, 1).tablets(20, 19, P4, "10 mg").tablets(-6, 28).tablets(-1, 29, P4, "10 mg")
    told = account(her.course(), E2, her.state, day(28))
    assert (number(told.used), number(told.planned), told.unit, told.over) == (162, 168, "mg", True)
    assert told.adherence == Fraction(27, 28)
    (packed,) = told.tablets
    assert (packed.dispensed, packed.returned, packed.used, number(packed.planned), packed.says) == (
        168,
        6,
        162,
        168,
        "",
    )
    late = account(her.course(), P4, her.state, day(28)), account(her.course(), P4, her.state, day(29))
    assert [(number(one.used), number(one.planned)) for one in late] == [(200, 200), (190, 200)], (
        "the return came on day 29"
    )


def test_before_anything_is_planned_there_is_no_adherence() -> None:
    her = Her().begins()
    told = account(her.course(), P4, her.state, day(18))
    assert (number(told.used), number(told.planned), told.adherence, told.over) == (0, 0, None, False)


def test_strengths_are_mixed_by_their_amounts() -> None:
    her = Her().begins().tablets(42, 1).tablets(63, 1, strength="2 mg").tablets(-1, 28, strength="2.0 mg")
    told = account(her.course(), E2, her.state, day(28))
    assert (number(told.used), number(told.planned)) == (42 + 124, 168)
    assert [
        (one.strength, number(one.planned), number(one.in_all), one.dispensed, one.returned, one.says)
        for one in told.tablets
    ] == [
        ("1 mg", 168, 168, 42, 0, ""),
        ("2 mg", 0, 0, 63, 1, "3 mg from 2 mg tablets = 1.5 tablets, needs splitting"),
    ]


@pytest.mark.parametrize(
    ("given", "on", "left"),
    [
        (168, 1, Left(27, day(28), True)),
        (167, 1, Left(26, day(27), False)),
        (84, 14, Left(0, day(14), False)),
        (90, 14, Left(1, day(15), False)),
        (0, 14, Left(0, day(14), False)),
        (168, 28, Left(0, day(28), True)),
    ],
)
def test_the_days_of_supply_are_counted_after_the_doses_of_the_day(given: int, on: int, left: Left) -> None:
    her = Her().begins()
    if given:
        her.tablets(given, 1)
    assert account(her.course(), E2, her.state, day(on)).left == left


def test_the_supply_follows_changes_and_an_open_plan_outlasts_it() -> None:
    her = Her().begins().tablets(168, 1).changed(E2, "4 mg", 27)
    assert account(her.course(), E2, her.state, day(14)).left == Left(13, day(27), False)
    her = Her().begins().transfer(embryo=None).tablets(180, 1)
    assert account(her.course(), E2, her.state, day(24)).left == Left(6, day(30), False)


def test_the_listing_and_the_stock_are_those_of_all_women() -> None:
    one, two, three = Her().begins().tablets(168, 1).tablets(-6, 28), Her().begins().transfer(), Her()
    two.tablets(105, 1, strength="2 mg").changed(P4, "30 mg", 30)
    cut = CutOff(hrt(), TrialState(), {"P-1": one.state, "P-2": two.state, "P-3": three.state}, day(36))
    assert [(row.participant, row.drug, str(row.last), row.why, row.adherence) for row in regimens(cut)] == [
        ("P-1", E2, "2026-03-28", "as written", Fraction(27, 28)),
        ("P-1", P4, "2026-03-28", "as written", 0),
        ("P-1", E2, "None", "goes on: the result is unknown", Fraction(210, 216)),
        ("P-1", P4, "None", "goes on: the result is unknown", 0),
    ]
    assert regimens(cut)[3].doses == ("10 mg from 2026-03-19", "30 mg from 2026-03-30")
    assert regimens(cut)[3].changes == ("30 mg from 2026-03-30 (Dr Wu: nausea)",)
    assert [
        (row.drug, row.strength, number(row.planned), number(row.in_all), row.still_open, row.dispensed, row.returned)
        for row in stock(cut)
    ] == [
        (P4, "10 mg", 20 + 22 + 42, 20 + 22 + 60 * 6, 1, 0, 0),
        (E2, "1 mg", 168 + 216, 168 + 534, 1, 168, 6),
        (E2, "2 mg", 0, 0, 1, 105, 0),
    ]
    assert stock(cut)[2].says == "3 mg from 2 mg tablets = 1.5 tablets, needs splitting"
    assert [as_text(row.planned) for row in stock(cut) if row.planned is not None] == ["84", "384", "0"]


# ---------------------------------------------------------------- what may be written, and the gate


def _regimen(**line: str) -> Intervention:
    told = {"drug": "d", "dose": "3 mg", "every": "12 h", "days": "1..7", "strength": "1 mg"} | line
    return Intervention.model_validate({"label": "R", "kind": "regimen", "record": "r", "doses": [told]})


@pytest.mark.parametrize(
    ("line", "tablets"),
    [
        ({}, 42),
        ({"every": "24 h"}, 21),
        ({"every": "8 h", "days": "3"}, 9),
        ({"every": "48 h"}, 12),
        ({"every": "168 h", "days": "1..28"}, 12),
        ({"strength": "2 mg"}, 21),
        ({"strength": "0.5 mg"}, 84),
        ({"strength": "1000 ug"}, 42),
        ({"strength": ""}, None),
        ({"dose": "100 mg or 5 mg"}, None),
    ],
)
def test_a_line_is_counted_by_dose_interval_days_and_strength(line: dict[str, str], tablets: int | None) -> None:
    (found,) = as_written(_regimen(**line))
    assert found.tablets == tablets


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({"every": "5 h"}, "pattern"),
        ({"every": "twice a day"}, "pattern"),
        ({"days": "0..7"}, "pattern"),
        ({"days": "28..1"}, "the days 28..1 end before they begin"),
        ({"strength": "0 mg"}, "the strength 0 mg is no number above 0 with a unit"),
        ({"strength": "small"}, "the strength small is no number above 0 with a unit"),
        ({"strength": "1 mL"}, "a dose of 3 mg cannot be counted in tablets of 1 mL"),
    ],
)
def test_a_line_that_cannot_be_counted_is_a_fault_of_the_protocol(line: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        _regimen(**line)


_OLD = "  course: {label: Course of hormones, kind: regimen, record: hormones}"
_NEW = """  course:
    label: Course of hormones
    kind: regimen
    record: hormones
    doses:
      - {drug: oestradiol, dose: 2 mg, every: 48 h, days: 1..7, strength: 1 mg}
      - {drug: oestradiol, dose: 3 mg, every: 24 h, days: 8..14, strength: 1 mg}
      - {drug: letrozole, dose: 2.5 mg or 5 mg, every: 24 h, days: 1..5}"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, protocol=protocol_at(SMALL, _OLD, _NEW))
    first, *others = opened()
    assert isinstance(first, c.ActivateProtocol)
    desk.do(c.ActivateProtocol("S01", desk.protocol.digest, "ethics 2026-1", "2026-01-02"), *others, *allocated())
    desk.do(c.Perform("P-1", "course", "h-1", "2026-03-11"))
    return desk


def _dispense(tablets: int, strength: str = "1 mg", drug: str = "oestradiol", record: str = "h-1") -> c.DispenseDrug:
    return c.DispenseDrug("P-1", "course", record, drug, strength, tablets, "2026-03-11")


def _return(tablets: int, strength: str = "1 mg") -> c.ReturnDrug:
    return c.ReturnDrug("P-1", "course", "h-1", "oestradiol", strength, tablets, "2026-03-24")


def test_tablets_and_changes_go_through_the_gate_into_the_account(desk: Desk) -> None:
    desk.do(_dispense(29, "1.0 mg"), _return(2))
    change = c.ChangeRegimen("P-1", "course", "h-1", "oestradiol", "4.0 mg", "Dr Wu", "thin lining", "2026-03-20")
    desk.do(change, _dispense(5, "2.50 mg", "letrozole"))
    cut = desk.cut("2026-03-24")
    oestradiol, letrozole = regimens(cut)
    assert oestradiol.doses == ("2 mg from 2026-03-11", "3 mg from 2026-03-18", "4 mg from 2026-03-20")
    assert (number(oestradiol.planned), number(oestradiol.used)) == (4 * 2 + 2 * 3 + 5 * 4, 27)
    assert oestradiol.changes == ("4 mg from 2026-03-20 (Dr Wu: thin lining)",)
    assert (letrozole.planned, letrozole.used, letrozole.adherence, letrozole.left) == (
        None,
        Fraction(25, 2),
        None,
        None,
    )
    assert [(row.drug, row.strength, row.planned, row.dispensed) for row in stock(cut)] == [
        ("letrozole", "2.5 mg", None, 5),
        ("oestradiol", "1 mg", 34, 29),
    ]
    assert [(one.drug, one.tablets) for one in need(cut)] == [("oestradiol", 3 * 29), ("letrozole", None)]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (_dispense(0), "tablets_wrong"),
        (_dispense(5, "0 mg"), "value_impossible"),
        (_dispense(5, "1 mL"), "fact_unit"),
        (_dispense(5, drug="aspirin"), "fact_unknown"),
        (_dispense(5, record="h-9"), "record_unknown"),
        (_return(1), "tablets_wrong"),
        (
            c.ChangeRegimen("P-1", "course", "h-1", "oestradiol", "0 mg", "Dr Wu", "why", "2026-03-12"),
            "value_impossible",
        ),
        (c.ChangeRegimen("P-1", "course", "h-1", "oestradiol", "stop", "", "why", "2026-03-12"), "reason_missing"),
    ],
)
def test_what_cannot_be_is_refused(desk: Desk, command: c.Command, code: str) -> None:
    assert desk.refused(command) == [code]


def test_tablets_come_back_after_she_left_and_none_are_handed_out(desk: Desk) -> None:
    desk.do(_dispense(29), c.Withdraw("P-1", "moved away", "2026-03-20"))
    assert desk.refused(_return(5)) == []
    late = c.DispenseDrug("P-1", "course", "h-1", "oestradiol", "1 mg", 5, "2026-03-24")
    assert desk.refused(late) == ["has_left"]
