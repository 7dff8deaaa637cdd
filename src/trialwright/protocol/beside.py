"""Files beside a protocol, such as its scenarios and its rehearsal model: YAML into frozen parts, or why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from trialwright.core.finding import Finding, Refused, finding
from trialwright.protocol.field_faults import fault_in_words
from trialwright.protocol.marked_yaml import Path, read
from trialwright.protocol.protocol import where

_T = TypeVar("_T", bound=BaseModel)

Marks = Mapping[Path, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Beside:
    """A file beside a protocol: its name, and the page that says what may stand in it."""

    name: str
    page: str


def parts_of(kind: type[_T], text: str, file: Beside) -> tuple[_T, Marks]:
    """The parts that a file's text holds, and where each stands; `Refused` with every field that is wrong."""
    marked = read(text, file.name)
    if marked.findings:
        raise Refused(*marked.findings)
    try:
        return kind.model_validate(marked.data), marked.marks
    except ValidationError as wrong:
        faults = (
            field_wrong(marked.marks, tuple(error["loc"]), fault_in_words(error), file)
            for error in wrong.errors(include_url=False)
        )
        raise Refused(*faults) from wrong


def field_wrong(marks: Marks, path: Path, why: str, file: Beside) -> Finding:
    """A finding about one field of a file: where it stands, why it cannot be, and which page says what may."""
    at = where(marks, path, file.name)
    return finding("field_wrong", at, path=".".join(map(str, path)), why=why, page=file.page, file=file.name)
