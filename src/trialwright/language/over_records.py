"""Choosing and counting among the records of a kind, which know their parents and may be closed or open."""

from __future__ import annotations

from trialwright.core import interval as iv
from trialwright.core.partial_date import PartialDate
from trialwright.core.truth import NO, UNKNOWN, YES, Truth, any_of, truth
from trialwright.language import typed as t
from trialwright.language.counting import counted, over_tests, summary
from trialwright.language.explanation import Explanation, amount_of, answer_of
from trialwright.language.facts import Facts, RecordEntry
from trialwright.language.time import at_or_before
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value
from trialwright.language.world import (
    Ask,
    World,
    asked_at,
    hull,
    in_windows,
    is_closed,
    moment,
    no_value,
    rivals,
)


def over_records(node: t.RecordAggregate, world: World, ask: Ask) -> Explanation:
    """The chosen record's field, or what the records amount to."""
    asked = asked_at(node.at, world)
    if asked is None:
        return Explanation(node, no_value(node.type, f"{node.at[0]}: not reached"))
    name, (members, asides) = node.kind, _members(node, asked, ask)
    closed = is_closed(asked.facts, name, asked.when)
    records = tuple([x for x, _ in members])
    if node.function in ("count", "any", "every", "share", "longest_run"):
        tested = [_tested(node.satisfies, x, node, asked, ask) for x, _ in members]
        asides += [part for _, part in tested if part is not None]
        if node.function == "count":
            passing = [belongs & passes for (_, belongs), (passes, _) in zip(members, tested, strict=True)]
            return Explanation(node, counted(passing, closed, name), records, tuple(asides))
        tests = [(belongs, passes, x.date) for (x, belongs), (passes, _) in zip(members, tested, strict=True)]
        return Explanation(node, over_tests(node.function, tests, closed, name), records, tuple(asides))
    if node.function in ("latest", "earliest"):
        return _choice(node, rivals(members, _date, node.function), records, asides, asked, ask)
    assert node.take is not None
    parts = tuple([ask(node.take, _with(x, node, asked)) for x, _ in members])
    everything = (*parts, *asides)
    if node.function == "known":
        recorded = [belongs for part, (_, belongs) in zip(parts, members, strict=True) if not _is_unknown(part.value)]
        return Explanation(node, Answer(any_of(recorded)), records, everything)
    amounts = [(amount_of(part.value), belongs) for part, (_, belongs) in zip(parts, members, strict=True)]
    return Explanation(node, summary(node.function, amounts, closed, name), records, everything)


def record_field(node: t.FieldOf, world: World, _ask: Ask) -> Explanation:
    """A field of the record at hand, or its date."""
    record = world.at_hand.get(node.kind)
    if node.item is None:
        return Explanation(node, moment(record.date if record else None, f"{node.kind}: no date"))
    if record is None:
        return Explanation(node, no_value(node.type, f"{node.name}: its record is not known"))
    told = record.fields.get(node.item.name)
    if told is None or at_or_before(told.date or record.date, world.when) is NO:
        return Explanation(node, no_value(node.type, f"{node.name}: not recorded"))
    value = told.value if told.value is not None else no_value(node.type, f"{node.name}: {told.why or 'no result'}")
    return Explanation(node, value, (record,))


def _choice(
    node: t.RecordAggregate,
    chosen: list[tuple[RecordEntry, Truth]],
    records: tuple[RecordEntry, ...],
    asides: list[Explanation],
    world: World,
    ask: Ask,
) -> Explanation:
    assert node.take is not None
    take = node.take
    parts = tuple([ask(take, _with(x, node, world)) for x, _ in chosen])
    if not parts:
        return Explanation(node, no_value(node.type, f"{node.kind}: none recorded"), records, tuple(asides))
    sure = YES in [belongs for _, belongs in chosen]
    why = "" if sure else f"{node.kind}: not certain that it belongs"
    value = hull(take.type, [part.value for part in parts], NO if sure else UNKNOWN, why)
    return Explanation(node, value, records, (*parts, *asides))


def _is_unknown(value: Value) -> bool:
    match value:
        case Amount(interval):
            return interval == iv.WHOLE_LINE
        case Kinds(possible):
            return len(possible) != 1
        case Moment(earliest):
            return earliest is None
        case Answer(found):  # pragma: no branch - the last of them
            return found is UNKNOWN


# ---------------------------------------------------------------- members


def _members(
    node: t.RecordAggregate, world: World, ask: Ask
) -> tuple[list[tuple[RecordEntry, Truth]], list[Explanation]]:
    """The records that may belong, each with whether it does, and what was asked of every record considered.

    `world` is already at the reference time.
    """
    members: list[tuple[RecordEntry, Truth]] = []
    asides: list[Explanation] = []
    for x in world.facts.records.get(node.kind, ()):
        belongs = in_windows(x.date, node.windows, world)
        if node.of:
            belongs = belongs & _is_of(x, node, world)
        if node.where is not None and belongs is not NO:
            passes, part = _tested(node.where, x, node, world, ask)
            belongs = belongs & passes
            assert part is not None
            asides.append(part)
        if belongs is not NO:
            members.append((x, belongs))
    return members, asides


def with_ancestors(x: RecordEntry, facts: Facts) -> dict[str, RecordEntry]:
    """A record by its kind, and the records it belongs to by theirs."""
    chain = {x.kind: x}
    by_identity = {y.identity: y for entries in facts.records.values() for y in entries}
    while x.parent in by_identity and by_identity[x.parent].kind not in chain:
        x = by_identity[x.parent]
        chain[x.kind] = x
    return chain


def _is_of(x: RecordEntry, node: t.RecordAggregate, world: World) -> Truth:
    """Whether it belongs to the record at hand; unknown where the link was not recorded."""
    owner, own = world.at_hand.get(node.of), _lineage(x, node.lineage, world.facts).get(node.of)
    return UNKNOWN if owner is None or own is None else truth(own.identity == owner.identity)


def _lineage(x: RecordEntry, kinds: tuple[str, ...], facts: Facts) -> dict[str, RecordEntry]:
    """The record, its parent, its parent's parent, as far as they are recorded."""
    chain = {x.kind: x}
    for kind in kinds[1:]:
        parent = next((y for y in facts.records.get(kind, ()) if y.identity == x.parent), None) if x.parent else None
        if parent is None:
            break
        chain[kind] = x = parent
    return chain


def _with(x: RecordEntry, node: t.RecordAggregate, world: World) -> World:
    at_hand = _lineage(x, node.lineage, world.facts)
    if world.at_hand:
        at_hand |= {kind: y for kind, y in world.at_hand.items() if kind not in node.lineage}
    return World(world.facts, world.when, at_hand)


def _tested(
    condition: t.Typed | None, x: RecordEntry, node: t.RecordAggregate, world: World, ask: Ask
) -> tuple[Truth, Explanation | None]:
    """Whether a record passes a condition, and why; without a condition it does."""
    if condition is None:
        return YES, None
    part = ask(condition, _with(x, node, world))
    return answer_of(part.value).truth, part


def _date(x: RecordEntry) -> PartialDate | None:
    return x.date
