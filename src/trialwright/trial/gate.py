"""What every decision needs: protocol, state, who acts and when; and the refusals that many commands share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from trialwright.core import units
from trialwright.core.finding import Finding, Refused, finding
from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.core.truth import Truth
from trialwright.core.units import COUNT
from trialwright.language.evaluate import Explanation, answer, evaluate
from trialwright.language.facts import Facts
from trialwright.language.typed import Typed
from trialwright.ledger.envelope import Event, NewEvent
from trialwright.protocol.adverse_event import ADVERSE_EVENT
from trialwright.protocol.document import Intervention, Requirement
from trialwright.protocol.load import compile_answer
from trialwright.protocol.naming import nearest
from trialwright.protocol.protocol import Protocol
from trialwright.trial import events as e
from trialwright.trial.dose import open_question
from trialwright.trial.facts import facts_of
from trialwright.trial.schedule import encounter_of
from trialwright.trial.state import Participant, TrialState

#: The trigger of the alerts that speak against what was given.
PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class Gate:
    """One command at the gate."""

    protocol: Protocol
    trial: TrialState
    participant: Participant | None
    user: str
    role: str
    now: datetime

    def event(self, type: str, on: str, payload: Mapping[str, Any], reason: str = "") -> NewEvent:
        """An event on the participant's stream."""
        assert self.participant is not None, "a command about a participant was let through without one"
        stream = e.participant_stream(self.participant.identity)
        return NewEvent(stream, type, on, payload, self.participant.site, reason)

    def as_recorded(self, event: NewEvent) -> Event:
        """A new event as the fold will see it, but for its place in the ledger, which it has not got yet."""
        payload, of = dict(event.payload), event
        return Event(
            0, of.stream, 0, of.site, of.type, of.on, "", "", self.user, self.role, of.reason, "", 0,
            self.protocol.digest, "", payload, "", "",
        )  # fmt: skip

    @property
    def follow_up(self) -> Set[str]:
        """The kinds of record that go on whatever else ends: adverse events, pregnancies and children."""
        pregnancy = self.protocol.document.pregnancy
        return {ADVERSE_EVENT, *((pregnancy.record, pregnancy.children) if pregnancy else ())} - {""}

    def facts(self) -> Facts:
        """What is recorded about the participant."""
        assert self.participant is not None, "a command about a participant was let through without one"
        return facts_of(self.protocol, self.participant)

    def present(self, identity: str) -> Participant:
        """The participant, or a refusal."""
        if self.participant is None or not self.participant.screened:
            refuse("participant_unknown", participant=identity)
        return self.participant

    def recordable(self, identity: str, what: str, on: str, kind: str = "") -> Participant:
        """The participant, where something of that date may be recorded: after consent, before she left.

        Records of her safety, of her pregnancies and of her children go on after a withdrawal.
        """
        participant = self.present(identity)
        if not participant.consented:
            refuse("consent_missing", participant=identity)
        if partial_date(on).latest < partial_date(participant.consented).earliest:
            refuse("before_consent", what=what, on=on, participant=identity, consented=participant.consented)
        self.not_left(participant, on, kind)
        return participant

    def not_left(self, participant: Participant, on: str, kind: str = "") -> None:
        """Refuse what is dated after she left, unless follow-up of that kind of record goes on."""
        left = participant.screening_ended or ("" if kind in self.follow_up else participant.withdrawn)
        if left and partial_date(on).earliest > partial_date(left).latest:
            refuse("has_left", participant=participant.identity, on=left)

    def has_visit(self, participant: Participant, encounter: str, record: str) -> None:
        """Refuse a visit that is none of the protocol's, or that is not for a record of hers where it must be."""
        encounters = self.protocol.document.schedule.encounters
        names = [
            full
            for name, one in encounters.items()
            for full in ([f"{name}.{n}" for n in one.each] if one.each else [name])
        ]
        if encounter not in names:
            refuse("encounter_unknown", encounter=encounter, nearest=nearest(encounter, names))
        kind = encounters[encounter_of(encounter)].per
        if record not in (participant.records.get(kind, {}) if kind else ("",)):
            told, of = record or "(not named)", kind or "record for a visit"
            refuse("record_unknown", participant=participant.identity, kind=of, record=told)

    def before_she_left(self, participant: Participant, on: str) -> None:
        """Refuse an act that did not certainly come before she left: on the day of a withdrawal the hour decides."""
        left = participant.screening_ended or participant.withdrawn
        if left and partial_date(on).latest >= partial_date(left).earliest:
            refuse("has_left", participant=participant.identity, on=left)

    def precedes(self, on: str, earlier: str) -> bool:
        """Whether a date lies certainly before another one."""
        return partial_date(on).latest < partial_date(earlier).earliest

    def in_order(self, what: str, on: str, last: str) -> None:
        """Refuse what the fold would place before the last step: certainly before it, or not known to be after."""
        if self.precedes(on, last):
            refuse("before_origin", on=on, origin=f"the last step of {what}", since=last)
        if partial_date(on).earliest < partial_date(last).earliest:
            refuse("time_needed", what=f"This step of {what}", value=on, why=f"the last one was at {last}")

    def not_in_the_future(self, what: str, on: str) -> None:
        """Refuse what is dated after now."""
        try:
            told = partial_date(on)
        except ValueError:
            refuse("fact_unreadable", name=f"The date of {what}", value=on, expected="a date", example="2026-03-09")
        if told.earliest > self.now:
            refuse("in_the_future", what=what, on=on, now=self.now.isoformat(timespec="minutes"))

    def not_blocked(self, action: str) -> None:
        """Refuse an action that an open question blocks, naming every such question."""
        blocking = [
            open_question(self.protocol, name, action)
            for name, assumption in self.protocol.document.assumptions.items()
            if action in assumption.blocks and not assumption.choice and name not in self.trial.answers
        ]
        if blocking:
            raise Refused(*blocking)

    def computes(self, text: str, unit: str) -> bool:
        """Whether an answer computes an amount in a unit; refuse what is no expression of the language."""
        type = compile_answer(self.protocol, text).type
        try:
            units.convert(Decimal(1), type.unit or COUNT, units.unit(unit or "1") or COUNT)
        except ValueError:
            return False
        return type.is_a == "amount"

    def meets(
        self,
        action: str,
        path: str,
        requirements: Sequence[Requirement],
        facts: Facts,
        when: PartialDate,
        conditional: bool = False,
    ) -> list[str]:
        """Refuse unless every requirement certainly holds; what may come later and is unknown yet is returned.

        `path` is that of the list in the document. Only a release may be `conditional`; giving waits for all. Of a
        participant whose arm is sealed everything is asked.
        """
        failing: list[Finding] = []
        outstanding: list[str] = []
        arm = self.participant.allocation.arm if self.participant and self.participant.allocation else ""
        for index, requirement in enumerate(requirements):
            if arm and requirement.arms and arm not in requirement.arms:
                continue
            rule = self.protocol.rules[f"{path}.{index}.rule"]
            explained = evaluate(rule, facts, when)
            may_wait = conditional and requirement.later and answer(explained) is Truth.UNKNOWN
            if may_wait and not _broken_by_one(rule, facts, when):
                outstanding.append(requirement.says)
            elif answer(explained) is not Truth.YES:
                failing.append(missing(action, requirement.says, explained))
        if failing:
            raise Refused(*failing)
        return outstanding

    def fails(self, path: str, requirements: Sequence[Requirement], facts: Facts, when: PartialDate) -> list[str]:
        """What certainly does not hold of a list of requirements."""
        return [
            one.says
            for index, one in enumerate(requirements)
            if answer(evaluate(self.protocol.rules[f"{path}.{index}.rule"], facts, when)) is Truth.NO
        ]

    def not_refuted(
        self, action: str, path: str, requirements: Sequence[Requirement], facts: Facts, when: PartialDate
    ) -> None:
        """Refuse what a result speaks against, be it of that day or of a later one that is known already."""
        dates = {one.date for told in facts.observations.values() for one in told if one.date is not None}
        for date in (when, *sorted(date for date in dates if date.latest > when.latest)):
            for says in self.fails(path, requirements, facts, date):
                refuse("requirement_fails", action=action, says=says, answer=Truth.NO.value, why=f" (by {date})")

    def intervention(self, name: str) -> Intervention:
        """The intervention, or a refusal."""
        interventions = self.protocol.document.interventions
        if name not in interventions:
            refuse("intervention_unknown", intervention=name, nearest=nearest(name, interventions))
        return interventions[name]

    def in_her_arm(self, intervention: str, on: str) -> None:
        """Refuse what is not given in the participant's arm, or before she has one."""
        assert self.participant is not None, "a command about a participant was let through without one"
        participant, arms = self.participant, self.protocol.document.arms
        if participant.allocation is None or self.precedes(on, participant.allocation.on):
            refuse("not_allocated", intervention=intervention, participant=participant.identity)
        arm = participant.allocation.arm
        if arm and intervention not in arms[arm].gives:
            refuse("not_in_arm", intervention=intervention, participant=participant.identity, arm=arm)
        if not arm and not all(intervention in one.gives for one in arms.values()):
            refuse("not_in_arm", intervention=intervention, participant=participant.identity, arm="sealed")

    def not_paused(self, action: str) -> None:
        """Refuse what adds to the exposure while the trial is paused, naming each alert that nobody has lifted."""
        pausing = [one for one in self.trial.alerts.values() if one.pauses]
        if pausing:
            raise Refused(
                *(finding("trial_paused", action=action, alert=one.identity, says=one.says) for one in pausing)
            )

    def not_called_back(self, action: str) -> None:
        """Refuse an act on a participant whose product an alert speaks against, until the board has looked at it."""
        assert self.participant is not None, "a command about a participant was let through without one"
        who = self.participant.identity
        alerts = self.trial.alerts.values()
        waiting = [one for one in alerts if one.trigger == PRODUCT and who in one.recipients and not one.decision]
        if waiting:
            raise Refused(
                *(finding("product_in_doubt", action=action, alert=one.identity, says=one.says) for one in waiting)
            )

    def no_doubt_about(self, items: Set[str], action: str) -> None:
        """Refuse an act that rests on a value which somebody has asked about and nobody has answered for."""
        assert self.participant is not None, "a command about a participant was let through without one"
        asked = {name: one for name, one in self.participant.queries.items() if one.item in items}
        if asked:
            raise Refused(
                *(finding("query_open", action=action, query=name, item=one.item, says=one.says)
                  for name, one in asked.items())
            )  # fmt: skip

    def role_is(self, needed: str, what: str) -> None:
        """Refuse whoever acts in another role."""
        if self.role != needed:
            refuse("role_wrong", what=what, needed=needed, user=self.user, role=self.role)


def _broken_by_one(rule: Typed, facts: Facts, when: PartialDate) -> bool:
    """Whether one result says no by itself: results that contradict each other are unknown, and yet not outstanding."""
    alone = (Facts({name: [one]}) for name, told in facts.observations.items() for one in told)
    return any(answer(evaluate(rule, one, when)) is Truth.NO for one in alone)


def missing(action: str, says: str, explained: Explanation) -> Finding:
    """The refusal for a requirement that is not certainly met."""
    found = answer(explained)
    why = getattr(explained.value, "why", "")
    return finding("requirement_fails", action=action, says=says, answer=found.value, why=f" ({why})" if why else "")


def refuse(code: str, **values: object) -> NoReturn:
    """Refuse with one finding."""
    raise Refused(finding(code, **values))  # type: ignore[arg-type]  # values are texts, never a place or a grade
