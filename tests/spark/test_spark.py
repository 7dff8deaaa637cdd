"""Spark answers as the reference does: the whole specification, crowds, and what only Spark does differently."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.laws.agreement import differences, differences_of
from tests.spark.session import spark, why_not
from tests.spec.compiled import TRUTHS, compiled, compiled_answers
from tests.spec.reading import Question, questions, typed, written
from trialwright.core.finding import Finding, Refused
from trialwright.core.interval import point
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.core.units import unit
from trialwright.language.check import Checked, check
from trialwright.language.compile import answers_of, compile_criteria, compile_rules
from trialwright.language.compiling.loading import source_from_facts
from trialwright.language.facts import Facts, Observation
from trialwright.language.parse import parse
from trialwright.language.typed import Typed
from trialwright.language.values import Amount, Answer, Value
from trialwright.language.vocabulary import Item, Vocabulary
from trialwright.protocol.eligibility import determine
from trialwright.protocol.load import load

if why_not():
    pytest.skip(why_not(), allow_module_level=True)

# pyspark leaves its sockets to be collected
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

NOW = partial_date("2026-03-09")
_LITRE = unit("10*9/L")
assert _LITRE is not None
VOCABULARY = Vocabulary(
    {
        "a": Item("a", "quantity", _LITRE),
        "b": Item("b", "quantity", _LITRE),
        "n": Item("n", "count"),
        "f": Item("f", "yes_no"),
    }
)


def _rule(text: str) -> Typed:
    expression = parse(text)
    assert not isinstance(expression, Finding), str(expression)
    return check(expression, Checked(VOCABULARY))


def _ask(text: str, facts: Facts) -> Value:
    return compiled_answers(spark(), VOCABULARY, {"p": (facts, NOW)}, {"x": _rule(text)})["p", "x"]


def _told(**told: str) -> Facts:
    return Facts({name: [Observation(Amount(point(Decimal(value))), NOW)] for name, value in told.items()})


@contextmanager
def _set(setting: str, value: str) -> Iterator[Any]:
    conf = spark().raw_sql("SELECT 1").sparkSession.conf
    before = conf.get(setting)
    conf.set(setting, value)
    try:
        yield
    finally:
        conf.set(setting, before)


# ---------------------------------------------------------------- the same answers


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.name)
def test_the_specification_holds_on_spark(question: Question) -> None:
    unit_of = typed(question).type.unit
    assert written(compiled(question, spark), unit_of.code if unit_of else "") == question.expected


@pytest.mark.parametrize("seed", [300, 301])
def test_spark_answers_as_evaluate_does(seed: int) -> None:
    assert differences(seed, spark(), expressions=8, size=40) == []


def test_points_without_ends_answer_as_evaluate_does() -> None:
    assert differences(302, spark(), expressions=8, size=40, points_only=True) == []


def test_runs_over_ties_agree() -> None:
    texts = ["longest_run(note satisfies size > 1)", "share(embryo where alive satisfies day >= 2)", "known(k)", "k"]
    assert differences_of(texts, 7, 300, spark()) == []


def test_the_verdicts_of_the_trial_are_those_of_evaluate() -> None:
    protocol, _ = load(Path(__file__).parents[2] / "protocols" / "nct07176143")
    assert protocol is not None
    facts = {
        "nothing": Facts(),
        "counted": Facts({"afc": [Observation(Amount(point(Decimal(14))), NOW)]}),
    }
    source = source_from_facts(spark(), protocol.vocabulary, {name: (one, NOW) for name, one in facts.items()})
    criteria = [(one.name, one.kind, one.rule) for one in protocol.criteria]
    for row in answers_of(spark(), compile_criteria(criteria, source)).to_pylist():
        determined = determine(protocol, facts[row["participant"]], NOW)
        assert row["verdict"] == determined.verdict
        assert all(TRUTHS[row[one.criterion.name]] is one.answer for one in determined.answers)


# ---------------------------------------------------------------- what Spark does differently


def test_a_sum_keeps_its_last_decimals() -> None:
    """Spark's own default would round the sum of two DECIMAL(38, 18) to seventeen decimals."""
    facts = _told(a="0.300000000000000001", b="0.3")
    assert _ask("a + b > 0.6 10*9/L", facts) == Answer(Truth.YES)
    assert _ask("a + b <= 0.6 10*9/L", facts) == Answer(Truth.NO)
    assert _ask("a - b > 0 10*9/L", facts) == Answer(Truth.YES)


def test_a_sum_of_ten_tenths_is_one() -> None:
    told = [Observation(Amount(point(Decimal("0.1"))), NOW) for _ in range(10)]
    assert _ask("sum(a) = 1 10*9/L", Facts({"a": told})) == Answer(Truth.YES)


def test_a_division_by_zero_is_undefined_and_no_error() -> None:
    found = _ask("a / b", _told(a="1", b="0"))
    assert isinstance(found, Amount)
    assert found.undefined is Truth.YES


def test_whole_numbers_beyond_thirty_two_bits_are_compared() -> None:
    facts = _told(n="2147483648")
    assert _ask("n > 2147483647", facts) == Answer(Truth.YES)
    assert _ask("n = 2147483647 + 1", facts) == Answer(Truth.YES)  # Spark adds plain numbers in 32 bits


def test_a_number_that_overflows_is_an_error_and_not_unknown() -> None:
    facts = _told(n="99999999999999999999")
    with pytest.raises(Exception, match=r"NUMERIC_VALUE_OUT_OF_RANGE|ARITHMETIC_OVERFLOW"):
        _ask("n + n > 1", facts)


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("spark.sql.ansi.enabled", "false", "would become NULL"),
        ("spark.sql.decimalOperations.allowPrecisionLoss", "true", "lose their last decimals"),
        ("spark.sql.session.timeZone", "Asia/Shanghai", "days would begin at other moments"),
    ],
)
def test_a_session_that_would_answer_wrongly_is_refused(setting: str, value: str, says: str) -> None:
    source = source_from_facts(spark(), VOCABULARY, {"p": (_told(n="1"), NOW)})
    with _set(setting, value), pytest.raises(Refused, match=says):
        compile_rules({"x": _rule("n = 1")}, source)


def test_a_decimal_that_limits_would_be_rounded_to_is_refused() -> None:
    source = source_from_facts(spark(), VOCABULARY, {"p": (_told(n="0.3"), NOW)})
    wide = source.observations.mutate(low=source.observations.low.cast("decimal(38, 10)"))
    with pytest.raises(Refused, match="Spark would round"):
        compile_rules({"x": _rule("n < 0.30000000001")}, replace(source, observations=wide))


def test_a_second_load_replaces_the_first() -> None:
    for value in ("1", "2"):
        assert _ask("n", _told(n=value)) == Amount(point(Decimal(value)))
