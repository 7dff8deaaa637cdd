"""Pages in layouts that nobody taught the reader: what it takes without a doubt is right, all else is told.

The pages are made up. Some are laid out as registries do that the lexicon was not written for, some as no registry
does. Each row holds everything that the reader says of a page without a finding beside it.
"""

from __future__ import annotations

import pytest

from tests.unit.registry_data import ROOT
from trialwright.core.finding import Refused
from trialwright.registry.pages.draft import short
from trialwright.registry.read import read_record
from trialwright.registry.record import Record, leaves, look

PAGES = ROOT / "tests" / "data" / "strange_pages"
P = "/protocolSection"
#: What says nothing against a value: a field that the page lacks, and characters that were escaped.
NO_DOUBT = {"record_field_missing", "record_escaped"}

#: Page -> every value that no finding concerns, by its pointer without the word Module.
CERTAIN: dict[str, dict[str, object]] = {
    "columns_by_blanks": {},
    "equals_signs": {},
    "exclusions_first": {
        "identification/nctId": "NCT01234567",
        "identification/briefTitle": "Cells for knees",
    },
    "export_with_tabs": {
        "identification/nctId": "NCT01234567",
        "identification/briefTitle": "Cells for knees",
        "status/overallStatus": "RECRUITING",
        "status/startDateStruct/date": "2021-04",
        "design/phases/0": "PHASE2",
        "design/enrollmentInfo/count": 45,
        "armsInterventions/interventions/0/type": "BIOLOGICAL",
        "armsInterventions/interventions/0/name": "Cells",
        "armsInterventions/interventions/1/type": "OTHER",
        "armsInterventions/interventions/1/name": "Saline",
        "eligibility/sex": "ALL",
        "eligibility/minimumAge": "18 Years",
        "eligibility/maximumAge": "75 Years",
    },
    "free_text_entries": {
        "design/studyType": "INTERVENTIONAL",
        "design/designInfo/interventionModel": "PARALLEL",
        "design/designInfo/primaryPurpose": "TREATMENT",
        "design/enrollmentInfo/count": 60,
        "eligibility/eligibilityCriteria": "Additional Inclusion Criteria: Knee pain Exclusion Criter...",
        "eligibility/sex": "ALL",
        "eligibility/minimumAge": "18 Years",
    },
    "headings_and_plain_english": {
        "identification/officialTitle": "Effect of daily walking on sleep in adults over 65: a ran...",
        "status/completionDateStruct/date": "2022-12-31",
        "conditions/conditions/0": "Insomnia",
        "design/enrollmentInfo/count": 120,
        "eligibility/sex": "ALL",
    },
    "headings_inside_text": {
        "identification/nctId": "NCT01234567",
        "identification/briefTitle": "Status of phase in sponsor trials",
        "description/briefSummary": "Phase: in the first part, patients rest. Status: we descr...",
        "conditions/conditions/0": "Asthma",
    },
    "labels_above_values": {
        "identification/nctId": "NCT01234567",
        "identification/briefTitle": "Cells for knees",
    },
    "labels_without_colons": {},
    "leaders_of_dots": {},
    "letter": {},
    "lettered_sections": {
        "identification/orgStudyIdInfo/id": "XYZ-301",
        "identification/officialTitle": "A randomised, double-blind study of examplemab in women w...",
        "status/startDateStruct/date": "2019-07-01",
        "sponsorCollaborators/leadSponsor/name": "Example Pharma GmbH",
        "eligibility/sex": "FEMALE",
    },
    "list_of_definitions": {
        "identification/nctId": "NCT01234567",
        "identification/briefTitle": "Cells for knees",
        "eligibility/sex": "ALL",
    },
    "other_words_in_a_table": {
        "design/designInfo/maskingInfo/masking": "DOUBLE",
    },
    "percent_and_stars": {},
    "portal": {
        "identification/briefTitle": "Laser for pain",
        "identification/officialTitle": "Effect of laser on pain: a randomised trial",
        "status/lastUpdatePostDateStruct/date": "2021-01-11",
        "sponsorCollaborators/leadSponsor/name": "Universidade Federal",
        "conditions/conditions/0": "Chronic pain",
        "design/phases/0": "NA",
        "design/enrollmentInfo/count": 40,
        "eligibility/eligibilityCriteria": "Inclusion criteria: Pain for three months; adults. Exclus...",
    },
    "questions": {},
    "small_labels": {
        "identification/officialTitle": "Study of drug X for lupus",
        "status/overallStatus": "RECRUITING",
        "conditions/conditions/0": "SLE",
        "design/studyType": "INTERVENTIONAL",
        "design/designInfo/allocation": "RANDOMIZED",
        "design/designInfo/interventionModel": "PARALLEL",
        "design/designInfo/maskingInfo/masking": "DOUBLE",
        "design/enrollmentInfo/count": 80,
        "eligibility/sex": "ALL",
    },
    "two_columns": {},
    "two_languages": {
        "identification/briefTitle": "Umbilical cord cells for thin endometrium: a randomised t...",
        "identification/officialTitle": "A randomised controlled trial of umbilical cord cells for...",
        "status/overallStatus": "NOT_YET_RECRUITING",
        "status/studyFirstPostDateStruct/date": "2024-02-26",
        "sponsorCollaborators/leadSponsor/name": "Peking Hospital",
        "design/designInfo/maskingInfo/masking": "NONE",
        "eligibility/sex": "FEMALE",
    },
    "two_trials": {},
    "values_before_labels": {
        "identification/briefTitle": "Cells for knees",
    },
}


