"""Loading and linting a protocol: every fault is a finding with its line, and nothing is ever raised."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.protocols import FOLDERS, HBMSC, changed, protocol_of
from trialwright.core.finding import Finding, Grade, mend, says
from trialwright.protocol.check import lint
from trialwright.protocol.coverage import coverage, quoted_by, totals
from trialwright.protocol.document import Document
from trialwright.protocol.load import digest_of, load, load_files
from trialwright.protocol.marked_yaml import Data, read
from trialwright.protocol.protocol import Protocol, label


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_real_protocol_has_neither_errors_nor_warnings(folder: Path) -> None:
    protocol, found = load(folder)
    assert protocol is not None
    everything = [*found, *lint(protocol)]
    assert [str(one) for one in everything if one.grade is not Grade.NOTE] == []
    assert protocol.digest == digest_of(protocol.files)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_coverage_drops_nothing(folder: Path) -> None:
    sentences, found = coverage(protocol_of(folder))
    assert found == []
    assert totals(sentences)["dropped"] == 0
    assert totals(sentences)["executed"] > 20


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_json_schema_accepts_a_real_protocol(folder: Path) -> None:
    schema = Document.model_json_schema(by_alias=True)
    jsonschema.Draft202012Validator.check_schema(schema)
    data = read((folder / "protocol.yaml").read_text("utf-8"), "protocol.yaml").data
    whole = Document.model_validate(data).model_dump(mode="json", by_alias=True)
    jsonschema.validate(json.loads(json.dumps(whole)), schema)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_json_schema_accepts_the_file_as_an_editor_sees_it(folder: Path) -> None:
    data = read((folder / "protocol.yaml").read_text("utf-8"), "protocol.yaml").data
    errors = list(jsonschema.Draft202012Validator(Document.model_json_schema(by_alias=True)).iter_errors(data))
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_parts_know_their_labels_and_quotations() -> None:
    protocol = protocol_of()
    assert label(protocol, "amh") == "Anti-Müllerian hormone"
    assert label(protocol, "amh", "zh") == "抗缪勒管激素"
    assert label(protocol, "late_thickness") == "Late proliferative thickness"
    assert label(protocol, "nobody") == "nobody"
    assert quoted_by(protocol, "population.inclusion.I3.rule") == ("3. Body mass index (BMI) 18-27 kg/m².",)


ITEM = "afc: {is: count"
FAULTS = [
    # what is written                          instead                                     code, lines below
    ("trial: NCT07176143", "trial: [", "yaml_broken", None),
    ("trial: NCT07176143", "trial: &t NCT\nother: *t", "yaml_broken", 1),
    ("version: 1\n", "version: 1\nversion: 2\n", "key_repeated", 1),
    ("version: 1\n", "version: 1\nverison: 2\n", "document_field", 1),
    ("enrolment: 60", "enrolment: many", "document_field", 0),
    ("enrolment: 60", "enrolment: 0", "document_field", 0),
    ("masking: none", "masking: dubble", "document_field", 0),
    ("title: hBMSC", "titel: hBMSC", "document_field", None),
    (ITEM, "afc: {is: quantum", "document_field", 0),
    (ITEM, "afc: {is: count, unit: follicles", "unit_unknown", 0),
    (ITEM, "afc: {is: count, valid: soon", "time_unreadable", 0),
    (ITEM, "afc: {is: count, absent: maybe", "document_field", 0),
    (ITEM, "afc: {is: count, absent: no in medical_history", "document_field", 0),
    (ITEM, "afc: {is: count, molar_mass: heavy", "quantity_unreadable", 0),
    (ITEM, "afc: {is: count, molar_mass: 5 kg", "quantity_unreadable", 0),
    ("possible: 0..120", "possible: 120..0", "interval_unreadable", 0),
    ("born: birth_date", "born: birth_day", "reference_unknown", 0),
    (", born: birth_date", "", "reference_unknown", 0),
    ("partner: [karyotype, birth_date]", "partner: [karyotype, shoe_size]", "reference_unknown", 0),
    ("hysteroscopy:\n    label:", "hysteroscopy:\n    of: nowhere\n    label:", "reference_unknown", 1),
    ("hysteroscopy:\n    label:", "hysteroscopy:\n    of: hysteroscopy\n    label:", "cycle", 1),
    ("embryo:\n    label:", "embryo:\n    items: [nothing]\n    label:", "reference_unknown", 1),
    ("good_blastocyst: {of: embryo", "good_blastocyst: {of: embrio", "reference_unknown", 0),
    ('bmi: {is: "weight / height^2"', 'bmi: {is: "bmi / height^2"', "cycle", 0),
    ('bmi: {is: "weight / height^2"', 'bmi: {is: "weight/height^2"', "operator_blanks", 0),
    ('bmi: {is: "weight / height^2", unit: kg/m2', 'bmi: {is: "weight / height^2", unit: kg/m3', "unit_mismatch", 0),
    ("afc >= 6", "afcs >= 6", "name_unknown", 0),
    ("afc >= 6", "afc => 6", "syntax", 0),
    ("afc >= 6", "afc", "type_mismatch", 0),
    ("platelets < 100 10*9/L", "platelets < 100 g/L", "unit_mismatch", 0),
    ("platelets < 100 10*9/L", "platelets < 100", "unit_missing", 0),
    ("sex = female", "sex = femal", "category_unknown", 0),
    ("I1: {rule: informed_consent, assumes", "I1: {assumes", "criterion_undecidable", 0),
    ("* weight at infusion", "* weight at infussion", "anchor_unknown", 0),
    ("at: 7 days after oestradiol", "at: 7 days after estradiol", "anchor_unknown", 0),
    ("at: 7 days after oestradiol", "at: sometime in spring", "time_unreadable", 0),
    ("oestradiol: {record: hrt_cycle", "oestradiol: {record: hrt_cicle", "reference_unknown", 0),
    ("allocation: {event: allocation}", "allocation: {event: alocation}", "reference_unknown", 0),
    ("    ratio: [", "    proportion: fever_item\n    ratio: [", "document_field", None),
    ("relatives:\n  partner:", "relatives:\n  amh: [karyotype]\n  partner:", "name_taken", 1),
    ("trial: NCT07176143", "trial: NCT07176143\nrecord: lost.txt", "record_missing", 1),
]


@pytest.mark.parametrize(("old", "new", "code", "below"), FAULTS)
def test_a_fault_is_a_finding_on_its_line(old: str, new: str, code: str, below: int | None) -> None:
    protocol, found, line = changed(old, new)
    assert protocol is None
    matching = [one for one in found if one.code == code]
    assert matching, [str(one) for one in found]
    if below is not None:
        assert line + below in [one.where.line for one in matching], (line, matching)


DOUBTS = [
    ('from: "3. Body mass index', 'from: "3. Body muss index', "quote_not_in_record", 0),
    ('{from: "3. Body mass index (BMI) 18-27 kg/m².", rule:', "{rule:", "sentence_dropped", None),
    ("assumes: gardner_3bb}", "assumes: gardner_3cc}", "assumption_unknown", 0),
    (", assumes: recurrent_is_two", "", "assumption_unused", None),
    ("    choice: Two or more clinical losses.\n", "", "assumption_undecided", -1),
    ("exclude_pregnancy: {asks: [hcg]}", "exclude_pregnancy: {asks: [hgc]}", "reference_unknown", 0),
    ("observe: {asks: [observed_48_hours, puncture", "observe: {asks: [puncture", "reference_unused", None),
    ("serology: {asks: [hiv_antibody, ", "serology: {asks: [", "reference_unused", None),
    ("blocks: infusion\n", "blocks: infusing\n", "reference_unknown", None),
    ("does: measure_endometrium\n", "does: measure_everything\n", "reference_unknown", None),
    ("clinical_pregnancy: overlap_weighted_difference", "clinical_pregnancy: guess", "reference_unknown", None),
    ("label: {en: Weight, zh: 体重}", "label: {en: Weight}", "label_missing", 0),
    (
        "informed_consent: {is: attestation, role: investigator",
        "informed_consent: {is: attestation",
        "document_field",
        0,
    ),
    ('rule: "afc >= 6"', 'rule: "afc >= 6 or any(embryo) or count(embryo) >= 0"', "eligible_when_empty", 0),
]


@pytest.mark.parametrize(("old", "new", "code", "below"), DOUBTS)
def test_the_linter_finds_what_a_careful_reader_would(old: str, new: str, code: str, below: int | None) -> None:
    protocol, found, line = changed(old, new)
    assert protocol is not None, [str(one) for one in found]
    matching = [one for one in lint(protocol) if one.code == code]
    assert matching
    for one in matching:
        assert says(one)
        assert mend(one)
    if below is not None:
        assert line + below in [one.where.line for one in matching], (line, matching)


def test_an_open_question_is_a_note_that_names_what_it_blocks() -> None:
    notes = [one for one in lint(protocol_of()) if one.code == "question_open"]
    assert any("blocks embryo_transfer" in says(note) for note in notes)
    assert all(note.grade is Grade.NOTE for note in notes)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "yaml_broken"),
        (b"\xff\xfe\x00", "file_unreadable"),
        (b"- 1\n- 2\n", "document_field"),
        (b"just words", "document_field"),
        (b"a: 1\n---\nb: 2\n", "yaml_broken"),
        (b"a: &x [*x]", "yaml_broken"),
        (b"[" * 100_000, "yaml_broken"),
        (b"? [a]\n: b\n", "yaml_broken"),
        (b"version: " + b"1" * 5000, "document_field"),
        (b"trial: !!python/object:os.system x", "document_field"),
    ],
)
def test_what_is_no_protocol_is_a_finding(content: bytes, code: str) -> None:
    protocol, found = load_files({"protocol.yaml": content})
    assert protocol is None
    assert code in [one.code for one in found]


def test_a_missing_folder_and_a_folder_in_the_files_place_are_findings(tmp_path: Path) -> None:
    assert [one.code for one in load(tmp_path / "nothing")[1]] == ["file_missing"]
    (tmp_path / "protocol.yaml").mkdir()
    assert [one.code for one in load(tmp_path)[1]] == ["file_unreadable"]
    assert [one.code for one in load(HBMSC / "record.txt")[1]] == ["file_unreadable"]


#: What is written, instead, what is said of it.
SAID = [
    ("enrolment: 60", "enrolment: many", "design.enrolment: a whole number is needed here, not many."),
    ("enrolment: 60", "enrolment: 0", "design.enrolment: a number above 0 is needed here, not 0."),
    ("enrolment: 60", "enrolment: {a: 1}", "design.enrolment: a whole number is needed here."),
    ("version: 1\n", "", "version: it is needed, and missing."),
    ("version: 1\n", "version: 1\nverison: 2\n", "verison: nothing of that name may stand here."),
    (
        "allocation: non-randomised",
        "allocation: fair",
        "not applicable', 'randomised' or 'non-randomised' is needed here",
    ),
    ("title: ", "title: [a]\nsubtitle: ", "title: a text is needed here."),
]


@pytest.mark.parametrize(("old", "new", "words"), SAID)
def test_a_wrong_field_is_told_in_words_of_ours(old: str, new: str, words: str) -> None:
    _, findings, _ = changed(old, new)
    told = [says(one) for one in findings if one.code == "document_field"]
    assert any(words in one for one in told), told
    assert not any("nput should" in one or "alue error" in one or "type=" in one for one in told)


def test_yes_no_on_and_numbers_with_a_point_stay_what_was_written() -> None:
    marked = read("on: no\nyes: 1.10\nn: 007\nx: 12\nt: true\nempty:\nq: '12'\n", "x.yaml")
    assert marked.data == {"on": "no", "yes": "1.10", "n": "007", "x": 12, "t": True, "empty": None, "q": "12"}
    assert marked.marks[("yes",)] == (2, 6)


# ---------------------------------------------------------------- a protocol that somebody damaged

_JUNK: st.SearchStrategy[Data] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**6),
    st.sampled_from(["", "x", "afc", "weight / height", "5 mm", "days after transfer", "0..5", "no in x", "embryo"]),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.lists(st.sampled_from(["amh", "1"]), max_size=2).map(list),
    st.dictionaries(st.sampled_from(["is", "of", "label"]), st.sampled_from(["count", "age", "date"]), max_size=2).map(
        dict
    ),
)


def _paths(data: Data, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(found for key, value in inner for found in _paths(value, (*path, key)))]


def _damaged(data: Data, path: tuple[str | int, ...], junk: Data, delete: bool) -> Data:
    if not path:
        return junk
    key, rest = path[0], path[1:]
    if isinstance(data, dict):
        if delete and not rest:
            return {name: value for name, value in data.items() if name != key}
        return {name: _damaged(value, rest, junk, delete) if name == key else value for name, value in data.items()}
    if isinstance(data, list):
        if delete and not rest:
            return [value for index, value in enumerate(data) if index != key]
        return [_damaged(value, rest, junk, delete) if index == key else value for index, value in enumerate(data)]
    return data


_WHOLE = {folder.name: read((folder / "protocol.yaml").read_text("utf-8"), "x").data for folder in FOLDERS}
_PLACES = {name: [path for path in _paths(data) if path] for name, data in _WHOLE.items()}
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(_WHOLE)).flatmap(
        lambda name: st.tuples(
            st.just(name),
            st.lists(st.tuples(st.sampled_from(_PLACES[name]), _JUNK, st.booleans()), min_size=1, max_size=3),
        )
    )
)
def test_a_damaged_protocol_is_loaded_or_answered_with_findings(
    damage: tuple[str, list[tuple[tuple[str | int, ...], Data, bool]]],
) -> None:
    name, changes = damage
    data = _WHOLE[name]
    for path, junk, delete in changes:
        data = _damaged(data, path, junk, delete)
    text = yaml.dump(data, Dumper=_DUMPER, allow_unicode=True)
    folder = next(folder for folder in FOLDERS if folder.name == name)
    _answered(*load_files({"protocol.yaml": text.encode(), "record.txt": (folder / "record.txt").read_bytes()}))


def _answered(protocol: Protocol | None, found: list[Finding]) -> None:
    assert protocol is not None or any(one.grade is Grade.ERROR for one in found)
    for one in [*found, *(lint(protocol) if protocol else [])]:
        assert says(one)
        assert mend(one)
