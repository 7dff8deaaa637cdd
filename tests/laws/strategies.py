"""Writes arbitrary expressions and crowds of participants over one rich vocabulary, from a seed.

Every expression parses and checks; about everything that the grammar has occurs, inside one another. The facts are
heavy in edges: same-day ties, partial dates, dates that are missing, results that are, open and closed lists, limits of
detection, records without a parent, anchors that were reached twice or never.

One thing is left out: what is rounded (a quotient, a mean, a share) is compared, but not reckoned with further, since
`evaluate` rounds to 34 digits where `compile` has a DOUBLE.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random

from trialwright.core.finding import Finding, Refused
from trialwright.core.interval import INFINITY, Interval, point
from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.core.truth import Truth
from trialwright.core.units import Unit, unit
from trialwright.language import nodes as n
from trialwright.language.check import Checked, check
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.parse import parse
from trialwright.language.typed import Typed
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value
from trialwright.language.vocabulary import Derivation, Duration, Item, Record, Vocabulary

GRADES, STATES = ("good", "fair", "poor"), ("poor", "lost", "good")


def _unit(code: str) -> Unit:
    found = unit(code)
    assert found is not None
    return found


def _parsed(text: str) -> n.Expression:
    found = parse(text)
    assert not isinstance(found, Finding), str(found)
    return found


_CYCLE_DAY, _PHASE = Item("cycle_day", "count"), Item("phase", "category", categories=("early", "late"))
_ITEMS = {
    "a": Item("a", "count", attributes={"cycle_day": _CYCLE_DAY, "phase": _PHASE}),
    "b": Item("b", "count", valid=Duration(6, "months")),
    "w": Item("w", "quantity", _unit("kg"), negative=True),
    "f": Item("f", "yes_no", absent_no="history"),
    "g": Item("g", "attestation"),
    "k": Item("k", "category", categories=GRADES, valid=Duration(1, "months"), attributes={"phase": _PHASE}),
    "s": Item("s", "category", categories=STATES),
    "d": Item("d", "date"),
    "birth": Item("birth", "date"),
    "age": Item("age", "age", born="birth"),
}
_RECORDS = {
    "cycle": Record("cycle", {"oocytes": Item("oocytes", "count"), "fever": Item("fever", "yes_no")}),
    "embryo": Record(
        "embryo",
        {
            "day": Item("day", "count"),
            "cells": Item("cells", "quantity", _unit("mg")),
            "grade": Item("grade", "category", categories=GRADES),
            "frozen": Item("frozen", "date"),
            "alive": Item("alive", "yes_no"),
        },
        "cycle",
    ),
    "biopsy": Record("biopsy", {"state": Item("state", "category", categories=STATES)}, "embryo"),
    "note": Record("note", {"size": Item("size", "count")}),
}
_DERIVED = {
    "total": Derivation("total", _parsed("a + b")),
    "heavy": Derivation("heavy", _parsed("w * a"), unit=_unit("g")),
    "well": Derivation("well", _parsed("not f and g")),
    "first": Derivation("first", _parsed("earliest(k)")),
    "fine": Derivation("fine", _parsed("day in {2, 3} and grade = good"), "embryo"),
    "rate": Derivation("rate", _parsed("oocytes / (oocytes - 1)"), "cycle"),
    "yield": Derivation("yield", _parsed("count(embryo where fine)"), "cycle"),
}
VOCABULARY = Vocabulary(
    _ITEMS,
    _RECORDS,
    {"partner": frozenset({"a", "f", "k", "birth", "age"})},
    frozenset({"infusion", "moved"}),
    _DERIVED,
    {"usable": frozenset({"good", "fair"})},
)
_PARENT = {"biopsy": "embryo", "embryo": "cycle"}
_OPERATORS = ("<", "<=", ">", ">=", "=", "!=")


class Writer:
    """Writes expressions; `kinds` are the record kinds at hand, `observed` the item whose observation is."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def rule(self) -> str:
        kind = self.random.choices(("truth", "amount", "category", "date"), (8, 4, 1, 1))[0]
        match kind:
            case "truth":
                return self.truth(3)
            case "amount" if self.chance(0.1):
                return self.one("age", "partner.age", "w", "heavy", "infusion - birth", "d - moved", "max(w)")
            case "amount":
                return self.rounded(3) if self.chance(0.3) else self.amount(3)
            case "category":
                return self.category(2)[0]
            case _:
                return self.date(2)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def one(self, *options: str) -> str:
        return self.random.choice(options)

    # ---- conditions

    def truth(self, depth: int, kinds: tuple[str, ...] = (), observed: str = "") -> str:
        here = (depth - 1, kinds, observed)
        if depth <= 0 or self.chance(0.25):
            return self._plain_truth(kinds, observed)
        match self.random.randrange(11):
            case 0:
                return f"not ({self.truth(*here)})"
            case 1 | 2:
                return f"({self.truth(*here)}) {self.one('and', 'or')} ({self.truth(*here)})"
            case 3 | 4:
                return f"{self.amount(*here)} {self.one(*_OPERATORS)} {self._other(*here)}"
            case 5:
                return f"{self.rounded(*here)} {self.one(*_OPERATORS)} {self.one('0', '0.5', '1', '2', '0.25')}"
            case 6:
                return self._among(*here)
            case 7:
                if self.chance(0.3):
                    age = self.one("age", "partner.age", "age at infusion")
                    return f"{age} {self.one(*_OPERATORS)} {self.one('38', '39', '0', '20')} years"
                if self.chance(0.2):
                    return f"{self.date(*here)} - {self.date(*here)} {self.one(*_OPERATORS)} {self.one('7', '0')} days"
                return f"{self.date(*here)} {self.one(*_OPERATORS)} {self.date(*here)}"
            case 8:
                return self._aggregate_truth(depth - 1, kinds)
            case 9:
                return f"({self.truth(*here)}) at {self.one('infusion', 'moved')}"
            case _:
                return self._same(*here)

    def _plain_truth(self, kinds: tuple[str, ...], observed: str) -> str:
        options = [f"f{self._narrow('f')}", "g", "well", "partner.f", f"known(k{self._narrow('k')})",
                   "latest(a where a > 1) outside normal", "known(partner.a)", "known(d)"]  # fmt: skip
        options += ["w inside normal"] if observed != "w" else ["w > 1 kg"]
        options += ["a inside normal"] if observed != "a" else ["phase = early"]
        if observed in ("f", "g"):
            options += [observed] * 4
        if "cycle" in kinds:
            options += ["fever", "cycle.fever"]
        if "embryo" in kinds:
            options += ["alive", "fine", "embryo.alive"]
        return self.one(*options)

    def _among(self, depth: int, kinds: tuple[str, ...], observed: str) -> str:
        negated = self.one("", "not ")
        if self.chance(0.5):
            wanted = self.one("1..3", "0..2", "{1, 2}", "{0, 4}", "2..2", "-1..1")
            return f"{self.amount(depth, kinds, observed)} {negated}in {wanted}"
        text, categories = self.category(depth, kinds, observed)
        if categories == GRADES and self.chance(0.2):
            return f"{text} {negated}in usable"
        wanted = ", ".join(self.random.sample(categories, self.random.randint(1, len(categories))))
        return f"{text} {negated}in {{{wanted}}}"

    def _same(self, depth: int, kinds: tuple[str, ...], observed: str) -> str:
        text, categories = self.category(depth, kinds, observed)
        if self.chance(0.6) or len(categories) < 3:
            return f"{text} {self.one('=', '!=')} {self.random.choice(categories)}"
        other = self.one("latest(k)", "latest(s)", "earliest(k)", "latest(biopsy).state")
        return f"{text} {self.one('=', '!=')} {other}"

    def _aggregate_truth(self, depth: int, kinds: tuple[str, ...]) -> str:
        if self.chance(0.5):
            item = self.one("f", "g", "a", "k", "w", "partner.f")
            function = self.one("any", "every", "known")
            tests = f" satisfies {self.truth(depth, kinds, item.split('.')[-1])}" if function == "every" else ""
            return f"{function}({self._observations(item, depth, kinds)}{tests}){self._at()}"
        function, kind = self.one("any", "every", "known"), self.one("cycle", "embryo", "biopsy", "note")
        inner = (*self._line(kind), *kinds)
        if function == "known":
            return f"known({self._field(kind)}{self._where(depth, inner, '')}){self._at()}"
        tests = f" satisfies {self.truth(depth, inner)}" if function == "every" else ""
        return f"{function}({kind}{self._window()}{self._where(depth, inner, '')}{tests}){self._at()}"

    # ---- numbers

    def _other(self, depth: int, kinds: tuple[str, ...], observed: str) -> str:
        return self.one("0", "1", "2", "3", "4", "0.5") if self.chance(0.6) else self.amount(depth, kinds, observed)

    def amount(self, depth: int, kinds: tuple[str, ...] = (), observed: str = "") -> str:
        """A plain number that is not rounded."""
        here = (depth - 1, kinds, observed)
        if depth <= 0 or self.chance(0.3):
            return self._plain_amount(kinds, observed)
        match self.random.randrange(8):
            case 0 | 1:
                return f"({self.amount(*here)} {self.one('+', '-', '*')} {self.amount(*here)})"
            case 2:
                return f"({self.amount(*here)})^{self.one('2', '3')}"
            case 3:
                return f"-({self.amount(*here)})"
            case 4:
                return f"({self.amount(*here)}) at {self.one('infusion', 'moved')}"
            case 5 | 6:
                return self._aggregate_amount(depth - 1, kinds)
            case _:
                return f"({self.one('w', 'max(w)', 'heavy')} / 1 {self.one('kg', 'g')} + {self.amount(*here)})"

    def rounded(self, depth: int, kinds: tuple[str, ...] = (), observed: str = "") -> str:
        """A quotient, a mean or a share."""
        here = (depth - 1, kinds, observed)
        match self.random.randrange(6):
            case 5:
                where = self._where(depth - 1, ("cycle", *kinds), "")
                function = self.one("latest", "earliest", "min", "max")
                if function in ("min", "max"):
                    return f"{function}(cycle.rate{self._window()}{where})"
                return f"{function}(cycle{self._window()}{where}).rate"
            case 0:
                return f"{self.amount(*here)} / {self.amount(*here)}"
            case 1:
                return f"({self.amount(*here)})^{self.one('-1', '-2')}"
            case 2:
                item = self.one("a", "b", "partner.a")
                return f"mean({self._observations(item, depth - 1, kinds)})"
            case 3:
                kind = self.one("cycle", "embryo", "note")
                inner = (*self._line(kind), *kinds)
                if self.chance(0.4):
                    field = {"cycle": "oocytes", "embryo": "day", "note": "size"}[kind]
                    return f"mean({kind}.{field}{self._window()}{self._where(depth - 1, inner, '')})"
                tests = self.truth(depth - 1, inner)
                return f"share({kind}{self._window()}{self._where(depth - 1, inner, '')} satisfies {tests})"
            case _:
                item = self.one("f", "a", "k")
                tests = self.truth(depth - 1, kinds, item)
                return f"share({self._observations(item, depth - 1, kinds)} satisfies {tests})"

    def _plain_amount(self, kinds: tuple[str, ...], observed: str) -> str:
        options = [f"a{self._narrow('a')}", f"b{self._narrow('b')}", "partner.a", "total", "count(embryo)", "max(a)",
                   "a", "sum(b)", "latest(embryo).day", "2", "count(cycle)"]  # fmt: skip
        if observed == "a":
            options += ["a", "a", "cycle_day", "cycle_day"]
        if observed == "b":
            options += ["b", "b"]
        if "cycle" in kinds:
            options += ["oocytes", "cycle.oocytes", "yield", "count(embryo)", "count(embryo where alive)"]
        if "embryo" in kinds:
            options += ["day", "day", "embryo.day", "count(biopsy)", "(cells / 1 mg)"]
        if "note" in kinds:
            options += ["size", "size"]
        return self.one(*options)

    def _aggregate_amount(self, depth: int, kinds: tuple[str, ...]) -> str:
        function = self.one("latest", "earliest", "min", "max", "sum", "count", "count", "longest_run")
        if self.chance(0.45):
            if function in ("count", "longest_run"):
                item = self.one("f", "g", "a", "b", "k", "s", "d", "partner.k")
                needs = function == "longest_run" or self.chance(0.3)
                tests = f" satisfies {self.truth(depth, kinds, item.split('.')[-1])}" if needs else ""
                return f"{function}({self._observations(item, depth, kinds)}{tests}){self._at()}"
            return f"{function}({self._observations(self.one('a', 'b', 'partner.a'), depth, kinds)}){self._at()}"
        if function in ("count", "longest_run"):
            kind = self.one("cycle", "embryo", "biopsy", "note")
            inner = (*self._line(kind), *kinds)
            needs = function == "longest_run" or self.chance(0.3)
            tests = f" satisfies {self.truth(depth, inner)}" if needs else ""
            return f"{function}({kind}{self._window()}{self._where(depth, inner, '')}{tests}){self._at()}"
        field = self.one("embryo.day", "cycle.oocytes", "note.size", "cycle.yield")
        kind = field.split(".")[0]
        where = self._where(depth, (*self._line(kind), *kinds), "")
        if function in ("latest", "earliest"):
            return f"{function}({kind}{self._window()}{where}).{field.split('.')[1]}{self._at()}"
        return f"{function}({field}{self._window()}{where}){self._at()}"

    # ---- categories and dates

    def category(self, depth: int, kinds: tuple[str, ...] = (), observed: str = "") -> tuple[str, tuple[str, ...]]:
        inner = ("embryo", "cycle", *kinds)
        options: list[tuple[str, tuple[str, ...]]] = [
            (f"k{self._narrow('k')}", GRADES), ("s", STATES), ("partner.k", GRADES), ("first", GRADES),
            (f"earliest(s{self._where(depth - 1, kinds, 's')})", STATES),
            (f"latest(embryo{self._where(depth - 1, inner, '')}).grade", GRADES),
            (f"earliest(biopsy{self._where(depth - 1, ('biopsy', *inner), '')}).state", STATES),
        ]  # fmt: skip
        if observed == "k":
            options += [("k", GRADES), ("phase", ("early", "late"))] * 2
        if observed == "s":
            options += [("s", STATES)] * 3
        if "embryo" in kinds:
            options += [("grade", GRADES), ("embryo.grade", GRADES)]
        if "biopsy" in kinds:
            options += [("state", STATES)] * 2
        return self.random.choice(options)

    def date(self, depth: int, kinds: tuple[str, ...] = (), observed: str = "") -> str:
        options = ["2026-03-01", "2026-02-28", "d", "d.date", "infusion", "moved", "birth", "k.date",
                   f"latest(a{self._where(depth - 1, kinds, 'a')}).date", "earliest(cycle).date",
                   "latest(embryo).frozen",
                   f"latest(embryo{self._where(depth - 1, ('embryo', 'cycle', *kinds), '')}).date",
                   "earliest(d)"]  # fmt: skip
        if observed or kinds:
            options += ["date"] * 3
        if "embryo" in kinds:
            options += ["frozen", "cycle.date"]
        return self.one(*options)

    # ---- narrowing

    def _line(self, kind: str) -> tuple[str, ...]:
        return (kind, *self._line(_PARENT[kind])) if kind in _PARENT else (kind,)

    def _field(self, kind: str) -> str:
        fields = {"cycle": ("oocytes", "fever", "date", "rate"), "embryo": ("day", "grade", "frozen", "alive", "cells"),
                  "biopsy": ("state",), "note": ("size", "date")}  # fmt: skip
        return f"{kind}.{self.one(*fields[kind])}"

    def _observations(self, item: str, depth: int, kinds: tuple[str, ...]) -> str:
        name = item.split(".")[-1]
        return f"{item}{self._narrow(name)}{self._where(depth, kinds, name)}"

    def _where(self, depth: int, kinds: tuple[str, ...], observed: str) -> str:
        return f" where {self.truth(depth, kinds, observed)}" if self.chance(0.5) else ""

    def _narrow(self, item: str) -> str:
        text = self._window()
        if item == "a" and self.chance(0.2):
            text += self.one(
                " on cycle_day 2..4", " on cycle_day {1, 3}", " on phase {early}", " on phase {early, late}"
            )
        if item == "k" and self.chance(0.2):
            text += " on phase {late}"
        return text + self._at()

    def _window(self) -> str:
        if self.chance(0.65):
            return ""
        length = self.one(
            "1 month", "6 months", "7 days", "1 day", "0 days", "1 week", "36 hours", "1 year", "2 months"
        )
        side = self.one(
            "", "", " before infusion", " after infusion", " around moved", " around infusion", " after moved"
        )
        return f" within {length}{side}"

    def _at(self) -> str:
        return self.one(" at infusion", " at moved") if self.chance(0.08) else ""


