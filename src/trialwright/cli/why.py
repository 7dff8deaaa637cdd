"""`trialwright why LEDGER THING`: the events, rules and sentences of the record that a number or decision rests on."""

from __future__ import annotations

import argparse

from trialwright.cli import output


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("ledger", help="the ledger: a file, or postgresql://...")
    parser.add_argument(
        "thing",
        help="a figure of report.json (clinical_pregnancy.cells), a participant (P-007), P-007/clinical_pregnancy, "
        "P-007/eligibility, P-007/product, a unit, lot, donor or alert (U-001, L-002, D-001, A1), or an event number",
    )


def run(options: argparse.Namespace) -> int:
    """Print the chain from the thing down to events and words of the record."""
    from trialwright.ledger.store import open_ledger
    from trialwright.report.study import open_study
    from trialwright.report.why import why

    with open_ledger(options.ledger) as ledger:
        study = open_study(ledger)
        lines = why(study, ledger, options.thing)
        virtual = ledger.header.kind == "virtual"
    if options.json:
        output.emit(
            {
                "virtual": virtual,
                "thing": options.thing,
                "lines": [
                    {"depth": line.depth, "text": line.text, "events": list(line.events), "record": list(line.record)}
                    for line in lines
                ],
            }
        )
        return 0
    if virtual:
        print("virtual data")
    for line in lines:
        events = f"  [events {', '.join(map(str, line.events))}]" if line.events else ""
        print("  " * line.depth + line.text + events)
        for words in line.record:
            print("  " * (line.depth + 1) + f"record: “{words}”")
    return 0
