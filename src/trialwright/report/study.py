"""Everything that a report is made of: a ledger, opened and folded, as known at a sequence number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from trialwright.analysis.plan import analyse
from trialwright.analysis.results import Analysis
from trialwright.core.finding import Refused, finding
from trialwright.ledger.chain import Checkpoint, checkpoint
from trialwright.ledger.history import last_by
from trialwright.ledger.store import Header, Ledger
from trialwright.protocol.protocol import Protocol
from trialwright.trial import events as e
from trialwright.trial.office import in_force, local_time, read_protocol, whole_state
from trialwright.views.adverse_events import AdverseEventRow, adverse_events
from trialwright.views.analysis_sets import SetRow, analysis_sets
from trialwright.views.core_outcomes import CoreOutcome, core_outcomes
from trialwright.views.cutoff import CutOff
from trialwright.views.deviations import Deviation, deviations
from trialwright.views.flow import Flow, flow
from trialwright.views.pregnancies import TransferRow, transfers
from trialwright.views.screening_log import ScreeningRow, screening_log
from trialwright.views.worklist import Work, worklist


@dataclass(frozen=True, slots=True)
class Study:
    """A trial on a day, with every view and figure that a report prints.

    `known` says as known when, where the report does not rest on everything in the ledger.
    """

    header: Header
    checkpoint: Checkpoint
    cut: CutOff
    flow: Flow
    screening: tuple[ScreeningRow, ...]
    analysis: Analysis
    deviations: tuple[Deviation, ...]
    worklist: tuple[Work, ...]
    adverse_events: tuple[AdverseEventRow, ...]
    sets: tuple[SetRow, ...]
    transfers: tuple[TransferRow, ...]
    core: tuple[CoreOutcome, ...]
    scenario: str
    known: str


def open_study(
    ledger: Ledger, today: date | None = None, known: int | str | None = None, protocol: Protocol | None = None
) -> Study:
    """The study in a ledger: as true on `today`, as known at `known`.

    `known` is a sequence number, a UTC time or a UTC day; by default everything that is in the ledger. `today` is by
    default the day of the last recording that is known; what happened later is left out. `protocol` spares reading it
    from the ledger, where it is at hand. `Refused` where nothing of a protocol was known then.
    """
    if isinstance(known, int) and not 0 < known <= ledger.last():
        raise Refused(finding("thing_unknown", thing=f"event {known}", nearest=f" The last event is {ledger.last()}."))
    last = last_day(ledger, known)
    trial, participants = whole_state(ledger, known, today)
    if not trial.protocols:
        first = next((event for event in ledger.events()), None)
        raise Refused(finding("nothing_known_then", first=f"{first.on}, recorded {first.at}" if first else "none"))
    digest = in_force(trial)
    if protocol is None or protocol.digest != digest:
        protocol = read_protocol(ledger, trial.protocols[digest])
    cut = CutOff(protocol, trial, participants, today or last)
    return _viewed(ledger.header, checkpoint(ledger), cut, scenario_text(ledger), "" if known is None else str(known))


def study_of(study: Study) -> Study:
    """The study anew, every view and figure of its cut-off computed again."""
    return _viewed(study.header, study.checkpoint, study.cut, study.scenario, study.known)


def _viewed(header: Header, point: Checkpoint, cut: CutOff, scenario: str, known: str) -> Study:
    return Study(
        header, point, cut, flow(cut), tuple(screening_log(cut)), analyse(cut), tuple(deviations(cut)),
        tuple(worklist(cut)), tuple(adverse_events(cut)), tuple(analysis_sets(cut)), tuple(transfers(cut)),
        tuple(core_outcomes(cut)), scenario, known,
    )  # fmt: skip


def last_day(ledger: Ledger, upto: int | str | None = None) -> date:
    """The day of the last recording known at `upto`, where it was recorded."""
    last = last_by(ledger.recorded(), upto) if isinstance(upto, str) else ledger.last() if upto is None else upto
    for event in ledger.events(after=last - 1, upto=last):
        return local_time(event.at, event.zone).date()
    return date(2000, 1, 1)


def scenario_text(ledger: Ledger) -> str:
    """What the scenario of a rehearsal assumes, in its own words; nothing for a real trial."""
    for event in ledger.events(types=[e.REHEARSAL_REGISTERED]):
        return str(event.payload.get("scenario") or "")
    return ""
