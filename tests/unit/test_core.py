"""What everything rests on: findings and their languages, identifiers, ends of intervals, dates known in part."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trialwright.core.finding import finding, languages, mend, says, text, unreadable
from trialwright.core.hidden import escaped, hidden_in, may_hide, visible
from trialwright.core.identifier import identifier
from trialwright.core.interval import INFINITY, Interval, contains, divide, less, multiply, number, plain, point
from trialwright.core.partial_date import add_months, completed_years, is_day, partial_date
from trialwright.core.truth import Truth
from trialwright.core.units import COUNT, understood, unit

# ---------------------------------------------------------------- findings


def test_a_finding_reads_as_its_two_sentences() -> None:
    found = finding("file_missing", path="trial.yaml")
    assert str(found) == text(found) == f"{says(found)} {mend(found)}"


def test_english_is_always_there_and_stands_in_for_a_language_without_messages() -> None:
    assert languages()[0] == "en"
    assert len(set(languages())) == len(languages())
    found = finding("file_missing", path="trial.yaml")
    assert says(found, "tlh") == says(found)
    assert mend(found, "tlh") == mend(found)


# ---------------------------------------------------------------- identifiers


@pytest.mark.parametrize("name", ["P-007", "7", "lot_3.a", "a" * 64])
def test_an_identifier_is_kept_as_it_is(name: str) -> None:
    assert identifier(name) == name


@pytest.mark.parametrize("name", ["", "-7", "Anna Müller", "a b", "a/b", "a\n", "a" * 65])
def test_what_could_be_a_name_or_a_path_is_no_identifier(name: str) -> None:
    with pytest.raises(ValueError, match="is not an identifier"):
        identifier(name)


# ---------------------------------------------------------------- intervals


def test_an_interval_holds_something() -> None:
    for low, high, opens in ((2, 1, ()), (1, 1, (True, False)), (1, 1, (False, True))):
        with pytest.raises(ValueError, match="no value lies between"):
            Interval(Decimal(low), Decimal(high), *opens)
    with pytest.raises(ValueError, match="undefined end"):
        Interval(Decimal("NaN"), Decimal(1))
    with pytest.raises(ValueError, match="undefined end"):
        Interval(Decimal(0), Decimal("NaN"))


@pytest.mark.parametrize(
    ("interval", "written"),
    [
        (point(Decimal("5.80")), "5.8"),
        (Interval(Decimal(0), Decimal(1)), "[0, 1]"),
        (Interval(Decimal(0), Decimal(1), True, False), "(0, 1]"),
        (Interval(Decimal(0), INFINITY), "[0, ∞)"),
        (Interval(-INFINITY, Decimal("1e2"), high_open=True), "(-∞, 100)"),
    ],
)
def test_an_interval_is_written_with_its_ends(interval: Interval, written: str) -> None:
    assert str(interval) == written


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (" 5.80 ", "5.80"),
        ("1e6", "1E+6"),
        ("-3", "-3"),
        ("1e99", "1E+99"),
        ("1e100", None),
        ("1e-99", "1E-99"),
        ("1e-100", None),
        ("about 5", None),
        ("", None),
        ("NaN", None),
        ("Infinity", None),
    ],
)
def test_a_number_is_what_an_instrument_could_give(typed: str, read: str | None) -> None:
    assert number(typed) == (None if read is None else Decimal(read))


@pytest.mark.parametrize(
    ("written", "value", "inside"),
    [("[0, 1]", 0, True), ("[0, 1]", 1, True), ("(0, 1)", 0, False), ("(0, 1)", 1, False), ("(0, 1)", "0.5", True)],
)
def test_an_open_end_is_left_out(written: str, value: str | int, inside: bool) -> None:
    interval = Interval(Decimal(0), Decimal(1), written[0] == "(", written[-1] == ")")
    assert contains(interval, Decimal(value)) is inside


def test_two_that_touch_at_an_open_end_do_not_meet() -> None:
    below, above = Interval(Decimal(0), Decimal(1), high_open=True), Interval(Decimal(1), Decimal(2))
    assert less(below, above) is Truth.YES
    assert less(above, below) is Truth.NO
    assert less(Interval(Decimal(0), Decimal(1)), above) is Truth.UNKNOWN
    assert less(Interval(Decimal(0), Decimal(1)), Interval(Decimal(1), Decimal(2), True)) is Truth.YES


@pytest.mark.parametrize(
    ("one", "other", "product"),
    [
        (("(0, 2)"), ("[3, 4]"), "(0, 8)"),
        (("[0, 2)"), ("[3, 4]"), "[0, 8)"),
        (("[0, 2)"), ("(3, 4]"), "[0, 8)"),
        (("(0, 2]"), ("[3, 4]"), "(0, 8]"),
        (("[0, 0]"), ("[3, inf)"), "0"),
        (("(0, 1]"), ("[3, inf)"), "(0, ∞)"),
        (("(-1, 2]"), ("[-3, 1)"), "[-6, 3)"),
    ],
)
def test_an_end_of_a_product_is_closed_where_one_pair_reaches_it(one: str, other: str, product: str) -> None:
    assert str(multiply(_read(one), _read(other))) == product


@pytest.mark.parametrize(
    ("one", "other", "quotient"),
    [
        ("[1, 2]", "(0, 4]", "[0.25, ∞)"),
        ("[1, 2]", "[-4, 0)", "(-∞, -0.25]"),
        ("[-2, 1)", "(0, 4]", "(-∞, ∞)"),
        ("[0, 1]", "[2, inf)", "[0, 0.5]"),
        ("[1, 2]", "[2, inf)", "(0, 1]"),
        ("(0, 1]", "[2, 4)", "(0, 0.5]"),
        ("[1, 2]", "[0, 4]", "None"),
        ("[1, 2]", "[-4, 0]", "None"),
        ("[1, 2]", "(-4, 4)", "None"),
    ],
)
def test_a_quotient_is_as_wide_as_its_divisor_allows(one: str, other: str, quotient: str) -> None:
    assert str(divide(_read(one), _read(other))) == quotient


def _read(written: str) -> Interval:
    low, high = written[1:-1].split(", ")
    return Interval(Decimal(low), Decimal(high), written[0] == "(", written[-1] == ")")


def test_a_number_is_written_without_exponent_and_without_needless_zeros() -> None:
    assert [plain(Decimal(x)) for x in ("5.80", "1E+2", "0.00", "100", "-Infinity")] == ["5.8", "100", "0", "100", "-∞"]


# ---------------------------------------------------------------- dates


@pytest.mark.parametrize("typed", ["", "9 March 2026", "2026-3-9", "2026-03-09 14:05", "26"])
def test_what_is_no_date_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="is not a date like"):
        partial_date(typed)


@pytest.mark.parametrize("typed", ["2026-00", "2026-13"])
def test_a_year_has_twelve_months(typed: str) -> None:
    with pytest.raises(ValueError, match="has no month"):
        partial_date(typed)


@pytest.mark.parametrize(
    ("typed", "earliest", "latest", "day"),
    [
        ("2024-02", "2024-02-01 00:00:00", "2024-02-29 23:59:00", False),
        ("2026-12", "2026-12-01 00:00:00", "2026-12-31 23:59:00", False),
        ("2026-01", "2026-01-01 00:00:00", "2026-01-31 23:59:00", False),
        ("2026", "2026-01-01 00:00:00", "2026-12-31 23:59:00", False),
        ("2026-03-09", "2026-03-09 00:00:00", "2026-03-09 23:59:00", True),
        ("2026-03-09T14:05", "2026-03-09 14:05:00", "2026-03-09 14:05:00", True),
    ],
)
def test_a_date_is_every_moment_that_it_may_mean(typed: str, earliest: str, latest: str, day: bool) -> None:
    found = partial_date(typed)
    assert (str(found.earliest), str(found.latest)) == (earliest, latest)
    assert is_day(found) is day


def test_a_month_is_added_and_clamped_to_the_end_of_the_month() -> None:
    january = partial_date("2024-01-31").earliest.date()
    assert [str(add_months(january, months)) for months in (1, 13, -1, -11, 12, 0)] == [
        "2024-02-29", "2025-02-28", "2023-12-31", "2023-02-28", "2025-01-31", "2024-01-31",
    ]  # fmt: skip


def test_a_birthday_on_a_leap_day_is_the_first_of_march_in_other_years() -> None:
    born = partial_date("2004-02-29").earliest.date()
    days = ("2026-02-28", "2026-03-01", "2028-02-28", "2028-02-29")
    assert [completed_years(born, partial_date(day).earliest.date()) for day in days] == [21, 22, 23, 24]


# ---------------------------------------------------------------- units


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("IU/L", "[IU]/L"), ("x10^9/L", "10*9/L"), ("kg/m²", "kg/m2"), ("[IU]/L", "[IU]/L"), ("cells/uL", "/uL")],
)
def test_a_spelling_that_can_mean_nothing_else_is_understood(typed: str, meant: str) -> None:
    found = understood(typed)
    assert found is not None
    assert str(found) == meant


@pytest.mark.parametrize("typed", ["kilo", "G/L?", "months", "mmol per litre or so"])
def test_what_would_have_to_be_guessed_is_not(typed: str) -> None:
    assert understood(typed) is None


def test_a_count_has_the_unit_one() -> None:
    assert str(COUNT) == "1"
    assert unit("1") == COUNT


def test_a_unit_is_looked_up_by_its_code() -> None:
    assert {unit("mL"): "a volume"}[unit("mL")] == "a volume"


# ---------------------------------------------------------------- files and hidden characters


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (FileNotFoundError(2, "No such file or directory"), "No such file or directory"),
        (OSError(), "the system does not give it"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "it is not UTF-8 text"),
    ],
)
def test_why_a_file_cannot_be_read_is_told_in_our_words(wrong: OSError | UnicodeError, why: str) -> None:
    assert unreadable(wrong) == why


@pytest.mark.parametrize(
    ("text", "hidden", "shown"),
    [
        ("10 mg", [], "10 mg"),
        ("10\tmg\n", [], "10\tmg\n"),
        ("10 mg\u202egm 01", ["U+202E"], "10 mg⟨U+202E⟩gm 01"),
        ("a\x07b\x07", ["U+0007"], "a⟨U+0007⟩b⟨U+0007⟩"),
        ("é\x85", ["U+0085"], "é⟨U+0085⟩"),
        ("内膜", [], "内膜"),
    ],
)
def test_a_hidden_character_is_named_and_shown(text: str, hidden: list[str], shown: str) -> None:
    assert hidden_in(text) == hidden
    assert visible(text) == shown
    assert may_hide(text) or not [one for one in hidden if one > "U+007F"]


def test_json_names_a_hidden_character_by_its_number() -> None:
    assert escaped('"a\u202eb"') == '"a\\u202eb"'
    assert not may_hide("é")
