"""Dumps of registry records as a stream of studies: folders, zip archives, lines of JSON, pages of the API."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from trialwright.core.finding import Finding, Grade, Refused, Where, finding
from trialwright.registry.json_text import NotJson, parse_json

#: A single record beyond this is skipped, whatever an archive claims.
MAX_BYTES = 16_000_000
SUFFIXES = (".json", ".ndjson", ".jsonl", ".zip")

#: A study, or what was wrong in its place.
Piece: TypeAlias = "dict[str, Any] | Finding"


def sources(paths: list[str]) -> list[Path]:
    """The files that the paths name, folders walked; `Refused` where one is not there or holds no record."""
    found: list[Path] = []
    for name in paths:
        path = Path(name)
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file())
            if not inside:
                raise Refused(finding("library_nothing_there", path=path, suffixes=", ".join(SUFFIXES)))
            found.extend(inside)
        elif path.is_file():
            found.append(path)
        else:
            raise Refused(finding("file_missing", path=path))
    return [one.resolve() for one in dict.fromkeys(found)]


def studies(path: Path) -> Iterator[Piece]:
    """Every study of a file, in its order; what is no study is a finding in its place.

    A `.json` file holds one study, a list, or a page of the API with `studies`; `.ndjson` and `.jsonl` one a line; a
    `.zip` any of these.
    """
    try:
        if path.suffix.lower() == ".zip":
            yield from _zipped(path)
        elif path.suffix.lower() in (".ndjson", ".jsonl"):
            with path.open("rb") as lines:
                yield from _lines(lines, path.name)
        else:
            yield from _whole(path.read_bytes() if path.stat().st_size <= 100 * MAX_BYTES else b"", path.name)
    # beside its own error zipfile raises two for damage inside, and two for unknown compression and a password
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as wrong:
        yield finding("file_unreadable", Where(str(path)), Grade.WARNING, path=path.name, why=_why(wrong))


def _why(wrong: Exception) -> str:
    if isinstance(wrong, OSError):
        return wrong.strerror or "the system does not give it"
    return "it is a broken zip archive, or one under a password or in a compression that is not known"


def _zipped(path: Path) -> Iterator[Piece]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            suffix = Path(member.filename).suffix.lower()
            if member.is_dir() or suffix not in SUFFIXES[:3]:
                continue
            name = f"{path.name}:{member.filename}"
            with archive.open(member) as inside:
                if suffix == ".json":
                    content = inside.read(MAX_BYTES + 1)
                    yield from _whole(content if len(content) <= MAX_BYTES else b"", name)
                else:
                    yield from _lines(inside, name)


def _lines(lines: Any, name: str) -> Iterator[Piece]:
    number = 0
    while line := lines.readline(MAX_BYTES + 1):
        number += 1
        if line.strip():
            yield from _whole(line if len(line) <= MAX_BYTES else b"", f"{name}:{number}")


def _whole(content: bytes, name: str) -> Iterator[Piece]:
    try:
        data = parse_json(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, NotJson) as wrong:
        why = "it is not UTF-8" if isinstance(wrong, UnicodeDecodeError) else f"it is no JSON: {wrong}"
        why = why if content else "it is too large, or empty"
        yield finding("library_skipped", Where(name), Grade.WARNING, name=name, why=why)
        return
    if isinstance(data, dict) and isinstance(data.get("studies"), list):
        data = data["studies"]
    for one in data if isinstance(data, list) else [data]:
        if isinstance(one, dict) and isinstance(one.get("protocolSection"), dict):
            yield one
        else:
            yield finding("library_skipped", Where(name), Grade.WARNING, name=name, why="it has no `protocolSection`")
