"""Units of measurement: a closed table of UCUM units with exact scales, and conversion between them.

Calendar words (days, months, years) are not units. `[EU]` is the endotoxin unit here; UCUM gives the same
letters to the Ehrlich unit, which no trial uses any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from trialwright.core import unit_table
from trialwright.core.interval import ARITHMETIC, plain

#: The exponents of `Unit.dimension` stand for these; [IU] and [EU] measure nothing but themselves.
BASES: tuple[str, ...] = unit_table.BASES


@dataclass(frozen=True, slots=True)
class Unit:
    """A UCUM code with its exponents over `BASES`: `value * scale + offset` is in coherent base units.

    >>> unit("ng/mL")
    Unit(code='ng/mL', dimension=(-3, 1, 0, 0, 0, 0, 0), scale=Fraction(1, 1000), offset=Fraction(0, 1))
    """

    code: str
    dimension: tuple[int, ...]
    scale: Fraction
    offset: Fraction = Fraction(0)

    def __hash__(self) -> int:
        return hash(self.code)  # hashing fractions would take longer than what is looked up by a unit

    def __str__(self) -> str:
        return self.code


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value with its unit.

    >>> print(Quantity(Decimal("5.80"), unit("mm")))
    5.8 mm
    """

    value: Decimal
    unit: Unit

    def __str__(self) -> str:
        return plain(self.value) if self.unit.code == "1" else f"{plain(self.value)} {self.unit.code}"


_OFFSETS = {code: Fraction(*offset) for code, offset in unit_table.OFFSETS.items()}
_ZERO = Fraction(0)
_TABLE = {
    code: Unit(code, dimension, Fraction(numerator, denominator), _OFFSETS.get(code, _ZERO))
    for code, dimension, numerator, denominator in unit_table.UNITS
}

#: A number without a unit is a count.
COUNT = _TABLE["1"]
_GRAM, _MOLE = BASES.index("g"), BASES.index("mol")


def unit(code: str) -> Unit | None:
    """The unit with this code, or None; an annotation in braces counts as 1.

    >>> unit("{cells}/kg").scale, unit("IU/L")
    (Fraction(1, 1000), None)
    """
    found = _TABLE.get(code)
    if found is not None or "{" not in code or re.fullmatch(_ANNOTATED, code) is None:
        return found
    bare = _TABLE.get(_without_annotations(code))
    return None if bare is None else Unit(code, bare.dimension, bare.scale, bare.offset)


_ANNOTATED = r"[^\s{}]*(\{[!-z|~]*\}[^\s{}]*)+"  # UCUM: printable ASCII, not nested


def _without_annotations(code: str) -> str:
    bare = re.sub(r"(?<![./}])(?<!^)\{[^}]*\}", "", code)  # it only describes the unit before it
    bare = re.sub(r"\{[^}]*\}", "1", bare)
    bare = re.sub(r"[./]1(?=[./]|$)", "", bare)
    return re.sub(r"^1(?:\.(?=.)|(?=/))", "", bare)


def known_units() -> tuple[str, ...]:
    """Every code of the table."""
    return tuple(_TABLE)


def product(a: Unit, b: Unit) -> Unit:
    """The unit of a product; a ValueError for a temperature with an offset.

    >>> print(product(unit("mg/kg"), unit("kg")))
    mg
    """
    return _compose(a, b, 1)


def quotient(a: Unit, b: Unit) -> Unit:
    """The unit of a quotient; a ValueError for a temperature with an offset.

    >>> print(quotient(unit("10*6"), unit("kg")))
    10*6/kg
    """
    return _compose(a, b, -1)


def power(a: Unit, n: int) -> Unit:
    """The unit multiplied n times with itself; a ValueError for a temperature with an offset."""
    return _compose(COUNT, a, n)


def _compose(a: Unit, b: Unit, n: int) -> Unit:
    for each in (a, b):
        if each.offset:
            raise ValueError(f"{each.code} starts from a zero of its own and cannot be multiplied; use K")
    exponents = _terms(a.code)
    for symbol, exponent in _terms(b.code).items():
        exponents[symbol] = exponents.get(symbol, 0) + n * exponent
    dimension = tuple(x + n * y for x, y in zip(a.dimension, b.dimension, strict=True))
    return Unit(_code(exponents), dimension, a.scale * b.scale**n)


_TERM = r"([./]?)(10\*|(?:\[[^\]]*\]|\{[^}]*\}|[^./0-9\[{+-])+|1(?![0-9]))([+-]?\d+)?"


def _terms(code: str) -> dict[str, int]:
    exponents: dict[str, int] = {}
    for operator, symbol, exponent in re.findall(_TERM, code):
        if symbol != "1":
            n = int(exponent or 1) * (-1 if operator == "/" else 1)
            exponents[symbol] = exponents.get(symbol, 0) + n
    return exponents


