"""What can be said of a protocol with no participant: who can be eligible, what contradicts, what never decides.

Everything is said of fully known participants up to stated bounds (docs/prove.md), with values in their plausible
ranges and as the edit checks want them. What the solver cannot decide is said to be undecided. Needs the extra
`prove`; without Z3 this module is an ImportError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from trialwright.core.finding import Finding, Grade, finding
from trialwright.core.interval import Interval
from trialwright.core.partial_date import on_day
from trialwright.core.truth import Truth
from trialwright.language import typed as t
from trialwright.language.evaluate import answer, evaluate
from trialwright.language.facts import NO_FACTS, Facts
from trialwright.language.solve import BOUNDS, Bounds, CannotEncode, Given, Inquiry, Model, Undecided, Wanted
from trialwright.language.typed import parts
from trialwright.language.unparse import unparse
from trialwright.protocol.eligibility import determine
from trialwright.protocol.protocol import Criterion, Limits, Protocol
from trialwright.protocol.protocol import where as place
from trialwright.protocol.prove_example import facts_text

_MOST = 8
_PER_YEAR = {"hours": 8766, "days": 365, "weeks": 52, "months": 12, "years": 1}


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found, up to which bounds, and somebody who is eligible (a facts file for `screen`), if anybody is."""

    findings: tuple[Finding, ...]
    bounds: Bounds
    example: str = ""


def prove(protocol: Protocol, bounds: Bounds = BOUNDS) -> Proof:
    """Everything that can be shown of the eligibility criteria, errors first."""
    bounds = _wide_enough(protocol, bounds)
    groups = [_Group(protocol, criteria, bounds) for criteria in _groups(protocol)]
    found = [one for group in groups for one in group.findings()]
    example = ""
    facts = [group.example for group in groups]
    if all(isinstance(one, Model) for one in facts):
        whole = _merged([one.facts for one in facts if isinstance(one, Model)])
        if determine(protocol, whole, on_day(bounds.today)).verdict == "eligible":
            example = facts_text(protocol, whole, bounds.today)
            found.append(finding("proof_example", place(protocol.marks, ("population",)), Grade.NOTE))
        else:
            why = "Each part of them can be met, but `evaluate` does not confirm an example of the whole."
            where = place(protocol.marks, ("population",))
            found.append(finding("proof_undecided", where, Grade.NOTE, names="All criteria together", why=why))
    grades = list(Grade)
    return Proof(tuple(sorted(found, key=lambda one: grades.index(one.grade))), bounds, example)


# ---------------------------------------------------------------- one group of criteria


