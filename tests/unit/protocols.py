"""The two real protocols, loaded once, and changed copies of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from trialwright.core.finding import Finding, mend, says
from trialwright.protocol.load import load, load_files
from trialwright.protocol.protocol import Protocol

FOLDERS = tuple(sorted((Path(__file__).parent.parent.parent / "protocols").glob("nct*")))
HBMSC = next(folder for folder in FOLDERS if folder.name == "nct07176143")


@cache
def protocol_of(folder: Path = HBMSC) -> Protocol:
    protocol, _ = load(folder)
    assert protocol is not None
    return protocol


def changed(old: str, new: str, folder: Path = HBMSC) -> tuple[Protocol | None, list[Finding], int]:
    """The protocol with one text replaced, what loading finds, and the line of the change."""
    files = dict(protocol_of(folder).files)
    text = files["protocol.yaml"].decode()
    assert old in text, old
    line = text[: text.index(old)].count("\n") + 1
    files["protocol.yaml"] = text.replace(old, new, 1).encode()
    protocol, found = load_files(files)
    for one in found:
        assert says(one)
        assert mend(one)
    return protocol, found, line
