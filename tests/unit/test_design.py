"""Designs: what simulated trials show agrees with what can be computed on paper, and with the estimators one by one."""

from __future__ import annotations

import json
import re
from math import comb, isclose
from pathlib import Path

import numpy as np
import pytest

from tests.rehearsals import DOR, IUA, command
from trialwright.core.finding import Refused
from trialwright.design.characteristics import characteristics
from trialwright.design.one_arm import logit_limits, proportion_performances, ratio_performances, simulated_counts
from trialwright.design.page import design_html, off_level
from trialwright.design.scenarios import (
    ProportionDesign,
    RatioDesign,
    RatioScenario,
    TwoArmDesign,
    TwoArmScenario,
    correlation_matrix,
    load_scenarios,
)
from trialwright.design.two_arms import NAIVE, WEIGHTED, performances, simulated, true_difference
from trialwright.protocol.load import load
from trialwright.protocol.protocol import Protocol
from trialwright.statistics.clustered import ratio_logit_t

NAMES = ("age", "amh")


def two_arms(**scenario: object) -> TwoArmDesign:
    told = {"says": "s", "source": "assumption", "control": 0.3, "odds_ratio": 1, **scenario}
    return TwoArmDesign.model_validate({"endpoint": "pregnancy", "women": [60], "scenarios": {"one": told}})


def protocol(folder: Path) -> Protocol:
    found, _ = load(folder)
    assert found is not None
    return found


def by_estimator(design: TwoArmDesign, trials: int = 4000, seed: int = 1, processes: int = 1) -> dict[str, object]:
    return {one.estimator: one for one in performances(NAMES, design, trials, seed, processes=processes)}


def test_without_confounding_both_estimators_are_unbiased_and_keep_their_level() -> None:
    (naive, weighted) = performances(NAMES, two_arms(), 4000, 1, processes=1)
    assert (naive.estimator, weighted.estimator) == (NAIVE, WEIGHTED)
    for one in (naive, weighted):
        assert one.truth == 0
        assert abs(one.bias) < 0.01
        assert abs(one.coverage - 0.95) < 0.02
        assert isclose(one.rejects, 1 - one.coverage), (
            "the truth is 0, so that every interval that misses it leaves 0 out"
        )


def test_confounding_biases_who_adjusts_for_nothing_and_not_the_weighted() -> None:
    confounded = two_arms(allocation={"age": 0.6}, outcome={"age": -0.8})
    naive, weighted = performances(NAMES, confounded, 4000, 1, processes=1)
    assert naive.bias < -0.05
    assert abs(weighted.bias) < 0.01
    assert naive.coverage < weighted.coverage


def test_an_effect_is_that_of_the_overlap_population() -> None:
    flat = two_arms(odds_ratio=2)
    expected = 0.3 / 0.7 * 2 / (1 + 0.3 / 0.7 * 2) - 0.3
    assert isclose(true_difference(NAMES, flat, flat.scenarios["one"]), expected, abs_tol=1e-9)


def test_trials_with_missing_outcomes_are_analysed_without_them() -> None:
    design = two_arms(missing=0.2)
    outcome, _, _, known = simulated(NAMES, design, design.scenarios["one"], 60, 500, (1,))
    assert outcome.shape == known.shape == (500, 60)
    assert abs(known.mean() - 0.8) < 0.02
    naive, weighted = performances(NAMES, design, 2000, 1, processes=1)
    assert (naive.estimated + naive.refused, weighted.estimated + weighted.refused) == (2000, 2000)
    assert abs(weighted.coverage - 0.95) < 0.02


def test_the_same_seed_gives_the_same_numbers_whatever_the_number_of_processes() -> None:
    design = two_arms(allocation={"age": 0.4}, outcome={"age": -0.4})
    assert by_estimator(design) == by_estimator(design, processes=2)
    assert by_estimator(design) != by_estimator(design, seed=2)


def test_the_limits_of_a_ratio_are_those_of_the_estimator_trial_by_trial() -> None:
    scenario = RatioScenario(says="s", source="a", ratio=0.4, alike=0.2, mean=2.5)
    numerators, denominators = simulated_counts(scenario, 12, 200, (3,))
    ratio, lower, upper = logit_limits(numerators, denominators)
    for trial in range(200):
        alone = ratio_logit_t(numerators[trial], denominators[trial])
        assert isclose(ratio[trial], alone.estimate)
        if alone.lower is None:
            assert np.isnan(lower[trial])
        else:
            assert isclose(lower[trial], alone.lower, rel_tol=1e-9)
            assert isclose(upper[trial], alone.upper or 0, rel_tol=1e-9)


def test_women_who_are_alike_spoil_a_pooled_interval_and_not_the_clustered_one() -> None:
    scenario = RatioScenario(says="s", source="a", ratio=0.5, alike=0.4, mean=4)
    (one,) = ratio_performances(RatioDesign(endpoint="e", women=(12,), scenarios={"alike": scenario}), 8000, 1)
    assert one.pooled < 0.88
    assert abs(one.coverage - 0.955) < 0.012
    assert one.estimated + one.without_limits == one.trials


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_a_proportion_is_enumerated_as_on_paper(rate: float) -> None:
    (one,) = proportion_performances(ProportionDesign(endpoint="e", women=(12,), rates=(rate,), source="s"))
    assert isclose(one.nobody, (1 - rate) ** 12)
    # Clopper-Pearson of 0 to 12 of 12: which of them hold the rate
    covered = sum(comb(12, x) * rate**x * (1 - rate) ** (12 - x) for x in range(13) if _holds(x, rate))
    assert isclose(one.coverage, covered)
    assert isclose(one.upper_if_nobody, 1 - 0.05 ** (1 / 12))


