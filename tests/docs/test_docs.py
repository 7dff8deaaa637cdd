"""Everything public is documented, and what is generated is up to date."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import re
from pathlib import Path

import jsonschema
import pytest
from scripts import docs
from scripts.docs import ROOT

import trialwright
from tests.docs import examples
from tests.web.conftest import configured
from trialwright.cli.main import VERBS
from trialwright.ledger.store import Header, create
from trialwright.protocol.document import Document
from trialwright.protocol.estimators import ESTIMATORS
from trialwright.protocol.load import load
from trialwright.protocol.marked_yaml import read
from trialwright.rehearsal.formula import FUNCTIONS
from trialwright.rehearsal.model import ModelDocument, load_model
from trialwright.rehearsal.rehearse import rehearse

DOCS = ROOT / "docs"
PROTOCOLS = sorted(path.parent for path in (ROOT / "protocols").glob("*/protocol.yaml"))
RECORDS = sorted((DOCS / "adr").glob("*.md"))
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_SECTION = re.compile(r"^## (.*)$", re.MULTILINE)


def _text(*path: str) -> str:
    return DOCS.joinpath(*path).read_text("utf-8")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_generated_parts_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_page(verb: str) -> None:
    text = _text("verbs", f"{verb}.md")
    for section in ("Options", "JSON", "Exit codes"):
        assert f"## {section}\n" in text
    assert f"generated: options {verb} " in text
    assert f"docs/verbs/{verb}.md" in (ROOT / "README.md").read_text("utf-8")


def test_there_is_no_page_without_a_verb() -> None:
    assert {path.stem for path in (DOCS / "verbs").glob("*.md")} == set(VERBS)


@pytest.mark.parametrize("section", Document.model_fields)
def test_every_section_of_a_protocol_is_described(section: str) -> None:
    text = _text("protocol.md")
    assert f"| `{section}` |" in text
    info = Document.model_fields[section]
    if "dict" in str(info.annotation) or hasattr(info.annotation, "model_fields"):
        assert f"\n## {section}\n" in text or section in ("sponsor", "sites")


@pytest.mark.parametrize("name", [*FUNCTIONS, *ModelDocument.model_fields])
def test_every_key_and_function_of_a_rehearsal_model_is_listed(name: str) -> None:
    assert re.search(rf"^\| `{name}[`(]", _text("verbs", "rehearse.md"), re.MULTILINE)


def test_every_key_of_a_model_has_a_meaning() -> None:
    pages = _text("protocol.md") + _text("verbs", "rehearse.md")
    silent = [line for line in pages.splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert not silent


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_is_listed(estimator: str) -> None:
    assert f"| `{estimator}` |" in _text("protocol.md")


def test_every_type_of_event_is_listed_with_what_it_holds(tmp_path: Path) -> None:
    text = _text("ledger.md")
    told = dict(docs.event_types())
    assert len(told) > 20
    for name, payload in told.items():
        assert payload, name
        assert f"| `{name}` |" in text
    folder = PROTOCOLS[0]
    protocol, _ = load(folder)
    assert protocol is not None
    model = load_model(protocol, folder)
    scenario = model.document.scenario
    header = Header("virtual", protocol.document.trial, protocol.digest, "test", 1, scenario)
    with create(tmp_path / "ledger.db", header, f"{model.document.start}T00:00:00Z") as ledger:
        rehearse(protocol, model, ledger, 1, scenario)
        for event in ledger.events():
            for key in event.payload:
                assert key in re.findall(r"\w+", told[event.type]), f"{event.type} holds {key}"


@pytest.mark.parametrize("folder", PROTOCOLS, ids=lambda folder: folder.name)
def test_the_published_schema_accepts_the_protocols(folder: Path) -> None:
    schema = json.loads((DOCS / "protocol.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    data = read((folder / "protocol.yaml").read_text("utf-8"), "protocol.yaml").data
    assert [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(data)] == []
    assert isinstance(data, dict)
    wrong = {**data, "trail": "NCT00000000"}
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(wrong))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_decision_is_short_and_has_its_four_headings(record: Path) -> None:
    text = record.read_text("utf-8")
    assert len(text.splitlines()) <= 60
    assert _SECTION.findall(text) == ["Status", "Context", "Decision", "Consequences"]
    assert text.startswith(f"# {int(record.stem[:4])}. ")
    assert f"adr/{record.name}" in _text("index.md")


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(record.stem[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("page", [*docs.pages(), *sorted((ROOT / "news").glob("*.md"))], ids=_name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text("utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            headings = _HEADING.findall(target.read_text("utf-8"))
            assert anchor in {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}, link


def test_the_glossary_is_in_order_and_says_each_word_once() -> None:
    words = re.findall(r"^\| ([^|]+) \|", _text("glossary.md"), re.MULTILINE)[2:]
    assert words == sorted(words, key=str.lower)
    assert len(words) == len(set(words))


def test_news_are_one_sentence_each() -> None:
    for fragment in (ROOT / "news").glob("*.md"):
        text = fragment.read_text("utf-8")
        assert re.fullmatch(r"\d{4}", fragment.stem)
        assert len(text.splitlines()) == 1
        assert text.endswith(".\n")


def test_the_picture_of_the_report_is_small() -> None:
    assert 20_000 < (DOCS / "images" / "report.png").stat().st_size < 300_000


def _modules() -> list[str]:
    found = pkgutil.walk_packages(trialwright.__path__, "trialwright.")
    return [one.name for one in found if one.name != "trialwright.__main__"]


@pytest.mark.parametrize("module", [*_modules(), docs.__name__, examples.__name__])
def test_the_examples_in_docstrings_hold(module: str) -> None:
    if module.startswith("trialwright.web."):
        configured()  # modules of Django cannot be imported before
    failed, _ = doctest.testmod(importlib.import_module(module), verbose=False)
    assert failed == 0
