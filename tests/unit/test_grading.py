"""Adverse events are graded by rules over values and facts; what is not known leaves grades possible.

The list of terms of CTCAE v5 stands beside the repository, in ../shared/standards; without it the tests that compare
our rules with it are skipped.
"""

import csv
import itertools
import re
import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.core.finding import Refused, says
from trialwright.core.interval import WHOLE_LINE, Interval, point
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.language.facts import Observation
from trialwright.language.values import Amount, Answer, Kinds, Value
from trialwright.protocol.entry import Entered, enter
from trialwright.protocol.grading import (
    KIND,
    PACKS,
    Graded,
    GradedTerm,
    GradingPack,
    grade_refused,
    graded,
    grading_pack,
    read_pack,
    totals,
)
from trialwright.protocol.listed_terms import ListedTerm, TermList, load_terms

ROOT = Path(__file__).parents[2]
LIST = ROOT.parent / "shared" / "standards" / "ctcae_v5_terms.csv"
with_the_list = pytest.mark.skipif(not LIST.exists(), reason=f"the list of terms of CTCAE v5 is not at {LIST}")
DAY = partial_date("2026-03-09")

TERMS = [(name, term) for name in PACKS for term in grading_pack(name).terms]
LISTED = [term for term in grading_pack("CTCAE v5").terms.values() if term.listed]


def observed(pack: GradingPack, told: dict[str, str]) -> dict[str, Observation]:
    items = pack.vocabulary.records[KIND].fields
    read = {name: enter(items[name], text) for name, text in told.items()}
    assert all(isinstance(one, Entered) for one in read.values()), read
    return {
        name: Observation(one.value, DAY, entered=one.text) for name, one in read.items() if isinstance(one, Entered)
    }


def grade_of(pack: str, term: str, told: str) -> Graded:
    """What is told is written as `temperature 39.1 Cel; died no`."""
    facts = dict(part.strip().split(" ", 1) for part in told.split(";") if part.strip())
    return graded(grading_pack(pack), term, observed(grading_pack(pack), facts), DAY)


def grades(text: str) -> frozenset[int]:
    return frozenset(int(one) for one in text.split())


@pytest.mark.parametrize(
    ("told", "possible"),
    [
        ("temperature 37.9 Cel; died no", ""),
        ("temperature 38.0 Cel; died no", "1"),
        ("temperature 39.0 Cel; died no", "1"),
        ("temperature 39.1 Cel; died no", "2"),
        ("temperature 40.0 Cel; died no", "2"),
        ("temperature 40.1 Cel; hours_above_40 20 h; died no", "3"),
        ("temperature 40.1 Cel; hours_above_40 24 h; died no", "3"),
        ("temperature 40.1 Cel; hours_above_40 25 h; died no", "4"),
        ("temperature 40.1 Cel; hours_above_40 1.5 d; died no", "4"),
        ("temperature 40.1 Cel; died no", "3 4"),
        ("temperature >39.5 Cel; died no", "2 3 4"),
        ("temperature 38.5 Cel", "1 5"),
        ("temperature 38.5 Cel; died yes", "5"),
        ("hours_above_40 20 h; died no", "1 2 3"),
        ("", "1 2 3 4 5"),
    ],
)
def test_fever(told: str, possible: str) -> None:
    assert grade_of("CTCAE v5", "fever", told).possible == grades(possible)


_USUAL = "creatinine_upper_limit 84 umol/L"


