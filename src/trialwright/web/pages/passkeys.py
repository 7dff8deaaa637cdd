"""One's own passkeys: added under a name, removed; and the challenge that a page asks for before each use."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from trialwright.core.finding import Finding, Refused, finding
from trialwright.trial.delegations import delegations_of
from trialwright.web import passkeys as keys
from trialwright.web import second_factor as factor
from trialwright.web.guard import desk
from trialwright.web.models import Passkey
from trialwright.web.pages.signing_in import half_signed_in
from trialwright.web.proof import asks_code, proven

_LONGEST = 60


def passkeys(request: HttpRequest) -> HttpResponse:
    """What there is, and a new one or one less; each asks for the password, and the code where there is one."""
    if settings.DEMO:
        raise Http404
    if not request.user.is_authenticated:
        return redirect("sign_in")
    if request.user.must_change:
        return redirect("password")
    doubted: list[Finding] = []
    if request.method == "POST":
        try:
            return _removed(request) if request.POST.get("what") == "remove" else _added(request)
        except Refused as refused:
            doubted = list(refused.findings)
    context = {
        "doubted": doubted,
        "mine": keys.passkeys_of(request.user),
        "code": asks_code(request),
        "here": keys.works_here(request),
        "name": request.POST.get("name", "")[:_LONGEST],
    }
    return render(request, "web/passkeys.html", context)


def passkey_challenge(request: HttpRequest) -> HttpResponse:
    """What the browser is asked, for the door, a signature or a new passkey; it counts once, in this session."""
    if request.method != "POST" or settings.DEMO or not keys.works_here(request):
        raise Http404
    purpose, signed_in = request.POST.get("purpose", ""), request.user.is_authenticated
    if purpose == keys.DOOR and (half := half_signed_in(request)) is not None:
        told = keys.asked_to_answer(request, half, keys.DOOR)
    elif purpose == keys.REGISTER and signed_in and not request.user.must_change:
        told = keys.asked_to_register(request, request.user)
    elif purpose == keys.SIGN and signed_in and keys.passkeys_of(request.user):
        told = keys.asked_to_answer(request, request.user, keys.of_form(request.POST.get("form", "")))
    else:
        raise Http404
    return HttpResponse(told, content_type="application/json")


def _added(request: HttpRequest) -> HttpResponse:
    name = request.POST.get("name", "").strip()[:_LONGEST]
    if not name:
        raise Refused(finding("web_field_empty", name=_("Name of the passkey")))
    if Passkey.objects.filter(account=request.user, name=name).exists():
        raise Refused(finding("web_passkey_named", name=name))
    proven(request)
    keys.register(request, request.user, name, request.POST.get("created", ""))
    messages.success(request, _("%(name)s is one of your passkeys now.") % {"name": name})
    return redirect("passkeys")


def _removed(request: HttpRequest) -> HttpResponse:
    found = Passkey.objects.filter(account=request.user, pk=_number(request.POST.get("passkey_id", ""))).first()
    if found is None:
        raise Http404
    proven(request)
    last = len(keys.passkeys_of(request.user)) == 1 and factor.factor_of(request.user) is None
    roles = [one.role for one in delegations_of(desk().trial(), request.user.username, desk().today())]
    if last and factor.asked_of(roles):
        raise Refused(finding("web_passkey_last"))
    found.delete()
    messages.success(request, _("%(name)s is removed.") % {"name": found.name})
    return redirect("passkeys")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0
