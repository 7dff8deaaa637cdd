"""Layouts of registry pages beside the shared ones: each writes a truth as one page of text.

They were written after the lexicon, to see how the reader fares elsewhere. What failed at first (bold labels, columns
in another order, HTML on one line) was mended for every page; a heading may be added to the lexicon, never a rule
for one layout. They are development data since then, and no measure of pages that are still unseen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Truth = dict[str, Any]


def _title(word: str | None) -> str:
    """RANDOMIZED as a page for people writes it."""
    return "" if word is None else re.sub(r"(?i)phase(\d)", r"Phase \1", word.replace("_", " ").title())


def _items(truth: Truth) -> Iterator[tuple[str, str]]:
    """Side and words of each criterion."""
    side = ""
    for line in (truth["criteria"] or "").split("\n"):
        if found := re.match(r"^\W*(?:\w+\s+){0,2}?(inclusion|exclusion)\s+criteria\s*:?\s*$", line, re.IGNORECASE):
            side = found[1].lower()
        elif line.strip():
            yield side, re.sub(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+", "", line).strip()


def _side(truth: Truth, side: str) -> list[str]:
    return [words for where, words in _items(truth) if where == side]


def labels(truth: Truth) -> str:
    """Label and value on one line each, lists between semicolons."""
    rows = [
        f"Public title: {truth['title']}",
        f"Scientific title: {truth['official'] or ''}",
        f"Main ID: {truth['nct']}",
        f"Recruitment status: {_title(truth['status'])}",
        f"Study type: {_title(truth['study_type'])}",
        f"Phase: {'/'.join(map(_title, truth['phases'])) or 'N/A'}",
        f"Target sample size: {truth['enrollment']}",
        f"Date of first enrolment: {truth['start'] or ''}",
        f"Completion date: {truth['completion'] or ''}",
        f"Primary sponsor: {truth['sponsor']}",
        f"Health Condition(s) or Problem(s) studied: {'; '.join(truth['conditions'])}",
        "Interventions: " + "; ".join(f"{_title(one['type'])}: {one['name']}" for one in truth["interventions"]),
        f"Allocation: {_title(truth['allocation'])}",
        f"Intervention model: {_title(truth['model'])} Assignment" if truth["model"] else "",
        f"Primary purpose: {_title(truth['purpose'])}",
        f"Masking: {_title(truth['masking'])}",
        f"Age minimum: {truth['min_age'] or 'N/A'}",
        f"Age maximum: {truth['max_age'] or 'N/A'}",
        f"Gender: {_title(truth['sex'])}",
    ]
    return "\n".join(row for row in rows if row)


def new_registry(truth: Truth) -> str:
    """Headings on lines of their own, values below; outcomes in a table with bars."""
    ages = f"{truth['min_age'] or 'N/A'} to {truth['max_age'] or 'N/A'} (Adult)"
    lines = [
        truth["title"],
        f"ClinicalTrials.gov ID {truth['nct']}",
        "Sponsor",
        truth["sponsor"],
        "Last Update Posted",
        truth["updated"],
        "Study Overview",
        "Brief Summary",
        truth["summary"],
        "Detailed Description",
        truth["detail"],
        "Official Title",
        truth["official"] or "",
        "Conditions",
        *truth["conditions"],
        "Intervention / Treatment",
        *(f"{_title(one['type'])}: {one['name']}" for one in truth["interventions"]),
        "Study Start (Actual)",
        truth["start"] or "",
        "Study Completion (Estimated)",
        truth["completion"] or "",
        "Enrollment (Estimated)",
        str(truth["enrollment"]),
        "Study Type",
        _title(truth["study_type"]),
        "Phase",
        *(map(_title, truth["phases"] or ["Not Applicable"])),
        "Participation Criteria",
        "Eligibility Criteria",
        "Inclusion Criteria:",
        "",
        *(f"* {words}" for words in _side(truth, "inclusion")),
        "",
        "Exclusion Criteria:",
        "",
        *(f"* {words}" for words in _side(truth, "exclusion")),
        "Ages Eligible for Study",
        ages,
        "Sexes Eligible for Study",
        _title(truth["sex"]),
        "Accepts Healthy Volunteers",
        "Yes" if truth["healthy"] else "No",
        "Study Plan",
        "Design Details",
        f"Primary Purpose : {_title(truth['purpose'])}",
        f"Allocation : {_title(truth['allocation'])}",
        f"Interventional Model : {_title(truth['model'])} Assignment",
        f"Masking : {_title(truth['masking'])}",
        "What is the study measuring?",
        "Primary Outcome Measures",
        "Outcome Measure | Measure Description | Time Frame",
        *(f"{one['m']} | {one['d']} | {one['t']}" for one in truth["primary"] if "\n" not in one["d"]),
        "Secondary Outcome Measures",
        "Outcome Measure | Measure Description | Time Frame",
        *(f"{one['m']} | {one['d']} | {one['t']}" for one in truth["secondary"] if "\n" not in one["d"]),
    ]
    return "\n".join(lines)


def markdown(truth: Truth) -> str:
    """Headings with signs, labels in bold, numbered outcomes with the time frame in brackets."""
    lines = [
        f"# {truth['title']}",
        "",
        f"**NCT Number:** {truth['nct']}",
        f"**Status:** {_title(truth['status'])}",
        f"**Sponsor:** {truth['sponsor']}",
        f"**Start Date:** {truth['start'] or 'N/A'}",
        f"**Enrollment:** {truth['enrollment']}",
        f"**Study Type:** {_title(truth['study_type'])}",
        "",
        "## Brief Summary",
        "",
        truth["summary"],
        "",
        "## Conditions",
        "",
        *(f"- {one}" for one in truth["conditions"]),
        "",
        "## Interventions",
        "",
        *(f"- {_title(one['type'])}: {one['name']}" for one in truth["interventions"]),
        "",
        "## Study Design",
        "",
        f"**Allocation:** {_title(truth['allocation'])}",
        f"**Masking:** {_title(truth['masking'])}",
        "",
        "## Eligibility",
        "",
        f"**Sex:** {_title(truth['sex'])}",
        f"**Minimum Age:** {truth['min_age'] or 'N/A'}",
        f"**Maximum Age:** {truth['max_age'] or 'N/A'}",
        "",
        "### Inclusion Criteria",
        "",
        *(f"{place}. {words}" for place, words in enumerate(_side(truth, "inclusion"), 1)),
        "",
        "### Exclusion Criteria",
        "",
        *(f"{place}. {words}" for place, words in enumerate(_side(truth, "exclusion"), 1)),
        "",
        "## Primary Outcomes",
        "",
        *(f"- {one['m']} (Time Frame: {one['t']})" for one in truth["primary"] if one["t"]),
        "",
        "## Secondary Outcomes",
        "",
        *(f"- {one['m']} (Time Frame: {one['t']})" for one in truth["secondary"] if one["t"]),
    ]
    return "\n".join(lines)


def html(truth: Truth) -> str:
    """A page saved as HTML, with tables for the facts and lists for the criteria."""

    def row(label: str, value: object) -> str:
        return f"<tr><th>{label}</th><td>{value}</td></tr>"

    def escaped(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    facts = [
        row("Trial ID", truth["nct"]),
        row("Overall Status", _title(truth["status"])),
        row("Study Type", _title(truth["study_type"])),
        row("Enrollment", truth["enrollment"]),
        row("Start Date", truth["start"] or "-"),
        row("Lead Sponsor", escaped(truth["sponsor"])),
        row("Gender", _title(truth["sex"])),
        row("Minimum Age", truth["min_age"] or "N/A"),
        row("Maximum Age", truth["max_age"] or "N/A"),
        row("Allocation", _title(truth["allocation"])),
        row("Masking", _title(truth["masking"])),
    ]
    inside = "".join(f"<li>{escaped(words)}</li>" for words in _side(truth, "inclusion"))
    outside = "".join(f"<li>{escaped(words)}</li>" for words in _side(truth, "exclusion"))
    return (
        f"<!doctype html><html><head><title>{escaped(truth['title'])}</title><style>p {{}}</style></head><body>\n"
        f"<h1>{escaped(truth['title'])}</h1>\n<table>{''.join(facts)}</table>\n"
        f"<h2>Brief Summary</h2><p>{escaped(truth['summary'])}</p>\n"
        f"<h2>Conditions</h2><ul>{''.join(f'<li>{escaped(one)}</li>' for one in truth['conditions'])}</ul>\n"
        f"<h2>Eligibility Criteria</h2><h3>Inclusion Criteria</h3><ul>{inside}</ul>"
        f"<h3>Exclusion Criteria</h3><ul>{outside}</ul>\n<script>alert('x')</script></body></html>"
    )


LAYOUTS: dict[str, Callable[[Truth], str]] = {
    "labels": labels,
    "new_registry": new_registry,
    "markdown": markdown,
    "html": html,
}
