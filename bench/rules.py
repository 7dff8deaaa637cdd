"""The language: a protocol read and checked, and participants held against its criteria; CPU time, by one thread."""

from __future__ import annotations

import time
import timeit
from collections.abc import Iterator
from functools import partial
from statistics import fmean

from bench.row import Row, below, child, cpu_seconds, each
from bench.workplace import PROTOCOLS, Workplace
from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.language.evaluate import evaluate
from trialwright.language.explain import lines
from trialwright.language.facts import Facts
from trialwright.protocol.eligibility import determine
from trialwright.protocol.load import load
from trialwright.protocol.protocol import Protocol
from trialwright.trial.facts import facts_of
from trialwright.trial.fold import fold_participant

_REPEATS = 200


def rows(at: Workplace) -> list[Row]:
    """Reading the protocol; and each participant on the day on which her eligibility was determined."""
    protocol = at.sample.protocol
    return [*_reading(at), *_determinations(at, protocol), *_single(at, protocol)]


def _reading(at: Workplace) -> Iterator[Row]:
    for place in PROTOCOLS:
        first = tuple(child("first_load", place)[0] for _ in range(at.runs))
        again = each(at.runs, partial(load, place), clock=cpu_seconds)
        yield Row(f"parse and check {place.name}, first after the import", "CPU ms", first, below(100))
        yield Row(f"parse and check {place.name}, again", "CPU ms", tuple(taken * 1e3 for taken in again), below(100))


def _determinations(at: Workplace, protocol: Protocol) -> list[Row]:
    fresh: list[float] = []
    again: list[float] = []
    told: list[float] = []
    for _ in range(at.runs):
        everybody = _facts(at, protocol)

        def determined(everybody: list[tuple[Facts, PartialDate]] = everybody) -> None:
            for facts, when in everybody:
                determine(protocol, facts, when)

        def explained(everybody: list[tuple[Facts, PartialDate]] = everybody) -> None:
            for facts, when in everybody:
                for one in determine(protocol, facts, when).answers:
                    list(lines(one.explanation))

        for taken, work in ((fresh, determined), (again, determined), (told, explained)):
            taken.append(cpu_seconds(work) / len(everybody) * 1e3)
    number = len(protocol.criteria)
    return [
        Row(f"one participant, {number} criteria, values decoded on the way", "CPU ms", tuple(fresh), below(1)),
        Row(f"one participant, {number} criteria, values decoded before", "CPU ms", tuple(again), below(1)),
        Row("  the same, explanation as text too", "CPU ms", tuple(told), below(1)),
    ]


def _single(at: Workplace, protocol: Protocol) -> list[Row]:
    facts, when = _facts(at, protocol)[0]
    times = {}
    for criterion in protocol.criteria:
        clock = timeit.Timer(partial(evaluate, criterion.rule, facts, when), timer=time.process_time)
        times[criterion.name] = [taken / _REPEATS * 1e6 for taken in clock.repeat(at.runs, _REPEATS)]
    slowest = max(times, key=lambda name: fmean(times[name]))
    mean = tuple(fmean(run) for run in zip(*times.values(), strict=True))
    return [
        Row("one criterion, mean", "CPU µs", mean),
        Row("one criterion, the slowest", "CPU µs", tuple(times[slowest]), note=slowest),
    ]


def _facts(at: Workplace, protocol: Protocol) -> list[tuple[Facts, PartialDate]]:
    folded = [fold_participant(identity, events) for identity, events in at.sample.participants.items()]
    return [(facts_of(protocol, one), partial_date(one.determinations[-1].on)) for one in folded if one.determinations]
