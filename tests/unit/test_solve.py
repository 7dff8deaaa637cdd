"""The third interpreter: what it finds possible `evaluate` confirms, and what `evaluate` answers it never denies."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings

from tests.laws.test_language_laws import _RULES, CONDITIONS, VOCABULARY
from trialwright.core.finding import Finding
from trialwright.core.interval import Interval
from trialwright.core.truth import Truth, truth
from trialwright.core.units import unit
from trialwright.language import typed as t
from trialwright.language.check import Checked, check
from trialwright.language.evaluate import answer, evaluate
from trialwright.language.parse import parse
from trialwright.language.solve import (
    Bounds,
    Given,
    Impossible,
    Model,
    Undecided,
    Wanted,
    can_be,
)
from trialwright.language.vocabulary import Duration, Item, Record, Vocabulary


def _rule(text: str, vocabulary: Vocabulary, of: str = "") -> t.Typed:
    expression = parse(text)
    assert not isinstance(expression, Finding), str(expression)
    return check(expression, Checked(vocabulary), of=of)


# ---------------------------------------------------------------- small tables

_MM, _CM, _KG = unit("mm"), unit("cm"), unit("kg")
assert _MM is not None
assert _CM is not None
assert _KG is not None
_ADHESIONS = ("none", "filmy", "dense")
NAMES = Vocabulary(
    {
        "afc": Item("afc", "count"),
        "height": Item("height", "quantity", _CM),
        "weight": Item("weight", "quantity", _KG),
        "lining": Item(
            "lining", "quantity", _MM, attributes={"phase": Item("phase", "category", categories=("a", "b"))}
        ),
        "hiv": Item("hiv", "category", categories=("negative", "positive"), valid=Duration(6, "months")),
        "born": Item("born", "date"),
        "age": Item("age", "age", born="born"),
        "clot": Item("clot", "yes_no", absent_no="history"),
        "fit": Item("fit", "attestation"),
    },
    {
        "scope": Record(
            "scope",
            {
                "score": Item("score", "count"),
                "seen": Item("seen", "category", categories=_ADHESIONS),
                "normal": Item("normal", "yes_no"),
            },
        ),
        "cycle": Record("cycle", {"kind": Item("kind", "category", categories=("mild", "full"))}),
        "egg": Record("egg", {"ripe": Item("ripe", "yes_no")}, parent="cycle"),
    },
    {"partner": frozenset({"born", "age", "clot"})},
    frozenset({"infusion"}),
)
LIMITS = {"height": Interval(Decimal(140), Decimal(185)), "weight": Interval(Decimal(38), Decimal(85))}

_TOGETHER = [
    # rules, every one of them yes                                                       can they be?
    (["afc <= 7", "afc >= 8"], False),
    (["afc <= 7", "afc >= 7"], True),
    (["latest(afc) < earliest(afc)"], True),
    (["afc > 6 and afc < 7"], False),  # a count is whole
    (["max(afc) < 5", "afc >= 5"], False),  # the latest is one of them
    (["max(afc) < 5", "earliest(afc within 1 year) >= 5"], False),
    (["max(afc within 1 year) < 5", "earliest(afc) >= 5"], True),  # that was before the year
    (["weight / height^2 >= 18 kg/m2", "weight < 40 kg", "height > 150 cm"], False),
    (["weight / height^2 >= 18 kg/m2", "weight < 40 kg", "height < 148 cm"], True),
    (["weight / height^2 > 44 kg/m2"], False),  # 85 / 1.4^2 is 43.4
    (["lining inside normal", "lining outside normal"], False),
    (["lining outside normal", "lining < 6 mm"], True),
    (["latest(lining on phase {a}) < 6 mm", "latest(lining on phase {b}) > 9 mm"], True),
    (["latest(lining on phase {a}) < 6 mm", "min(lining) > 6 mm"], False),
    (["hiv = negative", "hiv.date < 2025-09-01"], False),  # it is valid for half a year
    (["hiv = negative", "hiv.date >= 2025-09-09"], True),
    (["hiv within 3 days = negative", "hiv = positive"], False),
    (["age in 20..38 years", "born > 2006-03-09"], False),
    (["age in 20..38 years", "born = 2006-03-09"], True),
    (["age = 38 years", "born = 1987-03-09"], False),  # her 39th birthday
    (["partner.age = 119 years"], True),  # a lifetime is 120
    (["partner.age > 120 years"], False),
    (["partner.age > 50 years", "age < 30 years"], True),
    (["clot", "not clot"], False),
    (["not clot"], True),
    (["any(scope where score >= 9)", "every(scope satisfies score < 9)"], False),
    (["any(scope where score >= 9)", "latest(scope).score < 9"], True),  # that was earlier
    (["any(scope where score >= 9)", "latest(scope).score < 9", "count(scope) = 1"], False),
    (["any(scope where score >= 9)", "latest(scope).score >= 9", "count(scope) = 1"], True),  # the same one
    (["any(scope within 3 months where score >= 9)", "latest(scope within 1 month).score < 9"], True),
    (["latest(scope within 1 month).normal", "not any(scope)"], False),
    (["latest(scope within 1 month).normal", "not any(scope where normal)"], False),
    (["longest_run(scope satisfies normal) >= 2", "count(scope where normal) < 2"], False),
    (["longest_run(scope satisfies normal) >= 2", "earliest(scope).normal", "not latest(scope).normal"], True),
    (["share(scope satisfies normal) > 0.5", "count(scope) = 2", "count(scope where normal) = 1"], False),
    (["share(scope satisfies normal) > 0.6", "count(scope) = 3", "count(scope where normal) = 2"], True),
    (["mean(scope.score) > 5", "max(scope.score) <= 5"], False),
    (["sum(scope.score) = 10", "count(scope) = 2", "min(scope.score) > 5"], False),
    (["count(egg where ripe and kind = full) >= 1", "not any(cycle where kind = full)"], False),
    (["count(cycle where count(egg) >= 2) >= 1", "count(egg) < 2"], False),
    (["count(cycle where any(egg)) = 2", "count(egg) = 2"], True),
    (["any(egg where cycle.date > date)"], True),
    (["any(scope where date > infusion)", "any(scope within 7 days before infusion)"], True),
    (["latest(scope within 7 days before infusion).date > infusion"], False),
    (["latest(scope within 1 month after infusion).date < infusion"], False),
    (
        ["earliest(scope).date - infusion > 40 days", "any(scope within 1 month after infusion)"],
        False,
    ),
    (
        ["infusion - latest(scope).date = 3 days", "count(scope) = 1", "any(scope within 48 hours before infusion)"],
        False,  # two days and a minute at the least
    ),
    (
        [
            "infusion - latest(scope).date = 2 days",
            "count(scope) = 1",
            "not any(scope within 72 hours before infusion)",
        ],
        False,  # a minute less than three days at the most
    ),
    (
        ["infusion - latest(scope).date = 1 days", "count(scope) = 1", "any(scope within 48 hours before infusion)"],
        True,
    ),
    (["(afc > 5) at infusion", "max(afc) <= 5"], False),
    (["(age >= 38 years) at infusion", "age < 38 years"], False),
    (["(age < 38 years) at infusion", "age >= 38 years"], True),
    (["infusion < 2020-01-01", "infusion > 2019-12-31"], False),
    (["fit", "not fit"], False),
    (["afc / (afc - afc) > 1"], False),  # never defined
    (["afc - afc = 1"], False),
    (["afc^2 = 2"], False),
    (["-afc > 0"], False),
]


@pytest.mark.parametrize(("texts", "expected"), _TOGETHER, ids=[" + ".join(x[0]) for x in _TOGETHER])
def test_rules_can_be_met_together_or_not(texts: list[str], expected: bool) -> None:
    wanted = [Wanted(_rule(text, NAMES)) for text in texts]
    found = can_be(wanted, NAMES, Bounds(ranges=LIMITS))
    assert type(found) is (Model if expected else Impossible), found
    if isinstance(found, Model):
        assert [answer(evaluate(one.rule, found.facts, found.when)) for one in wanted] == [Truth.YES] * len(wanted)


def test_what_cannot_be_names_the_fewest_rules() -> None:
    wanted = [Wanted(_rule(text, NAMES)) for text in ("fit", "afc < 9", "afc > 3", "afc > 20", "not clot")]
    assert can_be(wanted, NAMES) == Impossible((1, 3))


def test_more_slots_may_make_possible_what_few_forbid() -> None:
    wanted = [Wanted(_rule("count(scope) >= 4", NAMES))]
    assert isinstance(can_be(wanted, NAMES, Bounds(records=3)), Impossible)
    assert isinstance(can_be(wanted, NAMES, Bounds(more={"scope": 4})), Model)


def test_what_is_given_of_every_record_is_kept() -> None:
    wanted = [
        Wanted(_rule(text, NAMES)) for text in ("any(scope where score >= 9)", "not any(scope where seen != none)")
    ]
    assert isinstance(can_be(wanted, NAMES), Model)
    linked = Given(_rule("score = 0 or seen != none", NAMES, "scope"), "scope")
    assert can_be(wanted, NAMES, given=[linked]) == Impossible((0, 1))


def test_what_is_not_modelled_is_said() -> None:
    found = can_be([Wanted(_rule("known(cycle.productive)", _with_productive()))], _with_productive())
    assert found == Undecided("`known` of something that is computed from a record")


def _with_productive() -> Vocabulary:
    from dataclasses import replace

    from trialwright.language.vocabulary import Derivation

    expression = parse("count(egg where ripe) >= 1")
    assert not isinstance(expression, Finding)
    return replace(NAMES, derivations={"productive": Derivation("productive", expression, "cycle")})


def test_a_question_that_takes_too_long_is_undecided() -> None:
    rule = _rule("max(afc)^7 * min(afc)^3 = 7 * mean(afc)^5 + sum(afc)^9 + 11", NAMES)
    assert can_be([Wanted(rule)], NAMES, Bounds(seconds=0.01)) == Undecided("the question takes too long")


# ---------------------------------------------------------------- models


@pytest.mark.parametrize("yes", [True, False])
def test_every_model_is_confirmed(yes: bool) -> None:
    for text in CONDITIONS:
        rule = _rule(text, VOCABULARY)
        found = can_be([Wanted(rule, yes)], VOCABULARY)
        if isinstance(found, Model):
            assert answer(evaluate(rule, found.facts, found.when)) is truth(yes), text
        if isinstance(found, Undecided):
            assert "`evaluate` does not confirm" not in found.why, text


@settings(max_examples=60, deadline=None, derandomize=True)
@given(_RULES, _RULES)
def test_every_model_of_two_rules_is_confirmed(one: str, other: str) -> None:
    wanted = [Wanted(_rule(one, VOCABULARY)), Wanted(_rule(other, VOCABULARY), False)]
    found = can_be(wanted, VOCABULARY)
    if isinstance(found, Model):
        answers = [answer(evaluate(x.rule, found.facts, found.when)) for x in wanted]
        assert answers == [Truth.YES, Truth.NO], (one, other)
    if isinstance(found, Undecided):
        assert "`evaluate` does not confirm" not in found.why, (one, other)
