"""YAML 1.2 with line marks: plain data, and for every path of it the line and column where it stands.

Only `true`, `false`, `null` and whole numbers are anything but text, so that `on`, `yes`, `no` and `1.10` stay
what was written. There are no aliases: what counts is written where it counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from trialwright.core.finding import Finding, Where, finding

Path: TypeAlias = tuple[str | int, ...]
Data: TypeAlias = "dict[str, Data] | list[Data] | str | int | bool | None"

#: Deeper nesting is a slip of the indentation, or an attack.
MAX_DEPTH = 30
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Marked:
    """What a YAML file says, where each piece of it stands, and what is wrong with it."""

    data: Data
    marks: Mapping[Path, tuple[int, int]]
    findings: tuple[Finding, ...]


def read(text: str, file: str) -> Marked:
    """The data of a YAML text; what YAML itself refuses, a repeated key and an alias are findings.

    >>> read("on: 1.10", "x.yaml").data
    {'on': '1.10'}
    """
    reader = _Reader(file)
    try:
        data = reader.document(yaml.parse(text, Loader=_LOADER))
    except _Broken as broken:
        return Marked(None, {}, (broken.found,))
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        where = Where(file, mark.line + 1, mark.column + 1) if mark else Where(file)
        return Marked(None, {}, (finding("yaml_broken", where, why=wrong.problem or wrong.context or "broken"),))
    except yaml.YAMLError as wrong:
        return Marked(None, {}, (finding("yaml_broken", Where(file), why=str(wrong).splitlines()[0]),))
    return Marked(data, reader.marks, tuple(reader.findings))


class _Broken(Exception):
    def __init__(self, found: Finding) -> None:
        super().__init__(str(found))
        self.found = found


class _Reader:
    """Data from the events of a YAML parser, with the mark of every piece."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.marks: dict[Path, tuple[int, int]] = {}
        self.findings: list[Finding] = []

    def document(self, events: Iterator[yaml.Event]) -> Data:
        next(events)  # the stream
        start = next(events)
        if not isinstance(start, yaml.DocumentStartEvent):
            raise self.broken(start, "the file is empty")
        data = self.value(next(events), events, ())
        next(events)  # the end of the document
        after = next(events)
        if isinstance(after, yaml.DocumentStartEvent):
            raise self.broken(after, "a second document begins here")
        return data

    def value(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path) -> Data:
        line, column = self.place(event)
        if isinstance(event, yaml.AliasEvent):
            raise self.broken(event, "an alias stands for something written elsewhere; write it out")
        if len(path) > MAX_DEPTH:
            raise self.broken(event, f"it is nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.ScalarEvent):
            quoted = event.style in ("'", '"')
            self.marks[path] = (line, column + (1 if quoted else 0))
            return str(event.value) if quoted or event.style in ("|", ">") else _scalar(event.value)
        self.marks[path] = (line, column)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(events, path)
        return self.mapping(events, path)

    def sequence(self, events: Iterator[yaml.Event], path: Path) -> Data:
        items: list[Data] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self.value(event, events, (*path, len(items))))
        return items

    def mapping(self, events: Iterator[yaml.Event], path: Path) -> Data:
        data: dict[str, Data] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                raise self.broken(event, "a key is a word, not a list or a table")
            key = str(event.value)
            if key in data:
                self.findings.append(finding("key_repeated", Where(self.file, *self.place(event)), key=key))
            data[key] = self.value(next(events), events, (*path, key))
        return data

    def place(self, event: yaml.Event) -> tuple[int, int]:
        mark = event.start_mark
        return (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)

    def broken(self, event: yaml.Event, why: str) -> _Broken:
        return _Broken(finding("yaml_broken", Where(self.file, *self.place(event)), why=why))


def _scalar(text: str) -> Data:
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _WHOLE.fullmatch(text) else text
