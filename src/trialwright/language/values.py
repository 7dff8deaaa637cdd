"""What is known about a value: numbers as intervals, categories as sets, dates as spans, and truths.

Named tuples, as explanations are: the cheapest frozen values.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from trialwright.core.interval import WHOLE_LINE, Interval, is_point, multiply, plain, point
from trialwright.core.truth import NO, UNKNOWN, YES, Truth


class Amount(NamedTuple):
    """A number in the unit of its expression; `undefined` says whether it may not exist at all (0/0, no member)."""

    interval: Interval
    undefined: Truth = NO
    why: str = ""


class Kinds(NamedTuple):
    """The categories that are possible."""

    possible: frozenset[str]
    undefined: Truth = NO
    why: str = ""


class Moment(NamedTuple):
    """A date as the span of moments that it may mean; None where nothing is known."""

    earliest: datetime | None
    latest: datetime | None
    why: str = ""


class Answer(NamedTuple):
    """A truth, and where it is unknown the reason."""

    truth: Truth
    why: str = ""


Value: TypeAlias = Amount | Kinds | Moment | Answer

UNKNOWN_MOMENT = Moment(None, None)


def unknown_amount(why: str, undefined: Truth = NO) -> Amount:
    """The whole line, with the reason."""
    return Amount(WHOLE_LINE, undefined, why)


def scaled(value: Value, factor: Decimal) -> Value:
    """The value in another unit."""
    if factor == _ONE or not isinstance(value, Amount):
        return value
    return Amount(multiply(value.interval, point(factor)), value.undefined, value.why)


_ONE = Decimal(1)


def show(value: Value, unit: str = "") -> str:
    """The value as a person reads it, with its unit.

    >>> from decimal import Decimal
    >>> from trialwright.core.interval import point
    >>> show(Amount(point(Decimal("5.80"))), "mm")
    '5.8 mm'
    """
    match value:  # the most frequent first
        case Answer(answer, why):
            return f"unknown ({why})" if answer is UNKNOWN and why else answer.value
        case Amount(interval, undefined, why):
            if undefined is YES:
                return f"undefined ({why})" if why else "undefined"
            if interval == WHOLE_LINE:
                return f"unknown ({why})" if why else "unknown"
            text = plain(interval.low) if is_point(interval) else str(interval)
            return f"{text} {unit}" if unit and unit != "1" else text
        case Kinds(possible, _, why):
            if len(possible) == 1:
                return next(iter(possible))
            return f"unknown ({why})" if why else " or ".join(sorted(possible))
        case Moment(earliest, latest, why):  # pragma: no branch - the last of them
            if earliest is None or latest is None:
                return f"unknown ({why})" if why else "unknown"
            if earliest.date() == latest.date():
                return earliest.date().isoformat()
            return f"{earliest.date()} to {latest.date()}"
