"""Weights to other populations, augmentation, g-computation, and many trials at once."""

import math
import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.test_statistics_overlap import trial
from trialwright.statistics.augmented import AdjustedDifference, augmented_overlap_difference
from trialwright.statistics.batched import WeightedDifferences, overlap_weighted_differences
from trialwright.statistics.logistic import logistic_fit
from trialwright.statistics.overlap import overlap_weighted_difference, overlap_weights
from trialwright.statistics.populations import (
    ate_weighted_difference,
    ate_weights,
    att_weighted_difference,
    att_weights,
    entropy_weighted_difference,
    entropy_weights,
    matching_weighted_difference,
    matching_weights,
)
from trialwright.statistics.standardisation import g_computation_difference
from trialwright.statistics.weighted_ratio import weighted_odds_ratio, weighted_risk_ratio
from trialwright.statistics.weighting import Scheme, WeightedDifference

Array = npt.NDArray[np.float64]
SCHEMES = [
    (overlap_weighted_difference, overlap_weights),
    (ate_weighted_difference, ate_weights),
    (att_weighted_difference, att_weights),
    (matching_weighted_difference, matching_weights),
    (entropy_weighted_difference, entropy_weights),
]
WEIGHTED: list[Callable[..., WeightedDifference]] = [one for one, _ in SCHEMES]
ADJUSTED: list[Callable[..., AdjustedDifference]] = [augmented_overlap_difference, g_computation_difference]
Estimator = Callable[..., WeightedDifference]


@pytest.mark.parametrize("scheme", [one for _, one in SCHEMES])
def test_the_rate_of_a_weight_is_its_derivative(scheme: Scheme) -> None:
    predictor = np.array([-3.0, -1.1, -0.2, 0.3, 0.9, 2.5])
    here = scheme(1 / (1 + np.exp(-predictor)))
    after, before = (scheme(1 / (1 + np.exp(-predictor - step))) for step in (1e-6, -1e-6))
    for weights, rate, up, down in (
        (here.treated, here.rate_treated, after.treated, before.treated),
        (here.control, here.rate_control, after.control, before.control),
    ):
        assert weights * rate == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("estimator", "scheme"), SCHEMES)
def test_the_sandwich_is_that_of_the_whole_stack_of_equations(estimator: Estimator, scheme: Scheme) -> None:
    y, z, x = trial(2)
    result = estimator(y, z, x, small_sample=False)
    design = np.column_stack([np.ones(60), x])
    coefficients = np.linalg.lstsq(design, np.log(result.propensity / (1 - result.propensity)), rcond=None)[0]

    def equations(unknown: Array) -> Array:
        weights = scheme(1 / (1 + np.exp(-design @ unknown[:4])))
        e = 1 / (1 + np.exp(-design @ unknown[:4]))
        return np.column_stack(
            [
                design * (z - e)[:, None],
                z * weights.treated * (y - unknown[4]),
                (1 - z) * weights.control * (y - unknown[5]),
            ]
        )

    contrast = np.array([0, 0, 0, 0, 1.0, -1])
    solution = np.array([*coefficients, result.risk_treated, result.risk_control])
    assert result.standard_error == pytest.approx(_standard_error(equations, solution, contrast), rel=1e-6)