def expression(random: Random) -> tuple[str, Typed]:
    """An expression as text and checked; what does not fit the grammar or the types is written anew."""
    while True:
        text = Writer(random).rule()
        found = parse(text)
        if isinstance(found, Finding):
            if found.code in ("syntax_too_long", "syntax_too_deep"):
                continue
            raise AssertionError(f"{text}: {found}")
        try:
            return text, check(found, Checked(VOCABULARY))
        except Refused as refused:
            codes = {one.code for one in refused.findings}
            if not codes <= {
                "type_mismatch",
                "never_decided",
                "unit_sum",
                "unit_missing",
                "unit_mismatch",
                "window_on_derived",
                "aggregate_source",
            }:
                raise AssertionError(f"{text}: {refused}") from refused


def typed(text: str) -> Typed:
    """An expression of the vocabulary, checked."""
    return check(_parsed(text), Checked(VOCABULARY))


# ---------------------------------------------------------------- facts

_DATES = (
    "2026-03-09", "2026-03-09T09:00", "2026-03-09T14:00", "2026-03-09T09:00", "2026-03-08", "2026-03-02", "2026-03-01",
    "2026-02-28", "2026-02-27", "2026-02-09", "2026-02-08", "2025-09-09", "2025-09-08", "2026-03-10", "2026-03-20",
    "2026-02", "2026-03", "2025-09", "2025", "2026", "2026-03-01T10:00", "2026-03-01",
    "2026-03-09T00:00", "2026-03-08T23:59", "2026-03-01T00:00",
)  # fmt: skip
_WHENS = ("2026-03-09", "2026-03-09T00:00", "2026-03-09T12:00", "2026-03-31", "2026-03", "2024-02-29", "2026-03-08")
_BIRTHS = ("1987-03-09", "1987-03-10", "1996-02-29", "1987", "1987-03", "2004-02-29", "2025-12-31")


