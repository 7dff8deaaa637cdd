"""A naive reading of a ledger of the soak trial: what must never have happened, judged from the events as they lie.

It shares nothing with the fold and the gate but the names of the event types; its limits are typed here a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from trialwright.ledger.envelope import CORRECTED, VOIDED, Event
from trialwright.trial import events as e

BERLIN = ZoneInfo("Europe/Berlin")
VOLUME, DURATION, RESTART = Decimal(15), timedelta(minutes=30), timedelta(minutes=30)
LEAST, GREATEST = Decimal("0.9"), Decimal("1.1")
COLDEST, WARMEST = Decimal(2), Decimal(8)
SENTINEL_FIRST, SENTINEL_DAYS = 2, 2
PLACES = 4
GIVING_ARM = "cells"


def first(on: str) -> datetime:
    """The first local moment that a told time may mean."""
    return datetime.fromisoformat(on + "0000-01-01T00:00"[len(on) :])


def last(on: str) -> datetime:
    """The last local moment that a told time may mean."""
    if len(on) == 7:
        return (first(on) + timedelta(days=31)).replace(day=1) - timedelta(minutes=1)
    return datetime.fromisoformat(on + "0000-12-31T23:59"[len(on) :])


def utc_early(on: str) -> datetime:
    """The earlier instant of a local minute."""
    return first(on).replace(tzinfo=BERLIN, fold=0).astimezone(UTC)


def utc_late(on: str) -> datetime:
    """The later instant of a local minute: an hour that is told twice means the second one."""
    return last(on).replace(tzinfo=BERLIN, fold=1).astimezone(UTC)


def valid(events: Sequence[Event]) -> list[Event]:
    """The events that nobody took back, with the payloads that correct them."""
    gone: set[int] = set()
    payloads: dict[int, Any] = {}
    found = []
    for event in reversed(events):
        if event.seq in gone:
            continue
        of: Any = event.payload.get("of")
        if event.type == VOIDED:
            gone.add(of)
        elif event.type == CORRECTED:
            payloads.setdefault(of, event.payload["payload"])
        else:
            found.append(replace(event, payload=payloads[event.seq]) if event.seq in payloads else event)
    return found[::-1]


def happened(events: Iterable[Event]) -> list[Event]:
    """In the order of happening."""
    return sorted(events, key=lambda event: (first(event.on), event.seq))


class Judge:
    """Every event so far; `take` asserts that each new one was allowed by those before it."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def take(self, new: Sequence[Event], at: str) -> None:
        """Judge the events of one accepted command."""
        assert new, "an accepted command left no event"
        now = datetime.fromisoformat(at).astimezone(BERLIN).replace(tzinfo=None)
        before = valid(self.events)
        for event in new:
            assert event.seq == len(self.events) + 1, "the sequence has a gap"
            assert event.command == new[0].command
            assert first(event.on) <= now, f"{event.type} is dated in the future"
            rule = _RULES.get(event.type)
            if rule is not None:
                rule(self, before, event)
            self.events.append(event)
            # a void may be taken back in turn, so that what is valid is read anew
            before = valid(self.events) if event.type in (VOIDED, CORRECTED) else [*before, event]
        self.units_are_given_once(before)

    def units_are_given_once(self, told: Sequence[Event]) -> None:
        """No unit in two people, none given twice."""
        given: dict[object, str] = {}
        for event in told:
            if event.type == e.DOSE_DETERMINED:
                unit = event.payload["unit"]
                assert unit not in given, f"unit {unit} was given to {given[unit]} and in {event.stream}"
                given[unit] = event.stream


# ---------------------------------------------------------------- reading


def of(told: Iterable[Event], type: str, **fields: object) -> list[Event]:
    """The events of a type whose payload says so."""
    return [
        event
        for event in told
        if event.type == type and all(event.payload.get(name) == value for name, value in fields.items())
    ]


def who(event: Event) -> str:
    """The participant in whose stream an event lies."""
    return event.stream.removeprefix("participant/")


def only(found: Sequence[Event], what: str) -> Event:
    """The one event, and no other."""
    assert len(found) == 1, f"{what}: {len(found)} events"
    return found[0]


def paused(told: Sequence[Event]) -> list[object]:
    """The alerts that hold the trial up."""
    found: list[object] = []
    for alert in of(told, e.TRIGGER_RAISED, action="pause"):
        reviews = happened(of(told, e.TRIGGER_REVIEWED, alert=alert.payload["alert"]))
        if not reviews or reviews[-1].payload["decision"] not in ("continue", "modify"):
            found.append(alert.payload["alert"])
    return found


