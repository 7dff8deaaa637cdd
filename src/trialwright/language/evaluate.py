"""The reference interpreter: one participant's facts in, an explained answer out. Kept plain on purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from trialwright.core import interval as iv
from trialwright.core.interval import Interval, point
from trialwright.core.partial_date import PartialDate, completed_years
from trialwright.core.truth import Truth, all_of, any_of
from trialwright.language import typed as t
from trialwright.language.counting import counted, over_tests, summary
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.time import at_or_before, before_days, in_window
from trialwright.language.values import (
    UNKNOWN_MOMENT,
    Amount,
    Answer,
    Kinds,
    Moment,
    Value,
    unknown_amount,
)


@dataclass(frozen=True, slots=True)
class Use:
    """A recorded value that an answer rests on."""

    item: str
    value: Value | None
    unit: str
    entered: str
    date: str
    event: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer, the clause it answers, what it used, how far from the limit, and its parts."""

    node: t.Typed
    value: Value
    uses: tuple[Use, ...] = ()
    parts: tuple[Explanation, ...] = ()
    distance: Decimal | None = None


@dataclass(slots=True)
class _World:
    """Whose facts, asked when, with which record or observation at hand."""

    facts: Facts
    when: PartialDate
    at_hand: dict[str, RecordEntry] = field(default_factory=dict)
    observation: Observation | None = None


def evaluate(node: t.Typed, facts: Facts, when: PartialDate, record: RecordEntry | None = None) -> Explanation:
    """The answer of a checked expression for one participant at a reference time, with its explanation.

    `record` is the record at hand, where the expression was checked as being about one of its kind.

    >>> from trialwright.core.partial_date import partial_date
    >>> from trialwright.language.check import Checked, check
    >>> from trialwright.language.parse import parse
    >>> from trialwright.language.vocabulary import Item, Vocabulary
    >>> rule = check(parse("afc <= 7"), Checked(Vocabulary({"afc": Item("afc", "count")})))
    >>> evaluate(rule, Facts(), partial_date("2026-03-09")).value
    Answer(truth=<Truth.UNKNOWN: 'unknown'>, why='afc: never recorded')
    """
    world = _World(facts, when)
    return _evaluate(node, _with(record, world) if record else world)


def answer(explanation: Explanation) -> Truth:
    """The truth of an explained condition."""
    assert isinstance(explanation.value, Answer), "only a condition has a truth"
    return explanation.value.truth


def _evaluate(node: t.Typed, world: _World) -> Explanation:
    match node:
        case t.ConstantAmount():
            return Explanation(node, Amount(point(node.value)))
        case t.ConstantDate():
            day = datetime(node.value.year, node.value.month, node.value.day)
            return Explanation(node, Moment(day, day))
        case t.Comparison():
            return _comparison(node, world)
        case t.IsAmong():
            return _is_among(node, world)
        case t.Junction():
            return _junction(node, world)
        case t.Negation():
            part = _evaluate(node.operand, world)
            value = _as_answer(part)
            return Explanation(node, Answer(~value.truth, value.why), parts=(part,))
        case t.ItemAggregate():
            return _over_item(node, world)
        case t.RecordAggregate():
            return _over_records(node, world)
        case t.FieldOf():
            return _field(node, world)
        case t.Attribute():
            return _attribute(node, world)
        case t.ObservationDate():
            observed = world.observation
            return Explanation(node, _moment(observed.date if observed else None))
        case t.AnchorDate():
            return Explanation(node, _moment(_anchor(node.anchor, world), f"{node.anchor}: not reached"))
        case t.Derived():
            part = _evaluate(node.body, world)
            return Explanation(node, _scaled(part.value, node.factor), parts=(part,))
        case t.AskedAt():
            return _asked_at(node, world)
        case t.Age():
            return _age(node, world)
        case t.SameKind():
            return _same_kind(node, world)
        case t.WithinNormal():
            return _within_normal(node, world)
        case t.Calculation():
            return _calculation(node, world)
        case t.Opposite():
            part = _evaluate(node.operand, world)
            amount = _as_amount(part)
            return Explanation(node, Amount(iv.negate(amount.interval), amount.undefined, amount.why), parts=(part,))
        case t.Raised():
            return _raised(node, world)


