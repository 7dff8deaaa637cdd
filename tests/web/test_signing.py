"""Signatures: the password again, the meaning before and after, bound to what was signed, void when it changes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.web.conftest import account_of, signed_in
from trialwright.trial import commands as c
from trialwright.trial.office import Sender, signatures_broken
from trialwright.web.desk import Desk, Meant
from trialwright.web.orders import ORDERS

PASSWORD = "the right one, and long"
OTHER = Sender("somebody-else", "coordinator", "2026-03-20T03:20:00Z")
SIGNERS = ("investigator", "quality-person", "safety-board")
MEANING = "I have reviewed every criterion and confirm that this is her eligibility."


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def people(desk: Desk) -> Desk:
    """The desk, and people who have a password."""
    for name in SIGNERS:
        account_of(name, PASSWORD)
    return desk


def _sign(client: Any, order: str = "confirm-eligibility", password: str = PASSWORD, **told: str) -> Any:
    about = told or {"participant": "P-2", "on": "2026-03-20"}
    page = client.get(f"/order/{order}", about).content.decode()
    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("form", "seen")}  # type: ignore[index]
    return client.post(f"/order/{order}", {**hidden, **about, "password": password})


def _types(desk: Desk, after: int) -> list[str]:
    return [event.type for event in desk.ledger.events(after=after)]


def test_what_is_signed_by_whom_and_with_which_meaning_stands_on_the_page_before(people: Desk) -> None:
    client = signed_in("investigator")
    text = _text(client.get("/order/confirm-eligibility?participant=P-2"))
    for expected in (MEANING, "Investigator, investigator, S01, 2026-03-20 11:30", "Your password, again",
                     "What you sign, as it stands now"):  # fmt: skip
        assert expected in text


def test_a_signature_is_an_event_bound_by_hash_to_what_was_signed_and_printed_after(people: Desk) -> None:
    client, before = signed_in("investigator"), people.ledger.last()
    assert _sign(client).status_code == 302
    determined, signature = people.ledger.events(after=before)
    assert (determined.type, signature.type) == ("eligibility.determined/1", "signature.made/1")
    assert signature.payload == {
        "meaning": MEANING,
        "name": "Investigator",
        "method": "password",
        "signed": [{"event": determined.seq, "hash": determined.hash}],
    }
    assert (signature.user, signature.role, signature.stream) == ("investigator", "investigator", "participant/P-2")
    assert signatures_broken(people.ledger) == []
    for address in ("/participants/P-2/", "/participants/P-2/audit"):
        text = _text(client.get(address))
        assert MEANING in text
        assert "Investigator" in text
        assert "2026-03-20 11:30" in text
    assert "void" not in _text(client.get("/participants/P-2/")).lower()


@pytest.mark.parametrize("password", ["a guess", ""])
def test_a_wrong_password_signs_nothing_and_says_so(people: Desk, password: str) -> None:
    client, before = signed_in("investigator"), people.ledger.last()
    answer = _sign(client, password=password)
    assert "nothing was signed" in _text(answer)
    assert "Nothing was recorded" in _text(answer)
    assert people.ledger.last() == before


def test_wrong_passwords_under_a_signature_lock_the_account_and_end_the_session(people: Desk) -> None:
    from django.test import Client

    client, before = signed_in("investigator"), people.ledger.last()
    answers = [_sign(client, password="a guess").status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    assert client.get("/")["Location"].startswith("/sign-in")
    assert Client().post("/sign-in", {"username": "investigator", "password": PASSWORD}).status_code == 429
    assert people.ledger.last() == before


def test_the_right_password_of_somebody_else_signs_nothing(people: Desk) -> None:
    from trialwright.web.models import Account

    account = Account.objects.get(username="quality-person")
    account.set_password("another one, and long")
    account.save()
    before = people.ledger.last()
    assert "nothing was signed" in _text(_sign(signed_in("investigator"), password="another one, and long"))
    assert people.ledger.last() == before


def test_what_changed_since_it_was_shown_is_not_signed(people: Desk) -> None:
    client = signed_in("investigator")
    page = client.get("/order/confirm-eligibility?participant=P-2").content.decode()
    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("form", "seen")}  # type: ignore[index]
    people.submit({"Observe": c.Observe("P-2", "weight", "58 kg", "2026-03-19")}, OTHER, "meanwhile")
    before = people.ledger.last()
    told = {**hidden, "participant": "P-2", "on": "2026-03-20", "password": PASSWORD}
    assert "has changed since it was shown" in _text(client.post("/order/confirm-eligibility", told))
    assert people.ledger.last() == before


def test_a_signature_sent_twice_counts_once(people: Desk) -> None:
    client = signed_in("investigator")
    page = client.get("/order/confirm-eligibility?participant=P-2").content.decode()
    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("form", "seen")}  # type: ignore[index]
    told = {**hidden, "participant": "P-2", "on": "2026-03-20", "password": PASSWORD}
    assert client.post("/order/confirm-eligibility", told).status_code == 302
    after = people.ledger.last()
    assert client.post("/order/confirm-eligibility", told).status_code == 302
    assert people.ledger.last() == after


def test_a_signature_is_of_the_moment_of_its_form_also_where_a_minute_ends_meanwhile(people: Desk) -> None:
    by = Sender("investigator", "investigator", "2026-03-20T03:29:59Z")
    command = {"ConfirmEligibility": c.ConfirmEligibility("P-2", "2026-03-20")}
    determined, signature = people.submit(command, by, "form", Meant(MEANING, "Li Wei", "password"))
    assert (signature.at, signature.on) == (determined.at, "2026-03-20T11:29")


def test_what_the_gate_refuses_is_not_signed(people: Desk) -> None:
    client, before = signed_in("investigator"), people.ledger.last()
    assert "Nothing was recorded" in _text(_sign(client, "enrol"))
    assert people.ledger.last() == before


def test_a_change_of_what_was_signed_voids_the_signature_where_it_is_shown(people: Desk) -> None:
    client, before = signed_in("investigator"), people.ledger.last()
    _sign(client)
    determined = before + 1
    told = {"form": "v1", "participant": "P-2", "event": str(determined), "reason": "the wrong woman",
            "on": "2026-03-20"}  # fmt: skip
    assert client.post("/order/void", told).status_code == 302
    assert f"Void: what was signed was changed by entry {determined + 2}" in _text(client.get("/participants/P-2/"))
    trail = _text(client.get("/participants/P-2/audit"))
    assert f"Void: what was signed was changed by entry {determined + 2}" in trail
    assert "that signature is void" in trail


def test_a_change_of_what_it_rests_on_is_told_beside_it(people: Desk) -> None:
    client = signed_in("investigator")
    _sign(client)
    weight = next(e for e in people.events_of("P-2") if e.payload.get("item") == "weight")
    correct = c.Correct("P-2", weight.seq, {"value": "63 kg"}, "misread", "2026-03-20")
    (changed, *_) = people.submit({"Correct": correct}, OTHER, "corrects")
    text = _text(client.get("/participants/P-2/"))
    assert f"What had been recorded before was changed since, by entry {changed.seq}" in text
    assert "Void" not in text


def test_a_signature_cannot_be_taken_back(people: Desk) -> None:
    client, before = signed_in("investigator"), people.ledger.last()
    _sign(client)
    told = {"form": "v1", "participant": "P-2", "event": str(before + 2), "reason": "changed my mind",
            "on": "2026-03-20"}  # fmt: skip
    assert "a signature is not taken back" in _text(client.post("/order/void", told))
    assert f"event={before + 2}&" not in client.get("/participants/P-2/audit").content.decode().replace("&amp;", "&")


def test_a_release_is_signed_and_its_signature_printed_on_the_page_of_the_lot(people: Desk) -> None:
    at = Sender("cell-laboratory", "cell laboratory", "2026-03-20T03:20:00Z")
    results = {"viability": "91 %", "viable_cells": "100 10*6"}
    people.submit({"TestLot": c.TestLot("L-2", results, "2026-03-19")}, at, "results of L-2")
    client, before = signed_in("quality-person"), people.ledger.last()
    assert _sign(client, "release-lot", lot="L-2", on="2026-03-20T11:00").status_code == 302
    assert _types(people, before) == ["lot.released/1", "signature.made/1"]
    text = _text(client.get("/product/lots/L-2/"))
    assert "I release this lot" in text
    assert "Quality-Person" in text


def test_the_review_of_an_alert_is_signed_by_the_board_and_its_signature_printed_beside_the_alert(people: Desk) -> None:
    quality = Sender("quality-person", "quality person", "2026-03-20T03:20:00Z")
    people.submit({"RecallLot": c.RecallLot("L-1", "doubt", "2026-03-20")}, quality, "recall of L-1")
    client, before = signed_in("safety-board"), people.ledger.last()
    told = {"alert": "A1", "decision": "continue", "reason": "nobody was given it", "on": "2026-03-20"}
    assert "nothing was signed" in _text(_sign(client, "review-trigger", password="a guess", **told))
    assert _sign(client, "review-trigger", **told).status_code == 302
    assert _types(people, before) == ["trigger.reviewed/1", "signature.made/1"]
    text = _text(client.get("/safety"))
    assert "Signed by Safety-Board (safety-board), safety board, 2026-03-20 11:30" in text
    assert "this is the decision of the board" in text


def test_in_a_demonstration_no_password_is_asked_and_the_signature_says_so(people: Desk) -> None:
    from django.test import override_settings

    with override_settings(DEMO=True):
        client, before = signed_in("investigator"), people.ledger.last()
        assert 'name="password"' not in client.get("/order/confirm-eligibility?participant=P-2").content.decode()
        assert _sign(client, password="").status_code == 302
        (signature,) = people.ledger.events(after=before, types=["signature.made/1"])
        assert signature.payload["method"] == "nothing: a demonstration"


def test_what_the_issue_wants_signed_is_signed_and_no_other_button_says_sign() -> None:
    signed = {name for name, order in ORDERS.items() if order.meaning}
    assert signed == {
        "confirm-eligibility", "enrol", "allocate", "release-lot", "release-unit", "review-trigger", "sign-casebook",
        "order-erasure", "confirm-erasure",
    }  # fmt: skip
    assert {name for name, order in ORDERS.items() if "sign" in order.button.lower()} == signed
