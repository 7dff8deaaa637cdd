"""Decisions about what a product is made from: donors, tissue, banks, lots, and the hours that it keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from trialwright.core import units
from trialwright.core.finding import Finding, Refused
from trialwright.core.identifier import identifier
from trialwright.core.interval import number, plain
from trialwright.core.partial_date import partial_date
from trialwright.core.units import COUNT
from trialwright.language.facts import Facts, Observation
from trialwright.language.values import Amount
from trialwright.language.vocabulary import Vocabulary
from trialwright.ledger.envelope import NewEvent
from trialwright.protocol.document import Product, Requirement
from trialwright.protocol.entry import encode, enter
from trialwright.protocol.limits import impossible
from trialwright.protocol.naming import nearest
from trialwright.protocol.protocol import NO_LIMITS
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.custody import Custody, Donor, Lot, donor_of, made_from, recipients
from trialwright.trial.gate import PRODUCT, Gate, refuse

#: The item of a product that says how many living cells a lot holds.
CELLS = "viable_cells"
QUALITY = "quality person"
_LONGEST_HOLD = 24 * 366  # hours: what keeps for longer needs no expiry to the minute


def register_donor(gate: Gate, command: c.RegisterDonor) -> list[NewEvent]:
    """A donor for one of the products; a participant's own cells are hers alone."""
    fresh(gate, command.donor)
    product_of(gate, command.product)
    if command.of_participant and command.of_participant not in gate.trial.sites:
        refuse("participant_unknown", participant=command.of_participant)
    payload: dict[str, Any] = {
        "donor": command.donor,
        "product": command.product,
        "participant": command.of_participant,
    }
    return [_event("donor", command.donor, e.DONOR_REGISTERED, command.on, payload)]


def test_donor(gate: Gate, command: c.TestDonor) -> list[NewEvent]:
    """Results of a donor; one that speaks against her after her cells were used calls everything of hers back."""
    donor = _donor(gate, command.donor)
    part = product_of(gate, donor.product).donor
    results = encoded_results(gate, f"{donor.product}.donor", gate.protocol.donors[donor.product], command.results)
    payload: dict[str, Any] = {"donor": donor.identity, "results": results}
    new = [_event("donor", donor.identity, e.DONOR_TESTED, command.on, payload)]
    against: list[str] = []
    for name, requirements in (("accept", part.accept), ("retest", part.retest)) if part else ():
        path, vocabulary = f"products.{donor.product}.donor.{name}", gate.protocol.donors[donor.product]
        against += speaks_against(gate, path, requirements, donor.results, vocabulary, command.results, command.on)
    if against and donor.state == "accepted":
        says = f"donor {donor.identity}: {' '.join(against)}"
        rejected = _event("donor", donor.identity, e.DONOR_REJECTED, command.on, {"donor": donor.identity}, says)
        new += [rejected, *recall(gate, donor.identity, says, command.on)]
    return new


def accept_donor(gate: Gate, command: c.AcceptDonor) -> list[NewEvent]:
    """Acceptance of a donor who certainly meets every requirement, by the quality person."""
    donor = _donor(gate, command.donor)
    gate.role_is(QUALITY, "The acceptance of a donor")
    if donor.state != "registered":
        refuse("donor_state", donor=donor.identity, state=donor.state, action="acceptance")
    part = product_of(gate, donor.product).donor
    if part is None:
        refuse("donor_not_needed", product=donor.product)
    facts = Facts(dict(donor.results))
    path = f"products.{donor.product}.donor.accept"
    action, when = f"Acceptance of {donor.identity}", partial_date(command.on)
    gate.meets(action, path, part.accept, facts, when)
    gate.not_refuted(action, path, part.accept, facts, when)
    payload: dict[str, Any] = {
        "donor": donor.identity,
        "basis": gate.trial.last,
        "answers": {one.says: "yes" for one in part.accept},
    }
    return [_event("donor", donor.identity, e.DONOR_ACCEPTED, command.on, payload)]


