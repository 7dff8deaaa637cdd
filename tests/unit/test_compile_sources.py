"""The compiled interpreter over sources that leave columns out: what is not there costs nothing, and promises much."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.spec.compiled import compiled_answers, duckdb, read, same
from trialwright.core.finding import Finding, Refused
from trialwright.core.interval import Interval, point
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.language.check import Checked, check
from trialwright.language.compile import Source, answers_of, categories_of, compile_criteria, compile_rules
from trialwright.language.compiling.loading import source_from_facts
from trialwright.language.evaluate import evaluate
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.parse import parse
from trialwright.language.typed import Typed
from trialwright.language.values import Amount, Answer, Kinds, Value
from trialwright.language.vocabulary import Derivation, Item, Record, Vocabulary

NOW = partial_date("2026-03-09")
_GRADE = Item("grade", "category", categories=("good", "fair", "poor"))
_LATEST = parse("grade")
assert not isinstance(_LATEST, Finding)
VOCABULARY = Vocabulary(
    {
        "a": Item("a", "count", attributes={"cycle": Item("cycle", "count")}),
        "f": Item("f", "yes_no"),
        "grade": _GRADE,
        "birth_date": Item("birth_date", "date"),
        "age": Item("age", "age", born="birth_date"),
    },
    {"visit": Record("visit", {"size": Item("size", "count"), "grade": _GRADE, "well": Item("well", "yes_no")})},
    {"partner": frozenset({"a"})},
    frozenset({"infusion", "transfer"}),
    {"same": Derivation("same", _LATEST)},
    {"nothing": frozenset()},
)


def _rule(text: str) -> Typed:
    expression = parse(text)
    assert not isinstance(expression, Finding), str(expression)
    return check(expression, Checked(VOCABULARY))


def _number(value: int, day: str = "2026-03-01") -> Observation:
    return Observation(Amount(point(Decimal(value))), partial_date(day) if day else None)


FACTS = Facts(
    {
        "a": [_number(2), _number(5, "2026-02-01"), _number(8, "2026-01-01")],
        "f": [Observation(Answer(Truth.YES), partial_date("2026-02-01"))],
        "grade": [Observation(Kinds(frozenset({"fair"})), partial_date("2026-02-01"))],
    },
    {
        "visit": [
            RecordEntry("visit", "v1", partial_date("2026-01-05"), {"size": _number(4, "2026-01-05")}),
            RecordEntry("visit", "v2", partial_date("2026-02-05"), {"size": _number(6, "2026-02-05")}),
        ]
    },
    {"visit": NOW},
    {"infusion": [partial_date("2026-02-10")], "transfer": [partial_date("2026-02-17")]},
)

ASKED = [
    "a",
    "a + 1 > 2",
    "a at infusion",
    "mean(a)",
    "mean(a) > 4.9",
    "sum(a)",
    "max(a)",
    "min(a at infusion)",
    "f",
    "f at infusion",
    "grade = fair",
    "grade at infusion = fair",
    "same at infusion = fair",
    "(grade at transfer) = poor",
    "grade in {good, fair, poor} or f",
    "grade not in {good, fair, poor} and f",
    "grade in nothing",
    "latest(a at infusion).date",
    "latest(a).date - infusion <= 19 days",
    "transfer - infusion",
    "infusion - transfer",
    "2026-03-09 - 2026-03-01",
    "known(visit.size)",
    "mean(visit.size)",
    "max(visit.size)",
    "min(visit.size)",
    "sum(visit.size)",
    "latest(visit).date",
    "1 + 1 = 2",
    "a * (a at infusion)",
    "a / (a at infusion) = 0.4",
    "any(visit satisfies 0.07 * size * size = 2.52)",  # a little more in binary numbers
    "any(visit satisfies size / (size + 4) + size / (size + 4) + size / (size + 4) = 1.8)",
]


@pytest.mark.parametrize("points_only", [True, False], ids=["points", "everything"])
def test_a_source_of_points_answers_as_evaluate_does(points_only: bool) -> None:
    rules = {f"x{number}": _rule(text) for number, text in enumerate(ASKED)}
    found = compiled_answers(duckdb(), VOCABULARY, {"p": (FACTS, NOW)}, rules, points_only)
    for (name, rule), text in zip(rules.items(), ASKED, strict=True):
        expected = evaluate(rule, FACTS, NOW).value
        assert same(expected, found["p", name]), text


def test_a_rule_of_constants_alone_needs_no_column() -> None:
    rules = {"x": _rule("1 + 1 = 2")}
    assert compiled_answers(duckdb(), VOCABULARY, {"p": (FACTS, NOW)}, rules)["p", "x"] == Answer(Truth.YES)


# ---------------------------------------------------------------- columns that are not there


def _asked(text: str, leave_out: Callable[[Source], Source]) -> Value:
    rule = _rule(text)
    source = source_from_facts(duckdb(), VOCABULARY, {"p": (FACTS, NOW)})
    (row,) = answers_of(duckdb(), compile_rules({"x": rule}, leave_out(source))).to_pylist()
    return read(rule, "x", row)


def test_without_persons_nobody_has_relatives() -> None:
    def alone(source: Source) -> Source:
        own = source.observations.filter(source.observations.person == "")
        return replace(source, observations=own.drop("person"))

    assert _asked("a", alone) == Amount(point(Decimal(2)))
    assert _asked("partner.a > 1", alone) == Answer(Truth.UNKNOWN)
    assert _asked("any(a where a > 7) and not any(partner.a)", alone) == Answer(Truth.UNKNOWN)


def test_a_whole_day_inside_a_month_in_doubt_is_not_surely_after_it() -> None:
    """Records of whole days, an infusion of which the month is known: what was seen on the 5th may be known then."""
    facts = replace(FACTS, anchors={"infusion": [partial_date("2026-02")]})
    source = source_from_facts(duckdb(), VOCABULARY, {"p": (facts, NOW)})
    seen = source.records["visit"].drop("date_latest", "size_date_earliest", "size_date_latest")
    source = replace(source, records={"visit": seen}, closings=None)
    rule = _rule("every(visit satisfies size > 3) at infusion")
    (row,) = answers_of(duckdb(), compile_rules({"x": rule}, source)).to_pylist()
    assert read(rule, "x", row) == Answer(Truth.YES)


def test_without_closings_every_list_is_closed() -> None:
    facts = Facts(records=FACTS.records)
    source = source_from_facts(duckdb(), VOCABULARY, {"p": (facts, NOW)})
    for given, answer in ((source, Truth.UNKNOWN), (replace(source, closings=None), Truth.YES)):
        (row,) = answers_of(duckdb(), compile_rules({"x": _rule("count(visit) = 2")}, given)).to_pylist()
        assert read(_rule("count(visit) = 2"), "x", row) == Answer(answer)


def test_observations_need_no_number_where_nothing_is_asked_inside_them() -> None:
    def bare(source: Source) -> Source:
        return replace(source, observations=source.observations.drop("observation"))

    assert _asked("count(a where a > 4)", bare) == Amount(point(Decimal(2)))


def test_what_no_column_tells_is_unknown() -> None:
    def values(source: Source) -> Source:
        return replace(source, observations=source.observations.drop("normal_low", "normal_high", "cycle_low"))

    assert _asked("a", values) == Amount(point(Decimal(2)))
    assert _asked("a inside normal", values) == Answer(Truth.UNKNOWN)
    assert _asked("count(a on cycle 1..2) > 0", values) == Answer(Truth.UNKNOWN)


# ---------------------------------------------------------------- promises of points


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        (Facts({"a": [_number(1, "")]}), "without a date"),
        (
            Facts(records={"visit": [RecordEntry("visit", "v1", NOW, {"size": _number(1, "2026-03-01")})]}),
            "visit.size, told on a day of its own",
        ),
        (Facts({"a": [_number(1, "2026-03-01T10:00")]}), "no whole day"),
        (Facts({"a": [Observation(Amount(Interval(Decimal(0), Decimal(1))), NOW)]}), "a, "),
    ],
)
def test_what_breaks_the_promise_of_points_is_refused(facts: Facts, what: str) -> None:
    with pytest.raises(Refused, match=what):
        source_from_facts(duckdb(), VOCABULARY, {"p": (facts, NOW)}, points_only=True)


def test_a_field_told_on_the_day_of_its_record_keeps_the_promise() -> None:
    told = {"size": _number(1, "2026-03-09"), "well": Observation(Answer(Truth.YES), None)}
    facts = Facts(records={"visit": [RecordEntry("visit", "v1", NOW, told)]})
    rules = {"x": _rule("latest(visit).size = 1 and latest(visit).well")}
    assert compiled_answers(duckdb(), VOCABULARY, {"p": (facts, NOW)}, rules, True)["p", "x"] == Answer(Truth.YES)


# ---------------------------------------------------------------- results


@pytest.mark.parametrize(
    ("text", "categories"),
    [
        ("grade", _GRADE.categories),
        ("same", _GRADE.categories),
        ("same at infusion", _GRADE.categories),
        ("latest(visit).grade", _GRADE.categories),
        ("a", ()),
        ("a > 1", ()),
        ("count(visit)", ()),
        ("latest(visit).date", ()),
    ],
)
def test_the_bits_of_a_mask_stand_for_the_categories_as_declared(text: str, categories: tuple[str, ...]) -> None:
    assert categories_of(_rule(text)) == categories


def test_without_criteria_everybody_is_eligible() -> None:
    source = source_from_facts(duckdb(), VOCABULARY, {"p": (FACTS, NOW), "q": (Facts(), NOW)})
    rows: list[Mapping[str, Any]] = answers_of(duckdb(), compile_criteria([], source)).to_pylist()
    assert {row["participant"]: row["verdict"] for row in rows} == {"p": "eligible", "q": "eligible"}
