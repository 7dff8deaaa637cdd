"""Min, max, mean and sum over members that may belong, with values that are intervals."""

from __future__ import annotations

from dataclasses import replace

import ibis

from trialwright.language.compiling import quantities as q
from trialwright.language.compiling.chosen import hull_columns, hulled, outermost, unsure
from trialwright.language.compiling.engine import (
    FALSE,
    TRUE,
    Column,
    both,
    either,
    only_if,
    opposite,
    possibly,
    surely,
    unless,
)
from trialwright.language.compiling.group import Columns, Members, Read, count
from trialwright.language.compiling.quantities import Amount
from trialwright.language.compiling.source import Value


def summary_columns(function: str, m: Members) -> Columns:
    """Sums, and the ends among members that surely or possibly belong."""
    assert isinstance(m.value, Amount)
    if function == "min":
        return summary_columns("max", replace(m, value=q.negate(m.value)))
    sure, possible = both(m.mine, m.belongs, m.has), both(m.mine, possibly(m.belongs), m.has)
    found = {"n": count(m, possible)}
    if not m.certain:
        found["sure"] = count(m, sure)
    x, undefined = m.value, m.value.undefined
    if undefined is not FALSE:
        found["bad"] = count(m, both(possible, opposite(surely(opposite(undefined)))))
    if function in ("sum", "mean"):
        found |= _totals(function, m, x, possible)
    if function == "mean" and not m.certain:
        found |= hull_columns(m, possible)
    if function == "max":
        found |= _greatest(m, x, sure, possible)
    return found


def _totals(function: str, m: Members, x: Amount, where: Column) -> Columns:
    found: Columns = {}
    for name, end, is_open, side in (("low", x.low, x.low_open, -1), ("high", x.high, x.high_open, 1)):
        opens = is_open
        if not m.certain and function == "sum":
            beyond = end < 0 if side < 0 else end > 0
            counts = either(surely(m.belongs), beyond, end.isnull())
            end = ibis.cases((counts, end), else_=0)
            opens = both(opens, counts)
        found[f"total_{name}"] = end.sum(where=where)
        if not m.told:
            found[f"total_{name}_endless"] = count(m, both(where, end.isnull()))
        if opens is not FALSE:
            found[f"total_{name}_open"] = count(m, both(where, opens))
    return found


def _greatest(m: Members, x: Amount, sure: Column, possible: Column) -> Columns:
    found = {"high": x.high.max(where=possible), "low": x.low.max(where=sure)}
    if not m.told:
        found["high_endless"] = count(m, both(possible, x.high.isnull()))
    if x.high_open is not FALSE:
        found["high_closed"] = x.high.max(where=both(possible, opposite(x.high_open)))
    if x.low_open is not FALSE:
        found["low_opened"] = x.low.max(where=both(sure, x.low_open))
    if not m.certain:
        found["least"] = x.low.min(where=possible)
        if not m.told:
            found["least_endless"] = count(m, both(possible, x.low.isnull()))
        if x.low_open is not FALSE:
            found["least_closed"] = x.low.min(where=both(possible, opposite(x.low_open)))
    return found


def summed(function: str, read: Read, closed: Column, items: bool) -> Value:
    """What the ends and sums say of a list that is closed or open."""
    like = read.found.value
    assert isinstance(like, Amount)
    if function == "min":
        flipped = replace(read.found, value=q.negate(like))
        found = summed("max", Read(flipped, read.table), closed, items)
        assert isinstance(found, Amount)
        return q.negate(found)
    good = opposite(read.some("bad"))
    if function == "sum":
        total = _total(read, like)
        filled = both(good, read.sure() if items else closed)
        low, high = total
        if not items:
            low, high = (ibis.cases((read.some("n"), end), else_=0) for end in total)
        low = only_if(filled, low)
        high = low if q.is_point(Amount(*total)) else only_if(filled, high)
        there = both(good, read.sure()) if items else good
        return replace(_opened(Amount(low, high), read), undefined=unsure(opposite(there)), computed=like.computed)
    undefined = only_if(both(good, read.sure()), FALSE)
    if function == "mean":
        return replace(_mean(read, like, closed, good), undefined=undefined, computed=True)
    return replace(_maximum(read, like, closed, good), undefined=undefined, computed=like.computed)


def _total(read: Read, like: Amount) -> tuple[Column, Column]:
    def end(name: str) -> Column:
        return unless(read.some(f"total_{name}_endless"), read.column(f"total_{name}"))

    low = end("low")
    return low, low if q.is_point(like) and read.found.certain else end("high")


def _opened(x: Amount, read: Read) -> Amount:
    return replace(x, low_open=read.some("total_low_open"), high_open=read.some("total_high_open"))


def _mean(read: Read, like: Amount, closed: Column, good: Column) -> Amount:
    settled = closed if read.found.certain else both(closed, read.number("n") == read.number("sure"))
    n = read.column("n").nullif(0).cast("float64")
    total = _opened(Amount(*_total(read, like)), read)

    def mean(total_end: Column) -> Column:
        return only_if(both(good, settled), total_end.cast("float64") / n)

    def end(total_end: Column, hull_end: Column) -> Column:
        return ibis.cases((settled, mean(total_end)), else_=only_if(both(good, closed), hull_end.cast("float64")))

    if read.found.certain:
        low = mean(total.low)
        return Amount(low, low if q.is_point(total) else mean(total.high), total.low_open, total.high_open)
    spread = hulled(read, like, FALSE)
    opens = [
        either(both(settled, one), both(opposite(settled), other))
        for one, other in ((total.low_open, spread.low_open), (total.high_open, spread.high_open))
    ]
    return Amount(end(total.low, spread.low), end(total.high, spread.high), opens[0], opens[1])


def _maximum(read: Read, like: Amount, closed: Column, good: Column) -> Amount:
    low, low_open, certain = read.column("low"), FALSE, read.found.certain
    if like.low_open is not FALSE:
        low_open = surely(read.column("low_opened") == low)
    if not certain:
        least = only_if(closed, unless(read.some("least_endless"), read.column("least")))
        low = ibis.cases((read.sure(), low), else_=least)
        if like.low_open is not FALSE:
            least_open = (read.column("least_closed") != read.column("least")).coalesce(True)
            low_open = ibis.cases((read.sure(), low_open), else_=least_open)
    low = only_if(good, low)
    high, high_open = outermost(read, "high", like.high_open, FALSE)
    if certain and q.is_point(like) and not read.has("high_endless") and closed is TRUE:
        return Amount(low, low)
    high = only_if(both(good, closed), high)
    return Amount(low, high, low_open, high_open)
