"""A library of registry records on this machine: an index by tantivy, and beside it what was read from where.

The folder holds `index/` and `library.db`. A record is known by its registry number and the digest of its content, a
source by its size and time, so that adding again costs only what has changed. Nothing is fetched.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import tantivy

from trialwright.core.finding import Finding, Refused, finding
from trialwright.registry.draft_record import at, clean, list_at, text_at
from trialwright.registry.library_files import sources, studies

#: Memory for writing the index, and how many records are written before the index is brought up to date.
_HEAP, _THREADS, _BATCH = 256_000_000, 2, 20_000
#: So many findings about skipped records are kept; the others are counted.
MAX_FINDINGS = 20
FACETS = ("condition", "intervention", "outcome", "about", "population")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the library keeps of a record: enough to say why it is near to another."""

    nct: str
    title: str
    conditions: tuple[str, ...]
    keywords: tuple[str, ...]
    interventions: tuple[str, ...]
    outcomes: tuple[str, ...]
    sex: str
    minimum: str
    maximum: str
    phase: str
    status: str
    sponsor: str
    criteria: str


_KEPT = tuple(field.name for field in fields(Entry))


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


def entry_of(study: dict[str, Any]) -> Entry:
    """What is kept of a study; every part that is missing, or of another kind, is empty."""
    section = study.get("protocolSection")
    named = [one for key in ("interventions",) for one in list_at(section, f"armsInterventionsModule.{key}")]
    interventions = [text_at(one, "name") for one in named]
    interventions += [name for one in named for name in _texts(one, "otherNames")]
    outcomes = [
        text_at(one, "measure")
        for kind in ("primary", "secondary")
        for one in list_at(section, f"outcomesModule.{kind}Outcomes")
    ]
    return Entry(
        text_at(section, "identificationModule.nctId"),
        text_at(section, "identificationModule.briefTitle") or text_at(section, "identificationModule.officialTitle"),
        _texts(section, "conditionsModule.conditions"),
        _texts(section, "conditionsModule.keywords")[:30],
        tuple(name for name in interventions if name)[:30],
        tuple(name[:200] for name in outcomes if name)[:30],
        text_at(section, "eligibilityModule.sex"),
        text_at(section, "eligibilityModule.minimumAge"),
        text_at(section, "eligibilityModule.maximumAge"),
        ", ".join(_texts(section, "designModule.phases")),
        text_at(section, "statusModule.overallStatus"),
        text_at(section, "sponsorCollaboratorsModule.leadSponsor.name"),
        _criteria(section),
    )


def facet_texts(entry: Entry) -> dict[str, str]:
    """The words of an entry by which it is found, facet by facet."""
    return {
        "condition": " ; ".join((*entry.conditions, *entry.keywords)),
        "intervention": " ; ".join(entry.interventions),
        "outcome": " ; ".join(entry.outcomes),
        "about": entry.title,
        "population": entry.criteria,
    }


@cache
def analyzer() -> tantivy.TextAnalyzer:
    """How words become terms: lower case, English stems, no stop words."""
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.remove_long(40))
        .filter(tantivy.Filter.stopword("english"))
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


