"""A study of the ClinicalTrials.gov API v2, carried without loss and compared with the shape that it should have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice

from trialwright.core.finding import Finding, Grade, Refused, Where, finding
from trialwright.registry.json_text import NotJson, parse_json
from trialwright.registry.misfits import misfits, unknown_key
from trialwright.registry.record import Json, Place, SamePlaces, escaped

_MOST_FINDINGS = 500
SECTIONS = ("protocolSection", "resultsSection", "annotationSection", "documentSection", "derivedSection", "hasResults")


def read_json(text: str, name: str, escapes: bool) -> tuple[dict[str, Json], Mapping[str, Place], list[Finding]]:
    """The study of a JSON text, untouched; unknown keys and words that no list has are findings, and stay.

    `escapes` says whether characters may be written by their numbers, so that half of a pair may stand alone.
    """
    try:
        data = parse_json(text)
    except NotJson as broken:
        raise Refused(finding("record_json_broken", Where(name), why=broken)) from None
    study = _one_study(data, name)
    found: list[Finding] = []
    if escapes and not _encodes(study):
        study = _mended(study)
        found.append(finding("record_character_broken", Where(name), Grade.WARNING))
    section = misfits(study["protocolSection"], "ProtocolSection", "/protocolSection", name)
    found += islice(section, _MOST_FINDINGS)
    found += (unknown_key(name, f"/{escaped(key)}", key, SECTIONS) for key in study if key not in SECTIONS)
    return study, SamePlaces(study), found


def _one_study(data: Json, name: str) -> dict[str, Json]:
    """The study itself, also where it stands alone in a page of search results."""
    if isinstance(data, dict) and isinstance(data.get("studies"), list):
        data = data["studies"]
    if isinstance(data, list):
        if len(data) != 1:
            raise Refused(finding("record_several", Where(name), count=len(data)))
        data = data[0]
    if not isinstance(data, dict) or not isinstance(data.get("protocolSection"), dict):
        raise Refused(finding("record_not_a_study", Where(name)))
    return data


def _encodes(value: Json) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _mended(value: Json) -> Json:
    """The same with every half of a surrogate pair that has lost the other replaced by U+FFFD."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_mended(each) for each in value]
        case dict():
            return {_mended(key): _mended(each) for key, each in value.items()}
        case _:
            return value
