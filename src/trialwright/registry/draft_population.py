"""Who may enter: the record's fields and its criteria as items, records, rules, questions, and answers to rehearse."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from trialwright.core import units
from trialwright.registry.criteria import Draft, Listing
from trialwright.registry.criteria_text import MAX_CRITERIA, MAX_TEXT
from trialwright.registry.criteria_words import lexicon
from trialwright.registry.draft_record import text_at
from trialwright.registry.draft_sheet import WIDE, Sheet

#: How many women in a hundred a criterion keeps out in a rehearsal, where nothing is known of it.
_KEPT_OUT = 0.01
_LIMIT = re.compile(
    r"(?P<item>[a-z]\w*)(?: within [\w ]+?)?(?: on \w+ \S+)?\)? "
    r"(?:(?P<op><=|>=|<|>) (?P<one>\d[\d.]*)|in (?P<low>\d[\d.]*)\.\.(?P<high>\d[\d.]*))"
    r"(?: (?!and\b|or\b)(?P<unit>[^\s()]+))?"
)


def population(sheet: Sheet, listing: Listing, drafts: Sequence[Draft]) -> None:
    """Write `population`, with the items and records that it needs."""
    section = sheet.study.get("protocolSection", {})
    inclusion: dict[str, Any] = {}
    exclusion: dict[str, Any] = {}
    _fields(sheet, section, inclusion)
    for lost in listing.lost:
        for number in lost.numbers:
            name = f"{'I' if lost.kind == 'inclusion' else 'E'}{number}"
            question = sheet.ask(
                f"{lost.kind}_{number}_lost",
                f"The list of the record skips {lost.kind} {number}; its words are lost.",
                "coordinator",
                blocks=["confirm_eligibility"],
                options={"met": "Recovered from the original, and entered as an item that the investigator attests."},
            )
            item = f"{lost.kind}_{number}_as_in_the_original"
            says = "is met" if lost.kind == "inclusion" else "applies"
            part = {
                "is": "attestation",
                "role": "investigator",
                "label": f"{lost.kind.capitalize()} {number}, as read in the original, {says}",
            }
            sheet.item(item, part, "1" if lost.kind == "inclusion" else "0")
            sheet.asked.append(item)
            (inclusion if lost.kind == "inclusion" else exclusion)[name] = {"missing": question, "attest": item}
    if listing.cut:
        part = {
            "is": "attestation",
            "role": "investigator",
            "label": "The criteria beyond the limit of the draft are met",
        }
        sheet.item("criteria_beyond_the_limit", part, "1")
        sheet.asked.append("criteria_beyond_the_limit")
        question = sheet.ask(
            "criteria_cut",
            f"The criteria have over {MAX_TEXT} characters, or are over {MAX_CRITERIA}; the rest is not drafted.",
            "principal investigator",
            blocks=["confirm_eligibility"],
            options={"read": "A person has read the others, and attests them for each participant."},
        )
        inclusion["beyond"] = {"attest": "criteria_beyond_the_limit", "assumes": question}
    for draft in drafts:
        (inclusion if draft.kind == "inclusion" else exclusion)[draft.name] = _criterion(sheet, draft)
    _answers(sheet, drafts)
    sheet.document["population"] = {"inclusion": inclusion, "exclusion": exclusion}


def _fields(sheet: Sheet, section: object, inclusion: dict[str, Any]) -> None:
    """Sex and age as the registry keeps them, beside what the criteria say."""
    sex = text_at(section, "eligibilityModule.sex").lower()
    female = 1.0 if sex == "female" else 0.0 if sex == "male" else 0.5
    chances = (
        f"pick(female={female:g}, male={1 - female:g})"
        if 0 < female < 1
        else f"pick({'female' if female else 'male'}=1)"
    )
    sheet.item("sex", {"is": ["female", "male"], "label": {"en": "Sex", "zh": "性别"}, "cdisc": "SEX"}, chances)
    sheet.item(
        "birth_date",
        {"is": "date", "label": {"en": "Date of birth", "zh": "出生日期"}, "cdisc": "BRTHDTC"},
        "-365.25 * age - 40",
    )
    sheet.document["items"]["age"] = {
        "is": "age",
        "born": "birth_date",
        "label": {"en": "Age", "zh": "年龄"},
        "cdisc": "AGE",
    }
    sheet.asked += ["sex", "birth_date"]
    if sex in ("female", "male"):
        inclusion["sex"] = {
            "rule": f"sex = {sex}",
            "from": sheet.page.quotes(f"Sex: {sex.upper()}", sex.upper(), f"- {sex.capitalize()}")[:1],
        }
    low, high = (text_at(section, f"eligibilityModule.{key}") for key in ("minimumAge", "maximumAge"))
    bounds = [re.fullmatch(r"(\d{1,3}) Years?", text) for text in (low, high)]
    if bounds[0] and bounds[1] and int(bounds[0][1]) <= int(bounds[1][1]):
        rule = f"age in {int(bounds[0][1])}..{int(bounds[1][1])} years"
    else:
        rules = [f"age {op} {int(found[1])} years" for op, found in zip((">=", "<="), bounds, strict=True) if found]
        rule = " and ".join(rules)
    told = [text for text, found in zip((low, high), bounds, strict=True) if found]
    if rule:
        inclusion["age"] = {
            "rule": rule,
            "from": sheet.page.quotes(
                *(words for text in told for words in (f"Minimum age: {text}", f"Maximum age: {text}", text))
            ),
        }
    unread = [text for text, found in zip((low, high), bounds, strict=True) if text and not found and text != "N/A"]
    if unread:
        part = {
            "is": "attestation",
            "role": "investigator",
            "label": f"The age is within the limits of the record ({' to '.join(unread)})",
        }
        sheet.item("age_as_in_the_record", part, "1")
        sheet.asked.append("age_as_in_the_record")
        quotes = sheet.page.quotes(
            *(words for text in unread for words in (f"Minimum age: {text}", f"Maximum age: {text}"))
        )
        inclusion["age_attested"] = {"attest": "age_as_in_the_record", "from": quotes}
    for part in inclusion.values():
        if not part.get("from"):
            part.pop("from", None)


def _criterion(sheet: Sheet, draft: Draft) -> dict[str, Any]:
    for name, part in draft.items.items():
        if name not in sheet.document["items"]:
            sheet.document["items"][name] = dict(part)
        if part["is"] != "age" and name not in sheet.asked and name not in sheet.partner:
            sheet.asked.append(name)
        if name in draft.partner and name not in sheet.partner:
            sheet.partner.append(name)
    for name, part in draft.records.items():
        sheet.document["records"].setdefault(name, dict(part))
        if name not in sheet.added:
            sheet.added.append(name)
    quotes = sheet.page.quotes(draft.text)
    written: dict[str, Any] = {"from": quotes} if quotes else {}
    attested = draft.by in ("as written", "judged")
    written["attest" if attested else "rule"] = draft.rule
    if draft.questions:
        decides = "principal investigator"
        question = f"{draft.name.lower()}_read"
        unconfirmed = draft.by == "model"
        sheet.ask(
            question,
            " ".join(draft.questions),
            decides,
            blocks=["confirm_eligibility"] if unconfirmed else (),
            quotes=quotes if draft.confidence == "low" else (),
            options={"confirmed": "A person has read the rule against the words, and confirms it."}
            if unconfirmed
            else None,
        )
        written["assumes"] = question
    return written


def _answers(sheet: Sheet, drafts: Sequence[Draft]) -> None:
    """How a rehearsal answers what the criteria ask: near the limits where there are some, else as most would."""
    wanted = _regions(sheet, drafts)
    ages = wanted.pop("age", None)
    record = sheet.document["items"]
    kept = _age_field(sheet, "minimumAge"), _age_field(sheet, "maximumAge")
    low = max(bound for bound in (ages[0] if ages else None, kept[0], 0) if bound is not None)
    high = min(bound for bound in (ages[1] if ages else None, kept[1], 100) if bound is not None)
    low, high = (low, high) if low < high else (18, 80)
    high = min(high, max(low + 50, 80))
    sheet.model["woman"]["age"] = {"is": f"uniform({max(low - 0.5, 0):g}, {high + 1:g})", "source": WIDE}
    polarity = _polarity(drafts)
    for name in (*sheet.asked, *sheet.partner):
        if name in sheet.model["items"]:
            continue
        answer = _answer(name, record[name], wanted.get(name), polarity.get(name, False))
        if name in sheet.asked:
            sheet.model["items"][name] = answer
    for name in sheet.partner:
        sheet.model.setdefault("relatives", {}).setdefault("partner", {})[name] = f"happens({_KEPT_OUT})"
    for name in sheet.added:
        entry = lexicon().records[name]
        told = {"count": {"is": entry["count"], "source": WIDE}, "days": entry["days"]}
        sheet.model["records"][name] = {**told, **({"fields": dict(entry["values"])} if entry.get("values") else {})}


def _age_field(sheet: Sheet, key: str) -> float | None:
    match = re.fullmatch(r"(\d{1,3}) Years?", text_at(sheet.study, f"protocolSection.eligibilityModule.{key}"))
    return float(match[1]) if match else None


def _answer(
    name: str, part: Mapping[str, Any], region: tuple[float | None, float | None] | None, needed: bool
) -> str | dict[str, Any]:
    entry = lexicon().items.get(name, {})
    kind = part["is"]
    if kind == "attestation" or kind == "yes_no":
        if needed:
            return f"happens({1 - _KEPT_OUT})"
        if part.get("absent"):
            return f"'yes' if happens({_KEPT_OUT}) else 'nothing'"
        return f"happens({_KEPT_OUT})"
    if isinstance(kind, list):
        usual = entry.get("typical", kind[0])
        other = next(one for one in kind if one != usual)
        return f"pick({usual}={1 - _KEPT_OUT}, {other}={_KEPT_OUT})"
    typical = [float(one) for one in entry.get("typical", "50..150").split("..")]
    low, high = _drawn_between(typical, region)
    answer: dict[str, Any] = {
        "is": f"uniform({low:g}, {high:g})",
        "source": WIDE,
        "decimals": 0 if kind == "count" else 2,
    }
    if kind == "count":
        answer["is"] = f"round(uniform({low:g}, {high:g}))"
    if entry.get("normal"):
        answer["normal"] = entry["normal"]
        bottom, top = (float(one) for one in entry["normal"].split(".."))
        if region is None:
            answer["is"] = f"uniform({bottom + (top - bottom) * 0.05:g}, {top - (top - bottom) * 0.03:g})"
    if "attributes" in entry:
        answer["with"] = {key: entry["attributes"][key] for key in part.get("with", {}) if key in entry["attributes"]}
    return answer


def _drawn_between(typical: Sequence[float], region: tuple[float | None, float | None] | None) -> tuple[float, float]:
    """Where values are drawn: inside what lets a participant in, and a little beyond, so that some are kept out."""
    if region is None:
        return typical[0], typical[1]
    low, high = region
    if low is None and high is None:
        return typical[0], typical[1]
    if low is None and high is not None:
        low = typical[0] if typical[0] < high else high * 0.3
        return low, high + (high - low) * 0.02
    assert low is not None
    if high is None:
        high = max(typical[1], low * 2 if low else 1.0)
        return max(low - (high - low) * 0.02, 0), high
    span = max(high - low, abs(low) * 0.02)
    return max(low - span * 0.02, 0), high + span * 0.02


def _regions(sheet: Sheet, drafts: Sequence[Draft]) -> dict[str, tuple[float | None, float | None]]:
    """For each item what lets a participant in, in the item's own unit: the least and the greatest value."""
    regions: dict[str, tuple[float | None, float | None]] = {}
    for draft in drafts:
        if draft.by != "rule":
            continue
        for match in _LIMIT.finditer(draft.rule):
            name = match["item"]
            part = sheet.document["items"].get(name)
            if part is None or part["is"] not in ("quantity", "count", "age"):
                continue
            low = _in_unit(match["low"] or (match["one"] if match["op"] in (">", ">=") else None), match["unit"], part)
            high = _in_unit(
                match["high"] or (match["one"] if match["op"] in ("<", "<=") else None), match["unit"], part
            )
            if draft.kind == "exclusion":
                if match["low"]:
                    continue
                low, high = high, low
            before = regions.get(name, (None, None))
            lows = [one for one in (before[0], low) if one is not None]
            highs = [one for one in (before[1], high) if one is not None]
            found = max(lows, default=None), min(highs, default=None)
            if found[0] is None or found[1] is None or found[0] <= found[1]:
                regions[name] = found
    return regions


def _in_unit(text: str | None, unit: str | None, part: Mapping[str, Any]) -> float | None:
    if text is None:
        return None
    source, target = units.unit(unit or ""), units.unit(str(part.get("unit", "")))
    if source is None or target is None or part["is"] != "quantity":
        return float(text)
    mass = part.get("molar_mass", "").partition(" ")[0]
    from fractions import Fraction

    try:
        return float(units.convert(Decimal(text), source, target, Fraction(mass) if mass else None))
    except ValueError:
        return None


def _polarity(drafts: Sequence[Draft]) -> dict[str, bool]:
    """For what is answered yes or no: whether yes is what lets a participant in."""
    polarity: dict[str, bool] = {}
    for draft in drafts:
        for name in draft.items:
            negated = re.search(rf"\bnot \(?{re.escape(name)}\b", draft.rule) is not None
            polarity.setdefault(name, (draft.kind == "inclusion") != negated)
    return polarity
