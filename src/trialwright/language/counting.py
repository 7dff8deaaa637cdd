"""Counting over partly known members: bounds that hold whatever the unknown turns out to be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from trialwright.core import interval as iv
from trialwright.core.interval import Interval, point
from trialwright.core.partial_date import PartialDate
from trialwright.core.truth import NO, UNKNOWN, YES, Truth, all_of, any_of
from trialwright.language.values import Amount, Answer, Value, unknown_amount


def counted(passing: Sequence[Truth], closed: bool, name: str = "") -> Amount:
    """How many pass, as `[certain, possible]`; an open list has no upper end."""
    low = sum(1 for x in passing if x is YES)
    if not closed:
        return Amount(Interval(Decimal(low), iv.INFINITY), why=f"{name}: the list is still open")
    high = sum(1 for x in passing if x is not NO)
    why = f"{name}: not all of them are fully recorded" if low != high else ""
    return Amount(Interval(Decimal(low), Decimal(high)), why=why)


def over_tests(
    function: str, tests: Sequence[tuple[Truth, Truth, PartialDate | None]], closed: bool, name: str
) -> Value:
    """any, every, share and longest_run over members that each (belongs, passes, happened)."""
    is_open = f"{name}: the list is still open" if not closed else f"{name}: not all of them are fully recorded"
    if function == "any":
        found = any_of(belongs & passes for belongs, passes, _ in tests)
        if not closed:
            found = found | UNKNOWN
        return Answer(found, is_open if found is UNKNOWN else "")
    if function == "every":
        found = all_of(~belongs | passes for belongs, passes, _ in tests)
        certain_member = any(belongs is YES for belongs, _, _ in tests)
        if found is YES and not (closed and certain_member):
            found = UNKNOWN
        return Answer(found, (is_open if tests else f"{name}: none recorded") if found is UNKNOWN else "")
    if function == "share":
        return _share([(belongs, passes) for belongs, passes, _ in tests], closed, name)
    low, high = _longest_run(tests)
    if not closed:
        return Amount(Interval(Decimal(low), iv.INFINITY), why=is_open)
    return Amount(Interval(Decimal(low), Decimal(max(low, high))), why=is_open if low != high else "")


def _share(tests: Sequence[tuple[Truth, Truth]], closed: bool, name: str) -> Amount:
    """The proportion of members that pass, with bounds that some completion of what is unknown attains."""
    sure = sum(1 for belongs, _ in tests if belongs is YES)
    sure_pass = sum(1 for belongs, passes in tests if belongs is YES and passes is YES)
    may_pass = sum(1 for belongs, passes in tests if belongs is YES and passes is not NO)
    extra_fail = sum(1 for belongs, passes in tests if belongs is UNKNOWN and passes is not YES)
    extra_pass = sum(1 for belongs, passes in tests if belongs is UNKNOWN and passes is not NO)
    zero, one = Decimal(0), Decimal(1)
    if not closed:
        undefined = NO if sure else UNKNOWN
        low_open, high_open = sure_pass > 0, may_pass < sure
        return Amount(Interval(zero, one, low_open, high_open), undefined, f"{name}: the list is still open")
    if sure == 0:
        if not any(belongs is UNKNOWN for belongs, _ in tests):
            return Amount(Interval(zero, one), YES, f"{name}: there is none to take a share of")
        return Amount(Interval(zero, one), UNKNOWN, f"{name}: perhaps there is none")
    low = iv.ARITHMETIC.divide(Decimal(sure_pass), Decimal(sure + extra_fail))
    high = iv.ARITHMETIC.divide(Decimal(may_pass + extra_pass), Decimal(sure + extra_pass))
    return Amount(Interval(low, high), why=f"{name}: not all of them are fully recorded" if low != high else "")


def _longest_run(tests: Sequence[tuple[Truth, Truth, PartialDate | None]]) -> tuple[int, int]:
    """The shortest and the longest that the longest run of passing members can be, in date order.

    Members whose order is undecided stand in one cluster: at worst its failures break the run inside it, at
    best its passes stand together at either end of it.
    """
    low = high = run_low = run_high = 0
    for cluster in _clusters(tests):
        certain_passes = sum(1 for b, p in cluster if b is YES and p is YES)
        possible_breaks = sum(1 for b, p in cluster if p is not YES)
        possible_passes = sum(1 for b, p in cluster if p is not NO)
        certain_breaks = sum(1 for b, p in cluster if b is YES and p is NO)
        if possible_breaks:
            low = max(low, run_low, -(-certain_passes // (possible_breaks + 1)))
            run_low = 0
        else:
            run_low += certain_passes
        if certain_breaks:
            high = max(high, run_high + possible_passes)
            run_high = possible_passes
        else:
            run_high += possible_passes
        low, high = max(low, run_low), max(high, run_high)
    return low, high


def _clusters(tests: Sequence[tuple[Truth, Truth, PartialDate | None]]) -> list[list[tuple[Truth, Truth]]]:
    undated = any(date is None for _, _, date in tests)
    ordered = sorted(tests, key=lambda x: x[2].earliest if x[2] else datetime.min)
    clusters: list[list[tuple[Truth, Truth]]] = []
    until: datetime | None = None
    for belongs, passes, date in ordered:
        overlaps = undated or (until is not None and date is not None and date.earliest <= until)
        if overlaps and clusters:
            clusters[-1].append((belongs, passes))
        else:
            clusters.append([(belongs, passes)])
        if date is not None:
            until = max(until, date.latest) if until is not None else date.latest
    return clusters


def summary(function: str, amounts: Sequence[tuple[Amount, Truth]], closed: bool, name: str) -> Amount:
    """min, max, mean and sum over members, each with whether it belongs."""
    if not amounts and function != "sum":
        return unknown_amount(f"{name}: none recorded", UNKNOWN)
    if any(amount.undefined is not NO for amount, _ in amounts):
        return unknown_amount(f"{name}: undefined for some of them", UNKNOWN)
    if function == "sum":
        return _sum(amounts, closed, name)
    sure = [amount.interval for amount, belongs in amounts if belongs is YES]
    possible = [amount.interval for amount, _ in amounts]
    undefined = NO if sure else UNKNOWN
    why = next((amount.why for amount, _ in amounts if amount.why), "") if closed else f"{name}: the list is still open"
    if not closed and (function == "mean" or not sure):  # one that is not recorded yet may be the only one
        return unknown_amount(why, undefined)
    if function == "mean":
        if len(sure) == len(possible):
            total = possible[0]
            for x in possible[1:]:
                total = iv.add(total, x)
            mean = iv.divide(total, point(Decimal(len(possible))))
            assert mean is not None
            return Amount(mean, why=why)
        span = possible[0]
        for x in possible[1:]:
            span = iv.hull(span, x)
        return Amount(span, undefined, why)
    if function == "min":
        flipped = summary("max", [(Amount(iv.negate(a.interval)), b) for a, b in amounts], closed, name)
        return Amount(iv.negate(flipped.interval), flipped.undefined, why)
    # it is above every certain member; where none is certain it may be the least, and then one that includes its end
    low, low_open = max((x.low, x.low_open) for x in sure) if sure else min((x.low, x.low_open) for x in possible)
    if not closed:
        return Amount(Interval(low, iv.INFINITY, low_open), undefined, why)
    high, high_closed = max((x.high, not x.high_open) for x in possible)
    return Amount(Interval(low, high, low_open, not high_closed), undefined, why)


def _sum(amounts: Sequence[tuple[Amount, Truth]], closed: bool, name: str) -> Amount:
    total = point(Decimal(0))
    for amount, belongs in amounts:
        total = iv.add(total, amount.interval if belongs is YES else iv.hull(amount.interval, point(Decimal(0))))
    why = next((amount.why for amount, _ in amounts if amount.why), "")
    if not closed:
        return unknown_amount(f"{name}: the list is still open")
    return Amount(total, why=why)
