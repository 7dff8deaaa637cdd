"""The examples of the documentation: run as a reader runs them, in a folder with the protocols, and compared.

A fenced block `yaml file=NAME` writes a file. A block `console` holds commands after `$ ` and what they print;
`...` stands for what varies, on a line of its own for any number of lines. `echo $?` prints the last exit code.

    python -m tests.docs.examples    # put new figures into examples whose words are unchanged
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.docs import ROOT, pages

from trialwright.cli.main import main

_FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page: its language, what stands beside it, its text and where that begins."""

    language: str
    mark: str
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a console block, what the page says it prints, and what it printed."""

    command: str
    expected: str
    printed: str


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a page."""
    found = _FENCE.finditer(path.read_text("utf-8"))
    return [Block(one[1], one[2] or "", one[3], one.start(3)) for one in found]


def with_commands() -> list[Path]:
    """The pages of which a block is run."""
    return [path for path in pages() if any(_is_run(one) for one in blocks(path))]


def run(path: Path, folder: Path) -> Iterator[tuple[Block, list[Step]]]:
    """Every console block of a page with its steps, run in a folder of its own."""
    shutil.copytree(ROOT / "protocols", folder / "protocols")
    code = 0
    for block in blocks(path):
        if block.mark.startswith("file="):
            (folder / block.mark.removeprefix("file=")).write_text(block.text, "utf-8")
        if not _is_run(block):
            continue
        steps = []
        for command, expected in commands(block.text):
            if command == "echo $?":
                printed = f"{code}\n"
            else:
                code, printed = _run(command, folder)
            steps.append(Step(command, expected, printed))
        yield block, steps


def commands(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a block, each with the text below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        while command.endswith("\\"):
            more, _, expected = expected.partition("\n")
            command = command[:-1] + more.strip()
        yield command, expected


def agrees(expected: str, printed: str) -> bool:
    """Whether what was printed is what the page says.

    >>> agrees("intact, ... events\\n", "intact, 17 events\\n"), agrees("a\\n...\\n", "a\\nb\\nc\\n")
    (True, True)
    """
    return _pattern(expected, re.escape).fullmatch(printed) is not None


def renewed(expected: str, printed: str) -> str | None:
    """The text of the page with the figures that were printed, or None where the words differ too.

    >>> renewed("... has 3 eggs\\n", "she has 14 eggs\\n")
    '... has 14 eggs\\n'
    """
    match = _pattern(expected, lambda words: f"({re.sub('[0-9]+', lambda _: '[0-9]+', re.escape(words))})").fullmatch(
        printed
    )
    if match is None:
        return None
    pieces = _pieces(expected)
    groups = iter(match.groups())
    return "".join(piece if index % 2 else next(groups) for index, piece in enumerate(pieces))


def _pieces(expected: str) -> list[str]:
    """Literal text and ellipses in turn; an ellipsis that is a whole line takes its line end along."""
    return re.split(r"((?<=^)\.\.\.\n|(?<=\n)\.\.\.\n|\.\.\.)", expected)


def _pattern(expected: str, literal: object) -> re.Pattern[str]:
    assert callable(literal)
    gaps = {"...\n": r"(?:.*\n)*?", "...": ".*?"}
    return re.compile(
        "".join(gaps[piece] if index % 2 else literal(piece) for index, piece in enumerate(_pieces(expected)))
    )


def _is_run(block: Block) -> bool:
    return block.language == "console" and not block.mark


def _run(command: str, folder: Path) -> tuple[int, str]:
    words = shlex.split(command)
    if words[0] != "trialwright":
        words = [sys.executable, *words[1:]] if words[0] == "python" else words
        done = subprocess.run(words, cwd=folder, text=True, capture_output=True, check=False)
        return done.returncode, done.stdout + done.stderr
    printed = io.StringIO()
    before = Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            code = main(words[1:])
    finally:
        os.chdir(before)
    return code, printed.getvalue()


def _renew(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for block, steps in run(path, Path(folder)):
            new = block.text
            for step in steps:
                if agrees(step.expected, step.printed):
                    continue
                told = renewed(step.expected, step.printed)
                yield f"{path.relative_to(ROOT)}: {step.command}: " + ("renewed" if told else "write it anew:")
                if told is None:
                    yield step.printed
                new = new.replace(step.expected, told or step.expected, 1)
            text = text.replace(block.text, new, 1)
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    for page in with_commands():
        for line in _renew(page):
            sys.stdout.write(line + "\n")
