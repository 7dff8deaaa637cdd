"""The clocks of expedited reporting: what must be reported about an event, to whom, by when, and whether it was.

The rules are data (`trialwright.protocol.reporting`). Where a time is known only to the day, or the clocks showed it
twice, a deadline counts from its first moment, and a report is in time only if every moment that it may mean is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from trialwright.core.finding import Refused, finding
from trialwright.core.partial_date import PartialDate, is_day, partial_date
from trialwright.core.truth import Truth, all_of, truth
from trialwright.protocol.naming import nearest
from trialwright.protocol.reporting import CAVEATS, Pack, Rule, cited, pack, pack_names
from trialwright.trial.instants import instants, is_minute

#: What may be reported.
KINDS = (
    "adverse event", "pregnancy", "process error", "mandatory termination", "unexpected event",
    "urgent safety measure",
)  # fmt: skip
#: What makes an event serious (ICH E2A).
CRITERIA = (
    "death", "life-threatening", "hospitalisation", "disability", "congenital anomaly", "important medical event",
)  # fmt: skip
Standing: TypeAlias = Literal[
    "sent in time", "sent late", "running", "overdue", "at once", "not yet counted", "open question",
    "does not apply", "unknown",
]  # fmt: skip

_TIMES = {
    "happened": "the event",
    "aware": "the investigator's awareness",
    "sponsor_aware": "the sponsor's awareness",
    "determined": "the sponsor's determination",
    "opinion": "the committee's opinion",
    "handled": "the end of handling",
}
_STARTS = {
    "happened": "happened",
    "investigator_awareness": "aware",
    "sponsor_awareness": "sponsor_aware",
    "sponsor_determination": "determined",
    "committee_opinion": "opinion",
    "handled": "handled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reportable:
    """One event at a site, as far as it is known; times are local to `zone`, days or minutes, "" where not known.

    `related` and `unexpected` are yes if the investigator or the sponsor says so, and no only if both do
    (`investigator | sponsor`): an assessment is never downgraded. For an urgent safety measure, `happened` is when
    it was taken. `Refused` where a kind, a criterion, the zone or a time cannot be read.
    """

    identity: str
    kind: str
    zone: str
    happened: str
    aware: str
    sponsor_aware: str = ""
    determined: str = ""
    opinion: str = ""
    handled: str = ""
    serious: Truth
    criteria: frozenset[str] = frozenset()
    related: Truth
    unexpected: Truth

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            near, kinds = nearest(self.kind, KINDS), ", ".join(KINDS)
            raise Refused(
                finding("reportable_kind_unknown", identity=self.identity, kind=self.kind, nearest=near, kinds=kinds)
            )
        for criterion in sorted(self.criteria - set(CRITERIA)):
            near, known = nearest(criterion, CRITERIA), ", ".join(CRITERIA)
            raise Refused(
                finding(
                    "reportable_criterion_unknown",
                    identity=self.identity, criterion=criterion, nearest=near, criteria=known,
                )
            )  # fmt: skip
        for name, what in _TIMES.items():
            if getattr(self, name) or name == "aware":
                _span(getattr(self, name), self, what)


@dataclass(frozen=True, slots=True)
class Sent:
    """A report that was sent by a rule: when, as a local minute or day of the event's zone, and by whom."""

    rule: str
    at: str
    by: str


@dataclass(frozen=True, slots=True)
class Due:
    """One rule applied to one event.

    `due` is the last instant for a deadline in hours, and the end of the last day (the midnight after it) for one in
    days. `left` is negative once it has passed. `basis` and `why` say where the rule's own text was not read.
    """

    pack: str
    rule: str
    what: str
    who: str
    to_whom: str
    counted_from: str
    due: datetime | None
    due_local: str
    standing: Standing
    left: timedelta | None
    sent_at: str
    basis: str
    verified: str
    why: str
    assumption: str = ""
    question: str = ""


