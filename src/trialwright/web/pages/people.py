"""People: the delegation log, accounts, and who signed in when."""

from __future__ import annotations

import secrets

from axes.models import AccessFailureLog, AccessLog
from axes.utils import reset
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from trialwright.trial import commands as c
from trialwright.trial.delegations import ADMINISTRATOR, ROLES, delegations_of
from trialwright.web.always_asked import factor_roles
from trialwright.web.guard import allowed, desk
from trialwright.web.models import Account, Passkey, SecondFactor
from trialwright.web.pages.order import link_to

_SHOWN = 30


def people(request: HttpRequest) -> HttpResponse:
    """Everybody with what is delegated to them; accounts and sign-ins for administrators and auditors."""
    trial, today = desk().trial(), desk().today()
    site, manages = request.acting.site, request.acting.role == ADMINISTRATOR
    active = {
        one.identity
        for name in {d.user for d in trial.delegations.values()}
        for one in delegations_of(trial, name, today)
    }
    ends = allowed(request, c.EndDelegation)
    log = [
        (
            one,
            one.identity in active,
            link_to("end-delegation", delegation=one.identity, back="/people")
            if ends and one.identity in active and site in ("", one.site)
            else "",
        )
        for one in trial.delegations.values()
        if not site or one.site in ("", site)
    ]
    sees = request.acting.role in (ADMINISTRATOR, "auditor")
    accounts = Account.objects.select_related("secondfactor").prefetch_related("passkey_set")
    context = {
        "log": log,
        "delegate": link_to("delegate", back="/people") if allowed(request, c.Delegate) else "",
        "accounts": list(accounts.order_by("username")) if manages else [],
        "roles": ROLES if manages and not settings.DEMO else (),
        "factor_roles": factor_roles() if manages else frozenset(),
        "manages": manages,
        "signed_in": list(AccessLog.objects.order_by("-attempt_time")[:_SHOWN]) if sees else [],
        "failed": list(AccessFailureLog.objects.order_by("-attempt_time")[:_SHOWN]) if sees else [],
        "sees": sees,
    }
    return render(request, "web/people.html", context)


def account_new(request: HttpRequest) -> HttpResponse:
    """A new account with a password that is shown once and must be changed at the first sign-in."""
    if request.method != "POST":
        raise Http404
    name, full = request.POST.get("username", "").strip(), request.POST.get("name", "").strip()
    if Account.objects.filter(username=name).exists():
        messages.error(request, _("%(name)s is taken; a user name is never given twice.") % {"name": name})
        return redirect("people")
    try:
        Account.username_validator(name)
    except ValidationError:
        full = ""
    if not full:
        messages.error(request, _("A user name has letters, digits and @ . + - _; the full name is not empty."))
        return redirect("people")
    password = secrets.token_urlsafe(12)
    Account.objects.create_user(name, password=password, first_name=full, must_change=True)
    says = _("%(name)s can sign in once with %(password)s, and is then asked for another password.")
    messages.success(request, says % {"name": name, "password": password})
    return redirect("people")


def account_reset(request: HttpRequest) -> HttpResponse:
    """Lock an account out, let it in again, or give it a new first password."""
    account = Account.objects.filter(username=request.POST.get("username", "")).first()
    if request.method != "POST" or account is None:
        raise Http404
    match request.POST.get("what"):
        case "close":
            account.is_active = False
            messages.success(
                request, _("%(name)s can no longer sign in. What was signed stands.") % {"name": account.username}
            )
        case "open":
            account.is_active = True
            reset(username=account.username)
            messages.success(request, _("%(name)s can sign in again.") % {"name": account.username})
        case "factor":
            SecondFactor.objects.filter(account=account).delete()
            Passkey.objects.filter(account=account).delete()
            messages.success(request, _("%(name)s has no second factor any more.") % {"name": account.username})
        case _:
            password = secrets.token_urlsafe(12)
            account.set_password(password)
            account.must_change = True
            reset(username=account.username)
            says = _("%(name)s can sign in once with %(password)s.")
            messages.success(request, says % {"name": account.username, "password": password})
    account.save()
    return redirect("people")
