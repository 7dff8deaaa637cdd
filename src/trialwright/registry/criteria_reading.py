"""Tokens of a criterion to an expression of the language, by a grammar: all of the tokens, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from lark import Lark, Token, Tree
from lark.common import LexerConf
from lark.exceptions import UnexpectedInput
from lark.lexer import Lexer

from trialwright.registry.criteria_tokens import Token as Word
from trialwright.registry.criteria_words import lexicon, part_of, record_part

#: More tokens than this are no single criterion.
MAX_TOKENS = 120


@dataclass(slots=True)
class Read:
    """What the tokens say: a rule, what it names, and what had to be chosen."""

    rule: str = ""
    items: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    records: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    partner: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


class _NotComputed(Exception):
    """The tokens are in order, and still say something that the language cannot."""


def reading_of(words: Sequence[Word], person: bool) -> Read | None:
    """The expression that all of the tokens say together; None where one of them does not fit.

    `person`: somebody is named, so that bare years are an age.
    """
    if not words or len(words) > MAX_TOKENS or any(word.kind in _NEVER for word in words):
        return None
    try:
        tree = _grammar().parse(list(words))
        reader = _Reader(person)
        rule = reader.any(_trees(tree)[0])
    except (UnexpectedInput, _NotComputed):
        return None
    reader.read.rule = rule
    return reader.read


_NEVER = ("WORD", "COMMA", "SEMI", "STOP", "COLON", "SLASH", "EXAMPLE", "GRADE")


class _Given(Lexer):
    """Tokens that are there already."""

    def __init__(self, lexer_conf: LexerConf) -> None:
        pass

    def lex(self, data: Any) -> Iterator[Token]:  # type: ignore[override]  # words of ours, no text
        for word in data:
            yield Token(word.kind, word.value)


@cache
def _grammar() -> Lark:
    text = (resources.files("trialwright.registry") / "criteria.lark").read_text("utf-8")
    return Lark(text, parser="lalr", lexer=_Given, maybe_placeholders=False)


@dataclass(slots=True)
class _Tails:
    """What stands beside a name: a window, days of the cycle, the partner."""

    window: str = ""
    cycle: str = ""
    partner: bool = False
    lasting: str = ""


@dataclass(slots=True)
class _Bound:
    """One limit: an operator with a number, or a range."""

    operator: str
    low: str
    high: str
    unit: str


class _Reader:
    """Walks the tree of one criterion and notes what its rule names."""

    def __init__(self, person: bool) -> None:
        self.person = person
        self.read = Read()

    def any(self, tree: Tree[Token]) -> str:
        parts = [self.all(part) for part in _trees(tree)]
        return " or ".join(_bracketed(part) if " and " in part and len(parts) > 1 else part for part in parts)

    def all(self, tree: Tree[Token]) -> str:
        parts = [self.one(part) for part in _trees(tree)]
        return " and ".join(_bracketed(part) if " or " in part and len(parts) > 1 else part for part in parts)

    def one(self, tree: Tree[Token]) -> str:
        name = str(tree.data)
        if name == "negated":
            inner = self.one(_trees(tree)[0])
            return f"not {_bracketed(inner)}" if " " in inner else f"not {inner}"
        if name == "group":
            return self.any(_trees(tree)[0])
        if name in ("measured", "measured_either", "measured_before"):
            return self.measured(tree, " or " if name == "measured_either" else " and ")
        if name in ("in_range", "in_range_before"):
            return self.in_range(tree)
        if name in ("result_behind", "result_before"):
            return self.result(tree)
        if name == "aged":
            return self.aged(tree)
        if name == "condition":
            return self.condition(tree)
        if name == "defined":  # the words in brackets say what is meant
            return self.one(_trees(tree)[0])
        return self.recorded(tree, name)

    # ------------------------------------------------------------ items

    def measured(self, tree: Tree[Token], joined: str) -> str:
        name = _token(tree, "ITEM")
        entry = lexicon().items[name]
        bounds = [self.bound(part) for part in _trees(tree) if part.data in _BOUNDS]
        tails = self.tails(tree)
        if isinstance(entry["is"], list) or "stands_for" in entry:
            raise _NotComputed
        if "spread" in entry:
            return self.spread(entry, bounds)
        if tails.lasting or tails.partner:
            raise _NotComputed
        reference = self.reference(name, tails)
        told = [self.limit(name, entry, bound, reference) for bound in bounds]
        return joined.join(told)

    def spread(self, entry: Mapping[str, Any], bounds: list[_Bound]) -> str:
        """A range that everything has to stay in: the shortest and the longest are asked."""
        if len(bounds) != 1 or bounds[0].operator != "in":
            raise _NotComputed
        shortest, longest = entry["spread"]
        for name in (shortest, longest):
            self.read.items[name] = part_of(name)
        self.read.doubts.append("The span of months over which it is asked is in the words, and not in the rule.")
        return f"{shortest} >= {bounds[0].low} and {longest} <= {bounds[0].high}"

    def limit(self, name: str, entry: Mapping[str, Any], bound: _Bound, reference: str) -> str:
        unit, low, high = bound.unit, bound.low, bound.high
        if entry["is"] == "age":
            if unit not in ("", "years"):
                raise _NotComputed
            if not unit:
                self.read.doubts.append("The unit of the age is not stated; years were read.")
            if bound.operator in "<>":
                self.read.doubts.append("Age counts completed years; whether the limit itself is meant is not certain.")
            unit = "years"
        elif entry["is"] == "count":
            low, high, unit = _counted(entry, bound)
        elif not unit:
            unit = entry["unit"]
            if unit != "1":
                self.read.doubts.append(f"The unit of {name} is not stated; {unit} was read.")
        elif unit in ("years", "months", "weeks", "days", "hours"):
            raise _NotComputed
        behind = f" {unit}" if unit and unit != "1" else " 1" if entry["is"] == "quantity" else ""
        return (
            f"{reference} in {low}..{high}{behind}"
            if bound.operator == "in"
            else f"{reference} {bound.operator} {low}{behind}"
        )

    def reference(self, name: str, tails: _Tails) -> str:
        part = dict(part_of(name))
        if tails.cycle and "cycle_day" not in part.get("with", {}):
            part["with"] = {**part.get("with", {}), "cycle_day": "count"}
        self.read.items[name] = part
        if part.get("born"):
            self.read.items[part["born"]] = {
                "is": "date",
                "label": {"en": "Date of birth", "zh": "出生日期"},
                "cdisc": "BRTHDTC",
            }
        if tails.cycle:
            within = f" within {tails.window}" if tails.window else ""
            return f"latest({name}{within} on cycle_day {tails.cycle})"
        return f"{name} within {tails.window}" if tails.window else name

    def in_range(self, tree: Tree[Token]) -> str:
        name = _token(tree, "ITEM")
        entry, tails = lexicon().items[name], self.tails(tree)
        if isinstance(entry["is"], list):
            if "normal" not in entry["is"]:
                raise _NotComputed
            return f"{self.reference(name, tails)} = normal"
        names = entry.get("stands_for", [name])
        if len(names) > 1:
            self.read.doubts.append(f"Which are meant is not stated; {', '.join(names)} were chosen.")
        side = "outside" if any(token.type == "OUTSIDE" for token in _tokens(tree)) else "inside"
        joined = " and " if side == "inside" else " or "
        return joined.join(f"{self.reference(one, tails)} {side} normal" for one in names)

    def result(self, tree: Tree[Token]) -> str:
        name = _token(tree, "ITEM")
        entry, tails = lexicon().items[name], self.tails(tree)
        value = next(token.value for token in _tokens(tree) if token.type in ("NEGATIVE", "POSITIVE", "ABNORMAL"))
        if isinstance(entry["is"], list):
            if value not in entry["is"]:
                raise _NotComputed
            return f"{self.reference(name, tails)} = {value}"
        if value != "abnormal" or entry["is"] != "quantity":
            raise _NotComputed
        names = entry.get("stands_for", [name])
        return " or ".join(f"{self.reference(one, tails)} outside normal" for one in names)

    def aged(self, tree: Tree[Token]) -> str:
        bounds = []
        for part in _trees(tree):
            inner = part if part.data in _BOUNDS else _trees(part)[0]
            if part.data == "bare" and not (self.person and self.bound(inner).unit == "years"):
                raise _NotComputed
            bounds.append(self.bound(inner))
        if any(bound.unit not in ("", "years") for bound in bounds):
            raise _NotComputed
        entry = lexicon().items["age"]
        reference = self.reference("age", _Tails())
        return " and ".join(
            self.limit("age", entry, _Bound(b.operator, b.low, b.high, "years"), reference) for b in bounds
        )

    # ------------------------------------------------------------ conditions and records

    def condition(self, tree: Tree[Token]) -> str:
        grade, _, name = _token(tree, "COND").rpartition("+")
        entry, tails = lexicon().conditions[name], self.tails(tree)
        if tails.cycle or tails.lasting:
            raise _NotComputed
        told = []
        for one in entry.get("stands_for", [name]):
            part = dict(part_of(one))
            label = dict(part["label"])
            key = one
            if grade:
                key, words = f"{grade}_{key}", grade.replace("_", " ")
                label = {"en": f"{words.capitalize()}: {label['en'][0].lower()}{label['en'][1:]}"}
                self.read.doubts.append(f"“{words}” is not defined.")
            if tails.window:
                key = f"{key}_within_{tails.window.replace(' ', '_')}"
                label = {"en": f"{label['en']}, within {tails.window}"}
            part["label"] = label
            if tails.partner:
                part.pop("absent", None)
                self.read.partner.append(key)
            self.read.items[key] = part
            told.append(f"{key} or partner.{key}" if tails.partner else key)
        return " or ".join(told)

    def recorded(self, tree: Tree[Token], what: str) -> str:
        name = _token(tree, "RECORD")
        entry, tails = lexicon().records[name], self.tails(tree)
        self.read.records[name] = record_part(name)
        if entry.get("doubt"):
            self.read.doubts.append(entry["doubt"])
        if tails.cycle or tails.lasting or tails.partner:
            raise _NotComputed
        source = f"{name} within {tails.window}" if tails.window else name
        wanted = [entry["is"]] if entry.get("is") else []
        bounds = [self.bound(part) for part in _trees(tree) if part.data in _BOUNDS]
        categories = [token.value for token in _tokens(tree) if token.type == "CATEGORY"]
        wanted += self.categories(entry, categories)
        match what:
            case "some":
                return f"any({source}{_where(wanted)})"
            case "some_where":
                kind, _, of = _token(tree, "FIELD").partition(".")
                if kind != name or bounds[0].operator == "in":
                    raise _NotComputed
                unit = bounds[0].unit or entry["fields"][of].get("unit", "")
                wanted.append(f"{of} {bounds[0].operator} {bounds[0].low} {unit}".strip())
                return f"any({source}{_where(wanted)})"
            case "so_many":
                days = [
                    token.value
                    for part in _trees(tree)
                    if part.data == "days"
                    for token in _tokens(part)
                    if token.type == "DAYS"
                ]
                if days and "day" in entry["fields"]:
                    wanted.insert(0, f"day in {{{', '.join(days)}}}")
                elif days:
                    raise _NotComputed
                return f"count({source}{_where(wanted)}) {_many(bounds[0])}"
            case "failed":
                if "outcome" not in entry.get("fields", {}):
                    raise _NotComputed
                self.read.doubts.append("When a cycle or transfer has failed is not stated.")
                return f"count({source}{_where([*wanted, 'outcome = failed'])}) {_many(bounds[0])}"
            case _:  # run
                if "outcome" not in entry.get("fields", {}):
                    raise _NotComputed
                rule = f"longest_run({source} satisfies outcome = failed) {_many(bounds[0])}"
                counted = [token.value for token in _tokens(tree) if token.type == "COUNTED"]
                if counted:
                    kind, _, of = counted[0].partition(".")
                    if kind != name:
                        raise _NotComputed
                    rule += f" and sum({name}.{of} where outcome = failed) {_many(bounds[1])}"
                return rule

    def categories(self, entry: Mapping[str, Any], chosen: list[str]) -> list[str]:
        for name, part in entry.get("fields", {}).items():
            if chosen and isinstance(part["is"], list) and set(chosen) <= set(part["is"]):
                return [f"{name} in {{{', '.join(dict.fromkeys(chosen))}}}"]
        if chosen:
            raise _NotComputed
        return []

    # ------------------------------------------------------------ limits and windows

    def bound(self, tree: Tree[Token]) -> _Bound:
        numbers = [_plain_number(token.value) for token in _tokens(tree) if token.type == "NUM"]
        units = list(dict.fromkeys(token.value for token in _tokens(tree) if token.type in ("UNIT", "CAL", "YEARS")))
        if tree.data == "unclear" or len(units) > 1:
            raise _NotComputed
        unit = units[0] if units else ""
        if tree.data in ("ranged", "between"):
            if Decimal(numbers[0]) > Decimal(numbers[1]):
                raise _NotComputed
            return _Bound("in", numbers[0], numbers[1], unit)
        operator = next(token.value for token in _tokens(tree) if token.type in ("CMP", "AFTER"))
        return _Bound(operator, numbers[0], numbers[0], unit)

    def tails(self, tree: Tree[Token]) -> _Tails:
        tails = _Tails()
        for part in _trees(tree):
            tokens = list(_tokens(part))
            numbers = [_plain_number(token.value) for token in tokens if token.type == "NUM"]
            calendar = [token.value for token in tokens if token.type == "CAL"]
            event = [token.value for token in tokens if token.type == "TREATMENT"]
            match str(part.data):
                case "within" | "before":
                    if "." in numbers[0] or len(numbers[0]) > 4:
                        raise _NotComputed
                    tails.window = f"{numbers[0]} {calendar[0] if numbers[0] != '1' else calendar[0][:-1]}"
                case "lasting":
                    tails.lasting = f"{numbers[0]} {calendar[0]}"
                case "cycle_days" | "cycle_day":
                    tails.cycle = "..".join((numbers[0], numbers[-1]))
                case "partner":
                    tails.partner = True
            if event and part.data in ("within", "before", "at"):
                self.read.doubts.append(
                    f"The time counts from “{event[0]}”; the rule counts from the day on which it is judged."
                )
        return tails


_BOUNDS = ("bound", "bound_after", "ranged", "between", "unclear")
_MONTHS = {"months": 1, "years": 12}


def _counted(entry: Mapping[str, Any], bound: _Bound) -> tuple[str, str, str]:
    """The limits of a count, where words of the calendar are part of what is counted."""
    wanted = next((name for name in ("days", "weeks", "months") if entry.get(name)), "")
    if bound.unit in ("", wanted) and not (wanted and not bound.unit):
        low, high = bound.low, bound.high
    elif wanted == "months" and bound.unit in _MONTHS:
        times = _MONTHS[bound.unit]
        low, high = str(int(Decimal(bound.low) * times)), str(int(Decimal(bound.high) * times))
    else:
        raise _NotComputed
    return low, high, ""


def _many(bound: _Bound) -> str:
    if bound.unit or "." in bound.low:
        raise _NotComputed
    return f"in {bound.low}..{bound.high}" if bound.operator == "in" else f"{bound.operator} {bound.low}"


def _plain_number(text: str) -> str:
    """The number without exponent, with its decimals as written; with one that nothing measures nothing is computed."""
    number = Decimal(text)
    if not -9 <= number.adjusted() <= 15:
        raise _NotComputed
    return format(number, "f")


def _where(wanted: list[str]) -> str:
    return f" where {' and '.join(wanted)}" if wanted else ""


def _bracketed(rule: str) -> str:
    return f"({rule})"


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [child for child in tree.children if isinstance(child, Tree)]


def _tokens(tree: Tree[Token]) -> Iterator[Token]:
    for child in tree.children:
        if isinstance(child, Tree):
            yield from _tokens(child)
        else:
            yield child


def _token(tree: Tree[Token], kind: str) -> str:
    return str(next(token.value for token in _tokens(tree) if token.type == kind))
