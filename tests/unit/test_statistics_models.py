"""The estimators on data sets reproduce the figures that R gave on the same data.

The data sets and figures stand beside the repository, in ../shared/facts; without them the tests are skipped.
"""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from trialwright.statistics.augmented import augmented_overlap_difference
from trialwright.statistics.balance import mean_sd, standardised_difference
from trialwright.statistics.beta_binomial import beta_binomial, beta_binomial_regression
from trialwright.statistics.binomial import clopper_pearson_upper
from trialwright.statistics.clustered import intracluster_correlation, ratio_logit_t
from trialwright.statistics.estimating_equations import gee_logistic
from trialwright.statistics.exact_comparison import fisher_power
from trialwright.statistics.firth import firth_logistic
from trialwright.statistics.group_sequential import drift_for_power, hwang_shih_decani
from trialwright.statistics.imputation import pool
from trialwright.statistics.linear_covariance import contrast
from trialwright.statistics.overlap import WeightedDifference, overlap_weighted_difference
from trialwright.statistics.paired import hodges_lehmann_signed_rank
from trialwright.statistics.populations import (
    ate_weighted_difference,
    att_weighted_difference,
    entropy_weighted_difference,
    matching_weighted_difference,
)
from trialwright.statistics.power import two_proportions_power, two_proportions_size
from trialwright.statistics.repeated import mixed_model_repeated_measures, random_slope_fit, unstructured_fit
from trialwright.statistics.sensitivity import e_value, e_value_of_interval
from trialwright.statistics.standardisation import g_computation_difference
from trialwright.statistics.survival import kaplan_meier, log_rank, survival_at
from trialwright.statistics.weighted_ratio import weighted_odds_ratio, weighted_risk_ratio

FACTS = Path(__file__).parents[3] / "shared" / "facts"

pytestmark = pytest.mark.skipif(
    not (FACTS / "reference_models.csv").exists(), reason=f"the reference data sets are not at {FACTS}"
)

Column = npt.NDArray[np.float64]


KEYS = {}
if (FACTS / "reference_models.csv").exists():
    KEYS = {row["id"]: row for row in csv.DictReader((FACTS / "reference_models.csv").read_text("utf-8").splitlines())}


def assert_reference(key: str, value: float | None) -> None:
    row = KEYS[key]
    assert value is not None
    assert abs(value - float(row["expected"])) <= float(row["tolerance"]), row["source"]


