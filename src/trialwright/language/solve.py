"""What can be said of rules with no participant: whether they can hold together, up to stated bounds (Z3).

A model is turned back into facts and checked with `evaluate`; nothing is claimed to be possible that `evaluate`
does not answer as wanted, and nothing to be impossible that `evaluate` could. Needs the extra `prove`; without Z3
this module is an ImportError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from trialwright.core.partial_date import PartialDate, on_day
from trialwright.core.truth import Truth
from trialwright.language import typed as t
from trialwright.language.evaluate import answer, evaluate
from trialwright.language.facts import Facts
from trialwright.language.solving import smt
from trialwright.language.solving.bounds import BOUNDS, Bounds
from trialwright.language.solving.encode import Encoder
from trialwright.language.solving.exact import exactly
from trialwright.language.solving.example import facts_of, plainer
from trialwright.language.solving.members import row_of
from trialwright.language.solving.participant import Participant, records_of
from trialwright.language.solving.smt import Term
from trialwright.language.solving.told import CannotEncode, Told, World
from trialwright.language.vocabulary import Vocabulary, ancestors

__all__ = [
    "BOUNDS",
    "Bounds",
    "CannotEncode",
    "Given",
    "Impossible",
    "Inquiry",
    "Model",
    "Undecided",
    "Wanted",
    "can_be",
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rule, and whether it is to be yes or no."""

    rule: t.Typed
    yes: bool = True


@dataclass(frozen=True, slots=True)
class Given:
    """A rule that holds of everybody, or of every record of the kind that it is about."""

    rule: t.Typed
    of: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """Somebody for whom every rule is answered as wanted, on a day."""

    facts: Facts
    when: PartialDate


@dataclass(frozen=True, slots=True)
class Impossible:
    """Nobody is answered as wanted; `among` are the places of the rules that suffice for that."""

    among: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Undecided:
    """Neither was shown, and why."""

    why: str


def can_be(
    wanted: Sequence[Wanted], vocabulary: Vocabulary, bounds: Bounds = BOUNDS, given: Sequence[Given] = ()
) -> Model | Impossible | Undecided:
    """Whether somebody can be answered as wanted, with an example, or the fewest of the rules that forbid it.

    >>> from trialwright.language.check import Checked, check
    >>> from trialwright.language.parse import parse
    >>> from trialwright.language.vocabulary import Item
    >>> names = Vocabulary({"afc": Item("afc", "count")})
    >>> few, many = (Wanted(check(parse(text), Checked(names))) for text in ("afc <= 7", "afc >= 8"))
    >>> can_be([few, many], names)
    Impossible(among=(0, 1))
    """
    inquiry = Inquiry(vocabulary, bounds, given)
    try:
        for one in wanted:
            inquiry.told(one.rule)
    except CannotEncode as what:
        return Undecided(str(what))
    found = inquiry.can_hold(wanted)
    if found == "impossible":
        return Impossible(inquiry.fewest(wanted))
    return Undecided("the question takes too long") if found == "undecided" else inquiry.example(wanted)


