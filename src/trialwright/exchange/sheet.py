"""A spreadsheet as it comes from outside: columns and rows of texts, read within stated limits, CSV or XLSX alike."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from trialwright.core.finding import Finding, Refused, finding

#: What is read at most; more than that is refused whole, and never cut.
MOST_BYTES = 5_000_000
MOST_ROWS = 2_000
MOST_COLUMNS = 200
MOST_CHARACTERS = 2_000  # in one cell


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read, where somebody says so: encoding and separator of a CSV, the sheet of an XLSX."""

    encoding: str = ""
    separator: str = ""
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: its number as the spreadsheet counts, and the text of each column."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds: its columns, its rows, how it was read, and what is worth telling about it."""

    name: str
    digest: str
    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    reading: Reading
    sheets: tuple[str, ...] = ()
    notes: tuple[Finding, ...] = ()


def read_sheet(name: str, content: bytes, reading: Reading = Reading()) -> Sheet:
    """The sheet of an uploaded file; `Refused` says why it cannot be read.

    The content decides what it is, and not its name.
    """
    from trialwright.exchange import csv_sheet, xlsx_sheet

    if not content.strip():
        raise Refused(finding("import_empty", file=name))
    if len(content) > MOST_BYTES:
        raise Refused(finding("import_too_large", file=name, size=len(content), most=MOST_BYTES))
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise Refused(finding("import_old_excel", file=name))
    if content.startswith(b"PK"):
        return xlsx_sheet.read(name, content, reading)
    return csv_sheet.read(name, content, reading)


def sheet_of(
    name: str, content: bytes, table: Sequence[SheetRow], reading: Reading, sheets: Sequence[str], notes: list[Finding]
) -> Sheet:
    """The sheet that a table makes: its first row that holds anything names the columns; empty rows are passed over."""
    filled = [row for row in table if any(cell.strip() for cell in row.cells)]
    if not filled:
        raise Refused(finding("import_empty", file=name))
    head, *rows = filled
    columns = tuple(" ".join(cell.split()) for cell in head.cells)
    while columns and not columns[-1]:
        columns = columns[:-1]
    if len(columns) > MOST_COLUMNS:
        raise Refused(finding("import_too_wide", file=name, most=MOST_COLUMNS))
    if len(rows) > MOST_ROWS:
        raise Refused(finding("import_too_long", file=name, most=MOST_ROWS))
    twice = [column for column, times in Counter(columns).items() if column and times > 1]
    if twice:
        raise Refused(*(finding("import_header_twice", file=name, column=column, row=head.number) for column in twice))
    if not rows:
        raise Refused(finding("import_no_rows", file=name, row=head.number))
    made, nameless = [], 0
    for row in rows:
        if len(row.cells) > len(columns) and any(cell.strip() for cell in row.cells[len(columns) :]):
            raise Refused(finding("import_row_longer", file=name, row=row.number, columns=len(columns)))
        long = next((cell for cell in row.cells if len(cell) > MOST_CHARACTERS), None)
        if long is not None:
            raise Refused(finding("import_cell_long", file=name, row=row.number, most=MOST_CHARACTERS))
        cells = (*row.cells, *[""] * len(columns))[: len(columns)]
        nameless += any(cell.strip() and not column for cell, column in zip(cells, columns, strict=True))
        made.append(SheetRow(row.number, tuple(cell.strip() for cell in cells)))
    if nameless:
        notes.append(finding("import_nameless_column", file=name, rows=nameless))
    digest = hashlib.sha256(content).hexdigest()
    return Sheet(name, digest, columns, tuple(made), reading, tuple(sheets), tuple(notes))
