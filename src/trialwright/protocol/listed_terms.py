"""The full list of terms that a site supplies, such as CTCAE v5: read from its file, never shipped with the program."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from trialwright.core.finding import Finding, Grade, Where, finding

_NAMES = {"ctcaeterm": "term", "meddracode": "code", "meddrasoc": "system", "soc": "system"}
_GRADES = (1, 2, 3, 4, 5)
_NEEDED = ("term", *(f"grade{grade}" for grade in _GRADES))
_NO_GRADE = {"", "-", "–", "—"}
_NO_ANSWER = {"n/a", "#n/a", "na", "nan", "null", "none", "nil", "unknown", "tbd"}


@dataclass(frozen=True, slots=True)
class ListedTerm:
    """A term of a list: its grades in the list's own words, those that are available, and the line it stands in."""

    name: str
    grades: Mapping[int, str]
    code: str = ""
    system: str = ""
    definition: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class TermList:
    """The terms of a list in its order."""

    terms: tuple[ListedTerm, ...]
    _by_name: Mapping[str, ListedTerm] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {_plain(term.name): term for term in self.terms})

    def find(self, text: str) -> ListedTerm | tuple[str, ...]:
        """The term of that name, whatever its case and blanks, or the names that are nearest to it."""
        found = self._by_name.get(_plain(text))
        near = difflib.get_close_matches(_plain(text), self._by_name, 5)
        return found or tuple(self._by_name[name].name for name in near)


def load_terms(path: str | FilePath) -> tuple[TermList | None, list[Finding]]:
    """The terms of a table (CSV) that a site supplies, and what is wrong with it; a row left out is a finding.

    The columns are known by the header, in any order: term, grade1 to grade5 and, if given, code, system, definition.
    """
    path = FilePath(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None, [finding("file_missing", path=path)]
    except OSError as wrong:
        return None, [finding("file_unreadable", path=path, why=wrong.strerror or "unreadable")]
    text, encoding = _decoded(content)
    if text is None:
        return None, [finding("file_unreadable", Where(path.name), path=path, why="its encoding is not known")]
    findings = []
    if encoding:
        findings.append(finding("terms_encoding", Where(path.name), Grade.NOTE, encoding=encoding))
    rows = _rows(text)
    try:
        line, header = next(rows, (1, []))
        columns = [_NAMES.get(name, name) for name in map(_letters, header)]
        missing = [name for name in _NEEDED if name not in columns]
        if missing:
            return None, [*findings, finding("terms_columns", Where(path.name, line), missing=", ".join(missing))]
        if len(set(columns)) < len(columns):
            twice = next(name for name in columns if columns.count(name) > 1)
            return None, [*findings, finding("key_repeated", Where(path.name, line), key=twice)]
        terms = _listed(rows, columns, path.name, findings)
    except csv.Error as wrong:
        return None, [*findings, finding("file_unreadable", Where(path.name), path=path, why=str(wrong))]
    if not terms:
        return None, [*findings, finding("terms_none", Where(path.name))]
    return TermList(tuple(terms)), findings


def _listed(
    rows: Iterable[tuple[int, list[str]]], columns: list[str], file: str, findings: list[Finding]
) -> list[ListedTerm]:
    terms: list[ListedTerm] = []
    lines: dict[str, int] = {}
    codes: dict[str, int] = {}
    for line, cells in rows:
        where = Where(file, line)
        if len(cells) != len(columns):
            findings.append(finding("terms_row", where, found=len(cells), expected=len(columns)))
            continue
        row = {name: " ".join(cell.split()) for name, cell in zip(columns, cells, strict=True)}
        name, code = row["term"], row.get("code", "")
        if not name:
            findings.append(finding("term_empty", where))
        elif _plain(name) in lines:
            findings.append(finding("term_repeated", where, term=name, first=lines[_plain(name)]))
        elif code and code in codes:
            findings.append(finding("term_code_repeated", where, term=name, number=code, first=codes[code]))
        else:
            lines[_plain(name)] = codes[code] = line
            grades = dict(_grades(row, where, findings))
            if not grades:
                findings.append(finding("term_without_grades", where, Grade.WARNING, term=name))
            terms.append(ListedTerm(name, grades, code, row.get("system", ""), row.get("definition", ""), line))
    return terms


def _grades(row: Mapping[str, str], where: Where, findings: list[Finding]) -> Iterator[tuple[int, str]]:
    for grade in _GRADES:
        cell = row[f"grade{grade}"]
        if cell in _NO_GRADE:
            continue
        if cell.casefold() in _NO_ANSWER or not any(letter.isalnum() for letter in cell):
            findings.append(finding("term_grade_unreadable", where, term=row["term"], number=grade, cell=cell))
        else:
            yield grade, cell


def _decoded(content: bytes) -> tuple[str | None, str]:
    """The text, and the encoding where it had to be guessed."""
    guesses = {"utf-8-sig": "", "gb18030": "GB 18030", "cp1252": "Windows-1252"}
    for encoding, note in {"utf-16": ""}.items() if content[:2] in (b"\xff\xfe", b"\xfe\xff") else guesses.items():
        try:
            return content.decode(encoding), note
        except UnicodeDecodeError:
            continue
    return None, ""


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line it begins in; the separator is the one that the header uses most."""
    header = text.lstrip("\r\n").split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    line = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