def clocks(
    event: Reportable,
    packs: Sequence[str],
    sent: Sequence[Sent],
    now: datetime,
    holidays: frozenset[date] = frozenset(),
    worked: frozenset[date] = frozenset(),
) -> tuple[Due, ...]:
    """Every rule of the packs applied to the event, in the order of the packs, as things stand at `now`.

    Reports dated after `now` are plans, and count as not sent. `holidays` are weekdays on which nobody works, `worked`
    are Saturdays and Sundays on which people do. `Refused` for an unknown pack, or a report by an unknown rule.
    """
    if now.tzinfo is None:
        raise ValueError("`now` needs its offset from UTC")
    chosen = [pack(name) for name in dict.fromkeys(packs)]
    reports = _reports(event, sent, now)
    calendar = _Calendar(holidays, worked)
    made: list[Due] = []
    for rules in chosen:
        before: dict[str, Due] = {}
        for rule in rules.rules:
            before[rule.id] = _due(event, rules, rule, before, reports, now, calendar)
        made.extend(before.values())
    return tuple(made)


def line(due: Due) -> str:
    """One rule in one line, with how far its text was read."""
    by = f", due {due.due_local}" if due.due_local else ""
    sent = f", sent {due.sent_at}" if due.sent_at else ""
    return f"{due.rule}: {due.who} to {due.to_whom}, {due.what}: {due.standing}{by}{sent}. {due.basis}. {due.why}"


# ---------------------------------------------------------------- one rule


@dataclass(frozen=True, slots=True)
class _Span:
    """The instants that a local time may mean, and its first local day."""

    earliest: datetime
    latest: datetime
    day: date
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Start:
    """What a deadline is counted from; `settled` where it has happened."""

    instant: datetime
    day: date
    text: str
    settled: bool


@dataclass(frozen=True, slots=True)
class _Calendar:
    holidays: frozenset[date]
    worked: frozenset[date]


def _due(
    event: Reportable,
    rules: Pack,
    rule: Rule,
    before: Mapping[str, Due],
    reports: Mapping[str, _Span],
    now: datetime,
    calendar: _Calendar,
) -> Due:
    parts = _in_force(event, rule) | CONDITIONS[rule.event](event)
    applies = all_of(parts.values())
    sent = reports.get(rule.id)
    no_clock = Due(
        rules.name, rule.id, rule.what, rule.who, rule.to_whom, "", None, "", "does not apply", None,
        sent.text if sent else "", cited(rule), rule.verified, "", rule.assumption, rule.open,
    )  # fmt: skip
    if applies is Truth.NO:
        return replace(no_clock, why=_sentences(_named("Not so", parts, Truth.NO)))
    start, counted = _start(event, rule, before, reports, now)
    due, due_local, inclusive = _end(rule, start, event.zone, calendar) if start else (None, "", False)
    standing, verdict = _standing(rule, applies, start, due, inclusive, sent, now)
    why = _sentences(
        _named("Not known", parts, Truth.UNKNOWN),
        _would(applies, due_local),
        counted,
        verdict,
        sent.note if sent else "",
        _working(rule, calendar),
        f"Assumption: {rule.assumption}" if rule.assumption else "",
        f"Open question: {rule.open}" if rule.open else "",
        CAVEATS[rule.verified],
    )
    left = due - now if due and not sent else None
    told = start.text if start else ""
    return replace(no_clock, counted_from=told, due=due, due_local=due_local, standing=standing, left=left, why=why)


def _standing(
    rule: Rule,
    applies: Truth,
    start: _Start | None,
    due: datetime | None,
    inclusive: bool,
    sent: _Span | None,
    now: datetime,
) -> tuple[Standing, str]:
    late = _after(sent.earliest, due, inclusive) if sent and due else None
    maybe = _after(sent.latest, due, inclusive) if sent and due else None
    if maybe is False:
        return "sent in time", ""
    told = "It was sent after that" if late else "Whether it was sent before that is not known"
    if applies is Truth.UNKNOWN:
        return "unknown", f"{told}." if sent and due else ""
    if rule.open:
        return "open question", f"{told}, on that reading." if sent and due else ""
    if start is None or not start.settled:
        return "not yet counted", ""
    if due is None:
        return "at once", "" if sent else "The text has no figure, and nothing was sent."
    if sent:
        return ("sent late", "") if late else ("unknown", f"{told}: its time is given only as {sent.text}.")
    return ("overdue" if _after(now, due, inclusive) else "running"), ""


