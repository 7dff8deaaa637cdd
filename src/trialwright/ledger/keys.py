"""Free text under a key per subject, kept apart from the ledger: destroying the key erases the text."""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from trialwright.core.finding import Refused, finding

_KEY_BYTES = 32
_NONCE_BYTES = 12


class KeyStore(Protocol):
    """Where keys live: one per subject, made when first asked for, gone for ever once destroyed."""

    def key(self, subject: str) -> bytes | None:
        """The key of a subject, or None where it was destroyed."""

    def destroy(self, subject: str) -> None:
        """Destroy the key of a subject; it is never made again."""


def encrypt(key: bytes, text: str, nonce: bytes) -> str:
    """A token that only the key opens (AES-256-GCM); a nonce, 12 bytes, serves one text per key, never two."""
    if len(nonce) != _NONCE_BYTES:
        raise ValueError(f"a nonce has {_NONCE_BYTES} bytes, not {len(nonce)}")
    return base64.urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, text.encode(), None)).decode()


def decrypt(key: bytes, token: str) -> str:
    """The text of a token; refused where the key is another one or the token was changed."""
    try:
        sealed = base64.b64decode(token, altchars=b"-_", validate=True)
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()
    except (InvalidTag, binascii.Error, ValueError):
        raise Refused(finding("ledger_text_unreadable")) from None


class SeededKeyStore:
    """Keys derived from the seed of a rehearsal (HKDF-SHA256): the same in every run."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._destroyed: set[str] = set()

    def key(self, subject: str) -> bytes | None:
        """The key of a subject, or None where it was destroyed."""
        if subject in self._destroyed:
            return None
        derivation = HKDF(SHA256(), _KEY_BYTES, salt=b"trialwright rehearsal", info=subject.encode())
        return derivation.derive(str(self._seed).encode())

    def destroy(self, subject: str) -> None:
        """Destroy the key of a subject for the life of this store."""
        self._destroyed.add(subject)
