"""The chain of identity and custody: donor, tissue, bank, lot, unit, recipient; its state, its fold, its two walks.

Everything is found by one step at a time along `parent`, so that from a donor to every recipient and back is one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from trialwright.language.facts import Observation
from trialwright.ledger.envelope import Event
from trialwright.trial import events as e
from trialwright.trial.decoding import decode_observation

UnitState: TypeAlias = Literal[
    "ordered",
    "manufactured",
    "tested",
    "released",
    "conditional",
    "rejected",
    "issued",
    "received",
    "verified",
    "infusing",
    "interrupted",
    "complete",
    "partial",
    "aborted",
    "reconciled",
]

#: From where to where a unit may go. `decide` refuses every other step; nothing leads out of `reconciled`.
STEPS: dict[str, frozenset[str]] = {
    "ordered": frozenset({"manufactured", "rejected"}),
    "manufactured": frozenset({"tested", "released", "conditional", "rejected"}),
    "tested": frozenset({"tested", "released", "conditional", "rejected"}),
    "released": frozenset({"issued", "rejected"}),
    "conditional": frozenset({"released", "issued", "rejected"}),
    "issued": frozenset({"received", "rejected"}),
    "received": frozenset({"received", "verified", "rejected"}),
    "verified": frozenset({"infusing", "rejected"}),
    "infusing": frozenset({"interrupted", "complete", "partial", "aborted"}),
    "interrupted": frozenset({"infusing", "partial", "aborted"}),
    "rejected": frozenset({"reconciled"}),
    "complete": frozenset({"reconciled"}),
    "partial": frozenset({"reconciled"}),
    "aborted": frozenset({"reconciled"}),
    "reconciled": frozenset(),
}

#: A unit that can still be given, or is being given: two of these for one act would be one too many.
OPEN = frozenset(STEPS) - {"rejected", "complete", "partial", "aborted", "reconciled"}
#: Fields of the record of giving that are filled from the unit, where the protocol declares them; nobody enters them.
FROM_THE_UNIT = ("volume_infused", "flush_volume", "delivered_cells", "dose_ratio", "infusion_outcome")
#: Something of it may have reached the recipient.
GIVEN = frozenset({"infusing", "interrupted", "complete", "partial", "aborted"})


@dataclass(slots=True)
class Donor:
    """A donor: her tests, all of them in their order, and whether she was accepted."""

    identity: str
    product: str
    own: str  # the participant whose own cells these are
    results: dict[str, list[Observation]] = field(default_factory=dict)
    state: Literal["registered", "accepted", "rejected"] = "registered"
    on: str = ""
    events: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Material:
    """Tissue or a cell bank, and what it was made from."""

    identity: str
    kind: str
    parent: str
    passage: int
    details: dict[str, str]
    on: str
    events: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Lot:
    """A product lot: what it was made from, its tests, its state and what was taken from it."""

    identity: str
    product: str
    parent: str = ""
    passage: int = 0
    results: dict[str, list[Observation]] = field(default_factory=dict)
    state: Literal["registered", "released", "conditional", "rejected", "recalled"] = "registered"
    on: str = ""
    released: str = ""
    used: list[tuple[str, str]] = field(default_factory=list)  # participant or unit, cells taken
    events: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Move:
    """One step in the custody of a unit: from where to where, when, by whom, in which event."""

    state: str
    on: str
    by: str
    event: int
    note: str = ""


@dataclass(slots=True)
class Unit:
    """What was prepared from one lot for one participant, and everywhere it has been."""

    identity: str
    participant: str
    intervention: str
    product: str
    planned: str
    state: UnitState = "ordered"
    lot: str = ""
    total: str = ""
    viable: str = ""
    viability: str = ""
    volume: str = ""
    thawed: str = ""
    expires: str = ""
    approved_by: str = ""
    results: dict[str, list[Observation]] = field(default_factory=dict)
    verified_by: list[str] = field(default_factory=list)
    started: str = ""
    interrupted: str = ""
    left: str = ""  # of its volume, when it was interrupted last
    record: str = ""
    infused: str = ""
    flush: str = ""
    delivered: str = ""
    ratio: str = ""  # of what was delivered to the plan
    was_given: bool = False
    moves: list[Move] = field(default_factory=list)


@dataclass(slots=True)
class Custody:
    """Everything that participants may be given, and where it came from."""

    donors: dict[str, Donor] = field(default_factory=dict)
    materials: dict[str, Material] = field(default_factory=dict)
    lots: dict[str, Lot] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    holds: dict[str, tuple[str, str]] = field(default_factory=dict)  # product -> hours, report
    early: dict[tuple[str, str], list[Event]] = field(default_factory=dict)  # dated before what they are about
    oddities: list[str] = field(default_factory=list)


# ---------------------------------------------------------------- the two walks


def origin_of(custody: Custody, identity: str) -> tuple[str, ...]:
    """From a unit, lot, bank or tissue back to the donor, itself first; a circle is walked once."""
    chain: list[str] = []
    while identity and identity not in chain:
        chain.append(identity)
        identity = parent_of(custody, identity)
    return tuple(chain)


def parent_of(custody: Custody, identity: str) -> str:
    """What something was made from, or nothing."""
    if identity in custody.units:
        return custody.units[identity].lot
    if identity in custody.lots:
        return custody.lots[identity].parent
    return custody.materials[identity].parent if identity in custody.materials else ""


def donor_of(custody: Custody, identity: str) -> Donor | None:
    """The donor at the end of the chain, where one is recorded."""
    return custody.donors.get(origin_of(custody, identity)[-1]) if identity else None


def children_of(custody: Custody) -> dict[str, list[str]]:
    """What was made directly from each donor, tissue, bank and lot."""
    children: dict[str, list[str]] = {}
    for group in (custody.materials, custody.lots, custody.units):
        for one in group:
            children.setdefault(parent_of(custody, one), []).append(one)
    return children


def made_from(custody: Custody, identity: str, children: Mapping[str, list[str]] | None = None) -> Iterator[str]:
    """Everything made from a donor, tissue, bank or lot, lots and units among them, itself first.

    `children` spares gathering them anew for everybody who is asked about.
    """
    children = children_of(custody) if children is None else children
    waiting, seen = [identity], {identity}
    while waiting:
        one = waiting.pop(0)
        yield one
        fresh = [child for child in children.get(one, ()) if child not in seen]
        seen.update(fresh)
        waiting.extend(fresh)


def recipients(
    custody: Custody, identity: str, children: Mapping[str, list[str]] | None = None
) -> tuple[tuple[str, str], ...]:
    """Whoever was given anything made from it: participant and unit (or lot, where no unit is recorded)."""
    found = []
    for one in made_from(custody, identity, children):
        if one in custody.units and custody.units[one].was_given:
            found.append((custody.units[one].participant, one))
        elif one in custody.lots:
            found += [(who, one) for who, _ in custody.lots[one].used if who not in custody.units]
    return tuple(found)


# ---------------------------------------------------------------- the fold


def apply_product(custody: Custody, event: Event) -> None:
    """Take one event into the chain; one that is dated before what it is about waits for it."""
    about = _ABOUT[event.type]
    group, name = about[0], text(event, about[1])
    if not name:  # a dose of a regimen, which is no product
        return
    if group and name not in _group(custody, group):
        custody.early.setdefault((group, name), []).append(event)
        return
    about[2](custody, name, event)
    held = _kept(custody, event.type.partition(".")[0], name)
    if held is not None:
        held.events.append(event.seq)
    for earlier in custody.early.pop((event.type.partition(".")[0], name), ()) if not group else ():
        apply_product(custody, earlier)


def text(event: Event, name: str) -> str:
    """A field of an event's payload as text; empty where it is not there."""
    value = event.payload.get(name)
    return "" if value is None else str(value)


