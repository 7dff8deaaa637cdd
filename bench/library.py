"""The library at the size of a registry: the shared records, replicated and perturbed to 100,000."""

from __future__ import annotations

import copy
import json
import random
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.registry_studies import studies

from bench.row import Row, below, each, seconds
from bench.workplace import Workplace
from trialwright.registry.library import add, open_index
from trialwright.registry.library_entry import entry_of
from trialwright.registry.related import related

#: The registry has over half a million records; no more than these are made.
RECORDS = 100_000


def rows(at: Workplace) -> list[Row]:
    """Indexing once, then the nearest trials of each shared record."""
    told = f"library of {RECORDS:,} records (shared ones, replicated and perturbed)"
    originals = [study for _, study in studies()]
    if not originals:
        return [Row(told, "s", (), note="the shared records are not beside the project")]
    dump = at.folder / "dump.ndjson"
    _write(dump, originals)
    library = at.folder / "library"
    took = seconds(lambda: add(library, [str(dump)]))
    again = seconds(lambda: add(library, [str(dump)]))
    index = open_index(library)
    entries = [entry_of(study) for study in originals]
    asked = [each(1, lambda entry=entry: related(index, entry))[0] for entry in entries]  # type: ignore[misc]  # the default binds the entry
    return [
        Row(f"{told}: add", "s", (took,), below(120)),
        Row(f"{told}: add again, unchanged", "s", (again,)),
        Row(f"{told}: related, median of {len(asked)} records", "ms", tuple(1000 * one for one in asked), below(100)),
    ]


def _write(dump: Path, originals: list[dict[str, Any]]) -> None:
    """Records under new numbers, each with some words taken from the others."""
    dice = random.Random(1)
    described = (json.dumps(study["protocolSection"].get("descriptionModule", {})) for study in originals)
    words = sorted({word for text in described for word in text.split() if word.isalpha()})
    with dump.open("w", encoding="utf-8") as out:
        for number, original in zip(range(RECORDS), cycle(originals), strict=False):
            study = {"protocolSection": copy.deepcopy(original["protocolSection"])}
            section = study["protocolSection"]
            section["identificationModule"]["nctId"] = f"NCT9{number:07}"
            section["identificationModule"]["briefTitle"] += " " + " ".join(dice.sample(words, 3))
            section.setdefault("conditionsModule", {}).setdefault("keywords", [])
            section["conditionsModule"]["keywords"] = [*section["conditionsModule"]["keywords"], *dice.sample(words, 2)]
            for outcome in section.get("outcomesModule", {}).get("primaryOutcomes", []):
                outcome["measure"] += " " + dice.choice(words)
            out.write(json.dumps(study) + "\n")
