"""The protocol as people read it: part by part, the record's words beside what executes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trialwright.language.in_words import in_words
from trialwright.protocol.document import Criterion, Encounter, Intervention, ItemPart, Requirement
from trialwright.protocol.protocol import Protocol, label


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a clause says: of what, as written, and a rule in words too."""

    of: str
    text: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of the protocol under its path: its title, the record's words, what executes them, what it assumes."""

    path: str
    name: str
    title: str
    quotes: tuple[str, ...]
    lines: tuple[Line, ...]
    assumes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """The clauses that belong together."""

    name: str
    title: str
    clauses: tuple[Clause, ...]


def chapters(protocol: Protocol) -> list[Chapter]:
    """Every part that decides something in the trial, in the order in which a protocol is read."""
    made = (
        ("design", "Design", _design(protocol)),
        ("inclusion", "Inclusion criteria", _criteria(protocol, "inclusion")),
        ("exclusion", "Exclusion criteria", _criteria(protocol, "exclusion")),
        ("arms", "Arms", _arms(protocol)),
        ("interventions", "Interventions and doses", _interventions(protocol)),
        ("products", "Requirements for the product", _products(protocol)),
        ("schedule", "Schedule", _schedule(protocol)),
        ("objectives", "Objectives and endpoints", _objectives(protocol)),
        ("safety", "Safety rules", _safety(protocol)),
        ("items", "What is asked and measured", _items(protocol)),
        ("checks", "Checks of what is entered", _checks(protocol)),
        ("assumptions", "Where the record is silent", _assumptions(protocol)),
    )
    return [Chapter(name, title, found) for name, title, clauses in made if (found := tuple(clauses))]


def rule_line(protocol: Protocol, of: str, path: str, text: str) -> Line:
    """A rule of the document as written, and in words where it was read."""
    found = protocol.rules.get(path)
    return Line(of, text, in_words(found.source, lambda name: _called(protocol, name)) if found else "")


def _called(protocol: Protocol, name: str) -> str:
    told = label(protocol, name)
    return "" if told == name else told


# ---------------------------------------------------------------- who, and what she is given


def _design(protocol: Protocol) -> Iterator[Clause]:
    design = protocol.document.design
    told = [
        Line("Design", f"{design.study_type}, {design.intervention_model}"),
        Line("Allocation", design.allocation),
        Line("Masking", design.masking),
        Line("Planned", f"{design.enrolment} participants"),
    ]
    told += [Line("Purpose", design.purpose)] if design.purpose else []
    yield Clause("design", "", "How the trial is structured", design.quotes, tuple(told), design.assumes)


def _criteria(protocol: Protocol, kind: str) -> Iterator[Clause]:
    part: Mapping[str, Criterion] = getattr(protocol.document.population, kind)
    for name, one in part.items():
        path, lines = f"population.{kind}.{name}", []
        if one.rule:
            lines.append(rule_line(protocol, "Rule", f"{path}.rule", one.rule))
        if one.attest:
            role = protocol.document.items[one.attest].role if one.attest in protocol.document.items else ""
            lines.append(Line(f"The {role or 'investigator'} attests", label(protocol, one.attest)))
        if one.missing:
            lines.append(Line("Stands for words that are lost", one.missing.replace("_", " ")))
        yield Clause(path, name, name, one.quotes, tuple(lines), one.assumes)


def _arms(protocol: Protocol) -> Iterator[Clause]:
    for name, one in protocol.document.arms.items():
        gives = "; ".join(label(protocol, each) for each in one.gives) or "nothing"
        yield Clause(
            f"arms.{name}", name, one.label.en, one.quotes, (Line("Type", one.type), Line("Gives", gives)), one.assumes
        )
    way = protocol.document.allocation
    yield Clause("allocation", "", "Allocation", way.quotes, (Line("By", way.method),), way.assumes)


def _interventions(protocol: Protocol) -> Iterator[Clause]:
    for name, one in protocol.document.interventions.items():
        path = f"interventions.{name}"
        yield Clause(path, name, one.label.en, one.quotes, tuple(_given(protocol, path, one)), one.assumes)
        for index, dose in enumerate(one.doses):
            told = f"{dose.dose} every {dose.every}, days {dose.days.replace('..', ' to ')}"
            strength = (Line("Tablets of", dose.strength),) if dose.strength else ()
            at = f"{path}.doses.{index}"
            yield Clause(at, dose.drug, dose.drug, dose.quotes, (Line("Dose", told), *strength), dose.assumes)
        for step, each in one.steps.items():
            asked = ", ".join(label(protocol, field) for field in each.fields)
            fields = (Line("Recorded", asked),) if asked else ()
            at = f"{path}.steps.{step}"
            yield Clause(at, step, f"Step: {_plain(step)}", each.quotes, (Line("", each.says), *fields), each.assumes)


