"""XLSX: the cells of one sheet as texts. Formulas are not computed, dates are dates, and no digit is rounded away."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree.ElementTree import ParseError

from trialwright.core.finding import Finding, Grade, Refused, finding
from trialwright.exchange.sheet import MOST_COLUMNS, MOST_ROWS, Reading, Sheet, SheetRow, sheet_of

#: What a file may unfold to, and how many marks of XML one part of it may hold: four of them make a cell.
MOST_UNFOLDED = 30_000_000
MOST_MARKS = 700_000
#: So far down is looked, empty rows included.
FURTHEST = 5 * MOST_ROWS
_SHEETS = "xl/worksheets/"
_PLACES = re.compile(r"0\.(0+)(%?)$")
#: What a file that is no sound spreadsheet makes its reader raise; there is no narrower word for it.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, IndexError, AttributeError, ParseError,
    OverflowError, NotImplementedError, RuntimeError,
)  # fmt: skip


def read(name: str, content: bytes, reading: Reading) -> Sheet:
    """One sheet of a workbook: the named one, else the first that is not hidden."""
    notes: list[Finding] = []
    try:
        _within_limits(name, content)
        title, titles, table = _table(name, content, reading.sheet, notes)
    except _BROKEN as wrong:
        raise Refused(finding("import_broken", file=name)) from wrong
    return sheet_of(name, content, table, Reading(sheet=title), titles, notes)


def _within_limits(name: str, content: bytes) -> None:
    """Refuse what would unfold to more than is read, before anything is built from it."""
    with zipfile.ZipFile(io.BytesIO(content)) as folder:
        parts = folder.infolist()
        if sum(part.file_size for part in parts) > MOST_UNFOLDED:
            raise Refused(finding("import_unfolds", file=name, most=MOST_UNFOLDED))
        for part in parts:
            if part.flag_bits & 1:
                raise Refused(finding("import_locked", file=name))
            marks = 0
            with folder.open(part) as opened:  # reads no more than the size that was declared and added up
                while block := opened.read(1 << 16):
                    marks += block.count(b"<")
            if part.filename.startswith(_SHEETS) and marks > MOST_MARKS:
                raise Refused(finding("import_too_many_cells", file=name, most=MOST_MARKS // 4))


def _table(name: str, content: bytes, wanted: str, notes: list[Finding]) -> tuple[str, tuple[str, ...], list[SheetRow]]:
    from defusedxml import DefusedXmlException
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        values = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        written = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
    except (DefusedXmlException, InvalidFileException) as wrong:
        raise Refused(finding("import_broken", file=name)) from wrong
    titles = tuple(sheet.title for sheet in values.worksheets)
    hidden = [sheet.title for sheet in values.worksheets if sheet.sheet_state != "visible"]
    shown = [title for title in titles if title not in hidden]
    title = wanted if wanted in titles else (shown or list(titles) or [""])[0]
    if not title:
        raise Refused(finding("import_broken", file=name))
    if hidden:
        notes.append(finding("import_hidden_sheets", grade=Grade.NOTE, file=name, sheets=", ".join(hidden), read=title))
    table = [*_rows(name, values[title], written[title], notes)]
    return title, titles, table


def _rows(name: str, values: Any, written: Any, notes: list[Finding]) -> Iterator[SheetRow]:
    formulas, uncounted, longer = 0, [], 0
    for sheet in (values, written):
        sheet.reset_dimensions()  # a file may lie about its own size
    limits = {"max_row": FURTHEST + 1, "max_col": MOST_COLUMNS + 1}
    pairs = zip(values.iter_rows(**limits), written.iter_rows(**limits), strict=True)
    for number, (row, raw) in enumerate(pairs, 1):
        if number > FURTHEST:
            raise Refused(finding("import_too_long", file=name, most=MOST_ROWS))
        cells = []
        for cell, source in zip(row, raw, strict=True):
            text, shorter = _text(cell.value, getattr(cell, "number_format", "") or "")
            longer += shorter
            if getattr(source, "data_type", "") == "f":
                formulas += 1
                if cell.value is None:
                    uncounted.append(f"{source.column_letter}{number}")
            cells.append(text)
        if len(cells) > MOST_COLUMNS and cells[MOST_COLUMNS].strip():
            raise Refused(finding("import_too_wide", file=name, most=MOST_COLUMNS))
        yield SheetRow(number, tuple(cells))
    if uncounted:
        cells_named = ", ".join(uncounted[:10]) + (" …" if len(uncounted) > 10 else "")
        raise Refused(finding("import_formula_empty", file=name, cells=cells_named))
    if formulas:
        notes.append(finding("import_formulas", grade=Grade.NOTE, file=name, count=formulas))
    if longer:
        notes.append(finding("import_rounded_display", grade=Grade.NOTE, file=name, count=longer))


def _text(value: Any, shown_as: str) -> tuple[str, bool]:
    """A value as text, and whether the spreadsheet shows fewer digits of it than it holds."""
    match value:
        case None:
            return "", False
        case bool():
            return ("yes" if value else "no"), False
        case datetime():
            minute = (value + timedelta(seconds=30)).replace(second=0, microsecond=0)
            return (str(minute.date()) if minute.time() == time() else minute.strftime("%Y-%m-%dT%H:%M")), False
        case date():
            return str(value), False
        case time():
            return value.strftime("%H:%M"), False
        case timedelta():
            minutes = round(value.total_seconds() / 60)
            return f"{minutes // 60:02}:{minutes % 60:02}", False
        case int() | float():
            return _number(value, shown_as)
        case _:
            return str(value), False


def _number(value: float, shown_as: str) -> tuple[str, bool]:
    """All digits that the spreadsheet holds, fifteen at most, with the noughts that it shows; a share with its `%`."""
    share = shown_as.endswith("%")
    text = f"{value * 100 if share else value:.15g}"
    if "e" in text:
        return text, False
    places = _PLACES.match(shown_as)
    shown = len(places[1]) if places else 0
    held = len(text.partition(".")[2])
    if held < shown:
        text = f"{text}{'' if held else '.'}{'0' * (shown - held)}"
    return (f"{text} %" if share else text), bool(shown_as in ("0", "0%") or places) and held > shown
