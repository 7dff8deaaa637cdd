"""A registry record for a verb: the study that a file holds, and its page where it came as one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trialwright.core.finding import Refused, finding
from trialwright.registry.draft import MAX_RECORD


def study_at(path: str) -> tuple[dict[str, Any], str]:
    """The ClinicalTrials.gov v2 study in a file and, where that is a page, its text; `Refused` where there is none."""
    file = Path(path)
    try:
        if file.stat().st_size > 20 * MAX_RECORD:
            raise Refused(finding("study_too_large", most=MAX_RECORD))
        content = file.read_bytes()
    except FileNotFoundError as wrong:
        raise Refused(finding("file_missing", path=path)) from wrong
    except OSError as wrong:
        raise Refused(finding("file_unreadable", path=path, why=wrong.strerror or "unreadable")) from wrong
    try:
        study = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as wrong:
        raise Refused(finding("study_missing", what="no JSON in it")) from wrong
    if not isinstance(study, dict) or not isinstance(study.get("protocolSection"), dict):
        raise Refused(finding("study_missing", what="no `protocolSection`"))
    return study, ""
