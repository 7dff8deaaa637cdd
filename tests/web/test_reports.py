"""Reports, listings and casebooks: who may have which, of whom, what is in them, and the log of what left."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import time
import unicodedata
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader

from tests.web.conftest import signed_in
from trialwright.trial import commands as c
from trialwright.trial.delegations import ROLES
from trialwright.trial.office import Sender
from trialwright.trial.state import Delegation
from trialwright.web.desk import Desk, Meant
from trialwright.web.exports import OFFERED, may_have
from trialwright.web.permissions import BOARD, EXPORTS, TRIAL_WIDE
from trialwright.web.workshop import Workshop

INVESTIGATOR = Sender("investigator", "investigator", "2026-03-20T03:20:00Z")


def _acting(role: str, site: str) -> Delegation:
    return Delegation("d", 1, role, role, site, "2026-01-01", "", "GCP", "somebody")


def _had(client: Any, name: str, **told: str) -> Any:
    """The export, however long it takes."""
    for _ in range(600):
        answer = client.post(f"/reports/{name}", told)
        if "Content-Disposition" in answer or answer.status_code != 200:
            return answer
        assert "It is being made." in answer.content.decode()
        time.sleep(0.05)
    raise AssertionError("it was never made")


def test_what_is_of_the_whole_trial_is_for_those_who_see_all_of_it_at_every_site(shared_desk: Desk) -> None:
    assert set(OFFERED) == set(EXPORTS)
    for name, one in OFFERED.items():
        for role in ROLES:
            everywhere, here = (may_have(shared_desk, _acting(role, site), name) for site in ("", "S01"))
            assert everywhere == (role in EXPORTS[name])
            assert here == (role in EXPORTS[name] and not one.whole), f"{role} at a site: {name}"
            assert not one.whole or not everywhere or role in TRIAL_WIDE
    assert [role for role in ROLES if role in EXPORTS["board-closed"]] == [BOARD]
    assert not any("administrator" in roles for roles in EXPORTS.values())


def test_in_a_masked_trial_what_tells_results_is_for_the_board_alone(
    shared_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_one = shared_desk.protocol()
    design = open_one.document.design.model_copy(update={"masking": "double"})
    masked = replace(open_one, document=open_one.document.model_copy(update={"design": design}))
    monkeypatch.setattr(shared_desk, "protocol", lambda: masked)
    whole = [name for name, one in OFFERED.items() if one.whole]
    assert [name for name in whole if may_have(shared_desk, _acting("statistician", ""), name)] == ["board-open"]
    assert [name for name in whole if may_have(shared_desk, _acting(BOARD, ""), name)] == whole


def test_a_listing_of_a_site_holds_its_own_women_alone(desk: Desk) -> None:
    for user, expected in (
        ("coordinator", {"P-1", "P-2"}),
        ("other-site", {"Q-1"}),
        ("everywhere", {"P-1", "P-2", "Q-1"}),
    ):
        answer = _had(signed_in(user), "screening")
        rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
        assert {row["participant"] for row in rows} == expected, user
    assert _had(signed_in("coordinator"), "study-report").status_code == 403
    assert _had(signed_in("other-site"), "lots").status_code == 403
    units = _had(signed_in("everywhere"), "units").content.decode()
    assert "U-P-1" in units


def test_a_report_is_made_beside_the_requests_opened_safely_and_logged(desk: Desk) -> None:
    from trialwright.web.models import ExportLog

    client = signed_in("everywhere")
    first = client.get("/reports/study-report")
    assert first.status_code == 200
    answer = _had(client, "study-report", open="yes")
    assert answer["Content-Disposition"].startswith("inline")
    policy = answer["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    last = ExportLog.objects.latest("pk")
    assert (last.username, last.role, last.file) == ("everywhere", "monitor", "report.html")
    assert last.digest == hashlib.sha256(answer.content).hexdigest()
    assert last.head.startswith(f"{desk.ledger.last()}:")
    listed = zipfile.ZipFile(io.BytesIO(_had(client, "listings").content))
    assert {"screening.csv", "deviations.csv", "units.csv", "README.txt"} <= set(listed.namelist())
    pdf = PdfReader(io.BytesIO(_had(client, "study-report-pdf").content))
    assert "SMALL01" in pdf.pages[0].extract_text()
    shown = signed_in("auditor").get("/reports").content.decode()
    assert "report.html" in shown
    assert "Who had what" not in signed_in("coordinator").get("/reports").content.decode()


def test_a_text_that_a_spreadsheet_would_run_is_quoted_in_a_listing(desk: Desk) -> None:
    order = c.EndScreening("P-2", '=HYPERLINK("http://example.org")', "2026-03-20")
    desk.submit({"EndScreening": order}, INVESTIGATOR, "end")
    rows = list(csv.DictReader(io.StringIO(_had(signed_in("coordinator"), "screening").content.decode())))
    assert next(row for row in rows if row["participant"] == "P-2")["reason"].startswith("'=")


def test_what_was_made_is_made_again_only_where_the_ledger_has_grown() -> None:
    shop, made = Workshop(), []

    def make(tell: Any) -> dict[str, bytes]:
        tell("writes")
        made.append(1)
        return {"a": b"b"}

    for head in ("1", "1", "2"):
        assert shop.ask("x", head, make).files(5) == {"a": b"b"}
    assert len(made) == 2


def test_what_goes_wrong_while_it_is_made_is_told_and_tried_again() -> None:
    shop, made = Workshop(), []

    def make(_tell: Any) -> dict[str, bytes]:
        made.append(1)
        raise OSError("no space")

    for _ in range(2):
        with pytest.raises(OSError, match="no space"):
            shop.ask("x", "1", make).files(5)
    assert len(made) == 2


# ---------------------------------------------------------------- the casebook


def _told(desk: Desk) -> None:
    """A correction, a signature, a query and its answer, and an event of P-2."""
    by = INVESTIGATOR
    weight = next(one for one in desk.events_of("P-2") if one.payload.get("item") == "weight")
    desk.submit(
        {"x": c.Correct("P-2", weight.seq, {"value": "63 kg"}, "read from the wrong line", "2026-03-20")}, by, "1"
    )
    meant = Meant("I confirm.", "Dr Li <b>", "password")
    desk.submit({"x": c.ConfirmEligibility("P-2", "2026-03-20")}, by, "2", meant)
    desk.submit({"x": c.Observe("P-2", "amh", "9 ng/mL", "2026-03-20")}, by, "3")
    query = next(iter(desk.participant("P-2").queries))  # type: ignore[union-attr]
    desk.submit({"x": c.CloseQuery("P-2", query, "confirmed with the source", "2026-03-20")}, by, "4")
    told = {"term": "fever", "serious": "no"}
    desk.submit({"x": c.AddRecord("P-2", "adverse_event", "ae-1", "2026-03-20", told)}, by, "5")


def test_a_casebook_holds_everything_with_who_entered_it_and_what_it_said_before(desk: Desk) -> None:
    from trialwright.report.casebook import casebook
    from trialwright.web.pages.reports import _case

    _told(desk)
    woman = desk.participant("P-2")
    assert woman is not None
    html = casebook(_case(woman))
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert re.search(r"<del>60 kg</del> 63 kg", html)
    for told in ("read from the wrong line", "Dr Li &lt;b&gt; (investigator), investigator", "I confirm.",
                 "confirmed with the source", "Adverse event ae-1", "investigator, investigator, 2026-03-20 11:20",
                 "Women with anti-Müllerian hormone below 1.10 ng/mL", "cycle-1, 2025-01"):  # fmt: skip
        assert told in text or told in html, told
    numbers = {one.seq for one in desk.events_of("P-2")}
    shown = {int(one) for one in re.findall(r"\b\d+\b", text)}
    assert numbers <= shown, f"no event is left out: {numbers - shown}"


def test_a_casebook_is_printed_with_her_pseudonym_and_the_state_of_the_ledger_on_every_page(desk: Desk) -> None:
    from trialwright.ledger.chain import checkpoint
    from trialwright.web.models import ExportLog

    _told(desk)
    answer = signed_in("coordinator").post("/participants/P-2/casebook/print")
    assert answer["Content-Type"] == "application/pdf"
    read = [page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages]
    pages = [unicodedata.normalize("NFKC", text) for text in read]  # ligatures
    assert len(pages) > 1
    for number, text in enumerate(pages, 1):
        assert "P-2 · SMALL01 · casebook" in text
        assert f"{number} / {len(pages)}" in text
        assert checkpoint(desk.ledger).digest[:16] in text
    assert ExportLog.objects.latest("pk").file == "casebook-P-2.pdf"


def test_a_casebook_of_another_site_is_not_there(desk: Desk) -> None:
    assert signed_in("coordinator").post("/participants/Q-1/casebook/print").status_code == 404
    assert signed_in("pharmacist").post("/participants/P-1/casebook/print").status_code == 403
