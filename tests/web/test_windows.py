"""In a real browser: a lost connection, a session that ends in the middle, its warning, and passkeys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.centre import PASSWORD, Person, Served, people, serving
from tests.web.test_story import browser
from trialwright.ledger.store import open_ledger

__all__ = ["browser"]

VISIT = "/participants/P-1/visits/screening/"


@pytest.fixture(scope="module")
def centre(browser: Any, tmp_path_factory: Any) -> Iterator[tuple[Served, dict[str, Person]]]:
    """A trial with one woman in screening, and an investigator and a coordinator."""
    folder = tmp_path_factory.mktemp("centre")
    with serving(str(folder / "trial.ledger"), folder / "server.log") as served:
        found = people(browser, served, {"li": "investigator", "wang": "coordinator"})
        li, wang = found["li"], found["wang"]
        li.opens("/trial")
        li.follows("Activate")
        li.fills(approval="ethics committee 2026-1")
        li.presses("Activate")
        li.orders("answer-question", "Answer", "question=consent_form&back=/trial", answer="long")
        wang.orders("screen", "Take into screening", participant="P-1", site="S01")
        li.orders("consent", "Record consent", "participant=P-1", version="1")
        yield served, found


@pytest.fixture
def wang(centre: tuple[Served, dict[str, Person]]) -> Iterator[Person]:
    """The coordinator; what her browser reports of a lost connection is no fault of the page."""
    person = centre[1]["wang"]
    yield person
    person.page.context.set_offline(False)
    lost = re.compile(
        r"ERR_INTERNET_DISCONNECTED|status of 401|Failed to load resource|^htmx:|^Response Status Error Code 401"
    )
    assert [one for one in person.faults if not lost.search(one)] == []
    person.faults.clear()


def _kept(person: Person, says: str) -> str:
    line = person.page.locator("#kept", has_text=says)
    line.wait_for(timeout=30000)
    return str(line.inner_text())


def test_what_is_typed_without_a_connection_stays_in_the_window_and_is_kept_once_it_is_back(wang: Person) -> None:
    page = wang.page
    wang.opens(VISIT)
    page.context.set_offline(True)
    wang.fills(weight="61")
    assert re.fullmatch(r"Kept in this window only since \d\d:\d\d; trying again\.", _kept(wang, "this window only"))
    wang.fills(amh="0.91")
    asked: list[str] = []

    def stays(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stays)
    page.evaluate("location.href = '/'")
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"], "nobody leaves without being asked"
    assert page.url.endswith(VISIT)
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert not [one for one in ("61", "0.91") if one in stored], (
        "nothing is written where the next one at the tablet could read it"
    )
    page.context.set_offline(False)
    _kept(wang, "Draft kept")
    wang.opens(VISIT)
    assert [page.locator(f'[name="{one}"]').input_value() for one in ("weight", "amh")] == ["61", "0.91"]


def test_saving_without_a_connection_goes_on_once_it_is_back(
    wang: Person, centre: tuple[Served, dict[str, Person]]
) -> None:
    page = wang.page
    wang.opens(VISIT)
    page.context.set_offline(True)
    wang.fills(weight="62")
    page.get_by_role("button", name="Save").click()
    _kept(wang, "this window only")
    with page.expect_navigation(wait_until="domcontentloaded", timeout=30000):
        page.context.set_offline(False)
    with open_ledger(centre[0].place) as ledger:
        values = [one.payload["value"] for one in ledger.events(types=["observation.recorded/1"])]
    assert "62" in str(values)


def test_a_session_that_ends_in_the_middle_loses_nothing(wang: Person) -> None:
    page = wang.page
    wang.opens(VISIT)
    page.context.clear_cookies(name="sessionid")
    wang.fills(amh="0.77")
    assert "You were signed out" in _kept(wang, "sign in in another window")
    assert page.url.endswith(VISIT), "the page has not left for the door"
    page.get_by_role("button", name="Save").click()
    other = page.context.new_page()
    other.goto("/sign-in")
    other.fill('[name="username"]', "wang")
    other.fill('[name="password"]', PASSWORD)
    with page.expect_navigation(wait_until="domcontentloaded", timeout=30000):
        other.get_by_role("button", name="Sign in").click()
    other.close()
    assert "0.77" in page.content()
    wang.opens("/participants/P-1/visits/screening/")
    assert "draft" not in wang.sees().lower()


def test_two_minutes_before_a_session_ends_the_page_says_so_and_one_click_goes_on(
    centre: tuple[Served, dict[str, Person]],
) -> None:
    context = centre[1]["li"].page.context
    page = context.new_page()
    page.clock.install()
    page.goto("/participants/P-1/identity")
    banner = page.locator("#idle")
    page.clock.fast_forward("27:00")
    assert not banner.is_visible()
    page.clock.fast_forward("01:30")
    banner.wait_for()
    assert re.search(r"signed out at \d\d:\d\d", banner.inner_text())
    with page.expect_response("**/stay") as answer:
        page.get_by_role("button", name="Stay signed in").click()
    assert answer.value.status == 204
    banner.wait_for(state="hidden")
    page.clock.fast_forward("28:10")
    banner.wait_for()
    with page.expect_navigation(url="**/sign-in?next=*"):
        page.clock.fast_forward("02:30")
    page.close()


def test_a_passkey_is_added_lets_in_and_signs(centre: tuple[Served, dict[str, Person]]) -> None:
    served, found = centre
    li = found["li"]
    page = li.page
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
               "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    key = device.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    li.opens("/passkeys")
    li.fills(name="telephone", password=PASSWORD)
    li.presses("Add a passkey")
    assert "telephone is one of your passkeys now" in li.sees()
    _signs_out(li)
    li.fills(username="li", password=PASSWORD)
    li.presses("Sign in")
    assert "Your passkey" in li.sees()
    li.opens("/")
    assert "/sign-in" in page.url, "the password alone opens nothing"
    li.fills(username="li", password=PASSWORD)
    li.presses("Sign in")
    li.presses("Sign in with a passkey")
    assert "/sign-in" not in page.url
    li.opens("/order/order-erasure?participant=P-1&back=/participants/P-1/")
    li.fills(reason="she asked for it")
    device.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.get_by_role("button", name="Sign with a passkey").click()
    page.get_by_text("No passkey was used; nothing was sent.").wait_for()
    device.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True})
    li.presses("Sign with a passkey")
    assert "/order/" not in page.url, li.sees()
    with open_ledger(served.place) as ledger:
        (signature,) = ledger.events(types=["signature.made/1"])
    assert signature.payload["method"] == "passkey"
    assert li.faults == []
    li.opens("/passkeys")
    page.get_by_text("Remove telephone").click()
    li.fills(password=PASSWORD)
    page.locator('details[open] [name="password"]').fill(PASSWORD)
    li.presses("Remove it")
    assert "telephone is removed" in li.sees()


def _signs_out(person: Person) -> None:
    person.opens("/")
    person.page.locator("details.me summary").click()
    person.presses("Sign out")


def test_nothing_stops_a_screen_reader_on_the_new_pages(centre: tuple[Served, dict[str, Person]]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for name, addresses in (
        ("wang", ("/find", "/participants/P-1/identity", "/screening", "/order/note?participant=P-1", "/passkeys")),
        ("admin", ("/people/erasures", "/people/sign-ins", "/people")),
    ):
        person = centre[1][name]
        for address in addresses:
            person.opens(address)
            found = Axe().run(person.page).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], address
