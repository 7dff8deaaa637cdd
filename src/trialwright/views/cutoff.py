"""What every view is a view of: a protocol, the folded state, and the day on which it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from trialwright.core.partial_date import PartialDate, on_day
from trialwright.protocol.protocol import Protocol
from trialwright.trial.state import Participant, TrialState

ALL = "all"

_T = TypeVar("_T")


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


#: What was computed of a cut-off, for as long as somebody looks at it.
_KNOWN: WeakKeyDictionary[CutOff, dict[str, Any]] = WeakKeyDictionary()


def once(cut: CutOff, name: str, make: Callable[[], _T]) -> _T:
    """What `make` gives, made once for a cut-off: a report asks for the same rows many times."""
    known = _KNOWN.setdefault(cut, {})
    if name not in known:
        known[name] = make()
    found: _T = known[name]
    return found


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
