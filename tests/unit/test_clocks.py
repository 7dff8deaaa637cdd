"""The clocks of expedited reporting, as a trialist would check them: known then, due when, how it stands."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trialwright.core.finding import Refused
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.protocol.reporting import CAVEATS, Pack, Rule, cited, pack, pack_names
from trialwright.trial.clocks import CONDITIONS, Due, Reportable, Sent, clocks, line

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN
BERLIN, SHANGHAI, NEW_YORK = "Europe/Berlin", "Asia/Shanghai", "America/New_York"
DEATH, ADMISSION = frozenset({"death"}), frozenset({"hospitalisation"})
RULES = [(name, rule) for name in pack_names() for rule in pack(name).rules]
PAGE = Path(__file__).parents[2] / "docs" / "clocks.md"
#: Long before, and long after, every event here.
EARLY, LATE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)


def event(aware: str, zone: str = SHANGHAI, **known: Any) -> Reportable:
    """A serious, related and unexpected event with an admission, known to the sponsor as soon as to the site."""
    told = {
        "identity": "P-004 adverse_event-2", "kind": "adverse event", "happened": aware, "sponsor_aware": aware,
        "serious": YES, "criteria": ADMISSION, "related": YES, "unexpected": YES,
    }  # fmt: skip
    return Reportable(**{**told, **known}, aware=aware, zone=zone)


def clock(rule: str, of: Reportable, now: str = "", *sent: Sent, **calendar: frozenset[date]) -> Due:
    """One clock, read at a UTC minute (else a minute after the event was known)."""
    (name,) = (name for name, one in RULES if one.id == rule)
    known = partial_date(of.aware).earliest.replace(tzinfo=ZoneInfo(of.zone)) + timedelta(minutes=1)
    at = datetime.fromisoformat(now).replace(tzinfo=UTC) if now else known
    (found,) = (due for due in clocks(of, [name], sent, at, **calendar) if due.rule == rule)
    return found


def utc(due: Due) -> str:
    return due.due.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if due.due else ""


# ---------------------------------------------------------------- calendar days


@pytest.mark.parametrize(
    ("rule", "criteria", "zone", "known", "due_local", "due_utc"),
    [
        # the day of awareness is day 0; the last day is due until its midnight at the site
        ("ich_susar_7", DEATH, SHANGHAI, "2026-03-09T14:05", "end of 2026-03-16, Asia/Shanghai", "2026-03-16 16:00"),
        ("ich_susar_7", DEATH, SHANGHAI, "2026-03-09T00:00", "end of 2026-03-16, Asia/Shanghai", "2026-03-16 16:00"),
        ("ich_susar_7", DEATH, SHANGHAI, "2026-03-09T23:59", "end of 2026-03-16, Asia/Shanghai", "2026-03-16 16:00"),
        ("ich_susar_15", ADMISSION, SHANGHAI, "2026-03-09T14:05", "end of 2026-03-24, Asia/Shanghai", "2026-03-24 16:00"),  # noqa: E501
        # 23:30 in New York is the next day in UTC; the day at the site counts
        ("eu_susar_7", DEATH, NEW_YORK, "2026-03-02T23:30", "end of 2026-03-09, America/New_York", "2026-03-10 04:00"),
        # 00:30 in Shanghai is the day before in UTC
        ("eu_susar_7", DEATH, SHANGHAI, "2026-03-03T00:30", "end of 2026-03-10, Asia/Shanghai", "2026-03-10 16:00"),
        # over the change to summer time, a week has an hour less
        ("eu_susar_7", DEATH, BERLIN, "2026-03-27T12:00", "end of 2026-04-03, Europe/Berlin", "2026-04-03 22:00"),
        ("eu_susar_15", ADMISSION, BERLIN, "2026-12-20T12:00", "end of 2027-01-04, Europe/Berlin", "2027-01-04 23:00"),
        ("drug_susar_7", DEATH, SHANGHAI, "2028-02-25T09:00", "", ""),  # ended in 2026
    ],
)  # fmt: skip
def test_calendar_days_end_at_the_midnight_of_the_site(
    rule: str, criteria: frozenset[str], zone: str, known: str, due_local: str, due_utc: str
) -> None:
    found = clock(rule, event(known, zone, criteria=criteria))
    assert (found.due_local, utc(found)) == (due_local, due_utc)


@pytest.mark.parametrize(
    ("now", "standing", "left"),
    [
        ("2026-03-09T06:06", "running", "7 days, 9:54:00"),
        ("2026-03-16T15:59", "running", "0:01:00"),
        ("2026-03-16T16:00", "overdue", "0:00:00"),
        ("2026-03-17T16:00", "overdue", "-1 day, 0:00:00"),
    ],
)
def test_a_clock_runs_and_then_is_overdue(now: str, standing: str, left: str) -> None:
    found = clock("ich_susar_7", event("2026-03-09T14:05", criteria=DEATH), now)
    assert (found.standing, str(found.left)) == (standing, left)


@pytest.mark.parametrize(
    ("sent", "now", "standing", "due_local", "counted_from"),
    [
        # known on the 9th, the first report is due on the 16th
        ("", "2026-03-10T00:00", "not yet counted", "2026-03-24", "the last day of ich_susar_7; earlier where"),
        ("2026-03-12T10:00", "2026-03-13T00:00", "running", "2026-03-20", "the report by ich_susar_7, 2026-03-12"),
        ("2026-03-16T23:00", "2026-03-17T00:00", "running", "2026-03-24", "the report by ich_susar_7, 2026-03-16"),
        ("2026-03-19T10:00", "2026-03-20T00:00", "running", "2026-03-24", "the last day of ich_susar_7, which was not"),
        ("", "2026-03-18T00:00", "running", "2026-03-24", "the last day of ich_susar_7, which was not sent by then"),
        ("", "2026-03-25T00:00", "overdue", "2026-03-24", "the last day of ich_susar_7, which was not sent by then"),
    ],
)
def test_eight_more_days_follow_the_first_report_or_its_last_day(
    sent: str, now: str, standing: str, due_local: str, counted_from: str
) -> None:
    reports = [Sent("ich_susar_7", sent, "sponsor")] if sent else []
    found = clock("ich_susar_follow_up", event("2026-03-09T14:05", criteria=DEATH), now, *reports)
    assert (found.standing, found.due_local) == (standing, f"end of {due_local}, {SHANGHAI}")
    assert found.counted_from.startswith(counted_from)


# ---------------------------------------------------------------- hours


@pytest.mark.parametrize(
    ("known", "due_local", "due_utc"),
    [
        ("2026-03-09T14:05", "2026-03-10T14:05+01:00", "2026-03-10 13:05"),
        # the clocks go forward on 2026-03-29 at 02:00: 24 hours later, they show an hour more
        ("2026-03-28T14:05", "2026-03-29T15:05+02:00", "2026-03-29 13:05"),
        ("2026-03-28T01:59", "2026-03-29T01:59+01:00", "2026-03-29 00:59"),
        ("2026-03-28T02:00", "2026-03-29T03:00+02:00", "2026-03-29 01:00"),
        # they go back on 2026-10-25 at 03:00: 24 hours later, they show an hour less
        ("2026-10-24T14:05", "2026-10-25T13:05+01:00", "2026-10-25 12:05"),
        # 02:30 comes twice on that day: the first counts
        ("2026-10-25T02:30", "2026-10-26T01:30+01:00", "2026-10-26 00:30"),
        # only the day is known: its first moment counts
        ("2026-03-09", "2026-03-10T00:00+01:00", "2026-03-09 23:00"),
    ],
)
def test_twenty_four_hours_are_exact_over_a_change_of_the_clocks(known: str, due_local: str, due_utc: str) -> None:
    found = clock("eu_sae_24h", event(known, BERLIN))
    assert (found.due_local, utc(found)) == (due_local, due_utc)


def test_a_time_that_the_clocks_jumped_over_is_refused() -> None:
    with pytest.raises(Refused, match=r"2026-03-29T02:30 does not exist in Europe/Berlin: the clocks were put forward"):
        event("2026-03-29T02:30", BERLIN)
    with pytest.raises(Refused, match=r"The report by eu_sae_24h .* put forward over it"):
        clock("eu_sae_24h", event("2026-03-28", BERLIN), "", Sent("eu_sae_24h", "2026-03-29T02:30", "investigator"))


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ("2026-10-25T02:30", "the clocks showed 2026-10-25T02:30 twice. Its first moment counts."),
        ("2026-10-25", "The investigator's awareness: only the day is known. Its first moment counts."),
        ("2026-10", "The investigator's awareness: only the month is known."),
    ],
)
def test_a_stricter_reading_is_told(known: str, says: str) -> None:
    assert says in clock("eu_sae_24h", event(known, BERLIN), "2026-10-25T12:00").why


# ---------------------------------------------------------------- sent: planned and real


@pytest.mark.parametrize(
    ("sent", "standing"),
    [
        ("2026-03-10T09:00", "sent in time"),
        ("2026-03-10T14:05", "sent in time"),  # the 24th hour is in time
        ("2026-03-10T14:06", "sent late"),
        ("2026-03-09", "sent in time"),
        ("2026-03-10", "unknown"),  # before or after 14:05?
        ("2026-03-11", "sent late"),
    ],
)
def test_a_report_is_in_time_or_late_by_its_instant(sent: str, standing: str) -> None:
    known = event("2026-03-09T14:05", BERLIN)
    found = clock("eu_sae_24h", known, "2026-04-01T00:00", Sent("eu_sae_24h", sent, "investigator"))
    assert (found.standing, found.sent_at, found.left) == (standing, sent, None)


def test_a_report_in_the_hour_that_came_twice_counts_as_the_later_one() -> None:
    known = event("2026-10-24T02:45", BERLIN)  # due 02:45 summer time; the report may be an hour after that
    assert clock("eu_sae_24h", known, "2026-11-01T00:00", Sent("eu_sae_24h", "2026-10-25T02:30", "x")).standing == (
        "unknown"
    )


def test_a_planned_report_is_not_sent() -> None:
    known, plan = event("2026-03-09T14:05", criteria=DEATH), Sent("ich_susar_7", "2026-03-15T10:00", "sponsor")
    before, after = (
        clock("ich_susar_7", known, "2026-03-12T00:00", plan),
        clock("ich_susar_7", known, "2026-03-15T02:00", plan),
    )
    assert (before.standing, before.sent_at) == ("running", "")
    assert (after.standing, after.sent_at) == ("sent in time", "2026-03-15T10:00")


def test_the_first_of_two_reports_counts() -> None:
    sent = [Sent("ich_susar_7", "2026-03-20", "sponsor"), Sent("ich_susar_7", "2026-03-12", "sponsor")]
    assert (
        clock("ich_susar_7", event("2026-03-09", criteria=DEATH), "2026-04-01T00:00", *sent).standing == "sent in time"
    )


# ---------------------------------------------------------------- what is not known


@pytest.mark.parametrize(
    ("known", "rule", "standing", "says"),
    [
        ({"related": UNKNOWN}, "stem_cell_sae_24h", "unknown", "Not known: related. Would be due 2026-03-10T14:05+08"),
        ({"serious": UNKNOWN, "criteria": frozenset()}, "eu_sae_24h", "unknown", "Not known: serious. Would be due"),
        ({"unexpected": UNKNOWN}, "eu_susar_15", "unknown", "Not known: unexpected. Would be due end of 2026-03-24"),
        ({"criteria": frozenset()}, "eu_susar_7", "unknown", "Not known: fatal or life-threatening. Would be due"),
        ({"criteria": frozenset()}, "eu_susar_15", "unknown", "Not known: neither fatal nor life-threatening."),
        ({"related": UNKNOWN}, "decree_818_suspend", "does not apply", "Not so: in force when it became known (from"),
        ({"related": NO}, "stem_cell_sae_24h", "does not apply", "Not so: related."),
        ({"serious": NO, "criteria": frozenset()}, "eu_sae_24h", "does not apply", "Not so: serious."),
        ({"related": NO, "unexpected": UNKNOWN}, "eu_susar_15", "does not apply", "Not so: related."),
        ({"serious": UNKNOWN, "criteria": DEATH}, "eu_sae_24h", "running", ""),  # a death is serious
        ({"sponsor_aware": ""}, "eu_susar_15", "not yet counted", "the sponsor's awareness, which is not recorded yet"),
        ({"sponsor_aware": "2026-03-20"}, "eu_susar_15", "not yet counted", "2026-03-20, which is still to come"),
        ({}, "us_susar_15", "not yet counted", "the sponsor's determination, which is not recorded yet"),
        ({}, "stem_cell_follow_up_15", "not yet counted", "the end of handling, which is not recorded yet"),
        ({}, "stem_cell_stop", "at once", "The text has no figure, and nothing was sent."),
    ],
)  # fmt: skip
def test_what_is_not_known_is_never_silently_not_applicable(
    known: dict[str, Any], rule: str, standing: str, says: str
) -> None:
    found = clock(rule, event("2026-03-09T14:05", **known))
    assert found.standing == standing
    assert says in found.why


def test_one_who_calls_it_related_is_enough() -> None:
    assert clock("stem_cell_sae_24h", event("2026-03-09T14:05", related=NO | YES)).standing == "running"
    assert clock("stem_cell_sae_24h", event("2026-03-09T14:05", related=NO | UNKNOWN)).standing == "unknown"
    assert clock("stem_cell_sae_24h", event("2026-03-09T14:05", related=NO | NO)).standing == "does not apply"


@pytest.mark.parametrize(("sent", "standing"), [("2026-03-10T09:00", "sent in time"), ("2026-03-12T09:00", "unknown")])
def test_a_report_of_what_may_not_apply(sent: str, standing: str) -> None:
    known = event("2026-03-09T14:05", related=UNKNOWN)
    found = clock("stem_cell_sae_24h", known, "2026-04-01T00:00", Sent("stem_cell_sae_24h", sent, "researcher"))
    assert (found.standing, found.sent_at) == (standing, sent)


def test_the_follow_up_of_stem_cells_runs_from_the_end_of_handling() -> None:
    found = clock("stem_cell_follow_up_15", event("2026-03-09T14:05", handled="2026-03-20"), "2026-03-21T00:00")
    assert (found.standing, found.due_local) == ("running", "end of 2026-04-04, Asia/Shanghai")


def test_a_report_at_once_has_no_figure_to_be_late_by() -> None:
    error = event("2026-03-09T14:05", kind="process error", serious=NO, criteria=frozenset())
    found = clock(
        "stem_cell_process_error", error, "2026-04-01T00:00", Sent("stem_cell_process_error", "2026-03-20", "x")
    )
    assert (found.standing, found.due, found.sent_at) == ("at once", None, "2026-03-20")


# ---------------------------------------------------------------- in force


@pytest.mark.parametrize(
    ("known", "measures", "decree"),
    [
        ("2026-04-30T23:30", "running", "does not apply"),  # 15:30 UTC
        ("2026-05-01T00:10", "running", "at once"),  # 16:10 UTC of 30 April: the day in Shanghai counts
        ("2026-04", "overdue", "does not apply"),
        ("2026", "overdue", "unknown"),  # before or after 1 May?
        ("2015-07-19T09:00", "does not apply", "does not apply"),
    ],
)
def test_the_day_of_awareness_decides_which_regime_governs(known: str, measures: str, decree: str) -> None:
    now = "2026-04-30T16:30" if "T" in known else "2026-06-01T00:00"
    old, new = clock("stem_cell_sae_24h", event(known), now), clock("decree_818_suspend", event(known), now)
    assert (old.standing, new.standing) == (measures, decree)


def test_both_regimes_are_shown_where_both_are_chosen() -> None:
    found = clocks(event("2026-05-01T00:10"), ["china_stem_cell_measures", "china_decree_818"], [], LATE)
    live = [due.rule for due in found if due.standing != "does not apply"]
    assert {"stem_cell_sae_24h", "decree_818_suspend", "decree_818_after_opinion"} <= set(live)
    assert len(found) == len(pack("china_stem_cell_measures").rules) + len(pack("china_decree_818").rules)


def test_the_drug_gcp_is_open_from_september_2026_and_its_old_figures_keep_running() -> None:
    old, new = (
        {due.rule: due for due in clocks(event(known, criteria=DEATH), ["china_drug_gcp"], [], LATE)}
        for known in ("2026-08-31T23:59", "2026-09-01T00:00")
    )
    assert old["drug_susar_7"].standing == "overdue"
    assert old["drug_susar_7_2026"].standing == new["drug_susar_7"].standing == "does not apply"
    live = {rule: due for rule, due in new.items() if due.standing != "does not apply"}
    assert set(live) == {"drug_sae_2026", "drug_susar_7_2026", "drug_susar_follow_up_2026"}
    assert {due.standing for due in live.values()} == {"open question"}
    assert all("safety articles were not read" in due.why for due in live.values())
    assert live["drug_susar_7_2026"].due_local == "end of 2026-09-08, Asia/Shanghai"
    assert live["drug_sae_2026"].due is None


# ---------------------------------------------------------------- working days


@pytest.mark.parametrize(
    ("opinion", "holidays", "worked", "last"),
    [
        ("2026-05-11", "", "", "2026-05-18"),  # Monday: Tuesday to Friday, Monday
        ("2026-05-15", "", "", "2026-05-22"),  # Friday
        ("2026-05-16", "", "", "2026-05-22"),  # Saturday
        ("2026-09-30", "", "", "2026-10-07"),  # without the holidays of October
        ("2026-09-30", "2026-10-01 2026-10-02 2026-10-05 2026-10-06 2026-10-07", "", "2026-10-14"),
        ("2026-09-30", "2026-10-01 2026-10-02 2026-10-05 2026-10-06 2026-10-07", "2026-10-10", "2026-10-13"),
    ],
)
def test_working_days_skip_weekends_and_holidays(opinion: str, holidays: str, worked: str, last: str) -> None:
    free, busy = (frozenset(date.fromisoformat(day) for day in days.split()) for days in (holidays, worked))
    known = event("2026-05-08T10:00", opinion=opinion)
    found = clock("decree_818_after_opinion", known, "2027-01-01T00:00", holidays=free, worked=busy)
    assert found.due_local == f"end of {last}, Asia/Shanghai"
    assert found.standing == "open question"
    assert ("No holidays are loaded" in found.why) == (not holidays)
    assert ("No weekend is loaded that is worked" in found.why) == (not worked)
    assert "From which day do the 5 working days run?" in found.question


def test_a_decision_sent_within_the_strictest_reading_is_in_time() -> None:
    known = event("2026-05-08T10:00", opinion="2026-05-11")
    for sent, standing in [("2026-05-18", "sent in time"), ("2026-05-19", "open question")]:
        report = Sent("decree_818_after_opinion", sent, "institution")
        assert clock("decree_818_after_opinion", known, "2027-01-01T00:00", report).standing == standing


# ---------------------------------------------------------------- other kinds of event


@pytest.mark.parametrize(
    ("kind", "rules"),
    [
        ("process error", {"stem_cell_process_error"}),
        ("pregnancy", {"site_pregnancy_24h"}),
        ("mandatory termination", {"decree_818_termination"}),
        ("unexpected event", {"eu_unexpected_event_15"}),
        ("urgent safety measure", {"eu_urgent_measure_7"}),
        ("adverse event", set()),
    ],
)
def test_an_event_that_is_not_serious_has_the_rules_of_its_kind_only(kind: str, rules: set[str]) -> None:
    plain = event("2026-06-01T10:00", kind=kind, serious=NO, criteria=frozenset())
    found = clocks(plain, pack_names(), [], LATE)
    assert {due.rule for due in found if due.standing != "does not apply"} == rules
    serious = clocks(replace(plain, serious=YES), pack_names(), [], LATE)
    assert {"eu_sae_24h", *rules} <= {due.rule for due in serious if due.standing != "does not apply"}


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({"kind": "proces error"}, "Did you mean `process error`"),
        ({"criteria": frozenset({"deaths"})}, "Did you mean `death`"),
        ({"zone": "Asia/Shangai"}, "is no time zone"),
        ({"zone": "../etc"}, "is no time zone"),
        ({"handled": "yesterday"}, "The end of handling of P-004 adverse_event-2 cannot be read"),
        ({"aware": ""}, "The investigator's awareness of P-004 adverse_event-2 cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused(known: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused) as refused:
        replace(event("2026-03-09"), **known)
    assert says in str(refused.value.findings[0])


def test_an_unknown_pack_or_rule_is_refused_with_the_nearest() -> None:
    with pytest.raises(Refused, match=r"`eu_crt`. Did you mean `eu_ctr`"):
        pack("eu_crt")
    with pytest.raises(Refused, match=r"Did you mean `eu_sae_24h`"):
        clocks(event("2026-03-09"), ["ich"], [Sent("eu_sae_24", "2026-03-09", "investigator")], LATE)
    with pytest.raises(ValueError, match="offset from UTC"):
        clocks(event("2026-03-09"), ["ich"], [], datetime(2026, 3, 9))


def test_a_pack_is_read_strictly() -> None:
    rule = {
        "id": "a", "event": "any serious", "what": "x", "who": "x", "to_whom": "x", "deadline": "24 hours",
        "counted_from": "handled", "basis": "x", "verified": "read",
    }  # fmt: skip
    assert str(Rule.model_validate(rule).deadline) == "24 hours"
    wrong: list[dict[str, object]] = [
        {"deadline": "a week"}, {"deadline": "0 hours"}, {"deadline": "open"}, {"verified": "yes"}, {"basis": ""},
        {"counted_from": "report"}, {"report_of": "b"}, {"from": date(2026, 2, 1), "until": date(2026, 1, 1)},
    ]  # fmt: skip
    for fault in wrong:
        with pytest.raises(ValidationError):
            Rule.model_validate({**rule, **fault})
    for rules in ([], [rule, rule], [{**rule, "counted_from": "report", "report_of": "b"}]):
        with pytest.raises(ValidationError):
            Pack.model_validate({"name": "x", "title": "x", "scope": "x", "rules": rules})


# ---------------------------------------------------------------- laws

minutes = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M"))
zones = st.sampled_from([BERLIN, SHANGHAI, NEW_YORK, "UTC", "Africa/Cairo", "Australia/Lord_Howe", "Asia/Kathmandu"])
truths = st.sampled_from(list(Truth))
criterion_sets = st.sampled_from([frozenset[str](), DEATH, ADMISSION])


def drawn(aware: str, zone: str, **known: Any) -> Reportable | None:
    """The event, with all its times at its awareness; nothing where that time never was."""
    times = dict.fromkeys(("sponsor_aware", "determined", "opinion", "handled"), aware)
    try:
        return event(aware, zone, **times, **known)
    except Refused:
        return None


@given(st.lists(minutes, min_size=2, max_size=2).map(sorted), zones, criterion_sets, truths)
def test_later_awareness_never_gives_an_earlier_due(
    known: list[str], zone: str, criteria: frozenset[str], related: Truth
) -> None:
    events = [drawn(aware, zone, criteria=criteria, related=related) for aware in known]
    before, after = (clocks(one, pack_names(), [], LATE) if one else () for one in events)
    for earlier, later in zip(before, after, strict=False):
        if earlier.due and later.due:
            assert earlier.due <= later.due


@given(minutes, zones, criterion_sets, truths, truths, minutes)
def test_to_learn_that_it_is_related_never_removes_a_due(
    known: str, zone: str, criteria: frozenset[str], serious: Truth, unexpected: Truth, now: str
) -> None:
    maybe = drawn(known, zone, criteria=criteria, serious=serious, unexpected=unexpected, related=UNKNOWN)
    if maybe is None:
        return
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    before = clocks(maybe, pack_names(), [], at)
    after = clocks(replace(maybe, related=YES), pack_names(), [], at)
    assert [due.due for due in before] == [due.due for due in after]
    for due in before:
        assert due.standing != "does not apply" or due.why.startswith("Not so")


@given(minutes, zones, criterion_sets, st.integers(1, 40 * 24 * 60), truths)
def test_what_was_sent_before_its_due_is_never_late(
    known: str, zone: str, criteria: frozenset[str], early: int, related: Truth
) -> None:
    one = drawn(known, zone, criteria=criteria, related=related)
    for due in clocks(one, pack_names(), [], LATE) if one else ():
        if due.due is None:
            continue
        moment = (due.due - timedelta(minutes=early)).astimezone(ZoneInfo(zone))
        if moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset():
            continue  # that hour came twice: the later one counts
        assert one is not None
        sent = Sent(due.rule, moment.strftime("%Y-%m-%dT%H:%M"), "somebody")
        assert clock(due.rule, one, "2029-01-01T00:00", sent).standing == "sent in time"


# ---------------------------------------------------------------- the packs


def test_the_packs_are_those_that_a_protocol_may_choose() -> None:
    assert pack_names() == (
        "china_decree_818", "china_drug_gcp", "china_stem_cell_measures", "eu_ctr", "ich", "site_example", "us_312_32",
    )  # fmt: skip


def test_no_rule_stands_in_two_packs() -> None:
    assert len({rule.id for _, rule in RULES}) == len(RULES)


@pytest.mark.parametrize(("name", "rule"), RULES, ids=[rule.id for _, rule in RULES])
def test_every_rule_says_what_it_rests_on_and_how_far_that_was_read(name: str, rule: Rule) -> None:
    assert rule.basis
    assert rule.verified in CAVEATS
    assert rule.event in CONDITIONS
    marked = rule.verified != "read"
    assert cited(rule).endswith(f" [{rule.verified}]") == marked
    kind = rule.event if rule.event in ("process error", "pregnancy", "mandatory termination", "unexpected event", "urgent safety measure") else "adverse event"  # fmt: skip  # noqa: E501
    criteria = DEATH if "fatal" in rule.event else ADMISSION
    day = str(rule.from_ or rule.until or "2026-03-09")
    found = clock(rule.id, event(day, kind=kind, criteria=criteria, opinion=day, determined=day, handled=day))
    assert found.standing not in ("does not apply", "unknown")
    printed = line(found)
    assert cited(rule) in printed
    assert (CAVEATS[rule.verified] in printed) if marked else found.basis == rule.basis
    assert rule.assumption in printed
    assert rule.open in printed


@pytest.mark.parametrize(("name", "rule"), RULES, ids=[rule.id for _, rule in RULES])
def test_the_page_lists_every_rule_as_it_is(name: str, rule: Rule) -> None:
    text = PAGE.read_text("utf-8")
    rows = [row for row in text.splitlines() if row.startswith(f"| `{rule.id}` |")]
    assert len(rows) == 1
    cells = [cell.strip() for cell in rows[0].strip("|").split("|")]
    force = " ".join(part for part in (f"from {rule.from_}" if rule.from_ else "", f"until {rule.until}" if rule.until else "") if part)  # fmt: skip  # noqa: E501
    assert cells[4:] == [
        str(rule.deadline) + (" (open)" if rule.open and rule.deadline.unit != "open" else ""),
        f"report by `{rule.report_of}`" if rule.report_of else rule.counted_from.replace("_", " "),
        force, rule.basis, rule.verified,
    ]  # fmt: skip
    section = text[text.index(f"### {name}") :].split("\n### ")[0]
    assert f"| `{rule.id}` |" in section


def test_the_page_lists_no_rule_that_is_gone() -> None:
    listed = re.findall(r"^\| `([a-z0-9_]+)` \|", PAGE.read_text("utf-8").split("## Rules")[1], re.MULTILINE)
    assert sorted(listed) == sorted(rule.id for _, rule in RULES)
