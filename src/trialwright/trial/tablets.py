"""The tablets of a regimen: planned, handed out, taken back, used; how long they last; what a course takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import reduce

from trialwright.core.interval import ARITHMETIC, plain
from trialwright.core.partial_date import partial_date
from trialwright.core.units import Unit
from trialwright.protocol.document import Dosing, Intervention, quantity
from trialwright.trial.regimen import Course, End, Line, amount_in, due_days, later
from trialwright.trial.schedule import as_day
from trialwright.trial.state import Participant


@dataclass(frozen=True, slots=True)
class Packed:
    """Tablets of one strength: planned to a day, planned to the end of the plan as it is known, handed out, taken back.

    What is planned is 0 for a strength that is not the plan's, and None where the plan names no strength or no one
    amount.
    `says` names the doses that are no whole number of these tablets.
    """

    strength: str
    planned: Fraction | None
    in_all: Fraction | None
    dispensed: int
    returned: int
    says: str

    @property
    def used(self) -> int:
        """What did not come back: taken, lost, or still with her."""
        return self.dispensed - self.returned


@dataclass(frozen=True, slots=True)
class Left:
    """How many days after a day the tablets last that are with her if she took what was planned.

    `lasts` says that they do to the end of the plan as it is known.
    """

    days: int
    through: date
    lasts: bool


@dataclass(frozen=True, slots=True)
class Account:
    """One drug of one course: what was planned from day 1 to a day, itself included, and what was used.

    Amounts are in `unit`, so that strengths may be mixed. Tablets that are still with her count as used until they
    come back, so adherence may be above 1 as long as the plan is not `over`.
    """

    drug: str
    unit: str
    on: date
    planned: Fraction | None
    used: Fraction | None
    tablets: tuple[Packed, ...]
    over: bool
    left: Left | None

    @property
    def adherence(self) -> Fraction | None:
        """Used over planned; None where either is not known, or nothing was planned yet."""
        return self.used / self.planned if self.used is not None and self.planned else None


@dataclass(frozen=True, slots=True)
class Need:
    """What a course as written takes of a drug; None where strength or dose is not one amount."""

    drug: str
    strength: str
    tablets: Fraction | None
    says: str


def drugs(course: Course) -> tuple[str, ...]:
    """The drugs of a course, in the order of its lines."""
    return tuple(dict.fromkeys(line.drug for line in course.lines))


def planned_amount(course: Course, drug: str, upto: date) -> Fraction | None:
    """How much of a drug is planned from day 1 to a day, in its unit; None where a dose is not one amount."""
    return _total(_amount(line, upto) for line in _lines(course, drug))


def planned_tablets(course: Course, drug: str, upto: date, strength: str = "") -> Fraction | None:
    """Tablets for what is planned of a drug to a day: of this strength, or of those that the protocol names."""
    return _total(_tablets(line, upto, strength or line.strength) for line in _lines(course, drug))


def plan_end(course: Course, drug: str) -> End:
    """When the plan of a drug ends, which is when the last of its lines does."""
    return reduce(later, (line.end for line in _lines(course, drug)))


def account(course: Course, drug: str, participant: Participant, on: date) -> Account:
    """Planned, handed out, taken back and used of one drug of a course, to a day."""
    lines = _lines(course, drug)
    unit = lines[0].unit
    packed = _packed(course, drug, participant, on)
    planned = planned_amount(course, drug, on)
    used = _total(_times(amount_in(one.strength, unit), one.used) for one in packed)
    bound = plan_end(course, drug).bound
    left = None if planned is None or used is None else _left(course, drug, used - planned, on)
    return Account(drug, unit.code, on, planned, used, packed, bound is not None and bound <= on, left)


def as_written(intervention: Intervention, participants: int = 1) -> tuple[Need, ...]:
    """What so many participants need for one course as written, without what a transfer adds."""
    needs: dict[tuple[str, str], Need] = {}
    for line in intervention.doses:
        count = tablets_per_dose(line.dose, line.strength)
        count = None if count is None else count * _doses_written(line) * participants
        before = needs.get((line.drug, line.strength))
        if before is not None:
            count = _total((before.tablets, count))
        says = _sentence((before.says if before else "", splitting(line.dose, line.strength)))
        needs[line.drug, line.strength] = Need(line.drug, line.strength, count, says)
    return tuple(needs.values())


def tablets_per_dose(dose: str, strength: str) -> Fraction | None:
    """How many tablets one dose is; None where either is not one amount.

    >>> tablets_per_dose("3 mg", "2 mg")
    Fraction(3, 2)
    """
    told = quantity(strength)
    amount = amount_in(dose, told.unit) if told else None
    return amount / Fraction(told.value) if told and amount is not None else None


def splitting(dose: str, strength: str) -> str:
    """What to say of a dose that is no whole number of tablets; nothing of others.

    >>> splitting("3 mg", "2 mg"), splitting("3 mg", "1 mg")
    ('3 mg from 2 mg tablets = 1.5 tablets, needs splitting', '')
    """
    count = tablets_per_dose(dose, strength)
    if count is None or count.denominator == 1:
        return ""
    how = "needs splitting" if count.denominator in (2, 4) else "no whole, half or quarter tablets"
    return f"{dose} from {strength} tablets = {as_text(count)} tablets, {how}"


def as_text(count: Fraction) -> str:
    """A count as a person reads it: a decimal where that is exact, else a fraction.

    >>> as_text(Fraction(3, 2)), as_text(Fraction(10, 3))
    ('1.5', '10/3')
    """
    told = ARITHMETIC.divide(Decimal(count.numerator), Decimal(count.denominator))
    return plain(told) if Fraction(told) == count else str(count)


# ---------------------------------------------------------------- sums


def _lines(course: Course, drug: str) -> list[Line]:
    return [line for line in course.lines if line.drug == drug]


def _packed(course: Course, drug: str, participant: Participant, on: date) -> tuple[Packed, ...]:
    """The tablets of a drug by strength, those of the plan first; `1 mg` and `1.0 mg` are one."""
    lines = _lines(course, drug)
    moved = [
        one
        for one in participant.tablets
        if (one.intervention, one.record, one.drug) == (course.intervention, course.record, drug)
        and as_day(partial_date(one.on)) <= on
    ]
    names: dict[Fraction | str, str] = {}
    for strength in (*(line.strength for line in lines if line.strength), *(one.strength for one in moved)):
        names.setdefault(_key(strength, lines[0].unit), strength)
    found = []
    for key, strength in names.items():
        of_it = [one.count for one in moved if _key(one.strength, lines[0].unit) == key]
        planned, in_all = (
            _total(_tablets(line, upto, line.strength) for line in lines if _key(line.strength, line.unit) in (key, ""))
            for upto in (on, plan_end(course, drug).bound or on)
        )
        doses = (stretch.dose for line in lines for stretch in line.stretches)
        says = _sentence(splitting(dose, strength) for dose in doses)
        given, back = sum(count for count in of_it if count > 0), -sum(count for count in of_it if count < 0)
        found.append(Packed(strength, planned, in_all, given, back, says))
    return tuple(found)


def _key(strength: str, unit: Unit) -> Fraction | str:
    return amount_in(strength, unit) or strength


def _left(course: Course, drug: str, amount: Fraction, on: date) -> Left:
    """How long an amount lasts after a day."""
    bound, day = plan_end(course, drug).bound, on
    so_far = planned_amount(course, drug, on)
    while bound is None or day < bound:
        need = planned_amount(course, drug, day + timedelta(days=1))
        if need is None or so_far is None or need - so_far > amount:
            return Left((day - on).days, day, False)
        day += timedelta(days=1)
    return Left((day - on).days, day, amount >= 0)


def _amount(line: Line, upto: date) -> Fraction | None:
    return _total(_times(one.amount, line.times * len(due_days(line, one, upto))) for one in line.stretches)


def _tablets(line: Line, upto: date, strength: str) -> Fraction | None:
    one, amount = amount_in(strength, line.unit), _amount(line, upto)
    return None if one is None or amount is None else amount / one


def _doses_written(line: Dosing) -> int:
    first, _, last = line.days.partition("..")
    hours = int(line.every.partition(" ")[0])
    return max(1, 24 // hours) * ((int(last or first) - int(first)) // max(1, hours // 24) + 1)


def _times(amount: Fraction | None, count: int) -> Fraction | None:
    return None if amount is None else amount * count


def _total(amounts: Iterable[Fraction | None]) -> Fraction | None:
    """The sum; None where one of them is not known."""
    total = Fraction(0)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def _sentence(parts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(part for part in parts if part))
