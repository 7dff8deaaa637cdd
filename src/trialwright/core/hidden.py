"""Characters that nobody sees and that change what is seen: named, and shown as marks."""

from __future__ import annotations

import re

#: Marks that turn or isolate the direction of writing (UAX #9); a text is read in another order than it is stored.
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_HIDDEN = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{TURNING}]|\r(?!\n)")


def hidden_in(text: str) -> list[str]:
    """The hidden characters of a text, each once, as marks: controls (not tab and line break), turns of direction.

    >>> hidden_in("Drug A\u202e10 mg\x07")
    ['U+202E', 'U+0007']
    """
    return list(dict.fromkeys(_name(one) for one in _HIDDEN.findall(text)))


def visible(text: str) -> str:
    """The text with every hidden character as a mark, so that a page or a terminal shows it in its order.

    >>> visible("10 mg\u202egm 01")
    '10 mg⟨U+202E⟩gm 01'
    """
    if text.isprintable():  # most texts, and quick to say
        return text
    return _HIDDEN.sub(lambda found: f"⟨{_name(found[0])}⟩", text)


def escaped(json_text: str) -> str:
    """The same JSON with every hidden character by its number, as in `\\u202e`."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json_text)


def may_hide(text: str) -> bool:
    """Whether a long text may hold a turn of direction or a control beyond ASCII: quick, and no only where it is no."""
    if text.isascii():
        return False
    return any(mark in text for mark in TURNING) or _C1.search(text.encode("utf-8", "replace")) is not None


_C1 = re.compile(rb"\xc2[\x80-\x9f]")  # in UTF-8, where the search for the first byte is quick


def _name(character: str) -> str:
    return f"U+{ord(character):04X}"
