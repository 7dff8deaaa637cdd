"""`trialwright related RECORD --library DIR`: the nearest trials, and why."""

from __future__ import annotations

import argparse
from pathlib import Path

from trialwright.cli import output
from trialwright.cli.studies import study_at
from trialwright.core.finding import Refused, finding


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("record", help="registry record, or the registry number of one in the library")
    parser.add_argument("--library", metavar="DIR", default="library", help="folder of the library (default: library)")
    parser.add_argument("--most", metavar="N", type=int, default=10, help="most trials to name (default: 10)")


def run(options: argparse.Namespace) -> int:
    """Print the nearest trials, each with its reasons; 1 where there is none."""
    try:
        from trialwright.registry.library import open_index
        from trialwright.registry.library_entry import entry_of, key_of
        from trialwright.registry.related import entry_at, related
    except ModuleNotFoundError as wrong:
        raise Refused(finding("engine_missing")) from wrong

    if not 1 <= options.most <= 60:
        raise Refused(
            finding("option_wrong", option="--most", given=options.most, expected="a whole number from 1 to 60")
        )
    index = open_index(Path(options.library))
    if Path(options.record).exists():
        entry = entry_of(study_at(options.record)[0])
    else:
        known = entry_at(index, options.record.upper())
        if known is None:
            raise Refused(finding("library_record_unknown", number=options.record))
        entry = known
    found = related(index, entry, options.most)
    if options.json:
        output.emit(
            {
                "record": key_of(entry),
                "related": [
                    {
                        "nct": key_of(one.entry),
                        "title": one.entry.title,
                        "status": one.entry.status,
                        "phase": one.entry.phase,
                        "sponsor": one.entry.sponsor,
                        "score": one.score,
                        "near_duplicate": one.near_duplicate,
                        "reasons": [
                            {"by": why.facet, "share": why.share, "shared": list(why.shared)} for why in one.reasons
                        ],
                    }
                    for one in found
                ],
            }
        )
        return 0 if found else 1
    print(f"{key_of(entry)}: {entry.title}")
    for one in found:
        print(f"  {one.score:.2f}  {key_of(one.entry)}  {one.entry.title}")
        if one.near_duplicate:
            print(f"{'':8}near duplicate: nearly the same words throughout")
        for why in one.reasons:
            print(f"{'':8}{why.facet} ({100 * why.share:.0f} %): {'; '.join(why.shared)}")
    if not found:
        print("  nothing in the library is near")
    return 0 if found else 1
