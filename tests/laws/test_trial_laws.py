"""Laws of a trial: arrival order, the stable past, women apart, incremental folding, the same answer at the gate.

Histories are made by sending random orders through the gate; what it refuses has no place in them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.desk import LATER, ROLES, Desk, allocated, answered, infusion, lot, opened, ready
from trialwright.core.finding import Refused
from trialwright.core.partial_date import partial_date
from trialwright.ledger.envelope import CORRECTED, VOIDED, Event, NewEvent, Submission
from trialwright.ledger.history import known
from trialwright.protocol.eligibility import determine
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.commands import Command
from trialwright.trial.decide import Actor, decide, participant_of
from trialwright.trial.facts import eligibility_of, facts_of
from trialwright.trial.fold import fold_participant, fold_trial
from trialwright.trial.office import Office, Sender, whole_state
from trialwright.trial.state import Participant, TrialState

WOMEN = ("P-1", "P-2", "P-3", "P-4")
#: Whole days, times, months and years, before and after each other, before and after the consent on 2 March.
DAYS = (
    "2026-03-02", "2026-03-02T10:30", "2026-03-05", "2026-03", "2026", "2025-11", "2026-03-09", "2026-03-20",
    "2026-05-08", "2026-03-01", "2026-06-01T08:00", "2027-02-01",
)  # fmt: skip
LAWS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

State = tuple[TrialState, dict[str, Participant]]


@dataclass(frozen=True)
class Order:
    """A drawn order: which kind of command, about whom, on which day, and a number that picks the rest."""

    kind: int
    who: str
    day: str
    pick: int


#: How many kinds of order there are; those that correct name a number, and numbers are what arrival decides.
KINDS, CORRECTING = 45, (20, 21, 22, 38)

orders = st.lists(
    st.builds(Order, st.integers(0, KINDS - 1), st.sampled_from(WOMEN), st.sampled_from(DAYS), st.integers(0, 999)),
    min_size=4,
    max_size=30,
)


def _command(order: Order, state: State) -> Command:
    """The command that an order means in the state it meets; corrections aim at what is there."""
    who, on, pick = order.who, order.day, order.pick
    events = sorted(state[1][who].events) if who in state[1] else [1]
    aimed = events[pick % len(events)]
    name, unit = f"r-{pick % 3}", (f"U-{who}", f"U-{pick % 5}")[pick % 2]
    minute = on if pick % 7 == 0 else f"2026-03-20T{10 + pick % 2}:{pick % 60:02}"
    told = [*state[1][who].threads.values()] if who in state[1] else []
    waiting = [one.identity for one in told if one.state == "open" and one.role] or ["Q1"]
    answered = [one.identity for one in told if one.state != "open" and one.role] or ["Q1"]
    query = (waiting, answered)[pick % 5 == 0][0]
    late = on if pick % 4 == 0 else "2026-06-01T08:00"
    held = ("screening", "hormone.30")[pick % 2] if pick % 10 else ""
    possible: list[Command] = [
        c.Observe(who, "amh", ("0.5 ng/mL", "<0.16 ng/mL", "3 ng/mL", "9 ng/mL")[pick % 4], on),
        c.Observe(who, "weight", ("60 kg", "120 kg", "61 kg")[pick % 3], on),
        c.Observe(who, "hcg", "1 [IU]/L", on, not_done="" if pick % 3 else "sample lost"),
        c.Observe(who, "sperm_count", "20 10*6/mL", on, person="partner"),
        c.Observe(who, "fit_for_trial", "yes" if pick % 4 else "no", on),
        c.AddRecord(who, "earlier_cycle", name, on, {"outcome": "failed"} if pick % 2 else {}),
        c.CompleteRecord(who, "earlier_cycle", name, on, {"outcome": ("failed", "ongoing")[pick % 2]}),
        c.AddRecord(who, "adverse_event", name, on, {"term": "fever", "grade": str(1 + pick % 5)}),
        c.CompleteRecord(who, "adverse_event", name, on, {"serious": ("yes", "no")[pick % 2]}),
        c.CloseList(who, ("earlier_cycle", "medical_history", "adverse_event")[pick % 3], on),
        c.HoldVisit(who, ("screening", "entry", "hormone.30")[pick % 3], on),
        c.MissVisit(who, ("screening", "entry", "hormone.30")[pick % 3], on, "did not come"),
        c.ConfirmEligibility(who, on),
        c.Enrol(who, on),
        c.Allocate(who, on, ("cells", "control")[pick % 2], "wish", "Dr Li"),
        c.Perform(who, "course", f"hormones-{pick % 3}", on),
        c.Perform(who, "infusion", f"infusion-{pick % 2}", minute, unit=unit),
        c.CloseQuery(who, f"Q{1 + pick % 3}", "it is so", on),
        c.Withdraw(who, "moved away", on),
        c.EndScreening(who, "her wish", on),
        c.Correct(who, aimed, {"value": ("0.4 ng/mL", "62 kg", "4 ng/mL")[pick % 3]}, "misread", on),
        c.Correct(who, aimed, {"outcome": "ongoing"}, "misread", on),
        c.VoidEvent(who, aimed, "entered in error", on),
        c.TestLot(f"L-{1 + pick % 2}", {"viability": ("90 %", "70 %", "85 %")[pick % 3]}, on),
        c.RegisterLot(f"L-{1 + pick % 3}", "cell_product", on),
        c.ReleaseLot(f"L-{1 + pick % 3}", on),
        c.RecallLot(f"L-{1 + pick % 3}", "a crack", on),
        c.OrderUnit(unit, who, "infusion", minute),
        c.ManufactureUnit(unit, f"L-{1 + pick % 2}", "60000000", "100 %", "50 mL", minute, minute),
        c.ReleaseUnit(unit, minute),
        c.IssueUnit(unit, minute),
        c.ReceiveUnit(unit, minute),
        c.VerifyUnit(unit, who, "1990-03-02", minute),
        c.RejectUnit(unit, "dropped", minute),
        c.InterruptInfusion(who, unit, f"{1 + pick % 49} mL", "pain", minute),
        c.ResumeInfusion(who, unit, minute),
        c.EndInfusion(who, unit, ("50 mL", "20 mL", "0 mL")[pick % 3], minute, reason="pain"),
        c.ReconcileUnit(unit, "destroyed", minute),
        c.VerifySource(who, {aimed: "0" * 64}, on),
        c.RaiseQuery(who, "as in the source?", on, encounter=("", "screening")[pick % 2]),
        c.AnswerQuery(who, query, "it is so", late),
        c.ResolveQuery(who, query, late, "seen"),
        c.ReopenQuery(who, answered[0], "where is it?", late),
        c.Freeze(who, "cleaning", on, held),
        c.Unfreeze(who, "a slip", late, held),
    ]
    assert len(possible) == KINDS
    return possible[order.kind]


def _sender(command: Command, pick: int) -> Sender:
    role = ROLES.get(type(command), "investigator")
    return Sender(f"{role} {pick % 2}", role, LATER)


@dataclass
class History:
    """What a ledger holds after random orders, and what its office remembered on the way."""

    protocol: Protocol
    events: list[Event]
    remembered: dict[int, tuple[Any, Any]]


def _history(folder: Path, drawn: Sequence[Order], chance: Random) -> Iterator[tuple[Desk, Order | None]]:
    """A trial with women at different stages, then the orders one by one."""
    desk = Desk(folder)
    desk.do(*opened(), *lot(millions=200), *allocated("P-1"), *ready("P-1"), *allocated("P-2", "control"))
    desk.do(*answered("P-3"))
    if chance.random() < 0.5:
        desk.do(infusion("P-1"))
    desk.do(c.Observe("P-1", "amh", "9 ng/mL", "2026-03-21"), c.Observe("P-2", "weight", "99 kg", "2026-03-21"))
    yield desk, None
    for order in drawn:
        with desk.ledger.writing() as writer:
            state = (desk.office.trial(), {who: desk.office.participant(who) for who in WOMEN[:3]})
            command = _command(order, state)
            try:
                desk.office.submit_within(writer, command, _sender(command, order.pick), f"order {chance.random()}")
            except Refused:
                continue
        yield desk, order


def _made(drawn: Sequence[Order], chance: Random) -> History:
    with tempfile.TemporaryDirectory() as folder:
        remembered = {}
        for desk, _ in _history(Path(folder), drawn, chance):
            remembered[desk.ledger.last()] = _told((desk.office.trial(), desk.office._memory.participants))
        events = list(desk.ledger.events())
        desk.ledger.close()
        return History(desk.protocol, events, remembered)


def _state(events: Sequence[Event]) -> State:
    trial = [event for event in events if event.type in e.TRIAL_WIDE]
    streams: dict[str, list[Event]] = {}
    for event in events:
        if event.stream.startswith("participant/"):
            streams.setdefault(event.stream.removeprefix("participant/"), []).append(event)
    return fold_trial(trial), {who: fold_participant(who, hers) for who, hers in streams.items()}


#: What arrival decides: numbers and hashes, and what points at them. Caches say nothing.
_ASIDE = {
    "seq", "event", "events", "last", "of", "basis", "closed_by", "position", "part", "command", "previous", "hash",
    "decoded", "decoded_records", "eligibility", "final", "entries", "changed", "bases", "mended", "verified",
    "reviews", "corrected",
}  # fmt: skip


def _told(state: object) -> Any:
    """A state without what the order of arrival may change."""
    match state:
        case {"oddities": [*odd], **rest} if odd:  # sentences that name numbers
            return {**_told(rest), "oddities": [re.sub(r"\d+", "", str(one)) for one in odd]}
        case {"counted": dict(events), **rest}:  # each with the number of the event that counted it
            return {**_told(rest), "counted": sorted(events)}
        case dict():
            return {key: _told(value) for key, value in state.items() if key not in _ASIDE}
        case list() | tuple():
            return [_told(value) for value in state]
        case TrialState() | Participant():
            return _told(asdict(state))
        case _:
            return state


def _shuffled(events: Sequence[Event], chance: Random) -> list[Event]:
    """The same events in another order of arrival, numbered anew.

    The header stays first; events of one moment keep their order, and so do an event and what corrects it.
    """
    waiting: dict[int, set[int]] = {}
    before: dict[object, int] = {}
    for event in events:
        of = event.payload.get("of")
        corrects = ("of", of) if event.type in (CORRECTED, VOIDED) else ("at", event.seq)
        needs = {before[key] for key in (partial_date(event.on).earliest, corrects) if key in before}
        if event.type in (CORRECTED, VOIDED) and isinstance(of, int):
            needs.add(of)
        waiting[event.seq] = needs
        before[partial_date(event.on).earliest] = before[corrects] = event.seq
    by_seq = {event.seq: event for event in events}
    number = {1: 1}
    arrived = [by_seq[1]]
    while len(arrived) < len(events):
        free = [seq for seq, needs in waiting.items() if seq not in number and needs <= number.keys()]
        seq = chance.choice(free)
        event = by_seq[seq]
        number[seq] = len(arrived) + 1
        of = event.payload.get("of")
        payload = {**event.payload, "of": number[of]} if isinstance(of, int) and of in number else event.payload
        arrived.append(replace(event, seq=number[seq], payload=payload))
    return arrived


@LAWS
@given(orders, st.randoms(use_true_random=False))
def test_events_that_differ_in_date_may_arrive_in_any_order(drawn: list[Order], chance: Random) -> None:
    events = _made(drawn, chance).events
    assert _told(_state(_shuffled(events, chance))) == _told(_state(events))


@LAWS
@given(orders, st.randoms(use_true_random=False))
def test_the_past_as_known_then_is_stable_and_folding_step_by_step_is_folding_anew(
    drawn: list[Order], chance: Random
) -> None:
    history = _made(drawn, chance)
    for upto, then in history.remembered.items():
        assert _told(_state(known(history.events, upto))) == then


@LAWS
@given(orders, st.randoms(use_true_random=False))
def test_women_fold_apart(drawn: list[Order], chance: Random) -> None:
    events = _made(drawn, chance).events
    _, together = _state(events)
    for who, state in together.items():
        others = [f"participant/{other}" for other in together if other != who]
        alone = [event for event in events if event.stream not in others]
        assert _state(alone)[1] == {who: state}


@LAWS
@given(orders, st.randoms(use_true_random=False), st.integers(1, 12))
def test_an_office_that_sees_a_shuffled_arrival_remembers_what_folding_anew_gives(
    drawn: list[Order], chance: Random, size: int
) -> None:
    events = _shuffled(_made(drawn, chance).events, chance)[1:]
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        office = Office(desk.ledger, "test")
        events = [event for event in events if event.type != e.PROTOCOL_REGISTERED]
        for start in range(0, len(events), size):
            with desk.ledger.writing() as writer:
                for event in events[start : start + size]:
                    new = NewEvent(event.stream, event.type, event.on, event.payload, event.site, event.reason)
                    told = f"arrival {event.seq}"
                    # numbers shift by what the desk itself wrote, so that a pointer finds its event by its place
                    by = Submission(told, LATER, event.user, event.role, event.zone, event.protocol, "test")
                    writer.append(by, [_repointed(new, writer.last)])
            with suppress(Refused):  # it looks at what is new, and is refused
                office.submit(c.Screen("P 1", "S01", "2026-03-02"), Sender("x", "investigator", LATER), "looks")
            trial, participants = whole_state(desk.ledger)
            assert office.trial() == trial
            assert {who: office.find(who) for who in participants} == participants
            for who, state in participants.items():
                seen, anew = (facts_of(desk.protocol, one) for one in (office.participant(who), state))
                assert dict(seen.observations) == dict(anew.observations)
                assert dict(seen.records) == dict(anew.records)
                for day in ("2026-03-09", "2026-12-31"):
                    asked = determine(desk.protocol, anew, partial_date(day))
                    assert eligibility_of(desk.protocol, office.participant(who), day) == asked
        desk.ledger.close()


def _repointed(event: NewEvent, last: int) -> NewEvent:
    """A pointer at some earlier event; where it points matters less here than that it points."""
    if event.type not in (CORRECTED, VOIDED):
        return event
    of = event.payload["of"]
    return replace(event, payload={**event.payload, "of": min(of, last) if isinstance(of, int) else 1})


@LAWS
@given(orders, st.randoms(use_true_random=False), orders)
def test_a_command_gets_the_same_answer_whatever_the_order_of_arrival(
    drawn: list[Order], chance: Random, asked: list[Order]
) -> None:
    history = _made(drawn, chance)
    first, second = _state(history.events), _state(_shuffled(history.events, chance))
    for order in asked:
        if order.kind in CORRECTING:
            continue
        command = _command(order, first)
        by = _sender(command, order.pick)
        assert _answer(history.protocol, first, command, by) == _answer(history.protocol, second, command, by), command


def _answer(protocol: Protocol, state: State, command: Command, sender: Sender) -> Any:
    by = Actor(sender.user, sender.role, datetime(2026, 12, 31, 12))
    try:
        events = decide(protocol, state[0], state[1].get(participant_of(command)), command, by)
    except Refused as refused:
        return [(one.code, dict(one.values)) for one in refused.findings]
    return [(event.stream, event.type, event.on, event.reason, _told(dict(event.payload))) for event in events]


def test_the_histories_reach_every_corner() -> None:
    """The laws would hold of empty histories too: what random orders bring about is counted once."""
    seen: set[str] = set()
    for seed in range(20):
        chance = Random(seed)
        drawn = [
            Order(chance.randrange(KINDS), chance.choice(WOMEN), chance.choice(DAYS), chance.randrange(999))
            for _ in range(110)
        ]
        seen |= {event.type for event in _made(drawn, chance).events}
    expected = {
        e.OBSERVED, e.RECORD_ADDED, e.RECORD_COMPLETED, e.LIST_CLOSED, e.VISIT_HELD, e.VISIT_MISSED, e.PERFORMED,
        e.DOSE_DETERMINED, e.INFUSION_INTERRUPTED, e.INFUSION_ENDED, e.UNIT_ORDERED, e.UNIT_MANUFACTURED,
        e.UNIT_RECONCILED, e.LOT_RECALLED, e.TRIGGER_RAISED, e.QUERY_OPENED, e.QUERY_CLOSED,
        e.QUERY_RAISED, e.QUERY_ANSWERED, e.QUERY_RESOLVED, e.QUERY_REOPENED, e.SOURCE_VERIFIED, e.DATA_FROZEN,
        e.DATA_UNFROZEN, e.WITHDRAWN, e.SCREENING_ENDED, CORRECTED, VOIDED,
    }  # fmt: skip
    assert expected - seen == set()
