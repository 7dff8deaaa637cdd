"""`python -m tests.reference FILE.csv`: every row of a file of reference values, beside what Trialwright computes.

A row is dispatched on its function and its inputs, `name=value` parted by semicolons; a list is parted by commas. A
row that nothing here can compute is a miss that says so.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from trialwright.statistics import (
    binomial,
    boundary,
    exact_comparison,
    group_sequential,
    multiplicity,
    risk_ratio,
    sensitivity,
    sequential,
    two_proportions,
    two_stage,
)
from trialwright.statistics.arguments import Floats

VALUES = Path(__file__).parent / "reference_values.csv"


class Given:
    """The inputs of a row, asked for by name; what nobody asked for is a fault of the row."""

    def __init__(self, text: str) -> None:
        self._values: dict[str, str] = {}
        for part in filter(None, (piece.strip() for piece in text.split(";"))):
            name, equals, value = part.partition("=")
            if not equals or not value.strip():
                raise ValueError(f"the input {part!r} is not of the form name=value")
            if name.strip() in self._values:
                raise ValueError(f"the input {name.strip()} is given twice")
            self._values[name.strip()] = value.strip()
        self._asked: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether it was given."""
        return name in self._values

    def number(self, name: str, default: float | None = None) -> float:
        """One number; Inf is one."""
        return _number(self._value(name, default))

    def whole(self, name: str, default: int | None = None) -> int:
        """One whole number."""
        return _whole(self._value(name, default))

    def numbers(self, name: str) -> list[float]:
        """A list of numbers."""
        return [_number(one) for one in self._value(name, None).split(",")]

    def wholes(self, name: str) -> list[int]:
        """A list of whole numbers."""
        return [_whole(one) for one in self._value(name, None).split(",")]

    def require_all_asked(self) -> None:
        """An input that the computation passed over would make its result another row's."""
        unread = set(self._values) - self._asked
        if unread:
            raise ValueError(f"nothing is known of the input {', '.join(sorted(unread))}")

    def _value(self, name: str, default: float | None) -> str:
        self._asked.add(name)
        if name in self._values:
            return self._values[name]
        if default is None:
            raise ValueError(f"the input {name} is missing")
        return str(default)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None


def _whole(text: str) -> int:
    value = _number(text)
    if not value.is_integer():
        raise ValueError(f"{text!r} is not a whole number")
    return int(value)


# ---------------------------------------------------------------- what the functions are asked for


def _one(given: Given) -> tuple[int, int, float]:
    return given.whole("x"), given.whole("n"), given.number("conf", 0.95)


def _tables(given: Given) -> tuple[int, int, int, int]:
    return given.whole("x1"), given.whole("n1"), given.whole("x2"), given.whole("n2")


def _two(given: Given) -> tuple[int, int, int, int, float]:
    return (*_tables(given), given.number("conf", 0.95))


def _ratio(found: risk_ratio.RiskRatio) -> float:
    if found.estimate is None:
        raise ValueError("neither arm has an event, so there is no ratio")
    return found.estimate


def _fisher_power(given: Given) -> float:
    """The source of the rows, clinfun, gives each tail alpha/2; with arms of equal size any rule is the same."""
    sizes = given.whole("n1"), given.whole("n2")
    return exact_comparison.fisher_power_equal_tails(
        *sizes, given.number("p1"), given.number("p2"), given.number("alpha", 0.05)
    )


def _simon(
    design: Callable[[float, float, float, float, int], two_stage.TwoStage],
) -> Callable[[Given], two_stage.TwoStage]:
    once = cache(design)  # a design has a row for each of its parts
    return lambda given: once(
        given.number("p0"), given.number("p1"), given.number("alpha"), given.number("beta"), given.whole("nmax", 1000)
    )


def _times(given: Given) -> list[float]:
    if given.has("times"):
        return given.numbers("times")
    looks = given.whole("K")
    return [look / looks for look in range(1, looks + 1)]


def _classical(
    bounds: Callable[[int, float, int], group_sequential.Bounds],
) -> Callable[[Given], group_sequential.Bounds]:
    return lambda given: bounds(given.whole("K"), given.number("alpha"), given.whole("sides", 2))


def _at_look(z: Sequence[float], look: int) -> float:
    if not 1 <= look <= len(z):
        raise ValueError(f"there is no element {look} among {len(z)}")
    return z[look - 1]


def _spending(
    bounds: Callable[[Given], group_sequential.Bounds],
) -> Callable[[Given], float]:
    return lambda given: _at_look(bounds(given).z, given.whole("look"))


def _lan_demets_obrien_fleming(given: Given) -> group_sequential.Bounds:
    return group_sequential.lan_demets_obrien_fleming(given.number("alpha"), _times(given), given.whole("sides", 1))


