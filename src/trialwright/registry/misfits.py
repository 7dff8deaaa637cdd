"""Where the protocol section of a study has another shape than API v2 gives it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache

from trialwright.core.finding import Finding, Grade, Where, finding
from trialwright.registry.record import Json, escaped
from trialwright.registry.shape import OBJECTS, WORDS
from trialwright.registry.values import is_date

_KINDS = {
    "text": "a text",
    "yes or no": "true or false",
    "count": "a whole number",
    "number": "a number",
    "date": "a date as in 2026-03-09",
    "partial date": "a date as in 2026-03-09, 2026-03 or 2026",
}


def misfits(value: Json, kind: str, pointer: str, name: str) -> Iterator[Finding]:
    """What of a value is not of its kind, each at its pointer: unknown keys, words that no list has, other types.

    >>> [one.where.path for one in misfits({"conditions": ["Asthma", 5]}, "ConditionsModule", "/c", "")]
    ['/c/conditions/1']
    """
    if _fits(kind)(value):  # nearly all of nearly every study, so that pointers are made for the others alone
        return
    if kind[0] == "[":
        if type(value) is not list:
            yield _wrong(name, pointer, "a list", value)
            return
        for index, each in enumerate(value):
            yield from misfits(each, kind[1:-1], f"{pointer}/{index}", name)
    elif (keys := OBJECTS.get(kind)) is not None:
        if type(value) is not dict:
            yield _wrong(name, pointer, "an object", value)
            return
        for key, each in value.items():
            if key in keys:
                yield from misfits(each, keys[key], f"{pointer}/{key}", name)
            else:
                yield unknown_key(name, f"{pointer}/{escaped(key)}", key, keys)
    else:
        yield _wrong(name, pointer, _KINDS.get(kind) or f"one of {', '.join(WORDS[kind])}", value)


def unknown_key(name: str, pointer: str, key: str, keys: Mapping[str, str] | tuple[str, ...]) -> Finding:
    """The finding that a key is none of those that are known, with the nearest of them."""
    near = get_close_matches(key[:100], keys, n=1)
    nearest = f" Did you mean `{near[0]}`?" if near else ""
    shown = key if len(key) <= 60 else f"{key[:57]}..."
    return finding("record_key", Where(name, path=pointer), Grade.WARNING, key=shown, nearest=nearest)


@cache
def _fits(kind: str) -> Callable[[Json], bool]:
    """Whether a value is of a kind, as a function: what depends on the shape alone is worked out once."""
    if kind[0] == "[":
        inner = _fits(kind[1:-1])
        return lambda value: type(value) is list and all(map(inner, value))
    if kind in OBJECTS:
        return _fits_object(OBJECTS[kind])
    if kind in WORDS:
        words = frozenset(WORDS[kind])
        return lambda value: type(value) is str and value in words
    return _SIMPLE[kind]


def _fits_object(keys: Mapping[str, str]) -> Callable[[Json], bool]:
    texts = frozenset(key for key, kind in keys.items() if kind == "text")
    others = {key: _fits(kind) for key, kind in keys.items() if kind != "text"}

    def fits(value: Json) -> bool:
        if type(value) is not dict:
            return False
        for key, each in value.items():
            if key in texts:  # most values, so without a call
                if type(each) is not str:
                    return False
            elif key not in others or not others[key](each):
                return False
        return True

    return fits


_SIMPLE: Mapping[str, Callable[[Json], bool]] = {
    "text": lambda value: type(value) is str,
    "yes or no": lambda value: type(value) is bool,
    "count": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "date": lambda value: type(value) is str and is_date(value, partial=False),
    "partial date": lambda value: type(value) is str and is_date(value, partial=True),
}


def _wrong(name: str, pointer: str, expected: str, value: Json) -> Finding:
    given = json.dumps(value, ensure_ascii=True)
    given = given if len(given) <= 60 else f"{given[:57]}..."
    return finding("record_value", Where(name, path=pointer), Grade.WARNING, expected=expected, given=given)
