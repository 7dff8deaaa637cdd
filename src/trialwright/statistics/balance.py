"""Balance of two groups in what was measured before treatment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.statistics.arguments import Floats, finite_vector, weight_vector


@dataclass(frozen=True, slots=True)
class MeanSd:
    """Mean and standard deviation of n values; `sd` is None for a single value, which has none."""

    mean: float
    sd: float | None
    n: int


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One covariate: each arm, and the standardised difference before and after weighting."""

    name: str
    treated: MeanSd
    control: MeanSd
    before: float | None
    after: float | None


def standardised_difference(
    treated: npt.ArrayLike,
    control: npt.ArrayLike,
    weights_treated: npt.ArrayLike | None = None,
    weights_control: npt.ArrayLike | None = None,
) -> float:
    """The standardised difference of a quantity is its difference in means, in standard deviations.

    (m1 - m0) / sqrt((s1^2 + s0^2) / 2), with the n-1 variances (Austin 2009, Stat Med 28:3083). Weights enter
    the means only: the denominator stays that of the unweighted groups, so that before and after weighting
    share one yardstick (Stuart 2008, Stat Med 27:2062). Two groups of one same constant differ by 0.

    Raises ValueError for a missing value, a group of fewer than two, impossible weights, or two different
    constants, whose difference no standard deviation can measure.

    >>> round(standardised_difference([1, 2, 3], [2, 3, 4]), 3)
    -1.0
    """
    group1, group0 = _group(treated, "treated"), _group(control, "control")
    difference = _mean(group1, weights_treated, "treated") - _mean(group0, weights_control, "control")
    return _standardised(difference, float(group1.var(ddof=1)), float(group0.var(ddof=1)), group1, group0)


def standardised_difference_of_proportions(
    treated: npt.ArrayLike,
    control: npt.ArrayLike,
    weights_treated: npt.ArrayLike | None = None,
    weights_control: npt.ArrayLike | None = None,
) -> float:
    """The standardised difference of a yes-or-no item is its difference in binomial deviations.

    (p1 - p0) / sqrt((p1(1-p1) + p0(1-p0)) / 2) over values 0 and 1 (Austin 2009, Stat Med 28:3083). Weights
    enter the difference only, as in `standardised_difference`.

    Raises ValueError for a missing value, a value other than 0 and 1, a group of fewer than two, impossible
    weights, or a group all 0 against a group all 1.

    >>> round(standardised_difference_of_proportions([1, 1, 0, 0], [1, 0, 0, 0]), 3)
    0.535
    """
    group1, group0 = _group(treated, "treated"), _group(control, "control")
    for group, name in ((group1, "treated"), (group0, "control")):
        if not np.all((group == 0) | (group == 1)):
            raise ValueError(f"The {name} group holds values other than 0 and 1, so it has no proportion.")
    difference = _mean(group1, weights_treated, "treated") - _mean(group0, weights_control, "control")
    return _standardised(difference, float(group1.var()), float(group0.var()), group1, group0)


def balance_table(
    covariates: npt.ArrayLike, treated: npt.ArrayLike, weights: npt.ArrayLike, names: Sequence[str]
) -> tuple[BalanceRow, ...]:
    """Every covariate in both arms, with its standardised difference before and after weighting.

    `covariates` has a row per participant and a column per name, `treated` is 0 or 1, `weights` are those of the
    estimator. A covariate of 0 and 1 is compared as a proportion. A difference is None where the arms do not vary but
    differ. Means and deviations are unweighted; see `standardised_difference` for the yardstick.

    Raises ValueError for shapes that do not match, missing values, an arm of fewer than two, or impossible weights.

    >>> rows = balance_table([[30], [40], [34], [36]], [1, 1, 0, 0], [1, 0, 1, 1], ["age"])
    >>> rows[0].treated.mean, rows[0].before, round(rows[0].after or 0, 2)
    (35.0, 0.0, -0.98)
    """
    x, z = np.asarray(covariates, dtype=np.float64), finite_vector(treated, "The arm")
    if x.ndim != 2 or x.shape != (z.size, len(names)):
        raise ValueError(f"Covariates of the shape {x.shape} do not fit {z.size} arms and {len(names)} names.")
    if not np.all((z == 0) | (z == 1)):
        raise ValueError("The arm is 1 (treated) or 0 (control) for each participant.")
    w = weight_vector(weights, z.size, "The weight")
    table = []
    for column, name in zip(x.T, names, strict=True):
        first, second = column[z == 1], column[z == 0]
        binary = bool(np.all((column == 0) | (column == 1)))
        compare = standardised_difference_of_proportions if binary else standardised_difference
        varies = np.ptp(first) > 0 or np.ptp(second) > 0 or np.ptp(column) == 0
        before = compare(first, second) if varies else None
        after = compare(first, second, w[z == 1], w[z == 0]) if varies else None
        table.append(BalanceRow(name, mean_sd(first), mean_sd(second), before, after))
    return tuple(table)


def _group(values: npt.ArrayLike, name: str) -> Floats:
    group = finite_vector(values, f"The {name} group")
    if group.size < 2:
        raise ValueError(f"The {name} group has {group.size} values, but a deviation needs two or more.")
    return group


def _mean(group: Floats, weights: npt.ArrayLike | None, name: str) -> float:
    if weights is None:
        return float(group.mean())
    return float(np.average(group, weights=weight_vector(weights, group.size, f"The {name} weight")))


def _standardised(difference: float, variance1: float, variance0: float, group1: Floats, group0: Floats) -> float:
    deviation = math.sqrt((variance1 + variance0) / 2)
    if deviation == 0 or (np.ptp(group1) == 0 and np.ptp(group0) == 0):
        if group1[0] == group0[0]:
            return 0.0
        raise ValueError(
            f"All treated have {group1[0]:g} and all controls {group0[0]:g}: the groups do not vary, so "
            "their difference has no standard deviation to be measured in."
        )
    return difference / deviation


def mean_sd(values: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> MeanSd:
    """The mean and the standard deviation of one group, weighted if weights are given.

    Unweighted: n-1 variance. Weighted: sum w(x-m)^2 / (W - sum w^2 / W), W = sum w, which equals the n-1
    variance for equal weights. The unit is that of the values.

    Raises ValueError for no value, a missing value or impossible weights.

    >>> mean_sd([2, 4, 6])
    MeanSd(mean=4.0, sd=2.0, n=3)
    """
    group = finite_vector(values, "The value")
    if group.size == 0:
        raise ValueError("There is no value, so there is no mean.")
    w = np.ones(group.size) if weights is None else weight_vector(weights, group.size, "The weight")
    total = float(w.sum())
    mean = float((w * group).sum()) / total
    freedom = total - float(np.square(w).sum()) / total
    if int((w > 0).sum()) < 2:
        return MeanSd(mean, None, group.size)
    return MeanSd(mean, math.sqrt(float((w * np.square(group - mean)).sum()) / freedom), group.size)


def effective_sample_size(weights: npt.ArrayLike) -> float:
    """The effective sample size is the number of equally weighted participants that would be as precise.

    (sum w)^2 / sum w^2. Kish 1965, Survey Sampling, section 11.7.

    Raises ValueError for a missing or negative weight, or when all weights are zero.

    >>> effective_sample_size([1, 1, 0.5, 0.5])
    3.6
    """
    w = weight_vector(weights, np.size(weights), "The weight")
    w = w / w.max()
    return float(w.sum()) ** 2 / float(np.square(w).sum())
