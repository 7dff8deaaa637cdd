"""One line of an answer to why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answer, indented by depth, with the events and the words of the record that it names."""

    depth: int
    text: str
    events: tuple[int, ...] = ()
    record: tuple[str, ...] = ()
