"""A study as a page of text: what `record.txt` of a draft holds where the record came without a page of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

#: Headings of the page, which execute nothing.
HEADINGS = (
    "Identification", "Status", "Sponsor", "Description", "Conditions", "Design", "Arms", "Interventions", "Outcomes",
    "Eligibility", "Locations", "Primary outcome", "Secondary outcome", "Other outcome",
)  # fmt: skip

#: Parts of a study whose words may ask for something to be done: what is not executed of them stays an open question.
TELLING = (
    "briefSummary",
    "detailedDescription",
    "description",
    "eligibilityCriteria",
    "measure",
    "timeFrame",
    "studyPopulation",
)


def at(value: object, path: str) -> Any:
    """What lies at a dotted path of a study; None where something on the way is missing or of another kind.

    >>> at({"a": {"b": [1]}}, "a.b"), at({"a": 1}, "a.b")
    ([1], None)
    """
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def text_at(value: object, path: str) -> str:
    """The text at a dotted path; empty where there is none."""
    found = at(value, path)
    return (
        clean(found)
        if isinstance(found, str)
        else str(found)
        if isinstance(found, int) and not isinstance(found, bool)
        else ""
    )


def list_at(value: object, path: str) -> list[Any]:
    """The list at a dotted path; empty where there is none."""
    found = at(value, path)
    return found if isinstance(found, list) else []


def clean(text: str) -> str:
    """A text without signs that no page shows."""
    return text.strip() if text.isprintable() else _BLANKS.sub("", _UNSEEN.sub(" ", text)).strip()


_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_BLANKS = re.compile(r"[^\S\n]+$", re.MULTILINE)


def page_of(study: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    """The page of a study, and those of its lines whose words may ask for something to be done."""
    lines: list[str] = []
    telling: set[str] = set()
    for heading, values in _parts(study.get("protocolSection", {})):
        told = [(key, text) for key, text in values if text]
        if not told:
            continue
        lines.append(heading)
        for key, text in told:
            lines.extend(text.splitlines())
            if key in TELLING:
                telling |= {" ".join(line.split()) for line in text.splitlines()}
        lines.append("")
    return "\n".join(lines).strip() + "\n", frozenset(telling - {""})


def _parts(section: object) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    def one(*paths: str) -> list[tuple[str, str]]:
        return [(path.rpartition(".")[2], text_at(section, path)) for path in paths]

    def words(path: str) -> list[tuple[str, str]]:
        return [(path, clean(word)) for word in list_at(section, path) if isinstance(word, str)]

    identification = "identificationModule"
    yield (
        "Identification",
        one(*(f"{identification}.{key}" for key in ("nctId", "orgStudyIdInfo.id", "briefTitle", "officialTitle"))),
    )
    yield (
        "Status",
        one(
            "statusModule.overallStatus", "statusModule.startDateStruct.date", "statusModule.completionDateStruct.date"
        ),
    )
    sponsors = [("name", text_at(who, "name")) for who in list_at(section, "sponsorCollaboratorsModule.collaborators")]
    yield "Sponsor", [*one("sponsorCollaboratorsModule.leadSponsor.name"), *sponsors]
    yield "Description", one("descriptionModule.briefSummary", "descriptionModule.detailedDescription")
    yield "Conditions", [*words("conditionsModule.conditions"), *words("conditionsModule.keywords")]
    design = "designModule"
    yield (
        "Design",
        [
            *one(f"{design}.studyType"),
            *words(f"{design}.phases"),
            *one(
                *(
                    f"{design}.designInfo.{key}"
                    for key in ("allocation", "interventionModel", "interventionModelDescription")
                )
            ),
            *one(f"{design}.designInfo.primaryPurpose", f"{design}.designInfo.maskingInfo.masking"),
            *one(f"{design}.designInfo.maskingInfo.maskingDescription"),
            *((key, f"Enrolment: {text}") for key, text in one(f"{design}.enrollmentInfo.count") if text),
        ],
    )
    for arm in list_at(section, "armsInterventionsModule.armGroups"):
        yield "Arms", [(key, text_at(arm, key)) for key in ("label", "type", "description")]
    for given in list_at(section, "armsInterventionsModule.interventions"):
        others = [("otherNames", clean(name)) for name in list_at(given, "otherNames") if isinstance(name, str)]
        yield "Interventions", [*((key, text_at(given, key)) for key in ("type", "name", "description")), *others]
    for kind in ("primary", "secondary", "other"):
        for outcome in list_at(section, f"outcomesModule.{kind}Outcomes"):
            told = [(key, text_at(outcome, key)) for key in ("measure", "timeFrame", "description")]
            yield f"{kind.capitalize()} outcome", told
    eligibility = "eligibilityModule"
    volunteers = at(section, f"{eligibility}.healthyVolunteers")
    yield (
        "Eligibility",
        [
            *one(f"{eligibility}.eligibilityCriteria", f"{eligibility}.studyPopulation"),
            *((key, f"Sex: {text}") for key, text in one(f"{eligibility}.sex") if text),
            *((key, f"Minimum age: {text}") for key, text in one(f"{eligibility}.minimumAge") if text),
            *((key, f"Maximum age: {text}") for key, text in one(f"{eligibility}.maximumAge") if text),
            ("healthy", f"Healthy volunteers: {'Yes' if volunteers else 'No'}" if isinstance(volunteers, bool) else ""),
        ],
    )
    for place in list_at(section, "contactsLocationsModule.locations"):
        where = ", ".join(filter(None, (text_at(place, key) for key in ("facility", "city", "state", "country"))))
        yield "Locations", [("facility", where)]
