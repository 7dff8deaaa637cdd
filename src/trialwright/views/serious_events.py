"""Serious adverse events with their running clocks: what must be reported, to whom, by when, and whether it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from trialwright.core.finding import Refused
from trialwright.core.finding import says as told
from trialwright.core.truth import Truth
from trialwright.language.facts import RecordEntry
from trialwright.language.values import show
from trialwright.ledger.envelope import Event
from trialwright.protocol.adverse_event import ADVERSE_EVENT
from trialwright.protocol.protocol import Protocol
from trialwright.protocol.reporting import Rule, pack, pack_names
from trialwright.trial.clocks import CRITERIA, Due, Reportable, Sent, clocks
from trialwright.trial.facts import facts_of
from trialwright.trial.state import Participant, SentReport
from trialwright.views.cutoff import CutOff, arm_of
from trialwright.views.graded_events import NOT_RECORDED, Grading, grading, term_of, yes_no
from trialwright.views.pregnancies import first_known
from trialwright.views.reportable import (
    RECORDING,
    THREATENING,
    awareness,
    criteria_of,
    fatal,
    recorded_at,
    relatedness,
    reportable,
    reportable_pregnancy,
    serious_by,
    unexpectedness,
)

_URGENCY = ("overdue", "at once", "running", "unknown", "open question", "not yet counted", "sent late", "sent in time")


@dataclass(frozen=True, slots=True)
class SeriousEvent:
    """One event that is or may be serious, or a pregnancy that is filed like one, and every clock of the protocol.

    `aware_from` and `expected_from` say where the start of the clocks and the answer on expectedness come from.
    `due` has the most urgent first, those that do not apply last. `doubts` are what a person should look at.
    """

    participant: str
    arm: str
    kind: str
    record: str
    on: str
    term: str
    serious: Truth
    criteria: tuple[str, ...]
    related_investigator: str
    related_sponsor: str
    related: Truth
    unexpected: Truth
    expected_from: str
    aware: str
    aware_from: str
    outcome: str
    grading: Grading | None
    planned_admission: str
    due: tuple[Due, ...]
    doubts: tuple[str, ...]
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LateReport:
    """A report that is overdue, or was sent too late."""

    participant: str
    kind: str
    record: str
    due: Due
    events: tuple[int, ...]


def serious_events(
    cut: CutOff, now: datetime, holidays: frozenset[date] = frozenset(), worked: frozenset[date] = frozenset()
) -> list[SeriousEvent]:
    """Every event that is not certainly harmless, the one with the most urgent report first, as things stand at `now`.

    `holidays` and `worked` are those of `trial.clocks.clocks`.
    """
    watch = _Watch(now, holidays, worked)
    rows = []
    for one in cut.participants.values():
        for entry in facts_of(cut.protocol, one).records.get(ADVERSE_EVENT, ()):
            if serious_by(entry) is not Truth.NO:
                rows.append(_adverse_event(cut, one, entry, watch))
        for entry, known in _filed(cut.protocol, one):
            rows.append(_pregnancy(cut, one, entry, known, watch))
    return sorted(rows, key=lambda row: (min(map(_urgency, row.due), default=_FIRST), row.participant, row.record))


def late_reports(rows: Sequence[SeriousEvent]) -> list[LateReport]:
    """The reports of some events that are overdue or were sent late, the longest overdue first."""
    late = [
        LateReport(row.participant, row.kind, row.record, due, row.events)
        for row in rows
        for due in row.due
        if due.standing in ("overdue", "sent late")
    ]
    return sorted(late, key=lambda row: (_urgency(row.due), row.participant, row.record))


# ---------------------------------------------------------------- the parts of a row


@dataclass(frozen=True, slots=True)
class _Watch:
    """When the clocks are read, and the calendar they go by."""

    now: datetime
    holidays: frozenset[date]
    worked: frozenset[date]


def _adverse_event(cut: CutOff, one: Participant, entry: RecordEntry, watch: _Watch) -> SeriousEvent:
    safety, criteria = cut.protocol.document.safety, criteria_of(entry)
    unexpected, expected_from = unexpectedness(cut.protocol, one, entry)
    aware, aware_from = awareness(cut.protocol, one, entry)
    due, refused = _clocks(cut.protocol, one, entry, lambda: reportable(cut.protocol, one, entry), watch)
    return SeriousEvent(
        one.identity, arm_of(one), entry.kind, entry.identity, str(entry.date or ""), term_of(entry),
        serious_by(entry), tuple(words for words in CRITERIA if words in criteria), _text(entry, "related"),
        _text(entry, "related_sponsor"), relatedness(entry), unexpected, expected_from, aware, aware_from,
        _text(entry, "outcome"), grading(cut.protocol, entry, cut.when), safety.planned_admission, due,
        (*_doubts(entry), *refused), _numbers(one, entry.kind, entry.identity),
    )  # fmt: skip


def _pregnancy(cut: CutOff, one: Participant, entry: RecordEntry, known: Event, watch: _Watch) -> SeriousEvent:
    def event() -> Reportable:
        return reportable_pregnancy(cut.protocol, one, entry, known)

    due, refused = _clocks(cut.protocol, one, entry, event, watch)
    return SeriousEvent(
        one.identity, arm_of(one), entry.kind, entry.identity, known.on, "pregnancy", Truth.NO, (), NOT_RECORDED,
        NOT_RECORDED, Truth.UNKNOWN, Truth.UNKNOWN, "it is not asked of a pregnancy",
        recorded_at(known, cut.protocol.document.zone), RECORDING, NOT_RECORDED, None, "", due, refused,
        _numbers(one, entry.kind, entry.identity),
    )  # fmt: skip


def _filed(protocol: Protocol, one: Participant) -> Iterator[tuple[RecordEntry, Event]]:
    """The pregnancies that this site files, where one of its packs has a rule for them, and what made them known."""
    safety, part = protocol.document.safety, protocol.document.pregnancy
    if part is None or not safety.file_pregnancies or all(rule.event != "pregnancy" for rule in _rules(protocol)):
        return
    for entry in facts_of(protocol, one).records.get(part.record, ()):
        known = first_known(protocol, one, entry.identity)
        if known is not None:
            yield entry, known


def _rules(protocol: Protocol) -> Iterator[Rule]:
    """The rules of the packs that the protocol names; one that there is not is said by the clocks."""
    return (rule for name in protocol.document.safety.clocks if name in pack_names() for rule in pack(name).rules)


def _clocks(
    protocol: Protocol, one: Participant, entry: RecordEntry, event: Callable[[], Reportable], watch: _Watch
) -> tuple[tuple[Due, ...], tuple[str, ...]]:
    """The clocks of a record, the most urgent first, and what a person should look at."""
    sent, foreign = _sent(protocol, one, entry.kind, entry.identity)
    packs = protocol.document.safety.clocks
    try:
        found = clocks(event(), packs, sent, watch.now, watch.holidays, watch.worked)
    except Refused as wrong:
        return (), (*foreign, *(told(one) for one in wrong.findings))
    return tuple(sorted(found, key=_urgency)), foreign


def _sent(protocol: Protocol, one: Participant, kind: str, record: str) -> tuple[list[Sent], tuple[str, ...]]:
    """The reports about a record, and those by a rule that no pack of the protocol has."""
    known = {rule.id for rule in _rules(protocol)}
    about = _reports(one, kind, record)
    return (
        [Sent(report.rule, report.on, report.by) for report in about if report.rule in known],
        tuple(
            f"A report to {report.to} on {report.on} names the rule {report.rule}, which no pack of the protocol has."
            for report in about
            if report.rule not in known
        ),
    )


def _reports(one: Participant, kind: str, record: str) -> list[SentReport]:
    return [report for report in one.reports if (report.kind, report.record) == (kind, record)]


def _numbers(one: Participant, kind: str, record: str) -> tuple[int, ...]:
    recorded = (event.seq for event in one.records[kind][record])
    return tuple(sorted({*recorded, *(report.event for report in _reports(one, kind, record))}))


#: An event whose clocks could not be read is looked at before all others.
_FIRST = (-1, datetime.min.replace(tzinfo=UTC))


def _urgency(due: Due) -> tuple[int, datetime]:
    """Overdue first, then what is due soonest; what was sent, and what does not apply, last."""
    done = due.standing == "at once" and bool(due.sent_at)
    standing = "sent in time" if done else due.standing
    rank = _URGENCY.index(standing) if standing in _URGENCY else len(_URGENCY)
    return rank, due.due or datetime.max.replace(tzinfo=UTC)


def _doubts(entry: RecordEntry) -> Iterator[str]:
    criteria, word = criteria_of(entry), yes_no(entry, "serious")
    if word is Truth.NO and criteria:
        yield f"It was called not serious, and meets {', '.join(sorted(criteria))}."
    if word is Truth.UNKNOWN and not criteria:
        yield "Whether it is serious is not recorded."
    if fatal(entry) and yes_no(entry, "death") is not Truth.YES:
        yield "Its outcome or its grade says that she died, and `death` is not answered with yes."
    open_ = [name for name in ("death", "life_threatening") if yes_no(entry, name) is Truth.UNKNOWN]
    if criteria and not criteria & THREATENING and open_:
        yield f"{' and '.join(open_)}: not answered; the clocks take it as neither fatal nor life-threatening."


def _text(entry: RecordEntry, name: str) -> str:
    said = entry.fields.get(name)
    return show(said.value) if said is not None and said.value is not None else NOT_RECORDED
