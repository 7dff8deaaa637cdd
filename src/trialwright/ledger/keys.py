"""Free text under a key per subject, kept apart from the ledger: destroying the key erases the text."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from pathlib import Path
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


class FileKeyStore:
    """Random keys in a folder of their own: a file per subject, empty once the key is destroyed."""

    def __init__(self, path: str | Path) -> None:
        self._folder = Path(path)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def key(self, subject: str) -> bytes | None:
        """The key of a subject, made when first asked for, or None where it was destroyed."""
        file = self._file(subject)
        if not file.exists():
            self._place(file, secrets.token_bytes(_KEY_BYTES))
        return file.read_bytes() or None

    def destroy(self, subject: str) -> None:
        """Overwrite the key of a subject and leave its file empty, so that no key is made again."""
        file = self._file(subject)
        self._place(file, b"")
        with file.open("r+b") as handle:
            handle.write(bytes(_KEY_BYTES))
            handle.flush()
            os.fsync(handle.fileno())
            handle.truncate(0)
            os.fsync(handle.fileno())

    def _file(self, subject: str) -> Path:
        return self._folder / hashlib.sha256(subject.encode()).hexdigest()

    def _place(self, file: Path, content: bytes) -> None:
        # written aside and linked, so that nobody ever reads half a key or makes a second one
        draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
