"""The infusion record: what was planned, prepared and delivered, from start to end, and what was not as planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trialwright.core.interval import plain
from trialwright.core.truth import Truth
from trialwright.protocol.document import Intervention
from trialwright.trial.custody import Move, Unit
from trialwright.trial.instants import instants
from trialwright.trial.state import Dose, Participant
from trialwright.views.cutoff import CutOff, arm_of
from trialwright.views.product import figure

_ENDS = ("complete", "partial", "aborted")


@dataclass(frozen=True, slots=True)
class Interruption:
    """From when until when an infusion stood still, and why; `ended` is empty where it was not taken up again."""

    began: str
    ended: str
    why: str
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class InfusionRow:
    """One infusion. Cells are counts, volumes millilitres; None is what is not recorded, or not yet.

    `ratio` is that of what was prepared to the plan, `delivered_ratio` that of what reached her. `outcome` is
    complete, partial, aborted, running or interrupted; `not recorded` where no unit is.
    """

    participant: str
    arm: str
    intervention: str
    record: str
    planned: Decimal | None
    prepared: Decimal | None
    ratio: Decimal | None
    delivered: Decimal | None
    delivered_ratio: Decimal | None
    volume: Decimal | None
    infused: Decimal | None
    flush: Decimal | None
    start: str
    end: str
    interruptions: tuple[Interruption, ...]
    outcome: str
    unit: str
    lot: str
    expires: str
    after_expiry: Truth
    verifiers: tuple[str, ...]
    deviations: tuple[str, ...]
    events: tuple[int, ...]


def infusions(cut: CutOff) -> list[InfusionRow]:
    """Every infusion in the order in which they began."""
    rows = [row for one in cut.participants.values() for row in infusions_of(cut, one)]
    return sorted(rows, key=lambda row: (row.start, row.events[0]))


def infusions_of(cut: CutOff, one: Participant) -> list[InfusionRow]:
    """One participant's infusions, in the order in which they were recorded."""
    return [_row(cut, one.identity, dose) for dose in one.doses if dose.lot or dose.unit]


def _row(cut: CutOff, who: str, dose: Dose) -> InfusionRow:
    unit = cut.trial.custody.units.get(dose.unit) or Unit(dose.unit, who, dose.intervention, "", dose.planned)
    end = next((move for move in unit.moves if move.state in _ENDS), None)
    document = cut.protocol.document.interventions.get(dose.intervention)
    after = _after_expiry(cut, unit, end)
    act = (dose.intervention, dose.record)
    performed = [
        one.seq
        for one in cut.participants[who].performed
        if (one.payload.get("intervention"), one.payload.get("record")) == act
    ]
    return InfusionRow(
        who, arm_of(cut.participants[who]), dose.intervention, dose.record, figure(dose.planned),
        figure(dose.prepared), figure(dose.ratio), figure(unit.delivered), figure(unit.ratio), figure(unit.volume),
        figure(unit.infused), figure(unit.flush), dose.on, end.on if end else "", tuple(_interruptions(unit)),
        _outcome(unit, end), dose.unit, dose.lot, unit.expires, after, tuple(dict.fromkeys(unit.verified_by)),
        tuple(_deviations(unit, dose, document, after, end)),
        tuple(sorted({dose.event, *performed, *(move.event for move in unit.moves)})),
    )  # fmt: skip


def _outcome(unit: Unit, end: Move | None) -> str:
    if end is not None:
        return end.state
    return {"infusing": "running", "interrupted": "interrupted"}.get(unit.state, "not recorded")


def _interruptions(unit: Unit) -> Iterator[Interruption]:
    for index, move in enumerate(unit.moves):
        if move.state == "interrupted":
            again = next((one for one in unit.moves[index + 1 :] if one.state in ("infusing", *_ENDS)), None)
            resumed = again if again is not None and again.state == "infusing" else None
            events = (move.event, resumed.event) if resumed else (move.event,)
            yield Interruption(move.on, resumed.on if resumed else "", move.note, events)


def _after_expiry(cut: CutOff, unit: Unit, end: Move | None) -> Truth:
    """Whether it was still being given after the unit had expired; unknown until it ends."""
    if end is None or not unit.expires:
        return Truth.UNKNOWN
    zone = cut.protocol.document.zone
    try:
        ended, expires = instants(end.on, zone), instants(unit.expires, zone)
    except ValueError:  # an hour that the clocks left out
        return Truth.UNKNOWN
    if ended.earliest > expires.latest:
        return Truth.YES
    return Truth.NO if ended.latest <= expires.earliest else Truth.UNKNOWN


def _deviations(unit: Unit, dose: Dose, document: Intervention | None, after: Truth, end: Move | None) -> Iterator[str]:
    tolerance = tuple(map(Decimal, document.tolerance)) if document and document.tolerance else None
    if unit.approved_by and (tolerance is None or (dose.ratio and Decimal(dose.ratio) < tolerance[0])):
        reason = next((move.note for move in unit.moves if move.state in ("released", "conditional")), "")
        because = f": {reason}" if reason else ""
        yield f"A dose of {dose.ratio} of plan was approved by {unit.approved_by}{because}."
    if after is Truth.YES and end is not None:
        yield f"It ended at {end.on}, after the unit had expired at {unit.expires}."
    if end is not None and end.state != "complete":
        yield f"It was {end.state}, {unit.infused} of {unit.volume} mL: {end.note or 'no reason is recorded'}."
    if tolerance is not None and unit.ratio and not tolerance[0] <= Decimal(unit.ratio) <= tolerance[1]:
        yield f"{unit.ratio} of plan was delivered, outside {plain(tolerance[0])} to {plain(tolerance[1])}."
