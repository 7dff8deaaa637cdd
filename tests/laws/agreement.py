"""Holds `compile` against `evaluate`: arbitrary expressions, a crowd for each, every answer compared.

    python -m tests.laws.agreement --examples 20000 --seed 1

writes the long run; the first differences are printed with the seed that makes them again. `--engine spark` does it on
Spark (`PYTHONPATH=.venv/spark`, after `make spark`).
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.laws.strategies import VOCABULARY, crowd, expression, typed
from tests.spark.session import spark
from tests.spec.compiled import compiled_answers, duckdb, same
from trialwright.core.partial_date import PartialDate
from trialwright.language.evaluate import evaluate
from trialwright.language.facts import Facts
from trialwright.language.typed import Typed
from trialwright.language.values import Value

BATCH = 20
CROWD = 100
ENGINES: dict[str, Callable[[], Any]] = {"duckdb": duckdb, "spark": spark}


@dataclass(frozen=True, slots=True)
class Difference:
    """One participant to whom the two interpreters answer differently."""

    seed: int
    participant: str
    expression: str
    evaluated: Value
    compiled: Value


def differences(
    seed: int, connection: Any = None, expressions: int = BATCH, size: int = CROWD, points_only: bool = False
) -> list[Difference]:
    """Every difference of one batch: a crowd from the seed, and expressions asked of all of it in one query."""
    random = Random(seed)
    people = crowd(random, size, points_only)
    return _compared(seed, people, [expression(random) for _ in range(expressions)], connection, points_only)


def differences_of(texts: Sequence[str], seed: int, size: int, connection: Any = None) -> list[Difference]:
    """Every difference of some expressions over a crowd."""
    return _compared(seed, crowd(Random(seed), size), [(text, typed(text)) for text in texts], connection, False)


def _compared(
    seed: int,
    people: Mapping[str, tuple[Facts, PartialDate]],
    asked: Sequence[tuple[str, Typed]],
    connection: Any,
    points_only: bool,
) -> list[Difference]:
    rules = {f"x{number}": rule for number, (_, rule) in enumerate(asked)}
    found = compiled_answers(connection or duckdb(), VOCABULARY, people, rules, points_only)
    return [
        Difference(seed, participant, text, expected, found[participant, name])
        for name, (text, rule) in zip(rules, asked, strict=True)
        for participant, (facts, when) in people.items()
        if not same(expected := evaluate(rule, facts, when).value, found[participant, name])
    ]


def run(
    examples: int, seed: int, points_only: bool = False, connection: Any = None
) -> Iterator[tuple[int, list[Difference]]]:
    """Batch after batch, with how many expressions were asked so far."""
    for number in range(-(-examples // BATCH)):
        yield (number + 1) * BATCH, differences(seed + number, connection, points_only=points_only)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.laws.agreement")
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--points-only", action="store_true")
    parser.add_argument("--engine", choices=ENGINES, default="duckdb")
    options = parser.parse_args(words)
    connection = ENGINES[options.engine]()
    started, wrong = time.monotonic(), 0
    gc.disable()  # a query is a graph of many small objects that live as long as it
    for asked, found in run(options.examples, options.seed, options.points_only, connection):
        wrong += len(found)
        gc.collect()
        for one in {one.expression: one for one in found}.values():
            _say(f"seed {one.seed} {one.participant}: {one.expression}\n  {one.evaluated}\n  {one.compiled}")
        if asked % 1000 == 0 or asked >= options.examples:
            taken = time.monotonic() - started
            _say(f"{asked} expressions, {CROWD} participants each, {wrong} differences, {taken:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
