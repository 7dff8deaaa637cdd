"""Decisions about a unit: ordered for one participant, prepared, tested, released, carried, verified, accounted for.

What is given of it is decided with the procedure that gives it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from trialwright.core import units
from trialwright.core.finding import Finding, Refused
from trialwright.core.interval import ARITHMETIC, is_point, number, plain
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.core.units import COUNT, Unit
from trialwright.language.evaluate import evaluate
from trialwright.language.facts import Facts, Observation
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value, show
from trialwright.language.vocabulary import Item
from trialwright.ledger.envelope import NewEvent
from trialwright.protocol.document import Intervention
from trialwright.protocol.entry import decode, encode, enter
from trialwright.trial import commands as c
from trialwright.trial import custody as chain
from trialwright.trial import events as e
from trialwright.trial.decide_materials import (
    QUALITY,
    cells_of,
    encoded_results,
    fresh,
    lot_of,
    next_alert,
    not_before,
    product_of,
    speaks_against,
)
from trialwright.trial.dose import planned_dose, ratio_to_plan, rests_on
from trialwright.trial.facts import as_if_performed
from trialwright.trial.gate import PRODUCT, Gate, refuse
from trialwright.trial.instants import instants, is_minute, local_text

#: What a unit's items of these names are filled with when it is prepared.
_PREPARED = ("volume", "viability", "total_cells", "viable_cells")
#: More than any unit holds; a number beyond is a slip, and could not be reckoned with to the cell.
_MOST_CELLS = Decimal("1e15")


def order_unit(gate: Gate, command: c.OrderUnit) -> list[NewEvent]:
    """A unit for one participant, with the dose as it is planned from what is known of her now."""
    participant = gate.recordable(command.participant, f"The order of {command.unit}", command.on)
    fresh(gate, command.unit)
    intervention = gate.intervention(command.intervention)
    if not intervention.product:
        refuse("no_product", intervention=command.intervention)
    gate.in_her_arm(command.intervention, command.on)
    gate.not_blocked(command.intervention)
    for other in gate.trial.custody.units.values():
        same = (other.participant, other.intervention) == (command.participant, command.intervention)
        if same and other.state in chain.OPEN:
            refuse("unit_open", participant=command.participant, unit=other.identity, state=other.state)
    not_too_often(gate, command.participant, command.intervention)
    gate.no_doubt_about(rests_on(gate.protocol, gate.trial, command.intervention), command.intervention)
    facts, when = as_if_performed(gate.protocol, gate.facts(), intervention, command.on), partial_date(command.on)
    plan = planned_dose(gate.protocol, gate.trial, command.intervention, facts, when)
    if plan.amount <= 0:
        refuse("dose_impossible", intervention=command.intervention, amount=f"{plain(plan.amount)} {plan.unit}")
    results = {}
    product = product_of(gate, intervention.product)
    for name in product.unit.recipient:
        rule = gate.protocol.rules[f"products.{intervention.product}.unit.recipient.{name}"]
        value = evaluate(rule, facts, when).value
        item = gate.protocol.units[intervention.product].items[name]
        results[name] = _computed(command.intervention, item, value, rule.type.unit or COUNT)
    payload: dict[str, Any] = {
        "unit": command.unit,
        "participant": command.participant,
        "intervention": command.intervention,
        "product": intervention.product,
        "planned": plain(plan.amount),
        "results": results,
        "basis": participant.last,
    }
    return [_event(command.unit, e.UNIT_ORDERED, command.on, payload)]


def manufacture_unit(gate: Gate, command: c.ManufactureUnit) -> list[NewEvent]:
    """A unit prepared from one lot: never from two donors, never from more cells than the lot holds."""
    unit = unit_of(gate, command.unit)
    moves(gate, unit, "manufactured", command.on)
    lot = lot_of(gate, command.lot)
    if lot.product != unit.product:
        refuse("lot_wrong_product", lot=lot.identity, found=lot.product, intervention=unit.intervention,
               needed=unit.product)  # fmt: skip
    if lot.state in ("rejected", "recalled"):
        refuse("lot_state", lot=lot.identity, state=lot.state, action=f"The preparation of {unit.identity}")
    _her_own(gate, unit, lot)
    not_before(gate, lot.identity, command.on)
    total, viability = _count(command.total), measured("viability", command.viability, "%")
    volume = measured("volume", command.volume, "mL")
    if total is None or total <= 0:
        refuse("prepared_missing", intervention=unit.intervention)
    if total > _MOST_CELLS:
        refuse("value_impossible", name="total", value=command.total, range=f"above 0 to {_MOST_CELLS:g}", unit="cells")
    if not 0 < viability <= 100:
        refuse("value_impossible", name="viability", value=command.viability, range="above 0 to 100", unit="%")
    fixed = gate.intervention(unit.intervention).volume
    if fixed and volume != measured("volume", fixed, "mL"):
        refuse("volume_wrong", unit=unit.identity, volume=command.volume, fixed=fixed)
    viable = ARITHMETIC.divide(ARITHMETIC.multiply(total, viability), Decimal(100)).quantize(Decimal(1))
    _enough_left(gate, lot, viable)
    thawed = minute(gate, "The time of thawing", command.thawed)
    gate.not_in_the_future("The thawing", command.thawed)
    if thawed > moment_of(gate, command.on):
        refuse("thawed_later", unit=unit.identity, thawed=command.thawed, on=command.on)
    hold = gate.trial.custody.holds.get(unit.product)
    expires = (
        local_text(thawed + timedelta(minutes=float(Decimal(hold[0]) * 60)), gate.protocol.document.zone)
        if hold
        else ""
    )
    found = {"volume": (volume, "mL"), "viability": (viability, "%"), "total_cells": (total, "1"),
                "viable_cells": (viable, "1")}  # fmt: skip
    items = product_of(gate, unit.product).unit.items
    payload: dict[str, Any] = {
        "unit": unit.identity,
        "lot": lot.identity,
        "total": plain(total),
        "viability": plain(viability),
        "viable": plain(viable),
        "volume": plain(volume),
        "thawed": command.thawed,
        "expires": expires,
        "results": {
            name: _in_unit(gate.protocol.units[unit.product].items[name], *found[name])
            for name in _PREPARED
            if name in items
        },
    }
    return [_event(unit.identity, e.UNIT_MANUFACTURED, command.on, payload)]


def test_unit(gate: Gate, command: c.TestUnit) -> list[NewEvent]:
    """Results of a unit; one that speaks against it stops it, and raises an alert where it was given already."""
    unit = unit_of(gate, command.unit)
    if unit.state == "ordered":
        refuse("unit_state", unit=unit.identity, state=unit.state, action="A test")
    vocabulary = gate.protocol.units[unit.product]
    own = product_of(gate, unit.product).unit
    for name in command.results:
        if name in vocabulary.items and name not in own.items:
            refuse("result_of_the_lot", name=name, unit=unit.identity, lot=unit.lot)
    results = encoded_results(gate, f"{unit.product}.unit", vocabulary, command.results)
    new = [_event(unit.identity, e.UNIT_TESTED, command.on, {"unit": unit.identity, "results": results})]
    if unit.state in ("manufactured", "tested") or ("rejected" not in chain.STEPS[unit.state] and not unit.was_given):
        return new
    path = f"products.{unit.product}.unit.release"
    before = results_of(gate, unit)
    against = speaks_against(gate, path, own.release, before, vocabulary, command.results, command.on)
    if not against:
        return new
    says = f"unit {unit.identity}: {' '.join(against)}"
    if "rejected" in chain.STEPS[unit.state]:
        return [*new, _event(unit.identity, e.UNIT_REJECTED, command.on, {"unit": unit.identity}, says)]
    alert: dict[str, Any] = {
        "alert": next_alert(gate),
        "trigger": PRODUCT,
        "action": "pause",
        "says": says,
        "source": unit.identity,
        "participant": unit.participant,
        "recipients": [unit.participant],
        "units": [unit.identity],
        "basis": gate.trial.last,
    }
    return [*new, NewEvent(e.TRIAL, e.TRIGGER_RAISED, command.on, alert)]


def release_unit(gate: Gate, command: c.ReleaseUnit) -> list[NewEvent]:
    """Release of a unit by the quality person: lot released, hold validated, requirements met, dose within limits."""
    unit = unit_of(gate, command.unit)
    gate.role_is(QUALITY, "The release of a unit")
    moves(gate, unit, "released", command.on)
    lot = lot_of(gate, unit.lot)
    action = f"Release of {unit.identity}"
    if lot.state not in ("released", "conditional"):
        refuse("lot_state", lot=lot.identity, state=lot.state, action=action)
    if gate.precedes(command.on, lot.released):
        refuse("lot_state", lot=lot.identity, state=f"released only on {lot.released}", action=action)
    _not_expired(gate, unit, command.on, action)
    requirements = product_of(gate, unit.product).unit.release
    path = f"products.{unit.product}.unit.release"
    facts = Facts(results_of(gate, unit))
    outstanding = gate.meets(action, path, requirements, facts, partial_date(command.on), conditional=True)
    document = gate.intervention(unit.intervention)
    approved_by = command.approved_by.strip()
    ratio = dose_within(document, counted(document, unit), Decimal(unit.planned), approved_by)
    if approved_by and not command.reason.strip():
        refuse("reason_missing", what="A dose below the limits")
    payload: dict[str, Any] = {
        "unit": unit.identity,
        "conditional": bool(outstanding) or lot.state == "conditional",
        "outstanding": outstanding,
        "ratio": plain(ratio),
        "approved_by": approved_by,
        "answers": {one.says: "unknown" if one.says in outstanding else "yes" for one in requirements},
        "basis": gate.trial.last,
    }
    return [_event(unit.identity, e.UNIT_RELEASED, command.on, payload, command.reason)]


def reject_unit(gate: Gate, command: c.RejectUnit) -> list[NewEvent]:
    """Rejection of a unit of which nothing was given."""
    unit = unit_of(gate, command.unit)
    moves(gate, unit, "rejected", command.on)
    if not command.reason.strip():
        refuse("reason_missing", what="The rejection of a unit")
    return [_event(unit.identity, e.UNIT_REJECTED, command.on, {"unit": unit.identity}, command.reason)]


def issue_unit(gate: Gate, command: c.IssueUnit) -> list[NewEvent]:
    """A released unit handed over for transport."""
    unit = unit_of(gate, command.unit)
    moves(gate, unit, "issued", command.on)
    still_good(gate, unit, command.on, f"The issue of {unit.identity}")
    payload: dict[str, Any] = {"unit": unit.identity, "logger": command.logger}
    return [_event(unit.identity, e.UNIT_ISSUED, command.on, payload)]


def receive_unit(gate: Gate, command: c.ReceiveUnit) -> list[NewEvent]:
    """A unit received; one that was too cold, too warm or damaged is rejected at once."""
    unit = unit_of(gate, command.unit)
    if unit.state != "issued":
        refuse("unit_state", unit=unit.identity, state=unit.state, action="Receipt")
    moves(gate, unit, "received", command.on)
    limits = product_of(gate, unit.product).transport
    excursion = ""
    if limits:
        span, _, code = limits.partition(" ")
        least, greatest = (Decimal(end) for end in span.split(".."))
        seen = [measured("coldest", command.coldest, code), measured("warmest", command.warmest, code)]
        if min(seen) < least or max(seen) > greatest:  # whichever was written where
            excursion = f"temperatures from {command.coldest} to {command.warmest}, outside {limits}"
    if not command.intact:
        excursion = f"{excursion}; damaged".removeprefix("; ")
    payload: dict[str, Any] = {
        "unit": unit.identity,
        "coldest": command.coldest,
        "warmest": command.warmest,
        "intact": command.intact,
    }
    new = [_event(unit.identity, e.UNIT_RECEIVED, command.on, payload)]
    if excursion:
        new.append(_event(unit.identity, e.UNIT_REJECTED, command.on, {"unit": unit.identity}, excursion))
    return new


def verify_unit(gate: Gate, command: c.VerifyUnit) -> list[NewEvent]:
    """The check at the bedside: this unit, this participant, by two identifiers; a second user does it again."""
    participant = gate.recordable(command.participant, f"The check of {command.unit}", command.on)
    unit = unit_of(gate, command.unit)
    if unit.state != "received":
        refuse("unit_state", unit=unit.identity, state=unit.state, action="The check at the bedside")
    moves(gate, unit, "received", command.on)
    if unit.participant != command.participant:
        refuse("identity_mismatch", unit=unit.identity, intended=unit.participant, participant=command.participant)
    identifier = product_of(gate, unit.product).identifier
    if not identifier:
        refuse("identifier_missing", product=unit.product)
    told = participant.observed.get(identifier, [])
    recorded = told[-1].payload.get("value") if told else None
    entered = enter(gate.protocol.vocabulary.items[identifier], command.second)
    if (
        isinstance(entered, Finding)
        or not isinstance(recorded, dict)
        or not _is_certain(entered.value)
        or show(entered.value) != show(decode(recorded))
    ):
        refuse("second_identifier", unit=unit.identity, participant=command.participant, item=identifier)
    if gate.user in unit.verified_by:
        refuse("verified_by_same", unit=unit.identity, user=gate.user)
    still_good(gate, unit, command.on, f"The check of {unit.identity}")
    payload: dict[str, Any] = {"unit": unit.identity, "participant": command.participant}
    return [_event(unit.identity, e.UNIT_VERIFIED, command.on, payload)]


def reconcile_unit(gate: Gate, command: c.ReconcileUnit) -> list[NewEvent]:
    """What was left of a unit accounted for."""
    unit = unit_of(gate, command.unit)
    moves(gate, unit, "reconciled", command.on)
    if not command.disposal.strip():
        refuse("reason_missing", what="The reconciliation of a unit (what became of the rest)")
    payload: dict[str, Any] = {"unit": unit.identity, "disposal": command.disposal}
    return [_event(unit.identity, e.UNIT_RECONCILED, command.on, payload, command.disposal)]


# ---------------------------------------------------------------- shared with the procedure that gives it


def not_too_often(gate: Gate, participant: str, intervention: str) -> None:
    """Refuse a product that she was given as often as the protocol foresees; one that was begun counts."""
    most = gate.intervention(intervention).most
    given = [
        one.identity
        for one in gate.trial.custody.units.values()
        if one.was_given and (one.participant, one.intervention) == (participant, intervention)
    ]
    if most and len(given) >= most:
        refuse("given_enough", participant=participant, intervention=intervention, units=", ".join(given), most=most)


def unit_of(gate: Gate, identity: str) -> chain.Unit:
    """The unit, or a refusal."""
    unit = gate.trial.custody.units.get(identity)
    if unit is None:
        refuse("unit_not_ordered", unit=identity or "(not named)")
    return unit


def moves(gate: Gate, unit: chain.Unit, state: str, on: str) -> None:
    """Refuse a step that does not lead from where the unit is, or is dated before the last one.

    A result is no step of a unit that was released: it may be dated after one that is entered only now.
    """
    if state not in chain.STEPS[unit.state]:
        refuse("unit_state", unit=unit.identity, state=unit.state, action=f"`{state}`")
    steps = [one.on for one in unit.moves if unit.state == "tested" or one.state != "tested"]
    gate.in_order(unit.identity, on, steps[-1])


def still_good(gate: Gate, unit: chain.Unit, on: str, action: str, lasting: timedelta = timedelta(0)) -> None:
    """Refuse a unit that a result speaks against, whose lot was called back, or that expires before the end."""
    lot = lot_of(gate, unit.lot)
    if lot.state not in ("released", "conditional"):
        refuse("lot_state", lot=lot.identity, state=lot.state, action=action)
    donor = chain.donor_of(gate.trial.custody, unit.lot)
    if donor is not None and donor.state == "rejected":
        refuse("donor_state", donor=donor.identity, state=donor.state, action=action)
    # a result after the giving rejects nothing; where the giving was then taken back, it still speaks against the unit
    requirements, path = product_of(gate, unit.product).unit.release, f"products.{unit.product}.unit.release"
    gate.not_refuted(action, path, requirements, Facts(results_of(gate, unit)), partial_date(on))
    _not_expired(gate, unit, on, action, lasting)


def counted(document: Intervention, unit: chain.Unit) -> Decimal:
    """The cells of a unit that the dose counts: the living ones, or all."""
    return Decimal(unit.viable if document.basis == "viable" else unit.total)


def dose_within(document: Intervention, cells: Decimal, planned: Decimal, approved_by: str) -> Decimal:
    """The ratio of cells to plan; refused above the limits always, below them unless somebody approved it."""
    ratio = ratio_to_plan(cells, planned)
    if document.tolerance is not None:
        least, greatest = map(Decimal, document.tolerance)
        # multiplied, not divided: a limit is never rounded
        if cells > greatest * planned or (cells < least * planned and not approved_by):
            refuse("dose_outside", ratio=plain(ratio), least=plain(least), greatest=plain(greatest))
    return ratio


def results_of(gate: Gate, unit: chain.Unit) -> dict[str, list[Observation]]:
    """What is known of a unit: the results of its lot, and its own in place of those of the same name."""
    lot = gate.trial.custody.lots.get(unit.lot)
    return {**(lot.results if lot else {}), **unit.results}


def measured(name: str, text: str, code: str) -> Decimal:
    """A typed amount in a unit, or a refusal."""
    unit = units.unit(code) or COUNT
    entered = enter(Item(name, "quantity", unit), text)
    if isinstance(entered, Finding):
        raise Refused(entered)
    value = entered.value
    if not isinstance(value, Amount) or not is_point(value.interval):
        refuse("fact_unreadable", name=name, value=text, expected="a measured number", example=f"15 {code}")
    return value.interval.low


def _count(text: str) -> Decimal | None:
    """A number of cells, as counted: `60000000` or `60 10*6`."""
    figure, _, code = text.strip().partition(" ")
    value, unit = number(figure), units.unit(code or "1")
    if value is None or unit is None or not units.same_dimension(unit, COUNT):
        return None
    return units.convert(value, unit, COUNT)


def _computed(intervention: str, item: Item, value: Value, unit: Unit) -> dict[str, Any]:
    if not isinstance(value, Amount) or not is_point(value.interval):
        refuse("dose_unknown", intervention=intervention, why=f"{item.name}: {show(value)}")
    return _in_unit(item, value.interval.low, unit.code)


def _in_unit(item: Item, value: Decimal, code: str) -> dict[str, Any]:
    source = units.unit(code) or COUNT
    amount = units.convert(value, source, item.unit)
    entered = enter(item, plain(amount) if item.unit.code == "1" else f"{plain(amount)} {item.unit.code}")
    if isinstance(entered, Finding):
        raise Refused(entered)
    return dict(encode(entered.value, entered.text))


def _is_certain(value: Value) -> bool:
    """Whether a value says one thing: the year of a birth alone identifies nobody."""
    match value:
        case Amount(interval):
            return is_point(interval)
        case Moment(earliest, latest):
            return earliest is not None and latest is not None and earliest.date() == latest.date()
        case Kinds(possible):
            return len(possible) == 1
        case Answer(found):
            return found is not Truth.UNKNOWN


def _her_own(gate: Gate, unit: chain.Unit, lot: chain.Lot) -> None:
    donor = chain.donor_of(gate.trial.custody, lot.identity)
    if donor is not None and donor.own and donor.own != unit.participant:
        refuse("not_her_own", lot=lot.identity, donor=donor.identity, own=donor.own, participant=unit.participant)


def _enough_left(gate: Gate, lot: chain.Lot, wanted: Decimal) -> None:
    held = cells_of(gate, lot)
    used = sum((Decimal(taken or 0) for _, taken in lot.used), Decimal(0))
    if held is not None and used + wanted > held:
        refuse("lot_short", lot=lot.identity, held=plain(held), used=plain(used), wanted=plain(wanted))


def _not_expired(gate: Gate, unit: chain.Unit, on: str, action: str, lasting: timedelta = timedelta(0)) -> None:
    if not unit.expires:
        refuse("hold_not_validated", unit=unit.identity, product=unit.product, action=action)
    expires = instants(unit.expires, gate.protocol.document.zone).earliest
    if moment_of(gate, on) + lasting > expires:
        refuse("unit_expired", unit=unit.identity, expires=unit.expires, action=action, on=on)


def minute(gate: Gate, what: str, text: str) -> datetime:
    """A moment that must be known to the minute, in UTC; of an hour that is told twice the earlier one."""
    try:
        told = partial_date(text)
        moment = instants(text, gate.protocol.document.zone).earliest
    except ValueError as wrong:
        refuse("time_needed", what=what, value=text, why=wrong)
    if not is_minute(told):
        refuse("time_needed", what=what, value=text, why="the minute is not known")
    return moment


def moment_of(gate: Gate, on: str) -> datetime:
    """The last moment, in UTC, that a time may mean."""
    try:
        return instants(on, gate.protocol.document.zone).latest
    except ValueError as wrong:
        refuse("time_needed", what="The time", value=on, why=wrong)


def _event(unit: str, type: str, on: str, payload: Mapping[str, Any], reason: str = "") -> NewEvent:
    return NewEvent(e.stream_of("unit", unit), type, on, payload, reason=reason)
