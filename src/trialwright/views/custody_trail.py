"""The custody trail: every step of a unit, its origin to the donor, its recipient and what came after; both lookups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.core.truth import Truth
from trialwright.language.facts import RecordEntry
from trialwright.protocol.protocol import Protocol
from trialwright.trial.custody import Custody, Unit, origin_of, recipients
from trialwright.trial.facts import facts_of
from trialwright.views.cutoff import CutOff
from trialwright.views.product import numbers


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a unit: to which state, when, by whom, why, in which event."""

    state: str
    on: str
    by: str
    note: str
    event: int


@dataclass(frozen=True, slots=True)
class Origin:
    """One link of the chain behind a unit: a lot, a bank, tissue or a donor."""

    what: str
    identity: str
    state: str
    on: str
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Afterwards:
    """A cycle, an embryo, a transfer or a child of a recipient after she was given something.

    `later` is unknown where the two dates leave it open which came first.
    """

    participant: str
    kind: str
    record: str
    parent: str
    on: str
    later: Truth
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trail:
    """Where a unit has been and what it came from; what came after it, where it was given."""

    unit: str
    participant: str
    given: str
    steps: tuple[Step, ...]
    origin: tuple[Origin, ...]
    afterwards: tuple[Afterwards, ...]
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who was given what was made from a source: in which unit, or of which lot where no unit is recorded."""

    source: str
    participant: str
    unit: str
    lot: str
    given: str
    afterwards: tuple[Afterwards, ...]
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """Something that a participant was given, and everything behind it."""

    participant: str
    unit: str
    lot: str
    given: str
    origin: tuple[Origin, ...]
    events: tuple[int, ...]


def custody_trail(cut: CutOff, unit: str) -> Trail | None:
    """The trail of a unit; None where there is none of that name."""
    known = cut.trial.custody.units.get(unit)
    if known is None:
        return None
    steps = tuple(Step(move.state, move.on, move.by, move.note, move.event) for move in known.moves)
    origin = tuple(_origin(cut.trial.custody, known.lot))
    after = tuple(afterwards(cut, known.participant, known.started)) if known.was_given else ()
    events = {*(step.event for step in steps), *numbers(known.results), *_all(origin), *_all(after)}
    return Trail(unit, known.participant, known.started, steps, origin, after, tuple(sorted(events)))


def recipients_of(cut: CutOff, source: str) -> list[Recipient]:
    """Everybody who was given anything made from a donor, a material, a lot or a unit, and what came after."""
    custody, rows = cut.trial.custody, []
    for participant, name in dict.fromkeys(recipients(custody, source)):
        unit = custody.units.get(name)
        for given, event in _givings(cut, participant, unit, name):
            after = tuple(afterwards(cut, participant, given))
            lot = unit.lot if unit else name
            events = tuple(sorted({event, *_all(after)}))
            rows.append(Recipient(source, participant, unit.identity if unit else "", lot, given, after, events))
    return rows


def origins_of(cut: CutOff, participant: str) -> list[Received]:
    """Everything that a participant was given, back to its donors, in the order in which it was given."""
    rows = []
    known = cut.participants.get(participant)
    for dose in known.doses if known else ():
        origin = tuple(_origin(cut.trial.custody, dose.lot)) if dose.lot else ()
        events = tuple(sorted({dose.event, *_all(origin)}))
        rows.append(Received(participant, dose.unit, dose.lot, dose.on, origin, events))
    return rows


def afterwards(cut: CutOff, participant: str, given: str) -> Iterator[Afterwards]:
    """What the protocol records of pregnancies, from the cycle to the child, unless it certainly came before."""
    part, woman = cut.protocol.document.pregnancy, cut.participants.get(participant)
    if part is None or woman is None or not given:
        return
    records = facts_of(cut.protocol, woman).records
    for kind in _family(cut.protocol, part.record):
        for entry in records.get(kind, ()):
            later = _later(entry, partial_date(given))
            if later is not Truth.NO:
                events = tuple(event.seq for event in woman.records[kind][entry.identity])
                on = str(entry.date or "")
                yield Afterwards(participant, kind, entry.identity, entry.parent, on, later, events)


def _family(protocol: Protocol, kind: str) -> list[str]:
    """The kind of record to which all the others belong, and everything that belongs to it, parents first."""
    records = protocol.document.records
    if kind not in records:
        return []
    while records[kind].of in records:
        kind = records[kind].of
    found = [kind]
    for one in found:  # grows as it is walked
        found += [name for name, part in records.items() if part.of == one and name not in found]
    return found


def _later(entry: RecordEntry, given: PartialDate) -> Truth:
    if entry.date is None:
        return Truth.UNKNOWN
    if entry.date.earliest >= given.latest:
        return Truth.YES
    return Truth.NO if entry.date.latest < given.earliest else Truth.UNKNOWN


def _givings(cut: CutOff, participant: str, unit: Unit | None, lot: str) -> Iterator[tuple[str, int]]:
    """When it was given, and in which event; of a lot alone the doses that name no unit."""
    woman = cut.participants.get(participant)
    doses = [one for one in (woman.doses if woman else ()) if one.unit == (unit.identity if unit else "")]
    found = [(one.on, one.event) for one in doses if unit or one.lot == lot]
    if not found and unit:
        found = [(move.on, move.event) for move in unit.moves if move.state == "infusing"][:1]
    yield from found


def _origin(custody: Custody, lot: str) -> Iterator[Origin]:
    for name in origin_of(custody, lot):
        if name in custody.lots:
            one = custody.lots[name]
            yield Origin("lot", name, one.state, one.on, tuple(one.events))
        elif name in custody.materials:
            material = custody.materials[name]
            yield Origin(material.kind, name, "", material.on, tuple(material.events))
        elif name in custody.donors:
            donor = custody.donors[name]
            yield Origin("donor", name, donor.state, donor.on, tuple(donor.events))
        else:
            yield Origin("not recorded", name, "", "", ())


def _all(rows: tuple[Origin, ...] | tuple[Afterwards, ...]) -> set[int]:
    return {event for row in rows for event in row.events}
