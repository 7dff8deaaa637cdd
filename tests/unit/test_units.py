"""Units: what a lab prints in one unit is the same number in another, and unlike things never meet."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts import units as script

from trialwright.core.units import (
    BASES,
    COUNT,
    Quantity,
    Unit,
    convert,
    factor,
    known_units,
    nearest_unit,
    power,
    product,
    quotient,
    same_dimension,
    unit,
)

AMH, OESTRADIOL, PROGESTERONE = Fraction(140_000), Fraction("272.38"), Fraction("314.47")
GLUCOSE, CREATININE = Fraction("180.156"), Fraction("113.12")

KNOWN = st.sampled_from(known_units())
MEASURED = st.decimals(min_value="-1e9", max_value="1e9", places=6, allow_nan=False, allow_infinity=False)


def of(code: str) -> Unit:
    found = unit(code)
    assert found is not None, code
    return found


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        ("100", "g/L", "g/dL", "10"),  # haemoglobin
        ("100", "10*3/uL", "10*9/L", "100"),  # platelets
        ("12.5", "m[IU]/mL", "[IU]/L", "12.5"),  # FSH
        ("2.5", "u[IU]/mL", "m[IU]/L", "2.5"),  # TSH
        ("1.10", "ng/mL", "ug/L", "1.10"),
        ("37", "Cel", "K", "310.15"),
        ("310.15", "K", "Cel", "37.00"),
        ("1.62", "m", "cm", "162"),
        ("5.8", "mm", "cm", "0.58"),
        ("120", "mm[Hg]", "kPa", "15.99864"),  # UCUM's own mercury, 133.322 Pa per mm
        ("1000000", "/kg", "10*6/kg", "1"),
        ("3", "10*6/kg", "{cells}/kg", "3000000"),
        ("45", "%", "1", "0.45"),
        ("60", "U/L", "ukat/L", "1"),
        ("5", "[EU]/kg/h", "[EU]/kg/h", "5"),
        ("250", "cGy.cm2", "Gy.cm2", "2.5"),
        ("1", "mL/min", "L/h", "0.06"),
        ("2", "h", "min", "120"),
        ("1E-30", "kg", "g", "1E-27"),
    ],
)
def test_a_value_in_another_unit_is_exact(value: str, source: str, target: str, expected: str) -> None:
    assert convert(Decimal(value), of(source), of(target)) == Decimal(expected)


@pytest.mark.parametrize(
    ("value", "source", "target", "molar_mass", "expected"),
    [
        ("1.10", "ng/mL", "pmol/L", AMH, "7.857"),
        ("0.16", "ng/mL", "pmol/L", AMH, "1.143"),
        ("45", "pg/mL", "pmol/L", OESTRADIOL, "165.2"),
        ("1", "ng/mL", "nmol/L", PROGESTERONE, "3.18"),
        ("100", "mg/dL", "mmol/L", GLUCOSE, "5.551"),
        ("1", "mg/dL", "umol/L", CREATININE, "88.40"),
        ("7.857142857142857142857142857142857", "pmol/L", "ng/mL", AMH, "1.100"),
    ],
)
def test_a_mass_becomes_an_amount_through_the_molar_mass(
    value: str, source: str, target: str, molar_mass: Fraction, expected: str
) -> None:
    converted = convert(Decimal(value), of(source), of(target), molar_mass)
    assert round(converted, -Decimal(expected).as_tuple().exponent) == Decimal(expected)  # type: ignore[operator]


def test_the_limit_of_amh_is_one_exact_pair() -> None:
    assert factor(of("ng/mL"), of("pmol/L"), AMH) == (Fraction(50, 7), Fraction(0))
    assert factor(of("pmol/L"), of("ng/mL"), AMH) == (Fraction(7, 50), Fraction(0))


@pytest.mark.parametrize(
    ("source", "target", "molar_mass", "says"),
    [
        ("[IU]/L", "U/L", None, "different things"),
        ("[EU]/mL", "[IU]/mL", None, "different things"),
        ("ng/mL", "pmol/L", None, "molar mass"),
        ("ng/mL", "pmol/L", Fraction(0), "above zero"),
        ("ng/mL", "[IU]/L", AMH, "different things"),
        ("ng/mL", "pmol", AMH, "different things"),
        ("/kg", "umol/L", AMH, "different things"),
        ("mm", "mm2", None, "different things"),
        ("1", "mm", None, "different things"),
        ("mol", "10*9", None, "different things"),
    ],
)
def test_unlike_things_do_not_convert(source: str, target: str, molar_mass: Fraction | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        factor(of(source), of(target), molar_mass)


def test_a_value_that_no_instrument_gives_is_refused() -> None:
    with pytest.raises(ValueError, match="undefined"):
        convert(Decimal("NaN"), of("mm"), of("cm"))
    with pytest.raises(ValueError, match="not a measurement"):
        convert(Decimal("1e999999"), of("mm"), of("cm"))
    assert convert(Decimal("-Infinity"), of("Cel"), of("K")) == Decimal("-Infinity")


@given(KNOWN, KNOWN, MEASURED)
def test_there_and_back_is_the_same_value(a: str, b: str, value: Decimal) -> None:
    source, target = of(a), of(b)
    if not same_dimension(source, target):
        return
    (scale, offset), (back_scale, back_offset) = factor(source, target), factor(target, source)
    assert (Fraction(value) * scale + offset) * back_scale + back_offset == Fraction(value)


@given(KNOWN, KNOWN)
def test_a_product_divided_by_one_side_is_the_other(a: str, b: str) -> None:
    left, right = of(a), of(b)
    if left.offset or right.offset:
        with pytest.raises(ValueError, match="zero of its own"):
            product(left, right)
        return
    back = quotient(product(left, right), right)
    assert (back.dimension, back.scale) == (left.dimension, left.scale)


@given(KNOWN, KNOWN)
def test_a_composed_code_means_what_the_script_reads_in_it(a: str, b: str) -> None:
    left, right = of(a), of(b)
    if left.offset or right.offset:
        return
    composed = quotient(left, right)
    assert (composed.dimension, composed.scale) == _of_script(composed.code)


UCUM = script.Ucum()


def _of_script(code: str) -> tuple[tuple[int, ...], Fraction]:
    resolved = UCUM.resolve(code)
    return resolved.dimension, resolved.scale


@pytest.mark.parametrize(
    ("composed", "code"),
    [
        (product(of("ng/mL"), of("mL")), "ng"),
        (product(of("mg/kg"), of("kg")), "mg"),
        (quotient(of("kg"), power(of("m"), 2)), "kg/m2"),
        (quotient(COUNT, of("kg")), "/kg"),
        (power(of("/kg"), -1), "kg"),
        (product(of("10*9/L"), of("10*3")), "10*12/L"),
        (quotient(of("{oocytes}"), of("{oocytes}")), "1"),
        (quotient(of("{oocytes}"), of("{follicles}")), "{oocytes}/{follicles}"),
        (power(of("mm[Hg]"), 2), "mm[Hg]2"),
        (power(of("mm"), 0), "1"),
    ],
)
def test_a_composed_unit_reads_well(composed: Unit, code: str) -> None:
    assert composed.code == code


@pytest.mark.parametrize(
    ("code", "same_as"),
    [
        ("{oocytes}", "1"),
        ("{cells}/kg", "/kg"),
        ("10*6{cells}/kg", "10*6/kg"),
        ("mL{packed}", "mL"),
        ("{follicles}/{cycle}", "1"),
        ("mL/min/{1.73_m2}", "mL/min"),
        ("kg{dry}/m2", "kg/m2"),
    ],
)
def test_an_annotation_counts_as_one(code: str, same_as: str) -> None:
    annotated, bare = of(code), of(same_as)
    assert annotated.code == code
    assert (annotated.dimension, annotated.scale) == (bare.dimension, bare.scale)


@pytest.mark.parametrize("code", ["", "IU/L", "x10^9/L", "months", "years", "day", "{open", "a{b{c}}", "{a b}", " mm"])
def test_what_is_not_in_the_table_is_no_unit(code: str) -> None:
    assert unit(code) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("IU/L", "[IU]/L"),
        ("iu/l", "[IU]/L"),
        ("[iU]/L", "[IU]/L"),
        ("mIU/mL", "m[IU]/mL"),
        ("µIU/ml", "u[IU]/mL"),
        ("KIU/L", "k[IU]/L"),
        ("EU/kg/h", "[EU]/kg/h"),
        ("x10^9/L", "10*9/L"),
        ("×10⁹/L", "10*9/L"),
        ("10^9/L", "10*9/L"),
        ("10E9/L", "10*9/L"),
        ("1e6/kg", "10*6/kg"),
        ("10^6 cells/kg", "10*6/kg"),
        ("G/L", "10*9/L"),
        ("K/uL", "10*3/uL"),
        ("10^3/µL", "10*3/uL"),
        ("cells/uL", "/uL"),
        ("cells/kg", "{cells}/kg"),
        ("oocytes", "{oocytes}"),
        ("kg/m²", "kg/m2"),
        ("kg/m^2", "kg/m2"),
        ("mmHg", "mm[Hg]"),
        ("mm Hg", "mm[Hg]"),
        ("µg/L", "ug/L"),
        ("μmol/L", "umol/L"),
        ("mcg/kg", "ug/kg"),
        ("ng/ml", "ng/mL"),
        ("ng per mL", "ng/mL"),
        ("mg/DL", "mg/dL"),
        ("°C", "Cel"),
        ("℃", "Cel"),
        ("Gy*cm2", "Gy.cm2"),
        ("mL/min/1.73m2", "mL/min/{1.73_m2}"),
        ("kDa", "kg/mol"),
        ("mm", "mm"),
    ],
)
def test_what_people_type_is_answered_with_what_ucum_writes(typed: str, meant: str) -> None:
    assert nearest_unit(typed) == meant


@pytest.mark.parametrize("typed", ["", "day", "months", "years", "岁", "bananas", "lb", "mosm/kg"])
def test_no_unit_is_suggested_for_what_resembles_none(typed: str) -> None:
    assert nearest_unit(typed) is None


@given(st.text(max_size=20))
def test_a_suggestion_is_always_a_unit(typed: str) -> None:
    suggestion = nearest_unit(typed)
    assert suggestion is None or unit(suggestion) is not None


def test_a_quantity_prints_as_a_person_writes_it() -> None:
    assert str(Quantity(Decimal("5.80"), of("mm"))) == "5.8 mm"
    assert str(Quantity(Decimal("1E+6"), of("/kg"))) == "1000000 /kg"
    assert str(Quantity(Decimal(12), COUNT)) == "12"


def test_the_table_is_what_the_script_writes() -> None:
    assert script.TABLE.read_text("utf-8") == script.source()
    assert script.BASES == BASES


@pytest.mark.filterwarnings("ignore")
def test_every_scale_agrees_with_pint(ucum: Any) -> None:
    for code in _readable_by_pint():
        ours = of(code)
        theirs = ucum.from_ucum(code).to_base_units()
        # pint's base of mass is the kilogram
        scale = float(ours.scale) / 1000 ** ours.dimension[BASES.index("g")]
        # pint takes mercury and water at 4 degrees from the CGPM, UCUM from its own table
        tolerance = 1e-4 if "[H" in code else 1e-9
        assert theirs.magnitude == pytest.approx(scale, rel=tolerance), code


@pytest.mark.filterwarnings("ignore")
def test_two_units_compare_exactly_where_pint_lets_them(ucum: Any) -> None:
    codes = [code for code in _readable_by_pint() if "[IU]" not in code]  # a number in UCUM and pint
    theirs = {code: ucum.from_ucum(code).dimensionality for code in codes}
    for a in codes:
        for b in codes:
            assert same_dimension(of(a), of(b)) == (theirs[a] == theirs[b]), (a, b)


def _readable_by_pint() -> list[str]:
    # [EU] is the Ehrlich unit there, an annotation is no quantity, an offset is no factor
    return [code for code in known_units() if "[EU]" not in code and "{" not in code and code != "Cel"]


@pytest.fixture(scope="module")
def ucum() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()


def test_the_package_loads_no_unit_library() -> None:
    probe = "import sys, trialwright.core.units; print({'pint', 'ucumvert', 'difflib'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
