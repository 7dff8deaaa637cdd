"""The hash chain: a checkpoint over all stream heads, and the check that finds the first thing changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from trialwright.core.finding import Finding, Refused, Where, finding
from trialwright.ledger.envelope import canonical, row_digest
from trialwright.ledger.reading import Stored
from trialwright.ledger.store import Ledger

#: Per stream, position and hash of its last event.
Heads = Mapping[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The whole ledger up to a sequence number, in one digest that a report can print."""

    seq: int
    digest: str


def checkpoint(ledger: Ledger) -> Checkpoint:
    """The checkpoint of the ledger as it stands."""
    heads = ledger.heads()
    # sequence numbers and positions have no gaps, so that the last number is the sum of the positions
    return Checkpoint(sum(position for position, _ in heads.values()), _digest(heads))


def _digest(heads: Heads) -> str:
    lines = [[stream, *head] for stream, head in sorted(heads.items())]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def verify(ledger: Ledger, against: Checkpoint | None = None) -> list[Finding]:
    """The first difference between the ledger and what it must be, as a list of at most one finding.

    Recomputes every number, hash and payload text from the rows, and every attachment's digest; a checkpoint
    printed earlier also shows a ledger that was rewritten or cut since, however consistently.
    """
    try:
        found = _events(ledger, against) or _attachments(ledger)
    except Refused as refused:
        return list(refused.findings)
    return [found] if found else []


def _events(ledger: Ledger, against: Checkpoint | None) -> Finding | None:
    heads: dict[str, tuple[int, str]] = {}
    last = 0
    for row in ledger.rows():
        position, previous = heads.get(row[1], (0, ""))
        if found := _row(ledger.place, row, last + 1, position + 1, previous):
            return found
        last += 1
        heads[row[1]] = (position + 1, row[-1])
        if against is not None and last == against.seq and _digest(heads) != against.digest:
            return finding("ledger_rewritten", Where(ledger.place, path=f"seq {last}"), seq=last)
    if against is not None and last < against.seq:
        where = Where(ledger.place, path=f"seq {last}")
        return finding("ledger_cut", where, last=last, seq=against.seq)
    return None


def _row(place: str, row: Stored, seq: int, position: int, previous: str) -> Finding | None:
    def differs(code: str, expected: object, found: object) -> Finding:
        where = Where(place, path=f"seq {seq}")
        return finding(code, where, seq=seq, stream=row[1], expected=expected, found=found)

    if row[0] != seq:
        return differs("ledger_sequence_gap", seq, row[0])
    if row[2] != position:
        return differs("ledger_position_gap", position, row[2])
    if row[-2] != previous:
        return differs("ledger_chain_broken", previous or "none", row[-2] or "none")
    own = _recomputed(row)
    if row[-1] != own:
        return differs("ledger_event_altered", own, row[-1])
    if not _is_canonical(row[15]):
        return differs("ledger_payload_unreadable", "canonical JSON", row[15])
    return None


def _recomputed(row: Stored) -> str:
    try:
        return row_digest(row[:-1])
    except (TypeError, ValueError):
        return "none: a value is neither text nor number"


def _is_canonical(text: str) -> bool:
    try:
        return canonical(json.loads(text)) == text
    except (TypeError, ValueError):
        return False


def _attachments(ledger: Ledger) -> Finding | None:
    for digest, content in ledger.attachments():
        found = hashlib.sha256(content).hexdigest()
        if found != digest:
            where = Where(ledger.place, path=f"attachment {digest}")
            return finding("ledger_attachment_altered", where, digest=digest, found=found)
    return None
