"""Fields of forms, made from the protocol's items: what may be typed, in which units, and what was wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

from django.utils.translation import gettext as _

from trialwright.core import units
from trialwright.core.finding import Finding
from trialwright.core.interval import Interval, plain
from trialwright.core.units import COUNT
from trialwright.language.vocabulary import Item
from trialwright.protocol.protocol import Limits

#: Units in which laboratories report, offered where the item's own unit can be computed from them.
_REPORTED = (
    "kg",
    "g",
    "[lb_av]",
    "cm",
    "m",
    "mm",
    "[in_i]",
    "ng/mL",
    "ng/dL",
    "pg/mL",
    "ug/L",
    "ng/L",
    "nmol/L",
    "pmol/L",
    "[IU]/L",
    "m[IU]/mL",
    "g/L",
    "g/dL",
    "10*9/L",
    "10*3/uL",
    "mL",
    "L",
    "uL",
    "Cel",
    "[degF]",
    "%",
    "h",
    "min",
    "10*6",
    "[EU]/mL",
)
#: How a unit is written for people; what is not here is written as it is.
_SHOWN = {
    "[IU]/L": "IU/L",
    "m[IU]/mL": "mIU/mL",
    "Cel": "°C",
    "[degF]": "°F",
    "ug/L": "µg/L",
    "10*9/L": "10⁹/L",
    "10*3/uL": "10³/µL",
    "10*6": "million",
    "[lb_av]": "lb",
    "[in_i]": "in",
    "[EU]/mL": "EU/mL",
    "uL": "µL",
    "10*6/mL": "million/mL",
}
#: Answers that many protocols share, and that a page shows in the reader's language; other ones stand as they are.
ANSWERS = (
    *("yes", "no", "female", "male", "negative", "positive", "indeterminate", "normal", "abnormal", "none"),
    *("mild", "moderate", "severe", "resolved", "ongoing", "fatal", "left", "right", "other"),
)
#: Values that mean that nothing was typed.
NOT_DONE = "not_done"


@dataclass(slots=True)
class Field:
    """One field as a page shows it."""

    name: str
    label: str
    kind: str
    help: str = ""
    value: str = ""
    unit: str = ""
    units: tuple[tuple[str, str], ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    attributes: list[Field] = field(default_factory=list)
    normal: tuple[str, str] | None = None  # the two ends of the reference range, where one is asked for
    day: str = ""
    not_done: str = ""
    may_be_not_done: bool = False
    recorded: list[tuple[str, int]] = field(default_factory=list)  # as it reads, and the number of its entry
    locked: str = ""  # the role that alone may answer, where it is another one
    refused: list[Finding] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    folded: bool = False

    @property
    def id(self) -> str:
        """The name as the identity of an element."""
        return self.name.replace(".", "-").replace(":", "-").replace("~", "-")


def field_of(name: str, label: str, item: Item, limits: Limits) -> Field:
    """The field of an item; `limits` say what is asked about and what is refused."""
    made = Field(name, label, item.kind, _help(item, limits))
    match item.kind:
        case "category":
            made.choices = tuple((one, one.replace("_", " ")) for one in item.categories)
        case "yes_no" | "attestation":
            made.choices = (("yes", "yes"), ("no", "no"))
        case "quantity" | "count":
            made.units = units_for(item)
            made.unit = item.unit.code if made.units else ""
        case _:
            pass
    for attribute, one in item.attributes.items():
        made.attributes.append(field_of(f"{name}~{attribute}", attribute.replace("_", " "), one, Limits()))
    return made


def units_for(item: Item) -> tuple[tuple[str, str], ...]:
    """The units that may be chosen for an item, its own first; none for a mere count."""
    return _units_for(item.unit, item.molar_mass)


@cache
def _units_for(own: units.Unit, molar_mass: Fraction | None) -> tuple[tuple[str, str], ...]:
    if own == COUNT:
        return ()
    codes = [own.code]
    for code in _REPORTED:
        other = units.unit(code)
        if other is None or code in codes:
            continue
        try:
            units.factor(other, own, molar_mass)
        except ValueError:
            continue
        codes.append(code)
    return tuple((code, _SHOWN.get(code, code)) for code in codes)


def shown_unit(code: str) -> str:
    """A unit as people write it."""
    return "" if code == "1" else _SHOWN.get(code, code)


def typed(made: Field, told: Mapping[str, str]) -> str:
    """What was typed into a field, with its unit, as the gate reads it; and the field keeps it."""
    made.value = told.get(made.name, "").strip()
    made.unit = told.get(f"{made.name}~unit", made.unit)
    made.not_done = told.get(f"{made.name}~not_done", "").strip()
    made.day = told.get(f"{made.name}~day", "").strip()
    if made.normal is not None:
        made.normal = (told.get(f"{made.name}~low", "").strip(), told.get(f"{made.name}~high", "").strip())
    for attribute in made.attributes:
        typed(attribute, told)
    return with_unit(made, made.value)


def with_unit(made: Field, text: str) -> str:
    """A number with the chosen unit, unless a unit was typed behind it."""
    alone = bool(text) and (text[-1].isdigit() or text[-1] == ".")
    return f"{text} {made.unit}" if made.units and made.unit and alone else text


def _help(item: Item, limits: Limits) -> str:
    if item.kind == "date":
        return str(_("A day, a month or a year: 1994-05-17, 1994-05 or 1994"))
    if item.kind not in ("quantity", "count"):
        return ""
    unit = shown_unit(item.unit.code)
    if limits.plausible is not None:
        return _ends(_("Usually %(low)s to %(high)s %(unit)s"), limits.plausible, unit)
    if limits.possible is not None:
        return _ends(_("%(low)s to %(high)s %(unit)s"), limits.possible, unit)
    return ""


def _ends(text: str, between: Interval, unit: str) -> str:
    return str(text % {"low": plain(between.low), "high": plain(between.high), "unit": unit}).strip()
