"""Decisions about the drugs of a regimen: handed out, taken back, changed by a medical decision."""

from __future__ import annotations

from typing import Any

from trialwright.core.interval import plain
from trialwright.ledger.envelope import NewEvent
from trialwright.protocol.naming import nearest
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.decide_units import measured
from trialwright.trial.gate import Gate, refuse
from trialwright.trial.regimen import STOP, unit_of


def dispense_drug(gate: Gate, command: c.DispenseDrug) -> list[NewEvent]:
    """Tablets handed out for a course that she has begun."""
    gate.recordable(command.participant, command.intervention, command.on)
    return _tablets(gate, command, e.DRUG_DISPENSED)


def return_drug(gate: Gate, command: c.ReturnDrug) -> list[NewEvent]:
    """Tablets taken back, after she left too; never more than she was given of that strength."""
    participant = gate.present(command.participant)
    strength = _above_zero(gate, command.intervention, command.drug, command.strength)
    held = sum(
        one.count
        for one in participant.tablets
        if (one.record, one.drug, one.strength) == (command.record, command.drug, strength)
    )
    if command.tablets > held:
        refuse("tablets_wrong", drug=command.drug, strength=command.strength, held=held, tablets=command.tablets)
    return _tablets(gate, command, e.DRUG_RETURNED)


def change_regimen(gate: Gate, command: c.ChangeRegimen) -> list[NewEvent]:
    """Another dose of a drug from a day on, or its end: decided by somebody, for a reason."""
    gate.recordable(command.participant, command.intervention, command.on)
    _course(gate, command.participant, command.intervention, command.record)
    _is_of(gate, command.intervention, command.drug)
    dose = STOP if command.dose == STOP else _above_zero(gate, command.intervention, command.drug, command.dose)
    if not (command.reason.strip() and command.decided_by.strip()):
        refuse("reason_missing", what="A change of a regimen (reason, and who decided)")
    payload: dict[str, Any] = {
        "intervention": command.intervention,
        "record": command.record,
        "drug": command.drug,
        "dose": dose,
        "decided_by": command.decided_by,
    }
    return [gate.event(e.REGIMEN_CHANGED, command.on, payload, command.reason)]


def _tablets(gate: Gate, command: c.DispenseDrug | c.ReturnDrug, type: str) -> list[NewEvent]:
    _course(gate, command.participant, command.intervention, command.record)
    strength = _above_zero(gate, command.intervention, command.drug, command.strength)
    if command.tablets <= 0:
        refuse("tablets_wrong", drug=command.drug, strength=command.strength, held="?", tablets=command.tablets)
    payload: dict[str, Any] = {
        "intervention": command.intervention,
        "record": command.record,
        "drug": command.drug,
        "strength": strength,
        "tablets": command.tablets,
    }
    return [gate.event(type, command.on, payload)]


def _course(gate: Gate, who: str, name: str, record: str) -> None:
    """Refuse a course that she has not begun."""
    kind = gate.intervention(name).record
    if record not in gate.present(who).records.get(kind, {}):
        refuse("record_unknown", participant=who, kind=kind, record=record or "(not named)")


def _above_zero(gate: Gate, intervention: str, drug: str, text: str) -> str:
    """A dose or a strength in the unit of a drug of the regimen, so that `1.0 mg` and `1 mg` are one; or a refusal."""
    _is_of(gate, intervention, drug)
    unit = unit_of(drug, gate.intervention(intervention).doses).code
    amount = measured(drug, text, unit)
    if amount <= 0:
        refuse("value_impossible", name=drug, value=text, range="above 0", unit=unit)
    return f"{plain(amount)} {unit}"


def _is_of(gate: Gate, intervention: str, drug: str) -> None:
    drugs = [line.drug for line in gate.intervention(intervention).doses]
    if drug not in drugs:
        refuse("fact_unknown", name=drug, nearest=nearest(drug, drugs))
