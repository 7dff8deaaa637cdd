"""Who may act for the trial, in which role, where, from when to when: the delegation log that ICH E6(R3) asks for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from trialwright.core.partial_date import is_day, partial_date
from trialwright.ledger.envelope import Event, NewEvent
from trialwright.protocol.naming import nearest
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.gate import Gate, refuse
from trialwright.trial.state import Delegation, TrialState

ADMINISTRATOR: Final = "administrator"
INVESTIGATOR: Final = "investigator"
#: Every role that may be delegated.
ROLES: Final = (
    INVESTIGATOR,
    "coordinator",
    "embryologist",
    "cell laboratory",
    "quality person",
    "pharmacist",
    "monitor",
    "data manager",
    "safety board",
    "statistician",
    "auditor",
    "sponsor",
    ADMINISTRATOR,
)


def delegate(gate: Gate, command: c.Delegate) -> list[NewEvent]:
    """A role given to a user, by an administrator or an investigator, with the training that it rests on."""
    _may_delegate(gate)
    if command.role not in ROLES:
        refuse("role_unknown", role=command.role, nearest=nearest(command.role, ROLES))
    sites = gate.protocol.document.sites
    if command.site and command.site not in sites:
        refuse("site_unknown", site=command.site, nearest=nearest(command.site, sites))
    if not command.user.strip():
        refuse("reason_missing", what="A delegation (to whom)")
    if not command.training.strip():
        refuse("reason_missing", what="A delegation (which training)")
    begins = _day(command.begins, "The begin of a delegation")
    if command.ends and _day(command.ends, "The end of a delegation") < begins:
        refuse("delegation_ends_early", begins=command.begins, ends=command.ends)
    payload: dict[str, Any] = {
        "delegation": f"G{len(gate.trial.delegations) + 1}",
        "user": command.user,
        "role": command.role,
        "begins": command.begins,
        "ends": command.ends,
        "training": command.training,
    }
    return [NewEvent(e.TRIAL, e.DELEGATED, command.on, payload, command.site)]


def end_delegation(gate: Gate, command: c.EndDelegation) -> list[NewEvent]:
    """A delegation ended, and why; what was done under it stands."""
    _may_delegate(gate)
    found = gate.trial.delegations.get(command.delegation)
    if found is None:
        refuse("delegation_unknown", delegation=command.delegation)
    if found.reason:
        refuse("delegation_over", delegation=command.delegation, ends=found.ends)
    if not command.reason.strip():
        refuse("reason_missing", what="The end of a delegation")
    payload: dict[str, Any] = {"delegation": command.delegation}
    return [NewEvent(e.TRIAL, e.DELEGATION_ENDED, command.on, payload, found.site, command.reason)]


def apply_delegation(state: TrialState, event: Event) -> None:
    """Take one event into the delegation log."""
    told = {name: str(value) for name, value in event.payload.items() if value is not None}
    identity = told.get("delegation", "")
    if event.type == e.DELEGATED:
        names = ("user", "role", "begins", "ends", "training")
        user, role, begins, ends, training = (told.get(name, "") for name in names)
        state.delegations[identity] = Delegation(
            identity, event.seq, user, role, event.site, begins, ends, training, event.user
        )
    elif identity in state.delegations:
        state.delegations[identity].ends = event.on[:10]
        state.delegations[identity].reason = event.reason


def delegations_of(state: TrialState, user: str, today: date) -> Iterator[Delegation]:
    """What a user may act as on a day, in the order of the log; the last day is included unless it was ended."""
    for one in state.delegations.values():
        begun = partial_date(one.begins).earliest.date() <= today
        last = partial_date(one.ends).latest.date() if one.ends else today
        over = today >= last if one.reason else today > last
        if one.user == user and begun and not over:
            yield one


def _may_delegate(gate: Gate) -> None:
    if gate.role not in (ADMINISTRATOR, INVESTIGATOR):
        refuse("role_wrong", what="A delegation", needed=f"{ADMINISTRATOR} or {INVESTIGATOR}", user=gate.user,
               role=gate.role)  # fmt: skip


def _day(text: str, what: str) -> date:
    try:
        told = partial_date(text)
    except ValueError:
        refuse("fact_unreadable", name=what, value=text, expected="a day", example="2026-03-09")
    if not is_day(told):
        refuse("fact_unreadable", name=what, value=text, expected="a day", example="2026-03-09")
    return told.earliest.date()
