"""The protocol as people read it: no word of the record is left out, and two versions differ where they differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.protocols import FOLDERS, HBMSC, changed, protocol_of
from trialwright.protocol.coverage import coverage
from trialwright.protocol.diff import changes, file_difference
from trialwright.protocol.reading import chapters


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda one: one.name)
def test_every_word_that_something_executes_stands_beside_it(folder: Path) -> None:
    protocol = protocol_of(folder)
    clauses = {one.path: one for chapter in chapters(protocol) for one in chapter.clauses}
    shown = " ".join(words for one in clauses.values() for words in one.quotes)
    sentences, _ = coverage(protocol)
    missing = [
        (one.text, one.by)
        for one in sentences
        if one.account == "executed" and not any(_near(path, clauses.keys()) for path in one.by)
    ]
    assert missing == []
    for criterion in protocol.criteria:
        for words in criterion.quotes:
            assert words in shown


def _near(path: str, clauses: object) -> bool:
    assert hasattr(clauses, "__contains__")
    return any(path[:length] in clauses for length in range(len(path) + 1))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda one: one.name)
def test_every_rule_is_shown_as_written_and_in_words(folder: Path) -> None:
    protocol = protocol_of(folder)
    lines = [line for chapter in chapters(protocol) for one in chapter.clauses for line in one.lines]
    shown = {line.text for line in lines if line.words}
    for criterion in (
        *protocol.document.population.inclusion.values(),
        *protocol.document.population.exclusion.values(),
    ):
        assert not criterion.rule or criterion.rule in shown
    for trigger in protocol.document.safety.triggers.values():
        assert trigger.rule in shown
    assert all("_" not in line.words for line in lines if line.of == "Rule"), "names are words"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("plausible: 38..85", "plausible: 38..90", [("changed", "Weight", "Queried outside", "38 to 85", "38 to 90")]),
        ("dose: 10 mg, every: 12 h", "dose: 20 mg, every: 24 h",
         [("changed", "dydrogesterone", "Dose", "10 mg every 12 h, days 19 to 28", "20 mg every 24 h, days 19 to 28")]),
        ("window: [-9, 45]", "window: [-9, 60]",
         [("changed", "Oestradiol day 1", "In time",
           "9 days before to 45 days after", "9 days before to 60 days after")]),
        ("platelets < 100 10*9/L", "platelets < 90 10*9/L",
         [("changed", "E10a", "Rule", "platelets < 100 10*9/L", "platelets < 90 10*9/L")]),
        ('"0.90"', '"0.95"',
         [("changed", "Boundary", "Pauses", "where the chance of a rate above 0.15 is larger than 0.90",
           "where the chance of a rate above 0.15 is larger than 0.95")]),
        ("    E10c: {from: \"or hematologic disorders (e.g., idiopathic thrombocytopenic purpura).\", "
         "rule: haematological_disorder}\n", "",
         [("removed", "E10c", "Title", "E10c", ""),
          ("removed", "E10c", "Words of the record",
           "or hematologic disorders (e.g., idiopathic thrombocytopenic purpura).", ""),
          ("removed", "E10c", "Rule", "haematological_disorder", "")]),
        ("version: 1\n", "version: 2\n", []),
    ],
)  # fmt: skip
def test_a_change_is_told_clause_by_clause(old: str, new: str, expected: list[tuple[str, str, str, str, str]]) -> None:
    later, _, _ = changed(old, new)
    assert later is not None
    before = protocol_of(HBMSC)
    told = [(one.how, one.title, line.of, line.old, line.new) for one in changes(before, later) for line in one.lines]
    assert told == expected
    back = [(line.old, line.new) for one in changes(later, before) for line in one.lines]
    assert sorted(back) == sorted((new, old) for _, _, _, old, new in expected), (
        "the other way round it is the other way"
    )
    assert [sign for sign, _ in file_difference(before, later)].count("-") == 1
    assert changes(before, before) == []
    assert file_difference(before, before) == []