def _group(custody: Custody, group: str) -> dict[str, Donor] | dict[str, Lot] | dict[str, Unit]:
    return {"donor": custody.donors, "lot": custody.lots, "unit": custody.units}[group]  # type: ignore[return-value]


def _kept(custody: Custody, kind: str, name: str) -> Donor | Material | Lot | None:
    match kind:
        case "donor":
            return custody.donors.get(name)
        case "material":
            return custody.materials.get(name)
        case "lot":
            return custody.lots.get(name)
        case _:
            return None


def _number(event: Event, name: str) -> int:
    value = event.payload.get(name)
    return value if isinstance(value, int) else 0


def _add_results(results: dict[str, list[Observation]], event: Event) -> None:
    told = event.payload.get("results")
    for name, encoded in told.items() if isinstance(told, dict) else ():
        if isinstance(encoded, dict):
            results.setdefault(str(name), []).append(decode_observation({"value": encoded}, event))


def _donor(custody: Custody, name: str, event: Event) -> None:
    custody.donors[name] = Donor(name, text(event, "product"), text(event, "participant"), on=event.on)


def _donor_tested(custody: Custody, name: str, event: Event) -> None:
    _add_results(custody.donors[name].results, event)


def _donor_accepted(custody: Custody, name: str, _event: Event) -> None:
    if custody.donors[name].state == "registered":
        custody.donors[name].state = "accepted"