def test_the_augmented_sandwich_is_that_of_the_whole_stack_of_equations() -> None:
    y, z, x = trial(3)
    result = augmented_overlap_difference(y, z, x, small_sample=False)
    design = np.column_stack([np.ones(60), x])
    weighted = overlap_weighted_difference(y, z, x)
    e = weighted.propensity
    start = np.linalg.lstsq(design, np.log(e / (1 - e)), rcond=None)[0]
    fits = [np.linalg.lstsq(design[z == arm], y[z == arm], rcond=None)[0] for arm in (1, 0)]
    m1, m0 = design @ fits[0], design @ fits[1]
    h, w1, w0 = e * (1 - e), z * (1 - e), (1 - z) * e
    parts = [(h * m1).sum() / h.sum(), (w1 * (y - m1)).sum() / w1.sum()]
    parts += [(h * m0).sum() / h.sum(), (w0 * (y - m0)).sum() / w0.sum()]
    assert result.estimate == pytest.approx(parts[0] + parts[1] - parts[2] - parts[3])

    def equations(unknown: Array) -> Array:
        e = 1 / (1 + np.exp(-design @ unknown[:4]))
        m1, m0 = design @ unknown[4:8], design @ unknown[8:12]
        return np.column_stack(
            [
                design * (z - e)[:, None],
                design * (z * (y - m1))[:, None],
                design * ((1 - z) * (y - m0))[:, None],
                e * (1 - e) * (m1 - unknown[12]),
                z * (1 - e) * (y - m1 - unknown[13]),
                e * (1 - e) * (m0 - unknown[14]),
                (1 - z) * e * (y - m0 - unknown[15]),
            ]
        )

    contrast = np.concatenate([np.zeros(12), [1, 1, -1, -1]])
    solution = np.concatenate([start, *fits, parts])
    assert result.standard_error == pytest.approx(_standard_error(equations, solution, contrast), rel=1e-5)


def _standard_error(equations: Callable[[Array], Array], solution: Array, contrast: Array) -> float:
    steps = np.eye(solution.size) * 1e-6
    assert equations(solution).sum(axis=0) == pytest.approx(np.zeros(solution.size), abs=1e-6)
    bread = np.column_stack(
        [(equations(solution + step) - equations(solution - step)).sum(axis=0) / 2e-6 for step in steps]
    )
    meat = equations(solution).T @ equations(solution)
    inverse = np.linalg.inv(bread)
    return math.sqrt(contrast @ (inverse @ meat @ inverse.T) @ contrast)


@pytest.mark.parametrize("estimator", [*WEIGHTED, *ADJUSTED])
@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_an_adjusted_difference_does_not_depend_on_the_order_the_unit_or_the_side(
    estimator: Callable[..., WeightedDifference | AdjustedDifference], seed: int
) -> None:
    y, z, x = trial(seed, n=80)
    result = estimator(y, z, x)
    assert result.lower < result.estimate < result.upper
    order = np.random.default_rng(seed).permutation(80)
    for other in (estimator(y[order], z[order], x[order]), estimator(y, z, x * [1e5, 1e-5, 2] + [1e6, 0, 1])):
        assert other.estimate == pytest.approx(result.estimate, abs=1e-7)
        assert other.standard_error == pytest.approx(result.standard_error, abs=1e-7)
    if estimator is not att_weighted_difference:  # its population is that of one side
        swapped = estimator(y, 1 - z, x)
        assert swapped.estimate == pytest.approx(-result.estimate, abs=1e-8)
        assert swapped.upper == pytest.approx(-result.lower, abs=1e-8)


@pytest.mark.parametrize("estimator", [*WEIGHTED, augmented_overlap_difference])
def test_without_covariates_every_weighting_is_the_plain_difference(estimator: Estimator) -> None:
    y, z, _ = trial(6)
    result = estimator(y, z, np.empty((60, 0)))
    assert result.estimate == pytest.approx(y[z == 1].mean() - y[z == 0].mean())
    assert "No covariate varies, so the difference is unadjusted." in result.warnings


