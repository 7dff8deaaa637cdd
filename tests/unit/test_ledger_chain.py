"""A change made around the triggers is found, and the first difference is named."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_ledger_store import AT, HEADER, lab, write
from trialwright.core.finding import Finding, Refused
from trialwright.ledger.chain import Checkpoint, checkpoint, verify
from trialwright.ledger.envelope import row_digest
from trialwright.ledger.store import create, open_ledger


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A ledger of seven events: the opening, then a, b, a, b, a, b."""
    with create(tmp_path / "trial.ledger", HEADER, AT) as ledger:
        for n in range(3):
            write(ledger, f"c-{n}", lab("a"), lab("b"))
        with ledger.writing() as writer:
            writer.keep(b"consent form")
    return tmp_path / "trial.ledger"


def tamper(file: Path, *statements: str) -> None:
    """What somebody with the file can do: drop the triggers, change, put them back."""
    with closing(sqlite3.connect(file)) as connection, connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in found:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in found:
            connection.execute(sql)


def verified(file: Path, against: Checkpoint | None = None) -> list[tuple[str, str]]:
    with open_ledger(file) as ledger:
        return [_shown(found) for found in verify(ledger, against)]


def _shown(found: Finding) -> tuple[str, str]:
    assert str(found)
    return found.code, found.where.path


def taken(file: Path) -> Checkpoint:
    with open_ledger(file) as ledger:
        return checkpoint(ledger)


def test_an_untouched_ledger_has_no_difference(file: Path) -> None:
    assert verified(file) == []
    assert verified(file, taken(file)) == []


@pytest.mark.parametrize(
    ("statement", "code", "path"),
    [
        ("UPDATE event SET payload = replace(payload, '58.0', '58.1') WHERE seq = 4", "event_altered", "seq 4"),
        ("UPDATE event SET user = 'u-2' WHERE seq = 5", "event_altered", "seq 5"),
        ("UPDATE event SET \"on\" = '2026-03-10' WHERE seq = 2", "event_altered", "seq 2"),
        ("UPDATE event SET hash = previous WHERE seq = 5", "event_altered", "seq 5"),
        ("UPDATE event SET payload = CAST(payload AS BLOB) WHERE seq = 3", "event_altered", "seq 3"),
        ("UPDATE event SET previous = hash WHERE seq = 6", "chain_broken", "seq 6"),
        ("UPDATE event SET position = 9 WHERE seq = 6", "position_gap", "seq 6"),
        ("UPDATE event SET stream = 'c' WHERE seq = 6", "position_gap", "seq 6"),
        ("UPDATE event SET seq = 9 WHERE seq = 7", "sequence_gap", "seq 7"),
        ("DELETE FROM event WHERE seq = 3", "sequence_gap", "seq 3"),
        ("UPDATE blob SET content = x'00'", "attachment_altered", None),
    ],
)
def test_a_change_behind_the_triggers_is_found(file: Path, statement: str, code: str, path: str | None) -> None:
    tamper(file, statement)
    ((found, where),) = verified(file)
    assert found == f"ledger_{code}"
    assert where == path or path is None


def test_the_first_of_several_differences_is_named(file: Path) -> None:
    tamper(file, "UPDATE event SET user = 'u-2' WHERE seq IN (3, 4, 7)")
    assert verified(file) == [("ledger_event_altered", "seq 3")]


def test_one_byte_changed_in_the_file_is_found(file: Path) -> None:
    content = file.read_bytes()
    assert content.count(b'"value":"58.0"') == 6
    file.write_bytes(content.replace(b'"value":"58.0"', b'"value":"58.1"', 1))
    ((code, _),) = verified(file)
    assert code == "ledger_event_altered"


def test_a_payload_that_is_not_canonical_is_found_even_with_its_right_hash(file: Path) -> None:
    rehash(file, {7: ("payload", '{"value":5.8}')}, [7])
    assert verified(file) == [("ledger_payload_unreadable", "seq 7")]


def test_a_payload_that_is_no_json_any_more_is_refused_when_read(file: Path) -> None:
    tamper(file, "UPDATE event SET payload = '{' WHERE seq = 4")
    with open_ledger(file) as ledger:
        with pytest.raises(Refused) as refused:
            list(ledger.events())
        assert [_shown(found) for found in refused.value.findings] == [("ledger_payload_unreadable", "seq 4")]


def test_a_cut_tail_is_found_against_a_checkpoint(file: Path) -> None:
    before = taken(file)
    tamper(file, "DELETE FROM event WHERE seq > 5")
    assert verified(file) == []
    assert verified(file, before) == [("ledger_cut", "seq 5")]


def test_a_ledger_rewritten_with_right_hashes_is_found_against_a_checkpoint(file: Path) -> None:
    before = taken(file)
    rehash(file, {4: ("payload", '{"item":"creatinine","value":"99.9"}')}, [4, 6])
    assert verified(file) == []
    assert verified(file, before) == [("ledger_rewritten", "seq 7")]


def test_a_checkpoint_holds_while_the_ledger_grows(file: Path) -> None:
    before = taken(file)
    with open_ledger(file) as ledger:
        write(ledger, "later", lab("a"), lab("c"))
        assert verify(ledger, before) == []
        assert checkpoint(ledger).seq == 9
        assert checkpoint(ledger) != before


def test_the_checkpoint_names_the_last_sequence_number(file: Path) -> None:
    with open_ledger(file) as ledger:
        assert checkpoint(ledger).seq == ledger.last() == 7


def rehash(file: Path, changes: dict[int, tuple[str, str]], chain: Iterable[int]) -> None:
    """A forger's work: change the events, and compute every later hash of the stream anew."""
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        previous: str | None = None
        for seq in chain:
            row: dict[str, Any] = dict(connection.execute(f"SELECT * FROM event WHERE seq = {seq}").fetchone())
            row.update([changes[seq]] if seq in changes else [])
            row["previous"] = row["previous"] if previous is None else previous
            previous = row_digest(list(row.values())[:-1])
            column, value = changes.get(seq, ("hash", ""))
            statement = f"UPDATE event SET {column} = '{value}', previous = '{row['previous']}'"
            tamper(file, statement + f" WHERE seq = {seq}", f"UPDATE event SET hash = '{previous}' WHERE seq = {seq}")
