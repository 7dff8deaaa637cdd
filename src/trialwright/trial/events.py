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
# product lots
LOT_REGISTERED: Final = "lot.registered/1"  # lot, product
LOT_TESTED: Final = "lot.tested/1"  # lot, results
LOT_RELEASED: Final = "lot.released/1"  # lot, answers per requirement, basis
LOT_REJECTED: Final = "lot.rejected/1"  # lot
# a participant
SCREENED: Final = "participant.screened/1"
CONSENTED: Final = "participant.consented/1"  # version
OBSERVED: Final = "observation.recorded/1"  # item, value or not_done, attributes, person, normal
RECORD_ADDED: Final = "record.added/1"  # kind, record, parent, fields
RECORD_COMPLETED: Final = "record.completed/1"  # kind, record, fields
LIST_CLOSED: Final = "list.closed/1"  # list
ELIGIBILITY_DETERMINED: Final = "eligibility.determined/1"  # verdict, answers, basis, protocol
ENROLLED: Final = "participant.enrolled/1"  # number
ALLOCATED: Final = "allocation.made/1"  # arm or sealed position, decided_by, answers, basis
DOSE_DETERMINED: Final = "dose.determined/1"  # intervention, record, planned, prepared, ratio, lot, basis
PERFORMED: Final = "procedure.performed/1"  # intervention, kind, record, parent, fields, steps, lot, answers, basis
VISIT_HELD: Final = "visit.held/1"  # encounter, record
VISIT_MISSED: Final = "visit.missed/1"  # encounter, record
QUERY_OPENED: Final = "query.opened/1"  # query, item, says
QUERY_CLOSED: Final = "query.closed/1"  # query, answer
NOTED: Final = "note.recorded/1"  # text as ciphertext
SCREENING_ENDED: Final = "screening.ended/1"
WITHDRAWN: Final = "participant.withdrawn/1"

#: What every decision about anybody may depend on: the second, small fold.
TRIAL_WIDE: Final = frozenset(
    {
        OPENED,
        PROTOCOL_REGISTERED,
        PROTOCOL_ACTIVATED,
        QUESTION_ANSWERED,
        LOT_REGISTERED,
        LOT_TESTED,
        LOT_RELEASED,
        LOT_REJECTED,
        SCREENED,
        ENROLLED,
        ALLOCATED,
        DOSE_DETERMINED,
        WITHDRAWN,
        SCREENING_ENDED,
        CORRECTED,
        VOIDED,
    }
)

TRIAL: Final = "trial"


def participant_stream(participant: str) -> str:
    """The stream of a participant's events."""
    return f"participant/{participant}"


def lot_stream(lot: str) -> str:
    """The stream of a product lot's events."""
    return f"lot/{lot}"
