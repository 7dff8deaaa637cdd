"""Stages of the invented trial `chain`: donors, banks, lots, and the course of a unit from its order to its end.

Her unit of 20 March: 75 million cells, four in five of them alive, are the 60 million that 60 kg are to have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from tests.unit.desk import DATA, protocol_at
from trialwright.trial import commands as c
from trialwright.trial.commands import Command

CHAIN = DATA / "chain"
TODAY = "2026-03-20"

Told: TypeAlias = "Command | tuple[Command, str]"

#: The results of a lot on its release, but for the growth that is read after 14 days.
EARLY = {"viability": "91 %", "viable_cells": "500 10*6", "mycoplasma": "negative"}


def started(hours: str = "4") -> Iterator[Command]:
    """The site works by the protocol; cells keep for some hours, where anybody has shown it."""
    yield c.ActivateProtocol("S01", protocol_at(CHAIN).digest, "ethics 2026-1", "2025-01-02")
    if hours:
        yield c.ValidateHold("cells", hours, "validation report 7", "2025-01-02")


def donor(name: str = "D-1", own: str = "", later: str = "negative", product: str = "cells") -> Iterator[Command]:
    """A donor, accepted, and retested where a result is given."""
    yield c.RegisterDonor(name, product, "2025-01-10", own)
    yield c.TestDonor(name, {"hiv": "negative"}, "2025-01-11")
    yield c.AcceptDonor(name, "2025-01-12")
    if later and product == "cells":
        yield c.TestDonor(name, {"hiv_later": later}, "2025-04-10")


def banks(of: str = "D-1", number: int = 1) -> Iterator[Command]:
    """Her tissue, a master bank from it, and a working bank from that one."""
    yield c.RegisterMaterial(f"T-{number}", "tissue", of, "2025-01-13")
    yield c.RegisterMaterial(f"MB-{number}", "bank", f"T-{number}", "2025-02-01", 2, {"medium": "M 17"})
    yield c.RegisterMaterial(f"WB-{number}", "bank", f"MB-{number}", "2025-03-01", 4)


def lot(name: str = "L-1", parent: str = "WB-1", growth: str = "negative", released: bool = True) -> Iterator[Command]:
    """A lot with its results: released, or conditionally where the growth is not read yet."""
    yield c.RegisterLot(name, "cells", "2026-02-18", parent, 5)
    yield c.TestLot(name, {**EARLY, **({"sterility": growth} if growth else {})}, "2026-02-19")
    if released:
        yield c.ReleaseLot(name, "2026-02-20")


def origin() -> Iterator[Command]:
    """A site at work, a donor with her banks, and a released lot."""
    yield from (*started(), *donor(), *banks(), *lot())


def allocated(who: str = "P-1", weight: str = "60 kg", born: str = "1990-03-02") -> Iterator[Command]:
    """A woman in the trial."""
    yield c.Screen(who, "S01", "2026-03-02")
    yield c.Consent(who, "1", "2026-03-02")
    yield c.Observe(who, "birth_date", born, "2026-03-02")
    yield c.Observe(who, "weight", weight, "2026-03-02")
    yield c.Observe(who, "fit_for_trial", "yes", "2026-03-02")
    yield c.ConfirmEligibility(who, "2026-03-03")
    yield c.Enrol(who, "2026-03-04")
    yield c.Allocate(who, "2026-03-09")


def course(who: str = "P-1", day: str = TODAY, unit: str = "", lot: str = "L-1") -> dict[str, Told]:
    """What happens with a unit, from the pregnancy test of that morning to its last trace, by name and in order."""
    unit = unit or f"U-{who}"
    return {
        "test": c.Observe(who, "hcg", "1 [IU]/L", f"{day}T08:00"),
        "order": c.OrderUnit(unit, who, "infusion", f"{day}T08:10"),
        "prepare": c.ManufactureUnit(unit, lot, "75000000", "80 %", "15 mL", f"{day}T08:40", f"{day}T08:45"),
        "measure": c.TestUnit(unit, {"endotoxin": "0.5 [EU]/mL", "growth": "none"}, f"{day}T08:50"),
        "release": c.ReleaseUnit(unit, f"{day}T09:20"),
        "issue": c.IssueUnit(unit, f"{day}T09:30", "logger 3"),
        "receive": c.ReceiveUnit(unit, f"{day}T09:40", "3 Cel", "6 Cel"),
        "check": (c.VerifyUnit(unit, who, "1990-03-02", f"{day}T09:45"), "investigator"),
        "check again": (c.VerifyUnit(unit, who, "1990-03-02", f"{day}T09:46"), "coordinator"),
        "start": c.Perform(who, "infusion", f"infusion-{unit}", f"{day}T10:00", unit=unit),
        "end": c.EndInfusion(who, unit, "15 mL", f"{day}T10:30", "1 mL"),
        "account": c.ReconcileUnit(unit, "destroyed", f"{day}T11:00"),
    }


def before(step: str, **changed: str) -> list[Told]:
    """The course up to a step, which is not taken any more."""
    steps = course(**changed)
    return [steps[name] for name in list(steps)[: list(steps).index(step)]]


def given(who: str = "P-1", day: str = TODAY, lot: str = "L-1") -> Iterator[Told]:
    """A woman in the trial who had all of her unit."""
    yield from allocated(who)
    yield from before("account", who=who, day=day, lot=lot)
