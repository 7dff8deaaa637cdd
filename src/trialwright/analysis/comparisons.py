"""Two arms compared: the primary estimate and each sensitivity analysis, by the name that the protocol gives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from trialwright.analysis.estimates import CONFIDENCE, WOMAN, counts
from trialwright.analysis.results import Estimate, Figure, Scale
from trialwright.core.truth import Truth
from trialwright.language.evaluate import evaluate
from trialwright.language.values import Amount, Answer
from trialwright.protocol.document import Endpoint
from trialwright.protocol.estimators import ESTIMATORS, kind_of
from trialwright.protocol.protocol import label
from trialwright.statistics.arguments import Floats
from trialwright.statistics.augmented import AdjustedDifference, augmented_overlap_difference
from trialwright.statistics.exact_comparison import boschloo
from trialwright.statistics.firth import firth_logistic
from trialwright.statistics.overlap import overlap_weighted_difference
from trialwright.statistics.populations import ate_weighted_difference, att_weighted_difference
from trialwright.statistics.sensitivity import e_value, e_value_of_interval, tipping_point
from trialwright.statistics.standardisation import g_computation_difference
from trialwright.statistics.two_proportions import RiskDifference, miettinen_nurminen, newcombe
from trialwright.statistics.weighted_ratio import weighted_risk_ratio
from trialwright.statistics.weighting import WeightedDifference
from trialwright.trial.facts import anchor_date, facts_of
from trialwright.trial.state import Participant
from trialwright.views.cutoff import ALL, CutOff, arms_shown
from trialwright.views.endpoints import EndpointRow

MEASURES: dict[Scale, str] = {
    "difference": "risk difference", "odds ratio": "odds ratio", "p value": "test", "E-value": "E-value",
    "women": "tipping point",
}  # fmt: skip


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


def is_compared(cut: CutOff) -> bool:
    """Arms are compared where the protocol names two and the reader may see them."""
    return cut.protocol.document.analysis.compare is not None and ALL not in arms_shown(cut)


def compared(cut: CutOff) -> tuple[str, str]:
    """The experimental arm and the control arm."""
    compare = cut.protocol.document.analysis.compare
    assert compare is not None, "arms are compared only where the protocol names them"
    return compare


def difference(cut: CutOff, endpoint: str, rows: Sequence[EndpointRow], method: str) -> Figure:
    """One comparison of the two arms: those without the outcome are missing, never counted as no."""
    document = cut.protocol.document.endpoints[endpoint]
    experimental, control = compared(cut)
    inside = [row for row in rows if row.arm in (experimental, control)]
    pair, uses = _pair(cut, inside, document.unknown), ESTIMATORS[method]
    used = pair if method in _WITH_MISSING else pair.complete(uses.covariates)
    made = _empty(used, uses.says) or _COMPARE[method](used, pair)
    _, _, missing, still_open = counts(inside, document.unknown)
    with_outcome = int(np.nansum(used.outcome)) if kind_of(document) == "proportion" else used.outcome.size
    left_out = len(rows) - int((~np.isnan(used.outcome)).sum())
    return Figure(
        f"{endpoint}.difference.{method}", endpoint, f"{label(cut.protocol, endpoint)}: {_measure(document, made)}",
        f"{experimental} - {control}", document.set, WOMAN, document.units, float(with_outcome),
        float((~np.isnan(used.outcome)).sum()), left_out if uses.covariates else missing, still_open,
        made.estimate, made.lower, made.upper, CONFIDENCE, made.method, made.notes, made.scale, made.p_value,
    )  # fmt: skip


def _measure(endpoint: Endpoint, made: Estimate) -> str:
    return "mean difference" if endpoint.change and made.scale == "difference" else MEASURES[made.scale]


def baseline_value(cut: CutOff, participant: Participant, name: str) -> float | None:
    """A baseline variable at allocation, or None where it is not certain."""
    index = [*cut.protocol.document.analysis.baseline, *cut.protocol.document.analysis.covariates].index(name)
    allocated = anchor_date(cut.protocol, participant, "allocation") or cut.when
    rule = cut.protocol.rules[f"analysis.names.{index}"]
    value = evaluate(rule, facts_of(cut.protocol, participant), allocated).value
    if not isinstance(value, Amount) or value.undefined is not Truth.NO or value.interval.low != value.interval.high:
        return None
    return float(value.interval.low)


def covariates_of(cut: CutOff, participant: Participant) -> list[float] | None:
    """Every covariate at allocation, or None where one is not certain."""
    values = [baseline_value(cut, participant, name) for name in cut.protocol.document.analysis.covariates]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


def _pair(cut: CutOff, rows: Sequence[EndpointRow], unknown: str) -> Pair:
    experimental, _ = compared(cut)
    names = cut.protocol.document.analysis.covariates
    columns = [covariates_of(cut, cut.participants[row.participant]) or [np.nan] * len(names) for row in rows]
    return Pair(
        np.array([_outcome(row, unknown) for row in rows], dtype=float),
        np.array([1.0 if row.arm == experimental else 0.0 for row in rows]),
        np.array(columns, dtype=float).reshape(len(rows), len(names)),
        tuple(label(cut.protocol, name) for name in names),
    )


def _outcome(row: EndpointRow, unknown: str) -> float:
    if isinstance(row.value, Answer):
        if row.value.truth is Truth.UNKNOWN:
            return 0.0 if unknown == "no event so far" else np.nan
        return float(row.value.truth is Truth.YES)
    return np.nan if row.first is None or row.second is None else row.first - row.second


def _empty(pair: Pair, method: str) -> Estimate | None:
    known = ~np.isnan(pair.outcome)
    if known[pair.treated == 1].any() and known[pair.treated == 0].any():
        return None
    return Estimate(None, None, None, method, ("An arm is still empty.",), "difference")


# ---------------------------------------------------------------- estimators


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
        freedom = pair.treated.size - pair.covariates.shape[1] - 1
        p = two_sided(made.estimate, made.standard_error, freedom)
        return Estimate(made.estimate, made.lower, made.upper, says, made.warnings, "difference", p)

    return found


def two_sided(estimate: float, standard_error: float, freedom: int) -> float | None:
    """The two-sided p value of a t statistic; None without a standard error.

    >>> round(two_sided(2.0, 1.0, 10) or 0, 4)
    0.0734
    """
    if standard_error <= 0 or freedom < 1:
        return None
    return float(2 * special.stdtr(freedom, -abs(estimate) / standard_error))


def _boschloo(pair: Pair, _: Pair) -> Estimate:
    p = boschloo(*pair.table())
    return Estimate(None, None, None, "Boschloo exact test, unadjusted", (), "p value", p)


#: What the coefficient of the experimental arm is called.
_ARM = "arm"


def _firth(pair: Pair, _: Pair) -> Estimate:
    says = ESTIMATORS["firth"].says.removeprefix("odds ratio, ")
    try:
        made = firth_logistic(
            pair.outcome, np.column_stack([pair.treated, pair.covariates]), CONFIDENCE, names=(_ARM, *pair.names)
        )
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


def _tipping(pair: Pair, everybody: Pair) -> Estimate:
    """How many of those without an outcome must have had it, or not, before the conclusion changes."""
    says = "tipping point, Miettinen-Nurminen with every outcome of those missing"
    gone = [int(np.isnan(everybody.outcome[everybody.treated == arm]).sum()) for arm in (1, 0)]
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
_COMPARE: dict[str, Callable[[Pair, Pair], Estimate]] = {
    "overlap_weighted_difference": _adjusted("overlap_weighted_difference", overlap_weighted_difference),
    "augmented_overlap": _adjusted("augmented_overlap", augmented_overlap_difference),
    "ipw_ate": _adjusted("ipw_ate", ate_weighted_difference),
    "ipw_att": _adjusted("ipw_att", att_weighted_difference),
    "g_computation": _adjusted("g_computation", g_computation_difference),
    "miettinen_nurminen": _score("Miettinen-Nurminen score, unadjusted", miettinen_nurminen),
    "newcombe": _score("Newcombe hybrid score, unadjusted", newcombe),
    "firth": _firth,
    "boschloo": _boschloo,
    "e_value": _e_value,
    "tipping_point": _tipping,
}
#: What is told of women without an outcome too.
_WITH_MISSING = {"multiple_imputation", "tipping_point"}
