"""CSV: text with separators, in the encodings that spreadsheets of our centres write."""

from __future__ import annotations

import codecs
import csv
import io

from trialwright.core.finding import Finding, Grade, Refused, finding
from trialwright.exchange.sheet import MOST_CHARACTERS, MOST_COLUMNS, MOST_ROWS, Reading, Sheet, SheetRow, sheet_of

#: The encodings that may be said, in the order in which they are tried where none is said.
ENCODINGS = ("utf-8", "gb18030")
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def read(name: str, content: bytes, reading: Reading) -> Sheet:
    """The sheet of a CSV file; what was guessed is told."""
    notes: list[Finding] = []
    text, encoding = _decoded(name, content, reading.encoding, notes)
    if "\0" in text:
        raise Refused(finding("import_not_text", file=name))
    separator = reading.separator or _separator(text)
    table: list[SheetRow] = []
    csv.field_size_limit(MOST_CHARACTERS * 10)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in lines:
            if len(cells) > MOST_COLUMNS and any(cell.strip() for cell in cells[MOST_COLUMNS:]):
                raise Refused(finding("import_too_wide", file=name, most=MOST_COLUMNS))
            if len(table) > 2 * MOST_ROWS:
                raise Refused(finding("import_too_long", file=name, most=MOST_ROWS))
            table.append(SheetRow(lines.line_num, tuple(cells)))
    except csv.Error as wrong:
        raise Refused(finding("import_csv_broken", file=name, row=lines.line_num, why=wrong)) from wrong
    return sheet_of(name, content, table, Reading(encoding, separator), (), notes)


def _decoded(name: str, content: bytes, said: str, notes: list[Finding]) -> tuple[str, str]:
    """The text and its encoding: by its byte-order mark, as was said, or the first that fits, which is then told."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            said = encoding
    for encoding in (said,) if said else ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "gb18030" and not said:
            notes.append(finding("import_encoding_guessed", grade=Grade.NOTE, file=name, encoding="GB18030"))
        return text, encoding
    raise Refused(finding("import_encoding_wrong", file=name, encodings=" or ".join((said,) if said else ENCODINGS)))


def _separator(text: str) -> str:
    """The separator that stands most often in the first line; a comma where none does."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    counts = {one: first.count(one) for one in SEPARATORS}
    best = max(counts, key=lambda one: counts[one])
    return best if counts[best] else ","