def _given(protocol: Protocol, path: str, one: Intervention) -> Iterator[Line]:
    yield Line("Kind", one.kind)
    if one.dose:
        yield rule_line(protocol, f"Dose, {one.basis} cells", f"{path}.dose", one.dose)
    if one.tolerance:
        yield Line("Tolerated, of the plan", f"{one.tolerance[0]} to {one.tolerance[1]}")
    for of, text in (
        ("Dose as answered to", _plain(one.dose_question)),
        ("Product", label(protocol, one.product) if one.product else ""),
        ("Volume", one.volume),
        ("Stays in the catheter", one.dead_space),
        ("Takes", one.duration),
        ("May be taken up again within", one.restart),
        ("Observed for", one.observe),
        ("At most", f"{one.most} to a participant" if one.most else ""),
    ):
        if text:
            yield Line(of, text)
    if one.continues:
        yield rule_line(protocol, "Goes on where", f"{path}.continues.positive", one.continues.positive)
        yield Line("Until gestational day", str(one.continues.until))
    yield from _required(protocol, "Only if", f"{path}.requires", one.requires)


def _required(protocol: Protocol, of: str, path: str, asked: Sequence[Requirement]) -> Iterator[Line]:
    for index, one in enumerate(asked):
        more = (" May come later." if one.later else "") + (f" In {', '.join(one.arms)} alone." if one.arms else "")
        told = rule_line(protocol, of, f"{path}.{index}.rule", one.rule)
        yield Line(of, told.text, f"{one.says}{more}")


def _products(protocol: Protocol) -> Iterator[Clause]:
    for name, one in protocol.document.products.items():
        path = f"products.{name}"
        lines: list[Line] = []
        if one.donor:
            lines += _required(protocol, "Donor is accepted if", f"{path}.donor.accept", one.donor.accept)
            lines += _required(protocol, "In quarantine until", f"{path}.donor.retest", one.donor.retest)
        lines += _required(protocol, "Lot is released if", f"{path}.release", one.release)
        lines += _required(protocol, "Unit is released if", f"{path}.unit.release", one.unit.release)
        lines += [Line("Travels at", one.transport)] if one.transport else []
        if one.identifier:
            lines.append(Line("Recipient is known by", f"pseudonym and {label(protocol, one.identifier).lower()}"))
        yield Clause(path, name, one.label.en, one.quotes, tuple(lines), one.assumes)


# ---------------------------------------------------------------- when, and what is learnt


def _schedule(protocol: Protocol) -> Iterator[Clause]:
    schedule = protocol.document.schedule
    for name, one in schedule.encounters.items():
        quotes, assumes = list(one.quotes), list(one.assumes)
        for each in one.does:
            quotes += [words for words in schedule.activities[each].quotes if words not in quotes]
            assumes += [told for told in schedule.activities[each].assumes if told not in assumes]
        lines = tuple(_visit(protocol, f"schedule.encounters.{name}", one))
        yield Clause(f"schedule.encounters.{name}", name, one.label.en, tuple(quotes), lines, tuple(assumes))
    yield Clause("schedule.follow_up", "", "End of her part", (), (Line("When", schedule.follow_up),))


def _visit(protocol: Protocol, path: str, one: Encounter) -> Iterator[Line]:
    document = protocol.document
    yield Line("When", f"{', '.join(map(str, one.each))} {one.at}".strip())
    early, late = one.window
    yield Line("In time", f"{abs(early)} days before to {late} days after" if early or late else "on the day alone")
    if one.per:
        yield Line("Once for each", label(protocol, one.per))
    if one.if_:
        yield rule_line(protocol, "Only if", f"{path}.if", one.if_)
    if one.arms:
        yield Line("In", "; ".join(label(protocol, arm) for arm in one.arms))
    for question, given in one.answer.items():
        yield Line("Where answered", f"{_plain(question)}: {_plain(given)}")
    for each in one.does:
        does = document.schedule.activities[each]
        for of, names in (
            ("Asked", does.asks), ("Asked of the partner", does.partner), ("Records", does.adds),
            ("Completed", tuple(name for fields in does.completes.values() for name in fields)),
            ("Complete afterwards", does.closes), ("Carried out", (does.performs,) if does.performs else ()),
            ("Decided", (does.decides,) if does.decides else ()),
        ):  # fmt: skip
            if names:
                yield Line(of, "; ".join(_plain(label(protocol, name)) for name in names))


def _objectives(protocol: Protocol) -> Iterator[Clause]:
    document = protocol.document
    for name, one in document.objectives.items():
        lines = (Line("Level", one.level), Line("Endpoints", "; ".join(label(protocol, e) for e in one.endpoints)))
        yield Clause(f"objectives.{name}", name, one.says, one.quotes, lines, one.assumes)
    for name, end in document.endpoints.items():
        path, lines2 = f"endpoints.{name}", []
        if end.proportion:
            lines2.append(rule_line(protocol, "Yes where", f"{path}.proportion", end.proportion))
        for kind, parts in (("ratio", ("Numerator", "Denominator")), ("change", ("After", "Before"))):
            for index, told in enumerate(getattr(end, kind) or ()):
                lines2.append(rule_line(protocol, parts[index], f"{path}.{kind}.{index}", told))
        if end.missing:
            lines2.append(rule_line(protocol, "Missing where", f"{path}.missing", end.missing))
        lines2.append(Line("Counted", f"{end.units[0]}, of {end.units[1]}"))
        lines2.append(Line("Analysis set", _plain(end.set)))
        lines2.append(Line("Estimator", _plain(document.analysis.methods.get(name, "counts alone"))))
        lines2 += [Line("Definition", end.definition)] if end.definition else []
        yield Clause(path, name, end.label.en, end.quotes, tuple(lines2), end.assumes)
    for name, aim in document.estimands.items():
        lines3 = [
            Line("Endpoint", label(protocol, aim.endpoint)), Line("Population", aim.population),
            Line("Treatment", aim.treatment), Line("Variable", aim.variable),
            *(Line(f"If {one.event}", one.strategy) for one in aim.intercurrent), Line("Summary", aim.summary),
        ]  # fmt: skip
        yield Clause(f"estimands.{name}", name, f"Estimand: {_plain(name)}", aim.quotes, tuple(lines3), aim.assumes)


