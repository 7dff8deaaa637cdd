"""`trialwright check PROTOCOL`: what is wrong with a protocol, before the first participant finds out."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import TYPE_CHECKING

from trialwright.cli import output
from trialwright.core.finding import Refused, finding

if TYPE_CHECKING:
    from trialwright.protocol.protocol import Protocol
    from trialwright.protocol.prove import Proof


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("protocol", help="folder of the protocol")
    parser.add_argument(
        "--prove", action="store_true", help="also: can anybody be eligible, what contradicts, what never decides"
    )


def run(options: argparse.Namespace) -> int:
    """Print every finding; 1 where one is an error."""
    from trialwright.protocol.cases import Case, run_cases
    from trialwright.protocol.check import lint
    from trialwright.protocol.load import load

    if options.prove and find_spec("z3") is None:
        raise Refused(finding("proof_missing"))
    protocol, found = load(options.protocol)
    cases: list[Case] = []
    proof: Proof | None = None
    if protocol is not None:
        cases, differing = run_cases(protocol, options.protocol)
        proof = _proof(protocol) if options.prove else None
        found = [*found, *lint(protocol), *differing, *(proof.findings if proof else ())]
    elif any(one.code in ("file_missing", "file_unreadable") for one in found):
        output.refuse(found, options.json)
        return 2
    if options.json:
        proved = {"bounds": str(proof.bounds), "example": proof.example or None} if proof else None
        output.emit(
            {
                "protocol": None if protocol is None else protocol.document.trial,
                "digest": None if protocol is None else protocol.digest,
                "cases": len(cases),
                "findings": [output.finding_json(one) for one in found],
                **({"proof": proved} if options.prove else {}),
            }
        )
    else:
        output.findings(found)
        if proof is not None:
            _print(proof)
        grades = [one.grade.value for one in found]
        counts = ", ".join(output.plural(grades.count(grade), grade) for grade in ("error", "warning", "note"))
        print(f"{options.protocol}: {counts}; {output.plural(len(cases), 'case')} run")
    return 1 if output.has_errors(found) else 0


def _proof(protocol: Protocol) -> Proof:
    from trialwright.protocol.prove import prove

    return prove(protocol)


def _print(proof: Proof) -> None:
    """The example, indented, so that the findings around it stay easy to see."""
    for line in proof.example.splitlines():
        print(f"    {line}")
    print(f"proved for {proof.bounds}")
