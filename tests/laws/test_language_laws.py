"""Laws of the language: what holds for every expression and everybody's facts."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import permutations, product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trialwright.core import interval as iv
from trialwright.core.finding import Finding
from trialwright.core.interval import INFINITY, Interval, point
from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.core.truth import Truth, all_of, any_of
from trialwright.core.units import unit
from trialwright.language import nodes as n
from trialwright.language.check import Checked, check
from trialwright.language.counting import over_tests
from trialwright.language.evaluate import evaluate
from trialwright.language.explanation import answer_of
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.parse import parse
from trialwright.language.unparse import unparse
from trialwright.language.values import Amount, Answer, Kinds, Value
from trialwright.language.vocabulary import Item, Record, Vocabulary

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN
NOW = partial_date("2026-03-09")
TRUTHS = st.sampled_from(list(Truth))

# ---------------------------------------------------------------- truth


@pytest.mark.parametrize(
    ("a", "b", "conjunction", "disjunction"),
    [
        (YES, YES, YES, YES),
        (YES, NO, NO, YES),
        (YES, UNKNOWN, UNKNOWN, YES),
        (NO, NO, NO, NO),
        (NO, UNKNOWN, NO, UNKNOWN),
        (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    ],
)
def test_the_truth_tables(a: Truth, b: Truth, conjunction: Truth, disjunction: Truth) -> None:
    assert (a & b, b & a, a | b, b | a) == (conjunction, conjunction, disjunction, disjunction)


def test_negation_exchanges_yes_and_no() -> None:
    assert [~x for x in (YES, NO, UNKNOWN)] == [NO, YES, UNKNOWN]


def test_a_truth_is_never_a_bool() -> None:
    with pytest.raises(TypeError):
        bool(YES)


@given(st.lists(TRUTHS))
def test_de_morgan(answers: list[Truth]) -> None:
    assert ~all_of(answers) == any_of(~x for x in answers)


# ---------------------------------------------------------------- intervals

_ENDS = st.one_of(st.integers(-4, 4).map(Decimal), st.sampled_from([INFINITY, -INFINITY, Decimal("0.5")]))


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, high = sorted((draw(_ENDS), draw(_ENDS)))
    if low == high:
        assume(low.is_finite())
        return point(low)
    return Interval(low, high, draw(st.booleans()), draw(st.booleans()))


_SAMPLES = [Decimal(x) / 8 for x in range(-48, 49)] + [Decimal(x) for x in (-1000, 1000, "0.001", "-0.001")]


def _inside(x: Interval) -> list[Decimal]:
    return [value for value in _SAMPLES if iv.contains(x, value)]


@settings(max_examples=150, deadline=None)
@given(intervals(), intervals())
def test_interval_arithmetic_holds_every_sampled_result(x: Interval, y: Interval) -> None:
    total, negative, times, over, both = iv.add(x, y), iv.negate(x), iv.multiply(x, y), iv.divide(x, y), iv.hull(x, y)
    for a in _inside(x)[::4]:
        assert iv.contains(negative, -a)
        assert iv.contains(both, a)
        for b in _inside(y)[::3]:
            assert iv.contains(total, a + b)
            assert iv.contains(times, a * b)
            if over is not None:
                assert iv.contains(over, iv.ARITHMETIC.divide(a, b)), (x, y, a, b, over)
    assert (over is None) == iv.contains(y, Decimal(0))


@settings(max_examples=150, deadline=None)
@given(intervals(), intervals())
def test_a_comparison_is_decided_only_where_every_pair_agrees(x: Interval, y: Interval) -> None:
    pairs = [(a, b) for a in _inside(x) for b in _inside(y)]
    for found, holds in (
        (iv.less(x, y), [a < b for a, b in pairs]),
        (iv.less_or_equal(x, y), [a <= b for a, b in pairs]),
        (iv.equal(x, y), [a == b for a, b in pairs]),
    ):
        if found is YES:
            assert all(holds)
        elif found is NO:
            assert not any(holds)
        elif (
            pairs and x.low != x.high and y.low != y.high and all(e.is_finite() for e in (x.low, x.high, y.low, y.high))
        ):
            assert any(holds) or not all(holds)


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**4))
def test_a_quotient_without_remainder_is_exact(quotient: int, divisor: int) -> None:
    over = iv.divide(point(Decimal(quotient * divisor)), point(Decimal(divisor)))
    assert over == point(Decimal(quotient))


# ---------------------------------------------------------------- expressions: text and back

_NAMES = st.sampled_from(["afc", "amh", "embryo", "x1", "late_phase", "date", "normal_range", "days_since", "infused"])
_PATHS = st.one_of(st.tuples(_NAMES), st.tuples(_NAMES, _NAMES))
_NUMBERS = st.sampled_from(["0", "5", "1.10", "1e6", "20"])
_UNITS = st.sampled_from(["", "mm", "ng/mL", "[IU]/L", "10*9/L", "kg/m2", "/kg", "%", "years", "{cells}/kg", "mm[Hg]"])
_BOUNDS = st.tuples(st.sampled_from(["", "-"]), _NUMBERS).map("".join)


@st.composite
def _members(draw: st.DrawFn) -> n.Members:
    kind = draw(st.sampled_from(["names", "quoted", "numbers"]))
    if kind == "numbers":
        numbers = tuple(draw(st.lists(_BOUNDS, min_size=1, max_size=3)))
        return n.Members(numbers, (False,) * len(numbers), draw(_UNITS))
    names = tuple(draw(st.lists(_NAMES, min_size=1, max_size=3)))
    return n.Members(names, (kind == "quoted",) * len(names))


_CHOICES: st.SearchStrategy[n.Choice] = st.one_of(
    st.builds(n.Range, _BOUNDS, _BOUNDS, _UNITS), _members(), st.builds(n.ValueSet, _PATHS)
)
_SIDED = st.builds(n.Within, _NUMBERS, st.sampled_from(["days", "months", "year"]), st.just("before"), st.just(()))
_ANCHORED = st.builds(
    n.Within, _NUMBERS, st.sampled_from(["weeks", "hours"]), st.sampled_from(["before", "after", "around"]), _PATHS
)
_AT = st.builds(n.At, _PATHS)
_NARROWINGS = st.lists(st.one_of(_SIDED, _ANCHORED, st.builds(n.On, _NAMES, _CHOICES), _AT), max_size=2).map(tuple)
_REFS = st.builds(n.Ref, _PATHS, _NARROWINGS)
_LEAVES: st.SearchStrategy[n.Expression] = st.one_of(
    st.builds(n.Number, _NUMBERS, _UNITS),
    st.sampled_from([n.Text("ASC-US"), n.Text(""), n.Date("2026-03-09")]),
    _REFS,
)


def _larger(inner: st.SearchStrategy[n.Expression]) -> st.SearchStrategy[n.Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    # a sign stands before a word or a parenthesis; a quoted category has neither
    signed = inner.filter(lambda x: not isinstance(x, n.Text) and not unparse(x).startswith(('"', "-")))
    return st.one_of(
        st.builds(n.And, several),
        st.builds(n.Or, several),
        st.builds(n.Not, inner),
        st.builds(n.Compare, st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), inner, inner),
        st.builds(n.Membership, inner, _CHOICES, st.booleans()),
        st.builds(n.Normal, inner, st.sampled_from(["outside", "inside"])),
        st.builds(n.Arithmetic, st.sampled_from(["+", "-", "*", "/"]), inner, inner),
        st.builds(n.Negative, signed),
        st.builds(n.Power, inner, st.sampled_from([-9, -1, 1, 2, 9])),
        st.builds(n.Asked, inner, st.lists(_AT, min_size=1, max_size=2).map(tuple)),
        st.builds(
            n.Aggregate,
            st.sampled_from(n.FUNCTIONS),
            _REFS,
            st.none() | inner,
            st.none() | inner,
            st.just("") | _NAMES,
            st.lists(_AT, max_size=1).map(tuple),
        ),
    )


@settings(max_examples=400, deadline=None)
@given(st.recursive(_LEAVES, _larger, max_leaves=12))
def test_an_expression_prints_and_parses_back(node: n.Expression) -> None:
    text = unparse(node)
    found = parse(text)
    if isinstance(found, Finding):
        assert found.code in ("syntax_too_long", "syntax_too_deep"), (text, str(found))
    else:
        assert found == node, text
        assert unparse(found) == text


# ---------------------------------------------------------------- expressions: meaning

_KG = unit("kg")
assert _KG is not None
_GRADES = ("good", "fair", "poor")
VOCABULARY = Vocabulary(
    {
        "a": Item("a", "count"),
        "b": Item("b", "count", molar_mass=Fraction(1)),
        "w": Item("w", "quantity", _KG),
        "f": Item("f", "yes_no"),
        "k": Item("k", "category", categories=_GRADES),
    },
    {"embryo": Record("embryo", {"day": Item("day", "count"), "grade": Item("grade", "category", categories=_GRADES)})},
)
CONDITIONS = [
    "a < 2", "a <= b", "a = 2", "a != b", "a in 1..3", "a not in {0, 3}", "w > 2 kg", "f", "not f", "f = yes",
    "k = good", "k != good", "k in {good, fair}", "a + b < 4", "a - b > 0", "a * b <= 4", "a / b >= 1", "-a < -1",
    "a^2 < 5", "b^-1 <= 1", "a / (b + 1) < 1", "max(a) > 2", "min(a) < 2", "mean(a) = 1", "sum(a) > 3",
    "count(a) >= 1", "count(a where a > 1) >= 1", "any(f)", "every(f satisfies f)", "a within 1 month > 1",
    "any(a where a > 2)", "earliest(a) < latest(a) + 1", "share(a satisfies a > 1) >= 0.5",
    "count(embryo where grade = good) >= 2", "any(embryo where day = 5)", "every(embryo satisfies day >= 2)",
    "share(embryo where day >= 2 satisfies grade = good) > 0.5", "longest_run(embryo satisfies grade = good) >= 2",
    "sum(embryo.day) > 6", "max(embryo.day where grade = good) >= 3", "min(embryo.day) < 3", "mean(embryo.day) <= 2",
    "latest(embryo where grade != poor).day > 1", "latest(embryo).grade = good", "0 * a = 0",
]  # fmt: skip
_RULES = st.recursive(
    st.sampled_from(CONDITIONS),
    lambda inner: st.one_of(
        inner.map(lambda x: f"not ({x})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda x: f"({x[0]}) {x[1]} ({x[2]})"),
    ),
    max_leaves=4,
)


AMOUNTS = [
    "a", "a + b", "a - b", "a * b", "a / b", "-a", "a^2", "b^-1", "latest(a)", "max(a)", "min(a)", "mean(a)", "sum(a)",
    "count(a where a > 1)", "share(a satisfies a > 1)", "longest_run(a satisfies a > 1)", "max(embryo.day)",
    "max(embryo.day where grade = good)", "min(embryo.day where grade = good)", "mean(embryo.day where grade = good)",
    "sum(embryo.day where grade = good)", "count(embryo where grade = good)", "min(embryo.day within 1 month)",
    "share(embryo where day >= 2 satisfies grade = good)", "longest_run(embryo satisfies grade = good)",
    "-max(embryo.day where grade = good) / 2", "max(embryo.day where grade = poor) + 1",
]  # fmt: skip


def _value(rule: str, facts: Facts) -> Value:
    expression = parse(rule)
    assert not isinstance(expression, Finding), str(expression)
    return evaluate(check(expression, Checked(VOCABULARY)), facts, NOW).value


def _answer(rule: str, facts: Facts) -> Truth:
    return answer_of(_value(rule, facts)).truth


_COUNTS = st.one_of(
    st.integers(0, 4).map(lambda x: point(Decimal(x))),
    st.tuples(st.integers(0, 3), st.integers(1, 3), st.booleans(), st.booleans()).map(
        lambda x: Interval(Decimal(x[0]), Decimal(x[0] + x[1]), x[2], x[3])
    ),
    st.just(Interval(Decimal(0), INFINITY)),
)
_VALUES: dict[str, st.SearchStrategy[Value]] = {
    "amount": _COUNTS.map(Amount),
    "category": st.frozensets(st.sampled_from(_GRADES), min_size=1).map(Kinds),
    "truth": TRUTHS.map(Answer),
}
_KINDS = {
    "a": "amount",
    "b": "amount",
    "w": "amount",
    "f": "truth",
    "k": "category",
    "day": "amount",
    "grade": "category",
}
_DAYS = st.sampled_from(["2026-03-09", "2026-03-01", "2026-02-20", "2026-02", "2026-03", "2025"])


@st.composite
def _observation(draw: st.DrawFn, name: str) -> Observation:
    """A partly known observation, perhaps without a result."""
    value = None if draw(st.integers(0, 9)) == 0 else draw(_VALUES[_KINDS[name]])
    return Observation(value, partial_date(draw(_DAYS)))


@st.composite
def _facts(draw: st.DrawFn) -> Facts:
    observations = {name: draw(st.lists(_observation(name), max_size=2)) for name in ("a", "b", "w", "f", "k")}
    embryos = [
        RecordEntry(
            "embryo", f"e{number}", partial_date(draw(_DAYS)), {name: draw(_observation(name)) for name in names}
        )
        for number, names in enumerate(draw(st.lists(st.sampled_from([("day",), ("day", "grade"), ()]), max_size=4)))
    ]
    closed = {"embryo": NOW} if draw(st.booleans()) else {}
    return Facts(observations, {"embryo": embryos}, closed)


@settings(max_examples=250, deadline=None)
@given(_RULES, _RULES, _facts())
def test_negation_and_de_morgan_hold_for_every_rule(one: str, other: str, facts: Facts) -> None:
    a, b = _answer(one, facts), _answer(other, facts)
    assert _answer(f"not ({one})", facts) == ~a
    assert _answer(f"({one}) and ({other})", facts) == a & b
    assert _answer(f"not (({one}) and ({other}))", facts) == _answer(f"not ({one}) or not ({other})", facts)


def _narrower(draw: st.DrawFn, value: Value) -> Value:
    match value:
        case Amount(interval):
            inside = [
                x
                for x in map(Decimal, ("0", "0.5", "1", "1.5", "2", "2.5", "3", "3.5", "5", "99"))
                if iv.contains(interval, x)
            ]
            if not inside:
                return value
            ends = sorted((draw(st.sampled_from(inside)), draw(st.sampled_from(inside))))
            return Amount(Interval(ends[0], ends[1]))
        case Kinds(possible):
            return Kinds(draw(st.frozensets(st.sampled_from(sorted(possible)), min_size=1)))
        case Answer(found) if found is UNKNOWN:
            return Answer(draw(TRUTHS))
        case _:
            return value


_WHOLE: dict[str, Value] = {
    "amount": Amount(iv.WHOLE_LINE),
    "category": Kinds(frozenset(_GRADES)),
    "truth": Answer(UNKNOWN),
}


@st.composite
def _learnt(draw: st.DrawFn, grows: bool = False) -> tuple[Facts, Facts]:
    """Facts, and the same with intervals narrowed, dates told more exactly and missing fields of records told.

    Where it `grows`, records may come to a list that is open, and it may be closed.
    """
    before = draw(_facts())

    def date(told: PartialDate | None) -> PartialDate | None:
        if told is None or told.earliest.date() == told.latest.date() or not draw(st.booleans()):
            return told
        days = {"2026-03": ["2026-03-05", "2026-03-09", "2026-03-20"], "2026-02": ["2026-02-01", "2026-02-27"]}
        return partial_date(draw(st.sampled_from(days.get(str(told), ["2025-06", "2025-12-31"]))))

    def narrowed(name: str, x: Observation) -> Observation:
        value = x.value if x.value is None else _narrower(draw, x.value)
        return Observation(value, date(x.date))

    observations = {name: [narrowed(name, x) for x in told] for name, told in before.observations.items()}
    records = [
        RecordEntry(
            x.kind,
            x.identity,
            date(x.date),
            {
                **(
                    {name: Observation(_narrower(draw, _WHOLE[_KINDS[name]]), None) for name in ("day", "grade")}
                    if draw(st.booleans())
                    else {}
                ),
                **{name: narrowed(name, field) for name, field in x.fields.items()},
            },
        )
        for x in before.records["embryo"]
    ]
    for x in records:
        for field in x.fields.values():
            field.date = x.date
    if before.closed or not grows:
        return before, Facts(observations, {"embryo": records}, before.closed)
    later = draw(_facts())
    return before, Facts(observations, {"embryo": [*records, *later.records["embryo"]]}, later.closed)


@settings(max_examples=600, deadline=None)
@given(_RULES, _learnt())
def test_more_knowledge_never_turns_yes_into_no(rule: str, learnt: tuple[Facts, Facts]) -> None:
    before, after = (_answer(rule, facts) for facts in learnt)
    assert {before, after} != {YES, NO}, rule


def _within(one: Interval, other: Interval) -> bool:
    """Whether every value of the one is a value of the other."""
    return iv.hull(one, other) == other


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(AMOUNTS), st.one_of(_learnt(), _learnt(grows=True)))
def test_more_knowledge_only_narrows_what_a_number_may_be(rule: str, learnt: tuple[Facts, Facts]) -> None:
    before, after = (_value(rule, facts) for facts in learnt)
    assert isinstance(before, Amount)
    assert isinstance(after, Amount)
    if _says_something(before):
        assert _says_something(after), (rule, str(before.interval))
    if _says_something(after):
        assert _within(after.interval, before.interval), (rule, str(before.interval), str(after.interval))


def _says_something(x: Amount) -> bool:
    """Whether it is a number of which something is known."""
    return x.undefined is NO and x.interval != iv.WHOLE_LINE


# ---------------------------------------------------------------- counting, against every completion

_MEMBERS = st.lists(
    st.tuples(TRUTHS, TRUTHS, st.sampled_from(["2025-01-01", "2025-01", "2025-02-01", "2025-03-01"])), max_size=4
)


def _orders(days: list[str]) -> set[tuple[int, ...]]:
    """Every order of the members that their dates allow."""
    dates = [partial_date(day) for day in days]
    return {
        order
        for order in permutations(range(len(days)))
        if all(dates[x].earliest <= dates[y].latest for i, x in enumerate(order) for y in order[i:])
    }


def _run(passes: list[bool]) -> int:
    longest = run = 0
    for one in passes:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest


@settings(max_examples=150, deadline=None)
@given(_MEMBERS)
def test_shares_and_runs_hold_every_completion_and_shares_are_tight(members: list[tuple[Truth, Truth, str]]) -> None:
    tests = [(belongs, passes, partial_date(day)) for belongs, passes, day in members]
    share, run = (over_tests(function, tests, closed=True, name="x") for function in ("share", "longest_run"))
    assert isinstance(share, Amount)
    assert isinstance(run, Amount)
    options = {YES: [True], NO: [False], UNKNOWN: [True, False]}
    shares: set[Fraction | None] = set()
    for completion in product(*(product(options[b], options[p]) for b, p, _ in members)):
        inside = [passes for belongs, passes in completion if belongs]
        shares.add(Fraction(sum(inside), len(inside)) if inside else None)
        for order in _orders([day for _, _, day in members]):
            length = _run([completion[index][1] for index in order if completion[index][0]])
            assert iv.contains(run.interval, Decimal(length)), (length, run.interval)
    assert (None in shares) == (share.undefined is not NO)
    assert (shares == {None}) == (share.undefined is YES)
    defined = [iv.ARITHMETIC.divide(Decimal(x.numerator), Decimal(x.denominator)) for x in shares if x is not None]
    if None not in shares:
        assert (min(defined), max(defined)) == (share.interval.low, share.interval.high)
    assert all(iv.contains(share.interval, x) for x in defined)
