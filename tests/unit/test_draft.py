"""A record to a protocol folder: it loads, checks, drops nothing, rehearses, and says what blocks it."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.registry_studies import studies
from trialwright.cli.main import main
from trialwright.core.finding import Grade, Refused
from trialwright.ledger.store import Header, create
from trialwright.protocol.cases import run_cases
from trialwright.protocol.coverage import coverage
from trialwright.registry.criteria_model import proposed
from trialwright.registry.criteria_text import MAX_CRITERIA
from trialwright.registry.draft import Drafted, draft
from trialwright.registry.draft_folder import write
from trialwright.registry.draft_record import page_of
from trialwright.registry.draft_times import Dosage, cells_per_kg, days_of, dosage_of
from trialwright.rehearsal.model import load_model
from trialwright.rehearsal.rehearse import rehearse, unanswered

INVENTED = Path(__file__).parent.parent / "data" / "records" / "invented.json"


_ENDLESS = "9" * 5000  # no number of Python


def _short(part: object) -> str:
    return str(part)[:40]


@pytest.fixture(scope="module")
def study() -> dict[str, Any]:
    return dict(json.loads(INVENTED.read_text("utf-8")))


def _changed(study: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(study)
    *ways, last = path.split(".")
    place = changed["protocolSection"]
    for key in ways:
        place = place[key]
    place[last] = value
    return changed


def _sound(drafted: Drafted, folder: Path) -> None:
    """What every draft must be, whatever its record."""
    folder.mkdir()
    for name, content in drafted.files.items():
        (folder / name).write_bytes(content)
    assert [str(one) for one in drafted.findings if one.grade is Grade.ERROR] == []
    sentences, found = coverage(drafted.protocol)
    assert [str(one) for one in found] == []
    assert not any(one.account == "dropped" for one in sentences)
    assert run_cases(drafted.protocol, folder)[1] == []
    model = load_model(drafted.protocol, folder)
    assert {one.values["question"] for one in unanswered(drafted.protocol, model)} == set(drafted.blocking)


def _rehearsed(drafted: Drafted, folder: Path) -> int:
    model = load_model(drafted.protocol, folder)
    header = Header("virtual", drafted.protocol.document.trial, drafted.protocol.digest, "test", 1, "wide")
    with create(folder / "ledger.db", header, "2026-01-05T00:00:00Z") as ledger:
        return rehearse(drafted.protocol, model, ledger, 1, "wide").enrolled


def test_the_invented_record_becomes_a_protocol_that_rehearses(study: dict[str, Any], tmp_path: Path) -> None:
    drafted = draft(study)
    _sound(drafted, tmp_path / "p")
    document = drafted.protocol.document
    assert document.design.enrolment == 12
    assert document.design.phase == "phase 1, phase 2"
    assert {name: list(arm.gives) for name, arm in document.arms.items()} == {
        "cells": ["stromal_cells", "estradiol_valerate"],
        "hormone": ["estradiol_valerate"],
    }
    (line,) = document.interventions["estradiol_valerate"].doses
    assert (line.dose, line.every, line.days) == ("3 mg", "12 h", "1..28")
    assert document.interventions["stromal_cells"].dose == "1000000 /kg * weight"
    assert document.endpoints["antral_follicle_count"].change is not None
    assert document.endpoints["serious_adverse_events"].proportion == "any(adverse_event where serious)"
    days = [one.at for one in document.schedule.encounters.values() if "after allocation" in one.at]
    assert {"30 days after allocation", "91 days after allocation", "182 days after allocation"} <= set(days)
    assert document.zone == "Asia/Shanghai"
    assert drafted.blocking == {}
    assert _rehearsed(drafted, tmp_path / "p") == 12


def test_every_shared_record_becomes_a_protocol_without_errors_that_drops_nothing(tmp_path: Path) -> None:
    found = dict(studies())
    if not found:
        pytest.skip("the shared records are not beside the project")
    for number, (name, one) in enumerate(found.items()):
        if one["protocolSection"]["designModule"]["studyType"] != "INTERVENTIONAL":
            with pytest.raises(Refused, match="only an interventional trial"):
                draft(one)
            continue
        try:
            _sound(draft(one), tmp_path / str(number))
        except Refused as refused:
            raise AssertionError(name) from refused


def test_a_dose_that_cannot_be_read_blocks_what_it_is_the_dose_of(study: dict[str, Any], tmp_path: Path) -> None:
    given = study["protocolSection"]["armsInterventionsModule"]["interventions"]
    without = _changed(
        study, "armsInterventionsModule.interventions", [{**given[0], "description": "By vein."}, given[1]]
    )
    drafted = draft(without)
    _sound(drafted, tmp_path / "p")
    assert drafted.blocking == {"stromal_cells_dose": ("stromal_cells",)}


def test_a_criterion_that_is_lost_blocks_eligibility(study: dict[str, Any], tmp_path: Path) -> None:
    text = "Inclusion Criteria:\n2. BMI < 30 kg/m2\n3. Smoking\nExclusion Criteria:\n1. Diabetes"
    drafted = draft(_changed(study, "eligibilityModule.eligibilityCriteria", text))
    _sound(drafted, tmp_path / "p")
    assert drafted.blocking == {"inclusion_1_lost": ("confirm_eligibility",)}
    assert drafted.protocol.document.population.inclusion["I1"].missing == "inclusion_1_lost"


def test_a_masked_trial_has_one_treatment_behind_the_seal(study: dict[str, Any], tmp_path: Path) -> None:
    masked = _changed(study, "designModule.designInfo.maskingInfo", {"masking": "DOUBLE"})
    masked["protocolSection"]["designModule"]["designInfo"]["allocation"] = "RANDOMIZED"
    drafted = draft(masked)
    _sound(drafted, tmp_path / "p")
    assert drafted.protocol.document.allocation.method == "sealed list"
    assert {arm.gives for arm in drafted.protocol.document.arms.values()} == {("study_treatment",)}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("eligibilityModule", {}),
        ("eligibilityModule.eligibilityCriteria", 7),
        ("eligibilityModule.minimumAge", "6 Months"),
        ("eligibilityModule.minimumAge", "50 Years"),
        ("armsInterventionsModule", {}),
        ("armsInterventionsModule.armGroups", [{}, {"label": 1}, "arm"]),
        ("armsInterventionsModule.interventions", [{"name": "and"}, {"name": "and"}, {"name": "意"}, {}]),
        ("outcomesModule", {}),
        ("outcomesModule.primaryOutcomes", [{"measure": "x"}] * 80),
        ("outcomesModule.primaryOutcomes", [{"measure": "Age", "timeFrame": "99999999 years"}, {"measure": "date"}]),
        ("outcomesModule.primaryOutcomes", [{"measure": f"{_ENDLESS} cells/kg", "timeFrame": f"{_ENDLESS} weeks"}]),
        ("eligibilityModule.minimumAge", f"{_ENDLESS} Years"),
        ("eligibilityModule.eligibilityCriteria", f"Inclusion Criteria:\n{_ENDLESS}. A1C < {_ENDLESS}\n- AMH < 1E400"),
        ("descriptionModule.briefSummary", f"{_ENDLESS}x10^6 cells/kg, 3 mg on days {_ENDLESS} to {_ENDLESS}"),
        ("armsInterventionsModule.interventions", [{"name": "Drug", "description": f"3 mg for {_ENDLESS} days"}]),
        ("designModule.enrollmentInfo", {"count": 0}),
        ("designModule.enrollmentInfo", {"count": "many"}),
        ("designModule", {}),
        ("identificationModule", {}),
        ("descriptionModule.briefSummary", "yes: [no, *x] # \x00\x85\u2028 'q' \"d\" {a} 💉\n- a\n\ta"),
        ("contactsLocationsModule.locations", [{"facility": "a"}] * 3),
        ("conditionsModule", None),
        ("conditionsModule.conditions", ["\ud800", 7, None]),
        ("designModule.phases", ["\ud800", {}, None]),
        ("identificationModule.briefTitle", "\ud800 \x1b[31m"),
    ],
    ids=_short,
)  # fmt: skip
def test_whatever_is_missing_or_of_another_kind_the_draft_is_sound(
    study: dict[str, Any], path: str, value: object, tmp_path: Path
) -> None:
    _sound(draft(_changed(study, path, value)), tmp_path / "p")


@pytest.mark.parametrize("nothing", [{}, {"protocolSection": None}, {"protocolSection": []}])
def test_what_is_no_study_is_refused(nothing: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="is not a Clinical"):
        draft(nothing)


def test_a_page_of_its_own_is_kept_and_all_of_it_accounted_for(study: dict[str, Any], tmp_path: Path) -> None:
    page = "A mirror\nRelated trials\n" + page_of(study)[0].replace("Conditions", "What it is about")
    drafted = draft(study, page)
    assert drafted.files["record.txt"].decode().startswith("A mirror\n")
    _sound(drafted, tmp_path / "p")


@pytest.mark.parametrize(
    ("frame", "days"),
    [
        ("Baseline, Week 1, 9 and 16", (7, 63, 112)),
        ("Up to 12 months after first injection", (365,)),
        ("12 weeks, 52 weeks", (84, 364)),
        ("2 year/end of study", (730,)),
        ("Days 0, 28, 56", (0, 28, 56)),
        ("12-weeks", (84,)),
        ("Through study completion", ()),
        ("100000 years", (3650,)),
        (f"{_ENDLESS} weeks", (3650,)),
    ],
    ids=_short,
)
def test_a_time_frame_is_read_as_days(frame: str, days: tuple[int, ...]) -> None:
    assert days_of(frame) == days


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("3mg bid for 28 days", ("3 mg", "12 h", "1..28")),
        ("1250 mg/m2 orally twice daily on Days 1-14", ("1250 mg/m2", "12 h", "1..14")),
        ("40 mg once daily for 5 days", ("40 mg", "24 h", "1..5")),
        ("letrozole, 5 mg/day, will be given for 14 days", ("5 mg", "24 h", "1..14")),
        ("160 mg tablet daily for 8 weeks", ("160 mg", "24 h", "1..56")),
        ("20 mg QD", ("20 mg", "24 h", "")),
        ("10 mg. Later something daily for 3 days", ("10 mg", "", "")),
        ("by mouth", ("", "", "")),
        (f"3 mg on days {_ENDLESS} to {_ENDLESS}", ("3 mg", "", "")),
        (f"3 mg for {_ENDLESS} days", ("3 mg", "", "")),
    ],
    ids=_short,
)
def test_a_regimen_is_read_as_dose_interval_and_days(words: str, read: tuple[str, str, str]) -> None:
    found: Dosage = dosage_of(words)
    assert (found.dose, found.every, found.days) == read


@pytest.mark.parametrize("words", ["1234567890123.5 x 10^6 cells/kg", f"{_ENDLESS}x10^6 cells/kg"], ids=_short)
def test_of_a_number_that_is_no_dose_no_part_is_taken_for_one(words: str) -> None:
    assert cells_per_kg(words) == ""


def test_a_regimen_that_only_arms_tell_is_one_intervention_of_them_all(study: dict[str, Any], tmp_path: Path) -> None:
    words = "estrogen tablets 3mg bid for 28 days, then dydrogesterone 10mg bid for the last 10 days of the 28 days"
    groups = study["protocolSection"]["armsInterventionsModule"]["armGroups"]
    told = _changed(study, "armsInterventionsModule.armGroups", [{**one, "description": words} for one in groups])
    drafted = draft(told)
    _sound(drafted, tmp_path / "p")
    document = drafted.protocol.document
    (name,) = set(document.interventions) - {"stromal_cells", "estradiol_valerate"}
    assert all(name in arm.gives for arm in document.arms.values())
    lines = [(one.drug, one.dose, one.every, one.days) for one in document.interventions[name].doses]
    assert lines == [("estrogen tablets", "3 mg", "12 h", "1..28"), ("dydrogesterone", "10 mg", "12 h", "19..28")]


def test_words_that_nothing_executes_are_open_and_not_executed(study: dict[str, Any]) -> None:
    given = study["protocolSection"]["armsInterventionsModule"]["interventions"]
    told = [{**given[0], "description": "1×10⁶ cells/kg by vein.\nShe is shaved before."}, given[1]]
    sentences, _ = coverage(draft(_changed(study, "armsInterventionsModule.interventions", told)).protocol)
    accounts = {one.text: one.account for one in sentences}
    assert accounts["She is shaved before."] == "open"
    assert accounts["3 mg twice daily for 28 days."] == "assumed"


# ---------------------------------------------------------------- the folder


def test_a_folder_that_is_there_is_left_alone_without_force(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "notes.txt").write_text("mine")
    with pytest.raises(Refused, match="is there already"):
        write({"record.txt": b"new"}, tmp_path / "p")
    write({"record.txt": b"new"}, tmp_path / "p", force=True)
    assert sorted(one.name for one in (tmp_path / "p").iterdir()) == ["notes.txt", "record.txt"]
    assert [one.name for one in tmp_path.iterdir()] == ["p"]


def test_a_file_in_the_place_of_the_folder_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("mine")
    with pytest.raises(Refused, match="is no folder"):
        write({"record.txt": b"new"}, tmp_path / "p", force=True)
    assert (tmp_path / "p").read_text() == "mine"


def test_the_verb_writes_checks_and_refuses_a_second_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "p"
    assert main(["draft", str(INVENTED), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["coverage"]["dropped"] == 0
    assert {one["name"] for one in told["criteria"]} >= {"I1", "E5"}
    assert main(["check", str(out)]) == 0
    assert main(["draft", str(INVENTED), "--out", str(out)]) == 2
    assert "--force" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b'{"protocolSection": 1}', b"[" * 100_000])
def test_what_is_no_record_is_refused_by_the_verb(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(content)
    assert main(["draft", str(tmp_path / "r.json"), "--out", str(tmp_path / "p")]) == 2
    assert not (tmp_path / "p").exists()


# ---------------------------------------------------------------- a language model of the user's own

_PROPOSES = """
import json, sys
items = {"dances": {"is": "yes_no", "label": "Dances in the moonlight"}}
asked = json.load(sys.stdin)["criteria"]
print(json.dumps({"drafts": [{"name": one["name"], "rule": RULE, "items": items} for one in asked]}))
"""


def _command(tmp_path: Path, text: str) -> str:
    (tmp_path / "model.py").write_text(text)
    return f"{sys.executable} {tmp_path / 'model.py'}"


def test_a_proposal_is_marked_and_blocks_until_it_is_confirmed(study: dict[str, Any], tmp_path: Path) -> None:
    before = draft(study)
    drafts, found = proposed(before.criteria, _command(tmp_path, _PROPOSES.replace("RULE", '"dances"')))
    assert found == []
    assert [(one.name, one.by) for one in drafts if one.by == "model"] == [("E5", "model")]
    drafted = draft(study, drafts=drafts)
    _sound(drafted, tmp_path / "p")
    assert drafted.blocking == {"e5_read": ("confirm_eligibility",)}
    assert "language model" in drafted.protocol.document.assumptions["e5_read"].silent


def test_a_proposal_that_does_not_check_is_a_finding_and_the_words_stay(study: dict[str, Any], tmp_path: Path) -> None:
    before = draft(study).criteria
    drafts, found = proposed(before, _command(tmp_path, _PROPOSES.replace("RULE", '"dances > 3 mg"')))
    assert [one.code for one in found] == ["proposal_wrong"]
    assert drafts == before


@pytest.mark.parametrize("text", ["print('no')", "print('{}')", "raise SystemExit(3)", "import time; time.sleep(9)"])
def test_a_command_that_does_not_answer_is_refused(text: str, study: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(Refused, match="proposes nothing"):
        proposed(draft(study).criteria, _command(tmp_path, text), timeout=2)


def test_a_command_that_is_not_there_is_refused(study: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="proposes nothing"):
        proposed(draft(study).criteria, "no-such-command-of-anybody")


def test_more_criteria_than_anybody_reads_are_cut_and_block(study: dict[str, Any]) -> None:
    text = "Inclusion Criteria:\n" + "".join(f"- history of x{number} and y\n" for number in range(MAX_CRITERIA + 1))
    drafted = draft(_changed(study, "eligibilityModule.eligibilityCriteria", text))
    assert len(drafted.criteria) == MAX_CRITERIA
    assert drafted.blocking == {"criteria_cut": ("confirm_eligibility",)}
