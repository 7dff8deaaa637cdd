"""The members of aggregates: one window and one group-by for all that range over the same rows.

Observations of different items are grouped together; so are the records of one kind. A second aggregate over the same
item takes a second window beside the first, in the same pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import ibis  # type: ignore[import-untyped]

from trialwright.language import typed as t
from trialwright.language.compiling import frame as f
from trialwright.language.compiling import measures, runs
from trialwright.language.compiling.engine import FALSE, TRUE, Column, Table, both, either, only_if, opposite, possibly
from trialwright.language.compiling.frame import Frame, World
from trialwright.language.compiling.measures import Answered, Members
from trialwright.language.compiling.moments import Span, at_or_before, latest
from trialwright.language.compiling.needs import (
    OBSERVATION,
    Ask,
    Need,
    deep,
    free,
    inner,
    is_of_participant,
    level,
    nodes,
    outer,
)
from trialwright.language.compiling.quantities import Amount
from trialwright.language.compiling.source import Kinds, Source, Value, flag, span, told
from trialwright.language.compiling.times import Times, in_windows, windows_of
from trialwright.language.vocabulary import Item


@dataclass(slots=True)
class Population:
    """A source and its times, with what has been answered of every participant so far."""

    source: Source
    times: Times
    answers: dict[str, Answered] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)  # by the prefix of their columns
    count: int = 0


def root_frame(population: Population, asks: Sequence[Ask]) -> Frame:
    """The frame of the participants themselves, with everything that depends on nothing else answered first."""
    times = population.times
    world = World(times.table, ("participant",), tuple(times.table.columns))
    waiting: dict[str, Need] = {}
    for need in deep(asks):
        if is_of_participant(need):
            waiting.setdefault(need.key, need)
    steps: dict[tuple[int, str], list[Need]] = {}
    for need in waiting.values():
        steps.setdefault((level(need), _subject(need)), []).append(need)
    for (_, subject), needs in sorted(steps.items(), key=lambda step: step[0]):
        tables, answers = meet(population, world, subject, needs)
        population.tables |= tables
        population.answers |= answers
    return frame(population, world, asks)


def frame(population: Population, world: World, asks: Sequence[Ask]) -> Frame:
    """The rows of a world with everything joined to them that the expressions choose or count."""
    needs = {need.key: need for need in outer(asks)}
    answers = {key: population.answers[key] for key in needs if key in population.answers}
    tables = {found.prefix: ("participant", population.tables[found.prefix]) for found in answers.values()}
    own: dict[str, list[Need]] = {}
    for key, need in needs.items():
        if key not in answers:
            own.setdefault(_subject(need), []).append(need)
    joins = [((key,), table) for key, table in tables.values()]
    for subject, group in own.items():
        met, found_here = meet(population, world, subject, group)
        answers |= found_here
        joins += [(world.keys, table) for table in met.values()]
    table = world.rows
    for number, (keys, joined) in enumerate(joins):
        table = table.left_join(joined, list(keys), rname=f"{{name}}_joined{number}")
    if joins:
        table = table.select([name for name in table.columns if "_joined" not in name])
    found = Frame(world, table, population.times, answers)
    f.compute(found, asks)
    return found


def meet(
    population: Population, world: World, subject: str, needs: Sequence[Need]
) -> tuple[dict[str, Table], dict[str, Answered]]:
    """What each need amounts to for every row of the world, as tables keyed like it."""
    asks = [ask for need in needs for ask in inner(need)]
    own = f"key{len(world.keys)}"
    child = (
        _records(population, world, subject, needs, own)
        if subject
        else _observations(population, world, needs, own, bool(asks))
    )
    at = frame(population, child, asks)
    slots = _slots(needs)
    members = {need.key: _judged(need, at, world) for need in needs}
    _write_belongs(at, slots, members)
    _write_chosen(at, slots, members, world.keys)
    columns: dict[str, Column] = {}
    answers: dict[str, Answered] = {}
    tables: dict[str, Table] = {}
    prefix = f"r{population.count}_"
    population.count += 1
    for number, (need, slot) in enumerate(_placed(slots)):
        ready = _bound(members[need.key], need, slot, at)
        name = f"{prefix}{number}_"
        if not isinstance(need.node, t.Age) and need.node.function == "longest_run":
            rows = at.table.filter(both(ready.mine, possibly(ready.belongs), ready.has))
            ready = _bound(members[need.key], need, slot, replace(at, table=rows))
            tables[name] = runs.longest_run(
                rows, world.keys, own, ready.belongs, ready.passes, _date(rows, need), name
            )
            answers[need.key] = Answered(need, name, frozenset({"low", "high"}), ready.certain, ready.value)
            continue
        told_here = measures.columns(need, ready)
        columns |= {name + key: column for key, column in told_here.items()}
        answers[need.key] = Answered(need, name, frozenset(told_here), ready.certain, ready.value)
        tables[name] = None
    if columns:
        grouped = at.table.group_by(list(world.keys)).aggregate(**columns)
        tables = {name: grouped if table is None else table for name, table in tables.items()}
    return tables, answers
