"""Ibis, and Kleene's words over its columns; constants fold away, so that what is certain costs nothing.

A truth is a boolean column in which NULL is unknown. The only module, with `loading`, that names Ibis.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import ibis

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
    if yes is TRUE:
        return TRUE
    cases = [(when, answer) for when, answer in ((yes, True), (no, False)) if when is not FALSE]
    return ibis.cases(*cases) if cases else UNKNOWN


def only_if(condition: Column, value: Column) -> Column:
    """The value where the condition surely holds, else NULL."""
    if condition is TRUE or value is None:
        return value
    return ibis.cases((condition, value))


def unless(condition: Column, value: Column) -> Column:
    """The value, but NULL where the condition surely holds."""
    if condition is FALSE or value is None:
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
