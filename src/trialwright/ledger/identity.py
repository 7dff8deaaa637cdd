"""Who a participant is, and the words by which she is found: what a blind index keeps the digests of."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import permutations

#: Words of a name in Latin letters beyond which their orders are not told apart any more.
_WORDS = 4


@dataclass(frozen=True, slots=True)
class Identity:
    """Name and contacts of a participant, each as it was told; her date of birth is an item of the protocol."""

    name: str = ""  # as on her identity card
    latin: str = ""  # the same in Latin letters
    hospital_number: str = ""
    telephone: str = ""
    address: str = ""
    contact: str = ""  # whom to call where she cannot be reached
    language: str = ""

    def __repr__(self) -> str:
        return "Identity(...)"  # never in a log or on an error page


def identity_of(told: dict[str, str]) -> Identity:
    """An identity from the texts of a form or of the vault; what is not a part of it is left out."""
    return Identity(**{one.name: told.get(one.name, "").strip() for one in fields(Identity)})


def terms(identity: Identity) -> set[str]:
    """Everything that she is found by: her names whole, in any order of their words, and her hospital number."""
    found = {f"number {key}" for key in (_key(identity.hospital_number),) if key}
    for name in (identity.name, identity.latin):
        found |= {f"name {one}" for one in _orders(name)}
    return found


def sought(text: str) -> set[str]:
    """What somebody may mean who searches for a text: a name or a hospital number."""
    key = _key(text)
    return {f"name {key}", f"number {key}"} if key else set()


def digest(key: bytes, term: str) -> str:
    """What the index keeps of a term: nobody without the key can say or try out what it is."""
    return hmac.digest(key, term.encode(), "sha256").hex()


def _orders(name: str) -> Iterator[str]:
    words = [one for one in (_key(word) for word in _separated(name)) if one]
    if len(words) > _WORDS:
        yield "".join(words)
        return
    for order in permutations(words):
        if order:
            yield "".join(order)


def _separated(name: str) -> list[str]:
    """The words of a name; points and hyphens divide them, as in 阿依古丽·买买提."""
    return "".join(one if one.isalnum() or unicodedata.combining(one) else " " for one in name).split()


def _key(text: str) -> str:
    """Letters and digits alone: no matter how wide, how large, with which accents and spaces they were typed."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(one for one in plain if one.isalnum())
