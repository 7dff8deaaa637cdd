"""The second factor beside passkeys: a code of thirty seconds (TOTP, RFC 6238), or a recovery code, once each."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable

import pyotp
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.http import HttpRequest

from trialwright.web.always_asked import factor_roles
from trialwright.web.models import Account, Passkey, SecondFactor

CODE, RECOVERY = "code", "recovery code"
#: How many recovery codes are given at once.
RECOVERY_CODES = 8
#: Steps before and after this one whose code is taken too: clocks of telephones are not exact.
_DRIFT = 1
_SECONDS = 30


def step_now() -> int:
    """The number of the thirty seconds that run; by the machine's clock, also in a demonstration."""
    return int(time.time()) // _SECONDS


def factor_of(account: Account) -> SecondFactor | None:
    """The second factor of an account, or None where it has none."""
    found: SecondFactor | None = SecondFactor.objects.filter(account_id=account.pk).first()
    return found


def has_one(account: Account) -> bool:
    """Whether an account has a second factor: codes, or a passkey."""
    return factor_of(account) is not None or Passkey.objects.filter(account_id=account.pk).exists()


def asked_of(roles: Iterable[str]) -> bool:
    """Whether one of the roles may not act without a second factor."""
    return not factor_roles().isdisjoint(roles)


def owed(account: Account, roles: Iterable[str]) -> bool:
    """Whether an account has no second factor, and one of its roles asks for it."""
    return not settings.DEMO and asked_of(roles) and not has_one(account)


def address(secret: str, name: str, trial: str) -> str:
    """What the QR code says: the `otpauth` address that an authenticator reads."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=f"Trialwright {trial}"))


def matching_step(secret: str, code: str, after: int = 0) -> int | None:
    """The step whose code this is, near now and after the last one that was used; None where there is none."""
    totp, told, now = pyotp.TOTP(secret), code.replace(" ", ""), step_now()
    for step in range(now - _DRIFT, now + _DRIFT + 1):
        if step > after and hmac.compare_digest(totp.at(step * _SECONDS).encode(), told.encode()):
            return step
    return None


def accepted(request: HttpRequest, account: Account, code: str) -> str:
    """How a code is known: `code`, `recovery code`, or nothing; a wrong one counts as a wrong password does.

    Each counts once, also where two requests bring it at the same moment.
    """
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(account_id=account.pk).first()
        if factor is not None:
            step = matching_step(factor.secret, code, factor.last_step)
            if step is not None:
                factor.last_step = step
                factor.save()
                return CODE
            hashed = _hashed(code)
            if hashed in factor.recovery:
                factor.recovery = [one for one in factor.recovery if one != hashed]
                factor.save()
                return RECOVERY
    user_login_failed.send(__name__, credentials={"username": account.username}, request=request)
    return ""


def begin(account: Account, secret: str, step: int) -> list[str]:
    """Give an account its second factor, whose first code was right; the recovery codes, which are shown once."""
    factor = SecondFactor(account=account, secret=secret, last_step=step)
    return renew(factor)


def renew(factor: SecondFactor) -> list[str]:
    """New recovery codes in place of the old ones."""
    made = [secrets.token_hex(10) for _ in range(RECOVERY_CODES)]
    factor.recovery = [_hashed(one) for one in made]
    factor.save()
    return ["-".join(one[i : i + 5] for i in range(0, 20, 5)) for one in made]


def _hashed(code: str) -> str:
    # eighty random bits cannot be guessed from a fast hash, as a password could
    return hashlib.sha256(code.replace("-", "").replace(" ", "").lower().encode()).hexdigest()
