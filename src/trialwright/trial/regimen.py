"""A regimen as dated doses: what is planned of each drug for one participant, to which day, and why to that one.

A plan is not closed at its last written day once there was a transfer: it stops with a negative test, goes on to a
gestational age with a positive one, and goes on while the result is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Literal, TypeAlias

from trialwright.core import units
from trialwright.core.interval import is_point
from trialwright.core.partial_date import PartialDate, is_day, on_day, partial_date
from trialwright.core.truth import Truth
from trialwright.core.units import COUNT, Unit
from trialwright.language.evaluate import Explanation, answer, evaluate
from trialwright.language.facts import Facts, RecordEntry
from trialwright.language.typed import Typed
from trialwright.language.values import Amount, show
from trialwright.protocol.document import Continuation, Dosing, quantity
from trialwright.protocol.protocol import Protocol
from trialwright.trial.facts import facts_of
from trialwright.trial.schedule import as_day
from trialwright.trial.state import Participant, RegimenChange

#: What a change says instead of a dose.
STOP = "stop"

Because: TypeAlias = Literal[
    "as written", "negative test", "gestational age", "goes on", "pregnancy ended", "next course", "left", "stopped"
]


@dataclass(frozen=True, slots=True)
class End:
    """The last day of a plan, and why; without a day the plan is open, yet never goes beyond `at_most`, if given."""

    because: Because
    last: date | None
    why: str
    at_most: date | None = None

    @property
    def bound(self) -> date | None:
        """The last day on which a dose may be planned."""
        return self.last or self.at_most


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days on which one dose is planned; `amount` is None where what is written is not one amount."""

    first: date
    last: date | None
    dose: str
    amount: Fraction | None


@dataclass(frozen=True, slots=True)
class Change:
    """A medical decision about a drug: `dose`, or `stop`, from a day on; without effect after the plan's end."""

    day: date
    dose: str
    decided_by: str
    reason: str
    event: int
    in_force: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a regimen as it is planned for her: `times` a day on every `step`th day from `first`.

    Amounts are in `unit`, the same one for every line of a drug.
    """

    drug: str
    strength: str
    unit: Unit
    times: int
    step: int
    first: date
    stretches: tuple[Stretch, ...]
    end: End
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """A transfer that a course is continued for: what its test said, and when the drugs end because of it."""

    record: str
    on: PartialDate
    positive: Truth
    end: End


@dataclass(frozen=True, slots=True)
class Course:
    """A regimen as it was begun once: day 1, the day on which the next one began, and its lines.

    Without a day 1 (a month alone was told) nothing of it can be dated.
    """

    intervention: str
    record: str
    on: str
    day_1: date | None
    next: date | None
    transfers: tuple[Followed, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class DatedDose:
    """What is planned of a drug on a day: the dose, and how often; `number` counts from the course's day 1."""

    day: date
    number: int
    drug: str
    dose: str
    times: int


def courses(protocol: Protocol, participant: Participant, today: date) -> tuple[Course, ...]:
    """Every course of every regimen that she has begun, as it is known on a day, in the order of their days."""
    found = [
        course(protocol, participant, name, entry.identity, today)
        for name, intervention in protocol.document.interventions.items()
        if intervention.kind == "regimen"
        for entry in _begun(facts_of(protocol, participant), intervention.record, today)
    ]
    return tuple(sorted(found, key=lambda one: (one.day_1 or date.max, one.intervention, one.record)))


def course(protocol: Protocol, participant: Participant, intervention: str, record: str, today: date) -> Course:
    """One course of a regimen, as it is known on a day."""
    document = protocol.document.interventions[intervention]
    facts = facts_of(protocol, participant)
    begun = _begun(facts, document.record, today)
    index, entry = next((i, one) for i, one in enumerate(begun) if one.identity == record)
    on = _date_of(entry)
    follower = as_day(_date_of(begun[index + 1])) if index + 1 < len(begun) else None
    if not is_day(on):
        return Course(intervention, record, str(on), None, follower, (), ())
    day_1 = as_day(on)
    transfers: tuple[Followed, ...] = ()
    if document.continues is not None:
        path = f"interventions.{intervention}.continues"
        transfers = tuple(
            _followed(protocol, document.continues, path, facts, one, today)
            for one in _begun(facts, document.continues.record, today)
            if _last_day(_date_of(one)) >= day_1 and (follower is None or as_day(_date_of(one)) < follower)
        )
    ends = [*_next_course(follower), *_left(participant, today)]
    changes = [one for one in participant.changes if (one.intervention, one.record) == (intervention, record)]
    lines = tuple(
        _line(line, unit_of(line.drug, document.doses), day_1, transfers, ends, changes, today)
        for line in document.doses
    )
    return Course(intervention, record, str(on), day_1, follower, transfers, lines)


