"""Explanations: each clause with what it used, as lines, as JSON and as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.spec.reading import Question, questions, typed
from trialwright.core.finding import Finding
from trialwright.core.interval import Interval, point
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.core.units import unit
from trialwright.language import explain
from trialwright.language.check import Checked, check
from trialwright.language.evaluate import evaluate
from trialwright.language.explanation import Explanation, Use
from trialwright.language.facts import Facts, Observation
from trialwright.language.in_words import in_words
from trialwright.language.parse import parse
from trialwright.language.values import Amount, Answer, Kinds, Moment, show
from trialwright.language.vocabulary import Item, Vocabulary

_NG = unit("ng/mL")
assert _NG is not None
NAMES = Vocabulary(
    {
        "afc": Item("afc", "count"),
        "amh": Item("amh", "quantity", _NG),
        "hiv": Item("hiv", "category", categories=("a<", "b")),
    }
)
DAY = partial_date("2026-03-09")
FACTS = Facts(
    {
        "amh": [Observation(Amount(point(Decimal("0.98"))), partial_date("2026-03-01"), entered="7 pmol/L", event=4)],
        "afc": [Observation(Amount(point(Decimal(5))), None, entered="5", event=6)],
    }
)


def _explained(text: str, facts: Facts = FACTS) -> Explanation:
    expression = parse(text)
    assert not isinstance(expression, Finding)
    return evaluate(check(expression, Checked(NAMES)), facts, DAY)


def test_a_value_is_told_with_what_was_entered_when_and_in_which_event() -> None:
    assert list(explain.lines(_explained("amh < 1.10 ng/mL"))) == [
        "amh < 1.10 ng/mL: yes (distance from the limit 0.12 ng/mL)",
        "  amh: 0.98 ng/mL  [amh = 0.98 ng/mL, entered as 7 pmol/L, 2026-03-01, event 4]",
    ]


def test_what_has_no_date_or_no_event_is_told_without() -> None:
    five = Amount(point(Decimal(5)))
    assert explain.use_line(Use("afc", five, "1", "5", "", 6)) == "afc = 5, event 6"
    assert explain.use_line(Use("afc", five, "1", "5", "2026-03-09", 0)) == "afc = 5, 2026-03-09"
    assert explain.use_line(Use("amh", five, "ng/mL", "5", "", 0)) == "amh = 5 ng/mL"
    assert explain.use_line(Use("amh", None, "ng/mL", "", "", 0, "haemolysed")) == "amh = no result (haemolysed)"


def test_every_recorded_value_is_named_once_in_the_order_of_use() -> None:
    found = _explained("amh < 1.10 ng/mL and afc <= 7 and amh > 0.5 ng/mL")
    assert [(use.item, use.event) for use in explain.uses(found)] == [("amh", 4), ("afc", 6)]


def test_an_age_rests_on_the_date_of_birth() -> None:
    names = Vocabulary({"born": Item("born", "date"), "age": Item("age", "age", born="born")})
    told = partial_date("1988-05-01")
    facts = Facts({"born": [Observation(Moment(told.earliest, told.latest), DAY, entered="1988-05-01", event=2)]})
    expression = parse("age >= 35 years")
    assert not isinstance(expression, Finding)
    assert list(explain.lines(evaluate(check(expression, Checked(names)), facts, DAY))) == [
        "age >= 35 years: yes (distance from the limit 2 years)",
        "  age: 37 years  [born = 1988-05-01, 2026-03-09, event 2]",
    ]


def test_an_explanation_as_json_has_the_clause_the_answer_and_the_distance() -> None:
    told: Any = explain.to_json(_explained('amh < 1.10 ng/mL or hiv = "a<"'))
    assert told["clause"] == 'amh < 1.10 ng/mL or hiv = "a<"'
    assert (told["answer"], told["distance"], told["uses"]) == ("yes", None, [])
    first, second = told["parts"]
    assert (first["answer"], first["distance"]) == ("yes", "0.12")
    (amh,) = first["parts"]
    use = {"item": "amh", "value": "0.98 ng/mL", "entered": "7 pmol/L", "date": "2026-03-01", "event": 4, "why": ""}
    assert (amh["answer"], amh["uses"]) == ("0.98 ng/mL", [use])
    assert second["parts"][0]["answer"] == "unknown (hiv: never recorded)"


def test_a_use_without_a_result_says_why_in_json() -> None:
    told = explain.to_json(_explained("amh", Facts({"amh": [Observation(None, DAY, why="haemolysed")]})))
    use = {"item": "amh", "value": None, "entered": "", "date": "2026-03-09", "event": 0, "why": "haemolysed"}
    assert told["uses"] == [use]


def test_an_explanation_as_html_is_nested_and_escaped() -> None:
    html = explain.to_html(_explained('amh < 1.10 ng/mL or hiv = "a<"'))
    assert html.count('<ul class="explanation">') == html.count("</li></ul>") == 5
    assert html.startswith(
        '<ul class="explanation"><li class="yes"><code>amh &lt; 1.10 ng/mL or hiv = &quot;a&lt;&quot;'
    )
    assert "<small>amh = 0.98 ng/mL, entered as 7 pmol/L, 2026-03-01, event 4</small>" in html
    assert "a<" not in html


def test_a_value_reads_as_a_person_says_it() -> None:
    day, later = partial_date("2026-03-09"), partial_date("2026-03")
    assert [
        show(one, "mm")
        for one in (
            Amount(point(Decimal("5.80"))),
            Amount(Interval(Decimal(0), Decimal(1), False, True)),
            Amount(point(Decimal(1)), Truth.YES, "division by zero"),
            Amount(point(Decimal(1)), Truth.YES),
            Kinds(frozenset({"b"})),
            Kinds(frozenset({"b", "a"})),
            Kinds(frozenset({"b", "a"}), why="hiv: never recorded"),
            Moment(day.earliest, day.latest),
            Moment(later.earliest, later.latest),
            Moment(None, None),
            Moment(day.earliest, None, "no date"),
            Answer(Truth.NO),
            Answer(Truth.UNKNOWN, "afc: never recorded"),
            Answer(Truth.UNKNOWN),
        )
    ] == [
        "5.8 mm", "[0, 1) mm", "undefined (division by zero)", "undefined", "b", "a or b",
        "unknown (hiv: never recorded)", "2026-03-09", "2026-03-01 to 2026-03-31", "unknown", "unknown (no date)",
        "no", "unknown (afc: never recorded)", "unknown",
    ]  # fmt: skip
    assert show(Amount(point(Decimal(7))), "1") == "7"


def _parts(explanation: Explanation) -> Iterator[Explanation]:
    yield explanation
    for part in explanation.parts:
        yield from _parts(part)


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.name)
def test_only_what_is_undecided_gives_a_reason(question: Question) -> None:
    for part in _parts(evaluate(typed(question), question.facts, question.when)):
        match part.value:
            case Answer(truth, why):
                assert truth is Truth.UNKNOWN or why == ""
            case Kinds(possible, undefined, why) if why:
                assert len(possible) > 1 or undefined is not Truth.NO
            case Moment(earliest, _, why) if why:
                assert earliest is None


# ---------------------------------------------------------------- an expression in words


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("afc <= 7 or amh < 1.10 ng/mL", "follicle count is at most 7, or AMH is below 1.10 ng/mL"),
        ("(afc > 1 or amh > 1 ng/mL) and not pregnant",
         "(follicle count is above 1, or AMH is above 1 ng/mL), and not: pregnant"),
        ("latest(fsh on cycle_day 2..4) in 1..10 [IU]/L",
         "the latest fsh on cycle day from 2 to 4 is from 1 to 10 [IU]/L"),
        ("hiv within 6 months = negative", "hiv within the last 6 months is negative"),
        ("known(weight within 3 days after infusion)", "there is a recorded weight within 3 days after infusion"),
        ("known(weight within 3 days around infusion)", "there is a recorded weight within 3 days around infusion"),
        ("amh inside normal", "AMH is inside its reference range"),
        ("any(cycle where outcome in {failed, none})", "there is cycle with outcome is failed or none"),
        ("kind in {a, b, c}", "kind is one of a, b, c"),
        ("kind not in {a, b} ", "kind is not a or b"),
        ("score in {1, 2} mm", "score is 1 or 2 mm"),
        ("smear in abnormal", "smear is one of abnormal"),
        ("longest_run(cycle satisfies outcome = failed) >= 3",
         "the longest run of cycle that satisfies outcome is failed is at least 3"),
        ("latest(cycle where number = 1).outcome = failed",
         "outcome of the latest cycle with number is 1 is failed"),
        ("partner.karyotype = abnormal", "karyotype of partner is abnormal"),
        ("1e6 /kg * weight at infusion", "1e6 /kg times weight at infusion"),
        ("(weight - 1 kg) at infusion > 2 kg", "(weight minus 1 kg) at infusion is above 2 kg"),
        ("(a - b) * c > a / (b * c)", "(a minus b) times c is above a divided by (b times c)"),
        ("a * b - c / d > 0", "a times b minus (c divided by d) is above 0"),
        ("latest(weight) at infusion / height^2 != -1",
         "the latest weight at infusion divided by height to the power of 2 is not minus 1"),
        ('term = "other event" and seen > 2026-01-01', "term is other event, and seen is above 2026-01-01"),
    ],
)  # fmt: skip
def test_an_expression_is_told_in_words(rule: str, words: str) -> None:
    names = {"afc": "follicle count", "amh": "AMH"}
    expression = parse(rule)
    assert not isinstance(expression, Finding)
    assert in_words(expression, lambda name: names.get(name, "")) == words