def reject_donor(gate: Gate, command: c.RejectDonor) -> list[NewEvent]:
    """Rejection of a donor; what was made from her is called back, and whoever had it is found."""
    donor = _donor(gate, command.donor)
    _reason(command.reason, "The rejection of a donor")
    if donor.state == "rejected":
        refuse("donor_state", donor=donor.identity, state=donor.state, action="a second rejection")
    says = f"donor {donor.identity}: {command.reason}"
    rejected = _event("donor", donor.identity, e.DONOR_REJECTED, command.on, {"donor": donor.identity}, command.reason)
    if len(list(made_from(gate.trial.custody, donor.identity))) == 1:  # nothing was made of what she gave
        return [rejected]
    return [rejected, *recall(gate, donor.identity, says, command.on)]


def register_material(gate: Gate, command: c.RegisterMaterial) -> list[NewEvent]:
    """Tissue of a donor, or a bank made from tissue or from another bank; a passage never goes down."""
    fresh(gate, command.material)
    custody = gate.trial.custody
    if command.kind not in ("tissue", "bank"):
        refuse("material_kind", kind=command.kind)
    parents = custody.donors if command.kind == "tissue" else custody.materials
    if command.parent not in parents:
        refuse("parent_unknown", what=command.kind, name=command.material, parent=command.parent or "(not named)")
    before = custody.materials[command.parent].passage if command.kind == "bank" else 0
    _passage(command.material, command.passage, before)
    not_before(gate, command.parent, command.on)
    payload: dict[str, Any] = {
        "material": command.material,
        "kind": command.kind,
        "parent": command.parent,
        "passage": command.passage,
        "details": dict(command.details),
    }
    return [_event("material", command.material, e.MATERIAL_REGISTERED, command.on, payload)]


def validate_hold(gate: Gate, command: c.ValidateHold) -> list[NewEvent]:
    """The hours that a product was shown to keep after thawing, and the report that shows it."""
    product_of(gate, command.product)
    gate.role_is(QUALITY, "A validated hold time")
    hours = number(command.hours)
    if hours is None or not 0 < hours <= _LONGEST_HOLD:
        refuse("fact_unreadable", name="The hold time", value=command.hours, expected="hours", example="4")
    _reason(command.report, "A validated hold time (by which report)")
    payload: dict[str, Any] = {"product": command.product, "hours": plain(hours), "report": command.report}
    return [NewEvent(e.TRIAL, e.HOLD_VALIDATED, command.on, payload)]


def register_lot(gate: Gate, command: c.RegisterLot) -> list[NewEvent]:
    """A lot of one of the products, and what it was made from where the protocol asks for donors."""
    fresh(gate, command.lot)
    product = product_of(gate, command.product)
    custody = gate.trial.custody
    known = command.parent in custody.donors or command.parent in custody.materials
    if (product.donor or command.parent) and not known:
        refuse("parent_unknown", what="lot", name=command.lot, parent=command.parent or "(not named)")
    if known:
        donor = donor_of(custody, command.parent)
        if donor is None or donor.product != command.product:
            refuse("donor_wrong_product", lot=command.lot, parent=command.parent, product=command.product)
        material = custody.materials.get(command.parent)
        _passage(command.lot, command.passage, material.passage if material else 0)
        not_before(gate, command.parent, command.on)
    payload: dict[str, Any] = {
        "lot": command.lot,
        "product": command.product,
        "parent": command.parent,
        "passage": command.passage,
    }
    return [_event("lot", command.lot, e.LOT_REGISTERED, command.on, payload)]


def test_lot(gate: Gate, command: c.TestLot) -> list[NewEvent]:
    """Results of a lot; one that speaks against it after its release calls it back and finds whoever had it."""
    lot = lot_of(gate, command.lot)
    vocabulary = gate.protocol.products[lot.product]
    results = encoded_results(gate, lot.product, vocabulary, command.results)
    payload: dict[str, Any] = {"lot": lot.identity, "results": results}
    new = [_event("lot", lot.identity, e.LOT_TESTED, command.on, payload)]
    if lot.state in ("released", "conditional"):
        path, release = f"products.{lot.product}.release", product_of(gate, lot.product).release
        against = speaks_against(gate, path, release, lot.results, vocabulary, command.results, command.on)
        if against:
            new += recall(gate, lot.identity, f"lot {lot.identity}: {' '.join(against)}", command.on)
    return new


