"""Expressions as columns of a table of rows: one row per participant, record or observation at hand.

A frame is a table whose rows know their participant, times, and the records at hand. What its expressions must choose
or count is joined to it first (`members`); the rest is arithmetic on its columns.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import ibis

from trialwright.language import typed as t
from trialwright.language.compiling import measures
from trialwright.language.compiling import quantities as q
from trialwright.language.compiling.engine import (
    FALSE,
    TRUE,
    Column,
    Table,
    both,
    either,
    opposite,
)
from trialwright.language.compiling.group import Answered
from trialwright.language.compiling.moments import Span, compare_days, completed_years, days_between, is_after, latest
from trialwright.language.compiling.needs import Ask, Need, When, need_of, parts
from trialwright.language.compiling.quantities import Amount
from trialwright.language.compiling.shapes import among, complete, guarded, rebound, same_kind
from trialwright.language.compiling.source import Kinds, Value, span, told
from trialwright.language.compiling.times import Times, is_closed, reached


@dataclass(frozen=True, slots=True)
class World:
    """What is at hand: rows with their keys, and the columns that go along into a world inside this one."""

    rows: Table
    keys: tuple[str, ...]
    carried: tuple[str, ...]
    kinds: tuple[str, ...] = ()


@dataclass(slots=True)
class Frame:
    """A table in which every need is met and every computed part is a column."""

    world: World
    table: Table
    times: Times
    answers: Mapping[str, Answered]  # what each need amounts to, by its key
    computed: dict[tuple[int, When], tuple[Value, t.Typed]] = field(default_factory=dict)


#: Work on a value that yields expressions to be made columns of the frame's table, and is sent those.
Work: TypeAlias = Generator[Sequence[Column], list[Column], Value]


def compute(frame: Frame, asks: Iterable[Ask]) -> None:
    """Makes columns of every derivation, product and power, so that no expression is written out twice.

    All of one depth advance together, for each step costs a subquery.
    """
    waiting: dict[int, dict[tuple[int, When], t.Typed]] = {}
    for node, when in asks:
        _depth(node, when, waiting)
    for _, steps in sorted(waiting.items()):
        advance(frame, {key: (node, _work(node, key[1], frame)) for key, node in steps.items()})


def advance(frame: Frame, works: Mapping[tuple[int, When], tuple[t.Typed, Work]]) -> None:
    """Does the works side by side: what all of them want as columns is added at once."""
    running = {key: (work, next(work)) for key, (_, work) in works.items()}
    while running:
        columns = keep(frame, [column for _, wanted in running.values() for column in wanted])
        still: dict[tuple[int, When], tuple[Work, Sequence[Column]]] = {}
        for key, (work, wanted) in running.items():
            mine, columns = columns[: len(wanted)], columns[len(wanted) :]
            try:
                still[key] = work, work.send(mine)
            except StopIteration as done:
                frame.computed[key] = done.value, works[key][0]
        running = still


def parked(found: Value) -> Work:
    """The same value as columns of the frame's table."""
    match found:
        case Amount():
            low, high, *rest = yield [found.low, found.high, found.low_open, found.high_open, found.undefined]
            low_open, high_open, undefined = rest
            high = low if q.is_point(found) else high
            return Amount(low, high, low_open, high_open, undefined, found.computed, found.constant)
        case Kinds():
            bits, undefined = yield [found.bits, found.undefined]
            return Kinds(bits, found.order, undefined)
        case Span():
            low, high = yield [found.low, found.high]
            return Span(low, low if found.high is found.low else high, found.whole_day)
        case _:
            (answer,) = yield [found]
            return answer


def keep(frame: Frame, columns: Sequence[Column]) -> list[Column]:
    """Adds columns to the frame's table, but for constants."""
    names: dict[int, str] = {}
    added: dict[str, Column] = {}
    for column in columns:
        if isinstance(column, ibis.expr.types.Column) and id(column) not in names:
            names[id(column)] = f"c{len(frame.table.columns) + len(added)}_{len(frame.world.keys)}"
            added[names[id(column)]] = column
    if added:
        frame.table = frame.table.mutate(**added)
    return [frame.table[names[id(column)]] if id(column) in names else column for column in columns]


def _depth(node: t.Typed, when: When, waiting: dict[int, dict[tuple[int, When], t.Typed]]) -> int:
    """How many computed parts stand inside one another here; notes each at its depth."""
    if need_of(node, when) is not None:
        return 0
    depth = max((_depth(part, at, waiting) for part, at in parts(node, when)), default=0)
    if isinstance(node, t.Derived | t.Calculation | t.Raised):
        depth += 1
        waiting.setdefault(depth, {})[id(node), when] = node
    return depth


def _work(node: t.Typed, when: When, frame: Frame) -> Work:
    match node:
        case t.Calculation():
            found = yield from _calculation(node, value(node.left, when, frame), value(node.right, when, frame))
        case t.Raised():
            found = yield from _raised(node, amount(node.operand, when, frame))
        case _:
            found = _built(node, when, frame)
    return (yield from parked(found))


def value(node: t.Typed, when: When, frame: Frame) -> Value:
    """What a node amounts to, as columns of the frame's table."""
    known = frame.computed.get((id(node), when))
    return rebound(known[0], frame.table) if known is not None else _built(node, when, frame)


