"""A desk of a small invented trial: commands go in, events or refusals come out; stages bring a woman where she is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from itertools import count
from pathlib import Path

from trialwright.core.finding import Finding, Grade, Refused
from trialwright.ledger.envelope import Event
from trialwright.ledger.store import Header, Ledger, create
from trialwright.protocol.load import load, load_files
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.trial.office import Office, Sender, register_protocol, whole_state
from trialwright.views.cutoff import CutOff

DATA = Path(__file__).parent.parent / "data"
SMALL, BLINDED = DATA / "small", DATA / "blinded"
DOSE = "1e6 /kg * weight"
LATER = "2026-12-31T04:00:00Z"
DAY = "2026-03-02"

#: Who must do what; everything else is the investigator's.
ROLES = {
    c.AnswerQuestion: "sponsor",
    c.ReleaseLot: "quality person",
    c.AcceptDonor: "quality person",
    c.ValidateHold: "quality person",
    c.ReleaseUnit: "quality person",
    c.ReviewTrigger: "safety board",
    c.RaiseQuery: "monitor",
    c.ResolveQuery: "monitor",
    c.ReopenQuery: "monitor",
    c.VerifySource: "monitor",
    c.Freeze: "data manager",
    c.Unfreeze: "data manager",
    c.Lock: "data manager",
    c.Unlock: "data manager",
}


@cache
def protocol_at(folder: Path, old: str = "", new: str = "") -> Protocol:
    """The protocol of a folder, with one text replaced."""
    protocol, found = load(folder)
    assert protocol is not None, found
    assert not [one for one in found if one.grade is Grade.ERROR], found
    if old:
        files = dict(protocol.files)
        text = files["protocol.yaml"].decode()
        assert old in text, old
        files["protocol.yaml"] = text.replace(old, new).encode()
        protocol, found = load_files(files)
        assert protocol is not None, found
    return protocol


class Desk:
    """An open ledger of the small trial, and the office that takes its commands."""

    def __init__(
        self, folder: Path, kind: str = "real", protocol: Protocol | None = None, software: str = "test"
    ) -> None:
        self.protocol = protocol or protocol_at(SMALL)
        seed = 1 if kind == "virtual" else None
        header = Header(kind, self.protocol.document.trial, self.protocol.digest, software, seed, "")
        self.place = folder / "ledger.db"
        self.ledger: Ledger = create(self.place, header, "2026-01-01T00:00:00Z")
        self.office = Office(self.ledger, software)
        self._numbers = count(1)
        with self.ledger.writing() as writer:
            by = Sender("sponsor", "sponsor", "2026-01-01T00:00:00Z")
            register_protocol(writer, self.protocol, by, software, "2026-01-01")

    def do(
        self, *commands: Command | tuple[Command, str], role: str = "", at: str = LATER, identity: str = ""
    ) -> list[Event]:
        """Submit commands one by one; the events of the last one."""
        events: list[Event] = []
        with self.ledger.writing() as writer:
            for one in commands:
                command, who = one if isinstance(one, tuple) else (one, "")
                acting = role or who or ROLES.get(type(command), "investigator")
                name = identity or f"command {next(self._numbers)}"
                events = self.office.submit_within(writer, command, Sender(f"the {acting}", acting, at), name)
        return events

    def refused(self, command: Command, role: str = "", at: str = LATER) -> list[str]:
        """The codes with which a command is refused; nothing was written."""
        before = self.ledger.last()
        found: tuple[Finding, ...] = ()
        try:
            self.do(command, role=role, at=at)
        except Refused as refused:
            found = refused.findings
        assert not found or self.ledger.last() == before, "a refused command wrote something"
        assert all(str(one) for one in found)
        return [one.code for one in found]

    def cut(self, today: str = "2026-12-31", upto: int | None = None) -> CutOff:
        """The trial as it is seen on a day, folded anew."""
        trial, participants = whole_state(self.ledger, upto)
        return CutOff(self.protocol, trial, participants, date.fromisoformat(today))


def opened(answers: Mapping[str, str] | None = None, protocol: Protocol | None = None) -> Iterator[Command]:
    """The site works by the protocol, and its open questions are answered; cells keep for four hours."""
    yield c.ActivateProtocol("S01", (protocol or protocol_at(SMALL)).digest, "ethics 2026-1", "2026-01-02")
    yield c.ValidateHold("cell_product", "4", "validation report 7", "2026-01-02")
    told = {"consent_form": "long", "dose": DOSE, "route": "vein"} if answers is None else answers
    for question, answer in told.items():
        yield c.AnswerQuestion(question, answer, "2026-01-02")


def lot(name: str = "L-1", millions: int = 100, released: str = "2026-02-20") -> Iterator[Command]:
    """A lot of cells, tested, and released where a date is given."""
    yield c.RegisterLot(name, "cell_product", "2026-02-18")
    yield c.TestLot(name, {"viability": "91 %", "viable_cells": f"{millions} 10*6"}, "2026-02-19")
    if released:
        yield c.ReleaseLot(name, released)


def consented(who: str = "P-1", on: str = DAY) -> Iterator[Command]:
    """She is screened and consents."""
    yield c.Screen(who, "S01", on)
    yield c.Consent(who, "1", on)


def answered(
    who: str = "P-1", on: str = DAY, amh: str = "0.80 ng/mL", weight: str = "60 kg", failed: int = 2
) -> Iterator[Command]:
    """Everything that eligibility asks is recorded."""
    yield from consented(who, on)
    yield c.Observe(who, "birth_date", "1990-03-02", on)
    yield c.Observe(who, "weight", weight, on)
    yield c.Observe(who, "amh", amh, on)
    yield c.Observe(who, "fit_for_trial", "yes", on)
    for number in range(1, failed + 1):
        yield c.AddRecord(who, "earlier_cycle", f"cycle-{number}", f"2025-0{number}", {"outcome": "failed"})
    yield c.CloseList(who, "earlier_cycle", on)
    yield c.CloseList(who, "medical_history", on)


def confirmed(who: str = "P-1", on: str = "2026-03-09") -> Iterator[Command]:
    """She is found eligible."""
    yield from answered(who)
    yield c.ConfirmEligibility(who, on)


def enrolled(who: str = "P-1", on: str = "2026-03-09") -> Iterator[Command]:
    """She has a place."""
    yield from confirmed(who, on)
    yield c.Enrol(who, on)


def allocated(who: str = "P-1", arm: str = "cells", on: str = "2026-03-09") -> Iterator[Command]:
    """She has an arm."""
    yield from enrolled(who, on)
    yield c.Allocate(who, on, arm, "her wish", "Dr Li")


def prepared(
    who: str = "P-1", cells: str = "60000000", day: str = "2026-03-20", lot: str = "L-1", unit: str = ""
) -> Iterator[Command]:
    """A unit ordered for her and prepared from a lot at nine: 60 million living cells, as planned for 60 kg."""
    unit = unit or f"U-{who}"
    yield c.OrderUnit(unit, who, "infusion", day)
    yield c.ManufactureUnit(unit, lot, cells, "100 %", "50 mL", f"{day}T09:00", f"{day}T09:10")


def verified(
    who: str = "P-1", cells: str = "60000000", day: str = "2026-03-20", lot: str = "L-1", unit: str = ""
) -> Iterator[Command]:
    """A unit released, carried, and checked by one person at her bed; the second one is `second_check`."""
    unit = unit or f"U-{who}"
    yield from prepared(who, cells, day, lot, unit)
    yield c.ReleaseUnit(unit, f"{day}T09:20")
    yield c.IssueUnit(unit, f"{day}T09:30", "logger 3")
    yield c.ReceiveUnit(unit, f"{day}T09:40")
    yield c.VerifyUnit(unit, who, "1990-03-02", f"{day}T09:45")


def second_check(who: str = "P-1", day: str = "2026-03-20", unit: str = "") -> c.VerifyUnit:
    """The second check at the bedside, for somebody else to make."""
    return c.VerifyUnit(unit or f"U-{who}", who, "1990-03-02", f"{day}T09:46")


def infusion(who: str = "P-1", on: str = "2026-03-20T10:00", unit: str = "") -> c.Perform:
    """The infusion of her verified unit, at ten."""
    return c.Perform(who, "infusion", "infusion-1", on, {"volume": "50 mL"}, unit=unit or f"U-{who}")


def ready(
    who: str = "P-1", cells: str = "60000000", day: str = "2026-03-20", lot: str = "L-1"
) -> Iterator[Command | tuple[Command, str]]:
    """She has a negative test of that morning, and a unit that two people have checked."""
    yield c.Observe(who, "hcg", "1 [IU]/L", f"{day}T08:00")
    yield from verified(who, cells, day, lot)
    yield second_check(who, day), "coordinator"


def infused(who: str = "P-1") -> Iterator[Command | tuple[Command, str]]:
    """She had her cells, all of them."""
    yield from allocated(who)
    yield from ready(who)
    yield infusion(who)
    yield c.EndInfusion(who, f"U-{who}", "50 mL", "2026-03-20T10:30")
