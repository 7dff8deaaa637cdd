"""A large ledger: the streams of a rehearsed one, again and again under new names and on other days.

It is no rehearsal of so many women: what happened to one happened to each of her copies, with her own donors, lots and
units. Copies begin one after the other over years, so that on the day of the measurement most have ended and some are
in the middle; what a copy would do after that day is left out. Alerts and reviews are those of the first copy alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bench.workplace import OPENED, SOFTWARE, Sample
from trialwright.ledger.envelope import Event, NewEvent, Submission
from trialwright.ledger.store import Header, Ledger, create
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.office import Office, Sender, register_protocol

_BATCH = 5000
#: The first copy begins so many days before the day of the measurement; the last one in the middle of a trial.
_FIRST, _LAST = 6000, 400
_DAY = re.compile(r"(?<!\d)(?:19|20)\d\d-\d\d-\d\d(?!\d)")
_WIDE = ("trial", "ledger")


def replicate(sample: Sample, place: str | Path, copies: int, today: date, people: dict[str, str]) -> Ledger:
    """A ledger of so many copies, as on a day, in which people act in their roles at every site."""
    header = Header("virtual", sample.protocol.document.trial, sample.protocol.digest, SOFTWARE, 1, "")
    ledger = create(place, header, OPENED)
    started = date.fromisoformat(sample.events[2].on[:10])
    with ledger.writing() as writer:
        by = Sender("bench", "sponsor", OPENED)
        register_protocol(writer, sample.protocol, by, SOFTWARE, OPENED[:10])
        number = writer.last
        numbers: dict[tuple[int, int], int] = {}
        for copy in range(copies):
            begins = today - timedelta(days=_FIRST - (_FIRST - _LAST) * copy // max(1, copies - 1))
            days = (begins - started).days
            for group in _grouped(sample.events, copy, days, str(today)):
                first = group[0]
                new = []
                for part, event in enumerate(group, 1):
                    numbers[copy, event.seq] = number + part
                    new.append(_copied(event, copy, days, numbers))
                number += len(new)
                at = _shifted(first.at, days)
                told = Submission(
                    f"copy {copy} {first.command}", at, first.user, first.role, first.zone, first.protocol, SOFTWARE
                )
                writer.append(told, new)
    office, number = Office(ledger, SOFTWARE), 0
    with ledger.writing() as writer:
        administrator = Sender("bench", "administrator", f"{today}T00:00:00Z")
        for name, role in people.items():
            number += 1
            given = c.Delegate(name, role, str(today - timedelta(days=9)), "GCP", str(today - timedelta(days=9)), "")
            office.submit_within(writer, given, administrator, f"person {number}")
    return ledger


def _grouped(events: Sequence[Event], copy: int, days: int, today: str) -> Iterator[list[Event]]:
    """The events of each submission that belong to a copy, up to the day."""
    group: list[Event] = []
    for event in events:
        kind = event.stream.partition("/")[0]
        alone = kind in _WIDE or event.type in (e.HOLD_VALIDATED, e.PROTOCOL_REGISTERED)
        if event.type in (e.OPENED, e.PROTOCOL_REGISTERED, e.REHEARSAL_REGISTERED) or (alone and copy):
            continue
        if _shifted(event.at, days)[:10] >= today or _shifted(event.on, days)[:10] >= today:
            continue
        if group and group[0].command != event.command:
            yield group
            group = []
        group.append(event)
    if group:
        yield group


def _copied(event: Event, copy: int, days: int, numbers: dict[tuple[int, int], int]) -> NewEvent:
    text = _shifted(json.dumps(event.payload, ensure_ascii=False), days)
    if copy:
        text = _NAME.sub(lambda found: f'"{found[1]}-{copy}"', text)
    payload: dict[str, Any] = json.loads(text)
    for name in ("of", "basis"):
        if isinstance(payload.get(name), int):
            payload[name] = numbers.get((copy, payload[name]), 1)
    if event.type == e.ENROLLED and copy:
        payload["number"] += 100 * copy
    kind, _, name = event.stream.partition("/")
    stream = f"{kind}/{name}-{copy}" if copy and name and kind != "trial" else event.stream
    return NewEvent(stream, event.type, _shifted(event.on, days), payload, event.site, event.reason)


#: How a rehearsal names participants, donors, tissues, banks, lots and units, as a whole text of JSON.
_NAME = re.compile(r'"((?:P|D|T|B|L|U)-\d+)"')


def _shifted(text: str, days: int) -> str:
    return _DAY.sub(lambda found: _day(found[0], days), text)


@cache
def _day(text: str, days: int) -> str:
    return str(date.fromisoformat(text) + timedelta(days=days))
