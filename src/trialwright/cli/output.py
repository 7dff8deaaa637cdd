"""How the command line speaks: findings as lines for people or JSON for machines, and progress on long work."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable
from typing import TextIO

from trialwright.cli import configuration
from trialwright.core.finding import Finding, Grade, mend, says
from trialwright.core.hidden import escaped, visible


class Shown(io.TextIOBase):
    """A stream on which every hidden character stands as a mark: what a record holds moves no cursor, turns no text."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text with its hidden characters as marks."""
        return self._stream.write(visible(text))

    def flush(self) -> None:
        """Write out what waits."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Whether a person looks on."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The number of the file below."""
        return self._stream.fileno()


def emit(data: object) -> None:
    """Print JSON for a machine; hidden characters are escaped, so that they are whole and move nothing."""
    print(escaped(json.dumps(data, ensure_ascii=False, indent=2)))


def findings(found: Iterable[Finding]) -> None:
    """Print findings, a paragraph each: grade, place, what and how to mend it."""
    language = configuration.current().language
    for one in found:
        place = f"{one.where}: " if str(one.where) else ""
        print(f"{one.grade.value}: {place}{says(one, language)}\n    {mend(one, language)}")


def finding_json(one: Finding) -> dict[str, object]:
    """A finding as plain JSON."""
    language = configuration.current().language
    return {
        "code": one.code,
        "grade": one.grade.value,
        "file": one.where.file,
        "line": one.where.line,
        "column": one.where.column,
        "path": one.where.path,
        "says": says(one, language),
        "mend": mend(one, language),
    }


def refuse(found: Iterable[Finding], as_json: bool) -> None:
    """Say why nothing was done, on the error stream."""
    if as_json:
        emit({"refused": [finding_json(one) for one in found]})
        return
    language = configuration.current().language
    for one in found:
        place = f"{one.where}: " if str(one.where) else ""
        print(visible(f"trialwright: {place}{says(one, language)}\n    {mend(one, language)}"), file=sys.stderr)


def has_errors(found: Iterable[Finding]) -> bool:
    """Whether any finding is of error grade."""
    return any(one.grade is Grade.ERROR for one in found)


def plural(number: int, noun: str) -> str:
    """A number with its noun: 1 error, 2 errors."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def progress(text: str) -> None:
    """Show progress on one line of a terminal; say nothing into a file."""
    if sys.stderr.isatty():
        print(f"\r\033[K{visible(text)}", end="", file=sys.stderr, flush=True)