@pytest.mark.parametrize(
    ("term", "told", "possible"),
    [
        ("platelets_decreased", "platelets 125 10*9/L; platelets_lower_limit 125 10*9/L", ""),
        ("platelets_decreased", "platelets 124 10*9/L; platelets_lower_limit 125 10*9/L", "1"),
        ("platelets_decreased", "platelets 75 10*9/L; platelets_lower_limit 125 10*9/L", "1"),
        ("platelets_decreased", "platelets 74 10*9/L", "2"),
        ("platelets_decreased", "platelets 50 10*9/L", "2"),
        ("platelets_decreased", "platelets 49 10*9/L", "3"),
        ("platelets_decreased", "platelets 25 10*9/L", "3"),
        ("platelets_decreased", "platelets 24.9 10*9/L", "4"),
        ("platelets_decreased", "platelets 110 10*9/L", "1"),  # or none: the limit is not known
        ("anaemia", "haemoglobin 9.9 g/dL; transfusion no; life_threatening no; urgent_intervention no; died no", "2"),
        ("anaemia", "haemoglobin 85 g/L; transfusion yes; life_threatening no; urgent_intervention no; died no", "3"),
        ("alt_increased", "alt 120 U/L; alt_upper_limit 40 U/L; alt_baseline 30 U/L", "1"),
        ("alt_increased", "alt 121 U/L; alt_upper_limit 40 U/L; alt_baseline 30 U/L", "2"),
        ("alt_increased", "alt 201 U/L; alt_upper_limit 40 U/L; alt_baseline 40 U/L", "3"),
        ("alt_increased", "alt 801 U/L; alt_upper_limit 40 U/L; alt_baseline 40 U/L", "4"),
        ("alt_increased", "alt 89 U/L; alt_upper_limit 40 U/L; alt_baseline 60 U/L", ""),
        ("alt_increased", "alt 90 U/L; alt_upper_limit 40 U/L; alt_baseline 60 U/L", "1"),
        ("alt_increased", "alt 180 U/L; alt_upper_limit 40 U/L; alt_baseline 60 U/L", "1"),
        ("alt_increased", "alt 181 U/L; alt_upper_limit 40 U/L; alt_baseline 60 U/L", "2"),
        ("alt_increased", "alt 181 U/L; alt_upper_limit 40 U/L", "1 2"),  # no baseline was taken
        ("alt_increased", "alt 40 U/L; alt_upper_limit 40 U/L", ""),
        ("creatinine_increased", f"creatinine 90 umol/L; {_USUAL}; creatinine_baseline 70 umol/L", "1"),
        ("creatinine_increased", f"creatinine 80 umol/L; {_USUAL}; creatinine_baseline 50 umol/L", "2"),
        ("creatinine_increased", f"creatinine 151 umol/L; {_USUAL}; creatinine_baseline 50 umol/L", "3"),
        ("creatinine_increased", f"creatinine 6 mg/dL; {_USUAL}; creatinine_baseline 50 umol/L", "4"),
    ],
)  # fmt: skip
def test_laboratory_values_are_graded_at_the_limits(term: str, told: str, possible: str) -> None:
    assert grade_of("CTCAE v5", term, told).possible == grades(possible)


_CALM = "prolonged no; recurred no; hospitalised no; urgent_intervention no; life_threatening no; died no"
_SAFE = "urgent_intervention no; life_threatening no; died no"


