"""Ibis, and Kleene's words over its columns; constants fold away, so that what is certain costs nothing.

A truth is a boolean column in which NULL is unknown. What engines do differently stands here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import ibis

from trialwright.core.finding import Refused, finding

#: Decimals kept of a recorded number, in a DECIMAL(38, 18).
SCALE = 18
PRECISION = 38

#: Ibis ships no types; these names say what is meant.
Table: TypeAlias = Any
Column: TypeAlias = Any

TRUE: Column = ibis.literal(True)
FALSE: Column = ibis.literal(False)
UNKNOWN: Column = ibis.null("boolean")


def both(*truths: Column) -> Column:
    """Kleene's and; of nothing it is yes."""
    found: Column = TRUE
    for one in truths:
        if one is FALSE or found is FALSE:
            return FALSE
        if one is not TRUE:
            found = one if found is TRUE else found & one
    return found


def either(*truths: Column) -> Column:
    """Kleene's or; of nothing it is no."""
    found: Column = FALSE
    for one in truths:
        if one is TRUE or found is TRUE:
            return TRUE
        if one is not FALSE:
            found = one if found is FALSE else found | one
    return found


def opposite(truth: Column) -> Column:
    """Not."""
    if truth is TRUE or truth is FALSE:
        return FALSE if truth is TRUE else TRUE
    return truth if truth is UNKNOWN else ~truth


def decided(yes: Column, no: Column) -> Column:
    """Yes where one condition surely holds, else no where the other does, else unknown."""
    cases = [(when, answer) for when, answer in ((yes, True), (no, False)) if when is not FALSE]
    return ibis.cases(*cases) if cases else UNKNOWN


def only_if(condition: Column, value: Column) -> Column:
    """The value where the condition surely holds, else NULL."""
    if condition is TRUE:
        return value
    return ibis.cases((condition, value))


def unless(condition: Column, value: Column) -> Column:
    """The value, but NULL where the condition surely holds."""
    if condition is FALSE:
        return value
    return ibis.cases((~condition.coalesce(False), value))


def surely(truth: Column) -> Column:
    """Whether it is yes, without unknown."""
    return truth if truth is TRUE or truth is FALSE else truth.coalesce(False)


def possibly(truth: Column) -> Column:
    """Whether it is not no."""
    return truth if truth is TRUE or truth is FALSE else truth.coalesce(True)


def is_unknown(truth: Column) -> Column:
    """Whether it is neither yes nor no."""
    return FALSE if truth is TRUE or truth is FALSE else truth.isnull()


def null(kind: str) -> Column:
    """Nothing, of a type."""
    return ibis.null(kind)


def bit_or(bits: int) -> int:
    """The bits of every row together; only its name and its types are used."""
    raise AssertionError(bits)


#: Ibis has no `bit_or` on Spark, though Spark has; called by its name, it is the same SQL elsewhere.
_BIT_OR = ibis.udf.agg.builtin(bit_or)


def any_bit(bits: Column, where: Column) -> Column:
    """The bits of every row that meets a condition, together."""
    return _BIT_OR(bits, where=where)


# ---------------------------------------------------------------- tables in, rows out

SPARK = "pyspark"

#: What a Spark session must be set to, and what would go wrong otherwise, without a word.
SPARK_SETTINGS: Mapping[str, tuple[str, str]] = {
    "spark.sql.ansi.enabled": ("true", "a number that overflows would become NULL, which is unknown"),
    "spark.sql.decimalOperations.allowPrecisionLoss": ("false", "sums would lose their last decimals"),
    "spark.sql.session.timeZone": ("UTC", "days would begin at other moments, and some would not have 24 hours"),
}


def check_engine(table: Table) -> None:
    """Refuses a table of Spark that would be answered wrongly, for its session or for the width of its numbers."""
    of_a_connection = (ibis.expr.operations.DatabaseTable, ibis.expr.operations.SQLQueryResult)
    for connection in (one.source for one in table.op().find(of_a_connection)):
        if connection.name == SPARK:  # pragma: no cover - asked by tests/spark
            conf = _session(connection).conf
            for setting, (wanted, why) in SPARK_SETTINGS.items():
                if (value := conf.get(setting)) != wanted:
                    raise Refused(finding("compile_session", setting=setting, value=value, wanted=wanted, why=why))
            for name, kind in table.schema().items():
                if kind.is_decimal() and (kind.scale > SCALE or kind.precision - kind.scale > PRECISION - SCALE):
                    told = f"decimal({kind.precision}, {kind.scale})"
                    raise Refused(finding("compile_decimal", column=name, kind=told, digits=PRECISION - SCALE))


def loaded(connection: Any, name: str, told: Any) -> Table:
    """An Arrow table as a temporary table of the connection, in the place of one of that name."""
    if connection.name == SPARK:  # pragma: no cover - asked by tests/spark
        # Ibis knows no temporary tables there, and would lead this one through pandas, where NULL is not kept
        _session(connection).createDataFrame(told).createOrReplaceTempView(name)
        return connection.table(name)
    return connection.create_table(name, told, temp=True, overwrite=True)


def rows_of(connection: Any, table: Table) -> Any:
    """The rows of a table, as Arrow.

    Ibis would spend most of its time on fusing subqueries that the engine fuses itself; here it is told not to.
    """
    fused, ibis.options.sql.fuse_selects = ibis.options.sql.fuse_selects, False
    try:
        return _from_spark(connection, table) if connection.name == SPARK else connection.to_pyarrow(table)
    finally:
        ibis.options.sql.fuse_selects = fused


def _from_spark(connection: Any, table: Table) -> Any:  # pragma: no cover - asked by tests/spark
    found = connection.raw_sql(connection.compile(table)).toArrow()
    for number, (name, kind) in enumerate(table.schema().items()):
        if kind.is_timestamp():  # Spark tells them in UTC, and says so
            found = found.set_column(number, name, found[name].cast("timestamp[us]"))
    return found


def _session(connection: Any) -> Any:  # pragma: no cover - asked by tests/spark
    return connection.raw_sql("SELECT 1").sparkSession