def _holds(x: int, rate: float) -> bool:
    """By definition: neither tail at the rate is below 2.5 %."""
    below = sum(comb(12, k) * rate**k * (1 - rate) ** (12 - k) for k in range(x + 1))
    above = sum(comb(12, k) * rate**k * (1 - rate) ** (12 - k) for k in range(x, 13))
    return below >= 0.025 and above >= 0.025


# ---------------------------------------------------------------- the two trials


@pytest.mark.parametrize("folder", [DOR, IUA], ids=["DOR", "IUA"])
def test_both_trials_have_a_design_and_its_page_says_where_it_does_not_keep_its_level(folder: Path) -> None:
    made, asked = protocol(folder), load_scenarios(protocol(folder), folder)
    found = characteristics(made, asked, 200, 1)
    assert found.boundary is not None
    page = design_html(made, asked, found)
    assert "Nobody was treated or observed" in page
    for sentence in off_level(found):
        assert sentence.partition(",")[0] in page
    assert not re.search(r">\s*nan\b", page)


def test_the_verb_writes_page_pdf_and_json(tmp_path: Path) -> None:
    code, out, _ = command("design", DOR, "--trials", "100", "--out", tmp_path / "d")
    assert code == 0
    assert "design.html written" in out
    data = json.loads((tmp_path / "d" / "design.json").read_text("utf-8"))
    assert data["trials"] == 100
    assert {row["women"] for row in data["ratio"]} == {12, 24}
    assert (tmp_path / "d" / "design.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("old", "new", "code", "where"),
    [
        ("endpoint: transferable_ratio", "endpoint: transferable", "reference_unknown", "ratio.endpoint"),
        ("endpoint: transferable_ratio", "endpoint: fever", "document_field", "ratio.endpoint"),
        ("trials: 40000", "trials: 3", "document_field", "trials"),
        ("ratio: 0.5, alike: 0.0", "ratio: 1.5, alike: 0.0", "document_field", "ratio.scenarios.not_alike.ratio"),
        ("seed: 20260101", "seeds: 1", "document_field", "seeds"),
        ("seed: 20260101", "seed: -3", "document_field", "seed"),
        ("women: [12, 24]", "women: [1]", "document_field", "ratio.women"),
        ("women: [12, 24]", "women: [1000000000]", "document_field", "ratio.women"),
    ],
)
def test_what_is_wrong_with_a_design_is_said_with_its_place(
    tmp_path: Path, old: str, new: str, code: str, where: str
) -> None:
    text = (DOR / "design.yaml").read_text("utf-8")
    assert old in text
    (tmp_path / "design.yaml").write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(Refused) as refused:
        load_scenarios(protocol(DOR), tmp_path)
    assert [(one.code, dict(one.values)["path"]) for one in refused.value.findings] == [(code, where)]


def test_a_protocol_without_a_design_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        load_scenarios(protocol(DOR), tmp_path)
    assert refused.value.findings[0].code == "design_missing"


def test_correlations_that_cannot_all_be_true_are_refused(tmp_path: Path) -> None:
    text = (IUA / "design.yaml").read_text("utf-8").replace("amh~afc: 0.70", "amh~afc: -0.99")
    (tmp_path / "design.yaml").write_text(text, "utf-8")
    with pytest.raises(Refused, match="cannot all be true"):
        load_scenarios(protocol(IUA), tmp_path)


def test_a_correlation_stands_on_both_sides() -> None:
    assert correlation_matrix(("a", "b", "c"), {"a~c": 0.5}).tolist() == [[1, 0, 0.5], [0, 1, 0], [0.5, 0, 1]]


def test_a_scenario_must_say_what_it_assumes() -> None:
    with pytest.raises(ValueError, match="says"):
        TwoArmScenario.model_validate({"source": "a", "control": 0.3, "odds_ratio": 1})


@pytest.mark.parametrize("option", [("--trials", "0"), ("--trials", "-5"), ("--seed", "-1")])
def test_an_option_that_cannot_be_is_refused(option: tuple[str, str]) -> None:
    code, _, err = command("design", DOR, *option)
    assert (code, option[0] in err) == (2, True)


def test_an_endpoint_that_the_analysis_does_not_compare_is_refused(tmp_path: Path) -> None:
    text = (IUA / "design.yaml").read_text("utf-8").replace("endpoint: clinical_pregnancy", "endpoint: fever", 1)
    (tmp_path / "design.yaml").write_text(text, "utf-8")
    with pytest.raises(Refused, match="compares no arms in fever"):
        load_scenarios(protocol(IUA), tmp_path)


def test_too_few_trials_show_no_fault_of_the_level() -> None:
    found = characteristics(protocol(IUA), load_scenarios(protocol(IUA), IUA), 100, 1)
    for one in found.two_arms:
        if one.estimator == WEIGHTED and abs(one.coverage - 0.95) <= 2 * one.error:
            assert not any(text.startswith(f"{one.scenario}, {one.women} ") for text in off_level(found))
