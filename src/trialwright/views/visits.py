"""The encounters of one participant as they stand on the day, dated once for everybody who asks."""

from __future__ import annotations

from trialwright.trial.schedule import Planned, planned
from trialwright.trial.state import Participant
from trialwright.views.cutoff import CutOff, once


def visits_of(cut: CutOff, one: Participant) -> list[Planned]:
    """Every encounter of hers that can be dated so far, in the order of its days."""
    return once(cut, f"visits of {one.identity}", lambda: planned(cut.protocol, cut.trial, one, cut.today))
