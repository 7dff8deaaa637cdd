"""Why: from a number or a decision to the events, the rules and the sentences of the record that it rests on."""

from __future__ import annotations

import json
from collections.abc import Iterator

from trialwright.analysis.results import AGAINST
from trialwright.core.finding import Refused, finding
from trialwright.core.partial_date import partial_date
from trialwright.language import explain
from trialwright.language.evaluate import Explanation
from trialwright.language.values import show
from trialwright.ledger.history import corrections
from trialwright.ledger.store import Ledger
from trialwright.protocol.coverage import quoted_by
from trialwright.protocol.eligibility import determine
from trialwright.protocol.naming import nearest
from trialwright.protocol.uses import names_in
from trialwright.report.lines import Line
from trialwright.report.numbers import count, estimate, limits
from trialwright.report.study import Study
from trialwright.report.why_chain import along_the_chain, received, things
from trialwright.trial.facts import facts_of
from trialwright.views.endpoints import EndpointRow, endpoint_table, participant_value


def why(study: Study, ledger: Ledger, thing: str) -> list[Line]:
    """What a thing rests on: a figure id, a participant, `P-001/ENDPOINT`, a unit, a lot, an alert, an event number.

    `Refused` where there is no such thing, with the nearest name.
    """
    figures = {one.id: one for one in (*study.analysis.figures, *study.analysis.comparisons)}
    if thing.removeprefix("event:").isdecimal():
        number = thing.removeprefix("event:")
        return list(_event(ledger, int(number) if len(number) < 16 else ledger.last() + 1))
    if thing in figures:
        return list(_figure(study, thing))
    participant, _, what = thing.partition("/")
    if participant in study.cut.participants:
        return list(_participant(study, participant, what))
    if thing in things(study.cut):
        return list(along_the_chain(study.cut, thing))
    known = [*figures, *study.cut.participants, *things(study.cut)]
    raise Refused(finding("thing_unknown", thing=thing, nearest=nearest(thing, known)))


def _figure(study: Study, thing: str) -> Iterator[Line]:
    figure = next(one for one in (*study.analysis.figures, *study.analysis.comparisons) if one.id == thing)
    protocol = study.cut.protocol
    document = protocol.document.endpoints[figure.endpoint]
    yield Line(0, f"{figure.label}, {figure.arm}: {estimate(figure)} ({limits(figure)})")
    yield Line(
        1,
        f"{count(figure.numerator)} {figure.counts[0]} / {count(figure.denominator)} {figure.counts[1]}; "
        f"unit of analysis {figure.unit_of_analysis}; set {figure.set}; {figure.missing} missing",
    )
    yield Line(1, f"method: {figure.method}")
    for note in figure.notes:
        yield Line(1, f"note: {note}")
    for name, objective in protocol.document.objectives.items():
        if figure.endpoint in objective.endpoints:
            yield Line(1, f"objective {name} ({objective.level}): {objective.says}", record=objective.quotes)
    rules = [document.proportion] if document.proportion else list(document.ratio or document.change or ())
    for rule in rules:
        yield Line(1, f"rule: {rule}", record=quoted_by(protocol, f"endpoints.{figure.endpoint}"))
    for name in document.assumes:
        assumption = protocol.document.assumptions[name]
        yield Line(
            1, f"assumption {name}: {assumption.choice or 'open'} [{assumption.source}]", record=assumption.quotes
        )
    for row in endpoint_table(study.cut, figure.endpoint):
        if figure.arm in (row.arm, "all") or f"{row.arm}" in figure.arm.split(AGAINST):
            text = f"{row.participant} ({row.arm or 'sealed'}): {_value(row.explanations)}"
            yield Line(1, text, _events(study, row))


