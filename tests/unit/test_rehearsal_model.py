# ruff: noqa: E501  a row of the table stays on its line
"""A model that does not fit is refused with its place; a formula computes, and can do nothing else."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.rehearsals import DOR, command, copied
from tests.unit.desk import BLINDED, protocol_at
from trialwright.core.finding import Refused, Where
from trialwright.rehearsal.formula import FUNCTIONS, evaluate_formula, formula
from trialwright.rehearsal.model import load_model
from trialwright.rehearsal.nature import Woman

AGE = '"20 + 25 * uniform()"'
AFC = "afc: \"poisson(8) + (gain * 5 if arm == 'drops' else 0)\""


# ---------------------------------------------------------------- formulas


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 * age + 1", 61.0),
        ("'icsi' if age >= 30 else 'none'", "icsi"),
        ("not (age < 30 or age > 40) and 1", 1),
        ("-(2 ** 3) % 5", 2),
        ("7 // 2", 3),
        ("clip(age, 35, 45)", 35.0),
        ("interpolate(age, [20, 40], [0, 1])", 0.5),
        ("expit(logit(0.2))", 0.2),
        ("phi(0)", 0.5),
        ("max(1, 2, min(3, 4))", 3),
    ],
)
def test_a_formula_computes(text: str, value: object) -> None:
    found = evaluate_formula(formula(text, Where()), {"age": 30.0})
    assert math.isclose(found, value) if isinstance(value, float) else found == value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__",
        "age.real",
        "'{0.__class__}'.format(age)",
        "[x for x in [1]]",
        "{x for x in [1]}",
        "{1: 2}",
        "sum(x for x in [1])",
        "lambda: 1",
        "(lambda: 1)()",
        "(y := 3)",
        "f'{age}'",
        "age[0]",
        "[1, 2][0]",
        "open('/etc/passwd')",
        "eval('1')",
        "getattr(age, 'real')",
        "normal.__globals__",
        "__builtins__",
        "__name__",
        "max(*[1, 2])",
        "pick(**{'a': 1})",
        "await age",
        "yield 1",
        "import os",
        "age = 3",
        "1; 2",
        "",
        "1 +",
        "\0",
        "(" * 500 + ")" * 500,
        "-" * 100_000 + "1",
    ],
    ids=lambda text: text[:30],
)
def test_whatever_is_not_arithmetic_is_no_formula(text: str) -> None:
    with pytest.raises(Refused) as refused:
        formula(text, Where("rehearsal.yaml", 7, 3))
    (found,) = refused.value.findings
    assert (found.code, found.where.line) == ("formula_broken", 7)
    assert str(found)


def test_a_formula_sees_nothing_but_its_names_and_functions() -> None:
    with pytest.raises(NameError):
        evaluate_formula(formula("os", Where()), {})
    assert formula("normal(a, b) + a", Where()).names == {"a", "b"}


def test_every_draw_comes_from_the_dice_that_are_given() -> None:
    calls = {"normal": "(0, 1)", "lognormal": "(1, 1)", "uniform": "()", "poisson": "(2)", "binomial": "(5, 0.5)"}
    calls |= {"happens": "(0.5)", "beta": "(0.5, 4)", "negative_binomial": "(2, 3)", "pick": "(a=1, b=1)"}
    assert calls.keys() <= FUNCTIONS.keys()
    for name, arguments in calls.items():
        read = formula(name + arguments, Where())
        one, other = (evaluate_formula(read, {}, np.random.default_rng(3)) for _ in range(2))
        assert one == other, name
        with pytest.raises(ValueError, match="no dice"):
            evaluate_formula(read, {})


# ---------------------------------------------------------------- models


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("start: 2026-01-05", "start: tomorrow", ":2:8", "tomorrow"),
        ("site: S01", "site: S09", ":3:7", "Did you mean `S01`?"),
        ("women_per_week: 2", "women_per_week: lots", ":4:17", "“lots” is not a number"),
        ("women_per_week: 2", "women_per_week: 0", ":4:17", "not between 0.001 and 10,000"),
        ('scenario: "null"', "scenario: other", ":5:11", "not among the scenarios"),
        ("value: 0,", "value: nan,", ":10:17", "“nan” is not a number"),
        ("works: 1}", "wroks: 1}", ":10:39", "Did you mean `works`?"),
        (AGE, '"20 + 25 * unform()"', ":12:9", "unform is not one of"),
        (AGE, '"20 + years"', "woman.age", "name 'years' is not defined"),
        (AGE, '"1 / 0"', "woman.age", "division by zero"),
        (AGE, '"pick()"', "woman.age", "no value"),
        (AGE, '"log(0)"', "items.birth_date", "inf is no number of days"),
        (AGE, '"(1).real"', ":12:9", "Attribute may not stand here"),
        (AFC, 'afd: "3"', ":16:9", "Did you mean `afc`?"),
        (AFC, "", "items", "does not say how it is answered"),
        (AFC, "afc: \"'many'\"", "afc", "no number that could be measured"),
        (AFC, 'afc: "1000"', "", "outside what is possible"),
        (AFC, 'afc: {is: "3", with: {day: "2"}}', ":16:31", "attributes of afc"),
        ('count: "3"', 'colour: "3"', ":18:10", "not among the fields of drops"),
        ('count: "3"', 'count: "99"', "", "outside what is possible"),
        ("pregnancy_test: {", "pregnancy_tset: {", ":19:19", "Did you mean `pregnancy_test`?"),
        ('"poisson(2)"', "\"'x'\"", "records.embryo.0.count", "no number that can be used"),
        ('"-poisson(4)"', '"1e12"', "records.adverse_event.0.days", "no number of days"),
        ('"-poisson(4)"', '"1000"', "", "after now"),
        ("headache=0.7", "heartache=0.7", "", "Did you mean `headache`?"),
        ("missed_visit: 0.15", "missed_visit: often", ":23:17", "“often” is not a number"),
        ("missed_visit: 0.15", "missed_visit: 7", ":23:17", "7 is no probability, which is from 0 to 1"),
        ("withdrawal_per_year: 0.6", "withdrawal_per_year: -1", "withdrawal_per_year", "is no rate"),
        ("note: 0.5", "note: 1.01", "mess.note", "docs/verbs/rehearse.md says what may stand in rehearsal.yaml"),
        ("[screening, entry]", "[screning]", ":24:17", "Did you mean `screening`?"),
        ("note: 0.5", "late_days: [9, 2]", ":26:14", "no span of days"),
        ("note: 0.5", "slips: [{item: agc, factor: 2, probability: 1, reason: x}]", "mess", "Did you mean `age`?"),
        ("note: 0.5", 'corrections: [{enrolled: 1, days: 5, item: agc, value: "3", reason: x}]', "mess", "Did you mean `age`?"),
        ("woman:", "latent: [a, b]\ncorrelations: {a~b: 3}\nwoman:", "correlations", "correlated so"),
        ("woman:", "latent: [a, b]\ncorrelations: {a~c: 0.3}\nwoman:", "correlations.a~c", "no two latent variables"),
        ("woman:", 'keep: "0"\nwoman:', "keep", "is kept"),
        ("woman:", "colour: red\nwoman:", ":11:9", "colour"),
        ("woman:", "woman: [\n", ":14", "not YAML"),
    ],
    ids=lambda text: text[:24],
)  # fmt: skip
def test_a_model_that_does_not_fit_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, place: str, says: str
) -> None:
    copy = copied(BLINDED, tmp_path / "copy", old=old, new=new)
    code, out, err = command("rehearse", copy, "--out", tmp_path / "out")
    assert (code, out) == (2, "")
    assert says in err
    assert place in err
    assert not place.startswith(":") or f"rehearsal.yaml{place}" in err
    assert [one.name for one in tmp_path.iterdir()] == ["copy"]


def test_a_protocol_without_a_model_is_refused(tmp_path: Path) -> None:
    copy = copied(BLINDED, tmp_path / "copy")
    (copy / "rehearsal.yaml").unlink()
    code, _, err = command("rehearse", copy, "--out", tmp_path / "out")
    assert code == 2
    assert "There is no rehearsal model" in err


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('viability: {is: "clip(normal(91, 3.5), 60, 99)"', 'viability: {is: "10"', "50 lots of hamsc in a row were not released"),
        ('viability: {is: "clip(normal(91, 3.5), 60, 99)"', 'vibility: {is: "10"', "Did you mean `viability`?"),
        ('prepared: {is: "clip(normal(1.0, 0.03), 0.91, 1.09)"', "prepared: {is: \"'a'\"", "no number that can be used"),
    ],
)  # fmt: skip
def test_lots_and_doses_that_cannot_be_meant_stop_the_rehearsal(tmp_path: Path, old: str, new: str, says: str) -> None:
    copy = copied(DOR, tmp_path / "copy", old=old, new=new)
    code, _, err = command("rehearse", copy, "--out", tmp_path / "out")
    assert code == 2
    assert says in err


def test_a_trial_that_nobody_fits_stops_and_says_so(tmp_path: Path) -> None:
    copy = copied(BLINDED, tmp_path / "copy", old=AGE, new='"50 + uniform()"')
    code, _, err = command("rehearse", copy, "--out", tmp_path / "out")
    assert code == 2
    assert "After 400 women were screened, 0 of 10 places are taken" in err


def test_a_woman_is_the_same_however_many_others_there_are(tmp_path: Path) -> None:
    model = load_model(protocol_at(BLINDED), BLINDED)
    alone = Woman(model, 5, 3, "null").variables
    assert [Woman(model, 5, number, "works").variables for number in (1, 2, 3)][2] == alone


def test_models_with_other_correlations_draw_other_women(tmp_path: Path) -> None:
    """One after the other, so that the second may lie where the first lay in memory."""
    seen = set()
    for correlation in ("0.9", "-0.9", "0"):
        new = f"latent: [a, b]\ncorrelations: {{a~b: {correlation}}}\nwoman:\n  both: z_b"
        copy = copied(BLINDED, tmp_path / correlation, old="woman:", new=new)
        seen.add(Woman(load_model(protocol_at(BLINDED), copy), 5, 1, "null").variables["both"])
    assert len(seen) == 3
