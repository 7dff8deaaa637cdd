"""Erasure of a name and of free text: ordered by one person, confirmed by another; the ledger says so and stays whole.

What is erased lies outside the ledger: the vault destroys the key of whoever is erased here.
"""

from __future__ import annotations

from trialwright.ledger.envelope import NewEvent
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.gate import Gate, refuse


def order_erasure(gate: Gate, command: c.OrderErasure) -> list[NewEvent]:
    """The order to erase her; nothing is destroyed by it yet."""
    gate.present(command.participant)
    if not command.reason.strip():
        refuse("reason_missing", what="An erasure")
    erasure = gate.trial.erasures.get(command.participant)
    if erasure is not None and erasure.confirmed:
        refuse("erased", participant=command.participant, on=erasure.confirmed)
    if erasure is not None and erasure.ordered:
        what = "ordered to be erased"
        refuse("already_done", participant=command.participant, what=what, on=erasure.ordered)
    return [gate.event(e.ERASURE_ORDERED, command.on, {}, command.reason)]


def confirm_erasure(gate: Gate, command: c.ConfirmErasure) -> list[NewEvent]:
    """The second person's word, after which the key is destroyed."""
    gate.present(command.participant)
    erasure = gate.trial.erasures.get(command.participant)
    if erasure is None or not erasure.ordered:
        refuse("erasure_not_ordered", participant=command.participant)
    if erasure.confirmed:
        refuse("erased", participant=command.participant, on=erasure.confirmed)
    if erasure.ordered_by == gate.user:
        refuse("erasure_same_person", participant=command.participant, user=gate.user)
    return [gate.event(e.ERASURE_CONFIRMED, command.on, {})]


def not_of_an_erasure(gate: Gate, participant: str, event: int) -> None:
    """Refuse to take back what was confirmed: the key does not come back with it."""
    erasure = gate.trial.erasures.get(participant)
    if erasure is not None and erasure.confirmed and event in erasure.events:
        refuse("erased", participant=participant, on=erasure.confirmed)
