"""The page of the estimators names every public one, and nothing that is not there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

import pytest
from scripts.docs import ROOT

import trialwright.statistics as package

PAGE = (ROOT / "docs" / "estimators.md").read_text("utf-8")
HELPERS = {
    "arguments", "covariates", "logistic", "propensity", "weighting",  # what several estimators share
}  # fmt: skip
PARTS = {
    "balance.mean_sd", "balance.standardised_difference", "balance.standardised_difference_of_proportions",
    "boundary.crosses", "boundary.pause_ranges", "boundary.posterior_above", "exact_comparison.binomial_chances",
    "exact_comparison.fisher_power_equal_tails", "linear_covariance.contrast",
    "linear_covariance.fit_linear_covariance", "overlap.overlap_weights", "paired.limit_depth",
    "paired.signed_rank_distribution",
    "populations.ate_weights", "populations.att_weights", "populations.entropy_weights",
    "populations.matching_weights", "repeated.unstructured_fit", "risk_ratio.proportions_under_ratio",
    "two_proportions.chances_of_tables", "two_proportions.proportions_under_difference",
    "two_stage.two_stage_characteristics",
}  # fmt: skip


def named() -> set[str]:
    """The functions of the tables, each with its module: `module.one`, `two` names two of one module."""
    found = set()
    for line in PAGE.splitlines():
        module = ""
        for name in re.findall(r"`([a-z_][\w.]*)`", line.split("|")[1]) if line.startswith("| `") else ():
            module = name.partition(".")[0] if "." in name else module
            found.add(f"{module}.{name.rpartition('.')[2]}")
    return found


def public() -> set[str]:
    found = set()
    for one in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{one.name}")
        for name, value in inspect.getmembers(module, inspect.isfunction):
            if value.__module__ == module.__name__ and not name.startswith("_") and one.name not in HELPERS:
                found.add(f"{one.name}.{name}")
    return found


def test_every_public_estimator_is_on_the_page_or_said_to_be_a_part_of_one() -> None:
    assert public() - named() == PARTS


@pytest.mark.parametrize("name", sorted(named()))
def test_what_the_page_names_is_there(name: str) -> None:
    assert name in public()
