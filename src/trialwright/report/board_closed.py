"""The closed part of the board's report, for the board alone: what it must know first, then arm by arm."""

from __future__ import annotations

from markupsafe import Markup

from trialwright.core.truth import Truth
from trialwright.render.page import Section, figure, page
from trialwright.render.table import Column
from trialwright.report.board import Board, arm_name, first_product_day, serious_counts
from trialwright.report.board_exposed import adherence, baseline, exposure, infusion_list
from trialwright.report.board_outcomes import children_table, late_results, pregnancies
from trialwright.report.board_questions import boundary_sentence, questions, status
from trialwright.report.board_tables import (
    UNKNOWN,
    alert_table,
    captioned,
    event_table,
    lines,
    page_banner,
    page_footer,
    pairs,
    paragraphs,
    pause_table,
    share,
    since_sentence,
    tabled,
)
from trialwright.report.figures import boundary_figure
from trialwright.report.numbers import percent, whole, words
from trialwright.statistics.binomial import clopper_pearson_upper
from trialwright.trial.clocks import Due
from trialwright.views.graded_events import BEFORE, Grading
from trialwright.views.serious_events import SeriousEvent

_PART = "Closed part: for members of the safety board alone."
_ORDER = ("overdue", "at once", "running", "unknown", "open question", "not yet counted", "sent late", "sent in time")
#: Printed without the list of contents, so that the first page holds all that comes first.
_ON_ONE_PAGE = "<style>@media print { .contents { display: none; } }</style>\n"
#: A line to write on.
_BLANK = Markup('<span style="display:block;min-width:24rem;height:2rem;border-bottom:1px solid #999"></span>')


def closed_html(board: Board) -> str:
    """The text of `board-closed.html`."""
    sections = [
        Section("glance", "What the board must know first", _glance(board)),
        Section("recommendation", "Recommendation of the board", _recommendation(board)),
        Section("boundary", "Boundary", _boundary(board)),
        Section("serious", "Serious adverse events and deaths", _serious(board)),
        Section("clocks", "Reports that are due", _clocks(board)),
        Section("events", "Adverse events", _events(board)),
        Section("alerts", "Alerts and pauses", alert_table(board) + pause_table(board)),
        Section("product", "Late results and recalls", late_results(board)),
        Section("exposure", "Exposure", exposure(board) + infusion_list(board)),
        Section("pregnancies", "Pregnancies by outcome", pregnancies(board)),
        Section("children", "Children", children_table(board)),
        Section("baseline", "Baseline", baseline(board)),
        Section("adherence", "Adherence to the drugs", adherence(board)),
    ]
    title = f"{board.cut.protocol.document.trial}: report to the safety board, closed part"
    return page(title, sections, page_banner(board, _PART), page_footer(board))


# ---------------------------------------------------------------- the first page


def _glance(board: Board) -> str:
    asked = Markup("").join(Markup("<li>{}</li>").format(one) for one in questions(board))
    coded = (
        "Arms are coded. Where one arm alone is given a product, its figures tell which one it is."
        if board.codes
        else "The allocation is sealed: the ledger does not know the arms, and all women are shown together."
        if board.masked
        else ""
    )
    return (
        _ON_ONE_PAGE
        + paragraphs(status(board), strong=True)
        + paragraphs(since_sentence(board), f"Boundary: {boundary_sentence(board)}", *([coded] if coded else []))
        + _counts(board)
        + "<h3>What must be decided</h3>"
        + f"<ol>{asked}</ol>"
    )


