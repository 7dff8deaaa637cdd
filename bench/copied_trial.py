"""A large ledger: a rehearsed trial copied so many times into one, each copy with people and products of its own.

python -m bench.copied_trial LEDGER COPIES NEW    # prints how many participants the new ledger has
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

from trialwright.ledger.envelope import CORRECTED, VOIDED, Event, Json, NewEvent, Submission, canonical
from trialwright.ledger.store import create, open_ledger
from trialwright.trial import events as e

#: What a copy renames: women, units, lots, donors, banks and tissue of a rehearsal, and alerts.
_IDENTITY = re.compile(r'(?<=["/])([PULDBT]-\d{3,}|A\d+)(?=")')


def copied(place: str | Path, copies: int, new: str | Path) -> int:
    """Write the ledger; the trial itself is opened once, and each copy enrols, treats and alerts for itself."""
    with open_ledger(place) as sample:
        events = [one for one in sample.events() if one.type != "ledger.opened/1"]
        attachments = list(sample.attachments())
        header = sample.header
    women = len({one.stream for one in events if one.stream.startswith("participant/")})
    enrolled = sum(one.type == e.ENROLLED for one in events)
    with create(new, header, events[0].at) as ledger, ledger.writing() as writer:
        for _, content in attachments:
            writer.keep(content)
        for copy in range(copies):
            told = [one for one in events if copy == 0 or _of_a_copy(one)]
            places = {one.seq: writer.last + place for place, one in enumerate(told, 1)}
            for one in told:
                made = one if copy == 0 else _renamed(one, copy, copy * enrolled, places)
                submission = Submission(f"{one.seq} of copy {copy}", one.at, one.user, one.role, one.zone, one.protocol,
                                        one.software)  # fmt: skip
                writer.append(
                    submission, [NewEvent(made.stream, made.type, made.on, made.payload, made.site, made.reason)]
                )
    return women * copies


def _of_a_copy(event: Event) -> bool:
    """Whether a copy has it again: all but what opens the trial, answers its questions and computes its boundary."""
    return event.stream != "trial" or event.type in (e.BOUNDARY_COUNTED, e.TRIGGER_RAISED, e.TRIGGER_REVIEWED)


def _renamed(event: Event, copy: int, enrolled: int, places: dict[int, int]) -> Event:
    """The event of a copy: other identities, other places of enrolment, corrections that point at their own."""
    text = _IDENTITY.sub(rf"\1-{copy}", canonical(event.payload))
    payload: dict[str, Json] = json.loads(text)
    if event.type == e.ENROLLED:
        payload["number"] = int(str(payload["number"])) + enrolled
    if event.type in (CORRECTED, VOIDED):
        payload["of"] = places[int(str(payload["of"]))]
    stream = _IDENTITY.sub(rf"\1-{copy}", f'"{event.stream}"').strip('"')
    return replace(event, stream=stream, payload=payload)


if __name__ == "__main__":
    print(copied(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
