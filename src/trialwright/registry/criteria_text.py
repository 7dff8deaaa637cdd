"""Free text to numbered criteria, each with its span, also where headings and numbers are lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

#: A text beyond this is read up to here, and the rest is a question. The registry's own limit is 20,000 characters.
MAX_TEXT = 60_000
#: No more criteria are listed; the longest lists of the registry have some hundred and fifty.
MAX_CRITERIA = 400

Kind: TypeAlias = Literal["inclusion", "exclusion"]


@dataclass(frozen=True, slots=True)
class Listed:
    """One criterion as it stands: `text` is `whole[start:end]`, `number` its own number where it has one.

    `context` is the heading that it stands under, `doubts` what was not certain about its place.
    """

    kind: Kind
    number: int
    text: str
    start: int
    end: int
    numbered: bool = False
    context: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How a protocol calls it: I for inclusion, E for exclusion, and its number."""
        return f"{'I' if self.kind == 'inclusion' else 'E'}{self.number}"


@dataclass(frozen=True, slots=True)
class Lost:
    """Numbers that the list must once have held: it starts later, or skips."""

    kind: Kind
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Every criterion of a text, the numbers that are lost, and whether a limit cut it short."""

    criteria: tuple[Listed, ...]
    lost: tuple[Lost, ...] = ()
    cut: bool = False


NO_HEADING = "Nothing in the text says whether it includes or excludes; this was told from its words."

_HEADING = re.compile(
    r"(?:(?:key|main|major|general|principal|other)\s+)?(?P<kind>inclusion|exclusion|in|ex)(?:ary)?"
    r"(?:[ \t]+criteri(?:a|on))?[ \t]*(?::|：|\s*-\s*(?=\n)|(?=\n|$))",
    re.IGNORECASE,
)
_INLINE = re.compile(
    r"(?:\b(?:Key|Main|Major)\s+)?\b(?P<kind>I(?i:nclusion)|E(?i:xclusion))\s+(?i:criteria)\b[ \t]*[:：]?"
)
_BOTH = re.compile(
    r"[ \t]*(?:inclusion|eligibility)(?:\s*(?:/|and|&)\s*exclusion)?(?:\s+criteria)?[ \t]*:?[ \t]*$", re.I
)
_MARK = re.compile(
    r"(?P<indent>[ \t]*)(?:(?P<bullet>[*•·●▪◦–—]|-(?=[ \t])|o(?=[ \t]))"
    r"|\(?(?P<number>\d{1,3})(?:[.)、](?!\d)|(?=[ \t]*[.)][ \t])))[ \t]*"
)
_RUN = re.compile(r"(?:(?<=[.;:,)\s])|^)\(?(\d{1,2})[.)][ \t]*(?=[A-Z≥≤<>\\\d(])")
_BULLETS = re.compile(r"(?:(?<=\s)|^)[-•*●·][ \t]+(?=[A-Z≥≤<>\\\d(])")
_NOTHING = re.compile(
    r"\s*(?:not specified|none|n/?a|see (?:disease|patient) characteristics|see above|[-–*.]*)\.?\s*", re.I
)
_GROUP = re.compile(r"[^.;]{1,90}:\s*")
_POSITIVE = re.compile(r"(no|not|must)\b", re.I)
_INCLUDING = re.compile(r"\b(consent|willing to|able to (understand|comply|give)|aged?\b|years)", re.I)
_EXCLUDING = re.compile(
    r"\b(allerg|contraindicat|unwilling|unable|inability|refus|pregnan(t|cy)|history of|prior |high risk|severe |abuse|"
    r"malignan|participat\w+ in (an)?other|hypersensitiv|patients? (diagnosed|identified) with)", re.I,
)  # fmt: skip


def listed(text: str) -> Listing:
    """The criteria of a text in their order.

    >>> found = listed("Inclusion Criteria: 1. Age 18-40 2. BMI < 30 Exclusion Criteria: 1. Smoking")
    >>> [(one.name, one.text) for one in found.criteria]
    [('I1', 'Age 18-40'), ('I2', 'BMI < 30'), ('E1', 'Smoking')]
    """
    cut = len(text) > MAX_TEXT
    text = text[:MAX_TEXT]
    found: list[Listed] = []
    headed = False
    for kind, start, end in _sections(text):
        headed = headed or kind is not None
        found.extend(_of_section(text, start, end, kind))
    if len(found) > MAX_CRITERIA:
        found, cut = found[:MAX_CRITERIA], True
    if not headed or not any(one.kind == "exclusion" for one in found):
        found = _told_apart(found, headed)
    named: list[Listed] = []
    lost = []
    kinds: tuple[Kind, Kind] = ("inclusion", "exclusion")
    for kind in kinds:
        numbered, gone = _numbered([one for one in found if one.kind == kind])
        named.extend(numbered)
        if gone:
            lost.append(Lost(kind, gone))
    return Listing(tuple(named), tuple(lost), cut)


def is_heading(line: str) -> bool:
    """Whether a line is nothing but a heading of the criteria.

    >>> is_heading("Key Inclusion Criteria:"), is_heading("Exclusion of pregnancy")
    (True, False)
    """
    return _HEADING.fullmatch(line.strip()) is not None


def _sections(text: str) -> Iterator[tuple[Kind | None, int, int]]:
    """Where each part under one heading begins and ends; a kind of None where no heading stands over it."""
    marks: list[tuple[int, int, Kind | None]] = []
    for match in re.finditer(r"^[ \t]*", text, re.M):
        heading = _HEADING.match(text, match.end())
        if heading is not None and len(heading[0]) > 3:
            marks.append((match.start(), heading.end(), _kind(heading["kind"])))
    taken = [(start, end) for start, end, _ in marks]
    for match in _INLINE.finditer(text):
        if not any(start <= match.start() < end for start, end in taken):
            marks.append((match.start(), match.end(), _kind(match["kind"])))
    marks.sort()
    last: tuple[int, Kind | None] = (0, None)
    for start, end, kind in marks:
        yield last[1], last[0], start
        last = (end, kind)
    yield last[1], last[0], len(text)


def _kind(word: str) -> Kind:
    return "exclusion" if word[:1].lower() == "e" else "inclusion"


def _of_section(text: str, start: int, end: int, kind: Kind | None) -> Iterator[Listed]:
    """The items of one section: by bullets and numbers, else by lines, else by numbers that run on in a line."""
    lines = [(match.start() + start, match.end() + start) for match in re.finditer(r"[^\n]+", text[start:end])]
    marked = [(a, b, _MARK.match(text, a, b)) for a, b in lines if text[a:b].strip()]
    if kind is None and marked and _BOTH.match(text[marked[0][0] : marked[0][1]]):
        marked = marked[1:]
    bulleted = any(mark is not None for _, _, mark in marked)
    items: list[tuple[int, int, int, str]] = []  # start, end, number, context
    context, indent, top, ended = "", 0, 0, True
    for a, b, mark in marked:
        if mark is None:
            first = a + len(text[a:b]) - len(text[a:b].lstrip())
            if _GROUP.fullmatch(text, first, b) and (bulleted or not items) and (ended or text[first].isupper()):
                context, indent, top, ended = text[first:b].strip().rstrip(":"), 0, 0, True
            elif items and bulleted and not ended and text[first:b].strip():
                items[-1] = (items[-1][0], b, *items[-1][2:])  # the line goes on
            else:
                items.append((first, b, 0, context))
                ended = not bulleted
            continue
        depth, number = len(mark["indent"].expandtabs(4)), int(mark["number"] or 0)
        before = text[items[-1][0] : items[-1][1]].rstrip() if items and not (ended and depth <= indent) else ""
        nested = bool(items) and (
            depth > indent + 1 or (before.endswith(":") and number in (0, 1) and top > 0 == (number == 0))
        )
        if nested and before:
            items[-1] = (items[-1][0], b, *items[-1][2:])
            continue
        indent, top, ended = depth, number or top, False
        items.append((mark.end(), b, number, context))
    for a, b, number, heading in items:
        for c, d, again in _run_together(text, a, b, number, len(items) == 1):
            stripped = text[c:d].strip()
            first = c + len(text[c:d]) - len(text[c:d].lstrip())
            if stripped and not _NOTHING.fullmatch(stripped):
                yield Listed(kind or "inclusion", again, stripped, first, first + len(stripped), bool(again), heading)


def _run_together(text: str, start: int, end: int, number: int, alone: bool) -> Iterator[tuple[int, int, int]]:
    """One item, or several whose numbers or bullets go on inside the line: 1. ... 2. ... 3. ..."""
    cuts: list[tuple[int, int, int]] = []
    expected = number + 1
    for match in _RUN.finditer(text, start, end):
        if int(match[1]) == expected and (number or expected > 1 or match.start() == start):
            cuts.append((match.start(), match.end(), expected))
            expected += 1
    if not number and len(cuts) < 2 and not (cuts and cuts[0][0] == start):
        cuts = []
    if not cuts and not number and alone:
        cuts = [(match.start(), match.end(), 0) for match in _BULLETS.finditer(text, start, end)]
    position, current = start, number
    for begin, after, following in cuts:
        yield position, begin, current
        position, current = after, following
    yield position, end, current


def _told_apart(found: list[Listed], headed: bool) -> list[Listed]:
    """Criteria without headings: what stands behind the last inclusion before the first exclusion excludes."""
    first = next(
        (i for i, one in enumerate(found) if i and _EXCLUDING.search(one.text) and not _INCLUDING.search(one.text)),
        None,
    )
    positive = sum(bool(_POSITIVE.match(one.text)) for one in found) > 1  # "No prior chemotherapy": all is required
    if headed:
        return found
    doubted = [replace(one, doubts=(*one.doubts, NO_HEADING)) for one in found]
    if first is None or positive:
        return doubted
    return [replace(one, kind="exclusion" if i >= first else "inclusion") for i, one in enumerate(doubted)]


def _numbered(found: list[Listed]) -> tuple[list[Listed], tuple[int, ...]]:
    """The criteria of one kind by their own numbers where these rise one by one, else counted anew; numbers lost."""
    own = [one.number for one in found]
    if found and all(one.numbered for one in found) and own == sorted(set(own)):
        gone = tuple(sorted(set(range(1, max(own) + 1)) - set(own)))
        if len(gone) <= 5:
            return found, gone
    return [replace(one, number=index) for index, one in enumerate(found, 1)], ()
