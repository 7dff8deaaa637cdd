"""What the language may ask about a participant: her state, decoded once and only where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from trialwright.core.interval import Interval
from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.values import Amount
from trialwright.ledger.envelope import Event
from trialwright.protocol.eligibility import Eligibility, determine
from trialwright.protocol.entry import decode
from trialwright.protocol.protocol import Protocol
from trialwright.trial.state import Participant

_NO_ATTRIBUTES: Mapping[str, object] = {}


def facts_of(protocol: Protocol, participant: Participant) -> Facts:
    """The participant's facts: observations, records, closed lists, anchors and relatives."""
    relatives = {
        person: Facts(_Observations(participant, person, log)) for person, log in participant.relatives.items()
    }
    return Facts(
        _Observations(participant, "", participant.observed),
        _Records(participant),
        participant.closed,
        _Anchors(protocol, participant),
        relatives,
    )


def eligibility_of(protocol: Protocol, participant: Participant, on: str) -> Eligibility:
    """Her eligibility on a day, from what is known of her; remembered until something changes that it may rest on."""
    asked = (protocol.digest, on, participant.facts)
    if participant.eligibility is None or participant.eligibility[0] != asked:
        result = determine(protocol, facts_of(protocol, participant), partial_date(on))
        participant.eligibility = (asked, result)
    return participant.eligibility[1]


def lot_facts(results: Mapping[str, Observation]) -> Facts:
    """The facts of a product lot: its latest result per item."""
    return Facts({name: [result] for name, result in results.items()})


class _Observations(Mapping[str, Sequence[Observation]]):
    def __init__(self, participant: Participant, person: str, log: Mapping[str, list[Event]]) -> None:
        self._participant = participant
        self._person = person
        self._log = log

    def __getitem__(self, item: str) -> Sequence[Observation]:
        events = self._log[item]
        decoded = self._participant.decoded.setdefault((self._person, item), [])
        for event in events[len(decoded) :]:
            decoded.append(decode_observation(event.payload, event))
        return decoded

    def get(self, item: str, default: Any = None) -> Any:  # every rule asks so; the inherited one raises to say no
        return self[item] if item in self._log else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._log)

    def __len__(self) -> int:
        return len(self._log)


class _Records(Mapping[str, Sequence[RecordEntry]]):
    def __init__(self, participant: Participant) -> None:
        self._participant = participant

    def __getitem__(self, kind: str) -> Sequence[RecordEntry]:
        entries = self._participant.records[kind]
        size = sum(len(events) for events in entries.values())
        known = self._participant.decoded_records.get(kind)
        if known is None or known[0] != size:
            records = [_record(kind, identity, events) for identity, events in entries.items()]
            known = (size, records)
            self._participant.decoded_records[kind] = known
        return known[1]

    def get(self, kind: str, default: Any = None) -> Any:
        return self[kind] if kind in self._participant.records else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._participant.records)

    def __len__(self) -> int:
        return len(self._participant.records)


class _Anchors(Mapping[str, Sequence[PartialDate]]):
    def __init__(self, protocol: Protocol, participant: Participant) -> None:
        self._protocol = protocol
        self._participant = participant

    def __getitem__(self, name: str) -> Sequence[PartialDate]:
        reached = anchor_date(self._protocol, self._participant, name)
        return () if reached is None else (reached,)

    def __iter__(self) -> Iterator[str]:
        return iter(self._protocol.document.schedule.anchors)

    def __len__(self) -> int:
        return len(self._protocol.document.schedule.anchors)


def anchor_date(protocol: Protocol, participant: Participant, name: str) -> PartialDate | None:
    """When an anchor was reached, or None."""
    anchor = protocol.document.schedule.anchors.get(name)
    if anchor is None:
        return None
    match anchor.event:
        case "consent":
            return partial_date(participant.consented) if participant.consented else None
        case "enrolment":
            return partial_date(participant.enrolled) if participant.enrolled else None
        case "allocation":
            return partial_date(participant.allocation.on) if participant.allocation else None
        case _:
            dates = sorted(partial_date(events[0].on) for events in participant.records.get(anchor.record, {}).values())
    index = {"first": 0, "second": 1, "last": -1}[anchor.choose]
    return dates[index] if len(dates) > index else None


def decode_observation(payload: Mapping[str, object], event: Event) -> Observation:
    """One observation from its payload; `value` is missing where it was not done."""
    encoded = payload.get("value")
    attributes = cast("Mapping[str, Mapping[str, object]]", payload.get("attributes") or _NO_ATTRIBUTES)
    date = partial_date(event.on)
    decoded = {name: decode(value) for name, value in attributes.items()} if attributes else {}
    if not isinstance(encoded, dict):
        return Observation(None, date, decoded, why=str(payload.get("not_done") or "not done"), event=event.seq)
    return Observation(
        decode(encoded),
        date,
        decoded,
        str(encoded.get("entered", "")),
        event=event.seq,
        normal=_normal(payload.get("normal")),
    )


def _normal(encoded: object) -> Interval | None:
    if not isinstance(encoded, list) or len(encoded) != 2:
        return None
    ends = [decode(end) for end in encoded if isinstance(end, dict)]
    if len(ends) == 2 and isinstance(ends[0], Amount) and isinstance(ends[1], Amount):
        return Interval(ends[0].interval.low, ends[1].interval.high)
    return None


def _record(kind: str, identity: str, events: Sequence[Event]) -> RecordEntry:
    first = events[0]
    fields: dict[str, Observation] = {}
    for event in events:
        told = event.payload.get("fields")
        for name, encoded in told.items() if isinstance(told, dict) else ():
            if isinstance(encoded, dict):
                fields[str(name)] = decode_observation({"value": encoded}, event)
    return RecordEntry(
        kind, identity, partial_date(first.on), fields, str(first.payload.get("parent") or ""), first.seq
    )