def _lan_demets_pocock(given: Given) -> group_sequential.Bounds:
    return group_sequential.lan_demets_pocock(given.number("alpha"), _times(given), given.whole("sides", 1))


def _hwang_shih_decani(given: Given) -> group_sequential.Bounds:
    return group_sequential.hwang_shih_decani(
        given.number("alpha"), given.number("gamma"), _times(given), given.whole("sides", 1)
    )


def _e_value(given: Given) -> float:
    """Of a risk ratio, or of an odds ratio of a common outcome, whose root, and that of its limits, is about one."""
    odds = given.has("OR")
    names = (("OR" if odds else "RR", None), ("lo", 0.0), ("hi", math.inf), ("true", 1.0))
    told = [given.number(name, default) for name, default in names]
    if odds and min(told) < 0:
        raise ValueError("an odds ratio is not below 0")
    ratio, lower, upper, true = (math.sqrt(one) if odds else one for one in told)
    if given.has("lo") or given.has("hi"):
        return sensitivity.e_value_of_interval(ratio, lower, upper, true)
    return sensitivity.e_value(ratio, true)


def _adjusted(adjust: Callable[[list[float]], Floats]) -> Callable[[Given], float]:
    return lambda given: _at_look([float(p) for p in adjust(given.numbers("p"))], given.whole("element"))


def _prior(given: Given) -> tuple[float, float, float]:
    return given.number("p0"), given.number("prior_a"), given.number("prior_b")


def _bayes_boundary(given: Given) -> boundary.Characteristic:
    p0, a, b = _prior(given)
    table = boundary.boundary_table(given.whole("n"), p0, given.number("cutoff"), a, b)
    looks = given.wholes("looks") if given.has("looks") else None
    return boundary.operating_characteristics(table, [given.number("p")], looks)[0]


def _binomial_bounds(given: Given) -> boundary.Characteristic:
    return boundary.binomial_bounds(given.wholes("bounds"), given.wholes("at"), [given.number("p")])[0]


def _sprt(given: Given) -> sequential.Sprt:
    return sequential.sprt(given.number("p0"), given.number("p1"), given.number("alpha"), given.number("beta"))


_DESIGNS = {"optimal": _simon(two_stage.simon_optimal), "minimax": _simon(two_stage.simon_minimax)}
_PARTS: dict[str, Callable[[two_stage.TwoStage], float]] = {
    "r1": lambda design: design.r1,
    "n1": lambda design: design.n1,
    "r": lambda design: design.r,
    "n": lambda design: design.n,
    "EN0": lambda design: design.expected_n,
    "PET0": lambda design: design.stops_early,
    "alpha": lambda design: design.alpha,
    "power": lambda design: design.power,
}
_ONE = {
    "clopper_pearson": binomial.clopper_pearson,
    "wilson": binomial.wilson,
    "blaker": binomial.blaker,
    "midp": binomial.mid_p,
    "jeffreys": binomial.jeffreys,
}
_DIFFERENCES = {"miettinen_nurminen_rd": two_proportions.miettinen_nurminen, "newcombe_rd": two_proportions.newcombe}
_RATIOS = {"miettinen_nurminen_rr": risk_ratio.miettinen_nurminen_ratio, "katz_log_rr": risk_ratio.katz}


def _ends(
    name: str, estimator: Callable[..., binomial.Limits | two_proportions.RiskDifference | risk_ratio.RiskRatio],
    asked: Callable[[Given], tuple[float, ...]],
) -> dict[str, Callable[[Given], float]]:  # fmt: skip
    return {
        f"{name}.lower": lambda given: estimator(*asked(given)).lower,
        f"{name}.upper": lambda given: estimator(*asked(given)).upper,
    }


def _parts(kind: str) -> dict[str, Callable[[Given], float]]:
    def part(name: str) -> Callable[[Given], float]:
        return lambda given: _PARTS[name](_DESIGNS[kind](given))

    return {f"simon_{kind}.{name}": part(name) for name in _PARTS}


def _difference(name: str) -> Callable[[Given], float]:
    return lambda given: _DIFFERENCES[name](*_two(given)).estimate


def _estimated_ratio(name: str) -> Callable[[Given], float]:
    return lambda given: _ratio(_RATIOS[name](*_two(given)))


