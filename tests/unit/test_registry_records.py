"""The two records of the project, and every form a record comes in: what stands there is found, nothing is made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.unit.registry_data import HAMSC, HBMSC, RECORDS, STANDARD, files, schema, with_records, with_standard
from trialwright.core.finding import Grade, mend, says
from trialwright.registry.criteria_lines import items
from trialwright.registry.read import read_record
from trialwright.registry.record import Record, at, leaves, look
from trialwright.registry.shape import OBJECTS, WORDS

P = "/protocolSection"

#: Pointer below the protocol section, what NCT07176143 says there.
SAID_BY_HBMSC: list[tuple[str, Any]] = [
    ("identificationModule/nctId", "NCT07176143"),
    ("identificationModule/briefTitle", "hBMSC Uterine Artery Infusion for Severe IUA-Related Infertility"),
    ("identificationModule/orgStudyIdInfo/id", "2024ZSLYFEC-013"),
    ("statusModule/overallStatus", "NOT_YET_RECRUITING"),
    ("statusModule/startDateStruct/date", "2025-09-30"),
    ("statusModule/completionDateStruct/date", "2028-12-30"),
    ("statusModule/lastUpdatePostDateStruct/date", "2025-09-16"),
    ("sponsorCollaboratorsModule/leadSponsor/name", "Sixth Affiliated Hospital, Sun Yat-sen University"),
    ("sponsorCollaboratorsModule/leadSponsor/class", "OTHER"),
    ("designModule/studyType", "INTERVENTIONAL"),
    ("designModule/phases", ["NA"]),
    ("designModule/designInfo/allocation", "NON_RANDOMIZED"),
    ("designModule/designInfo/interventionModel", "PARALLEL"),
    ("designModule/designInfo/primaryPurpose", "TREATMENT"),
    ("designModule/designInfo/maskingInfo/masking", "NONE"),
    ("designModule/enrollmentInfo/count", 60),
    ("armsInterventionsModule/armGroups/0/label", "Stem cell therapy group"),
    ("armsInterventionsModule/armGroups/1/label", "Control group"),
    ("eligibilityModule/sex", "FEMALE"),
    ("eligibilityModule/minimumAge", "20 Years"),
    ("eligibilityModule/maximumAge", "38 Years"),
    ("eligibilityModule/healthyVolunteers", False),
]
#: What nobody can know from that page.
SILENT_IN_HBMSC = [
    "identificationModule/officialTitle", "conditionsModule", "outcomesModule", "contactsLocationsModule",
    "armsInterventionsModule/armGroups/0/type", "armsInterventionsModule/interventions/0/type",
    "armsInterventionsModule/armGroups/1/interventionNames", "statusModule/primaryCompletionDateStruct",
]  # fmt: skip

SAID_BY_HAMSC: list[tuple[str, Any]] = [
    ("identificationModule/nctId", "NCT04706312"),
    ("identificationModule/briefTitle", "Transplantation of hAMSCs for Woman With DOR"),
    ("statusModule/overallStatus", "UNKNOWN"),
    ("conditionsModule/conditions", ["Diminished Ovarian Response"]),
    ("designModule/studyType", "INTERVENTIONAL"),
    ("designModule/designInfo", {"interventionModel": "SINGLE_GROUP"}),
    ("designModule/enrollmentInfo", {"count": 12}),
    ("armsInterventionsModule/interventions", [{"type": "OTHER", "name": "stem cells"}]),
    ("armsInterventionsModule/armGroups/0/label", "hAMSCs injection"),
    ("armsInterventionsModule/armGroups/0/interventionNames", ["Other: stem cells"]),
    ("armsInterventionsModule/armGroups/0/description", "hAMSCs were injected via venous in the dorsum of hand."),
    ("outcomesModule/primaryOutcomes/0/measure", "Safety and tolerability after hAMSCs injection."),
    ("outcomesModule/primaryOutcomes/0/timeFrame", "Up to 12 months after first hAMSCs injection"),
    ("outcomesModule/primaryOutcomes/1/timeFrame", "Up to 12 months after first hAMSCs injection"),
    ("outcomesModule/secondaryOutcomes/0/measure", "Ovarian function in DOR patients after hAMSCs injection."),
    ("outcomesModule/secondaryOutcomes/1/measure", "Outcomes of IVF in DOR patients after hAMSCs injection."),
    ("eligibilityModule/sex", "FEMALE"),
    ("contactsLocationsModule/locations/0/city", "Nanjing"),
    ("contactsLocationsModule/locations/0/state", "Jiangsu"),
    ("contactsLocationsModule/locations/0/country", "China"),
]
SILENT_IN_HAMSC = [
    "designModule/phases", "eligibilityModule/minimumAge", "eligibilityModule/maximumAge",
    "statusModule/startDateStruct",
    "sponsorCollaboratorsModule", "eligibilityModule/healthyVolunteers", "identificationModule/orgStudyIdInfo",
]  # fmt: skip


@pytest.fixture(scope="module")
def hbmsc() -> Record:
    return read_record(HBMSC, "record.txt")


@pytest.fixture(scope="module")
def hamsc() -> Record:
    return read_record(HAMSC.encode("utf-8"), "record.txt")


@pytest.mark.parametrize(("path", "value"), SAID_BY_HBMSC)
def test_what_the_page_of_the_hbmsc_trial_says_is_found(hbmsc: Record, path: str, value: object) -> None:
    assert look(hbmsc.study, f"{P}/{path}") == value


@pytest.mark.parametrize("path", SILENT_IN_HBMSC)
def test_what_the_page_of_the_hbmsc_trial_does_not_say_stays_empty(hbmsc: Record, path: str) -> None:
    assert look(hbmsc.study, f"{P}/{path}") is None


@pytest.mark.parametrize(("path", "value"), SAID_BY_HAMSC)
def test_what_the_page_of_the_hamsc_trial_says_is_found(hamsc: Record, path: str, value: object) -> None:
    assert look(hamsc.study, f"{P}/{path}") == value


@pytest.mark.parametrize("path", SILENT_IN_HAMSC)
def test_what_the_page_of_the_hamsc_trial_does_not_say_stays_empty(hamsc: Record, path: str) -> None:
    assert look(hamsc.study, f"{P}/{path}") is None


def test_every_criterion_of_both_pages_is_there_with_its_number_and_its_side(hbmsc: Record, hamsc: Record) -> None:
    printed = items(look(hbmsc.study, f"{P}/eligibilityModule/eligibilityCriteria"))
    assert [(one.side, one.number) for one in printed] == [
        *(("inclusion", number) for number in range(2, 10)),
        *(("exclusion", number) for number in range(2, 19)),
    ]
    run = items(look(hamsc.study, f"{P}/eligibilityModule/eligibilityCriteria"))
    assert [one.side for one in run] == [""] * 13
    assert run[0].words.startswith("Women between35 and 45 years")
    assert run[-1].words == "Patients identified with high risk for stem cell injection"


def test_the_arm_that_lists_the_intervention_again_is_the_one_that_receives_it(hbmsc: Record) -> None:
    arms = look(hbmsc.study, f"{P}/armsInterventionsModule/armGroups")
    name = "Delivering human bone marrow mesenchymal stem cells via the uterine artery"
    assert [arm.get("interventionNames") for arm in arms] == [[name], None]
    assert arms[0]["description"].startswith("Traditional hormone replacement")
    assert arms[0]["description"].endswith("via uterine artery.")
    given = look(hbmsc.study, f"{P}/armsInterventionsModule/interventions")
    assert [one["name"] for one in given] == [name]
    assert given[0]["description"].endswith("Treatment Frequency: Single intervention")


#: Finding, line of the page of NCT07176143, pointer.
@pytest.mark.parametrize(
    ("code", "line", "path"),
    [
        ("record_list_starts", 83, "eligibilityModule/eligibilityCriteria"),
        ("record_list_starts", 92, "eligibilityModule/eligibilityCriteria"),
        ("record_na", 9, "designModule/phases"),
        ("record_unlabelled", 8, "statusModule/overallStatus"),
        ("record_unlabelled", 12, "statusModule/startDateStruct/date"),
        ("record_unlabelled", 46, "designModule/designInfo/maskingInfo/masking"),
        ("record_start_ahead", 12, "statusModule/startDateStruct/date"),
        ("record_escaped", 68, "armsInterventionsModule/interventions/0/description"),
        ("record_arm_without", 62, "armsInterventionsModule/armGroups/1"),
        ("record_field_missing", 0, "conditionsModule/conditions"),
        ("record_field_missing", 0, "outcomesModule/primaryOutcomes"),
    ],
)
def test_a_doubt_about_the_hbmsc_trial_says_where_it_lies(hbmsc: Record, code: str, line: int, path: str) -> None:
    assert (code, line, f"{P}/{path}") in {(one.code, one.where.line, one.where.path) for one in hbmsc.findings}


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("record_criteria_run_together", 19),
        ("record_age_text_only", 19),
        ("record_row_flattened", 40),
        ("record_row_flattened", 38),
    ],
)
def test_a_doubt_about_the_hamsc_trial_says_where_it_lies(hamsc: Record, code: str, line: int) -> None:
    assert (code, line) in {(one.code, one.where.line) for one in hamsc.findings}


@pytest.mark.parametrize("page", [HBMSC, HAMSC], ids=["hbmsc", "hamsc"])
def test_each_value_of_a_page_stands_where_its_place_says(page: str) -> None:
    record = read_record(page, "record.txt")
    shown = dict(leaves(record.study))
    assert set(record.places) == set(shown)
    for pointer, value in shown.items():
        place = record.places[pointer]
        words = page[place.start : place.end]
        assert words.strip()
        assert page.count("\n", 0, place.start) + 1 == place.line
        if isinstance(value, str) and value.isprintable() and "interventionNames" not in pointer:
            assert _plain(value) in _plain(words) or _plain(words) in _plain(value), pointer


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def test_the_shape_is_the_one_that_the_registry_publishes() -> None:
    if not STANDARD.exists():
        pytest.skip(f"the OpenAPI description of the registry is not at {STANDARD}")
    schemas = yaml.load(STANDARD.read_text("utf-8"), yaml.CSafeLoader)["components"]["schemas"]
    for name, keys in OBJECTS.items():
        assert list(keys) == list(schemas[name]["properties"]), name
        for key, kind in keys.items():
            published = schemas[name]["properties"][key]
            listed = published.get("type") == "array"
            assert kind.startswith("[") == listed
            to = (published["items"] if listed else published).get("$ref", "").split("/")[-1]
            assert kind.strip("[]") in ({to} if to in OBJECTS or to in WORDS else set(_KINDS)), (name, key)
    for name, words in WORDS.items():
        assert list(words) == schemas[name]["enum"]


_KINDS = ("text", "yes or no", "count", "number", "date", "partial date")
EVERY = [*files("pages", "txt"), *files("xml", "xml"), *files("ctgov", "json")]


@with_standard
def test_every_printed_study_is_valid_with_unknown_keys_forbidden() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    assert len(EVERY) > 80
    for path in [*EVERY, RECORDS / "NCT07176143.txt", RECORDS / "NCT04706312.txt"]:
        study = read_record(path.read_bytes(), path.name).study
        if path.suffix == ".json":  # other sections are carried as they came, and hold keys that are not described yet
            study = {"protocolSection": study["protocolSection"]}
        faults = [f"{path.name} {error.json_path}: {error.message[:200]}" for error in validator.iter_errors(study)]
        assert faults == []
    assert list(validator.iter_errors({"protocolSection": {"trail": {}}}))


@with_records
@pytest.mark.parametrize("path", files("ctgov", "json"), ids=lambda path: path.stem)
def test_a_v2_record_is_carried_without_loss(path: Path) -> None:
    before = json.loads(path.read_text("utf-8"))
    record = read_record(path.read_bytes(), path.name)
    assert record.study == before
    assert json.dumps(record.study) == json.dumps(before)
    assert [one.code for one in record.findings if one.code in ("record_key", "record_value")] == []
    for pointer in list(record.places)[::50]:
        assert record.places[pointer].path == pointer
        at(record.study, pointer)


@with_records
def test_a_legacy_record_says_what_the_page_of_the_same_trial_says() -> None:
    study = read_record((RECORDS / "xml" / "NCT03391583.xml").read_bytes(), "NCT03391583.xml").study
    truth = json.loads((RECORDS / "truth" / "NCT03391583.json").read_text("utf-8"))
    expected = {
        "identificationModule/briefTitle": truth["title"],
        "identificationModule/officialTitle": truth["official"],
        "sponsorCollaboratorsModule/leadSponsor/name": truth["sponsor"],
        "designModule/enrollmentInfo/count": truth["enrollment"],
        "designModule/designInfo/allocation": truth["allocation"],
        "designModule/designInfo/maskingInfo/masking": truth["masking"],
        "eligibilityModule/minimumAge": truth["min_age"],
        "eligibilityModule/healthyVolunteers": truth["healthy"],
        "conditionsModule/conditions": truth["conditions"],
    }
    for path, value in expected.items():
        assert look(study, f"{P}/{path}") == value, path
    named = [one["measure"] for one in look(study, f"{P}/outcomesModule/secondaryOutcomes")]
    assert named == [one["m"] for one in truth["secondary"]]
    assert look(study, f"{P}/armsInterventionsModule/armGroups/0/interventionNames")


@with_records
def test_a_field_of_a_legacy_record_says_its_xpath_and_what_is_not_carried_is_told() -> None:
    record = read_record((RECORDS / "xml" / "NCT00734539.xml").read_bytes(), "NCT00734539.xml")
    assert record.places[f"{P}/identificationModule/nctId"].path == "/clinical_study/id_info/nct_id"
    assert record.places[f"{P}/outcomesModule/primaryOutcomes/0/measure"].path.startswith(
        "/clinical_study/primary_outcome"
    )
    assert record.study["hasResults"] is True
    assert "clinical_results" in {
        one.values.get("element") for one in record.findings if one.code == "record_element_unread"
    }


def test_a_key_that_the_registry_does_not_know_is_kept_and_told() -> None:
    study = {
        "protocolSection": {"identificationModule": {"nctID": "NCT00000001"}, "designModule": {"phases": ["PHASE9"]}}
    }
    record = read_record(json.dumps(study), "study.json")
    assert record.study == study
    told = {one.code: one for one in record.findings if one.grade is Grade.WARNING}
    assert told["record_key"].where.path == f"{P}/identificationModule/nctID"
    assert "`nctId`" in says(told["record_key"])
    assert told["record_value"].where.path == f"{P}/designModule/phases/0"


@pytest.mark.parametrize("record", [HBMSC, HAMSC], ids=["hbmsc", "hamsc"])
def test_every_finding_has_its_two_sentences(record: str) -> None:
    for one in read_record(record).findings:
        assert says(one)
        assert mend(one)
