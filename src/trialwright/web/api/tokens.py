"""Tokens: made by their owner for one of her delegations, shown once, kept as a hash, known again on each request."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import defaultdict
from datetime import date, timedelta

from axes.models import AccessFailureLog
from django.http import HttpRequest

from trialwright.trial.delegations import delegations_of
from trialwright.web.guard import desk
from trialwright.web.models import Account, Token
from trialwright.web.second_factor import owed

#: The longest that a token may live.
LONGEST = timedelta(days=365)
#: Wrong tokens from one address after which it is shut out, and for how many seconds.
ATTEMPTS, SHUT_OUT = 20, 900
#: How exactly it is noted when a token was used last: a write per request would cost more than the request.
_NOTED = timedelta(minutes=1)
_MARK = "tw_"


class ShutOut(Exception):
    """Too many wrong tokens came from this address."""


class Wrong:
    """The wrong tokens of the last minutes, by address."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = defaultdict(list)
        self._lock = threading.Lock()

    def count(self, address: str, now: float, one_more: bool = False) -> int:
        """How many came from an address, with this one where it was wrong."""
        with self._lock:
            recent = [at for at in self._times.pop(address, []) if now - at < SHUT_OUT]
            recent += [now] if one_more else []
            if recent:
                self._times[address] = recent
            return len(recent)

    def forget(self) -> None:
        """Let every address in again."""
        with self._lock:
            self._times.clear()


WRONG = Wrong()


def make(account: Account, name: str, delegation: str, writes: bool, expires: date) -> str:
    """A new token; what is returned is seen by nobody again."""
    secret = _MARK + secrets.token_urlsafe(32)
    Token.objects.create(
        account=account,
        name=name,
        digest=digest(secret),
        begins_with=secret[:8],
        delegation=delegation,
        writes=writes,
        made=desk().now(),
        expires=expires,
    )
    return secret


def digest(secret: str) -> str:
    """How a token is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def known(request: HttpRequest, secret: str) -> Token | None:
    """The token of a request, with who acts under which delegation put into it; None where it does not count.

    `ShutOut` where too many wrong ones came from its address.
    """
    address, now = str(request.META.get("REMOTE_ADDR", "")), time.monotonic()
    if WRONG.count(address, now) >= ATTEMPTS:
        raise ShutOut
    token: Token | None = Token.objects.select_related("account").filter(digest=digest(secret)).first()
    acting = _acting(token) if token else None
    if token is None or acting is None:
        WRONG.count(address, now, one_more=True)
        AccessFailureLog.objects.create(
            username=f"API, {token.name} of {token.account.username}" if token else "API, no such token",
            ip_address=address or None,
            user_agent=str(request.META.get("HTTP_USER_AGENT", ""))[:255],
            path_info=request.path[:255],
            locked_out=WRONG.count(address, now) >= ATTEMPTS,
        )
        return None
    if token.used is None or abs(desk().now() - token.used) > _NOTED:
        Token.objects.filter(pk=token.pk).update(used=desk().now())
    request.user, request.acting, request.token = token.account, acting, token
    return token


def _acting(token: Token) -> object | None:
    """The delegation that a token acts under, where token, account and delegation all still hold."""
    account, today = token.account, desk().today()
    if token.revoked or token.expires < today or not account.is_active or account.must_change:
        return None
    mine = list(delegations_of(desk().trial(), account.username, today))
    if owed(account, [one.role for one in mine]):
        return None
    return next((one for one in mine if one.identity == token.delegation), None)
