"""Every text of the pages is translated: nothing is left out of the catalogue, and nothing reaches a page past it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from pydantic import BaseModel
from scripts import translations

from tests.web.conftest import signed_in
from tests.web.test_permissions import ADDRESSES
from trialwright.protocol.document import LabelText
from trialwright.trial.delegations import ROLES
from trialwright.web.desk import Desk
from trialwright.web.orders import ORDERS
from trialwright.web.permissions import COMMANDS, PAGES

#: Where a page says something of its own; what stands elsewhere is mostly what people entered.
_OWN = {"h1", "h2", "h3", "button", "legend", "summary", "figcaption", "label", "option", "title", "dt"}
#: What a page shows of people, of the trial, and of the languages that can be chosen.
_DATA = {"trialwright", "english", *(one.replace(" ", "-") for one in ROLES)}
#: What is data by its form: units, a visit with its window, a criterion in the words of the record, a named token.
_FORMS = re.compile(
    r"[munp]?(mol|g|L|IU)/m?L|million(/mL)?|.*⟦(future|yes|no)⟧.*|.* \d+( days)?|.*\(an invented trial\).*"
)


def test_every_text_is_translated_and_the_catalogue_is_compiled(
    shared_desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert translations.main(["--check"]) == 0, capsys.readouterr().out


class Texts(HTMLParser):
    """The texts of a page's own elements, the headings of its columns, and what is read aloud in place of them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[str] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.found += [told[name] or "" for name in ("aria-label", "placeholder", "title") if name in told]
        if tag in _OWN or (tag == "th" and told.get("scope") == "col"):
            self.open.append(tag)
            self.said = "" if len(self.open) == 1 else self.said

    def handle_data(self, data: str) -> None:
        if self.open:
            self.said += data

    def handle_endtag(self, tag: str) -> None:
        if self.open and tag == self.open[-1]:
            self.open.pop()
            if not self.open:
                self.found.append(" ".join(self.said.split()))


def labels(part: object) -> Iterator[str]:
    """Everything that the protocol calls by a name."""
    match part:
        case LabelText():
            yield from filter(None, (part.en, part.zh))
        case BaseModel():
            for name in type(part).model_fields:
                yield from labels(getattr(part, name))
        case dict():
            for name, one in part.items():
                yield str(name).replace("_", " ")
                yield from labels(one)
        case tuple() | list():
            for one in part:
                yield from labels(one)
        case str():
            yield part.replace("_", " ")
        case _:
            return


#: Pages that hold little else than data, or what programmers read: the API is told in English.
_LEFT_OUT = {"order", "casebook", "api_paths"}


def addresses() -> Iterator[tuple[str, str]]:
    """Every page and every order, each with one role that may open it."""
    for page, (address, post) in ADDRESSES.items():
        if not post and page not in _LEFT_OUT:
            yield address, min(PAGES[page])
    for name, order in ORDERS.items():
        about = "participant=P-1&lot=L-1&unit=U-P-1&kind=adverse_event&intervention=infusion&event=1"
        yield f"/order/{name}?{about}", min(COMMANDS[order.command])


def test_no_text_of_a_page_goes_past_the_catalogue(shared_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.utils import translation

    monkeypatch.setattr(translation._trans, "gettext", lambda text: f"⟦{text}⟧", raising=False)
    monkeypatch.setattr(translation._trans, "ngettext", lambda _one, many, _number: f"⟦{many}⟧", raising=False)
    known = {one.lower() for one in labels(shared_desk.protocol().document)} | _DATA
    labelled = {one.lower() for one in labels(shared_desk.protocol().document) if len(one) > 2}
    left: dict[str, str] = {}
    for address, role in addresses():
        reader = Texts()
        answer = signed_in(role.replace(" ", "-")).get(address)
        if not answer.get("Content-Type", "").startswith("text/html"):
            continue
        reader.feed(answer.content.decode())
        for text in reader.found:
            if _FORMS.fullmatch(text) or any(one and text.lower().startswith(one) for one in labelled):
                continue
            rest = text
            while rest != (rest := re.sub(r"⟦[^⟦⟧]*⟧", "", rest)):
                continue
            for part in re.split(r"[·:,()]", rest):
                if re.search(r"[A-Za-z]{3}", part) and part.strip().lower() not in known:
                    left.setdefault(text, address)
    assert not left, "\n".join(f"{address}: {text}" for text, address in left.items())


def test_the_language_is_chosen_at_the_foot_of_a_page(shared_desk: Desk) -> None:
    client = signed_in("investigator")
    assert b'<html lang="en">' in client.get("/").content
    assert client.post("/language", {"language": "zh-hans", "next": "/screening"})["Location"] == "/screening"
    page = client.get("/screening").content.decode()
    assert '<html lang="zh-hans">' in page
    assert "受试者" in page


def test_a_browser_that_asks_for_chinese_gets_it(shared_desk: Desk) -> None:
    from django.test import Client

    page = Client(headers={"Accept-Language": "zh-CN,zh;q=0.9"}).get("/sign-in", follow=True).content.decode()
    assert '<html lang="zh-hans">' in page


def test_what_the_gate_refuses_is_told_in_chinese(desk: Desk) -> None:
    client = signed_in("coordinator", headers={"Accept-Language": "zh-CN"})
    told = {"form": "one", "participant": "P-1", "site": "S01", "on": "2026-03-20"}
    page = client.post("/order/screen", told).content.decode()
    assert "受试者 P-1 已在本试验中。" in page
