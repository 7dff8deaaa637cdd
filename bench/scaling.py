"""A child process: the streams of a ledger, replicated under other identities and folded one at a time.

python -m bench.scaling LEDGER NUMBER    # prints microseconds per participant and the peak memory in MB
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from bench.workplace import read
from trialwright.ledger.envelope import Event
from trialwright.trial.events import participant_stream
from trialwright.trial.fold import fold_participant


def measure(place: str, number: int) -> tuple[float, float]:
    """Time of folding per participant, making the replicas not counted, and the peak memory of this process."""
    _, participants = read(place)
    spent = 0.0
    for identity, events in replicas(list(participants.values()), number):
        started = time.perf_counter()
        fold_participant(identity, events)
        spent += time.perf_counter() - started
    return spent / number * 1e6, peak()


def replicas(streams: list[list[Event]], number: int) -> Iterator[tuple[str, list[Event]]]:
    """So many participants with the events of the sample's, each under an identity of its own."""
    for index, events in enumerate(islice(cycle(streams), number), 1):
        identity = f"R-{index:06}"
        stream = participant_stream(identity)
        yield identity, [replace(event, stream=stream) for event in events]


def peak() -> float:
    """In MB. Linux hands the peak of `getrusage` down from the process that started this one; its own is in /proc."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


if __name__ == "__main__":
    print(*measure(sys.argv[1], int(sys.argv[2])))
