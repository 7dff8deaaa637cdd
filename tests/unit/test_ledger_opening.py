"""What is no ledger, or none any more, is refused with a finding and left as it was."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.test_ledger_store import AT, HEADER, codes, lab, write
from trialwright.core.finding import Refused
from trialwright.ledger.chain import verify
from trialwright.ledger.store import Header, create, open_ledger


def test_a_missing_file_is_refused_and_not_created(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        open_ledger(tmp_path / "none.ledger")
    assert codes(refused) == ["ledger_missing"]
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        create(tmp_path / "none" / "trial.ledger", HEADER, AT)
    assert codes(refused) == ["ledger_unreachable"]


@pytest.mark.parametrize(
    "statements",
    [
        [],
        ["CREATE TABLE patient (name TEXT)"],
        ["CREATE TABLE meta (name TEXT, value TEXT)"],
        ["CREATE TABLE meta (id INT)"],
    ],
    ids=["empty", "another table", "a meta table without our name", "another meta table"],
)
def test_a_foreign_database_is_refused_and_left_untouched(tmp_path: Path, statements: list[str]) -> None:
    file = tmp_path / "other.db"
    file.touch()
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
    before = file.read_bytes()
    with pytest.raises(Refused) as refused:
        open_ledger(file)
    assert codes(refused) == ["ledger_foreign"]
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_an_empty_postgresql_is_no_ledger(postgresql_place: str) -> None:
    with pytest.raises(Refused) as refused:
        open_ledger(postgresql_place)
    assert codes(refused) == ["ledger_foreign"]


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a ledger, but long enough to have a header of a hundred bytes if it were one " * 9)
    with pytest.raises(Refused) as refused:
        open_ledger(file)
    assert codes(refused) == ["ledger_foreign"]


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        open_ledger(tmp_path)
    assert codes(refused) == ["ledger_unreachable"]


def test_a_truncated_file_is_refused_as_damaged(tmp_path: Path) -> None:
    file = tmp_path / "trial.ledger"
    with create(file, HEADER, AT) as ledger:
        write(ledger, "c-1", *(lab() for _ in range(500)))
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(Refused) as refused:
        open_ledger(file)
    assert codes(refused) == ["ledger_damaged"]


def test_a_page_of_noise_is_found_by_verify(tmp_path: Path) -> None:
    file = tmp_path / "trial.ledger"
    with create(file, HEADER, AT) as ledger:
        write(ledger, "c-1", *(lab() for _ in range(500)))
    content = file.read_bytes()
    half = len(content) // 2 // 4096 * 4096
    file.write_bytes(content[:half] + b"\xee" * 4096 * 8 + content[half + 4096 * 8 :])
    with open_ledger(file) as ledger:
        assert [finding.code for finding in verify(ledger)] == ["ledger_damaged"]


def test_a_ledger_of_a_newer_format_is_refused(place: str) -> None:
    with create(place, HEADER, AT) as ledger, ledger._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE meta SET value = '2'")
    with pytest.raises(Refused) as refused:
        open_ledger(place)
    assert codes(refused) == ["ledger_newer"]


def test_a_ledger_without_its_header_is_refused_as_damaged(tmp_path: Path) -> None:
    file = tmp_path / "trial.ledger"
    create(file, HEADER, AT).close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TRIGGER event_delete")
        connection.execute("DELETE FROM event")
    with pytest.raises(Refused) as refused:
        open_ledger(file)
    assert codes(refused) == ["ledger_damaged"]


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("mysql://localhost/trial", "ledger_unknown_database"),
        ("what ever://", "ledger_unknown_database"),
        ("postgresql://nobody:secret@/none?host=/nonexistent", "ledger_unreachable"),
    ],
)
def test_a_database_out_of_reach_is_refused_without_its_password(place: str, code: str) -> None:
    with pytest.raises(Refused, match="ledger") as refused:
        open_ledger(place)
    assert codes(refused) == [code]
    assert "secret" not in str(refused.value)


def test_without_its_driver_postgresql_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Refused) as refused:
        open_ledger("postgresql://localhost/trial")
    assert codes(refused) == ["ledger_no_driver"]


def test_a_url_of_sqlite_is_a_path(tmp_path: Path) -> None:
    with create(f"sqlite:///{tmp_path}/trial.ledger", HEADER, AT) as ledger:
        assert ledger.place == f"{tmp_path}/trial.ledger"


def test_a_ledger_is_virtual_or_real() -> None:
    with pytest.raises(ValueError, match="virtual or real"):
        Header("practice", "T", "d", "1.0", None, "")