# ---------------------------------------------------------------- conditions


def _comparison(node: t.Comparison, world: _World) -> Explanation:
    left, right = _evaluate(node.left, world), _evaluate(node.right, world)
    if isinstance(left.value, Moment):
        assert isinstance(right.value, Moment)
        why = left.value.why or right.value.why
        return Explanation(
            node, Answer(_compare_days(node.operator, left.value, right.value), why), parts=(left, right)
        )
    one, other = _as_amount(left), _as_amount(_rescaled(right, node.factor))
    if one.undefined is not Truth.NO or other.undefined is not Truth.NO:
        return Explanation(node, Answer(Truth.UNKNOWN, one.why or other.why), parts=(left, right))
    found = _compare(node.operator, one.interval, other.interval)
    why = (one.why or other.why) if found is Truth.UNKNOWN else ""
    return Explanation(node, Answer(found, why), parts=(left, right), distance=_distance(one.interval, other.interval))


def _compare(operator: str, x: Interval, y: Interval) -> Truth:
    match operator:
        case "<":
            return iv.less(x, y)
        case "<=":
            return iv.less_or_equal(x, y)
        case ">":
            return iv.less(y, x)
        case ">=":
            return iv.less_or_equal(y, x)
        case "=":
            return iv.equal(x, y)
        case _:
            return ~iv.equal(x, y)


def _compare_days(operator: str, x: Moment, y: Moment) -> Truth:
    if x.earliest is None or x.latest is None or y.earliest is None or y.latest is None:
        return Truth.UNKNOWN
    one = Interval(Decimal(x.earliest.toordinal()), Decimal(x.latest.toordinal()))
    other = Interval(Decimal(y.earliest.toordinal()), Decimal(y.latest.toordinal()))
    return _compare(operator, one, other)


def _distance(x: Interval, *limits: Interval) -> Decimal | None:
    if not iv.is_point(x) or not all(iv.is_point(limit) for limit in limits):
        return None
    return min(abs(iv.ARITHMETIC.subtract(x.low, limit.low)) for limit in limits)


def _is_among(node: t.IsAmong, world: _World) -> Explanation:
    part = _evaluate(node.operand, world)
    distance = None
    match part.value:
        case Kinds(possible, undefined, why):
            found = _subset(possible, node.among.categories) if undefined is Truth.NO else Truth.UNKNOWN
        case Amount(interval, undefined, why):
            if undefined is not Truth.NO:
                found = Truth.UNKNOWN
            elif node.among.interval is not None:
                within = node.among.interval
                found = iv.less_or_equal(point(within.low), interval) & iv.less_or_equal(interval, point(within.high))
                distance = _distance(interval, point(within.low), point(within.high))
            else:
                found = any_of(iv.equal(interval, point(number)) for number in node.among.numbers)
        case _:
            raise AssertionError("the checker lets only amounts and categories be among something")
    found = ~found if node.negated else found
    return Explanation(node, Answer(found, why if found is Truth.UNKNOWN else ""), parts=(part,), distance=distance)


def _subset(possible: frozenset[str], wanted: frozenset[str]) -> Truth:
    if possible <= wanted:
        return Truth.YES
    return Truth.UNKNOWN if possible & wanted else Truth.NO


def _same_kind(node: t.SameKind, world: _World) -> Explanation:
    left, right = _evaluate(node.left, world), _evaluate(node.right, world)
    assert isinstance(left.value, Kinds)
    assert isinstance(right.value, Kinds)
    found = Truth.UNKNOWN
    if left.value.undefined is Truth.NO and right.value.undefined is Truth.NO:
        if not left.value.possible & right.value.possible:
            found = Truth.NO
        elif len(left.value.possible) == 1 and left.value.possible == right.value.possible:
            found = Truth.YES
    why = (left.value.why or right.value.why) if found is Truth.UNKNOWN else ""
    return Explanation(node, Answer(~found if node.negated else found, why), parts=(left, right))


