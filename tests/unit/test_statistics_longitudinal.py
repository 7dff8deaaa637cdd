"""Repeated measures, times to an event and imputation: figures of R, laws, and what each refuses."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from trialwright.statistics.clustered import korn_graubard, ratio_logit_t
from trialwright.statistics.imputation import impute_and_pool, impute_binary, pool
from trialwright.statistics.linear_covariance import contrast
from trialwright.statistics.repeated import mixed_model_repeated_measures, random_slope_fit, unstructured_fit
from trialwright.statistics.survival import discrete_time_logistic, kaplan_meier, log_rank, survival_at

Array = npt.NDArray[np.float64]
NAN = math.nan


def test_slopes_of_participants_with_gaps_as_in_r() -> None:
    """Kenward and Roger where nothing is balanced.

    R 4.2.2, lme4 1.1-31, pbkrtest 0.5.2:
    m <- lmer(y ~ time * arm + (time | id), d); V <- vcovAdj(m); sqrt(diag(V)); Lb_ddf(L, vcov(m), V); REMLcrit(m)
    """
    y = [
        10.4, 14.7, 20.4, 9.8, 12, 12.7, 14.7, 15.8, 19.6, 11.3, 13.9, 14.6, 16, 13.9, 15.2, 20.7, 11.1, 12.5, 15.4,
        16.1, 8.3, 8.8, 11.9, 14.3, 9.6, 15.9, 17, 13.3, 15.6, 18.2, 20.8,
    ]  # fmt: skip
    kept = np.delete(np.arange(36), [3, 6, 7, 18, 29])
    who, time = np.repeat(np.arange(1, 10), 4)[kept], np.tile(np.arange(4.0), 9)[kept]
    arm = who % 2.0
    fit = random_slope_fit(y, who, time, np.column_stack([np.ones(31), time, arm, time * arm]))
    assert -2 * fit.log_likelihood == pytest.approx(104.254097852, abs=1e-8)
    expected = [
        (10.6480442526, 0.9783393216, 7.075265256),
        (1.9790944122, 0.4958179152, 7.022598157),
        (0.7901902693, 1.309182702, 7.01295141),
        (0.7755205084, 0.6433356708, 6.748354491),
    ]
    for one, (estimate, error, freedom) in zip(np.eye(4), expected, strict=True):
        found = contrast(fit, one)
        assert found.estimate == pytest.approx(estimate, abs=1e-7)
        assert found.standard_error == pytest.approx(error, abs=1e-7)
        assert found.freedom == pytest.approx(freedom, abs=1e-6)


def test_limits_of_clustered_units_as_in_r() -> None:
    """R, survey 4.1-1: svyciprop(~y, svydesign(ids = ~w, weights = ~1, data = d), method = "beta" and "xlogit")."""
    y, m = [1, 3, 0, 2, 4, 1, 0, 5], [4, 5, 2, 4, 6, 3, 3, 6]
    exact, logit = korn_graubard(y, m), ratio_logit_t(y, m)
    assert (exact.lower, exact.upper) == pytest.approx((0.2451016097, 0.7298479245), abs=1e-9)
    assert (logit.lower, logit.upper) == pytest.approx((0.2625962995, 0.7132596445), abs=1e-9)


def test_odds_of_an_event_by_interval_as_in_r() -> None:
    """R: glm(y ~ factor(t) + z + x, binomial) over person-intervals."""
    interval, event = [1, 2, 3, 2, 1, 1, 2, 3, 1, 3, 2, 3], [1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 1]
    treated, age = [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1], [31, 35, 29, 38, 33, 36, 30, 34, 39, 37, 32, 28]
    found = discrete_time_logistic(interval, event, treated, np.array(age)[:, None])
    assert found.log_odds_ratio == pytest.approx(1.25243262748, abs=1e-8)
    assert found.standard_error == pytest.approx(1.1111836626, abs=1e-7)
    assert (found.person_intervals, found.events) == (24, 7)


# ---------------------------------------------------------------- repeated measures


def visits(seed: int, n: int = 24, m: int = 3, gaps: float = 0.15) -> tuple[Array, Array]:
    """Values of n participants at m visits, some missing, and arms."""
    chance = np.random.default_rng(seed)
    y = 10 + chance.normal(0, 2, (n, 1)) + chance.normal(0, 1, (n, m))
    y[chance.random((n, m)) < gaps] = NAN
    y[0], y[1] = 10, 11
    y[:2] += chance.normal(0, 1, (2, m))
    return y, (np.arange(n) % 2).astype(float)


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_means_of_visits_do_not_depend_on_order_or_side_and_go_with_the_unit(seed: int) -> None:
    y, z = visits(seed)
    order = np.random.default_rng(seed).permutation(len(z))
    found, swapped, shuffled, scaled = (
        mixed_model_repeated_measures(y, z),
        mixed_model_repeated_measures(y, 1 - z),
        mixed_model_repeated_measures(y[order], z[order]),
        mixed_model_repeated_measures(1000 * y + 5, z),
    )
    for visit in range(3):
        one = found.visits[visit]
        assert one.lower < one.estimate < one.upper
        assert 0 < one.p_value <= 1
        assert swapped.visits[visit].estimate == pytest.approx(-one.estimate, abs=1e-5)
        assert shuffled.visits[visit].freedom == pytest.approx(one.freedom, rel=1e-4)
        assert scaled.visits[visit].standard_error == pytest.approx(1000 * one.standard_error, rel=1e-5)


def test_one_visit_is_students_t() -> None:
    y, z = visits(1, m=1, gaps=0)
    found = mixed_model_repeated_measures(y, z).visits[0]
    plain = stats.ttest_ind(y[z == 1, 0], y[z == 0, 0])
    assert found.p_value == pytest.approx(plain.pvalue)
    assert found.freedom == pytest.approx(22)


def test_a_free_covariance_of_complete_values_is_the_sample_covariance() -> None:
    y, _ = visits(2, gaps=0)
    fit = unstructured_fit(y, np.broadcast_to(np.eye(3), (24, 3, 3)))
    covariance = np.cov(y.T)
    assert fit.coefficients == pytest.approx(y.mean(axis=0))
    assert fit.parameters == pytest.approx([covariance[a, b] for a in range(3) for b in range(a + 1)], rel=1e-5)


def test_who_was_never_measured_is_left_out_and_told() -> None:
    y, z = visits(3)
    y[4] = NAN
    found = mixed_model_repeated_measures(y, z, np.column_stack([np.arange(24), np.ones(24)]), names=["age", "centre"])
    assert found.participants == 23
    assert found.warnings == (
        "1 participants have no value at any visit and were left out.",
        "The covariate centre is 1 for everyone, so it was left out.",
    )


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda y, z: (y[:, 0], z), "a row per participant and a column per visit"),
        (lambda y, z: (y, z[:-1]), "24 participants and 23 arms"),
        (lambda y, z: (y, z + 1), "neither 1 nor 0"),
        (lambda y, z: (y, z * 0), "Nobody in the treated arm has a value at visit 1"),
        (lambda y, z: (np.where(z[:, None] * [0, 1, 0] == 1, NAN, y), z), "treated arm has a value at visit 2"),
        (lambda y, z: (y * np.inf, z), "A value is infinite"),
        (lambda y, z: (y * 0 + 3, z), "explains every value exactly"),
        (lambda y, z: (y[:2], z[:2]), "Fewer than two participants have values at visits 1 and 2|leave too little"),
        (
            lambda y, z: (np.where(np.arange(24)[:, None] % 3 == np.arange(3), y, NAN)[2:], z[2:]),
            "Fewer than two participants have values at visits 1 and 2 both",
        ),
    ],
)
def test_repeated_measures_that_cannot_be_modelled_are_refused(
    spoil: Callable[[Array, Array], tuple[Array, Array]], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        mixed_model_repeated_measures(*spoil(*visits(5)))


def test_slopes_that_cannot_be_are_refused() -> None:
    who, time, ones = np.repeat([1, 2, 3], 3), np.tile([0.0, 1, 2], 3), np.ones((9, 1))
    with pytest.raises(ValueError, match="time is the same"):
        random_slope_fit(np.arange(9), who, np.ones(9), ones)
    with pytest.raises(ValueError, match="2 participants are too few"):
        random_slope_fit(np.arange(6), who[:6], time[:6], ones[:6])
    with pytest.raises(ValueError, match="do not match"):
        random_slope_fit(np.arange(8), who, time, ones)
    with pytest.raises(ValueError, match="vary less than the residuals explain"):
        random_slope_fit([1, 2, 1, 1, 2.1, 1, 1, 2, 1.1], who, time, np.column_stack([ones, time]))
    fit = unstructured_fit(visits(2, gaps=0)[0], np.broadcast_to(np.eye(3), (24, 3, 3)))
    with pytest.raises(ValueError, match="A contrast weighs each of the 3"):
        contrast(fit, [0, 0, 0])


# ---------------------------------------------------------------- time to an event

courses = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 1)), min_size=1, max_size=20)


@settings(max_examples=50)
@given(course=courses)
def test_a_survival_curve_falls_within_its_limits(course: list[tuple[int, int]]) -> None:
    time, event = zip(*course, strict=True)
    curve = kaplan_meier(time, event)
    assert np.all(np.diff(curve.survival) <= 0)
    for share, error, low, high in zip(curve.survival, curve.standard_error, curve.lower, curve.upper, strict=True):
        if low is not None and high is not None:
            assert 0 <= low <= share <= high <= 1
            assert error > 0
        else:
            assert share == pytest.approx(0)
    if all(event):  # nobody censored: the share itself
        for at in range(9):
            assert survival_at(curve, at)[0] == pytest.approx(np.mean(np.array(time) > at))


def test_before_the_first_event_all_survive_and_after_the_last_view_nothing_is_known() -> None:
    curve = kaplan_meier([2, 4, 6], [1, 1, 0])
    assert survival_at(curve, 1) == (1, 0)
    with pytest.raises(ValueError, match="Nobody was seen after 6"):
        survival_at(curve, 7)
    with pytest.raises(ValueError, match="0 or more"):
        survival_at(curve, -1)
    assert survival_at(kaplan_meier([2, 4], [1, 1]), 9) == (0, 0)
    assert kaplan_meier([2, 4], [0, 0]).times.size == 0
    assert survival_at(kaplan_meier([2, 4], [0, 0]), 3) == (1, 0)


@settings(max_examples=30)
@given(first=courses, second=courses)
def test_the_log_rank_test_is_that_of_scipy_and_the_same_either_way(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    (t1, d1), (t2, d2) = (tuple(map(np.array, zip(*one, strict=True))) for one in (first, second))
    try:
        found = log_rank(t1, d1, t2, d2)
    except ValueError as refusal:
        says = str(refusal)
        found = None
    if found is None:
        assert "No event came while both groups were at risk" in says
        return
    assert log_rank(t2, d2, t1, d1).statistic == pytest.approx(found.statistic)
    samples = [stats.CensoredData(uncensored=t[d == 1], right=t[d == 0]) for t, d in ((t1, d1), (t2, d2))]
    assert found.p_value == pytest.approx(stats.logrank(*samples).pvalue)


def test_an_interval_without_an_event_is_left_out_and_told() -> None:
    found = discrete_time_logistic([2, 2, 3, 3, 2, 3], [1, 0, 1, 0, 1, 0], [0, 0, 0, 1, 1, 1])
    assert found.warnings == ("In interval 1 the event came to nobody or to everybody, so it was left out.",)
    assert found.person_intervals == 15
    assert found.lower < found.log_odds_ratio < found.upper


@pytest.mark.parametrize(
    ("interval", "event", "treated", "says"),
    [
        ([1, 2.5], [1, 0], [0, 1], "not a whole number"),
        ([0, 2], [1, 0], [0, 1], "not a whole number"),
        ([1, 2], [1, 0], [1, 1], "control arm is empty"),
        ([1, 1], [1, 1], [0, 1], "In no interval"),
        ([1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0], "separate the events"),
        ([1, 1], [1, 2], [0, 1], "neither 1 nor 0"),
        ([], [], [], "no participant"),
        ([1, -1], [1, 0], [0, 1], "negative in row 2"),
        ([1, 1, 1], [1, 0], [0, 1, 0], "do not describe the same participants"),
    ],
)
def test_times_that_cannot_be_compared_are_refused(
    interval: list[float], event: list[int], treated: list[int], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        discrete_time_logistic(interval, event, treated)


# ---------------------------------------------------------------- imputation


@settings(max_examples=50)
@given(
    found=st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 4)), min_size=2, max_size=10),
    complete=st.one_of(st.just(math.inf), st.floats(1, 1000)),
)
def test_pooling_never_has_more_freedom_or_less_variance_than_complete_data(
    found: list[tuple[float, float]], complete: float
) -> None:
    estimates, variances = zip(*found, strict=True)
    result = pool(estimates, variances, complete)
    assert result.lower < result.estimate < result.upper
    assert result.variance >= np.mean(variances) - 1e-12
    assert 0 < result.freedom <= complete
    assert 0 <= result.missing_information <= 1 + 1e-9


def test_imputations_that_agree_are_one_complete_analysis() -> None:
    result = pool([0.2, 0.2, 0.2], [0.01, 0.01, 0.01])
    assert result.freedom == math.inf
    assert result.upper == pytest.approx(0.2 + 1.959964 * 0.1)
    assert result.missing_information == pytest.approx(0)


@pytest.mark.parametrize(
    ("estimates", "variances", "freedom", "says"),
    [
        ([0.1], [0.1], 10, "1 imputations cannot show"),
        ([0.1, 0.2], [0.1], 10, "do not describe the same imputations"),
        ([0.1, 0.2], [0.1, 0], 10, "not above 0 in row 2"),
        ([0.1, 0.2], [0.1, 0.1], 0, "degrees of freedom of complete data are 0"),
        ([0.1, NAN], [0.1, 0.1], 10, "missing or infinite in row 2"),
    ],
)
def test_imputations_that_cannot_be_pooled_are_refused(
    estimates: list[float], variances: list[float], freedom: float, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        pool(estimates, variances, freedom)


def test_known_outcomes_stay_and_missing_ones_follow_their_arm() -> None:
    chance = np.random.default_rng(3)
    arm = (np.arange(400) % 2).astype(float)
    y = (chance.random(400) < 0.2 + 0.5 * arm).astype(float)
    y[chance.random(400) < 0.3] = NAN
    made = impute_binary(y, arm[:, None], 200, chance)
    known = ~np.isnan(y)
    assert np.array_equal(made[:, known], np.tile(y[known], (200, 1)))
    assert set(np.unique(made)) == {0, 1}
    for one in (0, 1):
        inside = known & (arm == one)
        assert made[:, ~known & (arm == one)].mean() == pytest.approx(y[inside].mean(), abs=0.02)
    pooled = impute_and_pool(made, lambda row: (float(row.mean()), float(row.mean() * (1 - row.mean()) / 400)))
    assert 0.2 < pooled.missing_information < 0.4


def test_the_mode_of_the_imputation_model_is_that_of_firth() -> None:
    """An arm where all have the event: half an event is added to each cell, so the rate is (4 + 1/2)/(4 + 1)."""
    y = [1, 1, 1, 1, 0, 0, 0, 0, NAN, NAN]
    arm = [[1]] * 4 + [[0]] * 4 + [[1], [0]]
    made = impute_binary(y, arm, 4000, np.random.default_rng(1))
    centre = float(special.logit(4.5 / 5))
    spread = math.sqrt(1 / (4 * 0.9 * 0.1))
    draws = special.expit(centre + spread * np.random.default_rng(2).normal(size=100_000))
    assert made[:, 8].mean() == pytest.approx(draws.mean(), abs=0.03)


@pytest.mark.parametrize(
    ("y", "x", "says"),
    [
        ([0, 2, 1], [[1], [2], [3]], "0, 1 or missing"),
        ([1, 1, NAN], [[1], [2], [3]], "all the same"),
        ([NAN, NAN], [[1], [2]], "all the same, or there is none"),
        ([0, 1, NAN], [[1], [1], [2]], "predictors determine one another"),
    ],
)
def test_what_cannot_be_imputed_is_refused(y: list[float], x: list[list[float]], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        impute_binary(y, x, 2, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("values", "design", "says"),
    [
        ([1.0, 2.0], np.zeros((2, 2, 1)), "participants x visits"),
        (np.ones((4, 2)), np.zeros((3, 2, 2)), "participants x visits"),
        ([[1.0, np.inf], [2, 3], [3, 4], [4, 6]], np.broadcast_to(np.eye(2), (4, 2, 2)), "infinite"),
        ([[1.0, 2], [2, 3], [3, 4], [4, 6]], np.full((4, 2, 2), np.nan), "design is missing"),
    ],
)
def test_values_and_a_design_that_do_not_fit_are_refused(
    values: npt.ArrayLike, design: npt.ArrayLike, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        unstructured_fit(values, design)


@pytest.mark.parametrize(
    ("who", "design", "says"),
    [
        ([1, 1, 2, 2, 3, np.nan], np.ones((6, 1)), "The participant is missing in row 6"),
        ([1, 1, 2, 2, 3, 3], np.ones(6), "a row per value"),
        ([1, 1, 2, 2, 3, 3], np.full((6, 1), np.nan), "a row per value"),
    ],
)
def test_a_slope_of_nobody_and_a_design_with_gaps_are_refused(
    who: npt.ArrayLike, design: npt.ArrayLike, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        random_slope_fit([1.0, 2, 3, 5, 8, 9], who, [0.0, 1, 0, 1, 0, 1], design)
