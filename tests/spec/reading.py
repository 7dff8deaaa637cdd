"""Reads the chapters of the specification: one YAML file each, the same tables for every interpreter.

The pages in `docs/language/` are written from the same files, by `python -m scripts.docs`.

    chapter: Counting
    says: What the chapter is about, for people.
    vocabulary:            # as in protocol.yaml, labels left out; anchors by name
      items: {afc: {is: count}}
    on: 2026-03-09         # the reference date, unless a table has one of its own
    tables:
      - claim: A missing count leaves the comparison unknown.
        facts: {afc: 5}    # as in a facts file, with records, closed and anchors beside it
        answers:
          afc <= 7: yes
        explains:          # optional: the explanation, line by line
          afc <= 7: ["..."]

An answer is yes, no or unknown; a number or `[low, high]` with its unit; categories joined by `or`; a date; each
followed by `, perhaps undefined` or replaced by `undefined` where that is so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from trialwright.core.finding import Finding, Grade
from trialwright.core.interval import WHOLE_LINE
from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.core.truth import Truth
from trialwright.language.check import Checked, check
from trialwright.language.facts import Facts
from trialwright.language.parse import parse
from trialwright.language.typed import Typed
from trialwright.language.values import Amount, Answer, Kinds, Value, show
from trialwright.language.vocabulary import Vocabulary
from trialwright.protocol.document import Document
from trialwright.protocol.facts_file import facts_from
from trialwright.protocol.load import load
from trialwright.protocol.marked_yaml import Data, read
from trialwright.protocol.naming import Reading, vocabulary_of
from trialwright.protocol.protocol import Protocol

HERE = Path(__file__).parent
PROTOCOL = HERE.parent.parent / "protocols" / "nct07176143"


@dataclass(frozen=True, slots=True)
class Question:
    """One line of the specification: an expression, what is known, when it is asked, and what it answers."""

    chapter: str
    claim: str
    expression: str
    expected: str
    explains: tuple[str, ...]
    vocabulary: Vocabulary
    facts: Facts
    when: PartialDate

    @property
    def name(self) -> str:
        return f"{self.chapter}: {self.claim} {self.expression} -> {self.expected}"


def chapters() -> list[Path]:
    return sorted(HERE.glob("*.yaml"))


@cache
def questions() -> list[Question]:
    """Every line of every chapter."""
    return [question for file in chapters() for question in _chapter(file)]


def typed(question: Question) -> Typed:
    expression = parse(question.expression)
    assert not isinstance(expression, Finding), str(expression)
    return check(expression, Checked(question.vocabulary))


def written(value: Value, unit: str = "") -> str:
    """A value as the specification writes it: reasons left out."""
    match value:
        case Answer(found):
            return found.value
        case Amount(_, Truth.YES) | Kinds(_, Truth.YES):
            return "undefined"
        case Amount(interval, undefined):
            text = "unknown" if interval == WHOLE_LINE else show(Amount(interval, undefined), unit)
        case Kinds(possible, undefined):
            text = " or ".join(sorted(possible))
        case _:
            return show(value).partition(" (")[0]
    return text + ("" if undefined is Truth.NO else ", perhaps undefined")


def _chapter(file: Path) -> Iterator[Question]:
    data = read(file.read_text("utf-8"), file.name)
    assert not data.findings, [str(found) for found in data.findings]
    chapter = _table(data.data)
    protocol = _protocol(_table(chapter["vocabulary"]))
    tables = chapter["tables"]
    assert isinstance(tables, list)
    for number, one in enumerate(tables):
        table = _table(one)
        given: dict[str, Data] = {"date": table.get("on", chapter.get("on"))}
        given |= {key: table[key] for key in ("facts", "records", "closed", "anchors") if key in table}
        told = facts_from(protocol, given, data.marks, file.name, ("tables", number))
        assert not told.findings, [str(found) for found in told.findings]
        answers, explains = _table(table.get("answers")), _table(table.get("explains"))
        for expression, expected in answers.items():
            lines = explains.get(expression, [])
            yield Question(
                str(chapter["chapter"]), str(table["claim"]), expression, str(expected),
                tuple(map(str, lines)) if isinstance(lines, list) else (str(lines),),
                protocol.vocabulary, told.facts, told.date or partial_date("2026-03-09"),
            )  # fmt: skip


def _table(data: Data) -> dict[str, Data]:
    assert isinstance(data, dict | None), data
    return data or {}


def _protocol(vocabulary: dict[str, Data]) -> Protocol:
    """A protocol with the chapter's names, by the reader of real protocols."""
    whole, _ = load(PROTOCOL)
    assert whole is not None
    names = {key: value for key, value in vocabulary.items() if key != "anchors"}
    items = {name: {"label": name, **_table(item)} for name, item in _table(names.get("items")).items()}
    records = {
        name: {
            "label": name,
            **_table(record),
            "fields": {
                key: {"label": key, **_table(item)} for key, item in _table(_table(record).get("fields")).items()
            },
        }
        for name, record in _table(names.get("records")).items()
    }
    anchors = vocabulary.get("anchors", [])
    assert isinstance(anchors, list)
    plain = whole.document.model_dump(by_alias=True)
    schedule = {**plain["schedule"], "anchors": {str(name): {"event": "consent"} for name in anchors}}
    empty: dict[str, object] = {"relatives": {}, "value_sets": {}, "derivations": {}}
    document = Document.model_validate(
        {**plain, **empty, **names, "items": items, "records": records, "schedule": schedule}
    )
    reading = Reading({})
    known = vocabulary_of(document, reading)
    assert not [found for found in reading.findings if found.grade is Grade.ERROR], reading.findings
    return replace(whole, vocabulary=known, limits={})
