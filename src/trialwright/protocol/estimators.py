"""The estimators that a protocol's analysis may name: what kind of endpoint each answers, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from trialwright.protocol.document import Endpoint

Kind: TypeAlias = Literal["proportion", "ratio", "change"]


@dataclass(frozen=True, slots=True)
class Estimator:
    """One estimator: the kinds of endpoint it answers, what it says in a plan, and what it needs to be asked.

    `compares` two arms, or describes each apart. `covariates` must be named where it adjusts for them. One that
    `ignores_clusters` is refused for a ratio unless the protocol says why (`analysis.pooled`).
    """

    says: str
    answers: tuple[Kind, ...]
    compares: bool = False
    covariates: bool = False
    ignores_clusters: bool = False


ESTIMATORS: dict[str, Estimator] = {
    # one arm
    "clopper_pearson": Estimator("proportion, Clopper-Pearson exact interval", ("proportion",)),
    "wilson": Estimator("proportion, Wilson score interval", ("proportion",)),
    "blaker": Estimator("proportion, Blaker exact interval", ("proportion",)),
    "ratio_logit_t": Estimator("ratio of sums, logit interval, t with clusters - 1", ("ratio",)),
    "korn_graubard": Estimator("ratio of sums, Korn-Graubard interval", ("ratio",)),
    "pooled_clopper_pearson": Estimator(
        "pooled proportion, Clopper-Pearson, clusters ignored", ("ratio",), ignores_clusters=True
    ),
    "hodges_lehmann": Estimator("pseudo-median change, Hodges-Lehmann, exact signed-rank interval", ("change",)),
    # two arms
    "overlap_weighted_difference": Estimator(
        "difference, overlap weights, sandwich with the estimated propensity score, t(n - p - 1)",
        ("proportion", "change"), compares=True, covariates=True,
    ),
    "augmented_overlap": Estimator(
        "difference, overlap weights augmented by an outcome model", ("proportion",), compares=True, covariates=True
    ),
    "ipw_ate": Estimator(
        "difference, inverse probability weights of all women", ("proportion",), compares=True, covariates=True
    ),
    "ipw_att": Estimator(
        "difference, inverse probability weights of women treated", ("proportion",), compares=True, covariates=True
    ),
    "g_computation": Estimator(
        "difference, g-computation over all women", ("proportion",), compares=True, covariates=True
    ),
    "multiple_imputation": Estimator(
        "overlap weights with missing outcomes imputed, Barnard-Rubin",
        ("proportion",), compares=True, covariates=True,
    ),
    "miettinen_nurminen": Estimator("difference, Miettinen-Nurminen score, unadjusted", ("proportion",), compares=True),
    "newcombe": Estimator("difference, Newcombe hybrid score, unadjusted", ("proportion",), compares=True),
    "firth": Estimator(
        "odds ratio, Firth logistic regression, profile interval", ("proportion",), compares=True, covariates=True
    ),
    "boschloo": Estimator("Boschloo exact test, unadjusted", ("proportion",), compares=True),
    "e_value": Estimator("E-value of the primary estimate", ("proportion",), compares=True, covariates=True),
    "tipping_point": Estimator(
        "tipping point of the missing outcomes", ("proportion",), compares=True, covariates=True
    ),
}  # fmt: skip


def kind_of(endpoint: Endpoint) -> Kind:
    """What an endpoint is: a proportion, a ratio or a change."""
    return "proportion" if endpoint.proportion else "ratio" if endpoint.ratio else "change"
