"""What became of a pregnancy, named by ICMART 2017, COMMIT 2020 and Chinese usage side by side.

What is recorded is facts; every label is derived. A label is `unknown` wherever what is recorded leaves it open, and
wherever it rests on two answers that contradict each other. `docs/pregnancy.md` gives the sources of every limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias, get_args

from trialwright.core.interval import INFINITY, ZERO, Interval, hull, less, less_or_equal, point
from trialwright.core.partial_date import PartialDate
from trialwright.core.truth import Truth, all_of, any_of, truth

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN

#: How it ended, as it was told: "loss" is spontaneous, at any age; "ectopic" is an end outside the uterus with none
#: in it; "stillbirth" is a loss of which somebody saw a fetus. The label comes from the gestational age.
Ending: TypeAlias = Literal["", "live_birth", "loss", "stillbirth", "termination", "ectopic"]

Definition: TypeAlias = Literal["as recorded", "ICMART 2017", "COMMIT 2020", "China", "24 weeks"]

FROM_KNOWLEDGE = "from knowledge, not checked against the original"

#: A transfer takes place on these days of the embryo, days in culture after warming included.
EMBRYO_DAYS = (1, 7)
AT_TERM, FERTILISATION, AGES_AGREE = 280, 14, 3  # gestational days; the last, how far two tellings may lie apart


@dataclass(frozen=True, slots=True)
class Fetus:
    """One fetus delivered, alive or dead; `died_at_days` counts from birth, None where no death is known."""

    identity: str
    heartbeat: Truth = UNKNOWN
    alive_at_birth: Truth = UNKNOWN
    alive_at_28_days: Truth = UNKNOWN
    died_at_days: int | None = None
    weight_g: int | None = None


@dataclass(frozen=True, slots=True)
class Pregnancy:
    """One transfer, or one conception without, as far as it is known.

    `sacs` and `heartbeats` are the most seen in the uterus at any scan. A 0, as a negative `hcg_positive`, is final:
    recorded once no later scan or repeated test is awaited. `born` counts the fetuses delivered, alive or dead, and
    `children` describes those of whom something is known. `hcg_visible` says whether the hCG was so high that a sac
    should have been seen. `ended_at_days` is the gestational age at the end; without it, it follows from the dates.
    """

    transfer: PartialDate | None = None
    embryo_day: int | None = None
    embryos: int | None = None
    hcg_positive: Truth = UNKNOWN
    hcg_visible: Truth = UNKNOWN
    sacs: int | None = None
    ectopic: Truth = UNKNOWN
    clinical_signs: Truth = UNKNOWN
    heartbeats: int | None = None
    ongoing_at_12_weeks: Truth = UNKNOWN
    ended_on: PartialDate | None = None
    ended_at_days: int | None = None
    ending: Ending = ""
    born: int | None = None
    live_born: int | None = None
    children: tuple[Fetus, ...] = ()

    def __post_init__(self) -> None:
        counts = (self.embryos, self.sacs, self.heartbeats, self.ended_at_days, self.born, self.live_born)
        if any(count is not None and count < 0 for count in counts):
            raise ValueError("no count and no age is negative")
        if self.embryo_day is not None:
            _checked(self.embryo_day)
        if self.ending not in get_args(Ending):
            raise ValueError(f"{self.ending!r} is not one of {', '.join(get_args(Ending)[1:])}")


def gestational_days(transfer: date, embryo_day: int, on: date) -> int:
    """The gestational age in days: 14 + the day of the embryo on the day of its transfer.

    >>> gestational_days(date(2026, 3, 24), 5, date(2026, 4, 9))
    35
    """
    return FERTILISATION + _checked(embryo_day) + (on - transfer).days


def estimated_date_of_delivery(transfer: date, embryo_day: int) -> date:
    """The day of 40 weeks and 0 days.

    >>> estimated_date_of_delivery(date(2026, 3, 24), 5)
    datetime.date(2026, 12, 10)
    """
    return transfer + timedelta(days=AT_TERM - FERTILISATION - _checked(embryo_day))


def in_weeks(days: int) -> str:
    """Completed weeks and days.

    >>> in_weeks(153)
    '21w6d'
    """
    return f"{days // 7}w{days % 7}d"


def _checked(embryo_day: int) -> int:
    if not EMBRYO_DAYS[0] <= embryo_day <= EMBRYO_DAYS[1]:
        raise ValueError(f"an embryo is transferred on day {EMBRYO_DAYS[0]} to {EMBRYO_DAYS[1]}, not {embryo_day}")
    return embryo_day


@dataclass(frozen=True, slots=True)
class Label:
    """One definition's answer to one name; `says` gives the limit, and whether it is from knowledge only.

    Of the labels of one definition with `is_ending`, at most one is yes.
    """

    definition: Definition
    name: str
    value: Truth
    says: str
    is_ending: bool


def labels(pregnancy: Pregnancy) -> tuple[Label, ...]:
    """Every label of every definition, always in the same order.

    >>> lost = Pregnancy(sacs=1, heartbeats=1, ending="loss", ended_at_days=25 * 7)
    >>> [f"{one.definition}: {one.name}" for one in labels(lost) if one.is_ending and one.value is Truth.YES]
    ['ICMART 2017: late fetal loss', 'COMMIT 2020: stillbirth', 'China: miscarriage']
    """
    course = _course(pregnancy)
    return tuple(Label(rule.definition, rule.name, rule.value(course), rule.says, rule.is_ending) for rule in _RULES)


@dataclass(frozen=True, slots=True)
class Counts:
    """What one pregnancy adds to numerators and denominators; twins are one delivery and two children."""

    sacs: Interval
    embryos: Interval
    deliveries: Interval
    children: Interval
    live_born: Interval


def counts(pregnancy: Pregnancy, weeks: int = 22) -> Counts:
    """The counts, deliveries being those after so many completed weeks; an interval where a count is open.

    The implantation rate (ICMART 2017) is the sum of `sacs`, those in the uterus, over the sum of `embryos`.
    """
    course = _course(pregnancy)
    late = _from(course, weeks)
    delivered = course.ended & _intrauterine(course) & late
    fetuses = _meet(course.born, Interval(Decimal(1), INFINITY)) or course.born
    return Counts(
        course.sacs,
        _count(pregnancy.embryos),
        _if(delivered, _count(1)),
        _if(delivered, fetuses),
        _if(course.alive & late, course.live_born),
    )


def age_at_end(pregnancy: Pregnancy) -> Interval:
    """The gestational days at the end, as narrow as is known.

    What was told and what the dates say meet where they can; where they cannot, everything between them is possible.
    """
    derived, told = _derived_age(pregnancy), pregnancy.ended_at_days
    if derived is None or told is None:
        return derived or _count(told)
    return _meet(derived, _count(told)) or hull(derived, _count(told))


def _derived_age(pregnancy: Pregnancy) -> Interval | None:
    transfer, ended = pregnancy.transfer, pregnancy.ended_on
    if transfer is None or ended is None or ended.latest.date() < transfer.earliest.date():
        return None
    fewest = max((ended.earliest.date() - transfer.latest.date()).days, 0)
    most = (ended.latest.date() - transfer.earliest.date()).days
    first, last = EMBRYO_DAYS if pregnancy.embryo_day is None else (pregnancy.embryo_day,) * 2
    return Interval(Decimal(FERTILISATION + first + fewest), Decimal(FERTILISATION + last + most))


# ------------------------------------------------------------------------------------------------ contradictions


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Answers that cannot all be true. Until one is corrected, those in `set_aside` count as unknown."""

    says: str
    fields: tuple[str, ...]
    set_aside: bool = True