class _Group:
    """Criteria that share a name, asked about one participant; those of other groups cannot matter to them."""

    def __init__(self, protocol: Protocol, criteria: Sequence[Criterion], bounds: Bounds) -> None:
        self.protocol = protocol
        self.bounds = replace(bounds, ranges=_ranges(protocol, plausible=True))
        self._unmodelled: list[tuple[Criterion, str]] = []
        self.criteria = [x for x in criteria if self._is_modelled(x)]
        self._late: dict[str, None] = {}

    @cached_property
    def inquiry(self) -> Inquiry:
        """The group's participant; with twice the slots where only they make it possible to meet the group."""
        met, few = [_met(x) for x in self.criteria], self._inquiry(self.bounds)
        if few.can_hold(met) == "impossible":
            more = {kind: 2 * number for kind, number in self.bounds.more.items()}
            one, other = self.bounds.observations, self.bounds.records
            wide = replace(self.bounds, observations=2 * one, records=2 * other, more=more)
            many = self._inquiry(wide)
            if many.can_hold(met) == "possible":
                self.bounds = wide
                return many
        return few

    @cached_property
    def example(self) -> Model | Undecided | None:
        """Somebody who meets the whole group; None where nobody can."""
        met = [_met(x) for x in self.criteria]
        if self._unmodelled:
            return Undecided("not everything is modelled")
        found = self.inquiry.can_hold(met)
        if found == "possible":
            return self.inquiry.example(met)
        return None if found == "impossible" else Undecided("the question takes too long")

    def findings(self) -> Iterator[Finding]:
        """What can be said of the group."""
        for criterion, why in self._unmodelled:
            yield self._finding("proof_undecided", Grade.NOTE, [criterion], why=f"It asks for {why}.")
        if self.example is None:
            yield from self._contradictions()
        else:
            if isinstance(self.example, Undecided) and self.criteria:
                known = "would be known" in self.example.why
                code = "proof_never_known" if known else "proof_undecided"
                why = self.example.why if known else f"{self.example.why.capitalize()}."
                yield self._finding(code, Grade.WARNING if known else Grade.NOTE, self.criteria, why=why)
            yield from self._implied()
        yield from self._never_deciding()
        if self._late:
            why = f"The solver took too long over: {'; '.join(self._late)}."
            yield self._finding("proof_undecided", Grade.NOTE, self.criteria, why=why)

    def _contradictions(self) -> Iterator[Finding]:
        """The least sets of criteria that nobody can meet, one after the other; each named once."""
        left = list(self.criteria)
        while left and self.inquiry.can_hold([_met(x) for x in left]) == "impossible":
            clash = [left[index] for index in self.inquiry.fewest([_met(x) for x in left])]
            possible = self._inquiry(replace(self.bounds, ranges=_ranges(self.protocol, plausible=False)), edits=False)
            if possible.can_hold([_met(x) for x in clash]) != "impossible":
                yield self._finding("proof_implausible", Grade.WARNING, clash)
            elif len(clash) == 1:
                text, wanted = unparse(clash[0].rule.source), "yes" if clash[0].kind == "inclusion" else "no"
                yield self._finding("proof_never_met", Grade.ERROR, clash, text=text, answer=wanted)
            else:
                yield self._finding("proof_contradiction", Grade.ERROR, clash)
            left = [x for x in left if x is not clash[-1]]

    def _implied(self) -> Iterator[Finding]:
        for criterion in self.criteria:
            others = [x for x in self.criteria if x is not criterion]
            wanted = [*map(_met, others), _met(criterion, False)]
            if others and self._impossible(wanted, f"whether the others imply {criterion.name}"):
                fewest = [others[index] for index in self.inquiry.fewest(wanted) if index < len(others)]
                if fewest:
                    names = _names(fewest)
                    yield self._finding("proof_implied", Grade.NOTE, [criterion], others=names, also=fewest)

    def _never_deciding(self) -> Iterator[Finding]:
        """Rules and clauses that have one answer only, and clauses that make no difference beside the others."""
        seen: set[int] = set()
        for criterion in self.criteria:
            always = self._constant(criterion.rule)
            if always is not None and (always is Truth.YES) == (criterion.kind == "inclusion"):
                yield self._constantly(criterion, criterion.rule, always)
            for junction in _junctions(criterion.rule):
                if id(junction) not in seen and always is None:
                    yield from self._of_junction(criterion, junction)
                seen.add(id(junction))

    def _of_junction(self, criterion: Criterion, junction: t.Junction) -> Iterator[Finding]:
        idle = False
        for clause in junction.operands:
            always = self._constant(clause)
            if always is not None:
                idle = True
                yield self._constantly(criterion, clause, always)
        for clause in junction.operands if not idle else ():
            # in `and` the others are yes, in `or` they are no, and still this one would have to say otherwise
            others = [x for x in junction.operands if x is not clause]
            is_and = junction.operator == "and"
            wanted = [*(Wanted(x, is_and) for x in others), Wanted(clause, not is_and)]
            text = unparse(clause.source)
            if self._impossible(wanted, f"whether `{text}` decides"):
                beside = f" {junction.operator} ".join(unparse(others[i].source) for i in self._beside(wanted, others))
                never, where = ("no", "yes") if is_and else ("yes", "no")
                why = f"it is never {never} where `{beside}` is {where}"
                yield self._finding("proof_idle", Grade.WARNING, [criterion], text=text, why=why)
                return

    def _beside(self, wanted: Sequence[Wanted], others: Sequence[t.Typed]) -> list[int]:
        return [index for index in self.inquiry.fewest(wanted) if index < len(others)]

    def _constant(self, rule: t.Typed) -> Truth | None:
        text = unparse(rule.source)
        if self._impossible([Wanted(rule, False)], f"whether `{text}` can be no"):
            return Truth.YES
        return Truth.NO if self._impossible([Wanted(rule)], f"whether `{text}` can be yes") else None

    def _constantly(self, criterion: Criterion, rule: t.Typed, always: Truth) -> Finding:
        empty = answer(evaluate(rule, NO_FACTS, on_day(self.bounds.today)))
        though = ", and yet stays unknown where nothing is recorded" if empty is Truth.UNKNOWN else ""
        text = unparse(rule.source)
        return self._finding(
            "proof_constant", Grade.WARNING, [criterion], text=text, answer=always.value, though=though
        )

    def _impossible(self, wanted: Sequence[Wanted], question: str) -> bool:
        found = self.inquiry.can_hold(wanted)
        if found == "undecided":
            self._late[question] = None
        return found == "impossible"

    def _finding(
        self, code: str, grade: Grade, about: Sequence[Criterion], also: Sequence[Criterion] = (), **values: str
    ) -> Finding:
        words = " ".join(f"{x.name} says: “{' '.join(x.quotes) or '(words lost)'}”." for x in (*about, *also))
        spot = place(self.protocol.marks, ("population", about[-1].kind, about[-1].name))
        return finding(code, spot, grade, names=_names(about), words=words, bound=self.bounds, **values)

    def _inquiry(self, bounds: Bounds, edits: bool = True) -> Inquiry:
        names = {name for x in self.criteria for name in _named(x.rule)}
        return Inquiry(self.protocol.vocabulary, bounds, _edit_checks(self.protocol, names) if edits else ())

    def _is_modelled(self, criterion: Criterion) -> bool:
        try:
            Inquiry(self.protocol.vocabulary, self.bounds).told(criterion.rule)
        except CannotEncode as what:
            self._unmodelled.append((criterion, str(what)))
            return False
        return True


