"""`trialwright verify LEDGER`: whether a ledger is intact, or the first difference."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from trialwright.cli import output
from trialwright.core.finding import Refused, finding

if TYPE_CHECKING:
    from trialwright.ledger.chain import Checkpoint


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("ledger", help="the ledger: a file, or postgresql://...")
    parser.add_argument("--against", metavar="REPORT", default="", help="a report.json: its checkpoint must still hold")


def run(options: argparse.Namespace) -> int:
    """Recompute everything; 0 intact, 1 with the first difference."""
    from trialwright.ledger.chain import checkpoint, verify
    from trialwright.ledger.store import open_ledger
    from trialwright.trial.office import attachments_missing, signatures_broken

    against = _checkpoint(options.against) if options.against else None
    point, kind = None, ""
    try:
        with open_ledger(options.ledger) as ledger:
            kind = ledger.header.kind
            found = verify(ledger, against) or attachments_missing(ledger) or signatures_broken(ledger)
            point = checkpoint(ledger) if not found else None
    except Refused as refused:
        found = list(refused.findings)
        if not {one.code for one in found} <= _DAMAGED:  # not a ledger at all, or out of reach
            raise
    if options.json:
        output.emit(
            {
                "intact": not found,
                "kind": kind,
                "checkpoint": {"seq": point.seq, "digest": point.digest} if point else None,
                "findings": [output.finding_json(one) for one in found],
            }
        )
    elif point is not None:
        print(f"{options.ledger}: intact, {kind}, {point.seq} events, checkpoint {point.digest}")
    else:
        output.findings(found)
    return 1 if found else 0


#: A ledger whose first event was changed cannot be opened, and is no less a ledger that is not intact.
_DAMAGED = {"ledger_damaged", "ledger_payload_unreadable"}


def _checkpoint(path: str) -> Checkpoint:
    from trialwright.ledger.chain import Checkpoint

    try:
        told = json.loads(Path(path).read_text("utf-8"))["checkpoint"]
        point = Checkpoint(int(told["seq"]), str(told["digest"]))
        if point.seq < 1:
            raise ValueError(point.seq)
        return point
    except FileNotFoundError as wrong:
        raise Refused(finding("file_missing", path=path)) from wrong
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise Refused(finding("file_unreadable", path=path, why="it holds no checkpoint of a report")) from wrong
