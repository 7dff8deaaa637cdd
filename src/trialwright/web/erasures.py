"""What the ledger says is erased is erased in the vault: at once, and again after an older vault was restored."""

from __future__ import annotations

from trialwright.ledger.vault import Vault, Visitor
from trialwright.trial.state import TrialState


def is_erased(trial: TrialState, participant: str) -> bool:
    """Whether name and free text of a participant are erased."""
    erasure = trial.erasures.get(participant)
    return erasure is not None and bool(erasure.ordered and erasure.confirmed)


def carry_out(trial: TrialState, vault: Vault) -> None:
    """Destroy the keys of all who are erased in the ledger and still have one."""
    destroyed = vault.destroyed()
    for participant, erasure in trial.erasures.items():
        if is_erased(trial, participant) and participant not in destroyed:
            vault.destroy(participant)
            by = Visitor(erasure.confirmed_by, "administrator", erasure.confirmed_at)
            vault.log(participant, by, "erased", erasure.reason)
