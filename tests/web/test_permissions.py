"""Every page and every command with every role, and with nobody: what the two tables say is what happens."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.web.conftest import signed_in
from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.trial.delegations import ROLES
from trialwright.web.desk import Desk
from trialwright.web.orders import ORDERS
from trialwright.web.permissions import COMMANDS, PAGES, may_do, may_open

#: A page -> an address of it, and whether it is only posted to.
ADDRESSES = {
    "today": ("/", False),
    "act_as": ("/act-as", False),
    "trial": ("/trial", False),
    "protocol": ("/trial/protocol", False),
    "record": ("/trial/record", False),
    "versions": ("/trial/versions", False),
    "screening": ("/screening", False),
    "participant": ("/participants/P-1/", False),
    "visit": ("/participants/P-2/visits/screening/", False),
    "visit_check": ("/participants/P-2/visits/screening/check", True),
    "identity": ("/participants/P-1/identity", False),
    "identity_log": ("/participants/P-1/identity/log", False),
    "find": ("/find", False),
    "erasures": ("/people/erasures", False),
    "audit": ("/participants/P-1/audit", False),
    "laboratory": ("/laboratory", False),
    "grid": ("/participants/P-1/laboratory/embryo/", False),
    "grid_check": ("/participants/P-1/laboratory/embryo/check", True),
    "import": ("/import", False),
    "import_mapping": ("/import/mapping", False),
    "import_saved": ("/import/mappings/1.yaml", False),
    "import_preview": ("/import/preview", False),
    "import_refused": ("/import/refused.csv", False),
    "import_undo": ("/import/1/undo", False),
    "entry": ("/participants/P-1/entries/16/", False),
    "queries": ("/queries", False),
    "query": ("/participants/P-2/queries/Q1/", False),
    "casebooks": ("/casebooks", False),
    "casebook": ("/participants/P-1/casebook/", False),
    "verify_source": ("/participants/P-1/verify", True),
    "trail": ("/trail", False),
    "trail_export": ("/trail/export", False),
    "product": ("/product", False),
    "lot": ("/product/lots/L-1/", False),
    "unit": ("/product/units/U-P-1/", False),
    "safety": ("/safety", False),
    "boundary": ("/safety/boundary.svg", False),
    "reports": ("/reports", False),
    "export": ("/reports/no-such-export", False),
    "print_casebook": ("/participants/P-1/casebook/print", False),
    "tokens": ("/tokens", False),
    "token_revoke": ("/tokens/revoke", True),
    "api_paths": ("/api", False),
    "people": ("/people", False),
    "sign_ins": ("/people/sign-ins", False),
    "sign_ins_csv": ("/people/sign-ins.csv", False),
    "account_new": ("/people/new", True),
    "account_reset": ("/people/reset", True),
    "factor_roles": ("/people/second-factor", True),
    "order": ("/order/no-such-order", False),
}
#: What a page answers to those whom the table lets in, where it is not the page itself.
ANSWERS = {
    "act_as": 302,
    "account_new": 302,
    "factor_roles": 302,
    "account_reset": 404,
    "order": 404,
    "grid": 404,  # the small trial has no laboratory
    "grid_check": 404,
    "import_mapping": 302,  # no file waits
    "import_preview": 302,
    "import_refused": 302,
    "import_saved": 404,
    "import_undo": 404,
    "query": 404,
    "boundary": 404,
    "export": 404,
    "print_casebook": 404,
    "token_revoke": 404,
}


def test_the_tables_leave_nothing_out(shared_desk: Desk) -> None:
    from trialwright.web.urls import ROUTES

    assert set(PAGES) == set(ROUTES) == set(ADDRESSES)
    assert set(COMMANDS) == set(get_args(Command))
    assert {order.command for order in ORDERS.values()} <= set(COMMANDS)
    named = {role for roles in (*PAGES.values(), *COMMANDS.values()) for role in roles}
    assert named <= set(ROLES)


@pytest.mark.parametrize("page", sorted(ADDRESSES))
def test_a_page_opens_for_the_roles_of_the_table_and_for_no_other(shared_desk: Desk, page: str) -> None:
    address, post = ADDRESSES[page]
    for role in ROLES:
        client = signed_in(role.replace(" ", "-"))
        answer = client.post(address) if post else client.get(address)
        wanted = ANSWERS.get(page, 200) if role in PAGES[page] else 403
        assert answer.status_code == wanted, f"{role} on {page}"


@pytest.mark.parametrize("page", sorted(ADDRESSES))
def test_a_page_sends_whoever_is_not_signed_in_to_the_door(shared_desk: Desk, page: str) -> None:
    from django.test import Client

    address, post = ADDRESSES[page]
    answer = Client().post(address) if post else Client().get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in?next=")
    part = Client(headers={"HX-Request": "true"})
    assert (part.post(address) if post else part.get(address)).status_code == 401


@pytest.mark.parametrize("name", sorted(ORDERS))
def test_an_order_is_given_by_the_roles_of_the_table_and_by_no_other(shared_desk: Desk, name: str) -> None:
    about = "?participant=P-1&lot=L-1&unit=U-P-1&kind=adverse_event&intervention=infusion&event=1&item=weight"
    before = shared_desk.ledger.last()
    for role in ROLES:
        client = signed_in(role.replace(" ", "-"))
        allowed = role in COMMANDS[ORDERS[name].command]
        assert client.get(f"/order/{name}{about}").status_code == (200 if allowed else 403), f"{role} on {name}"
        if not allowed:
            told = {"participant": "P-1", "form": f"{role} {name}", "on": "2026-03-20", "reason": "tried"}
            assert client.post(f"/order/{name}", told).status_code == 403
    assert shared_desk.ledger.last() == before, "a forbidden order wrote something"


def test_somebody_without_a_delegation_sees_nothing(shared_desk: Desk) -> None:
    client = signed_in("stranger")
    for address, post in ADDRESSES.values():
        answer = client.post(address) if post else client.get(address)
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("role", "page"),
    [("administrator", "participant"), ("administrator", "screening"), ("statistician", "participant"),
     ("cell laboratory", "participant"), ("safety board", "screening"), ("quality person", "people")],
)  # fmt: skip
def test_who_has_no_business_there_is_kept_out(role: str, page: str) -> None:
    assert not may_open(role, page)


@pytest.mark.parametrize(
    ("command", "roles"),
    [
        (c.ReleaseLot, {"quality person"}),
        (c.ReleaseUnit, {"quality person"}),
        (c.ReviewTrigger, {"safety board"}),
        (c.Enrol, {"investigator"}),
        (c.Allocate, {"investigator"}),
        (c.VerifyUnit, {"investigator", "coordinator"}),
        (c.Note, {"investigator", "coordinator", "embryologist"}),
        (c.OrderErasure, {"investigator"}),
        (c.ConfirmErasure, {"administrator"}),
    ],
)
def test_what_is_signed_is_signed_by_the_one_whose_duty_it_is(command: type[Command], roles: set[str]) -> None:
    assert {role for role in ROLES if may_do(role, command)} == roles


@pytest.mark.parametrize("role", ["auditor", "statistician"])
def test_who_only_looks_can_change_nothing(role: str) -> None:
    assert not [command for command in COMMANDS if may_do(role, command)]


def test_a_monitor_asks_and_verifies_and_enters_nothing() -> None:
    asks = {c.RaiseQuery, c.ResolveQuery, c.ReopenQuery, c.VerifySource}
    assert {command for command in COMMANDS if may_do("monitor", command)} == asks


def test_who_enters_data_neither_verifies_nor_holds_them() -> None:
    review = {c.RaiseQuery, c.VerifySource, c.Freeze, c.Unfreeze, c.Lock, c.Unlock}
    for role in ROLES:
        if may_do(role, c.Observe):
            assert not [command for command in review if may_do(role, command)], role


def test_somebody_at_one_site_delegates_nothing_at_every_site_and_ends_nothing_of_another(desk: Desk) -> None:
    before, client = desk.ledger.last(), signed_in("investigator")
    told = {"user": "x", "role": "monitor", "begins": "2026-03-20", "training": "GCP", "on": "2026-03-20"}
    answer = client.post("/order/delegate", {**told, "form": "a", "site": ""})
    assert "every site does not belong there" in answer.content.decode()
    other = next(one for one in desk.trial().delegations.values() if one.site == "S02")
    ending = {"form": "b", "delegation": other.identity, "reason": "tried", "on": "2026-03-20"}
    assert "does not belong there" in client.post("/order/end-delegation", ending).content.decode()
    assert desk.ledger.last() == before
    assert client.post("/order/delegate", {**told, "form": "c", "site": "S01"}).status_code == 302
