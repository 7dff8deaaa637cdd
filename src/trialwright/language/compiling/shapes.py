"""What is done to a value whatever it is: kept only under a condition, bound again, held against acceptable ones."""

from __future__ import annotations

from dataclasses import replace

import ibis

from trialwright.language import typed as t
from trialwright.language.compiling import quantities as q
from trialwright.language.compiling.engine import (
    FALSE,
    TRUE,
    Column,
    Table,
    both,
    decided,
    either,
    only_if,
    opposite,
)
from trialwright.language.compiling.moments import Span
from trialwright.language.compiling.quantities import Amount
from trialwright.language.compiling.source import Kinds, Value, full_mask, mask_of


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


def complete(found: Value) -> Value:
    """A category of which nothing is known may be any."""
    if isinstance(found, Kinds):
        return replace(found, bits=found.bits.coalesce(full_mask(found.order)))
    return found


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
            raise AssertionError("the checker lets only amounts and categories be among something")


def same_kind(left: Value, right: Value) -> Column:
    """Whether two categories are the same; each has an order of its own."""
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


def rebound(found: Value, table: Table) -> Value:
    """The same columns, as the table of now has them."""

    def again(column: Column) -> Column:
        return table[column.get_name()] if column.get_name() in table.columns else column

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
