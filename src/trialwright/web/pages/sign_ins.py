"""The log of sign-ins: who came in, was turned away or locked out, when, and from where."""

from __future__ import annotations

import csv
from typing import Any

from axes.models import AccessFailureLog, AccessLog
from django.core.paginator import Paginator
from django.db.models import Case, CharField, DateTimeField, F, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy

_PER_PAGE = 50
#: What became of an attempt, in words, and how that looks.
_WORDS = {
    "in": (gettext_lazy("signed in"), "good"),
    "failed": (gettext_lazy("turned away"), "open"),
    "locked": (gettext_lazy("locked out"), "bad"),
}
_COLUMNS = ("attempt_time", "username", "ip_address", "became", "until")


def sign_ins(request: HttpRequest) -> HttpResponse:
    """Page by page, newest first; a name narrows it."""
    wanted = request.GET.get("q", "").strip()
    page = Paginator(_rows(wanted), _PER_PAGE).get_page(request.GET.get("page"))
    rows = [(*row[:3], *_WORDS[row[3]], row[4]) for row in page]
    template = "web/sign_ins_rows.html" if request.htmx else "web/sign_ins.html"
    return render(request, template, {"page": page, "rows": rows, "wanted": wanted})


def sign_ins_csv(request: HttpRequest) -> HttpResponse:
    """The whole log as CSV, times in UTC."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="sign-ins.csv"'
    writer = csv.writer(response)
    writer.writerow(("time", "user", "address", "outcome", "signed out"))
    for at, user, address, became, until in _rows(request.GET.get("q", "").strip()):
        writer.writerow((_moment(at), _plain(user), address, _OUTCOMES[became], _moment(until)))
    return response


_OUTCOMES = {"in": "signed in", "failed": "turned away", "locked": "locked out"}


def _rows(name: str) -> Any:
    """Both tables of the lock as one, newest first."""
    locked = Case(When(locked_out=True, then=Value("locked")), default=Value("failed"), output_field=CharField())
    none = Value(None, output_field=DateTimeField())
    came = AccessLog.objects.annotate(became=Value("in", output_field=CharField()), until=F("logout_time"))
    failed = AccessFailureLog.objects.annotate(became=locked, until=none)
    came, failed = (one.filter(username__icontains=name) for one in (came, failed))
    both = came.values_list(*_COLUMNS).union(failed.values_list(*_COLUMNS), all=True)
    return both.order_by("-attempt_time")


def _moment(at: Any) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def _plain(text: str | None) -> str:
    """What somebody typed at the door, so that no spreadsheet takes it for a formula."""
    told = text or ""
    return f"'{told}" if told[:1] in ("=", "+", "-", "@", "\t", "\r") else told
