"""The virtual pharmacy: tablets for the next weeks of a regimen, and what is left taken back at its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from math import ceil

import numpy as np

from trialwright.ledger.envelope import Event
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial.office import Office
from trialwright.trial.regimen import course
from trialwright.trial.state import Participant
from trialwright.trial.tablets import drugs, plan_end, planned_tablets

#: Tablets are handed out for so many days at a time, and looked at again well before they are used up.
_SUPPLY, _AGAIN = timedelta(days=28), timedelta(days=21)
#: Of the planned tablets a woman takes about so many: an assumption.
_TAKEN = 0.98

Submit = Callable[[c.Command, str, date], list[Event]]


class Pharmacy:
    """Hands out and takes back the tablets of regimens that name a strength."""

    def __init__(self, protocol: Protocol, office: Office, submit: Submit) -> None:
        self.protocol = protocol
        self.office = office
        self.submit = submit

    def serve(self, who: str, intervention: str, record: str, day: date, dice: np.random.Generator) -> date | None:
        """Tablets for what is planned next; when to look again, or None where the plan is over."""
        participant = self.office.participant(who)
        if participant.withdrawn:
            return None
        plan = course(self.protocol, participant, intervention, record, day)
        strengths = {line.drug: line.strength for line in plan.lines if line.strength}
        over = True
        for drug in drugs(plan):
            if drug not in strengths:
                continue
            bound = plan_end(plan, drug).bound
            ended = bound is not None and bound < day
            upto = day + _SUPPLY if bound is None else min(bound, day + _SUPPLY)
            planned = planned_tablets(plan, drug, bound if ended and bound else upto)
            if planned is None:
                continue
            held = _held(participant, record, drug)
            if ended:
                taken = min(held, int(dice.binomial(int(planned), _TAKEN)))
                if held > taken:
                    back = c.ReturnDrug(who, intervention, record, drug, strengths[drug], held - taken, str(day))
                    self.submit(back, "coordinator", day)
                continue
            over = False
            if ceil(planned) > held:
                out = c.DispenseDrug(who, intervention, record, drug, strengths[drug], ceil(planned) - held, str(day))
                self.submit(out, "coordinator", day)
        return None if over else day + _AGAIN


def _held(participant: Participant, record: str, drug: str) -> int:
    """Tablets handed out for a course and not taken back."""
    return sum(one.count for one in participant.tablets if (one.record, one.drug) == (record, drug))
