"""Take the pictures of docs/web.md: the demonstration in a real browser, one screen each, as small PNG files.

    python -m scripts.web_pictures

Needs the extra `web`, Playwright for Python and a Chromium that is there already (CHROMIUM=path names one).
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

IMAGES = Path(__file__).parent.parent / "docs" / "images"
LAPTOP, TABLET = (1280, 800), (820, 1100)
#: Enough for flat pages; a picture then has some tens of kilobytes.
COLOURS = 128
#: What is served, each with its port behind it.
DEMONSTRATION = ("trialwright", "serve", "--demo", "--port")
#: A trial with a laboratory, on a day on which something is in culture.
LABORATORY = ("--protocol", "protocols/nct04706312", "--day", "320")
#: The trial with an amendment that is in force nowhere yet.
AMENDED = ("scripts.amended",)


def main() -> None:
    """Every picture, in the order of a day at the centre."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        door = browser.new_context(base_url=address, viewport=_size(LAPTOP)).new_page()
        door.goto("/sign-in")
        keep(door, "sign-in")
        investigator = _as(browser, address, "investigator", LAPTOP)
        for name, path in (
            ("today", "/"),
            ("participants", "/screening"),
            ("participant", "/participants/P-028/"),
            ("safety", "/safety"),
            ("protocol", "/trial"),
            ("protocol-parts", "/trial/protocol#interventions"),
            ("lot", "/product/lots/L-006/"),
            ("unit", "/product/units/U-011/"),
        ):
            investigator.goto(path)
            keep(investigator, name)
        investigator.goto("/order/allocate?participant=P-049&back=/")
        investigator.get_by_role("button", name="Sign and allocate").scroll_into_view_if_needed()
        keep(investigator, "sign")
        chinese = _as(browser, address, "investigator", LAPTOP, "zh-CN")
        chinese.goto("/participants/P-028/")
        keep(chinese, "chinese")
        _screening(_as(browser, address, "coordinator", LAPTOP))
        _correction(investigator)
        _review(_as(browser, address, "monitor", LAPTOP), _as(browser, address, "coordinator", LAPTOP))
        bedside = _as(browser, address, "coordinator", TABLET)
        bedside.goto("/order/verify-unit?back=/product")
        keep(bedside, "bedside")
        quality = _as(browser, address, "quality-person", LAPTOP)
        quality.goto("/product")
        keep(quality, "product")
        _exports(_as(browser, address, "auditor", LAPTOP))
        _token(_as(browser, address, "data-manager", LAPTOP))
        admin = _as(browser, address, "administrator", LAPTOP)
        admin.goto("/people")
        keep(admin, "people")
        admin.goto("/people/sign-ins")
        keep(admin, "sign-ins")
        _vault(bedside, investigator, admin)
        browser.close()
    with served(*LABORATORY) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        _laboratory(_as(browser, address, "embryologist", LAPTOP))
        _import(_as(browser, address, "coordinator", LAPTOP))
        browser.close()
    with served(program=AMENDED) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        investigator = _as(browser, address, "investigator", LAPTOP)
        investigator.goto("/trial/versions")
        keep(investigator, "versions")
        investigator.get_by_text("Line by line of the files").scroll_into_view_if_needed()
        keep(investigator, "difference")
        browser.close()


def _laboratory(page: Any) -> None:
    """A retrieval of the day before: its grid while pronuclei are read, and the board."""
    grid = "/participants/P-016/laboratory/oocyte/?parent=cycle-1"
    page.goto(grid)
    page.fill("#rows", "5")
    page.get_by_role("button", name="Show them").click()
    page.fill("#on", "2026-11-20T10:10")
    for number, typed in enumerate(
        [("mii", "ic", "14:30"), ('"', '"', '"'), ('"', '"', '"'), ('"', '"', '"'), ("d", "n", "")], 1
    ):
        for name, text in zip(("maturity", "insemination", "inseminated"), typed, strict=True):
            page.fill(f'[name="cycle-1-{number}~{name}"]', text)
    page.get_by_role("button", name="Save").click()
    page.goto(grid)
    for number, text in ((1, "2"), (2, "9"), (3, "2")):
        page.fill(f'[name="cycle-1-{number}~pronuclei"]', text)
    page.locator("#m-cycle-1-2-pronuclei .refused").wait_for()
    page.locator('[name="cycle-1-4~pronuclei"]').focus()
    keep(page, "grid")
    page.goto("/laboratory")
    keep(page, "laboratory")


