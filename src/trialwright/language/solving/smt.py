"""Z3 behind a thin door: the only module that imports it. Python's own True and False are folded away.

Z3 has no types, so a term is `Any` here and only here; importing this module without Z3 is an ImportError.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, TypeAlias

_z3: Any = importlib.import_module("z3")

#: A formula, a number or a day; a Python bool or int where it is constant.
Term: TypeAlias = Any
Found: TypeAlias = Literal["possible", "impossible", "undecided"]


def all_of(terms: Iterable[Term]) -> Term:
    """Conjunction; of nothing it is true."""
    kept = [x for x in terms if x is not True]
    if any(x is False for x in kept):
        return False
    return True if not kept else kept[0] if len(kept) == 1 else _z3.And(kept)


def any_of(terms: Iterable[Term]) -> Term:
    """Disjunction; of nothing it is false."""
    kept = [x for x in terms if x is not False]
    if any(x is True for x in kept):
        return True
    return False if not kept else kept[0] if len(kept) == 1 else _z3.Or(kept)


def negate(term: Term) -> Term:
    """Negation."""
    return (not term) if isinstance(term, bool) else _z3.Not(term)


def implies(one: Term, other: Term) -> Term:
    """Implication."""
    return any_of([negate(one), other])


def choose(condition: Term, one: Term, other: Term) -> Term:
    """One where the condition holds, else the other."""
    if isinstance(condition, bool):
        return one if condition else other
    return _z3.If(condition, one, other)


def same(one: Term, other: Term) -> Term:
    """Whether two terms are equal; two truths too."""
    if isinstance(one, bool):
        return other if one else negate(other)
    if isinstance(other, bool):
        return one if other else negate(one)
    return one == other


def total(terms: Sequence[Term]) -> Term:
    """The sum; of nothing it is zero."""
    return _z3.Sum(list(terms)) if terms else _z3.IntVal(0)


def constant(value: Decimal | Fraction | int) -> Term:
    """An exact number."""
    fraction = Fraction(value)
    if fraction.denominator == 1:
        return _z3.IntVal(fraction.numerator)
    return _z3.RealVal(f"{fraction.numerator}/{fraction.denominator}")


def real(term: Term) -> Term:
    """A whole number as a real one, so that it can be divided."""
    return _z3.ToReal(term) if _z3.is_int(term) else term


def variable(name: str, sort: Literal["real", "int", "bool"]) -> Term:
    """A named unknown."""
    return {"real": _z3.Real, "int": _z3.Int, "bool": _z3.Bool}[sort](name)


def fresh(sort: Literal["real", "int", "bool"]) -> Term:
    """An unknown of its own."""
    kinds = {"real": _z3.RealSort, "int": _z3.IntSort, "bool": _z3.BoolSort}
    return _z3.FreshConst(kinds[sort](), "free")


def key(term: Term) -> str:
    """What tells one term from another."""
    return str(term.get_id()) if isinstance(term, _z3.AstRef) else repr(term)


class Solver:
    """A Z3 solver whose every question is bounded in time."""

    def __init__(self, seconds: float) -> None:
        self._solver = _z3.Solver()
        self._solver.set("timeout", int(seconds * 1000))
        self._solver.set("random_seed", 1)
        self._labels: dict[str, tuple[Term, Term]] = {}  # by the term's key, kept so that the key stays its own

    def add(self, *terms: Term) -> None:
        """Assume for every question."""
        self._solver.add(*terms)

    def label(self, term: Term) -> Term:
        """A literal that stands for a formula, so that it can be assumed for one question."""
        name = key(term)
        if name not in self._labels:
            self._labels[name] = (term, _z3.FreshConst(_z3.BoolSort(), "label"))
            self._solver.add(self._labels[name][1] == term)
        return self._labels[name][1]

    def check(self, *terms: Term) -> Found:
        """Whether all of the terms can hold together."""
        found = self._solver.check(*[self.label(x) for x in terms])
        if found == _z3.sat:
            return "possible"
        return "impossible" if found == _z3.unsat else "undecided"

    def core(self, terms: Sequence[Term]) -> list[int]:
        """After `impossible`: which of the assumed terms suffice for that."""
        names = {key(x) for x in self._solver.unsat_core()}
        return [index for index, x in enumerate(terms) if key(self.label(x)) in names]

    def model(self) -> Any:
        """After `possible`: an assignment."""
        return self._solver.model()


def number(model: Any, term: Term) -> Fraction:
    """The value of a number in a model; an irrational one to twelve places."""
    value = model.eval(_z3.IntVal(term) if isinstance(term, int) else term, model_completion=True)
    if _z3.is_algebraic_value(value):
        value = value.approx(12)
    return (
        Fraction(value.numerator_as_long(), value.denominator_as_long())
        if _z3.is_rational_value(value)
        else (Fraction(value.as_long()))
    )


def holds(model: Any, term: Term) -> bool:
    """Whether a formula holds in a model."""
    return term if isinstance(term, bool) else bool(_z3.is_true(model.eval(term, model_completion=True)))
