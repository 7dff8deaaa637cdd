"""Reports and exports: made on the day from the ledger, handed out by role, and logged."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from trialwright.ledger.chain import checkpoint
from trialwright.report.casebook import Case, casebook, foot_of, top_of
from trialwright.trial.state import Participant
from trialwright.web.exports import OFFERED, head_of, made, may_have, offered, pdf
from trialwright.web.guard import desk, hers
from trialwright.web.models import ExportLog
from trialwright.web.permissions import AUDITOR, DATA_MANAGER

_SHOWN = 50
_TYPES = {
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "json": "application/json",
}
#: A report brings its own style, and nothing of it may run or reach out.
_READING = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"


def reports(request: HttpRequest) -> HttpResponse:
    """What the one who asks may have; for auditors, who had what."""
    shown = request.acting.role in (AUDITOR, DATA_MANAGER)
    rows = offered(desk(), request.acting)
    context = {
        "whole": [(name, one) for name, one in rows if one.whole],
        "lists": [(name, one) for name, one in rows if not one.whole],
        "log": list(ExportLog.objects.order_by("-at")[:_SHOWN]) if shown else [],
        "logged": shown,
    }
    return render(request, "web/reports.html", context)


def export(request: HttpRequest, name: str) -> HttpResponse:
    """One export: handed out where it is there within a second, else its progress until it is."""
    if name not in OFFERED:
        raise Http404
    if not may_have(desk(), request.acting, name):
        return render(request, "web/forbidden.html", {"page": OFFERED[name].title}, status=403)
    job, one = made(desk(), request.acting, name), OFFERED[name]
    files = job.files()
    if request.method == "POST" and files is not None:
        return handed_out(request, one.title, one.file, files[one.file])
    context = {"name": name, "export": one, "job": job, "ready": files is not None}
    return render(request, "web/export_progress.html" if request.htmx else "web/export.html", context)


def print_casebook(request: HttpRequest, identity: str) -> HttpResponse:
    """Everything that is recorded of one participant, set in pages; a page where nothing sets it."""
    woman = hers(request, identity)
    if request.method != "POST":
        raise Http404
    case = _case(woman)
    html = casebook(case)
    if find_spec("plutoprint") is None:
        return handed_out(request, f"Casebook of {identity}", f"casebook-{identity}.html", html.encode())
    content = pdf(html, top_of(case), foot_of(case))
    return handed_out(request, f"Casebook of {identity}", f"casebook-{identity}.pdf", content)


def _case(woman: Participant) -> Case:
    found = desk()
    units = [one for one in found.trial().custody.units.values() if one.participant == woman.identity]
    return Case(
        found.ledger.header, checkpoint(found.ledger), found.protocol(woman.site), woman, found.visits(woman), units,
        found.events_of(woman.identity), str(found.today()),
    )  # fmt: skip


def handed_out(request: HttpRequest, what: object, file: str, content: bytes, token: str = "") -> HttpResponse:
    """The file, to keep or to read, with an entry in the log of what left the system."""
    log(request, what, file, content, token)
    kind = file.rpartition(".")[2]
    reads = "open" in request.POST and kind in ("html", "pdf", "json")
    response = HttpResponse(content, content_type=_TYPES[kind])
    response["Content-Disposition"] = f'{"inline" if reads else "attachment"}; filename="{file}"'
    if kind == "html":
        response["Content-Security-Policy"] = _READING
    return response


def log(request: HttpRequest, what: object, file: str, content: bytes, token: str) -> None:
    """Write down that a file left the system."""
    ExportLog.objects.create(
        username=request.user.username,
        role=request.acting.role,
        site=request.acting.site,
        what=str(what),
        file=file,
        head=head_of(desk()),
        digest=hashlib.sha256(content).hexdigest(),
        size=len(content),
        at=desk().now(),
        by_token=token,
    )
