"""Spreadsheets from outside: what is read of them, and each hostile one is a plain finding."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

import pytest

from tests.unit.spreadsheets import replaced, stuffed, xlsx
from trialwright.core.finding import Refused
from trialwright.exchange.sheet import MOST_BYTES, MOST_COLUMNS, MOST_ROWS, Reading, Sheet, read_sheet

SHEET = "xl/worksheets/sheet1.xml"
HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"


def _cells(sheet: Sheet) -> list[tuple[str, ...]]:
    return [row.cells for row in sheet.rows]


def _notes(sheet: Sheet) -> list[str]:
    return [one.code for one in sheet.notes]


@pytest.mark.parametrize(
    ("content", "encoding", "notes"),
    [
        ("编号,AMH\nP-1,0.8\n".encode(), "utf-8", []),
        ("\ufeff编号,AMH\nP-1,0.8\n".encode(), "utf-8-sig", []),
        ("编号,AMH\nP-1,0.8\n".encode("utf-16"), "utf-16", []),
        ("编号,AMH\nP-1,0.8\n".encode("gb18030"), "gb18030", ["import_encoding_guessed"]),
    ],
)
def test_a_csv_is_read_in_the_encodings_of_our_centres(content: bytes, encoding: str, notes: list[str]) -> None:
    sheet = read_sheet("list.csv", content)
    assert (sheet.columns, _cells(sheet), sheet.reading.encoding) == (("编号", "AMH"), [("P-1", "0.8")], encoding)
    assert _notes(sheet) == notes


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_seen_and_quotation_marks_hold_cells_together(separator: str) -> None:
    sheet = read_sheet("a.csv", f'id{separator}note\n\nP-1{separator}"a{separator}\n""b"""\n'.encode())
    assert _cells(sheet) == [("P-1", f'a{separator}\n"b"')]
    assert sheet.reading.separator == separator


def test_what_is_said_goes_before_what_is_seen() -> None:
    said = Reading(encoding="gb18030", separator=";")
    sheet = read_sheet("a.csv", "编号;a,b\nP-1;1\n".encode("gb18030"), said)
    assert sheet.columns == ("编号", "a,b")
    assert not sheet.notes, "it was not guessed"
    with pytest.raises(Refused, match="cannot be read as utf-8"):
        read_sheet("a.csv", "编号\nP-1\n".encode("gb18030"), Reading(encoding="utf-8"))


def test_cells_of_a_workbook_are_texts_with_every_digit() -> None:
    def shown(book: Any) -> None:
        sheet = book.active
        for cell, format in (("A2", "0.00"), ("B2", "0.0"), ("C2", "0%"), ("D2", "0.0%")):
            sheet[cell].number_format = format

    moment = datetime(2026, 3, 2, 14, 29, 59, 900000)
    rows: list[list[object]]
    rows = [list("abcdefghi"), [0.8, 1.0997, 0.91, 0.905, 0.1 + 0.2, 7, datetime(2026, 3, 2), moment, True],
            ["0012", time(9, 5), None, "<b>x</b>", 1e-7, 12345678901234, "", "是", "#N/A"]]  # fmt: skip
    sheet = read_sheet("a.xlsx", xlsx(rows, shown))
    assert _cells(sheet) == [
        ("0.80", "1.0997", "91 %", "90.5 %", "0.3", "7", "2026-03-02", "2026-03-02T14:30", "yes"),
        ("0012", "09:05", "", "<b>x</b>", "1e-07", "12345678901234", "", "是", "#N/A"),
    ]
    assert _notes(sheet) == ["import_rounded_display"], "1.0997 is shown as 1.1"


def test_a_formula_is_not_computed_and_its_last_value_is_read() -> None:
    made = xlsx([["a"], ["=1+1"]])
    with pytest.raises(Refused, match="formulas without a computed value: A2"):
        read_sheet("a.xlsx", made)
    sheet = read_sheet("a.xlsx", replaced(made, SHEET, b"<v></v>", b"<v>2</v>") if b"<v></v>" in _part(made) else
                       replaced(made, SHEET, b"<v />", b"<v>2</v>"))  # fmt: skip
    assert _cells(sheet) == [("2",)]
    assert _notes(sheet) == ["import_formulas"]


def _part(content: bytes) -> bytes:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as folder:
        return folder.read(SHEET)


def test_hidden_sheets_are_told_and_another_sheet_can_be_chosen() -> None:
    def two(book: Any) -> None:
        book.active.sheet_state = "hidden"
        book.active.title = "old"
        book.create_sheet("new").append(["b"])
        book["new"].append(["2"])

    made = xlsx([["a"], ["1"]], two)
    sheet = read_sheet("a.xlsx", made)
    assert (sheet.reading.sheet, sheet.sheets, sheet.columns, _notes(sheet)) == (
        "new", ("old", "new"), ("b",), ["import_hidden_sheets"],
    )  # fmt: skip
    assert read_sheet("a.xlsx", made, Reading(sheet="old")).columns == ("a",)


