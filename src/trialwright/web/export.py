"""Exports that are streamed: CSV that no spreadsheet runs, and JSON; each says first what it holds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

#: Whatever begins so, a spreadsheet may take for a formula.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


def as_csv(head: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Lines of CSV in UTF-8 with its mark: the head as name and value, a blank line, then a table of the rows."""
    line = io.StringIO()
    writer = csv.writer(line)

    def written(cells: Iterable[Any]) -> str:
        line.seek(0)
        line.truncate()
        writer.writerow([safe(one) for one in cells])
        return line.getvalue()

    yield "\ufeff"
    for name, value in head.items():
        yield written((name, value))
    yield "\r\n"
    rows = iter(rows)
    first = next(rows, None)
    if first is not None:
        yield written(first)
        for row in chain((first,), rows):
            yield written(row.values())


def as_json(head: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """One JSON object: the head's names, and the rows under `entries`."""
    yield json.dumps(dict(head), ensure_ascii=False)[:-1] + ', "entries": [\n'
    for place, row in enumerate(rows):
        yield (",\n" if place else "") + json.dumps(dict(row), ensure_ascii=False)
    yield "\n]}\n"


def safe(value: Any) -> str:
    """The text of a cell; one that a spreadsheet could run is marked as text."""
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
