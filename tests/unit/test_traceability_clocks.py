"""From an adverse event in the ledger to the clocks of the United States and of China, and what they were read from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.desk import Desk, protocol_at
from tests.unit.safety_stages import SAFETY, event, safety_desk, treated
from trialwright.protocol.reporting import CAVEATS
from trialwright.trial import commands as c
from trialwright.trial.clocks import Due, line
from trialwright.views.serious_events import serious_events

PACKS = "us_312_32, china_decree_818, china_stem_cell_measures"


@pytest.fixture
def her(tmp_path: Path) -> Desk:
    """A woman with a life-threatening event that the sponsor, too, holds related and unexpected."""
    protocol = protocol_at(SAFETY, "clocks: [eu_ctr, site_example]", f"clocks: [{PACKS}]")
    desk = safety_desk(tmp_path, protocol)
    desk.do(*treated("P-1"))
    desk.do(event(on="2026-06-02", term="headache", life_threatening="yes", aware="2026-06-02T10:00"))
    told = {"related_sponsor": "possible", "expected": "no", "sponsor_aware": "2026-06-03", "determined": "2026-06-05"}
    desk.do(c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-06-05", told), role="sponsor")
    return desk


def _due(desk: Desk, now: datetime) -> dict[str, Due]:
    (found,) = serious_events(desk.cut(), now)
    return {due.rule: due for due in found.due}


def _sent(rule: str, to: str, on: str) -> c.SendReport:
    return c.SendReport("P-1", "adverse_event", "ae-1", rule, to, on)


@pytest.mark.parametrize(
    ("rule", "due"),
    [
        ("us_susar_7", "end of 2026-06-10, Asia/Shanghai"),  # first receipt by the sponsor on the 3rd
        ("us_susar_15", "end of 2026-06-20, Asia/Shanghai"),  # determination on the 5th
        ("us_follow_up_15", "end of 2026-06-24, Asia/Shanghai"),  # notification on the 9th
        ("stem_cell_sae_24h", "2026-06-03T10:00+08:00"),  # the investigator on the 2nd at ten
    ],
)
def test_each_figure_runs_from_its_own_start(her: Desk, rule: str, due: str) -> None:
    her.do(_sent("us_susar_7", "FDA", "2026-06-09T12:00"))
    assert _due(her, datetime(2026, 6, 9, 12, tzinfo=UTC))[rule].due_local == due


def test_a_stop_without_a_figure_is_at_once_and_a_start_without_a_text_is_an_open_question(her: Desk) -> None:
    told = {"opinion": "2026-06-08", "handled": "2026-06-10"}
    her.do(c.CompleteRecord("P-1", "adverse_event", "ae-1", "2026-06-10", told))
    found = _due(her, datetime(2026, 6, 11, 4, tzinfo=UTC))
    assert (found["decree_818_suspend"].standing, found["stem_cell_stop"].standing) == ("at once", "at once")
    opinion = found["decree_818_after_opinion"]
    assert (opinion.standing, opinion.due_local) == ("open question", "end of 2026-06-15, Asia/Shanghai")
    assert found["stem_cell_follow_up_15"].due_local == "end of 2026-06-25, Asia/Shanghai"


def test_whatever_was_not_read_says_so_wherever_its_clock_is_printed(her: Desk) -> None:
    found = _due(her, datetime(2026, 6, 11, 4, tzinfo=UTC))
    assert "[from knowledge]" in line(found["us_susar_15"])
    assert "[secondary]" in line(found["us_follow_up_15"])
    assert "[draft only]" in line(found["stem_cell_sae_24h"])
    read = line(found["decree_818_suspend"])
    assert not [says for says in CAVEATS.values() if says and says in read]
