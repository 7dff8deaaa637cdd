"""The second factor: begun with a right code, asked at the door and under a signature, each code once, and locked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pyotp
import pytest

from tests.web.conftest import account_of, signed_in
from trialwright.web.desk import Desk

NAME, PASSWORD = "investigator", "the right one, and long"
STEP = 60_000_000  # some day in 2027


@dataclass
class Somebody:
    """An account with a password, its authenticator, and the clock that both go by."""

    desk: Desk
    secret: str = ""
    step: int = STEP
    codes: list[str] = field(default_factory=list)

    def code(self, later: int = 0) -> str:
        """What the authenticator shows now, or some steps later."""
        return str(pyotp.TOTP(self.secret).at((self.step + later) * 30))

    def begins(self) -> Any:
        """Scan, and confirm with a first code; the recovery codes are read from the page."""
        client = signed_in(NAME)
        page = client.get("/second-factor").content.decode()
        self.secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", "")  # type: ignore[index]
        answer = client.post("/second-factor", {"password": PASSWORD, "code": self.code()})
        self.codes = re.findall(r"<code>([0-9a-f-]{23})</code>", answer.content.decode())
        self.step += 1
        return client

    def door(self) -> Any:
        """A client that has typed name and password."""
        from django.test import Client

        client = Client()
        answer = client.post("/sign-in", {"username": NAME, "password": PASSWORD})
        assert answer["Location"].startswith("/sign-in/code")
        return client


@pytest.fixture
def somebody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Somebody:
    from trialwright.web import second_factor

    account_of(NAME, PASSWORD)
    made = Somebody(desk)
    monkeypatch.setattr(second_factor, "step_now", lambda: made.step)
    return made


def test_it_begins_with_a_code_to_scan_and_recovery_codes_that_are_shown_once_and_kept_hashed(
    somebody: Somebody,
) -> None:
    from trialwright.web.models import SecondFactor

    page = signed_in(NAME).get("/second-factor").content.decode()
    assert "<svg" in page
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\bsrc=)", page)
    client = somebody.begins()
    assert len(set(somebody.codes)) == 8
    kept = SecondFactor.objects.get(account__username=NAME)
    assert not any(code.replace("-", "") in str(kept.recovery) for code in somebody.codes)
    again = client.get("/second-factor").content.decode()
    assert "8 recovery codes are left" in again
    assert not any(code in again for code in somebody.codes)
    assert somebody.secret not in again.replace(" ", "")


@pytest.mark.parametrize(("password", "code"), [(PASSWORD, "000000"), ("a guess", ""), (PASSWORD, "")])
def test_it_does_not_begin_with_a_wrong_code_or_password(somebody: Somebody, password: str, code: str) -> None:
    from trialwright.web.models import SecondFactor

    client = signed_in(NAME)
    client.get("/second-factor")
    assert 'role="alert"' in client.post("/second-factor", {"password": password, "code": code}).content.decode()
    assert not SecondFactor.objects.exists()


def test_the_password_alone_opens_no_page(somebody: Somebody) -> None:
    somebody.begins()
    client = somebody.door()
    assert client.get("/")["Location"].startswith("/sign-in")
    assert client.get("/participants/P-1/").status_code == 302
    assert client.post("/sign-in/code", {"code": somebody.code(), "next": "/screening"})["Location"] == "/screening"
    assert client.get("/").status_code == 200


def test_a_code_without_a_password_opens_nothing(somebody: Somebody) -> None:
    from django.test import Client

    somebody.begins()
    assert Client().post("/sign-in/code", {"code": somebody.code()})["Location"] == "/sign-in"


@pytest.mark.parametrize(("later", "taken"), [(0, True), (1, True), (-1, False), (2, False), (-3, False)])
def test_a_code_counts_near_its_time_and_not_before_the_last_one(somebody: Somebody, later: int, taken: bool) -> None:
    somebody.begins()  # with the code of the step before this one
    answer = somebody.door().post("/sign-in/code", {"code": somebody.code(later)})
    assert answer.status_code == (302 if taken else 401)


def test_a_code_counts_once(somebody: Somebody) -> None:
    somebody.begins()
    code = somebody.code()
    assert somebody.door().post("/sign-in/code", {"code": code}).status_code == 302
    assert somebody.door().post("/sign-in/code", {"code": code}).status_code == 401
    somebody.step += 1
    assert somebody.door().post("/sign-in/code", {"code": somebody.code()}).status_code == 302


def test_a_recovery_code_counts_once_in_place_of_a_code(somebody: Somebody) -> None:
    somebody.begins()
    assert somebody.door().post("/sign-in/code", {"code": somebody.codes[0].upper()}).status_code == 302
    assert somebody.door().post("/sign-in/code", {"code": somebody.codes[0]}).status_code == 401
    assert somebody.door().post("/sign-in/code", {"code": somebody.codes[1]}).status_code == 302


def test_five_wrong_codes_lock_the_account(somebody: Somebody) -> None:
    from axes.models import AccessAttempt

    somebody.begins()
    client = somebody.door()
    answers = [client.post("/sign-in/code", {"code": "guess-me"}).status_code for _ in range(5)]
    assert answers == [401, 401, 401, 401, 429]
    assert client.post("/sign-in/code", {"code": somebody.code()}).status_code == 429
    assert not AccessAttempt.objects.filter(post_data__contains="guess-me").exists(), "codes are not logged"


def test_a_right_password_between_wrong_codes_does_not_begin_the_count_anew(somebody: Somebody) -> None:
    somebody.begins()
    for _ in range(4):
        assert somebody.door().post("/sign-in/code", {"code": "000000"}).status_code == 401
    assert somebody.door().post("/sign-in/code", {"code": "000000"}).status_code == 429


def test_whoever_has_it_signs_with_password_and_code(somebody: Somebody) -> None:
    client, about = somebody.begins(), {"participant": "P-2", "on": "2026-03-20"}
    page = client.get("/order/confirm-eligibility", about).content.decode()
    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("form", "seen")}  # type: ignore[index]
    before = somebody.desk.ledger.last()
    told = {**hidden, **about, "password": PASSWORD}
    for code in ("", "000000"):
        assert "does not count" in client.post("/order/confirm-eligibility", {**told, "code": code}).content.decode()
    assert somebody.desk.ledger.last() == before
    assert client.post("/order/confirm-eligibility", {**told, "code": somebody.code()}).status_code == 302
    (signature,) = somebody.desk.ledger.events(after=before, types=["signature.made/1"])
    assert signature.payload["method"] == "password and code"


def test_a_role_that_asks_for_it_opens_no_page_without(somebody: Somebody) -> None:
    admin = signed_in("administrator")
    page = admin.post("/people/second-factor", {"role": ["investigator", "no such role"]}, follow=True)
    assert "asked of: investigator." in page.content.decode()
    client = signed_in(NAME)
    assert client.get("/")["Location"] == "/second-factor"
    assert client.get("/participants/P-1/")["Location"] == "/second-factor"
    assert client.post("/order/withdraw", {"participant": "P-1"})["Location"] == "/second-factor"
    assert signed_in("coordinator").get("/").status_code == 200
    assert somebody.begins().get("/").status_code == 200
    told = {"password": PASSWORD, "code": somebody.code(), "what": "remove"}
    signed_in(NAME).post("/second-factor", told)
    assert client.get("/").status_code == 200, "it cannot be removed while a role asks for it"


def test_it_is_removed_with_password_and_code_or_by_the_administrator(somebody: Somebody) -> None:
    from trialwright.web.models import SecondFactor

    client = somebody.begins()
    client.post("/second-factor", {"password": PASSWORD, "code": "000000", "what": "remove"})
    assert SecondFactor.objects.count() == 1
    client.post("/second-factor", {"password": PASSWORD, "code": somebody.code(), "what": "remove"})
    assert SecondFactor.objects.count() == 0
    somebody.begins()
    page = signed_in("administrator").get("/people").content.decode()
    assert "Remove second factor" in page
    signed_in("administrator").post("/people/reset", {"username": NAME, "what": "factor"})
    assert SecondFactor.objects.count() == 0


def test_new_recovery_codes_take_the_place_of_the_old_ones(somebody: Somebody) -> None:
    client = somebody.begins()
    old = somebody.codes
    answer = client.post("/second-factor", {"password": PASSWORD, "code": somebody.code(), "what": "renew"})
    new = re.findall(r"<code>([0-9a-f-]{23})</code>", answer.content.decode())
    assert len(new) == 8
    assert not set(new) & set(old)
    assert somebody.door().post("/sign-in/code", {"code": old[0]}).status_code == 401
    assert somebody.door().post("/sign-in/code", {"code": new[0]}).status_code == 302


def test_the_migrations_say_what_the_models_say(shared_desk: Desk) -> None:
    from django.core.management import call_command

    call_command("makemigrations", "web", check=True, dry_run=True, verbosity=0)
