"""Submitting: catch up, decide and append under one write lock; what was folded before is not folded again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from trialwright.core.finding import Finding, Refused, Where, finding
from trialwright.core.partial_date import partial_date
from trialwright.ledger.envelope import CORRECTED, VOIDED, Event, Json, NewEvent, Submission
from trialwright.ledger.history import effective, known
from trialwright.ledger.store import Ledger, Writer
from trialwright.protocol.load import load_files
from trialwright.protocol.protocol import Protocol
from trialwright.trial import events as e
from trialwright.trial.casebook import named_hashes
from trialwright.trial.commands import ActivateProtocol, Command
from trialwright.trial.decide import Actor, decide, participant_of
from trialwright.trial.fold import fold_participant, fold_trial
from trialwright.trial.memory import KEPT, Memory, Source
from trialwright.trial.signatures import signed_hashes
from trialwright.trial.state import Participant, TrialState


@dataclass(frozen=True, slots=True)
class Sender:
    """Who submits, and when: the user, the role, the moment in UTC; and why, for events that have no other reason."""

    user: str
    role: str
    at: str
    because: str = ""


class Office:
    """The one place where commands are submitted to a ledger. Keep one per process: it remembers what it folded.

    Others may write to the same ledger meanwhile: sequence numbers tell what is new. `kept` is how many participants
    stay folded; None is all of them.
    """

    def __init__(self, ledger: Ledger, software: str, kept: int | None = KEPT) -> None:
        self.ledger = ledger
        self.software = software
        self.protocols: dict[str, Protocol] = {}
        self._kept = kept
        self._memory = Memory(kept)
        self._writer: Writer | None = None  # of the transaction that this office took part in last

    # ------------------------------------------------------------ writing

    def submit(self, command: Command, by: Sender, identity: str) -> list[Event]:
        """The events of a command, appended; the first outcome again where this command id was submitted before.

        `Refused` says why the command was not carried out; then nothing was written.
        """
        with self.writing() as writer:
            return self.submit_within(writer, command, by, identity)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """The ledger's one write lock for several commands, all of them or none; what was undone is forgotten."""
        try:
            with self.ledger.writing() as writer:
                yield writer
        except BaseException:
            self._memory.undo()  # decided and remembered, and then not written: it was refused, or the disk was full
            raise
        self._memory.settle()

    def submit_within(self, writer: Writer, command: Command, by: Sender, identity: str) -> list[Event]:
        """The same inside a transaction that is already open, as a rehearsal or an import needs."""
        self.join(writer)
        earlier = writer.outcome(identity)
        if earlier:
            return earlier
        memory = self._memory
        about = participant_of(command)
        activated = command.digest if isinstance(command, ActivateProtocol) else ""
        protocol = self.protocol_for(memory.trial, about, getattr(command, "site", ""), activated)
        participant = memory.participant(about, writer) if about else None
        zone = protocol.document.zone
        actor = Actor(by.user, by.role, local_time(by.at, zone))
        new = decide(protocol, memory.trial, participant, command, actor)
        if by.because:
            new = [one if one.reason else replace(one, reason=by.because) for one in new]
        submission = Submission(identity, by.at, by.user, by.role, zone, protocol.digest, self.software)
        appended = writer.append(submission, new)
        for event in appended:
            memory.take(event)
        return appended

    def join(self, writer: Writer) -> None:
        """Take part in a transaction: what is in the ledger under its lock is what this office knows."""
        if self._writer is not writer:
            self._begin(writer)
        self._memory.catch_up(writer, writer.last)

    def _begin(self, writer: Writer) -> None:
        """Another transaction: the one before may have been undone, and others may have written as much instead."""
        memory, self._writer = self._memory, writer
        if memory.unsure and not _holds(writer, memory):
            memory.undo()
        if writer.last < memory.seen:  # an older ledger lies there now
            self._memory = memory = Memory(self._kept)
        memory.catch_up(writer, writer.began)
        memory.settle()

    # ------------------------------------------------------------ reading

    def catch_up(self) -> None:
        """Take what others wrote since the last look; only where no transaction of this office is open."""
        self._memory.catch_up(self.ledger, self.ledger.last())
        self._memory.settle()

    def trial(self) -> TrialState:
        """The trial's state as of the last submission or look of this office."""
        return self._memory.trial

    def lend(self) -> tuple[TrialState, int, str]:
        """The trial's state, which stays as it is, and up to which event it reaches: its number and its hash."""
        return self._memory.lend(), self._memory.seen, self._memory.head

    def participant(self, identity: str) -> Participant:
        """A participant's state as of the last submission or look of this office; it grows with the next."""
        found = self.find(identity)
        if found is None:
            raise KeyError(identity)
        return found

    def find(self, identity: str) -> Participant | None:
        """The same, or None where there is nobody of this name."""
        return self._memory.participant(identity, self._source())

    def events_of(self, identity: str, keep: bool = True) -> Sequence[Event]:
        """A participant's events as of the last submission or look of this office; none where there is nobody.

        Without `keep` she takes nobody's place among those who are kept folded.
        """
        return self._memory.events_of(identity, self._source(), keep)

    def _source(self) -> Source:
        return self._writer if self._writer is not None and self._writer.open else self.ledger

    def protocol_for(self, trial: TrialState, participant: str, site: str = "", activated: str = "") -> Protocol:
        """The protocol version that applies: the one being activated, else the one in force at the site."""
        site = site or trial.sites.get(participant, "")
        digest = activated if activated in trial.protocols else in_force(trial, site)
        if digest not in trial.protocols:
            raise Refused(finding("protocol_unknown", digest=digest or "(none)"))
        if digest not in self.protocols:
            self.protocols[digest] = read_protocol(self.ledger, trial.protocols[digest])
        return self.protocols[digest]


