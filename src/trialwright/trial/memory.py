"""What was folded from a ledger: the trial whole, participants when they are asked for; both grow by new events."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Protocol

from trialwright.core.partial_date import partial_date
from trialwright.ledger.envelope import CORRECTED, VOIDED, Event
from trialwright.trial import events as e
from trialwright.trial.custody import Custody, Donor, Lot, Material, Move, Unit
from trialwright.trial.fold import apply, apply_trial, fold_participant, fold_trial
from trialwright.trial.state import Alert, Participant, TrialState

#: So many participants are kept folded by an office that is not told otherwise; some fifty megabytes.
KEPT = 300


class Source(Protocol):
    """Where events are read: a ledger, or a transaction that sees its own."""

    def events(
        self,
        stream: str | None = None,
        types: Collection[str] | None = None,
        after: int = 0,
        upto: int | None = None,
    ) -> Iterator[Event]:
        """The events in the order of recording."""


@dataclass(slots=True)
class _Known:
    """One participant: her events as recorded, the latest day among them, and her state, None where it is stale."""

    events: list[Event]
    latest: datetime
    state: Participant | None


class Memory:
    """Folded state up to a sequence number. What did not happen last is folded anew, once the state is asked for.

    Events of a transaction that is still open are unsure: `settle` keeps them, `undo` forgets them.
    """

    def __init__(self, kept: int | None = KEPT) -> None:
        self._trial: TrialState | None = TrialState()  # None where it is stale
        self.seen = 0
        self.head = ""  # the hash of the last event that was seen
        self._kept = kept
        self._shared: dict[int, Event] = {}  # the trial-wide events, by sequence number
        self._latest: dict[str, datetime] = {}  # of the events whose order matters to each other
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lent = False
        self._unsure: list[Event] = []
        self._sure = (0, "")

    # ------------------------------------------------------------ catching up

    def catch_up(self, source: Source, last: int) -> None:
        """Take what was written up to a sequence number; the first time only what concerns the whole trial."""
        if last <= self.seen:
            return
        if self.seen:
            for event in source.events(after=self.seen, upto=last):
                self.take(event)
            return
        for event in source.events(types=e.TRIAL_WIDE, upto=last):
            if self._is_shared(event):
                self._shared[event.seq] = event
                self._happened_last(event)
        self._trial = None
        for event in source.events(after=last - 1, upto=last):
            self.seen, self.head = event.seq, event.hash

    def take(self, event: Event) -> None:
        """One more event, in the order of recording."""
        self.seen, self.head = event.seq, event.hash
        self._unsure.append(event)
        if self._is_shared(event):
            self._shared[event.seq] = event
            self._take_shared(event)
        if event.stream.startswith("participant/"):
            self._take_hers(event.stream.removeprefix("participant/"), event)

    def settle(self) -> None:
        """What was taken is in the ledger for good."""
        self._unsure.clear()
        self._sure = (self.seen, self.head)

    def undo(self) -> None:
        """Forget what was taken since the last `settle`: it is not in the ledger."""
        for event in self._unsure:
            self._known.pop(event.stream.removeprefix("participant/"), None)
        undone = [event.seq for event in self._unsure if self._shared.pop(event.seq, None)]
        if undone:
            self._trial = None
        self._unsure.clear()
        self.seen, self.head = self._sure

    @property
    def unsure(self) -> bool:
        """Whether something was taken that may not be in the ledger."""
        return bool(self._unsure)

    def _is_shared(self, event: Event) -> bool:
        """Whether it changes the trial's state; corrections of what concerns one participant alone do not."""
        if event.type in (CORRECTED, VOIDED):
            return event.payload.get("of") in self._shared
        return event.type in e.TRIAL_WIDE

    def _take_shared(self, event: Event) -> None:
        if not self._happened_last(event):
            self._trial = None
        if self._trial is None:
            return
        if self._lent:
            self._trial, self._lent = _copied(self._trial), False
        apply_trial(self._trial, event)

    def _happened_last(self, event: Event) -> bool:
        """Whether it happened after everything with which it could be confused.

        A participant's own milestones change nothing but what is kept under her name.
        """
        if event.type in (CORRECTED, VOIDED):
            return False
        name = event.stream if event.type in e.MILESTONES else ""
        when = partial_date(event.on).earliest
        latest = self._latest.get(name, when)
        self._latest[name] = max(latest, when)
        return when >= latest

    # ------------------------------------------------------------ the trial and its participants

    @property
    def trial(self) -> TrialState:
        """The trial's state, which grows with new events."""
        if self._trial is None:
            self._trial, self._lent = fold_trial(self._shared.values()), False
        return self._trial

    def lend(self) -> TrialState:
        """The trial's state for somebody who reads on while others write: it is not changed any more."""
        trial, self._lent = self.trial, True
        return trial

    def participant(self, identity: str, source: Source) -> Participant | None:
        """Her state, which grows with new events; None where there is nobody."""
        known = self._find(identity, source)
        return _folded(identity, known) if known else None

    @property
    def participants(self) -> dict[str, Participant]:
        """Those who are kept folded now."""
        return {identity: _folded(identity, known) for identity, known in self._known.items()}

    def events_of(self, identity: str, source: Source, keep: bool = True) -> Sequence[Event]:
        """Her events in the order of recording; without `keep` she is not kept for it."""
        if not keep and identity not in self._known:
            return self._read(identity, source)
        known = self._find(identity, source)
        return tuple(known.events) if known else ()

    def _find(self, identity: str, source: Source) -> _Known | None:
        known = self._known.get(identity)
        if known is not None:
            self._known.move_to_end(identity)
            return known
        events = self._read(identity, source)
        return self._keep(identity, events) if events else None

    def _read(self, identity: str, source: Source) -> list[Event]:
        return list(source.events(stream=e.participant_stream(identity), upto=self.seen))

    def _keep(self, identity: str, events: list[Event]) -> _Known:
        latest = max(partial_date(event.on).earliest for event in events)
        known = self._known[identity] = _Known(events, latest, None)
        if self._kept is not None and len(self._known) > self._kept:
            self._known.popitem(last=False)
        return known

    def _take_hers(self, identity: str, event: Event) -> None:
        known = self._known.get(identity)
        if known is None:
            if event.position == 1:  # her first one: nothing needs to be read
                self._keep(identity, [event])
            return
        known.events.append(event)
        when = partial_date(event.on).earliest
        if event.type in (CORRECTED, VOIDED) or when < known.latest:
            known.state = None
        elif known.state is not None:
            apply(known.state, event)
        if event.type not in (CORRECTED, VOIDED):
            known.latest = max(known.latest, when)


def _folded(identity: str, known: _Known) -> Participant:
    if known.state is None:
        known.state = fold_participant(identity, known.events)
    return known.state


_MUTABLE = (TrialState, Custody, Donor, Material, Lot, Unit, Move, Alert)


def _copied(value: Any) -> Any:
    """A copy as deep as the fold writes: frozen values and events are shared."""
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_copied(part) for part in value]
    if isinstance(value, _MUTABLE):
        return type(value)(**{one.name: _copied(getattr(value, one.name)) for one in fields(value)})
    return value