def _within_normal(node: t.WithinNormal, world: _World) -> Explanation:
    part = _over_item(node.operand, world)
    amount = _as_amount(part)
    chosen = [x.normal for x in _could_be_chosen(node.operand, world) if x.value is not None]
    if not chosen or amount.undefined is not Truth.NO or any(normal is None for normal in chosen):
        why = amount.why or f"{node.operand.item.name}: no reference range came with the result"
        return Explanation(node, Answer(Truth.UNKNOWN, why), parts=(part,))
    answers = {
        iv.less_or_equal(point(normal.low), amount.interval) & iv.less_or_equal(amount.interval, point(normal.high))
        for normal in chosen
        if normal is not None
    }
    found = answers.pop() if len(answers) == 1 else Truth.UNKNOWN
    return Explanation(node, Answer(~found if node.outside else found), parts=(part,))


def _junction(node: t.Junction, world: _World) -> Explanation:
    parts = tuple(_evaluate(operand, world) for operand in node.operands)
    answers = [_as_answer(part) for part in parts]
    found = (all_of if node.operator == "and" else any_of)(x.truth for x in answers)
    why = ""
    if found is Truth.UNKNOWN:
        why = "; ".join(dict.fromkeys(x.why for x in answers if x.truth is Truth.UNKNOWN and x.why))
    return Explanation(node, Answer(found, why), parts=parts)


# ---------------------------------------------------------------- items


def _over_item(node: t.ItemAggregate, world: _World) -> Explanation:
    members = _members(node, world)
    made = [(x, belongs) for x, belongs in members if x.value is not None]
    name = node.item.name if not node.person else f"{node.person}.{node.item.name}"
    uses = tuple(_use(name, node.item.unit.code, x) for x, _ in members)
    match node.function:
        case "latest" | "earliest":
            chosen = _could_be_chosen(node, world)
            uses = tuple(_use(name, node.item.unit.code, x) for x in chosen)
            sure = any(belongs is Truth.YES for _, belongs in members)
            if node.take == "date":
                return Explanation(node, _hull_moments([_moment(x.date) for x in chosen], name), uses)
            return Explanation(node, _chosen(node, chosen, sure, name, world), uses)
        case "known":
            chosen = [x for x in _could_be_chosen(node, world) if x.value is not None]
            sure = any(belongs is Truth.YES for _, belongs in made)
            return Explanation(node, Answer(Truth.YES if sure else Truth.UNKNOWN if chosen else Truth.NO), uses)
        case "count":
            if not members:
                return Explanation(node, unknown_amount(f"{name}: never recorded"), uses)
            passing = [belongs & _passes(node.satisfies, x, world) for x, belongs in made]
            return Explanation(node, counted(passing, closed=True), uses)
        case "any" | "every" | "share" | "longest_run":
            tests = [(belongs, _observation_truth(node, x, world), x.date) for x, belongs in made]
            value = over_tests(node.function, tests, closed=bool(made), name=name)
            return Explanation(node, value, uses)
        case _:
            if not made:
                return Explanation(node, unknown_amount(f"{name}: never recorded", Truth.UNKNOWN), uses)
            amounts = [(_amount_of(x.value), belongs) for x, belongs in made]
            return Explanation(node, summary(node.function, amounts, closed=True, name=name), uses)


def _members(node: t.ItemAggregate, world: _World) -> list[tuple[Observation, Truth]]:
    """The observations that may belong, each with whether it does."""
    asked = _reference(node.at, world)
    if asked is None:
        return []
    facts = world.facts.relatives.get(node.person, _NOBODY) if node.person else world.facts
    windows = node.windows
    if node.item.valid is not None and node.function == "latest":
        windows = (*windows, t.Window(node.item.valid.amount, node.item.valid.calendar))
    members: list[tuple[Observation, Truth]] = []
    for x in facts.observations.get(node.item.name, ()):
        belongs = at_or_before(x.date, asked)
        for window in windows:
            belongs = belongs & in_window(x.date, window, asked, _anchor(window.anchor, world))
        for narrowing in node.filters:
            belongs = belongs & _attribute_among(x, narrowing)
        if node.where is not None and belongs is not Truth.NO:
            belongs = belongs & _passes(node.where, x, world)
        if belongs is not Truth.NO:
            members.append((x, belongs))
    return members


