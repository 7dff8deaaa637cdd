"""Why, along the chain of identity: what a unit went through, whom a donor or a lot reached, why the trial paused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trialwright.protocol.coverage import quoted_by
from trialwright.report.lines import Line
from trialwright.views.alerts import alerts
from trialwright.views.custody_trail import (
    Afterwards,
    Origin,
    Trail,
    custody_trail,
    origins_of,
    recipients_of,
)
from trialwright.views.cutoff import CutOff


def things(cut: CutOff) -> list[str]:
    """Everything along the chain that can be asked for: donors, materials, lots, units, alerts."""
    custody = cut.trial.custody
    return [*custody.donors, *custody.materials, *custody.lots, *custody.units, *cut.trial.alerts]


def along_the_chain(cut: CutOff, thing: str) -> Iterator[Line]:
    """The trail of a unit; whom anything else of the chain reached; what an alert rests on."""
    trail = custody_trail(cut, thing)
    if trail is not None:
        yield from _unit(cut, trail)
    elif thing in cut.trial.alerts:
        yield from _alert(cut, thing)
    else:
        yield from _source(cut, thing)


def received(cut: CutOff, participant: str) -> Iterator[Line]:
    """Everything that a participant was given, back to its donors."""
    rows = origins_of(cut, participant)
    if not rows:
        yield Line(0, f"{participant} was given no product")
    for row in rows:
        yield Line(0, f"{participant} was given {row.unit or row.lot} on {row.given}", row.events)
        yield from _origins(row.origin)


def _unit(cut: CutOff, trail: Trail) -> Iterator[Line]:
    unit = cut.trial.custody.units[trail.unit]
    words = quoted_by(cut.protocol, f"interventions.{unit.intervention}")
    yield Line(0, f"unit {trail.unit}, for {trail.participant}, {unit.intervention}", record=words)
    for step in trail.steps:
        note = f": {step.note}" if step.note else ""
        yield Line(1, f"{step.on} {step.state}, {step.by}{note}", (step.event,))
    if unit.delivered:
        yield Line(
            1, f"{unit.delivered} living cells delivered, {unit.ratio} of the plan ({unit.planned} when ordered)"
        )
    yield Line(1, "made from")
    yield from _origins(trail.origin, 2)
    yield from _after(trail.afterwards, 1)


def _source(cut: CutOff, thing: str) -> Iterator[Line]:
    rows = recipients_of(cut, thing)
    women = len({row.participant for row in rows})
    yield Line(0, f"{thing}: given to {women} {'participant' if women == 1 else 'participants'}")
    for row in rows:
        yield Line(1, f"{row.participant}, {row.unit or row.lot} of lot {row.lot} on {row.given}", row.events)
        yield from _after(row.afterwards, 2)


def _alert(cut: CutOff, thing: str) -> Iterator[Line]:
    for row in alerts(cut):
        if row.alert == thing:
            yield Line(0, f"alert {thing} on {row.on}, {row.standing}: {row.says}", row.events)
            if row.trigger in cut.protocol.document.safety.triggers:
                rule = cut.protocol.document.safety.triggers[row.trigger]
                words = quoted_by(cut.protocol, "safety")
                yield Line(1, f"rule {row.trigger}: {rule.rule}{f', unless {rule.unless}' if rule.unless else ''}",
                           record=words)  # fmt: skip
            if row.recipients:
                yield Line(1, f"participants: {', '.join(row.recipients)}")
            if row.decision:
                yield Line(1, f"reviewed on {row.reviewed} by {row.reviewed_by}: {row.decision}; {row.reason}")


def _origins(origin: Iterable[Origin], depth: int = 1) -> Iterator[Line]:
    for one in origin:
        state = f", {one.state}" if one.state else ""
        yield Line(depth, f"{one.what} {one.identity}, {one.on}{state}", one.events)


def _after(found: Iterable[Afterwards], depth: int) -> Iterator[Line]:
    for one in found:
        unsure = "" if one.later.value == "yes" else " (whether after it is not certain)"
        yield Line(depth, f"afterwards {one.kind} {one.record} on {one.on}{unsure}", one.events)
