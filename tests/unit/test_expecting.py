"""A virtual woman who is pregnant tests so, and is not treated as if she were not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.rehearsals import DOR, rehearsed
from trialwright.ledger.store import open_ledger
from trialwright.rehearsal.expecting import _lasts
from trialwright.report.study import open_study
from trialwright.trial import events as e


@pytest.mark.parametrize(
    ("drawn", "days"),
    [
        ({"sacs": 1, "ended_at_days": 272, "embryo_day": 5}, 253),  # born at 38 weeks 6 days
        ({"sacs": 0, "ectopic": 1, "ended_at_days": 60, "embryo_day": 3}, 43),
        ({"sacs": 0, "ectopic": 0, "ended_at_days": 60, "embryo_day": 3}, 24),  # a test, and nothing to be seen
        ({"sacs": 1}, 24),
    ],
)
def test_a_pregnancy_lasts_from_its_transfer_to_its_end(drawn: dict[str, Any], days: int) -> None:
    assert _lasts(drawn) == days


def test_no_cycle_is_begun_in_a_pregnancy_and_every_test_before_one_is_negative() -> None:
    with open_ledger(rehearsed(DOR) / "ledger.db") as ledger:
        study = open_study(ledger)
        observed: list[Any] = [one.payload for one in ledger.events(types=[e.OBSERVED])]
    tests = [float(one["value"]["entered"].split()[0]) for one in observed if one["item"] == "hcg"]
    pregnant: list[tuple[str, date, date]] = []
    for row in study.transfers:
        if row.pregnancy.hcg_positive.value == "yes" and row.on:
            began = date.fromisoformat(str(row.on)[:10])
            pregnant.append((row.participant, began + timedelta(days=14), began + timedelta(days=28)))
    assert pregnant, "somebody conceived"
    for who, positive, still in pregnant:
        begun = [events[0].on for events in study.cut.participants[who].records.get("cycle", {}).values()]
        assert not [on for on in begun if positive <= date.fromisoformat(on[:10]) <= still], who
    assert max(tests) > 100, "and tested so"