def line(told: Sequence[Event], lot: str) -> list[str]:
    """From a lot back to its donor, by what was written when each was registered."""
    parents = {str(event.payload["lot"]): str(event.payload["parent"]) for event in of(told, e.LOT_REGISTERED)}
    for event in of(told, e.MATERIAL_REGISTERED):
        parents[str(event.payload["material"])] = str(event.payload["parent"])
    chain = [lot]
    while chain[-1] in parents:
        chain.append(parents[chain[-1]])
    return chain


def given_of(told: Sequence[Event], source: str) -> set[str]:
    """Whoever was given a unit, or anything made from a lot, bank, tissue or donor."""
    return {
        who(dose)
        for dose in of(told, e.DOSE_DETERMINED)
        if source == dose.payload["unit"] or source in line(told, str(dose.payload["lot"]))
    }


def certainly_bad(tests: Sequence[Event], item: str, bad: Callable[[dict[str, Any]], bool]) -> bool:
    """Whether the newest result is bad, whatever the order of those that are told only roughly."""
    good_until, bad_since = datetime.min, datetime.min
    for event in tests:
        result: Any = event.payload["results"]
        if item in result:
            if bad(result[item]):
                bad_since = max(bad_since, first(event.on))
            else:
                good_until = max(good_until, last(event.on))
    return bad_since > good_until


def positive(result: dict[str, Any]) -> bool:
    return bool(result["one_of"] == ["positive"])


# ---------------------------------------------------------------- rules, by the type of the new event


def _enrolled(judge: Judge, told: Sequence[Event], event: Event) -> None:
    assert not paused(told), "enrolled while the trial was paused"
    assert len(of(told, e.ENROLLED)) < PLACES, "enrolled beyond the places"
    assert of([one for one in told if one.stream == event.stream], e.CONSENTED), "enrolled without consent"


def _lot_released(judge: Judge, told: Sequence[Event], event: Event) -> None:
    assert event.role == "quality person"
    lot = str(event.payload["lot"])
    _lot_is_good(told, lot, needs_release=False)


def _lot_is_good(told: Sequence[Event], lot: str, needs_release: bool = True) -> None:
    assert not of(told, e.LOT_RECALLED, lot=lot), f"{lot} was recalled"
    assert not of(told, e.LOT_REJECTED, lot=lot), f"{lot} was rejected"
    assert not needs_release or of(told, e.LOT_RELEASED, lot=lot), f"{lot} was never released"
    tests = of(told, e.LOT_TESTED, lot=lot)
    assert not certainly_bad(tests, "sterility", positive), f"{lot} is known not to be sterile"
    assert not certainly_bad(tests, "viability", lambda one: Decimal(one.get("high") or one["value"]) < 80), (
        f"{lot} is known to be of low viability"
    )
    product = only(of(told, e.LOT_REGISTERED, lot=lot), lot).payload["product"]
    if product == "cells":
        donor = line(told, lot)[-1]
        assert of(told, e.DONOR_REGISTERED, donor=donor, product=product), f"{lot} has no donor"
        assert of(told, e.DONOR_ACCEPTED, donor=donor), f"donor {donor} was never accepted"
        assert not of(told, e.DONOR_REJECTED, donor=donor), f"donor {donor} was rejected"
        for item in ("hiv", "hbv", "hbv_at_3_months"):
            tested = of(told, e.DONOR_TESTED, donor=donor)
            assert not certainly_bad(tested, item, positive), f"donor {donor} is known to be {item} positive"


def _ordered(judge: Judge, told: Sequence[Event], event: Event) -> None:
    assert not of(told, e.UNIT_ORDERED, unit=event.payload["unit"]), "a unit ordered twice"
    _in_a_giving_arm(told, str(event.payload["participant"]), event.on)


def _in_a_giving_arm(told: Sequence[Event], participant: str, on: str) -> None:
    hers = [one for one in told if one.stream == f"participant/{participant}"]
    allocated = happened(of(hers, e.ALLOCATED))
    assert allocated, "not allocated"
    assert allocated[0].payload["arm"] == GIVING_ARM, "the arm does not give it"
    assert first(allocated[0].on) <= last(on), "before the allocation"
    consents = happened(of(hers, e.CONSENTED))
    assert consents, "no consent"
    assert first(consents[0].on) <= last(on), "before the consent"