def _import(page: Any) -> None:
    """A list of hormones with a value that is refused, looked at before it is imported."""
    rows = ["受试者编号,检查日期,AMH (ng/mL),FSH (IU/L),Weight", "P-015,2026/11/20,0.62,9.8,58.5",
            "P-016,2026/11/20,7.9,11.2,61", "P-017,2026/11/20,250,8.1,60.5", "P-71,2026/11/20,0.8,7.7,55"]  # fmt: skip
    page.goto("/import")
    file = {"name": "hormones-november.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode("gb18030")}
    page.set_input_files("#file", file)
    page.get_by_role("button", name="Read it").click()
    page.wait_for_load_state()
    keep(page, "mapping")
    page.get_by_role("button", name="Look at what would happen").click()
    page.wait_for_load_state()
    keep(page, "import")


def _screening(page: Any) -> None:
    """A form while it is typed: a query, a refusal, and eligibility beside it."""
    page.goto("/participants/P-049/visits/cycle_day_3/")
    for name, value in (("afc", "9"), ("fsh", "500"), ("fsh~cycle_day", "3"), ("prolactin", "90")):
        page.fill(f'[name="{name}"]', value)
    page.locator("#m-fsh .refused").wait_for()
    page.locator("#m-prolactin .asked").wait_for()
    keep(page, "form")


def _correction(page: Any) -> None:
    """A value corrected, and shown in the audit trail."""
    page.goto("/participants/P-028/audit?q=antral")
    entry = page.locator("li", has_text="Antral").first
    entry.hover()
    entry.get_by_role("link", name="Correct").first.click()
    page.fill('[name="value"]', "8")
    page.fill('[name="reason"]', "read from the line of the visit before")
    page.get_by_role("button", name="Correct", exact=True).click()
    page.locator("li.correction").first.wait_for()
    keep(page, "audit")


def _review(monitor: Any, coordinator: Any) -> None:
    """A casebook compared with its source, a query with its thread, an entry with its history, and the trail."""
    monitor.goto("/participants/P-028/casebook/")
    form = monitor.locator("details.form-sheet").nth(1)
    form.locator("summary").click()
    for place in (1, 2, 3, 4):
        form.locator("input[type=checkbox]").nth(place).check()
    keep(monitor, "casebook")
    form.get_by_role("button", name="Ticked entries are as in the source").click()
    form.locator("summary").click()
    form.locator("a.seq").first.click()
    monitor.get_by_role("button", name="It is as in the source").click()
    monitor.get_by_role("link", name="Raise a query").first.click()
    monitor.fill('[name="says"]', "The page of the ultrasound says 9. Which one is right?")
    monitor.get_by_role("button", name="Raise it").click()
    entry = monitor.url
    coordinator.goto("/participants/P-028/queries/Q1/")
    coordinator.get_by_role("link", name="Answer", exact=True).click()
    coordinator.fill('[name="answer"]', "8: one follicle was counted twice, and struck out.")
    coordinator.get_by_role("button", name="Answer", exact=True).click()
    monitor.goto("/participants/P-028/queries/Q1/")
    keep(monitor, "query")
    monitor.goto(entry)
    keep(monitor, "entry")
    monitor.goto("/casebooks?q=P-02")
    keep(monitor, "casebooks")
    monitor.goto("/trail?q=weight")
    keep(monitor, "trail")


def _exports(page: Any) -> None:
    """What an auditor may have, after she had a listing."""
    page.goto("/reports/worklist")
    ready = page.get_by_role("button", name="Download")
    ready.wait_for(timeout=60_000)
    with page.expect_download():
        ready.click()
    page.goto("/reports")
    keep(page, "reports")


def _token(page: Any) -> None:
    """A token that was just made."""
    page.goto("/tokens")
    page.fill('[name="name"]', "nightly copy of the listings")
    page.get_by_role("button", name="Make it").click()
    page.locator("code.secret").wait_for()
    keep(page, "tokens")


def _vault(coordinator: Any, investigator: Any, admin: Any) -> None:
    """A name that is asked for, shown, found, and ordered to be erased."""
    coordinator.set_viewport_size(_size(LAPTOP))
    coordinator.goto("/participants/P-028/identity")
    keep(coordinator, "identity")
    coordinator.get_by_label("To call or write to her").check()
    coordinator.get_by_role("button", name="Show name and contacts").click()
    coordinator.get_by_role("button", name="Keep").wait_for()
    keep(coordinator, "identity-shown")
    coordinator.goto("/screening")
    coordinator.get_by_label("By name or hospital number").fill("virtual woman 049")
    coordinator.get_by_role("button", name="Find").click()
    coordinator.locator("#find li").wait_for()
    keep(coordinator, "find")
    investigator.goto("/order/order-erasure?participant=P-042&back=/")
    investigator.select_option('[name="reason"]', "she asked for it")
    investigator.get_by_role("button", name="Sign and order it").click()
    investigator.wait_for_load_state()
    admin.goto("/people/erasures")
    keep(admin, "erasures")


def keep(page: Any, name: str) -> None:
    """One picture of what is in sight."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS).save(IMAGES / f"web-{name}.png", optimize=True)


@contextmanager
def served(*more: str, program: tuple[str, ...] = DEMONSTRATION) -> Iterator[str]:
    """The address of a demonstration that lives as long as it is needed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", *program, str(port), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        while "http://" not in process.stdout.readline():
            pass
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _as(browser: Any, address: str, name: str, size: tuple[int, int], language: str = "en") -> Any:
    page = browser.new_context(base_url=address, viewport=_size(size), locale=language).new_page()
    page.goto("/sign-in")
    page.click(f'button[value="{name}"]')
    return page


def _size(size: tuple[int, int]) -> Any:
    return {"width": size[0], "height": size[1]}


if __name__ == "__main__":
    main()
