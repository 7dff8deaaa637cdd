"""The tables of results: estimates per arm, arms compared, ratios woman by woman, safety."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from trialwright.analysis.comparisons import MEASURES
from trialwright.analysis.results import Figure
from trialwright.protocol.protocol import label
from trialwright.render.table import Column, table
from trialwright.report.figures import arm_label
from trialwright.report.numbers import count, decimal, estimate, limits, percent, words
from trialwright.report.study import Study
from trialwright.statistics.binomial import clopper_pearson_upper
from trialwright.views.endpoints import endpoint_table


def estimates(study: Study, figures: Sequence[Figure], caption: str) -> str:
    """One line per figure, with numerator, denominator, unit of analysis, set and method."""
    protocol = study.cut.protocol
    columns = [
        Column("endpoint", "Endpoint"),
        Column("arm", "Arm"),
        Column("fraction", "Numerator / denominator", "right"),
        Column("estimate", "Estimate", "right"),
        Column("limits", "95 % interval", "right"),
        Column("missing", "Missing", "right"),
        Column("unit", "Unit of analysis, set"),
        Column("method", "Method"),
    ]
    rows = [
        {
            "endpoint": one.label,
            "arm": arm_label(protocol, one.arm),
            "fraction": f"{count(one.numerator)} / {count(one.denominator)}",
            "estimate": estimate(one),
            "limits": limits(one),
            "missing": one.missing,
            "unit": f"{one.unit_of_analysis}; {words(one.set)}",
            "method": one.method,
        }
        for one in figures
    ]
    definitions = []
    for name in dict.fromkeys(one.endpoint for one in figures):
        document = protocol.document.endpoints[name]
        counted = "women with both values over women in the set" if document.change else " over ".join(document.units)
        definitions.append(f"{label(protocol, name)}: {counted}. {document.definition}".strip())
    notes = [*definitions, *_notes(study, figures), f"Figure ids for `trialwright why`: {_ids(figures)}."]
    return table(columns, rows, caption, notes)


def comparisons(study: Study, figures: Sequence[Figure]) -> str:
    """A table per endpoint: the planned estimate of the difference between arms above its sensitivity analyses."""
    groups: dict[str, list[Figure]] = {}
    for one in figures:
        groups.setdefault(one.endpoint, []).append(one)
    return "".join(_comparison(study, group) for group in groups.values())


def _comparison(study: Study, figures: Sequence[Figure]) -> str:
    columns = [
        Column("method", "Estimator"),
        Column("measure", "Measure"),
        Column("women", "Women with the outcome / women", "right"),
        Column("estimate", "Estimate", "right"),
        Column("limits", "95 % interval", "right"),
        Column("p", "p", "right"),
        Column("missing", "Missing", "right"),
    ]
    first = figures[0]
    change = bool(study.cut.protocol.document.endpoints[first.endpoint].change)
    rows = [
        {
            "method": one.method,
            "measure": "mean difference" if change and one.scale == "difference" else MEASURES[one.scale],
            "women": f"{count(one.numerator)} / {count(one.denominator)}",
            "estimate": estimate(one),
            "limits": limits(one),
            "p": _p(one),
            "missing": one.missing,
        }
        for one in figures
    ]
    protocol = study.cut.protocol
    caption = f"{label(protocol, first.endpoint)}: {arm_label(protocol, first.arm)}; set {words(first.set)}"
    purpose = [
        "The first line is the planned analysis; overlap weights speak of women who could have come into either arm."
    ]
    if len(figures) > 1:
        purpose.append(
            "The others are sensitivity analyses, some of other populations; what is unadjusted compares women who "
            "were not randomised."
        )
    return table(columns, rows, caption, [*purpose, *_notes(study, figures), f"Figure ids: {_ids(figures)}."])


def _p(one: Figure) -> str:
    if one.p_value is None:
        return "–"
    told = "< 0.001" if one.p_value < 0.001 else f"{one.p_value:.3f}"
    return told if one.adjusted_p is None else f"{told}; adjusted {one.adjusted_p:.3f}"


def _notes(study: Study, figures: Iterable[Figure]) -> list[str]:
    found: dict[str, list[str]] = {}
    for one in figures:
        for note in one.notes:
            where = one.label if one.arm not in study.cut.protocol.document.arms else f"{one.label}, {one.arm}"
            found.setdefault(note, []).append(where)
        if one.still_open:
            text = "More may still come: lists are open for some women"
            found.setdefault(text, []).append(f"{one.label}, {one.arm}: {one.still_open}")
    return [f"{note} ({'; '.join(dict.fromkeys(where))})" for note, where in found.items()]


def _ids(figures: Iterable[Figure]) -> str:
    return ", ".join(one.id for one in figures)


def safety_endpoints(study: Study) -> set[str]:
    """The endpoints of which an unknown answer means that no event has happened so far."""
    endpoints = study.cut.protocol.document.endpoints
    return {name for name, one in endpoints.items() if one.unknown == "no event so far"}


def safety(study: Study) -> str:
    """Women with events, with exact limits, and the events by term."""
    protocol, policy = study.cut.protocol, study.cut.protocol.document.safety
    columns = [
        Column("event", "Event"),
        Column("arm", "Arm"),
        Column("fraction", "Women with / women", "right"),
        Column("share", "Share", "right"),
        Column("limits", "95 % interval", "right"),
        Column("method", "Method"),
        Column("upper", "Upper 95 % limit, one-sided, Clopper-Pearson", "right"),
        Column("open", "Not yet followed to the end", "right"),
        Column("set", "Set"),
    ]
    figures = [one for one in study.analysis.figures if one.endpoint in safety_endpoints(study)]
    rows = [
        {
            "event": one.label,
            "arm": arm_label(protocol, one.arm),
            "fraction": f"{count(one.numerator)} / {count(one.denominator)}",
            "share": percent(one.estimate),
            "limits": limits(one),
            "method": one.method,
            "upper": percent(clopper_pearson_upper(round(one.numerator), round(one.denominator))),
            "open": one.still_open,
            "set": words(one.set),
        }
        for one in figures
        if one.denominator
    ]
    notes = [
        "Unit of analysis: the woman. Without an event among n women, a true rate up to the one-sided limit is still "
        "compatible with the data.",
        f"Collected: {policy.collected}; graded by {policy.grading}. Not serious by themselves: "
        f"{'; '.join(policy.not_serious) or 'nothing named'}.",
        f"Figure ids: {_ids(figures)}.",
    ]
    terms: Counter[tuple[str, str]] = Counter()
    women: dict[tuple[str, str], set[str]] = {}
    for row in study.adverse_events:
        key = (row.arm, row.term)
        terms[key] += 1
        women.setdefault(key, set()).add(row.participant)
    listed = [
        {
            "term": words(term),
            "arm": arm_label(protocol, arm) if arm else "not allocated",
            "women": len(women[arm, term]),
            "events": number,
            "grades": _grades(study, arm, term),
        }
        for (arm, term), number in sorted(terms.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    by_term = [
        Column("term", "Term"),
        Column("arm", "Arm"),
        Column("women", "Women", "right"),
        Column("events", "Events", "right"),
        Column("grades", "Grade: events"),
    ]
    return table(columns, rows, "Women with events", notes) + table(by_term, listed, "Adverse events by term")


def _grades(study: Study, arm: str, term: str) -> str:
    grades = Counter(row.grade for row in study.adverse_events if (row.arm, row.term) == (arm, term))
    return ", ".join(f"{grade}: {number}" for grade, number in sorted(grades.items()))


def woman_by_woman(study: Study, endpoint: str) -> str:
    """Numerator, denominator and ratio of every woman of the set; no ratio where the denominator is zero."""
    document = study.cut.protocol.document.endpoints[endpoint]
    columns = [
        Column("participant", "Participant"),
        Column("arm", "Arm"),
        Column("first", document.units[0].capitalize(), "right"),
        Column("second", document.units[1].capitalize(), "right"),
        Column("ratio", "Ratio", "right"),
    ]
    rows = [
        {
            "participant": row.participant,
            "arm": arm_label(study.cut.protocol, row.arm or "all"),
            "first": "unknown" if row.first is None else count(row.first),
            "second": "unknown" if row.second is None else count(row.second),
            "ratio": decimal(row.first / row.second) if row.first is not None and row.second else "undefined",
        }
        for row in endpoint_table(study.cut, endpoint)
    ]
    return table(columns, rows, f"{label(study.cut.protocol, endpoint)}, woman by woman; set {words(document.set)}")
