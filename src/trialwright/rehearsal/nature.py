"""Nature: who a virtual woman is, and what would be measured of her. It alone knows what nobody has observed yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from trialwright.core.finding import Refused, Where, finding
from trialwright.core.units import COUNT
from trialwright.language.vocabulary import Item
from trialwright.rehearsal.formula import Formula, bound_functions
from trialwright.rehearsal.model import Model

_MOST_DRAWS = 2000


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
        return self._run(path, self.model.formulas[path], {**self._names, "treated": 0, "arm": self.arm, **names})

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
                variables[name] = self._run(f"woman.{name}", formula, {**self._names, **variables})
            if keep is None or self._run("keep", keep, {**self._names, **variables}):
                return variables
        text = keep.text if keep else ""
        raise Refused(finding("formula_fails", path="keep", text=text, why=f"no woman in {_MOST_DRAWS} draws is kept"))

    def _latent(self) -> list[float]:
        names = self.model.document.latent
        return list(_square_root(self.model) @ self.dice.standard_normal(len(names))) if names else []

    def _run(self, path: str, read: Formula, names: Mapping[str, Any]) -> Any:
        try:
            return eval(read.code, {"__builtins__": {}}, names)
        except (NameError, TypeError, ValueError, ZeroDivisionError, ArithmeticError) as wrong:
            where = Where("rehearsal.yaml", path=path)
            raise Refused(finding("formula_fails", where, path=path, text=read.text, why=wrong)) from wrong


_ROOTS: dict[int, Any] = {}


def _square_root(model: Model) -> Any:
    """The lower triangular root of the correlations of the latent variables."""
    known = _ROOTS.get(id(model))
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
        _ROOTS[id(model)] = known
    return known


class ArmsBehind(Protocol):
    """What a sealed list is to nature: the arm of every position. Nobody else in a rehearsal asks it."""

    def arm(self, position: int) -> str:
        """The arm at a position, from 1."""


def as_text(item: Item, value: Any, decimals: int) -> str:
    """A drawn value as a person would enter it for the item: with unit, as a category, as yes or no."""
    match item.kind:
        case "quantity":
            number = f"{float(value):.{decimals}f}"
            return f"{number} {item.unit.code}"
        case "count":
            return str(round(float(value))) + (f" {item.unit.code}" if item.unit != COUNT else "")
        case "yes_no" | "attestation":
            return value if isinstance(value, str) else "yes" if bool(value) else "no"
        case _:
            return str(value)
