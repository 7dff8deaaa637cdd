"""How the trial went, in tables: questions and assumptions, the flow, deviations, and what is still open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from trialwright.render.page import figure
from trialwright.render.table import Column, table
from trialwright.report.numbers import whole
from trialwright.report.study import Study

_MOST_LINES = 60


def decisions(study: Study) -> str:
    """The questions that the record leaves open, with their answers, who gave them and what they block."""
    document = study.cut.protocol.document
    given = [
        {
            "question": name,
            "silent": document.assumptions[name].silent,
            "answer": one.answer,
            "by": f"{one.by}{' (rehearsal.yaml)' if one.from_file else ''}, event {one.event}",
            "blocks": ", ".join(document.assumptions[name].blocks),
        }
        for name, one in study.cut.trial.answers.items()
        if name in document.assumptions
    ]
    unanswered = [
        {"question": name, "silent": one.silent, "answer": "open", "by": one.decides, "blocks": ", ".join(one.blocks)}
        for name, one in document.assumptions.items()
        if not one.choice and name not in study.cut.trial.answers
    ]
    columns = [
        Column("question", "Question"),
        Column("silent", "The record"),
        Column("answer", "Answer"),
        Column("by", "Given by"),
        Column("blocks", "Blocks"),
    ]
    note = ["In a real trial these are decisions of the persons named in the protocol; a rehearsal assumes them."]
    return table(columns, [*given, *unanswered], "Questions that the record leaves open, and their answers", note)


def assumptions(study: Study) -> str:
    """Where the record is silent or ambiguous, and what the protocol chose."""
    columns = [
        Column("name", "Assumption"),
        Column("silent", "The record"),
        Column("choice", "This protocol"),
        Column("source", "Source"),
    ]
    rows = [
        {"name": name, "silent": one.silent, "choice": one.choice, "source": one.source}
        for name, one in study.cut.protocol.document.assumptions.items()
        if one.choice
    ]
    return table(columns, rows, "Where the record is silent or ambiguous, and what this protocol chose")


def flow(study: Study, figures: Mapping[str, str]) -> str:
    """The flow of participants, enrolment over time, and the criteria that spoke against entry."""
    protocol = study.cut.protocol
    words = {one.name: " ".join(one.quotes) or "(words lost from the record)" for one in protocol.criteria}
    rows = [{"criterion": name, "words": words.get(name, ""), "women": number} for name, number in study.flow.criteria]
    columns = [
        Column("criterion", "Criterion"),
        Column("words", "Words of the record"),
        Column("women", "Women", "right"),
    ]
    caption = f"Criteria that spoke against entry, among {study.flow.not_eligible} women who were not eligible"
    return (
        f"<p>{_dates(study)}</p>"
        + figure(figures["flow.svg"], "Flow of participants, as TREND and CONSORT ask for it.")
        + figure(figures["enrolment.svg"], "Women screened and enrolled over time.")
        + table(columns, rows, caption, ["A woman counts under every criterion that spoke against her."])
    )


def _dates(study: Study) -> str:
    """When the first came and the last was enrolled, and to when everybody is followed."""
    screened = [row.screened for row in study.screening]
    enrolled = [one.enrolled for one in study.cut.participants.values() if one.enrolled]
    said = [f"First woman screened on {min(screened)}."] if screened else ["Nobody has been screened."]
    if enrolled:
        said.append(f"First enrolled on {min(enrolled)}, last so far on {max(enrolled)}.")
    return " ".join([*said, f"Followed to {study.cut.today}."])


def deviations(study: Study) -> str:
    """Deviations by kind, and one by one, major first."""
    kinds = Counter((row.kind, row.severity) for row in study.deviations)
    summary = [
        {"kind": kind, "severity": severity, "number": number} for (kind, severity), number in sorted(kinds.items())
    ]
    listed = sorted(study.deviations, key=lambda row: (row.severity != "major", row.on))[:_MOST_LINES]
    rows = [
        {
            "participant": row.participant, "on": whole(row.on), "kind": row.kind, "severity": row.severity,
            "says": row.says, "events": _some(row.events),
        }
        for row in listed
    ]  # fmt: skip
    left = len(study.deviations) - len(rows)
    notes = ["Decided then beside derived now: a later correction never changes what was decided; it is shown here."]
    if left > 0:
        notes.append(f"{left} more stand in report.json.")
    columns = [
        Column("participant", "Participant"),
        Column("on", "Day"),
        Column("kind", "Kind"),
        Column("severity", "Severity"),
        Column("says", "What happened"),
        Column("events", "Events", "right"),
    ]
    return table(
        [Column("kind", "Kind"), Column("severity", "Severity"), Column("number", "Number", "right")],
        summary,
        "Deviations of enrolled women",
    ) + table(columns, rows, "Deviations, major first", notes)


def _some(events: Sequence[int]) -> str:
    """The first events, and how many more there are; all of them stand in report.json."""
    shown = ", ".join(map(str, events[:3]))
    return f"{shown} and {len(events) - 3} more" if len(events) > 3 else shown


def worklist(study: Study) -> str:
    """What is due, late or undecided on the day."""
    if not study.worklist:
        return (
            "<p>No visit and no query is due, late or undecided on the day of the cut-off. What is not known of an "
            "outcome stands with the outcome; reports to authorities stand in the report to the safety board.</p>"
        )
    columns = [
        Column("participant", "Participant"),
        Column("what", "What"),
        Column("standing", "Standing"),
        Column("latest", "End of window"),
        Column("why", "Why"),
    ]
    rows = [
        {
            "participant": row.participant,
            "what": row.what,
            "standing": row.standing,
            "latest": row.latest,
            "why": row.why,
        }
        for row in study.worklist[:_MOST_LINES]
    ]
    left = len(study.worklist) - len(rows)
    return table(columns, rows, "Due, late or undecided", [f"{left} more stand in report.json."] if left > 0 else ())
