"""The words of criteria, as data: what is measured, diagnosed, counted and judged, and how records call it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, TypeAlias

from trialwright.protocol.document import ItemPart

Sex: TypeAlias = Literal["female", "male", ""]

#: Keys of an item of the lexicon that are not an item's of a protocol.
_OWN = ("words", "typical", "normal", "attributes", "spread", "stands_for", "days", "months", "weeks", "history")
_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MEDICAL_HISTORY = "no in medical_history"


@dataclass(frozen=True, slots=True)
class Judged:
    """A pattern of words that only a person can judge, and the attestation that answers it.

    `own`: its label is the criterion itself. `kind`: only of a criterion that includes, or excludes.
    """

    name: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    label: Mapping[str, str]
    own: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Everything that the reader of criteria knows by name.

    `phrases` matches any known phrase; `meaning` gives for its plain form the kind of token and what it stands for.
    """

    items: Mapping[str, Mapping[str, Any]]
    conditions: Mapping[str, Mapping[str, Any]]
    records: Mapping[str, Mapping[str, Any]]
    judged: tuple[Judged, ...]
    phrases: re.Pattern[str]
    meaning: Mapping[str, tuple[str, str]]
    units: re.Pattern[str]
    unit_of: Mapping[str, str]
    diagnosis: re.Pattern[str]
    exception: re.Pattern[str]


@cache
def lexicon() -> Lexicon:
    """The lexicon of the package."""
    files = {name: words_of(name) for name in ("items", "conditions", "records", "phrases", "units")}
    words = files["phrases"]
    meaning: dict[str, tuple[str, str]] = {}
    for kind, value, phrase in _phrases(files):
        meaning.setdefault(plain(phrase), (kind, value))
    alternatives = sorted(meaning, key=len, reverse=True)
    phrases = re.compile("|".join(_pattern(phrase) for phrase in alternatives), re.IGNORECASE)
    unit_of = {_tight(text): code for code, texts in files["units"].items() for text in texts}
    units = re.compile(
        "|".join(
            r"\s*".join(map(re.escape, text)) + r"(?![A-Za-z0-9])" for text in sorted(unit_of, key=len, reverse=True)
        ),
        re.IGNORECASE,
    )
    before = "|".join(_pattern(phrase) for phrase in sorted(words["diagnosis"]["before"], key=len, reverse=True))
    behind = "|".join(re.escape(word) for word in words["diagnosis"]["behind"])
    return Lexicon(
        files["items"],
        files["conditions"],
        files["records"],
        tuple(
            Judged(
                one["name"],
                re.compile(one["is"], re.I),
                re.compile(one["unless"], re.I) if "unless" in one else None,
                one["label"],
                bool(one.get("own")),
                one.get("kind", ""),
            )
            for one in words["judged"]
        ),
        phrases,
        meaning,
        units,
        unit_of,
        re.compile(rf"^\W*(?:{before})|(?:{behind})\W*(?:\([^)]*\))?\W*$", re.I),
        re.compile(
            "|".join(_pattern(phrase) for phrase in sorted(words["words"]["exception"], key=len, reverse=True)), re.I
        ),
    )


def part_of(name: str) -> dict[str, Any]:
    """The item of the lexicon as it may stand in a protocol; for a condition one that is answered yes or no."""
    known = lexicon()
    if name in known.items:
        return {key: value for key, value in known.items[name].items() if key not in _OWN}
    entry = known.conditions[name]
    part: dict[str, Any] = {"is": "yes_no", "label": dict(entry["label"])}
    if entry.get("history", True):
        part["absent"] = _MEDICAL_HISTORY
    return part


def record_part(name: str) -> dict[str, Any]:
    """The kind of record of the lexicon as it may stand in a protocol."""
    entry = lexicon().records[name]
    return {"label": dict(entry["label"]), "fields": {key: dict(part) for key, part in entry.get("fields", {}).items()}}


