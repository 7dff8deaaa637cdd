"""Hostile input and headers: scripts in texts, forged requests, other sites, other hosts, wrong passwords."""

from __future__ import annotations

import re

import pytest

from tests.web.conftest import account_of, signed_in
from trialwright.web.desk import Desk

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def _post(client: object, order: str, **told: str) -> object:
    return client.post(f"/order/{order}", {"form": f"f-{order}", "on": "2026-03-20", **told})  # type: ignore[attr-defined]


def test_every_answer_has_a_strict_policy_and_is_not_kept(shared_desk: Desk) -> None:
    answer = signed_in("investigator").get("/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http:" not in policy
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("name", "address"),
    [("investigator", "/"), ("investigator", "/screening"), ("investigator", "/participants/P-1/"),
     ("coordinator", "/participants/P-2/visits/screening/"), ("investigator", "/participants/P-1/audit"),
     ("investigator", "/product"), ("investigator", "/safety"), ("investigator", "/trial"),
     ("administrator", "/people"), ("investigator", "/order/withdraw?participant=P-1")],
)  # fmt: skip
def test_no_page_holds_a_script_or_a_style_of_its_own_or_asks_another_host(
    shared_desk: Desk, name: str, address: str
) -> None:
    text = signed_in(name).get(address).content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
    assert not re.search(r"(?:src|href|action)=[\"'](?:https?:)?//", text)


def test_a_script_typed_into_a_text_is_shown_as_text(desk: Desk) -> None:
    client = signed_in("investigator")
    answer = _post(client, "withdraw", participant="P-1", reason=SCRIPT)
    assert answer.status_code == 302  # type: ignore[attr-defined]
    for address in ("/participants/P-1/", "/participants/P-1/audit"):
        text = client.get(address).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_a_script_in_a_search_a_name_or_a_link_is_shown_as_text(shared_desk: Desk) -> None:
    client = signed_in("investigator")
    for address in ("/screening", "/participants/P-1/audit", "/order/withdraw"):
        text = client.get(
            address, {"q": SCRIPT, "back": SCRIPT, "reason": SCRIPT, "participant": "P-1"}
        ).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_a_form_without_its_token_is_refused(desk: Desk) -> None:
    client, before = signed_in("investigator", enforce_csrf_checks=True), desk.ledger.last()
    assert _post(client, "withdraw", participant="P-1", reason="forged").status_code == 403  # type: ignore[attr-defined]
    assert client.post("/participants/P-2/visits/screening/", {"form": "x", "weight": "60"}).status_code == 403
    assert client.post("/sign-out").status_code == 403
    assert desk.ledger.last() == before


@pytest.mark.parametrize(
    "address",
    ["/participants/Q-1/", "/participants/Q-1/audit", "/participants/Q-1/visits/screening/",
     "/order/withdraw?participant=Q-1", "/order/correct?participant=Q-1&event=1", "/participants/nobody/",
     "/order/withdraw?participant=nobody", "/participants/Q-1/casebook/print"],
)  # fmt: skip
def test_a_woman_of_another_site_is_as_unknown_as_one_who_does_not_exist(shared_desk: Desk, address: str) -> None:
    assert signed_in("investigator").get(address).status_code == 404


def test_nothing_is_written_about_a_woman_of_another_site(desk: Desk) -> None:
    before = desk.ledger.last()
    investigator, other = signed_in("investigator"), signed_in("other-site")
    assert _post(investigator, "withdraw", participant="Q-1", reason="not mine").status_code == 404  # type: ignore[attr-defined]
    assert investigator.post("/participants/Q-1/visits/screening/", {"weight": "60"}).status_code == 404
    assert investigator.post("/participants/Q-1/visits/screening/check", {"weight": "60"}).status_code == 404
    assert _post(other, "screen", participant="X-1", site="S01").status_code == 404  # type: ignore[attr-defined]
    assert _post(other, "receive-unit", unit="U-P-1", intact="yes").status_code == 404  # type: ignore[attr-defined]
    assert other.get("/product/units/U-P-1/").status_code == 404
    assert "P-1" not in other.get("/screening").content.decode()
    assert desk.ledger.last() == before