@pytest.mark.parametrize(
    ("term", "told", "possible"),
    [
        ("infusion_reaction", f"interrupted no; treated no; {_CALM}", "1"),
        ("infusion_reaction", f"interrupted yes; treated no; {_CALM}", "2"),
        ("infusion_reaction", f"interrupted no; {_CALM}", "1 2"),
        ("infusion_reaction", f"interrupted yes; recurred yes; {_SAFE}", "3"),
        ("infusion_reaction", f"interrupted yes; {_SAFE}", "2 3"),
        ("infusion_reaction", "life_threatening yes; died no", "4"),
        ("allergic_reaction", f"systemic_treatment none; bronchospasm no; hospitalised no; {_SAFE}", "1"),
        ("allergic_reaction", f"systemic_treatment oral; bronchospasm no; hospitalised no; {_SAFE}", "2"),
        ("allergic_reaction", f"systemic_treatment oral; bronchospasm yes; hospitalised no; {_SAFE}", "3"),
        ("anaphylaxis", f"hypotension yes; {_SAFE}", "3"),
        ("anaphylaxis", f"systemic_treatment oral; bronchospasm no; oedema no; hypotension no; {_SAFE}", ""),
        ("thromboembolic_event", f"treated yes; {_SAFE}", "2"),
        ("thromboembolic_event", "treated yes; urgent_intervention yes; life_threatening yes; died no", "3 4"),
        ("haematoma", f"aspirated no; transfusion no; invasive_intervention no; {_SAFE}", "1"),
        ("haematoma", f"aspirated yes; transfusion yes; {_SAFE}", "3"),
        ("nausea", "oral_intake usual; tube_feeding no; hospitalised no", "1"),
        ("nausea", "oral_intake decreased; tube_feeding no; hospitalised no", "2"),
        ("nausea", "oral_intake decreased; tube_feeding no; hospitalised yes", "3"),
        ("headache", "severity mild; limits nothing", "1"),
        ("headache", "severity mild; limits instrumental", "2"),
        ("headache", "severity mild", "1 2 3"),
        ("breast_pain", "severity severe", "3"),
        ("pelvic_pain", "severity moderate; limits nothing", "2"),
        ("fatigue", "relieved_by_rest yes; limits nothing", "1"),
        ("fatigue", "relieved_by_rest no; limits self_care", "3"),
        ("chills", "severity mild; opioids yes; prolonged no", "2"),
        ("other", f"severity mild; limits nothing; treated no; hospitalised yes; {_SAFE}", "3"),
        ("premature_delivery", "live_born yes; gestational_days 260", ""),
        ("premature_delivery", "live_born yes; gestational_days 259", "1"),
        ("premature_delivery", "live_born yes; gestational_days 238", "2"),
        ("premature_delivery", "live_born yes; gestational_days 197", "2"),
        ("premature_delivery", "live_born yes; gestational_days 196", "3"),
        ("premature_delivery", "live_born yes; gestational_days 169", "3"),
        ("premature_delivery", "live_born yes; gestational_days 168", "4"),
        ("premature_delivery", "live_born no; gestational_days 168", ""),
        ("pregnancy_loss", "", "4"),
    ],
)
def test_facts_are_graded(term: str, told: str, possible: str) -> None:
    assert grade_of("CTCAE v5", term, told).possible == grades(possible)


@pytest.mark.parametrize(
    ("told", "possible", "names"),
    [
        ("distension yes; upset_stomach no", "1", "mild"),
        ("distension yes; upset_stomach yes; ovary_diameter 4 cm", "1", "mild"),
        ("distension yes; upset_stomach yes; ovary_diameter 60 mm", "2", "mild"),
        ("distension yes; upset_stomach yes; ovary_diameter 6 cm; ascites_on_ultrasound yes", "3", "moderate"),
        ("distension yes; hydrothorax yes", "4", "severe"),
        ("distension yes; renal_impairment yes", "5", "severe"),
    ],
)
def test_ovarian_hyperstimulation_after_golan(told: str, possible: str, names: str) -> None:
    signs = [name for name, part in grading_pack("Golan 1989").fields.items() if part.is_ == "yes_no"]
    absent = "; ".join(f"{name} no" for name in signs if name not in told)
    found = grade_of("Golan 1989", "ovarian_hyperstimulation", f"{told}; {absent}")
    assert found.possible == grades(possible)
    classes = grading_pack("Golan 1989").terms["ovarian_hyperstimulation"].classes
    assert [name for name, one in classes.items() if found.certain in one.grades] == [names]


@pytest.mark.parametrize(
    ("told", "possible"),
    [
        ("adhesion_extent under_a_third; adhesion_type filmy; menses normal", "1"),  # 2
        ("adhesion_extent under_a_third; adhesion_type filmy; menses hypomenorrhoea", "1"),  # 4
        ("adhesion_extent a_third_to_two_thirds; adhesion_type filmy; menses hypomenorrhoea", "2"),  # 5
        ("adhesion_extent over_two_thirds; adhesion_type dense; menses normal", "2"),  # 8
        ("adhesion_extent over_two_thirds; adhesion_type filmy; menses amenorrhoea", "3"),  # 9
        ("adhesion_extent over_two_thirds; adhesion_type dense; menses amenorrhoea", "3"),  # 12
        ("adhesion_extent over_two_thirds; adhesion_type dense", "2 3"),  # 8, 10 or 12
        ("adhesion_extent under_a_third", "1 2 3"),
        ("afs_score 9", "3"),
        ("afs_score 1", ""),
        ("afs_score 11", ""),
        ("afs_score >10", "3"),
        ("afs_score 10; adhesion_extent over_two_thirds", "3"),
        ("afs_score 12; adhesion_extent under_a_third", ""),
        ("", "1 2 3"),
    ],
)
def test_adhesions_are_staged_by_the_sum_of_three_items(told: str, possible: str) -> None:
    assert grade_of("AFS 1988", "intrauterine_adhesions", told).possible == grades(possible)


