"""The chapters of the language as pages: what `tests/spec/*.yaml` asks of every interpreter, for people to read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from scripts.markdown import compact_yaml, fenced, table
from trialwright.protocol.marked_yaml import Data, read

#: What a table of a chapter may tell of a participant.
_TOLD = ("facts", "records", "closed", "anchors")
_PLAIN = re.compile(r"(yes|no|unknown|undefined)(, perhaps undefined)?")
_SENTENCE = re.compile(r".*?\.(?= |$)")

_PAGE = """\
<!-- Written from tests/spec/{source} by: python -m scripts.docs. Change that file, not this page. -->

# {number}. {title}

{says}

What is declared, as in a [protocol](../protocol.md#items), labels left out:

{declared}

{tables}

---

{links}
"""


def pages(spec: Path, folder: Path) -> Iterator[tuple[Path, str]]:
    """The page of each chapter, in order: where it lies in the folder, and its text."""
    files = chapters(spec)
    for before, file, after in zip([None, *files], files, [*files[1:], None], strict=False):
        links = [f"Before: {_link(before)}"] if before else []
        links.append("[The language](../language.md)")
        links += [f"Next: {_link(after)}"] if after else []
        yield folder / page_name(file), page(file, " · ".join(links))


def chapters(spec: Path) -> list[Path]:
    """The files of the chapters, in order."""
    return sorted(spec.glob("*.yaml"))


def page_name(file: Path) -> str:
    """The name of a chapter's page.

    >>> page_name(Path("tests/spec/05_windows.yaml"))
    '05-windows.md'
    """
    return f"{file.stem.replace('_', '-')}.md"


def index(spec: Path, folder: str) -> str:
    """Every chapter with the sentence that it begins with, linked into the folder of their pages."""
    rows = []
    for file in chapters(spec):
        sentence = _SENTENCE.match(str(_chapter(file)["says"]))
        rows.append((f"{_number(file)}. {_link(file, folder)}", sentence[0] if sentence else ""))
    return table(("chapter", "says"), rows)


def page(file: Path, links: str) -> str:
    """A chapter as Markdown."""
    chapter = _chapter(file)
    tables = chapter["tables"]
    assert isinstance(tables, list)
    return _PAGE.format(
        source=file.name,
        number=_number(file),
        title=chapter["chapter"],
        says=chapter["says"],
        declared=fenced("yaml", compact_yaml(_table(chapter["vocabulary"]), opened=1)),
        tables="\n\n".join(chain.from_iterable(_claim(_table(one), str(chapter["on"])) for one in tables)),
        links=links,
    )


def _claim(told: Mapping[str, Data], on: str) -> Iterator[str]:
    """One table of a chapter: the claim, what is known, when it is asked, what it answers, and why."""
    yield f"## {str(told['claim']).removesuffix('.')}"
    known = {key: told[key] for key in _TOLD if told.get(key)}
    if known:
        yield fenced("yaml", compact_yaml(known))
    asked = f"Asked on {str(told.get('on', on)).replace('T', ' at ')}:"
    yield asked if known else f"Nothing is recorded. {asked}"
    answers = _table(told["answers"])
    yield table(("expression", "answer"), [(f"`{key}`", _answer(str(value))) for key, value in answers.items()])
    explained = list(_table(told.get("explains")).values())
    if explained:
        yield "Explained:" if len(explained) == 1 else "Explained, one after the other:"
        yield fenced("text", "\n\n".join("\n".join(map(str, _list(lines))) for lines in explained))


def _answer(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else f"`{text}`"


def _link(file: Path, folder: str = "") -> str:
    return f"[{_chapter(file)['chapter']}]({folder}{page_name(file)})"


def _number(file: Path) -> int:
    return int(file.stem.partition("_")[0])


def _chapter(file: Path) -> Mapping[str, Data]:
    found = read(file.read_text("utf-8"), file.name)
    assert not found.findings, [str(one) for one in found.findings]
    return _table(found.data)


def _table(data: Data) -> Mapping[str, Data]:
    assert isinstance(data, dict | None), data
    return data or {}


def _list(data: Data) -> Sequence[Data]:
    return data if isinstance(data, list) else [data]
