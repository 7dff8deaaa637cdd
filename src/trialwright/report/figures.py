"""The figures of a report, each an SVG under the name of its file."""

from __future__ import annotations

from collections.abc import Sequence

from trialwright.analysis.results import AGAINST, is_planned
from trialwright.core.partial_date import partial_date
from trialwright.language.values import Amount
from trialwright.protocol.protocol import Protocol, label
from trialwright.render.charts import (
    ForestRow,
    LoveRow,
    before_after,
    boundary_course,
    cumulative,
    forest,
    love,
    stacked_counts,
)
from trialwright.render.flow import FlowBox, FlowDiagram, flow_diagram
from trialwright.render.shares import funnel, mirrored
from trialwright.report.board import Board
from trialwright.report.marks import watermark_of
from trialwright.report.numbers import words
from trialwright.report.study import Study
from trialwright.views.alerts import BoundaryView
from trialwright.views.cutoff import ALL
from trialwright.views.endpoints import endpoint_table

#: Reasons shown in the flow diagram one by one; the rest are in the screening table.
_MOST_REASONS = 8


def figures(study: Study, board: Board) -> dict[str, str]:
    """Every figure that the trial has: flow, enrolment, balance, overlap, estimates, changes, ratios, boundary."""
    watermark = watermark_of(study)
    drawn = {"flow.svg": flow_diagram(_flow(study), watermark=watermark), "enrolment.svg": _enrolment(study, watermark)}
    if study.analysis.comparisons:
        drawn["forest.svg"] = _forest(study, watermark)
        drawn["love.svg"] = _love(study, watermark)
    if study.analysis.weights is not None:
        drawn["overlap.svg"] = _overlap(study, watermark)
    if study.analysis.funnel:
        drawn["funnel.svg"] = _funnel(study, watermark)
    if board.boundary is not None:
        drawn["boundary.svg"] = boundary_figure(board)
    document = study.cut.protocol.document
    for name, endpoint in document.endpoints.items():
        if endpoint.change:
            drawn[f"{name}.svg"] = _change(study, name, watermark)
    if any(endpoint.ratio for endpoint in document.endpoints.values()):
        drawn["ratios.svg"] = _ratios(study, watermark)
    return drawn


def arm_label(protocol: Protocol, arm: str) -> str:
    """How an arm is called, or two that are compared; all women together where the allocation is sealed."""
    if arm == ALL:
        return "All women (allocation sealed)"
    return " − ".join(label(protocol, one) for one in arm.split(AGAINST))


def _flow(study: Study) -> FlowDiagram:
    flow, protocol = study.flow, study.cut.protocol
    reasons = [f"{name}: {count}" for name, count in flow.criteria[:_MOST_REASONS]]
    rest = len(flow.criteria) - _MOST_REASONS
    if rest > 0:
        reasons.append(f"{rest} other criteria: {sum(count for _, count in flow.criteria[_MOST_REASONS:])}")
    others = [f"{reason} (n = {count})" for reason, count in flow.other_reasons]
    waiting = (f"Still in screening (n = {flow.still_in_screening})",) if flow.still_in_screening else ()
    excluded = FlowBox(
        f"Not enrolled (n = {flow.not_enrolled})",
        (f"Not eligible (n = {flow.not_eligible}), by criterion, several per woman possible:", *reasons, *others),
    )
    arms = []
    for arm in flow.arms:
        received = tuple(f"{label(protocol, name)}: {count}" for name, count in arm.received)
        left = tuple(f"{reason[:1].upper()}{reason[1:]}: {count}" for reason, count in arm.left) or (
            "None left the trial",
        )
        outside = arm.allocated - arm.analysed - arm.missing
        name = words(protocol.document.endpoints[flow.endpoint].set)
        analysed = (
            f"{label(protocol, flow.endpoint)}.",
            *([f"Not in the set “{name}”: {outside}"] if outside else []),
            f"Outcome not known: {arm.missing}",
        )
        arms.append(
            (
                arm_label(protocol, arm.arm),
                (
                    FlowBox(f"Allocated (n = {arm.allocated})", ("Received:", *received)),
                    FlowBox(f"Left (n = {sum(count for _, count in arm.left)})", left),
                    FlowBox(f"Analysed (n = {arm.analysed})", analysed),
                ),
            )
        )
    enrolment = (
        FlowBox(f"Screened (n = {flow.screened})", waiting),
        FlowBox(f"Enrolled (n = {flow.enrolled})", (f"of {protocol.document.design.enrolment} planned",)),
    )
    return FlowDiagram(enrolment, excluded, tuple(arms))


