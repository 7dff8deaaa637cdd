"""Calendar windows over dates that may be partial: yes, no, or unknown where the order is undecided."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal

from trialwright.core.interval import Interval
from trialwright.core.partial_date import PartialDate, add_months, is_day
from trialwright.core.truth import NO, UNKNOWN, YES, Truth
from trialwright.language.typed import Window
from trialwright.language.values import Moment

_END = time(23, 59)


def at_or_before(date: PartialDate | None, when: PartialDate) -> Truth:
    """Whether something happened at or before the reference time; a whole day reaches to its end."""
    if date is None:
        return UNKNOWN
    if date.latest <= when.latest:
        return YES
    return NO if date.earliest > when.latest else UNKNOWN


def in_window(date: PartialDate | None, window: Window, when: PartialDate, anchor: PartialDate | None) -> Truth:
    """Whether a date lies in a window, closed at both ends, counted in calendar units from its base.

    The base is the reference time, or an anchor; before and after an anchor exclude the anchor itself. That it is
    not after the reference time is asked of every date, with a window or without.
    """
    base = anchor if window.anchor else when
    if date is None or base is None:
        return UNKNOWN
    answer = YES
    if window.side in ("before", "around"):
        answer = _not_before(date, *_edges(base, window, -1))
    if window.side in ("after", "around"):
        answer = answer & _not_after(date, *_edges(base, window, 1))
    if window.anchor and window.side == "before":
        answer = answer & _strictly_before(date, base)
    if window.anchor and window.side == "after":
        answer = answer & _strictly_before(base, date)
    return answer


def _edges(base: PartialDate, window: Window, sign: int) -> tuple[datetime, datetime]:
    """The first and the last edge that a window may have; one and the same for a known day, unless hours count."""
    first = shift(base.earliest, window, sign)
    if is_day(base) and window.calendar != "hours":
        return first, first
    return first, shift(base.latest, window, sign)


def shift(moment: datetime, window: Window, sign: int) -> datetime:
    """The edge of a window: so many calendar units away, at the start of that day before, at its end after."""
    amount = window.amount * sign
    try:
        match window.calendar:
            case "hours":
                return moment + timedelta(hours=amount)
            case "days":
                day = moment.date() + timedelta(days=amount)
            case "weeks":
                day = moment.date() + timedelta(weeks=amount)
            case "months":
                day = add_months(moment.date(), amount)
            case _:
                day = add_months(moment.date(), 12 * amount)
    except (OverflowError, ValueError):  # beyond the calendar
        return datetime.min if sign < 0 else datetime.max
    return datetime.combine(day, time.min if sign < 0 else _END)


def before_days(x: Moment, y: Moment) -> Interval | None:
    """How many days x lies before y, as the span of what is possible; None where a date is missing."""
    if x.earliest is None or x.latest is None or y.earliest is None or y.latest is None:
        return None
    low = (y.earliest.date() - x.latest.date()).days
    high = (y.latest.date() - x.earliest.date()).days
    return Interval(Decimal(low), Decimal(high))


def _not_before(date: PartialDate, first_edge: datetime, last_edge: datetime) -> Truth:
    if date.earliest >= last_edge:
        return YES
    return NO if date.latest < first_edge else UNKNOWN


def _not_after(date: PartialDate, first_edge: datetime, last_edge: datetime) -> Truth:
    if date.latest <= first_edge:
        return YES
    return NO if date.earliest > last_edge else UNKNOWN


def _strictly_before(x: PartialDate, y: PartialDate) -> Truth:
    if x.latest < y.earliest:
        return YES
    if x.earliest > y.latest or (x.earliest == x.latest == y.earliest == y.latest):
        return NO
    return UNKNOWN if x.earliest < y.latest else NO