_NOBODY = Facts()


def _attribute_among(x: Observation, narrowing: t.Filter) -> Truth:
    value = x.attributes.get(narrowing.attribute.name)
    match value:
        case Kinds(possible):
            return _subset(possible, narrowing.among.categories)
        case Amount(interval):
            if narrowing.among.interval is not None:
                within = narrowing.among.interval
                return iv.less_or_equal(point(within.low), interval) & iv.less_or_equal(interval, point(within.high))
            return any_of(iv.equal(interval, point(number)) for number in narrowing.among.numbers)
        case _:
            return Truth.UNKNOWN


def _could_be_chosen(node: t.ItemAggregate, world: _World) -> list[Observation]:
    members = _members(node, world)
    return [x for x, _ in _rivals(members, lambda x: x.date, node.function)]


_M = TypeVar("_M")


def _rivals(
    members: Sequence[tuple[_M, Truth]], date_of: Callable[[_M], PartialDate | None], function: str
) -> list[tuple[_M, Truth]]:
    """The members that could be the chosen one: those that no certain member surely beats."""
    dates = [date for x, belongs in members if belongs is Truth.YES and (date := date_of(x)) is not None]
    if function == "latest":
        best = max((date.earliest for date in dates), default=None)
        return [(x, b) for x, b in members if best is None or (d := date_of(x)) is None or d.latest >= best]
    best = min((date.latest for date in dates), default=None)
    return [(x, b) for x, b in members if best is None or (d := date_of(x)) is None or d.earliest <= best]


def _chosen(node: t.ItemAggregate, chosen: list[Observation], sure: bool, name: str, world: _World) -> Value:
    if not chosen:
        return _nothing(node, name, world)
    values = [x.value for x in chosen if x.value is not None]
    missing = next((f"{name}: {x.why or 'no result'}" for x in chosen if x.value is None), "")
    undefined = Truth.NO if sure else Truth.UNKNOWN
    why = "" if sure else f"{name}: not certain that it was recorded in time"
    if missing:
        return _no_value(node.type, missing)
    return _hull(node.type, values, undefined, why)


def _nothing(node: t.ItemAggregate, name: str, world: _World) -> Value:
    facts = world.facts.relatives.get(node.person, _NOBODY) if node.person else world.facts
    asked = _reference(node.at, world)
    if asked is None:
        return _no_value(node.type, f"{' '.join(node.at)}: not reached")
    earlier = facts.observations.get(node.item.name, ())
    if node.item.absent_no and not earlier and _is_closed(facts, node.item.absent_no, asked):
        return Answer(Truth.NO)
    if not earlier:
        return _no_value(node.type, f"{name}: never recorded")
    return _no_value(node.type, f"{name}: recorded, but not in the time or state that is asked for, or expired")


def _no_value(kind: t.Type, why: str) -> Value:
    match kind.is_a:
        case "amount":
            return unknown_amount(why)
        case "category":
            return Kinds(kind.categories, Truth.NO, why)
        case "date":
            return Moment(None, None, why)
        case "truth":
            return Answer(Truth.UNKNOWN, why)


def _hull(kind: t.Type, values: Sequence[Value], undefined: Truth, why: str) -> Value:
    """The smallest value that holds all of them."""
    match kind.is_a:
        case "amount":
            amounts = [_amount_of(value) for value in values]
            span = amounts[0].interval
            for amount in amounts[1:]:
                span = iv.hull(span, amount.interval)
            undefined = undefined | any_of(amount.undefined for amount in amounts)
            return Amount(span, undefined, why or next((x.why for x in amounts if x.why), ""))
        case "category":
            kinds = [value for value in values if isinstance(value, Kinds)]
            possible = frozenset[str]().union(*(value.possible for value in kinds))
            undefined = undefined | any_of(value.undefined for value in kinds)
            return Kinds(possible, undefined, why or next((x.why for x in kinds if x.why), ""))
        case "date":
            return _hull_moments([value for value in values if isinstance(value, Moment)], why)
        case "truth":
            truths = {value.truth for value in values if isinstance(value, Answer)}
            reason = next((value.why for value in values if isinstance(value, Answer) and value.why), "")
            if len(truths) == 1 and undefined is Truth.NO:
                return Answer(truths.pop(), reason)
            return Answer(Truth.UNKNOWN, why or reason)


