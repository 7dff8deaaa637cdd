"""What is wrong with a field of a document, in words that follow its name: never those of the library that found it."""

from __future__ import annotations

from collections.abc import Mapping

#: The kind of a fault -> words, with the limits that it names.
_WORDS: Mapping[str, str] = {
    "missing": "it is needed, and missing",
    "extra_forbidden": "nothing of that name may stand here",
    "string_type": "a text is needed here",
    "int_type": "a whole number is needed here",
    "int_parsing": "a whole number is needed here",
    "int_from_float": "a whole number is needed here",
    "float_type": "a number is needed here",
    "float_parsing": "a number is needed here",
    "finite_number": "a number that is not infinite is needed here",
    "decimal_type": "a number is needed here",
    "decimal_parsing": "a number is needed here",
    "bool_type": "true or false is needed here",
    "bool_parsing": "true or false is needed here",
    "literal_error": "one of {expected} is needed here",
    "enum": "one of {expected} is needed here",
    "dict_type": "a table of names is needed here",
    "model_type": "a table of names is needed here",
    "model_attributes_type": "a table of names is needed here",
    "list_type": "a list is needed here",
    "tuple_type": "a list is needed here",
    "greater_than": "a number above {gt} is needed here",
    "greater_than_equal": "a number of at least {ge} is needed here",
    "less_than": "a number below {lt} is needed here",
    "less_than_equal": "a number of at most {le} is needed here",
    "too_short": "the list needs at least {min_length}",
    "too_long": "the list takes at most {max_length}",
    "string_too_short": "it needs at least {min_length} characters",
    "string_too_long": "it takes at most {max_length} characters",
    "string_pattern_mismatch": "it is not written as it must be",
    "value_error": "{error}",
}


def fault_in_words(error: Mapping[str, object]) -> str:
    """What one error of a validation says, for the middle of a sentence; what stands there is quoted where it is short.

    >>> fault_in_words({"type": "greater_than", "ctx": {"gt": 0}, "input": -5, "loc": (), "msg": ""})
    'a number above 0 is needed here, not -5'
    """
    kind, limits, given = str(error["type"]), error.get("ctx"), error["input"]
    words = _WORDS.get(kind, "it is not of the kind that is needed here")
    words = words.format_map(limits if isinstance(limits, dict) else {})
    shown = "nothing" if given in (None, "") else str(given) if isinstance(given, str | int | float) else ""
    return f"{words}, not {shown}" if 0 < len(shown) <= 40 and "needed here" in words else words
