"""`trialwright verify` and its neighbours on ledgers that somebody touched, cut, or never made."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.rehearsals import command, rehearsed
from tests.unit.desk import BLINDED
from trialwright.ledger.chain import checkpoint
from trialwright.ledger.envelope import NewEvent, Submission
from trialwright.ledger.store import open_ledger

VERBS = [("verify",), ("report", "--out", "out"), ("why", "P-001")]


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the ledger of a small rehearsal."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copy(rehearsed(BLINDED) / "ledger.db", tmp_path / "copy.db"))


def _behind_the_triggers(ledger: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(ledger)) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement, values)


def _flip(ledger: Path, seq: int, byte: int) -> None:
    """Change one byte of one payload."""
    with closing(sqlite3.connect(ledger)) as connection:
        ((text,),) = connection.execute("SELECT payload FROM event WHERE seq = ?", (seq,)).fetchall()
    place = byte % len(text)
    other = "0" if text[place] != "0" else "1"
    changed = text[:place] + other + text[place + 1 :]
    _behind_the_triggers(ledger, "UPDATE event SET payload = ? WHERE seq = ?", changed, seq)


def test_an_untouched_ledger_is_intact(ledger: Path) -> None:
    code, out, err = command("verify", ledger)
    assert (code, err) == (0, "")
    assert "intact, virtual" in out


@pytest.mark.parametrize(("seq", "byte"), [(1, 0), (1, 40), (1, -1), (2, 10), (5, 3), (60, 0), (60, 7), (100, -2)])
def test_one_changed_byte_of_a_payload_is_found(ledger: Path, seq: int, byte: int) -> None:
    _flip(ledger, seq, byte)
    code, out, err = command("verify", ledger)
    assert (code, err) == (1, "")
    assert out.startswith("error: ")
    code, out, _ = command("verify", ledger, "--json")
    assert (code, json.loads(out)["intact"]) == (1, False)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE event SET user = 'somebody else' WHERE seq = 20", "was altered"),
        ("UPDATE event SET \"on\" = '2026-01-01' WHERE seq = 20", "was altered"),
        ("UPDATE event SET \"at\" = '2026-01-01T00:00:00Z' WHERE seq = 20", "was altered"),
        ("UPDATE event SET reason = 'because' WHERE seq = 20", "was altered"),
        ("DELETE FROM event WHERE seq = 20", "removed or renumbered"),
        ("UPDATE event SET seq = 100000 WHERE seq = (SELECT max(seq) FROM event)", "removed or renumbered"),
        ("UPDATE event SET position = 900 WHERE stream = 'participant/P-002' AND position = 9", "removed or moved"),
        ("UPDATE event SET hash = 'f' WHERE seq = 20", "was altered"),
        ("UPDATE event SET payload = payload || ' ' WHERE seq = 20", "altered"),
        ("UPDATE blob SET content = x'00'", "was altered"),
    ],
)
def test_whatever_is_changed_behind_the_triggers_is_found(ledger: Path, statement: str, says: str) -> None:
    _behind_the_triggers(ledger, statement)
    code, out, err = command("verify", ledger)
    assert (code, err) == (1, "")
    assert says in out


@pytest.mark.parametrize("table", ["event", "blob", "meta"])
def test_a_ledger_without_one_of_its_tables_is_said_to_be_none_or_damaged(ledger: Path, table: str) -> None:
    _behind_the_triggers(ledger, f"DROP TABLE {table}")
    code, out, err = command("verify", ledger)
    assert code in (1, 2)
    assert out + err


def _a_text(file: Path) -> None:
    file.write_text("The ledger of our trial.\n" * 300)


def _nothing(file: Path) -> None:
    file.write_bytes(b"")


def _a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _missing(file: Path) -> None:
    file.unlink()


def _foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE meta (name TEXT, value TEXT)")
        connection.execute("CREATE TABLE patients (name TEXT)")


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _headless(file: Path) -> None:
    file.write_bytes(file.read_bytes()[4096:])


def _torn(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:20000] + bytes(8192) + whole[28192:])


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
@pytest.mark.parametrize("broken", [_a_text, _nothing, _a_folder, _missing, _foreign, _cut, _headless, _torn])
def test_what_is_no_whole_ledger_is_said_in_a_sentence(
    ledger: Path, words: tuple[str, ...], broken: Callable[[Path], None]
) -> None:
    broken(ledger)
    code, out, err = command(words[0], ledger, *words[1:])
    assert code in (1, 2)
    assert (out + err).count("copy.db") or "P-001" in out + err
    assert "Error" not in out + err


# ---------------------------------------------------------------- against an older report


def _more(ledger: Path) -> None:
    with open_ledger(ledger) as opened, opened.writing() as writer:
        by = Submission("late note", "2027-06-01T00:00:00Z", "monitor", "monitor", "UTC", "", "test")
        writer.append(by, [NewEvent("participant/P-001", "note.recorded/1", "2027-06-01", {"text": "late"})])


def test_an_older_report_holds_after_more_events_and_fails_after_a_cut(ledger: Path) -> None:
    report = rehearsed(BLINDED) / "report.json"
    assert command("verify", ledger, "--against", report)[0] == 0
    _more(ledger)
    assert command("verify", ledger, "--against", report)[0] == 0
    _behind_the_triggers(ledger, "DELETE FROM event WHERE seq > 100")
    assert command("verify", ledger)[0] == 0, "by itself a shorter ledger is a ledger"
    code, out, _ = command("verify", ledger, "--against", report)
    assert code == 1
    assert "its end was cut off" in out


def test_a_consistently_rewritten_ledger_fails_against_its_report(tmp_path: Path) -> None:
    other = rehearsed(BLINDED, seed=2)
    code, out, _ = command("verify", other / "ledger.db", "--against", rehearsed(BLINDED) / "report.json")
    assert code == 1
    assert "rewritten" in out or "cut off" in out


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "not json",
        '{"checkpoint": {"seq": "x", "digest": ""}}',
        '{"checkpoint": {"seq": 0, "digest": ""}}',
    ],
)
def test_a_report_without_a_checkpoint_proves_nothing_and_is_refused(ledger: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "old.json").write_text(text)
    code, _, err = command("verify", ledger, "--against", tmp_path / "old.json")
    assert code == 2
    assert "holds no checkpoint" in err
    assert command("verify", ledger, "--against", tmp_path / "none.json")[0] == 2


def test_the_report_prints_the_checkpoint_of_its_ledger(ledger: Path) -> None:
    with open_ledger(ledger) as opened:
        point = checkpoint(opened)
    assert point.digest in (rehearsed(BLINDED) / "report.html").read_text("utf-8")
    assert json.loads((rehearsed(BLINDED) / "report.json").read_text("utf-8"))["checkpoint"] == {
        "seq": point.seq,
        "digest": point.digest,
    }


def test_a_report_made_again_from_the_ledger_is_the_same(ledger: Path, tmp_path: Path) -> None:
    assert command("report", ledger, "--out", tmp_path / "again")[0] == 0
    for name in ("report.json", "report.html", "figures/flow.svg"):
        assert (tmp_path / "again" / name).read_bytes() == (rehearsed(BLINDED) / name).read_bytes(), name
