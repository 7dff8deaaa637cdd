"""The encounters of one participant as they stand on the day, dated once for everybody who asks."""

from __future__ import annotations

from trialwright.protocol.protocol import Protocol, label
from trialwright.trial.schedule import Planned, encounter_of, planned
from trialwright.trial.state import Participant
from trialwright.views.cutoff import CutOff, once


def visits_of(cut: CutOff, one: Participant) -> list[Planned]:
    """Every encounter of hers that can be dated so far, in the order of its days."""
    return once(cut, f"visits of {one.identity}", lambda: planned(cut.protocol, cut.trial, one, cut.today))


def visit_name(protocol: Protocol, name: str) -> str:
    """How the protocol calls a visit: `safety.99` is `Safety contact, 99 days`."""
    base, _, repeat = name.partition(".")
    if encounter_of(name) not in protocol.document.schedule.encounters:
        return name
    told = label(protocol, encounter_of(name))
    each = repeat and protocol.document.schedule.encounters[base].each
    return f"{told}, {repeat} {protocol.timings[base].calendar}" if each else told
