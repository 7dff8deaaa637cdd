"""What an inspector asks of a ledger: from any end of the chain, who did what, and with nothing but the file."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.rehearsals import command
from tests.unit.desk import LATER, Desk, protocol_at
from tests.unit.safety_stages import SAFETY, donor, event, lot_of_donor, safety_desk, transfer, treated
from trialwright.ledger.chain import checkpoint, verify
from trialwright.ledger.store import open_ledger
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.commands import Command
from trialwright.trial.office import Sender, register_protocol
from trialwright.views.custody_trail import custody_trail, origins_of


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Two women who were given cells of one donor, a third one of another; the first has a child."""
    desk = safety_desk(tmp_path, protocol_at(SAFETY))
    desk.do(*donor("D-2", "2"), *lot_of_donor("L-2", "B-2"))
    desk.do(*treated("P-1"), *treated("P-2", "2026-03-27"), *treated("P-3", "2026-04-03", "L-2"))
    desk.do(*transfer("P-1", "t-1", outcome="live_birth"), c.AddRecord("P-1", "child", "c-1", "2026-12-01", {}, "t-1"))
    return desk


def _told(desk: Desk, thing: str) -> str:
    """What `why` prints about a thing."""
    code, out, err = command("why", desk.place, thing)
    assert (code, err) == (0, "")
    return out


# ---------------------------------------------------------------- from any end


def test_one_question_about_a_participant_names_her_units_lots_materials_and_donor(desk: Desk) -> None:
    told = _told(desk, "P-1/product")
    for link in ("P-1 was given U-P-1", "lot L-1", "bank B-1", "tissue T-1", "donor D-1"):
        assert link in told
    assert "L-2" not in told
    assert "D-2" not in told


@pytest.mark.parametrize("source", ["D-1", "T-1", "B-1", "L-1"])
def test_one_question_about_a_donation_names_every_recipient_and_child(desk: Desk, source: str) -> None:
    told = _told(desk, source)
    assert f"{source}: given to 2 participants" in told
    for found in ("P-1, U-P-1 of lot L-1", "P-2, U-P-2 of lot L-1", "afterwards transfer t-1", "afterwards child c-1"):
        assert found in told
    assert "P-3" not in told


def test_every_link_from_donor_to_recipient_says_who_acted_in_which_role(desk: Desk) -> None:
    (given,) = origins_of(desk.cut(), "P-1")
    trail = custody_trail(desk.cut(), given.unit)
    assert trail is not None
    assert all(step.by for step in trail.steps)
    assert {step.by for step in trail.steps} == {"the investigator", "the quality person", "the coordinator"}
    streams = {"donor": "donor", "tissue": "material", "bank": "material", "lot": "lot"}
    for link in given.origin:
        acts = list(desk.ledger.events(f"{streams[link.what]}/{link.identity}"))
        assert acts, link
        assert all(one.user and one.role and one.at.endswith("Z") for one in acts), link


# ---------------------------------------------------------------- what was there before


def test_a_corrected_value_is_shown_as_it_was_with_who_changed_it_and_why(desk: Desk) -> None:
    weight = next(one for one in desk.ledger.events("participant/P-1") if one.payload.get("item") == "weight")
    (change,) = desk.do(c.Correct("P-1", weight.seq, {"value": "61 kg"}, "misread", "2026-04-01"), role="coordinator")
    before, after = _told(desk, str(weight.seq)), _told(desk, str(change.seq))
    assert "60 kg" in before
    assert f"changed by event {change.seq} (event.corrected/1): misread" in before
    assert "recorded 2026-12-31T04:00:00Z by the coordinator (coordinator)" in after
    assert "reason: misread" in after
    assert "61 kg" in after


# ---------------------------------------------------------------- two opinions on one event


@pytest.mark.parametrize("field", [{"related": "unrelated"}, {"serious": "no"}])
def test_the_sponsor_cannot_enter_or_change_the_opinion_of_the_investigator(desk: Desk, field: dict[str, str]) -> None:
    (added, *_) = desk.do(event("P-1"))
    assert added.type == e.RECORD_ADDED
    tried: list[Command] = [
        c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-22", field),
        c.AddRecord("P-1", "adverse_event", "ae-2", "2026-03-22", field),
        c.Correct("P-1", added.seq, field, "not ours", "2026-03-22"),
    ]
    for one in tried:
        assert desk.refused(one, role="sponsor") == ["role_wrong"], one
        assert desk.refused(one, role="data manager") == ["role_wrong"], one