def test_whoever_works_for_every_site_sees_every_site(shared_desk: Desk) -> None:
    text = signed_in("everywhere").get("/screening").content.decode()
    assert "P-1" in text
    assert "Q-1" in text


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_nobody_is_sent_to_another_host(desk: Desk, where: str) -> None:
    client = signed_in("investigator")
    answer = client.post("/order/withdraw", {"form": "f", "on": "2026-03-20", "participant": "P-1", "reason": "left",
                                             "back": where})  # fmt: skip
    assert answer["Location"] == "/"


def test_another_host_name_is_refused(shared_desk: Desk) -> None:
    assert signed_in("investigator").get("/", headers={"host": "evil.example"}).status_code == 400


def test_five_wrong_passwords_lock_the_account_and_are_logged(desk: Desk) -> None:
    from axes.models import AccessFailureLog
    from axes.utils import reset
    from django.test import Client

    account_of("locked-one", "the right one, and long")
    client, right = Client(), {"username": "locked-one", "password": "the right one, and long"}
    for _ in range(5):
        answer = client.post("/sign-in", {"username": "locked-one", "password": "a guess"})
    assert answer.status_code == 429
    assert client.post("/sign-in", right).status_code == 429
    assert AccessFailureLog.objects.filter(username="locked-one").count() >= 5
    reset(username="locked-one")
    assert client.post("/sign-in", right).status_code == 302


def test_a_click_into_a_role_exists_only_in_a_demonstration(shared_desk: Desk) -> None:
    from django.test import Client, override_settings

    signed_in("investigator")
    assert Client().post("/sign-in-as", {"username": "investigator"}).status_code == 404
    with override_settings(DEMO=True):
        assert Client().post("/sign-in-as", {"username": "investigator"}).status_code == 302


def test_sessions_end_by_themselves_and_passwords_are_kept_by_argon2() -> None:
    from trialwright.web import settings

    assert settings.IDLE_MINUTES <= 30
    assert settings._hasher(settings.Options("x", "y")).endswith("Argon2PasswordHasher")


@pytest.mark.parametrize(
    ("place", "engine", "name"),
    [
        ("/tmp/a.db", "sqlite3", "/tmp/a.db"),
        ("postgresql://li:secret@db:5433/trial?sslmode=require", "postgresql", "trial"),
    ],
)
def test_a_place_for_accounts_is_a_file_or_a_url(place: str, engine: str, name: str) -> None:
    from trialwright.web.settings import database

    found = database(place)
    assert found["ENGINE"].endswith(engine)
    assert found["NAME"] == name
    if engine == "postgresql":
        assert (found["USER"], found["HOST"], found["PORT"]) == ("li", "db", "5433")
        assert found["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE event; --", "P-1' OR '1'='1", "\x00", "../../etc/passwd", "{{ 7*7 }}", "%s%n"]
)
def test_forged_identifiers_find_nothing_and_break_nothing(desk: Desk, text: str) -> None:
    from urllib.parse import quote

    from trialwright.ledger.chain import verify

    client, before = signed_in("coordinator"), desk.ledger.last()
    for address in (f"/participants/{quote(text, safe='')}/", f"/product/lots/{quote(text, safe='')}/"):
        assert client.get(address).status_code == 404
    answer = _post(client, "screen", participant=text, site="S01")
    assert answer.status_code == 200  # type: ignore[attr-defined]
    told = {"on": "2026-03-19", "weight": text, "birth_date": text}
    assert client.post("/participants/P-2/visits/screening/check", told).status_code == 200
    assert client.get("/screening", {"q": text}).status_code == 200
    assert desk.ledger.last() == before
    assert verify(desk.ledger) == []


def test_more_than_a_form_can_hold_is_refused(shared_desk: Desk) -> None:
    client = signed_in("coordinator")
    answer = client.post("/participants/P-2/visits/screening/check", {"weight": "1" * 1_100_000})
    assert answer.status_code == 400
