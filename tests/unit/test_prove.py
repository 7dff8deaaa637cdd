"""What is proved of a protocol with no participant: examples are confirmed, contradictions named, limits stated."""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.protocols import FOLDERS, HBMSC, changed, protocol_of
from trialwright.cli import configuration
from trialwright.cli.main import main
from trialwright.core.finding import Grade, mend, says
from trialwright.core.interval import point
from trialwright.core.partial_date import on_day
from trialwright.language.values import Amount, Kinds
from trialwright.protocol.eligibility import determine
from trialwright.protocol.facts_file import FactsFile, facts_from
from trialwright.protocol.load import load_files
from trialwright.protocol.marked_yaml import read
from trialwright.protocol.protocol import Protocol
from trialwright.protocol.prove import Proof, prove

SMALL = Path(__file__).parent.parent / "data" / "small"
_ADHESIONS = "latest(hysteroscopy).adhesions != none"
_SIGNIFICANT = 'rule: "uterine_or_adnexal_finding and abnormality_significant"'


def _told(protocol: Protocol, proof: Proof) -> FactsFile:
    marked = read(proof.example, "example.yaml")
    assert not marked.findings
    return facts_from(protocol, marked.data, marked.marks, "example.yaml")


def _codes(proof: Proof) -> dict[str, str]:
    return {one.code: one.values["names"] for one in proof.findings if "names" in one.values}


def _with(inclusion: str, exclusion: str = "E9: {attest: fit_for_trial}") -> Protocol:
    """The small protocol with other criteria."""
    text = (SMALL / "protocol.yaml").read_text("utf-8")
    before, _, rest = text.partition("population:\n")
    after = rest[rest.index("arms:\n") :]
    derived = "derivations: {with_good: {of: transfer, is: any(embryo where good)}}\n"
    rules = f"{derived}population:\n  inclusion:\n    {inclusion}\n  exclusion:\n    {exclusion}\n"
    protocol, found = load_files(
        {"protocol.yaml": (before + rules + after).encode(), "record.txt": (SMALL / "record.txt").read_bytes()}
    )
    assert protocol is not None, [str(one) for one in found]
    return protocol


# ---------------------------------------------------------------- the two real protocols


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_somebody_can_be_eligible_for_a_real_protocol(folder: Path) -> None:
    protocol, started = protocol_of(folder), time.monotonic()
    proof = prove(protocol)
    assert time.monotonic() - started < 5
    assert [one.code for one in proof.findings] == ["proof_example"]
    told = _told(protocol, proof)
    assert told.findings == []
    assert told.date == on_day(proof.bounds.today)
    assert determine(protocol, told.facts, told.date).verdict == "eligible"


def test_time_resolves_adhesions_before_and_none_now() -> None:
    protocol = protocol_of(HBMSC)
    first, last = _told(protocol, prove(protocol)).facts.records["hysteroscopy"]
    score, seen, cavity = (first.fields[name].value for name in ("afs_score", "adhesions", "cavity"))
    assert isinstance(score, Amount)
    assert score.interval.low >= 9
    assert seen != Kinds(frozenset({"none"}))
    assert first.date is not None
    assert last.date is not None
    assert first.date.latest < last.date.earliest
    assert last.fields["adhesions"].value == Kinds(frozenset({"none"}))
    assert last.fields["cavity"].value == Kinds(frozenset({"normal"})) != cavity


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        # exclusion 2 over every hysteroscopy there ever was
        ([(_ADHESIONS, "any(hysteroscopy where afs_score > 0)"), (_SIGNIFICANT, 'rule: "uterine_or_adnexal_finding"')],
         "I8a and E2"),
        # inclusion 8 of every hysteroscopy instead of the latest
        ([("latest(hysteroscopy within 3 months).cavity = normal", "every(hysteroscopy satisfies afs_score = 0)")],
         "I8a and I8c"),
        # electroresection after a severe finding that lies within the last three months, and cannot
        ([('rule: "any(hysteroscopy where severe_adhesions)"',
           'rule: "any(hysteroscopy where severe_adhesions and date > latest(hysteroscopy).date)"')], "I8a"),
    ],
    ids=["every adhesion ever", "every cavity", "later than the latest"],
)  # fmt: skip
def test_without_its_time_a_criterion_contradicts(changes: list[tuple[str, str]], names: str) -> None:
    files = dict(protocol_of(HBMSC).files)
    text = files["protocol.yaml"].decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    protocol, _ = load_files({**files, "protocol.yaml": text.encode()})
    assert protocol is not None
    proof = prove(protocol)
    (found,) = [one for one in proof.findings if one.grade is Grade.ERROR]
    assert found.values["names"] == names
    assert proof.example == ""
    assert "severe intrauterine adhesions" in says(found), "the words of the record stand beside it"
    assert "10 years back from 2026-03-09" in says(found), "and so do the bounds"
    assert mend(found)


