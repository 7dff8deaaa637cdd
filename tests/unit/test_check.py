"""The static check: every slip that it knows is found, where it stands, with all its words."""

from __future__ import annotations

from fractions import Fraction

import pytest

from trialwright.core.finding import Finding, Grade, Refused, Where, mend, says
from trialwright.core.interval import plain
from trialwright.core.partial_date import partial_date
from trialwright.core.units import Unit, unit
from trialwright.language import typed as t
from trialwright.language.check import Checked, check
from trialwright.language.evaluate import evaluate
from trialwright.language.facts import NO_FACTS
from trialwright.language.parse import parse
from trialwright.language.vocabulary import Derivation, Item, Kind, Record, Vocabulary


def _unit(code: str) -> Unit:
    found = unit(code)
    assert found is not None
    return found


def _item(name: str, code: str = "", **more: object) -> Item:
    return Item(name, "quantity", _unit(code), **more)  # type: ignore[arg-type]


_DAY = Item("cycle_day", "count")
_ITEMS = {
    "afc": Item("afc", "count", attributes={"cycle_day": _DAY}),
    "amh": _item("amh", "ng/mL", molar_mass=Fraction(140000)),
    "estradiol": _item("estradiol", "ng/mL"),
    "weight": _item("weight", "kg"),
    "height": _item("height", "cm"),
    "temperature": _item("temperature", "Cel"),
    "body_heat": _item("body_heat", "K"),
    "hbsag": Item("hbsag", "category", categories=("negative", "positive")),
    "side": Item("side", "category", categories=("left", "right")),
    "fever": Item("fever", "yes_no"),
    "birth_date": Item("birth_date", "date"),
    "age": Item("age", "age", born="birth_date"),
    "ghost_age": Item("ghost_age", "age", born="nowhere"),
    "outcome": Item("outcome", "category", categories=("live", "lost")),
}
_EMBRYO = Record("embryo", {"day": Item("day", "count"), "outcome": Item("outcome", "yes_no"), "icm": _ITEMS["side"]})


def _derivation(name: str, text: str, of: str = "", code: str = "") -> Derivation:
    expression = parse(text)
    assert not isinstance(expression, Finding)
    return Derivation(name, expression, of, _unit(code) if code else None)


VOCABULARY = Vocabulary(
    _ITEMS,
    {"embryo": _EMBRYO},
    {"partner": frozenset({"hbsag"})},
    frozenset({"infusion", "allocation"}),
    {
        one.name: one
        for one in (
            _derivation("bmi", "weight / height^2", code="kg/m2"),
            _derivation("loop", "noose + 1"),
            _derivation("noose", "loop + 1"),
            _derivation("narcissus", "narcissus"),
            _derivation("late", "day >= 5", of="embryo"),
            _derivation("in_metres", "weight", code="m"),
        )
    },
    {"known_sides": frozenset({"left", "right"}), "wrong_sides": frozenset({"left", "up"})},
)


def _check(text: str, where: Where = Where()) -> Checked:
    expression = parse(text)
    assert not isinstance(expression, Finding), str(expression)
    checked = Checked(VOCABULARY)
    evaluate(check(expression, checked, where), NO_FACTS, partial_date("2026-03-09"))
    return checked