def test_totals_of_1_and_11_cannot_occur() -> None:
    assert totals(grading_pack("AFS 1988").scores["afs_score"]) == {2, 3, 4, 5, 6, 7, 8, 9, 10, 12}
    found = grade_of("AFS 1988", "intrauterine_adhesions", "afs_score 11")
    assert found.why == "afs_score: “11” cannot be the sum of adhesion_extent, adhesion_type, menses"
    assert found.applies is Truth.NO


@pytest.mark.parametrize(
    ("told", "possible"),
    [
        ("cavity_involved 10 %; agglutination no; thick_bands no; ostia clear", "1"),
        ("cavity_involved 25 %; agglutination no; thick_bands no; ostia clear", "2"),
        ("cavity_involved 10 %; agglutination no; thick_bands no; ostia partly_occluded", "2"),
        ("cavity_involved 75 %; agglutination no; thick_bands no; ostia clear", "2"),
        ("cavity_involved 76 %", "3"),
        ("cavity_involved 10 %; thick_bands yes", "3"),
        ("cavity_involved 10 %; agglutination no; thick_bands no", "1 2 3"),
    ],
)
def test_adhesions_after_march(told: str, possible: str) -> None:
    assert grade_of("March 1978", "intrauterine_adhesions", told).possible == grades(possible)


def test_what_is_judged_leaves_every_grade_possible() -> None:
    found = grade_of("ESH 1989", "intrauterine_adhesions", "")
    assert found.possible == frozenset(range(1, 8))
    assert found.certain is None
    assert found.why == "intrauterine_adhesions: graded by judgement"


def test_a_grade_is_certain_only_where_its_rule_is_met() -> None:
    assert grade_of("CTCAE v5", "fever", "temperature 39.1 Cel; died no").certain == 2
    unsure = grade_of("CTCAE v5", "platelets_decreased", "platelets 110 10*9/L")
    assert (unsure.possible, unsure.certain, unsure.applies) == (frozenset({1}), None, Truth.UNKNOWN)
    assert unsure.why == "adverse_event.platelets_lower_limit: not recorded"


def test_where_no_grade_applies_the_reason_is_said() -> None:
    found = grade_of("CTCAE v5", "fever", "temperature 37.9 Cel; died no")
    assert (found.possible, found.certain, found.applies) == (frozenset(), None, Truth.NO)
    assert found.why == "fever: what is recorded meets no grade of CTCAE v5"


def test_each_rule_is_explained_with_what_was_recorded() -> None:
    found = grade_of("CTCAE v5", "fever", "temperature 39.1 Cel; died no")
    left, _ = found.explanations[2].parts
    assert [one.entered for one in left.uses] == ["39.1 Cel"]
    assert found.explanations[2].distance == Decimal("0.1")


def test_what_was_recorded_later_is_not_known_yet() -> None:
    pack = grading_pack("CTCAE v5")
    fields = observed(pack, {"temperature": "39.1 Cel", "died": "no"})
    fields["died"].date = partial_date("2026-03-20")
    assert graded(pack, "fever", fields, DAY).possible == {2, 5}
    assert graded(pack, "fever", fields, partial_date("2026-03-20")).possible == {2}
    score = observed(grading_pack("AFS 1988"), {"afs_score": "9"})
    assert graded(grading_pack("AFS 1988"), "intrauterine_adhesions", score, partial_date("2026-03-01")).certain is None


def test_fields_of_other_purposes_are_left_alone() -> None:
    pack = grading_pack("CTCAE v5")
    fields = observed(pack, {"temperature": "39.1 Cel", "died": "no"})
    fields["related"] = Observation(Kinds(frozenset({"possible"})), DAY)
    assert graded(pack, "fever", fields, DAY).certain == 2


@pytest.mark.parametrize("term", ["headache", "alt_increased", "creatinine_increased", "platelets_decreased",
                                  "premature_delivery", "pregnancy_loss", "nausea"])  # fmt: skip
