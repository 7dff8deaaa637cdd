"""Free text is read with its subject's key, and never again once that is destroyed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_ledger_store import AT, HEADER, write
from trialwright.core.finding import Refused
from trialwright.ledger.chain import verify
from trialwright.ledger.envelope import NewEvent
from trialwright.ledger.keys import KeyStore, SeededKeyStore, decrypt, encrypt
from trialwright.ledger.store import create

NONCE = bytes(12)
TEXT = "头痛 after the second dose"


@pytest.fixture
def store() -> KeyStore:
    return SeededKeyStore(7)


def key_of(store: KeyStore, subject: str) -> bytes:
    key = store.key(subject)
    assert key is not None
    return key


def test_a_subject_keeps_its_key(store: KeyStore) -> None:
    assert key_of(store, "participant/P-001") == key_of(store, "participant/P-001")
    assert key_of(store, "participant/P-001") != key_of(store, "participant/P-002")
    assert len(key_of(store, "participant/P-001")) == 32


def test_a_destroyed_key_never_comes_back(store: KeyStore) -> None:
    other = store.key("P-002")
    store.key("P-001")
    for subject in ("P-001", "P-001", "never asked for"):
        store.destroy(subject)
        assert store.key(subject) is None
    assert store.key("P-002") == other


def test_after_the_key_is_destroyed_the_text_is_gone_and_verify_still_passes(store: KeyStore, tmp_path: Path) -> None:
    token = encrypt(key_of(store, "P-001"), TEXT, NONCE)
    assert decrypt(key_of(store, "P-001"), token) == TEXT
    with create(tmp_path / "trial.ledger", HEADER, AT) as ledger:
        write(ledger, "c-1", NewEvent("participant/P-001", "note.made/1", "2026", {"text": token}))
        store.destroy("P-001")
        assert store.key("P-001") is None
        with pytest.raises(Refused):
            decrypt(key_of(store, "P-002"), token)
        assert verify(ledger) == []


def test_a_changed_token_is_refused() -> None:
    key = bytes(32)
    token = encrypt(key, TEXT, NONCE)
    assert decrypt(key, token) == TEXT
    for broken in (token[:-8], "A" + token[1:], token + "=", "", "no token"):
        if broken != token:
            with pytest.raises(Refused) as refused:
                decrypt(key, broken)
            assert refused.value.findings[0].code == "ledger_text_unreadable"


def test_a_nonce_has_twelve_bytes() -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        encrypt(bytes(32), TEXT, b"short")


def test_the_keys_of_a_rehearsal_follow_from_its_seed() -> None:
    assert SeededKeyStore(7).key("P-001") == SeededKeyStore(7).key("P-001")
    assert SeededKeyStore(7).key("P-001") != SeededKeyStore(8).key("P-001")
