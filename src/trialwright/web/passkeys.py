"""Passkeys (WebAuthn): a challenge that counts once, answered by a key that asks its owner for a PIN or a finger.

The key stays in her device; here lies what its answers are checked with. Origin and domain are those under which the
pages are reached: `--public`, or localhost.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from django.utils import timezone
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from trialwright.core.finding import Refused, finding
from trialwright.web.models import Account, Passkey, PasskeyChallenge

#: What a challenge is for; that of a signature is bound to the form that is signed.
REGISTER, DOOR, SIGN = "register", "door", "sign"
#: How a signature says that the person was known.
PASSKEY: Final = "passkey"
_FRESH = timedelta(minutes=5)
_VERIFIED = UserVerificationRequirement.REQUIRED


def of_form(form: str) -> str:
    """What a challenge is for that signs a form."""
    return f"{SIGN} {form}"[:100]


def passkeys_of(account: Account) -> list[Passkey]:
    """The passkeys of an account, the oldest first."""
    return list(Passkey.objects.filter(account_id=account.pk).order_by("made"))


def works_here(request: HttpRequest) -> bool:
    """Whether the pages are reached under a name for which a browser makes passkeys."""
    return bool(_place(request)[0])


def asked_to_register(request: HttpRequest, account: Account) -> str:
    """What the browser is asked to make a new passkey with, as JSON."""
    domain, _origin = _place(request)
    options = generate_registration_options(
        rp_id=domain,
        rp_name="Trialwright",
        user_id=f"account {account.pk}".encode(),
        user_name=account.username,
        user_display_name=account.first_name or account.username,
        challenge=_challenge(request, REGISTER),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=_VERIFIED
        ),
        exclude_credentials=_described(account),
    )
    return options_to_json(options)


def asked_to_answer(request: HttpRequest, account: Account, purpose: str) -> str:
    """What the browser is asked to answer with one of the account's passkeys, as JSON."""
    domain, _origin = _place(request)
    options = generate_authentication_options(
        rp_id=domain,
        challenge=_challenge(request, purpose),
        allow_credentials=_described(account),
        user_verification=_VERIFIED,
    )
    return options_to_json(options)


def register(request: HttpRequest, account: Account, name: str, told: str) -> Passkey:
    """Keep a new passkey under a name; `Refused` where the answer is not one to the challenge of this session."""
    challenge, (domain, origin) = _taken(request, REGISTER), _place(request)
    try:
        verified = verify_registration_response(
            credential=parse_registration_credential_json(told),
            expected_challenge=challenge,
            expected_rp_id=domain,
            expected_origin=origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError):
        raise Refused(finding("web_passkey_wrong")) from None
    credential = bytes_to_base64url(verified.credential_id)
    if Passkey.objects.filter(credential=credential).exists():
        raise Refused(finding("web_passkey_wrong"))
    made: Passkey = Passkey.objects.create(
        account=account,
        name=name,
        credential=credential,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        made=timezone.now(),
    )
    return made


def accepted(request: HttpRequest, account: Account, purpose: str, told: str) -> bool:
    """Whether one of the account's passkeys answered the challenge; a wrong answer counts as a wrong password does."""
    if _answered(request, account, purpose, told):
        return True
    user_login_failed.send(__name__, credentials={"username": account.username}, request=request)
    return False


def _answered(request: HttpRequest, account: Account, purpose: str, told: str) -> bool:
    challenge, (domain, origin) = _taken(request, purpose), _place(request)
    try:
        credential = parse_authentication_credential_json(told)
        known = Passkey.objects.filter(account_id=account.pk, credential=credential.id).first()
        if known is None:
            return False
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=domain,
            expected_origin=origin,
            credential_public_key=bytes(known.public_key),
            credential_current_sign_count=known.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError):
        return False
    # a copy of the key counts on its own: two answers with one count are not both taken
    same = Passkey.objects.filter(pk=known.pk, sign_count=known.sign_count)
    return bool(same.update(sign_count=verified.new_sign_count, used=timezone.now()))


def _place(request: HttpRequest) -> tuple[str, str]:
    """Domain and origin that answers must be made for; nothing where a browser makes none."""
    if settings.CSRF_TRUSTED_ORIGINS:
        origin = str(settings.CSRF_TRUSTED_ORIGINS[0])
        return urlsplit(origin).hostname or "", origin
    host = request.get_host()
    return ("localhost", f"{request.scheme}://{host}") if host.partition(":")[0] == "localhost" else ("", "")


def _described(account: Account) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential)) for one in passkeys_of(account)]


def _challenge(request: HttpRequest, purpose: str) -> bytes:
    """A new challenge for this session and purpose, in place of an earlier one."""
    if request.session.session_key is None:
        request.session.save()
    now, value = timezone.now(), secrets.token_bytes(32)
    PasskeyChallenge.objects.filter(made__lt=now - _FRESH).delete()
    PasskeyChallenge.objects.update_or_create(
        session=request.session.session_key,
        purpose=purpose,
        defaults={"value": bytes_to_base64url(value), "made": now},
    )
    return value


def _taken(request: HttpRequest, purpose: str) -> bytes:
    """The challenge of this session and purpose, which is then none any more; one that nobody can answer otherwise."""
    found = PasskeyChallenge.objects.filter(session=request.session.session_key or "", purpose=purpose).first()
    nothing = secrets.token_bytes(32)
    if found is None or PasskeyChallenge.objects.filter(pk=found.pk, value=found.value).delete()[0] != 1:
        return nothing
    return base64url_to_bytes(found.value) if timezone.now() - found.made <= _FRESH else nothing
