"""Decisions about what is done to a participant: regimens, procedures, and the giving of a unit to its end."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from trialwright.core.finding import Finding, Refused
from trialwright.core.interval import ARITHMETIC, plain
from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.language.facts import Facts
from trialwright.language.values import Amount
from trialwright.ledger.envelope import NewEvent
from trialwright.protocol.adverse_event import ADVERSE_EVENT
from trialwright.protocol.document import Intervention
from trialwright.protocol.entry import encode, enter
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.custody import FROM_THE_UNIT, Unit
from trialwright.trial.decide_data import parent_of, record_payload
from trialwright.trial.decide_units import (
    counted,
    dose_within,
    measured,
    minute,
    moment_of,
    moves,
    not_too_often,
    still_good,
    unit_of,
)
from trialwright.trial.dose import planned_dose, rests_on
from trialwright.trial.facts import as_if_performed
from trialwright.trial.gate import Gate, refuse
from trialwright.trial.instants import instants
from trialwright.trial.schedule import encounter_of, planned
from trialwright.trial.state import Participant


def perform(gate: Gate, command: c.Perform) -> list[NewEvent]:
    """A regimen started or a procedure carried out: everything the protocol requires must certainly hold."""
    participant = gate.recordable(command.participant, command.intervention, command.on)
    intervention = gate.intervention(command.intervention)
    gate.in_her_arm(command.intervention, command.on)
    gate.before_she_left(participant, command.on)
    gate.not_blocked(command.intervention)
    if not intervention.product:  # what gives one waits for every pause
        gate.not_called_back(command.intervention)
    facts, when = as_if_performed(gate.protocol, gate.facts(), intervention, command.on), partial_date(command.on)
    gate.meets(
        command.intervention, f"interventions.{command.intervention}.requires", intervention.requires, facts, when
    )
    outside = _far_outside(gate, participant, command)
    payload, queries = record_payload(
        gate, participant, intervention.record, command.record, command.fields, command.on
    )
    payload["parent"] = parent_of(gate, participant, intervention.record, command.parent)
    payload["intervention"] = command.intervention
    payload["steps"] = list(command.steps)
    payload["basis"] = participant.last
    payload["answers"] = {requirement.says: "yes" for requirement in intervention.requires}
    if outside:
        payload["outside_window"], payload["decided_by"] = outside, command.decided_by
    determined: list[NewEvent] = []
    if intervention.product:
        unit, dose = _dose(gate, participant, intervention, command, facts, when)
        payload["unit"], payload["lot"] = unit.identity, unit.lot
        determined = [dose]
    return [*determined, gate.event(e.PERFORMED, command.on, payload, command.reason), *queries]


def interrupt_infusion(gate: Gate, command: c.InterruptInfusion) -> list[NewEvent]:
    """An infusion stopped that may be taken up again."""
    unit = _hers(gate, command.participant, command.unit, command.on)
    moves(gate, unit, "interrupted", command.on)
    minute(gate, "An interruption", command.on)
    left = measured("left", command.left, "mL")
    most = Decimal(unit.left or unit.volume)
    if not 0 < left <= most:
        span = f"more than 0 and at most {plain(most)} mL"
        refuse("volume_infused", what="left", unit=unit.identity, volume=command.left, span=span)
    if not command.reason.strip():
        refuse("reason_missing", what="An interruption")
    payload: dict[str, Any] = {"unit": unit.identity, "left": plain(left)}
    return [gate.event(e.INFUSION_INTERRUPTED, command.on, payload, command.reason)]


def resume_infusion(gate: Gate, command: c.ResumeInfusion) -> list[NewEvent]:
    """The same unit taken up again: soon enough, before it expires, and with no reaction of grade 2 or more."""
    unit = _hers(gate, command.participant, command.unit, command.on)
    if unit.state != "interrupted":
        refuse("unit_state", unit=unit.identity, state=unit.state, action="Taking it up again")
    moves(gate, unit, "infusing", command.on)
    gate.before_she_left(gate.present(command.participant), command.on)
    gate.not_paused(unit.intervention)
    document = gate.intervention(unit.intervention)
    minute(gate, "Taking it up again", command.on)
    if not document.restart:
        refuse("restart_not_foreseen", intervention=unit.intervention)
    since = moment_of(gate, command.on) - instants(unit.interrupted, gate.protocol.document.zone).earliest
    if since > timedelta(minutes=float(measured("restart", document.restart, "min"))):
        refuse("restart_late", unit=unit.identity, minutes=int(since.total_seconds() // 60), limit=document.restart)
    still_good(gate, unit, command.on, f"Taking up {unit.identity} again")
    reaction = _reaction(gate.facts(), unit)
    if reaction:
        refuse("restart_after_reaction", unit=unit.identity, event=reaction)
    return [gate.event(e.INFUSION_RESUMED, command.on, {"unit": unit.identity})]


def end_infusion(gate: Gate, command: c.EndInfusion) -> list[NewEvent]:
    """The end of an infusion: what was delivered is computed from what went in, flush and dead space included."""
    participant = gate.present(command.participant)
    unit = _hers(gate, command.participant, command.unit, command.on)
    document = gate.intervention(unit.intervention)
    if unit.state not in ("infusing", "interrupted"):
        refuse("unit_state", unit=unit.identity, state=unit.state, action="The end of an infusion")
    volume = Decimal(unit.volume)
    infused, flush = measured("infused", command.infused, "mL"), measured("flush", command.flush, "mL")
    least = volume - Decimal(unit.left) if unit.left else Decimal(0)  # what had gone in when it was interrupted
    most = least if unit.state == "interrupted" else volume
    if not least <= infused <= most:
        span = f"{plain(least)} to {plain(most)} mL"
        refuse("volume_infused", what="infused", unit=unit.identity, volume=command.infused, span=span)
    if flush < 0:
        refuse("volume_infused", what="flushed", unit=unit.identity, volume=command.flush, span="0 mL or more")
    outcome = "complete" if infused == volume else "aborted" if infused == 0 else "partial"
    moves(gate, unit, outcome, command.on)
    minute(gate, "The end of an infusion", command.on)
    if outcome != "complete" and not command.reason.strip():
        refuse("reason_missing", what="An infusion that was not complete")
    end_viability = measured("viability", command.viability, "%") if command.viability else Decimal(unit.viability)
    dead_space = measured("dead_space", document.dead_space, "mL") if document.dead_space else Decimal(0)
    through = max(Decimal(0), infused - max(Decimal(0), dead_space - flush))
    cells = delivered(Decimal(unit.total), end_viability, volume, through)
    planned = next(dose.planned for dose in reversed(participant.doses) if dose.unit == unit.identity)
    ratio = ARITHMETIC.divide(cells, Decimal(planned)).quantize(Decimal("0.0001"))
    payload: dict[str, Any] = {
        "unit": unit.identity,
        "outcome": outcome,
        "infused": plain(infused),
        "flush": plain(flush),
        "delivered": plain(cells),
        "ratio": plain(ratio),
        "after_expiry": moment_of(gate, command.on) > instants(unit.expires, gate.protocol.document.zone).earliest,
    }
    told = dict(zip(FROM_THE_UNIT, (f"{plain(infused)} mL", f"{plain(flush)} mL", plain(cells), plain(ratio), outcome),
                    strict=True))  # fmt: skip
    new = [gate.event(e.INFUSION_ENDED, command.on, payload, command.reason)]
    declared = gate.protocol.vocabulary.records[document.record].fields
    fields = {}
    for name, text in told.items():
        if name in declared:
            entered = enter(declared[name], text)
            if isinstance(entered, Finding):
                raise Refused(entered)
            fields[name] = dict(encode(entered.value, entered.text))
    if fields:
        completed: dict[str, Any] = {"kind": document.record, "record": unit.record, "fields": fields}
        new.append(gate.event(e.RECORD_COMPLETED, command.on, completed))
    return new


def delivered(total: Decimal, viability: Decimal, volume: Decimal, through: Decimal) -> Decimal:
    """The living cells that reached her, in whole cells: all cells x the living share at the end x the share of mL.

    >>> delivered(Decimal(66_000_000), Decimal(90), Decimal(15), Decimal(10))
    Decimal('39600000')
    """
    living = ARITHMETIC.divide(ARITHMETIC.multiply(total, viability), Decimal(100))
    return ARITHMETIC.divide(ARITHMETIC.multiply(living, through), volume).quantize(Decimal(1))


def _far_outside(gate: Gate, participant: Participant, command: c.Perform) -> int:
    """Days outside the window of the nearest encounter that performs it, where that is a major deviation.

    A major deviation is decided on before the act, by name and with a reason; an act that no encounter of hers
    performs has no window.
    """
    schedule, when = gate.protocol.document.schedule, partial_date(command.on)
    doing = {name for name, one in schedule.activities.items() if one.performs == command.intervention}
    nearest = min(
        (
            (abs(visit.days_outside(when)), visit.days_outside(when), visit)
            for visit in planned(gate.protocol, gate.trial, participant, when.latest.date())
            if doing.intersection(schedule.encounters[encounter_of(visit.encounter)].does)
        ),
        key=lambda found: found[0],
        default=None,
    )
    if nearest is None or nearest[0] <= nearest[2].width:
        return 0
    if not (command.decided_by.strip() and command.reason.strip()):
        refuse("window_major", intervention=command.intervention, days=nearest[0], encounter=nearest[2].encounter,
               first=nearest[2].earliest, last=nearest[2].latest)  # fmt: skip
    return nearest[1]


def _hers(gate: Gate, participant: str, name: str, on: str) -> Unit:
    gate.present(participant)
    unit = unit_of(gate, name)
    if unit.participant != participant:
        refuse("identity_mismatch", unit=unit.identity, intended=unit.participant, participant=participant)
    gate.not_in_the_future(name, on)
    return unit


def _dose(
    gate: Gate,
    participant: Participant,
    intervention: Intervention,
    command: c.Perform,
    facts: Facts,
    when: PartialDate,
) -> tuple[Unit, NewEvent]:
    """The dose of a verified unit, planned again from what is known at this moment."""
    gate.not_paused(command.intervention)
    unit = unit_of(gate, command.unit)
    if unit.participant != participant.identity:
        refuse("identity_mismatch", unit=unit.identity, intended=unit.participant, participant=participant.identity)
    if unit.intervention != command.intervention:
        refuse("unit_wrong", unit=unit.identity, found=unit.intervention, intervention=command.intervention)
    if unit.state != "verified":  # an interrupted one is taken up again, not begun a second time
        refuse("unit_state", unit=unit.identity, state=unit.state, action=command.intervention)
    moves(gate, unit, "infusing", command.on)
    minute(gate, "The start of an infusion", command.on)
    lasting = timedelta(
        minutes=float(measured("duration", intervention.duration, "min")) if intervention.duration else 0
    )
    still_good(gate, unit, command.on, command.intervention, lasting)
    _spaced(gate, command)
    not_too_often(gate, participant.identity, command.intervention)
    gate.no_doubt_about(rests_on(gate.protocol, gate.trial, command.intervention), command.intervention)
    plan = planned_dose(gate.protocol, gate.trial, command.intervention, facts, when)
    if plan.amount <= 0:
        refuse("dose_impossible", intervention=command.intervention, amount=f"{plain(plan.amount)} {plan.unit}")
    cells = counted(intervention, unit)
    ratio = dose_within(intervention, cells, plan.amount, unit.approved_by)
    payload: dict[str, Any] = {
        "intervention": command.intervention,
        "record": command.record,
        "planned": plain(plan.amount),
        "prepared": plain(cells),
        "ratio": plain(ratio),
        "unit": unit.identity,
        "lot": unit.lot,
        "basis": participant.last,
    }
    return unit, gate.event(e.DOSE_DETERMINED, command.on, payload)


def _spaced(gate: Gate, command: c.Perform) -> None:
    """Refuse to treat one of the first participants too soon after the one before her."""
    sentinel = gate.protocol.document.safety.sentinel
    if sentinel is None or sentinel.intervention != command.intervention:
        return
    treated = gate.trial.treated.get(command.intervention, {})
    if command.participant in treated or len(treated) >= sentinel.first:
        return
    day = partial_date(command.on).earliest.date()
    for other, on in treated.items():
        apart = abs((day - partial_date(on).earliest.date()).days)
        if apart < sentinel.days:
            refuse("sentinel", participant=command.participant, other=other, on=on, days=sentinel.days,
                   first=sentinel.first)  # fmt: skip


def _reaction(facts: Facts, unit: Unit) -> str:
    """An adverse event since the infusion began that is, or may be, of grade 2 or more."""
    began = partial_date(unit.started)
    for entry in facts.records.get(ADVERSE_EVENT, ()):
        if entry.date is not None and entry.date.latest >= began.earliest:
            grade = entry.fields.get("grade")
            value = grade.value if grade is not None else None
            if not isinstance(value, Amount) or value.interval.high >= 2:
                return entry.identity
    return ""
