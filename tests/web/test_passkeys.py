"""Passkeys: added, asked at the door, signed with; an answer counts once, in its session and its place."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from tests.web.conftest import account_of, signed_in
from trialwright.web.desk import Desk

NAME, PASSWORD, HERE = "investigator", "the right one, and long", "http://localhost"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def _text(plain: bytes) -> str:
    return urlsafe_b64encode(plain).rstrip(b"=").decode()


class Device:
    """An authenticator in software, which can be told to lie."""

    def __init__(self) -> None:
        self.key, self.identity, self.count = generate_private_key(SECP256R1()), b"device %d" % id(self), 0

    def _data(self, domain: str, flags: int, more: bytes = b"") -> bytes:
        self.count += 1
        return hashlib.sha256(domain.encode()).digest() + struct.pack(">BI", flags, self.count) + more

    def _client(self, kind: str, options: dict[str, Any], origin: str) -> bytes:
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": origin}).encode()

    def _told(self, **response: bytes) -> str:
        parts = {name: _text(one) for name, one in response.items()}
        identity = _text(self.identity)
        return json.dumps({"id": identity, "rawId": identity, "type": "public-key", "response": parts})

    def makes(self, options: dict[str, Any], flags: int = PRESENT | VERIFIED, origin: str = HERE) -> str:
        """A new key pair for the domain."""
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + struct.pack(">H", len(self.identity)) + self.identity + public
        data = self._data(options["rp"]["id"], flags | ATTESTED, attested)
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._told(clientDataJSON=self._client("webauthn.create", options, origin), attestationObject=statement)

    def answers(
        self, options: dict[str, Any], flags: int = PRESENT | VERIFIED, origin: str = HERE, domain: str = "localhost"
    ) -> str:
        """The challenge, signed."""
        data, client = self._data(domain, flags), self._client("webauthn.get", options, origin)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        return self._told(clientDataJSON=client, authenticatorData=data, signature=signature)


class Somebody:
    """An account with a password, and a client that is signed in."""

    def __init__(self, name: str = NAME) -> None:
        self.name = name
        account_of(name, PASSWORD)
        self.client = signed_in(name, headers={"host": "localhost"})

    def asked(self, purpose: str, form: str = "", client: Any = None) -> dict[str, Any]:
        """What the browser would be asked."""
        answer = (client or self.client).post("/passkeys/challenge", {"purpose": purpose, "form": form})
        assert answer.status_code == 200
        return dict(json.loads(answer.content))

    def adds(self, device: Device, name: str = "telephone", **lies: Any) -> Any:
        """Register a device under a name."""
        told = device.makes(self.asked("register"), **lies)
        return self.client.post("/passkeys", {"name": name, "password": PASSWORD, "created": told})

    def door(self) -> Any:
        """A client that has typed name and password."""
        from django.test import Client

        client = Client(headers={"host": "localhost"})
        answer = client.post("/sign-in", {"username": self.name, "password": PASSWORD})
        assert answer["Location"].startswith("/sign-in/code")
        return client

    def form(self) -> dict[str, str]:
        """The hidden fields of a form that is to be signed."""
        about = {"participant": "P-2", "on": "2026-03-20"}
        page = self.client.get("/order/confirm-eligibility", about).content.decode()
        assert "Sign with a passkey" in page
        return about | {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("form", "seen")}  # type: ignore[index]


@pytest.fixture
def somebody(desk: Desk) -> Somebody:
    return Somebody()


def test_several_are_added_under_names_and_removed_with_the_password(somebody: Somebody) -> None:
    first, second = Device(), Device()
    assert somebody.adds(first)["Location"] == "/passkeys"
    assert [one["id"] for one in somebody.asked("register")["excludeCredentials"]] == [_text(first.identity)]
    assert "called telephone already" in somebody.adds(second).content.decode()
    somebody.adds(second, "security key")
    page = somebody.client.get("/passkeys").content.decode()
    assert "telephone" in page
    assert "security key" in page
    number = re.search(r'name="passkey_id" value="(\d+)"', page)[1]  # type: ignore[index]
    gone = {"what": "remove", "passkey_id": number}
    assert "not the password" in somebody.client.post("/passkeys", {**gone, "password": "a guess"}).content.decode()
    assert somebody.client.post("/passkeys", {**gone, "password": PASSWORD}).status_code == 302
    page = somebody.client.get("/passkeys").content.decode()
    assert "security key" in page
    assert ">telephone<" not in page
    other = Somebody("coordinator")
    assert other.client.post("/passkeys", {**gone, "password": PASSWORD}).status_code == 404


@pytest.mark.parametrize(
    "lies",
    [{"flags": PRESENT}, {"flags": VERIFIED}, {"origin": "http://localhost.evil.example"}, {"origin": "http://localhost:1"}],
    ids=["without PIN or finger", "with nobody there", "for another name", "for another port"],
)  # fmt: skip
def test_one_that_was_made_otherwise_is_not_added(somebody: Somebody, lies: dict[str, Any]) -> None:
    from trialwright.web.models import Passkey

    assert "was not accepted" in somebody.adds(Device(), **lies).content.decode()
    assert not Passkey.objects.exists()


def test_nothing_is_added_without_the_password_or_twice_with_one_challenge(somebody: Somebody) -> None:
    from trialwright.web.models import Passkey

    told = Device().makes(somebody.asked("register"))
    somebody.client.post("/passkeys", {"name": "x", "password": "a guess", "created": told})
    assert not Passkey.objects.exists()
    told = Device().makes(somebody.asked("register"))
    for name in ("x", "y"):
        somebody.client.post("/passkeys", {"name": name, "password": PASSWORD, "created": told})
    assert [one.name for one in Passkey.objects.all()] == ["x"]


def test_the_password_alone_opens_no_page_and_the_passkey_lets_in(somebody: Somebody) -> None:
    device = Device()
    somebody.adds(device)
    client = somebody.door()
    assert client.get("/")["Location"].startswith("/sign-in")
    page = client.get("/sign-in/code").content.decode()
    assert "Sign in with a passkey" in page
    assert "Six digits" not in page
    told = device.answers(somebody.asked("door", client=client))
    assert client.post("/sign-in/code", {"passkey": told, "next": "/screening"})["Location"] == "/screening"
    assert client.get("/").status_code == 200


def test_a_passkey_without_a_password_opens_nothing(somebody: Somebody) -> None:
    from django.test import Client

    device = Device()
    somebody.adds(device)
    stranger = Client(headers={"host": "localhost"})
    assert stranger.post("/passkeys/challenge", {"purpose": "door"}).status_code == 404
    told = device.answers({"challenge": _text(bytes(32))})
    assert stranger.post("/sign-in/code", {"passkey": told})["Location"] == "/sign-in"


@pytest.mark.parametrize(
    ("lies", "again", "taken"),
    [
        ({}, 0, True),
        ({"flags": PRESENT}, 0, False),
        ({"flags": VERIFIED}, 0, False),
        ({"origin": "https://localhost"}, 0, False),
        ({"domain": "evil.example"}, 0, False),
        ({}, -9, False),
    ],
    ids=["right", "no PIN", "nobody there", "another origin", "another domain", "a counter that went back"],
)
def test_an_answer_at_the_door_is_held_against_place_person_and_counter(
    somebody: Somebody, lies: dict[str, Any], again: int, taken: bool
) -> None:
    device = Device()
    device.count = 9
    somebody.adds(device)
    device.count += again
    client = somebody.door()
    told = device.answers(somebody.asked("door", client=client), **lies)
    assert client.post("/sign-in/code", {"passkey": told}).status_code == (302 if taken else 401)


def test_an_answer_counts_once_in_its_own_session_and_for_five_minutes(somebody: Somebody) -> None:
    from trialwright.web.models import PasskeyChallenge

    device = Device()
    somebody.adds(device)
    client, other = somebody.door(), somebody.door()
    told = device.answers(somebody.asked("door", client=client))
    somebody.asked("door", client=other)
    assert other.post("/sign-in/code", {"passkey": told}).status_code == 401
    assert client.post("/sign-in/code", {"passkey": told}).status_code == 302
    again = somebody.door()
    assert again.post("/sign-in/code", {"passkey": told}).status_code == 401
    late = device.answers(somebody.asked("door", client=again))
    for one in PasskeyChallenge.objects.all():
        one.made -= timedelta(minutes=6)
        one.save()
    assert again.post("/sign-in/code", {"passkey": late}).status_code == 401


def test_the_key_of_somebody_else_is_none(somebody: Somebody) -> None:
    other, theirs = Somebody("coordinator"), Device()
    other.adds(theirs)
    somebody.adds(Device())
    client = somebody.door()
    told = theirs.answers(somebody.asked("door", client=client))
    assert client.post("/sign-in/code", {"passkey": told}).status_code == 401


@pytest.mark.parametrize(
    "rubbish", ["x", "{}", "[]", '{"id": "a"}', '{"id": 7, "rawId": 7, "type": "public-key"}', "null"]
)
def test_rubbish_is_refused_and_counts(somebody: Somebody, rubbish: str) -> None:
    somebody.adds(Device())
    client = somebody.door()
    answers = [client.post("/sign-in/code", {"passkey": rubbish}).status_code for _ in range(5)]
    assert answers == [401, 401, 401, 401, 429]


@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature"])
@pytest.mark.parametrize("damage", ["a bit", "cut", "empty"])
def test_a_damaged_answer_is_refused(somebody: Somebody, part: str, damage: str) -> None:
    device = Device()
    somebody.adds(device)
    client = somebody.door()
    told = json.loads(device.answers(somebody.asked("door", client=client)))
    whole = bytearray(urlsafe_b64decode(told["response"][part] + "=="))
    whole[len(whole) // 2] ^= 1
    told["response"][part] = _text({"a bit": bytes(whole), "cut": bytes(whole[:9]), "empty": b""}[damage])
    assert client.post("/sign-in/code", {"passkey": json.dumps(told)}).status_code == 401


def test_a_document_is_signed_with_a_passkey_and_the_signature_says_so(somebody: Somebody, desk: Desk) -> None:
    device = Device()
    somebody.adds(device)
    told, before = somebody.form(), desk.ledger.last()
    for wrong in (
        device.answers(somebody.asked("sign", "another form")),
        device.answers(somebody.asked("sign", told["form"]), flags=PRESENT),
        device.answers(somebody.asked("register")),
    ):
        answer = somebody.client.post("/order/confirm-eligibility", {**told, "passkey": wrong})
        assert "was not accepted" in answer.content.decode()
    assert desk.ledger.last() == before
    right = device.answers(somebody.asked("sign", told["form"]))
    assert somebody.client.post("/order/confirm-eligibility", {**told, "passkey": right}).status_code == 302
    (signature,) = desk.ledger.events(after=before, types=["signature.made/1"])
    assert signature.payload["method"] == "passkey"
    form = somebody.form()
    again = somebody.client.post("/order/confirm-eligibility", {**form, "passkey": right})
    assert "was not accepted" in again.content.decode()


def test_five_wrong_ones_end_the_session_and_lock_the_account(somebody: Somebody) -> None:
    from axes.models import AccessAttempt

    device = Device()
    somebody.adds(device)
    told = somebody.form()
    for _ in range(5):
        wrong = device.answers(somebody.asked("sign", told["form"]), flags=PRESENT)
        answer = somebody.client.post("/order/confirm-eligibility", {**told, "passkey": wrong})
    assert answer.status_code == 429
    assert somebody.client.get("/").status_code == 302
    assert not AccessAttempt.objects.filter(post_data__contains="authenticatorData").exists()


def test_a_role_that_asks_for_a_second_factor_is_content_with_a_passkey_and_keeps_the_last(somebody: Somebody) -> None:
    from trialwright.web.models import FactorRequired, Passkey

    FactorRequired.objects.create(role="investigator")
    assert somebody.client.get("/")["Location"] == "/second-factor"
    assert 'href="/passkeys"' in somebody.client.get("/second-factor").content.decode()
    somebody.adds(Device())
    assert somebody.client.get("/").status_code == 200
    gone = {"what": "remove", "passkey_id": str(Passkey.objects.get().pk), "password": PASSWORD}
    assert "your only one" in somebody.client.post("/passkeys", gone).content.decode()
    admin = signed_in("administrator")
    assert "Remove second factor" in admin.get("/people").content.decode()
    admin.post("/people/reset", {"username": NAME, "what": "factor"})
    assert not Passkey.objects.exists()


def test_where_no_browser_makes_passkeys_the_page_says_so(somebody: Somebody) -> None:
    elsewhere = signed_in(NAME)  # as testserver
    assert "for a name only" in elsewhere.get("/passkeys").content.decode()
    assert elsewhere.post("/passkeys/challenge", {"purpose": "register"}).status_code == 404


def test_behind_a_proxy_the_public_address_is_the_place(somebody: Somebody) -> None:
    from django.test import override_settings

    with override_settings(CSRF_TRUSTED_ORIGINS=["https://trial.example.org"]):
        assert somebody.asked("register")["rp"]["id"] == "trial.example.org"
        assert "was not accepted" in somebody.adds(Device()).content.decode()
        assert somebody.adds(Device(), origin="https://trial.example.org").status_code == 302