_AGE = ("transfer", "embryo_day", "ended_on", "ended_at_days")
_Evidence: TypeAlias = list[tuple[tuple[str, ...], bool]]  # fields, and whether what they hold is evidence of it


def contradictions(pregnancy: Pregnancy) -> tuple[Contradiction, ...]:
    """What is recorded and cannot all be true, each told with the fields to look at.

    >>> for one in contradictions(Pregnancy(hcg_positive=Truth.NO, heartbeats=1)):
    ...     print(one.says)
    The hCG was negative, and heartbeats says otherwise.
    """
    return (
        *_contradictory_findings(pregnancy),
        *_contradictory_numbers(pregnancy),
        *_contradictory_dates(pregnancy),
    )


def _contradictory_findings(p: Pregnancy) -> Iterable[Contradiction]:
    age = age_at_end(p)
    alive, grown, inside = _evidence_of_life(p), _evidence_at_12_weeks(p, age), _evidence_inside(p, age)
    ended_as = p.ending.replace("_", " ")
    clashes: list[tuple[str, bool, tuple[str, ...], _Evidence]] = [
        ("The hCG was negative", p.hcg_positive is NO, ("hcg_positive",), [*inside, *_evidence_besides(p)]),
        ("No sac was seen in the uterus", p.sacs == 0, ("sacs",), inside),
        ("No heartbeat was seen", p.heartbeats == 0, ("heartbeats",), grown),
        ("It was not ongoing at 12 weeks", p.ongoing_at_12_weeks is NO, ("ongoing_at_12_weeks",), grown),
        ("It ended before 12 weeks", age.high < 12 * 7, _AGE, grown),
        (f"It ended as {ended_as}", p.ending not in ("", "live_birth"), ("ending",), alive),
        (f"It ended as {ended_as}, outside the uterus", p.ending == "ectopic", ("ending",), inside),
        ("It was not ectopic", p.ectopic is NO, ("ectopic",), [(("ending",), p.ending == "ectopic")]),
    ]
    for says, holds, fields, evidence in clashes:
        against = tuple(dict.fromkeys(field for names, is_so in evidence if is_so for field in names))
        if holds and against:
            verb = "says" if len(against) == 1 else "say"
            yield Contradiction(f"{says}, and {', '.join(against)} {verb} otherwise.", (*fields, *against))