def _holds(writer: Writer, memory: Memory) -> bool:
    """Whether what was remembered last is in the ledger."""
    return [event.hash for event in writer.events(after=memory.seen - 1, upto=memory.seen)] == [memory.head]


def in_force(trial: TrialState, site: str = "") -> str:
    """The digest of the version that a site works by; of the newest that any site does, where it works by none.

    Before any is activated it is the newest; nothing where the ledger holds none.
    """
    if site in trial.active:
        return trial.active[site]
    newest = list(reversed(trial.protocols))
    return next((one for one in newest if one in trial.active.values()), newest[0] if newest else "")


def register_protocol(writer: Writer, protocol: Protocol, by: Sender, software: str, on: str) -> list[Event]:
    """Put a protocol's folder into the ledger by digest, so that report, why and verify need nothing else."""
    files = {name: writer.keep(content) for name, content in protocol.files.items()}
    payload: dict[str, Json] = {"digest": protocol.digest, "files": dict(files), "version": protocol.document.version}
    submission = Submission(
        f"register {protocol.digest}", by.at, by.user, by.role, protocol.document.zone, protocol.digest, software
    )
    return writer.append(submission, [NewEvent(e.TRIAL, e.PROTOCOL_REGISTERED, on, payload)])


def read_protocol(ledger: Ledger, files: Mapping[str, str]) -> Protocol:
    """The protocol whose files lie in the ledger."""
    protocol, findings = load_files({name: ledger.blob(digest) for name, digest in files.items()})
    if protocol is None:
        raise Refused(*findings)
    return protocol


def attachments_missing(ledger: Ledger) -> list[Finding]:
    """A finding for each file of a protocol or rehearsal that an event names and the ledger does not hold."""
    held = {digest for digest, _ in ledger.attachments()}
    found = []
    for event in ledger.events(types=[e.PROTOCOL_REGISTERED, e.REHEARSAL_REGISTERED]):
        files = event.payload.get("files")
        for name, digest in files.items() if isinstance(files, dict) else ():
            if digest not in held:
                where = Where(ledger.place, path=f"seq {event.seq}")
                found.append(finding("attachment_missing", where, name=name, digest=digest, seq=event.seq))
    return found


def signatures_broken(ledger: Ledger) -> list[Finding]:
    """A finding for each signature or verification whose hash is not that of the event it names, in its own stream."""
    found = []
    for event in ledger.events(types=[e.SIGNED, e.SOURCE_VERIFIED, e.CASEBOOK_SIGNED]):
        for seq, hash in (named_hashes(event) or signed_hashes(event.payload)).items():
            there = list(ledger.events(stream=event.stream, after=seq - 1, upto=seq))
            if [one.hash for one in there] != [hash]:
                where = Where(ledger.place, path=f"seq {event.seq}")
                found.append(finding("signature_broken", where, seq=event.seq, of=seq, user=event.user))
    return found


def whole_state(
    ledger: Ledger, upto: int | str | None = None, today: date | None = None
) -> tuple[TrialState, dict[str, Participant]]:
    """The trial and every participant, folded anew from the ledger as it was known then.

    `upto` is a sequence number, a UTC time, or a UTC day to whose end it reaches; None means now. With `today`, what
    certainly happened after that day is left out: the trial as it stood then, by what is known.
    """
    trial_events: list[Event] = []
    streams: dict[str, list[Event]] = {}
    told: Iterable[Event] = ledger.events() if upto is None else known(ledger.events(), upto)
    for event in told if today is None else happened(told, today):
        if event.type in e.TRIAL_WIDE or event.type == e.PROTOCOL_REGISTERED:
            trial_events.append(event)
        if event.stream.startswith("participant/"):
            streams.setdefault(event.stream.removeprefix("participant/"), []).append(event)
    # what the fold does not keep of a stream is let go before the next one is folded
    participants = {identity: fold_participant(identity, streams.pop(identity)) for identity in sorted(streams)}
    if today is not None:  # of whoever came later, only what has no day is left
        participants = {identity: one for identity, one in participants.items() if one.screened}
    return fold_trial(trial_events), participants


def happened(events: Iterable[Event], today: date) -> list[Event]:
    """What had happened by the end of a day, once corrections are resolved; an undated event stays.

    The corrections stay too: resolving them again changes nothing, and the fold notes that there were some.
    """
    told = list(events)
    by_then = [event for event in effective(told) if not event.on or partial_date(event.on).earliest.date() <= today]
    return [*by_then, *(event for event in told if event.type in (CORRECTED, VOIDED))]


def local_time(at: str, zone: str) -> datetime:
    """The local time of a moment in UTC, as people at the place read it."""
    moment = datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone(UTC)
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