def person(random: Random, points_only: bool = False) -> tuple[Facts, PartialDate]:
    """One participant's facts, and when she is asked."""
    dates = tuple(date for date in _DATES if len(date) == 10) if points_only else _DATES

    def date(missing: float = 0.08) -> PartialDate | None:
        return None if not points_only and random.random() < missing else partial_date(random.choice(dates))

    def sure_date() -> PartialDate:
        return partial_date(random.choice(dates))

    def value(item: Item) -> Value:
        match item.kind:
            case "quantity" | "count":
                return Amount(_number(random, points_only, item.negative))
            case "category":
                size = 1 if points_only or random.random() < 0.8 else random.randint(1, len(item.categories))
                return Kinds(frozenset(random.sample(item.categories, size)))
            case "date":
                told = partial_date(random.choice(_BIRTHS if item.name == "birth" else dates))
                if points_only:
                    told = partial_date("1987-03-09") if len(told.text) < 10 else told
                return Moment(told.earliest, told.latest)
            case _:
                return Answer(random.choice((Truth.YES, Truth.NO) if points_only else (*Truth, Truth.YES, Truth.NO)))

    def observation(item: Item) -> Observation:
        none = not points_only and random.random() < 0.1
        attributes = {name: value(one) for name, one in item.attributes.items() if random.random() < 0.7}
        normal = Interval(Decimal(1), Decimal(random.randint(1, 3))) if random.random() < 0.6 else None
        return Observation(None if none else value(item), date(), attributes, normal=normal)

    def told(names: frozenset[str]) -> dict[str, list[Observation]]:
        names = frozenset(name for name in names if _ITEMS[name].kind != "age")
        return {name: [observation(_ITEMS[name]) for _ in range(_several(random))] for name in sorted(names)}

    def record(kind: str, number: int, parents: list[str]) -> RecordEntry:
        own = date()
        fields = {}
        for name, item in _RECORDS[kind].fields.items():
            if random.random() < 0.8:
                x = observation(item)
                x.date = own if points_only or random.random() < 0.7 else date()
                fields[name] = x
        parent = random.choice([*parents, ""]) if random.random() < 0.9 else "nobody"
        return RecordEntry(kind, f"{kind[0]}{number}", own, fields, parent)

    records: dict[str, list[RecordEntry]] = {}
    for kind in ("cycle", "embryo", "biopsy", "note"):
        parents = [x.identity for x in records.get(_PARENT.get(kind, ""), [])]
        records[kind] = [record(kind, number, parents) for number in range(_several(random))]
    lists = ("cycle", "embryo", "biopsy", "note", "history")
    if points_only:
        closed = {name: partial_date("1999-01-01") for name in lists}
    else:
        closed = {name: sure_date() for name in lists if random.random() < 0.6}
    reached = {
        name: [sure_date() for _ in range(1 if points_only else random.choice((1, 1, 1, 2)))]
        for name in ("infusion", "moved")
        if random.random() < 0.7
    }
    partner = Facts(told(VOCABULARY.relatives["partner"]), closed=closed if points_only else {})
    when = random.choice([x for x in _WHENS if len(x) == 10] if points_only else _WHENS)
    return Facts(told(frozenset(_ITEMS)), records, closed, reached, {"partner": partner}), partial_date(when)


def crowd(random: Random, size: int, points_only: bool = False) -> dict[str, tuple[Facts, PartialDate]]:
    """So many participants."""
    return {f"p{number}": person(random, points_only) for number in range(size)}


def _several(random: Random) -> int:
    return random.choice((0, 1, 1, 2, 2, 3, 4))


def _number(random: Random, points_only: bool, negative: bool) -> Interval:
    numbers = (0, 1, 1, 2, 2, 3, 4, "0.5", "2.5") + ((-1, -2) if negative else ())
    low = Decimal(random.choice(numbers))
    if points_only or random.random() < 0.6:
        return point(low)
    if random.random() < 0.2:
        return Interval(-INFINITY if negative else Decimal(0), INFINITY, negative, True)
    high = low + Decimal(random.choice(("0.5", "1", "2")))
    if random.random() < 0.3 and high > 0 and not negative:
        return Interval(Decimal(0), high, False, True)
    return Interval(low, INFINITY if random.random() < 0.15 else high, random.random() < 0.4, random.random() < 0.4)
