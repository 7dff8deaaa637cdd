"""The library of registry records, and the trials that are near to one, each with its reasons."""

from __future__ import annotations

import copy
import json
import shutil
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest

from trialwright.cli.main import main
from trialwright.core.finding import Refused
from trialwright.registry.library import add, held, open_index, update
from trialwright.registry.library_entry import entry_of, key_of
from trialwright.registry.related import entry_at, related

INVENTED = Path(__file__).parent.parent / "data" / "records" / "invented.json"


def _study(number: int, **changes: Any) -> dict[str, Any]:
    study: dict[str, Any] = json.loads(INVENTED.read_text("utf-8"))
    section = study["protocolSection"]
    section["identificationModule"] |= {"nctId": f"NCT{number:08}", "briefTitle": changes.get("title", "A trial")}
    section["conditionsModule"] = {"conditions": changes.get("conditions", []), "keywords": []}
    section["armsInterventionsModule"] = {
        "interventions": [{"type": "DRUG", "name": name} for name in changes.get("interventions", [])]
    }
    section["outcomesModule"] = {"primaryOutcomes": [{"measure": name} for name in changes.get("outcomes", [])]}
    section["eligibilityModule"] = {
        "sex": changes.get("sex", "ALL"),
        "minimumAge": changes.get("minimum", "18 Years"),
        "maximumAge": changes.get("maximum", "90 Years"),
    }
    return study


ASKED = _study(
    1,
    title="Stromal cells for severe intrauterine adhesions",
    conditions=["Intrauterine Adhesions", "Infertility, Female"],
    interventions=["Mesenchymal stromal cells"],
    outcomes=["Clinical pregnancy rate"],
    sex="FEMALE",
    minimum="20 Years",
    maximum="38 Years",
)
OTHERS = [
    _study(2, title="Hyaluronic gel", conditions=["Asherman adhesions"], interventions=["Hyaluronic acid gel"]),
    _study(3, title="Cells for knees", conditions=["Osteoarthritis"], interventions=["Mesenchymal Stromal Cell"]),
    _study(4, title="Aspirin", conditions=["Hypertension"], interventions=["Aspirin"], outcomes=["Stroke"]),
    _study(
        5, title="Letrozole", conditions=["Anovulation"], outcomes=["Pregnancy rate"], sex="FEMALE", maximum="35 Years"
    ),
]


def _dump(path: Path, studies: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(one) + "\n" for one in studies), "utf-8")
    return str(path)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    add(tmp_path / "library", [_dump(tmp_path / "dump.ndjson", [ASKED, *OTHERS])])
    return tmp_path / "library"


def test_the_nearest_trials_are_named_with_what_they_share(library: Path) -> None:
    found = related(open_index(library), entry_of(ASKED))
    reasons = {one.entry.nct: {why.facet: why.shared for why in one.reasons} for one in found}
    assert set(reasons) == {"NCT00000002", "NCT00000003", "NCT00000005"}
    assert reasons["NCT00000002"]["condition"] == ("Asherman adhesions",)
    assert reasons["NCT00000003"]["intervention"] == ("Mesenchymal Stromal Cell",)
    assert reasons["NCT00000005"]["outcome"] == ("Pregnancy rate",)
    assert reasons["NCT00000005"]["population"] == ("women", "20 to 35 years")
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert not any(one.near_duplicate for one in found)


def test_nearly_the_same_words_are_named_a_near_duplicate(library: Path, tmp_path: Path) -> None:
    twin = copy.deepcopy(ASKED)
    twin["protocolSection"]["identificationModule"] |= {"nctId": "NCT00000009", "orgStudyIdInfo": {"id": "X"}}
    add(library, [_dump(tmp_path / "twin.jsonl", [twin])])
    first, *others = related(open_index(library), entry_of(ASKED))
    assert (first.entry.nct, first.near_duplicate) == ("NCT00000009", True)
    assert not any(one.near_duplicate for one in others)


def test_adding_again_costs_nothing_and_changes_nothing(library: Path, tmp_path: Path) -> None:
    again = add(library, [str(tmp_path / "dump.ndjson")])
    assert (again.new, again.changed, again.same, again.unread) == (0, 0, 0, 1)
    same = add(library, [_dump(tmp_path / "copy.ndjson", [ASKED, *OTHERS])])
    assert (same.new, same.changed, same.same) == (0, 0, 5)
    assert held(library)[0] == 5


def test_update_reads_what_has_changed_and_names_what_is_gone(library: Path, tmp_path: Path) -> None:
    newer = copy.deepcopy(OTHERS[0])
    newer["protocolSection"]["conditionsModule"]["conditions"] = ["Gout"]
    _dump(tmp_path / "dump.ndjson", [ASKED, newer, *OTHERS[1:], _study(6)])
    done = update(library)
    assert (done.new, done.changed, done.same) == (1, 1, 4)
    index = open_index(library)
    found = entry_at(index, "NCT00000002")
    assert found is not None
    assert found.conditions == ("Gout",)
    assert "NCT00000002" not in {one.entry.nct for one in related(index, entry_of(ASKED))}
    (tmp_path / "dump.ndjson").unlink()
    assert [one.code for one in update(library).findings] == ["library_source_gone"]
    assert held(library)[0] == 6


def test_dumps_come_as_folder_zip_page_and_lines(tmp_path: Path) -> None:
    folder = tmp_path / "dumps" / "deep"
    folder.mkdir(parents=True)
    (folder / "one.json").write_text(json.dumps(_study(1)))
    (folder / "page.json").write_text(json.dumps({"studies": [_study(2), _study(3)], "nextPageToken": "x"}))
    (folder / "list.json").write_text(json.dumps([_study(4)]))
    _dump(folder / "lines.ndjson", [_study(5)])
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.writestr("a/NCT00000006.json", json.dumps(_study(6)))
        archive.writestr("lines.jsonl", json.dumps(_study(7)))
        archive.writestr("readme.txt", "none")
    done = add(tmp_path / "library", [str(tmp_path / "dumps")])
    assert (done.new, done.skipped) == (7, 0)


