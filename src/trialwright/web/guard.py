"""The guard before every page: who is signed in, in which delegated role, and whether that role may open it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeAlias

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse

from trialwright import __version__
from trialwright.core.finding import Finding, Refused, finding
from trialwright.ledger.vault import Vault, Visitor
from trialwright.trial.commands import Command
from trialwright.trial.delegations import delegations_of
from trialwright.trial.office import Sender
from trialwright.trial.state import Delegation, Participant
from trialwright.web.desk import Desk, stamp
from trialwright.web.permissions import may_do, may_open
from trialwright.web.second_factor import owed

View: TypeAlias = Callable[..., HttpResponse]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_AWAKE, _NOTED = "awake", 60  # in the session: when somebody was seen last, and after how many seconds it is noted
_CHOSEN = "delegation"  # which of her delegations somebody acts under, in her session


def desk() -> Desk:
    """The desk of this process."""
    found: Desk = settings.DESK
    return found


def vault() -> Vault:
    """The vault of this process."""
    found: Vault = settings.VAULT
    return found


def guarded(page: str, view: View) -> View:
    """The view, for those whose role may open the page."""

    @wraps(view)
    def looking(request: HttpRequest, *parts: Any, **named: Any) -> HttpResponse:
        with desk().looking():
            return inner(request, *parts, **named)

    def inner(request: HttpRequest, *parts: Any, **named: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _sign_in(request)
        if request.user.must_change:
            return redirect("password")
        request.delegations = list(delegations_of(desk().trial(), request.user.username, desk().today()))
        if not request.delegations:
            return render(request, "web/no_role.html", status=403)
        if owed(request.user, [one.role for one in request.delegations]):
            return redirect("second_factor")
        chosen = request.session.get(_CHOSEN)
        request.acting = next((one for one in request.delegations if one.identity == chosen), request.delegations[0])
        if not may_open(request.acting.role, page):
            return render(request, "web/forbidden.html", {"page": page}, status=403)
        answer: HttpResponse = view(request, *parts, **named)
        return answer

    return looking


def choose(request: HttpRequest, delegation: str) -> None:
    """Act under another one of one's own delegations from now on."""
    if delegation not in {one.identity for one in request.delegations}:
        raise Http404
    request.session[_CHOSEN] = delegation


def sender(request: HttpRequest) -> Sender:
    """Who submits: the one who is signed in, in the role she acts in, now."""
    return Sender(request.user.username, request.acting.role, stamp(desk().now()))


def visitor(request: HttpRequest) -> Visitor:
    """Who comes to the vault: the one who is signed in, in the role she acts in, now."""
    by = sender(request)
    return Visitor(by.user, by.role, by.at)


def name_of(request: HttpRequest) -> str:
    """The name of the one who asks, as it is printed with what she signs."""
    return str(request.user.first_name or request.user.username)


def allowed(request: HttpRequest, command: type[Command]) -> bool:
    """Whether the one who asks may submit a command."""
    return may_do(request.acting.role, command)


def forbidden(request: HttpRequest, commands: Iterable[Command]) -> list[Finding]:
    """What refuses the first of these commands that the role of whoever asks may not give; nothing where all may be."""
    for one in commands:
        if not allowed(request, type(one)):
            by = sender(request)
            what, needed = type(one).__name__, "another role"
            return [finding("role_wrong", what=what, needed=needed, user=by.user, role=by.role)]
    return []


def seen(woman: Participant, told: Mapping[str, str]) -> int:
    """The last event of hers that whoever sends a form had before her; where the form does not say, the last one."""
    text = told.get("seen", "")
    return int(text) if text.isdecimal() else woman.last


def hers(request: HttpRequest, identity: str) -> Participant:
    """A participant at the site of the one who asks; of another site nothing is said, not even that she exists."""
    participant = desk().participant(identity) if within(request, desk().trial().sites.get(identity)) else None
    if participant is None:
        raise Http404
    return participant


def within(request: HttpRequest, site: str | None) -> bool:
    """Whether something of a site may be seen by the one who asks."""
    acting: Delegation = request.acting
    return site is not None and acting.site in ("", site)


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """What every page shows: who acts as what, the trial, the day, and that it is virtual where it is."""
    found = desk()
    acting = getattr(request, "acting", None)
    return {
        "acting": acting,
        "delegations": getattr(request, "delegations", []),
        "may": {page: may_open(acting.role, page) for page in _NAVIGATION} if acting else {},
        "virtual": found.virtual,
        "demo": settings.DEMO,
        "trial_name": found.ledger.header.trial,
        "title": found.protocol().document.title,
        "now": found.local(),
        "zone": found.protocol().document.zone,
        "version": __version__,
        "idle_minutes": settings.SESSION_COOKIE_AGE // 60,
    }


_NAVIGATION = (
    "today",
    "screening",
    "laboratory",
    "import",
    "product",
    "safety",
    "people",
    "trial",
    "reports",
    "print_casebook",
    "audit",
    "visit_check",
    "participant",
    "queries",
    "casebooks",
    "find",
)


def awake(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A session of somebody who works goes on: noted at most once a minute, which ends it at most a minute early."""

    def inner(request: HttpRequest) -> HttpResponse:
        if SESSION_KEY in request.session and time.time() - request.session.get(_AWAKE, 0) > _NOTED:
            request.session[_AWAKE] = int(time.time())
        return get_response(request)

    return inner


def broken(request: HttpRequest) -> HttpResponse:
    """What is said where a page cannot be made: the database is away, or the fault is ours. Nothing is read for it."""
    wrong = sys.exc_info()[1]
    away: list[Finding] = []
    if isinstance(wrong, Refused) and all(one.code.startswith("ledger_") for one in wrong.findings):
        away = list(wrong.findings)
    elif isinstance(wrong, DatabaseError | InterfaceError):
        away = [finding("web_accounts_away", why=str(wrong).partition("\n")[0])]
    answer = render_to_string("web/broken.html", {"away": away, "again": request.method in ("GET", "HEAD")})
    return HttpResponse(answer, status=503 if away else 500, headers={"Retry-After": "5"} if away else {})


def headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Security headers on every answer; pages are not kept by browsers or proxies."""

    def inner(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response["X-Frame-Options"] = "DENY"
        response["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        if not request.path.startswith(settings.STATIC_URL):
            response["Cache-Control"] = "no-store"
        return response

    return inner


def _sign_in(request: HttpRequest) -> HttpResponse:
    where = f"{reverse('sign_in')}?next={request.path}"
    if request.htmx:  # a part of a page cannot show a form to sign in: the whole page goes there
        response = HttpResponse(status=401)
        response["HX-Redirect"] = reverse("sign_in")
        return response
    return redirect(where)
