"""Arms and what they give: interventions, regimens that could be read, doses that could not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trialwright.registry.draft_record import list_at, text_at
from trialwright.registry.draft_sheet import Sheet
from trialwright.registry.draft_times import cells_per_kg, dosage_of, lines_of

_TYPES = {
    "EXPERIMENTAL": "experimental",
    "ACTIVE_COMPARATOR": "active comparator",
    "PLACEBO_COMPARATOR": "placebo comparator",
    "SHAM_COMPARATOR": "placebo comparator",
    "NO_INTERVENTION": "no intervention",
    "OTHER": "other",
}
_DOSED = ("DRUG", "BIOLOGICAL", "GENETIC", "DIETARY_SUPPLEMENT")
_CELLS = re.compile(r"\b(stem|stromal|progenitor)[- ]cells?\b|\bh?\w*MSCs?\b|\bcell therapy\b", re.I)
_INERT = re.compile(r"\b(placebo|sham|saline|vehicle|no intervention|usual care|standard of care|observation)\b", re.I)
#: Words of a drug's form, which are not its name.
_FORMS = ("tablet", "tablets", "capsule", "capsules", "injection", "dose", "oral", "daily")
_SEALED = "study_treatment"
_OPEN_RANDOM = (
    "The record randomises without masking; this version of the protocol has no open randomisation. "
    "Arms are filled as by choice, at random in a rehearsal."
)


@dataclass(frozen=True, slots=True)
class _Given:
    """An intervention of the record: its name in the protocol, and its words."""

    name: str
    type: str
    label: str
    description: str
    quotes: tuple[str, ...]


def arms(sheet: Sheet) -> None:
    """Write `arms`, `interventions` and `allocation`."""
    section = sheet.study.get("protocolSection", {})
    groups = [one for one in list_at(section, "armsInterventionsModule.armGroups") if isinstance(one, Mapping)]
    given = _interventions(sheet, section)
    sealed = (
        sheet.document["design"]["allocation"] == "randomised"
        and sheet.document["design"]["masking"] != "none"
        and len(groups) > 1
    )
    if not groups:
        label = "All participants"
        sheet.document["arms"]["all_participants"] = {
            "label": label,
            "type": "other",
            "gives": [one.name for one in given.values()],
        }
    for group in groups:
        _arm(sheet, section, group, given, sealed)
    _given_by_no_arm(sheet, list(given.values()), sealed)
    descriptions = " ".join(text_at(group, "description") for group in groups)
    if sealed:
        _behind_the_seal(sheet, list(given.values()), descriptions)
    else:
        for one in given.values():
            _intervention(sheet, one, descriptions if len(given) == 1 or len(groups) == 1 else _described(groups, one))
        _told_by_arms(sheet, groups, [one.label for one in given.values()])
    _allocation(sheet, sealed)


def _interventions(sheet: Sheet, section: object) -> dict[str, _Given]:
    """The interventions of the record by the name that its arms use, such as `Drug: repaglinide`."""
    found: dict[str, _Given] = {}
    taken: set[str] = set()
    for one in list_at(section, "armsInterventionsModule.interventions"):
        label, kind = text_at(one, "name") or "Intervention", text_at(one, "type")
        name = base = sheet.free(label)
        number = 1
        while name in taken or name in ("confirm_eligibility", "enrolment", "allocation", "consent"):
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        description = text_at(one, "description")
        quotes = tuple(sheet.page.quotes(label))
        key = f"{kind.replace('_', ' ').lower()}: {label.lower()}"
        found[key if key not in found else f"{key} {number}"] = _Given(name, kind, label, description, quotes)
    return found


def _arm(sheet: Sheet, section: object, group: Mapping[str, Any], given: Mapping[str, _Given], sealed: bool) -> None:
    label, kind = text_at(group, "label") or "Arm", text_at(group, "type")
    name = base = sheet.free(label)
    number = 1
    while name in sheet.document["arms"]:
        number += 1
        name = f"{base}_{number}"
    wanted = {str(one).strip().lower() for one in list_at(group, "interventionNames")}
    by_label = {
        text_at(one, "name").lower()
        for one in list_at(section, "armsInterventionsModule.interventions")
        if label in list_at(one, "armGroupLabels")
    }
    gives = [
        one.name
        for key, one in given.items()
        if key in wanted or one.label.lower() in by_label or one.label.lower() in wanted
    ]
    if (
        not wanted
        and not by_label
        and kind != "NO_INTERVENTION"
        and len(sheet.document["arms"]) == 0
        and len(given) == 1
    ):
        gives = [one.name for one in given.values()]
    arm: dict[str, Any] = {
        "label": label[:200],
        "type": _TYPES.get(kind, "other"),
        "gives": [_SEALED] if sealed else gives,
    }
    quotes = sheet.page.quotes(label)
    sheet.document["arms"][name] = {**arm, **({"from": quotes} if quotes else {})}


def _told_by_arms(sheet: Sheet, groups: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> None:
    """Regimens that only the descriptions of arms tell: what is given beside the interventions of the record."""
    known = " ".join(labels).lower()
    written: dict[tuple[tuple[str, str, str, str], ...], str] = {}
    for arm, group in zip(list(sheet.document["arms"].values()), groups, strict=False):
        told = [
            (drug, line)
            for drug, line in lines_of(text_at(group, "description"))
            if not any(word.lower() in known for word in re.findall(r"\w{4,}", drug) if word.lower() not in _FORMS)
        ]
        key = tuple((drug, line.dose, line.every, line.days) for drug, line in told)
        if not told:
            continue
        if key not in written:
            label = " and ".join(dict.fromkeys(drug for drug, _ in told))
            name = sheet.free(label)
            record = sheet.free(f"{name}_given")
            sheet.document["records"][record] = {"label": f"{label[:150]}: given"}
            doses = [{"drug": drug, "dose": line.dose, "every": line.every, "days": line.days} for drug, line in told]
            quotes = sheet.page.quotes(*(f"{drug} {line.quote}" for drug, line in told))
            question = sheet.ask(
                f"{name}_told_by_the_arm",
                f"{label} is named in the description of an arm only; what it is and when it starts is open.",
                "principal investigator",
            )
            part = {"label": label[:200], "kind": "regimen", "record": record, "doses": doses, "assumes": question}
            sheet.document["interventions"][name] = {**part, **({"from": quotes} if quotes else {})}
            written[key] = name
        arm["gives"] = [written[key], *arm["gives"]]


def _given_by_no_arm(sheet: Sheet, given: Sequence[_Given], sealed: bool) -> None:
    """What the record lists and no arm names stands in every arm, and is asked about."""
    arms = sheet.document["arms"]
    left = [one for one in given if not sealed and not any(one.name in arm["gives"] for arm in arms.values())]
    if not left:
        return
    names = ", ".join(one.label for one in left)[:300]
    question = sheet.ask(
        "given_by_no_arm",
        f"No arm of the record names {names}; every arm gives it in the draft.",
        "principal investigator",
    )
    for arm in arms.values():
        arm["gives"] = [*arm["gives"], *(one.name for one in left)]
        arm["assumes"] = question


def _described(groups: Sequence[Mapping[str, Any]], given: _Given) -> str:
    """What arms say of an intervention that they name."""
    word = re.escape(given.label.split()[0]) if given.label.split() else "$^"
    texts = [text_at(group, "description") for group in groups]
    return " ".join(text[found.start() :] for text in texts if (found := re.search(word, text, re.I)))


def _intervention(sheet: Sheet, given: _Given, told_by_arms: str) -> None:
    words = ". ".join(filter(None, (given.description, given.label, told_by_arms)))
    dosage = dosage_of(given.description)
    for text in (given.label, told_by_arms):
        dosage = dosage if dosage.dose else dosage_of(text)
    inert = _INERT.search(given.label) is not None
    cells = _CELLS.search(words) is not None and not inert and given.type != "BEHAVIORAL"
    part: dict[str, Any] = {"label": given.label[:200], "kind": "procedure", "record": _record(sheet, given)}
    if given.quotes:
        part["from"] = list(given.quotes)
    per_kg = cells_per_kg(words) if cells else ""
    if per_kg:
        part |= {"dose": f"{per_kg} /kg * weight", "dose_unit": "1"}
        _weight(sheet)
        part["assumes"] = _product(sheet, given)
    elif dosage.whole and not cells:
        part |= {
            "kind": "regimen",
            "doses": [{"drug": given.label[:120], "dose": dosage.dose, "every": dosage.every, "days": dosage.days}],
        }
        part["assumes"] = sheet.assume(
            f"{given.name}_as_read",
            f"How {given.label} is given was read from its description.",
            f"{dosage.dose} every {dosage.every}, days {dosage.days} from its start.",
            sheet.page.quotes(dosage.quote),
        )
    elif cells or (given.type in _DOSED and not dosage.dose and not inert):
        sheet.ask(
            f"{given.name}_dose",
            f"No dose of {given.label} could be read in the record.",
            "sponsor",
            blocks=[given.name],
            unit="1" if cells else "",
        )
        part["assumes"] = _product(sheet, given) if cells else []
    elif dosage.dose:
        lacks = [what for what, value in (("how often", dosage.every), ("on which days", dosage.days)) if not value]
        part["assumes"] = sheet.ask(
            f"{given.name}_regimen",
            f"{given.label} is given as {dosage.dose}; {' and '.join(lacks)} could not be read.",
            "principal investigator",
        )
    if not part.get("assumes"):
        part.pop("assumes", None)
    sheet.document["interventions"][given.name] = part


def _record(sheet: Sheet, given: _Given) -> str:
    name = sheet.free(f"{given.name}_given")
    sheet.document["records"][name] = {"label": f"{given.label[:150]}: given"}
    return name


def _product(sheet: Sheet, given: _Given) -> str:
    return sheet.ask(
        f"{given.name}_product",
        f"Source, release and handling of {given.label} are not drafted; without them no unit is traced to its donor.",
        "sponsor",
    )


def _weight(sheet: Sheet) -> None:
    if "weight" not in sheet.document["items"]:
        sheet.item(
            "weight",
            {"is": "quantity", "unit": "kg", "possible": "1..400", "label": {"en": "Weight", "zh": "体重"}},
            {"is": "uniform(50, 95)"},
        )
    if "weight" not in sheet.asked:
        sheet.asked.append("weight")


def _behind_the_seal(sheet: Sheet, given: Sequence[_Given], descriptions: str) -> None:
    """A masked trial: one treatment, the same name in every arm; which one it is lies behind the seal."""
    record = sheet.free("study_treatment_given")
    sheet.document["records"][record] = {"label": "Study treatment given"}
    quotes = list(dict.fromkeys(quote for one in given for quote in one.quotes))
    part: dict[str, Any] = {"label": "Study treatment, behind the seal", "kind": "procedure", "record": record}
    told = [
        f"{one.label}: {dosage.dose}"
        for one in given
        if (dosage := dosage_of(f"{one.description}. {one.label}. {descriptions}")).dose
    ]
    dosed = [one for one in given if one.type in _DOSED and not _INERT.search(one.label)]
    part["assumes"] = sheet.ask(
        "treatment_behind_the_seal",
        "The arms are masked, so that one name stands for all treatments; how each is given is not drafted. "
        + (f"Read: {'; '.join(told)}." if told else "No dose was read."),
        "sponsor",
        blocks=[_SEALED] if dosed and not told else [],
    )
    sheet.document["interventions"][_SEALED] = {**part, **({"from": quotes} if quotes else {})}


def _allocation(sheet: Sheet, sealed: bool) -> None:
    design, names = sheet.document["design"], list(sheet.document["arms"])
    if len(names) == 1:
        sheet.document["allocation"] = {"method": "single group"}
        return
    if sealed:
        sheet.document["allocation"] = {"method": "sealed list"}
        return
    sheet.document["allocation"] = {"method": "clinical choice"}
    if design["allocation"] == "randomised":
        sheet.document["allocation"]["assumes"] = sheet.ask("open_randomisation", _OPEN_RANDOM, "statistician")
    share = f"{1 / len(names):.4f}"
    sheet.model["allocation"] = dict.fromkeys(names[:-1], share)
    sheet.model["allocation_reasons"] = dict.fromkeys(names, "drawn at random in the rehearsal")
