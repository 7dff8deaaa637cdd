"""Reading rows: the one query for events, streamed in order, and the heads of streams."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from sys import intern
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, and_, false, func, or_, select

from trialwright.core.finding import Refused, Where, finding
from trialwright.ledger.envelope import Event
from trialwright.ledger.schema import EVENT

#: A row as stored, in the order of the table's columns.
Stored: TypeAlias = tuple[Any, ...]

CHUNK = 1000


#: Columns whose texts are the same in many events: stream, site, type, zone, user, role, protocol, software. Each text
#: is held once, which halves the memory of a large ledger.
_REPEATED = (1, 3, 4, 6, 8, 9, 13, 14)


@dataclass(frozen=True, slots=True)
class Scope:
    """What somebody may see: the events of a site, those of some streams, and without a site those of some types."""

    site: str
    streams: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Search:
    """Which events are looked for; what is empty does not narrow.

    `text` is looked for in who, why, what and about whom, whatever its case; events of `or_types`, and payloads that
    hold one of `or_holds` as a text of its own, count as found too. `since` and `until` are moments in UTC, the second
    one left out.
    """

    text: str = ""
    or_types: frozenset[str] = frozenset()
    or_holds: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    user: str = ""
    role: str = ""
    site: str = ""
    stream: str = ""
    since: str = ""
    until: str = ""
    scope: Scope | None = None


def searching(search: Search) -> Select[Any]:
    """The query for what a search looks for, in no order yet."""
    c = EVENT.c
    wanted: list[ColumnElement[bool]] = []
    for column, value in (
        (c.user, search.user),
        (c.role, search.role),
        (c.site, search.site),
        (c.stream, search.stream),
    ):
        if value:
            wanted.append(column == value)
    if search.types:
        wanted.append(c.type.in_(sorted(search.types)))
    if search.since:
        wanted.append(c.at >= search.since.removesuffix("Z"))
    if search.until:
        wanted.append(c.at < search.until.removesuffix("Z"))
    if search.text:
        quoted = json.dumps(search.text, ensure_ascii=False)[1:-1]  # as a payload holds it
        places = (c.stream, c.user, c.role, c.reason, c.type)
        found = [column.icontains(search.text, autoescape=True) for column in places]
        found += [c.payload.icontains(quoted, autoescape=True), c.type.in_(sorted(search.or_types))]
        found += [c.payload.contains(json.dumps(one, ensure_ascii=False), autoescape=True) for one in search.or_holds]
        wanted.append(or_(*found))
    if search.scope is not None:
        scope = search.scope
        nowhere = and_(c.site == "", c.type.in_(sorted(scope.types)))
        wanted.append(or_(c.site == scope.site, c.stream.in_(sorted(scope.streams)), nowhere, false()))
    return select(EVENT).where(*wanted)


def selection(
    stream: str | None = None, types: Collection[str] | None = None, after: int = 0, upto: int | None = None
) -> Select[Any]:
    """The query for the events of a stream, of some types, between two sequence numbers, in their order."""
    query = select(EVENT).where(EVENT.c.seq > after)
    if upto is not None:
        query = query.where(EVENT.c.seq <= upto)
    if types is not None:
        query = query.where(EVENT.c.type.in_(sorted(types)))
    if stream is None:
        return query.order_by(EVENT.c.seq)
    # within a stream the position grows with the sequence number, and an index holds it
    return query.where(EVENT.c.stream == stream).order_by(EVENT.c.position)


def stored(connection: Connection, query: Select[Any]) -> Iterator[Stored]:
    """The rows of a query, a chunk of them in memory at a time."""
    with connection.execute(query.execution_options(yield_per=CHUNK)) as rows:
        yield from rows


def decoded(row: Stored) -> Event:
    """The event of a row; a payload that is no JSON any more is a refusal."""
    fields = list(row)
    try:
        for column in _REPEATED:
            fields[column] = intern(fields[column])
        fields[15] = json.loads(row[15])
    except (ValueError, TypeError):
        raise Refused(
            finding("ledger_payload_unreadable", Where(path=f"seq {row[0]}"), seq=row[0], stream=row[1])
        ) from None
    return Event(*fields)


def heads(connection: Connection) -> list[tuple[str, int, int, str]]:
    """Stream, sequence number, position and hash of the last event of every stream."""
    last = select(EVENT.c.stream, func.max(EVENT.c.position).label("position")).group_by(EVENT.c.stream)
    head = last.subquery()
    query = select(EVENT.c.stream, EVENT.c.seq, EVENT.c.position, EVENT.c.hash).join(
        head, (EVENT.c.stream == head.c.stream) & (EVENT.c.position == head.c.position)
    )
    return [tuple(row) for row in connection.execute(query)]


# What every page and every save asks, written for the driver, with a question mark for each value.
#: The columns of an event, in the order of its fields.
COLUMNS = ", ".join(f'"{column.name}"' for column in EVENT.columns)
#: The sequence number of the last event, 0 where there is none.
LAST = "SELECT coalesce(max(seq), 0) FROM event"
_STREAM = f"SELECT {COLUMNS} FROM event WHERE stream = ? AND seq > ? AND seq <= ? ORDER BY position"
_SPAN = f"SELECT {COLUMNS} FROM event WHERE seq > ? AND seq <= ? ORDER BY seq"


def at_once(
    stream: str | None, types: Collection[str] | None, after: int, upto: int | None
) -> tuple[str, tuple[Any, ...]] | None:
    """The statement for the events of one stream, or of a short span, and its values; None for what may be many."""
    if types is not None or upto is None:
        return None
    if stream is not None:
        return _STREAM, (stream, after, upto)
    return (_SPAN, (after, upto)) if upto - after <= CHUNK else None


#: Number and time of every event, the last one first.
TIMES = select(EVENT.c.seq, EVENT.c.at).order_by(EVENT.c.seq.desc())
