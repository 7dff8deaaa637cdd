"""The ledger behind the screens: read as it stands now, one participant folded at a time, and written through `submit`.

One desk per process. Its office holds the one write lock; its clock is the only clock that the pages read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType

from trialwright.core.finding import Finding, Refused
from trialwright.ledger.envelope import CORRECTED, VOIDED, Event, NewEvent
from trialwright.ledger.store import Ledger
from trialwright.protocol.protocol import Protocol
from trialwright.trial import events as e
from trialwright.trial.commands import Command, Sign
from trialwright.trial.decide import Actor, decide, participant_of
from trialwright.trial.fold import apply, fold_participant, fold_trial
from trialwright.trial.office import Office, Sender, local_time
from trialwright.trial.schedule import Planned, planned
from trialwright.trial.signatures import Signature, signatures
from trialwright.trial.state import Participant, TrialState
from trialwright.web.summary import Summary, summarise

#: What may change the visits of every participant at once.
_FOR_EVERYBODY = frozenset({e.PROTOCOL_ACTIVATED, e.QUESTION_ANSWERED})


#: How long the clocks of reporting are shown as they stood.
_FRESH = timedelta(minutes=1)


@dataclass(slots=True)
class Tried:
    """What commands would come to: the participant afterwards, and per command what is refused or asked."""

    participant: Participant | None
    refused: dict[str, list[Finding]] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Meant:
    """What makes a form a signature: its meaning, the printed name, and how the one who signs was known."""

    meaning: str
    name: str
    method: str


class Desk:
    """Reading and writing one ledger for many readers at once."""

    def __init__(self, ledger: Ledger, software: str, clock: Callable[[], datetime]) -> None:
        self.ledger = ledger
        self.virtual = ledger.header.kind == "virtual"
        self._office = Office(ledger, software)
        self._clock = clock
        self._lock = threading.RLock()
        self._seen = 0
        self._trial = TrialState()
        self._shared: dict[int, Event] = {}  # the trial-wide events, by sequence number
        self._summaries: dict[str, Summary] = {}
        self._counted_on: date | None = None

    # ------------------------------------------------------------ reading

    def now(self) -> datetime:
        """This moment, in UTC."""
        return self._clock()

    def local(self) -> datetime:
        """This moment as people at the centre read it."""
        return local_time(stamp(self.now()), self.protocol().document.zone)

    def today(self) -> date:
        """The day at the centre."""
        return self.local().date()

    def trial(self) -> TrialState:
        """The state that all decisions share, with everything that was written up to now."""
        with self._lock:
            self._catch_up()
            return self._trial

    def protocol(self, site: str = "") -> Protocol:
        """The protocol version by which a site works."""
        return self._office.protocol_for(self.trial(), "", site)

    def version(self, digest: str) -> Protocol:
        """A protocol version by its digest; `Refused` where the ledger holds none such."""
        return self._office.protocol_for(self.trial(), "", "", digest)

    def participant(self, identity: str) -> Participant | None:
        """One participant, folded from her own events; None where there is none."""
        events = self.events_of(identity)
        return fold_participant(identity, events) if events else None

    def events_of(self, identity: str) -> list[Event]:
        """Her events, in the order of recording."""
        return list(self.ledger.events(stream=e.participant_stream(identity)))

    def signatures_on(self, stream: str) -> list[Signature]:
        """The signatures on what happened to one participant, lot or unit, or to the trial, as they stand now."""
        return signatures(self.ledger.events(stream=stream))

    def visits(self, participant: Participant) -> list[Planned]:
        """Her visits, as they stand today."""
        return planned(self.protocol(participant.site), self.trial(), participant, self.today())

    def summaries(self, site: str) -> list[Summary]:
        """A line on every participant of a site, or of every site; those are folded that changed, or have clocks."""
        with self._lock:
            trial, today = self.trial(), self.today()
            if self._counted_on != today:
                self._summaries.clear()
                self._counted_on = today
            now, found = self.now(), []
            for identity, at in trial.sites.items():
                if site and at != site:
                    continue
                known = self._summaries.get(identity)
                if known is None or (known.filed and now - known.made > _FRESH):
                    participant = self.participant(identity)
                    if participant is None:
                        continue
                    self._summaries[identity] = summarise(self.protocol(at), trial, participant, today, now)
                found.append(self._summaries[identity])
            return found

    def _catch_up(self) -> None:
        """Take what was written since the last look; the first time only what concerns the whole trial."""
        last = self.ledger.last()
        if last <= self._seen:
            return
        types = None if self._seen else e.TRIAL_WIDE
        behind = False
        for event in self.ledger.events(types=types, after=self._seen, upto=last):
            if event.stream.startswith("participant/"):
                self._summaries.pop(event.stream.removeprefix("participant/"), None)
            if event.type in _FOR_EVERYBODY:
                self._summaries.clear()
            if event.type in (CORRECTED, VOIDED) and event.payload.get("of") not in self._shared:
                continue  # of something that concerns one participant alone
            if event.type in e.TRIAL_WIDE:
                self._shared[event.seq] = event
                behind = True
        if behind:
            self._trial = fold_trial(self._shared.values())
        self._trial.last = self._seen = last

    # ------------------------------------------------------------ writing

    def submit(
        self,
        commands: Mapping[str, Command],
        by: Sender,
        form: str,
        meant: Meant | None = None,
        because: Mapping[str, str] = MappingProxyType({}),
        keep: bytes = b"",
    ) -> list[Event]:
        """The events of a form's commands, all of them or none; the first outcome again where it was sent before.

        Where it is `meant` as a signature, that is written in the same transaction, bound to what each command wrote.
        `because` gives, by the name of a command, the reason of events that have none; `keep` is a file that is kept
        with the ledger.
        """
        with self._lock, self.ledger.writing() as writer:
            appended: list[Event] = []
            if keep:
                writer.keep(keep)
            for name, command in commands.items():
                sender = replace(by, because=because.get(name, ""))
                events = self._office.submit_within(writer, command, sender, f"{form} {name}")
                appended += events
                if meant is not None:
                    appended += self._office.submit_within(
                        writer, self._signature(command, events, meant, by), by, f"{form} {name} signed"
                    )
        return appended

    def _signature(self, command: Command, events: Sequence[Event], meant: Meant, by: Sender) -> Sign:
        stream = events[0].stream  # what follows from it elsewhere, as an alert, is not signed
        signed = {event.seq: event.hash for event in events if event.stream == stream}
        now = local_time(by.at, events[0].zone).strftime("%Y-%m-%dT%H:%M")
        return Sign(stream, signed, meant.name, meant.meaning, meant.method, now, participant_of(command))

    def sent_before(self, form: str, names: Sequence[str]) -> bool:
        """Whether a form was taken already, under any of its names."""
        with self._lock, self.ledger.writing() as writer:
            return any(writer.outcome(f"{form} {name}") for name in names)

    def try_out(self, commands: Mapping[str, Command], by: Sender) -> Tried:
        """What a form's commands would come to, one after the other; nothing is written.

        They are decided by the gate that will decide them for good.
        """
        trial, tried = self.trial(), Tried(None)
        for name, command in commands.items():
            identity = participant_of(command)
            if tried.participant is None and identity:
                tried.participant = self.participant(identity)
            site = tried.participant.site if tried.participant else getattr(command, "site", "")
            protocol = self.protocol(site)
            actor = Actor(by.user, by.role, local_time(by.at, protocol.document.zone))
            try:
                new = decide(protocol, trial, tried.participant, command, actor)
            except Refused as refused:
                tried.refused[name] = list(refused.findings)
                continue
            says = [str(one.payload["says"]) for one in new if one.type == e.QUERY_OPENED]
            if says:
                tried.asked[name] = says
            for event in new:
                if tried.participant is not None and event.stream == e.participant_stream(identity):
                    apply(tried.participant, _as_if(event, by, protocol, tried.participant.last + 1))
        return tried


def stamp(moment: datetime) -> str:
    """A moment as a ledger writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _as_if(event: NewEvent, by: Sender, protocol: Protocol, seq: int) -> Event:
    return Event(
        seq,
        event.stream,
        0,
        event.site,
        event.type,
        event.on,
        protocol.document.zone,
        by.at,
        by.user,
        by.role,
        event.reason,
        "",
        0,
        protocol.digest,
        "",
        dict(event.payload),
        "",
        "",
    )
