"""What the laboratory has to do at a site: checks by their hour, retrievals to begin, and those that are done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from weakref import WeakKeyDictionary

from trialwright.protocol.protocol import Protocol
from trialwright.trial import events as e
from trialwright.trial.schedule import Planned, encounter_of
from trialwright.trial.state import Participant
from trialwright.views.laboratory import Bench, Due, benches, dues, laboratory_kinds, under_way
from trialwright.web.desk import Desk


@dataclass(frozen=True, slots=True)
class Task:
    """One check of one bench, and how it stands."""

    bench: Bench
    due: Due


@dataclass(frozen=True, slots=True)
class Begin:
    """A retrieval that is due and has no row yet."""

    bench: Bench
    visit: Planned


@dataclass(slots=True)
class Board:
    """The work of one site."""

    tasks: list[Task] = field(default_factory=list)
    begins: list[Begin] = field(default_factory=list)
    finished: list[Bench] = field(default_factory=list)


@dataclass(slots=True)
class _Seen:
    """Whoever has something in the laboratory; whose checks are all read, she is not folded again till she changes."""

    last: int = 0
    women: dict[str, tuple[Bench, ...] | None] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)


_SEEN: WeakKeyDictionary[Desk, _Seen] = WeakKeyDictionary()


def board(desk: Desk, site: str) -> Board:
    """The work of a site, or of every site: checks by their hour, the late ones first."""
    seen, made, now = _SEEN.setdefault(desk, _Seen()), Board(), desk.local()
    with seen.lock:
        _catch_up(desk, seen)
        for identity, at in desk.trial().sites.items():
            if identity not in seen.women or (site and at != site):
                continue
            finished = seen.women[identity]
            if finished is None:
                finished = _look(desk, identity, made, now)
                seen.women[identity] = finished
            made.finished += finished or ()
    made.tasks.sort(key=lambda one: (one.due.first or datetime.min, one.bench.participant, one.due.check))
    made.begins.sort(key=lambda one: (one.visit.day, one.bench.participant))
    made.finished.sort(key=lambda one: max(row.added for row in one.rows), reverse=True)
    return made


def _look(desk: Desk, identity: str, made: Board, now: datetime) -> tuple[Bench, ...] | None:
    """Put a woman's work on the board; her benches, where nothing of hers can come due by itself any more."""
    woman = desk.participant(identity)
    if woman is None:
        return ()
    protocol, quiet, finished = desk.protocol(woman.site), True, []
    visits = list(_begins(protocol, desk, woman))
    left = bool(woman.withdrawn or woman.screening_ended)
    for bench in benches(protocol, woman, now):
        if not bench.rows:
            quiet = left and quiet
            made.begins += [Begin(bench, visit) for kind, visit in visits if (kind, visit.record) == _key(bench)]
            continue
        found = dues(protocol, bench, now)
        if under_way(found) and not left:
            quiet = False
            made.tasks += [Task(bench, due) for due in found if due.standing != "not asked"]
        else:
            finished.append(bench)
    if not quiet:
        made.finished += finished
    return tuple(finished) if quiet else None


def _key(bench: Bench) -> tuple[str, str]:
    return bench.kind, bench.parent


def _begins(protocol: Protocol, desk: Desk, woman: Participant) -> Iterator[tuple[str, Planned]]:
    """The visits of hers that add a kind of the laboratory, and are due or late."""
    schedule, kinds = protocol.document.schedule, laboratory_kinds(protocol)
    for visit in desk.visits(woman):
        if visit.standing in ("due", "late"):
            for activity in schedule.encounters[encounter_of(visit.encounter)].does:
                for kind in schedule.activities[activity].adds:
                    if kind in kinds:
                        yield kind, visit


def _catch_up(desk: Desk, seen: _Seen) -> None:
    """Remember who has records of the laboratory, or of what they belong to; forget what has changed since."""
    last = desk.ledger.last()
    protocol = desk.protocol()
    kinds = set(laboratory_kinds(protocol))
    kinds |= {protocol.vocabulary.records[kind].parent for kind in kinds}
    types = None if seen.last else (e.RECORD_ADDED, e.PERFORMED)
    for event in desk.ledger.events(types=types, after=seen.last, upto=last):
        identity = event.stream.removeprefix("participant/")
        if identity in seen.women or event.payload.get("kind") in kinds:
            seen.women[identity] = None
    seen.last = last
