"""Risk ratios, exact tests, adjusted p values, E-values and tipping points."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.unit.test_statistics_overlap import trial
from trialwright.statistics.arguments import Floats
from trialwright.statistics.balance import balance_table
from trialwright.statistics.exact_comparison import boschloo, fisher_power, fisher_power_equal_tails
from trialwright.statistics.multiplicity import benjamini_hochberg, hochberg, holm, hommel
from trialwright.statistics.overlap import overlap_weighted_difference
from trialwright.statistics.power import two_proportions_power, two_proportions_size
from trialwright.statistics.regression_to_the_mean import expected_regression, regression_from_two_baselines
from trialwright.statistics.risk_ratio import katz, miettinen_nurminen_ratio, proportions_under_ratio
from trialwright.statistics.sensitivity import e_value, e_value_of_interval, tipping_point
from trialwright.statistics.two_proportions import fisher

counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
some_events = st.integers(2, 60).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n)))
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@given(first=counts, second=counts, confidence=levels)
def test_a_risk_ratio_lies_within_its_limits_and_turns_over_with_the_arms(
    first: tuple[int, int], second: tuple[int, int], confidence: float
) -> None:
    found, swapped = (
        miettinen_nurminen_ratio(*first, *second, confidence),
        miettinen_nurminen_ratio(*second, *first, confidence),
    )
    assert 0 <= found.lower <= found.upper
    if found.estimate is not None:
        assert found.lower <= found.estimate * (1 + 1e-12)
        assert found.estimate <= found.upper * (1 + 1e-12)
    for one, other in ((found.lower, swapped.upper), (found.upper, swapped.lower)):
        assert one == pytest.approx(0 if other == math.inf else math.inf if other == 0 else 1 / other, rel=1e-9)


@given(first=some_events, second=some_events, share=st.floats(0.01, 0.99), nearby=st.floats(0.01, 0.99))
def test_no_other_pair_with_the_ratio_is_likelier(
    first: tuple[int, int], second: tuple[int, int], share: float, nearby: float
) -> None:
    ratio = share / (1 - share)
    r1, r2 = proportions_under_ratio(*first, *second, ratio)
    assert r1 == pytest.approx(ratio * r2)
    other = nearby * min(1, 1 / ratio)

    def likelihood(p1: float, p2: float) -> float:
        return float(stats.binom.logpmf(first[0], first[1], p1) + stats.binom.logpmf(second[0], second[1], p2))

    assert likelihood(r1, r2) >= likelihood(ratio * other, other) - 1e-9


@given(first=some_events, second=some_events, confidence=levels)
def test_the_katz_interval_is_symmetric_on_the_logarithm(
    first: tuple[int, int], second: tuple[int, int], confidence: float
) -> None:
    found = katz(*first, *second, confidence)
    assert found.estimate is not None
    assert found.lower * found.upper == pytest.approx(found.estimate**2)


@pytest.mark.parametrize("table", [(0, 10, 3, 10), (3, 10, 0, 10), (10, 10, 4, 4)])
def test_katz_refuses_a_table_without_a_logarithm_or_a_variance(table: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="Use Miettinen-Nurminen"):
        katz(*table)
    assert miettinen_nurminen_ratio(*table).lower >= 0


@settings(max_examples=15)
@given(first=st.tuples(st.integers(0, 8), st.just(8)), second=st.tuples(st.integers(0, 10), st.just(10)))
def test_boschloo_is_never_larger_than_fisher(first: tuple[int, int], second: tuple[int, int]) -> None:
    one_sided = [
        float(stats.fisher_exact([[first[0], second[0]], [8 - first[0], 10 - second[0]]], side).pvalue)
        for side in ("less", "greater")
    ]
    assert 0 < boschloo(*first, *second) <= min(1, 2 * min(one_sided)) + 1e-6


def test_without_events_boschloo_has_nothing_to_tell() -> None:
    assert boschloo(0, 8, 0, 10) == boschloo(8, 8, 10, 10) == 1


@pytest.mark.parametrize(("n1", "n2", "p1", "p2"), [(5, 7, 0.2, 0.8), (6, 6, 0.1, 0.9), (4, 9, 0.5, 0.5)])
def test_the_power_of_fisher_is_the_chance_of_a_table_that_it_rejects(n1: int, n2: int, p1: float, p2: float) -> None:
    first, second = stats.binom.pmf(range(n1 + 1), n1, p1), stats.binom.pmf(range(n2 + 1), n2, p2)
    rejected = sum(first[x] * second[y] for x in range(n1 + 1) for y in range(n2 + 1) if fisher(x, n1, y, n2) <= 0.05)
    assert fisher_power(n1, n2, p1, p2) == pytest.approx(rejected, rel=1e-9)


@settings(max_examples=20)
@given(n1=st.integers(1, 25), n2=st.integers(1, 25), p=st.floats(0, 1), alpha=st.sampled_from([0.01, 0.05, 0.2]))
def test_fisher_keeps_its_level_with_either_rule_for_the_tails(n1: int, n2: int, p: float, alpha: float) -> None:
    assert 0 <= fisher_power(n1, n2, p, p, alpha) <= alpha + 1e-12
    assert 0 <= fisher_power_equal_tails(n1, n2, p, p, alpha) <= alpha + 1e-12
    assert fisher_power(n1, n1, p, 0.3, alpha) == pytest.approx(fisher_power_equal_tails(n1, n1, p, 0.3, alpha))


p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@pytest.mark.parametrize("adjust", [holm, hochberg, hommel, benjamini_hochberg])
@settings(max_examples=15)
@given(p=p_values, data=st.data())
def test_adjusted_p_values_only_rise_and_do_not_depend_on_the_order(
    adjust: Callable[[npt.ArrayLike], Floats], p: list[float], data: st.DataObject
) -> None:
    adjusted = adjust(p)
    assert np.all(adjusted >= np.array(p) - 1e-12)
    assert np.all(adjusted <= 1)
    order = data.draw(st.permutations(range(len(p))))
    assert adjust([p[i] for i in order]) == pytest.approx(adjusted[list(order)])


@settings(max_examples=15)
@given(p=p_values)
def test_the_four_adjustments_are_ordered(p: list[float]) -> None:
    a, b, c, d = holm(p), hochberg(p), hommel(p), benjamini_hochberg(p)
    for larger, smaller in ((a, b), (b, c), (c, d)):
        assert np.all(larger >= smaller - 1e-12)


@pytest.mark.parametrize(
    ("p", "says"), [([], "no p value"), ([0.5, 1.5], "outside 0 to 1 in row 2"), ([math.nan], "missing")]
)
def test_impossible_p_values_are_refused(p: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        holm(p)


@given(ratio=st.floats(0.01, 100))
def test_an_e_value_is_1_for_no_effect_and_the_same_for_its_inverse(ratio: float) -> None:
    assert e_value(ratio) == pytest.approx(e_value(1 / ratio))
    assert e_value(ratio) >= max(ratio, 1 / ratio) - 1e-12
    assert e_value_of_interval(ratio, 0, math.inf) == 1
    assert e_value(ratio, ratio) == 1


@pytest.mark.parametrize("ratio", [0, -1, math.inf, math.nan])
def test_a_ratio_that_is_none_has_no_e_value(ratio: float) -> None:
    with pytest.raises(ValueError, match="above 0 and finite"):
        e_value(ratio)


def test_a_ratio_outside_its_limits_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a risk ratio within its limits"):
        e_value_of_interval(2, 3, 4)


def test_nobody_missing_leaves_nothing_to_tip() -> None:
    found = tipping_point(12, 28, 0, 3, 28, 0)
    assert found.tips == ()
    assert found.estimate.shape == (1, 1)
    assert found.concludes[0, 0] == found.observed == 1


@settings(max_examples=15)
@given(x1=st.integers(0, 10), x2=st.integers(0, 12), missing=st.tuples(st.integers(0, 4), st.integers(0, 4)))
def test_more_events_among_the_missing_of_the_first_arm_raise_the_difference(
    x1: int, x2: int, missing: tuple[int, int]
) -> None:
    found = tipping_point(x1, 10, missing[0], x2, 12, missing[1])
    assert np.all(np.diff(found.lower, axis=0) > -1e-12)
    assert np.all(np.diff(found.upper, axis=1) < 1e-12)
    assert {(i, j) for i, j in np.ndindex(found.concludes.shape) if found.concludes[i, j] != found.observed} == set(
        found.tips
    )


def test_a_negative_number_of_missing_is_refused() -> None:
    with pytest.raises(ValueError, match="number missing is -1"):
        tipping_point(1, 10, -1, 1, 10, 0)


@given(rates=st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95)), power=st.floats(0.3, 0.95))
def test_the_size_for_a_power_has_that_power(rates: tuple[float, float], power: float) -> None:
    first, second = rates
    if abs(first - second) > 0.02:
        size = math.ceil(two_proportions_size(first, second, power) / 2)
        assert two_proportions_power(size, size, first, second) >= power - 1e-9
        if size > 2:
            assert two_proportions_power(size - 1, size - 1, first, second) <= power + 1e-9


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0.2, 0.2, 0.8), "no number of participants"),
        ((0.0, 0.2, 0.8), "first arm is 0"),
        ((0.1, 0.2, 0.01), "a trial of nobody"),
        ((0.1, 0.2, 0.8, 0.05, 0.0), "ratio of the arms is 0"),
    ],
)
def test_a_size_that_cannot_be_is_refused(arguments: tuple[float, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        two_proportions_size(*arguments)


@pytest.mark.parametrize("below", [True, False])
def test_what_was_chosen_for_being_extreme_moves_back_by_as_much_as_simulated(below: bool) -> None:
    chance = np.random.default_rng(1)
    pairs = chance.multivariate_normal([10, 10], [[16, 12.8], [12.8, 16]], 400_000)
    chosen = pairs[pairs[:, 0] <= 7] if below else pairs[pairs[:, 0] >= 13]
    found = expected_regression(10, 4, 0.8, 7 if below else 13, below=below)
    assert found.expected_change == pytest.approx(regression_from_two_baselines(*chosen.T), abs=0.02)
    assert found.share_selected == pytest.approx(len(chosen) / len(pairs), abs=0.003)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: expected_regression(10, 0, 0.8, 7), "do not describe a selection"),
        (lambda: expected_regression(10, 4, 1.8, 7), "correlation is 1.8"),
        (lambda: expected_regression(10, 4, 0.8, -1000), "nobody would be chosen"),
        (lambda: regression_from_two_baselines([1, 2], [1]), "do not describe the same participants"),
        (lambda: regression_from_two_baselines([], []), "no pair"),
    ],
)
def test_a_selection_that_cannot_be_is_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


def test_a_measurement_without_error_does_not_move_back() -> None:
    assert expected_regression(10, 4, 1, 7).expected_change == 0


def test_the_balance_table_shows_what_overlap_weights_balance_exactly() -> None:
    y, z, x = trial(1)
    x = np.column_stack([x, x[:, 0] > 0.3])
    names = ["age", "AFC", "AMH", "centre"]
    rows = balance_table(x, z, overlap_weighted_difference(y, z, x).weights, names)
    assert [row.name for row in rows] == names
    for row in rows:
        assert row.after == pytest.approx(0, abs=1e-7)
        assert row.before is not None
    assert any(abs(row.before or 0) > 0.1 for row in rows)


def test_a_covariate_that_is_the_arm_has_no_standardised_difference() -> None:
    (row,) = balance_table([[1], [1], [0], [0]], [1, 1, 0, 0], [1, 1, 1, 1], ["centre"])
    assert (row.before, row.after) == (None, None)
    with pytest.raises(ValueError, match="do not fit 4 arms and 2 names"):
        balance_table([[1], [1], [0], [0]], [1, 1, 0, 0], [1, 1, 1, 1], ["centre", "age"])
