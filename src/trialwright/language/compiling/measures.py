"""What the members of an aggregate amount to: the columns of its group, and how they are read.

Each function of the language is a handful of counts and ends over the members; `columns` names them, `answer` reads
them after they are joined to the rows that asked, where a row without members has NULL in all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    is_unknown,
    only_if,
    opposite,
    possibly,
    surely,
    unless,
)
from trialwright.language.compiling.moments import Span, latest
from trialwright.language.compiling.needs import Need
from trialwright.language.compiling.quantities import Amount
from trialwright.language.compiling.source import Kinds, Value, full_mask

Columns = dict[str, Column]
TESTS = ("count", "any", "every", "share")
SUMMARIES = ("min", "max", "mean", "sum")


@dataclass(frozen=True, slots=True)
class Members:
    """What is known of each row that may be a member of one aggregate.

    `certain` says that whether it belongs is always decided; `told` that its value is never missing. `by_then` holds
    for the rows of its item that may have been told by the reference time, whatever else is asked.
    """

    table: Table
    mine: Column
    belongs: Column
    certain: bool
    chosen: Column = TRUE
    passes: Column = TRUE
    has: Column = TRUE
    value: Value = TRUE
    told: bool = False
    normal: Amount | None = None
    by_then: Column = FALSE


@dataclass(frozen=True, slots=True)
class Answered:
    """Where the columns of an aggregate are found (in the table of its group), and what they stand for."""

    need: Need
    group: str
    prefix: str
    names: frozenset[str]
    certain: bool
    value: Value  # of the members, for its form: which ends are open, whether it is a point


def columns(need: Need, m: Members) -> Columns:
    """The aggregates of one need over its members."""
    node = need.node
    if need.normal:
        assert isinstance(m.value, Amount)
        assert m.normal is not None
        within = both(opposite(q.less(m.value, _point(m.normal.low))), opposite(q.less(_point(m.normal.high), m.value)))
        chosen = both(m.mine, m.chosen)
        return {
            "n": _count(m, chosen),
            "sure": _count(m, both(chosen, m.belongs)),
            "inside": _count(m, both(chosen, within)),
            "outside": _count(m, both(chosen, opposite(within))),
        }
    function = "latest" if isinstance(node, t.Age) else node.function
    if function in ("latest", "earliest"):
        return _choice(m)
    if function == "known":
        return _known(m, isinstance(node, t.ItemAggregate))
    if function in TESTS:
        return _tests(m)
    return _summary(function, m)


def answer(found: Answered, table: Table, closed: Column, absent_no: Column) -> Value:
    """What the columns say. `closed` says whether the list of records is; `absent_no` whether silence is a no."""
    node = found.need.node
    read = _Read(found, table)
    if found.need.normal:
        sure = both(read.some("n"), read.some("sure"))
        return decided(
            both(sure, read.number("inside") == read.number("n")),
            both(sure, read.number("outside") == read.number("n")),
        )
    if isinstance(node, t.Age):
        return _chosen(read, FALSE)
    items = isinstance(node, t.ItemAggregate)
    match node.function:
        case "latest" | "earliest":
            return _chosen(read, absent_no)
        case "known" if items:
            every = read.number("with") == read.number("n")
            return decided(both(read.sure(), every, read.some("n")), opposite(read.some("with")))
        case "known":
            return decided(read.some("yes"), opposite(read.some("maybe")))
        case "count" | "any" | "every" | "share":
            return _tested(node.function, read, read.some("n") if items else closed, items)
        case "longest_run":
            low = read.number("low")
            high = read.column("high") if items else only_if(closed, ibis.greatest(low, read.number("high")))
            return Amount(low, high)
        case _:
            return _summed(node.function, read, TRUE if items else closed, items)


@dataclass(frozen=True, slots=True)
class _Read:
    """The columns of one group, by their short names."""

    found: Answered
    table: Table

    def has(self, name: str) -> bool:
        return name in self.found.names

    def column(self, name: str) -> Column:
        return self.table[self.found.prefix + name]

    def number(self, name: str) -> Column:
        return self.column(name).coalesce(0)

    def some(self, name: str) -> Column:
        return surely(self.column(name) > 0) if self.has(name) else FALSE

    def sure(self) -> Column:
        """Whether a member surely belongs."""
        return self.some("n") if self.found.certain else self.some("sure")


def _count(m: Members, where: Column) -> Column:
    return m.table.count(where=where)


# ---------------------------------------------------------------- one chosen


def _choice(m: Members) -> Columns:
    chosen = both(m.mine, m.chosen)
    found = {"n": _count(m, chosen)}
    if not m.certain:
        found["sure"] = _count(m, both(chosen, m.belongs))
    if m.has is not TRUE:
        found["without"] = _count(m, both(chosen, opposite(m.has)))
    if m.by_then is not FALSE:
        found["by_then"] = _count(m, both(m.mine, m.by_then))
    return found | _hull(m, chosen) | _undefined(m, chosen)


def _hull(m: Members, where: Column) -> Columns:
    """The smallest value that holds all of them."""
    match m.value:
        case Amount():
            x = m.value
            return _end(m, where, "low", x.low, x.low_open) | _end(m, where, "high", x.high, x.high_open)
        case Kinds():
            return {"mask": m.value.bits.coalesce(full_mask(m.value.order)).bit_or(where=where)}
        case Span():
            missing = m.value.low.isnull() | m.value.high.isnull()
            ends = {"first": m.value.low.min(where=where), "last": latest(m.value).max(where=where)}
            return ends | ({} if m.told else {"undated": _count(m, both(where, missing))})
        case _:
            return {"mask": ibis.cases((m.value, 2), (~m.value, 1), else_=3).bit_or(where=where)}


def _end(m: Members, where: Column, name: str, end: Column | None, is_open: Column) -> Columns:
    """The outermost end, whether it is endless, and the outermost that is included."""
    if end is None:
        return {}

    def outermost(where: Column) -> Column:
        return end.min(where=where) if name == "low" else end.max(where=where)

    found = {name: outermost(where)}
    if not m.told:
        found[f"{name}_endless"] = _count(m, both(where, end.isnull()))
    if is_open is not FALSE:
        found[f"{name}_closed"] = outermost(both(where, opposite(is_open)))
    return found


def _undefined(m: Members, where: Column) -> Columns:
    undefined = m.value.undefined if isinstance(m.value, Amount | Kinds) else FALSE
    if undefined is FALSE:
        return {}
    return {
        "undefined": _count(m, both(where, undefined)),
        "perhaps": _count(m, both(where, is_unknown(undefined))),
    }


def _chosen(read: _Read, absent_no: Column) -> Value:
    like = read.found.value
    sure, without = read.sure(), read.some("without")
    match like:
        case Amount() | Kinds():
            undefined = (
                FALSE if read.found.certain else _unsure(both(read.some("n"), opposite(without), opposite(sure)))
            )
            undefined = either(undefined, _members_undefined(read))
            if isinstance(like, Kinds):
                mask = unless(without, read.column("mask")).coalesce(full_mask(like.order))
                return Kinds(mask, like.order, undefined)
            return replace(_hulled(read, like, without), undefined=undefined)
        case Span():
            known = sure if not read.has("undated") else both(sure, opposite(read.some("undated")))
            known = TRUE if read.found.certain and not read.has("undated") else known
            known = both(known, opposite(without))
            low = only_if(known, read.column("first"))
            return Span(low, only_if(known, read.column("last")))
        case _:
            mask = only_if(both(sure, opposite(without)), read.column("mask"))
            silent = FALSE
            if absent_no is not FALSE:
                silent = both(opposite(read.some("n")), opposite(read.some("by_then")), absent_no)
            return decided(mask == 2, either(mask == 1, silent))


def _unsure(doubtful: Column) -> Column:
    """Unknown where it is in doubt that there is one, else no."""
    return unless(doubtful, FALSE) if doubtful is not FALSE else FALSE


def _members_undefined(read: _Read) -> Column:
    if not read.has("undefined"):
        return FALSE
    return ibis.cases((read.some("undefined"), True), (read.some("perhaps"), UNKNOWN), else_=False)


def _hulled(read: _Read, like: Amount, without: Column) -> Amount:
    low, low_open = _least(read, "low", like.low, like.low_open, without)
    high, high_open = _least(read, "high", like.high, like.high_open, without)
    return Amount(low, high, low_open, high_open, computed=like.computed)


def _least(
    read: _Read, end: str, like: Column | None, is_open: Column, without: Column
) -> tuple[Column | None, Column]:
    if like is None:
        return None, FALSE
    column = read.column(end)
    found = unless(either(without, read.some(f"{end}_endless")), column)
    if is_open is FALSE:
        return found, FALSE
    closed = read.column(f"{end}_closed")
    return found, (closed != column).coalesce(True)


def _point(column: Column) -> Amount:
    return Amount(column, column)


# ---------------------------------------------------------------- known


def _known(m: Members, items: bool) -> Columns:
    if items:
        chosen = both(m.mine, m.chosen)
        found = {"n": _count(m, chosen), "with": _count(m, both(chosen, m.has))}
        return found if m.certain else found | {"sure": _count(m, both(chosen, m.belongs))}
    recorded = _recorded(m.value)
    return {
        "yes": _count(m, both(m.belongs, recorded)),
        "maybe": _count(m, both(possibly(m.belongs), recorded)),
    }


def _recorded(value: Value) -> Column:
    match value:
        case Amount():
            return opposite(q.is_nothing(value))
        case Kinds():
            return (value.bits & (value.bits - 1)) == 0
        case Span():
            return ~value.low.isnull()
        case _:
            return TRUE if value is TRUE or value is FALSE else ~value.isnull()


# ---------------------------------------------------------------- tests


def _tests(m: Members) -> Columns:
    """How many surely belong and surely pass, and so on for each pair of certainties."""
    sure = both(m.mine, m.belongs, m.has)
    perhaps = both(m.mine, is_unknown(m.belongs), m.has)
    fails = opposite(surely(m.passes))
    found = {
        "n": _count(m, both(m.mine, possibly(m.belongs), m.has)),
        "sure_pass": _count(m, both(sure, m.passes)),
    }
    if not m.certain:
        found["sure"] = _count(m, sure)
        found["extra_pass"] = _count(m, both(perhaps, possibly(m.passes)))
        if m.passes is not TRUE:
            found["extra_fail"] = _count(m, both(perhaps, fails))
    if m.passes is not TRUE:
        found["may_pass"] = _count(m, both(sure, possibly(m.passes)))
    return found


def _tested(function: str, read: _Read, closed: Column, items: bool) -> Value:
    n, sure_pass = read.number("n"), read.number("sure_pass")
    may_pass = read.number("may_pass") if read.has("may_pass") else sure_pass
    extra_pass = read.number("extra_pass") if read.has("extra_pass") else 0
    extra_fail = read.number("extra_fail") if read.has("extra_fail") else 0
    sure = n if read.found.certain else read.number("sure")
    possible = may_pass + extra_pass if read.has("extra_pass") else may_pass
    match function:
        case "count":
            low = only_if(closed, sure_pass) if items else sure_pass
            if possible is sure_pass and (items or closed is TRUE):
                return Amount(low, low)
            return Amount(low, only_if(closed, possible))
        case "any":
            return decided(sure_pass > 0, both(closed, possible == 0))
        case "every":
            doubt = (may_pass - sure_pass) + extra_fail
            return decided(both(closed, sure > 0, doubt == 0, may_pass == sure), may_pass < sure)
    settled = both(closed, sure > 0)
    doubles = [x.cast("float64") for x in (sure_pass, sure + extra_fail, possible, sure + extra_pass)]
    low = ibis.cases((settled, doubles[0] / doubles[1].nullif(0)), else_=0.0)
    high = ibis.cases((settled, doubles[2] / doubles[3].nullif(0)), else_=1.0)
    still_open = opposite(closed)
    undefined = ibis.cases((sure > 0, False), (both(closed, n == 0), True)) if not items else only_if(sure > 0, FALSE)
    low_open, high_open = both(still_open, sure_pass > 0), both(still_open, may_pass < sure)
    return Amount(low, high, low_open, high_open, undefined, computed=True)


# ---------------------------------------------------------------- min, max, mean, sum


def _summary(function: str, m: Members) -> Columns:
    assert isinstance(m.value, Amount)
    if function == "min":
        return _summary("max", replace(m, value=q.negate(m.value)))
    sure, possible = both(m.mine, m.belongs, m.has), both(m.mine, possibly(m.belongs), m.has)
    found = {"n": _count(m, possible)}
    if not m.certain:
        found["sure"] = _count(m, sure)
    x, undefined = m.value, m.value.undefined
    if undefined is not FALSE:
        found["bad"] = _count(m, both(possible, opposite(surely(opposite(undefined)))))
    if function in ("sum", "mean"):
        found |= _totals(function, m, x, possible)
    if function == "mean" and not m.certain:
        found |= _hull(m, possible)
    if function == "max":
        found |= _greatest(m, x, sure, possible)
    return found


def _totals(function: str, m: Members, x: Amount, where: Column) -> Columns:
    found: Columns = {}
    for name, end, is_open, side in (("low", x.low, x.low_open, -1), ("high", x.high, x.high_open, 1)):
        if end is None:
            continue
        opens = is_open
        if not m.certain and function == "sum":
            beyond = end < 0 if side < 0 else end > 0
            counts = either(surely(m.belongs), beyond, end.isnull())
            end = ibis.cases((counts, end), else_=0)
            opens = both(opens, counts)
        found[f"total_{name}"] = end.sum(where=where)
        if not m.told:
            found[f"total_{name}_endless"] = _count(m, both(where, end.isnull()))
        if opens is not FALSE:
            found[f"total_{name}_open"] = _count(m, both(where, opens))
    return found


def _greatest(m: Members, x: Amount, sure: Column, possible: Column) -> Columns:
    found: Columns = {}
    if x.high is not None:
        found["high"] = x.high.max(where=possible)
        if not m.told:
            found["high_endless"] = _count(m, both(possible, x.high.isnull()))
        if x.high_open is not FALSE:
            found["high_closed"] = x.high.max(where=both(possible, opposite(x.high_open)))
    if x.low is not None:
        found["low"] = x.low.max(where=sure)
        if x.low_open is not FALSE:
            found["low_opened"] = x.low.max(where=both(sure, x.low_open))
        if not m.certain:
            found["least"] = x.low.min(where=possible)
            if not m.told:
                found["least_endless"] = _count(m, both(possible, x.low.isnull()))
            if x.low_open is not FALSE:
                found["least_opened"] = x.low.min(where=both(possible, x.low_open))
    return found


def _summed(function: str, read: _Read, closed: Column, items: bool) -> Value:
    like = read.found.value
    assert isinstance(like, Amount)
    if function == "min":
        flipped = replace(read.found, value=q.negate(like))
        found = _summed("max", _Read(flipped, read.table), closed, items)
        assert isinstance(found, Amount)
        return q.negate(found)
    good = opposite(read.some("bad"))
    if function == "sum":
        total = _total(read, like)
        filled = both(good, read.some("n") if items else closed)
        low, high = total
        if not items:
            low, high = _or_zero(low, read), _or_zero(high, read)
        low = only_if(filled, low)
        high = low if q.is_point(Amount(*total)) else only_if(filled, high)
        there = both(good, read.some("n")) if items else good
        return replace(_opened(Amount(low, high), read), undefined=_unsure(opposite(there)), computed=like.computed)
    undefined = only_if(both(good, read.sure()), FALSE)
    if function == "mean":
        return replace(_mean(read, like, closed, good), undefined=undefined, computed=True)
    return replace(_maximum(read, like, closed, good), undefined=undefined, computed=like.computed)


def _or_zero(end: Column | None, read: _Read) -> Column | None:
    return None if end is None else ibis.cases((read.some("n"), end), else_=0)


def _total(read: _Read, like: Amount) -> tuple[Column | None, Column | None]:
    def end(name: str, form: Column | None) -> Column | None:
        if form is None:
            return None
        return unless(read.some(f"total_{name}_endless"), read.column(f"total_{name}"))

    low = end("low", like.low)
    if q.is_point(like) and read.found.certain:
        return low, low
    return low, end("high", like.high)


def _opened(x: Amount, read: _Read) -> Amount:
    return replace(x, low_open=read.some("total_low_open"), high_open=read.some("total_high_open"))


def _mean(read: _Read, like: Amount, closed: Column, good: Column) -> Amount:
    settled = closed if read.found.certain else both(closed, read.number("n") == read.number("sure"))
    n = read.column("n").nullif(0).cast("float64")
    total = _opened(Amount(*_total(read, like)), read)

    def end(total_end: Column | None, hull_end: Column | None) -> Column | None:
        mean = None if total_end is None else only_if(both(good, settled), total_end.cast("float64") / n)
        if hull_end is None:
            return mean
        spread = only_if(both(good, closed), hull_end.cast("float64"))
        return spread if mean is None else ibis.cases((settled, mean), else_=spread)

    if read.found.certain:
        low = end(total.low, None)
        high = low if total.low is total.high else end(total.high, None)
        return Amount(low, high, total.low_open, total.high_open)
    hulled = _hulled(read, like, FALSE)
    opens = [
        either(both(settled, one), both(opposite(settled), other))
        for one, other in ((total.low_open, hulled.low_open), (total.high_open, hulled.high_open))
    ]
    return Amount(end(total.low, hulled.low), end(total.high, hulled.high), opens[0], opens[1])


def _maximum(read: _Read, like: Amount, closed: Column, good: Column) -> Amount:
    low: Column | None = None
    low_open, high_open, certain = FALSE, FALSE, read.found.certain
    if like.low is not None:
        low = read.column("low")
        if like.low_open is not FALSE:
            low_open = surely(read.column("low_opened") == low)
        if not certain:
            least = unless(read.some("least_endless"), read.column("least"))
            low = ibis.cases((read.sure(), low), else_=least)
            if like.low_open is not FALSE:
                least_open = surely(read.column("least_opened") == read.column("least"))
                low_open = ibis.cases((read.sure(), low_open), else_=least_open)
        low = only_if(good, low)
    high, high_open = _least(read, "high", like.high, like.high_open, FALSE)
    if certain and q.is_point(like) and not read.has("high_endless") and closed is TRUE:
        return Amount(low, low)
    high = only_if(both(good, closed), high)
    if low_open is not FALSE and high is not None:
        low_open = both(low_open, (low != high).coalesce(True))
    return Amount(low, high, low_open, high_open)