def _hull_moments(moments: Sequence[Moment], name: str) -> Moment:
    starts = [x.earliest for x in moments if x.earliest is not None]
    ends = [x.latest for x in moments if x.latest is not None]
    if not moments or len(starts) < len(moments) or len(ends) < len(moments):
        return Moment(None, None, f"{name}: no date")
    return Moment(min(starts), max(ends))


def _observation_truth(node: t.ItemAggregate, x: Observation, world: _World) -> Truth:
    if node.satisfies is not None:
        return _passes(node.satisfies, x, world)
    return x.value.truth if isinstance(x.value, Answer) else Truth.YES


def _passes(condition: t.Typed | None, x: Observation, world: _World) -> Truth:
    if condition is None:
        return Truth.YES
    inner = _World(world.facts, world.when, world.at_hand, x)
    return _as_answer(_evaluate(condition, inner)).truth


def _use(name: str, unit: str, x: Observation) -> Use:
    return Use(name, x.value, unit, x.entered, str(x.date or ""), x.event, x.why)


def _attribute(node: t.Attribute, world: _World) -> Explanation:
    assert world.observation is not None
    own = world.observation.attributes.get(node.item.name)
    if own is None and node.item.name not in world.observation.attributes and world.observation.value is not None:
        is_value_itself = node.item.kind in ("quantity", "count", "category", "date", "yes_no", "attestation")
        own = world.observation.value if is_value_itself and _is_type(world.observation.value, node.type) else None
    return Explanation(node, own if own is not None else _no_value(node.type, f"{node.item.name}: not recorded"))


def _is_type(value: Value, kind: t.Type) -> bool:
    match value:
        case Amount():
            return kind.is_a == "amount"
        case Kinds(possible):
            return kind.is_a == "category" and possible <= kind.categories
        case Moment():
            return kind.is_a == "date"
        case Answer():
            return kind.is_a == "truth"


def _age(node: t.Age, world: _World) -> Explanation:
    asked = _reference(node.at, world)
    facts = world.facts.relatives.get(node.person, _NOBODY) if node.person else world.facts
    told = [x for x in facts.observations.get(node.born.name, ()) if isinstance(x.value, Moment)]
    if asked is None or not told:
        return Explanation(node, unknown_amount(f"{node.born.name}: never recorded"))
    latest = told[-1]
    born = latest.value
    assert isinstance(born, Moment)
    if born.earliest is None or born.latest is None:
        return Explanation(node, unknown_amount(f"{node.born.name}: {latest.why or 'no result'}"))
    youngest = completed_years(born.latest.date(), asked.earliest.date())
    oldest = completed_years(born.earliest.date(), asked.latest.date())
    span = Interval(Decimal(youngest), Decimal(max(youngest, oldest)))
    return Explanation(node, Amount(span), (_use(node.born.name, "", latest),))


# ---------------------------------------------------------------- records


