"""The overlap-weighted difference: what it balances, what it refuses, and what it warns of."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.statistics.covariates import covariate_matrix
from trialwright.statistics.overlap import WeightedDifference, overlap_weighted_difference
from trialwright.statistics.propensity import logistic_propensity

Array = npt.NDArray[np.float64]


def trial(seed: int, n: int = 60, columns: int = 3) -> tuple[Array, Array, Array]:
    """Outcome, arm and covariates of n participants; the first covariate drives arm and outcome."""
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(n, columns))
    treated = (chance.random(n) < 1 / (1 + np.exp(-0.6 * x[:, 0]))).astype(float)
    outcome = (chance.random(n) < 1 / (1 + np.exp(0.5 - 0.5 * x[:, 0]))).astype(float)
    return outcome, treated, x


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_the_weighted_arms_have_equal_covariate_means_and_swap_with_the_sign(seed: int) -> None:
    y, z, x = trial(seed)
    result, swapped = overlap_weighted_difference(y, z, x), overlap_weighted_difference(y, 1 - z, x)
    treated, control = (np.average(x[z == arm], axis=0, weights=result.weights[z == arm]) for arm in (1, 0))
    assert treated == pytest.approx(control, abs=1e-8)
    assert result.lower < result.estimate < result.upper
    assert swapped.estimate == pytest.approx(-result.estimate, abs=1e-9)
    assert swapped.lower == pytest.approx(-result.upper, abs=1e-9)
    assert result.estimate == pytest.approx(result.risk_treated - result.risk_control)


def test_the_unit_of_a_covariate_does_not_matter() -> None:
    y, z, x = trial(1)
    scaled = x * [1e6, 1e-6, 1] + [1e7, 0, -5]
    plain, other = overlap_weighted_difference(y, z, x), overlap_weighted_difference(y, z, scaled)
    assert other.estimate == pytest.approx(plain.estimate, abs=1e-9)
    assert other.standard_error == pytest.approx(plain.standard_error, abs=1e-9)


def test_the_sandwich_is_that_of_the_whole_stack_of_equations() -> None:
    """The bread by numerical derivative of the score and both means, six unknowns at once."""
    y, z, x = trial(2)
    result = overlap_weighted_difference(y, z, x, small_sample=False)
    design = np.column_stack([np.ones(60), x])
    coefficients = np.linalg.lstsq(design, np.log(result.propensity / (1 - result.propensity)), rcond=None)[0]

    def equations(unknown: Array) -> Array:
        e = 1 / (1 + np.exp(-design @ unknown[:4]))
        return np.column_stack(
            [design * (z - e)[:, None], z * (1 - e) * (y - unknown[4]), (1 - z) * e * (y - unknown[5])]
        )

    solution = np.array([*coefficients, result.risk_treated, result.risk_control])
    assert equations(solution).sum(axis=0) == pytest.approx(np.zeros(6), abs=1e-7)
    bread = np.column_stack(
        [(equations(solution + step) - equations(solution - step)).sum(axis=0) / 2e-6 for step in np.eye(6) * 1e-6]
    )
    meat = equations(solution).T @ equations(solution)
    variance = np.linalg.inv(bread) @ meat @ np.linalg.inv(bread).T
    contrast = np.array([0, 0, 0, 0, 1, -1])
    assert result.standard_error == pytest.approx(math.sqrt(contrast @ variance @ contrast), rel=1e-6)


def test_a_small_sample_has_a_larger_variance_and_a_t_interval() -> None:
    y, z, x = trial(3)
    small, large = (
        overlap_weighted_difference(y, z, x),
        overlap_weighted_difference(y, z, x, small_sample=False),
    )
    assert small.estimate == large.estimate
    assert small.standard_error == pytest.approx(large.standard_error * math.sqrt(60 / 56))
    assert (small.upper - small.estimate) / small.standard_error == pytest.approx(2.003241, abs=1e-6)
    assert (large.upper - large.estimate) / large.standard_error == pytest.approx(1.959964, abs=1e-6)


def test_a_higher_confidence_widens_the_interval() -> None:
    y, z, x = trial(4)
    assert overlap_weighted_difference(y, z, x, 0.99).upper > overlap_weighted_difference(y, z, x, 0.9).upper


def test_a_covariate_that_is_the_same_for_everyone_is_left_out_with_a_warning() -> None:
    y, z, x = trial(5)
    more = np.column_stack([x, np.full(60, 0.1)])
    result = overlap_weighted_difference(y, z, more, names=["age", "AFC", "AMH", "centre"])
    assert result.estimate == overlap_weighted_difference(y, z, x).estimate
    assert result.warnings[0] == "The covariate centre is 0.1 for everyone, so it was left out."


def test_without_covariates_the_difference_is_unadjusted() -> None:
    y, z, _ = trial(6)
    result = overlap_weighted_difference(y, z, np.empty((60, 0)))
    assert result.estimate == pytest.approx(y[z == 1].mean() - y[z == 0].mean())
    assert result.effective_n_treated == pytest.approx(z.sum())
    assert result.warnings == ("No covariate varies, so the difference is unadjusted.",)


def test_poor_overlap_and_a_low_effective_sample_size_are_warned_of() -> None:
    chance = np.random.default_rng(7)
    x = chance.normal(size=(200, 1))
    z = (chance.random(200) < 1 / (1 + np.exp(-4 * x[:, 0] - 2))).astype(float)
    result = overlap_weighted_difference(chance.random(200), z, x)
    text = " ".join(result.warnings)
    assert "The arms overlap poorly" in text
    assert "less than half, so a few of them carry the result" in text
    assert overlap_weighted_difference(*trial(8, n=400)).warnings == ()


def test_an_arm_without_events_makes_the_interval_doubtful() -> None:
    y, z, x = trial(9)
    y[z == 0] = 0
    assert overlap_weighted_difference(y, z, x).warnings == (
        "The outcome is 0 for every control participant, so that arm adds no variance and the interval is too narrow.",
    )


def test_limits_beyond_what_two_risks_can_differ_by_are_warned_of() -> None:
    y = [1, 1, 0, 0, 0, 1]
    result = overlap_weighted_difference(y, [1, 1, 1, 0, 0, 0], np.array([[1, 2, 3, 1, 2, 3]]).T)
    assert result.upper > 1
    assert "The interval goes beyond -1 or 1" in result.warnings[-1]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda y, z, x: (y[:-1], z, x), "do not describe the same participants"),
        (lambda y, z, x: (y, z, x[:-1]), "each of the 60 participants needs a row"),
        (lambda y, z, x: (y, z, x[:, 0]), "each of the 60 participants needs a row"),
        (lambda y, z, x: (np.where(y == 1, np.nan, y), z, x), "The outcome is missing or infinite in rows"),
        (lambda y, z, x: (y, np.where(z == 1, np.nan, z), x), "The arm is missing or infinite in rows"),
        (lambda y, z, x: (y, z + 1, x), r"neither 1 \(treated\) nor 0 \(control\)"),
        (lambda y, z, x: (y, z * 0, x), "The treated arm is empty"),
        (lambda y, z, x: (y, z * 0 + 1, x), "The control arm is empty"),
        (lambda _y, z, x: (z, z, x), "sandwich variance is zero"),
        (lambda y, z, x: (y, z, np.where(x > 2, np.nan, x)), r"covariate in column \d is missing"),
        (
            lambda y, z, x: (y, z, np.column_stack([x, x[:, 0] + x[:, 1]])),
            "covariate in column 4 is determined",
        ),
        (lambda y, z, x: (y, z, np.column_stack([x, z])), "covariate in column 4 separates the arms"),
        (
            lambda y, z, x: (y, z, np.column_stack([x, z * (y == 1)])),
            "covariate in column 4 separates the arms",
        ),
        (
            lambda y, z, x: (y, z, np.column_stack([x, z + x[:, 0]])),
            "covariates together separate the arms",
        ),
        (
            lambda _y, _z, _x: ([1, 0, 1, 0], [1, 1, 0, 0], [[0.1, 3, 5], [2, 9, 4], [7, 6, 6], [3, 1, 8.5]]),
            "4 participants are too few for 3 covariates",
        ),
    ],
)
def test_what_cannot_be_estimated_is_refused_with_the_reason(
    spoil: Callable[[Array, Array, Array], tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike]], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        overlap_weighted_difference(*spoil(*trial(10)))


def test_names_must_fit_the_covariates() -> None:
    with pytest.raises(ValueError, match="2 names do not fit 3 covariates"):
        overlap_weighted_difference(*trial(11), names=["age", "AFC"])


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), n=st.integers(6, 20), columns=st.integers(1, 4))
def test_a_small_trial_is_estimated_finitely_or_refused(seed: int, n: int, columns: int) -> None:
    try:
        result = overlap_weighted_difference(*trial(seed, n, columns))
    except ValueError as refusal:
        reason = str(refusal)
    else:
        reason = ""
        assert all(math.isfinite(value) for value in finite(result))
    assert "could not be fitted" not in reason


def finite(result: WeightedDifference) -> list[float]:
    return [
        result.estimate, result.standard_error, result.lower, result.upper,
        result.effective_n_treated, result.effective_n_control, *result.propensity, *result.weights,
    ]  # fmt: skip


def test_two_participants_who_break_the_separation_are_enough_for_an_estimate() -> None:
    x = np.arange(60.0)
    z = (x >= 30).astype(float)
    z[[29, 30]] = z[[30, 29]]
    e = logistic_propensity(z, covariate_matrix(x.reshape(-1, 1), 60)).propensity
    assert e.sum() == pytest.approx(30)
    assert (e * x).sum() == pytest.approx((z * x).sum())


def test_far_outliers_in_a_covariate_do_not_stop_the_climb() -> None:
    chance = np.random.default_rng(12)
    for _ in range(50):
        x = np.exp(3 * chance.normal(size=(40, 2)))
        z = (chance.random(40) < 1 / (1 + np.exp(-x[:, 0] / 5))).astype(float)
        e = logistic_propensity(z, covariate_matrix(x, 40)).propensity
        assert x.T @ e == pytest.approx(x.T @ z, rel=1e-6)


def test_an_outlier_beyond_all_measure_is_refused() -> None:
    x = np.array([*range(20), 1e9]).reshape(-1, 1)
    z = np.array([0.0] * 8 + [0, 1] * 2 + [1] * 9)
    with pytest.raises(ValueError, match="covariates without far outliers"):
        logistic_propensity(z, covariate_matrix(x, 21))
