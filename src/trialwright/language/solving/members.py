"""Choosing and counting among slots: those in use, in time, and passing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from trialwright.language import typed as t
from trialwright.language.solving import smt
from trialwright.language.solving.participant import (
    Participant,
    Slot,
    anything,
    field_of,
    normal_of,
    observations_of,
    records_of,
)
from trialwright.language.solving.smt import Term
from trialwright.language.solving.told import (
    Ask,
    CannotEncode,
    Row,
    Told,
    World,
    among,
    asked_at,
    conjunction,
    in_window,
    of_all,
    opposite,
    unknown,
)
from trialwright.language.vocabulary import Item

_TRUE = Told(True)


@dataclass(frozen=True, slots=True)
class _Member:
    """A slot, whether it belongs, what is taken from it, and whether it passes the test."""

    slot: Slot
    belongs: Told
    take: Told
    passes: Told = _TRUE


def over_item(node: t.ItemAggregate, world: World, her: Participant, ask: Ask) -> Told:
    """The chosen observation, or what the observations amount to; over none, unknown."""
    asked = asked_at(node.at, world, her)
    members = _observations(node, asked, her, ask)
    found = _item_answer(node, members, asked, her)
    return of_all(found.value, [found], asked.reached)


def within_normal(node: t.WithinNormal, world: World, her: Participant, ask: Ask) -> Told:
    """Whether the chosen result lies in the range that came with it."""
    asked = asked_at(node.operand.at, world, her)
    members = []
    for x in _observations(node.operand, asked, her, ask):
        low, high = normal_of(x.slot, her)
        members.append(replace(x, take=Told(smt.all_of([x.slot.value >= low, x.slot.value <= high]))))
    inside = _choice(node.operand.function, members, unknown(node.type, her))
    inside = of_all(inside.value, [inside], asked.reached)
    return opposite(inside) if node.outside else inside


def _observations(node: t.ItemAggregate, world: World, her: Participant, ask: Ask) -> list[_Member]:
    members = []
    for slot in observations_of(node.person, node.item, her):
        parts = [Told(slot.used), Told(slot.day <= world.when)]
        parts += [in_window(slot.day, window, world.when, her) for window in node.looks_back]
        for narrowing in node.filters:
            attribute = field_of(slot, slot.name, narrowing.attribute, her)
            parts.append(Told(among(attribute, narrowing.among, her)))
        here = replace(world, observation=slot)
        if node.where is not None:
            parts.append(ask(node.where, here))
        passes = _TRUE
        if node.satisfies is not None:
            passes = ask(node.satisfies, here)
        elif node.item.kind in ("yes_no", "attestation") and node.function in ("any", "every", "share", "longest_run"):
            passes = Told(slot.value)
        take = Told(slot.day if node.take == "date" else slot.value)
        members.append(_Member(slot, conjunction(parts), take, passes))
    return members


def _item_answer(node: t.ItemAggregate, members: list[_Member], world: World, her: Participant) -> Told:
    nothing = _nothing(node, node.item, node.item.name, her)
    some = smt.any_of(x.belongs.value for x in members)
    sure = smt.all_of(x.belongs.known for x in members)
    match node.function:
        case "latest" | "earliest":
            if node.item.absent_no and node.type.is_a == "truth":
                nothing = _absent(node, members, world, her, nothing)
            return _choice(node.function, members, nothing)
        case "known":
            return Told(some, sure, True)
        case "longest_run":
            her.axioms.append(nothing.value >= 0)
        case _:
            pass
    found = _amounts_to(node.function, members, nothing)
    may = True if node.function == "longest_run" else _perhaps_some(members)
    return Told(smt.choose(some, found.value, nothing.value), smt.all_of([found.known, some]), may)


def _absent(node: t.ItemAggregate, members: list[_Member], world: World, her: Participant, nothing: Told) -> Told:
    """No, where nothing was recorded by then and the list is closed; relatives have no lists."""
    if node.person:
        return nothing
    her.lists.add(node.item.absent_no)
    recorded = smt.any_of(smt.all_of([x.slot.used, x.slot.day <= world.when]) for x in members)
    is_no = smt.all_of([smt.negate(recorded), _closed(world)])
    return Told(smt.all_of([smt.negate(is_no), nothing.value]), is_no)


def _closed(world: World) -> Term:
    """Lists are closed on the reference day."""
    return world.when >= 0


# ---------------------------------------------------------------- records


def over_records(node: t.RecordAggregate, world: World, her: Participant, ask: Ask) -> Told:
    """The chosen record's field, or what the records amount to."""
    asked = asked_at(node.at, world, her)
    members = []
    for index, slot in enumerate(records_of(node.kind, her)):
        lineage = _lineage(node, index, her)
        others = {kind: row for kind, row in asked.at_hand.items() if kind not in node.lineage}
        here = replace(asked, at_hand=others | lineage)
        parts = [Told(slot.used), Told(slot.day <= asked.when)]
        parts += [in_window(slot.day, window, asked.when, her) for window in node.windows]
        if node.of:
            parts.append(_is_of(lineage.get(node.of), asked.at_hand.get(node.of)))
        if node.where is not None:
            parts.append(ask(node.where, here))
        take = ask(node.take, here) if node.take is not None else _TRUE
        passes = ask(node.satisfies, here) if node.satisfies is not None else _TRUE
        members.append(_Member(slot, conjunction(parts), take, passes))
    found = _record_answer(node, members, asked, her)
    return of_all(found.value, [found], asked.reached)