def test_what_is_no_record_is_skipped_and_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "dumps"
    folder.mkdir()
    (folder / "a.json").write_bytes(b"\xff\x00")
    (folder / "b.json").write_text("[" * 50_000)
    (folder / "c.json").write_text('{"protocolSection": {"identificationModule": {"nctId": 7}}}')
    (folder / "d.json").write_text('{"protocolSection": []}')
    (folder / "e.zip").write_bytes(b"PK nothing")
    (folder / "f.ndjson").write_text(
        json.dumps(_study(8, conditions=["\ud800", "a\x00b"])) + "\n{broken\n\n" + json.dumps(_study(9))
    )
    done = add(tmp_path / "library", [str(folder)])
    assert done.new == 3  # a number that is no text is still a number
    assert done.skipped == 5
    assert {one.code for one in done.findings} == {"library_skipped", "file_unreadable"}


def test_a_folder_that_is_no_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="holds no library"):
        held(tmp_path)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(Refused, match="something else"):
        add(tmp_path, [str(INVENTED)])
    with pytest.raises(Refused, match="There is no file"):
        add(tmp_path / "library", [str(tmp_path / "nowhere")])
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]


def test_a_damaged_library_is_refused(library: Path) -> None:
    (library / "library.db").write_bytes(b"nothing of SQLite" * 100)
    with pytest.raises(Refused, match="cannot be used"):
        held(library)


@pytest.mark.parametrize("part", ["index", "meta.json", "*.store", "*.idx", "*.term", "*.pos", "*.fast", "*.fieldnorm"])
def test_an_index_with_a_part_gone_is_refused_and_made_again_from_the_kept_records(
    library: Path, tmp_path: Path, part: str
) -> None:
    before = related(open_index(library), entry_of(ASKED))
    if part == "index":
        shutil.rmtree(library / "index")
    for file in (library / "index").glob(part):
        file.unlink()
    (tmp_path / "dump.ndjson").unlink()
    for work in (open_index, held):
        with pytest.raises(Refused, match="lacks a part of its index"):
            work(library)
    done = update(library)
    assert [one.code for one in done.findings] == ["library_source_gone", "library_index_made"]
    assert done.findings[1].values["count"] == "5"
    assert related(open_index(library), entry_of(ASKED)) == before
    assert held(library)[0] == 5


@pytest.mark.parametrize("left", [None, b""])
def test_a_library_without_its_records_is_refused(library: Path, tmp_path: Path, left: bytes | None) -> None:
    (library / "library.db").unlink()
    if left is not None:
        (library / "library.db").write_bytes(left)
    for work in (open_index, held, update, lambda folder: add(folder, [str(tmp_path / "dump.ndjson")])):
        with pytest.raises(Refused, match=r"no library\.db, which keeps the records"):
            work(library)


def test_a_library_in_an_older_form_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "library.db") as kept:
        kept.execute("CREATE TABLE records (nct TEXT PRIMARY KEY, digest BLOB)")
    with pytest.raises(Refused, match="written by another version"):
        held(tmp_path)


def test_records_without_a_number_are_known_by_their_content(tmp_path: Path) -> None:
    studies = [_study(7, title=title, conditions=["Gout"]) for title in ("Rest", "Motion", "Sleep")]
    for study in studies[:2]:
        del study["protocolSection"]["identificationModule"]["nctId"]
    library = tmp_path / "library"
    done = add(library, [_dump(tmp_path / "dump.ndjson", studies)])
    assert (done.new, done.skipped, held(library)[0]) == (3, 0, 3)
    again = add(library, [_dump(tmp_path / "again.ndjson", studies)])
    assert (again.new, again.same) == (0, 3)
    one, two = (entry_of(study) for study in studies[:2])
    assert key_of(one) != key_of(two)
    index = open_index(library)
    assert entry_at(index, key_of(one)) == one
    assert {key_of(near.entry) for near in related(index, one)} == {key_of(two), "NCT00000007"}


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_a_number_that_json_does_not_have_is_skipped_and_told(tmp_path: Path, number: str) -> None:
    line = json.dumps(_study(1))
    (tmp_path / "dump.ndjson").write_text(f'{line}\n{{"x": {number}, {line[1:]}\n')
    done = add(tmp_path / "library", [str(tmp_path / "dump.ndjson")])
    assert (done.new, done.skipped) == (1, 1)
    assert number in done.findings[0].values["why"]


def test_a_record_without_a_word_is_near_to_nothing(library: Path) -> None:
    assert related(open_index(library), entry_of({"protocolSection": {}})) == []


def test_the_verbs_print_for_people_and_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library, dump = str(tmp_path / "library"), _dump(tmp_path / "dump.ndjson", [ASKED, *OTHERS])
    assert main(["library", "add", dump, "--library", library]) == 0
    assert "5 new" in capsys.readouterr().out
    assert main(["related", "nct00000001", "--library", library, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["record"] == "NCT00000001"
    assert told["related"][0]["reasons"][0]["by"] == "intervention"
    assert main(["related", "NCT00000004", "--library", library]) == 1
    assert "nothing in the library is near" in capsys.readouterr().out
    assert main(["library", "list", "--library", library, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == 5
    assert main(["related", "NCT99999999", "--library", library]) == 2
    assert main(["library", "add", "--library", library]) == 2
