"""Changes the language a little, in a copy, and asks whether a test notices.

    python -m tests.mutate --mutants 200 --seed 1

takes a sample of all small changes (a comparison, a constant, a truth, an end of an interval, a branch) and runs the
tests of the changed part against each. What no test notices is printed, and ends with 1 unless `mutants.yaml` says
why nobody could notice it.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import yaml

ROOT = Path(__file__).parent.parent
LANGUAGE = Path("src/trialwright/language")
REVIEWED = Path(__file__).parent / "mutants.yaml"
COPIED = ("src", "tests", "scripts", "protocols", "docs", "pyproject.toml", "README.md")


@dataclass(frozen=True, slots=True)
class Part:
    """Files of the language, the tests that ask them most quickly, and those that ask what these let pass."""

    files: tuple[str, ...]
    first: tuple[str, ...]
    then: tuple[str, ...]


_REFERENCE = ("tests/spec", "-k", "not compiled")
PARTS = {
    "evaluate": Part(
        ("evaluate", "world", "combining", "over_items", "over_records", "counting", "time", "explain"),
        (*_REFERENCE, *(f"tests/unit/test_{name}.py" for name in ("time", "explain", "evaluate", "reasons"))),
        ("tests/laws/test_language_laws.py",),
    ),
    "check": Part(
        ("check", "names", "scope", "thresholds", "vocabulary"),
        ("tests/unit/test_check.py", *_REFERENCE),
        ("tests/unit/test_protocol_load.py", "tests/unit/test_parse.py"),
    ),
    "parse": Part(
        ("parse", "unparse", "grammar"),
        ("tests/unit/test_parse.py", "tests/unit/test_check.py"),
        _REFERENCE,
    ),
    "solve": Part(
        ("solve", "solving/*"),
        ("tests/unit/test_solve_small.py", "tests/unit/test_solve.py", "tests/unit/test_solve_agrees.py"),
        ("tests/unit/test_prove.py",),
    ),
    "compile": Part(
        ("compile", "compiling/*"),
        ("tests/unit/test_compile_sources.py", "tests/unit/test_compile.py", "-k", "not postgresql"),
        ("tests/laws/test_agreement.py", "tests/spec", "-k", "compiled or agreement"),
    ),
}

# ---------------------------------------------------------------- changes

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd
}  # fmt: skip
_TRUTHS = {"YES": ("NO", "UNKNOWN"), "NO": ("YES", "UNKNOWN"), "UNKNOWN": ("YES", "NO")}


def _both_ways(*pairs: tuple[str, str]) -> dict[str, str]:
    return {**dict(pairs), **{other: one for one, other in pairs}}


_PARTS = _both_ways(("low", "high"), ("low_open", "high_open"), ("earliest", "latest"), ("min", "max"),
                    ("less", "less_or_equal"))  # fmt: skip
_NAMES = _both_ways(("all_of", "any_of"), ("all", "any"), ("min", "max"), ("both", "either"), ("TRUE", "FALSE"),
                    ("surely", "possibly"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """Another text for some bytes of a file."""

    file: Path
    source: bytes
    line: int
    start: int
    end: int
    text: str

    def applied(self) -> bytes:
        return self.source[: self.start] + self.text.encode() + self.source[self.end :]

    def change(self) -> tuple[str, str, str]:
        """The file, and the lines that it touches, before and after, blanks and line ends aside."""
        first, last = self.source.rfind(b"\n", 0, self.start) + 1, self.source.find(b"\n", self.end)
        after = self.source[first : self.start] + self.text.encode() + self.source[self.end : last]
        before, changed = (" ".join(text.decode().split()) for text in (self.source[first:last], after))
        return str(self.file.relative_to(LANGUAGE)), before, changed


def mutants(file: Path, source: bytes) -> list[Mutant]:
    """Every small change of a file."""
    lines = source.splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
    found = []
    for node in _asked(ast.parse(source)):
        for place, text in _others(node):
            assert place.end_lineno is not None
            assert place.end_col_offset is not None
            start, end = (
                starts[place.lineno - 1] + place.col_offset,
                starts[place.end_lineno - 1] + place.end_col_offset,
            )
            if b"# pragma: no" not in lines[place.lineno - 1]:
                found.append(Mutant(file, source, place.lineno, start, end, text))
    return found


def _asked(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when the program is asked something: no types, no decorators, no words for people."""
    if isinstance(node, ast.Assert | ast.Raise | ast.Import | ast.ImportFrom | ast.JoinedStr):
        return
    if isinstance(node, ast.keyword) and node.arg == "strict":  # of `zip`: a check, as an assertion is
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list"):
            for inner in value if isinstance(value, list) else (value,):
                if isinstance(inner, ast.AST):
                    yield from _asked(inner)


def _others(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """What could stand in its place."""
    match node:
        case ast.Compare(left, [operator], right) if type(operator) in _COMPARISONS:
            yield node, ast.unparse(ast.Compare(left, [_COMPARISONS[type(operator)]()], right))
        case ast.BoolOp(operator, values):
            yield node, ast.unparse(ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values))
        case ast.BinOp(left, operator, right) if type(operator) in _OPERATORS:
            yield node, f"({ast.unparse(ast.BinOp(left, _OPERATORS[type(operator)](), right))})"
        case ast.UnaryOp(_, operand):
            yield node, f"({ast.unparse(operand)})"
        case ast.Constant(bool(value)):
            yield node, str(not value)
        case ast.Constant(int(value)):
            yield from ((node, str(value + step)) for step in (1, -1))
        case ast.Attribute(ast.Name("Truth"), name):
            yield from ((node, f"Truth.{other}") for other in _TRUTHS.get(name, ()))
        case ast.Name(name, ast.Load()) if name in _TRUTHS:
            yield from ((node, other) for other in _TRUTHS[name])
        case ast.Attribute(value, name) if name in _PARTS:
            yield node, f"{ast.unparse(value)}.{_PARTS[name]}"
        case ast.Name(name) if name in _NAMES:
            yield node, _NAMES[name]
        case ast.If(test) | ast.IfExp(test):
            yield from ((test, constant) for constant in ("True", "False"))
        case ast.Expr(ast.Call()) | ast.AugAssign():
            yield node, "pass"


