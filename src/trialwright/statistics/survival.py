"""The time to an event, when some have not had it yet."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics.arguments import Floats, finite_vector, require_confidence, rows
from trialwright.statistics.covariates import covariate_matrix
from trialwright.statistics.logistic import NoMaximumError, logistic_fit


@dataclass(frozen=True, slots=True, eq=False)
class KaplanMeier:
    """At each time with an event: how many were at risk, had it, and the share still without it, with limits.

    `standard_error` is Greenwood's; limits are None where nobody or everybody had the event by then. After `last`,
    the last time that anybody was seen, nothing is known.
    """

    times: Floats
    at_risk: npt.NDArray[np.int64]
    events: npt.NDArray[np.int64]
    survival: Floats
    standard_error: Floats
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    last: float


@dataclass(frozen=True, slots=True)
class LogRank:
    """Chi-square with one degree of freedom, its p, and events seen and expected in the first group."""

    statistic: float
    p_value: float
    events: int
    expected: float


@dataclass(frozen=True, slots=True)
class DiscreteTime:
    """The log odds ratio of the event in an interval, treated against control, with its interval.

    `person_intervals` counts intervals at risk, `events` those in which the event came.
    """

    log_odds_ratio: float
    standard_error: float
    lower: float
    upper: float
    person_intervals: int
    events: int
    warnings: tuple[str, ...]


def kaplan_meier(time: npt.ArrayLike, event: npt.ArrayLike, confidence: float = 0.95) -> KaplanMeier:
    """The Kaplan-Meier curve is the share without the event over time, censored participants counted while seen.

    S(t) = prod (1 - d/n); standard error S sqrt(sum d/(n(n-d))) (Greenwood 1926); limits on log(-log S). By scipy.
    Kaplan and Meier 1958, J Am Stat Assoc 53:457; Kalbfleisch and Prentice 2002, section 1.4.

    `time` is 0 or more, `event` 1 where it came and 0 where she was last seen without it. Raises ValueError for no
    participant, missing or negative times, or another event.

    >>> curve = kaplan_meier([2, 3, 3, 5, 8], [1, 1, 0, 1, 0])
    >>> curve.times.tolist(), curve.survival.round(3).tolist(), curve.at_risk.tolist()
    ([2.0, 3.0, 5.0], [0.8, 0.6, 0.3], [5, 4, 2])
    """
    from scipy import stats  # slow to import

    require_confidence(confidence)
    t, d = _times(time, event)
    sample = stats.CensoredData(uncensored=t[d == 1], right=t[d == 0])
    last = float(t.max())
    if not np.any(d == 1):
        empty = np.empty(0)
        return KaplanMeier(empty, empty.astype(np.int64), empty.astype(np.int64), empty, empty, (), (), last)
    found = stats.ecdf(sample).sf
    times = np.unique(t[d == 1])
    at_risk = np.array([int((t >= one).sum()) for one in times])
    events = np.array([int(((t == one) & (d == 1)).sum()) for one in times])
    survival = np.asarray(found.evaluate(times), dtype=np.float64)
    inside = survival > 0
    greenwood = np.zeros(times.size)
    greenwood[inside] = np.cumsum(events[inside] / (at_risk[inside] * (at_risk[inside] - events[inside])))
    z = float(special.ndtri((1 + confidence) / 2))
    lower: list[float | None] = []
    upper: list[float | None] = []
    for share, variance in zip(survival, greenwood, strict=True):
        if share <= 0:
            lower.append(None)
            upper.append(None)
            continue
        reach = z * float(np.sqrt(variance)) / abs(float(np.log(share)))
        lower.append(float(share ** np.exp(reach)))
        upper.append(float(share ** np.exp(-reach)))
    return KaplanMeier(
        times, at_risk, events, survival, survival * np.sqrt(greenwood), tuple(lower), tuple(upper), last
    )


def survival_at(curve: KaplanMeier, time: float) -> tuple[float, float]:
    """The share without the event at a time, and its standard error.

    Raises ValueError for a time before 0, or after the last time that anybody was seen, unless all had the event.

    >>> share, error = survival_at(kaplan_meier([2, 3, 3, 5, 8], [1, 1, 0, 1, 0]), 4)
    >>> round(share, 3), round(error, 3)
    (0.6, 0.219)
    """
    if not time >= 0:
        raise ValueError(f"The time is {time}, but it is 0 or more.")
    if time > curve.last and (curve.survival.size == 0 or curve.survival[-1] > 0):
        raise ValueError(f"Nobody was seen after {curve.last:g}, so nothing is known of {time:g}.")
    position = int(np.searchsorted(curve.times, time, side="right"))
    if position == 0:
        return 1.0, 0.0
    return float(curve.survival[position - 1]), float(curve.standard_error[position - 1])


def log_rank(time1: npt.ArrayLike, event1: npt.ArrayLike, time2: npt.ArrayLike, event2: npt.ArrayLike) -> LogRank:
    """The log-rank test compares the events of two groups with those expected if their hazards were the same.

    (sum (d1 - d n1/n))^2 / sum d (n1/n)(1 - n1/n)(n-d)/(n-1). Mantel 1966, Cancer Chemother Rep 50:163.

    Raises ValueError for an empty group, what `kaplan_meier` refuses, or where the groups were never at risk together
    when an event came.

    >>> round(log_rank([2, 3, 5], [1, 1, 1], [4, 6, 8], [1, 0, 1]).statistic, 3)
    2.557
    """
    (t1, d1), (t2, d2) = _times(time1, event1), _times(time2, event2)
    difference = expected = variance = 0.0
    for one in np.unique(np.concatenate([t1[d1 == 1], t2[d2 == 1]])):
        n1, n2 = int((t1 >= one).sum()), int((t2 >= one).sum())
        first = int(((t1 == one) & (d1 == 1)).sum())
        d, n = first + int(((t2 == one) & (d2 == 1)).sum()), n1 + n2
        expected += d * n1 / n
        difference += first - d * n1 / n
        variance += d * n1 * n2 * (n - d) / (n * n * (n - 1)) if n > 1 else 0.0
    if variance == 0:
        raise ValueError("No event came while both groups were at risk, so the test has nothing to compare.")
    statistic = difference**2 / variance
    return LogRank(statistic, float(special.chdtrc(1, statistic)), int(d1.sum()), expected)


def discrete_time_logistic(
    interval: npt.ArrayLike,
    event: npt.ArrayLike,
    treated: npt.ArrayLike,
    covariates: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    *,
    names: Sequence[str] = (),
) -> DiscreteTime:
    """The discrete-time logistic model compares the odds of the event in each interval, such as a transfer.

    Each participant counts once for every interval up to her last; logit P(event) = interval + treated + covariates.
    The event ends her time, so that the person-intervals are a likelihood of hers and standard errors are those of
    maximum likelihood. Cox 1972, J R Stat Soc B 34:187; Singer and Willett 1993, J Educ Stat 18:155.

    `interval` is the last interval of each of n participants, from 1; `event` is 1 where the event came in it. An
    interval in which the event came to nobody, or to everybody at risk, holds no information and is left out with a
    warning. Raises ValueError for what `kaplan_meier` refuses, intervals that are not whole, an empty arm, collinear
    covariates, or covariates that separate the events.

    >>> found = discrete_time_logistic([1, 2, 3, 2, 1, 1, 2, 3], [1, 1, 0, 0, 1, 0, 1, 1], [0, 0, 0, 0, 1, 1, 1, 1])
    >>> round(found.log_odds_ratio, 2), found.person_intervals, found.events
    (0.9, 15, 5)
    """
    require_confidence(confidence)
    k, d = _times(interval, event)
    if np.any(k != np.floor(k)) or np.any(k < 1):
        raise ValueError("An interval is not a whole number from 1.")
    z = finite_vector(treated, "The arm")
    if z.size != k.size or not np.all((z == 0) | (z == 1)):
        raise ValueError("The arm is 1 (treated) or 0 (control) for each participant.")
    for arm, name in ((1, "treated"), (0, "control")):
        if not np.any(z == arm):
            raise ValueError(f"The {name} arm is empty, so there is nothing to compare.")
    x = np.empty((k.size, 0)) if covariates is None else covariates
    checked = covariate_matrix(x, k.size, names)
    whose = np.repeat(np.arange(k.size), k.astype(np.int64))
    when = np.concatenate([np.arange(1, int(last) + 1) for last in k])
    came = ((when == k[whose]) & (d[whose] == 1)).astype(np.float64)
    total, events = came.size, int(came.sum())
    told = [int(one) for one in np.unique(when) if 0 < came[when == one].mean() < 1]
    warnings = list(checked.warnings) if covariates is not None else []
    silent = sorted(set(when.tolist()) - set(told))
    if silent:
        listed = ", ".join(str(one) for one in silent)
        warnings.append(f"In interval {listed} the event came to nobody or to everybody, so it was left out.")
    if not told:
        raise ValueError("In no interval did the event come to some and not to others, so nothing can be compared.")
    kept = np.isin(when, told)
    whose, when, came = whose[kept], when[kept], came[kept]
    design = np.column_stack([*(when == one for one in told), z[whose], checked.standardised[whose]]).astype(np.float64)
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ValueError("Arm, intervals and covariates determine one another, so their effects cannot be told apart.")
    basis, change = np.linalg.qr(design)
    try:
        fitted = logistic_fit(came, basis)
    except NoMaximumError as none:
        raise ValueError(
            "Arm and covariates separate the events: an odds ratio is infinite. Use Firth's penalty on the "
            "person-intervals, or fewer covariates."
        ) from none
    back = np.linalg.inv(change)
    position = len(told)
    estimate = float((back @ fitted.coefficients)[position])
    error = float(np.sqrt((back @ fitted.covariance @ back.T)[position, position]))
    reach = float(special.ndtri((1 + confidence) / 2)) * error
    return DiscreteTime(estimate, error, estimate - reach, estimate + reach, total, events, tuple(warnings))


def _times(time: npt.ArrayLike, event: npt.ArrayLike) -> tuple[Floats, Floats]:
    t, d = finite_vector(time, "The time"), finite_vector(event, "The event")
    if t.size != d.size:
        raise ValueError(f"{t.size} times and {d.size} events do not describe the same participants.")
    if t.size == 0:
        raise ValueError("There is no participant, so there is no time to an event.")
    if np.any(t < 0):
        raise ValueError(f"The time is negative in {rows(np.flatnonzero(t < 0))}.")
    if not np.all((d == 0) | (d == 1)):
        raise ValueError(f"The event is neither 1 nor 0 in {rows(np.flatnonzero((d != 0) & (d != 1)))}.")
    return t, d