def row_of(kind: str, lineage: Sequence[str], index: int, her: Participant) -> dict[str, Row]:
    """A slot by its kind, and those of its ancestors that it may belong to."""
    rows: dict[str, Row] = {kind: ((True, index),)}
    for below, above in pairwise(lineage):
        slots, owners = records_of(below, her), records_of(above, her)
        rows[above] = tuple(
            (smt.any_of(smt.all_of([here, slots[i].parent == j]) for here, i in rows[below]), j)
            for j in range(len(owners))
        )
    return rows


def _lineage(node: t.RecordAggregate, index: int, her: Participant) -> dict[str, Row]:
    return row_of(node.kind, node.lineage or (node.kind,), index, her)


def _is_of(own: Row | None, owner: Row | None) -> Told:
    if own is None or owner is None:
        return Told(smt.fresh("bool"), False)
    return Told(smt.any_of(smt.all_of([x, y]) for x, i in own for y, j in owner if i == j))


def _record_answer(node: t.RecordAggregate, members: list[_Member], world: World, her: Participant) -> Told:
    own = node.take.item if isinstance(node.take, t.FieldOf) else None
    closed, nothing = _closed(world), _nothing(node, own, f"{node.kind}.{own.name}" if own else "", her)
    some = smt.any_of(x.belongs.value for x in members)
    sure = smt.all_of(x.belongs.known for x in members)
    match node.function:
        case "latest" | "earliest":
            return _choice(node.function, members, nothing)
        case "known":
            if not isinstance(node.take, t.FieldOf):
                raise CannotEncode("`known` of something that is computed from a record")
            recorded = smt.any_of(smt.all_of([x.belongs.value, x.take.known]) for x in members)
            return Told(recorded, sure, True)
        case "any":
            shown = smt.any_of(_shown(x) for x in members)
            found = _amounts_to("any", members, nothing)
            return Told(found.value, smt.any_of([shown, smt.all_of([found.known, closed])]), True)
        case "count" | "sum" | "longest_run":
            found = _amounts_to(node.function, members, nothing)
            return Told(found.value, smt.all_of([found.known, closed]), True)
        case _:
            found = _amounts_to(node.function, members, nothing)
            known = smt.all_of([found.known, some, closed])
            return Told(smt.choose(some, found.value, nothing.value), known, _perhaps_some(members))


def _perhaps_some(members: list[_Member]) -> Term:
    """Whether some member may belong: it does, or that is not known."""
    return smt.any_of(smt.any_of([x.belongs.value, smt.negate(x.belongs.known)]) for x in members)


def _nothing(node: t.ItemAggregate | t.RecordAggregate, item: Item | None, limits: str, her: Participant) -> Told:
    """What is asked of nobody: unknown, but of the values that the item or field may have."""
    is_value = not isinstance(node, t.ItemAggregate) or node.take == "value"
    if item is not None and is_value and node.function in ("latest", "earliest", "min", "max"):
        return Told(anything(item, limits, her), False)
    return unknown(node.type, her)


def _shown(x: _Member) -> Term:
    return smt.all_of([x.belongs.known, x.belongs.value, x.passes.known, x.passes.value])


