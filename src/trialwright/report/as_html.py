"""The report as one HTML file, laid out like a study report."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup, escape

from trialwright.analysis.results import Figure, is_planned
from trialwright.protocol.protocol import label
from trialwright.render.page import Section, figure, page
from trialwright.render.table import Column, pairs, table
from trialwright.report.board import Board
from trialwright.report.board_exposed import adherence, exposure
from trialwright.report.board_outcomes import children_table
from trialwright.report.board_questions import boundary_sentence
from trialwright.report.board_tables import paragraphs
from trialwright.report.checklist import checklist
from trialwright.report.conduct_tables import assumptions, decisions, deviations, flow, worklist
from trialwright.report.figures import arm_label
from trialwright.report.marks import banner, footer
from trialwright.report.numbers import decimal, estimate, limits, words
from trialwright.report.plan_tables import plan
from trialwright.report.pregnancy_tables import core, definitions, funnel_table
from trialwright.report.result_tables import comparisons, estimates, safety, safety_endpoints, woman_by_woman
from trialwright.report.study import Study
from trialwright.views.cutoff import arms_shown


def report_html(study: Study, figures: Mapping[str, str], board: Board) -> str:
    """The text of `report.html`: self-contained, with the banner of a virtual trial on every printed page."""
    document = study.cut.protocol.document
    sections = [
        Section("synopsis", "Synopsis", _synopsis(study)),
        Section("decisions", "Open questions", decisions(study)),
        Section("plan", "Plan", plan(study)),
        Section("flow", "Participant flow", flow(study, figures)),
        Section("deviations", "Deviations", deviations(study)),
        Section("baseline", "Baseline", _baseline(study, figures)),
        Section("exposure", "Exposure", exposure(board) + adherence(board)),
        Section("primary", "Primary objective", _objectives(study, figures, "primary")),
        Section("secondary", "Secondary objectives", _objectives(study, figures, "secondary")),
        Section("laboratory", "Embryos and pregnancies", _pregnancies(study, figures, board)),
        Section("safety", "Safety", safety(study) + _boundary(figures, board)),
        Section("work", "What is still open", worklist(study)),
        Section("checklist", "Reporting checklist", checklist(study)),
        Section("assumptions", "Assumptions of the protocol", assumptions(study)),
        Section("provenance", "Provenance", _provenance(study)),
    ]
    return page(f"{document.trial}: {document.title}", sections, banner(study), footer(study))


# ---------------------------------------------------------------- sections


def _synopsis(study: Study) -> str:
    document = study.cut.protocol.document
    design = document.design
    rows: list[tuple[str, object]] = [
        ("Title", document.title),
        ("Registry number", document.trial),
        ("Sponsor", document.sponsor.en),
        (
            "Design",
            f"{design.study_type}, {design.intervention_model}, "
            f"allocation {design.allocation}, masking {design.masking}",
        ),
        ("Planned enrolment", f"{design.enrolment} women"),
        ("Arms", Markup("<br>").join(arm.label.en for arm in document.arms.values())),
        ("Protocol", f"version {document.version}, digest {study.cut.protocol.digest}"),
        ("Data cut-off", str(study.cut.today)),
        *([("As known", f"at {study.known}: what was recorded later is left out")] if study.known else []),
        ("Status", f"{study.flow.screened} screened, {study.flow.enrolled} of {design.enrolment} enrolled"),
    ]
    if study.header.kind == "virtual":
        rows.append(("Rehearsal", f"scenario {study.header.scenario}: {study.scenario} Seed {study.header.seed}."))
    return pairs(rows, "The trial") + _headline(study)


def _headline(study: Study) -> str:
    """The primary results in a sentence each, before anything else is read."""
    primary = {row.endpoint for row in study.analysis.plan if row.level == "primary"}
    compared: dict[str, Figure] = {}
    for one in study.analysis.comparisons:
        if one.endpoint in primary:
            compared.setdefault(one.endpoint, one)
    shown = [
        *compared.values(),
        *(one for one in study.analysis.figures if one.endpoint in primary and is_planned(one)),
    ]
    rows = [
        {
            "what": one.label, "arm": arm_label(study.cut.protocol, one.arm),
            "fraction": f"{one.numerator:.0f} / {one.denominator:.0f}", "estimate": estimate(one),
            "limits": limits(one), "unit": f"{one.unit_of_analysis}; {words(one.set)}",
        }
        for one in shown
    ]  # fmt: skip
    columns = [
        Column("what", "Primary endpoint"),
        Column("arm", "Arm"),
        Column("fraction", "Numerator / denominator", "right"),
        Column("estimate", "Estimate", "right"),
        Column("limits", "95 % interval", "right"),
        Column("unit", "Unit of analysis; set"),
    ]
    return table(columns, rows, "Primary results")


def _baseline(study: Study, figures: Mapping[str, str]) -> str:
    protocol = study.cut.protocol
    arms = arms_shown(study.cut)
    compared = any(row.difference is not None for row in study.analysis.baseline)
    columns = [Column("label", "Variable")]
    columns += [Column(arm, arm_label(protocol, arm), "right") for arm in arms]
    if compared:
        columns += [Column("difference", "Std. difference", "right"), Column("weighted", "after weighting", "right")]
    rows = []
    for row in study.analysis.baseline:
        cells: dict[str, object] = {"label": f"{row.label}{f', {row.unit}' if row.unit else ''}"}
        for arm, (number, mean, sd) in row.by_arm.items():
            cells[arm] = f"{decimal(mean, 1)} ± {decimal(sd, 1)} (n = {number})" if number else "–"
        cells["difference"], cells["weighted"] = decimal(row.difference), decimal(row.difference_weighted)
        rows.append(cells)
    first_set = next(iter(protocol.document.analysis.sets))
    notes = [f"Mean ± standard deviation at allocation; analysis set: {first_set}."]
    if compared:
        notes.append(
            "Standardised difference: difference of means over the pooled standard deviation; above 0.1 is usually "
            "called an imbalance. After weighting it is 0 for every variable that the weights are made from."
        )
    captions = {
        "love.svg": "Balance before and after overlap weighting.",
        "overlap.svg": "Could each woman have come into either arm? Propensity to receive the experimental treatment.",
    }
    drawn = "".join(figure(figures[name], caption) for name, caption in captions.items() if name in figures)
    weights = study.analysis.weights
    if weights is not None:
        sizes = ", ".join(f"{arm_label(protocol, arm)} {decimal(n, 1)}" for arm, n in weights.effective.items())
        notes.append(f"Effective number of women after weighting: {sizes}.")
        notes.append(
            "Weights are of all women whose covariates are known; an estimate weights those with an outcome anew."
        )
    return table(columns, rows, "Baseline characteristics", notes) + drawn


def _objectives(study: Study, figures: Mapping[str, str], level: str) -> str:
    document = study.cut.protocol.document
    parts = []
    about_safety = safety_endpoints(study)
    for objective in document.objectives.values():
        if objective.level != level:
            continue
        endpoints = [name for name in objective.endpoints if name not in about_safety]
        elsewhere = "" if endpoints else ' See <a href="#safety">Safety</a>.'
        parts.append(f"<p>{escape(objective.says)}{elsewhere}</p>")
        shown = [one for one in study.analysis.figures if one.endpoint in endpoints]
        if shown:
            parts.append(estimates(study, shown, "Results per arm" if len(study.flow.arms) > 1 else "Results"))
        compared = [one for one in study.analysis.comparisons if one.endpoint in endpoints]
        if compared:
            parts.append(comparisons(study, compared))
            if level == "primary":
                parts.append(figure(figures["forest.svg"], "The primary estimate and its sensitivity analyses."))
        for name in endpoints:
            if f"{name}.svg" in figures:
                parts.append(figure(figures[f"{name}.svg"], f"{label(study.cut.protocol, name)}, woman by woman."))
            if document.endpoints[name].ratio and level == "primary":
                parts.append(woman_by_woman(study, name))
    if level == _ratio_level(study):
        parts.append(figure(figures["ratios.svg"], "Numerator and denominator of every counted ratio."))
    if level == "secondary" and _uncontrolled_changes(study):
        parts.append(
            "<p>Changes are within women and have no comparator: what women were selected on goes back to the mean by "
            "itself. Beside a change stands what came between two values before anything was given.</p>"
        )
    return "".join(parts) or "<p>The protocol names no such objective.</p>"


def _pregnancies(study: Study, figures: Mapping[str, str], board: Board) -> str:
    parts = (
        [figure(figures["funnel.svg"], "From what was retrieved to what was born.")] if "funnel.svg" in figures else []
    )
    parts += [funnel_table(study), core(study), definitions(study)]
    if study.core:
        parts.append(children_table(board))
    return "".join(parts) or "<p>The protocol records no pregnancies.</p>"


def _boundary(figures: Mapping[str, str], board: Board) -> str:
    if board.boundary is None:
        return ""
    said = paragraphs(boundary_sentence(board))
    return said + figure(figures["boundary.svg"], f"Counted: {board.boundary.rule}; unit: the woman.")


def _ratio_level(study: Study) -> str:
    """The level at which the figure of counted ratios is shown: once, where the last of them is reported."""
    document = study.cut.protocol.document
    levels = [
        one.level
        for one in document.objectives.values()
        if any(document.endpoints[name].ratio for name in one.endpoints)
    ]
    return levels[-1] if levels else ""


def _uncontrolled_changes(study: Study) -> bool:
    document = study.cut.protocol.document
    return len(document.arms) == 1 and any(one.change for one in document.endpoints.values())


def _provenance(study: Study) -> str:
    header, point = study.header, study.checkpoint
    rows: list[tuple[str, object]] = [
        ("Ledger", f"{header.kind}, {point.seq} events"),
        ("Checkpoint", f"{point.digest} at event {point.seq}"),
        ("Protocol digest", study.cut.protocol.digest),
        ("Software", f"trialwright {header.software}"),
        (
            "To see what a number rests on",
            Markup("<code>trialwright why ledger.db {}</code>").format(
                study.analysis.figures[0].id if study.analysis.figures else "P-001"
            ),
        ),
        (
            "To check that nothing was changed",
            Markup("<code>trialwright verify ledger.db --against report.json</code>"),
        ),
    ]
    return pairs(rows, "Where this report comes from")
