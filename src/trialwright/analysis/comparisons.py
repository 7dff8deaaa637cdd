"""Two arms compared: the primary estimate and each sensitivity analysis, by the name that the protocol gives it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trialwright.analysis.comparers import COMPARE, WITH_MISSING, Pair
from trialwright.analysis.estimates import CONFIDENCE, WOMAN, counts
from trialwright.analysis.results import AGAINST, Estimate, Figure, Scale
from trialwright.core.truth import Truth
from trialwright.language.evaluate import evaluate
from trialwright.language.values import Amount, Answer
from trialwright.protocol.document import Endpoint
from trialwright.protocol.estimators import ESTIMATORS, kind_of
from trialwright.protocol.protocol import label
from trialwright.trial.facts import anchor_date, facts_of
from trialwright.trial.state import Participant
from trialwright.views.cutoff import ALL, CutOff, arms_shown, once
from trialwright.views.endpoints import EndpointRow

MEASURES: dict[Scale, str] = {
    "difference": "risk difference", "odds ratio": "odds ratio", "p value": "test", "E-value": "E-value",
    "women": "tipping point",
}  # fmt: skip


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
    used = pair if method in WITH_MISSING else pair.complete(uses.covariates)
    made = _empty(used, uses.says) or COMPARE[method](used, pair)
    _, _, missing, still_open = counts(inside, document.unknown)
    with_outcome = int(np.nansum(used.outcome)) if kind_of(document) == "proportion" else used.outcome.size
    left_out = len(inside) - int((~np.isnan(used.outcome)).sum())
    return Figure(
        f"{endpoint}.difference.{method}", endpoint, f"{label(cut.protocol, endpoint)}: {_measure(document, made)}",
        f"{experimental}{AGAINST}{control}", document.set, WOMAN, document.units, float(with_outcome),
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

    def found() -> list[float] | None:
        values = [baseline_value(cut, participant, name) for name in cut.protocol.document.analysis.covariates]
        known = [value for value in values if value is not None]
        return known if len(known) == len(values) else None

    return once(cut, f"covariates of {participant.identity}", found)


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
