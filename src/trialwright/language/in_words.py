"""An expression in words, for whoever reads the protocol and does not write it; the expression itself decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from trialwright.language import nodes as n

#: How a name is called: an item by its label.
Called: TypeAlias = Callable[[str], str]

_COMPARED = {
    "<": "is below",
    "<=": "is at most",
    ">": "is above",
    ">=": "is at least",
    "=": "is",
    "!=": "is not",
}
_CALCULATED = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
_FUNCTIONS = {
    "latest": "the latest",
    "earliest": "the earliest",
    "min": "the least",
    "max": "the greatest",
    "mean": "the mean",
    "sum": "the sum of",
    "count": "the number of",
    "any": "there is",
    "every": "every",
    "share": "the share of",
    "longest_run": "the longest run of",
    "known": "there is a recorded",
}


def in_words(expression: n.Expression | n.Choice, called: Called) -> str:
    """The expression as a phrase, with names as the protocol calls them.

    >>> from trialwright.language.parse import parse
    >>> in_words(parse("afc <= 7 or amh < 1.10 ng/mL"), {"afc": "follicle count", "amh": "AMH"}.get)
    'follicle count is at most 7, or AMH is below 1.10 ng/mL'
    """
    match expression:
        case n.Number(text, unit):
            return f"{text} {unit}" if unit else text
        case n.Text(text) | n.Date(text):
            return text
        case n.Ref(path, narrowings):
            return " ".join([_name(path, called), *(_narrowed(one, called) for one in narrowings)])
        case n.Aggregate():
            return _aggregate(expression, called)
        case n.Asked(operand, at):
            return " ".join([f"({in_words(operand, called)})", *(_narrowed(one, called) for one in at)])
        case n.Not(operand):
            return f"not: {_inside(operand, called)}"
        case n.And(operands):
            return ", and ".join(_inside(one, called) for one in operands)
        case n.Or(operands):
            return ", or ".join(_inside(one, called) for one in operands)
        case n.Compare(operator, left, right):
            return f"{_inside(left, called)} {_COMPARED[operator]} {_inside(right, called)}"
        case n.Membership(operand, choice, negated):
            verb = "is not" if negated else "is"
            return f"{_inside(operand, called)} {verb} {in_words(choice, called)}"
        case n.Normal(operand, side):
            return f"{_inside(operand, called)} is {side} its reference range"
        case n.Arithmetic(operator, left, right):
            first, second = in_words(left, called), in_words(right, called)
            if operator in "*/" and isinstance(left, n.Arithmetic) and left.operator in "+-":
                first = f"({first})"
            if isinstance(right, n.Arithmetic):
                second = f"({second})"
            return f"{first} {_CALCULATED[operator]} {second}"
        case n.Negative(operand):
            return f"minus {_inside(operand, called)}"
        case n.Power(operand, exponent):
            return f"{_inside(operand, called)} to the power of {exponent}"
        case n.Range(low, high, unit):
            return f"from {low} to {high}" + (f" {unit}" if unit else "")
        case n.Members(members, _, unit):
            listed = " or ".join(_plain(one) for one in members) if len(members) < 3 else _listed(members)
            return listed + (f" {unit}" if unit else "")
        case n.ValueSet(path):  # pragma: no branch - the last of them
            return f"one of {_name(path, called)}"


def _aggregate(node: n.Aggregate, called: Called) -> str:
    text = f"{_FUNCTIONS[node.function]} {in_words(node.source, called)}"
    if node.where is not None:
        text += f" with {_inside(node.where, called)}"
    if node.satisfies is not None:
        text += f" that satisfies {_inside(node.satisfies, called)}"
    if node.field_name:
        text = f"{called(node.field_name) or _plain(node.field_name)} of {text}"
    return " ".join([text, *(_narrowed(one, called) for one in node.at)])


def _narrowed(narrowing: n.Narrowing, called: Called) -> str:
    match narrowing:
        case n.Within(amount, calendar, side, anchor):
            span = f"{amount} {calendar}"
            return f"within {span} {side} {_name(anchor, called)}" if anchor else f"within the last {span}"
        case n.On(attribute, choice):
            return f"on {_plain(attribute)} {in_words(choice, called)}"
        case n.At(anchor):  # pragma: no branch - the last of them
            return f"at {_name(anchor, called)}"


def _inside(node: n.Expression, called: Called) -> str:
    text = in_words(node, called)
    return f"({text})" if isinstance(node, n.And | n.Or) else text


def _name(path: n.Path, called: Called) -> str:
    names = [called(one) or _plain(one) for one in path]
    return f"{names[-1]} of {' of '.join(reversed(names[:-1]))}" if len(names) > 1 else names[0]


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _listed(members: tuple[str, ...]) -> str:
    return f"one of {', '.join(_plain(one) for one in members)}"