def parsed_part(part: Mapping[str, Any]) -> ItemPart:
    """The same as a part of a document."""
    return ItemPart.model_validate(part)


def plain(phrase: str) -> str:
    """A phrase as it is looked up: lower case, one blank between words, no dash."""
    return " ".join(phrase.lower().replace("-", " ").split())


def unit_in(text: str) -> str:
    """The UCUM unit of what `Lexicon.units` matched.

    >>> unit_in("mg / dl")
    'mg/dL'
    """
    return lexicon().unit_of[_tight(text)]


def _tight(text: str) -> str:
    return "".join(text.lower().split())


@cache
def words_of(name: str) -> dict[str, Any]:
    """A file of the lexicon, as it stands."""
    folder = resources.files("trialwright.registry") / "lexicon"
    return tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))


def _pattern(phrase: str) -> str:
    """A phrase as whole words; a blank also stands for a dash or a line end."""
    parts = plain(phrase).split(" ")
    inner = r"[\s-]+".join(map(re.escape, parts))
    start = r"(?<![A-Za-z0-9])" if phrase[:1].isalnum() else ""
    return (
        start
        + inner
        + (r"(?![A-Za-z])" if phrase[-1:].isalpha() else r"(?![A-Za-z0-9])" if phrase[-1:].isdigit() else "")
    )


def _phrases(files: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Kind of token, what it stands for, and the phrase; where a phrase comes twice, the first counts."""
    words, window = files["phrases"]["words"], files["phrases"]["window"]
    for name, entry in files["items"].items():
        yield from (("ITEM", name, phrase) for phrase in entry["words"])
    for name, entry in files["records"].items():
        yield from (("RECORD", name, phrase) for phrase in entry["words"])
        for field, phrases in entry.get("measures", {}).items():
            yield from (("FIELD", f"{name}.{field}", f"due to {phrase}") for phrase in phrases)
        for field, phrases in entry.get("counts", {}).items():
            yield from (("COUNTED", f"{name}.{field}", phrase) for phrase in phrases)
        for category, phrases in entry.get("categories", {}).items():
            yield from (("CATEGORY", category, phrase) for phrase in phrases)
    for name, entry in files["conditions"].items():
        yield from (("COND", name, phrase) for phrase in entry["words"])
    for operator, phrases in files["phrases"]["compare"].items():
        yield from (("CMP", operator, phrase) for phrase in phrases)
    for operator, phrases in files["phrases"]["after"].items():
        yield from (("AFTER", operator, phrase) for phrase in phrases)
    yield from (("WITHIN", "", phrase) for phrase in window["within"])
    yield from (("LASTING", "", phrase) for phrase in window["lasting"])
    for kind in ("event", "treatment"):
        yield from ((kind.upper(), name, f"{before} {name}") for before in window["before"] for name in window[kind])
    for kind in (
        "normal",
        "outside",
        "negative",
        "positive",
        "abnormal",
        "between",
        "to",
        "partner",
        "consecutive",
        "failing",
        "example",
    ):
        yield from ((kind.upper(), kind, phrase) for phrase in words[kind])
    yield from (("YEARS", "years", phrase) for phrase in words["age_years"])
    yield from (("CYCLE", "cycle_day", phrase) for phrase in words["cycle_days"])
    for kind in ("or", "and", "not"):
        yield from ((kind.upper(), kind, phrase) for phrase in words[kind])
    for number, word in enumerate(_NUMBERS, 2):
        yield "NUM", str(number), word
    for word in ("year", "month", "week", "day", "hour"):
        yield "CAL", f"{word}s", word
        yield "CAL", f"{word}s", f"{word}s"
    yield from (("CAL", "years", word) for word in ("yrs", "yr"))
    yield from (("GRADE", plain(phrase), phrase) for phrase in files["phrases"]["grade"])
    yield from (("ONE_SEX", phrase, phrase) for phrase in files["phrases"]["one_sex"])
    yield from (("FILL", "", phrase) for phrase in files["phrases"]["fill"])
