"""Screening: every woman who came, where she stands, and the way in for the next one."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from trialwright.web.guard import allowed, desk
from trialwright.web.lines import lines, refresh, summary
from trialwright.web.orders import ORDERS
from trialwright.web.pages.order import link_to

_PER_PAGE = 40
_TONES = {"open": _("In screening"), "good": _("Eligible or in"), "bad": _("Ineligible"), "off": _("Left")}


def screening(request: HttpRequest) -> HttpResponse:
    """The screening log of the sites that may be seen, newest first, with a search."""
    progress, women = refresh(desk()), lines(request.acting.site)
    counts = dict(women.order_by().values_list("tone").annotate(number=Count("id")))
    wanted, tone = request.GET.get("q", "").strip(), request.GET.get("show", "")
    found = women.filter(identity__icontains=wanted) if wanted else women
    page = Paginator(found.filter(tone=tone) if tone else found, _PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = [summary(line) for line in page.object_list]
    context = {
        "page": page,
        "wanted": wanted,
        "show": tone,
        "filters": [
            ("", _("All"), sum(counts.values())),
            *((name, says, counts.get(name, 0)) for name, says in _TONES.items()),
        ],
        "screen": link_to("screen", back="/screening") if allowed(request, ORDERS["screen"].command) else "",
        "target": desk().protocol(request.acting.site).document.design.enrolment,
        "enrolled": len(desk().trial().enrolled),
        "progress": progress,
    }
    template = "web/screening_rows.html" if request.htmx else "web/screening.html"
    return render(request, template, context)
