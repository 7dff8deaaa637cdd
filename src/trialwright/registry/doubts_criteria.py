"""What is missing, doubtful or contradictory in the eligibility text of a record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from trialwright.core.finding import Finding, Grade, finding
from trialwright.registry.record import Json, Locate, below
from trialwright.registry.values import in_years

_ELIGIBILITY = "/protocolSection/eligibilityModule"
_CRITERIA = f"{_ELIGIBILITY}/eligibilityCriteria"
#: Characters of criteria that are looked at; the registry takes 20,000.
_LONGEST = 200_000
_HEADING = re.compile(
    r"[ \t*#-]*(?:[A-Za-z-]+[ \t]+){0,3}?(?P<which>inclusion|exclusion)(?:[ \t]+criteri(?:a|on))?[ \t]*:?[ \t]*",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"[ \t]*(\d{1,3})[.)][ \t]")
_GLUED = re.compile(r"\bexclusion(?: criteri(?:a|on))?\s?:", re.IGNORECASE)
#: It begins with a digit, and looks behind it afterwards, so that the search skips from digit to digit.
_RANGE = re.compile(
    r"(?P<low>\d(?<![\d.].)\d?)\s?(?:years?|yrs?)?\s?(?:-|–|to|and|~|through)\s?(?P<high>\d{2,3})(?:\s?(?:years?|yrs?|y/o)|\b)",
    re.IGNORECASE,
)
#: What stands on the same line before a range of ages.
_AGED = re.compile(
    r"(?:\bage[sd]?\b|years?[- ]old|\bwomen|\bmen|adults|patients|subjects|participants|males?)[^.\n]{0,40}$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"between\s?(?P<low>\d{1,2})\s?(?:years?)?\s?(?:-|–|to|and)\s?(?P<high>\d{2,3})\s?years?", re.IGNORECASE
)


def criteria_doubts(section: Json, where: Locate) -> Iterator[Finding]:
    """Every doubt about the criteria of a protocol section."""
    text = below(section, ("eligibilityModule", "eligibilityCriteria"))
    if not isinstance(text, str) or not text.strip():
        return
    lines = text[:_LONGEST].split("\n")
    lower = text[:_LONGEST].lower().split("\n")
    parts = _parts(lines, lower)
    if all(side != "exclusion" for side, _ in parts) and not _GLUED.search(text) and _items(lines) > 2:
        yield finding("record_criteria_run_together", where(_CRITERIA), Grade.WARNING)
    for side, part in parts:
        if side and not _items(part):
            yield finding("record_list_empty", where(_CRITERIA), Grade.WARNING, polarity=side)
        else:
            yield from _numbers(part, side or "eligibility", where)
    yield from _ages(section, lines, lower, where)


def _parts(lines: Sequence[str], lower: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The lines below each heading with the side that the heading names, and what stands before the first."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    for line, small in zip(lines, lower, strict=True):
        if "clusion" in small and len(line) < 100 and (heading := _HEADING.fullmatch(line)):
            parts.append((heading["which"].lower(), []))
        else:
            parts[-1][1].append(line)
    return [(side, part) for side, part in parts if side or _items(part)]


def _items(lines: Sequence[str]) -> int:
    return sum(1 for line in lines if line.strip())


def _numbers(part: Sequence[str], polarity: str, where: Locate) -> Iterator[Finding]:
    """Numbers that are missing at the start of a list, or inside one."""
    begun = [line for line in part if line.lstrip()[:1].isdecimal()]
    stood = [(int(found[1]), line) for line in begun if (found := _NUMBERED.match(line))]
    if not stood:
        return
    first, words = stood[0]
    if first > 1:
        place = where(_CRITERIA, re.sub(r"^\d{1,3}[.)]\s+", "", words.strip()))  # as they stood in the page
        yield finding("record_list_starts", place, Grade.WARNING, polarity=polarity, first=first)
    for (one, _), (two, _) in pairwise(stood):
        if one + 1 < two <= one + 3:
            yield finding("record_list_gap", where(_CRITERIA), Grade.WARNING, polarity=polarity, after=one, next=two)


def _ages(section: Json, lines: Sequence[str], lower: Sequence[str], where: Locate) -> Iterator[Finding]:
    """A range of ages in the text that the fields for it do not have, or have differently."""
    low, high = (below(section, ("eligibilityModule", key)) for key in ("minimumAge", "maximumAge"))
    found = _age_range(lines, lower)
    if found is None or not 0 < int(found["low"]) < int(found["high"]) <= 120:
        return
    words = " ".join(found[0].split())
    if low is None and high is None:
        place = where(f"{_ELIGIBILITY}/minimumAge", found[0], _CRITERIA)
        yield finding("record_age_text_only", place, Grade.WARNING, words=words)
    elif _differs(low, found["low"]) or _differs(high, found["high"]):
        fields = f"{low or 'no minimum'} to {high or 'no maximum'}"
        place = where(f"{_ELIGIBILITY}/minimumAge")
        yield finding("record_age_differs", place, Grade.WARNING, words=words, fields=fields)


def _differs(field: Json, years: str) -> bool:
    """Whether a field of ages is empty, or says other years than a text."""
    return field is None or (isinstance(field, str) and "Year" in field and in_years(field) != int(years))


def _age_range(lines: Sequence[str], lower: Sequence[str]) -> re.Match[str] | None:
    """The first range of numbers that is one of ages: `between 35 and 45 years`, or words about age lead up to it."""
    for line, small in zip(lines, lower, strict=True):
        if not ("age" in small or "year" in small or "yrs" in small):
            continue
        if "between" in small and (found := _BETWEEN.search(line)):
            return found
        for found in _RANGE.finditer(line):
            if _AGED.search(line[max(0, found.start() - 60) : found.start()]):
                return found
    return None
