"""Every estimator reproduces the reference values that somebody else's program computed."""

import csv
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from trialwright.statistics.binomial import clopper_pearson, wilson
from trialwright.statistics.boundary import (
    Characteristic,
    binomial_bounds,
    boundary_table,
    operating_characteristics,
    posterior_above,
)
from trialwright.statistics.two_proportions import fisher, miettinen_nurminen, newcombe

ROWS = list(csv.DictReader((Path(__file__).parents[1] / "reference_values.csv").read_text("utf-8").splitlines()))

Inputs = dict[str, str]

FUNCTIONS: dict[str, Callable[[Inputs], float]] = {
    "clopper_pearson.lower": lambda given: clopper_pearson(*one(given)).lower,
    "clopper_pearson.upper": lambda given: clopper_pearson(*one(given)).upper,
    "wilson.lower": lambda given: wilson(*one(given)).lower,
    "wilson.upper": lambda given: wilson(*one(given)).upper,
    "miettinen_nurminen_rd.lower": lambda given: miettinen_nurminen(*two(given), confidence(given)).lower,
    "miettinen_nurminen_rd.upper": lambda given: miettinen_nurminen(*two(given), confidence(given)).upper,
    "newcombe_rd.lower": lambda given: newcombe(*two(given), confidence(given)).lower,
    "newcombe_rd.upper": lambda given: newcombe(*two(given), confidence(given)).upper,
    "fisher_exact.p_two_sided": lambda given: fisher(*two(given)),
    "beta_posterior_above": lambda given: posterior_above(int(given["x"]), int(given["n"]), *rule(given)),
    "bayes_boundary.stop_probability": lambda given: bayes_boundary(given).pauses,
    "bayes_boundary.expected_n": lambda given: bayes_boundary(given).expected_n,
    "binomial_bounds.crossing": lambda given: bounds(given).pauses,
    "binomial_bounds.expected_n": lambda given: bounds(given).expected_n,
}

NOT_IMPLEMENTED_YET = {
    "adjust_p_bh",
    "adjust_p_hochberg",
    "adjust_p_holm",
    "adjust_p_hommel",
    "blaker.lower",
    "blaker.upper",
    "e_value",
    "fisher_power",
    "hwang_shih_decani",
    "jeffreys.lower",
    "jeffreys.upper",
    "katz_log_rr",
    "katz_log_rr.lower",
    "katz_log_rr.upper",
    "lan_demets_obrien_fleming",
    "lan_demets_pocock",
    "midp.lower",
    "midp.upper",
    "miettinen_nurminen_rr.lower",
    "miettinen_nurminen_rr.upper",
    "obrien_fleming_bound.first",
    "obrien_fleming_constant",
    "pocock_constant",
    *(f"simon_{kind}.{part}" for kind in ("minimax", "optimal") for part in ("r1", "n1", "r", "n", "EN0", "PET0")),
    "sprt.intercept.1",
    "sprt.intercept.2",
    "sprt.slope",
}


def inputs(row: dict[str, str]) -> Inputs:
    return dict(part.split("=", 1) for part in row["inputs"].split(";"))


def one(given: Inputs) -> tuple[int, int, float]:
    return int(given["x"]), int(given["n"]), confidence(given)


def two(given: Inputs) -> tuple[int, int, int, int]:
    return int(given["x1"]), int(given["n1"]), int(given["x2"]), int(given["n2"])


def confidence(given: Inputs) -> float:
    return float(given["conf"])


def rule(given: Inputs) -> tuple[float, float, float]:
    return float(given["p0"]), float(given["prior_a"]), float(given["prior_b"])


def bayes_boundary(given: Inputs) -> Characteristic:
    p0, a, b = rule(given)
    table = boundary_table(int(given["n"]), p0, float(given["cutoff"]), a, b)
    return operating_characteristics(table, [float(given["p"])])[0]


def bounds(given: Inputs) -> Characteristic:
    return binomial_bounds(whole(given["bounds"]), whole(given["at"]), [float(given["p"])])[0]


def whole(listed: str) -> list[int]:
    return [int(part) for part in listed.split(",")]


@pytest.mark.parametrize("row", [row for row in ROWS if row["function"] in FUNCTIONS], ids=lambda row: str(row["id"]))
def test_the_reference_value_is_reproduced(row: dict[str, str]) -> None:
    value = FUNCTIONS[row["function"]](inputs(row))
    assert math.isfinite(value)
    assert abs(value - float(row["expected"])) <= float(row["tolerance"]), row["source"]


def test_a_function_of_the_table_is_either_implemented_or_said_not_to_be() -> None:
    assert {row["function"] for row in ROWS} - set(FUNCTIONS) == NOT_IMPLEMENTED_YET


def test_no_implemented_function_is_missing_from_the_table() -> None:
    assert set(FUNCTIONS) <= {row["function"] for row in ROWS}
