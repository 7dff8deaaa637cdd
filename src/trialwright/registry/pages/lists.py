"""Lists of names (conditions, keywords, interventions), split where the page shows the borders."""

from __future__ import annotations

import re

from trialwright.core.finding import Grade
from trialwright.registry import values
from trialwright.registry.pages.blocks import Block
from trialwright.registry.pages.draft import Draft, short
from trialwright.registry.pages.lexicon import LABELS, key_of
from trialwright.registry.pages.lines import Line
from trialwright.registry.record import look

_P = "/protocolSection"
_CONDITIONS = f"{_P}/conditionsModule/conditions"
_KEYWORDS = f"{_P}/conditionsModule/keywords"
_INTERVENTIONS = f"{_P}/armsInterventionsModule/interventions"
_TYPES = (
    "Behavioral|Biological(?:/Vaccine)?|Combination Product|Device|Diagnostic Test|Dietary Supplement|Drug|Genetic|"
    "Other|Procedure|Radiation"
)
TYPED = re.compile(rf"(?P<type>{_TYPES})\s*:\s*(?P<name>.*)", re.IGNORECASE)
#: A new name starts in the middle of a line, with its type before it.
_NEXT = re.compile(rf"(?<=\S)\s*[,;|]?\s*(?=(?:{_TYPES})\s*:\s+\S)")
#: A word or two, a colon and something behind it; `Arthritis: Knee` is a name, with one word before it.
_LABELLED = re.compile(r"\S+ [^:：]{2,40}[:：]\s*\S")
#: Where two names were glued: a small letter, a digit or a bracket, and a capital without a blank between.
_SEAM = re.compile(r"(?<=[a-z0-9)])(?=[A-Z][a-z])")


def read_conditions(draft: Draft, found: list[Block]) -> None:
    """The conditions."""
    _names(draft, [block for block in found if block.key == "conditions"], _CONDITIONS, _a_line_each(found))


def read_keywords(draft: Draft, found: list[Block]) -> None:
    """The keywords."""
    _names(draft, [block for block in found if block.key == "keywords"], _KEYWORDS, _a_line_each(found), any_words=True)


def _names(draft: Draft, which: list[Block], pointer: str, a_line_each: bool, any_words: bool = False) -> None:
    names: list[tuple[str, Line]] = []
    glued: list[Line] = []
    for block in which:
        body = [line for line in block.lines if line.text]
        draft.use(*body)
        for line in body:
            text = draft.clean(line.text)
            if values.is_nothing(text) or len(text) > 2000:
                continue
            parts = _split(line)  # where a page bullets its lists, it glues their names without a blank: a seam shows
            names += [(draft.clean(part.text), part) for part in parts]
            if (
                len(parts) == 1
                and len(body) == 1
                and not a_line_each
                and not line.bullet
                and (_could_be_several(text) or (any_words and " " in text))
            ):
                glued.append(line)
            elif len(parts) > 1 and not re.search(r"[;|]", text):
                draft.find(
                    "record_names_split", line, pointer, Grade.WARNING, names="; ".join(part.text for part in parts)
                )
    if look(draft.study, pointer) is not None:
        return
    for index, (name, line) in enumerate(names):
        draft.set(f"{pointer}/{index}", name, line)
    for name, line in names:
        if line not in glued and _is_no_name(name):
            draft.find("record_names_doubtful", line, pointer, Grade.WARNING, words=short(name))
    for line in glued:
        draft.find("record_names_run_together", line, pointer, Grade.WARNING, names=short(line.text))


def _is_no_name(name: str) -> bool:
    """Whether a line of a list begins as a label of a page does, with something behind it, or tells a sentence."""
    words = name.split()
    labelled = any(key_of(" ".join(words[:count])) in LABELS for count in range(2, min(len(words), 6)))
    return labelled or _LABELLED.match(name) is not None or len(words) > 12


def _split(line: Line) -> list[Line]:
    """The names of a line: between semicolons or bars, or where a seam shows that a border was lost."""
    pattern = r"\s*[;|•]\s*" if re.search(r"[;|•]", line.text) else None
    cuts = [0, *(found.end() for found in (re.finditer(pattern, line.text) if pattern else _seams(line.text)))]
    ends = [
        *(found.start() for found in (re.finditer(pattern, line.text) if pattern else _seams(line.text))),
        len(line.text),
    ]
    return [part for start, end in zip(cuts, ends, strict=True) if (part := line.part(start, end)).text]


def _seams(text: str) -> list[re.Match[str]]:
    """Seams between glued names; a name that has capitals inside a word (`mRNA`, `iPhone`) is none."""
    return [found for found in _SEAM.finditer(text) if len(re.split(r"[\s(]", text[: found.start()])[-1]) > 2]


def _could_be_several(text: str) -> bool:
    """Whether one line could be several names with only blanks between: it has a capital after its first word."""
    words = text.split()
    return len(words) >= 2 and any(word[0].isupper() for word in words[1:])


def _a_line_each(found: list[Block]) -> bool:
    """Whether this page writes the names of its lists on lines of their own."""
    lists = [block for block in found if block.key in ("conditions", "keywords", "interventions") and not block.inline]
    for block in lists:
        body = [line for line in block.lines if line.text]
        if (
            len(body) > 1
            and all(len(line.text) < 120 for line in body)
            and (block.key != "interventions" or all(TYPED.match(line.text) for line in body))
        ):
            return True
    return False


def read_intervention_list(draft: Draft, found: list[Block]) -> None:
    """Interventions that are named with their type on one line each, or one after the other: `Drug: A Drug: B`."""
    listed: list[Line] = []
    for block in found:
        body = [line for line in block.lines if line.text] if block.key == "interventions" and not listed else []
        if not body or not all(TYPED.match(line.text) and len(line.text) < 3000 for line in body):
            continue
        for line in body:
            draft.use(line)
            cuts = [0, *(cut.end() for cut in _NEXT.finditer(line.text))]
            ends = [*(cut.start() for cut in _NEXT.finditer(line.text)), len(line.text)]
            listed += [part for a, b in zip(cuts, ends, strict=True) if (part := line.part(a, b)).text]
    if look(draft.study, _INTERVENTIONS) is not None:
        return
    place = 0
    for part in listed:
        typed = TYPED.fullmatch(part.text)
        if typed is None or not (name := draft.clean(typed["name"])):
            continue
        kind = values.word("InterventionType", typed["type"]) or "OTHER"
        draft.set(f"{_INTERVENTIONS}/{place}/type", kind, part.part(*typed.span("type")))
        draft.set(f"{_INTERVENTIONS}/{place}/name", name, part.part(*typed.span("name")))
        place += 1
