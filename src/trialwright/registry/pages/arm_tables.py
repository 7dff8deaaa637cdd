"""Arms in tables: with columns, with cells glued, and with blanks alone between the cells."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from trialwright.registry.pages.draft import Draft
from trialwright.registry.pages.interventions import names as known_names
from trialwright.registry.pages.lexicon import column_of
from trialwright.registry.pages.lines import Line, cells

ARM = re.compile(
    r"(?P<type>Experimental|Active Comparator|Placebo Comparator|Sham Comparator|No Intervention|Other|None)"
    r"\s*:\s*(?P<label>\S.*)",
    re.IGNORECASE,
)

#: Characters of a row that is searched for the names of the interventions.
_LONGEST = 20_000
#: Interventions that a row is searched for; a record rarely has thirty.
_MOST_NAMES = 100


@dataclass
class Arm:
    """An arm as the page has it."""

    label: Line
    type: Line | None = None
    text: list[Line] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    doubt: str = ""


def of_columns(draft: Draft, head: Line, rows: list[Line]) -> list[Arm]:
    """Arms of a table whose columns are separated by bars or tabs."""
    columns = [column_of(cell.text, ("group", "intervention", "text")) for cell in cells(head)]
    arms = []
    for line in rows:
        by = {key: cell for key, cell in zip(columns, cells(line), strict=False) if key}
        if "group" not in by or not by["group"].text:
            continue
        typed = ARM.fullmatch(by["group"].text)
        arm = (
            Arm(by["group"].part(*typed.span("label")), by["group"].part(*typed.span("type")))
            if typed
            else Arm(by["group"])
        )
        arm.text = [by["text"]] if "text" in by and by["text"].text else []
        inner = by["intervention"].text if "intervention" in by else ""
        arm.names = [name for name in known_names(draft) if name in inner]
        arms.append(arm)
    return arms


def of_glued_rows(draft: Draft, rows: list[Line]) -> list[Arm]:
    """Label, intervention and description glued on one line; the known names of the interventions show the borders."""
    arms: list[Arm] = []
    names = sorted(known_names(draft)[:_MOST_NAMES], key=len, reverse=True)
    for row in rows:
        cuts = _name_inside(row.text, names) if len(row.text) <= _LONGEST else []
        if not cuts:
            if arms:
                arms[-1].text.append(row)
            else:
                arms.append(Arm(row, doubt="record_row_unread"))
            continue
        cuts.sort(key=lambda cut: (row.text[cut[1] : cut[1] + 1].islower(), cut[0]))
        start, end, told = cuts[0]
        rest = row.part(end, len(row.text))
        doubt = "record_row_seam" if len({cut[0] for cut in cuts}) > 1 or row.text[end : end + 1].islower() else ""
        arms.append(Arm(row.part(0, start), None, [rest] if rest.text else [], told, doubt))
    return arms


def _name_inside(text: str, names: list[str]) -> list[tuple[int, int, list[str]]]:
    """Where a known name stands glued to what is before and behind it."""
    found: list[tuple[int, int, list[str]]] = []
    first = {name[0] for name in names}
    for at in range(1, len(text)):
        if text[at] not in first or text[at - 1].isspace():
            continue
        told: list[str] = []
        end = at
        while name := _next_name(text, end, names, told=told):
            told.append(name)
            end += len(name)
        if told and not (len(told[0]) < 4 and text[at - 1].isupper() and text[at].isupper()):
            found.append((at, end, list(dict.fromkeys(told))))
    return found


def _next_name(text: str, at: int, names: list[str], told: list[str]) -> str:
    """The known name that stands here whole; the second of two in a row must not run on into a word."""
    for name in names:
        if not text.startswith(name, at) or name in told:
            continue
        after = text[at + len(name) : at + len(name) + 1]
        if not after.isspace() and not (told and after.islower()):
            return name
    return ""


def of_flattened_rows(draft: Draft, first: Line, start: int, more: list[Line]) -> list[Arm]:
    """A table on one line with only blanks between its cells; the interventions that repeat show where an arm is."""
    names = known_names(draft)[:_MOST_NAMES]
    arms: list[Arm] = []
    page = draft.page
    for line, begin in ((first, start), *((line, 0) for line in more)):
        whole = page[line.start + begin : page.find("\n", line.start) if "\n" in page[line.start :] else len(page)]
        arms += _in_run(line, begin, whole, names)
    return arms


def _in_run(line: Line, begin: int, text: str, names: list[str]) -> list[Arm]:
    marks, told = _marks(text, names) if len(text) <= 10 * _LONGEST else ([], [])
    if not marks:
        return [Arm(line.part(begin, len(line.text)), doubt="record_row_unread")] if text.strip() else []
    arms = [Arm(_sub(line, begin, 0, marks[0][0], text), names=told[0], doubt="record_row_flattened")]
    for place, (_, end) in enumerate(marks):
        until = marks[place + 1][0] if place + 1 < len(marks) else len(text)
        middle = text[end:until]
        cut = len(middle) if place + 1 == len(marks) else _label_start(middle, [arm.label.text for arm in arms])
        described = _sub(line, begin, end, end + cut, text)
        if described.text:
            arms[-1].text.append(described)
        if place + 1 < len(marks):
            arms.append(
                Arm(_sub(line, begin, end + cut, until, text), names=told[place + 1], doubt="record_row_flattened")
            )
    return arms


def _sub(line: Line, begin: int, start: int, end: int, text: str) -> Line:
    """A part of the run as a line of its own."""
    inner = text[start:end]
    left = line.start + begin + start + len(inner) - len(inner.lstrip())
    return Line(line.number, left, left + len(inner.strip()), inner.strip(), index=line.index)


def _marks(text: str, names: list[str]) -> tuple[list[tuple[int, int]], list[list[str]]]:
    """Where the interventions stand: all of them together, or one alone where it can be told."""
    together = " ".join(names)
    found = (
        [(at.start(), at.end()) for at in re.finditer(rf"(?<=\s){re.escape(together)}(?=\s|$)", text)] if names else []
    )
    clear = [
        mark
        for mark in found
        if re.match(r"\s*$|  |\s[A-Z\"“(]", text[mark[1] :])
        or any(text.startswith(f" {name} ", mark[1]) for name in names)
        or (re.match(r"\s\d", text[mark[1] :]) and re.search(r"(?:^|\s)[A-Z0-9]\S*\s$", text[: mark[0]]))
    ]
    found = clear or found
    if found and text[: found[0][0]].strip():
        return found, [list(names) for _ in found]
    for name in names:
        one = [
            (at.start(), at.end())
            for at in re.finditer(rf"(?<=\s){re.escape(name)}(?=\s|$)", text)
            if text[: at.start()].strip()
        ]
        if one:
            return one[:1], [[name]]
    return [], []


def _label_start(middle: str, labels: list[str]) -> int:
    """Where, between one arm's interventions and the next's, the description ends and the next label begins."""
    if middle.startswith("  "):
        return 1
    could = [
        found.end()
        for found in re.finditer(r"(?<!\s\d)[.;!?]\s+(?=[A-Za-z0-9])", middle)
        if len(middle) - found.end() < 160
    ]
    for label in labels:
        lead = " ".join(label.split()[:2])
        if len(label.split()) > 2 and (at := middle.rfind(f" {lead} ")) > 0:
            could.append(at + 1)
    if could:
        return max(could)
    for label in labels:
        lead = label.split()[0]
        if len(label.split()) > 1 and len(lead) > 2 and (at := middle.rfind(f" {lead} ")) > 0:
            return at
    ends = [found.end() for found in re.finditer(r"[)]\s+(?=[A-Z0-9])", middle)]
    if ends and len(middle) - ends[-1] < 160:
        return ends[-1]
    tail = re.search(r"(?:\s+(?:[A-Z0-9][^\s]*|of|and|plus|with|\+|for|the|in))+\s*$", middle)
    return tail.start() if tail else len(middle)
