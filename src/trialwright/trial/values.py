"""Whether an entered value may lie within limits."""

from __future__ import annotations

from trialwright.core.interval import Interval, contains, is_point
from trialwright.language.values import Amount
from trialwright.protocol.entry import Entered


def within(entered: Entered, limits: Interval) -> bool:
    """Whether a value may lie within limits; what is only known to lie below a detection limit may."""
    if not isinstance(entered.value, Amount):
        return True
    interval = entered.value.interval
    if is_point(interval):
        return contains(limits, interval.low)
    return interval.low <= limits.high and interval.high >= limits.low
