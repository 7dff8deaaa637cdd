"""The whole story in a real browser, from the first account to the report; `test_story_postgresql` tells it again."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.unit.desk import DOSE, SMALL
from trialwright.ledger.chain import verify
from trialwright.ledger.store import open_ledger

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
PASSWORD = "a long and fresh pass phrase"
WHO = {
    "li": "investigator",
    "wang": "coordinator",
    "qin": "quality person",
    "zhao": "cell laboratory",
    "dan": "data manager",
}
#: How htmx reports a check that a later one replaced or whose page was left; a request that fails is a fault by itself.
_LEFT_BEHIND = ("htmx:afterRequest", "htmx:sendError", "htmx:sendAbort")


@dataclass
class Served:
    """A server in a process of its own: its address, its place, and what it printed."""

    address: str
    place: str
    code: str


@pytest.fixture
def served(place: str, tmp_path: Path) -> Iterator[Served]:
    """`trialwright serve` of a new real trial, on either database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "trialwright", "serve", place, "--protocol", str(SMALL), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        printed = ""
        while "with the code" not in printed:
            line = process.stdout.readline()
            assert line, printed
            printed += line
        code = re.search(r"code (\w+)", printed)
        assert code is not None, printed
        address = f"http://127.0.0.1:{port}"
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5)
                break
            except OSError:
                time.sleep(0.1)
        yield Served(address, place, code[1])
    finally:
        process.terminate()
        assert process.wait(10) == 0
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium; where there is none the story is skipped, and says so."""
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: install the package chromium, or name one with CHROMIUM=")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


class Person:
    """Somebody with a browser window of her own; what went wrong in its console is remembered."""

    def __init__(self, browser: Any, served: Served) -> None:
        self.page = browser.new_context(base_url=served.address, viewport={"width": 1280, "height": 800}).new_page()
        self.page.set_default_timeout(8000)
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("requestfailed", self._fails)
        self.page.on("console", lambda told: self._notes(told) if told.type == "error" else None)

    def _fails(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"{request.url}: {request.failure}")

    def _notes(self, told: Any) -> None:
        if not told.text.startswith(_LEFT_BEHIND):
            self.faults.append(told.text)

    def opens(self, address: str) -> None:
        """Go to a page of the application."""
        self.page.goto(address, wait_until="domcontentloaded")

    def fills(self, **fields: str) -> None:
        """Type into fields by their names; `__` stands for a dot."""
        for name, value in fields.items():
            field = self.page.locator(f'[name="{name.replace("__", ".")}"]:not([type="hidden"])').first
            match field.evaluate("one => one.type || one.tagName"):
                case "radio":
                    self.page.locator(f'[name="{name.replace("__", ".")}"][value="{value}"]').check(force=True)
                case "checkbox":
                    field.check()
                case "select-one":
                    field.select_option(value)
                case _:
                    field.fill(value)

    def presses(self, says: str) -> None:
        """Press a button, and wait for the page that follows."""
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            self.page.get_by_role("button", name=says, exact=True).click()

    def follows(self, says: str) -> None:
        """Follow a link that is called so."""
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            self.page.get_by_role("link", name=says, exact=True).first.click()

    def orders(self, name: str, button: str, query: str = "", **fields: str) -> None:
        """Fill in an order and send it; it is taken."""
        self.opens(f"/order/{name}?{query}")
        self.fills(**fields)
        self.presses(button)
        assert "/order/" not in self.page.url, self.sees()

    def sends(self, address: str, **form: str) -> str:
        """Send a form with her cookies, and read what comes back, without showing it."""
        request = self.page.request
        request.get("/sign-in")
        cookies = {one["name"]: one["value"] for one in self.page.context.cookies()}
        headers = {"X-CSRFToken": cookies["csrftoken"]}
        return str(request.post(address, form=form, headers=headers).text())

    def sees(self) -> str:
        """The text of the page."""
        return str(self.page.locator("main").inner_text())


@pytest.fixture
def place(tmp_path: Path) -> str:
    """Ledger, accounts and vault in files."""
    return str(tmp_path / "trial.ledger")


def test_the_whole_story_from_the_first_account_to_the_report(browser: Any, served: Served) -> None:
    tells(browser, served)


def tells(browser: Any, served: Served) -> None:
    """The whole story, at any place."""
    people = _people(browser, served)
    li, wang, qin, zhao, dan = (people[name] for name in WHO)
    _opens_the_trial(li, qin)
    _finds_one_who_does_not_fit(wang, li)
    _screens(wang, li)
    _signs(li)
    _brings_a_unit(li, zhao, qin, wang)
    _checks_at_the_bedside(wang, li)
    _infuses(li, zhao, wang)
    _reports_a_serious_event(li)
    _transfers_and_is_pregnant(li, wang)
    _follows_up_with_a_correction(wang)
    _reads_the_trail(li)
    _signs_and_locks_the_casebook(li, dan, wang)
    _has_the_report(dan)
    if "://" not in served.place:  # the pages are the same on either database
        _nothing_stops_a_screen_reader(li)
    assert [fault for one in people.values() for fault in one.faults] == []
    with open_ledger(served.place) as ledger:
        assert verify(ledger) == []
        types = [event.type for event in ledger.events()]
    assert {
        "participant.enrolled/1",
        "allocation.made/1",
        "lot.released/1",
        "infusion.ended/1",
        "event.corrected/1",
        "casebook.signed/1",
        "data.locked/1",
    } <= set(types)
    assert types.count("unit.verified/1") == 2
    assert types.count("signature.made/1") == 7


def _people(browser: Any, served: Served, who: dict[str, str] = WHO) -> dict[str, Person]:
    """The first account, from the code on the console; then the others, each with a role and a password of her own."""
    admin = Person(browser, served)
    admin.opens("/")
    assert admin.page.url.endswith("/set-up")
    admin.fills(code="guessed", username="admin", name="The Administrator", password=PASSWORD)
    admin.presses("Make the account")
    assert "not the code" in admin.sees()
    admin.fills(code=served.code, password=PASSWORD)
    admin.presses("Make the account")
    admin.fills(username="admin", password=PASSWORD)
    admin.presses("Sign in")
    people = {name: Person(browser, served) for name in who}
    today = str(datetime.now(ZoneInfo("Asia/Shanghai")).date())
    for name, role in who.items():
        site = "" if role == "data manager" else "S01"  # the report of the whole trial is for who sees all of it
        given = {"user": name, "role": role, "site": site, "begins": today, "training": "GCP 2026"}
        if name == "li":  # the first one as people do it; the others send the same forms without looking at the pages
            _comes_in_by_hand(admin, people[name], name, given)
        else:
            _comes_in(admin, people[name], name, {**given, "on": today, "form": f"delegation of {name}"})
    assert admin.faults == []
    return people


def _comes_in_by_hand(admin: Person, person: Person, name: str, given: dict[str, str]) -> None:
    admin.opens("/people")
    admin.fills(username=name, name=name.title())
    admin.presses("Make it")
    first = re.search(r"sign in once with (\S+),", admin.sees())
    assert first is not None, admin.sees()
    admin.orders("delegate", "Delegate", "back=/people", **given)
    person.opens("/")
    person.fills(username=name, password=first[1])
    person.presses("Sign in")
    person.fills(new_password1=PASSWORD, new_password2=PASSWORD)
    person.presses("Use it")


def _comes_in(admin: Person, person: Person, name: str, given: dict[str, str]) -> None:
    page = admin.sends("/people/new", username=name, name=name.title())
    first = re.search(r"sign in once with (\S+),", page)
    assert first is not None, page
    assert f"<td>{given['role']}</td>" in admin.sends("/order/delegate", **given, back="/people")
    person.sends("/sign-in", username=name, password=first[1])
    assert "Sign out" in person.sends("/password", new_password1=PASSWORD, new_password2=PASSWORD)


def _opens_the_trial(li: Person, qin: Person) -> None:
    li.opens("/trial")
    li.follows("Activate")
    li.fills(approval="ethics committee 2026-1")
    li.presses("Activate")
    for question, answer in (("consent_form", "long"), ("dose", DOSE), ("route", "vein")):
        li.orders("answer-question", "Answer", f"question={question}&back=/trial", answer=answer)
    assert "Answer" not in li.sees()
    qin.orders("validate-hold", "Record", product="cell_product", hours="4", report="validation report 7")


def comes(wang: Person, li: Person, who: str, **on: str) -> None:
    """A woman comes and consents, today or on a day."""
    wang.opens("/screening")
    wang.follows("Screen a woman")
    wang.fills(participant=who, site="S01", **on)
    wang.presses("Take into screening")
    li.orders("consent", "Record consent", f"participant={who}", version="1", **on)


def _finds_one_who_does_not_fit(wang: Person, li: Person) -> None:
    comes(wang, li, "P-2")
    wang.opens("/participants/P-2/visits/screening/")
    wang.fills(birth_date="1994-05", amh="5")
    wang.presses("Save")
    assert "ineligible" in wang.page.locator("#panel").inner_text()
    li.orders("confirm-eligibility", "Sign", "participant=P-2&back=/participants/P-2/", password=PASSWORD)
    assert "ineligible" in li.sees()
    li.orders("end-screening", "End screening", "participant=P-2", reason="AMH of 5 ng/mL")
    li.opens("/order/enrol?participant=P-2")
    li.fills(password=PASSWORD)
    li.presses("Sign and enrol")
    assert "Nothing was recorded" in li.sees()


def _screens(wang: Person, li: Person) -> None:
    """Ineligible as it is typed, then eligible; the lists that make an absence mean no are closed."""
    before = str(datetime.now(ZoneInfo("Asia/Shanghai")).date() - timedelta(days=1))
    comes(wang, li, "P-1", on=before)
    for number in (1, 2):
        wang.orders("add-record", "Add", "participant=P-1&kind=earlier_cycle", on=f"2025-0{number}", outcome="failed")
    visit = "/participants/P-1/visits/screening/"
    wang.opens(visit)
    assert "undetermined" in wang.page.locator("#panel").inner_text()
    wang.fills(amh="5")
    wang.page.locator("#panel .verdict.bad").wait_for()
    wang.fills(on=before, amh="0.80", birth_date="1990-03-02", weight="6000", partner__sperm_count="22")
    wang.page.locator("#m-weight .refused").wait_for()
    wang.fills(weight="60")
    wang.page.locator("#m-weight .hint").wait_for()
    wang.page.locator("#kept", has_text="Draft kept").wait_for()
    wang.opens(visit)
    assert wang.page.locator('[name="birth_date"]').input_value() == "1990-03-02", "the draft is on the server"
    wang.page.locator('[name="close:earlier_cycle"]').check()
    wang.page.locator('[name="close:medical_history"]').check()
    wang.presses("Save")
    li.opens(visit)
    li.fills(on=before, fit_for_trial="yes")
    li.page.locator("#panel .verdict.good").wait_for()
    li.fills(ends="yes")
    li.presses("Save")


def _signs(li: Person) -> None:
    li.opens("/participants/P-1/")
    li.follows("Confirm eligibility")
    li.fills(password="a guess")
    li.presses("Sign")
    assert "nothing was signed" in li.sees()
    li.fills(password=PASSWORD)
    li.presses("Sign")
    li.follows("Enrol")
    li.fills(password=PASSWORD)
    li.presses("Sign and enrol")
    li.follows("Allocate")
    li.fills(arm="cells", reason="her wish", decided_by="Dr Li", password=PASSWORD)
    li.presses("Sign and allocate")
    assert "in arm cells" in li.sees()
    assert li.page.locator(".signatures li", has_text="Li (li), investigator").count() == 3


def _brings_a_unit(li: Person, zhao: Person, qin: Person, wang: Person) -> None:
    """A lot is registered, tested and released; a unit of it is ordered, prepared, released, carried and received."""
    zhao.orders("register-lot", "Register", lot="L-1", product="cell_product")
    zhao.orders("test-lot", "Record results", "lot=L-1", viability="91", viable_cells="100")
    zhao.opens("/order/release-lot?lot=L-1")
    assert "Not for this role" in zhao.sees()
    zhao.faults.clear()  # the browser reports the refused page
    qin.opens("/product/lots/L-1/")
    qin.follows("Release the lot")
    qin.fills(password=PASSWORD)
    qin.presses("Sign and release")
    wang.opens("/participants/P-1/visits/infusion/")
    wang.fills(hcg="1")
    wang.presses("Save")
    li.orders("order-unit", "Order", "participant=P-1", unit="U-1", intervention="infusion")
    unit = "unit=U-1"
    zhao.orders("manufacture-unit", "Record preparation", unit, lot="L-1", total="60000000", viability="100 %",
                volume="50 mL")  # fmt: skip
    qin.orders("release-unit", "Sign and release", unit, password=PASSWORD)
    zhao.orders("issue-unit", "Issue", unit, logger="logger 3")
    wang.orders("receive-unit", "Receive", unit, intact="yes")


def _checks_at_the_bedside(wang: Person, li: Person) -> None:
    wang.opens("/order/verify-unit?back=/product/units/U-1/")
    wang.page.locator('[name="unit"]:focus').wait_for()
    wang.page.keyboard.type("U-1")
    wang.page.keyboard.press("Enter")
    wang.page.keyboard.type("P-2")
    wang.page.keyboard.press("Enter")
    wang.page.keyboard.type("1990-03-02")
    wang.presses("This unit is for this woman")
    assert "Nothing was recorded" in wang.sees()
    wang.fills(participant="P-1")
    wang.presses("This unit is for this woman")
    assert "Checked once, by wang" in wang.sees(), wang.sees()
    again = {"unit": "U-1", "participant": "P-1", "second": "1990-03-02"}
    wang.opens("/order/verify-unit")
    wang.fills(**again)
    wang.presses("This unit is for this woman")
    assert "Nothing was recorded" in wang.sees()
    li.orders("verify-unit", "This unit is for this woman", "back=/product/units/U-1/", **again)
    assert "verified" in li.sees()


def _infuses(li: Person, zhao: Person, wang: Person) -> None:
    li.follows("Begin the infusion")
    li.presses("Carry out")
    assert "infusing" in li.sees()
    li.follows("End the infusion")
    li.fills(infused="50 mL", flush="1 mL")
    li.presses("End it")
    assert "60\u202f000\u202f000 cells, 1 of the plan" in li.sees()
    zhao.orders("reconcile-unit", "Account for it", "unit=U-1", disposal="bag destroyed")
    wang.opens("/participants/P-1/visits/infusion/")
    wang.fills(ends="yes")
    wang.presses("Save")


def _reports_a_serious_event(li: Person) -> None:
    li.opens("/safety")
    li.page.get_by_label("Report an event of").fill("P-1")
    li.presses("Report")
    li.fills(record="AE-1", term="fever", grade="3", serious="yes", related="possible")
    li.presses("Add")
    li.opens("/participants/P-1/")
    assert "AE-1" in li.sees()


def _transfers_and_is_pregnant(li: Person, wang: Person) -> None:
    li.opens("/participants/P-1/visits/transfer/")
    li.follows("Transfer of an embryo")
    li.fills(record="T-1")
    li.presses("Carry out")
    assert "50 days outside the window of transfer" in li.sees()
    li.fills(decided_by="Li and the medical monitor", reason="she goes abroad")
    li.presses("Carry out")
    wang.orders("add-record", "Add", "participant=P-1&kind=embryo&parent=T-1", record="E-1", good="yes")
    wang.opens("/participants/P-1/visits/pregnancy_test/?record=T-1")
    wang.follows("Complete")
    wang.fills(pregnant="yes")
    wang.presses("Save")
    wang.opens("/participants/P-1/visits/pregnancy_test/?record=T-1")
    assert "Pregnant yes" in wang.page.locator(".rows").first.inner_text()


def _follows_up_with_a_correction(wang: Person) -> None:
    wang.opens("/participants/P-1/visits/hormone.30/")
    wang.fills(amh="9.1")
    wang.page.locator("#m-amh .asked").wait_for()
    wang.fills(ends="yes")
    wang.presses("Save")
    wang.opens("/")
    assert "9.1" in wang.sees(), "the query is on the page of the day"
    wang.orders("close-query", "Answer and close", "participant=P-1&query=Q1&back=/", answer="will be corrected")


def _reads_the_trail(li: Person) -> None:
    li.opens("/participants/P-1/audit")
    entry = li.page.locator("li", has_text="9.1 ng/mL").last
    entry.hover()
    with li.page.expect_navigation(wait_until="domcontentloaded"):
        entry.get_by_role("link", name="Correct").click()
    li.fills(value="0.91", reason="the decimal point was lost")
    li.presses("Correct")
    row = li.page.locator("li.correction").first
    assert row.locator("del").inner_text() == "9.1 ng/mL"
    assert row.locator("ins").inner_text() == "0.91 ng/mL"
    assert "the decimal point was lost" in row.inner_text()
    li.page.locator("#q").fill("decimal point")
    li.page.locator(".trail li").nth(1).wait_for(state="detached")
    assert "the decimal point was lost" in li.page.locator(".trail").inner_text()


def _signs_and_locks_the_casebook(li: Person, dan: Person, wang: Person) -> None:
    li.opens("/participants/P-1/casebook/")
    li.follows("Sign the casebook")
    li.fills(password=PASSWORD)
    li.presses("Sign")
    assert "I have reviewed the casebook of this participant" in li.sees()
    dan.opens("/participants/P-1/casebook/")
    dan.follows("Lock")
    dan.presses("Lock")
    assert "Locked by dan" in dan.sees(), dan.sees()
    wang.opens("/order/add-record?participant=P-1&kind=earlier_cycle")
    wang.fills(record="late", outcome="failed")
    wang.presses("Add")
    assert "is locked, by dan (data manager)" in wang.sees()


def _has_the_report(dan: Person) -> None:
    dan.opens("/reports")
    offered = dan.page.locator(".offers li").filter(has=dan.page.get_by_text("Study report", exact=True))
    had: list[Any] = []
    dan.page.on("download", lambda one: had.append(one))
    offered.get_by_role("button", name="Download").click()
    for _ in range(240):  # it comes at once, or after a page that tells how far it is
        dan.page.wait_for_timeout(500)
        if not had and dan.page.get_by_text("It is there.").count():
            dan.page.get_by_role("button", name="Download").click()
        if had:
            break
    assert had, dan.sees()
    page = Path(had[0].path()).read_text("utf-8")
    told = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "2 screened, 1 of 3 enrolled" in told
    assert "Pregnancy after the first transfer Cells and hormones 1 / 1 100.0 %" in told
    assert "Serious adverse event Cells and hormones 1 / 1 100.0 %" in told


def _nothing_stops_a_screen_reader(li: Person) -> None:
    """axe-core finds nothing, on the pages that the story went through."""
    from axe_playwright_python.sync_playwright import Axe

    for address in ("/", "/participants/P-1/", "/participants/P-1/visits/screening/", "/product/units/U-1/",
                    "/order/verify-unit", "/participants/P-1/audit"):  # fmt: skip
        li.opens(address)
        found = Axe().run(li.page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], address
