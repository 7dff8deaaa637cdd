"""Pregnancy outcomes: one record, the labels of three usages, and nothing decided that is not known."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.core.partial_date import PartialDate, on_day, partial_date
from trialwright.core.truth import Truth
from trialwright.trial.pregnancy import (
    FROM_KNOWLEDGE,
    Ending,
    Fetus,
    Label,
    Pregnancy,
    age_at_end,
    contradictions,
    counts,
    estimated_date_of_delivery,
    gestational_days,
    in_weeks,
    labels,
)

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN
ANSWER = {"yes": YES, "no": NO, "?": UNKNOWN}
TRANSFER = date(2026, 3, 24)
PAGE = Path(__file__).parents[2] / "docs" / "pregnancy.md"


def answers(pregnancy: Pregnancy) -> dict[tuple[str, str], Truth]:
    return {(one.definition, one.name): one.value for one in labels(pregnancy)}


def endings(pregnancy: Pregnancy) -> dict[str, str]:
    """The ending that each of the three definitions gives."""
    found = [one for one in labels(pregnancy) if one.is_ending and one.value is YES]
    return {one.definition: one.name for one in found if one.definition != "24 weeks"}


def lost_at(weeks: int, days: int = 0, **told: Any) -> Pregnancy:
    told = {"hcg_positive": YES, "sacs": 1, "heartbeats": 1, **told}
    return Pregnancy(ending="loss", ended_at_days=7 * weeks + days, **told)


def born_at(weeks: int, days: int = 0, **told: Any) -> Pregnancy:
    return Pregnancy(ending="live_birth", ended_at_days=7 * weeks + days, **told)


# ---------------------------------------------------------------------------------------------- gestational age


@pytest.mark.parametrize(
    ("age", "day_3", "day_5", "day_6"),
    [  # days after the transfer, as in the table of the protocol's schedule
        ("5w0d", 18, 16, 15),
        ("6w0d", 25, 23, 22),
        ("7w0d", 32, 30, 29),
        ("12w0d", 67, 65, 64),
        ("20w0d", 123, 121, 120),
        ("22w0d", 137, 135, 134),
        ("28w0d", 179, 177, 176),
        ("37w0d", 242, 240, 239),
        ("40w0d", 263, 261, 260),
    ],
)
def test_the_gestational_age_counts_from_the_embryo(age: str, day_3: int, day_5: int, day_6: int) -> None:
    for embryo_day, later in ((3, day_3), (5, day_5), (6, day_6)):
        on = TRANSFER + timedelta(days=later)
        assert in_weeks(gestational_days(TRANSFER, embryo_day, on)) == age
        if age == "40w0d":
            assert estimated_date_of_delivery(TRANSFER, embryo_day) == on


@pytest.mark.parametrize(("embryo_day", "age"), [(3, 17), (5, 19), (6, 20)])
def test_on_the_day_of_transfer_the_age_is_fourteen_days_and_the_embryos(embryo_day: int, age: int) -> None:
    assert gestational_days(TRANSFER, embryo_day, TRANSFER) == age


@pytest.mark.parametrize(
    ("transfer", "delivery"),
    [
        ("2027-06-12", "2028-02-28"),
        ("2027-06-13", "2028-02-29"),  # a leap day
        ("2027-06-14", "2028-03-01"),
        ("2026-06-13", "2027-03-01"),  # no leap day
        ("2026-01-31", "2026-10-19"),  # from the end of a month
        ("2028-02-29", "2028-11-16"),
    ],
)
def test_month_ends_and_leap_days_are_counted_as_days(transfer: str, delivery: str) -> None:
    assert estimated_date_of_delivery(date.fromisoformat(transfer), 5) == date.fromisoformat(delivery)


@pytest.mark.parametrize("embryo_day", [0, 8, 24])
def test_an_embryo_day_outside_one_to_seven_is_refused(embryo_day: int) -> None:
    with pytest.raises(ValueError, match="embryo"):
        gestational_days(TRANSFER, embryo_day, TRANSFER)
    with pytest.raises(ValueError, match="embryo"):
        Pregnancy(embryo_day=embryo_day)


@pytest.mark.parametrize("told", [{"sacs": -1}, {"born": -1}, {"ended_at_days": -1}, {"ending": "miscarriage"}])
def test_what_cannot_be_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"negative|not one of"):
        Pregnancy(**told)


@pytest.mark.parametrize(
    ("transfer", "embryo_day", "ended_on", "told", "age"),
    [
        ("2026-03-24", 5, "2026-12-10", None, "280"),
        ("2026-03-24", None, "2026-12-10", None, "[276, 282]"),  # an embryo of day 1 to 7
        ("2026-03-24", 5, "2026-12", None, "[271, 301]"),
        ("2026-03", 5, "2026-12-10", None, "[273, 303]"),
        ("2026-03-24", 5, "2026-12", 280, "280"),  # the told age lies within the month
        ("2026-03-24", 5, "2026-12-10", 280, "280"),
        ("2026-03-24", 5, "2026-12-10", 278, "[278, 280]"),
        ("2026-03-24", 5, "2026-12-10", 250, "[250, 280]"),
        ("2026-03-24", 5, "2026-03", None, "[19, 26]"),  # not before the transfer
        ("2026-03-24", 5, None, 280, "280"),
        (None, None, "2026-12-10", None, "[0, ∞)"),
        (None, None, None, 280, "280"),  # a conception without transfer
    ],
)
def test_the_age_at_the_end_is_as_narrow_as_is_known(
    transfer: str | None, embryo_day: int | None, ended_on: str | None, told: int | None, age: str
) -> None:
    one = Pregnancy(
        transfer=partial_date(transfer) if transfer else None,
        embryo_day=embryo_day,
        ended_on=partial_date(ended_on) if ended_on else None,
        ended_at_days=told,
    )
    assert str(age_at_end(one)) == age


@pytest.mark.parametrize(("told", "is_told"), [(277, False), (283, False), (276, True), (284, True)])
def test_an_age_more_than_three_days_off_the_dates_is_told(told: int, is_told: bool) -> None:
    one = Pregnancy(transfer=on_day(TRANSFER), embryo_day=5, ended_on=partial_date("2026-12-10"), ended_at_days=told)
    found = [each.says for each in contradictions(one)]
    assert found == ([f"It ended at {in_weeks(told)} as told, and at 40w0d by the dates."] if is_told else [])


def test_where_two_ages_differ_only_what_both_agree_on_is_said() -> None:
    one = lost_at(21, 0, transfer=on_day(TRANSFER), embryo_day=5, ended_on=on_day(TRANSFER + timedelta(days=137)))
    found = answers(one)  # 22w2d by the dates
    assert found["ICMART 2017", "miscarriage"] is UNKNOWN
    assert found["ICMART 2017", "late fetal loss"] is UNKNOWN
    assert (found["COMMIT 2020", "stillbirth"], found["China", "miscarriage"]) == (YES, YES)


# --------------------------------------------------------------------------------------------------- the labels


@pytest.mark.parametrize(
    ("weeks", "days", "icmart", "commit", "china"),
    [
        (8, 0, "miscarriage", "miscarriage", "miscarriage"),
        (19, 6, "miscarriage", "miscarriage", "miscarriage"),
        (20, 0, "miscarriage", "stillbirth", "miscarriage"),
        (21, 6, "miscarriage", "stillbirth", "miscarriage"),
        (22, 0, "late fetal loss", "stillbirth", "miscarriage"),
        (25, 0, "late fetal loss", "stillbirth", "miscarriage"),  # Zhang 2021
        (27, 6, "late fetal loss", "stillbirth", "miscarriage"),
        (28, 0, "stillbirth", "stillbirth", "stillbirth"),
        (39, 0, "stillbirth", "stillbirth", "stillbirth"),
    ],
)
@pytest.mark.parametrize("told", ["loss", "stillbirth"])
def test_a_loss_is_named_by_its_age_and_not_by_the_word_that_was_ticked(
    weeks: int, days: int, icmart: str, commit: str, china: str, told: Ending
) -> None:
    if weeks < 12 and told == "stillbirth":
        return
    one = replace(lost_at(weeks, days), ending=told)
    assert endings(one) == {"ICMART 2017": icmart, "COMMIT 2020": commit, "China": china}


@pytest.mark.parametrize(
    ("weeks", "days", "commit_20", "icmart_22", "variant_24", "china_28"),
    [
        (19, 6, "no", "no", "no", "no"),
        (20, 0, "yes", "no", "no", "no"),
        (21, 6, "yes", "no", "no", "no"),
        (22, 0, "yes", "yes", "no", "no"),
        (23, 6, "yes", "yes", "no", "no"),
        (24, 0, "yes", "yes", "yes", "no"),
        (27, 6, "yes", "yes", "yes", "no"),
        (28, 0, "yes", "yes", "yes", "yes"),
        (40, 0, "yes", "yes", "yes", "yes"),
    ],
)
def test_a_live_birth_counts_from_the_limit_of_each_definition(
    weeks: int, days: int, commit_20: str, icmart_22: str, variant_24: str, china_28: str
) -> None:
    found = answers(born_at(weeks, days))
    expected = {"COMMIT 2020": commit_20, "ICMART 2017": icmart_22, "24 weeks": variant_24, "China": china_28}
    assert {name: found[name, "live birth"] for name in expected} == {
        name: ANSWER[answer] for name, answer in expected.items()
    }
    for name in ("ICMART 2017", "COMMIT 2020", "China"):
        assert found[name, "miscarriage"] is found[name, "stillbirth"] is NO  # born alive is no loss


@pytest.mark.parametrize(
    ("told", "hcg", "biochemical", "clinical", "viable", "ectopic", "heterotopic", "unknown_location"),
    [
        # what is told                                            hCG    bioch. clin.  viable ectop. heter. PUL
        ({}, "?", "?", "?", "?", "?", "?", "?"),
        ({"hcg_positive": NO}, "no", "no", "no", "no", "no", "no", "no"),
        ({"hcg_positive": YES}, "yes", "?", "?", "?", "?", "?", "?"),
        ({"sacs": 1}, "yes", "no", "yes", "?", "?", "?", "no"),
        ({"sacs": 0, "hcg_positive": YES}, "yes", "?", "?", "no", "?", "no", "?"),
        ({"sacs": 0, "hcg_positive": YES, "ectopic": NO}, "yes", "?", "?", "no", "no", "no", "?"),
        (
            {"sacs": 0, "hcg_positive": YES, "ectopic": NO, "clinical_signs": NO, "hcg_visible": NO},
            *("yes", "yes", "no", "no", "no", "no", "no"),
        ),
        (
            {"sacs": 0, "hcg_positive": YES, "ectopic": NO, "clinical_signs": NO, "hcg_visible": YES},
            *("yes", "yes", "no", "no", "no", "no", "yes"),
        ),
        ({"clinical_signs": YES}, "yes", "no", "yes", "?", "?", "?", "?"),
        ({"ectopic": YES, "sacs": 0}, "yes", "no", "yes", "no", "yes", "no", "no"),
        ({"ectopic": YES}, "yes", "no", "yes", "?", "yes", "?", "no"),
        ({"ectopic": YES, "sacs": 1, "heartbeats": 1}, "yes", "no", "yes", "yes", "yes", "yes", "no"),
        ({"ending": "ectopic"}, "yes", "no", "yes", "no", "yes", "no", "no"),
        ({"sacs": 1, "heartbeats": 0}, "yes", "no", "yes", "no", "?", "?", "no"),
        ({"heartbeats": 2}, "yes", "no", "yes", "yes", "?", "?", "no"),
        ({"ending": "live_birth"}, "yes", "no", "yes", "yes", "?", "?", "no"),
    ],
)
def test_what_the_pregnancy_was(
    told: dict[str, Any],
    hcg: str,
    biochemical: str,
    clinical: str,
    viable: str,
    ectopic: str,
    heterotopic: str,
    unknown_location: str,
) -> None:
    found = answers(Pregnancy(**told))
    assert found["as recorded", "positive hCG"] is ANSWER[hcg]
    assert found["ICMART 2017", "biochemical pregnancy"] is ANSWER[biochemical]
    assert found["ICMART 2017", "clinical pregnancy"] is ANSWER[clinical]
    assert found["COMMIT 2020", "viable intrauterine pregnancy"] is ANSWER[viable]
    assert found["COMMIT 2020", "ectopic pregnancy"] is ANSWER[ectopic]
    assert found["ICMART 2017", "heterotopic pregnancy"] is ANSWER[heterotopic]
    assert found["ICMART 2017", "pregnancy of unknown location"] is ANSWER[unknown_location]


def test_a_loss_without_a_heartbeat_is_a_miscarriage_but_not_for_commit() -> None:
    assert endings(lost_at(7, heartbeats=0)) == {"ICMART 2017": "miscarriage", "China": "miscarriage"}
    assert answers(lost_at(7, heartbeats=None))["COMMIT 2020", "miscarriage"] is UNKNOWN


def test_the_loss_of_a_biochemical_pregnancy_is_no_miscarriage() -> None:
    assert endings(lost_at(5, sacs=0, heartbeats=0, clinical_signs=NO, ectopic=NO)) == {}


def test_a_termination_is_a_termination_at_any_age() -> None:
    for weeks in (8, 21, 30):
        one = Pregnancy(sacs=1, heartbeats=1, ending="termination", ended_at_days=weeks * 7)
        assert endings(one) == {"ICMART 2017": "induced abortion", "COMMIT 2020": "termination of pregnancy"}


@pytest.mark.parametrize(
    ("ended_on", "icmart", "commit", "china"),
    [  # transferred on 24 March, day 5: 20w0d on 23 July, 22w0d on 6 August, 28w0d on 17 September
        ("2026-06", "miscarriage", "miscarriage", "miscarriage"),
        ("2026-07", "miscarriage", "", "miscarriage"),
        ("2026-08", "", "stillbirth", "miscarriage"),
        ("2026-09", "", "stillbirth", ""),
        ("2026-10", "stillbirth", "stillbirth", "stillbirth"),
        ("2026", "", "", ""),
    ],
)
def test_a_month_leaves_open_only_the_limits_that_lie_in_it(
    ended_on: str, icmart: str, commit: str, china: str
) -> None:
    one = Pregnancy(
        transfer=on_day(TRANSFER),
        embryo_day=5,
        sacs=1,
        heartbeats=1,
        ending="loss",
        ended_on=partial_date(ended_on),
    )
    named = {"ICMART 2017": icmart, "COMMIT 2020": commit, "China": china}
    assert endings(one) == {name: label for name, label in named.items() if label}
    found = answers(one)
    for name, label in named.items():
        if not label:
            assert found[name, "stillbirth"] is UNKNOWN or found[name, "miscarriage"] is UNKNOWN


def test_a_live_birth_of_unknown_age_is_a_live_birth_nowhere_until_its_age_is_known() -> None:
    child = Fetus("A", alive_at_birth=YES, weight_g=3200)
    found = answers(Pregnancy(ending="live_birth", children=(child,)))
    for name in ("ICMART 2017", "COMMIT 2020", "China", "24 weeks"):
        assert found[name, "live birth"] is UNKNOWN
        if name != "24 weeks":
            assert found[name, "miscarriage"] is found[name, "stillbirth"] is NO
    assert found["ICMART 2017", "live birth of 500 g or more"] is YES


def test_a_pregnancy_that_goes_on_has_no_ending_and_excludes_none_but_an_early_miscarriage() -> None:
    found = labels(Pregnancy(sacs=1, heartbeats=1, ongoing_at_12_weeks=YES))
    assert {one.value for one in found if one.is_ending} == {UNKNOWN}


def test_not_ongoing_at_twelve_weeks_leaves_no_live_birth_and_no_stillbirth() -> None:
    found = answers(Pregnancy(hcg_positive=YES, sacs=1, ongoing_at_12_weeks=NO))
    for name in ("ICMART 2017", "COMMIT 2020", "China"):
        assert (found[name, "live birth"], found[name, "stillbirth"]) == (NO, NO)
        assert found[name, "miscarriage"] is UNKNOWN  # it may have been ended


# ------------------------------------------------------------------------------------------- twins and children


def test_twins_are_one_event_and_two_children() -> None:
    children = (Fetus("A", alive_at_birth=YES), Fetus("B", alive_at_birth=YES))
    one = born_at(36, embryos=2, sacs=2, heartbeats=2, born=2, live_born=2, children=children)
    found, counted = answers(one), counts(one)
    for name in ("clinical pregnancy", "live birth", "multiple pregnancy"):
        assert found["ICMART 2017", name] is YES
    assert found["COMMIT 2020", "viable intrauterine pregnancy"] is found["COMMIT 2020", "viable twins"] is YES
    assert found["COMMIT 2020", "viable singleton"] is NO
    assert (str(counted.deliveries), str(counted.children), str(counted.live_born)) == ("1", "2", "2")
    assert (str(counted.sacs), str(counted.embryos)) == ("2", "2")


def test_a_vanishing_twin_is_a_multiple_pregnancy_and_a_single_birth() -> None:
    found = answers(born_at(39, sacs=2, heartbeats=1, born=1, live_born=1))
    assert found["ICMART 2017", "multiple pregnancy"] is YES
    assert found["as recorded", "multiple birth"] is NO


def test_one_twin_alive_and_one_dead_is_a_live_birth_of_one_of_two_children() -> None:
    one = born_at(34, born=2, live_born=1)
    assert set(endings(one).values()) == {"live birth"}
    assert (str(counts(one).deliveries), str(counts(one).children), str(counts(one).live_born)) == ("1", "2", "1")


@pytest.mark.parametrize(
    ("pregnancy", "deliveries", "children", "live_born"),
    [
        (Pregnancy(hcg_positive=NO), "0", "0", "0"),
        (Pregnancy(), "[0, 1]", "[0, ∞)", "[0, ∞)"),
        (born_at(40), "1", "[1, ∞)", "[1, ∞)"),
        (born_at(21, born=1, live_born=1), "0", "0", "0"),  # a delivery from 22 weeks
        (lost_at(30, born=1), "1", "1", "0"),
        (lost_at(9), "0", "0", "0"),
        (Pregnancy(ending="live_birth", born=1, live_born=1), "[0, 1]", "[0, 1]", "[0, 1]"),
    ],
)
def test_counts_are_intervals_where_they_are_open(
    pregnancy: Pregnancy, deliveries: str, children: str, live_born: str
) -> None:
    found = counts(pregnancy)
    assert (str(found.deliveries), str(found.children), str(found.live_born)) == (deliveries, children, live_born)


def test_a_delivery_counts_from_the_weeks_that_are_asked_for() -> None:
    assert [str(counts(lost_at(25), weeks).deliveries) for weeks in (20, 22, 24, 28)] == ["1", "1", "1", "0"]


@pytest.mark.parametrize(
    ("child", "died"),
    [
        (Fetus("A", alive_at_birth=YES, died_at_days=0), "yes"),
        (Fetus("A", alive_at_birth=YES, died_at_days=27), "yes"),
        (Fetus("A", alive_at_birth=YES, died_at_days=28), "no"),
        (Fetus("A", alive_at_birth=YES, alive_at_28_days=YES), "no"),
        (Fetus("A", alive_at_birth=YES, alive_at_28_days=NO), "yes"),
        (Fetus("A", alive_at_birth=YES), "?"),
    ],
)
def test_a_neonatal_death_is_within_twenty_eight_days(child: Fetus, died: str) -> None:
    found = answers(born_at(38, born=1, live_born=1, children=(child,)))
    for name in ("ICMART 2017", "COMMIT 2020", "China"):
        assert found[name, "neonatal death"] is ANSWER[died]


def test_a_twin_of_whom_nothing_is_told_leaves_a_neonatal_death_open() -> None:
    first = Fetus("A", alive_at_birth=YES, alive_at_28_days=YES)
    assert answers(born_at(38, born=2, live_born=2, children=(first,)))["ICMART 2017", "neonatal death"] is UNKNOWN
    assert answers(born_at(38, born=2, live_born=1, children=(first,)))["ICMART 2017", "neonatal death"] is NO


# ----------------------------------------------------------------------------------------------- contradictions


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"hcg_positive": NO, "heartbeats": 1}, "The hCG was negative, and heartbeats says otherwise."),
        ({"sacs": 0, "ending": "live_birth"}, "No sac was seen in the uterus, and ending says otherwise."),
        (
            {"heartbeats": 0, "ongoing_at_12_weeks": YES},
            "No heartbeat was seen, and ongoing_at_12_weeks says otherwise.",
        ),
        ({"ongoing_at_12_weeks": NO, "live_born": 1}, "It was not ongoing at 12 weeks, and live_born says otherwise."),
        ({"ended_at_days": 70, "live_born": 1}, "It ended before 12 weeks, and live_born says otherwise."),
        ({"ending": "loss", "live_born": 1}, "It ended as loss, and live_born says otherwise."),
        ({"ending": "ectopic", "sacs": 1}, "It ended as ectopic, outside the uterus, and sacs says otherwise."),
        ({"ending": "ectopic", "ectopic": NO}, "It was not ectopic, and ending says otherwise."),
        ({"born": 1, "live_born": 2}, "2 were born alive, of whom 1 can be."),
        ({"born": 0, "children": (Fetus("A"),)}, "1 are described of 0 delivered."),
        ({"ending": "live_birth", "live_born": 0}, "It ended in a live birth of no child."),
        ({"live_born": 0, "children": (Fetus("A", died_at_days=3),)}, "1 children were alive, of 0."),
        (
            {"heartbeats": 1, "children": (Fetus("A", heartbeat=YES), Fetus("B", heartbeat=YES))},
            "More children had a heartbeat than 1.",
        ),
        (
            {"children": (Fetus("A", alive_at_28_days=YES, died_at_days=3),)},
            "What is told of the life of A cannot all be true.",
        ),
        (
            {"transfer": on_day(TRANSFER), "ended_on": partial_date("2026-03-23")},
            "It ended on 2026-03-23, before the transfer on 2026-03-24.",
        ),
    ],
)
def test_what_cannot_all_be_true_is_told(told: dict[str, Any], says: str) -> None:
    assert [one.says for one in contradictions(Pregnancy(**told))] == [says]


def test_what_rests_on_contradictory_answers_is_unknown_and_the_rest_is_not() -> None:
    found = answers(Pregnancy(hcg_positive=NO, heartbeats=1, ectopic=NO))
    assert found["COMMIT 2020", "viable intrauterine pregnancy"] is UNKNOWN
    assert found["as recorded", "positive hCG"] is UNKNOWN
    assert found["COMMIT 2020", "ectopic pregnancy"] is NO


# ------------------------------------------------------------------------------------------------ documentation


def test_the_page_lists_every_label_with_its_limit() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    listed = [row[:3] for row in rows if row[0] in {one.definition for one in labels(Pregnancy())}]
    assert listed == [(one.definition, one.name, one.says) for one in labels(Pregnancy())]


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        ("ICMART 2017", "late fetal loss"),
        ("ICMART 2017", "stillbirth"),
        ("ICMART 2017", "live birth"),
        ("ICMART 2017", "live birth of 500 g or more"),
        ("COMMIT 2020", "live birth"),
    ],
)
def test_a_limit_that_nobody_looked_up_says_so(definition: str, name: str) -> None:
    (label,) = (one for one in labels(Pregnancy()) if (one.definition, one.name) == (definition, name))
    assert label.says.endswith(FROM_KNOWLEDGE)


# ----------------------------------------------------------------------------------------------------- the laws

DECIDED = st.sampled_from([YES, NO])
COUNT = st.integers(0, 3)
FETUSES = st.lists(
    st.builds(
        Fetus,
        identity=st.sampled_from("AB"),
        heartbeat=DECIDED,
        alive_at_birth=DECIDED,
        alive_at_28_days=DECIDED,
        died_at_days=st.none() | st.integers(0, 40),
        weight_g=st.integers(300, 4000),
    ),
    max_size=2,
).map(tuple)
ANYTHING = st.builds(
    Pregnancy,
    transfer=st.integers(0, 30).map(lambda days: on_day(TRANSFER + timedelta(days=days))),
    embryo_day=st.integers(1, 7),
    embryos=COUNT,
    hcg_positive=DECIDED,
    hcg_visible=DECIDED,
    sacs=COUNT,
    ectopic=DECIDED,
    clinical_signs=DECIDED,
    heartbeats=COUNT,
    ongoing_at_12_weeks=DECIDED,
    ended_on=st.integers(-10, 280).map(lambda days: on_day(TRANSFER + timedelta(days=days))),
    ended_at_days=st.integers(20, 300),
    ending=st.sampled_from(["", "live_birth", "loss", "stillbirth", "termination", "ectopic"]),
    born=COUNT,
    live_born=COUNT,
    children=FETUSES,
)
NAMES = [field.name for field in fields(Pregnancy)]
NOTHING = Pregnancy()


@dataclass(frozen=True, slots=True)
class Story:
    """What truly happened, fully recorded, with the ending labels read off it without the module."""

    told: Pregnancy
    endings: dict[str, str]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    kind: Any = draw(st.sampled_from(["none", "biochemical", "ectopic", "loss", "termination", "live_birth"]))
    embryo_day, transfer = draw(st.integers(3, 6)), TRANSFER + timedelta(days=draw(st.integers(0, 60)))
    base = Pregnancy(transfer=on_day(transfer), embryo_day=embryo_day, embryos=2, hcg_positive=YES, hcg_visible=NO)
    nobody: dict[str, Any] = {"sacs": 0, "heartbeats": 0, "ongoing_at_12_weeks": NO, "born": 0, "live_born": 0}
    if kind == "none":
        return Story(replace(base, hcg_positive=NO, ectopic=NO, clinical_signs=NO, **nobody), {})
    age = draw({"biochemical": st.integers(28, 38), "ectopic": st.integers(35, 70)}.get(kind, st.integers(40, 295)))
    if kind == "live_birth":
        age = max(age, 19 * 7)
    base = replace(base, ended_on=on_day(transfer + timedelta(days=age - 14 - embryo_day)), ectopic=NO)
    if kind == "biochemical":
        return Story(replace(base, ending="loss", clinical_signs=NO, **nobody), {})
    if kind == "ectopic":
        return Story(replace(base, ectopic=YES, ending="ectopic", clinical_signs=YES, **nobody), {})
    sacs = draw(st.integers(1, 2))
    past_12 = kind == "live_birth" or age >= 20 * 7 or (age >= 12 * 7 and draw(st.booleans()))
    beats = sacs if past_12 else draw(st.integers(0, sacs))
    base = replace(
        base,
        sacs=sacs,
        heartbeats=beats,
        clinical_signs=YES,
        ectopic=draw(DECIDED),
        ongoing_at_12_weeks=YES if past_12 else NO,
        ending=kind,
        born=sacs if past_12 else 0,
        live_born=0,
    )
    if kind == "termination":
        return Story(base, {"ICMART 2017": "induced abortion", "COMMIT 2020": "termination of pregnancy"})
    weeks = age // 7
    if kind == "loss":
        named = {
            "ICMART 2017": "miscarriage" if weeks < 22 else "late fetal loss" if weeks < 28 else "stillbirth",
            "COMMIT 2020": "stillbirth" if weeks >= 20 else "miscarriage" if beats else "",
            "China": "miscarriage" if weeks < 28 else "stillbirth",
        }
        return Story(base, {name: label for name, label in named.items() if label})
    alive = draw(st.integers(1, sacs))
    children = tuple(
        Fetus(name, YES, truth_of(index < alive), truth_of(index < alive), None, 900 + 10 * index)
        for index, name in enumerate("AB"[:sacs])
    )
    limits = {"ICMART 2017": 22, "COMMIT 2020": 20, "China": 28}
    return Story(
        replace(base, live_born=alive, children=children),
        {name: "live birth" for name, limit in limits.items() if weeks >= limit},
    )


def truth_of(answer: bool) -> Truth:
    return YES if answer else NO


def forgotten(told: Pregnancy, names: set[str]) -> Pregnancy:
    return replace(told, **{name: getattr(NOTHING, name) for name in names})


def vaguer(when: PartialDate | None, length: int) -> PartialDate | None:
    return None if when is None else partial_date(str(when)[:length])


def flips(before: Pregnancy, after: Pregnancy) -> list[tuple[Label, Label]]:
    return [
        (one, other)
        for one, other in zip(labels(before), labels(after), strict=True)
        if {one.value, other.value} == {YES, NO}
    ]


@given(told=ANYTHING, names=st.sets(st.sampled_from(NAMES)), answered=st.sampled_from(NAMES))
@settings(max_examples=500, deadline=None)
def test_answering_an_unknown_never_turns_a_yes_into_a_no_or_a_no_into_a_yes(
    told: Pregnancy, names: set[str], answered: str
) -> None:
    assert flips(forgotten(told, names | {answered}), forgotten(told, names - {answered})) == []


@given(
    told=ANYTHING,
    names=st.sets(st.sampled_from(NAMES)),
    name=st.sampled_from(["transfer", "ended_on"]),
    length=st.sampled_from([4, 7]),
)
@settings(max_examples=150, deadline=None)
def test_learning_the_day_of_a_month_never_flips_a_label(
    told: Pregnancy, names: set[str], name: str, length: int
) -> None:
    known = forgotten(told, names)
    vague: dict[str, Any] = {name: vaguer(getattr(known, name), length)}
    assert flips(replace(known, **vague), known) == []


@given(told=ANYTHING, index=st.integers(0, 1), name=st.sampled_from([field.name for field in fields(Fetus)][1:]))
@settings(max_examples=150, deadline=None)
def test_learning_more_of_a_child_never_flips_a_label(told: Pregnancy, index: int, name: str) -> None:
    if index >= len(told.children):
        return
    children = list(told.children)
    children[index] = replace(children[index], **{name: getattr(Fetus(""), name)})
    assert flips(replace(told, children=tuple(children)), told) == []


@given(story=stories())
@settings(max_examples=300, deadline=None)
def test_a_story_told_in_full_has_the_endings_that_a_reader_gives_it(story: Story) -> None:
    assert contradictions(story.told) == ()
    assert endings(story.told) == story.endings
    assert all(one.value is not UNKNOWN for one in labels(story.told) if one.is_ending)


@given(story=stories(), names=st.sets(st.sampled_from(NAMES)), length=st.sampled_from([4, 7, 10]))
@settings(max_examples=300, deadline=None)
def test_a_story_told_in_part_says_nothing_that_the_whole_story_denies(
    story: Story, names: set[str], length: int
) -> None:
    part = forgotten(story.told, names)
    part = replace(part, ended_on=vaguer(part.ended_on, length))
    assert contradictions(part) == ()
    for some, whole in zip(labels(part), labels(story.told), strict=True):
        assert some.value in (UNKNOWN, whole.value), some
    for field in fields(counts(part)):
        some, whole = getattr(counts(part), field.name), getattr(counts(story.told), field.name)
        assert some.low <= whole.low <= whole.high <= some.high, field.name


@given(told=ANYTHING | stories().map(lambda story: story.told), names=st.sets(st.sampled_from(NAMES)))
@settings(max_examples=300, deadline=None)
def test_the_endings_of_one_definition_exclude_each_other(told: Pregnancy, names: set[str]) -> None:
    known = forgotten(told, names)
    found = labels(known)
    ended = [one for one in found if one.is_ending and one.value is YES]
    assert all(one.definition != other.definition for one, other in combinations(ended, 2))
    values = {(one.definition, one.name): one.value for one in found}
    if ended and values["COMMIT 2020", "ectopic pregnancy"] is YES:
        assert values["ICMART 2017", "heterotopic pregnancy"] is YES


@given(told=ANYTHING, names=st.sets(st.sampled_from(NAMES)))
@settings(max_examples=150, deadline=None)
def test_a_later_limit_never_finds_a_live_birth_that_an_earlier_one_denies(told: Pregnancy, names: set[str]) -> None:
    found = answers(forgotten(told, names))
    by_limit = [found[name, "live birth"] for name in ("COMMIT 2020", "ICMART 2017", "24 weeks", "China")]
    rank = {NO: 0, UNKNOWN: 1, YES: 2}
    assert by_limit == sorted(by_limit, key=lambda value: -rank[value])