class Inquiry:
    """Several questions about one participant who may be anybody; each rule is encoded once."""

    def __init__(self, vocabulary: Vocabulary, bounds: Bounds = BOUNDS, given: Sequence[Given] = ()) -> None:
        self.bounds = bounds
        self._her = Participant(vocabulary, bounds)
        self._encoder = Encoder(self._her)
        self._solver = smt.Solver(bounds.seconds)
        self._rules: dict[int, tuple[t.Typed, Told]] = {}
        self._added = 0
        self._given = tuple(given)
        for one in given:
            self._her.axioms += self._holds_of_all(one)

    def told(self, rule: t.Typed) -> Told:
        """The formula of a rule; raises `CannotEncode` where something in it is not modelled."""
        if id(rule) not in self._rules:
            self._rules[id(rule)] = (rule, self._encoder.encode(rule))
        return self._rules[id(rule)][1]

    def can_hold(self, wanted: Sequence[Wanted]) -> smt.Found:
        """Whether `evaluate` may answer as wanted; if not, it does so for nobody."""
        return self._check([self._answered(one) for one in wanted])

    def fewest(self, wanted: Sequence[Wanted]) -> tuple[int, ...]:
        """Of rules that cannot hold together, places of some of which none can be left out."""
        terms = [self._answered(one) for one in wanted]
        kept = list(range(len(terms)))
        if self._check(terms) == "impossible":
            kept = self._solver.core(terms)
        for place in list(kept):
            without = [index for index in kept if index != place]
            if self._check([terms[index] for index in without]) == "impossible":
                kept = without
        return tuple(kept)

    def answer(self, rule: t.Typed, facts: Facts) -> Truth:
        """What is so of somebody of whom this much is known: yes or no where it can be nothing else.

        Lists count as closed. `CannotEncode` where the facts lie beyond the bounds.
        """
        so = self.told(rule).value
        her = exactly(facts, self._her)
        if self._check([her]) == "impossible":
            raise CannotEncode("facts beyond the bounds")
        if self._check([her, smt.negate(so)]) == "impossible":
            return Truth.YES
        return Truth.NO if self._check([her, so]) == "impossible" else Truth.UNKNOWN

    def example(self, wanted: Sequence[Wanted]) -> Model | Undecided:
        """Somebody for whom `evaluate` answers as wanted, in plain numbers."""
        told = [self.told(one.rule) for one in wanted]
        terms = [_so(x, one) for x, one in zip(told, wanted, strict=True)] + [x.known for x in told]
        found = self._check(terms)
        if found == "impossible":
            return Undecided("it can be so, but nobody was found of whom it would be known")
        for preferred in self._preferred(wanted):
            if found == "possible" and self._check([*terms, preferred]) == "possible":
                terms.append(preferred)
        if self._check(terms) != "possible":
            return Undecided("the question takes too long")
        today = on_day(self.bounds.today)
        facts = facts_of(self._solver.model(), self._her)
        if not _answered(wanted, facts, today):
            return Undecided("an example was found that `evaluate` does not confirm")
        holds = self._confirmed(wanted, facts, today)
        return Model(plainer(facts, holds, self.bounds.ranges, today), today)

    def _answered(self, wanted: Wanted) -> Term:
        told = self.told(wanted.rule)
        return smt.all_of([_so(told, wanted), told.may])

    def _check(self, terms: Sequence[Term]) -> smt.Found:
        self._solver.add(*[x for x in self._her.axioms[self._added :] if x is not True])
        self._added = len(self._her.axioms)
        return self._solver.check(*terms)

    def _holds_of_all(self, given: Given) -> list[Term]:
        if not given.of:
            return [self._encoder.encode(given.rule).value]
        lineage, terms = ancestors(self._her.vocabulary, given.of), []
        for index, slot in enumerate(records_of(given.of, self._her)):
            here = World(at_hand=row_of(given.of, lineage, index, self._her))
            terms.append(smt.implies(slot.used, self._encoder.encode(given.rule, here).value))
        return terms

    def _confirmed(self, wanted: Sequence[Wanted], facts: Facts, today: PartialDate) -> Callable[[Facts], bool]:
        """Whether changed facts are still answered as wanted, and no worse by what is given."""

        def refuted(facts: Facts) -> int:
            asked = [
                (one.rule, record)
                for one in self._given
                for record in (facts.records.get(one.of, ()) if one.of else (None,))
            ]
            return sum(1 for rule, record in asked if answer(evaluate(rule, facts, today, record)) is Truth.NO)

        before = refuted(facts)
        return lambda changed: _answered(wanted, changed, today) and refuted(changed) <= before

    def _preferred(self, wanted: Sequence[Wanted]) -> Iterator[Term]:
        """What makes an example speak: far from what is not wanted; the latest record unlike one that is looked for."""
        for one in wanted:
            if not one.yes and isinstance(one.rule, t.Junction) and one.rule.operator == "and":
                for operand in one.rule.operands:
                    told = self._encoder.encode(operand)
                    yield smt.all_of([smt.negate(told.value), told.known])
        asked = [x for one in wanted for x in t.parts(one.rule) if isinstance(x, t.RecordAggregate) and not x.of]
        latest = {x.kind for x in asked if x.function == "latest"}
        for x in asked:
            if x.kind in latest and x.function in ("any", "count") and x.where is not None:
                before, last = records_of(x.kind, self._her)[-2:]
                here = World(at_hand=row_of(x.kind, x.lineage, len(self._her.records[x.kind]) - 1, self._her))
                yield smt.all_of([before.used, smt.negate(self._encoder.encode(x.where, here).value)])
        for kind in sorted({x.kind for x in asked}):
            slots = records_of(kind, self._her)
            for before, last in pairwise(slots):
                yield smt.implies(before.used, last.day - before.day >= 28)
        for kind in sorted(latest & {x.kind for x in asked if x.function in ("any", "count")}):
            before, last = records_of(kind, self._her)[-2:]
            for name in sorted(last.fields.keys() & before.fields.keys()):
                if self._her.vocabulary.records[kind].fields[name].kind in ("category", "yes_no"):
                    yield smt.negate(smt.same(before.fields[name], last.fields[name]))


def _so(told: Told, wanted: Wanted) -> Term:
    return told.value if wanted.yes else smt.negate(told.value)


def _answered(wanted: Sequence[Wanted], facts: Facts, today: PartialDate) -> bool:
    return all(answer(evaluate(one.rule, facts, today)) is (Truth.YES if one.yes else Truth.NO) for one in wanted)
