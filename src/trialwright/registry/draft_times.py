"""Words about time and dose to days and lines of a regimen: time frames, how much, how often, for how long."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from trialwright.core import units
from trialwright.registry.criteria_words import words_of

#: No visit is planned beyond this many days; a longer time frame ends there, and says so.
MAX_DAYS = 3650
_ENDLESS = 1e9

_DAYS = {"minute": 0, "min": 0, "hour": 0, "hr": 0, "day": 1, "week": 7, "wk": 7, "month": 30, "year": 365, "yr": 365}
_UNIT = r"(minutes?|mins?|hours?|hrs?|days?|weeks?|wks?|months?|years?|yrs?)"
_AMOUNT = re.compile(rf"(\d+(?:\.\d+)?)[\s-]*(?:to|-|–)?[\s-]*{_UNIT}\b", re.I)
_LISTED = re.compile(rf"{_UNIT}s?\s+((?:\d+(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*&\s*)?)+)", re.I)
_BEFORE_LIST = re.compile(rf"((?:\d+(?:\s*,\s*(?:and\s*)?|\s*and\s*))+\d+)[\s-]*{_UNIT}\b", re.I)


def days_of(frame: str) -> tuple[int, ...]:
    """The days that a time frame names, counted from its start; none where it names none.

    >>> days_of("Baseline, Week 1, 9 and 16"), days_of("Up to 12 months after first injection")
    ((7, 63, 112), (365,))
    >>> days_of("12 and 18 months"), days_of("until the end")
    ((365, 548), ())
    """
    found: set[int] = set()
    for match in _BEFORE_LIST.finditer(frame):
        found |= {_in_days(float(number), match[2]) for number in re.findall(r"\d+", match[1])}
    for match in _AMOUNT.finditer(frame):
        found.add(_in_days(float(match[1]), match[2]))
    for match in _LISTED.finditer(frame):
        found |= {_in_days(float(number), match[1]) for number in re.findall(r"\d+", match[2])}
    return tuple(sorted(min(day, MAX_DAYS) for day in found if day >= 0))[:24]


def _in_days(number: float, unit: str) -> int:
    """Whole days; a number that is no time, as one of hundreds of digits, is a very long one."""
    word, number = unit.lower().rstrip("s"), min(number, _ENDLESS)
    if word == "month":
        return round(number * 365 / 12)
    return round(number * _DAYS[word])


@dataclass(frozen=True, slots=True)
class Dosage:
    """What was read of a regimen: an amount, hours between doses, the days; each empty where it was not found."""

    dose: str = ""
    every: str = ""
    days: str = ""
    quote: str = ""

    @property
    def whole(self) -> bool:
        """Whether a line of a regimen can be written from it."""
        return bool(self.dose and self.every and self.days)


_DOSE = re.compile(
    r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)\s*(mcg|µg|μg|ug|mg|g|IU|mL|ml|units?)"
    r"(?:\s*/\s*(kg|m2|m²|m\^2))?(?![\w])",
    re.I,
)
_FOR = re.compile(rf"\b(?:for|duration(?: of)?|during|over|x)\s+(?:the first\s+)?(\d+)[\s-]*{_UNIT}\b", re.I)
_LAST = re.compile(r"\blast\s+(\d{1,4})\s+days\s+of\s+the\s+(\d{1,4})[\s-]*days?\b", re.I)
_BEFORE = re.compile(r"[.;:,()+]|\b(?:followed by|then|with|and|of|or|by|used|receives?|takes?|given|were|was)\b", re.I)
_ON_DAYS = re.compile(r"\bdays?\s+(\d{1,4})\s*(?:to|-|–|−|through)\s*(\d{1,4})\b", re.I)


def dosage_of(text: str) -> Dosage:
    """The first dose of a text with how often and on which days, where they are said.

    >>> dosage_of("estrogen Valerate tablets 3mg bid for 28 days")
    Dosage(dose='3 mg', every='12 h', days='1..28', quote='3mg bid for 28 days')
    """
    dose = _DOSE.search(text)
    return Dosage() if dose is None else _dosage_at(text, dose)


def lines_of(text: str) -> list[tuple[str, Dosage]]:
    """Every line of a regimen that a text says as a whole, with the name of what is given.

    >>> told = lines_of("estrogen 3mg bid for 28 days, then gestagen 10mg bid for the last 10 days of the 28 days")
    >>> [(drug, line.dose, line.days) for drug, line in told]
    [('estrogen', '3 mg', '1..28'), ('gestagen', '10 mg', '19..28')]
    """
    told = []
    for dose in _DOSE.finditer(text):
        words = _BEFORE.split(text[max(0, dose.start() - 120) : dose.start()])[-1]
        name, line = " ".join(words.split()[-4:]), _dosage_at(text, dose)
        if line.whole and re.search(r"[A-Za-z]{3}", name):
            told.append((name, line))
    return told


def _dosage_at(text: str, dose: re.Match[str]) -> Dosage:
    behind = text[dose.start() : dose.start() + 240]
    stop = re.search(r"[.;](?:\s|$)|\bfollowed by\b", behind)
    behind = behind[: stop.start()] if stop else behind
    code = _unit(dose[2], dose[3] or "")
    if not code:
        return Dosage()
    amount = f"{dose[1].replace(',', '')} {code}"
    found = sorted(
        ((match.start(), match, every) for pattern, every in _frequencies() if (match := pattern.search(behind))),
        key=lambda one: one[0],
    )
    every = found[0][2] if found else ""
    days, ends = "", [dose.end() - dose.start(), *(one[1].end() for one in found[:1])]
    spans = [(match.start(), match, how) for how in (_FOR, _LAST, _ON_DAYS) if (match := how.search(behind))]
    for _, match, how in sorted(spans, key=lambda one: one[0])[:1]:
        if how is _FOR:
            first, last = 1, _in_days(float(match[1]), match[2])
        elif how is _LAST:
            first, last = int(match[2]) - int(match[1]) + 1, int(match[2])
        else:
            first, last = int(match[1]), int(match[2])
        if 0 < first <= last <= MAX_DAYS:
            days = f"{first}..{last}"
            ends.append(match.end())
    return Dosage(amount, every, days, behind[: max(ends)])


@cache
def _frequencies() -> list[tuple[re.Pattern[str], str]]:
    told = words_of("regimens").items()
    return [(re.compile(rf"\b(?:{'|'.join(entry['is'])})(?![a-z])", re.I), every) for every, entry in told]


def cells_per_kg(text: str) -> str:
    """A dose of cells for each kilogram, as a plain number; empty where none is said.

    >>> cells_per_kg("15mL solution containing 1×10⁶ cells/kg hBMSCs")
    '1000000'
    """
    plain = text.translate(str.maketrans("×⁰¹²³⁴⁵⁶⁷⁸⁹", "x0123456789"))
    match = re.search(
        r"(?<![\d.])(\d{1,12}(?:\.\d{1,12})?)\s*(?:x|\*)\s*10\s*\^?\s*(\d{1,2})\s*(?:\w+\s+){0,3}(?:cells?)?\s*/\s*kg",
        plain,
        re.I,
    )
    if match is None or int(match[2]) > 12:
        return ""
    value = float(match[1]) * 10 ** int(match[2])
    return str(int(value)) if value == int(value) else ""


def _unit(amount: str, by: str) -> str:
    base = {
        "mcg": "ug",
        "µg": "ug",
        "μg": "ug",
        "ug": "ug",
        "mg": "mg",
        "g": "g",
        "iu": "[IU]",
        "ml": "mL",
        "unit": "U",
        "units": "U",
    }
    code = base[amount.lower()] + ("/kg" if by.lower() == "kg" else "/m2" if by else "")
    return code if units.unit(code) is not None else ""
