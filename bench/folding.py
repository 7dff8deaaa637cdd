"""The fold: participants from decoded events, one at a time, however many there are."""

from __future__ import annotations

import timeit
from pathlib import Path

from bench.row import Row, at_least, below, child, each
from bench.workplace import Workplace
from trialwright.ledger.store import open_ledger
from trialwright.trial.fold import fold_participant
from trialwright.trial.office import whole_state

#: The events of the participant whose fold has a target of its own.
_SIZE = 40
#: How many participants, and at most how many runs of so many.
_SCALES = ((100, 99), (1_000, 99), (10_000, 3), (100_000, 1))
#: Time and memory for any number of participants, as multiples of those for the smallest.
_LINEAR = 1.5


def rows(at: Workplace) -> list[Row]:
    """The rate over a whole ledger, one participant, and the growth with their number."""
    sample = at.sample
    total = sum(len(events) for events in sample.participants.values())

    def everybody() -> None:
        for identity, events in sample.participants.items():
            fold_participant(identity, events)

    rate = tuple(total / taken for taken in each(at.runs, everybody))
    identity, events = next((name, list[:_SIZE]) for name, list in sample.participants.items() if len(list) >= _SIZE)
    clock = timeit.Timer(lambda: fold_participant(identity, events))
    one = tuple(taken / 1000 * 1e6 for taken in clock.repeat(at.runs, 1000))

    def whole() -> None:
        with open_ledger(sample.place) as ledger:
            whole_state(ledger)

    read = tuple(len(sample.events) / taken for taken in each(at.runs, whole))
    return [
        Row("fold of decoded events, all participants", "events/s", rate, at_least(200_000)),
        Row(f"fold of one participant of {_SIZE} events", "µs", one, below(300)),
        Row("whole state of a ledger: read, decode, fold", "events/s", read),
        *_growth(at, sample.place),
    ]


def _growth(at: Workplace, place: Path) -> list[Row]:
    times: list[Row] = []
    peaks: list[Row] = []
    for size, most in _SCALES:
        found = [child("scaling", place, str(size)) for _ in range(min(at.runs, most))]
        taken, peak = zip(*found, strict=True)
        runs = f"{len(found)} run" + ("s" if len(found) > 1 else "")
        slowest = below(_LINEAR * times[0].median) if times else None
        largest = below(_LINEAR * peaks[0].median) if peaks else None
        times.append(Row(f"fold per participant, {size:,} of them", "µs", taken, slowest, runs))
        peaks.append(Row(f"peak memory of the process, {size:,} participants", "MB", peak, largest, runs))
    return [*times, *peaks]