SLIPS = [
    # expression                                      code                  column  a word of the answer
    ("aftc <= 7", "name_unknown", 1, "Did you mean `afc`"),
    ("partner.hbsagg = negative", "name_unknown", 1, "Did you mean `hbsag`"),
    ("afc <= 7 or count(embrio) > 1", "name_unknown", 19, "Did you mean `embryo`"),
    ("hbsag in nonsense_set", "name_unknown", 10, "nonsense_set"),
    ("ghost_age > 5 years", "name_unknown", 1, "nowhere"),
    ("partner.hbsag.value = negative", "name_unknown", 1, "partner.hbsag.value"),
    ("any(embryo where day.value > 3)", "name_unknown", 18, "day.value"),
    ("hbsag = neagtive", "category_unknown", 9, "Did you mean `negative`"),
    ("hbsag = left", "category_unknown", 9, "negative, positive"),
    ('hbsag = "maybe"', "category_unknown", 9, "maybe"),
    ("hbsag = afc", "category_unknown", 9, "negative, positive"),
    ("hbsag = bmi", "category_unknown", 9, "negative, positive"),
    ("hbsag in {negative, left}", "category_unknown", 10, "left"),
    ("side in wrong_sides", "category_unknown", 9, "up"),
    ("weight > 5 kilo", "unit_unknown", 10, "kilo"),
    ("afc > 5 IU/L", "unit_unknown", 7, "Did you mean `[IU]/L`"),
    ("weight > 5 mm", "unit_mismatch", 10, "kg"),
    ("weight > height", "unit_mismatch", 1, "cm"),
    ("amh > 5 mmol", "unit_mismatch", 7, "ng/mL"),
    ("estradiol > 5 pmol/L", "unit_mismatch", 13, "pmol/L"),
    ("age > 5 days", "unit_mismatch", 7, "years"),
    ("temperature > body_heat", "unit_mismatch", 1, "K"),
    ("in_metres > 1 m", "unit_mismatch", 1, "kg"),
    ("weight > 5", "unit_missing", 10, "kg"),
    ("age in 20..38", "unit_missing", 8, "years"),
    ("weight in {5, 6}", "unit_missing", 11, "kg"),
    ("weight + height > 1 kg", "unit_sum", 1, "cm"),
    ("weight + 5 > 1 kg", "unit_sum", 1, "a plain number"),
    ("age + 5 days > 1 years", "unit_sum", 1, "days"),
    ("fever > 5", "type_mismatch", 1, "a condition"),
    ("hbsag > 5", "type_mismatch", 1, "a category"),
    ("hbsag in 1..2", "type_mismatch", 10, "a range"),
    ("afc in {few, 2}", "type_mismatch", 8, "a category"),
    ('afc in {"5", 6}', "type_mismatch", 8, "a category"),
    ("fever = 5", "type_mismatch", 1, "a category, a number or a date"),
    ("fever < 5", "type_mismatch", 1, "something that has an order"),
    ("fever in {5}", "type_mismatch", 10, "a condition"),
    ("not afc", "type_mismatch", 5, "a number"),
    ("afc and fever", "type_mismatch", 1, "a number"),
    ("-hbsag = 1", "type_mismatch", 2, "a category"),
    ("fever + 1 > 2", "type_mismatch", 1, "a condition"),
    ("birth_date > 5", "type_mismatch", 14, "a date"),
    ("birth_date > 2026-02-30", "type_mismatch", 14, "no day of the calendar"),
    ("age > 5 months", "type_mismatch", 7, "no fixed length"),
    ("afc > 1e99999", "type_mismatch", 7, "beyond measure"),
    ("age * 2 > 4 years", "type_mismatch", 1, "calendar time"),
    ("age^2 > 4", "type_mismatch", 1, "calendar time"),
    ("temperature^2 > 4", "type_mismatch", 1, "zero of its own"),
    ("temperature * 2 > 4 Cel", "type_mismatch", 1, "zero of its own"),
    ('"left" = side', "type_mismatch", 1, "a category"),
    ("embryo > 3", "type_mismatch", 1, "a list of records"),
    ("afc within 1.5 months > 3", "type_mismatch", 5, "not whole"),
    ("afc within 9999 years > 3", "type_mismatch", 5, "longer than a life"),
    ("afc within 201 years > 3", "type_mismatch", 5, "longer than a life"),
    ("afc within 2401 months > 3", "type_mismatch", 5, "longer than a life"),
    ("afc within 10001 weeks > 3", "type_mismatch", 5, "longer than a life"),
    ("afc within 73001 days > 3", "type_mismatch", 5, "longer than a life"),
    ("afc within 1000001 hours > 3", "type_mismatch", 5, "longer than a life"),
    ("mean(hbsag) > 1", "type_mismatch", 1, "a category"),
    ("sum(embryo.outcome) > 1", "type_mismatch", 1, "a condition"),
    ("known_sides = left", "name_unknown", 1, "known_sides"),
    ("afc in 7..5", "range_empty", 8, "7..5"),
    ("bmi within 6 months > 20 kg/m2", "window_on_derived", 1, "bmi"),
    ("age within 6 months > 20 years", "window_on_derived", 1, "age"),
    ("infusion within 6 months > 2026-01-01", "window_on_derived", 1, "infusion"),
    ("any(embryo where day within 5 days > 3)", "window_on_derived", 18, "day"),
    ("weight at infussion > 1 kg", "anchor_unknown", 8, "Did you mean `infusion`"),
    ("afc within 5 days before nothing > 3", "anchor_unknown", 5, "allocation, infusion"),
    ("afc on phase 2..4 > 3", "attribute_unknown", 5, "phase"),
    ("count(embryo on phase 2..4) > 3", "attribute_unknown", 14, "phase"),
    ("latest(bmi) > 20 kg/m2", "aggregate_source", 1, "derived"),
    ("max(age) > 20 years", "aggregate_source", 1, "derived"),
    ("bmi inside normal", "aggregate_source", 1, "not a result"),
    ("max(afc) outside normal", "aggregate_source", 1, "not a result"),
    ("any(embryo.outcome)", "aggregate_source", 1, "one field"),
    ("every(embryo)", "satisfies_missing", 1, "every"),
    ("share(afc where cycle_day = 3) > 0.5", "satisfies_missing", 1, "share"),
    ("latest(embryo) = negative", "field_missing", 1, "latest"),
    ("known(embryo)", "field_missing", 1, "known"),
    ("latest(embryo).dya > 3", "field_unknown", 1, "Did you mean `day`"),
    ("latest(afc).event > 3", "field_unknown", 1, "date"),
    ("max(afc).date > 2026-01-01", "field_unknown", 1, "date"),
    ("loop > 1", "cycle", 1, "loop -> noose -> loop"),
    ("narcissus", "cycle", 1, "narcissus -> narcissus"),
    ("hbsag = side", "never_decided", 1, "share no category"),
    ("partner.hbsag = side", "never_decided", 1, "share no category"),
    ("late", "never_decided", 1, "embryo"),
]


