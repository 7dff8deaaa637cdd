"""Events back into the values that the language asks about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from trialwright.core.interval import Interval
from trialwright.core.partial_date import partial_date
from trialwright.language.facts import NO_ATTRIBUTES, Observation, RecordEntry
from trialwright.language.values import Amount, Value
from trialwright.ledger.envelope import Event
from trialwright.protocol.entry import decode


def decode_observation(payload: Mapping[str, object], event: Event) -> Observation:
    """One observation from its payload; `value` is missing where it was not done."""
    encoded, told, normal = payload.get("value"), payload.get("attributes"), payload.get("normal")
    date = partial_date(event.on)
    attributes = _attributes(told) if told else NO_ATTRIBUTES
    if not isinstance(encoded, dict):
        return Observation(None, date, attributes, why=str(payload.get("not_done") or "not done"), event=event.seq)
    text = str(encoded.get("entered", ""))
    return Observation(decode(encoded), date, attributes, text, "", event.seq, _normal(normal) if normal else None)


def _attributes(told: object) -> dict[str, Value]:
    return {name: decode(value) for name, value in cast("Mapping[str, Mapping[str, object]]", told).items()}


def _normal(encoded: object) -> Interval | None:
    if not isinstance(encoded, list) or len(encoded) != 2:
        return None
    ends = [decode(end) for end in encoded if isinstance(end, dict)]
    if len(ends) == 2 and isinstance(ends[0], Amount) and isinstance(ends[1], Amount):
        return Interval(ends[0].interval.low, ends[1].interval.high)
    return None


def decode_record(kind: str, identity: str, events: Sequence[Event]) -> RecordEntry:
    """One record from the events that added and completed it, in the order in which they happened."""
    first = events[0]
    fields: dict[str, Observation] = {}
    for event in events:
        told = event.payload.get("fields")
        date = partial_date(event.on)
        for name, encoded in told.items() if isinstance(told, dict) else ():
            if isinstance(encoded, dict):
                text = str(encoded.get("entered", ""))
                fields[str(name)] = Observation(decode(encoded), date, NO_ATTRIBUTES, text, "", event.seq)
    return RecordEntry(
        kind, identity, partial_date(first.on), fields, str(first.payload.get("parent") or ""), first.seq
    )
