"""The pages of the language say what the specification says: all of it, and as it stands now."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from scripts import chapters, docs
from scripts.docs import ROOT, SPEC
from scripts.markdown import compact_yaml, table

from tests.spec.reading import Question, questions
from trialwright.protocol.marked_yaml import Data, read

PAGES = ROOT / "docs" / "language"
_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CHAPTERS = chapters.chapters(SPEC)


def _stem(path: Path) -> str:
    return path.stem


def _data(text: str) -> dict[str, Data]:
    found = read(text, "text")
    assert not found.findings, [str(one) for one in found.findings]
    assert isinstance(found.data, dict)
    return found.data


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A copy of the documentation, up to date."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    for name in ("README.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, tmp_path)
    docs.main([], tmp_path)
    assert docs.main(["--check"], tmp_path) == 0
    return tmp_path


def test_a_chapter_that_is_stale_missing_or_left_over_is_named(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written / "docs" / "language"
    stale, missing, left_over = folder / "01-truth.md", folder / "05-windows.md", folder / "99-forgotten.md"
    right = stale.read_text("utf-8")
    stale.write_text(right.replace("| `not fever` | unknown |", "| `not fever` | yes |"), "utf-8")
    missing.unlink()
    left_over.write_text("# 99. Forgotten\n", "utf-8")
    capsys.readouterr()
    assert docs.main(["--check"], written) == 1
    assert capsys.readouterr().out.splitlines() == [
        "docs/language/01-truth.md is stale; run: python -m scripts.docs",
        "docs/language/05-windows.md is missing; run: python -m scripts.docs",
        "docs/language/99-forgotten.md is left over; run: python -m scripts.docs",
    ]
    assert left_over.exists(), "a check changes nothing"
    assert docs.main([], written) == 0
    assert stale.read_text("utf-8") == right
    assert missing.exists()
    assert not left_over.exists()
    assert docs.main(["--check"], written) == 0


def test_another_answer_in_the_specification_makes_its_page_stale(tmp_path: Path) -> None:
    spec = tmp_path / "01_truth.yaml"
    spec.write_text((SPEC / spec.name).read_text("utf-8").replace("fever: unknown", "fever: no", 1), "utf-8")
    assert chapters.page(spec, "") != chapters.page(SPEC / spec.name, "")


@pytest.mark.parametrize("chapter", dict.fromkeys(one.chapter for one in questions()))
def test_a_page_holds_every_line_of_its_chapter(chapter: str) -> None:
    (page,) = [path for path in PAGES.glob("*.md") if f". {chapter}\n" in path.read_text("utf-8")]
    sections = page.read_text("utf-8").split("\n## ")
    for one in questions():
        if one.chapter == chapter:
            (section,) = [text for text in sections if text.startswith(f"{one.claim.removesuffix('.')}\n")]
            assert _row(one) in section.replace("`", "")
            assert f"sked on {str(one.when).replace('T', ' at ')}:" in section
            for line in one.explains:
                assert f"\n{line}\n" in section


def _row(question: Question) -> str:
    return f"\n| {question.expression} | {question.expected} |\n"


@pytest.mark.parametrize("file", _CHAPTERS, ids=_stem)
def test_what_a_page_shows_as_yaml_reads_back_as_what_the_chapter_says(file: Path) -> None:
    chapter = _data(file.read_text("utf-8"))
    tables = chapter["tables"]
    assert isinstance(tables, list)
    wanted = [chapter["vocabulary"]]
    for one in tables:
        assert isinstance(one, dict)
        known = {key: one[key] for key in ("facts", "records", "closed", "anchors") if one.get(key)}
        wanted += [known] if known else []
    text = (PAGES / chapters.page_name(file)).read_text("utf-8")
    assert [_data(block) for block in _BLOCK.findall(text)] == wanted


@pytest.mark.parametrize("file", _CHAPTERS, ids=_stem)
def test_a_chapter_is_listed_where_the_language_is_told(file: Path) -> None:
    assert f"](language/{chapters.page_name(file)}) |" in (ROOT / "docs" / "language.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"unit": "1", "size": 1}, 'unit: "1"\nsize: 1'),
        ({"value": ">20 ng/mL"}, 'value: ">20 ng/mL"'),
        ({"value": "6 [IU]/L"}, 'value: "6 [IU]/L"'),
        ({"says": 'a "b": c'}, r'says: "a \"b\": c"'),
        ({"closed": ["history"]}, "closed: [history]"),
        ({"hiv": [{"value": "negative"}]}, "hiv: [{value: negative}]"),
        ({"hiv": [{"value": "yes"}, {"value": "no"}]}, "hiv:\n  - {value: yes}\n  - {value: no}"),
    ],
)
def test_yaml_is_quoted_and_opened_only_where_it_must_be(data: dict[str, Data], text: str) -> None:
    assert compact_yaml(data) == text
    assert _data(text) == data


def test_a_bar_in_a_cell_is_no_border() -> None:
    assert table(("a",), [("x | y",)]).endswith("| x \\| y |")
