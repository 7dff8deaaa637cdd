"""What to ask next: the items that would decide, in the order that is expected to cost least.

Screening ends with the first criterion that fails. Where each item decides on its own and independently of the others,
asking by cost over probability of failure, smallest first, has the least expected cost (exchange argument: swapping two
neighbours that stand the other way round never helps). Where a criterion needs several items, or an item serves several
criteria, the same ratio is a greedy order, and `exact` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trialwright.core.truth import Truth
from trialwright.language.evaluate import Explanation
from trialwright.language.values import Answer
from trialwright.protocol.eligibility import Eligibility
from trialwright.protocol.protocol import Protocol
from trialwright.protocol.uses import names_in

_COST = re.compile(r"(\d+(?:\.\d+)?) (\S+)")


@dataclass(frozen=True, slots=True)
class Question:
    """One item to ask: for which criteria, why it is not known, what it costs and how often it ends a screening.

    `cost` and `fails` are None where the protocol declares none.
    """

    item: str
    criteria: tuple[str, ...]
    why: str
    cost: Decimal | None
    currency: str
    fails: Decimal | None


@dataclass(frozen=True, slots=True)
class Asking:
    """The questions in their order, and whether that order is exactly the cheapest one or a greedy one."""

    questions: tuple[Question, ...]
    exact: bool


def what_to_ask(protocol: Protocol, eligibility: Eligibility) -> Asking:
    """The items behind every undecided criterion, cheapest expected way first; nothing where the verdict is reached."""
    if eligibility.verdict != "undetermined":
        return Asking((), True)
    wanted: dict[str, list[str]] = {}
    reasons: dict[str, str] = {}
    shared = False
    for one in eligibility.answers:
        if one.answer is not Truth.UNKNOWN:
            continue
        items = undecided(one.explanation)
        shared = shared or len(items) > 1
        for item, why in items.items():
            wanted.setdefault(item, []).append(one.criterion.name)
            reasons.setdefault(item, why)
    questions = [_question(protocol, item, criteria, reasons[item]) for item, criteria in wanted.items()]
    exact = not shared and all(len(criteria) == 1 for criteria in wanted.values())
    priced = all(question.cost is not None and question.fails is not None for question in questions)
    return Asking(tuple(sorted(questions, key=_rank)), exact and priced)


def undecided(explanation: Explanation) -> dict[str, str]:
    """The items and records on which an unknown answer hangs, each with the reason; what is decided is left out."""
    value = explanation.value
    if isinstance(value, Answer) and value.truth is not Truth.UNKNOWN:
        return {}
    conditions = [part for part in explanation.parts if isinstance(part.value, Answer)]
    if conditions:
        found: dict[str, str] = {}
        for part in conditions:
            found.update({item: why for item, why in undecided(part).items() if item not in found})
        if found:
            return found
    why = getattr(value, "why", "")
    return dict.fromkeys(sorted(_still_unknown(explanation)), why)


def _still_unknown(explanation: Explanation) -> Iterable[str]:
    """Of the names a clause asks for, those that its reason speaks of; all of them where it speaks of none."""
    names = names_in(explanation.node)
    why = getattr(explanation.value, "why", "")
    spoken = {name for name in names if re.search(rf"\b{re.escape(name)}\b", why)}
    return spoken or names


def expected_cost(questions: Iterable[Question]) -> Decimal:
    """What asking in this order costs on average, where failures are independent; what has no price costs nothing."""
    total, reached = Decimal(0), Decimal(1)
    for question in questions:
        total += reached * (question.cost or 0)
        reached *= 1 - (question.fails or 0)
    return total


def _question(protocol: Protocol, item: str, criteria: list[str], why: str) -> Question:
    part = protocol.document.items.get(item.rpartition(".")[2])
    priced = _COST.fullmatch(part.cost) if part else None
    fails = Decimal(part.fails) if part and part.fails else None
    cost = Decimal(priced[1]) if priced else None
    return Question(item, tuple(criteria), why, cost, priced[2] if priced else "", fails)


def _rank(question: Question) -> tuple[int, Decimal, str]:
    """Free questions first, then by cost over probability of failure; what never fails comes last."""
    if not question.cost:
        return 0, -(question.fails or Decimal(0)), question.item
    if not question.fails:
        return 2, question.cost, question.item
    return 1, question.cost / question.fails, question.item
