"""The rows that members are sought among: each row that asks, beside every observation or record of its participant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from trialwright.core.finding import Refused, finding
from trialwright.language import typed as t
from trialwright.language.compiling.engine import Column, Table, either, possibly
from trialwright.language.compiling.frame import World
from trialwright.language.compiling.needs import Need, deep, inner, item_of, nodes, owner_of, person_of
from trialwright.language.compiling.source import Source, columns_of
from trialwright.language.vocabulary import Item


def observations(source: Source, world: World, needs: Iterable[Need]) -> Table:
    """Every observation of the items that are asked for, beside the row that asks; no column that nobody reads."""
    told_of = source.observations
    items = {item_of(need).name: item_of(need) for need in needs}
    rows = told_of.filter(told_of.item.isin(sorted(items)))
    if "person" in rows.columns:
        rows = rows.filter(rows.person.isin(sorted({person_of(need) for need in needs})))
    read = {"participant", "person", "item", "observation", "has_value", "date_earliest", "date_latest"}
    read |= {column for item in items.values() for column in columns_of(item)}
    read |= {"normal_low", "normal_high"} if any(need.normal for need in needs) else set()
    read |= {f"{item.name}_{column}" for item in _attributes(needs) for column in columns_of(item)}
    rows = rows.select([name for name in rows.columns if name in read])
    return world.rows.select(*world.carried).inner_join(rows, "participant")


def _attributes(needs: Iterable[Need]) -> Iterator[Item]:
    for need in needs:
        if isinstance(need.node, t.ItemAggregate):
            yield from (narrowing.attribute for narrowing in need.node.filters)
        for node, _ in nodes(inner(need)):
            if isinstance(node, t.Attribute):
                yield node.item


def records(source: Source, world: World, needs: Iterable[Need]) -> Table:
    """Every record of a kind with the records it belongs to, beside the row that asks."""
    node = next(iter(needs)).node
    assert isinstance(node, t.RecordAggregate)
    lineage = _lineage(source, node.lineage, needs)
    replaced = tuple(f"{one}__" for one in node.lineage)
    carried = [name for name in world.carried if not name.startswith(replaced)]
    owner = {
        f"owner_{one}": world.rows[f"{one}__identity"] for one in sorted({owner_of(need) for need in needs} - {""})
    }
    rows = world.rows.select(*carried, **owner).inner_join(lineage, "participant")
    if all(owner_of(need) for need in needs):
        rows = rows.filter(either(*(possibly(is_of(rows, owner_of(need))) for need in needs)))
    return rows


def inside(rows: Table, world: World, kind: str, needs: Iterable[Need], own: str) -> World:
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
    kinds = {owner_of(need) for need in needs} | {owner_of(need) for need in deep(asks)}
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


def is_of(table: Table, kind: str) -> Column:
    """Whether a record belongs to the one at hand; unknown where the link was not recorded."""
    return table[f"{kind}__identity"] == table[f"owner_{kind}"]
