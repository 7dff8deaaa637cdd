"""An adverse event or a pregnancy for the clocks of reporting, from the standard fields of its record."""

from __future__ import annotations

from datetime import datetime

from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.core.truth import Truth, any_of, truth
from trialwright.language.facts import RecordEntry
from trialwright.language.values import Amount, Kinds
from trialwright.ledger.envelope import Event
from trialwright.protocol.adverse_event import CRITERIA as FIELDS
from trialwright.protocol.protocol import Protocol
from trialwright.trial.clocks import CRITERIA, Reportable
from trialwright.trial.instants import local_text
from trialwright.trial.state import Participant
from trialwright.views.graded_events import NOT_RECORDED, related_by, term_of, yes_no

#: What makes an event serious: the field of the record, and the same in the words of the clocks.
_CRITERIA = dict(zip(FIELDS, CRITERIA, strict=True))
#: Where the awareness comes from that nobody entered.
RECORDING = "the moment at which it was first recorded"
THREATENING = frozenset({"death", "life-threatening"})


def reportable(protocol: Protocol, participant: Participant, entry: RecordEntry) -> Reportable:
    """An adverse event for the clocks, from the standard fields of its record.

    The investigator is aware from the field `aware`, else from the moment at which the event was first recorded.
    Related is yes where either assessor holds it possible, probable or definite, and no only where both do not, so
    that a sponsor never downgrades. `Refused` where a time cannot be read.
    """
    return Reportable(
        identity=f"{participant.identity} {entry.kind} {entry.identity}",
        kind="adverse event",
        zone=protocol.document.zone,
        happened=str(entry.date or ""),
        aware=awareness(protocol, participant, entry)[0],
        sponsor_aware=_entered(entry, "sponsor_aware"),
        determined=_entered(entry, "determined"),
        opinion=_entered(entry, "opinion"),
        handled=_entered(entry, "handled"),
        serious=yes_no(entry, "serious"),
        criteria=criteria_of(entry),
        related=relatedness(entry),
        unexpected=unexpectedness(protocol, participant, entry)[0],
    )


def reportable_pregnancy(protocol: Protocol, participant: Participant, entry: RecordEntry, known: Event) -> Reportable:
    """A pregnancy for the clocks, from the event that made it known; `Refused` where a time cannot be read.

    It is no serious event by itself: only rules about pregnancies apply to it.
    """
    return Reportable(
        identity=f"{participant.identity} {entry.kind} {entry.identity}",
        kind="pregnancy",
        zone=protocol.document.zone,
        happened=known.on,
        aware=recorded_at(known, protocol.document.zone),
        serious=Truth.NO,
        related=Truth.UNKNOWN,
        unexpected=Truth.UNKNOWN,
    )


def serious_by(entry: RecordEntry) -> Truth:
    """Whether an event is serious: by the word of the investigator, or because a criterion is met."""
    return yes_no(entry, "serious") | truth(bool(criteria_of(entry)))


def relatedness(entry: RecordEntry) -> Truth:
    """Whether investigator or sponsor holds it related; no only where both do not."""
    return related_by(entry.fields.get("related")) | related_by(entry.fields.get("related_sponsor"))


def criteria_of(entry: RecordEntry) -> frozenset[str]:
    """The criteria of seriousness that are met, in the words of the clocks; a fatal outcome or grade 5 is a death."""
    found = {words for field, words in _CRITERIA.items() if yes_no(entry, field) is Truth.YES}
    return frozenset(found | {"death"}) if fatal(entry) else frozenset(found)


def awareness(protocol: Protocol, participant: Participant, entry: RecordEntry) -> tuple[str, str]:
    """Since when the investigator was aware, and whether that was entered or is the moment of recording."""
    entered = _entered(entry, "aware")
    if entered:
        return entered, "entered by the site"
    first = min(participant.records[entry.kind][entry.identity], key=lambda event: event.seq)
    return recorded_at(first, protocol.document.zone), RECORDING


def unexpectedness(protocol: Protocol, participant: Participant, entry: RecordEntry) -> tuple[Truth, str]:
    """Whether an event is unexpected, and who says so.

    The sponsor's word counts; without it, an event is expected whose term the protocol lists for an intervention
    that she had before it. The list holds terms alone: that it covers a death or a threat to life is not known.
    """
    said = yes_no(entry, "expected")
    if said is not Truth.UNKNOWN:
        return ~said, "the sponsor"
    lists, source, term = protocol.document.safety.expected, "the list of the protocol", term_of(entry)
    if term == NOT_RECORDED:
        return Truth.UNKNOWN, "nobody: the term is not recorded"
    expected = any_of(_had_before(participant, name, entry.date) for name, terms in lists.items() if term in terms)
    if expected is Truth.YES and criteria_of(entry) & THREATENING:
        return Truth.UNKNOWN, f"{source}, which says nothing of a death or a threat to life"
    return ~expected, source


def fatal(entry: RecordEntry) -> bool:
    """Whether she died of it, by its outcome or its grade."""
    outcome, grade = entry.fields.get("outcome"), entry.fields.get("grade")
    died = outcome is not None and isinstance(outcome.value, Kinds) and outcome.value.possible == {"fatal"}
    return died or (grade is not None and isinstance(grade.value, Amount) and grade.value.interval.low == 5)


def recorded_at(event: Event, zone: str) -> str:
    """The local minute at which an event was recorded."""
    return local_text(datetime.fromisoformat(event.at.replace("Z", "+00:00")), zone)


def _had_before(participant: Participant, intervention: str, when: PartialDate | None) -> Truth:
    """Whether she had an intervention before a date; unknown where the dates leave the order open."""
    dates = [
        partial_date(event.on) for event in participant.performed if event.payload.get("intervention") == intervention
    ]
    if when is None:
        return Truth.UNKNOWN if dates else Truth.NO
    return any_of(_not_after(one, when) for one in dates)


def _not_after(one: PartialDate, when: PartialDate) -> Truth:
    if one.latest <= when.earliest:
        return Truth.YES
    return Truth.NO if one.earliest > when.latest else Truth.UNKNOWN


def _entered(entry: RecordEntry, name: str) -> str:
    said = entry.fields.get(name)
    return said.entered if said is not None and said.value is not None else ""
