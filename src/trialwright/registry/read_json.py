"""A study of the ClinicalTrials.gov API v2, carried without loss and compared with the shape that it should have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches

from trialwright.core.finding import Finding, Grade, Refused, Where, finding
from trialwright.registry.record import Json, Place, SamePlaces
from trialwright.registry.shape import OBJECTS, WORDS
from trialwright.registry.values import is_date

#: How deep objects and lists may nest; a study of the registry with results has 16 levels.
DEEPEST = 100
_MOST_FINDINGS = 500
SECTIONS = ("protocolSection", "resultsSection", "annotationSection", "documentSection", "derivedSection", "hasResults")


def read_json(text: str, name: str) -> tuple[dict[str, Json], Mapping[str, Place], list[Finding]]:
    """The study of a JSON text, untouched; unknown keys and words that no list has are findings, and stay."""
    try:
        data = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError) as broken:
        why = "it nests too deep" if isinstance(broken, RecursionError) else str(broken)
        raise Refused(finding("record_json_broken", Where(name), why=why)) from None
    study = _one_study(data, name)
    found: list[Finding] = []
    if "\\u" in text and not _encodes(study):
        study = _mended(study)
        found.append(finding("record_character_broken", Where(name), Grade.WARNING))
    _compare(study["protocolSection"], "ProtocolSection", "/protocolSection", name, found)
    for key in study:
        if key not in SECTIONS:
            found.append(_unknown(name, f"/{key}", key, SECTIONS))
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


def _compare(value: Json, kind: str, pointer: str, name: str, found: list[Finding]) -> None:
    """Compare a value with its kind; what does not fit is a finding at its pointer, up to a number of them."""
    if len(found) >= _MOST_FINDINGS:
        return
    if kind[0] == "[":
        if type(value) is not list:
            found.append(_wrong(name, pointer, "a list", value))
            return
        inner = kind[1:-1]
        words = WORDS.get(inner)
        for index, each in enumerate(value):
            if type(each) is str and (inner == "text" or (words is not None and each in words)):
                continue
            _compare(each, inner, f"{pointer}/{index}", name, found)
    elif (keys := OBJECTS.get(kind)) is not None:
        if type(value) is not dict:
            found.append(_wrong(name, pointer, "an object", value))
            return
        for key, each in value.items():
            inner = keys.get(key, "")
            if inner == "text" and type(each) is str:  # most values, so without a call
                continue
            if inner:
                _compare(each, inner, f"{pointer}/{key}", name, found)
            else:
                found.append(_unknown(name, f"{pointer}/{key}", key, keys))
    elif (words := WORDS.get(kind)) is not None:
        if type(value) is not str or value not in words:
            found.append(_wrong(name, pointer, f"one of {', '.join(words)}", value))
    elif not _fits(value, kind):
        found.append(_wrong(name, pointer, _KINDS[kind], value))


_KINDS = {
    "text": "a text",
    "yes or no": "true or false",
    "count": "a whole number",
    "number": "a number",
    "date": "a date as in 2026-03-09",
    "partial date": "a date as in 2026-03-09, 2026-03 or 2026",
}


def _fits(value: Json, kind: str) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "yes or no":
            return isinstance(value, bool)
        case "count":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return isinstance(value, str) and is_date(value, partial=kind == "partial date")


def _wrong(name: str, pointer: str, expected: str, value: Json) -> Finding:
    given = json.dumps(value, ensure_ascii=True)
    given = given if len(given) <= 60 else f"{given[:57]}..."
    return finding("record_value", Where(name, path=pointer), Grade.WARNING, expected=expected, given=given)


def _unknown(name: str, pointer: str, key: str, keys: Mapping[str, str] | tuple[str, ...]) -> Finding:
    near = get_close_matches(key[:100], keys, n=1)
    nearest = f" Did you mean `{near[0]}`?" if near else ""
    shown = key if len(key) <= 60 else f"{key[:57]}..."
    return finding("record_key", Where(name, path=pointer), Grade.WARNING, key=shown, nearest=nearest)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:60]!r} stands twice in one object")
    return made


def _no_constant(word: str) -> Json:
    raise ValueError(f"{word} is not a value of JSON")


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