@pytest.mark.parametrize("field", [{"related_sponsor": "unrelated"}, {"expected": "yes"}])
def test_the_investigator_cannot_enter_the_opinion_of_the_sponsor(desk: Desk, field: dict[str, str]) -> None:
    desk.do(event("P-1"))
    said = c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-22", field)
    assert desk.refused(said) == ["role_wrong"]
    assert desk.refused(said, role="sponsor") == []


# ---------------------------------------------------------------- a site and its approvals


def test_an_amended_protocol_governs_a_site_only_from_its_own_approval(desk: Desk) -> None:
    first = desk.protocol
    amended = protocol_at(SAFETY, "version: 1", "version: 2")
    by = Sender("sponsor", "sponsor", LATER)
    with desk.ledger.writing() as writer:
        register_protocol(writer, amended, by, "test", "2026-04-01")

    def governs(who: str, site: str) -> str:
        (made,) = desk.do(c.Screen(who, site, "2026-04-03"))
        return made.protocol

    assert governs("P-11", "S01") == first.digest
    assert desk.refused(c.Screen("P-21", "S02", "2026-04-03")) == ["site_not_active"]
    assert desk.refused(c.ActivateProtocol("S02", amended.digest, " ", "2026-04-02")) == ["reason_missing"]
    desk.do(c.ActivateProtocol("S02", amended.digest, "ethics 2026-2", "2026-04-02"))
    assert governs("P-22", "S02") == amended.digest
    assert governs("P-12", "S01") == first.digest, "no approval of the amendment at S01 yet"
    desk.do(c.ActivateProtocol("S01", amended.digest, "ethics 2026-3", "2026-04-04"))
    assert governs("P-13", "S01") == amended.digest


# ---------------------------------------------------------------- the file alone

#: Reads a ledger with what every Python brings: no Trialwright, no server, no package.
_READER = """
import hashlib, json, sqlite3, sys
try:
    import trialwright
except ImportError:
    pass
else:
    sys.exit("this reader is to do without trialwright")
rows = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute("SELECT * FROM event ORDER BY seq").fetchall()
heads, made, given = {}, {}, []
for *fields, digest in rows:
    seq, stream, type, payload, previous = fields[0], fields[1], fields[4], json.loads(fields[15]), fields[16]
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == digest, seq
    assert previous == heads.get(stream, ""), seq
    heads[stream] = digest
    if type in ("material.registered/1", "lot.registered/1"):
        made[payload.get("material") or payload["lot"]] = payload["parent"]
    if type == "dose.determined/1":
        given.append((stream.removeprefix("participant/"), payload["lot"]))
def donor(name):
    return donor(made[name]) if name in made else name
print(json.dumps({"events": len(rows), "given": [[who, donor(lot)] for who, lot in given]}))
"""


def test_a_ledger_is_read_and_checked_without_the_server_and_without_trialwright(desk: Desk, tmp_path: Path) -> None:
    events = desk.ledger.last()
    desk.ledger.close()
    archived = Path(shutil.copy(desk.place, tmp_path / "archived.db"))
    archived.chmod(0o400)
    read = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _READER, archived], capture_output=True, text=True, timeout=60, check=False
    )
    assert read.returncode == 0, read.stderr
    assert json.loads(read.stdout) == {"events": events, "given": [["P-1", "D-1"], ["P-2", "D-1"], ["P-3", "D-2"]]}


def test_a_ledger_written_out_as_text_and_read_in_again_is_the_same(desk: Desk, tmp_path: Path) -> None:
    events, point = list(desk.ledger.events()), checkpoint(desk.ledger)
    with closing(sqlite3.connect(desk.place)) as source:
        text = "\n".join(source.iterdump())
    with closing(sqlite3.connect(tmp_path / "again.db")) as target:
        target.executescript(text)
    with open_ledger(tmp_path / "again.db") as again:
        assert verify(again) == []
        assert (list(again.events()), checkpoint(again)) == (events, point)


def test_a_backup_taken_while_the_ledger_is_written_is_whole(desk: Desk, tmp_path: Path) -> None:
    with closing(sqlite3.connect(desk.place)) as source, closing(sqlite3.connect(tmp_path / "backup.db")) as target:
        source.backup(target)
    point = checkpoint(desk.ledger)
    desk.do(event("P-1"))
    with open_ledger(tmp_path / "backup.db") as backup:
        assert verify(backup, point) == []
        assert checkpoint(backup) == point
