"""The open part of the board's report, for everybody who runs the trial: pooled, without a comparison of arms."""

from __future__ import annotations

from collections import Counter

from trialwright.protocol.protocol import label
from trialwright.render.page import Section, figure, page
from trialwright.render.table import Column
from trialwright.report.board import Board, arm_name
from trialwright.report.board_counts import failures, pace, pooled_events, quality
from trialwright.report.board_guideline import guideline, organisation, procedures
from trialwright.report.board_questions import status
from trialwright.report.board_tables import (
    alert_table,
    captioned,
    event_table,
    page_banner,
    page_footer,
    pairs,
    paragraphs,
    pause_table,
    share,
    since_table,
    tabled,
    unmet,
)
from trialwright.report.numbers import plural, words
from trialwright.views.graded_events import BEFORE

_PART = "Open part: may be shared with everybody who runs the trial."


def open_html(board: Board, enrolment: str) -> str:
    """The text of `board-open.html`; `enrolment` is the drawing of enrolment over time."""
    document = board.cut.protocol.document
    sections = [
        Section("standing", "Where the trial stands", _standing(board)),
        Section("actions", "What was reviewed before", alert_table(board, shared=True) + pause_table(board)),
        Section("enrolment", "Enrolment", _enrolment(board, enrolment)),
        Section("events", "Adverse events, all women together", _events(board)),
        Section("quality", "Data quality and deviations", _quality(board)),
        Section("product", "Product", _product(board)),
        Section("guideline", "Stopping guideline", guideline(board)),
        Section("procedures", "How adverse events are collected, graded and reported", procedures(board)),
        Section("organisation", "Organisation and synopsis", organisation(board)),
    ]
    title = f"{document.trial}: report to the safety board, open part"
    return page(title, sections, page_banner(board, _PART), page_footer(board))


# ---------------------------------------------------------------- standing and enrolment


def _standing(board: Board) -> str:
    so_far = pace(board)
    enrolled = f"{so_far.enrolled} of {so_far.planned} women are enrolled."
    return paragraphs(f"{status(board)} {enrolled}", strong=True) + since_table(board)


def _enrolment(board: Board, drawing: str) -> str:
    flow, so_far = board.study.flow, pace(board)
    protocol = board.cut.protocol
    weeks = f"{so_far.weeks:.0f} weeks" if so_far.weeks is not None else "an unknown time"
    until = "until the last place was taken" if so_far.over else "to the cut-off"
    rows: list[tuple[str, object]] = [
        ("Screened", flow.screened),
        ("Enrolled, of those screened", share(flow.enrolled, flow.screened)),
        ("Enrolled, of those planned", share(so_far.enrolled, so_far.planned)),
        ("Still in screening", flow.still_in_screening),
        ("Pace", f"{so_far.enrolled} women in {weeks} from the first screening {until}{_per_week(board)}"),
        ("Expected by now", "unknown: neither the record nor the protocol names a pace; only the planned number"),
    ]
    if not board.masked:
        rows += [(f"Allocated: {arm_name(board, arm.arm)}", f"{arm.allocated} women") for arm in flow.arms]
    left: Counter[str] = Counter()
    for one in flow.arms:
        left.update(dict(one.left))
    gone = "; ".join(f"{reason}: {number}" for reason, number in left.most_common()) or "none"
    rows.append(("Left the trial after enrolment", gone))
    quotes = {one.name: " ".join(one.quotes) or "(words lost from the record)" for one in protocol.criteria}
    failed: list[dict[str, object]] = [
        {"reason": name, "words": quotes.get(name, ""), "women": share(number, flow.not_enrolled)}
        for name, number in flow.criteria
    ]
    failed += [
        {"reason": reason, "words": "", "women": share(number, flow.not_enrolled)}
        for reason, number in flow.other_reasons
    ]
    columns = [Column("reason", "Reason"), Column("words", "Words of the record"), Column("women", "Women", "right")]
    notes = ["A woman counts under every criterion that spoke against her, so that the lines add up to more."]
    return (
        pairs(board, rows, "Enrolment")
        + figure(drawing, captioned(board, "Women screened and enrolled over time; dashed: the planned number"))
        + tabled(
            board, columns, failed, f"Screened and not enrolled: {flow.not_enrolled} of {flow.screened} women", notes
        )
    )


def _per_week(board: Board) -> str:
    so_far = pace(board)
    if not so_far.weeks or not so_far.enrolled:
        return ""
    return f": {so_far.enrolled / so_far.weeks * 4:.1f} women in 4 weeks"


# ---------------------------------------------------------------- events, data, product


