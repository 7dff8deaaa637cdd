"""The sealed allocation list: a file of its own; its digest is a commitment that reveals nothing, kept beside it."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from trialwright.core.finding import Refused, Where, finding

_SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class SealedList:
    """The arm of every position from 1; it never shows them when printed."""

    arms: tuple[str, ...] = field(repr=False)
    salt: bytes = field(repr=False)
    seed_note: str = field(repr=False)
    place: str

    def arm(self, position: int) -> str:
        """The arm at a position; refused past the end of the list."""
        if not 1 <= position <= len(self.arms):
            raise Refused(finding("ledger_seal_exhausted", Where(self.place), position=position, length=len(self.arms)))
        return self.arms[position - 1]

    @property
    def digest(self) -> str:
        """The commitment: no arm can be changed under it, and the salt keeps a short list from being guessed."""
        content = json.dumps([self.salt.hex(), self.seed_note, *self.arms])
        return hashlib.sha256(content.encode()).hexdigest()


def write_sealed(path: str | Path, arms: Sequence[str], seed_note: str, *, salt: bytes | None = None) -> None:
    """Seal a list in a new file; the salt is random unless a rehearsal derives it from its seed."""
    file = Path(path)
    try:
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise Refused(finding("ledger_seal_exists", Where(str(file)), place=file)) from None
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE allocation (position INTEGER PRIMARY KEY, arm TEXT NOT NULL)")
        connection.execute("CREATE TABLE seal (salt BLOB NOT NULL, seed_note TEXT NOT NULL)")
        connection.executemany("INSERT INTO allocation VALUES (?, ?)", enumerate(arms, 1))
        connection.execute("INSERT INTO seal VALUES (?, ?)", (salt, seed_note))


def open_seal(path: str | Path) -> SealedList:
    """The list in a sealed file; refused where there is none, or the file holds something else."""
    file = Path(path)
    if not file.is_file():
        raise Refused(finding("ledger_seal_missing", Where(str(file)), place=file))
    try:
        with closing(sqlite3.connect(file)) as connection:
            arms = tuple(arm for (arm,) in connection.execute("SELECT arm FROM allocation ORDER BY position"))
            salt, seed_note = connection.execute("SELECT salt, seed_note FROM seal").fetchone()
    except (sqlite3.DatabaseError, TypeError):
        raise Refused(finding("ledger_seal_foreign", Where(str(file)), place=file)) from None
    return SealedList(arms, salt, seed_note, str(file))


def sealed_digest(path: str | Path) -> str:
    """The commitment to a sealed list, to be kept apart from the blinded ledger, before the first allocation."""
    return open_seal(path).digest