def _counts(board: Board) -> str:
    columns = [
        Column("arm", "Arm"),
        Column("deaths", "Women who died / at risk", "right"),
        Column("women", "Women with a serious event / at risk", "right"),
        Column("upper", "Rate still possible", "right"),
        Column("events", "Serious events", "right"),
        Column("related", "Women with a related one", "right"),
        Column("unknown", "Women with one that may be serious", "right"),
    ]
    rows = [
        {
            "arm": whole(arm_name(board, one.arm)) if board.codes else arm_name(board, one.arm),
            "deaths": share(one.deaths, one.at_risk),
            "women": share(one.women, one.at_risk),
            "upper": f"≤ {percent(clopper_pearson_upper(one.women, one.at_risk))}" if one.at_risk else "any",
            "events": one.events,
            "related": f"{one.related} + {one.unjudged} not judged" if one.unjudged else one.related,
            "unknown": one.unknown,
        }
        for one in serious_counts(board)
        if one.arm != BEFORE or one.events or one.unknown
    ]
    notes = [
        "At risk: women allocated; before allocation, women who consented. Serious by the investigator's word or "
        "because a criterion is met. Rate still possible: one-sided 95 % Clopper-Pearson limit of women with a "
        "serious event. A death is known here only as an adverse event with death."
    ]
    return tabled(board, columns, rows, "Deaths and serious adverse events per arm", notes)


def _recommendation(board: Board) -> str:
    rows: list[tuple[str, object]] = [
        ("The trial should", Markup("☐ continue &emsp; ☐ continue, modified &emsp; ☐ pause &emsp; ☐ stop")),
        ("Modification, or what must happen first", _BLANK),
        ("Reasons", _BLANK),
        ("Next review, on or after so many women", _BLANK),
        ("Name, for the board", _BLANK),
        ("Date and signature", _BLANK),
    ]
    return pairs(board, rows, "Left empty for the board")


# ---------------------------------------------------------------- boundary


def _boundary(board: Board) -> str:
    told = board.boundary
    if told is None:
        return paragraphs("The protocol has no boundary.")
    drawing = boundary_figure(board)
    rows = [
        {
            "participant": one.participant,
            "record": words(one.record),
            "still": {Truth.YES: "yes", Truth.NO: "no", Truth.UNKNOWN: UNKNOWN}[one.still],
            "events": ", ".join(map(str, one.events)),
        }
        for one in told.counted
    ]
    columns = [
        Column("participant", "Participant"),
        Column("record", "Event"),
        Column("still", "Would count by what is recorded now"),
        Column("events", "Counted in event", "right"),
    ]
    posterior = told.steps[-1].posterior if told.steps else None
    chance = (
        "" if posterior is None else f" Chance that the true rate exceeds {percent(told.p0)}: {percent(posterior)}."
    )
    return (
        paragraphs(f"{boundary_sentence(board)}{chance}")
        + figure(drawing, captioned(board, f"Counted: {told.rule}, among women treated; unit: the woman"))
        + tabled(board, columns, rows, "Events that were counted")
    )


# ---------------------------------------------------------------- serious events


def _serious(board: Board) -> str:
    columns = [
        Column("who", "Participant, arm"),
        Column("event", "Event"),
        Column("related", "Related"),
        Column("expected", "Expected"),
        Column("outcome", "Outcome"),
        Column("grade", "Grade"),
        Column("next", "Most urgent report"),
    ]
    notes: list[str] = []
    for row in board.serious:
        notes += [f"{row.participant} {words(row.record)}: {doubt}" for doubt in row.doubts]
    count = len(board.serious)
    deaths = sum("death" in row.criteria for row in board.serious)
    caption = f"Events that are or may be serious ({count}, of them deaths: {deaths}), most urgent report first"
    return tabled(board, columns, [_serious_row(board, row) for row in board.serious], caption, notes)


def _serious_row(board: Board, row: SeriousEvent) -> dict[str, object]:
    day = first_product_day(board, row)
    from_first = "before any product, or day unknown" if day is None else f"day {day} from the first product"
    urgent = next((due for due in row.due if due.standing != "does not apply"), None)
    certain = {Truth.YES: "", Truth.NO: " (not serious by itself)", Truth.UNKNOWN: " (whether serious: unknown)"}
    filed = "filed by the site" if row.serious is Truth.NO else "no criterion is recorded"
    by = f"serious by: {', '.join(row.criteria)}" if row.criteria else filed
    return {
        "who": lines([row.participant, arm_name(board, row.arm)]),
        "event": lines([f"{words(row.term)}{certain[row.serious]}", whole(row.on or "day unknown"), from_first, by]),
        "related": lines([f"investigator: {row.related_investigator}", f"sponsor: {row.related_sponsor}"]),
        "expected": "not asked of a pregnancy"
        if row.serious is Truth.NO
        else lines([_expected(row), f"by {row.expected_from}"]),
        "outcome": row.outcome,
        "grade": _grade(row.grading),
        "next": _due(urgent) if urgent else "none",
    }


