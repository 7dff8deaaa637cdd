"""How an event is written: one text per payload, one hash per event, and nothing unsound gets in."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest

from trialwright.ledger.envelope import Event, NewEvent, Submission, canonical, digest
from trialwright.ledger.schema import EVENT

PLAIN = Event(
    2,
    "trial",
    1,
    "S1",
    "note.made/1",
    "2026-03-09",
    "Asia/Shanghai",
    "2026-03-09T06:05:00Z",
    "u-1",
    "monitor",
    "",
    "c-1",
    1,
    "d" * 64,
    "1.0",
    {"value": "5.80"},
    "",
    "",
)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({}, "{}"),
        ({"b": 1, "a": {"d": None, "c": True}}, '{"a":{"c":true,"d":null},"b":1}'),
        ({"value": "5.80", "unit": "µmol/L"}, '{"unit":"µmol/L","value":"5.80"}'),
        ({"note": '≥ 28 "周"\n'}, '{"note":"≥ 28 \\"周\\"\\n"}'),
        ({"arms": ["a", ["b"], []]}, '{"arms":["a",["b"],[]]}'),
    ],
)
def test_a_payload_has_one_text(payload: Any, text: str) -> None:
    assert canonical(payload) == text


@pytest.mark.parametrize(
    "payload",
    [
        {"value": 5.8},
        {"value": float("nan")},
        {"value": [{"deep": 0.0}]},
        {"value": Decimal("5.8")},
        {"value": (1, 2)},
        {"value": {1: "a"}},
        {1: "a"},
        {"value": b"x"},
    ],
)
def test_a_payload_with_anything_but_text_and_whole_numbers_is_refused(payload: Any) -> None:
    with pytest.raises(TypeError):
        canonical(payload)


def test_the_fields_of_an_event_are_the_columns_of_the_table() -> None:
    assert [field.name for field in fields(Event)] == [column.name for column in EVENT.columns]


def test_the_hash_is_the_same_in_every_release() -> None:
    assert digest(PLAIN) == "435563e094dd1e6738a2bd4931aefb42cbbae88c1ed894cfc98b8503d16608ac"


@pytest.mark.parametrize(
    ("field", "value"), [(f.name, "?" if isinstance(getattr(PLAIN, f.name), str) else 7) for f in fields(Event)]
)
def test_every_field_but_the_hash_itself_is_hashed(field: str, value: str | int) -> None:
    change: dict[str, Any] = {field: {"value": "5.8"} if field == "payload" else value}
    changed = replace(PLAIN, **change)
    assert (digest(changed) == digest(PLAIN)) is (field == "hash")


def test_text_cannot_slip_from_one_field_into_the_next() -> None:
    assert digest(replace(PLAIN, user="u", role="rx")) != digest(replace(PLAIN, user="ur", role="x"))
    assert digest(replace(PLAIN, user='u","r', role="x")) != digest(replace(PLAIN, user="u", role='r","x'))


@pytest.mark.parametrize(
    ("stream", "type", "on", "payload"),
    [
        ("", "note.made/1", "2026", {}),
        ("trial\0", "note.made/1", "2026", {}),
        ("trial", "note.made", "2026", {}),
        ("trial", "NoteMade/1", "2026", {}),
        ("trial", "note.made/0", "2026", {}),
        ("trial", "note.made/1", "yesterday", {}),
        ("trial", "note.made/1", "2026-02-30", {}),
        ("trial", "event.voided/1", "2026", {}),
        ("trial", "event.voided/1", "2026", {"of": "2"}),
        ("trial", "event.voided/1", "2026", {"of": True}),
        ("trial", "event.corrected/1", "2026", {"of": 2}),
        ("trial", "event.corrected/1", "2026", {"of": 2, "payload": []}),
        ("trial", "event.corrected/1", "2026", {"of": 2, "payload": {}, "on": "soon"}),
        ("trial", "event.corrected/1", "2026", {"of": 2, "payload": {}, "on": 2026}),
    ],
)
def test_an_unsound_event_cannot_be_built(stream: str, type: str, on: str, payload: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        NewEvent(stream, type, on, payload)


@pytest.mark.parametrize("at", ["2026-03-09T06:05:00Z", "2026-03-09T06:05:00.123456Z"])
def test_a_submission_names_a_utc_time(at: str) -> None:
    assert Submission("c-1", at, "u", "r", "UTC", "d", "1").at == at


@pytest.mark.parametrize(
    ("command", "at"),
    [
        ("c-1", "2026-03-09T06:05:00"),
        ("c-1", "2026-03-09T06:05:00+08:00"),
        ("c-1", "2026-03-09"),
        ("", "2026-03-09T06:05:00Z"),
        ("c\0", "2026-03-09T06:05:00Z"),
    ],
)
def test_an_unsound_submission_cannot_be_built(command: str, at: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Submission(command, at, "u", "r", "UTC", "d", "1")
