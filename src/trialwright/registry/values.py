"""The shapes of values: dates, ages, counts, and the words that registries use, as API v2 writes them."""

from __future__ import annotations

import re
from datetime import date
from functools import cache, lru_cache

from trialwright.registry.shape import WORDS

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" if month != "may" else "may" for month in _MONTHS) + "|sept"
_DATES = (
    re.compile(r"(?P<y>\d{4})(?:[-/.](?P<m>\d{1,2})(?:[-/.](?P<d>\d{1,2}))?)?(?:T[\d:.]+Z?)?"),
    re.compile(rf"(?P<n>{_MONTH})\.?\s+(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+)?(?P<y>\d{{4}})", re.IGNORECASE),
    re.compile(rf"(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[\s.-]+)?(?P<n>{_MONTH})\.?,?[\s-]+(?P<y>\d{{4}})", re.IGNORECASE),
    re.compile(r"(?P<d>\d{1,2})[./](?P<m>\d{1,2})[./](?P<y>\d{4})"),
)
_ISO = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?")
_AGE = re.compile(
    r"(?P<n>\d{1,3}(?:\.\d)?)[\s-]*(?P<u>years?|yrs?|months?|weeks?|days?|hours?|minutes?)(?:\s*old)?"
    r"(?:\s+(?:and|or)\s+(?:older|above|over|younger))?",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"(?:(?:actual|estimated|anticipated)\s*:?\s*)?(?P<n>\d{1,3}(?:,\d{3})+|\d{1,7})\s*"
    r"(?:participants?|patients?|subjects?|people|volunteers?)?",
    re.IGNORECASE,
)
_MARK = re.compile(r"\s*[\[(]?\b(actual|estimated|anticipated|estimate)\b[\])]?\s*", re.IGNORECASE)
_NOTHING = {
    "", "-", "--", "—", "–", "n/a", "none", "null", "not specified", "not available", "not provided", "not reported",
    "no limit", "no maximum", "no minimum", "no age limit", "[not specified]", "undefined", "nan", "not stated",
    "none provided", "no data", "not applicable (none)", "unspecified", "no maximum age", "no minimum age",
}  # fmt: skip
#: Words for the lists of API v2 that are not the word itself with blanks and other letters.
_ALSO: dict[str, dict[str, str]] = {
    "Status": {
        "ACTIVE": "ACTIVE_NOT_RECRUITING", "UNKNOWN_STATUS": "UNKNOWN", "APPROVED": "APPROVED_FOR_MARKETING",
        "OPEN_TO_ENROLLMENT": "RECRUITING", "ENROLLING": "RECRUITING", "NOT_YET_OPEN": "NOT_YET_RECRUITING",
    },
    "Phase": {
        "NOT_APPLICABLE": "NA", "N_A": "NA", "EARLY_PHASE_1": "EARLY_PHASE1", "PHASE_0": "EARLY_PHASE1",
        **{f"PHASE_{n}": f"PHASE{n}" for n in "1234"},
        **{f"PHASE_{word}": f"PHASE{n}" for n, word in enumerate(("I", "II", "III", "IV"), 1)},
    },
    "StudyType": {"EXPANDED_ACCESS_PROGRAM": "EXPANDED_ACCESS", "OBSERVATIONAL_PATIENT_REGISTRY": "OBSERVATIONAL"},
    "DesignAllocation": {
        "N_A": "NA", "NOT_APPLICABLE": "NA", "NONRANDOMIZED": "NON_RANDOMIZED", "RANDOMISED": "RANDOMIZED",
        "NON_RANDOMISED": "NON_RANDOMIZED", "NOT_RANDOMIZED": "NON_RANDOMIZED",
        "RANDOMIZED_CONTROLLED_TRIAL": "RANDOMIZED",
    },
    "InterventionalAssignment": {
        "SINGLE_GROUP_ASSIGNMENT": "SINGLE_GROUP", "PARALLEL_ASSIGNMENT": "PARALLEL", "CROSS_OVER": "CROSSOVER",
        "CROSSOVER_ASSIGNMENT": "CROSSOVER", "FACTORIAL_ASSIGNMENT": "FACTORIAL", "SINGLE_ARM": "SINGLE_GROUP",
        "SEQUENTIAL_ASSIGNMENT": "SEQUENTIAL", "PARALLEL_GROUP": "PARALLEL", "CROSS_OVER_ASSIGNMENT": "CROSSOVER",
        "PARALLEL_GROUPS": "PARALLEL",
    },
    "PrimaryPurpose": {"EDUCATIONAL_COUNSELING_TRAINING": "ECT"},
    "DesignMasking": {
        "NONE_OPEN_LABEL": "NONE", "OPEN_LABEL": "NONE", "OPEN": "NONE", "NO_MASKING": "NONE", "UNMASKED": "NONE",
        "SINGLE_BLIND": "SINGLE", "DOUBLE_BLIND": "DOUBLE", "TRIPLE_BLIND": "TRIPLE", "QUADRUPLE_BLIND": "QUADRUPLE",
        "SINGLE_MASKED": "SINGLE", "DOUBLE_MASKED": "DOUBLE", "NONE_OPEN": "NONE",
    },
    "WhoMasked": {"SUBJECT": "PARTICIPANT", "CAREGIVER": "CARE_PROVIDER", "OUTCOME_ASSESSOR": "OUTCOMES_ASSESSOR"},
    "Sex": {
        "BOTH": "ALL", "WOMEN": "FEMALE", "MEN": "MALE", "FEMALES": "FEMALE", "MALES": "MALE", "FEMALE_ONLY": "FEMALE",
        "MALE_ONLY": "MALE", "MALE_AND_FEMALE": "ALL", "MALE_FEMALE": "ALL", "ANY": "ALL",
        "BOTH_MALES_AND_FEMALES": "ALL",
    },
    "AgencyClass": {"U_S_FED": "FED", "INDIVIDUAL": "INDIV", "FEDERAL": "FED", "OTHER_GOVERNMENT": "OTHER_GOV"},
    "InterventionType": {"BIOLOGICAL_VACCINE": "BIOLOGICAL", "BEHAVIOURAL": "BEHAVIORAL"},
    "ArmGroupType": {"ACTIVE": "ACTIVE_COMPARATOR", "PLACEBO": "PLACEBO_COMPARATOR", "SHAM": "SHAM_COMPARATOR"},
    "DateType": {"ANTICIPATED": "ESTIMATED", "ESTIMATE": "ESTIMATED"},
    "EnrollmentType": {"ANTICIPATED": "ESTIMATED", "ESTIMATE": "ESTIMATED"},
    "ObservationalModel": {"CASE_CONTROL_STUDY": "CASE_CONTROL"},
    "IpdSharing": {"UNDECIDED_": "UNDECIDED"},
}  # fmt: skip


