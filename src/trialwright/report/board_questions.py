"""How the trial stands in a sentence, and the questions that the board must answer, those that cannot wait first."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.core.truth import Truth
from trialwright.report.board import Board, serious_in
from trialwright.report.numbers import plural
from trialwright.trial.decide_safety import BOUNDARY
from trialwright.views.alerts import AlertRow, BoundaryView
from trialwright.views.cutoff import arms_shown
from trialwright.views.graded_events import BEFORE
from trialwright.views.product import Outstanding
from trialwright.views.serious_events import SeriousEvent, late_reports

_LAST = "Do the figures of this report still allow the trial to go on as it is: continue, modify, pause or stop?"


def status(board: Board) -> str:
    """Whether the trial is paused, since when and by what."""
    paused = [row for row in board.alerts if row.standing == "paused"]
    if not paused:
        waiting = sum(row.standing == "open" for row in board.alerts)
        more = f" Alerts without a pause that await a review: {waiting}." if waiting else ""
        return f"The trial is NOT paused on {board.cut.today}.{more}"
    stopped = [row for row in paused if row.decision == "stop"]
    if stopped:
        last = stopped[-1]
        return f"The trial is STOPPED: the board decided so on {last.reviewed} on alert {last.alert}: {last.reason}"
    whys = "; ".join(f"{row.alert} since {_since(row)}: {row.says.rstrip('.')}" for row in paused)
    return f"The trial is PAUSED on {board.cut.today}: nobody may be treated. {whys}."


def _since(row: AlertRow) -> str:
    return row.raised_at.replace("T", " ")


def boundary_sentence(board: Board) -> str:
    """How the events stand against the boundary, how many more would pause, and what rate is still possible."""
    return boundary_told(board.boundary)


def boundary_told(told: BoundaryView | None) -> str:
    """The same of a boundary that is at hand."""
    if told is None:
        return "The protocol has no boundary."
    if not told.steps:
        return f"Nobody has been treated yet. {told.says}"
    last = told.steps[-1]
    crossed = ", ".join(f"{step.women} of {step.treated}" for step in told.steps if step.crossed)
    stands = f"It was CROSSED at {crossed}." if crossed else "It is not crossed."
    limit = f"The trial pauses at {last.pause_at} of {last.treated}." if last.pause_at is not None else ""
    return " ".join(part for part in (told.says, limit, stands) if part)


def questions(board: Board) -> list[str]:
    """What the board must answer, most pressing first; the last question is always the recommendation."""
    return [*_alerts(board), *_boundary(board), *_serious(board), *_product(board), _LAST]


def _alerts(board: Board) -> Iterator[str]:
    for row in board.alerts:
        if row.decision == "stop":
            yield f"Alert {row.alert}: the board decided on {row.reviewed} to stop. Does that stand?"
        elif row.standing == "paused":
            since = f"since {_since(row)} ({row.days} days)"
            yield f"Alert {row.alert} has paused the trial {since}: {row.says} May it go on, and how?"
        elif row.standing == "open":
            yield f"Alert {row.alert} of {row.on} awaits a review: {row.says} Does it change anything?"


def _boundary(board: Board) -> Iterator[str]:
    told = board.boundary
    if told is None or not told.steps:
        return
    last = told.steps[-1]
    if last.crossed and not any(row.standing == "paused" and row.trigger == BOUNDARY for row in board.alerts):
        yield f"The boundary is crossed: {last.women} of {last.treated}. Is the risk still acceptable?"
    elif last.pause_at is not None and 0 < last.pause_at - last.women <= 1:
        yield f"One more woman with an event would reach the boundary ({last.women} of {last.treated}). Act before it?"
    doubtful = [f"{one.participant} {one.record}" for one in told.counted if one.still is not Truth.YES]
    if doubtful:
        yield f"Counted at the boundary, but by what is recorded now not certainly so: {', '.join(doubtful)}. Why?"


def _serious(board: Board) -> Iterator[str]:
    rows = [row for arm in (*arms_shown(board.cut), BEFORE) for row in serious_in(board, arm)]
    doubts: tuple[tuple[list[SeriousEvent], str], ...] = (
        ([row for row in rows if row.serious is Truth.UNKNOWN], "It is not known whether these are serious: {}."),
        (
            [row for row in rows if row.related_sponsor == "not recorded"],
            "The sponsor has not judged the relatedness of {}. Does the board hold it related?",
        ),
        (
            [row for row in rows if row.grading is not None and row.grading.agrees is Truth.NO],
            "The recorded grade is not one that the facts allow for {}. Which grade holds?",
        ),
        ([row for row in rows if row.unexpected is Truth.UNKNOWN], "Whether it was expected is not known for {}."),
    )
    for found, words in doubts:
        if found:
            yield words.format(_named(found))
    late = late_reports(rows)
    overdue = [row for row in late if row.due.standing == "overdue"]
    if overdue:
        since = overdue[0].due.due_local.removeprefix("end of ")[:10]
        yield (
            f"{plural(len(overdue), 'report')} to authorities, committees or the sponsor "
            f"{'is' if len(overdue) == 1 else 'are'} overdue at the end of {board.cut.today}; "
            f"the longest is that to the {overdue[0].due.to_whom} about {overdue[0].participant}, "
            f"due {since}. Were they sent and not recorded, or not sent?"
        )


def _named(rows: list[SeriousEvent]) -> str:
    named = (f"{row.participant} {row.term.replace('_', ' ')} ({row.on or 'day unknown'})" for row in rows)
    return ", ".join(dict.fromkeys(named))


def _product(board: Board) -> Iterator[str]:
    for lot, given in board.recalled:
        if given:
            who = ", ".join(dict.fromkeys(row.participant for row in given))
            yield f"Lot {lot} was recalled after it had been given to {who}. What follow-up do they need?"
    waiting = [row for product in board.products for row in product.outstanding if row.given_to]
    if waiting:
        listed = "; ".join(
            f"{row.what} {row.identity} to {', '.join(row.given_to)} ({_missing(row)})" for row in waiting
        )
        yield f"Given while a result is still not known: {listed}. Are the women watched until it is?"
    lost = [row.unit for product in board.products for row in product.unreconciled]
    if lost:
        yield f"Nobody has accounted for what is left of {', '.join(lost)}. Where is it?"


def _missing(row: Outstanding) -> str:
    return " ".join(row.outstanding) or "its final release"
