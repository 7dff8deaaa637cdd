"""The legacy XML of ClinicalTrials.gov as a v2 study; what has no place in the protocol section is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, ParseError
from xml.parsers.expat import errors

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from trialwright.core.finding import Finding, Grade, Refused, Where, finding
from trialwright.registry import values
from trialwright.registry.record import Json, Place, in_order, leaves, put
from trialwright.registry.xml_fields import (
    ARMS,
    CONTACT,
    DESIGN,
    IPD_TYPES,
    MANY,
    ONE,
    REPEATED,
    Read,
    as_block,
    as_text,
    who_masked,
)

#: How deep elements may nest; the legacy records have 9 levels.
DEEPEST = 60


def read_xml(text: str, name: str) -> tuple[dict[str, Json], Mapping[str, Place], list[Finding]]:
    """The study of a legacy XML text, with an XPath for each field; entities and document types are refused."""
    body = re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff"))
    try:
        root = fromstring(body.encode("utf-8", "replace"), forbid_dtd=True)
    except ParseError as broken:
        why = f"{_FAULTS.get(broken.code, 'it breaks off')} in line {broken.position[0] + _lines_before(text, body)}"
        raise Refused(finding("record_xml_broken", Where(name), why=why)) from None
    except DefusedXmlException:
        why = "it declares a document type or entities"
        raise Refused(finding("record_xml_broken", Where(name), why=why)) from None
    except (ValueError, RecursionError):
        raise Refused(finding("record_xml_broken", Where(name), why="it nests too deep")) from None
    if root.tag != "clinical_study":
        raise Refused(finding("record_not_a_study", Where(name)))
    reading = _Reading(name)
    for index, (path, xpath, element, depth) in enumerate(_elements(root)):
        if depth > DEEPEST or index > 200_000:
            raise Refused(finding("record_xml_broken", Where(name), why="it nests too deep, or is too large"))
        _element(reading, path, xpath, element)
    if reading.whole("clinical_results"):
        reading.write("/hasResults", True, "/clinical_study/clinical_results")
    _arms_of_interventions(reading)
    for path, xpath in reading.left.items():
        reading.found.append(finding("record_element_unread", Where(name, path=xpath), Grade.NOTE, element=path))
    return in_order(reading.study), reading.places, reading.found


#: What the parser of the standard library counts its errors by, in words for a sentence.
_FAULTS: Mapping[int, str] = {
    errors.codes[errors.XML_ERROR_NO_ELEMENTS]: "it ends in the middle",
    errors.codes[errors.XML_ERROR_UNCLOSED_TOKEN]: "an element or a comment is not closed",
    errors.codes[errors.XML_ERROR_UNCLOSED_CDATA_SECTION]: "a passage of plain text is not closed",
    errors.codes[errors.XML_ERROR_INVALID_TOKEN]: "a character stands where none may stand",
    errors.codes[errors.XML_ERROR_TAG_MISMATCH]: "an element is closed by the name of another",
    errors.codes[errors.XML_ERROR_DUPLICATE_ATTRIBUTE]: "an attribute stands twice in one element",
    errors.codes[errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]: "something follows after its end",
    errors.codes[errors.XML_ERROR_UNDEFINED_ENTITY]: "an entity is used that nothing declares",
    errors.codes[errors.XML_ERROR_BAD_CHAR_REF]: "a character is named that XML does not have",
    errors.codes[errors.XML_ERROR_UNBOUND_PREFIX]: "a prefix is used that nothing declares",
}


def _lines_before(text: str, body: str) -> int:
    """Lines that stood before the body, for which the parser does not count."""
    return text.count("\n") - body.count("\n")


class _Reading:
    """The study in the making."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.study: dict[str, Json] = {}
        self.places: dict[str, Place] = {}
        self.found: list[Finding] = []
        self.left: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}  # pointer of a list -> XPath of each of its members

    def write(self, pointer: str, value: Json, xpath: str) -> None:
        """Write a value with its place."""
        put(self.study, pointer, value)
        for inner, _ in leaves(value, pointer):
            self.places[inner] = Place(path=xpath)

    def whole(self, path: str) -> bool:
        """Whether an element was there that no field takes up."""
        return path in self.left


def _elements(root: Element) -> list[tuple[str, str, Element, int]]:
    """Every element below the root in order: its path, its XPath with positions, itself, its depth."""
    made: list[tuple[str, str, Element, int]] = []
    waiting = [("", f"/{root.tag}", root, 0)]
    while waiting:
        path, xpath, element, depth = waiting.pop()
        if depth:
            made.append((path, xpath, element, depth))
        if depth > DEEPEST or path == "clinical_results":
            continue
        counts: dict[str, int] = {}
        for child in element:
            if isinstance(child.tag, str):
                counts[child.tag] = counts.get(child.tag, 0) + 1
        seen: dict[str, int] = {}
        inner = []
        for child in element:
            if isinstance(child.tag, str):
                seen[child.tag] = seen.get(child.tag, 0) + 1
                position = f"[{seen[child.tag]}]" if counts[child.tag] > 1 else ""
                inner.append((f"{path}/{child.tag}".lstrip("/"), f"{xpath}/{child.tag}{position}", child, depth + 1))
        waiting += reversed(inner)
    return made


