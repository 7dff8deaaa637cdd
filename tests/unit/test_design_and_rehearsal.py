"""Two engines, one distribution: women whose trial was rehearsed event by event, and trials simulated as arrays."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest

from tests.rehearsals import command, copied
from trialwright.design.one_arm import simulated_counts
from trialwright.design.scenarios import RatioScenario, TwoArmDesign
from trialwright.design.two_arms import simulated
from trialwright.ledger.store import open_ledger
from trialwright.trial import events as e

Floats: TypeAlias = npt.NDArray[np.float64]

WOMEN, TRIALS = 200, 1000
#: How many standard deviations of simulated trials of this size the rehearsed one may lie from their mean.
TOLERANCE = 4.0
START = date(2026, 1, 5)
MODEL = f"""
start: {START}
site: S01
women_per_week: 20
scenario: one
scenarios: {{one: What the design assumes too.}}
parameters: {{}}
latent: [age]
woman: {{age: "clip(30 + 2.5 * z_age, 20.1, 39.9)", alike: "beta(0.4, 4)"}}
items: {{birth_date: "-365.25 * age", afc: "8"}}
allocation: {{drops: "expit(1.0 * z_age)", water: "1 - expit(1.0 * z_age)"}}
allocation_reasons: {{drops: She chose the drops., water: She chose water.}}
records:
  drops: {{fields: {{count: "3"}}}}
  pregnancy_test: {{fields: {{positive: "happens(expit(logit(0.3) - 0.7 * z_age + log(2) * (arm == 'drops')))"}}}}
  embryo: {{count: "poisson(3)", fields: {{good: happens(alike)}}}}
  adverse_event: {{count: "0", fields: {{term: "'fever'", grade: "1", serious: "0", related: "'unrelated'"}}}}
"""
DESIGN = TwoArmDesign.model_validate(
    {
        "endpoint": "pregnancy",
        "women": [WOMEN],
        "scenarios": {
            "one": {
                "says": "s", "source": "s", "allocation": {"age": 1.0}, "outcome": {"age": -0.7}, "control": 0.3,
                "odds_ratio": 2,
            },
            "unconfounded": {"says": "s", "source": "s", "outcome": {"age": -0.7}, "control": 0.3, "odds_ratio": 2},
        },
    }
)  # fmt: skip
EMBRYOS = RatioScenario(says="s", source="s", ratio=0.4, alike=0.2, mean=3)


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of one rehearsed trial whose women are drawn as the design assumes."""
    folder = tmp_path_factory.mktemp("engines")
    protocol = folder / "protocol"
    copied(Path("tests/data/blinded"), protocol, "protocol.yaml", "method: sealed list", "method: clinical choice")
    copied(protocol, protocol, "protocol.yaml", "randomised, masking: double, enrolment: 10", f"non-randomised, enrolment: {WOMEN}")  # fmt: skip # noqa: E501
    (protocol / "rehearsal.yaml").write_text(MODEL, "utf-8")
    code, _, err = command("rehearse", protocol, "--out", folder / "out")
    assert code == 0, err
    return folder / "out"


def test_a_rehearsed_trial_lies_among_the_simulated_ones_in_arms_covariates_and_outcomes(rehearsed: Path) -> None:
    outcome, treated, age = _women(rehearsed)
    assert outcome.size == WOMEN
    many = simulated(("age",), DESIGN, DESIGN.scenarios["one"], WOMEN, TRIALS, (1,))
    distances = _distances(_told(outcome[None], treated[None], age[None]), _told(many[0], many[1], many[2][..., 0]))
    assert max(map(abs, distances.values())) < TOLERANCE, distances


def test_the_comparison_notices_a_design_that_assumes_something_else(rehearsed: Path) -> None:
    outcome, treated, age = _women(rehearsed)
    many = simulated(("age",), DESIGN, DESIGN.scenarios["unconfounded"], WOMEN, TRIALS, (1,))
    distances = _distances(_told(outcome[None], treated[None], age[None]), _told(many[0], many[1], many[2][..., 0]))
    assert distances["age of the arms"] > TOLERANCE


def test_rehearsed_embryos_cluster_in_women_as_the_simulated_ones_do(rehearsed: Path) -> None:
    rows = [row for row in _endpoints(rehearsed) if row["endpoint"] == "good_embryos"]
    good, made = (np.array([[float(row[name]) for row in rows]]) for name in ("first", "second"))
    assert made.size == WOMEN
    distances = _distances(_clusters(good, made), _clusters(*simulated_counts(EMBRYOS, WOMEN, TRIALS, (2,))))
    assert max(map(abs, distances.values())) < TOLERANCE, distances


def _told(outcome: Floats, treated: Floats, age: Floats) -> dict[str, Floats]:
    """What describes a trial, trial by trial: its arms, who is in them, and who has the outcome."""
    control = 1 - treated
    return {
        "share treated": treated.mean(axis=1),
        "age": age.mean(axis=1),
        "spread of age": age.std(axis=1),
        "age of the arms": _mean(age, treated) - _mean(age, control),
        "risk treated": _mean(outcome, treated),
        "risk control": _mean(outcome, control),
        "age by outcome": _mean(age, outcome) - _mean(age, 1 - outcome),
    }


def _clusters(good: Floats, made: Floats) -> dict[str, Floats]:
    ratio = good.sum(axis=1) / made.sum(axis=1)
    return {
        "embryos": made.mean(axis=1),
        "spread of embryos": made.var(axis=1),
        "women without": (made == 0).mean(axis=1),
        "ratio": ratio,
        "spread of women": np.square(good - ratio[:, None] * made).mean(axis=1),
    }


def _distances(one: dict[str, Floats], many: dict[str, Floats]) -> dict[str, float]:
    return {name: float((one[name][0] - told.mean()) / told.std()) for name, told in many.items()}


def _mean(values: Floats, among: Floats) -> Floats:
    found: Floats = (values * among).sum(axis=1) / among.sum(axis=1)
    return found


def _women(out: Path) -> tuple[Floats, Floats, Floats]:
    """Outcome, arm and age (in standard deviations) of every woman, as the report and the ledger tell them."""
    rows = [row for row in _endpoints(out) if row["endpoint"] == "pregnancy"]
    with open_ledger(out / "ledger.db") as ledger:
        born = {
            event.stream.removeprefix("participant/"): (event.on, str(event.payload["value"]["entered"]))  # type: ignore[index,call-overload]
            for event in ledger.events(types=[e.OBSERVED])
            if event.payload["item"] == "birth_date"
        }
    days = {who: (date.fromisoformat(on[:10]) - date.fromisoformat(day)).days for who, (on, day) in born.items()}
    age = np.array([(days[row["participant"]] / 365.25 - 30) / 2.5 for row in rows])
    outcome = np.array([float({"yes": 1, "no": 0}[row["answer"]]) for row in rows])
    return outcome, np.array([float(row["arm"] == "drops") for row in rows]), age


def _endpoints(out: Path) -> list[dict[str, str]]:
    with (out / "data" / "endpoints.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
