"""A child process: one cold rehearsal, with clocks around the ledger's writing and around the fold.

python -m bench.shares PROTOCOL OUT    # prints the seconds of both
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Callable
from typing import Any

from trialwright.cli.main import main
from trialwright.ledger.writer import Writer
from trialwright.trial import memory


class Clock:
    """The time spent in some functions; in one that another of them calls, it is counted once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._running = False

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with its time counted."""

        def timed(*arguments: Any, **named: Any) -> Any:
            if self._running:
                return function(*arguments, **named)
            self._running = True
            started = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds += time.perf_counter() - started
                self._running = False

        return timed


def measure(protocol: str, out: str) -> tuple[float, float]:
    """The seconds that a rehearsal with its report spends in the ledger and in the fold."""
    ledger, fold = Clock(), Clock()
    for clock, owner, names in (
        (ledger, Writer, ("append", "flush", "outcome")),
        (fold, memory, ("apply", "apply_trial", "fold_participant", "fold_trial")),
    ):
        for name in names:
            setattr(owner, name, clock.around(getattr(owner, name)))
    with contextlib.redirect_stdout(io.StringIO()):
        code = main(["rehearse", protocol, "--out", out])
    if code:
        sys.exit(code)
    return ledger.seconds, fold.seconds


if __name__ == "__main__":
    print(*measure(*sys.argv[1:3]))
