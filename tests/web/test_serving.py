"""Starting: what `serve` refuses, a demonstration, a centre's first start, and what lies beside the ledger."""

from __future__ import annotations

import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.rehearsals import DOR, IUA, command
from tests.web.conftest import configured, signed_in
from trialwright.ledger.chain import verify
from trialwright.ledger.store import open_ledger
from trialwright.protocol.load import load
from trialwright.rehearsal.model import load_model
from trialwright.trial.delegations import ROLES
from trialwright.web import demonstration, server
from trialwright.web.desk import Desk


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "No ledger was named"),
        (("nowhere.db",), "nowhere.db"),
        (("--protocol", "nowhere", "new.db"), "nowhere"),
        (("--demo", "--protocol", "nowhere"), "nowhere"),
    ],
)
def test_serve_says_why_it_cannot_start(
    words: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = command("serve", *words)
    assert code == 2
    assert says in err
    assert not list(tmp_path.iterdir()), "nothing half-made lies about"


def test_a_demonstration_stands_in_the_middle_of_the_trial_with_people_of_every_role(tmp_path: Path) -> None:
    configured()
    from django.test import Client, override_settings

    protocol, _ = load(DOR)
    assert protocol is not None
    model = load_model(protocol, DOR)
    said: list[str] = []
    with demonstration.rehearsed(protocol, model, str(tmp_path / "ledger.db"), 1, said.append) as ledger:
        day = demonstration.opens_on(model)
        assert max(event.at[:10] for event in ledger.events()) < str(day)
        zone = protocol.document.zone
        clock, later = demonstration.clock_from(day, zone, datetime.now(UTC)), [timedelta(0)]
        desk = Desk(ledger, "test", lambda: clock() + later[0])
        assert desk.today() == day
        with override_settings(DESK=desk, DEMO=True):
            demonstration.populate(desk, model.document.site, model.document.start)
            demonstration.report_an_event(desk)
            assert verify(ledger) == []
            door = Client().get("/sign-in").content.decode()
            assert all(f">{role}</button>" in door for role in ROLES)
            assert "Virtual participants" in door
            for role in ROLES:
                answer = signed_in(role.replace(" ", "-")).get("/")
                assert answer.status_code == 200, role
                assert "Virtual participants. No woman was treated" in answer.content.decode(), role
            assert "23 h 3" in signed_in("investigator").get("/").content.decode()
            later[0] = timedelta(hours=5)
            assert "18 h 3" in signed_in("investigator").get("/").content.decode(), (
                "a clock runs on while nothing happens"
            )


def test_a_rehearsal_that_stops_on_a_day_begins_as_the_whole_one_does(tmp_path: Path) -> None:
    protocol, _ = load(DOR)
    assert protocol is not None
    model = load_model(protocol, DOR)
    with demonstration.rehearsed(protocol, model, str(tmp_path / "part.db"), 1, lambda _text: None) as part:
        hashes = [event.hash for event in part.events()]
    from tests.rehearsals import rehearsed

    with open_ledger(rehearsed(DOR) / "ledger.db") as whole:
        assert [event.hash for event in whole.events(upto=len(hashes))] == hashes
        assert whole.last() > len(hashes)


def test_the_day_of_the_demonstration_has_an_infusion_due() -> None:
    protocol, _ = load(IUA)
    assert protocol is not None
    assert demonstration.opens_on(load_model(protocol, IUA)) == date(2026, 8, 6)


def test_the_secret_is_made_once_and_read_by_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIALWRIGHT_SECRET", raising=False)
    place = str(tmp_path / "trial.db")
    first = server.secret_beside(f"{place}.accounts", place)
    assert len(first) >= 48
    assert server.secret_beside(f"{place}.accounts", place) == first
    assert stat.S_IMODE((tmp_path / "trial.db.accounts.secret").stat().st_mode) == 0o600
    monkeypatch.setenv("TRIALWRIGHT_SECRET", "of the machine")
    assert server.secret_beside(f"{place}.accounts", place) == "of the machine"
