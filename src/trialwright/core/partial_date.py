"""A date as it was told: a year, a month, a day or a minute, with the span of moments it may mean."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

_PATTERN = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2}))?)?)?")
_LAST_MINUTE = timedelta(days=1) - timedelta(minutes=1)


@dataclass(frozen=True, slots=True, order=True)
class PartialDate:
    """A local date or time known to the year, month, day or minute, as the span from `earliest` to `latest`.

    >>> partial_date("2026-02").latest
    datetime.datetime(2026, 2, 28, 23, 59)
    """

    earliest: datetime
    latest: datetime
    text: str

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=65536)
def partial_date(text: str) -> PartialDate:
    """Read `2026`, `2026-03`, `2026-03-09` or `2026-03-09T14:05`; a ValueError says what else was found."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a date like 2026, 2026-03, 2026-03-09 or 2026-03-09T14:05")
    year, month, day, hour, minute = (int(group) if group else None for group in match.groups())
    assert year is not None
    if month is None:
        return PartialDate(datetime(year, 1, 1), datetime(year, 12, 31, 23, 59), text)
    if day is None:
        if not 1 <= month <= 12:
            raise ValueError(f"{text!r} has no month {month}")
        return PartialDate(datetime(year, month, 1), datetime(year, month, _last_day(year, month), 23, 59), text)
    if hour is None:
        start = datetime(year, month, day)
        return PartialDate(start, start + _LAST_MINUTE, text)
    moment = datetime(year, month, day, hour, minute or 0)
    return PartialDate(moment, moment, text)


def on_day(day: date) -> PartialDate:
    """The whole of one day."""
    return partial_date(day.isoformat())


def is_day(when: PartialDate) -> bool:
    """Whether the day is known (the time may be too)."""
    return when.earliest.date() == when.latest.date()


def add_months(day: date, months: int) -> date:
    """The same day some months on, clamped to the end of a shorter month.

    >>> add_months(date(2026, 8, 31), -6)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, _last_day(year, month + 1)))


def _last_day(year: int, month: int) -> int:
    """The number of days of a month."""
    return 29 if month == 2 and calendar.isleap(year) else _LAST_DAYS[month - 1]


_LAST_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def completed_years(born: date, day: date) -> int:
    """Age in completed years; born on 29 February, the birthday in other years is 1 March.

    >>> completed_years(date(2004, 2, 29), date(2025, 2, 28))
    20
    """
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
