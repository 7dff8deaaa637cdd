"""Reaching a database: a path is SQLite, a URL is PostgreSQL, and what fails there becomes a finding."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError

from trialwright.core.finding import Refused, Where, finding

#: How long a writer waits for another one, in seconds.
PATIENCE = 30.0
#: After how many seconds without use a connection is asked whether it still stands, before it is used again.
_RESTED = 1.0


def reach(url_or_path: str | Path, patience: float) -> Engine:
    """An engine for a path or a `postgresql://` URL; nothing is opened or changed yet."""
    url = _url(url_or_path)
    try:
        if url.get_backend_name() == "sqlite":
            return _sqlite(url, patience)
        # a snapshot taken before the lock was granted would miss what the last writer wrote
        engine = create_engine(url, isolation_level="READ COMMITTED")
    except ModuleNotFoundError:
        raise Refused(finding("ledger_no_driver")) from None
    event.listen(engine, "connect", lambda connection, _record: _prepare_postgresql(connection, patience))
    event.listen(engine, "begin", _begin_postgresql)
    event.listen(engine, "checkin", _rests)
    event.listen(engine, "checkout", lambda connection, record, _proxy: _stands(engine, connection, record))
    return engine


def _url(url_or_path: str | Path) -> URL:
    text = str(url_or_path)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except ArgumentError:
        raise Refused(finding("ledger_unknown_database", kind=text.partition("://")[0])) from None
    if url.get_backend_name() in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite":
        return url
    raise Refused(finding("ledger_unknown_database", kind=url.get_backend_name()))


def _sqlite(url: URL, patience: float) -> Engine:
    engine = create_engine(url, connect_args={"timeout": patience})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: object) -> None:  # noqa: ARG001
        connection.isolation_level = None  # the driver begins no transaction of its own
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver(connection).execute("BEGIN IMMEDIATE" if _writes(connection) else "BEGIN")

    return engine


def _prepare_postgresql(connection: Any, patience: float) -> None:
    connection.execute(f"SET lock_timeout = {round(patience * 1000)}")
    connection.commit()


def _begin_postgresql(connection: Connection) -> None:
    if _writes(connection):
        driver(connection).execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('trialwright ledger ' || current_schema(), 0))"
        )


def _rests(_connection: Any, record: Any) -> None:
    record.info["rests since"] = time.monotonic()


def _stands(engine: Engine, connection: Any, record: Any) -> None:
    """Find a connection that was cut, as when the database began anew, before it is used; the pool opens another."""
    if time.monotonic() - record.info.get("rests since", float("inf")) <= _RESTED:
        return
    assert engine.dialect.dbapi is not None
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.dbapi.Error as cut:
        raise DisconnectionError from cut


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("ledger_writes"))


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One writing transaction under the ledger's one write lock: committed at the end, or undone whole."""
    with speaking(engine), engine.connect() as connection:
        connection.execution_options(ledger_writes=True)
        with connection.begin():
            yield connection


def driver(connection: Connection) -> Any:
    """The driver's own connection: what every page and every save asks goes past SQLAlchemy, which costs more than
    the database does. Both drivers have `execute` and `cursor().executemany`."""
    return connection.connection.driver_connection


def statement(engine: Engine, text: str) -> str:
    """A statement whose places for values are question marks, as the driver writes them."""
    return text if engine.dialect.paramstyle == "qmark" else text.replace("?", "%s")


def asked(engine: Engine, text: str, values: Sequence[Any] = ()) -> list[Any]:
    """The rows of one statement that reads, in no transaction but its own."""
    alone = engine.dialect.name == "postgresql"  # its driver begins a transaction otherwise
    with speaking(engine):
        connection = engine.raw_connection()
        own: Any = connection.driver_connection
        try:
            if alone:
                own.autocommit = True
            rows: list[Any] = own.execute(statement(engine, text), values).fetchall()
            if alone:
                own.autocommit = False
        except BaseException:
            connection.invalidate()
            raise
        connection.close()
    return rows


def place(engine: Engine) -> str:
    """What to call the database in a sentence: the file, or the URL without its password."""
    url = engine.url
    return url.database or "" if engine.dialect.name == "sqlite" else url.render_as_string(hide_password=True)


def file_of(engine: Engine) -> Path | None:
    """The file of an SQLite ledger."""
    return Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None


def claim(file: Path) -> None:
    """Make an empty database file that is ours alone; readers will not wait for writers (WAL)."""
    try:
        file.touch(exist_ok=False)
    except FileExistsError:
        raise Refused(finding("ledger_exists", Where(str(file)), place=file)) from None
    except OSError as error:
        raise Refused(finding("ledger_unreachable", Where(str(file)), place=file, reason=error.strerror)) from None
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


@contextmanager
def speaking(engine: Engine) -> Iterator[None]:
    """Turn what the database cannot do into a refusal that says how to mend it; our bugs stay exceptions."""
    assert engine.dialect.dbapi is not None
    try:
        yield
    except (DBAPIError, engine.dialect.dbapi.Error) as error:
        code = _code(engine, error)
        if code is None:
            raise
        if code == "ledger_unreachable":
            engine.dispose()  # the other connections were cut with this one
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        where = Where(place(engine))
        raise Refused(finding(code, where, place=place(engine), reason=reason)) from error


def _code(engine: Engine, error: Exception) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        if str(cause).startswith(("no such table", "no such column")):  # taken away after it was opened as a ledger
            return "ledger_damaged"
        return _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    state: str | None = getattr(cause, "sqlstate", None)
    if state is None:
        assert engine.dialect.dbapi is not None
        return "ledger_unreachable" if isinstance(cause, engine.dialect.dbapi.OperationalError) else None
    return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])


_SQLITE = {
    sqlite3.SQLITE_FULL: "ledger_full",
    sqlite3.SQLITE_BUSY: "ledger_busy",
    sqlite3.SQLITE_LOCKED: "ledger_busy",
    sqlite3.SQLITE_CORRUPT: "ledger_damaged",
    sqlite3.SQLITE_IOERR: "ledger_damaged",
    sqlite3.SQLITE_NOTADB: "ledger_foreign",
    sqlite3.SQLITE_READONLY: "ledger_read_only",
    sqlite3.SQLITE_PERM: "ledger_read_only",
    sqlite3.SQLITE_CANTOPEN: "ledger_unreachable",
}

#: SQLSTATE, or its class of two characters.
_POSTGRESQL = {
    "53100": "ledger_full",
    "55P03": "ledger_busy",
    "25006": "ledger_read_only",
    "42501": "ledger_read_only",
    "3D000": "ledger_unreachable",
    "08": "ledger_unreachable",
    "28": "ledger_unreachable",
    "57": "ledger_unreachable",
    "XX": "ledger_damaged",
    "42P01": "ledger_damaged",
    "42703": "ledger_damaged",
}