def _evidence_of_life(p: Pregnancy) -> _Evidence:
    """Of a child born alive."""
    return [
        (("ending",), p.ending == "live_birth"),
        (("live_born",), bool(p.live_born)),
        (("children",), _alive(p) > 0),
    ]


def _evidence_at_12_weeks(p: Pregnancy, age: Interval) -> _Evidence:
    """Of a fetus with a heartbeat at 12 weeks: ongoing, born alive, a fetus stillborn, or an end after 20 weeks."""
    return [
        *_evidence_of_life(p),
        (("ending",), p.ending == "stillbirth"),
        (("ongoing_at_12_weeks",), p.ongoing_at_12_weeks is YES),
        (_AGE, age.low >= 20 * 7),
    ]


def _evidence_inside(p: Pregnancy, age: Interval) -> _Evidence:
    """Of a sac in the uterus."""
    return [
        *_evidence_at_12_weeks(p, age),
        (("sacs",), bool(p.sacs)),
        (("heartbeats",), bool(p.heartbeats)),
        (("children",), _with_heartbeat(p) > 0),
        (("ending",), p.ending == "termination"),
    ]


def _evidence_besides(p: Pregnancy) -> _Evidence:
    """Of a pregnancy, wherever it is."""
    return [
        (("ectopic",), p.ectopic is YES),
        (("clinical_signs",), p.clinical_signs is YES),
        (("ended_on",), p.ended_on is not None),
        (("ended_at_days",), p.ended_at_days is not None),
        (("ending",), p.ending != ""),
        (("born",), bool(p.born)),
        (("children",), bool(p.children)),
    ]


def _holds(evidence: _Evidence) -> bool:
    return any(is_so for _, is_so in evidence)


def _contradictory_numbers(p: Pregnancy) -> Iterable[Contradiction]:
    alive, dead, described = _alive(p), _dead(p), len(p.children)
    may_live = INFINITY if p.born is None else p.born - dead
    counted = 0 if p.live_born is None else p.live_born
    if p.born is not None and described > p.born:
        yield Contradiction(f"{described} are described of {p.born} delivered.", ("born", "children"))
    if counted > may_live:
        yield Contradiction(f"{counted} were born alive, of whom {may_live} can be.", ("born", "live_born", "children"))
    if p.live_born is not None and alive > p.live_born:
        yield Contradiction(f"{alive} children were alive, of {p.live_born}.", ("live_born", "children"))
    if p.ending == "live_birth" and (p.live_born == 0 or may_live <= 0):
        yield Contradiction("It ended in a live birth of no child.", ("ending", "born", "live_born", "children"))
    if p.heartbeats is not None and _with_heartbeat(p) > p.heartbeats:
        yield Contradiction(f"More children had a heartbeat than {p.heartbeats}.", ("heartbeats", "children"))
    for child in p.children:
        lived = child.alive_at_28_days is YES or child.died_at_days is not None
        survived = child.died_at_days is not None and child.died_at_days >= 28
        if (lived and child.alive_at_birth is NO) or (
            child.died_at_days is not None and child.alive_at_28_days is truth(not survived)
        ):
            yield Contradiction(f"What is told of the life of {child.identity} cannot all be true.", ("children",))


