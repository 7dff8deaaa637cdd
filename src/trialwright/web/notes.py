"""Free text about a participant, read with her key by those who care for her."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from trialwright.ledger.envelope import CORRECTED, VOIDED
from trialwright.ledger.history import corrections
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.state import Participant
from trialwright.web.erasures import is_erased
from trialwright.web.guard import allowed, desk, vault


@dataclass(frozen=True, slots=True)
class Noted:
    """A note as it is shown: its text, or nothing where that can be read no more."""

    on: str
    user: str
    text: str


def notes_of(request: HttpRequest, woman: Participant) -> list[Noted]:
    """Her notes, newest first, without those that were taken back; nothing for a role that may write none."""
    if not woman.notes or not allowed(request, c.Note):
        return []
    events = desk().events_of(woman.identity)
    changed = corrections(events)
    told = [
        event
        for event in events
        if event.type == e.NOTED and not {one.type for one in changed.get(event.seq, ())} & {VOIDED, CORRECTED}
    ]
    erased = is_erased(desk().trial(), woman.identity)
    tokens = {} if erased else {event.seq: str(event.payload.get("text", "")) for event in told}
    texts = vault().read(woman.identity, tokens)
    return [Noted(event.on, event.user, texts.get(event.seq, "")) for event in reversed(told)]
