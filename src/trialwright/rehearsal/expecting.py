"""Whether a virtual woman carries a pregnancy on a day, by what nature drew of her transfers."""

from __future__ import annotations

from datetime import date

from trialwright.core.partial_date import partial_date
from trialwright.protocol.protocol import Protocol
from trialwright.rehearsal.nature import Woman
from trialwright.trial.state import Participant

#: Days after a transfer from which a test is positive, and until which it is where nothing is seen in the uterus.
_TEST, _CHEMICAL = 10, 24


def expecting(protocol: Protocol, woman: Woman, participant: Participant, on: date) -> bool:
    """Whether a test would be positive: from ten days after a transfer that took, until that pregnancy ended."""
    part = protocol.document.pregnancy
    if part is None:
        return False
    for identity, events in participant.records.get(part.record, {}).items():
        raw = woman.records.get((part.record, identity), {})
        drawn = {name: raw.get(field) for name, field in part.fields.items()}
        days = (on - partial_date(events[0].on).earliest.date()).days
        if drawn.get("hcg_positive") and _TEST <= days < _lasts(drawn):
            return True
    return False


def _lasts(drawn: dict[str, object]) -> float:
    """Days from a transfer to the end of its pregnancy."""
    ended, embryo = drawn.get("ended_at_days"), drawn.get("embryo_day")
    seen = drawn.get("sacs") or drawn.get("ectopic")
    if not seen or not isinstance(ended, int | float) or not isinstance(embryo, int | float):
        return _CHEMICAL
    return ended - 14 - embryo