def test_a_column_without_a_name_is_told_and_empty_rows_are_passed_over() -> None:
    sheet = read_sheet("a.csv", b"\n\nid,,x\n,,\nP-1,lost,1\n")
    assert [(row.number, row.cells) for row in sheet.rows] == [(5, ("P-1", "lost", "1"))]
    assert _notes(sheet) == ["import_nameless_column"]


WIDE = HEAD + b'<row r="1">' + b"<c><v>1</v></c>" * 300 + b"</row>" + TAIL
WIDE_CSV = ",".join(f"c{n}" for n in range(MOST_COLUMNS + 1)).encode() + b"\n1\n"
MILLION = HEAD + b'<row r="1">' + b"<c/>" * 1_000_000 + b"</row>" + TAIL
FAR = HEAD + b'<row r="1"><c r="A1"><v>1</v></c></row><row r="999999999"><c r="A999999999"><v>1</v></c></row>' + TAIL
ENTITIES = b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>' + HEAD + b"&d;" + TAIL


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "import_empty", id="nothing"),
        pytest.param(b" \n\t\n", "import_empty", id="blanks"),
        pytest.param(b",,,\n,,\n", "import_empty", id="only separators"),
        pytest.param(b"a" * (MOST_BYTES + 1), "import_too_large", id="oversized"),
        pytest.param(b"id\n" + b"P-1\n" * (MOST_ROWS + 1), "import_too_long", id="too many rows"),
        pytest.param(b"id\n" + b"\n" * 3 * MOST_ROWS, "import_too_long", id="endless blank rows"),
        pytest.param(b"a," * 1_000_000, "import_too_wide", id="a million columns"),
        pytest.param(WIDE_CSV, "import_too_wide", id="wide"),
        pytest.param(b"id,id\nP-1,1\n", "import_header_twice", id="duplicate headers"),
        pytest.param(b"id\nP-1,1,2\n", "import_row_longer", id="more cells than columns"),
        pytest.param(b"id\n" + b"x" * 3000, "import_cell_long", id="an endless cell"),
        pytest.param(b'id\n"' + b"x" * 100_000, "import_csv_broken", id="an open quotation mark"),
        pytest.param(b"id\n\0\n", "import_not_text", id="NUL"),
        pytest.param(b"id\n\xff\xff\xff", "import_encoding_wrong", id="no encoding"),
        pytest.param(b"id,amh\n", "import_no_rows", id="only headers"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1", "import_old_excel", id="old Excel"),
        pytest.param(b"PK\x03\x04 and then nothing", "import_broken", id="no zip"),
        pytest.param(xlsx([["a"], ["1"]])[:-200], "import_broken", id="cut"),
        pytest.param(xlsx([]), "import_empty", id="an empty workbook"),
        pytest.param(xlsx([["a", "a"], ["1", "2"]]), "import_header_twice", id="duplicate headers, XLSX"),
        pytest.param(stuffed("xl/media/a.bin", b"\0" * 31_000_000), "import_unfolds", id="zip bomb"),
        pytest.param(stuffed(SHEET, MILLION), "import_too_many_cells", id="a million columns, XLSX"),
        pytest.param(stuffed(SHEET, WIDE), "import_too_wide", id="wide, XLSX"),
        pytest.param(stuffed(SHEET, FAR), "import_too_long", id="a row at the end of the world"),
        pytest.param(stuffed(SHEET, ENTITIES), "import_broken", id="entities"),
        pytest.param(stuffed(SHEET, b"<worksheet"), "import_broken", id="no XML"),
        pytest.param(stuffed("xl/workbook.xml", b"<a/>"), "import_broken", id="no workbook"),
    ],
)  # fmt: skip
def test_a_hostile_file_is_a_plain_finding(content: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_sheet("of-somebody.xlsx", content)
    assert [one.code for one in refused.value.findings] == [code]
    assert "of-somebody.xlsx" in str(refused.value)


def test_a_locked_workbook_is_refused() -> None:
    made = bytearray(xlsx([["a"], ["1"]]))
    at = made.find(b"PK\x01\x02")
    while at >= 0:  # the flag of encryption in each entry of the directory
        made[at + 8] |= 1
        at = made.find(b"PK\x01\x02", at + 4)
    with pytest.raises(Refused, match="protected by a password"):
        read_sheet("a.xlsx", bytes(made))
