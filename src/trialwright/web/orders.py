"""Orders: one small form per command, in one table. A page offers them; the gate decides them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.web import order_choices as choose
from trialwright.web.fields import Field
from trialwright.web.order_choices import Around

Kind: TypeAlias = Literal["hidden", "text", "long", "day", "moment", "choice", "check", "count", "fields", "scan"]
Choices: TypeAlias = "Callable[[Around], list[tuple[str, str]]]"


@dataclass(frozen=True, slots=True)
class Ask:
    """One field of an order: the field of the command that it fills, and how it is asked."""

    name: str
    label: str
    kind: Kind = "text"
    help: str = ""
    optional: bool = False
    choices: Choices | None = None
    fields: Callable[[Around], list[Field]] | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A command as a form: its title, what its button says, and what it asks."""

    command: type[Command]
    title: str
    button: str
    asks: tuple[Ask, ...]
    lead: str = ""
    meaning: str = ""  # what a signature under it means; then the password is asked again
    apart: bool = False  # what is typed goes to the vault: a browser must not keep it with its windows


# ---------------------------------------------------------------- the table

_WHO = Ask("participant", "Participant", "hidden")
_DAY = Ask("on", "Day", "day")
_TIME = Ask("on", "When", "moment")
_REASON = Ask("reason", "Reason", "long")
_LOT, _UNIT, _DONOR = Ask("lot", "Lot", "hidden"), Ask("unit", "Unit", "hidden"), Ask("donor", "Donor", "hidden")

