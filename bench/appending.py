"""Appending: batches and single submissions with hash chain and full durability, beside bare inserts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from functools import partial
from itertools import groupby
from pathlib import Path

from bench.commands import Submitted, commands
from bench.postgres import CannotStart, server
from bench.row import Row, at_least, seconds
from bench.workplace import OPENED, SOFTWARE, Workplace
from trialwright.ledger.chain import verify
from trialwright.ledger.envelope import NewEvent, Submission
from trialwright.ledger.reading import Stored
from trialwright.ledger.store import Ledger, open_ledger
from trialwright.trial.office import Office, Sender, register_protocol

_BATCH = 1000
_SUBMITS = 1000
_BATCHES, _SINGLE = at_least(20_000), at_least(500)


def rows(at: Workplace) -> list[Row]:
    """SQLite beside bare `sqlite3`; PostgreSQL where it can be started; and `verify`."""
    batches, submitted = _batches(at), commands(at.sample, _SUBMITS)
    total = sum(len(batch) for batch in batches)
    ours, bare, ours_single, bare_single = [], [], [], []
    for run in range(at.runs + 1):
        place = at.fresh("batches.ledger")
        taken = _append(at, place, batches)
        beside = _bare(at, place, lambda row: (row[0] - 2) // _BATCH)
        single = at.fresh("single.ledger")
        taken_single = _submit(at, single, submitted)
        beside_single = _bare(at, single, lambda row: row[11])
        if run:  # the first does not count
            ours.append(total / taken)
            bare.append(total / beside)
            ours_single.append(len(submitted) / taken_single)
            bare_single.append(len(submitted) / beside_single)
    batch, single_submits = f"SQLite, batches of {_BATCH:,}", "SQLite, single submits through the office"
    return [
        Row(f"{batch}, with hash chain", "events/s", tuple(ours), _BATCHES),
        Row("  bare sqlite3, the same rows", "events/s", tuple(bare)),
        Row("  bare, so many times as fast", "×", _ratio(bare, ours)),
        Row(single_submits, "submits/s", tuple(ours_single), _SINGLE),
        Row("  bare sqlite3, the same rows", "submits/s", tuple(bare_single)),
        Row("  bare, so many times as fast", "×", _ratio(bare_single, ours_single)),
        *_postgresql(at, batches, submitted),
        _verify(at),
    ]


def _batches(at: Workplace) -> list[list[NewEvent]]:
    new = [NewEvent(one.stream, one.type, one.on, one.payload, one.site, one.reason) for one in at.sample.events]
    return [new[start : start + _BATCH] for start in range(0, len(new), _BATCH)]


def _append(at: Workplace, place: str | Path, batches: Sequence[Sequence[NewEvent]]) -> float:
    def fill(ledger: Ledger) -> None:
        for number, batch in enumerate(batches):
            submission = Submission(f"batch {number}", OPENED, "bench", "bench", "UTC", "", SOFTWARE)
            with ledger.writing() as writer:
                writer.append(submission, batch)

    with at.empty_ledger(place) as ledger:
        return seconds(lambda: fill(ledger))


def _submit(at: Workplace, place: str | Path, submitted: Sequence[Submitted]) -> float:
    protocol = at.sample.protocol
    with at.empty_ledger(place) as ledger:
        with ledger.writing() as writer:
            register_protocol(writer, protocol, Sender("bench", "sponsor", OPENED), SOFTWARE, OPENED[:10])
        office = Office(ledger, SOFTWARE)
        activation, *rest = submitted
        office.submit(activation.command, activation.by, "activation")  # reads the protocol: not counted

        def submit() -> None:
            for number, one in enumerate(rest):
                office.submit(one.command, one.by, f"c{number}")

        return seconds(submit) * len(submitted) / len(rest)


def _bare(at: Workplace, place: Path, transaction: Callable[[Stored], object]) -> float:
    """The seconds that the rows of a ledger take in the same table without chain and triggers."""
    with closing(sqlite3.connect(place)) as known:
        (table,) = known.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'event'").fetchone()
    with open_ledger(place) as ledger:
        rows = [row for row in ledger.rows() if row[11] not in ("ledger.opened/1", "activation")]
    transactions = [list(group) for _, group in groupby(rows, transaction)]
    insert = f"INSERT INTO event VALUES ({', '.join('?' * len(rows[0]))})"
    with closing(sqlite3.connect(at.fresh("bare.db"), isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(table)

        def fill() -> None:
            for group in transactions:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(insert, group)
                connection.execute("COMMIT")

        return seconds(fill)


def _postgresql(at: Workplace, batches: Sequence[Sequence[NewEvent]], submitted: Sequence[Submitted]) -> list[Row]:
    batch = f"PostgreSQL, batches of {_BATCH:,}, with hash chain"
    single = "PostgreSQL, single submits through the office"
    total = sum(len(one) for one in batches)
    try:
        with server() as place:
            rates = [
                (total / _append(at, place(), batches), len(submitted) / _submit(at, place(), submitted))
                for _ in range(at.runs + 1)
            ][1:]
    except CannotStart as why:
        return [Row(batch, "events/s", (), note=str(why)), Row(single, "submits/s", (), note=str(why))]
    batched, singly = zip(*rates, strict=True)
    return [Row(batch, "events/s", batched), Row(single, "submits/s", singly)]


def _verify(at: Workplace) -> Row:
    rates = []
    for _ in range(at.runs):
        with open_ledger(at.sample.place) as ledger:
            rates.append(len(at.sample.events) / seconds(partial(verify, ledger)))
    return Row("verify a whole ledger", "events/s", tuple(rates))


def _ratio(one: Iterable[float], other: Iterable[float]) -> tuple[float, ...]:
    return tuple(a / b for a, b in zip(one, other, strict=True))