def _events(board: Board) -> str:
    counts = pooled_events(board)
    since = [row for row in counts if row.arm != BEFORE]
    before = [row for row in counts if row.arm == BEFORE]
    made = event_table(board, since, "Adverse events since allocation, all arms together")
    if any(row.occurrences for row in before):
        caption = "Adverse events before allocation, of all women who consented"
        made += event_table(board, before, caption)
    else:
        consented = before[0].at_risk if before else 0
        made += paragraphs(f"Before allocation no adverse event was recorded of {consented} women who consented.")
    return made


def _quality(board: Board) -> str:
    told = quality(board)
    expected = told.held + told.missed + told.overdue
    outcome = told.outcome_known + told.outcome_unknown
    women = board.study.flow.enrolled
    endpoint = label(board.cut.protocol, board.study.flow.endpoint)
    rows: list[tuple[str, object]] = [
        ("Visits that took place, of those held, missed or overdue", f"{share(told.held, expected)} visits"),
        ("Visits missed, with a reason", f"{share(told.missed, expected)} visits"),
        ("Visits overdue, nothing recorded", f"{share(told.overdue, expected)} visits"),
        ("Visits of which it is not known whether they are due", told.undecided),
        ("Open queries", f"{told.queries} queries about {told.women_with_queries} women"),
        (f"Primary outcome not yet known ({endpoint})", f"{share(told.outcome_unknown, outcome)} women of its set"),
        ("Adverse events without a grade", f"{share(told.ungraded, told.events)} events"),
    ]
    kinds = Counter((row.kind, row.severity) for row in board.study.deviations)
    whose: dict[tuple[str, str], set[str]] = {}
    for row in board.study.deviations:
        whose.setdefault((row.kind, row.severity), set()).add(row.participant)
    listed = [
        {"kind": kind, "severity": severity, "number": number, "women": share(len(whose[kind, severity]), women)}
        for (kind, severity), number in sorted(kinds.items(), key=_gravest)
    ]
    columns = [
        Column("kind", "Kind"),
        Column("severity", "Severity"),
        Column("number", "Deviations", "right"),
        Column("women", "Women with one / enrolled", "right"),
    ]
    return pairs(board, rows, "How complete the data are") + tabled(
        board, columns, listed, f"Deviations of enrolled women, all arms together ({len(board.study.deviations)})"
    )


def _gravest(pair: tuple[tuple[str, str], int]) -> tuple[bool, int, str]:
    (kind, severity), number = pair
    return severity != "major", -number, kind


def _product(board: Board) -> str:
    return "".join(_of_product(board, index) for index in range(len(board.products))) or paragraphs(
        "The protocol has no product that is accounted for."
    )


def _of_product(board: Board, index: int) -> str:
    product = board.products[index]
    name = label(board.cut.protocol, product.product)
    lots = Counter(row.state for row in product.lots)
    given = sum(row.given for row in product.units)
    failed = failures(board, product.product)
    rejected = {row.unit for row in failed}
    rows: list[tuple[str, object]] = [
        (f"Lots {state}", f"{share(lots[state], len(product.lots))} lots")
        for state in ("released", "conditional", "registered", "rejected", "recalled")
        if lots[state] or state in ("released", "rejected", "recalled")
    ]
    rows += [
        ("Units given", f"{share(given, len(product.units))} units"),
        ("Units rejected", f"{share(len(rejected), len(product.units))} units"),
        ("Units not accounted for", f"{share(len(product.unreconciled), len(product.units))} units"),
        ("Released while a result is outstanding", plural(len(product.outstanding), "lot or unit", "lots or units")),
    ]
    if product.donors:
        states = Counter(row.state for row in product.donors)
        rows += [(f"Donors {state}", f"{share(n, len(product.donors))} donors") for state, n in sorted(states.items())]
    whys: dict[tuple[str, str], list[str]] = {}
    for row in failed:
        whys.setdefault((unmet(board, row.why) or "no reason is recorded", row.after), []).append(row.unit)
    columns = [
        Column("why", "Why"),
        Column("after", "Until then"),
        Column("number", "Units / all units", "right"),
        Column("units", "Which"),
    ]
    cells: list[dict[str, object]] = [
        {"why": words(why), "after": after, "number": share(len(units), len(product.units)), "units": ", ".join(units)}
        for (why, after), units in sorted(whys.items(), key=lambda pair: -len(pair[1]))
    ]
    return pairs(board, rows, f"{name}: lots and units") + tabled(
        board, columns, cells, f"{name}: units that were rejected, and why"
    )
