"""Every line of the specification holds for the reference interpreter and for the compiled one."""

from __future__ import annotations

import pytest

from tests.spec.compiled import compiled
from tests.spec.reading import Question, chapters, questions, typed, written
from trialwright.language import explain
from trialwright.language.evaluate import evaluate


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.name)
def test_the_specification_holds(question: Question) -> None:
    node = typed(question)
    found = evaluate(node, question.facts, question.when)
    unit = node.type.unit
    assert written(found.value, unit.code if unit else "") == question.expected
    if question.explains:
        assert tuple(explain.lines(found)) == question.explains


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.name)
def test_the_specification_holds_compiled(question: Question) -> None:
    unit = typed(question).type.unit
    assert written(compiled(question), unit.code if unit else "") == question.expected


def test_every_chapter_has_tables() -> None:
    assert len(chapters()) >= 20
    assert {question.chapter for question in questions()}
    assert len({question.name for question in questions()}) == len(questions())
