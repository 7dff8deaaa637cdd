"""Reasons: whatever is not fully known names the first thing that would have to be recorded."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trialwright.core.finding import Finding
from trialwright.core.interval import point
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.language.check import Checked, check
from trialwright.language.evaluate import evaluate
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.parse import parse
from trialwright.language.values import Amount, Answer, Kinds, Value
from trialwright.language.vocabulary import Item, Record, Vocabulary

DAY = partial_date("2026-03-09")
_KINDS = ("x", "y")
NAMES = Vocabulary(
    {
        "a": Item("a", "count", attributes={"cycle": Item("cycle", "count")}),
        "b": Item("b", "count"),
        "k": Item("k", "category", categories=_KINDS),
        "m": Item("m", "category", categories=_KINDS),
        "f": Item("f", "yes_no"),
        "born": Item("born", "date"),
        "age": Item("age", "age", born="born"),
    },
    {"visit": Record("visit", {"size": Item("size", "count"), "well": Item("well", "yes_no")})},
    {"partner": frozenset({"a", "age", "born"})},
    frozenset({"start", "end"}),
)


def _told(value: Value | None, day: str = "2026-03-01", why: str = "") -> Observation:
    return Observation(value, partial_date(day), why=why)


def _number(value: int) -> Amount:
    return Amount(point(Decimal(value)))


_VISITS = {
    "visit": [
        RecordEntry("visit", "v1", partial_date("2026-01-01"), {"size": _told(_number(3), "2026-01-01")}),
        RecordEntry("visit", "v2", partial_date("2026-02-01"), {"well": _told(Answer(Truth.YES), "2026-02-01")}),
    ]
}
FACTS = {
    "nothing": Facts(),
    "a": Facts({"a": [_told(_number(5))]}),
    "k": Facts({"k": [_told(Kinds(frozenset({"x"})))]}),
    "start": Facts(anchors={"start": [DAY]}),
    "lost": Facts({"a": [_told(None, why="haemolysed")], "born": [_told(None, why="she does not know")]}),
    "zero": Facts({"a": [_told(_number(5))], "b": [_told(_number(0))]}),
    "later": Facts({"a": [_told(_number(5), "2026-03")]}),
    "old": Facts({"a": [_told(_number(5), "2025-01-01")]}),
    "visits": Facts({}, _VISITS, {"visit": DAY}),
    "open": Facts({}, _VISITS),
    "none": Facts(closed={"visit": DAY}),
}

REASONS = [
    # asked, of whom, why it is not fully known
    ("a", "nothing", "a: never recorded"),
    ("partner.a", "nothing", "partner.a: never recorded"),
    ("a", "lost", "a: haemolysed"),
    ("a", "later", "a: not certain that it was recorded in time"),
    ("a within 1 month", "old", "a: recorded, but not in the time or state that is asked for, or expired"),
    ("a at start", "a", "start: not reached"),
    ("(a < 7) at end", "start", "end: not reached"),
    ("start - end", "nothing", "start: not reached"),
    ("start - end", "start", "end: not reached"),
    ("end - start", "start", "end: not reached"),
    ("start < end", "nothing", "start: not reached"),
    ("start < end", "start", "end: not reached"),
    ("end < start", "start", "end: not reached"),
    ("a < b", "nothing", "a: never recorded"),
    ("a < b", "a", "b: never recorded"),
    ("b < a", "a", "b: never recorded"),
    ("a + b", "nothing", "a: never recorded"),
    ("a + b", "a", "b: never recorded"),
    ("b * a", "a", "b: never recorded"),
    ("a / b", "zero", "division by zero"),
    ("a / b > 1", "zero", "division by zero"),
    ("b^-1", "zero", "division by zero"),
    ("b^-1", "nothing", "b: never recorded"),
    ("-b", "nothing", "b: never recorded"),
    ("b^2", "nothing", "b: never recorded"),
    ("a in 1..3", "nothing", "a: never recorded"),
    ("a in 1..3", "later", "a: not certain that it was recorded in time"),
    ("a > 3", "later", "a: not certain that it was recorded in time"),
    ("k = m", "nothing", "k: never recorded"),
    ("k = m", "k", "m: never recorded"),
    ("m = k", "k", "m: never recorded"),
    ("k = x", "nothing", "k: never recorded"),
    ("k in {x, y}", "nothing", ""),
    ("age", "nothing", "born: never recorded"),
    ("age", "lost", "born: she does not know"),
    ("partner.age", "nothing", "partner.born: never recorded"),
    ("age at start", "nothing", "start: not reached"),
    ("a inside normal", "a", "a: no reference range came with the result"),
    ("a inside normal", "nothing", "a: never recorded"),
    ("a outside normal", "later", "a: not certain that it was recorded in time"),
    ("a.date", "nothing", "a: never recorded"),
    ("latest(a).date", "later", "a: not certain that it was recorded in time"),
    ("max(a)", "nothing", "a: never recorded"),
    ("count(a)", "nothing", "a: never recorded"),
    ("any(a where a > 1)", "nothing", "a: the list is still open"),
    ("count(a on cycle 1..2)", "a", "a: not certain that it was recorded in time"),
    ("mean(a)", "lost", "a: never recorded"),
    ("count(visit)", "open", "visit: the list is still open"),
    ("count(visit where size > 1)", "visits", "visit: not all of them are fully recorded"),
    ("any(visit where size > 9)", "open", "visit: the list is still open"),
    ("any(visit where size > 9)", "visits", "visit: not all of them are fully recorded"),
    ("every(visit satisfies well)", "visits", "visit: not all of them are fully recorded"),
    ("every(visit satisfies well)", "none", "visit: none recorded"),
    ("every(visit satisfies well)", "open", "visit: the list is still open"),
    ("share(visit satisfies well)", "open", "visit: the list is still open"),
    ("share(visit satisfies well)", "visits", "visit: not all of them are fully recorded"),
    ("share(visit satisfies well)", "none", "visit: there is none to take a share of"),
    ("share(visit where size > 9 satisfies well)", "visits", "visit: perhaps there is none"),
    ("longest_run(visit satisfies well)", "open", "visit: the list is still open"),
    ("longest_run(visit satisfies well)", "visits", "visit: not all of them are fully recorded"),
    ("latest(visit).size", "visits", "visit.size: not recorded"),
    ("latest(visit).size", "none", "visit: none recorded"),
    ("latest(visit where size > 9).size", "visits", "visit: not certain that it belongs"),
    ("max(visit.size)", "visits", "visit.size: not recorded"),
    ("max(visit.size)", "none", "visit: none recorded"),
    ("max(visit.size)", "open", "visit: the list is still open"),
    ("sum(visit.size)", "visits", "visit.size: not recorded"),
    ("sum(visit.size)", "open", "visit: the list is still open"),
    ("mean(visit.size)", "open", "visit: the list is still open"),
    ("min(visit.size)", "visits", "visit.size: not recorded"),
    ("earliest(visit).well", "visits", "visit.well: not recorded"),
    ("a > 1 or f", "nothing", "a: never recorded; f: never recorded"),
    ("a > 1 and f", "a", "f: never recorded"),
    ("not f", "nothing", "f: never recorded"),
    ("a at start inside normal", "a", "start: not reached"),
    ("longest_run(visit satisfies well)", "none", ""),
    ("count(visit)", "visits", ""),
    ("count(visit)", "none", ""),
    ("max(a)", "a", ""),
]


@pytest.mark.parametrize(("asked", "whom", "why"), REASONS)
def test_what_is_not_fully_known_says_what_is_missing(asked: str, whom: str, why: str) -> None:
    expression = parse(asked)
    assert not isinstance(expression, Finding), str(expression)
    assert evaluate(check(expression, Checked(NAMES)), FACTS[whom], DAY).value.why == why
