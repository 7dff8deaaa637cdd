"""The vault apart from the ledger: a key per participant, her name under it, who looked when and why, and erasure.

Destroying a key erases everything that was encrypted under it, here and in the ledger, and in no place more is needed.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, delete, insert, select, update

from trialwright.core.finding import Refused, Where, finding
from trialwright.ledger import database
from trialwright.ledger.identity import Identity, digest, identity_of, sought, terms
from trialwright.ledger.keys import decrypt, encrypt
from trialwright.ledger.vault_tables import ACCESS, IDENTITY, INDEX, KEY, META, reached, scrub

_KEY_BYTES = 32
_NONCE_BYTES = 12
_CHECKED = "what the master key opens"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who comes to the vault, in which role, when (UTC)."""

    user: str
    role: str
    at: str


@dataclass(frozen=True, slots=True)
class Access:
    """One line of the access log; it never holds anything of what was looked at."""

    at: str
    user: str
    role: str
    subject: str
    what: str
    why: str


def random_key(_subject: str) -> bytes:
    """A key that nobody can make again."""
    return secrets.token_bytes(_KEY_BYTES)


class Vault:
    """Keys, names and the access log of one trial. It is a `KeyStore` too."""

    def __init__(
        self, place: str, master: bytes, trial: str, first_key: Callable[[str], bytes | None] = random_key
    ) -> None:
        """Open a vault, or make it where there is none; `first_key` makes the key of somebody who has none yet."""
        self._wrapping, self._index = _derived(master, "wrapping"), _derived(master, "index")
        self._first_key = first_key
        self._engine = reached(place)
        try:
            self._opened(trial)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def _opened(self, trial: str) -> None:
        with self._writing() as connection:
            known = {str(name): str(value) for name, value in connection.execute(select(META.c.name, META.c.value))}
            if not known:
                check = encrypt(self._wrapping, _CHECKED, secrets.token_bytes(_NONCE_BYTES))
                connection.execute(insert(META), [{"name": "trial", "value": trial}, {"name": "check", "value": check}])
                return
        where = database.place(self._engine)
        try:
            decrypt(self._wrapping, known["check"])
        except Refused:
            raise Refused(finding("vault_key_wrong", Where(where), place=where)) from None
        if known["trial"] != trial:
            raise Refused(
                finding("vault_full_of_another", Where(where), place=where, known=known["trial"], trial=trial)
            )

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # ------------------------------------------------------------ keys

    def key(self, subject: str) -> bytes | None:
        """The key of a participant, made when first asked for, or None where it was destroyed."""
        with self._writing() as connection:
            return self._key(connection, subject)

    def destroy(self, subject: str) -> None:
        """Destroy her key, and with it her name and the words by which she is found; none is made again."""
        with self._writing() as connection:
            self._key(connection, subject)  # so that a mark stays of somebody who never had one, too
            connection.execute(update(KEY).where(KEY.c.subject == subject).values(wrapped=""))
            connection.execute(delete(IDENTITY).where(IDENTITY.c.subject == subject))
            connection.execute(delete(INDEX).where(INDEX.c.subject == subject))
        scrub(self._engine)

    def destroyed(self) -> set[str]:
        """Whose keys were destroyed."""
        with self._reading() as connection:
            return set(connection.scalars(select(KEY.c.subject).where(KEY.c.wrapped == "")))

    # ------------------------------------------------------------ free text

    def seal(self, subject: str, text: str) -> str:
        """A text under her key, as the ledger may keep it."""
        key = self.key(subject)
        if key is None:
            raise Refused(finding("vault_erased", participant=subject))
        return encrypt(key, text, secrets.token_bytes(_NONCE_BYTES))

    def read(self, subject: str, tokens: Mapping[int, str]) -> dict[int, str]:
        """The texts that can be read, by the number under which each was given; nothing where her key is destroyed."""
        with self._reading() as connection:
            key = self._known_key(connection, subject)
        if key is None:
            return {}
        found = {}
        for number, token in tokens.items():
            try:
                found[number] = decrypt(key, token)
            except Refused:
                continue  # written under another key: as unreadable as one that was destroyed
        return found

    # ------------------------------------------------------------ names

    def keep(self, subject: str, identity: Identity, by: Visitor) -> None:
        """Keep who she is in place of what was kept before, and log that it was changed."""
        with self._writing() as connection:
            key = self._key(connection, subject)
            if key is None:
                raise Refused(finding("vault_erased", participant=subject))
            sealed = encrypt(key, json.dumps(asdict(identity)), secrets.token_bytes(_NONCE_BYTES))
            connection.execute(delete(IDENTITY).where(IDENTITY.c.subject == subject))
            connection.execute(insert(IDENTITY).values(subject=subject, sealed=sealed, at=by.at, user=by.user))
            connection.execute(delete(INDEX).where(INDEX.c.subject == subject))
            for term in terms(identity):
                connection.execute(insert(INDEX).values(digest=digest(self._index, term), subject=subject))
            _log(connection, by, subject, "changed", "")

    def look(self, subject: str, by: Visitor, why: str) -> Identity | None:
        """Who she is, told only after it was logged; None where nothing is kept or her key is destroyed."""
        with self._writing() as connection:
            sealed = connection.scalar(select(IDENTITY.c.sealed).where(IDENTITY.c.subject == subject))
            key = self._known_key(connection, subject)
            if sealed is None or key is None:
                return None
            _log(connection, by, subject, "looked at", why)
        told = json.loads(decrypt(key, sealed))
        return identity_of({str(name): str(text) for name, text in told.items()})

    def holds(self, subject: str) -> bool:
        """Whether a name is kept of her."""
        with self._reading() as connection:
            return connection.scalar(select(IDENTITY.c.subject).where(IDENTITY.c.subject == subject)) is not None

    def find(self, text: str, among: Iterable[str], by: Visitor) -> list[str]:
        """Who has this name or hospital number, among those whom the one who asks may see; each find is logged."""
        digests = [digest(self._index, term) for term in sought(text)]
        if not digests:
            return []
        with self._writing() as connection:
            subjects = set(connection.scalars(select(INDEX.c.subject).where(INDEX.c.digest.in_(digests))))
            found = sorted(subjects & set(among))
            for subject in found:
                _log(connection, by, subject, "found", "")
            if not found:
                _log(connection, by, "", "sought, and nobody found", "")
        return found

    # ------------------------------------------------------------ access log

    def log(self, subject: str, by: Visitor, what: str, why: str = "") -> None:
        """A line in the access log."""
        with self._writing() as connection:
            _log(connection, by, subject, what, why)

    def accesses(self, subject: str) -> list[Access]:
        """Who came to a participant's name, newest first."""
        columns = (ACCESS.c.at, ACCESS.c.user, ACCESS.c.role, ACCESS.c.subject, ACCESS.c.what, ACCESS.c.why)
        with self._reading() as connection:
            query = select(*columns).where(ACCESS.c.subject == subject).order_by(ACCESS.c.number.desc())
            return [Access(*row) for row in connection.execute(query)]

    # ------------------------------------------------------------ within a transaction

    def _key(self, connection: Connection, subject: str) -> bytes | None:
        known = connection.scalar(select(KEY.c.wrapped).where(KEY.c.subject == subject))
        if known is not None:
            return self._unwrapped(subject, known)
        key = self._first_key(subject)
        if key is None:
            raise ValueError("a key is made for whoever has none")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        wrapped = nonce + AESGCM(self._wrapping).encrypt(nonce, key, subject.encode())
        connection.execute(insert(KEY).values(subject=subject, wrapped=base64.b64encode(wrapped).decode()))
        return key

    def _known_key(self, connection: Connection, subject: str) -> bytes | None:
        known = connection.scalar(select(KEY.c.wrapped).where(KEY.c.subject == subject))
        return self._first_key(subject) if known is None else self._unwrapped(subject, known)

    def _unwrapped(self, subject: str, wrapped: str) -> bytes | None:
        if not wrapped:
            return None
        sealed = base64.b64decode(wrapped)
        return AESGCM(self._wrapping).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], subject.encode())

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with database.transaction(self._engine) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with database.speaking(self._engine), self._engine.connect() as connection:
            yield connection


def _log(connection: Connection, by: Visitor, subject: str, what: str, why: str) -> None:
    connection.execute(insert(ACCESS).values(at=by.at, user=by.user, role=by.role, subject=subject, what=what, why=why))


def _derived(master: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=b"trialwright vault", info=purpose.encode()).derive(master)
