"""The folder of a library: `library.db` keeps the records, `index/` (by tantivy) is made from them and finds them."""

from __future__ import annotations

import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tantivy

from trialwright.core.finding import Finding, Grade, Refused, finding
from trialwright.registry.library_entry import FACETS, Entry, entry_in, facet_texts, key_of

#: Memory for writing the index, and how many threads write it.
_HEAP, _THREADS = 256_000_000, 2
#: The form of `library.db`; a library in another form is made anew from its records.
_FORM = 2
_TABLES = (
    "CREATE TABLE records (key TEXT PRIMARY KEY, digest BLOB, content BLOB) WITHOUT ROWID",
    "CREATE TABLE sources (path TEXT PRIMARY KEY, size INT, time INT, records INT) WITHOUT ROWID",
    f"PRAGMA user_version = {_FORM}",
)


@dataclass(frozen=True, slots=True)
class Opened:
    """An open library; `mended` is what had to be mended to open it."""

    index: tantivy.Index
    kept: sqlite3.Connection
    mended: tuple[Finding, ...]

    def writer(self) -> tantivy.IndexWriter:
        """What writes the index; only one process can have it."""
        return self.index.writer(_HEAP, _THREADS)


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
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    for facet in FACETS:
        builder.add_text_field(facet, tokenizer_name="words", index_option="freq")
    builder.add_bytes_field("entry", stored=True)
    return builder.build()


def document_of(key: str, entry: Entry, content: bytes) -> tantivy.Document:
    """An entry as the index has it."""
    document = tantivy.Document()
    document.add_text("key", key)
    document.add_bytes("entry", content)
    for facet, text in facet_texts(entry).items():
        document.add_text(facet, text)
    return document


def packed(content: bytes) -> bytes:
    """The content of an entry as `library.db` keeps it."""
    return zlib.compress(content, 1)


@contextmanager
def opened(folder: Path, make: bool = False, mend: bool = False) -> Iterator[Opened]:
    """A library, open until the end of the block; `make` makes a new one where nothing is there.

    An index that does not hold what `library.db` keeps is made again where `mend` is asked for, and refused elsewhere.
    `Refused` also where there is no library, or where it cannot be used.
    """
    _there(folder, make)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = sqlite3.connect(folder / "library.db", timeout=5)
    except (OSError, sqlite3.Error) as wrong:
        raise Refused(finding("folder_unwritable", path=folder, why=wrong)) from wrong
    try:
        _tables(folder, kept)
        with kept:
            if mend:
                kept.execute("BEGIN IMMEDIATE")  # so that nobody else writes while the index is compared and made
            whole = _whole(folder, kept, mend)
        yield whole
    except ValueError as wrong:  # all that tantivy says
        why = "another command writes its index, or the disk is full"
        raise Refused(finding("library_fails", path=folder, why=why)) from wrong
    except sqlite3.Error as wrong:
        raise Refused(finding("library_fails", path=folder, why=f"library.db answers: {wrong}")) from wrong
    finally:
        kept.close()


def _there(folder: Path, make: bool) -> None:
    """Refuse a folder that holds no library, only a part of one, or something else."""
    kept = folder / "library.db"
    if kept.is_file() and kept.stat().st_size:
        return
    if (folder / "index").exists():
        raise Refused(finding("library_records_lost", path=folder))
    if not make:
        raise Refused(finding("library_missing", path=folder))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(finding("library_not_one", path=folder))


def _tables(folder: Path, kept: sqlite3.Connection) -> None:
    (form,) = kept.execute("PRAGMA user_version").fetchone()
    (tables,) = kept.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables:
        for statement in _TABLES:
            kept.execute(statement)
    elif form != _FORM:
        raise Refused(finding("library_other_form", path=folder))


def _whole(folder: Path, kept: sqlite3.Connection, mend: bool) -> Opened:
    """The library with an index that holds as many records as are kept."""
    (count,) = kept.execute("SELECT count(*) FROM records").fetchone()
    index = _index(folder) if (folder / "index" / "meta.json").is_file() else None
    if index is not None and index.searcher().num_docs == count:
        return Opened(index, kept, ())
    if not mend:
        raise Refused(finding("library_index_lost", path=folder))
    shutil.rmtree(folder / "index", ignore_errors=True)
    (folder / "index").mkdir()
    index = _index(folder)
    assert index is not None  # an empty folder has lost nothing
    made = Opened(index, kept, (finding("library_index_made", grade=Grade.WARNING, path=folder, count=count),))
    _make_index(made)
    return made if count else Opened(index, kept, ())


def _index(folder: Path) -> tantivy.Index | None:
    """The index that is there, or a new one in an empty folder; None where files of it are gone."""
    try:
        index = tantivy.Index(schema(), path=str(folder / "index"), reuse=True)
        index.register_tokenizer("words", analyzer())
        for facet in FACETS:  # a search opens the files that opening the index leaves closed
            index.searcher().search(tantivy.Query.term_query(schema(), facet, "a"), 1)
    except ValueError:
        return None
    return index


def _make_index(library: Opened) -> None:
    writer = library.writer()
    for (packed_content,) in library.kept.execute("SELECT content FROM records"):
        content = zlib.decompress(packed_content)
        entry = entry_in(content)
        writer.add_document(document_of(key_of(entry, content), entry, content))
    writer.commit()
    writer.wait_merging_threads()
    library.index.reload()