def test_an_edit_check_that_links_two_fields_is_kept_by_the_example() -> None:
    linked = "edit_checks:\n  seen: {of: hysteroscopy, rule: 'afs_score = 0 or adhesions != none', says: Seen.}\n"
    linked += "  scored: {of: hysteroscopy, rule: 'afs_score > 0 or adhesions = none', says: Seen.}"
    protocol, _, _ = changed("edit_checks:", linked)
    assert protocol is not None
    proof = prove(protocol)
    assert [one.code for one in proof.findings] == ["proof_example"]
    first, last = _told(protocol, proof).facts.records["hysteroscopy"]
    assert first.fields["adhesions"].value != Kinds(frozenset({"none"}))
    assert last.fields["adhesions"].value == Kinds(frozenset({"none"}))
    assert last.fields["afs_score"].value == Amount(point(Decimal(0)))


# ---------------------------------------------------------------- small tables

_TABLE = [
    # inclusion, exclusion                                                     what is found, and of which criteria
    ('I1: {rule: "amh < 1 ng/mL"}\n    I2: {rule: "amh > 2 ng/mL"}', "", {"proof_contradiction": "I1 and I2"}),
    ('I1: {rule: "amh < 1 ng/mL"}', 'E1: {rule: "amh <= 2 ng/mL"}', {"proof_contradiction": "I1 and E1"}),
    ('I1: {rule: "amh < 1 ng/mL"}\n    I2: {rule: "amh < 2 ng/mL"}', "", {"proof_implied": "I2"}),
    ('I1: {rule: "amh < 1 ng/mL"}', 'E1: {rule: "amh >= 2 ng/mL"}', {"proof_implied": "E1"}),
    ('I1: {rule: "amh < 1 ng/mL"}\n    I2: {rule: "weight < 60 kg"}', "", {}),
    ('I1: {rule: "amh < 4 ng/mL or amh >= 3 ng/mL"}', "", {"proof_constant": "I1"}),
    ('I1: {attest: fit_for_trial}', 'E1: {rule: "amh > 20 ng/mL"}', {"proof_constant": "E1"}),  # not plausible
    ('I1: {rule: "amh > 20 ng/mL"}', "", {"proof_implausible": "I1"}),
    ('I1: {rule: "amh > 200 ng/mL"}', "", {"proof_never_met": "I1"}),
    ('I1: {rule: "weight < 60 kg and (amh < 1 ng/mL or amh > 8 ng/mL)"}', "", {"proof_constant": "I1"}),
    ('I1: {rule: "amh < 1 ng/mL and amh < 2 ng/mL"}', "", {"proof_idle": "I1"}),
    ('I1: {rule: "amh < 1 ng/mL or amh < 2 ng/mL"}', "", {"proof_idle": "I1"}),
    ('I1: {rule: "any(earlier_cycle where outcome = failed) or count(earlier_cycle) >= 1"}', "", {"proof_idle": "I1"}),
    ('I1: {rule: "count(earlier_cycle where outcome = failed) >= 5"}', "", {}),
    ('I1: {rule: "any(earlier_cycle)"}', 'E1: {rule: "count(earlier_cycle) < 4"}', {"proof_implied": "I1"}),
    ('I1: {rule: "any(earlier_cycle)"}', 'E1: {rule: "any(earlier_cycle)"}', {"proof_contradiction": "I1 and E1"}),
    ('I1: {rule: "age in 20..30 years"}', 'E1: {rule: "birth_date < 1980-01-01"}', {"proof_implied": "E1"}),
    ('I1: {rule: "not allergy"}\n    I2: {rule: "not any(allergy)"}', "", {"proof_implied": "I1"}),
    ('I1: {rule: "amh - amh = 0 ng/mL"}', "", {"proof_constant": "I1"}),
    ('I1: {rule: "weight / earliest(weight) > 1.2"}', "", {"proof_implausible": "I1"}),  # an edit check asks about it
    ('I1: {rule: "known(transfer.with_good)"}', "", {"proof_undecided": "I1"}),
    ('I1: {rule: "partner.sperm_count < 5 10*6/mL"}\n    I2: {rule: "partner.sperm_count > 9 10*6/mL"}', "",
     {"proof_contradiction": "I1 and I2"}),
    ('I1: {rule: "any(earlier_cycle within 8 hours before infusion)"}', "", {"proof_never_known": "I1"}),
]  # fmt: skip


