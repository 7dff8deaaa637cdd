"""Designs: what simulated trials show agrees with what can be computed on paper, and with the estimators one by one."""

from __future__ import annotations

import itertools
import json
import re
from concurrent.futures import Executor
from math import comb, isclose, prod
from pathlib import Path

import numpy as np
import pytest

from tests.rehearsals import DOR, IUA, command
from trialwright.core.finding import Refused
from trialwright.design.before_after import (
    change_performances,
    hodges_lehmann_limits,
    regression_to_the_mean,
    simulated_values,
)
from trialwright.design.characteristics import characteristics
from trialwright.design.one_arm import logit_limits, proportion_performances, ratio_performances, simulated_counts
from trialwright.design.page import design_html, off_level
from trialwright.design.scenarios import (
    ChangeDesign,
    ChangeScenario,
    LossScenario,
    ProportionDesign,
    RatioDesign,
    RatioScenario,
    TwoArmDesign,
    TwoArmScenario,
    correlation_matrix,
    load_scenarios,
)
from trialwright.design.two_arms import NAIVE, WEIGHTED, performances, simulated, true_difference
from trialwright.design.workers import processes
from trialwright.protocol.load import load
from trialwright.protocol.protocol import Protocol
from trialwright.statistics.binomial import clopper_pearson
from trialwright.statistics.clustered import ratio_logit_t
from trialwright.statistics.paired import hodges_lehmann_signed_rank

NAMES = ("age", "amh")


def two_arms(**scenario: object) -> TwoArmDesign:
    told = {"says": "s", "source": "assumption", "control": 0.3, "odds_ratio": 1, **scenario}
    return TwoArmDesign.model_validate({"endpoint": "pregnancy", "women": [60], "scenarios": {"one": told}})


def protocol(folder: Path) -> Protocol:
    found, _ = load(folder)
    assert found is not None
    return found


def by_estimator(design: TwoArmDesign, seed: int = 1, pool: Executor | None = None) -> dict[str, object]:
    return {one.estimator: one for one in performances(NAMES, design, 4000, seed, pool=pool)}


def test_without_confounding_both_estimators_are_unbiased_and_keep_their_level() -> None:
    (naive, weighted) = performances(NAMES, two_arms(), 4000, 1)
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
    naive, weighted = performances(NAMES, confounded, 4000, 1)
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
    naive, weighted = performances(NAMES, design, 2000, 1)
    assert (naive.estimated + naive.refused, weighted.estimated + weighted.refused) == (2000, 2000)
    assert abs(weighted.coverage - 0.95) < 0.02


def test_outcomes_are_lost_by_covariate_outcome_and_arm() -> None:
    design = two_arms(missing=0.2, missing_by={"age": 0.8}, missing_if_outcome=-1.5, missing_if_treated=1.0)
    outcome, treated, x, known = simulated(NAMES, design, design.scenarios["one"], 60, 3000, (1,))
    young, old = known[x[..., 0] < -1].mean(), known[x[..., 0] > 1].mean()
    assert young > old + 0.1
    assert known[outcome == 1].mean() > known[outcome == 0].mean() + 0.1
    assert known[treated == 1].mean() < known[treated == 0].mean() - 0.1


def test_who_comes_to_no_transfer_has_no_outcome() -> None:
    design = two_arms(transfer=0.6, transfer_odds_ratio=2)
    outcome, treated, _, known = simulated(NAMES, design, design.scenarios["one"], 60, 3000, (1,))
    with_cells = 0.6 / 0.4 * 2 / (1 + 0.6 / 0.4 * 2)
    assert abs(outcome[treated == 0].mean() - 0.6 * 0.3) < 0.01
    assert abs(outcome[treated == 1].mean() - with_cells * 0.3) < 0.01
    assert known.all(), "who comes to no transfer counts as no, and is not missing"
    assert isclose(true_difference(NAMES, design, design.scenarios["one"]), (with_cells - 0.6) * 0.3, abs_tol=1e-9)


