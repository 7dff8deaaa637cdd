"""The screening log: who was screened, what was decided, on which criteria."""

from __future__ import annotations

from dataclasses import dataclass

from trialwright.views.cutoff import CutOff


@dataclass(frozen=True, slots=True)
class ScreeningRow:
    """One line of the log."""

    participant: str
    site: str
    screened: str
    consented: str
    verdict: str
    criteria: tuple[str, ...]
    enrolled: str
    number: int
    ended: str
    reason: str


def screening_log(cut: CutOff) -> list[ScreeningRow]:
    """One row per woman screened, in the order of screening."""
    rows = []
    for one in cut.participants.values():
        last = one.determinations[-1] if one.determinations else None
        deciding = failing(cut, last.answers) if last and last.verdict == "ineligible" else ()
        verdict = last.verdict if last else "not determined"
        left = "" if one.enrolled else one.withdrawn  # who leaves before she is enrolled ends her screening
        rows.append(
            ScreeningRow(
                one.identity,
                one.site,
                one.screened,
                one.consented,
                verdict,
                deciding,
                one.enrolled,
                one.number,
                one.screening_ended or left,
                one.screening_end_reason if one.screening_ended else one.withdrawal_reason if left else "",
            )
        )
    return sorted(rows, key=lambda row: (row.screened, row.participant))


def failing(cut: CutOff, answers: dict[str, str]) -> tuple[str, ...]:
    """The criteria that speak against entry, in the order of the protocol."""
    against = {"inclusion": "no", "exclusion": "yes"}
    return tuple(one.name for one in cut.protocol.criteria if answers.get(one.name) == against[one.kind])
