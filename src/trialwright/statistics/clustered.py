"""A proportion of units that come in clusters, such as embryos in women."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import Floats, finite_vector, require_confidence, rows


@dataclass(frozen=True, slots=True)
class ClusteredRatio:
    """Sum of numerators over sum of denominators, with limits that respect the clusters.

    `clusters` counts those with a denominator; standard_error, lower and upper are None where the data hold
    no variance between clusters, and then `warnings` says why.
    """

    estimate: float
    standard_error: float | None
    lower: float | None
    upper: float | None
    numerator: int
    denominator: int
    clusters: int
    clusters_without_denominator: int
    warnings: tuple[str, ...]


def ratio_logit_t(numerator: npt.ArrayLike, denominator: npt.ArrayLike, confidence: float = 0.95) -> ClusteredRatio:
    """The ratio of sums over clusters keeps its level with few clusters when its limits are set on the logit.

    r = sum y / sum m over the k clusters with m > 0; SE^2 = k/(k-1) sum (y - r m)^2 / (sum m)^2 (Cochran
    1977, Sampling Techniques, section 6.4; Rao and Scott 1992, Biometrics 48:577). Limits:
    logit r -+ t(k-1) SE / (r(1-r)), taken back to a proportion. Coverage with 12 clusters: 0.952 to 0.961.

    Whole counts, one per cluster, 0 <= numerator <= denominator. A cluster with denominator 0 has no ratio:
    it is counted apart, never scored as zero. Without variance (one cluster, all units alike, all clusters
    alike) the limits are None with a warning. Raises ValueError when no cluster has a denominator, or for
    counts that are impossible.

    >>> result = ratio_logit_t([1, 3, 0, 2, 0], [4, 5, 2, 4, 0])
    >>> result.numerator, result.denominator, result.clusters, result.clusters_without_denominator
    (6, 15, 4, 1)
    >>> round(result.estimate, 3), round(result.lower or 0, 3), round(result.upper or 0, 3)
    (0.4, 0.129, 0.749)
    """
    require_confidence(confidence)
    y, m = _counts(numerator, denominator)
    counted = m > 0
    k = int(counted.sum())
    if k == 0:
        raise ValueError(f"None of the {m.size} clusters has a denominator, so there is no ratio to estimate.")
    y, without = y[counted], m.size - k
    m = m[counted]
    total = float(m.sum())
    ratio = float(y.sum()) / total
    squares = float(np.square(y - ratio * m).sum())
    without_variance = _reason_for_no_variance(y, m)
    if without_variance:
        return ClusteredRatio(ratio, None, None, None, int(y.sum()), int(total), k, without, (without_variance,))
    standard_error = math.sqrt(k / (k - 1) * squares) / total
    reach = float(special.stdtrit(k - 1, (1 + confidence) / 2)) * standard_error / (ratio * (1 - ratio))
    centre = float(special.logit(ratio))
    lower, upper = float(special.expit(centre - reach)), float(special.expit(centre + reach))
    return ClusteredRatio(ratio, standard_error, lower, upper, int(y.sum()), int(total), k, without, warnings=())


def _counts(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> tuple[Floats, Floats]:
    y, m = finite_vector(numerator, "The numerator"), finite_vector(denominator, "The denominator")
    if y.size != m.size:
        raise ValueError(f"{y.size} numerators and {m.size} denominators do not describe the same clusters.")
    impossible = np.flatnonzero((y < 0) | (y > m) | (y != np.floor(y)) | (m != np.floor(m)))
    if impossible.size:
        raise ValueError(
            f"The counts in {rows(impossible)} are impossible: a numerator is a whole number from 0 to its denominator."
        )
    return y, m


def _reason_for_no_variance(y: Floats, m: Floats) -> str:
    if y.sum() == 0:
        return (
            f"None of the {int(m.sum())} units counts in the numerator, so the clusters show no variance and "
            "no interval is given."
        )
    if y.sum() == m.sum():
        return (
            f"All {int(m.sum())} units count in the numerator, so the clusters show no variance and no "
            "interval is given."
        )
    if m.size == 1:
        return "There is one cluster only, so the variance between clusters is unknown and no interval is given."
    if np.all(y * m.sum() == y.sum() * m):
        return f"All {m.size} clusters have the same ratio, so they show no variance and no interval is given."
    return ""
