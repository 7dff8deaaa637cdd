"""The reporting checklist: each item of TREND or CONSORT in our words, where the report meets it, or that it does not.

TREND: Des Jarlais and others 2004, Am J Public Health 94:361. Items are numbered as there; the words are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from trialwright.render.table import Column, table
from trialwright.report.study import Study


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its number, what it asks, the section that answers it, and how far.

    `written` is what a report made from a ledger cannot know: the authors write it. `needs` says when it does not
    apply.
    """

    number: str
    asks: str
    section: str = ""
    standing: Literal["met", "partly", "written"] = "met"
    remark: str = ""
    needs: Callable[[Study], bool] = lambda _: True


def _compares(study: Study) -> bool:
    return bool(study.analysis.comparisons)


TREND = (
    Item("1", "Title and summary say how participants came into arms, and who they are", "synopsis", "partly",
         "the title is that of the registry"),
    Item("2", "Background and theory", standing="written"),
    Item("3", "Eligibility, where and how participants were recruited", "flow", "partly",
         "criteria and numbers; how they were approached is written by the authors"),
    Item("4", "What was given to each arm, by whom, how much, when", "exposure", "partly",
         "what and how much; by whom and when stands in the casebooks"),
    Item("5", "Objectives", "primary"),
    Item("6", "Outcomes, how they were measured", "plan"),
    Item("7", "Sample size, interim looks and stopping", "safety", "partly",
         "enrolment and the safety boundary; the reasons for the size are in the design report"),
    Item("8", "How participants were assigned, and what was done against bias of that", "baseline", "partly",
         "what balances the arms; who decided stands under the assumptions"),
    Item("9", "Masking", "synopsis"),
    Item("10", "Unit of analysis, and how clusters are dealt with", "plan"),
    Item("11", "Statistical methods, for missing data too, and software", "plan", "partly",
         "the software stands under provenance, without its libraries"),
    Item("12", "Flow from screening to analysis, and deviations", "flow",
         remark="deviations have a section of their own"),
    Item("13", "Dates of recruitment and follow-up", "flow"),
    Item("14", "Baseline of each arm", "baseline"),
    Item("15", "Are the arms alike at baseline, and what is done where they are not", "baseline", needs=_compares),
    Item("16", "Numbers analysed, per analysis set", "plan"),
    Item("17", "Each outcome with estimate and interval, whatever its direction", "primary"),
    Item("18", "Further analyses", "secondary"),
    Item("19", "Harms", "safety"),
    Item("20", "Interpretation: bias, imprecision, multiplicity, mechanism", standing="written"),
    Item("21", "To whom the results apply", standing="written"),
    Item("22", "The evidence as a whole", standing="written"),
)  # fmt: skip

_STANDING = {"met": "met", "partly": "partly met", "written": "not met: the authors write it"}


def checklist(study: Study) -> str:
    """The items of the guideline that fits the design, each with the place where the report meets it."""
    randomised = study.cut.protocol.document.design.allocation == "randomised"
    columns = [
        Column("number", "Item", "right"),
        Column("asks", "What it asks"),
        Column("standing", "Standing"),
        Column("where", "Where"),
    ]
    rows = [
        {
            "number": one.number,
            "asks": one.asks,
            "standing": _STANDING[one.standing] if one.needs(study) else "does not apply: one arm",
            "where": Markup('<a href="#{0}">{0}</a>{1}').format(one.section, f"; {one.remark}" if one.remark else "")
            if one.section and one.needs(study)
            else "–",
        }
        for one in TREND
    ]
    notes = ["Items of TREND 2004 in our words; nobody outside has checked this report against them."]
    if randomised:
        notes.append("This trial is randomised: CONSORT 2025 applies, of which this software has no checklist yet.")
    return table(columns, rows, "Reporting checklist (TREND)", notes)
