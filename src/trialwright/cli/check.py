"""`trialwright check PROTOCOL`: what is wrong with a protocol, before the first participant finds out."""

from __future__ import annotations

import argparse

from trialwright.cli import output


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("protocol", help="folder of the protocol")


def run(options: argparse.Namespace) -> int:
    """Print every finding; 1 where one is an error."""
    from trialwright.protocol.cases import Case, run_cases
    from trialwright.protocol.check import lint
    from trialwright.protocol.load import load

    protocol, found = load(options.protocol)
    cases: list[Case] = []
    if protocol is not None:
        cases, differing = run_cases(protocol, options.protocol)
        found = [*found, *lint(protocol), *differing]
    elif any(one.code in ("file_missing", "file_unreadable") for one in found):
        output.refuse(found, options.json)
        return 2
    if options.json:
        output.emit(
            {
                "protocol": None if protocol is None else protocol.document.trial,
                "digest": None if protocol is None else protocol.digest,
                "cases": len(cases),
                "findings": [output.finding_json(one) for one in found],
            }
        )
    else:
        output.findings(found)
        grades = [one.grade.value for one in found]
        counts = ", ".join(output.plural(grades.count(grade), grade) for grade in ("error", "warning", "note"))
        print(f"{options.protocol}: {counts}; {output.plural(len(cases), 'case')} run")
    return 1 if output.has_errors(found) else 0
