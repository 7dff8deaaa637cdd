"""The headings and labels of registries and their mirrors, and what each announces."""

from __future__ import annotations

import re
import tomllib
from importlib import resources

_WORDS = tomllib.loads((resources.files("trialwright.registry.pages") / "words.toml").read_text("utf-8"))
_TABLES = tomllib.loads((resources.files("trialwright.registry.pages") / "headings.toml").read_text("utf-8"))
#: What stands behind a label: a colon, also the wide one of Chinese and Japanese pages.
COLONS = " :："
#: What a label announces, one value -> how pages write it.
LABELS: dict[str, list[str]] = _TABLES["labels"]
#: What a section announces, several lines -> how pages write it.
SECTIONS: dict[str, list[str]] = _TABLES["sections"]
#: The columns of tables -> how pages head them.
COLUMNS: dict[str, list[str]] = _TABLES["columns"]
#: What stands around a record on a page and says nothing of it.
FURNITURE = frozenset(_TABLES["around"]["furniture"])
#: Sections of free text, in which a line that looks like a heading may be a line of the text.
NARRATIVE = frozenset({"summary", "detail", "description", "loose"})

_KEYS = {words: key for table in (LABELS, SECTIONS) for key, names in table.items() for words in names}
_MORE = re.compile(r"\s*\(\s*\d+\s*\)\s*$|\s*\[\s*\d+\s*\]\s*$")


def plain(text: str) -> str:
    """A heading as the lexicon writes it: lower case, letters and digits only, no count behind it.

    >>> plain("Arm && Interventions:"), plain("Locations (42)")
    ('arm and interventions', 'locations')
    """
    bare = _MORE.sub("", text[:90].rstrip(COLONS)).lower().replace("&", " and ")
    return re.sub(r"\band and\b", "and", " ".join(re.findall(r"[a-z0-9]+", bare)))


def key_of(text: str) -> str | None:
    """What a heading or a label announces, or None where the lexicon does not know it."""
    return _KEYS.get(plain(text)) if 2 < len(text) <= 90 else None


def column_of(text: str, columns: tuple[str, ...]) -> str | None:
    """Which of some columns a heading names."""
    words = plain(text)
    return next((column for column in columns if words in COLUMNS[column]), None)


def words(about: str) -> dict[str, list[str]]:
    """A table of words that the reader knows: of countries, or of time."""
    found: dict[str, list[str]] = _WORDS[about]
    return found
