"""Serious events and their clocks, alerts, the boundary, and counts of adverse events: nothing unknown becomes no."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.desk import Desk, allocated, answered, consented, infusion, protocol_at, ready
from tests.unit.safety_stages import SAFETY, event, safety_desk, transfer, treated
from trialwright.core.truth import Truth
from trialwright.protocol.adverse_event import CRITERIA as FIELDS
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.clocks import CRITERIA, Due, Reportable
from trialwright.trial.facts import facts_of
from trialwright.views.alerts import AlertRow, alerts, boundary, pauses, still_allows
from trialwright.views.graded_events import ANY, BEFORE, EventCount, Grading, event_counts, grading
from trialwright.views.reportable import reportable, unexpectedness
from trialwright.views.serious_events import SeriousEvent, late_reports, serious_events

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN
NOW = datetime(2026, 3, 22, 4, tzinfo=UTC)  # noon at the site


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return safety_desk(tmp_path, protocol_at(SAFETY))


@pytest.fixture
def her(desk: Desk) -> Desk:
    """One woman, infused on 20 March at ten."""
    desk.do(*treated("P-1"))
    return desk


def asked(desk: Desk, who: str = "P-1", record: str = "ae-1") -> Reportable:
    one = desk.cut().participants[who]
    entries = facts_of(desk.protocol, one).records["adverse_event"]
    return reportable(desk.protocol, one, next(entry for entry in entries if entry.identity == record))


def row(desk: Desk, now: datetime = NOW) -> SeriousEvent:
    (found,) = serious_events(desk.cut(), now)
    return found


def clock(found: SeriousEvent, rule: str) -> Due:
    return next(due for due in found.due if due.rule == rule)


def says_sponsor(desk: Desk, **fields: str) -> None:
    desk.do(c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-22", fields), role="sponsor")


# ---------------------------------------------------------------- what the clocks are told


@pytest.mark.parametrize(("field", "criterion"), list(zip(FIELDS, CRITERIA, strict=True)))
def test_each_criterion_of_seriousness_reaches_the_clocks_by_its_name(her: Desk, field: str, criterion: str) -> None:
    assert field.replace("_", " ").split()[0] in criterion.replace("-", " ")
    her.do(event(serious="", **{field: "yes"}))
    assert asked(her).criteria == {criterion}
    assert row(her).serious is YES, "a criterion that is met makes it serious, whatever was ticked"


@pytest.mark.parametrize("fields", [{"outcome": "fatal"}, {"grade": "5"}])
def test_a_fatal_outcome_is_a_death_even_where_nobody_ticked_it(her: Desk, fields: dict[str, str]) -> None:
    her.do(event(**fields))
    assert asked(her).criteria == {"death"}
    assert "`death` is not answered with yes" in " ".join(row(her).doubts)


@pytest.mark.parametrize(
    ("investigator", "sponsor", "related"),
    [
        ("unrelated", "unrelated", NO),
        ("unlikely", "unlikely", NO),
        ("possible", "unrelated", YES),
        ("unrelated", "probable", YES),
        ("definite", "", YES),
        ("unrelated", "", UNKNOWN),
        ("", "", UNKNOWN),
    ],
)
def test_a_sponsor_raises_an_assessment_and_never_lowers_it(
    her: Desk, investigator: str, sponsor: str, related: Truth
) -> None:
    her.do(event(related=investigator))
    if sponsor:
        says_sponsor(her, related_sponsor=sponsor)
    assert asked(her).related is related
    assert row(her).related is related


@pytest.mark.parametrize(
    ("term", "on", "unexpected"),
    [
        ("fever", "2026-03-21", NO),  # listed for the infusion, which was the day before
        ("fever", "2026-03-20T10:00", NO),
        ("fever", "2026-03-20", UNKNOWN),  # before ten, or after
        ("fever", "2026-03-20T09:59", YES),
        ("fever", "2026-03-19", YES),
        ("headache", "2026-03-21", YES),
        ("", "2026-03-21", UNKNOWN),
    ],
)
def test_an_event_is_expected_by_its_term_after_what_it_is_expected_of(
    her: Desk, term: str, on: str, unexpected: Truth
) -> None:
    her.do(event(on=on, term=term))
    assert asked(her).unexpected is unexpected


@pytest.mark.parametrize(("expected", "unexpected"), [("yes", NO), ("no", YES)])
def test_the_word_of_the_sponsor_on_expectedness_stands_over_the_list(
    her: Desk, expected: str, unexpected: Truth
) -> None:
    her.do(event(term="fever" if expected == "no" else "headache"))
    says_sponsor(her, expected=expected)
    assert asked(her).unexpected is unexpected
    assert row(her).expected_from == "the sponsor"


def test_a_list_of_terms_does_not_make_a_death_expected(her: Desk) -> None:
    her.do(event(death="yes"))
    assert asked(her).unexpected is UNKNOWN
    assert "says nothing of a death" in row(her).expected_from
    assert clock(row(her), "eu_susar_7").standing == "unknown", "the clock is shown, and not switched off"


def test_nothing_is_expected_of_what_she_was_never_given(desk: Desk) -> None:
    desk.do(*allocated("P-1", "control"), event())
    one = desk.cut().participants["P-1"]
    (entry,) = facts_of(desk.protocol, one).records["adverse_event"]
    assert unexpectedness(desk.protocol, one, entry) == (YES, "the list of the protocol")


@pytest.mark.parametrize(
    ("entered", "aware", "source"),
    [
        ("2026-03-21T09:00", "2026-03-21T09:00", "entered by the site"),
        ("2026-03-21", "2026-03-21", "entered by the site"),
        ("", "2026-03-22T10:30", "the moment at which it was first recorded"),
    ],
)
def test_the_clocks_start_with_awareness_else_with_the_recording(
    her: Desk, entered: str, aware: str, source: str
) -> None:
    her.do(event(aware=entered), at="2026-03-22T02:30:00Z")
    her.do(c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-22", {"hospitalisation": "yes"}))
    assert asked(her).aware == aware
    assert (row(her).aware, row(her).aware_from) == (aware, source)


def test_the_times_of_sponsor_and_committee_are_handed_on(her: Desk) -> None:
    her.do(event(opinion="2026-03-24", handled="2026-03-25"))
    says_sponsor(her, sponsor_aware="2026-03-21T12:00", determined="2026-03-23")
    told = asked(her)
    assert (told.sponsor_aware, told.determined, told.opinion, told.handled) == (
        "2026-03-21T12:00", "2026-03-23", "2026-03-24", "2026-03-25",
    )  # fmt: skip


# ---------------------------------------------------------------- the list, and what is late


def test_a_report_that_was_sent_stops_its_clock_and_the_others_run_on(her: Desk) -> None:
    her.do(event(hospitalisation="yes", aware="2026-03-21T14:00"), at="2026-03-21T07:00:00Z")
    her.do(c.SendReport("P-1", "adverse_event", "ae-1", "site_sae_sponsor_24h", "sponsor", "2026-03-21T15:00"))
    found = row(her)
    standings = {due.rule: due.standing for due in found.due}
    assert standings["site_sae_sponsor_24h"] == "sent in time"
    assert standings["site_sae_committee_24h"] == "running"
    assert [due.rule for due in found.due][:2] == ["eu_sae_24h", "site_sae_committee_24h"], "the most urgent first"
    sent = next(one.seq for one in her.ledger.events() if one.type == e.REPORT_SENT)
    assert sent in found.events
    assert late_reports([found]) == []


def test_a_report_is_late_when_its_time_is_over_and_when_it_was_sent_after_that(her: Desk) -> None:
    her.do(event(hospitalisation="yes", aware="2026-03-21T09:00"), at="2026-03-21T07:00:00Z")
    her.do(c.SendReport("P-1", "adverse_event", "ae-1", "eu_sae_24h", "sponsor", "2026-03-22T09:01"))
    late = [(one.due.rule, one.due.standing) for one in late_reports(serious_events(her.cut(), NOW))]
    assert late == [
        ("site_sae_committee_24h", "overdue"),
        ("site_sae_sponsor_24h", "overdue"),
        ("eu_sae_24h", "sent late"),
    ]


def test_the_event_whose_report_is_most_urgent_stands_first(her: Desk) -> None:
    her.do(event(record="ae-1", aware="2026-03-22T09:00"), event(record="ae-2", aware="2026-03-20T20:00"))
    her.do(event(record="ae-3", aware="2026-03-21T20:00"))
    assert [one.record for one in serious_events(her.cut(), NOW)] == ["ae-2", "ae-3", "ae-1"]


@pytest.mark.parametrize(
    ("serious", "hospitalisation", "listed", "doubt"),
    [
        ("yes", "", YES, ""),
        ("no", "", None, ""),
        ("", "", UNKNOWN, "Whether it is serious is not recorded."),
        ("no", "yes", YES, "It was called not serious, and meets hospitalisation."),
    ],
)
def test_only_what_is_certainly_not_serious_is_left_out(
    her: Desk, serious: str, hospitalisation: str, listed: Truth | None, doubt: str
) -> None:
    her.do(event(serious=serious, hospitalisation=hospitalisation))
    found = serious_events(her.cut(), NOW)
    assert [one.serious for one in found] == ([] if listed is None else [listed])
    assert not doubt or doubt in found[0].doubts


def test_a_report_by_a_rule_of_no_pack_is_refused_and_stops_no_clock(her: Desk) -> None:
    her.do(event())
    sent = c.SendReport("P-1", "adverse_event", "ae-1", "rule 7", "the hospital", "2026-03-21T15:00")
    assert her.refused(sent) == ["rule_unknown"]
    assert not any(due.sent_at for due in row(her).due)


def test_the_planned_admission_stands_beside_the_event_in_the_words_of_the_protocol(her: Desk) -> None:
    her.do(event())
    assert row(her).planned_admission == "24 h after infusion"


def test_an_unknown_pack_is_said_and_breaks_nothing(tmp_path: Path) -> None:
    desk = safety_desk(tmp_path, protocol_at(SAFETY, "clocks: [eu_ctr, site_example]", "clocks: [eu_crt]"))
    desk.do(*treated("P-1"), event())
    assert row(desk).due == ()
    assert any("eu_crt" in doubt for doubt in row(desk).doubts)


def test_an_event_whose_clocks_cannot_be_read_stands_first_with_the_reason(tmp_path: Path) -> None:
    desk = safety_desk(tmp_path, protocol_at(SAFETY, "zone: Asia/Shanghai", "zone: Europe/Berlin"))
    desk.do(*treated("P-1"), event(record="ae-1", aware="2026-03-20T20:00"))
    desk.do(event(record="ae-2", on="2026-03-29", aware="2026-03-29T02:30"))  # the hour that summer time leaves out
    first, second = serious_events(desk.cut(), datetime(2026, 4, 1, tzinfo=UTC))
    assert (first.record, first.due, second.due[0].standing) == ("ae-2", (), "overdue")
    assert any("2026-03-29T02:30" in doubt for doubt in first.doubts)


# ---------------------------------------------------------------- pregnancies that are filed


def test_a_pregnancy_is_filed_from_the_day_on_which_it_was_known(her: Desk) -> None:
    her.do(*transfer("P-1"))
    assert serious_events(her.cut(), NOW) == [], "nobody knows of a pregnancy yet"
    known = c.CompleteRecord("P-1", "transfer", "t-1", "2026-05-20", {"pregnant": "yes"})
    her.do(known, at="2026-05-20T08:00:00Z")
    her.do(c.CompleteRecord("P-1", "transfer", "t-1", "2026-06-08", {"sacs": "1"}), at="2026-06-08T08:00:00Z")
    found = row(her, datetime(2026, 5, 20, 9, tzinfo=UTC))
    assert (found.kind, found.term, found.on, found.aware) == (
        "transfer",
        "pregnancy",
        "2026-05-20",
        "2026-05-20T16:00",
    )
    assert [(due.rule, due.standing) for due in found.due if due.standing != "does not apply"] == [
        ("site_pregnancy_24h", "running")
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [("file_pregnancies: true", "file_pregnancies: false"), ("clocks: [eu_ctr, site_example]", "clocks: [eu_ctr]")],
)
def test_a_site_that_does_not_file_pregnancies_has_none(tmp_path: Path, old: str, new: str) -> None:
    desk = safety_desk(tmp_path, protocol_at(SAFETY, old, new))
    desk.do(*treated("P-1"), *transfer("P-1", pregnant="yes"))
    assert serious_events(desk.cut(), NOW) == []


# ---------------------------------------------------------------- grades


def graded(desk: Desk) -> Grading:
    (entry,) = facts_of(desk.protocol, desk.cut().participants["P-1"]).records["adverse_event"]
    return grading(desk.protocol, entry, desk.cut().when)


@pytest.mark.parametrize(
    ("grade", "fields", "possible", "agrees"),
    [
        ("2", {"temperature": "39.5 Cel", "death": "no"}, (2,), YES),
        ("1", {"temperature": "39.5 Cel", "death": "no"}, (2,), NO),
        ("2", {"temperature": "39.5 Cel"}, (2, 5), UNKNOWN),  # nobody said whether she died
        ("2", {"temperature": "39.5 Cel", "outcome": "recovered"}, (2,), YES),
        ("5", {"temperature": "39.5 Cel", "death": "yes"}, (5,), YES),
        ("4", {"temperature": "40.5 Cel", "death": "no"}, (3, 4), UNKNOWN),  # how long above 40 is not known
        ("2", {"temperature": "40.5 Cel", "death": "no"}, (3, 4), NO),
        ("", {"temperature": "39.5 Cel", "death": "no"}, (2,), UNKNOWN),
        ("1", {"temperature": "37.5 Cel", "death": "no"}, (), NO),  # what is recorded is no fever
    ],
)
def test_the_recorded_grade_stands_beside_the_possible_ones(
    her: Desk, grade: str, fields: dict[str, str], possible: tuple[int, ...], agrees: Truth
) -> None:
    her.do(event(grade=grade, **fields))
    found = graded(her)
    assert (found.recorded, found.possible, found.agrees) == (grade or "not recorded", possible, agrees)


def test_a_hospital_stay_counts_for_the_grade_where_the_pack_asks_for_it_by_another_name(her: Desk) -> None:
    known = {"term": "allergy", "systemic_treatment": "oral", "bronchospasm": "no", "death": "no"}
    her.do(event(grade="3", life_threatening="no", hospitalisation="yes", **known))
    found = graded(her)
    assert 2 not in found.possible
    assert 3 in found.possible


def test_an_answer_that_is_not_in_the_words_of_the_pack_is_left_out_and_said(her: Desk) -> None:
    her.do(event(term="allergy", grade="1", systemic_treatment="intravenous", death="no"))
    found = graded(her)
    assert "systemic_treatment: what is recorded is not in the words or the unit of" in found.why
    assert 3 in found.possible, "an unread answer excludes nothing"


def test_a_term_that_no_pack_grades_leaves_the_grade_as_it_was_recorded(her: Desk) -> None:
    her.do(event(term="other", grade="3"))
    assert graded(her) == Grading("3", (), UNKNOWN, "other is graded by no term of CTCAE v5")


def test_a_system_of_grading_that_there_is_not_leaves_every_grade_as_it_was_recorded(her: Desk) -> None:
    her.do(event(grade="2"))
    (entry,) = facts_of(her.protocol, her.cut().participants["P-1"]).records["adverse_event"]
    other = protocol_at(SAFETY, "grading: CTCAE v5", "grading: our own")
    assert grading(other, entry, her.cut().when) == Grading("2", (), UNKNOWN, "fever is graded by no term of our own")


# ---------------------------------------------------------------- counts


def counts(desk: Desk, arm: str, term: str) -> EventCount:
    """The row of a term, or of any event."""
    return next(one for one in event_counts(desk.cut()) if one.arm == arm and one.term == term)


def test_women_are_counted_once_by_their_worst_grade_of_all_at_risk(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *allocated("P-2"), *allocated("P-3", "control"))
    desk.do(event("P-1", "ae-1", grade="1"), event("P-1", "ae-2", grade="3"), event("P-2", "ae-1", grade="2"))
    fever = counts(desk, "cells", "fever")
    assert (fever.with_event, fever.at_risk, fever.occurrences) == (2, 2, 3)
    assert fever.worst == (("1", 0), ("2", 1), ("3", 1), ("4", 0), ("5", 0), ("unknown", 0))
    assert len(fever.events) == 3
    assert all(sum(women for _, women in one.worst) == one.with_event for one in event_counts(desk.cut()))
    control = counts(desk, "control", ANY)
    assert (control.with_event, control.at_risk, control.occurrences) == (0, 1, 0)


@pytest.mark.parametrize(
    ("grades", "worst"),
    [(("2", "3"), "3"), (("2", ""), "unknown"), (("5", ""), "5"), (("",), "unknown")],
)
def test_a_grade_that_is_not_known_leaves_the_worst_one_open(desk: Desk, grades: tuple[str, ...], worst: str) -> None:
    desk.do(*allocated("P-1"))
    for number, grade in enumerate(grades):
        desk.do(event("P-1", f"ae-{number}", grade=grade))
    assert [name for name, women in counts(desk, "cells", "fever").worst if women] == [worst]


def test_related_and_serious_say_how_many_are_not_known(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *allocated("P-2"), *allocated("P-3"))
    desk.do(event("P-1", related="possible", serious="no"), event("P-2", related="unrelated", serious="yes"))
    desk.do(event("P-3", related="", serious=""))
    found = counts(desk, "cells", ANY)
    assert (found.with_event, found.related, found.related_unknown) == (3, 1, 1)
    assert (found.serious, found.serious_unknown) == (1, 1)


def test_terms_stand_under_their_systems_and_what_has_none_stands_last(desk: Desk) -> None:
    desk.do(*allocated("P-1"), event("P-1", "ae-1"), event("P-1", "ae-2", term="headache"))
    desk.do(event("P-1", "ae-3", term="other"), event("P-1", "ae-4", term=""))
    rows = [(one.system, one.term, one.occurrences) for one in event_counts(desk.cut()) if one.arm == "cells"]
    assert rows == [
        ("any", "any", 4),
        ("General disorders and administration site conditions", "any", 1),
        ("General disorders and administration site conditions", "fever", 1),
        ("Nervous system disorders", "any", 1),
        ("Nervous system disorders", "headache", 1),
        ("not classified", "any", 2),
        ("not classified", "not recorded", 1),
        ("not classified", "other", 1),
    ]


def test_what_came_before_the_allocation_is_counted_apart_of_all_who_consented(desk: Desk) -> None:
    desk.do(*allocated("P-1"), event("P-1", on="2026-03-08"), *answered("P-2"), event("P-2", on="2026-03-03"))
    desk.do(*consented("P-3"))
    assert (counts(desk, "cells", ANY).with_event, counts(desk, "cells", ANY).at_risk) == (0, 1)
    assert (counts(desk, BEFORE, ANY).with_event, counts(desk, BEFORE, ANY).at_risk) == (2, 3)


def test_an_event_on_the_day_of_the_allocation_is_counted_in_the_arm(desk: Desk) -> None:
    desk.do(*allocated("P-1"), event("P-1", on="2026-03-09"))
    assert counts(desk, "cells", ANY).with_event == 1


# ---------------------------------------------------------------- alerts and pauses


def only_alert(desk: Desk, today: str = "2026-03-31") -> AlertRow:
    (found,) = alerts(desk.cut(today))
    return found


def review(alert: str, on: str, decision: str = "continue") -> c.ReviewTrigger:
    return c.ReviewTrigger(alert, decision, "discussed", on)


def noon(day: str) -> str:
    """Noon at the site, as a time of recording."""
    return f"{day}T04:00:00Z"


def test_a_pause_lasts_until_it_is_lifted_and_its_days_are_counted(her: Desk) -> None:
    her.do(event(death="yes", on="2026-03-18"), at=noon("2026-03-21"))
    found = only_alert(her)
    assert (found.on, found.raised_at) == ("2026-03-18", "2026-03-21T12:00")
    assert (found.standing, found.trigger, found.participant, found.days) == ("paused", "death", "P-1", 10)
    assert found.events == (next(one.seq for one in her.ledger.events() if one.type == e.TRIGGER_RAISED),)
    her.do(review("A1", "2026-03-24"), at=noon("2026-03-25"))
    found = only_alert(her)
    assert (found.standing, found.decision, found.reviewed, found.days) == ("reviewed", "continue", "2026-03-24", 4)
    assert (found.reviewed_by, found.reason) == ("the safety board", "discussed")


def test_a_review_that_stops_the_trial_lifts_no_pause(her: Desk) -> None:
    her.do(event(death="yes", on="2026-03-21"), at=noon("2026-03-21"))
    her.do(review("A1", "2026-03-25", "stop"), at=noon("2026-03-25"))
    assert (only_alert(her).standing, only_alert(her).decision, only_alert(her).days) == ("paused", "stop", 10)


def test_an_alert_that_only_asks_for_a_review_is_open_and_pauses_nothing(her: Desk) -> None:
    her.do(*transfer("P-1", outcome="stillbirth"))
    assert (only_alert(her).standing, only_alert(her).days) == ("open", None)
    assert pauses(her.cut()) == []
    her.do(review("A1", "2026-06-10"))
    assert only_alert(her).standing == "reviewed"


def test_a_review_that_ends_with_stop_holds_the_trial_up_whatever_the_alert_asked_for(her: Desk) -> None:
    her.do(*transfer("P-1", outcome="stillbirth"))
    her.do(review("A1", "2026-06-10", "stop"), at=noon("2026-06-10"))
    assert (only_alert(her, "2026-06-15").standing, only_alert(her, "2026-06-15").days) == ("paused", 5)
    assert [(one.began, one.ended) for one in pauses(her.cut("2026-06-15"))] == [("2026-06-10T12:00", "")]
    assert her.refused(c.Enrol("P-9", "2026-06-11")) != []
    her.do(review("A1", "2026-06-20"))
    assert only_alert(her, "2026-06-25").standing == "reviewed"


def test_pauses_that_overlap_are_one_and_others_stand_apart(her: Desk) -> None:
    her.do(event(record="ae-1", death="yes", on="2026-03-21"), at=noon("2026-03-21"))
    her.do(event(record="ae-2", death="yes", on="2026-03-20"), at=noon("2026-03-23"))
    her.do(review("A1", "2026-03-24"), at=noon("2026-03-24"))
    her.do(review("A2", "2026-03-26"), at=noon("2026-03-26"))
    her.do(event(record="ae-3", death="yes", on="2026-04-10"), at=noon("2026-04-10"))
    rows = [(one.began, one.ended, one.days, one.alerts) for one in pauses(her.cut("2026-04-20"))]
    assert rows == [
        ("2026-03-21T12:00", "2026-03-26T12:00", 5, ("A1", "A2")),
        ("2026-04-10T12:00", "", 10, ("A3",)),
    ]


def test_a_pause_has_a_length_though_the_day_of_what_raised_it_is_not_known(her: Desk) -> None:
    her.do(event(death="yes", on="2026-03"), at=noon("2026-03-29"))
    assert (only_alert(her).on, only_alert(her).days) == ("2026-03", 2)


def test_whoever_was_treated_before_an_event_was_reported_was_not_treated_in_a_pause(her: Desk) -> None:
    her.do(event(death="yes", on="2026-03-12"), at=noon("2026-03-30"))
    (pause,) = pauses(her.cut())
    assert pause.began == "2026-03-30T12:00", "the event was eighteen days before, and nobody knew"


# ---------------------------------------------------------------- the boundary


def steps(desk: Desk) -> list[tuple[int, str, int, int | None, bool]]:
    view = boundary(desk.cut())
    assert view is not None
    return [(one.treated, one.participant, one.women, one.pause_at, one.crossed) for one in view.steps]


def test_the_boundary_follows_the_women_in_the_order_of_treatment(desk: Desk) -> None:
    desk.do(*treated("P-2", "2026-03-20"), *treated("P-1", "2026-03-25"))
    desk.do(event("P-2", "ae-1"), event("P-2", "ae-2"))
    desk.do(*treated("P-3", "2026-03-27"))
    assert steps(desk) == [
        (1, "P-2", 0, None, False),
        (2, "P-1", 1, 2, False),  # two events of one woman are one woman
        (3, "P-3", 1, 2, False),
    ]


def test_a_step_says_when_the_boundary_is_crossed_and_the_trial_pauses(desk: Desk) -> None:
    desk.do(*treated("P-1", "2026-03-20"), *treated("P-2", "2026-03-25"), event("P-1"), event("P-2"))
    assert steps(desk) == [(1, "P-1", 0, None, False), (2, "P-2", 2, 2, True)]
    view = boundary(desk.cut())
    assert view is not None
    assert view.steps[0].posterior == pytest.approx(0.2300, abs=1e-4)  # the upper tail of Beta(0.3, 2.7)
    assert [one.trigger for one in alerts(desk.cut())] == ["boundary"]
    counted = [one.seq for one in desk.ledger.events() if one.type == e.BOUNDARY_COUNTED]
    assert set(counted) < set(view.steps[1].events)


def test_an_event_stays_counted_and_the_view_says_what_has_become_of_it(her: Desk) -> None:
    her.do(event())
    her.do(c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-03-25", {"related": "unrelated"}))
    view = boundary(her.cut())
    assert view is not None
    assert [(one.participant, one.record, one.still) for one in view.counted] == [("P-1", "ae-1", NO)]
    assert [one.women for one in view.steps] == [1]


def test_an_event_that_was_taken_back_stays_counted_and_no_longer_meets_the_rule(her: Desk) -> None:
    (added, *_) = her.do(event())
    her.do(c.VoidEvent("P-1", added.seq, "of another woman", "2026-03-25"))
    view = boundary(her.cut())
    assert view is not None
    assert [(one.record, one.still) for one in view.counted] == [("ae-1", NO)]


def test_the_boundary_tells_how_often_it_pauses_at_true_rates_around_its_own(desk: Desk) -> None:
    view = boundary(desk.cut())
    assert view is not None
    assert [one.rate for one in view.characteristics] == [0.075, 0.15, 0.225, 0.3, 0.45]
    chances = [one.pauses for one in view.characteristics]
    assert chances == sorted(chances)
    assert view.says == "Nobody has been treated: any true rate is still possible."


@pytest.mark.parametrize(("treated_", "upper"), [(12, "22.1 %"), (30, "9.5 %"), (1, "95.0 %")])
def test_no_event_among_a_few_still_allows_a_high_rate(treated_: int, upper: str) -> None:
    assert f"0 of {treated_} treated" in still_allows(0, treated_)
    assert upper in still_allows(0, treated_)


def test_a_protocol_without_a_boundary_has_none(tmp_path: Path) -> None:
    text = (SAFETY / "protocol.yaml").read_text()
    part = text[text.index("  boundary:\n") : text.index("\npregnancy:")]
    desk = safety_desk(tmp_path, protocol_at(SAFETY, part, ""))
    assert boundary(desk.cut()) is None


def test_a_woman_whose_infusion_runs_is_treated(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *ready("P-1"), infusion("P-1"))
    assert [one[0] for one in steps(desk)] == [1]
