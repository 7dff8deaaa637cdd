"""The analysis sets: who is analysed, and of everybody enrolled who is not, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trialwright.protocol.protocol import label
from trialwright.trial.facts import anchor_date
from trialwright.trial.state import Participant
from trialwright.views.cutoff import CutOff, once
from trialwright.views.deviations import deviations


@dataclass(frozen=True, slots=True)
class SetRow:
    """One enrolled participant and one analysis set: inside, or the reasons why not."""

    set: str
    participant: str
    inside: bool
    reasons: tuple[str, ...]


def members(cut: CutOff, name: str) -> list[Participant]:
    """The participants of an analysis set, in the order of enrolment."""

    def found() -> list[Participant]:
        inside = [one for one in cut.participants.values() if not list(_outside(cut, name, one))]
        return sorted(inside, key=lambda one: (one.number, one.identity))

    return list(once(cut, f"members of {name}", found))


def analysis_sets(cut: CutOff) -> list[SetRow]:
    """Every set and every enrolled participant, in the order of enrolment."""
    enrolled = sorted(
        (one for one in cut.participants.values() if one.enrolled), key=lambda one: (one.number, one.identity)
    )
    return [
        SetRow(name, one.identity, not reasons, reasons)
        for name in cut.protocol.document.analysis.sets
        for one in enrolled
        for reasons in (tuple(_outside(cut, name, one)),)
    ]


def _outside(cut: CutOff, name: str, one: Participant) -> Iterator[str]:
    """Why a participant is not in a set; nothing where she is."""
    document = cut.protocol.document
    wanted = document.analysis.sets[name]
    if anchor_date(cut.protocol, one, wanted.reached) is None:
        yield f"has not reached {wanted.reached}"
        return
    arm = one.allocation.arm if one.allocation else ""
    gives = document.arms[arm].gives if arm in document.arms else ()
    for intervention in wanted.given:
        if intervention in gives and not one.records.get(document.interventions[intervention].record):
            yield f"was not given: {label(cut.protocol, intervention)}"
    if wanted.without:
        yield from (f"major deviation: {kind}" for kind in _major(cut).get(one.identity, ()))


def _major(cut: CutOff) -> dict[str, tuple[str, ...]]:
    """The kinds of major deviations of each enrolled participant."""

    def found() -> dict[str, tuple[str, ...]]:
        kinds: dict[str, set[str]] = {}
        for row in deviations(cut):
            if row.severity == "major":
                kinds.setdefault(row.participant, set()).add(row.kind)
        return {who: tuple(sorted(those)) for who, those in kinds.items()}

    return once(cut, "major deviations", found)
