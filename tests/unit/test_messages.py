"""Every code that the program uses has its sentences, every sentence is used, and their values match."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from trialwright.core.finding import codes, fields, finding, languages, says

SOURCE = Path(__file__).parent.parent.parent / "src" / "trialwright"
#: The functions that make a finding, each with the position of the code among its arguments.
MAKERS = {"finding": 0, "fail": 2, "refuse": 0, "add": 0, "problem": 1}


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    files = sorted((SOURCE / "core" / "messages").glob("*.toml"))
    return {code: entry for file in files for code, entry in tomllib.loads(file.read_text("utf-8")).items()}


def _calls() -> Iterator[tuple[str, str, frozenset[str] | None]]:
    """Where a code is used with which values; None where the values come from elsewhere (`**values`)."""
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = MAKERS.get(name)
            if place is None or len(node.args) <= place:
                continue
            code = node.args[place]
            if not isinstance(code, ast.Constant) or not isinstance(code.value, str):
                continue
            if name == "add" and len(node.args) < 2:  # a set's own `add`
                continue
            given = [keyword.arg for keyword in node.keywords]
            values = None if None in given else frozenset(str(one) for one in given) - {"where", "grade"}
            yield f"{file.relative_to(SOURCE)}:{node.lineno}", code.value, values


CALLS = list(_calls())


@pytest.mark.parametrize(("place", "code", "values"), CALLS, ids=[f"{place} {code}" for place, code, _ in CALLS])
def test_a_finding_has_a_message_with_all_its_values(place: str, code: str, values: frozenset[str] | None) -> None:
    assert code in codes(), f"{place} uses {code}, which no catalogue holds"
    if values is not None:
        assert fields(code) <= values, f"{place}: {code} lacks {sorted(fields(code) - values)}"


@pytest.mark.parametrize("code", sorted(_catalogue()))
def test_a_message_says_what_and_how_to_mend_it(code: str) -> None:
    entry = _catalogue()[code]
    assert set(entry) == {"says", "mend"}
    assert all(re.search(r"[.:}?”]$", text) for text in entry.values()), "it is a sentence"


def test_no_code_stands_in_two_files() -> None:
    files = sorted((SOURCE / "core" / "messages").glob("*.toml"))
    assert sum(len(tomllib.loads(file.read_text("utf-8"))) for file in files) == len(codes())


@pytest.mark.parametrize("file", ["language.toml", "protocol.toml", "ledger.toml", "imports.toml"])
def test_every_message_is_used(file: str) -> None:
    text = "\n".join(source.read_text("utf-8") for source in SOURCE.rglob("*.py"))
    catalogue = tomllib.loads((SOURCE / "core" / "messages" / file).read_text("utf-8"))
    assert [code for code in catalogue if f'"{code}"' not in text] == []


@pytest.mark.parametrize("language", [one for one in languages() if one != "en"])
def test_what_the_pages_tell_is_told_in_every_language(language: str) -> None:
    folder = SOURCE / "core" / "messages" / language
    told = {code for file in folder.glob("*.toml") for code in tomllib.loads(file.read_text("utf-8"))}
    raised = {code for place, code, _ in CALLS if place.startswith(("trial/", "web/", "protocol/entry"))}
    assert raised - told == set()


@pytest.mark.parametrize("language", [one for one in languages() if one != "en"])
def test_a_translation_has_the_values_of_its_english_sentence(language: str) -> None:
    folder = SOURCE / "core" / "messages" / language
    for file in sorted(folder.glob("*.toml")):
        for code, entry in tomllib.loads(file.read_text("utf-8")).items() if file.name != "words.toml" else ():
            for part, text in entry.items():
                named = {name for _, name, _, _ in string.Formatter().parse(text) if name}
                asked = {name for _, name, _, _ in string.Formatter().parse(_catalogue()[code][part]) if name}
                assert named == asked, f"{code}.{part}"


def test_what_is_filled_into_a_sentence_is_called_as_its_language_calls_it() -> None:
    found = finding("reason_missing", what="A correction")
    assert says(found, "zh") == "更正需要说明理由。"
    assert says(finding("reason_missing", what="Something else"), "zh") == "Something else需要说明理由。"