def _certain(record: Record) -> dict[str, object]:
    """Every value of a record that no finding concerns, itself or what holds it; of a long text its beginning."""
    doubted = {one.where.path for one in record.findings if one.code not in NO_DOUBT and one.where.path}
    return {
        pointer.removeprefix(f"{P}/").replace("Module", ""): short(value, 60) if isinstance(value, str) else value
        for pointer, value in leaves(record.study)
        if not any(pointer == one or pointer.startswith(f"{one}/") or one.startswith(f"{pointer}/") for one in doubted)
    }


@pytest.mark.parametrize("page", CERTAIN)
def test_a_page_in_a_strange_layout_says_without_a_doubt_only_what_stands_there(page: str) -> None:
    record = read_record((PAGES / f"{page}.txt").read_bytes(), f"{page}.txt")
    assert _certain(record) == CERTAIN[page]


def test_every_strange_page_is_read() -> None:
    assert {path.stem for path in PAGES.glob("*.txt")} == set(CERTAIN)


#: A page, the field that is doubtful, the finding that says so.
DOUBTS = [
    ("labels_above_values", "eligibilityModule/maximumAge", "record_labels_stacked"),
    ("portal", "identificationModule/orgStudyIdInfo/id", "record_number_other"),
    ("lettered_sections", "conditionsModule/conditions", "record_names_doubtful"),
    ("headings_and_plain_english", "eligibilityModule/eligibilityCriteria", "record_criteria_gathered"),
    ("two_languages", "eligibilityModule/eligibilityCriteria", "record_criteria_trailing"),
    ("two_columns", "identificationModule/briefTitle", "record_title_guessed"),
    ("two_trials", "identificationModule/nctId", "record_contradicts"),
]


@pytest.mark.parametrize(("page", "path", "code"), DOUBTS)
def test_what_a_strange_layout_makes_doubtful_is_told(page: str, path: str, code: str) -> None:
    record = read_record((PAGES / f"{page}.txt").read_bytes(), f"{page}.txt")
    assert code in {one.code for one in record.findings if one.where.path == f"{P}/{path}"}


def test_a_page_that_begins_with_a_word_in_brackets_is_no_json() -> None:
    record = read_record("[trial]\nNCT ID: NCT00000001\nTitle: Rest\n")
    assert record.form == "page"
    assert look(record.study, f"{P}/identificationModule/briefTitle") == "Rest"
    with pytest.raises(Refused, match="looks like JSON"):
        read_record('["trial"')


def test_inclusion_and_exclusion_behind_their_headings_are_both_kept() -> None:
    page = (
        "NCT ID: NCT00000001\nTitle: Rest\nInclusion criteria: Pain.\nExclusion criteria: Pregnancy.\nGender: Female\n"
    )
    record = read_record(page)
    text = look(record.study, f"{P}/eligibilityModule/eligibilityCriteria")
    assert text.split("\n\n") == ["Inclusion criteria:", "Pain.", "Exclusion criteria:", "Pregnancy."]
    assert look(record.study, f"{P}/eligibilityModule/sex") == "FEMALE"