def test_a_term_without_grade_5_refuses_it(term: str) -> None:
    refused = grade_refused(grading_pack("CTCAE v5"), term, 5)
    assert refused is not None
    assert says(refused) == f"In CTCAE v5 the term `{term}` has no grade 5."
    assert grade_refused(grading_pack("CTCAE v5"), term, 4 if term == "pregnancy_loss" else 3) is None


def test_an_unknown_pack_or_term_is_refused_with_the_nearest() -> None:
    with pytest.raises(Refused, match="Did you mean `CTCAE v5`"):
        grading_pack("CTCAE v4")
    with pytest.raises(Refused, match="Did you mean `haematoma`"):
        graded(grading_pack("CTCAE v5"), "hematoma", {}, DAY)
    with pytest.raises(Refused, match="no term `thin_endometrium`"):
        grade_refused(grading_pack("CTCAE v5"), "thin_endometrium", 1)


@pytest.mark.parametrize(("name", "term"), TERMS)
def test_every_term_and_field_is_named_in_both_languages(name: str, term: str) -> None:
    pack = grading_pack(name)
    labels = [pack.label, pack.terms[term].label, *(pack.fields[one].label for one in pack.terms[term].asks)]
    labels += [one.label for one in pack.terms[term].classes.values()]
    assert all(label.en and label.zh for label in labels)
    assert pack.source


@pytest.mark.parametrize("name", PACKS)
def test_every_field_serves_some_term(name: str) -> None:
    pack = grading_pack(name)
    assert set(pack.fields) == {asked for term in pack.terms.values() for asked in term.asks}


@pytest.mark.parametrize(("name", "term"), TERMS)
def test_the_page_names_every_term_and_says_what_is_verified(name: str, term: str) -> None:
    page = (ROOT / "docs" / "grading.md").read_text("utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| {name} | `{term}` |"))
    one = grading_pack(name).terms[term]
    assert row.endswith(f"| {', '.join(map(str, one.grades))} | {one.verified or 'not verified'} |")


# ---------------------------------------------------------------- against the list of terms


@cache
def listed_rows() -> dict[str, dict[str, str]]:
    with LIST.open(encoding="utf-8-sig", newline="") as file:
        return {row["term"]: row for row in csv.DictReader(file)}


@with_the_list
@pytest.mark.parametrize("term", LISTED, ids=lambda term: term.name)
def test_the_list_has_the_term_with_the_same_grades(term: GradedTerm) -> None:
    row = listed_rows()[term.listed]
    assert {grade for grade in range(1, 6) if row[f"grade{grade}"]} == set(term.grades)
    assert row["grade5"] in ("", "Death")


@with_the_list
@pytest.mark.parametrize("term", [term for term in LISTED if term.system], ids=lambda term: term.name)
def test_the_list_has_the_term_in_the_same_system(term: GradedTerm) -> None:
    names = list(listed_rows())
    after = names[names.index(term.listed) :]
    assert next(name for name in after if name.endswith(" - Other, specify")) == f"{term.system} - Other, specify"


@with_the_list
@pytest.mark.parametrize("term", [term for term in LISTED if not term.judgement], ids=lambda term: term.name)
def test_every_number_of_a_rule_stands_in_that_grade_of_the_list(term: GradedTerm) -> None:
    for grade, rule in term.grades.items():
        plain = re.sub(r"10\*9/L|\b\w*_\w*\b", "", rule)  # units and names hold numbers, too
        numbers = {Decimal(one) for one in re.findall(r"\d+(?:\.\d+)?", plain)}
        if term.name == "premature_delivery":
            numbers = {one / 7 for one in numbers}
        cell = listed_rows()[term.listed][f"grade{grade}"]
        printed = {Decimal(one) for one in re.findall(r"\d+(?:\.\d+)?", cell)}
        assert numbers <= printed, (rule, cell)


@with_the_list
def test_no_words_of_the_list_are_copied() -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"[a-z]+", text.casefold())
        return set(zip(*(words[start:] for start in range(5)), strict=False))

    names = {run for name in listed_rows() for run in runs(name)}
    theirs = {run for row in listed_rows().values() for key, cell in row.items() if key != "term" for run in runs(cell)}
    files = [*(ROOT / "src/trialwright/protocol/packs/grading").glob("*.yaml"), ROOT / "docs/grading.md"]
    for file in files:
        for line in file.read_text("utf-8").splitlines():
            assert not (runs(line) & theirs) - names, (file.name, line)


