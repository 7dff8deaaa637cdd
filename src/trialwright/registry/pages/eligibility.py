"""Eligibility: the criteria as one text, as API v2 has it, and the values that stand around them."""

from __future__ import annotations

import re

from trialwright.core.finding import Grade
from trialwright.registry import values
from trialwright.registry.pages.blocks import Block
from trialwright.registry.pages.draft import Draft, bullet_of, short
from trialwright.registry.pages.fields import FIELDS
from trialwright.registry.pages.lexicon import COLONS, SECTIONS
from trialwright.registry.pages.lines import Line
from trialwright.registry.pages.unlabelled import named
from trialwright.registry.record import look

_CRITERIA = "/protocolSection/eligibilityModule/eligibilityCriteria"
_SECTIONS = ("eligibility", "criteria", "inclusion", "exclusion")
_NUMBER = re.compile(r"\(?\d{1,3}[.)、）]")
_INSIDE = re.compile(r"(?<=\S)\s+((?:Key |Main )?(?:Inclusion|Exclusion) Criteria\s*:)\s*", re.IGNORECASE)


def read_eligibility(draft: Draft, found: list[Block]) -> None:
    """The criteria in their order, with the headings that the page has and none that it lacks."""
    which = [block for block in found if block.key in _SECTIONS]
    if which:
        _tail(draft, which[-1])
        for block in which:
            _shapes(draft, block)
    parts: list[tuple[str, list[Line]]] = []
    for block in which:
        head = block.head.index if block.head is not None else -1  # a text behind its heading is on a line in use
        body = [line for line in block.lines if line.index not in draft.used or line.index == head]
        if block.key in ("inclusion", "exclusion") and block.head is not None:
            parts.append((f"{block.head.text.rstrip(COLONS)}:", body))
        elif any(line.text for line in body):
            parts.append(("", body))
    text = "\n\n".join(piece for head, body in parts if (piece := _piece(draft, head, body)))
    stood = [line for _, body in parts for line in body if line.text]
    draft.use(*stood)
    if not stood or values.is_nothing(" ".join(line.text for line in stood)):
        return
    draft.set(_CRITERIA, text, *sorted(stood, key=lambda line: line.start))
    _gathered(draft, found, which)
    if parts:
        _trailing(draft, [line for _, body in parts for line in body], parts[-1][1])


def _gathered(draft: Draft, found: list[Block], which: list[Block]) -> None:
    """Criteria that stand in several places, with another section between."""
    first, last = found.index(which[0]), found.index(which[-1])
    between = next((block for block in found[first:last] if block.key in SECTIONS and block.key not in _SECTIONS), None)
    if between is not None and between.head is not None:
        draft.find("record_criteria_gathered", between.head, _CRITERIA, Grade.WARNING, words=short(between.head.text))


def _trailing(draft: Draft, every: list[Line], last: list[Line]) -> None:
    """Lines without a number or a bullet behind the last criterion that has one: criteria, or what follows them."""
    listed = [line for line in every if line.text and _is_item(line)]
    of_the_last = [line for line in last if line.text]
    ends = max((place for place, line in enumerate(of_the_last) if _is_item(line)), default=-1)
    behind = of_the_last[ends + 1 :]
    if len(listed) >= 2 and ends >= 0 and behind and not behind[0].text[0].islower():
        words = short(" / ".join(line.text for line in behind), 160)
        draft.find("record_criteria_trailing", behind[0], _CRITERIA, Grade.WARNING, words=words)


def _is_item(line: Line) -> bool:
    return bool(line.bullet) or _NUMBER.match(line.text) is not None


def _piece(draft: Draft, head: str, body: list[Line]) -> str:
    lines = []
    for line in body:
        bullet = bullet_of(line)
        text = draft.clean(line.text)
        if inside := _INSIDE.search(text):
            draft.find("record_heading_in_line", line, _CRITERIA, heading=inside[1])
            text = f"{text[: inside.start()]}\n\n{inside[1]}\n\n{text[inside.end() :]}".strip()
        lines.append(f"{bullet}{text}" if text else "")
    inner = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
    return f"{head}\n\n{inner}" if head and inner else head or inner


def _tail(draft: Draft, block: Block) -> None:
    """Ages, sex and healthy volunteers without labels, at the end of the criteria: told by their shapes and order."""
    tail: list[Line] = []
    for line in reversed([line for line in block.lines if line.text]):
        if line.bullet or line.index in draft.used or not _kind(draft.clean(line.text)) or len(tail) == 4:
            break
        tail.insert(0, line)
    if sum(_kind(line.text) != "nothing" for line in tail) < 2:
        return
    ages = [line for line in tail if _kind(line.text) in ("age", "nothing")]
    for key, line in zip(("min_age", "max_age"), ages, strict=False):
        if _kind(line.text) == "age":
            _unlabelled(draft, key, line)
    for line in tail:
        if (kind := _kind(line.text)) in ("sex", "healthy"):
            _unlabelled(draft, kind, line)
    draft.use(*tail)


def _shapes(draft: Draft, block: Block) -> None:
    """A value alone on a line under the general heading, before any criterion."""
    if block.key != "eligibility" or block.inline:
        return
    for line in block.lines:
        kind = _kind(draft.clean(line.text)) if line.text and line.index not in draft.used and not line.bullet else ""
        if kind == "sex" and look(draft.study, FIELDS["sex"][0]) is None:
            _unlabelled(draft, "sex", line)


def _unlabelled(draft: Draft, key: str, line: Line) -> None:
    pointer, reader = FIELDS[key]
    if draft.set(pointer, reader(draft.clean(line.text)), line):
        draft.find("record_unlabelled", line, pointer, value=short(line.text), read_as=named(key))


def _kind(text: str) -> str:
    if values.age(text) is not None:
        return "age"
    if values.word("Sex", text) is not None:
        return "sex"
    if values.yes_no(text) is not None:
        return "healthy"
    return "nothing" if text.upper() in ("N/A", "NONE", "NO LIMIT") else ""
