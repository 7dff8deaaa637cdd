"""The fields that one value fills: where each lies in a study, and how its value is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from trialwright.registry import values

_P = "/protocolSection"
_STATUS = f"{_P}/statusModule"
_DESIGN = f"{_P}/designModule"
_INFO = f"{_DESIGN}/designInfo"
_WHO = f"{_P}/eligibilityModule"
NCT = re.compile(r"\bNCT\d{8}\b")


def _word(kind: str) -> Callable[[str], str | None]:
    return lambda text: values.word(kind, text)


def _nct(text: str) -> str | None:
    return found[0] if (found := NCT.fullmatch(text.strip())) else None


def _text(text: str) -> str | None:
    return None if values.is_nothing(text) else text


def _masking(text: str) -> str | None:
    """`Double (Participant, Investigator)` is DOUBLE; who is masked is read beside it."""
    return values.word("DesignMasking", text) or values.word("DesignMasking", text.split("(")[0])


def _full_date(text: str) -> str | None:
    found = values.as_date(text)
    return found if found and len(found) == 10 else None


#: Label -> (pointer, reader of the value).
FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "nct": (f"{_P}/identificationModule/nctId", _nct),
    "brief_title": (f"{_P}/identificationModule/briefTitle", _text),
    "official_title": (f"{_P}/identificationModule/officialTitle", _text),
    "acronym": (f"{_P}/identificationModule/acronym", _text),
    "org_id": (f"{_P}/identificationModule/orgStudyIdInfo/id", _text),
    "status": (f"{_STATUS}/overallStatus", _word("Status")),
    "last_known_status": (f"{_STATUS}/lastKnownStatus", _word("Status")),
    "why_stopped": (f"{_STATUS}/whyStopped", _text),
    "start": (f"{_STATUS}/startDateStruct/date", values.as_date),
    "primary_completion": (f"{_STATUS}/primaryCompletionDateStruct/date", values.as_date),
    "completion": (f"{_STATUS}/completionDateStruct/date", values.as_date),
    "updated": (f"{_STATUS}/lastUpdatePostDateStruct/date", _full_date),
    "update_submitted": (f"{_STATUS}/lastUpdateSubmitDate", _full_date),
    "verified": (f"{_STATUS}/statusVerifiedDate", values.as_date),
    "first_posted": (f"{_STATUS}/studyFirstPostDateStruct/date", _full_date),
    "first_submitted": (f"{_STATUS}/studyFirstSubmitDate", _full_date),
    "phase": (f"{_DESIGN}/phases", values.phases),
    "study_type": (f"{_DESIGN}/studyType", _word("StudyType")),
    "enrollment": (f"{_DESIGN}/enrollmentInfo/count", values.count),
    "allocation": (f"{_INFO}/allocation", _word("DesignAllocation")),
    "model": (f"{_INFO}/interventionModel", _word("InterventionalAssignment")),
    "purpose": (f"{_INFO}/primaryPurpose", _word("PrimaryPurpose")),
    "masking": (f"{_INFO}/maskingInfo/masking", _masking),
    "observational_model": (f"{_INFO}/observationalModel", _word("ObservationalModel")),
    "time_perspective": (f"{_INFO}/timePerspective", _word("DesignTimePerspective")),
    "min_age": (f"{_WHO}/minimumAge", values.age),
    "max_age": (f"{_WHO}/maximumAge", values.age),
    "sex": (f"{_WHO}/sex", _word("Sex")),
    "healthy": (f"{_WHO}/healthyVolunteers", values.yes_no),
    "sampling": (f"{_WHO}/samplingMethod", _word("SamplingMethod")),
    "study_population": (f"{_WHO}/studyPopulation", _text),
    "lead_sponsor": (f"{_P}/sponsorCollaboratorsModule/leadSponsor/name", _text),
    "sponsor_class": (f"{_P}/sponsorCollaboratorsModule/leadSponsor/class", _word("AgencyClass")),
    "ipd": (f"{_P}/ipdSharingStatementModule/ipdSharing", _word("IpdSharing")),
}

#: Labels whose value is any text at all: a value cannot be told from something else by its shape.
_FREE = {
    "brief_title",
    "official_title",
    "acronym",
    "org_id",
    "sec_id",
    "lead_sponsor",
    "why_stopped",
    "study_population",
}
#: Words that begin small and end with a stop: running text, and nobody's name.
_SENTENCE = re.compile(r"[a-z]+ (?:\S+ ){2,}\S+\.")
_RANGE = re.compile(r"\s*(?:to|-|–|through|and up to)\s*", re.IGNORECASE)


def fits(key: str, text: str) -> bool:
    """Whether a text can be the value of a label; any text can be a title or a name.

    >>> fits("sex", "Female"), fits("sex", "It was recorded.")
    (True, False)
    """
    if key in _FREE:
        return key != "lead_sponsor" or not _SENTENCE.fullmatch(text)
    if values.is_nothing(text):
        return True
    if key == "ages":
        return ages(text) is not None
    if key not in FIELDS:
        return True
    return FIELDS[key][1](text) is not None or (key == "status" and "unknown" in text.lower())


def ages(text: str) -> tuple[str | None, str | None] | None:
    """The lowest and the highest age of a range: `18 Years to 64 Years`, `18 Years and older`, `Up to 17 Years`.

    >>> ages("18 Years to 64 Years (Adult)"), ages("18 Years and older (Adult, Older Adult)"), ages("18-75 years")
    (('18 Years', '64 Years'), ('18 Years', None), ('18 Years', '75 Years'))
    """
    plain = re.sub(r"\s*\([^()]*\)\s*$", "", text).strip()
    if plain.lower() in ("all", "child, adult, older adult"):
        return (None, None)
    if found := re.fullmatch(r"(?:up to|under|until)\s+(.+)", plain, re.IGNORECASE):
        high = values.age(found[1])
        return (None, high) if high else None
    if re.search(r"(?:and|or)\s+(?:older|above|over)|\+$", plain, re.IGNORECASE):
        low = values.age(plain.rstrip("+").strip())
        return (low, None) if low else None
    parts = _RANGE.split(plain, maxsplit=1)
    if len(parts) == 1:
        return None
    if all(values.is_nothing(part) for part in parts):
        return (None, None)
    low, high = values.age(parts[0]), values.age(parts[1])
    if low is None and high is not None and re.fullmatch(r"\d{1,3}", parts[0].strip()):
        low = values.age(f"{parts[0]} {high.split()[1]}")
    known = [one is not None or values.is_nothing(part) for one, part in zip((low, high), parts, strict=True)]
    return (low, high) if all(known) and (low or high) else None


def shapes(text: str) -> tuple[str, ...]:
    """The labels that a value without one could have, by its shape alone.

    >>> shapes("60 participants"), shapes("NA")
    (('enrollment',), ('phase', 'allocation'))
    """
    if len(text) > 80:
        return ()
    found = [key for key in _BY_SHAPE if FIELDS[key][1](text) is not None]
    if values.as_date(text) is not None and not re.fullmatch(r"\d{4}", text):
        found += ["start", "completion"]
    if re.search(r"\d\s+(?:participants|patients|subjects)$", text) and values.count(text) is not None:
        found.append("enrollment")
    return tuple(found)


_BY_SHAPE = (
    "status",
    "study_type",
    "phase",
    "allocation",
    "model",
    "purpose",
    "masking",
    "sex",
    "min_age",
    "healthy",
    "sponsor_class",
    "observational_model",
    "time_perspective",
)
