"""`trialwright coverage PROTOCOL`: what becomes of every sentence of the registry record."""

from __future__ import annotations

import argparse

from trialwright.cli import output
from trialwright.cli.loading import protocol_at


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("protocol", help="folder of the protocol")
    parser.add_argument("--all", action="store_true", help="show furniture of the page too")


def run(options: argparse.Namespace) -> int:
    """Print each sentence with its account; 1 where a sentence is dropped or misquoted."""
    from trialwright.protocol.coverage import coverage, totals

    sentences, found = coverage(protocol_at(options.protocol))
    if options.json:
        output.emit(
            {
                "totals": totals(sentences),
                "sentences": [
                    {"line": s.line, "text": s.text, "account": s.account, "by": list(s.by), "dropped": s.dropped}
                    for s in sentences
                ],
                "findings": [output.finding_json(one) for one in found],
            }
        )
        return 1 if found else 0
    for sentence in sentences:
        if sentence.account != "furniture" or options.all:
            print(f"{sentence.line:4}  {sentence.account:9}  {sentence.text}")
            if sentence.by and sentence.account != "furniture":
                print(f"{'':17}by {', '.join(sentence.by)}")
    output.findings(found)
    counts = ", ".join(f"{count} {account}" for account, count in totals(sentences).items())
    print(f"{output.plural(len(sentences), 'sentence')}: {counts}")
    return 1 if found else 0
