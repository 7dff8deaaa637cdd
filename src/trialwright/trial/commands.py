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
class Delegate:
    """Give a user a role at a site, or at every site where none is named, from a day on, after which training."""

    user: str
    role: str
    begins: str
    training: str
    on: str
    site: str = ""
    ends: str = ""


@dataclass(frozen=True, slots=True)
class EndDelegation:
    """End a delegation before its time, and why."""

    delegation: str
    reason: str
    on: str


@dataclass(frozen=True, slots=True)
class RegisterDonor:
    """Take a donor into the chain of identity; `of_participant` where the cells are a participant's own."""

    donor: str
    product: str
    on: str
    of_participant: str = ""


@dataclass(frozen=True, slots=True)
class TestDonor:
    """Enter screening tests of a donor, or a retest."""

    __test__ = False

    donor: str
    results: Mapping[str, str]
    on: str


@dataclass(frozen=True, slots=True)
class AcceptDonor:
    """Accept a donor who meets every requirement of the protocol."""

    donor: str
    on: str


@dataclass(frozen=True, slots=True)
class RejectDonor:
    """Reject a donor; everything made from her is found and recalled."""

    donor: str
    reason: str
    on: str


@dataclass(frozen=True, slots=True)
class RegisterMaterial:
    """Register tissue of a donor, or a cell bank made from tissue or from another bank."""

    material: str
    kind: str
    parent: str
    on: str
    passage: int = 0
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ValidateHold:
    """Record for how many hours a product was shown to keep its viability after thawing, and by which report."""

    product: str
    hours: str
    report: str
    on: str


@dataclass(frozen=True, slots=True)
class RegisterLot:
    """Take a product lot into the trial, and what it was made from: a donor, tissue or bank."""

    lot: str
    product: str
    on: str
    parent: str = ""
    passage: int = 0


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
class RecallLot:
    """Call back a lot: nothing of it may be given any more, and everybody who had it is found."""

    lot: str
    reason: str
    on: str


@dataclass(frozen=True, slots=True)
class OrderUnit:
    """Order what is to be prepared for one participant; the dose is planned from what is known now."""

    unit: str
    participant: str
    intervention: str
    on: str


@dataclass(frozen=True, slots=True)
class ManufactureUnit:
    """Prepare a unit from one lot: cells counted in all, the living share, the volume, and when it was thawed."""

    unit: str
    lot: str
    total: str
    viability: str
    volume: str
    thawed: str
    on: str


@dataclass(frozen=True, slots=True)
class TestUnit:
    """Enter test results of a unit; they may come after it was given."""

    __test__ = False

    unit: str
    results: Mapping[str, str]
    on: str


@dataclass(frozen=True, slots=True)
class ReleaseUnit:
    """Release a unit; a dose below the protocol's limits needs whoever approved it, and is a deviation."""

    unit: str
    on: str
    approved_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RejectUnit:
    """Reject a unit that was not given."""

    unit: str
    reason: str
    on: str


@dataclass(frozen=True, slots=True)
class IssueUnit:
    """Hand a released unit over for transport."""

    unit: str
    on: str
    logger: str = ""


@dataclass(frozen=True, slots=True)
class ReceiveUnit:
    """Receive a unit at the place of use, with the temperatures that the logger shows."""

    unit: str
    on: str
    coldest: str = ""
    warmest: str = ""
    intact: bool = True


@dataclass(frozen=True, slots=True)
class VerifyUnit:
    """Check at the bedside that this unit is for this participant, by two identifiers; two users do so."""

    unit: str
    participant: str
    second: str
    on: str


@dataclass(frozen=True, slots=True)
class ReconcileUnit:
    """Account for what is left of a unit, given or not."""

    unit: str
    disposal: str
    on: str


@dataclass(frozen=True, slots=True)
class ReviewTrigger:
    """Review what paused the trial or asked for a review; `continue` lifts a pause."""

    alert: str
    decision: str
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
    """Record one answer to one item, of her or of a relative, or that it was not done and why.

    `encounter` and `record` name the visit whose form it was told in; without them it belongs to the nearest one.
    """

    participant: str
    item: str
    value: str
    on: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    person: str = ""
    normal: tuple[str, str] | None = None
    not_done: str = ""
    encounter: str = ""
    record: str = ""


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
    """Start a regimen or carry out a procedure, with its fields and steps, and the unit that it gives.

    Far outside its window it needs the names of whoever decided on it, and why.
    """

    participant: str
    intervention: str
    record: str
    on: str
    fields: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    steps: tuple[str, ...] = ()
    unit: str = ""
    decided_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class InterruptInfusion:
    """Stop an infusion that may be taken up again: what is left, and why."""

    participant: str
    unit: str
    left: str
    reason: str
    on: str


@dataclass(frozen=True, slots=True)
class ResumeInfusion:
    """Take an interrupted infusion up again, with the same unit."""

    participant: str
    unit: str
    on: str


@dataclass(frozen=True, slots=True)
class EndInfusion:
    """End an infusion: how much went in, how much it was flushed with, why if it was not all."""

    participant: str
    unit: str
    infused: str
    on: str
    flush: str = "0 mL"
    viability: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DispenseDrug:
    """Hand out tablets of a regimen's drug, by strength."""

    participant: str
    intervention: str
    record: str
    drug: str
    strength: str
    tablets: int
    on: str


