"""The delegation log: who may act as what, where, from when to when."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.unit.desk import Desk, opened
from trialwright.trial import commands as c
from trialwright.trial.delegations import delegations_of
from trialwright.trial.fold import fold_trial

BEGINS, DAY = "2026-03-01", "2026-03-02"


def _desk(folder: Path) -> Desk:
    desk = Desk(folder)
    desk.do(*opened())
    return desk


def _given(**other: str) -> c.Delegate:
    told = {"user": "li", "role": "coordinator", "begins": BEGINS, "training": "GCP 2026", "on": DAY, "site": "S01"}
    return c.Delegate(**{**told, **other})


@pytest.mark.parametrize(
    ("day", "roles"),
    [("2026-02-28", []), ("2026-03-01", ["coordinator"]), ("2026-06-30", ["coordinator"]), ("2026-07-01", [])],
)
def test_a_delegation_holds_from_its_first_to_its_last_day(tmp_path: Path, day: str, roles: list[str]) -> None:
    desk = _desk(tmp_path)
    desk.do(_given(ends="2026-06-30"))
    found = delegations_of(desk.cut().trial, "li", date.fromisoformat(day))
    assert [one.role for one in found] == roles


def test_a_delegation_that_was_ended_is_over_that_day_and_cannot_be_ended_again(tmp_path: Path) -> None:
    desk = _desk(tmp_path)
    desk.do(_given(), c.EndDelegation("G1", "has left the clinic", "2026-05-04"))
    state = desk.cut().trial
    assert [one.role for one in delegations_of(state, "li", date(2026, 5, 3))] == ["coordinator"]
    assert list(delegations_of(state, "li", date(2026, 5, 4))) == []
    assert desk.refused(c.EndDelegation("G1", "again", "2026-05-05")) == ["delegation_over"]
    assert fold_trial(desk.ledger.events()).delegations == desk.office.trial().delegations


@pytest.mark.parametrize(
    ("command", "role", "code"),
    [
        (_given(), "coordinator", "role_wrong"),
        (_given(role="king"), "administrator", "role_unknown"),
        (_given(site="S9"), "administrator", "site_unknown"),
        (_given(user=" "), "administrator", "reason_missing"),
        (_given(training=""), "administrator", "reason_missing"),
        (_given(begins="2026"), "administrator", "fact_unreadable"),
        (_given(ends="soon"), "administrator", "fact_unreadable"),
        (_given(ends="2026-02-01"), "administrator", "delegation_ends_early"),
        (c.EndDelegation("G7", "left", DAY), "administrator", "delegation_unknown"),
    ],
)
def test_a_delegation_that_says_too_little_is_refused(tmp_path: Path, command: c.Command, role: str, code: str) -> None:
    assert _desk(tmp_path).refused(command, role=role) == [code]


def test_the_end_of_a_delegation_has_a_reason(tmp_path: Path) -> None:
    desk = _desk(tmp_path)
    desk.do(_given())
    assert desk.refused(c.EndDelegation("G1", " ", "2026-05-04")) == ["reason_missing"]
