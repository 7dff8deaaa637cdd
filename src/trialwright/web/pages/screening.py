"""Screening: every woman who came, where she stands, and the way in for the next one."""

from __future__ import annotations

from collections import Counter

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from trialwright.web.guard import allowed, desk
from trialwright.web.orders import ORDERS
from trialwright.web.pages.order import link_to

_PER_PAGE = 40


def screening(request: HttpRequest) -> HttpResponse:
    """The screening log of the sites that may be seen, newest first, with a search."""
    women = sorted(desk().summaries(request.acting.site), key=lambda one: (one.screened, one.identity), reverse=True)
    counts = Counter(one.tone for one in women)
    wanted, tone = request.GET.get("q", "").strip().lower(), request.GET.get("show", "")
    found = [one for one in women if wanted in one.identity.lower() and (not tone or one.tone == tone)]
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "wanted": wanted,
        "show": tone,
        "filters": [
            ("", "All", len(women)),
            ("open", "In screening", counts["open"]),
            ("good", "Eligible or in", counts["good"]),
            ("bad", "Ineligible", counts["bad"]),
            ("off", "Left", counts["off"]),
        ],
        "screen": link_to("screen", back="/screening") if allowed(request, ORDERS["screen"].command) else "",
        "target": desk().protocol(request.acting.site).document.design.enrolment,
        "enrolled": len(desk().trial().enrolled),
    }
    template = "web/screening_rows.html" if request.htmx else "web/screening.html"
    return render(request, template, context)
