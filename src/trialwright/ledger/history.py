"""Reading the past: what was known when, what holds after corrections, and in which order it happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter

from trialwright.core.partial_date import partial_date
from trialwright.ledger.envelope import CORRECTED, VOIDED, Event, utc

_by_seq = attrgetter("seq")


def known(events: Iterable[Event], upto: int | str | None) -> list[Event]:
    """What had been recorded by a sequence number, a UTC time, or the end of a UTC day, month or year.

    `upto` is 17, `"2026-03-09T06:05:00Z"`, `"2026-03-09"` or `"2026-03"`, itself included; None means now.
    """
    if upto is None:
        return list(events)
    if isinstance(upto, int):
        return [event for event in events if event.seq <= upto]
    last = _end(upto)
    return [event for event in events if _instant(event.at) <= last]


def last_by(recorded: Iterable[tuple[int, str]], upto: str) -> int:
    """The last event recorded by a UTC time, or the end of a UTC day, month or year; 0 where there was none.

    `recorded` are numbers and times, the last event first.
    """
    last = _end(upto)
    return next((seq for seq, at in recorded if _instant(at) <= last), 0)


def _end(upto: str) -> str:
    return _instant(utc(upto)) if upto.endswith("Z") else f"{partial_date(upto)}~"  # after all that begin so


def _instant(at: str) -> str:
    # texts of one width compare like the times they mean: "…:00Z" and "…:00.000Z" are one moment
    whole, _, fraction = at.removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<6}"


def effective(events: Iterable[Event]) -> list[Event]:
    """What holds once corrections and voids are resolved, by sequence number; neither kind appears itself.

    The last correction of an event replaces its payload, and its `on` if it gives one; a voided event
    disappears. Both reach only earlier events of their own stream, and may be voided or corrected in turn:
    read backwards, everything that can change an event has been read before it.
    """
    told = sorted(events, key=_by_seq, reverse=True)
    if all(event.type not in (CORRECTED, VOIDED) for event in told):
        return told[::-1]
    voided: set[tuple[str, int]] = set()
    corrected: dict[tuple[str, int], Event] = {}
    result: list[Event] = []
    for event in told:
        here = (event.stream, event.seq)
        if here in voided:
            continue
        if here in corrected:
            event = _with(event, corrected[here])
        if event.type == VOIDED:
            voided.add(_target(event))
        elif event.type == CORRECTED:
            corrected.setdefault(_target(event), event)
        else:
            result.append(event)
    result.reverse()
    return result


def _with(event: Event, correction: Event) -> Event:
    payload, on = correction.payload.get("payload"), correction.payload.get("on")
    return replace(
        event,
        payload=payload if isinstance(payload, dict) else event.payload,
        on=on if isinstance(on, str) else event.on,
    )


def _target(event: Event) -> tuple[str, int]:
    of = event.payload.get("of")
    return event.stream, of if isinstance(of, int) else 0


def corrections(events: Iterable[Event]) -> dict[int, list[Event]]:
    """The corrections and voids that point at each sequence number, as recorded, voided ones too."""
    seen: set[tuple[str, int]] = set()
    result: dict[int, list[Event]] = {}
    for event in sorted(events, key=_by_seq):
        if event.type in (CORRECTED, VOIDED) and (target := _target(event)) in seen:
            result.setdefault(target[1], []).append(event)
        seen.add((event.stream, event.seq))
    return result


def ordered(events: Iterable[Event]) -> list[Event]:
    """In the order of happening: earliest possible local `on`, then sequence number.

    The zone is not consulted, so that no update of a time-zone database can reorder the past.
    """
    return sorted(events, key=lambda event: (partial_date(event.on).earliest, event.seq))
