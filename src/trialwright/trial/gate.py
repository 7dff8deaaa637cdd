"""What every decision needs: protocol, state, who acts and when; and the refusals that many commands share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from trialwright.core import units
from trialwright.core.finding import Finding, Refused, finding
from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.core.units import COUNT
from trialwright.language.evaluate import Explanation, answer, evaluate
from trialwright.language.facts import Facts
from trialwright.ledger.envelope import NewEvent
from trialwright.protocol.load import compile_answer
from trialwright.protocol.protocol import Protocol
from trialwright.trial import events as e
from trialwright.trial.dose import open_question
from trialwright.trial.facts import facts_of
from trialwright.trial.state import Participant, TrialState


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

    def facts(self) -> Facts:
        """What is recorded about the participant."""
        assert self.participant is not None, "a command about a participant was let through without one"
        return facts_of(self.protocol, self.participant)

    def present(self, identity: str) -> Participant:
        """The participant, or a refusal."""
        if self.participant is None or not self.participant.screened:
            refuse("participant_unknown", participant=identity)
        return self.participant

    def recordable(self, identity: str, what: str, on: str) -> Participant:
        """The participant, where something of that date may be recorded: after consent, before she left."""
        participant = self.present(identity)
        if not participant.consented:
            refuse("consent_missing", participant=identity)
        if partial_date(on).latest < partial_date(participant.consented).earliest:
            refuse("before_consent", what=what, on=on, participant=identity, consented=participant.consented)
        left = participant.withdrawn or participant.screening_ended
        if left and partial_date(on).earliest > partial_date(left).latest:
            refuse("has_left", participant=identity, on=left)
        return participant

    def precedes(self, on: str, earlier: str) -> bool:
        """Whether a date lies certainly before another one."""
        return partial_date(on).latest < partial_date(earlier).earliest

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

    def require(self, action: str, path: str, says: str, facts: Facts, when: PartialDate) -> Finding | None:
        """What is missing for a requirement of the protocol, or nothing where it is met."""
        explained = evaluate(self.protocol.rules[path], facts, when)
        return missing(action, says, explained)


def missing(action: str, says: str, explained: Explanation) -> Finding | None:
    """The refusal for a requirement that is not certainly met."""
    found = answer(explained)
    if found.value == "yes":
        return None
    why = getattr(explained.value, "why", "")
    return finding("requirement_fails", action=action, says=says, answer=found.value, why=f" ({why})" if why else "")


def refuse(code: str, **values: object) -> NoReturn:
    """Refuse with one finding."""
    raise Refused(finding(code, **values))  # type: ignore[arg-type]  # values are texts, never a place or a grade
