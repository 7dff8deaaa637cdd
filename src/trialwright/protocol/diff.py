"""What differs between two versions of a protocol: clause by clause, and line by line of the file."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass
from typing import Literal, TypeAlias

from trialwright.protocol.protocol import Protocol
from trialwright.protocol.reading import Clause, Line, chapters

How: TypeAlias = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Changed:
    """One line of a clause in the earlier and in the later version; empty where it is not there."""

    of: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a clause: in which chapter, and what it said before and says now."""

    chapter: str
    path: str
    title: str
    how: How
    lines: tuple[Changed, ...]


def changes(old: Protocol, new: Protocol) -> list[Change]:
    """Every clause that was added, removed or changed, in the order of the later version, removed ones last."""
    before = {one.path: (chapter.title, one) for chapter in chapters(old) for one in chapter.clauses}
    after = {one.path: (chapter.title, one) for chapter in chapters(new) for one in chapter.clauses}
    found = []
    for path, (chapter, clause) in after.items():
        if path not in before:
            found.append(Change(chapter, path, clause.title, "added", _pairs((), _said(clause))))
            continue
        lines = _pairs(_said(before[path][1]), _said(clause))
        if lines:
            found.append(Change(chapter, path, clause.title, "changed", lines))
    for path, (chapter, clause) in before.items():
        if path not in after:
            found.append(Change(chapter, path, clause.title, "removed", _pairs(_said(clause), ())))
    return found


def file_difference(old: Protocol, new: Protocol, context: int = 2) -> list[tuple[str, str]]:
    """The lines that differ in each file, with a few around them: each with `+`, `-`, `@` or a blank before it."""
    told = []
    for name in sorted({*old.files, *new.files}):
        before, after = (one.files.get(name, b"").decode("utf-8", "replace").splitlines() for one in (old, new))
        for line in difflib.unified_diff(before, after, name, name, n=context, lineterm=""):
            if not line.startswith(("---", "+++")):
                told.append((line[:1], f"{name} {line}" if line.startswith("@") else line[1:]))
    return told


def _said(clause: Clause) -> tuple[Line, ...]:
    """Everything that a clause says, its title and the words of the record among it."""
    quotes = tuple(Line("Words of the record", words) for words in clause.quotes)
    assumed = tuple(Line("Assumes", name.replace("_", " ")) for name in clause.assumes)
    return (Line("Title", clause.title), *quotes, *clause.lines, *assumed)


def _pairs(old: tuple[Line, ...], new: tuple[Line, ...]) -> tuple[Changed, ...]:
    """What was said of one thing before beside what is said of it now; what is said alike is left out."""
    gone = list((Counter((one.of, one.text) for one in old) - Counter((one.of, one.text) for one in new)).elements())
    come = list((Counter((one.of, one.text) for one in new) - Counter((one.of, one.text) for one in old)).elements())
    made = []
    for of, text in gone:
        same = next((one for one in come if one[0] == of), None)
        if same is not None:
            come.remove(same)
        made.append(Changed(of, text, same[1] if same else ""))
    return (*made, *(Changed(of, "", text) for of, text in come))
