"""Cases: participants whom a trialist checks by hand, kept beside the protocol and run by `check`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath

from trialwright.core.finding import Finding, Grade, Where, finding, unreadable
from trialwright.core.truth import Truth
from trialwright.protocol.eligibility import Eligibility, determine
from trialwright.protocol.facts_file import facts_from
from trialwright.protocol.marked_yaml import Data, read
from trialwright.protocol.protocol import Protocol
from trialwright.protocol.protocol import where as place

FILE = "cases.yaml"


@dataclass(frozen=True, slots=True)
class Case:
    """One case: what was expected, which criteria were to decide, and what the protocol says."""

    name: str
    expected: str
    why: frozenset[str]
    result: Eligibility


def run_cases(protocol: Protocol, folder: str | FilePath) -> tuple[list[Case], list[Finding]]:
    """Every case of a folder with the protocol's answer, and a finding for each that differs from what is expected."""
    file = FilePath(folder) / FILE
    if not file.is_file():
        return [], []
    try:
        marked = read(file.read_text("utf-8"), FILE)
    except (OSError, UnicodeDecodeError) as wrong:
        return [], [finding("file_unreadable", Where(FILE), path=FILE, why=unreadable(wrong))]
    if marked.findings:
        return [], list(marked.findings)
    if not isinstance(marked.data, dict):
        return [], [
            finding("case_unreadable", place(marked.marks, (), FILE), name=FILE, why="it is not a table of cases")
        ]
    cases: list[Case] = []
    findings: list[Finding] = []
    for name, data in marked.data.items():
        spot = place(marked.marks, (name,), FILE)
        if not isinstance(data, dict):
            findings.append(finding("case_unreadable", spot, name=name, why="it is not a table"))
            continue
        like = data.get("like")
        if like is not None and not isinstance(marked.data.get(str(like)), dict):
            findings.append(finding("case_unreadable", spot, name=name, why=f"there is no case `{like}` to be like"))
            continue
        told = facts_from(protocol, _merged(marked.data, name), marked.marks, FILE, (name,))
        findings.extend(one for one in told.findings if one.grade is Grade.ERROR)  # a case may be odd on purpose
        if told.date is None:
            findings.append(finding("case_unreadable", spot, name=name, why="it has no `date`"))
            continue
        why = data.get("why")
        case = Case(
            name,
            str(data.get("expected", "")),
            frozenset(map(str, why)) if isinstance(why, list) else frozenset(),
            determine(protocol, told.facts, told.date),
        )
        cases.append(case)
        findings.extend(_differs(case, spot))
    return cases, findings


def decided_by(result: Eligibility) -> frozenset[str]:
    """The criteria that make a participant ineligible, or that leave her undetermined."""
    if result.verdict == "ineligible":
        return frozenset(one.criterion.name for one in result.answers if one.fails)
    return frozenset(one.criterion.name for one in result.answers if one.answer is Truth.UNKNOWN)


def _merged(cases: dict[str, Data], name: str, depth: int = 0) -> dict[str, Data]:
    """The case with what it takes over from the case it is like."""
    own = cases.get(name)
    own = own if isinstance(own, dict) else {}
    like = own.get("like")
    base = _merged(cases, str(like), depth + 1) if like is not None and depth < 20 else {}
    merged = dict(base)
    for key, value in own.items():
        before = base.get(key)
        both = isinstance(before, dict) and isinstance(value, dict) and key in ("facts", "records")
        merged[key] = {**before, **value} if both and isinstance(before, dict) and isinstance(value, dict) else value
    merged.pop("like", None)
    return merged


def _differs(case: Case, where: Where) -> Iterator[Finding]:
    if case.result.verdict != case.expected:
        yield finding(
            "case_differs", where, Grade.ERROR, name=case.name, expected=case.expected, found=case.result.verdict
        )
    elif case.why and case.why != decided_by(case.result):
        found = ", ".join(sorted(decided_by(case.result)))
        yield finding(
            "case_reasons", where, Grade.ERROR, name=case.name, expected=", ".join(sorted(case.why)), found=found
        )
