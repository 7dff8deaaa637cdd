"""A registry record to a protocol folder: what could be read is executed, what could not is a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from trialwright.core.finding import Finding, Grade, Refused, Where, finding
from trialwright.protocol.check import lint
from trialwright.protocol.coverage import coverage
from trialwright.protocol.load import load_files
from trialwright.protocol.protocol import Protocol
from trialwright.registry.criteria import Draft, Listing, criteria
from trialwright.registry.criteria_text import is_heading
from trialwright.registry.criteria_words import words_of
from trialwright.registry.draft_arms import arms
from trialwright.registry.draft_outcomes import outcomes
from trialwright.registry.draft_population import population
from trialwright.registry.draft_quotes import Page
from trialwright.registry.draft_record import HEADINGS, at, clean, list_at, page_of, text_at
from trialwright.registry.draft_sheet import Sheet

#: A record with more text than this is refused: it is no registry record.
MAX_RECORD = 1_000_000

_OPTIONAL = ("assumptions", "relatives", "records", "estimands")
_FAST = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_MODELS = {
    "PARALLEL": "parallel",
    "CROSSOVER": "crossover",
    "FACTORIAL": "factorial",
    "SEQUENTIAL": "sequential",
    "SINGLE_GROUP": "single group",
}
_MASKINGS = ("none", "single", "double", "triple", "quadruple")
_ALLOCATIONS = {"RANDOMIZED": "randomised", "NON_RANDOMIZED": "non-randomised"}
_HEADER = (
    "# yaml-language-server: $schema=../../docs/protocol.schema.json\n"
    "# A draft of {trial} from its registry record. Read every question under `assumptions` before use.\n\n"
)
_MODEL_HEADER = (
    "# Virtual participants of a draft: every number is an assumption, wide on purpose. Nothing follows from them.\n\n"
)


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft: the files of its folder, the protocol that they load as, its criteria, and what is found in it."""

    files: Mapping[str, bytes]
    protocol: Protocol
    listing: Listing
    criteria: tuple[Draft, ...]
    findings: tuple[Finding, ...]

    @property
    def questions(self) -> tuple[str, ...]:
        """The names of the open questions."""
        return tuple(name for name, one in self.protocol.document.assumptions.items() if not one.choice)

    @property
    def blocking(self) -> dict[str, tuple[str, ...]]:
        """The open questions that block something: a rehearsal stops at them until they are answered."""
        assumptions = self.protocol.document.assumptions
        return {name: assumptions[name].blocks for name in self.questions if assumptions[name].blocks}


def draft(study: Mapping[str, Any], page: str = "", drafts: Sequence[Draft] | None = None) -> Drafted:
    """The draft of a ClinicalTrials.gov v2 study.

    `page` is the registry page where the record came as one, else a page is made of the study. `drafts` replaces the
    criteria that `criteria` reads, as where a language model proposed some. `Refused` where there is no interventional
    trial to draft.
    """
    section = at(study, "protocolSection")
    _refuse_others(section)
    text, telling = page_of(study)
    record = clean(page) + "\n" if page.strip() else text
    sheet = Sheet(study, Page(record))
    listing, read = criteria(text_at(section, "eligibilityModule.eligibilityCriteria"), _one_sex(section))
    read = read if drafts is None else tuple(drafts)
    _top(sheet, section)
    arms(sheet)
    population(sheet, listing, read)
    outcomes(sheet)
    sheet.document["analysis"]["baseline"] = ["age"]
    files = _files(sheet, record)
    protocol, found = _loaded(files)
    dropped = [one.line for one in coverage(protocol)[0] if one.dropped]
    if dropped:
        _account(sheet, record, dropped, telling)
        files = _files(sheet, record)
        protocol, found = _loaded(files)
    found = [*found, *lint(protocol)]
    return Drafted(files, protocol, listing, read, tuple(found))


def _refuse_others(section: object) -> None:
    if not isinstance(section, Mapping):
        raise Refused(finding("study_missing", what="no `protocolSection`"))
    kind = text_at(section, "designModule.studyType")
    if kind not in ("", "INTERVENTIONAL"):
        raise Refused(finding("draft_not_interventional", type=kind.replace("_", " ").lower()))
    if len(str(section)) > MAX_RECORD:
        raise Refused(finding("study_too_large", most=MAX_RECORD))


def _one_sex(section: object) -> str:
    sex = text_at(section, "eligibilityModule.sex").lower()
    return sex if sex in ("female", "male") else ""


def _top(sheet: Sheet, section: object) -> None:
    document, model = sheet.document, sheet.model
    title = text_at(section, "identificationModule.briefTitle") or text_at(
        section, "identificationModule.officialTitle"
    )
    document |= {
        "trial": text_at(section, "identificationModule.nctId") or "UNNUMBERED",
        "version": 1,
        "title": title or "Untitled",
        "sponsor": text_at(section, "sponsorCollaboratorsModule.leadSponsor.name") or "Not stated",
        "sites": _sites(section),
        "zone": _zone(section),
        "design": {},
        "assumptions": {},
        "objectives": {},
        "items": {},
        "relatives": {},
        "records": {},
        "population": {},
        "arms": {},
        "allocation": {},
        "interventions": {},
        "schedule": {},
        "safety": {},
        "endpoints": {},
        "estimands": {},
        "analysis": {"sets": {"allocated": "allocation"}, "baseline": [], "methods": {}},
        "coverage": {"described": [], "furniture": [], "open": []},
    }
    model |= {
        "start": "2026-01-05",
        "site": "S01",
        "women_per_week": "2",
        "scenario": "wide",
        "scenarios": {"wide": "Every number is a wide assumption of the draft; nothing is known of the treatment."},
        "parameters": {},
        "woman": {},
        "items": {},
        "records": {},
        "mess": {"missed_visit": "0.03", "late_entry": "0.03", "withdrawal_per_year": "0.05"},
    }
    document["design"] = _design(sheet, section)
    model["women_per_week"] = f"{max(1, document['design']['enrolment'] / 50):g}"