@with_the_list
def test_the_list_beside_the_repository_is_read_whole() -> None:
    terms, findings = load_terms(LIST)
    assert findings == []
    assert terms is not None
    assert len(terms.terms) == 837
    loss = terms.find("pregnancy  LOSS")
    assert isinstance(loss, ListedTerm)
    assert list(loss.grades) == [4]


# ---------------------------------------------------------------- laws


def _values(pack: GradingPack, name: str) -> st.SearchStrategy[Value]:
    item = pack.vocabulary.records[KIND].fields[name]
    if item.kind == "category":
        return st.sets(st.sampled_from(item.categories), min_size=1).map(lambda kinds: Kinds(frozenset(kinds)))
    if item.kind == "yes_no":
        return st.sampled_from(list(Truth)).map(Answer)
    edges = st.sampled_from([0, 1, 2, 4, 5, 8, 9, 11, 12, 24, 25, 38, 39, 40, 50, 75, 120, 168, 196, 259]).map(Decimal)
    return st.tuples(edges, edges, st.booleans(), st.booleans()).map(lambda drawn: Amount(_interval(*drawn)))


def _interval(a: Decimal, b: Decimal, low_open: bool, high_open: bool) -> Interval:
    return point(a) if a == b else Interval(min(a, b), max(a, b), low_open, high_open)


@st.composite
def narrowings(draw: st.DrawFn) -> tuple[GradingPack, str, dict[str, Value], dict[str, Value]]:
    """A term with what is known of its fields, and the same with more known."""
    pack_name, name = draw(st.sampled_from(TERMS))
    pack = grading_pack(pack_name)
    more = {asked: draw(_values(pack, asked)) for asked in pack.terms[name].asks if draw(st.booleans())}
    less: dict[str, Value] = {}
    for asked, value in more.items():
        match value:
            case _ if draw(st.booleans()):
                continue
            case Amount(interval):
                wider = Amount(Interval(interval.low - 1, interval.high + draw(st.integers(1, 3))))
                less[asked] = draw(st.sampled_from([value, wider, Amount(WHOLE_LINE)]))
            case Kinds(possible):
                rest = draw(st.sets(st.sampled_from(pack.vocabulary.records[KIND].fields[asked].categories)))
                less[asked] = Kinds(possible | rest)
            case _:
                less[asked] = draw(st.sampled_from([value, Answer(Truth.UNKNOWN)]))
    return pack, name, less, more


@settings(max_examples=400)
@given(narrowings())
def test_more_knowledge_never_adds_a_possible_grade(
    case: tuple[GradingPack, str, dict[str, Value], dict[str, Value]],
) -> None:
    pack, term, less, more = case
    before, after = (
        graded(pack, term, {name: Observation(value, DAY) for name, value in told.items()}, DAY)
        for told in (less, more)
    )
    assert after.possible <= before.possible
    if before.certain is not None and after.possible:
        assert after.certain == before.certain
    assert after.possible <= set(pack.terms[term].grades)


@given(st.sampled_from(TERMS), st.data())
def test_with_everything_known_at_most_one_grade_is_left(named: tuple[str, str], data: st.DataObject) -> None:
    pack = grading_pack(named[0])
    term = pack.terms[named[1]]
    fields = {}
    for asked in term.asks:
        item = pack.vocabulary.records[KIND].fields[asked]
        value: st.SearchStrategy[Value]
        if item.kind == "category":
            value = st.sampled_from(item.categories).map(lambda kind: Kinds(frozenset({kind})))
        elif item.kind == "yes_no":
            value = st.sampled_from([Truth.YES, Truth.NO]).map(Answer)
        else:
            value = st.integers(0, 300).map(lambda number: Amount(point(Decimal(number))))
        fields[asked] = Observation(data.draw(value), DAY)
    found = graded(pack, term.name, fields, DAY)
    if not term.judgement:
        assert len(found.possible) <= 1
        assert found.possible == ({found.certain} - {None})
        assert (found.applies is Truth.YES) == (found.certain is not None)


