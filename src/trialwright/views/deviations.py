"""Deviations: what was decided then beside what would be derived now, visits out of time, doses off plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from trialwright.core.partial_date import partial_date
from trialwright.protocol.eligibility import verdict_of
from trialwright.trial.state import Participant
from trialwright.views.cutoff import CutOff, once
from trialwright.views.eligibility_now import answers_now
from trialwright.views.infusions import infusions_of
from trialwright.views.visits import visit_name, visits_of

Severity: TypeAlias = Literal["minor", "major"]

#: A delivered dose further from plan than this is a deviation even where it may be given.
_DOSE_NOTICE = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Deviation:
    """One deviation: whose, what kind, how grave, on which day, in a sentence, and the events it rests on."""

    participant: str
    kind: str
    severity: Severity
    on: str
    says: str
    events: tuple[int, ...]


def deviations(cut: CutOff) -> list[Deviation]:
    """Every deviation of enrolled women, by day."""

    def found() -> list[Deviation]:
        rows = [row for one in cut.participants.values() if one.enrolled for row in _of(cut, one)]
        return sorted(rows, key=lambda row: (row.on, row.participant, row.kind))

    return list(once(cut, "deviations", found))


def _of(cut: CutOff, one: Participant) -> list[Deviation]:
    """One participant's deviations, kind by kind."""
    given = [
        Deviation(row.participant, "infusion", "major", row.end or row.start, says, row.events)
        for row in infusions_of(cut, one)
        for says in row.deviations
    ]
    return [*_eligibility(cut, one), *_visits(cut, one), *_doses(one), *given]


def _eligibility(cut: CutOff, one: Participant) -> Iterator[Deviation]:
    """Decided then against derived now: nothing is recomputed in the ledger, the difference is shown here."""
    for made in one.determinations:
        now = answers_now(cut, one, made)
        verdict = verdict_of(cut.protocol, now)
        changed = [
            f"{name} was {made.answers.get(name, 'not asked')}, is {found.value}"
            for name, found in now.items()
            if made.answers.get(name) != found.value
        ]
        if changed or verdict != made.verdict:
            severity: Severity = "major" if verdict != made.verdict else "minor"
            says = f"Eligibility was decided as {made.verdict}; from what is known now it is {verdict}"
            yield Deviation(
                one.identity, "eligibility", severity, made.on, f"{says} ({'; '.join(changed)}).", (made.event,)
            )


def _visits(cut: CutOff, one: Participant) -> Iterator[Deviation]:
    for visit in visits_of(cut, one):
        name = visit_name(cut.protocol, visit.encounter)
        happened = one.visits.get(visit.key)
        if happened is None:
            if visit.standing == "late":
                yield Deviation(one.identity, "visit", "major", str(visit.latest), f"{name}: overdue.", ())
            continue
        if not happened.held:
            says = f"{name}: did not take place, {happened.reason}."
            yield Deviation(one.identity, "missed visit", "minor", happened.on, says, (happened.event,))
            continue
        outside = visit.days_outside(partial_date(happened.on))
        if outside:
            severity: Severity = "minor" if abs(outside) <= visit.width else "major"
            side = "after" if outside > 0 else "before"
            says = f"{name}: took place {_days(abs(outside))} {side} its window."
            yield Deviation(one.identity, "visit window", severity, happened.on, says, (happened.event,))


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def _doses(one: Participant) -> Iterator[Deviation]:
    for dose in one.doses:
        ratio = Decimal(dose.ratio)
        if abs(ratio - 1) > _DOSE_NOTICE:
            says = f"The dose of {dose.intervention} was {ratio} of plan (lot {dose.lot}); noted from 5 % on."
            yield Deviation(one.identity, "dose", "minor", dose.on, says, (dose.event,))
