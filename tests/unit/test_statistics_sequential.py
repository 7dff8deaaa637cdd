"""Designs that look before the end: two stages, group-sequential bounds, the probability ratio test."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.statistics.group_sequential import (
    Bounds,
    crossing,
    drift_for_power,
    hwang_shih_decani,
    lan_demets_obrien_fleming,
    lan_demets_pocock,
    obrien_fleming,
    pocock,
)
from trialwright.statistics.sequential import sprt, sprt_table
from trialwright.statistics.two_stage import TwoStage, simon_minimax, simon_optimal, two_stage_characteristics

THIRDS = [1 / 3, 2 / 3, 1.0]


@pytest.mark.parametrize("design", [simon_optimal, simon_minimax])
@pytest.mark.parametrize(("p0", "p1"), [(0.05, 0.25), (0.3, 0.6), (0.5, 0.8)])
def test_a_two_stage_design_keeps_its_errors_as_computed_another_way(
    design: Callable[..., TwoStage], p0: float, p1: float
) -> None:
    found = design(p0, p1, 0.1, 0.2)
    interest, stops, expected = two_stage_characteristics(found.r1, found.n1, found.r, found.n, p0)
    assert interest == pytest.approx(found.alpha)
    assert (stops, expected) == pytest.approx((found.stops_early, found.expected_n))
    assert two_stage_characteristics(found.r1, found.n1, found.r, found.n, p1)[0] == pytest.approx(found.power)
    assert found.alpha <= 0.1
    assert found.power >= 0.8


def test_the_optimal_design_expects_fewer_and_the_minimax_design_has_fewer() -> None:
    optimal, minimax = simon_optimal(0.2, 0.4, 0.1, 0.1), simon_minimax(0.2, 0.4, 0.1, 0.1)
    assert optimal.expected_n < minimax.expected_n
    assert minimax.n < optimal.n


def test_no_design_of_the_whole_search_is_better_than_the_optimal_one() -> None:
    best = simon_optimal(0.1, 0.5, 0.1, 0.2)
    for n in range(2, 16):
        for n1 in range(1, n):
            for r1 in range(n1):
                for r in range(r1, n):
                    interest, _, expected = two_stage_characteristics(r1, n1, r, n, 0.1)
                    if expected < best.expected_n - 1e-9 and interest <= 0.1:
                        assert two_stage_characteristics(r1, n1, r, n, 0.5)[0] < 0.8


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0.3, 0.1, 0.1, 0.1), "is not above the uninteresting"),
        ((0.0, 0.1, 0.1, 0.1), "p0 is 0"),
        ((0.1, 0.3, 0.1, 1.0), "Beta is 1"),
        ((0.1, 0.11, 0.1, 0.1, 20), "No two-stage design for 0.1 against 0.11"),
    ],
)
def test_a_two_stage_design_that_cannot_be_is_refused(arguments: tuple[float, ...], says: str) -> None:
    for design in (simon_optimal, simon_minimax):
        with pytest.raises(ValueError, match=says):
            design(*arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is not a two-stage design"):
        two_stage_characteristics(3, 3, 5, 10, 0.1)


@settings(max_examples=8)
@given(looks=st.integers(1, 6), alpha=st.sampled_from([0.01, 0.025, 0.05, 0.1]), sides=st.sampled_from([1, 2]))
def test_classical_bounds_are_crossed_with_chance_alpha(looks: int, alpha: float, sides: int) -> None:
    for bounds in (pocock(looks, alpha, sides), obrien_fleming(looks, alpha, sides)):
        assert crossing(bounds.z, bounds.times, 0, sides).reached == pytest.approx(alpha, abs=1e-8)
        assert list(bounds.z) == sorted(bounds.z, reverse=True)


@settings(max_examples=8)
@given(
    steps=st.lists(st.floats(0.05, 1), min_size=1, max_size=5),
    alpha=st.sampled_from([0.01, 0.025, 0.1]),
    sides=st.sampled_from([1, 2]),
    gamma=st.sampled_from([-8.0, -4.0, 0.0, 1.0, 3.0]),
)
def test_a_spending_function_is_spent_look_by_look(steps: list[float], alpha: float, sides: int, gamma: float) -> None:
    times = [float(time) for time in np.cumsum(steps) / np.sum(steps)]
    times[-1] = 1.0
    for bounds in (
        lan_demets_obrien_fleming(alpha, times, sides),
        lan_demets_pocock(alpha, times, sides),
        hwang_shih_decani(alpha, gamma, times, sides),
    ):
        assert np.cumsum(crossing(bounds.z, times, 0, sides).first) == pytest.approx(bounds.spent, abs=1e-9)
        assert bounds.spent[-1] == alpha


def test_bounds_agree_with_simulated_walks() -> None:
    bounds = lan_demets_pocock(0.025, THIRDS)
    steps = np.random.default_rng(1).normal(2.5 / 3, math.sqrt(1 / 3), size=(200_000, 3))
    z = np.cumsum(steps, axis=1) / np.sqrt(THIRDS)
    reached = float((z >= bounds.z).any(axis=1).mean())
    assert crossing(bounds.z, THIRDS, 2.5).reached == pytest.approx(reached, abs=0.005)


@pytest.mark.parametrize("bounds", [pocock(3, 0.05), hwang_shih_decani(0.025, -4, THIRDS)])
def test_the_drift_for_a_power_has_that_power(bounds: Bounds) -> None:
    drift = drift_for_power(bounds, 0.9)
    assert crossing(bounds.z, bounds.times, drift, bounds.sides).reached == pytest.approx(0.9, abs=1e-8)


def test_what_is_never_reached_stops_nobody() -> None:
    assert crossing([math.inf, math.inf], [0.5, 1.0]).reached == 0
    assert crossing([-math.inf, 2], [0.5, 1.0]).first == (1.0, 0.0)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: pocock(0, 0.05), "number of looks is 0"),
        (lambda: pocock(3, 1.5), "Alpha is 1.5"),
        (lambda: obrien_fleming(3, 0.05, 3), "1 or 2 sides"),
        (lambda: lan_demets_pocock(0.025, [0.5, 0.5, 1]), "do not ascend"),
        (lambda: lan_demets_pocock(0.025, []), "do not ascend"),
        (lambda: lan_demets_pocock(0.025, [0.5, 0.9]), "the last look comes at 1"),
        (lambda: hwang_shih_decani(0.025, math.nan, [1.0]), "Gamma is nan"),
        (lambda: crossing([2.0], THIRDS), "1 bounds do not belong to 3 looks"),
        (lambda: crossing([math.nan], [1.0]), "missing or infinite"),
        (lambda: drift_for_power(pocock(2, 0.05), 0.01), r"above alpha = 0\.05"),
        (lambda: sprt(0.3, 0.1, 0.1, 0.1), "is not above p0"),
        (lambda: sprt(0.1, 0.3, 0.6, 0.5), "leave nothing to decide"),
        (lambda: sprt_table(sprt(0.1, 0.3, 0.1, 0.1), 0), "number treated is 0"),
    ],
)
def test_a_sequential_design_that_cannot_be_is_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


@settings(max_examples=30)
@given(
    rates=st.tuples(st.floats(0.02, 0.98), st.floats(0.02, 0.98)).filter(lambda pair: abs(pair[0] - pair[1]) > 0.02),
    errors=st.tuples(st.floats(0.01, 0.4), st.floats(0.01, 0.4)),
)
def test_the_two_lines_never_meet_and_turn_round_with_the_outcome(
    rates: tuple[float, float], errors: tuple[float, float]
) -> None:
    low, high = sorted(rates)
    test, turned = sprt(low, high, *errors), sprt(1 - high, 1 - low, errors[1], errors[0])
    assert test.lower < 0 < test.upper
    assert low < test.slope < high
    assert turned.slope == pytest.approx(1 - test.slope)
    assert turned.upper == pytest.approx(-test.lower)
    table: Sequence[tuple[int | None, int | None]] = sprt_table(test, 40)
    assert all(accept < reject for accept, reject in table if accept is not None and reject is not None)


def test_a_line_that_meets_a_whole_number_is_not_missed_for_its_rounding() -> None:
    tables = [sprt_table(sprt(low, 1 - low, low, low), 6) for low in (0.05, 0.10, 0.25, 0.3)]
    assert tables[1:] == [tables[0]] * 3, "each has slope 1/2 and intercepts of 1/2"
    assert tables[0][:2] == ((0, 1), (0, 2))


def test_a_design_whose_errors_are_exactly_the_limits_is_found() -> None:
    found = simon_minimax(0.1, 0.7, 0.1, 0.3)
    assert (found.r1, found.n1, found.r, found.n) == (0, 1, 0, 2)
    assert round(found.expected_n, 9) == 1.1


def test_bounds_on_both_sides_are_not_below_zero() -> None:
    with pytest.raises(ValueError, match="not below 0"):
        crossing([-1.0], [1.0], sides=2)