@pytest.mark.parametrize("estimator", [*WEIGHTED, *ADJUSTED])
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda y, z, x: (y, z * 0, x), "The treated arm is empty"),
        (lambda y, z, x: (y[:1], z[:1], x[:1]), "arm is empty"),
        (lambda y, z, x: (np.where(y == 1, np.nan, y), z, x), "The outcome is missing"),
        (lambda y, z, x: (y, z, np.column_stack([x, x[:, 0]])), "covariate in column 4 is determined"),
        (lambda _y, z, x: (z, z, x), "sandwich variance is zero"),
    ],
)
def test_what_cannot_be_estimated_is_refused_with_the_reason(
    estimator: Estimator, spoil: Callable[[Array, Array, Array], tuple[npt.ArrayLike, ...]], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        estimator(*spoil(*trial(10)))


@pytest.mark.parametrize("estimator", [*WEIGHTED, augmented_overlap_difference])
def test_separated_arms_are_refused_by_every_weighting(estimator: Estimator) -> None:
    y, z, x = trial(10)
    with pytest.raises(ValueError, match="covariates together separate the arms"):
        estimator(y, z, np.column_stack([x, z + x[:, 0]]))


def test_poor_overlap_says_what_it_does_to_the_weights() -> None:
    chance = np.random.default_rng(7)
    x = chance.normal(size=(200, 1))
    z = (chance.random(200) < 1 / (1 + np.exp(-4 * x[:, 0] - 2))).astype(float)
    y = chance.random(200)
    assert any("very large weights stand for many" in one for one in ate_weighted_difference(y, z, x).warnings)
    assert any("a few controls" in one for one in att_weighted_difference(y, z, x).warnings)
    assert any("speaks mainly for the others" in one for one in entropy_weighted_difference(y, z, x).warnings)
    assert any("overlap poorly" in one for one in augmented_overlap_difference(y, z, x).warnings)


def test_a_propensity_of_one_to_the_last_digit_has_no_weight() -> None:
    for scheme in (ate_weights, att_weights, matching_weights, entropy_weights):
        with pytest.raises(ValueError, match="0 or 1 to the last digit in row 2"):
            scheme(np.array([0.5, 1.0]))


def test_an_arm_too_small_or_too_uniform_for_its_regression_is_refused() -> None:
    y, z, x = trial(11)
    few = np.zeros(60)
    few[np.argsort(x[:, 0])[[15, 45]]] = 1
    with pytest.raises(ValueError, match="treated arm has 2 participants, too few for a regression on 1"):
        augmented_overlap_difference(y, few, x[:, :1])
    middle = np.where(z == 1, 0, np.resize([-1.0, 0, 1], 60))
    with pytest.raises(ValueError, match="Within the treated arm the covariates determine one another"):
        augmented_overlap_difference(y, z, np.column_stack([x, middle]))


def test_g_computation_refuses_what_is_no_event_and_outcomes_that_are_separated() -> None:
    y, z, x = trial(12)
    with pytest.raises(ValueError, match=r"neither 1 \(event\) nor 0"):
        g_computation_difference(y * 2, z, x)
    with pytest.raises(ValueError, match="separate the outcomes"):
        g_computation_difference(y, z, np.column_stack([x, y + 0.01 * x[:, 0]]))
    with pytest.raises(ValueError, match="covariates determine the arm"):
        g_computation_difference(y, z, np.column_stack([x, z]))


def test_g_computation_with_no_covariate_is_the_plain_difference_and_its_error() -> None:
    y, z, _ = trial(13)
    for robust in (False, True):
        result = g_computation_difference(y, z, np.empty((60, 0)), robust=robust)
        p1, p0 = y[z == 1].mean(), y[z == 0].mean()
        assert result.estimate == pytest.approx(p1 - p0)
        plain = math.sqrt(p1 * (1 - p1) / z.sum() + p0 * (1 - p0) / (60 - z.sum()))
        assert result.standard_error == pytest.approx(plain)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_weighted_ratios_agree_with_the_risks_and_turn_over_with_the_arms(seed: int) -> None:
    y, z, x = trial(seed)
    result, swapped = overlap_weighted_difference(y, z, x), overlap_weighted_difference(y, 1 - z, x)
    for ratio in (weighted_risk_ratio, weighted_odds_ratio):
        one, other = ratio(result), ratio(swapped)
        assert one.lower < one.estimate < one.upper
        assert one.lower * one.upper == pytest.approx(one.estimate**2)
        assert one.estimate * other.estimate == pytest.approx(1)
        assert one.log_standard_error == pytest.approx(other.log_standard_error, rel=1e-6)


def test_a_risk_of_zero_has_no_ratio() -> None:
    y, z, x = trial(14)
    y[z == 0] = 0
    result = overlap_weighted_difference(y, z, x)
    for ratio in (weighted_risk_ratio, weighted_odds_ratio):
        with pytest.raises(ValueError, match="has no logarithm"):
            ratio(result)


def test_a_logistic_fit_reproduces_the_events_in_each_column() -> None:
    _, z, x = trial(15)
    basis = np.linalg.qr(np.column_stack([np.ones(60), x]))[0]
    fitted = logistic_fit(z, basis)
    assert basis.T @ fitted.chance == pytest.approx(basis.T @ z)
    assert 1 / (1 + np.exp(-basis @ fitted.coefficients)) == pytest.approx(fitted.chance)
    assert fitted.influence.sum(axis=0) == pytest.approx(np.zeros(4), abs=1e-9)


# ---------------------------------------------------------------- many trials at once


def many(trials: int, n: int, columns: int, strength: float, seed: int = 1) -> tuple[Array, Array, Array]:
    """Trials with an outcome, two arms and covariates that drive both."""
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(trials, n, columns))
    score = strength * x.sum(axis=2)
    z = (chance.random(score.shape) < 1 / (1 + np.exp(-score))).astype(float)
    y = (chance.random(score.shape) < 1 / (1 + np.exp(1 - score))).astype(float)
    return y, z, x


