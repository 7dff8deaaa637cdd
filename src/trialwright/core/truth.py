"""Three-valued truth: unknown is an answer, and never silently becomes no."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Truth(Enum):
    """Kleene's three truth values.

    A `Truth` refuses to be a Python bool, so that `if answer:` cannot treat unknown as no.

    >>> Truth.YES & Truth.UNKNOWN
    <Truth.UNKNOWN: 'unknown'>
    >>> ~Truth.UNKNOWN | Truth.YES
    <Truth.YES: 'yes'>
    """

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        raise TypeError("A truth is yes, no or unknown; match on it instead of using it as a bool.")

    def __and__(self, other: Truth) -> Truth:
        if self is Truth.NO or other is Truth.NO:
            return Truth.NO
        return Truth.YES if self is Truth.YES and other is Truth.YES else Truth.UNKNOWN

    def __or__(self, other: Truth) -> Truth:
        if self is Truth.YES or other is Truth.YES:
            return Truth.YES
        return Truth.NO if self is Truth.NO and other is Truth.NO else Truth.UNKNOWN

    def __invert__(self) -> Truth:
        return _NEGATION[self]


_NEGATION = {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.UNKNOWN: Truth.UNKNOWN}


def truth(answer: bool) -> Truth:
    """The certain truth of a Python bool."""
    return Truth.YES if answer else Truth.NO


def all_of(answers: Iterable[Truth]) -> Truth:
    """Kleene's conjunction; of nothing it is yes."""
    result = Truth.YES
    for answer in answers:
        result = result & answer
    return result


def any_of(answers: Iterable[Truth]) -> Truth:
    """Kleene's disjunction; of nothing it is no."""
    result = Truth.NO
    for answer in answers:
        result = result | answer
    return result
