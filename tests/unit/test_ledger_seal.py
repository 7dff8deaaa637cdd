"""The sealed list gives one arm at a time, and its digest gives nothing away."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from trialwright.core.finding import Refused
from trialwright.ledger.seal import open_seal, sealed_digest, write_sealed

ARMS = ["active", "placebo", "placebo", "active"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_sealed(tmp_path / "trial.seal", ARMS, "seed 7, blocks of 4", salt=b"s" * 32)
    return tmp_path / "trial.seal"


def code(refused: pytest.ExceptionInfo[Refused]) -> str:
    assert str(refused.value)
    return refused.value.findings[0].code


def test_the_arms_are_given_by_position_from_one(file: Path) -> None:
    sealed = open_seal(file)
    assert [sealed.arm(position) for position in (1, 2, 3, 4)] == ARMS


@pytest.mark.parametrize("position", [0, -1, 5])
def test_a_position_outside_the_list_is_refused(file: Path, position: int) -> None:
    with pytest.raises(Refused) as refused:
        open_seal(file).arm(position)
    assert code(refused) == "ledger_seal_exhausted"


def test_a_sealed_list_shows_nothing_when_printed(file: Path) -> None:
    assert not any(secret in repr(open_seal(file)) for secret in ("active", "placebo", "seed 7", "ssss"))


@pytest.mark.parametrize(
    ("arms", "note", "salt", "same"),
    [
        (ARMS, "seed 7, blocks of 4", b"s" * 32, True),
        ([*ARMS[::-1], "active"], "seed 7, blocks of 4", b"s" * 32, False),
        ([*ARMS[1:], *ARMS[:1]], "seed 7, blocks of 4", b"s" * 32, False),
        (ARMS, "seed 8", b"s" * 32, False),
        (ARMS, "seed 7, blocks of 4", b"t" * 32, False),
        (ARMS, "seed 7, blocks of 4", None, False),
    ],
    ids=["the same", "another length", "another order", "another note", "another salt", "a random salt"],
)
def test_the_digest_commits_to_the_list_under_a_salt(
    file: Path, tmp_path: Path, arms: list[str], note: str, salt: bytes | None, same: bool
) -> None:
    write_sealed(tmp_path / "other.seal", arms, note, salt=salt)
    assert (sealed_digest(tmp_path / "other.seal") == sealed_digest(file)) is same


def test_an_arm_changed_in_the_file_changes_the_digest(file: Path) -> None:
    before = sealed_digest(file)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE allocation SET arm = 'active' WHERE position = 2")
    assert sealed_digest(file) != before


def test_a_sealed_list_is_never_written_over(file: Path) -> None:
    with pytest.raises(Refused) as refused:
        write_sealed(file, ARMS, "again")
    assert code(refused) == "ledger_seal_exists"


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        open_seal(tmp_path / "none.seal")
    assert code(refused) == "ledger_seal_missing"
    (tmp_path / "notes.txt").write_text("not a list " * 100)
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE patient (name TEXT)")
    for name in ("notes.txt", "other.db"):
        with pytest.raises(Refused) as refused:
            open_seal(tmp_path / name)
        assert code(refused) == "ledger_seal_foreign"