def _contradictory_dates(p: Pregnancy) -> Iterable[Contradiction]:
    derived, told = _derived_age(p), p.ended_at_days
    if p.transfer is not None and p.ended_on is not None and p.ended_on.latest.date() < p.transfer.earliest.date():
        yield Contradiction(f"It ended on {p.ended_on}, before the transfer on {p.transfer}.", _AGE)
    if derived is not None and told is not None:
        apart = max(derived.low - told, told - derived.high)
        if apart > AGES_AGREE:
            nearest = int(derived.low if derived.low > told else derived.high)
            says = f"It ended at {in_weeks(told)} as told, and at {in_weeks(nearest)} by the dates."
            yield Contradiction(says, _AGE, set_aside=False)  # everything between the two stays possible


# ---------------------------------------------------------------------------------------------------- the course


@dataclass(frozen=True, slots=True)
class _Course:
    """What follows from what is recorded; every label is a formula over it."""

    pregnant: Truth
    hcg_visible: Truth
    sac: Truth
    ectopic: Truth
    signs: Truth
    viable: Truth
    ongoing: Truth
    ended: Truth
    alive: Truth
    lost: Truth
    terminated: Truth
    died_within_28_days: Truth
    alive_and_500_g: Truth
    age: Interval
    sacs: Interval
    heartbeats: Interval
    born: Interval
    live_born: Interval


_UNANSWERED = Pregnancy()


def _course(recorded: Pregnancy) -> _Course:
    doubtful = {field for one in contradictions(recorded) if one.set_aside for field in one.fields}
    p = replace(recorded, **{field: getattr(_UNANSWERED, field) for field in doubtful})
    age, never, outside = age_at_end(p), p.hcg_positive is NO, p.ending == "ectopic"

    grown, inside = _holds(_evidence_at_12_weeks(p, age)), _holds(_evidence_inside(p, age))
    pregnant = _decided(inside or _holds(_evidence_besides(p)) or p.hcg_positive is YES, never)
    sac = _decided(inside, never or outside or p.sacs == 0)
    viable = _decided(grown or bool(p.heartbeats) or _with_heartbeat(p) > 0, sac is NO or p.heartbeats == 0)
    ongoing = _decided(grown, p.ongoing_at_12_weeks is NO or viable is NO or age.high < 12 * 7)
    if ongoing is not UNKNOWN:
        low, high = (Decimal(12 * 7), INFINITY) if ongoing is YES else (ZERO, Decimal(20 * 7 - 1))
        age = _meet(age, Interval(low, high)) or age

    none_alive = p.live_born == 0 or (p.born is not None and _dead(p) >= p.born)
    alive = _decided(_holds(_evidence_of_life(p)), p.ending not in ("", "live_birth") or none_alive or ongoing is NO)
    otherwise = never or alive is YES or p.ending != ""
    ended = p.ended_on is not None or p.ended_at_days is not None or p.ending != "" or alive is YES
    fewest = max(_with_heartbeat(p), int(viable is YES))
    born, live_born = _born(p, alive, never)
    return _Course(
        pregnant=pregnant,
        hcg_visible=p.hcg_visible,
        sac=sac,
        ectopic=_decided(outside or p.ectopic is YES, never or p.ectopic is NO),
        signs=_decided(p.clinical_signs is YES, never or p.clinical_signs is NO),
        viable=viable,
        ongoing=ongoing,
        ended=_decided(ended or bool(p.born) or bool(p.children), never),
        alive=alive,
        lost=_decided(p.ending in ("loss", "stillbirth"), otherwise),
        terminated=_decided(p.ending == "termination", otherwise),
        died_within_28_days=_of_a_child_born_alive(p, born, live_born, _died_within_28_days),
        alive_and_500_g=_of_a_child_born_alive(p, born, live_born, _weighs_500_g),
        age=age,
        sacs=_at_least(p.sacs, int(sac is YES), sac is NO),
        heartbeats=_at_least(p.heartbeats, fewest, viable is NO),
        born=born,
        live_born=live_born,
    )


def _decided(is_so: bool, is_not_so: bool) -> Truth:
    return YES if is_so else NO if is_not_so else UNKNOWN


