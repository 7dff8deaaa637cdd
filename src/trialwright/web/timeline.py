"""The time line of a participant: a lane per epoch, windows as bars, visits as marks, today as a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from trialwright.protocol.protocol import Protocol
from trialwright.trial.schedule import Planned, encounter_of
from trialwright.web.summary import visit_label
from trialwright.web.words import written

WIDTH, LEFT, LANE, TOP = 960, 132, 34, 30
_EDGE = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """One visit: its window from x over so many pixels, its day, and how it stands."""

    x: float
    width: float
    day: float
    y: int
    standing: str
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One epoch."""

    label: str
    y: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis, or what was reached on a day."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class TimeLine:
    """Everything that the drawing shows, in pixels."""

    width: int
    height: int
    left: int
    lanes: list[Lane]
    bars: list[Bar]
    ticks: list[Tick]
    today: float | None
    marks: list[tuple[str, str]]


def timeline(
    protocol: Protocol, visits: Sequence[Planned], marks: list[tuple[str, str]], today: date
) -> TimeLine | None:
    """The drawing of a participant's visits; None where nothing can be dated yet."""
    if not visits:
        return None
    schedule = protocol.document.schedule
    present = {schedule.encounters[encounter_of(one.encounter)].epoch for one in visits}
    epochs = [name for name in schedule.epochs if name in present]
    first = min(min(one.earliest for one in visits), min(one.day for one in visits))
    last = max(max(one.latest for one in visits), first + timedelta(days=30))
    days = (last - first).days or 1

    def x(day: date) -> float:
        return round(LEFT + _EDGE + (WIDTH - LEFT - 2 * _EDGE) * (day - first).days / days, 1)

    lanes = [Lane(written(schedule.epochs[name]), TOP + LANE * row) for row, name in enumerate(epochs)]
    bars = []
    for one in visits:
        row = epochs.index(schedule.encounters[encounter_of(one.encounter)].epoch)
        start, end = x(one.earliest), x(one.latest)
        title = f"{visit_label(protocol, one.encounter)}: {_(one.standing)}, {one.earliest} – {one.latest}"
        bars.append(
            Bar(
                start,
                max(end - start, 3),
                x(one.day),
                TOP + LANE * row,
                one.standing.replace(" ", "-"),
                title,
            )
        )
    height = TOP + LANE * len(lanes) + 8
    shown = x(today) if first <= today <= last else None
    return TimeLine(WIDTH, height, LEFT, lanes, bars, list(_ticks(first, last, x)), shown, marks)


def _ticks(first: date, last: date, x: Callable[[date], float]) -> Iterator[Tick]:
    """The first of a month, every so many months that a dozen marks suffice; the year where it begins."""
    months = [date(year, month, 1) for year in range(first.year, last.year + 1) for month in range(1, 13)]
    shown = [day for day in months if first < day <= last]
    every = next(step for step in (1, 2, 3, 6, 12, 24, 1200) if len(shown) <= 12 * step)
    for place, day in enumerate(day for day in shown if (day.month - 1) % min(every, 12) == 0):
        yield Tick(x(day), date_format(day, _("M Y") if place == 0 or day.month == 1 else _("M")))
