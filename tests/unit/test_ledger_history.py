"""What was known when, what holds after corrections, and in which order it happened."""

from __future__ import annotations

from typing import Any

import pytest

from trialwright.ledger.envelope import Event
from trialwright.ledger.history import corrections, effective, known, last_by, ordered


def event(seq: int, type: str, payload: dict[str, Any], on: str = "2026-03-09", stream: str = "P") -> Event:
    at = f"2026-03-{seq:02}T12:00:00Z"
    return Event(seq, stream, seq, "", type, on, "UTC", at, "", "", "", f"c{seq}", 1, "", "", payload, "", "")


def lab(seq: int, value: str, on: str = "2026-03-09", stream: str = "P") -> Event:
    return event(seq, "lab.reported/1", {"value": value}, on, stream)


def corrected(seq: int, of: int, value: str, stream: str = "P", **more: str) -> Event:
    payload = {"of": of, "payload": {"value": value}, **more}
    return event(seq, "event.corrected/1", payload, stream=stream)


def voided(seq: int, of: int, stream: str = "P") -> Event:
    return event(seq, "event.voided/1", {"of": of}, stream=stream)


@pytest.mark.parametrize(
    ("events", "holds"),
    [
        ([lab(1, "58")], "1=58"),
        ([lab(1, "58"), corrected(2, 1, "85")], "1=85"),
        ([lab(1, "58"), corrected(2, 1, "85"), corrected(3, 1, "86")], "1=86"),
        ([lab(1, "58"), voided(2, 1)], ""),
        ([lab(1, "58"), corrected(2, 1, "85"), voided(3, 1)], ""),
        ([lab(1, "58"), voided(2, 1), corrected(3, 1, "85")], ""),
        ([lab(1, "58"), voided(2, 1), voided(3, 2)], "1=58"),
        ([lab(1, "58"), voided(2, 1), voided(3, 2), voided(4, 3)], ""),
        ([lab(1, "58"), voided(2, 1), voided(3, 1), voided(4, 2)], ""),
        ([lab(1, "58"), corrected(2, 1, "85"), voided(3, 2)], "1=58"),
        ([lab(1, "58"), corrected(2, 1, "85"), corrected(3, 1, "86"), voided(4, 3)], "1=85"),
        ([lab(1, "58"), corrected(2, 1, "85"), voided(3, 2), voided(4, 3)], "1=85"),
        ([lab(1, "58"), corrected(2, 7, "85"), voided(3, 8)], "1=58"),
        ([lab(1, "58"), corrected(2, 1, "85", "Q"), voided(3, 1, "Q")], "1=58"),
        ([voided(1, 2), lab(2, "58")], "2=58"),
        ([corrected(1, 2, "85"), lab(2, "58")], "2=58"),
        ([lab(1, "58"), voided(2, 2)], "1=58"),
        ([lab(1, "58"), lab(2, "60"), corrected(3, 2, "61")], "1=58 2=61"),
        ([lab(1, "58"), event(2, "event.corrected/1", {}), event(3, "event.voided/1", {})], "1=58"),
    ],
)
def test_corrections_and_voids_are_resolved(events: list[Event], holds: str) -> None:
    for arrival in (events, events[::-1]):
        assert " ".join(f"{e.seq}={e.payload['value']}" for e in effective(arrival)) == holds


def test_a_correction_may_itself_be_corrected() -> None:
    again = event(3, "event.corrected/1", {"of": 2, "payload": {"of": 1, "payload": {"value": "86"}}})
    (result,) = effective([lab(1, "58"), corrected(2, 1, "85"), again])
    assert result.payload == {"value": "86"}


def test_a_correction_keeps_everything_but_the_payload_and_the_date_it_gives() -> None:
    first, second = lab(1, "58", "2026-03"), lab(2, "58", "2026-03")
    events = [first, second, corrected(3, 1, "85"), corrected(4, 2, "85", on="2026-03-02")]
    assert [(e.seq, e.on, e.at, e.command) for e in effective(events)] == [
        (1, "2026-03", first.at, "c1"),
        (2, "2026-03-02", second.at, "c2"),
    ]


def test_the_corrections_of_an_event_are_listed_as_recorded() -> None:
    events = [lab(1, "58"), corrected(2, 1, "85"), voided(3, 2), voided(4, 1, "Q"), corrected(5, 1, "86")]
    assert {of: [e.seq for e in found] for of, found in corrections(events).items()} == {1: [2, 5], 2: [3]}


@pytest.mark.parametrize(
    ("upto", "count"),
    [
        (None, 4),
        (0, 0),
        (3, 3),
        (9, 4),
        ("2026-03-02T12:00:00Z", 2),
        ("2026-03-02T12:00:00.000Z", 2),
        ("2026-03-02T11:59:59.999999Z", 1),
        ("2026-03-02T12:00:00.5Z", 2),
        ("2026-03-02", 2),
        ("2026-03-01", 1),
        ("2026-02", 0),
        ("2026-03", 4),
        ("2026", 4),
        ("2026-03-02T11:59", 1),
        ("2026-03-02T12:00", 2),
    ],
)
def test_what_was_known_by_a_number_or_a_time(upto: int | str | None, count: int) -> None:
    assert len(known([lab(seq, "58") for seq in (1, 2, 3, 4)], upto)) == count


@pytest.mark.parametrize("upto", ["yesterday", "2026-03-02T12:00:00+08:00", "2026-3-2Z"])
def test_an_unreadable_time_is_an_error(upto: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        known([], upto)


def test_events_are_ordered_by_the_earliest_moment_they_may_have_happened() -> None:
    dates = ["2026-03-09T14:05", "2026-03-09", "2026-03", "2026-03-01", "2026", "2026-03-09T00:00"]
    events = [lab(seq, "58", on) for seq, on in enumerate(dates, 1)]
    assert [(e.seq, e.on) for e in ordered(events)] == [
        (5, "2026"),
        (3, "2026-03"),
        (4, "2026-03-01"),
        (2, "2026-03-09"),
        (6, "2026-03-09T00:00"),
        (1, "2026-03-09T14:05"),
    ]


@pytest.mark.parametrize(
    ("upto", "last"),
    [("2026-03-09", 3), ("2026-03-09T08:00:00Z", 2), ("2026-03-08", 0), ("2026-03", 4), ("2027", 4)],
)
def test_the_last_event_recorded_by_a_time_is_the_one_with_the_greatest_number(upto: str, last: int) -> None:
    recorded = [
        (4, "2026-03-10T00:00:00Z"), (3, "2026-03-09T23:59:59Z"), (2, "2026-03-09T07:00:00.5Z"),
        (1, "2026-03-09T07:30:00Z"),
    ]  # fmt: skip
    assert last_by(recorded, upto) == last
