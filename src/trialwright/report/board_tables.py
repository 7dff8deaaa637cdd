"""Tables that both parts of the board's report share; every caption says the day of the data cut-off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup, escape

from trialwright.render.table import Column, table
from trialwright.report.board import Board, arm_name, news
from trialwright.report.marks import banner
from trialwright.report.numbers import percent, whole, words
from trialwright.views.alerts import AlertRow
from trialwright.views.graded_events import ANY, UNCLASSIFIED, EventCount

UNKNOWN = "unknown"
#: What alerts about the product say as their trigger; the others are named in the protocol.
PRODUCT = "product"


def tabled(
    board: Board,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, object]],
    caption: str,
    notes: Sequence[str] = (),
) -> str:
    """A table whose caption ends with the data cut-off; where there is no row, a sentence that says so."""
    if not rows:
        return paragraphs(f"{caption}: none (data cut-off {board.cut.today}).", *notes)
    cut = Markup('{} <span style="white-space:nowrap">· data cut-off {}</span>').format(caption, board.cut.today)
    return table(columns, rows, cut, notes)


def captioned(board: Board, caption: str) -> str:
    """A caption with the data cut-off, as plain text."""
    return f"{caption} · data cut-off {board.cut.today}"


def unmet(board: Board, text: str) -> str:
    """Why a product failed; where that is a requirement of the protocol, that it was not met."""
    for product in board.cut.protocol.document.products.values():
        donor = product.donor
        asked = [
            *product.release,
            *product.unit.release,
            *(donor.accept if donor else ()),
            *(donor.retest if donor else ()),
        ]
        for says in (one.says for one in asked):
            if text == says or text.endswith(f": {says}"):
                return f"{text.removesuffix(says)}not met: {says}"
    return text


def pairs(board: Board, rows: Sequence[tuple[str, object]], caption: str, notes: Sequence[str] = ()) -> str:
    """What and its value, line by line."""
    cells = [{"what": what, "value": value} for what, value in rows]
    return tabled(board, [Column("what", ""), Column("value", "")], cells, caption, notes)


def share(number: int, of: int) -> str:
    """A count with its denominator, and per cent where there is one.

    >>> share(1, 4), share(0, 0)
    ('1 / 4 (25.0 %)', '0 / 0')
    """
    return f"{number} / {of} ({percent(number / of)})" if of else f"{number} / {of}"


def lines(parts: Iterable[object]) -> Markup:
    """Several short texts, one below the other."""
    return Markup("<br>").join(escape(part) for part in parts)


def paragraphs(*texts: str, strong: bool = False) -> str:
    """Paragraphs of plain text."""
    form = Markup("<p><strong>{}</strong></p>") if strong else Markup("<p>{}</p>")
    return "".join(form.format(text) for text in texts)


def page_banner(board: Board, part: str) -> str:
    """What stands on every page: that the data are virtual, and for whom this part is."""
    mark = banner(board.study)
    return f"{mark} {part}" if mark else part


def page_footer(board: Board) -> str:
    """Where it comes from."""
    header, point = board.study.header, board.study.checkpoint
    return (
        f"{header.trial} · protocol {board.cut.protocol.digest[:12]} · trialwright {header.software} · "
        f"data cut-off {board.cut.today} · checkpoint {point.seq}:{point.digest[:16]}"
    )


def since_table(board: Board) -> str:
    """What came since the last review."""
    columns = [Column("what", "What"), Column("new", "New", "right"), Column("all", "In all", "right")]
    rows = [{"what": what[0].upper() + what[1:], "new": new, "all": in_all} for what, new, in_all in news(board)]
    if not board.since:
        columns, when = [columns[0], columns[2]], "since the trial began: no review is recorded"
        notes = ["The last review is that of the last alert, or the day given with --since."]
    else:
        when = f"since {board.since} ({board.since_from})"
        notes = [
            "New is what was first recorded after the end of that day (UTC); enrolment goes by its day. Counts of "
            "women, events or children as the line says."
        ]
    return tabled(board, columns, rows, f"What happened {when}", notes)


def since_sentence(board: Board) -> str:
    """The same in one paragraph, for the first page of the closed part."""
    told = news(board)
    if not board.since:
        listed = "; ".join(f"{what} {in_all}" for what, _, in_all in told)
        return f"Since the trial began (no review is recorded): {listed}."
    listed = "; ".join(f"{what} {new} of {in_all}" for what, new, in_all in told)
    return f"New since {board.since} ({board.since_from}), of all so far: {listed}."


def alert_table(board: Board, shared: bool = False) -> str:
    """The action log: every alert with the decision that was taken on it.

    What is `shared` of a masked trial names nobody who was given something.
    """
    columns = [
        Column("alert", "Alert"),
        Column("on", "Event of"),
        Column("raised", "Raised"),
        Column("says", "Why"),
        Column("standing", "Standing"),
        Column("days", "Days of pause", "right"),
        Column("decision", "Decision"),
        Column("by", "By, on"),
    ]
    rows = [
        {
            "alert": row.alert,
            "on": whole(row.on),
            "raised": whole(row.raised_at),
            "says": _alert_says(board, row, named=not (shared and board.masked)),
            "standing": {"paused": "PAUSED", "open": "review awaited", "reviewed": "reviewed"}[row.standing],
            "days": "no pause" if row.days is None else row.days,
            "decision": f"{row.decision}: {row.reason}" if row.decision else "none yet",
            "by": lines([row.reviewed_by, whole(row.reviewed)]) if row.decision else "–",
        }
        for row in board.alerts
    ]
    return tabled(board, columns, rows, "Alerts, and what was decided on them")


def _alert_says(board: Board, row: AlertRow, named: bool) -> str:
    about = f" ({row.participant} {words(row.record)})" if named and row.participant else ""
    given = f" Given to {', '.join(row.recipients)}." if named and row.trigger == PRODUCT and row.recipients else ""
    return f"{unmet(board, row.says)}{about}{given}"


def pause_table(board: Board) -> str:
    """The times in which nobody might be treated; nothing where there were none."""
    if not board.pauses:
        return paragraphs("The trial has never been paused by an alert.")
    columns = [
        Column("began", "Began"),
        Column("ended", "Ended"),
        Column("days", "Days", "right"),
        Column("alerts", "Alerts"),
    ]
    rows = [
        {
            "began": whole(one.began),
            "ended": whole(one.ended) if one.ended else "still paused",
            "days": one.days,
            "alerts": ", ".join(one.alerts),
        }
        for one in board.pauses
    ]
    notes = ["From when an alert was recorded, until its review was. Alerts that overlap count as one pause."]
    return tabled(board, columns, rows, "Times in which nobody might be treated", notes)


def event_table(board: Board, counts: Sequence[EventCount], caption: str) -> str:
    """Events by system and term: women with one of those at risk, by their worst grade, and events, per arm."""
    arms = list(dict.fromkeys(row.arm for row in counts))
    found = {(row.arm, row.system, row.term): row for row in counts}
    order = sorted(
        dict.fromkeys((row.system, row.term) for row in counts),
        key=lambda key: (key[0] != ANY, key[0] == UNCLASSIFIED, key[0], key[1] != ANY, key[1]),
    )
    columns = [Column("term", "System and term")]
    for arm in arms:
        prefix = f"{arm_name(board, arm)}: women" if len(arms) > 1 else "Women"
        columns += [
            Column(f"{arm} women", f"{prefix} with / at risk, by worst grade", "right"),
            Column(f"{arm} events", "Events", "right"),
            Column(f"{arm} related", "Related", "right"),
        ]
    rows = []
    for system, term in order:
        row: dict[str, object] = {"term": _term(system, term)}
        for arm in arms:
            one = found.get((arm, system, term))
            women = share(one.with_event if one else 0, found[arm, ANY, ANY].at_risk)
            row[f"{arm} women"] = lines([women, _worst(one)]) if one else women
            row[f"{arm} events"] = one.occurrences if one else 0
            row[f"{arm} related"] = _related(one)
        rows.append(row)
    notes = [
        "Unit of analysis: the woman, counted once per line, by her worst grade; G? where that is not certain. Events: "
        "how many there were. Related: women with an event that investigator or sponsor holds possible, probable or "
        "definite; ? women of whom nobody judged it.",
    ]
    return tabled(board, columns, rows, caption, notes)


def _term(system: str, term: str) -> Markup:
    if term != ANY:
        return Markup('<span class="indent">{}</span>').format(words(term))
    return Markup("<strong>{}</strong>").format("Any adverse event" if system == ANY else system)


def _worst(one: EventCount | None) -> str:
    grades = [(grade, number) for grade, number in (one.worst if one else ()) if number]
    return ", ".join(f"G{'?' if grade == 'unknown' else grade}: {number}" for grade, number in grades) or "no grade"


def _related(one: EventCount | None) -> str:
    if one is None:
        return "0"
    return f"{one.related} + {one.related_unknown} ?" if one.related_unknown else str(one.related)
