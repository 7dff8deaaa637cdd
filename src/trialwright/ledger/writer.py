"""Appending: each event gets its number, its place in its stream and its hash, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from trialwright.ledger import database
from trialwright.ledger.envelope import Event, NewEvent, Submission, canonical, row_digest
from trialwright.ledger.reading import CHUNK, COLUMNS, LAST, Stored, at_once, decoded, selection, stored
from trialwright.ledger.schema import BLOB, EVENT

# The statements that every append runs, written for the driver: compiled ones cost more than the hash.
_OUTCOMES = f"SELECT {COLUMNS} FROM event WHERE command IN ({{}}) ORDER BY seq"
_HEAD = "SELECT position, hash FROM event WHERE stream = ? ORDER BY position DESC LIMIT 1"
_APPEND = f"INSERT INTO event ({COLUMNS}) VALUES ({', '.join('?' for _ in EVENT.columns)})"


class Writer:
    """One writing transaction: it reads what it appended, and holds the ledger's only write lock."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._driver = database.driver(connection)
        self._last: int = self._ask(LAST)[0][0]
        self.began = self._last  # the sequence number of the last event before this transaction
        self._heads: dict[str, tuple[int, str]] = {}
        self._rows: list[Stored] = []
        self._unflushed: set[str] = set()
        self._unknown: set[str] = set()  # commands looked up in vain: under the lock nobody else can add them

    @property
    def open(self) -> bool:
        """Whether the transaction has not ended yet."""
        return not self._connection.closed

    @property
    def last(self) -> int:
        """The sequence number of the last event, those of this transaction included."""
        return self._last

    def events(
        self,
        stream: str | None = None,
        types: Collection[str] | None = None,
        after: int = 0,
        upto: int | None = None,
    ) -> Iterator[Event]:
        """The events of the ledger in order of sequence number, those of this transaction included."""
        self.flush()
        last = self._last if upto is None else min(upto, self._last)
        plain = at_once(stream, types, after, last)
        if plain is not None:
            return map(decoded, self._ask(*plain))
        return map(decoded, stored(self._connection, selection(stream, types, after, last)))

    def outcome(self, command: str) -> list[Event]:
        """The events that an earlier submission of this command appended; empty where there was none."""
        if command in self._unknown:
            return []
        return self.outcomes([command])

    def outcomes(self, commands: Sequence[str]) -> list[Event]:
        """The same for several commands at once: what any of them appended, in the order of recording."""
        if not commands:
            return []
        if not self._unflushed.isdisjoint(commands):
            self.flush()
        found = [decoded(row) for row in self._ask(_OUTCOMES.format(", ".join("?" * len(commands))), commands)]
        self._unknown |= set(commands) - {event.command for event in found}
        return found

    def append(self, submission: Submission, new: Sequence[NewEvent]) -> list[Event]:
        """Append the events of a submission, or return its first outcome where the command is known."""
        if first := self.outcome(submission.command):
            return first
        heads: dict[str, tuple[int, str]] = {}
        rows: list[Stored] = []
        for part, event in enumerate(new, 1):
            position, previous = heads.get(event.stream) or self._head(event.stream)
            fields = (
                self._last + part,
                event.stream,
                position + 1,
                event.site,
                event.type,
                event.on,
                submission.zone,
                submission.at,
                submission.user,
                submission.role,
                event.reason,
                submission.command,
                part,
                submission.protocol,
                submission.software,
                canonical(event.payload),
                previous,
            )
            own = row_digest(fields)
            heads[event.stream] = (position + 1, own)
            rows.append((*fields, own))
        # nothing is taken over before every event of the submission is sound
        self._last += len(rows)
        self._heads.update(heads)
        self._rows += rows
        if rows:
            self._unflushed.add(submission.command)
            self._unknown.discard(submission.command)
        if len(self._rows) >= CHUNK:
            self.flush()
        return [decoded(row) for row in rows]

    def keep(self, content: bytes) -> str:
        """Keep an attachment under the SHA-256 digest of its content; kept twice, it is there once."""
        digest = hashlib.sha256(content).hexdigest()
        known = select(BLOB.c.digest).where(BLOB.c.digest == digest)
        if self._connection.scalar(known) is None:
            self._connection.execute(insert(BLOB).values(digest=digest, content=content))
        return digest

    def flush(self) -> None:
        """Send the buffered rows to the database; the end of the transaction does so anyway."""
        if self._rows:
            rows, self._rows = self._rows, []
            self._unflushed.clear()
            self._driver.cursor().executemany(self._statement(_APPEND), rows)

    def _head(self, stream: str) -> tuple[int, str]:
        if stream not in self._heads:
            rows = self._ask(_HEAD, [stream])
            self._heads[stream] = (rows[0][0], rows[0][1]) if rows else (0, "")
        return self._heads[stream]

    def _ask(self, text: str, values: Sequence[Any] = ()) -> Sequence[Any]:
        rows: list[Any] = self._driver.execute(self._statement(text), values).fetchall()
        return rows

    def _statement(self, text: str) -> str:
        return database.statement(self._connection.engine, text)
