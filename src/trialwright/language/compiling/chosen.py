"""Latest and earliest: the hull of every member that could be the chosen one."""

from __future__ import annotations

from dataclasses import replace

import ibis

from trialwright.language.compiling.engine import (
    FALSE,
    TRUE,
    UNKNOWN,
    Column,
    any_bit,
    both,
    decided,
    either,
    is_unknown,
    only_if,
    opposite,
    unless,
)
from trialwright.language.compiling.group import Columns, Members, Read, count
from trialwright.language.compiling.moments import Span, latest
from trialwright.language.compiling.quantities import Amount
from trialwright.language.compiling.source import Kinds, Value, full_mask


def choice_columns(m: Members) -> Columns:
    """How many could be the chosen one, and the hull of what they hold."""
    chosen = both(m.mine, m.chosen)
    found = {"n": count(m, chosen)}
    if not m.certain:
        found["sure"] = count(m, both(chosen, m.belongs))
    if m.has is not TRUE:
        found["without"] = count(m, both(chosen, opposite(m.has)))
    if m.by_then is not FALSE:
        found["by_then"] = count(m, both(m.mine, m.by_then))
    return found | hull_columns(m, chosen) | _undefined(m, chosen)


def hull_columns(m: Members, where: Column) -> Columns:
    """The smallest value that holds all of them."""
    match m.value:
        case Amount():
            x = m.value
            return _end(m, where, "low", x.low, x.low_open) | _end(m, where, "high", x.high, x.high_open)
        case Kinds():
            return {"mask": any_bit(m.value.bits.coalesce(full_mask(m.value.order)), where)}
        case Span():
            missing = m.value.low.isnull() | m.value.high.isnull()
            ends = {"first": m.value.low.min(where=where), "last": latest(m.value).max(where=where)}
            return ends | ({} if m.told else {"undated": count(m, both(where, missing))})
        case _:
            return {"mask": any_bit(ibis.cases((m.value, 2), (~m.value, 1), else_=3), where)}


def _end(m: Members, where: Column, name: str, end: Column, is_open: Column) -> Columns:
    """The outermost end, whether it is endless, and the outermost that is included."""

    def farthest(where: Column) -> Column:
        return end.min(where=where) if name == "low" else end.max(where=where)

    found = {name: farthest(where)}
    if not m.told:
        found[f"{name}_endless"] = count(m, both(where, end.isnull()))
    if is_open is not FALSE:
        found[f"{name}_closed"] = farthest(both(where, opposite(is_open)))
    return found


def _undefined(m: Members, where: Column) -> Columns:
    undefined = m.value.undefined if isinstance(m.value, Amount | Kinds) else FALSE
    if undefined is FALSE:
        return {}
    return {
        "undefined": count(m, both(where, undefined)),
        "perhaps": count(m, both(where, is_unknown(undefined))),
    }


def chosen(read: Read, absent_no: Column) -> Value:
    """The hull, where there is a choice at all; perhaps undefined where no member is certain."""
    like = read.found.value
    sure, without = read.sure(), read.some("without")
    match like:
        case Amount() | Kinds():
            undefined = FALSE if read.found.certain else unsure(both(read.some("n"), opposite(without), opposite(sure)))
            undefined = either(undefined, _members_undefined(read))
            if isinstance(like, Kinds):
                mask = unless(without, read.column("mask")).coalesce(full_mask(like.order))
                return Kinds(mask, like.order, undefined)
            return replace(hulled(read, like, without), undefined=undefined)
        case Span():
            known = sure if not read.has("undated") else both(sure, opposite(read.some("undated")))
            known = TRUE if read.found.certain and not read.has("undated") else known
            low = only_if(known, read.column("first"))
            return Span(low, only_if(known, read.column("last")))
        case _:
            mask = only_if(both(sure, opposite(without)), read.column("mask"))
            silent = FALSE
            if absent_no is not FALSE:
                silent = both(opposite(read.some("n")), opposite(read.some("by_then")), absent_no)
            return decided(mask == 2, either(mask == 1, silent))


def unsure(doubtful: Column) -> Column:
    """Unknown where it is in doubt that there is one, else no."""
    return unless(doubtful, FALSE) if doubtful is not FALSE else FALSE


def _members_undefined(read: Read) -> Column:
    if not read.has("undefined"):
        return FALSE
    return ibis.cases((read.some("undefined"), True), (read.some("perhaps"), UNKNOWN), else_=False)


def hulled(read: Read, like: Amount, without: Column) -> Amount:
    """The smallest interval that holds all of them."""
    low, low_open = outermost(read, "low", like.low_open, without)
    high, high_open = outermost(read, "high", like.high_open, without)
    return Amount(low, high, low_open, high_open, computed=like.computed)


def outermost(read: Read, end: str, is_open: Column, without: Column) -> tuple[Column, Column]:
    """One end of the hull: none where something reaches beyond all measure; closed where a member includes it."""
    column = read.column(end)
    found = unless(either(without, read.some(f"{end}_endless")), column)
    if is_open is FALSE:
        return found, FALSE
    closed = read.column(f"{end}_closed")
    return found, (closed != column).coalesce(True)
