"""What is missing, doubtful or contradictory in a record, whatever form it came in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Protocol

from trialwright.core.finding import Finding, Grade, Where, finding
from trialwright.registry.record import Json, Place, SamePlaces, look

_P = "/protocolSection"
_CRITERIA = f"{_P}/eligibilityModule/eligibilityCriteria"
_MASKING = f"{_P}/designModule/designInfo/maskingInfo/masking"
#: What every interventional record should say: pointer -> how a sentence calls it.
EXPECTED = {
    "identificationModule/nctId": "registration number",
    "identificationModule/briefTitle": "title",
    "identificationModule/officialTitle": "official title",
    "identificationModule/orgStudyIdInfo/id": "sponsor's own number",
    "statusModule/overallStatus": "recruitment status",
    "statusModule/startDateStruct/date": "start date",
    "statusModule/primaryCompletionDateStruct/date": "primary completion date",
    "statusModule/completionDateStruct/date": "completion date",
    "sponsorCollaboratorsModule/leadSponsor/name": "lead sponsor",
    "descriptionModule/briefSummary": "brief summary",
    "conditionsModule/conditions": "conditions",
    "designModule/studyType": "study type",
    "designModule/phases": "phase",
    "designModule/designInfo/allocation": "allocation",
    "designModule/designInfo/interventionModel": "intervention model",
    "designModule/designInfo/primaryPurpose": "primary purpose",
    "designModule/designInfo/maskingInfo/masking": "masking",
    "designModule/enrollmentInfo/count": "enrolment",
    "armsInterventionsModule/armGroups": "arms",
    "armsInterventionsModule/interventions": "interventions",
    "outcomesModule/primaryOutcomes": "primary outcomes",
    "eligibilityModule/eligibilityCriteria": "eligibility criteria",
    "eligibilityModule/sex": "sex",
    "eligibilityModule/minimumAge": "minimum age",
    "eligibilityModule/healthyVolunteers": "whether healthy volunteers are accepted",
    "contactsLocationsModule/locations": "sites",
}
#: What an observational study does not have.
_INTERVENTIONAL = {
    "designModule/phases",
    "designModule/designInfo/allocation",
    "designModule/designInfo/interventionModel",
    "designModule/designInfo/primaryPurpose",
    "designModule/designInfo/maskingInfo/masking",
    "armsInterventionsModule/interventions",
    "armsInterventionsModule/armGroups",
}
_HEADING = re.compile(
    r"[ \t*#-]*(?:[A-Za-z-]+[ \t]+){0,3}?(?P<which>inclusion|exclusion)(?:[ \t]+criteri(?:a|on))?[ \t]*:?[ \t]*",
    re.IGNORECASE,
)
#: Characters of criteria that are looked at; the registry takes 20,000.
_LONGEST = 200_000
_NUMBERED = re.compile(r"^[ \t]*(\d{1,3})[.)][ \t]", re.MULTILINE)
_GLUED = re.compile(r"\bexclusion(?: criteri(?:a|on))?\s?:", re.IGNORECASE)
_ESCAPED = re.compile(r"\\[<>&\[\]*_~#+-]|&(?:lt|gt|amp|quot|#\d{1,5});")
_OPEN = re.compile(r"\b(?:open[- ]label(?:led)?|unblinded|unmasked)\b", re.IGNORECASE)
_BLIND = re.compile(r"\b(?:double|triple)[- ](?:blind(?:ed)?|mask(?:ed)?)\b", re.IGNORECASE)
_RANGE = re.compile(
    r"(?<![\d.])(?P<low>\d{1,2})\s?(?:years?|yrs?)?\s?(?:-|–|to|and|~|through)\s?(?P<high>\d{2,3})(?:\s?(?:years?|yrs?|y/o)|\b)",
    re.IGNORECASE,
)
_ABOUT_AGE = re.compile(r"[Aa]ge|AGE|[Yy]ear|YEAR|yrs")
#: What stands on the same line before a range of ages.
_AGED = re.compile(
    r"(?:\bage[sd]?\b|years?[- ]old|\bwomen|\bmen|adults|patients|subjects|participants|males?)[^.\n]{0,40}$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"between\s?(?P<low>\d{1,2})\s?(?:years?)?\s?(?:-|–|to|and)\s?(?P<high>\d{2,3})\s?years?", re.IGNORECASE
)
_TREATED = re.compile(
    r"\b(?:\d+(?:\.\d+)?\s*(?:mg|g|mcg|µg|ml|mL|IU)|tablets?|infusion|injection|capsules?|therapy was used)\b"
)


def doubts(
    study: dict[str, Json],
    places: Mapping[str, Place],
    name: str,
    page: str = "",
    already: Collection[tuple[str, str]] = (),
) -> list[Finding]:
    """Every doubt about a study. `already` are codes and pointers that the reader has told; `page` is its text."""
    lines = {} if isinstance(places, SamePlaces) else _first_places(places)

    def where(pointer: str, words: str = "", near: str = "") -> Where:
        place = lines.get(near or pointer)
        if place is None or not place.line:
            return Where(name, path=pointer)
        at = page.find(words, place.start) if words else -1
        return Where(name, page.count("\n", 0, at) + 1 if at >= 0 else place.line, 0, pointer)

    told = [
        *_missing(study, where),
        *_criteria(study, where),
        *_texts(study, where),
        *_dates(study, where),
        *_arms(study, where),
    ]
    return [one for one in told if (one.code, one.where.path) not in already]


class _Places(Protocol):
    """From a pointer to its place; `words` are looked for from there, or from where `near` stood."""

    def __call__(self, pointer: str, words: str = "", near: str = "") -> Where: ...


def _first_places(places: Mapping[str, Place]) -> dict[str, Place]:
    """The place of each value, and for each object the place of its first."""
    found: dict[str, Place] = {}
    for pointer, place in places.items():
        while pointer:
            found.setdefault(pointer, place)
            pointer = pointer.rpartition("/")[0]
    return found


def _missing(study: dict[str, Json], where: _Places) -> Iterator[Finding]:
    observational = look(study, f"{_P}/designModule/studyType") in ("OBSERVATIONAL", "EXPANDED_ACCESS")
    for path, field in EXPECTED.items():
        if look(study, f"{_P}/{path}") in (None, "", []) and not (observational and path in _INTERVENTIONAL):
            yield finding("record_field_missing", where(f"{_P}/{path}"), Grade.NOTE, field=field)


def _criteria(study: dict[str, Json], where: _Places) -> Iterator[Finding]:
    text = look(study, _CRITERIA)
    if not isinstance(text, str) or not text.strip():
        return
    parts = _parts(text[:_LONGEST])
    sides = {side for side, _ in parts}
    if "exclusion" not in sides and not _GLUED.search(text) and _items(text) > 2:
        yield finding("record_criteria_run_together", where(_CRITERIA), Grade.WARNING)
    for side, part in parts:
        if side and not part.strip():
            yield finding("record_list_empty", where(_CRITERIA), Grade.WARNING, polarity=side)
        else:
            yield from _numbers(part, side or "eligibility", where)
    yield from _ages(study, text[:_LONGEST], where)


def _parts(text: str) -> list[tuple[str, str]]:
    """The text below each heading with the side that the heading names, and what stands before the first."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    for line in text.split("\n"):
        if len(line) < 100 and "clusion" in line.lower() and (heading := _HEADING.fullmatch(line)):
            parts.append((heading["which"].lower(), []))
        else:
            parts[-1][1].append(line)
    return [(side, "\n".join(lines)) for side, lines in parts if side or any(map(str.strip, lines))]