def truth(node: t.Typed, when: When, frame: Frame) -> Column:
    """What a condition answers."""
    return value(node, when, frame)


def amount(node: t.Typed, when: When, frame: Frame) -> Amount:
    """What a number amounts to."""
    found = value(node, when, frame)
    assert isinstance(found, Amount)
    return found


def _built(node: t.Typed, when: When, frame: Frame) -> Value:
    need = need_of(node, when)
    if need is not None:
        return _met(need, node, when, frame)
    match node:
        case t.ConstantAmount():
            return q.constant(node.value)
        case t.ConstantDate():
            day = ibis.literal(node.value, "date").cast("timestamp")
            return Span(day, day)
        case t.Negation():
            return opposite(truth(node.operand, when, frame))
        case t.Junction():
            joined = both if node.operator == "and" else either
            return joined(*(truth(operand, when, frame) for operand in node.operands))
        case t.Comparison():
            return _comparison(node, when, frame)
        case t.IsAmong():
            found = among(value(node.operand, when, frame), node.among)
            return opposite(found) if node.negated else found
        case t.SameKind():
            found = same_kind(value(node.left, when, frame), value(node.right, when, frame))
            return opposite(found) if node.negated else found
        case t.Opposite():
            return q.negate(amount(node.operand, when, frame))
        case t.Derived():
            found = value(node.body, when, frame)
            return q.scaled(found, node.factor) if isinstance(found, Amount) else found
        case t.AskedAt():
            return guarded(reached(node.at, frame.times, frame.table), value(node.operand, node.at[0], frame))
        case t.AnchorDate():
            return frame.times.when(frame.table, node.anchor)
        case t.ObservationDate():
            return span(frame.table, "date_")
        case t.Attribute():
            return complete(told(frame.table, "" if node.itself else f"{node.item.name}_", node.item))
        case t.FieldOf():
            return _field(node, when, frame)
    raise AssertionError(node)


def _field(node: t.FieldOf, when: When, frame: Frame) -> Value:
    if node.item is None:
        return span(frame.table, f"{node.kind}__date_")
    prefix = f"{node.kind}__{node.item.name}_"
    own = f"{prefix}date_earliest" in frame.table.columns
    date = span(frame.table, f"{prefix}date_" if own else f"{node.kind}__date_")
    by_then = opposite(is_after(date, frame.times.when(frame.table, when))).coalesce(True)
    return complete(told(frame.table, prefix, node.item, by_then))


def _met(need: Need, node: t.Typed, when: When, frame: Frame) -> Value:
    found: Value = _answered(need, frame)
    match node:
        case t.Age():
            assert isinstance(found, Span)
            base = frame.times.when(frame.table, node.at[0] if node.at else when)
            return Amount(completed_years(found.high, base.low), completed_years(found.low, latest(base)))
        case t.WithinNormal():
            return opposite(found) if node.outside else found
        case t.ItemAggregate() | t.RecordAggregate():
            return guarded(reached(node.at, frame.times, frame.table), found)
    raise AssertionError(node)


def _answered(need: Need, frame: Frame) -> Value:
    found, node = frame.answers[need.key], need.node
    closed, absent_no = TRUE, FALSE
    if isinstance(node, t.RecordAggregate):
        closed = is_closed("", node.kind, need.when, frame.times, frame.table)
    elif isinstance(node, t.ItemAggregate) and node.item.absent_no:
        absent_no = is_closed(node.person, node.item.absent_no, need.when, frame.times, frame.table)
    return measures.answer(found, frame.table, closed, absent_no)


# ---------------------------------------------------------------- conditions


def _comparison(node: t.Comparison, when: When, frame: Frame) -> Column:
    left, right = value(node.left, when, frame), value(node.right, when, frame)
    if isinstance(left, Span):
        assert isinstance(right, Span)
        return compare_days(node.operator, left, right)
    assert isinstance(left, Amount)
    assert isinstance(right, Amount)
    return q.compare(node.operator, left, q.scaled(right, node.factor))


# ---------------------------------------------------------------- arithmetic


def _calculation(node: t.Calculation, left: Value, right: Value) -> Work:
    if isinstance(left, Span):
        assert isinstance(right, Span)
        return days_between(left, right)
    assert isinstance(left, Amount)
    assert isinstance(right, Amount)
    right = q.scaled(right, node.factor)
    match node.operator:
        case "+":
            return q.add(left, right)
        case "-":
            return q.add(left, q.negate(right))
        case "*":
            return (yield from q.multiply(left, right))
        case "/":  # pragma: no branch - the last of them
            return (yield from q.divide(left, right))


def _raised(node: t.Raised, found: Amount) -> Work:
    base = replace(found, undefined=FALSE)
    result = q.constant(q.ONE)
    for _ in range(abs(node.exponent)):
        result = yield from q.multiply(result, base)
    if node.exponent % 2 == 0 and node.exponent:
        result = q.even(result)
    if node.exponent < 0:
        result = yield from q.divide(q.constant(q.ONE), result)
    return replace(result, undefined=either(found.undefined, result.undefined))
