"""The grade of an adverse event, by rules of ours over values and facts, and the lists of terms that sites bring.

A pack holds fields, which an adverse event records, and terms with a rule for each grade. The grade is the highest
whose rule is yes; a higher one whose rule is unknown stays possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from importlib import resources
from itertools import product
from typing import Annotated, TypeAlias

from pydantic import Field, ValidationError

from trialwright.core.finding import Finding, Refused, finding
from trialwright.core.interval import Interval, contains
from trialwright.core.partial_date import PartialDate
from trialwright.core.truth import Truth, any_of
from trialwright.language import typed as t
from trialwright.language.check import Checked, check, expect
from trialwright.language.evaluate import Explanation, answer, evaluate
from trialwright.language.explanation import answer_of
from trialwright.language.facts import NO_FACTS, Observation, RecordEntry
from trialwright.language.time import at_or_before
from trialwright.language.values import Amount, Kinds
from trialwright.language.vocabulary import Record, Vocabulary
from trialwright.protocol.document import ItemPart, Label, LabelText, Part
from trialwright.protocol.field_faults import fault_in_words
from trialwright.protocol.marked_yaml import Path, read
from trialwright.protocol.naming import Reading, item_of, nearest, parse_at
from trialwright.protocol.protocol import where as place
from trialwright.protocol.uses import walk

#: The kind of record that a pack's fields belong to.
KIND = "adverse_event"

#: Every pack that comes with the program, by the name under which a protocol asks for it (`safety.grading`).
PACKS = {
    "CTCAE v5": "ctcae_v5.yaml",
    "Golan 1989": "golan_1989.yaml",
    "AFS 1988": "afs_1988.yaml",
    "March 1978": "march_1978.yaml",
    "ESH 1989": "esh_1989.yaml",
}

_Grade: TypeAlias = Annotated[int, Field(ge=1, le=9)]
_Points: TypeAlias = Mapping[str, Mapping[str, int]]  # field -> category -> points


class GradeClass(Part):
    """Grades that go under one name, such as mild."""

    grades: tuple[_Grade, ...]
    label: Label


class _TermPart(Part):
    label: Label
    grades: Annotated[dict[_Grade, str], Field(min_length=1)]
    listed: str = Field(default="", description="Its name in the list of terms.")
    system: str = Field(default="", description="System organ class.")
    code: str = ""
    judgement: bool = False
    classes: dict[str, GradeClass] = Field(default_factory=dict)
    assumes: str = Field(default="", description="What was chosen where the source is silent or says two things.")
    verified: str = Field(default="", description="What the grades were compared with; nothing where they were not.")


class _PackPart(Part):
    pack: str
    label: Label
    source: str
    fields: dict[str, ItemPart]
    scores: dict[str, dict[str, dict[str, int]]] = Field(default_factory=dict)
    terms: dict[str, _TermPart]


@dataclass(frozen=True, slots=True, eq=False)
class GradedTerm:
    """A term, its grades in words, and their checked rules; a term graded by judgement has none.

    `asks` are the fields that its rules rest on. `verified` is empty where nobody compared it with its source.
    """

    name: str
    label: LabelText
    grades: Mapping[int, str]
    rules: Mapping[int, t.Typed]
    asks: tuple[str, ...]
    judgement: bool
    classes: Mapping[str, GradeClass]
    listed: str
    system: str
    code: str
    source: str
    assumes: str
    verified: str


@dataclass(frozen=True, slots=True, eq=False)
class GradingPack:
    """A system of grading. `fields` are declared as those of a record, `scores` are sums of points of categories."""

    name: str
    label: LabelText
    source: str
    fields: Mapping[str, ItemPart]
    scores: Mapping[str, _Points]
    terms: Mapping[str, GradedTerm]
    vocabulary: Vocabulary


@dataclass(frozen=True, slots=True)
class Graded:
    """The grades that are possible, and the one that is certain, if any.

    `applies` says whether any grade does; while it is unknown, no grade is certain. `why` says why none is.
    """

    possible: frozenset[int]
    certain: int | None
    explanations: Mapping[int, Explanation]
    applies: Truth
    why: str = ""


@cache
def grading_pack(name: str) -> GradingPack:
    """The pack of that name; `Refused` names the nearest where there is none."""
    if name not in PACKS:
        raise Refused(finding("grading_unknown", name=name, nearest=nearest(name, PACKS), names=", ".join(PACKS)))
    file = resources.files("trialwright.protocol") / "packs" / "grading" / PACKS[name]
    pack, findings = read_pack(file.read_text("utf-8"), PACKS[name])
    assert pack is not None, [str(found) for found in findings]
    return pack


def graded(pack: GradingPack, term: str, fields: Mapping[str, Observation], when: PartialDate) -> Graded:
    """The grade of an event with these fields, as known at a time; fields of other purposes are left alone.

    >>> from trialwright.core.partial_date import partial_date
    >>> graded(grading_pack("CTCAE v5"), "pregnancy_loss", {}, partial_date("2026-03-09")).certain
    4
    """
    chosen = _term(pack, term)
    if chosen.judgement:
        possible = frozenset(chosen.grades)
        certain = next(iter(possible)) if len(possible) == 1 else None
        return Graded(possible, certain, {}, Truth.YES, "" if certain else f"{term}: graded by judgement")
    told = dict(fields)
    for score in pack.scores:
        if score in chosen.asks:
            total = _total(pack, score, fields, when)
            if total is None:
                why = f"{score}: {_entered(fields, score)} cannot be the sum of {', '.join(pack.scores[score])}"
                return Graded(frozenset(), None, {}, Truth.NO, why)
            told[score] = total
    record = RecordEntry(KIND, term, None, told)
    explanations = {grade: evaluate(rule, NO_FACTS, when, record) for grade, rule in chosen.rules.items()}
    answers = {grade: answer(explained) for grade, explained in explanations.items()}
    met = max((grade for grade, found in answers.items() if found is Truth.YES), default=0)
    open_ = {grade: x for grade, x in explanations.items() if grade > met and answers[grade] is Truth.UNKNOWN}
    possible = frozenset({*open_, met} - {0})
    why = "; ".join(dict.fromkeys(part for x in open_.values() for part in answer_of(x.value).why.split("; ") if part))
    if not possible:
        why = f"{term}: what is recorded meets no grade of {pack.name}"
    return Graded(possible, None if open_ or not met else met, explanations, any_of(answers.values()), why)


def grade_refused(pack: GradingPack, term: str, grade: int) -> Finding | None:
    """What is wrong with a grade that somebody gives to a term, such as 5 where a term ends at 4."""
    chosen = _term(pack, term)
    if grade in chosen.grades:
        return None
    grades = ", ".join(map(str, chosen.grades))
    return finding("grade_unavailable", pack=pack.name, term=term, number=grade, grades=grades)


def totals(points: _Points) -> frozenset[int]:
    """Every total that can occur.

    >>> sorted(set(range(1, 13)) - totals(grading_pack("AFS 1988").scores["afs_score"]))
    [1, 11]
    """
    return frozenset(map(sum, product(*(part.values() for part in points.values()))))


def _term(pack: GradingPack, name: str) -> GradedTerm:
    if name in pack.terms:
        return pack.terms[name]
    names = ", ".join(pack.terms)
    raise Refused(
        finding("graded_term_unknown", pack=pack.name, name=name, nearest=nearest(name, pack.terms), names=names)
    )


def _total(pack: GradingPack, score: str, fields: Mapping[str, Observation], when: PartialDate) -> Observation | None:
    """What is known of a score by its items and by the total that was recorded; None where no total fits both."""
    points = pack.scores[score]
    known = {
        name: told.value
        for name, told in fields.items()
        if told.value is not None and at_or_before(told.date, when) is not Truth.NO
    }
    parts = {}
    for name, part in points.items():
        value = known.get(name)
        parts[name] = {kind: n for kind, n in part.items() if not isinstance(value, Kinds) or kind in value.possible}
    possible = totals(parts)
    recorded = known.get(score)
    if isinstance(recorded, Amount):
        possible = frozenset(n for n in possible if contains(recorded.interval, Decimal(n)))
    if not possible:
        return None
    span = Interval(Decimal(min(possible)), Decimal(max(possible)))
    why = "" if len(possible) == 1 else f"{score}: {' or '.join(map(str, sorted(possible)))}"
    return Observation(Amount(span, why=why), None, entered="sum of " + ", ".join(points))


def _entered(fields: Mapping[str, Observation], name: str) -> str:
    told = fields.get(name)
    return f"“{told.entered}”" if told is not None and told.entered else "it"


# ---------------------------------------------------------------- reading a pack


def read_pack(text: str, file: str) -> tuple[GradingPack | None, list[Finding]]:
    """A pack from its YAML text, every rule parsed and checked; None where anything is wrong with it."""
    marked = read(text, file)
    if marked.findings:
        return None, list(marked.findings)
    reading = Reading(marked.marks)
    pack = None
    try:
        pack = _pack(_PackPart.model_validate(marked.data), reading)
    except ValidationError as wrong:
        for error in wrong.errors(include_url=False):
            path = tuple(part for part in error["loc"] if part != "[key]")
            _wrong(reading, path, fault_in_words(error))
    findings = [replace(found, where=replace(found.where, file=file)) for found in reading.findings]
    return (None if findings else pack), findings


def _pack(part: _PackPart, reading: Reading) -> GradingPack:
    items = {name: item_of(name, one, ("fields", name), reading) for name, one in part.fields.items()}
    for score, points in part.scores.items():
        for name in (score, *points):
            if name not in part.fields:
                _wrong(reading, ("scores", score), f"`{name}` is not among the fields.{nearest(name, part.fields)}")
            elif name != score and set(points[name]) != set(items[name].categories):
                _wrong(reading, ("scores", score, name), "it needs the points of each category of the field, once")
    vocabulary = Vocabulary(records={KIND: Record(KIND, items)})
    checked = Checked(vocabulary)
    terms = {name: _graded_term(name, one, part, checked, reading) for name, one in part.terms.items()}
    return GradingPack(part.pack, part.label, part.source, part.fields, part.scores, terms, vocabulary)


def _graded_term(name: str, term: _TermPart, pack: _PackPart, checked: Checked, reading: Reading) -> GradedTerm:
    path: Path = ("terms", name)
    rules = {}
    for grade, text in sorted(term.grades.items()) if not term.judgement else ():
        at: Path = (*path, "grades", str(grade))
        expression = parse_at(text, at, reading)
        if expression is None:
            continue
        try:
            spot = place(reading.marks, at)
            rules[grade] = expect(check(expression, checked, spot, KIND), "truth", spot)
        except Refused as refused:
            reading.findings.extend(refused.findings)
    for key, one in term.classes.items():
        if not set(one.grades) <= set(term.grades):
            _wrong(reading, (*path, "classes", key), "it holds a grade that the term does not have")
    asks = {x.item.name for rule in rules.values() for x in walk(rule) if isinstance(x, t.FieldOf) and x.item}
    asks |= {field for score in asks & set(pack.scores) for field in pack.scores[score]}
    return GradedTerm(
        name, term.label, dict(sorted(term.grades.items())), rules, tuple(key for key in pack.fields if key in asks),
        term.judgement, term.classes, term.listed, term.system, term.code, pack.source, term.assumes, term.verified,
    )  # fmt: skip


def _wrong(reading: Reading, path: Path, why: str) -> None:
    reading.add("grading_field", path, path=".".join(map(str, path)) or "pack", why=why.rstrip("."))
