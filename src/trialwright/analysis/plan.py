"""The estimand plan: each endpoint of the protocol to the estimator that its analysis section names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trialwright.analysis.results import Analysis, BaselineRow, Figure
from trialwright.core.truth import Truth
from trialwright.core.units import COUNT
from trialwright.language.evaluate import evaluate
from trialwright.language.values import Amount, Answer
from trialwright.protocol.protocol import label
from trialwright.statistics.balance import mean_sd, standardised_difference
from trialwright.statistics.binomial import clopper_pearson
from trialwright.statistics.clustered import ratio_logit_t
from trialwright.statistics.means import mean_t
from trialwright.statistics.overlap import WeightedDifference, overlap_weighted_difference
from trialwright.statistics.paired import hodges_lehmann_signed_rank
from trialwright.statistics.two_proportions import RiskDifference, miettinen_nurminen, newcombe
from trialwright.trial.facts import anchor_date, facts_of
from trialwright.trial.state import Participant
from trialwright.views.cutoff import ALL, CutOff, arms_shown, in_arm, members
from trialwright.views.endpoints import EndpointRow, endpoint_table

CONFIDENCE = 0.95
WOMAN = "woman"


def analyse(cut: CutOff) -> Analysis:
    """Every figure of the analysis section, per arm and compared, as known on the day."""
    document = cut.protocol.document
    figures: list[Figure] = []
    comparisons: list[Figure] = []
    weighted: WeightedDifference | None = None
    weighted_women: list[str] = []
    for endpoint, method in document.analysis.methods.items():
        rows = endpoint_table(cut, endpoint)
        for arm in arms_shown(cut):
            inside = [row for row in rows if arm in (ALL, row.arm)]
            if inside:  # an arm that cannot reach the set, such as controls among women infused, has no figure
                figures.append(_figure(cut, endpoint, arm, inside))
                figures.extend(_per_woman(cut, endpoint, arm, inside))
        names = (method, *document.analysis.sensitivity.get(endpoint, ()))
        for name in names if _is_compared(cut) else ():
            if name in _DIFFERENCES:
                comparisons.append(_difference(cut, endpoint, rows, name))
            elif name == "overlap_weighted_difference":
                figure, weighted, weighted_women = _overlap(cut, endpoint, rows)
                comparisons.append(figure)
    baseline = _baseline(cut, weighted, weighted_women)
    return Analysis(tuple(figures), tuple(comparisons), baseline, _notes(cut))


def _is_compared(cut: CutOff) -> bool:
    """Arms are compared where the protocol names two and the reader may see them."""
    return cut.protocol.document.analysis.compare is not None and ALL not in arms_shown(cut)


# ---------------------------------------------------------------- one arm


@dataclass(frozen=True, slots=True)
class _Estimate:
    estimate: float | None
    lower: float | None
    upper: float | None
    method: str
    notes: tuple[str, ...] = ()


def _figure(cut: CutOff, endpoint: str, arm: str, rows: Sequence[EndpointRow]) -> Figure:
    document = cut.protocol.document.endpoints[endpoint]
    if document.proportion:
        yes, known, missing, still_open = counts(rows, document.unknown)
        numerator, denominator, unit = float(yes), float(known), WOMAN
        made = _proportion(yes, known)
    elif document.ratio:
        sums = [(row.first, row.second) for row in rows if row.first is not None and row.second is not None]
        numerator, denominator = sum(first for first, _ in sums), sum(second for _, second in sums)
        missing = sum(1 for row in rows if row.first is None or row.second is None)
        still_open = sum(1 for row in rows if row.still_open)
        unit = f"{document.units[1]}, clustered in women"
        made = _ratio(rows)
    else:
        pairs = [(row.first, row.second) for row in rows if row.first is not None and row.second is not None]
        numerator, denominator, unit = float(len(pairs)), float(len(rows)), WOMAN
        missing, still_open = len(rows) - len(pairs), 0
        made = _change([after - before for after, before in pairs])
    units = ("women with both values", "women in the set") if document.change else document.units
    return Figure(
        f"{endpoint}.{arm}", endpoint, label(cut.protocol, endpoint), arm, document.set, unit, units,
        numerator, denominator, missing, still_open,
        made.estimate, made.lower, made.upper, CONFIDENCE, made.method, made.notes,
    )  # fmt: skip


def _per_woman(cut: CutOff, endpoint: str, arm: str, rows: Sequence[EndpointRow]) -> Iterator[Figure]:
    """The mean of the women's own ratios: another estimand than the ratio of sums, shown beside it."""
    document = cut.protocol.document.endpoints[endpoint]
    ratios = [row.first / row.second for row in rows if row.first is not None and row.second]
    if not document.ratio or any(ratio > 1 for ratio in ratios):
        return
    without = sum(1 for row in rows if row.second == 0)
    missing = sum(1 for row in rows if row.first is None or row.second is None)
    method, notes = "mean of per-woman ratios, t", [f"{without} women have a denominator of zero and no ratio."]
    made = _Estimate(None, None, None, method, ("No woman has a denominator above zero.",))
    if ratios:
        found = mean_t(np.array(ratios), CONFIDENCE)
        made = _Estimate(found.mean, found.lower, found.upper, method, (*notes, *found.warnings))
    yield Figure(
        f"{endpoint}.{arm}.per_woman", endpoint, f"{label(cut.protocol, endpoint)}, mean of women's ratios", arm,
        document.set, WOMAN, ("women with a ratio", "women in the set"), float(len(ratios)), float(len(rows)),
        missing, sum(1 for row in rows if row.still_open),
        made.estimate, made.lower, made.upper, CONFIDENCE, made.method, made.notes,
    )  # fmt: skip


