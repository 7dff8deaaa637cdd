"""What pauses a trial, what asks for a review, and the boundary: each counted once, and lifted by the board alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.custody_desk import CHAIN, TODAY, Told, allocated, before, course, given, origin
from tests.unit.desk import Desk, protocol_at
from trialwright.ledger.envelope import Event
from trialwright.statistics.boundary import boundary_table
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.commands import Command
from trialwright.trial.fold import fold_trial

DAYS = ("2026-03-10", "2026-03-13", "2026-03-16", "2026-03-17", "2026-03-18", "2026-03-19")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, protocol=protocol_at(CHAIN))
    desk.do(*origin())
    return desk


def _treated(desk: Desk, women: int) -> None:
    for number in range(1, women + 1):
        desk.do(*given(f"P-{number}", DAYS[number - 1]))


def _event(who: str = "P-1", name: str = "ae-1", on: str = TODAY, **fields: str) -> Command:
    return c.AddRecord(who, "adverse_event", name, on, fields)


def _counting(who: str = "P-1", name: str = "ae-1", on: str = TODAY) -> Command:
    return _event(who, name, on, grade="3", related="possible")


def _types(events: list[Event]) -> list[str]:
    return [event.type for event in events]


def _alerts(desk: Desk) -> list[tuple[str, str, str, bool]]:
    trial = desk.cut().trial
    assert trial.alerts == desk.office.trial().alerts
    return [(one.identity, one.trigger, one.participant, one.pauses) for one in trial.alerts.values()]


def _counted(desk: Desk) -> list[tuple[str, str]]:
    assert desk.cut().trial.counted == desk.office.trial().counted
    return list(desk.cut().trial.counted)


def _reviewed(alert: str, decision: str = "continue", on: str = "2026-12-01") -> Command:
    return c.ReviewTrigger(alert, decision, "looked at", on)


def _of(desk: Desk, type: str, who: str = "P-1") -> int:
    return next(event.seq for event in desk.ledger.events(f"participant/{who}") if event.type == type)


# ---------------------------------------------------------------- triggers


def test_a_death_pauses_enrolment_and_dosing_until_the_board_has_looked_at_it(desk: Desk) -> None:
    _treated(desk, 1)
    desk.do(*allocated("P-2"), *before("start", who="P-2"), *list(allocated("P-3"))[:-2])
    added, alert = desk.do(_event(death="yes"))
    assert _types([added, alert]) == [e.RECORD_ADDED, e.TRIGGER_RAISED]
    assert (alert.payload["participant"], alert.payload["record"]) == ("P-1", "adverse_event ae-1")
    start = c.Perform("P-2", "infusion", "i", f"{TODAY}T10:00", unit="U-P-2")
    for command in (start, c.Enrol("P-3", "2026-03-21")):
        assert desk.refused(command) == ["trial_paused"]
    desk.do(_reviewed("A1", "stop"))
    assert desk.refused(start) == ["trial_paused"]
    desk.do(_reviewed("A1", "modify"))
    assert [desk.refused(one) for one in (start, c.Enrol("P-3", "2026-03-21"))] == [[], []]


def test_what_goes_on_in_a_paused_trial_is_care_and_data(desk: Desk) -> None:
    desk.do(*allocated(), *before("end"), *allocated("P-2"), _event("P-2", death="yes"))
    for command in (
        c.Observe("P-1", "weight", "60 kg", "2026-03-21"),
        c.EndInfusion("P-1", "U-P-1", "5 mL", f"{TODAY}T10:30", reason="paused"),
        _event("P-1", "ae-7", grade="1"),
        c.Withdraw("P-2", "died", TODAY),
    ):
        assert desk.refused(command) == []


@pytest.mark.parametrize(
    ("fields", "raised"),
    [
        ({"death": "yes"}, ["death"]),
        ({"death": "no"}, []),
        ({}, []),
        ({"grade": "5"}, []),
        ({"life_threatening": "yes"}, ["life"]),
        ({"life_threatening": "yes", "death": "yes"}, ["death", "life"]),
    ],
)
def test_a_trigger_fires_where_its_rule_certainly_holds(desk: Desk, fields: dict[str, str], raised: list[str]) -> None:
    desk.do(*allocated(), c.AddRecord("P-1", "adverse_event", "ae-1", TODAY, fields))
    assert [(one[0], one[1]) for one in _alerts(desk)] == [(f"A{n}", name) for n, name in enumerate(raised, 1)]


def test_the_same_record_raises_a_trigger_once_whatever_is_said_of_it_later(desk: Desk) -> None:
    desk.do(*allocated(), _event(death="yes"))
    desk.do(c.CompleteRecord("P-1", "adverse_event", "ae-1", TODAY, {"grade": "5"}))
    desk.do(c.Correct("P-1", _of(desk, e.RECORD_ADDED), {"death": "no"}, "another woman", TODAY))
    desk.do(c.Correct("P-1", _of(desk, e.RECORD_ADDED), {"death": "yes"}, "it was she", TODAY))
    assert [one[1] for one in _alerts(desk)] == ["death"]
    desk.do(_event(name="ae-2", death="yes"))
    assert [one[:2] for one in _alerts(desk)] == [("A1", "death"), ("A2", "death")]


def test_what_is_taken_back_lifts_no_pause(desk: Desk) -> None:
    desk.do(*allocated(), _event(death="yes"))
    desk.do(c.VoidEvent("P-1", _of(desk, e.RECORD_ADDED), "another woman", TODAY))
    assert _alerts(desk) == [("A1", "death", "P-1", True)]


@pytest.mark.parametrize(
    "later",
    [
        [c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-21", {"death": "yes"})],
        [c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-01", {"death": "yes"})],
    ],
    ids=["later", "dated before the record"],
)
def test_a_field_entered_later_raises_what_it_raises(desk: Desk, later: list[Command]) -> None:
    desk.do(*allocated(), _event(grade="2"))
    if later[0].on < "2026-03-02":
        assert desk.refused(later[0]) == ["before_consent"]
        return
    desk.do(*later)
    assert [one[1] for one in _alerts(desk)] == ["death"]


def test_a_correction_that_meets_a_trigger_raises_it(desk: Desk) -> None:
    desk.do(*allocated(), _event(death="no"))
    desk.do(c.Correct("P-1", _of(desk, e.RECORD_ADDED), {"death": "yes"}, "misread", TODAY))
    assert [one[1] for one in _alerts(desk)] == ["death"]


def test_a_rule_that_counts_records_counts_the_new_one(desk: Desk) -> None:
    desk.do(*allocated(), _event(term="pain"))
    assert _alerts(desk) == []
    desk.do(_event(name="ae-2", term="pain", on="2026-03-10"))
    assert _alerts(desk) == [("A1", "two_pains", "P-1", False)], "a review, and no pause; whichever was entered first"


def test_a_rule_about_a_part_knows_what_it_is_a_part_of(desk: Desk) -> None:
    desk.do(*allocated(), c.AddRecord("P-1", "contact", "c-1", TODAY, {"by": "telephone"}))
    desk.do(c.AddRecord("P-1", "finding", "f-1", TODAY, {"grave": "yes"}, "c-1"))
    assert [one[1] for one in _alerts(desk)] == ["grave_call"]


def test_what_the_end_of_an_infusion_completes_may_raise_a_review(desk: Desk) -> None:
    desk.do(*allocated(), *before("end"))
    desk.do(c.EndInfusion("P-1", "U-P-1", "7 mL", f"{TODAY}T10:30", "1 mL", reason="pain"))
    assert _alerts(desk) == [("A1", "little", "P-1", False)]
    assert desk.refused(c.Perform("P-1", "infusion", "i-2", TODAY, unit="U-9")) == ["unit_not_ordered"], "no pause"


def test_a_review_dated_before_an_alert_of_the_same_day_lifts_it(desk: Desk) -> None:
    desk.do(*allocated(), _event(death="yes", on=f"{TODAY}T10:00"), _reviewed("A1", on=TODAY))
    assert _alerts(desk) == [("A1", "death", "P-1", False)]


# ---------------------------------------------------------------- the boundary


def test_the_boundary_is_computed_when_the_protocol_is_activated_and_once(desk: Desk) -> None:
    (computed,) = [event for event in desk.ledger.events() if event.type == e.BOUNDARY_COMPUTED]
    table = boundary_table(6, 0.1, 0.9, 0.3, 1.7)
    assert computed.payload["pause_at"] == [1, 2, 2, 2, 2, 2] == list(table.pause_at)
    assert (computed.payload["p0"], computed.payload["threshold"]) == ("0.1", "0.9")
    desk.do(c.ActivateProtocol("S01", desk.protocol.digest, "ethics again", "2026-03-01"))
    assert _types(list(desk.ledger.events())).count(e.BOUNDARY_COMPUTED) == 1


@pytest.mark.parametrize(
    ("treated", "with_event", "paused"),
    [(1, 1, True), (2, 1, False), (2, 2, True), (3, 1, False), (3, 2, True), (5, 1, False), (5, 2, True)],
)
def test_the_trial_pauses_where_the_table_says_so(desk: Desk, treated: int, with_event: int, paused: bool) -> None:
    _treated(desk, treated)
    for number in range(1, with_event + 1):
        desk.do(_counting(f"P-{number}"))
    assert [(one[1], one[3]) for one in _alerts(desk)] == ([("boundary", True)] if paused else [])
    assert len(_counted(desk)) == with_event


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({"grade": "3", "related": "possible"}, True),
        ({"grade": "4", "related": "definite"}, True),
        ({"grade": "2", "related": "definite"}, False),
        ({"grade": "3", "related": "unlikely"}, False),
        ({"grade": "3"}, False),
        ({"grade": ">=2", "related": "possible"}, False),
    ],
)
def test_an_event_counts_where_the_rule_certainly_holds(desk: Desk, fields: dict[str, str], counts: bool) -> None:
    _treated(desk, 2)
    desk.do(c.AddRecord("P-1", "adverse_event", "ae-1", TODAY, fields))
    assert _counted(desk) == ([("P-1", "ae-1")] if counts else [])


def test_a_woman_counts_once_however_many_events_she_has(desk: Desk) -> None:
    _treated(desk, 2)
    desk.do(_counting(), _counting(name="ae-2"))
    assert (_counted(desk), _alerts(desk)) == ([("P-1", "ae-1"), ("P-1", "ae-2")], [])
    events = [event.payload for event in desk.ledger.events() if event.type == e.BOUNDARY_COUNTED]
    assert [(one["events"], one["treated"]) for one in events] == [(1, 2), (1, 2)]


def test_an_event_is_counted_once_whatever_is_said_of_it_later(desk: Desk) -> None:
    _treated(desk, 2)
    desk.do(_counting(), c.CompleteRecord("P-1", "adverse_event", "ae-1", TODAY, {"grade": "4"}))
    first = _of(desk, e.RECORD_ADDED)
    desk.do(c.Correct("P-1", first, {"related": "unrelated"}, "misread", TODAY))
    desk.do(c.Correct("P-1", first, {"related": "definite"}, "read again", TODAY))
    assert _counted(desk) == [("P-1", "ae-1")], "and for good: that it was counted is a decision"


def test_an_untreated_woman_does_not_count(desk: Desk) -> None:
    desk.do(*allocated(), *before("start"), _counting())
    assert (_counted(desk), _alerts(desk)) == ([], [])


def test_a_correction_that_makes_an_event_count_is_counted(desk: Desk) -> None:
    _treated(desk, 2)
    desk.do(_event(grade="3", related="unlikely"))
    desk.do(c.Correct("P-1", _of(desk, e.RECORD_ADDED), {"related": "possible"}, "misread", TODAY))
    assert _counted(desk) == [("P-1", "ae-1")]


def test_a_correction_of_the_first_entry_leaves_what_was_entered_after_it(desk: Desk) -> None:
    _treated(desk, 2)
    desk.do(_event(grade="1", related="unlikely"))
    desk.do(c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-22", {"grade": "4"}))
    desk.do(c.Correct("P-1", _of(desk, e.RECORD_ADDED), {"related": "possible"}, "misread", "2026-03-23"))
    assert _counted(desk) == [("P-1", "ae-1")], "it is of grade 4 still"


def test_a_correction_of_the_first_entry_revives_nothing_that_was_replaced(desk: Desk) -> None:
    _treated(desk, 2)
    desk.do(_event(grade="3", related="unlikely"))
    desk.do(c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-22", {"grade": "1"}))
    desk.do(c.Correct("P-1", _of(desk, e.RECORD_ADDED), {"related": "possible"}, "misread", "2026-03-23"))
    assert _counted(desk) == [], "it is of grade 1 since"


def test_a_field_dated_before_another_one_does_not_replace_it(desk: Desk) -> None:
    _treated(desk, 2)
    desk.do(_event(related="unlikely"))
    desk.do(c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-25", {"grade": "3"}))
    desk.do(c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-22", {"grade": "1", "related": "possible"}))
    assert _counted(desk) == [("P-1", "ae-1")]


def test_a_field_taken_back_may_make_an_event_count(desk: Desk) -> None:
    _treated(desk, 2)
    desk.do(_event(related="possible"))
    desk.do(c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-22", {"related": "unrelated"}))
    desk.do(c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-23", {"grade": "3"}))
    assert _counted(desk) == []
    _, first, _ = [event.seq for event in desk.ledger.events("participant/P-1") if event.type == e.RECORD_COMPLETED]
    desk.do(c.VoidEvent("P-1", first, "of another event", "2026-03-24"))
    assert _counted(desk) == [("P-1", "ae-1")]


def test_a_record_taken_back_whole_is_not_counted(desk: Desk) -> None:
    _treated(desk, 2)
    desk.do(_event(related="possible"))
    desk.do(c.VoidEvent("P-1", _of(desk, e.RECORD_ADDED), "of another woman", TODAY))
    assert _counted(desk) == []


def _late(on: str) -> list[Told]:
    """An event that is entered before the infusion that it followed."""
    steps = course(day="2026-03-20")
    return [*allocated(), *before("start"), _counting(on=on), steps["start"]]


@pytest.mark.parametrize(
    ("on", "counts"),
    [("2026-03-20T10:05", True), ("2026-03-20", True), ("2026-03-21", True), ("2026-03-20T09:59", False),
     ("2026-03-19", False)],
)  # fmt: skip
def test_an_event_entered_before_its_infusion_is_counted_with_the_infusion(desk: Desk, on: str, counts: bool) -> None:
    desk.do(*_late(on))
    assert _counted(desk) == ([("P-1", "ae-1")] if counts else [])
    assert [one[:2] for one in _alerts(desk)] == ([("A1", "boundary")] if counts else []), "one of one treated"


def test_two_events_entered_before_an_infusion_count_once_with_it(desk: Desk) -> None:
    desk.do(*allocated(), *before("start"), _counting(on="2026-03-21"), _counting(name="ae-2", on="2026-03-21"))
    desk.do(course()["start"])
    assert (len(_counted(desk)), [one[1] for one in _alerts(desk)]) == (2, ["boundary"])


def test_an_event_may_raise_a_trigger_and_cross_the_boundary_under_two_numbers(desk: Desk) -> None:
    _treated(desk, 1)
    desk.do(*allocated("P-2"), *before("start", who="P-2"), _event(death="yes", grade="5", related="probable"))
    assert [one[:2] for one in _alerts(desk)] == [("A1", "death"), ("A2", "boundary")]
    desk.do(_reviewed("A1"))
    start = c.Perform("P-2", "infusion", "i", f"{TODAY}T10:00", unit="U-P-2")
    assert desk.refused(start) == ["trial_paused"], "each pause is lifted for itself"
    desk.do(_reviewed("A2"))
    assert desk.refused(start) == []


def test_after_a_review_the_next_woman_with_an_event_pauses_the_trial_again(desk: Desk) -> None:
    _treated(desk, 3)
    desk.do(_counting("P-1"), _counting("P-2"), _reviewed("A1"), _counting("P-3"))
    assert [(one[0], one[1], one[3]) for one in _alerts(desk)] == [
        ("A1", "boundary", False),
        ("A2", "boundary", True),
    ]


def test_more_treated_than_the_table_has_are_judged_by_its_last_row(desk: Desk) -> None:
    _treated(desk, 3)
    desk.do(_counting("P-1"))
    trial = desk.office.trial()
    assert trial.boundary is not None
    trial.boundary.pause_at = trial.boundary.pause_at[:2]
    desk.do(_counting("P-2"))
    assert [one.trigger for one in desk.office.trial().alerts.values()] == ["boundary"]


def test_an_infusion_taken_back_takes_its_woman_out_of_those_at_risk(desk: Desk) -> None:
    _treated(desk, 2)
    desk.do(c.VoidEvent("P-2", _of(desk, e.PERFORMED, "P-2"), "entered for the wrong woman", TODAY))
    desk.do(_counting("P-1"))
    assert [one[1] for one in _alerts(desk)] == ["boundary"], "one of one treated"


# ---------------------------------------------------------------- the first ones


def test_the_first_two_are_treated_three_days_apart_and_the_third_when_she_likes(desk: Desk) -> None:
    desk.do(*given("P-1", "2026-03-20"))
    for who, day, codes in (
        ("P-2", "2026-03-22", ["sentinel"]),
        ("P-2", "2026-03-23", []),
        ("P-3", "2026-03-23", []),
    ):
        if who not in desk.office.trial().sites:
            desk.do(*allocated(who))
        unit = f"U-{who}-{day[-2:]}"
        desk.do(*before("start", who=who, day=day, unit=unit))
        assert desk.refused(c.Perform(who, "infusion", unit, f"{day}T10:00", unit=unit)) == codes
        if codes:
            desk.do(c.RejectUnit(unit, "too early", f"{day}T10:30"))


def test_what_the_trial_decided_is_folded_the_same_in_any_order(desk: Desk) -> None:
    _treated(desk, 2)
    desk.do(_counting("P-1"), _counting("P-2"), _event("P-1", "ae-9", death="yes"), _reviewed("A1"))
    events = [event for event in desk.ledger.events() if event.type in e.TRIAL_WIDE]
    assert fold_trial(reversed(events)) == fold_trial(events) == desk.office.trial()
