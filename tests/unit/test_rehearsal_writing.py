"""A rehearsal is written whole or not at all, and never over anything that is not a rehearsal."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsals import command, report
from tests.unit.desk import BLINDED
from trialwright.rehearsal.site import Site
from trialwright.report import write


def _rehearse(out: Path, *words: str) -> tuple[int, str, str]:
    return command("rehearse", BLINDED, "--out", out, *words)


def test_rehearsing_again_into_the_same_folder_replaces_it_whole(tmp_path: Path) -> None:
    assert _rehearse(tmp_path / "out")[0] == 0
    (tmp_path / "out" / "figures" / "old.svg").write_text("old")
    assert _rehearse(tmp_path / "out", "--seed", "2")[0] == 0
    assert report(tmp_path / "out")["seed"] == 2
    assert not (tmp_path / "out" / "figures" / "old.svg").exists()
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    code, _, err = _rehearse(tmp_path / "out")
    assert code == 2
    assert "holds something else already" in err
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years of work"
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_a_file_in_the_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    assert _rehearse(tmp_path / "out")[0] == 2
    assert (tmp_path / "out").read_text() == "mine"


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert _rehearse(tmp_path / "out")[0] == 0


def test_the_present_folder_is_refused_or_filled_and_nothing_is_left_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    code, _, err = command("rehearse", BLINDED, "--out", ".")
    assert (code == 0 and report(tmp_path / "here")) or (code == 2 and err)
    assert [one.name for one in tmp_path.iterdir()] == ["here"]


def _broken(*_: object, **__: object) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("before", [False, True], ids=["into nothing", "over an earlier rehearsal"])
@pytest.mark.parametrize(
    ("owner", "name"), [(write, "report_html"), (write, "figures"), (Site, "withdraw"), (Path, "rename")]
)
def test_what_fails_in_the_middle_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, before: bool
) -> None:
    if before:
        assert _rehearse(tmp_path / "out")[0] == 0
    with monkeypatch.context() as broken:
        broken.setattr(owner, name, _broken)
        code, out, err = _rehearse(tmp_path / "out", "--seed", "2")
    assert (code, out) == (2, "")
    assert "No space left on device" in err
    assert [one.name for one in tmp_path.iterdir()] == (["out"] if before else [])
    if before:
        assert report(tmp_path / "out")["seed"] == 1, "the earlier rehearsal is still there, whole"
        assert command("verify", tmp_path / "out" / "ledger.db")[0] == 0


def test_an_interrupted_rehearsal_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Site, "withdraw", interrupted)
    code, out, err = command("rehearse", BLINDED, "--out", tmp_path / "out")
    assert (code, out, err.splitlines()[-1]) == (130, "", "interrupted")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(params=[64, 300])
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of so many kilobytes: too small for a ledger, or for the report beside it."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    options = [mount or "mount", "-t", "tmpfs", "-o", f"size={request.param}k", "tmpfs", str(place)]
    if mount is None or subprocess.run(options, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_said_and_nothing_is_left(small_disk: Path) -> None:
    code, out, err = _rehearse(small_disk / "out")
    assert (code, out) == (2, "")
    assert "space" in err.casefold()
    assert list(small_disk.iterdir()) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    code, _, err = _rehearse(tmp_path / "out")
    tmp_path.chmod(0o700)
    assert code == 2
    assert "cannot be written" in err