def test_a_score_is_what_its_parts_add_up_to() -> None:
    points = grading_pack("AFS 1988").scores["afs_score"]
    for kinds in itertools.product(*(part for part in points.values())):
        total = sum(part[kind] for part, kind in zip(points.values(), kinds, strict=True))
        told = "; ".join(f"{name} {kind}" for name, kind in zip(points, kinds, strict=True))
        stage = 1 if total <= 4 else 2 if total <= 8 else 3
        assert grade_of("AFS 1988", "intrauterine_adhesions", told).certain == stage, (kinds, total)


# ---------------------------------------------------------------- reading a pack


_PACK = """\
pack: Ours
label: Ours
source: us
fields:
  sore: {{is: yes_no, label: Sore}}
  kind: {{is: [a, b], label: Kind}}
  points: {{is: count, label: Points}}
scores: {scores}
terms:
  sore: {{label: Sore, grades: {grades}, classes: {classes}}}
"""


def _read(grades: str = "{1: sore}", classes: str = "{}", scores: str = "{}") -> list[tuple[str, int]]:
    pack, findings = read_pack(_PACK.format(grades=grades, classes=classes, scores=scores), "ours.yaml")
    assert (pack is None) == bool(findings)
    assert all(found.where.file == "ours.yaml" for found in findings)
    return [(found.code, found.where.line) for found in findings]


def test_a_pack_of_a_site_is_read() -> None:
    assert _read() == []
    assert _read(scores="{points: {kind: {a: 1, b: 2}}}", grades="{1: points >= 1}") == []


@pytest.mark.parametrize(
    ("parts", "code", "line"),
    [
        ({"grades": "{1: soar}"}, "name_unknown", 10),
        ({"grades": "{1: points}"}, "type_mismatch", 10),
        ({"grades": "{1: 'points >='}"}, "syntax_end", 10),
        ({"grades": "{}"}, "grading_field", 10),
        ({"grades": "{0: sore}"}, "grading_field", 10),
        ({"grades": "{mild: sore}"}, "grading_field", 10),
        ({"classes": "{mild: {grades: [2], label: Mild}}"}, "grading_field", 10),
        ({"scores": "{point: {kind: {a: 1, b: 2}}}"}, "grading_field", 8),
        ({"scores": "{points: {kind: {a: 1}}}"}, "grading_field", 8),
        ({"scores": "{points: {kinds: {a: 1}}}"}, "grading_field", 8),
    ],
)
def test_what_is_wrong_with_a_pack_is_said_with_its_line(parts: dict[str, str], code: str, line: int) -> None:
    assert _read(**parts) == [(code, line)]


def test_a_pack_that_is_no_yaml_is_refused() -> None:
    pack, findings = read_pack("pack: [", "ours.yaml")
    assert pack is None
    assert [found.code for found in findings] == ["yaml_broken"]


# ---------------------------------------------------------------- the list of a site

_HEAD = "term,grade1,grade2,grade3,grade4,grade5,definition\n"


def loaded(folder: Path, text: str, encoding: str = "utf-8") -> tuple[TermList | None, list[tuple[str, int]]]:
    file = folder / "terms.csv"
    file.write_bytes(text.encode(encoding))
    terms, findings = load_terms(file)
    assert all(str(found) for found in findings)
    return terms, [(found.code, found.where.line) for found in findings]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_list_is_read_in_any_order_of_columns(tmp_path: Path, encoding: str, separator: str) -> None:
    rows = [
        ["Grade 5", "Grade 4", "Grade 3", "Grade 2", "Grade 1", "CTCAE Term", "MedDRA Code", "MedDRA SOC"],
        ["-", "", "strong", "some", "little", "Ache 疼痛", "1", "Body"],
        ["dead", "worse", "bad", "–", "", "Burn", "2", "Body"],
    ]
    terms, findings = loaded(tmp_path, "\r\n".join(separator.join(row) for row in rows) + "\r\n", encoding)
    assert findings == []
    assert terms is not None
    ache, burn = terms.terms
    assert (ache.name, list(ache.grades), ache.code, ache.system) == ("Ache 疼痛", [1, 2, 3], "1", "Body")
    assert (list(burn.grades), burn.line) == ([3, 4, 5], 3)


