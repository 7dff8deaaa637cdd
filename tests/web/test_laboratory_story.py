"""In a real browser: a grid filled by keyboard alone, and a spreadsheet with a refused row imported."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.spreadsheets import xlsx
from tests.web.conftest import configured, signed_in
from tests.web.laboratory import GRID, laboratory
from tests.web.test_story import CHROMIUM
from trialwright.web.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    configured()
    made = laboratory(tmp_path)
    yield made
    made.ledger.close()


class Windows:
    """A browser in which people are signed in already; what went wrong in any console is remembered."""

    def __init__(self, browser: Any, address: str, cookies: dict[str, str]) -> None:
        self._browser, self._address, self._cookies = browser, address, cookies
        self.faults: list[str] = []

    def of(self, name: str) -> Any:
        """A new window of somebody."""
        context = self._browser.new_context(base_url=self._address, viewport={"width": 1024, "height": 768})
        context.add_cookies([{"name": "sessionid", "value": self._cookies[name], "url": self._address}])
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda told: self.faults.append(told.text) if told.type == "error" else None)
        return page

    def quiet(self, page: Any) -> None:
        """Nothing went wrong, and nothing stops a screen reader."""
        from axe_playwright_python.sync_playwright import Axe

        found = [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
        assert found == [], [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
        assert self.faults == []


@pytest.fixture
def browser(desk: Desk) -> Iterator[Windows]:
    """Windows of people who are signed in, on the pages served by this process."""
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: install the package chromium, or name one with CHROMIUM=")
    configured()
    from django.core.wsgi import get_wsgi_application
    from django.test import override_settings
    from playwright.sync_api import sync_playwright
    from waitress.server import create_server

    with override_settings(DESK=desk, ALLOWED_HOSTS=["127.0.0.1"]):
        server = create_server(get_wsgi_application(), host="127.0.0.1", port=0, threads=2)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.effective_port}"
        cookies = {name: signed_in(name).cookies["sessionid"].value for name in ("embryologist", "coordinator")}
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            yield Windows(started, address, cookies)
            started.close()
        server.close()
        thread.join(5)


def test_a_grid_is_filled_by_keyboard_alone(browser: Windows, desk: Desk) -> None:
    page = browser.of("embryologist")
    page.goto(GRID)
    keys = page.keyboard
    page.locator("#rows").focus()
    keys.type("3")
    keys.press("Tab")
    with page.expect_navigation():
        keys.press("Enter")
    page.locator('[name="cycle-b-1~maturity"]').focus()
    for column in (("mii", '"', "d"), ("ic", "iv", "n"), ("17:30", '"', "")):
        for text in column:
            keys.type(text)
            keys.press("Enter")  # down, and it stays at the end of the column
        for _ in range(2):
            keys.press("ArrowUp")
        keys.press("End")
        keys.press("ArrowRight")
    assert page.evaluate("document.activeElement.name") == "cycle-b-1~pronuclei"
    keys.type("9")
    page.locator("#m-cycle-b-1-pronuclei .refused").wait_for()
    browser.quiet(page)
    keys.press("Control+a")
    keys.type("2")
    keys.press("ArrowDown")
    keys.type("1")
    page.locator("#m-cycle-b-1-pronuclei .refused").wait_for(state="detached")
    page.locator("#kept", has_text="Draft kept").wait_for()
    page.get_by_role("button", name="Save").focus()
    with page.expect_navigation():
        keys.press("Enter")
    woman = desk.participant("P-1")
    assert woman is not None
    told = {record: events[0].payload["fields"] for record, events in woman.records["oocyte"].items()}
    assert {record: {name: one["entered"] for name, one in fields.items()} for record, fields in told.items()} == {  # type: ignore[union-attr, call-overload, index]
        "cycle-b-1": {"maturity": "mii", "insemination": "icsi", "inseminated": "2026-03-20T17:30", "pronuclei": "2"},
        "cycle-b-2": {"maturity": "mii", "insemination": "ivf", "inseminated": "2026-03-20T17:30", "pronuclei": "1"},
        "cycle-b-3": {"maturity": "degenerate", "insemination": "none"},
    }
    page.goto("/laboratory")
    assert "D3" in page.locator("main").inner_text()
    browser.quiet(page)


def test_a_spreadsheet_with_a_refused_row_is_looked_at_imported_and_undone(browser: Windows, desk: Desk) -> None:
    page, before = browser.of("coordinator"), desk.ledger.last()
    rows: list[list[object]] = [["id", "day", "AMH (ng/mL)"], ["P-1", "2026-03-05", 0.9], ["P-2", "2026-03-05", 250]]
    page.goto("/import")
    browser.quiet(page)
    page.set_input_files("#file", {"name": "list.xlsx", "mimeType": "application/octet-stream", "buffer": xlsx(rows)})
    for button in ("Read it", "Look at what would happen"):
        with page.expect_navigation():
            page.get_by_role("button", name=button).click()
        browser.quiet(page)
    assert "250 ng/mL is outside what is possible" in page.locator("main").inner_text()
    assert page.locator('[name="which"][value="all"]').is_disabled()
    with page.expect_download() as download:
        page.get_by_role("link", name="Every refused row, as CSV").click()
    assert "P-2" in Path(download.value.path()).read_text("utf-8-sig")
    assert desk.ledger.last() == before
    page.locator('[name="which"][value="accepted"]').check()
    with page.expect_navigation():
        page.get_by_role("button", name="Import", exact=True).click()
    assert "1 rows of list.xlsx were imported" in page.locator("main").inner_text()
    assert desk.ledger.last() == before + 1
    with page.expect_navigation():
        page.get_by_role("link", name="Undo").click()
    page.fill("#reason", "of another woman")
    with page.expect_navigation():
        page.get_by_role("button", name="Undo it").click()
    assert "was undone" in page.locator("main").inner_text()
    browser.quiet(page)
