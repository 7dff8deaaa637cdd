"""The figures of one arm: proportions, ratios clustered in women, changes, and regression to the mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from trialwright.analysis.results import Estimate, Figure
from trialwright.core.interval import is_point
from trialwright.core.truth import Truth
from trialwright.language.evaluate import evaluate
from trialwright.language.values import Amount, Answer
from trialwright.protocol.document import Endpoint
from trialwright.protocol.estimators import kind_of
from trialwright.protocol.protocol import label
from trialwright.statistics.binomial import Limits, blaker, clopper_pearson, wilson
from trialwright.statistics.clustered import ClusteredRatio, korn_graubard, ratio_logit_t
from trialwright.statistics.means import mean_t
from trialwright.statistics.paired import MOST_EXACT, hodges_lehmann_signed_rank
from trialwright.trial.facts import facts_of
from trialwright.views.cutoff import CutOff
from trialwright.views.endpoints import EndpointRow

CONFIDENCE = 0.95
WOMAN = "woman"


def unit_of_analysis(endpoint: Endpoint) -> str:
    """What an endpoint's figure counts: women, or what is clustered in them."""
    return f"{endpoint.units[1]}, clustered in women" if endpoint.ratio else WOMAN


def figures_of(cut: CutOff, endpoint: str, arm: str, rows: Sequence[EndpointRow]) -> Iterator[Figure]:
    """An endpoint's figure in an arm, and those that stand beside it."""
    document, analysis = cut.protocol.document.endpoints[endpoint], cut.protocol.document.analysis
    kind = kind_of(document)
    named = [analysis.methods[endpoint], *analysis.sensitivity.get(endpoint, ())]
    described = [name for name in named if name in ONE_ARM[kind]] or [_USUAL[kind]]
    for place, name in enumerate(described):
        yield _figure(cut, endpoint, arm, rows, name, "" if place == 0 else f".{name}")
    if kind == "ratio":
        yield from _per_woman(cut, endpoint, arm, rows)
    if document.remeasured:
        yield _regression(cut, endpoint, arm, rows)


def _figure(cut: CutOff, endpoint: str, arm: str, rows: Sequence[EndpointRow], method: str, suffix: str) -> Figure:
    document = cut.protocol.document.endpoints[endpoint]
    kind = kind_of(document)
    made = ONE_ARM[kind][method](rows, document.unknown)
    still_open = sum(1 for row in rows if row.still_open)
    if kind == "proportion":
        yes, known, missing, still_open = counts(rows, document.unknown)
        numerator, denominator = float(yes), float(known)
    elif kind == "ratio":
        sums = [(row.first, row.second) for row in rows if row.first is not None and row.second is not None]
        numerator, denominator = sum(first for first, _ in sums), sum(second for _, second in sums)
        missing = sum(1 for row in rows if row.first is None or row.second is None)
    else:
        number = sum(1 for row in rows if row.first is not None and row.second is not None)
        numerator, denominator = float(number), float(len(rows))
        missing = len(rows) - number
    units = ("women with both values", "women in the set") if document.change else document.units
    notes = made.notes
    if method == "pooled_clopper_pearson":
        notes = (*notes, f"Pooled on purpose: {cut.protocol.document.analysis.pooled[endpoint]}")
    return Figure(
        f"{endpoint}.{arm}{suffix}", endpoint, label(cut.protocol, endpoint), arm, document.set,
        unit_of_analysis(document), units, numerator, denominator, missing, still_open,
        made.estimate, made.lower, made.upper, CONFIDENCE, made.method, notes, made.scale,
    )  # fmt: skip


def _per_woman(cut: CutOff, endpoint: str, arm: str, rows: Sequence[EndpointRow]) -> Iterator[Figure]:
    """The mean of the women's own ratios: another estimand than the ratio of sums, shown beside it."""
    document = cut.protocol.document.endpoints[endpoint]
    ratios = [row.first / row.second for row in rows if row.first is not None and row.second]
    if any(ratio > 1 for ratio in ratios):
        return
    without = sum(1 for row in rows if row.second == 0)
    missing = sum(1 for row in rows if row.first is None or row.second is None)
    method, notes = "mean of per-woman ratios, t", [f"{without} women have a denominator of zero and no ratio."]
    made = Estimate(None, None, None, method, ("No woman has a denominator above zero.",))
    if ratios:
        found = mean_t(np.array(ratios), CONFIDENCE)
        if found.lower is not None and found.upper is not None and not 0 <= found.lower <= found.upper <= 1:
            notes.append("With so few women the limits of t go beyond what a ratio can be: read the ratio of sums.")
        made = Estimate(found.mean, found.lower, found.upper, method, (*notes, *found.warnings))
    yield Figure(
        f"{endpoint}.{arm}.per_woman", endpoint, f"{label(cut.protocol, endpoint)}, mean of women's ratios", arm,
        document.set, WOMAN, ("women with a ratio", "women in the set"), float(len(ratios)), float(len(rows)),
        missing, sum(1 for row in rows if row.still_open),
        made.estimate, made.lower, made.upper, CONFIDENCE, made.method, made.notes,
    )  # fmt: skip


