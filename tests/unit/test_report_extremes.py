"""Trials at the edge of what can be analysed: a number with a warning, or a sentence why there is none, never NaN."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsals import command, copied

#: What a figure that could not be computed would look like in any of the files.
NOT_A_NUMBER = re.compile(r"(?<![\w./-])[-−+]?(nan|NaN|inf|Infinity)(?![\w-])")
COMPARING = (
    "augmented_overlap, ipw_ate, ipw_att, g_computation, multiple_imputation, miettinen_nurminen, newcombe, firth, "
    "boschloo, e_value, tipping_point, clopper_pearson, wilson, blaker"
)
MODEL = """
start: 2026-01-05
site: S01
women_per_week: 10
scenario: one
scenarios: {{one: An extreme.}}
parameters: {{}}
latent: [age, afc]
woman: {{age: "{age}"}}
items: {{birth_date: "-365.25 * age", afc: "{afc}"}}
allocation: {{drops: "{drops}", water: "1 - ({drops})"}}
allocation_reasons: {{drops: She chose the drops., water: She chose water.}}
records:
  drops: {{fields: {{count: "3"}}}}
  pregnancy_test: {{count: "{tested}", fields: {{positive: "{positive}"}}}}
  embryo: {{count: "{embryos}", fields: {{good: "{good}"}}}}
  adverse_event: {{count: "0", fields: {{term: "'fever'", grade: "1", serious: "0", related: "'unrelated'"}}}}
mess: {{missed_visit: {missed}, never_missed: [screening, entry, giving]}}
"""
USUAL = {
    "age": "clip(30 + 3 * z_age, 21, 39)", "afc": "clip(round(8 + 3 * z_afc), 1, 30)", "drops": "0.5", "tested": "1",
    "positive": "happens(0.4)", "embryos": "poisson(2)", "good": "happens(0.5)", "missed": "0",
}  # fmt: skip
EXTREMES: dict[str, tuple[int, dict[str, str]]] = {
    "one woman": (1, {}),
    "an empty arm": (10, {"drops": "1"}),
    "outcomes separated by arm": (14, {"positive": "arm == 'drops'"}),
    "arms separated by a covariate": (14, {"drops": "1 if z_age > 0 else 0"}),
    "nobody pregnant": (14, {"positive": "0"}),
    "no embryo at all": (10, {"embryos": "0"}),
    "embryos, and none of them good": (10, {"good": "0"}),
    "a constant covariate": (14, {"afc": "8"}),
    "both covariates constant": (14, {"afc": "8", "age": "30"}),
    "covariates of far different size": (14, {"afc": "60 if z_afc > 0 else 0", "age": "30 + 0.01 * z_age"}),
    "a covariate that copies another": (14, {"afc": "round(age)"}),
    "every later visit missed": (10, {"missed": "1"}),
}


#: What the comparison of pregnancies by this method says of it.
SAYS = {
    "an empty arm": ("overlap_weighted_difference", "An arm is still empty"),
    "arms separated by a covariate": ("overlap_weighted_difference", "Not estimated"),
    "nobody pregnant": ("firth", "same for everyone"),
    "a constant covariate": ("overlap_weighted_difference", "so it was left out"),
    "every later visit missed": ("overlap_weighted_difference", "An arm is still empty"),
}


@pytest.mark.parametrize("name", EXTREMES)
def test_an_extreme_trial_is_reported_without_a_number_that_is_none(tmp_path: Path, name: str) -> None:
    data = _reported(tmp_path, *EXTREMES[name])
    out = tmp_path / "out"
    for file in [*out.glob("*.html"), *out.glob("*.json"), *out.glob("data/*.csv")]:
        assert not (found := NOT_A_NUMBER.search(file.read_text("utf-8"))), f"{file.name}: {found}"
    for one in [*data["figures"], *data["comparisons"]]:
        if one["estimate"] is None and one["p_value"] is None:
            assert one["notes"], f"{one['id']} has no estimate and does not say why"
        if one["lower"] is not None:
            assert one["lower"] <= one["estimate"] <= one["upper"], one["id"]
    method, says = SAYS.get(name, ("overlap_weighted_difference", ""))
    (one,) = [one for one in data["comparisons"] if one["id"] == f"pregnancy.difference.{method}"]
    assert says in " ".join(one["notes"]), one["notes"]


def _reported(tmp_path: Path, women: int, told: dict[str, str]) -> dict[str, Any]:
    """The report of a rehearsal in which something is as extreme as it can be."""
    folder = tmp_path / "protocol"
    for old, new in (
        ("method: sealed list", "method: clinical choice"),
        ("randomised, masking: double, enrolment: 10", f"non-randomised, enrolment: {women}"),
        ("pregnancy: clopper_pearson", "pregnancy: overlap_weighted_difference"),
        ("good_embryos: ratio_logit_t", "good_embryos: korn_graubard"),
        ("follicles: hodges_lehmann", "follicles: overlap_weighted_difference"),
        ("sensitivity: {pregnancy: miettinen_nurminen}", f"sensitivity: {{pregnancy: [{COMPARING}]}}"),
        ("covariates: [age]", "covariates: [age, afc]"),
    ):
        copied(Path("tests/data/blinded"), folder, "protocol.yaml", old, new)
    (folder / "rehearsal.yaml").write_text(MODEL.format(**{**USUAL, **told}), "utf-8")
    code, _, err = command("rehearse", folder, "--out", tmp_path / "out")
    assert code == 0, err
    data: dict[str, Any] = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    return data