def _design(sheet: Sheet, section: object) -> dict[str, Any]:
    info = "designModule.designInfo"
    count = at(section, "designModule.enrollmentInfo.count")
    assumes = []
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        count = 20
        assumes.append(
            sheet.ask(
                "enrolment_not_stated",
                "How many participants are planned is not stated, or nought; 20 stand in its place.",
                "principal investigator",
                blocks=["enrolment"],
                options={"twenty": "Twenty participants, as the draft has it."},
            )
        )
    groups = len(list_at(section, "armsInterventionsModule.armGroups"))
    model = _MODELS.get(text_at(section, f"{info}.interventionModel"))
    if model is None:
        model = "parallel" if groups > 1 else "single group"
        assumes.append(
            sheet.assume(
                "design_from_arms",
                "The intervention model is not stated.",
                f"Taken as {model}, from the number of arms.",
            )
        )
    masking = text_at(section, f"{info}.maskingInfo.masking").lower()
    phases = [
        clean(str(one)).replace("PHASE", "phase ").replace("EARLY_", "early ").lower()
        for one in list_at(section, "designModule.phases")
        if one != "NA"
    ]
    quoted = [
        "INTERVENTIONAL",
        *(
            text_at(section, f"{info}.{key}")
            for key in ("allocation", "interventionModel", "primaryPurpose", "maskingInfo.masking")
        ),
    ]
    quoted += [clean(str(one)) for one in list_at(section, "designModule.phases")]
    quotes = sheet.page.quotes(*quoted, f"Enrolment: {count}", f"{count} participants", f"- {count}")
    design: dict[str, Any] = {
        "intervention_model": model,
        "allocation": _ALLOCATIONS.get(text_at(section, f"{info}.allocation"), "not applicable"),
        "masking": masking if masking in _MASKINGS else "none",
        "purpose": text_at(section, f"{info}.primaryPurpose").replace("_", " ").lower(),
        "phase": ", ".join(phases),
        "enrolment": count,
    }
    design = {key: value for key, value in design.items() if value != ""}
    return {**design, **({"from": quotes} if quotes else {}), **({"assumes": assumes} if assumes else {})}


def _sites(section: object) -> dict[str, str]:
    places = [
        text_at(one, "facility") or text_at(one, "city")
        for one in list_at(section, "contactsLocationsModule.locations")
    ]
    places = [one for one in dict.fromkeys(places) if one] or ["Not stated"]
    return {f"S{number:02}": place[:200] for number, place in enumerate(places, 1)}


def _zone(section: object) -> str:
    countries = [text_at(one, "country") for one in list_at(section, "contactsLocationsModule.locations")]
    zones = words_of("zones")
    return next((str(zones[country]) for country in countries if country in zones), "UTC")


def _account(sheet: Sheet, record: str, numbers: Sequence[int], telling: frozenset[str]) -> None:
    """Put lines that nothing quotes where they belong: furniture, description, or an open question."""
    part = sheet.document["coverage"]
    lines = record.splitlines()
    told = " ".join(telling)
    unread: list[str] = []
    for number in dict.fromkeys(numbers):
        line = " ".join(lines[number - 1].split())
        if line in HEADINGS or is_heading(line):
            part["furniture"].append(line)
        elif line in telling or (len(line) > 30 and line in told):
            unread.append(line)
        else:
            part["described"].append(line)
    part["furniture"], part["described"] = (list(dict.fromkeys(part[key])) for key in ("furniture", "described"))
    if unread:
        part["open"] = [
            {
                "from": list(dict.fromkeys(unread)),
                "question": "Nothing was drafted from these words; do they ask for anything to be done?",
            }
        ]


def _files(sheet: Sheet, record: str) -> dict[str, bytes]:
    document = {key: value for key, value in sheet.document.items() if value or key not in _OPTIONAL}
    document["coverage"] = {key: value for key, value in sheet.document["coverage"].items() if value}
    rules = sheet.document["population"]
    files = {
        "record.txt": record.encode("utf-8"),
        "protocol.yaml": (_HEADER.format(trial=sheet.document["trial"]) + _yaml(document)).encode("utf-8"),
        "rehearsal.yaml": (_MODEL_HEADER + _yaml(sheet.model)).encode("utf-8"),
    }
    if rules["inclusion"] or rules["exclusion"]:
        cases = {"nothing_recorded": {"expected": "undetermined", "date": "2026-01-05"}}
        files["cases.yaml"] = (
            "# Add a woman who fits, and for each limit one inside and one outside.\n" + _yaml(cases)
        ).encode("utf-8")
    return files


def _yaml(data: object) -> str:
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False)


class _Dumper(_FAST):  # type: ignore[misc, valid-type]  # the C one if there
    """Aliases are refused in a protocol, so that each list is written out."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # PyYAML calls it so
        return True


def _loaded(files: Mapping[str, bytes]) -> tuple[Protocol, list[Finding]]:
    protocol, found = load_files({name: files[name] for name in ("protocol.yaml", "record.txt")})
    if protocol is None:
        errors = [one for one in found if one.grade is Grade.ERROR]
        raise Refused(finding("draft_fails", Where("protocol.yaml"), why="; ".join(map(str, errors[:3]))))
    return protocol, found
