"""The listing of regimens, woman by woman and drug by drug, and the tablets of the whole trial."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from trialwright.trial.regimen import Change, Course, Line, courses
from trialwright.trial.state import Participant
from trialwright.trial.tablets import Left, Need, Packed, account, as_written, drugs, plan_end
from trialwright.views.cutoff import CutOff


@dataclass(frozen=True, slots=True)
class RegimenRow:
    """One drug of one course of one woman on the day of the cut-off.

    `last` is the last day of the plan, None while it is open; `why` says why it is that one. `planned` and `used` are
    amounts in `unit`, numerator and denominator of the adherence, which is provisional until the plan is `over`.
    """

    participant: str
    intervention: str
    record: str
    began: str
    drug: str
    last: date | None
    why: str
    doses: tuple[str, ...]
    changes: tuple[str, ...]
    unit: str
    planned: Fraction | None
    used: Fraction | None
    adherence: Fraction | None
    over: bool
    tablets: tuple[Packed, ...]
    left: Left | None


@dataclass(frozen=True, slots=True)
class StockRow:
    """Tablets of one drug and strength over all women.

    `planned` to the day, `in_all` to the end of every plan as it is known; `still_open` plans have none yet. None
    where a dose or a strength is not one amount.
    """

    intervention: str
    drug: str
    strength: str
    planned: Fraction | None
    in_all: Fraction | None
    still_open: int
    dispensed: int
    returned: int
    says: str


def regimens(cut: CutOff) -> list[RegimenRow]:
    """Every drug of every course, in the order of women and days; a course without a day 1 has a row of its own."""
    return [
        row
        for one in cut.participants.values()
        for course in courses(cut.protocol, one, cut.today)
        for row in _rows(cut, one, course)
    ]


def stock(cut: CutOff) -> list[StockRow]:
    """What is planned, handed out and taken back, by drug and strength."""
    rows: dict[tuple[str, str, str], StockRow] = {}
    for one in cut.participants.values():
        for course in courses(cut.protocol, one, cut.today):
            for drug in drugs(course):
                still_open = int(plan_end(course, drug).last is None)
                for packed in account(course, drug, one, cut.today).tablets:
                    key = (course.intervention, drug, packed.strength)
                    row = rows.get(key, StockRow(*key, Fraction(0), Fraction(0), 0, 0, 0, ""))
                    rows[key] = StockRow(
                        *key,
                        _sum(row.planned, packed.planned),
                        _sum(row.in_all, packed.in_all),
                        row.still_open + still_open,
                        row.dispensed + packed.dispensed,
                        row.returned + packed.returned,
                        _once(row.says, packed.says),
                    )
    return sorted(rows.values(), key=lambda row: (row.intervention, row.drug, row.strength))


def need(cut: CutOff) -> list[Need]:
    """What the planned number of women needs for one course of each regimen as written."""
    document = cut.protocol.document
    return [
        one
        for intervention in document.interventions.values()
        for one in as_written(intervention, document.design.enrolment)
    ]


def _rows(cut: CutOff, one: Participant, course: Course) -> Iterable[RegimenRow]:
    of_course = (one.identity, course.intervention, course.record, course.on)
    if course.day_1 is None:
        why = "the day on which it began is not known"
        yield RegimenRow(*of_course, "", None, why, (), (), "", None, None, None, False, (), None)
    for drug in drugs(course):
        lines = [line for line in course.lines if line.drug == drug]
        end, told = plan_end(course, drug), account(course, drug, one, cut.today)
        yield RegimenRow(
            *of_course,
            drug,
            end.last,
            end.why,
            tuple(f"{x.dose} from {x.first}" for line in lines for x in line.stretches),
            _changes(lines),
            told.unit,
            told.planned,
            told.used,
            told.adherence,
            told.over,
            told.tablets,
            told.left,
        )


def _changes(lines: Iterable[Line]) -> tuple[str, ...]:
    """Each medical decision once; without effect where it is so for every line of the drug."""
    found: dict[int, Change] = {}
    for one in (change for line in lines for change in line.changes):
        found[one.event] = one if one.in_force else found.get(one.event, one)
    return tuple(
        f"{one.dose} from {one.day} ({one.decided_by}: {one.reason})"
        + ("" if one.in_force else ", without effect: the plan had ended")
        for one in found.values()
    )


def _sum(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    return None if a is None or b is None else a + b


def _once(before: str, says: str) -> str:
    return "; ".join(dict.fromkeys(part for part in (*before.split("; "), *says.split("; ")) if part))
