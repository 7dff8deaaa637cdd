"""Nodes to text: what was parsed prints back the same, and reads aloud the same."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from trialwright.language import nodes as n

_BINDING = {
    n.Or: 1,
    n.And: 2,
    n.Not: 3,
    n.Compare: 4,
    n.Membership: 4,
    n.Normal: 4,
    n.Negative: 7,
    n.Power: 8,
}


def unparse(expression: n.Expression | n.Choice | n.Narrowing) -> str:
    """The expression in its one written form.

    >>> from trialwright.language.parse import parse
    >>> unparse(parse("afc<=7 or  amh < 1.10 ng/mL"))
    'afc <= 7 or amh < 1.10 ng/mL'
    """
    match expression:
        case n.Number(text, unit):
            return f"{text} {unit}" if unit else text
        case n.Text(text):
            return f'"{text}"'
        case n.Date(text):
            return text
        case n.Ref(path, narrowings):
            return " ".join([".".join(path), *map(unparse, narrowings)])
        case n.Within(amount, calendar, side, anchor):
            return f"within {amount} {calendar}" + (f" {side} {'.'.join(anchor)}" if anchor else "")
        case n.On(attribute, choice):
            return f"on {attribute} {unparse(choice)}"
        case n.At(anchor):
            return f"at {'.'.join(anchor)}"
        case n.Aggregate():
            return _aggregate(expression)
        case n.Asked(operand, at):
            return " ".join([f"({unparse(operand)})", *map(unparse, at)])
        case n.Not(operand):
            return f"not {_inside(operand, 3)}"
        case n.And(operands):
            return " and ".join(_inside(operand, 3) for operand in operands)
        case n.Or(operands):
            return " or ".join(_inside(operand, 2) for operand in operands)
        case n.Compare(operator, left, right):
            return f"{_inside(left, 5)} {operator} {_inside(right, 5)}"
        case n.Membership(operand, choice, negated):
            return f"{_inside(operand, 5)} {'not ' if negated else ''}in {unparse(choice)}"
        case n.Normal(operand, side):
            return f"{_inside(operand, 5)} {side} normal"
        case n.Arithmetic(operator, left, right):
            level = 5 if operator in "+-" else 6
            return f"{_inside(left, level)} {operator} {_inside(right, level + 1)}"
        case n.Negative(operand):
            return f"-{_inside(operand, 8)}"
        case n.Power(operand, exponent):
            return f"{_inside(operand, 9)}^{exponent}"
        case n.Range(low, high, unit):
            return f"{low}..{high}" + (f" {unit}" if unit else "")
        case n.Members(members, quoted, unit):
            inner = ", ".join(f'"{m}"' if q else m for m, q in zip(members, quoted, strict=True))
            return f"{{{inner}}}" + (f" {unit}" if unit else "")
        case n.ValueSet(path):  # pragma: no branch - the last of them
            return ".".join(path)


def _aggregate(node: n.Aggregate) -> str:
    inner = unparse(node.source)
    if node.where is not None:
        inner += f" where {unparse(node.where)}"
    if node.satisfies is not None:
        inner += f" satisfies {unparse(node.satisfies)}"
    text = f"{node.function}({inner})" + (f".{node.field_name}" if node.field_name else "")
    return " ".join([text, *map(unparse, node.at)])


def _inside(node: n.Expression, level: int) -> str:
    return f"({unparse(node)})" if _binding(node) < level else unparse(node)


def _binding(node: n.Expression) -> int:
    if isinstance(node, n.Arithmetic):
        return 5 if node.operator in "+-" else 6
    return _BINDING.get(type(node), 9)


def to_json(node: object) -> object:
    """The nodes as plain JSON, each with the name of its kind."""
    if isinstance(node, tuple):
        return [to_json(part) for part in node]
    if is_dataclass(node) and not isinstance(node, type):
        parts = {field.name: to_json(getattr(node, field.name)) for field in fields(node) if field.compare}
        return {"node": type(node).__name__, **parts}
    return node