def word(kind: str, text: str) -> str | None:
    """The word of a list of API v2 that a text writes in its own way, or None.

    >>> word("InterventionalAssignment", "Parallel Assignment"), word("DesignMasking", "None (Open Label)")
    ('PARALLEL', 'NONE')
    """
    if len(text) > 80:
        return None
    plain = re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_")
    if plain in WORDS[kind]:
        return plain
    if (also := _ALSO.get(kind, {}).get(plain)) is not None:
        return also
    solid = plain.replace("_", "")
    return _solid(kind).get(solid)


@cache
def _solid(kind: str) -> dict[str, str]:
    return {each.replace("_", ""): each for each in WORDS[kind]}


def phases(text: str) -> list[str] | None:
    """The phases that a text names: `Phase 1/Phase 2`, `PHASE1, PHASE2`, `Phase I/II`."""
    found: list[str] = []
    for part in re.split(r"\s*(?:[/|,;&]|\band\b)\s*", text) if text.upper() not in ("N/A", "NA") else [text]:
        phase = word("Phase", part) or (word("Phase", f"Phase {part}") if found else None)
        if phase is None:
            return None
        found.append(phase)
    return found or None


def as_date(text: str) -> str | None:
    """A date in ISO form, as exact as the text is; None where it is none, or could be two.

    >>> as_date("June 5, 2022"), as_date("March 2016"), as_date("05/06/2022"), as_date("25/06/2022")
    ('2022-06-05', '2016-03', None, '2022-06-25')
    """
    plain = _MARK.sub("", text.strip()).strip(" ,.;")
    if len(plain) > 40:
        return None
    for pattern in _DATES:
        if (found := pattern.fullmatch(plain)) is None:
            continue
        parts = found.groupdict()
        if parts.get("n"):
            month = next(n for n, name in enumerate(_MONTHS, 1) if name.startswith(parts["n"].lower()[:3]))
        else:
            month = int(parts["m"]) if parts.get("m") else 0
        day = int(parts["d"]) if parts.get("d") else 0
        if pattern is _DATES[3] and day <= 12 and month <= 12 and day != month:
            return None
        if pattern is _DATES[3] and month > 12:
            day, month = month, day
        return _iso(int(parts["y"]), month, day)
    return None


def _iso(year: int, month: int, day: int) -> str | None:
    if not 1900 <= year <= 2200:
        return None
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return None
    return f"{year:04}" + (f"-{month:02}" if month else "") + (f"-{day:02}" if day else "")


@lru_cache(maxsize=20_000)  # the days of fifty years: records name the same ones over and over
def is_date(text: str, partial: bool) -> bool:
    """Whether a text is an ISO date already; a partial one may leave out the day, or day and month."""
    if not _ISO.fullmatch(text) or (not partial and len(text) != 10):
        return False
    return _iso(int(text[:4]), int(text[5:7] or 0), int(text[8:] or 0)) == text


def date_kind(text: str) -> str | None:
    """Whether a date or a count says that it is ACTUAL or ESTIMATED."""
    found = _MARK.search(text)
    return word("DateType", found[1]) if found else None


def age(text: str) -> str | None:
    """An age as the registry writes it, `18 Years`; None where the text is none."""
    if (found := _AGE.fullmatch(text.strip().rstrip("."))) is None:
        return None
    unit = found["u"].lower().rstrip("s").replace("yr", "year").capitalize()
    number = found["n"].lstrip("0") or "0"
    return f"{number} {unit}" + ("" if number == "1" else "s")


_PER_YEAR = {"year": 1.0, "month": 12.0, "week": 365.25 / 7, "day": 365.25, "hour": 8766.0, "minute": 525960.0}


def in_years(text: str) -> float | None:
    """An age in years; None where the text is no age.

    >>> in_years("18 Years"), in_years("6 Months"), in_years("Eighteen")
    (18.0, 0.5, None)
    """
    if (found := age(text)) is None:
        return None
    number, unit = found.split()
    return float(number) / _PER_YEAR[unit.lower().rstrip("s")]


def count(text: str) -> int | None:
    """A number of participants."""
    found = _COUNT.fullmatch(_MARK.sub(" ", text).strip())
    return int(found["n"].replace(",", "")) if found else None


def yes_no(text: str) -> bool | None:
    """Whether a text says yes or no."""
    plain = text.strip().lower().rstrip(".")
    if plain in ("yes", "true", "y"):
        return True
    return False if plain in ("no", "false", "n") else None


def is_nothing(text: str) -> bool:
    """Whether a text only says that nothing stands here: `N/A`, `None`, `Not specified`."""
    return text.strip().strip(".").lower() in _NOTHING
