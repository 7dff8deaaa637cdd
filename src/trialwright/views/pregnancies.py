"""What became of each transfer, by every definition side by side, and the children with the lots behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, get_args

from trialwright.core import units
from trialwright.core.interval import ZERO, Interval, is_point
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.language.facts import Observation, RecordEntry
from trialwright.language.values import Amount, Answer, Kinds, Moment, show
from trialwright.language.vocabulary import Item
from trialwright.ledger.envelope import Event
from trialwright.protocol.document import PregnancyPart
from trialwright.protocol.protocol import Protocol
from trialwright.trial.decoding import decode_record
from trialwright.trial.facts import facts_of
from trialwright.trial.pregnancy import (
    EMBRYO_DAYS,
    Counts,
    Definition,
    Ending,
    Fetus,
    Label,
    Pregnancy,
    age_at_end,
    contradictions,
    counts,
    labels,
)
from trialwright.trial.state import Participant
from trialwright.views.custody_trail import origins_of
from trialwright.views.cutoff import CutOff, arm_of, once

#: What a protocol may call a part of a pregnancy otherwise.
_OTHERWISE = {"ongoing": "ongoing_at_12_weeks"}
#: What a child weighed stands in the first of these fields.
_WEIGHTS = ("weight_g", "birth_weight")


@dataclass(frozen=True, slots=True)
class TransferRow:
    """One transfer: every label of every definition, what it adds to the counts, and what cannot all be true.

    `doubts` are contradictions, and answers that could not be taken as what the protocol says they are.
    """

    participant: str
    arm: str
    record: str
    on: str
    pregnancy: Pregnancy
    labels: tuple[Label, ...]
    counts: Counts
    age_at_end: Interval
    children: tuple[str, ...]
    doubts: tuple[str, ...]
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LabelRow:
    """How many transfers have a label, of how many: yes, no and unknown add up to `of`."""

    definition: Definition
    name: str
    says: str
    yes: int
    no: int
    unknown: int
    of: int
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CountRow:
    """Sums over transfers, each as narrow as is known: sacs, embryos, deliveries, children, children born alive."""

    what: str
    number: Interval
    transfers: int
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChildRow:
    """One child, and every unit and lot that its mother was given before its birth, back to the donors."""

    participant: str
    transfer: str
    child: str
    born: str
    alive_at_birth: Truth
    alive_at_28_days: Truth
    weight_g: int | None
    recorded: tuple[tuple[str, str], ...]
    units: tuple[str, ...]
    lots: tuple[str, ...]
    donors: tuple[str, ...]
    events: tuple[int, ...]


def transfers(cut: CutOff) -> list[TransferRow]:
    """One row per transfer, in the order of women and days; none where the protocol does not map pregnancies."""
    part = cut.protocol.document.pregnancy

    def found() -> list[TransferRow]:
        rows = [
            _transfer(cut, one, entry)
            for one in (cut.participants.values() if part else ())
            for entry in facts_of(cut.protocol, one).records.get(part.record if part else "", ())
        ]
        return sorted(rows, key=lambda row: (row.participant, row.on, row.record))

    return list(once(cut, "transfers", found))


def side_by_side(rows: Sequence[TransferRow]) -> list[LabelRow]:
    """Every label over some transfers, definition by definition, with those for which it is not known."""
    found = []
    for index, label in enumerate(rows[0].labels if rows else ()):
        values = [row.labels[index].value for row in rows]
        yes, no, unknown = (values.count(value) for value in (Truth.YES, Truth.NO, Truth.UNKNOWN))
        events = _events(row.events for row in rows if row.labels[index].value is Truth.YES)
        found.append(LabelRow(label.definition, label.name, label.says, yes, no, unknown, len(rows), events))
    return found


def totals(rows: Sequence[TransferRow]) -> list[CountRow]:
    """The counts added up: twins are one delivery and two children."""
    return [
        CountRow(
            name, _sum([getattr(row.counts, name) for row in rows]), len(rows), _events(row.events for row in rows)
        )
        for name in (one.name for one in fields(Counts))
    ]


def children(cut: CutOff) -> list[ChildRow]:
    """One row per child, in the order of women and births."""
    part = cut.protocol.document.pregnancy
    if part is None or not part.children:
        return []

    def found() -> list[ChildRow]:
        rows = [
            _child(cut, one, part, entry)
            for one in cut.participants.values()
            for entry in facts_of(cut.protocol, one).records.get(part.children, ())
        ]
        return sorted(rows, key=lambda row: (row.participant, row.born, row.child))

    return list(once(cut, "children", found))


def pregnancy_of(protocol: Protocol, participant: Participant, entry: RecordEntry) -> tuple[Pregnancy, tuple[str, ...]]:
    """A transfer in the words of `trial.pregnancy`, as the protocol maps its fields, and what could not be taken."""
    part = protocol.document.pregnancy
    assert part is not None, "a protocol that maps pregnancies"
    doubts: list[str] = []
    told: dict[str, Any] = {"transfer": entry.date}
    for attribute, name in part.fields.items():
        attribute = _OTHERWISE.get(attribute, attribute)
        observation = entry.fields.get(name)
        if attribute not in _READERS:
            doubts.append(f"`{attribute}` is nothing that is asked of a pregnancy.")
        elif observation is not None and observation.value is not None:
            read = _READERS[attribute](part, observation)
            if read is None:
                doubts.append(f"{name}: {_shown(observation)} cannot be read as `{attribute}`.")
            else:
                told[attribute] = read
    told["children"] = tuple(_fetus(protocol, part, one) for one in _children(protocol, part, participant, entry))
    if told["children"] and "born" not in told and part.children in participant.closed:
        told["born"] = len(told["children"])  # whoever closed the list said that there is no other
    return Pregnancy(**told), tuple(doubts)


def first_known(protocol: Protocol, participant: Participant, record: str) -> Event | None:
    """The first event recorded of a transfer from which it was known that she was pregnant."""
    part = protocol.document.pregnancy
    if part is None:
        return None
    events = sorted(participant.records[part.record][record], key=lambda event: event.seq)
    alone = Participant(participant.identity)  # what was recorded of children came later
    for index, event in enumerate(events):
        entry = decode_record(part.record, record, events[: index + 1])
        if labels(pregnancy_of(protocol, alone, entry)[0])[0].value is Truth.YES:  # "positive hCG", the first label
            return event
    return None


# ---------------------------------------------------------------- one transfer, one child


def _transfer(cut: CutOff, one: Participant, entry: RecordEntry) -> TransferRow:
    part = cut.protocol.document.pregnancy
    assert part is not None, "a protocol that maps pregnancies"
    pregnancy, doubts = pregnancy_of(cut.protocol, one, entry)
    born = _children(cut.protocol, part, one, entry)
    events = _events(_recorded(one, child) for child in (entry, *born))
    return TransferRow(
        one.identity, arm_of(one), entry.identity, str(entry.date or ""), pregnancy, labels(pregnancy),
        counts(pregnancy), age_at_end(pregnancy), tuple(child.identity for child in born),
        (*doubts, *(found.says for found in contradictions(pregnancy))), events,
    )  # fmt: skip


def _child(cut: CutOff, one: Participant, part: PregnancyPart, entry: RecordEntry) -> ChildRow:
    fetus = _fetus(cut.protocol, part, entry)
    before = [
        received
        for received in origins_of(cut, one.identity)
        if entry.date is None or partial_date(received.given).earliest <= entry.date.latest
    ]
    donors = [link.identity for received in before for link in received.origin if link.what == "donor"]
    declared = cut.protocol.vocabulary.records[part.children].fields
    return ChildRow(
        one.identity, entry.parent, entry.identity, str(entry.date or ""), fetus.alive_at_birth,
        fetus.alive_at_28_days, fetus.weight_g,
        tuple((name, _shown(entry.fields[name], declared[name])) for name in declared if name in entry.fields),
        tuple(received.unit for received in before if received.unit),
        tuple(dict.fromkeys(received.lot for received in before if received.lot)),
        tuple(dict.fromkeys(donors)), _events([_recorded(one, entry), *(received.events for received in before)]),
    )  # fmt: skip


def _children(
    protocol: Protocol, part: PregnancyPart, participant: Participant, entry: RecordEntry
) -> list[RecordEntry]:
    found = facts_of(protocol, participant).records.get(part.children, ()) if part.children else ()
    return [one for one in found if one.parent == entry.identity]


def _fetus(protocol: Protocol, part: PregnancyPart, entry: RecordEntry) -> Fetus:
    declared = protocol.vocabulary.records[part.children].fields
    weight = next((name for name in _WEIGHTS if name in entry.fields), "")
    return Fetus(
        entry.identity,
        _truth(part, entry.fields.get("heartbeat")),
        _truth(part, entry.fields.get("alive_at_birth")),
        _truth(part, entry.fields.get("alive_at_28_days")),
        died_at_days=_count(part, entry.fields.get("died_at_days")),
        weight_g=_grams(entry.fields.get(weight), declared.get(weight)),
    )


def _grams(observation: Observation | None, item: Item | None) -> int | None:
    value, gram = observation.value if observation else None, units.unit("g")
    if item is None or gram is None or not isinstance(value, Amount) or not is_point(value.interval):
        return None
    if item.name == "weight_g" and item.kind == "count":
        return int(value.interval.low)
    return int(units.convert(value.interval.low, item.unit, gram)) if units.same_dimension(item.unit, gram) else None


# ---------------------------------------------------------------- how an answer is read


def _truth(_part: PregnancyPart, observation: Observation | None) -> Truth:
    value = observation.value if observation else None
    return value.truth if isinstance(value, Answer) else Truth.UNKNOWN


def _count(_part: PregnancyPart, observation: Observation | None) -> int | None:
    value = observation.value if observation else None
    if not isinstance(value, Amount) or not is_point(value.interval) or value.interval.low < 0:
        return None
    return int(value.interval.low)


def _embryo_day(part: PregnancyPart, observation: Observation) -> int | None:
    day = _count(part, observation)
    return day if day is not None and EMBRYO_DAYS[0] <= day <= EMBRYO_DAYS[1] else None


def _date(_part: PregnancyPart, observation: Observation) -> Any:
    return partial_date(observation.entered) if isinstance(observation.value, Moment) else None


def _ending(part: PregnancyPart, observation: Observation) -> str | None:
    value = observation.value
    if not isinstance(value, Kinds) or len(value.possible) != 1:
        return None
    ending = part.endings.get(next(iter(value.possible)), "")
    return ending if ending in get_args(Ending)[1:] else None


_READERS: Mapping[str, Callable[[PregnancyPart, Observation], Any]] = {
    **dict.fromkeys(("hcg_positive", "hcg_visible", "ectopic", "clinical_signs", "ongoing_at_12_weeks"), _truth),
    **dict.fromkeys(("embryos", "sacs", "heartbeats", "ended_at_days", "born", "live_born"), _count),
    **dict.fromkeys(("transfer", "ended_on"), _date),
    "embryo_day": _embryo_day,
    "ending": _ending,
}


def _shown(observation: Observation, item: Item | None = None) -> str:
    if observation.value is None:
        return observation.why
    return show(observation.value, item.unit.code if item else "")


def _recorded(participant: Participant, entry: RecordEntry) -> tuple[int, ...]:
    return tuple(event.seq for event in participant.records[entry.kind][entry.identity])


def _events(several: Iterable[Iterable[int]]) -> tuple[int, ...]:
    return tuple(sorted({event for some in several for event in some}))


def _sum(intervals: Sequence[Interval]) -> Interval:
    low, high = (sum((getattr(one, end) for one in intervals), ZERO) for end in ("low", "high"))
    return Interval(low, high)
