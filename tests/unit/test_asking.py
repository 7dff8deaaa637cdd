"""What to ask next: the order that costs least, and the items on which an unknown hangs."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.core.partial_date import partial_date
from trialwright.language.explain import to_html
from trialwright.language.facts import Facts
from trialwright.protocol.asking import Question, _rank, expected_cost, undecided, what_to_ask
from trialwright.protocol.eligibility import determine
from trialwright.protocol.load import load
from trialwright.protocol.protocol import Protocol

DAY = partial_date("2026-03-09")


@pytest.fixture(scope="module")
def iua() -> Protocol:
    protocol, _ = load(Path(__file__).parents[2] / "protocols" / "nct07176143")
    assert protocol is not None
    return protocol


def _question(name: str, cost: str, fails: str) -> Question:
    return Question(name, ("I1",), "", Decimal(cost), "EUR", Decimal(fails))


def test_a_cheap_test_that_often_fails_comes_before_a_dear_one_that_seldom_does() -> None:
    asked = [_question("karyotype", "150", "0.015"), _question("afc", "30", "0.10"), _question("hbsag", "8", "0.04")]
    ordered = sorted(asked, key=_rank)
    assert [one.item for one in ordered] == ["hbsag", "afc", "karyotype"]
    # 8 + 0.96 * 30 + 0.96 * 0.9 * 150
    assert expected_cost(ordered) == Decimal("166.4")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 200), st.sampled_from(["0.002", "0.01", "0.05", "0.1", "0.3", "0.9"])),
        min_size=1,
        max_size=6,
    )
)
def test_no_other_order_of_independent_questions_costs_less(prices: list[tuple[int, str]]) -> None:
    asked = [_question(f"q{number}", str(cost), fails) for number, (cost, fails) in enumerate(prices)]
    least = min(expected_cost(order) for order in permutations(asked))
    assert expected_cost(sorted(asked, key=_rank)) == least


def test_only_undecided_items_are_asked_for(iua: Protocol) -> None:
    result = determine(iua, Facts(), DAY)
    asking = what_to_ask(iua, result)
    named = {one.item for one in asking.questions}
    assert {"afc", "fsh", "karyotype", "partner.karyotype", "embryo"} <= named
    assert not asking.exact, "inclusion 5c needs four hormones, so that the order is greedy"
    severe = next(one for one in result.answers if one.criterion.name == "E10a")
    assert undecided(severe.explanation) == {"platelets": "platelets: never recorded"}


def test_nothing_is_asked_where_the_verdict_is_reached(iua: Protocol) -> None:
    result = determine(iua, Facts(), DAY)
    decided = type(result)("ineligible", result.answers)
    assert what_to_ask(iua, decided).questions == ()


def test_an_explanation_as_html_escapes_what_was_entered(iua: Protocol) -> None:
    one = next(one for one in determine(iua, Facts(), DAY).answers if one.criterion.name == "E10a")
    html = to_html(one.explanation)
    assert "platelets &lt; 100 10*9/L" in html
    assert 'class="unknown"' in html
