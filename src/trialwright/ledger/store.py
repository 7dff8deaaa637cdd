"""The ledger in a database: created once, opened by its header, read at any time, written under one lock."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from trialwright.core.finding import Finding, Grade, Refused, Where, finding
from trialwright.ledger import database, reading, schema
from trialwright.ledger.envelope import Event, NewEvent, Submission
from trialwright.ledger.schema import BLOB, EVENT
from trialwright.ledger.writer import Writer

__all__ = ["create", "open_ledger", "Header", "Ledger", "Writer"]

OPENED = "ledger.opened/1"

_KINDS = ("virtual", "real")


@dataclass(frozen=True, slots=True)
class Header:
    """What a ledger says of itself, for ever: a virtual or a real trial, and what it was opened with."""

    kind: str
    trial: str
    protocol: str
    software: str
    seed: int | None
    scenario: str

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"a trial is virtual or real, not {self.kind!r}")


def create(url_or_path: str | Path, header: Header, at: str, *, patience: float = database.PATIENCE) -> Ledger:
    """A new ledger whose first event holds its header; refused where a ledger, or any file, is already."""
    submission = Submission(OPENED, at, "", "", "UTC", header.protocol, header.software)
    opening = NewEvent("ledger", OPENED, at[:16], asdict(header))
    engine = database.reach(url_or_path, patience)
    file = database.file_of(engine)
    with ExitStack() as undo:
        if file is not None:
            database.claim(file)
            undo.callback(file.unlink)
        undo.callback(engine.dispose)
        with database.transaction(engine) as connection:
            if schema.is_built(connection):
                raise Refused(_about(engine, "ledger_exists"))
            schema.build(connection)
            writer = Writer(connection)
            writer.append(submission, [opening])
            writer.flush()
        undo.pop_all()
    return Ledger(header, engine)


def open_ledger(url_or_path: str | Path, *, patience: float = database.PATIENCE) -> Ledger:
    """The ledger that is there; refused where it is missing, foreign, damaged or newer than this program."""
    engine = database.reach(url_or_path, patience)
    file = database.file_of(engine)
    if file is not None and not file.exists():
        raise Refused(_about(engine, "ledger_missing"))
    with ExitStack() as undo:
        undo.callback(engine.dispose)
        with database.speaking(engine), engine.connect() as connection:
            ledger = Ledger(_header(engine, connection), engine)
        undo.pop_all()
    return ledger


def _header(engine: Engine, connection: Connection) -> Header:
    number = schema.format_of(connection)
    if number is None:
        raise Refused(_about(engine, "ledger_foreign"))
    if number > schema.FORMAT:
        raise Refused(_about(engine, "ledger_newer", format=number, known=schema.FORMAT))
    row = connection.execute(reading.selection(upto=1)).one_or_none()
    payload: dict[str, Any] = reading.decoded(tuple(row)).payload if row is not None else {}
    if payload.keys() == Header.__dataclass_fields__.keys() and payload["kind"] in _KINDS:
        return Header(**payload)
    raise Refused(_about(engine, "ledger_damaged", reason="its first event is no header"))


def _about(engine: Engine, code: str, **values: object) -> Finding:
    place = database.place(engine)
    return finding(code, Where(place), Grade.ERROR, place=place, **values)


class Ledger:
    """An open ledger: every method is one question to the database or, for `writing`, one transaction."""

    def __init__(self, header: Header, engine: Engine) -> None:
        self.header = header
        self.place = database.place(engine)
        self._engine = engine

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """The one write lock of the trial: what is appended inside is committed at the end or undone whole."""
        with database.transaction(self._engine) as connection:
            writer = Writer(connection)
            yield writer
            writer.flush()

    def events(
        self,
        stream: str | None = None,
        types: Collection[str] | None = None,
        after: int = 0,
        upto: int | None = None,
    ) -> Iterator[Event]:
        """The events in order of sequence number, as they stood when the first one was taken."""
        plain = reading.at_once(stream, types, after, upto)
        if plain is not None:
            yield from map(reading.decoded, database.asked(self._engine, *plain))
            return
        with self._reading() as connection:
            query = reading.selection(stream, types, after, upto)
            yield from map(reading.decoded, reading.stored(connection, query))

    def search(self, wanted: reading.Search, limit: int, before: int | None = None, after: int = 0) -> list[Event]:
        """At most so many events that a search finds: the newest first, up to the one before; or on from `after`."""
        query = reading.searching(wanted)
        if before is not None:
            query = query.where(EVENT.c.seq < before).order_by(EVENT.c.seq.desc())
        else:
            query = query.where(EVENT.c.seq > after).order_by(EVENT.c.seq)
        with self._reading() as connection:
            return [reading.decoded(tuple(row)) for row in connection.execute(query.limit(limit))]

    def streams(self, prefix: str = "") -> list[str]:
        """The names of the streams, or of those that begin so, sorted."""
        query = select(EVENT.c.stream).where(EVENT.c.position == 1)
        with self._reading() as connection:
            return sorted(name for name in connection.scalars(query) if name.startswith(prefix))

    def heads(self) -> dict[str, tuple[int, str]]:
        """Position and hash of the last event of every stream."""
        with self._reading() as connection:
            found = reading.heads(connection)
        return {stream: (position, own) for stream, _, position, own in found}

    def latest(self, after: int, upto: int) -> dict[str, int]:
        """The streams that something was appended to between two sequence numbers, and the last number of each."""
        query = select(EVENT.c.stream, func.max(EVENT.c.seq)).where(EVENT.c.seq > after, EVENT.c.seq <= upto)
        with self._reading() as connection:
            return {stream: int(last) for stream, last in connection.execute(query.group_by(EVENT.c.stream))}

    def last(self) -> int:
        """The sequence number of the last event."""
        return int(database.asked(self._engine, reading.LAST)[0][0])

    def knows(self, commands: Collection[str]) -> bool:
        """Whether any of these commands was submitted already."""
        query = select(EVENT.c.seq).where(EVENT.c.command.in_(sorted(commands))).limit(1)
        with self._reading() as connection:
            return connection.scalar(query) is not None

    def recorded(self) -> Iterator[tuple[int, str]]:
        """Number and UTC time of every event, the last one first: when something was recorded, not what."""
        with self._reading() as connection:
            yield from map(tuple, reading.stored(connection, reading.TIMES))

    def blob(self, digest: str) -> bytes:
        """The attachment with this digest; refused where the ledger holds none."""
        with self._reading() as connection:
            content = connection.scalar(select(BLOB.c.content).where(BLOB.c.digest == digest))
        if content is None:
            raise Refused(_about(self._engine, "ledger_no_attachment", digest=digest))
        return bytes(content)

    def rows(self) -> Iterator[reading.Stored]:
        """The events exactly as stored, payloads as text, for who recomputes them."""
        with self._reading() as connection:
            yield from reading.stored(connection, reading.selection())

    def attachments(self) -> Iterator[tuple[str, bytes]]:
        """Every attachment under the digest it is stored by."""
        with self._reading() as connection:
            query = select(BLOB).order_by(BLOB.c.digest).execution_options(yield_per=1)
            for digest, content in connection.execute(query):
                yield digest, bytes(content)

    def close(self) -> None:
        """Let go of the database; an SQLite ledger is then a single file."""
        self._engine.dispose()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with database.speaking(self._engine), self._engine.connect() as connection:
            yield connection
