"""The law of the seal: permuting the sealed list leaves every blinded output as it was, byte for byte."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.unit.desk import BLINDED, protocol_at
from trialwright.ledger.chain import checkpoint
from trialwright.ledger.seal import open_seal, write_sealed
from trialwright.ledger.store import Header, create, open_ledger
from trialwright.rehearsal.model import load_model
from trialwright.rehearsal.rehearse import rehearse
from trialwright.report.write import write_report

ARMS = ["drops", "water"] * 6


def _rehearsed(folder: Path, arms: list[str], scenario: str) -> dict[str, bytes]:
    """Every file of the report of a rehearsal with this sealed list, and the ledger's checkpoint."""
    folder.mkdir()
    write_sealed(folder / "sealed.db", arms, "by hand", salt=bytes(32))
    protocol = protocol_at(BLINDED)
    header = Header("virtual", protocol.document.trial, protocol.digest, "test", 4, scenario)
    with create(folder / "ledger.db", header, "2026-01-05T00:00:00Z") as ledger:
        model = load_model(protocol, BLINDED, scenario)
        rehearse(protocol, model, ledger, 4, scenario, sealed=open_seal(folder / "sealed.db"))
        out = folder / "report"
        out.mkdir()
        write_report(ledger, out)
        files = {str(file.relative_to(out)): file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()}
        return {**files, "checkpoint": checkpoint(ledger).digest.encode()}


@pytest.fixture(scope="module")
def blinded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return _rehearsed(tmp_path_factory.mktemp("sealed") / "first", ARMS, "null")


@pytest.mark.parametrize("arms", [ARMS[::-1], ["drops"] * 12, sorted(ARMS), random.Random(7).sample(ARMS, len(ARMS))])
def test_permuting_the_sealed_list_changes_no_byte(tmp_path: Path, blinded: dict[str, bytes], arms: list[str]) -> None:
    assert {"report.json", "report.html", "figures/flow.svg"} <= blinded.keys()
    permuted = _rehearsed(tmp_path / "permuted", arms, "null")
    assert [name for name in permuted if permuted[name] != blinded[name]] == []
    assert permuted.keys() == blinded.keys()


def test_the_law_would_notice_an_arm_that_matters(tmp_path: Path) -> None:
    one = _rehearsed(tmp_path / "one", ARMS, "works")
    other = _rehearsed(tmp_path / "other", ARMS[::-1], "works")
    assert one["report.json"] != other["report.json"]


def test_no_event_of_a_woman_says_her_arm(tmp_path: Path) -> None:
    _rehearsed(tmp_path / "one", ARMS, "null")
    with open_ledger(tmp_path / "one" / "ledger.db") as ledger:
        made = [event for event in ledger.events() if event.type == "allocation.made/1"]
        told = [(event.payload["arm"], event.payload["position"]) for event in made]
        words = [str(event.payload) for event in ledger.events() if event.stream.startswith("participant/")]
    assert told == [("", place) for place in range(1, len(made) + 1)]
    assert len(made) == 10
    assert not [word for word in words if "water" in word]


def test_a_blinded_report_compares_no_arms(blinded: dict[str, bytes]) -> None:
    assert "figures/forest.svg" not in blinded
    assert b'"comparisons": []' in blinded["report.json"]
    assert b'"arm": "all"' in blinded["report.json"]