def dated_doses(course: Course, upto: date) -> list[DatedDose]:
    """Every dose that is planned from day 1 to a day, by days; an open plan goes on to that day."""
    found = [
        DatedDose(date.fromordinal(day), day - course.day_1.toordinal() + 1, line.drug, stretch.dose, line.times)
        for line in course.lines
        for stretch in line.stretches
        for day in due_days(line, stretch, upto)
        if course.day_1 is not None
    ]
    return sorted(found, key=lambda one: (one.day, one.drug))


def due_days(line: Line, stretch: Stretch, upto: date) -> range:
    """The days of a stretch on which its drug is due, to a day, as ordinals."""
    first, last = stretch.first.toordinal(), min(stretch.last or upto, upto).toordinal()
    return range(first + (line.first.toordinal() - first) % line.step, last + 1, line.step)


@lru_cache(maxsize=1000)  # a protocol has a handful, asked again for every day of every woman
def amount_in(text: str, unit: Unit) -> Fraction | None:
    """A dose or a strength in a unit; None where it is not one amount of its kind."""
    told = quantity(text)
    if told is None or not units.same_dimension(told.unit, unit):
        return None
    return Fraction(units.convert(told.value, told.unit, unit))


def unit_of(drug: str, lines: Iterable[Dosing]) -> Unit:
    """The unit in which a drug is counted: that of its first dose that has one, as `mg` of `5 mg or 10 mg`."""
    codes = [line.dose.rpartition(" ")[2] for line in lines if line.drug == drug]
    return next((found for found in map(units.unit, codes) if found is not None), COUNT)


def later(a: End, b: End) -> End:
    """The end that comes later: open, rather than a day; without a bound, rather than with one."""
    return max(a, b, key=lambda end: (end.last is None, end.bound or date.max))


# ---------------------------------------------------------------- when a plan ends


def _begun(facts: Facts, kind: str, today: date) -> list[RecordEntry]:
    """The records of a kind that had begun by a day, in the order of their days."""
    known = [one for one in facts.records.get(kind, ()) if as_day(_date_of(one)) <= today]
    return sorted(known, key=lambda one: (_date_of(one).earliest, one.event))


def _date_of(entry: RecordEntry) -> PartialDate:
    assert entry.date is not None, "the fold dates every record"
    return entry.date


def _last_day(when: PartialDate) -> date:
    """The last day that a partial date may mean: until it has passed, nothing is known to have ended."""
    return when.latest.date()


def _followed(
    protocol: Protocol, going_on: Continuation, path: str, facts: Facts, transfer: RecordEntry, today: date
) -> Followed:
    """What became of a transfer, and when the drugs end because of it."""
    rules, when = protocol.rules, on_day(today)
    told = evaluate(rules[f"{path}.positive"], facts, when, transfer)
    of_age = _of_age(evaluate(rules[f"{path}.age"], facts, when, transfer), _date_of(transfer), going_on.until)
    match answer(told):
        case Truth.NO:
            since = _since(rules[f"{path}.positive"], told, facts, transfer, Truth.NO, today)
            end = End("negative test", _last_day(since), f"negative test on {_day_text(since)}")
        case Truth.YES if isinstance(of_age, date):
            end = End("gestational age", of_age, f"{_weeks(going_on.until)} of gestation on {of_age}")
        case Truth.YES:
            end = End("goes on", None, f"goes on: {of_age}")
        case Truth.UNKNOWN:
            at_most = of_age if isinstance(of_age, date) else None
            end = End("goes on", None, "goes on: the result is unknown", at_most)
    if going_on.ends:
        ended = evaluate(rules[f"{path}.ends"], facts, when, transfer)
        if answer(ended) is Truth.YES:
            since = _since(rules[f"{path}.ends"], ended, facts, transfer, Truth.YES, today)
            if end.bound is None or _last_day(since) < end.bound:
                why = f"end of the pregnancy recorded on {_day_text(since)}"
                end = End("pregnancy ended", _last_day(since), why)
    return Followed(transfer.identity, _date_of(transfer), answer(told), end)


