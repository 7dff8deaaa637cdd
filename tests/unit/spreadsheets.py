"""Small workbooks for tests, and what may be wrong with one."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any


def xlsx(rows: Sequence[Sequence[object]], change: Callable[[Any], None] | None = None) -> bytes:
    """A workbook with one sheet of these rows; `change` may do more to it."""
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    if change is not None:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def replaced(content: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """The same file with other bytes in one of its parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for one in source.infolist():
            text = source.read(one)
            if one.filename == part:
                assert old in text, text[:500]
                text = text.replace(old, new)
            made.writestr(one.filename, text)
    return out.getvalue()


def stuffed(part: str, content: bytes) -> bytes:
    """A workbook with one part more, or with another one in its place."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx([["a"], ["1"]]))) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for one in source.infolist():
            if one.filename != part:
                made.writestr(one.filename, source.read(one))
        made.writestr(part, content)
    return out.getvalue()