def table(name: str) -> dict[str, list[str]]:
    with (FACTS / "reference_data" / f"{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {column: [row[column] for row in rows] for column in rows[0]}


def numbers(data: dict[str, list[str]], column: str) -> Column:
    return np.array([float(value) for value in data[column]])


def lalonde() -> tuple[Column, Column]:
    """Arm and covariates. R: glm(treat ~ age + educ + black + hispan + married + nodegree + re74 + re75, binomial)."""
    data = table("lalonde")
    race = np.array(data["race"])
    covariates = np.column_stack(
        [
            *(numbers(data, name) for name in ("age", "educ", "married", "nodegree", "re74", "re75")),
            race == "black",
            race == "hispan",
        ]
    )
    return numbers(data, "treat"), covariates


def earnings() -> Column:
    return numbers(table("lalonde"), "re78")


def unemployment() -> Column:
    return np.asarray(earnings() == 0, dtype=np.float64)


@pytest.mark.parametrize(
    ("name", "estimator"),
    [
        ("overlap", overlap_weighted_difference),
        ("IPW", ate_weighted_difference),
        ("treated", att_weighted_difference),
        ("matching", matching_weighted_difference),
        ("entropy", entropy_weighted_difference),
    ],
)
def test_earnings_of_lalonde_weighted_to_five_populations(
    name: str, estimator: Callable[..., WeightedDifference]
) -> None:
    result = estimator(earnings(), *lalonde(), small_sample=False)
    assert_reference(f"psw_lal_{name}_est", result.estimate)
    assert_reference(f"psw_lal_{name}_se", result.standard_error)


def test_overlap_of_lalonde_is_poor() -> None:
    result = overlap_weighted_difference(earnings(), *lalonde(), small_sample=False)
    assert_reference("ess_lal_ato_t", result.effective_n_treated)
    assert_reference("ess_lal_ato_c", result.effective_n_control)
    assert any("429 control participants weigh as much as 166.1" in warning for warning in result.warnings)
    assert any("273 of 614 participants" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("name", "estimator"), [("overlap", overlap_weighted_difference), ("IPW", ate_weighted_difference)]
)
def test_unemployment_of_lalonde_as_difference_and_ratios(
    name: str, estimator: Callable[..., WeightedDifference]
) -> None:
    result = estimator(unemployment(), *lalonde(), small_sample=False)
    assert_reference(f"psw_lal_bin_{name}_DIF_est", result.estimate)
    assert_reference(f"psw_lal_bin_{name}_DIF_se", result.standard_error)
    for ratio, of in ((weighted_risk_ratio, "RR"), (weighted_odds_ratio, "OR")):
        assert_reference(f"psw_lal_bin_{name}_{of}_est", float(np.log(ratio(result).estimate)))
        assert_reference(f"psw_lal_bin_{name}_{of}_se", ratio(result).log_standard_error)


def test_earnings_of_lalonde_weighted_to_the_overlap_and_augmented() -> None:
    result = augmented_overlap_difference(earnings(), *lalonde(), small_sample=False)
    assert_reference("psw_lal_ato_aug_est", result.estimate)
    assert_reference("psw_lal_ato_aug_se", result.standard_error)


@pytest.mark.parametrize(("key", "robust"), [("gcomp_lal_rd_se", False), ("gcomp_lal_rd_se_hc0", True)])
def test_unemployment_of_lalonde_standardised_over_all(key: str, robust: bool) -> None:
    result = g_computation_difference(unemployment(), *lalonde(), robust=robust)
    assert_reference("gcomp_lal_rd", result.estimate)
    assert_reference(key, result.standard_error)


def test_distance_of_lalonde_in_treated_standard_deviations() -> None:
    """The distance of MatchIt is the propensity itself."""
    treated, covariates = lalonde()
    e = overlap_weighted_difference(earnings(), treated, covariates).propensity
    first, second = mean_sd(e[treated == 1]), mean_sd(e[treated == 0])
    assert first.sd is not None
    assert_reference("smd_lal_distance", (first.mean - second.mean) / first.sd)


def test_wages_of_ncds_weighted_to_the_overlap() -> None:
    data = table("ncds")
    factors = [numbers(data, name) for name in ("scht", "qmab", "qmab2", "qvab", "qvab2")]
    father, mother = (
        (numbers(data, "paed_u"), numbers(data, "agepa")),
        (numbers(data, "maed_u"), numbers(data, "agema")),
    )
    covariates = np.column_stack(
        [
            *(numbers(data, name) for name in ("white", "maemp", "sib_u")),
            *(factor == level for factor in factors for level in np.unique(factor)[1:]),
            *(column for education, age in (father, mother) for column in (education, age, education * age)),
        ]
    )
    result = overlap_weighted_difference(numbers(data, "wage"), numbers(data, "Dany"), covariates, small_sample=False)
    assert_reference("psw_ncds_ato_est", result.estimate)
    assert_reference("psw_ncds_ato_se", result.standard_error)


def test_live_young_of_rats_by_litter() -> None:
    data = table("lirat")
    result = ratio_logit_t(numbers(data, "R"), numbers(data, "N"))
    assert_reference("ratio_est_lirat_se", result.standard_error)
    assert result.clusters == 58


def test_live_young_of_rats_as_beta_binomial() -> None:
    data = table("lirat")
    live, born, group = numbers(data, "R"), numbers(data, "N"), numbers(data, "grp")
    result = beta_binomial(live, born)
    assert_reference("bb_lirat_mu", result.mean)
    assert_reference("bb_lirat_rho", result.rho)
    assert_reference("bb_lirat_ll", result.log_likelihood)
    by_group = beta_binomial_regression(live, born, np.column_stack([group == level for level in (2, 3, 4)]))
    logit_rho = float(np.log(by_group.rho / (1 - by_group.rho)))
    found = (by_group.coefficients[0], logit_rho, *by_group.coefficients[1:])  # the order of VGAM
    for position, value in enumerate(found, start=1):
        assert_reference(f"bb_lirat_grp_{position}", value)
    assert_reference("icc_anova_lirat", intracluster_correlation(live, born))


@pytest.mark.parametrize(
    ("data_set", "key", "event", "columns"),
    [
        ("sex2", "firth_sex2", "case", ("age", "oc", "vic", "vicl", "vis", "dia")),
        ("endometrial", "firth_endom", "HG", ("NV", "PI", "EH")),
    ],
)
def test_separated_data_with_the_penalty_of_firth(
    data_set: str, key: str, event: str, columns: tuple[str, ...]
) -> None:
    data = table(data_set)
    result = firth_logistic(
        numbers(data, event), np.column_stack([numbers(data, name) for name in columns]), names=columns
    )
    checked = 0
    for one in result.coefficients:
        name = f"{key}_{'(Intercept)' if one.name == 'intercept' else one.name}"
        for suffix, value in (
            ("", one.estimate), ("_se", one.standard_error), ("_lo", one.lower), ("_hi", one.upper), ("_p", one.p_value)
        ):  # fmt: skip
            if name + suffix in KEYS:
                assert_reference(name + suffix, value)
                checked += 1
    assert checked == {"sex2": 28, "endometrial": 11}[data_set]


def test_wheeze_of_children_by_estimating_equations() -> None:
    data = table("ohio")
    age, smoke = numbers(data, "age"), numbers(data, "smoke")
    names = ["age", "smoke", "age:smoke"]
    result = gee_logistic(
        numbers(data, "resp"), numbers(data, "id"), np.column_stack([age, smoke, age * smoke]), names=names
    )
    for name, coefficient, error in zip(["(Intercept)", *names], result.coefficients, result.robust, strict=True):
        assert_reference(f"gee_ohio_{name}", coefficient)
        assert_reference(f"gee_ohio_{name}_se", error)
    assert_reference("gee_ohio_alpha", result.correlation)
    assert all(larger > smaller for larger, smaller in zip(result.corrected, result.robust, strict=True))


def test_respiratory_status_by_estimating_equations() -> None:
    data = table("respiratory")
    whose = np.array([f"{center} {one}" for center, one in zip(data["center"], data["id"], strict=True)])
    names = ["center", "treatP", "sex", "age", "baseline"]
    placebo, male = np.array(data["treat"]) == "P", np.array(data["sex"]) == "M"
    covariates = [numbers(data, "center"), placebo, male, numbers(data, "age"), numbers(data, "baseline")]
    result = gee_logistic(numbers(data, "outcome"), whose, np.column_stack(covariates), names=names)
    for name in ("treatP", "baseline", "center"):
        assert_reference(f"gee_resp_{name}", result.coefficients[result.names.index(name)])
        assert_reference(f"gee_resp_{name}_se", result.robust[result.names.index(name)])


def test_depression_before_and_after() -> None:
    """R: wilcox.test(x, y, paired = TRUE, conf.int = TRUE), the data of its help page."""
    x = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    y = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    result = hodges_lehmann_signed_rank(x - y)
    assert_reference("hl_dep", result.estimate)
    assert_reference("hl_dep_lo", result.lower)
    assert_reference("hl_dep_hi", result.upper)
    assert_reference("wsr_dep_p", result.p_value)


@pytest.mark.parametrize("column", ["age", "re74"])
def test_baseline_of_lalonde_in_treated_standard_deviations(column: str) -> None:
    data = table("lalonde")
    values, treated = numbers(data, column), numbers(data, "treat") == 1
    first, second = mean_sd(values[treated]), mean_sd(values[~treated])
    assert first.sd is not None
    assert second.sd is not None
    assert_reference(f"smd_lal_{column}", (first.mean - second.mean) / first.sd)
    pooled = np.sqrt((first.sd**2 + second.sd**2) / 2)
    ours = standardised_difference(values[treated], values[~treated])
    assert_reference(f"smd_lal_{column}", ours * pooled / first.sd)


def test_rule_of_three_for_twelve_women() -> None:
    assert_reference("rule_of_three_0_12", clopper_pearson_upper(0, 12))


def test_inflation_of_a_group_sequential_trial() -> None:
    bounds = hwang_shih_decani(0.025, -4, [1 / 3, 2 / 3, 1])
    fixed = hwang_shih_decani(0.025, -4, [1])
    assert_reference("hsd_infl", (drift_for_power(bounds, 0.8) / drift_for_power(fixed, 0.8)) ** 2)


def test_power_of_fisher_by_enumeration() -> None:
    assert_reference("fisher_power_enum", fisher_power(30, 30, 0.45, 0.2))


def test_size_and_power_of_two_proportions() -> None:
    assert_reference("ss_rates_45_20", two_proportions_size(0.45, 0.2, 0.8))
    assert_reference("ss_rates_40_20", two_proportions_size(0.4, 0.2, 0.8))
    assert_reference("ss_rates_40_20_2to1", two_proportions_size(0.4, 0.2, 0.9, ratio=2))
    assert_reference("ss_gsdesign_40_20", two_proportions_size(0.4, 0.2, 0.8))
    assert_reference("ss_ppt_40_20", two_proportions_size(0.4, 0.2, 0.8) / 2)
    assert_reference("power_n30_45_20", two_proportions_power(30, 30, 0.45, 0.2))


def test_e_values_beyond_the_null() -> None:
    assert_reference("ev_2.5_true1.5", e_value(2.5, true=1.5))
    assert_reference("ev_or_common", e_value(float(np.sqrt(3.13))))
    assert_reference("ev_ci_cross", e_value_of_interval(1.4, 0.9, 2.2))


def test_five_imputations_pooled() -> None:
    """R: mice::pool.scalar(Q, U, n = 60, k = 2)."""
    found = pool([0.12, 0.15, 0.09, 0.14, 0.11], [0.004, 0.0045, 0.0038, 0.0041, 0.0043], complete_freedom=60 - 2)
    assert_reference("rubin_qbar", found.estimate)
    assert_reference("rubin_t", found.variance)
    assert_reference("rubin_df", found.freedom)


def test_survival_with_lung_cancer() -> None:
    data = table("lung")
    time, event = numbers(data, "time"), numbers(data, "status") - 1
    share, error = survival_at(kaplan_meier(time, event), 365)
    assert_reference("km_lung_1y", share)
    assert_reference("km_lung_1y_se", error)
    men = numbers(data, "sex") == 1
    assert_reference("logrank_lung", log_rank(time[men], event[men], time[~men], event[~men]).statistic)


def test_reaction_times_of_the_sleepless() -> None:
    data = table("sleepstudy")
    days = numbers(data, "Days")
    design = np.column_stack([np.ones(days.size), days])
    fit = random_slope_fit(numbers(data, "Reaction"), np.array(data["Subject"]), days, design)
    slope = contrast(fit, [0, 1])
    assert_reference("lmm_sleep_days", slope.estimate)
    assert_reference("lmm_sleep_days_se", slope.standard_error)
    assert_reference("lmm_sleep_reml", -2 * fit.log_likelihood)
    assert_reference("kr_sleep_ddf", slope.freedom)


def test_growth_of_jaws_with_a_free_covariance() -> None:
    """R: gls(distance ~ Sex * factor(age), correlation = corSymm, weights = varIdent); the errors are not adjusted."""
    data = table("orthodont")
    children, ages = sorted(set(data["Subject"])), ["8", "10", "12", "14"]
    row = {key: place for place, key in enumerate(zip(data["Subject"], data["age"], strict=True))}
    distance = numbers(data, "distance")
    values = np.array([[distance[row[child, age]] for age in ages] for child in children])
    female = np.array([data["Sex"][row[child, "8"]] == "Female" for child in children]).astype(float)
    design = np.zeros((len(children), 4, 8))
    design[:, :, 0] = 1
    design[:, 1:, 1:4] = np.eye(3)
    design[:, :, 4] = female[:, None]
    design[:, 1:, 5:] = female[:, None, None] * np.eye(3)
    fit = unstructured_fit(values, design)
    errors = np.sqrt(np.diag(fit.covariance))
    for name, position in (("SexFemale", 4), ("SexFemale:factor(age)14", 7)):
        assert_reference(f"mmrm_orth_{name}", float(fit.coefficients[position]))
        assert_reference(f"mmrm_orth_{name}_se", float(errors[position]))
    assert_reference("mmrm_orth_ll", fit.log_likelihood)
    by_visit = mixed_model_repeated_measures(values, female)
    assert by_visit.visits[0].estimate == pytest.approx(float(fit.coefficients[4]))
    assert by_visit.visits[3].estimate == pytest.approx(float(fit.coefficients[4] + fit.coefficients[7]))


def test_a_cluster_that_is_missing_is_no_cluster() -> None:
    for missing in (float("nan"), None):
        clusters = np.array([1, 1, 2, missing], dtype=object)
        with pytest.raises(ValueError, match="The cluster is missing in row 4"):
            gee_logistic([1, 0, 1, 0], clusters, [[1], [0], [1], [0]])


def test_variances_that_are_lost_beside_the_estimates_are_refused() -> None:
    with pytest.raises(ValueError, match="squared standard errors"):
        pool([0, 1.0], [1e-20, 1e-20])
