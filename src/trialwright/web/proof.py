"""Who somebody is, asked again: the password, with the code where there is one, or a passkey; wrong ones count."""

from __future__ import annotations

from axes.handlers.proxy import AxesProxyHandler
from axes.utils import reset
from django.conf import settings
from django.contrib.auth import authenticate, logout
from django.http import HttpRequest, QueryDict

from trialwright.core.finding import Refused, finding
from trialwright.web import passkeys, second_factor

#: How a signature says that the person was known.
PASSWORD, DEMONSTRATION = "password", "nothing: a demonstration"


def asked_again() -> bool:
    """Whether a signature asks for the password: the people of a demonstration have none."""
    return not settings.DEMO


def asks_code(request: HttpRequest) -> bool:
    """Whether it asks for a code too."""
    return asked_again() and second_factor.factor_of(request.user) is not None


def proven(request: HttpRequest) -> str:
    """How the one who asks was known again; `Refused` where she was not.

    What is wrong counts as it does at the door; what locks the account ends the session too.
    """
    if not asked_again():
        return DEMONSTRATION
    if request.POST.get("passkey"):
        return _by_passkey(request)
    account, code = request.user, request.POST.get("code", "")
    password_proven(request)
    method = PASSWORD
    if second_factor.factor_of(account) is not None:
        told, request.POST = request.POST, QueryDict()
        try:
            known_by = second_factor.accepted(request, account, code)
        finally:
            request.POST = told
        if not known_by:
            _out_where_locked(request)
            raise Refused(finding("web_code_wrong"))
        method = f"{PASSWORD} and {known_by}"
    reset(username=account.username)
    return method


def asks_passkey(request: HttpRequest) -> bool:
    """Whether a signature may be made with a passkey instead."""
    return asked_again() and passkeys.works_here(request) and bool(passkeys.passkeys_of(request.user))


def _by_passkey(request: HttpRequest) -> str:
    """A passkey alone is two things: the device, and the PIN or the finger that it asked for."""
    account, told = request.user, request.POST
    name, purpose = {"username": account.username}, passkeys.of_form(told.get("form", ""))
    request.POST = QueryDict()
    try:
        request.axes_locked_out = not AxesProxyHandler.is_allowed(request, name)
        known = not request.axes_locked_out and passkeys.accepted(request, account, purpose, told["passkey"])
    finally:
        request.POST = told
    if not known:
        _out_where_locked(request)
        raise Refused(finding("web_passkey_wrong"))
    reset(username=account.username)
    return passkeys.PASSKEY


def password_proven(request: HttpRequest) -> None:
    """Refuse whoever does not know the password of the one who is signed in."""
    name, told = request.user.username, request.POST
    request.POST = QueryDict()  # the log of wrong passwords keeps what was posted: nothing of a trial belongs there
    try:
        account = authenticate(request, username=name, password=told.get("password", ""))
    finally:
        request.POST = told
    if account is None or account.pk != request.user.pk:
        _out_where_locked(request)
        raise Refused(finding("web_password_wrong", user=name))


def _out_where_locked(request: HttpRequest) -> None:
    if getattr(request, "axes_locked_out", False):
        logout(request)
