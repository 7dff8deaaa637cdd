"""Signatures: who signed what, with which meaning, bound by hash to the very events that were signed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trialwright.ledger.envelope import CORRECTED, VOIDED, Event, Json, NewEvent
from trialwright.ledger.history import corrections
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.gate import Gate, refuse

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as it stands now: what it signed, and what has changed since.

    `voided_by` are the corrections of what was signed: one of them voids it, for good. A casebook is signed as a whole,
    so that whatever changes it afterwards voids its signature. `changed_since` are those of
    what had been recorded before it: it stands, as the decision does, and whoever reads it ought to know.
    """

    event: int
    name: str
    user: str
    role: str
    meaning: str
    method: str
    at: str
    signed: tuple[int, ...]
    intact: bool
    voided_by: tuple[int, ...]
    changed_since: tuple[int, ...]


def sign(gate: Gate, command: c.Sign) -> list[NewEvent]:
    """A signature on the stream of what it signs; `verify` holds the hashes against the events."""
    for told, what in (
        (command.name, "whose name"),
        (command.meaning, "with which meaning"),
        (command.method, "how the person was known"),
    ):
        if not told.strip():
            refuse("reason_missing", what=f"A signature ({what})")
    if not command.signed or not _of_this_trial(gate, command):
        refuse("signature_of_nothing", stream=command.stream)
    for event, hash in command.signed.items():
        if not isinstance(event, int) or event < 1 or _HASH.fullmatch(hash) is None:
            refuse("signature_of_nothing", stream=command.stream)
    payload: dict[str, Any] = {
        "meaning": command.meaning,
        "name": command.name,
        "method": command.method,
        "signed": [{"event": event, "hash": hash} for event, hash in sorted(command.signed.items())],
    }
    site = gate.participant.site if gate.participant else ""
    return [NewEvent(command.stream, e.SIGNED, command.on, payload, site)]


def _of_this_trial(gate: Gate, command: c.Sign) -> bool:
    kind, _, identity = command.stream.partition("/")
    if kind == "participant":
        woman = gate.participant
        return woman is not None and woman.identity == identity and set(command.signed) <= woman.events
    custody = gate.trial.custody
    return command.stream == e.TRIAL or identity in {"lot": {*custody.lots}, "unit": {*custody.units}}.get(kind, set())


def signatures(events: Iterable[Event]) -> list[Signature]:
    """The signatures among the events of one stream, in the order of signing."""
    told = list(events)
    hashes = {event.seq: event.hash for event in told}
    changed = corrections(told)
    all_changes = [event for event in told if event.type in (CORRECTED, VOIDED)]
    found = []
    for event in told:
        if event.type != e.SIGNED:
            continue
        signed = signed_hashes(event.payload)
        voided = tuple(one.seq for seq in signed for one in changed.get(seq, ())) or _since_the_casebook(told, signed)
        since = tuple(
            one.seq
            for one in all_changes
            if one.seq > event.seq and one.seq not in voided and int(str(one.payload["of"])) < event.seq
        )
        meaning, name, method = (str(event.payload.get(one, "")) for one in ("meaning", "name", "method"))
        intact = bool(signed) and all(hashes.get(seq) == hash for seq, hash in signed.items())
        found.append(
            Signature(
                event.seq, name, event.user, event.role, meaning, method, event.at, tuple(signed), intact, voided, since
            )
        )
    return found


def _since_the_casebook(told: Sequence[Event], signed: Mapping[int, str]) -> tuple[int, ...]:
    """Where the casebook itself was signed, the first event that has changed it since."""
    for event in told:
        if event.type == e.CASEBOOK_SIGNED and event.seq in signed:
            return tuple(
                one.seq for one in told if one.seq > event.seq and one.type in e.CASEBOOK | {CORRECTED, VOIDED}
            )[:1]
    return ()


def signed_hashes(payload: Mapping[str, Json]) -> dict[int, str]:
    """What a signature signs: sequence number -> the hash that it is bound to."""
    parts = payload.get("signed")
    found: dict[int, str] = {}
    for one in parts if isinstance(parts, list) else ():
        if isinstance(one, dict) and isinstance(one.get("event"), int):
            found[int(str(one["event"]))] = str(one.get("hash", ""))
    return found
