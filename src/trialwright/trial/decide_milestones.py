"""Decisions that open the next door: eligibility, enrolment, allocation."""

from __future__ import annotations

from typing import Any

from trialwright.core.truth import Truth
from trialwright.ledger.envelope import NewEvent
from trialwright.protocol.eligibility import Eligibility
from trialwright.protocol.naming import nearest
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.facts import eligibility_of
from trialwright.trial.gate import Gate, refuse
from trialwright.trial.state import Participant


def confirm_eligibility(gate: Gate, command: c.ConfirmEligibility) -> list[NewEvent]:
    """Eligibility as it stands on the day, with the answer of every criterion and the basis it rests on.

    What is undetermined cannot be confirmed; ineligible can, and is the end of the way in.
    """
    participant = gate.recordable(command.participant, "Eligibility", command.on)
    gate.not_blocked("confirm_eligibility")
    result = eligibility_of(gate.protocol, participant, command.on)
    if result.verdict == "undetermined":
        _not_eligible(command.participant, "confirmed", result)
    payload: dict[str, Any] = {
        "verdict": result.verdict,
        "answers": _answers(result),
        "basis": participant.last,
    }
    return [gate.event(e.ELIGIBILITY_DETERMINED, command.on, payload)]


def enrol(gate: Gate, command: c.Enrol) -> list[NewEvent]:
    """A place in the trial, for a woman who was found eligible and still is, while places are left."""
    participant = gate.recordable(command.participant, "Enrolment", command.on)
    if participant.enrolled:
        refuse("already_done", participant=command.participant, what="enrolled", on=participant.enrolled)
    if participant.screening_ended:
        refuse("has_left", participant=command.participant, on=participant.screening_ended)
    gate.not_blocked("enrolment")
    gate.not_paused("enrolment")
    _confirmed_and_still_so(gate, participant, command.on, "enrolled")
    target = gate.protocol.document.design.enrolment
    if len(gate.trial.enrolled) >= target:
        refuse("trial_full", participant=command.participant, target=target)
    return [gate.event(e.ENROLLED, command.on, {"number": max(gate.trial.enrolled.values(), default=0) + 1})]


def allocate(gate: Gate, command: c.Allocate) -> list[NewEvent]:
    """An arm for an enrolled woman, by the method of the protocol; dated facts must still be valid."""
    participant = gate.recordable(command.participant, "Allocation", command.on)
    if not participant.enrolled or gate.precedes(command.on, participant.enrolled):
        refuse("not_enrolled", participant=command.participant)
    if participant.allocation is not None:
        refuse("already_done", participant=command.participant, what="allocated", on=participant.allocation.on)
    gate.not_blocked("allocation")
    now = _confirmed_and_still_so(gate, participant, command.on, "allocated")
    payload: dict[str, Any] = {"basis": participant.last, "answers": _answers(now)}
    document = gate.protocol.document
    if document.allocation.method == "sealed list":
        if command.arm:
            refuse("arm_sealed")
        payload |= {"arm": "", "position": max(gate.trial.places.values(), default=0) + 1}
        return [gate.event(e.ALLOCATED, command.on, payload)]
    arm = command.arm or (next(iter(document.arms)) if len(document.arms) == 1 else "")
    if arm not in document.arms:
        refuse("arm_unknown", arm=arm or "(not named)", nearest=nearest(arm, document.arms))
    if document.allocation.method == "clinical choice" and not (command.reason.strip() and command.decided_by.strip()):
        refuse("reason_missing", what="A clinical choice (reason, and who decided)")
    payload |= {"arm": arm, "decided_by": command.decided_by}
    return [gate.event(e.ALLOCATED, command.on, payload, command.reason)]


def _answers(result: Eligibility) -> dict[str, str]:
    return {one.criterion.name: one.answer.value for one in result.answers}


def _confirmed_and_still_so(gate: Gate, participant: Participant, on: str, action: str) -> Eligibility:
    """The eligibility as it now stands; refused unless it was confirmed, and the facts still say so."""
    if not participant.determinations or gate.precedes(on, participant.determinations[-1].on):
        refuse("not_determined", participant=participant.identity, action=action)
    last = participant.determinations[-1]
    if last.verdict != "eligible":
        failing = ", ".join(name for name in last.answers) if not last.answers else last.verdict
        refuse("not_eligible", participant=participant.identity, action=action, verdict=last.verdict, criteria=failing)
    now = eligibility_of(gate.protocol, participant, on)
    if now.verdict != "eligible":
        _not_eligible(participant.identity, action, now)
    return now


def _not_eligible(participant: str, action: str, result: Eligibility) -> None:
    deciding = [
        f"{one.criterion.name} {one.answer.value}"
        for one in result.answers
        if one.fails or (result.verdict == "undetermined" and one.answer is Truth.UNKNOWN)
    ]
    refuse("not_eligible", participant=participant, action=action, verdict=result.verdict, criteria=", ".join(deciding))
