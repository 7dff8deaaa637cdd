"""Pieces of a page: a table, and data as YAML that reads back as what it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from trialwright.protocol.marked_yaml import Data, read

_WIDTH = 88


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def fenced(language: str, text: str) -> str:
    """A block of code."""
    return f"```{language}\n{text}\n```"


def compact_yaml(data: Mapping[str, Data], opened: int = 0) -> str:
    """A table of data as YAML, on one line what fits there; so many levels always have lines of their own.

    >>> print(compact_yaml({"items": {"afc": {"is": "count"}, "inr": {"is": "quantity", "unit": "1"}}}, opened=1))
    items:
      afc: {is: count}
      inr: {is: quantity, unit: "1"}
    """
    return "\n".join(_entries(data, _WIDTH, opened))


def _entries(data: Mapping[str, Data], width: int, opened: int) -> Iterator[str]:
    for key, value in data.items():
        line = f"{key}: {_flow(value)}"
        if not isinstance(value, dict | list) or (len(line) <= width and not _opens(value, opened)):
            yield line
        elif isinstance(value, dict):
            yield f"{key}:"
            yield from (f"  {inner}" for inner in _entries(value, width - 2, max(opened - 1, 0)))
        else:
            yield f"{key}:"
            yield from (f"  - {_flow(one)}" for one in value)


def _opens(value: Data, opened: int) -> bool:
    """Whether a value has lines of its own although one would hold it: a table of tables, and a list of several."""
    match value:
        case dict():
            return any(_opens(one, 0) or (opened > 0 and isinstance(one, dict)) for one in value.values())
        case list():
            return len(value) > 1 and any(isinstance(one, dict) for one in value)
        case _:
            return False


def _flow(data: Data) -> str:
    match data:
        case dict():
            return "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in data.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flow, data)) + "]"
        case str():
            return data if read(f"[{data}]", "").data == [data] else json.dumps(data, ensure_ascii=False)
        case _:
            return json.dumps(data)
