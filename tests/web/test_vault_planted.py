"""A name is planted in a real browser, and every byte that is left anywhere is searched for it; then she is erased."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.rehearsals import command
from tests.web.centre import PASSWORD, Person, people, serving
from tests.web.test_story import CHROMIUM, comes
from trialwright.core.finding import Refused
from trialwright.ledger.keys import decrypt
from trialwright.ledger.store import open_ledger
from trialwright.ledger.vault import Vault

CHINESE, LATIN, NUMBER, STREET = "龘靐齉爩", "Zyqquelaine Vauhkonnenx", "HXQ-774411", "Vroomshoop-Weg 4477"
NOTED = "her sister Quarkzenobia answered"
PLANTED = [CHINESE, *LATIN.split(), NUMBER, "HXQ774411", "Vroomshoop", "Quarkzenobia"]
MASTER = bytes.fromhex("5a" * 32)


def forms(text: str) -> dict[str, bytes]:
    """Every form in which a text might lie somewhere."""
    found: dict[str, bytes] = {}
    for each in {text, text.lower()}:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030"):
            plain = each.encode(encoding)
            found[f"{each} {encoding}"] = plain
            for shift in range(3):  # base64 of anything that contains it, but for its edges
                whole = base64.b64encode(b"\0" * shift + plain)
                inner = whole[4 if shift else 0 : -4]
                found[f"{each} {encoding} base64 {shift}"] = inner
                found[f"{each} {encoding} base64url {shift}"] = inner.translate(bytes.maketrans(b"+/", b"-_"))
        found[f"{each} percent"] = quote(each).encode()
        found[f"{each} JSON"] = json.dumps(each)[1:-1].encode()
        found[f"{each} HTML"] = "".join(f"&#{ord(one)};" for one in each).encode()
        found[f"{each} hex"] = each.encode().hex().encode()
    return {name: form for name, form in found.items() if len(form) >= 8}


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, and what is packed in them as Django packs sessions."""
    told = [(str(one), one.read_bytes()) for one in folder.rglob("*") if one.is_file() and not one.is_symlink()]
    for name, content in told:
        yield name, content
        for packed in re.findall(rb"[A-Za-z0-9_-]{24,}", content):
            try:
                opened = base64.urlsafe_b64decode(packed + b"=" * (-len(packed) % 4))
                yield f"{name}, packed", zlib.decompress(opened)
            except (zlib.error, binascii.Error):
                continue


def found_in(contents: Iterable[tuple[str, bytes]]) -> list[str]:
    """Where a planted text lies, and in which form."""
    wanted = {name: form for text in PLANTED for name, form in forms(text).items()}
    return [f"{name}: {what}" for name, content in contents for what, form in wanted.items() if form in content]


def test_the_search_finds_what_lies_there(tmp_path: Path) -> None:
    packed = base64.urlsafe_b64encode(zlib.compress(f'{{"name": "{LATIN}"}}'.encode())).rstrip(b"=")
    for number, content in enumerate(
        (f"x{CHINESE}".encode("utf-16-le"), quote(f"who={CHINESE}").encode(), json.dumps([LATIN.lower()]).encode(),
         base64.b64encode(f"ab{NOTED}".encode()), b"session=." + packed)
    ):  # fmt: skip
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "file").write_bytes(content)
        assert found_in(everything(tmp_path / str(number))), content


@dataclass(frozen=True)
class Profile:
    """A browser that keeps a profile in a folder, as that of a tablet does."""

    chromium: Any
    folder: Path

    def new_context(self, **options: Any) -> Any:
        """Its one window."""
        return self.chromium.launch_persistent_context(
            str(self.folder), executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"], **options
        )


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: install the package chromium, or name one with CHROMIUM=")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium


def test_a_planted_name_lies_nowhere_and_after_erasure_nothing_opens_it(chromium: Any, tmp_path: Path) -> None:
    place, log = str(tmp_path / "trial.ledger"), tmp_path / "server.log"
    browser = chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    with serving(place, log) as served:
        roles = {"li": "investigator", "wang": "coordinator"}
        found = people(browser, served, roles, {"wang": Profile(chromium, tmp_path / "profile")})
        admin, li, wang = (found[name] for name in ("admin", "li", "wang"))
        li.opens("/trial")
        li.follows("Activate")
        li.fills(approval="ethics committee 2026-1")
        li.presses("Activate")
        li.orders("answer-question", "Answer", "question=consent_form&back=/trial", answer="long")
        _plants(wang, li)
        _looks_and_finds(wang)
        for name, address in (("li", "/participants/P-1/audit"), ("admin", "/people/erasures")):
            found[name].opens(address)
            assert not any(one in found[name].page.content() for one in PLANTED)
        with Vault(f"{place}.vault", MASTER, _trial(place)) as vault:
            key = vault.key("P-1")
        assert key is not None
        li.orders("order-erasure", "Sign and order it", "participant=P-1", reason="she asked for it", password=PASSWORD)
        assert _opened(everything(tmp_path)), "the search would find what can be opened, while it can"
        admin.orders("confirm-erasure", "Sign and erase", "participant=P-1", password=PASSWORD)
        wang.opens("/participants/P-1/")
        assert "cannot be read any more" in wang.sees()
        wang.opens("/participants/P-1/identity")
        assert "Erased." in wang.sees()
        wang.page.context.close()
        assert [fault for one in found.values() for fault in one.faults] == []
    browser.close()
    assert command("verify", place)[0] == 0
    assert command("report", place, "--out", str(tmp_path / "report"), "--no-pdf")[0] == 0
    left = list(everything(tmp_path))
    assert found_in(left) == []
    assert _opened(left) == []
    for form in (key, key.hex().encode(), base64.b64encode(key)):
        assert not [name for name, content in left if form in content]


def _plants(wang: Person, li: Person) -> None:
    comes(wang, li, "P-1")
    wang.opens("/participants/P-1/")
    wang.follows("Name and contacts")
    wang.fills(name=CHINESE, latin=LATIN, hospital_number=NUMBER, address=STREET)
    wang.presses("Keep")
    wang.opens("/participants/P-1/")
    wang.follows("Write a note")
    wang.fills(ciphertext=NOTED)
    wang.presses("Keep the note")
    assert NOTED in wang.sees()


def _looks_and_finds(wang: Person) -> None:
    wang.opens("/participants/P-1/identity")
    assert CHINESE not in wang.page.content()
    wang.page.get_by_label("To call or write to her").check()
    wang.page.get_by_role("button", name="Show name and contacts").click()
    wang.page.get_by_role("button", name="Keep").wait_for()
    assert wang.page.get_by_label("Name", exact=True).input_value() == CHINESE
    for typed in (CHINESE, " ".join(reversed(LATIN.split())), NUMBER):
        wang.opens("/screening")
        wang.page.get_by_label("By name or hospital number").fill(typed)
        wang.page.get_by_role("button", name="Find").click()
        wang.page.locator("#find").get_by_role("link", name="P-1").wait_for()
        assert wang.page.url.endswith("/screening")


def _trial(place: str) -> str:
    with open_ledger(place) as ledger:
        return ledger.header.trial


def _opened(contents: Iterable[tuple[str, bytes]]) -> list[str]:
    """Texts that whoever has everything, the master key too, can still open with any key that is left."""
    derivation = HKDF(SHA256(), 32, salt=b"trialwright vault", info=b"wrapping")
    wrapping = AESGCM(derivation.derive(MASTER))
    tokens = {
        token.decode()[skipped:]  # a cell of a database stands right before the next one, as P-1 before its key
        for _, content in contents
        for token in re.findall(rb"[A-Za-z0-9+/_-]{40,}={0,2}", content)
        for skipped in range(8)
    }
    keys = []
    for token in tokens:
        try:
            sealed = base64.b64decode(token)
            keys.append(wrapping.decrypt(sealed[:12], sealed[12:], b"P-1"))
        except (InvalidTag, ValueError):
            continue
    texts = []
    for key in keys:
        for token in tokens:
            try:
                texts.append(decrypt(key, token))
            except Refused:
                continue
    return texts