def _met(criterion: Criterion, yes: bool = True) -> Wanted:
    return Wanted(criterion.rule, (criterion.kind == "inclusion") == yes)


def _names(criteria: Sequence[Criterion]) -> str:
    *most, last = [x.name for x in criteria]
    return f"{', '.join(most)} and {last}" if most else last


def _junctions(rule: t.Typed) -> Iterator[t.Junction]:
    """The and's and or's that are asked about the participant herself, not about a record."""
    match rule:
        case t.Junction():
            yield rule
            for operand in rule.operands:
                yield from _junctions(operand)
        case t.Negation():
            yield from _junctions(rule.operand)
        case t.Derived():
            yield from _junctions(rule.body)


# ---------------------------------------------------------------- groups, bounds, ranges


def _groups(protocol: Protocol) -> list[list[Criterion]]:
    """Criteria that share a name, or each a name with a third, stand together."""
    groups: list[tuple[set[str], list[Criterion]]] = []
    for criterion in protocol.criteria:
        names, members = _named(criterion.rule), [criterion]
        for group in [x for x in groups if x[0] & names]:
            groups.remove(group)
            names, members = names | group[0], [*group[1], *members]
        groups.append((names, members))
    return [sorted(members, key=protocol.criteria.index) for _, members in groups]


def _named(rule: t.Typed) -> set[str]:
    """The items, kinds of record and anchors on which a rule rests."""
    names: set[str] = set()
    for part in parts(rule):
        match part:
            case t.ItemAggregate(item=item, person=person):
                names.add(f"{person}.{item.name}")
            case t.Age(born=born, person=person):
                names.add(f"{person}.{born.name}")
            case t.RecordAggregate(lineage=lineage, kind=kind):
                names |= {kind, *lineage}
            case t.AnchorDate(anchor=anchor):
                names.add(f"at {anchor}")
        match part:
            case t.ItemAggregate(at=at, windows=windows) | t.RecordAggregate(at=at, windows=windows):
                names |= {f"at {x}" for x in (*at, *(window.anchor for window in windows)) if x}
            case t.AskedAt(at=at) | t.Age(at=at):
                names |= {f"at {x}" for x in at}
    return names


def _edit_checks(protocol: Protocol, names: set[str]) -> list[Given]:
    """The edit checks that speak of these names only."""
    given = []
    for name, edit in protocol.document.edit_checks.items():
        rule = protocol.rules.get(f"edit_checks.{name}.rule")
        if rule is not None and (_named(rule) | ({edit.of} if edit.of else set())) <= names:
            given.append(Given(rule, edit.of))
    return given


def _ranges(protocol: Protocol, plausible: bool) -> Mapping[str, Interval]:
    def chosen(limits: Limits) -> Interval | None:
        return (limits.plausible if plausible else None) or limits.possible

    return {name: range_ for name, limits in protocol.limits.items() if (range_ := chosen(limits)) is not None}


def _wide_enough(protocol: Protocol, bounds: Bounds) -> Bounds:
    """The bounds with one slot more than any number that is counted to, and a year more than any time looked back."""
    observations, more, years = bounds.observations, dict(bounds.more), bounds.years
    for part in (part for x in protocol.criteria for part in parts(x.rule)):
        match part:
            case t.Comparison(left=left, right=t.ConstantAmount(value=value)) if value <= _MOST:
                if isinstance(left, t.RecordAggregate) and left.function in ("count", "longest_run"):
                    most = max(more.get(left.kind, bounds.records), min(int(value) + 1, _MOST))
                    more |= {left.kind: most} if most > bounds.records else {}
                elif isinstance(left, t.ItemAggregate) and left.function in ("count", "longest_run"):
                    observations = max(observations, min(int(value) + 1, _MOST))
            case t.ItemAggregate(windows=windows) | t.RecordAggregate(windows=windows):
                for window in windows:
                    years = max(years, -(-window.amount // _PER_YEAR[window.calendar]) + 1)
            case t.ConstantDate(value=day):
                years = max(years, bounds.today.year - day.year + 1)
    return replace(bounds, observations=observations, more=more, years=min(years, 200))


def _merged(facts: Sequence[Facts]) -> Facts:
    """One participant of several groups; they share no name."""
    whole = Facts({}, {}, {}, {}, {})
    for one in facts:
        relatives = dict(whole.relatives)
        for person, own in one.relatives.items():
            before = relatives.get(person, NO_FACTS)
            relatives[person] = replace(own, observations={**before.observations, **own.observations})
        whole = Facts(
            {**whole.observations, **one.observations},
            {**whole.records, **one.records},
            {**whole.closed, **one.closed},
            {**whole.anchors, **one.anchors},
            relatives,
        )
    return whole
