"""Pages: what a heading announces, what has lost its borders, what no heading holds; no wrong field in silence."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.record_layouts import LAYOUTS
from tests.records import judge, judged, main
from tests.unit.registry_data import RECORDS, with_records
from trialwright.core.finding import Refused
from trialwright.registry.pages import lexicon
from trialwright.registry.pages.time_frame import frames
from trialwright.registry.read import read_record
from trialwright.registry.record import look

P = "/protocolSection"
HEAD = "A Study of Rest in Bed\nNCT ID: NCT00000001\n"


@with_records
def test_the_shared_pages_are_read_right_and_nothing_is_wrong_without_a_finding() -> None:
    by_layout: dict[str, Counter[str]] = {}
    for layout, _, verdicts in judged(RECORDS / "pages", RECORDS / "truth"):
        for one in verdicts:
            by_layout.setdefault(layout, Counter()).update(stood=1, right=one.right, wrong=one.wrong)
    assert len(by_layout) == 5
    for layout, counts in by_layout.items():
        assert counts["stood"] > 500, layout
        assert counts["right"] >= 0.98 * counts["stood"], layout
        assert counts["wrong"] == 0, layout


@with_records
@pytest.mark.parametrize("layout", LAYOUTS)
def test_other_layouts_are_read_by_the_same_reader(layout: str) -> None:
    counts: Counter[str] = Counter()
    for path in sorted((RECORDS / "truth").glob("*.json")):
        truth = json.loads(path.read_text("utf-8"))
        for one in judge(LAYOUTS[layout](truth), truth, path.stem):
            counts.update(stood=1, right=one.right, wrong=one.wrong)
    assert counts["stood"] > 800
    assert counts["right"] >= 0.98 * counts["stood"]
    assert counts["wrong"] == 0


@with_records
def test_the_judge_sees_a_wrong_field_a_missing_one_and_an_invented_one() -> None:
    truth = json.loads((RECORDS / "truth" / "NCT00763412.json").read_text("utf-8"))
    page = (RECORDS / "pages" / "NCT00763412__medpath_md.txt").read_text("utf-8")
    assert not [one for one in judge(page, truth) if not one.right]
    assert [one.field for one in judge(page, {**truth, "sex": "FEMALE"}) if one.wrong] == ["sex"]
    assert {one.field for one in judge(page, {**truth, "sponsor": "Somebody Else"}) if one.wrong} == {"sponsor"}
    fewer = {**truth, "primary": truth["primary"][1:]}
    assert [one.field for one in judge(page, fewer) if one.wrong] == ["outcome"]


def test_the_report_per_layout_and_field_says_when_there_is_nothing_to_judge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), str(tmp_path)]) == 2
    assert "no page" in capsys.readouterr().out


def test_no_heading_announces_two_things_and_each_is_written_as_the_lexicon_compares_it() -> None:
    names = [words for table in (lexicon.LABELS, lexicon.SECTIONS) for several in table.values() for words in several]
    assert [words for words, count in Counter(names).items() if count > 1] == []
    assert [words for words in names if lexicon.plain(words) != words] == []


#: Page, pointer below the protocol section, value.
@pytest.mark.parametrize(
    ("page", "path", "value"),
    [
        ("Study Type: Interventional", "designModule/studyType", "INTERVENTIONAL"),
        ("Phase: Phase 1/Phase 2", "designModule/phases", ["PHASE1", "PHASE2"]),
        ("Phase | Phase II |", "designModule/phases", ["PHASE2"]),
        ("Enrollment (Estimated)\n1,200 participants", "designModule/enrollmentInfo/count", 1200),
        (
            "Masking: Double (Participant, Investigator)",
            "designModule/designInfo/maskingInfo/whoMasked",
            ["PARTICIPANT", "INVESTIGATOR"],
        ),
        ("Masking: None (Open Label)", "designModule/designInfo/maskingInfo/masking", "NONE"),
        ("Ages Eligible for Study: 18 Years and older (Adult)", "eligibilityModule/minimumAge", "18 Years"),
        (
            "Study Start (Actual): June 5, 2022",
            "statusModule/startDateStruct",
            {"date": "2022-06-05", "type": "ACTUAL"},
        ),
        ("Start Date: 25/06/2022", "statusModule/startDateStruct/date", "2022-06-25"),
        ("Start Date: 05/06/2022", "statusModule/startDateStruct", None),
        ("Sex: it was recorded", "eligibilityModule/sex", None),
        ("Conditions: Anaemia; Asthma", "conditionsModule/conditions", ["Anaemia", "Asthma"]),
        ("Conditions\nCOVID-19Aerobic Exercise", "conditionsModule/conditions", ["COVID-19", "Aerobic Exercise"]),
    ],
)
def test_a_labelled_value_is_read_by_its_shape(page: str, path: str, value: object) -> None:
    assert look(read_record(HEAD + page).study, f"{P}/{path}") == value


#: Page, finding.
@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("Start Date: 05/06/2022", "record_date_ambiguous"),
        ("Sex: it was recorded", "record_label_value"),
        ("Phase\nNA", "record_na"),
        ("Status: Completed\nRecruitment Status: Recruiting", "record_contradicts"),
        ("Conditions | Phase |\n---|---|\nCystic Fibrosis Diabetes | Phase 1 |", "record_names_run_together"),
        ("Conditions\nCOVID-19Aerobic Exercise", "record_names_split"),
        ("Inclusion Criteria\n1. A\n2. B\n4. C\nExclusion Criteria\n1. D", "record_list_gap"),
        ("Inclusion Criteria\n1. A\nExclusion Criteria\n", "record_list_empty"),
        ("Eligibility Criteria\n- Aged 18 to 40 years\n- B\n- C", "record_age_text_only"),
        (
            "Minimum Age: 18 Years\nMaximum Age: 40 Years\nInclusion Criteria\n- Women aged 20 to 40 years",
            "record_age_differs",
        ),
        ("Masking: Double\nBrief Summary\nThis is an open-label study.", "record_masking_differs"),
        ("Locations (3)\nA Hospital\nParis, , France", "record_locations_missing"),
        ("- BMI [ Time Frame: 2 years ]\n- Weight [ Time Frame: 2 years ]", "record_rank_lost"),
        ("Inclusion Criteria\n- A\n- B and so on Exclusion Criteria:\n- C", "record_heading_in_line"),
        ("Primary Outcome Measures\nName Time Method\nSomething that cannot be divided", "record_row_unread"),
        ("Start Date: 2022-06-05\nCompletion Date: 2021-01-01", "record_dates_reversed"),
        ("Related Trials\nAnother\nNCT00000002", "record_related"),
        ("Central Contacts\nSomebody with a telephone", "record_lines_unread"),
    ],
)
def test_what_is_doubtful_on_a_page_is_a_finding(page: str, code: str) -> None:
    assert code in {one.code for one in read_record(HEAD + page).findings}


#: A row whose cells have only blanks between, and its time frame.
@pytest.mark.parametrize(
    ("row", "frame"),
    [
        ("Adverse Events 52 weeks", "52 weeks"),
        ("Overall survival From randomization up to 30 months Time to death", "From randomization up to 30 months"),
        ("Response at Week 16 Baseline to Week 16 Response is an assessment", "Baseline to Week 16"),
        (
            "Ovarian function. Up to 12 months after first hAMSCs injection Hormones are measured",
            "Up to 12 months after first hAMSCs injection",
        ),
        ("All cause 30-day mortality At 30 days after surgery All cause 30-day mortality", "At 30 days after surgery"),
        ("Percentage Who Survive 12 Months From registration to 1 year Null hypothesis", "From registration to 1 year"),
    ],
)
def test_a_time_frame_is_told_from_what_stands_around_it(row: str, frame: str) -> None:
    best = frames(row)[0]
    assert row[best.start : best.end] == frame


def test_a_line_of_the_description_that_looks_like_a_heading_stays_in_it() -> None:
    text = "Background.\nStudy Design\nTwo groups."
    page = f"Brief Summary\nWe study this.\nDetailed Description\n{text}\nStudy Design\nPARALLEL\n"
    study = read_record(HEAD + page).study
    assert look(study, f"{P}/descriptionModule/detailedDescription") == "Background.\nStudy Design\nTwo groups."
    assert look(study, f"{P}/designModule/designInfo/interventionModel") == "PARALLEL"


@pytest.mark.parametrize(
    "text", ["Dear all,\n\nlunch is at noon.\n", "x = 1\nprint(x)\n", "Conditions of sale\n\n1. Pay.\n"]
)
def test_a_text_that_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read_record(text, "letter.txt")
    assert [one.code for one in refused.value.findings] == ["record_not_recognised"]
