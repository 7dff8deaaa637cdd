"""The members of aggregates: one window and one group-by for all that range over the same rows.

Observations of different items are grouped together; so are the records of one kind. A second aggregate over the same
item takes a second window beside the first, in the same pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import ibis  # type: ignore[import-untyped]

from trialwright.core.finding import Refused, finding
from trialwright.language import typed as t
from trialwright.language.compiling import frame as f
from trialwright.language.compiling import measures, runs
from trialwright.language.compiling.engine import FALSE, TRUE, Column, Table, both, either, null, only_if, possibly
from trialwright.language.compiling.frame import Frame, World
from trialwright.language.compiling.measures import Answered, Members
from trialwright.language.compiling.moments import Span, at_or_before, latest
from trialwright.language.compiling.needs import (
    Ask,
    Need,
    deep,
    inner,
    is_of_participant,
    level,
    nodes,
    outer,
)
from trialwright.language.compiling.quantities import NUMBER, Amount
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
    joins: dict[str, tuple[tuple[str, ...], Table]] = {
        found.group: (("participant",), population.tables[found.group]) for found in answers.values()
    }
    own: dict[str, list[Need]] = {}
    for key, need in needs.items():
        if key not in answers:
            own.setdefault(_subject(need), []).append(need)
    for subject, group in own.items():
        tables, met = meet(population, world, subject, group)
        answers |= met
        joins |= {name: (world.keys, table) for name, table in tables.items()}
    table = world.rows
    for name, (keys, joined) in joins.items():
        table = table.left_join(joined, list(keys), rname=f"{{name}}_joined_{name}")
    if joins:
        table = table.select([name for name in table.columns if "_joined_" not in name])
    found = Frame(world, table, population.times, answers)
    f.compute(found, asks)
    return found


def meet(
    population: Population, world: World, subject: str, needs: Sequence[Need]
) -> tuple[dict[str, Table], dict[str, Answered]]:
    """What each need amounts to for every row of the world, as tables by name, keyed like the world."""
    asks = [ask for need in needs for ask in inner(need)]
    own = f"key{len(world.keys)}"
    rows = _records(population, world, needs) if subject else _observations(population, world, needs)
    at = frame(population, _inside(rows, world, subject, needs, own), asks)
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
        if _function(need) == "longest_run":
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
    return Answered(need, prefix, prefix, frozenset({"low", "high"}), False, members.value), table


# ---------------------------------------------------------------- rows


def _observations(population: Population, world: World, needs: Iterable[Need]) -> Table:
    """Every observation of the items that are asked for, beside the row that asks."""
    told_of = population.source.observations
    wanted = {_item(need).name for need in needs}
    rows = told_of.filter(told_of.item.isin(sorted(wanted)))
    if "person" in rows.columns:
        rows = rows.filter(rows.person.isin(sorted({_person(need) for need in needs})))
    return world.rows.select(*world.carried).inner_join(rows, "participant")


def _records(population: Population, world: World, needs: Iterable[Need]) -> Table:
    """Every record of a kind with the records it belongs to, beside the row that asks."""
    node = next(iter(needs)).node
    assert isinstance(node, t.RecordAggregate)
    lineage = _lineage(population.source, node.lineage, needs)
    replaced = tuple(f"{one}__" for one in node.lineage)
    carried = [name for name in world.carried if not name.startswith(replaced)]
    owner = {f"owner_{one}": world.rows[f"{one}__identity"] for one in sorted({_of(need) for need in needs} - {""})}
    rows = world.rows.select(*carried, **owner).inner_join(lineage, "participant")
    if all(_of(need) for need in needs):
        rows = rows.filter(either(*(possibly(_is_of(rows, _of(need))) for need in needs)))
    return rows


def _inside(rows: Table, world: World, kind: str, needs: Iterable[Need], own: str) -> World:
    """The world of the members: its keys are those of the row that asks, and one of their own."""
    identity = f"{kind}__identity" if kind else "observation"
    keys = world.keys
    if identity in rows.columns:
        rows, keys = rows.mutate(**{own: rows[identity]}), (*world.keys, own)
    node = next(iter(needs)).node
    lineage = node.lineage if isinstance(node, t.RecordAggregate) else ()
    kinds = (*(one for one in world.kinds if one not in lineage), *lineage)
    at_hand = tuple(f"{one}__" for one in kinds)
    carried = [name for name in world.carried if name in rows.columns]
    carried += [own] if identity in rows.columns else []
    carried += [name for name in rows.columns if kind and name.startswith(at_hand) and name not in carried]
    return World(rows, keys, tuple(carried), kinds)


def _lineage(source: Source, lineage: tuple[str, ...], needs: Iterable[Need]) -> Table:
    """The records of a kind, each with its parent and its parent's parent as far as somebody asks for them."""
    asks = [ask for need in needs for ask in inner(need)]
    fields: dict[str, dict[str, Item]] = {}
    kinds = {_of(need) for need in needs} | {_of(need) for need in deep(asks)}
    for node, _ in nodes(asks):
        if isinstance(node, t.FieldOf):
            kinds.add(node.kind)
            if node.item is not None:
                fields.setdefault(node.kind, {})[node.item.name] = node.item
    depth = max((index for index, kind in enumerate(lineage) if kind in kinds), default=0)
    table = _of_kind(source, lineage[0], fields.get(lineage[0], {}))
    for child, kind in pairwise(lineage[: depth + 1]):
        parents = _of_kind(source, kind, fields.get(kind, {}))
        same = [table.participant == parents.participant, table[f"{child}__parent"] == parents[f"{kind}__identity"]]
        table = table.left_join(parents, same, rname=f"{{name}}_of_{kind}").drop(f"participant_of_{kind}")
    return table


