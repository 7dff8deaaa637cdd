"""Decisions about products and what is given: lots, doses, regimens, procedures."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from trialwright.core import units
from trialwright.core.finding import Finding, Refused
from trialwright.core.identifier import identifier
from trialwright.core.interval import is_point, number, plain
from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.core.units import COUNT
from trialwright.language.facts import Facts
from trialwright.language.values import Amount
from trialwright.ledger.envelope import NewEvent
from trialwright.protocol.document import Intervention
from trialwright.protocol.entry import encode, enter
from trialwright.protocol.naming import nearest
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.decide_data import parent_of, record_payload
from trialwright.trial.dose import planned_dose, ratio_to_plan
from trialwright.trial.facts import lot_facts
from trialwright.trial.gate import Gate, refuse
from trialwright.trial.state import Lot, Participant

#: The item of a product that says how many cells a lot holds.
CELLS = "viable_cells"


def register_lot(gate: Gate, command: c.RegisterLot) -> list[NewEvent]:
    """A lot of one of the protocol's products."""
    try:
        identifier(command.lot)
    except ValueError:
        refuse("identifier_wrong", value=command.lot)
    if command.lot in gate.trial.lots:
        refuse("lot_exists", lot=command.lot)
    products = gate.protocol.document.products
    if command.product not in products:
        refuse("fact_unknown", name=command.product, nearest=nearest(command.product, products))
    payload: dict[str, Any] = {"lot": command.lot, "product": command.product}
    return [NewEvent(e.lot_stream(command.lot), e.LOT_REGISTERED, command.on, payload)]


def test_lot(gate: Gate, command: c.TestLot) -> list[NewEvent]:
    """Results of a lot's tests, in the units of the product's items."""
    lot = _lot(gate, command.lot)
    items = gate.protocol.products[lot.product].items
    results: dict[str, Any] = {}
    for name, text in command.results.items():
        if name not in items:
            refuse("fact_unknown", name=name, nearest=nearest(name, items))
        entered = enter(items[name], text)
        if isinstance(entered, Finding):
            raise Refused(entered)
        results[name] = dict(encode(entered.value, entered.text))
    return [NewEvent(e.lot_stream(lot.identity), e.LOT_TESTED, command.on, {"lot": lot.identity, "results": results})]


def release_lot(gate: Gate, command: c.ReleaseLot) -> list[NewEvent]:
    """Release, by the quality person, of a lot that certainly meets every requirement."""
    lot = _lot(gate, command.lot)
    if gate.role != "quality person":
        refuse("role_wrong", what="The release of a lot", needed="quality person", user=gate.user, role=gate.role)
    if lot.state != "registered":
        refuse("lot_state", lot=lot.identity, state=lot.state, action="release")
    facts, when = lot_facts(lot.results), partial_date(command.on)
    requirements = gate.protocol.document.products[lot.product].release
    failing = [
        found
        for index, requirement in enumerate(requirements)
        if (
            found := gate.require(
                f"Release of {lot.identity}",
                f"products.{lot.product}.release.{index}.rule",
                requirement.says,
                facts,
                when,
            )
        )
    ]
    if failing:
        raise Refused(*failing)
    payload: dict[str, Any] = {
        "lot": lot.identity,
        "basis": gate.trial.last,
        "answers": {requirement.says: "yes" for requirement in requirements},
    }
    return [NewEvent(e.lot_stream(lot.identity), e.LOT_RELEASED, command.on, payload)]


def reject_lot(gate: Gate, command: c.RejectLot) -> list[NewEvent]:
    """Rejection of a lot, for ever."""
    lot = _lot(gate, command.lot)
    if not command.reason.strip():
        refuse("reason_missing", what="The rejection of a lot")
    return [
        NewEvent(e.lot_stream(lot.identity), e.LOT_REJECTED, command.on, {"lot": lot.identity}, reason=command.reason)
    ]


def perform(gate: Gate, command: c.Perform) -> list[NewEvent]:
    """A regimen started or a procedure carried out: everything the protocol requires must certainly hold."""
    participant = gate.recordable(command.participant, command.intervention, command.on)
    interventions = gate.protocol.document.interventions
    if command.intervention not in interventions:
        refuse(
            "intervention_unknown",
            intervention=command.intervention,
            nearest=nearest(command.intervention, interventions),
        )
    intervention = interventions[command.intervention]
    _in_her_arm(gate, participant, command.intervention, command.on)
    gate.not_blocked(command.intervention)
    facts, when = _as_if_performed(gate, intervention, command.on), partial_date(command.on)
    failing = [
        found
        for index, requirement in enumerate(intervention.requires)
        if (
            found := gate.require(
                command.intervention,
                f"interventions.{command.intervention}.requires.{index}.rule",
                requirement.says,
                facts,
                when,
            )
        )
    ]
    if failing:
        raise Refused(*failing)
    payload, queries = record_payload(
        gate, participant, intervention.record, command.record, command.fields, command.on
    )
    payload["parent"] = parent_of(gate, participant, intervention.record, command.parent)
    payload["intervention"] = command.intervention
    payload["steps"] = list(command.steps)
    payload["basis"] = participant.last
    payload["answers"] = {requirement.says: "yes" for requirement in intervention.requires}
    determined: list[NewEvent] = []
    if intervention.product:
        payload["lot"] = command.lot
        determined = [_dose(gate, participant, intervention, command, facts, when)]
    return [*determined, gate.event(e.PERFORMED, command.on, payload), *queries]