@pytest.mark.parametrize(
    ("trials", "n", "columns", "strength"), [(300, 60, 5, 0.3), (300, 60, 5, 1.5), (200, 9, 3, 0.5), (50, 40, 0, 0)]
)
def test_many_trials_at_once_have_the_numbers_of_each_alone(trials: int, n: int, columns: int, strength: float) -> None:
    y, z, x = many(trials, n, columns, strength)
    found = overlap_weighted_differences(y, z, x, 0.9)
    for position in range(trials):
        assert_alike(found, position, y[position], z[position], x[position])


def assert_alike(found: WeightedDifferences, position: int, y: Array, z: Array, x: Array) -> None:
    if found.refused[position]:
        with pytest.raises(ValueError, match=re.escape(found.reasons[position])):
            overlap_weighted_difference(y, z, x, 0.9)
        assert np.isnan(found.estimate[position])
        return
    alone = overlap_weighted_difference(y, z, x, 0.9)
    for name in (
        "estimate", "standard_error", "lower", "upper", "risk_treated", "risk_control",
        "effective_n_treated", "effective_n_control",
    ):  # fmt: skip
        assert getattr(found, name)[position] == pytest.approx(getattr(alone, name), rel=1e-7, abs=1e-9), name
    assert found.poor_overlap[position] == any("overlap poorly" in warning for warning in alone.warnings)


def test_trials_out_of_the_common_way_are_estimated_or_refused_one_by_one() -> None:
    y, z, x = many(9, 30, 2, 0.3)
    z[0], z[1] = 0, 1  # an empty arm
    y[2] = 1  # no variation
    x[3, :, 0] = 0.1  # a constant covariate
    x[4, :, 1] = 3 * x[4, :, 0] - 1  # collinear
    x[5, :, 0] = z[5] + 0.1 * x[5, :, 0]  # separated
    x[6] = x[6] * [1e9, 1e-9] + [1e9, 1]  # another unit, nearly constant
    x[7, 0] = 1e12  # an outlier
    found = overlap_weighted_differences(y, z, x, 0.9)
    for position in range(9):
        assert_alike(found, position, y[position], z[position], x[position])
    assert list(np.flatnonzero(found.refused))[:5] == [0, 1, 2, 4, 5]


def test_no_trial_and_too_few_participants_are_no_fault() -> None:
    assert overlap_weighted_differences(np.empty((0, 5)), np.empty((0, 5)), np.empty((0, 5, 2))).estimate.size == 0
    y, z, x = many(5, 4, 3, 0.1)
    assert overlap_weighted_differences(y, z, x).refused.all()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda y, z, x: (y, z, x[0]), "do not describe the same participants"),
        (lambda y, z, x: (y[:2], z, x), "do not describe the same participants"),
        (lambda y, z, x: (y * np.nan, z, x), "An outcome is missing"),
        (lambda y, z, x: (y, z + 1, x), "neither 1"),
    ],
)
def test_batches_that_do_not_fit_are_refused(
    spoil: Callable[[Array, Array, Array], tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike]], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        overlap_weighted_differences(*spoil(*many(3, 10, 2, 0.1)))
