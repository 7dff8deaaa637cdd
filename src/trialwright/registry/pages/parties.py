"""Who and where: sponsors, identifiers, locations."""

from __future__ import annotations

import re

from trialwright.core.finding import Grade
from trialwright.registry import values
from trialwright.registry.pages.blocks import Block
from trialwright.registry.pages.draft import Draft, short
from trialwright.registry.pages.fields import NCT
from trialwright.registry.pages.lexicon import words
from trialwright.registry.pages.lines import Line, cells
from trialwright.registry.record import look

_P = "/protocolSection"
_SPONSORS = f"{_P}/sponsorCollaboratorsModule"
_IDS = f"{_P}/identificationModule"
_LOCATIONS = f"{_P}/contactsLocationsModule/locations"
_IDENTIFIER = re.compile(r"Identifier (?P<what>Type|Source)\s*:\s*(?P<value>.*)", re.IGNORECASE)
COUNTRIES, INVERTED = frozenset(words("countries")["names"]), tuple(words("countries")["inverted"])
_FLAG = re.compile(r"^[\U0001F1E6-\U0001F1FF\s]+")
_COUNT = re.compile(r"\(\s*(\d+)\s*\)")


def read_sponsors(draft: Draft, found: list[Block]) -> None:
    """The lead sponsor first, then those who collaborate, each perhaps with its class on the next line."""
    for block in found:
        if block.key not in ("sponsors", "collaborators"):
            continue
        body = [line for line in block.lines if line.text]
        draft.use(*body)
        at = ""
        for line in body:
            text = draft.clean(line.text)
            kind = values.word("AgencyClass", text) if text.isupper() or text in ("Other", "Industry") else None
            if kind and at:
                draft.set(f"{at}/class", kind, line, again=False)
                continue
            if values.is_nothing(text) or len(text) > 300:
                continue
            lead = block.key == "sponsors" and look(draft.study, f"{_SPONSORS}/leadSponsor/name") is None
            names = [line] if lead else _several(line)
            for each in names:
                if lead:
                    at = f"{_SPONSORS}/leadSponsor"
                    if len(body) > 2 or block.head is None:
                        draft.find(
                            "record_unlabelled",
                            line,
                            f"{at}/name",
                            value=short(text),
                            read_as="lead sponsor, because it is the first",
                        )
                elif text == look(draft.study, f"{_SPONSORS}/leadSponsor/name"):
                    at = f"{_SPONSORS}/leadSponsor"
                    continue
                else:
                    at = f"{_SPONSORS}/collaborators/{len(look(draft.study, f'{_SPONSORS}/collaborators') or [])}"
                draft.set(f"{at}/name", draft.clean(each.text), each)


def _several(line: Line) -> list[Line]:
    """Names between semicolons or bars."""
    if "|" in line.text:
        return cells(line)
    made, start = [], 0
    for part in line.text.split(";"):
        made.append(line.part(start, start + len(part)))
        start += len(part) + 1
    return [each for each in made if each.text]


def read_identifiers(draft: Draft, found: list[Block]) -> None:
    """Other numbers of the trial: the sponsor's own, and those of funders and registries."""
    for block in found:
        if block.key != "identifiers":
            continue
        waiting: list[Line] = []
        told: dict[str, str] = {}
        for line in [*(line for line in block.lines if line.text), Line(0, 0, 0, "", index=-1)]:
            about = _IDENTIFIER.fullmatch(line.text)
            if about:
                told[about["what"].lower()] = about["value"].strip()
                draft.use(line)
                continue
            if waiting:
                _identifier(draft, waiting.pop(), told)
                told = {}
            if line.text and not values.is_nothing(line.text):
                waiting.append(line)
                draft.use(line)


