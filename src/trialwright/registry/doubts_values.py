"""Numbers, ages and dates of a record that cannot be, or that cannot be together; the record keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from trialwright.core.finding import Finding, Grade, finding
from trialwright.registry.record import Json, Locate, below
from trialwright.registry.values import in_years, is_date, is_nothing

_P = "/protocolSection"
_ENROLMENT = "designModule/enrollmentInfo/count"
#: More than any interventional trial has enrolled; registries use 99999999 for a number that nobody gave.
_MOST_PEOPLE = 10_000_000
#: Nobody whose age is proven lived longer than 122 years.
_OLDEST = 122
_AGES = {"minimumAge": "minimum age", "maximumAge": "maximum age"}
#: Dates in the order in which they come in every study.
_ORDER = {
    "startDateStruct": "start",
    "primaryCompletionDateStruct": "primary completion",
    "completionDateStruct": "completion",
}


def value_doubts(section: Json, where: Locate) -> Iterator[Finding]:
    """Every number, age and date of a protocol section that cannot be."""
    count = below(section, ("designModule", "enrollmentInfo", "count"))
    if isinstance(count, int | float) and not 0 <= count <= _MOST_PEOPLE:
        why = "no number of participants is below zero" if count < 0 else "no trial has so many participants"
        yield finding(
            "record_value_doubtful", where(f"{_P}/{_ENROLMENT}"), Grade.WARNING, field="enrolment", value=count, why=why
        )
    yield from _ages(section, where)
    yield from _dates(section, where)


def _ages(section: Json, where: Locate) -> Iterator[Finding]:
    years: dict[str, float] = {}
    for key, field in _AGES.items():
        text = below(section, ("eligibilityModule", key))
        if not isinstance(text, str) or is_nothing(text):
            continue
        age = in_years(text)
        if age is not None and age <= _OLDEST:
            years[key] = age
            continue
        why = "nobody reaches that age" if age is not None else "an age is a number with its unit, as in 18 Years"
        place = where(f"{_P}/eligibilityModule/{key}")
        yield finding("record_value_doubtful", place, Grade.WARNING, field=field, value=text[:60], why=why)
    if len(years) == 2 and years["minimumAge"] > years["maximumAge"]:
        low, high = (below(section, ("eligibilityModule", key)) for key in _AGES)
        place = where(f"{_P}/eligibilityModule/minimumAge")
        yield finding("record_ages_reversed", place, Grade.WARNING, low=low, high=high)


def _dates(section: Json, where: Locate) -> Iterator[Finding]:
    """Dates in the wrong order, as far as they are exact enough to tell; a start that was planned."""
    dates = {key: _date(below(section, ("statusModule", key, "date"))) for key in _ORDER}
    known = [key for key, date in dates.items() if date]
    for one, two in combinations(known, 2):
        exact = min(len(dates[one]), len(dates[two]))
        if dates[two][:exact] < dates[one][:exact]:
            yield finding(
                "record_dates_reversed",
                where(f"{_P}/statusModule/{two}/date"),
                Grade.WARNING,
                first=_ORDER[one],
                first_date=dates[one],
                second=_ORDER[two],
                second_date=dates[two],
            )
            return
    start = dates["startDateStruct"]
    updated = _date(below(section, ("statusModule", "lastUpdatePostDateStruct", "date")))
    if start and updated and start > updated and below(section, ("statusModule", "startDateStruct", "type")) is None:
        place = where(f"{_P}/statusModule/startDateStruct/date")
        yield finding("record_start_ahead", place, Grade.NOTE, start=start, updated=updated)


def _date(value: Json) -> str:
    """A date as it stands; empty where it is none, which the reader tells."""
    return value if isinstance(value, str) and is_date(value, partial=True) else ""
