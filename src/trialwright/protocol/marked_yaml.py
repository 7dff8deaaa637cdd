"""YAML 1.2 with line marks: plain data, and for every path of it the line and column where it stands.

Only `true`, `false`, `null` and whole numbers are anything but text, so that `on`, `yes`, `no` and `1.10` stay
what was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from trialwright.core.finding import Finding, Where, finding

Path: TypeAlias = tuple[str | int, ...]
Data: TypeAlias = "dict[str, Data] | list[Data] | str | int | bool | None"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Marked:
    """What a YAML file says, where each piece of it stands, and what is wrong with it."""

    data: Data
    marks: Mapping[Path, tuple[int, int]]
    findings: tuple[Finding, ...]


def read(text: str, file: str) -> Marked:
    """The data of a YAML text; what YAML itself refuses, and a repeated key, are findings.

    >>> read("on: 1.10", "x.yaml").data
    {'on': '1.10'}
    """
    marks: dict[Path, tuple[int, int]] = {}
    findings: list[Finding] = []
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        where = Where(file, mark.line + 1, mark.column + 1) if mark else Where(file)
        return Marked(None, {}, (finding("yaml_broken", where, why=wrong.problem or wrong.context or "broken"),))
    except yaml.YAMLError as wrong:
        return Marked(None, {}, (finding("yaml_broken", Where(file), why=str(wrong).splitlines()[0]),))
    if node is None:
        return Marked(None, {}, (finding("yaml_broken", Where(file, 1, 1), why="the file is empty"),))
    return Marked(_plain(node, (), marks, findings, file), marks, tuple(findings))


def _plain(node: yaml.Node, path: Path, marks: dict[Path, tuple[int, int]], findings: list[Finding], file: str) -> Data:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    if isinstance(node, yaml.ScalarNode):
        quoted = node.style in ("'", '"')
        marks[path] = (line, column + (1 if quoted else 0))
        return str(node.value) if quoted or node.style in ("|", ">") else _scalar(node.value)
    marks[path] = (line, column)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(part, (*path, index), marks, findings, file) for index, part in enumerate(node.value)]
    data: dict[str, Data] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in data:
            where = Where(file, key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            findings.append(finding("key_repeated", where, key=key))
        data[key] = _plain(value_node, (*path, key), marks, findings, file)
    return data


def _scalar(text: str) -> Data:
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _WHOLE.fullmatch(text) else text
