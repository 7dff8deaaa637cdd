"""The clustered ratio, the signed-rank estimate, and the balance of two groups."""

import doctest
import importlib
import itertools
import math
import pkgutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwright import statistics
from trialwright.statistics.balance import (
    MeanSd,
    effective_sample_size,
    mean_sd,
    standardised_difference,
    standardised_difference_of_proportions,
)
from trialwright.statistics.clustered import ratio_logit_t
from trialwright.statistics.paired import (
    MOST_EXACT,
    hodges_lehmann_signed_rank,
    limit_depth,
    signed_rank_distribution,
)

clusters = st.lists(
    st.integers(0, 12).flatmap(lambda m: st.tuples(st.integers(0, m), st.just(m))), min_size=1, max_size=15
)
quantities = st.lists(st.floats(-1000, 1000).map(lambda value: round(value, 3)), min_size=2, max_size=12)


@given(counted=clusters)
def test_a_clustered_ratio_lies_within_its_limits_or_says_why_it_has_none(
    counted: list[tuple[int, int]],
) -> None:
    y, m = zip(*counted, strict=True)
    if not sum(m):
        with pytest.raises(ValueError, match="no ratio to estimate"):
            ratio_logit_t(y, m)
        return
    result = ratio_logit_t(y, m)
    assert result.clusters + result.clusters_without_denominator == len(m)
    if result.lower is None or result.upper is None:
        assert result.lower is result.upper is result.standard_error is None
        assert "no interval is given" in result.warnings[0]
    else:
        assert result.warnings == ()
        assert 0 <= result.lower <= result.estimate <= result.upper <= 1
        opposite = ratio_logit_t(np.subtract(m, y), m)
        assert opposite.upper == pytest.approx(1 - result.lower, abs=1e-9)


@pytest.mark.parametrize(
    ("numerator", "denominator", "estimate", "says"),
    [
        ([0, 0, 0], [4, 3, 0], 0, "None of the 7 units"),
        ([4, 3], [4, 3], 1, "All 7 units"),
        ([2, 0], [5, 0], 0.4, "one cluster only"),
        ([1, 2, 3], [2, 4, 6], 0.5, "All 3 clusters have the same ratio"),
    ],
)
def test_a_ratio_without_variance_has_no_limits(
    numerator: list[int], denominator: list[int], estimate: float, says: str
) -> None:
    result = ratio_logit_t(numerator, denominator)
    assert (result.estimate, result.standard_error, result.lower, result.upper) == (
        estimate,
        None,
        None,
        None,
    )
    assert says in result.warnings[0]


