"""What each role may see and do: two tables, of pages and of commands, and nothing else decides.

Whoever is signed in acts in one delegated role at a time, at one site or at every site.
"""

from __future__ import annotations

from typing import Final

from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.trial.delegations import ROLES

INVESTIGATOR, COORDINATOR, EMBRYOLOGIST = "investigator", "coordinator", "embryologist"
LABORATORY, QUALITY, PHARMACIST = "cell laboratory", "quality person", "pharmacist"
MONITOR, DATA_MANAGER, AUDITOR = "monitor", "data manager", "auditor"
BOARD, STATISTICIAN, SPONSOR, ADMINISTRATOR = "safety board", "statistician", "sponsor", "administrator"

ALL: Final = frozenset(ROLES)
_CARE = frozenset({INVESTIGATOR, COORDINATOR, EMBRYOLOGIST})
_OVERSIGHT = frozenset({MONITOR, DATA_MANAGER, AUDITOR})
_PRODUCT = frozenset({LABORATORY, QUALITY, PHARMACIST})
_IMPORTS = frozenset({COORDINATOR, DATA_MANAGER, EMBRYOLOGIST})

#: The name of a page -> the roles that may open it. Administrators see no participant.
PAGES: Final[dict[str, frozenset[str]]] = {
    "today": ALL,
    "act_as": ALL,
    "trial": ALL,
    "protocol": ALL,
    "record": ALL,
    "versions": ALL,
    "screening": _CARE | _OVERSIGHT,
    "participant": _CARE | _OVERSIGHT | {PHARMACIST},
    "visit": _CARE | _OVERSIGHT,
    "visit_check": _CARE,
    "identity": frozenset({INVESTIGATOR, COORDINATOR}),  # of the site where she is
    "identity_log": frozenset({INVESTIGATOR, MONITOR, AUDITOR}),  # who looked, never what is kept
    "find": frozenset({INVESTIGATOR, COORDINATOR}),
    "erasures": frozenset({INVESTIGATOR, ADMINISTRATOR, MONITOR, AUDITOR}),
    "audit": _OVERSIGHT | {INVESTIGATOR},
    "laboratory": _CARE | _OVERSIGHT,
    "grid": _CARE | _OVERSIGHT,
    "grid_check": frozenset({EMBRYOLOGIST}),
    "import": _IMPORTS,  # each command that a row becomes asks the second table
    "import_mapping": _IMPORTS,
    "import_saved": _IMPORTS,
    "import_preview": _IMPORTS,
    "import_refused": _IMPORTS,
    "import_undo": _IMPORTS,
    "entry": _CARE | _OVERSIGHT,
    "queries": _CARE | _OVERSIGHT,
    "query": _CARE | _OVERSIGHT,
    "casebooks": _CARE | _OVERSIGHT,
    "casebook": _CARE | _OVERSIGHT,
    "verify_source": frozenset({MONITOR}),
    "trail": _OVERSIGHT | {INVESTIGATOR},
    "trail_export": _OVERSIGHT | {INVESTIGATOR},
    "product": _PRODUCT | _CARE | _OVERSIGHT,
    "lot": _PRODUCT | _CARE | _OVERSIGHT,
    "unit": _PRODUCT | _CARE | _OVERSIGHT,
    "safety": frozenset({INVESTIGATOR, COORDINATOR, SPONSOR, BOARD}) | _OVERSIGHT,
    "boundary": frozenset({INVESTIGATOR, COORDINATOR, SPONSOR, BOARD}) | _OVERSIGHT,
    "reports": ALL - {ADMINISTRATOR},
    "export": ALL - {ADMINISTRATOR},  # each export asks the table below
    "print_casebook": _CARE | _OVERSIGHT,
    "tokens": ALL,
    "token_revoke": ALL,
    "api_paths": ALL,
    "people": frozenset({ADMINISTRATOR, INVESTIGATOR, MONITOR, AUDITOR}),
    "sign_ins": frozenset({ADMINISTRATOR, AUDITOR}),
    "sign_ins_csv": frozenset({ADMINISTRATOR, AUDITOR}),
    "account_new": frozenset({ADMINISTRATOR}),
    "account_reset": frozenset({ADMINISTRATOR}),
    "factor_roles": frozenset({ADMINISTRATOR}),
    "order": ALL - {STATISTICIAN, AUDITOR},  # each order asks the second table
}
#: Roles that see the whole trial where they act at every site.
TRIAL_WIDE: Final = frozenset({SPONSOR, STATISTICIAN, DATA_MANAGER, MONITOR, AUDITOR, BOARD})
_LISTS: Final = _CARE | _OVERSIGHT | {SPONSOR, STATISTICIAN}

#: The name of an export -> the roles that may have it; of the whole trial only at every site, of women only hers.
EXPORTS: Final[dict[str, frozenset[str]]] = {
    "study-report": TRIAL_WIDE,
    "study-report-pdf": TRIAL_WIDE,
    "study-report-json": TRIAL_WIDE,
    "board-open": TRIAL_WIDE,
    "board-closed": frozenset({BOARD}),
    "listings": TRIAL_WIDE,
    "screening": _LISTS,
    "deviations": _LISTS,
    "adverse-events": _LISTS | {BOARD},
    "worklist": _CARE | _OVERSIGHT,
    "units": _PRODUCT | _OVERSIGHT | {INVESTIGATOR, SPONSOR},
    "lots": _PRODUCT | _OVERSIGHT | {INVESTIGATOR, SPONSOR},
}

