"""The boundary of a safety event: where it pauses, how often, and that every course of a trial is counted."""

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwright.statistics.boundary import (
    BoundaryTable,
    Characteristic,
    binomial_bounds,
    boundary_table,
    crosses,
    operating_characteristics,
    posterior_above,
)

TREATED = (3, 6, 9, 12, 15, 20, 25, 30)
ROUNDING = 1e-12

priors = st.sampled_from([0.3, 0.5, 1.0, 1.7, 4.0])
parts = st.integers(1, 99).map(lambda percent: percent / 100)
rates = st.integers(0, 100).map(lambda percent: percent / 100)
tables = st.builds(boundary_table, st.integers(1, 25), parts, parts, priors, priors)
small_tables = st.builds(boundary_table, st.integers(1, 10), parts, parts, priors, priors)


def safety_table(most: int, p0: float = 0.10) -> BoundaryTable:
    return boundary_table(most, p0, threshold=0.90, a=0.3, b=1.7)


@pytest.mark.parametrize(
    ("p0", "pause_at"),
    [
        (0.10, (2, 2, 3, 3, 4, 5, 5, 6)),
        (0.15, (2, 3, 4, 4, 5, 6, 7, 8)),
        (0.20, (3, 3, 4, 5, 6, 7, 9, 10)),
    ],
)
def test_the_boundary_is_the_published_table(p0: float, pause_at: tuple[int, ...]) -> None:
    table = safety_table(30, p0)
    assert tuple(table.pause_at[n - 1] for n in TREATED) == pause_at


def test_one_event_in_the_first_woman_pauses() -> None:
    table = safety_table(12)
    assert crosses(table, 1, 1)
    assert not crosses(table, 0, 1)
    assert not crosses(table, 1, 2)


def test_twelve_women_pause_falsely_in_one_trial_of_five_and_find_a_double_rate_in_half() -> None:
    at_p0, doubled = operating_characteristics(safety_table(12), [0.10, 0.20])
    assert round(100 * at_p0.pauses, 1) == 21.5
    assert round(100 * doubled.pauses) == 55


def test_where_not_even_all_would_pause_the_table_has_nothing() -> None:
    table = boundary_table(4, p0=0.5, threshold=0.90, a=1, b=1)
    assert table.pause_at == (None, None, 3, 4)
    assert not crosses(table, 2, 2)


@pytest.mark.parametrize(
    ("n", "p0", "posterior"),
    [
        (1, 0.30, 0.91),
        (2, 0.30, 0.973),
        (1, 0.35, 0.8775),  # computed as 0.8775 and a rounding error more
        (1, 0.95, 0.0975),  # the same
    ],
)
def test_a_posterior_equal_to_the_threshold_does_not_pause(n: int, p0: float, posterior: float) -> None:
    """Under Beta(1, 1), n of n leave Pr(p > p0) = 1 - p0^(n+1)."""
    assert boundary_table(n, p0, posterior, a=1, b=1).pause_at[-1] is None
    assert boundary_table(n, p0, posterior - 1e-9, a=1, b=1).pause_at[-1] == n


def test_a_prior_that_expects_the_event_pauses_without_one() -> None:
    table = boundary_table(2, p0=0.1, threshold=0.5, a=4, b=1)
    assert table.pause_at == (0, 0)
    (never,) = operating_characteristics(table, [0.0])
    assert never == Characteristic(rate=0.0, pauses=1.0, expected_n=1.0, first_pause=(1.0, 0.0))


@given(table=tables)
def test_the_table_holds_what_the_posterior_says(table: BoundaryTable) -> None:
    for n in range(1, len(table.pause_at) + 1):
        for x in range(n + 1):
            posterior = posterior_above(x, n, table.p0, table.a, table.b)
            if abs(posterior - table.threshold) > 2 * ROUNDING:
                assert crosses(table, x, n) == (posterior > table.threshold)


def by_enumeration(bars: dict[int, int | None], most: int, percent: int) -> tuple[list[Fraction], Fraction]:
    """Every course of a trial of `most`, one by one, in fractions: the first pauses, and the mean number treated."""
    rate = Fraction(percent, 100)
    first_pause, expected = [Fraction(0)] * most, Fraction(0)
    for course in itertools.product((0, 1), repeat=most):
        chance = rate ** sum(course) * (1 - rate) ** (most - sum(course))
        events = list(itertools.accumulate(course))
        reached = ((n, bars.get(n)) for n in range(1, most + 1))
        stop = next((n for n, bar in reached if bar is not None and events[n - 1] >= bar), None)
        if stop is not None:
            first_pause[stop - 1] += chance
        expected += chance * (stop or most)
    return first_pause, expected


def assert_equal(result: Characteristic, first_pause: list[Fraction], expected_n: Fraction) -> None:
    assert result.first_pause == pytest.approx([float(chance) for chance in first_pause], abs=ROUNDING)
    assert result.pauses == pytest.approx(float(sum(first_pause)), abs=ROUNDING)
    assert result.expected_n == pytest.approx(float(expected_n), abs=ROUNDING)


