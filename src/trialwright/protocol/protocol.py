"""The protocol ready to run: the document, its names for the language, and every rule checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from trialwright.core.finding import Where
from trialwright.core.interval import Interval
from trialwright.language.typed import Typed
from trialwright.language.vocabulary import Vocabulary
from trialwright.protocol.document import Document
from trialwright.protocol.marked_yaml import Path


@dataclass(frozen=True, slots=True)
class Criterion:
    """One eligibility criterion: eligible needs every inclusion yes and every exclusion no."""

    name: str
    kind: Literal["inclusion", "exclusion"]
    rule: Typed
    quotes: tuple[str, ...]
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """A distance in calendar units from an anchor; `amount` is None where `each` gives it."""

    anchor: str
    amount: int | None = 0
    calendar: str = "days"


@dataclass(frozen=True, slots=True)
class Limits:
    """Outside `possible` a value is refused; outside `plausible` it is queried. In the item's canonical unit."""

    possible: Interval | None = None
    plausible: Interval | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol version: immutable, and known by its digest.

    `rules` maps the path of every other expression in the document (`endpoints.x.proportion`) to its typed form.
    `limits` are keyed by item, or by `record.field`. `files` are the bytes that the digest covers.
    """

    document: Document
    digest: str
    files: Mapping[str, bytes]
    record: str
    marks: Mapping[Path, tuple[int, int]]
    vocabulary: Vocabulary
    products: Mapping[str, Vocabulary]  # what may be asked of a lot
    donors: Mapping[str, Vocabulary]  # of a donor
    units: Mapping[str, Vocabulary]  # of a unit: what is known of its lot, and of itself
    criteria: tuple[Criterion, ...]
    rules: Mapping[str, Typed]
    timings: Mapping[str, Timing]
    limits: Mapping[str, Limits]
    checks_of: Mapping[str, tuple[str, ...]]  # item -> the edit checks that ask for it


def where(protocol_marks: Mapping[Path, tuple[int, int]], path: Path, file: str = "protocol.yaml") -> Where:
    """Where a path of the document stands, or the nearest part of it that is known."""
    for length in range(len(path), -1, -1):
        if path[:length] in protocol_marks:
            line, column = protocol_marks[path[:length]]
            return Where(file, line, column, ".".join(map(str, path)))
    return Where(file, path=".".join(map(str, path)))


def label(protocol: Protocol, name: str, language: str = "en") -> str:
    """How the protocol calls an item, a record, an encounter, an arm or an endpoint, in the reader's language."""
    document = protocol.document
    for group in (
        document.items,
        document.records,
        document.schedule.encounters,
        document.arms,
        document.endpoints,
        document.derivations,
        document.interventions,
        document.products,
    ):
        if name in group:
            text = group[name].label
            return (text.zh if language == "zh" and text.zh else text.en) or name
    for kind in document.records.values():
        if name in kind.fields:
            text = kind.fields[name].label
            return (text.zh if language == "zh" and text.zh else text.en) or name
    return name
