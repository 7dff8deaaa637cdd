"""The compiled interpreter answers as the reference does, for everybody in a crowd, whatever is asked.

`python -m tests.laws.agreement` runs the same for as long as wanted.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.laws.agreement import BATCH, CROWD, differences, differences_of
from trialwright.core.interval import Interval
from trialwright.language.values import Amount

SEEDS = range(8)  # the long run asks more


@pytest.fixture(autouse=True)
def _without_collecting() -> Iterator[None]:
    """A query is a graph of a hundred thousand small objects that live as long as it: collecting them finds none."""
    gc.disable()
    yield
    gc.enable()
    gc.collect()


@pytest.mark.parametrize("seed", SEEDS)
def test_compile_answers_as_evaluate_does(seed: int) -> None:
    assert differences(seed) == []


@pytest.mark.parametrize("seed", [100, 101, 922])
def test_points_without_ends_answer_as_evaluate_does(seed: int) -> None:
    assert differences(seed, points_only=True) == []


#: What depends on the order of several members, or on each of them, is rare in a small crowd.
RARE = [
    "longest_run(note satisfies size > 1)",
    "longest_run(embryo where alive satisfies grade = good)",
    "longest_run(a satisfies a > 1)",
    "longest_run(f within 6 months satisfies f)",
    "count(cycle where longest_run(embryo satisfies day > 1) >= 2)",
    "share(embryo where alive satisfies day >= 2)",
    "every(biopsy satisfies cycle.fever or embryo.alive)",
    "max(embryo.day where alive)",
    "mean(embryo.cells where grade = good)",
    "latest(cycle where fever).rate",
    "k",
    "known(k)",
    "s = k",
]


def test_what_is_rare_agrees_in_a_large_crowd() -> None:
    assert differences_of(RARE, 7, 1500) == []


def test_a_planted_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open end taken for a closed one changes somebody's answer in the first crowds."""

    def forgetful(low: object, high: object, *_: object, **rest: object) -> Interval:
        return Interval(low, high)  # type: ignore[arg-type]

    monkeypatch.setattr("trialwright.language.combining.iv.add", lambda x, y: forgetful(x.low + y.low, x.high + y.high))
    assert any(isinstance(one.evaluated, Amount) for seed in (0, 1, 3) for one in differences(seed))


def test_the_crowds_are_large() -> None:
    assert len(SEEDS) * BATCH >= 160
    assert CROWD >= 100