def _identifier(draft: Draft, line: Line, told: dict[str, str]) -> None:
    text = draft.clean(line.text)
    if told.get("source", "") == "org_study_id":
        draft.set(f"{_IDS}/orgStudyIdInfo/id", text, line)
        return
    if text == look(draft.study, f"{_IDS}/nctId"):
        return
    if NCT.fullmatch(text) and "alias" in told.get("source", ""):
        draft.set(f"{_IDS}/nctIdAliases/{len(look(draft.study, f'{_IDS}/nctIdAliases') or [])}", text, line)
        return
    at = f"{_IDS}/secondaryIdInfos/{len(look(draft.study, f'{_IDS}/secondaryIdInfos') or [])}"
    draft.set(f"{at}/id", text, line)
    if kind := values.word("SecondaryIdType", told.get("type", "")):
        draft.set(f"{at}/type", kind, line)
    if not told:
        draft.find("record_unlabelled", line, f"{at}/id", value=short(text), read_as="another identifier")


def read_locations(draft: Draft, found: list[Block]) -> None:
    """The sites: the facility on one line, its city, state and country on the next."""
    said = 0
    for block in found:
        if block.key != "locations":
            continue
        if block.head is not None and (number := _COUNT.search(block.head.text)):
            said = max(said, int(number[1]))
        facility: Line | None = None
        for line in (line for line in block.lines if line.text):
            parts = _where(line)
            if parts is None:
                if facility is not None:
                    draft.find("record_lines_unread", facility, _LOCATIONS, words=short(facility.text))
                facility = line
                draft.use(line)
                continue
            at = f"{_LOCATIONS}/{len(look(draft.study, _LOCATIONS) or [])}"
            if parts.get("facility"):
                facility = parts.pop("facility")
            if facility is not None and not values.is_nothing(facility.text):
                draft.set(f"{at}/facility", draft.clean(facility.text), facility)
            for key in ("city", "state", "zip", "country"):
                if key in parts and parts[key].text:
                    draft.set(f"{at}/{key}", draft.clean(parts[key].text), parts[key])
            draft.use(line)
            facility = None
        if facility is not None and len(facility.text) < 200 and not values.is_nothing(facility.text):
            at = f"{_LOCATIONS}/{len(look(draft.study, _LOCATIONS) or [])}"
            draft.set(f"{at}/facility", draft.clean(facility.text), facility)
            draft.find("record_location_unclear", facility, at, Grade.WARNING, words=short(facility.text))
    listed = len(look(draft.study, _LOCATIONS) or [])
    if said and said != listed:
        draft.find("record_locations_missing", None, _LOCATIONS, Grade.WARNING, said=said, listed=listed)


def _where(line: Line) -> dict[str, Line] | None:
    """City, state, postal code and country of a line that ends with a country; None where it does not."""
    if "|" in line.text:
        row = [cell for cell in cells(line) if cell.text]
        if len(row) >= 3 and row[-1].text.lower() in COUNTRIES:
            named = {"facility": row[0], "city": row[1], "country": row[-1]}
            return {**named, "state": row[2]} if len(row) == 4 else named
        return None
    flag = _FLAG.match(line.text)
    bare = line.part(flag.end() if flag else 0, len(line.text))
    if "," not in bare.text:
        return {"country": bare} if flag and bare.text.lower() in COUNTRIES else None
    cuts = [found.start() for found in re.finditer(",", bare.text)]
    inverted = next((name for name in INVERTED if bare.text.lower().endswith(name)), "")
    country_at = len(bare.text) - len(inverted) if inverted else cuts[-1] + 1
    country = bare.part(country_at, len(bare.text))
    zip_code = None
    if re.fullmatch(r"[\dA-Z][\dA-Z -]{2,9}", country.text) and re.search(r"\d", country.text) and len(cuts) > 1:
        zip_code, country = country, bare.part(cuts[-2] + 1, cuts[-1])
        cuts = cuts[:-1]
        country_at = cuts[-1] + 1
    if country.text.lower() not in COUNTRIES and not inverted:
        return None
    *before, last = [cut for cut in cuts if cut < country_at] or [0]
    made = {"country": country}
    if before:
        made["city"] = bare.part(0, before[-1])
        made["state"] = bare.part(before[-1] + 1, last)
    else:
        made["city"] = bare.part(0, last)
    if zip_code is not None:
        made["zip"] = zip_code
    return made
