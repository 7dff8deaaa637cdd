"""What the compiler reads: tables of observations, records, lists and anchors, and what their columns mean.

A value is told by columns after its name (nothing for an observation's own value; `cycle_day_` for an attribute;
`day_` for a record's field):

    amount      low, high, low_open, high_open   NULL ends are infinite
    category    mask      bit i for the i-th category of the item, as declared
    yes or no   mask      1 no, 2 yes, 3 unknown
    date        earliest, latest

A column that is not there promises something, and costs nothing: without `high` every value is a point, without
`low_open` and `high_open` every end is included, without `has_value` every observation has a result, without a
`latest` (`date_latest`, a reference time's, an anchor's) every date is a whole day, told by its first moment; without
`person` nobody has relatives; without `closings` every list is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from trialwright.core.finding import Refused, finding
from trialwright.language.compiling.engine import FALSE, TRUE, Column, Table, decided, null, only_if
from trialwright.language.compiling.moments import Span
from trialwright.language.compiling.quantities import NUMBER, Amount
from trialwright.language.scope import type_of
from trialwright.language.vocabulary import Item

#: The most categories that a mask of 64 bits with a sign can tell, with room for all of them at once.
MOST = 62


@dataclass(frozen=True, slots=True)
class Source:
    """Everything recorded of a population, as Ibis tables of one connection.

    participants   participant, earliest, latest (the reference time of each)
    observations   participant, person ('' or a relative), item, observation (a number, unique), has_value, the value,
                   date_earliest, date_latest, normal_low, normal_high, attribute_... for every attribute
    records        by kind: participant, identity (unique within the participant's kind), parent (an identity, NULL),
                   date_earliest, date_latest, field_... and field_date_earliest for every field
    closings       participant, person, list, earliest, latest
    anchors        participant, anchor, earliest, latest
    """

    participants: Table
    observations: Table
    records: Mapping[str, Table] = field(default_factory=dict)
    closings: Table | None = None
    anchors: Table | None = None


@dataclass(frozen=True, slots=True)
class Kinds:
    """The categories that are possible, as a bit mask over `order`; NULL is all of them."""

    bits: Column
    order: tuple[str, ...]
    undefined: Column = FALSE


Value: TypeAlias = Amount | Kinds | Span | Column


def told(table: Table, prefix: str, item: Item, told_at: Column = TRUE) -> Value:
    """The value that a table tells under a prefix; NULL, and so unknown, where `told_at` is not so."""

    def column(name: str, kind: str) -> Column:
        return only_if(told_at, table[prefix + name]) if prefix + name in table.columns else null(kind)

    match type_of(item).is_a:
        case "amount":
            low = column("low", NUMBER)
            if prefix + "high" not in table.columns:
                return Amount(low, low)
            ends = (flag(table, prefix + "low_open", FALSE), flag(table, prefix + "high_open", FALSE))
            return Amount(low, column("high", NUMBER), *ends)
        case "category":
            if len(item.categories) > MOST:
                number = len(item.categories)
                raise Refused(finding("compile_categories", item=item.name, number=number, limit=MOST))
            return Kinds(column("mask", "int64"), item.categories)
        case "date":
            earliest = column("earliest", "timestamp")
            if prefix + "earliest" in table.columns and prefix + "latest" not in table.columns:
                return Span(earliest, earliest, whole_day=True)
            return Span(earliest, column("latest", "timestamp"))
        case _:
            bits = column("mask", "int64")
            return decided(bits == 2, bits == 1)


def span(table: Table, prefix: str) -> Span:
    """The date that a table tells under a prefix."""
    low = table[prefix + "earliest"]
    if prefix + "latest" in table.columns:
        return Span(low, table[prefix + "latest"])
    return Span(low, low, whole_day=True)


def flag(table: Table, name: str, otherwise: Column) -> Column:
    """A boolean column, or what its absence promises."""
    return table[name] if name in table.columns else otherwise


def columns_of(item: Item) -> tuple[str, ...]:
    """The columns that tell a value of the item, without their prefix."""
    match type_of(item).is_a:
        case "amount":
            return ("low", "high", "low_open", "high_open")
        case "date":
            return ("earliest", "latest")
        case _:
            return ("mask",)


def full_mask(order: tuple[str, ...]) -> int:
    """All categories."""
    return (1 << len(order)) - 1


def mask_of(categories: frozenset[str], order: tuple[str, ...]) -> int:
    """Some of them."""
    return sum(1 << index for index, name in enumerate(order) if name in categories)
