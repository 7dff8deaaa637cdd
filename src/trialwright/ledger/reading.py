"""Reading rows: the one query for events, streamed in order, and the heads of streams."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, func, select

from trialwright.core.finding import Refused, Where, finding
from trialwright.ledger.envelope import Event
from trialwright.ledger.schema import EVENT

#: A row as stored, in the order of the table's columns.
Stored: TypeAlias = tuple[Any, ...]

CHUNK = 1000


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


#: The sequence number of the last event, 0 where there is none.
LAST = select(func.coalesce(func.max(EVENT.c.seq), 0))
