"""`python -m bench [NAME...]`: the speed table, or some groups of it."""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import appending, folding, interpreters, library, processes, records, reports, rules, table, trials, web
from bench.row import Row
from bench.workplace import Workplace
from trialwright.cli.main import GARBAGE

GROUPS: dict[str, Callable[[Workplace], list[Row]]] = {
    "commands": processes.rows,
    "fold": folding.rows,
    "append": appending.rows,
    "language": rules.rows,
    "solve": interpreters.proofs,
    "compile": interpreters.populations,
    "report": reports.rows,
    "trials": trials.rows,
    "library": library.rows,
    "records": records.rows,
    "web": web.rows,
}


def main() -> int:
    """Measure and print; a missed target is shown, and is no failure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="How long the work of a trial takes here.")
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"groups of rows: {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each row (default: 5)")
    parser.add_argument("--long", action="store_true", help="also what takes minutes: a million participants")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in GROUPS]
    if unknown or options.runs < 1:
        parser.error(f"there is no group {', '.join(unknown)}" if unknown else "at least one run is needed")
    measured_on = table.machine()
    gc.set_threshold(GARBAGE)  # as every verb does
    groups: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory(prefix="trialwright-bench-", ignore_cleanup_errors=True) as folder:
        at = Workplace(Path(folder), options.runs, options.long)
        for name in options.names or GROUPS:
            if sys.stderr.isatty():
                print(f"\r\033[K{name} ...", end="", file=sys.stderr, flush=True)
            groups[name] = GROUPS[name](at)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps(table.data(groups, measured_on, options.runs), ensure_ascii=False, indent=2))
    else:
        print(table.text(groups, measured_on, options.runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
