"""P values of several hypotheses, adjusted so that their number does not make findings."""

import numpy as np
import numpy.typing as npt

from trialwright.statistics.arguments import Floats, finite_vector, rows


def holm(p_values: npt.ArrayLike) -> Floats:
    """Holm's adjusted p values keep the chance of any false finding, whatever the hypotheses have in common.

    In order of p: the running maximum of (m - i + 1) p_(i), at most 1. Holm 1979, Scand J Stat 6:65.

    Adjusted values come in the order given. Raises ValueError for no value, or one that is missing or outside 0 to 1.

    >>> [round(float(p), 2) for p in holm([0.01, 0.02, 0.03, 0.04, 0.05])]
    [0.05, 0.08, 0.09, 0.09, 0.09]
    """
    p, order = _sorted(p_values)
    factors = np.arange(p.size, 0, -1)
    return _in_place(np.maximum.accumulate(factors * p), order)


def hochberg(p_values: npt.ArrayLike) -> Floats:
    """Hochberg's adjusted p values keep the chance of any false finding where the tests are independent or go together.

    From the largest p down: the running minimum of (m - i + 1) p_(i). Hochberg 1988, Biometrika 75:800.

    Adjusted values come in the order given. Raises ValueError for no value, or one that is missing or outside 0 to 1.

    >>> [round(float(p), 2) for p in hochberg([0.01, 0.02, 0.03, 0.04, 0.05])]
    [0.05, 0.05, 0.05, 0.05, 0.05]
    """
    p, order = _sorted(p_values)
    return _in_place(_running_minimum(np.arange(p.size, 0, -1) * p), order)


def hommel(p_values: npt.ArrayLike) -> Floats:
    """Hommel's adjusted p values never exceed Hochberg's, and hold under the same conditions.

    Closed testing with Simes' test of every intersection, by Wright's steps over the sizes of the intersections.
    Hommel 1988, Biometrika 75:383; Wright 1992, Biometrics 48:1005.

    Adjusted values come in the order given. Raises ValueError for no value, or one that is missing or outside 0 to 1.

    >>> [round(float(p), 2) for p in hommel([0.01, 0.02, 0.03, 0.04, 0.05])]
    [0.05, 0.05, 0.05, 0.05, 0.05]
    """
    p, order = _sorted(p_values)
    size = p.size
    adjusted = np.full(size, (size * p / np.arange(1, size + 1)).min())
    for m in range(size - 1, 1, -1):  # intersections of m hypotheses
        small, large = p[: size - m + 1], p[size - m + 1 :]
        simes = (m * large / np.arange(2, m + 1)).min()
        among = np.minimum(m * small, simes)
        adjusted = np.maximum(adjusted, np.concatenate([among, np.full(m - 1, among[-1])]))
    return _in_place(np.maximum(adjusted, p), order)


def benjamini_hochberg(p_values: npt.ArrayLike) -> Floats:
    """Benjamini and Hochberg's adjusted p values keep the expected share of false findings among the findings.

    From the largest p down: the running minimum of m p_(i) / i. Benjamini and Hochberg 1995, J R Stat Soc B 57:289.

    Adjusted values come in the order given. Raises ValueError for no value, or one that is missing or outside 0 to 1.

    >>> [round(float(p), 2) for p in benjamini_hochberg([0.01, 0.02, 0.03, 0.04, 0.05])]
    [0.05, 0.05, 0.05, 0.05, 0.05]
    """
    p, order = _sorted(p_values)
    return _in_place(_running_minimum(p.size * p / np.arange(1, p.size + 1)), order)


def _sorted(p_values: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.intp]]:
    """The p values from the least, and the place of each among those given."""
    p = finite_vector(p_values, "The p value")
    if p.size == 0:
        raise ValueError("There is no p value to adjust.")
    outside = np.flatnonzero((p < 0) | (p > 1))
    if outside.size:
        raise ValueError(f"The p value lies outside 0 to 1 in {rows(outside)}.")
    order = np.argsort(p, kind="stable")
    return p[order], order


def _running_minimum(values: Floats) -> Floats:
    return np.minimum.accumulate(values[::-1])[::-1]


def _in_place(adjusted: Floats, order: npt.NDArray[np.intp]) -> Floats:
    """The adjusted values, at most 1, in the order in which the p values were given."""
    found = np.empty_like(adjusted)
    found[order] = np.minimum(adjusted, 1.0)
    return found
