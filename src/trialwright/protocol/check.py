"""The protocol linter: what a careful reader would find in a protocol before the first participant does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from trialwright.core.finding import Finding, Grade, Where, finding
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.core.units import COUNT
from trialwright.language.evaluate import answer, evaluate
from trialwright.language.facts import NO_FACTS
from trialwright.protocol.adverse_event import ADVERSE_EVENT
from trialwright.protocol.coverage import _parts, coverage
from trialwright.protocol.document import Document
from trialwright.protocol.estimators import ESTIMATORS, kind_of
from trialwright.protocol.grading import PACKS, grading_pack
from trialwright.protocol.marked_yaml import Path
from trialwright.protocol.naming import nearest
from trialwright.protocol.protocol import Protocol
from trialwright.protocol.protocol import where as place
from trialwright.protocol.reporting import pack_names
from trialwright.protocol.uses import names_in


def lint(protocol: Protocol) -> list[Finding]:
    """Every finding of a loaded protocol, errors first, then in the order of the file."""
    found = [
        *_references(protocol),
        *_laboratory_checks(protocol),
        *_methods(protocol),
        *_assumptions(protocol),
        *_eligible_when_empty(protocol),
        *_not_collected(protocol),
        *_labels(protocol),
        *coverage(protocol)[1],
    ]
    grades = list(Grade)
    return sorted(found, key=lambda one: (grades.index(one.grade), one.where))


def _references(protocol: Protocol) -> Iterator[Finding]:
    document = protocol.document
    schedule, analysis = document.schedule, document.analysis
    lists = {*document.records, *(item.absent_no for item in protocol.vocabulary.items.values() if item.absent_no)}

    def known(path: Path, names: Iterable[str], among: Iterable[str], what: str) -> Iterator[Finding]:
        among = list(among)
        for name in names:
            if name not in among:
                yield finding(
                    "reference_unknown", place(protocol.marks, path), Grade.ERROR,
                    path=".".join(map(str, path)), name=name, what=what, nearest=nearest(name, among),
                )  # fmt: skip

    for key, activity in schedule.activities.items():
        path: Path = ("schedule", "activities", key)
        yield from known(path, activity.asks, document.items, "items")
        yield from known(path, activity.partner, document.relatives.get("partner", ()), "items of the partner")
        yield from known(path, activity.adds, document.records, "records")
        yield from known(path, activity.closes, lists, "lists")
        yield from known(
            path, [activity.performs] if activity.performs else [], document.interventions, "interventions"
        )
        for kind, fields in activity.completes.items():
            yield from known(path, [kind], document.records, "records")
            if kind in document.records:
                yield from known(path, fields, protocol.vocabulary.records[kind].fields, f"fields of {kind}")
    for key, record in document.records.items():
        for name, read in record.checks.items():
            declared = protocol.vocabulary.records[key].fields
            yield from known(("records", key, "checks", name), read.fields, declared, f"fields of {key}")
    for key, encounter in schedule.encounters.items():
        path = ("schedule", "encounters", key)
        yield from known(path, encounter.does, schedule.activities, "activities")
        yield from known(path, [encounter.epoch], schedule.epochs, "epochs")
        yield from known(path, encounter.arms, document.arms, "arms")
        yield from known(path, [encounter.per] if encounter.per else [], document.records, "records")
        for question, option in encounter.answer.items():
            yield from known(path, [question], document.assumptions, "assumptions")
            if question in document.assumptions:
                yield from known(path, [option], document.assumptions[question].options, f"options of {question}")
    for key, arm in document.arms.items():
        yield from known(("arms", key, "gives"), arm.gives, document.interventions, "interventions")
    for key, intervention in document.interventions.items():
        path = ("interventions", key)
        yield from known((*path, "record"), [intervention.record], document.records, "records")
        yield from known(path, [intervention.product] if intervention.product else [], document.products, "products")
        question_names = [intervention.dose_question] if intervention.dose_question else []
        yield from known(path, question_names, document.assumptions, "assumptions")
        if intervention.record in document.records:
            declared = protocol.vocabulary.records[intervention.record].fields
            for step_name, step in intervention.steps.items():
                yield from known((*path, "steps", step_name), step.fields, declared, f"fields of {intervention.record}")
    for key, objective in document.objectives.items():
        yield from known(("objectives", key, "endpoints"), objective.endpoints, document.endpoints, "endpoints")
    for key, endpoint in document.endpoints.items():
        yield from known(("endpoints", key, "set"), [endpoint.set], analysis.sets, "analysis sets")
    for key, estimand in document.estimands.items():
        yield from known(("estimands", key, "endpoint"), [estimand.endpoint], document.endpoints, "endpoints")
    yield from known(("analysis", "methods"), analysis.methods, document.endpoints, "endpoints")
    yield from known(("analysis", "methods"), document.endpoints, analysis.methods, "endpoints with a method")
    yield from known(("analysis", "methods"), analysis.methods.values(), ESTIMATORS, "estimators")
    yield from known(("analysis", "sensitivity"), analysis.sensitivity, document.endpoints, "endpoints")
    for methods in analysis.sensitivity.values():
        yield from known(("analysis", "sensitivity"), methods, ESTIMATORS, "estimators")
    yield from known(("analysis", "pooled"), analysis.pooled, document.endpoints, "endpoints")
    for key, one in analysis.sets.items():
        yield from known(("analysis", "sets", key), [one.reached], schedule.anchors, "anchors")
        yield from known(("analysis", "sets", key), one.given, document.interventions, "interventions")
    if analysis.funnel is not None:
        yield from known(("analysis", "funnel", "set"), [analysis.funnel.set], analysis.sets, "analysis sets")
    yield from known(("analysis", "compare"), analysis.compare or (), document.arms, "arms")
    yield from _safety_references(document, known)
    for key, item in document.items.items():
        if item.is_ == "attestation" and not item.role:
            yield finding(
                "document_field", place(protocol.marks, ("items", key)), Grade.ERROR,
                path=f"items.{key}", why="an attestation needs the `role` of whoever may answer it",
            )  # fmt: skip


def _laboratory_checks(protocol: Protocol) -> Iterator[Finding]:
    """A clock that is no date of the record, and a field that would be read at two checks."""
    for kind, record in protocol.document.records.items():
        path: Path = ("records", kind)
        declared = protocol.vocabulary.records[kind].fields
        if record.clock and (record.clock not in declared or declared[record.clock].kind != "date"):
            dates = [name for name, item in declared.items() if item.kind == "date"]
            yield finding(
                "reference_unknown", place(protocol.marks, (*path, "clock")), Grade.ERROR,
                path=f"records.{kind}.clock", name=record.clock, what=f"date fields of {kind}",
                nearest=nearest(record.clock, dates),
            )  # fmt: skip
        first: dict[str, str] = {}
        for name, one in record.checks.items():
            for field in one.fields:
                if first.setdefault(field, name) != name:
                    why = (
                        f"`{field}` is read at the check `{first[field]}` already, and a check is done when it is read"
                    )
                    where = place(protocol.marks, (*path, "checks", name))
                    yield finding("document_field", where, Grade.ERROR, path=f"records.{kind}.checks.{name}", why=why)


def _methods(protocol: Protocol) -> Iterator[Finding]:
    """Estimators that do not answer the endpoint they stand for, or that would ignore how its members are clustered."""
    analysis, endpoints = protocol.document.analysis, protocol.document.endpoints
    named = [(key, method, ("analysis", "methods", key)) for key, method in analysis.methods.items()]
    named += [
        (key, method, ("analysis", "sensitivity", key)) for key, many in analysis.sensitivity.items() for method in many
    ]
    for key, method, path in named:
        if key not in endpoints or method not in ESTIMATORS:
            continue
        kind, one = kind_of(endpoints[key]), ESTIMATORS[method]
        at = place(protocol.marks, path)
        if kind not in one.answers:
            fitting = ", ".join(name for name, other in ESTIMATORS.items() if kind in other.answers)
            yield finding(
                "estimator_kind", at, Grade.ERROR,
                method=method, endpoint=key, kind=kind, answers=" or a ".join(one.answers), fitting=fitting,
            )  # fmt: skip
        if one.ignores_clusters and not analysis.pooled.get(key, "").strip():
            yield finding("pooled_denominator", at, Grade.ERROR, method=method, endpoint=key)
        if one.compares and analysis.compare is None:
            yield finding("estimator_arms", at, Grade.ERROR, method=method, endpoint=key)
        if one.covariates and not analysis.covariates:
            yield finding("estimator_covariates", at, Grade.ERROR, method=method, endpoint=key)
    if analysis.compare is not None and len(set(analysis.compare)) < 2:
        at = place(protocol.marks, ("analysis", "compare"))
        yield finding(
            "document_field", at, Grade.ERROR,
            path="analysis.compare", why=f"{analysis.compare[0]} would be compared with itself",
        )  # fmt: skip
    for key in analysis.funnel.steps if analysis.funnel else ():
        step: Path = ("analysis", "funnel", "steps", key, "count")
        unit = protocol.rules[".".join(map(str, step))].type.unit
        if unit is not None and unit != COUNT:
            why = f"a step counts, and this is in {unit.code}"
            yield finding(
                "document_field", place(protocol.marks, step), Grade.ERROR, path=".".join(map(str, step)), why=why
            )
    for key, endpoint in endpoints.items():
        if endpoint.remeasured and not endpoint.change:
            at = place(protocol.marks, ("endpoints", key))
            yield finding(
                "document_field", at, Grade.ERROR,
                path=f"endpoints.{key}.remeasured", why="only a change has a value before that can be measured again",
            )  # fmt: skip


_Known: TypeAlias = Callable[[Path, Iterable[str], Iterable[str], str], Iterator[Finding]]


def _safety_references(document: Document, known: _Known) -> Iterator[Finding]:
    """Names in `safety` and `pregnancy`: packs, terms, interventions, fields."""
    safety, path = document.safety, ("safety",)
    event = document.records.get(ADVERSE_EVENT)
    term = event.fields.get("term") if event else None
    terms = term.is_ if term is not None and isinstance(term.is_, list) else []
    yield from known((*path, "clocks"), safety.clocks, pack_names(), "packs of clocks")
    yield from known((*path, "terms"), safety.terms, terms, f"terms of {ADVERSE_EVENT}")
    if safety.terms:
        yield from known((*path, "grading"), [safety.grading], PACKS, "grading packs")
        if safety.grading in PACKS:
            graded = grading_pack(safety.grading).terms
            yield from known((*path, "terms"), safety.terms.values(), graded, f"terms of {safety.grading}")
            yield from known((*path, "terms"), terms, safety.terms, "terms that are graded")
    yield from _graded_fields(document)
    for given, expected in safety.expected.items():
        yield from known((*path, "expected"), [given], document.interventions, "interventions")
        yield from known((*path, "expected", given), expected, terms, f"terms of {ADVERSE_EVENT}")
    for part in (safety.boundary, safety.sentinel):
        if part is not None:
            yield from known(path, [part.intervention], document.interventions, "interventions")
    for name, intervention in document.interventions.items():
        for index, requirement in enumerate(intervention.requires):
            where: Path = ("interventions", name, "requires", index)
            yield from known(where, requirement.arms, document.arms, "arms")
    if document.pregnancy is not None:
        record = document.records.get(document.pregnancy.record)
        yield from known(("pregnancy", "record"), [document.pregnancy.record], document.records, "records")
        if record is not None:
            fields = {*record.fields, *record.items}
            yield from known(("pregnancy", "fields"), document.pregnancy.fields.values(), fields, "fields of it")
        children = [document.pregnancy.children] if document.pregnancy.children else []
        yield from known(("pregnancy", "children"), children, document.records, "records")


def _graded_fields(document: Document) -> Iterator[Finding]:
    """A field of an adverse event that grading asks for, declared so that its answers mean nothing to it."""
    event, safety = document.records.get(ADVERSE_EVENT), document.safety
    if event is None or not safety.terms or safety.grading not in PACKS:
        return
    for name, asked in grading_pack(safety.grading).fields.items():
        held = event.fields.get(name)
        if held is not None and (held.is_, held.unit) != (asked.is_, asked.unit):
            needed = ", ".join(asked.is_) if isinstance(asked.is_, list) else f"{asked.is_} {asked.unit}".strip()
            why = f"{safety.grading} asks for it as {needed}"
            path: Path = ("records", ADVERSE_EVENT, "fields", name)
            where = ".".join(map(str, path))
            yield finding("document_field", Where("protocol.yaml", path=where), Grade.ERROR, path=where, why=why)


def _assumptions(protocol: Protocol) -> Iterator[Finding]:
    document = protocol.document
    used: set[str] = set()
    for path, part in _parts(document, ()):
        for name in getattr(part, "assumes", ()):
            used.add(name)
            if name not in document.assumptions:
                yield finding(
                    "assumption_unknown", place(protocol.marks, (*path, "assumes")), Grade.ERROR,
                    path=".".join(map(str, path)), name=name, nearest=nearest(name, document.assumptions),
                )  # fmt: skip
    used |= {criterion.missing for criterion in protocol.criteria}
    used |= {question for encounter in document.schedule.encounters.values() for question in encounter.answer}
    used |= {intervention.dose_question for intervention in document.interventions.values()}
    actions = {"confirm_eligibility", "enrolment", "allocation", *document.interventions}
    for name, assumption in document.assumptions.items():
        where = place(protocol.marks, ("assumptions", name))
        if not assumption.choice and not assumption.decides:
            yield finding("assumption_undecided", where, Grade.ERROR, name=name)
        if name not in used and not assumption.blocks:
            yield finding("assumption_unused", where, Grade.WARNING, name=name)
        for action in assumption.blocks:
            if action not in actions:
                yield finding(
                    "reference_unknown", where, Grade.ERROR,
                    path=f"assumptions.{name}.blocks", name=action, what="actions", nearest=nearest(action, actions),
                )  # fmt: skip
        if not assumption.choice and assumption.decides:
            blocks = ", ".join(assumption.blocks) or "nothing"
            yield finding(
                "question_open", where, Grade.NOTE,
                name=name, blocks=blocks, silent=assumption.silent, decides=assumption.decides.capitalize(),
            )  # fmt: skip


def _eligible_when_empty(protocol: Protocol) -> Iterator[Finding]:
    for criterion in protocol.criteria:
        empty = answer(evaluate(criterion.rule, NO_FACTS, partial_date("2000-01-01")))
        if empty is (Truth.YES if criterion.kind == "inclusion" else Truth.NO):
            where = place(protocol.marks, ("population", criterion.kind, criterion.name))
            yield finding("eligible_when_empty", where, Grade.WARNING, name=criterion.name, answer=empty.value)


def _not_collected(protocol: Protocol) -> Iterator[Finding]:
    document = protocol.document
    collected = {
        name for activity in document.schedule.activities.values() for name in (*activity.asks, *activity.adds)
    }
    collected |= {name for activity in document.schedule.activities.values() for name in activity.completes}
    collected |= {intervention.record for intervention in document.interventions.values()}
    collected |= {f"partner.{name}" for activity in document.schedule.activities.values() for name in activity.partner}
    uses: dict[str, Path] = {}
    for criterion in protocol.criteria:
        for name in names_in(criterion.rule):
            uses.setdefault(name, ("population", criterion.kind, criterion.name))
    for path, rule in protocol.rules.items():
        if not path.startswith("products."):
            for name in names_in(rule):
                uses.setdefault(name, tuple(path.split(".")))
    for name, used_at in sorted(uses.items()):
        if name not in collected:
            what = "record" if name in document.records else "item"
            yield finding("reference_unused", place(protocol.marks, used_at), Grade.ERROR, what=what, name=name)
    for name, item in document.items.items():
        if item.is_ != "age" and name not in uses and not {name, f"partner.{name}"} & collected:
            where = place(protocol.marks, ("items", name))
            yield finding("reference_unused", where, Grade.WARNING, what="item", name=name)


def _labels(protocol: Protocol) -> Iterator[Finding]:
    document: Document = protocol.document
    for name, item in document.items.items():
        if not item.label.zh:
            where = place(protocol.marks, ("items", name))
            yield finding("label_missing", where, Grade.WARNING, name=name, language="Chinese")
