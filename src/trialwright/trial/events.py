"""The types of events that a trial's ledger holds: names we own, each with a version, never an import path."""

from __future__ import annotations

from typing import Final

from trialwright.ledger.envelope import CORRECTED, VOIDED

# the trial
OPENED: Final = "ledger.opened/1"
PROTOCOL_REGISTERED: Final = "protocol.registered/1"  # digest, files by digest
PROTOCOL_ACTIVATED: Final = "protocol.activated/1"  # digest, approval; per site
REHEARSAL_REGISTERED: Final = "rehearsal.registered/1"  # the model of a virtual trial, by digest
QUESTION_ANSWERED: Final = "question.answered/1"  # question, answer, from_file
BOUNDARY_COMPUTED: Final = "boundary.computed/1"  # prior, p0, threshold, pause_at
BOUNDARY_COUNTED: Final = "boundary.counted/1"  # participant, record, events, treated, basis
TRIGGER_RAISED: Final = "trigger.raised/1"  # alert, trigger, source, participant, record, recipients, …
TRIGGER_REVIEWED: Final = "trigger.reviewed/1"  # alert, decision, basis
DELEGATED: Final = "delegation.made/1"  # delegation, user, role, begins, ends, training; per site, or for every site
DELEGATION_ENDED: Final = "delegation.ended/1"  # delegation
# where a product comes from: donor, tissue, bank, lot
DONOR_REGISTERED: Final = "donor.registered/1"  # donor, product, participant where the cells are her own
DONOR_TESTED: Final = "donor.tested/1"  # donor, results
DONOR_ACCEPTED: Final = "donor.accepted/1"  # donor, answers, basis
DONOR_REJECTED: Final = "donor.rejected/1"  # donor
MATERIAL_REGISTERED: Final = "material.registered/1"  # material, kind, parent, passage, details
HOLD_VALIDATED: Final = "hold.validated/1"  # product, hours, report
LOT_REGISTERED: Final = "lot.registered/1"  # lot, product, parent, passage
LOT_TESTED: Final = "lot.tested/1"  # lot, results
LOT_RELEASED: Final = "lot.released/1"  # lot, conditional, answers per requirement, basis
LOT_REJECTED: Final = "lot.rejected/1"  # lot
LOT_RECALLED: Final = "lot.recalled/1"  # lot, recipients
# a unit: what is prepared from a lot for one participant
UNIT_ORDERED: Final = "unit.ordered/1"  # unit, participant, intervention, product, planned, results, basis
UNIT_MANUFACTURED: Final = "unit.manufactured/1"  # unit, lot, what was prepared and when it expires
UNIT_TESTED: Final = "unit.tested/1"  # unit, results
UNIT_RELEASED: Final = "unit.released/1"  # unit, conditional, outstanding, ratio, approved_by, answers, basis
UNIT_REJECTED: Final = "unit.rejected/1"  # unit
UNIT_ISSUED: Final = "unit.issued/1"  # unit, logger
UNIT_RECEIVED: Final = "unit.received/1"  # unit, coldest, warmest, intact
UNIT_VERIFIED: Final = "unit.verified/1"  # unit, participant
UNIT_RECONCILED: Final = "unit.reconciled/1"  # unit, disposal
# a participant
SCREENED: Final = "participant.screened/1"
CONSENTED: Final = "participant.consented/1"  # version
OBSERVED: Final = "observation.recorded/1"  # item, value or not_done, attributes, person, normal, visit
RECORD_ADDED: Final = "record.added/1"  # kind, record, parent, fields
RECORD_COMPLETED: Final = "record.completed/1"  # kind, record, fields
LIST_CLOSED: Final = "list.closed/1"  # list
ELIGIBILITY_DETERMINED: Final = "eligibility.determined/1"  # verdict, answers, basis, protocol
ENROLLED: Final = "participant.enrolled/1"  # number
ALLOCATED: Final = "allocation.made/1"  # arm or sealed position, decided_by, answers, basis
DOSE_DETERMINED: Final = "dose.determined/1"  # intervention, record, planned, prepared, ratio, unit, lot, basis
PERFORMED: Final = "procedure.performed/1"  # intervention, kind, record, parent, fields, steps, unit, lot, answers
INFUSION_INTERRUPTED: Final = "infusion.interrupted/1"  # unit, left
INFUSION_RESUMED: Final = "infusion.resumed/1"  # unit
INFUSION_ENDED: Final = "infusion.ended/1"  # unit, outcome, infused, flush, delivered, ratio, after_expiry
DRUG_DISPENSED: Final = "drug.dispensed/1"  # intervention, record, drug, strength, tablets
DRUG_RETURNED: Final = "drug.returned/1"  # intervention, record, drug, strength, tablets
REGIMEN_CHANGED: Final = "regimen.changed/1"  # intervention, record, drug, dose or stop, decided_by
REPORT_SENT: Final = "report.sent/1"  # kind, record, rule, to
VISIT_HELD: Final = "visit.held/1"  # encounter, record
VISIT_MISSED: Final = "visit.missed/1"  # encounter, record
QUERY_OPENED: Final = "query.opened/1"  # query, item, says
QUERY_CLOSED: Final = "query.closed/1"  # query, answer
QUERY_RAISED: Final = "query.raised/1"  # query, item, says, event, field, encounter, record; by a person
QUERY_ANSWERED: Final = "query.answered/1"  # query, answer; of one that a person raised
QUERY_RESOLVED: Final = "query.resolved/1"  # query; by the role that raised it
QUERY_REOPENED: Final = "query.reopened/1"  # query; a reason
SOURCE_VERIFIED: Final = "source.verified/1"  # encounter, record, verified (each event with its hash)
CASEBOOK_SIGNED: Final = "casebook.signed/1"  # last, hash: of the last event that is signed
DATA_FROZEN: Final = "data.frozen/1"  # encounter, record; neither: all of hers; a reason
DATA_UNFROZEN: Final = "data.unfrozen/1"  # encounter, record; a reason
DATA_LOCKED: Final = "data.locked/1"  # scope: participant, site or trial; a participant's on her stream
DATA_UNLOCKED: Final = "data.unlocked/1"  # scope; a reason
SIGNED: Final = "signature.made/1"  # meaning, name, method, signed; on the stream of what is signed
NOTED: Final = "note.recorded/1"  # text as ciphertext
ERASURE_ORDERED: Final = "erasure.ordered/1"  # of her name and her free text; a reason
ERASURE_CONFIRMED: Final = "erasure.confirmed/1"  # from then on the vault has no key of hers
SCREENING_ENDED: Final = "screening.ended/1"
WITHDRAWN: Final = "participant.withdrawn/1"

