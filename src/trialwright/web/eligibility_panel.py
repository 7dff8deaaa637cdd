"""Eligibility beside a form: criterion by criterion, in the record's own words, and what to ask next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from trialwright.core.interval import plain
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.language.explain import lines
from trialwright.protocol.asking import expected_cost, what_to_ask
from trialwright.protocol.eligibility import CriterionAnswer, determine
from trialwright.protocol.protocol import Protocol
from trialwright.trial.facts import facts_of
from trialwright.trial.state import Participant
from trialwright.web.words import label

_NEXT = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One criterion: does it hold, what does that mean for entry, and why."""

    name: str
    kind: str
    answer: str
    tone: str
    words: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """The verdict, every criterion, and the questions that would decide, cheapest way first."""

    verdict: str
    tone: str
    lines: tuple[Line, ...]
    settled: int
    against: int
    unknown: int
    asks: tuple[tuple[str, str, str, str], ...]  # item, label, cost, which criteria
    exact: bool
    cost: str


def panel(protocol: Protocol, participant: Participant, on: str, today: date) -> Panel:
    """Her eligibility on the day of the form, or today where that day cannot be read."""
    try:
        when = partial_date(on)
    except ValueError:
        when = partial_date(str(today))
    result = determine(protocol, facts_of(protocol, participant), when)
    asking = what_to_ask(protocol, result)
    asks = tuple(
        (
            one.item,
            _label(protocol, one.item),
            f"{plain(one.cost)} {one.currency}" if one.cost is not None else "",
            ", ".join(one.criteria),
        )
        for one in asking.questions[:_NEXT]
    )
    cost = expected_cost(asking.questions)
    currency = next((one.currency for one in asking.questions if one.currency), "")
    made = tuple(_line(one) for one in result.answers)
    tones = [one.tone for one in made]
    return Panel(
        result.verdict,
        {"eligible": "good", "ineligible": "bad"}.get(result.verdict, "open"),
        made,
        tones.count("good"),
        tones.count("bad"),
        tones.count("open"),
        asks,
        asking.exact,
        f"{cost:.0f} {currency}" if currency else "",
    )


def _line(one: CriterionAnswer) -> Line:
    tone = "bad" if one.fails else "open" if one.answer is Truth.UNKNOWN else "good"
    words = " · ".join(one.criterion.quotes) or "(words lost from the record)"
    return Line(one.criterion.name, one.criterion.kind, one.answer.value, tone, words, tuple(lines(one.explanation)))


def _label(protocol: Protocol, item: str) -> str:
    person, _, name = item.rpartition(".")
    return f"{label(protocol, name)}, {person}" if person else label(protocol, name)
