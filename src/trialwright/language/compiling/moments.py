"""Dates as spans of columns, and the windows they may lie in.

Dates that are all whole days (the source says so by telling no end) are one column, and every order of two of them is
decided, but for before and after on the same day.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis

from trialwright.language import typed as t
from trialwright.language.compiling.engine import Column, decided
from trialwright.language.compiling.quantities import NUMBER, Amount, compare

_LAST_MINUTE = 24 * 60 - 1


@dataclass(frozen=True, slots=True)
class Span:
    """From the earliest to the latest moment that a date may mean; both NULL where there is none."""

    low: Column
    high: Column
    whole_day: bool = False  # the span of one day, told by its first moment: `high` is the same column


def at_or_before(date: Span, when: Span) -> Column:
    """Whether something happened at or before the reference time; a whole day reaches to its end."""
    if date.whole_day and when.whole_day:
        return date.low <= when.low
    return decided(latest(date) <= latest(when), date.low > latest(when))


def is_after(date: Span, when: Span) -> Column:
    """Whether something surely happened after the reference time."""
    return date.low > (when.low if date.whole_day and when.whole_day else latest(when))


def not_before(date: Span, first_edge: Column, last_edge: Column, certain: bool) -> Column:
    """Whether a date lies at or after an edge."""
    if certain:
        return date.low >= last_edge
    return decided(date.low >= last_edge, latest(date) < first_edge)


def not_after(date: Span, first_edge: Column, last_edge: Column, certain: bool) -> Column:
    """Whether a date lies at or before an edge."""
    if certain:
        return date.low <= first_edge
    return decided(latest(date) <= first_edge, date.low > last_edge)


def strictly_before(x: Span, y: Span) -> Column:
    """Whether x lies before y; on the same day without times it is unknown."""
    return decided(latest(x) < y.low, x.low >= latest(y))


def latest(date: Span) -> Column:
    """The last moment that the date may mean."""
    return date.low.cast("timestamp") + ibis.interval(minutes=_LAST_MINUTE) if date.whole_day else date.high


def shifted(moment: Column, window: t.Window, sign: int) -> Column:
    """The edge of a window: so many calendar units away, at the start of that day before, at its end after."""
    moment = moment.cast("timestamp")
    if window.calendar == "hours":
        return moment + ibis.interval(hours=sign * window.amount)
    unit, amount = window.calendar, sign * window.amount
    # the engine clamps months and years to month ends, as the language does
    day = moment.truncate("D") + (
        ibis.interval(days=amount)
        if unit == "days"
        else ibis.interval(days=7 * amount)
        if unit == "weeks"
        else ibis.interval(months=amount if unit == "months" else 12 * amount)
    )
    return day if sign < 0 else day + ibis.interval(minutes=_LAST_MINUTE)


def compare_days(operator: str, x: Span, y: Span) -> Column:
    """A comparison of two dates, day by day."""
    return compare(operator, _days(x), _days(y))


def days_between(later: Span, earlier: Span) -> Amount:
    """How many days the later date lies after the earlier, as the span of what is possible."""
    one, other = _days(later), _days(earlier)
    low = one.low.delta(other.high, unit="day").cast(NUMBER)
    if one.low is one.high and other.low is other.high:
        return Amount(low, low)
    return Amount(low, one.high.delta(other.low, unit="day").cast(NUMBER))


def completed_years(born: Column, day: Column) -> Column:
    """Age in completed years; born on 29 February, the birthday in other years is 1 March."""
    birthday, today = born.month() * 100 + born.day(), day.month() * 100 + day.day()
    return day.year() - born.year() - ibis.cases((today < birthday, 1), else_=0)


def _days(x: Span) -> Amount:
    low = x.low.date()
    return Amount(low, low if x.high is x.low else x.high.date())