def _born(p: Pregnancy, alive: Truth, never: bool) -> tuple[Interval, Interval]:
    """How many were delivered, and how many of them alive."""
    fewest_alive = max(_alive(p), int(alive is YES))
    born = _at_least(p.born, max(len(p.children), p.live_born or 0, fewest_alive), never)
    if p.live_born is not None or alive is NO:
        return born, _count(p.live_born or 0)
    return born, Interval(Decimal(fewest_alive), born.high - _dead(p))


def _of_a_child_born_alive(p: Pregnancy, born: Interval, live_born: Interval, asked: Callable[[Fetus], Truth]) -> Truth:
    """Whether it is so of one child who was born alive; a child who may not be described yet leaves no "no"."""
    described = any_of(_born_alive(child) & asked(child) for child in p.children)
    maybe_another = born.high > len(p.children) and live_born.high > _alive(p)
    return described | (UNKNOWN if maybe_another else NO)


def _died_within_28_days(child: Fetus) -> Truth:
    return ~child.alive_at_28_days if child.died_at_days is None else truth(child.died_at_days < 28)


def _weighs_500_g(child: Fetus) -> Truth:
    return UNKNOWN if child.weight_g is None else truth(child.weight_g >= 500)


def _born_alive(child: Fetus) -> Truth:
    lived = child.died_at_days is not None or child.alive_at_28_days is YES
    return YES if lived else child.alive_at_birth


def _alive(p: Pregnancy) -> int:
    return sum(_born_alive(child) is YES for child in p.children)


def _dead(p: Pregnancy) -> int:
    return sum(_born_alive(child) is NO for child in p.children)


def _with_heartbeat(p: Pregnancy) -> int:
    return sum(child.heartbeat is YES for child in p.children)


def _count(number: int | None) -> Interval:
    return Interval(ZERO, INFINITY) if number is None else point(Decimal(number))


def _at_least(number: int | None, fewest: int, none: bool) -> Interval:
    if number is not None or none:
        return _count(number or 0)
    return Interval(Decimal(fewest), INFINITY)


def _meet(x: Interval, y: Interval) -> Interval | None:
    low, high = max(x.low, y.low), min(x.high, y.high)
    return Interval(low, high) if low <= high else None


def _if(condition: Truth, number: Interval) -> Interval:
    match condition:
        case Truth.YES:
            return number
        case Truth.NO:
            return _count(0)
        case Truth.UNKNOWN:
            return hull(_count(0), number)


# ----------------------------------------------------------------------------------------------------- the rules


def _intrauterine(course: _Course) -> Truth:
    return course.sac | (course.signs & ~course.ectopic)


def _clinical(course: _Course) -> Truth:
    return course.sac | course.ectopic | course.signs


def _before(course: _Course, weeks: int) -> Truth:
    return less(course.age, _count(weeks * 7))


def _from(course: _Course, weeks: int) -> Truth:
    return ~_before(course, weeks)


def _more_than(number: Interval, other: int) -> Truth:
    return less(_count(other), number)


def _exactly(number: Interval, other: int) -> Truth:
    return less_or_equal(_count(other), number) & less_or_equal(number, _count(other))


def _lost(course: _Course, first: int, limit: int | None = None) -> Truth:
    """A loss in the uterus from so many completed weeks on, and before so many."""
    before = YES if limit is None else _before(course, limit)
    return all_of([_intrauterine(course), course.lost, _from(course, first), before])


def _live_birth(course: _Course, weeks: int) -> Truth:
    return course.alive & _from(course, weeks)


def _neonatal_death(course: _Course, weeks: int) -> Truth:
    return _live_birth(course, weeks) & course.died_within_28_days


@dataclass(frozen=True, slots=True)
class _Rule:
    definition: Definition
    name: str
    says: str
    value: Callable[[_Course], Truth]
    is_ending: bool = False


