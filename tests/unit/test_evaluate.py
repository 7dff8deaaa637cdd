"""The reference interpreter where a record is at hand: edit checks, and what they see of the records above."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trialwright.core.finding import Finding
from trialwright.core.interval import point
from trialwright.core.partial_date import partial_date
from trialwright.language.check import Checked, check
from trialwright.language.evaluate import answer, evaluate
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.parse import parse
from trialwright.language.values import Amount
from trialwright.language.vocabulary import Item, Record, Vocabulary

DAY = partial_date("2026-03-09")
NAMES = Vocabulary(
    {"afc": Item("afc", "count")},
    {
        "cycle": Record("cycle", {"dose": Item("dose", "count")}),
        "embryo": Record("embryo", {"day": Item("day", "count")}, parent="cycle"),
        "biopsy": Record("biopsy", {"cells": Item("cells", "count")}, parent="embryo"),
    },
)


def _record(kind: str, identity: str, parent: str = "", **fields: int) -> RecordEntry:
    told = {name: Observation(Amount(point(Decimal(value))), DAY) for name, value in fields.items()}
    return RecordEntry(kind, identity, DAY, told, parent)


CYCLES = [_record("cycle", "c1", dose=1), _record("cycle", "c2", dose=2)]
EMBRYOS = [_record("embryo", "e1", "c2", day=5), _record("embryo", "e2", "c1", day=6)]
BIOPSIES = [_record("biopsy", "b1", "e1", cells=7), _record("biopsy", "b2", "", cells=7), _record("biopsy", "b3", "b3")]
FACTS = Facts({}, {"cycle": CYCLES, "embryo": EMBRYOS, "biopsy": BIOPSIES}, {"biopsy": DAY})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("cells = 7", ["yes", "yes", "unknown"]),
        ("day = 5", ["yes", "unknown", "unknown"]),
        ("dose = 2", ["yes", "unknown", "unknown"]),
        ("cycle.dose = 1", ["no", "unknown", "unknown"]),
        ("cycle.date = 2026-03-09", ["yes", "unknown", "unknown"]),
        ("date = 2026-03-09", ["yes", "yes", "yes"]),
        ("count(biopsy) = 3", ["unknown", "unknown", "unknown"]),
    ],
)
def test_a_rule_about_a_record_sees_it_and_the_records_it_belongs_to(rule: str, expected: list[str]) -> None:
    expression = parse(rule)
    assert not isinstance(expression, Finding)
    typed = check(expression, Checked(NAMES), of="biopsy")
    assert [answer(evaluate(typed, FACTS, DAY, biopsy)).value for biopsy in BIOPSIES] == expected


def test_of_its_siblings_a_record_counts_those_of_its_parent() -> None:
    expression = parse("count(biopsy) = 1")
    assert not isinstance(expression, Finding)
    typed = check(expression, Checked(NAMES), of="embryo")
    closed = Facts({}, {**FACTS.records, "biopsy": BIOPSIES[:1]}, {"biopsy": DAY})
    assert [answer(evaluate(typed, closed, DAY, embryo)).value for embryo in EMBRYOS] == ["yes", "no"]


def test_an_anchor_that_was_reached_twice_is_the_span_of_both() -> None:
    names = Vocabulary({"afc": Item("afc", "count")}, anchors=frozenset({"infusion"}))
    reached = [partial_date("2026-01-20"), partial_date("2026-01")]
    facts = Facts(
        {"afc": [Observation(Amount(point(Decimal(5))), partial_date("2026-01-20"))]}, anchors={"infusion": reached}
    )
    for rule, expected in (
        ("infusion >= 2026-01-01", "yes"),
        ("infusion > 2026-01-01", "unknown"),
        ("infusion <= 2026-01-31", "yes"),
        ("infusion < 2026-01-31", "unknown"),
        ("afc at infusion = 5", "yes"),
        ("known(afc within 30 days after infusion)", "unknown"),
    ):
        expression = parse(rule)
        assert not isinstance(expression, Finding)
        assert answer(evaluate(check(expression, Checked(names)), facts, DAY)).value == expected, rule
