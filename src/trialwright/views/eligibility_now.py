"""Eligibility as it would be derived now, asked anew only where something has changed since it was decided."""

from __future__ import annotations

from collections.abc import Mapping

from trialwright import __version__
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.language.evaluate import answer, evaluate
from trialwright.protocol.uses import Grounds, grounds_of
from trialwright.trial.facts import facts_of
from trialwright.trial.state import Determination, Participant
from trialwright.views.cutoff import CutOff, once

_ANSWERS = {one.value: one for one in Truth}


def answers_now(cut: CutOff, one: Participant, made: Determination) -> dict[str, Truth]:
    """The answer of every criterion on the day of a determination, from what is known now.

    A criterion is a function of what its rule names. Where none of that was recorded, completed or closed after the
    determination, nothing was corrected since, and protocol and program are the same, the recorded answer stands.
    """
    told = _recorded_since(one, made.basis)
    same = made.protocol == cut.protocol.digest and made.software == __version__ and one.corrected <= made.basis
    facts, when = facts_of(cut.protocol, one), partial_date(made.on)
    found = {}
    for criterion in cut.protocol.criteria:
        grounds, recorded = _grounds(cut)[criterion.name], _ANSWERS.get(made.answers.get(criterion.name, ""))
        if same and recorded is not None and not grounds.anchored and told.isdisjoint(grounds.names):
            found[criterion.name] = recorded
        else:
            found[criterion.name] = answer(evaluate(criterion.rule, facts, when))
    return found


def _grounds(cut: CutOff) -> Mapping[str, Grounds]:
    return once(cut, "grounds of criteria", lambda: {one.name: grounds_of(one.rule) for one in cut.protocol.criteria})


def _recorded_since(one: Participant, event: int) -> set[str]:
    """The items, relatives' items, kinds of record and lists about which something was recorded after an event."""
    names = {item for item, told in one.observed.items() if any(each.seq > event for each in told)}
    for person, observed in one.relatives.items():
        names |= {f"{person}.{item}" for item, told in observed.items() if any(each.seq > event for each in told)}
    for kind, entries in one.records.items():
        if any(each.seq > event for told in entries.values() for each in told):
            names.add(kind)
    return names | {name for name, closed in one.closed_by.items() if closed > event}