def _in_her_arm(gate: Gate, participant: Participant, intervention: str, on: str) -> None:
    if participant.allocation is None or gate.precedes(on, participant.allocation.on):
        refuse("not_allocated", intervention=intervention, participant=participant.identity)
    arms = gate.protocol.document.arms
    arm = participant.allocation.arm
    if arm:
        if intervention not in arms[arm].gives:
            refuse("not_in_arm", intervention=intervention, participant=participant.identity, arm=arm)
    elif not all(intervention in one.gives for one in arms.values()):
        refuse("not_in_arm", intervention=intervention, participant=participant.identity, arm="sealed")


def _as_if_performed(gate: Gate, intervention: Intervention, on: str) -> Facts:
    """The facts, with the anchors that this very act would reach: `weight at infusion` is the weight now."""
    facts = gate.facts()
    reached: dict[str, list[PartialDate]] = {name: list(dates) for name, dates in facts.anchors.items()}
    for name, anchor in gate.protocol.document.schedule.anchors.items():
        if anchor.record == intervention.record and anchor.choose == "first" and not reached.get(name):
            reached[name] = [partial_date(on)]
    return Facts(facts.observations, facts.records, facts.closed, reached, facts.relatives)


def _dose(
    gate: Gate,
    participant: Participant,
    intervention: Intervention,
    command: c.Perform,
    facts: Facts,
    when: PartialDate,
) -> NewEvent:
    prepared = number(command.prepared)
    if prepared is None or not command.lot:
        refuse("prepared_missing", intervention=command.intervention)
    lot = _lot(gate, command.lot)
    if lot.product != intervention.product:
        refuse(
            "lot_wrong_product", lot=lot.identity, found=lot.product, intervention=command.intervention,
            needed=intervention.product,
        )  # fmt: skip
    if lot.state != "released":
        refuse("lot_state", lot=lot.identity, state=lot.state, action=command.intervention)
    if gate.precedes(command.on, lot.released):
        refuse("lot_state", lot=lot.identity, state=f"released only on {lot.released}", action=command.intervention)
    _enough_left(gate, lot, prepared)
    plan = planned_dose(gate.protocol, gate.trial, command.intervention, facts, when)
    if plan.amount <= 0:
        refuse("dose_unknown", intervention=command.intervention, why=f"the plan is {plain(plan.amount)}")
    ratio = ratio_to_plan(prepared, plan.amount)
    if prepared <= 0:
        refuse("prepared_missing", intervention=command.intervention)
    if intervention.tolerance is not None:
        least, greatest = map(Decimal, intervention.tolerance)
        # multiplied, not divided: a limit is never rounded
        if not least * plan.amount <= prepared <= greatest * plan.amount:
            refuse("dose_outside", ratio=plain(ratio), least=plain(least), greatest=plain(greatest))
    payload: dict[str, Any] = {
        "intervention": command.intervention,
        "record": command.record,
        "planned": plain(plan.amount),
        "prepared": plain(prepared),
        "ratio": plain(ratio),
        "lot": lot.identity,
        "basis": participant.last,
    }
    return gate.event(e.DOSE_DETERMINED, command.on, payload)


def _enough_left(gate: Gate, lot: Lot, wanted: Decimal) -> None:
    held = cells_of(gate, lot)
    used = sum((Decimal(prepared) for _, prepared in lot.used), Decimal(0))
    if held is not None and used + wanted > held:
        refuse("lot_short", lot=lot.identity, held=plain(held), used=plain(used), wanted=plain(wanted))


def cells_of(gate: Gate, lot: Lot) -> Decimal | None:
    """How many cells the lot was found to hold, or None where nobody counted them."""
    result = lot.results.get(CELLS)
    if result is None or not isinstance(result.value, Amount) or not is_point(result.value.interval):
        return None
    item = gate.protocol.products[lot.product].items[CELLS]
    return units.convert(result.value.interval.low, item.unit, COUNT)


def _lot(gate: Gate, identity: str) -> Lot:
    lot = gate.trial.lots.get(identity)
    if lot is None:
        refuse("lot_unknown", lot=identity)
    return lot
