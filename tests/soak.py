"""Random histories of a whole trial, as many as asked for: `python -m tests.soak --histories 10000 --seed 1`."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.laws.chain import TALLY, Chain

BATCH = 250
#: Nothing is explained or replayed: a failure is shrunk and told as commands.
PHASES = (Phase.generate, Phase.shrink)


def run(histories: int, first_seed: int, steps: int, keep_going: bool) -> int:
    """Batches of histories until there are enough; how many of them failed. A failure is shrunk and told."""
    started, failed = time.monotonic(), 0
    for batch in range(-(-histories // BATCH)):
        chosen = settings(
            max_examples=min(BATCH, histories - batch * BATCH),
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=False,
            phases=PHASES,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        try:
            run_state_machine_as_test(seed(first_seed * 1_000_000 + batch)(Chain), settings=chosen)
        except BaseException as wrong:
            sys.stdout.write("\n".join(TALLY.newest) + "\n")
            if not keep_going or isinstance(wrong, KeyboardInterrupt):
                raise
            traceback.print_exc(limit=-3, file=sys.stdout)
            failed += 1
        commands = TALLY.accepted.total() + TALLY.commands_refused
        spent = time.monotonic() - started
        sys.stdout.write(f"{TALLY.histories} histories, {commands} commands, {spent:.0f} s\n")
        sys.stdout.flush()
    return failed


def summary() -> str:
    """What the histories did: commands accepted and refused, and what was reached."""
    lines = [f"{TALLY.histories} histories", f"{TALLY.accepted.total()} commands accepted"]
    lines += _lines(TALLY.accepted)
    lines += [f"{TALLY.commands_refused} commands refused, by code of their findings", *_lines(TALLY.refused)]
    lines += ["histories that reached", *_lines(TALLY.reached)]
    return "\n".join(lines) + "\n"


def _lines(counted: Counter[str]) -> list[str]:
    return [f"  {number:>9}  {name}" for name, number in counted.most_common()]


def main() -> int:
    """Run the histories, and say what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=24, help="rules per history; a rule gives one to nine commands")
    parser.add_argument("--keep-going", action="store_true", help="go on with the next batch after a failure")
    options = parser.parse_args()
    try:
        failed = run(options.histories, options.seed, options.steps, options.keep_going)
    finally:
        sys.stdout.write(summary())
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
