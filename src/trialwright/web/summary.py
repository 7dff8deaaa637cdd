"""A line on one participant: where she stands, and what of hers is due, late, expiring or running."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from trialwright.core.partial_date import add_months, partial_date
from trialwright.language.typed import Age, Typed, parts
from trialwright.language.vocabulary import Duration
from trialwright.protocol.protocol import Protocol
from trialwright.trial.clocks import Due
from trialwright.trial.schedule import PART_ENDED, Planned, encounter_of, planned
from trialwright.trial.state import Participant, TrialState
from trialwright.views.cutoff import CutOff
from trialwright.views.serious_events import SeriousEvent, serious_events
from trialwright.web.words import label

#: A result that expires within so many days is shown.
_SOON = timedelta(days=14)
_OPEN = ("due", "late", "undecided")
#: Clocks that somebody must act on.
RUNNING = ("overdue", "at once", "running", "unknown")


@dataclass(frozen=True, slots=True)
class Expiring:
    """A result that stops being valid: of what, on which day."""

    item: str
    day: date


@dataclass(frozen=True, slots=True)
class Running:
    """A clock of expedited reporting that runs."""

    participant: str
    kind: str
    record: str
    term: str
    due: Due


@dataclass(frozen=True, slots=True)
class Summary:
    """Where one participant stands, until something of hers is recorded or the moment `until` comes."""

    identity: str
    site: str
    screened: str
    status: str
    tone: str
    number: int
    arm: str
    last_verdict: str
    ended: str
    visits: tuple[Planned, ...]
    next: Planned | None
    queries: tuple[tuple[str, str, str], ...]  # number, item, what it says
    expiring: tuple[Expiring, ...]
    filed: tuple[SeriousEvent, ...]  # what is or may be serious, or is filed like it
    until: datetime

    @property
    def clocks(self) -> list[Running]:
        """The clocks that somebody must still act on."""
        return running(self.filed)


def summarise(protocol: Protocol, trial: TrialState, participant: Participant, today: date, now: datetime) -> Summary:
    """The line on a participant, as things stand now; `today` is the day at the centre."""
    visits = planned(protocol, trial, participant, today)
    status, tone = standing(protocol, participant)
    filed = events_of(protocol, trial, participant, today, now)
    lapses = list(_lapses(protocol, participant))
    arm = participant.allocation.arm if participant.allocation else ""
    return Summary(
        participant.identity,
        participant.site,
        participant.screened,
        status,
        tone,
        participant.number,
        arm,
        participant.determinations[-1].verdict if participant.determinations else "",
        participant.screening_ended or participant.withdrawn,
        tuple(one for one in visits if one.standing in _OPEN),
        next((one for one in visits if one.standing == "future"), None),
        tuple((name, one.item, one.says) for name, one in participant.queries.items()),
        tuple(one for one in lapses if today <= one.day <= today + _SOON),
        tuple(filed),
        _until(protocol, participant, visits, lapses, filed, today, now),
    )


# ---------------------------------------------------------------- how long a line stands

#: Longer than any trial.
_ALWAYS = datetime(9000, 1, 1, tzinfo=UTC)
#: A clock that waits for a moment to come is looked at again after so long.
_FRESH = timedelta(minutes=1)


def _until(
    protocol: Protocol,
    participant: Participant,
    visits: list[Planned],
    lapses: list[Expiring],
    filed: list[SeriousEvent],
    today: date,
    now: datetime,
) -> datetime:
    """The first moment at which anything in the line can change by itself; rather too early than too late."""
    zone, tomorrow = ZoneInfo(protocol.document.zone), today + timedelta(days=1)
    days = [day for one in visits for day in _turns(protocol, one, today)]
    days += [day for one in lapses for day in (one.day - _SOON, one.day + timedelta(days=1))]
    if filed or _unripe(participant, today):
        days.append(tomorrow)
    moments = [datetime.combine(day, time(), zone).astimezone(UTC) for day in days if day > today]
    for row in filed:
        for due in row.due:
            if due.due is not None and due.due > now:
                moments.append(due.due + timedelta(microseconds=1))  # that very instant may still be in time
            if due.standing == "not yet counted" and due.counted_from:
                moments.append(now + _FRESH)
    if any(partial_date(one.on).earliest.replace(tzinfo=zone) > now for one in participant.reports):
        moments.append(now + _FRESH)
    return min(moments, default=_ALWAYS)


def _turns(protocol: Protocol, visit: Planned, today: date) -> Iterator[date]:
    """The days on which a visit changes its standing by itself."""
    if visit.standing in ("held", "missed") or visit.why == PART_ENDED:
        return
    yield visit.earliest
    yield visit.latest + timedelta(days=1)
    rule = protocol.rules.get(f"schedule.encounters.{encounter_of(visit.encounter)}.if")
    if rule is not None and visit.earliest <= today and _asks_the_day(rule):
        yield today + timedelta(days=1)


def _asks_the_day(rule: Typed) -> bool:
    """Whether an expression may answer otherwise on another day, all else being equal: it asks an age or a window."""
    return any(isinstance(one, Age) or getattr(one, "windows", ()) for one in parts(rule))


def _unripe(participant: Participant, today: date) -> bool:
    """Whether something is dated to a month or year that is not over, or to today: tomorrow it is surely past."""
    told = [*participant.observed.values(), *(one for kind in participant.records.values() for one in kind.values())]
    dates = {event.on for events in told for event in events} | {str(one) for one in participant.closed.values()}
    return any(partial_date(on).latest.date() >= today for on in dates)


# ---------------------------------------------------------------- what it says


#: Where somebody may be in the trial; in a trial of several arms `in arm` goes before the name of hers.
STATUSES = (
    *("withdrawn", "not enrolled", "allocated", "enrolled", "eligible", "ineligible", "undetermined"),
    *("in screening", "consent awaited"),
)
IN_ARM = "in arm "


def standing(protocol: Protocol, participant: Participant) -> tuple[str, str]:
    """Where she is in the trial, in words, and the tone in which it is shown."""
    if participant.withdrawn:
        return "withdrawn", "off"
    if participant.screening_ended:
        return "not enrolled", "off"
    if participant.allocation is not None:
        arm = participant.allocation.arm
        return (f"{IN_ARM}{arm}" if arm and len(protocol.document.arms) > 1 else "allocated"), "good"
    if participant.enrolled:
        return "enrolled", "good"
    if participant.determinations:
        verdict = participant.determinations[-1].verdict
        return verdict, "good" if verdict == "eligible" else "bad"
    return ("in screening" if participant.consented else "consent awaited"), "open"


def running(events: Iterable[SeriousEvent]) -> list[Running]:
    """The clocks of events that somebody must still act on."""
    return [
        Running(row.participant, row.kind, row.record, row.term, due)
        for row in events
        for due in row.due
        if due.standing in RUNNING and not due.sent_at
    ]


def events_of(
    protocol: Protocol, trial: TrialState, participant: Participant, today: date, now: datetime
) -> list[SeriousEvent]:
    """Her events that are or may be serious, with their clocks."""
    return serious_events(CutOff(protocol, trial, {participant.identity: participant}, today), now)


def _lapses(protocol: Protocol, participant: Participant) -> Iterator[Expiring]:
    """When results lapse on which her way in rests, while she is screened or waits for a product."""
    if (
        participant.withdrawn
        or participant.screening_ended
        or (participant.performed and _had_product(protocol, participant))
    ):
        return
    arm = participant.allocation.arm if participant.allocation else ""
    given = {name: one for name, one in protocol.document.interventions.items() if one.product}
    if arm and not set(protocol.document.arms[arm].gives) & set(given):
        return
    for name, item in protocol.vocabulary.items.items():
        told = participant.observed.get(name)
        if item.valid is not None and told:
            yield Expiring(name, _valid_until(partial_date(told[-1].on).earliest.date(), item.valid))


def _had_product(protocol: Protocol, participant: Participant) -> bool:
    interventions = protocol.document.interventions
    return any(interventions[str(one.payload.get("intervention"))].product for one in participant.performed)


def _valid_until(day: date, valid: Duration) -> date:
    match valid.calendar:
        case "days":
            return day + timedelta(days=valid.amount)
        case "weeks":
            return day + timedelta(weeks=valid.amount)
        case "months":
            return add_months(day, valid.amount)
        case _:
            return add_months(day, 12 * valid.amount)


def visit_label(protocol: Protocol, name: str) -> str:
    """How the protocol calls a visit: `safety.99` is `Safety contact, 99 days`."""
    base, _dot, repeat = name.partition(".")
    if not repeat or not protocol.document.schedule.encounters[base].each:
        return label(protocol, encounter_of(name))
    words = {"days": _("%(visit)s, %(number)s days"), "weeks": _("%(visit)s, %(number)s weeks")}
    words |= {"months": _("%(visit)s, %(number)s months"), "years": _("%(visit)s, %(number)s years")}
    return str(words[protocol.timings[base].calendar] % {"visit": label(protocol, base), "number": repeat})