# ---------------------------------------------------------------- asking the tests

#: What takes long to import and is never changed: loaded once, before the first fork.
_HEAVY = ("pytest", "hypothesis", "ibis", "duckdb", "pyarrow", "z3", "lark", "yaml", "pydantic")


@dataclass(slots=True)
class Run:
    """The tests of a part in a process of their own, in a copy of the tree."""

    pid: int
    until: float

    def ended(self) -> int | None:
        """How pytest ended, 0 where everything passed; None while it runs. What takes too long is ended."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > self.until:
            os.kill(self.pid, signal.SIGKILL)
        return None


def start(tree: Path, tests: Sequence[str], seconds: float) -> Run:
    """Runs pytest in a fork, which has the heavy modules already and of ours none."""
    pid = os.fork()
    if pid:
        return Run(pid, time.monotonic() + seconds)
    try:
        os.chdir(tree)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        os.environ["CI"] = "1"  # the laws ask the same every time
        sys.path[:0] = [str(tree / "src"), str(tree)]
        for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "trialwright")]:
            del sys.modules[name]
        quiet = ["-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        os._exit(importlib.import_module("pytest").main([*quiet, *tests]))
    finally:
        os._exit(70)


@dataclass(slots=True)
class Trial:
    """One mutant in one tree: the quick tests first, and the others if it passes those."""

    mutant: Mutant
    part: Part
    tree: Path
    run: Run
    more: list[tuple[str, ...]]


def trials(wanted: Sequence[tuple[str, Mutant]], trees: list[Path]) -> Iterator[Mutant]:
    """The mutants that no test notices."""
    waiting, running = list(reversed(wanted)), list[Trial]()
    seconds = {name: _usual(PARTS[name], trees[0]) for name in dict.fromkeys(name for name, _ in wanted)}
    while waiting or running:
        while waiting and trees:
            name, mutant = waiting.pop()
            part, tree = PARTS[name], trees.pop()
            _write(tree / mutant.file, mutant.applied())
            running.append(Trial(mutant, part, tree, start(tree, part.first, seconds[name]), [part.then]))
        time.sleep(0.05)
        for trial in list(running):
            code = trial.run.ended()
            if code == 0 and trial.more:
                trial.run = start(trial.tree, trial.more.pop(), 20 * 60)
            elif code is not None:
                running.remove(trial)
                _write(trial.tree / trial.mutant.file, trial.mutant.source)
                trees.append(trial.tree)
                if code == 0:
                    yield trial.mutant


def _write(file: Path, source: bytes) -> None:
    """Writes a module, and forgets what Python compiled of it: two texts of one second may have one length."""
    file.write_bytes(source)
    Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)


def _copy(folder: Path) -> Path:
    folder.mkdir()
    for name in COPIED:
        one = ROOT / name
        (shutil.copytree if one.is_dir() else shutil.copy2)(one, folder / name)
    return folder


def _usual(part: Part, tree: Path) -> float:
    """How long the quick tests of a part may take: much longer than as things are. All of its tests must pass."""
    taken = []
    for tests in (part.first, part.then):
        started, run = time.monotonic(), start(tree, tests, 3600)
        while (code := run.ended()) is None:
            time.sleep(0.05)
        if code:
            sys.exit(f"without any change, `pytest {' '.join(tests)}` does not pass")
        taken.append(time.monotonic() - started)
    return 10 * taken[0] + 30


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutate")
    parser.add_argument("--mutants", type=int, default=200, help="how many, of all that there are")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--part", action="append", choices=PARTS, help="only these parts of the language")
    options = parser.parse_args(words)
    every = [
        (name, one)
        for name in options.part or PARTS
        for pattern in PARTS[name].files
        for file in sorted((ROOT / LANGUAGE).glob(f"{pattern}.py"))
        for one in mutants(file.relative_to(ROOT), file.read_bytes())
    ]
    sample = Random(options.seed).sample(every, min(options.mutants, len(every)))
    reviewed = {(one["file"], one["from"], one["to"]) for one in yaml.safe_load(REVIEWED.read_text("utf-8"))}
    if not options.part and (gone := sorted(reviewed - {one.change() for _, one in every})):
        sys.exit(f"{REVIEWED.name} speaks of what is no longer there: {gone}")
    for name in _HEAVY:
        importlib.import_module(name)
    started, known, new = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory(prefix="trialwright-mutants-") as folder:
        for mutant in trials(sample, [_copy(Path(folder) / str(number)) for number in range(options.jobs)]):
            if mutant.change() in reviewed:
                known += 1
            else:
                new += 1
                _, before, after = mutant.change()
                _say(f"{mutant.file}:{mutant.line}\n  - {before}\n  + {after}")
    _say(
        f"{len(sample)} of {len(every)} mutants in {(time.monotonic() - started) / 60:.0f} min: "
        f"{len(sample) - new - known} noticed, {known} that nobody can notice, {new} that no test noticed"
    )
    return 1 if new else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