ORDERS: dict[str, Order] = {
    "screen": Order(c.Screen, "Screen a woman", "Take into screening", (
        Ask("participant", "Pseudonym", help="Never a name or a number of the hospital. Letters, digits and hyphens."),
        Ask("site", "Site", "choice", choices=choose.sites), _DAY,
    )),
    "consent": Order(c.Consent, "Record her consent", "Record consent", (
        _WHO, Ask("version", "Version of the information sheet"), _DAY,
    )),
    "add-record": Order(c.AddRecord, "Add a record", "Add", (
        _WHO, Ask("kind", "Kind", "hidden"), Ask("parent", "Belongs to", "hidden", optional=True),
        Ask("on", "Date", "day", "When it happened; a month or a year where the day is not known"),
        Ask("record", "Name of this record", help="To tell it from others of its kind"),
        Ask("fields", "", "fields", fields=choose.record_fields),
    )),
    "complete-record": Order(c.CompleteRecord, "Complete a record", "Save", (
        _WHO, Ask("kind", "Kind", "hidden"), Ask("record", "Record", "hidden"), _DAY,
        Ask("fields", "", "fields", fields=choose.record_fields),
    )),
    "miss-visit": Order(c.MissVisit, "The visit did not take place", "Record as missed", (
        _WHO, Ask("encounter", "Visit", "hidden"), Ask("record", "For", "hidden", optional=True), _REASON, _DAY,
    )),
    "confirm-eligibility": Order(c.ConfirmEligibility, "Confirm eligibility", "Sign", (_WHO, _DAY),
        "You sign the answer of every criterion as it stands on the day that you enter.",
        "I have reviewed every criterion and confirm that this is her eligibility."),
    "enrol": Order(c.Enrol, "Enrol her", "Sign and enrol", (_WHO, _DAY),
        "Eligibility is looked at again.", "I confirm that she is enrolled in the trial."),
    "allocate": Order(c.Allocate, "Allocate her to an arm", "Sign and allocate", (
        _WHO, Ask("arm", "Arm", "choice", choices=choose.arms), Ask("reason", "Reason for this arm", "long"),
        Ask("decided_by", "Who decided"), _DAY,
    ), "Eligibility is looked at again.", "I confirm her allocation to this arm."),
    "note": Order(c.Note, "Write a note", "Keep the note", (_WHO, Ask("ciphertext", "Note", "long"), _DAY),
        "It is kept under her own key and read by those who care for her. Facts of the trial belong into its forms.",
        apart=True),
    "order-erasure": Order(c.OrderErasure, "Order the erasure of her name", "Sign and order it", (
        _WHO, Ask("reason", "Reason", "choice", choices=choose.erasure_reasons), _DAY,
    ), "The administrator confirms it. Then name, contacts and notes can never be read again; what was recorded of her "
       "for the trial stays under her pseudonym.", "I order that her name, her contacts and her notes be erased."),
    "confirm-erasure": Order(c.ConfirmErasure, "Confirm an erasure", "Sign and erase", (_WHO, _DAY),
        "The key is destroyed at once. Nobody can bring it back.",
        "I confirm that name, contacts and notes of this participant be erased."),
    "end-screening": Order(c.EndScreening, "End her screening", "End screening", (_WHO, _REASON, _DAY)),
    "withdraw": Order(c.Withdraw, "Record a withdrawal", "Record withdrawal", (_WHO, _REASON, _DAY),
        "Safety, pregnancies and children are followed on."),
    "close-query": Order(c.CloseQuery, "Answer a query", "Answer and close", (
        _WHO, Ask("query", "Query", "hidden"), Ask("answer", "Answer", "long"), _DAY,
    )),
    "raise-query": Order(c.RaiseQuery, "Raise a query", "Raise it", (
        _WHO, Ask("event", "Entry", "hidden", optional=True), Ask("field", "Field", "hidden", optional=True),
        Ask("encounter", "Visit", "hidden", optional=True), Ask("record", "For", "hidden", optional=True),
        Ask("says", "What you ask", "long", "So that the site can answer it from the source"), _DAY,
    ), "The site answers; you close it, or ask again."),
    "answer-query": Order(c.AnswerQuery, "Answer a query", "Answer", (
        _WHO, Ask("query", "Query", "hidden"), Ask("answer", "Answer", "long"), _DAY,
    ), "Whoever raised it looks at your answer, and closes it or asks again."),
    "resolve-query": Order(c.ResolveQuery, "Close a query", "Close it", (
        _WHO, Ask("query", "Query", "hidden"),
        Ask("reason", "Remark", "long", "Needed where nobody has answered it", optional=True), _DAY,
    )),
    "reopen-query": Order(c.ReopenQuery, "Ask again", "Ask again", (
        _WHO, Ask("query", "Query", "hidden"),
        Ask("reason", "What the answer leaves open", "long"), _DAY,
    )),
    "sign-casebook": Order(c.SignCasebook, "Sign the casebook", "Sign", (_WHO, _DAY),
        "You sign her casebook as it stands now, with every correction. Any later change of it voids the signature.",
        "I have reviewed the casebook of this participant and confirm that it is complete and accurate."),
    "freeze": Order(c.Freeze, "Freeze data", "Freeze", (
        _WHO, Ask("encounter", "Visit", "hidden", optional=True), Ask("record", "For", "hidden", optional=True),
        _REASON, _DAY,
    ), "Nothing of it is entered or corrected until you unfreeze it. Queries can be answered; adverse events, "
         "pregnancies and children are recorded all the same."),
    "unfreeze": Order(c.Unfreeze, "Unfreeze data", "Unfreeze", (
        _WHO, Ask("encounter", "Visit", "hidden", optional=True), Ask("record", "For", "hidden", optional=True),
        _REASON, _DAY,
    )),
    "lock": Order(c.Lock, "Lock data", "Lock", (
        Ask("participant", "Participant", "hidden", optional=True), Ask("site", "Site", "hidden", optional=True), _DAY,
    ), "Nothing of it is changed any more, reports of serious events included, until you unlock it with a reason."),
    "unlock": Order(c.Unlock, "Unlock data", "Unlock", (
        Ask("participant", "Participant", "hidden", optional=True), Ask("site", "Site", "hidden", optional=True),
        _REASON, _DAY,
    ), "After it the casebook is signed and locked again."),
    "correct": Order(c.Correct, "Correct a value", "Correct", (
        _WHO, Ask("event", "Event", "hidden"), Ask("values", "", "fields", fields=choose.corrected),
        Ask("reason", "Reason", "long", "As the audit trail will show it: transcription error, unit mistaken, …"), _DAY,
    ), "The old value stays in the ledger and in the audit trail."),
    "void": Order(c.VoidEvent, "Take an entry back", "Take back", (
        _WHO, Ask("event", "Event", "hidden"), _REASON, _DAY,
    ), "The entry stays in the ledger and no longer counts."),
    "perform": Order(c.Perform, "Carry out", "Carry out", (
        _WHO, Ask("intervention", "Intervention", "hidden"), Ask("parent", "For", "hidden", optional=True),
        Ask("unit", "Unit", "hidden", optional=True), _TIME, Ask("record", "Name of this record"),
        Ask("fields", "", "fields", fields=choose.performed_fields),
        Ask("decided_by", "Decided by", optional=True, help="Only where it is far outside its window"),
        Ask("reason", "Reason", "long", optional=True, help="Only where it is far outside its window"),
    )),
    "dispense-drug": Order(c.DispenseDrug, "Hand out tablets", "Hand out", (
        _WHO, Ask("intervention", "Regimen", "hidden"), Ask("record", "Course", "hidden"),
        Ask("drug", "Drug", "choice", choices=choose.drugs), Ask("strength", "Strength of a tablet", help="As 1 mg"),
        Ask("tablets", "Tablets", "count"), _DAY,
    )),
    "return-drug": Order(c.ReturnDrug, "Take tablets back", "Take back", (
        _WHO, Ask("intervention", "Regimen", "hidden"), Ask("record", "Course", "hidden"),
        Ask("drug", "Drug", "choice", choices=choose.drugs), Ask("strength", "Strength of a tablet", help="As 1 mg"),
        Ask("tablets", "Tablets", "count"), _DAY,
    )),
    "change-regimen": Order(c.ChangeRegimen, "Change a dose", "Change", (
        _WHO, Ask("intervention", "Regimen", "hidden"), Ask("record", "Course", "hidden"),
        Ask("drug", "Drug", "choice", choices=choose.drugs), Ask("dose", "New dose", help="As 4 mg, or stop"),
        Ask("decided_by", "Who decided"), _REASON, _DAY,
    )),
    "order-unit": Order(c.OrderUnit, "Order a unit for her", "Order", (
        _WHO, Ask("unit", "Name of the unit"), Ask("intervention", "For", "choice", choices=choose.giving), _TIME,
    ), "The dose is planned from what is known of her now."),
    "manufacture-unit": Order(c.ManufactureUnit, "Prepare the unit", "Record preparation", (
        _UNIT, Ask("lot", "From lot", "choice", choices=choose.lots),
        Ask("total", "Cells counted in all", help="As 66000000"),
        Ask("viability", "Living share", help="As 91 %"), Ask("volume", "Volume", help="As 15 mL"),
        Ask("thawed", "Thawed at", "moment"), _TIME,
    )),
    "test-unit": Order(c.TestUnit, "Results of the unit", "Record results", (
        _UNIT, Ask("results", "", "fields", fields=choose.unit_results), _TIME,
    )),
    "release-unit": Order(c.ReleaseUnit, "Release the unit", "Sign and release", (
        _UNIT, _TIME,
        Ask("approved_by", "Reduced dose approved by", optional=True, help="Only for a dose below the limits"),
        Ask("reason", "Reason", "long", optional=True, help="Only for a dose below the limits"),
    ), meaning="I release this unit: lot and unit meet every requirement of the protocol, or what may come later."),
    "reject-unit": Order(c.RejectUnit, "Reject the unit", "Reject", (_UNIT, _REASON, _TIME)),
    "issue-unit": Order(c.IssueUnit, "Issue the unit", "Issue", (
        _UNIT, Ask("logger", "Temperature logger", optional=True), _TIME,
    )),
    "receive-unit": Order(c.ReceiveUnit, "Receive the unit", "Receive", (
        _UNIT, Ask("coldest", "Coldest", optional=True, help="As 4.1 Cel"),
        Ask("warmest", "Warmest", optional=True, help="As 6.3 Cel"),
        Ask("intact", "Bag and label are intact", "check"), _TIME,
    )),
    "verify-unit": Order(c.VerifyUnit, "Check at the bedside", "This unit is for this woman", (
        Ask("unit", "Unit, from its label", "scan", "Scan or type the code on the bag"),
        Ask("participant", "Participant, from her wristband", "scan", "Scan or type the code on her wristband"),
        Ask("second", "Second identifier, as she says it", "scan", "Her date of birth, as 1994-05-17"), _TIME,
    ), "Two different people do this, each with both identifiers. Read them from the bag and from her, not from here."),
    "interrupt-infusion": Order(c.InterruptInfusion, "Interrupt the infusion", "Interrupt", (
        _WHO, _UNIT, Ask("left", "Volume left", help="As 5 mL"), _REASON, _TIME,
    )),
    "resume-infusion": Order(c.ResumeInfusion, "Take the infusion up again", "Take up again", (_WHO, _UNIT, _TIME)),
    "end-infusion": Order(c.EndInfusion, "End the infusion", "End it", (
        _WHO, _UNIT, Ask("infused", "Volume infused", help="As 15 mL"), Ask("flush", "Flushed with", help="As 1 mL"),
        Ask("viability", "Living share at the end", optional=True, help="As 90 %, where it was measured"),
        Ask("reason", "Reason", "long", optional=True, help="Where it was not all"), _TIME,
    )),
    "reconcile-unit": Order(c.ReconcileUnit, "Account for the rest", "Account for it", (
        _UNIT, Ask("disposal", "What became of the rest", "long"), _TIME,
    )),
    "register-donor": Order(c.RegisterDonor, "Register a donor", "Register", (
        Ask("donor", "Name of the donor", help="A pseudonym"),
        Ask("product", "Product", "choice", choices=choose.products),
        Ask("of_participant", "Participant whose own cells these are", optional=True), _DAY,
    )),
    "test-donor": Order(c.TestDonor, "Results of the donor", "Record results", (
        _DONOR, Ask("results", "", "fields", fields=choose.donor_results), _DAY,
    )),
    "accept-donor": Order(c.AcceptDonor, "Accept the donor", "Accept", (_DONOR, _DAY)),
    "reject-donor": Order(c.RejectDonor, "Reject the donor", "Reject", (_DONOR, _REASON, _DAY)),
    "register-material": Order(c.RegisterMaterial, "Register tissue or a bank", "Register", (
        Ask("material", "Name"), Ask("kind", "Kind", "choice", choices=choose.materials),
        Ask("parent", "Made from", "choice", choices=choose.origins), Ask("passage", "Passage", "count"), _DAY,
    )),
    "validate-hold": Order(c.ValidateHold, "Validated hold time", "Record", (
        Ask("product", "Product", "choice", choices=choose.products), Ask("hours", "Hours after thawing"),
        Ask("report", "By which report"), _DAY,
    )),
    "register-lot": Order(c.RegisterLot, "Register a lot", "Register", (
        Ask("lot", "Name of the lot"), Ask("product", "Product", "choice", choices=choose.products),
        Ask("parent", "Made from", "choice", choices=choose.origins, optional=True),
        Ask("passage", "Passage", "count"), _TIME,
    )),
    "test-lot": Order(c.TestLot, "Results of the lot", "Record results", (
        _LOT, Ask("results", "", "fields", fields=choose.lot_results), _TIME,
    )),
    "release-lot": Order(c.ReleaseLot, "Release the lot", "Sign and release", (_LOT, _TIME),
        meaning="I release this lot: it meets every requirement of the protocol, or what may come later."),
    "reject-lot": Order(c.RejectLot, "Reject the lot", "Reject", (_LOT, _REASON, _TIME)),
    "recall-lot": Order(c.RecallLot, "Recall the lot", "Recall", (_LOT, _REASON, _TIME),
        "Nothing of it may be given any more; whoever had it is found and named."),
    "send-report": Order(c.SendReport, "Record a report as sent", "Record as sent", (
        _WHO, Ask("kind", "Kind", "hidden"), Ask("record", "Record", "hidden"),
        Ask("rule", "Rule", "choice", choices=choose.rules), Ask("to", "To whom"), _TIME,
    )),
    "review-trigger": Order(c.ReviewTrigger, "Review an alert", "Sign the decision", (
        Ask("alert", "Alert", "hidden"), Ask("decision", "Decision", "choice", choices=choose.decisions), _REASON, _DAY,
    ), meaning="I have reviewed this alert, and this is the decision of the board."),
    "activate-protocol": Order(c.ActivateProtocol, "Activate the protocol at a site", "Activate", (
        Ask("site", "Site", "choice", choices=choose.sites), Ask("digest", "Version", "hidden"),
        Ask("approval", "Approval", help="Committee, number and date"), _DAY,
    )),
    "answer-question": Order(c.AnswerQuestion, "Answer an open question", "Answer", (
        Ask("question", "Question", "hidden"), Ask("answer", "Answer", "choice", choices=choose.options), _DAY,
    )),
    "delegate": Order(c.Delegate, "Delegate a role", "Delegate", (
        Ask("user", "User name"), Ask("role", "Role", "choice", choices=choose.roles),
        Ask("site", "Site", "choice", choices=choose.sites_or_all, optional=True), Ask("begins", "From", "day"),
        Ask("ends", "To", "day", "Empty where it is open", optional=True),
        Ask("training", "Training", help="Which one, and when"), _DAY,
    )),
    "end-delegation": Order(c.EndDelegation, "End a delegation", "End it", (
        Ask("delegation", "Delegation", "hidden"), _REASON, _DAY,
    )),
}  # fmt: skip

#: Where on a form a refusal belongs, by its code; any other one stands above the form.
PLACES = {
    "identifier_wrong": ("participant", "record", "unit", "lot", "donor", "material"),
    "participant_exists": ("participant",),
    "participant_unknown": ("participant",),
    "site_not_active": ("site",),
    "site_unknown": ("site",),
    "not_at_this_site": ("site",),
    "reason_missing": ("reason", "answer", "disposal", "approval", "training", "report", "says"),
    "arm_unknown": ("arm",),
    "record_exists": ("record",),
    "product_exists": ("lot", "unit", "donor", "material"),
    "unit_not_ordered": ("unit",),
    "identity_mismatch": ("participant",),
    "second_identifier": ("second",),
    "in_the_future": ("on",),
    "before_consent": ("on",),
    "time_needed": ("on",),
    "volume_infused": ("infused", "left"),
    "volume_wrong": ("volume",),
    "lot_wrong_product": ("lot",),
    "lot_short": ("total",),
    "prepared_missing": ("total",),
    "role_unknown": ("role",),
    "delegation_ends_early": ("ends",),
    "parent_unknown": ("parent",),
    "donor_wrong_product": ("parent",),
    "answer_unknown": ("answer",),
}
