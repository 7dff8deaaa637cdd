"""Every step of a unit from every state, through `decide` itself: what is not in the table of steps is refused."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime

import pytest

from tests.unit.custody_desk import CHAIN, allocated, before, origin
from tests.unit.desk import Desk, protocol_at
from trialwright.core.finding import Refused
from trialwright.ledger.envelope import Event, NewEvent
from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.trial.custody import GIVEN, OPEN, STEPS, Custody, UnitState, apply_product
from trialwright.trial.decide import Actor, decide
from trialwright.trial.state import Participant, TrialState

NOW = datetime(2026, 3, 21, 12)
UNIT, WHO, ON = "U-P-1", "P-1", "2026-03-20T10:30"

#: What may be ordered of a unit, by whom, and the state that it leads to.
ORDERS: dict[str, tuple[Command, str, str]] = {
    "prepare": (c.ManufactureUnit(UNIT, "L-1", "75000000", "80 %", "15 mL", ON, ON), "laboratory", "manufactured"),
    "test": (c.TestUnit(UNIT, {"endotoxin": "0.5 [EU]/mL"}, ON), "laboratory", "tested"),
    "release": (c.ReleaseUnit(UNIT, ON), "quality person", "released"),
    "reject": (c.RejectUnit(UNIT, "a crack", ON), "laboratory", "rejected"),
    "issue": (c.IssueUnit(UNIT, ON), "laboratory", "issued"),
    "receive": (c.ReceiveUnit(UNIT, ON, "3 Cel", "6 Cel"), "nurse", "received"),
    "check again": (c.VerifyUnit(UNIT, WHO, "1990-03-02", ON), "nurse", "verified"),
    "start": (c.Perform(WHO, "infusion", "infusion-2", ON, unit=UNIT), "investigator", "infusing"),
    "interrupt": (c.InterruptInfusion(WHO, UNIT, "10 mL", "pain", ON), "investigator", "interrupted"),
    "take up again": (c.ResumeInfusion(WHO, UNIT, ON), "investigator", "infusing"),
    "end, all given": (c.EndInfusion(WHO, UNIT, "15 mL", ON), "investigator", "complete"),
    "end, some given": (c.EndInfusion(WHO, UNIT, "5 mL", ON, reason="pain"), "investigator", "partial"),
    "end, none given": (c.EndInfusion(WHO, UNIT, "0 mL", ON, reason="pain"), "investigator", "aborted"),
    "account for": (c.ReconcileUnit(UNIT, "destroyed", ON), "laboratory", "reconciled"),
}

#: Where an order is narrower than the table of steps: an infusion begins once, and is taken up again apart; a unit is
#: received once; a check follows the receipt. A test may come at any time after the preparation.
NARROWER: dict[str, set[str]] = {
    "start": {"verified"},
    "take up again": {"interrupted"},
    "receive": {"issued"},
    "test": set(STEPS) - {"ordered"},
}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrialState, Participant]:
    desk = Desk(tmp_path_factory.mktemp("ledger"), protocol=protocol_at(CHAIN))
    desk.do(*origin(), *allocated(), *before("end"))
    return desk.office.trial(), desk.office.participant(WHO)


def _at(state: UnitState, order: str, begun: tuple[TrialState, Participant]) -> TrialState:
    """The trial with the unit in a state, and all that it needs to be there."""
    trial = deepcopy(begun[0])
    unit = trial.custody.units[UNIT]
    unit.state = state
    unit.verified_by = ["the investigator"] if order == "check again" else ["the investigator", "the coordinator"]
    unit.was_given = state in GIVEN
    trial.custody.lots["L-1"].used.clear()
    if state in ("ordered", "rejected"):  # nothing is known of it yet: a unit may be rejected before it is prepared
        unit.lot = unit.total = unit.viable = unit.viability = unit.volume = unit.thawed = unit.expires = ""
        unit.results = {}
    if state == "interrupted":
        unit.interrupted = "2026-03-20T10:10"
        unit.left = {"end, none given": "15", "end, all given": "0"}.get(order, "10")
    return trial


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("state", STEPS)
def test_a_unit_takes_the_steps_of_the_table_and_no_other(
    begun: tuple[TrialState, Participant], state: UnitState, order: str
) -> None:
    command, role, reached = ORDERS[order]
    trial = _at(state, order, begun)
    legal = state in NARROWER.get(order, {one for one in STEPS if reached in STEPS[one]})
    codes, new = _decided(trial, begun[1], command, role)
    assert codes == (set() if legal else {"unit_state"})
    if not legal:
        return
    custody = _folded(trial.custody, new)
    if order == "test" and state not in ("manufactured", "tested"):
        reached = state
    assert (custody.units[UNIT].state, custody.oddities) == (reached, [])


@pytest.mark.parametrize("state", STEPS)
def test_a_second_unit_for_the_same_act_waits_for_the_first(
    begun: tuple[TrialState, Participant], state: UnitState
) -> None:
    trial = _at(state, "order", begun)
    command = c.OrderUnit("U-2", WHO, "infusion", "2026-03-20T10:40")
    codes, _ = _decided(trial, begun[1], command, "investigator")
    assert codes == ({"unit_open"} if state in OPEN else set())


def test_every_state_can_be_reached_and_ends_accounted_for() -> None:
    reached, waiting = {"ordered"}, ["ordered"]
    while waiting:
        fresh = STEPS[waiting.pop()] - reached
        reached |= fresh
        waiting += fresh
    assert reached == set(STEPS)
    assert [state for state, steps in STEPS.items() if not steps] == ["reconciled"]
    assert not {state for state in GIVEN if "rejected" in STEPS[state]}, "what was given is never rejected afterwards"


def _decided(
    trial: TrialState, participant: Participant, command: Command, role: str
) -> tuple[set[str], list[NewEvent]]:
    try:
        return set(), decide(protocol_at(CHAIN), trial, participant, command, Actor("somebody else", role, NOW))
    except Refused as refused:
        return {one.code for one in refused.findings}, []


def _folded(custody: Custody, new: list[NewEvent]) -> Custody:
    for number, one in enumerate(new, 1000):
        if one.type.startswith(("unit.", "infusion.", "dose.")):
            event = Event(
                number, one.stream, 1, one.site, one.type, one.on, "Europe/Berlin", "2026-03-21T11:00:00Z",
                "somebody else", "", one.reason, "order", 1, "", "", dict(one.payload), "", "",
            )  # fmt: skip
            apply_product(custody, event)
    return custody
