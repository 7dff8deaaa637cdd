"""The page from clauses to tests: every test that it names exists, and nothing is claimed that nobody read."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from trialwright.protocol.reporting import Rule, pack, pack_names
from trialwright.trial.clocks import KINDS

TESTS = Path(__file__).parent.parent
VIEWS = TESTS.parent / "src" / "trialwright" / "views"
TEXT = (TESTS.parent / "docs" / "traceability.md").read_text("utf-8")
#: How far a text was read, best first; `example` is no text, and stands for rules only.
TAGS = ("read", "copy", "secondary", "draft only", "from knowledge")
STANDINGS = ("Not built yet", "In part", "Not fed yet", "For people")
HEADER = ["clause", "asks", "how Trialwright does it", "shown by", "text"]
RULES = {rule.id: rule for name in pack_names() for rule in pack(name).rules}

#: What the page must speak of, in a row or among what is not shown.
_CLAUSES = {
    "ICH E6(R3)": """
        2.7.2; 3.13.1; 3.13.2(a); 3.13.2(b); 3.13.2(c); 3.13.2(d); 3.13.2(e); 3.13.2(f); 3.16.1(i); 4.1.1; 4.1.2;
        4.1.3; 4.1.4; 4.2.1; 4.2.2(a)(i); 4.2.2(a)(ii); 4.2.2(a)(iii); 4.2.2(b); 4.2.2(c); 4.2.2(d); 4.2.2(e); 4.2.3;
        4.2.4; 4.2.5; 4.2.6; 4.2.7; 4.2.8; 4.3.1; 4.3.2; 4.3.3(a); 4.3.3(b); 4.3.3(c); 4.3.3(d); 4.3.4; 4.3.5; 4.3.6;
        4.3.7; 4.3.8
    """,
    "GCP for advanced therapies": "4.2; 5.2; 6.2; 7; 8; 9.2; 9.3; 10",
    "Regulation (EU) 536/2014": "Art. 41(2); Art. 42(2); Art. 43; Art. 53; Art. 54; Annex III",
    "21 CFR": """
        312.32(a); 312.32(b); 312.32(c)(1); 312.32(c)(2); 312.32(d); 312.64(b); 11.10(a); 11.10(b); 11.10(c);
        11.10(d); 11.10(e); 11.10(f); 11.10(g); 11.10(h); 11.10(i); 11.10(j); 11.10(k); 11.30; 11.50; 11.70; 11.100;
        11.200; 11.300
    """,
    "China": """
        Measures of 2015, Art. 22-24; Measures of 2015, Art. 26; Measures of 2015, Art. 27; Measures of 2015, filing;
        Draft of 2013, Art. 23; Draft of 2013, Art. 24; Draft of 2013, Art. 25; Decree 818, Art. 15;
        Decree 818, Art. 18; Decree 818, Art. 22; Decree 818, Art. 24; Decree 818, Art. 25(1); Decree 818, Art. 25(2);
        Decree 818, Art. 26; Decree 818, Art. 27; Decree 818, Art. 57
    """,
}
CLAUSES = [(text, one.strip()) for text, told in _CLAUSES.items() for one in told.split(";")]
Table = tuple[list[str], list[list[str]]]


def _tables(text: str) -> list[Table]:
    """Header and rows of every table."""
    found = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    cells = [[_cells(line) for line in table.splitlines()] for table in found]
    return [(header, rows) for header, _, *rows in cells]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _sections(text: str, level: str) -> dict[str, str]:
    _, *parts = re.split(rf"^{level} ", text, flags=re.MULTILINE)
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


SECTIONS = _sections(TEXT, "##")
ROWS = [row for header, rows in _tables(TEXT) if header == HEADER for row in rows]
GAPS = {
    text: [" ".join(one.split()) for one in re.findall(r"^- (.*(?:\n  .*)*)", part, re.MULTILINE)]
    for text, part in _sections(SECTIONS["Not shown yet"], "###").items()
}


@cache
def _tests(file: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """The tests of a file by name; of those that Hypothesis or pytest multiply, the function once."""
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    groups = [tree.body, *(one.body for one in tree.body if isinstance(one, ast.ClassDef))]
    functions = (one for group in groups for one in group if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
    return {one.name: one for one in functions if one.name.startswith("test_")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_row_has_its_five_cells(row: list[str]) -> None:
    assert len(row) == len(HEADER)
    assert all(row), row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_row_names_tests_and_a_mark(row: list[str]) -> None:
    *_, shown, mark = row
    assert ", ".join(f"`{one}`" for one in _codes(shown)) == shown
    assert mark.strip("`") in TAGS
    assert mark == f"`{mark.strip('`')}`"


@pytest.mark.parametrize("named", sorted({*re.findall(r"`([\w/]+\.py::\w+)`", TEXT)}))
def test_every_test_that_is_named_exists_and_runs(named: str) -> None:
    file, _, name = named.partition("::")
    assert (TESTS / file).is_file(), f"there is no tests/{file}"
    assert name in _tests(file), f"tests/{file} has no {name}"
    source = ast.unparse(_tests(file)[name])
    assert not re.search(r"\b(skip|skipif|xfail|importorskip)\b", source), f"{named} may not run"


def test_whatever_looks_like_a_test_is_one() -> None:
    assert set(re.findall(r"`([^`]*(?:::|test_)[^`]*)`", TEXT)) == set(re.findall(r"`([\w/]+\.py::test_\w+)`", TEXT))


def test_the_marks_are_explained_and_no_others() -> None:
    ((_, rows),) = (table for table in _tables(TEXT) if table[0] == ["text", "means"])
    assert [row[0].strip("`") for row in rows] == list(TAGS)


@pytest.mark.parametrize("name", pack_names())
def test_the_rules_of_a_pack_that_are_not_verified_are_named_with_how_far_they_were_read(name: str) -> None:
    ((_, rows),) = (table for table in _tables(TEXT) if table[0] == ["pack", "verified", "rules"])
    told = {(rule, row[1].strip("`")) for row in rows if row[0] == f"`{name}`" for rule in _codes(row[2])}
    assert told == {(rule.id, rule.verified) for rule in pack(name).rules if rule.verified != "read"}


def test_no_row_stands_for_a_pack_that_is_gone() -> None:
    ((_, rows),) = (table for table in _tables(TEXT) if table[0] == ["pack", "verified", "rules"])
    assert {row[0].strip("`") for row in rows} <= set(pack_names())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_no_row_is_marked_better_than_the_rules_that_it_rests_on(row: list[str]) -> None:
    rules: list[Rule] = [RULES[one] for one in _codes(row[2]) if one in RULES]
    assert not {one.verified for one in rules} - set(TAGS), "an example shows no clause"
    assert all(TAGS.index(row[4].strip("`")) >= TAGS.index(one.verified) for one in rules)


@pytest.mark.parametrize(("text", "clause"), CLAUSES)
def test_every_clause_has_a_row_or_stands_among_what_is_not_shown(text: str, clause: str) -> None:
    gaps = [one.partition("**")[2].partition("**")[0] for one in GAPS[text]]
    assert [one for one in (*_clauses(text), *gaps) if one == clause or one.startswith(f"{clause}, ")]


@pytest.mark.parametrize("text", GAPS)
def test_what_is_not_shown_says_how_it_stands_and_why(text: str) -> None:
    shown = _clauses(text)
    for gap in GAPS[text]:
        found = re.fullmatch(rf"\*\*(.+)\*\* ({'|'.join(STANDINGS)}): (.+)\.", gap)
        assert found, gap
        rows = [row for row in shown if row == found[1] or row.startswith(f"{found[1]}, ")]
        assert bool(rows) == (found[2] == "In part"), f"{gap} The rows: {rows}"


def _clauses(text: str) -> list[str]:
    """The clauses of a text that a row shows; that of 21 CFR stands in two sections."""
    parts = [part for title, part in SECTIONS.items() if title.startswith(text)]
    return [row[0] for part in parts for header, rows in _tables(part) if header == HEADER for row in rows]


def test_a_rule_that_nothing_feeds_is_named_as_such() -> None:
    unfed = {one for found in GAPS.values() for gap in found if " Not fed yet: " in gap for one in _codes(gap)}
    made = {kind for file in VIEWS.glob("*.py") for kind in re.findall(r'\bkind="([^"]+)"', file.read_text("utf-8"))}
    assert made >= {"adverse event", "pregnancy"}
    assert unfed == {one.id for one in RULES.values() if one.event in KINDS and one.event not in made}


def test_the_page_says_what_was_not_checked_and_claims_no_conformance() -> None:
    top = TEXT.partition("\n## ")[0]
    assert "is no claim of conformance" in " ".join(top.split())
    assert next(iter(SECTIONS)) == "What was not checked"
    assert not re.search(r"\b(complian|complies|comply|certif|validated system|conforms with)", TEXT)