@given(table=small_tables, percent=st.integers(0, 100), data=st.data())
def test_every_course_of_a_small_trial_is_counted(table: BoundaryTable, percent: int, data: st.DataObject) -> None:
    most = len(table.pause_at)
    looks = data.draw(st.none() | st.sets(st.integers(1, most), min_size=1).map(sorted))
    bars = {n: table.pause_at[n - 1] for n in looks or range(1, most + 1)}
    (result,) = operating_characteristics(table, [percent / 100], looks)
    assert_equal(result, *by_enumeration(bars, most, percent))


@given(
    looks=st.dictionaries(st.integers(1, 9), st.integers(0, 10), min_size=1, max_size=4), percent=st.integers(0, 100)
)
def test_every_course_between_bounds_is_counted(looks: dict[int, int], percent: int) -> None:
    at = sorted(looks)
    (result,) = binomial_bounds([looks[n] for n in at], at, [percent / 100])
    assert len(result.first_pause) == at[-1]
    assert_equal(result, *by_enumeration({**looks}, at[-1], percent))


@given(table=tables, low=rates, high=rates)
def test_a_higher_rate_pauses_more_often_and_sooner(table: BoundaryTable, low: float, high: float) -> None:
    less, more = operating_characteristics(table, sorted([low, high]))
    assert less.pauses <= more.pauses + ROUNDING
    assert less.expected_n >= more.expected_n - ROUNDING


@given(table=tables, rate=rates, data=st.data())
def test_fewer_looks_pause_less_often(table: BoundaryTable, rate: float, data: st.DataObject) -> None:
    looks = sorted(data.draw(st.sets(st.integers(1, len(table.pause_at)), min_size=1)))
    (every,) = operating_characteristics(table, [rate])
    (some,) = operating_characteristics(table, [rate], looks)
    assert some.pauses <= every.pauses + ROUNDING
    assert all(not some.first_pause[n - 1] for n in range(1, len(table.pause_at) + 1) if n not in looks)


def test_bounds_after_every_participant_are_the_boundary() -> None:
    table = safety_table(20)
    bounds = [n + 1 if least is None else least for n, least in enumerate(table.pause_at, start=1)]
    assert binomial_bounds(bounds, range(1, 21), [0.1, 0.3]) == operating_characteristics(table, [0.1, 0.3])


@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0])
def test_the_number_treated_is_within_the_trial(rate: float) -> None:
    (result,) = operating_characteristics(safety_table(200), [rate])
    assert 1 <= result.expected_n <= 200
    assert 0 <= result.pauses <= 1
    assert math.fsum(result.first_pause) == pytest.approx(result.pauses)


@pytest.mark.parametrize(("x", "n"), [(-1, 3), (4, 3), (0, 0), (1, 13), (1.0, 3)])
def test_counts_outside_the_table_are_refused(x: int, n: int) -> None:
    with pytest.raises(ValueError, match=r"possible|no value|table ends at 12|whole numbers"):
        crosses(safety_table(12), x, n)


@pytest.mark.parametrize(
    ("most", "p0", "threshold", "a", "b", "says"),
    [
        (0, 0.1, 0.9, 0.3, 1.7, "no rows"),
        (2.5, 0.1, 0.9, 0.3, 1.7, "whole number"),
        (12, 0.0, 0.9, 0.3, 1.7, "p0 is 0.0"),
        (12, 10, 0.9, 0.3, 1.7, "p0 is 10"),
        (12, math.nan, 0.9, 0.3, 1.7, "p0 is nan"),
        (12, 0.1, 1.0, 0.3, 1.7, "threshold is 1.0"),
        (12, 0.1, 90, 0.3, 1.7, "threshold is 90"),
        (12, 0.1, 0.9, 0.0, 1.7, "not a prior"),
        (12, 0.1, 0.9, 0.3, -1, "not a prior"),
        (12, 0.1, 0.9, math.inf, 1.7, "not a prior"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(
    most: int, p0: float, threshold: float, a: float, b: float, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        boundary_table(most, p0, threshold, a, b)


def test_a_posterior_without_a_prior_is_refused() -> None:
    with pytest.raises(ValueError, match="not a prior"):
        posterior_above(1, 3, 0.1, 0, 1)


@pytest.mark.parametrize(
    ("looks", "says"),
    [
        ([], "never consulted"),
        ([0, 3], "do not ascend"),
        ([3, 3], "do not ascend"),
        ([6, 3], "do not ascend"),
        ([3, 13], "table ends at 12"),
        ([2.5], "whole number"),
    ],
)
def test_looks_that_the_table_does_not_have_are_refused(looks: list[int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        operating_characteristics(safety_table(12), [0.1], looks)


@pytest.mark.parametrize("rate", [-0.1, 1.1, math.nan])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="true rate"):
        operating_characteristics(safety_table(12), [0.1, rate])


@pytest.mark.parametrize(
    ("bounds", "at", "says"),
    [
        ([3], [4, 8], "each look has one"),
        ([], [], "never consulted"),
        ([-1], [4], "negative"),
        ([1.5], [4], "whole number"),
        ([3, 4], [8, 4], "do not ascend"),
    ],
)
def test_bounds_that_do_not_fit_their_looks_are_refused(bounds: list[int], at: list[int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        binomial_bounds(bounds, at, [0.1])