#: What happens to donors, materials, lots and units, in their own streams or in a participant's.
OF_PRODUCTS: Final = frozenset(
    {
        DONOR_REGISTERED,
        DONOR_TESTED,
        DONOR_ACCEPTED,
        DONOR_REJECTED,
        MATERIAL_REGISTERED,
        HOLD_VALIDATED,
        LOT_REGISTERED,
        LOT_TESTED,
        LOT_RELEASED,
        LOT_REJECTED,
        LOT_RECALLED,
        UNIT_ORDERED,
        UNIT_MANUFACTURED,
        UNIT_TESTED,
        UNIT_RELEASED,
        UNIT_REJECTED,
        UNIT_ISSUED,
        UNIT_RECEIVED,
        UNIT_VERIFIED,
        UNIT_RECONCILED,
        DOSE_DETERMINED,
        INFUSION_INTERRUPTED,
        INFUSION_RESUMED,
        INFUSION_ENDED,
    }
)

#: What is entered about a participant, and what is decided and done about her: her casebook.
CASEBOOK: Final = frozenset(
    {
        SCREENED,
        CONSENTED,
        OBSERVED,
        RECORD_ADDED,
        RECORD_COMPLETED,
        LIST_CLOSED,
        ELIGIBILITY_DETERMINED,
        ENROLLED,
        ALLOCATED,
        DOSE_DETERMINED,
        PERFORMED,
        INFUSION_INTERRUPTED,
        INFUSION_RESUMED,
        INFUSION_ENDED,
        DRUG_DISPENSED,
        DRUG_RETURNED,
        REGIMEN_CHANGED,
        VISIT_HELD,
        VISIT_MISSED,
        NOTED,
        SCREENING_ENDED,
        WITHDRAWN,
    }
)

#: What a monitor compares with the source: what was entered, not what was decided on it.
VERIFIABLE: Final = frozenset(
    {
        CONSENTED,
        OBSERVED,
        RECORD_ADDED,
        RECORD_COMPLETED,
        PERFORMED,
        DRUG_DISPENSED,
        DRUG_RETURNED,
        REGIMEN_CHANGED,
        VISIT_HELD,
        VISIT_MISSED,
        WITHDRAWN,
    }
)

#: The life of a query, by whomever it was asked.
OF_QUERIES: Final = frozenset(
    {QUERY_OPENED, QUERY_CLOSED, QUERY_RAISED, QUERY_ANSWERED, QUERY_RESOLVED, QUERY_REOPENED}
)

#: What is said about the casebook and is no part of it. Each is ended by an order of its own, and never taken back.
OF_REVIEW: Final = frozenset(
    {
        QUERY_RAISED,
        QUERY_ANSWERED,
        QUERY_RESOLVED,
        QUERY_REOPENED,
        SOURCE_VERIFIED,
        CASEBOOK_SIGNED,
        DATA_FROZEN,
        DATA_UNFROZEN,
        DATA_LOCKED,
        DATA_UNLOCKED,
    }
)


#: What the trial keeps of a participant under her name alone.
MILESTONES: Final = frozenset({SCREENED, ENROLLED, ALLOCATED, WITHDRAWN, SCREENING_ENDED})

#: What every decision about anybody may depend on: the second, small fold.
TRIAL_WIDE: Final = frozenset(
    {
        OPENED,
        PROTOCOL_REGISTERED,
        PROTOCOL_ACTIVATED,
        QUESTION_ANSWERED,
        BOUNDARY_COMPUTED,
        BOUNDARY_COUNTED,
        TRIGGER_RAISED,
        TRIGGER_REVIEWED,
        DELEGATED,
        DELEGATION_ENDED,
        *OF_PRODUCTS,
        *MILESTONES,
        DATA_LOCKED,
        DATA_UNLOCKED,
        ERASURE_ORDERED,
        ERASURE_CONFIRMED,
        CORRECTED,
        VOIDED,
    }
)

TRIAL: Final = "trial"


def participant_stream(participant: str) -> str:
    """The stream of a participant's events."""
    return f"participant/{participant}"


def stream_of(kind: str, identity: str) -> str:
    """The stream of a donor's, a material's, a lot's or a unit's events: `lot/L-1`."""
    return f"{kind}/{identity}"
