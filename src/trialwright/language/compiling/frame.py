"""Expressions as columns of a table of rows: one row per participant, record or observation at hand.

A frame is a table whose rows know their participant, times, and the records at hand. What its expressions must choose
or count is joined to it first (`members`); the rest is arithmetic on its columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import ibis  # type: ignore[import-untyped]

from trialwright.language import typed as t
from trialwright.language.compiling import quantities as q
from trialwright.language.compiling.engine import (
    FALSE,
    TRUE,
    UNKNOWN,
    Column,
    Table,
    both,
    decided,
    either,
    null,
    only_if,
    opposite,
)
from trialwright.language.compiling.moments import Span, compare_days, completed_years, days_between, is_after, latest
from trialwright.language.compiling.needs import OBSERVATION, Ask, Need, When, need_of, parts
from trialwright.language.compiling.quantities import Amount
from trialwright.language.compiling.source import Kinds, Value, full_mask, mask_of, span, told
from trialwright.language.compiling.times import Times, reached


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
    answers: Mapping[str, Any]  # what each need amounts to (`measures.Answered`), by its key
    computed: dict[tuple[int, When], tuple[Value, t.Typed]] = field(default_factory=dict)


def compute(frame: Frame, asks: Iterable[Ask]) -> None:
    """Makes a column of every derivation, product and power, so that no expression is written out twice."""
    for node, when in asks:
        if need_of(node, when) is not None or (id(node), when) in frame.computed:
            continue
        compute(frame, parts(node, when))
        if isinstance(node, t.Derived | t.Calculation | t.Raised):
            found = park(frame, _built(node, when, frame))
            frame.computed[id(node), when] = found, node


def park(frame: Frame, found: Value) -> Value:
    """The same value with its columns added to the frame's table."""
    columns: dict[str, Column] = {}

    def parked(column: Column) -> Any:
        if column is None or column is TRUE or column is FALSE or column is UNKNOWN:
            return lambda: column
        for name, known in columns.items():
            if known is column:
                return lambda: frame.table[name]
        name = f"c{len(frame.table.columns) + len(columns)}_{len(frame.world.keys)}"
        columns[name] = column
        return lambda: frame.table[name]

    match found:
        case Amount(constant=constant) if constant is not None:
            return found
        case Amount():
            ends = parked(found.low), parked(found.high), parked(found.low_open), parked(found.high_open)
            undefined = parked(found.undefined)
            _add(frame, columns)
            low, high = ends[0](), ends[1]()
            high = low if q.is_point(found) else high
            return Amount(low, high, ends[2](), ends[3](), undefined(), found.computed)
        case Kinds():
            bits, undefined = parked(found.bits), parked(found.undefined)
            _add(frame, columns)
            return Kinds(bits(), found.order, undefined())
        case Span():
            first, last = parked(found.low), parked(found.high)
            _add(frame, columns)
            low = first()
            return Span(low, low if found.high is found.low else last(), found.whole_day)
        case _:
            answer = parked(found)
            _add(frame, columns)
            return answer()


def _add(frame: Frame, columns: dict[str, Column]) -> None:
    if columns:
        frame.table = frame.table.mutate(**columns)


def value(node: t.Typed, when: When, frame: Frame) -> Value:
    """What a node amounts to, as columns of the frame's table."""
    known = frame.computed.get((id(node), when))
    return _rebound(known[0], frame.table) if known is not None else _built(node, when, frame)


def truth(node: t.Typed, when: When, frame: Frame) -> Column:
    """What a condition answers."""
    return value(node, when, frame)


def amount(node: t.Typed, when: When, frame: Frame) -> Amount:
    """What a number amounts to."""
    found = value(node, when, frame)
    assert isinstance(found, Amount)
    return found


def _rebound(found: Value, table: Table) -> Value:
    """The same columns, as the table of now has them."""

    def again(column: Column) -> Column:
        return table[column.get_name()] if column is not None and column.get_name() in table.columns else column

    match found:
        case Amount(constant=None):
            low = again(found.low)
            high = low if q.is_point(found) else again(found.high)
            return replace(
                found, low=low, high=high, low_open=again(found.low_open), high_open=again(found.high_open),
                undefined=again(found.undefined),
            )  # fmt: skip
        case Kinds():
            return Kinds(again(found.bits), found.order, again(found.undefined))
        case Span():
            low = again(found.low)
            return Span(low, low if found.high is found.low else again(found.high), found.whole_day)
        case Amount():
            return found
        case _:
            return again(found)


def _built(node: t.Typed, when: When, frame: Frame) -> Value:
    need = need_of(node, when)
    if need is not None:
        return _met(need, node, when, frame)
    match node:
        case t.ConstantAmount():
            return q.constant(node.value)
        case t.ConstantDate():
            day = ibis.literal(node.value, "date").cast("timestamp")
            return Span(day, day, whole_day=True)
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
            found = _same_kind(value(node.left, when, frame), value(node.right, when, frame))
            return opposite(found) if node.negated else found
        case t.Calculation():
            return _calculation(node, when, frame)
        case t.Opposite():
            return q.negate(amount(node.operand, when, frame))
        case t.Raised():
            return _raised(node, amount(node.operand, when, frame), frame)
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
            return _complete(told(frame.table, "" if node.itself else f"{node.item.name}_", node.item))
        case t.FieldOf():
            return _field(node, when, frame)
    raise AssertionError(node)