#: A command -> the roles that may submit it. The gate of the trial asks more, as who attests and who releases.
COMMANDS: Final[dict[type[Command], frozenset[str]]] = {
    c.ActivateProtocol: frozenset({INVESTIGATOR, SPONSOR}),
    c.AnswerQuestion: frozenset({INVESTIGATOR, SPONSOR}),
    c.Delegate: frozenset({ADMINISTRATOR, INVESTIGATOR}),
    c.EndDelegation: frozenset({ADMINISTRATOR, INVESTIGATOR}),
    c.RegisterDonor: frozenset({LABORATORY}),
    c.TestDonor: frozenset({LABORATORY}),
    c.AcceptDonor: frozenset({QUALITY}),
    c.RejectDonor: frozenset({QUALITY}),
    c.RegisterMaterial: frozenset({LABORATORY}),
    c.ValidateHold: frozenset({QUALITY}),
    c.RegisterLot: frozenset({LABORATORY}),
    c.TestLot: frozenset({LABORATORY}),
    c.ReleaseLot: frozenset({QUALITY}),
    c.RejectLot: frozenset({QUALITY, LABORATORY}),
    c.RecallLot: frozenset({QUALITY, SPONSOR}),
    c.OrderUnit: frozenset({INVESTIGATOR}),
    c.ManufactureUnit: frozenset({LABORATORY}),
    c.TestUnit: frozenset({LABORATORY}),
    c.ReleaseUnit: frozenset({QUALITY}),
    c.RejectUnit: frozenset({QUALITY, LABORATORY, INVESTIGATOR}),
    c.IssueUnit: frozenset({LABORATORY, PHARMACIST}),
    c.ReceiveUnit: frozenset({COORDINATOR, INVESTIGATOR, PHARMACIST}),
    c.VerifyUnit: frozenset({INVESTIGATOR, COORDINATOR}),
    c.ReconcileUnit: frozenset({LABORATORY, PHARMACIST}),
    c.ReviewTrigger: frozenset({BOARD}),
    c.Screen: frozenset({COORDINATOR, INVESTIGATOR}),
    c.Consent: frozenset({INVESTIGATOR}),
    c.Observe: _CARE,
    c.AddRecord: _CARE,
    c.CompleteRecord: _CARE | {SPONSOR},
    c.CloseList: _CARE,
    c.HoldVisit: _CARE,
    c.MissVisit: _CARE,
    c.ConfirmEligibility: frozenset({INVESTIGATOR}),
    c.Enrol: frozenset({INVESTIGATOR}),
    c.Allocate: frozenset({INVESTIGATOR}),
    c.Perform: frozenset({INVESTIGATOR, EMBRYOLOGIST}),
    c.InterruptInfusion: frozenset({INVESTIGATOR}),
    c.ResumeInfusion: frozenset({INVESTIGATOR}),
    c.EndInfusion: frozenset({INVESTIGATOR}),
    c.DispenseDrug: frozenset({PHARMACIST, COORDINATOR}),
    c.ReturnDrug: frozenset({PHARMACIST, COORDINATOR}),
    c.ChangeRegimen: frozenset({INVESTIGATOR}),
    c.SendReport: frozenset({INVESTIGATOR, SPONSOR}),
    c.CloseQuery: _CARE | {DATA_MANAGER},
    c.RaiseQuery: frozenset({MONITOR, DATA_MANAGER}),
    c.AnswerQuery: _CARE,
    c.ResolveQuery: frozenset({MONITOR, DATA_MANAGER}),  # the gate: in the role that raised it
    c.ReopenQuery: frozenset({MONITOR, DATA_MANAGER}),
    c.VerifySource: frozenset({MONITOR}),
    c.SignCasebook: frozenset({INVESTIGATOR}),
    c.Freeze: frozenset({DATA_MANAGER}),
    c.Unfreeze: frozenset({DATA_MANAGER}),
    c.Lock: frozenset({DATA_MANAGER}),
    c.Unlock: frozenset({DATA_MANAGER}),
    c.Note: _CARE,
    c.OrderErasure: frozenset({INVESTIGATOR}),
    c.ConfirmErasure: frozenset({ADMINISTRATOR}),
    c.Sign: frozenset(
        {INVESTIGATOR, QUALITY, BOARD, ADMINISTRATOR}
    ),  # with what they confirm, release or review, never alone
    c.EndScreening: frozenset({INVESTIGATOR, COORDINATOR}),
    c.Withdraw: frozenset({INVESTIGATOR}),
    c.Correct: _CARE | {DATA_MANAGER},
    c.VoidEvent: _CARE | {DATA_MANAGER},
}


def may_open(role: str, page: str) -> bool:
    """Whether a role may open a page."""
    return role in PAGES[page]


def may_do(role: str, command: type[Command]) -> bool:
    """Whether a role may submit a command."""
    return role in COMMANDS[command]
