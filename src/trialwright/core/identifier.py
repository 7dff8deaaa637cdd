"""Identifiers: what a participant, lot or record is called; never a name of a person."""

from __future__ import annotations

import re

_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def identifier(text: str) -> str:
    """The identifier, or a ValueError: letters, digits, dot, dash and underscore, at most 64 characters.

    >>> identifier("P-007")
    'P-007'
    """
    if _PATTERN.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not an identifier: use letters, digits, '.', '-', '_', at most 64")
    return text