@pytest.mark.parametrize(("inclusion", "exclusion", "expected"), _TABLE, ids=[x[0] + x[1] for x in _TABLE])
def test_what_is_found_of_small_criteria(inclusion: str, exclusion: str, expected: dict[str, str]) -> None:
    protocol = _with(inclusion, exclusion or "E9: {attest: fit_for_trial}")
    proof = prove(protocol)
    assert _codes(proof) == expected, [str(one) for one in proof.findings]
    somebody = not {"proof_contradiction", "proof_never_met", "proof_implausible"} & expected.keys()
    somebody = somebody and not {"proof_undecided", "proof_never_known"} & expected.keys()
    assert bool(proof.example) is somebody
    for one in proof.findings:
        assert says(one)
        assert mend(one)
        assert one.where.line > 1


def test_what_stays_unknown_although_it_is_decided_is_said() -> None:
    (found, *_) = prove(_with('I1: {rule: "amh < 4 ng/mL or amh >= 4 ng/mL"}')).findings
    assert "can only be yes, and yet stays unknown where nothing is recorded" in says(found)


def test_more_slots_are_made_for_what_is_counted_and_more_years_for_what_is_looked_back() -> None:
    bounds = prove(_with('I1: {rule: "count(earlier_cycle within 15 years) >= 4"}')).bounds
    assert str(bounds) == (
        "up to 2 results of each item and 3 records of each kind, 5 of earlier_cycle, 16 years back from 2026-03-09"
    )


def test_what_only_more_records_make_possible_is_no_contradiction() -> None:
    ongoing, failed = (f"count(earlier_cycle where outcome = {x}) >= 3" for x in ("ongoing", "failed"))
    protocol = _with(f'I1: {{rule: "{ongoing}"}}\n    I2: {{rule: "{failed}"}}')
    proof = prove(protocol)
    assert [one.code for one in proof.findings] == ["proof_example"]
    assert len(_told(protocol, proof).facts.records["earlier_cycle"]) == 6


# ---------------------------------------------------------------- the command


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    configuration.start("")


def test_check_proves_and_shows_an_example_that_screen_accepts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["check", str(HBMSC), "--prove"]) == 0
    out = capsys.readouterr().out
    assert "note: protocol.yaml:" in out
    assert "Somebody can be eligible" in out
    assert "proved for up to 2 results" in out
    assert main(["check", str(HBMSC), "--prove", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert set(data["proof"]) == {"bounds", "example"}
    (tmp_path / "example.yaml").write_text(data["proof"]["example"], encoding="utf-8")
    assert main(["screen", str(HBMSC), str(tmp_path / "example.yaml")]) == 0


def test_a_contradiction_is_an_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = protocol_of(HBMSC).files
    text = files["protocol.yaml"].decode().replace('rule: "afc >= 6"', 'rule: "afc >= 6 and afc < 6"')
    (tmp_path / "protocol.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "record.txt").write_bytes(files["record.txt"])
    assert main(["check", str(tmp_path)]) == 0
    assert main(["check", str(tmp_path), "--prove"]) == 1
    out = capsys.readouterr().out
    assert "error: protocol.yaml:" in out
    assert "I5a can never be met" in out


def test_without_the_solver_it_is_refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "z3", None)
    assert main(["check", str(HBMSC), "--prove"]) == 2
    assert "pip install 'trialwright[prove]'" in capsys.readouterr().err
    assert main(["check", str(HBMSC)]) == 0
