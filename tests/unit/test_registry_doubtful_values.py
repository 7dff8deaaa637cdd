"""Numbers, ages, dates and characters of a record that cannot be: each is told, and the record keeps what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trialwright.cli.main import main
from trialwright.core.finding import Refused
from trialwright.core.hidden import may_hide, visible
from trialwright.registry.as_html import record_html
from trialwright.registry.read import read_record
from trialwright.registry.record import Record, look, put

P = "/protocolSection"


def _record(**values: Any) -> Record:
    """A study with values at pointers below the protocol section, `__` for each bar."""
    study: dict[str, Any] = {"protocolSection": {}}
    for path, value in values.items():
        put(study, f"{P}/{path.replace('__', '/')}", value)
    return read_record(json.dumps(study), "record.json")


def _age(**ages: str) -> dict[str, str]:
    return {f"eligibilityModule__{key}Age": text for key, text in ages.items()}


def _dates(**dates: str) -> dict[str, str]:
    return {f"statusModule__{key}DateStruct__date": text for key, text in dates.items()}


COUNT = "designModule__enrollmentInfo__count"
#: What the record says, the finding, and a word of its sentence.
CANNOT_BE: list[tuple[dict[str, Any], str, str]] = [
    ({COUNT: -5}, "record_value_doubtful", "below zero"),
    ({COUNT: 99_999_999}, "record_value_doubtful", "so many"),
    (_age(minimum="-3 Years"), "record_value_doubtful", "with its unit"),
    (_age(minimum="Eighteen Years"), "record_value_doubtful", "with its unit"),
    (_age(maximum="18"), "record_value_doubtful", "with its unit"),
    (_age(maximum="200 Years"), "record_value_doubtful", "nobody reaches"),
    (_age(maximum="999 Months"), "", ""),
    (_age(minimum="65 Years", maximum="18 Years"), "record_ages_reversed", "lower"),
    (_age(minimum="24 Months", maximum="3 Years"), "", ""),
    (_age(minimum="18 Years", maximum="N/A"), "", ""),
    (_dates(start="2025-02-30"), "record_value", "2025-02-30"),
    (_dates(start="2025-06", completion="2025-05-31"), "record_dates_reversed", "start is 2025-06"),
    (_dates(start="2025-06-05", completion="2025-06"), "", ""),
    (_dates(start="2025", completion="2025-01-01"), "", ""),
    (_dates(start="2025-06-05", primaryCompletion="2025-01"), "record_dates_reversed", "primary completion"),
    (_dates(primaryCompletion="2026-01", completion="2025-12"), "record_dates_reversed", "is earlier"),
    (_dates(start="soon", completion="2025-12"), "record_value", "soon"),
]


@pytest.mark.parametrize(("values", "code", "words"), CANNOT_BE)
def test_what_cannot_be_is_told_and_kept(values: dict[str, Any], code: str, words: str) -> None:
    record = _record(**values)
    told = [one for one in record.findings if one.code != "record_field_missing"]
    assert [one.code for one in told] == ([code] if code else [])
    assert not code or words in str(told[0])
    for path, value in values.items():
        assert look(record.study, f"{P}/{path.replace('__', '/')}") == value


def test_ages_in_words_beside_a_range_in_the_text_are_no_crash() -> None:
    criteria = "Inclusion Criteria:\n* Women aged 18 to 40 years\n\nExclusion Criteria:\n* Pregnancy"
    record = _record(eligibilityModule__eligibilityCriteria=criteria, **_age(minimum="18.5 Years", maximum="Old Years"))
    assert {"record_age_differs", "record_value_doubtful"} <= {one.code for one in record.findings}


# ---------------------------------------------------------------- JSON and XML in words of ours


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"protocolSection": {"designModule": {"enrollmentInfo": {"count": NaN}}}}', "NaN is not a number of JSON"),
        ('{"protocolSection": {"a": -Infinity}}', "-Infinity is not a number of JSON"),
        ('{"protocolSection": {"a": 1e999}}', "the number 1e999 is too large for any computer"),
        ('{"protocolSection": {"a": ' + "9" * 5000 + "}}", "a number in it has thousands of digits"),
        ('{"protocolSection": ', "it ends in the middle"),
        ('{"a": 1\n "b": 2}', "a comma is missing in line 2, column 2"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice in one object"),
        ("<clinical_study><a></b></clinical_study>", "an element is closed by the name of another in line 1"),
        ("\n<?xml version='1.0'?>\n<clinical_study>", "it ends in the middle in line 3"),
        ("<!DOCTYPE clinical_study [<!ENTITY a 'b'>]><clinical_study/>", "it declares a document type or entities"),
    ],
)
def test_a_broken_record_is_refused_in_words_of_ours(text: str, why: str) -> None:
    with pytest.raises(Refused) as refused:
        read_record(text)
    assert refused.value.findings[0].values["why"] == why


# ---------------------------------------------------------------- characters that nobody sees

TURNED = "10 mg \u202egm 001\u202c \u2067x\u2069 \x1b[31m\x07\x85"
MARKS = ("⟨U+202E⟩", "⟨U+202C⟩", "⟨U+2067⟩", "⟨U+2069⟩", "⟨U+001B⟩", "⟨U+0007⟩", "⟨U+0085⟩")


def _turned() -> Record:
    return _record(
        identificationModule__briefTitle=TURNED,
        conditionsModule__conditions=[TURNED],
        armsInterventionsModule__armGroups=[{"label": TURNED, "description": TURNED}],
        eligibilityModule__eligibilityCriteria=f"Inclusion Criteria:\n* {TURNED}",
        contactsLocationsModule__locations=[{"facility": TURNED, "city": "Paris"}],
    )


def test_hidden_characters_are_told_once_for_each_text_and_kept() -> None:
    record = _turned()
    told = [one for one in record.findings if one.code == "record_hidden"]
    assert len(told) == 6
    assert told[0].values["marks"] == "U+202E, U+202C, U+2067, U+2069, U+001B, U+0007"
    assert look(record.study, f"{P}/identificationModule/briefTitle") == TURNED


@pytest.mark.parametrize("form", ["json", "escaped json", "xml", "page", "html"])
def test_hidden_characters_are_found_in_every_form_of_record(form: str) -> None:
    title = "Rest \u202etseR"
    study = {"protocolSection": {"identificationModule": {"briefTitle": title}}}
    text = {
        "json": json.dumps(study, ensure_ascii=False),
        "escaped json": json.dumps(study),
        "xml": f"<clinical_study><brief_title>{title}</brief_title></clinical_study>",
        "page": f"NCT ID: NCT00000001\nTitle: {title}\n",
        "html": f"<html><body><table><tr><td>NCT ID</td><td>NCT00000001</td></tr><tr><td>Title</td>"
        f"<td>{title.replace(chr(0x202E), '&#8238;')}</td></tr></table></body></html>",
    }[form]
    record = read_record(text)
    assert look(record.study, f"{P}/identificationModule/briefTitle") == title
    assert [one.where.path for one in record.findings if one.code == "record_hidden"] == [
        f"{P}/identificationModule/briefTitle"
    ]


def test_a_page_and_the_terminal_show_hidden_characters_as_marks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "turned.json"
    file.write_text(json.dumps(_turned().study), "utf-8")
    assert main(["read", str(file), "--findings", "--html", str(tmp_path / "page.html")]) == 0
    printed, page = capsys.readouterr().out, (tmp_path / "page.html").read_text("utf-8")
    assert main(["draft", str(file), "--out", str(tmp_path / "draft")]) == 0
    printed += capsys.readouterr().out
    for text in (printed, page, record_html(_turned())):
        assert visible(text) == text
    for mark in MARKS:
        assert mark in printed
        assert page.count(mark) >= 5


def test_json_for_machines_escapes_hidden_characters_and_loses_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "turned.json"
    file.write_text(json.dumps(_turned().study), "utf-8")
    assert main(["read", str(file), "--json"]) == 0
    printed = capsys.readouterr().out
    assert visible(printed) == printed
    assert json.loads(printed) == _turned().study


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc\r\n", "a\tb\nc\r\n"),
        ("a\rb", "a⟨U+000D⟩b"),
        ("≤ 5 µg, שלום", "≤ 5 µg, שלום"),
        ("\u202a", "⟨U+202A⟩"),
        ("\x9b2J", "⟨U+009B⟩2J"),
    ],
)
def test_only_what_nobody_sees_becomes_a_mark(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(("text", "may"), [("plain", False), ("µ ≤ °", False), ("a\u2066b", True), ("é\x85", True)])
def test_the_quick_look_misses_no_turn_of_direction(text: str, may: bool) -> None:
    assert may_hide(text) is may
