"""Any bytes as a record: a study or a refusal, within its limits; markup in a text field does no harm."""

from __future__ import annotations

import json
import time

import pytest

from tests.record_fuzz import run, seeds
from tests.unit.registry_data import HBMSC, ROOT
from trialwright.core.finding import Refused
from trialwright.registry.as_html import record_html
from trialwright.registry.as_text import summary
from trialwright.registry.read import LARGEST_PAGE, read_record

_ENTITY = '<!DOCTYPE clinical_study [<!ENTITY a "{}">]><clinical_study><brief_title>&a;</brief_title></clinical_study>'
_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE clinical_study [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<clinical_study><brief_title>&b;</brief_title></clinical_study>"
)
_OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE clinical_study SYSTEM "file:///etc/passwd">'
    "<clinical_study><brief_title>x</brief_title></clinical_study>"
)


def test_a_short_fuzz_finds_records_of_every_form_and_refusals() -> None:
    assert len(seeds(ROOT)) >= 2
    counts = run(400, 7, ROOT)
    assert sum(counts.values()) == 400
    assert counts["page"] > 50
    assert counts["refused"] > 50


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "record_empty"),
        (b" \n\t ", "record_empty"),
        (b"\x00\x01\x02PDF", "record_binary"),
        (b"\xff\xfe\x00", "record_binary"),
        (b"{", "record_json_broken"),
        (b'{"a": 1, "a": 2}', "record_json_broken"),
        (b'{"protocolSection": NaN}', "record_json_broken"),
        (b"[" * 200_000, "record_json_broken"),
        (b'{"protocolSection": 5}', "record_not_a_study"),
        (b'{"studies": []}', "record_several"),
        (b"<clinical_study>", "record_xml_broken"),
        (b"<clinical_study>" + b"<a>" * 500 + b"</a>" * 500 + b"</clinical_study>", "record_xml_broken"),
        (b"<?xml version='1.0'?><rss/>", "record_not_a_study"),
        (_BOMB.encode(), "record_xml_broken"),
        (_OUTSIDE.encode(), "record_xml_broken"),
        (_ENTITY.encode(), "record_xml_broken"),
        (b"NCT00000001 " + b"x" * LARGEST_PAGE, "record_too_large"),
        (b"Conditions\n" * 20_000, "record_too_large"),
    ],
)
def test_what_cannot_be_a_record_is_refused_with_a_reason(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_record(data, "record")
    assert [one.code for one in refused.value.findings] == [code]


def test_letters_of_another_encoding_are_read_with_a_warning() -> None:
    record = read_record("Étude\nNCT ID: NCT00000001\nSponsor: Hôpital\n".encode("cp1252"))
    assert "record_encoding" in {one.code for one in record.findings}
    assert record.study["protocolSection"]["sponsorCollaboratorsModule"]["leadSponsor"]["name"] == "Hôpital"


def test_half_of_a_surrogate_pair_is_replaced_and_told() -> None:
    record = read_record(b'{"protocolSection": {"identificationModule": {"briefTitle": "a\\ud800b"}}}')
    assert record.study["protocolSection"]["identificationModule"]["briefTitle"] == "a\ufffdb"
    assert "record_character_broken" in {one.code for one in record.findings}


def test_markup_in_every_text_field_is_escaped_on_the_page() -> None:
    nasty = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    module = {
        "armGroups": [{"label": nasty, "description": nasty, "interventionNames": [nasty]}],
        "interventions": [{"name": nasty, "description": nasty, "otherNames": [nasty]}],
    }
    study = {
        "protocolSection": {
            "identificationModule": {"briefTitle": nasty, "officialTitle": nasty, "nctId": nasty},
            "descriptionModule": {"briefSummary": nasty, "detailedDescription": nasty},
            "conditionsModule": {"conditions": [nasty], "keywords": [nasty]},
            "armsInterventionsModule": module,
            "outcomesModule": {"primaryOutcomes": [{"measure": nasty, "timeFrame": nasty, "description": nasty}]},
            "eligibilityModule": {"eligibilityCriteria": f"Inclusion Criteria:\n* {nasty}", "sex": nasty},
            "contactsLocationsModule": {"locations": [{"facility": nasty, "city": nasty, "country": nasty}]},
        }
    }
    record = read_record(json.dumps(study), nasty)
    page = record_html(record)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;alert(1)") > 15
    assert nasty in summary(record)


@pytest.mark.parametrize("kind", ["list", "number", "text", "nothing"])
def test_a_study_whose_parts_have_the_wrong_kind_is_told_and_shown(kind: str) -> None:
    wrong = {"list": [1], "number": 5, "text": "x", "nothing": None}[kind]
    modules = (
        "identificationModule",
        "statusModule",
        "designModule",
        "armsInterventionsModule",
        "outcomesModule",
        "eligibilityModule",
        "contactsLocationsModule",
        "conditionsModule",
        "sponsorCollaboratorsModule",
    )
    record = read_record(json.dumps({"protocolSection": dict.fromkeys(modules, wrong)}))
    assert sum(one.code == "record_value" for one in record.findings) == len(modules)
    assert summary(record)
    assert record_html(record)
    inside = {
        "armsInterventionsModule": {"armGroups": wrong, "interventions": [wrong]},
        "outcomesModule": {"primaryOutcomes": [wrong]},
        "conditionsModule": {"conditions": [wrong], "keywords": wrong},
        "designModule": {"phases": [wrong]},
        "contactsLocationsModule": {"locations": [wrong]},
        "eligibilityModule": {"eligibilityCriteria": wrong},
        "sponsorCollaboratorsModule": {"collaborators": [wrong]},
        "identificationModule": {"secondaryIdInfos": [wrong]},
        "descriptionModule": {"briefSummary": wrong},
    }
    record = read_record(json.dumps({"protocolSection": inside}))
    assert summary(record)
    assert record_html(record)


def test_the_largest_hostile_pages_take_seconds() -> None:
    head = "A Study of Rest\nNCT ID: NCT00000001\n"
    rows = "Mean at Week 16 Week 16 The mean of what was measured\n"
    for page in (
        f"{head}Primary Outcome Measures\nName Time Method\n{rows * 1500}",
        f"{head}Primary Outcome Measures\n{'1' * 400_000}",
        f"{head}Brief Summary\n{'**a ' * 100_000}",
        f"{head}Interventions\n{'Drug: A' * 60_000}",
        f"{head}{'Conditions' + chr(10)}" * 3000,
        HBMSC * 50,
    ):
        started = time.process_time()
        read_record(page)
        assert time.process_time() - started < 10
