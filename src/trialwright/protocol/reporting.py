"""The rules of expedited reporting as packs, one file per jurisdiction under `packs/reporting/`, chosen by name.

A rule says who reports what to whom, by when, counted from what, while it is in force, on which basis, and how far
that basis was read. `trialwright.trial.clocks` applies them to an event.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from trialwright.core.finding import Refused, finding
from trialwright.protocol.document import Part
from trialwright.protocol.naming import nearest

_FIGURE = re.compile(r"([1-9]\d*) (hours|calendar days|working days)")

ReportableAs: TypeAlias = Literal[
    "any serious",
    "serious and related",
    "SUSAR",
    "SUSAR, fatal or life-threatening",
    "SUSAR, other",
    "process error",
    "pregnancy",
    "mandatory termination",
    "unexpected event",
    "urgent safety measure",
]
CountedFrom: TypeAlias = Literal[
    "investigator_awareness",
    "sponsor_awareness",
    "sponsor_determination",
    "committee_opinion",
    "handled",
    "happened",
    "report",
]
Verified: TypeAlias = Literal["read", "draft only", "secondary", "example", "from knowledge"]


class DeadlinePart(Part):
    """How long there is: a figure with its unit, `at once` where the text has no figure, `open` where nobody knows."""

    figure: int = 0
    unit: Literal["hours", "calendar days", "working days", "at once", "open"]

    def __str__(self) -> str:
        return f"{self.figure} {self.unit}" if self.figure else self.unit


def _as_deadline(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value in ("at once", "open"):
        return {"unit": value}
    match = _FIGURE.fullmatch(value)
    if match is None:
        raise ValueError(f"{value!r} is not a deadline like `7 calendar days`, `24 hours`, `at once` or `open`")
    return {"figure": int(match[1]), "unit": match[2]}


Deadline: TypeAlias = Annotated[DeadlinePart, BeforeValidator(_as_deadline, json_schema_input_type=str)]


class Rule(Part):
    """One duty to report."""

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    event: ReportableAs
    what: str
    who: str
    to_whom: str
    deadline: Deadline
    counted_from: CountedFrom
    report_of: str = Field(default="", description="The rule whose report it is counted from.")
    from_: date | None = Field(default=None, alias="from", description="First day of awareness it governs.")
    until: date | None = Field(default=None, description="Last day of awareness it governs.")
    basis: str = Field(min_length=1, description="Article.")
    verified: Verified = Field(description="How far the basis was read; the weakest of figure and start.")
    assumption: str = Field(default="", description="What this rule reads into the text.")
    open: str = Field(default="", description="The question that nobody has answered yet.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.counted_from == "report") != bool(self.report_of):
            raise ValueError(f'{self.id}: `report_of` goes with `counted_from = "report"`')
        if self.deadline.unit == "open" and not self.open:
            raise ValueError(f"{self.id}: an open deadline needs its question in `open`")
        if self.from_ and self.until and self.until < self.from_:
            raise ValueError(f"{self.id}: it ends before it begins")
        return self


class Pack(Part):
    """The rules of one jurisdiction or site."""

    name: str
    title: str
    scope: str = Field(description="Which trials it is for.")
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        seen: set[str] = set()
        for rule in self.rules:
            if rule.id in seen:
                raise ValueError(f"the rule {rule.id} stands twice")
            if rule.report_of and rule.report_of not in seen:
                raise ValueError(f"{rule.id} is counted from {rule.report_of}, which must stand before it")
            seen.add(rule.id)
        return self


def pack_names() -> tuple[str, ...]:
    """Every pack that may be chosen.

    >>> pack_names()[:2]
    ('china_decree_818', 'china_drug_gcp')
    """
    files = _folder().iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


@cache
def pack(name: str) -> Pack:
    """The pack of a name; `Refused` with the nearest name where there is none."""
    if name not in pack_names():
        names = pack_names()
        raise Refused(finding("pack_unknown", name=name, nearest=nearest(name, names), names=", ".join(names)))
    return Pack.model_validate({"name": name} | tomllib.loads((_folder() / f"{name}.toml").read_text("utf-8")))


def cited(rule: Rule) -> str:
    """The basis as it is printed: what was not read in the text itself says so.

    >>> cited(pack("ich").rules[0])
    'ICH E2A, rapid notification of fatal or life-threatening unexpected reactions [secondary]'
    """
    return rule.basis if rule.verified == "read" else f"{rule.basis} [{rule.verified}]"


#: What a print says of a rule whose text was not read.
CAVEATS: dict[Verified, str] = {
    "read": "",
    "draft only": "Only a draft of this rule was read; the text in force may differ.",
    "secondary": "This rule is known from secondary sources; its own text was not read.",
    "example": "This rule is an example of a site's procedure; put the site's own in its place.",
    "from knowledge": "This rule is written from knowledge; check the wording before relying on it.",
}


def _folder() -> Traversable:
    return resources.files("trialwright.protocol") / "packs" / "reporting"
