"""How much of a participant is modelled, and her calendar: days counted from one stated reference day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from trialwright.core.interval import Interval
from trialwright.core.partial_date import add_months, completed_years
from trialwright.language import typed as t
from trialwright.language.solving import smt
from trialwright.language.solving.smt import Term
from trialwright.language.time import shift

_LIFE = 120


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is proved holds up to these: slots of each item and of each kind of record, years back, the day.

    `ranges` are keyed by item, or by `record.field`. `more` gives a kind of record slots of its own number.
    """

    today: date = date(2026, 3, 9)
    observations: int = 2
    records: int = 3
    years: int = 10
    ahead: int = 0  # years after the reference day, for rules that are asked at a later anchor
    seconds: float = 20.0
    ranges: Mapping[str, Interval] = field(default_factory=dict)
    more: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        more = "".join(f", {number} of {kind}" for kind, number in sorted(self.more.items()))
        return (
            f"up to {self.observations} results of each item and {self.records} records of each kind{more}, "
            f"{self.years} years back from {self.today}"
        )


BOUNDS = Bounds()


def day_of(day: date, bounds: Bounds) -> int:
    """A date as days from the reference day."""
    return (day - bounds.today).days


def horizon(bounds: Bounds) -> int:
    """The first day that is modelled."""
    return day_of(add_months(bounds.today, -12 * bounds.years), bounds)


def last_day(bounds: Bounds) -> int:
    """The last day that is modelled: the reference day, unless more is asked for."""
    return day_of(add_months(bounds.today, 12 * bounds.ahead), bounds)


def lifetime(bounds: Bounds) -> int:
    """The first day on which somebody may be born."""
    return day_of(add_months(bounds.today, -12 * _LIFE), bounds)


def edge(base: Term, window: t.Window, sign: int, bounds: Bounds) -> Term:
    """The day on which a window that is counted in days or longer ends; exact from every day of the horizon."""
    if isinstance(base, int):
        moment = datetime.combine(bounds.today + timedelta(days=base), datetime.min.time())
        return day_of(shift(moment, window, sign).date(), bounds)
    if window.calendar in ("days", "weeks"):
        return base + sign * window.amount * (7 if window.calendar == "weeks" else 1)
    months = sign * window.amount * (1 if window.calendar == "months" else 12)
    pieces = []
    for first in _months(horizon(bounds), bounds):
        start, there = day_of(first, bounds), add_months(first, months)
        last = day_of(add_months(there, 1) - timedelta(days=1), bounds)
        moved = base + (day_of(there, bounds) - start)
        pieces.append((start, smt.choose(moved < last, moved, smt.constant(last))))
    return _piecewise(base, pieces)


def years_between(born: Term, when: Term, bounds: Bounds) -> Term:
    """Completed years: exact for every day of birth within a lifetime."""
    if not isinstance(when, int):
        asked = _year_month_day(when, horizon(bounds), bounds)
        return (asked - _year_month_day(born, lifetime(bounds), bounds)) / 10000  # integers: rounds down
    asked = bounds.today + timedelta(days=when)
    pieces = [(lifetime(bounds) - 400, smt.constant(_LIFE + 1))]
    for years in range(_LIFE, -bounds.years - 2, -1):
        day = add_months(asked, -12 * (years + 1)) - timedelta(days=1)
        while completed_years(day, asked) > years:
            day += timedelta(days=1)
        pieces.append((day_of(day, bounds), smt.constant(years)))
    return _piecewise(born, pieces)


def _year_month_day(day: Term, first_day: int, bounds: Bounds) -> Term:
    pieces = []
    for first in _months(first_day, bounds):
        start = day_of(first, bounds)
        pieces.append((start, day + (first.year * 10000 + first.month * 100 + 1 - start)))
    return _piecewise(day, pieces)


def _months(start: int, bounds: Bounds) -> list[date]:
    first = (bounds.today + timedelta(days=start)).replace(day=1)
    count = (bounds.today.year - first.year) * 12 + bounds.today.month - first.month
    return [add_months(first, index) for index in range(count + 12 * bounds.ahead + 14)]


def _piecewise(day: Term, pieces: list[tuple[int, Term]]) -> Term:
    """The term of the last piece that starts at or before the day."""
    if len(pieces) == 1:
        return pieces[0][1]
    middle = len(pieces) // 2
    return smt.choose(day < pieces[middle][0], _piecewise(day, pieces[:middle]), _piecewise(day, pieces[middle:]))
