"""What takes longer than a page may: made one at a time beside the requests, and kept until the ledger has grown."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWorking
from dataclasses import dataclass, field
from typing import TypeAlias
from weakref import WeakKeyDictionary

from trialwright.web.desk import Desk

Files: TypeAlias = Mapping[str, bytes]
#: Is told what is being done now.
Tell: TypeAlias = Callable[[str], None]

#: How long a request waits for something to be made before it shows progress instead.
PATIENCE = 1.0


@dataclass(slots=True)
class Job:
    """One thing that is made: of which state of the ledger, what is done now, since when, and what came of it."""

    head: str
    begun: float
    step: str = "waits for its turn"
    result: Future[Files] = field(default_factory=Future)

    def files(self, patience: float = PATIENCE) -> Files | None:
        """What was made; None where it is still being made. What went wrong is raised."""
        try:
            return self.result.result(patience)
        except StillWorking:
            return None

    def seconds(self) -> int:
        """How long it has been asked for."""
        return int(time.monotonic() - self.begun)


class Workshop:
    """The jobs of one desk, the last of each name."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "workshop")
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def ask(self, name: str, head: str, make: Callable[[Tell], Files]) -> Job:
        """The job of a name for this state of the ledger: the one that is there, or a new one."""
        with self._lock:
            job = self._jobs.get(name)
            failed = job is not None and job.result.done() and job.result.exception() is not None
            if job is None or job.head != head or failed:
                job = Job(head, time.monotonic())
                self._jobs[name] = job

                def tell(step: str, job: Job = job) -> None:
                    job.step = step

                job.result = self._pool.submit(make, tell)
            return job


_WORKSHOPS: WeakKeyDictionary[Desk, Workshop] = WeakKeyDictionary()
_LOCK = threading.Lock()


def workshop(desk: Desk) -> Workshop:
    """The workshop of a desk."""
    with _LOCK:
        return _WORKSHOPS.setdefault(desk, Workshop())
