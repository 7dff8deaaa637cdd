"""The compiled interpreter: what the engines do differently, what is refused, and the verdict."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ibis
import pytest

from tests.laws.agreement import differences
from tests.spec.compiled import compiled_answers, duckdb
from trialwright.core.finding import Finding, Refused
from trialwright.core.interval import Interval, point
from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.core.truth import Truth
from trialwright.core.units import unit
from trialwright.language.check import Checked, check
from trialwright.language.compile import Source, answers_of, compile_criteria, compile_rules
from trialwright.language.compiling.engine import SPARK_SETTINGS, check_engine
from trialwright.language.compiling.loading import source_from_facts
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.parse import parse
from trialwright.language.typed import Typed
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value
from trialwright.language.vocabulary import Item, Record, Vocabulary
from trialwright.protocol.eligibility import determine
from trialwright.protocol.load import load

NOW = partial_date("2026-03-09")
_LITRE = unit("10*9/L")
assert _LITRE is not None
VOCABULARY = Vocabulary(
    {
        "birth_date": Item("birth_date", "date"),
        "age": Item("age", "age", born="birth_date"),
        "a": Item("a", "count"),
        "b": Item("b", "count"),
        "platelets": Item("platelets", "quantity", _LITRE),
        "f": Item("f", "yes_no"),
        "hiv": Item("hiv", "category", categories=("negative", "positive")),
    },
    {"transfer": Record("transfer", {"failed": Item("failed", "yes_no")})},
    anchors=frozenset({"infusion"}),
)


def _rule(text: str) -> Typed:
    expression = parse(text)
    assert not isinstance(expression, Finding), str(expression)
    return check(expression, Checked(VOCABULARY))


def _ask(text: str, facts: Facts, when: PartialDate = NOW) -> Value:
    return compiled_answers(duckdb(), VOCABULARY, {"p": (facts, when)}, {"x": _rule(text)})["p", "x"]


def _counts(**told: int | str) -> dict[str, list[Observation]]:
    return {name: [Observation(Amount(point(Decimal(value))), NOW)] for name, value in told.items()}


def _born(day: str) -> dict[str, list[Observation]]:
    told = partial_date(day)
    return {"birth_date": [Observation(Moment(told.earliest, told.latest), NOW)]}


# ---------------------------------------------------------------- what engines do differently


def test_years_are_completed_birthdays_not_differences_of_calendar_years() -> None:
    facts = Facts(_born("2000-06-01"))
    assert _ask("age", facts, partial_date("2024-03-01")) == Amount(point(Decimal(23)))
    assert _ask("age", facts, partial_date("2024-06-01")) == Amount(point(Decimal(24)))


def test_a_division_by_zero_is_undefined_and_not_infinite() -> None:
    assert _ask("a / b > 0", Facts(_counts(a=1, b=0))) == Answer(Truth.UNKNOWN)
    found = _ask("a / b", Facts(_counts(a=1, b=0)))
    assert isinstance(found, Amount)
    assert found.undefined is Truth.YES


def test_a_window_moves_a_whole_day_at_the_end_of_a_month() -> None:
    facts = Facts({"a": [Observation(Amount(point(Decimal(1))), partial_date("2026-02-28"))]})
    assert _ask("a within 6 months = 1", facts, partial_date("2026-08-31")) == Answer(Truth.YES)
    assert _ask("a within 6 months = 1", facts, partial_date("2026-09-01")) == Answer(Truth.UNKNOWN)


def test_the_latest_of_dated_and_undated_ones_is_either() -> None:
    told = [
        Observation(Amount(point(Decimal(5))), partial_date("2026-01-01")),
        Observation(Amount(point(Decimal(9))), None),
    ]
    assert _ask("a", Facts({"a": told})) == Amount(Interval(Decimal(5), Decimal(9)))


def test_any_and_every_keep_what_is_unknown() -> None:
    told = [Observation(Answer(truth), NOW) for truth in (Truth.NO, Truth.UNKNOWN)]
    assert _ask("any(f)", Facts({"f": told})) == Answer(Truth.UNKNOWN)
    told = [Observation(Answer(truth), NOW) for truth in (Truth.YES, Truth.UNKNOWN)]
    assert _ask("every(f satisfies f)", Facts({"f": told})) == Answer(Truth.UNKNOWN)


def test_a_window_around_an_anchor_that_was_not_reached_is_unknown() -> None:
    facts = Facts(_counts(a=1))
    assert _ask("a within 7 days before infusion = 1", facts) == Answer(Truth.UNKNOWN)
    assert _ask("count(a within 7 days around infusion)", facts) == Amount(
        Interval(Decimal("-Infinity"), Decimal("Infinity"))
    )


def test_days_between_dates_are_a_number() -> None:
    assert _ask("2026-03-09 - birth_date", Facts(_born("2026-03-01"))) == Amount(point(Decimal(8)))


def test_a_value_filter_does_not_change_which_is_the_latest() -> None:
    told = [
        Observation(Amount(point(Decimal(value))), partial_date(day))
        for value, day in ((5, "2026-01-01"), (20, "2026-02-01"))
    ]
    assert _ask("a in 1..10", Facts({"a": told})) == Answer(Truth.NO)


def test_decimals_are_compared_as_written() -> None:
    assert _ask("platelets <= 0.3 10*9/L", Facts(_counts(platelets="0.3"))) == Answer(Truth.YES)
    assert _ask("platelets > 0.3 10*9/L", Facts(_counts(platelets="0.300000000000000001"))) == Answer(Truth.YES)
    assert _ask("platelets = 100 10*9/L", Facts(_counts(platelets="100.0"))) == Answer(Truth.YES)


def test_a_sum_does_not_depend_on_its_order() -> None:
    told = [Observation(Amount(point(Decimal("0.1"))), NOW) for _ in range(10)]
    assert _ask("sum(a) = 1", Facts({"a": told})) == Answer(Truth.YES)


def test_numbers_of_the_protocol_are_added_beyond_thirty_two_bits() -> None:
    assert _ask("a = 2147483647 + 1", Facts(_counts(a=2**31))) == Answer(Truth.YES)
    assert _ask("a < 0 - 2147483647 - 2147483647", Facts(_counts(a=-(2**32)))) == Answer(Truth.YES)


def test_a_quotient_that_is_a_limit_meets_it() -> None:
    """64 / 160^2 * 10000 is 25.000000000000004 in DOUBLE."""
    assert _ask("a / b^2 * 10000 <= 25", Facts(_counts(a=64, b=160))) == Answer(Truth.YES)
    assert _ask("a / b^2 * 10000 > 25", Facts(_counts(a=64, b=160))) == Answer(Truth.NO)


def test_a_count_is_not_unequal_to_a_point_of_which_nothing_is_known() -> None:
    """Found by the crowds: the one form is `[0, 0]`, the other a point that is NULL."""
    maybe = Facts(_counts(b=1), anchors={})
    rule = {"x": _rule("count(b where f satisfies not (b = 1)) = min(a at infusion)")}
    for points_only in (False, True):
        found = compiled_answers(duckdb(), VOCABULARY, {"p": (maybe, NOW)}, rule, points_only)
        assert found["p", "x"] == Answer(Truth.UNKNOWN)


def test_the_square_of_a_point_of_which_nothing_is_known_is_not_negative() -> None:
    rule = {"x": _rule("min(a at infusion)^2 >= 0")}
    for points_only in (False, True):
        found = compiled_answers(duckdb(), VOCABULARY, {"p": (Facts(), NOW)}, rule, points_only)
        assert found["p", "x"] == Answer(Truth.YES)


# ---------------------------------------------------------------- refusals


def test_a_number_beyond_the_columns_is_refused() -> None:
    with pytest.raises(Refused, match="has no place among numbers"):
        _ask("a > 1e25", Facts())
    with pytest.raises(Refused, match="has no place among numbers"):
        _ask("a > 1", Facts(_counts(a="1e-30")))


def test_a_number_with_more_digits_than_fit_is_kept_to_eighteen_decimals() -> None:
    third = str(Decimal(10) / Decimal(3))
    assert _ask("a in 3.333333333333333..3.333333333333334", Facts(_counts(a=third))) == Answer(Truth.YES)


def test_two_records_of_one_identity_are_refused() -> None:
    twice = {"transfer": [RecordEntry("transfer", "t1", NOW, {}), RecordEntry("transfer", "t1", NOW, {})]}
    with pytest.raises(Refused, match="have one identity"):
        _ask("count(transfer)", Facts(records=twice))


def test_a_kind_of_which_the_source_knows_nothing_is_refused() -> None:
    source = source_from_facts(duckdb(), VOCABULARY, {"p": (Facts(), NOW)})
    bare = Source(source.participants, source.observations, {}, source.closings, source.anchors)
    with pytest.raises(Refused, match="tell nothing of `transfer`"):
        compile_rules({"x": _rule("count(transfer) > 1")}, bare)


def test_more_categories_than_a_mask_holds_are_refused() -> None:
    many = Vocabulary({"code": Item("code", "category", categories=tuple(f"c{number}" for number in range(63)))})
    expression = parse("code = c1")
    assert not isinstance(expression, Finding)
    source = source_from_facts(duckdb(), many, {"p": (Facts(), NOW)})
    with pytest.raises(Refused, match="63 categories"):
        compile_rules({"x": check(expression, Checked(many))}, source)


def _spark_table(settings: dict[str, str], **columns: str) -> Any:
    """What the compiler looks at in a table of Spark, which is not installed here."""
    frame = SimpleNamespace(sparkSession=SimpleNamespace(conf=settings))
    connection = SimpleNamespace(name="pyspark", raw_sql=lambda _: frame)
    table = SimpleNamespace(find=lambda _: [SimpleNamespace(source=connection)])
    return SimpleNamespace(op=lambda: table, schema=lambda: ibis.schema(columns))


_FIT = {name: wanted for name, (wanted, _) in SPARK_SETTINGS.items()}


@pytest.mark.parametrize("setting", SPARK_SETTINGS)
def test_a_spark_session_that_would_answer_wrongly_is_refused(setting: str) -> None:
    check_engine(_spark_table(_FIT))
    with pytest.raises(Refused, match=f"has {setting} = other"):
        check_engine(_spark_table(_FIT | {setting: "other"}))


def test_a_decimal_that_spark_would_round_others_to_is_refused() -> None:
    check_engine(_spark_table(_FIT, low="decimal(38, 18)", other="decimal(10, 2)"))
    for wide in ("decimal(38, 10)", "decimal(38, 30)"):
        with pytest.raises(Refused, match="Spark would round"):
            check_engine(_spark_table(_FIT, low=wide))


@pytest.mark.parametrize(
    "facts",
    [
        Facts({"a": [Observation(None, NOW)]}),
        Facts({"a": [Observation(Amount(Interval(Decimal(0), Decimal(1))), NOW)]}),
        Facts({"a": [Observation(Amount(point(Decimal(1))), partial_date("2026-03"))]}),
        Facts(_born("1990")),
        Facts(anchors={"infusion": [NOW, NOW]}),
    ],
)
def test_what_is_no_point_is_refused_where_points_are_promised(facts: Facts) -> None:
    with pytest.raises(Refused, match="points only"):
        source_from_facts(duckdb(), VOCABULARY, {"p": (facts, NOW)}, points_only=True)


# ---------------------------------------------------------------- verdicts


def test_the_verdict_needs_every_inclusion_and_no_exclusion() -> None:
    criteria = [("young", "inclusion", _rule("a < 3")), ("ill", "exclusion", _rule("f"))]

    def facts(a: int | None, ill: Truth) -> Facts:
        return Facts((_counts(a=a) if a is not None else {}) | {"f": [Observation(Answer(ill), NOW)]})

    people = {
        "fits": facts(1, Truth.NO),
        "old": facts(5, Truth.UNKNOWN),
        "ill": facts(None, Truth.YES),
        "open": facts(None, Truth.NO),
    }
    source = source_from_facts(duckdb(), VOCABULARY, {name: (one, NOW) for name, one in people.items()})
    rows = answers_of(duckdb(), compile_criteria(criteria, source)).to_pylist()
    assert {row["participant"]: row["verdict"] for row in rows} == {
        "fits": "eligible",
        "old": "ineligible",
        "ill": "ineligible",
        "open": "undetermined",
    }


def test_the_verdicts_of_the_trial_are_those_of_evaluate() -> None:
    protocol, _ = load(Path(__file__).parents[2] / "protocols" / "nct07176143")
    assert protocol is not None
    facts = {
        "nothing": Facts(),
        "old": Facts(_born("1980-01-01")),
        "young": Facts(_born("1994-05-01") | _counts(afc=14)),
        "positive": Facts({"hiv_antibody": [Observation(Kinds(frozenset({"positive"})), NOW)]}),
    }
    source = source_from_facts(duckdb(), protocol.vocabulary, {name: (one, NOW) for name, one in facts.items()})
    criteria = [(one.name, one.kind, one.rule) for one in protocol.criteria]
    rows = answers_of(duckdb(), compile_criteria(criteria, source)).to_pylist()
    for row in rows:
        determined = determine(protocol, facts[row["participant"]], NOW)
        assert row["verdict"] == determined.verdict
        for one in determined.answers:
            assert {True: Truth.YES, False: Truth.NO, None: Truth.UNKNOWN}[row[one.criterion.name]] is one.answer


# ---------------------------------------------------------------- engines


@pytest.mark.parametrize("seed", [200, 201])
def test_postgresql_answers_as_evaluate_does(postgresql: str, seed: int) -> None:
    folder = postgresql.partition("host=")[2]
    connection: Any = ibis.postgres.connect(host=folder, user="postgres", database="postgres")
    try:
        assert differences(seed, connection, expressions=8, size=40) == []
    finally:
        connection.disconnect()


def test_reading_a_protocol_does_not_import_ibis() -> None:
    code = "import sys, trialwright.protocol.load, trialwright.language.evaluate; sys.exit('ibis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