@pytest.mark.parametrize(("encoding", "name"), [("gb18030", "疼痛"), ("cp1252", "Ache – mild")])
def test_another_encoding_is_read_and_said(tmp_path: Path, encoding: str, name: str) -> None:
    terms, findings = loaded(tmp_path, f"{_HEAD}{name},a,b,c,,,\n", encoding)
    assert findings == [("terms_encoding", 0)]
    assert terms is not None
    assert terms.terms[0].name == name


@pytest.mark.parametrize(
    ("rows", "found", "left"),
    [
        (["Ache,a,b,c,,,", ",a,b,c,,,"], [("term_empty", 3)], ["Ache"]),
        (["Ache,a,b,c,,,", "ache ,a,b,c,,,"], [("term_repeated", 3)], ["Ache"]),
        (["Ache,a,b,c,,", "Burn,a,b,c,,,"], [("terms_row", 2)], ["Burn"]),
        (["Ache,a,b,c,,,x,y", "", "Burn,a,b,c,,,"], [("terms_row", 2)], ["Burn"]),
        (["Ache,a,?,c,,,"], [("term_grade_unreadable", 2)], ["Ache"]),
        (["Ache,a,N/A,c,,,"], [("term_grade_unreadable", 2)], ["Ache"]),
        (["Ache,,,,,,"], [("term_without_grades", 2)], ["Ache"]),
        (['"Ache","a\nb",b,c,,,', ",a,b,c,,,"], [("term_empty", 4)], ["Ache"]),
    ],
)
def test_a_bad_row_is_said_with_its_line(
    tmp_path: Path, rows: list[str], found: list[tuple[str, int]], left: list[str]
) -> None:
    terms, findings = loaded(tmp_path, _HEAD + "\n".join(rows) + "\n")
    assert findings == found
    assert terms is not None
    assert [term.name for term in terms.terms] == left


def test_a_repeated_code_is_said(tmp_path: Path) -> None:
    text = "code," + _HEAD + "1,Ache,a,b,c,,,\n1,Burn,a,b,c,,,\n,Cut,a,b,c,,,\n,Draw,a,b,c,,,\n"
    terms, findings = loaded(tmp_path, text)
    assert findings == [("term_code_repeated", 3)]
    assert terms is not None
    assert [term.name for term in terms.terms] == ["Ache", "Cut", "Draw"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ("terms_columns", 1)),
        ("term,grade1,grade2\nAche,a,b\n", ("terms_columns", 1)),
        (_HEAD, ("terms_none", 0)),
        (_HEAD.replace("definition", "Term"), ("key_repeated", 1)),
        (_HEAD + '"Ache,a,b,c,,,\n', ("file_unreadable", 0)),
    ],
)
def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path, text: str, found: tuple[str, int]) -> None:
    assert loaded(tmp_path, text) == (None, [found])


def test_a_list_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    assert [found.code for found in load_terms(tmp_path / "none.csv")[1]] == ["file_missing"]
    assert [found.code for found in load_terms(tmp_path)[1]] == ["file_unreadable"]
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfe\x00")
    assert [found.code for found in load_terms(tmp_path / "odd.csv")[1]] == ["file_unreadable"]


def test_a_term_is_found_whatever_its_case_or_the_nearest_are_named(tmp_path: Path) -> None:
    terms, _ = loaded(tmp_path, _HEAD + "Hematoma,a,b,c,,,\nHeadache,a,b,c,,,\nFever,a,b,c,,,\n")
    assert terms is not None
    found = terms.find(" HEADACHE ")
    assert isinstance(found, ListedTerm)
    assert found.name == "Headache"
    assert terms.find("Haematoma") == ("Hematoma",)
    assert terms.find("xyz") == ()


_READERS = ("grading", "listed_terms")


def test_every_message_of_grading_is_used() -> None:
    text = "".join((ROOT / f"src/trialwright/protocol/{name}.py").read_text("utf-8") for name in _READERS)
    catalogue = tomllib.loads((ROOT / "src/trialwright/core/messages/grading.toml").read_text("utf-8"))
    assert [code for code in catalogue if f'"{code}"' not in text] == []
