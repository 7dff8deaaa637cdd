"""The command `trialwright`: finds the verb, runs it, and turns refusals into sentences and exit codes."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import importlib
import os
import sys
import time
from collections.abc import Sequence

from trialwright import __version__

#: One file per verb; a verb's module is imported only when it is asked for, so that `--help` is quick.
VERBS = {
    "read": "what a registry record says, where each field was found, and what is doubtful in it",
    "draft": "a protocol folder from a registry record: what was read is executed, what was not is a question",
    "check": "findings of a protocol: names, types, units, quotations, what nobody collects",
    "coverage": "what becomes of every sentence of the registry record",
    "screen": "whether a participant fits, criterion by criterion, and why",
    "rehearse": "the whole trial with virtual women, through the pipeline of the real one, and its report",
    "design": "how good the analysis is before the first participant: coverage, error, power, boundaries",
    "serve": "the trial in a browser: what is due, screening, forms, product, safety, the audit trail",
    "report": "the study report of a ledger",
    "related": "the nearest trials of a library, and why each is near",
    "library": "registry records kept for `related`: add, update, list",
    "verify": "whether a ledger is intact, or the first difference",
    "why": "what a number or a decision rests on: events, rules, sentences of the record",
}

DONE, DOES_NOT_HOLD, CANNOT_RUN = 0, 1, 2
#: Objects between two walks of the collector: a verb is short-lived, and most of what it makes stays until its end.
GARBAGE = 200_000
#: What a shell expects of a program that ended on Ctrl-C.
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb. Returns 0 done, 1 the thing asked about does not hold, 2 cannot run, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    verb = next((word for word in words if not word.startswith("-")), "")
    parser = _parser(verb)
    options = parser.parse_args(words)
    if not options.verb:
        parser.print_help()
        return CANNOT_RUN
    from trialwright.cli import configuration, output
    from trialwright.core.finding import Refused

    gc.set_threshold(GARBAGE)
    atexit.register(gc.freeze)  # what is left at the end goes with the process: nobody walks through it once more
    started = time.monotonic()
    code = CANNOT_RUN
    refused_for: list[str] = []
    try:
        configuration.start(options.config)
        module = importlib.import_module(f"trialwright.cli.{options.verb}")
        with contextlib.redirect_stdout(output.Shown(sys.stdout)):
            code = int(module.run(options))
    except Refused as refused:
        output.refuse(refused.findings, as_json=options.json)
        refused_for = sorted({found.code for found in refused.findings})
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = INTERRUPTED
    except BrokenPipeError:  # the reader, a pager perhaps, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = DONE
    seconds = round(time.monotonic() - started, 3)
    configuration.log("verb", verb=options.verb, code=code, refused=refused_for, seconds=seconds)
    return code


def _parser(verb: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trialwright",
        description="Write the protocol once; rehearse the trial, run it, report it.",
        epilog="Exit codes: 0 done; 1 the thing asked about does not hold; 2 cannot run, with what to mend; "
        "130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"trialwright {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    for name, summary in VERBS.items():
        one = verbs.add_parser(name, help=summary, description=summary.capitalize() + ".")
        one.add_argument("--json", action="store_true", help="print JSON for machines")
        one.add_argument("--config", metavar="FILE", default="", help="configuration file (default: trialwright.toml)")
        if name == verb:
            importlib.import_module(f"trialwright.cli.{name}").arguments(one)
    return parser