def _manufactured(judge: Judge, told: Sequence[Event], event: Event) -> None:
    told_of = event.payload
    unit, lot = told_of["unit"], str(told_of["lot"])
    order = only(of(told, e.UNIT_ORDERED, unit=unit), f"order of {unit}")
    assert not of(told, e.UNIT_MANUFACTURED, unit=unit), "prepared twice"
    assert Decimal(str(told_of["volume"])) == VOLUME, "the volume is fixed"
    assert not of(told, e.LOT_RECALLED, lot=lot), "prepared from a recalled lot"
    assert not of(told, e.LOT_REJECTED, lot=lot), "prepared from a rejected lot"
    assert only(of(told, e.LOT_REGISTERED, lot=lot), lot).payload["product"] == order.payload["product"]
    donor = only(of(told, e.DONOR_REGISTERED, donor=line(told, lot)[-1]), f"donor of {lot}")
    assert donor.payload["participant"] in ("", order.payload["participant"]), "the cells of another participant"
    counted = [test.payload["results"] for test in happened(of(told, e.LOT_TESTED, lot=lot))]
    counts: list[dict[str, str]] = [one["viable_cells"] for one in counted if "viable_cells" in one]  # type: ignore
    if counts:
        held = Decimal(counts[-1].get("value") or counts[-1]["high"]) * 1_000_000
        used = sum(Decimal(str(one.payload["viable"])) for one in [*of(told, e.UNIT_MANUFACTURED, lot=lot), event])
        assert used <= held, f"{used} cells from a lot of {held}"


def _unit_released(judge: Judge, told: Sequence[Event], event: Event) -> None:
    assert event.role == "quality person"
    made = only(of(told, e.UNIT_MANUFACTURED, unit=event.payload["unit"]), "preparation")
    _lot_is_good(told, str(made.payload["lot"]))


def _given(judge: Judge, told: Sequence[Event], event: Event) -> None:
    unit, on, participant = str(event.payload["unit"]), event.on, who(event)
    assert len(on) == 16, "the minute of an infusion is known"
    assert not paused(told), f"given while the trial was paused by {paused(told)}"
    _in_a_giving_arm(told, participant, on)
    order = only(of(told, e.UNIT_ORDERED, unit=unit), "order")
    assert order.payload["participant"] == participant, "ordered for somebody else"
    made = only(of(told, e.UNIT_MANUFACTURED, unit=unit), "preparation")
    lot = str(made.payload["lot"])
    assert event.payload["lot"] == lot
    assert not of(told, e.DOSE_DETERMINED, unit=unit), "given a second time"
    for never in (e.UNIT_REJECTED, e.UNIT_RECONCILED):
        assert not of(told, never, unit=unit), f"given after {never}"
    _lot_is_good(told, lot)
    tests = of(told, e.UNIT_TESTED, unit=unit)
    for item in ("gram_stain", "culture"):
        assert not certainly_bad(tests, item, positive), f"given although {item} is known to be positive"
    released = only(of(told, e.UNIT_RELEASED, unit=unit), "release")
    only(of(told, e.UNIT_ISSUED, unit=unit), "issue")
    received = only(of(told, e.UNIT_RECEIVED, unit=unit), "receipt")
    seen = [Decimal(str(received.payload[name]).split(" ")[0]) for name in ("coldest", "warmest")]
    assert received.payload["intact"], "a damaged unit was given"
    assert min(seen) >= COLDEST, "a frozen unit was given"
    assert max(seen) <= WARMEST, "a warm unit was given"
    verified = of(told, e.UNIT_VERIFIED, unit=unit, participant=participant)
    users = {one.user for one in verified if received.seq < one.seq and first(one.on) <= first(on)}
    assert len(users) >= 2, f"verified by {users} only"
    _still_fresh(told, made, on, DURATION)
    _dose_is_hers(told, event, made, bool(str(released.payload["approved_by"]).strip()))
    _spaced(told, event)


def _still_fresh(told: Sequence[Event], made: Event, on: str, lasting: timedelta) -> None:
    holds = happened(one for one in of(told, e.HOLD_VALIDATED, product="cells") if one.seq < made.seq)
    assert holds, "the hold was never validated"
    hours = float(str(holds[-1].payload["hours"]))
    expires = utc_early(str(made.payload["thawed"])) + timedelta(hours=hours)
    assert utc_late(on) + lasting <= expires, f"{on} lies beyond the expiry at {expires}"


def _dose_is_hers(told: Sequence[Event], event: Event, made: Event, approved: bool) -> None:
    hers = [one for one in told if one.stream == event.stream]
    weights = []
    for one in of(hers, e.OBSERVED, item="weight"):
        value: Any = one.payload.get("value")
        if value is not None and first(one.on) <= first(event.on):
            weights.append((first(one.on), last(one.on), value.get("value")))
    newest = max((until for _, until, _ in weights if until <= first(event.on)), default=datetime.min)
    possible = {Decimal(value) * 1_000_000 for _, until, value in weights if value and until >= newest}
    planned = Decimal(str(event.payload["planned"]))
    assert planned in possible, f"planned {planned}, by the weights {possible}"
    cells = Decimal(str(made.payload["total"])) * Decimal(str(made.payload["viability"])) / 100
    assert abs(Decimal(str(event.payload["prepared"])) - cells) <= Decimal("0.5"), "other cells than were prepared"
    cells = cells.quantize(Decimal(1))
    assert cells <= GREATEST * planned, f"{cells} cells for a plan of {planned}"
    assert approved or cells >= LEAST * planned, f"{cells} cells for a plan of {planned}, approved by nobody"


