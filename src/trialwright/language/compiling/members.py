"""The members of aggregates: one window and one group-by for all that range over the same rows.

Observations of different items are grouped together; so are the records of one kind. A second aggregate over the same
item takes a second window beside the first, in the same pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import ibis

from trialwright.language import typed as t
from trialwright.language.compiling import frame as f
from trialwright.language.compiling import measures, runs
from trialwright.language.compiling import rows as rows_of
from trialwright.language.compiling.engine import FALSE, TRUE, Column, Table, both, either, null, only_if, possibly
from trialwright.language.compiling.frame import Frame, World
from trialwright.language.compiling.group import Answered, Members
from trialwright.language.compiling.moments import Span, at_or_before, latest
from trialwright.language.compiling.needs import (
    Ask,
    Need,
    asks_absence,
    deep,
    direction,
    function_of,
    inner,
    is_of_participant,
    item_of,
    level,
    mark,
    outer,
    person_of,
    subject,
)
from trialwright.language.compiling.quantities import NUMBER, Amount
from trialwright.language.compiling.rows import is_of
from trialwright.language.compiling.shapes import among
from trialwright.language.compiling.source import Kinds, Source, Value, flag, span, told
from trialwright.language.compiling.times import Times, in_windows, windows_of


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
        steps.setdefault((level(need), subject(need)), []).append(need)
    for (_, kind), needs in sorted(steps.items(), key=lambda step: step[0]):
        tables, answers = meet(population, world, kind, needs)
        population.tables |= tables
        population.answers |= answers
    return frame(population, world, asks)


def frame(population: Population, world: World, asks: Sequence[Ask]) -> Frame:
    """The rows of a world with everything joined to them that the expressions choose or count."""
    needs = {need.key: need for need in outer(asks)}
    answers = {key: population.answers[key] for key in needs if key in population.answers}
    joins: dict[str, tuple[tuple[str, ...], Table]] = {
        found.group: (("participant",), population.tables[found.group]) for found in answers.values()
    }
    own: dict[str, list[Need]] = {}
    for key, need in needs.items():
        if key not in answers:
            own.setdefault(subject(need), []).append(need)
    for kind, group in own.items():
        tables, met = meet(population, world, kind, group)
        answers |= met
        joins |= {name: (world.keys, table) for name, table in tables.items()}
    table = world.rows
    for name, (keys, joined) in joins.items():  # as a view, so that Ibis need not look for our columns in what it holds
        table = table.left_join(joined.view(), list(keys), rname=f"{{name}}_joined_{name}")
    if joins:
        table = table.select([name for name in table.columns if "_joined_" not in name])
    found = Frame(world, table, population.times, answers)
    f.compute(found, asks)
    return found


def meet(
    population: Population, world: World, kind: str, needs: Sequence[Need]
) -> tuple[dict[str, Table], dict[str, Answered]]:
    """What each need amounts to for every row of the world, as tables by name, keyed like the world."""
    asks = [ask for need in needs for ask in inner(need)]
    own = f"key{len(world.keys)}"
    rows = (rows_of.records if kind else rows_of.observations)(population.source, world, needs)
    at = frame(population, rows_of.inside(rows, world, kind, needs, own), asks)
    placed = _placed(needs)
    judged = {need.key: _judged(need, at) for need, _ in placed}
    _write_tests(at, needs)
    _write_belongs(at, placed, judged)
    _write_chosen(at, placed, judged, world.keys)
    group, columns = f"g{population.count}", dict[str, Column]()
    population.count += 1
    tables: dict[str, Table] = {}
    answers: dict[str, Answered] = {}
    for number, (need, slot) in enumerate(placed):
        prefix = f"{group}_{number}_"
        if function_of(need) == "longest_run":
            answers[need.key], tables[prefix] = _run(need, slot, at, world, own, prefix)
            continue
        members = _members(need, slot, at, judged[need.key].certain)
        found = measures.columns(need, members)
        columns |= {prefix + name: column for name, column in found.items()}
        answers[need.key] = Answered(need, group, prefix, frozenset(found), members.certain, members.value)
    if columns:
        tables[group] = at.table.group_by(list(world.keys)).aggregate(**columns)
    return tables, answers


def _run(need: Need, slot: _Slot, at: Frame, world: World, own: str, prefix: str) -> tuple[Answered, Table]:
    members = _members(need, slot, at, False)
    rows = at.table.filter(both(members.mine, possibly(members.belongs), members.has))
    members = _members(need, slot, replace(at, table=rows), False)
    date = _date(rows, need)
    table = runs.longest_run(rows, world.keys, own, members.belongs, members.passes, date, prefix)
    return Answered(need, prefix, prefix, frozenset({"low", "high", "sure"}), False, members.value), table


# ---------------------------------------------------------------- who belongs, who is chosen


@dataclass(frozen=True, slots=True)
class _Slot:
    """Aggregates that take one window together: each over an item of its own, in one direction."""

    number: int
    direction: str
    taken: dict[str, str]  # by subject, the members of it that are meant

    @property
    def belongs(self) -> str:
        return f"belongs{self.number}"

    @property
    def chosen(self) -> str:
        return f"chosen{self.number}"


@dataclass(frozen=True, slots=True)
class _Judged:
    """Whether a row belongs, for one need; `plain` where nothing but time decides."""

    belongs: Column
    certain: bool
    plain: str


def _placed(needs: Iterable[Need]) -> list[tuple[Need, _Slot]]:
    slots: list[_Slot] = []
    placed: list[tuple[Need, _Slot]] = []
    for need in needs:
        marked, towards = mark(need), direction(need)
        for slot in slots:
            if slot.direction == towards and slot.taken.get(marked, need.members) == need.members:
                break
        else:
            slot = _Slot(len(slots), towards, {})
            slots.append(slot)
        slot.taken[marked] = need.members
        placed.append((need, slot))
    return placed


def _judged(need: Need, at: Frame) -> _Judged:
    node, table = need.node, at.table
    if isinstance(node, t.Age):
        return _Judged(TRUE, True, "always")
    windows = windows_of(node)
    belongs, certain = in_windows(_date(table, need), windows, need.when, at.times, table)
    narrowed: list[Column] = []
    if isinstance(node, t.ItemAggregate):
        narrowed += [_passes_filter(told(table, f"{one.attribute.name}_", one.attribute), one) for one in node.filters]
    elif node.of:
        narrowed.append(is_of(table, node.of))
    if node.where is not None:
        narrowed.append(f.truth(node.where, need.when, at))
    return _Judged(
        both(belongs, *narrowed), certain and not narrowed, f"{windows} {need.when}" if not narrowed else need.members
    )


def _passes_filter(found: Value, narrowing: t.Filter) -> Column:
    answer = among(found, narrowing.among)
    return only_if(~found.bits.isnull(), answer) if isinstance(found, Kinds) else answer


def _write_tests(at: Frame, needs: Iterable[Need]) -> None:
    """What each member is asked becomes a column, so that no test is written out twice."""
    asks = {(id(node), when): node for need in needs for node, when in inner(need)}
    works = {key: (node, f.parked(f.value(node, key[1], at))) for key, node in asks.items() if key not in at.computed}
    f.advance(at, works)


def _write_belongs(at: Frame, placed: list[tuple[Need, _Slot]], judged: dict[str, _Judged]) -> None:
    """One column per slot; the rows that belong nowhere are left out where that costs nothing."""
    columns: dict[str, Column] = {}
    for slot in {slot.number: slot for _, slot in placed}.values():
        arms: dict[str, list[Need]] = {}
        for need, own in placed:
            if own is slot:
                arms.setdefault(judged[need.key].plain, []).append(need)
        columns[slot.belongs] = _of_arms(at, list(arms.values()), judged)
    at.table = at.table.mutate(**columns)
    if len(columns) == 1 and all(not asks_absence(need) for need, _ in placed):
        at.table = at.table.filter(possibly(at.table[next(iter(columns))]))


def _of_arms(at: Frame, arms: list[list[Need]], judged: dict[str, _Judged]) -> Column:
    if len(arms) == 1:
        return judged[arms[0][0].key].belongs
    cases = [(_mine(at.table, arm), judged[arm[0].key].belongs) for arm in arms]
    return ibis.cases(*cases, else_=False)


def _write_chosen(
    at: Frame, placed: list[tuple[Need, _Slot]], judged: dict[str, _Judged], keys: tuple[str, ...]
) -> None:
    """The rivals of each choice: the rows that no certain member surely beats."""
    table = at.table
    partition = [table[key] for key in keys]
    partition += [table[name] for name in ("item", "person") if name in table.columns and "item" in table.columns]
    best: dict[str, Column] = {}
    chosen: dict[str, Column] = {}
    for slot in {slot.number: slot for _, slot in placed}.values():
        own = [(need, judged[need.key]) for need, one in placed if one is slot]
        date, belongs = _date(table, own[0][0]), table[slot.belongs]
        if not slot.direction:
            continue
        window = ibis.window(group_by=partition)
        name = f"best{slot.number}"
        ends = (date.low, latest(date)) if not date.whole_day else (date.low, date.low)
        best[name] = ends[0].max(where=belongs) if slot.direction == "latest" else ends[1].min(where=belongs)
        best[name] = best[name].over(window)
        certain = all(one.certain for _, one in own) and date.whole_day
        chosen[slot.chosen] = _rival(slot, date, name, certain)
    if best:
        at.table = at.table.mutate(**best)
        at.table = at.table.mutate(**{name: make(at.table) for name, make in chosen.items()})


def _rival(slot: _Slot, date: Span, best: str, certain: bool) -> Callable[[Table], Column]:
    def among_rivals(table: Table) -> Column:
        ahead = date.low if date.whole_day else (latest(date) if slot.direction == "latest" else date.low)
        wins = ahead >= table[best] if slot.direction == "latest" else ahead <= table[best]
        if certain:
            return both(table[slot.belongs], wins)
        return both(possibly(table[slot.belongs]), wins.coalesce(True))

    return among_rivals


def _members(need: Need, slot: _Slot, at: Frame, certain: bool) -> Members:
    """What is known of the rows of one need, as columns of the table of now."""
    node, table = need.node, at.table
    belongs = TRUE if isinstance(node, t.Age) else table[slot.belongs]
    chosen = table[slot.chosen] if slot.direction else TRUE
    if isinstance(node, t.RecordAggregate):
        passes = TRUE if node.satisfies is None else f.truth(node.satisfies, need.when, at)
        taken = TRUE if node.take is None else f.value(node.take, need.when, at)
        return Members(table, TRUE, belongs, certain, chosen, passes, value=taken)
    item = item_of(need)
    value = told(table, "", item)
    has = flag(table, "has_value", TRUE)
    if isinstance(node, t.ItemAggregate) and node.take == "date":
        has, value = TRUE, span(table, "date_")
    points = isinstance(value, Amount) and value.low is value.high
    members = Members(
        table, _mine(table, [need]), belongs, certain, chosen, _item_test(need, value, at), has, value,
        told=points or (isinstance(value, Span) and value.whole_day), by_then=_by_then(need, table, at),
    )  # fmt: skip
    if not need.normal:
        return members
    low, high = (table[name] if name in table.columns else null(NUMBER) for name in ("normal_low", "normal_high"))
    return replace(members, normal=Amount(low, high))


def _item_test(need: Need, value: Value, at: Frame) -> Column:
    """What `any`, `every`, `share`, `count` and `longest_run` test: the condition, or a yes or no itself."""
    node = need.node
    if not isinstance(node, t.ItemAggregate):
        return TRUE
    if node.satisfies is not None:
        return f.truth(node.satisfies, need.when, at)
    is_answer = not isinstance(value, Amount | Kinds | Span)
    return value if is_answer and node.function == "any" else TRUE


def _by_then(need: Need, table: Table, at: Frame) -> Column:
    if not asks_absence(need):
        return FALSE
    return possibly(at_or_before(_date(table, need), at.times.when(table, need.when)))


def _mine(table: Table, needs: Iterable[Need]) -> Column:
    people: dict[str, set[str]] = {}
    for need in needs:
        people.setdefault(person_of(need), set()).add(item_of(need).name)
    told_apart = "person" in table.columns
    mine = []
    for person, items in people.items():
        of_item = table.item == next(iter(items)) if len(items) == 1 else table.item.isin(sorted(items))
        of_person = table.person == person if told_apart else (FALSE if person else TRUE)
        mine.append(both(of_item, of_person))
    return either(*mine)


def _date(table: Table, need: Need) -> Span:
    kind = subject(need)
    return span(table, f"{kind}__date_" if kind else "date_")