# ---------------------------------------------------------------- choosing, counting


def _choice(function: str, members: list[_Member], nothing: Told) -> Told:
    """The last or the first that belongs; known unless another of its day says something else."""
    ordered = members if function == "latest" else members[::-1]
    found = nothing
    for index, x in enumerate(ordered):
        rivals = [
            smt.all_of([y.belongs.value, y.slot.day == x.slot.day, _differs(y.take.value, x.take.value)])
            for y in ordered[:index]
        ]
        known = smt.all_of([x.take.known, smt.negate(smt.any_of(rivals))])
        found = Told(
            smt.choose(x.belongs.value, x.take.value, found.value),
            smt.choose(x.belongs.value, known, found.known),
            smt.choose(x.belongs.value, x.take.may, found.may),
        )
    none = smt.all_of(smt.negate(x.belongs.value) for x in members)
    sure = smt.all_of(x.belongs.known for x in members)
    certain = smt.any_of([none, *(smt.all_of([x.belongs.value, x.belongs.may]) for x in members)])
    return Told(found.value, smt.all_of([found.known, sure]), smt.all_of([found.may, certain]))


def _differs(one: Term, other: Term) -> Term:
    return smt.negate(smt.same(one, other))


def _amounts_to(function: str, members: list[_Member], nothing: Told) -> Told:
    """What members amount to, where there are some; `nothing` stands in for what none amount to."""
    inside = [x.belongs.value for x in members]
    sure = smt.all_of(x.belongs.known for x in members)
    passing = [smt.all_of([x.belongs.value, x.passes.value]) for x in members]
    tested = smt.all_of([sure, *(smt.implies(x.belongs.value, x.passes.known) for x in members)])
    taken = smt.all_of([sure, *(smt.implies(x.belongs.value, x.take.known) for x in members)])
    values = [x.take.value for x in members]
    match function:
        case "count":
            return Told(_number(passing), tested)
        case "any":
            shown = smt.any_of(_shown(x) for x in members)
            return Told(smt.any_of(passing), smt.any_of([shown, tested]))
        case "every":
            every = smt.all_of(smt.implies(x.belongs.value, x.passes.value) for x in members)
            return Told(every, tested)
        case "share":
            return Told(_over(_number(passing), _number(inside), len(members)), tested)
        case "longest_run":
            return _longest_run(members, tested)
        case "sum":
            return Told(_sum(inside, values), taken)
        case "mean":
            return Told(_over(_sum(inside, values), _number(inside), len(members)), taken)
        case _:
            return Told(_extreme(function, inside, values, nothing.value), taken)


def _number(conditions: list[Term]) -> Term:
    return smt.total([smt.choose(x, smt.constant(1), smt.constant(0)) for x in conditions])


def _sum(inside: list[Term], values: list[Term]) -> Term:
    return smt.total([smt.choose(x, value, smt.constant(0)) for x, value in zip(inside, values, strict=True)])


def _over(amount: Term, number: Term, most: int) -> Term:
    """A quotient by a small whole number, case by case, so that it stays linear."""
    found = smt.real(amount)
    for divisor in range(2, most + 1):
        found = smt.choose(number == divisor, smt.real(amount) / divisor, found)
    return found


def _extreme(function: str, inside: list[Term], values: list[Term], nothing: Term) -> Term:
    best, some = nothing, False
    for x, value in zip(inside, values, strict=True):
        better = value > best if function == "max" else value < best
        best = smt.choose(smt.all_of([x, smt.any_of([smt.negate(some), better])]), value, best)
        some = smt.any_of([some, x])
    return best


def _longest_run(members: list[_Member], tested: Term) -> Told:
    """In date order; known unless members of one day disagree, whose order is undecided."""
    run, longest, disputed = smt.constant(0), smt.constant(0), []
    for index, x in enumerate(members):
        more = smt.choose(x.passes.value, run + 1, smt.constant(0))
        run = smt.choose(x.belongs.value, more, run)
        longest = smt.choose(run > longest, run, longest)
        disputed += [
            smt.all_of(
                [
                    x.belongs.value, y.belongs.value, x.slot.day == y.slot.day,
                    _differs(x.passes.value, y.passes.value),
                ]
            )
            for y in members[:index]
        ]  # fmt: skip
    return Told(longest, smt.all_of([tested, smt.negate(smt.any_of(disputed))]))