def _code(exponents: dict[str, int]) -> str:
    above = [_term(symbol, n) for symbol, n in exponents.items() if n > 0]
    below = ["/" + _term(symbol, -n) for symbol, n in exponents.items() if n < 0]
    return ".".join(above) + "".join(below) or "1"


def _term(symbol: str, n: int) -> str:
    if symbol == "10*":
        return f"10*{n}"
    return symbol if n == 1 else f"{symbol}{n}"


def same_dimension(a: Unit, b: Unit) -> bool:
    """Whether values in the two units can be compared."""
    return a.dimension == b.dimension


def factor(source: Unit, target: Unit, molar_mass: Fraction | None = None) -> tuple[Fraction, Fraction]:
    """The pair (scale, offset) with `target = source * scale + offset`; a ValueError where there is none.

    A molar mass in g/mol joins a mass to an amount of that substance.

    >>> factor(unit("ng/mL"), unit("pmol/L"), Fraction(140_000))  # AMH
    (Fraction(50, 7), Fraction(0, 1))
    """
    scale = source.scale / target.scale
    if same_dimension(source, target):
        return scale, (source.offset - target.offset) / target.scale
    direction = _mass_to_amount(source, target)
    if direction == 0:
        raise ValueError(f"{source.code} and {target.code} measure different things")
    if molar_mass is None:
        raise ValueError(f"{source.code} becomes {target.code} only with the molar mass of the substance")
    if molar_mass <= 0:
        raise ValueError(f"a molar mass is above zero, not {molar_mass} g/mol")
    return scale / molar_mass**direction, _ZERO


def _mass_to_amount(source: Unit, target: Unit) -> int:
    """1 from mass to amount, -1 from amount to mass, 0 if the units differ in anything else."""

    def kind(dimension: tuple[int, ...]) -> tuple[int, int]:
        return dimension[_GRAM], dimension[_MOLE]

    def rest(dimension: tuple[int, ...]) -> list[int]:
        return [n for base, n in enumerate(dimension) if base not in (_GRAM, _MOLE)]

    if rest(source.dimension) != rest(target.dimension):
        return 0
    kinds = kind(source.dimension), kind(target.dimension)
    return {((1, 0), (0, 1)): 1, ((0, 1), (1, 0)): -1}.get(kinds, 0)


def convert(value: Decimal, source: Unit, target: Unit, molar_mass: Fraction | None = None) -> Decimal:
    """The value in another unit, rounded once to 34 digits; exact where a decimal of that length exists.

    Infinite stays infinite. A ValueError for units that do not convert, for NaN, and for a value with an
    exponent beyond ±999, which no measurement has.

    >>> convert(Decimal("1.10"), unit("ng/mL"), unit("pmol/L"), Fraction(140_000))
    Decimal('7.857142857142857142857142857142857')
    """
    scale, offset = factor(source, target, molar_mass)
    if value.is_nan():
        raise ValueError("an undefined value has no unit")
    if value.is_infinite() or (scale == 1 and not offset):
        return value
    if value and abs(value.adjusted()) > 999:
        raise ValueError(f"{value} {source.code} is not a measurement")
    exact = Fraction(value) * scale + offset
    return ARITHMETIC.divide(Decimal(exact.numerator), Decimal(exact.denominator))


def understood(typed: str) -> Unit | None:
    """The unit that was typed: a UCUM code, or one of the spellings that can mean nothing else; None for a guess.

    >>> [str(understood(text)) for text in ("IU/L", "x10^9/L", "kg/m²", "cells/uL", "mmHg", "µg/L")]
    ['[IU]/L', '10*9/L', 'kg/m2', '/uL', 'mm[Hg]', 'ug/L']
    """
    found = unit(typed)
    if found is not None:
        return found
    text = typed.translate(_SUPERSCRIPTS)
    for pattern, replacement in _CERTAIN_SPELLINGS:
        text = re.sub(pattern, replacement, text)
    return unit(text) or unit(_of_a_count(text))


def nearest_unit(code: str) -> str | None:
    """The code that was probably meant, or None; for messages only, never to convert.

    >>> nearest_unit("IU/L"), nearest_unit("x10^9/L"), nearest_unit("months")
    ('[IU]/L', '10*9/L', None)
    """
    typed = code.strip()
    if typed.casefold() in _CALENDAR or not typed:
        return None
    for guess in (_ALIASES.get(typed), _spelled(typed)):
        if guess is not None and unit(guess) is not None:
            return guess
    from difflib import get_close_matches  # only a slip pays for it

    close = get_close_matches(_spelled(typed), _TABLE, n=1, cutoff=0.8)
    return close[0] if close else None


