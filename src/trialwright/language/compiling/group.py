"""The rows of one group and the columns made of them: how they are named, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass

from trialwright.language.compiling.engine import FALSE, TRUE, Column, Table, surely
from trialwright.language.compiling.needs import Need
from trialwright.language.compiling.quantities import Amount
from trialwright.language.compiling.source import Value

Columns = dict[str, Column]


@dataclass(frozen=True, slots=True)
class Members:
    """What is known of each row that may be a member of one aggregate.

    `certain` says that whether it belongs is always decided; `told` that its value is never missing. `by_then` holds
    for the rows of its item that may have been told by the reference time, whatever else is asked.
    """

    table: Table
    mine: Column
    belongs: Column
    certain: bool
    chosen: Column = TRUE
    passes: Column = TRUE
    has: Column = TRUE
    value: Value = TRUE
    told: bool = False
    normal: Amount | None = None
    by_then: Column = FALSE


@dataclass(frozen=True, slots=True)
class Answered:
    """Where the columns of an aggregate are found (in the table of its group), and what they stand for."""

    need: Need
    group: str
    prefix: str
    names: frozenset[str]
    certain: bool
    value: Value  # of the members, for its form: which ends are open, whether it is a point


@dataclass(frozen=True, slots=True)
class Read:
    """The columns of one group, by their short names."""

    found: Answered
    table: Table

    def has(self, name: str) -> bool:
        return name in self.found.names

    def column(self, name: str) -> Column:
        return self.table[self.found.prefix + name]

    def number(self, name: str) -> Column:
        return self.column(name).coalesce(0)

    def some(self, name: str) -> Column:
        return surely(self.column(name) > 0) if self.has(name) else FALSE

    def sure(self) -> Column:
        """Whether a member surely belongs."""
        return self.some("n") if self.found.certain else self.some("sure")


def count(m: Members, where: Column) -> Column:
    """How many rows there are of which it is surely so."""
    return m.table.count(where=where)
