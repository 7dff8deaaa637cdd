"""The second interpreter: checked expressions over a whole population, as one Ibis expression.

It answers what `evaluate` answers, participant by participant, on DuckDB, PostgreSQL and Spark alike;
`docs/compile.md` tells what it costs. Nothing that only reads a protocol imports this module, and so Ibis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis

from trialwright.language import typed as t
from trialwright.language.compiling import frame as f
from trialwright.language.compiling.engine import FALSE, UNKNOWN, Column, Table, check_engine, either, rows_of
from trialwright.language.compiling.members import Population, root_frame
from trialwright.language.compiling.moments import Span, latest
from trialwright.language.compiling.quantities import Amount
from trialwright.language.compiling.source import Kinds, Source, Value
from trialwright.language.compiling.times import times_of

__all__ = ["Source", "answers_of", "categories_of", "compile_criteria", "compile_rules"]


def compile_rules(rules: Mapping[str, t.Typed], source: Source) -> Table:
    """One row per participant and one column per rule: yes, no or NULL.

    What is no condition has columns of its own: `x_low`, `x_high`, `x_low_open`, `x_high_open` of an amount, `x_mask`
    of a category, `x_earliest` and `x_latest` of a date, and `x_undefined` beside the first two.
    """
    for table in (source.participants, source.observations, *source.records.values()):
        check_engine(table)
    asks = [(rule, "") for rule in rules.values()]
    population = Population(source, times_of(source, asks))
    frame = root_frame(population, asks)
    columns: dict[str, Column] = {}
    for name, rule in rules.items():
        columns |= _columns(name, f.value(rule, "", frame))
    return frame.table.select("participant", **columns)


def compile_criteria(criteria: Sequence[tuple[str, str, t.Typed]], source: Source) -> Table:
    """The answer of every criterion (name, inclusion or exclusion, rule), and the verdict of all of them.

    Ineligible where an inclusion is no or an exclusion yes, eligible where every one is decided the other way, else
    undetermined.
    """
    answers = compile_rules({name: rule for name, _, rule in criteria}, source)
    against = [answers[name] if kind == "exclusion" else ~answers[name] for name, kind, _ in criteria]
    fails = either(*against)
    if fails is FALSE:
        return answers.mutate(verdict=ibis.literal("eligible"))
    verdict = ibis.cases((fails, "ineligible"), (~fails, "eligible"), else_="undetermined")
    return answers.mutate(verdict=verdict)


def _columns(name: str, found: Value) -> dict[str, Column]:
    match found:
        case Amount():
            ends = {f"{name}_low": found.low, f"{name}_high": found.high}
            opens = {f"{name}_low_open": found.low_open, f"{name}_high_open": found.high_open}
            return ends | opens | {f"{name}_undefined": _written(found.undefined)}
        case Kinds():
            return {f"{name}_mask": found.bits, f"{name}_undefined": _written(found.undefined)}
        case Span():
            return {f"{name}_earliest": found.low, f"{name}_latest": latest(found)}
        case _:
            return {name: _written(found)}


def _written(truth: Column) -> Column:
    return truth if truth is not UNKNOWN else ibis.null("boolean")


def answers_of(connection: Any, table: Table) -> Any:
    """The rows of a compiled table, as Arrow."""
    return rows_of(connection, table)


def categories_of(rule: t.Typed) -> tuple[str, ...]:
    """The categories that the bits of a rule's mask stand for, in their order; none where it is no category."""
    match rule:
        case t.ItemAggregate() | t.Attribute():
            return rule.item.categories
        case t.FieldOf():
            return rule.item.categories if rule.item is not None else ()
        case t.RecordAggregate():
            return categories_of(rule.take) if rule.take is not None else ()
        case t.Derived():
            return categories_of(rule.body)
        case t.AskedAt():
            return categories_of(rule.operand)
        case _:
            return ()