_K = f"; {FROM_KNOWLEDGE}"
_RULES = (
    _Rule("as recorded", "positive hCG", "by the threshold of the site", lambda c: c.pregnant),
    _Rule("as recorded", "ongoing pregnancy", "a heartbeat at 12 weeks", lambda c: c.ongoing),
    _Rule("as recorded", "multiple birth", "more than one fetus delivered", lambda c: _more_than(c.born, 1)),
    _Rule("ICMART 2017", "biochemical pregnancy", "diagnosed by hCG only", lambda c: c.pregnant & ~_clinical(c)),
    _Rule(
        "ICMART 2017",
        "pregnancy of unknown location",
        f"hCG so high that a sac should be seen, and none seen in the uterus or outside{_K}",
        lambda c: all_of([c.pregnant, ~c.sac, ~c.ectopic, c.hcg_visible]),
    ),
    _Rule(
        "ICMART 2017",
        "clinical pregnancy",
        "at least one sac, or definite clinical signs; a documented ectopic pregnancy counts; twins are one",
        _clinical,
    ),
    _Rule("ICMART 2017", "implantation", "at least one sac in the uterus", lambda c: c.sac),
    _Rule("ICMART 2017", "multiple pregnancy", f"more than one sac{_K}", lambda c: _more_than(c.sacs, 1)),
    _Rule(
        "ICMART 2017",
        "heterotopic pregnancy",
        f"ectopic, and a sac in the uterus too{_K}",
        lambda c: c.ectopic & c.sac,
    ),
    _Rule("ICMART 2017", "miscarriage", "before 22 completed weeks", lambda c: _lost(c, 0, 22), True),
    _Rule("ICMART 2017", "late fetal loss", f"from 22 to before 28 weeks{_K}", lambda c: _lost(c, 22, 28), True),
    _Rule("ICMART 2017", "stillbirth", f"from 28 completed weeks{_K}", lambda c: _lost(c, 28), True),
    _Rule("ICMART 2017", "induced abortion", "intended, at any age", lambda c: c.terminated, True),
    _Rule("ICMART 2017", "live birth", f"from 22 completed weeks{_K}", lambda c: _live_birth(c, 22), True),
    _Rule(
        "ICMART 2017",
        "live birth of 500 g or more",
        f"for where the gestational age is not known{_K}",
        lambda c: c.alive & c.alive_and_500_g,
    ),
    _Rule(
        "ICMART 2017",
        "neonatal death",
        f"within 28 days, after a live birth from 22 completed weeks{_K}",
        lambda c: _neonatal_death(c, 22),
    ),
    _Rule("COMMIT 2020", "viable intrauterine pregnancy", "at least one heartbeat; twins are one", lambda c: c.viable),
    _Rule("COMMIT 2020", "viable singleton", "one heartbeat", lambda c: _exactly(c.heartbeats, 1)),
    _Rule("COMMIT 2020", "viable twins", "two heartbeats", lambda c: _exactly(c.heartbeats, 2)),
    _Rule("COMMIT 2020", "viable triplets or more", "more than two heartbeats", lambda c: _more_than(c.heartbeats, 2)),
    _Rule("COMMIT 2020", "ectopic pregnancy", "seen by ultrasound, at surgery or in tissue", lambda c: c.ectopic),
    _Rule(
        "COMMIT 2020",
        "miscarriage",
        "before 20 completed weeks, after a viable intrauterine pregnancy",
        lambda c: _lost(c, 0, 20) & c.viable,
        True,
    ),
    _Rule("COMMIT 2020", "stillbirth", "from 20 completed weeks; twins are one", lambda c: _lost(c, 20), True),
    _Rule("COMMIT 2020", "termination of pregnancy", "intended, at any age", lambda c: c.terminated, True),
    _Rule(
        "COMMIT 2020", "live birth", f"from 20 completed weeks; twins are one{_K}", lambda c: _live_birth(c, 20), True
    ),
    _Rule(
        "COMMIT 2020",
        "neonatal death",
        f"within 28 days, after a live birth from 20 completed weeks{_K}",
        lambda c: _neonatal_death(c, 20),
    ),
    _Rule("China", "clinical pregnancy with heartbeat", "at least one heartbeat; some trials", lambda c: c.viable),
    _Rule("China", "miscarriage", "before 28 completed weeks", lambda c: _lost(c, 0, 28), True),
    _Rule("China", "stillbirth", f"from 28 completed weeks{_K}", lambda c: _lost(c, 28), True),
    _Rule("China", "live birth", "from 28 completed weeks", lambda c: _live_birth(c, 28), True),
    _Rule(
        "China",
        "neonatal death",
        f"within 28 days, after a live birth from 28 completed weeks{_K}",
        lambda c: _neonatal_death(c, 28),
    ),
    _Rule("24 weeks", "live birth", "from 24 completed weeks", lambda c: _live_birth(c, 24), True),
)
