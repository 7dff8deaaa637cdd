"""Coverage: every sentence of the record is executed by something, assumed, described, open, or furniture.

A sentence is dropped as soon as one word of it is quoted nowhere; what is quoted in several places is accounted for
by all of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import BaseModel

from trialwright.core.finding import Finding, Grade, Where, finding
from trialwright.protocol.marked_yaml import Path
from trialwright.protocol.protocol import Protocol
from trialwright.protocol.protocol import where as place

Account: TypeAlias = Literal["executed", "assumed", "open", "described", "furniture", "dropped"]
#: Where a sentence is accounted for in several ways, the first of these names it.
ORDER: tuple[Account, ...] = ("dropped", "open", "executed", "assumed", "described", "furniture")

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=[A-Z(])")
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the record: its line, how and by what it is accounted for, and the words left over."""

    line: int
    text: str
    account: Account
    by: tuple[str, ...]
    dropped: str = ""


@dataclass(frozen=True, slots=True)
class _Quote:
    text: str
    account: Account
    by: str
    path: Path


def coverage(protocol: Protocol) -> tuple[list[Sentence], list[Finding]]:
    """Every sentence of the record with its account, and a finding for each that is dropped or misquoted."""
    text, origin = _flat(protocol.record)
    lines = {_squeeze(line) for line in protocol.record.splitlines()}
    edges = _edges(origin)
    covered: list[set[tuple[Account, str]]] = [set() for _ in text]
    findings = []
    for quote in _quotes(protocol):
        wanted = _squeeze(quote.text)
        whole = wanted in lines  # a quotation that is a whole line somewhere means that line, not the word elsewhere
        start = _find(text, wanted, 0, whole, edges)
        if start < 0:
            where = place(protocol.marks, quote.path)
            findings.append(finding("quote_not_in_record", where, Grade.ERROR, path=quote.by, quote=wanted))
        while start >= 0:
            for index in range(start, start + len(wanted)):
                covered[index].add((quote.account, quote.by))
            start = _find(text, wanted, start + 1, whole, edges)
    sentences = [_sentence(text, covered, origin, start, end) for start, end in _sentences(protocol.record, text)]
    for sentence in sentences:
        if sentence.account == "dropped":
            where = Where(protocol.document.record, sentence.line)
            findings.append(finding("sentence_dropped", where, Grade.ERROR, words=sentence.dropped))
    return sentences, findings


def totals(sentences: list[Sentence]) -> dict[str, int]:
    """How many sentences are accounted for in which way."""
    counts = Counter(sentence.account for sentence in sentences)
    return {account: counts[account] for account in ORDER}


def _flat(record: str) -> tuple[str, list[int]]:
    """The record with all white space as single blanks, and for each character its line."""
    characters: list[str] = []
    lines: list[int] = []
    for number, line in enumerate(record.splitlines(), 1):
        squeezed = _squeeze(line)
        if squeezed:
            characters.extend(squeezed + " ")
            lines.extend([number] * (len(squeezed) + 1))
    return "".join(characters), lines


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _edges(origin: list[int]) -> set[int]:
    """Where a line begins in the flat text."""
    return {index for index, line in enumerate(origin) if index == 0 or origin[index - 1] != line}


def _find(text: str, wanted: str, start: int, whole: bool, edges: set[int]) -> int:
    """The next place where the words stand as whole words, or as a whole line."""
    while (start := text.find(wanted, start)) >= 0:
        if whole:
            end = start + len(wanted) + 1
            if start in edges and (end in edges or end >= len(text)):
                return start
            start += 1
            continue
        before, after = text[start - 1 : start], text[start + len(wanted) : start + len(wanted) + 1]
        if not (before.isalnum() and wanted[:1].isalnum()) and not (after.isalnum() and wanted[-1:].isalnum()):
            return start
        start += 1
    return -1


def _sentences(record: str, text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence begins and ends in the flat text: lines, split where a sentence ends inside one."""
    position = 0
    for line in record.splitlines():
        squeezed = _squeeze(line)
        if not squeezed:
            continue
        for part in _SENTENCE_END.split(squeezed):
            start = text.index(part, position)
            position = start + len(part)
            yield start, position


def _sentence(text: str, covered: list[set[tuple[Account, str]]], origin: list[int], start: int, end: int) -> Sentence:
    by: dict[tuple[Account, str], None] = {}
    dropped = []
    for word in _WORD.finditer(text, start, end):
        accounts = set.intersection(*(covered[index] for index in range(word.start(), word.end())))
        if not accounts:
            dropped.append(word.group())
        by.update(dict.fromkeys(sorted(accounts)))
    kinds: list[Account] = [kind for kind, _ in by]
    account: Account = "dropped" if dropped else min(kinds, key=ORDER.index) if kinds else "furniture"
    names = tuple(dict.fromkeys(name for _, name in by))
    return Sentence(origin[start], text[start:end], account, names, " ".join(dropped))


def _quotes(protocol: Protocol) -> Iterator[_Quote]:
    document = protocol.document
    for name, assumption in document.assumptions.items():
        account: Account = "assumed" if assumption.choice else "open"
        for quote in assumption.quotes:
            yield _Quote(quote, account, f"assumptions.{name}", ("assumptions", name, "from"))
    for quote in document.coverage.described:
        yield _Quote(quote, "described", "coverage.described", ("coverage", "described"))
    for quote in document.coverage.furniture:
        yield _Quote(quote, "furniture", "coverage.furniture", ("coverage", "furniture"))
    for index, words in enumerate(document.coverage.open):
        for quote in words.quotes:
            yield _Quote(quote, "open", f"coverage.open: {words.question}", ("coverage", "open", index))
    for path, part in _parts(document, ()):
        if path[:1] not in (("assumptions",), ("coverage",)):
            for quote in getattr(part, "quotes", ()):
                yield _Quote(quote, "executed", ".".join(map(str, path)), (*path, "from"))


def _parts(value: object, path: Path) -> Iterator[tuple[Path, BaseModel]]:
    """Every model inside the document, with its path."""
    if isinstance(value, BaseModel):
        yield path, value
        for name, info in type(value).model_fields.items():
            yield from _parts(getattr(value, name), (*path, info.alias or name))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _parts(inner, (*path, key))
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _parts(inner, (*path, index))


def quoted_by(protocol: Protocol, path: str) -> tuple[str, ...]:
    """The words of the record that the part of the protocol at this dotted path executes, or its nearest ancestor."""
    best: tuple[str, ...] = ()
    depth = -1
    for part_path, part in _parts(protocol.document, ()):
        dotted = ".".join(map(str, part_path))
        quotes = getattr(part, "quotes", ())
        if quotes and (path == dotted or path.startswith(dotted + ".")) and len(part_path) > depth:
            best, depth = quotes, len(part_path)
    return best
