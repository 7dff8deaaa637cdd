"""Count, any, every, share: how many belong and pass, surely and possibly."""

from __future__ import annotations

import ibis

from trialwright.language.compiling.engine import (
    FALSE,
    TRUE,
    Column,
    both,
    decided,
    is_unknown,
    only_if,
    opposite,
    possibly,
    surely,
)
from trialwright.language.compiling.group import Columns, Members, Read, count
from trialwright.language.compiling.quantities import Amount
from trialwright.language.compiling.source import Value


def test_columns(m: Members) -> Columns:
    """How many surely belong and surely pass, and so on for each pair of certainties."""
    sure = both(m.mine, m.belongs, m.has)
    perhaps = both(m.mine, is_unknown(m.belongs), m.has)
    fails = opposite(surely(m.passes))
    found = {
        "n": count(m, both(m.mine, possibly(m.belongs), m.has)),
        "sure_pass": count(m, both(sure, m.passes)),
    }
    if not m.certain:
        found["sure"] = count(m, sure)
        found["extra_pass"] = count(m, both(perhaps, possibly(m.passes)))
        if m.passes is not TRUE:
            found["extra_fail"] = count(m, both(perhaps, fails))
    if m.passes is not TRUE:
        found["may_pass"] = count(m, both(sure, possibly(m.passes)))
    return found


def tested(function: str, read: Read, closed: Column, items: bool) -> Value:
    """What the counts say of a list that is closed or open; of an item, `closed` is that one surely belongs."""
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