def test_an_analysis_per_transfer_misses_what_the_cells_do_for_reaching_one() -> None:
    told = {"transfer": 0.5, "transfer_odds_ratio": 4, "control": 0.5}
    _, composite = performances(NAMES, two_arms(**told), 1000, 1)
    _, per_transfer = performances(NAMES, two_arms(**told, without_transfer="missing"), 1000, 1)
    assert abs(composite.bias) < 0.02
    assert isclose(composite.truth, per_transfer.truth)
    assert per_transfer.bias < -0.1


def test_a_scenario_that_leaves_nobody_over_counts_its_trials_as_not_estimable() -> None:
    _, weighted = performances(NAMES, two_arms(transfer=0.001, without_transfer="missing"), 100, 1)
    assert (weighted.estimated, weighted.refused) == (0, 100)


def test_the_same_seed_gives_the_same_numbers_whatever_the_number_of_processes() -> None:
    design = two_arms(allocation={"age": 0.4}, outcome={"age": -0.4})
    with processes(2) as pool:
        assert by_estimator(design) == by_estimator(design, pool=pool)
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


@pytest.mark.parametrize("counts", ["no", "excluded"])
def test_lost_women_are_enumerated_as_by_going_through_every_woman(counts: str) -> None:
    lost = LossScenario.model_validate(
        {"says": "s", "source": "s", "with_event": 0.4, "without_event": 0.1, "counts": counts}
    )
    design = ProportionDesign(endpoint="e", women=(4,), rates=(0.3,), source="s", lost={"some": lost})
    nobody_lost, one = proportion_performances(design)
    assert (nobody_lost.lost, nobody_lost.bias, one.lost) == ("", 0, "some")
    # each of four women: event and seen, event and lost, none and seen, none and lost
    kinds = {(1, 1): 0.3 * 0.6, (1, 0): 0.3 * 0.4, (0, 1): 0.7 * 0.9, (0, 0): 0.7 * 0.1}
    seen = coverage = none = 0.0
    for women in itertools.product(kinds, repeat=4):
        chance = prod(kinds[woman] for woman in women)
        n = 4 if counts == "no" else sum(known for _, known in women)
        if n:
            x = sum(event * known for event, known in women)
            limits = clopper_pearson(x, n, 0.95)
            seen += chance
            none += chance * (x == 0)
            coverage += chance * (limits.lower <= 0.3 <= limits.upper)
    assert isclose(one.coverage, coverage / seen)
    assert isclose(one.nobody, none / seen)
    assert isclose(one.nobody_known, 1 - seen, abs_tol=1e-12)


CHANGE = {"says": "s", "source": "s", "mean": 8, "sd": 3, "error": 2.5, "enters": "below", "threshold": 7}


def test_the_limits_of_a_change_are_those_of_the_estimator_trial_by_trial() -> None:
    screened, _, after = simulated_values(ChangeScenario.model_validate(CHANGE), 12, 40, (3,))
    estimate, lower, upper = hodges_lehmann_limits(after - screened)
    for trial in range(40):
        alone = hodges_lehmann_signed_rank(after[trial] - screened[trial])
        told = (alone.estimate, alone.lower, alone.upper)
        assert (estimate[trial], lower[trial], upper[trial]) == pytest.approx(told, abs=1e-8)


