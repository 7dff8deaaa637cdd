"""Rehearsals that several tests look at: each is run once, through the command line, and never written to."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from trialwright.analysis.libraries import LIBRARIES
from trialwright.cli.main import main

PROTOCOLS = Path(__file__).parent.parent / "protocols"
DOR, IUA = PROTOCOLS / "nct04706312", PROTOCOLS / "nct07176143"
_FOLDER = tempfile.TemporaryDirectory(prefix="trialwright-rehearsals-")


def command(*words: str | Path) -> tuple[int, str, str]:
    """Exit code, output and errors of a command line."""
    if words[0] in ("rehearse", "report"):
        for library in LIBRARIES:  # loaded once for all tests of a process, and not by a second process for each
            import_module(library)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    assert "Traceback" not in out.getvalue() + err.getvalue()
    return code, out.getvalue(), err.getvalue()


@cache
def rehearsed(folder: Path = DOR, seed: int = 1, scenario: str = "", again: int = 0) -> Path:
    """The folder that a rehearsal wrote; `again` makes it run another time."""
    out = Path(_FOLDER.name) / f"{folder.name}-{seed}-{scenario}-{again}"
    options = ("--scenario", scenario) if scenario else ()
    code, _, err = command("rehearse", folder, "--out", out, "--seed", str(seed), *options)
    assert code == 0, err
    return out


def report(out: Path) -> dict[str, Any]:
    """The report of a rehearsal."""
    data: dict[str, Any] = json.loads((out / "report.json").read_text("utf-8"))
    return data


def copied(folder: Path, to: Path, file: str = "rehearsal.yaml", old: str = "", new: str = "") -> Path:
    """A copy of a protocol's folder with one text of one file replaced."""
    if not to.exists():
        shutil.copytree(folder, to)
    text = (to / file).read_text("utf-8")
    assert old in text, old
    (to / file).write_text(text.replace(old, new, 1), "utf-8")
    return to
