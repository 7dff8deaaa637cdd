"""Signing in and out, the first account, a new password, and whether the server is well."""

from __future__ import annotations

import hmac
import secrets
import time
import uuid
from urllib.parse import urlencode

from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.conf import settings
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from trialwright import __version__
from trialwright.trial import commands as c
from trialwright.trial.delegations import ADMINISTRATOR
from trialwright.trial.office import Sender
from trialwright.web import passkeys
from trialwright.web.desk import stamp
from trialwright.web.guard import desk
from trialwright.web.models import Account
from trialwright.web.second_factor import accepted, factor_of, has_one

#: What the one at the console reads there, and types once, to make the first account.
SET_UP_CODE = secrets.token_hex(4)

_HALF = "half signed in"  # in the session: who knows the password, and since when
_HALF_SECONDS = 300


def sign_in(request: HttpRequest) -> HttpResponse:
    """Name and password; in a demonstration also a button for each role."""
    if not Account.objects.exists():
        return redirect("set_up")
    wrong = False
    if request.method == "POST":
        name, password = request.POST.get("username", ""), request.POST.get("password", "")
        account = authenticate(request, username=name, password=password)
        if account is not None and has_one(account):
            request.session.cycle_key()
            request.session[_HALF] = {"account": account.pk, "at": int(time.time())}
            return redirect(f"{reverse('sign_in_code')}?{urlencode({'next': _next(request)})}")
        if account is not None:
            login(request, account)
            return redirect(_next(request))
        wrong = True
    context = {"wrong": wrong, "next": _next(request), "demonstration": _demonstration() if settings.DEMO else []}
    return render(request, "web/sign_in.html", context, status=401 if wrong else 200)


def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The code or the passkey, after name and password, where the account has a second factor."""
    account = half_signed_in(request)
    if account is None:
        return redirect("sign_in")
    wrong = False
    if request.method == "POST":
        name = {"username": account.username}
        if not AxesProxyHandler.is_allowed(request, name):
            request.axes_locked_out, request.axes_credentials = True, name  # its middleware answers that it is locked
        elif _second(request, account):
            login(request, account, backend="trialwright.web.always_asked.Accounts")
            request.session.pop(_HALF, None)
            return redirect(_next(request))
        wrong = True
    context = {
        "wrong": wrong,
        "next": _next(request),
        "code": factor_of(account) is not None,
        "passkey": bool(passkeys.passkeys_of(account)),
        "here": passkeys.works_here(request),
    }
    return render(request, "web/sign_in_code.html", context, status=401 if wrong else 200)


def half_signed_in(request: HttpRequest) -> Account | None:
    """Who has typed name and password a moment ago, and owes the second factor."""
    half = request.session.get(_HALF) or {}
    account: Account | None = Account.objects.filter(pk=half.get("account"), is_active=True).first()
    return account if account is not None and time.time() - half["at"] <= _HALF_SECONDS else None


def _second(request: HttpRequest, account: Account) -> bool:
    told = request.POST.get("passkey", "")
    if told:
        return passkeys.accepted(request, account, passkeys.DOOR, told)
    return bool(accepted(request, account, request.POST.get("code", "")))


def sign_in_as(request: HttpRequest) -> HttpResponse:
    """One click into a role of the demonstration; elsewhere there is no such page."""
    account = Account.objects.filter(username=request.POST.get("username", "")).first()
    if not settings.DEMO or request.method != "POST" or account is None:
        raise Http404
    login(request, account, backend="trialwright.web.always_asked.Accounts")
    return redirect("today")


def sign_out(request: HttpRequest) -> HttpResponse:
    """The end of a session."""
    if request.method == "POST":
        logout(request)
    return redirect("sign_in")


def stay(request: HttpRequest) -> HttpResponse:
    """Nothing but that somebody is still there: each request lets the session last for its whole time again."""
    return HttpResponse(status=204 if request.user.is_authenticated else 401)


def password(request: HttpRequest) -> HttpResponse:
    """A new password, chosen by the one who will use it."""
    if not request.user.is_authenticated:
        return redirect("sign_in")
    kind = SetPasswordForm if request.user.must_change else PasswordChangeForm  # the first one was used a moment ago
    form = kind(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        request.user.must_change = False
        request.user.save()
        update_session_auth_hash(request, request.user)
        return redirect("today")
    return render(request, "web/password.html", {"form": form})


class SetUp(forms.Form):
    """The first account: an administrator, who then makes the others."""

    code = forms.CharField(label=_("Code from the console"))
    username = forms.CharField(label=_("User name"), max_length=150)
    name = forms.CharField(label=_("Full name"), max_length=150)
    password = forms.CharField(label=_("Password"), widget=forms.PasswordInput, help_text=_("At least 12 characters"))

    def clean_code(self) -> str:
        """Only who sees the console of the server knows the code."""
        if not hmac.compare_digest(str(self.cleaned_data["code"]).strip(), SET_UP_CODE):
            raise ValidationError(_("This is not the code that the server printed when it started."))
        return str(self.cleaned_data["code"])

    def clean_password(self) -> str:
        """A password that is not too easy."""
        validate_password(self.cleaned_data["password"])
        return str(self.cleaned_data["password"])


def set_up(request: HttpRequest) -> HttpResponse:
    """Make the first account, once."""
    if Account.objects.exists():
        return redirect("sign_in")
    form = SetUp(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        begins = str(desk().today())
        order = c.Delegate(told["username"], ADMINISTRATOR, begins, "set up the system", begins)
        desk().submit(
            {"Delegate": order}, Sender(told["username"], ADMINISTRATOR, stamp(desk().now())), str(uuid.uuid4())
        )
        Account.objects.create_user(told["username"], password=told["password"], first_name=told["name"])
        return redirect("sign_in")
    return render(request, "web/set_up.html", {"form": form})


def health(_request: HttpRequest) -> HttpResponse:
    """Whether ledger and accounts can be read, for whoever watches the server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse(
        {"ok": True, "version": __version__, "events": desk().ledger.last(), "kind": desk().ledger.header.kind}
    )


def _next(request: HttpRequest) -> str:
    where = str(request.POST.get("next") or request.GET.get("next") or "/")
    return where if url_has_allowed_host_and_scheme(where, {request.get_host()}) else "/"


def _demonstration() -> list[tuple[str, str]]:
    """The accounts of the demonstration with what to call them: the second investigator is `investigator 2`."""
    return [(one.username, one.first_name.removeprefix("Virtual ")) for one in Account.objects.order_by("id")]
