"""`trialwright read`: what it prints for people and for machines, the page that it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from markupsafe import Markup

from tests.rehearsals import command
from tests.unit.registry_data import HBMSC, ROOT
from trialwright.cli import configuration
from trialwright.cli.main import main
from trialwright.registry.as_html import record_html
from trialwright.registry.criteria_lines import Item
from trialwright.registry.read import read_record
from trialwright.render.page import Section

RECORD = ROOT / "protocols" / "nct07176143" / "record.txt"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration file of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    configuration.start("")


def _run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = main(["read", *map(str, words)])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def test_a_person_reads_what_the_record_says_and_what_it_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, RECORD)
    assert code == 0
    for words in (
        "NCT07176143  hBMSC Uterine",
        "NOT_YET_RECRUITING",
        "8 inclusion, 17 exclusion",
        "not in the record",
        "7 warnings",
    ):
        assert words in out
    code, out, _ = _run(capsys, RECORD, "--findings")
    assert "record.txt:83" in out
    assert "line 8, characters 409 to 427: /protocolSection/statusModule/overallStatus" in out


def test_json_is_the_study_alone_and_with_findings_also_where_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    study = json.loads(_run(capsys, RECORD, "--json")[1])
    assert set(study) == {"protocolSection", "hasResults"}
    all_of_it = json.loads(_run(capsys, RECORD, "--json", "--findings")[1])
    assert all_of_it["study"] == study
    place = all_of_it["places"]["/protocolSection/statusModule/overallStatus"]
    assert HBMSC[place["start"] : place["end"]] == "NOT_YET_RECRUITING"
    assert {"code", "grade", "line", "path", "says", "mend"} <= set(all_of_it["findings"][0])


def test_the_page_shows_the_lost_criteria_and_the_doubts_and_needs_nothing_else(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "pages" / "record.html"
    assert _run(capsys, RECORD, "--html", file)[0] == 0
    page = file.read_text("utf-8")
    assert page.count("lost in this copy of the record") == 2
    assert "Criteria are missing in this copy of the record" in page
    assert "(&lt;6 mm)" in page  # the escape of another system is gone, the sign is escaped for this one
    assert 'title="line 8, characters 409 to 427"' in page
    assert "src=" not in page
    assert 'href="http' not in page
    assert [path.name for path in file.parent.iterdir()] == ["record.html"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere.txt"], "There is no file nowhere.txt"),
        (["NCT07176143"], "Add --fetch"),
        (["."], "cannot be read"),
        (["x\0y"], "cannot be read"),
        (["x", "--fetch"], "a number as NCT07176143"),
        ([str(RECORD), "--html", "."], "cannot be written"),
        ([str(RECORD), "--html", "/dev/null/x"], "cannot be written"),
    ],
)
def test_what_cannot_be_read_or_written_is_refused(
    capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    code, _, err = _run(capsys, *words)
    assert code == 2
    assert says in err


def test_an_installation_without_the_registry_says_whom_it_asks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIALWRIGHT_REGISTRY", "ftp://registry")
    code, _, err = _run(capsys, "NCT07176143", "--fetch")
    assert code == 2
    assert "ftp://registry" in err


def test_what_can_be_computed_of_a_criterion_stands_below_its_words() -> None:
    def computable(item: Item) -> Markup | None:
        return Markup("<p>age in 20..38 years</p>") if item.side == "inclusion" and item.number == 2 else None

    more = [Section("related", "Related trials", "<p>none</p>")]
    page = record_html(read_record(HBMSC), computable, more)
    assert page.count("Age between 20 and 38 years.<p>age in 20..38 years</p>") == 1
    assert page.count("age in 20..38 years") == 1
    assert page.index('id="related"') < page.index('id="findings"')


def test_the_page_of_a_record_shows_the_nearest_trials_of_a_library(tmp_path: Path) -> None:
    record = Path(__file__).parent.parent / "data" / "records" / "invented.json"
    other = json.loads(record.read_text("utf-8"))
    other["protocolSection"]["identificationModule"]["nctId"] = "NCT00000099"
    (tmp_path / "other.json").write_text(json.dumps(other), "utf-8")
    assert command("library", "add", tmp_path / "other.json", "--library", tmp_path / "lib")[0] == 0
    code, _, err = command("read", record, "--html", tmp_path / "page.html", "--library", tmp_path / "lib")
    assert code == 0, err
    page = (tmp_path / "page.html").read_text("utf-8")
    assert '<section id="related">' in page
    assert "NCT00000099" in page
    assert "near duplicate" in page
