"""The listing of adverse events."""

from __future__ import annotations

from dataclasses import dataclass

from trialwright.language.facts import Observation
from trialwright.language.values import show
from trialwright.trial.facts import anchor_date, facts_of
from trialwright.views.cutoff import CutOff, arm_of

KIND = "adverse_event"
_FIELDS = ("term", "grade", "serious", "related")


@dataclass(frozen=True, slots=True)
class AdverseEventRow:
    """One adverse event; `day` counts from the first product, where it was given before."""

    participant: str
    arm: str
    on: str
    day: int | None
    term: str
    grade: str
    serious: str
    related: str
    event: int


def adverse_events(cut: CutOff) -> list[AdverseEventRow]:
    """Every adverse event of every woman, in the order of women and days."""
    product = next((one.record for one in cut.protocol.document.interventions.values() if one.product), "")
    anchor = next(
        (name for name, one in cut.protocol.document.schedule.anchors.items() if product and one.record == product), ""
    )
    rows = []
    for one in cut.participants.values():
        given = anchor_date(cut.protocol, one, anchor) if anchor else None
        for entry in facts_of(cut.protocol, one).records.get(KIND, ()):
            happened = entry.date
            day = (happened.earliest.date() - given.earliest.date()).days if happened and given else None
            term, grade, serious, related = (_text(entry.fields.get(name)) for name in _FIELDS)
            rows.append(
                AdverseEventRow(
                    one.identity, arm_of(one), str(happened or ""), day, term, grade, serious, related, entry.event
                )
            )
    return sorted(rows, key=lambda row: (row.participant, row.on))


def _text(observation: Observation | None) -> str:
    return show(observation.value) if observation is not None and observation.value is not None else "not recorded"