@dataclass(frozen=True, slots=True)
class ReturnDrug:
    """Take tablets back, so that what was used is known."""

    participant: str
    intervention: str
    record: str
    drug: str
    strength: str
    tablets: int
    on: str


@dataclass(frozen=True, slots=True)
class ChangeRegimen:
    """Change the dose of a drug from a day on, or stop it: a medical decision, recorded as one."""

    participant: str
    intervention: str
    record: str
    drug: str
    dose: str
    decided_by: str
    reason: str
    on: str


@dataclass(frozen=True, slots=True)
class SendReport:
    """Record that a report about an event was sent: under which rule, to whom."""

    participant: str
    kind: str
    record: str
    rule: str
    to: str
    on: str


@dataclass(frozen=True, slots=True)
class CloseQuery:
    """Answer a query and close it."""

    participant: str
    query: str
    answer: str
    on: str


@dataclass(frozen=True, slots=True)
class RaiseQuery:
    """Ask the site about an entry, a field of it, a visit, or a participant as a whole where none is named.

    `event` is the entry, by sequence number, and `field` a field of its record; `encounter` and `record` are a visit.
    """

    participant: str
    says: str
    on: str
    event: int = 0
    field: str = ""
    encounter: str = ""
    record: str = ""


@dataclass(frozen=True, slots=True)
class AnswerQuery:
    """Answer a query that a person raised; whoever raised it decides whether the answer does."""

    participant: str
    query: str
    answer: str
    on: str


@dataclass(frozen=True, slots=True)
class ResolveQuery:
    """Close a query in the role that raised it; one that nobody has answered is taken back, with a reason."""

    participant: str
    query: str
    on: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReopenQuery:
    """Ask again, in the role that raised the query, and say why the answer does not do."""

    participant: str
    query: str
    reason: str
    on: str


@dataclass(frozen=True, slots=True)
class VerifySource:
    """Mark entries as compared with the source and found the same, bound to the hash of each.

    `verified` holds hashes by sequence number: of each entry, and of the last correction where it was corrected.
    """

    participant: str
    verified: Mapping[int, str]
    on: str
    encounter: str = ""
    record: str = ""


@dataclass(frozen=True, slots=True)
class SignCasebook:
    """Confirm the casebook as it stands: everything up to her last event, named by number and hash."""

    participant: str
    last: int
    hash: str
    on: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """Hold the data of a participant, or of one visit of hers, as they are for a time."""

    participant: str
    reason: str
    on: str
    encounter: str = ""
    record: str = ""


@dataclass(frozen=True, slots=True)
class Unfreeze:
    """Let the data of a participant, or of a visit, be entered and corrected again."""

    participant: str
    reason: str
    on: str
    encounter: str = ""
    record: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """Close the data of a participant, of a site, or of the trial where neither is named."""

    on: str
    participant: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True)
class Unlock:
    """Open locked data again, and say why."""

    reason: str
    on: str
    participant: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Keep free text, already encrypted under the participant's key."""

    participant: str
    ciphertext: str
    on: str


@dataclass(frozen=True, slots=True)
class OrderErasure:
    """Order that the key of a participant's name and free text be destroyed; somebody else confirms it."""

    participant: str
    reason: str
    on: str


@dataclass(frozen=True, slots=True)
class ConfirmErasure:
    """Confirm an erasure that somebody else ordered; it cannot be taken back, since the key is gone."""

    participant: str
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
class Sign:
    """Sign what was recorded a moment ago, by name and with a meaning, bound to the hash of each event.

    `signed` holds hashes by sequence number, all of one stream; `method` says how the person was known.
    """

    stream: str
    signed: Mapping[int, str]
    name: str
    meaning: str
    method: str
    on: str
    participant: str = ""


@dataclass(frozen=True, slots=True)
class VoidEvent:
    """Take back an earlier entry made in error; it stays in the ledger, and no longer counts.

    `also` names other entries of hers that are taken back with it, for the same reason.
    """

    participant: str
    event: int
    reason: str
    on: str
    also: tuple[int, ...] = ()


Command: TypeAlias = (
    ActivateProtocol
    | AnswerQuestion
    | Delegate
    | EndDelegation
    | RegisterDonor
    | TestDonor
    | AcceptDonor
    | RejectDonor
    | RegisterMaterial
    | ValidateHold
    | RegisterLot
    | TestLot
    | ReleaseLot
    | RejectLot
    | RecallLot
    | OrderUnit
    | ManufactureUnit
    | TestUnit
    | ReleaseUnit
    | RejectUnit
    | IssueUnit
    | ReceiveUnit
    | VerifyUnit
    | ReconcileUnit
    | ReviewTrigger
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
    | InterruptInfusion
    | ResumeInfusion
    | EndInfusion
    | DispenseDrug
    | ReturnDrug
    | ChangeRegimen
    | SendReport
    | CloseQuery
    | RaiseQuery
    | AnswerQuery
    | ResolveQuery
    | ReopenQuery
    | VerifySource
    | SignCasebook
    | Freeze
    | Unfreeze
    | Lock
    | Unlock
    | Note
    | OrderErasure
    | ConfirmErasure
    | Sign
    | EndScreening
    | Withdraw
    | Correct
    | VoidEvent
)