def _expected(row: SeriousEvent) -> str:
    return {Truth.YES: "UNEXPECTED", Truth.NO: "expected", Truth.UNKNOWN: UNKNOWN}[row.unexpected]


def _grade(grading: Grading | None) -> Markup | str:
    if grading is None:
        return "–"
    facts = ", ".join(map(str, grading.possible)) or "none"
    agrees = {Truth.YES: "agrees", Truth.NO: "DISAGREES", Truth.UNKNOWN: "open"}[grading.agrees]
    return lines([f"recorded: {grading.recorded}", f"by facts {facts}: {agrees}"])


def _due(due: Due) -> Markup:
    to = f"to {due.to_whom}"
    if due.sent_at:
        return lines([due.standing, to, whole(f"sent {_minute(due.sent_at)}")])
    return lines([_standing(due), to, whole(f"due {_minute(due.due_local)}") if due.due_local else "no date"])


def _minute(local: str) -> str:
    """Day and minute at the place, or the end of a day, without offset or zone, which a note tells."""
    return local.partition(",")[0] if local.startswith("end of") else local[:16].replace("T", " ")


def _standing(due: Due) -> str:
    if due.standing == "overdue" and due.left is not None:
        return f"OVERDUE by {-due.left.days} days" if -due.left.days > 1 else "OVERDUE"
    return "unknown whether due" if due.standing == "unknown" else due.standing


def _clocks(board: Board) -> str:
    found = [(row, due) for row in board.serious for due in row.due if due.standing != "does not apply"]
    found.sort(key=lambda pair: (_rank(pair[1]), pair[1].due_local or "9", pair[0].participant))
    rows = [
        {
            "standing": due.standing if due.sent_at else _standing(due),
            "who": lines([row.participant, words(row.term)]),
            "what": lines([due.what, f"{due.who} to {due.to_whom}"]),
            "due": whole(_minute(due.due_local) or "no date"),
            "sent": whole(_minute(due.sent_at)) if due.sent_at else "not recorded",
            "basis": due.basis,
        }
        for row, due in found
    ]
    columns = [
        Column("standing", "Standing"),
        Column("who", "Event"),
        Column("what", "Report"),
        Column("due", "Due"),
        Column("sent", "Sent"),
        Column("basis", "Basis"),
    ]
    unread = sorted({due.verified for _, due in found} - {"read"})
    zone = board.cut.protocol.document.zone
    notes = [f"Clocks are read at the end of {board.cut.today}; times are those of {zone}."]
    if unread:
        notes.append(f"A basis marked in brackets was not read in its own text: {', '.join(unread)}.")
    notes += list(dict.fromkeys(f"{due.rule}: {due.question}" for _, due in found if due.question))
    return tabled(board, columns, rows, f"Duties to report, most urgent first ({len(rows)})", notes)


def _rank(due: Due) -> int:
    standing = "sent in time" if due.standing == "at once" and due.sent_at else due.standing
    return _ORDER.index(standing) if standing in _ORDER else len(_ORDER)


# ---------------------------------------------------------------- adverse events


def _events(board: Board) -> str:
    since = [row for arm in board.arms for row in board.counts if row.arm == arm]
    made = event_table(board, since, "Adverse events since allocation")
    before = [row for row in board.counts if row.arm == BEFORE]
    if any(row.occurrences for row in before):
        return made + event_table(board, before, "Adverse events before allocation, of all women who consented")
    consented = before[0].at_risk if before else 0
    return made + paragraphs(f"Before allocation no adverse event was recorded of {consented} women who consented.")
