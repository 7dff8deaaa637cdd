"""Calendar windows: their edges, the clamp to the ends of months, and where the calendar ends."""

from __future__ import annotations

from datetime import datetime

import pytest

from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.language.time import in_window, shift
from trialwright.language.typed import Window
from trialwright.language.vocabulary import Duration


@pytest.mark.parametrize(
    ("day", "amount", "calendar", "before", "after"),
    [
        ("2026-08-31T10:00", 6, "months", "2026-02-28 00:00", "2027-02-28 23:59"),
        ("2024-02-29T10:00", 1, "years", "2023-02-28 00:00", "2025-02-28 23:59"),
        ("2026-03-09T10:00", 2, "weeks", "2026-02-23 00:00", "2026-03-23 23:59"),
        ("2026-03-09T10:00", 0, "days", "2026-03-09 00:00", "2026-03-09 23:59"),
        ("2026-03-09T10:00", 30, "hours", "2026-03-08 04:00", "2026-03-10 16:00"),
    ],
)
def test_an_edge_is_the_start_of_a_day_before_and_its_end_after(
    day: str, amount: int, calendar: str, before: str, after: str
) -> None:
    moment, window = partial_date(day).earliest, Window(amount, calendar)
    assert f"{shift(moment, window, -1):%Y-%m-%d %H:%M}" == before
    assert f"{shift(moment, window, 1):%Y-%m-%d %H:%M}" == after


@pytest.mark.parametrize("calendar", ["hours", "days", "weeks", "months", "years"])
def test_a_window_that_reaches_beyond_the_calendar_ends_with_it(calendar: str) -> None:
    window = Window(9_000_000, calendar, "around", "infusion")
    assert shift(datetime(100, 1, 1), window, -1) == datetime.min
    assert shift(datetime(9000, 1, 1), window, 1) == datetime.max
    day = partial_date("1990-01-01")
    assert in_window(day, window, partial_date("2026-03-09"), partial_date("2026-03-01")) is Truth.YES


def test_a_duration_reads_as_it_is_written() -> None:
    assert str(Duration(6, "months")) == "6 months"
