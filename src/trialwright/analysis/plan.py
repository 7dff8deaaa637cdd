"""The estimand plan: each endpoint of the protocol to the estimator that its analysis section names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from trialwright.analysis.baseline import baseline, weights_of
from trialwright.analysis.comparisons import compared, difference, is_compared
from trialwright.analysis.estimates import WOMAN, figures_of, unit_of_analysis
from trialwright.analysis.results import Analysis, Figure, FunnelRow, PlanRow
from trialwright.core.interval import is_point
from trialwright.core.second_process import aside
from trialwright.core.truth import Truth
from trialwright.language.evaluate import evaluate
from trialwright.language.values import Amount
from trialwright.protocol.estimators import ESTIMATORS
from trialwright.protocol.protocol import Protocol, label
from trialwright.statistics.multiplicity import hochberg, holm, hommel
from trialwright.trial.facts import facts_of
from trialwright.views.analysis_sets import members
from trialwright.views.cutoff import ALL, CutOff, arms_shown, in_arm
from trialwright.views.endpoints import endpoint_table

__all__ = ["WOMAN", "analyse", "plan_of"]


def analyse(cut: CutOff) -> Analysis:
    """Every figure of the analysis section, per arm and compared, as known on the day."""
    analysis = cut.protocol.document.analysis
    figures: list[Figure] = []
    comparisons: list[Figure] = []
    weights = weights_of(cut)
    for endpoint, method in analysis.methods.items():
        rows = endpoint_table(cut, endpoint)
        for arm in arms_shown(cut):
            inside = [row for row in rows if arm in (ALL, row.arm)]
            if inside:  # an arm that cannot reach the set, such as controls among women infused, has no figure
                figures.extend(figures_of(cut, endpoint, arm, inside))
        names = (method, *analysis.sensitivity.get(endpoint, ()))
        for name in names if is_compared(cut) else ():
            if ESTIMATORS[name].compares:
                comparisons.append(difference(cut, endpoint, rows, name))
    plan = plan_of(cut.protocol)
    secondary = {row.endpoint for row in plan if row.level == "secondary"}
    comparisons = adjusted(comparisons, secondary, analysis.multiplicity)
    return Analysis(
        tuple(plan),
        tuple(figures),
        tuple(comparisons),
        baseline(cut, weights),
        weights,
        tuple(_funnel(cut)),
        _notes(cut),
    )


def plan_of(protocol: Protocol) -> list[PlanRow]:
    """What the protocol promises to estimate, endpoint by endpoint in the order of its objectives."""
    document = protocol.document
    levels: dict[str, str] = {}
    for objective in document.objectives.values():
        for name in objective.endpoints:
            levels.setdefault(name, objective.level)
    estimands = {one.endpoint: name for name, one in document.estimands.items()}
    rows = []
    for name in sorted(document.analysis.methods, key=lambda name: (*levels, name).index(name)):
        endpoint, method = document.endpoints[name], document.analysis.methods[name]
        rows.append(
            PlanRow(
                name, label(protocol, name), levels.get(name, "no objective"), estimands.get(name, ""), endpoint.set,
                unit_of_analysis(endpoint), ESTIMATORS[method].says,
                tuple(ESTIMATORS[one].says for one in document.analysis.sensitivity.get(name, ())), endpoint.unknown,
            )
        )  # fmt: skip
    return rows


def adjusted(comparisons: Sequence[Figure], secondary: Collection[str], multiplicity: str) -> list[Figure]:
    """The first comparison of each secondary endpoint with its p value adjusted for their number.

    One without an estimate, or without limits for it, counts among them as p = 1: data that refuse one make the others
    no better. One whose estimator gives limits and never a p does not count, and nothing else stands in for it.
    """
    first: dict[str, Figure] = {}
    for one in comparisons:
        if one.endpoint in secondary:
            first.setdefault(one.endpoint, one)
    family = [one for one in first.values() if one.p_value is not None or one.lower is None]
    if multiplicity == "none" or not family:
        return list(comparisons)
    found = aside(_ADJUST[multiplicity], np.array([1.0 if one.p_value is None else one.p_value for one in family]))
    told = {one.id: float(p) for one, p in zip(family, found, strict=True) if one.p_value is not None}
    return [replace(one, adjusted_p=told.get(one.id)) for one in comparisons]


_ADJUST = {"holm": holm, "hochberg": hochberg, "hommel": hommel}


#: No woman has more of anything that is counted; a rule that says so is wrong, and its answer is not certain.
_MOST_COUNTED = 100_000


def _funnel(cut: CutOff) -> list[FunnelRow]:
    """Each step of the funnel, arm by arm: what is certain so far, and for how many women more may come."""
    part, protocol = cut.protocol.document.analysis.funnel, cut.protocol
    rows = []
    for name, step in part.steps.items() if part else ():
        assert part is not None, "a protocol with a funnel"
        rule = protocol.rules[f"analysis.funnel.steps.{name}.count"]
        for arm in arms_shown(cut):
            women = in_arm(members(cut, part.set), arm)
            values = [evaluate(rule, facts_of(protocol, one), cut.when).value for one in women]
            known = [one for one in values if isinstance(one, Amount) and one.undefined is Truth.NO]
            whole = [one for one in known if 0 <= one.interval.low <= _MOST_COUNTED]
            certain = sum(float(one.interval.low) for one in whole)
            uncertain = len(women) - sum(1 for one in whole if is_point(one.interval))
            rows.append(FunnelRow(name, step.label.en, arm, certain, len(women), uncertain))
    return rows


def _notes(cut: CutOff) -> tuple[str, ...]:
    notes = []
    if cut.protocol.document.allocation.method == "sealed list":
        notes.append("The allocation is sealed: all women are shown together.")
    for endpoint, reason in cut.protocol.document.analysis.pooled.items():
        notes.append(f"{label(cut.protocol, endpoint)} is pooled as if its members were not clustered: {reason}")
    if is_compared(cut):
        experimental, control = compared(cut)
        notes.append(f"Arms are compared as {label(cut.protocol, experimental)} − {label(cut.protocol, control)}.")
    return tuple(notes)
