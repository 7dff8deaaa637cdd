"""What the members of an aggregate amount to: the columns of its group, and how they are read.

Each function of the language is a handful of counts and ends over the members; `columns` names them, `answer` reads
them after they are joined to the rows that asked, where a row without members has NULL in all of them.
"""

from __future__ import annotations

import ibis

from trialwright.language import typed as t
from trialwright.language.compiling import quantities as q
from trialwright.language.compiling.chosen import choice_columns, chosen
from trialwright.language.compiling.engine import (
    FALSE,
    TRUE,
    Column,
    Table,
    both,
    decided,
    only_if,
    opposite,
    possibly,
)
from trialwright.language.compiling.group import Answered, Columns, Members, Read, count
from trialwright.language.compiling.moments import Span
from trialwright.language.compiling.needs import Need
from trialwright.language.compiling.quantities import Amount
from trialwright.language.compiling.source import Kinds, Value
from trialwright.language.compiling.summed import summary_columns, summed
from trialwright.language.compiling.tested import test_columns, tested

TESTS = ("count", "any", "every", "share")


def columns(need: Need, m: Members) -> Columns:
    """The aggregates of one need over its members."""
    node = need.node
    if need.normal:
        assert isinstance(m.value, Amount)
        assert m.normal is not None
        within = both(opposite(q.less(m.value, _point(m.normal.low))), opposite(q.less(_point(m.normal.high), m.value)))
        chosen = both(m.mine, m.chosen)
        return {
            "n": count(m, chosen),
            "sure": count(m, both(chosen, m.belongs)),
            "inside": count(m, both(chosen, within)),
            "outside": count(m, both(chosen, opposite(within))),
        }
    function = "latest" if isinstance(node, t.Age) else node.function
    if function in ("latest", "earliest"):
        return choice_columns(m)
    if function == "known":
        return _known(m, isinstance(node, t.ItemAggregate))
    if function in TESTS:
        return test_columns(m)
    return summary_columns(function, m)


def answer(found: Answered, table: Table, closed: Column, absent_no: Column) -> Value:
    """What the columns say. `closed` says whether the list of records is; `absent_no` whether silence is a no."""
    node = found.need.node
    read = Read(found, table)
    if found.need.normal:
        sure = both(read.some("n"), read.some("sure"))
        return decided(
            both(sure, read.number("inside") == read.number("n")),
            both(sure, read.number("outside") == read.number("n")),
        )
    if isinstance(node, t.Age):
        return chosen(read, FALSE)
    items = isinstance(node, t.ItemAggregate)
    match node.function:
        case "latest" | "earliest":
            return chosen(read, absent_no)
        case "known" if items:
            every = read.number("with") == read.number("n")
            return decided(both(read.sure(), every), opposite(read.some("with")))
        case "known":
            return decided(read.some("yes"), opposite(read.some("maybe")))
        case "count" | "any" | "every" | "share":
            return tested(node.function, read, read.sure() if items else closed, items)
        case "longest_run":
            low = read.number("low")
            ends = read.sure() if items else closed
            return Amount(low, only_if(ends, ibis.greatest(low, read.number("high"))))
        case _:
            return summed(node.function, read, TRUE if items else closed, items)


def _known(m: Members, items: bool) -> Columns:
    if items:
        chosen = both(m.mine, m.chosen)
        found = {"n": count(m, chosen), "with": count(m, both(chosen, m.has))}
        return found if m.certain else found | {"sure": count(m, both(chosen, m.belongs))}
    recorded = _recorded(m.value)
    return {
        "yes": count(m, both(m.belongs, recorded)),
        "maybe": count(m, both(possibly(m.belongs), recorded)),
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


def _point(column: Column) -> Amount:
    return Amount(column, column)
