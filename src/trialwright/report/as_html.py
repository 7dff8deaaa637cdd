"""The report as one HTML file, laid out like a study report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from trialwright.protocol.protocol import label
from trialwright.render.page import Section, figure, page
from trialwright.render.table import Column, table
from trialwright.report.figures import arm_label, watermark_of
from trialwright.report.numbers import decimal
from trialwright.report.result_tables import comparisons, estimates, safety, safety_endpoints, woman_by_woman
from trialwright.report.study import Study
from trialwright.views.cutoff import arms_shown

_MOST_LINES = 60


def report_html(study: Study, figures: Mapping[str, str]) -> str:
    """The text of `report.html`: self-contained, with the banner of a virtual trial on every printed page."""
    document = study.cut.protocol.document
    sections = [
        Section("synopsis", "Synopsis", _synopsis(study)),
        Section("decisions", "Open questions", _decisions(study)),
        Section("flow", "Participant flow", _flow(study, figures)),
        Section("baseline", "Baseline", _baseline(study, figures)),
        Section("primary", "Primary objective", _objectives(study, figures, "primary")),
        Section("secondary", "Secondary objectives", _objectives(study, figures, "secondary")),
        Section("safety", "Safety", safety(study)),
        Section("deviations", "Deviations", _deviations(study)),
        Section("work", "What is still open", _worklist(study)),
        Section("assumptions", "Assumptions of the protocol", _assumptions(study)),
        Section("provenance", "Provenance", _provenance(study)),
    ]
    return page(f"{document.trial}: {document.title}", sections, banner(study), _footer(study))


def banner(study: Study) -> str:
    """What stands on every page: that the data are virtual; nothing for a real trial."""
    mark = watermark_of(study)
    return f"{mark}. No woman was treated or observed; no efficacy may be inferred." if mark else ""


def _footer(study: Study) -> str:
    point = study.checkpoint
    return (
        f"{study.header.trial} · protocol {study.cut.protocol.digest[:12]} · trialwright {study.header.software} · "
        f"data cut-off {study.cut.today} · checkpoint {point.seq}:{point.digest[:16]}"
    )


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
        ("Status", f"{study.flow.screened} screened, {study.flow.enrolled} of {design.enrolment} enrolled"),
    ]
    if study.header.kind == "virtual":
        rows.append(("Rehearsal", f"scenario {study.header.scenario}: {study.scenario} Seed {study.header.seed}."))
    parts = [_pairs(rows, "The trial")]
    for name, one in document.estimands.items():
        events = Markup("<br>").join(f"{event.event}: {event.strategy}" for event in one.intercurrent)
        estimand: list[tuple[str, object]] = [
            ("Endpoint", label(study.cut.protocol, one.endpoint)),
            ("Population", one.population),
            ("Treatment", one.treatment),
            ("Variable", one.variable),
            ("Intercurrent events", events),
            ("Summary", one.summary),
        ]
        parts.append(_pairs(estimand, f"Estimand “{name}”, by the attributes of ICH E9(R1)"))
    return "".join(parts)


def _decisions(study: Study) -> str:
    document = study.cut.protocol.document
    given = [
        {
            "question": name,
            "silent": document.assumptions[name].silent,
            "answer": one.answer,
            "by": f"{one.by}{' (rehearsal.yaml)' if one.from_file else ''}, event {one.event}",
            "blocks": ", ".join(document.assumptions[name].blocks),
        }
        for name, one in study.cut.trial.answers.items()
        if name in document.assumptions
    ]
    unanswered = [
        {"question": name, "silent": one.silent, "answer": "open", "by": one.decides, "blocks": ", ".join(one.blocks)}
        for name, one in document.assumptions.items()
        if not one.choice and name not in study.cut.trial.answers
    ]
    columns = [
        Column("question", "Question"),
        Column("silent", "The record"),
        Column("answer", "Answer"),
        Column("by", "Given by"),
        Column("blocks", "Blocks"),
    ]
    note = ["In a real trial these are decisions of the persons named in the protocol; a rehearsal assumes them."]
    return table(columns, [*given, *unanswered], "Questions that the record leaves open, and their answers", note)


def _assumptions(study: Study) -> str:
    columns = [
        Column("name", "Assumption"),
        Column("silent", "The record"),
        Column("choice", "This protocol"),
        Column("source", "Source"),
    ]
    rows = [
        {"name": name, "silent": one.silent, "choice": one.choice, "source": one.source}
        for name, one in study.cut.protocol.document.assumptions.items()
        if one.choice
    ]
    return table(columns, rows, "Where the record is silent or ambiguous, and what this protocol chose")


def _flow(study: Study, figures: Mapping[str, str]) -> str:
    protocol = study.cut.protocol
    words = {one.name: " ".join(one.quotes) or "(words lost from the record)" for one in protocol.criteria}
    rows = [{"criterion": name, "words": words.get(name, ""), "women": number} for name, number in study.flow.criteria]
    columns = [
        Column("criterion", "Criterion"),
        Column("words", "Words of the record"),
        Column("women", "Women", "right"),
    ]
    caption = f"Criteria that spoke against entry, among {study.flow.not_eligible} women who were not eligible"
    return (
        figure(figures["flow.svg"], "Flow of participants, as TREND and CONSORT ask for it.")
        + figure(figures["enrolment.svg"], "Women screened and enrolled over time.")
        + table(columns, rows, caption, ["A woman counts under every criterion that spoke against her."])
    )


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
    drawn = figure(figures["love.svg"], "Balance before and after overlap weighting.") if "love.svg" in figures else ""
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
            "<p>Changes are within women and have no comparator: women were selected on low values, so that part of a "
            "change is regression to the mean.</p>"
        )
    return "".join(parts) or "<p>The protocol names no such objective.</p>"


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


def _deviations(study: Study) -> str:
    kinds = Counter((row.kind, row.severity) for row in study.deviations)
    summary = [
        {"kind": kind, "severity": severity, "number": number} for (kind, severity), number in sorted(kinds.items())
    ]
    listed = sorted(study.deviations, key=lambda row: (row.severity != "major", row.on))[:_MOST_LINES]
    rows = [
        {
            "participant": row.participant, "on": row.on, "kind": row.kind, "severity": row.severity,
            "says": row.says, "events": ", ".join(map(str, row.events)),
        }
        for row in listed
    ]  # fmt: skip
    left = len(study.deviations) - len(rows)
    notes = ["Decided then beside derived now: a later correction never changes what was decided; it is shown here."]
    if left > 0:
        notes.append(f"{left} more stand in report.json.")
    columns = [
        Column("participant", "Participant"),
        Column("on", "Day"),
        Column("kind", "Kind"),
        Column("severity", "Severity"),
        Column("says", "What happened"),
        Column("events", "Events", "right"),
    ]
    return table(
        [Column("kind", "Kind"), Column("severity", "Severity"), Column("number", "Number", "right")],
        summary,
        "Deviations of enrolled women",
    ) + table(columns, rows, "Deviations, major first", notes)


def _worklist(study: Study) -> str:
    if not study.worklist:
        return "<p>Nothing is due, late or undecided on the day of the cut-off.</p>"
    columns = [
        Column("participant", "Participant"),
        Column("what", "What"),
        Column("standing", "Standing"),
        Column("latest", "End of window"),
        Column("why", "Why"),
    ]
    rows = [
        {
            "participant": row.participant,
            "what": row.what,
            "standing": row.standing,
            "latest": row.latest,
            "why": row.why,
        }
        for row in study.worklist[:_MOST_LINES]
    ]
    left = len(study.worklist) - len(rows)
    return table(columns, rows, "Due, late or undecided", [f"{left} more stand in report.json."] if left > 0 else ())


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
    return _pairs(rows, "Where this report comes from")


def _pairs(rows: Sequence[tuple[str, object]], caption: str) -> str:
    return table(
        [Column("what", ""), Column("value", "")], [{"what": what, "value": value} for what, value in rows], caption
    )
