"""Name and contacts on the pages: shown after a reason, logged, found, erased by two people; notes are read."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.web.conftest import account_of, signed_in, vault_in
from trialwright.ledger.chain import verify
from trialwright.ledger.identity import Identity
from trialwright.ledger.vault import Visitor
from trialwright.trial import commands as c
from trialwright.trial.office import Sender
from trialwright.web.desk import Desk
from trialwright.web.erasures import carry_out

PASSWORD = "the right one, and long"
PAGE = "/participants/P-1/identity"
NAME = {"name": "龘靐齉", "latin": "Zyqquelaine Vauhk", "hospital_number": "H-77", "telephone": "139 7757 5311"}


def _keep(**told: str) -> Any:
    return signed_in("coordinator").post(PAGE, {"what": "keep", **NAME, **told})


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_what_is_kept_is_hidden_until_somebody_says_why_and_that_is_logged(desk: Desk) -> None:
    assert _keep()["Location"] == PAGE
    client = signed_in("investigator")
    before = client.get(PAGE).content.decode()
    assert "Why do you look?" in before
    for why in ("", "curiosity"):
        answer = client.post(PAGE, {"what": "look", "why": why}).content.decode()
        assert "Say why you look" in answer
        assert not any(one in before + answer for one in NAME.values())
    shown = client.post(PAGE, {"what": "look", "why": "contact"}).content.decode()
    assert all(f'value="{one}"' in shown for one in NAME.values())
    log = _text(signed_in("monitor").get(f"{PAGE}/log"))
    assert "investigator investigator looked at To call or write to her" in log
    assert "coordinator coordinator changed" in log
    assert not any(one in log for one in NAME.values())


def test_a_name_or_a_number_must_be_there_and_a_changed_one_takes_the_place_of_the_old(desk: Desk) -> None:
    answer = _keep(name=" ", hospital_number="")
    assert "is empty" in answer.content.decode()
    assert "139 7757 5311" in answer.content.decode(), "what was typed is not lost"
    _keep()
    _keep(name="王晓红", address="x" * 600)
    shown = signed_in("coordinator").post(PAGE, {"what": "look", "why": "correction"}).content.decode()
    assert "王晓红" in shown
    assert "龘" not in shown
    assert f'value="{"x" * 500}"' in shown


@pytest.mark.parametrize("typed", ["龘靐齉", "vauhk ZYQQUELAINE", "h77"])
def test_a_coordinator_finds_a_woman_of_her_site_by_post_alone(desk: Desk, typed: str) -> None:
    _keep()
    found = signed_in("coordinator").post("/find", {"who": typed}).content.decode()
    assert '<a href="/participants/P-1/">' in found
    assert "Nobody of your site" in signed_in("other-site").post("/find", {"who": typed}).content.decode()
    assert "P-1" not in signed_in("coordinator").get(f"/find?who={typed}").content.decode()
    assert "found" in _text(signed_in("auditor").get(f"{PAGE}/log"))


def test_a_woman_of_another_site_has_no_name_here(desk: Desk) -> None:
    _keep()
    for address in (PAGE, f"{PAGE}/log"):
        assert signed_in("other-site").get("/participants/P-1/identity").status_code == 404, address
    assert signed_in("other-site").post(PAGE, {"what": "look", "why": "contact"}).status_code == 404


def test_an_error_page_shows_nothing_of_what_was_typed(desk: Desk) -> None:
    strict = signed_in("coordinator", enforce_csrf_checks=True)
    for address in (PAGE, "/find"):
        answer = strict.post(address, {"what": "keep", "who": NAME["name"], **NAME})
        assert answer.status_code == 403
        assert not any(one in answer.content.decode() for one in NAME.values())


def test_a_note_is_ciphertext_in_the_ledger_and_text_for_those_who_care_for_her(desk: Desk) -> None:
    page = signed_in("coordinator").get("/order/note?participant=P-1").content.decode()
    form = re.search(r'name="form" value="([^"]*)"', page)[1]  # type: ignore[index]
    told = {"form": form, "participant": "P-1", "ciphertext": "her husband 龘靐 called", "on": "2026-03-20",
            "back": "/participants/P-1/"}  # fmt: skip
    for _ in range(2):
        assert signed_in("coordinator").post("/order/note", told).status_code == 302
    (event,) = desk.ledger.events(types=["note.recorded/1"])
    assert "龘" not in str(event.payload)
    assert "her husband 龘靐 called" in signed_in("investigator").get("/participants/P-1/").content.decode()
    for other in ("monitor", "pharmacist", "data-manager"):
        answer = signed_in(other).get("/participants/P-1/")
        assert answer.status_code == 200
        assert "husband" not in answer.content.decode()
    assert signed_in("coordinator").post("/order/note", {**told, "form": "x", "participant": "P-99"}).status_code == 404
    desk.submit({"v": c.VoidEvent("P-1", event.seq, "of another woman", "2026-03-20")},
                Sender("coordinator", "coordinator", event.at), "void")  # fmt: skip
    assert "husband" not in signed_in("investigator").get("/participants/P-1/").content.decode()


def _sign(name: str, order: str, **told: str) -> Any:
    account_of(name, PASSWORD)
    client = signed_in(name)
    page = client.get(f"/order/{order}", told).content.decode()
    hidden = {one: re.search(rf'name="{one}" value="([^"]*)"', page)[1] for one in ("form", "seen")}  # type: ignore[index]
    return client.post(f"/order/{order}", {**hidden, **told, "password": PASSWORD, "on": "2026-03-20"})


def test_two_people_erase_a_name_and_the_ledger_stays_whole(desk: Desk) -> None:
    from django.conf import settings

    _keep()
    note = {"form": "n", "participant": "P-1", "ciphertext": "she is 龘靐齉", "on": "2026-03-20"}
    signed_in("coordinator").post("/order/note", note)
    assert "Erasures" in signed_in("administrator").get("/people").content.decode()
    assert _sign("investigator", "order-erasure", participant="P-1", reason="she asked for it").status_code == 302
    assert "has not confirmed it yet" in signed_in("coordinator").get(PAGE).content.decode()
    assert "Look and confirm" in signed_in("administrator").get("/people/erasures").content.decode()
    assert settings.VAULT.holds("P-1"), "an order destroys nothing"
    assert _sign("administrator", "confirm-erasure", participant="P-1").status_code == 302
    assert not settings.VAULT.holds("P-1")
    assert verify(desk.ledger) == []
    signed = [event.user for event in desk.ledger.events(types=["signature.made/1"])][-2:]
    assert signed == ["investigator", "administrator"]
    client = signed_in("coordinator")
    for answer in (client.get(PAGE), client.post(PAGE, {"what": "look", "why": "contact"}), _keep()):
        assert "Erased." in answer.content.decode()
        assert "she asked for it" in answer.content.decode()
        assert "龘" not in answer.content.decode()
    assert "cannot be read any more" in client.get("/participants/P-1/").content.decode()
    assert "P-1" not in client.post("/find", {"who": NAME["name"]}).content.decode()
    assert "erased" in _text(signed_in("monitor").get(f"{PAGE}/log"))
    assert "nothing more can be kept" in client.post("/order/note", {**note, "form": "again"}).content.decode()
    confirmed = next(iter(desk.ledger.events(types=["erasure.confirmed/1"])))
    told = {"form": "v", "participant": "P-1", "event": str(confirmed.seq), "reason": "regret", "on": "2026-03-20"}
    assert "final" in client.post("/order/void", told).content.decode()


def test_a_vault_that_is_restored_from_an_older_backup_forgets_again_who_is_erased(desk: Desk, tmp_path: Any) -> None:
    by, admin = (Sender(one, one, "2026-03-20T03:00:00Z") for one in ("investigator", "administrator"))
    desk.submit({"o": c.OrderErasure("P-1", "she asked for it", "2026-03-20")}, by, "order")
    desk.submit({"c": c.ConfirmErasure("P-1", "2026-03-20")}, admin, "confirm")
    (tmp_path / "older").mkdir()
    with vault_in(tmp_path / "older") as older:
        older.keep("P-1", Identity("龘靐齉"), Visitor("coordinator", "coordinator", "2026-03-19T03:00:00Z"))
        older.keep("P-2", Identity("王晓红"), Visitor("coordinator", "coordinator", "2026-03-19T03:00:00Z"))
        carry_out(desk.trial(), older)
        assert older.destroyed() == {"P-1"}
        assert older.holds("P-2")
        carry_out(desk.trial(), older)
        assert [one.what for one in older.accesses("P-1")] == ["erased", "changed"]
