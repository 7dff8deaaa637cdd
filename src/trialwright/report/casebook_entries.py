"""What the casebook prints, entry by entry: what it says now, what it said before, and who entered it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from trialwright.ledger.chain import Checkpoint
from trialwright.ledger.envelope import CORRECTED, VOIDED, Event, Json
from trialwright.ledger.history import corrections, effective
from trialwright.ledger.store import Header
from trialwright.protocol.protocol import Protocol
from trialwright.render.table import Column
from trialwright.report.numbers import words
from trialwright.trial.custody import Unit
from trialwright.trial.office import local_time
from trialwright.trial.schedule import Planned
from trialwright.trial.state import Participant

COLUMNS = (
    Column("what", "What"), Column("value", "Value"), Column("on", "When"), Column("by", "Entered by"),
    Column("seq", "Event", "right"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """What a casebook is made of: her events in the order of recording, and what is known of her on the day."""

    header: Header
    checkpoint: Checkpoint
    protocol: Protocol
    woman: Participant
    visits: Sequence[Planned]
    units: Sequence[Unit]
    events: Sequence[Event]
    day: str


@dataclass(slots=True)
class Entry:
    """One event, what it says now, and every change of it; nothing holds any more where it was taken back."""

    event: Event
    holds: Event | None
    changes: list[Event] = field(default_factory=list)


def observed(payload: Mapping[str, Json]) -> str:
    """What an observation says: its value, its attributes and its reference range, or why it was not done."""
    text = entered(payload.get("value")) or f"not done: {payload.get('not_done', '')}"
    attributes = payload.get("attributes")
    more = [f"{words(name)} {entered(told)}" for name, told in mapping(attributes).items()]
    normal = payload.get("normal")
    if isinstance(normal, list) and len(normal) == 2:
        more.append(f"reference {entered(normal[0])} to {entered(normal[1])}")
    return f"{text} ({', '.join(more)})" if more else text


def now(before: str, after: str | None) -> Markup:
    """What it says now, with what it said at first struck through where that differs."""
    if after is None:
        return Markup('<span class="gone">{}</span> taken back').format(before)
    return Markup("<del>{}</del> {}").format(before, after) if after != before else escape(after)


def entries(events: Iterable[Event]) -> list[Entry]:
    """Every event but corrections, with what it says now and its changes."""
    told = list(events)
    holds, changed = {one.seq: one for one in effective(told)}, corrections(told)
    return [
        Entry(one, holds.get(one.seq), changed.get(one.seq, []))
        for one in told
        if one.type not in (CORRECTED, VOIDED)
    ]  # fmt: skip


def by(case: Case, event: Event) -> str:
    """Who entered an event, in which role, and when."""
    return f"{event.user}, {event.role}, {local(case, event.at)}"


def local(case: Case, at: str) -> str:
    """A moment in UTC as people at the centre read it."""
    return local_time(at, case.protocol.document.zone).strftime("%Y-%m-%d %H:%M")


def when(on: str) -> Markup:
    """A day or a minute as a ledger writes it, on one line."""
    return Markup('<span class="day">{}</span>').format(on.replace("T", " "))


def numbers(events: Iterable[int]) -> str:
    """Numbers of events, in a row."""
    return ", ".join(map(str, events))


def entered(value: object) -> str:
    """A value as it was entered."""
    return str(value.get("entered", "")) if isinstance(value, dict) else ""


def mapping(value: object) -> dict[str, Json]:
    """A part of a payload, empty where there is none."""
    return value if isinstance(value, dict) else {}
