"""Tokens of the API: made by their owner, seen once, and taken back by her or by the administrator; and its paths."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from trialwright.core.finding import Finding, Refused, finding
from trialwright.trial.delegations import ADMINISTRATOR
from trialwright.web.api.tokens import LONGEST, make
from trialwright.web.guard import desk
from trialwright.web.models import Token
from trialwright.web.proof import asked_again, asks_code, proven

_USUAL = timedelta(days=90)


def tokens(request: HttpRequest) -> HttpResponse:
    """One's own tokens, and everybody's for the administrator; a new one is shown here once."""
    fresh, wrong = "", []
    if request.method == "POST":
        try:
            fresh = _made(request)
        except Refused as refused:
            wrong = list(refused.findings)
    everybody = request.acting.role == ADMINISTRATOR
    rows = Token.objects.select_related("account").order_by("account__username", "-made")
    if not everybody:
        rows = rows.filter(account=request.user)
    today, known = desk().today(), desk().trial().delegations
    context = {
        "rows": [(one, known.get(one.delegation), not one.revoked and one.expires >= today) for one in rows],
        "fresh": fresh,
        "wrong": wrong,
        "told": request.POST if wrong else {"expires": str(today + _USUAL)},
        "latest": str(today + LONGEST),
        "everybody": everybody,
        "password": asked_again(),
        "code": asks_code(request),
    }
    return render(request, "web/tokens.html", context)


def token_revoke(request: HttpRequest) -> HttpResponse:
    """Take a token back, for good: its owner or the administrator."""
    number = request.POST.get("token", "")
    token = Token.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 16 else None
    mine = token is not None and (token.account_id == request.user.pk or request.acting.role == ADMINISTRATOR)
    if request.method != "POST" or token is None or not mine:
        raise Http404
    if not token.revoked:
        token.revoked, token.revoked_by = desk().now(), request.user.username
        token.save()
    messages.success(request, _("%(name)s no longer counts.") % {"name": token.name})
    return redirect("tokens")


def api_paths(request: HttpRequest) -> HttpResponse:
    """Every path of the API, from its own description."""
    from trialwright.web.api.urls import api  # after the pages: it stands on them

    schema: Any = api.get_openapi_schema()
    found = []
    for path, methods in schema["paths"].items():
        for method, one in methods.items():
            body = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            name = body.get("$ref", "").rpartition("/")[2]
            fields = schema["components"]["schemas"].get(name, {})
            needed = set(fields.get("required", ()))
            found.append({
                "path": path, "method": method.upper(), "summary": one.get("summary", "").replace("`", ""),
                "about": one.get("description", ""), "tag": (one.get("tags") or [""])[0],
                "parameters": one.get("parameters", []), "answers": sorted(one["responses"], key=str),
                "fields": [(key, _kind(told), key in needed) for key, told in fields.get("properties", {}).items()],
            })  # fmt: skip
    return render(request, "web/api.html", {"paths": found, "about": schema["info"]["description"].replace("`", "")})


def _kind(told: dict[str, Any]) -> str:
    """The type of a field in a word or two."""
    if "anyOf" in told:
        return " or ".join(_kind(one) for one in told["anyOf"])
    kind = str(told.get("type", "any"))
    return {"object": "texts by name", "array": "list of texts", "null": "nothing", "string": "text"}.get(kind, kind)


def _made(request: HttpRequest) -> str:
    """A new token, once the one who asks is known again."""
    told = request.POST
    wrong: list[Finding] = []
    name = told.get("name", "").strip()[:100]
    if not name:
        wrong.append(finding("web_field_empty", name=_("Name")))
    mine = {one.identity for one in request.delegations}
    delegation = told.get("delegation", "")
    if delegation not in mine:
        raise Http404
    today = desk().today()
    try:
        expires = date.fromisoformat(told.get("expires", ""))
    except ValueError:
        expires = today
    if not today < expires <= today + LONGEST:
        wrong.append(finding("api_token_expiry", latest=today + LONGEST))
    if wrong:
        raise Refused(*wrong)
    proven(request)
    return make(request.user, name, delegation, told.get("scope") == "write", expires)