def _over_records(node: t.RecordAggregate, world: _World) -> Explanation:
    asked = _reference(node.at, world)
    if asked is None:
        return Explanation(node, _no_value(node.type, f"{' '.join(node.at)}: not reached"))
    members = [
        (x, belongs) for x in _entries(node.kind, world) if (belongs := _belongs(node, x, asked, world)) is not Truth.NO
    ]
    closed = _is_closed(world.facts, node.kind, asked)
    uses = tuple(Use(node.kind, None, "", x.identity, str(x.date or ""), x.event) for x, _ in members)
    name = node.kind
    if node.function == "count":
        passing = [belongs & _record_passes(node.satisfies, x, world) for x, belongs in members]
        return Explanation(node, counted(passing, closed, name), uses)
    if node.function in ("any", "every", "share", "longest_run"):
        tests = [(belongs, _record_passes(node.satisfies, x, world), x.date) for x, belongs in members]
        return Explanation(node, over_tests(node.function, tests, closed, name), uses)
    assert node.take is not None
    take = node.take
    if node.function in ("latest", "earliest"):
        rivals = _rivals(members, lambda x: x.date, node.function)
        parts = tuple(_evaluate(take, _with(x, world)) for x, _ in rivals)
        if not parts:
            return Explanation(node, _no_value(node.type, f"{name}: none recorded"), uses)
        sure = any(belongs is Truth.YES for _, belongs in members)
        why = "" if sure else f"{name}: not certain that it belongs"
        value = _hull(take.type, [part.value for part in parts], Truth.NO if sure else Truth.UNKNOWN, why)
        return Explanation(node, value, uses, parts)
    parts = tuple(_evaluate(take, _with(x, world)) for x, _ in members)
    if node.function == "known":
        recorded = [belongs for part, (_, belongs) in zip(parts, members, strict=True) if not _is_unknown(part.value)]
        return Explanation(node, Answer(any_of(recorded)), uses, parts)
    amounts = [(_as_amount(part), belongs) for part, (_, belongs) in zip(parts, members, strict=True)]
    return Explanation(node, summary(node.function, amounts, closed, name), uses, parts)


def _is_unknown(value: Value) -> bool:
    match value:
        case Amount(interval):
            return interval == iv.WHOLE_LINE
        case Kinds(possible):
            return len(possible) != 1
        case Moment(earliest):
            return earliest is None
        case Answer(found):
            return found is Truth.UNKNOWN


def _entries(kind: str, world: _World) -> list[RecordEntry]:
    """The records of the kind; where an ancestor is at hand, only those that belong to it."""
    entries = list(world.facts.records.get(kind, ()))
    if not world.at_hand or kind in world.at_hand:
        return entries
    return [x for x in entries if _shares_ancestor(x, world)]


def _shares_ancestor(x: RecordEntry, world: _World) -> bool:
    for ancestor in _ancestors(x, world.facts):
        if ancestor.kind in world.at_hand:
            return world.at_hand[ancestor.kind].identity == ancestor.identity
    return True


def _ancestors(x: RecordEntry, facts: Facts) -> list[RecordEntry]:
    chain: list[RecordEntry] = []
    while x.parent:
        parent = next((y for entries in facts.records.values() for y in entries if y.identity == x.parent), None)
        if parent is None or parent in chain:
            break
        chain.append(parent)
        x = parent
    return chain


def _belongs(node: t.RecordAggregate, x: RecordEntry, asked: PartialDate, world: _World) -> Truth:
    belongs = at_or_before(x.date, asked)
    for window in node.windows:
        belongs = belongs & in_window(x.date, window, asked, _anchor(window.anchor, world))
    if node.where is not None and belongs is not Truth.NO:
        belongs = belongs & _record_passes(node.where, x, world)
    return belongs


def _record_passes(condition: t.Typed | None, x: RecordEntry, world: _World) -> Truth:
    return Truth.YES if condition is None else _as_answer(_evaluate(condition, _with(x, world))).truth


def _with(x: RecordEntry, world: _World) -> _World:
    at_hand = {**world.at_hand, x.kind: x}
    if x.parent:
        at_hand.update({ancestor.kind: ancestor for ancestor in _ancestors(x, world.facts)})
    return _World(world.facts, world.when, at_hand)


def _field(node: t.FieldOf, world: _World) -> Explanation:
    record = world.at_hand.get(node.kind)
    if node.item is None:
        return Explanation(node, _moment(record.date if record else None, f"{node.kind}: no date"))
    name = f"{node.kind}.{node.item.name}"
    if record is None:
        return Explanation(node, _no_value(node.type, f"{name}: its record is not known"))
    told = record.fields.get(node.item.name)
    if told is None or at_or_before(told.date or record.date, world.when) is Truth.NO:
        return Explanation(node, _no_value(node.type, f"{name}: not recorded"))
    value = told.value if told.value is not None else _no_value(node.type, f"{name}: {told.why or 'no result'}")
    return Explanation(node, value, (_use(f"{name} [{record.identity}]", node.item.unit.code, told),))


