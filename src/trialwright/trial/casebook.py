"""Source verification and the investigator's signature of a casebook: what stands, and what a later change voids."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from trialwright.ledger.envelope import CORRECTED, VOIDED, Event, NewEvent
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.delegations import INVESTIGATOR
from trialwright.trial.gate import Gate, refuse
from trialwright.trial.state import CasebookSignature, Participant

MONITOR: Final = "monitor"
_HASH = re.compile(r"[0-9a-f]{64}")


def verify_source(gate: Gate, command: c.VerifySource) -> list[NewEvent]:
    """Entries that the monitor compared with the source; a later change of one of them voids that one alone."""
    participant = gate.present(command.participant)
    gate.role_is(MONITOR, "Source verification")
    corrections = {seq for seq in participant.bases if participant.bases[seq] in command.verified}
    known = {seq for seq, one in participant.entries.items() if one.type in e.VERIFIABLE}
    named = set(command.verified)
    if not named & known or not named <= known | corrections:
        refuse("verification_of_nothing", participant=participant.identity)
    for hash in command.verified.values():
        if _HASH.fullmatch(hash) is None:
            refuse("verification_of_nothing", participant=participant.identity)
    for seq in sorted(named & known):
        if participant.mended.get(seq, seq) not in named:
            refuse("verification_outdated", participant=participant.identity, event=seq, by=participant.mended[seq])
    payload: dict[str, Any] = {
        "encounter": command.encounter,
        "record": command.record,
        "verified": [{"event": seq, "hash": hash} for seq, hash in sorted(command.verified.items())],
    }
    return [gate.event(e.SOURCE_VERIFIED, command.on, payload)]


def sign_casebook(gate: Gate, command: c.SignCasebook) -> list[NewEvent]:
    """The investigator confirms the casebook up to her last event; the signature that follows is bound to this."""
    participant = gate.present(command.participant)
    gate.role_is(INVESTIGATOR, "The signature of a casebook")
    if command.last != participant.last or _HASH.fullmatch(command.hash) is None:
        refuse("casebook_changed", participant=participant.identity, last=participant.last)
    return [gate.event(e.CASEBOOK_SIGNED, command.on, {"last": command.last, "hash": command.hash})]


def is_verified(participant: Participant, entry: int) -> bool:
    """Whether an entry was verified against its source, and has not changed since."""
    verified = participant.verified.get(entry, 0)
    return verified > participant.mended.get(entry, 0)


def verification(participant: Participant) -> tuple[int, int]:
    """How many of her entries are verified against their source, of how many that can be."""
    able = [seq for seq, one in participant.entries.items() if one.type in e.VERIFIABLE]
    return sum(is_verified(participant, seq) for seq in able), len(able)


def is_signed(participant: Participant) -> bool:
    """Whether the investigator has signed the casebook as it stands now."""
    return participant.casebook is not None and participant.changed <= participant.casebook.last


# ---------------------------------------------------------------- the fold


def apply_casebook(p: Participant, event: Event) -> None:
    """Take a verification or a signature of the casebook into the state."""
    if event.type == e.CASEBOOK_SIGNED:
        last = event.payload.get("last")
        if p.casebook is None or p.casebook.event < event.seq:
            p.casebook = CasebookSignature(event.seq, event.on, event.user, last if isinstance(last, int) else 0)
        return
    for seq in named_hashes(event):
        p.verified[seq] = max(event.seq, p.verified.get(seq, 0))


def named_hashes(event: Event) -> dict[int, str]:
    """The events that a verification or a signature of the casebook names, with the hash of each."""
    last = event.payload.get("last")
    if event.type == e.CASEBOOK_SIGNED and isinstance(last, int):
        return {last: str(event.payload.get("hash", ""))}
    parts = event.payload.get("verified")
    found: dict[int, str] = {}
    for one in parts if isinstance(parts, list) else ():
        if isinstance(one, dict) and isinstance(one.get("event"), int):
            found[int(str(one["event"]))] = str(one.get("hash", ""))
    return found


def trace_changes(p: Participant, told: Iterable[Event]) -> None:
    """Which entry each correction and each void changes in the end, by its own number or through another one."""
    for event in sorted(told, key=lambda one: one.seq):
        of = event.payload.get("of")
        if event.type in (CORRECTED, VOIDED) and isinstance(of, int):
            base = p.bases.get(of, of)
            p.bases[event.seq] = base
            p.mended[base] = event.seq
            p.changed = max(p.changed, event.seq)
        elif event.type in e.CASEBOOK:
            p.changed = max(p.changed, event.seq)
