"""Formulas of a rehearsal model: arithmetic, comparisons and draws, over one virtual woman or an array of them.

A formula is Python's expression syntax with nothing but numbers, texts, names, operators and the functions listed
here. It has no access to anything else; what does not fit is a finding.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from trialwright.core.finding import Refused, Where, finding

_NODES = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.Call, ast.Name, ast.Load, ast.Constant,
    ast.Tuple, ast.List, ast.keyword, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.USub,
    ast.And, ast.Or, ast.Not, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.IfExp,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was read, and the names that it uses."""

    text: str
    code: CodeType
    names: frozenset[str]


def formula(text: str, where: Where) -> Formula:
    """The formula that a text says; `Refused` with a finding where it says anything else.

    >>> evaluate_formula(formula("2 * age + 1", Where()), {"age": 3.0})
    7.0
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as wrong:
        why = wrong.msg if isinstance(wrong, SyntaxError) else "it cannot be read"
        raise Refused(finding("formula_broken", where, text=text[:80], why=why)) from wrong
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            raise Refused(finding("formula_broken", where, text=text, why=f"{type(node).__name__} may not stand here"))
        if isinstance(node, ast.Name) and node.id.startswith("__"):
            raise Refused(finding("formula_broken", where, text=text, why=f"{node.id} may not stand here"))
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS):
            name = node.func.id if isinstance(node.func, ast.Name) else "this"
            known = ", ".join(sorted(FUNCTIONS))
            raise Refused(finding("formula_broken", where, text=text, why=f"{name} is not one of {known}"))
        if isinstance(node, ast.Constant) and type(node.value) is int:
            node.value = float(node.value)  # so that 9**9**9 overflows at once instead of never ending
    names = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)) - FUNCTIONS.keys()
    return Formula(text, compile(tree, f"<formula {text}>", "eval"), names)


def evaluate_formula(read: Formula, names: Mapping[str, Any], dice: np.random.Generator | None = None) -> Any:
    """The value of a formula for the names given; draws come from `dice`."""
    functions = {name: _bound(function, dice) for name, function in FUNCTIONS.items()}
    return eval(read.code, {"__builtins__": {}}, {**functions, **names})


def bound_functions(dice: np.random.Generator) -> dict[str, Callable[..., Any]]:
    """The functions of formulas with their dice, to be reused for many evaluations."""
    return {name: _bound(function, dice) for name, function in FUNCTIONS.items()}


def _bound(function: Callable[..., Any], dice: np.random.Generator | None) -> Callable[..., Any]:
    if function not in _DRAWS:
        return function

    def draw(*arguments: Any, **named: Any) -> Any:
        if dice is None:
            raise ValueError(f"{function.__name__} draws, and no dice were given")
        return function(dice, *arguments, **named)

    return draw


# ---------------------------------------------------------------- draws


def normal(dice: np.random.Generator, mean: float, sd: float) -> Any:
    """A normal draw."""
    return dice.normal(mean, sd)


def lognormal(dice: np.random.Generator, median: float, log_sd: float) -> Any:
    """A log-normal draw, by its median and the standard deviation of its logarithm."""
    return median * np.exp(dice.normal(0.0, log_sd))


def uniform(dice: np.random.Generator, low: float = 0.0, high: float = 1.0) -> Any:
    """A uniform draw."""
    return dice.uniform(low, high)


def poisson(dice: np.random.Generator, mean: float) -> Any:
    """A Poisson draw."""
    return dice.poisson(mean)


def binomial(dice: np.random.Generator, n: float, p: float) -> Any:
    """A binomial draw."""
    return dice.binomial(int(n), p)


def happens(dice: np.random.Generator, probability: float) -> Any:
    """Whether something of a probability happens."""
    return bool(dice.random() < probability)


def beta(dice: np.random.Generator, mean: float, size: float) -> Any:
    """A beta draw, by its mean and the sum of its two parameters."""
    return dice.beta(mean * size, (1.0 - mean) * size)


def negative_binomial(dice: np.random.Generator, mean: float, sd: float) -> Any:
    """A negative binomial draw, by mean and standard deviation (which must exceed the root of the mean)."""
    spread = sd * sd - mean
    if spread <= 0:
        raise ValueError("a negative binomial has a variance above its mean")
    return dice.negative_binomial(mean * mean / spread, mean / (sd * sd))


def pick(dice: np.random.Generator, **weights: float) -> str:
    """One of several names, by their weights."""
    total = sum(weights.values())
    point = dice.random() * total
    for name, weight in weights.items():
        point -= weight
        if point < 0:
            return name.replace("_dash_", "-")
    return next(reversed(weights))


# ---------------------------------------------------------------- plain functions


def expit(x: Any) -> Any:
    """The inverse of the logit."""
    return 1.0 / (1.0 + np.exp(-x))


def logit(p: Any) -> Any:
    """The log-odds."""
    return np.log(p / (1.0 - p))


def clip(x: Any, low: float, high: float) -> Any:
    """The value, moved inside two limits."""
    return np.clip(x, low, high)


def interpolate(x: Any, xs: list[float], ys: list[float]) -> Any:
    """The piecewise linear curve through points, flat outside them."""
    return np.interp(x, xs, ys)


def negative_binomial_quantile(p: float, mean: float, size: float) -> int:
    """The smallest count whose distribution function reaches p, for a negative binomial by mean and size."""
    success = size / (size + mean)
    mass = total = success**size
    count = 0
    while total < p and count < 10_000:
        count += 1
        mass *= (count + size - 1) / count * (1.0 - success)
        total += mass
    return count


def normal_distribution(z: Any) -> Any:
    """The standard normal distribution function."""
    return 0.5 * (1.0 + math.erf(z / math.sqrt(2.0)))


_DRAWS = frozenset({normal, lognormal, uniform, poisson, binomial, happens, beta, negative_binomial, pick})

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "normal": normal,
    "lognormal": lognormal,
    "uniform": uniform,
    "poisson": poisson,
    "binomial": binomial,
    "happens": happens,
    "beta": beta,
    "negative_binomial": negative_binomial,
    "pick": pick,
    "expit": expit,
    "logit": logit,
    "clip": clip,
    "interpolate": interpolate,
    "negative_binomial_quantile": negative_binomial_quantile,
    "phi": normal_distribution,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "round": np.round,
    "min": min,
    "max": max,
    "abs": abs,
    "where": np.where,
}
