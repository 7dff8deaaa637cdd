"""A casebook in a real browser, from the first query to an unlock: monitor, site, data manager and investigator."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.desk import answered, opened
from tests.web.test_story import PASSWORD, Person, Served, _people, browser, served
from trialwright.ledger.chain import verify
from trialwright.ledger.store import open_ledger
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.commands import Command
from trialwright.trial.office import Office, Sender, signatures_broken

__all__ = ["browser", "served"]

WHO = {"li": "investigator", "wang": "coordinator", "mo": "monitor", "dan": "data manager"}
CASEBOOK = "/participants/P-1/casebook/"


@pytest.fixture
def place(tmp_path: Path) -> str:
    """A ledger in a file; the pages are the same on either database, which the other story shows."""
    return str(tmp_path / "ledger.db")


def test_a_casebook_is_asked_about_verified_frozen_signed_locked_and_unlocked(browser: Any, served: Served) -> None:
    people = _people(browser, served, WHO)
    li, wang, mo, dan = (people[name] for name in WHO)
    weight = _brought_so_far(served.place)
    entry = f"/participants/P-1/entries/{weight}/"
    _is_asked_and_answers(mo, wang, entry)
    _is_verified(mo, weight)
    _is_frozen(dan, wang, weight)
    _is_signed_and_locked(li, dan, wang, weight)
    _is_unlocked_and_corrected(dan, wang, mo, weight, entry)
    _nothing_stops_a_screen_reader(mo, entry)
    assert [fault for one in people.values() for fault in one.faults] == []
    with open_ledger(served.place) as ledger:
        assert verify(ledger) == []
        assert signatures_broken(ledger) == []
        hers = [event.type for event in ledger.events(stream="participant/P-1") if event.type in e.OF_REVIEW]
    assert hers == [
        e.QUERY_RAISED, e.QUERY_ANSWERED, e.QUERY_RESOLVED, e.SOURCE_VERIFIED, e.DATA_FROZEN, e.DATA_UNFROZEN,
        e.CASEBOOK_SIGNED, e.DATA_LOCKED, e.DATA_UNLOCKED,
    ]  # fmt: skip


def _brought_so_far(place: str) -> int:
    """A woman who was screened, and whose screening ended; the number of the entry of her weight."""
    orders: list[Command] = [
        *opened(),
        *answered("P-1"),
        c.Observe("P-1", "sperm_count", "20 10*6/mL", "2026-03-02", person="partner"),
        c.HoldVisit("P-1", "screening", "2026-03-02"),
        c.EndScreening("P-1", "her wish", "2026-03-05"),
    ]
    with open_ledger(place) as ledger:
        office, now = Office(ledger, "test"), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for number, command in enumerate(orders):
            role = {c.AnswerQuestion: "sponsor", c.ValidateHold: "quality person"}.get(type(command), "investigator")
            office.submit(command, Sender("li", role, now), f"before {number}")
        events = ledger.events(stream="participant/P-1")
        return next(event.seq for event in events if event.payload.get("item") == "weight")


def _is_asked_and_answers(mo: Person, wang: Person, entry: str) -> None:
    mo.opens(entry)
    mo.follows("Raise a query")
    mo.fills(says="The notes say 62 kg. Please compare.")
    mo.presses("Raise it")
    wang.opens("/")
    assert "The notes say 62 kg" in wang.sees(), "the query is on the page of the day"
    wang.opens("/queries")
    wang.follows("P-1 Q1")
    wang.follows("Answer")
    wang.fills(answer="The scales say 60 kg; the notes were mended.")
    wang.presses("Answer")
    assert "answered" in wang.sees()
    mo.opens("/queries?state=answered")
    mo.follows("P-1 Q1")
    mo.follows("Close")
    mo.presses("Close it")
    assert "closed" in mo.sees()


def _is_verified(mo: Person, weight: int) -> None:
    mo.opens(CASEBOOK)
    form = mo.page.locator("#form-screening-")
    form.locator("summary").click()
    form.locator(f"#v{weight}").check()
    with mo.page.expect_navigation(wait_until="domcontentloaded"):
        form.get_by_role("button", name="Ticked entries are as in the source").click()
    assert "1 of" in mo.page.locator("#form-screening- summary").inner_text()


def _is_frozen(dan: Person, wang: Person, weight: int) -> None:
    dan.opens(CASEBOOK)
    dan.follows("Freeze")
    dan.fills(reason="interim review")
    dan.presses("Freeze")
    assert "Frozen by dan" in dan.sees()
    assert "is frozen: dan froze it" in _corrects(wang, weight, "61")
    dan.follows("Unfreeze")
    dan.fills(reason="the review is done")
    dan.presses("Unfreeze")


def _is_signed_and_locked(li: Person, dan: Person, wang: Person, weight: int) -> None:
    dan.opens(CASEBOOK)
    dan.follows("Lock")
    dan.presses("Lock")
    assert "her casebook is not signed" in dan.sees()
    li.opens(CASEBOOK)
    li.follows("Sign the casebook")
    li.fills(password=PASSWORD)
    li.presses("Sign")
    assert "I have reviewed the casebook of this participant" in li.sees()
    dan.opens(CASEBOOK)
    dan.follows("Lock")
    dan.presses("Lock")
    assert "Locked by dan" in dan.sees()
    assert "is locked, by dan (data manager)" in _corrects(wang, weight, "61")


def _is_unlocked_and_corrected(dan: Person, wang: Person, mo: Person, weight: int, entry: str) -> None:
    dan.opens(CASEBOOK)
    dan.follows("Unlock")
    dan.presses("Unlock")
    assert "Nothing was recorded" in dan.sees(), "it needs a reason"
    dan.fills(reason="the weight was misread")
    dan.presses("Unlock")
    assert "Nothing was recorded" not in _corrects(wang, weight, "61")
    mo.opens(entry)
    assert mo.page.locator("del").inner_text() == "60 kg"
    assert mo.page.locator("ins").inner_text() == "61 kg"
    assert "void" in mo.page.locator("aside").inner_text()
    mo.opens(CASEBOOK)
    assert "void: signed by li" in mo.sees()


def _corrects(wang: Person, weight: int, value: str) -> str:
    """What a page says after a correction was tried from a link that was open before."""
    wang.opens(f"/order/correct?participant=P-1&event={weight}&item=weight&old=60+kg&back=/participants/P-1/")
    wang.fills(value=value, reason="misread")
    wang.presses("Correct")
    return wang.sees()


def _nothing_stops_a_screen_reader(mo: Person, entry: str) -> None:
    """axe-core finds nothing on the pages of the review."""
    from axe_playwright_python.sync_playwright import Axe

    for address in ("/queries?state=all", "/participants/P-1/queries/Q1/", "/casebooks", CASEBOOK, entry, "/trail"):
        mo.opens(address)
        found = Axe().run(mo.page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], address
