"""One row per participant: reference time, anchors, the edges of every window, and when each list was closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from trialwright.language import typed as t
from trialwright.language.compiling.engine import FALSE, TRUE, Column, Table, both
from trialwright.language.compiling.moments import (
    Span,
    at_or_before,
    latest,
    not_after,
    not_before,
    shifted,
    strictly_before,
)
from trialwright.language.compiling.needs import Ask, When, nodes
from trialwright.language.compiling.source import Source, span

_OWN = "when_"


@dataclass(frozen=True, slots=True)
class Times:
    """The table, and which of its columns tell what."""

    table: Table
    anchors: dict[str, str]  # the prefix of an anchor's columns
    edges: dict[tuple[str, t.Window, int], str]  # by base and side, the prefix of an edge's columns
    lists: dict[tuple[str, str], str]  # by person and list, the column that tells when it was closed
    closes: bool

    def when(self, table: Table, when: When) -> Span:
        """A reference time: a participant's own, or an anchor."""
        return span(table, self.anchors[when] if when else _OWN)


def times_of(source: Source, asks: Iterable[Ask]) -> Times:
    """Everything about time that the expressions ask of a participant."""
    asked = list(nodes(asks))
    anchors = {name: f"anchor{i}_" for i, name in enumerate(sorted(_anchors(asked)))}
    lists = {key: f"closed{i}" for i, key in enumerate(sorted(_lists(asked)))}
    own = source.participants
    table = own.select(
        "participant", **{_OWN + name: own[name] for name in ("earliest", "latest") if name in own.columns}
    )
    if anchors:
        table = table.left_join(_reached(source, anchors), "participant", rname="{name}_of_anchors")
    if lists and source.closings is not None:
        table = table.left_join(_closed(source, lists), "participant", rname="{name}_of_lists")
    times = Times(table, anchors, {}, lists, source.closings is not None)
    columns: dict[str, Column] = {}
    for base, window, sign in _edges(asked):
        if (base, window, sign) in times.edges:
            continue
        prefix = f"edge{len(times.edges)}_"
        at = times.when(table, base)
        columns[prefix + "earliest"] = shifted(at.low, window, sign)
        if not at.whole_day or window.calendar == "hours":
            columns[prefix + "latest"] = shifted(latest(at), window, sign)
        times.edges[base, window, sign] = prefix
    kept = [name for name in table.columns if not name.startswith("participant_of_")]
    return Times(table.select(*kept, **columns), anchors, times.edges, lists, times.closes)


def in_windows(date: Span, windows: Iterable[t.Window], when: When, times: Times, table: Table) -> tuple[Column, bool]:
    """Whether something happened by the reference time and inside every window; and whether that is always decided."""
    asked = times.when(table, when)
    answers, certain = [at_or_before(date, asked)], date.whole_day and asked.whole_day
    for window in windows:
        base = window.anchor or when
        at = times.when(table, base)
        whole = date.whole_day and at.whole_day and window.calendar != "hours"
        for side, sign, holds in (("before", -1, not_before), ("after", 1, not_after)):
            if window.side in (side, "around"):
                edge = span(table, times.edges[_edge(window, when, sign)])
                answers.append(holds(date, edge.low, edge.high, whole))
        if window.anchor and window.side == "before":
            answers.append(strictly_before(date, at))
        if window.anchor and window.side == "after":
            answers.append(strictly_before(at, date))
        certain = certain and whole and not window.anchor
    return both(*answers), certain


def reached(at: tuple[str, ...], times: Times, table: Table) -> Column:
    """Whether the anchor that `at` names was reached."""
    return ~times.when(table, at[0]).low.isnull() if at else TRUE


def is_closed(person: str, name: str, when: When, times: Times, table: Table) -> Column:
    """Whether a list is surely complete at a reference time."""
    if not times.closes:
        return TRUE
    closed = table[times.lists[person, name]]
    return (closed <= latest(times.when(table, when))).coalesce(False)


def windows_of(node: t.ItemAggregate | t.RecordAggregate) -> tuple[t.Window, ...]:
    """The windows of an aggregate, and its item's validity where it has one."""
    return node.looks_back if isinstance(node, t.ItemAggregate) else node.windows


def _anchors(asked: list[Ask]) -> set[str]:
    found: set[str] = set()
    for node, when in asked:
        found |= {when} if when else set()
        match node:
            case t.AnchorDate():
                found.add(node.anchor)
            case t.ItemAggregate() | t.RecordAggregate():
                found |= {*node.at[:1], *(window.anchor for window in node.windows if window.anchor)}
            case t.AskedAt() | t.Age():
                found |= set(node.at[:1])
    return found


def _lists(asked: list[Ask]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for node, _ in asked:
        if isinstance(node, t.RecordAggregate):
            found.add(("", node.kind))
        elif isinstance(node, t.ItemAggregate) and node.item.absent_no:
            found.add((node.person, node.item.absent_no))
    return found


def _edges(asked: list[Ask]) -> Iterable[tuple[str, t.Window, int]]:
    for node, when in asked:
        match node:
            case t.ItemAggregate() | t.RecordAggregate():
                at = node.at[0] if node.at else when
                for window in windows_of(node):
                    for side, sign in (("before", -1), ("after", 1)):
                        if window.side in (side, "around"):
                            yield _edge(window, at, sign)


def _edge(window: t.Window, when: When, sign: int) -> tuple[str, t.Window, int]:
    return window.anchor or when, t.Window(window.amount, window.calendar), sign


def _reached(source: Source, anchors: dict[str, str]) -> Table:
    """When each anchor was reached; where it was reached more than once, the span of them all."""
    assert source.anchors is not None, "the source tells no anchors"
    told = source.anchors
    columns: dict[str, Column] = {}
    for name, prefix in anchors.items():
        columns[prefix + "earliest"] = told.earliest.min(where=told.anchor == name)
        if "latest" in told.columns:
            columns[prefix + "latest"] = told.latest.max(where=told.anchor == name)
    return told.group_by("participant").aggregate(**columns)


def _closed(source: Source, lists: dict[tuple[str, str], str]) -> Table:
    told = source.closings
    assert told is not None
    end = latest(span(told, ""))
    columns: dict[str, Column] = {}
    for (person, name), column in lists.items():
        own = told.person == person if "person" in told.columns else (FALSE if person else TRUE)
        columns[column] = end.min(where=both(told["list"] == name, own))
    return told.group_by("participant").aggregate(**columns)
