"""The lines of a page, each with its place, its bullet taken off, and what was markup turned into blanks."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from html import unescape

_BULLET = re.compile(r"[ \t]*(?:(?P<hash>#{1,6})[ \t]+|(?P<bullet>[-*•·●○▪◦‣–—])[ \t]+)?")
_STRONG = re.compile(r"(?:\*\*|__)(?=\S)([^\n]{1,300}?)(?<=\S)(?:\*\*|__)")
_GAP = re.compile(r"[ \t]{200,}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b\u200e\u200f\ufeff]")
_HTML = re.compile(r"<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_HIDDEN = re.compile(r"<(script|style|head)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)\b[^<>]*>|<![^<>]*>")
_INLINE = {"a", "b", "i", "em", "strong", "span", "sup", "sub", "u", "small", "abbr", "code", "mark", "font"}


@dataclass(frozen=True, slots=True)
class Line:
    """What stands on a line, or in a part of one: `text` is the page from `start` to `end`."""

    number: int
    start: int
    end: int
    text: str
    bullet: str = ""
    blank_after: bool = False  # the cell behind was left empty
    index: int = 0  # which line of the page this is, or is a part of; a line of HTML can hold several

    def part(self, start: int, end: int) -> Line:
        """A part of this line, its blanks at both ends taken off."""
        inner = self.text[start:end]
        left = start + len(inner) - len(inner.lstrip())
        return Line(
            self.number,
            self.start + left,
            self.start + left + len(inner.strip()),
            inner.strip(),
            self.bullet,
            index=self.index,
        )


def lines(page: str) -> list[Line]:
    """Every line of a page in order, empty ones too. HTML is read as what it shows."""
    shown = _CONTROL.sub(" ", page)
    if _HTML.search(page[:2000]):
        shown = _HIDDEN.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), shown)
        shown = _TAG.sub(_blank, shown)
    shown = _GAP.sub(lambda found: "\n" + found[0][1:], shown)  # a gap that wide parts two lines
    shown = _STRONG.sub(lambda found: f"  {found[1]}  ", shown)
    starts = [0, *(found.end() for found in re.finditer("\n", page))]
    made: list[Line] = []
    start = 0
    for text in shown.split("\n"):
        head = _BULLET.match(text)
        assert head is not None
        inner = text[head.end() :]
        left = start + head.end() + len(inner) - len(inner.lstrip())
        body = inner.strip()
        bullet = (head["hash"] or head["bullet"] or "") if body else ""
        number = bisect_right(starts, left if body else start)
        made.append(Line(number, left, left + len(body), body, bullet, inner.endswith((" ", "\t")), len(made)))
        start += len(text) + 1
    return made


def is_html(page: str) -> bool:
    """Whether a page was saved as HTML."""
    return _HTML.search(page[:2000]) is not None


def clean(text: str, html: bool = False) -> str:
    """A text on one line, with single blanks; in HTML, with its character references resolved."""
    return " ".join((unescape(text) if html else text).split())


def cells(line: Line, head: Line | None = None) -> list[Line]:
    """The cells of a line that has columns: between bars, or between tabs; those of a row are parted as its head is."""
    separator = "|" if "|" in (head or line).text else "\t"
    found, start = [], 0
    for part in line.text.split(separator):
        found.append(line.part(start, start + len(part)))
        start += len(part) + 1
    if separator == "|" and len(found) > 1:
        found = found[1:] if not found[0].text else found
        found = found[:-1] if not found[-1].text else found
    return found


def _blank(tag: re.Match[str]) -> str:
    """A tag as blanks of the same length, so that every place stays where it was."""
    name = (tag[2] or "").lower()
    if name in _INLINE:
        return re.sub(r"[^\n]", " ", tag[0])
    first = "|" if name in ("td", "th") and tag[1] else "\n"
    if name in ("td", "th") and not tag[1]:
        first = " "
    return first + re.sub(r"[^\n]", " ", tag[0][1:])
