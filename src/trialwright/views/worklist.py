"""The worklist: what is due, late or waiting for an answer, participant by participant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from trialwright.core.partial_date import partial_date
from trialwright.trial.schedule import as_day
from trialwright.views.cutoff import CutOff
from trialwright.views.visits import visits_of


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to do: a visit, or a query to answer."""

    participant: str
    what: str
    record: str
    standing: str
    day: date
    earliest: date
    latest: date
    why: str


def worklist(cut: CutOff) -> list[Work]:
    """Everything that waits on the day: late first, then by the end of its window."""
    rows = []
    for one in cut.participants.values():
        for visit in visits_of(cut, one):
            if visit.standing in ("due", "late", "undecided"):
                rows.append(
                    Work(
                        one.identity,
                        visit.encounter,
                        visit.record,
                        visit.standing,
                        visit.day,
                        visit.earliest,
                        visit.latest,
                        visit.why,
                    )
                )
        for query, asked in one.queries.items():
            day = as_day(partial_date(asked.on))
            rows.append(Work(one.identity, f"query {query}", "", "due", day, day, day, asked.says))
    order = {"late": 0, "due": 1, "undecided": 2}
    return sorted(rows, key=lambda row: (order[row.standing], row.latest, row.participant, row.what))
