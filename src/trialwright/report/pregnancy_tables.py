"""Pregnancies in the report: the core outcomes per woman allocated, labels side by side, children, and the funnel."""

from __future__ import annotations

from trialwright.render.table import Column, table
from trialwright.report.figures import arm_label
from trialwright.report.numbers import decimal, plural, words
from trialwright.report.study import Study
from trialwright.views.core_outcomes import CoreOutcome
from trialwright.views.cutoff import ALL, arms_shown
from trialwright.views.pregnancies import side_by_side


def core(study: Study) -> str:
    """The core outcome set of infertility trials (COMMIT), an arm per column, denominators beside every number."""
    if not study.core:
        return ""
    arms = arms_shown(study.cut)
    columns = [
        Column("outcome", "Outcome"),
        Column("counts", "Of"),
        *(Column(arm, arm_label(study.cut.protocol, arm), "right") for arm in arms),
    ]
    cells: dict[str, dict[str, object]] = {}
    for row in study.core:
        cell = cells.setdefault(row.outcome, {"outcome": row.outcome, "counts": row.counts})
        cell[row.arm] = _told(row)
    notes = [
        "COMMIT 2020: the core outcome set for infertility trials. Women are counted once, over all women allocated; "
        "twins are one event and two children.",
        "“?” counts those of whom it is not known yet. Median (least to greatest), n known of n.",
        "docs/pregnancy.md says which of these limits were not checked at their source.",
    ]
    return table(columns, list(cells.values()), "Core outcomes", notes)


def _told(row: CoreOutcome) -> str:
    if row.kind == "share":
        return f"{row.yes} / {row.of}" + (f", {row.unknown} ?" if row.unknown else "")
    if row.middle is None:
        return f"none known of {row.of}"
    places = 1 if row.unit == "weeks" else 0
    low, middle, high = (decimal(value, places) for value in (row.least, row.middle, row.greatest))
    return f"{middle} ({low} to {high}) {row.unit}, {row.values} of {row.of}"


def definitions(study: Study) -> str:
    """The same transfers by every definition, so that nobody compares a number with another definition's."""
    arms = arms_shown(study.cut)
    found = {arm: side_by_side([row for row in study.transfers if arm in (ALL, row.arm)]) for arm in arms}
    if not any(found.values()):
        return ""
    columns = [
        Column("definition", "Definition"),
        Column("name", "Outcome"),
        Column("says", "Means"),
        *(Column(arm, arm_label(study.cut.protocol, arm), "right") for arm in arms),
    ]
    cells: dict[tuple[str, str], dict[str, object]] = {}
    for arm, rows in found.items():
        for row in rows:
            cell = cells.setdefault(
                (row.definition, row.name), {"definition": row.definition, "name": row.name, "says": row.says}
            )
            cell[arm] = f"{row.yes} / {row.of}" + (f", {row.unknown} ?" if row.unknown else "")
            cell["some"] = cell.get("some") or row.yes or row.unknown
    shown = [cell for cell in cells.values() if cell["some"]]
    notes = ["Unit: the transfer; several transfers of a woman count each. Outcomes that no transfer had are left out."]
    return table(columns, shown, "Transfers by every definition, side by side", notes)


def funnel_table(study: Study) -> str:
    """The steps of the funnel with their counts, and of how many women more may come."""
    if not study.analysis.funnel:
        return ""
    arms = arms_shown(study.cut)
    columns = [
        Column("step", "Step"),
        *(Column(arm, arm_label(study.cut.protocol, arm), "right") for arm in arms),
    ]
    cells: dict[str, dict[str, object]] = {}
    for row in study.analysis.funnel:
        open_ = f", {plural(row.uncertain, 'woman', 'women')} open" if row.uncertain else ""
        cells.setdefault(row.step, {"step": row.label})[row.arm] = f"{row.count:.0f} of {row.women} women{open_}"
    part = study.cut.protocol.document.analysis.funnel
    assert part is not None, "a protocol with a funnel"
    notes = [f"Counts added up over the women of the set {words(part.set)}; embryos are clustered in women."]
    return table(columns, list(cells.values()), "From what was retrieved to what was born", notes)
