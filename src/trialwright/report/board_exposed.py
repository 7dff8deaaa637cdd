"""What the women of each arm brought with them and were given: baseline, exposure, infusions, drugs."""

from __future__ import annotations

from fractions import Fraction

from trialwright.protocol.protocol import label
from trialwright.render.table import Column
from trialwright.report.board import Board, arm_name
from trialwright.report.board_counts import Exposure, Spread, adherences, exposures
from trialwright.report.board_tables import paragraphs, share, tabled
from trialwright.report.numbers import decimal, percent, whole, words


def exposure(board: Board) -> str:
    """One table per intervention that gives a product, an arm per column."""
    groups: dict[str, list[Exposure]] = {}
    for row in exposures(board):
        groups.setdefault(row.intervention, []).append(row)
    return "".join(_exposure(board, name, rows) for name, rows in groups.items()) or paragraphs(
        "The protocol gives no product."
    )


def _exposure(board: Board, name: str, arms: list[Exposure]) -> str:
    shown = [one for one in arms if one.infusions or board.codes or len(arms) == 1]
    nothing = [arm_name(board, one.arm) for one in arms if one not in shown]
    columns = [Column("what", "")] + [Column(one.arm, arm_name(board, one.arm), "right") for one in shown]
    cells: dict[str, dict[str, object]] = {}
    for one in shown:
        for what, value in _measures(one):
            cells.setdefault(what, {"what": what})[one.arm] = value
    notes = ["Ratio of living cells to the plan. Median (least to greatest), n known of n given."]
    if nothing:
        notes.append(f"Nothing was given in: {', '.join(nothing)}.")
    return tabled(board, columns, list(cells.values()), f"Exposure: {label(board.cut.protocol, name)}", notes)


def _measures(one: Exposure) -> list[tuple[str, str]]:
    rows = [
        ("Women given / allocated", share(one.women, one.allocated)),
        ("Times given", str(one.infusions)),
        *(
            (f"– {outcome}", share(number, one.infusions))
            for outcome, number in one.outcomes
            if number or outcome in ("complete", "partial", "aborted")
        ),
        ("Dose prepared, ratio to plan", _spread(one.prepared, 3)),
        ("Dose delivered, ratio to plan", _spread(one.delivered, 3)),
        ("Prepared outside tolerance", _pair(one.prepared_outside)),
        ("Delivered outside tolerance", _pair(one.delivered_outside)),
        ("Ended after the unit had expired, of those known", share(*one.after_expiry)),
        ("Visits of the giving outside their window", share(*one.visits_outside)),
    ]
    rows += [(f"{name}, {unit}", _spread(spread, 1)) for name, unit, spread in one.measured]
    return rows


def _spread(one: Spread, places: int) -> str:
    if not one.of:
        return "nothing given"
    known = f"n = {one.known} of {one.of}"
    if one.middle is None:
        return f"unknown; {known}"
    middle, least, greatest = (decimal(each, places) for each in (one.middle, one.least, one.greatest))
    return f"{middle} ({least} to {greatest}), {known}"


def _pair(pair: tuple[int, int] | None) -> str:
    return share(*pair) if pair else "no tolerance named"


def infusion_list(board: Board) -> str:
    """The givings that were not as planned."""
    odd = [row for row in board.infusions if row.deviations or row.interruptions or row.outcome != "complete"]
    columns = [
        Column("who", "Participant"),
        Column("arm", "Arm"),
        Column("start", "Start"),
        Column("outcome", "Outcome"),
        Column("ratio", "Delivered to plan", "right"),
        Column("says", "What was not as planned"),
    ]
    rows = [
        {
            "who": row.participant,
            "arm": arm_name(board, row.arm),
            "start": whole(row.start),
            "outcome": row.outcome,
            "ratio": "unknown" if row.delivered_ratio is None else str(row.delivered_ratio),
            "says": " ".join(
                [
                    *row.deviations,
                    *(f"Interrupted at {one.began[11:] or one.began}: {one.why}." for one in row.interruptions),
                ]
            ),
        }
        for row in odd
    ]
    caption = f"Givings that were not as planned, of {len(board.infusions)}"
    return tabled(board, columns, rows, caption)


def baseline(board: Board) -> str:
    """The baseline table of the study report, under the names that the board sees."""
    columns = [Column("label", "Variable")]
    columns += [Column(arm, arm_name(board, arm), "right") for arm in board.arms]
    compared = any(row.difference is not None for row in board.study.analysis.baseline)
    if compared:
        columns.append(Column("difference", "Std. difference", "right"))
    rows = []
    for row in board.study.analysis.baseline:
        cells: dict[str, object] = {"label": f"{row.label}{f', {row.unit}' if row.unit else ''}"}
        for arm, (number, mean, sd) in row.by_arm.items():
            cells[arm] = f"{decimal(mean, 1)} ± {decimal(sd, 1)} (n = {number})" if number else "unknown (n = 0)"
        cells["difference"] = decimal(row.difference)
        rows.append(cells)
    notes = ["Mean ± standard deviation at allocation; n women with a known value."]
    if compared:
        notes.append("Standardised difference: above 0.1 is usually called an imbalance.")
    return tabled(board, columns, rows, "Baseline characteristics", notes)


def adherence(board: Board) -> str:
    """Amount used of amount planned, by arm and drug."""
    columns = [
        Column("arm", "Arm"),
        Column("drug", "Drug"),
        Column("courses", "Courses known / all", "right"),
        Column("used", "Used / planned", "right"),
        Column("spread", "Per course: median (range)", "right"),
        Column("notes", "Of these"),
    ]
    rows = []
    for one in adherences(board):
        told = one.of_courses
        of_course = (percent(each) for each in (told.middle, told.least, told.greatest))
        rows.append(
            {
                "arm": "all arms" if board.masked else arm_name(board, one.arm),
                "drug": words(one.drug),
                "courses": f"{one.known} / {one.courses} ({one.women} women)",
                "used": _amount(one.used, one.planned, one.unit),
                "spread": "{} ({} to {})".format(*of_course) if told.known else "unknown",
                "notes": f"{one.running} running, {one.changed} changed by a doctor",
            }
        )
    notes = ["Used is what was handed out less what came back; courses of which either is not known are left out."]
    return tabled(board, columns, rows, "Drugs: amount used of amount planned by the day of the cut-off", notes)


def _amount(used: Fraction, planned: Fraction, unit: str) -> str:
    if not planned:
        return "unknown"
    return f"{float(used):,.0f} / {float(planned):,.0f} {unit} ({percent(float(used / planned))})"
