"""The web application inside the test's process, on a small trial with two sites; and what every page test needs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.conftest import place, postgresql, postgresql_place
from tests.unit.desk import SMALL, allocated, answered, lot, opened, protocol_at, ready
from tests.unit.desk import Desk as Prepared
from trialwright.ledger.vault import Vault
from trialwright.trial import commands as c
from trialwright.trial.delegations import ROLES
from trialwright.web.desk import Desk
from trialwright.web.settings import Options, configure

__all__ = ["place", "postgresql", "postgresql_place"]

NOW = datetime(2026, 3, 20, 3, 30, tzinfo=UTC)  # half past eleven at the site
AT = "2026-03-20T02:00:00Z"
_FOLDER = tempfile.TemporaryDirectory(prefix="trialwright-web-")
_CONFIGURED: list[Desk] = []


def prepared(folder: Path, bedside: bool = False) -> Desk:
    """A desk of the small trial: P-1 of S01 with a verified unit, P-2 in screening there, Q-1 in screening at S02.

    `bedside` leaves the unit of P-1 where it was received, and nobody has checked it yet.
    """
    made = Prepared(folder)
    digest = protocol_at(SMALL).digest
    made.do(
        *opened(), *lot(), c.ActivateProtocol("S02", digest, "ethics 2026-2", "2026-01-02"), *allocated("P-1"),
        *list(ready("P-1"))[: -2 if bedside else None], *answered("P-2"), c.Screen("Q-1", "S02", "2026-03-02"),
        c.Consent("Q-1", "1", "2026-03-02"),
        c.RegisterLot("L-2", "cell_product", "2026-03-19"), at=AT,
    )  # fmt: skip
    for role in ROLES:
        name = role.replace(" ", "-")
        given = c.Delegate(name, role, "2026-01-01", "GCP", "2026-03-01", "" if role == "administrator" else "S01")
        made.do(given, role="administrator", at=AT)
    for name, role, site in (("other-site", "coordinator", "S02"), ("everywhere", "monitor", "")):
        given = c.Delegate(name, role, "2026-01-01", "GCP", "2026-03-01", site)
        made.do(given, role="administrator", at=AT)
    return Desk(made.ledger, "test", lambda: NOW)


def vault_in(folder: Path) -> Vault:
    """A vault of the small trial with a master key of its own."""
    return Vault(str(folder / "vault.db"), bytes(range(32)), "NCT00000000")


def configured() -> None:
    """Django set up once for the process, its tables empty for each test, which brings its own desk."""
    if not _CONFIGURED:
        desk = prepared(Path(_FOLDER.name))
        _CONFIGURED.append(desk)
        accounts = str(Path(_FOLDER.name) / "accounts.db")
        hosts = ("testserver", "localhost")
        configure(desk, Options(accounts, "only for tests", hosts, quick_passwords=True), vault_in(Path(_FOLDER.name)))
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
    from django.apps import apps
    from django.db import transaction

    with transaction.atomic():
        for name in ("web", "axes", "sessions"):
            for model in apps.get_app_config(name).get_models():
                model._default_manager.all().delete()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A fresh desk behind the pages."""
    configured()
    from django.test import override_settings

    made = prepared(tmp_path)
    with vault_in(tmp_path) as vault, override_settings(DESK=made, VAULT=vault):
        yield made


@pytest.fixture
def desk_at_the_bedside(tmp_path: Path) -> Iterator[Desk]:
    """A desk with a unit that was received for P-1."""
    configured()
    from django.test import override_settings

    made = prepared(tmp_path, bedside=True)
    with vault_in(tmp_path) as vault, override_settings(DESK=made, VAULT=vault):
        yield made


@pytest.fixture
def shared_desk() -> Desk:
    """One desk for tests that write nothing."""
    configured()
    return _CONFIGURED[0]


def account_of(name: str, password: str = "") -> Any:
    """Somebody's account, with a password where one is told."""
    from trialwright.web.models import Account

    account, _ = Account.objects.get_or_create(username=name, defaults={"first_name": name.title()})
    if password:
        account.set_password(password)
        account.save()
    return account


def signed_in(name: str, **options: Any) -> Any:
    """A client of somebody who is signed in."""
    from django.test import Client

    account = account_of(name)
    client = Client(**options)
    client.force_login(account, backend="trialwright.web.always_asked.Accounts")
    return client
