"""A study in the making: values with their places, and what was found on the way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from trialwright.core.finding import Finding, Grade, Where, finding
from trialwright.registry.pages.lines import Line, clean
from trialwright.registry.record import Json, Place, leaves, look, put


class Draft:
    """What a page has said so far."""

    def __init__(self, page: str, name: str, html: bool) -> None:
        self.page, self.name, self.html = page, name, html
        self.study: dict[str, Json] = {}
        self.places: dict[str, Place] = {}
        self.found: list[Finding] = []
        self.used: set[int] = set()

    def clean(self, text: str) -> str:
        """A text on one line."""
        return clean(text, self.html)

    def joined(self, parts: Sequence[Line]) -> str:
        """Lines as a text of lines; empty ones at both ends left out."""
        return "\n".join(clean(part.text, self.html) for part in parts).strip("\n")

    def paragraphs(self, parts: Sequence[Line]) -> str:
        """Lines as a text of lines, each with its bullet, and with one empty line at most between them."""
        kept = [f"{bullet_of(part)}{clean(part.text, self.html)}" for part in parts]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()

    def set(self, pointer: str, value: Any, *where: Line, again: bool = True) -> bool:
        """Write a value that stood on these lines. Another value there already stays, and is a finding."""
        stood = [line for line in where if line.text] or list(where)
        self.use(*where)
        before = look(self.study, pointer)
        if before is not None:
            if again and before != value:
                self.find(
                    "record_contradicts", stood[0], pointer, Grade.WARNING, first=_short(before), second=_short(value)
                )
            return False
        place = Place(stood[0].number, stood[0].start, stood[-1].end)
        put(self.study, pointer, value)
        for inner, _ in leaves(value, pointer):
            self.places[inner] = place
        return True

    def find(self, code: str, line: Line | None, pointer: str, grade: Grade = Grade.NOTE, **values: object) -> None:
        """Note what is doubtful about a field."""
        number = line.number if line else 0
        column = line.start - self.page.rfind("\n", 0, line.start) if line else 0
        self.found.append(finding(code, Where(self.name, number, column, pointer), grade, **values))

    def use(self, *where: Line) -> None:
        """These lines have been understood."""
        self.used.update(line.index for line in where)


def bullet_of(line: Line) -> str:
    """The bullet that a line had, as plain text writes it."""
    if not line.bullet or line.bullet.startswith("#"):
        return ""
    return f"{'*' if line.bullet in '•·●○▪◦‣' else line.bullet} "


def short(text: str, most: int = 80) -> str:
    """A text that a sentence can quote."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _short(value: Any) -> str:
    return short(", ".join(map(str, value)) if isinstance(value, list) else str(value))
