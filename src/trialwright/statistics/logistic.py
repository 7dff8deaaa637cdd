"""The logistic regression of greatest likelihood, or the reason why there is none."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from trialwright.statistics.arguments import Floats

SUSPICIOUS_STEPS = 30
"""A likelihood with a maximum is climbed in about ten steps; this far on, separation is looked for."""

MOST_STEPS = 500
"""Far outliers in a covariate can need a hundred steps."""


class NoMaximumError(ValueError):
    """The likelihood has no maximum (`separated`), or is too flat to climb."""

    def __init__(self, separated: bool) -> None:
        super().__init__(
            "The covariates separate those with from those without the event, so the logistic regression has no "
            "estimate. Use fewer or coarser covariates, or Firth's penalty."
            if separated
            else "The likelihood is too flat to climb. Use fewer covariates, or covariates without far outliers."
        )
        self.separated = separated


@dataclass(frozen=True, slots=True, eq=False)
class LogisticFit:
    """The chance of the event for n rows, with the coefficients of `basis` and the inverse of their information.

    `influence`, of the shape of the basis, is by how much each row moved each coefficient.
    """

    chance: Floats
    coefficients: Floats
    covariance: Floats
    influence: Floats


def logistic_fit(event: Floats, basis: Floats) -> LogisticFit:
    """The logistic regression of `event` (0 or 1) on the columns of an orthonormal basis, by maximum likelihood.

    Newton's method; the step is halved while the likelihood falls. McCullagh and Nelder 1989, chapter 4.

    Raises NoMaximumError, which is a ValueError, where the columns separate the events or the likelihood is too flat.

    >>> basis = np.linalg.qr(np.array([[1.0, 1], [1, 1], [1, 1], [1, 0], [1, 0], [1, 0]]))[0]
    >>> [round(float(one), 3) for one in logistic_fit(np.array([1.0, 1, 0, 1, 0, 0]), basis).chance]
    [0.667, 0.667, 0.667, 0.333, 0.333, 0.333]
    """
    coefficients = np.zeros(basis.shape[1])
    predictor = np.zeros(event.size)
    for count in range(MOST_STEPS):
        if count == SUSPICIOUS_STEPS and _separated(event, basis):
            raise NoMaximumError(separated=True)
        chance = special.expit(predictor)
        information = basis.T @ (basis * (chance * (1 - chance))[:, None])
        try:
            change = np.linalg.solve(information, basis.T @ (event - chance))
        except np.linalg.LinAlgError:
            break
        step = basis @ change
        arrived = float(np.abs(step).max()) < 1e-8
        while _log_likelihood(event, predictor + step) < _log_likelihood(event, predictor) - 1e-9:
            step, change = step / 2, change / 2
        predictor, coefficients = predictor + step, coefficients + change
        if arrived:
            chance = special.expit(predictor)
            information = basis.T @ (basis * (chance * (1 - chance))[:, None])
            covariance = np.linalg.inv(information)
            score = basis * (event - chance)[:, None]
            return LogisticFit(chance, coefficients, covariance, np.linalg.solve(information, score.T).T)
    raise NoMaximumError(separated=_separated(event, basis))


def _log_likelihood(event: Floats, predictor: Floats) -> float:
    return float((event * predictor - np.logaddexp(0, predictor)).sum())


def _separated(event: Floats, basis: Floats) -> bool:
    """Some direction puts no event below and no other row above zero, and somebody off it.

    A linear programme after Konis 2007 and Albert and Anderson 1984, Biometrika 71:1: the sum of distances,
    each counted up to 1, is 0 without such a direction and at least 1 with it.
    """
    from scipy import optimize  # only on the way to an error

    n, columns = basis.shape
    signed = basis * np.where(event == 1, 1.0, -1.0)[:, None]
    found = optimize.linprog(
        np.concatenate([np.zeros(columns), -np.ones(n)]),
        A_ub=np.hstack([-signed, np.eye(n)]),
        b_ub=np.zeros(n),
        bounds=[(None, None)] * columns + [(0, 1)] * n,
    )
    return bool(found.status == 0 and -found.fun > 0.5)
