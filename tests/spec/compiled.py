"""The answers of `compile`, read back from its columns as the values that `evaluate` gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import ibis

from tests.spec.reading import Question, questions, typed
from trialwright.core.interval import INFINITY, Interval, point
from trialwright.core.partial_date import PartialDate
from trialwright.core.truth import Truth
from trialwright.language.compile import answers_of, categories_of, compile_rules
from trialwright.language.compiling.loading import source_from_facts
from trialwright.language.facts import Facts
from trialwright.language.typed import Typed
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value
from trialwright.language.vocabulary import Vocabulary

TRUTHS = {True: Truth.YES, False: Truth.NO, None: Truth.UNKNOWN}


@cache
def duckdb() -> Any:
    """One connection for all tests."""
    return ibis.duckdb.connect()


def compiled_answers(
    connection: Any,
    vocabulary: Vocabulary,
    people: Mapping[str, tuple[Facts, PartialDate]],
    rules: Mapping[str, Typed],
    points_only: bool = False,
) -> dict[tuple[str, str], Value]:
    """The value of every rule for every participant, from one query."""
    source = source_from_facts(connection, vocabulary, people, points_only)
    rows = answers_of(connection, compile_rules(rules, source)).to_pylist()
    assert len(rows) == len(people)
    return {(row["participant"], name): read(rule, name, row) for row in rows for name, rule in rules.items()}


def read(rule: Typed, name: str, row: Mapping[str, Any]) -> Value:
    """The columns of one rule in one row, as a value."""
    match rule.type.is_a:
        case "amount":
            low, high = _number(row[f"{name}_low"], -INFINITY), _number(row[f"{name}_high"], INFINITY)
            ends = (False, False) if low == high else (row[f"{name}_low_open"], row[f"{name}_high_open"])
            interval = point(low) if low == high else Interval(low, high, *(bool(end) for end in ends))
            return Amount(interval, TRUTHS[row[f"{name}_undefined"]])
        case "category":
            order = categories_of(rule)
            possible = frozenset(one for bit, one in enumerate(order) if row[f"{name}_mask"] >> bit & 1)
            return Kinds(possible, TRUTHS[row[f"{name}_undefined"]])
        case "date":
            return Moment(row[f"{name}_earliest"], row[f"{name}_latest"])
        case _:
            return Answer(TRUTHS[row[name]])


def _number(value: float | Decimal | None, infinity: Decimal) -> Decimal:
    """The number; a DOUBLE to the twelve digits to which it is compared."""
    if value is None:
        return infinity
    return Decimal(f"{value:.12g}") if isinstance(value, float) else Decimal(value)


@cache
def chapter_answers(chapter: str, engine: Callable[[], Any] = duckdb) -> dict[tuple[str, str, str], Value]:
    """What `compile` answers to every expression of a chapter, for everybody in it."""
    asked = [question for question in questions() if question.chapter == chapter]
    names = {text: f"q{number}" for number, text in enumerate(dict.fromkeys(one.expression for one in asked))}
    rules = {names[one.expression]: typed(one) for one in asked}
    people = {f"{one.claim} {one.when}": (one.facts, one.when) for one in asked}
    found = compiled_answers(engine(), asked[0].vocabulary, people, rules)
    return {
        (one.claim, str(one.when), one.expression): found[f"{one.claim} {one.when}", names[one.expression]]
        for one in asked
    }


def compiled(question: Question, engine: Callable[[], Any] = duckdb) -> Value:
    """What `compile` answers to one question."""
    return chapter_answers(question.chapter, engine)[question.claim, str(question.when), question.expression]


def same(one: Value, other: Value) -> bool:
    """Whether two values are the same: their reasons left out, their numbers compared to eleven digits."""
    match one, other:
        case Amount(), Amount():
            x, y = one.interval, other.interval
            opens = (x.low_open, x.high_open) == (y.low_open, y.high_open)
            return one.undefined is other.undefined and opens and _near(x.low, y.low) and _near(x.high, y.high)
        case Moment(), Moment():
            ends = ((None, None) if None in (x.earliest, x.latest) else (x.earliest, x.latest) for x in (one, other))
            return next(ends) == next(ends)
        case _:
            return one._replace(why="") == other._replace(why="")


def _near(x: Decimal, y: Decimal) -> bool:
    return x == y or (x.is_finite() and y.is_finite() and abs(x - y) <= abs(x) * Decimal("1e-11"))
