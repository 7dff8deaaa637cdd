"""What the pages show is what happens: every command on the pages of the verbs, every example of the language."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripts.docs import ROOT

from tests.docs.examples import Block, agrees, blocks, run, with_commands
from tests.spec.reading import _protocol, _table, written
from trialwright.core.finding import Finding
from trialwright.core.partial_date import partial_date
from trialwright.language.check import Checked, check
from trialwright.language.evaluate import evaluate
from trialwright.language.parse import parse
from trialwright.protocol.facts_file import facts_from
from trialwright.protocol.marked_yaml import Data, read

LANGUAGE = ROOT / "docs" / "language.md"
VOCABULARY = ("items", "records", "relatives", "derivations", "value_sets")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", [path for path in with_commands() if path.name != "tutorial.md"], ids=_name)
def test_a_page_prints_what_it_says(page: Path, tmp_path: Path) -> None:
    for _, steps in run(page, tmp_path):
        for step in steps:
            assert agrees(step.expected, step.printed), f"{step.command}\n{step.printed}"


@pytest.mark.parametrize("block", [one for one in blocks(LANGUAGE) if one.mark == "example"], ids=lambda one: one.start)
def test_an_example_of_the_language_answers_as_it_says(block: Block) -> None:
    marked = read(block.text, "language.md")
    assert not marked.findings, [str(one) for one in marked.findings]
    data = _table(marked.data)
    anchors = _table(data.get("anchors"))
    vocabulary: dict[str, Data] = {key: data[key] for key in VOCABULARY if key in data}
    protocol = _protocol({**vocabulary, "anchors": list(anchors)})
    given: dict[str, Data] = {"date": data.get("on", "2026-03-09"), "records": data.get("known")}
    given |= {key: data[key] for key in ("facts", "closed", "anchors") if key in data}
    told = facts_from(protocol, given, marked.marks, "example")
    assert not told.findings, [str(one) for one in told.findings]
    for expression, expected in _table(data.get("answers")).items():
        parsed = parse(expression)
        assert not isinstance(parsed, Finding), str(parsed)
        node = check(parsed, Checked(protocol.vocabulary))
        value = evaluate(node, told.facts, told.date or partial_date("2026-03-09")).value
        unit = node.type.unit.code if node.type.unit else ""
        assert written(value, unit) == expected, expression
