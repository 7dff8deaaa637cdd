"""The log of sign-ins: every attempt with its outcome, page by page and as CSV; sessions that are kept by a click."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from tests.web.conftest import account_of, signed_in
from trialwright.web.desk import Desk

PASSWORD = "the right one, and long"


@pytest.fixture
def door(desk: Desk) -> Any:
    """A door at which nobody has knocked yet, and an account that can come in."""
    from django.test import Client

    account_of("coordinator", PASSWORD)
    return Client(REMOTE_ADDR="10.1.2.3", headers={"user-agent": "a tablet"})


def _knock(door: Any, password: str, name: str = "coordinator") -> int:
    return int(door.post("/sign-in", {"username": name, "password": password}).status_code)


def _rows(page: Any) -> list[list[str]]:
    rows = re.findall(r"<tr><td.*?</tr>", page.content.decode())
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[dh].*?</t[dh]>", row)] for row in rows]


def test_who_came_in_was_turned_away_or_locked_out_stands_there_newest_first(door: Any) -> None:
    assert _knock(door, PASSWORD) == 302
    door.post("/sign-out")
    assert [_knock(door, "a guess") for _ in range(5)] == [401, 401, 401, 401, 429]
    for name in ("administrator", "auditor"):
        rows = _rows(signed_in(name).get("/people/sign-ins", {"q": "coord"}))
        assert [one[1:4] for one in rows] == [
            ["coordinator", "10.1.2.3", "locked out"],
            *[["coordinator", "10.1.2.3", "turned away"]] * 4,
            ["coordinator", "10.1.2.3", "signed in"],
        ]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", one[0]) for one in rows)
        assert rows[-1][4], "when she signed out"


def test_it_is_paged_and_comes_as_csv_that_no_spreadsheet_runs(door: Any) -> None:
    from axes.models import AccessFailureLog

    for number in range(60):
        AccessFailureLog.objects.create(username=f"=cmd{number}", ip_address="10.9.9.9", http_accept="", path_info="/")
    admin = signed_in("administrator")
    first = admin.get("/people/sign-ins?q=cmd")
    assert len(_rows(first)) == 50
    assert "1 to 50 of 60" in first.content.decode()
    assert len(_rows(admin.get("/people/sign-ins?q=cmd&page=2"))) == 10
    answer = signed_in("auditor").get("/people/sign-ins.csv?q=cmd")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert len(rows) == 60
    assert {(one["address"], one["outcome"]) for one in rows} == {("10.9.9.9", "turned away")}
    assert all(one["user"].startswith("'=cmd") for one in rows)
    assert all(one["time"].endswith("Z") for one in rows)


def test_a_click_keeps_a_session_and_nobody_elses(door: Any) -> None:
    client = signed_in("coordinator")
    before = client.session.get_expiry_date()
    assert client.get("/stay").status_code == 204
    assert client.session.get_expiry_date() >= before
    assert door.get("/stay").status_code == 401
    page = client.get("/").content.decode()
    assert 'data-idle="30"' in page
    assert "data-idle" not in door.get("/sign-in").content.decode()
