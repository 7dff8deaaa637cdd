"""A checked expression as a formula, word by word the meaning that `evaluate` gives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from trialwright.language import typed as t
from trialwright.language.solving import members, smt
from trialwright.language.solving.bounds import day_of, years_between
from trialwright.language.solving.participant import Participant, anchor_of, field_of, observations_of, records_of
from trialwright.language.solving.smt import Term
from trialwright.language.solving.told import (
    HERE,
    Row,
    Told,
    World,
    among,
    asked_at,
    conjunction,
    of_all,
    opposite,
    unknown,
)
from trialwright.language.unparse import unparse


class Encoder:
    """Encodes expressions about one participant; the same words in the same world mean the same."""

    def __init__(self, her: Participant) -> None:
        self.her = her
        self._seen: dict[tuple[object, ...], tuple[Told, World]] = {}

    def encode(self, node: t.Typed, world: World = HERE) -> Told:
        """The formula of an expression; `CannotEncode` says what is not modelled."""
        her = self.her
        match node:
            case t.ItemAggregate():
                return self._once(node, world, lambda: members.over_item(node, world, her, self.encode))
            case t.RecordAggregate():
                return self._once(node, world, lambda: members.over_records(node, world, her, self.encode))
            case t.WithinNormal():
                return self._once(node, world, lambda: members.within_normal(node, world, her, self.encode))
            case t.Age():
                return self._once(node, world, lambda: _age(node, world, her))
            case t.FieldOf():
                return _field(node, world, her)
            case t.Attribute():
                assert world.observation is not None
                own = world.observation
                return Told(own.value if node.itself else field_of(own, own.name, node.item, her))
            case t.ObservationDate():
                assert world.observation is not None
                return Told(world.observation.day)
            case t.AnchorDate(anchor=name):
                return Told(anchor_of(name, her).day, anchor_of(name, her).used)
            case t.ConstantAmount(value=value):
                return Told(smt.constant(value))
            case t.ConstantDate(value=day):
                return Told(smt.constant(day_of(day, her.bounds)))
            case t.Derived():
                part = self.encode(node.body, replace(world, observation=None))
                return part if node.factor == 1 else of_all(part.value * smt.constant(node.factor), [part])
            case t.AskedAt():
                asked = asked_at(node.at, world, her)
                part = self.encode(node.operand, asked)
                return of_all(part.value, [part], asked.reached)
            case t.Negation():
                return opposite(self.encode(node.operand, world))
            case t.Junction(operator=operator):
                parts = [self.encode(operand, world) for operand in node.operands]
                return conjunction(parts) if operator == "and" else opposite(conjunction(map(opposite, parts)))
            case t.Comparison():
                one, other = self.encode(node.left, world), self.encode(node.right, world)
                right = other.value if node.factor == 1 else other.value * smt.constant(node.factor)
                return of_all(_compare(node.operator, one.value, right), [one, other])
            case t.IsAmong():
                part = self.encode(node.operand, world)
                found = among(part.value, node.among, her)
                kinds = node.operand.type.categories
                any_will_do = bool(kinds) and kinds <= node.among.categories  # then even an unknown one is among them
                result = Told(found, part.known, True if any_will_do else part.may)
                return opposite(result) if node.negated else result
            case t.SameKind():
                one, other = self.encode(node.left, world), self.encode(node.right, world)
                alike = node.left.type.categories == node.right.type.categories and len(node.left.type.categories) > 1
                both = of_all(one.value == other.value, [one, other])
                result = both if alike else Told(both.value, both.known, True)
                return opposite(result) if node.negated else result
            case t.Calculation():
                return self._calculation(node, world)
            case t.Opposite():
                part = self.encode(node.operand, world)
                return of_all(-part.value, [part])
            case t.Raised():  # pragma: no branch - the last of them
                return self._raised(node, world)

    def _calculation(self, node: t.Calculation, world: World) -> Told:
        one, other = self.encode(node.left, world), self.encode(node.right, world)
        left, right = one.value, other.value if node.factor == 1 else other.value * smt.constant(node.factor)
        match node.operator:
            case "+":
                return of_all(left + right, [one, other])
            case "-":
                return of_all(left - right, [one, other])
            case "*":
                both = of_all(left * right, [one, other])
                zero = smt.any_of([smt.all_of([one.may, left == 0]), smt.all_of([other.may, right == 0])])
                return Told(both.value, both.known, smt.any_of([both.may, zero]))  # zero times anything is zero
            case "/":  # pragma: no branch - the last of them
                return self._quotient(left, right, [one, other])

    def _quotient(self, over: Term, under: Term, parts: Sequence[Told]) -> Told:
        """A number that, times the divisor, is the dividend; where the divisor is zero, any."""
        found = smt.fresh("real")
        self.her.axioms.append(smt.any_of([under == 0, found * smt.real(under) == smt.real(over)]))
        return of_all(found, parts, smt.negate(under == 0))

    def _raised(self, node: t.Raised, world: World) -> Told:
        part = self.encode(node.operand, world)
        value: Term = smt.constant(1)
        for index in range(abs(node.exponent)):
            value = part.value if index == 0 else value * part.value
        if node.exponent < 0:
            return self._quotient(smt.constant(1), value, [part])
        return Told(value, part.known, part.may if node.exponent % 2 else True)  # an even power is never negative

    def _once(self, node: t.Typed, world: World, make: Callable[[], Told]) -> Told:
        """What is free where nothing was recorded must be the same wherever the same words are asked."""
        at_hand = tuple((kind, tuple((smt.key(x), i) for x, i in row)) for kind, row in sorted(world.at_hand.items()))
        observed = world.observation.name if world.observation else ""
        of = node.of if isinstance(node, t.RecordAggregate) else ""
        key = (type(node), unparse(node.source), of, smt.key(world.when), at_hand, observed)
        if key not in self._seen:
            self._seen[key] = (make(), world)  # the world is kept, so that its terms keep their keys
        return self._seen[key][0]


def _compare(operator: str, one: Term, other: Term) -> Term:
    match operator:
        case "<":
            return one < other
        case "<=":
            return one <= other
        case ">":
            return one > other
        case ">=":
            return one >= other
        case "=":
            return one == other
        case _:
            return one != other


def _age(node: t.Age, world: World, her: Participant) -> Told:
    """Counted from the latest date of birth that was told, whenever that was."""
    asked = asked_at(node.at, world, her)
    slots = observations_of(node.person, node.born, her)
    last = slots[-1]
    rivals = [smt.all_of([x.used, x.day == last.day, x.value != last.value]) for x in slots[:-1]]
    years = years_between(last.value, asked.when, her.bounds)
    may = smt.all_of([last.used, asked.reached])
    return Told(years, smt.all_of([may, smt.negate(smt.any_of(rivals))]), may)


def _field(node: t.FieldOf, world: World, her: Participant) -> Told:
    """A field of the record at hand, recorded on the record's day."""
    row = world.at_hand.get(node.kind)
    if row is None:
        return unknown(node.type, her)
    slots = records_of(node.kind, her)
    if node.item is None:
        return Told(by_row(row, [x.day for x in slots]))
    values = [field_of(slots[index], node.kind, node.item, her) for _, index in row]
    known = smt.any_of(smt.all_of([here, slots[index].day <= world.when]) for here, index in row)
    return Told(_chosen([here for here, _ in row], values), known)


def by_row(row: Row, terms: list[Term]) -> Term:
    """The term of whichever slot the record at hand is."""
    return _chosen([here for here, _ in row], [terms[index] for _, index in row])


def _chosen(conditions: list[Term], terms: list[Term]) -> Term:
    found = terms[-1]
    for condition, term in zip(reversed(conditions[:-1]), reversed(terms[:-1]), strict=True):
        found = smt.choose(condition, term, found)
    return found
