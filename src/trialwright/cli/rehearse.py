"""`trialwright rehearse PROTOCOL --out DIR`: the whole trial with virtual women, and its report."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from trialwright import __version__
from trialwright.analysis.libraries import LIBRARIES
from trialwright.cli import configuration, output
from trialwright.cli.loading import protocol_at
from trialwright.core.finding import Refused, finding
from trialwright.core.second_process import second_process

if TYPE_CHECKING:
    from trialwright.ledger.seal import SealedList
    from trialwright.protocol.protocol import Protocol
    from trialwright.rehearsal.rehearse import Rehearsed
    from trialwright.report.study import Study


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("protocol", help="folder of the protocol, with its rehearsal.yaml")
    parser.add_argument("--out", metavar="DIR", default="out", help="folder to write into (default: out)")
    parser.add_argument("--seed", type=int, default=1, help="seed of all chance (default: 1)")
    parser.add_argument("--scenario", metavar="NAME", default="", help="scenario of rehearsal.yaml (default: its own)")
    parser.add_argument("--pdf", action="store_true", help="write report.pdf too, which needs the extra `pdf`")
    parser.add_argument(
        "--answer", metavar="QUESTION=ANSWER", action="append", default=[], help="answer an open question another way"
    )


def run(options: argparse.Namespace) -> int:
    """Rehearse, write the report, and say where it is."""
    from trialwright.ledger.store import Header, create
    from trialwright.rehearsal.model import load_model
    from trialwright.rehearsal.rehearse import rehearse, unanswered
    from trialwright.report.write import replacing, write_report

    started = time.monotonic()
    if options.seed < 0:
        raise Refused(finding("option_wrong", option="--seed", given=options.seed, expected="a whole number from 0"))
    protocol = protocol_at(options.protocol)
    folder = Path(options.protocol)
    model = load_model(
        protocol, folder if folder.is_dir() else folder.parent, options.scenario, _answers(options.answer)
    )
    missing = unanswered(protocol, model)
    if missing:
        raise Refused(*missing)
    scenario = options.scenario or model.document.scenario
    header = Header("virtual", protocol.document.trial, protocol.digest, __version__, options.seed, scenario)
    out = Path(options.out)
    opened = f"{model.document.start}T00:00:00Z"
    with (
        second_process(*LIBRARIES),
        replacing(out) as fresh,
        create(fresh / "ledger.db", header, opened) as ledger,
    ):
        sealed = _sealed(protocol, fresh, options.seed)
        done = rehearse(protocol, model, ledger, options.seed, scenario, output.progress, sealed)
        output.progress("writing the report")
        study = write_report(ledger, fresh, protocol=protocol, pdf=options.pdf)
        output.progress("")
    configuration.log("rehearsed", trial=header.trial, digest=header.protocol, events=study.checkpoint.seq)
    if options.json:
        output.emit(
            {
                "virtual": True,
                "trial": protocol.document.trial,
                "scenario": scenario,
                "seed": options.seed,
                "screened": done.screened,
                "enrolled": done.enrolled,
                "events": study.checkpoint.seq,
                "checkpoint": study.checkpoint.digest,
                "refused_commands": done.refusals,
                "out": str(out),
            }
        )
        return 0
    _say(study, done)
    told = f"{out / 'report.html'} and report.pdf" if options.pdf else out / "report.html"
    print(f"{told} written in {time.monotonic() - started:.1f} s")
    return 0


def _sealed(protocol: Protocol, folder: Path, seed: int) -> SealedList | None:
    """The sealed list that a blinded protocol allocates from, in a file of its own: shuffled by the seed."""
    if protocol.document.allocation.method != "sealed list":
        return None
    import random

    from trialwright.ledger.seal import open_seal, write_sealed

    dice = random.Random(seed)
    arms = [arm for _ in range(protocol.document.design.enrolment) for arm in protocol.document.arms]
    arms = arms[: protocol.document.design.enrolment]
    dice.shuffle(arms)
    write_sealed(folder / "sealed.db", arms, f"rehearsal, seed {seed}", salt=dice.randbytes(32))
    return open_seal(folder / "sealed.db")


def _answers(given: list[str]) -> dict[str, str]:
    answers = {}
    for text in given:
        question, equals, answer = text.partition("=")
        if not equals or not question or not answer:
            raise Refused(finding("option_wrong", option="--answer", given=text, expected="QUESTION=ANSWER"))
        answers[question] = answer
    return answers


def _say(study: Study, done: Rehearsed) -> None:
    from trialwright.analysis.results import is_planned

    header, flow = study.header, study.flow
    print(f"{header.trial}, virtual: scenario {header.scenario}, seed {header.seed}")
    print(
        f"  {done.screened} women screened, {done.enrolled} enrolled, {study.checkpoint.seq} events to {done.last_day}"
    )
    for one in study.analysis.figures:
        if one.endpoint == flow.endpoint and is_planned(one):
            fraction = f"{one.numerator:.0f} of {one.denominator:.0f} {one.counts[1]}"
            print(f"  {one.label}, {one.arm}: {fraction}, {one.missing} missing")
    major = sum(1 for row in study.deviations if row.severity == "major")
    print(
        f"  {output.plural(len(study.deviations), 'deviation')}, {major} of them major; "
        f"{output.plural(sum(done.refusals.values()), 'refused command')}"
    )
    for question, given in study.cut.trial.answers.items():
        print(f"  assumed for the rehearsal: {question} = {given.answer}")