def _of_age(age: Explanation, transfer: PartialDate, until: int) -> date | str:
    """The day of a gestational age, or why it is not known."""
    value = age.value
    if not is_day(transfer):
        return "the day of the transfer is not known"
    if not isinstance(value, Amount) or value.undefined is not Truth.NO or not is_point(value.interval):
        return f"the gestational age is not known ({show(value)})"
    return as_day(transfer) + timedelta(days=until - int(value.interval.low))


def _since(
    rule: Typed, told: Explanation, facts: Facts, record: RecordEntry, sought: Truth, today: date
) -> PartialDate:
    """The date from which on a condition was answered so: that of the first recorded value with which it was."""
    for when in sorted({partial_date(text) for text in _dates(told)}, key=lambda one: one.latest):
        if answer(evaluate(rule, facts, on_day(min(_last_day(when), today)), record)) is sought:
            return when
    return on_day(today)


def _dates(explained: Explanation) -> Iterator[str]:
    yield from (one.date for one in explained.uses if one.date)
    for part in explained.parts:
        yield from _dates(part)


def _day_text(when: PartialDate) -> str:
    return as_day(when).isoformat() if is_day(when) else str(when)


def _weeks(days: int) -> str:
    """Completed weeks, and the days beyond them."""
    return f"{days // 7} weeks" if days % 7 == 0 else f"{days // 7} weeks and {days % 7} days"


def _next_course(follower: date | None) -> Iterator[End]:
    if follower is not None:
        yield End("next course", follower - timedelta(days=1), f"the next course began on {follower}")


def _left(participant: Participant, today: date) -> Iterator[End]:
    left = participant.withdrawn or participant.screening_ended
    if left and as_day(partial_date(left)) <= today:
        why = f"she left on {_day_text(partial_date(left))}: what she goes on with is not planned here"
        yield End("left", _last_day(partial_date(left)), why)


# ---------------------------------------------------------------- the lines


def _line(
    line: Dosing,
    unit: Unit,
    day_1: date,
    transfers: Sequence[Followed],
    ends: Iterable[End],
    changes: Iterable[RegimenChange],
    today: date,
) -> Line:
    """A line with the end that the transfers give it, cut off by other ends, and changed by medical decisions."""
    first, last = (day_1 + timedelta(days=int(day) - 1) for day in (line.days.split("..") * 2)[:2])
    end = _after_transfers(first, End("as written", last, "as written"), transfers)
    for other in ends:
        if end.bound is None or (other.last is not None and other.last < end.bound):
            end = other
    made = []
    for one in changes:
        day = _last_day(partial_date(one.on))
        if one.drug == line.drug and as_day(partial_date(one.on)) <= today:
            in_force = end.bound is None or day <= end.bound
            made.append(Change(day, one.dose, one.decided_by, one.reason, one.event, in_force))
    stretches, stop = _stretches(line, unit, first, end, [one for one in made if one.in_force])
    if stop is not None:
        why = f"stopped by medical decision on {stop.day} ({stop.decided_by}: {stop.reason})"
        end = End("stopped", stop.day - timedelta(days=1), why)
    hours = int(line.every.partition(" ")[0])
    times, step = max(1, 24 // hours), max(1, hours // 24)
    return Line(line.drug, line.strength, unit, times, step, first, stretches, end, tuple(made))


def _after_transfers(first: date, written: End, transfers: Iterable[Followed]) -> End:
    """The end of a drug that still ran on the day of a transfer is the transfer's; of several, the last."""
    end, continued = written, False
    for one in transfers:
        if first <= _last_day(one.on) and (end.bound is None or as_day(one.on) <= end.bound):
            end = later(end, one.end) if continued else one.end
            continued = True
    return end


def _stretches(
    line: Dosing, unit: Unit, first: date, end: End, changes: Sequence[Change]
) -> tuple[tuple[Stretch, ...], Change | None]:
    """The plan from day to day, and the stop with which it closes, if it does."""
    marks: list[tuple[date, str, Change | None]] = [(first, line.dose, None)]
    marks += [(max(first, one.day), one.dose, one) for one in changes]
    marks.sort(key=lambda mark: mark[0])  # those of one day stay in their order, and the last of them counts
    found = []
    for index, (since, dose, _) in enumerate(marks):
        last = marks[index + 1][0] - timedelta(days=1) if index + 1 < len(marks) else end.bound
        if dose != STOP and (last is None or since <= last):
            found.append(Stretch(since, last, dose, amount_in(dose, unit)))
    _, dose, closing = marks[-1]
    return tuple(found), closing if dose == STOP else None
