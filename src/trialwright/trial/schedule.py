"""The schedule in a participant's own time: which encounters are due, late, held, missed, or not for her."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias

from trialwright.core.partial_date import PartialDate, add_months, is_day, on_day
from trialwright.core.truth import Truth
from trialwright.language.evaluate import answer, evaluate
from trialwright.language.facts import Facts, RecordEntry
from trialwright.protocol.document import Encounter
from trialwright.protocol.protocol import Protocol, Timing
from trialwright.trial.facts import anchor_date, facts_of, gone_back
from trialwright.trial.state import Participant, TrialState

#: Why no visit of hers is planned any more.
PART_ENDED = "her part has ended"

Standing: TypeAlias = Literal["held", "missed", "future", "due", "late", "undecided", "not applicable"]


@dataclass(frozen=True, slots=True)
class Planned:
    """One encounter for one participant: its day, its window and how it stands on the day of asking.

    `undecided` is an encounter whose condition cannot be answered yet; what would answer it is in `why`.
    """

    encounter: str
    record: str
    day: date
    earliest: date
    latest: date
    standing: Standing
    why: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """The encounter and the record that it is for."""
        return self.encounter, self.record

    @property
    def width(self) -> int:
        """Days of its window; a deviation by no more than these is a minor one."""
        return max(1, (self.latest - self.earliest).days)

    def days_outside(self, when: PartialDate) -> int:
        """Days that a time certainly is after the window, negative for days before it, 0 where it may lie inside."""
        first, last = when.earliest.date(), when.latest.date()
        if first > self.latest:
            return (first - self.latest).days
        return (last - self.earliest).days if last < self.earliest else 0


def planned(
    protocol: Protocol,
    trial: TrialState,
    participant: Participant,
    today: date,
    without: Set[tuple[str, str]] = frozenset(),
) -> list[Planned]:
    """Every encounter that can be dated so far, in the order of its days; those in `without` are passed over."""
    facts = facts_of(protocol, participant)
    reached = {name: anchor_date(protocol, participant, name) for name in protocol.document.schedule.anchors}
    found = [
        one
        for name, encounter in protocol.document.schedule.encounters.items()
        if _is_for(encounter, trial, participant)
        for one in _instances(protocol, participant, facts, reached, name, encounter, today, without)
    ]
    return sorted(found, key=lambda one: (one.day, one.encounter, one.record))


def encounter_of(name: str) -> str:
    """The name in the protocol of an encounter that repeats: `hormones.90` is `hormones`."""
    return name.partition(".")[0]


def _is_for(encounter: Encounter, trial: TrialState, participant: Participant) -> bool:
    """Whether the encounter belongs to her arm and to the answers that were given."""
    if encounter.arms and (participant.allocation is None or participant.allocation.arm not in encounter.arms):
        return False
    return all(
        question in trial.answers and trial.answers[question].answer == option
        for question, option in encounter.answer.items()
    )


def _instances(
    protocol: Protocol,
    participant: Participant,
    facts: Facts,
    reached: Mapping[str, PartialDate | None],
    name: str,
    encounter: Encounter,
    today: date,
    without: Set[tuple[str, str]],
) -> Iterator[Planned]:
    timing = protocol.timings[name]
    for record, base in _bases(protocol, facts, reached, encounter, timing):
        for amount in encounter.each or (timing.amount or 0,):
            full_name = f"{name}.{amount}" if encounter.each else name
            if (full_name, record.identity if record else "") in without:
                continue
            day = _shift(base, amount, timing.calendar)
            before, after = encounter.window
            earliest, latest = day + timedelta(days=before), day + timedelta(days=after)
            identity = record.identity if record else ""
            standing, why = _standing(
                protocol, participant, facts, (full_name, identity), record, (earliest, latest), today
            )
            yield Planned(full_name, identity, day, earliest, latest, standing, why)


def _bases(
    protocol: Protocol, facts: Facts, reached: Mapping[str, PartialDate | None], encounter: Encounter, timing: Timing
) -> Iterator[tuple[RecordEntry | None, date]]:
    if encounter.per:
        for record in facts.records.get(encounter.per, ()):
            base = gone_back(protocol, facts, timing.anchor, record)
            if base is not None and is_day(base):
                yield record, base.earliest.date()
        return
    anchor = reached.get(timing.anchor)
    if anchor is not None and is_day(anchor):
        yield None, anchor.earliest.date()


def _standing(
    protocol: Protocol,
    participant: Participant,
    facts: Facts,
    key: tuple[str, str],
    record: RecordEntry | None,
    window: tuple[date, date],
    today: date,
) -> tuple[Standing, str]:
    visit = participant.visits.get(key)
    if visit is not None:
        return ("held", "") if visit.held else ("missed", visit.reason)
    if participant.withdrawn or participant.screening_ended:
        return "not applicable", PART_ENDED
    if today < window[0]:
        return "future", ""
    rule = protocol.rules.get(f"schedule.encounters.{encounter_of(key[0])}.if")
    if rule is not None:
        explained = evaluate(rule, facts, on_day(today), record)
        match answer(explained):
            case Truth.NO:
                return "not applicable", "its condition does not hold"
            case Truth.UNKNOWN:
                return "undecided", getattr(explained.value, "why", "")
            case Truth.YES:
                pass
    return ("late", "") if today > window[1] else ("due", "")


def _shift(day: date, amount: int, calendar: str) -> date:
    match calendar:
        case "months":
            return add_months(day, amount)
        case "weeks":
            return day + timedelta(weeks=amount)
        case _:
            return day + timedelta(days=amount)


def as_day(when: PartialDate) -> date:
    """The first day that a partial date may mean."""
    return when.earliest.date()
