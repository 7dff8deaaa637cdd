"""What a comparison says where the data are thin: p and limits agree, and nothing is told that cannot be known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from trialwright.analysis.baseline import _imbalance
from trialwright.analysis.comparers import COMPARE, Pair
from trialwright.analysis.plan import adjusted
from trialwright.analysis.results import Figure
from trialwright.statistics.augmented import augmented_overlap_difference


def pair(outcome: Sequence[float], treated: Sequence[float], *covariates: Sequence[float]) -> Pair:
    columns = np.column_stack(covariates)
    return Pair(np.array(outcome), np.array(treated), columns, tuple(f"x{n}" for n in range(columns.shape[1])))


@pytest.mark.parametrize(
    "name", ["overlap_weighted_difference", "augmented_overlap", "ipw_ate", "ipw_att", "g_computation"]
)
@pytest.mark.parametrize("seed", range(40))
def test_p_is_below_a_twentieth_where_the_limits_leave_zero_out_and_only_there(name: str, seed: int) -> None:
    dice = np.random.default_rng(seed)
    x, z = dice.normal(size=(30, 2)), (dice.random(30) < 0.5).astype(float)
    y = (dice.random(30) < 0.3 + 0.35 * z).astype(float)
    found = COMPARE[name](*[Pair(y, z, np.column_stack([x, np.ones(30)]), ("a", "b", "the same for all"))] * 2)
    if found.lower is None or found.upper is None:
        assert found.p_value is None
        return
    assert found.p_value is not None
    assert (found.p_value < 0.05) == (not found.lower <= 0 <= found.upper)


@pytest.mark.parametrize("name", ["overlap_weighted_difference", "augmented_overlap"])
def test_where_one_woman_is_compared_with_one_there_are_no_limits(name: str) -> None:
    thin = pair([1, 0] * 5, [0] * 5 + [1] * 5, [1, 2, 3, 4, 5.1, 5, 6, 7, 8, 9])
    found = COMPARE[name](thin, thin)
    assert (found.lower, found.upper, found.p_value) == (None, None, None)
    assert found.estimate is not None
    assert "1.1 and 1.1 effective women" in found.notes[-1]


@pytest.mark.parametrize(
    ("age", "says"),
    [
        ([1, 2, 3, 4, 1, 2, 3, 4, np.nan, np.nan],
         "No outcome of women with every covariate is missing: nothing is imputed. 2 of all women lack a covariate and "
         "are left out."),
        ([1, 2, 3, 4, 1, 2, 3, 4, np.nan, 2], "1 missing outcomes imputed 100 times"),
    ],
)  # fmt: skip
def test_whose_outcomes_are_imputed_and_who_is_left_out_is_said(age: list[float], says: str) -> None:
    all_women = pair([1, 0, 1, 0, 0, 0, 0, 1, np.nan, np.nan], [0, 0, 0, 0, 1, 1, 1, 1, 0, 1], age)
    found = COMPARE["multiple_imputation"](all_women, all_women)
    assert found.notes[0].startswith(says)
    assert "left out" in found.notes[0]


def test_the_yardstick_of_an_imbalance_is_the_same_after_weighting() -> None:
    one = [("a", 1.0), ("b", 2.0), ("c", 3.0), ("x", 30.0)]
    other = [("d", 2.0), ("e", 3.0), ("f", 4.0), ("y", -30.0)]
    before, after = _imbalance(one, other, dict.fromkeys("abcdef", 0.5))
    assert before is not None
    assert after is not None
    yardstick = np.sqrt((np.var([1, 2, 3, 30], ddof=1) + np.var([2, 3, 4, -30], ddof=1)) / 2)
    assert (round(before * yardstick, 9), round(after * yardstick, 9)) == (9 - (-5.25), -1.0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([("a", 1.0), ("b", 1.0), ("c", 2.0)], [("d", 3.0), ("e", 3.0), ("f", 4.0)]),
        ([("a", 0.1), ("b", 0.1), ("c", 0.1)], [("d", 0.7), ("e", 0.7), ("f", 0.7)]),
    ],
)
def test_an_imbalance_of_women_who_are_alike_ends_in_no_fault(
    one: list[tuple[str, float]], other: list[tuple[str, float]]
) -> None:
    before, after = _imbalance(one, other, {"a": 0.5, "b": 0.5, "d": 0.5, "e": 0.4})
    assert (before is None) == (after is None)


def figure(endpoint: str, p: float | None, estimate: float | None = 0.1, limit: float | None = 0.0) -> Figure:
    return Figure(
        f"{endpoint}.difference.x", endpoint, endpoint, "a - b", "all", "woman", ("x", "y"), 1, 2, 0, 0, estimate,
        limit, limit, 0.95, "x", (), "difference", p,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("comparisons", "expected"),
    [
        ([figure("s1", 0.02), figure("s2", 0.03), figure("exploratory", 0.5)], [0.04, 0.04, None]),
        ([figure("s1", 0.02), figure("s2", None, None, None)], [0.04, None]),  # refused: it counts
        ([figure("s1", 0.02), figure("s2", None, 0.1, None)], [0.04, None]),  # weights too thin for limits: the same
        ([figure("s1", 0.02), figure("s2", None)], [0.02, None]),  # of a method without p
        ([figure("s1", None), figure("s1", 0.01), figure("s2", 0.02)], [None, None, 0.02]),  # nothing stands in
    ],
)
def test_the_family_of_an_adjustment_is_the_secondary_endpoints(
    comparisons: list[Figure], expected: list[float | None]
) -> None:
    assert [one.adjusted_p for one in adjusted(comparisons, {"s1", "s2"}, "holm")] == expected
    assert [one.adjusted_p for one in adjusted(comparisons, {"s1", "s2"}, "none")] == [None] * len(comparisons)


def test_a_risk_beyond_what_a_risk_can_be_is_said() -> None:
    told = []
    for seed in range(60):
        dice = np.random.default_rng(seed)
        x, z = dice.normal(size=(24, 2)), np.arange(24) % 2
        y = (x[:, 0] + 0.5 * dice.normal(size=24) > 1.2).astype(float)
        try:
            found = augmented_overlap_difference(y, z, x)
        except ValueError:
            continue
        beyond = not (0 <= found.risk_treated <= 1 and 0 <= found.risk_control <= 1)
        assert beyond == any("beyond 0 or 1" in one for one in found.warnings)
        told.append(beyond)
    assert set(told) == {True, False}, "some go beyond, and others do not"
