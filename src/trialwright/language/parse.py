"""Text to nodes: every slip is a finding with line, column, what was expected and the nearest word."""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from trialwright.core.finding import Finding, Where, finding
from trialwright.language import grammar
from trialwright.language import nodes as n
from trialwright.language.scope import shifted

#: Longer or deeper expressions are refused: a rule that nobody can read aloud is not a rule.
MAX_LENGTH = 4000
MAX_DEPTH = 60

_EXPECTED = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a quoted category",
    "DATE": "a date",
    "FUNC": "a function such as latest or count",
    "CMP": "a comparison",
    "UNIT": "a unit",
    "CALENDAR": "days, weeks, months or years",
    "INT_EXP": "a whole exponent",
    "SIDE": "outside or inside",
    "ANCHOR": "before, after or around",
    "LPAR": "(",
    "RPAR": ")",
    "LBRACE": "{",
    "RBRACE": "}",
    "COMMA": ",",
    "DOT": ".",
    "PLUS": "+",
    "MINUS": "-",
    "STAR": "*",
    "SLASH": "/",
    "NEG": "a sign",
    "CIRCUMFLEX": "^",
    "__ANON_0": "..",
    "$END": "the end",
}
_KEYWORDS = (*n.RESERVED, *n.FUNCTIONS, "outside", "inside", "before", "after", "around")
_DEEPENS = re.compile(r"\bnot\b|-(?=[\w(-])|[-+*/](?=\s)")  # each puts one node more on top of another
_GLUED = re.compile(r"[\w)][-+*/]\s*[\w(]")


def parse(text: str, where: Where = Where()) -> n.Expression | Finding:
    """The expression that the text says, or the first slip in it.

    >>> parse("afc <= 7")
    Compare(operator='<=', left=Ref(path=('afc',), narrowings=()), right=Number(text='7', unit=''))
    """
    if len(text) > MAX_LENGTH:
        return finding("syntax_too_long", where, length=len(text), limit=MAX_LENGTH)
    if _depth(text) > MAX_DEPTH or len(_DEEPENS.findall(text)) > MAX_DEPTH:
        return finding("syntax_too_deep", where, limit=MAX_DEPTH)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as slip:
        return _slip(text, slip, where)
    return cast(n.Expression, _build(tree))


@cache
def _parser() -> Lark:
    return grammar.parser()


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif character == ")":
            depth -= 1
    return deepest


def _slip(text: str, slip: UnexpectedInput, where: Where) -> Finding:
    if isinstance(slip, UnexpectedToken):
        expected, token = set(slip.accepts or slip.expected), str(slip.token)
    else:
        assert isinstance(slip, UnexpectedCharacters)  # the end of the text is a token too, `$END`
        expected, token = set(slip.allowed or ()), text[int(slip.pos_in_stream or 0) :][:1]
    ended = isinstance(slip, UnexpectedToken) and slip.token.type == "$END"
    hopes = ", ".join(sorted({_EXPECTED.get(name, name.lower()) for name in expected})) or "something else"
    if ended or not token:
        return finding("syntax_end", shifted(where, *_end(text)), expected=hopes, text=text)
    where = shifted(where, slip.line, slip.column)
    position = int(slip.pos_in_stream or 0)
    rest = text[position:]
    if token[0] in "+-*/" and _GLUED.match(text[max(position - 1, 0) :]):  # `-1` may be taken for an exponent
        return finding("operator_blanks", where, found=token[0])
    word_match = re.match(r"\w+", rest)
    if token == "(":  # a misspelt function stands before its parenthesis
        word_match = re.search(r"\w+$", text[:position])
    word = word_match.group() if word_match else token
    fitting = [each for each in _KEYWORDS if each.upper() in expected]  # a word that fits is likelier
    near = difflib.get_close_matches(word, fitting, 1) or difflib.get_close_matches(word, _KEYWORDS, 1)
    return finding(
        "syntax",
        where,
        found=word,
        expected=hopes,
        hint=f" Did you mean `{near[0]}`?" if near and near[0] != token else "",
        line=slip.line,
        column=slip.column,
        text=text,
    )


def _end(text: str) -> tuple[int, int]:
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1


