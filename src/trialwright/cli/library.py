"""`trialwright library add|update|list --library DIR`: the registry records that `related` searches."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from trialwright.cli import configuration, output
from trialwright.core.finding import Refused, finding

if TYPE_CHECKING:
    from trialwright.registry.library import Added


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument(
        "action", choices=["add", "update", "list"], help="add records, read changed files again, or list"
    )
    parser.add_argument("records", nargs="*", help="with add: files and folders with ClinicalTrials.gov v2 records")
    parser.add_argument("--library", metavar="DIR", default="library", help="folder of the library (default: library)")


def run(options: argparse.Namespace) -> int:
    """Do it, and say what the library holds."""
    try:
        from trialwright.registry.library import add, held, update
    except ModuleNotFoundError as wrong:
        raise Refused(finding("engine_missing")) from wrong

    folder = Path(options.library)
    if (options.action == "add") != bool(options.records):
        expected = "files or folders with records" if options.action == "add" else "no records; they are known to it"
        raise Refused(
            finding(
                "option_wrong",
                option=f"library {options.action}",
                given=" ".join(options.records) or "nothing",
                expected=expected,
            )
        )
    started = time.monotonic()
    done: Added | None = None
    if options.action == "add":
        done = add(folder, options.records, output.progress)
    elif options.action == "update":
        done = update(folder, output.progress)
    count, sources = held(folder)
    configuration.log("library", action=options.action, records=count)
    if options.json:
        read = {key: value for key, value in asdict(done).items() if key != "findings"} if done else None
        found = [output.finding_json(one) for one in done.findings] if done else []
        output.emit(
            {
                "library": str(folder),
                "records": count,
                "sources": [asdict(one) for one in sources],
                "read": read,
                "findings": found,
            }
        )
        return 0
    if done is None:
        for one in sources:
            print(f"{one.records:8}  {one.path}")
    else:
        output.findings(done.findings)
        print(
            f"{done.new} new, {done.changed} changed, {done.same} as before, {done.skipped} skipped; "
            f"{output.plural(done.unread, 'file')} unchanged; {time.monotonic() - started:.1f} s"
        )
    print(f"{folder}: {output.plural(count, 'record')} from {output.plural(len(sources), 'file')}")
    return 0