def _after(instant: datetime, due: datetime, inclusive: bool) -> bool:
    return instant > due if inclusive else instant >= due


# ---------------------------------------------------------------- whether a rule applies


Parts: TypeAlias = dict[str, Truth]


def _serious(event: Reportable) -> Parts:
    return {"serious": event.serious | truth(bool(event.criteria))}


def _related(event: Reportable) -> Parts:
    return _serious(event) | {"related": event.related}


def _susar(event: Reportable) -> Parts:
    return _related(event) | {"unexpected": event.unexpected}


def _threatening(event: Reportable) -> Truth:
    """Whether it killed or threatened life; unknown where no criterion of seriousness is given."""
    return truth(bool(event.criteria & {"death", "life-threatening"})) if event.criteria else Truth.UNKNOWN


def _kind(kind: str) -> Callable[[Reportable], Parts]:
    return lambda event: {kind: truth(event.kind == kind)}


#: When a rule for this sort of event applies: each part that must be so, by its name.
CONDITIONS: Mapping[str, Callable[[Reportable], Parts]] = {
    "any serious": _serious,
    "serious and related": _related,
    "SUSAR": _susar,
    "SUSAR, fatal or life-threatening": lambda event: (
        _susar(event) | {"fatal or life-threatening": _threatening(event)}
    ),
    "SUSAR, other": lambda event: _susar(event) | {"neither fatal nor life-threatening": ~_threatening(event)},
    "process error": _kind("process error"),
    "pregnancy": _kind("pregnancy"),
    "mandatory termination": _kind("mandatory termination"),
    "unexpected event": _kind("unexpected event"),
    "urgent safety measure": _kind("urgent safety measure"),
}


def _in_force(event: Reportable, rule: Rule) -> Parts:
    """Whether the rule governs the local day of the investigator's awareness."""
    aware = partial_date(event.aware)
    first, last = aware.earliest.date(), aware.latest.date()
    parts: Parts = {}
    if rule.from_:
        parts[f"in force when it became known (from {rule.from_})"] = _between(first >= rule.from_, last >= rule.from_)
    if rule.until:
        parts[f"in force when it became known (until {rule.until})"] = _between(last <= rule.until, first <= rule.until)
    return parts


def _between(surely: bool, perhaps: bool) -> Truth:
    return Truth.YES if surely else Truth.UNKNOWN if perhaps else Truth.NO


# ---------------------------------------------------------------- from when, until when


def _start(
    event: Reportable, rule: Rule, before: Mapping[str, Due], reports: Mapping[str, _Span], now: datetime
) -> tuple[_Start | None, str]:
    if rule.counted_from == "report":
        return _start_at_report(event, before[rule.report_of], reports.get(rule.report_of), now)
    name = _STARTS[rule.counted_from]
    what, text = _TIMES[name], getattr(event, name)
    if not text:
        return None, f"Counted from {what}, which is not recorded yet."
    span = _span(text, event, what)
    settled = span.earliest <= now
    told = f"Counted from {what}, {text}" + ("." if settled else ", which is still to come.")
    first = f"{span.note} Its first moment counts." if span.note else ""
    return _Start(span.earliest, span.day, f"{what}, {text}", settled), _sentences(told, first)


