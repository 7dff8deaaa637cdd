"""The virtual safety desk: a serious event is reported, judged by the sponsor, followed up, and closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import numpy as np

from trialwright.language.facts import RecordEntry
from trialwright.language.values import show
from trialwright.ledger.envelope import Event
from trialwright.protocol.adverse_event import ADVERSE_EVENT
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial.clocks import Due, Sent, clocks
from trialwright.trial.facts import facts_of
from trialwright.trial.instants import instants
from trialwright.trial.office import Office
from trialwright.views.reportable import reportable

#: What is due within this time is sent at once; the rest when the sponsor has judged.
_PRESSING = timedelta(hours=36)
#: How often a report is forgotten until the next day: an assumption.
_FORGOTTEN = 0.1
#: The days after awareness on which it is judged, the committee gives its opinion, and it is closed.
JUDGED, OPINION, CLOSED = 1, 7, 14

_OPEN = ("running", "overdue", "at once", "unknown")

Submit = Callable[[c.Command, str, date], list[Event]]


class SafetyDesk:
    """Sends what the clocks of the protocol's packs ask for, as investigator and as sponsor."""

    def __init__(self, protocol: Protocol, office: Office, submit: Submit) -> None:
        self.protocol = protocol
        self.office = office
        self.submit = submit

    def receive(self, who: str, record: str, day: date, dice: np.random.Generator) -> None:
        """The day on which the site learns of it: pressing reports go out, unless somebody forgets."""
        for due in self._open(who, record, day):
            pressing = due.standing == "at once" or (due.left is not None and due.left <= _PRESSING)
            if pressing and dice.random() >= _FORGOTTEN:
                self._send(who, record, due, day)

    def judge(self, who: str, record: str, day: date, dice: np.random.Generator) -> None:
        """The sponsor's opinion, which here is the investigator's, once in ten a step less; then all reports."""
        entry = self._entry(who, record)
        told = entry.fields.get("related")
        related = show(told.value) if told is not None and told.value is not None else "possible"
        opinion = "unlikely" if related == "possible" and dice.random() < 0.1 else related
        term = entry.fields.get("term")
        terms = {one for listed in self.protocol.document.safety.expected.values() for one in listed}
        expected = "yes" if term is not None and term.value is not None and show(term.value) in terms else "no"
        moment = f"{day}T09:00"
        fields = {"related_sponsor": opinion, "expected": expected, "sponsor_aware": moment, "determined": moment}
        self._complete(who, record, fields, "sponsor", day)
        for due in self._open(who, record, day):
            self._send(who, record, due, day)

    def hear(self, who: str, record: str, day: date) -> None:
        """The opinion of the ethics committee."""
        self._complete(who, record, {"opinion": f"{day}T09:00"}, "investigator", day)
        for due in self._open(who, record, day):
            self._send(who, record, due, day)

    def close(self, who: str, record: str, day: date) -> None:
        """The event is over, and what was still to be reported of it is."""
        fields = {"outcome": "recovered", "ended": str(day), "handled": f"{day}T09:00"}
        self._complete(who, record, fields, "investigator", day)
        for due in self._open(who, record, day):
            self._send(who, record, due, day)

    def _entry(self, who: str, record: str) -> RecordEntry:
        entries = facts_of(self.protocol, self.office.participant(who)).records[ADVERSE_EVENT]
        return next(one for one in entries if one.identity == record)

    def _open(self, who: str, record: str, day: date) -> list[Due]:
        """The clocks that run, as things stand at nine in the morning."""
        participant = self.office.participant(who)
        sent = [Sent(one.rule, one.on, one.by) for one in participant.reports if one.record == record]
        now = instants(f"{day}T09:00", self.protocol.document.zone).earliest
        event = reportable(self.protocol, participant, self._entry(who, record))
        found = clocks(event, self.protocol.document.safety.clocks, sent, now)
        return [due for due in found if not due.sent_at and due.standing in _OPEN]

    def _send(self, who: str, record: str, due: Due, day: date) -> None:
        role = "sponsor" if "sponsor" in due.who.lower() else "investigator"
        command = c.SendReport(who, ADVERSE_EVENT, record, due.rule, due.to_whom, f"{day}T09:00")
        self.submit(command, role, day)

    def _complete(self, who: str, record: str, fields: Mapping[str, str], role: str, day: date) -> None:
        declared = self.protocol.vocabulary.records[ADVERSE_EVENT].fields
        told = {name: text for name, text in fields.items() if name in declared}
        self.submit(c.CompleteRecord(who, ADVERSE_EVENT, record, str(day), told), role, day)
