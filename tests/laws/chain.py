"""Random histories of a whole small trial through the office, judged after every command by a naive reading.

Commands come in and out of order, forged, repeated and back-dated, around both changes of the clocks, from several
users; `tests.laws.test_chain_laws` runs some hundred histories, `python -m tests.soak` as many as it is asked for.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections import Counter
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import event as reached
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.laws import chain_orders as orders
from tests.laws.chain_judge import BERLIN, Judge, valid
from tests.laws.chain_orders import INSTEAD, NOW, ROLE_OF, When, anything, whens
from tests.unit.desk import DATA, protocol_at
from trialwright.core.finding import Refused, codes, mend, says
from trialwright.ledger.chain import verify
from trialwright.ledger.envelope import Event
from trialwright.ledger.store import Header, Ledger, Writer, create, open_ledger
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.commands import Command
from trialwright.trial.fold import fold_participant, fold_trial
from trialwright.trial.office import Office, Sender, register_protocol, whole_state

SOAK = DATA / "soak"
#: Where ledgers lie: in memory where the machine has a place for files there.
PLACE = "/dev/shm" if Path("/dev/shm").is_dir() else None
PRESETS = ("registered", "supplied", "allocated")
#: Moments at which a history begins, in UTC; the second and third are just before the clocks change.
MOMENTS = ("2026-03-27T08:00:00", "2026-03-28T23:40:00", "2026-10-24T22:50:00", "2026-06-01T05:00:00")
CODES = codes()
#: Refused always; before it is, the office looks at what is new in the ledger.
LOOK = c.Screen("P 1", "S01", "2026-03-02")


class Tally:
    """What became of all histories of this process."""

    def __init__(self) -> None:
        self.histories = 0
        self.accepted: Counter[str] = Counter()
        self.commands_refused = 0
        self.refused: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()
        self.newest: list[str] = []  # the commands of the last history; after a failure those of the shrunk one


TALLY = Tally()


class _Undone(Exception):
    """Ends a transaction so that nothing of it remains."""


class Chain(RuleBasedStateMachine):
    """One history: a ledger, an office, a clock that only goes forward, and the judge."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol = protocol_at(SOAK)
        self.judge = Judge()
        self.log: list[str] = []
        self.outcomes: dict[str, list[Event]] = {}
        self.told: list[tuple[str, Command]] = []
        self.committed = 0
        self.number = 0
        self.clock = datetime.min
        self.between = 0
        self.failed = False
        self.other: Office | None = None
        self.labels: set[str] = set()
        self.exits = ExitStack()
        self.ledger: Ledger | None = None

    @initialize(
        preset=st.sampled_from((*PRESETS, "allocated", "allocated")),
        moment=st.sampled_from(MOMENTS),
        wait=st.integers(0, 90),
        between=st.sampled_from((0, 2, 4, 6, 8)),
        head_start=st.sampled_from((0, 11, 11, 12, 20)),
    )
    def begin(self, preset: str, moment: str, wait: int, between: int, head_start: int) -> None:
        folder = Path(tempfile.mkdtemp(prefix="chain-", dir=PLACE))
        self.exits.callback(shutil.rmtree, folder, ignore_errors=True)
        shutil.copyfile(_template(preset), folder / "ledger.db")
        self.ledger = open_ledger(folder / "ledger.db")
        self.exits.callback(self.ledger.close)
        self.office = self._new_office()
        self.clock = datetime.fromisoformat(moment) + timedelta(minutes=wait)
        self.judge.events = list(self.ledger.events())
        self.committed = len(self.judge.events)
        self.between = between
        self._open()
        self.submit(LOOK, "investigator", "Dr Li")
        for pick in range(head_start):
            self._goes_on_one(0, pick)

    # ------------------------------------------------------------ steps

    @rule(woman=st.integers(0, 3), steps=st.integers(1, 9), pick=st.integers(0, 999), pace=st.integers(1, 12))
    def go_on(self, woman: int, steps: int, pick: int, pace: int) -> None:
        """She goes on by as many legal steps; a pause is reviewed first, more often than not."""
        for count in range(steps):
            self._goes_on_one(woman, pick + count, pace, bool(pick % 4))

    def _goes_on_one(self, woman: int, pick: int, pace: int = 3, reviewed: bool = True) -> None:
        step = orders.review(self.office) if reviewed else None
        step = step or orders.next_of_woman(self.office, orders.WOMEN[woman], pick, self.now())
        if isinstance(step, c.OrderUnit) and pick % 3:
            self.clock += timedelta(days=2)  # the first women are not treated at once
        self._do(step, NOW, pace)

    @rule(lot=st.integers(0, 2), steps=st.integers(1, 9), when=whens)
    def supply(self, lot: int, steps: int, when: When) -> None:
        """A donor becomes a lot, step by step; the last step as of another day."""
        for left in reversed(range(steps)):
            step = orders.next_of_lot(self.office, lot)
            if step is not None:
                self._do(step, NOW if left else when, 1)

    @rule(kind=st.sampled_from(range(orders.TROUBLES)), pick=st.integers(0, 99), when=whens)
    def trouble(self, kind: int, pick: int, when: When) -> None:
        self._goes_on()
        self._do(orders.trouble(self.office, kind, pick), when, 1)

    @rule(kind=st.sampled_from(orders.GRAVE), pick=st.integers(0, 99))
    def grave(self, kind: int, pick: int) -> None:
        self._goes_on()
        self._do(orders.trouble(self.office, kind, pick), NOW, 1)

    @rule(
        steps=st.integers(0, 14),
        disturbed=st.sampled_from((-1, -1, *orders.GRAVE)),
        wait=st.sampled_from((0, 0, 20, 200, 215, 230)),
        reviewed=st.booleans(),
        of_whom=st.sampled_from((0, 0, 1)),
        wrong=st.booleans(),
        pick=st.integers(0, 99),
    )
    def at_the_bedside(
        self, steps: int, disturbed: int, wait: int, reviewed: bool, of_whom: int, wrong: bool, pick: int
    ) -> None:
        """A woman comes far; something happens; and her unit is given all the same, to her or to another woman."""
        for count in range(steps):
            self._goes_on_one(0, pick + count)
        self.clock += timedelta(minutes=wait)
        if disturbed >= 0:
            self._do(orders.trouble(self.office, disturbed, pick), NOW, 1)
        step = orders.review(self.office)
        if reviewed and step is not None:
            self._do(step, NOW, 1)
        who, units = orders.WOMEN[of_whom], [*self.office.trial().custody.units.values()]
        hers = [unit.identity for unit in units if unit.participant == orders.WOMEN[0]]
        if hers:
            self._do(c.Observe(who, "hcg", "1 [IU]/L", ""), NOW, 1)
            self._do(c.Perform(who, "infusion", f"bedside-{self.number}", "", unit=hers[-1]), NOW, 1)
        if wrong and hers:
            made = c.ManufactureUnit(hers[-1], "L-1", "62000000", "97 %", "20 mL", "", "")
            self._do(made if pick % 2 else replace(made, lot="L-3", volume="15 mL"), NOW, 1)

    @rule(
        woman=st.integers(0, 3),
        pick=st.integers(0, 99),
        spot=st.integers(0, 9),
        what=st.integers(0, 99),
        when=whens,
        role=st.sampled_from(("", "", "", *orders.ROLES)),
        user=st.sampled_from(("", "", *orders.USERS)),
    )
    def almost(self, woman: int, pick: int, spot: int, what: int, when: When, role: str, user: str) -> None:
        """The next step of somebody, with one thing wrong, or with none."""
        self._goes_on()
        step: Any = orders.next_of_woman(self.office, orders.WOMEN[woman], pick, self.now())
        names = [one.name for one in fields(step) if one.name in INSTEAD]
        if spot < len(names):
            others = INSTEAD[names[spot]]
            step = replace(step, **{names[spot]: others[what % len(others)]})
        self._do(step, when, 1, role, user)

    @rule(
        command=anything,
        when=whens,
        role=st.sampled_from(("", "", "", "", *orders.ROLES)),
        user=st.sampled_from(orders.USERS),
    )
    def anything(self, command: Command, when: When, role: str, user: str) -> None:
        self._goes_on()
        self._do(command, when, 1, role, user)

    @rule(woman=st.integers(0, 3), aim=st.integers(0, 99), when=whens)
    def take_back(self, woman: int, aim: int, when: When) -> None:
        """One of the newest entries about her is taken back."""
        self._goes_on()
        who = orders.WOMEN[woman]
        self._do(c.VoidEvent(who, self._aimed(who, aim), "entered in error", ""), when, 1)

    @rule(
        woman=st.integers(0, 3),
        aim=st.integers(0, 99),
        values=st.sampled_from(
            ({"value": "66 kg"}, {"value": "45 kg"}, {"value": "9 [IU]/L"}, {"value": "1990-01-01"}, {"grade": "5"},
             {"value": "no"}, {"clot": "yes"}, {"serious": "yes", "related": "definite"}),
        ),
        when=whens,
    )  # fmt: skip
    def correct(self, woman: int, aim: int, values: dict[str, str], when: When) -> None:
        who = orders.WOMEN[woman]
        self._do(c.Correct(who, self._aimed(who, aim), values, "misread", ""), when, 1)

    @rule(minutes=st.sampled_from((20, 35, 61, 240, 1440, 2880, 2880, 4320)))
    def wait(self, minutes: int) -> None:
        self.clock += timedelta(minutes=minutes)

    @precondition(lambda self: self.told)
    @rule(back=st.integers(0, 50), other=st.integers(0, 50))
    def again(self, back: int, other: int) -> None:
        """A command id that was sent before, with the same command or with another one."""
        identity, command = self.told[-1 - back % len(self.told)]
        if other < 10:
            command = self.told[-1 - other % len(self.told)][1]
        self.submit(command, ROLE_OF.get(type(command), "investigator"), "Dr Li", identity)

    @rule(work=st.sampled_from(("fold anew", "commit", "new office", "other office", "undo", "undo and other office")))
    def at_the_desk(self, work: str) -> None:
        """A transaction ends or is undone, an office closes and another one opens; what it remembers is checked."""
        match work:
            case "commit":
                self._close(None)
                self.committed = len(self.judge.events)
                self._open()
            case "undo":
                self.undo()
                self.submit(LOOK, "investigator", "Dr Li")
            case "undo and other office":
                self.undo()
                self._other_office()
            case "new office":
                self.office = self._new_office()
                self.submit(LOOK, "investigator", "Dr Li")
            case "other office":
                self._other_office()
        self.fold_anew()

    def undo(self) -> None:
        """The transaction is undone: nothing of it was ever there, and the office forgets it."""
        self.labels |= reached_by(valid(self.judge.events))
        self._close(_Undone())
        del self.judge.events[self.committed :]
        self.outcomes = {name: told for name, told in self.outcomes.items() if told[-1].seq <= self.committed}
        self.told = [one for one in self.told if one[0] in self.outcomes]
        self._open()

    def _other_office(self) -> None:
        """Another office over the same ledger goes on."""
        self.office, self.other = self.other or self._new_office(), self.office
        self.submit(LOOK, "investigator", "Dr Li")

    def fold_anew(self) -> None:
        """Folding anew gives what the office remembers."""
        events = list(self.writer.events())
        assert events == self.judge.events, "an event was lost or changed"
        self._same_state(*_folded(events))

    def teardown(self) -> None:
        """The ledger is intact, and says what was judged; what this history reached is counted."""
        try:
            if self.ledger is not None and not self.failed:
                self._close(None)
                assert verify(self.ledger) == []
                assert list(self.ledger.events()) == self.judge.events
                self._same_state(*whole_state(self.ledger))
                self._count()
        finally:
            TALLY.newest = self.log
            self.exits.close()

    def _goes_on(self) -> None:
        """Between the drawn steps the trial goes its way, so that most histories come far."""
        if self.between:
            self.go_on((self.number // 16) % 3, self.between, self.number, 3)

    # ------------------------------------------------------------ how a step is taken

    def now(self) -> str:
        """The local minute on the clock."""
        return self.clock.replace(tzinfo=UTC).astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M")

    def _told(self, when: When) -> str:
        if when.odd is not None:
            return when.odd
        then = self.clock.replace(tzinfo=UTC) - timedelta(minutes=when.minutes)
        return then.astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M")[: when.length]

    def _do(self, command: Command, when: When, pace: int, role: str = "", user: str = "") -> list[Event]:
        """A command as of a time; whoever may give it gives it, unless somebody else is named."""
        self.clock += timedelta(minutes=pace)
        chosen = command.on.removeprefix("|") or ("nurse 1", "Dr Li")[self.number % 2]
        on = self._told(when)
        changes: dict[str, Any] = {"on": on}
        if isinstance(command, c.ManufactureUnit) and not command.thawed:
            changes["thawed"] = self._told(replace(when, minutes=when.minutes + pace, length=16))
        role = role or ROLE_OF.get(type(command), "investigator")
        return self.submit(replace(command, **changes), role, user or chosen)

    def submit(self, command: Command, role: str, user: str, identity: str = "") -> list[Event]:
        """One command at the office, and everything that must hold of its outcome."""
        self.number += 1
        name, at = identity or f"c{self.number}", f"{self.clock.isoformat(timespec='seconds')}Z"
        before = self.writer.last
        assert before == len(self.judge.events)
        line = f"{at} {user} ({role}), {name}: {command}"
        try:
            events = self.office.submit_within(self.writer, command, Sender(user, role, at), name)
        except Refused as refused:
            self.log.append(f"{line}\n    refused: {', '.join(one.code for one in refused.findings)}")
            self._was_refused(refused, name, before)
            return []
        except BaseException as wrong:
            self.log.append(f"{line}\n    {wrong!r}")
            self.failed = True
            raise
        self.log.append(f"{line}\n    {', '.join(f'{one.seq} {one.type} {one.stream}' for one in events)}")
        if name in self.outcomes:
            assert events == self.outcomes[name], "a repeated command id has another outcome"
            assert self.writer.last == before, "a repeated command id wrote"
            TALLY.accepted["(again)"] += 1
            return events
        assert self.writer.last == before + len(events)
        self.failed = True
        self.judge.take(events, at)
        self.failed = False
        self.outcomes[name] = events
        self.told.append((name, command))
        TALLY.accepted[type(command).__name__] += 1
        return events

    def _was_refused(self, refused: Refused, name: str, before: int) -> None:
        found = [one.code for one in refused.findings]
        assert found, "refused without a finding"
        assert CODES.issuperset(found), "refused with a finding that no catalogue holds"
        assert all(says(one).strip() and mend(one).strip() for one in refused.findings)
        assert self.writer.last == before, "a refused command wrote"
        assert name not in self.outcomes, "a command that had an outcome was refused"
        TALLY.commands_refused += 1
        TALLY.refused.update(found)

    def _aimed(self, who: str, aim: int) -> int:
        known = self.office.find(who)
        seqs = sorted(known.events, reverse=True) if known is not None else [1]
        return seqs[min(aim // 4, len(seqs) - 1)]

    def _new_office(self) -> Office:
        assert self.ledger is not None
        office = Office(self.ledger, "soak")
        office.protocols[self.protocol.digest] = self.protocol  # read once, not once per history
        return office

    def _open(self) -> None:
        assert self.ledger is not None
        self._transaction: AbstractContextManager[Writer] = self.ledger.writing()
        self.writer = self._transaction.__enter__()

    def _close(self, wrong: BaseException | None) -> None:
        with suppress(_Undone):
            self._transaction.__exit__(type(wrong) if wrong else None, wrong, None)

    def _same_state(self, trial: Any, participants: Any) -> None:
        self.failed = True
        remembered = {who: self.office.find(who) for who in participants}
        assert self.office.trial() == trial, "the office remembers another trial than the ledger tells"
        assert remembered == participants, "the office remembers other participants than the ledger tells"
        self.failed = False

    def _count(self) -> None:
        TALLY.histories += 1
        for label in sorted(self.labels | reached_by(valid(self.judge.events))):
            reached(label)
            TALLY.reached[label] += 1


def reached_by(told: list[Event]) -> set[str]:
    """Where a history came."""
    types = {event.type for event in told}
    outcomes = {event.payload["outcome"] for event in told if event.type == e.INFUSION_ENDED}
    alerts = [event.payload for event in told if event.type == e.TRIGGER_RAISED]
    given = {event.stream for event in told if event.type == e.DOSE_DETERMINED}
    found = {
        "an infusion": bool(given),
        "two women infused": len(given) > 1,
        "a whole infusion": "complete" in outcomes,
        "a partial infusion": "partial" in outcomes,
        "an interruption": e.INFUSION_INTERRUPTED in types,
        "an infusion taken up again": e.INFUSION_RESUMED in types,
        "a recall after giving": any(one["trigger"] == "product" and one["recipients"] for one in alerts),
        "a pause": any(one["action"] == "pause" for one in alerts),
        "a review": e.TRIGGER_REVIEWED in types,
        "a boundary crossed": any(one["trigger"] == "boundary" for one in alerts),
        "a unit rejected": e.UNIT_REJECTED in types,
    }
    return {label for label, holds in found.items() if holds}


def _folded(events: list[Event]) -> tuple[Any, Any]:
    streams: dict[str, list[Event]] = {}
    for event in events:
        if event.stream.startswith("participant/"):
            streams.setdefault(event.stream.removeprefix("participant/"), []).append(event)
    trial = fold_trial(event for event in events if event.type in e.TRIAL_WIDE)
    return trial, {who: fold_participant(who, hers) for who, hers in streams.items()}


@cache
def _template(preset: str) -> Path:
    """A ledger that histories begin with, made once by the same office: a protocol, a supply, women with an arm."""
    folder = Path(tempfile.mkdtemp(prefix="chain-template-", dir=PLACE))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    protocol, at = protocol_at(SOAK), "2026-03-01T08:00:00Z"
    header = Header("real", protocol.document.trial, protocol.digest, "soak", None, "")
    with create(folder / "ledger.db", header, at) as ledger, ledger.writing() as writer:
        office = Office(ledger, "soak")
        office.protocols[protocol.digest] = protocol
        register_protocol(writer, protocol, Sender("sponsor", "sponsor", at), "soak", "2026-03-01")

        def do(command: Command) -> None:
            role = ROLE_OF.get(type(command), "investigator")
            sender = Sender(f"the {role}", role, at)
            office.submit_within(writer, replace(command, on="2026-03-01T09:00"), sender, f"template {writer.last}")

        if preset == "registered":
            return folder / "ledger.db"
        for lot in (0, 1):
            for _ in range(9):
                do(orders.next_of_lot(office, lot) or c.TestLot("L-2", {"sterility": "negative"}, ""))
        for who in orders.WOMEN[:3] if preset == "allocated" else ():
            for _ in range(13 if who == "P-1" else 10):
                do(orders.next_of_woman(office, who, 0, "2026-03-01"))
    return folder / "ledger.db"
