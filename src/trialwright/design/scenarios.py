"""The scenarios of a design: `design.yaml`, read into frozen parts.

A scenario is a model of summaries, not of women: log-odds per standard deviation for who comes into which arm and for
who has the outcome, or the spread of a ratio between women. What happens to one woman is the rehearsal's.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from trialwright.core.finding import Finding, Refused, finding, unreadable
from trialwright.protocol.beside import Beside, Marks, field_wrong, parts_of
from trialwright.protocol.estimators import ESTIMATORS, kind_of
from trialwright.protocol.naming import nearest
from trialwright.protocol.protocol import Protocol
from trialwright.protocol.protocol import where as place

FILE = "design.yaml"
_BESIDE = Beside(FILE, "docs/verbs/design.md")
MOST_TRIALS = 1_000_000
#: Beyond so many women no simulation is needed.
MOST_WOMEN = 5_000


class Part(BaseModel):
    """A piece of the file: frozen, and nothing unknown may stand in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


#: So many standard deviations from the mean a threshold may lie: beyond it nobody comes in.
_FARTHEST = 5

Size: TypeAlias = Annotated[float, Field(ge=-1e6, le=1e6)]
Spread: TypeAlias = Annotated[float, Field(gt=0, le=1e6)]
Share: TypeAlias = Annotated[float, Field(gt=0, lt=1)]
#: Per standard deviation; beyond it everybody is in one arm.
LogOdds: TypeAlias = Annotated[float, Field(ge=-10, le=10)]


class TwoArmScenario(Part):
    """Two arms, not randomised: log-odds per standard deviation of each covariate, for the arm and for the outcome."""

    says: str
    source: str
    allocation: dict[str, LogOdds] = Field(default_factory=dict, description="Log-odds of the experimental arm.")
    outcome: dict[str, LogOdds] = Field(default_factory=dict, description="Log-odds of the outcome.")
    control: Share = Field(description="Risk of a control woman of average covariates.")
    odds_ratio: float = Field(
        gt=0, le=1000, description="Of the outcome, experimental against control, covariates alike."
    )
    missing: float = Field(
        default=0.0, ge=0, lt=1, description="Share whose outcome stays unknown, of control women as above."
    )
    missing_by: dict[str, LogOdds] = Field(default_factory=dict, description="Log-odds of staying unknown.")
    missing_if_outcome: LogOdds = Field(default=0.0, description="The same for a woman who has the outcome.")
    missing_if_treated: LogOdds = Field(default=0.0, description="The same in the experimental arm.")
    transfer: Share | None = Field(
        default=None, description="Share of control women who come to a transfer in time; `control` is then theirs."
    )
    transfer_by: dict[str, LogOdds] = Field(default_factory=dict, description="Log-odds of coming to it.")
    transfer_odds_ratio: float = Field(
        default=1.0, gt=0, le=1000, description="Of coming to it, experimental against control."
    )
    without_transfer: Literal["no", "missing"] = Field(
        default="no", description="What a woman without a transfer counts as."
    )


def _sizes(sizes: tuple[int, ...]) -> tuple[int, ...]:
    if not sizes or not all(12 <= one <= MOST_WOMEN for one in sizes):
        raise ValueError(f"a comparison needs 12 to {MOST_WOMEN:,} women")
    return sizes


def _few(sizes: tuple[int, ...]) -> tuple[int, ...]:
    if not sizes or not all(2 <= one <= MOST_WOMEN for one in sizes):
        raise ValueError(f"sizes are from 2 to {MOST_WOMEN:,} women")
    return sizes


class TwoArmDesign(Part):
    """The comparison of a binary endpoint between two arms that were not randomised."""

    endpoint: str
    women: Annotated[tuple[int, ...], AfterValidator(_sizes)] = Field(
        description="Sizes; the first is the planned one."
    )
    treated: Share = Field(default=0.5, description="Share in the experimental arm, of average covariates.")
    correlations: dict[str, float] = Field(default_factory=dict, description="Between covariates, as `age~amh`.")
    scenarios: dict[str, TwoArmScenario]


class RatioScenario(Part):
    """A ratio clustered in women: how many there are of each, and how alike those of one woman are."""

    says: str
    source: str
    ratio: Share
    alike: float = Field(ge=0, lt=1, description="Intra-cluster correlation, of a beta-binomial.")
    mean: float = Field(gt=0, le=1000, description="Mean number of the denominator per woman, of a Poisson.")


class RatioDesign(Part):
    """The ratio of sums of one arm."""

    endpoint: str
    women: Annotated[tuple[int, ...], AfterValidator(_few)]
    scenarios: dict[str, RatioScenario]


class LossScenario(Part):
    """Who is lost before the answer is known, and what she counts as."""

    says: str
    source: str
    with_event: float = Field(ge=0, lt=1, description="Share lost of the women who have the event.")
    without_event: float = Field(ge=0, lt=1, description="Share lost of those who have not.")
    counts: Literal["no", "excluded"]


class ProportionDesign(Part):
    """The proportion of one arm, by enumeration of every result."""

    endpoint: str
    women: Annotated[tuple[int, ...], AfterValidator(_few)]
    rates: tuple[Share, ...] = Field(min_length=1)
    source: str
    lost: dict[str, LossScenario] = Field(default_factory=dict, description="Beside nobody lost: ways to lose women.")