@pytest.mark.parametrize(
    ("numerator", "denominator", "says"),
    [
        ([5], [4], "impossible"),
        ([-1], [4], "impossible"),
        ([1.5], [4], "impossible"),
        ([1, 2], [4], "do not describe the same clusters"),
        ([math.nan], [4], "missing or infinite in row 1"),
        ([], [], "None of the 0 clusters"),
        ([[1]], [[2]], "2 dimensions"),
    ],
)
def test_impossible_clusters_are_refused(numerator: list[float], denominator: list[int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ratio_logit_t(numerator, denominator)


@given(differences=quantities)
def test_a_shift_lies_within_its_limits_and_changes_sign_with_the_differences(
    differences: list[float],
) -> None:
    result, turned = (
        hodges_lehmann_signed_rank(differences, 0.8),
        hodges_lehmann_signed_rank(np.negative(differences), 0.8),
    )
    assert 0 < result.p_value <= 1
    assert turned.p_value == pytest.approx(result.p_value, abs=1e-12)
    assert turned.estimate == pytest.approx(-result.estimate, abs=1e-9)
    if len(differences) < 4:
        assert result.lower is result.upper is None
        assert "No interval is given" in result.warnings[0]
    else:
        assert result.lower is not None
        assert result.upper is not None
        assert result.lower <= result.estimate <= result.upper
        assert turned.lower == pytest.approx(-result.upper, abs=1e-9)


@given(differences=st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_the_p_of_tied_differences_is_that_of_all_patterns_of_signs(differences: list[int]) -> None:
    sizes = [abs(d) for d in differences if d]
    ranks = [sum(other < size for other in sizes) + (sizes.count(size) + 1) / 2 for size in sizes]
    observed = sum(rank for rank, d in zip(ranks, (d for d in differences if d), strict=True) if d > 0)
    sums = [
        sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign)
        for signs in itertools.product((0, 1), repeat=len(ranks))
    ]
    tails = sum(total <= observed for total in sums), sum(total >= observed for total in sums)
    expected = min(1.0, 2 * min(tails) / len(sums))
    assert hodges_lehmann_signed_rank(differences).p_value == pytest.approx(expected, abs=1e-12)


def test_pairs_without_a_difference_leave_the_test_but_stay_in_the_estimate() -> None:
    result = hodges_lehmann_signed_rank([0, 0, 0, 0, 1, 2, 3])
    assert (result.n, result.zeros) == (7, 4)
    assert result.p_value == pytest.approx(0.25)
    assert result.estimate == 0.75  # of 28 averages 14 are at most 0.5, and the next is 1


def test_differences_equal_but_for_binary_rounding_are_tied() -> None:
    exact = hodges_lehmann_signed_rank([1, -1, 1, 2, -3, 4])
    rounded = hodges_lehmann_signed_rank([0.3 - 0.2, 0.1 - 0.2, 0.9 - 0.8, 0.2, -0.3, 0.4])
    assert rounded.p_value == exact.p_value
    assert rounded.estimate == pytest.approx(exact.estimate / 10)


def test_five_pairs_cannot_reach_95_percent_but_six_can() -> None:
    five = hodges_lehmann_signed_rank([1, 2, 3, 4, 5])
    assert five.lower is five.upper is None
    assert five.warnings == (
        "5 pairs cannot give an exact interval at 0.95: the widest reaches 0.9375. No interval is given.",
    )
    six = hodges_lehmann_signed_rank([1, 2, 3, 4, 5, 6])
    assert (six.lower, six.upper, six.p_value) == (1, 6, 1 / 32)


def test_pairs_that_never_differ_have_p_1_and_a_warning() -> None:
    result = hodges_lehmann_signed_rank([0] * 8)
    assert (result.estimate, result.lower, result.upper, result.p_value) == (0, 0, 0, 1)
    assert "No pair differs" in result.warnings[0]


@pytest.mark.parametrize(("differences", "says"), [([], "no pair"), ([1, math.nan], "missing or infinite in row 2")])
def test_pairs_that_cannot_be_ranked_are_refused(differences: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        hodges_lehmann_signed_rank(differences)


@given(treated=quantities, control=quantities, shift=st.floats(-10, 10))
def test_a_standardised_difference_changes_sign_with_the_groups_and_not_with_the_unit(
    treated: list[float], control: list[float], shift: float
) -> None:
    if np.ptp(treated) < 0.01 and np.ptp(control) < 0.01:
        return
    d = standardised_difference(treated, control)
    assert math.isfinite(d)
    assert standardised_difference(control, treated) == pytest.approx(-d, abs=1e-6)
    assert standardised_difference(np.add(treated, shift) * 7, np.add(control, shift) * 7) == pytest.approx(d, abs=1e-6)
    ones = np.ones(len(treated)), np.ones(len(control))
    assert standardised_difference(treated, control, *ones) == pytest.approx(d, abs=1e-6)


def test_weights_move_the_means_but_not_the_yardstick() -> None:
    treated, control = [1, 2, 3], [2, 3, 4]
    assert standardised_difference(treated, control, [0, 0, 1], [1, 0, 0]) == pytest.approx(1.0)
    assert standardised_difference_of_proportions([1, 0], [1, 0], [1, 0], [0, 1]) == pytest.approx(2.0)


def test_a_difference_of_proportions_is_in_binomial_deviations() -> None:
    half, fifth = [1] * 5 + [0] * 5, [1] * 2 + [0] * 8
    assert standardised_difference_of_proportions(half, fifth) == pytest.approx(0.3 / math.sqrt((0.25 + 0.16) / 2))


def test_groups_that_do_not_vary_differ_by_nothing_or_cannot_be_measured() -> None:
    assert standardised_difference([0.1] * 3, [0.1] * 7) == 0
    with pytest.raises(ValueError, match="All treated have 1 and all controls 0"):
        standardised_difference_of_proportions([1, 1], [0, 0])


@pytest.mark.parametrize(
    ("treated", "weights", "says"),
    [
        ([1], None, "needs two or more"),
        ([1, math.inf], None, "missing or infinite in row 2"),
        ([1, 0], [1, -1], "negative in row 2"),
        ([1, 0], [0, 0], "zero throughout"),
        ([1, 0], [1], "1 weights for 2 values"),
    ],
)
def test_groups_that_cannot_be_compared_are_refused(
    treated: list[float], weights: list[float] | None, says: str
) -> None:
    for compare in (standardised_difference, standardised_difference_of_proportions):
        with pytest.raises(ValueError, match=says):
            compare(treated, [1, 0], weights)


def test_a_proportion_needs_zeros_and_ones() -> None:
    with pytest.raises(ValueError, match="control group holds values other than 0 and 1"):
        standardised_difference_of_proportions([1, 0], [1, 2])


def test_a_mean_has_a_deviation_from_two_values_on() -> None:
    assert mean_sd([3]) == MeanSd(3, None, 1)
    assert mean_sd([2, 4], [1, 0]) == MeanSd(2, None, 2)
    assert mean_sd([2, 4, 6], [5, 5, 5]) == MeanSd(4, 2, 3)
    with pytest.raises(ValueError, match="no value"):
        mean_sd([])


@given(weights=st.lists(st.floats(0, 100), min_size=1, max_size=20).filter(lambda w: max(w) > 1e-6))
def test_the_effective_sample_size_is_between_one_and_all(weights: list[float]) -> None:
    assert 1 - 1e-9 <= effective_sample_size(weights) <= len(weights) + 1e-9


def test_the_examples_in_the_documentation_are_true() -> None:
    names = [module.name for module in pkgutil.iter_modules(statistics.__path__, "trialwright.statistics.")]
    results = [doctest.testmod(importlib.import_module(name)) for name in names]
    assert sum(result.failed for result in results) == 0
    assert all(result.attempted for result in results)


def test_beyond_so_many_pairs_the_normal_depth_is_within_three_of_the_exact_one() -> None:
    n = MOST_EXACT + 1
    cumulative = np.cumsum(signed_rank_distribution(2 * np.arange(1, n + 1))[::2])
    exact = int((cumulative <= 0.025).sum())
    assert abs(limit_depth(n, 0.95) - exact) <= 3, "of 125,751 averages"
    differences = np.random.default_rng(1).normal(0.05, 1, n)
    many, few = hodges_lehmann_signed_rank(differences), hodges_lehmann_signed_rank(differences[:MOST_EXACT])
    assert (many.exact, few.exact) == (False, True)
    ranks = np.argsort(np.argsort(np.abs(differences))) + 1
    statistic = int(ranks[differences > 0].sum())
    tails = signed_rank_distribution(2 * np.arange(1, n + 1))[::2]
    assert many.p_value == pytest.approx(2 * min(tails[: statistic + 1].sum(), tails[statistic:].sum()), rel=0.002)