def _donor_rejected(custody: Custody, name: str, _event: Event) -> None:
    custody.donors[name].state = "rejected"


def _material(custody: Custody, name: str, event: Event) -> None:
    details = event.payload.get("details")
    custody.materials[name] = Material(
        name,
        text(event, "kind"),
        text(event, "parent"),
        _number(event, "passage"),
        {str(key): str(value) for key, value in details.items()} if isinstance(details, dict) else {},
        event.on,
    )


def _hold(custody: Custody, name: str, event: Event) -> None:
    custody.holds[name] = (text(event, "hours"), text(event, "report"))


def _lot(custody: Custody, name: str, event: Event) -> None:
    custody.lots[name] = Lot(
        name, text(event, "product"), text(event, "parent"), _number(event, "passage"), on=event.on
    )
    # a unit may be dated before it by minutes, where the lot has only a day
    custody.lots[name].used += [(one.identity, one.viable) for one in custody.units.values() if one.lot == name]


def _lot_tested(custody: Custody, name: str, event: Event) -> None:
    _add_results(custody.lots[name].results, event)


def _lot_released(custody: Custody, name: str, event: Event) -> None:
    lot = custody.lots[name]
    if lot.state in ("registered", "conditional"):
        lot.state = "conditional" if event.payload.get("conditional") else "released"
        lot.released = lot.released or event.on
    else:
        custody.oddities.append(f"event {event.seq} releases lot {name}, which is {lot.state}")


def _lot_rejected(custody: Custody, name: str, _event: Event) -> None:
    custody.lots[name].state = "rejected"


def _lot_recalled(custody: Custody, name: str, _event: Event) -> None:
    custody.lots[name].state = "recalled"


def _unit(custody: Custody, name: str, event: Event) -> None:
    participant, intervention = text(event, "participant"), text(event, "intervention")
    custody.units[name] = Unit(name, participant, intervention, text(event, "product"), text(event, "planned"))
    _add_results(custody.units[name].results, event)
    custody.units[name].moves.append(Move("ordered", event.on, event.user, event.seq))


def _moved(state: UnitState, *fields: str) -> Callable[[Custody, str, Event], None]:
    """A step of a unit that takes fields of the event along; an illegal one is noted, and is taken all the same.

    Only a rejection holds against it: one that was dated before a step which had been recorded already.
    """

    def step(custody: Custody, name: str, event: Event) -> None:
        unit = custody.units[name]
        reached: UnitState = state
        if state == "released" and event.payload.get("conditional"):
            reached = "conditional"
        if reached not in STEPS[unit.state]:
            custody.oddities.append(f"event {event.seq} takes unit {name} from {unit.state} to {reached}")
        if unit.state != "rejected" or reached == "reconciled":
            unit.state = reached
        for one in fields:
            setattr(unit, one, text(event, one))
        unit.moves.append(Move(reached, event.on, event.user, event.seq, event.reason))

    return step