def guarded(condition: Column, found: Value) -> Value:
    """The value where the condition holds, else nothing known."""
    if condition is TRUE:
        return found
    match found:
        case Amount():
            low, undefined = only_if(condition, found.low), found.undefined
            if undefined is not FALSE:
                undefined = ibis.cases((condition, undefined), else_=False)
            high = low if q.is_point(found) else only_if(condition, found.high)
            return replace(found, low=low, high=high, undefined=undefined, constant=None)
        case Kinds():
            bits = ibis.cases((condition, found.bits), else_=full_mask(found.order))
            undefined = found.undefined
            if undefined is not FALSE:
                undefined = ibis.cases((condition, undefined), else_=False)
            return Kinds(bits, found.order, undefined)
        case Span():
            low = only_if(condition, found.low)
            high = low if found.high is found.low else only_if(condition, found.high)
            return Span(low, high, found.whole_day)
        case _:
            return only_if(condition, found)


def _complete(found: Value) -> Value:
    """A category of which nothing is known may be any."""
    if isinstance(found, Kinds):
        return replace(found, bits=found.bits.coalesce(full_mask(found.order)))
    return found


def _field(node: t.FieldOf, when: When, frame: Frame) -> Value:
    if node.item is None:
        return span(frame.table, f"{node.kind}__date_")
    prefix = f"{node.kind}__{node.item.name}_"
    own = f"{prefix}date_earliest" in frame.table.columns
    date = span(frame.table, f"{prefix}date_" if own else f"{node.kind}__date_")
    by_then = opposite(is_after(date, frame.times.when(frame.table, when))).coalesce(True)
    return _complete(told(frame.table, prefix, node.item, by_then))


def _met(need: Need, node: t.Typed, when: When, frame: Frame) -> Value:
    found: Value = frame.answers[need.key].value(frame)
    match node:
        case t.Age():
            assert isinstance(found, Span)
            base = frame.times.when(frame.table, node.at[0] if node.at else when)
            youngest = completed_years(found.high, base.low)
            if found.high is found.low and base.whole_day:
                return Amount(youngest, youngest)
            return Amount(youngest, completed_years(found.low, latest(base)))
        case t.WithinNormal():
            return opposite(found) if node.outside else found
        case t.ItemAggregate() | t.RecordAggregate():
            return guarded(reached(node.at, frame.times, frame.table), found)
    raise AssertionError(node)


# ---------------------------------------------------------------- conditions


def among(found: Value, wanted: t.Among) -> Column:
    """Whether a value is among acceptable ones."""
    match found:
        case Kinds():
            mask, full = mask_of(wanted.categories, found.order), full_mask(found.order)
            if mask == full:
                answer = TRUE
            elif mask == 0:
                answer = FALSE
            else:
                answer = decided((found.bits & (full & ~mask)) == 0, (found.bits & mask) == 0)
            return q.defined(found.undefined, answer)
        case Amount():
            if wanted.interval is not None:
                low, high = q.constant(wanted.interval.low), q.constant(wanted.interval.high)
                answer = q.inside(found, low, high)
            else:
                answer = either(*(q.equal(found, q.constant(number)) for number in wanted.numbers))
            return q.defined(found.undefined, answer)
        case _:
            return UNKNOWN


def _same_kind(left: Value, right: Value) -> Column:
    assert isinstance(left, Kinds)
    assert isinstance(right, Kinds)
    shared = [name for name in left.order if name in right.order]
    meet = either(*(both(_may_be(left, name), _may_be(right, name)) for name in shared))
    found = decided(opposite(meet), both(_is_single(left), _is_single(right), meet))
    return q.defined(either(left.undefined, right.undefined), opposite(found))


def _may_be(found: Kinds, name: str) -> Column:
    return (found.bits & (1 << found.order.index(name))) != 0


def _is_single(found: Kinds) -> Column:
    return (found.bits & (found.bits - 1)) == 0


def _comparison(node: t.Comparison, when: When, frame: Frame) -> Column:
    left, right = value(node.left, when, frame), value(node.right, when, frame)
    if isinstance(left, Span):
        assert isinstance(right, Span)
        return compare_days(node.operator, left, right)
    assert isinstance(left, Amount)
    assert isinstance(right, Amount)
    return q.compare(node.operator, left, q.scaled(right, node.factor))


# ---------------------------------------------------------------- arithmetic


def _calculation(node: t.Calculation, when: When, frame: Frame) -> Value:
    left, right = value(node.left, when, frame), value(node.right, when, frame)
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
            return q.multiply(left, right)
        case "/":
            return q.divide(left, right)


def _raised(node: t.Raised, found: Amount, frame: Frame) -> Amount:
    base = replace(found, undefined=FALSE)
    result = q.constant(q.ONE)
    for _ in range(abs(node.exponent)):
        result = _parked_amount(frame, q.multiply(result, base))
    if node.exponent % 2 == 0 and node.exponent:
        result = _parked_amount(frame, q.even(result))
    if node.exponent < 0:
        result = q.divide(q.constant(q.ONE), result)
    return replace(result, undefined=either(found.undefined, result.undefined))


def _parked_amount(frame: Frame, found: Amount) -> Amount:
    kept = park(frame, found)
    assert isinstance(kept, Amount)
    return kept


__all__ = ["OBSERVATION", "Frame", "World", "among", "amount", "compute", "guarded", "null", "park", "truth", "value"]
