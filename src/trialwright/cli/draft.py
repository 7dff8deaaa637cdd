"""`trialwright draft RECORD --out DIR`: a protocol folder from a registry record."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trialwright.cli import configuration, output
from trialwright.cli.studies import study_at

if TYPE_CHECKING:
    from trialwright.core.finding import Finding
    from trialwright.registry.draft import Drafted


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("record", help="registry record: a saved page, v2 JSON or legacy XML (`-` for standard input)")
    parser.add_argument("--out", metavar="DIR", default="", help="folder to write (default: the registry number)")
    parser.add_argument("--force", action="store_true", help="replace the files of a folder that is there already")
    parser.add_argument(
        "--model",
        metavar="COMMAND",
        default="",
        help="command of a language model, asked for what the rules do not understand",
    )


def run(options: argparse.Namespace) -> int:
    """Draft, write the folder, and say what is open and what a rehearsal would stop at."""
    from trialwright.protocol.coverage import coverage, totals
    from trialwright.registry.criteria_model import proposed
    from trialwright.registry.draft import draft
    from trialwright.registry.draft_folder import write

    study, page = study_at(options.record)
    drafted = draft(study, page)
    proposals: list[Finding] = []
    if options.model:
        output.progress("asking the language model")
        drafts, proposals = proposed(drafted.criteria, options.model)
        output.progress("")
        drafted = draft(study, page, drafts)
    document = drafted.protocol.document
    out = Path(options.out or document.trial.lower())
    write(drafted.files, out, options.force)
    sentences = totals(coverage(drafted.protocol)[0])
    configuration.log("drafted", trial=document.trial, questions=len(drafted.questions))
    if options.json:
        output.emit(
            {
                "trial": document.trial,
                "out": str(out),
                "criteria": [
                    {
                        "name": one.name,
                        "kind": one.kind,
                        "text": one.text,
                        "start": one.start,
                        "end": one.end,
                        "rule": one.rule,
                        "by": one.by,
                        "confidence": one.confidence,
                        "questions": list(one.questions),
                        "proposal": one.proposal,
                    }
                    for one in drafted.criteria
                ],
                "questions": {name: document.assumptions[name].silent for name in drafted.questions},
                "blocking": {name: list(blocks) for name, blocks in drafted.blocking.items()},
                "coverage": sentences,
                "findings": [output.finding_json(one) for one in proposals],
            }
        )
        return 0
    _say(drafted, sentences)
    output.findings(proposals)
    print(f"{out} written; read it with: trialwright check {out}")
    return 0


def _say(drafted: Drafted, sentences: dict[str, int]) -> None:
    document = drafted.protocol.document
    print(f"{document.trial}: {document.title}")
    for one in drafted.criteria:
        print(f"  {one.name:5} {one.confidence:6}  {one.by:10}  {one.rule}")
    counts = ", ".join(f"{count} {account}" for account, count in sentences.items())
    parts = (("arm", document.arms), ("intervention", document.interventions), ("endpoint", document.endpoints))
    print(f"  {', '.join(output.plural(len(part), name) for name, part in parts)}")
    print(f"  record: {output.plural(sum(sentences.values()), 'sentence')}: {counts}")
    print(f"  {output.plural(len(drafted.questions), 'open question')}")
    for name, blocks in drafted.blocking.items():
        print(f"  a rehearsal stops at `{name}`, which blocks {', '.join(blocks)}: {document.assumptions[name].silent}")
