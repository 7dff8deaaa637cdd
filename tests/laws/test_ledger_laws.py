"""Laws of the ledger: arrival order, the stable past, streams apart, one text, one outcome."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.core.partial_date import partial_date
from trialwright.ledger.chain import checkpoint, verify
from trialwright.ledger.envelope import Event, NewEvent, Submission, canonical, digest
from trialwright.ledger.history import corrections, effective, known, ordered
from trialwright.ledger.store import Header, create

HEADER = Header("virtual", "NCT00000000", "d" * 64, "1.0", 7, "")
DATES = ["2026", "2026-03", "2026-03-01", "2026-03-09", "2026-03-09T14:05", "2027-01"]

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab µ周", max_size=3), inner, max_size=3),
    max_leaves=8,
)
payloads = st.dictionaries(st.text("abc周", max_size=4), json_values, max_size=4)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of two streams in order of recording: facts, and corrections and voids of anything before or after."""
    events = []
    at = 0
    for seq in range(1, draw(st.integers(0, 12)) + 1):
        at += draw(st.integers(0, 2))
        stream, on = draw(st.sampled_from("PQ")), draw(st.sampled_from(DATES))
        of = draw(st.integers(0, 13))
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("lab.reported/1", {"value": seq}),
            ("event.corrected/1", {"of": of, "payload": {"value": seq}}),
            ("event.corrected/1", {"of": of, "payload": {"value": seq}, "on": on}),
            ("event.voided/1", {"of": of}),
            ("event.corrected/1", {}),
        ]
        type, payload = draw(st.sampled_from(kinds))
        time = f"2026-03-09T06:{at:02}:00Z"
        events.append(
            Event(seq, stream, seq, "", type, on, "UTC", time, "", "", "", str(seq), 1, "", "", payload, "", "")
        )
    return events


@given(histories(), st.randoms(use_true_random=False))
def test_events_may_arrive_in_any_order(events: list[Event], chance: Any) -> None:
    arrived = list(events)
    chance.shuffle(arrived)
    assert effective(arrived) == effective(events)
    assert corrections(arrived) == corrections(events)
    assert ordered(effective(arrived)) == ordered(effective(events))


@given(histories(), st.integers(0, 13))
def test_the_past_as_known_then_is_stable_under_later_entries(events: list[Event], upto: int) -> None:
    then = events[:upto]
    assert effective(known(events, upto)) == effective(then)
    if then and upto < len(events) and events[upto].at > then[-1].at:
        assert known(events, then[-1].at) == then


@given(histories())
def test_streams_are_resolved_apart(events: list[Event]) -> None:
    apart = [e for stream in "PQ" for e in effective([e for e in events if e.stream == stream])]
    assert sorted(apart, key=lambda event: event.seq) == effective(events)


@given(histories())
def test_what_holds_is_a_fact_with_its_own_identity(events: list[Event]) -> None:
    facts = {event.seq: event for event in events}
    for event in effective(events):
        original = facts[event.seq]
        assert event.type == "lab.reported/1"
        assert replace(event, payload=original.payload, on=original.on) == original


@given(histories())
def test_resolving_twice_changes_nothing(events: list[Event]) -> None:
    assert effective(effective(events)) == effective(events)


@given(histories(), st.integers(0, 11))
def test_voiding_the_last_entry_restores_what_held_before_it(events: list[Event], index: int) -> None:
    before = events[: index + 1]
    if before:
        last = before[-1]
        void = replace(last, seq=len(before) + 1, type="event.voided/1", payload={"of": last.seq})
        undo = replace(void, seq=void.seq + 1, payload={"of": void.seq})
        assert effective([*before, void]) == effective(before[:-1])
        assert effective([*before, void, undo]) == effective(before)


@given(histories())
def test_what_certainly_happened_before_comes_before(events: list[Event]) -> None:
    result = ordered(events)
    assert sorted(result, key=lambda event: event.seq) == events
    for earlier, later in combinations(result, 2):
        assert partial_date(later.on).latest >= partial_date(earlier.on).earliest
        assert earlier.on != later.on or earlier.seq < later.seq


@given(payloads)
def test_a_payload_survives_its_text_and_the_text_is_unique(payload: dict[str, Any]) -> None:
    text = canonical(payload)
    assert json.loads(text) == payload
    assert canonical(json.loads(text)) == text
    assert canonical(dict(reversed(payload.items()))) == text


batches = st.lists(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), payloads), min_size=1, max_size=4), max_size=5)


@settings(max_examples=25, deadline=None)
@given(batches, st.data())
def test_a_ledger_verifies_repeats_nothing_and_grows_from_any_checkpoint(
    submitted: list[list[tuple[str, dict[str, Any]]]], data: st.DataObject
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        create(Path(folder) / "a.ledger", HEADER, "2026-03-09T06:05:00Z") as ledger,
    ):
        points = [checkpoint(ledger)]
        outcomes = []
        for number, batch in enumerate(submitted):
            submission = Submission(f"c-{number}", "2026-03-09T06:05:00Z", "u", "r", "UTC", "d", "1")
            new = [NewEvent(stream, "note.made/1", "2026-03", payload) for stream, payload in batch]
            with ledger.writing() as writer:
                outcomes.append(writer.append(submission, new))
                assert writer.append(submission, new[::-1]) == outcomes[-1]
            points.append(checkpoint(ledger))
        events = list(ledger.events())
        assert events[1:] == [event for outcome in outcomes for event in outcome]
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [event.hash for event in events] == [digest(event) for event in events]
        assert verify(ledger, data.draw(st.sampled_from(points))) == []
