"""The laboratory in the pages: the board, and the grid that is checked as one types and saved whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.conftest import configured, signed_in
from tests.web.laboratory import GRID, hidden, laboratory, text
from trialwright.trial import commands as c
from trialwright.trial.office import Sender
from trialwright.web.desk import Desk

OTHER = Sender("the coordinator", "coordinator", "2026-03-20T03:00:00Z")
CHECK = "/participants/P-1/laboratory/oocyte/check"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    configured()
    from django.test import override_settings

    made = laboratory(tmp_path)
    with override_settings(DESK=made):
        yield made
    made.ledger.close()


def _typed(client: Any, **boxes: str) -> dict[str, str]:
    """The form of the grid with what was typed; `_` stands for a hyphen, `__` for the mark between row and field."""
    told = hidden(client.get(GRID).content.decode())
    named = {name.replace("__", "~").replace("_", "-", 2): value for name, value in boxes.items()}
    return {**told, "on": "2026-03-19T10:00", **named}


def _oocytes(desk: Desk) -> dict[str, dict[str, str]]:
    woman = desk.participant("P-1")
    assert woman is not None
    found: dict[str, dict[str, str]] = {}
    for record, events in woman.records.get("oocyte", {}).items():
        found[record] = {}
        for event in events:
            fields: Any = event.payload["fields"]
            found[record] |= {name: value["entered"] for name, value in fields.items()}
    return found


def _two(client: Any) -> dict[str, str]:
    return _typed(client, rows="2", cycle_b_1__maturity="mii", cycle_b_1__insemination="ic",
                  cycle_b_1__inseminated="14:30", cycle_b_2__maturity='"', cycle_b_2__insemination="n")  # fmt: skip


def test_new_rows_are_recorded_with_what_their_codes_mean(desk: Desk) -> None:
    client = signed_in("embryologist")
    assert client.post(GRID, _two(client)).status_code == 302
    assert _oocytes(desk) == {
        "cycle-b-1": {"maturity": "mii", "insemination": "icsi", "inseminated": "2026-03-19T14:30"},
        "cycle-b-2": {"maturity": "mii", "insemination": "none"},
    }


def test_only_what_was_typed_is_sent_and_what_is_recorded_is_corrected_with_a_reason(desk: Desk) -> None:
    client = signed_in("embryologist")
    client.post(GRID, _two(client))
    before = desk.ledger.last()
    sent = _typed(client, cycle_b_1__pronuclei="2", cycle_b_1__maturity="gv", cycle_b_2__cells="")
    assert client.post(GRID, sent).status_code == 302
    added = list(desk.ledger.events(after=before))
    assert [(one.type, one.payload["record"], list(one.payload["fields"])) for one in added] == [  # type: ignore[arg-type]
        ("record.completed/1", "cycle-b-1", ["pronuclei"])
    ]
    page = client.get(GRID).content.decode()
    assert "/order/correct?participant=P-1" in page
    assert "item=oocyte.maturity&amp;old=mii" in page


def test_a_form_sent_twice_counts_once(desk: Desk) -> None:
    client = signed_in("embryologist")
    form = _two(client)
    for _ in range(2):
        assert client.post(GRID, form).status_code == 302
    assert len(_oocytes(desk)) == 2


def test_what_the_gate_refuses_stands_beside_its_box_and_nothing_is_saved(desk: Desk) -> None:
    client = signed_in("embryologist")
    before = desk.ledger.last()
    told = _two(client) | {"cycle-b-2~pronuclei": "9", "cycle-b-2~maturity": "x", "cycle-b-1~pronuclei": "4"}
    page = client.post(GRID, told).content.decode()
    assert desk.ledger.last() == before
    beside = {part.split('"')[0]: part.split("</td>")[0] for part in page.split('class="says" id="m-')[1:]}
    assert "9 is outside what is possible" in beside["cycle-b-2-pronuclei"]
    assert "is not one of gv, mi, mii, degenerate" in beside["cycle-b-2-maturity"]
    assert "A query will be raised" in beside["cycle-b-1-pronuclei"]
    assert "refused" not in beside["cycle-b-1-maturity"]
    assert 'value="9"' in page, "what was typed is still there"


def test_the_gate_answers_while_one_types_and_the_draft_is_kept(desk: Desk) -> None:
    client = signed_in("embryologist")
    before = desk.ledger.last()
    told = _two(client) | {"cycle-b-1~pronuclei": "9"}
    answer = client.post(CHECK, told).content.decode()
    assert "9 is outside what is possible" in answer
    assert '<span class="meant">icsi</span>' in answer
    assert desk.ledger.last() == before
    page = client.get(GRID).content.decode()
    assert "Your draft was kept" in page
    assert 'value="14:30"' in page
    client.post(GRID, told | {"cycle-b-1~pronuclei": "2"})
    assert "Your draft was kept" not in client.get(GRID).content.decode(), "it is recorded now"


def test_a_check_that_saving_overtook_brings_no_draft_back(desk: Desk) -> None:
    client = signed_in("embryologist")
    told = _two(client)
    client.post(GRID, told)
    client.post(CHECK, told)
    assert "Your draft was kept" not in client.get(GRID).content.decode()


def test_showing_more_rows_records_nothing_and_keeps_what_was_typed(desk: Desk) -> None:
    client = signed_in("embryologist")
    before = desk.ledger.last()
    page = client.post(GRID, {**_two(client), "rows": "7", "do": "rows"}).content.decode()
    assert page.count('<tr class="new">') == 7
    assert 'value="14:30"' in page
    assert client.post(GRID, {**_two(client), "rows": "999", "do": "rows"}).content.decode().count('class="new"') == 60
    assert desk.ledger.last() == before


def test_somebody_who_was_quicker_is_told_and_nothing_is_lost(desk: Desk) -> None:
    client = signed_in("embryologist")
    form = _two(client)
    desk.submit({"w": c.Observe("P-1", "weight", "61 kg", "2026-03-19")}, OTHER, "meanwhile")
    page = text(client.post(GRID, form))
    assert "Nothing was saved" in page
    assert _oocytes(desk) == {}


@pytest.mark.parametrize("role", ["investigator", "coordinator", "monitor"])
def test_others_look_and_do_not_type(desk: Desk, role: str) -> None:
    embryologist = signed_in("embryologist")
    embryologist.post(GRID, _two(embryologist))
    client, before = signed_in(role), desk.ledger.last()
    page = client.get(GRID).content.decode()
    assert "Save" not in page
    assert 'name="cycle-b-1~cells"' not in page
    assert client.post(GRID, {"rows": "1", "on": "2026-03-19"}).status_code == 403
    assert client.post(CHECK, {}).status_code == 403
    assert desk.ledger.last() == before


@pytest.mark.parametrize(
    "address",
    [
        "/participants/P-1/laboratory/oocyte/?parent=cycle-z",
        "/participants/P-1/laboratory/oocyte/",
        "/participants/P-1/laboratory/cycle/?parent=",  # nothing of it is read in the laboratory
        "/participants/Q-1/laboratory/oocyte/?parent=cycle-b",  # another site's
        "/participants/P-9/laboratory/oocyte/?parent=cycle-b",
    ],
)
def test_of_what_there_is_not_nothing_is_said(desk: Desk, address: str) -> None:
    assert signed_in("embryologist").get(address).status_code == 404


def test_the_board_shows_what_is_due_by_its_hour_and_forgets_what_is_done(desk: Desk) -> None:
    client = signed_in("embryologist")
    assert "Nothing is in culture" in text(client.get("/laboratory"))
    client.post(GRID, _two(client) | {"cycle-b-1~inseminated": "17:30"})  # 18 hours before now
    page = text(client.get("/laboratory"))
    assert "10:30 Fri 20 Mar 09:30–11:30 2PN 17 h P-1 cycle-b 1 of 1 due" in page
    assert page.index("2PN 17 h") < page.index("D3 68 h"), "by their hours"
    client.post(GRID, _typed(client, cycle_b_1__pronuclei="1"))
    page = text(client.get("/laboratory"))
    assert "Nothing is in culture" in page
    assert "P-1, cycle-b Oocyte, 2" in page, "read to the end"
    event = next(one for one in desk.events_of("P-1") if one.type == "record.completed/1")
    desk.submit({"v": c.VoidEvent("P-1", event.seq, "wrong dish", "2026-03-20")}, OTHER, "void")
    assert "2PN 17 h P-1 cycle-b 1 of 1 due" in text(client.get("/laboratory")), "taken back, it is due again"


def test_the_laboratory_is_told_in_chinese_to_whoever_reads_chinese(desk: Desk) -> None:
    client = signed_in("embryologist", headers={"Accept-Language": "zh-hans"})
    client.post(GRID, _two(client) | {"cycle-b-1~inseminated": "17:30"})
    assert "按时间排列的检查" in text(client.get("/laboratory"))
    page = text(client.get(GRID))
    assert "受精方式" in page, "as the protocol calls it"
    assert "周期 cycle-b" in page


def test_what_somebody_types_is_never_taken_for_marks_of_a_page(desk: Desk) -> None:
    client = signed_in("embryologist")
    told = _two(client) | {"cycle-b-1~maturity": '"><script>x</script>'}
    for answer in (client.post(CHECK, told), client.post(GRID, told), client.get(GRID)):
        assert "<script>x" not in answer.content.decode()
