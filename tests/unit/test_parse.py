"""Text to nodes: one grammar without conflicts, and slips that say where they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripts import grammar as script

from tests import fuzz
from trialwright.core.finding import Finding, Where, mend, says, text
from trialwright.language import grammar
from trialwright.language import nodes as n
from trialwright.language.parse import MAX_DEPTH, MAX_LENGTH, parse
from trialwright.language.unparse import to_json, unparse


def _slip(expression: str, where: Where = Where()) -> Finding:
    found = parse(expression, where)
    assert isinstance(found, Finding), found
    assert says(found)
    assert mend(found)
    return found


def test_the_tables_are_those_of_the_grammar() -> None:
    assert script.main(["--check"]) == 0, "run `python -m scripts.grammar`"


def test_tables_of_another_grammar_or_another_lark_do_not_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> list[tuple[str, int, int, int]]:
        rule = "count(embryo where day in {5, 6}) at infusion >= 2 or amh < 1.10 ng/mL"
        trees = grammar.parser().parse(rule).iter_subtrees()
        return [(str(one.data), len(one.children), one.meta.line, one.meta.column) for one in trees]

    quickly = read()
    monkeypatch.setattr(grammar, "identity", lambda: "of another")
    assert script.main(["--check"]) == 1
    assert read() == quickly


def test_the_tables_are_written_as_they_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(script, "FILE", tmp_path / grammar.TABLES)
    assert (script.main([]), script.main(["--check"])) == (0, 0)


def test_the_grammar_has_no_conflicts_in_strict_mode() -> None:
    # in a process of its own: where interegular can be imported, every parser takes a third of a second to build
    strict = Path(sys.prefix) / "strict"
    assert (strict / "interegular").is_dir(), "the environment lacks requirements/strict.txt; `make test` sets it up"
    program = (
        "from importlib import resources; from lark import Lark; "
        "grammar = (resources.files('trialwright.language') / 'grammar.lark').read_text('utf-8'); "
        "Lark(grammar, parser='lalr', lexer='contextual', strict=True)"
    )
    made = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(strict)}, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr


@pytest.mark.parametrize(
    "expression",
    [
        "age in 20..38 years",
        "bmi in 18..27 kg/m2",
        "latest(fsh on cycle_day 2..4) in 1..10 [IU]/L",
        "afc <= 7 or amh < 1.10 ng/mL",
        "hiv_antibody within 6 months = negative",
        "count(embryo where day in {5, 6} and good_gardner) >= 2",
        "max(endometrial_thickness where phase = late_proliferative) < 6 mm",
        "platelets < 100 10*9/L or haemoglobin < 100 g/L",
        "share(embryo where pronuclei = 2 satisfies transferable)",
        "longest_run(transfer satisfies outcome = failed) >= 3",
        "any(adhesiolysis where date >= severe_iua.date)",
        "1e6 /kg * weight at infusion",
        'cytology in {"ASC-US", hsil}',
        "x within 7 days before infusion on phase late at transfer",
        "(a or b) and not (c and d)",
        "a - (b - c) / d^2",
        "-(-a)",
        "lh outside normal",
        "latest(x where y).f at infusion",
        "a not in named_set",
        "x in {-1, 2.5} mmol/L",
        "x in -3..-1 mmol/L",
        "date >= 2026-03-09",
        "5 {cells}/kg",
        "viability >= 80 %",
        "(a < b) + 1 > 2",
        "(a < b) < c",
        "(a in {b, c}) = yes",
        "(a in 1..2) + 1",
        "(not a) = b",
        "(a and b) = c",
        "not (a or b)",
        "not a < b",
        "not not a",
        "-(a + b)",
        "-(a * b)",
        "-(a < b)",
        "(-a)^2",
        "-a^2",
        "(a + b)^2",
        "(a * b)^2",
        "(a^2)^3",
        "a / (b * c)",
        "a - b + c",
        "a + b * c < d",
        "(a and b) at infusion",
        "(a or b) or c",
        "a and (b and c)",
        " or ".join(["(a or b)"] * (MAX_DEPTH + 1)),  # beside each other, not inside each other
    ],
)
def test_what_is_written_prints_back_the_same(expression: str) -> None:
    node = parse(expression)
    assert not isinstance(node, Finding), str(node)
    assert unparse(node) == expression
    assert parse(unparse(node)) == node
    assert isinstance(to_json(node), dict)


@pytest.mark.parametrize(
    ("expression", "code", "line", "column", "contains"),
    [
        ("afc =< 7", "syntax", 1, 6, "`<`"),
        ("1 < afc < 5", "syntax", 1, 9, "expected"),
        ("fever adn cough", "syntax", 1, 7, "Did you mean `and`"),
        ("lates(fsh) < 5", "syntax", 1, 6, "Did you mean `latest`"),
        ("afc <=", "syntax_end", 1, 7, "expected"),
        ("", "syntax_end", 1, 1, "expected"),
        ("count(embryo where day = 5", "syntax_end", 1, 27, ")"),
        ("afc\n<=\n and 7", "syntax", 3, 2, "`and`"),
        ("afc <= 7 and\namh < 5 ng/mL amh", "syntax", 2, 15, "`amh`"),
        ("100/n", "operator_blanks", 1, 4, "`/`"),
        ("a*b", "operator_blanks", 1, 2, "`*`"),
        ("a-1 > 2", "operator_blanks", 1, 2, "`-` stands"),
        ("viability >= 80%", "syntax", 1, 16, "`%`"),
        ("x = 7mm", "syntax", 1, 5, "expected"),
        ("x^12", "syntax", 1, 4, "expected"),
        ("afc ≤ 7", "syntax", 1, 5, "`≤`"),
        ("afc ≤ 7", "syntax", 1, 5, "a comparison, and, at"),
        ("weight > 5 within", "syntax", 1, 12, "`within`"),
        ("x in {}", "syntax", 1, 7, "expected"),
        ("not", "syntax_end", 1, 4, "expected"),
        ("where", "syntax", 1, 1, "`where` does not fit"),
        ("≤ 7", "syntax", 1, 1, "`≤` does not fit"),
        ("fever adn cough", "syntax", 1, 7, "expected *, +,"),  # no `)`: none is open
        ('x = "open', "syntax", 1, 5, "expected"),
    ],
)
def test_a_slip_says_where_what_was_expected_and_the_nearest_word(
    expression: str, code: str, line: int, column: int, contains: str
) -> None:
    found = _slip(expression)
    assert (found.code, found.where.line, found.where.column) == (code, line, column)
    assert contains in text(found)


def test_a_slip_in_a_file_is_placed_in_the_file() -> None:
    found = _slip("fever adn x", Where("protocol.yaml", 12, 20))
    assert (found.where.file, found.where.line, found.where.column) == ("protocol.yaml", 12, 26)
    found = _slip("afc <= 7\nadn x", Where("protocol.yaml", 12, 20))
    assert found.where.line == 13


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("a" * (MAX_LENGTH + 1), "syntax_too_long"),
        ("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), "syntax_too_deep"),
        ("(a or " * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), "syntax_too_deep"),
        ("not " * (MAX_DEPTH + 1) + "a", "syntax_too_deep"),
        (" + ".join("a" * 999), "syntax_too_deep"),
        ("--" * 100 + "a", "syntax_too_deep"),
    ],
)
def test_what_nobody_can_read_aloud_is_refused(expression: str, code: str) -> None:
    assert _slip(expression).code == code


def test_the_longest_chain_of_conditions_is_read() -> None:
    chain = " or ".join("a" * 700)
    node = parse(chain)
    assert isinstance(node, n.Or)
    assert len(node.operands) == 700
    assert unparse(node) == chain


def test_the_deepest_nesting_that_is_allowed_is_read() -> None:
    deep = "(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH
    assert parse(deep) == n.Ref(("a",))
    assert not isinstance(parse("not " * MAX_DEPTH + "a"), Finding)


_PIECES = (
    "and or not in where satisfies within on at count latest ( ) { } , .. 5 2026-03-09 afc mm kg/m2 [IU]/L /kg + - * /"
    ' ^ 2 = <= "A" days before normal outside . é 1e6 % -5 {5,6}'
)
_WORDS = st.sampled_from(_PIECES.split())


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(_WORDS, max_size=12).map(" ".join), st.lists(_WORDS).map("".join)))
def test_any_text_is_an_expression_or_a_finding(expression: str) -> None:
    found = parse(expression)
    if isinstance(found, Finding):
        assert says(found)
        assert mend(found)
        assert found.code.startswith("syntax") or found.code == "operator_blanks"
        if found.code not in ("syntax_too_long", "syntax_too_deep"):
            assert found.where.line >= 1
            assert found.where.column >= 1
    else:
        assert parse(unparse(found)) == found


def test_a_thousand_arbitrary_texts_are_expressions_or_findings() -> None:
    expressions, findings = fuzz.run(1000, seed=7)
    assert expressions > 10
    assert findings > 500


def test_an_expression_as_json_is_its_nodes_by_name() -> None:
    node = parse("a in {1, 2} mm and latest(b within 3 days).date > 2026-01-01")
    assert not isinstance(node, Finding)
    within = {"node": "Within", "amount": "3", "calendar": "days", "side": "before", "anchor": []}
    assert to_json(node) == {
        "node": "And",
        "operands": [
            {
                "node": "Membership",
                "operand": {"node": "Ref", "path": ["a"], "narrowings": []},
                "choice": {"node": "Members", "members": ["1", "2"], "quoted": [False, False], "unit": "mm"},
                "negated": False,
            },
            {
                "node": "Compare",
                "operator": ">",
                "left": {
                    "node": "Aggregate",
                    "function": "latest",
                    "source": {"node": "Ref", "path": ["b"], "narrowings": [within]},
                    "where": None,
                    "satisfies": None,
                    "field_name": "date",
                    "at": [],
                },
                "right": {"node": "Date", "text": "2026-01-01"},
            },
        ],
    }
