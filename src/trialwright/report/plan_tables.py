"""What was promised: the plan, estimand by estimand, with its estimators; and who is in which analysis set."""

from __future__ import annotations

from collections import Counter

from markupsafe import Markup

from trialwright.protocol.protocol import label
from trialwright.render.table import Column, pairs, table
from trialwright.report.figures import arm_label
from trialwright.report.numbers import words
from trialwright.report.study import Study
from trialwright.views.cutoff import arms_shown


def plan(study: Study) -> str:
    """Every endpoint to its estimator and sensitivity analyses, and the estimands by the attributes of ICH E9(R1)."""
    columns = [
        Column("level", "Level"),
        Column("endpoint", "Endpoint"),
        Column("set", "Set"),
        Column("unit", "Unit of analysis"),
        Column("estimator", "Estimator"),
        Column("sensitivity", "Sensitivity analyses"),
    ]
    rows = [
        {
            "level": one.level,
            "endpoint": f"{one.label}{f' (estimand “{one.estimand}”)' if one.estimand else ''}",
            "set": words(one.set),
            "unit": one.unit_of_analysis,
            "estimator": one.estimator,
            "sensitivity": Markup("<br>").join(one.sensitivity) or "–",
        }
        for one in study.analysis.plan
    ]
    multiplicity = study.cut.protocol.document.analysis.multiplicity
    notes = [
        "An answer that is still unknown is missing, never no; of adverse events it is “no event so far”.",
        "P values of the secondary comparisons are not adjusted."
        if multiplicity == "none"
        else f"P values of the secondary comparisons are adjusted by {multiplicity.capitalize()}'s method.",
        *study.analysis.notes,
    ]
    estimands = "".join(_estimand(study, name) for name in study.cut.protocol.document.estimands)
    return table(columns, rows, "The plan: what is estimated, in whom, by what", notes) + estimands + _sets(study)


def _estimand(study: Study, name: str) -> str:
    one = study.cut.protocol.document.estimands[name]
    events = Markup("<br>").join(f"{event.event}: {event.strategy}" for event in one.intercurrent)
    rows: list[tuple[str, object]] = [
        ("Endpoint", label(study.cut.protocol, one.endpoint)),
        ("Population", one.population),
        ("Treatment", one.treatment),
        ("Variable", one.variable),
        ("Intercurrent events", events),
        ("Summary", one.summary),
    ]
    return pairs(rows, f"Estimand “{name}”, by the attributes of ICH E9(R1)")


def _sets(study: Study) -> str:
    protocol = study.cut.protocol
    arm_of = {who: one.allocation.arm for who, one in study.cut.participants.items() if one.allocation}
    arms = arms_shown(study.cut)
    columns = [
        Column("set", "Set"),
        *(Column(arm, arm_label(protocol, arm), "right") for arm in arms),
        Column("why", "Left out, of those enrolled"),
    ]
    rows = []
    for name in protocol.document.analysis.sets:
        mine = [row for row in study.sets if row.set == name]
        inside = Counter(arm_of.get(row.participant, "") for row in mine if row.inside)
        why = Counter(reason for row in mine for reason in row.reasons)
        rows.append(
            {
                "set": words(name),
                **{arm: inside[arm] if arm in protocol.document.arms else inside.total() for arm in arms},
                "why": Markup("<br>").join(f"{reason.replace('_', ' ')}: {n}" for reason, n in why.most_common())
                or "nobody",
            }
        )
    return table(columns, rows, "Analysis sets", ["Unit: the woman; several reasons are possible."])
