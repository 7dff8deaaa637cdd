"""A record on its way to a page: its values with where they were found, and its findings, each shown once."""

from __future__ import annotations

import re
from html import unescape

from markupsafe import Markup

from trialwright.core.finding import Finding, mend, says
from trialwright.registry.fitting import fitting
from trialwright.registry.record import Json, Record, look

_P = "/protocolSection"
#: Findings that come by the dozen: a word beside the value; the sentence is in the list of findings.
_MARKS = {"record_unlabelled": "no label", "record_row_flattened": "borders inferred"}
MISSING = Markup('<span class="absent">not in the record</span>')


class Sheet:
    """The record, and which of its findings have been shown beside their place."""

    def __init__(self, record: Record, language: str = "en") -> None:
        self.record, self.language = record, language
        self.study = {"protocolSection": fitting(record.study)}
        self.shown: set[int] = set()
        self.about: dict[str, list[int]] = {}  # pointer -> the findings about it, or about what it holds
        for place, one in enumerate(record.findings):
            pointer = one.where.path
            while pointer:
                self.about.setdefault(pointer, []).append(place)
                pointer = pointer.rpartition("/")[0]

    def get(self, path: str) -> Json:
        """The value at a path below the protocol section."""
        return look(self.study, f"{_P}/{path}")

    def text(self, path: str) -> str:
        """A value as text a person reads; empty where there is none."""
        value = self.get(path)
        return "" if value is None or isinstance(value, dict | list) else readable(str(value))

    def value(self, path: str, shown: str = "") -> Markup:
        """A value with where it was found, and its doubts behind it."""
        text = shown or self.text(path)
        if not text:
            return Markup("{}{}").format(MISSING, self.doubts(path, exact=True))
        place = self.record.places.get(f"{_P}/{path}")
        told = Markup('<span title="{}">{}</span>').format(place, text) if place else Markup("{}").format(text)
        return Markup("{}{}").format(told, self.doubts(path, exact=True))

    def doubts(self, path: str, exact: bool = False) -> Markup:
        """The findings about a path (with what it holds, unless exact), as asides; each is shown once."""
        pointer = f"{_P}/{path}"
        marks, asides = Markup(""), Markup("")
        for place in self.about.get(pointer, ()):
            one = self.record.findings[place]
            about = one.where.path == pointer or not exact
            wanted = one.code != "record_field_missing"
            if about and wanted and place not in self.shown:
                self.shown.add(place)
                if one.code in _MARKS:
                    marks += _aside(one, self.language)
                else:
                    asides += _aside(one, self.language)
        return marks + asides


def _aside(one: Finding, language: str) -> Markup:
    """A finding as it stands beside a value; what comes by the dozen is a word."""
    told, cure = says(one, language), mend(one, language)
    if one.code in _MARKS:
        return Markup(' <span class="mark" title="{}">{}</span>').format(told, _MARKS[one.code])
    return Markup('<span class="doubt {}" title="{}">{}</span>').format(one.grade.value, cure, told)


def readable(text: str) -> str:
    """Text without the escapes of another system: `\\<6 mm` is `<6 mm`."""
    return re.sub(r"\\([<>&\[\]*_~#+=.-])", r"\1", unescape(text) if "&" in text else text)


def words_of(value: str) -> str:
    """A word of a list as people write it: NOT_YET_RECRUITING is Not yet recruiting."""
    known = {
        "NA": "Not applicable",
        "NON_RANDOMIZED": "Non-randomised",
        "RANDOMIZED": "Randomised",
        "NONE": "None (open label)",
    }
    return known.get(value) or re.sub(r"(?i)phase(\d)", r"phase \1", value.replace("_", " ").lower()).capitalize()


def paragraphs(text: str) -> Markup:
    """Blocks between empty lines as paragraphs, the lines of a block one below the other."""
    made = Markup("")
    for block in re.split(r"\n{2,}", readable(text).strip()):
        lines = [re.sub(r"^[*-] ", "• ", line.strip()) for line in block.split("\n") if line.strip()]
        if lines:
            made += Markup("<p>{}</p>\n").format(Markup("<br>\n").join(lines))
    return made