def _regression(cut: CutOff, endpoint: str, arm: str, rows: Sequence[EndpointRow]) -> Figure:
    """What lies between the value at screening and the one measured again before anything was given."""
    document = cut.protocol.document.endpoints[endpoint]
    differences = []
    for row in rows:
        facts = facts_of(cut.protocol, cut.participants[row.participant])
        values = [
            evaluate(cut.protocol.rules[f"endpoints.{endpoint}.remeasured.{index}"], facts, cut.when).value
            for index in (0, 1)
        ]
        amounts = [one for one in values if isinstance(one, Amount)]
        if len(amounts) == 2 and all(one.undefined is Truth.NO and is_point(one.interval) for one in amounts):
            differences.append(float(amounts[0].interval.low) - float(amounts[1].interval.low))
    made = _hodges_lehmann(differences)
    return Figure(
        f"{endpoint}.{arm}.regression_to_the_mean", endpoint,
        f"{label(cut.protocol, endpoint)}: regression to the mean, measured again before treatment", arm,
        document.set, WOMAN, ("women measured twice before treatment", "women in the set"), float(len(differences)),
        float(len(rows)), len(rows) - len(differences), 0,
        made.estimate, made.lower, made.upper, CONFIDENCE, made.method, made.notes, made.scale,
    )  # fmt: skip


def counts(rows: Sequence[EndpointRow], unknown: str) -> tuple[int, int, int, int]:
    """Yes, known, missing and still open among the rows of a proportion."""
    answers = [row.value.truth for row in rows if isinstance(row.value, Answer)]
    yes = sum(1 for one in answers if one is Truth.YES)
    undecided = sum(1 for one in answers if one is Truth.UNKNOWN)
    if unknown == "no event so far":
        return yes, len(answers), 0, undecided
    return yes, len(answers) - undecided, undecided, 0


# ---------------------------------------------------------------- estimators


def _proportion(
    method: str, estimator: Callable[[int, int, float], Limits]
) -> Callable[[Sequence[EndpointRow], str], Estimate]:
    def found(rows: Sequence[EndpointRow], unknown: str) -> Estimate:
        yes, known, _, _ = counts(rows, unknown)
        if known == 0:
            return Estimate(None, None, None, method, ("Nobody's answer is known yet.",))
        limits = estimator(yes, known, CONFIDENCE)
        return Estimate(yes / known, limits.lower, limits.upper, method)

    return found


def _ratio(
    method: str, estimator: Callable[[npt.ArrayLike, npt.ArrayLike, float], ClusteredRatio]
) -> Callable[[Sequence[EndpointRow], str], Estimate]:
    def found(rows: Sequence[EndpointRow], _: str) -> Estimate:
        pairs = [(row.first, row.second) for row in rows if row.first is not None and row.second]
        if not pairs:
            return Estimate(None, None, None, method, ("No woman has a denominator above zero.",))
        numerators, denominators = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
        if any(numerators > denominators):
            ratio = float(numerators.sum() / denominators.sum())
            note = "Some women have more of the first than of the second: a mean, not a proportion, without limits."
            return Estimate(ratio, None, None, "ratio of sums", (note,), "ratio")
        made = estimator(numerators, denominators, CONFIDENCE)
        return Estimate(made.estimate, made.lower, made.upper, method, made.warnings)

    return found


def _pooled(rows: Sequence[EndpointRow], _: str) -> Estimate:
    """All units as if each were a woman of her own: only where the protocol says why."""
    pairs = [(row.first, row.second) for row in rows if row.first is not None and row.second]
    x, n = (round(sum(side)) for side in zip(*pairs, strict=True)) if pairs else (0, 0)
    if n == 0:
        return Estimate(None, None, None, "pooled, Clopper-Pearson", ("No woman has a denominator above zero.",))
    limits = clopper_pearson(x, n, CONFIDENCE)
    note = "Clusters are ignored: the interval is too narrow."
    return Estimate(x / n, limits.lower, limits.upper, "pooled, Clopper-Pearson", (note,))


def _change(rows: Sequence[EndpointRow], _: str) -> Estimate:
    return _hodges_lehmann([row.first - row.second for row in rows if row.first is not None and row.second is not None])


def _hodges_lehmann(differences: Sequence[float]) -> Estimate:
    method = "Hodges-Lehmann, exact signed-rank"
    if not differences:
        return Estimate(None, None, None, method, ("Nobody has both values yet.",), "change")
    made = hodges_lehmann_signed_rank(np.array(differences), CONFIDENCE)
    if not made.exact:
        method = f"Hodges-Lehmann, signed-rank taken as normal beyond {MOST_EXACT} pairs"
    return Estimate(made.estimate, made.lower, made.upper, method, made.warnings, "change")


ONE_ARM: dict[str, dict[str, Callable[[Sequence[EndpointRow], str], Estimate]]] = {
    "proportion": {
        "clopper_pearson": _proportion("Clopper-Pearson", clopper_pearson),
        "wilson": _proportion("Wilson score", wilson),
        "blaker": _proportion("Blaker exact", blaker),
    },
    "ratio": {
        "ratio_logit_t": _ratio("ratio of sums, logit, t with clusters - 1", ratio_logit_t),
        "korn_graubard": _ratio("ratio of sums, Korn-Graubard", korn_graubard),
        "pooled_clopper_pearson": _pooled,
    },
    "change": {"hodges_lehmann": _change},
}
#: By what an endpoint is described arm by arm where only comparisons are named.
_USUAL = {"proportion": "clopper_pearson", "ratio": "ratio_logit_t", "change": "hodges_lehmann"}
