"""The virtual cell laboratory: donors, banks, lots and units, through the same gate as everything else.

On the day of an infusion a lot is there by eight; a unit is ordered at ten past, thawed at half past, at the bedside
by half past nine.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from trialwright.core.finding import Refused, finding, says
from trialwright.core.interval import plain
from trialwright.language.vocabulary import Vocabulary
from trialwright.ledger.envelope import Event
from trialwright.protocol.protocol import Protocol
from trialwright.rehearsal.formula import bound_functions
from trialwright.rehearsal.model import FormulaPart, LotModel, Model
from trialwright.rehearsal.nature import as_text, run
from trialwright.trial import commands as c
from trialwright.trial.custody import OPEN, Lot
from trialwright.trial.decide_materials import CELLS
from trialwright.trial.office import Office

#: After so many lots or units in a row that fail their release the model cannot be meant.
_MOST = 50

Submit = Callable[[c.Command, str, date], list[Event]]


@dataclass(frozen=True, slots=True)
class Later:
    """Results of a lot that come when some of it was given already."""

    on: date
    lot: str
    results: dict[str, str]


class CellLaboratory:
    """Makes what is given, lot by lot and unit by unit; counts what the gate refused it."""

    def __init__(self, protocol: Protocol, model: Model, office: Office, submit: Submit, seed: int) -> None:
        self.protocol = protocol
        self.model = model
        self.office = office
        self.submit = submit
        self.outstanding: list[Later] = []
        self._numbers = {kind: itertools.count(1) for kind in ("D", "T", "B", "L", "U")}
        self._banks: dict[str, tuple[str, int]] = {}  # product -> the bank in use, and lots that can still be made
        self._dice = np.random.default_rng([seed, 0, 2])
        self._made = {"lot": 0, "unit": 0, "donor": 0}  # for formulas, which know the number of what they are about

    def open(self, day: date) -> None:
        """Record for how long each product keeps."""
        for product, model in self.model.document.lots.items():
            if model.hold_hours:
                command = c.ValidateHold(product, model.hold_hours, model.hold_report, str(day))
                self.submit(command, "quality person", day)

    def prepare(self, who: str, intervention: str, share: float, day: date, count: Callable[[Refused], None]) -> str:
        """A unit for one woman, at her bedside and checked by two people; those that fail on the way are rejected."""
        product = self.protocol.document.interventions[intervention].product
        for _ in range(_MOST):
            self._lot(product, Decimal(0), day)
            unit = f"U-{next(self._numbers['U']):03}"
            self._made["unit"] += 1
            self._do(c.OrderUnit(unit, who, intervention, f"{day}T08:10"), "investigator", day)
            try:
                self._bring(unit, product, share, who, day)
            except Refused as refused:
                if refused.findings[0].code.startswith("rehearsal_"):
                    raise
                count(refused)
                self._rejected(unit, refused, day)
                continue
            if self.office.trial().custody.units[unit].state == "verified":
                return unit
            self._reconciled(unit, day)
        raise Refused(finding("rehearsal_no_lot", product=product, count=_MOST, reason="no unit reached the bedside"))

    def discard(self, unit: str, reason: str, day: date) -> None:
        """A unit that was not given after all."""
        if self.office.trial().custody.units[unit].state in OPEN:
            self._do(c.RejectUnit(unit, reason, f"{day}T10:05"), "cell laboratory", day)
            self._reconciled(unit, day)

    def account_for(self, unit: str, day: date) -> None:
        """What is left of a unit that was given."""
        self._do(c.ReconcileUnit(unit, "rest and bag destroyed, retention sample kept", f"{day}T11:30"),
                 "cell laboratory", day)  # fmt: skip

    def enter(self, late: Later, day: date) -> None:
        """Results that come late; a lot that they confirm is released for good."""
        self.submit(c.TestLot(late.lot, late.results, str(day)), "cell laboratory", day)
        if self.office.trial().custody.lots[late.lot].state == "conditional":
            self.submit(c.ReleaseLot(late.lot, str(day)), "quality person", day)

    # ------------------------------------------------------------ units

    def _bring(self, unit: str, product: str, share: float, who: str, day: date) -> None:
        model = self.model.document.lots[product]
        path = f"lots.{product}"
        planned = Decimal(self.office.trial().custody.units[unit].planned)
        living = (planned * Decimal(f"{share:.3f}")).quantize(Decimal(1))
        viability = Decimal(f"{self._number(path + '.viability', model.viability):.1f}")
        total = (living * 100 / viability).quantize(Decimal(1))
        lot = self._lot(product, living, day)
        document = self.protocol.document.interventions[self.office.trial().custody.units[unit].intervention]
        volume = document.volume or model.volume
        self._do(
            c.ManufactureUnit(unit, lot, plain(total), f"{viability} %", volume, f"{day}T08:30", f"{day}T08:45"),
            "cell laboratory", day,
        )  # fmt: skip
        results = self._results(f"{path}.unit", model.unit, self.protocol.units[product])
        if results:
            self._do(c.TestUnit(unit, results, f"{day}T08:50"), "cell laboratory", day)
        self._do(c.ReleaseUnit(unit, f"{day}T08:55"), "quality person", day)
        self._do(c.IssueUnit(unit, f"{day}T09:00", "virtual-logger"), "cell laboratory", day)
        coldest, warmest = (
            f"{self._number(f'{path}.{name}', part):.1f} Cel"
            for name, part in (("coldest", model.coldest), ("warmest", model.warmest))
        )
        self._do(c.ReceiveUnit(unit, f"{day}T09:20", coldest, warmest), "coordinator", day)
        if self.office.trial().custody.units[unit].state != "received":
            return
        second = self._second_identifier(product, who)
        for role, minute in (("investigator", "25"), ("coordinator", "27")):
            self._do(c.VerifyUnit(unit, who, second, f"{day}T09:{minute}"), role, day)

    def _second_identifier(self, product: str, who: str) -> str:
        item = self.protocol.document.products[product].identifier
        told = self.office.participant(who).observed.get(item, [])
        encoded = told[-1].payload.get("value") if told else None
        return str(encoded.get("entered", "")) if isinstance(encoded, dict) else ""

    def _rejected(self, unit: str, refused: Refused, day: date) -> None:
        reason = str(refused.findings[0].values.get("says") or says(refused.findings[0]))
        self._do(c.RejectUnit(unit, reason, f"{day}T09:29"), "quality person", day)
        self._reconciled(unit, day)

    def _reconciled(self, unit: str, day: date) -> None:
        self._do(c.ReconcileUnit(unit, "destroyed", f"{day}T11:30"), "cell laboratory", day)

    # ------------------------------------------------------------ lots

    def _lot(self, product: str, cells: Decimal, day: date) -> str:
        """A lot with enough cells left: the newest one that is released, else a new one."""
        model = self.model.document.lots[product]
        for lot in reversed(self.office.trial().custody.lots.values()):
            in_use = lot.product == product and lot.state in ("released", "conditional")
            if in_use and len(lot.used) < model.units and self._left(lot) >= cells:
                return lot.identity
        failing: list[str] = []
        while len(failing) < _MOST:
            lot_name = f"L-{next(self._numbers['L']):03}"
            self._made["lot"] += 1
            parent, passage = self._bank(product, model, day) if model.donor else ("", 0)
            self.submit(c.RegisterLot(lot_name, product, f"{day}T07:00", parent, passage), "cell laboratory", day)
            results = self._results(f"lots.{product}.results", model.results, self.protocol.products[product])
            self.submit(c.TestLot(lot_name, results, f"{day}T07:30"), "cell laboratory", day)
            try:
                self.submit(c.ReleaseLot(lot_name, f"{day}T07:45"), "quality person", day)
            except Refused as refused:
                reason = str(refused.findings[0].values.get("says") or says(refused.findings[0]))
                self.submit(c.RejectLot(lot_name, reason, f"{day}T07:50"), "quality person", day)
                failing.append(reason)
                continue
            late = self._results(f"lots.{product}.later", model.later, self.protocol.products[product])
            if late:
                self.outstanding.append(Later(day + timedelta(days=model.later_days), lot_name, late))
            return lot_name
        raise Refused(finding("rehearsal_no_lot", product=product, count=len(failing), reason=failing[-1]))

    def _left(self, lot: Lot) -> Decimal:
        counted = lot.results[CELLS][-1].value
        held = getattr(counted, "interval", None)
        unit = self.protocol.products[lot.product].items[CELLS].unit
        whole = held.low * Decimal(unit.scale.numerator) / Decimal(unit.scale.denominator) if held else Decimal(0)
        return whole - sum((Decimal(taken or 0) for _, taken in lot.used), Decimal(0))

    def _bank(self, product: str, model: LotModel, day: date) -> tuple[str, int]:
        """The cell bank in use, and the passage of what is made from it; a new donor where it is used up."""
        bank, left = self._banks.get(product, ("", 0))
        if not left or self._rejected_donor(bank):
            bank, left = self._donor(product, model, day), model.donor.lots if model.donor else 1
        self._banks[product] = (bank, left - 1)
        return bank, 4

    def _rejected_donor(self, bank: str) -> bool:
        custody = self.office.trial().custody
        donor = custody.donors.get(custody.materials[custody.materials[bank].parent].parent) if bank else None
        return donor is not None and donor.state == "rejected"

    def _donor(self, product: str, model: LotModel, day: date) -> str:
        """A donor who gave half a year ago and was tested again since, her tissue and the bank made from it."""
        assert model.donor is not None, "a bank is made for products with donors"
        gave, vocabulary = day - timedelta(days=180), self.protocol.donors[product]
        for _ in range(_MOST):
            donor = f"D-{next(self._numbers['D']):03}"
            self._made["donor"] += 1
            self.submit(c.RegisterDonor(donor, product, str(gave)), "cell laboratory", day)
            at_donation = self._results(f"lots.{product}.donor.results", model.donor.results, vocabulary)
            self.submit(c.TestDonor(donor, at_donation, str(gave)), "cell laboratory", day)
            again = self._results(f"lots.{product}.donor.retest", model.donor.retest, vocabulary)
            self.submit(c.TestDonor(donor, again, str(gave + timedelta(days=95))), "cell laboratory", day)
            try:
                self.submit(c.AcceptDonor(donor, str(gave + timedelta(days=100))), "quality person", day)
            except Refused as refused:
                reason = str(refused.findings[0].values.get("says") or says(refused.findings[0]))
                self.submit(c.RejectDonor(donor, reason, str(gave + timedelta(days=100))), "quality person", day)
                continue
            tissue, bank = f"T-{next(self._numbers['T']):03}", f"B-{next(self._numbers['B']):03}"
            command = c.RegisterMaterial(tissue, "tissue", donor, str(gave), 0, {"site": model.donor.tissue})
            self.submit(command, "cell laboratory", day)
            banked = str(gave + timedelta(days=30))
            self.submit(c.RegisterMaterial(bank, "bank", tissue, banked, 2), "cell laboratory", day)
            return bank
        raise Refused(finding("rehearsal_no_lot", product=product, count=_MOST, reason="no donor was accepted"))

    # ------------------------------------------------------------ dice

    def _results(self, path: str, parts: Mapping[str, FormulaPart], vocabulary: Vocabulary) -> dict[str, str]:
        results = {}
        for name, part in parts.items():
            value = run(f"{path}.{name}", self.model.formulas[f"{path}.{name}"], self._names())
            results[name] = as_text(vocabulary.items[name], value, part.decimals)
        return results

    def _number(self, path: str, _part: FormulaPart) -> float:
        return float(run(path, self.model.formulas[path], self._names()))

    def _names(self) -> dict[str, Any]:
        return {**bound_functions(self._dice), **self._made}

    def _do(self, command: Any, role: str, day: date) -> None:
        self.submit(command, role, day)
