"""The state of a trial: one participant at a time, and the small state that all decisions share."""

from __future__ import annotations

from dataclasses import dataclass, field

from trialwright.core.partial_date import PartialDate
from trialwright.language.facts import Observation, RecordEntry
from trialwright.ledger.envelope import Event
from trialwright.protocol.eligibility import Eligibility


@dataclass(frozen=True, slots=True)
class Determination:
    """Eligibility as it was decided: verdict, answers and what it rests on."""

    event: int
    on: str
    verdict: str
    answers: dict[str, str]
    basis: int
    protocol: str


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
    """A dose as it was determined: planned, prepared, ratio, lot."""

    event: int
    on: str
    intervention: str
    record: str
    planned: str
    prepared: str
    ratio: str
    lot: str


@dataclass(frozen=True, slots=True)
class Query:
    """A question about a recorded value."""

    event: int
    on: str
    item: str
    says: str


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
    queries: dict[str, Query] = field(default_factory=dict)
    asked: int = 0  # the number of the last query
    screening_ended: str = ""
    screening_end_reason: str = ""
    withdrawn: str = ""
    withdrawal_reason: str = ""
    notes: int = 0
    oddities: list[str] = field(default_factory=list)
    last: int = 0
    events: set[int] = field(default_factory=set)  # hers, corrections too
    early: dict[tuple[str, str], list[Event]] = field(default_factory=dict)  # dated before what they complete
    facts: int = 0  # how often what the language may ask about has changed
    #: The last answer, and what it was asked of.
    eligibility: tuple[tuple[str, str, int], Eligibility] | None = field(default=None, compare=False)
    decoded: dict[tuple[str, str], list[Observation]] = field(default_factory=dict, compare=False)
    decoded_records: dict[str, tuple[int, list[RecordEntry]]] = field(default_factory=dict, compare=False)


@dataclass(slots=True)
class Lot:
    """A product lot: its tests, its state and what was taken from it."""

    identity: str
    product: str
    results: dict[str, Observation] = field(default_factory=dict)
    state: str = "registered"
    released: str = ""
    used: list[tuple[str, str]] = field(default_factory=list)  # participant, prepared cells


@dataclass(slots=True)
class Answered:
    """The answer to an open question, by whom it was given and in which event."""

    answer: str
    by: str
    on: str
    event: int
    from_file: bool


@dataclass(slots=True)
class TrialState:
    """What every decision may depend on, whoever it is about."""

    kind: str = "real"
    protocols: dict[str, dict[str, str]] = field(default_factory=dict)  # digest -> file -> blob digest
    active: dict[str, str] = field(default_factory=dict)  # site -> digest
    answers: dict[str, Answered] = field(default_factory=dict)
    lots: dict[str, Lot] = field(default_factory=dict)
    early: dict[str, list[Event]] = field(default_factory=dict)  # lot -> events dated before its registration
    sites: dict[str, str] = field(default_factory=dict)  # participant -> site
    enrolled: dict[str, int] = field(default_factory=dict)  # participant -> number
    allocated: dict[str, str] = field(default_factory=dict)  # participant -> arm, or place in the sealed list
    places: dict[str, int] = field(default_factory=dict)  # participant -> place in the sealed list
    last: int = 0
