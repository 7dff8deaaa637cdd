"""Commands: what a person may order. Each is refused by `decide`, or becomes events.

Every command says when it happened (`on`, local, may be partial). Values are texts as entered; `decide` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ActivateProtocol:
    """Let a site work by a protocol version, after its approval."""

    site: str
    digest: str
    approval: str
    on: str


@dataclass(frozen=True, slots=True)
class AnswerQuestion:
    """Answer a question that the protocol leaves open; a real trial refuses an answer that comes from a file."""

    question: str
    answer: str
    on: str
    from_file: bool = False


@dataclass(frozen=True, slots=True)
class RegisterLot:
    """Take a product lot into the trial."""

    lot: str
    product: str
    on: str


@dataclass(frozen=True, slots=True)
class TestLot:
    """Enter test results of a lot, item by item."""

    __test__ = False  # a test of a lot, not of ours

    lot: str
    results: Mapping[str, str]
    on: str


@dataclass(frozen=True, slots=True)
class ReleaseLot:
    """Release a lot that meets every requirement of the protocol."""

    lot: str
    on: str


@dataclass(frozen=True, slots=True)
class RejectLot:
    """Reject a lot."""

    lot: str
    reason: str
    on: str


@dataclass(frozen=True, slots=True)
class Screen:
    """Take a woman into screening at a site, under a pseudonym."""

    participant: str
    site: str
    on: str


@dataclass(frozen=True, slots=True)
class Consent:
    """Record her consent to a version of the information sheet."""

    participant: str
    version: str
    on: str


@dataclass(frozen=True, slots=True)
class Observe:
    """Record one answer to one item, of her or of a relative, or that it was not done and why."""

    participant: str
    item: str
    value: str
    on: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    person: str = ""
    normal: tuple[str, str] | None = None
    not_done: str = ""


@dataclass(frozen=True, slots=True)
class AddRecord:
    """Add a record of a kind, with the fields known so far."""

    participant: str
    kind: str
    record: str
    on: str
    fields: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""


@dataclass(frozen=True, slots=True)
class CompleteRecord:
    """Enter fields of a record that were not known when it was added."""

    participant: str
    kind: str
    record: str
    on: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CloseList:
    """Declare a list complete: records of a kind, or the history on which absence means no."""

    participant: str
    list: str
    on: str


@dataclass(frozen=True, slots=True)
class HoldVisit:
    """Record that an encounter took place."""

    participant: str
    encounter: str
    on: str
    record: str = ""


@dataclass(frozen=True, slots=True)
class MissVisit:
    """Record that an encounter did not take place, and why."""

    participant: str
    encounter: str
    on: str
    reason: str
    record: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmEligibility:
    """Determine eligibility from what is recorded, and sign it."""

    participant: str
    on: str


@dataclass(frozen=True, slots=True)
class Enrol:
    """Enrol a woman who was found eligible."""

    participant: str
    on: str


@dataclass(frozen=True, slots=True)
class Allocate:
    """Put an enrolled woman into an arm; into a sealed list's next place where the protocol is blinded."""

    participant: str
    on: str
    arm: str = ""
    reason: str = ""
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class Perform:
    """Start a regimen or carry out a procedure, with its fields, steps, lot and prepared cells."""

    participant: str
    intervention: str
    record: str
    on: str
    fields: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    steps: tuple[str, ...] = ()
    lot: str = ""
    prepared: str = ""


@dataclass(frozen=True, slots=True)
class CloseQuery:
    """Answer a query and close it."""

    participant: str
    query: str
    answer: str
    on: str


@dataclass(frozen=True, slots=True)
class Note:
    """Keep free text, already encrypted under the participant's key."""

    participant: str
    ciphertext: str
    on: str


@dataclass(frozen=True, slots=True)
class EndScreening:
    """End the screening of a woman who will not be enrolled."""

    participant: str
    reason: str
    on: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Record that a woman withdraws or is lost, and why."""

    participant: str
    reason: str
    on: str


@dataclass(frozen=True, slots=True)
class Correct:
    """Replace what an earlier observation or record says; the old values stay in the ledger.

    `values` names what changes: `value` for an observation, the fields for a record.
    """

    participant: str
    event: int
    values: Mapping[str, str]
    reason: str
    on: str


@dataclass(frozen=True, slots=True)
class VoidEvent:
    """Take back an earlier entry made in error; it stays in the ledger, and no longer counts."""

    participant: str
    event: int
    reason: str
    on: str


Command: TypeAlias = (
    ActivateProtocol
    | AnswerQuestion
    | RegisterLot
    | TestLot
    | ReleaseLot
    | RejectLot
    | Screen
    | Consent
    | Observe
    | AddRecord
    | CompleteRecord
    | CloseList
    | HoldVisit
    | MissVisit
    | ConfirmEligibility
    | Enrol
    | Allocate
    | Perform
    | CloseQuery
    | Note
    | EndScreening
    | Withdraw
    | Correct
    | VoidEvent
)
