"""Limits of one proportion and of the difference of two."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwright.statistics.binomial import (
    Limits,
    blaker,
    clopper_pearson,
    clopper_pearson_upper,
    jeffreys,
    mid_p,
    wilson,
)
from trialwright.statistics.exact_comparison import binomial_chances
from trialwright.statistics.two_proportions import (
    RiskDifference,
    fisher,
    miettinen_nurminen,
    newcombe,
    proportions_under_difference,
)

Counts = tuple[int, int]

counts = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])
ROUNDING = 1e-9


@pytest.mark.parametrize("interval", [blaker, clopper_pearson, mid_p, wilson])
@given(counted=counts, confidence=levels)
def test_limits_of_a_proportion_contain_it_and_turn_round_with_it(
    interval: Callable[[int, int, float], Limits], counted: Counts, confidence: float
) -> None:
    x, n = counted
    limits, opposite = interval(x, n, confidence), interval(n - x, n, confidence)
    assert 0 <= limits.lower <= x / n <= limits.upper <= 1
    assert limits.lower == pytest.approx(1 - opposite.upper, abs=ROUNDING)


@pytest.mark.parametrize("interval", [blaker, clopper_pearson, mid_p, wilson])
@given(counted=counts, confidence=levels)
def test_limits_rise_with_the_events_and_widen_with_the_confidence(
    interval: Callable[[int, int, float], Limits], counted: Counts, confidence: float
) -> None:
    x, n = counted
    limits = interval(x, n, confidence)
    if x < n:
        more = interval(x + 1, n, confidence)
        assert limits.lower <= more.lower
        assert limits.upper <= more.upper
    surer = interval(x, n, 0.999)
    assert surer.lower <= limits.lower
    assert limits.upper <= surer.upper


@given(counted=counts, confidence=levels)
def test_blaker_and_mid_p_lie_within_clopper_pearson(counted: Counts, confidence: float) -> None:
    widest = clopper_pearson(*counted, confidence)
    for interval in (blaker, mid_p):
        limits = interval(*counted, confidence)
        assert widest.lower - ROUNDING <= limits.lower
        assert limits.upper <= widest.upper + ROUNDING


@pytest.mark.parametrize("n", [5, 12])
def test_blaker_covers_every_rate_as_often_as_it_says(n: int) -> None:
    limits = [blaker(x, n, 0.9) for x in range(n + 1)]
    for p in np.linspace(0.001, 0.999, 997):
        chances = binomial_chances(n, float(p))
        assert sum(chances[x] for x in range(n + 1) if limits[x].lower <= p <= limits[x].upper) >= 0.9


@given(counted=counts, confidence=levels)
def test_jeffreys_turns_round_with_the_proportion_and_lies_within_clopper_pearson(
    counted: Counts, confidence: float
) -> None:
    x, n = counted
    limits, opposite = jeffreys(x, n, confidence), jeffreys(n - x, n, confidence)
    assert limits.lower == pytest.approx(1 - opposite.upper, abs=ROUNDING)
    if 0 < x < n:
        assert limits.lower < x / n < limits.upper
        assert clopper_pearson(x, n, confidence).lower < limits.lower


@given(counted=counts, confidence=levels)
def test_the_one_sided_limit_is_the_two_sided_one_at_twice_the_error(counted: Counts, confidence: float) -> None:
    x, n = counted
    assert clopper_pearson_upper(x, n, confidence) == pytest.approx(
        clopper_pearson(x, n, 1 - 2 * (1 - confidence)).upper, abs=ROUNDING
    )


def test_no_event_in_twelve_has_the_closed_upper_limit() -> None:
    assert clopper_pearson_upper(0, 12) == pytest.approx(1 - 0.05 ** (1 / 12), abs=1e-12)


@pytest.mark.parametrize("interval", [miettinen_nurminen, newcombe])
@given(first=counts, second=counts, confidence=levels)
def test_a_risk_difference_lies_within_its_limits_and_changes_sign_with_the_arms(
    interval: Callable[[int, int, int, int, float], RiskDifference],
    first: Counts,
    second: Counts,
    confidence: float,
) -> None:
    result = interval(*first, *second, confidence)
    swapped = interval(*second, *first, confidence)
    assert -1 <= result.lower <= result.estimate <= result.upper <= 1
    assert result.lower == pytest.approx(-swapped.upper, abs=1e-7)
    assert result.upper == pytest.approx(-swapped.lower, abs=1e-7)
    surer = interval(*first, *second, 0.999)
    assert surer.lower <= result.lower + ROUNDING
    assert surer.upper >= result.upper - ROUNDING


@given(
    first=counts,
    second=counts,
    difference=st.floats(-0.99, 0.99),
    nearby=st.floats(0, 1),
)
def test_no_other_pair_with_the_difference_is_likelier(
    first: Counts, second: Counts, difference: float, nearby: float
) -> None:
    r1, r2 = proportions_under_difference(*first, *second, difference)
    assert r1 - r2 == pytest.approx(difference, abs=1e-12)
    lowest, highest = max(0.0, -difference), min(1.0, 1 - difference)
    other = lowest + nearby * (highest - lowest)
    assert likelihood(first, r1) + likelihood(second, r2) >= (
        likelihood(first, other + difference) + likelihood(second, other) - 1e-6
    )


def likelihood(counted: Counts, p: float) -> float:
    x, n = counted
    p = min(max(p, 0.0), 1.0)
    happened = x * math.log(p) if x and p else (-math.inf if x else 0.0)
    did_not = (n - x) * math.log1p(-p) if x < n and p < 1 else (-math.inf if x < n else 0.0)
    return happened + did_not


@given(first=counts, second=counts)
def test_fisher_does_not_depend_on_which_arm_or_which_outcome_comes_first(first: Counts, second: Counts) -> None:
    (x1, n1), (x2, n2) = first, second
    p = fisher(x1, n1, x2, n2)
    assert 0 < p <= 1
    assert fisher(x2, n2, x1, n1) == pytest.approx(p, rel=1e-7)
    assert fisher(n1 - x1, n1, n2 - x2, n2) == pytest.approx(p, rel=1e-7)


def test_fisher_of_the_lady_tasting_tea() -> None:
    assert fisher(3, 4, 1, 4) == pytest.approx(34 / 70, abs=1e-12)


@pytest.mark.parametrize(
    ("x", "n", "says"),
    [
        (0, 0, "nobody was counted"),
        (-1, 12, "not possible"),
        (13, 12, "not possible"),
        (1.5, 12, "whole numbers"),
    ],
)
def test_impossible_counts_are_refused(x: int, n: int, says: str) -> None:
    for refused in (
        lambda: clopper_pearson(x, n),
        lambda: clopper_pearson_upper(x, n),
        lambda: wilson(x, n),
        lambda: blaker(x, n),
        lambda: mid_p(x, n),
        lambda: jeffreys(x, n),
        lambda: miettinen_nurminen(1, 2, x, n),
        lambda: newcombe(x, n, 1, 2),
        lambda: fisher(1, 2, x, n),
    ):
        with pytest.raises(ValueError, match=says):
            refused()


@pytest.mark.parametrize("confidence", [0, 1, 95, math.nan])
def test_a_confidence_outside_0_to_1_is_refused(confidence: float) -> None:
    for interval in (blaker, clopper_pearson, clopper_pearson_upper, jeffreys, mid_p, wilson):
        with pytest.raises(ValueError, match=r"Write 0\.95 for 95 %"):
            interval(1, 12, confidence)
