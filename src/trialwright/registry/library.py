"""A library of registry records on this machine: records added from files, known by number or content, kept to search.

A record is known by its registry number and the digest of its content, a source by its size and time, so that adding
again costs only what has changed. Nothing is fetched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tantivy

from trialwright.core.finding import Finding, finding
from trialwright.registry.library_entry import content_of, entry_of, key_of
from trialwright.registry.library_files import sources, studies
from trialwright.registry.library_folder import Opened, document_of, opened, packed

#: How many records are written before the index is brought up to date.
_BATCH = 20_000
#: So many findings about skipped records are kept; the others are counted.
MAX_FINDINGS = 20

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Added:
    """What adding came to: records new, changed, the same as before, skipped; and why, for the first of these."""

    new: int
    changed: int
    same: int
    skipped: int
    unread: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One file that records came from."""

    path: str
    records: int


def add(folder: Path, paths: list[str], progress: Progress = lambda _text: None) -> Added:
    """Read the files and folders into the library, which is made where it is not there yet.

    A file that has not changed since it was read is passed over. A record that cannot be read is skipped, with a
    finding. `Refused` where a path is not there, or the library cannot be written.
    """
    files = sources(paths)
    with opened(folder, make=True, mend=True) as library:
        return _read(library, files, progress)


def update(folder: Path, progress: Progress = lambda _text: None) -> Added:
    """Read again every source that has changed since; a source that is gone is a finding, and its records stay."""
    with opened(folder, mend=True) as library:
        known = [Path(path) for (path,) in library.kept.execute("SELECT path FROM sources ORDER BY path")]
        there = [path for path in known if path.is_file()]
        gone = [finding("library_source_gone", path=path) for path in known if not path.is_file()]
        done = _read(library, there, progress)
    return replace(done, findings=(*gone[:MAX_FINDINGS], *done.findings))


def held(folder: Path) -> tuple[int, list[Source]]:
    """How many records the library holds, and the files that they came from."""
    with opened(folder) as library:
        (count,) = library.kept.execute("SELECT count(*) FROM records").fetchone()
        rows = library.kept.execute("SELECT path, records FROM sources ORDER BY path").fetchall()
    return count, [Source(path, records) for path, records in rows]


def open_index(folder: Path) -> tantivy.Index:
    """The index of a library, to search in; `Refused` where there is none."""
    with opened(folder) as library:
        return library.index


def _read(library: Opened, files: list[Path], progress: Progress) -> Added:
    known: dict[str, bytes] = dict(library.kept.execute("SELECT key, digest FROM records"))
    read = {path: (size, time) for path, size, time in library.kept.execute("SELECT path, size, time FROM sources")}
    counts = {"new": 0, "changed": 0, "same": 0, "skipped": 0, "unread": 0}
    findings: list[Finding] = []
    writer = library.writer()
    waiting: list[tuple[str, bytes, bytes]] = []
    told: list[tuple[str, int, int, int]] = []

    def keep() -> None:
        with library.kept:
            library.kept.execute("BEGIN IMMEDIATE")  # so that nobody compares the two while one is ahead
            writer.commit()
            library.kept.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", waiting)
            library.kept.executemany("INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?)", told)
        waiting.clear()
        told.clear()

    for number, path in enumerate(files, 1):
        status = path.stat()
        if read.get(str(path)) == (status.st_size, status.st_mtime_ns):
            counts["unread"] += 1
            continue
        inside = 0
        for piece in studies(path):
            if isinstance(piece, Finding):
                counts["skipped"] += 1
                findings.extend([piece] if len(findings) < MAX_FINDINGS else [])
                continue
            inside += 1
            counts[_put(writer, piece, known, waiting)] += 1
            if len(waiting) >= _BATCH:
                keep()
            if inside % 500 == 0 or inside == 1:
                progress(
                    f"{number} of {len(files)} files, {counts['new'] + counts['changed']} records read into the library"
                )
        told.append((str(path), status.st_size, status.st_mtime_ns, inside))
    progress("bringing the index up to date")
    keep()
    writer.wait_merging_threads()
    library.index.reload()
    progress("")
    return Added(**counts, findings=(*library.mended, *findings))


def _put(
    writer: tantivy.IndexWriter, study: dict[str, Any], known: dict[str, bytes], waiting: list[tuple[str, bytes, bytes]]
) -> str:
    """Write one study; whether it was new, changed, or the same as before."""
    entry = entry_of(study)
    content = content_of(entry)
    key = key_of(entry, content)
    digest = hashlib.sha256(content).digest()[:16]
    before = known.get(key)
    if before == digest:
        return "same"
    if before is not None:
        writer.delete_documents_by_term("key", key)
    writer.add_document(document_of(key, entry, content))
    known[key] = digest
    waiting.append((key, digest, packed(content)))
    return "changed" if before is not None else "new"
