"""A signature is bound to what it signs: a change voids it, nobody takes it back, and verify finds a wrong hash."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.desk import Desk, allocated, consented, lot, opened
from trialwright.ledger.envelope import Event
from trialwright.trial import commands as c
from trialwright.trial.events import participant_stream
from trialwright.trial.office import signatures_broken
from trialwright.trial.signatures import Signature, signatures

ON = "2026-03-20"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.do(*opened(), *lot(), *allocated("P-1"), *consented("P-2"))
    return made


def _hers(desk: Desk) -> list[Event]:
    return list(desk.ledger.events(stream=participant_stream("P-1")))


def _of(desk: Desk, type: str) -> Event:
    return next(event for event in _hers(desk) if event.type == type)


def _sign(*events: Event, who: str = "P-1", **other: str) -> c.Sign:
    told = {"name": "Li Wei", "meaning": "I confirm it", "method": "password", "on": ON} | other
    return c.Sign(participant_stream(who), {one.seq: one.hash for one in events}, participant=who, **told)


def _signature(desk: Desk) -> Signature:
    (found,) = signatures(_hers(desk))
    return found


def test_a_signature_tells_who_when_and_what_and_stands(desk: Desk) -> None:
    enrolled = _of(desk, "participant.enrolled/1")
    (event,) = desk.do(_sign(enrolled))
    found = _signature(desk)
    assert (found.name, found.user, found.role, found.meaning, found.at) == (
        "Li Wei", "the investigator", "investigator", "I confirm it", event.at,
    )  # fmt: skip
    assert (found.signed, found.intact, found.voided_by, found.changed_since) == ((enrolled.seq,), True, (), ())
    assert desk.office.participant("P-1").oddities == []


def test_a_change_of_what_was_signed_voids_it_even_when_the_change_is_taken_back(desk: Desk) -> None:
    determined = _of(desk, "eligibility.determined/1")
    desk.do(_sign(determined))
    (void,) = desk.do(c.VoidEvent("P-1", determined.seq, "signed by mistake", ON))
    assert _signature(desk).voided_by == (void.seq,)
    desk.do(c.VoidEvent("P-1", void.seq, "it was right", ON))
    assert _signature(desk).voided_by == (void.seq,)


def test_a_change_of_what_it_rests_on_is_told_and_voids_nothing(desk: Desk) -> None:
    desk.do(_sign(_of(desk, "eligibility.determined/1")))
    weight = next(event for event in _hers(desk) if event.payload.get("item") == "weight")
    changed = desk.do(c.Correct("P-1", weight.seq, {"value": "63 kg"}, "misread", ON))
    assert (_signature(desk).voided_by, _signature(desk).changed_since) == ((), (changed[0].seq,))


def test_a_signature_is_not_taken_back(desk: Desk) -> None:
    (event,) = desk.do(_sign(_of(desk, "participant.enrolled/1")))
    assert desk.refused(c.VoidEvent("P-1", event.seq, "I did not mean it", ON)) == ["signature_taken_back"]


@pytest.mark.parametrize("missing", ["name", "meaning", "method"])
def test_a_signature_has_a_name_a_meaning_and_a_way_to_know_the_person(desk: Desk, missing: str) -> None:
    assert desk.refused(_sign(_of(desk, "participant.enrolled/1"), **{missing: " "})) == ["reason_missing"]


@pytest.mark.parametrize(
    ("stream", "signed", "participant"),
    [
        ("participant/P-1", {}, "P-1"),
        ("participant/P-1", {1: "0" * 64}, "P-1"),  # an event of the trial, not hers
        ("participant/P-1", {1: "0" * 64}, "P-2"),
        ("lot/L-9", {1: "0" * 64}, ""),
        ("trial", {1: "short"}, ""),
        ("nowhere", {1: "0" * 64}, ""),
    ],
)
def test_a_signature_of_nothing_is_refused(desk: Desk, stream: str, signed: dict[int, str], participant: str) -> None:
    command = c.Sign(stream, signed, "Li Wei", "I confirm it", "password", ON, participant)
    assert desk.refused(command) == ["signature_of_nothing"]


def test_a_lot_is_signed_on_its_own_stream(desk: Desk) -> None:
    (released,) = list(desk.ledger.events(types=["lot.released/1"]))
    command = c.Sign("lot/L-1", {released.seq: released.hash}, "Qin", "I release it", "password", ON)
    (event,) = desk.do(command, role="quality person")
    assert event.stream == "lot/L-1"
    assert [one.intact for one in signatures(desk.ledger.events(stream="lot/L-1"))] == [True]


def test_verify_finds_a_signature_that_is_bound_to_another_hash(desk: Desk) -> None:
    enrolled = _of(desk, "participant.enrolled/1")
    desk.do(_sign(enrolled))
    assert signatures_broken(desk.ledger) == []
    desk.do(c.Sign(enrolled.stream, {enrolled.seq: "0" * 64}, "Li Wei", "I confirm it", "password", ON, "P-1"))
    assert [one.code for one in signatures_broken(desk.ledger)] == ["signature_broken"]
    assert [one.intact for one in signatures(_hers(desk))] == [True, False]