def _safety(protocol: Protocol) -> Iterator[Clause]:
    policy = protocol.document.safety
    lines = (
        Line("Collected", policy.collected), Line("Graded by", policy.grading),
        *(Line("Is not serious", one) for one in policy.not_serious),
        Line("Reported by the rules of", ", ".join(map(_plain, policy.clocks)) or "nobody"),
    )  # fmt: skip
    yield Clause("safety", "", "Adverse events", policy.quotes, lines, policy.assumes)
    for name, one in policy.triggers.items():
        path = f"safety.triggers.{name}"
        does = "the trial pauses until it is reviewed" if one.action == "pause" else "a review is asked for"
        told = [rule_line(protocol, "Rule", f"{path}.rule", one.rule)]
        told += [rule_line(protocol, "Unless", f"{path}.unless", one.unless)] if one.unless else []
        of = Line("Of", label(protocol, one.of))
        yield Clause(path, name, one.says, one.quotes, (of, *told, Line("Then", does)), one.assumes)
    if policy.boundary:
        part = policy.boundary
        told = [
            rule_line(protocol, "Counts where", "safety.boundary.rule", part.rule),
            Line("At risk", f"whoever had {label(protocol, part.intervention)}"),
            Line("Prior", f"Beta({part.prior[0]}, {part.prior[1]})"),
            Line("Pauses", f"where the chance of a rate above {part.p0} is larger than {part.threshold}"),
        ]
        yield Clause("safety.boundary", "boundary", "Boundary", part.quotes, tuple(told), part.assumes)
    if policy.sentinel:
        few = policy.sentinel
        told = [Line("", f"The first {few.first} who have {label(protocol, few.intervention)}: {few.days} days apart")]
        yield Clause("safety.sentinel", "sentinel", "First participants", few.quotes, tuple(told), few.assumes)


# ---------------------------------------------------------------- what is asked, and what was chosen


def _items(protocol: Protocol) -> Iterator[Clause]:
    document = protocol.document
    for name, one in document.items.items():
        yield Clause(f"items.{name}", name, one.label.en, one.quotes, tuple(_item(one)), one.assumes)
    for name, kind in document.records.items():
        fields = tuple(
            Line(each.label.en, "; ".join(f"{line.of.lower()} {line.text}".strip() for line in _item(each)))
            for each in kind.fields.values()
        )
        yield Clause(f"records.{name}", name, kind.label.en, kind.quotes, fields, kind.assumes)
    for name, derived in document.derivations.items():
        rule = rule_line(protocol, "Computed as", f"derivations.{name}", derived.is_)
        yield Clause(
            f"derivations.{name}", name, derived.label.en or _plain(name), derived.quotes, (rule,), derived.assumes
        )


def _item(one: ItemPart) -> Iterator[Line]:
    kind = _plain(one.is_) if isinstance(one.is_, str) else ", ".join(map(_plain, one.is_))
    yield Line("", f"{kind}, {one.unit}" if one.unit else kind)
    for of, text in (
        ("Refused outside", one.possible), ("Queried outside", one.plausible), ("Valid for", one.valid),
        ("Answered by", one.role), ("Nothing recorded", one.absent),
    ):  # fmt: skip
        if text:
            yield Line(of, text.replace("..", " to "))


def _checks(protocol: Protocol) -> Iterator[Clause]:
    for name, one in protocol.document.edit_checks.items():
        rule = rule_line(protocol, "Must hold", f"edit_checks.{name}.rule", one.rule)
        yield Clause(f"edit_checks.{name}", name, one.says, (), (rule,))


def _assumptions(protocol: Protocol) -> Iterator[Clause]:
    for name, one in protocol.document.assumptions.items():
        lines = [Line("Chosen", one.choice)] if one.choice else [Line("Open", f"{one.decides} decides")]
        lines += [Line(_plain(key), says) for key, says in one.options.items()]
        lines += [Line("Until then refused", ", ".join(map(_plain, one.blocks)))] if one.blocks else []
        lines += [Line("Source", one.source)] if one.source else []
        yield Clause(f"assumptions.{name}", name, one.silent, one.quotes, tuple(lines))


def _plain(name: str) -> str:
    return name.replace("_", " ")