def _manufactured(custody: Custody, name: str, event: Event) -> None:
    _moved("manufactured", "lot", "total", "viability", "viable", "volume", "thawed", "expires")(custody, name, event)
    _add_results(custody.units[name].results, event)
    lot = custody.lots.get(text(event, "lot"))
    if lot is not None:
        lot.used.append((name, text(event, "viable")))


def _unit_tested(custody: Custody, name: str, event: Event) -> None:
    unit = custody.units[name]
    _add_results(unit.results, event)
    if unit.state in ("manufactured", "tested"):
        unit.state = "tested"
    unit.moves.append(Move("tested", event.on, event.user, event.seq))


def _verified(custody: Custody, name: str, event: Event) -> None:
    unit = custody.units[name]
    unit.verified_by.append(event.user)
    both = len(set(unit.verified_by)) > 1
    _moved("verified" if both else "received")(custody, name, event)
    unit.moves[-1].state = "verified" if both else "verified once"


def _dosed(custody: Custody, name: str, event: Event) -> None:
    """A dose: of a unit, which is then being infused; of a lot alone, in ledgers from before there were units."""
    unit = custody.units.get(text(event, "unit"))
    if unit is None:
        custody.lots[name].used.append((event.stream.removeprefix("participant/"), text(event, "prepared")))
        return
    _moved("infusing", "record")(custody, unit.identity, event)
    unit.started, unit.was_given = event.on, True


def _interrupted(custody: Custody, name: str, event: Event) -> None:
    _moved("interrupted", "left")(custody, name, event)
    custody.units[name].interrupted = event.on


def _ended(custody: Custody, name: str, event: Event) -> None:
    fields = ("infused", "flush", "delivered", "ratio")
    outcome = text(event, "outcome")
    reached: UnitState = "complete" if outcome == "complete" else "aborted" if outcome == "aborted" else "partial"
    _moved(reached, *fields)(custody, name, event)


#: Event type -> the group in which it must find what it is about (none where it makes it), the field that names it,
#: and what it does.
_ABOUT: dict[str, tuple[str, str, Callable[[Custody, str, Event], None]]] = {
    e.DONOR_REGISTERED: ("", "donor", _donor),
    e.DONOR_TESTED: ("donor", "donor", _donor_tested),
    e.DONOR_ACCEPTED: ("donor", "donor", _donor_accepted),
    e.DONOR_REJECTED: ("donor", "donor", _donor_rejected),
    e.MATERIAL_REGISTERED: ("", "material", _material),
    e.HOLD_VALIDATED: ("", "product", _hold),
    e.LOT_REGISTERED: ("", "lot", _lot),
    e.LOT_TESTED: ("lot", "lot", _lot_tested),
    e.LOT_RELEASED: ("lot", "lot", _lot_released),
    e.LOT_REJECTED: ("lot", "lot", _lot_rejected),
    e.LOT_RECALLED: ("lot", "lot", _lot_recalled),
    e.UNIT_ORDERED: ("", "unit", _unit),
    e.UNIT_MANUFACTURED: ("unit", "unit", _manufactured),
    e.UNIT_TESTED: ("unit", "unit", _unit_tested),
    e.UNIT_RELEASED: ("unit", "unit", _moved("released", "approved_by")),
    e.UNIT_REJECTED: ("unit", "unit", _moved("rejected")),
    e.UNIT_ISSUED: ("unit", "unit", _moved("issued")),
    e.UNIT_RECEIVED: ("unit", "unit", _moved("received")),
    e.UNIT_VERIFIED: ("unit", "unit", _verified),
    e.UNIT_RECONCILED: ("unit", "unit", _moved("reconciled")),
    e.DOSE_DETERMINED: ("lot", "lot", _dosed),
    e.INFUSION_INTERRUPTED: ("unit", "unit", _interrupted),
    e.INFUSION_RESUMED: ("unit", "unit", _moved("infusing")),
    e.INFUSION_ENDED: ("unit", "unit", _ended),
}
