"""Criteria as free text to drafts of the protocol language: what is fully understood is computed, the rest is asked.

A draft is never half a criterion. Where every word was read, its rule is computed; where a diagnosis or procedure is
named that the lexicon does not know, an item asks for it by its own words; whatever is left is attested as written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from trialwright.core.finding import Finding, Refused, says
from trialwright.language.check import Checked, check, expect
from trialwright.language.parse import MAX_LENGTH, parse
from trialwright.language.vocabulary import Record, Vocabulary
from trialwright.protocol.naming import Reading, item_of
from trialwright.registry.criteria_reading import Read, reading_of
from trialwright.registry.criteria_text import Kind, Listed, Listing, listed
from trialwright.registry.criteria_tokens import Token, person, tokens
from trialwright.registry.criteria_words import lexicon, parsed_part, part_of

By: TypeAlias = Literal["rule", "words", "judged", "as written", "model"]
Confidence: TypeAlias = Literal["high", "medium", "low"]

#: A criterion beyond this is attested as written: nobody could check a draft of it.
MAX_CRITERION = 600
#: A longer one says more than that she consents, or complies.
_SAME_FOR_ALL = 320


@dataclass(frozen=True, slots=True)
class Draft:
    """One criterion, or a part of one, as the language says it.

    `rule` is an expression that parses and checks over `items`, `records` and `relatives`. `by` says how it came about,
    `questions` what was not understood or had to be chosen, `proposal` what could be read of words that are attested.
    """

    name: str
    kind: Kind
    text: str
    start: int
    end: int
    rule: str
    by: By
    confidence: Confidence
    items: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    partner: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    proposal: str = ""
    context: str = ""


def criteria(text: str, sex: str = "") -> tuple[Listing, tuple[Draft, ...]]:
    """The numbered criteria of a text and a draft of each. `sex` is female or male where the record says so.

    Any text is answered; what is not understood comes back as written, with a question.

    >>> _, drafts = criteria("Inclusion Criteria: 1. Antral follicle count (AFC) ≥6 2. Nice people")
    >>> [(one.name, one.rule, one.confidence) for one in drafts]
    [('I1', 'afc >= 6', 'high'), ('I2', 'i2_as_written', 'low')]
    """
    listing = listed(text)
    drafts: list[Draft] = []
    for one in listing.criteria:
        drafts.extend(draft_of(one, bool(sex)))
    return listing, _distinct(drafts)


def draft_of(one: Listed, one_sex: bool = False) -> list[Draft]:
    """The drafts of one criterion: several where it joins what can be answered apart."""
    known = lexicon()
    if len(one.text) > MAX_CRITERION:
        return [as_written(one, f"It is longer than {MAX_CRITERION} characters.")]
    if exception := known.exception.search(one.text):
        return [as_written(one, f"“{exception[0]}” makes an exception, which is not computed.")]
    found = tokens(one.text, one_sex)
    conjunction, segments, lead, doubts = _segments(found, one.kind)
    drafts = [_segment(one, segment, lead, len(segments) > 1) for segment in segments]
    if len(drafts) > 1 and (None in drafts or not any(draft and draft.by == "rule" for draft in drafts)):
        entire = _segment(one, found, [], False)
        if entire is not None and entire.by == "rule":
            drafts = [entire]
    computed = [draft for draft in drafts if draft is not None and draft.by == "rule"]
    whole = [draft for draft in drafts if draft is not None]
    if not computed or len(whole) < len(drafts) or (len(drafts) == 1 and not computed):
        return [_without_rule(one, found)]
    for index, draft in enumerate(whole):
        questions = tuple(dict.fromkeys((*one.doubts, *(doubts if not index else ()), *draft.questions)))
        lowered = "medium" if questions and draft.confidence == "high" else draft.confidence
        whole[index] = replace(draft, questions=questions, confidence=lowered)
    if len(whole) == 1:
        return whole
    apart = "AND" if one.kind == "inclusion" else "OR"
    if conjunction == apart:
        letters = "abcdefghijklmnopqrstuvwxyz"
        if len(whole) <= len(letters):
            return _covering(
                one, [replace(draft, name=f"{one.name}{letter}") for draft, letter in zip(whole, letters, strict=False)]
            )
    joined = f" {conjunction.lower()} ".join(_bracketed(draft.rule) for draft in whole)
    return [_checked(_joined(one, whole, joined), one)]


def as_written(one: Listed, why: str, proposal: str = "") -> Draft:
    """A criterion that is attested in its own words, with the question why nothing of it is computed."""
    item = f"{one.name.lower()}_as_written"
    label = {"en": _label(one.text)}
    part = {"is": "attestation", "role": "investigator", "label": label}
    return Draft(
        one.name, one.kind, one.text, one.start, one.end, item, "as written", "low", {item: part},
        questions=(*one.doubts, why), proposal=proposal, context=one.context,
    )  # fmt: skip


def vocabulary_of(draft: Draft) -> Vocabulary:
    """What the rule of a draft may name."""
    reading = Reading({})
    items = {name: item_of(name, parsed_part(part), ("items", name), reading) for name, part in draft.items.items()}
    records = {
        name: Record(
            name, {key: item_of(key, parsed_part(part), (key,), reading) for key, part in kind["fields"].items()}, ""
        )
        for name, kind in draft.records.items()
    }
    relatives = {"partner": frozenset(draft.partner)} if draft.partner else {}
    return Vocabulary(items, records, relatives, frozenset(), {}, {})


def fault_of(rule: str, vocabulary: Vocabulary) -> str:
    """What the language has against a rule, as a sentence; empty where it parses, checks, and is yes or no."""
    if len(rule) > MAX_LENGTH:
        return "The rule is too long."
    parsed = parse(rule)
    if isinstance(parsed, Finding):
        return says(parsed)
    try:
        expect(check(parsed, Checked(vocabulary)), "truth")
    except Refused as refused:
        return says(refused.findings[0])
    return ""


def slug(text: str, most: int = 5) -> str:
    """A name of the protocol from words: lower-case letters, digits and `_`.

    >>> slug("History of vascular disease!")
    'history_of_vascular_disease'
    """
    words = re.findall(r"[a-z0-9]+", text.lower())[:most]
    name = "_".join(words)[:48].strip("_")
    if not name or not name[0].isalpha() or name in _RESERVED:
        name = f"item_{name}".rstrip("_")
    return name


_RESERVED = (
    "and",
    "or",
    "not",
    "in",
    "where",
    "satisfies",
    "within",
    "on",
    "at",
    "date",
    "sex",
    "age",
    "birth_date",
    "partner",
    "normal",
)


def _segment(one: Listed, found: Sequence[Token], lead: Sequence[Token], part: bool) -> Draft | None:
    """The draft of a part that is understood as a whole, or by its words; None where it is neither."""
    if not found:
        return None
    start, end = one.start + found[0].start, one.start + found[-1].end
    text = one.text[found[0].start : found[-1].end] if part else one.text
    read = reading_of([*lead, *found], person(one.text))
    if read is not None:
        return _computed(one, read, text, *((start, end) if part else (one.start, one.end)))
    if not part or any(token.kind in ("NUM", "CMP", "COLON", "LPAR") for token in found) or len(text.split()) < 2:
        return None
    return _by_words(replace(one, text=text, start=start, end=end))


def _computed(one: Listed, read: Read, text: str, start: int, end: int) -> Draft | None:
    items = {name: dict(part) for name, part in read.items.items()}
    draft = Draft(
        one.name, one.kind, text, start, end, read.rule, "rule", "medium" if read.doubts else "high", items,
        dict(read.records), tuple(read.partner), tuple(read.doubts), context=one.context,
    )  # fmt: skip
    fault = fault_of(read.rule, vocabulary_of(draft))
    return None if fault else draft


def _checked(draft: Draft, one: Listed) -> Draft:
    fault = fault_of(draft.rule, vocabulary_of(draft))
    return as_written(one, fault, draft.rule) if fault else draft


def _without_rule(one: Listed, found: Sequence[Token]) -> Draft:
    """Judged by a person, asked by its own words, or attested as written."""
    proposal = _proposal(found)
    for judged in lexicon().judged:
        if judged.kind not in ("", one.kind) or (judged.kind and len(one.text) > _SAME_FOR_ALL):
            continue
        if judged.pattern.search(one.text) and not (judged.unless and judged.unless.search(one.text)):
            name = f"{judged.name}_{one.name.lower()}" if judged.own else judged.name
            label = {"en": _label(one.text)} if judged.own else dict(judged.label)
            part = {"is": "attestation", "role": "investigator", "label": label}
            questions = (
                *one.doubts,
                *((f"A person judges this; what was read of it: {proposal}",) if proposal else ()),
            )
            confidence: Confidence = "medium" if judged.own or questions or len(one.text) > 200 else "high"
            return Draft(
                one.name, one.kind, one.text, one.start, one.end, name, "judged", confidence, {name: part},
                questions=questions, proposal=proposal, context=one.context,
            )  # fmt: skip
    if not proposal and (drafted := _by_words(one)):
        return drafted
    unread = " ".join(token.value for token in found if token.kind == "WORD")[:120]
    why = f"Not understood: “{unread}”." if unread else "Its words are known, and what they say together is not."
    if proposal:
        why += f" What was read of it: {proposal}"
    return as_written(one, why, proposal)


def _by_words(one: Listed) -> Draft | None:
    """A diagnosis or a procedure that the lexicon does not know, as an item that asks for it in its own words."""
    known = lexicon()
    words = one.text.strip(" .;,").split()
    names_one = known.diagnosis.search(one.text) or any(token.kind == "COND" for token in tokens(one.text))
    if len(words) > 16 or not names_one or re.search(r"[<>≤≥=]|\d", one.text):
        return None
    name = slug(re.sub(r"\([^)]*\)", " ", one.text))
    part: dict[str, Any] = {"is": "yes_no", "label": {"en": _label(one.text)}}
    question = "Asked by its own words; whether they are precise enough is for the investigator."
    return Draft(
        one.name, one.kind, one.text, one.start, one.end, name, "words", "medium", {name: part},
        questions=(*one.doubts, question), context=one.context,
    )  # fmt: skip


def _proposal(found: Sequence[Token]) -> str:
    """Limits that can be read inside words that as a whole cannot."""
    told = []
    for start, token in enumerate(found):
        if token.kind not in ("ITEM", "RECORD"):
            continue
        for end in range(min(len(found), start + 14), start + 1, -1):
            read = reading_of(found[start:end], False)
            if read is not None:
                if not any("unit" in doubt for doubt in read.doubts):
                    told.append(read.rule)
                break
    return "; ".join(dict.fromkeys(told))


def _segments(found: list[Token], kind: Kind) -> tuple[str, list[list[Token]], list[Token], tuple[str, ...]]:
    """The conjunction on top, the parts that it joins, what leads each of them, and what was chosen in finding it."""
    found, lead = _led(found)
    depth, marks = 0, []
    for index, token in enumerate(found):
        depth += (token.kind == "LPAR") - (token.kind == "RPAR")
        if depth == 0 and token.kind in ("SEMI", "STOP", "COMMA", "AND", "OR"):
            between = any(earlier.kind == "BETWEEN" for earlier in found[max(0, index - 3) : index])
            if not (token.kind == "AND" and between):
                marks.append((index, token.kind))
    kinds = {mark for _, mark in marks}
    default = "AND" if kind == "inclusion" else "OR"
    doubts: tuple[str, ...] = ()
    joined = [
        mark
        for position, (index, mark) in enumerate(marks)
        if position and mark in ("AND", "OR") and marks[position - 1] == (index - 1, "COMMA")
    ]
    if kinds & {"SEMI", "STOP"}:
        conjunction, cuts = default, {"SEMI", "STOP"}
    elif "COMMA" in kinds:
        alone = [mark for _, mark in marks if mark in ("AND", "OR")]
        conjunction = joined[-1] if joined else (alone[-1] if alone else default)
        cuts = {"COMMA"} if joined else {"COMMA", conjunction}
    elif "OR" in kinds:
        conjunction, cuts = "OR", {"OR"}
        if "AND" in kinds:
            doubts = ("`and` and `or` stand beside each other; `and` was read as binding more tightly.",)
    else:
        conjunction, cuts = "AND", {"AND"}
    segments: list[list[Token]] = [[]]
    positions = {index for index, mark in marks if mark in cuts}
    for index, token in enumerate(found):
        if index in positions:
            segments.append([])
        elif token.kind in ("AND", "OR") and not segments[-1]:
            continue  # behind a comma
        else:
            segments[-1].append(token)
    segments = [segment for segment in segments if segment]
    negated = [segment[0].kind == "NOT" for segment in segments]
    if (
        len(segments) > 1
        and conjunction == "OR"
        and negated == [True, *[False] * (len(segments) - 1)]
        and segments[0][1:]
    ):
        return "AND", [segments[0][1:], *segments[1:]], segments[0][:1], doubts  # no A or B: neither of them
    if kind == "exclusion" and conjunction == "AND" and len(segments) > 1 and _only_conditions(segments):
        return "OR", segments, lead, (*doubts, "What excludes is joined by `and`; any one of it was read as excluding.")
    return conjunction, segments, lead, doubts


def _only_conditions(segments: list[list[Token]]) -> bool:
    return all({token.kind for token in segment} <= {"COND", "WORD", "PARTNER", "EVENT", "OR"} for segment in segments)


def _led(found: list[Token]) -> tuple[list[Token], list[Token]]:
    """What stands before a colon and holds for everything behind it: negative within 6 months for: ..."""
    colon = next((index for index, token in enumerate(found) if token.kind == "COLON"), None)
    if colon is None:
        return found, []
    lead, rest = found[:colon], found[colon + 1 :]
    if not lead:
        return rest, []
    if lead[0].kind in ("NEGATIVE", "POSITIVE") and all(
        token.kind in ("NEGATIVE", "POSITIVE", "WITHIN", "NUM", "CAL", "EVENT") for token in lead
    ):
        return rest, lead
    return found, []


def _joined(one: Listed, whole: Sequence[Draft], rule: str) -> Draft:
    """One draft from the drafts of its parts."""
    items: dict[str, Mapping[str, Any]] = {}
    records: dict[str, Mapping[str, Any]] = {}
    for draft in whole:
        items |= draft.items
        records |= draft.records
    order: list[Confidence] = ["low", "medium", "high"]
    return Draft(
        one.name, one.kind, one.text, one.start, one.end, rule, "rule",
        min((draft.confidence for draft in whole), key=order.index), items, records,
        tuple(name for draft in whole for name in draft.partner),
        tuple(dict.fromkeys(question for draft in whole for question in draft.questions)), context=one.context,
    )  # fmt: skip


def _covering(one: Listed, drafts: list[Draft]) -> list[Draft]:
    """The parts of a criterion with spans that leave none of its words between them."""
    starts = [one.start, *(draft.start for draft in drafts[1:])]
    ends = [*starts[1:], one.end]
    out = []
    for draft, start, end in zip(drafts, starts, ends, strict=True):
        text = one.text[start - one.start : end - one.start].rstrip()
        out.append(replace(draft, start=start, end=start + len(text), text=text))
    return out


def _bracketed(rule: str) -> str:
    return f"({rule})" if re.search(r" (and|or) ", rule) else rule


def _label(text: str) -> str:
    words = " ".join(text.replace("\\", "").split())
    return words if len(words) <= 300 else f"{words[:297]}..."


def _distinct(drafts: list[Draft]) -> tuple[Draft, ...]:
    """Drafts whose items of one name are one item: an item asked by other words gets another name."""
    labels: dict[str, Any] = {}
    out = []
    for draft in drafts:
        renamed = {}
        for name, part in draft.items.items():
            if draft.by in ("words", "judged") and name in labels and labels[name] != part["label"]:
                renamed[name] = f"{name}_{draft.name.lower()}"
        if renamed:
            items = {renamed.get(name, name): part for name, part in draft.items.items()}
            draft = replace(draft, items=items, rule=renamed.get(draft.rule, draft.rule))
        labels |= {name: part["label"] for name, part in draft.items.items()}
        out.append(draft)
    return tuple(out)


__all__ = ["Draft", "Listing", "as_written", "criteria", "draft_of", "fault_of", "part_of", "slug", "vocabulary_of"]
