# ruff: noqa: E501  a row of a table stays on its line
"""Queries, source verification, the signature of a casebook, freezing and locking: what each does, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.unit.desk import Desk, allocated, answered, infused, lot, opened, protocol_at, ready
from tests.unit.safety_stages import SAFETY, safety_desk, transfer, treated
from trialwright.core.finding import Refused
from trialwright.ledger.envelope import Event
from trialwright.trial import commands as c
from trialwright.trial.casebook import is_signed, is_verified, verification
from trialwright.trial.commands import Command
from trialwright.trial.events import participant_stream
from trialwright.trial.forms import Form, forms
from trialwright.trial.office import signatures_broken, whole_state
from trialwright.trial.signatures import signatures
from trialwright.trial.state import Thread

ON, LATER = "2026-04-01", "2026-04-02"
MONITOR, MANAGER, SITE = "monitor", "data manager", "coordinator"
EVENT = c.AddRecord("P-1", "adverse_event", "fever-1", "2026-03-30", {"term": "fever", "serious": "yes"})
WEIGHT = c.Observe("P-1", "weight", "61 kg", ON)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """P-1 is allocated and seen for screening; P-2 is in screening."""
    made = Desk(tmp_path)
    made.do(*opened(), *lot(), *allocated("P-1"), c.HoldVisit("P-1", "screening", "2026-03-02"), *answered("P-2"))
    return made


def _hers(desk: Desk, who: str = "P-1") -> list[Event]:
    return list(desk.ledger.events(stream=participant_stream(who)))


def _entry(desk: Desk, item: str) -> Event:
    return next(event for event in _hers(desk) if event.payload.get("item") == item)


def _thread(desk: Desk, query: str = "Q1") -> Thread:
    return desk.office.participant("P-1").threads[query]


def _asks(desk: Desk, role: str = MONITOR) -> None:
    desk.do(c.RaiseQuery("P-1", "Please compare with the source.", ON, _entry(desk, "weight").seq), role=role)


def _form(desk: Desk, encounter: str, day: str = "2026-04-02") -> Form:
    trial, women = whole_state(desk.ledger)
    found = forms(desk.protocol, trial, women["P-1"], date.fromisoformat(day))
    return next(one for one in found if one.encounter == encounter)


# ---------------------------------------------------------------- queries


def test_a_query_of_a_person_is_answered_by_the_site_and_closed_by_whoever_raised_it(desk: Desk) -> None:
    _asks(desk)
    assert (_thread(desk).state, _thread(desk).item, [*desk.office.participant("P-1").queries]) == (
        "open",
        "weight",
        ["Q1"],
    )
    desk.do(c.AnswerQuery("P-1", "Q1", "It is as in the notes.", ON), role=SITE)
    assert (_thread(desk).state, desk.office.participant("P-1").queries) == ("answered", {})
    desk.do(c.ReopenQuery("P-1", "Q1", "Which page of the notes?", LATER), role=MONITOR)
    assert (_thread(desk).state, [*desk.office.participant("P-1").queries]) == ("open", ["Q1"])
    desk.do(c.AnswerQuery("P-1", "Q1", "Page 3.", LATER), role=SITE)
    desk.do(c.ResolveQuery("P-1", "Q1", LATER), role=MONITOR)
    assert [(one.what, one.role, one.says) for one in _thread(desk).steps] == [
        ("asked", MONITOR, "Please compare with the source."),
        ("answered", SITE, "It is as in the notes."),
        ("asked again", MONITOR, "Which page of the notes?"),
        ("answered", SITE, "Page 3."),
        ("closed", MONITOR, ""),
    ]
    assert _thread(desk).state == "closed"
    assert desk.office.participant("P-1").oddities == []


def test_what_somebody_asks_about_and_nobody_has_answered_carries_no_dose(desk: Desk) -> None:
    order = c.OrderUnit("U-P-1", "P-1", "infusion", ON)
    _asks(desk)
    assert desk.refused(order) == ["query_open"]
    desk.do(c.AnswerQuery("P-1", "Q1", "It is as in the notes.", ON), role=SITE)
    desk.do(order)


def test_a_query_is_about_an_entry_a_field_a_visit_or_all_of_her(desk: Desk) -> None:
    desk.do(EVENT)
    fever = _hers(desk)[-1].seq
    for asked in (
        {"event": _entry(desk, "amh").seq}, {"event": fever, "field": "term"}, {"event": fever}, {"encounter": "screening"}, {},
    ):  # fmt: skip
        desk.do(c.RaiseQuery("P-1", "?", ON, **asked), role=MONITOR)
    threads = desk.office.participant("P-1").threads.values()
    assert [one.item for one in threads] == ["amh", "adverse_event.term", "adverse_event fever-1", "screening", ""]


def test_the_query_of_an_edit_check_is_closed_with_its_answer_as_it_always_was(desk: Desk) -> None:
    desk.do(c.Observe("P-1", "amh", "9 ng/mL", ON))
    assert (_thread(desk).role, _thread(desk).state) == ("", "open")
    desk.do(c.CloseQuery("P-1", "Q1", "it is so", ON), role=SITE)
    assert (_thread(desk).state, [one.what for one in _thread(desk).steps]) == ("closed", ["asked", "closed"])


QUERIES: list[tuple[str, list[tuple[Command, str]], Command, str, str]] = [
    ("nothing asked", [], c.RaiseQuery("P-1", " ", ON), MONITOR, "reason_missing"),
    ("an entry that is not hers", [], c.RaiseQuery("P-1", "?", ON, 1), MONITOR, "event_unknown"),
    ("a visit that the schedule has not", [], c.RaiseQuery("P-1", "?", ON, encounter="visit"), MONITOR, "encounter_unknown"),
    ("a field of what has none", [], c.RaiseQuery("P-1", "?", ON, 13, "colour"), MONITOR, "field_unknown"),
    ("an answer to what nobody asked", [], c.AnswerQuery("P-1", "Q1", "yes", ON), SITE, "query_unknown"),
    ("an empty answer", [(c.RaiseQuery("P-1", "?", ON), MONITOR)], c.AnswerQuery("P-1", "Q1", " ", ON), SITE, "reason_missing"),
    ("an answer dated before the question", [(c.RaiseQuery("P-1", "?", ON), MONITOR)], c.AnswerQuery("P-1", "Q1", "yes", "2026-03-30"), SITE, "before_origin"),
    ("an answer in the month of the question", [(c.RaiseQuery("P-1", "?", "2026-04-05"), MONITOR)], c.AnswerQuery("P-1", "Q1", "yes", "2026-04"), SITE, "time_needed"),
    ("a second answer", [(c.RaiseQuery("P-1", "?", ON), MONITOR), (c.AnswerQuery("P-1", "Q1", "yes", ON), SITE)], c.AnswerQuery("P-1", "Q1", "no", ON), SITE, "query_state"),
    ("a person's query closed by the site", [(c.RaiseQuery("P-1", "?", ON), MONITOR)], c.CloseQuery("P-1", "Q1", "yes", ON), SITE, "query_of_a_person"),
    ("a monitor's query closed by a data manager", [(c.RaiseQuery("P-1", "?", ON), MONITOR)], c.ResolveQuery("P-1", "Q1", ON, "done"), MANAGER, "role_wrong"),
    ("an unanswered query closed without a reason", [(c.RaiseQuery("P-1", "?", ON), MONITOR)], c.ResolveQuery("P-1", "Q1", ON), MONITOR, "reason_missing"),
    ("a closed query closed", [(c.RaiseQuery("P-1", "?", ON), MONITOR), (c.ResolveQuery("P-1", "Q1", ON, "slip"), MONITOR)], c.ResolveQuery("P-1", "Q1", ON, "x"), MONITOR, "query_state"),
    ("an open query asked again", [(c.RaiseQuery("P-1", "?", ON), MONITOR)], c.ReopenQuery("P-1", "Q1", "x", ON), MONITOR, "query_state"),
    ("a query asked again by somebody else", [(c.RaiseQuery("P-1", "?", ON), MONITOR), (c.ResolveQuery("P-1", "Q1", ON, "slip"), MONITOR)], c.ReopenQuery("P-1", "Q1", "x", ON), MANAGER, "role_wrong"),
    ("a query asked again without a reason", [(c.RaiseQuery("P-1", "?", ON), MONITOR), (c.ResolveQuery("P-1", "Q1", ON, "slip"), MONITOR)], c.ReopenQuery("P-1", "Q1", "", ON), MONITOR, "reason_missing"),
    ("an edit check's query answered and left", [(c.Observe("P-1", "amh", "9 ng/mL", ON), "investigator")], c.AnswerQuery("P-1", "Q1", "yes", ON), SITE, "query_of_a_check"),
    ("an edit check's query asked again", [(c.Observe("P-1", "amh", "9 ng/mL", ON), "investigator")], c.ReopenQuery("P-1", "Q1", "x", ON), MANAGER, "query_of_a_check"),
]  # fmt: skip


@pytest.mark.parametrize(("tried", "before", "command", "role", "code"), QUERIES, ids=[row[0] for row in QUERIES])
def test_a_query_takes_no_other_way(
    desk: Desk, tried: str, before: list[tuple[Command, str]], command: Command, role: str, code: str
) -> None:
    desk.do(*before)
    assert desk.refused(command, role) == [code]


# ---------------------------------------------------------------- source verification


def _verify(desk: Desk, *events: Event) -> c.VerifySource:
    return c.VerifySource("P-1", {one.seq: one.hash for one in events}, ON, "screening")


def test_a_verified_value_is_void_once_it_is_corrected_and_the_others_stand(desk: Desk) -> None:
    weight, amh = _entry(desk, "weight"), _entry(desk, "amh")
    desk.do(_verify(desk, weight, amh), role=MONITOR)
    assert [is_verified(desk.office.participant("P-1"), one.seq) for one in (weight, amh)] == [True, True]
    (changed, *_) = desk.do(c.Correct("P-1", weight.seq, {"value": "62 kg"}, "misread", ON), role=SITE)
    assert [is_verified(desk.office.participant("P-1"), one.seq) for one in (weight, amh)] == [False, True]
    assert desk.refused(_verify(desk, weight), MONITOR) == ["verification_outdated"]
    desk.do(_verify(desk, weight, changed), role=MONITOR)
    assert is_verified(desk.office.participant("P-1"), weight.seq)
    (taken,) = desk.do(c.VoidEvent("P-1", changed.seq, "it was right", ON), role=SITE)
    assert not is_verified(desk.office.participant("P-1"), weight.seq), (
        "the old value is back, and nobody verified that"
    )
    assert taken.payload["of"] == changed.seq
    assert signatures_broken(desk.ledger) == []


def test_the_share_that_is_verified_counts_entries_that_have_a_source(desk: Desk) -> None:
    able = verification(desk.office.participant("P-1"))[1]
    desk.do(_verify(desk, _entry(desk, "weight")), role=MONITOR)
    assert verification(desk.office.participant("P-1")) == (1, able)
    kinds = {one.type for one in desk.office.participant("P-1").entries.values()}
    assert "eligibility.determined/1" in kinds
    assert able == len([one for one in _hers(desk) if one.type in {
        "participant.consented/1", "observation.recorded/1", "record.added/1", "visit.held/1"}])  # fmt: skip


@pytest.mark.parametrize(
    ("verified", "role", "code"),
    [({}, MONITOR, "verification_of_nothing"), ({1: "0" * 64}, MONITOR, "verification_of_nothing"),
     ({13: "short"}, MONITOR, "verification_of_nothing"), ({13: "0" * 64}, SITE, "role_wrong")],
)  # fmt: skip
def test_what_has_no_source_is_not_verified(desk: Desk, verified: dict[int, str], role: str, code: str) -> None:
    assert desk.refused(c.VerifySource("P-1", verified, ON), role) == [code]


def test_verify_finds_a_verification_that_is_bound_to_another_hash(desk: Desk) -> None:
    desk.do(c.VerifySource("P-1", {_entry(desk, "weight").seq: "0" * 64}, ON), role=MONITOR)
    assert [one.code for one in signatures_broken(desk.ledger)] == ["signature_broken"]


# ---------------------------------------------------------------- the casebook


def _signs(desk: Desk, who: str = "P-1") -> c.SignCasebook:
    last = _hers(desk, who)[-1]
    return c.SignCasebook(who, last.seq, last.hash, "2026-12-01")


def test_a_signed_casebook_is_void_once_anything_of_it_changes_and_not_by_what_is_said_of_it(desk: Desk) -> None:
    (confirmed,) = desk.do(_signs(desk))
    desk.do(
        c.Sign(
            confirmed.stream,
            {confirmed.seq: confirmed.hash},
            "Li Wei",
            "I have reviewed the casebook",
            "password",
            "2026-12-01",
            "P-1",
        )
    )
    desk.do(c.RaiseQuery("P-1", "?", "2026-12-01"), role=MONITOR)
    desk.do(_verify(desk, _entry(desk, "weight")), role=MONITOR)
    assert is_signed(desk.office.participant("P-1"))
    assert [one.voided_by for one in signatures(_hers(desk))] == [()]
    (changed,) = desk.do(WEIGHT)
    assert not is_signed(desk.office.participant("P-1"))
    assert [one.voided_by for one in signatures(_hers(desk))] == [(changed.seq,)]
    assert signatures_broken(desk.ledger) == []


def test_nobody_signs_a_casebook_that_has_changed_since_it_was_shown(desk: Desk) -> None:
    shown = _signs(desk)
    desk.do(WEIGHT)
    assert desk.refused(shown) == ["casebook_changed"]
    assert desk.refused(_signs(desk), SITE) == ["role_wrong"]


# ---------------------------------------------------------------- states of forms


def test_a_form_goes_from_not_started_to_locked(desk: Desk) -> None:
    assert (_form(desk, "hormone.30").state, _form(desk, "hormone.30").owed) == ("not started", False)
    desk.do(c.Observe("P-1", "amh", "0.9 ng/mL", "2026-04-07"))
    assert (_form(desk, "hormone.30", "2026-04-08").state, _form(desk, "hormone.30", "2026-04-08").owed) == (
        "in progress",
        True,
    )
    desk.do(c.HoldVisit("P-1", "hormone.30", "2026-04-08"))
    assert _form(desk, "hormone.30", "2026-04-08").state == "complete"
    names = _form(desk, "hormone.30", "2026-04-08").entries
    desk.do(_verify(desk, *[one for one in _hers(desk) if one.seq in names]), role=MONITOR)
    assert _form(desk, "hormone.30", "2026-04-08").state == "verified"
    desk.do(_signs(desk))
    assert _form(desk, "hormone.30", "2026-04-08").state == "signed"
    desk.do(c.Freeze("P-1", "cleaning", "2026-12-02", "hormone.30"), role=MANAGER)
    assert (_form(desk, "hormone.30", "2026-04-08").state, _form(desk, "screening").state) == ("frozen", "in progress")


def test_a_visit_that_was_held_with_something_unanswered_is_in_progress_and_says_what(desk: Desk) -> None:
    desk.do(c.HoldVisit("P-1", "hormone.30", "2026-04-08"))
    form = _form(desk, "hormone.30", "2026-04-08")
    assert (form.state, form.missing, form.owed) == ("in progress", ("amh",), True)
    desk.do(c.Observe("P-1", "amh", "", "2026-04-08", not_done="the tube broke"))
    assert _form(desk, "hormone.30", "2026-04-08").state == "complete"


def test_a_missed_visit_is_accounted_for(desk: Desk) -> None:
    desk.do(c.MissVisit("P-1", "hormone.30", "2026-04-08", "she was abroad"))
    assert (_form(desk, "hormone.30", "2026-04-08").state, _form(desk, "hormone.30").owed) == ("missed", False)


@pytest.mark.parametrize(
    ("on", "encounter"),
    [
        ("2026-03-03", "screening"),
        ("2026-04-06", "hormone.30"),
        ("2026-06-01", "hormone.90"),
        ("2026-04-20", "hormone.30"),
    ],
)
def test_a_value_belongs_to_the_nearest_visit_that_asks_for_it(desk: Desk, on: str, encounter: str) -> None:
    (amh, *_) = desk.do(c.Observe("P-1", "amh", "0.7 ng/mL", on))
    assert amh.seq in _form(desk, encounter, "2026-06-20").entries


@pytest.mark.parametrize(
    ("told_in", "belongs_to"),
    [
        ("hormone.90", "hormone.90"),
        ("screening", "screening"),
        ("", "hormone.30"),
        ("entry", "hormone.30"),  # which does not ask for it
    ],
)
def test_a_value_belongs_to_the_form_in_which_it_was_told(desk: Desk, told_in: str, belongs_to: str) -> None:
    (amh, *_) = desk.do(c.Observe("P-1", "amh", "0.7 ng/mL", "2026-04-07", encounter=told_in))
    assert amh.seq in _form(desk, belongs_to, "2026-04-08").entries


def test_two_visits_of_one_day_that_ask_for_the_same_are_each_answered(desk: Desk) -> None:
    for encounter in ("hormone.30", "hormone.90"):
        desk.do(c.Observe("P-1", "amh", "0.7 ng/mL", "2026-04-08", encounter=encounter))
        desk.do(c.HoldVisit("P-1", encounter, "2026-04-08"))
    assert [_form(desk, one).state for one in ("hormone.30", "hormone.90")] == ["complete", "complete"]


def test_a_corrected_value_stays_in_its_form(desk: Desk) -> None:
    (amh, *_) = desk.do(c.Observe("P-1", "amh", "0.7 ng/mL", "2026-04-07", encounter="hormone.90"))
    (corrected, *_) = desk.do(c.Correct("P-1", amh.seq, {"value": "0.8 ng/mL"}, "misread", "2026-04-08"))
    assert corrected.payload["of"] == amh.seq
    assert _form(desk, "hormone.90", "2026-04-08").entries == (amh.seq,)


@pytest.mark.parametrize(
    ("encounter", "record", "code"),
    [("hormone.31", "", "encounter_unknown"), ("screening", "e-1", "record_unknown"), ("", "e-1", "encounter_unknown")],
)
def test_a_value_is_not_told_in_the_form_of_a_visit_that_there_is_not(
    desk: Desk, encounter: str, record: str, code: str
) -> None:
    told = c.Observe("P-1", "amh", "0.7 ng/mL", "2026-04-07", encounter=encounter, record=record)
    assert desk.refused(told) == [code]


# ---------------------------------------------------------------- freezing


FROZEN = c.Freeze("P-1", "interim review", ON)
REFUSED_FROZEN: list[tuple[str, Command, str]] = [
    ("a value", WEIGHT, ""),
    ("a value that was not taken", c.Observe("P-1", "hcg", "", ON, not_done="lost"), ""),
    ("a correction", c.Correct("P-1", 0, {"value": "62 kg"}, "misread", ON), SITE),
    ("taking back", c.VoidEvent("P-1", 0, "misread", ON), SITE),
    ("a record", c.AddRecord("P-1", "embryo", "e-1", "2026-05-08", {}, "t-1"), ""),
    ("a visit", c.HoldVisit("P-1", "entry", "2026-03-09"), SITE),
    ("a missed visit", c.MissVisit("P-1", "entry", "2026-03-09", "rain"), SITE),
    ("a list declared complete", c.CloseList("P-1", "adverse_event", ON), SITE),
    ("a course of drugs", c.Perform("P-1", "course", "hormones-1", "2026-03-11"), ""),
    ("a second freeze", FROZEN, MANAGER),
]  # fmt: skip


@pytest.mark.parametrize(("tried", "command", "role"), REFUSED_FROZEN, ids=[row[0] for row in REFUSED_FROZEN])
def test_what_is_frozen_is_not_entered_and_not_corrected(desk: Desk, tried: str, command: Command, role: str) -> None:
    desk.do(c.Perform("P-1", "embryo_transfer", "t-1", "2026-05-08"))
    desk.do(FROZEN, role=MANAGER)
    if isinstance(command, (c.Correct, c.VoidEvent)):
        command = _about(command, _entry(desk, "weight").seq)
    with pytest.raises(Refused) as refused:
        desk.do(command, role=role or "investigator")
    (found,) = refused.value.findings
    assert found.code == "data_frozen"
    assert "interim review" in str(found), "it says why"
    assert "the data manager" in str(found), "it says who"
    assert ON in str(found), "it says since when"


def _about(command: c.Correct | c.VoidEvent, seq: int) -> Command:
    if isinstance(command, c.Correct):
        return c.Correct(command.participant, seq, command.values, command.reason, command.on)
    return c.VoidEvent(command.participant, seq, command.reason, command.on)


NEVER_STOPPED: list[tuple[str, Command, str]] = [
    ("an adverse event", c.AddRecord("P-1", "adverse_event", "fever-2", ON, {"term": "fever"}), SITE),
    ("how an adverse event went on", c.CompleteRecord("P-1", "adverse_event", "fever-1", ON, {"grade": "3"}), SITE),
    ("a late result of the lot", c.TestLot("L-1", {"viability": "60 %"}, LATER), "cell laboratory"),
    ("the recall of the lot", c.RecallLot("L-1", "growth", LATER), "quality person"),
    ("a query", c.RaiseQuery("P-1", "?", ON), MONITOR),
    ("a withdrawal", c.Withdraw("P-1", "her wish", LATER), "investigator"),
]  # fmt: skip


@pytest.mark.parametrize(("tried", "command", "role"), NEVER_STOPPED, ids=[row[0] for row in NEVER_STOPPED])
def test_a_freeze_never_stops_what_safety_needs(tmp_path: Path, tried: str, command: Command, role: str) -> None:
    desk = Desk(tmp_path)
    desk.do(*opened(), *lot(), *infused("P-1"), EVENT)
    desk.do(FROZEN, role=MANAGER)
    assert desk.refused(command, role) == []


def test_a_pregnancy_a_child_and_a_late_growth_are_recorded_through_a_freeze(tmp_path: Path) -> None:
    desk = safety_desk(tmp_path, protocol_at(SAFETY))
    desk.do(*treated("P-1"), *transfer("P-1"))
    desk.do(c.Freeze("P-1", "interim review", "2026-05-20"), role=MANAGER)
    desk.do(c.CompleteRecord("P-1", "transfer", "t-1", "2026-06-08", {"pregnant": "yes"}), role=SITE)
    desk.do(c.AddRecord("P-1", "child", "child-1", "2026-12-20", {"alive_at_birth": "yes"}, "t-1"), role=SITE)
    grown = desk.do(c.TestLot("L-1", {"sterility": "positive"}, "2026-06-30"), role="cell laboratory")
    assert "lot.recalled/1" in {one.type for one in grown}, "and everybody who had it is named"
    assert desk.refused(c.Perform("P-1", "embryo_transfer", "t-2", "2026-06-30", decided_by="Li, Wu", reason="x"))


def test_an_adverse_event_may_be_corrected_while_she_is_frozen_and_not_taken_back(desk: Desk) -> None:
    desk.do(EVENT)
    fever = _hers(desk)[-1].seq
    desk.do(FROZEN, role=MANAGER)
    desk.do(c.Correct("P-1", fever, {"serious": "no"}, "a slip", ON))
    assert desk.refused(c.VoidEvent("P-1", fever, "a slip", ON)) == ["data_frozen"]


def test_an_infusion_that_runs_is_recorded_to_its_end_while_she_is_frozen(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.do(*opened(), *lot(), *list(infused("P-1"))[:-1])
    desk.do(c.Freeze("P-1", "interim review", "2026-03-20"), role=MANAGER)
    desk.do(c.EndInfusion("P-1", "U-P-1", "50 mL", "2026-03-20T10:30"))


def test_one_visit_frozen_leaves_the_others_open(desk: Desk) -> None:
    desk.do(c.Freeze("P-1", "cleaning", "2026-12-02", "screening"), role=MANAGER)
    weight = _entry(desk, "weight").seq
    assert desk.refused(c.Correct("P-1", weight, {"value": "62 kg"}, "misread", ON)) == ["data_frozen"]
    assert desk.refused(c.Observe("P-1", "amh", "0.7 ng/mL", "2026-03-03")) == ["data_frozen"]
    desk.do(c.Observe("P-1", "amh", "0.7 ng/mL", "2026-04-08"))
    desk.do(c.Unfreeze("P-1", "a value was wrong", "2026-12-03", "screening"), role=MANAGER)
    desk.do(c.Correct("P-1", weight, {"value": "62 kg"}, "misread", ON))
    desk.do(c.Freeze("P-1", "cleaning", "2026-12-04", "screening"), role=MANAGER)
    assert desk.refused(c.VoidEvent("P-1", weight, "misread", ON)) == ["data_frozen"]


# ---------------------------------------------------------------- locking

LOCKED, END = c.Lock("2026-12-20", "P-1"), "2026-12-01"


def _whole(desk: Desk) -> None:
    """Her part has ended, every query is closed and the casebook is signed."""
    desk.do(
        c.Withdraw("P-1", "moved away", "2026-03-10"), c.MissVisit("P-1", "entry", "2026-03-09", "done the day before")
    )
    desk.do(c.Observe("P-1", "sperm_count", "20 10*6/mL", "2026-03-02", person="partner"))
    desk.do(_signs(desk))


def test_a_participant_is_locked_once_her_casebook_is_whole(desk: Desk) -> None:
    _whole(desk)
    (locked,) = desk.do(LOCKED, role=MANAGER)
    assert locked.stream == "participant/P-1"
    assert desk.office.trial().locks["participant P-1"].holds
    assert {
        one.state
        for one in forms(desk.protocol, desk.office.trial(), desk.office.participant("P-1"), date(2026, 12, 20))
    } == {"locked"}


IN_THE_WAY: list[tuple[str, Callable[[Desk], object], set[str]]] = [
    ("an open query", lambda desk: desk.do(c.RaiseQuery("P-1", "?", END), role=MONITOR), {"lock_query"}),
    ("an answered query", lambda desk: desk.do((c.RaiseQuery("P-1", "?", END), MONITOR), (c.AnswerQuery("P-1", "Q1", "yes", END), SITE)), {"lock_query"}),
    ("a later change", lambda desk: desk.do(EVENT), {"lock_unsigned"}),
    ("a later correction", lambda desk: desk.do(c.Correct("P-1", _entry(desk, "weight").seq, {"value": "62 kg"}, "misread", END)), {"lock_unsigned"}),
]  # fmt: skip


@pytest.mark.parametrize(("tried", "does", "codes"), IN_THE_WAY, ids=[row[0] for row in IN_THE_WAY])
def test_what_stands_in_the_way_of_a_lock_is_told(
    desk: Desk, tried: str, does: Callable[[Desk], object], codes: set[str]
) -> None:
    _whole(desk)
    does(desk)
    assert set(desk.refused(LOCKED, MANAGER)) == codes


def test_forms_that_are_owed_and_an_unsigned_casebook_stand_in_the_way_each_by_name(desk: Desk) -> None:
    desk.do(*ready("P-1"))
    with pytest.raises(Refused) as refused:
        desk.do(c.Lock("2026-06-01", "P-1"), role=MANAGER)
    told = {(one.code, one.values.get("form", "")) for one in refused.value.findings}
    assert {("lock_form", "hormone.30"), ("lock_form", "screening"), ("lock_unit", ""), ("lock_unsigned", "")} <= told


REFUSED_LOCKED: list[tuple[str, Command, str]] = [
    ("a value", c.Observe("P-1", "weight", "61 kg", "2026-03-05"), ""),
    ("a correction", c.Correct("P-1", 0, {"value": "62 kg"}, "misread", END), SITE),
    ("an adverse event", c.AddRecord("P-1", "adverse_event", "fever-2", "2026-03-30", {"term": "fever"}), SITE),
    ("a query", c.RaiseQuery("P-1", "?", END), MONITOR),
    ("a freeze", c.Freeze("P-1", "cleaning", END), MANAGER),
    ("a second lock", LOCKED, MANAGER),
]  # fmt: skip


@pytest.mark.parametrize(("tried", "command", "role"), REFUSED_LOCKED, ids=[row[0] for row in REFUSED_LOCKED])
@pytest.mark.parametrize("scope", ["participant", "site", "trial"])
def test_what_is_locked_is_not_changed_and_says_by_whom_and_since_when(
    desk: Desk, tried: str, command: Command, role: str, scope: str
) -> None:
    _whole(desk)
    desk.do(LOCKED, role=MANAGER)
    _lock_above(desk, scope)
    if isinstance(command, c.Correct):
        command = _about(command, _entry(desk, "weight").seq)
    with pytest.raises(Refused) as refused:
        desk.do(command, role=role or "investigator")
    assert {one.code for one in refused.value.findings} == {"data_locked"}
    assert all("the data manager (data manager) on 2026-12-20" in str(one) for one in refused.value.findings)


def _lock_above(desk: Desk, scope: str) -> None:
    if scope == "participant":
        return
    desk.do(c.EndScreening("P-2", "ineligible", "2026-03-05"))
    desk.do(c.Observe("P-2", "sperm_count", "20 10*6/mL", "2026-03-02", person="partner"))
    desk.do(_signs(desk, "P-2"))
    desk.do(c.Lock("2026-12-20", "P-2"), role=MANAGER)
    desk.do(c.Lock("2026-12-20", site="S01"), role=MANAGER)
    if scope == "trial":
        desk.do(c.Lock("2026-12-20"), role=MANAGER)


def test_a_site_and_a_trial_are_locked_once_every_participant_is_and_take_nobody_in(desk: Desk) -> None:
    _whole(desk)
    desk.do(LOCKED, role=MANAGER)
    assert desk.refused(c.Lock("2026-12-20", site="S01"), MANAGER) == ["lock_not_all"]
    assert desk.refused(c.Lock("2026-12-20"), MANAGER) == ["lock_not_all"]
    _lock_above(desk, "trial")
    assert desk.refused(c.Screen("P-9", "S01", "2026-12-20")) == ["data_locked", "data_locked"]
    assert set(desk.refused(c.ActivateProtocol("S02", desk.protocol.digest, "ethics", "2026-12-20"))) == {"data_locked"}


def test_the_product_is_never_locked(desk: Desk) -> None:
    _whole(desk)
    desk.do(LOCKED, role=MANAGER)
    _lock_above(desk, "trial")
    desk.do(c.RecallLot("L-1", "growth in a retained sample", "2026-12-21"), role="quality person")


def test_an_unlock_needs_a_reason_and_lets_her_be_corrected_signed_and_locked_again(desk: Desk) -> None:
    _whole(desk)
    desk.do(LOCKED, role=MANAGER)
    assert desk.refused(c.Unlock(" ", "2026-12-21", "P-1"), MANAGER) == ["reason_missing"]
    assert desk.refused(c.Unlock("a slip", "2026-12-21", "P-1"), SITE) == ["role_wrong"]
    assert desk.refused(c.Unlock("a slip", "2026-12-19", "P-1"), MANAGER) == ["before_origin"]
    desk.do(c.Unlock("a value was misread", "2026-12-21", "P-1"), role=MANAGER)
    desk.do(c.Correct("P-1", _entry(desk, "weight").seq, {"value": "62 kg"}, "misread", "2026-12-21"))
    again = c.Lock("2026-12-22", "P-1")
    assert desk.refused(again, MANAGER) == ["lock_unsigned"]
    desk.do(_signs(desk))
    desk.do(again, role=MANAGER)
    assert desk.refused(c.Unlock("a slip", "2026-12-22"), MANAGER) == ["hold_unknown"]


@pytest.mark.parametrize(
    "type",
    [
        "query.raised/1",
        "query.opened/1",
        "source.verified/1",
        "casebook.signed/1",
        "data.frozen/1",
        "data.unfrozen/1",
    ],
)
def test_what_was_said_of_a_casebook_is_never_taken_back(desk: Desk, type: str) -> None:
    _asks(desk)
    desk.do(c.Observe("P-1", "amh", "9 ng/mL", ON))
    desk.do(_verify(desk, _entry(desk, "weight")), role=MONITOR)
    desk.do(_signs(desk))
    desk.do(c.Freeze("P-1", "cleaning", "2026-12-02"), c.Unfreeze("P-1", "done", "2026-12-03"), role=MANAGER)
    event = next(one for one in _hers(desk) if one.type == type)
    assert desk.refused(c.VoidEvent("P-1", event.seq, "no", "2026-12-04"), SITE) == ["review_taken_back"]


@pytest.mark.parametrize(
    ("command", "role", "code"),
    [
        (c.Freeze("P-1", "x", ON), SITE, "role_wrong"),
        (c.Freeze("P-1", " ", ON), MANAGER, "reason_missing"),
        (c.Freeze("P-1", "x", ON, "visit"), MANAGER, "encounter_unknown"),
        (c.Unfreeze("P-1", "x", ON), MANAGER, "hold_unknown"),
        (c.Lock(ON, "P-1"), SITE, "role_wrong"),
        (c.Lock(ON, "P-9"), MANAGER, "participant_unknown"),
        (c.Lock(ON, site="S99"), MANAGER, "site_unknown"),
        (c.Unlock("x", ON), MANAGER, "hold_unknown"),
    ],
)  # fmt: skip
def test_a_freeze_and_a_lock_are_the_data_managers(desk: Desk, command: Command, role: str, code: str) -> None:
    assert desk.refused(command, role) == [code]
