"""The design report: what was asked, what the analysis promises, and plainly where it does not keep its level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan
from typing import TypeAlias

from markupsafe import Markup, escape

from trialwright.design.before_after import ChangePerformance
from trialwright.design.characteristics import Boundary, Characteristics
from trialwright.design.one_arm import ProportionPerformance, RatioPerformance
from trialwright.design.scenarios import (
    ChangeScenario,
    DesignDocument,
    LossScenario,
    RatioScenario,
    TwoArmScenario,
)
from trialwright.design.two_arms import WEIGHTED, Performance
from trialwright.protocol.protocol import Protocol, label
from trialwright.render.page import Section, figure, page
from trialwright.render.shares import chances
from trialwright.render.table import Column, table
from trialwright.statistics.boundary import pause_ranges

Scenario: TypeAlias = TwoArmScenario | RatioScenario | LossScenario | ChangeScenario

NOMINAL = 0.95
#: How far from its level a coverage may lie, beyond Monte Carlo error, before the page says so.
NOTICE = 0.01
BANNER = "Simulated trials of the scenarios named here. Nobody was treated or observed; no efficacy may be inferred."


def design_html(protocol: Protocol, design: DesignDocument, found: Characteristics) -> str:
    """The text of `design.html`: self-contained."""
    sections = [Section("asked", "What was asked", _asked(design, found))]
    if found.two_arms:
        sections.append(Section("two-arms", "Two arms, not randomised", _two_arms(protocol, design, found)))
    if found.ratio:
        sections.append(Section("ratio", "A ratio clustered in women", _ratio(protocol, design, found.ratio)))
    if found.proportion:
        sections.append(Section("proportion", "A proportion", _proportion(protocol, design, found.proportion)))
    if found.change:
        sections.append(Section("change", "Before and after", _change(protocol, design, found.change)))
    if found.boundary is not None:
        sections.append(Section("boundary", "Safety boundary", _boundary(protocol, found.boundary)))
    document = protocol.document
    return page(f"{document.trial}: design", sections, BANNER, footer(protocol, found))


def footer(protocol: Protocol, found: Characteristics) -> str:
    """Which protocol, how many trials, which seed."""
    return (
        f"{protocol.document.trial} · protocol {protocol.digest[:12]} · {found.trials:,} trials per "
        f"scenario and size · seed {found.seed}"
    )


def off_level(found: Characteristics) -> list[str]:
    """Where an analysis covers too little or too much, each in a sentence; of exact limits, where it is too little."""
    told = [
        (f"{one.scenario}, {one.women} women", one.coverage, one.error)
        for one in found.two_arms
        if one.estimator == WEIGHTED and one.estimated
    ]
    told += [(f"{one.scenario}, {one.women} women", one.coverage, one.error) for one in found.ratio if one.estimated]
    told += [
        (f"{one.scenario}, {one.women} women, compared with {one.baseline}", one.coverage, one.error)
        for one in found.change
    ]
    told += [
        (f"{one.lost or 'nobody lost'}, {one.women} women, true rate {100 * one.rate:.0f} %", one.coverage, 0.0)
        for one in found.proportion
        if one.coverage < NOMINAL
    ]
    return [
        f"{where.replace('_', ' ')}: the interval holds the truth in {100 * coverage:.1f} % of trials, not in "
        f"{100 * NOMINAL:.0f} %."
        for where, coverage, error in told
        if abs(coverage - NOMINAL) > max(NOTICE, 2 * error)
    ]


def _asked(design: DesignDocument, found: Characteristics) -> str:
    rows = [
        {"name": name.replace("_", " "), "says": one.says, "source": one.source} for name, one in _scenarios(design)
    ]
    columns = [Column("name", "Scenario"), Column("says", "Assumes"), Column("source", "Source")]
    worse = off_level(found)
    said = (
        Markup("<ul>{}</ul>").format(Markup("").join(Markup("<li>{}</li>").format(one) for one in worse))
        if worse
        else Markup("<p>Nowhere that these trials could show it.</p>")
    )
    intro = Markup("<p>{}</p>").format(
        f"{found.trials:,} trials were simulated for every scenario and size, and analysed as the protocol plans; "
        "± is the Monte Carlo error. A scenario is a model of summaries; what happens to one woman is rehearsed, not "
        "designed."
    )
    heading = Markup("<h3>Where an analysis does not keep its level</h3>")
    return str(intro + Markup(table(columns, rows, "Scenarios")) + heading + said)


def _scenarios(
    design: DesignDocument,
) -> Iterator[tuple[str, TwoArmScenario | RatioScenario | LossScenario | ChangeScenario]]:
    """Every scenario of every part, with its name."""
    for part in (design.two_arms, design.ratio, design.change):
        if part is not None:
            yield from part.scenarios.items()
    if design.proportion is not None:
        yield from design.proportion.lost.items()


def _two_arms(protocol: Protocol, design: DesignDocument, found: Characteristics) -> str:
    two = design.two_arms
    assert two is not None, "shown only where it was asked"
    columns = [
        Column("scenario", "Scenario"),
        Column("women", "Women", "right"),
        Column("truth", "True difference", "right"),
        Column("bias", "Bias", "right"),
        Column("coverage", "Coverage of 95 %", "right"),
        Column("rejects", "Error or power", "right"),
        Column("width", "Mean width", "right"),
        Column("refused", "Not estimable", "right"),
        Column("naive_bias", "Unadjusted: bias", "right"),
        Column("naive", "its coverage", "right"),
    ]
    naive = {(one.scenario, one.women): one for one in found.two_arms if one.estimator != WEIGHTED}
    rows = [
        {
            "scenario": one.scenario.replace("_", " "), "women": one.women, "truth": _signed(one.truth),
            "bias": _signed(one.bias), "coverage": _share(one.coverage, one.error),
            "rejects": f"{_share(one.rejects)} {'error' if one.truth == 0 else 'power'}", "width": f"{one.width:.2f}",
            "refused": f"{one.refused:,}",
            "naive_bias": _signed(naive[one.scenario, one.women].bias),
            "naive": _share(naive[one.scenario, one.women].coverage),
        }
        for one in found.two_arms
        if one.estimator == WEIGHTED
    ]  # fmt: skip
    notes = [
        "The planned estimator is the difference with overlap weights, t(n - p - 1); unadjusted is Wald's. The true "
        "difference is that of the overlap population, by a crowd of a million; 0 where the odds ratio is 1.",
        "Error or power: how often the 95 % interval leaves 0 out. ± is the Monte Carlo standard error.",
        "A woman whose outcome stays unknown is left out, as planned; the true difference is that of all women. Where "
        "a scenario has transfers, the outcome is that of coming to one in time and having it.",
    ]
    sizes = _by_size(found.two_arms, "rejects")
    covers = _by_size(found.two_arms, "coverage")
    name = label(protocol, two.endpoint)
    return (
        table(columns, rows, f"{name}: the planned estimator beside one that adjusts for nothing", notes)
        + figure(
            chances(sizes, "Power and error by size", "women in all", "share of trials that leave 0 out",
                    {"0.05": 0.05, "0.80": 0.80}),
            "Overlap weights. A scenario without an effect shows the two-sided type I error.",
        )
        + figure(
            chances(covers, "Coverage by size", "women in all", "share of intervals that hold the truth",
                    {"0.95": 0.95}, (0.85, 1.0)),
            "Overlap weights, interval t(n - p - 1).",
        )
    )  # fmt: skip


def _by_size(rows: Sequence[Performance], what: str) -> dict[str, list[tuple[float, float]]]:
    curves: dict[str, list[tuple[float, float]]] = {}
    for one in rows:
        if one.estimator == WEIGHTED:
            curves.setdefault(one.scenario.replace("_", " "), []).append((float(one.women), float(getattr(one, what))))
    return {name: sorted(curve) for name, curve in curves.items()}


def _ratio(protocol: Protocol, design: DesignDocument, found: Sequence[RatioPerformance]) -> str:
    assert design.ratio is not None, "shown only where it was asked"
    columns = [
        Column("scenario", "Scenario"),
        Column("women", "Women", "right"),
        Column("ratio", "True ratio", "right"),
        Column("alike", "Intra-cluster correlation", "right"),
        Column("coverage", "Coverage of 95 %", "right"),
        Column("pooled", "pooled, clusters ignored", "right"),
        Column("width", "Mean width", "right"),
        Column("none", "Without limits", "right"),
    ]
    rows = [
        {
            "scenario": one.scenario.replace("_", " "), "women": one.women, "ratio": f"{one.ratio:.2f}",
            "alike": f"{one.alike:.2f}", "coverage": _share(one.coverage, one.error), "pooled": _share(one.pooled),
            "width": f"{one.width:.2f}",
            "none": f"{one.without_limits} of {one.trials}",
        }
        for one in found
    ]  # fmt: skip
    notes = [
        "Denominators are Poisson, numerators beta-binomial. A woman with a denominator of zero has no ratio.",
        "Where all units are alike there is no variance between women, and no limits: such trials are counted apart.",
    ]
    return table(columns, rows, f"{label(protocol, design.ratio.endpoint)}: ratio of sums, logit, t(k - 1)", notes)


def _proportion(protocol: Protocol, design: DesignDocument, found: Sequence[ProportionPerformance]) -> str:
    part = design.proportion
    assert part is not None, "shown only where it was asked"
    columns = [
        *([Column("lost", "Lost")] if part.lost else []),
        Column("women", "Women", "right"),
        Column("rate", "True rate", "right"),
        *([Column("bias", "Bias", "right")] if part.lost else []),
        Column("nobody", "Chance to see none", "right"),
        Column("upper", "One-sided 95 % upper limit if none", "right"),
        Column("coverage", "Coverage of Clopper-Pearson", "right"),
        Column("width", "Mean width", "right"),
    ]
    rows = [
        {
            "lost": one.lost.replace("_", " ") or "nobody", "bias": _signed(one.bias),
            "women": one.women, "rate": f"{100 * one.rate:.0f} %", "nobody": f"{100 * one.nobody:.1f} %",
            "upper": f"{100 * one.upper_if_nobody:.1f} %", "coverage": f"{one.coverage:.3f}",
            "width": f"{one.expected_width:.2f}",
        }
        for one in found
    ]  # fmt: skip
    notes = [f"Exact: every number of women with an event, by its chance. Rates: {part.source}"]
    if part.lost:
        notes.append("Where lost women are excluded, every number of women who are left counts by its chance too.")
    return table(columns, rows, label(protocol, part.endpoint), notes)


def _change(protocol: Protocol, design: DesignDocument, found: Sequence[ChangePerformance]) -> str:
    assert design.change is not None, "shown only where it was asked"
    columns = [
        Column("scenario", "Scenario"),
        Column("women", "Women", "right"),
        Column("baseline", "Compared with"),
        Column("effect", "True change", "right"),
        Column("regression", "Regression to the mean", "right"),
        Column("bias", "Bias", "right"),
        Column("coverage", "Coverage of 95 %", "right"),
        Column("rejects", "Error or power", "right"),
        Column("width", "Mean width", "right"),
    ]
    rows = [
        {
            "scenario": one.scenario.replace("_", " "), "women": one.women, "baseline": one.baseline,
            "effect": _signed(one.effect), "regression": _signed(one.regression), "bias": _signed(one.bias),
            "coverage": _share(one.coverage, one.error),
            "rejects": f"{_share(one.rejects)} {'error' if one.effect == 0 else 'power'}", "width": f"{one.width:.2f}",
        }
        for one in found
    ]  # fmt: skip
    notes = [
        "Women who come in by a low value have by chance a value below their own; the next one is higher though "
        "nothing was done. A value measured again before treatment is free of that. Regression: from theory, "
        "beside what the trials showed.",
    ]
    return table(columns, rows, f"{label(protocol, design.change.endpoint)}: Hodges-Lehmann, exact signed-rank", notes)


def _boundary(protocol: Protocol, found: Boundary) -> str:
    part = protocol.document.safety.boundary
    assert part is not None, "shown only where the protocol has one"
    told = found.table
    said = (
        f"The trial pauses when the chance that the true rate exceeds {100 * told.p0:.0f} % is above "
        f"{100 * told.threshold:.0f} %, from a Beta({told.a:g}, {told.b:g}) prior; consulted after each woman treated."
    )
    limits = [
        {"least": f"≥ {least}", "of": str(first) if first == last else f"{first} to {last}"}
        for least, first, last in pause_ranges(told.pause_at)
    ]
    columns = [
        Column("rate", "True rate", "right"),
        Column("pauses", "Chance that it ever pauses", "right"),
        Column("n", "Treated at the first pause or the end, mean", "right"),
    ]
    rows = [
        {
            "rate": f"{100 * one.rate:.0f} %{', acceptable' if abs(one.rate - told.p0) < 1e-9 else ''}",
            "pauses": f"{100 * one.pauses:.1f} %",
            "n": f"{one.expected_n:.1f} of {len(told.pause_at)}",
        }
        for one in found.characteristics
    ]
    curve = {"pauses the trial": [(one.rate, one.pauses) for one in found.characteristics]}
    return (
        f"<p>{escape(said)} Counted: <code>{escape(part.rule)}</code>.</p>"
        + table([Column("least", "Pause at", "right"), Column("of", "of so many treated", "right")], limits, "Boundary")
        + table(columns, rows, "How often it pauses, exactly", ["By dynamic programming; no Monte Carlo error."])
        + figure(chances(curve, "Chance that the boundary ever pauses the trial", "true rate", "chance"), said)
    )


def _signed(value: float) -> str:
    return "–" if isnan(value) else f"{value:+.3f}".replace("-", "−")


def _share(value: float, error: float | None = None) -> str:
    """A share with its Monte Carlo error; a dash where no trial could be estimated."""
    if isnan(value):
        return "–"
    return f"{value:.3f}" if error is None else f"{value:.3f} ± {error:.4f}"
