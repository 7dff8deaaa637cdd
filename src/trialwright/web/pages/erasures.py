"""Erasures: which were ordered, by whom and why, and which wait for the second person."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from trialwright.trial import commands as c
from trialwright.web.guard import allowed, desk, within
from trialwright.web.pages.order import link_to


def erasures(request: HttpRequest) -> HttpResponse:
    """Every erasure of the sites that may be seen, those that wait first."""
    trial = desk().trial()
    seen = [
        (one, each) for one, each in trial.erasures.items() if within(request, trial.sites.get(one)) and each.ordered
    ]
    confirms = allowed(request, c.ConfirmErasure)
    rows = [
        (
            participant,
            erasure,
            link_to("confirm-erasure", participant=participant, back="/people/erasures")
            if confirms and not erasure.confirmed and erasure.ordered_by != request.user.username
            else "",
        )
        for participant, erasure in sorted(seen, key=lambda one: (bool(one[1].confirmed), one[1].ordered))
    ]
    return render(request, "web/erasures.html", {"rows": rows})
