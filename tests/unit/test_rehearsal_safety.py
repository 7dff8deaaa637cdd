"""In a rehearsal everything happens that a site must be ready for, and none of it gets past the gate."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from tests.rehearsals import DOR, IUA, rehearsed
from trialwright.ledger.envelope import Event
from trialwright.ledger.store import open_ledger
from trialwright.protocol.load import load
from trialwright.trial import events as e
from trialwright.trial.office import whole_state
from trialwright.views.alerts import alerts
from trialwright.views.cutoff import CutOff
from trialwright.views.pregnancies import children, transfers
from trialwright.views.product import accountability

BOTH = pytest.mark.parametrize("folder", [DOR, IUA], ids=["DOR", "IUA"])


@cache
def events(folder: Path) -> tuple[Event, ...]:
    with open_ledger(rehearsed(folder) / "ledger.db") as ledger:
        return tuple(ledger.events())


@cache
def cut(folder: Path) -> CutOff:
    with open_ledger(rehearsed(folder) / "ledger.db") as ledger:
        trial, participants = whole_state(ledger)
    protocol, _ = load(folder)
    assert protocol is not None
    return CutOff(protocol, trial, participants, date.fromisoformat(events(folder)[-1].at[:10]))


@BOTH
def test_nothing_in_it_is_odd(folder: Path) -> None:
    state = cut(folder)
    assert state.trial.custody.oddities == []
    assert [one.oddities for one in state.participants.values() if one.oddities] == []


@BOTH
@pytest.mark.parametrize(
    "happens",
    [
        e.DONOR_ACCEPTED,
        e.LOT_RECALLED,
        e.UNIT_REJECTED,
        e.INFUSION_INTERRUPTED,
        e.TRIGGER_RAISED,
        e.TRIGGER_REVIEWED,
        e.REPORT_SENT,
        e.BOUNDARY_COMPUTED,
        e.BOUNDARY_COUNTED,
    ],
)
def test_it_happens(folder: Path, happens: str) -> None:
    assert [event for event in events(folder) if event.type == happens]


def test_tablets_are_handed_out_and_come_back() -> None:
    tally = Counter[str]()
    for event in events(IUA):
        if event.type in (e.DRUG_DISPENSED, e.DRUG_RETURNED):
            tally[event.type] += int(str(event.payload["tablets"]))
    assert tally[e.DRUG_DISPENSED] > tally[e.DRUG_RETURNED] > 0


@BOTH
def test_a_late_result_calls_its_lot_back_and_names_whoever_had_it(folder: Path) -> None:
    recalled = [lot for lot in cut(folder).trial.custody.lots.values() if lot.state == "recalled"]
    named = {who for alert in alerts(cut(folder)) if alert.trigger == "product" for who in alert.recipients}
    given = {
        unit.participant for unit in cut(folder).trial.custody.units.values()
        if unit.was_given and unit.lot in {lot.identity for lot in recalled}
    }  # fmt: skip
    assert given
    assert given == named


@BOTH
def test_whoever_was_infused_had_a_unit_that_two_people_checked(folder: Path) -> None:
    units = cut(folder).trial.custody.units
    given = [event for event in events(folder) if event.type == e.PERFORMED and event.payload.get("unit")]
    assert len(given) > 8
    for event in given:
        unit = units[str(event.payload["unit"])]
        assert f"participant/{unit.participant}" == event.stream
        assert len(set(unit.verified_by)) == 2
        assert unit.state == "reconciled"


@BOTH
def test_every_unit_is_accounted_for(folder: Path) -> None:
    (product,) = accountability(cut(folder))
    assert product.unreconciled == ()


def test_an_ectopic_pregnancy_and_twins_are_one_pregnancy_each() -> None:
    rows = transfers(cut(IUA))
    values = Counter(label.name for row in rows for label in row.labels if label.value.value == "yes")
    assert values["ectopic pregnancy"] >= 1
    by_transfer = Counter((child.participant, child.transfer) for child in children(cut(IUA)))
    assert max(by_transfer.values()) == 2


@BOTH
def test_every_child_is_linked_to_the_lots_that_her_mother_had(folder: Path) -> None:
    treated = {unit.participant for unit in cut(folder).trial.custody.units.values() if unit.was_given}
    assert children(cut(folder))
    for child in children(cut(folder)):
        assert bool(child.lots) == (child.participant in treated)


@BOTH
def test_what_the_unit_tells_is_entered_by_nobody(folder: Path) -> None:
    entered = [event for event in events(folder) if event.type == e.PERFORMED and event.payload.get("unit")]
    told = {"volume_infused", "delivered_cells", "dose_ratio"}
    assert not [event.seq for event in entered if told & event.payload["fields"].keys()]  # type: ignore[union-attr]
    computed = [
        event for event in events(folder) if event.type == e.RECORD_COMPLETED and event.payload["kind"] == "infusion"
    ]
    assert len(computed) == len(entered)
