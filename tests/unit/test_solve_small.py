"""The third interpreter at its edges: what is asked of nobody, what takes too long, what no plain number meets."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest

from tests.unit.test_solve import NAMES, _rule
from trialwright.core.interval import Interval, point
from trialwright.core.partial_date import on_day, partial_date
from trialwright.core.truth import Truth
from trialwright.language.evaluate import answer, evaluate
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.solve import BOUNDS, Bounds, Impossible, Inquiry, Model, Undecided, Wanted, can_be
from trialwright.language.solving import smt
from trialwright.language.solving.example import _around, _decimal, plainer
from trialwright.language.values import Amount, Answer, Kinds

NOW = on_day(BOUNDS.today)


def _can_be(*texts: str, bounds: Bounds = BOUNDS) -> Model | Impossible | Undecided:
    wanted = [Wanted(_rule(text, NAMES)) for text in texts]
    found = can_be(wanted, NAMES, bounds)
    if isinstance(found, Model):
        assert [answer(evaluate(one.rule, found.facts, found.when)) for one in wanted] == [Truth.YES] * len(wanted)
    return found


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["known(afc)", "afc > 3"], True),
        (["not known(afc)"], True),
        (["not known(afc)", "afc > 3"], False),
        (["known(scope.score where normal)"], True),
        (["known(scope.score)", "not any(scope)"], False),
        (["any(afc where date > 2026-01-01)", "not known(afc within 1 month)"], True),
        (["any(afc where date > 2026-01-01)", "count(afc) = 1", "earliest(afc).date < 2026-01-01"], False),
        (["any(afc where date > 2026-03-09)"], False),
    ],
    ids=lambda texts: " + ".join(texts) if isinstance(texts, list) else None,
)
def test_what_is_known_and_when_can_be_asked(texts: list[str], expected: bool) -> None:
    assert type(_can_be(*texts)) is (Model if expected else Impossible)


@pytest.mark.parametrize(("text", "of"), [("score = 0", "scope"), ("seen = none", "scope"), ("any(egg)", "cycle")])
def test_a_rule_about_a_record_is_answered_with_yes_for_none_where_no_record_is_at_hand(text: str, of: str) -> None:
    rule = _rule(text, NAMES, of)
    assert answer(evaluate(rule, Facts(), NOW)) is Truth.UNKNOWN
    assert not isinstance(can_be([Wanted(rule)], NAMES), Model)


def test_without_room_for_a_record_there_is_none() -> None:
    none = Bounds(records=0)
    assert _can_be("any(scope)", bounds=none) == Impossible((0,))
    assert isinstance(_can_be("not any(scope)", bounds=none), Model)
    assert _can_be("latest(scope).normal", bounds=none) == Impossible((0,))
    assert isinstance(_can_be("count(scope) = 0 and sum(scope.score) = 0", bounds=none), Model)


def test_a_root_that_no_decimal_is_confirmed_by_nobody() -> None:
    found = _can_be("height^2 = 2 cm2")
    assert found == Undecided("an example was found that `evaluate` does not confirm")


def test_a_number_that_cannot_be_rounder_stays_as_it_is() -> None:
    found = _can_be("weight = 61.12345678 kg", bounds=Bounds(ranges={"weight": Interval(Decimal(38), Decimal(85))}))
    assert isinstance(found, Model)
    (told,) = found.facts.observations["weight"]
    assert told.value == Amount(point(Decimal("61.12345678")))


def test_a_range_without_a_whole_number_in_its_middle_has_no_typical_one() -> None:
    found = _can_be("weight < 0.4 kg", bounds=Bounds(ranges={"weight": Interval(Decimal("0.2"), Decimal("0.4"))}))
    assert isinstance(found, Model)
    (told,) = found.facts.observations["weight"]
    assert isinstance(told.value, Amount)
    assert Decimal("0.2") <= told.value.interval.low < Decimal("0.4")


def _amount(text: str) -> Amount:
    return Amount(point(Decimal(text)))


def _low(told: Observation) -> Decimal:
    assert isinstance(told.value, Amount)
    return told.value.interval.low


@pytest.mark.parametrize(
    ("least", "most", "plain"),
    [
        ("40", "80", "62"),  # the middle of what is plausible, 38 to 85, to the even number
        ("63.5", "64.5", "64"),
        ("64.1", "64.4", "64.3"),
        ("64.26", "64.28", "64.27"),
    ],
)
def test_an_example_is_of_today_and_in_the_plainest_number_that_still_fits(least: str, most: str, plain: str) -> None:
    def fits(facts: Facts) -> bool:
        told = facts.observations["weight"]
        return bool(told) and Decimal(least) <= _low(told[0]) <= Decimal(most)

    told = Observation(_amount("64.2718281828"), partial_date("2025-10-01"))
    found = plainer(Facts({"weight": [told]}), fits, {"weight": Interval(Decimal(38), Decimal(85))}, NOW)
    assert found.observations["weight"] == [Observation(_amount(plain), NOW)]


def test_the_records_of_an_example_lie_four_weeks_apart_where_they_may() -> None:
    for texts, apart in ((["count(scope) = 3"], 28), (["count(scope) = 3", "count(scope within 1 month) = 3"], 0)):
        found = _can_be(*texts)
        assert isinstance(found, Model)
        days = sorted(one.date.earliest for one in found.facts.records["scope"] if one.date is not None)
        assert all((later - earlier).days >= apart for earlier, later in pairwise(days)), days


def test_an_example_keeps_the_record_that_another_one_belongs_to_and_no_other() -> None:
    cycles = [RecordEntry("cycle", f"c{number}", partial_date("2026-01-02"), {}) for number in (1, 2)]
    ripe = {"ripe": Observation(Answer(Truth.YES), partial_date("2026-02-01"))}
    egg = RecordEntry("egg", "e1", partial_date("2026-02-01"), ripe, "c2")
    found = plainer(Facts(records={"cycle": cycles, "egg": [egg]}), lambda x: bool(x.records["egg"]), {}, NOW)
    assert [one.identity for one in (*found.records["cycle"], *found.records["egg"])] == ["c2", "e1"]
    (told,) = found.records["egg"][0].fields.values()
    assert told.date == partial_date("2026-02-01"), "what a record says stays on its day"


@pytest.mark.parametrize(
    ("low_open", "high_open", "yes", "unknown"),
    [
        (True, False, ["weight > 60 kg", "weight <= 70 kg"], ["weight < 70 kg"]),
        (False, True, ["weight >= 60 kg", "weight < 70 kg"], ["weight > 60 kg"]),
    ],
)
def test_an_open_end_does_not_belong_to_what_is_possible(
    low_open: bool, high_open: bool, yes: list[str], unknown: list[str]
) -> None:
    told = Observation(Amount(Interval(Decimal(60), Decimal(70), low_open, high_open)), NOW)
    facts = Facts({"weight": [told]})
    for texts, expected in ((yes, Truth.YES), (unknown, Truth.UNKNOWN)):
        for text in texts:
            rule = _rule(text, NAMES)
            assert Inquiry(NAMES).answer(rule, facts) is answer(evaluate(rule, facts, NOW)) is expected


def test_of_nobody_it_is_a_value_that_there_may_be() -> None:
    assert Inquiry(NAMES).answer(_rule("latest(scope).score >= 0", NAMES), Facts()) is Truth.YES
    assert Inquiry(NAMES).answer(_rule("latest(scope).score >= 1", NAMES), Facts()) is Truth.UNKNOWN
    assert Inquiry(NAMES).answer(_rule("afc > 3 or afc <= 3", NAMES), Facts()) is Truth.YES, "both ask for the same one"


def test_a_list_that_is_closed_today_was_open_at_an_earlier_event() -> None:
    before_today = ["known(afc)", "not known(afc at infusion)"]  # it was counted after the infusion
    assert _can_be("not clot at infusion", "not known(clot)", *before_today) == Impossible((0, 1, 2, 3))


def test_of_rules_that_can_hold_together_nothing_is_said() -> None:
    wanted = [Wanted(_rule(text, NAMES)) for text in ("afc > 3", "clot")]
    assert Inquiry(NAMES).fewest(wanted) == (0, 1)


def test_an_example_that_takes_too_long_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Inquiry, "_check", lambda *_: "undecided")
    assert Inquiry(NAMES).example([Wanted(_rule("afc > 3", NAMES))]) == Undecided("the question takes too long")


def test_a_question_that_takes_too_long_is_not_asked_again_for_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Inquiry, "can_hold", lambda *_: "undecided")
    assert _can_be("afc > 3") == Undecided("the question takes too long")


@pytest.mark.parametrize(
    ("number", "written"), [("1/8", "0.125"), ("1/3", "0.333333333333"), ("2/3", "0.666666666667"), ("-5", "-5")]
)
def test_a_number_is_written_exactly_where_it_can_be_and_else_to_twelve_places(number: str, written: str) -> None:
    assert str(_decimal(Fraction(number))) == written


def test_a_range_of_reference_lies_around_its_value() -> None:
    assert _around(Decimal(10)) == Interval(Decimal(5), Decimal(15))
    found = _can_be("lining inside normal", "lining = 9 mm")
    assert isinstance(found, Model)
    (told,) = found.facts.observations["lining"]
    assert told.normal is not None
    assert told.normal.low < 9 < told.normal.high


def test_what_happened_in_a_month_may_have_happened_on_any_of_its_days() -> None:
    told = Facts({"weight": [Observation(_amount("60"), partial_date(f"{BOUNDS.today:%Y-%m}"))]})
    for text in ("known(weight within 2 days)", "weight within 2 days >= 50 kg"):
        rule = _rule(text, NAMES)
        assert Inquiry(NAMES).answer(rule, told) is Truth.UNKNOWN, text


def test_an_example_shows_a_latest_record_that_is_unlike_the_one_that_is_looked_for() -> None:
    found = _can_be("any(scope where score >= 3)", "latest(scope).normal")
    assert isinstance(found, Model)
    *_, before, last = sorted(
        found.facts.records["scope"], key=lambda one: one.date.earliest if one.date else NOW.earliest
    )
    scores = [one.fields["score"].value for one in (before, last)]
    assert all(isinstance(one, Amount) for one in scores)
    assert [one.interval.low >= 3 for one in scores if isinstance(one, Amount)] == [True, False]


def test_a_record_whose_parent_was_not_recorded_may_belong_to_any() -> None:
    ripe = {"ripe": Observation(Answer(Truth.YES), NOW)}
    cycles = [
        RecordEntry("cycle", f"c{number}", partial_date(f"2026-01-0{number}"), {"kind": Observation(kind, None)})
        for number, kind in ((1, Kinds(frozenset({"mild"}))), (2, Kinds(frozenset({"full"}))))
    ]
    for parent, expected in (("c2", Truth.YES), ("c1", Truth.NO), ("", Truth.UNKNOWN)):
        egg = RecordEntry("egg", "e1", partial_date("2026-02-01"), ripe, parent)
        facts = Facts(records={"cycle": cycles, "egg": [egg]}, closed={"cycle": NOW, "egg": NOW})
        rule = _rule("count(egg where kind = full) = 1", NAMES)
        assert Inquiry(NAMES).answer(rule, facts) is expected
        assert answer(evaluate(rule, facts, NOW)) is expected


def test_what_is_constant_is_folded_away() -> None:
    some = smt.variable("some", "bool")
    assert (smt.negate(True), smt.negate(False)) == (False, True)
    assert smt.choose(True, 1, 2) == 1
    assert smt.choose(False, 1, 2) == 2
    assert smt.same(True, some) is smt.same(some, True) is some
    solver = smt.Solver(1)
    for one, other in ((False, some), (some, False)):
        assert solver.check(smt.same(one, other), some) == "impossible"
        assert solver.check(smt.same(one, other), smt.negate(some)) == "possible"
