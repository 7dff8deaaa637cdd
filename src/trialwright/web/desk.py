"""The ledger behind the screens: read as it stands now, one participant folded at a time, and written through `submit`.

One desk per process. Its office remembers what pages and decisions share, and takes the ledger's one write lock; its
clock is the only clock that the pages read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import MappingProxyType

from trialwright.core.finding import Finding, Refused, finding
from trialwright.ledger.envelope import Event, NewEvent
from trialwright.ledger.store import Ledger
from trialwright.protocol.protocol import Protocol
from trialwright.trial import events as e
from trialwright.trial.commands import Command, Sign
from trialwright.trial.decide import Actor, decide, participant_of
from trialwright.trial.fold import apply, fold_participant
from trialwright.trial.office import Office, Sender, local_time
from trialwright.trial.schedule import Planned, planned
from trialwright.trial.signatures import Signature, signatures
from trialwright.trial.state import Participant, TrialState


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


class _Look:
    """What one page has asked for already."""

    def __init__(self) -> None:
        self.asked = False
        self.folded: dict[str, Participant | None] = {}
        self.protocols: dict[str, Protocol] = {}


class _Here(threading.local):
    """What belongs to the page that this thread makes."""

    look: _Look | None = None


class Desk:
    """Reading and writing one ledger for many readers at once."""

    def __init__(self, ledger: Ledger, software: str, clock: Callable[[], datetime]) -> None:
        self.ledger = ledger
        self.software = software
        self.virtual = ledger.header.kind == "virtual"
        self._office = Office(ledger, software)
        self._clock = clock
        self._lock = threading.RLock()  # over the office and what it remembers
        self._here = _Here()

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

    @contextmanager
    def looking(self) -> Iterator[None]:
        """While one page is made: whether somebody else wrote is asked once, and she is folded once."""
        if self._here.look is not None:
            yield
            return
        self._here.look = _Look()
        try:
            yield
        finally:
            self._here.look = None

    def trial(self) -> TrialState:
        """The state that all decisions share, with everything that was written up to now; it stays as it is."""
        return self.reach()[0]

    def reach(self) -> tuple[TrialState, int, str]:
        """The same, and up to which event it reaches: its sequence number and its hash."""
        with self._lock:
            look = self._here.look
            if look is None or not look.asked:
                self._office.catch_up()
            if look is not None:
                look.asked = True
            return self._office.lend()

    def protocol(self, site: str = "") -> Protocol:
        """The protocol version by which a site works. While one page is made, the same."""
        look = self._here.look
        found = look.protocols.get(site) if look is not None else None
        if found is None:
            found = self._office.protocol_for(self.trial(), "", site)
            if look is not None:
                look.protocols[site] = found
        return found

    def version(self, digest: str) -> Protocol:
        """A protocol version by its digest; `Refused` where the ledger holds none such."""
        return self._office.protocol_for(self.trial(), "", "", digest)

    def participant(self, identity: str) -> Participant | None:
        """One participant, folded from her own events; None where there is none. While one page is made, the same."""
        look = self._here.look
        if look is None:
            return self._folded(identity)
        if identity not in look.folded:
            look.folded[identity] = self._folded(identity)
        return look.folded[identity]

    def _folded(self, identity: str) -> Participant | None:
        events = self.events_of(identity)
        return fold_participant(identity, events) if events else None

    def events_of(self, identity: str) -> Sequence[Event]:
        """Her events, in the order of recording."""
        self.trial()
        with self._lock:
            return self._office.events_of(identity)

    def aside(self, identity: str) -> Participant | None:
        """The same as `participant`, for one of many: nobody who works with another one loses her place in memory."""
        self.trial()
        with self._lock:
            events = self._office.events_of(identity, keep=False)
        return fold_participant(identity, events) if events else None

    def holds(self, seq: int, hash: str) -> bool:
        """Whether the ledger has an event of this number with this hash: it was neither cut nor written anew."""
        return [event.hash for event in self.ledger.events(after=seq - 1, upto=seq)] == [hash]

    def changed(self, after: int, upto: int) -> dict[str, int]:
        """Whoever something was recorded about between two sequence numbers, with the last one of hers."""
        return {
            stream.removeprefix("participant/"): last
            for stream, last in self.ledger.latest(after, upto).items()
            if stream.startswith("participant/")
        }

    def signatures_on(self, stream: str) -> list[Signature]:
        """The signatures on what happened to one participant, lot or unit, or to the trial, as they stand now."""
        return signatures(self.ledger.events(stream=stream))

    def visits(self, participant: Participant) -> list[Planned]:
        """Her visits, as they stand today."""
        return planned(self.protocol(participant.site), self.trial(), participant, self.today())

    # ------------------------------------------------------------ writing

    def submit(
        self,
        commands: Mapping[str, Command],
        by: Sender,
        form: str,
        meant: Meant | None = None,
        because: Mapping[str, str] = MappingProxyType({}),
        keep: bytes = b"",
        seen: int | None = None,
    ) -> list[Event]:
        """The events of a form's commands, all of them or none; the first outcome again where it was sent before.

        Where it is `meant` as a signature, that is written in the same transaction, bound to what each command wrote.
        `because` gives, by the name of a command, the reason of events that have none; `keep` is a file that is kept
        with the ledger. Where it names the last event that was `seen` of the participant, it is refused if somebody
        else recorded something for her since, and what was sent before under any of its names is not added to.
        """
        appended: list[Event] = []
        with self._lock:
            try:
                with self._office.writing() as writer:
                    before = writer.outcomes(_names(form, commands, meant))
                    if before and seen is not None:
                        return before
                    self._office.join(writer)
                    self._nobody_else(commands, by, seen)
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
            finally:
                if self._here.look is not None:  # what this page knew may have changed
                    self._here.look = _Look()
        return appended

    def _nobody_else(self, commands: Mapping[str, Command], by: Sender, seen: int | None) -> None:
        """Refuse where somebody else was quicker."""
        for identity in dict.fromkeys(map(participant_of, commands.values())) if seen is not None else ():
            for event in reversed(self._office.events_of(identity)):
                if event.seq > (seen or 0) and event.user != by.user:
                    raise Refused(finding("web_changed_since", user=event.user, participant=identity))

    def _signature(self, command: Command, events: Sequence[Event], meant: Meant, by: Sender) -> Sign:
        stream = events[0].stream  # what follows from it elsewhere, as an alert, is not signed
        signed = {event.seq: event.hash for event in events if event.stream == stream}
        now = local_time(by.at, events[0].zone).strftime("%Y-%m-%dT%H:%M")
        return Sign(stream, signed, meant.name, meant.meaning, meant.method, now, participant_of(command))

    def sent_before(self, form: str, names: Sequence[str]) -> bool:
        """Whether a form was taken already, under any of its names."""
        return self.ledger.knows([f"{form} {name}" for name in names])

    def try_out(self, commands: Mapping[str, Command], by: Sender) -> Tried:
        """What a form's commands would come to, one after the other; nothing is written.

        They are decided by the gate that will decide them for good.
        """
        trial, tried = self.trial(), Tried(None)
        for name, command in commands.items():
            identity = participant_of(command)
            if tried.participant is None and identity:
                tried.participant = self._folded(identity)  # ours alone: what is tried is applied to it
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


def _names(form: str, commands: Mapping[str, Command], meant: Meant | None) -> list[str]:
    """What a form's commands are known by in the ledger."""
    return [f"{form} {name}{end}" for name in commands for end in (("", " signed") if meant else ("",))]


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
