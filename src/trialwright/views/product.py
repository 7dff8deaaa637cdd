"""Product accountability: from each donor to every unit, where it is, how many cells were taken, who was given them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trialwright.core import units
from trialwright.core.interval import is_point
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.core.units import COUNT
from trialwright.language.evaluate import answer, evaluate
from trialwright.language.facts import Facts, Observation
from trialwright.language.values import Amount
from trialwright.protocol.document import Requirement
from trialwright.trial.custody import OPEN, Custody, Lot, Unit, children_of, donor_of, made_from, origin_of, recipients
from trialwright.trial.decide_materials import CELLS
from trialwright.views.cutoff import CutOff

_ENDED = ("rejected", "complete", "partial", "aborted")


@dataclass(frozen=True, slots=True)
class DonorRow:
    """A donor: her state, whose own cells hers are (nobody's named where they are for others), and what was made."""

    donor: str
    state: str
    own: str
    on: str
    made: tuple[str, ...]
    recipients: tuple[str, ...]
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MaterialRow:
    """Tissue or a bank, what it was made from, and the donor at the end of the chain."""

    material: str
    kind: str
    parent: str
    donor: str
    passage: int
    on: str
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot: living cells held, taken and left; `held` and `left` are None where nobody counted them."""

    lot: str
    origin: tuple[str, ...]
    donor: str
    passage: int
    state: str
    held: Decimal | None
    used: Decimal
    left: Decimal | None
    taken_for: tuple[str, ...]
    recipients: tuple[str, ...]
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit: for whom it was prepared, whether she was given it, and how much of the plan was delivered.

    `delivered` and `ratio` are None until its infusion has ended; `disposal` says what became of the rest.
    """

    unit: str
    lot: str
    donor: str
    participant: str
    intervention: str
    state: str
    planned: Decimal | None
    prepared: Decimal | None
    given: bool
    delivered: Decimal | None
    ratio: Decimal | None
    disposal: str
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many lots or units of a product are in a state, of how many."""

    what: str
    state: str
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class Unreconciled:
    """A unit that somebody must still account for, since when, and why."""

    unit: str
    participant: str
    state: str
    since: str
    why: str
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A conditional release: what is still not known (nothing: its final release waits), and who was given of it."""

    what: str
    identity: str
    since: str
    outstanding: tuple[str, ...]
    given_to: tuple[str, ...]
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Accountability:
    """Everything of one product."""

    product: str
    donors: tuple[DonorRow, ...]
    materials: tuple[MaterialRow, ...]
    lots: tuple[LotRow, ...]
    units: tuple[UnitRow, ...]
    tally: tuple[Tally, ...]
    unreconciled: tuple[Unreconciled, ...]
    outstanding: tuple[Outstanding, ...]


def accountability(cut: CutOff) -> list[Accountability]:
    """One page per product of the protocol, in its order."""
    return [_of_product(cut, product) for product in cut.protocol.document.products]


def _of_product(cut: CutOff, product: str) -> Accountability:
    custody = cut.trial.custody
    children, alone = children_of(custody), _doses_of_lots(cut)
    donors = [one for one in custody.donors.values() if one.product == product]
    known = {one.identity for one in donors}
    materials = [one for one in custody.materials.values() if _donor(custody, one.identity) in known]
    lots = [one for one in custody.lots.values() if one.product == product]
    mine = [one for one in custody.units.values() if one.product == product]
    return Accountability(
        product,
        tuple(
            DonorRow(
                one.identity, one.state, one.own, one.on,
                tuple(made_from(custody, one.identity, children))[1:], given_of(custody, one.identity, children),
                tuple(one.events),
            )
            for one in donors
        ),
        tuple(
            MaterialRow(one.identity, one.kind, one.parent, _donor(custody, one.identity), one.passage, one.on,
                        tuple(one.events))
            for one in materials
        ),
        tuple(_lot(cut, one, children, alone) for one in lots),
        tuple(_unit(custody, one) for one in mine),
        (*_tally("lot", [one.state for one in lots]), *_tally("unit", [one.state for one in mine])),
        tuple(_unreconciled(cut, mine)),
        (*_outstanding_lots(cut, lots, children), *_outstanding_units(cut, mine)),
    )  # fmt: skip


def given_of(custody: Custody, identity: str, children: Mapping[str, list[str]] | None = None) -> tuple[str, ...]:
    """The participants who were given anything made from it, each once."""
    return tuple(dict.fromkeys(who for who, _ in recipients(custody, identity, children)))


def _doses_of_lots(cut: CutOff) -> dict[str, list[int]]:
    """The events of doses that name a lot and no unit, by lot."""
    found: dict[str, list[int]] = {}
    for one in cut.participants.values():
        for dose in one.doses:
            if not dose.unit:
                found.setdefault(dose.lot, []).append(dose.event)
    return found


def numbers(results: Mapping[str, Sequence[Observation]]) -> tuple[int, ...]:
    """The numbers of the events that told some results."""
    return tuple(sorted({one.event for told in results.values() for one in told}))


def _donor(custody: Custody, identity: str) -> str:
    donor = donor_of(custody, identity)
    return donor.identity if donor else ""


def _lot(cut: CutOff, lot: Lot, children: Mapping[str, list[str]], alone: Mapping[str, list[int]]) -> LotRow:
    custody, held = cut.trial.custody, _held(cut, lot)
    used = sum((Decimal(taken or 0) for _, taken in lot.used), Decimal(0))
    taken = [
        event for name, _ in lot.used if name in custody.units for event in _steps(custody.units[name], "manufactured")
    ]
    return LotRow(
        lot.identity, origin_of(custody, lot.identity)[1:], _donor(custody, lot.identity), lot.passage, lot.state,
        held, used, None if held is None else held - used, tuple(name for name, _ in lot.used),
        given_of(custody, lot.identity, children),
        tuple(sorted({*lot.events, *taken, *alone.get(lot.identity, ())})),
    )  # fmt: skip


def _held(cut: CutOff, lot: Lot) -> Decimal | None:
    counted = lot.results.get(CELLS)
    items = cut.protocol.products[lot.product].items
    if not counted or CELLS not in items or not isinstance(counted[-1].value, Amount):
        return None
    interval = counted[-1].value.interval
    return units.convert(interval.low, items[CELLS].unit, COUNT) if is_point(interval) else None


def _steps(unit: Unit, *states: str) -> list[int]:
    return [move.event for move in unit.moves if move.state in states]


def _unit(custody: Custody, unit: Unit) -> UnitRow:
    disposal = unit.moves[-1].note if unit.state == "reconciled" and unit.moves else ""
    events = {*(move.event for move in unit.moves), *numbers(unit.results)}
    return UnitRow(
        unit.identity, unit.lot, _donor(custody, unit.lot), unit.participant, unit.intervention, unit.state,
        figure(unit.planned), figure(unit.viable), unit.was_given, figure(unit.delivered), figure(unit.ratio),
        disposal, tuple(sorted(events)),
    )  # fmt: skip


def figure(text: str) -> Decimal | None:
    """A number of the state, None where it is not there yet."""
    return Decimal(text) if text else None


def _tally(what: str, states: list[str]) -> Iterator[Tally]:
    for state, number in sorted(Counter(states).items()):
        yield Tally(what, state, number, len(states))


def _unreconciled(cut: CutOff, mine: Iterable[Unit]) -> Iterator[Unreconciled]:
    for unit in mine:
        last = unit.moves[-1]
        expired = bool(unit.expires) and partial_date(unit.expires).latest.date() < cut.today
        if unit.state in _ENDED:
            why = "what is left of it is not accounted for"
        elif unit.state in OPEN and expired:
            why = f"it expired at {unit.expires}, and nothing says what became of it"
        else:
            continue
        yield Unreconciled(unit.identity, unit.participant, unit.state, last.on, why, (last.event,))


def _outstanding_lots(cut: CutOff, lots: Iterable[Lot], children: Mapping[str, list[str]]) -> Iterator[Outstanding]:
    for lot in lots:
        if lot.state == "conditional":
            release = cut.protocol.document.products[lot.product].release
            left = _not_known(cut, f"products.{lot.product}.release", release, lot.results)
            given = given_of(cut.trial.custody, lot.identity, children)
            yield Outstanding("lot", lot.identity, lot.released, left, given, numbers(lot.results))


def _outstanding_units(cut: CutOff, mine: Iterable[Unit]) -> Iterator[Outstanding]:
    for unit in mine:
        conditional = [move for move in unit.moves if move.state == "conditional"]
        if not conditional or unit.state == "rejected":
            continue
        lot = cut.trial.custody.lots.get(unit.lot)
        results = {**(lot.results if lot else {}), **unit.results}
        release = cut.protocol.document.products[unit.product].unit.release
        left = _not_known(cut, f"products.{unit.product}.unit.release", release, results)
        if left:
            given = (unit.participant,) if unit.was_given else ()
            events = (*numbers(unit.results), conditional[-1].event)
            yield Outstanding("unit", unit.identity, conditional[-1].on, left, given, tuple(sorted(set(events))))


def _not_known(
    cut: CutOff, path: str, requirements: Sequence[Requirement], results: Mapping[str, Sequence[Observation]]
) -> tuple[str, ...]:
    """What was allowed to come later and has not come by the day of the cut-off."""
    facts = Facts(results)
    return tuple(
        one.says
        for index, one in enumerate(requirements)
        if one.later and answer(evaluate(cut.protocol.rules[f"{path}.{index}.rule"], facts, cut.when)) is Truth.UNKNOWN
    )