def _items(text: str) -> int:
    return sum(1 for line in text.split("\n") if line.strip())


def _numbers(part: str, polarity: str, where: _Places) -> Iterator[Finding]:
    """Numbers that are missing at the start of a list, or inside one."""
    stood = list(_NUMBERED.finditer(part))
    numbers = [int(found[1]) for found in stood]
    if not numbers:
        return
    if numbers[0] > 1:
        first = part[stood[0].start() :].strip().split("\n")[0]
        yield finding(
            "record_list_starts", where(_CRITERIA, _words(first)), Grade.WARNING, polarity=polarity, first=numbers[0]
        )
    for one, two in pairwise(numbers):
        if one + 1 < two <= one + 3:
            yield finding("record_list_gap", where(_CRITERIA), Grade.WARNING, polarity=polarity, after=one, next=two)


def _words(line: str) -> str:
    """A line as it stood in the page, without its number."""
    return re.sub(r"^\d{1,3}[.)]\s+", "", line)


def _ages(study: dict[str, Json], text: str, where: _Places) -> Iterator[Finding]:
    low, high = (look(study, f"{_P}/eligibilityModule/{key}") for key in ("minimumAge", "maximumAge"))
    found = _age_range(text)
    if found is None or not 0 < int(found["low"]) < int(found["high"]) <= 120:
        return
    words = " ".join(found[0].split())
    if low is None and high is None:
        yield finding(
            "record_age_text_only",
            where(f"{_P}/eligibilityModule/minimumAge", found[0], _CRITERIA),
            Grade.WARNING,
            words=words,
        )
        return
    fields = f"{low or 'no minimum'} to {high or 'no maximum'}"
    differ = any(
        isinstance(age, str) and age.endswith(("Year", "Years")) and int(age.split()[0]) != int(found[end])
        for age, end in ((low, "low"), (high, "high"))
    )
    if differ or (low is None) or (high is None):
        yield finding(
            "record_age_differs", where(f"{_P}/eligibilityModule/minimumAge"), Grade.WARNING, words=words, fields=fields
        )