def _build(item: Tree[Token] | Token) -> n.Node:
    if isinstance(item, Token):  # a grammar change would show here
        raise AssertionError(f"no node for the token {item!r}")
    span = n.Span(getattr(item.meta, "line", 1), getattr(item.meta, "column", 1))
    parts = item.children

    def expression(index: int) -> n.Expression:
        return cast(n.Expression, _build(parts[index]))

    match str(item.data):
        case "quantity":
            return n.Number(str(parts[0]), _unit(parts[1:]), span=span)
        case "string":
            return n.Text(str(parts[0])[1:-1], span=span)
        case "date":
            return n.Date(str(parts[0]), span=span)
        case "ref":
            return _ref(item, span)
        case "aggregate":
            return _aggregate(item, span)
        case "grouped":
            at = tuple(_at(part) for part in _trees(parts[1:]))
            return n.Asked(expression(0), at, span=span) if at else expression(0)
        case "not_":
            return n.Not(expression(0), span=span)
        case "and_":
            return n.And(_flat(parts, "and_"), span=span)
        case "or_":
            return n.Or(_flat(parts, "or_"), span=span)
        case "cmp":
            return n.Compare(cast(n.Comparator, str(parts[1])), expression(0), expression(2), span=span)
        case "isin" | "notin":
            return n.Membership(expression(0), _choice(parts[1]), item.data == "notin", span=span)
        case "normal":
            return n.Normal(expression(0), "outside" if parts[1] == "outside" else "inside", span=span)
        case "arith":
            return n.Arithmetic(cast(n.Operator, str(parts[1])), expression(0), expression(2), span=span)
        case "neg":
            return n.Negative(expression(1), span=span)
        case "power":
            return n.Power(expression(0), int(str(parts[1])), span=span)
        case other:
            raise AssertionError(f"no node for the rule {other}")


def _flat(parts: list[Tree[Token] | Token], rule: str) -> tuple[n.Expression, ...]:
    """The operands of a chain `a and b and c`, without touching what stood in parentheses."""
    first: Tree[Token] | Token = parts[0]
    rest = [parts[1]]
    while isinstance(first, Tree) and first.data == rule:
        first, right = first.children
        rest.append(right)
    operands = [_build(first), *(_build(part) for part in reversed(rest))]
    return cast("tuple[n.Expression, ...]", tuple(operands))


def _trees(parts: list[Tree[Token] | Token]) -> list[Tree[Token]]:
    return [part for part in parts if isinstance(part, Tree)]


def _unit(parts: list[Tree[Token] | Token]) -> str:
    return str(cast("Tree[Token]", parts[0]).children[0]) if parts else ""


def _path(tree: Tree[Token] | Token) -> n.Path:
    return tuple(str(name) for name in cast("Tree[Token]", tree).children)


def _ref(tree: Tree[Token], span: n.Span) -> n.Ref:
    path, *narrowings = _trees(tree.children)
    return n.Ref(_path(path), tuple(_narrowing(part) for part in narrowings), span=span)


def _aggregate(tree: Tree[Token], span: n.Span) -> n.Aggregate:
    function = cast(n.Function, str(tree.children[0]))
    source, *rest = _trees(tree.children)
    begins = n.Span(source.meta.line, source.meta.column)
    clauses = {part.data: part for part in _trees(source.children) if part.data in ("where", "satisfies")}
    narrowings = [part for part in _trees(source.children)[1:] if part.data not in ("where", "satisfies")]
    named = [part for part in rest if part.data == "field"]

    def clause(name: str) -> n.Expression | None:
        return cast(n.Expression, _build(clauses[name].children[0])) if name in clauses else None

    return n.Aggregate(
        function,
        n.Ref(_path(_trees(source.children)[0]), tuple(_narrowing(part) for part in narrowings), span=begins),
        clause("where"),
        clause("satisfies"),
        str(named[0].children[0]) if named else "",
        tuple(_at(part) for part in rest if part.data == "at"),
        span=span,
    )


def _at(tree: Tree[Token]) -> n.At:
    return n.At(_path(tree.children[0]), span=n.Span(tree.meta.line, tree.meta.column))


def _narrowing(tree: Tree[Token]) -> n.Narrowing:
    span = n.Span(tree.meta.line, tree.meta.column)
    if tree.data == "at":
        return _at(tree)
    if tree.data == "on":
        return n.On(str(tree.children[0]), _choice(tree.children[1]), span=span)
    duration = cast("Tree[Token]", tree.children[0])
    amount, calendar = str(duration.children[0]), str(duration.children[1])
    if len(tree.children) == 1:
        return n.Within(amount, calendar, span=span)
    return n.Within(amount, calendar, cast(n.Side, str(tree.children[1])), _path(tree.children[2]), span=span)


def _choice(part: Tree[Token] | Token) -> n.Choice:
    inner = cast("Tree[Token]", cast("Tree[Token]", part).children[0])
    span = n.Span(inner.meta.line, inner.meta.column)
    if inner.data == "path":
        return n.ValueSet(_path(inner), span=span)
    if inner.data == "range":
        low, high, *unit = inner.children
        return n.Range(_bound(low), _bound(high), _unit(unit), span=span)
    members = [child for child in _trees(inner.children) if child.data == "member"]
    units = [child for child in _trees(inner.children) if child.data == "unit"]
    texts = [_member(member) for member in members]
    return n.Members(
        tuple(text for text, _ in texts),
        tuple(quoted for _, quoted in texts),
        str(units[0].children[0]) if units else "",
        span=span,
    )


def _bound(part: Tree[Token] | Token) -> str:
    return "".join(str(token) for token in cast("Tree[Token]", part).children)


def _member(tree: Tree[Token]) -> tuple[str, bool]:
    child = tree.children[0]
    if isinstance(child, Tree):
        return _bound(child), False
    return (str(child)[1:-1], True) if child.type == "STRING" else (str(child), False)