def _is_closed(facts: Facts, name: str, asked: PartialDate) -> bool:
    closed = facts.closed.get(name)
    return closed is not None and at_or_before(closed, asked) is Truth.YES


# ---------------------------------------------------------------- arithmetic


def _calculation(node: t.Calculation, world: _World) -> Explanation:
    left, right = _evaluate(node.left, world), _evaluate(node.right, world)
    if isinstance(left.value, Moment):
        assert isinstance(right.value, Moment)
        days = before_days(right.value, left.value)
        why = left.value.why or right.value.why
        return Explanation(node, Amount(days) if days else unknown_amount(why), parts=(left, right))
    one, other = _as_amount(left), _as_amount(_rescaled(right, node.factor))
    undefined = one.undefined | other.undefined
    why = one.why or other.why
    match node.operator:
        case "+":
            result: Interval | None = iv.add(one.interval, other.interval)
        case "-":
            result = iv.add(one.interval, iv.negate(other.interval))
        case "*":
            result = iv.multiply(one.interval, other.interval)
        case "/":
            result = iv.divide(one.interval, other.interval)
            if result is None:
                nothing = other.interval == point(Decimal(0)) and other.undefined is Truth.NO
                undefined = Truth.YES if nothing else Truth.UNKNOWN
                return Explanation(node, unknown_amount(why or "division by zero", undefined), parts=(left, right))
    assert result is not None
    return Explanation(node, Amount(result, undefined, why), parts=(left, right))


def _raised(node: t.Raised, world: _World) -> Explanation:
    part = _evaluate(node.operand, world)
    amount = _as_amount(part)
    result: Interval | None = point(Decimal(1))
    for _ in range(abs(node.exponent)):
        result = iv.multiply(result or iv.WHOLE_LINE, amount.interval)
    if node.exponent % 2 == 0 and result is not None and result.low < 0:
        result = Interval(Decimal(0), result.high, False, result.high_open)  # an even power is never negative
    if node.exponent < 0 and result is not None:
        result = iv.divide(point(Decimal(1)), result)
    if result is None:
        return Explanation(node, unknown_amount(amount.why or "division by zero", Truth.UNKNOWN), parts=(part,))
    return Explanation(node, Amount(result, amount.undefined, amount.why), parts=(part,))


def _scaled(value: Value, factor: Decimal) -> Value:
    if factor == 1 or not isinstance(value, Amount):
        return value
    return Amount(iv.multiply(value.interval, point(factor)), value.undefined, value.why)


def _rescaled(part: Explanation, factor: Decimal) -> Explanation:
    return part if factor == 1 else Explanation(part.node, _scaled(part.value, factor))


# ---------------------------------------------------------------- time and shape


def _asked_at(node: t.AskedAt, world: _World) -> Explanation:
    asked = _reference(node.at, world)
    if asked is None:
        return Explanation(node, _no_value(node.type, f"{' '.join(node.at)}: not reached"))
    part = _evaluate(node.operand, _World(world.facts, asked, world.at_hand, world.observation))
    return Explanation(node, part.value, parts=(part,))


def _reference(at: tuple[str, ...], world: _World) -> PartialDate | None:
    return _anchor(at[0], world) if at else world.when


def _anchor(name: str, world: _World) -> PartialDate | None:
    """When the anchor was reached; where it was reached more than once, the span of them all."""
    reached = world.facts.anchors.get(name, ())
    if not reached:
        return None
    if len(reached) == 1:
        return reached[0]
    return PartialDate(min(x.earliest for x in reached), max(x.latest for x in reached), f"{name} (repeated)")


def _moment(date: PartialDate | None, why: str = "no date") -> Moment:
    return Moment(date.earliest, date.latest) if date else Moment(UNKNOWN_MOMENT.earliest, UNKNOWN_MOMENT.latest, why)


def _as_amount(part: Explanation) -> Amount:
    return _amount_of(part.value)


def _amount_of(value: Value | None) -> Amount:
    assert isinstance(value, Amount), "the checker lets only amounts be counted with"
    return value


def _as_answer(part: Explanation) -> Answer:
    assert isinstance(part.value, Answer), "the checker lets only conditions be joined"
    return part.value
