"""Nature: who a virtual woman is, and what would be measured of her. It alone knows what nobody has observed yet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from trialwright.core.finding import Refused, Where, finding
from trialwright.core.units import COUNT
from trialwright.language.vocabulary import Item
from trialwright.rehearsal.formula import Formula, bound_functions
from trialwright.rehearsal.model import FILE, Model

_MOST_DRAWS = 2000
#: Nothing that is counted, measured or waited for is as much as this.
_GREATEST = 1e15


class Woman:
    """A virtual woman: her variables, her dice, and the hidden side of her records.

    Her dice depend on the seed and her number alone, so that she is the same woman in every scenario and however
    many others there are.
    """

    def __init__(self, model: Model, seed: int, number: int, scenario: str) -> None:
        self.model = model
        self.dice = np.random.default_rng([seed, number, 0])
        self.site_dice = np.random.default_rng([seed, number, 1])
        self.arm = ""
        self.records: dict[tuple[str, str], dict[str, Any]] = {}
        self._names: dict[str, Any] = {**bound_functions(self.dice), **model.parameters(scenario)}
        self.variables = self._drawn()
        self._names.update(self.variables)

    def value(self, path: str, names: Mapping[str, Any]) -> Any:
        """The value of the formula at a path of the model, with what is at hand."""
        return run(path, self.model.formulas[path], {**self._names, "treated": 0, "arm": self.arm, **names})

    def number(self, path: str, names: Mapping[str, Any]) -> float:
        """The value of a formula that must be a finite number, of days or records perhaps."""
        value = self.value(path, names)
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not abs(number) < _GREATEST:
            raise _fails(path, self.model.formulas[path].text, f"its value {value} is no number that can be used")
        return number

    def has(self, path: str) -> bool:
        """Whether the model has a formula at this path."""
        return path in self.model.formulas

    def _drawn(self) -> dict[str, Any]:
        """Her variables, drawn again until the model keeps her."""
        keep = self.model.formulas.get("keep")
        for _ in range(_MOST_DRAWS):
            variables = {f"z_{name}": z for name, z in zip(self.model.document.latent, self._latent(), strict=True)}
            for name in self.model.document.woman:
                formula = self.model.formulas[f"woman.{name}"]
                variables[name] = run(f"woman.{name}", formula, {**self._names, **variables})
            if keep is None or run("keep", keep, {**self._names, **variables}):
                return variables
        raise _fails("keep", keep.text if keep else "", f"no woman in {_MOST_DRAWS} draws is kept")

    def _latent(self) -> list[float]:
        names = self.model.document.latent
        return list(_square_root(self.model) @ self.dice.standard_normal(len(names))) if names else []


def run(path: str, read: Formula, names: Mapping[str, Any]) -> Any:
    """The value of a formula; `Refused` with its place where it has none."""
    try:
        with np.errstate(all="ignore"):  # what comes of it is judged by who uses it
            return eval(read.code, {"__builtins__": {}}, names)
    except (NameError, TypeError, ValueError, ArithmeticError, LookupError, StopIteration) as wrong:
        raise _fails(path, read.text, str(wrong) or "it has no value") from wrong


def _fails(path: str, text: str, why: str) -> Refused:
    return Refused(finding("formula_fails", Where(FILE, path=path), path=path, text=text, why=why))


_ROOTS: dict[tuple[object, ...], Any] = {}


def _square_root(model: Model) -> Any:
    """The lower triangular root of the correlations of the latent variables."""
    key = (model.document.latent, *model.document.correlations.items())
    known = _ROOTS.get(key)
    if known is None:
        names = list(model.document.latent)
        matrix = np.eye(len(names))
        for pair, text in model.document.correlations.items():
            one, _, other = pair.partition("~")
            if one not in names or other not in names:
                where = Where("rehearsal.yaml", path=f"correlations.{pair}")
                raise Refused(finding("formula_broken", where, text=pair, why="it names no two latent variables"))
            matrix[names.index(one), names.index(other)] = matrix[names.index(other), names.index(one)] = float(text)
        try:
            known = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError as wrong:
            where = Where("rehearsal.yaml", path="correlations")
            why = "no variables can be correlated so"
            raise Refused(finding("formula_broken", where, text="correlations", why=why)) from wrong
        _ROOTS[key] = known
    return known


class ArmsBehind(Protocol):
    """What a sealed list is to nature: the arm of every position. Nobody else in a rehearsal asks it."""

    def arm(self, position: int) -> str:
        """The arm at a position, from 1."""


def as_text(item: Item, value: Any, decimals: int) -> str:
    """A drawn value as a person would enter it for the item: with unit, as a category, as yes or no."""
    match item.kind:
        case "quantity" | "count" if not _is_finite(value):
            raise _fails(item.name, str(value), "it is no number that could be measured")
        case "quantity":
            number = f"{float(value):.{decimals}f}"
            return f"{number} {item.unit.code}"
        case "count":
            return str(round(float(value))) + (f" {item.unit.code}" if item.unit != COUNT else "")
        case "yes_no" | "attestation":
            return value if isinstance(value, str) else "yes" if bool(value) else "no"
        case _:
            return str(value)


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False
