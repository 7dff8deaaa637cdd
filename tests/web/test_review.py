"""Queries, casebooks and the trail as pages: who sees what, what is offered, what is found and what is exported."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest

from tests.web.conftest import AT, signed_in
from trialwright.ledger.chain import checkpoint
from trialwright.ledger.envelope import Event
from trialwright.ledger.store import Ledger
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.office import Sender
from trialwright.web.desk import Desk
from trialwright.web.export import safe

TODAY = "2026-03-20"


def _page(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def _do(desk: Desk, role: str, *commands: c.Command) -> None:
    for number, command in enumerate(commands):
        name = f"{role} {desk.ledger.last()} {number}"
        desk.submit({name: command}, Sender(role.replace(" ", "-"), role, AT), name)


def _weight(desk: Desk, who: str = "P-2") -> Event:
    return next(event for event in desk.events_of(who) if event.payload.get("item") == "weight")


def _ask(desk: Desk, role: str = "monitor", says: str = "As in the source?") -> None:
    _do(desk, role, c.RaiseQuery("P-2", says, "2026-03-19", _weight(desk).seq))


# ---------------------------------------------------------------- queries


@pytest.mark.parametrize(
    ("state", "role", "offered"),
    [
        ("open", "coordinator", ["Answer"]),
        ("open", "monitor", ["Take back"]),
        ("open", "data manager", []),
        ("open", "auditor", []),
        ("answered", "coordinator", []),
        ("answered", "monitor", ["Close", "Ask again"]),
        ("answered", "data manager", []),
        ("closed", "coordinator", []),
        ("closed", "monitor", ["Ask again"]),
    ],
)
def test_a_query_offers_its_next_step_to_the_one_whose_turn_it_is(
    desk: Desk, state: str, role: str, offered: list[str]
) -> None:
    _ask(desk)
    if state != "open":
        _do(desk, "coordinator", c.AnswerQuery("P-2", "Q1", "Yes, page 3.", "2026-03-19"))
    if state == "closed":
        _do(desk, "monitor", c.ResolveQuery("P-2", "Q1", "2026-03-19"))
    text = signed_in(role.replace(" ", "-")).get("/participants/P-2/queries/Q1/").content.decode()
    assert re.findall(r'class="button[^"]*" href="[^"]*">([^<]*)<', text) == offered
    assert "As in the source?" in text


@pytest.mark.parametrize(
    ("name", "asked", "found"),
    [
        ("monitor", "", ["P-2 Q1"]),
        ("monitor", "state=answered", ["P-2 Q2"]),
        ("monitor", "state=all", ["P-2 Q1", "P-2 Q2"]),
        ("monitor", "state=all&mine=yes", ["P-2 Q1"]),
        ("data-manager", "state=all&mine=yes", ["P-2 Q2"]),
        ("coordinator", "state=all&mine=yes", ["P-2 Q2"]),
        ("monitor", "state=all&q=weight", ["P-2 Q1", "P-2 Q2"]),
        ("monitor", "state=all&q=second", ["P-2 Q2"]),
        ("monitor", "state=all&older=7", []),
        ("monitor", "state=all&older=1", ["P-2 Q1", "P-2 Q2"]),
        ("everywhere", "state=all", ["P-2 Q1", "P-2 Q2", "Q-1 Q1"]),
        ("everywhere", "state=all&site=S02", ["Q-1 Q1"]),
        ("other-site", "state=all", ["Q-1 Q1"]),
    ],
)
def test_queries_are_found_by_state_person_site_age_and_text(
    desk: Desk, name: str, asked: str, found: list[str]
) -> None:
    _ask(desk)
    _ask(desk, "data manager", "A second one")
    _do(desk, "coordinator", c.AnswerQuery("P-2", "Q2", "yes", "2026-03-19"))
    _do(desk, "monitor", c.RaiseQuery("Q-1", "At the other site?", "2026-03-19"))
    text = signed_in(name).get(f"/queries?{asked}").content.decode()
    assert sorted(re.findall(r'queries/Q\d/">([^<]*)</a>', text)) == found


# ---------------------------------------------------------------- casebooks and entries


def test_a_monitor_verifies_ticked_entries_and_a_later_correction_shows_as_void(desk: Desk) -> None:
    monitor, weight = signed_in("monitor"), _weight(desk)
    seen = desk.events_of("P-2")[-1].seq
    told = {"event": [str(weight.seq)], "seen": str(seen), "encounter": "screening", "record": "", "form": "v-1"}
    assert monitor.post("/participants/P-2/verify", told).status_code == 302
    (event,) = desk.ledger.events(types=[e.SOURCE_VERIFIED])
    assert event.payload["verified"] == [{"event": weight.seq, "hash": weight.hash}]
    address = f"/participants/P-2/entries/{weight.seq}/"
    assert "verified monitor" in _page(monitor.get(address))
    _do(desk, "coordinator", c.Correct("P-2", weight.seq, {"value": "62 kg"}, "read from another line", TODAY))
    text = _page(monitor.get(address))
    assert "60 kg 62 kg" in text, "old beside new"
    assert "read from another line" in text
    assert "void monitor" in text
    assert "changed since it was verified" in _page(monitor.get("/participants/P-2/casebook/"))
    assert monitor.post("/participants/P-2/verify", told).status_code == 302, "sent twice, it counts once"
    assert len(list(desk.ledger.events(types=[e.SOURCE_VERIFIED]))) == 1
    answer = monitor.post("/participants/P-2/verify", {**told, "form": "v-2"})
    assert "something was recorded for P-2; nothing was verified" in _page(answer)


def test_casebooks_show_shares_with_what_they_are_of_per_participant_and_site(desk: Desk) -> None:
    weight = _weight(desk)
    _do(desk, "monitor", c.VerifySource("P-2", {weight.seq: weight.hash}, TODAY))
    text = _page(signed_in("everywhere").get("/casebooks"))
    assert re.search(r"P-2 eligibility|P-2 in screening", text) or "P-2" in text
    assert re.search(r"S01 2 .*? 1 of \d+ \(\d+ %\)", text), text
    assert re.search(r"S02 1 .*? 0 of 1 \(0 %\)", text), text
    assert "Q-1" not in _page(signed_in("monitor").get("/casebooks"))


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("other-site", "/participants/P-2/casebook/"),
        ("other-site", "/participants/P-2/entries/40/"),
        ("other-site", "/participants/P-2/queries/Q1/"),
        ("data-manager", "/order/lock?site=S02"),
        ("data-manager", "/order/lock"),
        ("data-manager", "/order/unlock"),
        ("monitor", "/participants/P-2/entries/1/"),
        ("monitor", "/participants/P-2/queries/Q9/"),
    ],
)
def test_of_another_site_and_of_what_is_not_there_nothing_is_said(desk: Desk, name: str, address: str) -> None:
    _ask(desk)
    assert signed_in(name).get(address).status_code == 404


def test_a_frozen_form_says_who_froze_it_and_takes_nothing(desk: Desk) -> None:
    _do(desk, "data manager", c.Freeze("P-2", "interim review", TODAY, "screening"))
    text = signed_in("coordinator").get("/participants/P-2/visits/screening/").content.decode()
    assert "Frozen by data-manager" in text
    assert "interim review" in text
    assert 'class="whole" disabled' in text
    before = desk.ledger.last()
    told = {"participant": "P-2", "event": str(_weight(desk).seq), "item": "weight", "value": "62", "value~unit": "kg",
            "reason": "misread", "on": TODAY, "form": "c-1"}  # fmt: skip
    answer = signed_in("coordinator").post("/order/correct", told)
    assert "is frozen: data-manager froze it" in _page(answer)
    assert desk.ledger.last() == before


def test_a_recorded_value_leads_to_its_history_from_the_form_the_casebook_and_the_trail(desk: Desk) -> None:
    address = f'href="/participants/P-2/entries/{_weight(desk).seq}/"'
    for page in ("visits/screening/", "casebook/", "audit"):
        assert address in signed_in("investigator").get(f"/participants/P-2/{page}").content.decode(), page


# ---------------------------------------------------------------- the trail


def _numbers(answer: Any) -> list[int]:
    return [int(one) for one in re.findall(r'<li id="e(\d+)"', answer.content.decode())]


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ("q=weight", lambda one: "weight" in json.dumps(one.payload)),
        ("q=Anti-M%C3%BCllerian", lambda one: "amh" in json.dumps(one.payload)),
        ("q=enrolled", lambda one: one.type == e.ENROLLED),
        ("q=her+wish", lambda one: one.reason == "her wish" or "her wish" in json.dumps(one.payload)),
        ("user=the+sponsor", lambda one: one.user == "the sponsor"),
        ("role=quality+person", lambda one: one.role == "quality person"),
        ("type=list.closed/1", lambda one: one.type == e.LIST_CLOSED),
        ("site=S02", lambda one: one.site == "S02"),
        ("participant=Q-1", lambda one: one.stream == "participant/Q-1"),
        ("from=2026-03-20", lambda one: one.at >= "2026-03-19T16:00:00Z"),
        ("to=2026-03-19", lambda one: one.at < "2026-03-19T16:00:00Z"),
        ("participant=P-1&q=Consent", lambda one: (one.stream, one.type) == ("participant/P-1", e.CONSENTED)),
        ("q=%25", lambda one: "%" in json.dumps(one.payload) + one.reason),
    ],
)  # fmt: skip
def test_the_trail_is_searched_by_text_person_role_type_site_and_day(shared_desk: Desk, asked: str, holds: Any) -> None:
    client = signed_in("everywhere")
    found = client.get(f"/trail/export?as=json&{asked}")
    told = json.loads(b"".join(found.streaming_content))
    wanted = [event.seq for event in shared_desk.ledger.events() if holds(event)]
    assert [one["seq"] for one in told["entries"]] == wanted
    assert _numbers(client.get(f"/trail?{asked}")) == wanted[::-1][:50]


def test_pages_of_the_trail_lead_through_every_event_once_and_read_no_more_than_they_show(
    shared_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, seen, address = signed_in("everywhere"), list[int](), "/trail?"
    client.get("/trail")
    whole = Ledger.events

    def of_a_stream(self: Ledger, *told: Any, **named: Any) -> Any:
        assert told or named.get("stream"), "the whole ledger was read"
        return whole(self, *told, **named)

    monkeypatch.setattr(Ledger, "events", of_a_stream)
    while address:
        answer = client.get(address)
        seen += _numbers(answer)
        older = re.search(r'href="(/trail\?[^"]*before=\d+)"', answer.content.decode())
        address = older[1].replace("&amp;", "&") if older else ""
    assert seen == list(range(shared_desk.ledger.last(), 0, -1))


def test_of_another_sites_women_the_trail_and_its_export_say_nothing(desk: Desk) -> None:
    _do(desk, "monitor", c.RaiseQuery("Q-1", "At the other site?", "2026-03-19"))
    _do(desk, "quality person", c.RecallLot("L-1", "growth", "2026-03-20T10:00"))
    for name, others in (("auditor", "Q-1"), ("investigator", "Q-1")):
        client = signed_in(name)
        text = b"".join(client.get("/trail/export?as=csv").streaming_content).decode()
        assert others not in text
        assert others not in client.get("/trail?type=query.raised/1").content.decode()
        assert client.get("/trail?participant=Q-1").content.decode().count('<li id="e') == 0
        seen = {row[12] for row in csv.reader(io.StringIO(text)) if len(row) > 12}
        assert {e.LOT_RELEASED, e.DELEGATED, e.OBSERVED} <= seen, "what concerns them is there"
        assert e.LOT_RECALLED not in seen, "it names everybody who had it"


def test_an_export_says_first_which_ledger_it_is_of_and_what_was_asked(desk: Desk) -> None:
    answer = signed_in("everywhere").get("/trail/export?as=csv&participant=P-2")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(answer.streaming_content)
    assert content.startswith("\ufeff".encode())
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    head, point = {row[0]: row[1] for row in rows[: rows.index([])]}, checkpoint(desk.ledger)
    assert (head["checkpoint"], head["events"]) == (point.digest, str(point.seq))
    assert json.loads(head["filter"]) == {"participant": "P-2"}
    assert head["exported_by"] == "everywhere, monitor"
    names, *told = rows[rows.index([]) + 1 :]
    assert [int(row[names.index("seq")]) for row in told] == [event.seq for event in desk.events_of("P-2")]


def test_a_spreadsheet_takes_no_text_of_an_export_for_a_formula(desk: Desk) -> None:
    _ask(desk, says='=HYPERLINK("http://example.org")')
    _do(desk, "coordinator", c.Correct("P-2", _weight(desk).seq, {"value": "62 kg"}, "=1+1", TODAY))
    content = b"".join(signed_in("everywhere").get("/trail/export?as=csv").streaming_content).decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(content)) for cell in row]
    assert "'=1+1" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1", "'=1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-5", "'-5"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        ("60 kg", "60 kg"),
        (7, "7"),
    ],
)
def test_a_cell_that_begins_like_a_formula_is_marked_as_text(text: object, cell: str) -> None:
    assert safe(text) == cell


def test_a_day_that_is_none_is_told_and_searches_nothing(desk: Desk) -> None:
    assert "soon is no day" in _page(signed_in("everywhere").get("/trail?from=soon"))
    assert signed_in("everywhere").get("/trail/export?from=soon").status_code == 400


def test_every_type_of_event_has_words(shared_desk: Desk) -> None:
    from trialwright.web.trail import WORDS  # needs what the desk has set up

    types = {value for name, value in vars(e).items() if name.isupper() and isinstance(value, str) and "/" in value}
    assert types == set(WORDS)
