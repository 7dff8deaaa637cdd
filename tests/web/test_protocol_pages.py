"""The pages of the protocol: part by part, sentence by sentence, and the versions with what differs between them."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsals import command
from tests.unit.desk import BLINDED, SMALL, protocol_at
from tests.unit.desk import Desk as Prepared
from tests.unit.safety_stages import SAFETY, event, safety_desk, treated
from tests.web.conftest import configured, signed_in
from trialwright.cli import serve
from trialwright.core.finding import Refused
from trialwright.ledger.store import open_ledger
from trialwright.report.board import open_board
from trialwright.report.study import open_study
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.office import Sender, register_protocol
from trialwright.web.boundary import boundary_now
from trialwright.web.desk import Desk

LATER = datetime(2026, 12, 30, 3, 30, tzinfo=UTC)
BY = Sender("set-up", "administrator", "2026-03-20T03:00:00Z")


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def _amended(desk: Desk) -> str:
    """A second version in the ledger; its digest."""
    later = protocol_at(SMALL, "amh < 1.10 ng/mL", "amh < 1.20 ng/mL")
    with desk.ledger.writing() as writer:
        register_protocol(writer, later, BY, "test", "2026-03-20")
    return later.digest


def test_the_words_of_the_record_stand_beside_the_rule_that_executes_them(desk: Desk) -> None:
    page = signed_in("investigator").get("/trial/protocol").content.decode()
    clause = page.partition('id="population.inclusion.I1"')[2].partition("</article>")[0]
    quote, _, does = clause.partition('class="does"')
    assert "Women with anti-Müllerian hormone below 1.10 ng/mL" in quote
    assert "amh &lt; 1.10 ng/mL" in does
    assert "is below 1.10 ng/mL" in does


def test_a_search_keeps_what_holds_the_words_and_says_so_where_nothing_does(desk: Desk) -> None:
    client = signed_in("auditor")
    found = client.get("/trial/protocol?q=below 1.10", headers={"HX-Request": "true"}).content.decode()
    assert re.findall(r'class="clause" id="([^"]+)"', found) == ["population.inclusion.I1"]
    assert "Nothing in it." in client.get("/trial/protocol?q=zebra").content.decode()


def test_every_sentence_of_the_record_leads_to_what_executes_it(desk: Desk) -> None:
    client = signed_in("sponsor")
    page = client.get("/trial/record").content.decode()
    anchors = set(re.findall(r'href="/trial/protocol\?version=\w+#([^"]+)"', page))
    assert anchors
    there = client.get("/trial/protocol").content.decode()
    assert all(f'id="{one}"' in there for one in anchors)


def test_a_new_version_is_in_force_nowhere_until_it_is_activated_after_its_approval(desk: Desk) -> None:
    first = desk.protocol().digest
    digest = _amended(desk)
    assert desk.protocol().digest == first
    assert open_study(desk.ledger).cut.protocol.digest == first, "a version that nobody works by reports nothing"
    client = signed_in("investigator")
    text = _text(client.get("/trial/versions"))
    assert "not activated" in text
    assert "amh &lt; 1.10 ng/mL amh &lt; 1.20 ng/mL" in text, "old and new stand beside each other"
    told = {"form": "a", "site": "S01", "digest": digest, "approval": "ethics 2026-9", "on": "2026-03-20"}
    assert client.post("/order/activate-protocol", told).status_code == 302
    text = _text(client.get("/trial/versions"))
    assert "in force at S01" in text
    assert "in force at S02" in text
    assert "ethics 2026-9" in text
    assert desk.protocol("S01").digest == digest
    assert desk.protocol("S02").digest == first
    assert desk.protocol("").digest == digest, "whoever works at every site reads the newest in force"


def test_a_version_that_is_not_there_is_not_found(desk: Desk) -> None:
    assert signed_in("investigator").get("/trial/protocol?version=abc").status_code == 404


@pytest.mark.parametrize(
    ("masking", "role", "status"),
    [
        ("", "investigator", 200),
        ("", "cell-laboratory", 403),
        ("masking: double, ", "investigator", 404),
        ("masking: double, ", "auditor", 404),
        ("masking: double, ", "safety-board", 200),
    ],
)
def test_in_a_masked_trial_the_board_alone_sees_how_near_the_events_are(
    tmp_path: Path, masking: str, role: str, status: int
) -> None:
    configured()
    from django.test import override_settings

    allocation = "allocation: non-randomised, "
    made = safety_desk(tmp_path, protocol_at(SAFETY, allocation, allocation + masking))
    made.do(*treated("P-1"), *treated("P-2", day="2026-03-28"))
    given = c.Delegate(role, role.replace("-", " "), "2026-01-01", "GCP", "2026-03-01")
    made.do(given, role="administrator")
    found = Desk(made.ledger, "test", lambda: LATER)
    with override_settings(DESK=found):
        answer = signed_in(role).get("/safety/boundary.svg")
        assert answer.status_code == status
        page = signed_in(role).get("/safety")
        assert ("of 2 treated had an event that counts" in _text(page)) == (status == 200)
    told = boundary_now(found)
    board = open_board(open_study(made.ledger, found.today()), made.ledger)
    assert told is not None
    assert board.boundary is not None
    assert told.steps == board.boundary.steps, "the page and the report say the same"


def test_what_is_kept_of_the_boundary_follows_doses_events_corrections_and_what_is_taken_back(tmp_path: Path) -> None:
    made = safety_desk(tmp_path, protocol_at(SAFETY))
    found = Desk(made.ledger, "test", lambda: LATER)

    def told(*commands: Any) -> None:
        made.do(*commands)
        assert _boundary(found) == _boundary(Desk(made.ledger, "test", lambda: LATER)) == _as_reported(made, found)

    told()
    told(*treated("P-1"))
    told(*treated("P-2", "2026-03-28"))
    (performed,) = (one for one in made.ledger.events(types=[e.PERFORMED]) if one.stream == "participant/P-2")
    told(c.VoidEvent("P-2", performed.seq, "entered for the wrong woman", "2026-03-29"))
    told(c.Perform("P-2", "infusion", "infusion-2", "2026-03-28T10:00", unit="U-P-2"))
    told(event("P-1", on="2026-03-29"))
    told(c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-30", {"related": "unrelated"}))
    told(*treated("P-3", "2026-04-02"))
    told(event("P-2", on="2026-04-03"))
    told(c.Observe("P-3", "weight", "60 kg", "2026-04-03"))


def _boundary(desk: Desk) -> tuple[Any, ...]:
    told = boundary_now(desk)
    assert told is not None
    return told.steps, told.counted, told.says


def _as_reported(made: Prepared, desk: Desk) -> tuple[Any, ...]:
    told = open_board(open_study(made.ledger, desk.today()), made.ledger).boundary
    assert told is not None
    return told.steps, told.counted, told.says


def test_serve_puts_a_new_version_into_a_ledger_that_is_there_once(tmp_path: Path) -> None:
    made = Prepared(tmp_path)
    made.ledger.close()
    folder = tmp_path / "amended"
    folder.mkdir()
    for name, content in protocol_at(SMALL, "amh < 1.10 ng/mL", "amh < 1.20 ng/mL").files.items():
        (folder / name).write_bytes(content)
    parser = argparse.ArgumentParser()
    serve.arguments(parser)
    for _ in range(2):
        with serve._ledger(parser.parse_args([str(made.place), "--protocol", str(folder)])) as ledger:
            assert len(list(ledger.events(types=[e.PROTOCOL_REGISTERED]))) == 2
    with pytest.raises(Refused, match="holds SMALL01"):
        list(_opened(parser.parse_args([str(made.place), "--protocol", str(BLINDED)])))
    with open_ledger(made.place) as ledger:
        assert len(list(ledger.events(types=[e.PROTOCOL_REGISTERED]))) == 2


def _opened(options: Any) -> Any:
    with serve._ledger(options) as ledger:
        yield ledger


def test_serve_refuses_the_protocol_of_another_trial_on_the_command_line(tmp_path: Path) -> None:
    made = Prepared(tmp_path)
    made.ledger.close()
    code, _, err = command("serve", str(made.place), "--protocol", str(BLINDED))
    assert code == 2
    assert "holds SMALL01" in err
