"""A difference between two arms that were not randomised, weighted to all, to the treated, or between."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import Floats, rows
from trialwright.statistics.weighting import OTHERS, WeightedDifference, Weights, compared, weighted_difference


def ate_weighted_difference(
    outcome: npt.ArrayLike, treated: npt.ArrayLike, covariates: npt.ArrayLike, confidence: float = 0.95,
    *, small_sample: bool = True, names: Sequence[str] = (),
) -> WeightedDifference:  # fmt: skip
    """Inverse probability weighting compares the arms among all participants: the average treatment effect.

    A treated participant weighs 1/e, a control 1/(1-e), with normalised weights; propensity, sandwich, correction,
    arguments, warnings and errors are those of `overlap_weighted_difference`. Lunceford and Davidian 2004, Stat Med
    23:2937. Also refused: a propensity so near to 0 or 1 that a weight is infinite.

    >>> x = np.array([[0], [0], [0], [0], [1], [1], [1], [1]])
    >>> result = ate_weighted_difference([1, 0, 0, 1, 1, 1, 0, 1], [1, 0, 0, 0, 1, 1, 1, 0], x)
    >>> round(result.estimate, 3)
    0.167
    """
    return weighted_difference(compared(outcome, treated, covariates, names), ate_weights, confidence, small_sample)


def ate_weights(e: Floats) -> Weights:
    """1/e and 1/(1-e).

    >>> ate_weights(np.array([0.25])).treated.tolist()
    [4.0]
    """
    _require_inside(e)
    poor = "so a few participants with very large weights stand for many, and the result rests on the propensity model"
    return Weights(1 / e, 1 / (1 - e), e - 1, e, poor)


def att_weighted_difference(
    outcome: npt.ArrayLike, treated: npt.ArrayLike, covariates: npt.ArrayLike, confidence: float = 0.95,
    *, small_sample: bool = True, names: Sequence[str] = (),
) -> WeightedDifference:  # fmt: skip
    """Weighting by the odds compares the arms among those like the treated: the effect in the treated.

    A treated participant weighs 1, a control e/(1-e), with normalised weights; the rest is that of
    `ate_weighted_difference`. Hirano and Imbens 2001, Health Serv Outcomes Res Methodol 2:259.

    >>> x = np.array([[0], [0], [0], [0], [1], [1], [1], [1]])
    >>> result = att_weighted_difference([1, 0, 0, 1, 1, 1, 0, 1], [1, 0, 0, 0, 1, 1, 1, 0], x)
    >>> round(result.estimate, 3)
    -0.083
    """
    return weighted_difference(compared(outcome, treated, covariates, names), att_weights, confidence, small_sample)


def att_weights(e: Floats) -> Weights:
    """1 and e/(1-e).

    >>> att_weights(np.array([0.75])).control.tolist()
    [3.0]
    """
    _require_inside(e)
    poor = "so a few controls with very large weights stand for many, and the result rests on the propensity model"
    return Weights(np.ones_like(e), e / (1 - e), np.zeros_like(e), np.ones_like(e), poor)


def matching_weighted_difference(
    outcome: npt.ArrayLike, treated: npt.ArrayLike, covariates: npt.ArrayLike, confidence: float = 0.95,
    *, small_sample: bool = True, names: Sequence[str] = (),
) -> WeightedDifference:  # fmt: skip
    """Matching weights compare the arms among those whom pair matching would keep.

    A treated participant weighs min(e, 1-e)/e, a control min(e, 1-e)/(1-e); the rest is that of
    `overlap_weighted_difference`. Li and Greene 2013, Int J Biostat 9:215. At a propensity of exactly 1/2, where
    the weight has a bend, the sandwich takes the side of the treated.

    >>> x = np.array([[0], [0], [0], [0], [1], [1], [1], [1]])
    >>> result = matching_weighted_difference([1, 0, 0, 1, 1, 1, 0, 1], [1, 0, 0, 0, 1, 1, 1, 0], x)
    >>> round(result.estimate, 3)
    0.167
    """
    return weighted_difference(
        compared(outcome, treated, covariates, names), matching_weights, confidence, small_sample
    )


def matching_weights(e: Floats) -> Weights:
    """min(e, 1-e)/e and min(e, 1-e)/(1-e).

    >>> matching_weights(np.array([0.75])).treated.round(3).tolist()
    [0.333]
    """
    _require_inside(e)
    treated, control = np.minimum(1.0, (1 - e) / e), np.minimum(1.0, e / (1 - e))
    more = e >= 0.5
    return Weights(treated, control, np.where(more, -1.0, 0.0), np.where(more, 0.0, 1.0), OTHERS)


def entropy_weighted_difference(
    outcome: npt.ArrayLike, treated: npt.ArrayLike, covariates: npt.ArrayLike, confidence: float = 0.95,
    *, small_sample: bool = True, names: Sequence[str] = (),
) -> WeightedDifference:  # fmt: skip
    """Entropy weights compare the arms in a population between the overlap population and everybody.

    With h = -e log e - (1-e) log(1-e), a treated participant weighs h/e, a control h/(1-e); the rest is that of
    `overlap_weighted_difference`. Zhou, Matsouaka and Thomas 2020, Stat Methods Med Res 29:3721.

    >>> x = np.array([[0], [0], [0], [0], [1], [1], [1], [1]])
    >>> result = entropy_weighted_difference([1, 0, 0, 1, 1, 1, 0, 1], [1, 0, 0, 0, 1, 1, 1, 0], x)
    >>> round(result.estimate, 3)
    0.167
    """
    return weighted_difference(compared(outcome, treated, covariates, names), entropy_weights, confidence, small_sample)


def entropy_weights(e: Floats) -> Weights:
    """h/e and h/(1-e), h the entropy of e.

    >>> entropy_weights(np.array([0.5])).treated.round(3).tolist()
    [1.386]
    """
    _require_inside(e)
    entropy = special.entr(e) + special.entr(1 - e)
    rate = e * (1 - e) * (np.log1p(-e) - np.log(e)) / entropy
    return Weights(entropy / e, entropy / (1 - e), rate - (1 - e), rate + e, OTHERS)


def _require_inside(e: Floats) -> None:
    edge = np.flatnonzero((e <= 0) | (e >= 1))
    if edge.size:
        raise ValueError(
            f"The propensity is 0 or 1 to the last digit in {rows(edge)}: nobody in the other arm is comparable, and a "
            "weight may be infinite. Use overlap weights, fewer or coarser covariates, or compare only participants "
            "who might have been in either arm."
        )
