"""Findings: what is wrong with what a user gave us, where, why, and how to mend it.

A finding holds a code and values; its sentences come from a catalogue of templates, so that they can be
translated. The files in `messages/` are English and complete; another language lies in a folder of its
own (`messages/zh/`) and falls back to English code by code.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from importlib import resources
from types import MappingProxyType


class Grade(Enum):
    """How much a finding matters: an error stops the work, a warning wants a look, a note informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """A place in a file (line and column from 1), or a path inside a document or ledger."""

    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.line:
            return f"{self.file}:{self.line}" + (f":{self.column}" if self.column else "")
        return " ".join(part for part in (self.file, self.path) if part)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: a code of the catalogue, its values, a grade and a place."""

    code: str
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    where: Where = Where()
    grade: Grade = Grade.ERROR

    def __str__(self) -> str:
        return text(self)


class Refused(Exception):
    """A user's request cannot be carried out; the findings say why and how to mend it."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(text(finding) for finding in findings))
        self.findings = findings


def finding(code: str, where: Where = Where(), grade: Grade = Grade.ERROR, **values: object) -> Finding:
    """A finding with its values as text.

    >>> print(finding("file_missing", path="trial.yaml"))
    There is no file trial.yaml. Check the path, or give the folder of a protocol.
    """
    return Finding(code, MappingProxyType({name: str(value) for name, value in values.items()}), where, grade)


def unreadable(wrong: OSError | UnicodeError) -> str:
    """Why a file cannot be read, for the middle of a sentence."""
    if isinstance(wrong, OSError):
        return wrong.strerror or "the system does not give it"
    return "it is not UTF-8 text"


def says(found: Finding, language: str = "en") -> str:
    """What was found, as a sentence."""
    return _fill(_template(found.code, language)["says"], found.values, language)


def mend(found: Finding, language: str = "en") -> str:
    """How to mend it, as a sentence."""
    return _fill(_template(found.code, language)["mend"], found.values, language)


def text(found: Finding, language: str = "en") -> str:
    """Both sentences."""
    return f"{says(found, language)} {mend(found, language)}".strip()


def languages() -> tuple[str, ...]:
    """The languages that findings can be told in: English, and each that has a folder of messages."""
    folder = resources.files("trialwright.core") / "messages"
    return ("en", *sorted(entry.name for entry in folder.iterdir() if entry.is_dir()))


def codes() -> frozenset[str]:
    """Every code of the catalogue."""
    return frozenset(_catalogue("en"))


def fields(code: str) -> frozenset[str]:
    """The values that a code's templates name."""
    template = _template(code, "en")
    return frozenset(name for part in template.values() for _, name, _, _ in string.Formatter().parse(part) if name)


def _template(code: str, language: str) -> Mapping[str, str]:
    return _catalogue(language).get(code) or _catalogue("en")[code]


def _fill(template: str, values: Mapping[str, str], language: str) -> str:
    words = _words(language)
    return template.format_map({name: words.get(value, value) for name, value in values.items()})


@cache
def _catalogue(language: str) -> Mapping[str, Mapping[str, str]]:
    folder = resources.files("trialwright.core") / "messages"
    if language != "en":
        folder = folder / language
    if not folder.is_dir():
        return {}
    files = sorted((file for file in folder.iterdir() if _holds_messages(file.name)), key=lambda file: file.name)
    return {code: entry for file in files for code, entry in tomllib.loads(file.read_text("utf-8")).items()}


@cache
def _words(language: str) -> Mapping[str, str]:
    """How a language calls what is filled into its sentences; what it does not call stays as it is."""
    file = resources.files("trialwright.core") / "messages" / language / _WORDS
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}


def _holds_messages(name: str) -> bool:
    return name.endswith(".toml") and name != _WORDS


_WORDS = "words.toml"
