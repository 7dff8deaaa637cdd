"""How well pages are read: `python -m tests.records PAGES TRUTH`, for any folder of pages and of what they should say.

A truth counts only where it stands in the page: its words as they are, or, for a word of a list, a date or a number, a
line, a cell or a labelled value that says it. Case, white space and the form of a date make no difference. Where a page
has lost a border, what stands is the run: names with only blanks between are compared as one run of words, and need a
finding; an outcome on a page without ranks is right at any rank, and needs a finding; so is a text without a heading.

For each field: how many stood, how many were read right, and how many have another value in the study and no finding.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from trialwright.registry import values
from trialwright.registry.pages.fields import ages
from trialwright.registry.pages.lines import is_html
from trialwright.registry.read import read_record
from trialwright.registry.record import Record, look

P = "/protocolSection"
WORDS = {
    "status": (f"{P}/statusModule/overallStatus", "Status"),
    "study_type": (f"{P}/designModule/studyType", "StudyType"),
    "allocation": (f"{P}/designModule/designInfo/allocation", "DesignAllocation"),
    "model": (f"{P}/designModule/designInfo/interventionModel", "InterventionalAssignment"),
    "purpose": (f"{P}/designModule/designInfo/primaryPurpose", "PrimaryPurpose"),
    "masking": (f"{P}/designModule/designInfo/maskingInfo/masking", "DesignMasking"),
    "sex": (f"{P}/eligibilityModule/sex", "Sex"),
    "sponsor_class": (f"{P}/sponsorCollaboratorsModule/leadSponsor/class", "AgencyClass"),
}
TEXTS = {
    "nct": f"{P}/identificationModule/nctId",
    "title": f"{P}/identificationModule/briefTitle",
    "official": f"{P}/identificationModule/officialTitle",
    "org_id": f"{P}/identificationModule/orgStudyIdInfo/id",
    "sponsor": f"{P}/sponsorCollaboratorsModule/leadSponsor/name",
    "summary": f"{P}/descriptionModule/briefSummary",
    "detail": f"{P}/descriptionModule/detailedDescription",
}
DATES = {
    "start": f"{P}/statusModule/startDateStruct/date",
    "primary_completion": f"{P}/statusModule/primaryCompletionDateStruct/date",
    "completion": f"{P}/statusModule/completionDateStruct/date",
    "updated": f"{P}/statusModule/lastUpdatePostDateStruct/date",
}
AGES = {"min_age": f"{P}/eligibilityModule/minimumAge", "max_age": f"{P}/eligibilityModule/maximumAge"}
LISTS = {
    "conditions": (f"{P}/conditionsModule/conditions", ""),
    "keywords": (f"{P}/conditionsModule/keywords", ""),
    "sec_ids": (f"{P}/identificationModule/secondaryIdInfos", "id"),
    "collaborators": (f"{P}/sponsorCollaboratorsModule/collaborators", "name"),
}
HEADED = {
    "keywords": "keyword",
    "collaborators": "collaborator",
    "sponsor": "sponsor",
    "sponsor_class": "sponsor",
    "org_id": "orgstudyid",
}
OUTCOMES = {"primary": "primaryOutcomes", "secondary": "secondaryOutcomes"}
_ITEM = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)]|[a-z][.)])\s+")
_GLUED = re.compile(r"[ \t]+((?:key )?(?:inclusion|exclusion) criteria\s*:)[ \t]*", re.IGNORECASE)
_HEAD = re.compile(r"^\W*(?:\w+[\s-]+){0,3}?(inclusion|exclusion)(?:\s+criteri\w+)?\s*:?\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Judged:
    """One truth: whether it was read right, and whether the study says another thing without a finding."""

    field: str
    right: bool
    wrong: bool
    says: str = ""


class Page:
    """A page as the judge sees it."""

    def __init__(self, text: str) -> None:
        if is_html(text):  # as it is shown: the judge does without the reader's own way with tags
            text = unescape(re.sub(r"<(?:/?(?:span|b|i|em|a)\b)[^>]*>", "", text))
            text = re.sub(r"<[a-z/!][^>]*>", "\n", text)
        text = text.replace("**", "")
        self.squashed = squash(text)
        units = set()
        for line in text.split("\n"):
            bare = re.sub(r"^\s*(?:[-*•#]+\s+)?", "", line).strip()
            units.add(bare)
            for cell in bare.split("|"):
                units.add(cell.strip())
                label, colon, value = cell.partition(":")
                if colon and len(label) < 60:
                    units.add(value.strip())
            units.update(found.strip() for found in re.findall(r"(?:Group|Intervention) Type\s+(.*)", bare))
        self.units = {unit for unit in units if 0 < len(unit) < 2000}
        self.dates = {date for unit in self.units if len(unit) < 60 and (date := values.as_date(unit))}
        self.lines = {squash(unit) for unit in self.units}

    def has(self, text: str) -> bool:
        """Whether words stand here; short ones only as a line or a cell of their own."""
        small = squash(text)
        return bool(small) and (small in self.squashed if len(small) >= 12 else small in self.lines)

    def has_word(self, kind: str, word: str) -> bool:
        """Whether a line or a cell says a word of a list."""
        return any(
            values.word(kind, unit) == word or values.word(kind, unit.split("(")[0]) == word for unit in self.units
        )

    def has_age(self, age: str, end: int) -> bool:
        """Whether a line or a cell gives an age, alone or as an end of a range."""
        return any(
            values.age(unit) == age or ((both := ages(unit)) is not None and both[end] == age) for unit in self.units
        )


def squash(text: object) -> str:
    """Letters without case, signs, and no blanks."""
    return "".join(str(text).split()).lower()


def judge(text: str, truth: dict[str, Any], name: str = "page") -> list[Judged]:
    """Every truth that stands in a page, and every value that does not come from one."""
    record = read_record(text, name)
    page = Page(text)
    return [
        *_singles(record, page, truth),
        *_names(record, page, truth),
        *_interventions(record, page, truth),
        *_arms(record, page, truth),
        *_outcomes(record, page, truth),
        *_criteria(record, page, truth),
        *_locations(record, page, truth),
    ]


def told(record: Record, pointer: str) -> bool:
    """Whether a finding concerns a pointer, what holds it, or what it holds."""
    for one in record.findings:
        path = one.where.path
        if one.code in ("record_field_missing", "record_escaped") or not path:
            continue
        if path == pointer or pointer.startswith(f"{path}/") or path.startswith(f"{pointer}/"):
            return True
    return False


def _one(record: Record, field: str, pointer: str, right: bool, says: object) -> Judged:
    value = look(record.study, pointer)
    return Judged(
        field, right, not right and value is not None and not told(record, pointer), f"{says!r} read as {value!r}"[:300]
    )


def _singles(record: Record, page: Page, truth: dict[str, Any]) -> Iterator[Judged]:
    for field, (pointer, kind) in WORDS.items():
        if HEADED.get(field, "") not in page.squashed:
            continue
        if truth[field] and page.has_word(kind, truth[field]):
            yield _one(record, field, pointer, look(record.study, pointer) == truth[field], truth[field])
        else:
            yield from _invented(record, field, pointer, truth[field])
    for field, pointer in TEXTS.items():
        if (
            field == "official"
            and squash(truth["official"]) == squash(truth["title"])
            and "officialtitle" not in page.squashed
        ):
            continue
        whole = field in ("title", "summary", "detail")
        if HEADED.get(field, "") not in page.squashed:
            continue
        if truth[field] and (page.has(truth[field]) if whole else squash(truth[field]) in page.lines):
            right = squash(look(record.study, pointer)) == squash(truth[field])
            if field in ("summary", "detail") and not right and _heading_lost(record):
                right = any(
                    squash(look(record.study, TEXTS[other])) == squash(truth[field]) for other in ("summary", "detail")
                )
            yield _one(record, field, pointer, right, truth[field])
        elif not (field == "summary" and _heading_lost(record)):
            yield from _invented(record, field, pointer, truth[field])
    for field, pointer in DATES.items():
        date = values.as_date(truth[field] or "")
        if date and date in page.dates and (field != "primary_completion" or "primarycompletion" in page.squashed):
            yield _one(record, field, pointer, look(record.study, pointer) == date, date)
        else:
            yield from _invented(record, field, pointer, date)
    for end, (field, pointer) in enumerate(AGES.items()):
        if truth[field] and page.has_age(truth[field], end):
            yield _one(record, field, pointer, look(record.study, pointer) == truth[field], truth[field])
        else:
            yield from _invented(record, field, pointer, truth[field])
    pointer = f"{P}/designModule/enrollmentInfo/count"
    if any(values.count(unit) == truth["enrollment"] for unit in page.units):
        yield _one(
            record, "enrollment", pointer, look(record.study, pointer) == truth["enrollment"], truth["enrollment"]
        )
    pointer = f"{P}/eligibilityModule/healthyVolunteers"
    if any(values.yes_no(unit) == truth["healthy"] for unit in page.units):
        yield _one(record, "healthy", pointer, look(record.study, pointer) == truth["healthy"], truth["healthy"])
    pointer = f"{P}/designModule/phases"
    if (truth["phases"] or "phase" in page.squashed or "basicinformation" in page.squashed) and any(
        values.phases(unit) == (truth["phases"] or ["NA"]) for unit in page.units
    ):
        yield _one(
            record, "phases", pointer, look(record.study, pointer) == (truth["phases"] or ["NA"]), truth["phases"]
        )


def _invented(record: Record, field: str, pointer: str, truth: object) -> Iterator[Judged]:
    value = look(record.study, pointer)
    if field in TEXTS and len(squash(value)) > 30 and squash(value) in squash(truth):
        return  # the page lost the rest
    if value is not None and squash(value) != squash(truth) and not told(record, pointer):
        yield Judged(field, False, True, f"{truth!r} invented as {value!r}"[:300])


def _heading_lost(record: Record) -> bool:
    return any(one.code == "record_text_without_heading" for one in record.findings)


def _names(record: Record, page: Page, truth: dict[str, Any]) -> Iterator[Judged]:
    for field, (pointer, key) in LISTS.items():
        read = [squash(each[key] if key else each) for each in look(record.study, pointer) or []]
        true = [squash(each) for each in truth[field]]
        if HEADED.get(field, "") not in page.squashed:
            continue
        run = "".join(true)
        if len(true) > 1 and run in page.lines and not all(each in page.lines for each in true):
            yield _one(record, field, pointer, "".join(read) == run and told(record, pointer), truth[field])
            continue
        for each in truth[field]:
            if each != truth["org_id"] and page.has(each) and (squash(each) in page.lines or squash(each) in read):
                yield _one(record, field, pointer, squash(each) in read, each)
        for each in read:
            if each not in true:
                yield Judged(field, False, not told(record, pointer), f"{truth[field]} invented as {each}"[:300])


def _interventions(record: Record, page: Page, truth: dict[str, Any]) -> Iterator[Judged]:
    at = f"{P}/armsInterventionsModule/interventions"
    read = look(record.study, at) or []
    used = set()
    for each in truth["interventions"]:
        kind = each["type"].replace("_", "")
        typed = squash(f"{kind}:{each['name']}") in page.squashed.replace("dietarysupplement", "dietarysupplement")
        if not typed and squash(each["name"]) not in page.lines:
            continue
        place = next(
            (
                n
                for n, one in enumerate(read)
                if n not in used
                and squash(one.get("name")) == squash(each["name"])
                and one.get("type", each["type"]) == each["type"]
            ),
            None,
        )
        yield Judged(
            "intervention name",
            place is not None,
            False,
            f"{each['name']!r} not found in {[one.get('name') for one in read]}"[:300],
        )
        if place is None:
            continue
        used.add(place)
        one = f"{at}/{place}"
        if typed or (page.has_word("InterventionType", each["type"]) and "type" in read[place]):
            yield _one(
                record, "intervention type", f"{one}/type", read[place].get("type") == each["type"], each["type"]
            )
        if (
            each["desc"]
            and page.has(each["desc"])
            and ("description" in read[place] or squash(each["desc"]) in page.lines)
        ) and (
            "description" in read[place] or all(squash(arm["desc"]) != squash(each["desc"]) for arm in truth["arms"])
        ):
            yield _one(
                record,
                "intervention description",
                f"{one}/description",
                squash(read[place].get("description")) == squash(each["desc"]),
                each["desc"],
            )
    for place, one in enumerate(read):
        if place not in used:
            yield Judged(
                "intervention name", False, not told(record, f"{at}/{place}"), f"invented {one.get('name')!r}"[:300]
            )


def _arms(record: Record, page: Page, truth: dict[str, Any]) -> Iterator[Judged]:
    at = f"{P}/armsInterventionsModule/armGroups"
    read = look(record.study, at) or []
    used: set[int] = set()
    shown = bool(
        re.search(r"armandinterventions|arm&&interventions|studygroups|arm\|intervention|grouptype", page.squashed)
    )
    for each in truth["arms"]:
        label = squash(each["label"])
        if not shown or label not in page.squashed or (len(label) < 12 and not _labelled(page, each, truth)):
            continue
        place = next((n for n, one in enumerate(read) if n not in used and squash(one.get("label")) == label), None)
        yield Judged(
            "arm label",
            place is not None,
            False,
            f"{each['label']!r} not found in {[one.get('label') for one in read]}"[:300],
        )
        if place is None:
            continue
        used.add(place)
        one = f"{at}/{place}"
        if each["type"] and "type" in read[place]:
            yield _one(record, "arm type", f"{one}/type", read[place]["type"] == each["type"], each["type"])
        if each["desc"] and page.has(each["desc"]):
            yield _one(
                record,
                "arm description",
                f"{one}/description",
                squash(read[place].get("description")) == squash(each["desc"]),
                each["desc"],
            )
        linked = read[place].get("interventionNames")
        if linked is not None and each["ints"]:
            right = sorted(map(squash, linked)) == sorted(map(squash, each["ints"]))
            wrong = not right and not told(record, f"{one}/interventionNames")
            if right or wrong:
                yield Judged("arm interventions", right, wrong, f"{each['ints']} read as {linked}"[:300])
    for place, one in enumerate(read):
        if place not in used:
            yield Judged("arm label", False, not told(record, f"{at}/{place}"), f"invented {one.get('label')!r}"[:300])


def _labelled(page: Page, arm: dict[str, Any], truth: dict[str, Any]) -> bool:
    return squash(arm["label"]) in page.lines or any(
        squash(arm["label"]) + squash(each["name"]) in page.squashed for each in truth["interventions"]
    )


def _outcomes(record: Record, page: Page, truth: dict[str, Any]) -> Iterator[Judged]:
    ranked = not any(one.code == "record_rank_lost" for one in record.findings)
    at = f"{P}/outcomesModule"
    read = [
        (f"{at}/{name}/{n}", one)
        for name in (*OUTCOMES.values(), "otherOutcomes")
        for n, one in enumerate(look(record.study, f"{at}/{name}") or [])
    ]
    used = set()
    for rank, name in OUTCOMES.items():
        for each in truth[rank]:
            m, t, d = (squash(each[key]) for key in "mtd")
            forms = (
                f"{m}{t}{d}" if len(m + t) < 12 else f"{m}{t}",
                f"{m}[timeframe:{t}]",
                f"{m}|{t}",
                f"{m}timeframe:{t}",
                f"{m}(timeframe:{t})",
            )
            if not any(form in page.squashed for form in forms) and not (m in page.lines and t in page.lines):
                continue
            could = [
                (pointer, one)
                for pointer, one in read
                if pointer not in used and (not ranked or f"/{name}/" in pointer)
            ]
            best = max(could, key=lambda pair: _alike(pair[1], m, t, d), default=None)
            if best is None or _alike(best[1], m, t, d) == 0:
                yield Judged(f"{rank} measure", False, False, f"{each['m']!r} not found")
                continue
            pointer, one = best
            used.add(pointer)
            yield _one(record, f"{rank} measure", f"{pointer}/measure", squash(one.get("measure")) == m, each["m"])
            if t:
                yield _one(
                    record, f"{rank} time frame", f"{pointer}/timeFrame", squash(one.get("timeFrame")) == t, each["t"]
                )
            if d and d in page.squashed:
                yield _one(
                    record,
                    f"{rank} description",
                    f"{pointer}/description",
                    squash(one.get("description")) == d,
                    each["d"],
                )
    for pointer, one in read:
        if pointer not in used:
            yield Judged("outcome", False, not told(record, pointer), f"invented {one.get('measure')!r}"[:300])


def _alike(one: dict[str, Any], m: str, t: str, d: str) -> int:
    same = (
        4 * (squash(one.get("measure")) == m)
        + 2 * (squash(one.get("timeFrame", "")) == t)
        + (squash(one.get("description", "")) == d)
    )
    near = squash(one.get("measure")).startswith(m[:25]) or m.startswith(squash(one.get("measure"))[:25])
    return same if near else 0


def _criteria(record: Record, page: Page, truth: dict[str, Any]) -> Iterator[Judged]:
    pointer = f"{P}/eligibilityModule/eligibilityCriteria"
    read = list(_items(look(record.study, pointer) or ""))
    headed = any(side for side, _ in read) and not any(
        one.code == "record_criteria_run_together" for one in record.findings
    )
    sides = defaultdict(set)
    for side, item in read:
        sides[item].add(side)
    run = "".join(item for _, item in read)
    for side, item in _items(truth["criteria"] or ""):
        if len(item) < 4 or not (item in page.squashed if len(item) >= 12 else item in page.lines):
            continue
        found = item in sides or (len(item) > 20 and item in run)
        right = found and (not headed or not side or item not in sides or side in sides[item])
        wrong = found and not right and not told(record, pointer)
        yield Judged("criterion", right, wrong, f"{side}: {item}"[:200])
    true = squash(truth["criteria"])
    for side, item in read:
        if len(item) > 3 and item not in true:
            yield Judged("criterion", False, not told(record, pointer), f"invented {side} {item}"[:200])


def _items(text: str) -> Iterator[tuple[str, str]]:
    side = ""
    for line in _GLUED.sub(r"\n\1\n", text).split("\n"):
        bare = line
        while (shorter := _ITEM.sub("", bare)) != bare:
            bare = shorter
        if heading := _HEAD.match(bare):
            side = heading[1].lower()
        elif bare.strip():
            yield side, squash(bare)


def _locations(record: Record, page: Page, truth: dict[str, Any]) -> Iterator[Judged]:
    at = f"{P}/contactsLocationsModule/locations"
    read = [
        tuple(squash(one.get(key) or "") for key in ("facility", "city", "state", "country"))
        for one in look(record.study, at) or []
    ]
    left = Counter[tuple[str, ...]](read)
    counted = Counter[tuple[str, ...]]()
    for each in truth["locations"]:
        facility, city, state, country = (squash(part or "") for part in each)
        if f"{city},{state},{country}" not in page.squashed or (facility and facility not in page.squashed):
            continue
        key: tuple[str, ...] = (facility, city, state, country)
        counted[key] += 1
        if page.squashed.count(f"{facility or 'none'}{city},{state},{country}") < counted[key]:
            continue
        yield Judged("location", left[key] > 0, False, f"{key} not found"[:300])
        left[key] -= 1
    for place, count in left.items():
        if count > 0:
            yield Judged("location", False, not told(record, at), f"invented {place}"[:300])


def judged(pages: Path, truths: Path) -> Iterator[tuple[str, str, list[Judged]]]:
    """Layout, page and verdicts for each page `NUMBER__LAYOUT.txt` that has a truth `NUMBER.json`."""
    for path in sorted(pages.glob("*.txt")):
        number, _, layout = path.stem.partition("__")
        truth = truths / f"{number}.json"
        if truth.exists():
            yield (
                layout or "page",
                path.name,
                judge(path.read_text("utf-8"), json.loads(truth.read_text("utf-8")), path.name),
            )


def main(words: list[str] | None = None) -> int:
    """Print percent right and number wrong, per layout and per field; 1 where the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.records", description=__doc__)
    parser.add_argument("pages", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--misses", action="store_true", help="print each truth that was missed")
    parser.add_argument("--only", default="", help="pages whose name holds this")
    options = parser.parse_args(words)
    by: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for layout, name, verdicts in judged(options.pages, options.truth):
        if options.only not in name:
            continue
        for one in verdicts:
            for key in (("layout", layout), ("field", one.field), ("all", "all")):
                by[key].update(stood=1, right=one.right, wrong=one.wrong)
            if options.misses and not one.right:
                sys.stdout.write(f"{'WRONG' if one.wrong else 'missed'} {name} {one.field}: {one.says}\n")
    for (what, name), counts in sorted(by.items(), key=lambda item: (item[0][0], item[0][1])):
        percent = 100 * counts["right"] / counts["stood"]
        right = f"{counts['stood']:6} stood {percent:7.2f} % right"
        sys.stdout.write(f"{what:6}  {name:24} {right} {counts['wrong']:4} wrong without a finding\n")
    whole = by["all", "all"]
    if not whole["stood"]:
        sys.stdout.write("no page with a truth was found\n")
        return 2
    return 0 if whole["right"] >= 0.98 * whole["stood"] and not whole["wrong"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
