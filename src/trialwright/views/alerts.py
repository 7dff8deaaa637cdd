"""Alerts and the boundary: what paused the trial and for how long, and how near the events have come to the limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.language.evaluate import answer, evaluate
from trialwright.protocol.adverse_event import ADVERSE_EVENT
from trialwright.protocol.document import BoundaryPart
from trialwright.statistics.binomial import clopper_pearson_upper
from trialwright.statistics.boundary import (
    BoundaryTable,
    Characteristic,
    boundary_table,
    operating_characteristics,
    posterior_above,
)
from trialwright.trial.facts import facts_of
from trialwright.trial.state import Alert
from trialwright.views.cutoff import CutOff

Standing: TypeAlias = Literal["open", "paused", "reviewed"]

#: True rates for which the boundary is described, as multiples of the acceptable one.
_MULTIPLES = ("0.5", "1", "1.5", "2", "3")


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert: `paused` while it holds the trial up, `open` while a review is awaited, else `reviewed`.

    `on` is the day of what raised it, `raised_at` the minute at which that was recorded. `days` is how long it has
    held, or held, the trial up, by when it was recorded; None where it does not pause. A review that ends with `stop`
    holds the trial up from then on, whatever the alert asked for.
    """

    alert: str
    standing: Standing
    action: str
    trigger: str
    says: str
    on: str
    raised_at: str
    participant: str
    record: str
    recipients: tuple[str, ...]
    decision: str
    reviewed: str
    reviewed_by: str
    reason: str
    days: int | None
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which nobody may be treated, by one alert or several that overlap; `ended` is empty while it lasts.

    It begins and ends at the minute of the record: whoever was treated before it could not know.
    """

    began: str
    ended: str
    days: int
    alerts: tuple[str, ...]
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BoundaryStep:
    """The boundary after one more participant was treated, before the next one was.

    `women` of `treated` had an event that had been counted by then; `pause_at` is how many pause the trial, None
    where not even all would; `posterior` is the chance that the true rate exceeds the acceptable one.
    """

    treated: int
    participant: str
    on: str
    women: int
    pause_at: int | None
    crossed: bool
    posterior: float
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """An event that was counted at the boundary, and whether by what is recorded now it would still be."""

    participant: str
    record: str
    still: Truth
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BoundaryView:
    """The boundary: its rule, its steps, what was counted, how often it pauses a trial, and what is known so far."""

    rule: str
    intervention: str
    prior: tuple[float, float]
    p0: float
    threshold: float
    steps: tuple[BoundaryStep, ...]
    counted: tuple[Counted, ...]
    characteristics: tuple[Characteristic, ...]
    says: str
    events: tuple[int, ...]


def alerts(cut: CutOff) -> list[AlertRow]:
    """Every alert: those that hold the trial up first, then those that await a review, then the rest, by day."""
    rows = [_alert(cut, one) for one in cut.trial.alerts.values()]
    order = {"paused": 0, "open": 1, "reviewed": 2}
    return sorted(rows, key=lambda row: (order[row.standing], row.on, row.events))


def pauses(cut: CutOff) -> list[Pause]:
    """The times in which the trial was paused, overlapping alerts as one, in their order."""
    groups: list[list[Alert]] = []
    until: datetime | None = None  # while one of the group lasts
    pausing = [one for one in cut.trial.alerts.values() if _began(one)]
    for one in sorted(pausing, key=lambda one: (partial_date(_began(one)).earliest, one.event)):
        ended = _end(one)
        end = partial_date(ended).latest if ended else None
        if groups and (until is None or partial_date(_began(one)).earliest <= until):
            groups[-1].append(one)
            until = max(until, end) if until and end else None
        else:
            groups.append([one])
            until = end
    return [_pause(cut, group) for group in groups]


def boundary(cut: CutOff) -> BoundaryView | None:
    """The boundary of the protocol after each participant treated; None where the protocol has none.

    An event has been counted by a step if that was recorded before the next participant's dose was: it is what
    whoever treated her could know. Only participants treated by then are among the `women`.
    """
    part = cut.protocol.document.safety.boundary
    if part is None:
        return None
    table = _table(cut, part)
    a, b = map(float, part.prior)
    steps = tuple(_steps(cut, part, table))
    rates = [float(rate) for rate in (Decimal(multiple) * Decimal(part.p0) for multiple in _MULTIPLES) if rate <= 1]
    last = steps[-1] if steps else None
    computed = cut.trial.boundary
    return BoundaryView(
        part.rule, part.intervention, (a, b), table.p0, table.threshold, steps, tuple(_counted(cut)),
        operating_characteristics(table, rates), still_allows(last.women if last else 0, last.treated if last else 0),
        (computed.event,) if computed else (),
    )  # fmt: skip


def still_allows(women: int, treated: int) -> str:
    """What so many events among so many treated leave possible.

    >>> still_allows(0, 12)
    '0 of 12 treated had an event that counts: a true rate of up to 22.1 % is still possible \
(one-sided 95 % Clopper-Pearson limit).'
    """
    if treated == 0:
        return "Nobody has been treated: any true rate is still possible."
    upper = 100 * clopper_pearson_upper(women, treated)
    return (
        f"{women} of {treated} treated had an event that counts: a true rate of up to {upper:.1f} % is still possible "
        "(one-sided 95 % Clopper-Pearson limit)."
    )


# ---------------------------------------------------------------- alerts


def _alert(cut: CutOff, one: Alert) -> AlertRow:
    standing: Standing = "paused" if one.pauses else "reviewed" if one.decision else "open"
    began = _began(one)
    days = _days(began, _end(one), cut.today) if began else None
    return AlertRow(
        one.identity, standing, one.action, one.trigger, one.says, one.on, one.raised_at, one.participant, one.record,
        one.recipients, one.decision, one.reviewed, one.reviewed_by, one.reason, days, (one.event,),
    )  # fmt: skip


def _began(one: Alert) -> str:
    """Since when it has held, or held, the trial up; nothing where it never did."""
    return one.raised_at if one.action == "pause" else one.reviewed_at if one.pauses else ""


def _end(one: Alert) -> str:
    """When a pause ended; nothing while it lasts."""
    return "" if one.pauses else one.reviewed_at


def _pause(cut: CutOff, group: Sequence[Alert]) -> Pause:
    ends = [_end(one) for one in group]
    ended = max(ends, key=lambda end: partial_date(end).latest) if all(ends) else ""
    began = _began(group[0])
    return Pause(
        began, ended, _days(began, ended, cut.today), tuple(one.identity for one in group),
        tuple(sorted(one.event for one in group)),
    )  # fmt: skip


def _days(began: str, ended: str, today: date) -> int:
    """Days from the day of one to that of the other, or to today."""
    last = partial_date(ended).earliest.date() if ended else today
    return max(0, (last - partial_date(began).earliest.date()).days)


# ---------------------------------------------------------------- the boundary


def _table(cut: CutOff, part: BoundaryPart) -> BoundaryTable:
    """The table as it was computed when the protocol was activated; computed here where it was not yet."""
    a, b = map(float, part.prior)
    p0, threshold = float(part.p0), float(part.threshold)
    if cut.trial.boundary is not None and cut.trial.boundary.pause_at:
        return BoundaryTable(p0, threshold, a, b, cut.trial.boundary.pause_at)
    return boundary_table(cut.protocol.document.design.enrolment, p0, threshold, a, b)


def _steps(cut: CutOff, part: BoundaryPart, table: BoundaryTable) -> Iterator[BoundaryStep]:
    treated = list(cut.trial.treated.get(part.intervention, {}).items())  # in the order in which they were
    doses = [_first_dose(cut, part.intervention, who) for who, _ in treated]
    places = {who: place for place, (who, _) in enumerate(treated)}
    for index, ((who, on), following) in enumerate(zip(treated, _following(doses), strict=True)):
        n = index + 1
        found = [
            (woman, event)
            for (woman, _), event in cut.trial.counted.items()
            if places.get(woman, n) <= index and (not following or event < following)
        ]
        women = len({woman for woman, _ in found})
        least = table.pause_at[index] if index < len(table.pause_at) else None
        events = tuple(sorted({*(number for number in (doses[index],) if number), *(event for _, event in found)}))
        posterior = posterior_above(women, n, table.p0, table.a, table.b)
        yield BoundaryStep(n, who, on, women, least, least is not None and women >= least, posterior, events)


def _following(doses: Sequence[int]) -> list[int]:
    """For each dose the first recorded of those that come after it, 0 where there is none."""
    found, first = [], 0
    for dose in reversed(doses):
        found.append(first)
        first = min(filter(None, (first, dose)), default=0)
    return found[::-1]


def _first_dose(cut: CutOff, intervention: str, who: str) -> int:
    one = cut.participants.get(who)
    return min((dose.event for dose in one.doses if dose.intervention == intervention), default=0) if one else 0


def _counted(cut: CutOff) -> Iterator[Counted]:
    for (who, record), event in sorted(cut.trial.counted.items(), key=lambda pair: pair[1]):
        yield Counted(who, record, _still(cut, who, record), (event,))


def _still(cut: CutOff, who: str, record: str) -> Truth:
    """Whether a counted event meets the rule now; no where its record was taken back."""
    one = cut.participants.get(who)
    facts = facts_of(cut.protocol, one) if one else None
    entries = facts.records.get(ADVERSE_EVENT, ()) if facts else ()
    entry = next((found for found in entries if found.identity == record), None)
    if facts is None or entry is None:
        return Truth.NO
    return answer(evaluate(cut.protocol.rules["safety.boundary.rule"], facts, cut.when, entry))