def _start_at_report(event: Reportable, first: Due, sent: _Span | None, now: datetime) -> tuple[_Start | None, str]:
    """The report it follows, or the end of that report's own time where it was not sent by then."""
    ends = []
    if first.due:  # the midnight that ends a day belongs to the day
        ends.append(
            (first.due - timedelta(microseconds=1), f"the last day of {first.rule}, which was not sent by then")
        )
    if sent:
        ends.append((sent.earliest, f"the report by {first.rule}, {sent.text}"))
    if not ends:
        return None, f"Counted from the report by {first.rule}, which was not sent yet."
    instant, told = min(ends)
    settled = sent is not None or instant < now
    if not settled:
        told = f"the last day of {first.rule}; earlier where that is sent earlier"
    day = instant.astimezone(ZoneInfo(event.zone)).date()
    return _Start(instant, day, told, settled), f"Counted from {told}."


def _end(rule: Rule, start: _Start, zone: str, calendar: _Calendar) -> tuple[datetime | None, str, bool]:
    """When the time is over, how that is said at the place, and whether that very instant is still in time."""
    figure = rule.deadline.figure
    match rule.deadline.unit:
        case "hours":
            due = start.instant + timedelta(hours=figure)
            return due, due.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes"), True
        case "calendar days":
            last = start.day + timedelta(days=figure)
        case "working days":
            last = next(islice(_working_days(start.day, calendar), figure - 1, None))
        case _:
            return None, "", False
    midnight = datetime.combine(last + timedelta(days=1), time(), ZoneInfo(zone))
    return midnight.astimezone(UTC), f"end of {last}, {zone}", False


def _working_days(start: date, calendar: _Calendar) -> Iterator[date]:
    """The working days after a day."""
    days = (start + timedelta(days=number) for number in count(1))
    return (day for day in days if day in calendar.worked or (day.weekday() < 5 and day not in calendar.holidays))


# ---------------------------------------------------------------- local times


def _reports(event: Reportable, sent: Sequence[Sent], now: datetime) -> dict[str, _Span]:
    """The first report by each rule, of those that were really sent by now."""
    known = [rule.id for name in pack_names() for rule in pack(name).rules]
    found: dict[str, _Span] = {}
    for one in sent:
        if one.rule not in known:
            raise Refused(finding("reporting_rule_unknown", rule=one.rule, nearest=nearest(one.rule, known)))
        span = _span(one.at, event, f"the report by {one.rule}")
        if span.earliest <= now and (one.rule not in found or span.earliest < found[one.rule].earliest):
            found[one.rule] = span
    return found


def _span(text: str, event: Reportable, what: str) -> _Span:
    what = what[:1].upper() + what[1:]
    _known_zone(event)
    try:
        told, found = partial_date(text), instants(text, event.zone)
    except ValueError as wrong:
        raise Refused(finding("reportable_time_wrong", what=what, identity=event.identity, why=wrong)) from wrong
    note = f"{what}: the clocks showed {text} twice." if found.earliest != found.latest else ""
    note = note if is_minute(told) else _only(what, told)
    return _Span(found.earliest, found.latest, told.earliest.date(), text, note)


def _only(what: str, told: PartialDate) -> str:
    known = "day" if is_day(told) else "month" if told.earliest.month == told.latest.month else "year"
    return f"{what}: only the {known} is known."


def _known_zone(event: Reportable) -> None:
    try:
        ZoneInfo(event.zone)
    except (KeyError, ValueError, OSError) as wrong:
        raise Refused(finding("reportable_zone_unknown", identity=event.identity, zone=event.zone)) from wrong


# ---------------------------------------------------------------- sentences


def _sentences(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _named(says: str, parts: Parts, answer: Truth) -> str:
    names = [name for name, found in parts.items() if found is answer]
    return f"{says}: {', '.join(names)}." if names else ""


def _would(applies: Truth, due_local: str) -> str:
    if applies is Truth.YES:
        return ""
    return f"Would be due {due_local}." if due_local else "It may apply."


def _working(rule: Rule, calendar: _Calendar) -> str:
    if rule.deadline.unit != "working days":
        return ""
    told = "No holidays are loaded: only Saturdays and Sundays are left out." if not calendar.holidays else ""
    return _sentences(
        told, "" if calendar.worked else "No weekend is loaded that is worked; if one is, it is due earlier."
    )
