"""Safety: events that are or may be serious with their clocks, alerts with their reviews, and the way to report one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from trialwright.report.board_questions import boundary_told
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.clocks import Due
from trialwright.trial.signatures import Signature
from trialwright.views.serious_events import SeriousEvent
from trialwright.web.boundary import boundary_now, boundary_svg, may_see
from trialwright.web.guard import allowed, desk, within
from trialwright.web.lines import refresh, summary, works
from trialwright.web.pages.order import link_to
from trialwright.web.summary import RUNNING

_PER_PAGE = 25


def safety(request: HttpRequest) -> HttpResponse:
    """Alerts, and events that are or may be serious, those with clocks that run first."""
    progress, trial, now = refresh(desk()), desk().trial(), desk().now()
    page = Paginator(works(request.acting.site, "events"), _PER_PAGE).get_page(request.GET.get("page"))
    rows = [summary(work.line).filed[work.place] for work in page]
    sends = request.acting.role if allowed(request, c.SendReport) else ""
    shown = [
        (row, [(_now(due, now), _sent(row, due, sends)) for due in row.due if due.standing != "does not apply"])
        for row in rows
    ]
    signed = _signed_reviews()
    alerts = [
        (
            one,
            link_to("review-trigger", alert=one.identity, back="/safety")
            if allowed(request, c.ReviewTrigger) and not one.decision
            else "",
            signed.get(one.identity, []),
        )
        for one in reversed(trial.alerts.values())
        if not one.participant or within(request, trial.sites.get(one.participant))
    ]
    may_report = allowed(request, c.AddRecord)
    told = boundary_now(desk()) if may_see(desk(), request.acting.role) else None
    context = {
        "boundary": told,
        "boundary_told": boundary_told(told) if told else "",
        "rows": shown,
        "page": page,
        "progress": progress,
        "alerts": alerts,
        "may_report": may_report,
        "may_complete": allowed(request, c.CompleteRecord),
    }
    return render(request, "web/safety.html", context)


def boundary(request: HttpRequest) -> HttpResponse:
    """The drawing of the boundary."""
    drawn = boundary_svg(desk()) if may_see(desk(), request.acting.role) else ""
    if not drawn:
        raise Http404
    return HttpResponse(drawn, content_type="image/svg+xml")


def _now(due: Due, now: datetime) -> Due:
    """The clock with what is left of its time now."""
    return replace(due, left=due.due - now) if due.due and due.left is not None else due


def _signed_reviews() -> dict[str, list[Signature]]:
    """The signatures under the reviews of each alert."""
    alert_of = {
        event.seq: str(event.payload.get("alert"))
        for event in desk().ledger.events(stream=e.TRIAL, types=[e.TRIGGER_REVIEWED])
    }
    found: dict[str, list[Signature]] = {}
    for one in desk().signatures_on(e.TRIAL) if alert_of else ():
        for alert in {alert_of[seq] for seq in one.signed if seq in alert_of}:
            found.setdefault(alert, []).append(one)
    return found


def _sent(row: SeriousEvent, due: Due, role: str) -> str:
    """Where a report is recorded as sent, for the one whose duty it is."""
    duty = "sponsor" if "sponsor" in due.who.lower() else "investigator"
    if role != duty or due.sent_at or due.standing not in RUNNING:
        return ""
    return link_to(
        "send-report",
        participant=row.participant,
        kind=row.kind,
        record=row.record,
        rule=due.rule,
        to=due.to_whom,
        back="/safety",
    )
