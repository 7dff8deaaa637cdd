"""One's own second factor: begun with a QR code, confirmed with a first code; recovery codes are shown once."""

from __future__ import annotations

import pyotp
import segno
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from trialwright.core.finding import Finding, Refused, finding
from trialwright.trial.delegations import ROLES, delegations_of
from trialwright.web import second_factor as factor
from trialwright.web.guard import desk
from trialwright.web.models import FactorRequired
from trialwright.web.passkeys import passkeys_of, works_here
from trialwright.web.proof import password_proven, proven

_SECRET = "second factor"  # in the session, until its first code was right


def second_factor(request: HttpRequest) -> HttpResponse:
    """Begin it, have new recovery codes, or give it up; each asks who it is."""
    if settings.DEMO:
        raise Http404
    if not request.user.is_authenticated:
        return redirect("sign_in")
    if request.user.must_change:
        return redirect("password")
    mine = factor.factor_of(request.user)
    roles = [one.role for one in delegations_of(desk().trial(), request.user.username, desk().today())]
    asked = factor.asked_of(roles) and not passkeys_of(request.user)
    doubted: list[Finding] = []
    codes: list[str] = []
    if request.method == "POST":
        try:
            if mine is None:
                codes = _begin(request)
            else:
                proven(request)
                mine.refresh_from_db()  # its last step, or its recovery codes, have just changed
                if request.POST.get("what") == "remove" and not asked:
                    mine.delete()
                    messages.success(request, _("Your second factor is removed."))
                    return redirect("second_factor")
                codes = factor.renew(mine)
        except Refused as refused:
            doubted = list(refused.findings)
    context = {
        "doubted": doubted,
        "codes": codes,
        "mine": mine,
        "asked": asked,
        "passkeys": works_here(request),
        "left": len(mine.recovery) if mine else 0,
    }
    if mine is None and not codes and request.user.is_authenticated:
        context |= _to_scan(request)
    return render(request, "web/second_factor.html", context)


def factor_roles(request: HttpRequest) -> HttpResponse:
    """The roles that may not act without a second factor, as the administrator chooses them."""
    if request.method != "POST":
        raise Http404
    chosen = [role for role in ROLES if role in request.POST.getlist("role")]
    FactorRequired.objects.exclude(role__in=chosen).delete()
    for role in chosen:
        FactorRequired.objects.get_or_create(role=role)
    messages.success(
        request, _("A second factor is asked of: %(roles)s.") % {"roles": ", ".join(map(_, chosen)) or _("nobody")}
    )
    return redirect("people")


def _begin(request: HttpRequest) -> list[str]:
    secret = str(request.session.get(_SECRET, ""))
    password_proven(request)
    step = factor.matching_step(secret, request.POST.get("code", "")) if secret else None
    if step is None:
        raise Refused(finding("web_code_wrong"))
    codes = factor.begin(request.user, secret, step)
    del request.session[_SECRET]
    return codes


def _to_scan(request: HttpRequest) -> dict[str, str]:
    secret = request.session.get(_SECRET) or pyotp.random_base32()
    request.session[_SECRET] = secret
    told = factor.address(secret, request.user.username, desk().ledger.header.trial)
    picture = segno.make(told, error="m").svg_inline(scale=5, border=4, title=_("QR code for an authenticator"))
    spaced = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    return {"picture": mark_safe(picture), "secret": spaced}