@pytest.mark.parametrize(("expression", "code", "column", "word"), SLIPS)
def test_a_slip_is_a_finding(expression: str, code: str, column: int, word: str) -> None:
    with pytest.raises(Refused) as refused:
        _check(expression)
    (found,) = refused.value.findings
    assert found.code == code, str(found)
    assert found.grade is Grade.ERROR
    if code != "cycle":
        assert (found.where.line, found.where.column) == (1, column)
    assert word in says(found) + mend(found)


@pytest.mark.parametrize("window", ["200 years", "2400 months", "10000 weeks", "73000 days", "1000000 hours", "0 days"])
def test_a_window_may_be_as_long_as_a_life(window: str) -> None:
    assert _check(f"afc within {window} > 3").warnings == []


@pytest.mark.parametrize(
    ("expression", "limits"),
    [
        ("infusion - birth_date > 3 weeks", "21"),
        ("infusion - birth_date > 1 week", "7"),
        ("infusion - birth_date > 1 day", "1"),
        ("age > 1 year", "1"),
        ("age > 5 years", "5"),
        ("weight > 500 g", "0.5"),
        ("weight in -500..1500 g", "-0.5 1.5"),
        ("weight in {-500, 1500} g", "-0.5 1.5"),
        ("temperature < 310.15 K", "37"),
        ("temperature in {273.15, 310.15} K", "0 37"),
        ("amh < 50 pmol/L", "7"),
        ("afc in 7..7", "7 7"),
        ("5 < afc", "5"),
    ],
)
def test_a_limit_is_brought_to_the_unit_of_what_is_compared_with_it(expression: str, limits: str) -> None:
    parsed = parse(expression)
    assert not isinstance(parsed, Finding)
    found = check(parsed, Checked(VOCABULARY))
    if isinstance(found, t.IsAmong):
        ends = found.among.interval
        numbers = list(found.among.numbers) if ends is None else [ends.low, ends.high]
    else:
        assert isinstance(found, t.Comparison)
        assert isinstance(found.right, t.ConstantAmount)
        numbers = [found.right.value]
    assert " ".join(plain(number) for number in numbers) == limits


