"""Registry records: v2 studies read by one process, the shared records over and over, or one that is made up."""

from __future__ import annotations

import json
import time
from pathlib import Path

from bench.row import Row, at_least
from bench.workplace import Workplace
from trialwright.registry.read import read_record

_SHARED = Path(__file__).parents[2] / "shared" / "records" / "ctgov"
_READS = 1000


def rows(at: Workplace) -> list[Row]:
    """How many a second of the processor; where the shared records are absent, a made-up one of 15 kB is read."""
    shared = sorted(_SHARED.glob("*.json"))
    data = [path.read_bytes() for path in shared] or [_made_up()]
    whose = f"{len(shared)} shared records" if shared else "a made-up record"
    kilobytes = sum(map(len, data)) / len(data) / 1000
    name = f"v2 records read, one core ({whose}, {kilobytes:.0f} kB each)"
    return [Row(name, "records/s", tuple(_rate(data) for _ in range(at.runs)), at_least(1000))]


def _rate(data: list[bytes]) -> float:
    started = time.process_time()
    for number in range(_READS):
        read_record(data[number % len(data)], "record.json")
    return _READS / (time.process_time() - started)


def _made_up() -> bytes:
    criteria = "\n".join(f"* Criterion {number}, with a value of at least {number} mg/dL" for number in range(60))
    sites = [{"facility": f"Hospital {number}", "city": "Paris", "country": "France"} for number in range(60)]
    protocol = {
        "identificationModule": {"nctId": "NCT00000001", "briefTitle": "A Study"},
        "eligibilityModule": {
            "eligibilityCriteria": f"Inclusion Criteria:\n\n{criteria}\n\nExclusion Criteria:\n\n{criteria}"
        },
        "contactsLocationsModule": {"locations": sites},
    }
    return json.dumps({"protocolSection": protocol}).encode("utf-8")
