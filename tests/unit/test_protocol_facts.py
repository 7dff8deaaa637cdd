"""Facts files, entered values and cases: what people write down is read, or answered with a finding on its line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.protocols import FOLDERS, protocol_of
from trialwright.core.finding import Finding, Grade, mend, says
from trialwright.core.interval import INFINITY, Interval, point
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.core.units import unit
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value
from trialwright.language.vocabulary import Item
from trialwright.protocol.cases import run_cases
from trialwright.protocol.entry import decode, encode, enter
from trialwright.protocol.facts_file import FactsFile, facts_from, read_facts
from trialwright.protocol.marked_yaml import read

PROTOCOL = protocol_of()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_case_of_a_real_protocol_holds(folder: Path) -> None:
    cases, found = run_cases(protocol_of(folder), folder)
    assert [str(one) for one in found] == []
    assert len(cases) >= 15


def _facts(text: str) -> FactsFile:
    marked = read(text, "facts.yaml")
    assert marked.findings == ()
    told = facts_from(PROTOCOL, marked.data, marked.marks, "facts.yaml")
    for one in told.findings:
        assert says(one)
        assert mend(one)
    return told


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("date: 2026-02-30", "fact_unreadable", 1),
        ("date: {a: 1}", "fact_unreadable", 1),
        ("dates: 2026-02-03", "fact_unknown", 1),
        ("facts: [afc, 5]", "fact_unreadable", 1),
        ("facts:\n  afcs: 5", "fact_unknown", 2),
        ("facts:\n  husband.karyotype: normal", "fact_unknown", 2),
        ("facts:\n  partner.amh: 5 ng/mL", "fact_unknown", 2),
        ("facts:\n  afc: many", "fact_unreadable", 2),
        ("facts:\n  afc: 5.5", "fact_unreadable", 2),
        ("facts:\n  afc: -5", "value_impossible", 2),
        ("facts:\n  afc: 121", "value_impossible", 2),
        ("facts:\n  fsh:\n    value: 5 [IU]/L\n    cycle_day: -3", "value_impossible", 4),
        ("facts:\n  amh: 200 ng/mL", "value_impossible", 2),
        ("records:\n  embryo:\n    - {day: -1}", "value_impossible", 3),
        ("date: 2026-03-09\nfacts:\n  birth_date: 2026-04", "birth_ahead", 3),
        ("date: 2026-03-09\nfacts:\n  birth_date: 2031", "birth_ahead", 3),
        ("facts:\n  afc: 1e999999999", "fact_unreadable", 2),
        ("facts:\n  afc: [1, [2]]", "fact_unreadable", 2),
        ("facts:\n  amh: 5", "fact_unit", 2),
        ("facts:\n  amh: 5 mg", "fact_unit", 2),
        ("facts:\n  amh: 5 nanograms", "fact_unit", 2),
        ("facts:\n  amh: {date: 2026-01-01}", "fact_unreadable", 2),
        ("facts:\n  amh: 1.2.3 ng/mL", "fact_unreadable", 2),
        ("facts:\n  amh:", "fact_unreadable", 2),
        ("facts:\n  hbsag: neagtive", "fact_unreadable", 2),
        ("facts:\n  hydrosalpinx: maybe", "fact_unreadable", 2),
        ("facts:\n  birth_date: 1994-13", "fact_unreadable", 2),
        ("facts:\n  age: 30", "fact_unreadable", 2),
        ("facts:\n  fsh:\n    value: 5 [IU]/L\n    cicle_day: 3", "attribute_unknown", 4),
        ("facts:\n  fsh:\n    value: 5 [IU]/L\n    cycle_day: x", "fact_unreadable", 4),
        ("facts:\n  fsh:\n    value: 5 [IU]/L\n    date: soon", "fact_unreadable", 4),
        ("facts:\n  lh: {value: '5 [IU]/L', normal: '9..1 [IU]/L'}", "range_empty", 2),
        ("facts:\n  lh: {value: '5 [IU]/L', normal: about 5}", "fact_unreadable", 2),
        ("records: 5", "fact_unreadable", 1),
        ("records:\n  embrio: []", "fact_unknown", 2),
        ("records:\n  embryo: [5]", "fact_unreadable", 2),
        ("records:\n  embryo:\n    - {day: 5}\n    - {dya: 5}", "field_unknown", 4),
        ("records:\n  embryo:\n    - {day: five}", "fact_unreadable", 3),
        ("records:\n  embryo:\n    - {date: never}", "fact_unreadable", 3),
        ("records:\n  embryo:\n    - {of: c9, day: 5}", "fact_unknown", 3),
        ("records:\n  embryo:\n    - {id: a}\n    - {id: a}", "key_repeated", 4),
        ("closed: [embrio]", "fact_unknown", 1),
        ("closed: embryo", "fact_unreadable", 1),
        ("closed:\n  embryo: never", "fact_unreadable", 2),
        ("anchors:\n  infussion: 2026-01-01", "fact_unknown", 2),
        ("anchors:\n  infusion: 2026-01-32", "fact_unreadable", 2),
        ("just text", "fact_unreadable", 1),
    ],
)
def test_a_slip_in_a_facts_file_is_a_finding_on_its_line(text: str, code: str, line: int) -> None:
    found = _facts(text).findings
    assert (code, line) in [(one.code, one.where.line) for one in found], found


@pytest.mark.parametrize(
    ("text", "says_also"),
    [
        ("facts:\n  afc: 60", "60 lies outside the plausible 0 to 40 1."),
        ("facts:\n  amh: 20 ng/mL", "In ng/dL it would be plausible; was the unit mistaken?"),
        ("facts:\n  afc: 12", ""),
        ("facts:\n  amh: <0.16 ng/mL", ""),
        ("date: 2026-03-09\nfacts:\n  birth_date: 2026", ""),
    ],
)
def test_an_odd_value_in_a_facts_file_is_a_warning_and_is_used(text: str, says_also: str) -> None:
    told = _facts(text)
    assert [(one.code, one.grade) for one in told.findings] == (
        [("query_implausible", Grade.WARNING)] if says_also else []
    )
    assert says_also in "".join(says(one) for one in told.findings)
    assert any(told.facts.observations.values())


def test_a_woman_cannot_be_asked_about_before_her_birth(tmp_path: Path) -> None:
    (tmp_path / "facts.yaml").write_text("date: 2026-03-09\nfacts: {birth_date: 1990-05}\n", "utf-8")
    assert read_facts(PROTOCOL, tmp_path / "facts.yaml").findings == []
    early = read_facts(PROTOCOL, tmp_path / "facts.yaml", partial_date("1990-04"))
    assert [one.code for one in early.findings] == ["birth_ahead"]


def test_a_facts_file_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\x00")
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    assert [one.code for one in read_facts(PROTOCOL, tmp_path / "none.yaml").findings] == ["file_missing"]
    assert [one.code for one in read_facts(PROTOCOL, tmp_path).findings] == ["file_unreadable"]
    assert [one.code for one in read_facts(PROTOCOL, tmp_path / "binary.yaml").findings] == ["file_unreadable"]
    assert [one.code for one in read_facts(PROTOCOL, tmp_path / "broken.yaml").findings] == ["yaml_broken"]


def test_a_field_may_be_told_later_than_its_record() -> None:
    told = _facts("records:\n  transfer:\n    - {date: 2026-01-01, embryos: 1, sacs: {value: 1, date: 2026-01-27}}")
    fields = told.facts.records["transfer"][0].fields
    assert (str(fields["embryos"].date), str(fields["sacs"].date)) == ("2026-01-01", "2026-01-27")


_TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["5", "<5", "5 ng/mL", "<=0.1 ng/mL", ">", "< ng/mL", "-5", "1e3 ng/mL", "yes", "2026-02-29", "%"]),
    st.from_regex(r"[<>]?=?-?[0-9]{1,4}(\.[0-9]{0,3})?([eE][-+]?[0-9]{1,9})? ?[a-zA-Z/\[\]]{0,6}", fullmatch=True),
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*PROTOCOL.vocabulary.items.values()]), _TEXTS)
def test_anything_typed_is_a_value_or_a_finding_and_survives_the_ledger(item: Item, text: str) -> None:
    entered = enter(item, text)
    if isinstance(entered, Finding):
        assert says(entered)
        assert mend(entered)
    else:
        assert decode(encode(entered.value, entered.text)) == entered.value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Amount(point(Decimal("0.62"))), "0.62 ng/mL"),
        (Amount(point(Decimal("-3E+5"))), "-3e5"),
        (Amount(Interval(Decimal(0), Decimal("0.16"), high_open=True)), "<0.16"),
        (Amount(Interval(Decimal(20), INFINITY, low_open=True)), ">20"),
        (Amount(Interval(-INFINITY, Decimal("-2"), high_open=True)), "<-2"),
        (Kinds(frozenset({"a", "b"})), "a or b"),
        (Answer(Truth.NO), "no"),
        (Moment(partial_date("1994-05").earliest, partial_date("1994-05").latest), "1994-05"),
    ],
)
def test_what_is_encoded_is_decoded_the_same(value: Value, text: str) -> None:
    encoded = encode(value, text)
    assert encoded["entered"] == text
    assert decode(encoded) == value


@pytest.mark.parametrize(
    ("text", "negative", "expected"),
    [
        ("<5 mmol/L", False, "[0, 5)"),
        ("<5 mmol/L", True, "(-∞, 5)"),
        ("<-5 mmol/L", True, "(-∞, -5)"),
        ("<=0 mmol/L", False, "0"),
        (">= 5 mmol/L", False, "[5, ∞)"),
        ("> 5mmol/L", False, "(5, ∞)"),
        ("5000 umol/L", False, "5"),
    ],
)
def test_a_result_beyond_a_limit_is_what_may_lie_behind_it(text: str, negative: bool, expected: str) -> None:
    mmol = unit("mmol/L")
    assert mmol is not None
    entered = enter(Item("x", "quantity", mmol, negative=negative), text)
    assert not isinstance(entered, Finding)
    assert isinstance(entered.value, Amount)
    assert str(entered.value.interval) == expected


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("fits: {date: 2026-01-01, expected: eligible}", "case_differs", "undetermined"),
        ("a: {date: 2026-01-01, expected: undetermined, why: [I2]}", "case_reasons", "I2"),
        ("a: {expected: undetermined}", "case_unreadable", "no `date`"),
        ("a: {date: 2026-01-01}", "case_differs", "undetermined"),
        ("a: 5", "case_unreadable", "not a table"),
        ("[a, b]", "case_unreadable", "not a table"),
        ("a: {like: b, expected: eligible}", "case_unreadable", "no case `b`"),
        ("a: {like: b}\nb: {like: a}", "case_unreadable", "no `date`"),
        ("a: {date: 2026-01-01, expected: undetermined, fact: {}}", "fact_unknown", "fact"),
        ("a: {date: 2026-01-01, expected: undetermined, facts: {aft: 5}}", "fact_unknown", "aft"),
        ("a: {date: 2026-01-01", "yaml_broken", ""),
        ("a: {date: 2026-01-01}\na: {date: 2026-01-01}", "key_repeated", "a"),
    ],
)
def test_a_case_that_cannot_hold_is_a_finding(tmp_path: Path, text: str, code: str, words: str) -> None:
    (tmp_path / "cases.yaml").write_text(text, encoding="utf-8")
    _, found = run_cases(PROTOCOL, tmp_path)
    assert code in [one.code for one in found], found
    assert any(words in str(one) and one.code == code for one in found)
    assert all(one.where.file == "cases.yaml" for one in found)


def test_cases_that_are_no_text_are_a_finding(tmp_path: Path) -> None:
    (tmp_path / "cases.yaml").write_bytes(b"\xff\x00")
    assert [one.code for one in run_cases(PROTOCOL, tmp_path)[1]] == ["file_unreadable"]
    assert run_cases(PROTOCOL, tmp_path / "nowhere") == ([], [])
