"""Import in the pages: looked at first, recorded once, marked as imported, and taken back as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.spreadsheets import stuffed, xlsx
from tests.web.conftest import configured, signed_in
from tests.web.laboratory import hidden, laboratory, text
from trialwright.ledger.chain import verify
from trialwright.trial import commands as c
from trialwright.trial.office import Sender
from trialwright.web.desk import Desk

OTHER = Sender("the coordinator", "coordinator", "2026-03-20T03:00:00Z")
LIST: list[list[Any]] = [
    ["id", "day", "AMH (ng/mL)", "allergy", "name"],
    ["P-1", "2026-03-05", 0.9, "否", "Wang Fang"],
    ["P-2", "2026-03-05", 250, "是", "Li Na"],
    ["P-2", "2026-03-06", 0.7, "", "Li Na"],
    ["@P-9", "2026-03-06", 0.7, "", "x"],
]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    configured()
    from django.test import override_settings

    made = laboratory(tmp_path)
    with override_settings(DESK=made):
        yield made
    made.ledger.close()


def _file(content: bytes, name: str = "list.xlsx") -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, content)


def _uploaded(client: Any, rows: list[list[Any]] = LIST, name: str = "list.xlsx", **more: Any) -> None:
    """A file as far as its preview, by the mapping that is proposed or chosen."""
    answer = client.post("/import", {"file": _file(xlsx(rows), name), **more})
    assert answer.status_code == 302, text(answer)
    if not more:
        assert client.post("/import/mapping", _proposed(client)).status_code == 302


def _proposed(client: Any, **more: str) -> dict[str, str]:
    """What the form of the mapping holds when it is opened, as a browser would send it."""
    import re

    page = client.get("/import/mapping").content.decode()
    told = {"do": "preview"}
    for name, inside in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', inside)
        told[name] = (chosen[1] if chosen[1] is not None else chosen[2]) if chosen else ""
    for name, value in re.findall(r'<input[^>]* name="([^"]+)" value="([^"]*)"', page):
        told.setdefault(name, value)
    told |= dict(re.findall(r'<textarea name="([^"]+)"[^>]*>(.*?)</textarea>', page, re.DOTALL))
    return {**told, **more}


def _imports(client: Any, which: str = "accepted", **more: str) -> Any:
    said = hidden(client.get("/import/preview").content.decode())
    return client.post("/import/preview", {**said, "which": which, **more}, follow=True)


def _amh(desk: Desk, who: str) -> list[str]:
    woman = desk.participant(who)
    assert woman is not None
    return [str(event.payload["value"]["entered"]) for event in woman.observed.get("amh", ())]  # type: ignore[call-overload, index]


def test_a_preview_says_what_each_row_would_become_and_writes_nothing(desk: Desk) -> None:
    client, before = signed_in("coordinator"), desk.ledger.last()
    _uploaded(client)
    page = text(client.get("/import/preview"))
    assert "accepted 2 refused 2 known already 0" in page
    assert "amh: 250 ng/mL is outside what is possible" in page
    assert "there is no participant @P-9 at this site" in page
    assert "Anti-Müllerian hormone 0.9 ng/mL" in page
    assert "Wang Fang" not in page, "a column that fills nothing goes nowhere"
    assert desk.ledger.last() == before


def test_the_accepted_rows_are_imported_and_say_where_they_come_from(desk: Desk) -> None:
    client, before = signed_in("coordinator"), desk.ledger.last()
    _uploaded(client)
    assert "2 rows of list.xlsx were imported" in text(_imports(client))
    written = list(desk.ledger.events(after=before))
    assert {event.payload.get("item") for event in written} == {"amh", "allergy"}
    assert [event.reason.partition(", SHA")[0] for event in written] == [
        "imported from list.xlsx, row 2", "imported from list.xlsx, row 2", "imported from list.xlsx, row 4",
    ]  # fmt: skip
    digest = written[0].reason.rpartition(" ")[2]
    assert len(digest) == 64
    assert digest not in {one for one, _ in desk.ledger.attachments()}, "only its digest is kept"
    assert (_amh(desk, "P-1"), _amh(desk, "P-2")) == (["0.80 ng/mL", "0.9 ng/mL"], ["0.80 ng/mL", "0.7 ng/mL"])
    assert "imported from list.xlsx, row 2" in text(signed_in("monitor").get("/participants/P-1/audit"))


def test_the_file_is_kept_where_somebody_says_that_it_names_nobody(desk: Desk) -> None:
    client, before = signed_in("coordinator"), desk.ledger.last()
    _uploaded(client)
    _imports(client, keep="yes")
    digest = next(desk.ledger.events(after=before)).reason.rpartition(" ")[2]
    assert desk.ledger.blob(digest).startswith(b"PK")
    assert verify(desk.ledger) == []


def test_all_or_nothing_is_nothing_where_a_row_is_refused(desk: Desk) -> None:
    client, before = signed_in("coordinator"), desk.ledger.last()
    _uploaded(client)
    assert "2 rows of list.xlsx are refused; all or nothing was asked" in text(_imports(client, "all"))
    assert desk.ledger.last() == before
    _uploaded(client, LIST[:2])
    assert "1 rows of list.xlsx were imported" in text(_imports(client, "all"))


def test_the_same_file_imported_twice_counts_once(desk: Desk) -> None:
    from trialwright.web.models import Import

    client = signed_in("coordinator")
    content = xlsx(LIST)
    for _ in range(2):
        client.post("/import", {"file": _file(content)})
        client.post("/import/mapping", _proposed(client))
        said = hidden(client.get("/import/preview").content.decode())
        client.post("/import/preview", {**said, "which": "accepted"})
    assert _amh(desk, "P-1") == ["0.80 ng/mL", "0.9 ng/mL"]
    assert Import.objects.count() == 1


def test_two_people_who_looked_at_the_same_time_import_it_once(desk: Desk) -> None:
    from trialwright.exchange.import_rows import import_rows
    from trialwright.exchange.mapping import proposed
    from trialwright.exchange.sheet import read_sheet
    from trialwright.web.imports import carry_out, form_of, preview

    sheet, protocol = read_sheet("list.xlsx", xlsx(LIST)), desk.protocol()
    mapping = proposed(protocol, sheet)
    seen = preview(desk, import_rows(mapping, sheet, protocol, "S01", desk.participant), OTHER, lambda _command: True)
    form = form_of(sheet, mapping, 0)
    assert len(carry_out(desk, sheet, form, seen, OTHER, b"")) == 3
    after = desk.ledger.last()
    assert carry_out(desk, sheet, form, seen, Sender("another", "coordinator", OTHER.at), b"") == []
    assert desk.ledger.last() == after


def test_an_import_is_undone_as_a_whole_and_can_be_made_again(desk: Desk) -> None:
    from trialwright.web.models import Import

    client, content = signed_in("coordinator"), xlsx(LIST)
    for again in range(2):
        client.post("/import", {"file": _file(content)})
        client.post("/import/mapping", _proposed(client))
        _imports(client)
        done = Import.objects.latest("pk")
        assert _amh(desk, "P-1") == ["0.80 ng/mL", "0.9 ng/mL"], again
        assert "Nothing was taken back" in text(client.post(f"/import/{done.pk}/undo", {"reason": " "}))
        assert client.post(f"/import/{done.pk}/undo", {"reason": "of another trial"}).status_code == 302
        assert (_amh(desk, "P-1"), _amh(desk, "P-2")) == (["0.80 ng/mL"], ["0.80 ng/mL"])
        assert "was undone already" in text(client.post(f"/import/{done.pk}/undo", {"reason": "again"}))
    assert verify(desk.ledger) == []


def test_what_others_built_upon_an_import_goes_before_it_is_undone(desk: Desk) -> None:
    from trialwright.web.models import Import

    client = signed_in("embryologist")
    rows: list[list[Any]] = [["id", "day", "Cycle", "number", "maturity"], ["P-1", "2026-03-18", "cycle-b", 1, "mii"]]
    client.post("/import", {"file": _file(xlsx(rows))})
    client.post("/import/mapping", _proposed(client))
    _imports(client)
    order = c.CompleteRecord("P-1", "oocyte", "cycle-b-1", "2026-03-19", {"pronuclei": "2"})
    event = desk.submit({"x": order}, OTHER, "by hand")[0]
    done = Import.objects.get()
    refused = client.post(f"/import/{done.pk}/undo", {"reason": "wrong dish"})
    assert "1 entries rest on what the import wrote (P-1: record.completed/1)" in text(refused)
    desk.submit({"v": c.VoidEvent("P-1", event.seq, "wrong dish", "2026-03-20")}, OTHER, "void")
    assert client.post(f"/import/{done.pk}/undo", {"reason": "wrong dish"}).status_code == 302
    woman = desk.participant("P-1")
    assert woman is not None
    assert woman.records.get("oocyte", {}) == {}


def test_a_mapping_is_saved_for_the_site_and_goes_out_as_a_file(desk: Desk) -> None:
    from trialwright.web.models import SavedMapping

    client = signed_in("coordinator")
    client.post("/import", {"file": _file(xlsx(LIST))})
    client.post("/import/mapping", _proposed(client, name="Hormones"))
    saved = SavedMapping.objects.get()
    file = client.get(f"/import/mappings/{saved.pk}.yaml").content
    assert "column: AMH (ng/mL)" in file.decode()
    _uploaded(client, LIST, mapping=str(saved.pk))
    assert "accepted 2 refused 2" in text(client.get("/import/preview"))
    _uploaded(client, LIST, mapping_file=_file(file, "m.yaml"))
    assert "accepted 2 refused 2" in text(client.get("/import/preview"))
    stranger = signed_in("other-site")
    assert "Hormones" not in text(stranger.get("/import"))
    assert stranger.get(f"/import/mappings/{saved.pk}.yaml").status_code == 404


def test_a_row_about_another_site_is_refused_as_if_she_did_not_exist(desk: Desk) -> None:
    client = signed_in("coordinator")
    _uploaded(client, [LIST[0], ["Q-1", "2026-03-05", 0.9, "", ""], ["P-77", "2026-03-05", 0.9, "", ""]])
    page = text(client.get("/import/preview"))
    assert "there is no participant Q-1 at this site" in page
    assert "there is no participant P-77 at this site" in page


def test_whoever_may_not_record_it_may_not_import_it(desk: Desk) -> None:
    manager, before = signed_in("data-manager"), desk.ledger.last()
    _uploaded(manager, LIST[:2])
    assert "Observe" in text(manager.get("/import/preview"))
    assert "No row of list.xlsx can be imported" in text(_imports(manager))
    embryologist = signed_in("embryologist")
    embryologist.post("/import", {"file": _file(xlsx(LIST))})
    page = embryologist.get("/import/mapping").content.decode()
    assert 'value="oocyte"' in page
    assert 'value="answers"' not in page, "an embryologist imports what the laboratory reads"
    told = _proposed(embryologist) | {"rows": "answers", "target-2": "amh"}
    embryologist.post("/import/mapping", told)
    assert embryologist.get("/import/preview").status_code == 302
    assert desk.ledger.last() == before


def test_rows_that_rest_on_a_refused_row_are_refused_with_it(desk: Desk) -> None:
    client = signed_in("embryologist")
    rows: list[list[Any]] = [
        ["id", "day", "Cycle", "number", "maturity", "pronuclei"],
        ["P-1", "2026-03-18", "cycle-b", 1, "mii", 9],  # impossible, and so there is no oocyte 1
        ["P-1", "2026-03-19", "cycle-b", 1, "", 2],
        ["P-1", "2026-03-18", "cycle-b", 2, "mii", ""],
    ]
    client.post("/import", {"file": _file(xlsx(rows))})
    client.post("/import/mapping", _proposed(client))
    assert "accepted 1 refused 2" in text(client.get("/import/preview"))


def test_the_list_of_refusals_cannot_be_taken_for_formulas(desk: Desk) -> None:
    client = signed_in("coordinator")
    _uploaded(client)
    answer = client.get("/import/refused.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "row,participant,what stands in the way"
    assert [line.split(",")[:2] for line in lines[1:]] == [["3", "P-2"], ["5", "'@P-9"]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds nothing"),
        (b"x" * 5_000_001, "at most 5000000 are read"),
        (b"id,id\n1,2\n", "names two columns"),
        (stuffed("xl/media/a", b"\0" * 31_000_000), "unfolds to more than"),
        (b"\xff\xfe\xff", "cannot be read as"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_finding_on_the_page(desk: Desk, content: bytes, says: str) -> None:
    from trialwright.web.models import Upload

    answer = signed_in("coordinator").post("/import", {"file": _file(content, "<b>odd</b>.csv")})
    assert answer.status_code == 200
    assert says in text(answer)
    assert "<b>odd" not in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_request_larger_than_any_spreadsheet_is_not_taken_at_all() -> None:
    from trialwright.exchange.sheet import MOST_BYTES
    from trialwright.web import server

    made = server.bound(lambda _environ, _start: [], "127.0.0.1", 0, "")
    assert MOST_BYTES < made.adj.max_request_body_size == server.LARGEST
    made.close()


def test_cells_are_texts_on_every_page(desk: Desk) -> None:
    client = signed_in("coordinator")
    script = "<script>x</script>"
    rows: list[list[Any]] = [
        ["id", "day", "amh", script],
        [script, script, script, script],
        ["P-1", "2026-03-05", "=cmd|' /C calc'!A0", ""],
    ]
    content = "\n".join(",".join(row) for row in rows).encode()
    client.post("/import", {"file": _file(content, "a.csv")})
    assert "<script>x" not in client.get("/import/mapping").content.decode()
    client.post("/import/mapping", _proposed(client))
    page = client.get("/import/preview").content.decode()
    assert "accepted" in page
    assert "<script>x" not in page


def test_what_was_replaced_meanwhile_is_not_imported(desk: Desk) -> None:
    client = signed_in("coordinator")
    _uploaded(client)
    said, before = hidden(client.get("/import/preview").content.decode()), desk.ledger.last()
    _uploaded(client, LIST[:3])
    answer = client.post("/import/preview", {**said, "which": "accepted"})
    assert "The file was replaced since you looked at it" in text(answer)
    assert desk.ledger.last() == before