class ChangeScenario(Part):
    """A value measured at screening, again, and after; women are let in by what screening showed."""

    says: str
    source: str
    mean: Size = Field(description="Mean of women's own values, of all who come for screening.")
    sd: Spread = Field(description="Standard deviation between women's own values.")
    error: Spread = Field(description="Standard deviation of one measurement around a woman's own value.")
    enters: Literal["below", "above", "everybody"]
    threshold: Size = 0.0
    effect: Size = Field(default=0.0, description="What is added to her own value.")

    @model_validator(mode="after")
    def _somebody_enters(self) -> ChangeScenario:
        far = abs(self.threshold - self.mean) / hypot(self.sd, self.error)
        if self.enters != "everybody" and far > _FARTHEST:
            raise ValueError(f"the threshold lies {far:.1f} standard deviations from the mean; {_FARTHEST} is allowed")
        return self


def _pairs(sizes: tuple[int, ...]) -> tuple[int, ...]:
    if not sizes or not all(6 <= one <= 200 for one in sizes):
        raise ValueError("a change needs 6 to 200 women")
    return sizes


class ChangeDesign(Part):
    """The change of one arm from before to after, where a threshold may have let women in."""

    endpoint: str
    women: Annotated[tuple[int, ...], AfterValidator(_pairs)]
    scenarios: dict[str, ChangeScenario]


class DesignDocument(Part):
    """A whole design file."""

    seed: int = Field(default=1, ge=0)
    trials: int = Field(default=20_000, ge=100, le=MOST_TRIALS)
    two_arms: TwoArmDesign | None = None
    ratio: RatioDesign | None = None
    proportion: ProportionDesign | None = None
    change: ChangeDesign | None = None


def load_scenarios(protocol: Protocol, folder: str | Path) -> DesignDocument:
    """The scenarios beside a protocol; `Refused` with everything that is wrong with them."""
    file = Path(folder) / FILE
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError as wrong:
        raise Refused(finding("design_missing", path=file)) from wrong
    except (OSError, UnicodeDecodeError) as wrong:
        raise Refused(finding("file_unreadable", path=file, why=unreadable(wrong))) from wrong
    document, marks = parts_of(DesignDocument, text, _BESIDE)
    findings = list(_wrong(protocol, document, marks))
    if findings:
        raise Refused(*findings)
    return document


def correlation_matrix(
    names: tuple[str, ...], correlations: dict[str, float]
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The correlations of the covariates, in the order of `names`; 0 where none is given.

    >>> correlation_matrix(("age", "amh"), {"age~amh": -0.35}).tolist()
    [[1.0, -0.35], [-0.35, 1.0]]
    """
    matrix = np.eye(len(names))
    for pair, value in correlations.items():
        first, _, second = pair.partition("~")
        i, j = names.index(first), names.index(second)
        matrix[i, j] = matrix[j, i] = value
    return matrix


def _wrong(protocol: Protocol, document: DesignDocument, marks: Marks) -> Iterator[Finding]:
    """Names that the protocol does not have, endpoints of another kind, correlations that cannot all be true."""
    endpoints, analysis = protocol.document.endpoints, protocol.document.analysis
    parts = (
        ("two_arms", document.two_arms, "proportion"),
        ("ratio", document.ratio, "ratio"),
        ("proportion", document.proportion, "proportion"),
        ("change", document.change, "change"),
    )
    for key, part, kind in parts:
        if part is None:
            continue
        at = place(marks, (key, "endpoint"), FILE)
        if part.endpoint not in endpoints:
            yield finding(
                "reference_unknown", at, path=f"{key}.endpoint", name=part.endpoint, what="endpoints",
                nearest=nearest(part.endpoint, endpoints),
            )  # fmt: skip
        elif kind_of(endpoints[part.endpoint]) != kind:
            why = f"{part.endpoint} is a {kind_of(endpoints[part.endpoint])}, and a {kind} is needed"
            yield field_wrong(marks, (key, "endpoint"), why, _BESIDE)
    two = document.two_arms
    if two is None:
        return
    named = (analysis.methods.get(two.endpoint, ""), *analysis.sensitivity.get(two.endpoint, ()))
    if two.endpoint in endpoints and not any(name in ESTIMATORS and ESTIMATORS[name].compares for name in named):
        why = f"the analysis compares no arms in {two.endpoint}"
        yield field_wrong(marks, ("two_arms", "endpoint"), why, _BESIDE)
    if analysis.compare is None:
        why = "the analysis of the protocol compares no arms"
        yield field_wrong(marks, ("two_arms",), why, _BESIDE)
    asked = {f"correlations.{pair}": pair.split("~") for pair in two.correlations}
    for name, one in two.scenarios.items():
        asked |= {
            f"scenarios.{name}.{part}": list(getattr(one, part))
            for part in ("allocation", "outcome", "missing_by", "transfer_by")
        }
    unknown = False
    for path, names in asked.items():
        for name in names:
            if name not in analysis.covariates:
                unknown = True
                yield finding(
                    "reference_unknown", place(marks, ("two_arms", *path.split(".")), FILE),
                    path=f"two_arms.{path}", name=name, what="covariates of the analysis",
                    nearest=nearest(name, analysis.covariates),
                )  # fmt: skip
    if not unknown and np.linalg.eigvalsh(correlation_matrix(analysis.covariates, two.correlations)).min() <= 0:
        why = "these correlations cannot all be true at once"
        yield field_wrong(marks, ("two_arms", "correlations"), why, _BESIDE)
