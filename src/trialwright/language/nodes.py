"""The parsed expression: frozen nodes that say what was written and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Span:
    """Where in the expression a node begins (line and column from 1)."""

    line: int = 1
    column: int = 1


_HERE = Span()


@dataclass(frozen=True, slots=True)
class Node:
    """One piece of an expression; two nodes are equal where they say the same, wherever they stand."""

    span: Span = field(default=_HERE, compare=False, repr=False, kw_only=True)


Side: TypeAlias = Literal["before", "after", "around"]
Function: TypeAlias = Literal[
    "latest",
    "earliest",
    "min",
    "max",
    "mean",
    "sum",
    "count",
    "any",
    "every",
    "share",
    "longest_run",
    "known",
]
FUNCTIONS: tuple[Function, ...] = (
    "latest",
    "earliest",
    "min",
    "max",
    "mean",
    "sum",
    "count",
    "any",
    "every",
    "share",
    "longest_run",
    "known",
)
RESERVED = ("and", "or", "not", "in", "where", "satisfies", "within", "on", "at")
Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number as written, with its unit where it has one (a UCUM code or a calendar word)."""

    text: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A quoted category."""

    text: str


@dataclass(frozen=True, slots=True)
class Date(Node):
    """A full date."""

    text: str


@dataclass(frozen=True, slots=True)
class Within(Node):
    """Looks back (or on, or around) so long from the reference time or from an anchor."""

    amount: str
    calendar: str
    side: Side = "before"
    anchor: Path = ()


@dataclass(frozen=True, slots=True)
class On(Node):
    """Narrows by an attribute of the observation."""

    attribute: str
    choice: Choice


@dataclass(frozen=True, slots=True)
class At(Node):
    """Asks at another reference time."""

    anchor: Path


Narrowing: TypeAlias = Within | On | At


@dataclass(frozen=True, slots=True)
class Ref(Node):
    """A name, perhaps of a field or a relative's item, perhaps narrowed."""

    path: Path
    narrowings: tuple[Narrowing, ...] = ()


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """A function over observations or records."""

    function: Function
    source: Ref
    where: Expression | None = None
    satisfies: Expression | None = None
    field_name: str = ""
    at: tuple[At, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked(Node):
    """An expression in parentheses asked at another reference time."""

    operand: Expression
    at: tuple[At, ...]


@dataclass(frozen=True, slots=True)
class Not(Node):
    """Negation."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class And(Node):
    """Conjunction of two or more."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    """Disjunction of two or more."""

    operands: tuple[Expression, ...]


Operator: TypeAlias = Literal["+", "-", "*", "/"]
Comparator: TypeAlias = Literal["<", "<=", ">", ">=", "=", "!="]


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """A comparison; it does not chain."""

    operator: Comparator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Membership(Node):
    """Whether a value lies in a range, a set or a named value set."""

    operand: Expression
    choice: Choice
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Normal(Node):
    """Whether a value lies outside or inside the reference range that came with the result."""

    operand: Expression
    side: Literal["outside", "inside"]


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """A sum, difference, product or quotient."""

    operator: Operator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Negative(Node):
    """A changed sign."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Power(Node):
    """A whole power."""

    operand: Expression
    exponent: int


@dataclass(frozen=True, slots=True)
class Range(Node):
    """All values between two bounds, both included; one unit, at the end."""

    low: str
    high: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Members(Node):
    """A set written out: names, quoted categories or numbers."""

    members: tuple[str, ...]
    quoted: tuple[bool, ...]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ValueSet(Node):
    """A set that the protocol names."""

    path: Path


Choice: TypeAlias = Range | Members | ValueSet
Expression: TypeAlias = (
    Number
    | Text
    | Date
    | Ref
    | Aggregate
    | Asked
    | Not
    | And
    | Or
    | Compare
    | Membership
    | Normal
    | Arithmetic
    | Negative
    | Power
)
