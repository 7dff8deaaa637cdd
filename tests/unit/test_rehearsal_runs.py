"""Rehearsals of the real protocols: repeatable, complete, marked as virtual, and stopped by what nobody decided."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from tests.rehearsals import DOR, IUA, command, copied, rehearsed, report
from trialwright.ledger.chain import verify
from trialwright.ledger.history import effective
from trialwright.ledger.store import open_ledger
from trialwright.trial import events as e


def _heads(out: Path) -> dict[str, tuple[int, str]]:
    with open_ledger(out / "ledger.db") as ledger:
        return ledger.heads()


def _women(out: Path) -> dict[str, tuple[str, str]]:
    """Who each woman is: her date of birth and her first follicle count, drawn before anything was given."""
    found: dict[str, dict[str, str]] = {}
    with open_ledger(out / "ledger.db") as ledger:
        for event in ledger.events(types=[e.OBSERVED]):
            told, value = event.payload["item"], event.payload.get("value")
            if told in ("birth_date", "afc") and isinstance(value, dict):
                found.setdefault(event.stream, {}).setdefault(str(told), str(value["entered"]))
    return {who: (values.get("birth_date", ""), values.get("afc", "")) for who, values in found.items()}


def test_the_same_seed_gives_the_same_ledger_and_the_same_report() -> None:
    one, other = rehearsed(), rehearsed(again=1)
    assert _heads(one) == _heads(other)
    for name in sorted(file.relative_to(one) for file in one.rglob("*") if file.suffix in (".json", ".html", ".svg")):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_another_seed_gives_other_women() -> None:
    one, other = rehearsed(), rehearsed(seed=2)
    assert _heads(one) != _heads(other)
    assert set(_women(one).values()).isdisjoint(_women(other).values())


def test_every_scenario_has_the_same_women() -> None:
    one, other = _women(rehearsed(scenario="null")), _women(rehearsed(scenario="published"))
    shared = one.keys() & other.keys()
    assert len(shared) >= 20
    assert [who for who in shared if one[who] != other[who]] == []


@pytest.mark.parametrize(("folder", "target"), [(DOR, 12), (IUA, 60)], ids=["DOR", "IUA"])
def test_the_target_is_reached_and_every_woman_is_accounted_for(folder: Path, target: int) -> None:
    flow = report(rehearsed(folder))["flow"]
    assert flow["enrolled"] == target
    assert flow["screened"] == flow["enrolled"] + flow["not_enrolled"] + flow["still_in_screening"]
    assert sum(arm["allocated"] for arm in flow["arms"]) + flow["not_allocated"] == flow["enrolled"]
    ineligible = flow["not_enrolled"] - flow["not_eligible"]
    assert sum(count for _, count in flow["other_reasons"]) == ineligible


@pytest.mark.parametrize("folder", [DOR, IUA], ids=["DOR", "IUA"])
def test_the_ledger_of_a_rehearsal_is_intact_and_waits_for_nothing(folder: Path) -> None:
    out = rehearsed(folder)
    with open_ledger(out / "ledger.db") as ledger:
        assert verify(ledger) == []
    assert [work for work in report(out)["worklist"] if work["standing"] != "undecided"] == []


@pytest.mark.parametrize(
    ("folder", "enrolled", "criterion"), [(DOR, 7, "E7 was no, is yes"), (IUA, 17, "platelets")], ids=["DOR", "IUA"]
)
def test_a_correction_after_enrolment_is_a_major_deviation_that_changed_no_decision(
    folder: Path, enrolled: int, criterion: str
) -> None:
    data = report(rehearsed(folder))
    (found,) = [row for row in data["deviations"] if row["kind"] == "eligibility" and row["severity"] == "major"]
    (woman,) = [row for row in data["screening"] if row["participant"] == found["participant"]]
    assert (woman["number"], woman["verdict"]) == (enrolled, "eligible")
    assert "decided as eligible; from what is known now it is ineligible" in found["says"]
    if folder == DOR:
        assert criterion in found["says"]


@pytest.mark.parametrize("folder", [DOR, IUA], ids=["DOR", "IUA"])
def test_nothing_happens_to_a_woman_after_she_left(folder: Path) -> None:
    with open_ledger(rehearsed(folder) / "ledger.db") as ledger:
        events = effective(ledger.events())
    left = {one.stream: one.on for one in events if one.type in (e.WITHDRAWN, e.SCREENING_ENDED)}
    assert any(one.type == e.WITHDRAWN for one in events) or folder == DOR
    paper = (e.QUERY_CLOSED, e.QUERY_OPENED)  # questions about what was recorded before
    after = [one for one in events if one.stream in left and one.on > left[one.stream] and one.type not in paper]
    assert after == []


@pytest.mark.parametrize("folder", [DOR, IUA], ids=["DOR", "IUA"])
def test_no_woman_withdraws_from_a_trial_that_she_has_finished(folder: Path) -> None:
    with open_ledger(rehearsed(folder) / "ledger.db") as ledger:
        events = effective(ledger.events())
    ended = {one.stream: one.on for one in events if one.type == e.VISIT_HELD and str(one.payload["encounter"]) in LAST}
    late = [one.stream for one in events if one.type == e.WITHDRAWN and one.on > ended.get(one.stream, "9999")]
    assert late == []


LAST = ("end_of_study", "safety_end")


def test_a_rehearsal_has_the_usual_mess() -> None:
    with open_ledger(rehearsed(IUA) / "ledger.db") as ledger:
        kinds = Counter(event.type for event in ledger.events())
        late = [one for one in ledger.events(types=[e.VISIT_HELD]) if one.on < str(date.fromisoformat(one.at[:10]))]
        notes = [str(one.payload["text"]) for one in ledger.events(types=[e.NOTED])]
    assert kinds["event.corrected/1"] > 0
    assert kinds[e.VISIT_MISSED] > 0
    assert kinds[e.QUERY_OPENED] > 0
    assert late, "some visits are entered days later"
    assert notes
    assert not [text for text in notes if "Virtual note" in text], "free text is encrypted"


def test_everything_that_is_shown_says_that_it_is_virtual() -> None:
    out = rehearsed()
    assert report(out)["virtual"] is True
    page = (out / "report.html").read_text("utf-8").casefold()
    assert page.count("virtual") >= 3
    for figure in sorted((out / "figures").glob("*.svg")):
        assert "Virtual data: rehearsal of NCT04706312" in figure.read_text("utf-8"), figure.name
    assert command("verify", out / "ledger.db")[1].count("virtual") == 1
    assert command("why", out / "ledger.db", "P-001")[1].startswith("virtual data")


def test_every_number_of_the_report_is_one_that_json_knows() -> None:
    for folder in (DOR, IUA):
        text = (rehearsed(folder) / "report.json").read_text("utf-8")
        json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


# ---------------------------------------------------------------- open questions


@pytest.mark.parametrize(
    ("folder", "line", "question", "words"),
    [
        (DOR, '  dose: {answer: "1e6 /kg * weight"', "dose", "No dose, cell number or volume is in the record."),
        (IUA, "  exclusion_1_lost: {answer", "exclusion_1_lost", "xclusion"),
    ],
    ids=["the dose", "the lost criterion"],
)
def test_an_open_question_stops_the_rehearsal_and_is_named(
    tmp_path: Path, folder: Path, line: str, question: str, words: str
) -> None:
    text = (folder / "rehearsal.yaml").read_text("utf-8")
    whole = next(one for one in text.splitlines(keepends=True) if one.startswith(line))
    copy = copied(folder, tmp_path / "copy", old=whole)
    code, out, err = command("rehearse", copy, "--out", tmp_path / "out")
    assert (code, out) == (2, "")
    assert f"`{question}` is open and blocks" in err
    assert words in err
    assert "decides in the real trial" in err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["copy"]
    code, out, _ = command("rehearse", copy, "--out", tmp_path / "out", "--json")
    assert code == 2
    assert [one["code"] for one in json.loads(out)["refused"]] == ["rehearsal_unanswered"]


def test_a_question_may_be_answered_another_way_on_the_command_line(tmp_path: Path) -> None:
    small = copied(IUA, tmp_path / "small", "protocol.yaml", "enrolment: 60", "enrolment: 6")
    code, out, err = command("rehearse", small, "--out", tmp_path / "out", "--answer", "transfer_cycle=same_cycle")
    assert (code, err) == (0, "")
    assert "transfer_cycle = same_cycle" in out
    data = report(tmp_path / "out")
    assert data["answers"]["transfer_cycle"]["answer"] == "same_cycle"
    assert data["flow"]["enrolled"] == 6
    with open_ledger(tmp_path / "out" / "ledger.db") as ledger:
        held = {str(one.payload["encounter"]) for one in ledger.events(types=[e.VISIT_HELD, e.VISIT_MISSED])}
    assert "transfer_same_cycle" in held
    assert "transfer_next_cycle" not in held


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--answer", "dose"), "--answer takes QUESTION=ANSWER, not dose"),
        (("--answer", "dosis=3"), "--answer names `dosis`, which is not among the open questions of the protocol: "),
        (("--answer", "dosis=3"), "Did you mean `dose`?"),
        (("--answer", "dose=-3"), "is -3, and a dose is more than nothing"),
        (("--answer", "number_of_infusions=four"), "`four` is not an answer to `number_of_infusions`"),
        (("--answer", "dose=weight"), "`weight` is not an answer to `dose`"),
        (("--answer", "dose=afc <= 7"), "`afc <= 7` is not an answer to `dose`"),
        (("--answer", "dose=weigth"), "Did you mean `weight`?"),
        (("--scenario", "optimistic"), "`optimistic`, which is not among the scenarios of rehearsal.yaml: "),
        (("--seed", "-1"), "--seed takes"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_a_wrong_option_is_refused_with_what_is_right(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    code, out, err = command("rehearse", DOR, "--out", tmp_path / "out", *words)
    assert (code, out) == (2, "")
    assert says in err
    assert list(tmp_path.iterdir()) == []
