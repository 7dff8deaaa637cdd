"""The tables of a vault, made where there are none; its access log is append-only; its master key is never in it."""

from __future__ import annotations

import os
import secrets
import sqlite3
import stat
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, Text, event, inspect

from trialwright.core.finding import Refused, Where, finding
from trialwright.ledger import database

#: Where the master key may be given.
VARIABLE = "TRIALWRIGHT_VAULT_KEY"
_KEY_BYTES = 32

_metadata = MetaData()

META = Table("vault_meta", _metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

#: The key of each participant under the master key; empty once it is destroyed, so that none is made anew.
KEY = Table("vault_key", _metadata, Column("subject", Text, primary_key=True), Column("wrapped", Text, nullable=False))

IDENTITY = Table(
    "vault_identity",
    _metadata,
    Column("subject", Text, primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("user", Text, nullable=False),
)

INDEX = Table(
    "vault_index",
    _metadata,
    Column("digest", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
)

ACCESS = Table(
    "vault_access",
    _metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("what", Text, nullable=False),
    Column("why", Text, nullable=False),
)


def reached(place: str) -> Engine:
    """An engine for a vault, its tables made where there are none; what is deleted is overwritten in its file."""
    engine = database.reach(place, database.PATIENCE)
    file = database.file_of(engine)
    if file is not None:
        _private(file)
        event.listen(engine, "connect", _overwrites)
    with database.transaction(engine) as connection:
        if not inspect(connection).has_table(META.name):
            _build(connection)
    return engine


def scrub(engine: Engine) -> None:
    """Write the tables anew without what was deleted: PostgreSQL keeps it otherwise until it cleans up."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in (KEY, IDENTITY, INDEX):
                connection.exec_driver_sql(f"VACUUM FULL {table.name}")


def master_key(place: str, file: str, environment: Mapping[str, str]) -> bytes:
    """The master key from the environment, from a file of its owner alone, or made in such a file beside a vault."""
    given = environment.get(VARIABLE, "")
    if given:
        return _from_text(given, VARIABLE)
    if not file and "://" in place:
        raise Refused(finding("vault_key_missing", Where(place), place=place.rpartition("@")[2]))
    where = Path(file or f"{place}.key")
    if not file and not where.exists() and not Path(place).exists():
        descriptor = os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as handle:
            handle.write(secrets.token_hex(_KEY_BYTES))
    if not where.is_file():
        raise Refused(finding("vault_key_missing", Where(str(where)), place=place))
    mode = stat.S_IMODE(where.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise Refused(finding("vault_key_open", Where(str(where)), file=where, mode=oct(mode)[2:]))
    return _from_text(where.read_text("ascii", errors="replace"), str(where))


def _from_text(text: str, source: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise Refused(finding("vault_key_form", source=source))
    return key


def _private(file: Path) -> None:
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
    except OSError as error:
        raise Refused(finding("ledger_unreachable", Where(str(file)), place=file, reason=error.strerror)) from None


def _overwrites(connection: sqlite3.Connection, _record: object) -> None:
    # no write-ahead log: it would keep what was deleted until somebody folds it in
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA journal_mode = DELETE")


def _build(connection: Connection) -> None:
    _metadata.create_all(connection)
    if connection.dialect.name == "sqlite":
        refuse = "BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END"
        for act in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(f"CREATE TRIGGER vault_access_{act} BEFORE {act} ON vault_access {refuse}")
        return
    connection.exec_driver_sql(
        "CREATE FUNCTION vault_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the access log is append-only'; END $$"
    )
    refuse = "EXECUTE FUNCTION vault_append_only()"
    connection.exec_driver_sql(
        f"CREATE TRIGGER vault_access_row BEFORE UPDATE OR DELETE ON vault_access FOR EACH ROW {refuse}"
    )
    connection.exec_driver_sql(
        f"CREATE TRIGGER vault_access_truncate BEFORE TRUNCATE ON vault_access FOR EACH STATEMENT {refuse}"
    )
