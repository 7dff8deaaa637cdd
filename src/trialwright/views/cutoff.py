"""What every view is a view of: a protocol, the folded state, and the day on which it is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from trialwright.core.partial_date import PartialDate, on_day
from trialwright.protocol.protocol import Protocol
from trialwright.trial.state import Participant, TrialState

ALL = "all"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class CutOff:
    """The trial as it is known on a day; `protocol` is the version that the views read by. One is like no other."""

    protocol: Protocol
    trial: TrialState
    participants: Mapping[str, Participant]
    today: date

    @property
    def when(self) -> PartialDate:
        """The day as a reference time."""
        return on_day(self.today)


def arm_of(participant: Participant) -> str:
    """The arm as this reader may see it; nothing where the allocation is sealed."""
    return participant.allocation.arm if participant.allocation else ""


def arms_shown(cut: CutOff) -> tuple[str, ...]:
    """The arms to report apart: those of the protocol, or all women together where the allocation is sealed."""
    if cut.protocol.document.allocation.method == "sealed list":
        return (ALL,)
    return tuple(cut.protocol.document.arms)


def in_arm(participants: list[Participant], arm: str) -> list[Participant]:
    """The participants of an arm, or all of them."""
    return [one for one in participants if arm in (ALL, arm_of(one))]