def _element(reading: _Reading, path: str, xpath: str, element: Element) -> None:
    """Take up one element."""
    if path in ONE:
        pointer, reader = ONE[path]
        _one(reading, pointer, reader, xpath, element.text or "")
        if path == "study_design_info/masking" and (who := who_masked(element.text or "")):
            reading.write(f"{DESIGN}/designInfo/maskingInfo/whoMasked", who, xpath)
        if (kind := element.get("type")) and f"{path}@type" in ONE:
            pointer, reader = ONE[f"{path}@type"]
            _one(reading, pointer, reader, f"{xpath}/@type", kind)
    elif path in MANY:
        _member(reading, path, xpath, element)
    elif path == "condition_browse/mesh_term" or path == "intervention_browse/mesh_term":
        module = "conditionBrowseModule" if path.startswith("condition") else "interventionBrowseModule"
        _append(reading, f"/derivedSection/{module}/meshes", {"term": as_text(element.text or "")}, xpath)
    elif not _inside(path) and (len(element) == 0 or path == "clinical_results") and path.split("/")[0] not in REPEATED:
        reading.left.setdefault(path.split("/")[0] if path != "clinical_results" else path, xpath)


def _inside(path: str) -> bool:
    """Whether an element lies in one that repeats, which takes it up as a whole."""
    for many, (_, inner) in MANY.items():
        if path.startswith(f"{many}/"):
            rest = path[len(many) + 1 :]
            return any(each == rest or each.startswith(f"{rest}/") for each in inner) or rest.startswith("contact")
    return False


def _one(reading: _Reading, pointer: str, reader: Read, xpath: str, text: str) -> None:
    if not text.strip():
        return
    value = reader(text.strip() if reader is not as_block else text)
    if value is None:
        if not values.is_nothing(text):
            reading.found.append(
                finding(
                    "record_label_value",
                    Where(reading.name, path=pointer),
                    Grade.WARNING,
                    label=xpath,
                    value=" ".join(text.split())[:80],
                )
            )
        return
    reading.write(pointer, value, xpath)


def _append(reading: _Reading, pointer: str, value: Json, xpath: str) -> None:
    members = reading.lists.setdefault(pointer, [])
    reading.write(f"{pointer}/{len(members)}", value, xpath)
    members.append(xpath)


def _member(reading: _Reading, path: str, xpath: str, element: Element) -> None:
    """One of a list: a text, or an object of what stands inside."""
    pointer, inner = MANY[path]
    if not inner:
        text = as_text(element.text or "")
        text = IPD_TYPES.get(text or "") if path == "patient_data/ipd_info_type" else text
        if text:
            _append(reading, pointer, text, xpath)
        return
    made: dict[str, Json] = {}
    stood: dict[str, str] = {}
    for tag, (key, reader) in inner.items():
        several = element.findall(tag) if tag else [element]
        for index, each in enumerate(several):
            value = reader((each.text or "").strip())
            if value is None:
                continue
            if key.endswith("/"):
                made.setdefault(key[:-1], []).append(value)
                stood[f"{key}{index}"] = f"{xpath}/{tag}[{index + 1}]"
            elif key not in made:
                made[key] = value
                stood[key] = f"{xpath}/{tag}" if tag else xpath
    if path.endswith("reference"):
        made["type"] = "RESULT" if path.startswith("results") else "BACKGROUND"
    if path.startswith("overall_contact"):
        made["role"] = "CONTACT"
    if path == "location":
        contacts = [_contact(each) for each in (*element.findall("contact"), *element.findall("contact_backup"))]
        contacts += [_investigator(each) for each in element.findall("investigator")]
        if any(contacts):
            made["contacts"] = [each for each in contacts if each]
    if made:
        place = len(reading.lists.get(pointer, []))
        _append(reading, pointer, made, xpath)
        for key, at in stood.items():
            reading.places[f"{pointer}/{place}/{key}"] = Place(path=at)


def _contact(element: Element) -> dict[str, Json]:
    made = {key: value for tag, (key, reader) in CONTACT.items() if (value := reader(element.findtext(tag) or ""))}
    return {**made, "role": "CONTACT"} if made else {}


def _investigator(element: Element) -> dict[str, Json]:
    made = {
        "name": as_text(element.findtext("last_name") or ""),
        "role": values.word("ContactRole", element.findtext("role") or ""),
    }
    return {key: value for key, value in made.items() if value}


def _arms_of_interventions(reading: _Reading) -> None:
    """API v2 also names the interventions beside each arm; the legacy record says it the other way round."""
    module = reading.study.get("protocolSection", {}).get("armsInterventionsModule", {})
    for index, arm in enumerate(module.get("armGroups", [])):
        named = []
        for place, each in enumerate(module.get("interventions", [])):
            if arm.get("label") in each.get("armGroupLabels", []):
                kind = str(each.get("type", "")).replace("_", " ").title()
                named.append((f"{kind}: {each.get('name', '')}", reading.lists[f"{ARMS}/interventions"][place]))
        for position, (text, xpath) in enumerate(named):
            reading.write(f"{ARMS}/armGroups/{index}/interventionNames/{position}", text, xpath)