def _participant(study: Study, identity: str, what: str) -> Iterator[Line]:
    one = study.cut.participants[identity]
    endpoints = study.cut.protocol.document.endpoints
    if what in endpoints:
        row = participant_value(study.cut, what, one)
        words = quoted_by(study.cut.protocol, f"endpoints.{what}")
        yield Line(0, f"{identity}, {what}: {_value(row.explanations)}", _events(study, row), words)
        for part in row.explanations:
            for text in explain.lines(part, 1):
                yield Line((len(text) - len(text.lstrip())) // 2, text.strip())
        return
    if what == "product":
        yield from received(study.cut, identity)
        return
    if what not in ("", "eligibility", "allocation", "dose"):
        known = [*endpoints, "eligibility", "allocation", "dose", "product"]
        raise Refused(finding("thing_unknown", thing=f"{identity}/{what}", nearest=nearest(what, known)))
    if what in ("", "eligibility"):
        yield from _eligibility(study, identity)
    if what in ("", "allocation") and one.allocation is not None:
        made = one.allocation
        text = f"allocated to {made.arm or f'place {made.position} of the sealed list'} on {made.on}: {made.reason}"
        yield Line(0, f"{identity} {text}, decided by {made.decided_by or 'the list'}", (made.event,))
    if what in ("", "dose"):
        for dose in one.doses:
            path = f"interventions.{dose.intervention}"
            yield Line(
                0,
                f"{identity} dose of {dose.intervention} on {dose.on}: {dose.prepared} prepared, {dose.planned} "
                f"planned, ratio {dose.ratio}, {f'unit {dose.unit}, ' if dose.unit else ''}lot {dose.lot}",
                (dose.event,),
                quoted_by(study.cut.protocol, path),
            )


def _eligibility(study: Study, identity: str) -> Iterator[Line]:
    one = study.cut.participants[identity]
    if not one.determinations:
        yield Line(0, f"{identity}: eligibility was not determined")
    for made in one.determinations:
        yield Line(0, f"{identity}: {made.verdict} on {made.on}, resting on events up to {made.basis}", (made.event,))
        now = determine(study.cut.protocol, facts_of(study.cut.protocol, one), partial_date(made.on))
        if now.verdict != made.verdict:
            yield Line(1, f"from what is known now: {now.verdict}")
        for found in now.answers:
            then = made.answers.get(found.criterion.name, "not asked")
            changed = f" (decided then: {then})" if then != found.answer.value else ""
            yield Line(
                1,
                f"{found.criterion.kind} {found.criterion.name}: {found.answer.value}{changed}",
                tuple(sorted({use.event for use in explain.uses(found.explanation) if use.event})),
                found.criterion.quotes,
            )
            for text in explain.lines(found.explanation, 2):
                yield Line((len(text) - len(text.lstrip())) // 2, text.strip())


def _event(ledger: Ledger, number: int) -> Iterator[Line]:
    event = next(iter(ledger.events(after=number - 1, upto=number)), None)
    if event is None:
        raise Refused(finding("thing_unknown", thing=f"event {number}", nearest=f" The last event is {ledger.last()}."))
    yield Line(
        0, f"event {event.seq}: {event.type} on {event.on} ({event.zone}), stream {event.stream} #{event.position}"
    )
    yield Line(
        1, f"recorded {event.at} by {event.user or 'the software'} ({event.role or '-'}), command {event.command}"
    )
    if event.reason:
        yield Line(1, f"reason: {event.reason}")
    for key, value in event.payload.items():
        yield Line(1, f"{key}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    yield Line(1, f"hash {event.hash}")
    for later in corrections(ledger.events(stream=event.stream)).get(number, []):
        yield Line(1, f"changed by event {later.seq} ({later.type}): {later.reason}", (later.seq,))


def _value(parts: tuple[Explanation, ...]) -> str:
    texts = []
    for part in parts:
        unit = part.node.type.unit
        texts.append(show(part.value, unit.code if unit else ""))
    return " / ".join(texts)


def _events(study: Study, row: EndpointRow) -> tuple[int, ...]:
    """The events a participant's value rests on: what was recorded, and the closing of the lists that were counted."""
    closed_by = study.cut.participants[row.participant].closed_by
    used = {use.event for part in row.explanations for use in explain.uses(part) if use.event}
    closings = {closed_by[name] for part in row.explanations for name in names_in(part.node) if name in closed_by}
    return tuple(sorted(used | closings))
