"""The estimators that compare two arms, by the name that a protocol gives them: arrays in, an estimate out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from trialwright.analysis.estimates import CONFIDENCE
from trialwright.analysis.results import Estimate
from trialwright.core.second_process import aside
from trialwright.protocol.estimators import ESTIMATORS
from trialwright.statistics.arguments import Floats
from trialwright.statistics.augmented import AdjustedDifference, augmented_overlap_difference
from trialwright.statistics.exact_comparison import boschloo
from trialwright.statistics.firth import firth_logistic
from trialwright.statistics.imputation import impute_and_pool, impute_binary
from trialwright.statistics.overlap import overlap_weighted_difference
from trialwright.statistics.populations import ate_weighted_difference, att_weighted_difference
from trialwright.statistics.sensitivity import e_value, e_value_of_interval, tipping_point
from trialwright.statistics.standardisation import g_computation_difference
from trialwright.statistics.two_proportions import RiskDifference, miettinen_nurminen, newcombe
from trialwright.statistics.weighted_ratio import weighted_risk_ratio
from trialwright.statistics.weighting import WeightedDifference, compared


@dataclass(frozen=True, slots=True)
class Pair:
    """The women of two arms as arrays, in the order of enrolment.

    `outcome` is 1, 0 or a change, and NaN where it is not known; `treated` is 1 in the experimental arm; `covariates`
    has a row per woman, NaN where a value is not certain. `no_event_so_far` and `names` are for sentences.
    """

    outcome: Floats
    treated: Floats
    covariates: Floats
    names: tuple[str, ...]

    def complete(self, covariates: bool) -> Pair:
        """Those with an outcome, and with every covariate where they are asked for."""
        kept = ~np.isnan(self.outcome)
        if covariates:
            kept &= ~np.isnan(self.covariates).any(axis=1)
        return Pair(self.outcome[kept], self.treated[kept], self.covariates[kept], self.names)

    def table(self) -> tuple[int, int, int, int]:
        """Women with the outcome and women, in the experimental arm and in the control arm."""
        first, second = (self.outcome[self.treated == arm] for arm in (1, 0))
        return int(first.sum()), first.size, int(second.sum()), second.size


def _score(
    name: str, estimator: Callable[[int, int, int, int, float], RiskDifference]
) -> Callable[[Pair, Pair], Estimate]:
    def found(pair: Pair, _: Pair) -> Estimate:
        made = estimator(*pair.table(), CONFIDENCE)
        return Estimate(made.estimate, made.lower, made.upper, name, (), "difference")

    return found


def _adjusted(
    method: str, estimator: Callable[..., WeightedDifference | AdjustedDifference]
) -> Callable[[Pair, Pair], Estimate]:
    """An estimator of a difference that adjusts for the covariates; what it refuses is said instead of a number."""
    says = ESTIMATORS[method].says.removeprefix("difference, ")

    def found(pair: Pair, _: Pair) -> Estimate:
        try:
            made = estimator(pair.outcome, pair.treated, pair.covariates, CONFIDENCE, names=pair.names)
        except ValueError as impossible:
            return Estimate(None, None, None, says, (f"Not estimated: {impossible}",), "difference")
        if made.effective_n is not None and min(made.effective_n) < LEAST_EFFECTIVE:
            first, second = made.effective_n
            note = (
                f"The weights leave {first:.1f} and {second:.1f} effective women in the arms: too few to tell how far "
                "the estimate may be off, so there are no limits and no p."
            )
            return Estimate(made.estimate, None, None, says, (*made.warnings, note), "difference")
        p = two_sided(made.estimate, made.standard_error, made.freedom)
        return Estimate(made.estimate, made.lower, made.upper, says, made.warnings, "difference", p)

    return found


#: With fewer women's worth of outcomes in an arm its variance cannot be told.
LEAST_EFFECTIVE = 2.0


def two_sided(estimate: float, standard_error: float, freedom: float) -> float | None:
    """The two-sided p value of a t statistic, of a normal one where `freedom` is infinite; None without an error.

    >>> round(two_sided(2.0, 1.0, 10) or 0, 4), round(two_sided(2.0, 1.0, math.inf) or 0, 4)
    (0.0734, 0.0455)
    """
    if standard_error <= 0:
        return None
    z = -abs(estimate) / standard_error
    return float(2 * (special.ndtr(z) if math.isinf(freedom) else special.stdtr(freedom, z)))


#: Beyond so many women an exact test over every table takes minutes, and says what the score interval says.
_MOST_EXACT = 400
#: Ways in which missing outcomes may have ended, beyond which they are not gone through one by one.
_MOST_WAYS = 10_000


def _boschloo(pair: Pair, _: Pair) -> Estimate:
    if pair.treated.size > _MOST_EXACT:
        note = f"Not computed for more than {_MOST_EXACT} women: read the score interval."
        return Estimate(None, None, None, "Boschloo exact test, unadjusted", (note,), "p value")
    p = aside(boschloo, *pair.table())
    note = "A test of no difference, two-sided: it gives p, and no estimate."
    return Estimate(None, None, None, "Boschloo exact test, unadjusted", (note,), "p value", p)


#: What the coefficient of the experimental arm is called.
_ARM = "arm"


def _firth(pair: Pair, _: Pair) -> Estimate:
    says = ESTIMATORS["firth"].says.removeprefix("odds ratio, ")
    try:
        covariates = np.column_stack([pair.treated, pair.covariates])
        made = aside(firth_logistic, pair.outcome, covariates, CONFIDENCE, names=(_ARM, *pair.names))
    except ValueError as impossible:
        return Estimate(None, None, None, says, (f"Not estimated: {impossible}",), "odds ratio")
    arm = next(one for one in made.coefficients if one.name == _ARM)
    ratio, lower, upper = (float(np.exp(x)) for x in (arm.estimate, arm.lower, arm.upper))
    return Estimate(ratio, lower, upper, says, made.warnings, "odds ratio", arm.p_value)


def _e_value(pair: Pair, _: Pair) -> Estimate:
    """How strong an unmeasured confounder must be to explain the weighted risk ratio, or its interval, away."""
    says = "E-value of the overlap-weighted risk ratio, and of its interval"
    try:
        weighted = overlap_weighted_difference(pair.outcome, pair.treated, pair.covariates, CONFIDENCE)
        ratio = weighted_risk_ratio(weighted)
        point = e_value(ratio.estimate)
        limit = e_value_of_interval(ratio.estimate, ratio.lower, ratio.upper)
    except ValueError as impossible:
        return Estimate(None, None, None, says, (f"Not estimated: {impossible}",), "E-value")
    note = (
        f"Risk ratio {ratio.estimate:.2f} ({ratio.lower:.2f} to {ratio.upper:.2f}). A confounder tied to arm and "
        f"outcome by risk ratios of {point:.2f} each could explain the estimate away, of {limit:.2f} each its interval."
    )
    return Estimate(point, None, None, says, (note,), "E-value")


#: Imputations, and the seed of their dice: the same report whenever it is made.
_IMPUTATIONS, _SEED = 100, 20_260_101


def _imputed(_: Pair, everybody: Pair) -> Estimate:
    """Missing outcomes drawn from what women alike show, weighted as planned each time, and joined."""
    says = ESTIMATORS["multiple_imputation"].says
    there = ~np.isnan(everybody.covariates).any(axis=1)
    outcome, treated, covariates = everybody.outcome[there], everybody.treated[there], everybody.covariates[there]
    gone, without = int(np.isnan(outcome).sum()), int((~there).sum())
    left_out = f" {without} of all women lack a covariate and are left out." if without else ""
    if not gone:
        whose = " of women with every covariate" if without else ""
        note = f"No outcome{whose} is missing: nothing is imputed.{left_out}"
        return Estimate(None, None, None, says, (note,), "difference")

    def weighted(complete: Floats) -> tuple[float, float]:
        found = overlap_weighted_difference(complete, treated, covariates, CONFIDENCE, names=everybody.names)
        return found.estimate, found.standard_error**2

    try:
        made = impute_binary(
            outcome, np.column_stack([treated, covariates]), _IMPUTATIONS, np.random.default_rng(_SEED)
        )
        freedom = compared(made[0], treated, covariates).freedom
        pooled = impute_and_pool(made, weighted, freedom, CONFIDENCE)
    except ValueError as impossible:
        return Estimate(None, None, None, says, (f"Not estimated: {impossible}",), "difference")
    notes = (
        f"{gone} missing outcomes imputed {_IMPUTATIONS} times from arm and covariates, taken as missing at random "
        f"given them; missing information {100 * pooled.missing_information:.0f} %.{left_out}",
    )
    p = two_sided(pooled.estimate, pooled.standard_error, pooled.freedom)
    return Estimate(pooled.estimate, pooled.lower, pooled.upper, says, notes, "difference", p)


def _tipping(pair: Pair, everybody: Pair) -> Estimate:
    """How many of those without an outcome must have had it, or not, before the conclusion changes."""
    says = "tipping point, Miettinen-Nurminen with every outcome of those missing"
    gone = [int(np.isnan(everybody.outcome[everybody.treated == arm]).sum()) for arm in (1, 0)]
    if (gone[0] + 1) * (gone[1] + 1) > _MOST_WAYS:
        note = f"Not computed: {sum(gone)} missing outcomes may have ended in more than {_MOST_WAYS:,} ways."
        return Estimate(None, None, None, says, (note,), "women")
    x1, n1, x2, n2 = pair.complete(False).table()
    found = tipping_point(x1, n1, gone[0], x2, n2, gone[1], CONFIDENCE)
    conclusion = {1: "more in the experimental arm", 0: "no difference shown", -1: "fewer in the experimental arm"}
    if not found.tips:
        note = (
            f"Whatever the {sum(gone)} outcomes that are missing were, the conclusion stays: "
            f"{conclusion[found.observed]}."
        )
        return Estimate(None, None, None, says, (note,), "women")
    first, second = min(found.tips, key=sum)
    note = (
        f"The conclusion ({conclusion[found.observed]}) changes once {first} of {gone[0]} missing in the experimental "
        f"arm and {second} of {gone[1]} in the control arm had the outcome; {len(found.tips)} of {found.estimate.size} "
        "ways in which they may have ended change it."
    )
    return Estimate(float(first + second), None, None, says, (note,), "women")


#: Each takes the women whom it uses, and all women of both arms.
COMPARE: dict[str, Callable[[Pair, Pair], Estimate]] = {
    "overlap_weighted_difference": _adjusted("overlap_weighted_difference", overlap_weighted_difference),
    "augmented_overlap": _adjusted("augmented_overlap", augmented_overlap_difference),
    "ipw_ate": _adjusted("ipw_ate", ate_weighted_difference),
    "ipw_att": _adjusted("ipw_att", att_weighted_difference),
    "g_computation": _adjusted("g_computation", g_computation_difference),
    "miettinen_nurminen": _score("Miettinen-Nurminen score, unadjusted", miettinen_nurminen),
    "newcombe": _score("Newcombe hybrid score, unadjusted", newcombe),
    "firth": _firth,
    "boschloo": _boschloo,
    "multiple_imputation": _imputed,
    "e_value": _e_value,
    "tipping_point": _tipping,
}
#: What is told of women without an outcome too.
WITH_MISSING = {"multiple_imputation", "tipping_point"}