def _spaced(told: Sequence[Event], event: Event) -> None:
    days: dict[str, datetime] = {}
    for dose in happened(of(told, e.DOSE_DETERMINED)):
        days.setdefault(who(dose), first(dose.on))
    if who(event) not in days and len(days) < SENTINEL_FIRST:
        for other, day in days.items():
            apart = abs((first(event.on).date() - day.date()).days)
            assert apart >= SENTINEL_DAYS, f"{apart} days after {other}"


def _course(told: Sequence[Event], event: Event) -> list[Event]:
    """What happened in the infusion of a unit so far."""
    unit = event.payload["unit"]
    types = (e.DOSE_DETERMINED, e.INFUSION_INTERRUPTED, e.INFUSION_RESUMED, e.INFUSION_ENDED)
    course = [one for one in happened(told) if one.type in types and one.payload["unit"] == unit]
    assert any(one.type == e.DOSE_DETERMINED for one in course), f"{event.type} of what was never begun"
    assert all(one.stream == event.stream for one in course), f"{event.type} of the unit of somebody else"
    assert course[-1].type != e.INFUSION_ENDED, f"{event.type} after the end"
    assert first(course[-1].on) <= first(event.on), f"{event.type} before {course[-1].type}"
    return course


def _interrupted(judge: Judge, told: Sequence[Event], event: Event) -> None:
    assert _course(told, event)[-1].type != e.INFUSION_INTERRUPTED, "interrupted twice"
    assert 0 <= Decimal(str(event.payload["left"])) <= VOLUME


def _resumed(judge: Judge, told: Sequence[Event], event: Event) -> None:
    stopped = _course(told, event)[-1]
    assert stopped.type == e.INFUSION_INTERRUPTED, "taken up without an interruption"
    assert not paused(told), "taken up while the trial was paused"
    assert utc_late(event.on) - utc_early(stopped.on) <= RESTART, "taken up too late"
    made = only(of(told, e.UNIT_MANUFACTURED, unit=event.payload["unit"]), "preparation")
    _lot_is_good(told, str(made.payload["lot"]))
    _still_fresh(told, made, event.on, timedelta(0))


def _ended(judge: Judge, told: Sequence[Event], event: Event) -> None:
    _course(told, event)
    infused, flush = Decimal(str(event.payload["infused"])), Decimal(str(event.payload["flush"]))
    assert 0 <= infused <= VOLUME, "more infused than there was"
    outcome = "complete" if infused == VOLUME else "partial" if infused else "aborted"
    assert event.payload["outcome"] == outcome
    made = only(of(told, e.UNIT_MANUFACTURED, unit=event.payload["unit"]), "preparation")
    through = max(Decimal(0), infused - max(Decimal(0), Decimal("0.5") - flush))
    most = Decimal(str(made.payload["total"])) * through / VOLUME
    assert 0 <= Decimal(str(event.payload["delivered"])) <= most + 1, "more cells delivered than went in"


def _alert(judge: Judge, told: Sequence[Event], event: Event) -> None:
    assert not of(told, e.TRIGGER_RAISED, alert=event.payload["alert"]), "two alerts of one name"
    if event.payload["trigger"] == "product":
        missed = given_of(told, str(event.payload["source"])) - set(event.payload["recipients"])  # type: ignore
        assert not missed, f"the alert about {event.payload['source']} does not name {missed}"


def _recalled(judge: Judge, told: Sequence[Event], event: Event) -> None:
    missed = given_of(told, str(event.payload["lot"])) - set(event.payload["recipients"])  # type: ignore
    assert not missed, f"the recall of {event.payload['lot']} does not name {missed}"


def _reviewed(judge: Judge, told: Sequence[Event], event: Event) -> None:
    assert event.role == "safety board"
    assert of(told, e.TRIGGER_RAISED, alert=event.payload["alert"]), "a review of no alert"


_RULES: dict[str, Callable[[Judge, Sequence[Event], Event], None]] = {
    e.ENROLLED: _enrolled,
    e.LOT_RELEASED: _lot_released,
    e.UNIT_ORDERED: _ordered,
    e.UNIT_MANUFACTURED: _manufactured,
    e.UNIT_RELEASED: _unit_released,
    e.DOSE_DETERMINED: _given,
    e.INFUSION_INTERRUPTED: _interrupted,
    e.INFUSION_RESUMED: _resumed,
    e.INFUSION_ENDED: _ended,
    e.TRIGGER_RAISED: _alert,
    e.LOT_RECALLED: _recalled,
    e.TRIGGER_REVIEWED: _reviewed,
}
