"""What the pages do with what people type: all or nothing, once, beside the field, and the draft is kept."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.web.conftest import signed_in
from trialwright.trial import commands as c
from trialwright.trial.office import Sender
from trialwright.web.desk import Desk

VISIT = "/participants/P-2/visits/screening/"
OTHER = Sender("somebody-else", "coordinator", "2026-03-20T03:20:00Z")


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def _form(client: Any, address: str = VISIT) -> dict[str, str]:
    """The hidden fields of a form as a browser sends them back."""
    text = client.get(address).content.decode()
    return {name: re.search(rf'name="{name}" value="([^"]*)"', text)[1] for name in ("form", "seen", "record")}  # type: ignore[index]


def _types(desk: Desk, after: int) -> list[str]:
    return [event.type for event in desk.ledger.events(after=after)]


def test_a_form_becomes_the_same_events_that_a_rehearsal_writes(desk: Desk) -> None:
    client, before = signed_in("coordinator"), desk.ledger.last()
    told = {
        **_form(client),
        "on": "2026-03-19",
        "weight": "61.5",
        "weight~unit": "kg",
        "amh": "0.9",
        "partner.sperm_count": "22",
        "ends": "yes",
    }
    assert client.post(VISIT, told).status_code == 302
    events = list(desk.ledger.events(after=before))
    assert [event.type for event in events] == ["observation.recorded/1"] * 3 + ["visit.held/1"]
    assert {event.user for event in events} == {"coordinator"}
    assert events[0].payload["value"] == {"entered": "61.5 kg", "value": "61.5"}
    assert {str(event.payload.get("visit")) for event in events[:3]} == {"{'encounter': 'screening', 'record': ''}"}
    assert events[2].payload["person"] == "partner"
    assert all(event.on == "2026-03-19" for event in events)


def test_a_form_sent_twice_counts_once(desk: Desk) -> None:
    client = signed_in("coordinator")
    told = {**_form(client), "on": "2026-03-19", "weight": "61.5", "ends": "yes"}
    assert client.post(VISIT, told).status_code == 302
    after = desk.ledger.last()
    assert client.post(VISIT, told).status_code == 302
    assert desk.ledger.last() == after


def test_one_wrong_field_keeps_the_whole_form_from_the_ledger_and_says_how_to_mend_it(desk: Desk) -> None:
    client, before = signed_in("coordinator"), desk.ledger.last()
    answer = client.post(VISIT, {**_form(client), "on": "2026-03-19", "weight": "6150", "amh": "0.9"})
    assert answer.status_code == 200
    text = _text(answer)
    assert "Nothing was saved" in text
    assert "25..200" in text or "possible" in text
    assert 'value="0.9"' in answer.content.decode(), "what was right is still there"
    assert desk.ledger.last() == before


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"weight": "1000"}, "possible"),
        ({"weight": "24 kgs"}, "kgs"),
        ({"amh": "9"}, "A query will be raised"),
        ({"birth_date": "soon"}, "a date"),
        ({"birth_date": "1994-05"}, ""),
        ({"weight~not_done": "the scales were broken"}, ""),
        ({"amh": "<0.16"}, ""),
    ],
)
def test_what_is_typed_is_checked_by_the_gate_before_it_is_sent(desk: Desk, typed: dict[str, str], says: str) -> None:
    client, before = signed_in("coordinator"), desk.ledger.last()
    answer = client.post(f"{VISIT}check", {"on": "2026-03-19", **typed}, headers={"HX-Request": "true"})
    text = _text(answer)
    wrong = 'class="refused"' in answer.content.decode() or 'class="asked"' in answer.content.decode()
    assert wrong == bool(says)
    assert says in text
    assert desk.ledger.last() == before


def test_eligibility_is_shown_with_what_is_typed_before_anything_is_saved(desk: Desk) -> None:
    client = signed_in("coordinator")
    for amh, verdict in (("0.9", "eligible"), ("1.4", "ineligible")):
        text = _text(client.post(f"{VISIT}check", {"on": "2026-03-19", "amh": amh}))
        assert f" {verdict} " in text, amh


def test_a_draft_is_kept_for_the_one_who_typed_it_until_it_is_saved(desk: Desk) -> None:
    client = signed_in("coordinator")
    client.post(f"{VISIT}check", {"on": "2026-03-18", "weight": "59.5"})
    text = signed_in("coordinator").get(VISIT).content.decode()
    assert 'value="59.5"' in text
    assert "Your draft was kept" in text
    assert 'value="59.5"' not in signed_in("embryologist").get(VISIT).content.decode()
    told = {**_form(client), "on": "2026-03-18", "weight": "59.5"}
    client.post(VISIT, told)
    assert "Your draft was kept" not in client.get(VISIT).content.decode()
    client.post(f"{VISIT}check", told)
    assert "Your draft was kept" not in client.get(VISIT).content.decode(), "saving overtook the check"


def test_the_second_of_two_people_is_told_and_nothing_is_lost(desk: Desk) -> None:
    client, form = signed_in("coordinator"), _form(signed_in("coordinator"))
    desk.submit({"Observe": c.Observe("P-2", "weight", "58 kg", "2026-03-19")}, OTHER, "other")
    before = desk.ledger.last()
    answer = client.post(VISIT, {**form, "on": "2026-03-19", "weight": "61"})
    assert "somebody-else recorded something" in _text(answer)
    assert 'value="61"' in answer.content.decode()
    assert desk.ledger.last() == before
    seen = re.search(r'name="seen" value="(\d+)"', answer.content.decode())
    assert seen is not None
    assert client.post(VISIT, {**form, "seen": seen[1], "on": "2026-03-19", "weight": "61"}).status_code == 302


def test_an_attestation_is_left_to_the_role_that_may_give_it(desk: Desk) -> None:
    assert "for the investigator to answer" in _text(signed_in("coordinator").get(VISIT))
    client, before = signed_in("coordinator"), desk.ledger.last()
    client.post(VISIT, {**_form(client), "on": "2026-03-19", "fit_for_trial": "no"})
    assert desk.ledger.last() == before


def test_a_correction_shows_old_value_new_value_and_reason(desk: Desk) -> None:
    client = signed_in("investigator")
    weight = next(e for e in desk.events_of("P-2") if e.payload.get("item") == "weight")
    told = {"form": "c1", "participant": "P-2", "event": str(weight.seq), "item": "weight", "value": "63",
            "value~unit": "kg", "reason": "read from the wrong line", "on": "2026-03-20"}  # fmt: skip
    without = client.post("/order/correct", {**told, "reason": ""})
    assert "Nothing was recorded" in _text(without)
    assert client.post("/order/correct", told).status_code == 302
    trail = client.get("/participants/P-2/audit").content.decode()
    assert re.search(r"<del>60 kg</del>\s*<ins>63 kg</ins>", trail)
    assert "read from the wrong line" in trail


def test_the_bedside_check_takes_two_people_with_both_identifiers(desk_at_the_bedside: Desk) -> None:
    def check(name: str, **other: str) -> str:
        told = {"unit": "U-P-1", "participant": "P-1", "second": "1990-03-02", "on": "2026-03-20T09:50"} | other
        answer = signed_in(name).post("/order/verify-unit", {"form": f"{name}{sorted(other.items())}", **told})
        return "" if answer.status_code == 302 else _text(answer)

    assert "P-2" in check("coordinator", participant="P-2")
    assert "Nothing was recorded" in check("coordinator", second="1990-03-03")
    assert "Nothing was recorded" in check("coordinator", second="1990")
    assert "Nothing was recorded" in check("coordinator", unit="U-other")
    unit = desk_at_the_bedside.trial().custody.units["U-P-1"]
    assert unit.verified_by == []
    assert check("coordinator") == ""
    assert "Nothing was recorded" in check("coordinator", on="2026-03-20T09:52"), "the same person does not count twice"
    assert desk_at_the_bedside.trial().custody.units["U-P-1"].state == "received"
    assert check("investigator", on="2026-03-20T09:53") == ""
    assert desk_at_the_bedside.trial().custody.units["U-P-1"].state == "verified"


@pytest.mark.parametrize(
    ("role", "says"),
    [("investigator", "Visits"), ("coordinator", "Visits"), ("quality-person", "Lots that wait"),
     ("cell-laboratory", "Lots that wait"), ("pharmacist", "Units under way"), ("statistician", "Nothing is due"),
     ("sponsor", "Every question of the protocol is answered")],
)  # fmt: skip
def test_today_shows_each_role_its_own_work(shared_desk: Desk, role: str, says: str) -> None:
    assert says in _text(signed_in(role).get("/"))


def test_an_administrator_makes_an_account_that_must_change_its_password(desk: Desk) -> None:
    from django.test import Client

    from trialwright.web.models import Account

    Account.objects.filter(username="new-one").delete()
    admin = signed_in("administrator")
    page = admin.post("/people/new", {"username": "new-one", "name": "New One"}, follow=True)
    password = re.search(r"sign in once with (\S+),", _text(page))
    assert password is not None
    again = admin.post("/people/new", {"username": "new-one", "name": "Somebody Else"}, follow=True)
    assert "never given twice" in _text(again)
    client = Client()
    assert client.post("/sign-in", {"username": "new-one", "password": password[1]}).status_code == 302
    assert client.get("/")["Location"] == "/password"
    new = "a long and fresh pass phrase"
    client.post("/password", {"new_password1": new, "new_password2": new})
    assert client.get("/").status_code == 403, "signed in, and nothing is delegated yet"
    other = "another long and fresh one"
    client.post("/password", {"new_password1": other, "new_password2": other})
    account = Account.objects.get(username="new-one")
    assert account.check_password(new), "an open window is not enough to change a password"
    client.post("/password", {"old_password": new, "new_password1": other, "new_password2": other})
    account.refresh_from_db()
    assert account.check_password(other)


def test_the_server_says_whether_it_is_well(shared_desk: Desk) -> None:
    from django.test import Client

    answer = Client().get("/health")
    assert answer.json()["ok"] is True
    assert answer.json()["kind"] == "real"


def test_the_desk_sees_what_another_process_wrote(desk: Desk) -> None:
    from trialwright.trial.office import Office

    before = desk.trial().last
    Office(desk.ledger, "test").submit(c.Screen("P-9", "S01", "2026-03-20"), OTHER, "from elsewhere")
    assert desk.trial().last > before
    assert "P-9" in desk.trial().sites