_CALENDAR = frozenset(
    {word + end for word in ("day", "week", "month", "year") for end in ("", "s")}
    | {"mo", "wk", "yr", "yrs", "a", "y", "天", "日", "周", "月", "年", "岁"}
)

_ALIASES = {
    "G/L": "10*9/L",
    "T/L": "10*12/L",
    "percent": "%",
    "pct": "%",
    "％": "%",
    "g%": "g/dL",
    "mg%": "mg/dL",
    "cc": "mL",
    "℃": "Cel",
    "°C": "Cel",
    "degC": "Cel",
    "C": "Cel",
    "K/uL": "10*3/uL",
    "k/uL": "10*3/uL",
    "M/uL": "10*6/uL",
    "kDa": "kg/mol",
    "Da": "g/mol",
    "count": "1",
    "mmH2O": "mm[H2O]",
    "cmH2O": "cm[H2O]",
    "kg/m2BSA": "kg/m2",
    "mcg": "ug",
    "gm": "g",
    "gms": "g",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "minute": "min",
    "minutes": "min",
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "bpm": "/min",
    "beats/min": "/min",
    "lakh": "10*5",
    "mmol/mol Hb": "mmol/mol",
}

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻µμ×·／％", "0123456789-uux./%")

#: Patterns as text: `re` compiles and keeps them when somebody slips, not when the package is imported.
_SPELLINGS = (
    (r"\s+per\s+", "/"),
    (r"\s+", ""),
    (r"^[x*]?10(?:\^|\*\*|[eE])\+?(?=\d)", "10*"),
    (r"^[x*]10(?=\d)", "10*"),
    (r"^10(?=(?:3|6|9|12)/)", "10*"),
    (r"^1?[eE]\+?(?=\d)", "10*"),
    (r"(?<=[A-Za-z\]])(?:\^|\*\*)(?=-?\d)", ""),
    (r"(?<![A-Za-z\[])mcg\b", "ug"),
    (r"(?<![A-Za-z\[])K(?=IU)", "k"),
    (r"(?<![A-Za-z\[])([kmuM]?)(IU|EU)(?![A-Za-z\]])", r"\1[\2]"),
    (r"(?<![A-Za-z\[])([kmu]?)i\.?u\.?(?![A-Za-z\]])", r"\1[IU]"),
    (r"(?i)mm\[?hg\]?$", "mm[Hg]"),
    (r"/1\.73m2$", "/{1.73_m2}"),
    (r"/(?:cumm|cmm)$", "/mm3"),
    (r"°C", "Cel"),
    (r"\b[Kk]/[uU][lL]$", "10*3/uL"),
    (r"\b(?:mil|M)/[uU][lL]$", "10*6/uL"),
)


#: Of these, the ones that can mean nothing else: what people type is taken for it.
_CERTAIN_SPELLINGS = (
    (r"^[x*]?10(?:\^|\*\*)(?=\d)", "10*"),
    (r"(?<=[A-Za-z\]])\^(?=-?\d)", ""),
    (r"(?<![A-Za-z\[])([kmu]?)IU(?![A-Za-z\]])", r"\1[IU]"),
    (r"^mmHg$", "mm[Hg]"),
)


def _spelled(typed: str) -> str:
    """What was typed, in UCUM's spelling as far as rules can tell."""
    text = typed.translate(_SUPERSCRIPTS)
    for pattern, replacement in _SPELLINGS:
        text = re.sub(pattern, replacement, text)
    if unit(text) is None:
        text = _of_a_count(text)
    if unit(text) is None:
        return {each.casefold(): each for each in reversed(_TABLE)}.get(text.casefold(), text)
    return text


def _of_a_count(text: str) -> str:
    """`cells/kg` as `{cells}/kg`, `cells/uL` as `/uL`, `10*6cells/kg` as `10*6/kg`."""
    match = re.fullmatch(
        r"(10\*\d+)?\.?\{?(cells?|oocytes?|eggs?|follicles?|embryos?|copies|copy)\}?(/.+)?", text, re.I
    )
    if match is None:
        return text
    power_of_ten, word, below = match[1] or "", match[2], match[3] or ""
    below = {each.casefold(): each for each in _TABLE}.get(below.casefold(), below)
    if power_of_ten or (below and f"{{{word}}}{below}" not in _TABLE):
        return power_of_ten + below
    return f"{{{word}}}{below}"


_COUNTED = r"(10\*\d+)?\.?\{?(cells?|oocytes?|eggs?|follicles?|embryos?|copies|copy)\}?(/.+)?"
