"""The tables of a ledger, and the triggers that keep them append-only on SQLite and on PostgreSQL."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    insert,
    inspect,
    select,
)

FORMAT = 1

_metadata = MetaData()

EVENT = Table(
    "event",
    _metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("site", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("on", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("part", Integer, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("software", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint("stream", "position"),
    UniqueConstraint("command", "part"),
)

BLOB = Table(
    "blob",
    _metadata,
    Column("digest", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

META = Table("meta", _metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

_FORMAT_NAME = "trialwright ledger format"


def build(connection: Connection) -> None:
    """Create the tables and their triggers, and note the format."""
    _metadata.create_all(connection)
    for statement in _TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
    connection.execute(insert(META).values(name=_FORMAT_NAME, value=str(FORMAT)))


def format_of(connection: Connection) -> int | None:
    """The format that a database says it has, or None where it is no ledger."""
    if {column["name"] for column in _columns(connection)} != {"name", "value"}:
        return None
    value = connection.scalar(select(META.c.value).where(META.c.name == _FORMAT_NAME))
    return int(value) if value is not None and value.isdecimal() else None


def is_built(connection: Connection) -> bool:
    """Whether any of the ledger's tables is there already."""
    return any(inspect(connection).has_table(table.name) for table in _metadata.sorted_tables)


def _columns(connection: Connection) -> list[dict[str, object]]:
    inspector = inspect(connection)
    return [dict(column) for column in inspector.get_columns("meta")] if inspector.has_table("meta") else []


def _sqlite(table: str, taken: str) -> list[str]:
    refuse = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    return [
        f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} {refuse}",
        # INSERT OR REPLACE deletes without a delete trigger unless recursive triggers are on
        f"CREATE TRIGGER {table}_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken}) {refuse}",
    ]


def _postgresql(table: str) -> list[str]:
    refuse = "EXECUTE FUNCTION ledger_append_only()"
    return [
        f"CREATE TRIGGER {table}_row BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {refuse}",
        f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refuse}",
    ]


_TRIGGERS = {
    "sqlite": [
        *_sqlite(
            "event",
            "seq = NEW.seq OR (stream = NEW.stream AND position = NEW.position)"
            " OR (command = NEW.command AND part = NEW.part)",
        ),
        *_sqlite("blob", "digest = NEW.digest"),
    ],
    "postgresql": [
        "CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$",
        *_postgresql("event"),
        *_postgresql("blob"),
    ],
}
