"""Laws of the chain of custody: what was given is known in any order of arrival, and whatever anybody tries.

Histories are made by sending random orders about donors, lots, units and events through the gate of the trial `chain`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from tests.laws.test_trial_laws import LAWS, _sender, _shuffled, _state, _told
from tests.unit.custody_desk import CHAIN, TODAY, allocated, before, course, donor, lot, origin
from tests.unit.custody_desk import given as infused
from tests.unit.desk import Desk, protocol_at
from trialwright.core.finding import Refused
from trialwright.ledger.envelope import Event
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.commands import Command
from trialwright.trial.custody import GIVEN, donor_of, made_from, origin_of, recipients

WOMEN = ("P-1", "P-2", "P-3")
KINDS = 24
Order: TypeAlias = tuple[int, str, int]

orders = st.lists(
    st.tuples(st.integers(0, KINDS - 1), st.sampled_from(WOMEN), st.integers(0, 999)), min_size=4, max_size=30
)


def _command(order: Order, desk: Desk) -> Command:
    """The command that an order means; what is taken back is something that is there."""
    kind, who, pick = order
    unit = (f"U-{who}", f"U-{1 + pick % 4}")[pick % 2]
    day = ("2026-03-20", "2026-03-21")[pick % 2]
    on = TODAY if pick % 9 == 0 else f"{day}T{10 + pick % 3}:{pick % 60:02}"
    number, event = 1 + pick % 3, f"ae-{pick % 3}"
    fields = {"grade": str(1 + pick % 5), "related": ("possible", "unlikely")[pick % 2]}
    hers = sorted(desk.office.participant(who).events)
    possible: list[Command] = [
        c.OrderUnit(unit, who, "infusion", on),
        c.ManufactureUnit(unit, f"L-{number}", "75000000", "80 %", "15 mL", on, on),
        c.TestUnit(unit, {"endotoxin": "0.5 [EU]/mL", "growth": ("none", "growth")[pick % 5 == 0]}, on),
        c.ReleaseUnit(unit, on),
        c.IssueUnit(unit, on),
        c.ReceiveUnit(unit, on, "3 Cel", ("6 Cel", "9 Cel")[pick % 5 == 0]),
        c.VerifyUnit(unit, who, "1990-03-02", on),
        c.VerifyUnit(unit, who, ("1990-03-02", "1990")[pick % 5 == 0], on),
        c.Perform(who, "infusion", f"i-{pick % 3}", on, unit=unit),
        c.InterruptInfusion(who, unit, f"{1 + pick % 15} mL", "pain", on),
        c.ResumeInfusion(who, unit, on),
        c.EndInfusion(who, unit, ("15 mL", "7 mL", "0 mL")[pick % 3], on, "1 mL", reason="pain"),
        c.RejectUnit(unit, "dropped", on),
        c.ReconcileUnit(unit, "destroyed", on),
        c.TestLot(f"L-{number}", {"sterility": ("negative", "positive")[pick % 7 == 0]}, on),
        c.ReleaseLot(f"L-{number}", on),
        c.RecallLot(f"L-{number}", "a crack", on),
        c.TestDonor(f"D-{number}", {"hiv_later": ("negative", "positive")[pick % 7 == 0]}, on),
        c.Observe(who, "hcg", ("1 [IU]/L", "90 [IU]/L")[pick % 5 == 0], on),
        c.AddRecord(who, "adverse_event", event, on, fields),
        c.CompleteRecord(who, "adverse_event", event, on, {"grade": "3", "death": ("no", "yes")[pick % 9 == 0]}),
        c.ReviewTrigger(f"A{number}", ("continue", "stop")[pick % 4 == 0], "looked at", "2026-12-01"),
        c.VoidEvent(who, hers[-1 - pick % 8], "entered in error", on),
        c.RejectDonor(f"D-{number}", "hepatitis", on),
    ]
    assert len(possible) == KINDS
    return possible[kind]


def _made(folder: Path, drawn: Sequence[Order], chance: Random) -> Desk:
    """Three women: one had her cells, one has a unit that two have checked, one waits; two donors, two lots."""
    desk = Desk(folder, protocol=protocol_at(CHAIN))
    desk.do(*origin(), *donor("D-2"), *lot("L-2", "D-2", growth=""))
    desk.do(*infused("P-1", day="2026-03-12"), *allocated("P-2"), *before("start", who="P-2"), *allocated("P-3"))
    if chance.random() < 0.5:
        desk.do(course("P-2")["start"])
    for order in drawn:
        command = _command(order, desk)
        with desk.ledger.writing() as writer:
            try:
                desk.office.submit_within(writer, command, _sender(command, order[2]), f"order {chance.random()}")
            except Refused:
                continue
        _holds(desk)
    return desk


def _holds(desk: Desk) -> None:
    """What is true after every command: custody is consistent, whoever tried what."""
    trial = desk.office.trial()
    custody = trial.custody
    for name, unit in custody.units.items():
        assert unit.was_given == (unit.state in GIVEN or (unit.state == "reconciled" and bool(unit.started))), unit
        if unit.was_given:
            assert len(set(unit.verified_by)) >= 2
            assert (unit.participant, name) in recipients(custody, origin_of(custody, name)[-1])
            assert custody.lots[unit.lot].released
        if unit.lot:
            assert name in made_from(custody, unit.lot)
    for name, one in custody.lots.items():
        taken = sum((Decimal(cells or 0) for _, cells in one.used), Decimal(0))
        assert taken <= 500_000_000
        assert len({unit for unit, _ in one.used}) == len(one.used), "a unit is taken from a lot once"
        found = donor_of(custody, name)
        if found is not None and found.state == "rejected":
            assert one.state in ("recalled", "rejected", "registered")
    assert set(trial.alerts) == {f"A{number}" for number in range(1, len(trial.alerts) + 1)}


def _events(drawn: Sequence[Order], chance: Random) -> list[Event]:
    with tempfile.TemporaryDirectory() as folder:
        desk = _made(Path(folder), drawn, chance)
        events = list(desk.ledger.events())
        assert _told(_state(events)[0]) == _told(desk.office.trial()), "what is remembered is what folding anew gives"
        desk.ledger.close()
        return events


@LAWS
@given(orders, st.randoms(use_true_random=False))
def test_the_chain_is_the_same_in_any_order_of_arrival(drawn: list[Order], chance: Random) -> None:
    events = _events(drawn, chance)
    assert _told(_state(_shuffled(events, chance))) == _told(_state(events))


def test_the_histories_of_custody_reach_every_corner() -> None:
    seen: set[str] = set()
    for seed in range(12):
        chance = Random(seed)
        drawn = [(chance.randrange(KINDS), chance.choice(WOMEN), chance.randrange(999)) for _ in range(80)]
        seen |= {event.type for event in _events(drawn, chance)}
    expected = {
        e.DONOR_REJECTED, e.LOT_RECALLED, e.UNIT_REJECTED, e.UNIT_RECONCILED, e.DOSE_DETERMINED, e.INFUSION_ENDED,
        e.TRIGGER_RAISED, e.TRIGGER_REVIEWED, e.BOUNDARY_COUNTED, e.INFUSION_INTERRUPTED,
    }  # fmt: skip
    assert expected - seen == set()
