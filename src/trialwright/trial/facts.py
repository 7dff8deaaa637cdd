"""What the language may ask about a participant: her state, decoded once and only where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from trialwright.core.interval import is_point
from trialwright.core.partial_date import PartialDate, is_day, on_day, partial_date
from trialwright.core.truth import Truth
from trialwright.language.evaluate import evaluate
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.values import Amount, Moment
from trialwright.ledger.envelope import Event
from trialwright.protocol.document import Anchor, Intervention
from trialwright.protocol.eligibility import Eligibility, determine
from trialwright.protocol.protocol import Protocol
from trialwright.trial.decoding import decode_observation, decode_record
from trialwright.trial.state import Participant


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


def as_if_performed(protocol: Protocol, facts: Facts, intervention: Intervention, on: str) -> Facts:
    """The facts, with the anchors that this very act would reach: `weight at infusion` is the weight now."""
    reached: dict[str, list[PartialDate]] = {name: list(dates) for name, dates in facts.anchors.items()}
    for name, anchor in protocol.document.schedule.anchors.items():
        if anchor.record == intervention.record and anchor.choose == "first" and not reached.get(name):
            reached[name] = [partial_date(on)]
    return Facts(facts.observations, facts.records, facts.closed, reached, facts.relatives)


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
            records = [decode_record(kind, identity, events) for identity, events in entries.items()]
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
            dates = _told(participant, anchor.item) if anchor.item else _dated(protocol, participant, name, anchor)
    index = {"first": 0, "second": 1, "last": -1}[anchor.choose]
    return dates[index] if len(dates) > index else None


def gone_back(protocol: Protocol, facts: Facts, name: str, record: RecordEntry) -> PartialDate | None:
    """The date of a record less the days that the anchor goes back, as a transfer less 19 days is gestational day 0."""
    rule = protocol.rules.get(f"schedule.anchors.{name}.less")
    if rule is None or record.date is None or not is_day(record.date):
        return record.date
    value = evaluate(rule, facts, record.date, record).value
    if not isinstance(value, Amount) or value.undefined is not Truth.NO or not is_point(value.interval):
        return None
    return on_day(record.date.earliest.date() - timedelta(days=int(value.interval.low)))


def _told(participant: Participant, item: str) -> list[PartialDate]:
    """The dates that were told for an item, in the order in which they were told."""
    values = [decode_observation(event.payload, event) for event in participant.observed.get(item, ())]
    return [partial_date(one.entered) for one in values if isinstance(one.value, Moment)]


def _dated(protocol: Protocol, participant: Participant, name: str, anchor: Anchor) -> list[PartialDate]:
    """The dates of the records of an anchor."""
    if not anchor.less:
        return sorted(partial_date(events[0].on) for events in participant.records.get(anchor.record, {}).values())
    facts = Facts({}, _Records(participant))
    found = [gone_back(protocol, facts, name, one) for one in facts.records.get(anchor.record, ())]
    return sorted(one for one in found if one is not None)
