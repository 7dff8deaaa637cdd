"""A record as a few lines that a person reads on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from trialwright.core.finding import Grade
from trialwright.registry.criteria_lines import items
from trialwright.registry.fitting import fitting
from trialwright.registry.record import Json, Record, look

_P = "/protocolSection"
_WIDTH = 110


def summary(record: Record) -> str:
    """What the record says, in the order in which people ask; what it does not say is said too."""
    return "\n".join(_lines(record))


def _lines(record: Record) -> Iterator[str]:
    study = {"protocolSection": fitting(record.study)}

    def get(path: str) -> Json:
        return look(study, f"{_P}/{path}")

    number, title = get("identificationModule/nctId"), get("identificationModule/briefTitle")
    yield f"{number or 'no registration number'}  {title or 'no title'}"
    yield ""
    design = "designModule/designInfo"
    start, end = get("statusModule/startDateStruct/date"), get("statusModule/completionDateStruct/date")
    low, high = get("eligibilityModule/minimumAge"), get("eligibilityModule/maximumAge")
    rows = {
        "status": get("statusModule/overallStatus"),
        "phase": ", ".join(get("designModule/phases") or []),
        "design": ", ".join(
            str(each)
            for each in (
                get("designModule/studyType"),
                get(f"{design}/allocation"),
                get(f"{design}/interventionModel"),
                get(f"{design}/primaryPurpose"),
                _masking(get(f"{design}/maskingInfo/masking")),
            )
            if each
        ),
        "enrolment": get("designModule/enrollmentInfo/count"),
        "dates": f"{start or '?'} to {end or '?'}" if start or end else None,
        "sponsor": get("sponsorCollaboratorsModule/leadSponsor/name"),
        "conditions": "; ".join(get("conditionsModule/conditions") or []),
        "who": ", ".join(
            filter(None, (get("eligibilityModule/sex"), f"{low or '?'} to {high or '?'}" if low or high else ""))
        ),
    }
    for label, value in rows.items():
        yield _row(label, str(value) if value not in (None, "") else "not in the record")
    for arm in get("armsInterventionsModule/armGroups") or []:
        given = ", ".join(arm.get("interventionNames", [])) or "no intervention named"
        yield _row("arm", f"{arm.get('label', '')}: {given}")
    printed = items(get("eligibilityModule/eligibilityCriteria") or "")
    counts = [
        f"{sum(item.side == side for item in printed)} {side or 'not told apart'}"
        for side in ("inclusion", "exclusion", "")
    ]
    yield _row("criteria", ", ".join(each for each in counts if not each.startswith("0 ")) or "not in the record")
    for key, rank in (("primaryOutcomes", "primary"), ("secondaryOutcomes", "secondary")):
        several = get(f"outcomesModule/{key}") or []
        for one in several[:6]:
            yield _row(rank, f"{one.get('measure', '')} [{one.get('timeFrame', 'no time frame')}]")
        if len(several) > 6:
            yield _row(rank, f"and {len(several) - 6} more")
        if not several and rank == "primary":
            yield _row(rank, "not in the record")
    yield _row("sites", str(len(get("contactsLocationsModule/locations") or [])))
    yield ""
    yield _counts(record)


def _masking(word: str | None) -> str | None:
    return f"masking {word}" if word else None


def _row(label: str, text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=f"{label:11} ", subsequent_indent=" " * 12)


def _counts(record: Record) -> str:
    missing = sum(one.code == "record_field_missing" for one in record.findings)
    warnings = sum(one.grade is not Grade.NOTE for one in record.findings)
    notes = len(record.findings) - warnings - missing
    counted = (_several(warnings, "warning"), _several(notes, "note"), _several(missing, "field"))
    return f"{', '.join(counted)} not in the record; --findings lists them"


def _several(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
