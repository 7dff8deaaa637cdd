"""What the board goes by, in words and tables: the stopping guideline, how events are handled, and the synopsis."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from trialwright.core.finding import Refused
from trialwright.protocol.document import SafetyPolicy
from trialwright.protocol.grading import GradingPack, grading_pack
from trialwright.protocol.protocol import label
from trialwright.protocol.reporting import CAVEATS, cited, pack
from trialwright.render.table import Column
from trialwright.report.board import Board
from trialwright.report.board_tables import lines, pairs, paragraphs, tabled
from trialwright.report.numbers import decimal, percent, words
from trialwright.statistics.boundary import pause_ranges


def guideline(board: Board) -> str:
    """What stops or reviews the trial: single events, the boundary, and the spacing of the first women."""
    safety = board.cut.protocol.document.safety
    rows: list[dict[str, object]] = [
        {
            "says": one.says,
            "action": "pauses until reviewed" if one.action == "pause" else "asks for a review",
            "rule": Markup("<code>{}</code>").format(f"{one.of}: {one.rule}"),
            "unless": Markup("<code>{}</code>").format(one.unless) if one.unless else "–",
        }
        for one in safety.triggers.values()
    ]
    columns = [
        Column("says", "What"),
        Column("action", "The trial"),
        Column("rule", "Rule"),
        Column("unless", "Unless"),
    ]
    notes = [
        "A rule must certainly hold: what is not known raises no alert.",
        "A product that is called back, as when a late result fails, pauses the trial where somebody was given it, and "
        "asks for a review where nobody was.",
    ]
    return (
        tabled(board, columns, rows, "What stops or reviews the trial by one event", notes)
        + _boundary(board)
        + _sentinel(board, safety)
    )


def _boundary(board: Board) -> str:
    told = board.boundary
    if told is None:
        return paragraphs("The protocol has no boundary.")
    a, b = told.prior
    name = label(board.cut.protocol, told.intervention)
    planned = len(board.pause_at)
    said = (
        f"Among women who had {name}, each woman with an event that is “{told.rule}” is counted once. The trial pauses "
        f"when the chance that the true rate exceeds {percent(told.p0)} is above {percent(told.threshold)}, from a "
        f"Beta({a:g}, {b:g}) prior and what was seen."
    )
    fewer = ["As many women are treated here as the trial enrols in all; where fewer are, it pauses less often."]
    columns = [Column("least", "Pause at", "right"), Column("of", "of so many treated", "right")]
    rows: list[dict[str, object]] = [
        {"least": f"≥ {least}", "of": str(first) if first == last else f"{first} to {last}"}
        for least, first, last in pause_ranges(board.pause_at)
    ]
    chances = [
        Column("rate", "True rate", "right"),
        Column("pauses", "Chance that the trial ever pauses", "right"),
        Column("n", "Treated at the first pause or the end, mean", "right"),
    ]
    cells: list[dict[str, object]] = [
        {
            "rate": f"{percent(one.rate)}{', acceptable' if abs(one.rate - told.p0) < 1e-9 else ''}",
            "pauses": percent(one.pauses),
            "n": f"{decimal(one.expected_n, 1)} of {planned}",
        }
        for one in told.characteristics
    ]
    return (
        paragraphs(said)
        + tabled(board, columns, rows, "Women with an event that pause the trial", ["Unit: the woman."])
        + tabled(board, chances, cells, f"How often the boundary pauses a trial of {planned} women treated", fewer)
    )


def _sentinel(board: Board, safety: SafetyPolicy) -> str:
    one = safety.sentinel
    if one is None:
        return paragraphs("The protocol asks for no spacing of the first women treated.")
    name = label(board.cut.protocol, one.intervention)
    first: dict[str, str] = {}
    for row in board.infusions:
        if row.intervention == one.intervention:
            first.setdefault(row.participant, row.start[:10])
    days = ", ".join(list(first.values())[: one.first]) or "nobody yet"
    rule = f"{name}: the first {one.first} women are treated at least {one.days} days apart."
    return paragraphs(f"{rule} They were treated on: {days}.")


# ---------------------------------------------------------------- procedures and organisation


def procedures(board: Board) -> str:
    """How adverse events are collected, graded and reported, and how far each basis was read."""
    protocol, safety = board.cut.protocol, board.cut.protocol.document.safety
    rows: list[tuple[str, object]] = [
        ("Collected", safety.collected),
        ("Not serious by itself", lines(safety.not_serious) or "nothing named"),
        ("Planned stay", safety.planned_admission or "none named"),
        *(
            (f"Expected after {label(protocol, name)}", ", ".join(map(words, terms)) or "nothing")
            for name, terms in safety.expected.items()
        ),
        ("Pregnancies filed like serious events", "yes" if safety.file_pregnancies else "no"),
    ]
    return pairs(board, rows, "Collection of adverse events") + _graded(board, safety) + _reported(board, safety)


def _graded(board: Board, safety: SafetyPolicy) -> str:
    graded = _pack(safety.grading)
    if graded is None:
        return paragraphs(f"Grades are entered by {safety.grading}, of which there is no pack here to check them by.")
    rows: list[dict[str, object]] = []
    for term, by in safety.terms.items():
        one = graded.terms.get(by)
        how = "not in the pack" if one is None else "by judgement" if one.judgement else "by rules over recorded facts"
        checked = one.verified if one and one.verified else "compared with nothing"
        rows.append({"term": words(term), "by": words(by), "how": how, "checked": checked})
    columns = [
        Column("term", "Term of the record"),
        Column("by", "Graded as"),
        Column("how", "How"),
        Column("checked", "Compared with"),
    ]
    return tabled(board, columns, rows, f"Grading by {safety.grading}", [f"Source: {graded.source}."])


def _pack(name: str) -> GradingPack | None:
    try:
        return grading_pack(name)
    except Refused:
        return None


def _reported(board: Board, safety: SafetyPolicy) -> str:
    rows: list[dict[str, object]] = []
    caveats: list[str] = []
    titles: list[str] = []
    for name in safety.clocks:
        try:
            rules = pack(name)
        except Refused:
            titles.append(f"{name}: there is no such pack")
            continue
        titles.append(f"{name}: {rules.title}")
        for one in rules.rules:
            rows.append(
                {
                    "what": one.what,
                    "who": f"{one.who} to {one.to_whom}",
                    "deadline": str(one.deadline),
                    "counted": words(one.counted_from),
                    "basis": cited(one),
                }
            )
            caveats.append(CAVEATS[one.verified])
    columns = [
        Column("what", "What"),
        Column("who", "Who to whom"),
        Column("deadline", "By when"),
        Column("counted", "Counted from"),
        Column("basis", "Basis, and how far it was read"),
    ]
    notes = [*titles, *dict.fromkeys(caveat for caveat in caveats if caveat)]
    return tabled(board, columns, rows, "Expedited reporting", notes)


def organisation(board: Board) -> str:
    """Who does what: the synopsis of the trial."""
    study, document = board.study, board.cut.protocol.document
    design = document.design
    rows: list[tuple[str, object]] = [
        ("Title", document.title),
        ("Registry number", document.trial),
        ("Sponsor", document.sponsor.en),
        ("Sites", lines([f"{name}: {site.en}" for name, site in document.sites.items()])),
        (
            "Design",
            f"{design.study_type}, {design.intervention_model}, allocation {design.allocation}, "
            f"masking {design.masking}",
        ),
        ("Arms of the protocol", lines([arm.label.en for arm in document.arms.values()])),
        ("Planned enrolment", f"{design.enrolment} women"),
        ("Follow-up", document.schedule.follow_up),
        *_objectives(board),
        ("Protocol", f"version {document.version}, digest {board.cut.protocol.digest}"),
        ("Versions of the protocol", len(board.cut.trial.protocols)),
        ("Sites that are active", ", ".join(board.cut.trial.active) or "none"),
        ("Data cut-off", f"the end of {board.cut.today}, {document.zone}"),
    ]
    if study.header.kind == "virtual":
        said = f"scenario {study.header.scenario}: {study.scenario} Seed {study.header.seed}."
        rows.append(("Rehearsal", said))
    arms = (
        "Nobody outside the board sees arms apart: the protocol masks them."
        if board.masked
        else "The protocol masks nobody: arms are named in both parts, and results are told by arm in the closed one."
    )
    return pairs(board, rows, "The trial", [arms])


def _objectives(board: Board) -> Sequence[tuple[str, object]]:
    document = board.cut.protocol.document
    primary = [one.says for one in document.objectives.values() if one.level == "primary"]
    return [("Primary objective", Markup("<br>").join(escape(says) for says in primary))]