def _age_range(text: str) -> re.Match[str] | None:
    """The first range of numbers that is one of ages: `between 35 and 45 years`, or words about age lead up to it."""
    for line in text.split("\n"):
        if _ABOUT_AGE.search(line) is None:
            continue
        ranges = (
            found for found in _RANGE.finditer(line) if _AGED.search(line[max(0, found.start() - 60) : found.start()])
        )
        if found := _BETWEEN.search(line) or next(ranges, None):
            return found
    return None


def _texts(study: dict[str, Json], where: _Places) -> Iterator[Finding]:
    masking = look(study, _MASKING)
    for path in (
        "identificationModule/officialTitle",
        "identificationModule/briefTitle",
        "descriptionModule/briefSummary",
        "descriptionModule/detailedDescription",
    ):
        text = look(study, f"{_P}/{path}")
        if not isinstance(text, str):
            continue
        if not any(word in text.lower() for word in ("label", "blind", "mask")):
            continue
        if masking in ("DOUBLE", "TRIPLE", "QUADRUPLE") and (said := _OPEN.search(text)) and not _BLIND.search(text):
            yield finding("record_masking_differs", where(_MASKING), Grade.WARNING, words=said[0], masking=masking)
            break
        if masking == "NONE" and (said := _BLIND.search(text)) and not _OPEN.search(text):
            yield finding("record_masking_differs", where(_MASKING), Grade.WARNING, words=said[0], masking=masking)
            break
    for pointer, text in _long_texts(study):
        if ("\\" in text or "&" in text) and (found := _ESCAPED.search(text)):
            words = _around(text, found, 20)
            yield finding("record_escaped", where(pointer), Grade.NOTE, words=words)


def _around(text: str, found: re.Match[str], reach: int) -> str:
    """What was found with some whole words before and behind it, on one line."""
    start, end = max(0, found.start() - reach), min(len(text), found.end() + reach)
    before, behind = text[start : found.start()], text[found.end() : end]
    before = before.partition(" ")[2] if start and " " in before else before
    behind = behind.rpartition(" ")[0] if end < len(text) and " " in behind else behind
    return " ".join(f"{before}{found[0]}{behind}".split())


def _long_texts(study: dict[str, Json]) -> Iterator[tuple[str, str]]:
    """The running texts of a study."""
    for path in ("descriptionModule/briefSummary", "descriptionModule/detailedDescription", _CRITERIA[len(_P) + 1 :]):
        if isinstance(text := look(study, f"{_P}/{path}"), str):
            yield f"{_P}/{path}", text
    for path in (
        "armsInterventionsModule/armGroups",
        "armsInterventionsModule/interventions",
        "outcomesModule/primaryOutcomes",
        "outcomesModule/secondaryOutcomes",
    ):
        several = look(study, f"{_P}/{path}")
        for index, one in enumerate(several if isinstance(several, list) else []):
            if isinstance(one, dict) and isinstance(text := one.get("description"), str):
                yield f"{_P}/{path}/{index}/description", text


def _dates(study: dict[str, Json], where: _Places) -> Iterator[Finding]:
    status = f"{_P}/statusModule"
    start, completion, updated = (
        look(study, f"{status}/{key}/date")
        for key in ("startDateStruct", "completionDateStruct", "lastUpdatePostDateStruct")
    )
    if isinstance(start, str) and isinstance(completion, str) and completion < start[: len(completion)]:
        yield finding(
            "record_dates_reversed",
            where(f"{status}/completionDateStruct/date"),
            Grade.WARNING,
            start=start,
            completion=completion,
        )
    if (
        isinstance(start, str)
        and isinstance(updated, str)
        and start > updated
        and look(study, f"{status}/startDateStruct/type") is None
    ):
        yield finding(
            "record_start_ahead", where(f"{status}/startDateStruct/date"), Grade.NOTE, start=start, updated=updated
        )


def _arms(study: dict[str, Json], where: _Places) -> Iterator[Finding]:
    """An arm that is given nothing while its description tells of a treatment."""
    arms = look(study, f"{_P}/armsInterventionsModule/armGroups")
    several = arms if isinstance(arms, list) else []
    linked = any(isinstance(arm, dict) and arm.get("interventionNames") for arm in several)
    for index, arm in enumerate(several):
        if not isinstance(arm, dict) or arm.get("interventionNames") or not linked:
            continue
        text = arm.get("description")
        if isinstance(text, str) and (found := _TREATED.search(text)):
            words = _around(text, found, 40)
            yield finding(
                "record_arm_without",
                where(f"{_P}/armsInterventionsModule/armGroups/{index}"),
                Grade.WARNING,
                name=str(arm.get("label", ""))[:80],
                words=words,
            )
