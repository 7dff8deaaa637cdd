"""Three-valued truth: unknown is an answer, and never silently becomes no."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final


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
        if self is NO or other is NO:
            return NO
        return YES if self is YES and other is YES else UNKNOWN

    def __or__(self, other: Truth) -> Truth:
        if self is YES or other is YES:
            return YES
        return NO if self is NO and other is NO else UNKNOWN

    def __invert__(self) -> Truth:
        if self is UNKNOWN:
            return self
        return NO if self is YES else YES


#: The three by name: before Python 3.12, to read a member off its class costs ten times as much as a name.
YES: Final = Truth.YES
NO: Final = Truth.NO
UNKNOWN: Final = Truth.UNKNOWN


def truth(answer: bool) -> Truth:
    """The certain truth of a Python bool."""
    return YES if answer else NO


def all_of(answers: Iterable[Truth]) -> Truth:
    """Kleene's conjunction; of nothing it is yes."""
    result = YES
    for answer in answers:
        if answer is NO:
            return answer
        if answer is UNKNOWN:
            result = answer
    return result


def any_of(answers: Iterable[Truth]) -> Truth:
    """Kleene's disjunction; of nothing it is no."""
    result = NO
    for answer in answers:
        if answer is YES:
            return answer
        if answer is UNKNOWN:
            result = answer
    return result
