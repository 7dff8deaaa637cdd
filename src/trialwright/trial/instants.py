"""Moments that can be subtracted: a local time with its zone as the UTC instants that it may mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from trialwright.core.partial_date import PartialDate, partial_date


@dataclass(frozen=True, slots=True)
class Instants:
    """The first and last moment in UTC that a told time may mean; an hour that is told twice means both."""

    earliest: datetime
    latest: datetime


def instants(on: str, zone: str) -> Instants:
    """The span of a local time; a ValueError where it is no time, or falls into the hour that summer time leaves out.

    >>> instants("2026-10-25T02:30", "Europe/Berlin").latest.isoformat()
    '2026-10-25T01:30:00+00:00'
    """
    told = partial_date(on)
    place = ZoneInfo(zone)
    if is_minute(told) and _never(told.earliest, place):
        raise ValueError(f"{on} does not exist in {zone}: the clocks were put forward over it")
    try:
        first = told.earliest.replace(tzinfo=place, fold=0).astimezone(UTC)
        last = told.latest.replace(tzinfo=place, fold=1).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{on} lies outside the calendar") from None
    return Instants(first, max(first, last))


def is_minute(when: PartialDate) -> bool:
    """Whether a time is known to the minute."""
    return when.earliest == when.latest


def local_text(moment: datetime, zone: str) -> str:
    """A moment in UTC as people at the place read it, to the minute before it.

    >>> local_text(datetime(2026, 3, 20, 4, 30, tzinfo=UTC), "Asia/Shanghai")
    '2026-03-20T12:30'
    """
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def recorded_at(at: str, zone: str) -> str:
    """When an event was recorded, as people at the place read it, to the minute before it.

    >>> recorded_at("2026-03-20T04:30:59Z", "Asia/Shanghai")
    '2026-03-20T12:30'
    """
    return local_text(datetime.fromisoformat(at), zone)


def _never(local: datetime, place: ZoneInfo) -> bool:
    if local.year in (1, 9999):
        return False
    there = local.replace(tzinfo=place).astimezone(UTC).astimezone(place).replace(tzinfo=None)
    return abs(there - local) >= timedelta(minutes=1)
