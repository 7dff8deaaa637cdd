"""Arguments are checked at the door, so that no estimator computes on what it cannot use."""

import operator
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
"""One number per participant, cluster or pair."""

ROUNDING = 1e-12
"""Numbers this close are equal, so that no rounding of a library decides whether to pause or to accept."""


def require_confidence(confidence: float) -> None:
    """A confidence level lies strictly between 0 and 1; anything else raises ValueError."""
    if not 0 < confidence < 1:
        raise ValueError(f"The confidence level is {confidence}, but it lies between 0 and 1. Write 0.95 for 95 %.")


def require_events(events: int, size: int) -> None:
    """A proportion counts 0 to n events among n >= 1, in whole numbers; anything else raises ValueError."""
    try:
        x, n = operator.index(events), operator.index(size)
    except TypeError:
        raise ValueError(f"{events!r} of {size!r} is not a proportion of whole numbers.") from None
    if n < 1:
        raise ValueError(f"A proportion of {n} has no value: nobody was counted.")
    if not 0 <= x <= n:
        raise ValueError(f"{x} events of {n} are not possible: the events are counted among the {n}.")


def finite_vector(values: npt.ArrayLike, name: str) -> Floats:
    """The values as one finite number each; another shape or a missing value raises ValueError.

    `name` is how the sentence calls the values: "The outcome".
    """
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1:
        raise ValueError(f"{name} has {vector.ndim} dimensions, but one number each is needed.")
    missing = np.flatnonzero(~np.isfinite(vector))
    if missing.size:
        raise ValueError(f"{name} is missing or infinite in {rows(missing)}; decide what stands for it first.")
    return vector


def weight_vector(weights: npt.ArrayLike, size: int, name: str) -> Floats:
    """The weights of `size` values: none negative, not all zero; anything else raises ValueError."""
    vector = finite_vector(weights, name)
    if vector.size != size:
        raise ValueError(f"{name} has {vector.size} weights for {size} values.")
    if np.any(vector < 0):
        raise ValueError(f"{name} is negative in {rows(np.flatnonzero(vector < 0))}.")
    if not np.any(vector > 0):
        raise ValueError(f"{name} is zero throughout, so nothing is left to weigh.")
    return vector


def require_names(values: npt.NDArray[np.generic], what: str) -> None:
    """Every row names somebody or something; None and NaN name nobody, and raise ValueError."""
    missing = [row for row, one in enumerate(values.tolist()) if one is None or one != one]
    if missing:
        raise ValueError(f"{what} is missing in {rows(missing)}.")


def rows(indices: Iterable[int]) -> str:
    """Positions counted from 1, at most five of them.

    >>> rows([0, 4])
    'rows 1, 5'
    """
    listed = [str(int(index) + 1) for index in indices]
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
    return f"{'row' if len(listed) == 1 else 'rows'} {', '.join(listed[:5])}{more}"


def require_share(value: float, name: str) -> None:
    """A rate, a probability or an error lies strictly between 0 and 1; anything else raises ValueError."""
    if not 0 < value < 1:
        raise ValueError(f"{name} is {value}, but it lies between 0 and 1. Write 0.05 for 5 %.")


def whole_number(value: int, name: str, least: int = 1) -> int:
    """A whole number of at least `least`; anything else raises ValueError."""
    try:
        whole = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} is {value!r}, but it is a whole number.") from None
    if whole < least:
        raise ValueError(f"{name} is {whole}, but it is {least} or more.")
    return whole