def test_what_is_wrong_with_a_derivation_is_said_where_it_is_declared_and_nowhere_else() -> None:
    broken = Vocabulary(_ITEMS, derivations={"odd": _derivation("odd", "aftc + 1")})
    checked = Checked(broken)
    for text in ("odd > 1", "odd < 9"):
        expression = parse(text)
        assert not isinstance(expression, Finding)
        with pytest.raises(Refused) as refused:
            check(expression, checked)
        assert refused.value.findings == ()
    assert checked.broken == {"odd"}


def test_a_field_that_is_the_item_itself_shadows_nothing() -> None:
    visit = Record("visit", {"afc": _ITEMS["afc"], "amh": Item("amh", "count")})
    checked = Checked(Vocabulary(_ITEMS, {"visit": visit}))
    for text in ("any(visit where afc > 3)", "any(visit where amh > 3)"):
        expression = parse(text)
        assert not isinstance(expression, Finding)
        check(expression, checked)
    assert [(found.code, found.values["name"]) for found in checked.warnings] == [("shadowing", "amh")]


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("count", "amount"),
        ("quantity", "amount"),
        ("age", "amount"),
        ("category", "category"),
        ("yes_no", "truth"),
        ("attestation", "truth"),
        ("date", "date"),
    ],
)
def test_a_field_yields_what_its_kind_says(kind: Kind, type_: str) -> None:
    field = Item("field", kind, categories=("left", "right") if kind == "category" else ())
    expression = parse("latest(visit).field")
    assert not isinstance(expression, Finding)
    found = check(expression, Checked(Vocabulary(records={"visit": Record("visit", {"field": field})})))
    assert found.type.is_a == type_
    assert found.type.categories == frozenset(field.categories)
    assert (found.type.unit is not None) is (type_ == "amount")


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("any(embryo where outcome)", "shadowing"),
        ("count(embryo where day = 5) / count(embryo) > 0.5", "share_proposed"),
    ],
)
def test_a_doubt_is_a_warning(expression: str, code: str) -> None:
    (found,) = _check(expression).warnings
    assert (found.code, found.grade) == (code, Grade.WARNING)
    assert says(found)
    assert mend(found)


def test_a_finding_stands_in_the_file() -> None:
    with pytest.raises(Refused) as refused:
        _check("afc <= 7 or\n  aftc <= 7", Where("protocol.yaml", 40, 10))
    assert str(refused.value.findings[0].where).startswith("protocol.yaml:41")


@pytest.mark.parametrize(
    "expression",
    [
        "afc <= 7 or amh < 1.10 ng/mL",
        "amh < 7.8 pmol/L",
        "10 < afc",
        "hbsag = positive or partner.hbsag = positive",
        "fever = yes and fever != no",
        "side in known_sides",
        "bmi in 18..27 kg/m2",
        "(bmi > 20 kg/m2) at infusion",
        "bmi at infusion > 20 kg/m2",
        "temperature in 36..38 Cel and temperature < 310.15 K",
        "count(embryo where late and icm = left) >= 2",
        "latest(embryo where embryo.day = 5).date >= birth_date",
        "latest(embryo).late",
        "1e6 /kg * weight at infusion > 5",
        "infusion - birth_date > 3 weeks",
        "infusion - allocation <= 14 days",
        "max(afc on cycle_day 2..4) > 3",
        "afc.date > 2026-01-01",
        "-afc < 0 and afc^2 > 4",
    ],
)
def test_what_is_meant_is_accepted(expression: str) -> None:
    assert _check(expression).warnings == []
