"""Every ledger of the museum opens, is intact, folds, and says what it said when it was made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.rehearsals import command
from trialwright.ledger.chain import checkpoint, verify
from trialwright.ledger.keys import SeededKeyStore, decrypt
from trialwright.ledger.store import open_ledger
from trialwright.report.study import open_study
from trialwright.trial.office import whole_state
from trialwright.views.deviations import deviations

EXHIBITS = sorted(Path(__file__).parent.glob("*.db"))
#: Taken down when the ledger was made.
CHECKPOINTS = {"0.1.0": (84, "7b058d0826761746262db99331ff88fe2600661d6e9a9268074f566d30679b41")}


@pytest.fixture(params=EXHIBITS, ids=lambda file: file.stem)
def exhibit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy, so that nothing can be written beside the exhibit."""
    return Path(shutil.copy(request.param, tmp_path / request.param.name))


def test_each_release_has_its_ledger_and_its_checkpoint() -> None:
    assert {file.stem for file in EXHIBITS} == CHECKPOINTS.keys()
    assert all(file.stat().st_size < 300_000 for file in EXHIBITS)


def test_it_is_intact_and_has_the_checkpoint_of_its_making(exhibit: Path) -> None:
    with open_ledger(exhibit) as ledger:
        assert verify(ledger) == []
        point = checkpoint(ledger)
        assert (point.seq, point.digest) == CHECKPOINTS[exhibit.stem]
        assert ledger.header.kind == "real"
    assert command("verify", exhibit)[0] == 0


def test_it_folds_to_what_happened(exhibit: Path) -> None:
    with open_ledger(exhibit) as ledger:
        trial, women = whole_state(ledger)
    assert trial.enrolled == {"P-1": 1, "P-2": 2}
    assert trial.allocated == {"P-1": "cells", "P-2": "control"}
    assert [(one.answer, one.by) for one in trial.answers.values()][1] == ("1e6 /kg * weight", "the sponsor")
    assert trial.custody.lots["L-1"].used == [("P-1", "60000000")]
    assert {who: [made.verdict for made in one.determinations] for who, one in women.items()} == {
        "P-1": ["eligible"],
        "P-2": ["eligible"],
        "P-3": ["eligible"],
        "P-4": ["ineligible"],
        "P-5": [],
    }
    assert women["P-2"].observed["amh"][0].payload["value"] == {"entered": "3.0 ng/mL", "value": "3"}
    assert list(women["P-5"].closed) == ["medical_history"], "the other closing was taken back"
    assert [(dose.planned, dose.prepared, dose.ratio) for dose in women["P-1"].doses] == [("60000000", "60000000", "1")]
    assert (list(women["P-1"].queries), women["P-1"].notes, women["P-2"].withdrawn) == (["Q2"], 1, "2026-04-01")
    assert all(not one.oddities for one in women.values())


def test_its_note_can_still_be_read_with_its_key(exhibit: Path) -> None:
    key = SeededKeyStore(1).key("P-1")
    assert key is not None
    with open_ledger(exhibit) as ledger:
        (note,) = [str(event.payload["text"]) for event in ledger.events(types=["note.recorded/1"])]
    assert decrypt(key, note) == "She felt well."


def test_its_report_has_the_numbers_of_its_making(exhibit: Path, tmp_path: Path) -> None:
    with open_ledger(exhibit) as ledger:
        study = open_study(ledger)
    flow = study.flow
    assert (flow.screened, flow.enrolled, flow.not_enrolled, flow.still_in_screening) == (5, 2, 1, 2)
    figures = {one.id: (one.numerator, one.denominator, one.missing) for one in study.analysis.figures}
    assert figures["pregnancy.cells"] == (1, 1, 0)
    assert figures["pregnancy.control"] == (0, 0, 1)
    (major,) = [row for row in deviations(study.cut) if row.kind == "eligibility"]
    assert (major.participant, major.severity) == ("P-2", "major")
    assert command("report", exhibit, "--out", tmp_path / "report")[0] == 0