def _enrolment(study: Study, watermark: str) -> str:
    days = sorted(row.screened for row in study.screening)
    enrolled = sorted(one.enrolled for one in study.cut.participants.values() if one.enrolled)
    if not days:
        return cumulative({}, "Screening and enrolment", "", "", watermark=watermark)
    start = _day(days[0])
    groups = {
        name: [(_day(day) - start) / 7 for day in listed]
        for name, listed in (("Screened", days), ("Enrolled", enrolled))
    }
    target = study.cut.protocol.document.design.enrolment
    weeks = "weeks since the first woman was screened (dashed: planned enrolment)"
    return cumulative(groups, "Screening and enrolment", weeks, "women, cumulative", target, watermark=watermark)


def _day(text: str) -> int:
    return partial_date(text).earliest.toordinal()


def _forest(study: Study, watermark: str) -> str:
    """The primary estimate and every sensitivity analysis of it that is a difference of risks."""
    endpoint = study.analysis.comparisons[0].endpoint
    shown = [one for one in study.analysis.comparisons if one.endpoint == endpoint and one.scale == "difference"]
    rows = [
        ForestRow(
            one.method.partition(",")[0], one.estimate, one.lower, one.upper,
            f"{one.numerator:.0f} of {one.denominator:.0f} women",
        )
        for one in shown
    ]  # fmt: skip
    title = f"{label(study.cut.protocol, endpoint)}: risk difference, {arm_label(study.cut.protocol, shown[0].arm)}"
    return forest(rows, title, "risk difference with 95 % interval", watermark=watermark)


def _love(study: Study, watermark: str) -> str:
    rows = [
        LoveRow(row.label, row.difference, row.difference_weighted)
        for row in study.analysis.baseline
        if row.difference is not None
    ]
    return love(rows, "Standardised differences before and after overlap weighting", watermark=watermark)


def _overlap(study: Study, watermark: str) -> str:
    weights = study.analysis.weights
    assert weights is not None, "drawn only where there are weights"
    groups = {
        arm_label(study.cut.protocol, arm): [e for _, of, e, _ in weights.women if of == arm]
        for arm in weights.effective
    }
    return mirrored(
        groups, "Overlap of the arms", "propensity to receive the experimental treatment", watermark=watermark
    )


def _funnel(study: Study, watermark: str) -> str:
    steps: dict[str, dict[str, int]] = {}
    for row in study.analysis.funnel:
        steps.setdefault(row.label, {})[arm_label(study.cut.protocol, row.arm)] = round(row.count)
    return funnel(list(steps.items()), "From what was retrieved to what was born", watermark=watermark)


def boundary_figure(board: Board) -> str:
    """Women with an event that counts after each woman treated, against how many pause the trial."""
    assert board.boundary is not None, "drawn only where the protocol has a boundary"
    return boundary_drawing(board.boundary, board.pause_at, watermark_of(board.study))


def boundary_drawing(told: BoundaryView, pause_at: Sequence[int | None], watermark: str) -> str:
    """The same of a boundary that is at hand; `pause_at` says for every number treated how many pause the trial."""
    return boundary_course(
        [step.women for step in told.steps],
        pause_at,
        "Women with an event that counts, and how many pause the trial",
        "women treated",
        "women with an event that counts",
        watermark=watermark,
    )


def _change(study: Study, endpoint: str, watermark: str) -> str:
    protocol = study.cut.protocol
    groups: dict[str, list[tuple[float, float]]] = {}
    for row in endpoint_table(study.cut, endpoint):
        if row.first is not None and row.second is not None and isinstance(row.value, Amount):
            name = arm_label(protocol, row.arm or ALL)
            groups.setdefault(name, []).append((row.second, row.first))
    title = label(protocol, endpoint)
    return before_after(
        dict(sorted(groups.items())), title, protocol.document.endpoints[endpoint].units[0], watermark=watermark
    )


def _ratios(study: Study, watermark: str) -> str:
    protocol = study.cut.protocol
    rows = []
    for one in study.analysis.figures:
        endpoint = protocol.document.endpoints[one.endpoint]
        if endpoint.ratio and is_planned(one) and one.numerator <= one.denominator:
            arm = f", {arm_label(protocol, one.arm)}" if len(study.flow.arms) > 1 else ""
            counts = {
                "numerator": round(one.numerator),
                "rest of the denominator": round(one.denominator - one.numerator),
            }
            rows.append((f"{one.label}{arm}", counts))
    return stacked_counts(rows, "Counted ratios", watermark=watermark)
