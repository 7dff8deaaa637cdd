"""What the library keeps of a record: enough to find it, and to say why it is near to another."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

from trialwright.registry.draft_record import at, clean, list_at, text_at

FACETS = ("condition", "intervention", "outcome", "about", "population")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of a record; a part that the record does not have is empty."""

    nct: str
    title: str
    conditions: tuple[str, ...]
    keywords: tuple[str, ...]
    interventions: tuple[str, ...]
    outcomes: tuple[str, ...]
    sex: str
    minimum: str
    maximum: str
    phase: str
    status: str
    sponsor: str
    criteria: str


_KEPT = tuple(field.name for field in fields(Entry))


def entry_of(study: dict[str, Any]) -> Entry:
    """What is kept of a study; every part that is missing, or of another kind, is empty."""
    section = study.get("protocolSection")
    named = list_at(section, "armsInterventionsModule.interventions")
    interventions = [text_at(one, "name") for one in named]
    interventions += [name for one in named for name in _texts(one, "otherNames")]
    outcomes = [
        text_at(one, "measure")
        for kind in ("primary", "secondary")
        for one in list_at(section, f"outcomesModule.{kind}Outcomes")
    ]
    return Entry(
        text_at(section, "identificationModule.nctId").upper(),
        text_at(section, "identificationModule.briefTitle") or text_at(section, "identificationModule.officialTitle"),
        _texts(section, "conditionsModule.conditions"),
        _texts(section, "conditionsModule.keywords")[:30],
        tuple(name for name in interventions if name)[:30],
        tuple(name[:200] for name in outcomes if name)[:30],
        text_at(section, "eligibilityModule.sex"),
        text_at(section, "eligibilityModule.minimumAge"),
        text_at(section, "eligibilityModule.maximumAge"),
        ", ".join(_texts(section, "designModule.phases")),
        text_at(section, "statusModule.overallStatus"),
        text_at(section, "sponsorCollaboratorsModule.leadSponsor.name"),
        _criteria(section),
    )


def key_of(entry: Entry, content: bytes = b"") -> str:
    """By what the library knows a record: its registry number, or the digest of what is kept where it has none."""
    return entry.nct or f"UNNUMBERED-{hashlib.sha256(content or content_of(entry)).hexdigest()[:12].upper()}"


def content_of(entry: Entry) -> bytes:
    """The entry as JSON, the same bytes for the same entry."""
    kept = {name: getattr(entry, name) for name in _KEPT}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()


def entry_in(content: bytes) -> Entry:
    """The entry that `content_of` wrote."""
    told = json.loads(content)
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in told.items()}
    return Entry(**values)


def facet_texts(entry: Entry) -> dict[str, str]:
    """The words of an entry by which it is found, facet by facet."""
    return {
        "condition": " ; ".join((*entry.conditions, *entry.keywords)),
        "intervention": " ; ".join(entry.interventions),
        "outcome": " ; ".join(entry.outcomes),
        "about": entry.title,
        "population": entry.criteria,
    }


def _criteria(section: object) -> str:
    found = at(section, "eligibilityModule.eligibilityCriteria")
    return clean(found[:1000]) if isinstance(found, str) else ""


def _texts(section: object, path: str) -> tuple[str, ...]:
    return tuple(clean(one) for one in list_at(section, path) if isinstance(one, str))