def counts(rows: Sequence[EndpointRow], unknown: str) -> tuple[int, int, int, int]:
    """Yes, known, missing and still open among the rows of a proportion."""
    answers = [row.value.truth for row in rows if isinstance(row.value, Answer)]
    yes = sum(1 for one in answers if one is Truth.YES)
    undecided = sum(1 for one in answers if one is Truth.UNKNOWN)
    if unknown == "no event so far":
        return yes, len(answers), 0, undecided
    return yes, len(answers) - undecided, undecided, 0


def _proportion(yes: int, known: int) -> _Estimate:
    if known == 0:
        return _Estimate(None, None, None, "Clopper-Pearson", ("Nobody's answer is known yet.",))
    limits = clopper_pearson(yes, known, CONFIDENCE)
    return _Estimate(yes / known, limits.lower, limits.upper, "Clopper-Pearson")


def _ratio(rows: Sequence[EndpointRow]) -> _Estimate:
    pairs = [(row.first, row.second) for row in rows if row.first is not None and row.second]
    method = "ratio of sums, logit, t with clusters - 1"
    if not pairs:
        return _Estimate(None, None, None, method, ("No woman has a denominator above zero.",))
    numerators, denominators = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    if any(numerators > denominators):
        ratio = float(numerators.sum() / denominators.sum())
        note = "A mean per cycle, not a proportion; no interval is given here."
        return _Estimate(ratio, None, None, "ratio of sums", (note,))
    made = ratio_logit_t(numerators, denominators, CONFIDENCE)
    return _Estimate(made.estimate, made.lower, made.upper, method, made.warnings)


def _change(differences: Sequence[float]) -> _Estimate:
    method = "Hodges-Lehmann, exact signed-rank"
    if not differences:
        return _Estimate(None, None, None, method, ("Nobody has both values yet.",))
    made = hodges_lehmann_signed_rank(np.array(differences), CONFIDENCE)
    return _Estimate(made.estimate, made.lower, made.upper, method, made.warnings)


# ---------------------------------------------------------------- arms compared

_DIFFERENCES: dict[str, tuple[str, Callable[[int, int, int, int, float], RiskDifference]]] = {
    "miettinen_nurminen": ("Miettinen-Nurminen score, unadjusted", miettinen_nurminen),
    "newcombe": ("Newcombe hybrid score, unadjusted", newcombe),
}


def _difference(cut: CutOff, endpoint: str, rows: Sequence[EndpointRow], method: str) -> Figure:
    document = cut.protocol.document.endpoints[endpoint]
    experimental, control = _compared(cut)
    x1, n1, missing1, open1 = counts([row for row in rows if row.arm == experimental], document.unknown)
    x2, n2, missing2, open2 = counts([row for row in rows if row.arm == control], document.unknown)
    name, estimator = _DIFFERENCES[method]
    made = _Estimate(None, None, None, name, ("An arm is still empty.",))
    if n1 and n2:
        found = estimator(x1, n1, x2, n2, CONFIDENCE)
        made = _Estimate(found.estimate, found.lower, found.upper, name)
    return _comparison(cut, endpoint, method, made, (x1 + x2, n1 + n2), missing1 + missing2, open1 + open2)


def _overlap(
    cut: CutOff, endpoint: str, rows: Sequence[EndpointRow]
) -> tuple[Figure, WeightedDifference | None, list[str]]:
    """The overlap-weighted risk difference among those with outcome and covariates known."""
    experimental, control = _compared(cut)
    names = cut.protocol.document.analysis.covariates
    women, outcomes, arms, covariates = [], [], [], []
    left_out = 0
    for row in rows:
        known = isinstance(row.value, Answer) and row.value.truth is not Truth.UNKNOWN
        values = [baseline_value(cut, cut.participants[row.participant], name) for name in names]
        if not known or any(value is None for value in values) or row.arm not in (experimental, control):
            left_out += 1
            continue
        women.append(row.participant)
        outcomes.append(1.0 if isinstance(row.value, Answer) and row.value.truth is Truth.YES else 0.0)
        arms.append(1.0 if row.arm == experimental else 0.0)
        covariates.append([float(value) for value in values if value is not None])
    method = "overlap weights, sandwich with the estimated propensity score, t(n - p - 1)"
    weighted: WeightedDifference | None = None
    try:
        weighted = overlap_weighted_difference(
            np.array(outcomes), np.array(arms), np.array(covariates).reshape(len(women), len(names)), CONFIDENCE,
            names=[label(cut.protocol, name) for name in names],
        )  # fmt: skip
        made = _Estimate(weighted.estimate, weighted.lower, weighted.upper, method, weighted.warnings)
    except ValueError as impossible:
        made = _Estimate(None, None, None, method, (f"Not estimated: {impossible}",))
    figure = _comparison(
        cut, endpoint, "overlap_weighted_difference", made, (int(sum(outcomes)), len(women)), left_out, 0
    )
    return figure, weighted, women


