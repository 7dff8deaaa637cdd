"""One participant: where she stands, her time line, what she was given, what happened to her, and what may be done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from trialwright.core.partial_date import PartialDate
from trialwright.protocol.adverse_event import ADVERSE_EVENT
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.trial.events import participant_stream
from trialwright.trial.facts import anchor_date
from trialwright.trial.forms import forms
from trialwright.trial.state import Participant
from trialwright.views.cutoff import CutOff
from trialwright.views.pregnancies import transfers
from trialwright.web.casebooks import SAYS_MORE, TONES, line
from trialwright.web.guard import allowed, desk, hers
from trialwright.web.notes import notes_of
from trialwright.web.orders import ORDERS
from trialwright.web.pages.order import link_to
from trialwright.web.permissions import may_open
from trialwright.web.summary import standing
from trialwright.web.timeline import timeline
from trialwright.web.visit_form import rows_of
from trialwright.web.words import label, written


@dataclass(frozen=True, slots=True)
class Action:
    """Something that may be done now, and where."""

    says: str
    link: str
    first: bool = False


def participant(request: HttpRequest, identity: str) -> HttpResponse:
    """Her page."""
    woman = hers(request, identity)
    protocol, trial, today = desk().protocol(woman.site), desk().trial(), desk().today()
    visits = desk().visits(woman)
    status, tone = standing(protocol, woman)
    units = [one for one in trial.custody.units.values() if one.participant == identity]
    marks = [(label(protocol, name), str(reached.earliest.date())) for name, reached in _reached(protocol, woman)]
    cut = CutOff(protocol, trial, {identity: woman}, today)
    context = {
        "woman": woman,
        "status": status,
        "tone": tone,
        "visits": visits,
        "units": units,
        "line": timeline(protocol, visits, marks, today),
        "facts": _facts(protocol, woman),
        "actions": list(actions(request, woman, protocol)),
        "events": _events(woman),
        "transfers": transfers(cut) if protocol.document.pregnancy else [],
        "records": _records(protocol, woman),
        "courses": list(_courses(request, protocol, woman)),
        "signatures": desk().signatures_on(participant_stream(identity)),
        "may_enter": may_open(request.acting.role, "visit_check"),
        "notes": notes_of(request, woman),
        "note": link_to("note", participant=identity, back=f"/participants/{identity}/")
        if allowed(request, c.Note) and woman.consented
        else "",
        "may_identity": may_open(request.acting.role, "identity"),
        "may_identity_log": may_open(request.acting.role, "identity_log"),
        "may_audit": may_open(request.acting.role, "audit"),
        "casebook": line(protocol, trial, woman, today),
        "states": {
            one.visit.key: (one.state, TONES[one.state])
            for one in forms(protocol, trial, woman, today)
            if one.visit is not None and one.state in SAYS_MORE
        },
    }
    return render(request, "web/participant.html", context)


def actions(request: HttpRequest, woman: Participant, protocol: Protocol) -> list[Action]:
    """What the one who asks may do with her next, the next step of the trial first."""
    here, who = f"/participants/{woman.identity}/", woman.identity
    steps: list[tuple[type[Command], str, str, bool]] = []
    left = woman.withdrawn or woman.screening_ended
    if not left and not woman.consented:
        steps.append((c.Consent, "consent", _("Record consent"), True))
    if not left and woman.consented and not woman.enrolled:
        eligible = bool(woman.determinations) and woman.determinations[-1].verdict == "eligible"
        steps.append((c.ConfirmEligibility, "confirm-eligibility", _("Confirm eligibility"), not eligible))
        if eligible:
            steps.append((c.Enrol, "enrol", _("Enrol"), True))
    if not left and woman.enrolled and woman.allocation is None:
        steps.append((c.Allocate, "allocate", _("Allocate"), True))
    gives = protocol.document.arms[woman.allocation.arm].gives if woman.allocation and woman.allocation.arm else ()
    if not left and any(_may_have(woman, name, protocol) for name in gives):
        steps.append((c.OrderUnit, "order-unit", _("Order a unit"), False))
    if woman.consented:
        steps.append((c.AddRecord, "add-record", _("Report an event"), False))
    if not left and not woman.enrolled:
        steps.append((c.EndScreening, "end-screening", _("End screening"), False))
    if not left and woman.enrolled:
        steps.append((c.Withdraw, "withdraw", _("Withdrawal"), False))
    found = []
    for command, order, says, first in steps:
        more = {"kind": ADVERSE_EVENT} if order == "add-record" else {}
        if allowed(request, command):
            found.append(Action(says, link_to(order, participant=who, back=here, **more), first))
    return found


def _courses(
    request: HttpRequest, protocol: Protocol, woman: Participant
) -> Iterator[tuple[str, list[tuple[str, str, int]], list[Action]]]:
    """Her courses of drugs: what was handed out and taken back, and what may be done about them."""
    here = f"/participants/{woman.identity}/"
    for name, intervention in protocol.document.interventions.items():
        for record in woman.records.get(intervention.record, {}) if intervention.doses else ():
            tablets = [
                (one.on, f"{one.drug} {one.strength}", one.count) for one in woman.tablets if one.record == record
            ]
            offers = [
                Action(says, link_to(order, participant=woman.identity, intervention=name, record=record, back=here))
                for order, says in (
                    ("dispense-drug", _("Hand out")),
                    ("return-drug", _("Take back")),
                    ("change-regimen", _("Change")),
                )
                if allowed(request, ORDERS[order].command) and not woman.withdrawn
            ]
            yield record, tablets, offers


def _may_have(woman: Participant, name: str, protocol: Protocol) -> bool:
    """Whether a product may still be ordered for her: as often as the protocol gives it."""
    intervention = protocol.document.interventions[name]
    given = sum(1 for one in woman.performed if one.payload.get("intervention") == name)
    return bool(intervention.product) and (not intervention.most or given < intervention.most)


def _facts(protocol: Protocol, woman: Participant) -> list[tuple[str, str]]:
    rows = [
        (_("Site"), f"{woman.site}, {written(protocol.document.sites[woman.site])}"),
        (_("Screened"), woman.screened),
    ]
    rows.append((_("Consent"), woman.consented or _("not recorded")))
    if woman.determinations:
        last = woman.determinations[-1]
        rows.append(
            (_("Eligibility"), _("%(verdict)s, confirmed %(day)s") % {"verdict": _(last.verdict), "day": last.on})
        )
    if woman.enrolled:
        rows.append((_("Enrolled"), _("%(day)s, number %(number)s") % {"day": woman.enrolled, "number": woman.number}))
    if woman.allocation is not None:
        arm = (
            label(protocol, woman.allocation.arm)
            if woman.allocation.arm
            else _("place %(place)s, sealed") % {"place": woman.allocation.position}
        )
        rows.append((_("Arm"), f"{arm}, {woman.allocation.on}"))
    if woman.withdrawn:
        rows.append((_("Withdrawn"), f"{woman.withdrawn}: {woman.withdrawal_reason}"))
    if woman.screening_ended:
        rows.append((_("Screening ended"), f"{woman.screening_ended}: {woman.screening_end_reason}"))
    return rows


def _events(woman: Participant) -> list[tuple[str, str, str]]:
    """Her adverse events: identity, day, and the term as it was entered last."""
    found = []
    for identity, events in woman.records.get(ADVERSE_EVENT, {}).items():
        told = [
            fields["term"]
            for one in events
            if isinstance(fields := one.payload.get("fields"), dict)
            if "term" in fields
        ]
        term = told[-1] if told else None
        found.append((identity, events[0].on, str(term.get("entered", "")) if isinstance(term, dict) else ""))
    return found


def _reached(protocol: Protocol, woman: Participant) -> list[tuple[str, PartialDate]]:
    names = [name for name, one in protocol.document.schedule.anchors.items() if not one.less]
    return [(name, reached) for name in names if (reached := anchor_date(protocol, woman, name)) is not None]


def _records(
    protocol: Protocol, woman: Participant
) -> list[tuple[str, str, list[tuple[str, str, list[tuple[str, str]]]]]]:
    """Her records by kind, adverse events aside."""
    return [
        (kind, label(protocol, kind), rows_of(protocol, woman, kind))
        for kind in woman.records
        if kind != ADVERSE_EVENT and woman.records[kind]
    ]
