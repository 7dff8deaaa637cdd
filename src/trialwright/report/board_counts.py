"""What the board's report counts beyond the views: exposure, data quality, adherence, failures, pooled events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

from trialwright.core.partial_date import is_day, partial_date
from trialwright.core.truth import Truth
from trialwright.language.values import Amount
from trialwright.protocol.document import Intervention
from trialwright.protocol.protocol import label
from trialwright.report.board import Board
from trialwright.trial.facts import facts_of
from trialwright.trial.schedule import encounter_of
from trialwright.views.cutoff import ALL, CutOff
from trialwright.views.graded_events import BEFORE, EventCount
from trialwright.views.infusions import InfusionRow
from trialwright.views.regimen import RegimenRow
from trialwright.views.visits import visits_of


@dataclass(frozen=True, slots=True)
class Spread:
    """So many known values of so many, their median and range; None where there is none."""

    of: int
    known: int
    middle: float | None
    least: float | None
    greatest: float | None


@dataclass(frozen=True, slots=True)
class Exposure:
    """The giving of a product in an arm. `outside` counts pairs of how many, of how many that are known."""

    arm: str
    intervention: str
    allocated: int
    women: int
    infusions: int
    outcomes: tuple[tuple[str, int], ...]
    prepared: Spread
    delivered: Spread
    prepared_outside: tuple[int, int] | None
    delivered_outside: tuple[int, int] | None
    after_expiry: tuple[int, int]
    visits_outside: tuple[int, int]
    measured: tuple[tuple[str, str, Spread], ...]


_OUTCOMES = ("complete", "partial", "aborted", "running", "interrupted", "not recorded")
#: Fields of a giving that the board sees: what else than the product she was exposed to.
_MEASURED = ("contrast", "fluoroscopy", "radiation", "dose_area", "kerma")


def exposures(board: Board) -> list[Exposure]:
    """For each arm and each intervention that gives a product."""
    interventions = board.cut.protocol.document.interventions
    giving = {name: one for name, one in interventions.items() if one.product}
    return [_exposure(board, arm, name, one) for arm in board.arms for name, one in giving.items()]


def _exposure(board: Board, arm: str, name: str, given: Intervention) -> Exposure:
    cut = board.cut
    rows = [row for row in board.infusions if row.intervention == name and (arm == ALL or row.arm == arm)]
    women = [one for one in cut.participants.values() if one.allocation and arm in (ALL, one.allocation.arm)]
    outcomes = [row.outcome for row in rows]
    prepared = [float(row.ratio) for row in rows if row.ratio is not None]
    delivered = [float(row.delivered_ratio) for row in rows if row.delivered_ratio is not None]
    limits = (float(given.tolerance[0]), float(given.tolerance[1])) if given.tolerance else None
    expiry = [row.after_expiry for row in rows]
    visits = _giving_visits(cut, name)
    late = {event for row in board.study.deviations if row.kind == "visit window" for event in row.events}
    mine = {one.identity for one in women}
    held = [event for who, event in visits if who in mine]
    return Exposure(
        arm, name, len(women), len({row.participant for row in rows}), len(rows),
        tuple((one, outcomes.count(one)) for one in _OUTCOMES),
        spread(prepared, len(rows)), spread(delivered, len(rows)), _outside(prepared, limits),
        _outside(delivered, limits), (expiry.count(Truth.YES), len(expiry) - expiry.count(Truth.UNKNOWN)),
        (sum(event in late for event in held), len(held)), tuple(_measured(board, rows, given.record)),
    )  # fmt: skip


def spread(values: Sequence[float], of: int) -> Spread:
    """The median and range of the values that are known."""
    if not values:
        return Spread(of, 0, None, None, None)
    return Spread(of, len(values), median(values), min(values), max(values))


def _outside(values: Sequence[float], limits: tuple[float, float] | None) -> tuple[int, int] | None:
    return (sum(not limits[0] <= one <= limits[1] for one in values), len(values)) if limits else None


def _giving_visits(cut: CutOff, intervention: str) -> list[tuple[str, int]]:
    """Who had an encounter at which it is given, and in which event that was recorded."""
    schedule = cut.protocol.document.schedule
    does = {name for name, one in schedule.activities.items() if one.performs == intervention}
    where = {name for name, one in schedule.encounters.items() if does & set(one.does)}
    return [
        (who, visit.event)
        for who, one in cut.participants.items()
        for (encounter, _), visit in one.visits.items()
        if visit.held and encounter_of(encounter) in where
    ]


def _measured(board: Board, rows: Sequence[InfusionRow], record: str) -> Iterator[tuple[str, str, Spread]]:
    protocol = board.cut.protocol
    kind = protocol.vocabulary.records.get(record)
    names = [name for name in (kind.fields if kind else ()) if any(part in name for part in _MEASURED)]
    for name in names:
        assert kind is not None
        values = []
        for row in rows:
            entries = facts_of(protocol, board.cut.participants[row.participant]).records.get(record, ())
            told = next((one.fields.get(name) for one in entries if one.identity == row.record), None)
            value = told.value if told else None
            if isinstance(value, Amount) and value.interval.low == value.interval.high:
                values.append(float(value.interval.low))
        yield label(protocol, name), kind.fields[name].unit.code, spread(values, len(rows))


# ---------------------------------------------------------------- pooled events


def pooled_events(board: Board) -> list[EventCount]:
    """The counts of events of all arms together; a woman has one arm, so that women add up. What came before, apart."""
    groups: dict[tuple[str, str], list[EventCount]] = {}
    for row in board.counts:
        if row.arm != BEFORE:
            groups.setdefault((row.system, row.term), []).append(row)
    at_risk = sum({row.arm: row.at_risk for row in board.counts if row.arm != BEFORE}.values())
    together = [_together(system, term, at_risk, rows) for (system, term), rows in groups.items()]
    order = list(dict.fromkeys(row.system for row in together))
    together.sort(key=lambda row: order.index(row.system))
    return [*together, *(row for row in board.counts if row.arm == BEFORE)]


def _together(system: str, term: str, at_risk: int, rows: Sequence[EventCount]) -> EventCount:
    worst: Counter[str] = Counter()
    for row in rows:
        worst.update(dict(row.worst))
    return EventCount(
        ALL, system, term, sum(row.with_event for row in rows), at_risk, sum(row.occurrences for row in rows),
        tuple(worst.items()), sum(row.related for row in rows), sum(row.related_unknown for row in rows),
        sum(row.serious for row in rows), sum(row.serious_unknown for row in rows),
        tuple(sorted({event for row in rows for event in row.events})),
    )  # fmt: skip


# ---------------------------------------------------------------- how good the data are


@dataclass(frozen=True, slots=True)
class Quality:
    """Visits of enrolled women whose window has closed: held, missed with a reason, overdue; and what is still open."""

    held: int
    missed: int
    overdue: int
    undecided: int
    queries: int
    women_with_queries: int
    outcome_known: int
    outcome_unknown: int
    ungraded: int
    events: int


def quality(board: Board) -> Quality:
    """How complete the data are on the day."""
    cut, flow = board.cut, board.study.flow
    enrolled = [one for one in cut.participants.values() if one.enrolled]
    standing = Counter(visit.standing for one in enrolled for visit in visits_of(cut, one))
    queries = [len(one.queries) for one in cut.participants.values() if one.queries]
    events = board.study.adverse_events
    return Quality(
        standing["held"], standing["missed"], standing["late"], standing["undecided"], sum(queries), len(queries),
        sum(arm.analysed for arm in flow.arms), sum(arm.missing for arm in flow.arms),
        sum(row.grade == "not recorded" for row in events), len(events),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pace:
    """How many women were enrolled in how many weeks, from the first woman screened; None where days are not known."""

    enrolled: int
    planned: int
    weeks: float | None
    over: bool


def pace(board: Board) -> Pace:
    """Enrolment so far: to the last place where all are taken, else to the day of the cut-off."""
    cut = board.cut
    wanted = cut.protocol.document.design.enrolment
    days = [partial_date(row.screened) for row in board.study.screening]
    taken = sorted(partial_date(one.enrolled).latest.date() for one in cut.participants.values() if one.enrolled)
    first = min((one.earliest.date() for one in days if is_day(one)), default=None)
    over = len(taken) >= wanted
    last = taken[-1] if over else cut.today
    return Pace(len(taken), wanted, (last - first).days / 7 if first else None, over)


# ---------------------------------------------------------------- the product and the drugs


@dataclass(frozen=True, slots=True)
class Failure:
    """A unit that was rejected: when, in which state it was before, and why."""

    unit: str
    lot: str
    on: str
    after: str
    why: str
    event: int


def failures(board: Board, product: str) -> list[Failure]:
    """Units of a product that were rejected at any step, by day."""
    found = []
    for unit in board.cut.trial.custody.units.values():
        if unit.product != product:
            continue
        for before, move in zip([None, *unit.moves], unit.moves, strict=False):
            if move.state == "rejected":
                after = before.state if before else "ordered"
                found.append(Failure(unit.identity, unit.lot, move.on, after, move.note, move.event))
    return sorted(found, key=lambda row: (row.on, row.event))


@dataclass(frozen=True, slots=True)
class Adherence:
    """A drug in an arm: amount used of amount planned over the courses for which both are known.

    `running` of those courses are not over, so that the figure is provisional; `stopped` had a medical decision.
    """

    arm: str
    intervention: str
    drug: str
    women: int
    courses: int
    known: int
    running: int
    changed: int
    unit: str
    used: Fraction
    planned: Fraction
    of_courses: Spread


def adherences(board: Board) -> list[Adherence]:
    """For each arm and drug; all women together where arms are coded, as a drug may tell which arm it is."""
    groups: dict[tuple[str, str, str, str], list[RegimenRow]] = {}
    for row in board.regimens:
        if row.drug:
            allocation = board.cut.participants[row.participant].allocation
            arm = ALL if board.masked else allocation.arm if allocation else ""
            groups.setdefault((arm, row.intervention, row.drug, row.unit), []).append(row)
    order = {arm: index for index, arm in enumerate(board.arms)}
    keys = sorted(groups, key=lambda key: (order.get(key[0], len(order)), list(groups).index(key)))
    return [_adherence(key, groups[key]) for key in keys]


def _adherence(key: tuple[str, str, str, str], rows: Sequence[RegimenRow]) -> Adherence:
    arm, intervention, drug, unit = key
    known = [row for row in rows if row.planned and row.used is not None]
    shares = [float(row.used / row.planned) for row in known if row.used is not None and row.planned]
    return Adherence(
        arm, intervention, drug, len({row.participant for row in rows}), len(rows), len(known),
        sum(not row.over for row in known), sum(bool(row.changes) for row in rows), unit,
        sum((row.used for row in known if row.used is not None), Fraction(0)),
        sum((row.planned for row in known if row.planned is not None), Fraction(0)), spread(shares, len(rows)),
    )  # fmt: skip
