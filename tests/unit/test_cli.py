"""The command line: exit codes, JSON, and sentences instead of tracebacks for whatever a user gets wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.protocols import FOLDERS, HBMSC
from trialwright.cli import configuration
from trialwright.cli.main import main


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration file of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    configuration.start("")


def _run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    try:
        code = main([str(word) for word in words])
    except SystemExit as left:  # argparse has its own way to refuse
        code = int(left.code or 0)
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def _json(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, dict[str, Any]]:
    code, out, _ = _run(capsys, *words, "--json")
    return code, json.loads(out)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    text = (HBMSC / "protocol.yaml").read_text("utf-8").replace("afc >= 6", "aft >= 6")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "protocol.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "broken" / "record.txt").write_bytes((HBMSC / "record.txt").read_bytes())
    return tmp_path / "broken"


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    file = tmp_path / "facts.yaml"
    file.write_text("date: 2026-03-09\nfacts: {afc: 3}\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_check_and_coverage_of_a_real_protocol_are_done(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    code, out, err = _run(capsys, "check", folder)
    assert (code, err) == (0, "")
    assert "0 errors, 0 warnings" in out
    code, out, err = _run(capsys, "coverage", folder, "--all")
    assert (code, err) == (0, "")
    assert "0 dropped" in out


def test_check_finds_what_is_wrong(capsys: pytest.CaptureFixture[str], broken: Path) -> None:
    code, out, _ = _run(capsys, "check", broken)
    assert code == 1
    assert "`aft` is not known here. Did you mean `afc`?" in out
    code, data = _json(capsys, "check", broken)
    assert code == 1
    assert data["protocol"] is None
    (found,) = data["findings"]
    assert set(found) == {"code", "grade", "file", "line", "column", "path", "says", "mend"}
    assert (found["code"], found["grade"], found["file"]) == ("name_unknown", "error", "protocol.yaml")
    assert found["line"] > 1


def test_the_json_of_a_real_protocol(capsys: pytest.CaptureFixture[str]) -> None:
    code, data = _json(capsys, "check", HBMSC)
    assert code == 0
    assert (data["protocol"], len(data["digest"]), data["cases"]) == ("NCT07176143", 64, 20)
    code, data = _json(capsys, "coverage", HBMSC)
    assert code == 0
    assert data["totals"]["dropped"] == 0
    assert set(data["sentences"][0]) == {"line", "text", "account", "by", "dropped"}


def test_screen_answers_criterion_by_criterion(capsys: pytest.CaptureFixture[str], facts: Path) -> None:
    code, out, _ = _run(capsys, "screen", HBMSC, facts)
    assert code == 1
    assert "inclusion I5a: no" in out
    assert out.rstrip().endswith("ineligible")
    code, data = _json(capsys, "screen", HBMSC, facts, "--on", "2026-04-01", "--why")
    assert code == 1
    assert (data["verdict"], data["on"]) == ("ineligible", "2026-04-01")
    decides = [one["criterion"] for one in data["criteria"] if one["decides"]]
    assert decides == ["I5a"]
    assert data["criteria"][0]["explanation"]["clause"]


def test_screen_of_somebody_who_fits_is_done(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = (HBMSC / "cases.yaml").read_text("utf-8").partition("nothing_recorded:")[0].partition("fits:\n")[2]
    (tmp_path / "fits.yaml").write_text("participant: one\n" + text.replace("\n  ", "\n")[2:], encoding="utf-8")
    code, out, err = _run(capsys, "screen", HBMSC, tmp_path / "fits.yaml")
    assert (code, err) == (0, "")
    assert out.rstrip().endswith("eligible")


def test_screen_refuses_what_cannot_be_and_asks_about_what_is_odd(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "facts.yaml"
    file.write_text("date: 2026-03-09\nfacts: {birth_date: 2030-05, afc: -5}\n", encoding="utf-8")
    code, out, err = _run(capsys, "screen", HBMSC, file)
    assert (code, out) == (2, "")
    assert "2030-05 lies after 2026-03-09" in err
    assert "-5 is outside what is possible" in err
    file.write_text("date: 2026-03-09\nfacts: {birth_date: 1990-05, afc: 60}\n", encoding="utf-8")
    code, out, err = _run(capsys, "screen", HBMSC, file)
    assert (code, err) == (1, "")
    assert out.startswith("warning: facts.yaml:2:35: afc: 60 lies outside the plausible 0 to 40")
    code, data = _json(capsys, "screen", HBMSC, file)
    assert [one["code"] for one in data["findings"]] == ["query_implausible"]


@pytest.mark.parametrize(("file", "code"), [("/dev/full", 0), ("/nowhere/at/all.log", 2)])
def test_a_log_that_takes_no_line_is_told_and_written_to_the_error_stream(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, file: str, code: int
) -> None:
    (tmp_path / "trialwright.toml").write_text(f'[log]\nlevel = "info"\nfile = "{file}"\n', encoding="utf-8")
    found, out, err = _run(capsys, "coverage", HBMSC)
    assert found == code
    assert '"event"' not in out
    finding, line = err.strip().rsplit("\n", 1)
    assert f"The log {file} cannot be written" in finding
    assert (json.loads(line)["verb"], json.loads(line)["code"]) == ("coverage", code)


def test_a_users_fault_is_refused_with_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, facts: Path, broken: Path
) -> None:
    (tmp_path / "binary").mkdir()
    (tmp_path / "binary" / "protocol.yaml").write_bytes(b"\xff\x00\x01")
    (tmp_path / "folder" / "protocol.yaml").mkdir(parents=True)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\x00")
    (tmp_path / "undated.yaml").write_text("facts: {afc: 3}", encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text("facts: {aft: 3}", encoding="utf-8")
    nothing = tmp_path / "nothing"
    for words in (
        ("check", nothing),
        ("check", tmp_path / "binary"),
        ("check", tmp_path / "folder"),
        ("check", facts / "deeper"),
        ("coverage", nothing),
        ("coverage", broken),
        ("screen", nothing, facts),
        ("screen", broken, facts),
        ("screen", HBMSC, nothing),
        ("screen", HBMSC, tmp_path),
        ("screen", HBMSC, tmp_path / "binary.yaml"),
        ("screen", HBMSC, tmp_path / "undated.yaml"),
        ("screen", HBMSC, tmp_path / "wrong.yaml"),
        ("screen", HBMSC, facts, "--on", "yesterday"),
        ("check", HBMSC, "--config", nothing),
    ):
        code, out, err = _run(capsys, *words)
        assert (code, out) == (2, ""), words
        assert err.startswith("trialwright: "), words
        code, data = _json(capsys, *words)
        assert code == 2
        assert data["refused"][0]["says"]


@pytest.mark.parametrize(
    "text",
    [
        "language = ",
        "language = 5",
        'language = "fr"',
        'colour = "red"',
        "log = 5",
        '[log]\nlevel = "loud"',
        '[log]\nlevel = ["warning"]',
        "[log]\nlevel = {a = 1}",
        '[log]\ncolour = "red"',
        '[log]\nfile = "/nowhere/at/all.log"',
        "\udcff",
    ],
)
def test_a_bad_configuration_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str) -> None:
    file = tmp_path / "trialwright.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    for words in (("check", HBMSC), ("check", HBMSC, "--config", file)):
        code, _, err = _run(capsys, *words)
        assert code == 2
        assert err.startswith("trialwright: ")


def test_a_language_without_messages_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, broken: Path
) -> None:
    (tmp_path / "trialwright.toml").write_text('language = "tlh"\n', encoding="utf-8")
    code, _, err = _run(capsys, "check", broken)
    assert code == 2
    assert "`language` is one of en, zh" in err


def test_a_verb_that_is_interrupted_says_so_in_a_word(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, broken: Path
) -> None:
    def pressed(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("trialwright.cli.check.run", pressed)
    assert _run(capsys, "check", broken) == (130, "", "interrupted\n")


@pytest.mark.parametrize(
    ("words", "code"),
    [((), 2), (("--help",), 0), (("--version",), 0), (("chekc",), 2), (("check",), 2), (("check", "a", "b"), 2)],
)
def test_the_command_itself(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int) -> None:
    found, out, err = _run(capsys, *words)
    assert found == code
    assert out + err
