"""`trialwright read RECORD`: what a registry record says, where each field was found, and what is doubtful."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from trialwright.cli import configuration, output
from trialwright.core.finding import Refused, finding

if TYPE_CHECKING:
    from trialwright.registry.record import Record
    from trialwright.render.page import Section

#: Where the registry is asked, for a mirror of its API inside an institution.
HOST_VARIABLE = "TRIALWRIGHT_REGISTRY"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument(
        "record", help="file: a saved page, v2 JSON or legacy XML (`-` for standard input); or a number, with --fetch"
    )
    parser.add_argument(
        "--findings",
        action="store_true",
        help="also: what is missing, doubtful or contradictory, and where each field was found",
    )
    parser.add_argument(
        "--html", metavar="FILE", default="", help="write the record as a web page that needs nothing else"
    )
    parser.add_argument(
        "--library", metavar="DIR", default="", help="with --html: show the nearest trials of this library too"
    )
    parser.add_argument("--fetch", action="store_true", help="ask ClinicalTrials.gov for the number")


def run(options: argparse.Namespace) -> int:
    """Print the record; 0 also where it is doubtful, since that is its answer."""
    from trialwright.registry.read import read_record

    data, name = _data(options)
    record = read_record(data, name)
    if options.html:
        _write(Path(options.html), record, options.library)
    if options.json and options.findings:
        output.emit(
            {
                "study": record.study,
                "places": {pointer: _place(record, pointer) for pointer in record.places},
                "findings": [output.finding_json(one) for one in record.findings],
            }
        )
    elif options.json:
        output.emit(record.study)
    else:
        _print(options, record)
    return 0


def _data(options: argparse.Namespace) -> tuple[bytes, str]:
    """The bytes of the record, from the registry, a file or standard input, and how findings call them."""
    from trialwright.cli.studies import bytes_at

    if options.fetch:
        from trialwright.registry.fetch import HOST, fetch

        output.progress(f"asking for {options.record} ...")
        data = fetch(options.record.strip().upper(), os.environ.get(HOST_VARIABLE, "") or HOST)
        output.progress("")
        return data, f"{options.record.strip().upper()}.json"
    return bytes_at(options.record)


def _place(record: Record, pointer: str) -> dict[str, object]:
    place = record.places[pointer]
    return {"line": place.line, "start": place.start, "end": place.end} if place.line else {"path": place.path}


def _print(options: argparse.Namespace, record: Record) -> None:
    from trialwright.registry.as_text import summary

    print(summary(record))
    if options.findings:
        print()
        output.findings(record.findings)
        print()
        for pointer, place in sorted(record.places.items(), key=lambda one: one[1].start):
            print(f"{place}: {pointer}" if place.line else pointer)
    if options.html:
        print(f"{options.html} written")


def _write(path: Path, record: Record, library: str) -> None:
    """Write the page whole, or not at all; a file that is no page is never replaced."""
    from trialwright.registry.as_html import record_html
    from trialwright.registry.computed import computed

    more = [_related(record, library)] if library else []
    text = record_html(record, computed(record), more, configuration.current().language)
    if path.exists() and not (path.is_file() and path.read_bytes()[:15].lower().startswith(b"<!doctype html>")):
        raise Refused(finding("file_unwritable", path=path, why="it holds something else than a page"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(fresh).chmod(0o644)
            Path(fresh).replace(path)
        except OSError:
            Path(fresh).unlink()
            raise
    except OSError as wrong:
        raise Refused(finding("file_unwritable", path=path, why=wrong.strerror or wrong)) from None


def _related(record: Record, library: str) -> Section:
    """The nearest trials of a library as a part of the page."""
    try:
        from trialwright.registry.library import open_index
        from trialwright.registry.library_entry import entry_of
        from trialwright.registry.related import related
    except ModuleNotFoundError as wrong:
        raise Refused(finding("engine_missing")) from wrong
    from trialwright.registry.fitting import fitting
    from trialwright.registry.related_html import related_section

    entry = entry_of({**record.study, "protocolSection": fitting(record.study)})
    return related_section(related(open_index(Path(library)), entry))