@pytest.mark.parametrize(("enters", "threshold"), [("below", 7), ("above", 9.5), ("everybody", 0)])
def test_a_threshold_moves_a_change_from_screening_as_theory_says_and_no_other(enters: str, threshold: float) -> None:
    scenario = ChangeScenario.model_validate({**CHANGE, "enters": enters, "threshold": threshold, "effect": 1})
    design = ChangeDesign(endpoint="e", women=(12,), scenarios={"one": scenario})
    screened, _, after = simulated_values(scenario, 200, 2000, (1,))
    expected = regression_to_the_mean(scenario)
    assert abs((after - screened).mean() - 1 - expected) < 0.02
    assert {"below": expected > 1, "above": expected < -1, "everybody": expected == 0}[enters]
    by_baseline = {one.baseline: one for one in change_performances(design, 4000, 1)}
    again = by_baseline["a value measured again"]
    assert abs(again.bias) < 0.05
    assert abs(again.coverage - 0.957) < 0.012
    if enters != "everybody":
        assert by_baseline["the value at screening"].coverage < 0.85 < again.coverage


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
        ("endpoint: transferable_ratio", "endpoint: fever", "field_wrong", "ratio.endpoint"),
        ("trials: 40000", "trials: 3", "field_wrong", "trials"),
        ("ratio: 0.5, alike: 0.0", "ratio: 1.5, alike: 0.0", "field_wrong", "ratio.scenarios.not_alike.ratio"),
        ("seed: 20260101", "seeds: 1", "field_wrong", "seeds"),
        ("seed: 20260101", "seed: -3", "field_wrong", "seed"),
        ("women: [12]\n  scenarios:\n    low", "women: [5]\n  scenarios:\n    low", "field_wrong", "change.women"),
        ("threshold: 7}", "threshold: 70}", "field_wrong", "change.scenarios.low_count_null"),
        ("endpoint: afc_change", "endpoint: fever", "field_wrong", "change.endpoint"),
        ('counts: "no"', "counts: maybe", "field_wrong", "proportion.lost.lost_as_no.counts"),
        ("women: [12, 24]", "women: [1]", "field_wrong", "ratio.women"),
        ("women: [12, 24]", "women: [1000000000]", "field_wrong", "ratio.women"),
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


def test_a_covariate_that_the_analysis_does_not_have_is_refused_wherever_it_is_named(tmp_path: Path) -> None:
    text = (IUA / "design.yaml").read_text("utf-8")
    for old in ("missing_by: {age", "transfer_by: {age"):
        (tmp_path / "design.yaml").write_text(text.replace(old, old.replace("age", "agee"), 1), "utf-8")
        with pytest.raises(Refused) as refused:
            load_scenarios(protocol(IUA), tmp_path)
        assert [one.code for one in refused.value.findings] == ["reference_unknown"]


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


@pytest.mark.parametrize("option", [("--trials", "0"), ("--trials", "-5"), ("--seed", "-1"), ("--workers", "0")])
def test_an_option_that_cannot_be_is_refused(option: tuple[str, str]) -> None:
    code, _, err = command("design", DOR, *option)
    assert (code, option[0] in err) == (2, True)


def test_a_cluster_that_is_not_there_is_refused_with_how_to_mend_it() -> None:
    code, _, err = command("design", DOR, "--trials", "100", "--dask", "tcp://127.0.0.1:9")
    assert code == 2
    assert "pip install" in err or "dask scheduler" in err


def test_an_endpoint_that_the_analysis_does_not_compare_is_refused(tmp_path: Path) -> None:
    text = (IUA / "design.yaml").read_text("utf-8").replace("endpoint: clinical_pregnancy", "endpoint: fever", 1)
    (tmp_path / "design.yaml").write_text(text, "utf-8")
    with pytest.raises(Refused, match="compares no arms in fever"):
        load_scenarios(protocol(IUA), tmp_path)


def test_the_page_says_that_a_change_from_screening_and_a_share_of_the_lost_do_not_keep_their_level() -> None:
    found = characteristics(protocol(DOR), load_scenarios(protocol(DOR), DOR), 500, 1)
    told = off_level(found)
    assert any(re.match("low count null, 12 women, compared with the value at screening: .* 7", one) for one in told)
    assert any("compared with the mean of both values before" in one for one in told)
    exact = [one for one in told if "true rate" in one]
    assert exact == [
        "lost as no, 12 women, true rate 30 %: the interval holds the truth in 93.2 % of trials, not in 95 %."
    ]


def test_too_few_trials_show_no_fault_of_the_level() -> None:
    found = characteristics(protocol(IUA), load_scenarios(protocol(IUA), IUA), 100, 1)
    for one in found.two_arms:
        if one.estimator == WEIGHTED and abs(one.coverage - 0.95) <= 2 * one.error:
            assert not any(
                text.startswith(f"{one.scenario.replace('_', ' ')}, {one.women} ") for text in off_level(found)
            )
