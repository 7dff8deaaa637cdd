"""JSON as registries send it, read strictly: no key twice, no number beyond JSON, and faults in words of ours."""

from __future__ import annotations

import json
import math
from typing import Any

#: What the decoder of the standard library says, in words for a sentence.
_FAULTS = {
    "Expecting value": "a value is missing",
    "Expecting property name enclosed in double quotes": "a key in double quotes is missing",
    "Expecting ':' delimiter": "a colon is missing",
    "Expecting ',' delimiter": "a comma is missing",
    "Unterminated string starting at": "a text has no closing quote; it begins",
    "Invalid control character at": "a text holds a line break or a control character",
    "Invalid \\escape": "a text holds a backslash with nothing to escape",
    "Invalid \\uXXXX escape": "a text holds \\u without four hexadecimal digits",
    "Illegal trailing comma before end of object": "a comma stands before a closing bracket",
    "Illegal trailing comma before end of array": "a comma stands before a closing bracket",
    "Extra data": "something follows after its end",
}


class NotJson(ValueError):
    """Why a text is no JSON, in words for the middle of a sentence."""


def parse_json(text: str) -> Any:
    """The value that a JSON text holds; `NotJson` where it is none, where a key stands twice, or a number is none.

    >>> parse_json('{"count": NaN}')
    Traceback (most recent call last):
    trialwright.registry.json_text.NotJson: NaN is not a number of JSON
    """
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as broken:
        raise NotJson(_why(broken, text)) from None
    except RecursionError:
        raise NotJson("it nests too deep") from None
    except NotJson:
        raise
    except ValueError:  # a whole number beyond the digits that Python reads
        raise NotJson("a number in it has thousands of digits") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise NotJson(f"the key {twice[:60]!r} stands twice in one object")
    return made


def _float(word: str) -> float:
    value = float(word)
    if math.isinf(value):
        raise NotJson(f"the number {word[:20]} is too large for any computer")
    return value


def _constant(word: str) -> float:
    raise NotJson(f"{word} is not a number of JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)


def _why(broken: json.JSONDecodeError, text: str) -> str:
    if broken.pos >= len(text.rstrip()):
        return "it ends in the middle"
    return f"{_FAULTS.get(broken.msg, 'it breaks off')} in line {broken.lineno}, column {broken.colno}"
