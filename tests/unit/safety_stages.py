"""Stages of an invented trial with donors, units, safety rules and pregnancies, on the desk of `tests.unit.desk`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.unit.desk import DATA, DOSE, Desk, allocated, infusion, ready
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial.commands import Command

SAFETY = DATA / "safety"


def safety_desk(folder: Path, protocol: Protocol) -> Desk:
    """A desk at which the site is open, a donor is accepted, and a lot of hers is released on a condition."""
    desk = Desk(folder, protocol=protocol)
    desk.do(c.ActivateProtocol("S01", protocol.digest, "ethics 2026-1", "2026-01-02"))
    desk.do(c.ValidateHold("cell_product", "4", "validation report 7", "2026-01-02"))
    for question, answer in {"consent_form": "long", "dose": DOSE, "route": "vein"}.items():
        desk.do(c.AnswerQuestion(question, answer, "2026-01-02"))
    desk.do(*donor(), *lot_of_donor())
    return desk


def donor(name: str = "D-1", number: str = "1") -> Iterator[Command]:
    """A donor who was accepted, her tissue and the bank made from it."""
    yield c.RegisterDonor(name, "cell_product", "2026-02-10")
    yield c.TestDonor(name, {"hiv": "negative"}, "2026-02-11")
    yield c.AcceptDonor(name, "2026-02-12")
    yield c.RegisterMaterial(f"T-{number}", "tissue", name, "2026-02-12")
    yield c.RegisterMaterial(f"B-{number}", "bank", f"T-{number}", "2026-02-14", 2)


def lot_of_donor(name: str = "L-1", parent: str = "B-1", millions: int = 200) -> Iterator[Command]:
    """A lot of a bank, released while its sterility is not known yet."""
    yield c.RegisterLot(name, "cell_product", "2026-02-18", parent, 4)
    yield c.TestLot(name, {"viability": "91 %", "viable_cells": f"{millions} 10*6"}, "2026-02-19")
    yield c.ReleaseLot(name, "2026-02-20")


def treated(
    who: str = "P-1", day: str = "2026-03-20", lot: str = "L-1", infused: str = "50 mL", reason: str = ""
) -> Iterator[Command | tuple[Command, str]]:
    """She had her cells at ten, until half past ten, flushed with a millilitre."""
    yield from allocated(who)
    yield from ready(who, day=day, lot=lot)
    yield infusion(who, f"{day}T10:00")
    yield c.EndInfusion(who, f"U-{who}", infused, f"{day}T10:30", "1 mL", reason=reason)


def event(who: str = "P-1", record: str = "ae-1", on: str = "2026-03-21", **fields: str) -> c.AddRecord:
    """An adverse event: a fever that is serious for an admission, unless other fields are given."""
    told: Mapping[str, str] = {"term": "fever", "serious": "yes", "related": "possible", **fields}
    return c.AddRecord(who, "adverse_event", record, on, {name: text for name, text in told.items() if text})


def transfer(who: str = "P-1", record: str = "t-1", on: str = "2026-05-08", **fields: str) -> Iterator[Command]:
    """A transfer of an embryo of five days, on whatever day was decided on, and what was seen later."""
    told, why = {"embryos": "1", "embryo_day": "5"}, "the day suits her cycle"
    yield c.Perform(who, "embryo_transfer", record, on, told, decided_by="Dr Li, Dr Wu", reason=why)
    if fields:
        yield c.CompleteRecord(who, "transfer", record, "2026-06-08", fields)
