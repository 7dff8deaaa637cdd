"""Adverse events by system, term and worst grade, arm by arm; and the grade that the grading pack says is possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from trialwright.core.finding import Refused
from trialwright.core.interval import Interval
from trialwright.core.partial_date import PartialDate, partial_date
from trialwright.core.truth import Truth, any_of
from trialwright.language.facts import Observation, RecordEntry
from trialwright.language.values import Amount, Answer, Kinds, show
from trialwright.protocol.adverse_event import ADVERSE_EVENT
from trialwright.protocol.grading import KIND, GradedTerm, GradingPack, graded
from trialwright.protocol.protocol import Protocol
from trialwright.trial.facts import facts_of
from trialwright.trial.grades import entered_grade, graded_fields, grading_of
from trialwright.trial.state import Participant
from trialwright.views.cutoff import CutOff, arms_shown, in_arm

#: Where what came before the allocation, or of women without one, is counted, of all who consented.
BEFORE = "before allocation"
ANY = "any"
UNCLASSIFIED = "not classified"
NOT_RECORDED = "not recorded"
RELATED = frozenset({"possible", "probable", "definite"})


@dataclass(frozen=True, slots=True)
class Grading:
    """The grade that was recorded beside those that are possible by the pack: they agree, disagree, or it is open."""

    recorded: str
    possible: tuple[int, ...]
    agrees: Truth
    why: str


@dataclass(frozen=True, slots=True)
class EventCount:
    """Women with an event of a system or term, of those at risk in an arm, and how many such events there were.

    `worst` counts each woman once, by her worst grade; by `unknown` where that is not certain. She has a related
    event where investigator or sponsor holds one possible, probable or definite, and an unknown one where nobody
    judged it.
    """

    arm: str
    system: str
    term: str
    with_event: int
    at_risk: int
    occurrences: int
    worst: tuple[tuple[str, int], ...]
    related: int
    related_unknown: int
    serious: int
    serious_unknown: int
    events: tuple[int, ...]


def event_counts(cut: CutOff) -> list[EventCount]:
    """For each arm: any event, each system, each term; then the same for what came before allocation."""
    women = list(cut.participants.values())
    allocated = [one for one in women if one.allocation is not None]
    rows: list[EventCount] = []
    for arm in arms_shown(cut):
        inside = in_arm(allocated, arm)
        rows += _counted(cut, arm, len(inside), [(one, entry) for one in inside for entry in _since(cut, one)])
    consented = [one for one in women if one.consented]
    before = [(one, entry) for one in consented for entry in _before(cut, one)]
    return [*rows, *_counted(cut, BEFORE, len(consented), before)]


def grading(protocol: Protocol, entry: RecordEntry, when: PartialDate) -> Grading:
    """The grade of one event, as recorded and as the pack of the protocol has it."""
    grade = entry.fields.get("grade")
    recorded = show(grade.value) if grade is not None and grade.value is not None else NOT_RECORDED
    by = _graded_by(protocol, entry)
    if by is None:
        why = f"{term_of(entry)} is graded by no term of {protocol.document.safety.grading}"
        return Grading(recorded, (), Truth.UNKNOWN, why)
    pack, term = by
    told, left_out = _pack_fields(protocol, pack, entry)
    found = graded(pack, term.name, told, when)
    possible = tuple(sorted(found.possible))
    why = "; ".join(part for part in (found.why, *left_out) if part)
    number = entered_grade(entry)
    if number is None:
        return Grading(recorded, possible, Truth.UNKNOWN, why)
    if number not in possible:
        return Grading(recorded, possible, Truth.NO, why)
    settled = term.judgement or found.certain == number
    return Grading(recorded, possible, Truth.YES if settled else Truth.UNKNOWN, why)


def term_of(entry: RecordEntry) -> str:
    """The term of an event, or that none is recorded."""
    told = entry.fields.get("term")
    if told is None or not isinstance(told.value, Kinds) or len(told.value.possible) != 1:
        return NOT_RECORDED
    return next(iter(told.value.possible))


def related_by(observation: Observation | None) -> Truth:
    """Whether one assessor holds it related: possible, probable and definite are yes, the others no."""
    value = observation.value if observation else None
    if not isinstance(value, Kinds) or not value.possible:
        return Truth.UNKNOWN
    if value.possible <= RELATED:
        return Truth.YES
    return Truth.UNKNOWN if value.possible & RELATED else Truth.NO


def yes_no(entry: RecordEntry, name: str) -> Truth:
    """The answer to a field of yes or no; unknown where there is none."""
    told = entry.fields.get(name)
    return told.value.truth if told is not None and isinstance(told.value, Answer) else Truth.UNKNOWN


# ---------------------------------------------------------------- counting


def _entries(cut: CutOff, one: Participant) -> list[RecordEntry]:
    return list(facts_of(cut.protocol, one).records.get(ADVERSE_EVENT, ()))


def _since(cut: CutOff, one: Participant) -> Iterator[RecordEntry]:
    return (entry for entry in _entries(cut, one) if not _precedes(entry, one))


def _before(cut: CutOff, one: Participant) -> Iterator[RecordEntry]:
    return (entry for entry in _entries(cut, one) if _precedes(entry, one))


def _precedes(entry: RecordEntry, one: Participant) -> bool:
    """Whether it certainly came before she had an arm, or she has none."""
    if one.allocation is None:
        return True
    return entry.date is not None and entry.date.latest < partial_date(one.allocation.on).earliest


def _counted(cut: CutOff, arm: str, at_risk: int, found: list[tuple[Participant, RecordEntry]]) -> Iterator[EventCount]:
    groups: dict[tuple[str, str], list[tuple[Participant, RecordEntry]]] = {(ANY, ANY): found}
    placed = [(_system(cut.protocol, entry), term_of(entry), one, entry) for one, entry in found]
    for system, term, one, entry in sorted(placed, key=lambda row: (row[0] == UNCLASSIFIED, *row[:2])):
        groups.setdefault((system, ANY), []).append((one, entry))
        groups.setdefault((system, term), []).append((one, entry))
    order = list(dict.fromkeys(system for system, _ in groups))
    for system, term in sorted(groups, key=lambda key: (order.index(key[0]), key[1] != ANY, key[1])):
        yield _count(arm, system, term, at_risk, groups[system, term])


def _count(arm: str, system: str, term: str, at_risk: int, found: list[tuple[Participant, RecordEntry]]) -> EventCount:
    women: dict[str, list[RecordEntry]] = {}
    for one, entry in found:
        women.setdefault(one.identity, []).append(entry)
    worst = [_worst(entries) for entries in women.values()]
    related = [any_of(_related(entry) for entry in entries) for entries in women.values()]
    serious = [any_of(yes_no(entry, "serious") for entry in entries) for entries in women.values()]
    return EventCount(
        arm, system, term, len(women), at_risk, len(found),
        tuple((grade, worst.count(grade)) for grade in ("1", "2", "3", "4", "5", "unknown")),
        related.count(Truth.YES), related.count(Truth.UNKNOWN), serious.count(Truth.YES),
        serious.count(Truth.UNKNOWN),
        tuple(sorted({event.seq for one, entry in found for event in one.records[entry.kind][entry.identity]})),
    )  # fmt: skip


def _worst(entries: list[RecordEntry]) -> str:
    """The worst grade of several events, where it is certain whatever the unknown ones turn out to be."""
    low, high = 0, 0
    for entry in entries:
        told = entry.fields.get("grade")
        value = told.value if told is not None else None
        grade = value.interval if isinstance(value, Amount) else Interval(Decimal(1), Decimal(5))
        least, most = (int(max(Decimal(1), grade.low)), int(min(Decimal(5), grade.high)))
        low, high = max(low, least), max(high, most)
    return str(low) if low == high else "unknown"


def _related(entry: RecordEntry) -> Truth:
    """Whether somebody holds it related; no where somebody judged it and nobody does."""
    told = [related_by(entry.fields.get(name)) for name in ("related", "related_sponsor")]
    judged = [one for one in told if one is not Truth.UNKNOWN]
    return any_of(judged) if judged else Truth.UNKNOWN


# ---------------------------------------------------------------- the pack


def _graded_by(protocol: Protocol, entry: RecordEntry) -> tuple[GradingPack, GradedTerm] | None:
    try:
        found = grading_of(protocol, entry)
    except Refused:  # `check` says that there is no such pack
        return None
    if found is None or found[1] not in found[0].terms:
        return None
    return found[0], found[0].terms[found[1]]


def _system(protocol: Protocol, entry: RecordEntry) -> str:
    found = _graded_by(protocol, entry)
    return (found[1].system if found else "") or UNCLASSIFIED


def _pack_fields(
    protocol: Protocol, pack: GradingPack, entry: RecordEntry
) -> tuple[Mapping[str, Observation], list[str]]:
    """The record's answers to the pack's fields; one of another kind, unit or list of answers is left out, and said.

    Where nobody answered whether she died, the outcome of the event does.
    """
    declared, asked = protocol.vocabulary.records[entry.kind].fields, pack.vocabulary.records[KIND].fields
    told, left_out = graded_fields(pack, entry), []
    for name in asked.keys() & entry.fields.keys() & declared.keys():
        ours, theirs, value = declared[name], asked[name], entry.fields[name].value
        foreign = isinstance(value, Kinds) and not value.possible <= set(theirs.categories)
        if ours.kind != theirs.kind or ours.unit != theirs.unit or foreign:
            del told[name]
            left_out.append(f"{name}: what is recorded is not in the words or the unit of {pack.name}")
    outcome = entry.fields.get("outcome")
    if "died" in asked and "died" not in told and outcome is not None and isinstance(outcome.value, Kinds):
        if outcome.value.possible == {"fatal"}:
            told["died"] = replace(outcome, value=Answer(Truth.YES))
        elif not outcome.value.possible & {"fatal", "unknown"}:
            told["died"] = replace(outcome, value=Answer(Truth.NO))
    return told, sorted(left_out)