FUNCTIONS: dict[str, Callable[[Given], float]] = {
    **{end: get for name, estimator in _ONE.items() for end, get in _ends(name, estimator, _one).items()},
    **{end: get for name, estimator in _DIFFERENCES.items() for end, get in _ends(name, estimator, _two).items()},
    **{end: get for name, estimator in _RATIOS.items() for end, get in _ends(name, estimator, _two).items()},
    **{name: _difference(name) for name in _DIFFERENCES},
    **{name: _estimated_ratio(name) for name in _RATIOS},
    "fisher_exact.p_two_sided": lambda given: two_proportions.fisher(*_tables(given)),
    "boschloo.p_two_sided": lambda given: exact_comparison.boschloo(*_tables(given)),
    "fisher_power": _fisher_power,
    **_parts("optimal"),
    **_parts("minimax"),
    "pocock_constant": lambda given: _classical(group_sequential.pocock)(given).z[-1],
    "obrien_fleming_constant": lambda given: _classical(group_sequential.obrien_fleming)(given).z[-1],
    "obrien_fleming_bound.first": lambda given: _classical(group_sequential.obrien_fleming)(given).z[0],
    "obrien_fleming_bound.last": lambda given: _classical(group_sequential.obrien_fleming)(given).z[-1],
    "obrien_fleming_bound": _spending(_classical(group_sequential.obrien_fleming)),
    "pocock_bound": _spending(_classical(group_sequential.pocock)),
    "lan_demets_obrien_fleming": _spending(_lan_demets_obrien_fleming),
    "lan_demets_pocock": _spending(_lan_demets_pocock),
    "hwang_shih_decani": _spending(_hwang_shih_decani),
    "e_value": _e_value,
    "adjust_p_holm": _adjusted(multiplicity.holm),
    "adjust_p_hochberg": _adjusted(multiplicity.hochberg),
    "adjust_p_hommel": _adjusted(multiplicity.hommel),
    "adjust_p_bh": _adjusted(multiplicity.benjamini_hochberg),
    "beta_posterior_above": lambda given: boundary.posterior_above(given.whole("x"), given.whole("n"), *_prior(given)),
    "bayes_boundary.stop_probability": lambda given: _bayes_boundary(given).pauses,
    "bayes_boundary.expected_n": lambda given: _bayes_boundary(given).expected_n,
    "binomial_bounds.crossing": lambda given: _binomial_bounds(given).pauses,
    "binomial_bounds.expected_n": lambda given: _binomial_bounds(given).expected_n,
    "sprt.slope": lambda given: _sprt(given).slope,
    "sprt.intercept.1": lambda given: _sprt(given).upper,
    "sprt.intercept.2": lambda given: _sprt(given).lower,
}


# ---------------------------------------------------------------- rows


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a row: the number got, or why there is none; and whether it holds."""

    row: str
    got: float | None
    expected: float
    holds: bool
    says: str = ""


def outcome(row: Mapping[str, str]) -> Outcome:
    """One row computed and compared."""
    name = row["id"]
    try:
        expected, tolerance = _number(row["expected"]), _number(row["tolerance"])
    except ValueError as fault:
        return Outcome(name, None, math.nan, False, str(fault))
    compute = FUNCTIONS.get(row["function"])
    if compute is None:
        return Outcome(name, None, expected, False, f"there is no function {row['function']}")
    try:
        given = Given(row["inputs"])
        got = float(compute(given))
        given.require_all_asked()
    except ValueError as refusal:
        return Outcome(name, None, expected, False, str(refusal))
    return Outcome(name, got, expected, within(got, expected, tolerance))


def within(got: float, expected: float, tolerance: float) -> bool:
    """An infinite value is met by the same infinity only; a number by a number, however wide the tolerance."""
    if not math.isfinite(expected) or not math.isfinite(got):
        return got == expected
    return abs(got - expected) <= tolerance


def outcomes(lines: Iterable[str]) -> list[Outcome]:
    """Every row of a file; a file without the columns of one raises ValueError."""
    reader = csv.DictReader(lines)
    missing = {"id", "function", "inputs", "expected", "tolerance"} - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"the file has no column {', '.join(sorted(missing))}")
    return [outcome({name: value or "" for name, value in row.items() if isinstance(name, str)}) for row in reader]


def main(words: Sequence[str] | None = None) -> int:
    """Print a line per row; 1 where one is missed, 2 where the file cannot be read."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.reference", description="Reference values, beside what is computed."
    )
    parser.add_argument("file", type=Path, nargs="?", default=VALUES, help="a CSV file (default: the project's)")
    place = parser.parse_args(words).file
    try:
        found = outcomes(place.read_text("utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError, ValueError) as fault:
        sys.stderr.write(f"{place} cannot be read as reference values: {fault}\n")
        return 2
    width = max((len(one.row) for one in found), default=2)
    sys.stdout.write(f"{'id'.ljust(width)}  {'got':>16}  {'expected':>16}  within tolerance\n")
    for one in found:
        got = "" if one.got is None else f"{one.got:.10g}"
        verdict = f"{'yes' if one.holds else 'NO'}  {one.says}"
        sys.stdout.write(f"{one.row.ljust(width)}  {got:>16}  {one.expected:>16.10g}  {verdict}".rstrip() + "\n")
    missed = sum(not one.holds for one in found)
    sys.stdout.write(f"{len(found) - missed} of {len(found)} rows hold\n")
    return 1 if missed or not found else 0


if __name__ == "__main__":
    sys.exit(main())