def release_lot(gate: Gate, command: c.ReleaseLot) -> list[NewEvent]:
    """Release, by the quality person, of a lot that meets every requirement; conditional while some may come later."""
    lot = lot_of(gate, command.lot)
    gate.role_is(QUALITY, "The release of a lot")
    if lot.state not in ("registered", "conditional"):
        refuse("lot_state", lot=lot.identity, state=lot.state, action="release")
    not_before(gate, lot.identity, command.on)
    product, when, action = product_of(gate, lot.product), partial_date(command.on), f"Release of {lot.identity}"
    if product.donor:
        donor = donor_of(gate.trial.custody, lot.identity)
        if donor is None or donor.state != "accepted":
            state = donor.state if donor else "unknown"
            refuse("donor_state", donor=donor.identity if donor else "", state=state, action=action)
        path = f"products.{lot.product}.donor.retest"
        gate.meets(action, path, product.donor.retest, Facts(dict(donor.results)), when)
        gate.not_refuted(action, path, product.donor.retest, Facts(dict(donor.results)), when)
    path = f"products.{lot.product}.release"
    outstanding = gate.meets(action, path, product.release, Facts(dict(lot.results)), when, conditional=True)
    gate.not_refuted(action, path, product.release, Facts(dict(lot.results)), when)
    if outstanding and lot.state == "conditional":
        refuse("still_outstanding", what=lot.identity, outstanding=" ".join(outstanding))
    payload: dict[str, Any] = {
        "lot": lot.identity,
        "basis": gate.trial.last,
        "conditional": bool(outstanding),
        "outstanding": outstanding,
        "answers": {one.says: "unknown" if one.says in outstanding else "yes" for one in product.release},
    }
    return [_event("lot", lot.identity, e.LOT_RELEASED, command.on, payload)]


def reject_lot(gate: Gate, command: c.RejectLot) -> list[NewEvent]:
    """Rejection of a lot, for ever; one of which something was given is called back instead."""
    lot = lot_of(gate, command.lot)
    _reason(command.reason, "The rejection of a lot")
    if recipients(gate.trial.custody, lot.identity):
        refuse("lot_given", lot=lot.identity)
    payload: dict[str, Any] = {"lot": lot.identity}
    return [_event("lot", lot.identity, e.LOT_REJECTED, command.on, payload, command.reason)]


def recall_lot(gate: Gate, command: c.RecallLot) -> list[NewEvent]:
    """A lot called back: nothing of it may be given any more, and everybody who had it is named in the alert."""
    lot = lot_of(gate, command.lot)
    _reason(command.reason, "The recall of a lot")
    if lot.state == "recalled":
        refuse("lot_state", lot=lot.identity, state=lot.state, action="recall")
    return recall(gate, lot.identity, f"lot {lot.identity}: {command.reason}", command.on)


def recall(gate: Gate, identity: str, says: str, on: str) -> list[NewEvent]:
    """Everything made from a donor, material or lot called back, and one alert that names whoever was given it.

    Where somebody was, the trial pauses; where nobody was, the alert asks for a review.
    """
    custody = gate.trial.custody
    found = recipients(custody, identity)
    new = []
    for one in made_from(custody, identity):
        if one in custody.lots and custody.lots[one].state != "recalled":
            payload: dict[str, Any] = {"lot": one, "recipients": [who for who, _ in found]}
            new.append(_event("lot", one, e.LOT_RECALLED, on, payload, says))
    alert: dict[str, Any] = {
        "alert": next_alert(gate),
        "trigger": PRODUCT,
        "action": "pause" if found else "review",
        "says": says,
        "source": identity,
        "recipients": list(dict.fromkeys(who for who, _ in found)),
        "units": [unit for _, unit in found],
        "basis": gate.trial.last,
    }
    return [*new, NewEvent(e.TRIAL, e.TRIGGER_RAISED, on, alert)]


def next_alert(gate: Gate, already: int = 0) -> str:
    """The number of the next alert."""
    return f"A{len(gate.trial.alerts) + already + 1}"


# ---------------------------------------------------------------- what all of these share


