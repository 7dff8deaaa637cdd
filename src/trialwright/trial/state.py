"""The state of a trial: one participant at a time, and the small state that all decisions share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from trialwright.core.partial_date import PartialDate
from trialwright.language.facts import Observation, RecordEntry
from trialwright.ledger.envelope import Event
from trialwright.protocol.eligibility import Eligibility
from trialwright.trial.custody import Custody


@dataclass(frozen=True, slots=True)
class Determination:
    """Eligibility as it was decided: verdict, answers and what it rests on."""

    event: int
    on: str
    verdict: str
    answers: dict[str, str]
    basis: int
    protocol: str
    software: str


@dataclass(frozen=True, slots=True)
class Allocation:
    """The arm, or the place in the sealed list, with reason and decider."""

    event: int
    on: str
    arm: str
    position: int
    reason: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class Visit:
    """An encounter that was held or missed."""

    event: int
    on: str
    held: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose as it was determined: planned, prepared, ratio, unit, lot."""

    event: int
    on: str
    intervention: str
    record: str
    planned: str
    prepared: str
    ratio: str
    lot: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Tablets:
    """Tablets handed out, or taken back where `count` is below zero."""

    event: int
    count: int
    on: str
    intervention: str
    record: str
    drug: str
    strength: str


@dataclass(frozen=True, slots=True)
class RegimenChange:
    """A medical decision about a drug: another dose from a day on, or `stop`."""

    event: int
    reason: str
    on: str
    intervention: str
    record: str
    drug: str
    dose: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class SentReport:
    """A report about an event: when it was sent, under which rule, to whom."""

    event: int
    by: str
    on: str
    kind: str
    record: str
    rule: str
    to: str


