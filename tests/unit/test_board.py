"""The report to the safety board: the figures of the views, the cut-off on every table, no arm where it is masked."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from tests.unit.desk import BLINDED, Desk, allocated, answered, prepared, protocol_at
from tests.unit.safety_stages import SAFETY, event, safety_desk, transfer, treated
from trialwright.cli.main import main
from trialwright.core.truth import Truth
from trialwright.protocol.protocol import Protocol
from trialwright.render.charts import boundary_course
from trialwright.report.board import Board, arm_name, news, open_board, serious_counts
from trialwright.report.board_closed import closed_html
from trialwright.report.board_counts import adherences, exposures, failures, pooled_events, quality
from trialwright.report.board_json import board_json
from trialwright.report.board_open import open_html
from trialwright.report.board_questions import boundary_sentence, questions, status
from trialwright.report.study import open_study
from trialwright.statistics.boundary import pause_ranges
from trialwright.trial import commands as c
from trialwright.views.graded_events import ANY, BEFORE
from trialwright.views.infusions import infusions

CUT = date(2026, 3, 25)
DEATH = {"death": "yes", "outcome": "fatal"}
LABELS = ("Cells and hormones", "Hormones")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return safety_desk(tmp_path, protocol_at(SAFETY))


def masked() -> Protocol:
    return protocol_at(
        SAFETY, "allocation: non-randomised, enrolment", "allocation: non-randomised, masking: double, enrolment"
    )


def board(desk: Desk, since: date | None = None, today: date = CUT) -> Board:
    return open_board(open_study(desk.ledger, today, protocol=desk.protocol), desk.ledger, since)


def both(desk: Desk, today: date = CUT) -> tuple[str, str]:
    made = board(desk, today=today)
    return open_html(made, "<svg></svg>"), closed_html(made)


def two_arms(desk: Desk) -> Desk:
    """One woman was infused and had a serious fever, one has hormones alone and a headache."""
    desk.do(*treated("P-1"), *allocated("P-2", "control"))
    desk.do(event("P-1"), event("P-2", term="headache", serious="no", related="unrelated", grade="1"))
    return desk


# ---------------------------------------------------------------- every page and table


def test_every_table_and_figure_says_the_data_cut_off(desk: Desk) -> None:
    two_arms(desk).do(*transfer("P-1"))
    for text in both(desk):
        captions = re.findall(r"<(?:fig)?caption>(.*?)</(?:fig)?caption>", text)
        assert len(captions) > 5
        assert [one for one in captions if f"data cut-off {CUT}" not in one] == []


def test_what_is_empty_says_none_and_the_cut_off(desk: Desk) -> None:
    for text in both(desk):
        assert f"Alerts, and what was decided on them: none (data cut-off {CUT})." in text
        assert "No data" not in text


def test_virtual_data_say_so_in_the_banner_and_real_data_do_not(tmp_path: Path, desk: Desk) -> None:
    (tmp_path / "virtual").mkdir()
    virtual = Desk(tmp_path / "virtual", kind="virtual", protocol=protocol_at(SAFETY))
    for text in both(virtual):
        assert re.search(r'class="banner" role="note"><p>Virtual data: rehearsal of SAFE01', text)
    for text in both(desk):
        assert "Virtual data" not in text
    shared, closed = both(desk)
    assert "<p>Open part: may be shared" in shared
    assert "<p>Closed part: for members of the safety board alone." in closed


# ---------------------------------------------------------------- the first page


def test_serious_events_are_counted_per_arm_with_their_denominator(desk: Desk) -> None:
    cells, control, before = serious_counts(board(two_arms(desk)))
    assert (cells.arm, cells.deaths, cells.women, cells.events, cells.related, cells.at_risk) == (
        "cells",
        0,
        1,
        1,
        1,
        1,
    )
    assert (control.arm, control.women, control.events, control.at_risk) == ("control", 0, 0, 1)
    assert (before.arm, before.women, before.at_risk) == (BEFORE, 0, 2)
    assert "1 / 1 (100.0 %)" in both(desk)[1]


def test_an_event_of_which_nobody_says_whether_it_is_serious_is_neither_counted_nor_lost(desk: Desk) -> None:
    desk.do(*treated("P-1"), event("P-1", serious=""))
    made = board(desk)
    assert (serious_counts(made)[0].women, serious_counts(made)[0].unknown) == (0, 1)
    assert "It is not known whether these are serious: P-1 fever (2026-03-21)." in questions(made)
    assert "whether serious: unknown" in both(desk)[1]


def test_a_death_is_counted_pauses_the_trial_and_is_the_first_question(desk: Desk) -> None:
    desk.do(*treated("P-1"), event("P-1", **DEATH))
    made = board(desk)
    assert serious_counts(made)[0].deaths == 1
    assert status(made).startswith(f"The trial is PAUSED on {CUT}: nobody may be treated. A1 since")
    assert questions(made)[0].startswith("Alert A1 has paused the trial")
    assert "<strong>The trial is PAUSED" in both(desk)[1]


def test_after_a_review_only_what_was_recorded_later_is_new(desk: Desk) -> None:
    desk.do(*treated("P-1"))
    desk.do(event("P-1", **DEATH))
    desk.do(c.ReviewTrigger("A1", "continue", "not related", "2026-03-24"))
    made = board(desk)
    assert status(made) == f"The trial is NOT paused on {CUT}."
    assert (made.since, made.since_from) == ("2026-03-24", "the last review of an alert")
    told = {what: (new, in_all) for what, new, in_all in news(made)}
    assert told["adverse events"] == (1, 1), "it was recorded in December"
    assert told["women enrolled"] == (0, 1)
    later = board(desk, since=date(2027, 1, 1))
    assert {new for _, new, _ in news(later)} == {0}


def test_a_board_that_decided_to_stop_is_told_so(desk: Desk) -> None:
    desk.do(*treated("P-1"), event("P-1", **DEATH))
    desk.do(c.ReviewTrigger("A1", "stop", "too dangerous", "2026-03-24"))
    made = board(desk)
    assert status(made) == "The trial is STOPPED: the board decided so on 2026-03-24 on alert A1: too dangerous"
    assert "Does that stand?" in questions(made)[0]


def test_the_boundary_says_how_many_pause_and_what_rate_is_still_possible(desk: Desk) -> None:
    assert boundary_sentence(board(desk)).startswith("Nobody has been treated yet.")
    desk.do(*treated("P-1"))
    said = boundary_sentence(board(desk))
    assert said.startswith("0 of 1 treated had an event that counts: a true rate of up to 95.0 % is still possible")
    assert said.endswith("It is not crossed.")


def test_overdue_reports_and_missing_judgements_are_asked_about(desk: Desk) -> None:
    asked = questions(board(two_arms(desk), today=date(2027, 3, 1)))
    assert any("The sponsor has not judged the relatedness of P-1 fever" in one for one in asked)
    assert any("overdue at the end of 2027-03-01" in one for one in asked)
    assert asked[-1].endswith("continue, modify, pause or stop?")


def test_the_recommendation_is_left_empty(desk: Desk) -> None:
    assert "☐ continue &emsp; ☐ continue, modified &emsp; ☐ pause &emsp; ☐ stop" in both(desk)[1]
    assert json.loads(board_json(board(desk)))["closed"]["recommendation"] is None


# ---------------------------------------------------------------- masking


def test_arms_are_named_where_nobody_is_masked(desk: Desk) -> None:
    shared, closed = both(two_arms(desk))
    assert all(label in closed for label in LABELS)
    assert "Allocated: Cells and hormones" in shared
    assert "Arm A" not in closed


def test_a_masked_trial_codes_arms_in_the_closed_part_and_pools_them_in_the_open_part(tmp_path: Path) -> None:
    desk = two_arms(safety_desk(tmp_path, masked()))
    desk.do(*transfer("P-1"))
    shared, closed = both(desk)
    assert "Arm A" in closed
    assert "Arm B" in closed
    assert "Arms are coded." in closed
    told = shared.partition('<section id="organisation">')
    for text in (closed, told[0]):
        assert not [label for label in LABELS if re.search(rf">[^<]*\b{label}\b", text)], "no arm by its name"
    assert not re.search(r"\bArm [AB]\b", shared)
    assert "Allocated:" not in shared
    data = board_json(board(desk))
    assert '"arm": "Arm A"' in data
    assert not re.search(r'"(cells|control)"', data)


def test_letters_do_not_follow_the_order_of_the_protocol_but_stay(tmp_path: Path) -> None:
    made = board(safety_desk(tmp_path, masked()))
    assert sorted(made.codes.values()) == ["A", "B"]
    assert [arm_name(made, arm) for arm in made.arms] == ["Arm A", "Arm B"]


def test_a_sealed_allocation_shows_all_women_together(tmp_path: Path) -> None:
    desk = Desk(tmp_path, protocol=protocol_at(BLINDED))
    made = board(desk)
    assert [arm_name(made, arm) for arm in made.arms] == ["All women (allocation sealed)"]
    assert "All women (allocation sealed)" in both(desk)[1]


# ---------------------------------------------------------------- the figures are those of the views


def test_pooled_events_are_the_sum_of_the_arms(desk: Desk) -> None:
    made = board(two_arms(desk))
    (pooled,) = [row for row in pooled_events(made) if (row.system, row.term) == (ANY, ANY) and row.arm != BEFORE]
    apart = [row for row in made.counts if (row.system, row.term) == (ANY, ANY) and row.arm != BEFORE]
    assert (pooled.with_event, pooled.at_risk, pooled.occurrences) == (2, 2, 2)
    assert sum(row.with_event for row in apart) == pooled.with_event
    assert sum(number for _, number in pooled.worst) == pooled.with_event


def test_exposure_counts_what_was_infused_and_what_was_outside_tolerance(desk: Desk) -> None:
    desk.do(*treated("P-1"), *treated("P-2", infused="25 mL", reason="she was in pain"))
    made = board(desk)
    cells, control = exposures(made)
    assert (cells.allocated, cells.women, cells.infusions) == (2, 2, 2)
    assert dict(cells.outcomes)["partial"] == 1
    ratios = [row.delivered_ratio for row in infusions(made.cut)]
    assert cells.delivered.least == float(min(one for one in ratios if one is not None))
    assert (cells.delivered.known, cells.delivered.of) == (2, 2)
    assert (control.women, control.delivered.middle) == (0, None)
    assert "she was in pain" in both(desk)[1]


def test_a_unit_that_failed_is_shown_with_its_reason(desk: Desk) -> None:
    desk.do(*allocated("P-1"), *prepared("P-1"))
    desk.do(c.RejectUnit("U-P-1", "the bag leaked", "2026-03-20T09:15"), role="quality person")
    (row,) = failures(board(desk), "cell_product")
    assert (row.unit, row.after, row.why) == ("U-P-1", "manufactured", "the bag leaked")
    assert re.search(r"the bag leaked</th><td[^>]*>manufactured</td><td[^>]*>1 / 1 \(100.0 %\)</td>", both(desk)[0])


def test_a_recalled_lot_asks_for_the_follow_up_of_its_recipients(desk: Desk) -> None:
    desk.do(*treated("P-1"))
    desk.do(c.RecallLot("L-1", "a growth in the retained sample", "2026-03-23"), role="quality person")
    made = board(desk)
    assert [(lot, [one.participant for one in given]) for lot, given in made.recalled] == [("L-1", ["P-1"])]
    assert any(one.startswith("Lot L-1 was recalled after it had been given to P-1.") for one in questions(made))
    assert "Given to P-1." in both(desk)[0]


def test_the_open_part_of_a_masked_trial_names_nobody_who_was_given_something(tmp_path: Path) -> None:
    desk = safety_desk(tmp_path, masked())
    desk.do(*treated("P-1"))
    desk.do(c.RecallLot("L-1", "a growth in the retained sample", "2026-03-23"), role="quality person")
    shared, closed = both(desk)
    assert "Given to P-1." in closed
    assert "P-1" not in shared


def test_a_product_given_while_a_result_is_outstanding_is_asked_about(desk: Desk) -> None:
    desk.do(*treated("P-1"))
    assert any(
        one.startswith("Given while a result is still not known: lot L-1 to P-1 (No growth in 14 days.)")
        for one in questions(board(desk))
    )


def test_missing_data_are_counted_with_their_denominators(desk: Desk) -> None:
    desk.do(*allocated("P-1"))
    told = quality(board(desk, today=date(2026, 12, 31)))
    assert told.overdue > 0
    assert (told.outcome_known, told.outcome_unknown) == (0, 1)
    assert told.events == 0


def test_a_woman_who_is_only_screened_is_in_no_arm(desk: Desk) -> None:
    desk.do(*answered("P-1"))
    made = board(desk)
    assert adherences(made) == []
    assert [row.at_risk for row in serious_counts(made)] == [0, 0, 1]


def test_board_json_holds_the_rows_of_the_views_without_types_of_ours(desk: Desk) -> None:
    data = json.loads(board_json(board(two_arms(desk))))
    assert (data["cut_off"], data["virtual"]) == (str(CUT), False)
    (row,) = data["closed"]["serious_events"]
    assert (row["participant"], row["arm"], row["serious"]) == ("P-1", "Cells and hormones", Truth.YES.value)
    assert row["day_from_first_product"] == 1
    assert data["closed"]["infusions"][0]["planned"] == 60_000_000
    assert board_json(board(desk)) == board_json(board(desk)), "the same bytes"


# ---------------------------------------------------------------- the drawing and the verb


def test_ranges_of_the_boundary_are_read_from_its_table() -> None:
    assert pause_ranges([None, 2, 2, 3, 3, 4]) == [(2, 2, 3), (3, 4, 5), (4, 6, 6)]


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        ([], "nobody treated yet. The limit was not reached."),
        ([0, 1, 1], "1 of 3 treated. The limit was not reached."),
        ([0, 1, 2], "2 of 3 treated. The limit was reached at 3 treated."),
    ],
)
def test_the_boundary_is_drawn_with_what_was_reached(seen: list[int], says: str) -> None:
    drawn = boundary_course(seen, [None, 2, 2, 3], "Boundary", "treated", "women", watermark="Virtual")
    assert f"women: {says}" in drawn
    assert "Virtual" in drawn
    assert drawn == boundary_course(seen, [None, 2, 2, 3], "Boundary", "treated", "women", watermark="Virtual")


def test_a_boundary_without_a_limit_says_that_there_is_nothing_to_draw() -> None:
    assert "No data" in boundary_course([0], [None], "Boundary", "treated", "women")


def test_the_verb_writes_both_parts_beside_the_study_report(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    two_arms(desk)
    folder = desk.place.parent
    assert main(["report", str(desk.place), "--since", "2026-03-01", "--on", str(CUT)]) == 0
    assert "board-closed.html written" in capsys.readouterr().out
    assert {"report.html", "board-open.html", "board-closed.html", "board.json"} <= {
        one.name for one in (folder / f"on-{CUT}").iterdir()
    }
    assert "2026-03-01 (as asked for)" in (folder / f"on-{CUT}" / "board-closed.html").read_text("utf-8")
    assert main(["report", str(desk.place), "--board", "--since", "March"]) == 2
    assert "--since" in capsys.readouterr().err
