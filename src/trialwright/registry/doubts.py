"""What is missing, doubtful or contradictory in a record, whatever form it came in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from trialwright.core.finding import Finding, Grade, Where, finding
from trialwright.core.hidden import hidden_in
from trialwright.registry.doubts_criteria import criteria_doubts
from trialwright.registry.doubts_values import value_doubts
from trialwright.registry.record import Json, Locate, Place, SamePlaces, below, leaves

_P = "/protocolSection"
_MASKING = "designModule/designInfo/maskingInfo/masking"
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
_EXPECTED = tuple((path, tuple(path.split("/")), field) for path, field in EXPECTED.items())
_ESCAPED = re.compile(r"\\[<>&\[\]*_~#+-]|&(?:lt|gt|amp|quot|#\d{1,5});")
_OPEN = re.compile(r"\b(?:open[- ]label(?:led)?|unblinded|unmasked)\b", re.IGNORECASE)
_BLIND = re.compile(r"\b(?:double|triple)[- ](?:blind(?:ed)?|mask(?:ed)?)\b", re.IGNORECASE)
#: What is in every text in which the pattern is found, in lower case, so that most texts are not searched.
_OPEN_WORDS: tuple[str, ...] = ("open-label", "open label", "unblinded", "unmasked")
_BLIND_WORDS: tuple[str, ...] = ("double-blind", "double blind", "double-mask", "double mask",
                "triple-blind", "triple blind", "triple-mask", "triple mask")  # fmt: skip
_TREATED = re.compile(
    r"\b(?:\d+(?:\.\d+)?\s*(?:mg|g|mcg|µg|ml|mL|IU)|tablets?|infusion|injection|capsules?|therapy was used)\b"
)
_MOST_HIDDEN = 20


def doubts(
    study: dict[str, Json],
    places: Mapping[str, Place],
    name: str,
    page: str = "",
    already: Collection[tuple[str, str]] = (),
    may_hide: bool = True,
) -> list[Finding]:
    """Every doubt about a study.

    `already` are codes and pointers that the reader has told; `page` is its text. Hidden characters are looked for
    only where the record `may_hide` some.
    """
    lines = {} if isinstance(places, SamePlaces) else _first_places(places)

    def where(pointer: str, words: str = "", near: str = "") -> Where:
        place = lines.get(near or pointer)
        if place is None or not place.line:
            return Where(name, path=pointer)
        at = page.find(words, place.start) if words else -1
        return Where(name, page.count("\n", 0, at) + 1 if at >= 0 else place.line, 0, pointer)

    section = study.get("protocolSection")
    told = [
        *_missing(section, where),
        *criteria_doubts(section, where),
        *_masking(section, where),
        *_escaped(section, where),
        *value_doubts(section, where),
        *_arms(section, where),
        *(_hidden(study, where) if may_hide else ()),
    ]
    return [one for one in told if (one.code, one.where.path) not in already]


def _first_places(places: Mapping[str, Place]) -> dict[str, Place]:
    """The place of each value, and for each object the place of its first."""
    found: dict[str, Place] = {}
    for pointer, place in places.items():
        while pointer:
            found.setdefault(pointer, place)
            pointer = pointer.rpartition("/")[0]
    return found


def _missing(section: Json, where: Locate) -> Iterator[Finding]:
    observational = below(section, ("designModule", "studyType")) in ("OBSERVATIONAL", "EXPANDED_ACCESS")
    for path, keys, field in _EXPECTED:
        if below(section, keys) in (None, "", []) and not (observational and path in _INTERVENTIONAL):
            yield finding("record_field_missing", where(f"{_P}/{path}"), Grade.NOTE, field=field)


def _masking(section: Json, where: Locate) -> Iterator[Finding]:
    """A title or description that says open label of a masked study, or double blind of an open one."""
    masking = below(section, ("designModule", "designInfo", "maskingInfo", "masking"))
    if masking in ("DOUBLE", "TRIPLE", "QUADRUPLE"):
        words, says, but = _OPEN_WORDS, _OPEN, _BLIND
    elif masking == "NONE":
        words, says, but = _BLIND_WORDS, _BLIND, _OPEN
    else:
        return
    for keys in (
        ("identificationModule", "officialTitle"),
        ("identificationModule", "briefTitle"),
        ("descriptionModule", "briefSummary"),
        ("descriptionModule", "detailedDescription"),
    ):
        text = below(section, keys)
        lower = text.lower() if isinstance(text, str) else ""
        if not any(word in lower for word in words):
            continue
        if (said := says.search(text)) and not but.search(text):
            place = where(f"{_P}/{_MASKING}")
            yield finding("record_masking_differs", place, Grade.WARNING, words=said[0], masking=masking)
            return


def _escaped(section: Json, where: Locate) -> Iterator[Finding]:
    """Running texts with characters that were escaped for another system."""
    for pointer, text in _running_texts(section):
        if ("\\" in text or "&" in text) and (found := _ESCAPED.search(text)):
            yield finding("record_escaped", where(pointer), Grade.NOTE, words=_around(text, found, 20))


def _running_texts(section: Json) -> Iterator[tuple[str, str]]:
    for module, key in (
        ("descriptionModule", "briefSummary"),
        ("descriptionModule", "detailedDescription"),
        ("eligibilityModule", "eligibilityCriteria"),
    ):
        if isinstance(text := below(section, (module, key)), str):
            yield f"{_P}/{module}/{key}", text
    for module, key in (
        ("armsInterventionsModule", "armGroups"),
        ("armsInterventionsModule", "interventions"),
        ("outcomesModule", "primaryOutcomes"),
        ("outcomesModule", "secondaryOutcomes"),
    ):
        several = below(section, (module, key))
        for index, one in enumerate(several if isinstance(several, list) else ()):
            if isinstance(one, dict) and isinstance(text := one.get("description"), str):
                yield f"{_P}/{module}/{key}/{index}/description", text


def _around(text: str, found: re.Match[str], reach: int) -> str:
    """What was found with some whole words before and behind it, on one line."""
    start, end = max(0, found.start() - reach), min(len(text), found.end() + reach)
    before, behind = text[start : found.start()], text[found.end() : end]
    before = before.partition(" ")[2] if start and " " in before else before
    behind = behind.rpartition(" ")[0] if end < len(text) and " " in behind else behind
    return " ".join(f"{before}{found[0]}{behind}".split())


def _arms(section: Json, where: Locate) -> Iterator[Finding]:
    """An arm that is given nothing while its description tells of a treatment."""
    arms = below(section, ("armsInterventionsModule", "armGroups"))
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


def _hidden(study: Json, where: Locate) -> Iterator[Finding]:
    """Texts with characters that nobody sees, the first of them each; the study keeps them."""
    told = 0
    for pointer, text in leaves(study):
        if isinstance(text, str) and not text.isprintable() and (marks := hidden_in(text)):
            yield finding("record_hidden", where(pointer), Grade.WARNING, marks=", ".join(marks[:6]))
            told += 1
            if told == _MOST_HIDDEN:
                return
