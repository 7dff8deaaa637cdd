"""A page cut into blocks: each a heading or a label that the lexicon knows, and the lines that belong to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from trialwright.registry.pages.fields import fits, shapes
from trialwright.registry.pages.lexicon import COLONS, LABELS, NARRATIVE, column_of, key_of, plain
from trialwright.registry.pages.lines import Line, cells

_INLINE = re.compile(r"(?P<label>[^:：|]{2,70}?)\s*[:：]\s*(?P<value>\S.*)")
_RULE = re.compile(r"[\s|:=_*-]*")
_HELP = re.compile(
    r"\(.* help sentence\)|"
    r"(?:get|review|explore|dive|see|understand|learn|discover|check|meet|identify|reach|find|view|read|browse|"
    r"additional|look|know)\b.{20,240}\.",
    re.IGNORECASE,
)
_TIME_FRAME = re.compile(r"[\[(]\s*time[\s-]?frame\s*:", re.IGNORECASE)

#: Sections in which a line that looks like a heading may be a line of the text.
FREE = NARRATIVE | {
    "arms",
    "interventions",
    "primary",
    "secondary",
    "other_outcomes",
    "outcomes",
    "inclusion",
    "exclusion",
    "criteria",
}
_WHO = frozenset(
    {"min_age", "max_age", "ages", "sex", "healthy", "status", "enrollment", "sampling", "study_population"}
)
#: Labels that may stand inside a section without ending it.
_INSIDE = {
    "eligibility": _WHO,
    "criteria": _WHO,
    "sponsors": frozenset({"lead_sponsor", "sponsor_class"}),
    "identifiers": frozenset({"org_id", "sec_id", "nct"}),
    "design": frozenset(
        {
            "study_type",
            "phase",
            "enrollment",
            "allocation",
            "model",
            "purpose",
            "masking",
            "observational_model",
            "time_perspective",
            "brief_title",
            "official_title",
        }
    ),
}
_OUTCOMES = ("primary", "secondary", "other_outcomes", "outcomes")


@dataclass
class Block:
    """A heading (None where the lines go on after a label) and its lines; `inline` where both stood on one line.

    `stacked` is another label of the page that stood right above this one, without a value of its own.
    """

    key: str
    head: Line | None = None
    lines: list[Line] = field(default_factory=list)
    inline: bool = False
    stacked: Line | None = None


@dataclass(frozen=True)
class _Candidate:
    key: str
    style: str
    label: Line
    rest: tuple[Line, ...]  # the value on the same line


def blocks(page: list[Line]) -> tuple[list[Block], bool]:
    """The blocks in order, and whether the page explains each heading with a sentence, which is left out."""
    candidates = {place: found for place, line in enumerate(page) if (found := _candidate(line)) is not None}
    helped = sum(is_help(_next(page, place)) for place, found in candidates.items() if found.style != "inline") >= 3
    last = {plain(found.label.text): place for place, found in candidates.items()}
    made: list[Block] = [Block("loose")]
    section, seen = "loose", set[str]()
    place = -1
    while (place := place + 1) < len(page):
        line = page[place]
        if line.text and _RULE.fullmatch(line.text) and "arms" not in section:
            continue
        if header := _header(line):
            if "arms" in header or column_of(cells(line)[0].text, ("group",)):
                section = "arms"
                made.append(Block("arms", line))
            elif any(column_of(cell.text, ("measure",)) for cell in cells(line)) and not all(header):
                made[-1].lines.append(line)
            else:
                place, row = _row(page, place)
                made += [
                    Block(key, head, [cell], True)
                    for key, head, cell in zip(header, cells(line), row, strict=False)
                    if key
                ]
                section = "loose"
            continue
        found = candidates.get(place)
        in_line = made[-1].inline and made[-1].key == section
        if found and _accepted(found, place, page, candidates, last, section, helped, seen, in_line):
            seen.add(found.style)
            if found.key in LABELS:
                place = _label(found, place, page, candidates, made)
                section = section if found.key in _INSIDE.get(section, ()) else "loose"
            else:
                section = found.key
                made.append(Block(section, found.label, list(found.rest), bool(found.rest)))
                if helped and is_help(_next(page, place)):
                    place = page.index(_next(page, place), place)  # type: ignore[arg-type]  # a help text is there
            continue
        if (
            _TIME_FRAME.search(line.text)
            and section not in _OUTCOMES
            and section not in ("inclusion", "exclusion", "criteria")
        ):
            section = "outcomes"
            made.append(Block(section))
        if made[-1].key != section or (made[-1].inline and section == "loose"):
            made.append(Block(section))
        made[-1].lines.append(line)
    return made, helped


def _label(
    found: _Candidate, place: int, page: list[Line], candidates: dict[int, _Candidate], made: list[Block]
) -> int:
    """Take up a label with its value, and say where the page goes on."""
    if found.rest:
        made.append(Block(found.key, found.label, list(found.rest), True))
        return place
    value = _next(page, place)
    if value is None:
        made.append(Block(found.key, found.label))
        return place
    at = page.index(value, place + 1)
    announces = candidates.get(at)
    if announces is not None and not (
        announces.style == "alone" and fits(found.key, value.text) and not _free_text(found.key)
    ):
        made.append(Block(found.key, found.label))
        return place
    first = (cells(value) or [value])[0] if value.text.endswith("|") else value
    made.append(Block(found.key, found.label, [first], True, _stacked(found, place, page, at, candidates, made)))
    return at


def _stacked(
    found: _Candidate, place: int, page: list[Line], at: int, candidates: dict[int, _Candidate], made: list[Block]
) -> Line | None:
    """The label right above this one that has no value, where the line below the value could be a value too."""
    above = made[-1]
    if above.key not in LABELS or above.lines or above.head is None or above.head.index != page[place].index - 1:
        return None
    following = page[at + 1] if at + 1 < len(page) else None
    if following is None or not following.text or (at + 1) in candidates:
        return None
    return above.head if fits(found.key, following.text) or fits(above.key, following.text) else None


def _free_text(key: str) -> bool:
    return fits(key, "It was recorded.")


def _candidate(line: Line) -> _Candidate | None:
    """What a line announces, if it does."""
    if not line.text or len(line.text) > 5000 or line.text[0] in COLONS:  # a label has its colon behind it
        return None
    whole = line
    if "|" in line.text or "\t" in line.text:
        columns = cells(line)
        if not columns:
            return None
        if len(columns) > 1:
            key = key_of(columns[0].text)
            rest = tuple(cell for cell in columns[1:] if cell.text)
            return _Candidate(key, "cells", columns[0], rest) if key else None
        whole = columns[0]
    if (key := key_of(whole.text)) is not None:
        return _Candidate(key, f"alone{line.bullet}{':' if whole.text[-1] in COLONS else ''}", whole, ())
    if (found := _INLINE.fullmatch(whole.text)) and (key := key_of(found["label"])):
        label, value = whole.part(*found.span("label")), whole.part(*found.span("value"))
        return _Candidate(key, f"inline{line.bullet}", label, (value,))
    return None


def _accepted(
    found: _Candidate,
    place: int,
    page: list[Line],
    candidates: dict[int, _Candidate],
    last: dict[str, int],
    section: str,
    helped: bool,
    seen: set[str],
    in_line: bool,
) -> bool:
    """Whether a candidate is a heading here, and not a line of a text that looks like one.

    `in_line` says that the section's own heading has its text behind it on the same line.
    """
    if found.key in LABELS and found.rest and not fits(found.key, found.rest[0].text):
        short = len(found.rest[0].text) <= 40  # then it is told that it cannot be the label's value
        return ((section == "loose" or in_line) and short) or (
            section not in FREE and (short or found.style == "cells")
        )
    if not found.rest and section in ("design", "basic", "loose") and shapes(found.label.text):
        return False  # TREATMENT is a purpose there
    if section == "eligibility" and found.key in LABELS and not found.rest and not _known(found.style, seen):
        return False
    if section == "loose" or section not in FREE or found.style == "cells":
        return True
    alone = not found.rest
    if found.key in ("inclusion", "exclusion"):
        if section in ("inclusion", "exclusion", "criteria"):
            return alone or section == "criteria" or in_line
        return alone and not _again(found, place, last)
    if helped and alone and found.key not in LABELS:
        return is_help(_next(page, place))
    if found.key in LABELS and alone and found.style.endswith(":") and _empty_label(place, page, candidates, seen):
        return True
    if found.key in LABELS and alone:
        value = _next(page, place)
        if value is None or not fits(found.key, value.text) or not _known(found.style, seen):
            return False
        return " " in plain(found.label.text) or ((section in NARRATIVE or found.style == "alone") and not value.bullet)
    if not alone:
        return not helped and _known(found.style, seen) and not _again(found, place, last)
    return (_known(found.style, seen) or _titled(found.label.text)) and not _again(found, place, last)


def _empty_label(place: int, page: list[Line], candidates: dict[int, _Candidate], seen: set[str]) -> bool:
    """Whether a label stands without its value, on a page that writes both on one line."""
    following = next((at for at in range(place + 1, min(place + 3, len(page))) if page[at].text), None)
    return any(style.startswith("inline") for style in seen) and following in candidates


def _titled(text: str) -> bool:
    """Whether a line is written as a heading: several words, each with a capital, and no stop behind them."""
    words = [word for word in re.findall(r"[A-Za-z]+", text) if word not in ("and", "or", "of", "the")]
    return len(words) > 1 and all(word[0].isupper() for word in words) and text[-1] not in ".:"


def _known(style: str, seen: set[str]) -> bool:
    return style in seen or not seen


def _again(found: _Candidate, place: int, last: dict[str, int]) -> bool:
    """Whether the same heading stands further down, so that this one is a line of the text."""
    return last.get(plain(found.label.text), -1) > place


def _header(line: Line) -> list[str | None]:
    """The keys of the columns where a line is the head of a table."""
    if "|" not in line.text and "\t" not in line.text:
        return []
    columns = cells(line)
    if len(columns) < 2 or any(cell.text[-1:] in COLONS for cell in columns if cell.text):
        return []
    if all(column_of(cell.text, ("group", "intervention", "text", "measure", "time", "method")) for cell in columns):
        return ["arms" if column_of(cell.text, ("group",)) else None for cell in columns]
    keys = [key_of(cell.text) for cell in columns]
    return keys if all(keys) else []


def _row(page: list[Line], place: int) -> tuple[int, list[Line]]:
    """The first row below a table's head; a cell may go on over lines until a bar ends the row."""
    head = page[place]
    place += 1
    while place < len(page) and (not page[place].text or _RULE.fullmatch(page[place].text)):
        place += 1
    if place >= len(page):
        return place, []
    return place, cells(page[place], head)


def is_help(line: Line | None) -> bool:
    """Whether a line is one of the sentences by which a page explains its headings."""
    return line is not None and _HELP.fullmatch(line.text) is not None


def _next(page: list[Line], place: int) -> Line | None:
    """The next line with something on it, at most three lines down."""
    return next((line for line in page[place + 1 : place + 4] if line.text), None)
