"""A reference range with one open end, as laboratories print it: `>= 0.8`."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trialwright.core.interval import INFINITY, Interval, point
from trialwright.core.partial_date import partial_date
from trialwright.language.check import Checked, check
from trialwright.language.evaluate import answer, evaluate
from trialwright.language.facts import Facts, Observation
from trialwright.language.nodes import Normal
from trialwright.language.parse import parse
from trialwright.language.values import Amount
from trialwright.language.vocabulary import Item, Vocabulary

DAY = partial_date("2026-03-09")


@pytest.mark.parametrize(
    ("value", "low", "high", "outside"),
    [
        ("1.3", "0.8", "Infinity", "no"),
        ("0.7", "0.8", "Infinity", "yes"),
        ("0.7", "-Infinity", "0.8", "no"),
        ("1.3", "-Infinity", "0.8", "yes"),
    ],
)
def test_a_reference_range_may_be_open_at_one_end(value: str, low: str, high: str, outside: str) -> None:
    rule = parse("inr outside normal")
    assert isinstance(rule, Normal)
    normal = Interval(Decimal(low), Decimal(high))
    told = Observation(Amount(point(Decimal(value))), DAY, normal=normal)
    node = check(rule, Checked(Vocabulary({"inr": Item("inr", "quantity")})))
    assert answer(evaluate(node, Facts({"inr": [told]}), DAY)).value == outside
    assert INFINITY in (normal.high, -normal.low)
