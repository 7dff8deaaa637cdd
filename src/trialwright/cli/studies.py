"""A registry record for a verb: read from a file, from standard input or from the registry, in whatever form it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from trialwright.core.finding import Refused, finding
from trialwright.registry.fitting import fitting
from trialwright.registry.read import LARGEST, read_record


def bytes_at(record: str) -> tuple[bytes, str]:
    """The bytes of a file, or of standard input for `-`, and how findings call them; `Refused` where there are none."""
    if record == "-":
        return sys.stdin.buffer.read(LARGEST + 1), "standard input"
    path = Path(record)
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1), path.name
    except FileNotFoundError:
        from trialwright.registry.fetch import NUMBER

        code = "record_number_alone" if NUMBER.fullmatch(record.strip().upper()) else "record_file_missing"
        raise Refused(finding(code, number=record, path=path)) from None
    except (OSError, ValueError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else wrong
        raise Refused(finding("file_unreadable", path=path, why=why)) from None


def study_at(record: str) -> tuple[dict[str, Any], str]:
    """The ClinicalTrials.gov v2 study in a file, as far as its parts are of their kinds, and the text of a page."""
    data, name = bytes_at(record)
    read = read_record(data, name)
    study = {**read.study, "protocolSection": fitting(read.study)}
    return study, data.decode("utf-8-sig", "replace") if read.form == "page" else ""
