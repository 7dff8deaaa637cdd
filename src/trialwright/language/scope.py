"""What the checker knows while it reads an expression, and how it says what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NoReturn

from trialwright.core.finding import Finding, Grade, Refused, Where, finding
from trialwright.core.units import COUNT, Unit
from trialwright.language import nodes as n
from trialwright.language import typed as t
from trialwright.language.unparse import unparse
from trialwright.language.vocabulary import Item, Vocabulary

TRUTH = t.Type("truth")
DATE = t.Type("date")
NUMBER = t.Type("amount", COUNT)

#: Calendar words measure ages and stretches between dates; they are not UCUM units and never mix with them.
YEARS = Unit("years", COUNT.dimension, Fraction(1))
DAYS = Unit("days", COUNT.dimension, Fraction(1))

TYPE_NAMES = {"amount": "a number", "category": "a category", "truth": "a condition", "date": "a date"}


@dataclass(slots=True)
class Checked:
    """A vocabulary with what has been checked against it: derivations once, warnings collected."""

    vocabulary: Vocabulary
    warnings: list[Finding] = field(default_factory=list)
    derivations: dict[str, t.Typed] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands and what its names may mean; `check` is the checker itself, for its parts to ask."""

    checked: Checked
    base: Where
    check: Callable[[n.Expression, Scope], t.Typed]
    kinds: tuple[str, ...] = ()  # record kinds at hand, innermost first
    observed: Item | None = None  # the item whose observation is at hand
    open: tuple[str, ...] = ()  # derivations being checked, to find circles

    @property
    def vocabulary(self) -> Vocabulary:
        return self.checked.vocabulary


def condition(node: n.Expression, scope: Scope) -> t.Typed:
    """The checked expression, which must be a condition."""
    return expect(scope.check(node, scope), "truth", place(node, scope))


def amount(node: n.Expression, scope: Scope) -> t.Typed:
    """The checked expression, which must be a number."""
    return expect(scope.check(node, scope), "amount", place(node, scope))


def expect(node: t.Typed, is_a: t.ValueType, where: Where = Where()) -> t.Typed:
    """The same node, where it yields what is needed; else a finding."""
    if node.type.is_a != is_a:
        text, found, expected = unparse(node.source), TYPE_NAMES[node.type.is_a], TYPE_NAMES[is_a]
        raise Refused(finding("type_mismatch", where, text=text, found=found, expected=expected))
    return node


def type_of(item: Item) -> t.Type:
    """What an item yields."""
    match item.kind:
        case "quantity" | "count":
            return t.Type("amount", item.unit)
        case "category":
            return t.Type("category", categories=frozenset(item.categories))
        case "yes_no" | "attestation":
            return TRUTH
        case "date":
            return DATE
        case "age":  # pragma: no branch - the last of them
            return t.Type("amount", YEARS)


# ---------------------------------------------------------------- findings


def place(node: n.Node, scope: Scope) -> Where:
    """Where a node stands in the file, or in its expression where there is no file."""
    return shifted(scope.base, node.span.line, node.span.column)


def shifted(base: Where, line: int, column: int) -> Where:
    """A line and column of an expression (from 1), counted from where the expression begins."""
    if not base.line:
        return replace(base, line=line, column=column)
    in_file = base.column + column - 1 if line == 1 and base.column else base.column
    return replace(base, line=base.line + line - 1, column=in_file)


def fail(scope: Scope, node: n.Node, code: str, **values: object) -> NoReturn:
    """Refuse the expression with a finding at the node."""
    raise Refused(finding(code, place(node, scope), Grade.ERROR, **values))


def unknown_name(node: n.Ref, scope: Scope) -> NoReturn:
    """Refuse a name that nothing declares, with the nearest one that exists."""
    vocabulary, name = scope.vocabulary, ".".join(node.path)
    local = [field for kind in scope.kinds for field in vocabulary.records[kind].fields]
    relatives = [f"{person}.{item}" for person, items in vocabulary.relatives.items() for item in items]
    names = [*vocabulary.items, *vocabulary.derivations, *vocabulary.records, *vocabulary.anchors, *local, *relatives]
    fail(scope, node, "name_unknown", name=name, nearest=nearest(name, names))


def nearest(name: str, names: Iterable[str]) -> str:
    """A sentence with the nearest name that exists, or nothing."""
    near = difflib.get_close_matches(name, list(names), 1)
    return f" Did you mean `{near[0]}`?" if near else ""
