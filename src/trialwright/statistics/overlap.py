"""A difference between two arms that were not randomised, weighted to where the arms overlap."""

from collections.abc import Sequence

import numpy.typing as npt

from trialwright.statistics.arguments import Floats
from trialwright.statistics.weighting import OTHERS, WeightedDifference, Weights, compared, weighted_difference

__all__ = ["overlap_weighted_difference", "overlap_weights", "WeightedDifference"]


def overlap_weighted_difference(
    outcome: npt.ArrayLike,
    treated: npt.ArrayLike,
    covariates: npt.ArrayLike,
    confidence: float = 0.95,
    *,
    small_sample: bool = True,
    names: Sequence[str] = (),
) -> WeightedDifference:
    """Overlap weighting compares the arms among participants who might have been in either.

    The propensity e is a logistic regression of treated on the covariates by maximum likelihood; a treated
    participant weighs 1-e, a control e, and the estimate is the difference of the weighted means (Li, Morgan
    and Zaslavsky 2018, J Am Stat Assoc 113:390). The variance is the sandwich of the stacked estimating
    equations, so it knows that e was estimated (Lunceford and Davidian 2004, Stat Med 23:2937). With
    `small_sample` it is multiplied by n/(n-p-1), p covariates in use, and the interval is t(n-p-1); without,
    it stays as it is and the interval is normal.

    `outcome` and `treated` (0 or 1) have n values, `covariates` has n rows and p columns, `names` names the
    columns in sentences. A constant covariate is left out with a warning. Low effective sample size, poor
    overlap, an arm without variation and limits that no risk difference can have are warned of.

    Raises ValueError for missing values, shapes that do not match, an empty arm, collinear covariates, arms
    that the covariates separate, n <= p + 1, or an outcome that varies in neither arm.

    >>> import numpy as np
    >>> age = np.array([31, 35, 38, 29, 41, 36, 33, 40, 37, 30, 34, 39])
    >>> stem = np.array([0, 0, 1, 0, 1, 1, 1, 0, 1, 0, 0, 1])
    >>> oocytes = np.array([6, 4, 5, 7, 2, 5, 8, 3, 4, 6, 7, 4])
    >>> result = overlap_weighted_difference(oocytes, stem, age.reshape(-1, 1))
    >>> round(result.estimate, 3), round(result.lower, 3), round(result.upper, 3)
    (1.037, -0.509, 2.582)
    """
    return weighted_difference(compared(outcome, treated, covariates, names), overlap_weights, confidence, small_sample)


def overlap_weights(e: Floats) -> Weights:
    """1-e and e.

    >>> import numpy as np
    >>> overlap_weights(np.array([0.25])).treated.tolist()
    [0.75]
    """
    return Weights(1 - e, e, -e, 1 - e, OTHERS)