def _comparison(
    cut: CutOff, endpoint: str, method: str, made: _Estimate, women: tuple[int, int], missing: int, still_open: int
) -> Figure:
    document = cut.protocol.document.endpoints[endpoint]
    experimental, control = _compared(cut)
    return Figure(
        f"{endpoint}.difference.{method}", endpoint, f"{label(cut.protocol, endpoint)}: risk difference",
        f"{experimental} - {control}", document.set, WOMAN, document.units, float(women[0]), float(women[1]),
        missing, still_open, made.estimate, made.lower, made.upper, CONFIDENCE, made.method, made.notes,
    )  # fmt: skip


def _compared(cut: CutOff) -> tuple[str, str]:
    compare = cut.protocol.document.analysis.compare
    assert compare is not None, "arms are compared only where the protocol names them"
    return compare


# ---------------------------------------------------------------- baseline


def baseline_value(cut: CutOff, participant: Participant, name: str) -> float | None:
    """A baseline variable at allocation, or None where it is not certain."""
    index = [*cut.protocol.document.analysis.baseline, *cut.protocol.document.analysis.covariates].index(name)
    allocated = anchor_date(cut.protocol, participant, "allocation") or cut.when
    rule = cut.protocol.rules[f"analysis.names.{index}"]
    value = evaluate(rule, facts_of(cut.protocol, participant), allocated).value
    if not isinstance(value, Amount) or value.undefined is not Truth.NO or value.interval.low != value.interval.high:
        return None
    return float(value.interval.low)


def _baseline(cut: CutOff, weighted: WeightedDifference | None, women: Sequence[str]) -> tuple[BaselineRow, ...]:
    document = cut.protocol.document
    allocated = members(cut, next(iter(document.analysis.sets)))
    weights = dict(zip(women, weighted.weights, strict=True)) if weighted is not None else {}
    rows = []
    for name in document.analysis.baseline:
        by_arm: dict[str, tuple[int, float | None, float | None]] = {}
        values: dict[str, list[tuple[str, float]]] = {}
        for arm in arms_shown(cut):
            values[arm] = [
                (one.identity, value)
                for one in in_arm(allocated, arm)
                if (value := baseline_value(cut, one, name)) is not None
            ]
            told = mean_sd(np.array([value for _, value in values[arm]])) if values[arm] else None
            by_arm[arm] = (len(values[arm]), told.mean if told else None, told.sd if told else None)
        plain = adjusted = None
        if _is_compared(cut):
            experimental, control = _compared(cut)
            plain, adjusted = _imbalance(values[experimental], values[control], weights)
        rows.append(BaselineRow(name, label(cut.protocol, name), _unit(cut, name), by_arm, plain, adjusted))
    return tuple(rows)


def _imbalance(
    one: Sequence[tuple[str, float]], other: Sequence[tuple[str, float]], weights: dict[str, float]
) -> tuple[float | None, float | None]:
    """Standardised differences before and, for the women who were weighted, after weighting."""
    first, second = (np.array([value for _, value in side]) for side in (one, other))
    if len(first) < 2 or len(second) < 2 or (first.std() == 0 and second.std() == 0):
        return None, None
    plain = standardised_difference(first, second)
    inside = [[(value, weights[who]) for who, value in side if who in weights] for side in (one, other)]
    if not weights or min(len(side) for side in inside) < 2:
        return plain, None
    (x, wx), (y, wy) = (tuple(np.array(column) for column in zip(*side, strict=True)) for side in inside)
    return plain, standardised_difference(x, y, wx, wy)


def _unit(cut: CutOff, name: str) -> str:
    if name in cut.protocol.vocabulary.items:
        item = cut.protocol.vocabulary.items[name]
        return "years" if item.kind == "age" else "" if item.unit == COUNT else item.unit.code
    derivation = cut.protocol.vocabulary.derivations[name]
    return derivation.unit.code if derivation.unit else ""


def _notes(cut: CutOff) -> tuple[str, ...]:
    if cut.protocol.document.allocation.method == "sealed list":
        return ("The allocation is sealed: all women are shown together.",)
    return ()
