"""Clustered ratios and models: intervals that hold their estimate, and what each refuses."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.statistics.beta_binomial import beta_binomial, beta_binomial_regression
from trialwright.statistics.binomial import clopper_pearson
from trialwright.statistics.clustered import (
    ClusteredRatio,
    intracluster_correlation,
    korn_graubard,
    ratio_logit_t,
    ratio_t,
)
from trialwright.statistics.estimating_equations import gee_logistic
from trialwright.statistics.firth import firth_logistic

INTERVALS = [ratio_logit_t, ratio_t, korn_graubard]
Clusters = list[tuple[int, int]]

clusters = st.lists(
    st.integers(0, 9).flatmap(lambda m: st.tuples(st.integers(0, m), st.just(m))), min_size=1, max_size=14
).filter(lambda all_of_them: any(m for _, m in all_of_them))


@pytest.mark.parametrize("interval", INTERVALS)
@settings(max_examples=60)
@given(data=clusters)
def test_a_clustered_interval_holds_its_ratio_and_turns_round_with_it(
    interval: Callable[..., ClusteredRatio], data: Clusters
) -> None:
    y, m = np.array(data).T
    found, opposite = interval(y, m), interval(m - y, m)
    if found.lower is None or found.upper is None:
        assert found.standard_error is None
        assert len(found.warnings) == 1
        return
    assert found.lower <= found.estimate <= found.upper
    assert opposite.upper is not None
    assert found.lower == pytest.approx(1 - opposite.upper, abs=1e-9)
    assert interval(y[::-1], m[::-1]).lower == pytest.approx(found.lower)
    if interval is not ratio_t:
        assert found.lower >= 0
        assert found.upper <= 1
    else:
        assert bool(found.warnings) == (found.lower < 0 or found.upper > 1)


@settings(max_examples=60)
@given(data=clusters)
def test_korn_graubard_is_never_narrower_than_the_pooled_interval(data: Clusters) -> None:
    y, m = np.array(data).T
    found = korn_graubard(y, m)
    if found.lower is not None and found.upper is not None:
        pooled = clopper_pearson(found.numerator, found.denominator)
        assert found.lower <= pooled.lower + 1e-12
        assert found.upper >= pooled.upper - 1e-12


@pytest.mark.parametrize(
    ("y", "m", "correlation"),
    [([4, 0, 4, 0], [4, 4, 4, 4], 1), ([2, 2, 2], [4, 4, 4], -1 / 3), ([3, 0], [3, 6], 1)],
)
def test_the_correlation_of_clusters_all_alike_or_all_the_same(y: list[int], m: list[int], correlation: float) -> None:
    assert intracluster_correlation(y, m) == pytest.approx(correlation)


@pytest.mark.parametrize(
    ("y", "m", "says"),
    [
        ([1, 0], [1, 1], "a correlation needs two clusters"),
        ([3], [5], "a correlation needs two clusters"),
        ([0, 0], [3, 4], "All units are alike"),
        ([4, 1], [3, 4], "impossible"),
    ],
)
def test_a_correlation_that_cannot_be_is_refused(y: list[int], m: list[int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        intracluster_correlation(y, m)


def clustered(seed: int, women: int = 30) -> tuple[list[int], list[int]]:
    chance = np.random.default_rng(seed)
    m = chance.integers(1, 9, women)
    y = chance.binomial(m, chance.beta(1.5, 2, women))
    return list(map(int, y)), list(map(int, m))


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_the_beta_binomial_mean_lies_in_its_interval_and_turns_round(seed: int) -> None:
    y, m = clustered(seed)
    found, opposite = beta_binomial(y, m), beta_binomial([b - a for a, b in zip(y, m, strict=True)], m)
    assert 0 < found.lower < found.mean < found.upper < 1
    assert found.mean == pytest.approx(1 - opposite.mean, abs=1e-5)
    assert found.rho == pytest.approx(opposite.rho, abs=1e-5)
    assert found.log_likelihood == pytest.approx(opposite.log_likelihood, abs=1e-6)


def test_no_beta_distribution_nearby_is_likelier() -> None:
    from scipy import stats

    y, m = clustered(3)
    found = beta_binomial(y, m)

    def likelihood(mean: float, rho: float) -> float:
        size = (1 - rho) / rho
        return float(stats.betabinom.logpmf(y, m, mean * size, (1 - mean) * size).sum())

    assert found.log_likelihood == pytest.approx(likelihood(found.mean, found.rho), abs=1e-8)
    for mean in (-0.01, 0, 0.01):
        for rho in (-0.01, 0, 0.01):
            assert likelihood(found.mean + mean, found.rho + rho) <= found.log_likelihood + 1e-9


@pytest.mark.parametrize(
    ("y", "m", "rho", "says"),
    [
        ([2, 2, 2, 1], [4, 4, 4, 2], 0, "vary no more than independent units"),
        ([4, 0, 3, 0, 5], [4, 2, 3, 4, 5], 1, "Within each cluster all units are alike"),
    ],
)
def test_a_correlation_at_its_end_is_told(y: list[int], m: list[int], rho: float, says: str) -> None:
    found = beta_binomial(y, m)
    assert found.rho == rho
    assert says in found.warnings[0]
    assert 0 < found.lower < found.mean < found.upper < 1


@pytest.mark.parametrize(
    ("y", "m", "says"),
    [
        ([0, 0, 0], [4, 4, 4], "All units are alike"),
        ([4, 4], [4, 4], "All units are alike"),
        ([1], [4], "1 clusters with a denominator"),
        ([1, 0, 1], [1, 1, 1], "Every cluster has one unit"),
        ([5, 0], [4, 4], "impossible"),
        ([1, 2], [4, 4, 4], "do not describe the same clusters"),
        ([1, math.nan], [4, 4], "missing"),
    ],
)
def test_a_beta_binomial_that_cannot_be_is_refused(y: list[float], m: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        beta_binomial(y, m)


def test_the_unit_of_a_covariate_only_rescales_its_coefficient() -> None:
    y, m = clustered(5, 60)
    x = np.random.default_rng(5).normal(size=(60, 2))
    plain = beta_binomial_regression(y, m, x, ["age", "AFC"])
    scaled = beta_binomial_regression(y, m, x * [1e4, 1] + [1e5, 0], ["age", "AFC"])
    assert scaled.coefficients[1] * 1e4 == pytest.approx(plain.coefficients[1], rel=1e-3)
    assert scaled.standard_errors[1] * 1e4 == pytest.approx(plain.standard_errors[1], rel=1e-3)
    assert scaled.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-6)


def test_a_group_without_a_yes_and_a_constant_are_told() -> None:
    y, m = clustered(6)
    arm = np.arange(30) % 2
    with pytest.raises(ValueError, match="separate yes from no"):
        beta_binomial_regression(np.array(y) * arm, m, arm[:, None])
    found = beta_binomial_regression(y, m, np.column_stack([arm, np.ones(30)]), ["arm", "centre"])
    assert found.warnings == ("The covariate centre is 1 for everyone, so it was left out.",)


def test_a_separated_group_has_a_finite_odds_ratio_with_the_penalty() -> None:
    event, arm = [0] * 6 + [1] * 6, [[0]] * 6 + [[1]] * 6
    for scale in (1, 1e6):
        found = firth_logistic(event, np.array(arm) * scale).coefficients[1]
        assert 0 < found.lower < found.estimate < found.upper < math.inf
        assert found.estimate * scale == pytest.approx(2 * math.log(13), rel=1e-4)  # half an event in each cell
        assert found.p_value < 0.05


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_the_penalised_odds_ratio_changes_sign_with_the_event(seed: int) -> None:
    chance = np.random.default_rng(seed)
    x, event = chance.normal(size=(40, 2)), (chance.random(40) < 0.3).astype(int)
    event[:2] = 0, 1
    found, opposite = firth_logistic(event, x), firth_logistic(1 - event, x)
    for one, other in zip(found.coefficients, opposite.coefficients, strict=True):
        assert one.lower <= one.estimate <= one.upper
        assert one.estimate == pytest.approx(-other.estimate, abs=1e-4)
        assert one.lower == pytest.approx(-other.upper, abs=1e-3)


def test_a_covariate_far_from_zero_moves_the_intercept_to_its_mean() -> None:
    event, year = [0, 1, 0, 1, 1, 0, 1, 1], np.arange(8.0)
    near, far = firth_logistic(event, year[:, None] - 3.5), firth_logistic(event, year[:, None] + 1e6, names=["year"])
    assert far.coefficients[1].lower == pytest.approx(near.coefficients[1].lower, abs=1e-4)
    assert far.coefficients[0].upper == pytest.approx(near.coefficients[0].upper, abs=1e-4)
    assert "at the mean of the covariate year" in far.warnings[0]
    assert near.warnings == ()


@pytest.mark.parametrize(
    ("event", "x", "says"),
    [
        ([0, 0, 0], [[1], [2], [3]], "same for everyone"),
        ([0, 1, 2], [[1], [2], [3]], "neither 1 nor 0"),
        ([0, 1, 0], [[1], [1], [1]], "No covariate varies"),
        ([0, 1, 0, 1], [[1, 2], [2, 4], [3, 6], [5, 10]], "is determined by"),
        ([], np.empty((0, 1)), "same for everyone"),
    ],
)
def test_a_penalised_regression_that_cannot_be_is_refused(event: list[int], x: list[list[float]], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        firth_logistic(event, x)


def test_equations_of_few_clusters_warn_and_do_not_depend_on_the_order() -> None:
    chance = np.random.default_rng(8)
    woman, arm = np.repeat(np.arange(12), 5), np.repeat(np.arange(12) % 2, 5)
    event = (chance.random(60) < 0.3 + 0.3 * arm).astype(int)
    found = gee_logistic(event, woman, arm[:, None], names=["arm"])
    assert "There are 12 clusters" in found.warnings[0]
    assert all(larger > smaller for larger, smaller in zip(found.corrected, found.robust, strict=True))
    order = chance.permutation(60)
    assert gee_logistic(event[order], woman[order], arm[order][:, None]).coefficients == pytest.approx(
        found.coefficients, abs=1e-6
    )


@pytest.mark.parametrize(
    ("event", "cluster", "x", "says"),
    [
        ([0, 1, 0], [1, 1, 1], [[1], [2], [3]], "one cluster only"),
        ([0, 0, 0], [1, 2, 3], [[1], [2], [3]], "same for all units"),
        ([0, 1], [1, 2, 3], [[1], [2]], "do not describe the same units"),
        ([0, 1, 2], [1, 2, 3], [[1], [2], [3]], "neither 1 nor 0"),
        ([0, 0, 1, 1], [1, 2, 3, 4], [[1], [2], [3], [4]], "separate the events"),
    ],
)
def test_equations_that_cannot_be_solved_are_refused(
    event: list[int], cluster: list[int], x: list[list[float]], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        gee_logistic(event, cluster, x)