@dataclass(frozen=True, slots=True)
class Query:
    """A question about a recorded value."""

    event: int
    on: str
    item: str
    says: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the life of a query: raised, answered, resolved or reopened; by whom, when, in which words."""

    event: int
    what: str
    on: str
    at: str
    user: str
    role: str
    says: str


@dataclass(slots=True)
class Thread:
    """A query with everything that was said of it; `role` is the one that raised it, empty for an edit check.

    What it asks about is an entry (`event`, `of_field` of its record), a visit (`encounter`, `record`), or all of her.
    """

    identity: str
    item: str
    says: str
    role: str = ""
    event: int = 0
    of_field: str = ""
    encounter: str = ""
    record: str = ""
    state: Literal["open", "answered", "closed"] = "open"
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Hold:
    """A freeze or a lock: by whom, since when and why; `holds` is no where it was lifted."""

    event: int
    on: str
    user: str
    role: str
    reason: str
    holds: bool


@dataclass(frozen=True, slots=True)
class CasebookSignature:
    """The last time that the casebook was signed: by whom, and up to which event."""

    event: int
    on: str
    user: str
    last: int


@dataclass(slots=True)
class Participant:
    """Everything that happened to one participant, as the fold leaves it; only the fold writes to it.

    Observations and records are kept as events, and decoded once when they are first asked for.
    """

    identity: str
    site: str = ""
    screened: str = ""
    consented: str = ""
    observed: dict[str, list[Event]] = field(default_factory=dict)
    relatives: dict[str, dict[str, list[Event]]] = field(default_factory=dict)
    records: dict[str, dict[str, list[Event]]] = field(default_factory=dict)
    closed: dict[str, PartialDate] = field(default_factory=dict)
    closed_by: dict[str, int] = field(default_factory=dict)  # list -> the event that closed it
    determinations: list[Determination] = field(default_factory=list)
    enrolled: str = ""
    number: int = 0
    allocation: Allocation | None = None
    visits: dict[tuple[str, str], Visit] = field(default_factory=dict)
    doses: list[Dose] = field(default_factory=list)
    performed: list[Event] = field(default_factory=list)
    tablets: list[Tablets] = field(default_factory=list)
    changes: list[RegimenChange] = field(default_factory=list)
    reports: list[SentReport] = field(default_factory=list)
    queries: dict[str, Query] = field(default_factory=dict)
    asked: int = 0  # the number of the last query
    threads: dict[str, Thread] = field(default_factory=dict)  # every query, closed ones too
    verified: dict[int, int] = field(default_factory=dict)  # entry -> the last verification that names it
    casebook: CasebookSignature | None = None
    frozen: dict[tuple[str, str], Hold] = field(default_factory=dict)  # encounter, record; none: all of hers
    screening_ended: str = ""
    screening_end_reason: str = ""
    withdrawn: str = ""
    withdrawal_reason: str = ""
    notes: int = 0
    oddities: list[str] = field(default_factory=list)
    last: int = 0
    events: set[int] = field(default_factory=set)  # hers, corrections too
    corrected: int = 0  # the last correction or voiding of an event of hers
    final: set[int] = field(default_factory=set)  # took back the giving of a unit: are not taken back in turn
    entries: dict[int, Event] = field(default_factory=dict)  # her casebook as it holds, by sequence number
    changed: int = 0  # the last event that entered, corrected or took back something of her casebook
    bases: dict[int, int] = field(
        default_factory=dict
    )  # a correction or a void -> the entry that it changes in the end
    mended: dict[int, int] = field(default_factory=dict)  # an entry -> its last correction or void
    reviews: set[int] = field(default_factory=set)  # stay where they are; each is ended by an order of its own
    signatures: set[int] = field(default_factory=set)  # stay where they are; what they sign is taken back
    early: dict[tuple[str, str], list[Event]] = field(default_factory=dict)  # dated before what they complete
    facts: int = 0  # how often what the language may ask about has changed
    #: The last answer, and what it was asked of.
    eligibility: tuple[tuple[str, str, int], Eligibility] | None = field(default=None, compare=False)
    decoded: dict[tuple[str, str], list[Observation]] = field(default_factory=dict, compare=False)
    decoded_records: dict[str, tuple[int, list[RecordEntry]]] = field(default_factory=dict, compare=False)


@dataclass(slots=True)
class Alert:
    """What paused the trial or asked for a review, and the review.

    `on` is when that happened which raised it, `raised_at` the local minute at which it was known and the trial paused;
    a review has both too.
    """

    event: int
    recipients: tuple[str, ...]
    on: str
    raised_at: str
    identity: str
    trigger: str
    action: str
    says: str
    participant: str = ""
    record: str = ""
    decision: str = ""
    reviewed: str = ""
    reviewed_at: str = ""
    reviewed_by: str = ""
    reason: str = ""

    @property
    def pauses(self) -> bool:
        """Whether it holds the trial up now: a pause that no review has lifted, or a review that ended with `stop`."""
        return self.decision == "stop" or (self.action == "pause" and not self.decision)


@dataclass(slots=True)
class BoundaryTable:
    """The boundary as it was computed when the protocol was activated: how many events pause at n participants."""

    event: int
    pause_at: tuple[int | None, ...]


@dataclass(slots=True)
class Answered:
    """The answer to an open question, by whom it was given and in which event."""

    answer: str
    by: str
    on: str
    event: int
    from_file: bool


@dataclass(slots=True)
class Delegation:
    """One line of the delegation log; an empty site is every site, an empty end is open."""

    identity: str
    event: int
    user: str
    role: str
    site: str
    begins: str
    ends: str
    training: str
    by: str
    reason: str = ""


@dataclass(slots=True)
class Erasure:
    """The erasure of a participant's name and free text: ordered by one person, confirmed by another."""

    ordered: str = ""
    ordered_by: str = ""
    reason: str = ""
    confirmed: str = ""
    confirmed_by: str = ""
    confirmed_at: str = ""  # the moment at which it was recorded
    events: tuple[int, ...] = ()


@dataclass(slots=True)
class TrialState:
    """What every decision may depend on, whoever it is about."""

    kind: str = "real"
    protocols: dict[str, dict[str, str]] = field(default_factory=dict)  # digest -> file -> blob digest
    active: dict[str, str] = field(default_factory=dict)  # site -> digest
    answers: dict[str, Answered] = field(default_factory=dict)
    custody: Custody = field(default_factory=Custody)
    treated: dict[str, dict[str, str]] = field(default_factory=dict)  # intervention -> participant -> first day
    boundary: BoundaryTable | None = None
    counted: dict[tuple[str, str], int] = field(default_factory=dict)  # participant, record -> event that counted it
    alerts: dict[str, Alert] = field(default_factory=dict)
    early_reviews: dict[str, list[Event]] = field(default_factory=dict)  # dated before the alert
    sites: dict[str, str] = field(default_factory=dict)  # participant -> site
    enrolled: dict[str, int] = field(default_factory=dict)  # participant -> number
    allocated: dict[str, str] = field(default_factory=dict)  # participant -> arm, or place in the sealed list
    places: dict[str, int] = field(default_factory=dict)  # participant -> place in the sealed list
    delegations: dict[str, Delegation] = field(default_factory=dict)
    locks: dict[str, Hold] = field(default_factory=dict)  # `participant P-1`, `site S01` or `trial`
    erasures: dict[str, Erasure] = field(default_factory=dict)  # by participant
    last: int = 0
