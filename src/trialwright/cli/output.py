"""How the command line speaks: findings as lines for people or JSON for machines, and progress on long work."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

from trialwright.cli import configuration
from trialwright.core.finding import Finding, Grade, mend, says


def emit(data: object) -> None:
    """Print JSON for a machine."""
    print(json.dumps(data, ensure_ascii=False, indent=2))


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
        print(f"trialwright: {place}{says(one, language)}\n    {mend(one, language)}", file=sys.stderr)


def has_errors(found: Iterable[Finding]) -> bool:
    """Whether any finding is of error grade."""
    return any(one.grade is Grade.ERROR for one in found)


def plural(number: int, noun: str) -> str:
    """A number with its noun: 1 error, 2 errors."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def progress(text: str) -> None:
    """Show progress on one line of a terminal; say nothing into a file."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