@cache
def schema() -> tantivy.Schema:
    """The fields of the index."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("nct", stored=True, tokenizer_name="raw", index_option="basic")
    for facet in FACETS:
        builder.add_text_field(facet, tokenizer_name="words", index_option="freq")
    builder.add_bytes_field("entry", stored=True)
    return builder.build()


def add(folder: Path, paths: list[str], progress: Progress = lambda _text: None) -> Added:
    """Read the files and folders into the library, which is made where it is not there yet.

    A file that has not changed since it was read is passed over. A record that cannot be read is skipped, with a
    finding. `Refused` where a path is not there, or the library cannot be written.
    """
    files = sources(paths)
    with _opened(folder, make=True) as (index, kept):
        return _read(index, kept, files, progress)


def update(folder: Path, progress: Progress = lambda _text: None) -> Added:
    """Read again every source that has changed since; a source that is gone is a finding, and its records stay."""
    with _opened(folder, make=False) as (index, kept):
        known = [Path(path) for (path,) in kept.execute("SELECT path FROM sources ORDER BY path")]
        there = [path for path in known if path.is_file()]
        gone = [finding("library_source_gone", path=path) for path in known if not path.is_file()]
        done = _read(index, kept, there, progress)
    return Added(done.new, done.changed, done.same, done.skipped, done.unread, (*gone[:MAX_FINDINGS], *done.findings))


def held(folder: Path) -> tuple[int, list[Source]]:
    """How many records the library holds, and the files that they came from."""
    with _opened(folder, make=False) as (_, kept):
        (count,) = kept.execute("SELECT count(*) FROM records").fetchone()
        rows = kept.execute("SELECT path, records FROM sources ORDER BY path").fetchall()
    return count, [Source(path, records) for path, records in rows]


def open_index(folder: Path) -> tantivy.Index:
    """The index of a library, to search in; `Refused` where there is none."""
    with _opened(folder, make=False) as (index, _):
        return index


@contextmanager
def _opened(folder: Path, make: bool) -> Iterator[tuple[tantivy.Index, sqlite3.Connection]]:
    place = folder / "index"
    if not (folder / "library.db").is_file():
        if not make:
            raise Refused(finding("library_missing", path=folder))
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Refused(finding("library_not_one", path=folder))
    try:
        place.mkdir(parents=True, exist_ok=True)
        kept = sqlite3.connect(folder / "library.db", timeout=5)
    except (OSError, sqlite3.Error) as wrong:
        raise Refused(finding("folder_unwritable", path=folder, why=wrong)) from wrong
    try:
        kept.execute("CREATE TABLE IF NOT EXISTS records (nct TEXT PRIMARY KEY, digest BLOB) WITHOUT ROWID")
        kept.execute(
            "CREATE TABLE IF NOT EXISTS sources (path TEXT PRIMARY KEY, size INT, time INT, records INT) WITHOUT ROWID"
        )
        index = tantivy.Index(schema(), path=str(place), reuse=True)
        index.register_tokenizer("words", analyzer())
        yield index, kept
    except (ValueError, sqlite3.Error) as wrong:  # what tantivy and SQLite say of a damaged or locked folder
        raise Refused(finding("library_fails", path=folder, why=wrong)) from wrong
    finally:
        kept.close()


def _read(index: tantivy.Index, kept: sqlite3.Connection, files: list[Path], progress: Progress) -> Added:
    known: dict[str, bytes] = dict(kept.execute("SELECT nct, digest FROM records"))
    read = {path: (size, time) for path, size, time in kept.execute("SELECT path, size, time FROM sources")}
    counts = {"new": 0, "changed": 0, "same": 0, "skipped": 0, "unread": 0}
    findings: list[Finding] = []
    writer = index.writer(_HEAP, _THREADS)
    waiting: list[tuple[str, bytes]] = []
    told: list[tuple[str, int, int, int]] = []

    def keep() -> None:
        writer.commit()
        with kept:
            kept.executemany("INSERT OR REPLACE INTO records VALUES (?, ?)", waiting)
            kept.executemany("INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?)", told)
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
    index.reload()
    progress("")
    return Added(**counts, findings=tuple(findings))


def _put(
    writer: tantivy.IndexWriter, study: dict[str, Any], known: dict[str, bytes], waiting: list[tuple[str, bytes]]
) -> str:
    """Write one study; whether it was new, changed, the same, or skipped for want of a number."""
    entry = entry_of(study)
    if not entry.nct:
        return "skipped"
    content = json.dumps(
        {name: getattr(entry, name) for name in _KEPT}, ensure_ascii=False, separators=(",", ":")
    ).encode()
    digest = hashlib.sha256(content).digest()[:16]
    before = known.get(entry.nct)
    if before == digest:
        return "same"
    if before is not None:
        writer.delete_documents_by_term("nct", entry.nct)
    document = tantivy.Document()
    document.add_text("nct", entry.nct)
    document.add_bytes("entry", content)
    for facet, text in facet_texts(entry).items():
        document.add_text(facet, text)
    writer.add_document(document)
    known[entry.nct] = digest
    waiting.append((entry.nct, digest))
    return "changed" if before is not None else "new"


def _criteria(section: object) -> str:
    found = at(section, "eligibilityModule.eligibilityCriteria")
    return clean(found[:1000]) if isinstance(found, str) else ""


def _texts(section: object, path: str) -> tuple[str, ...]:
    return tuple(clean(one) for one in list_at(section, path) if isinstance(one, str))