def _of_kind(source: Source, kind: str, fields: Iterable[str]) -> Table:
    if kind not in source.records:
        raise Refused(finding("compile_missing", name=kind))
    told_of = source.records[kind]
    names = ["identity", "parent", "date_earliest", "date_latest"]
    starts = tuple(f"{name}_" for name in fields)
    kept = [name for name in told_of.columns if name in names or name.startswith(starts)]
    return told_of.select("participant", **{f"{kind}__{name}": told_of[name] for name in kept})


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
        subject, direction = _mark(need), _direction(need)
        for slot in slots:
            if slot.direction == direction and slot.taken.get(subject, need.members) == need.members:
                break
        else:
            slot = _Slot(len(slots), direction, {})
            slots.append(slot)
        slot.taken[subject] = need.members
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
        narrowed.append(_is_of(table, node.of))
    if node.where is not None:
        narrowed.append(f.truth(node.where, need.when, at))
    return _Judged(
        both(belongs, *narrowed), certain and not narrowed, f"{windows} {need.when}" if not narrowed else need.members
    )


def _passes_filter(found: Value, narrowing: t.Filter) -> Column:
    answer = f.among(found, narrowing.among)
    return only_if(~found.bits.isnull(), answer) if isinstance(found, Kinds) else answer


def _is_of(table: Table, kind: str) -> Column:
    return table[f"{kind}__identity"] == table[f"owner_{kind}"]


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
    if len(columns) == 1 and all(not _asks_absence(need) for need, _ in placed):
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
    item = _item(need)
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
    if not _asks_absence(need):
        return FALSE
    return possibly(at_or_before(_date(table, need), at.times.when(table, need.when)))


def _asks_absence(need: Need) -> bool:
    node = need.node
    return isinstance(node, t.ItemAggregate) and bool(node.item.absent_no) and node.type.is_a == "truth"


# ---------------------------------------------------------------- names


def _subject(need: Need) -> str:
    """The kind of the records, or '' for observations."""
    return need.node.kind if isinstance(need.node, t.RecordAggregate) else ""


def _mark(need: Need) -> str:
    """What a row must be of: an item of a person, or a record of the kind."""
    return _subject(need) or f"{_person(need)}.{_item(need).name}"


def _item(need: Need) -> Item:
    assert not isinstance(need.node, t.RecordAggregate)
    return need.node.born if isinstance(need.node, t.Age) else need.node.item


def _person(need: Need) -> str:
    assert not isinstance(need.node, t.RecordAggregate)
    return need.node.person


def _of(need: Need) -> str:
    return need.node.of if isinstance(need.node, t.RecordAggregate) else ""


def _function(need: Need) -> str:
    return "latest" if isinstance(need.node, t.Age) else need.node.function


def _direction(need: Need) -> str:
    """Which choice is made among the members; '' where all of them count."""
    if _function(need) == "known":
        return "" if isinstance(need.node, t.RecordAggregate) else "latest"
    return _function(need) if _function(need) in ("latest", "earliest") else ""


def _mine(table: Table, needs: Iterable[Need]) -> Column:
    people: dict[str, set[str]] = {}
    for need in needs:
        if isinstance(need.node, t.RecordAggregate):
            return TRUE
        people.setdefault(_person(need), set()).add(_item(need).name)
    told_apart = "person" in table.columns
    mine = []
    for person, items in people.items():
        of_item = table.item == next(iter(items)) if len(items) == 1 else table.item.isin(sorted(items))
        of_person = table.person == person if told_apart else (FALSE if person else TRUE)
        mine.append(both(of_item, of_person))
    return either(*mine)


def _date(table: Table, need: Need) -> Span:
    kind = _subject(need)
    return span(table, f"{kind}__date_" if kind else "date_")
