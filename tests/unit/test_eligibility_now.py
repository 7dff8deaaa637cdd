"""Decided then beside derived now: what is not asked anew would have been answered the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsals import DOR, IUA, rehearsed
from trialwright.language.evaluate import Explanation, evaluate
from trialwright.ledger.store import open_ledger
from trialwright.protocol import uses
from trialwright.report.study import last_day
from trialwright.trial.office import read_protocol, whole_state
from trialwright.views.cutoff import CutOff
from trialwright.views.deviations import deviations


def _cut(out: Path, today: date | None = None) -> CutOff:
    with open_ledger(out / "ledger.db") as ledger:
        trial, participants = whole_state(ledger, today=today)
        protocol = read_protocol(ledger, next(iter(trial.protocols.values())))
        return CutOff(protocol, trial, participants, today or last_day(ledger))


@pytest.mark.parametrize("today", [None, date(2027, 3, 1)], ids=["everything", "as true on a day"])
@pytest.mark.parametrize("folder", [DOR, IUA], ids=["DOR", "IUA"])
def test_deviations_are_those_of_asking_every_criterion_anew(
    folder: Path, today: date | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = rehearsed(folder)
    spared = deviations(_cut(out, today))
    assert any(row.kind == "eligibility" for row in spared), "corrections changed what was decided"
    asked: list[object] = []

    def counted(*words: Any) -> Explanation:
        asked.append(words)
        return evaluate(*words)

    monkeypatch.setattr("trialwright.views.eligibility_now.evaluate", counted)
    assert deviations(_cut(out, today)) == spared
    few = len(asked)
    monkeypatch.setattr("trialwright.views.eligibility_now.__version__", "another")
    assert deviations(_cut(out, today)) == spared
    assert few < (len(asked) - few) / 3, "most answers are those of the event"


def test_a_rule_rests_on_its_items_records_lists_and_parents_and_on_anchors() -> None:
    protocol = _cut(rehearsed()).protocol
    grounds = {one.name: uses.grounds_of(one.rule) for one in protocol.criteria}
    for one in protocol.criteria:
        assert uses.names_in(one.rule) <= grounds[one.name].names
    change = uses.grounds_of(protocol.rules["endpoints.amh_change.change.1"])
    assert (change.names, change.anchored) == (frozenset({"amh"}), True)
