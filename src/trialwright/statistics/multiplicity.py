"""P values of several hypotheses, adjusted so that their number does not make findings."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from trialwright.statistics.arguments import Floats, finite_vector, rows


def holm(p_values: npt.ArrayLike) -> Floats:
    """Holm's adjusted p values keep the chance of any false finding, whatever the hypotheses have in common.

    In order of p: the running maximum of (m - i + 1) p_(i), at most 1. By statsmodels. Holm 1979, Scand J Stat 6:65.

    Adjusted values come in the order given. Raises ValueError for no value, or one that is missing or outside 0 to 1.

    >>> [round(float(p), 2) for p in holm([0.01, 0.02, 0.03, 0.04, 0.05])]
    [0.05, 0.08, 0.09, 0.09, 0.09]
    """
    return _adjusted(p_values, "holm")


def hochberg(p_values: npt.ArrayLike) -> Floats:
    """Hochberg's adjusted p values keep the chance of any false finding where the tests are independent or go together.

    From the largest p down: the running minimum of (m - i + 1) p_(i). By statsmodels. Hochberg 1988, Biometrika 75:800.

    Adjusted values come in the order given. Raises ValueError for no value, or one that is missing or outside 0 to 1.

    >>> [round(float(p), 2) for p in hochberg([0.01, 0.02, 0.03, 0.04, 0.05])]
    [0.05, 0.05, 0.05, 0.05, 0.05]
    """
    return _adjusted(p_values, "simes-hochberg")


def hommel(p_values: npt.ArrayLike) -> Floats:
    """Hommel's adjusted p values never exceed Hochberg's, and hold under the same conditions.

    Closed testing with Simes' test of every intersection. By statsmodels. Hommel 1988, Biometrika 75:383.

    Adjusted values come in the order given. Raises ValueError for no value, or one that is missing or outside 0 to 1.

    >>> [round(float(p), 2) for p in hommel([0.01, 0.02, 0.03, 0.04, 0.05])]
    [0.05, 0.05, 0.05, 0.05, 0.05]
    """
    return _adjusted(p_values, "hommel")


def benjamini_hochberg(p_values: npt.ArrayLike) -> Floats:
    """Benjamini and Hochberg's adjusted p values keep the expected share of false findings among the findings.

    From the largest p down: the running minimum of m p_(i) / i. By statsmodels. Benjamini and Hochberg 1995,
    J R Stat Soc B 57:289.

    Adjusted values come in the order given. Raises ValueError for no value, or one that is missing or outside 0 to 1.

    >>> [round(float(p), 2) for p in benjamini_hochberg([0.01, 0.02, 0.03, 0.04, 0.05])]
    [0.05, 0.05, 0.05, 0.05, 0.05]
    """
    return _adjusted(p_values, "fdr_bh")


def _adjusted(p_values: npt.ArrayLike, method: str) -> Floats:
    from statsmodels.stats.multitest import multipletests  # slow to import, and only for secondaries

    p = finite_vector(p_values, "The p value")
    if p.size == 0:
        raise ValueError("There is no p value to adjust.")
    outside = np.flatnonzero((p < 0) | (p > 1))
    if outside.size:
        raise ValueError(f"The p value lies outside 0 to 1 in {rows(outside)}.")
    with _no_garbage_collected():
        adjusted: Floats = np.asarray(multipletests(p, method=method)[1], dtype=np.float64)
    return adjusted


@contextmanager
def _no_garbage_collected() -> Iterator[None]:
    """Where the collector was switched off, as in the verb `report`, the library that calls it finds nothing to do."""
    if gc.isenabled():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
