"""The only gate: a command becomes events, or is refused with what to mend. Pure: no clock, no dice, no database."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from trialwright.core.finding import Refused
from trialwright.core.identifier import identifier
from trialwright.core.partial_date import partial_date
from trialwright.ledger.envelope import CORRECTED, VOIDED, NewEvent
from trialwright.protocol.adverse_event import ADVERSE_EVENT, ROLES
from trialwright.protocol.naming import nearest
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.casebook import sign_casebook, verify_source
from trialwright.trial.decide_data import (
    add_record,
    by_the_right_side,
    close_list,
    complete_record,
    corrected_payload,
    observe,
)
from trialwright.trial.decide_drugs import change_regimen, dispense_drug, return_drug
from trialwright.trial.decide_materials import (
    accept_donor,
    recall_lot,
    register_donor,
    register_lot,
    register_material,
    reject_donor,
    reject_lot,
    release_lot,
    test_donor,
    test_lot,
    validate_hold,
)
from trialwright.trial.decide_milestones import allocate, confirm_eligibility, enrol
from trialwright.trial.decide_procedure import end_infusion, interrupt_infusion, perform, resume_infusion
from trialwright.trial.decide_safety import computed_boundary, consequences, review_trigger, send_report
from trialwright.trial.decide_units import (
    issue_unit,
    manufacture_unit,
    order_unit,
    receive_unit,
    reconcile_unit,
    reject_unit,
    release_unit,
    test_unit,
    verify_unit,
)
from trialwright.trial.delegations import delegate, end_delegation
from trialwright.trial.dose import certainly_nothing
from trialwright.trial.erasures import confirm_erasure, not_of_an_erasure, order_erasure
from trialwright.trial.gate import Gate, refuse
from trialwright.trial.holds import freeze, lock, not_held, unfreeze, unlock
from trialwright.trial.queries import answer_query, close_query, raise_query, reopen_query, resolve_query
from trialwright.trial.signatures import sign
from trialwright.trial.state import Participant, TrialState


@dataclass(frozen=True, slots=True)
class Actor:
    """Who gives a command, in which role, and what the local time is for them."""

    user: str
    role: str
    now: datetime


def decide(
    protocol: Protocol, trial: TrialState, participant: Participant | None, command: c.Command, by: Actor
) -> list[NewEvent]:
    """The events that a command leads to; `Refused` says why not, to the person who can mend it.

    `participant` is the state of the participant whom the command is about, None where there is none.
    """
    gate = Gate(protocol, trial, participant, by.user, by.role, by.now)
    _writable(command)
    gate.not_in_the_future(type(command).__name__, command.on)
    new = _HANDLERS[type(command)](gate, command)
    not_held(gate, new)
    return [*new, *consequences(gate, new)]


_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


def _writable(command: c.Command) -> None:
    """Refuse texts that no ledger can hold: NUL, and halves of a character."""
    for one in fields(command):
        value = getattr(command, one.name)
        for text in (*value, *value.values()) if isinstance(value, Mapping) else (value,):
            if isinstance(text, str) and _UNWRITABLE.search(text):
                refuse("ledger_text_unwritable", name=one.name, text=ascii(text))


def participant_of(command: c.Command) -> str:
    """The participant whom a command is about, or nothing."""
    return getattr(command, "participant", "")


# ---------------------------------------------------------------- the trial


def _activate(gate: Gate, command: c.ActivateProtocol) -> list[NewEvent]:
    if command.digest not in gate.trial.protocols:
        refuse("protocol_unknown", digest=command.digest)
    sites = gate.protocol.document.sites
    if command.site not in sites:
        refuse("site_unknown", site=command.site, nearest=nearest(command.site, sites))
    if not command.approval.strip():
        refuse("reason_missing", what="An activation (which approval)")
    payload: Mapping[str, Any] = {"digest": command.digest, "approval": command.approval}
    activated = NewEvent(e.TRIAL, e.PROTOCOL_ACTIVATED, command.on, payload, command.site)
    return [activated, *computed_boundary(gate, command.on)]


def _answer_question(gate: Gate, command: c.AnswerQuestion) -> list[NewEvent]:
    assumptions = gate.protocol.document.assumptions
    open_ones = [name for name, one in assumptions.items() if not one.choice]
    if command.question not in open_ones:
        refuse("question_unknown", question=command.question, nearest=nearest(command.question, open_ones))
    earlier = gate.trial.answers.get(command.question)
    if earlier is not None:
        refuse("question_answered", question=command.question, on=earlier.on, answer=earlier.answer)
    if command.from_file and gate.trial.kind != "virtual":
        refuse("answer_from_file", question=command.question)
    assumption = assumptions[command.question]
    if assumption.options and command.answer not in assumption.options:
        options = ", ".join(assumption.options)
        refuse("answer_unknown", question=command.question, answer=command.answer, options=options)
    if not assumption.options and not gate.computes(command.answer, assumption.unit):
        options = f"an amount in {assumption.unit or '1'}"
        refuse("answer_unknown", question=command.question, answer=command.answer, options=options)
    nothing = certainly_nothing(gate.protocol, command.question, command.answer, partial_date(command.on))
    if nothing is not None:
        raise Refused(nothing)
    payload: dict[str, Any] = {"question": command.question, "answer": command.answer, "from_file": command.from_file}
    return [NewEvent(e.TRIAL, e.QUESTION_ANSWERED, command.on, payload)]


# ---------------------------------------------------------------- a participant comes, is visited, leaves


def _screen(gate: Gate, command: c.Screen) -> list[NewEvent]:
    try:
        identifier(command.participant)
    except ValueError:
        refuse("identifier_wrong", value=command.participant)
    if command.participant in gate.trial.sites or gate.participant is not None:  # taken back, it is not free again
        refuse("participant_exists", participant=command.participant)
    if command.site not in gate.trial.active:
        refuse("site_not_active", site=command.site)
    stream = e.participant_stream(command.participant)
    return [NewEvent(stream, e.SCREENED, command.on, {}, command.site)]


def _consent(gate: Gate, command: c.Consent) -> list[NewEvent]:
    participant = gate.present(command.participant)
    if participant.consented:
        refuse("already_done", participant=command.participant, what="consented", on=participant.consented)
    return [gate.event(e.CONSENTED, command.on, {"version": command.version})]


def _hold_visit(gate: Gate, command: c.HoldVisit) -> list[NewEvent]:
    _visit(gate, command, "Visit")
    return [gate.event(e.VISIT_HELD, command.on, {"encounter": command.encounter, "record": command.record})]


def _miss_visit(gate: Gate, command: c.MissVisit) -> list[NewEvent]:
    _visit(gate, command, "A missed visit")
    if not command.reason.strip():
        refuse("reason_missing", what="A missed visit")
    payload: dict[str, Any] = {"encounter": command.encounter, "record": command.record}
    return [gate.event(e.VISIT_MISSED, command.on, payload, command.reason)]


def _visit(gate: Gate, command: c.HoldVisit | c.MissVisit, what: str) -> None:
    participant = gate.recordable(command.participant, what, command.on)
    gate.has_visit(participant, command.encounter, command.record)
    visit = participant.visits.get((command.encounter, command.record))
    if visit is not None and visit.held:
        what = f"seen for {command.encounter}"
        refuse("already_done", participant=command.participant, what=what, on=visit.on)


def _note(gate: Gate, command: c.Note) -> list[NewEvent]:
    gate.recordable(command.participant, "Note", command.on)
    erasure = gate.trial.erasures.get(command.participant)
    if erasure is not None and erasure.confirmed:
        refuse("erased", participant=command.participant, on=erasure.confirmed)
    return [gate.event(e.NOTED, command.on, {"text": command.ciphertext})]


def _end_screening(gate: Gate, command: c.EndScreening) -> list[NewEvent]:
    participant = gate.present(command.participant)
    if participant.enrolled:
        refuse("already_done", participant=command.participant, what="enrolled", on=participant.enrolled)
    if participant.screening_ended:
        what = "at the end of her screening"
        refuse("already_done", participant=command.participant, what=what, on=participant.screening_ended)
    if not command.reason.strip():
        refuse("reason_missing", what="The end of screening")
    return [gate.event(e.SCREENING_ENDED, command.on, {}, command.reason)]


def _withdraw(gate: Gate, command: c.Withdraw) -> list[NewEvent]:
    participant = gate.present(command.participant)
    if participant.withdrawn:
        refuse("already_done", participant=command.participant, what="withdrawn", on=participant.withdrawn)
    if not command.reason.strip():
        refuse("reason_missing", what="A withdrawal")
    return [gate.event(e.WITHDRAWN, command.on, {}, command.reason)]


# ---------------------------------------------------------------- corrections


def _correct(gate: Gate, command: c.Correct) -> list[NewEvent]:
    gate.present(command.participant)
    if not command.reason.strip():
        refuse("reason_missing", what="A correction")
    payload, queries = corrected_payload(gate, command)
    correction: dict[str, Any] = {"of": command.event, "payload": payload}
    return [gate.event(CORRECTED, command.on, correction, command.reason), *queries]


def _void(gate: Gate, command: c.VoidEvent) -> list[NewEvent]:
    participant = gate.present(command.participant)
    if not command.reason.strip():
        refuse("reason_missing", what="Taking back an entry")
    taken: dict[int, None] = {}
    for event in (command.event, *command.also):
        if event not in participant.events:
            refuse("event_unknown", participant=command.participant, event=event)
        if event in participant.final:
            refuse("giving_taken_back", event=event)
        if event in participant.signatures:
            refuse("signature_taken_back", event=event)
        if event in participant.reviews:
            refuse("review_taken_back", event=event)
        not_of_an_erasure(gate, command.participant, event)
        _by_whom_it_was_entered(gate, participant, event)
        taken |= dict.fromkeys(_taken_back(gate.trial, participant, event))
    return [gate.event(VOIDED, command.on, {"of": of}, command.reason) for of in taken]


def _by_whom_it_was_entered(gate: Gate, participant: Participant, event: int) -> None:
    """Refuse to a sponsor what an investigator entered of an adverse event, and the other way round."""
    for told in participant.records.get(ADVERSE_EVENT, {}).values():
        for one in told:
            if one.seq == event:
                fields = one.payload.get("fields")
                for name in fields if isinstance(fields, dict) else ():
                    by_the_right_side(gate, f"{ADVERSE_EVENT}.{name}", ROLES.get(str(name), ""))


def _taken_back(trial: TrialState, participant: Participant, event: int) -> list[int]:
    """The event, and with what was performed its dose, its fields and the course of its unit: none stands alone."""
    for performed in participant.performed:
        for dose in participant.doses:
            same = (performed.payload.get("intervention"), performed.payload.get("record"))
            if (dose.intervention, dose.record) == same and event in (performed.seq, dose.event):
                unit = trial.custody.units.get(dose.unit)
                later = [move.event for move in unit.moves if move.event > dose.event] if unit else []
                fields = [one.seq for one in participant.records[str(performed.payload["kind"])][dose.record]]
                whole = {performed.seq, dose.event, *fields, *(one for one in later if one in participant.events)}
                return sorted(whole)
    return [event]


_HANDLERS: dict[type, Callable[[Gate, Any], list[NewEvent]]] = {
    c.ActivateProtocol: _activate,
    c.AnswerQuestion: _answer_question,
    c.Delegate: delegate,
    c.EndDelegation: end_delegation,
    c.RegisterDonor: register_donor,
    c.TestDonor: test_donor,
    c.AcceptDonor: accept_donor,
    c.RejectDonor: reject_donor,
    c.RegisterMaterial: register_material,
    c.ValidateHold: validate_hold,
    c.RegisterLot: register_lot,
    c.TestLot: test_lot,
    c.ReleaseLot: release_lot,
    c.RejectLot: reject_lot,
    c.RecallLot: recall_lot,
    c.OrderUnit: order_unit,
    c.ManufactureUnit: manufacture_unit,
    c.TestUnit: test_unit,
    c.ReleaseUnit: release_unit,
    c.RejectUnit: reject_unit,
    c.IssueUnit: issue_unit,
    c.ReceiveUnit: receive_unit,
    c.VerifyUnit: verify_unit,
    c.ReconcileUnit: reconcile_unit,
    c.ReviewTrigger: review_trigger,
    c.Screen: _screen,
    c.Consent: _consent,
    c.Observe: observe,
    c.AddRecord: add_record,
    c.CompleteRecord: complete_record,
    c.CloseList: close_list,
    c.HoldVisit: _hold_visit,
    c.MissVisit: _miss_visit,
    c.ConfirmEligibility: confirm_eligibility,
    c.Enrol: enrol,
    c.Allocate: allocate,
    c.Perform: perform,
    c.InterruptInfusion: interrupt_infusion,
    c.ResumeInfusion: resume_infusion,
    c.EndInfusion: end_infusion,
    c.DispenseDrug: dispense_drug,
    c.ReturnDrug: return_drug,
    c.ChangeRegimen: change_regimen,
    c.SendReport: send_report,
    c.CloseQuery: close_query,
    c.RaiseQuery: raise_query,
    c.AnswerQuery: answer_query,
    c.ResolveQuery: resolve_query,
    c.ReopenQuery: reopen_query,
    c.VerifySource: verify_source,
    c.SignCasebook: sign_casebook,
    c.Freeze: freeze,
    c.Unfreeze: unfreeze,
    c.Lock: lock,
    c.Unlock: unlock,
    c.Note: _note,
    c.OrderErasure: order_erasure,
    c.ConfirmErasure: confirm_erasure,
    c.Sign: sign,
    c.EndScreening: _end_screening,
    c.Withdraw: _withdraw,
    c.Correct: _correct,
    c.VoidEvent: _void,
}