def fresh(gate: Gate, name: str) -> None:
    """Refuse what cannot be an identifier, or was given to anything in the chain before."""
    try:
        identifier(name)
    except ValueError:
        refuse("identifier_wrong", value=name)
    custody: Custody = gate.trial.custody
    for kind, group in (
        ("donor", custody.donors),
        ("material", custody.materials),
        ("lot", custody.lots),
        ("unit", custody.units),
    ):
        if name in group:
            refuse("product_exists", name=name, kind=kind)


def product_of(gate: Gate, name: str) -> Product:
    """The product, or a refusal."""
    products = gate.protocol.document.products
    if name not in products:
        refuse("fact_unknown", name=name, nearest=nearest(name, products))
    return products[name]


def lot_of(gate: Gate, identity: str) -> Lot:
    """The lot, or a refusal."""
    lot = gate.trial.custody.lots.get(identity)
    if lot is None:
        refuse("lot_unknown", lot=identity)
    return lot


def cells_of(gate: Gate, lot: Lot) -> Decimal | None:
    """How many living cells the lot was found to hold, at most, or None where nobody counted them."""
    counted = lot.results.get(CELLS)
    if not counted or not isinstance(counted[-1].value, Amount):
        return None
    most = counted[-1].value.interval.high
    item = gate.protocol.products[lot.product].items[CELLS]
    return units.convert(most, item.unit, COUNT) if most.is_finite() else None


def encoded_results(
    gate: Gate, owner: str, vocabulary: Vocabulary, results: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Typed results as a ledger keeps them; an unknown item, an unreadable or an impossible value is refused."""
    encoded: dict[str, dict[str, Any]] = {}
    if not results:
        refuse("results_missing", what=owner)
    for name, text in results.items():
        if name not in vocabulary.items:
            refuse("fact_unknown", name=name, nearest=nearest(name, vocabulary.items))
        entered = enter(vocabulary.items[name], text)
        if isinstance(entered, Finding):
            raise Refused(entered)
        limits = gate.protocol.limits.get(f"{owner}.{name}", NO_LIMITS)
        if found := impossible(name, vocabulary.items[name], entered, limits):
            raise Refused(found)
        encoded[name] = dict(encode(entered.value, entered.text))
    return encoded


def speaks_against(
    gate: Gate,
    path: str,
    requirements: Sequence[Requirement],
    before: Mapping[str, list[Observation]],
    vocabulary: Vocabulary,
    results: Mapping[str, str],
    on: str,
) -> list[str]:
    """The requirements that results which were just typed break: with what was known before, or alone.

    Alone, because two results of one day that contradict each other leave the answer unknown.
    """
    broken: list[str] = []
    for known in (before, {}):
        facts = _with_results(known, vocabulary, results, on)
        broken += gate.fails(path, requirements, facts, partial_date(on))
    return list(dict.fromkeys(broken))


def _with_results(
    before: Mapping[str, list[Observation]], vocabulary: Vocabulary, results: Mapping[str, str], on: str
) -> Facts:
    """The facts with results that were just typed."""
    facts = {name: list(told) for name, told in before.items()}
    for name, text in results.items():
        entered = enter(vocabulary.items[name], text)
        if not isinstance(entered, Finding):
            facts.setdefault(name, []).append(Observation(entered.value, partial_date(on)))
    return Facts(facts)


def not_before(gate: Gate, identity: str, on: str) -> None:
    """Refuse what is dated before that which it comes from."""
    custody = gate.trial.custody
    groups: Iterable[Mapping[str, Any]] = (custody.donors, custody.materials, custody.lots)
    for group in groups:
        if identity in group and gate.precedes(on, group[identity].on):
            refuse("before_origin", on=on, origin=identity, since=group[identity].on)


def _donor(gate: Gate, identity: str) -> Donor:
    donor = gate.trial.custody.donors.get(identity)
    if donor is None:
        refuse("donor_unknown", donor=identity)
    return donor


def _passage(name: str, passage: int, before: int) -> None:
    if passage < before or passage < 0:
        refuse("passage_wrong", name=name, passage=passage, before=before)


def _event(kind: str, identity: str, type: str, on: str, payload: Mapping[str, Any], reason: str = "") -> NewEvent:
    return NewEvent(e.stream_of(kind, identity), type, on, payload, reason=reason)


def _reason(text: str, what: str) -> None:
    if not text.strip():
        refuse("reason_missing", what=what)
