"""The envelope: what every event carries, the one way its payload is written, and the hash over all of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from trialwright.core.partial_date import partial_date

#: What a payload may hold: no float ever, a quantity is a decimal string.
Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

CORRECTED = "event.corrected/1"
VOIDED = "event.voided/1"

_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+/[1-9]\d*")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What a decision returns: one thing that happened, `on` a local date or time that may be partial."""

    stream: str
    type: str
    on: str
    payload: Mapping[str, Json]
    site: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if not self.stream:
            raise ValueError("an event belongs to a stream")
        if _TYPE.fullmatch(self.type) is None:
            raise ValueError(f"{self.type!r} is not a type like 'participant.enrolled/1'")
        _without_nul(self.stream, self.site, self.reason)
        partial_date(self.on)
        if self.type in (CORRECTED, VOIDED):
            _check_pointer(self.type, self.payload)


@dataclass(frozen=True, slots=True)
class Submission:
    """Who submits what, and when: `at` in UTC, `zone` the IANA zone of every `on` submitted with it."""

    command: str
    at: str
    user: str
    role: str
    zone: str
    protocol: str
    software: str

    def __post_init__(self) -> None:
        if not self.command:
            raise ValueError("a submission has a command id")
        utc(self.at)
        _without_nul(self.command, self.user, self.role, self.zone, self.protocol, self.software)


def utc(at: str) -> str:
    """The text of a UTC time, or a ValueError."""
    if _AT.fullmatch(at) is None:
        raise ValueError(f"{at!r} is not a UTC time like 2026-03-09T06:05:00Z")
    return at


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the ledger; the fields stand in the order of the table's columns."""

    seq: int
    stream: str
    position: int
    site: str
    type: str
    on: str
    zone: str
    at: str
    user: str
    role: str
    reason: str
    command: str
    part: int
    protocol: str
    software: str
    payload: dict[str, Json]
    previous: str
    hash: str


def canonical(payload: Mapping[str, Json]) -> str:
    """The one text of a payload: keys sorted, no blanks, characters as they are; a TypeError refuses a float.

    >>> canonical({"unit": "µmol/L", "as_entered": "58.0"})
    '{"as_entered":"58.0","unit":"µmol/L"}'
    """
    plain = dict(payload)
    _without_floats(plain)
    return _encode(plain)


def digest(event: Event) -> str:
    """The hash an event must carry: SHA-256 over every other field, its predecessor's hash included."""
    return row_digest(
        (
            event.seq,
            event.stream,
            event.position,
            event.site,
            event.type,
            event.on,
            event.zone,
            event.at,
            event.user,
            event.role,
            event.reason,
            event.command,
            event.part,
            event.protocol,
            event.software,
            canonical(event.payload),
            event.previous,
        )
    )


def row_digest(fields: Sequence[int | str]) -> str:
    """The same hash over a stored row without its last column; a JSON array cannot be read in two ways."""
    return hashlib.sha256(_encode(list(fields)).encode()).hexdigest()


def _without_floats(value: object) -> None:
    if value is None or isinstance(value, (str, int)):
        return
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a payload's keys are texts, not {key!r}")
            _without_floats(part)
    elif isinstance(value, list):
        for part in value:
            _without_floats(part)
    else:
        raise TypeError(f"a payload holds texts, whole numbers, lists and maps, not {value!r}")


def _without_nul(*texts: str) -> None:
    # PostgreSQL's text cannot hold it, so that the two databases would accept different events
    if any("\0" in text for text in texts):
        raise ValueError("an event's texts hold no NUL character")


def _check_pointer(type: str, payload: Mapping[str, Json]) -> None:
    of = payload.get("of")
    if not isinstance(of, int) or isinstance(of, bool):
        raise ValueError(f"{type} names the sequence number of an event in 'of', not {of!r}")
    if type == CORRECTED and not isinstance(payload.get("payload"), dict):
        raise ValueError(f"{type} gives the whole corrected payload")
    on = payload.get("on")
    if on is not None:
        partial_date(on if isinstance(on, str) else "")
